/* identity.h -- is what answers there this very daemon? Asked by `mailmoor doctor`, answered at /healthz.
 *
 * Who has the key file puts a question that proves it, and only then is answered by what proves the same of the daemon. Nobody else
 * learns anything, and an answer is good for one question.
 */
#ifndef SERVE_IDENTITY_H
#define SERVE_IDENTITY_H

#include "connect/vault.h"

/* Letters and digits, fit for a query. */
const char *identity_question(const struct vault *, struct arena *into);
/* NULL: not asked by one of ours. */
const char *identity_answer(const struct vault *, const char *question, struct arena *into);
bool        identity_is_proven(const struct vault *, const char *question, struct slice answer, struct arena *work);

#endif
