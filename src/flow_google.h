/* flow_google.h -- the part of the line that is Google's: from a token to the mailbox. */
#ifndef FLOW_GOOGLE_H
#define FLOW_GOOGLE_H

#include "flow.h"
#include "model/mailaddress.h"
#include "provider/google.h"
#include "verify/google_mail.h"
#include "verify/probe.h"

struct google_way {
	/* in */
	const struct flow_request *request;
	struct report             *report;
	const struct mail_address *address;
	struct waits               waits;
	bool                     (*is_meant)(void *asked);      /* asked after `detected`: is it Google? NULL: it is */
	void                      *asked;
	const struct gate         *detected;
	/* out */
	bool                       well;
	struct google_session      session;
	struct google_mail         mail;           /* for the test message */
	bool                       in_session;
	struct gate                over;           /* open once all of that is known */
	/* its own */
	int                        step, attempt;
	struct probe               probe;
	unsigned                   probes;
	struct error               err;
};

void           google_way_init(struct google_way *, const struct flow_request *, struct report *, const struct mail_address *,
                               struct waits);
enum want_kind google_way_step(void *self, struct want *, struct error *);      /* WANT_NOTHING whatever came of it */
void           google_way_release(struct google_way *);

/* Gmail answers nobody by its interface as long as the operator has not switched that on for his registration; with this grant it
 * answers by IMAP and SMTP all the same (facts G B.5, B.6). */
bool           google_way_leads_to_imap(const struct google_way *);

/* A token for Google's interfaces, by what it says it is for; one for IMAP alone is none. */
bool           google_token(const struct credentials *);

#endif
