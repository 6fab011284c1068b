#include "serve/watchdog.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "store/scratch.h"

TEST(who_wants_to_hear)
{
	static const struct { const char *usec, *pid; int ms; } rows[] = {
		{ NULL, NULL, 0 }, { "30000000", NULL, 30000 }, { "30000000", "ours", 30000 }, { "30000000", "1", 0 }, { "", NULL, 0 },
		{ "0", NULL, 0 }, { "soon", NULL, 0 }, { "99999999999999999999", NULL, 0 }, { "30000000", "", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char mine[20];

		snprintf(mine, sizeof mine, "%ld", (long)getpid());
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", strcmp(rows[i].pid, "ours") == 0 ? mine : rows[i].pid, 1);
		if (watchdog_wanted_ms() != rows[i].ms)
			test_fail(__FILE__, __LINE__, "row %zu: %d ms", i, watchdog_wanted_ms());
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* -- a loop and a store that can be made to hang ------------------------------------------------------------------ */

static void *turn(void *net)
{
	net_serve(net);
	return NULL;
}

struct jam {
	struct net_post    post;
	struct store_write write;
	sem_t              begun, over;
};

static void jam(struct jam *j)
{
	sem_post(&j->begun);
	sem_wait(&j->over);
}

static void jam_loop(struct net_post *p)
{
	jam((struct jam *)p);
}

static bool jam_writer(struct txn *t, void *self, struct error *err)
{
	(void)t;
	(void)err;
	jam(self);
	return true;
}

static void jam_over(struct store_write *w)
{
	(void)w;
}

/* Everything answers within the time that a slow machine needs; a round is asked again only when the one before was answered. */
static bool well_soon(struct watchdog *w)
{
	for (int64_t until = clock_mono_ms() + 20000; clock_mono_ms() < until; usleep(2000))
		if (watchdog_round(w))
			return true;
	return false;
}

TEST(what_hangs_is_noticed_and_what_recovers_as_well)
{
	struct scratch   s;
	struct store    *store;
	struct net      *net[2];
	struct watchdog *w;
	struct jam       j;
	pthread_t        thread[2];

	scratch_begin(&s);
	EXPECT((store = store_open(s.url, &s.err)));
	for (size_t i = 0; i < 2; i++) {
		EXPECT((net[i] = net_new(&(struct net_settings){ 0 }, &s.err)));
		EXPECT(pthread_create(&thread[i], NULL, turn, net[i]) == 0);
	}
	w = watchdog_new(store, net, 2);
	EXPECT(watchdog_round(w) && well_soon(w));
	for (int where = 0; where < 2; where++) {
		j = (struct jam){ .post.run = jam_loop, .write = { .apply = jam_writer, .done = jam_over, .self = &j } };
		sem_init(&j.begun, 0, 0);
		sem_init(&j.over, 0, 0);
		EXPECT(well_soon(w));
		if (where == 0)
			net_post(net[1], &j.post);
		else
			store_write(store, &j.write);
		sem_wait(&j.begun);
		watchdog_round(w);      /* may still tell of the round before */
		for (int i = 0; i < 20; i++) {
			EXPECT(!watchdog_round(w));
			usleep(1000);
		}
		sem_post(&j.over);
		EXPECT(well_soon(w));
	}
	for (size_t i = 0; i < 2; i++) {
		net_stop(net[i]);
		pthread_join(thread[i], NULL);
		net_free(net[i]);
	}
	store_close(store);
	watchdog_free(w);
	scratch_end(&s);
}
