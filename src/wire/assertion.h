/* assertion.h -- a certificate in the place of a client's secret: what is signed with its key, as a JWT (RFC 7523; facts M A.3).
 *
 * PS256 with the certificate's SHA-256 as x5t#S256, good for a few minutes, each said once. The key is in the memory of the certificate
 * and nowhere else: what is made with it is of use to one token endpoint. May be shared by threads once it is read.
 */
#ifndef WIRE_ASSERTION_H
#define WIRE_ASSERTION_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#define ASSERTION_PEM  ((size_t)64 * 1024)      /* longest of either file           */
#define ASSERTION_LIFE 300                      /* seconds that an assertion is good */

struct oauth_certificate;

/* The first certificate of a chain. FAULT_MALFORMED: no PEM, a key under a passphrase, no RSA key of 2048 bits or more, one of another
 * certificate. NULL then. */
struct oauth_certificate *oauth_certificate_read(struct slice certificate_pem, struct slice key_pem, struct error *err);
void        oauth_certificate_free(struct oauth_certificate *);      /* NULL is fine; wipes */
int64_t     oauth_certificate_begins(const struct oauth_certificate *);      /* Unix seconds */
int64_t     oauth_certificate_ends(const struct oauth_certificate *);
/* SHA-1 of it in capitals, as Microsoft's portal shows it. Lives as long as the certificate. */
const char *oauth_certificate_print(const struct oauth_certificate *);

/* `audience` is the token endpoint's URL, `id` is never said twice. From `into`; NULL: OpenSSL would not. */
const char *oauth_assertion(const struct oauth_certificate *, const char *client_id, const char *audience, const char *id, int64_t now_unix,
                            struct arena *into);

#endif
