#include "store/our_addresses.h"

#include "store/scratch.h"

#define DAY (24 * 3600 * (int64_t)1000)

static void learn(struct scratch *s, const char *address, const char *host, int64_t now)
{
	EXPECT(our_address_learn(&s->txn, &(struct our_address){ .address = address, .how = "ehlo", .host = host, .last_seen = now }, &s->err));
}

/* "8.8.4.4 a+b, 9.9.9.9 a" */
static const char *known(struct scratch *s, int64_t now)
{
	struct our_address *all;
	const char         *text = "";
	size_t              count;

	EXPECT(our_address_list(&s->txn, s->arena, now, &all, &count, &s->err));
	for (size_t i = 0; i < count; i++)
		text = arena_print(s->arena, "%s%s%s %s%s%s", text, i ? ", " : "", all[i].address, all[i].host, all[i].other_host ? "+" : "",
		                   all[i].other_host ? all[i].other_host : "");
	return text;
}

TEST(an_address_is_confirmed_by_another_host)
{
	struct scratch      s;
	struct our_address *all;
	size_t              count;

	scratch_rows(&s);
	EXPECT_TEXT(known(&s, 1), "");
	learn(&s, "9.9.9.9", "a", 5);
	learn(&s, "8.8.4.4", "a", 10);
	learn(&s, "8.8.4.4", "a", 20);
	EXPECT_TEXT(known(&s, 20), "9.9.9.9 a, 8.8.4.4 a");
	learn(&s, "8.8.4.4", "b", 30);
	learn(&s, "8.8.4.4", "c", 25);
	EXPECT_TEXT(known(&s, 30), "8.8.4.4 a+b, 9.9.9.9 a");
	EXPECT(our_address_list(&s.txn, s.arena, 30, &all, &count, &s.err) && all[0].first_seen == 10 && all[0].last_seen == 30);
	EXPECT_TEXT(all[0].how, "ehlo");
	scratch_end(&s);
}

TEST(what_nobody_tells_any_more_is_forgotten)
{
	struct scratch s;

	scratch_rows(&s);
	learn(&s, "8.8.4.4", "a", DAY);
	learn(&s, "9.9.9.9", "a", 5 * DAY);
	EXPECT_TEXT(known(&s, 31 * DAY), "8.8.4.4 a, 9.9.9.9 a");
	EXPECT_TEXT(known(&s, 31 * DAY + 1), "9.9.9.9 a");
	/* and told anew it begins anew */
	learn(&s, "8.8.4.4", "b", 32 * DAY);
	EXPECT_TEXT(known(&s, 32 * DAY), "9.9.9.9 a, 8.8.4.4 b");
	scratch_end(&s);
}

TEST(who_tells_another_one_each_time_drives_out_his_own)
{
	struct scratch s;

	scratch_rows(&s);
	learn(&s, "8.8.4.4", "a", 1);
	for (int i = 1; i <= 50; i++)
		learn(&s, arena_print(s.arena, "9.9.9.%d", i), "liar", i);
	EXPECT_TEXT(known(&s, 50), "8.8.4.4 a, 9.9.9.47 liar, 9.9.9.48 liar, 9.9.9.49 liar, 9.9.9.50 liar");
	scratch_end(&s);
}

TEST(there_are_never_more_than_a_few)
{
	struct scratch      s;
	struct our_address *all;
	size_t              count;

	scratch_rows(&s);
	learn(&s, "8.8.4.4", "a", 1);
	learn(&s, "8.8.4.4", "b", 1);
	for (int i = 1; i <= 100; i++)
		learn(&s, arena_print(s.arena, "9.9.9.%d", i), arena_print(s.arena, "liar-%d", i), 1 + i);
	EXPECT(our_address_list(&s.txn, s.arena, 200, &all, &count, &s.err) && count == OUR_ADDRESSES_MOST);
	/* what two hosts tell stays, though it was told before all others */
	EXPECT_TEXT(all[0].address, "8.8.4.4");
	EXPECT_TEXT(all[count - 1].address, "9.9.9.100");
	for (int i = 1; i <= 100; i++)
		for (int host = 0; host < 2; host++)
			learn(&s, arena_print(s.arena, "9.9.8.%d", i), host ? "b" : "a", 300 + i);
	EXPECT(our_address_list(&s.txn, s.arena, 500, &all, &count, &s.err) && count == OUR_ADDRESSES_MOST);
	EXPECT_TEXT(all[count - 1].address, "9.9.8.100");
	scratch_end(&s);
}
