/* not_returned.h -- notices people who went to sign in at a provider's page and did not come back in time: such pages tell nobody but the
 * person who stands before them why (facts M A.2, E.3).
 *
 * The account that was to be connected then says so, with what it may be; the event tells the product. Not where anything has become of it
 * meanwhile by another way: the same link was used, the mailbox is connected, or something else was found out later.
 */
#ifndef SERVE_NOT_RETURNED_H
#define SERVE_NOT_RETURNED_H

#include "net/net.h"
#include "serve/service.h"

#define NOT_RETURNED_MS 20000      /* between two looks */

struct not_returned;

/* In the loop's own thread or before it runs. */
struct not_returned *not_returned_start(struct net *, struct daemon *, int every_ms);
/* After net_free(). NULL is fine. */
void                 not_returned_free(struct not_returned *);

/* What it does each time, in the writer's transaction: one of them, by `now`. `found`: there was one, and there may be more. */
bool not_returned_take(struct txn *, const struct daemon *, int64_t now, bool *found, struct error *err);

#endif
