/* ntlm.h -- the client's side of NTLM over HTTP (MS-NLMP, MS-NTHT): NTLMv2 only, with channel binding, without a socket.
 *
 * Three messages: ours (NEGOTIATE), theirs (CHALLENGE, which names domain and machine before anybody has signed in), ours
 * (AUTHENTICATE). The connection is what gets signed in: all three go over one and the same line, and nobody else's request
 * ever does. No session security is asked for: TLS is around it.
 * The password is UTF-8 and becomes UTF-16 as it is; what is no UTF-8 is taken byte for byte as Latin-1.
 */
#ifndef WIRE_NTLM_H
#define WIRE_NTLM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

#define NTLM_MOST ((size_t)16 * 1024)      /* a CHALLENGE, decoded */

struct ntlm_challenge {
	unsigned char nonce[8];
	uint32_t      flags;
	struct slice  target_info;             /* as it came; at == NULL when there is none             */
	/* out of it, UTF-8, NULL when not there */
	const char   *netbios_computer, *netbios_domain, *dns_computer, *dns_domain, *dns_forest;
	bool          has_time;
	uint64_t      time;                    /* 100 ns since 1601                                     */
	char          version[24];             /* "10.0.20348" of the operating system, "" when not told */
};

/* A CHALLENGE, decoded from base64 by the caller. FAULT_BROKEN: it is none, it is longer than NTLM_MOST, or an offset leads out of it.
 * Texts from `into`, control characters made "?"; target_info points into `message`. A server without target information is named by its
 * target name, where that is Unicode. */
bool ntlm_challenge_read(struct slice message, struct arena *into, struct ntlm_challenge *out, struct error *err);

/* DOMAIN\user apart, at the first backslash; a name with @ goes whole, with an empty domain; a bare one likewise. From `into`. */
void ntlm_name(const char *name, struct arena *into, const char **domain, const char **user);

struct ntlm_login {
	const char   *domain, *user, *password;
	const char   *target;                  /* "HTTP/mail.example.org"; NULL or "": none is sent                    */
	struct slice  binding;                 /* hash of the server's certificate (RFC 5929 tls-server-end-point); empty: none is sent */
	unsigned char nonce[8];                /* dice, thrown by the caller                                            */
	uint64_t      time;                    /* 100 ns since 1601, for servers that do not tell theirs                */
};

/* NEGOTIATE, raw. */
void ntlm_negotiate(struct buffer *out);
/* AUTHENTICATE, raw, with a MIC over `negotiate` and `challenge` as they went over the line where the server sends a time.
 * FAULT_LOCAL when this machine has no MD4 (OpenSSL's legacy provider), FAULT_TOO_BIG when `out` is full or a text longer than a message
 * can say, FAULT_NOT_OFFERED when the server takes no Unicode. Nothing is appended then. */
bool ntlm_authenticate(const struct ntlm_login *, const struct ntlm_challenge *, struct slice negotiate, struct slice challenge,
                       struct buffer *out, struct error *err);

#endif
