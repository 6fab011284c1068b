/* peer.h -- the other side, for the tests of net/: servers on loopback in threads, certificates made at run time, and
 * single waits as if they were blocking calls. */
#ifndef TESTS_NET_PEER_H
#define TESTS_NET_PEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"
#include "test.h"

#define UNUSED __attribute__((unused))

/* -- servers ------------------------------------------------------------------------------------------------------ */

struct peer {
	int       fd;
	uint16_t  port;
	void    (*serve)(int fd, void *arg);     /* one connection after the other; NULL: nobody accepts */
	void     *arg;
	pthread_t thread;
	int       served;
};

UNUSED static struct address loopback(int family)
{
	struct address a;

	address_parse(family == 6 ? "::1" : "127.0.0.1", &a);
	return a;
}

UNUSED static struct address literal(const char *text)
{
	struct address a = { 0 };

	EXPECT(address_parse(text, &a));
	return a;
}

/* -1 when that cannot be bound (no IPv6 here, say). Port 0: the system chooses. */
UNUSED static int bound_at(struct address a, int type, uint16_t *port)
{
	struct sockaddr_in  v4 = { .sin_family = AF_INET, .sin_port = htons(*port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(*port) };
	struct timeval      ten = { .tv_sec = 10 };
	socklen_t           len = a.family == 6 ? sizeof v6 : sizeof v4;
	struct sockaddr    *at = a.family == 6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	int                 fd = socket(at->sa_family, type | SOCK_CLOEXEC, 0);

	memcpy(&v4.sin_addr, a.bytes, 4);
	memcpy(&v6.sin6_addr, a.bytes, 16);
	if (fd < 0)
		return -1;
	if (bind(fd, at, len) != 0 || getsockname(fd, at, &len) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof ten);
	*port = ntohs(a.family == 6 ? v6.sin6_port : v4.sin_port);
	return fd;
}

UNUSED static int bound(int family, int type, uint16_t *port)
{
	return bound_at(loopback(family), type, port);
}

/* A port where nobody listens. */
UNUSED static uint16_t dead_port(void)
{
	uint16_t port = 0;

	close(bound(4, SOCK_STREAM, &port));
	return port;
}

static void *peer_thread(void *self)
{
	struct peer   *p = self;
	struct timeval ten = { .tv_sec = 10 };
	sigset_t       pipe;
	int            fd;

	/* OpenSSL's servers raise it; on the thread under test it stays deadly, so that net/ is seen not to. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while ((fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof ten);
		__atomic_add_fetch(&p->served, 1, __ATOMIC_SEQ_CST);
		p->serve(fd, p->arg);
		close(fd);
	}
	return NULL;
}

UNUSED static bool peer_start_on(struct peer *p, int family, uint16_t port, void (*serve)(int, void *), void *arg)
{
	*p = (struct peer){ .port = port, .serve = serve, .arg = arg };
	p->fd = bound(family, SOCK_STREAM, &p->port);
	if (p->fd < 0)
		return false;
	EXPECT(listen(p->fd, 16) == 0);
	if (serve)
		EXPECT(pthread_create(&p->thread, NULL, peer_thread, p) == 0);
	return true;
}

UNUSED static void peer_start(struct peer *p, void (*serve)(int, void *), void *arg)
{
	EXPECT(peer_start_on(p, 4, 0, serve, arg));
}

UNUSED static void peer_stop(struct peer *p)
{
	shutdown(p->fd, SHUT_RDWR);
	if (p->serve)
		pthread_join(p->thread, NULL);
	close(p->fd);
}

UNUSED static void say_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

UNUSED static void say_str(int fd, const char *text)
{
	say_all(fd, text, strlen(text));
}

/* Until the other side closes. */
UNUSED static void hear_out(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof bytes, 0) > 0)
		;
}

/* Closing now answers with a reset. */
UNUSED static void reset_on_close(int fd)
{
	struct linger hard = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

/* -- single waits ------------------------------------------------------------------------------------------------- */

struct one_wait {
	const struct want *ask;
	bool               asked;
	enum came          came;
};

static enum want_kind one_wait_step(void *self, struct want *w, struct error *err)
{
	struct one_wait *o = self;
	int64_t          now = w->now_ms, unix_now = w->now_unix;

	(void)err;
	if (o->asked) {
		o->came = want_came(w);
		return WANT_NOTHING;
	}
	o->asked = true;
	*w = *o->ask;
	w->now_ms = now;
	w->now_unix = unix_now;
	return w->kind;
}

UNUSED static enum came wait_one(struct net *n, const struct want *ask)
{
	struct one_wait o = { .ask = ask };
	struct task     t = { .step = one_wait_step, .self = &o };

	EXPECT(net_run(n, &t));
	return o.came;
}

#define WAIT_ONE(net, make)  __extension__({ struct want w_ = { 0 }, *w = &w_; make; wait_one((net), w); })

UNUSED static enum came connect_to(struct net *n, struct line *l, uint16_t port)
{
	struct connect_answer a = { .tried = { { .address = loopback(4) } }, .count = 1 };

	return WAIT_ONE(n, want_connect(w, l, "mail.example.org", port, &a, 5000));
}

UNUSED static int64_t ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- certificates ------------------------------------------------------------------------------------------------- */

struct identity {
	EVP_PKEY *key;
	X509     *cert;
};

struct wish {
	const char *cn, *san;              /* san: "DNS:a.example,IP:127.0.0.1" or NULL */
	int         from_days, to_days;    /* from today; both 0: a month around it     */
	bool        ca;
	unsigned    rsa_bits;              /* 0: P-256                                  */
	const char *aia;
};

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX      ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	EXPECT(e != NULL);
	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

/* Signed by `issuer`, or by itself. */
UNUSED static struct identity identity_new(struct wish w, const struct identity *issuer)
{
	static long     serial = 1000;
	struct identity me = { .key = w.rsa_bits ? EVP_RSA_gen(w.rsa_bits) : EVP_EC_gen("P-256"), .cert = X509_new() };
	X509_NAME      *name = X509_get_subject_name(me.cert);
	X509           *above = issuer ? issuer->cert : me.cert;

	EXPECT(me.key != NULL);
	X509_set_version(me.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(me.cert), serial++);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Tests", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)w.cn, -1, -1, 0);
	X509_set_issuer_name(me.cert, X509_get_subject_name(above));
	X509_gmtime_adj(X509_getm_notBefore(me.cert), 86400L * (w.from_days || w.to_days ? w.from_days : -15));
	X509_gmtime_adj(X509_getm_notAfter(me.cert), 86400L * (w.from_days || w.to_days ? w.to_days : 15));
	X509_set_pubkey(me.cert, me.key);
	add_extension(me.cert, above, NID_subject_key_identifier, "hash");
	if (issuer)
		add_extension(me.cert, above, NID_authority_key_identifier, "keyid:always");
	add_extension(me.cert, above, NID_basic_constraints, w.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (w.san)
		add_extension(me.cert, above, NID_subject_alt_name, w.san);
	if (w.aia)
		add_extension(me.cert, above, NID_info_access, w.aia);
	EXPECT(X509_sign(me.cert, issuer ? issuer->key : me.key, EVP_sha256()) > 0);
	return me;
}

UNUSED static void identity_free(struct identity *i)
{
	EVP_PKEY_free(i->key);
	X509_free(i->cert);
	*i = (struct identity){ 0 };
}

/* The certificate as a PEM file, for --ca-file; unlink() it. */
UNUSED static void pem_file(const struct identity *i, char path[32])
{
	FILE *f;
	int   fd;

	snprintf(path, 32, "/tmp/mailmoor-test-XXXXXX");
	fd = mkstemp(path);
	EXPECT(fd >= 0 && (f = fdopen(fd, "w")));
	EXPECT(PEM_write_X509(f, i->cert) == 1);
	fclose(f);
}

/* The certificate as a PEM text; free() it. */
UNUSED static char *pem_text(const struct identity *i)
{
	BIO  *bio = BIO_new(BIO_s_mem());
	char *at, *text;
	long  len;

	EXPECT(bio && PEM_write_bio_X509(bio, i->cert) == 1);
	len = BIO_get_mem_data(bio, &at);
	text = strndup(at, (size_t)len);
	BIO_free(bio);
	return text;
}

/* What its key is pinned by. */
UNUSED static const char *pin_text(const struct identity *i, char out[65])
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	int            len = i2d_PUBKEY(i->key, &der);

	EXPECT(len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL));
	for (size_t n = 0; n < 32; n++)
		snprintf(out + 2 * n, 3, "%02x", digest[n]);
	OPENSSL_free(der);
	return out;
}

/* Its key as a PEM file; encrypted when there is a password. */
UNUSED static void key_file(const struct identity *i, const char *password, char path[32])
{
	FILE *f;
	int   fd;

	snprintf(path, 32, "/tmp/mailmoor-test-XXXXXX");
	fd = mkstemp(path);
	EXPECT(fd >= 0 && (f = fdopen(fd, "w")));
	EXPECT(PEM_write_PrivateKey(f, i->key, password ? EVP_aes_128_cbc() : NULL, (const unsigned char *)password,
		password ? (int)strlen(password) : 0, NULL, NULL) == 1);
	fclose(f);
}

/* -- a TLS server ------------------------------------------------------------------------------------------------- */

struct tls_server {
	const struct identity *me;
	X509                  *above[3];              /* sent behind it */
	const char            *greeting;              /* in the clear, before the handshake */
	int                    min, max;              /* protocol versions, 0: any          */
	bool                   asks_certificate;      /* and insists                        */
	const char            *says;                  /* inside                             */
	const unsigned char   *staple;
	int                    staple_len;
	bool                   http;                  /* one request is read first          */
	bool                   cuts;                  /* closes without TLS's goodbye       */
	SSL_CTX               *ctx;                   /* of all its connections, or NULL: each has its own, and knows no session */
	/* what it saw */
	bool                   shook, resumed;
	char                   sni[100];
	char                   heard[4096];
};

static int send_staple(SSL *ssl, void *arg)
{
	struct tls_server *s = arg;
	unsigned char     *copy = OPENSSL_memdup(s->staple, (size_t)s->staple_len);

	SSL_set_tlsext_status_ocsp_resp(ssl, copy, s->staple_len);
	return SSL_TLSEXT_ERR_OK;
}

UNUSED static SSL_CTX *tls_server_ctx(struct tls_server *s)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, s->min);
	SSL_CTX_set_max_proto_version(ctx, s->max);
	SSL_CTX_use_certificate(ctx, s->me->cert);
	SSL_CTX_use_PrivateKey(ctx, s->me->key);
	for (size_t i = 0; i < 3 && s->above[i]; i++)
		SSL_CTX_add1_chain_cert(ctx, s->above[i]);
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	if (s->asks_certificate)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (s->staple) {
		SSL_CTX_set_tlsext_status_cb(ctx, send_staple);
		SSL_CTX_set_tlsext_status_arg(ctx, s);
	}
	return ctx;
}

UNUSED static void serve_tls(int fd, void *arg)
{
	struct tls_server *s = arg;
	bool               own = !s->ctx;
	SSL_CTX           *ctx = own ? tls_server_ctx(s) : s->ctx;
	SSL               *ssl;
	size_t             used = 0;
	int                n;

	if (s->greeting)
		say_str(fd, s->greeting);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	s->heard[0] = '\0';
	s->sni[0] = '\0';
	s->shook = SSL_accept(ssl) == 1;
	s->resumed = SSL_session_reused(ssl);
	if (s->shook) {
		const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

		snprintf(s->sni, sizeof s->sni, "%s", name ? name : "");
		while (s->http && !strstr(s->heard, "\r\n\r\n") && (n = SSL_read(ssl, s->heard + used,
			(int)(sizeof s->heard - 1 - used))) > 0)
			s->heard[used += (size_t)n] = '\0';
		if (s->says)
			SSL_write(ssl, s->says, (int)strlen(s->says));
		if (!s->http && !s->cuts)
			while (used < sizeof s->heard - 1 && (n = SSL_read(ssl, s->heard + used,
				(int)(sizeof s->heard - 1 - used))) > 0)
				s->heard[used += (size_t)n] = '\0';
		if (!s->cuts)
			SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	if (own)
		SSL_CTX_free(ctx);
	if (!s->cuts) {
		shutdown(fd, SHUT_WR);
		hear_out(fd);
	}
}

#endif
