/* grant.h -- what Microsoft or Google granted for an account, as the vault holds it in the place of a password.
 *
 * JSON: {"access_token", "refresh_token", "scope", "expires_at", "granted_at"}; what is not there is left out, both times are Unix seconds. Nothing at
 * all is in the one of who comes by an administrator's word, until the first token was given.
 * The text is a secret as a whole: it comes from the arena given, which wipes, and no other copy of it is left.
 */
#ifndef CONNECT_GRANT_H
#define CONNECT_GRANT_H

#include "provider/oauth.h"

#define GRANT_MOST ((size_t)64 * 1024)

/* False: no such JSON (a password, for one), over GRANT_MOST, or something in it and neither token. The texts come from `into`. */
bool         grant_read(struct slice secret, struct arena *into, struct oauth_grant *);
/* at == NULL: it would be over GRANT_MOST. */
struct slice grant_write(const struct oauth_grant *, struct arena *into);

#endif
