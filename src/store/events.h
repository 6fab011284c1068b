/* events.h -- what happened, in order, and the outbox of the webhooks.
 *
 * An event is written in the same transaction as what it tells of. From then on it is never lost: event_append() also
 * lays a delivery for every webhook of the workspace that wants its type. Deliveries of one account to one webhook go
 * out in the order of their events, each after the one before has been taken (or given up).
 */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include "store/store.h"

struct event {
	int64_t     seq;                  /* given by the store, rises; also the id of server-sent events */
	const char *id, *workspace;
	const char *account;              /* NULL: of none (an incident) */
	const char *type;                 /* "account.failed" …  */
	const char *data;                 /* JSON object         */
	int64_t     created;
};

/* `seq_out` may be NULL. An id that is there already is FAULT_REFUSED: the same thing is not told twice. */
bool event_append(struct txn *, const struct event *, int64_t *seq_out, struct error *err);
/* Those with a larger seq, oldest first; workspace NULL: of all; account and type may be NULL. */
bool event_list(struct txn *, struct arena *into, const char *workspace, const char *account, const char *type,
                int64_t after, size_t most, struct event **out, size_t *count, struct error *err);
bool event_last(struct txn *, int64_t *seq_out, struct error *err);        /* 0: none yet */
bool event_forget(struct txn *, int64_t before, struct error *err);        /* older, and not waiting for a delivery */

struct webhook {
	const char *id, *workspace, *url;
	const char *types;                /* "account.failed account.connected", "*" for all; its secret is a sealed one, kind "signing" */
	bool        enabled;
	const char *disabled_why;         /* NULL */
	int64_t     created, last_ok, failing_since;
};

bool webhook_insert(struct txn *, const struct webhook *, struct error *err);
bool webhook_get(struct txn *, struct arena *into, const char *workspace, const char *id, struct webhook *out, struct error *err);
bool webhook_update(struct txn *, const struct webhook *, struct error *err);
/* Only these two; what is not there is no fault. */
bool webhook_heard(struct txn *, const char *id, int64_t last_ok, int64_t failing_since, struct error *err);
bool webhook_delete(struct txn *, const char *workspace, const char *id, struct error *err);        /* and its deliveries */
bool webhook_list(struct txn *, struct arena *into, const char *workspace, struct webhook **out, size_t *count, struct error *err);

struct delivery {
	int64_t        id;
	const char    *webhook;
	struct event   event;
	unsigned       tries;             /* that failed */
	int64_t        next_try;
	int64_t        delivered;         /* 0: not yet  */
	bool           given_up;
	int            status;            /* of the last answer, 0 none */
	const char    *note;              /* what went wrong, NULL */
};

/* Of every enabled webhook for which something waits: when the first of it may go out. By id. */
struct webhook_waits { const char *webhook; int64_t due; };
bool delivery_waiting(struct txn *, struct arena *into, struct webhook_waits **out, size_t *count, struct error *err);
/* Those of it that may go out now: the first one waiting of each account, whose time has come; by their times. */
bool delivery_due(struct txn *, struct arena *into, const char *webhook, int64_t now, size_t most, struct delivery **out, size_t *count,
                  struct error *err);
/* What was answered. FAULT_ABSENT: it is not the first of its queue any more (deleted, or a replay has put an earlier one before it, after
 * which it goes out again), and nothing is changed. */
bool delivery_taken(struct txn *, int64_t id, int status, int64_t now, struct error *err);
bool delivery_failed(struct txn *, int64_t id, int status, const char *note, int64_t next_try, bool give_up, struct error *err);
/* None waits longer than until then: the clock that set its time may have been wrong. */
bool delivery_hasten(struct txn *, int64_t latest, struct error *err);
/* Again from that event on, whatever became of them. */
bool delivery_replay(struct txn *, const char *webhook, int64_t from_seq, int64_t now, int64_t *count, struct error *err);
bool delivery_list(struct txn *, struct arena *into, const char *webhook, int64_t before_id, size_t most,
                   struct delivery **out, size_t *count, struct error *err);           /* newest first; before_id 0: from the newest */
bool delivery_counts(struct txn *, int64_t *waiting, int64_t *given_up, struct error *err);

#endif
