/* causes.h -- the vocabulary of the verdict: ids, who must act, how sure we are. Texts are in the catalogue. */
#ifndef MODEL_CAUSES_H
#define MODEL_CAUSES_H

#include <stdbool.h>

enum who {
	WHO_USER     = 1 << 0,
	WHO_ADMIN    = 1 << 1,      /* of the mailbox's organisation        */
	WHO_PROVIDER = 1 << 2,      /* whoever hosts the mail               */
	WHO_OPERATOR = 1 << 3,      /* whoever runs this program            */
	WHO_NOBODY   = 1 << 4,      /* it heals, or we heal it              */
};

enum certainty { CERTAINTY_NONE, POSSIBLE, LIKELY, PROVEN };

enum cause {
	CAUSE_NONE,
#define CAUSE(name, id, first_who, all_who, alias) CAUSE_##name,
#include "model/causes.def"
#undef CAUSE
	CAUSE_COUNT
};

struct cause_row {
	const char *id;             /* "tls.expired"                                                           */
	enum who    who;            /* unless the evidence says more                                           */
	unsigned    all_who;        /* everybody it may be                                                     */
	const char *alias;          /* the words of other documents, or ""                                     */
};

const struct cause_row *cause_row(enum cause);          /* of CAUSE_NONE: id "" */
enum cause              cause_find(const char *id);     /* CAUSE_NONE when there is none */

/* Of those that come and go by themselves: the network, the name servers, a server that is down or asks for patience. */
bool cause_is_outage(enum cause);

/* Of those that a certificate or a pin of the workspace's own may put right, or may have been: whom the handshake believes. */
bool cause_is_of_trust(enum cause);

const char *who_name(enum who);                         /* "admin"  */
const char *certainty_name(enum certainty);             /* "likely" */

#endif
