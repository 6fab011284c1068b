#include "store/calendars.h"

#include "store/accounts.h"
#include "store/scratch.h"

static void put(struct scratch *s, const char *account, const char *calendar, const char *name, const char *etag)
{
	EXPECT(calendar_entry_put(&s->txn, account, calendar, &(struct calendar_entry){ name, etag }, &s->err));
}

TEST(entries_by_account_and_calendar)
{
	struct scratch         s;
	struct account         a = { .id = "acc_1", .workspace = "wsp_1", .address = "a", .key = "a", .provider = "imap" };
	struct account         b = { .id = "acc_2", .workspace = "wsp_1", .address = "b", .key = "b", .provider = "imap" };
	struct calendar_entry *found, one;
	size_t                 count;

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err) && account_insert(&s.txn, &b, &s.err));
	put(&s, "acc_1", "/c/", "b.ics", "1");
	put(&s, "acc_1", "/c/", "B.ics", "1");
	put(&s, "acc_1", "/c/", "\xc3\xa4.ics", "1");
	put(&s, "acc_1", "/d/", "b.ics", "7");
	put(&s, "acc_2", "/c/", "b.ics", "8");
	put(&s, "acc_1", "/c/", "b.ics", "2");
	EXPECT(calendar_entries(&s.txn, s.arena, "acc_1", "/c/", "", 10, &found, &count, &s.err) && count == 3);
	EXPECT_TEXT(found[0].name, "B.ics");
	EXPECT_TEXT(found[1].etag, "2");
	EXPECT(calendar_entries(&s.txn, s.arena, "acc_1", "/c/", "B.ics", 1, &found, &count, &s.err) && count == 1);
	EXPECT_TEXT(found[0].name, "b.ics");
	EXPECT(calendar_entry_get(&s.txn, s.arena, "acc_1", "/d/", "b.ics", &one, &s.err));
	EXPECT_TEXT(one.etag, "7");
	EXPECT(calendar_entry_drop(&s.txn, "acc_1", "/d/", "b.ics", &s.err) && calendar_entry_drop(&s.txn, "acc_1", "/d/", "b.ics", &s.err));
	FAILS(calendar_entry_get(&s.txn, s.arena, "acc_1", "/d/", "b.ics", &one, &s.err), FAULT_ABSENT);
	EXPECT(account_erase(&s.txn, "acc_1", 50, &s.err));
	EXPECT(calendar_entries(&s.txn, s.arena, "acc_1", "/c/", "", 10, &found, &count, &s.err) && count == 0);
	EXPECT(calendar_entries(&s.txn, s.arena, "acc_2", "/c/", "", 10, &found, &count, &s.err) && count == 1);
	EXPECT(calendar_forget(&s.txn, "acc_2", &s.err));
	EXPECT(calendar_entries(&s.txn, s.arena, "acc_2", "/c/", "", 10, &found, &count, &s.err) && count == 0);
	scratch_end(&s);
}
