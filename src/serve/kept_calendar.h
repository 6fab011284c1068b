/* kept_calendar.h -- the calendar beside an account's mailbox, held for itself: what is wrong with it degrades the account, and never ends
 * the mailbox.
 *
 * Two conversations side by side, of which the mailbox's is the one that counts: when it is lost both are over, and both begin anew with
 * it. The calendar's own never ends before: an outage is tried again, ever more seldom, and told once it has lasted for the grace;
 * after a refusal it rests, and the password is said again by the next proof of life. It has credentials, a saving and a passage of its
 * own, and holds nothing of them while parked. All of it runs in the thread of the account's loop.
 */
#ifndef SERVE_KEPT_CALENDAR_H
#define SERVE_KEPT_CALENDAR_H

#include "serve/kept.h"

/* Where the account has one that worked and that it wants; else NULL. The account's round is open. */
struct kept_calendar *kept_calendar_new(struct kept *, const struct flow_worked *);
/* For want_children(): the mailbox, which ends it, and the calendar. */
struct children      *kept_calendar_beside(struct kept_calendar *);
/* Why the mailbox was lost; false: it was not. */
bool                  kept_calendar_lost(struct kept_calendar *, struct error *);
void                  kept_calendar_free(struct kept_calendar *);      /* NULL is fine */

/* A turn is over: what is counted and said of it. */
void                  calendar_count(struct keeper_loop *, const char *account, struct caldav_watch *);

#endif
