/* removal.h -- what stays at the provider when an account is removed, and who takes it back there (ARTICLES N13, N14).
 *
 * At Microsoft nothing is revoked from here. It has no request that ends the one grant of one app: a refresh token cannot be given back,
 * and what ends every session of the user everywhere (revokeSignInSessions) is neither ours to do nor permitted to us. So our grant is
 * erased with the account, and the permission that was given remains, until whoever gave it takes it back.
 * At Google our grant is given back (parting.h), which ends mail and calendar alike, unless another account here lives on it. That is asked
 * while this is answered, so it is also said where it is seen whether it went well. What an administrator delegated to a service account is
 * for the whole organisation, and stays theirs to take back.
 */
#ifndef SERVE_REMOVAL_H
#define SERVE_REMOVAL_H

#include "base/json.h"
#include "diagnose/catalogue.h"
#include "model/account.h"

enum granted { GRANT_NONE, GRANT_OWN, GRANT_SHARED };      /* shared: with another account of ours, in the same mailbox */

/* {id, left: [{kind, text, url}]}, texts in that language; NULL: nothing stays. Of the account as it was, and whether it had a grant. */
cJSON *removal_json(const struct account *, enum granted, const struct language *);

#endif
