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

/* Ten thousand grants end within one minute; each asks at one of its polls, of which there is one a minute, between ten and five minutes
 * before. None is late, and no second has more than the pace. */
TEST(ten_thousand_grants_that_end_in_one_minute)
{
	static int  in_second[20 * 60];
	struct pace p = { .a_second = 50 };
	int64_t     asks[MANY];
	int         most = 0;

	memset(in_second, 0, sizeof in_second);
	for (int i = 0; i < MANY; i++) {
		int64_t ends = 15 * 60000 + (int64_t)i * 60000 / MANY, ahead = 300000 + (int64_t)(i * 7919 % MANY) * 300000 / MANY;
		int64_t due = ends - ahead, poll = (int64_t)(i * 104729 % 60000);

		asks[i] = due + (poll - due % 60000 + 60000) % 60000;
		EXPECT(asks[i] >= due && asks[i] < ends - 200000);
	}
	for (int64_t now = 0; now < 20 * 60000; now += 10)
		for (int i = 0; i < MANY; i++)
			if (asks[i] >= now && asks[i] < now + 10) {
				int64_t turn = now + pace_turn(&p, now), ends = 15 * 60000 + (int64_t)i * 60000 / MANY;

				EXPECT(turn < ends - 60000);
				in_second[turn / 1000]++;
			}
	for (size_t s = 0; s < COUNT(in_second); s++)
		most = in_second[s] > most ? in_second[s] : most;
	EXPECT(most <= 51 && most > 20);
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
