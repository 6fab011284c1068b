#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/outbox_parts.h"

#define REST_MOST_MS  60000                     /* clocks jump, and a ring may be missed: nobody rests longer without a look */
#define READY_TIMES   4                         /* as many are read as go out side by side, so often                         */
#define UNKEPT_MOST   512                       /* answers that wait for the store                                           */
#define IDLE_MS       30000                     /* how long we know a webhook that does well and has nothing to do           */
#define BLIND_MS      60000                     /* until a webhook is looked at again whose secret cannot be read            */
#define LOOK_SHARE    4                         /* a look is followed by a pause of so many times its length …               */
#define LOOK_PAUSE_MS 25                        /*   but no longer: it may have been the machine that was busy               */

/* -- webhooks --------------------------------------------------------------------------------------------------------- */

static size_t slot_of(const char *id)
{
	uint32_t hash = 2166136261u;      /* FNV-1a; ids are from our own dice */

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619u;
	return hash % HOOK_SLOTS;
}

static struct hook *hook_find(struct outbox *o, const char *id)
{
	struct hook *h;

	LIST_FOREACH(h, &o->slot[slot_of(id)], slot)
		if (strcmp(h->id, id) == 0)
			return h;
	return NULL;
}

static struct hook *hook_take_up(struct outbox *o, const char *id)
{
	struct hook *h = must_alloc(sizeof *h);

	snprintf(h->id, sizeof h->id, "%s", id);
	h->outbox = o;
	h->side = 1;
	TAILQ_INIT(&h->posts);
	LIST_INSERT_HEAD(&o->slot[slot_of(id)], h, slot);
	TAILQ_INSERT_TAIL(&o->hooks, h, turn);
	return h;
}

void hook_drop_ready(struct hook *h)
{
	h->more |= h->next < h->count;
	h->next = h->count = 0;
}

void hook_forget(struct hook *h)
{
	LIST_REMOVE(h, slot);
	TAILQ_REMOVE(&h->outbox->hooks, h, turn);
	arena_free(h->read);
	free(h->looked_up);
	free(h);
}

/* While it fails it is probed: one at a time, with rests. */
unsigned hook_room(const struct hook *h, int64_t now_ms)
{
	const struct outbox *o = h->outbox;
	unsigned             most = h->side, left = o->limits->posts - o->under_way;

	if (o->stopping || o->stuck || h->gone || o->unkept >= UNKEPT_MOST || now_ms < h->rests_until || h->under_way >= most)
		return 0;
	if (h->failures && o->failing_under_way >= o->limits->posts_failing)
		return 0;
	return most - h->under_way < left ? most - h->under_way : left;
}

static bool is_busy(const struct hook *h, const char *account)
{
	const struct post *p;

	TAILQ_FOREACH(p, &h->posts, of_hook)
		if (strcmp(account_of(&p->delivery), account) == 0)
			return true;
	return false;
}

static size_t posts_of(const struct hook *h)
{
	const struct post *p;
	size_t             n = 0;

	TAILQ_FOREACH(p, &h->posts, of_hook)
		n++;
	return n;
}

/* -- looking at the store --------------------------------------------------------------------------------------------- */

struct look {
	struct outbox         *outbox;
	struct arena          *work;
	int64_t                now_ms, now_unix;
	struct webhook_waits  *waits;
	size_t                 count;
	int64_t                next_ms;        /* when the next look is due */
};

static void look_again_at(struct look *l, int64_t ms)
{
	if (ms < l->next_ms)
		l->next_ms = ms;
}

/* Somebody has enabled it again, or changed where it leads: it begins afresh. */
static void begin_afresh(struct hook *h)
{
	h->failures = 0;
	h->rests_until = 0;
}

static void take_over(struct hook *h, const struct webhook *w)
{
	if (h->failing_since && !w->failing_since && TAILQ_EMPTY(&h->posts))
		begin_afresh(h);
	/* it failed when we were started: the first one is a probe */
	if (w->failing_since && !h->failing_since && h->failures == 0 && TAILQ_EMPTY(&h->posts))
		h->failures = 1;
	h->last_ok = w->last_ok;
	h->failing_since = w->failing_since;
	h->url = w->url;
}

/* Now, as it was read: what is under way at this moment may be kept by the time its turn comes, and would go out once more. */
static void leave_out_the_busy(struct hook *h)
{
	size_t left = 0;

	for (size_t i = 0; i < h->count; i++)
		if (!is_busy(h, account_of(&h->ready[i])))
			h->ready[left++] = h->ready[i];
	h->count = left;
}

static bool read_hook(struct txn *t, struct look *l, struct hook *h, size_t wanted, struct error *err)
{
	struct webhook w;
	size_t         most = posts_of(h) + wanted;

	arena_free(h->read);
	h->read = arena_new();
	h->read_ms = l->now_ms;
	h->next = h->count = 0;
	h->more = false;
	if (!webhook_get(t, h->read, NULL, h->id, &w, err)
	    || !signing_read(t, h->outbox->daemon->vault, h->id, l->now_unix, h->read, &h->signing, err)
	    || !delivery_due(t, h->read, h->id, l->now_unix, most, &h->ready, &h->count, err)) {
		h->count = 0;
		return false;
	}
	h->more = h->count >= most;
	leave_out_the_busy(h);
	take_over(h, &w);
	return true;
}

/* One that cannot be read keeps no other from going out. */
static void look_at(struct txn *t, struct look *l, struct hook *h)
{
	unsigned     room = hook_room(h, l->now_ms);
	struct error err = { 0 };

	if (h->rests_until > l->now_ms)
		look_again_at(l, h->rests_until);
	h->more = true;
	if (room == 0 || (h->next < h->count && l->now_ms - h->read_ms < READY_MS))
		return;
	if (read_hook(t, l, h, (size_t)room * READY_TIMES, &err))
		return;
	h->rests_until = l->now_ms + BLIND_MS;
	look_again_at(l, h->rests_until);
	LOG(LOG_FAILURE, "webhook.unreadable", LOG_TEXT("webhook", h->id), LOG_TEXT("why", err.text));
}

static bool look_at_all(struct txn *t, void *self, struct error *err)
{
	struct look   *l = self;
	struct outbox *o = l->outbox;

	if (!delivery_waiting(t, l->work, &l->waits, &l->count, err))
		return false;
	for (size_t i = 0; i < l->count; i++) {
		struct hook *h = hook_find(o, l->waits[i].webhook);

		if (!h)
			h = hook_take_up(o, l->waits[i].webhook);
		h->seen_ms = l->now_ms;
		h->more = false;
		if (l->waits[i].due <= l->now_unix)
			look_at(t, l, h);
		else
			look_again_at(l, l->now_ms + (l->waits[i].due - l->now_unix));
	}
	return true;
}

/* Those for which nothing waits. A failing one at once: disabled and enabled again, it begins afresh. */
static void forget_the_idle(struct look *l)
{
	struct hook *h, *next;

	for (h = TAILQ_FIRST(&l->outbox->hooks); h; h = next) {
		next = TAILQ_NEXT(h, turn);
		h->more &= h->seen_ms == l->now_ms;
		if (h->seen_ms != l->now_ms && TAILQ_EMPTY(&h->posts) && (h->failures || l->now_ms - h->seen_ms > IDLE_MS))
			hook_forget(h);
	}
}

void hooks_look(struct outbox *o, int64_t now_ms)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct look  l = { .outbox = o, .work = work, .now_ms = now_ms, .now_unix = clock_unix_ms(), .next_ms = now_ms + REST_MOST_MS };
	struct error err = { 0 };
	int64_t      pause;

	o->look = false;
	if (store_read(o->daemon->store, look_at_all, &l, &err)) {
		forget_the_idle(&l);
	} else {
		LOG(LOG_FAILURE, "outbox.unreadable", LOG_TEXT("why", err.text));
		look_again_at(&l, now_ms + o->limits->keep_again_ms);
	}
	pause = LOOK_SHARE * (clock_mono_ms() - now_ms);
	o->look_from = clock_mono_ms() + (pause < LOOK_PAUSE_MS ? pause : LOOK_PAUSE_MS);
	o->look_due = l.next_ms;
}

/* -- how it does ------------------------------------------------------------------------------------------------------ */

void hook_went_well(struct hook *h)
{
	h->failures = 0;
	h->rests_until = 0;
	if (h->side < h->outbox->limits->posts_webhook)
		h->side++;
}

void hook_went_wrong(struct hook *h, const struct post *p, int64_t now_ms)
{
	const struct outbox_limits *l = h->outbox->limits;
	int64_t                     rest = l->rest_ms;

	h->side = 1;
	h->failures++;
	h->gone |= p->status == STATUS_GONE;
	hook_drop_ready(h);
	if (p->status == 0) {
		h->first++;
		h->looked_up_ms = INT64_MIN / 2;      /* looked up anew, and another address first */
	}
	for (unsigned i = l->failures; i < h->failures && rest < l->rest_most_ms; i++)
		rest *= 2;
	rest = rest < l->rest_most_ms ? rest : l->rest_most_ms;
	if (h->failures >= l->failures)
		h->rests_until = now_ms + rest;
	if (p->not_before_ms > h->rests_until - now_ms)
		h->rests_until = now_ms + p->not_before_ms;
}
