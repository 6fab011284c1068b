/* calendar_change.h -- what happened to one entry of a calendar. Plain data; texts are valid UTF-8, NULL where it has none. */
#ifndef MODEL_CALENDAR_CHANGE_H
#define MODEL_CALENDAR_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

enum calendar_change_kind { CALENDAR_ADDED, CALENDAR_CHANGED, CALENDAR_REMOVED };

struct calendar_change {
	enum calendar_change_kind kind;
	const char *calendar, *calendar_name;      /* the provider's name for it, stable; and what people call it */
	const char *remote_id;                     /* of the entry, likewise stable                               */
	/* Of one that was read: of one that is removed, or too long to be read, nothing of this is known. */
	bool        known;
	const char *uid, *title, *zone;            /* `zone`: the IANA's name                                     */
	int64_t     start, end;                    /* Unix seconds; as if in UTC where it is a date               */
	bool        all_day, recurs, is_private, cancelled;
};

/* The same with what is to be remembered of it. */
struct calendar_news {
	const char *calendar, *name, *etag;        /* `name`: within the calendar; etag NULL: it is to be forgotten    */
	bool        told;                          /* people are told of it; else it is only remembered                */
	struct calendar_change change;
};

const char *calendar_change_name(enum calendar_change_kind);      /* "added" */

#endif
