#include "sandbox/imap_parts.h"

#include "test.h"

static const char letter[] =
	"From: \"Baker, Ben\" <ben@fabrikam.example>\r\nTo: anna@birch.example,\r\n Bert <bert@birch.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
	"Message-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\npreamble\r\n"
	"--b 1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nOne.\r\nTwo.\r\n"
	"--b 1\r\nContent-Type: message/rfc822\r\n\r\nSubject: within\r\nContent-Type: text/html\r\n\r\n<p>\r\n"
	"--b 1\r\nContent-Type: Application/PDF; name=\"a \\\"b\\\".pdf\"\r\nContent-Disposition: attachment; filename=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
	"--b 1--\r\nepilogue\r\n";

static const char *structure_of(struct arena *arena, const char *text, bool extended)
{
	struct buffer out;
	const char   *copy;

	buffer_init(&out, 1u << 20);
	structure_add(&out, arena, part_read(arena, slice_str(text)), extended);
	copy = arena_copy(arena, buffer_held(&out));
	buffer_release(&out);
	return copy;
}

TEST(a_message_is_a_tree)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const struct part *p = part_read(arena, slice_str(letter));

	EXPECT(p->children == 3 && strcmp(p->type, "multipart") == 0 && strcmp(p->boundary, "b 1") == 0);
	EXPECT(slice_equal(p->child[0]->body, slice_str("One.\r\nTwo.")));
	EXPECT(p->child[1]->children == 1 && strcmp(p->child[1]->child[0]->subtype, "html") == 0);
	EXPECT_TEXT(p->child[2]->subtype, "pdf");
	EXPECT_TEXT(p->child[2]->parameters, "(\"name\" {9}\r\na \"b\".pdf)");
}

TEST(structures)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const char *all = structure_of(arena, letter, true);

	EXPECT_TEXT(structure_of(arena, "\r\nx\r\n", false), "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1)");
	EXPECT_TEXT(structure_of(arena, "Content-Type: ;;;\r\n\r\n", false), "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)");
	EXPECT(strstr(all, "(\"attachment\" (\"filename\" \"x.pdf\"))") && strstr(all, "\"mixed\" (\"boundary\" \"b 1\")"));
	EXPECT(strstr(all, "\"rfc822\" NIL NIL NIL \"7bit\" 47 (NIL \"within\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"html\""));
}

TEST(envelopes)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct buffer out;

	buffer_init(&out, 65536);
	envelope_add(&out, arena, part_read(arena, slice_str(letter))->header);
	EXPECT_TEXT(arena_copy(arena, buffer_held(&out)),
	            "(NIL \"=?utf-8?q?Gr=C3=BC=C3=9Fe?=\" ((\"Baker, Ben\" NIL \"ben\" \"fabrikam.example\")) ((\"Baker, Ben\" NIL \"ben\" \"fabrikam.example\")) "
	            "((\"Baker, Ben\" NIL \"ben\" \"fabrikam.example\")) ((NIL NIL \"anna\" \"birch.example\")(\"Bert\" NIL \"bert\" \"birch.example\")) NIL NIL NIL \"<1@x>\")");
	buffer_release(&out);
}

TEST(sections)
{
	static const struct { const char *section, *text; } rows[] = {
		{ "1", "One.\r\nTwo." }, { "2.1", "<p>" }, { "3", "AAAA" }, { "2.HEADER", "Subject: within\r\nContent-Type: text/html\r\n\r\n" }, { "2.TEXT", "<p>" },
		{ "1.MIME", "Content-Type: text/plain; charset=utf-8\r\n\r\n" }, { "HEADER.FIELDS (message-id \"X\")", "Message-ID: <1@x>\r\n\r\n" },
		{ "4", NULL }, { "0", NULL }, { "1.2", NULL }, { "1.HEADER", NULL }, { "NOTHING", NULL }, { "99999999999999999999", NULL },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	const struct part *p = part_read(arena, slice_str(letter));
	struct slice       out;

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_ROW(section_read(arena, p, slice_str(rows[i].section), &out) == (rows[i].text != NULL), rows[i].section);
		if (rows[i].text)
			EXPECT_TEXT(arena_copy(arena, out), rows[i].text);
	}
	EXPECT(section_read(arena, p, slice_str(""), &out) && out.len == sizeof letter - 1);
	EXPECT(section_read(arena, p, slice_str("TEXT"), &out) && slice_starts(out, "preamble"));
}

TEST(cut_at_every_byte_and_nested_without_end)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const char *deep = "";

	for (size_t len = 0; len < sizeof letter - 1; len++)
		EXPECT(*structure_of(arena, arena_copy(arena, slice(letter, len)), true) == '(');
	for (int i = 0; i < 40; i++)
		deep = arena_print(arena, "%sContent-Type: message/rfc822\r\n\r\n", deep);
	EXPECT(*structure_of(arena, deep, true) == '(');
	deep = "Content-Type: multipart/mixed; boundary=x\r\n\r\n";
	for (int i = 0; i < 400; i++)
		deep = arena_print(arena, "%s--x\r\n", deep);
	EXPECT(part_read(arena, slice_str(deep))->children < PARTS_MOST);
}
