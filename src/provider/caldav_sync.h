/* caldav_sync.h -- what has changed in a calendar since it was last looked at (RFC 6578; facts G G.2).
 *
 * By sync-collection where the server has it; a token that it no longer takes begins anew, and what comes in parts is asked for on. Else
 * by the ETags of all there is. What has changed is fetched, a hundred at a time, if its data are wanted.
 *
 * Records caldav.changes, which is the caller's to end. Stops with the faults of web.h, and FAULT_REFUSED, FAULT_BUSY, FAULT_BROKEN,
 * FAULT_TOO_BIG.
 */
#ifndef PROVIDER_CALDAV_SYNC_H
#define PROVIDER_CALDAV_SYNC_H

#include "provider/caldav.h"

#define CALDAV_CHANGES 200000      /* in one go: more are FAULT_TOO_BIG */
#define CALDAV_PARTS     1000

/* All during the call only. */
struct caldav_change {
	const char  *target, *etag;        /* etag NULL: not told                                         */
	struct slice data;                 /* at == NULL: not asked for, or too long                      */
	bool         gone;
};

struct caldav_sync {
	/* in */
	struct caldav_session *session;
	const char            *calendar;   /* target */
	const char            *token;      /* where the last time got to; NULL: from the beginning        */
	bool                   with_data;
	void                 (*change)(void *self, const struct caldav_change *);
	void                  *self;
	/* out */
	const char            *next;       /* for the next time, from the report's arena; NULL: the server has no tokens      */
	bool                   whole;      /* all there is was told: what was known and is not among it is gone               */
	/* its own */
	struct caldav_sync_found { const char *target, *etag; } *found;
	size_t                 count, room, asked;
	unsigned               parts;
	bool                   cut, by_etags, deep;
	int                    step;
};

void           caldav_sync_init(struct caldav_sync *, struct caldav_session *, const char *calendar, const char *token);
enum want_kind caldav_sync_step(void *self, struct want *, struct error *);
void           caldav_sync_release(struct caldav_sync *);      /* fine after no init, where all is zero */

#endif
