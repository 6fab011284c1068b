/* digest.h -- the Digest scheme of HTTP (RFC 7616), the client's part: a password proven without being said.
 *
 * Older calendar servers offer nothing else (facts G G.4). It is no substitute for TLS, and is used inside of it alone. Hashes: SHA-256 and
 * MD5, also as -sess; "auth" is the only protection taken, and servers from before that one (RFC 2069) are answered too.
 */
#ifndef WIRE_DIGEST_H
#define WIRE_DIGEST_H

#include "wire/challenge.h"

/* What the server said; kept for the requests that follow. Texts from the arena given. */
struct digest {
	const char *realm, *nonce, *opaque;      /* opaque NULL: none */
	bool        sha256, session, protects;   /* protects: qop=auth */
	unsigned    count;                       /* requests by this nonce so far */
};

/* The first challenge that can be answered; false: there is none. */
bool        digest_choose(const struct challenges *, struct arena *into, struct digest *out);
/* The server says of that very nonce that it is old, not of the password that it is wrong. */
bool        digest_is_stale(const struct challenges *, struct arena *into);

/* The value of Authorization for the next request; NULL: this machine has no such hash. `dice` are printable. */
const char *digest_authorization(struct digest *, const char *username, const char *password, const char *method, const char *target,
                                 const char *dice, struct arena *into);

#endif
