/* service_account.h -- a service account of Google's that acts for the mailboxes of a Workspace (facts G A.7): the file that Google's
 * console gives out for it, and what is signed with the key in it, as a JWT (RFC 7523).
 *
 * RS256, good for an hour at Google and for a few minutes as we make it, for one mailbox each. The key is in the memory of the service
 * account and nowhere else. May be shared by threads once it is read.
 */
#ifndef WIRE_SERVICE_ACCOUNT_H
#define WIRE_SERVICE_ACCOUNT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#define SERVICE_FILE ((size_t)64 * 1024)      /* longest */
#define SERVICE_LIFE 300                      /* seconds that an assertion is good */

struct service_account;

/* FAULT_MALFORMED: no such JSON ({"type":"service_account","client_email","client_id","private_key_id","private_key"}), or no RSA key of
 * 2048 bits or more in it. FAULT_TOO_BIG. NULL then. */
struct service_account *service_account_read(struct slice json, struct error *err);
void        service_account_free(struct service_account *);      /* NULL is fine; wipes */
/* The number that an administrator enters, and its address. They live as long as it does. */
const char *service_account_client_id(const struct service_account *);
const char *service_account_email(const struct service_account *);

/* `subject` is the mailbox, `scope` has blanks between, `audience` is the token endpoint's URL. From `into`; NULL: OpenSSL would not. */
const char *service_account_assertion(const struct service_account *, const char *subject, const char *scope, const char *audience,
                                      int64_t now_unix, struct arena *into);

#endif
