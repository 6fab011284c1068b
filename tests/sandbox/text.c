#include "sandbox/text.h"

#include "test.h"

TEST(what_xml_cannot_hold_is_escaped)
{
	CLEANUP(arena) struct arena *arena = arena_new();

	EXPECT_TEXT(escaped(arena, "a<b>&\"c\"'d'\r\n\t\x01é"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;&#xD;\n\t?é");
	EXPECT_TEXT(escaped(arena, NULL), "");
}

TEST(base64_goes_and_comes)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	char         bytes[256];
	struct slice out;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		EXPECT(base64_read(arena, slice_str(base64_of(arena, slice(bytes, len))), &out));
		EXPECT(slice_equal(out, slice(bytes, len)));
	}
	EXPECT(base64_read(arena, slice_str(" Zm9v\r\n YmFy "), &out) && slice_equal(out, slice_str("foobar")));
}

TEST(what_is_no_base64_is_refused)
{
	static const char *const rows[] = { "Z", "Zm9", "Zm9v=", "=m9v", "Zg==Zg==", "Zm9*", "Z===" };
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice out;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!base64_read(arena, slice_str(rows[i]), &out), rows[i]);
	EXPECT(!base64_read(arena, slice("Zm9\0", 4), &out));
}

TEST(utf16_goes_and_comes)
{
	static const char *const rows[] = { "", "anna", "Ümläut", "日本", "a😀b" };
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(utf16_read(arena, utf16_of(arena, rows[i])), rows[i]);
	EXPECT(slice_equal(utf16_of(arena, "é😀"), slice("\xe9\0\x3d\xd8\0\xde", 6)));
}

TEST(what_is_no_utf_becomes_a_replacement)
{
	CLEANUP(arena) struct arena *arena = arena_new();

	EXPECT_TEXT(utf16_read(arena, utf16_of(arena, "a\xffz\xc3")), "a\xef\xbf\xbdz\xef\xbf\xbd");
	EXPECT_TEXT(utf16_read(arena, slice("\x3d\xd8", 2)), "\xef\xbf\xbd");
	EXPECT_TEXT(utf16_read(arena, slice("\0\xde""a\0\0\0b", 7)), "\xef\xbf\xbd""a\xef\xbf\xbd");
}

TEST(moments_in_their_forms)
{
	static const struct { const char *text; int64_t at; } rows[] = {
		{ "2026-11-22T06:00:00Z", 1795327200 }, { "2026-11-22T06:00:00", 1795327200 }, { "2026-11-22T07:00:00+01:00", 1795327200 },
		{ "2026-11-22T01:30:00.123-04:30", 1795327200 }, { "2026-11-22", 1795305600 }, { "2026-11-22Z", 1795305600 },
	};
	static const char *const no[] = { "", "today", "2026-11", "2026-11-22Tnoon", "2026-11-22T06:00:00+x" };
	CLEANUP(arena) struct arena *arena = arena_new();
	int64_t at;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(moment_read(rows[i].text, &at) && at == rows[i].at, rows[i].text);
	for (size_t i = 0; i < COUNT(no); i++)
		EXPECT_ROW(!moment_read(no[i], &at), no[i]);
	EXPECT(!moment_read(NULL, &at));
	EXPECT_TEXT(moment(arena, 1795327200), "2026-11-22T06:00:00Z");
	EXPECT_TEXT(moment_short(arena, 1795327200), "20261122T060000Z");
}
