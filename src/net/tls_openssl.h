/* tls_openssl.h -- between the files that know OpenSSL: tls.c, tls_verify.c, certificate.c. */
#ifndef NET_TLS_OPENSSL_H
#define NET_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* certificate.c: in our own plain words; foreign text is made one clean line. */
void certificate_describe(X509 *, struct tls_certificate *out);

/* tls_verify.c: callbacks for an SSL_CTX. They find their witness through the SSL's or the SSL_CTX's app data. */
int  verify_flaw(int ok, X509_STORE_CTX *);
int  verify_chain(X509_STORE_CTX *, void *unused);
int  verify_staple(SSL *, void *unused);
struct tls_witness *witness_of(const SSL *);

#endif
