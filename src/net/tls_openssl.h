/* tls_openssl.h -- between the files that know OpenSSL: tls.c, tls_verify.c, certificate.c. */
#ifndef NET_TLS_OPENSSL_H
#define NET_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* certificate.c: in our own plain words; foreign text is made one clean line. */
void certificate_describe(X509 *, struct tls_certificate *out);
int64_t certificate_not_after(const X509 *);      /* Unix seconds */

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
	int64_t from, until;          /* the handshake, and when it counts no more */
};

struct tls_sessions *tls_sessions_new(void);
void                 tls_sessions_free(struct tls_sessions *);
/* The caller's, or NULL. `key`: the host in one form of writing, and the port. */
SSL_SESSION         *tls_session_of(struct tls_sessions *, const char *key, int64_t now, struct tls_proof *out);
void                 tls_session_keep(struct tls_sessions *, const char *key, SSL_SESSION *, struct tls_proof);
void                 tls_session_forget(struct tls_sessions *, const char *key);

#endif
