/* flow_exchange.h -- the part of the line that is Exchange's: from what was given to the mailbox, and one test message. */
#ifndef FLOW_EXCHANGE_H
#define FLOW_EXCHANGE_H

#include "detect/exchange.h"
#include "flow.h"
#include "model/exchange_url.h"
#include "model/mailaddress.h"
#include "provider/exchange.h"
#include "verify/probe.h"

#define EXCHANGE_ENDPOINTS 8

struct exchange_way {
	/* in */
	const struct flow_request *request;
	struct report             *report;
	const struct mail_address *address;
	struct detect             *detect;         /* beside which it is looked for            */
	struct waits               waits;
	bool                     (*is_meant)(void *asked);      /* asked after the search: is it Exchange at all? NULL: it is */
	void                      *asked;
	const struct gate         *detected;       /*   and not before that is open            */
	/* out */
	struct gate                searched;       /* open: what the search found is known     */
	bool                       found;          /*   and it is a server of Exchange that a password may go to */
	bool                       well;           /* signed in, and what could be looked at was */
	const struct endpoint     *endpoint;       /* that stands                              */
	const char                *url;            /*   and as a URL                           */
	struct login               login;
	struct exchange_session    session;
	bool                       in_session;
	/* its own */
	struct mail_address        seeks;          /* whose server is looked for: where Autodiscover sends to another address, that one */
	struct exchange_search    *search;
	struct endpoint            place[EXCHANGE_ENDPOINTS];
	bool                       discovers[EXCHANGE_ENDPOINTS];
	size_t                     places, next, redirects;
	int                        step, attempt;
	struct { int step; }       finding, opening, probing;
	bool                       rested;         /* a passing fault was waited for           */
	struct {
		int                    attempt;
		const struct endpoint *endpoint;
	}                          tried[EXCHANGE_ENDPOINTS + 3];
	size_t                     tries;
	struct probe               probe;
	unsigned                   probes;
	struct error               err;
};

void           exchange_way_init(struct exchange_way *, const struct flow_request *, struct report *, const struct mail_address *,
                                 struct detect *, struct waits);
enum want_kind exchange_way_step(void *self, struct want *, struct error *);      /* WANT_NOTHING whatever came of it */
void           exchange_way_release(struct exchange_way *);

#endif
