#include <stdlib.h>

#include "serve/http_parts.h"
#include "test.h"

TEST(percent_encoding)
{
	static const struct { const char *text; bool form; const char *plain; } rows[] = {
		{ "",            false, "" },          { "abc",         false, "abc" },       { "a%2fb",       false, "a/b" },
		{ "a+b",         false, "a+b" },       { "a+b",         true,  "a b" },       { "%C3%A4",      false, "\xc3\xa4" },
		{ "%25%32%35",   false, "%25" },       { "a%0Ab",       true,  "a\nb" },      { "a%0Ab",       false, NULL },
		{ "%00",         false, NULL },        { "%00",         true,  NULL },        { "%1b",         true,  NULL },
		{ "%7f",         false, NULL },        { "%",           false, NULL },        { "%4",          false, NULL },
		{ "%4g",         false, NULL },        { "%%41",        false, NULL },        { "a\tb",        false, NULL },
	};
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *plain = NULL;
		bool        fine = percent_decode(slice_str(rows[i].text), rows[i].form, work, &plain);

		EXPECT_ROW(fine == (rows[i].plain != NULL), rows[i].text);
		if (fine)
			EXPECT_TEXT(plain, rows[i].plain);
	}
}

/* Each cut is a copy of its own, so that the sanitizer sees a step beyond. */
TEST(cut_anywhere_nothing_is_read_beyond)
{
	static const char text[] = "name=%c3%84nn+B&csrf=abc%20def&&=x&y&z=%2";
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t len = 0; len < sizeof text; len++) {
		struct pairs p;
		char        *copy = must_alloc(len);
		const char  *plain;

		memcpy(copy, text, len);
		if (pairs_read(slice(copy, len), work, &p))
			EXPECT(p.count <= 6);
		percent_decode(slice(copy, len), true, work, &plain);
		free(copy);
	}
}

TEST(pairs_are_bounded)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct pairs p;
	char         many[3 * HTTP_PAIRS + 10] = "";

	EXPECT(pairs_read(slice_str("a=1&b&a=2&=3"), work, &p) && p.count == 4);
	EXPECT_TEXT(p.item[0].value, "1");
	EXPECT_TEXT(p.item[1].value, "");
	for (int i = 0; i < HTTP_PAIRS; i++)
		strcat(many, "a&");
	EXPECT(pairs_read(slice_str(many), work, &p) && p.count == HTTP_PAIRS);
	strcat(many, "a");
	EXPECT(!pairs_read(slice_str(many), work, &p));
	EXPECT(!pairs_read(slice_str("a=1&b=%"), work, &p));
}

TEST(the_language_that_is_liked_best)
{
	static const struct { const char *header, *tag; } rows[] = {
		{ "de",                        "de" }, { "de-AT",                     "de" }, { "xx, fi;q=0.5, de;q=0.4",    "fi" },
		{ "de;q=0.1, th;q=0.2",        "th" }, { "de;q=0, th;q=0.001",        "th" }, { "de;q=0",                    NULL },
		{ "*",                         "en" }, { "xx",                        NULL }, { "",                          NULL },
		{ NULL,                        NULL }, { ",,;,q=,de",                 "de" }, { "de;q=2",                    NULL },
		{ "de;q=abc, nl;q=0.3",        "nl" }, { "pl;q=1.000",                "pl" }, { " nl ; q=0.9 ",              "nl" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, fi", "fi" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct language *l = language_accepted(rows[i].header);

		EXPECT_ROW((l != NULL) == (rows[i].tag != NULL), rows[i].header ? rows[i].header : "(none)");
		if (l)
			EXPECT_TEXT(l->tag, rows[i].tag);
	}
}

TEST(the_client_behind_proxies)
{
	static const struct { const char *peer, *forwarded, *client; } rows[] = {
		{ "192.0.2.1",  "198.51.100.7",                         "192.0.2.1"    },      /* no proxy of ours: it may say what it likes */
		{ "10.0.0.1",   "198.51.100.7",                         "198.51.100.7" },
		{ "10.0.0.1",   "203.0.113.9, 198.51.100.7",            "198.51.100.7" },
		{ "10.0.0.1",   "203.0.113.9, 198.51.100.7, 10.0.0.2",  "198.51.100.7" },
		{ "10.0.0.1",   "10.0.0.3, 10.0.0.2",                   "10.0.0.3"     },
		{ "10.0.0.1",   NULL,                                   "10.0.0.1"     },
		{ "10.0.0.1",   "",                                     "10.0.0.1"     },
		{ "10.0.0.1",   "198.51.100.7, nonsense",               "10.0.0.1"     },
		{ "10.0.0.1",   "198.51.100.7,",                        "10.0.0.1"     },
		{ "10.0.0.1",   "2001:db8::7",                          "2001:db8::7"  },
		{ "10.0.0.1",   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "10.0.0.1" },
	};
	struct address_block proxy;

	EXPECT(address_block_parse("10.0.0.0/8", &proxy));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address peer, client;
		char           text[ADDRESS_TEXT];

		EXPECT(address_parse(rows[i].peer, &peer));
		client = client_address(&peer, rows[i].forwarded, &proxy, 1);
		EXPECT_TEXT(address_text(&client, text), rows[i].client);
	}
}

TEST(rates)
{
	struct rates           *r = rates_new();
	const struct rate_limit limit = { 3, 2 };
	int                     wait_s = 0;

	for (int i = 0; i < 3; i++)
		EXPECT(rate_take(r, "a", limit, 1000, &wait_s));
	EXPECT(!rate_take(r, "a", limit, 1000, &wait_s) && wait_s == 1);
	EXPECT(rate_take(r, "b", limit, 1000, &wait_s));
	EXPECT(rate_left(r, "a", limit, 1500, &wait_s) && rate_take(r, "a", limit, 1500, &wait_s) && !rate_left(r, "a", limit, 1500, &wait_s));
	EXPECT(!rate_take(r, "a", limit, 100, &wait_s));              /* a clock that goes back gives nothing */
	for (int i = 0; i < 3; i++)
		EXPECT(rate_take(r, "a", limit, 1000000, &wait_s));   /* never more than the burst */
	EXPECT(!rate_take(r, "a", limit, 1000000, &wait_s));
	for (int i = 0; i < 100000; i++) {                            /* a flood of others fits into the same room */
		char who[20];

		snprintf(who, sizeof who, "%d", i);
		EXPECT(rate_take(r, who, limit, 1000000, &wait_s));
	}
	rates_free(r);
}
