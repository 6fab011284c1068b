/* negotiate.h -- the sign-in at a web service by a Kerberos ticket (RFC 4559), as one conversation: a word of ours, one of the server's.
 *
 * The tickets and their exchange are net/'s (WANT_TICKET); here is what they mean for the report. No password has a part in it.
 */
#ifndef PROVIDER_NEGOTIATE_H
#define PROVIDER_NEGOTIATE_H

#include "model/report.h"
#include "provider/login.h"

#define NEGOTIATE_LEGS 4      /* of one sign-in; one does where both have the same Kerberos */

struct negotiate {
	struct ticket ticket;
	bool          begun;
	unsigned      legs;
	int           step;
};

void           negotiate_init(struct negotiate *);
void           negotiate_release(struct negotiate *);      /* fine again, and after nothing */
/* A sign-in begins. What is pointed to must live until it is over. */
void           negotiate_begin(struct negotiate *, const struct login *, const char *host, struct slice binding);
/* What the server said, decoded; the next step goes on from there. */
void           negotiate_hear(struct negotiate *, struct slice token);
/* Afterwards `ticket.say` is what is to be said, and `ticket.proven` says whether the server has proven itself. Records in the step
 * `reported` as whom (once), or what stopped it: FAULT_REFUSED, FAULT_TIMEOUT, FAULT_CANCELLED. The step is left open. */
enum want_kind negotiate_step(struct negotiate *, struct report *, int reported, int wait_ms, struct want *, struct error *);

#endif
