/* imap_watch.h -- the inbox of a signed-in session, watched for new mail (RFC 9051, 2177 IDLE, 5465 NOTIFY).
 *
 * Three conversations, run in turns: imap_watch_open_step() once; then imap_watch_news_step() until it tells no more, and
 * imap_watch_wait_step(), over and over. While it waits the session is parked: it holds the line and a few numbers, no
 * report, no reader, no arena. Nothing is written at the provider: EXAMINE and PEEK.
 *
 * It owns its report: that of the turn under way. After WANT_FAILED the report says why.
 * Stops with FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS, FAULT_BROKEN, FAULT_TOO_BIG, FAULT_REFUSED (the inbox does not open; or
 * the server says BYE).
 */
#ifndef PROVIDER_IMAP_WATCH_H
#define PROVIDER_IMAP_WATCH_H

#include "model/message.h"
#include "provider/imap.h"

#define IMAP_NEWS_MOST 50

struct imap_watch {
	/* in */
	struct imap_session *imap;                   /* signed in, of the report below                                      */
	const char          *address;                /* for the reports                                                     */
	int                  idle_ms, poll_ms;       /* longest quiet wait (RFC 2177: under 29 minutes); pause between polls */
	/* in and out: how far the mailbox is known; 0 not at all, then it is known from now on */
	uint32_t             uidvalidity, uidnext;
	/* out */
	struct report       *report;                 /* NULL while parked                                                   */
	bool                 renumbered;             /* the old UIDs mean nothing any more: what came meanwhile was not told */
	bool                 idles, parked;
	struct message      *news;                   /* of the last page; until the next call of any step                   */
	size_t               count;
	bool                 more;                   /* there is another page; `uidnext` moves when all are told            */
	/* its own */
	struct arena        *page;
	int                  step;
	bool                 stirred, asking, fetching, notifies, cannot_idle, cannot_notify;
	unsigned             tag, idle_tag;
	uint32_t             exists, server_next, highest;
};

/* The report becomes the watch's. `can_…` are taken from the session's capabilities, which is asked for them again if need be. */
void           imap_watch_init(struct imap_watch *, struct imap_session *, struct report *, const char *address);
enum want_kind imap_watch_open_step(void *self, struct want *, struct error *);
enum want_kind imap_watch_news_step(void *self, struct want *, struct error *);      /* WANT_NOTHING: see count and more      */
enum want_kind imap_watch_wait_step(void *self, struct want *, struct error *);      /* WANT_NOTHING: there may be news       */
void           imap_watch_release(struct imap_watch *);                              /* not the session                       */

#endif
