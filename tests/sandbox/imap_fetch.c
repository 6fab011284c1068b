#include "sandbox/imap_fetch.h"

#include "test.h"

static struct item *put(struct mailbox *m, const char *text)
{
	return mailbox_add_mail(m, mailbox_known(m, "inbox"), slice_str(text), 1795305600);      /* 22-Nov-2026 */
}

#define LETTER "From: ben@fabrikam.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= Invoice\r\n\r\nThe text.\r\n"

TEST(items_are_told)
{
	/* `uid`: it stands at the end */
	static const struct { const char *wish, *answer; bool uid; } rows[] = {
		{ "UID", "UID ", true }, { "(FLAGS UID)", "FLAGS (\\Seen) UID ", true }, { "INTERNALDATE", "INTERNALDATE \"22-Nov-2026 00:00:00 +0000\"", false },
		{ "RFC822.SIZE", "RFC822.SIZE 87", false }, { "BODY[TEXT]<4.4>", "BODY[TEXT]<4> {4}\r\ntext", false }, { "BODY.PEEK[9]", "BODY[9] NIL", false },
		{ "RFC822.TEXT", "RFC822.TEXT {11}\r\nThe text.\r\n", false }, { "BODY[TEXT]<99.4>", "BODY[TEXT]<99> {0}\r\n", false },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	struct mailbox *m = mailbox_new(1, "anna@birch.example", false);
	struct item    *i = put(m, LETTER);

	marks_set(m, i, MARK_SEEN);
	for (size_t n = 0; n < COUNT(rows); n++) {
		struct slice  rest = slice_str(rows[n].wish);
		struct fetch  wish;
		struct buffer out;

		buffer_init(&out, 65536);
		EXPECT_ROW(fetch_read(&rest, &wish) && fetch_add(&out, &wish, arena, i), rows[n].wish);
		EXPECT_TEXT(arena_copy(arena, buffer_held(&out)), rows[n].uid ? arena_print(arena, "%s%u", rows[n].answer, i->number) : rows[n].answer);
		buffer_release(&out);
	}
	mailbox_free(m);
}

TEST(what_is_no_wish)
{
	static const char *const rows[] = { "", "()", "(UID", "BODY[", "BODY[TEXT]<1>", "BODY[TEXT]<x.1>", "BODY]x[" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice rest = slice_str(rows[i]);
		struct fetch wish;

		EXPECT_ROW(!fetch_read(&rest, &wish), rows[i]);
	}
}

TEST(macros_and_what_reads)
{
	struct slice rest = slice_str("FULL"), peeks = slice_str("(BODY.PEEK[] FLAGS)"), reads = slice_str("BODY[]");
	struct fetch wish;

	EXPECT(fetch_read(&rest, &wish) && wish.count == 5 && !wish.sets_seen);
	EXPECT(fetch_read(&peeks, &wish) && wish.count == 2 && !wish.sets_seen && wish.has_flags);
	EXPECT(fetch_read(&reads, &wish) && wish.sets_seen);
}

static const struct { const char *keys; bool fits, wrong; } searches[] = {
	{ "ALL", true, false }, { "UNSEEN", true, false }, { "SEEN", false, false }, { "SUBJECT invoice", true, false }, { "SUBJECT Grüße", true, false },
	{ "FROM \"ben@\" UNSEEN", true, false }, { "FROM ben NOT UNSEEN", false, false }, { "OR SEEN (TEXT text)", true, false }, { "BODY invoice", false, false },
	{ "HEADER From fabrikam", true, false }, { "HEADER X-None \"\"", false, false }, { "LARGER 80 SMALLER 90", true, false },
	{ "SINCE 22-Nov-2026", true, false }, { "BEFORE 22-Nov-2026", false, false }, { "ON 22-Nov-2026 SENTSINCE 1-Jan-2020", true, false },
	{ "UID 1:*", true, false }, { "1", true, false }, { "2", false, false }, { "*", true, false }, { "KEYWORD x", false, false }, { "UNKEYWORD x", true, false },
	{ "", false, true }, { "NOT", false, true }, { "SUBJECT", false, true }, { "OR SEEN", false, true }, { "(ALL", false, true }, { "SINCE yesterday", false, true },
	{ "LARGER x", false, true }, { "WHAT", false, true }, { "NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT ALL", false, true },
};

TEST(searches_find)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct mailbox *m = mailbox_new(1, "anna@birch.example", false);
	struct item    *i = put(m, LETTER);

	for (size_t n = 0; n < COUNT(searches); n++) {
		struct slice     rest = slice_str(searches[n].keys);
		struct search_of s = { arena, i, 1, 1, i->number };
		bool             wrong = false;

		EXPECT_ROW(search_fits(&rest, &s, 0, &wrong) == searches[n].fits, searches[n].keys);
		EXPECT_ROW(wrong == searches[n].wrong, searches[n].keys);
	}
	mailbox_free(m);
}

TEST(stamps)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	int64_t t = 0;

	EXPECT_TEXT(stamp_of(arena, 1795305600 + 3661), "22-Nov-2026 01:01:01 +0000");
	EXPECT(stamp_read(slice_str("22-Nov-2026 01:01:01 +0130"), &t) && t == 1795305600 + 3661 - 5400);
	EXPECT(stamp_read(slice_str(" 2-nov-2026"), &t) && !stamp_read(slice_str("2-Foo-2026"), &t) && !stamp_read(slice_str("x"), &t));
	EXPECT(!stamp_read(slice_str("2-Nov-99999"), &t) && !stamp_read(slice("", 0), &t));
}
