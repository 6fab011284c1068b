/* flow_microsoft.h -- the part of the line that is Microsoft's: from a token to the mailbox, and where it is when it is not there. */
#ifndef FLOW_MICROSOFT_H
#define FLOW_MICROSOFT_H

#include "detect/exchange.h"
#include "flow.h"
#include "model/mailaddress.h"
#include "provider/microsoft.h"
#include "verify/probe.h"

struct microsoft_way {
	/* in */
	const struct flow_request *request;
	struct report             *report;
	const struct mail_address *address;
	struct detect             *detect;         /* beside which it runs                                       */
	struct waits               waits;
	bool                     (*is_meant)(void *asked);      /* asked after `detected`: is it Microsoft? NULL: it is */
	void                      *asked;
	const struct gate         *detected;
	/* out */
	bool                       well;
	struct microsoft_session   session;
	bool                       in_session;
	/* its own */
	struct exchange_search    *search;         /* of an Exchange server of the organisation's own, where Graph reaches no mailbox */
	struct detect             *servers;        /* of the domain's own announcements of IMAP, in the same case: 80 kB */
	struct report             *apart;          /* what that one writes down                                  */
	int                        step, attempt;
	struct probe               probe;
	unsigned                   probes;
	struct error               err;
};

void           microsoft_way_init(struct microsoft_way *, const struct flow_request *, struct report *, const struct mail_address *,
                                  struct detect *, struct waits);
enum want_kind microsoft_way_step(void *self, struct want *, struct error *);      /* WANT_NOTHING whatever came of it */
void           microsoft_way_release(struct microsoft_way *);

/* A token for Graph, by what it says it is for; one for IMAP of the same cloud is none. */
bool           microsoft_token(const struct credentials *);

#endif
