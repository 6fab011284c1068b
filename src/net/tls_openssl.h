/* tls_openssl.h -- between the files that know OpenSSL: tls.c, tls_own.c, tls_sessions.c, tls_verify.c, certificate.c. */
#ifndef NET_TLS_OPENSSL_H
#define NET_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* certificate.c: in our own plain words; foreign text is made one clean line. */
void certificate_describe(X509 *, struct tls_certificate *out);
int64_t certificate_not_after(const X509 *);      /* Unix seconds */
void    certificate_pin(X509 *, char out[65]);    /* SHA-256 of its SubjectPublicKeyInfo, hex; "" when it has none */
void    hex_of(const unsigned char digest[32], char out[65]);

/* tls.c: what everybody here trusts, but for the operator's file. NULL when OpenSSL cannot. */
X509_STORE *trust_store_new(void);

/* tls_own.c: one for each content, as long as anybody holds it, and TLS_OWN_UNUSED more in case they come again. */
#define TLS_OWN_UNUSED 64

struct tls_owns *tls_owns_new(void);
void             tls_owns_free(struct tls_owns *);      /* those still held go with their last holder; NULL is fine */
/* Held by the caller. NULL: FAULT_MALFORMED for what tls_own_check() refuses, or FAULT_LOCAL. */
struct tls_own  *tls_own_hold(struct tls_owns *, const struct own_trust *, X509_STORE *everybodys, struct error *err);
const char      *tls_own_id(const struct tls_own *);
/* The store to judge by; `own` may be NULL. */
X509_STORE      *tls_own_store(const struct tls_own *own, X509_STORE *everybodys);
bool             tls_own_has_pin(const struct tls_own *own);      /* false for NULL */
bool             tls_own_pins(const struct tls_own *, X509 *leaf);
bool             tls_own_vouches(const struct tls_own *own, const X509 *anchor);      /* false for NULL */
/* tls-server-end-point (RFC 5929 §4.1); its length, 0 where there is none: no certificate, or its signature names no hash (Ed25519). */
size_t  certificate_end_point(X509 *, unsigned char out[64]);

/* tls_verify.c: callbacks for an SSL_CTX. They find their witness through the SSL_CTX when it is a lent one, else through the SSL's
 * app data. */
int  verify_flaw(int ok, X509_STORE_CTX *);
int  verify_chain(X509_STORE_CTX *, void *unused);
int  verify_staple(SSL *, void *unused);
struct tls_witness *witness_of(const SSL *);
bool witness_lend(struct tls_witness *, SSL_CTX *);

/* tls_sessions.c: what was proved by full handshakes, to be resumed: one session for each host and port, of TLS_SESSIONS at most;
 * the one that was renewed longest ago goes first. Every session that leaves or enters is copied: OpenSSL spoils that of a connection which
 * breaks, and the certificates behind the copies are shared. Times are Unix seconds. */
#define TLS_SESSIONS        4096
#define TLS_SESSION_SECONDS (24 * 3600)
#define TLS_TICKET_MOST     4096      /* bytes; a longer one is not kept */

struct tls_proof {
	int64_t     from, until;      /* the handshake, and when it counts no more */
	enum tls_by by;
};

struct tls_sessions *tls_sessions_new(void);
void                 tls_sessions_free(struct tls_sessions *);
/* The caller's, or NULL. `key`: the host in one form of writing, the port, and whose own trust it went by. */
SSL_SESSION         *tls_session_of(struct tls_sessions *, const char *key, int64_t now, struct tls_proof *out);
void                 tls_session_keep(struct tls_sessions *, const char *key, SSL_SESSION *, struct tls_proof);
void                 tls_session_forget(struct tls_sessions *, const char *key);

#endif
