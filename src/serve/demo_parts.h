/* demo_parts.h -- what the demo's files in serve/ share, and its one hook in the daemon. */
#ifndef SERVE_DEMO_PARTS_H
#define SERVE_DEMO_PARTS_H

#include "serve/demo.h"
#include "serve/http.h"

/* Where a browser is sent instead of `url`, a page of Microsoft's or Google's: in the demo through its door, with the person named whom
 * the sign-in is for (NULL: nobody); everywhere else it is `url` itself. */
const char *demo_onward(const struct daemon *, const char *url, const char *person, struct arena *into);

/* Is it connected without anybody's sign-in? */
bool demo_needs_nobody(const struct demo_mailbox *);

/* The accounts of those mailboxes that need nobody's sign-in. The store is there, the keeper is not. */
bool demo_begin(struct daemon *, struct error *err);

#define DEMO_TABLES 40

/* The daemon's own routes, and the demo's. */
void demo_tables(const struct route *out[DEMO_TABLES]);
extern const struct route routes_demo[];

#endif
