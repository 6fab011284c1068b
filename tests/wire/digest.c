#include "wire/digest.h"

#include "test.h"

#define REALM "Digest realm=\"http-auth@example.org\", "
#define NONCE "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\""
#define DICE  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static const char *answer(const char *fields, struct arena *job)
{
	struct challenges offered;
	struct digest     d;
	const char       *all;

	challenges_read(slice_str(fields), &offered);
	if (!digest_choose(&offered, job, &d))
		return "none";
	all = digest_authorization(&d, "Mufasa", "Circle of Life", "GET", "/dir/index.html", DICE, job);
	EXPECT(all && !strstr(all, "Circle"));
	return all;
}

static const struct { const char *name, *fields, *has; } rows[] = {
	/* RFC 7616 3.9.1 */
	{ "MD5", "WWW-Authenticate: " REALM "qop=\"auth, auth-int\", algorithm=MD5, " NONCE ", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"", "response=\"8ca523f5e9506fed4657c9700eebdbec\"" },
	{ "SHA-256", "WWW-Authenticate: " REALM "qop=\"auth, auth-int\", algorithm=SHA-256, " NONCE, "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"" },
	{ "the first that can be answered", "WWW-Authenticate: " REALM "algorithm=SHA-512-256, qop=\"auth\", " NONCE "\nWWW-Authenticate: " REALM "algorithm=SHA-256, qop=\"auth\", " NONCE, "algorithm=SHA-256, " },
	{ "count and dice", "WWW-Authenticate: " REALM "qop=\"auth\", " NONCE, "cnonce=\"" DICE "\", qop=auth, nc=00000001" },
	{ "from before qop", "WWW-Authenticate: " REALM NONCE, "uri=\"/dir/index.html\", algorithm=MD5, response=\"" },
	{ "a realm with a quotation mark", "WWW-Authenticate: Digest realm=\"a \\\"b\\\"\", qop=\"auth\", " NONCE, "realm=\"a \\\"b\\\"\"" },
	{ "opaque goes back", "WWW-Authenticate: " REALM "qop=\"auth\", opaque=\"x\", " NONCE, "opaque=\"x\"" },
	{ "no nonce", "WWW-Authenticate: " REALM "qop=\"auth\"", "none" },
	{ "only auth-int", "WWW-Authenticate: " REALM "qop=\"auth-int\", " NONCE, "none" },
	{ "another scheme", "WWW-Authenticate: Basic realm=\"x\"", "none" },
};

TEST(answers)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char                  *got = answer(rows[i].fields, job);

		if (!strstr(got, rows[i].has))
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, got);
	}
}

/* Cut anywhere it is answered or not, and nothing of the server's gets out of its quotation marks. */
TEST(challenges_cut_at_every_byte)
{
	struct slice whole = slice_str(rows[0].fields);

	for (size_t len = 0; len <= whole.len; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char                  *got = answer(arena_copy(job, slice_upto(whole, len)), job);

		EXPECT(strcmp(got, "none") == 0 || (strncmp(got, "Digest username=\"Mufasa\", ", 26) == 0 && !strpbrk(got, "\r\n")));
	}
}

TEST(each_request_counts)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct challenges            offered;
	struct digest                d;

	challenges_read(slice_str(rows[0].fields), &offered);
	EXPECT(digest_choose(&offered, job, &d) && !digest_is_stale(&offered, job));
	EXPECT(strstr(digest_authorization(&d, "u", "p", "PUT", "/", "d", job), "nc=00000001"));
	EXPECT(strstr(digest_authorization(&d, "u", "p", "PUT", "/", "d", job), "nc=00000002"));
	challenges_read(slice_str("WWW-Authenticate: Digest nonce=\"x\", stale=TRUE"), &offered);
	EXPECT(digest_is_stale(&offered, job));
}
