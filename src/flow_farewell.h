/* flow_farewell.h -- what is still asked at a provider for a mailbox that is looked after no more.
 *
 * At Microsoft Graph: that its subscription ends. A kindness: what is not ended so ends by itself within three days, and is nobody's
 * meanwhile. So it is asked once.
 * At Google: that Gmail's watch of it ends, a kindness as well, asked once; it ends by itself within a week. And then, where it is for
 * good, that the grant ends (facts G A.1). That is what removal promises, so where Google is not reached it is asked again a few times,
 * within minutes. Nobody hears how it went but the log, from whoever runs it.
 * The grant is held for as long, and wiped.
 */
#ifndef FLOW_FAREWELL_H
#define FLOW_FAREWELL_H

#include "model/app.h"
#include "provider/oauth.h"

struct farewell_request {
	const char         *address;
	struct oauth_grant  grant;
	int                 timeout_ms;           /* of each time it is asked */
	/* one of the two; it outlives the farewell, all else is copied */
	const struct microsoft_app *microsoft;
	const struct google_app    *google;
	bool                watched;              /* Google's: there is a watch, to be ended */
	bool                for_good;             /* likewise: the grant is given back       */
	const char                 *subscription; /* Microsoft's */
};

struct farewell;

/* NULL: there is nothing to ask with, or after. */
struct farewell *farewell_new(const struct farewell_request *);
enum want_kind   farewell_step(void *farewell, struct want *, struct error *);
void             farewell_free(struct farewell *);      /* at any step */

/* The longest that all of it takes, pauses and all. */
int              farewell_ms(const struct farewell_request *);

#endif
