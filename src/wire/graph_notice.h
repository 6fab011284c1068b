/* graph_notice.h -- change notifications of Microsoft Graph v1.0 as bytes: subscriptions as they are asked for and answered, and the
 * notices that come to whoever has one (facts M B.4).
 *
 * A notice comes from anybody: it is a hint, and nothing in it but its client state says whether it is one of ours. Everything read lies
 * in the arena. Bodies are short documents, bounded and read whole.
 */
#ifndef WIRE_GRAPH_NOTICE_H
#define WIRE_GRAPH_NOTICE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

/* -- subscriptions -- */

#define GRAPH_SUBSCRIPTIONS     "/v1.0/subscriptions"
#define GRAPH_SUBSCRIPTION_LIFE (4200 * 60)      /* seconds: half an hour less than Microsoft's 4230 minutes, for clocks that differ */
#define GRAPH_SUBSCRIPTION_ID   64               /* longest id that is taken: it becomes part of a path                             */
#define GRAPH_CLIENT_STATE      128              /* Microsoft's limit                                                               */

#define GRAPH_INBOX_MESSAGES    "/mailFolders('inbox')/messages"      /* below whose mailbox it is */

struct graph_wish {
	const char *resource;           /* of an inbox: "/me" GRAPH_INBOX_MESSAGES                  */
	const char *url;                /* for notices, and for those about the subscription itself */
	const char *client_state;
	int64_t     until;              /* Unix seconds                                             */
};

/* The body that asks for one on the inbox, and the one that asks for a longer life. False: it would be over the buffer's limit. */
bool graph_subscribe(struct buffer *, const struct graph_wish *);
bool graph_prolong(struct buffer *, int64_t until);

struct graph_subscription {
	const char *id;
	int64_t     until;              /* as Microsoft has it, Unix seconds */
};

/* FAULT_TOO_BIG, FAULT_BROKEN: no such document, an id that is none, no end. */
bool graph_subscription_read(struct slice body, struct arena *, struct graph_subscription *, struct error *);
/* Letters, digits, "-", "_": what may stand in a path as it is. */
bool graph_subscription_is_id(const char *);

/* -- notices -- */

#define GRAPH_NOTICES_MOST 512            /* of one collection: beyond that they are let be, as hints may be */

enum graph_life {
	GRAPH_CHANGED,                  /* something in the folder did           */
	GRAPH_REAUTHORIZE,              /* it ends unless it is renewed soon     */
	GRAPH_REMOVED,                  /* it is no more                         */
	GRAPH_MISSED,                   /* changes were not told; also whatever else they come to tell of its life */
};

struct graph_notice {
	const char     *subscription, *client_state;      /* never NULL; those that lack one are left out */
	enum graph_life life;
};

/* FAULT_TOO_BIG, FAULT_BROKEN: no collection. */
bool graph_notices_read(struct slice body, size_t longest, struct arena *, const struct graph_notice **, size_t *count, struct error *);

/* -- the handshake -- */

#define GRAPH_PROOF 1024

/* May this validation token be said back, as text/plain? Printable ASCII without "<" and ">": nothing that could be a page or a script. */
bool graph_proof(const char *token);

#endif
