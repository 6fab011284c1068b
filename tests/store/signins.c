#include "store/signins.h"

#include "store/scratch.h"

static struct signin_row row(const char *id, int64_t created)
{
	return (struct signin_row){ .id = id, .link = "lnk_1", .session = "browser", .address = "ann@birch.example", .sealed = { "\0\1x", 3 },
		.created = created, .expires = created + 100 };
}

TEST(who_comes_back_comes_once_in_time_with_the_same_browser)
{
	struct scratch    s;
	struct signin_row r = row("h1", 1000), got;

	scratch_rows(&s);
	EXPECT(signin_insert(&s.txn, &r, &s.err));
	FAILS(signin_insert(&s.txn, &r, &s.err), FAULT_REFUSED);
	FAILS(signin_take(&s.txn, s.arena, "h2", "browser", 1001, &got, &s.err), FAULT_ABSENT);
	FAILS(signin_take(&s.txn, s.arena, "h1", "another", 1001, &got, &s.err), FAULT_REFUSED);
	FAILS(signin_take(&s.txn, s.arena, "h1", "", 1001, &got, &s.err), FAULT_REFUSED);
	FAILS(signin_take(&s.txn, s.arena, "h1", "browser", 1100, &got, &s.err), FAULT_ABSENT);
	EXPECT(signin_take(&s.txn, s.arena, "h1", "browser", 1099, &got, &s.err));
	EXPECT_TEXT(got.link, "lnk_1");
	EXPECT_TEXT(got.address, "ann@birch.example");
	EXPECT(slice_equal(got.sealed, r.sealed) && got.created == 1000 && got.expires == 1100);
	FAILS(signin_take(&s.txn, s.arena, "h1", "browser", 1001, &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(what_is_over_is_forgotten_and_a_link_has_so_many)
{
	struct scratch    s;
	struct signin_row got, old = row("old", 1), other = row("other", 1000);

	scratch_rows(&s);
	other.link = "lnk_2";
	EXPECT(signin_insert(&s.txn, &old, &s.err) && signin_insert(&s.txn, &other, &s.err));
	FAILS(signin_take(&s.txn, s.arena, "old", "browser", 101, &got, &s.err), FAULT_ABSENT);
	for (int i = 0; i < SIGNINS_OF_LINK + 2; i++) {
		struct signin_row r = row(arena_print(s.arena, "n%d", i), 1001 + i);

		EXPECT(signin_insert(&s.txn, &r, &s.err));
	}
	FAILS(signin_take(&s.txn, s.arena, "n1", "browser", 1020, &got, &s.err), FAULT_ABSENT);
	EXPECT(signin_take(&s.txn, s.arena, "n2", "browser", 1020, &got, &s.err) && signin_take(&s.txn, s.arena, "n9", "browser", 1020, &got, &s.err));
	EXPECT(signin_take(&s.txn, s.arena, "other", "browser", 1020, &got, &s.err));
	scratch_end(&s);
}

TEST(who_is_away_and_who_did_not_come_back)
{
	struct scratch    s;
	struct signin_row got, first = row("h1", 1000), second = row("h2", 1010), other = row("h3", 1020), late = row("h4", 1101 + SIGNINS_NOTED);
	bool              any;

	scratch_rows(&s);
	other.link = "lnk_2";
	EXPECT(signin_insert(&s.txn, &first, &s.err) && signin_insert(&s.txn, &second, &s.err) && signin_insert(&s.txn, &other, &s.err));
	EXPECT(signin_latest(&s.txn, s.arena, "lnk_1", "browser", 1050, &got, &s.err));
	EXPECT_TEXT(got.id, "h2");
	FAILS(signin_latest(&s.txn, s.arena, "lnk_1", "another", 1050, &got, &s.err), FAULT_ABSENT);
	FAILS(signin_latest(&s.txn, s.arena, "lnk_1", "browser", 1110, &got, &s.err), FAULT_ABSENT);

	EXPECT(signin_any_lost(&s.txn, 1099, &any, &s.err) && !any);
	FAILS(signin_take_lost(&s.txn, s.arena, 1099, &got, &s.err), FAULT_ABSENT);
	EXPECT(signin_any_lost(&s.txn, 1100, &any, &s.err) && any);
	EXPECT(signin_take_lost(&s.txn, s.arena, 1115, &got, &s.err));
	EXPECT_TEXT(got.id, "h1");
	EXPECT(signin_forget(&s.txn, "lnk_1", &s.err));
	FAILS(signin_take_lost(&s.txn, s.arena, 1115, &got, &s.err), FAULT_ABSENT);
	/* noted within the hour, or never */
	EXPECT(signin_insert(&s.txn, &late, &s.err) && signin_any_lost(&s.txn, 1120, &any, &s.err) && any);
	late.id = "h5", late.created += 100;
	EXPECT(signin_insert(&s.txn, &late, &s.err) && signin_any_lost(&s.txn, 1120, &any, &s.err) && !any);
	scratch_end(&s);
}
