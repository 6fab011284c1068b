/* microsoft_watch.h -- the inbox of a mailbox at Microsoft 365 or Outlook.com, watched for new mail: its delta, polled (facts M B.3, B.6).
 *
 * As exchange_watch.h: microsoft_watch_open_step() once, then microsoft_watch_news_step() until it tells no more, microsoft_watch_park(),
 * microsoft_watch_wait_step(), microsoft_watch_wake() and the news again, over and over. Nothing is written at the provider. A mailbox
 * seen for the first time is known from now on: its pages are gone through, and nothing of them is told.
 *
 * Messages are called by immutable ids. Which are news follows from when they were received: after those that were there at first, and
 * no longer than a day before the newest. So a message that is merely read or flagged is none, and where Graph has forgotten the delta all
 * that may be news is told again, to be known by its id. Who wants each told once remembers those ids for two days.
 *
 * Parked it holds the struct and the link: no session, no report, no arena, no line. The grant has to be there whenever a step is called
 * but the wait's. It is renewed ahead of its end, and kept in the safe before it is used (microsoft.h).
 * Pages are read as they come (graph_page.h): of one page what is news is held, as our messages, and no more. They are told when the page
 * has come to its end and is one. Links lead to Graph's own host and v1.0 or are not followed.
 *
 * A server that is busy (429, 503, 504) has no news and a longer rest, no shorter than its Retry-After; that is no failure, and then the
 * report stays until it is parked, and says it.
 * It owns its report: that of the turn under way. After WANT_FAILED the report says why. Stops with the faults of microsoft.h.
 */
#ifndef PROVIDER_MICROSOFT_WATCH_H
#define PROVIDER_MICROSOFT_WATCH_H

#include "model/message.h"
#include "provider/microsoft.h"
#include "provider/rest.h"
#include "wire/graph_page.h"

#define MICROSOFT_NEWS_MOST  50
#define MICROSOFT_FIRST_MOST 250

/* As whom; all of it outlives the watch, but what the grant points to. */
struct microsoft_access {
	const struct microsoft_app   *app;
	const struct oauth_safe  *safe;
	const struct oauth_grant *grant;
	const char                   *address;
	struct terms                  terms;
	const char                   *delegate;    /* who signs in for `address`; NULL: it is their own */
	struct waits                  waits;
};

struct microsoft_watch {
	/* in */
	struct microsoft_access   access;
	int                       poll_ms;         /* pause between two polls; 60 s unless it is set                */
	/* in and out: how far the mailbox is known; NULL: not at all, then it is known from now on. Its own, on the heap. */
	char                     *delta_link;
	int64_t                   since;           /* received after that it is news, Unix seconds                  */
	/* out */
	struct report            *report;          /* NULL while parked                                             */
	struct message           *news;            /* of the last page; until the next call of any step, or microsoft_watch_told() */
	size_t                    count;
	int                       busy_ms;         /* so long the server wants to be left alone; 0: it does not say so, in this turn */
	unsigned                  polls, throttled;      /* questions for news, and how often it was busy; the reader sets them back */
	bool                      more;            /* there is another page                                         */
	bool                      renumbered;      /* the link meant nothing any more: a round from the beginning   */
	bool                      asked;           /* Graph took part in the turn under way, or nothing is known against it */
	/* of who hears that something happened (microsoft_notices.h) */
	bool                      told;            /* somebody does: the wait ends when the gate is open                */
	struct rest               rest;            /* `stirred` is opened by that one             */
	/* its own */
	struct microsoft_session *session;         /* NULL while parked                                             */
	struct mail_address       who;             /*   likewise                                                    */
	struct arena             *page;
	struct graph_page        *reading;         /* the page under way; NULL: nothing of it came                  */
	size_t                    taken, room;     /*   its news so far, and how many more fit                      */
	int64_t                   page_newest;     /*   and the newest in it, news or not                           */
	char                     *next_link;       /* of the round under way; NULL: it begins                       */
	int64_t                   newest;          /*   and the newest that was seen in it                          */
	unsigned                  pages, restarts;
	int                       step, rest_ms;
};

/* `delta_link` is copied. Awake from the beginning. */
void           microsoft_watch_init(struct microsoft_watch *, const struct microsoft_access *, const char *delta_link, int64_t since);
enum want_kind microsoft_watch_open_step(void *self, struct want *, struct error *);
enum want_kind microsoft_watch_news_step(void *self, struct want *, struct error *);      /* WANT_NOTHING: see count and more */
enum want_kind microsoft_watch_wait_step(void *self, struct want *, struct error *);      /* parked; until it is to be asked again */
void           microsoft_watch_park(struct microsoft_watch *);                             /* the news stay                    */
void           microsoft_watch_told(struct microsoft_watch *);                             /* the news go                      */
void           microsoft_watch_wake(struct microsoft_watch *);
void           microsoft_watch_release(struct microsoft_watch *);

#endif
