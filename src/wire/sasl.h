/* sasl.h -- the client's side of the SASL mechanisms that mail servers offer, without a socket.
 *
 * PLAIN (RFC 4616), LOGIN (draft-murchison), XOAUTH2 (Google), OAUTHBEARER (RFC 7628), SCRAM-SHA-1, SCRAM-SHA-256
 * (RFC 5802, 7677; no channel binding), CRAM-MD5 (RFC 2195). One exchange is one `struct sasl`; answers are base64
 * texts ready for the wire. The secret is not kept longer than the exchange: sasl_free() wipes.
 */
#ifndef WIRE_SASL_H
#define WIRE_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct sasl_credentials {
	const char *user;          /* authentication identity, UTF-8                                     */
	const char *authzid;       /* act as, or NULL                                                    */
	const char *password;      /* or NULL                                                            */
	const char *token;         /* an OAuth access token, or NULL                                     */
	const char *host;          /* OAUTHBEARER names them                                             */
	uint16_t    port;
	const char *nonce;         /* SCRAM: printable, no comma, random; whoever calls has the dice     */
};

struct sasl_mechanism {
	const char *name;
	bool        by_token;      /* wants a token; else a password                                     */
	bool        client_first;  /* has an initial response                                            */
	bool        clear;         /* the peer gets the password itself: only inside TLS                 */
};

/* The best mechanism that both sides can: with a token OAUTHBEARER, XOAUTH2; with a password PLAIN, LOGIN (inside TLS
 * they serve everybody, and a server that stores hashes can check nothing else), then SCRAM-SHA-256, SCRAM-SHA-1, and
 * CRAM-MD5 where there is nothing better. `offered` is a space-separated list of names. NULL when there is none. */
const struct sasl_mechanism *sasl_choose(struct slice offered, bool has_password, bool has_token);
const struct sasl_mechanism *sasl_find(const char *name);      /* NULL when we cannot */

struct sasl;

/* Copies the credentials; what the mechanism needs must be there. */
struct sasl *sasl_new(const struct sasl_mechanism *, const struct sasl_credentials *);
void         sasl_free(struct sasl *);
DEFINE_CLEANUP(sasl)

/* The initial response in base64, or NULL when the server speaks first. Valid until the next call of this exchange.
 * Where it cannot go with the command, do not ask for it: the server then sends an empty challenge, and sasl_answer()
 * says it. */
const char *sasl_initial(struct sasl *);

/* The answer in base64 to a challenge in base64, or NULL when the challenge makes no sense, or the server's proof is
 * false: cancel with "*". Valid until the next call of this exchange.
 * XOAUTH2 and OAUTHBEARER: a challenge is the server's reason for refusing, kept for sasl_reason(); the answer is the
 * empty (or ^A) nod after which the refusal proper comes. So with the "e=…" of SCRAM. */
const char *sasl_answer(struct sasl *, struct slice challenge);

/* The decoded JSON that refused a token, or SCRAM's word for it ("invalid-proof"), or "". */
const char *sasl_reason(const struct sasl *);

/* SCRAM proves the server to us as well: false until it has, and so when success was said without that proof. The other
 * mechanisms have no such proof, and for them it is true. */
bool sasl_proven(const struct sasl *);

/* The six bits that a letter of base64 stands for; -1: it is none. */
int   base64_value(char);
/* Base64 (RFC 4648 §4), without line breaks. Decoding takes nothing outside the alphabet and no stray bits at the end;
 * padding may be missing, as some servers leave it away, but not be wrong. */
char *base64_encode(struct arena *, struct slice);
char *base64url_encode(struct arena *, struct slice);      /* without padding, in the letters of URLs (RFC 7515 2) */
bool  base64_decode(struct arena *, struct slice text, struct slice *out);

#endif
