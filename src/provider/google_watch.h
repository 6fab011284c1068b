/* google_watch.h -- the inbox of a mailbox at Gmail, watched for new mail, and its calendar, for what changes in it: what happened there
 * since a moment, polled (facts G B.2, C).
 *
 * As microsoft_watch.h: google_watch_open_step() once, then google_watch_news_step() until it tells no more, google_watch_park(),
 * google_watch_wait_step(), google_watch_wake() and the news again, over and over. Nothing is written at the provider. A mailbox seen for
 * the first time is known from that moment on.
 *
 * What is news: a message that came into the inbox, whenever it says that it was written; and one that was in the mailbox and got the
 * inbox's label, if it was received not long ago (no longer than a day before the newest that is known). Our own test messages are none.
 * Gmail tells of a message in one answer and of its sender and subject in another: it is asked for those one by one, and what is gone by
 * then is none. The moment moves on once the last page of a round was told: who is killed between two pages is told them again, to be known
 * by their ids.
 * Where Gmail has forgotten that moment (404: after a week or more, in rare cases after hours) it is asked for the present one first, and
 * then the inbox is gone through from the newest on: what may be news is told again. Nothing is lost, and nobody is alarmed.
 *
 * The calendar is asked now and then, every fifth time, where the grant is for it, by a sync token; deleted entries are told as well. It
 * is known from the first look on, which tells nothing. Where Google has forgotten the token (410) all is gone through once more, and told
 * is what is newer than the last look. A round that breaks off goes on at its page. What goes wrong with the calendar alone ends nothing:
 * it is tried again later. On terms without mail there is the calendar alone.
 *
 * Parked it holds the struct and the texts of the cursor; amid a round that Gmail broke off also the ids that are left of a page.
 * The grant has to be there whenever a step is called but the wait's. It is renewed ahead of its end, and kept in the safe before it is
 * used (google.h).
 *
 * A server that is busy (429, 503, 504, and 403 for a limit) has no news and a longer rest, no shorter than its Retry-After, and ever
 * longer while it stays so; that is no failure, and then the report stays until it is parked, and says it. The round goes on where it was.
 * It owns its report: that of the turn under way. After WANT_FAILED the report says why. Stops with the faults of google.h.
 */
#ifndef PROVIDER_GOOGLE_WATCH_H
#define PROVIDER_GOOGLE_WATCH_H

#include "model/calendar_change.h"
#include "model/message.h"
#include "provider/google.h"
#include "provider/rest.h"

#define GOOGLE_NEWS_MOST 50

/* As whom; all of it outlives the watch, but what the grant points to. */
struct google_access {
	const struct google_app   *app;
	const struct oauth_safe   *safe;
	const struct oauth_grant  *grant;
	const char                *address;
	struct terms               terms;
	struct waits               waits;
};

struct google_watch {
	/* in */
	struct google_access   access;
	int                    poll_ms;         /* pause between two polls; 60 s unless it is set                     */
	bool                   told;            /* somebody hears when something happens, and opens rest.stirred      */
	/* in and out: how far the mailbox is known; NULL: not at all, then it is known from now on. Its own, on the heap. */
	char                  *history;
	int64_t                since;           /* where Gmail has forgotten that: received after this is news, Unix seconds */
	char                  *sync, *sync_page;      /* likewise of the calendar; the page that its round is at, NULL: at none */
	int64_t                synced;          /* when the calendar was looked at last, by Google's clock; 0: never          */
	/* out */
	struct report         *report;          /* NULL while parked                                                  */
	struct calendar_news  *entries;         /* as the news, of the calendar                                       */
	size_t                 entry_count;
	struct message        *news;            /* until the next call of any step, or google_watch_told()            */
	size_t                 count;
	int                    busy_ms;         /* so long the server wants to be left alone; 0: it does not say so, in this turn */
	unsigned               polls, throttled;      /* rounds begun, and how often it was busy; the reader sets them back */
	bool                   more;            /* there is more in this round                                        */
	bool                   renumbered;      /* the moment meant nothing any more: the inbox was gone through      */
	bool                   asked;           /* Google took part in the turn under way, or nothing is known against it */
	struct rest            rest;
	/* its own */
	struct google_session *session;         /* NULL while parked                                                  */
	struct mail_address    who;             /*   likewise                                                         */
	struct arena          *page, *ids;      /* of the news; of what is left of a page                             */
	struct google_arrival *arrival;
	size_t                 arrivals, at, taken;
	char                  *next;            /* the page after that; NULL: it was the last                         */
	char                  *until;           /* once the round is over                                             */
	int64_t                newest;          /* received last of all that was seen in it                           */
	unsigned               pages, busy;     /* of the round; refusals in a row                                    */
	bool                   through;         /* a round through the inbox, not through what happened               */
	bool                   reporting;       /* the step of this part is under way                                 */
	bool                   fresh;           /* of the page under way: one at least was received after `since`     */
	bool                   dates;           /* this part is the calendar's                                        */
	bool                   again;           /* its round goes through all, since the token was forgotten          */
	unsigned               calendar_resets; /* the reader sets them back                                          */
	int64_t                dates_ms;        /* not to be asked before, of want.now_ms                             */
	int64_t                mail_ms;         /* likewise of the inbox, unless it stirs; 0: by the poll         */
	int64_t                looked;          /* when the round of it began                                         */
	int                    step, rest_ms;
};

/* `history` is copied. Awake from the beginning; what is known of the calendar may be put in before the first step, from the heap. */
void           google_watch_init(struct google_watch *, const struct google_access *, const char *history, int64_t since);
enum want_kind google_watch_open_step(void *self, struct want *, struct error *);
enum want_kind google_watch_news_step(void *self, struct want *, struct error *);      /* WANT_NOTHING: see count and more */
enum want_kind google_watch_wait_step(void *self, struct want *, struct error *);      /* parked; until it is to be asked again */
void           google_watch_park(struct google_watch *);                                /* the news stay                    */
void           google_watch_told(struct google_watch *);                                /* the news go                      */
void           google_watch_wake(struct google_watch *);
/* After the last news of a turn, of one that is told: the inbox may be left alone for so long, unless it stirs. The calendar, which nobody
 * tells of, is asked as often as before. */
void           google_watch_rest(struct google_watch *, int ms, const struct want *);
void           google_watch_release(struct google_watch *);

#endif
