#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/arena.h"
#include "net/tls_openssl.h"

struct tls_trust {
	X509_STORE *store;
	SSL_CTX    *full, *quick;       /* the same, but that the second one remembers sessions */
	SSL_CTX    *ours;               /* where we are the server; NULL: nothing to show       */
	BIO_METHOD *socket;
	struct tls_sessions *sessions;
	struct tls_owns     *owns;
};

struct tls {
	struct tls_witness witness;
	SSL               *ssl;
	enum tls_how       how;
	int                fd;
	int                error;       /* errno that ended the socket  */
	bool               ended;       /* the socket gave its end      */
	bool               shook;
	bool               broken;      /* no goodbye may be said       */
	bool               trusted;
	bool               offered;     /* a session to resume          */
	char              *key;         /* TLS_QUICK: of its sessions   */
	struct tls_proof   proof;       /*   and what they rest on      */
};

void tls_reason(struct tls_answer *a, const char *words)
{
	if (a && a->reason[0] == '\0')
		snprintf(a->reason, sizeof a->reason, "%s", words ? words : "");
}

/* -- the socket below --------------------------------------------------------------------------------------------- */

/* The first bytes are looked at before OpenSSL takes them. When there are none yet it is told so, and not asked again:
 * they may come between the two calls, and would be gone unseen. */
static ssize_t receive(struct tls *t, char *at, size_t room)
{
	struct tls_answer *a = t->witness.answer;
	ssize_t            seen;

	if (t->shook || a->first_len > 0)
		return recv(t->fd, at, room, 0);
	seen = recv(t->fd, a->first, sizeof a->first, MSG_PEEK);
	if (seen <= 0)
		return seen;
	a->first_len = (size_t)seen;
	return recv(t->fd, at, room, 0);
}

/* OpenSSL's own socket BIO raises SIGPIPE, and swallows the greeting of a server that speaks no TLS. */
static int socket_read(BIO *bio, char *at, int room)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t     n = receive(t, at, (size_t)room);

	BIO_clear_retry_flags(bio);
	if (n == 0)
		t->ended = true;
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	else if (n < 0)
		t->error = errno;
	return (int)n;
}

static int socket_write(BIO *bio, const char *at, int len)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t     n = send(t->fd, at, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	else if (n < 0)
		t->error = errno;
	return (int)n;
}

static long socket_control(BIO *bio, int what, long number, void *pointer)
{
	struct tls *t = BIO_get_data(bio);

	(void)number, (void)pointer;
	if (what == BIO_CTRL_EOF)
		return t->ended;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "line");

	if (m) {
		BIO_meth_set_read(m, socket_read);
		BIO_meth_set_write(m, socket_write);
		BIO_meth_set_ctrl(m, socket_control);
	}
	return m;
}

/* -- what is noted on the way ------------------------------------------------------------------------------------- */

static void note_end_of_handshake(const SSL *ssl, struct tls_answer *a)
{
	a->shook = true;
	snprintf(a->version, sizeof a->version, "%s", SSL_get_version(ssl));
	snprintf(a->cipher, sizeof a->cipher, "%s", SSL_get_cipher_name(ssl));
	/* a session that is resumed has kept the certificate that it began with */
	a->end_point_len = certificate_end_point(SSL_get0_peer_certificate(ssl), a->end_point);
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tls_answer *a = witness_of(ssl)->answer;

	if (!a)
		return;
	if (where == SSL_CB_READ_ALERT && (value & 0xFF) != SSL3_AD_CLOSE_NOTIFY)
		a->alert = value & 0xFF;
	if ((where & SSL_CB_HANDSHAKE_DONE) && !a->shook)
		note_end_of_handshake(ssl, a);
}

static int on_certificate_wanted(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
	struct tls_answer *a = witness_of(ssl)->answer;

	(void)certificate, (void)key;
	if (a)
		a->wants_client_certificate = true;
	return 0;
}

/* Whose socket is not ours shows us at least the head of the first record, which is enough to know "HTTP/" by. */
static void on_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl, void *unused)
{
	struct tls_answer *a = witness_of(ssl)->answer;

	(void)version, (void)unused;
	if (a && !sent && type == SSL3_RT_HEADER && a->first_len == 0 && len <= sizeof a->first) {
		memcpy(a->first, bytes, len);
		a->first_len = len;
	}
}

static void set_callbacks(SSL_CTX *ctx)
{
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_client_cert_cb(ctx, on_certificate_wanted);
}

static bool set_verification(SSL_CTX *ctx, X509_STORE *store)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_flaw);
	SSL_CTX_set_cert_verify_callback(ctx, verify_chain, NULL);
	SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(ctx, verify_staple);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set1_cert_store(ctx, store);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}

bool tls_lend(struct tls_witness *w, void *ssl_ctx)
{
	SSL_CTX *ctx = ssl_ctx;

	if (!w->trust || !witness_lend(w, ctx))
		return false;
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_msg_callback(ctx, on_message);
	set_callbacks(ctx);
	return set_verification(ctx, tls_own_store(w->own, w->trust->store));
}

/* -- trust -------------------------------------------------------------------------------------------------------- */

static bool trust_system(X509_STORE *store)
{
	/* The hashed directory, not the bundle: one root is read when it is needed, not 140 before the first byte. */
	X509_LOOKUP *directory = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());

	return directory && X509_LOOKUP_add_dir(directory, NULL, X509_FILETYPE_DEFAULT);
}

X509_STORE *trust_store_new(void)
{
	X509_STORE *store = X509_STORE_new();

	if (!store || !trust_system(store)) {
		X509_STORE_free(store);
		return NULL;
	}
	/* What the operator or a workspace names is trusted as it is: an issuing CA, or one server's own certificate, too. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	return store;
}

static void set_thrift(SSL_CTX *ctx)
{
	/* A parked line gives its 2 × 17 kB back between records. */
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Whom we talk to is settled once: there is nobody to judge a second handshake. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
}

static SSL_CTX *ordinary_ctx(X509_STORE *store)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	set_callbacks(ctx);
	set_thrift(ctx);
	if (set_verification(ctx, store))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static int on_session(SSL *, SSL_SESSION *);

static SSL_CTX *remembering_ctx(X509_STORE *store)
{
	SSL_CTX *ctx = ordinary_ctx(store);

	if (ctx) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, on_session);
	}
	return ctx;
}

/* Everything that is refused otherwise: only to learn whether the peer would talk like that. */
static SSL_CTX *old_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	set_callbacks(ctx);
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0") && SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION)
	    && SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

struct tls_trust *tls_trust_new(const char *ca_file, struct error *err)
{
	struct tls_trust *t = must_alloc(sizeof *t);

	ERR_clear_error();
	t->store = trust_store_new();
	t->socket = socket_method();
	if (!t->store || !t->socket) {
		fail(err, FAULT_LOCAL, "OpenSSL cannot make a trust store");
	} else if (ca_file && X509_STORE_load_file(t->store, ca_file) != 1) {
		fail(err, FAULT_LOCAL, "%s: cannot be read, or holds no certificate (PEM)", ca_file);
	} else {
		t->full = ordinary_ctx(t->store);
		t->quick = remembering_ctx(t->store);
		t->sessions = tls_sessions_new();
		t->owns = tls_owns_new();
		if (t->full && t->quick)
			return t;
		fail(err, FAULT_LOCAL, "OpenSSL cannot make a TLS context");
	}
	ERR_clear_error();
	tls_trust_free(t);
	return NULL;
}

void tls_trust_free(struct tls_trust *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->full);
	SSL_CTX_free(t->quick);
	SSL_CTX_free(t->ours);
	tls_sessions_free(t->sessions);
	tls_owns_free(t->owns);
	X509_STORE_free(t->store);
	BIO_meth_free(t->socket);
	free(t);
}

bool tls_own_of(struct tls_trust *t, const struct own_trust *trust, struct tls_own **out, struct error *err)
{
	*out = NULL;
	if (!trust || (!trust->ca_pem && !trust->pin))
		return true;
	*out = tls_own_hold(t->owns, trust, t->store, err);
	return *out != NULL;
}

/* -- our own certificate ------------------------------------------------------------------------------------------ */

/* OpenSSL would ask at the terminal. */
static int no_password(char *at, int size, int writing, void *unused)
{
	(void)at, (void)size, (void)writing, (void)unused;
	return 0;
}

static SSL_CTX *serving_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	set_thrift(ctx);
	/* No tickets: their key would open what was said under it for as long as we run. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

bool tls_trust_show(struct tls_trust *t, const char *certificate_file, const char *key_file, struct error *err)
{
	SSL_CTX *ctx = serving_ctx();
	bool     shown = false;

	ERR_clear_error();
	if (!ctx)
		fail(err, FAULT_LOCAL, "OpenSSL cannot make a TLS context");
	else if (SSL_CTX_use_certificate_chain_file(ctx, certificate_file) != 1)
		fail(err, FAULT_LOCAL, "%s: cannot be read, or holds no certificate (PEM)", certificate_file);
	else if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		fail(err, FAULT_LOCAL, "%s: cannot be read, or holds no key (PEM, not encrypted) that belongs to %s", key_file,
		     certificate_file);
	else
		shown = true;
	ERR_clear_error();
	if (!shown) {
		SSL_CTX_free(ctx);
		return false;
	}
	SSL_CTX_free(t->ours);
	t->ours = ctx;
	return true;
}

/* -- sessions ----------------------------------------------------------------------------------------------------- */

/* The host in one form of writing, and the port; what was proved to one by his own trust is no proof to others. NULL for what can be no
 * host. */
static char *session_key(const char *host, uint16_t port, const struct tls_own *own)
{
	struct address a;
	char           literal[ADDRESS_TEXT], key[400];
	size_t         len = strlen(host);

	if (address_parse(host, &a))
		len = strlen(host = address_text(&a, literal));
	else if (len && host[len - 1] == '.')
		len--;
	if (len == 0 || len > 255)
		return NULL;
	snprintf(key, sizeof key, "%.*s %u%s%s", (int)len, host, port, own ? " " : "", own ? tls_own_id(own) : "");
	for (char *c = key; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	return must_copy(key);
}

static void offer_session(struct tls *t)
{
	SSL_SESSION *session = t->key ? tls_session_of(t->witness.trust->sessions, t->key, time(NULL), &t->proof) : NULL;

	t->offered = session && SSL_set_session(t->ssl, session);
	SSL_SESSION_free(session);
}

/* What this handshake proved counts as long as every certificate that it rests on. */
static struct tls_proof proof_of(const SSL *ssl, enum tls_by by)
{
	STACK_OF(X509)  *chain = SSL_get0_verified_chain(ssl);
	struct tls_proof p = { .from = time(NULL), .until = INT64_MAX, .by = by };

	/* a pinned key is right whatever its certificate says */
	if (by == TLS_BY_OWN_PIN)
		return p;
	p.until = sk_X509_num(chain) > 0 ? INT64_MAX : 0;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		int64_t ends = certificate_not_after(sk_X509_value(chain, i));

		if (ends < p.until)
			p.until = ends;
	}
	return p;
}

/* In TLS 1.3 they come when they like after the handshake; before that they belong to nobody who is known. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = (struct tls *)witness_of(ssl);

	if (t->trusted && t->key)
		tls_session_keep(t->witness.trust->sessions, t->key, session, t->proof);
	return 0;
}

static void settle_session(struct tls *t, bool resumed)
{
	if (!t->key)
		return;
	if (t->trusted && !resumed)
		t->proof = proof_of(t->ssl, t->witness.answer->by);
	if (t->trusted && SSL_version(t->ssl) < TLS1_3_VERSION)
		tls_session_keep(t->witness.trust->sessions, t->key, SSL_get_session(t->ssl), t->proof);
	/* Whatever it was that went wrong: the next one shall be judged anew. */
	if (!t->trusted)
		tls_session_forget(t->witness.trust->sessions, t->key);
}

/* -- one connection ----------------------------------------------------------------------------------------------- */

static bool name_server(SSL *ssl, const char *host)
{
	struct address literal;
	char           name[256];
	size_t         len = strlen(host);

	if (address_parse(host, &literal))          /* RFC 6066 §3: literals are not permitted */
		return true;
	if (len && host[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof name)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return SSL_set_tlsext_host_name(ssl, name) == 1;
}

static SSL *ssl_new(struct tls_trust *trust, enum tls_how how)
{
	SSL_CTX *ctx[] = { [TLS_FULL] = trust->full, [TLS_QUICK] = trust->quick, [TLS_SERVE] = trust->ours,
		[TLS_OLD_ONLY] = how == TLS_OLD_ONLY ? old_ctx() : NULL };
	SSL     *ssl = ctx[how] ? SSL_new(ctx[how]) : NULL;

	SSL_CTX_free(ctx[TLS_OLD_ONLY]);
	return ssl;
}

/* One context serves all: what differs is a pointer to a shared store. */
static bool go_by_own(const struct tls *t)
{
	X509_STORE *store = tls_own_store(t->witness.own, NULL);

	return !store || SSL_set1_verify_cert_store(t->ssl, store) == 1;
}

struct tls *tls_new(struct tls_trust *trust, struct tls_own *own, int fd, const char *host, uint16_t port, enum tls_how how,
                    struct slice link, struct tls_answer *answer)
{
	struct tls *t = must_alloc(sizeof *t);
	BIO        *bio;

	t->witness = (struct tls_witness){ .answer = answer, .trust = trust, .own = own, .host = host, .link = link };
	t->how = how;
	t->fd = fd;
	ERR_clear_error();
	t->ssl = ssl_new(trust, how);
	bio = t->ssl ? BIO_new(trust->socket) : NULL;
	if (!bio || (how != TLS_SERVE && !name_server(t->ssl, host)) || !go_by_own(t)) {
		BIO_free(bio);
		t->broken = true;
		tls_free(t);
		return NULL;
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, &t->witness);
	if (how == TLS_SERVE) {
		SSL_set_accept_state(t->ssl);
		return t;
	}
	SSL_set_connect_state(t->ssl);
	/* What holds only with a link that the server did not send is proof of nothing but that. */
	t->key = how == TLS_QUICK && link.len == 0 ? session_key(host, port, own) : NULL;
	offer_session(t);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (t->trusted && !t->broken)
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	ERR_clear_error();
	tls_own_release(t->witness.own);
	free(t->key);
	free(t);
}

static enum tls_io outcome(struct tls *t, int returned)
{
	int           error = SSL_get_error(t->ssl, returned);
	unsigned long why;

	if (error == SSL_ERROR_NONE)
		return TLS_OK;
	if (error == SSL_ERROR_WANT_READ)
		return TLS_WANTS_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return TLS_WANTS_WRITE;
	if (error == SSL_ERROR_ZERO_RETURN)
		return TLS_ENDED;
	t->broken = true;
	why = ERR_peek_error();
	ERR_clear_error();
	/* Many mail servers close without TLS's goodbye. That is an end too: no protocol of ours relies on it. */
	if (error == SSL_ERROR_SSL && !(t->ended && ERR_GET_REASON(why) == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
		tls_reason(t->witness.answer, ERR_reason_error_string(why));
		return TLS_BROKE;
	}
	return t->error ? TLS_CUT : TLS_ENDED;
}

/* The handshake is done: is the peer who it must be? */
static bool peer_is_proven(struct tls *t, bool resumed)
{
	struct tls_answer *a = t->witness.answer;

	if (t->how == TLS_OLD_ONLY)
		return false;
	if (t->how == TLS_SERVE)
		return true;
	a->resumed = resumed;
	if (resumed) {
		a->by = t->proof.by;
		snprintf(a->verify, sizeof a->verify, "ok");
	} else if (!t->witness.judged) {
		/* Whatever OpenSSL may think: nobody is trusted here who showed no certificate, now or then. */
		a->flaws |= TLS_FLAW_OTHER;
	}
	return a->flaws == 0;
}

enum tls_io tls_shake(struct tls *t)
{
	enum tls_io io;
	bool        resumed;

	ERR_clear_error();
	io = outcome(t, SSL_do_handshake(t->ssl));
	if (io == TLS_WANTS_READ || io == TLS_WANTS_WRITE)
		return io;
	resumed = t->offered && SSL_session_reused(t->ssl);
	if (io == TLS_OK) {
		t->shook = true;
		note_end_of_handshake(t->ssl, t->witness.answer);
		t->trusted = peer_is_proven(t, resumed);
	}
	settle_session(t, resumed);
	t->witness.host = NULL;
	t->witness.answer = NULL;
	return io;
}

enum tls_io tls_read(struct tls *t, struct tls_answer *late, char *at, size_t room, size_t *n)
{
	enum tls_io io;

	ERR_clear_error();
	t->witness.answer = late;
	io = outcome(t, SSL_read_ex(t->ssl, at, room, n));
	t->witness.answer = NULL;
	return io;
}

enum tls_io tls_write(struct tls *t, struct tls_answer *late, struct slice bytes, size_t *n)
{
	enum tls_io io;

	ERR_clear_error();
	t->witness.answer = late;
	io = outcome(t, SSL_write_ex(t->ssl, bytes.at, bytes.len, n));
	t->witness.answer = NULL;
	return io;
}

bool tls_has_more(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0;
}

/* SSL_MODE_RELEASE_BUFFERS leaves a buffer of 16 kB behind when the tickets have come (seen with 3.0). Refused, and rightly, while
 * something is in there. */
void tls_rest(struct tls *t)
{
	if (t->shook)
		SSL_free_buffers(t->ssl);
}
