/* redeemer.h -- redeems the codes that people bring back from a sign-in page.
 *
 * A loop and a thread of its own, as the finder has: a person waits for it in their browser. So many at once, each bounded in time.
 * Nothing is kept here: what came of it is for whoever asked.
 */
#ifndef SERVE_REDEEMER_H
#define SERVE_REDEEMER_H

#include <sys/queue.h>

#include "flow_signin.h"
#include "net/net.h"
#include "serve/service.h"

#define REDEEMER_MOST 64         /* at once            */
#define REDEEMER_MS   20000      /* the whole of one   */

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

/* Begins its thread. The daemon must live as long. FAULT_LOCAL. */
struct redeemer *redeemer_start(const struct daemon *, struct error *err);

/* Any thread. False: too many are under way, or it stops; nothing is begun, and redeemed() is not called. */
bool redeemer_take(struct redeemer *, struct redemption *);

/* What is under way is called off, and redeemed() was called for all of it when this returns; nothing is taken from then on. NULL is
 * fine. */
void redeemer_stop(struct redeemer *);
/* Once nobody asks any more. Stops it, where that was not done. NULL is fine. */
void redeemer_free(struct redeemer *);

/* For who wants to know whether it still turns; until redeemer_stop(). */
struct net *redeemer_loop(const struct redeemer *);

#endif
