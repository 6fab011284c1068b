#include "serve/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "serve/outbox_parts.h"

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
			hook_went_well(h);
		else
			hook_went_wrong(h, p, now_ms);
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
	while (h->next < h->count && hook_room(h, now_ms) > 0) {
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
		hungry |= h->more && h->next == h->count && hook_room(h, now_ms) > 0;
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
		hooks_look(o, now_ms);
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
	net_post(o->net, &o->stop);      /* where the loop has ended already nobody runs it, and there is nothing to wait for */
	pthread_mutex_lock(&o->lock);
	while (o->tasks)
		pthread_cond_wait(&o->ended, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

void outbox_free(struct outbox *o)
{
	struct hook *h, *next_hook;
	struct post *p, *next;

	if (!o)
		return;
	unlisten(o);
	keep_release(o);
	for (h = TAILQ_FIRST(&o->hooks); h; h = next_hook) {
		next_hook = TAILQ_NEXT(h, turn);
		for (p = TAILQ_FIRST(&h->posts); p; p = next) {
			next = TAILQ_NEXT(p, of_hook);
			outbox_post_free(p);
		}
		hook_forget(h);
	}
	pthread_cond_destroy(&o->ended);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void outbox_clock_set_back(struct outbox *o)
{
	if (!o)
		return;
	o->set_back = o->answered.open = true;
}

void outbox_counts(const struct outbox *o, struct outbox_counts *out)
{
	*out = (struct outbox_counts){ o->counts.sent, o->counts.failed, o->counts.given_up, o->counts.under_way };
}
