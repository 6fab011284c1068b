/* approval.h -- what only an administrator of an organisation at Microsoft can do: what they are told, and their consent as it comes back.
 *
 * The consent URL has a state of ours, which is taken once and in time (store/consents.h), in whichever browser. That it says "consented"
 * is believed as far as the next sign-in goes, which proves it or not: the account's own browser is sent there, or its grant tried again.
 */
#ifndef SERVE_APPROVAL_H
#define SERVE_APPROVAL_H

#include "serve/http.h"
#include "serve/render.h"
#include "wire/oauth.h"

#define CONSENT_MS (24 * 3600 * (int64_t)1000)

/* For the page at `path`, behind `link`, about that account. False: no such cause, or nobody registered us. Waits for the store. */
bool approval_of(struct exchange *, const char *link, const struct account *, const struct retold *, const char *path,
                 struct approval *out);

/* Is that state one of an administrator's? Those are no people's who sign in. */
bool approval_is(const struct oauth_callback *);
/* The callback of one, in whatever form; gives the answer. */
void approval_come_back(struct exchange *, const struct oauth_callback *);

#endif
