/* caldav_event.h -- the test event: written, read back in three time zones, removed.
 *
 * On an open session with calendars: one private event of ours, tomorrow, in the first calendar that may take it. It is written where
 * nothing is (If-None-Match), and twice more in another zone and an hour later over exactly what was read (If-Match); each time the
 * server is asked what takes place at that very moment, by its own clock, and what it gives back has to begin then. Where the server tells
 * of changes since a token, the event has to be among them, and again once it is gone; that it is not is a warning. Removed whatever came
 * of it, also when all is called off; a write without an answer may have been done, and is removed as well.
 *
 * Records caldav.event, caldav.remove and caldav.changes. Never fails: see the report.
 */
#ifndef PROVIDER_CALDAV_EVENT_H
#define PROVIDER_CALDAV_EVENT_H

#include "provider/caldav_sync.h"
#include "wire/ical.h"

struct caldav_event {
	struct caldav_session *session;
	const char            *uid;               /* of the event and of its name there; NULL: diced      */
	/* its own */
	const char            *target, *calendar;
	const char            *etag;              /* of what was read last; NULL: not told       */
	int64_t                start;
	size_t                 zone;              /* which of them                               */
	struct caldav_sync     sync;
	const char            *token;             /* of the calendar; NULL: it tells none        */
	const char            *told;              /* of the event, by its changes                */
	unsigned               removes;
	int                    step;
	bool                   may_be_there, listed, right, failed, following;
	enum ical_zone_by      read_by;
	const char            *read_zone;
	int64_t                read_start;
	struct error           err;
};

void           caldav_event_init(struct caldav_event *, struct caldav_session *);
enum want_kind caldav_event_step(void *self, struct want *, struct error *);      /* WANT_NOTHING */
void           caldav_event_release(struct caldav_event *);                       /* fine after no init, where all is zero */

#endif
