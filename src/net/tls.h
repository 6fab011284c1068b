/* tls.h -- what net/ knows of TLS; OpenSSL stays behind it. Internal to net/. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/error.h"
#include "base/slice.h"
#include "base/want.h"

/* The certificates we believe in (the system's, looked up one by one as they are needed, plus a file), and what all
 * connections share: sessions to resume, and our own certificate where we are the server. */
struct tls_trust;

/* What one own_trust adds to it; see base/want.h. Shared by all that go by the same. */
struct tls_own;

/* Could it be gone by? FAULT_MALFORMED names what is wrong, as the end of a sentence. */
bool tls_own_check(const struct own_trust *, struct error *err);
/* Held by the caller, who releases it. False: FAULT_MALFORMED, FAULT_LOCAL. NULL in `*out` for one that says nothing, or NULL. */
bool tls_own_of(struct tls_trust *, const struct own_trust *, struct tls_own **out, struct error *err);
void tls_own_release(struct tls_own *);      /* NULL is fine */
/* Its pin in curl's way of writing. False: it has none. */
#define TLS_PIN_FOR_CURL 64
bool tls_own_pin_for_curl(const struct tls_own *, char out[TLS_PIN_FOR_CURL]);
/* What may be said of a peer who was believed by it on a connection that others made; NULL is fine. */
enum tls_by tls_own_by_before(const struct tls_own *);

struct tls_trust *tls_trust_new(const char *ca_file, struct error *err);    /* FAULT_LOCAL */
void tls_trust_free(struct tls_trust *);

/* What we show as a server from now on. False, and nothing changed: FAULT_LOCAL. */
bool tls_trust_show(struct tls_trust *, const char *certificate_file, const char *key_file, struct error *err);

/* Watches one handshake and writes down what it shows. Lives as long as the connection it watches; one that is lent has several
 * holders, as the other library may keep its connection for longer than we know of it. */
struct tls_witness {
	unsigned           holders;
	struct tls_answer *answer;    /* never NULL during the handshake; NULL later when nobody wants to know */
	struct tls_trust  *trust;
	struct tls_own    *own;       /* held, or NULL */
	const char        *host;      /* that the certificate must name; used until the handshake is over */
	struct slice       link;      /* DER of a certificate to try as a missing link, or empty */
	bool               refuse;    /* break the handshake off at a flaw, for who would go on otherwise (curl) */
	bool               judged;    /* a chain was seen and looked at */
};

struct tls_witness *tls_witness_new(struct tls_answer *);
void                tls_witness_release(struct tls_witness *);      /* by one holder; NULL is fine */

/* Makes the SSL_CTX of another library ours: our store, our verification, our notes. It then holds the witness as well. False when
 * it cannot be. */
bool tls_lend(struct tls_witness *, void *ssl_ctx);

enum tls_io {
	TLS_OK,
	TLS_WANTS_READ,
	TLS_WANTS_WRITE,
	TLS_ENDED,         /* the peer closed                                 */
	TLS_CUT,           /* reset                                           */
	TLS_BROKE,         /* an alert, or what is no TLS: the answer says it */
};

struct tls;

/* Over a connected, non-blocking socket, which stays the caller's. `port`: as it is known to whoever named the host; sessions are
 * resumed only for both, and the same `own`, which is taken over in any case. NULL when OpenSSL cannot, or for TLS_SERVE when there is
 * nothing to show. */
struct tls *tls_new(struct tls_trust *, struct tls_own *own, int fd, const char *host, uint16_t port, enum tls_how, struct slice link,
                    struct tls_answer *);
void        tls_free(struct tls *);      /* says goodbye if it is in order to */
enum tls_io tls_shake(struct tls *);     /* TLS_OK says nothing of trust: see the answer's flaws */
/* `late`: where an alert that comes after the handshake is written down, or NULL. */
enum tls_io tls_read(struct tls *, struct tls_answer *late, char *at, size_t room, size_t *n);
enum tls_io tls_write(struct tls *, struct tls_answer *late, struct slice, size_t *n);
bool        tls_has_more(const struct tls *);     /* bytes wait inside, of which the socket knows nothing */
void        tls_rest(struct tls *);               /* it will wait for long: gives back what it does not need meanwhile */

void tls_reason(struct tls_answer *, const char *words);      /* the first one stays; the answer may be NULL */

#endif
