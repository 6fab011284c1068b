/* signed_link.h -- a link to the administrator's page of one account: nothing is kept of it, its signature is all that counts.
 *
 * "EXPIRES.ACCOUNT.SIGNATURE", with the vault's signature over the first two. The account is not first: what begins like an id
 * is named in logs, and this link must not be. It ends by itself; taking it back
 * before that would need a new vault key.
 */
#ifndef SERVE_SIGNED_LINK_H
#define SERVE_SIGNED_LINK_H

#include <stdint.h>

#include "connect/vault.h"

#define SIGNED_LINK_MS (14 * 86400 * 1000LL)

/* `expires`: Unix ms, kept to the second. From `into`. */
const char *signed_link(const struct vault *, const char *account, int64_t expires, struct arena *into);

/* Whose it is. False when it was not made by us, or was changed. Whether it has expired is the caller's question. */
bool signed_link_read(const struct vault *, const char *token, struct arena *into, const char **account_out, int64_t *expires_out);

#endif
