#include "sandbox/mime.h"

#include <stdlib.h>

#include "test.h"

static const char message[] =
	"From: =?utf-8?Q?Bj=C3=B6rn?= =?utf-8?B?IMOFw6U=?= <bj@x.example>\r\nTo: \"Doe, Jane\" <jane@x.example>,\r\n anna@x.example\r\nSubject: Hello\r\n world\r\n"
	"Message-ID: <1@x.example>\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\nignored\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
	"--c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe=\r\n!\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>\r\n"
	"--c--\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=x\r\n\r\nx\r\n--b--\r\n";

TEST(a_message_is_read)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct mime m;

	mime_read(arena, slice_str(message), &m);
	EXPECT_TEXT(m.from.name, "Björn Åå");
	EXPECT_TEXT(m.from.address, "bj@x.example");
	EXPECT(m.to.count == 2);
	EXPECT_TEXT(m.to.list[0].name, "Doe, Jane");
	EXPECT_TEXT(m.to.list[1].address, "anna@x.example");
	EXPECT_TEXT(m.subject, "Hello world");
	EXPECT_TEXT(m.message_id, "<1@x.example>");
	EXPECT_TEXT(m.text, "Grüße!\r\n");
	EXPECT(!m.is_html && m.has_attachments && m.cc.count == 0);
}

TEST(a_message_cut_at_every_byte_is_still_one)
{
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t len = 0; len < sizeof message; len++) {
		char       *copy = must_alloc(len ? len : 1);
		struct mime m;

		memcpy(copy, message, len);
		mime_read(arena, slice(copy, len), &m);
		EXPECT(m.subject && m.text && m.from.address && m.message_id);
		free(copy);
	}
}

TEST(its_parts_come_one_after_another)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice whole = slice_str(message), rest = { 0 }, inner, part, deeper = { 0 };

	EXPECT(mime_next_part(arena, whole, &rest, &part));
	EXPECT_TEXT(mime_parameter(arena, mime_header(arena, part, "Content-Type"), "boundary"), "c");
	EXPECT(mime_next_part(arena, part, &deeper, &inner));
	EXPECT_TEXT(arena_copy(arena, mime_bytes(arena, inner)), "Gr\xfc\xdf" "e!");
	EXPECT(mime_next_part(arena, part, &deeper, &inner));
	EXPECT_TEXT(arena_copy(arena, mime_bytes(arena, inner)), "<p>");
	EXPECT(!mime_next_part(arena, part, &deeper, &inner));
	EXPECT(mime_next_part(arena, whole, &rest, &part));
	EXPECT_TEXT(arena_copy(arena, mime_bytes(arena, part)), "x");
	EXPECT(!mime_next_part(arena, whole, &rest, &part));
}

TEST(parts_cut_at_every_byte_are_still_parts)
{
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t len = 0; len < sizeof message; len++) {
		char        *copy = must_alloc(len ? len : 1);
		struct slice rest = { 0 }, part;
		int          n = 0;

		memcpy(copy, message, len);
		while (n < 3 && mime_next_part(arena, slice(copy, len), &rest, &part)) {
			EXPECT(part.len <= len && mime_bytes(arena, part).len <= len);
			n++;
		}
		EXPECT(n <= 2);
		free(copy);
	}
}

TEST(words_of_a_header)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	static const struct { const char *raw, *text; } rows[] = {
		{ "plain", "plain" }, { "=?utf-8?b?w7w=?=", "ü" }, { "=?iso-8859-1?q?=FC_x?=", "ü x" }, { "a =?utf-8?q?b?= c", "a b c" },
		{ "=?broken", "=?broken" }, { "=?utf-8?x?y?=", "=?utf-8?x?y?=" }, { "=?utf-8?b?*?=", "=?utf-8?b?*?=" }, { "\xfc", "ü" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mime m;

		mime_read(arena, slice_str(arena_print(arena, "Subject: %s\r\n\r\n", rows[i].raw)), &m);
		EXPECT_TEXT(m.subject, rows[i].text);
	}
	EXPECT_TEXT(mime_word(arena, "plain"), "plain");
	EXPECT_TEXT(mime_word(arena, "ü"), "=?UTF-8?B?w7w=?=");
}

TEST(parts_within_parts_have_an_end)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const char *all = "";
	struct mime m;

	for (int i = 0; i < 200; i++)
		all = arena_print(arena, "%sContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", all);
	mime_read(arena, slice_str(all), &m);
	EXPECT_TEXT(m.text, "");
}
