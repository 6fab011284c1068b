/* flow_farewell.h -- ends the subscription of a mailbox that is looked after no more, at Microsoft Graph.
 *
 * A kindness: what is not ended so ends by itself within three days, and is nobody's meanwhile. So it is asked once, and nobody hears how
 * it went. The grant is held for as long, and wiped.
 */
#ifndef FLOW_FAREWELL_H
#define FLOW_FAREWELL_H

#include "provider/microsoft.h"

struct farewell_request {
	const struct microsoft_app *app;              /* outlives it; all else is copied */
	const char                 *address, *subscription;
	struct oauth_grant      grant;
	int                         timeout_ms;
};

struct farewell;

/* NULL: there is nothing to ask with, or after. */
struct farewell *farewell_new(const struct farewell_request *);
enum want_kind   farewell_step(void *farewell, struct want *, struct error *);
void             farewell_free(struct farewell *);      /* at any step */

#endif
