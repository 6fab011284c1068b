/* signed_link.h -- a link to the administrator's page, handed out in the name of a connect link: its signature says that we made it, and it
 * opens as long as the store has that connect link and it is not revoked.
 *
 * "EXPIRES.LINK.SIGNATURE", with the vault's signature over the first two. The connect link's id is not first: what begins like an id is
 * named in logs, and this link must not be. Whose mailbox it is about stands with the connect link.
 */
#ifndef SERVE_SIGNED_LINK_H
#define SERVE_SIGNED_LINK_H

#include <stdint.h>

#include "connect/vault.h"

#define SIGNED_LINK_MS (14 * 86400 * 1000LL)

/* `link_id`: "lnk_…". `expires`: Unix ms, kept to the second. From `into`. */
const char *signed_link(const struct vault *, const char *link_id, int64_t expires, struct arena *into);

/* In whose name it is. False when it was not made by us, or was changed. Whether it has expired, or that one was revoked, is the caller's
 * question. */
bool signed_link_read(const struct vault *, const char *token, struct arena *into, const char **link_out, int64_t *expires_out);

#endif
