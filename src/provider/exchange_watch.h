/* exchange_watch.h -- the inbox of a mailbox at Exchange, watched for new mail (facts M C.3, C.4): SyncFolderItems, polled, or asked
 * when a stream of the server's says that something happened (exchange_stream.h).
 *
 * Like imap_watch.h: exchange_watch_open_step() once, then exchange_watch_news_step() until it tells no more, exchange_watch_park(),
 * exchange_watch_wait_step(), exchange_watch_wake() and the news again, over and over. Nothing is written at the provider. A mailbox
 * seen for the first time is known from now on: its pages are counted through, and nothing of them is told.
 *
 * Parked it holds the struct and the sync state, and its stream, where it has one: no session, no report, no arena. A poll is a line
 * of its own, so that ten thousand mailboxes hold nothing at their servers between two of them; the handshake is resumed, and the
 * sign-in is the question itself. So the login has to be there whenever a step is called but the wait's, and may be gone while parked.
 *
 * With a stream it is polled all the same, seldom (`rest_ms`), for a server that forgets to tell; and where none can be had, as if
 * none were wanted. Waits have dice, so that those that began together do not go on so.
 *
 * A server that is busy (503 with Retry-After, BackOffMilliseconds, too many connections) has no news and a longer rest; that is no
 * failure, and then the report stays until it is parked, and says it.
 * It owns its report: that of the turn under way. After WANT_FAILED the report says why, and `refused` whether the login was.
 * Stops with the faults of exchange.h.
 */
#ifndef PROVIDER_EXCHANGE_WATCH_H
#define PROVIDER_EXCHANGE_WATCH_H

#include "model/message.h"
#include "provider/exchange_group.h"

#define EXCHANGE_NEWS_MOST  50
#define EXCHANGE_FIRST_MOST 512

/* Where and as whom; all of it outlives the watch, but the login. */
struct exchange_access {
	const struct endpoint *endpoint;
	const struct login    *login;
	const char            *address;            /* for the reports                                        */
	const char            *mailbox;            /* as exchange_session's address                          */
	bool                   others, act_as;     /* likewise                                               */
	struct waits           waits;
};

struct exchange_watch {
	/* in */
	struct exchange_access   access;
	int                      poll_ms;          /* pause between two polls; 60 s unless it is set          */
	/* in and out: how far the mailbox is known; NULL: not at all, then it is known from now on. Its own, on the heap. */
	char                    *sync_state;
	/* out */
	struct report           *report;           /* NULL while parked                                      */
	struct message          *news;             /* of the last page; until the next call of any step, or exchange_watch_told() */
	size_t                   count;
	int                      rest_ms;          /* until the next poll, without dice                      */
	int                      busy_ms;          /* so long the server wants to be left alone; 0: it does not say so, in this turn */
	unsigned                 polls, throttled; /* questions for news, and how often it was busy; the reader sets them back */
	bool                     more;             /* there is another page                                  */
	bool                     renumbered;       /* the sync state meant nothing any more: what came meanwhile was not told */
	bool                     asked, refused;   /* of the login, in the turn under way                    */
	struct exchange_stream  *stream;           /* its own, or with a seat its part of one; NULL: none is wanted */
	struct exchange_seat    *seat;             /* in a group that shares a stream; NULL: in none         */
	/* its own */
	bool                     back;             /* the next question is the sign-in                       */
	struct exchange_session *session;          /* NULL while parked                                      */
	struct arena            *page;
	const char              *schema, *next;
	const char             **id;
	size_t                   ids;
	struct ews_folder        folder;
	enum web_scheme          scheme;
	int                      step;
	struct { int step; }     through, wait;
	int64_t                  turned_ms, until_ms;
	bool                     subscribing, opening, waited;
};

/* `sync_state` is copied. Awake from the beginning. */
void           exchange_watch_init(struct exchange_watch *, const struct exchange_access *, const char *sync_state);
void           exchange_watch_streams(struct exchange_watch *);                          /* before the first step: a stream is wanted */
void           exchange_watch_shares(struct exchange_watch *, struct exchange_group *);  /* likewise: one with others, of its group */
bool           exchange_watch_is_told(const struct exchange_watch *);                    /* a stream stands that tells of it */
enum want_kind exchange_watch_open_step(void *self, struct want *, struct error *);
enum want_kind exchange_watch_news_step(void *self, struct want *, struct error *);      /* WANT_NOTHING: see count and more */
enum want_kind exchange_watch_wait_step(void *self, struct want *, struct error *);      /* parked; until it is to be asked again */
void           exchange_watch_park(struct exchange_watch *);                             /* the news stay                    */
void           exchange_watch_told(struct exchange_watch *);                             /* the news go                      */
void           exchange_watch_wake(struct exchange_watch *);
void           exchange_watch_release(struct exchange_watch *);

#endif
