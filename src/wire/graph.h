/* graph.h -- Microsoft Graph v1.0 as bytes: what is asked for in one batch, and what answers say (facts M B.1-B.7; CSDL of v1.0).
 *
 * Answers of one mailbox's questions are short documents, but for what is new in a folder; they are bounded and read whole. Everything read
 * lies in the arena.
 */
#ifndef WIRE_GRAPH_H
#define WIRE_GRAPH_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

#define GRAPH_ANSWER  ((size_t)1024 * 1024)
#define GRAPH_CODES   4
#define GRAPH_BATCH   20                      /* Microsoft's limit on requests in one */
#define GRAPH_ADDRESSES 64

/* Behind "/me", or "/users/…". */
#define GRAPH_WHO "?$select=id,displayName,mail,userPrincipalName,proxyAddresses,otherMails,userType,onPremisesSyncEnabled,assignedPlans"

/* {"error":{"code":…,"message":…,"innerError":{…}}}; the codes from the outermost in. */
struct graph_error {
	const char *code[GRAPH_CODES];
	size_t      codes;
	const char *message, *request_id;
};

/* False where the body is no such document: the front door answers with pages and with nothing (facts M B.7). */
bool graph_error_read(struct slice body, struct arena *, struct graph_error *);

struct graph_user {
	const char *id, *display_name, *mail, *user_principal_name;
	const char *address[GRAPH_ADDRESSES];  /* all of them, mail first: UPN, proxyAddresses without "smtp:", otherMails */
	size_t      addresses;
	const char *exchange_plan;             /* capabilityStatus of a plan of service "exchange", the best; NULL: none     */
	bool        plans_told, on_premises_sync_enabled;
	bool        guest, personal;           /* personal: an account of Microsoft's own, not of an organisation (B.8)      */
};

/* FAULT_TOO_BIG, FAULT_BROKEN. */
bool graph_user_read(struct slice body, struct arena *, struct graph_user *, struct error *);

/* -- batches (facts M B.5) -- */

struct graph_question {
	const char *method, *url;              /* relative to the version root: "GET" "/me/calendar" */
};

/* Numbered from 1. */
bool graph_batch(struct buffer *, const struct graph_question *, size_t count);

struct graph_reply {
	int         status;                    /* 0: there is none of that number */
	int         retry_after;               /* seconds; 0: not told            */
	struct slice body;                     /* JSON, or nothing                */
};

/* `reply[i]` is that of the i-th question, in whatever order they came. */
bool graph_batch_read(struct slice body, struct arena *, struct graph_reply *reply, size_t count, struct error *);

/* -- what is new in a folder (facts M B.3); its pages: graph_page.h -- */

#define GRAPH_LINK  ((size_t)16 * 1024)       /* longest that is followed */

/* The first question of a round; what is asked for there goes on through all of its pages, and those after it. */
#define GRAPH_INBOX_DELTA "/mailFolders/inbox/messages/delta?$select=subject,from,internetMessageId,receivedDateTime"

/* What to ask for where a link leads to. NULL: to another host than `host`, without TLS, out of v1.0, or not to be said in a request.
 * Points into the link. */
const char *graph_link_target(const char *link, const char *host);

/* -- messages -- */

#define GRAPH_MESSAGES 50

/* What graph_messages_read() is told of; PR_MESSAGE_CLASS says what is a report. */
#define GRAPH_MESSAGE_FIELDS "$select=id,subject,from&$expand=singleValueExtendedProperties($filter=id%20eq%20'String%200x001A')"

struct graph_message {
	const char *id, *subject, *from, *message_class;      /* NULL: not told */
};

/* Of a page, as many as fit; their count, -1: it is no page. */
int  graph_messages_read(struct slice body, struct arena *, struct graph_message *, size_t most);

/* -- events -- */

/* What graph_events_read() is told of. */
#define GRAPH_EVENT_FIELDS "$select=id,subject,transactionId,start"

struct graph_event {
	const char *id, *subject, *transaction;      /* NULL: not told                                                  */
	const char *start, *zone;                    /* "2026-11-23T03:00:00.0000000" by the clocks of that zone; NULL   */
};

/* Of a page, as many as fit; their count, -1: it is no page. */
int  graph_events_read(struct slice body, struct arena *, struct graph_event *, size_t most);

struct graph_new_event {
	const char *transaction, *subject;           /* by its transaction it is known again                            */
	const char *start, *end;                     /* "2026-11-23T03:00:00", by the clocks of                         */
	const char *zone;                            /*   as Windows or the IANA calls it                               */
};

/* A private event that keeps nobody busy, without guests and reminder. `whole` false: only where it is moved to. No text of it may need
 * to be escaped. False: no room. */
bool graph_event_write(struct buffer *, const struct graph_new_event *, bool whole);

/* -- bits -- */

/* How many items a page has, and whether another follows; -1: it is no page. */
int  graph_page_count(struct slice body, bool *more);
/* A member's text of a document. NULL: none. `path` like "from.emailAddress.address"; of a page's first item where the document is a page. */
const char *graph_text(struct slice body, const char *path, struct arena *);

#endif
