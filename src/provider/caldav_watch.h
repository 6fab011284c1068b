/* caldav_watch.h -- the calendars of one home, watched for what changes in them (facts G G.2; RFC 6578, 4791).
 *
 * As exchange_watch.h: caldav_watch_open_step() once, then caldav_watch_news_step() until it tells no more, caldav_watch_park(),
 * caldav_watch_wait_step(), caldav_watch_wake() and the news again, over and over. Nothing is written at the provider.
 *
 * A turn is one question where nothing has changed: the calendars, with the tokens and tags that say so. Of one that has changed the
 * names and tags of what did are asked for (caldav_sync.h), and what they hold, a hundred at a time. What is known of the entries is
 * remembered by whoever keeps it (`memory`), name by name, so that after a token that a server no longer takes, or at one that has
 * no tokens, all there is can be compared with all that was: what is gone is told, and what is the same is not. A calendar that is seen
 * for the first time is known from now on, and nothing of it is told. One that is gone from its home is gone when its own place says so.
 *
 * Calendars beyond CALDAV_WATCHED, and those that may not be read (of which only when somebody is busy may be known), are left alone;
 * one that is refused or beyond CALDAV_CHANGES is left alone until it changes again. Rules of recurring events are not run here, and of
 * zones only what names them is looked at.
 *
 * Parked it holds the struct and of each calendar its place and tokens. The login has to be there whenever a step is called but the wait's.
 * It owns its report: that of the turn under way. After WANT_FAILED the report says why, and `refused` whether the login was. A server
 * that is busy has no news and a longer rest; that is no failure, and then the report stays until it is parked.
 */
#ifndef PROVIDER_CALDAV_WATCH_H
#define PROVIDER_CALDAV_WATCH_H

#include "model/calendar_change.h"
#include "provider/caldav_sync.h"

#define CALDAV_WATCHED       50
#define CALDAV_NEWS_MOST    100      /* of one page */
#define CALDAV_FIRST_MOST  1000      /*   of one that is not told */
#define CALDAV_TITLE       1000      /* bytes */

struct caldav_known {
	const char *name, *etag;
};

/* What was kept of the entries, read now. Strings from `into`. */
struct caldav_memory {
	/* FAULT_ABSENT: no such entry is known. */
	bool (*entry)(void *self, const char *calendar, const char *name, struct arena *into, struct caldav_known *out, struct error *);
	/* In the order of their names' bytes, those after that name; none: there are no more. */
	bool (*entries)(void *self, const char *calendar, const char *after, struct arena *into, struct caldav_known **out, size_t *count,
	                struct error *);
	void  *self;
};

/* Where and as whom; all of it outlives the watch, but the login. */
struct caldav_access {
	const struct endpoint *endpoint;       /* `path`: the home of the calendars, or a calendar   */
	const struct login    *login;
	const char            *address;        /* for the reports                                    */
	struct waits           waits;
};

/* Its own, on the heap. */
struct caldav_watched {
	char *target, *name;                   /* name NULL: it has none                             */
	char *token, *tag;                     /* how far it is known; NULL: the server has none     */
	char *left;                            /* it failed by itself, when it was like that         */
	bool  known;                           /* it has been gone through once                      */
	bool  due;                             /* in this turn                                       */
	bool  missing;                         /*   it is not in its home any more                   */
	const char *token_now, *tag_now;       /*   as they were listed; of the report               */
};

struct caldav_watch {
	/* in */
	struct caldav_access   access;
	struct caldav_memory   memory;
	int                    poll_ms;        /* pause between two turns; 5 minutes unless it is set */
	/* in and out */
	struct caldav_watched *calendar;
	size_t                 calendars;
	/* out */
	struct report         *report;         /* NULL while parked                                  */
	struct calendar_news  *news;           /* of the last page; until the next call of any step, or caldav_watch_told() */
	size_t                 count;
	int                    busy_ms;        /* so long the server wants to be left alone; 0: it does not say so, in this turn */
	unsigned               polls, throttled, resets;      /* the reader sets them back            */
	bool                   more;           /* there is another page                              */
	bool                   asked, refused; /* of the login, in the turn under way                */
	/* its own */
	struct caldav_session *session;        /* NULL while parked                                  */
	struct arena          *page;
	struct caldav_turn    *turn;           /* the calendar under way; NULL: none                 */
	enum web_scheme        scheme;
	bool                   opened, itself, listed;
	int                    step, rest_ms;
	struct { int step; }   opening, wait;
};

void           caldav_watch_init(struct caldav_watch *, const struct caldav_access *, const struct caldav_memory *);
/* Before the first step: how far one calendar is known. All copied. */
void           caldav_watch_knows(struct caldav_watch *, const char *target, const char *name, const char *token, const char *tag);
enum want_kind caldav_watch_open_step(void *self, struct want *, struct error *);
enum want_kind caldav_watch_news_step(void *self, struct want *, struct error *);      /* WANT_NOTHING: see count and more */
enum want_kind caldav_watch_wait_step(void *self, struct want *, struct error *);      /* parked; until it is to be asked again */
void           caldav_watch_park(struct caldav_watch *);                               /* the news stay                    */
void           caldav_watch_told(struct caldav_watch *);                               /* the news go                      */
void           caldav_watch_wake(struct caldav_watch *);
void           caldav_watch_release(struct caldav_watch *);

#endif
