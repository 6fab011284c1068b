/* laid_down.h -- what a workspace has laid down for one mail domain, for who makes an account there or connects it. */
#ifndef SERVE_LAID_DOWN_H
#define SERVE_LAID_DOWN_H

#include "base/want.h"
#include "store/accounts.h"

struct laid_down {
	const char      *host[SERVICES];      /* NULL: not laid down                                  */
	uint16_t         port[SERVICES];      /* 0: the usual one                                     */
	const char      *ews_url;             /* of Exchange, NULL: not laid down                     */
	struct own_trust trust;               /* for the servers of that domain's mailboxes, and nobody else's */
};

/* For the domain of that address, all zero where there is nothing; texts are put into the arena. False: the store could not be read. */
bool laid_down_for(struct txn *, struct arena *into, const char *workspace, const char *address, struct laid_down *out, struct error *err);
/* The servers that the account leaves open. */
void laid_down_fill(const struct laid_down *, struct account *);

#endif
