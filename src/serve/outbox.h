/* outbox.h -- the webhooks' side of the events: what the store has laid for a webhook goes out by POST, and what was answered goes back.
 *
 * Promises. Each delivery goes out at least once, also across kill -9: it waits in the store until a 2xx has come and that is kept.
 * Deliveries of one account to one webhook go out in the order of their events, the next one only after the answer to the one before is
 * kept. A webhook that hangs, floods or fails delays no other: each has a few conversations of its own, at first one, one more after each
 * success, and while it fails one with a rest between. Redirects are answers. Where a name leads is looked up and, by net/, checked on
 * the address that is connected to; plain http goes to addresses of [net] allow only.
 *
 * What is not taken is tried again by a table of pauses, then given up. 410, and failing for days, disable the webhook. Nothing is sent
 * while the store cannot keep what was answered. Holds no text of a mail longer than a delivery takes, and logs none.
 */
#ifndef SERVE_OUTBOX_H
#define SERVE_OUTBOX_H

#include "net/net.h"
#include "serve/service.h"

#define OUTBOX_PAUSES 9

struct outbox_limits {
	unsigned posts, posts_webhook;         /* side by side                                                      */
	unsigned posts_failing;                /*   of these for all webhooks that fail                             */
	int      post_ms;                      /* the whole of one: look-up, connection, answer                     */
	int      answer_most;                  /* bytes of an answer that are read                                  */
	int      pause_ms[OUTBOX_PAUSES];      /* of a delivery, after its first failure, the second …; then it is given up */
	unsigned failures;                     /* in a row, after which a webhook rests …                           */
	int      rest_ms, rest_most_ms;        /*   so long, doubled up to                                          */
	int64_t  disable_ms;                   /* failing without a success for so long disables it                 */
	int      drain_ms;                     /* what is under way may go on for so long when we stop              */
	int      keep_again_ms;                /* until the store is tried again that could not keep                */
};

extern const struct outbox_limits outbox_usual;

struct outbox;

/* In the loop's own thread or before it runs. Daemon and limits must live as long as the outbox; it uses store, vault, bus and net. */
struct outbox *outbox_start(struct net *, struct daemon *, const struct outbox_limits *);
/* Takes nothing up any more, lets what is under way end, keeps what was answered; what was not will go out again. From another thread,
 * while the loop runs, before net_stop(): after it what is under way is cut off, and this only waits for that. Once. */
void           outbox_stop(struct outbox *);
/* After net_free(). NULL is fine. */
void           outbox_free(struct outbox *);

/* In the loop's own thread: what has its next try in the store would be late, and is tried now. NULL is fine. */
void outbox_clock_set_back(struct outbox *);

struct outbox_counts { int64_t sent, failed, given_up, under_way; };      /* since the start; of deliveries */
void outbox_counts(const struct outbox *, struct outbox_counts *out);     /* any thread */

#endif
