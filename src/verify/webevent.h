/* webevent.h -- the test event over a web service: written, read back in three time zones, removed again.
 *
 * As caldav_event.h, for mailboxes whose calendar is asked by one protocol with them. The order is here; how each thing is said stands in
 * a table of the provider's (exchange_event.h, graph_event.h, google_event.h).
 * One private event of ours, tomorrow, without guests and reminder, in the mailbox's own calendar. It is written by the clocks of one
 * zone, and moved twice, by those of another and to an hour later; each time the server is asked what takes place at that very moment,
 * by the clocks of yet another zone where it can be told how, and the event has to begin then.
 * It is marked as ours: what an earlier test had to leave behind, for want of time or of a line, is removed first. So two tests of one
 * mailbox at a time are in each other's way. Removed for good where the protocol has that, whatever came of it, also when all is called
 * off; a write without an answer may have been done, and is looked for by its mark.
 * Records PROVIDER.calendar_event and calendar.remove; skipped: not_asked (by the caller) · no_time (likewise) · called_off.
 */
#ifndef VERIFY_WEBEVENT_H
#define VERIFY_WEBEVENT_H

#include "base/want.h"
#include "model/report.h"

#define WEBEVENT_SUBJECT "Mailmoor test"
#define WEBEVENT_MARK    "mailmoor-"      /* begins the mark of each */
#define WEBEVENT_FOUND   20               /* of ours, that are removed in one go */
#define WEBEVENT_ROOM_MS 15000            /* less time than that is too little to begin it */

struct webevent;

enum webevent_question {
	WEBEVENT_OURS,         /* every event with our mark: to webevent_saw()                                          */
	WEBEVENT_WRITE,        /* `start` to `end` by the clocks of `zone`: a new one where it is the `first` time, else moved there;
	                          sets `id`, and `change_key` where there is one                                          */
	WEBEVENT_READ,         /* what takes place between `from` and `to`, by the clocks of `told_in`: to webevent_told()     */
	WEBEVENT_REMOVE,       /* found[at], for good; that it is gone already is well                                   */
	WEBEVENT_QUESTIONS
};

/* About `session`, which stands open and signed in. */
struct webevent_ways {
	const char      *id;                                                  /* of the step: "exchange.calendar_event"  */
	void           (*ask[WEBEVENT_QUESTIONS])(struct webevent *);
	/* Of what was `asked`. WANT_NOTHING: an answer came; `well`, or why not is in the report; `refused`: nothing was done. */
	enum want_kind (*answer)(struct webevent *, struct want *, struct error *);
	void           (*report_to)(struct webevent *, int step);             /* where the session writes what stops it  */
};

struct webevent {
	/* in */
	const struct webevent_ways *ways;
	void                      *session;
	struct report             *report;
	int                        attempt;
	/* for the ways */
	struct arena              *job;
	const char                *mark;                        /* of this event: WEBEVENT_MARK and twenty letters       */
	enum webevent_question     asked;
	bool                       first;
	const char                *start, *end;                 /* "2026-11-23T03:00:00"                                  */
	const char                *zone, *told_in;              /* of the IANA                                            */
	const char                *from, *to;                   /* "2026-11-23T02:00:00Z"                                 */
	const char                *id, *change_key;             /* of the event, once it is known                         */
	bool                       well, refused;
	bool                       plainly;                     /* the ways' own: removed as people do it, not for good    */
	const char                *found[WEBEVENT_FOUND];
	size_t                     count, at;
	/* its own */
	int                        step, reported;
	size_t                     round;
	int64_t                    begins, read_start;
	const char                *read_zone;
	bool                       may_be_there, lost, listed, right, zone_unknown, done, left, again;
	struct error               err;
};

void           webevent_init(struct webevent *, const struct webevent_ways *, void *session, struct report *, int attempt);
enum want_kind webevent_step(void *self, struct want *, struct error *);      /* never WANT_FAILED: see the report */
void           webevent_release(struct webevent *);                           /* fine after no init, where all is zero */

/* -- for the ways -- */

/* An event; whose mark is not ours, or NULL, is passed over. */
void           webevent_saw(struct webevent *, const char *id, const char *mark);
/* One of those that take place then; whether it is ours shows by its id, or by its mark where that is told. `start` as ews_time() takes
 * it; where it has no zone of its own, by the clocks of `zone`, and without either by UTC's. */
void           webevent_told(struct webevent *, const char *id, const char *mark, const char *start, const char *zone);

#endif
