#include "model/causes.h"

#include "test.h"

TEST(ids_are_unique_and_found)
{
	for (unsigned a = CAUSE_NONE + 1; a < CAUSE_COUNT; a++) {
		const char *id = cause_row((enum cause)a)->id;

		EXPECT_ROW(cause_find(id) == (enum cause)a, id);      /* the first of that id: so it is the only one */
		EXPECT_ROW(strchr(id, '.') && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._") == strlen(id), id);
	}
}

TEST(what_is_no_id)
{
	static const char *const ids[] = { "", "tls", "tls.", "tls.expire", "tls.expiredd", "TLS.EXPIRED", " tls.expired" };

	for (size_t i = 0; i < COUNT(ids); i++)
		EXPECT_ROW(cause_find(ids[i]) == CAUSE_NONE, ids[i]);
	EXPECT(cause_find("tls.expired") == CAUSE_TLS_EXPIRED);
	EXPECT_TEXT(cause_row(CAUSE_NONE)->id, "");
}

TEST(the_first_to_act_is_one_of_all_who_may)
{
	static const unsigned everybody = WHO_USER | WHO_ADMIN | WHO_PROVIDER | WHO_OPERATOR | WHO_NOBODY;

	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const struct cause_row *r = cause_row((enum cause)c);

		EXPECT_ROW((r->who & (r->who - 1)) == 0 && r->who, r->id);
		EXPECT_ROW((r->all_who & r->who) && !(r->all_who & ~everybody), r->id);
		EXPECT_ROW(r->alias, r->id);
	}
}

TEST(names)
{
	static const enum who whos[] = { WHO_USER, WHO_ADMIN, WHO_PROVIDER, WHO_OPERATOR, WHO_NOBODY };
	static const char *const names[] = { "user", "admin", "provider", "operator", "nobody" };

	for (size_t i = 0; i < COUNT(whos); i++)
		EXPECT_TEXT(who_name(whos[i]), names[i]);
	EXPECT_TEXT(who_name((enum who)(WHO_USER | WHO_ADMIN)), "");
	EXPECT_TEXT(certainty_name(CERTAINTY_NONE), "");
	EXPECT_TEXT(certainty_name(POSSIBLE), "possible");
	EXPECT_TEXT(certainty_name(LIKELY), "likely");
	EXPECT_TEXT(certainty_name(PROVEN), "proven");
}
