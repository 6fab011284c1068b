/* ical.h -- one calendar object (RFC 5545): an event with its exceptions, as calendar servers keep it; and the event of our own test.
 *
 * Lines are read here, and of them only those that matter; dates, rules and the machine's time zones are libical's. Whatever it is asked is
 * bounded beforehand: a rule that would run for ever, or that looks for a day that never comes second by second, is not run at all, and
 * zones that came along are believed only where their rules are plain yearly ones. Each limit is told of (`whole`), never silently
 * met.
 *
 * A zone is looked for by its name at the IANA, without the prefix that some programs put before it, by its name in Windows, by what
 * its VTIMEZONE calls itself besides, and at last by the rules of that VTIMEZONE (facts G G.5): laws change, so they come last.
 * Times are Unix seconds, before 1970 too: 1601 and 9999 are years like others. Of a time that never was, the offset before it counts.
 */
#ifndef WIRE_ICAL_H
#define WIRE_ICAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define ICAL_MOST       ((size_t)1024 * 1024)      /* of one object                                  */
#define ICAL_LINE       ((size_t)64 * 1024)        /* unfolded; of those that are looked at           */
#define ICAL_EXCEPTIONS 2000                       /* events of one object                            */
#define ICAL_DATES      10000                      /* EXDATE and RDATE together                       */
#define ICAL_STEPS      50000                      /* instances of one object that are counted through */

enum ical_zone_by {
	ZONE_NONE,           /* floating, or a date */
	ZONE_UTC,
	ZONE_NAME,           /* known by its own name, or under a prefix  */
	ZONE_WINDOWS,
	ZONE_BESIDES,        /* by X-LIC-LOCATION and the like            */
	ZONE_RULES,          /* by the rules that came along              */
	ZONE_UNKNOWN,        /* not at all: its times are taken as UTC    */
};

struct ical_event {
	const char       *uid, *summary;       /* NULL: none */
	const char       *zone;                /* of the IANA; NULL where it has no such name                 */
	const char       *zone_given;          /* as the event has it; NULL                                   */
	enum ical_zone_by zone_by;
	int64_t           start, end;          /* as if in UTC, where it is floating or a date                */
	int64_t           replaces;            /* which instance; meaningful where is_exception               */
	bool              all_day, is_exception, is_private, cancelled, recurs;
};

struct ical_instance {
	int64_t start, end;
};

struct ical_object;

/* From `into`, but for zones of libical's: ical_free() before `into` goes. False with FAULT_BROKEN (no calendar, no event, an event
 * without a start) or FAULT_TOO_BIG. */
bool   ical_read(struct slice, struct arena *into, struct ical_object **out, struct error *);
void   ical_free(struct ical_object *);      /* NULL is fine */
size_t ical_events(const struct ical_object *);
const struct ical_event *ical_event(const struct ical_object *, size_t);      /* in the order of the object */
/* What takes place between the two, in no order; `*whole` false: there is more, or a rule was not run. */
size_t ical_instances(const struct ical_object *, int64_t from, int64_t upto, struct ical_instance *out, size_t most, bool *whole);

/* The IANA's name of what Windows calls a zone; NULL: nothing of that name. */
const char *ical_windows_zone(struct slice name);
/* The other way round, for a zone that has that very name. */
const char *ical_zone_in_windows(const char *zone);
/* What clocks show there, and when they show it; `clock` counts as if they were UTC's. A zone by its name at the IANA, or in Windows. Of
 * a time that clocks show twice or never, one near it. False: nothing of that name on this machine. */
bool        ical_clock_of(int64_t at, struct slice zone, int64_t *clock);
bool        ical_moment_of(int64_t clock, struct slice zone, int64_t *at);
const char *ical_zone_by_name(enum ical_zone_by);      /* "none" "utc" "name" "windows" "besides" "rules" "unknown" */

struct ical_test {
	const char *uid, *summary, *zone;      /* of the IANA */
	int64_t     stamp, start, end;
	unsigned    sequence;
};

/* A private event that keeps nobody busy, has no guests and no alarm, with its zone beside it. False: this machine does not know the zone,
 * or there is no room. */
bool ical_write_test(struct buffer *out, const struct ical_test *);

#endif
