/* ntlm.h -- NTLM as a server sees it: a challenge given, an answer judged (MS-NLMP). NTLMv2 only.
 *
 * Messages are foreign bytes: every offset in them is checked. Pure: dice and clock are the caller's.
 */
#ifndef SANDBOX_NTLM_H
#define SANDBOX_NTLM_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

enum { NTLM_NONE = 0, NTLM_NEGOTIATE = 1, NTLM_CHALLENGE = 2, NTLM_AUTHENTICATE = 3 };

#define NTLM_NONCE   8
#define NTLM_BINDING 16

/* How the server calls itself. */
struct ntlm_names {
	const char *netbios_domain, *netbios_host, *dns_domain, *dns_host;
};

/* Which message a token is, and where it begins: some clients wrap it (SPNEGO). NTLM_NONE: it is none. */
int ntlm_find(struct slice token, struct slice *message);

/* A CHALLENGE. `unix_s` 0: no time in it, as servers before 2008 have it. */
struct slice ntlm_challenge(struct arena *, const struct ntlm_names *, const unsigned char nonce[NTLM_NONCE], int64_t unix_s);
/* The same as a SPNEGO token, for those who wrapped theirs; `state` 0: done, 1: go on. An empty message is left out. */
struct slice ntlm_wrapped(struct arena *, struct slice message, int state);

struct ntlm_answer {
	const char   *domain, *user, *host;      /* in UTF-8, from the arena                              */
	struct slice  proof;                     /* the NTLMv2 response: 16 bytes and what they prove     */
};

/* An AUTHENTICATE message; false when it is none, or points outside itself. */
bool ntlm_answer_read(struct arena *, struct slice message, struct ntlm_answer *out);
bool ntlm_answer_proves(const struct ntlm_answer *, const char *password, const unsigned char nonce[NTLM_NONCE]);
/* The channel it was made for, all zero when it does not say. */
void ntlm_answer_binding(const struct ntlm_answer *, unsigned char out[NTLM_BINDING]);

/* SHA-256 of a certificate (DER), as it is bound to. */
void certificate_hash(struct slice certificate_der, unsigned char out[32]);
/* What it must be for a server with this certificate (tls-server-end-point, RFC 5929; SHA-256). */
void ntlm_binding_of(struct slice certificate_der, unsigned char out[NTLM_BINDING]);

#endif
