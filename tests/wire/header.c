#include "test.h"

#include <stdint.h>
#include <stdlib.h>

#include "wire/header.h"

/* From memory that ends where the text ends, so that a byte read too far is seen. */
static struct slice exactly(const char *text, size_t len)
{
	return slice(len ? memcpy(must_alloc(len), text, len) : must_alloc(0), len);
}

static void give_back(struct slice s)
{
	free((void *)(uintptr_t)s.at);
}

/* -- fields ------------------------------------------------------------------------------------------------------- */

static const struct { const char *row, *header, *fields, *rest; } headers[] = {
	{ "nothing",                 "", "", "" },
	{ "two fields and a body",   "A: b\r\nC: d\r\n\r\nbody: x\r\n", "A=b|C=d|", "body: x\r\n" },
	{ "line feeds alone",        "A: b\nC: d\n\nbody", "A=b|C=d|", "body" },
	{ "folded",                  "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n", "A=b\r\n c\r\n\td|E=f|", "" },
	{ "folded at once",          "A:\r\n b\r\n", "A=\r\n b|", "" },
	{ "the last line unended",   "A: b\r\nC: d", "A=b|C=d|", "" },
	{ "a bare carriage return",  "A: b\rc\r\n", "A=b\rc|", "" },
	{ "without a body",          "A:\r\nB: \r\n", "A=|B=|", "" },
	{ "white space everywhere",  "A \t: \t b \r\n", "A=b |", "" },
	{ "mbox",                    "From ann@birch.example Sat Jan  3 01:05:34 1996\nA: b\n\n", "A=b|", "" },
	{ "garbage",                 "no field\r\n fold: x\r\n: no name\r\n\xc3\xa4: b\r\nA: b\r\n", "A=b|", "" },
	{ "it begins with a fold",   " x: y\r\nA: b\r\n", "A=b|", "" },
	{ "a colon in the body",     "A: b: c\r\n", "A=b: c|", "" },
	{ "empty at once",           "\r\nA: b\r\n", "", "A: b\r\n" },
	{ "a blank line of spaces",  "A: b\r\n \r\nC: d\r\n", "A=b\r\n |C=d|", "" },
	{ "only garbage",            "garbage", "", "" },
};

static size_t list_fields(struct slice *rest, char *text, size_t size)
{
	struct header_field f;
	size_t              len = 0;

	text[0] = '\0';
	while (header_next(rest, &f))
		len += (size_t)snprintf(text + len, size - len, "%.*s=%.*s|", (int)f.name.len, f.name.at,
		                        (int)f.body.len, f.body.at);
	return len;
}

TEST(fields)
{
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct slice whole = exactly(headers[i].header, strlen(headers[i].header)), rest = whole;
		char         text[500];

		list_fields(&rest, text, sizeof text);
		EXPECT_TEXT(text, headers[i].fields);
		EXPECT_ROW(slice_equal(rest, slice_str(headers[i].rest)), headers[i].row);
		EXPECT_ROW(rest.at + rest.len == whole.at + whole.len, headers[i].row);
		give_back(whole);
	}
}

/* What is complete does not change by what is cut off behind it. */
TEST(fields_survive_any_cut)
{
	for (size_t i = 0; i < COUNT(headers); i++)
		for (size_t cut = 0; cut < strlen(headers[i].header); cut++) {
			struct slice whole = exactly(headers[i].header, cut), rest = whole;
			char         text[500];
			size_t       len = list_fields(&rest, text, sizeof text);
			const char  *last = len ? memrchr(text, '|', len - 1) : NULL;

			if (last)
				EXPECT_ROW(strncmp(text, headers[i].fields, (size_t)(last - text)) == 0,
				           headers[i].row);
			EXPECT_ROW(rest.at >= whole.at && rest.at + rest.len == whole.at + whole.len, headers[i].row);
			give_back(whole);
		}
}

TEST(the_first_field_of_a_name)
{
	struct slice header = slice_str("Received: 1\r\nSUBJECT: a\r\nreceived: 2\r\n\r\nTo: x\r\n"), body;

	EXPECT(header_find(header, "subject", &body) && slice_equal(body, slice_str("a")));
	EXPECT(header_find(header, "Received", &body) && slice_equal(body, slice_str("1")));
	EXPECT(!header_find(header, "Subjec", &body));
	EXPECT(!header_find(header, "To", &body));
}

/* -- text --------------------------------------------------------------------------------------------------------- */

static const struct { const char *body, *text; } texts[] = {
	{ "", "" },
	{ "  plain text \r\n", "plain text" },
	{ "folded\r\n text\r\n\there", "folded text here" },
	{ "a  b", "a  b" },
	{ "=?utf-8?Q?caf=C3=A9?=", "café" },
	{ "=?UTF-8?q?a_b=5Fc?=", "a b_c" },
	{ "=?utf-8?B?Y2Fmw6k=?=", "café" },
	{ "=?utf-8?b?Y2Fmw6k?=", "café" },                                   /* without its padding */
	{ "=?iso-8859-1?Q?caf=E9?=", "café" },
	{ "=?ISO-8859-1?Q?=93x=94?=", "“x”" },                               /* windows-1252 under a wrong name */
	{ "=?windows-1252?Q?=80=81?=", "€\xef\xbf\xbd" },
	{ "=?iso-8859-15?Q?=A4=A6=A8=B4=B8=BC=BD=BE=E9?=", "€ŠšŽžŒœŸé" },
	{ "=?us-ascii?Q?a=E9?=", "a\xef\xbf\xbd" },
	{ "=?utf-8*en?Q?hello?=", "hello" },                                 /* RFC 2231 */
	/* RFC 2047 §8 */
	{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
	{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a?=  \r\n    =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a =?ISO-8859-2?Q?_b?=)" },
	{ "x =?utf-8?Q?a?= =?iso-8859-1?Q?=E9?= y", "x aé y" },
	{ "=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é" },                          /* one character in two words */
	{ "=?utf-8?Q?=C3?= =?iso-8859-1?Q?=A9?=", "\xef\xbf\xbd©" },
	{ "=?utf-8?Q?=C3?= x", "\xef\xbf\xbd x" },
	{ "a=?utf-8?Q?b?=c", "abc" },                                        /* not by the book, but meant */
	{ "=?utf-8?Q?" "?=", "" },
	{ "=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab" },
	/* broken: as they came */
	{ "=?", "=?" },
	{ "=?utf-8?Q?a", "=?utf-8?Q?a" },
	{ "=?utf-8?Q?a?", "=?utf-8?Q?a?" },
	{ "=?utf-8?Q?a=?=", "=?utf-8?Q?a=?=" },
	{ "=?utf-8?Q?=4?=", "=?utf-8?Q?=4?=" },
	{ "=?utf-8?Q?=GG?=", "=?utf-8?Q?=GG?=" },
	{ "=?utf-8?Q?a b?=", "=?utf-8?Q?a b?=" },
	{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
	{ "=?utf-8?B?a?=", "=?utf-8?B?a?=" },
	{ "=?utf-8?B?Y2-m?=", "=?utf-8?B?Y2-m?=" },
	{ "=?koi8-r?B?8NLJ18XU?=", "=?koi8-r?B?8NLJ18XU?=" },
	{ "=?utf-8?Q?a?= =?utf-8?Q?=4?= =?utf-8?Q?b?=", "a =?utf-8?Q?=4?= b" },
	{ "=?utf-8?Q?a?= =?utf-8?Q?b", "a =?utf-8?Q?b" },
	{ "=?=?utf-8?Q?a?=", "=?a" },
	/* not UTF-8 */
	{ "caf\xe9", "caf\xef\xbf\xbd" },
	{ "caf\xc3\xa9", "café" },
	{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf0\x9f\x98\x80", "😀" },
	{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	/* controls */
	{ "=?utf-8?Q?a=0D=0ABcc:_x=00y=1B[2J?=", "a  Bcc: x y [2J" },
	{ "=?utf-8?Q?=C2=9B?=x", " x" },
	{ "a\x1b" "b\x7f" "c", "a b c" },
};

TEST(text)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct slice body = exactly(texts[i].body, strlen(texts[i].body));

		EXPECT_TEXT(header_text(body, job), texts[i].text);
		give_back(body);
	}
}

static bool is_utf8(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; ) {
		int more = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc2 ? 1 : -1;

		if (more < 0 || *p < ' ')
			return false;
		for (p++; more--; p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

TEST(text_survives_any_cut)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t cut = 0; cut < strlen(texts[i].body); cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct slice head = exactly(texts[i].body, cut);

			EXPECT_ROW(is_utf8(header_text(head, job)), texts[i].body);
			give_back(head);
		}
}

/* -- addresses ---------------------------------------------------------------------------------------------------- */

static const struct { const char *body, *address; } addresses[] = {
	{ "ann@example.org", "ann@example.org" },
	{ "Ann (x) <ann@example.org>", "ann@example.org" },
	{ "<ann@example.org>", "ann@example.org" },
	{ "ann@example.org (Ann)", "ann@example.org" },
	{ "(bob@example.org) ann@example.org", "ann@example.org" },
	{ "(a \\) (b) c) ann@example.org", "ann@example.org" },
	{ "\"Smith, Ann\" <ann@example.org>", "ann@example.org" },
	{ "\"bob@example.com\" <ann@example.org>", "ann@example.org" },
	{ "\"a \\\" <bob@example.com>\" <ann@example.org>", "ann@example.org" },
	{ "bob@example.com <ann@example.org>", "ann@example.org" },
	{ "=?utf-8?Q?J=C3=A4n?= <ann@example.org>", "ann@example.org" },
	{ "Ann\r\n\t<ann@example.org>,\r\n bob@example.org", "ann@example.org" },
	{ "ann@example.org, bob@example.org", "ann@example.org" },
	{ "nobody, ann@example.org", "ann@example.org" },
	{ ", , ann@example.org", "ann@example.org" },
	{ "Friends: ann@example.org, bob@example.org;", "ann@example.org" },
	{ "Nobody:; , ann@example.org", "ann@example.org" },
	{ "<@a.example,@b.example:ann@example.org>", "ann@example.org" },
	{ "ann @ example . org", "ann@example.org" },
	{ "< ann (x) @ example.org >", "ann@example.org" },
	{ "Ann Smith ann@example.org", "ann@example.org" },
	{ "ann@example.org Ann Smith", "ann@example.org" },
	{ "\"ann b\"@example.org", "\"ann b\"@example.org" },
	{ "\"a@b\"@example.org", "\"a@b\"@example.org" },
	{ "ann@[192.0.2.1]", "ann@[192.0.2.1]" },
	{ "ann@[IPv6:2001:db8::1]", "ann@[IPv6:2001:db8::1]" },
	{ "<j\xc3\xa4n@example.org>", "j\xc3\xa4n@example.org" },
	{ "ann@one@two, bob@example.org", "bob@example.org" },
	{ "", NULL },
	{ "Ann", NULL },
	{ "<>", NULL },
	{ "@example.org", NULL },
	{ "ann@", NULL },
	{ "<ann@>", NULL },
	{ "undisclosed-recipients:;", NULL },
	{ "<ann@example.org", NULL },
	{ "(ann@example.org", NULL },
	{ "\"ann@example.org", NULL },
	{ "ann@one@two", NULL },
	{ "<j\xe4n@example.org>", NULL },
	{ "<a\x01@example.org>", NULL },
};

TEST(the_first_address)
{
	for (size_t i = 0; i < COUNT(addresses); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct slice body = exactly(addresses[i].body, strlen(addresses[i].body));
		const char  *address = header_address(body, job);

		if (addresses[i].address)
			EXPECT_TEXT(address, addresses[i].address);
		else
			EXPECT_ROW(address == NULL, addresses[i].body);
		give_back(body);
		for (size_t cut = 0; cut < strlen(addresses[i].body); cut++) {
			struct slice head = exactly(addresses[i].body, cut);

			address = header_address(head, job);
			EXPECT_ROW(!address || (is_utf8(address) && strchr(address, '@')), addresses[i].body);
			give_back(head);
		}
	}
}

TEST(an_address_that_is_too_long)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char long_one[400];

	memset(long_one, 'a', sizeof long_one);
	memcpy(long_one + 310, "@b.example", 10);
	EXPECT(header_address(slice(long_one, 320), job) && header_address(slice(long_one, 321), job) == NULL);
}

/* -- Authentication-Results --------------------------------------------------------------------------------------- */

static const struct { const char *body, *method, *result; } results[] = {
	{ "mx.example.org; dkim=pass header.d=example.com", "dkim", "pass" },
	{ "mx.example.org; spf=fail smtp.mailfrom=x; dkim=none", "dkim", "none" },
	{ "mx.example.org; spf=fail smtp.mailfrom=x; dkim=none", "spf", "fail" },
	{ "mx.example.org 1; DKIM = PASS", "dkim", "PASS" },
	{ "mx.example.org; dkim/1=pass", "dkim", "pass" },
	{ "mx.example.org; dkim (x) / (y) 1 (z) = (w) pass (v)", "dkim", "pass" },
	{ "mx (dkim=fail; dkim=fail) ; (dkim=fail;) dkim=pass", "dkim", "pass" },
	{ "mx (a \\) ; dkim=fail;) ; dkim=pass", "dkim", "pass" },
	{ "mx; spf=pass reason=\"a;dkim=fail\"; dkim=neutral", "dkim", "neutral" },
	{ "mx;\r\n\tdkim=pass\r\n\theader.d=x", "dkim", "pass" },
	{ "mx; dkim=fail header.d=a; dkim=pass header.d=b", "dkim", "pass" },
	{ "mx; dkim=fail header.d=a; dkim=temperror header.d=b", "dkim", "fail" },
	{ "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x; dkim=pass", "spf", "pass" },
	{ "mx; spf=pass smtp.mailfrom=dkim=fail", "dkim", NULL },
	{ "mx; x-dkim=pass", "dkim", NULL },
	{ "mx; dkim-atps=pass", "dkim", NULL },
	{ "mx; none", "dkim", NULL },
	{ "mx; dkim", "dkim", NULL },
	{ "mx; dkim=", "dkim", NULL },
	{ "mx; (dkim=pass", "dkim", NULL },
	{ "", "dkim", NULL },
	{ ";;;", "dkim", NULL },
};

TEST(authentication_results)
{
	for (size_t i = 0; i < COUNT(results); i++)
		for (size_t cut = 0; cut <= strlen(results[i].body); cut++) {
			struct slice body = exactly(results[i].body, cut);
			struct slice got = header_auth_result(body, results[i].method);

			if (got.at)
				EXPECT_ROW(got.at >= body.at && got.at + got.len <= body.at + cut, results[i].body);
			if (cut == strlen(results[i].body)) {
				EXPECT_ROW((got.at != NULL) == (results[i].result != NULL), results[i].body);
				if (got.at)
					EXPECT_ROW(slice_equal(got, slice_str(results[i].result)), results[i].body);
			}
			give_back(body);
		}
}

/* By the shorter way or not: the same, wherever in a text the odd one is. */
TEST(what_is_known_to_be_utf8)
{
	static const char *const odd[] = { "\t", "\r\n ", "\x01", "\x1f", "\x7f", "\xc2\x85", "\xc2\xa0", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "=", "=?",
		"=?utf-8?q?a?=", "=?utf-8?q?a?= =?utf-8?q?b?=", "=?x", "  ", "~", "" };

	for (size_t i = 0; i < COUNT(odd); i++)
		for (int before = 0; before < 40; before++)
			for (int after = 0; after < 40; after += 3) {
				CLEANUP(arena) struct arena *job = arena_new();
				struct slice text = slice_str(arena_print(job, "%.*s%s%.*s", before, "a b c d e f g h i j k l m n o p q r s t u v", odd[i], after,
					" 0123456789 0123456789 0123456789 0123456789"));

				EXPECT_TEXT(header_text_utf8(text, job), header_text(text, job));
			}
}
