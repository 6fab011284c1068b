/* zones.h -- what clocks show where: the few time zones that this server knows, by the names of Windows and of the IANA. Their laws of
 * summer time are today's, for all times. */
#ifndef SANDBOX_ZONES_H
#define SANDBOX_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum summer { SUMMER_NONE, SUMMER_EUROPE, SUMMER_AMERICA };

struct zone {
	const char *id, *iana, *name;      /* "W. Europe Standard Time" "Europe/Berlin" "(UTC+01:00) …"; iana NULL: none */
	int         east;                  /* minutes, in winter                                                        */
	enum summer summer;
};

const struct zone *zone_at(size_t n);                      /* NULL past the last          */
const struct zone *zone_named(const char *name);           /* NULL: there is none of that; of either kind of names */

/* `clock` counts as if the clocks there showed UTC. */
int64_t zone_moment(const struct zone *, int64_t clock);
int64_t zone_clock(const struct zone *, int64_t at);

#endif
