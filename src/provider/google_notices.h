/* google_notices.h -- having Gmail say by Cloud Pub/Sub when something happens in an inbox: a watch, asked for, renewed once a day, ended
 * (facts G B.3).
 *
 * It goes beside a google_watch.h and in its session: google_notices_step() once in each turn before the news, so that nothing falls
 * between, asks what is due and nothing else. What is pushed comes in elsewhere, and is brought here by google_notices_hear(): it wakes the
 * watch, which asks for what happened. Pushes are hints, may come late or not at all; so it is asked all the same, seldom.
 *
 * A mailbox has one watch for all of our registration's accounts. It ends by itself after a week.
 *
 * Nothing of it stops a watch of ours. A Gmail that will not (the topic is not there, or Gmail may not publish to it) is asked again
 * later, ever later up to six hours, no sooner than its Retry-After; that is known to all mailboxes of a loop at once. Then `troubled` and
 * `why` say so, once for each new reason. Where a poll found what should have been told, it is polled as if there were none, until a push
 * comes; and the watch is asked for anew.
 *
 * Stops only with what stops the watch as well: the grant was refused or is not kept, or it is called off.
 */
#ifndef PROVIDER_GOOGLE_NOTICES_H
#define PROVIDER_GOOGLE_NOTICES_H

#include "provider/google_watch.h"
#include "wire/google_push.h"

#define GOOGLE_TOPIC_MARK 16

/* Which topic Gmail is to publish to, for many mailboxes of one loop; it outlives them. */
struct google_topic {
	const char  *name;                 /* "projects/P/topics/T"; NULL: none, and a watch that is there is ended */
	char         mark[GOOGLE_TOPIC_MARK + 1];      /* of the name                                            */
	/* its own */
	unsigned     refusals;             /* in a row                                                     */
	int64_t      closed_ms;            /* not to be asked for before, of want.now_ms                   */
};

/* As it is kept from start to start. */
struct google_watched {
	char    mark[GOOGLE_TOPIC_MARK + 1];     /* of the topic; "": there is none                               */
	int64_t asked, until;              /* Unix seconds: when it was asked for last, and when it ends    */
};

/* Who brings what is pushed about a mailbox. */
struct google_listener {
	void  *self;
	/* From now on, by the address that Gmail has for it; called before the watch is asked for. */
	void (*listen)(void *self, const char *mailbox);
};

struct google_notices {
	/* in */
	struct google_topic   *topic;      /* NULL: none is wanted, and all below does nothing               */
	struct google_listener listener;
	/* in and out */
	struct google_watched  kept;
	/* out */
	bool                   lost;       /* the line of that turn was, over the asking: open another, and go on; set it back */
	bool                   troubled;   /* there is a new reason why there is none; the reader sets it back */
	char                   why[160];
	unsigned               heard;      /* pushes; the reader sets it back                                */
	/* its own */
	struct google_watch   *watch;
	struct buffer          body;
	int                    step, asking, errands;
	int64_t                ends_ms, renew_ms, next_ms;      /* of want.now_ms                            */
	unsigned               failures;
	bool                   begun, woken, stood, untold;
};

/* `kept`: NULL, or as it was written down. The watch and the topic outlive it. */
void           google_notices_init(struct google_notices *, struct google_watch *, struct google_topic *, const struct google_listener *,
                                   const struct google_watched *kept);
void           google_notices_release(struct google_notices *);
/* The watch is awake and its grant there. WANT_NOTHING: what was due is done, or will be later. */
enum want_kind google_notices_step(void *self, struct want *, struct error *);
/* After the last news of a turn, before the watch is parked: how long it may rest. */
void           google_notices_rest(struct google_notices *, const struct want *);
/* Something was pushed about this mailbox, proven already. Opens the watch's gate. */
void           google_notices_hear(struct google_notices *);
/* A watch stands, as far as is known. */
bool           google_notices_stand(const struct google_notices *, int64_t now_ms);

#endif
