#include "serve/bus.h"

#include <pthread.h>
#include <stdatomic.h>

#include "test.h"

struct ear {
	struct bus_listener listener;      /* first: it leads back here */
	atomic_int          heard;
	atomic_bool         left;          /* from then on nothing may be heard */
	atomic_bool         late;
};

static void rung(struct bus_listener *l)
{
	struct ear *e = (struct ear *)l;

	e->heard++;
	if (e->left)
		e->late = true;
}

TEST(those_who_listen_are_told)
{
	struct bus *b = bus_new();
	struct ear  one = { .listener = { .rung = rung } }, two = { .listener = { .rung = rung } };

	bus_ring(b);
	bus_listen(b, &one.listener);
	bus_ring(b);
	bus_listen(b, &two.listener);
	bus_ring(b);
	bus_unlisten(b, &one.listener);
	bus_unlisten(b, &one.listener);      /* a second time does nothing */
	bus_ring(b);
	EXPECT(one.heard == 2 && two.heard == 2);
	bus_unlisten(b, &two.listener);
	bus_free(b);
	bus_free(NULL);
}

struct ringer {
	struct bus *bus;
	atomic_bool over;
};

static void *ring_on(void *self)
{
	struct ringer *r = self;

	while (!r->over)
		bus_ring(r->bus);
	return NULL;
}

/* While another thread rings: whoever has left is not called any more, and its memory is its own again. */
TEST(listeners_come_and_go_while_it_rings)
{
	struct ringer r = { .bus = bus_new() };
	pthread_t     thread;

	EXPECT(pthread_create(&thread, NULL, ring_on, &r) == 0);
	for (int i = 0; i < 200; i++) {
		struct ear e = { .listener = { .rung = rung } };

		bus_listen(r.bus, &e.listener);
		while (e.heard < 2)
			;
		bus_unlisten(r.bus, &e.listener);
		e.left = true;
		EXPECT(!e.late);
	}
	r.over = true;
	pthread_join(thread, NULL);
	bus_free(r.bus);
}
