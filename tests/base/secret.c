#include "base/secret.h"

#define SECRETS 8          /* more than a verification ever holds; there is no limit */

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "test.h"
#include "wire/sasl.h"

static struct secrets known;

static const char *struck(const char *text, struct arena *into)
{
	return secrets_strike(&known, slice_str(text), into);
}

TEST(every_form_of_a_secret)
{
	static const struct { const char *secret, *text, *struck; } rows[] = {
		{ "hunter22",        "hunter22",                              "[secret]" },
		{ "hunter22",        "LOGIN ann hunter22",                    "LOGIN ann [secret]" },
		{ "hunter22",        "hunter22 is wrong",                     "[secret] is wrong" },
		{ "hunter22",        "ahunter22b",                            "a[secret]b" },
		{ "hunter22",        "HUNTER22",                              "[secret]" },
		{ "hunter22",        "hunter22hunter22",                      "[secret][secret]" },
		{ "hunter22",        "hunter2",                               "hunter2" },
		{ "hunter22",        "hunter2 hunter 22",                     "hunter2 hunter 22" },
		/* quoted, as IMAP says it */
		{ "a\"b\\c d",       "LOGIN ann \"a\\\"b\\\\c d\"",           "LOGIN ann \"[secret]\"" },
		{ "a\"b\\c d",       "a\"b\\c d",                             "[secret]" },
		/* percent */
		{ "p@ss w/rd",       "?p=p%40ss%20w%2Frd&x=1",                "?p=[secret]&x=1" },
		{ "p@ss w/rd",       "?p=p%40ss%20w%2frd&x=1",                "?p=[secret]&x=1" },
		{ "pässword",        "p%C3%A4ssword",                         "[secret]" },
		/* hex */
		{ "hunter22",        "68756e7465723232",                      "[secret]" },
		{ "hunter22",        "0068756E746572323200",                  "00[secret]00" },
		/* Latin-1, and the bytes escaped */
		{ "pässword",        "p\xe4ssword",                           "[secret]" },
		{ "pässword",        "pässword",                              "[secret]" },
		{ "pässword",        "p\\xc3\\xa4ssword",                     "[secret]" },
		/* JSON */
		{ "a\"b\\c d",       "{\"p\": \"a\\\"b\\\\c d\"}",            "{\"p\": \"[secret]\"}" },
		{ "pässword",        "{\"p\": \"p\\u00e4ssword\"}",           "{\"p\": \"[secret]\"}" },
		{ "pass/word",       "{\"p\": \"pass\\/word\"}",              "{\"p\": \"[secret]\"}" },
		/* more than ASCII: no Latin-1 of it */
		{ "пароль",          "x пароль y",                            "x [secret] y" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		secrets_forget(&known);
		secrets_know(&known, slice_str(rows[i].secret));
		EXPECT_TEXT(struck(rows[i].text, job), rows[i].struck);
	}
	secrets_forget(&known);
}

/* `inner` in base64, standing alone, between words, glued to others, and without its padding. */
static void hidden_in_base64(struct slice inner, const char *secret, bool url_safe)
{
	static const struct { const char *before, *after; } around[] = {
		{ "", "" }, { "AUTHENTICATE PLAIN ", " done" }, { "AUTH PLAIN ", "" }, { "334 ", "" }, { "\"", "\"" }, { "(", ")" }, { "credentials=", "&x" },
		{ "x", "" }, { "xy", "" }, { "xyz", "" }, { "", "xyz" }, { "path/to/", "/more" }, { "AAAA", "AAAA" },
	};

	for (size_t i = 0; i < COUNT(around); i++)
		for (int padded = 0; padded < 2; padded++) {
			CLEANUP(arena) struct arena *job = arena_new();
			char       *code = base64_encode(job, inner);
			const char *got;

			for (char *c = code; *c; c++)
				if (url_safe && (*c == '+' || *c == '/'))
					*c = *c == '+' ? '-' : '_';
			if (!padded)
				code[strcspn(code, "=")] = '\0';
			got = struck(arena_print(job, "%s%s%s", around[i].before, code, around[i].after), job);
			if (slice_has(slice_str(got), code) || !slice_has(slice_str(got), SECRET_STRUCK))
				test_fail(__FILE__, __LINE__, "\"%s\" in \"%s\" within %s…%s: %s", secret, code, around[i].before, around[i].after, got);
		}
}

TEST(base64_of_whatever_has_the_secret_in_it)
{
	static const char *const secrets[] = { "hunter22", "a?>~b?>~ÿÿ", "four", "fiver", "sixsix", "seven77", "pässword", "correct horse battery staple" };
	static const char *const wraps[] = {       /* %s is the secret, ^ a NUL, ~ a Ctrl-A */
		"%s", "^user^%s", "user^user^%s", "x%s", "xy%s", "%sx", "%sxy", "xx%sxx",
		"user=ann@birch.example~auth=Bearer %s~~", "n,a=ann@birch.example,~host=h~port=993~auth=Bearer %s~~",
		"{\"status\":\"401\",\"token\":\"%s\"}",
	};

	for (size_t s = 0; s < COUNT(secrets); s++)
		for (size_t w = 0; w < COUNT(wraps); w++) {
			char   inner[300];
			size_t len = 0;

			for (const char *c = wraps[w]; *c; c++)
				if (c[0] == '%' && c[1] == 's') {
					memcpy(inner + len, secrets[s], strlen(secrets[s]));
					len += strlen(secrets[s]);
					c++;
				} else {
					inner[len++] = *c == '^' ? '\0' : *c == '~' ? '\001' : *c;
				}
			secrets_forget(&known);
			secrets_know(&known, slice_str(secrets[s]));
			hidden_in_base64(slice(inner, len), secrets[s], false);
			hidden_in_base64(slice(inner, len), secrets[s], true);
		}
	secrets_forget(&known);
}

/* Where the text is cut, the rest of the base64 must not give away what came before. */
TEST(base64_right_behind_the_secret_itself)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *code = "aHVudGVyMjI=";       /* hunter22 */

	secrets_forget(&known);
	secrets_know(&known, slice_str("hunter22"));
	EXPECT(!slice_has(slice_str(struck(arena_print(job, "hunter22%s", code), job)), "aHVudGVyMjI"));
	EXPECT(!slice_has(slice_str(struck(arena_print(job, "68756e7465723232%s", code), job)), "aHVudGVyMjI"));
	secrets_forget(&known);
}

TEST(what_sasl_says_is_struck_out_of_a_transcript)
{
	static const char *const names[] = { "PLAIN", "XOAUTH2", "OAUTHBEARER" };
	CLEANUP(arena) struct arena *job = arena_new();

	secrets_forget(&known);
	secrets_know(&known, slice_str("hunter22"));
	secrets_know(&known, slice_str("ya29.a0AfB_byC-token-of-some-length"));
	for (size_t i = 0; i < COUNT(names); i++) {
		struct sasl_credentials who = { .user = "ann@birch.example", .password = "hunter22", .token = "ya29.a0AfB_byC-token-of-some-length", .host = "h", .port = 993 };
		CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find(names[i]), &who);
		const char *said = arena_print(job, "a1 AUTHENTICATE %s %s", names[i], sasl_initial(s));

		EXPECT_TEXT(slice_has(slice_str(said), "=") ? struck(arena_print(job, "%.*s", (int)strcspn(said, "="), said), job) : struck(said, job),
		            arena_print(job, "a1 AUTHENTICATE %s [secret]", names[i]));
	}
	/* LOGIN: the name stays, the password goes */
	EXPECT_TEXT(struck("YW5uQGJpcmNoLmV4YW1wbGU=", job), "YW5uQGJpcmNoLmV4YW1wbGU=");
	EXPECT_TEXT(struck("aHVudGVyMjI=", job), "[secret]=");
	secrets_forget(&known);
}

TEST(short_secrets_only_where_they_stand_alone)
{
	static const struct { const char *secret, *text, *struck; } rows[] = {
		{ "ab",  "ab",              "[secret]" },
		{ "ab",  "a1 LOGIN x ab",   "a1 LOGIN x [secret]" },
		{ "ab",  "about a cab",     "about a cab" },
		{ "ab",  "\"ab\"",          "\"[secret]\"" },
		{ "ab",  "ab, ab",          "[secret], [secret]" },
		{ "abc", "abcd xabc abc.",  "abcd xabc [secret]." },
		{ "a",   "a banana",        "[secret] banana" },
		{ "abcd", "xabcdx",         "x[secret]x" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		secrets_forget(&known);
		secrets_know(&known, slice_str(rows[i].secret));
		EXPECT_TEXT(struck(rows[i].text, job), rows[i].struck);
	}
	secrets_forget(&known);
}

TEST(several_secrets)
{
	CLEANUP(arena) struct arena *job = arena_new();

	secrets_forget(&known);
	secrets_know(&known, slice_str("hunter22"));
	secrets_know(&known, slice_str("hunter22-and-longer"));
	secrets_know(&known, slice_str("refresh/token"));
	EXPECT_TEXT(struck("hunter22 refresh/token", job), "[secret] [secret]");
	/* the longer one where both begin: no tail of it is left */
	EXPECT_TEXT(struck("x hunter22-and-longer y", job), "x [secret] y");
	EXPECT_TEXT(struck("x 68756e74657232322d616e642d6c6f6e676572 y", job), "x [secret] y");
	for (int i = 0; i < SECRETS; i++) {
		char other[20];

		snprintf(other, sizeof other, "other-%d", i);
		secrets_know(&known, slice_str(other));
	}
	EXPECT_TEXT(struck("other-0 hunter22", job), "[secret] [secret]");
	secrets_forget(&known);
	EXPECT_TEXT(struck("hunter22 other-0", job), "hunter22 other-0");
}

/* The same one twice takes no place from others. */
TEST(a_secret_known_twice_takes_one_place)
{
	CLEANUP(arena) struct arena *job = arena_new();

	secrets_forget(&known);
	for (int i = 0; i < SECRETS + 2; i++)
		secrets_know(&known, slice_str("hunter22"));
	secrets_know(&known, slice_str("another-one"));
	EXPECT_TEXT(struck("another-one", job), "[secret]");
	secrets_forget(&known);
}

/* All behind the host goes: a sign-in link may carry its secret in the path as well. */
TEST(links_that_sign_in_keep_their_host_alone)
{
	static const struct { const char *text, *struck; } rows[] = {
		{ "[WEBALERT https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsb] Web login required",
		  "[WEBALERT https://accounts.google.com/[secret]] Web login required" },
		{ "log in <https://accounts.google.com/ContinueSignIn?x=y>, then", "log in <https://accounts.google.com/[secret]>, then" },
		{ "HTTPS://accounts.google.com/x?PLT=abc",           "HTTPS://accounts.google.com/[secret]" },
		{ "http://example.org/cb?code=abc next",             "http://example.org/[secret] next" },
		{ "\"https://example.org/oauth2?x=1\"",              "\"https://example.org/[secret]\"" },
		{ "https://example.org/?a=1&token=abc",              "https://example.org/[secret]" },
		{ "https://support.google.com/mail/?p=BadCredentials a1-20020", "https://support.google.com/mail/?p=BadCredentials a1-20020" },
		{ "https://accounts.google.com/signin/continue",     "https://accounts.google.com/signin/continue" },
		{ "https://example.org/help code=7",                 "https://example.org/help code=7" },
		{ "https://a.example/?x=1 https://b.example/?code=2 https://c.example/?x=3",
		  "https://a.example/?x=1 https://b.example/[secret] https://c.example/?x=3" },
	};

	secrets_forget(&known);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			CLEANUP(arena) struct arena *job = arena_new();

			EXPECT_TEXT(struck(rows[i].text, job), rows[i].struck);
		}
		secrets_know(&known, slice_str("hunter22"));
	}
	secrets_forget(&known);
}

/* Links without a '/' behind the host, and others that no parser of URLs would take. */
TEST(a_link_that_is_hardly_one_still_loses_its_secret)
{
	static const char *const rows[] = {
		"https://example.org?code=SECRETPART", "https://example.org?x=/&token=SECRETPART", "http://?code=SECRETPART", "http:///?code=SECRETPART",
		"https://u:p@example.org/?code=SECRETPART", "https://[2001:db8::1]/?code=SECRETPART",
	};

	secrets_forget(&known);
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT_ROW(!slice_has(slice_str(struck(rows[i], job)), "SECRETPART"), rows[i]);
	}
}

/* A link that stays keeps no secret of ours. */
TEST(a_secret_in_a_link)
{
	CLEANUP(arena) struct arena *job = arena_new();

	secrets_forget(&known);
	secrets_know(&known, slice_str("p@ssword"));
	EXPECT_TEXT(struck("https://example.org/?user=ann&p=p%40ssword", job), "https://example.org/?user=ann&p=[secret]");
	EXPECT_TEXT(struck("https://example.org/p%40ssword/x", job), "https://example.org/[secret]/x");
	EXPECT_TEXT(struck("https://example.org/p%40ssword/x?code=1", job), "https://example.org/[secret]");
	EXPECT_TEXT(struck("https://p%40ssword.example/x?code=1", job), "https://[secret].example/[secret]");
	secrets_forget(&known);
}

/* The whole forms, cut at every byte: no crash, and the text before the secret is the same. */
TEST(cut_at_every_byte)
{
	static const char text[] = "a1 LOGIN ann \"a\\\"hunter\" aHVudGVyMjI= https://x.example/signin/?plt=1 %68 pAGFubgBodW50ZXIyMg==";

	secrets_forget(&known);
	secrets_know(&known, slice_str("a\"hunter"));
	secrets_know(&known, slice_str("hunter22"));
	for (size_t len = 0; len < sizeof text; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		char *copy = must_alloc(len);

		memcpy(copy, text, len);
		EXPECT(strncmp(secrets_strike(&known, slice(copy, len), job), text, len < 14 ? len : 14) == 0);
		free(copy);
	}
	secrets_forget(&known);
}

static double seconds_for(const char *unit, size_t len)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char           *text = must_alloc(len + 1);
	struct timespec from, to;

	for (size_t i = 0; i < len; i++)
		text[i] = unit[i % strlen(unit)];
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	secrets_strike(&known, slice(text, len), job);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	free(text);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Eight times the text may take eight times as long, and something for the noise; its square would be sixty-four. */
TEST(the_time_grows_with_the_length_and_not_with_its_square)
{
	static const char *const units[] = {
		"QUJD", "A", "AAAAAAAA=", "hunter2", "68756e74", "http://", "http://a/?", "https://signin/", "%68", "QUJDREVGR0hJ SktMTU5PUFFS",
	};

	secrets_forget(&known);
	for (int i = 0; i < SECRETS; i++) {
		char secret[40];

		snprintf(secret, sizeof secret, "hunter22-äöü-%d", i);
		secrets_know(&known, slice_str(secret));
	}
	for (size_t i = 0; i < COUNT(units); i++) {
		double small = seconds_for(units[i], 8 * 1024), large = seconds_for(units[i], 64 * 1024);

		if (large > 0.2 && large > 24 * small)
			test_fail(__FILE__, __LINE__, "64 KiB of \"%s\": %.2f s, 8 KiB: %.3f s", units[i], large, small);
	}
	secrets_forget(&known);
}

TEST(wiping)
{
	char text[] = "hunter22";

	secret_wipe(text, 6);
	EXPECT(memcmp(text, "\0\0\0\0\0\0" "22", 9) == 0);
	secret_wipe(NULL, 5);
}
