#include "serve/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "serve/outbox_parts.h"

#define REST_MOST_MS  60000                     /* clocks jump, and a ring may be missed: nobody rests longer without a look */
#define READY_MS      1000                      /* what was read may have changed meanwhile                                  */
#define READY_TIMES   4                         /* as many are read as go out side by side, so often                         */
#define UNKEPT_MOST   512                       /* answers that wait for the store                                           */
#define IDLE_MS       30000                     /* how long we know a webhook that does well and has nothing to do           */
#define BLIND_MS      60000                     /* until a webhook is looked at again whose secret cannot be read            */
#define LOOK_SHARE    4                         /* a look is followed by a pause of so many times its length …               */
#define LOOK_PAUSE_MS 25                        /*   but no longer: it may have been the machine that was busy               */

const struct outbox_limits outbox_usual = {
	.posts = 64, .posts_webhook = 8, .posts_failing = 32,
	.post_ms = 10000, .answer_most = 64 * 1024,
	/* Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h */
	.pause_ms = { 5000, 300000, 1800000, 7200000, 18000000, 36000000, 50400000, 72000000, 86400000 },
	.failures = 3, .rest_ms = 5000, .rest_most_ms = 60000,
	.disable_ms = 5 * 24 * 3600 * (int64_t)1000,
	.drain_ms = 3000, .keep_again_ms = 1000,
};

enum { SEND_START, SEND_WAITED, SEND_DRAINED };

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

static void hook_drop_ready(struct hook *h)
{
	h->more |= h->next < h->count;
	h->next = h->count = 0;
}

static void hook_forget(struct hook *h)
{
	LIST_REMOVE(h, slot);
	TAILQ_REMOVE(&h->outbox->hooks, h, turn);
	arena_free(h->read);
	free(h->looked_up);
	free(h);
}

/* How many more of its deliveries may go out at this moment. While it fails it is probed: one at a time, with rests. */
static unsigned room_of(const struct hook *h, int64_t now_ms)
{
	const struct outbox *o = h->outbox;
	unsigned             most = h->side, left = o->limits->posts - o->under_way;

	if (o->stopping || o->stuck || h->gone || o->unkept >= UNKEPT_MOST || now_ms < h->rests_until || h->under_way >= most)
		return 0;
	if (h->failures && o->failing_under_way >= o->limits->posts_failing)
		return 0;
	return most - h->under_way < left ? most - h->under_way : left;
}

static const char *account_of(const struct delivery *d)
{
	return d->event.account ? d->event.account : "";
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
	unsigned     room = room_of(h, l->now_ms);
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

static void look(struct outbox *o, int64_t now_ms)
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

void outbox_look(struct outbox *o)
{
	o->look = true;
	o->more.open = true;
}

/* -- sending ---------------------------------------------------------------------------------------------------------- */

static void leave(struct outbox *o)
{
	pthread_mutex_lock(&o->lock);
	if (--o->tasks == 0)
		pthread_cond_signal(&o->ended);
	pthread_mutex_unlock(&o->lock);
}

static void enter(struct outbox *o)
{
	pthread_mutex_lock(&o->lock);
	o->tasks++;
	pthread_mutex_unlock(&o->lock);
}

void outbox_post_free(struct post *p)
{
	TAILQ_REMOVE(&p->hook->posts, p, of_hook);
	/* all it has said is kept: it is disabled now, or has taken something after all */
	p->hook->gone &= !TAILQ_EMPTY(&p->hook->posts);
	post_release(p);
	arena_free(p->job);
	free(p);
}

static void went_well(struct hook *h)
{
	h->failures = 0;
	h->rests_until = 0;
	if (h->side < h->outbox->limits->posts_webhook)
		h->side++;
}

static void went_wrong(struct hook *h, const struct post *p, int64_t now_ms)
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

static void decide_next_try(struct post *p)
{
	uint16_t dice;
	int64_t  pause;

	random_bytes(&dice, sizeof dice);
	pause = post_pause_ms(p->outbox->limits, p->delivery.tries + 1, dice);
	p->given_up = pause < 0;
	if (p->given_up)
		pause = 0;
	p->next_try = p->ended + (pause > p->not_before_ms ? pause : p->not_before_ms);
}

static void count(struct outbox *o, const struct post *p)
{
	o->counts.sent += p->end == POST_TAKEN;
	o->counts.failed += p->end == POST_FAILED;
	o->counts.given_up += p->end == POST_FAILED && p->given_up;
	if (p->end == POST_TAKEN)
		LOG(LOG_DETAIL, "webhook.sent", LOG_TEXT("webhook", p->hook->id), LOG_TEXT("event", p->delivery.event.id), LOG_NUMBER("status", p->status),
		    LOG_NUMBER("ms", p->task.ms));
	else if (p->end == POST_FAILED)
		LOG(LOG_CAUTION, p->given_up ? "webhook.given_up" : "webhook.failed", LOG_TEXT("webhook", p->hook->id), LOG_TEXT("event", p->delivery.event.id),
		    LOG_NUMBER("status", p->status), LOG_NUMBER("tries", p->delivery.tries + 1), LOG_TEXT("why", p->note));
}

static void post_ended(struct task *t)
{
	struct post   *p = t->self;
	struct outbox *o = p->outbox;
	struct hook   *h = p->hook;
	int64_t        now_ms = clock_mono_ms();

	o->failing_under_way -= p->is_probe;
	o->under_way--;
	h->under_way--;
	o->counts.under_way = o->under_way;
	post_release(p);
	if (t->state != TASK_DONE || p->end == POST_CUT_OFF) {
		outbox_post_free(p);
	} else {
		if (p->end == POST_FAILED)
			decide_next_try(p);
		count(o, p);
		if (p->end == POST_TAKEN)
			went_well(h);
		else
			went_wrong(h, p, now_ms);
		STAILQ_INSERT_TAIL(&o->done, p, queued);
		o->unkept++;
	}
	o->more.open = o->answered.open = true;
	leave(o);
}

static void post_start(struct hook *h, const struct delivery *d)
{
	struct outbox *o = h->outbox;
	struct post   *p = must_alloc(sizeof *p);
	struct event  *e = &p->delivery.event;

	p->outbox = o;
	p->hook = h;
	p->job = arena_new();
	p->delivery = *d;
	p->delivery.webhook = h->id;
	e->id = arena_str(p->job, e->id);
	post_begin(p, clock_unix_ms());
	e->account = arena_str(p->job, account_of(d));
	e->workspace = e->type = e->data = NULL;      /* they are in its body */
	TAILQ_INSERT_TAIL(&h->posts, p, of_hook);
	p->is_probe = h->failures > 0;
	o->failing_under_way += p->is_probe;
	o->under_way++;
	h->under_way++;
	o->counts.under_way = o->under_way;
	enter(o);
	net_start(o->net, &p->task, post_ended);
}

/* What has been read of one webhook, as far as there is room. True when any went out. */
static bool send_ready(struct hook *h, int64_t now_ms)
{
	bool any = false;

	if (now_ms - h->read_ms >= READY_MS && h->next < h->count)
		hook_drop_ready(h);
	while (h->next < h->count && room_of(h, now_ms) > 0) {
		post_start(h, &h->ready[h->next++]);
		any = true;
	}
	return any;
}

/* Each in its turn; who was served goes to the end. Whether some webhook has room, but nothing left of what was read of it. */
static bool send_all(struct outbox *o, int64_t now_ms)
{
	struct hook *h, *next, *last = TAILQ_LAST(&o->hooks, hooks);
	bool         hungry = false;

	for (h = TAILQ_FIRST(&o->hooks); h; h = next) {
		next = h == last ? NULL : TAILQ_NEXT(h, turn);
		if (send_ready(h, now_ms)) {
			TAILQ_REMOVE(&o->hooks, h, turn);
			TAILQ_INSERT_TAIL(&o->hooks, h, turn);
		}
		hungry |= h->more && h->next == h->count && room_of(h, now_ms) > 0;
	}
	return hungry;
}

/* What may go out goes out; how long there is nothing to do unless something happens. */
static int send_turn(struct outbox *o)
{
	int64_t now_ms = clock_mono_ms(), until;

	o->more.open = false;
	if (send_all(o, now_ms) || now_ms >= o->look_due)
		o->look = true;
	if (o->look && now_ms >= o->look_from) {
		look(o, now_ms);
		o->look |= send_all(o, now_ms);
	}
	until = o->look && o->look_from < o->look_due ? o->look_from : o->look_due;
	return until > now_ms ? (int)(until - now_ms) : 1;
}

static void cut_off_the_rest(struct outbox *o)
{
	struct hook *h;
	struct post *p;

	TAILQ_FOREACH(h, &o->hooks, turn)
		TAILQ_FOREACH(p, &h->posts, of_hook)
			net_cancel(o->net, &p->task);
}

static int drain_left(struct outbox *o)
{
	int64_t left = o->drain_until - clock_mono_ms();

	o->more.open = false;
	return left > 0 ? (int)left : 0;
}

static enum want_kind send_step(void *self, struct want *w, struct error *err)
{
	struct outbox *o = self;

	(void)err;
	switch (o->sender.step) {
	case SEND_START:
		while (!o->stopping && !w->stopping) {
			AWAIT(&o->sender, SEND_WAITED, want_gate(w, &o->more, send_turn(o))):
			want_came(w);
		}
		while (o->under_way && !w->stopping && drain_left(o)) {
			AWAIT(&o->sender, SEND_DRAINED, want_gate(w, &o->more, drain_left(o))):
			want_came(w);
		}
	}
	cut_off_the_rest(o);
	return WANT_NOTHING;
}

/* -- beginning and ending --------------------------------------------------------------------------------------------- */

static void run_rung(struct net_post *post)
{
	struct outbox *o = (struct outbox *)((char *)post - offsetof(struct outbox, rung));

	o->is_rung = false;
	outbox_look(o);
}

/* On the thread of whoever rings: one call at a time is under way, however often it rings. */
static void bus_rings(struct bus_listener *l)
{
	struct outbox *o = (struct outbox *)((char *)l - offsetof(struct outbox, listener));

	if (!atomic_exchange(&o->is_rung, true))
		net_post(o->net, &o->rung);
}

static void task_ended(struct task *t)
{
	leave(t->self);
}

struct outbox *outbox_start(struct net *net, struct daemon *d, const struct outbox_limits *limits)
{
	struct outbox *o = must_alloc(sizeof *o);

	o->net = net;
	o->daemon = d;
	o->limits = limits;
	TAILQ_INIT(&o->hooks);
	STAILQ_INIT(&o->done);
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->ended, NULL);
	o->rung.run = run_rung;
	o->look = true;
	o->sender.task = (struct task){ .step = send_step, .self = o };
	o->keeper.task = (struct task){ .step = keep_step, .self = o };
	o->tasks = 2;
	net_start(net, &o->sender.task, task_ended);
	net_start(net, &o->keeper.task, task_ended);
	o->listener.rung = bus_rings;
	bus_listen(d->bus, &o->listener);
	return o;
}

static void run_stop(struct net_post *post)
{
	struct outbox *o = (struct outbox *)((char *)post - offsetof(struct outbox, stop));

	o->stopping = true;
	o->drain_until = clock_mono_ms() + o->limits->drain_ms;
	o->more.open = o->answered.open = true;
	leave(o);
}

static void unlisten(struct outbox *o)
{
	if (o->listener.rung)
		bus_unlisten(o->daemon->bus, &o->listener);
	o->listener.rung = NULL;
}

void outbox_stop(struct outbox *o)
{
	unlisten(o);
	o->stop.run = run_stop;
	enter(o);      /* the call itself: nothing is over before it has been run */
	net_post(o->net, &o->stop);
	pthread_mutex_lock(&o->lock);
	while (o->tasks)
		pthread_cond_wait(&o->ended, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

void outbox_free(struct outbox *o)
{
	struct hook *h;
	struct post *p;

	if (!o)
		return;
	unlisten(o);
	keep_release(o);
	while ((h = TAILQ_FIRST(&o->hooks))) {
		while ((p = TAILQ_FIRST(&h->posts)))
			outbox_post_free(p);
		hook_forget(h);
	}
	pthread_cond_destroy(&o->ended);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void outbox_counts(const struct outbox *o, struct outbox_counts *out)
{
	*out = (struct outbox_counts){ o->counts.sent, o->counts.failed, o->counts.given_up, o->counts.under_way };
}
