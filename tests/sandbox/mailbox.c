#include "sandbox/mailbox.h"

#include <stdlib.h>

#include "test.h"

static struct item *put(struct mailbox *m, const char *known, const char *subject)
{
	CLEANUP(arena) struct arena *work = arena_new();

	return mailbox_add_mail(m, mailbox_known(m, known), slice_str(arena_print(work, "Subject: %s\r\n\r\nx", subject)), 1000);
}

TEST(folders_and_items)
{
	struct mailbox *m = mailbox_new(1, "anna@x.example", true);
	struct folder  *inbox = mailbox_known(m, "inbox"), *sub = mailbox_add_folder(m, inbox, "Sub", "IPF.Note");
	struct item    *a = put(m, "inbox", "a"), *b = put(m, "inbox", "b");

	EXPECT(mailbox_item(m, a->number) == a && mailbox_count(m, inbox, false) == 2 && mailbox_count(m, inbox, true) == 2);
	mailbox_set_read(m, a, true);
	EXPECT(mailbox_count(m, inbox, true) == 1 && a->flagged > a->changed);
	EXPECT(folder_is_under(sub, mailbox_known(m, "msgfolderroot")) && !folder_is_under(inbox, sub));
	mailbox_drop(m, b);
	EXPECT(m->trace_count == 1 && m->traces[0].folder == inbox->number && m->last == a && m->items == 1);
	mailbox_copy(m, a, sub, 1000);
	mailbox_drop_folder(m, sub);
	EXPECT(!mailbox_folder(m, sub->number) && m->items == 1 && m->trace_count == 2);
	mailbox_free(m);
}

TEST(a_mailbox_without_a_calendar)
{
	struct mailbox *m = mailbox_new(1, "anna@x.example", false);

	EXPECT(!mailbox_known(m, "calendar") && mailbox_known(m, "inbox"));
	mailbox_free(m);
}

TEST(folders_have_an_end)
{
	struct mailbox *m = mailbox_new(1, "anna@x.example", true);
	size_t          made = m->folders;

	while (mailbox_add_folder(m, mailbox_known(m, "inbox"), "x", "IPF.Note"))
		made++;
	EXPECT(made == MAILBOX_FOLDERS);
	mailbox_free(m);
}

TEST(ids_go_and_come)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct entry_id id = { 3, 70000, 5, 'i' }, got;
	const char     *text = entry_id(arena, id);

	EXPECT(strncmp(text, "AAMk", 4) == 0);
	EXPECT(entry_id_read(arena, text, &got) && got.mailbox == 3 && got.number == 70000 && got.instance == 5 && got.kind == 'i');
	for (size_t len = 0; len < strlen(text); len++)
		EXPECT(!entry_id_read(arena, arena_copy(arena, slice(text, len)), &got));
	EXPECT(!entry_id_read(arena, NULL, &got) && !entry_id_read(arena, "DUMMY", &got) && !entry_id_read(arena, "AAMkAGYBAAAAAwAAAABNTVNDAAAA", &got));
}
