#include "connect/grant.h"

#include "test.h"

static struct arena *job;

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

TEST(what_is_written_is_read)
{
	static const struct { struct oauth_grant grant; const char *json; } rows[] = {
		{ { "eyJ.a", "0.AX", "Mail.Send openid", 1795251599, 1795248000 },
		  "{\"access_token\":\"eyJ.a\",\"refresh_token\":\"0.AX\",\"scope\":\"Mail.Send openid\",\"expires_at\":1795251599,\"granted_at\":1795248000}" },
		{ { "eyJ.a", NULL, NULL, 0, 0 },      "{\"access_token\":\"eyJ.a\"}" },
		{ { NULL, "0.AX", NULL, 0, 0 },       "{\"refresh_token\":\"0.AX\"}" },
		{ { "a\"\\b", NULL, "", 41000000000, 0 }, "{\"access_token\":\"a\\\"\\\\b\",\"scope\":\"\",\"expires_at\":41000000000}" },
	};

	job = arena_new();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct oauth_grant *g = &rows[i].grant;
		struct slice                  text = grant_write(g, job);
		struct oauth_grant        back;

		EXPECT_TEXT(arena_copy(job, text), rows[i].json);
		EXPECT_ROW(grant_read(text, job, &back), rows[i].json);
		EXPECT_ROW(same(back.access_token, g->access_token) && same(back.refresh_token, g->refresh_token), rows[i].json);
		EXPECT_ROW(same(back.scope, g->scope && *g->scope ? g->scope : NULL) && back.expires_at == g->expires_at
		           && back.granted_at == g->granted_at, rows[i].json);
		/* a row that was cut short gives no half of a grant */
		for (size_t cut = 0; cut < text.len; cut++)
			EXPECT_ROW(!grant_read(slice_upto(text, cut), job, &back) && !back.access_token && !back.refresh_token, rows[i].json);
	}
	arena_free(job);
}

TEST(what_is_no_grant)
{
	static const char *const rows[] = {
		"", "hunter22", "\"hunter22\"", "123456", "null", "[]", "{\"access_token\":7}", "{\"access_token\":\"\"}", "[{\"access_token\":\"a\"}]",
		"{\"scope\":\"Mail.Send\",\"expires_at\":1795251599,\"granted_at\":1795248000}", "{\"access_token\":\"a\\u0000b\"}", "{\"access_token\":\"a\"} x",
	};
	struct oauth_grant g;

	job = arena_new();
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!grant_read(slice_str(rows[i]), job, &g) && !g.access_token && !g.expires_at, rows[i]);
	/* of whom nobody signed in for */
	EXPECT(grant_read(slice_str("{}"), job, &g) && !g.access_token && !g.refresh_token);
	EXPECT(slice_is(grant_write(&g, job), "{}"));
	EXPECT(grant_read(slice_str("{\"access_token\":\"a\",\"expires_at\":-7}"), job, &g) && g.expires_at == 0);
	EXPECT(grant_read(slice_str("{\"access_token\":\"a\",\"expires_at\":1e300}"), job, &g) && g.expires_at == 0);
	arena_free(job);
}

TEST(too_much)
{
	struct oauth_grant g = { .expires_at = 1 };
	char                  *token;

	job = arena_new();
	token = arena_get(job, GRANT_MOST + 1);
	memset(token, 'a', GRANT_MOST);
	g.access_token = token;
	EXPECT(!grant_write(&g, job).at);
	token[GRANT_MOST / 2] = '\0';
	EXPECT(grant_write(&g, job).len > GRANT_MOST / 2);
	arena_free(job);
}
