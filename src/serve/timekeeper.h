/* timekeeper.h -- notices that somebody has set the clock, and sees to it that nothing is taken for what it is not.
 *
 * Waits are measured by the monotonic clock and need nobody. Set back, what had expired would be valid once more and what
 * has its time in the store would be late: links that had ended stay ended, and webhooks' deliveries that wait are tried now. Set forward
 * there is nothing to do. Both are said in the log.
 */
#ifndef SERVE_TIMEKEEPER_H
#define SERVE_TIMEKEEPER_H

#include "net/net.h"
#include "serve/service.h"

struct timekeeper;

/* In the loop's own thread or before it runs; the daemon's outbox is there already and of the same loop. */
struct timekeeper *timekeeper_start(struct net *, struct daemon *);
/* After net_free(). NULL is fine. */
void               timekeeper_free(struct timekeeper *);

#endif
