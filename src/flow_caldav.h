/* flow_caldav.h -- the part of the line that is CalDAV's: from what was given to the calendars, alone or beside a mailbox. */
#ifndef FLOW_CALDAV_H
#define FLOW_CALDAV_H

#include "detect/caldav.h"
#include "flow.h"
#include "model/mailaddress.h"
#include "provider/caldav_event.h"
#include "verify/probe.h"

#define CALDAV_ENDPOINTS 8
#define CALDAV_URL_MOST  2048   /* characters that may be typed */
#define CALDAV_LEADS     3      /* other hosts that one place may lead to, one behind the other */

struct caldav_way {
	/* in */
	const struct flow_request *request;
	struct report             *report;
	const struct mail_address *address;
	struct detect             *detect;         /* beside which it is looked for                        */
	struct waits               waits;
	const struct login_gate   *gate;           /* the mailbox is asked the same password first; NULL   */
	/* out */
	bool                       well;           /* signed in, and the calendars were seen                */
	struct caldav_session      session;
	bool                       in_session;
	/* its own */
	struct caldav_search       search;
	struct endpoint            place[CALDAV_ENDPOINTS];
	bool                       is_home[CALDAV_ENDPOINTS];
	size_t                     places, next;
	unsigned                   leads;
	struct login               login;
	const struct endpoint     *endpoint;       /* the one at hand                                       */
	int                        step, attempt;
	struct caldav_event        event;          /* of our own, where one was asked for                   */
	struct probe               probe;
	unsigned                   probes;
	struct error               err;
};

void           caldav_way_init(struct caldav_way *, const struct flow_request *, struct report *, const struct mail_address *,
                               struct detect *, struct waits);
enum want_kind caldav_way_step(void *self, struct want *, struct error *);      /* WANT_NOTHING whatever came of it */
void           caldav_way_release(struct caldav_way *);                         /* fine after no init, where all is zero */

/* What was typed as a URL, or only as a host: https in any case. False: it is none. */
bool           caldav_url_read(const char *typed, struct arena *into, struct http_url *out);

#endif
