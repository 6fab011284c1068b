#include "model/mailaddress.h"

#include <stdlib.h>

#include "test.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define A63 A60 "aaa"

static const struct { const char *text, *local, *domain, *shown; } good[] = {
	{ "ann@birch.example",                 "ann",          "birch.example",         "birch.example" },
	{ "  ann@birch.example\r\n",           "ann",          "birch.example",         "birch.example" },
	{ "\xc2\xa0 ann@birch.example\xe2\x80\x8b\xef\xbb\xbf", "ann", "birch.example", "birch.example" },
	{ "Ann.Lee+x@Birch.EXAMPLE",           "Ann.Lee+x",    "birch.example",         "birch.example" },
	{ "ann@birch.example.",                "ann",          "birch.example",         "birch.example" },
	{ "ann@localhost",                     "ann",          "localhost",             "localhost" },
	{ "a!#$%&'*+-/=?^_`{|}~b@x.example",   "a!#$%&'*+-/=?^_`{|}~b", "x.example",    "x.example" },
	{ "ann@m\xc3\xbcnchen.example",        "ann",          "xn--mnchen-3ya.example", "m\xc3\xbcnchen.example" },
	{ "ann@M\xc3\x9cNCHEN.example",        "ann",          "xn--mnchen-3ya.example", "m\xc3\xbcnchen.example" },
	{ "ann@xn--mnchen-3ya.example",        "ann",          "xn--mnchen-3ya.example", "m\xc3\xbcnchen.example" },
	{ "ann@XN--mnchen-3YA.example",        "ann",          "xn--mnchen-3ya.example", "m\xc3\xbcnchen.example" },
	/* non-transitional: the sharp s stays itself and is not ss */
	{ "ann@stra\xc3\x9f" "e.example",      "ann",          "xn--strae-oqa.example", "stra\xc3\x9f" "e.example" },
	/* the ideographic full stop is a dot, also at the end */
	{ "ann@birch\xe3\x80\x82" "example\xe3\x80\x82",   "ann",          "birch.example",         "birch.example" },
	/* an old registration that IDNA 2008 would not give out */
	{ "ann@xn--ls8h.example",              "ann",          "xn--ls8h.example",      NULL },
	{ "j\xc3\xbcrgen@birch.example",       "j\xc3\xbcrgen", "birch.example",        "birch.example" },
	{ "\"a b\"@x.example",                 "\"a b\"",      "x.example",             "x.example" },
	{ "\"a@b\"@x.example",                 "\"a@b\"",      "x.example",             "x.example" },
	{ "\"a\\\"b\"@x.example",              "\"a\\\"b\"",   "x.example",             "x.example" },
	{ "\"ann\"@x.example",                 "ann",          "x.example",             "x.example" },
	{ "\"\"@x.example",                    "\"\"",         "x.example",             "x.example" },
	{ "ann@1and1.example",                 "ann",          "1and1.example",         "1and1.example" },
	{ "ann@r4---x.example",                "ann",          "r4---x.example",        "r4---x.example" },
	{ "ann@" A63 ".example",               "ann",          A63 ".example",          A63 ".example" },
	{ A60 "aaaa@x.example",                A60 "aaaa",     "x.example",             "x.example" },
	{ "ann@[192.0.2.1]",                   "ann",          "[192.0.2.1]",           "[192.0.2.1]" },
	{ "ann@[IPv6:2001:DB8::1]",            "ann",          "[IPv6:2001:db8::1]",    "[IPv6:2001:db8::1]" },
	{ "ann@[ipv6:2001:db8::1]",            "ann",          "[IPv6:2001:db8::1]",    "[IPv6:2001:db8::1]" },
};

TEST(mail_addresses_are_taken_apart)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(good); i++) {
		struct mail_address a;
		const char         *problem = "?";

		EXPECT_ROW(mail_address_parse(good[i].text, job, &a, &problem), good[i].text);
		EXPECT_ROW(problem == NULL, good[i].text);
		EXPECT_TEXT(a.local, good[i].local);
		EXPECT_TEXT(a.domain, good[i].domain);
		if (good[i].shown)
			EXPECT_TEXT(a.domain_shown, good[i].shown);
		EXPECT_TEXT(a.text, arena_print(job, "%s@%s", good[i].local, good[i].domain));
		EXPECT_ROW(a.is_literal == (good[i].domain[0] == '['), good[i].text);
	}
}

TEST(mail_address_literals_are_addresses)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct mail_address a;
	const char         *problem;
	char                text[ADDRESS_TEXT];

	EXPECT(mail_address_parse("ann@[192.0.2.1]", job, &a, &problem) && a.is_literal);
	EXPECT_TEXT(address_text(&a.literal, text), "192.0.2.1");
	EXPECT(mail_address_parse("ann@[IPv6:2001:db8::7]", job, &a, &problem) && a.literal.family == 6);
	EXPECT_TEXT(address_text(&a.literal, text), "2001:db8::7");
}

static const struct { const char *text, *problem; } bad[] = {
	{ "",                                   "empty" },
	{ " \t\r\n ",                           "empty" },
	{ "\xe2\x80\x8b",                       "empty" },
	{ "ann",                                "no @" },
	{ "@birch.example",                     "before the @" },
	{ "ann@",                               "after the @" },
	{ "@",                                  "before the @" },
	{ "a@b@c.example",                      "more than one @" },
	{ "a@@c.example",                       "more than one @" },
	{ "ann lee@birch.example",              "space" },
	{ "ann@birch .example",                 "space" },
	{ "ann@birch\texample.org",             "control" },
	{ "ann\x01@birch.example",              "control" },
	{ "ann\x7f@birch.example",              "control" },
	{ "ann\xc2\x85@birch.example",          "control" },
	{ "ann\xe2\x80\x8b@birch.example",      "invisible" },
	{ "ann\xe2\x80\xae@birch.example",      "invisible" },
	{ "ann\xff@birch.example",              "UTF-8" },
	{ "ann\xc0\x80@birch.example",          "UTF-8" },
	{ "ann\xed\xa0\x80@birch.example",      "UTF-8" },
	{ "ann@b\xc3.example",                  "UTF-8" },
	{ ".ann@birch.example",                 "begins or ends with a dot" },
	{ "ann.@birch.example",                 "begins or ends with a dot" },
	{ "a..b@birch.example",                 "two dots" },
	{ "Ann <ann@birch.example>",            "space" },
	{ "<ann@birch.example>",                "not allowed" },
	{ "a,b@birch.example",                  "not allowed" },
	{ "a\"b\"@birch.example",               "not allowed" },
	{ "\"ann@birch.example",                "never closed" },
	{ "\"ann\\\"@birch.example",            "never closed" },
	{ "\"ann\"x@birch.example",             "closing quotation" },
	{ "\"ann\"",                            "no @" },
	{ "ann@birch..example",                 "empty label" },
	{ "ann@.birch.example",                 "empty label" },
	{ "ann@birch.example..",                "empty label" },
	{ "ann@.",                              "empty label" },
	{ "ann@bi_rch.example",                 "underscore" },
	{ "ann@-birch.example",                 "hyphen" },
	{ "ann@birch-.example",                 "hyphen" },
	{ "ann@xn--.example",                   "hyphen" },
	{ "ann@birch.exa!mple",                 "not allowed" },
	{ "ann@bi\xe2\x98\x83rch.exa/mple",     "not allowed" },
	{ "ann@192.0.2.1",                      "square brackets" },
	{ "ann@birch.123",                      "square brackets" },
	{ "ann@[192.0.2.300]",                  "no IP address" },
	{ "ann@[2001:db8::1]",                  "no IP address" },
	{ "ann@[IPv6:192.0.2.1]",               "no IP address" },
	{ "ann@[]",                             "no IP address" },
	{ "ann@[",                              "no IP address" },
	{ "ann@[192.0.2.1",                     "no IP address" },
	{ "ann@[192.0.2.1].",                   "no IP address" },
	{ "ann@" A63 "a.example",               "63" },
	{ "ann@\xc3\xbc" A63 ".example",        "63" },
	{ A60 "aaaaa@x.example",                "64" },
	{ "\"" A60 "aaa\"@x.example",           "64" },
	{ "ann@" A63 "." A63 "." A63 "." A63,   "25" },
	{ A60 "@" A60 "." A60 "." A60 ".example.example.example", "254" },
};

TEST(mail_addresses_that_are_none_say_why)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mail_address a = { .text = "untouched" };
		const char         *problem = NULL;

		EXPECT_ROW(!mail_address_parse(bad[i].text, job, &a, &problem), bad[i].text);
		EXPECT_ROW(problem && slice_has(slice_str(problem), bad[i].problem), problem ? problem : bad[i].text);
		EXPECT_TEXT(a.text, "untouched");
	}
}

TEST(mail_address_limits_are_exact)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct mail_address a;
	const char         *problem;
	const char         *most = arena_print(job, "%s@%s.%s.%s", A60, A63, A63, A63);

	/* 60 + 1 + 191 = 252; two more are the most there may be */
	EXPECT(mail_address_parse(arena_print(job, "aa%s", most), job, &a, &problem));
	EXPECT(strlen(a.text) == MAIL_ADDRESS_MOST);
	EXPECT(!mail_address_parse(arena_print(job, "aaa%s", most), job, &a, &problem));
}

TEST(mail_address_of_64_kib_is_refused_at_once)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct mail_address a;
	const char         *problem;
	size_t              before = arena_used(job);
	char               *text = must_alloc(65537);

	memset(text, 'a', 65536);
	EXPECT(!mail_address_parse(text, job, &a, &problem));
	memset(text, '@', 65536);
	EXPECT(!mail_address_parse(text, job, &a, &problem));
	memset(text, ' ', 65536);
	EXPECT(!mail_address_parse(text, job, &a, &problem));
	EXPECT(arena_used(job) == before);
	free(text);
}

/* Cut anywhere, an address is either an address again or has a reason why not. */
TEST(mail_addresses_survive_any_cut)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t cut = 0; cut < strlen(good[i].text); cut++) {
			struct mail_address a;
			const char         *problem = NULL;
			const char         *text = arena_copy(job, slice(good[i].text, cut));

			EXPECT_ROW(mail_address_parse(text, job, &a, &problem) == (problem == NULL), text);
		}
}
