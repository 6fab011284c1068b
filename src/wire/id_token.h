/* id_token.h -- who signed in, as an OpenID provider vouches for it: a compact JWT signed by RS256, and the documents that say by which
 * keys (OpenID Connect Core 2, 3.1.3.7; Discovery 3; RFC 7515, 7517, 7519; facts M A.6). Bytes in, a verdict out; no clock.
 *
 * Nothing in a token counts before all of it has been checked: what it says is given out only then. What is given out, and the keys, lie in
 * the arena given.
 */
#ifndef WIRE_ID_TOKEN_H
#define WIRE_ID_TOKEN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define ID_TOKEN        ((size_t)16 * 1024)       /* longest                                            */
#define ID_TOKEN_DEPTH  4                         /* deepest nesting of what it says                    */
#define ID_TOKEN_CLAIMS 64                        /* most of them                                       */
#define ID_DOCUMENT     ((size_t)256 * 1024)      /* longest document about a provider, or of its keys  */
#define ID_KEYS         64
#define ID_SKEW_S       300                       /* so far two honest clocks may be from each other    */

/* -- what a provider publishes ------------------------------------------------------------------------------------ */

/* `issuer` may have a blank in it: "https://login.microsoftonline.com/{tenantid}/v2.0". */
struct id_provider {
	const char *issuer, *jwks_uri;
};

/* FAULT_TOO_BIG; FAULT_BROKEN: no JSON, or without one of the two. */
bool id_provider_read(struct slice document, struct arena *, struct id_provider *, struct error *);

struct id_key {
	const char  *kid;
	const char  *issuer;                      /* for whose tokens alone, with or without the blank; NULL: for any */
	struct slice modulus, exponent;           /* of RSA, big-endian                                               */
};

struct id_keys {
	struct id_key key[ID_KEYS];
	size_t        count;
};

/* Those that check signatures by RS256; others are passed over. FAULT_TOO_BIG (also of more than ID_KEYS), FAULT_BROKEN. */
bool id_keys_read(struct slice document, struct arena *, struct id_keys *, struct error *);

/* -- the token ---------------------------------------------------------------------------------------------------- */

/* The first thing that is wrong with it, in this order. */
enum id_token_flaw {
	ID_TOKEN_FINE,
	ID_TOKEN_ABSENT,             /* none came                                                              */
	ID_TOKEN_UNREADABLE,         /* no compact JWT, over a limit, a claim twice, extensions that must be understood */
	ID_TOKEN_UNSIGNED,           /* alg: none                                                              */
	ID_TOKEN_OTHER_ALGORITHM,    /* any but RS256, those with a shared secret among them                   */
	ID_TOKEN_UNKNOWN_KEY,        /* no key of that id is published                                         */
	ID_TOKEN_BAD_SIGNATURE,
	ID_TOKEN_NOBODY,             /* it does not say who it is for: no sub, or a tid that is none            */
	ID_TOKEN_OTHER_ISSUER,       /* iss, or the key is another's                                           */
	ID_TOKEN_OTHER_AUDIENCE,     /* aud is not us, or not us alone                                         */
	ID_TOKEN_OTHER_PARTY,        /* azp is not us                                                          */
	ID_TOKEN_OTHER_NONCE,
	ID_TOKEN_EXPIRED,            /* by our clock, and more than clocks may differ                          */
	ID_TOKEN_NOT_YET,            /*   likewise: nbf or iat is ahead of us                                  */
	ID_TOKEN_FLAWS
};

/* "signature" "nonce" …: for facts. */
const char *id_token_flaw_name(enum id_token_flaw);

struct id_token_wish {
	const char *issuer;          /* as the provider's document has it        */
	const char *client_id;       /* ours                                     */
	const char *nonce;           /* that was sent along; NULL: none was      */
	int64_t     now_unix;        /* seconds                                  */
	bool        any_party;       /* azp may be anybody: in what Google signs for its services it is a number of theirs */
};

struct id_token {
	const char *tid, *oid, *sub, *preferred_username, *email, *name;      /* NULL: not told; sub always is */
	bool        email_verified;
};

/* `text` NULL: ABSENT. Without any keys whatever needs none is judged, and the rest is UNKNOWN_KEY: then it is worth fetching them.
 * `out` is filled in where it is FINE, and else empty. */
enum id_token_flaw id_token_check(const char *text, const struct id_keys *, const struct id_token_wish *, struct arena *,
                                  struct id_token *out);

#endif
