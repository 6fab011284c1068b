#include "wire/utf16.h"

#include "test.h"

/* In UTF-16 and back. */
static const char *there_and_back(const char *text, struct arena *job, bool upper)
{
	struct buffer b;
	char         *back;

	buffer_init(&b, 1000);
	EXPECT(utf16_add(&b, text));
	if (upper)
		utf16_upper(b.bytes + b.start, b.end - b.start);
	back = utf16_text(buffer_held(&b), job);
	buffer_release(&b);
	return back;
}

TEST(texts_go_there_and_back)
{
	static const struct { const char *text, *back; } rows[] = {
		{ "", "" }, { "abc", "abc" }, { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf" },
		/* no UTF-8: byte for byte */
		{ "\xe4", "\xc3\xa4" }, { "a\xe4z", "a\xc3\xa4z" }, { "\xc3\xa4\xe4", "\xc3\x83\xc2\xa4\xc3\xa4" }, { "\xc3", "\xc3\x83" },
		{ "\xc0\x80", "\xc3\x80\xc2\x80" }, { "\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80" }, { "\xf4\x90\x80\x80", "\xc3\xb4\xc2\x90\xc2\x80\xc2\x80" },
		{ "\xe0\x80\xaf", "\xc3\xa0\xc2\x80\xc2\xaf" }, { "\xf0\x9f\x98", "\xc3\xb0\xc2\x9f\xc2\x98" }, { "\xff", "\xc3\xbf" },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(there_and_back(rows[i].text, job, false), rows[i].back);
}

TEST(what_is_no_text_becomes_harmless)
{
	static const struct { const char *bytes; size_t len; const char *text; } rows[] = {
		{ "a\0b", 3, "a" }, { "a", 1, "" }, { "\0\0a\0", 4, "?a" }, { "\x1b\0\x7f\0\n\0", 6, "???" },
		{ "\x3d\xd8\x00\xde", 4, "\xf0\x9f\x98\x80" }, { "\x3d\xd8", 2, "\xef\xbf\xbd" }, { "\x3d\xd8\x00", 3, "\xef\xbf\xbd" },
		{ "\x3d\xd8z\0", 4, "\xef\xbf\xbdz" }, { "\x00\xdez\0", 4, "\xef\xbf\xbdz" },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(utf16_text(slice(rows[i].bytes, rows[i].len), job), rows[i].text);
}

TEST(capitals)
{
	static const struct { const char *text, *upper; } rows[] = {
		{ "azAZ09.-_@\\{", "AZAZ09.-_@\\{" },
		{ "\u00e0\u00f6\u00f8\u00fe\u00ff\u00f7", "\u00c0\u00d6\u00d8\u00de\u0178\u00f7" },
		{ "\u0101\u0100\u017e\u0161\u0142\u0151\u0219", "\u0100\u0100\u017d\u0160\u0141\u0150\u0218" },
		{ "\u03ac\u03ad\u03af\u03b1\u03c2\u03c3\u03c9\u03cc\u03cd\u03ce", "\u0386\u0388\u038a\u0391\u03a3\u03a3\u03a9\u038c\u038e\u038f" },
		{ "\u0436\u044f\u0451\u0457\u0491", "\u0416\u042f\u0401\u0407\u0490" },
		{ "\u0561\u0586\u1ea1\u1ef9", "\u0531\u0556\u1ea0\u1ef8" },
		{ "\u00df\u0131\u00b5\u0138\u0149\u017f\U0001f600\U00010428", "\u00df\u0131\u00b5\u0138\u0149\u017f\U0001f600\U00010428" },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_TEXT(there_and_back(rows[i].text, job, true), rows[i].upper);
		EXPECT_TEXT(there_and_back(rows[i].upper, job, true), rows[i].upper);
	}
}

TEST(a_buffer_that_is_full_says_so)
{
	struct buffer b;

	buffer_init(&b, 4);
	EXPECT(utf16_add(&b, "ab") && !utf16_add(&b, "c") && buffer_held(&b).len == 4);
	buffer_release(&b);
}
