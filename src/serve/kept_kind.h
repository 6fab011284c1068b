/* kept_kind.h -- what is particular to one way into a mailbox where it is held by the daemon: a row each, in kept_imap.c and so on.
 *
 * The order of things is kept.c's, for all of them; watch/mailbox.h holds the mailbox itself. All of it runs in the thread of the
 * account's loop.
 */
#ifndef SERVE_KEPT_KIND_H
#define SERVE_KEPT_KIND_H

#include "serve/kept.h"

#define CURSOR_LONGEST ((size_t)2 * 1024 * 1024)      /* a sync state of the longest that is read, as JSON */

struct kept_kind {
	const char *interface;       /* flow_worked's; NULL: it has none                                       */
	bool        granted;         /* signed in to with a grant, and no password                             */
	/* Begins k->mailbox: memory is there, and k->address; `place` has a host that lives as long as the mailbox. */
	void      (*open)(struct kept *k, const struct mailbox_owner *, const struct flow_worked *, const struct endpoint *place);
	/* A turn is over: what is counted and said of it. NULL: nothing. */
	void      (*count)(struct kept *, struct mailbox *);
	/* How far the mailbox is known, as members of account.cursor. */
	void      (*cursor)(const struct mailbox *, cJSON *into);
};

extern const struct kept_kind kept_by_imap, kept_by_ews, kept_by_graph, kept_by_gmail, kept_by_gmail_imap,
                              kept_by_caldav;

/* By what worked; never NULL. */
const struct kept_kind *kept_kind_of(const struct flow_worked *);

#endif
