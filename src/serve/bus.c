#include "serve/bus.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"

/* The lock is held while listeners are called: so nobody who has left is called any more. */
struct bus {
	pthread_mutex_t      lock;
	struct bus_listener *first;
};

struct bus *bus_new(void)
{
	struct bus *b = must_alloc(sizeof *b);

	pthread_mutex_init(&b->lock, NULL);
	return b;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	assert(!b->first);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void bus_ring(struct bus *b)
{
	pthread_mutex_lock(&b->lock);
	for (struct bus_listener *l = b->first; l; l = l->next)
		l->rung(l);
	pthread_mutex_unlock(&b->lock);
}

void bus_listen(struct bus *b, struct bus_listener *l)
{
	pthread_mutex_lock(&b->lock);
	l->next = b->first;
	b->first = l;
	pthread_mutex_unlock(&b->lock);
}

void bus_unlisten(struct bus *b, struct bus_listener *l)
{
	pthread_mutex_lock(&b->lock);
	for (struct bus_listener **at = &b->first; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			break;
		}
	pthread_mutex_unlock(&b->lock);
}
