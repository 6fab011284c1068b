#include "serve/finder.h"

#include <pthread.h>
#include <stdlib.h>

/* A search asks some twenty places at once. */
const struct finder_limits finder_usual = { .searches = 32, .searches_workspace = 8, .search_ms = 10000 };

struct finder {
	const struct finder_limits *limits;
	struct net                 *net;
	pthread_t                   thread;
	bool                        runs;
	struct net_post             stop;
	pthread_mutex_t             lock;        /* of all that follows */
	LIST_HEAD(, search)         searches;    /* under way           */
	bool                        stopping;
};

static void *run(void *self)
{
	net_serve(((struct finder *)self)->net);
	return NULL;
}

/* -- one search --------------------------------------------------------------------------------------------------- */

static void leave(struct search *s)
{
	pthread_mutex_lock(&s->finder->lock);
	LIST_REMOVE(s, next);
	pthread_mutex_unlock(&s->finder->lock);
}

static bool is_stopping(struct finder *f)
{
	bool stopping;

	pthread_mutex_lock(&f->lock);
	stopping = f->stopping;
	pthread_mutex_unlock(&f->lock);
	return stopping;
}

static void ended(struct task *t)
{
	struct search     *s = (struct search *)((char *)t - offsetof(struct search, task));
	struct flow_worked none;

	s->called_off = is_stopping(s->finder);
	flow_found(s->flow, &s->place);
	s->report = flow_end(s->flow, t->ms, &s->verdict, &none);
	s->flow = NULL;
	leave(s);
	s->found(s);      /* which may free it */
}

static void begin(struct net_post *p)
{
	struct search *s = (struct search *)((char *)p - offsetof(struct search, post));

	s->flow = flow_new(&s->request);
	s->task = (struct task){ .step = flow_step, .self = s->flow, .wait_ms = s->request.timeout_ms };
	net_start(s->finder->net, &s->task, ended);
}

/* Under the lock. */
static enum finder_answer may_begin(struct finder *f, const struct search *s)
{
	const struct search *other;
	unsigned             all = 0, same = 0;

	LIST_FOREACH(other, &f->searches, next) {
		all++;
		same += strcmp(other->workspace, s->workspace) == 0;
	}
	if (f->stopping)
		return FINDER_STOPPED;
	if (same >= f->limits->searches_workspace)
		return FINDER_BUSY_FOR_YOU;
	return all >= f->limits->searches ? FINDER_BUSY : FINDER_TAKEN;
}

enum finder_answer finder_search(struct finder *f, struct search *s)
{
	enum finder_answer answer;

	s->finder = f;
	s->request.only_detect = true;
	if (!s->request.timeout_ms || s->request.timeout_ms > f->limits->search_ms)
		s->request.timeout_ms = f->limits->search_ms;
	s->post = (struct net_post){ .run = begin };
	pthread_mutex_lock(&f->lock);
	answer = may_begin(f, s);
	if (answer == FINDER_TAKEN) {
		LIST_INSERT_HEAD(&f->searches, s, next);
		net_post(f->net, &s->post);      /* within the lock: before the post that stops the loop, or not at all */
	}
	pthread_mutex_unlock(&f->lock);
	return answer;
}

unsigned finder_busy(struct finder *f)
{
	const struct search *s;
	unsigned             count = 0;

	pthread_mutex_lock(&f->lock);
	LIST_FOREACH(s, &f->searches, next)
		count++;
	pthread_mutex_unlock(&f->lock);
	return count;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct finder *finder_start(const struct daemon *d, const struct finder_limits *limits, struct error *err)
{
	struct finder *f = must_alloc(sizeof *f);

	f->limits = limits;
	pthread_mutex_init(&f->lock, NULL);
	LIST_INIT(&f->searches);
	f->net = net_new(d->net, err);
	f->runs = f->net && pthread_create(&f->thread, NULL, run, f) == 0;
	if (f->runs)
		return f;
	if (f->net)
		fail(err, FAULT_LOCAL, "no thread can be started");
	finder_free(f);
	return NULL;
}

static void stop(struct net_post *p)
{
	net_stop(((struct finder *)((char *)p - offsetof(struct finder, stop)))->net);
}

void finder_stop(struct finder *f)
{
	if (!f || !f->runs)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	f->stop.run = stop;
	net_post(f->net, &f->stop);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	f->runs = false;
}

void finder_free(struct finder *f)
{
	if (!f)
		return;
	finder_stop(f);
	net_free(f->net);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct net *finder_loop(const struct finder *f)
{
	return f->net;
}
