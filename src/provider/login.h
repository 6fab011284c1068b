/* login.h -- what a session needs to sign in, and the rule that one answer comes before the next question.
 *
 * IMAP and SMTP are asked the same password. IMAP answers first; SMTP waits at the gate and is not asked after a
 * refusal, so that a wrong password costs one try, not two (DESIGN §3).
 */
#ifndef PROVIDER_LOGIN_H
#define PROVIDER_LOGIN_H

#include "base/want.h"
#include "model/endpoint.h"
#include "model/report.h"
#include "wire/sasl.h"

struct login {
	const char *username;      /* NULL: no credentials at all                                            */
	const char *username_form; /* "address" "local" "given", for the report                              */
	const char *password;      /* two of these three are NULL                                            */
	const char *token;
	const struct ticket_source *tickets;      /* or both, and it is Kerberos: no password then           */
	const char *nonce;         /* dice for SCRAM, thrown by whoever made this                            */
};

#define LOGIN_ROUNDS 8      /* no mechanism of ours takes more than four */

static inline bool login_has_any(const struct login *l)
{
	return l && l->username && (l->password || l->token || l->tickets);
}

struct login_gate {
	struct gate gate;
	bool        refused;       /* the first to ask was refused, or told to come back later: nobody else asks */
	bool        in_doubt;      /* its line could not be made private: somebody may sit between, so nothing is said at all */
};

/* Records what was offered and picks the mechanism; NULL after recording that there is none in common. */
const struct sasl_mechanism *login_choose(struct report *, int step, struct slice offered, const struct login *, bool plain_allowed);

/* The exchange by that mechanism, with these credentials. */
struct sasl *login_sasl(const struct login *, const struct sasl_mechanism *, const struct endpoint *);

/* The server said no; `sasl` is NULL where no exchange was needed. One that was `cancelled`, since it made no sense, had said nothing
 * secret: that is no try, and nothing is in common after all. Returns whether the credentials were refused. */
bool login_refused(struct report *, int step, const struct sasl *, bool cancelled);

#endif
