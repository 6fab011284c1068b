#include "serve/timekeeper.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/outbox.h"
#include "serve/signed_link.h"
#include "store/links.h"

#define LOOK_MS  500      /* so long may what had expired be valid again */
#define AGAIN_MS 1000     /* when the store could not keep it            */

enum { KEEPING, KEEPING_RESTED, KEEPING_KEPT, KEEPING_AGAIN };

struct timekeeper {
	struct task        task;
	int                step;
	struct daemon     *daemon;
	int64_t            apart;          /* of the two clocks              */
	int64_t            was, now;       /* Unix ms, when it was set back  */
	struct errand      errand;
	struct store_write write;
};

static bool apply(struct txn *t, void *self, struct error *err)
{
	struct timekeeper *k = self;

	return link_expire(t, k->was, k->now, err);
}

static void answered(struct store_write *w)
{
	struct timekeeper *k = w->self;

	errand_done(&k->errand);
}

static void begin(struct errand *e)
{
	struct timekeeper *k = (struct timekeeper *)((char *)e - offsetof(struct timekeeper, errand));

	store_write(k->daemon->store, &k->write);
}

/* Signed links are kept nowhere: they are compared with what the clock had shown. Not when it had been wrong by more than they last, or
 * none would open any more. */
static void end_signed_links(struct timekeeper *k)
{
	if (k->was - k->now < SIGNED_LINK_MS && k->was > k->daemon->was_ms)
		k->daemon->was_ms = k->was;
}

/* True when it was set back. */
static bool look(struct timekeeper *k, int64_t mono_ms)
{
	int64_t now = clock_unix_ms(), by = clock_set_by(&k->apart, now, mono_ms);

	if (!by)
		return false;
	LOG(LOG_CAUTION, "clock.set", LOG_NUMBER("by_ms", by));
	if (by > 0)
		return false;
	/* two steps back before the first is kept: the later of what was */
	k->was = k->was > now - by ? k->was : now - by;
	k->now = now;
	end_signed_links(k);
	outbox_clock_set_back(k->daemon->outbox);
	return true;
}

static enum want_kind keep_time(void *self, struct want *w, struct error *err)
{
	struct timekeeper *k = self;

	(void)err;
	switch (k->step) {
	case KEEPING:
		while (!w->stopping) {
			if (!look(k, clock_mono_ms())) {
				AWAIT(k, KEEPING_RESTED, want_time(w, LOOK_MS)):
				want_came(w);
				continue;
			}
			for (;;) {
				AWAIT(k, KEEPING_KEPT, want_commit(w, &k->errand)):
				want_came(w);
				if (k->write.ok || w->stopping)
					break;
				AWAIT(k, KEEPING_AGAIN, want_time(w, AGAIN_MS)):
				want_came(w);
				look(k, clock_mono_ms());
			}
			k->was = 0;
		}
	}
	return WANT_NOTHING;
}

struct timekeeper *timekeeper_start(struct net *net, struct daemon *d)
{
	struct timekeeper *k = must_alloc(sizeof *k);

	k->daemon = d;
	k->errand.begin = begin;
	k->write = (struct store_write){ .apply = apply, .done = answered, .self = k };
	k->task = (struct task){ .step = keep_time, .self = k };
	net_start(net, &k->task, NULL);
	return k;
}

void timekeeper_free(struct timekeeper *k)
{
	free(k);
}
