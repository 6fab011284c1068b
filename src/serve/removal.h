/* removal.h -- what stays at the provider when an account is removed, and who takes it back there (ARTICLES N13, N14).
 *
 * Nothing is revoked from here. Microsoft has no request that ends the one grant of one app: a refresh token cannot be given back, and
 * what ends every session of the user everywhere (revokeSignInSessions) is neither ours to do nor permitted to us. So our grant is
 * erased with the account, and the permission that was given remains, until whoever gave it takes it back.
 */
#ifndef SERVE_REMOVAL_H
#define SERVE_REMOVAL_H

#include "base/json.h"
#include "diagnose/catalogue.h"
#include "model/account.h"

/* {id, left: [{kind, text, url}]}, texts in that language; NULL: nothing stays. Of the account as it was, and whether it had a grant. */
cJSON *removal_json(const struct account *, bool granted, const struct language *);

#endif
