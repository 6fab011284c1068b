/* turnstile.h -- how many sessions are opened at once, so that ten thousand lost ones come back without a stampede.
 *
 * Whoever wants to open a session to a host waits here first (want_commit() on the passage's errand) and says afterwards how
 * it went. A host has a limit of its own. One that cannot be reached twice in a row is taken for down: from then on one
 * at a time may try, ever more seldom, and when that one comes through, all the others follow. So an outage costs a few
 * packets a minute whatever the number of mailboxes, and its end is noticed once for all.
 * One turnstile belongs to one loop and its thread. It asks no clock: turnstile_turn() is told the time.
 */
#ifndef WATCH_TURNSTILE_H
#define WATCH_TURNSTILE_H

#include <sys/queue.h>

#include "base/want.h"

#define TURNSTILE_HOST    256      /* longest "host:port" that is told apart */

struct turnstile;

struct turnstile_limits {
	int in_all, by_host;           /* passing at once                                        */
	int down_after;                /* unreached in a row that make a host one that is down   */
	int first_ms, longest_ms;      /* pause between two tries of one that is down: doubled from try to try, with dice */
};

extern const struct turnstile_limits turnstile_usual;

struct turnstile *turnstile_new(const struct turnstile_limits *);
void              turnstile_free(struct turnstile *);          /* nobody waits or passes any more */

enum passage_state { PASSAGE_NONE, PASSAGE_WAITS, PASSAGE_OPEN };

/* Of one session; all zero before the first use. */
struct passage {
	struct errand         errand;
	struct turnstile     *turnstile;
	struct turnstile_host *host;
	enum passage_state    state;
	int64_t               asked_ms, opened_ms;
	TAILQ_ENTRY(passage)  waiting;
};

/* What to wait for: answered when it may pass. */
struct errand *passage_ask(struct passage *, struct turnstile *, const char *host, int64_t now_ms);
/* How it went: `reached` when the host took part in the conversation, be it to refuse. Lets others pass. */
void           passage_leave(struct passage *, bool reached, int64_t now_ms);
/* It was called off, waiting or passing. One that waits is answered. */
void           passage_give_up(struct passage *);

/* Lets pass whose time has come. To be called some times a second. */
void turnstile_turn(struct turnstile *, int64_t now_ms);

/* When the next try of that host is due, 0 when it is not down. */
int64_t turnstile_down_until(const struct turnstile *, const char *host);

struct turnstile_counts { int passing, waiting, down; int most_passing; };
struct turnstile_counts turnstile_counts(const struct turnstile *);

#endif
