#include "serve/tally.h"

#include "test.h"

static struct slice name(struct arena *job, int n)
{
	return slice_str(arena_print(job, "peer %d", n));
}

TEST(counts_within_the_minute_that_began_with_the_first)
{
	CLEANUP(tally) struct tally *t = tally_new(100);

	EXPECT(tally_count(t, slice_str("a"), 0) == 0);
	EXPECT(tally_add(t, slice_str("a"), 1000) == 1);
	EXPECT(tally_add(t, slice_str("a"), 30000) == 2);
	EXPECT(tally_add(t, slice_str("b"), 30000) == 1);
	EXPECT(tally_count(t, slice_str("a"), 1000 + TALLY_MS - 1) == 2);
	EXPECT(tally_count(t, slice_str("a"), 1000 + TALLY_MS) == 0);
	EXPECT(tally_count(t, slice_str("b"), 1000 + TALLY_MS) == 1);
	EXPECT(tally_add(t, slice_str("a"), 1000 + TALLY_MS) == 1);
}

/* Those who are counted often stay in the table longest as long as there is room for all. */
TEST(as_many_as_were_asked_for_are_hardly_ever_mixed_up)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(tally) struct tally *t = tally_new(1000);
	int lost = 0;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 250; i++)
			tally_add(t, name(job, i), round);
	for (int i = 0; i < 250; i++)
		lost += tally_count(t, name(job, i), 2) != 2;
	EXPECT(lost < 25);
}

TEST(a_flood_of_names_takes_the_oldest_places_and_no_memory)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(tally) struct tally *t = tally_new(16);

	for (int i = 0; i < 10000; i++) {
		EXPECT(tally_add(t, name(job, i), i) == 1);
		EXPECT(tally_count(t, name(job, i), i) == 1);
	}
	EXPECT(tally_count(t, name(job, 0), 10000) == 0);
}
