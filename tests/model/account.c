#include "model/account.h"

#include "test.h"

TEST(every_state_has_a_name_of_its_own_and_is_found_by_it)
{
	for (enum account_state s = 0; s < ACCOUNT_STATES; s++) {
		enum account_state found = ACCOUNT_STATES;

		EXPECT(account_state_find(account_state_name(s), &found));
		EXPECT(found == s);
	}
}

TEST(what_is_no_state_is_not_found)
{
	enum account_state found = ACCOUNT_PAUSED;

	EXPECT(!account_state_find("", &found));
	EXPECT(!account_state_find("needs", &found));
	EXPECT(found == ACCOUNT_PAUSED);
}

TEST(an_id_tells_its_kind_and_comes_once)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *a = new_id(work, "acc"), *b = new_id(work, "acc");

	EXPECT(strncmp(a, "acc_", 4) == 0);
	EXPECT(strlen(a) == 26);
	EXPECT(strcmp(a, b) != 0);
}

TEST(another_provider_knows_nothing_of_the_one_before)
{
	static const struct { const char *was, *is; bool forgets; } rows[] = {
		{ "microsoft", "exchange", true }, { "exchange", "microsoft", true }, { "exchange", "exchange", false }, { "auto", "exchange", false },
		{ "imap", "auto", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct account a = { .id = "acc_1", .provider = rows[i].was, .cursor = "{}", .place = "{}", .external_id = "x", .impersonate = true };

		account_by_provider(&a, rows[i].is);
		EXPECT_TEXT(a.provider, rows[i].is);
		EXPECT_ROW(!a.cursor == rows[i].forgets && !a.place == rows[i].forgets && !a.impersonate == rows[i].forgets && a.id && a.external_id, rows[i].is);
	}
}

TEST(a_calendar_alone_has_no_mail)
{
	static const struct { const char *provider, *rights; bool mail; } rows[] = {
		{ "imap", NULL, true }, { "exchange", NULL, true }, { "google", "full", true }, { "microsoft", "read", true },
		{ "caldav", NULL, false }, { "google", "calendar", false }, { "microsoft", "calendar", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct account a = { .address = "ann@birch.example", .provider = rows[i].provider, .rights = rows[i].rights };

		EXPECT_ROW(account_has_mail(&a) == rows[i].mail, rows[i].provider);
	}
}
