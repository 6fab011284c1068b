#include "watch/turnstile.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/random.h"

#define SLOTS 1024      /* of the table of hosts */

const struct turnstile_limits turnstile_usual = {
	.in_all = 200, .by_host = 50, .down_after = 2, .first_ms = 1000, .longest_ms = 5 * 60 * 1000,
};

struct turnstile_host {
	char     name[TURNSTILE_HOST];
	int      passing;
	int      unreached;          /* in a row */
	int64_t  next_ms;            /* when it is down: the next try */
	int64_t  reached_ms;         /* when it took part last        */
	TAILQ_HEAD(, passage) waiting;
	TAILQ_ENTRY(turnstile_host) all;
	SLIST_ENTRY(turnstile_host) slot;
};

struct turnstile {
	struct turnstile_limits limits;
	int                     passing, waiting, most_passing;
	TAILQ_HEAD(turnstile_hosts, turnstile_host) hosts;      /* who waits longest for its turn stands first */
	SLIST_HEAD(turnstile_slot, turnstile_host) slot[SLOTS];
};

struct turnstile *turnstile_new(const struct turnstile_limits *limits)
{
	struct turnstile *t = must_alloc(sizeof *t);

	t->limits = *limits;
	TAILQ_INIT(&t->hosts);
	return t;
}

void turnstile_free(struct turnstile *t)
{
	struct turnstile_host *h;

	if (!t)
		return;
	while ((h = TAILQ_FIRST(&t->hosts))) {
		assert(TAILQ_EMPTY(&h->waiting) && h->passing == 0);
		TAILQ_REMOVE(&t->hosts, h, all);
		free(h);
	}
	free(t);
}

/* -- hosts -------------------------------------------------------------------------------------------------------- */

static size_t slot_of(const char *name)
{
	uint32_t hash = 2166136261u;      /* FNV-1a: names come from our own users, and a slow slot hurts them alone */

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash % SLOTS;
}

static struct turnstile_host *find_host(const struct turnstile *t, const char *name)
{
	struct turnstile_host *h;

	SLIST_FOREACH(h, &t->slot[slot_of(name)], slot)
		if (strncmp(h->name, name, sizeof h->name - 1) == 0)
			return h;
	return NULL;
}

static struct turnstile_host *host_of(struct turnstile *t, const char *name)
{
	struct turnstile_host *h = find_host(t, name);

	if (h)
		return h;
	h = must_alloc(sizeof *h);
	memcpy(h->name, name, strnlen(name, sizeof h->name - 1));
	TAILQ_INIT(&h->waiting);
	TAILQ_INSERT_TAIL(&t->hosts, h, all);
	SLIST_INSERT_HEAD(&t->slot[slot_of(name)], h, slot);
	return h;
}

/* Nothing is to be remembered of a host that is well and that nobody goes to. */
static void forget_if_idle(struct turnstile *t, struct turnstile_host *h)
{
	if (h->passing || h->unreached || !TAILQ_EMPTY(&h->waiting))
		return;
	TAILQ_REMOVE(&t->hosts, h, all);
	SLIST_REMOVE(&t->slot[slot_of(h->name)], h, turnstile_host, slot);
	free(h);
}

static bool is_down(const struct turnstile *t, const struct turnstile_host *h)
{
	return h->unreached >= t->limits.down_after;
}

static int pause_of(const struct turnstile *t, const struct turnstile_host *h)
{
	int      doubled = h->unreached - t->limits.down_after, ms = t->limits.first_ms;
	uint32_t dice;

	while (doubled-- > 0 && ms < t->limits.longest_ms)
		ms *= 2;
	if (ms > t->limits.longest_ms)
		ms = t->limits.longest_ms;
	/* a quarter to either side, so that the hosts of one network do not fall into step */
	random_bytes(&dice, sizeof dice);
	return ms - ms / 4 + (int)(dice % (uint32_t)(ms / 2 + 1));
}

/* -- passing ------------------------------------------------------------------------------------------------------ */

static bool may_pass(const struct turnstile *t, const struct turnstile_host *h, int64_t now_ms)
{
	if (TAILQ_EMPTY(&h->waiting) || t->passing >= t->limits.in_all)
		return false;
	if (is_down(t, h))
		return h->passing == 0 && now_ms >= h->next_ms;
	return h->passing < t->limits.by_host;
}

static void let_pass(struct turnstile *t, struct turnstile_host *h, int64_t now_ms)
{
	struct passage *p = TAILQ_FIRST(&h->waiting);

	TAILQ_REMOVE(&h->waiting, p, waiting);
	p->state = PASSAGE_OPEN;
	p->opened_ms = now_ms;
	h->passing++;
	t->waiting--;
	if (++t->passing > t->most_passing)
		t->most_passing = t->passing;
	errand_done(&p->errand);
}

void turnstile_turn(struct turnstile *t, int64_t now_ms)
{
	struct turnstile_host *last = TAILQ_LAST(&t->hosts, turnstile_hosts), *h, *next;

	if (t->waiting == 0)
		return;
	for (h = TAILQ_FIRST(&t->hosts); h; h = h == last ? NULL : next) {
		next = TAILQ_NEXT(h, all);
		if (!may_pass(t, h, now_ms))
			continue;
		while (may_pass(t, h, now_ms))
			let_pass(t, h, now_ms);
		TAILQ_REMOVE(&t->hosts, h, all);
		TAILQ_INSERT_TAIL(&t->hosts, h, all);
	}
}

/* errand->begin: from here on somebody listens to the answer. */
static void join(struct errand *e)
{
	struct passage *p = (struct passage *)e;

	TAILQ_INSERT_TAIL(&p->host->waiting, p, waiting);
	p->state = PASSAGE_WAITS;
	p->turnstile->waiting++;
	turnstile_turn(p->turnstile, p->asked_ms);
}

struct errand *passage_ask(struct passage *p, struct turnstile *t, const char *host, int64_t now_ms)
{
	assert(p->state == PASSAGE_NONE);
	*p = (struct passage){ .errand.begin = join, .turnstile = t, .host = host_of(t, host), .asked_ms = now_ms };
	return &p->errand;
}

/* It is no longer passing. */
static void leave(struct passage *p)
{
	p->state = PASSAGE_NONE;
	p->turnstile->passing--;
	p->host->passing--;
}

/* Does its failure say anything of the host as it is now? Not that of one who was on its way when the host was found down, nor of one
 * that began before somebody else got through. */
static bool is_news(const struct turnstile *t, const struct passage *p, int64_t now_ms)
{
	const struct turnstile_host *h = p->host;

	return p->opened_ms >= h->reached_ms && (!is_down(t, h) || now_ms >= h->next_ms);
}

static void count_unreached(const struct turnstile *t, struct turnstile_host *h, int64_t now_ms)
{
	h->unreached++;
	if (is_down(t, h))
		h->next_ms = now_ms + pause_of(t, h);
}

void passage_leave(struct passage *p, bool reached, int64_t now_ms)
{
	struct turnstile      *t = p->turnstile;
	struct turnstile_host *h = p->host;

	if (p->state != PASSAGE_OPEN)
		return;
	leave(p);
	if (reached) {
		h->unreached = 0;
		h->reached_ms = now_ms;
	} else if (is_news(t, p, now_ms)) {
		count_unreached(t, h, now_ms);
	}
	forget_if_idle(t, h);
	turnstile_turn(t, now_ms);
}

void passage_give_up(struct passage *p)
{
	if (p->state == PASSAGE_OPEN) {
		leave(p);
	} else if (p->state == PASSAGE_WAITS) {
		TAILQ_REMOVE(&p->host->waiting, p, waiting);
		p->turnstile->waiting--;
		p->state = PASSAGE_NONE;
		errand_done(&p->errand);
	} else {
		return;
	}
	forget_if_idle(p->turnstile, p->host);
}

/* -- how it is ---------------------------------------------------------------------------------------------------- */

int64_t turnstile_down_until(const struct turnstile *t, const char *host)
{
	const struct turnstile_host *h = find_host(t, host);

	return h && is_down(t, h) ? h->next_ms : 0;
}

struct turnstile_counts turnstile_counts(const struct turnstile *t)
{
	struct turnstile_counts       c = { .passing = t->passing, .waiting = t->waiting, .most_passing = t->most_passing };
	const struct turnstile_host *h;

	TAILQ_FOREACH(h, &t->hosts, all)
		c.down += is_down(t, h);
	return c;
}
