/* The word of a sign-in by Kerberos, got from a library that blocks: in threads of its own, a few, that end when there is nothing to do.
 * A wait that ends first leaves its asking to the thread, which gives it back when the library lets go of it; so nothing that a thread
 * touches is the conversation's, nor the net's. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/kerberos.h"
#include "net/loop.h"

#define THREADS_MOST 8

enum asking_state { QUEUED, ASKED, ANSWERED };

struct asking {
	struct wait        wait;
	struct tickets    *tickets;
	struct ticket     *ticket;        /* the loop's alone */
	struct kerberos   *kerberos;
	struct buffer      heard;
	/* under the lock */
	enum asking_state  state;
	bool               left;          /* nobody waits any more */
	TAILQ_ENTRY(asking) queue;
};

TAILQ_HEAD(asking_queue, asking);

struct tickets {
	pthread_mutex_t     lock;
	struct net         *net;          /* NULL: it is gone */
	struct net_post     post;
	bool                posted;
	unsigned            holders;      /* the net, each thread, and the end of the process */
	unsigned            threads;
	struct asking_queue queued, answered;
};

static void asking_free(struct asking *a)
{
	kerberos_free(a->kerberos);
	buffer_release(&a->heard);
	free(a);
}

/* With the lock, which it gives up. */
static void let_go(struct tickets *t)
{
	bool last = --t->holders == 0;

	pthread_mutex_unlock(&t->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* -- in a thread -------------------------------------------------------------------------------------------------- */

static void hand_back(struct tickets *t, struct asking *a)
{
	a->state = ANSWERED;
	TAILQ_INSERT_TAIL(&t->answered, a, queue);
	if (t->posted)
		return;
	t->posted = true;
	net_post(t->net, &t->post);
}

static void *ask_all(void *self)
{
	struct tickets *t = self;
	struct asking  *a;

	pthread_mutex_lock(&t->lock);
	while ((a = TAILQ_FIRST(&t->queued))) {
		TAILQ_REMOVE(&t->queued, a, queue);
		a->state = ASKED;
		pthread_mutex_unlock(&t->lock);
		kerberos_step(a->kerberos, buffer_held(&a->heard));
		pthread_mutex_lock(&t->lock);
		if (a->left)
			asking_free(a);
		else
			hand_back(t, a);
	}
	t->threads--;
	let_go(t);
	return NULL;
}

/* -- in the loop -------------------------------------------------------------------------------------------------- */

static void ticket_drop(struct ticket *t)
{
	kerberos_free(t->carrier);
	t->carrier = NULL;
}

static void answer(struct asking *a)
{
	struct runner   *r = a->wait.runner;
	struct ticket   *t = a->ticket;
	struct kerberos *k = a->kerberos;

	buffer_clear(&t->say);
	buffer_add(&t->say, buffer_held(&k->say));
	t->proven = k->proven;
	t->trouble = k->trouble;
	memcpy(t->principal, k->principal, sizeof t->principal);
	memcpy(t->reason, k->reason, sizeof t->reason);
	t->carrier = k;
	t->drop = ticket_drop;
	a->kerberos = NULL;
	asking_free(a);
	runner_answer(r, CAME);
}

static void answer_all(struct net_post *p)
{
	struct tickets *t = (struct tickets *)((char *)p - offsetof(struct tickets, post));
	struct asking  *a;

	pthread_mutex_lock(&t->lock);
	t->posted = false;
	while ((a = TAILQ_FIRST(&t->answered))) {
		TAILQ_REMOVE(&t->answered, a, queue);
		answer(a);
	}
	pthread_mutex_unlock(&t->lock);
}

static enum came ticket_stop(struct wait *w, enum came came)
{
	struct asking  *a = (struct asking *)((char *)w - offsetof(struct asking, wait));
	struct tickets *t = a->tickets;

	pthread_mutex_lock(&t->lock);
	if (a->state == ASKED) {
		a->left = true;
	} else {
		TAILQ_REMOVE(a->state == QUEUED ? &t->queued : &t->answered, a, queue);
		asking_free(a);
	}
	pthread_mutex_unlock(&t->lock);
	return came;
}

/* The library takes its locks down when the process ends, under the hands of a thread that a KDC still keeps: then the end comes before
 * that. What nobody waits for has nothing left to write. */
static void process_ends(int status, void *self)
{
	struct tickets *t = self;
	bool            busy;

	pthread_mutex_lock(&t->lock);
	busy = t->threads > 0;
	pthread_mutex_unlock(&t->lock);
	if (!busy)
		return;
	fflush(NULL);
	_exit(status);
}

static struct tickets *tickets_of(struct net *n)
{
	struct tickets *t = n->tickets;

	if (t)
		return t;
	t = n->tickets = must_alloc(sizeof *t);
	pthread_mutex_init(&t->lock, NULL);
	t->net = n;
	t->post.run = answer_all;
	t->holders = 1 + (on_exit(process_ends, t) == 0);
	TAILQ_INIT(&t->queued);
	TAILQ_INIT(&t->answered);
	return t;
}

/* Signals are for those who wait for them. With the lock. */
static bool has_thread(struct tickets *t)
{
	pthread_attr_t detached;
	pthread_t      thread;
	sigset_t       all, before;
	int            failed;

	if (t->threads == THREADS_MOST)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	failed = pthread_create(&thread, &detached, ask_all, t);
	pthread_attr_destroy(&detached);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->threads += !failed;
	t->holders += !failed;
	return t->threads > 0;
}

void ticket_begin(struct runner *r)
{
	struct tickets *t = tickets_of(r->net);
	struct ticket  *wanted = r->want.ticket;
	struct asking  *a = must_alloc(sizeof *a);
	bool            stands;

	a->tickets = t;
	a->ticket = wanted;
	a->kerberos = wanted->carrier ? wanted->carrier : kerberos_new(wanted);
	wanted->carrier = NULL;
	buffer_init(&a->heard, TICKET_TOKEN);
	if (!buffer_add(&a->heard, wanted->heard)) {
		asking_free(a);
		return runner_answer(r, CAME_FULL);
	}
	runner_waits_for(r, &a->wait, ticket_stop);
	pthread_mutex_lock(&t->lock);
	TAILQ_INSERT_TAIL(&t->queued, a, queue);
	stands = has_thread(t);
	pthread_mutex_unlock(&t->lock);
	if (!stands)
		runner_answer(r, ticket_stop(&a->wait, CAME_FAILED));
}

void tickets_close(struct net *n)
{
	struct tickets *t = n->tickets;

	if (!t)
		return;
	n->tickets = NULL;
	pthread_mutex_lock(&t->lock);
	t->net = NULL;
	let_go(t);
}
