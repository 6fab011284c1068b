/* troubles.h -- hosts that cannot be reached at this moment, and how many of our mailboxes that concerns.
 *
 * Shared by all loops of the keeper. What one mailbox learnt at a host holds for the others, which wait at the turnstile and have
 * not tried themselves. When several mailboxes of one host fail alike that is one incident and no failure of each.
 */
#ifndef SERVE_TROUBLES_H
#define SERVE_TROUBLES_H

#include "serve/state.h"

#define INCIDENT_LEAST 3      /* mailboxes of one host */

struct troubles;

struct troubles *troubles_new(void);
void             troubles_free(struct troubles *);

/* One more mailbox of that host ("imap.example.org:993") has no connection; and one less. */
void trouble_join(struct troubles *, const char *host);
void trouble_leave(struct troubles *, const char *host);

/* What the last try there came to. Nothing when nobody has joined. */
void trouble_learn(struct troubles *, const char *host, const struct outcome *, const char *report);

struct trouble {
	struct outcome outcome;
	const char    *report;           /* JSON; NULL none                                     */
	unsigned       mailboxes;        /* that have no connection                             */
};

/* False: nobody has tried yet. Texts come from `into`. */
bool trouble_of(struct troubles *, const char *host, struct arena *into, struct trouble *out);

#endif
