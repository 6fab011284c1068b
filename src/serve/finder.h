/* finder.h -- finds out, for whoever asks the API, where a mailbox may be.
 *
 * A loop and a thread of its own, so that no mailbox and no webhook waits for a stranger's name servers. So many searches at once, of one
 * workspace and of all; each bounded in time. What a search asks is bounded by the policy for targets like everything that the
 * daemon does (net/policy.c), and it never has a credential to send.
 */
#ifndef SERVE_FINDER_H
#define SERVE_FINDER_H

#include <sys/queue.h>

#include "flow.h"
#include "net/net.h"
#include "serve/service.h"

struct finder;

struct finder_limits {
	unsigned searches, searches_workspace;       /* at once            */
	int      search_ms;                          /* the whole of one   */
};

extern const struct finder_limits finder_usual;

/* One search. Belongs to the caller, with all that `request` leads to, until found() is called. */
struct search {
	/* in */
	struct flow_request request;
	const char         *workspace;
	void              (*found)(struct search *);     /* once, in the finder's thread: must not block there */
	/* out: at found() */
	bool                called_off;                  /* the daemon stops: there may be nothing below but the report */
	struct report      *report;                      /* the caller's */
	struct verdict      verdict;
	struct flow_found   place;
	/* its own */
	struct finder          *finder;
	struct flow            *flow;
	struct task             task;
	struct net_post         post;
	LIST_ENTRY(search)      next;
};

/* Begins its thread. Daemon and limits must live as long. FAULT_LOCAL. */
struct finder *finder_start(const struct daemon *, const struct finder_limits *, struct error *err);

enum finder_answer { FINDER_TAKEN, FINDER_BUSY, FINDER_BUSY_FOR_YOU, FINDER_STOPPED };

/* Any thread. But for FINDER_TAKEN nothing is begun, and found() is not called. `request.only_detect` is set here, and its time where
 * there is none, or more than may be. */
enum finder_answer finder_search(struct finder *, struct search *);

/* What is under way is called off, and found() was called for all of it when this returns; from then on nothing is taken. Before
 * http_stop(). NULL is fine. */
void finder_stop(struct finder *);
/* Once nobody asks any more. Stops it, where that was not done. NULL is fine. */
void finder_free(struct finder *);

/* How many are under way. Any thread. */
unsigned finder_busy(struct finder *);

/* For who wants to know whether it still turns; until finder_stop(). */
struct net *finder_loop(const struct finder *);

#endif
