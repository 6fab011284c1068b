/* watchdog.h -- whether the daemon still does its work: asked of the store's writer and of each loop, told to systemd (WatchdogSec=).
 *
 * Nobody is waited for. What was asked in one round must have answered by the next, so that a part that hangs ends the good news, and
 * systemd starts the daemon anew. A disk that is full answers too: nothing would be better after a restart.
 */
#ifndef SERVE_WATCHDOG_H
#define SERVE_WATCHDOG_H

#include "net/net.h"
#include "store/store.h"

#define WATCHDOG_LOOPS 24

struct watchdog;

/* How often systemd wants to hear from this process, in ms (WATCHDOG_USEC, WATCHDOG_PID); 0: it does not. */
int watchdog_wanted_ms(void);

struct watchdog *watchdog_new(struct store *, struct net *const *loop, size_t loops);
/* Has everything answered that was asked in the round before? Asks again those that have. One thread. */
bool             watchdog_round(struct watchdog *);
/* After the loops have ended and the store is closed: they answer into it. NULL is fine. */
void             watchdog_free(struct watchdog *);

#endif
