#include "serve/watchdog.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct loop_question {
	struct net_post post;
	struct net     *net;
	atomic_bool     answered;
};

struct store_question {
	struct store_write write;
	atomic_bool        answered;
};

struct watchdog {
	struct store         *store;
	struct store_question writer;
	struct loop_question  loop[WATCHDOG_LOOPS];
	size_t                loops;
};

int watchdog_wanted_ms(void)
{
	const char        *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long n;

	if (pid && (!slice_number(slice_str(pid), 1u << 30, &n) || (pid_t)n != getpid()))
		return 0;
	return usec && slice_number(slice_str(usec), (unsigned long long)INT_MAX * 1000, &n) ? (int)(n / 1000) : 0;
}

static void loop_answers(struct net_post *p)
{
	atomic_store(&((struct loop_question *)p)->answered, true);
}

static bool nothing(struct txn *t, void *self, struct error *err)
{
	(void)t;
	(void)self;
	(void)err;
	return true;
}

static void writer_answers(struct store_write *w)
{
	atomic_store(&((struct store_question *)w)->answered, true);
}

struct watchdog *watchdog_new(struct store *store, struct net *const *loop, size_t loops)
{
	struct watchdog *w = must_alloc(sizeof *w);

	w->store = store;
	w->writer.write = (struct store_write){ .apply = nothing, .done = writer_answers };
	w->writer.answered = true;
	for (; w->loops < loops && w->loops < WATCHDOG_LOOPS; w->loops++) {
		w->loop[w->loops].post.run = loop_answers;
		w->loop[w->loops].net = loop[w->loops];
		w->loop[w->loops].answered = true;
	}
	return w;
}

static bool is_answered(atomic_bool *answered, bool *all)
{
	if (atomic_exchange(answered, false))
		return true;
	*all = false;
	return false;
}

bool watchdog_round(struct watchdog *w)
{
	bool all = true;

	if (is_answered(&w->writer.answered, &all))
		store_write(w->store, &w->writer.write);
	for (size_t i = 0; i < w->loops; i++)
		if (is_answered(&w->loop[i].answered, &all))
			net_post(w->loop[i].net, &w->loop[i].post);
	return all;
}

void watchdog_free(struct watchdog *w)
{
	free(w);
}
