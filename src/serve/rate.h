/* rate.h -- how often somebody may do something: so many at once, then so many a second. A table of bounded size; who fills it pushes
 * out those that have asked for the longest time nothing. Any thread. */
#ifndef SERVE_RATE_H
#define SERVE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limit { unsigned burst, per_second; };
struct rates;

struct rates *rates_new(void);
void          rates_free(struct rates *);

/* Takes one. False: not now, but in `*wait_s` seconds. `who` is any text ("open 192.0.2.1"). */
bool rate_take(struct rates *, const char *who, struct rate_limit, int64_t now_ms, int *wait_s);
/* The same without taking: whether one is left. */
bool rate_left(struct rates *, const char *who, struct rate_limit, int64_t now_ms, int *wait_s);

#endif
