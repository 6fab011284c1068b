#include "watch/turnstile.h"

#include "test.h"

#define MANY 100

static int passed;      /* answers so far */

static void answered(struct errand *e)
{
	(void)e;
	passed++;
}

static void ask(struct passage *p, struct turnstile *t, const char *host, int64_t now_ms)
{
	struct errand *e = passage_ask(p, t, host, now_ms);

	e->answered = answered;
	e->begin(e);
}

static const struct turnstile_limits limits = { .in_all = 10, .by_host = 4, .down_after = 2, .first_ms = 1000, .longest_ms = 8000 };

static int open_count(const struct passage *p, size_t count)
{
	int n = 0;

	for (size_t i = 0; i < count; i++)
		n += p[i].state == PASSAGE_OPEN;
	return n;
}

static void give_up_all(struct passage *p, size_t count)
{
	for (size_t i = 0; i < count; i++)
		passage_give_up(&p[i]);
}

TEST(no_more_than_the_limit_of_a_host)
{
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[MANY] = { 0 };

	passed = 0;
	for (size_t i = 0; i < MANY; i++)
		ask(&p[i], t, "imap.birch.example:993", 0);
	EXPECT(passed == 4 && open_count(p, MANY) == 4);
	passage_leave(&p[0], true, 10);
	EXPECT(passed == 5 && p[4].state == PASSAGE_OPEN);
	EXPECT(turnstile_counts(t).most_passing == 4 && turnstile_counts(t).waiting == MANY - 5);
	give_up_all(p, MANY);
	EXPECT(turnstile_counts(t).waiting == 0 && turnstile_counts(t).passing == 0);
	turnstile_free(t);
}

TEST(no_more_than_the_limit_in_all_and_every_host_has_its_turn)
{
	static const char *const hosts[] = { "a:993", "b:993", "c:993", "d:993" };
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[MANY] = { 0 };
	bool              came[COUNT(hosts)] = { false };

	passed = 0;
	for (size_t i = 0; i < MANY; i++)
		ask(&p[i], t, hosts[i % COUNT(hosts)], 0);
	EXPECT(passed == 10);
	for (int round = 0; passed < MANY; round++) {
		EXPECT(round < MANY);
		for (size_t i = 0; i < MANY; i++)
			if (p[i].state == PASSAGE_OPEN) {
				came[i % COUNT(hosts)] = true;
				EXPECT(open_count(p, MANY) <= 10);
				passage_leave(&p[i], true, round);
			}
	}
	for (size_t i = 0; i < COUNT(hosts); i++)
		EXPECT(came[i]);
	give_up_all(p, MANY);
	turnstile_free(t);
}

TEST(a_host_that_is_down_is_tried_by_one_ever_more_seldom)
{
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[MANY] = { 0 };
	int64_t           now = 0, before = 0;
	int               tries = 0, pauses[6];

	passed = 0;
	for (size_t i = 0; i < MANY; i++)
		ask(&p[i], t, "a:993", 0);
	/* one more passes before it is known to be down, and fails too; nobody else does until its time has come */
	for (size_t i = 0; i < 5; i++)
		passage_leave(&p[i], false, 0);
	EXPECT(turnstile_down_until(t, "a:993") > 0);
	for (int known = passed; tries < 6; now += 50) {
		turnstile_turn(t, now);
		if (passed == known)
			continue;
		EXPECT(passed == known + 1);
		known = passed;
		pauses[tries++] = (int)(now - before);
		before = now;
		for (size_t i = 0; i < MANY; i++)
			if (p[i].state == PASSAGE_OPEN)
				passage_leave(&p[i], false, now);
	}
	EXPECT(pauses[2] > pauses[0]);
	for (int i = 1; i < 6; i++)
		EXPECT(pauses[i] <= limits.longest_ms * 5 / 4 + 50);
	give_up_all(p, MANY);
	turnstile_free(t);
}

TEST(when_it_is_back_all_follow_at_once)
{
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[MANY] = { 0 };
	int64_t           now = 0;

	passed = 0;
	for (size_t i = 0; i < 10; i++)
		ask(&p[i], t, "a:993", 0);
	passage_leave(&p[0], false, 0);
	for (size_t i = 1; i < 5; i++)
		passage_leave(&p[i], false, 0);
	while (open_count(p, 10) == 0)
		turnstile_turn(t, now += 100);
	EXPECT(open_count(p, 10) == 1);
	for (size_t i = 0; i < 10; i++)
		if (p[i].state == PASSAGE_OPEN) {
			passage_leave(&p[i], true, now);
			break;
		}
	EXPECT(open_count(p, 10) == 4);
	EXPECT(turnstile_down_until(t, "a:993") == 0);
	give_up_all(p, 10);
	turnstile_free(t);
}

TEST(one_failure_is_no_outage)
{
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[2] = { 0 };

	ask(&p[0], t, "a:993", 0);
	passage_leave(&p[0], false, 0);
	EXPECT(turnstile_down_until(t, "a:993") == 0);
	ask(&p[1], t, "a:993", 0);
	EXPECT(p[1].state == PASSAGE_OPEN);
	give_up_all(p, 2);
	turnstile_free(t);
}

/* Those who began in the worst moment fail late, when the host is long back: that says nothing of it. */
TEST(stragglers_do_not_bring_a_host_down_again)
{
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[6] = { 0 };

	for (size_t i = 0; i < 6; i++)
		ask(&p[i], t, "a:993", 0);
	passage_leave(&p[0], true, 1000);
	EXPECT(p[4].state == PASSAGE_OPEN);
	for (size_t i = 1; i < 4; i++)
		passage_leave(&p[i], false, 10000);
	EXPECT(turnstile_down_until(t, "a:993") == 0);
	/* who began after that one got through is another matter */
	passage_leave(&p[4], false, 10000);
	passage_leave(&p[5], false, 10000);
	EXPECT(turnstile_down_until(t, "a:993") > 0);
	give_up_all(p, 6);
	turnstile_free(t);
}

TEST(one_that_gives_up_makes_room)
{
	struct turnstile *t = turnstile_new(&limits);
	struct passage    p[6] = { 0 };

	passed = 0;
	for (size_t i = 0; i < 6; i++)
		ask(&p[i], t, "a:993", 0);
	passage_give_up(&p[4]);            /* waits: is answered, and does not pass */
	EXPECT(passed == 5 && p[4].state == PASSAGE_NONE);
	passage_give_up(&p[0]);            /* passes */
	turnstile_turn(t, 0);
	EXPECT(p[5].state == PASSAGE_OPEN);
	give_up_all(p, 6);
	turnstile_free(t);
}

TEST(hosts_nobody_goes_to_are_forgotten)
{
	struct turnstile *t = turnstile_new(&limits);

	for (int i = 0; i < 5000; i++) {
		CLEANUP(arena) struct arena *work = arena_new();
		struct passage p = { 0 };

		ask(&p, t, arena_print(work, "host%d:993", i), 0);
		passage_leave(&p, true, 0);
	}
	EXPECT(turnstile_counts(t).passing == 0);
	turnstile_free(t);
}
