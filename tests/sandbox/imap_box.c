#include "sandbox/imap_box.h"

#include "test.h"

static struct item *put(struct mailbox *m, const char *folder)
{
	return mailbox_add_mail(m, box_find(m, folder), slice_str("Subject: x\r\n\r\ny"), 1000);
}

TEST(folders_have_names)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct mailbox *m = mailbox_new(1, "anna@birch.example", false);
	struct folder  *old = box_make(m, "Things/Old");

	EXPECT(box_find(m, "inbox") == mailbox_known(m, "inbox") && !box_find(m, "sent") && box_find(m, "Sent"));
	EXPECT_TEXT(box_use(box_find(m, "Sent")), "\\Sent");
	EXPECT(old && box_find(m, "Things/Old") == old && box_has_children(m, box_find(m, "Things")) && !box_has_children(m, old));
	EXPECT_TEXT(box_name(arena, m, old), "Things/Old");
	EXPECT(!box_make(m, "Things/Old") && !box_make(m, "") && !box_make(m, "x/") && !box_find(m, "Contacts") && !box_find(m, "Outbox"));
	mailbox_drop_folder(m, box_find(m, "Things"));
	EXPECT(!box_find(m, "Things/Old"));
	mailbox_free(m);
}

TEST(flags)
{
	struct slice rest = slice_str(" (\\Seen \\flagged $Junk)"), bare = slice_str("\\Deleted"), open = slice_str("(\\Seen");
	unsigned     marks;
	char         text[80];

	EXPECT(marks_read(&rest, &marks) && marks == (MARK_SEEN | MARK_FLAGGED) && read_end(&rest));
	EXPECT(marks_read(&bare, &marks) && marks == MARK_DELETED && !marks_read(&open, &marks));
	EXPECT_TEXT(marks_text(~0u, text), "\\Seen \\Answered \\Flagged \\Deleted \\Draft");
	EXPECT_TEXT(marks_text(0, text), "");
}

TEST(a_view_is_told_what_changed)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct mailbox *m = mailbox_new(1, "anna@birch.example", false);
	struct item    *a = put(m, "INBOX"), *b = put(m, "INBOX"), *c = put(m, "INBOX");
	struct view     v = { 0 };
	struct buffer   out;

	put(m, "Sent");
	view_open(&v, m, box_find(m, "INBOX"), false);
	EXPECT(v.count == 3 && view_items(arena, &v, m)[1] == b);
	buffer_init(&out, 4096);
	view_news(&v, m, &out);
	EXPECT(buffer_held(&out).len == 0);
	marks_set(m, c, MARK_SEEN);
	mailbox_drop(m, a);
	put(m, "INBOX");
	EXPECT(!view_items(arena, &v, m)[0] && view_items(arena, &v, m)[2] == c);
	view_news(&v, m, &out);
	EXPECT_TEXT(arena_copy(arena, buffer_held(&out)), arena_print(arena, "* 1 EXPUNGE\r\n* 2 FETCH (UID %u FLAGS (\\Seen))\r\n* 3 EXISTS\r\n", c->number));
	buffer_release(&out);
	view_close(&v);
	mailbox_free(m);
}
