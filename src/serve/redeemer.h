/* redeemer.h -- redeems the codes that people bring back from a sign-in page.
 *
 * A loop and a thread of its own, as the finder has: a person waits for it in their browser. So many at once, each bounded in time.
 * Nothing is kept here: what came of it is for whoever asked.
 */
#ifndef SERVE_REDEEMER_H
#define SERVE_REDEEMER_H

#include <sys/queue.h>

#include "flow_signin.h"
#include "model/google_page.h"
#include "net/net.h"
#include "serve/service.h"

#define REDEEMER_MOST 64         /* at once            */
#define REDEEMER_MS   20000      /* the whole of one   */

#define REHEARSAL_MS      4000                          /* somebody waits for it: then they go all the same */
#define REHEARSED_WELL_MS (60 * 60 * (int64_t)1000)     /* so long what was told counts for others           */
#define REHEARSED_ILL_MS  (60 * (int64_t)1000)

struct redeemer;

/* Belongs to the caller, with all that `request` leads to, until redeemed() is called. */
struct redemption {
	/* in */
	struct signin_request request;
	void                (*redeemed)(struct redemption *);      /* once, in the redeemer's thread: must not block there */
	/* out: at redeemed() */
	struct report        *report;                              /* the caller's; keeps what `result` leads to */
	struct verdict        verdict;
	struct signin_result  result;
	/* its own */
	struct redeemer      *redeemer;
	struct signin        *signin;
	struct task           task;
	struct net_post       post;
};

/* Whether a provider's page knows us (flow_signin.h), asked before somebody is sent there. Belongs to the caller likewise. */
struct rehearsal {
	/* in */
	const struct signin_provider *at;
	struct apps                   apps;
	const char                   *redirect_uri;
	enum rights                   rights;
	void                        (*rehearsed)(struct rehearsal *);      /* once, in the redeemer's thread: must not block there */
	/* out: at rehearsed() */
	char                          code[GOOGLE_PAGE_CODE];              /* the provider's word for what is wrong; "": nothing is, or it
	                                                                    * does not tell */
	/* its own */
	struct redeemer              *redeemer;
	struct inquiry               *inquiry;
	struct task                   task;
	struct net_post               post;
};

/* Begins its thread. The daemon must live as long. FAULT_LOCAL. */
struct redeemer *redeemer_start(const struct daemon *, struct error *err);

/* Any thread. False: too many are under way, or it stops; nothing is begun, and redeemed() is not called. */
bool redeemer_take(struct redeemer *, struct redemption *);

/* Any thread. False: nothing has to be asked. Then `code` is what was told to somebody a moment ago, or "" where that page knows us, does
 * not tell such things, or nobody can ask now; and rehearsed() is not called. */
bool redeemer_rehearse(struct redeemer *, struct rehearsal *);

/* What is under way is called off, and redeemed() was called for all of it when this returns; nothing is taken from then on. NULL is
 * fine. */
void redeemer_stop(struct redeemer *);
/* Once nobody asks any more. Stops it, where that was not done. NULL is fine. */
void redeemer_free(struct redeemer *);

/* For who wants to know whether it still turns; until redeemer_stop(). */
struct net *redeemer_loop(const struct redeemer *);

#endif
