/* exchange_facts.h -- what is written down of Exchange's answers, each into the step under way. Marks and numbers: no conclusions. */
#ifndef PROVIDER_EXCHANGE_FACTS_H
#define PROVIDER_EXCHANGE_FACTS_H

#include "provider/exchange.h"

/* Status, fields and page of the last answer, where it is no SOAP that went well. */
void exchange_http_facts(struct exchange_session *);
/* Of the last answer: what kind of page it is. */
const char *exchange_page(struct exchange_session *);
/* By which schemes one may sign in, whose tokens are taken, and the build. */
void exchange_offer_facts(struct exchange_session *, const struct challenges *);
/* What the server calls its domain; fills in `suggests`. */
void exchange_challenge_facts(struct exchange_session *);
/* With what the sign-in is done. */
void exchange_login_facts(struct exchange_session *);
void exchange_build_facts(struct exchange_session *);
/* Also fills in `back_off_ms` and `primary`. */
void exchange_outcome_facts(struct exchange_session *, const char *operation, const struct ews_outcome *);

#endif
