#include "watch/pace.h"

#include <pthread.h>

#include "test.h"

TEST(the_first_do_not_wait_and_nobody_is_early)
{
	struct pace p = { .a_second = 50 };

	EXPECT(pace_turn(&p, 1000) == 0);
	EXPECT(pace_turn(&p, 1000) == 20 && pace_turn(&p, 1010) == 30);
	/* what nobody used is not made up for */
	EXPECT(pace_turn(&p, 9000) == 0 && pace_turn(&p, 9000) == 20);
}

#define MANY 10000

#define PACE 50                             /* serve/keeper.c */
#define AHEAD_MS 300000                     /* serve/kept_grant.c, as are the dice and the pause between two polls */

static int most_in_a_second(const int *in_second, size_t seconds)
{
	int most = 0;

	for (size_t s = 0; s < seconds; s++)
		most = in_second[s] > most ? in_second[s] : most;
	return most;
}

/* Ten thousand grants end within one minute; each is asked for at one of its polls, between ten and five minutes before. However seldom
 * it is polled: none is late, and no second has more than the pace. */
static void let_them_end(int64_t poll_ms, int least_in_the_fullest)
{
	enum { SECONDS = 100 * 60 };
	static int     in_second[SECONDS];
	static int64_t asks[MANY], ends[MANY];
	struct pace    p = { .a_second = PACE };
	int64_t        pause_ms = poll_ms * 9 / 8;

	memset(in_second, 0, sizeof in_second);
	for (int i = 0; i < MANY; i++) {
		int64_t ahead = AHEAD_MS + (int64_t)(i * 7919 % MANY) * AHEAD_MS / MANY + pause_ms, due, poll = (int64_t)i * 104729 % pause_ms;

		ends[i] = 90 * 60000 + (int64_t)i * 60000 / MANY;
		due = ends[i] - ahead;
		asks[i] = due + ((poll - due) % pause_ms + pause_ms) % pause_ms;
		EXPECT(asks[i] >= due && asks[i] <= ends[i] - AHEAD_MS);
	}
	for (int64_t now = 0; now < SECONDS * 1000; now += 100)
		for (int i = 0; i < MANY; i++)
			if (asks[i] >= now && asks[i] < now + 100) {
				int64_t turn = asks[i] + pace_turn(&p, asks[i]);

				EXPECT(turn < ends[i] - 60000);
				in_second[turn / 1000]++;
			}
	EXPECT(most_in_a_second(in_second, SECONDS) <= PACE + 1 && most_in_a_second(in_second, SECONDS) >= least_in_the_fullest);
}

TEST(ten_thousand_grants_that_end_in_one_minute)
{
	let_them_end(60000, 20);
}

TEST(the_same_where_mailboxes_are_seldom_polled)
{
	let_them_end(1200000, 5);
	let_them_end(3600000, 2);
}

/* A daemon that comes back when all of them have five minutes left: they are asked for at once, and the last turn is in time. */
TEST(ten_thousand_grants_that_are_due_at_once)
{
	static int  in_second[AHEAD_MS / 1000];
	struct pace p = { .a_second = PACE };

	memset(in_second, 0, sizeof in_second);
	for (int i = 0; i < MANY; i++) {
		int turn = pace_turn(&p, 0);

		EXPECT(turn < AHEAD_MS - 60000);
		in_second[turn / 1000]++;
	}
	EXPECT(most_in_a_second(in_second, COUNT(in_second)) == PACE);
}

#define THREADS 4
#define TURNS   1000

static void *take_turns(void *pace)
{
	for (int i = 0; i < TURNS; i++)
		pace_turn(pace, 0);
	return NULL;
}

/* From any thread: as many turns are given as were taken. */
TEST(turns_from_several_threads)
{
	struct pace p = { .a_second = 1000 };
	pthread_t   thread[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, take_turns, &p);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	EXPECT(pace_turn(&p, 0) == THREADS * TURNS);
}
