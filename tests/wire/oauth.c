#include "wire/oauth.h"

#include <stdlib.h>

#include "test.h"

#define ID "5b6d2c1e-9f58-4a7c-8f0e-3c1f4d2b9a11"

static const struct {
	const char *body;
	enum fault  fault;
	const char *token, *error, *numbers;
	long long   expires_in;
} answers[] = {
	{ "{\"token_type\":\"Bearer\",\"access_token\":\"a.b\",\"expires_in\":3599}", FAULT_NONE, "a.b", NULL, "", 3599 },
	{ "{\"access_token\":\"a.b\",\"expires_in\":\"3600\"}", FAULT_NONE, "a.b", NULL, "", 3600 },
	{ "{\"access_token\":\"a.b\",\"expires_in\":-1}", FAULT_NONE, "a.b", NULL, "", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50105: x\",\"error_codes\":[50105]}", FAULT_NONE, NULL, "invalid_grant", "50105", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS70002: x AADSTS70008: y\"}", FAULT_NONE, NULL, "invalid_grant", "70002 70008", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_codes\":[70008,\"x\",1e300,-5]}", FAULT_NONE, NULL, "invalid_grant", "70008", 0 },
	{ "{\"error\":\"invalid_grant\",\"access_token\":\"a\"}", FAULT_NONE, NULL, "invalid_grant", "", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_codes\":[50001,50002,50003,50004,50005,50006,50007]}", FAULT_NONE, NULL, "invalid_grant", "50001 50002 50003 50004 50005 50006", 0 },
	{ "{}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "[]", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "<html>", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"a\\nb\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"a b\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":7}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"a\\u0000b\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
};

static const char *numbers_of(const struct oauth_answer *o, struct arena *job)
{
	const char *all = "";

	for (size_t i = 0; i < o->numbers; i++)
		all = arena_print(job, "%s%s%s", all, i ? " " : "", o->number[i]);
	return all;
}

TEST(answers_are_read)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_answer          o = { 0 };
		struct error                 err = { 0 };
		bool                         fine = oauth_answer_read(slice_str(answers[i].body), job, &o, &err);

		EXPECT_ROW(fine == (answers[i].fault == FAULT_NONE) && err.fault == answers[i].fault, answers[i].body);
		if (!fine)
			continue;
		EXPECT_ROW(!o.access_token == !answers[i].token && (!o.access_token || strcmp(o.access_token, answers[i].token) == 0), answers[i].body);
		EXPECT_ROW(!o.error == !answers[i].error && (!o.error || strcmp(o.error, answers[i].error) == 0), answers[i].body);
		EXPECT_ROW(o.expires_in == answers[i].expires_in, answers[i].body);
		EXPECT_TEXT(numbers_of(&o, job), answers[i].numbers);
	}
}

TEST(what_else_a_refusal_says)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_answer          o;
	struct error                 err = { 0 };

	EXPECT(oauth_answer_read(slice_str("{\"error\":\"interaction_required\",\"suberror\":\"basic_action\",\"claims\":\"{}\",\"correlation_id\":\"" ID "\",\"timestamp\":\"2026-11-22 08:00:00Z\"}"), job, &o, &err));
	EXPECT_TEXT(o.suberror, "basic_action");
	EXPECT_TEXT(o.claims, "{}");
	EXPECT_TEXT(o.correlation_id, ID);
	EXPECT_TEXT(o.timestamp, "2026-11-22 08:00:00Z");
}

TEST(cut_at_every_byte)
{
	static const char body[] = "{\"access_token\":\"a.b.c\",\"refresh_token\":\"r\",\"scope\":\"Mail.Send\",\"expires_in\":3599}";

	for (size_t len = 0; len < sizeof body - 1; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_answer          o;
		struct error                 err = { 0 };

		EXPECT(!oauth_answer_read(slice(body, len), job, &o, &err) && err.fault == FAULT_BROKEN);
	}
}

TEST(too_long_is_refused)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_answer          o;
	struct error                 err = { 0 };
	char                        *body = must_alloc(OAUTH_ANSWER + 2);

	memset(body, ' ', OAUTH_ANSWER + 1);
	EXPECT(!oauth_answer_read(slice(body, OAUTH_ANSWER + 1), job, &o, &err) && err.fault == FAULT_TOO_BIG);
	free(body);
}

TEST(requests_are_forms)
{
	const struct oauth_client confidential = { "id-1", "s~e+c r&t=" }, public = { "id-1", NULL };
	struct buffer             b;

	buffer_init(&b, 4096);
	EXPECT(oauth_refresh(&b, &confidential, "0.A/+=", "openid Mail.Send"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=refresh_token&client_id=id-1&client_secret=s~e%2Bc%20r%26t%3D&refresh_token=0.A%2F%2B%3D&scope=openid%20Mail.Send")));
	buffer_clear(&b);
	EXPECT(oauth_refresh(&b, &public, "r", NULL));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=refresh_token&client_id=id-1&refresh_token=r")));
	buffer_clear(&b);
	EXPECT(oauth_redeem(&b, &public, "c", "https://crm.example/back", "v"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=authorization_code&client_id=id-1&code=c&redirect_uri=https%3A%2F%2Fcrm.example%2Fback&code_verifier=v")));
	buffer_release(&b);
	buffer_init(&b, 30);
	EXPECT(!oauth_refresh(&b, &public, "r", NULL));
	buffer_release(&b);
}

TEST(scopes)
{
	static const char granted[] = "openid  https://graph.microsoft.com/Mail.ReadWrite mail.send";

	EXPECT(oauth_scope_has(granted, "Mail.ReadWrite") && oauth_scope_has(granted, "Mail.Send") && oauth_scope_has(granted, "OPENID"));
	EXPECT(!oauth_scope_has(granted, "Mail.Read") && !oauth_scope_has(granted, "Calendars.ReadWrite") && !oauth_scope_has("", "x"));
	EXPECT(!oauth_scope_has("https://graph.microsoft.com/", "graph.microsoft.com"));
}
