/* bus.h -- "there are new events": from whoever committed one to whoever waits for some. Carries no data; the store has it. */
#ifndef SERVE_BUS_H
#define SERVE_BUS_H

#include <stdint.h>

struct bus;

struct bus *bus_new(void);
void        bus_free(struct bus *);

/* After the commit, any thread. */
void bus_ring(struct bus *);

/* Called for each ring (several may come as one), on the ringing thread: must not block. Until bus_unlisten() has returned. */
struct bus_listener { void (*rung)(struct bus_listener *); struct bus_listener *next; };
void bus_listen(struct bus *, struct bus_listener *);
void bus_unlisten(struct bus *, struct bus_listener *);

#endif
