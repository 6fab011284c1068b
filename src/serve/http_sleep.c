#include <microhttpd.h>
#include <string.h>

#include "serve/http_parts.h"

/* Under the server's lock. From here on the request belongs to one of libmicrohttpd's threads again. */
static void wake(struct request *r)
{
	struct http_server *s = r->server;

	s->sleepers--;
	pthread_cond_signal(&s->calmer);
	MHD_resume_connection(r->x.connection);
}

void http_wake(struct exchange *x)
{
	struct request     *r = request_of(x);
	struct http_server *s = r->server;

	pthread_mutex_lock(&s->lock);
	r->woken = true;
	if (r->asleep && !r->in_hand)
		wake(r);
	pthread_mutex_unlock(&s->lock);
}

bool hands_take(struct request *r)
{
	struct http_server *s = r->server;
	bool                taken;

	pthread_mutex_lock(&s->lock);
	taken = !s->hands_closed;
	if (taken) {
		r->asleep = r->in_hand = true;
		s->sleepers++;
		MHD_suspend_connection(r->x.connection);
		STAILQ_INSERT_TAIL(&s->handed, r, handed);
		pthread_cond_signal(&s->hand_wanted);
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

static struct request *next_handed(struct http_server *s)
{
	struct request *r;

	while (!(r = STAILQ_FIRST(&s->handed)) && !s->hands_closed)
		pthread_cond_wait(&s->hand_wanted, &s->lock);
	if (r)
		STAILQ_REMOVE_HEAD(&s->handed, handed);
	return r;
}

static void *work(void *self)
{
	struct http_server *s = self;
	struct request     *r;

	pthread_mutex_lock(&s->lock);
	while ((r = next_handed(s))) {
		pthread_mutex_unlock(&s->lock);
		request_run(r);
		pthread_mutex_lock(&s->lock);
		r->in_hand = false;
		if (!r->x.finish || r->woken)
			wake(r);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

bool hands_start(struct http_server *s, struct error *err)
{
	for (; s->hands < HTTP_HANDS; s->hands++) {
		int failed = pthread_create(&s->hand[s->hands], NULL, work, s);

		if (failed)
			return fail(err, FAULT_LOCAL, "a thread: %s", strerror(failed));
	}
	return true;
}

void hands_stop(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->hands_closed = true;
	pthread_cond_broadcast(&s->hand_wanted);
	pthread_mutex_unlock(&s->lock);
	while (s->hands)
		pthread_join(s->hand[--s->hands], NULL);
}
