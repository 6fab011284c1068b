#include "serve/redeemer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

struct redeemer {
	struct net     *net;
	struct microsoft_keys *keys;   /* the loop's thread alone */
	pthread_t       thread;
	bool            runs;
	struct net_post stop;
	pthread_mutex_t lock;          /* of all that follows */
	unsigned        under_way;
	int64_t         told_until;    /* monotonic ms: so long counts what the one page that tells such things has told */
	char            told[GOOGLE_PAGE_CODE];
	bool            stopping;
};

static void *run(void *self)
{
	net_serve(((struct redeemer *)self)->net);
	return NULL;
}

/* -- one of them -------------------------------------------------------------------------------------------------- */

static void ended(struct task *t)
{
	struct redemption *r = (struct redemption *)((char *)t - offsetof(struct redemption, task));

	r->report = signin_end(r->signin, t->ms, &r->verdict, &r->result);
	r->signin = NULL;
	pthread_mutex_lock(&r->redeemer->lock);
	r->redeemer->under_way--;
	pthread_mutex_unlock(&r->redeemer->lock);
	r->redeemed(r);      /* which may free it */
}

static void begin(struct net_post *p)
{
	struct redemption *r = (struct redemption *)((char *)p - offsetof(struct redemption, post));

	r->request.keys = r->redeemer->keys;
	r->signin = signin_new(&r->request);
	r->task = (struct task){ .step = signin_step, .self = r->signin, .wait_ms = r->request.timeout_ms };
	net_start(r->redeemer->net, &r->task, ended);
}

bool redeemer_take(struct redeemer *d, struct redemption *r)
{
	bool taken;

	r->redeemer = d;
	r->request.timeout_ms = REDEEMER_MS;
	r->post = (struct net_post){ .run = begin };
	pthread_mutex_lock(&d->lock);
	taken = !d->stopping && d->under_way < REDEEMER_MOST;
	if (taken) {
		d->under_way++;
		net_post(d->net, &r->post);      /* within the lock: before the post that stops the loop, or not at all */
	}
	pthread_mutex_unlock(&d->lock);
	return taken;
}

/* -- whether its page knows us ------------------------------------------------------------------------------------ */

/* That it tells nothing counts for nobody else: the next one asks again. */
static void remember(struct redeemer *d, const struct rehearsal *r, bool known)
{
	pthread_mutex_lock(&d->lock);
	d->under_way--;
	if (known || *r->code) {
		memcpy(d->told, r->code, sizeof d->told);
		d->told_until = clock_mono_ms() + (*r->code ? REHEARSED_ILL_MS : REHEARSED_WELL_MS);
	}
	pthread_mutex_unlock(&d->lock);
}

static void knocked(struct task *t)
{
	struct rehearsal *r = (struct rehearsal *)((char *)t - offsetof(struct rehearsal, task));
	CLEANUP(arena) struct arena *job = arena_new();
	bool              known;
	const char       *code = inquiry_end(r->inquiry, job, &known);

	snprintf(r->code, sizeof r->code, "%s", code ? code : "");
	if (code)
		LOG(LOG_FAILURE, "signin.misregistered", LOG_TEXT("at", signin_name(r->at)), LOG_TEXT("code", code), LOG_TEXT("redirect_uri", r->redirect_uri));
	remember(r->redeemer, r, known);
	r->rehearsed(r);      /* which may free it */
}

static void knock(struct net_post *p)
{
	struct rehearsal *r = (struct rehearsal *)((char *)p - offsetof(struct rehearsal, post));

	r->inquiry = inquiry_new(r->at, &r->apps, r->redirect_uri, r->rights, REHEARSAL_MS);
	r->task = (struct task){ .step = inquiry_step, .self = r->inquiry, .wait_ms = REHEARSAL_MS };
	net_start(r->redeemer->net, &r->task, knocked);
}

bool redeemer_rehearse(struct redeemer *d, struct rehearsal *r)
{
	bool taken;

	r->code[0] = '\0';
	if (!inquiry_can(r->at))
		return false;
	r->redeemer = d;
	r->post = (struct net_post){ .run = knock };
	pthread_mutex_lock(&d->lock);
	taken = d->told_until <= clock_mono_ms();
	if (!taken)
		memcpy(r->code, d->told, sizeof r->code);
	taken = taken && !d->stopping && d->under_way < REDEEMER_MOST;
	if (taken) {
		d->under_way++;
		net_post(d->net, &r->post);
	}
	pthread_mutex_unlock(&d->lock);
	return taken;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct redeemer *redeemer_start(const struct daemon *d, struct error *err)
{
	struct redeemer *r = must_alloc(sizeof *r);

	pthread_mutex_init(&r->lock, NULL);
	r->net = net_new(d->net, err);
	r->keys = microsoft_keys_new();
	r->runs = r->net && pthread_create(&r->thread, NULL, run, r) == 0;
	if (r->runs)
		return r;
	if (r->net)
		fail(err, FAULT_LOCAL, "no thread can be started");
	redeemer_free(r);
	return NULL;
}

static void stop(struct net_post *p)
{
	net_stop(((struct redeemer *)((char *)p - offsetof(struct redeemer, stop)))->net);
}

void redeemer_stop(struct redeemer *r)
{
	if (!r || !r->runs)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	r->stop.run = stop;
	net_post(r->net, &r->stop);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	r->runs = false;
}

void redeemer_free(struct redeemer *r)
{
	if (!r)
		return;
	redeemer_stop(r);
	net_free(r->net);
	microsoft_keys_free(r->keys);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct net *redeemer_loop(const struct redeemer *r)
{
	return r->net;
}
