/* microsoft_notices.h -- having Microsoft Graph say when something happens in an inbox: a subscription, asked for, prolonged, replaced
 * (facts M B.4).
 *
 * It goes beside a microsoft_watch.h and in its session: microsoft_notices_step() once in each turn before the news, so that nothing falls
 * between, asks what is due and nothing else. What it says comes in elsewhere, and is brought here by microsoft_notices_hear(): it wakes
 * the watch, which asks for the delta. Notices are hints; the delta is the truth, and it is polled all the same, seldom.
 *
 * One subscription for a mailbox. It is known by a word of ours, its nonce, which stands in the client state together with its proof; so
 * one that was asked for and never written down is nobody's, whatever it says, and ends by itself. It is prolonged once half of its life is
 * over, when Graph wants it, and when nobody has asked after it for an hour. One that Graph has lost, or whose place or proof are not
 * those of today, is replaced.
 *
 * Nothing of it stops a watch. A Graph that cannot or will not is asked again later, ever later up to six hours, no sooner than its
 * Retry-After; that it does not reach us is known to all mailboxes of a place at once. Then `troubled` and `why` say so, once for each
 * new reason. Where a notice was due and none came, it is polled as if there were none, until one does.
 *
 * Stops only with what stops the watch as well: the grant was refused or is not kept, or it is called off.
 */
#ifndef PROVIDER_MICROSOFT_NOTICES_H
#define PROVIDER_MICROSOFT_NOTICES_H

#include "provider/microsoft_watch.h"
#include "wire/graph_notice.h"

#define MICROSOFT_NONCE 16
#define MICROSOFT_MARK  16

/* Where Graph is to say it, of many mailboxes of one loop; it outlives them. */
struct microsoft_place {
	const char  *url;                  /* https; NULL: it cannot reach us, and what is there is ended        */
	char         mark[MICROSOFT_MARK + 1];   /* of the url, and of whatever proofs are made with             */
	/* its own */
	unsigned     refusals;             /* in a row                                                           */
	int64_t      closed_ms;            /* not to be asked for before, of want.now_ms                         */
};

/* As it is kept from start to start. */
struct microsoft_subscription {
	char    id[GRAPH_SUBSCRIPTION_ID + 1];   /* "": none */
	char    nonce[MICROSOFT_NONCE + 1], mark[MICROSOFT_MARK + 1];
	int64_t asked, until;                    /* Unix seconds: when it was asked after last, and when it ends */
};

/* Who can prove that a client state is ours. */
struct microsoft_prover {
	void        *self;
	/* At most GRAPH_CLIENT_STATE bytes, from `into`: that nonce, and what nobody else can make of it. */
	const char *(*client_state)(void *self, const char *nonce, struct arena *into);
};

struct microsoft_notices {
	/* in */
	struct microsoft_place       *place;         /* NULL: none are wanted, and all below does nothing             */
	struct microsoft_prover       prover;
	/* in and out */
	struct microsoft_subscription kept;
	/* out */
	bool                          lost;          /* the line of that turn was, over the asking: open another, and go on; set it back */
	bool                          troubled;      /* there is a new reason why there is none; the reader sets it back */
	char                          why[80];
	unsigned                      heard;         /* notices that were its own; the reader sets it back            */
	/* its own */
	struct microsoft_watch       *watch;
	struct arena                 *job;           /* of the question under way */
	struct buffer                 body;
	int                           step, asking, errands;
	char                          nonce[MICROSOFT_NONCE + 1];      /* of the one being asked for */
	int64_t                       ends_ms, prolong_ms, next_ms, made_ms;      /* of want.now_ms */
	unsigned                      failures, removals;
	bool                          begun, reauthorize, removed, woken, stood, untold;
};

/* `kept`: NULL, or as it was written down. The watch and the place outlive it. */
void           microsoft_notices_init(struct microsoft_notices *, struct microsoft_watch *, struct microsoft_place *,
                                      const struct microsoft_prover *, const struct microsoft_subscription *kept);
void           microsoft_notices_release(struct microsoft_notices *);
/* The watch is awake and its grant there. WANT_NOTHING: what was due is done, or will be later. */
enum want_kind microsoft_notices_step(void *self, struct want *, struct error *);
/* After the last news of a turn, before the watch is parked: how long it may rest. */
void           microsoft_notices_rest(struct microsoft_notices *, const struct want *);
/* What came in, its client state proven already. Opens the watch's gate. False: it is not of this one's subscription. */
bool           microsoft_notices_hear(struct microsoft_notices *, const char *nonce, const struct graph_notice *);
/* A subscription stands, as far as is known. */
bool           microsoft_notices_stand(const struct microsoft_notices *, int64_t now_ms);

#endif
