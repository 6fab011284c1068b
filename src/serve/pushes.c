#include "serve/pushes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow_google_keys.h"
#include "net/net.h"
#include "serve/http.h"
#include "serve/keeper.h"

#define PURPOSE_TOPIC "google-topic"
#define MINUTE_MS     (INT64_C(60) * 1000)
#define HELD_MS       (24 * 60 * MINUTE_MS)       /* so long a key counts that Google may have withdrawn            */
#define FRESH_MS      (12 * 60 * MINUTE_MS)       /* and then others are fetched                                    */
#define AGAIN_MS      (5 * MINUTE_MS)             /* no sooner than that for the sake of one token                  */
#define RETRY_MS      (10 * 1000)                 /* after none came; twice that after each further time            */
#define RETRY_TWICE   6
#define WHOLE_MS      15000

struct fetching {
	struct net_post            post;
	struct pushes             *pushes;
	struct google_keys_errand *errand;
	struct task                task;
};

struct pushes {
	pthread_mutex_t       lock;
	const char           *pusher;
	struct net           *net;
	struct fetching      *fetching;        /* under way; NULL                        */
	struct arena         *own;             /* of the keys                            */
	const struct id_keys *keys;            /* NULL: none yet                         */
	int64_t               held_ms, asked_ms;
	unsigned              failures;        /* in a row                               */
	bool                  said[ID_TOKEN_FLAWS], said_pusher;
	struct push_counts    counts;
};

/* -- the topic ---------------------------------------------------------------------------------------------------- */

void google_topic_of(const struct daemon *d, struct google_topic *t)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char                  *base = d->settings->value[SETTING_WEB_BASE_URL];

	*t = (struct google_topic){ 0 };
	if (!d->app.google.topic || !base || !slice_starts(slice_str(base), "https://"))
		return;
	t->name = d->app.google.topic;
	snprintf(t->mark, sizeof t->mark, "%.*s", GOOGLE_TOPIC_MARK, vault_sign(d->vault, PURPOSE_TOPIC, slice_str(t->name), job));
}

/* -- Google's keys ------------------------------------------------------------------------------------------------ */

struct pushes *pushes_new(const struct google_app *app, struct net *net)
{
	struct pushes *p = must_alloc(sizeof *p);

	pthread_mutex_init(&p->lock, NULL);
	p->pusher = app->pusher;
	p->net = net;
	pushes_tend(p);
	return p;
}

static void fetching_free(struct fetching *f)
{
	if (f)
		google_keys_errand_free(f->errand);
	free(f);
}

void pushes_free(struct pushes *p)
{
	if (!p)
		return;
	fetching_free(p->fetching);
	arena_free(p->own);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void take_keys(struct pushes *p, struct google_keys_errand *e)
{
	arena_free(p->own);
	p->keys = google_keys_errand_take(e, &p->own);
	p->held_ms = clock_mono_ms();
	p->failures = 0;
}

static void fetched(struct task *t)
{
	struct fetching *f = (struct fetching *)((char *)t - offsetof(struct fetching, task));
	struct pushes   *p = f->pushes;

	pthread_mutex_lock(&p->lock);
	if (t->state == TASK_DONE)
		take_keys(p, f->errand);
	else if (p->failures++ == 0)
		LOG(LOG_CAUTION, "google.keys_unknown", LOG_TEXT("why", t->err.text));
	p->fetching = NULL;
	pthread_mutex_unlock(&p->lock);
	fetching_free(f);
}

static void begin(struct net_post *post)
{
	struct fetching *f = (struct fetching *)post;

	f->task = (struct task){ .step = google_keys_errand_step, .self = f->errand, .wait_ms = WHOLE_MS };
	net_start(f->pushes->net, &f->task, fetched);
}

/* Under the lock. */
static void fetch(struct pushes *p, int64_t now_ms)
{
	int64_t pause = p->failures ? RETRY_MS << (p->failures < RETRY_TWICE ? p->failures - 1 : RETRY_TWICE) : 0;

	if (p->fetching || (p->failures && now_ms - p->asked_ms < pause))
		return;
	p->asked_ms = now_ms;
	p->fetching = must_alloc(sizeof *p->fetching);
	*p->fetching = (struct fetching){ .post.run = begin, .pushes = p, .errand = google_keys_errand_new(WHOLE_MS) };
	net_post(p->net, &p->fetching->post);
}

void pushes_tend(struct pushes *p)
{
	int64_t now_ms = clock_mono_ms();

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	if (!p->keys || now_ms - p->held_ms >= FRESH_MS)
		fetch(p, now_ms);
	pthread_mutex_unlock(&p->lock);
}

/* -- what proves itself ------------------------------------------------------------------------------------------- */

/* Google has signed it, and still it is not for us: that is the operator's to put right. Said once. */
static void say(bool *said, const char *flaw)
{
	if (!*said)
		LOG(LOG_CAUTION, "google.push_refused", LOG_TEXT("why", flaw));
	*said = true;
}

/* Under the lock. */
static enum push_proof prove(struct pushes *p, const char *token, const struct id_token_wish *w, struct arena *work)
{
	static const struct id_keys none = { .count = 0 };
	int64_t                     now_ms = clock_mono_ms();
	bool                        held = p->keys && now_ms - p->held_ms < HELD_MS;
	struct id_token             t;
	enum id_token_flaw          flaw = id_token_check(token, held ? p->keys : &none, w, work, &t);

	if (flaw == ID_TOKEN_UNKNOWN_KEY && (!held || now_ms - p->held_ms >= AGAIN_MS)) {
		fetch(p, now_ms);
		return PUSH_LATER;
	}
	if (flaw > ID_TOKEN_BAD_SIGNATURE)
		say(&p->said[flaw], id_token_flaw_name(flaw));
	if (flaw)
		return PUSH_UNPROVEN;
	if (t.email_verified && t.email && slice_is(slice_str(t.email), p->pusher))
		return PUSH_PROVEN;
	say(&p->said_pusher, "account");
	return PUSH_UNPROVEN;
}

enum push_proof pushes_prove(struct pushes *p, const char *token, const char *audience)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct id_token_wish         wish = { google_issuer, audience, NULL, clock_unix_ms() / 1000, true };
	enum push_proof              proof;

	pthread_mutex_lock(&p->lock);
	proof = prove(p, token, &wish, work);
	p->counts.proven += proof == PUSH_PROVEN;
	p->counts.refused += proof == PUSH_UNPROVEN;
	pthread_mutex_unlock(&p->lock);
	return proof;
}

struct push_counts pushes_counts(struct pushes *p)
{
	struct push_counts counts = { 0 };

	if (!p)
		return counts;
	pthread_mutex_lock(&p->lock);
	counts = p->counts;
	pthread_mutex_unlock(&p->lock);
	return counts;
}

/* -- what comes in ------------------------------------------------------------------------------------------------ */

static const char *token_of(struct exchange *x)
{
	static const char bearer[] = "Bearer ";
	const char       *given = http_field(x, "Authorization");

	return given && slice_starts(slice_str(given), bearer) ? given + sizeof bearer - 1 : NULL;
}

static void take_push(struct exchange *x)
{
	struct pushes  *p = x->service->keeper ? keeper_pushes(x->service->keeper) : NULL;
	enum push_proof proof;
	const char     *mailbox;
	struct error    err = { 0 };

	if (!p) {
		answer_problem(x, 404, "request.absent", "Nothing is pushed here", "[google] pubsub_topic is not set", NULL, NULL);
		return;
	}
	proof = pushes_prove(p, token_of(x), arena_print(x->job, "%s" GOOGLE_HOOK, x->service->base_url));
	if (proof == PUSH_LATER)
		answer_problem(x, 503, "system.unavailable", "Whether Google has signed this is not known yet", NULL, NULL, NULL);
	else if (proof != PUSH_PROVEN)
		answer_problem(x, 401, "request.unauthorized", "Google has not signed this for us", NULL, NULL, NULL);
	else if (!google_push_read(x->body, HTTP_BODY_MOST, x->job, &mailbox, &err))
		answer_problem(x, 400, "request.malformed", "This is no push of Gmail's", NULL, NULL, NULL);
	else {
		keeper_hear_push(x->service->keeper, mailbox);
		answer_text(x, 200, "text/plain; charset=utf-8", "");
	}
}

const struct route routes_pushes[] = {
	{ "POST", GOOGLE_HOOK, GUARD_HOOK, 0, take_push },
	{ 0 }
};
