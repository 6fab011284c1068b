/* caldav.h -- from an address to where its calendars may be, without any credential (RFC 6764, facts G G.1).
 *
 * Asks, side by side: our table of hosters by the domain; SRV and the path that TXT names beside it; and the domain's own host at
 * /.well-known/caldav. Only where none of them knows: our table by the mail exchanger. Says no more than a PROPFIND of nobody's; the
 * address goes nowhere.
 *
 * Writes one step into the report, "caldav.find": what was looked at and how that ended (detect.looked_at), and what was found.
 */
#ifndef DETECT_CALDAV_H
#define DETECT_CALDAV_H

#include "base/want.h"
#include "detect/detect.h"
#include "model/endpoint.h"
#include "model/mailaddress.h"
#include "model/report.h"
#include "wire/dns.h"
#include "wire/fetch.h"

#define CALDAV_WAIT_MS 10000      /* a good `wait_ms` */
#define CALDAV_PLACES  6
#define CALDAV_TARGETS 3          /* of SRV */

struct caldav_search {
	/* in */
	const struct mail_address *address;
	struct detect             *detect;        /* running beside it, or over; NULL: it does not run  */
	struct arena              *job;
	struct report             *report;
	int                        wait_ms;
	/* out */
	struct endpoint            place[CALDAV_PLACES];      /* best first; `path` is what to ask first */
	size_t                     count;
	bool                       not_offered;   /* SRV says so, in so many words                      */
	/* its own */
	int                        step;
	int64_t                    began;
	int                        reported;
	struct children            children;
	struct task                srv_task, txt_task, own_task;
	struct dns_lookup          srv, txt;
	struct fetch               own;
	struct buffer              body;
	bool                       own_asked;
};

/* `detect` may be NULL; it is only read, and must live as long. */
void           caldav_search_init(struct caldav_search *, const struct mail_address *, struct detect *, struct arena *job, struct report *,
                                  int wait_ms);
/* WANT_NOTHING whatever was found; WANT_FAILED only when called off. */
enum want_kind caldav_search_step(void *self, struct want *, struct error *);
void           caldav_search_release(struct caldav_search *);      /* fine after no init, where all is zero */

#endif
