#include "store/consents.h"

#include "store/scratch.h"

static struct consent_row row(const char *id, int64_t created)
{
	return (struct consent_row){ .id = id, .link = "lnk_1", .account = "acc_1", .sealed = { "\0\1x", 3 }, .created = created, .expires = created + 100 };
}

TEST(an_answer_is_taken_once_and_in_time)
{
	struct scratch     s;
	struct consent_row r = row("h1", 1000), got;

	scratch_rows(&s);
	EXPECT(consent_insert(&s.txn, &r, &s.err));
	FAILS(consent_insert(&s.txn, &r, &s.err), FAULT_REFUSED);
	FAILS(consent_take(&s.txn, s.arena, "h2", 1001, &got, &s.err), FAULT_ABSENT);
	FAILS(consent_take(&s.txn, s.arena, "h1", 1100, &got, &s.err), FAULT_ABSENT);
	EXPECT(consent_find(&s.txn, s.arena, "h1", 1099, &got, &s.err));
	EXPECT(consent_take(&s.txn, s.arena, "h1", 1099, &got, &s.err));
	EXPECT_TEXT(got.account, "acc_1");
	EXPECT(slice_equal(got.sealed, r.sealed) && got.created == 1000 && got.expires == 1100);
	FAILS(consent_take(&s.txn, s.arena, "h1", 1001, &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(a_page_finds_its_own_again)
{
	struct scratch     s;
	struct consent_row first = row("h1", 1000), second = row("h2", 1010), later = row("h3", 1200), got;

	scratch_rows(&s);
	EXPECT(consent_insert(&s.txn, &first, &s.err) && consent_insert(&s.txn, &second, &s.err));
	EXPECT(consent_of_link(&s.txn, s.arena, "lnk_1", "acc_1", 1050, &got, &s.err));
	EXPECT_TEXT(got.id, "h2");
	FAILS(consent_of_link(&s.txn, s.arena, "lnk_1", "acc_1", 1110, &got, &s.err), FAULT_ABSENT);
	FAILS(consent_of_link(&s.txn, s.arena, "lnk_1", "acc_2", 1050, &got, &s.err), FAULT_ABSENT);
	FAILS(consent_of_link(&s.txn, s.arena, "lnk_2", "acc_1", 1050, &got, &s.err), FAULT_ABSENT);
	/* what is over is forgotten */
	EXPECT(consent_insert(&s.txn, &later, &s.err));
	FAILS(consent_find(&s.txn, s.arena, "h1", 0, &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}
