#include <openssl/err.h>

#include "net/tls_openssl.h"
#include "peer.h"

static struct identity root, middle, stranger, good;      /* stranger: a root that nobody trusts */
static char            ca_file[32];

static void forget_identities(void)
{
	unlink(ca_file);
	identity_free(&root);
	identity_free(&middle);
	identity_free(&stranger);
	identity_free(&good);
}

static struct net *net_trusting_root(void)
{
	struct net_settings s = { .ca_file = ca_file };
	struct error        err = { 0 };
	struct net         *n;

	if (!root.cert) {
		root = identity_new((struct wish){ .cn = "Test Root", .ca = true }, NULL);
		middle = identity_new((struct wish){ .cn = "Test Middle", .ca = true }, &root);
		stranger = identity_new((struct wish){ .cn = "Unknown Root", .ca = true }, NULL);
		good = identity_new((struct wish){ .cn = "mail.example.org",
			.san = "DNS:mail.example.org,DNS:*.example.net,IP:127.0.0.1,IP:::1",
			.aia = "caIssuers;URI:http://ca.example.org/middle.crt" }, &middle);
		pem_file(&root, ca_file);
		atexit(forget_identities);
	}
	n = net_new(&s, &err);
	EXPECT(n != NULL);
	return n;
}

static enum came shake(struct net *n, struct line *l, uint16_t port, const char *host, enum tls_how how,
	struct tls_answer *a)
{
	EXPECT(connect_to(n, l, port) == CAME);
	return WAIT_ONE(n, want_tls(w, l, host, how, a, 5000));
}

TEST(a_verified_line_carries_both_ways)
{
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert }, .says = "* OK ready\r\n" };
	struct tls_answer a;
	struct peer       p;
	struct line       l;

	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == CAME);
	EXPECT(l.open && l.secure && a.shook && a.flaws == 0 && a.alert == -1);
	EXPECT_TEXT(a.verify, "ok");
	EXPECT_TEXT(a.version, "TLSv1.3");
	EXPECT(a.cipher[0] && a.reason[0] == '\0' && !a.wants_client_certificate && !a.stapled_good);
	EXPECT(a.first_len > 0 && a.first[0] == 0x16);      /* a handshake record */
	EXPECT(buffer_add_str(&l.out, "a1 LOGOUT\r\n"));
	EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME);
	EXPECT(slice_equal(buffer_held(&l.in), slice_str("* OK ready\r\n")));
	EXPECT(buffer_held(&l.out).len == 0);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
	EXPECT_TEXT(s.sni, "mail.example.org");
	EXPECT_TEXT(s.heard, "a1 LOGOUT\r\n");
}

TEST(the_chain_is_described)
{
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert, root.cert } };
	struct tls_answer a;
	struct peer       p;
	struct line       l;

	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == CAME);
	EXPECT(a.chain_len == 3);
	EXPECT_TEXT(a.chain[0].subject, "CN=mail.example.org, O=Tests");
	EXPECT_TEXT(a.chain[0].issuer, "CN=Test Middle, O=Tests");
	EXPECT_TEXT(a.chain[0].subject_name, "mail.example.org");
	EXPECT_TEXT(a.chain[0].issuer_name, "Test Middle");
	EXPECT_TEXT(a.chain[0].names, "mail.example.org, *.example.net, 127.0.0.1, ::1");
	EXPECT_TEXT(a.chain[0].aia, "http://ca.example.org/middle.crt");
	EXPECT_TEXT(a.chain[0].key, "EC 256");
	EXPECT_TEXT(a.chain[0].signature, "ecdsa-with-SHA256");
	EXPECT(strlen(a.chain[0].fingerprint) == 64 && !a.chain[0].is_ca && !a.chain[0].self_issued);
	EXPECT(a.chain[0].not_after - a.chain[0].not_before == 30 * 86400 && a.chain[0].not_after > time(NULL));
	EXPECT(a.chain[1].is_ca && !a.chain[1].self_issued && a.chain[2].is_ca && a.chain[2].self_issued);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

enum who { BY_MIDDLE, BY_ROOT, BY_STRANGER, BY_ITSELF };

TEST(flaws)
{
	static const struct {
		const char *row;
		struct wish wish;
		enum who    by;
		bool        middle_sent, root_sent;
		const char *host;
		unsigned    flaws;
		const char *verify;
	} rows[] = {
		{ "good", { .cn = "a.example", .san = "DNS:a.example" }, BY_MIDDLE, true, false, "a.example", 0, "ok" },
		{ "wild card", { .cn = "a.example", .san = "DNS:*.a.example" }, BY_MIDDLE, true, false, "b.A.example",
			0, "ok" },
		{ "last dot", { .cn = "a.example", .san = "DNS:a.example" }, BY_MIDDLE, true, false, "a.example.", 0,
			"ok" },
		{ "literal", { .cn = "a.example", .san = "IP:192.0.2.7" }, BY_MIDDLE, true, false, "192.0.2.7", 0,
			"ok" },
		{ "v6 literal", { .cn = "a.example", .san = "IP:2001:db8::7" }, BY_MIDDLE, true, false,
			"[2001:db8::7]", 0, "ok" },
		{ "wrong literal", { .cn = "a.example", .san = "IP:192.0.2.7" }, BY_MIDDLE, true, false, "192.0.2.8",
			TLS_FLAW_NAME, "IP_ADDRESS_MISMATCH" },
		{ "literal as a name", { .cn = "192.0.2.7", .san = "DNS:192.0.2.7" }, BY_MIDDLE, true, false,
			"192.0.2.7", TLS_FLAW_NAME, "IP_ADDRESS_MISMATCH" },
		{ "wrong name", { .cn = "a.example", .san = "DNS:b.example" }, BY_MIDDLE, true, false, "a.example",
			TLS_FLAW_NAME, "HOSTNAME_MISMATCH" },
		{ "name only in the subject", { .cn = "a.example" }, BY_MIDDLE, true, false, "a.example",
			TLS_FLAW_NAME, "HOSTNAME_MISMATCH" },
		{ "wild card too deep", { .cn = "a.example", .san = "DNS:*.example" }, BY_MIDDLE, true, false,
			"b.a.example", TLS_FLAW_NAME, "HOSTNAME_MISMATCH" },
		{ "part of a label", { .cn = "a.example", .san = "DNS:ma*.a.example" }, BY_MIDDLE, true, false,
			"mail.a.example", TLS_FLAW_NAME, "HOSTNAME_MISMATCH" },
		{ "expired", { .cn = "a.example", .san = "DNS:a.example", .from_days = -30, .to_days = -1 },
			BY_MIDDLE, true, false, "a.example", TLS_FLAW_EXPIRED, "CERT_HAS_EXPIRED" },
		{ "not yet", { .cn = "a.example", .san = "DNS:a.example", .from_days = 1, .to_days = 30 }, BY_MIDDLE,
			true, false, "a.example", TLS_FLAW_NOT_YET, "CERT_NOT_YET_VALID" },
		{ "expired and wrong name", { .cn = "a.example", .san = "DNS:b.example", .from_days = -30,
			.to_days = -1 }, BY_MIDDLE, true, false, "a.example",
			TLS_FLAW_EXPIRED | TLS_FLAW_NAME, "HOSTNAME_MISMATCH" },
		{ "self-signed", { .cn = "a.example", .san = "DNS:a.example" }, BY_ITSELF, false, false, "a.example",
			TLS_FLAW_SELF_SIGNED, "DEPTH_ZERO_SELF_SIGNED_CERT" },
		{ "self-signed, wrong name", { .cn = "a.example", .san = "DNS:b.example" }, BY_ITSELF, false, false,
			"a.example",
			TLS_FLAW_SELF_SIGNED | TLS_FLAW_NAME, "DEPTH_ZERO_SELF_SIGNED_CERT" },
		{ "self-signed, expired, wrong name", { .cn = "a.example", .from_days = -30, .to_days = -1 },
			BY_ITSELF, false, false, "a.example",
			TLS_FLAW_SELF_SIGNED | TLS_FLAW_NAME | TLS_FLAW_EXPIRED, "DEPTH_ZERO_SELF_SIGNED_CERT" },
		{ "private root sent", { .cn = "a.example", .san = "DNS:a.example" }, BY_STRANGER, false, true,
			"a.example", TLS_FLAW_PRIVATE_ROOT, "SELF_SIGNED_CERT_IN_CHAIN" },
		{ "private root not sent", { .cn = "a.example", .san = "DNS:a.example" }, BY_STRANGER, false, false,
			"a.example",
			TLS_FLAW_NO_ISSUER, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
		{ "intermediate missing", { .cn = "a.example", .san = "DNS:a.example" }, BY_MIDDLE, false, false,
			"a.example",
			TLS_FLAW_NO_ISSUER, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
		{ "unknown issuer, expired, wrong name", { .cn = "a.example", .san = "DNS:b.example",
			.from_days = -30, .to_days = -1 }, BY_STRANGER, false, false, "a.example",
			TLS_FLAW_NO_ISSUER | TLS_FLAW_EXPIRED | TLS_FLAW_NAME, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
		{ "short key", { .cn = "a.example", .san = "DNS:a.example", .rsa_bits = 1024 }, BY_ROOT, false, false,
			"a.example", TLS_FLAW_WEAK, "EE_KEY_TOO_SMALL" },
		{ "short key, wrong name", { .cn = "a.example", .san = "DNS:b.example", .rsa_bits = 1024 }, BY_ROOT,
			false, false, "a.example",
			TLS_FLAW_WEAK | TLS_FLAW_NAME, "EE_KEY_TOO_SMALL" },
		{ "empty host", { .cn = "a.example", .san = "DNS:a.example" }, BY_MIDDLE, true, false, "", 0, NULL },
	};
	struct net *n = net_trusting_root();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct identity *issuers[] = { [BY_MIDDLE] = &middle, [BY_ROOT] = &root,
			[BY_STRANGER] = &stranger, [BY_ITSELF] = NULL };
		struct identity        me = identity_new(rows[i].wish, issuers[rows[i].by]);
		struct tls_server      s = { .me = &me };
		bool                   fine = rows[i].verify && rows[i].flaws == 0;
		struct tls_answer      a;
		struct peer            p;
		struct line            l;
		enum came              came;

		if (rows[i].middle_sent)
			s.above[0] = middle.cert;
		if (rows[i].root_sent)
			s.above[0] = stranger.cert;
		s.says = "* OK ready\r\n";
		line_init(&l, 1000, 1000);
		peer_start(&p, serve_tls, &s);
		EXPECT(connect_to(n, &l, p.port) == CAME);
		EXPECT(buffer_add_str(&l.out, "secret"));      /* must not get out on a line that is not proven */
		came = WAIT_ONE(n, want_tls(w, &l, rows[i].host, TLS_FULL, &a, 5000));
		if (fine)
			EXPECT_ROW(WAIT_ONE(n, want_write(w, &l, 5000)) == CAME, rows[i].row);
		EXPECT_ROW(a.flaws == rows[i].flaws, rows[i].row);
		if (rows[i].verify) {
			EXPECT_TEXT(a.verify, rows[i].verify);
			EXPECT_ROW(a.shook && a.chain_len == 1u + rows[i].middle_sent + rows[i].root_sent, rows[i].row);
		}
		EXPECT_ROW(came == (fine ? CAME : rows[i].verify ? CAME_TLS_FAILED : CAME_FAILED), rows[i].row);
		EXPECT_ROW(l.open == fine && l.secure == fine, rows[i].row);
		line_release(&l);
		peer_stop(&p);
		EXPECT_ROW(strcmp(s.heard, fine ? "secret" : "") == 0, rows[i].row);
		identity_free(&me);
	}
	net_free(n);
}

TEST(a_certificate_named_by_the_operator_is_trusted_itself)
{
	struct identity     me = identity_new((struct wish){ .cn = "a.example", .san = "DNS:a.example" }, NULL);
	struct tls_server   s = { .me = &me };
	struct net_settings settings = { 0 };
	struct net         *n;
	struct tls_answer   a;
	struct peer         p;
	struct line         l;
	char                file[32];

	pem_file(&me, file);
	settings.ca_file = file;
	n = net_new(&settings, NULL);
	unlink(file);
	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(shake(n, &l, p.port, "a.example", TLS_FULL, &a) == CAME && l.secure);
	EXPECT(shake(n, &l, p.port, "b.example", TLS_FULL, &a) == CAME_TLS_FAILED && !l.secure);
	EXPECT(a.flaws == TLS_FLAW_NAME);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
	identity_free(&me);
}

TEST(the_systems_store_alone_does_not_know_our_root)
{
	struct net         *unused = net_trusting_root();
	struct net_settings settings = { 0 };
	struct net         *n = net_new(&settings, NULL);
	struct tls_server   s = { .me = &good, .above = { middle.cert } };
	struct tls_answer   a;
	struct peer         p;
	struct line         l;

	net_free(unused);
	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(net_costs(n).trust_us == 0);      /* nothing is made before it is needed */
	EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == CAME_TLS_FAILED);
	EXPECT(a.flaws == TLS_FLAW_NO_ISSUER && a.flaw_depth == 1 && !l.open);
	EXPECT(net_costs(n).trust_us > 0 && net_costs(n).handshakes == 1);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

/* -- handshakes that break ---------------------------------------------------------------------------------------- */

static void say_and_hear_out(int fd, void *arg)
{
	if (arg)
		say_str(fd, arg);
	hear_out(fd);
}

static void close_at_hello(int fd, void *arg)
{
	char hello[2000];

	(void)arg;
	EXPECT(recv(fd, hello, sizeof hello, 0) > 0);
}

static void reset_at_hello(int fd, void *arg)
{
	close_at_hello(fd, arg);
	reset_on_close(fd);
}

static void alert_at_hello(int fd, void *arg)
{
	close_at_hello(fd, arg);
	say_all(fd, "\x15\x03\x01\x00\x02\x02\x46", 7);      /* fatal, protocol_version */
}

TEST(handshakes_that_break)
{
	static const struct {
		const char *row;
		void      (*serve)(int, void *);
		const char *says;
		enum came   came;
		int         alert;
		const char *first, *reason;
	} rows[] = {
		{ "plain IMAP",  say_and_hear_out, "* OK IMAP4rev1 ready\r\n", CAME_TLS_FAILED, -1,
			"* OK IMAP4rev1 ready\r\n", "wrong version number" },
		{ "plain HTTP",  say_and_hear_out, "HTTP/1.1 400 Bad Request\r\n", CAME_TLS_FAILED, -1,
			"HTTP/1.1 400 Bad Request\r\n", "wrong version number" },
		{ "end",         close_at_hello,   NULL, CAME_END,        -1, "", "" },
		{ "reset",       reset_at_hello,   NULL, CAME_RESET,      -1, "", "" },
		{ "alert",       alert_at_hello,   NULL, CAME_TLS_FAILED, 70, "\x15\x03\x01",
			"tlsv1 alert protocol version" },
		{ "silence",     say_and_hear_out, NULL, CAME_TIMEOUT,    -1, "", "" },
	};
	struct net *n = net_trusting_root();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_answer a;
		struct peer       p;
		struct line       l;
		enum came         came;

		line_init(&l, 1000, 1000);
		peer_start(&p, rows[i].serve, (void *)rows[i].says);
		EXPECT(connect_to(n, &l, p.port) == CAME);
		came = WAIT_ONE(n, want_tls(w, &l, "mail.example.org", TLS_FULL, &a,
			rows[i].came == CAME_TIMEOUT ? 80 : 5000));
		EXPECT_ROW(came == rows[i].came, rows[i].row);
		EXPECT_ROW(!a.shook && a.alert == rows[i].alert && !l.open && !l.secure, rows[i].row);
		EXPECT_ROW(slice_starts(slice((char *)a.first, a.first_len), rows[i].first), rows[i].row);
		EXPECT_TEXT(a.reason, rows[i].reason);
		EXPECT_ROW(WAIT_ONE(n, want_read(w, &l, 50)) == CAME_RESET, rows[i].row);
		line_release(&l);
		peer_stop(&p);
	}
	net_free(n);
}

static void say_then_tls(int fd, void *arg)
{
	say_str(fd, "220 go ahead\r\n");
	serve_tls(fd, arg);
}

TEST(starttls_and_bytes_smuggled_before_it)
{
	static const struct { bool heard, consumed; enum came came; const char *first; } rows[] = {
		{ true,  true,  CAME,            "\x16" },
		{ true,  false, CAME_TLS_FAILED, "220 go ahead" },
			     /* left in the buffer: would be read as if from inside */
		{ false, false, CAME_TLS_FAILED, "220 go ahead" },      /* still in the socket */
	};
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_answer a;
		struct peer       p;
		struct line       l;

		line_init(&l, 1000, 1000);
		peer_start(&p, say_then_tls, &s);
		EXPECT(connect_to(n, &l, p.port) == CAME);
		if (rows[i].heard)
			EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME);
		if (rows[i].consumed)
			buffer_clear(&l.in);
		EXPECT(WAIT_ONE(n, want_tls(w, &l, "mail.example.org", TLS_FULL, &a, 5000)) == rows[i].came);
		EXPECT(slice_starts(slice((char *)a.first, a.first_len), rows[i].first));
		EXPECT(l.secure == (rows[i].came == CAME));
		line_release(&l);
		peer_stop(&p);
	}
	net_free(n);
}

TEST(old_tls_is_refused_and_can_be_probed_for)
{
	static const struct { int max; const char *version; } rows[] = {
		{ TLS1_VERSION, "TLSv1" }, { TLS1_1_VERSION, "TLSv1.1" }, { 0, NULL },
	};
	struct net     *n = net_trusting_root();
	struct identity rsa = identity_new((struct wish){ .cn = "a.example", .san = "DNS:a.example",
		.rsa_bits = 2048 }, &root);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_server s = { .me = &rsa, .min = rows[i].max ? TLS1_VERSION : TLS1_2_VERSION,
			.max = rows[i].max };
		struct tls_answer a;
		struct peer       p;
		struct line       l;

		line_init(&l, 1000, 1000);
		peer_start(&p, serve_tls, &s);
		EXPECT(shake(n, &l, p.port, "a.example", TLS_FULL, &a) == (rows[i].max ? CAME_TLS_FAILED : CAME));
		EXPECT(a.shook == !rows[i].max && a.flaws == 0);
		EXPECT(a.alert == (rows[i].max ? 70 : -1));
		EXPECT(shake(n, &l, p.port, "a.example", TLS_OLD_ONLY, &a) == (rows[i].max ? CAME : CAME_TLS_FAILED));
		EXPECT(!l.open && !l.secure && a.shook == (rows[i].max != 0));
		if (rows[i].max)
			EXPECT_TEXT(a.version, rows[i].version);
		line_release(&l);
		peer_stop(&p);
	}
	identity_free(&rsa);
	net_free(n);
}

TEST(a_client_certificate_is_wanted)
{
	static const struct { int max; } rows[] = { { TLS1_2_VERSION }, { TLS1_3_VERSION } };
	struct net *n = net_trusting_root();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_server s = { .me = &good, .above = { middle.cert }, .max = rows[i].max,
			.asks_certificate = true };
		bool              late = rows[i].max == TLS1_3_VERSION;
		struct tls_answer a;
		struct peer       p;
		struct line       l;

		line_init(&l, 1000, 1000);
		peer_start(&p, serve_tls, &s);
		EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == (late ? CAME : CAME_TLS_FAILED));
		if (late) {
			EXPECT(a.alert == -1);
			EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME_TLS_FAILED);
		}
		EXPECT(a.wants_client_certificate);
		EXPECT(a.alert == (late ? 116 : 40));
		EXPECT(a.reason[0] != '\0');
		line_release(&l);
		peer_stop(&p);
	}
	net_free(n);
}

/* A parked line holds nothing of its handshake. */
TEST(who_lets_go_of_the_handshake_is_not_written_to)
{
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert }, .max = TLS1_3_VERSION, .asks_certificate = true };
	struct tls_answer a, before;
	struct peer       p;
	struct line       l;

	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == CAME && l.handshake == &a);
	l.handshake = NULL;
	before = a;
	EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME_TLS_FAILED);
	EXPECT(memcmp(&a, &before, sizeof a) == 0);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

TEST(a_close_without_goodbye_is_an_end)
{
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert }, .says = "* BYE\r\n", .cuts = true };
	struct tls_answer a;
	struct peer       p;
	struct line       l;

	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == CAME);
	EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME);
	EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME_END && l.ended);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

/* More than one record, read through a buffer of a few bytes: what OpenSSL holds must not be forgotten. */
TEST(bytes_that_wait_inside_openssl)
{
	static char       text[5001];
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert }, .says = text };
	struct tls_answer a;
	struct peer       p;
	struct line       l;
	size_t            total = 0;

	memset(text, 'x', sizeof text - 1);
	line_init(&l, 100, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(shake(n, &l, p.port, "mail.example.org", TLS_FULL, &a) == CAME);
	while (total < 5000) {
		EXPECT(WAIT_ONE(n, want_read(w, &l, 2000)) == CAME);
		total += buffer_held(&l.in).len;
		buffer_clear(&l.in);
	}
	EXPECT(total == 5000);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

/* -- stapled OCSP ------------------------------------------------------------------------------------------------- */

static int staple_for(const struct identity *leaf, const struct identity *issuer, const struct identity *signer,
	int status, int from_days,
                      int to_days, unsigned char **der)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID    *id = OCSP_cert_to_id(EVP_sha1(), leaf->cert, issuer->cert);
	ASN1_TIME      *from = X509_gmtime_adj(NULL, 86400L * from_days), *to = X509_gmtime_adj(NULL, 86400L * to_days);
	OCSP_RESPONSE  *r;
	int             len;

	OCSP_basic_add1_status(basic, id, status, 0, from, from, to);
	EXPECT(OCSP_basic_sign(basic, signer->cert, signer->key, EVP_sha256(), NULL, 0) == 1);
	r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	*der = NULL;
	len = i2d_OCSP_RESPONSE(r, der);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return len;
}

TEST(stapled_answers)
{
	static const struct { const char *row; int status, from,
		to; bool forged; int max; bool good; unsigned flaws; } rows[] = {
		{ "good",            V_OCSP_CERTSTATUS_GOOD,    -1, 1,  false, 0,              true,  0 },
		{ "good, TLS 1.2",   V_OCSP_CERTSTATUS_GOOD,    -1, 1,  false, TLS1_2_VERSION, true,  0 },
		{ "revoked",         V_OCSP_CERTSTATUS_REVOKED, -1, 1,  false, 0,              false,
			TLS_FLAW_REVOKED },
		{ "revoked, 1.2",    V_OCSP_CERTSTATUS_REVOKED, -1, 1,  false, TLS1_2_VERSION, false,
			TLS_FLAW_REVOKED },
		{ "good, but old",   V_OCSP_CERTSTATUS_GOOD,    -9, -2, false, 0,              false, 0 },
		{ "forged",          V_OCSP_CERTSTATUS_REVOKED, -1, 1,  true,  0,              false, 0 },
		{ "unknown",         V_OCSP_CERTSTATUS_UNKNOWN, -1, 1,  false, 0,              false, 0 },
	};
	struct net *n = net_trusting_root();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_server s = { .me = &good, .above = { middle.cert }, .max = rows[i].max };
		unsigned char    *der;
		struct tls_answer a;
		struct peer       p;
		struct line       l;

		s.staple_len = staple_for(&good, &middle, rows[i].forged ? &stranger : &middle, rows[i].status,
			rows[i].from, rows[i].to, &der);
		s.staple = der;
		line_init(&l, 1000, 1000);
		peer_start(&p, serve_tls, &s);
		EXPECT_ROW(shake(n, &l, p.port, "mail.example.org", TLS_FULL,
			&a) == (rows[i].flaws ? CAME_TLS_FAILED : CAME), rows[i].row);
		EXPECT_ROW(a.flaws == rows[i].flaws && a.stapled_good == rows[i].good, rows[i].row);
		if (rows[i].flaws)
			EXPECT_TEXT(a.verify, "CERT_REVOKED");
		EXPECT_ROW(l.secure == !rows[i].flaws, rows[i].row);
		line_release(&l);
		peer_stop(&p);
		OPENSSL_free(der);
	}
	net_free(n);
}

/* -- a workspace's own trust -------------------------------------------------------------------------------------- */

TEST(own_trust_decides_for_its_own_and_no_other)
{
	enum { NO_CA, CA_STRANGER, CA_LEAF, CA_ROOT, CA_TWO };
	enum { NO_PIN, PIN_LEAF, PIN_OTHER, PIN_CA };
	static const struct {
		const char *row;
		struct wish wish;
		enum who    by;
		int         ca, pin;
		unsigned    flaws;
		enum tls_by told;
		const char *verify;
	} rows[] = {
#define FINE    { .cn = "a.example", .san = "DNS:a.example" }
#define MISNAMED { .cn = "a.example", .san = "DNS:b.example" }
#define OLD     { .cn = "a.example", .san = "DNS:a.example", .from_days = -30, .to_days = -1 }
		{ "nothing of one's own",        FINE, BY_STRANGER, NO_CA, NO_PIN, TLS_FLAW_NO_ISSUER, TLS_BY_ALL, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
		{ "its authority",               FINE, BY_STRANGER, CA_STRANGER, NO_PIN, 0, TLS_BY_OWN_CA, "ok" },
		{ "the second of two",           FINE, BY_STRANGER, CA_TWO, NO_PIN, 0, TLS_BY_OWN_CA, "ok" },
		{ "another authority",           FINE, BY_STRANGER, CA_ROOT, NO_PIN, TLS_FLAW_NO_ISSUER, TLS_BY_ALL, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
		{ "the certificate itself",      FINE, BY_STRANGER, CA_LEAF, NO_PIN, 0, TLS_BY_OWN_CA, "ok" },
		{ "the self-signed one itself",  FINE, BY_ITSELF, CA_LEAF, NO_PIN, 0, TLS_BY_OWN_CA, "ok" },
		{ "everybody's stays",           FINE, BY_ROOT, CA_STRANGER, NO_PIN, 0, TLS_BY_ALL, "ok" },
		{ "its authority, wrong name",   MISNAMED, BY_STRANGER, CA_STRANGER, NO_PIN, TLS_FLAW_NAME, TLS_BY_ALL, "HOSTNAME_MISMATCH" },
		{ "its authority, expired",      OLD, BY_STRANGER, CA_STRANGER, NO_PIN, TLS_FLAW_EXPIRED, TLS_BY_ALL, "CERT_HAS_EXPIRED" },
		{ "its key",                     FINE, BY_STRANGER, NO_CA, PIN_LEAF, 0, TLS_BY_OWN_PIN, "ok" },
		{ "its key, self-signed",        FINE, BY_ITSELF, NO_CA, PIN_LEAF, 0, TLS_BY_OWN_PIN, "ok" },
		{ "its key, expired",            OLD, BY_STRANGER, NO_CA, PIN_LEAF, 0, TLS_BY_OWN_PIN, "ok" },
		{ "its key, wrong name",         MISNAMED, BY_STRANGER, NO_CA, PIN_LEAF, 0, TLS_BY_OWN_PIN, "ok" },
		{ "its key, too short",          { .cn = "a.example", .rsa_bits = 1024 }, BY_STRANGER, NO_CA, PIN_LEAF, 0, TLS_BY_OWN_PIN, "ok" },
		{ "another key, perfect",        FINE, BY_ROOT, NO_CA, PIN_OTHER, TLS_FLAW_PIN, TLS_BY_ALL, "DANE_NO_MATCH" },
		{ "another key, expired",        OLD, BY_ROOT, NO_CA, PIN_OTHER, TLS_FLAW_PIN, TLS_BY_ALL, "DANE_NO_MATCH" },
		{ "another key, its authority",  FINE, BY_STRANGER, CA_STRANGER, PIN_OTHER, TLS_FLAW_PIN, TLS_BY_ALL, "DANE_NO_MATCH" },
		{ "the authority's key is not the server's", FINE, BY_STRANGER, NO_CA, PIN_CA, TLS_FLAW_PIN, TLS_BY_ALL, "DANE_NO_MATCH" },
		{ "its key, another authority",  FINE, BY_STRANGER, CA_ROOT, PIN_LEAF, 0, TLS_BY_OWN_PIN, "ok" },
#undef FINE
#undef MISNAMED
#undef OLD
	};
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct net *n = net_trusting_root();

	for (size_t i = 0; i < COUNT(rows) * COUNT(versions); i++) {
		size_t                 r = i / COUNT(versions);
		const struct identity *issuers[] = { [BY_MIDDLE] = &middle, [BY_ROOT] = &root, [BY_STRANGER] = &stranger, [BY_ITSELF] = NULL };
		struct identity        me = identity_new(rows[r].wish, issuers[rows[r].by]);
		struct tls_server      s = { .me = &me, .says = "* OK ready\r\n", .max = versions[i % COUNT(versions)] };
		char                  *pem[] = { [NO_CA] = NULL, [CA_STRANGER] = pem_text(&stranger), [CA_LEAF] = pem_text(&me), [CA_ROOT] = pem_text(&middle),
			[CA_TWO] = NULL };
		char                   pin[65], pins[3][65], both[20000];
		const char            *wanted[] = { [NO_PIN] = NULL, [PIN_LEAF] = pin_text(&me, pins[0]), [PIN_OTHER] = pin_text(&good, pins[1]),
			[PIN_CA] = pin_text(&stranger, pins[2]) };
		struct own_trust       trust = { .ca_pem = pem[rows[r].ca], .pin = wanted[rows[r].pin] };
		bool                   fine = rows[r].flaws == 0;
		struct tls_answer      a;
		struct peer            p;
		struct line            l;

		snprintf(both, sizeof both, "%s%s", pem[CA_ROOT], pem[CA_STRANGER]);
		if (rows[r].ca == CA_TWO)
			trust.ca_pem = both;
		line_init(&l, 1000, 1000);
		peer_start(&p, serve_tls, &s);
		EXPECT(connect_to(n, &l, p.port) == CAME);
		EXPECT(buffer_add_str(&l.out, "secret"));
		EXPECT_ROW(WAIT_ONE(n, (want_tls(w, &l, "a.example", TLS_FULL, &a, 5000), want_trust(w, &trust))) == (fine ? CAME : CAME_TLS_FAILED), rows[r].row);
		if (fine)
			EXPECT_ROW(WAIT_ONE(n, want_write(w, &l, 5000)) == CAME, rows[r].row);
		EXPECT_ROW(a.flaws == rows[r].flaws && a.by == rows[r].told && l.secure == fine, rows[r].row);
		EXPECT_TEXT(a.verify, rows[r].verify);
		EXPECT_TEXT(a.chain[0].pin, pin_text(&me, pin));
		line_release(&l);
		peer_stop(&p);
		EXPECT_ROW(strcmp(s.heard, fine ? "secret" : "") == 0, rows[r].row);
		for (size_t k = 0; k < COUNT(pem); k++)
			free(pem[k]);
		identity_free(&me);
	}
	net_free(n);
}

TEST(own_trust_that_is_none)
{
	static const struct { const char *row, *before, *after, *pin; bool fine; } rows[] = {
		{ "a certificate",        "", "", NULL, true },
		{ "words around it",      "our root\n", "that was it\n", NULL, true },
		{ "cut",                  "", "-----BEGIN CERTIFICATE-----\nMIIB", NULL, false },
		{ "no base64",            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "", NULL, false },
		{ "no DER",               "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "", NULL, false },
		{ "a pin",                "", "", "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF", true },
		{ "too short a pin",      "", "", "00112233", false },
		{ "no hexadecimal pin",   "", "", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg", false },
	};
	struct net       *n = net_trusting_root();
	struct tls_server s = { .me = &good, .above = { middle.cert }, .says = "* OK ready\r\n" };
	char             *pem = pem_text(&root), text[20000];
	struct error      err = { 0 };
	struct tls_answer a;
	struct peer       p;
	struct line       l;

	EXPECT(net_own_trust_check(&(struct own_trust){ 0 }, &err) && !net_own_trust_check(&(struct own_trust){ .ca_pem = "" }, &err));
	for (size_t i = 0; i < COUNT(rows); i++) {
		err = (struct error){ 0 };
		snprintf(text, sizeof text, "%s%s%s", rows[i].before, pem, rows[i].after);
		EXPECT_ROW(net_own_trust_check(&(struct own_trust){ text, rows[i].pin }, &err) == rows[i].fine, rows[i].row);
		EXPECT_ROW(err.fault == (rows[i].fine ? FAULT_NONE : FAULT_MALFORMED), rows[i].row);
	}
	/* it is never taken for no wish: rather no line */
	line_init(&l, 1000, 1000);
	peer_start(&p, serve_tls, &s);
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(WAIT_ONE(n, (want_tls(w, &l, "mail.example.org", TLS_FULL, &a, 5000), want_trust(w, &(struct own_trust){ .pin = "00" }))) == CAME_FAILED);
	EXPECT(!l.open && a.reason[0]);
	line_release(&l);
	peer_stop(&p);
	free(pem);
	net_free(n);
}

/* -- what a login can be bound to --------------------------------------------------------------------------------- */

enum signed_by { BY_ECDSA, BY_RSA, BY_PSS, BY_ED25519 };

static void sign_anew(struct identity *me, enum signed_by by, const EVP_MD *md)
{
	EVP_MD_CTX   *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key = NULL;

	if (by == BY_ED25519) {
		EVP_PKEY_free(me->key);
		me->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		X509_set_pubkey(me->cert, me->key);
		md = NULL;
	}
	EXPECT(EVP_DigestSignInit(ctx, &key, md, NULL, me->key) == 1);
	if (by == BY_PSS)
		EXPECT(EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1);
	EXPECT(X509_sign_ctx(me->cert, ctx) > 0);
	EVP_MD_CTX_free(ctx);
}

/* RFC 5929 §4.1: the certificate under the hash of its own signature, but SHA-256 for those that are too weak. */
TEST(the_end_point_is_hashed_as_its_certificate_is_signed)
{
	static const struct { const char *row; enum signed_by by; const EVP_MD *(*md)(void), *(*wanted)(void); } rows[] = {
		{ "ECDSA, SHA-256", BY_ECDSA,   EVP_sha256, EVP_sha256 }, { "ECDSA, SHA-384", BY_ECDSA,   EVP_sha384, EVP_sha384 },
		{ "ECDSA, SHA-1",   BY_ECDSA,   EVP_sha1,   EVP_sha256 }, { "RSA, MD5",       BY_RSA,     EVP_md5,    EVP_sha256 },
		{ "RSA, SHA-1",     BY_RSA,     EVP_sha1,   EVP_sha256 }, { "RSA, SHA-512",   BY_RSA,     EVP_sha512, EVP_sha512 },
		{ "PSS, SHA-384",   BY_PSS,     EVP_sha384, EVP_sha384 }, { "PSS, SHA-1",     BY_PSS,     EVP_sha1,   EVP_sha256 },
		{ "Ed25519",        BY_ED25519, EVP_sha256, NULL },
	};
	unsigned char got[64], wanted[EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool            rsa = rows[i].by == BY_RSA || rows[i].by == BY_PSS;
		struct identity me = identity_new((struct wish){ .cn = "a.example", .rsa_bits = rsa ? 2048 : 0 }, NULL);
		unsigned        len = 0;

		sign_anew(&me, rows[i].by, rows[i].md());
		if (rows[i].wanted)
			EXPECT_ROW(X509_digest(me.cert, rows[i].wanted(), wanted, &len) == 1, rows[i].row);
		EXPECT_ROW(certificate_end_point(me.cert, got) == len && memcmp(got, wanted, len) == 0, rows[i].row);
		EXPECT_ROW(ERR_peek_error() == 0, rows[i].row);
		identity_free(&me);
	}
	EXPECT(certificate_end_point(NULL, got) == 0);
}

/* -- sessions that are resumed ------------------------------------------------------------------------------------ */

/* A whole visit: connection, handshake, the greeting (with which the tickets come), and the end of it. */
struct visit {
	enum came         came;
	struct tls_answer tls;
	bool              secure;
};

static bool to_the_end;      /* visits stay until the server closes */

static struct visit visit_by(struct net *n, uint16_t port, const char *host, enum tls_how how, const struct own_trust *trust)
{
	struct visit v;
	struct line  l;

	line_init(&l, 1000, 1000);
	EXPECT(connect_to(n, &l, port) == CAME);
	v.came = WAIT_ONE(n, (want_tls(w, &l, host, how, &v.tls, 5000), want_trust(w, trust)));
	v.secure = l.secure;
	while (v.came == CAME && WAIT_ONE(n, want_read(w, &l, 5000)) == CAME
		&& (to_the_end || !slice_ends(buffer_held(&l.in), "\n")))
		;
	line_release(&l);
	return v;
}

static struct visit visit(struct net *n, uint16_t port, const char *host, enum tls_how how)
{
	return visit_by(n, port, host, how, NULL);
}

static bool was_full(const struct visit *v)
{
	return v->came == CAME && v->secure && v->tls.shook && !v->tls.resumed && v->tls.chain_len > 0 && v->tls.flaws == 0;
}

static bool was_resumed(const struct visit *v)
{
	return v->came == CAME && v->secure && v->tls.shook && v->tls.resumed && v->tls.chain_len == 0 && v->tls.flaws == 0
	    && strcmp(v->tls.verify, "ok") == 0 && v->tls.version[0] && v->tls.cipher[0];
}

static void server_begins(struct tls_server *s, struct peer *p)
{
	s->says = "* OK ready\r\n";
	s->ctx = tls_server_ctx(s);
	peer_start(p, serve_tls, s);
}

static void server_ends(struct tls_server *s, struct peer *p)
{
	peer_stop(p);
	SSL_CTX_free(s->ctx);
}

#define EXPECT_FULL(n, p, host, how)    do { struct visit v_ = visit(n, (p).port, host, how); EXPECT(was_full(&v_)); } while (0)
#define EXPECT_RESUMED(n, p, host, how) do { struct visit v_ = visit(n, (p).port, host, how); EXPECT(was_resumed(&v_)); } while (0)

TEST(a_session_is_resumed_only_where_it_was_verified)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < COUNT(versions); i++)
		for (int cuts = 0; cuts < 2; cuts++) {
			struct net       *n = net_trusting_root(), *another = net_trusting_root();
			/* who cuts, and is heard to, makes OpenSSL spoil the session of that connection */
			struct tls_server s = { .me = &good, .above = { middle.cert }, .max = versions[i], .cuts = cuts };
			struct tls_server s2;
			struct peer       p, p2;
			struct line       l;
			struct tls_answer a;

			to_the_end = cuts;
			server_begins(&s, &p);
			s2 = s;
			peer_start(&p2, serve_tls, &s2);
			EXPECT_FULL(n, p, "mail.example.org", TLS_FULL);
			EXPECT_FULL(n, p, "mail.example.org", TLS_QUICK);       /* nothing is kept of TLS_FULL */
			EXPECT_RESUMED(n, p, "mail.example.org", TLS_QUICK);
			EXPECT_RESUMED(n, p, "MAIL.example.org.", TLS_QUICK);   /* the same host, by ticket of a resumed one */
			EXPECT_FULL(n, p, "mail.example.org", TLS_FULL);        /* is what it says */
			EXPECT_FULL(n, p, "a.example.net", TLS_QUICK);
			EXPECT_FULL(n, p, "127.0.0.1", TLS_QUICK);
			EXPECT_RESUMED(n, p, "127.0.0.1", TLS_QUICK);
			EXPECT_FULL(n, p2, "mail.example.org", TLS_QUICK);      /* another port */
			EXPECT_FULL(another, p, "mail.example.org", TLS_QUICK);
			EXPECT_RESUMED(n, p, "mail.example.org", TLS_QUICK);
			/* a name that it was never verified for */
			EXPECT(visit(n, p.port, "other.example.org", TLS_QUICK).came == CAME_TLS_FAILED);
			/* what held only with a link of ours */
			line_init(&l, 1000, 1000);
			EXPECT(connect_to(n, &l, p.port) == CAME);
			EXPECT(WAIT_ONE(n, want_tls_with(w, &l, "mail.example.org", TLS_QUICK, slice_str("x"), &a, 5000)) == CAME);
			EXPECT(!a.resumed && a.chain_len > 0);
			line_release(&l);
			net_free(n);
			net_free(another);
			peer_stop(&p2);
			server_ends(&s, &p);
			to_the_end = false;
		}
}

TEST(a_refused_ticket_means_the_whole_truth)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct net *unused = net_trusting_root();

	for (size_t i = 0; i < COUNT(versions); i++) {
		struct net       *n = net_trusting_root();
		struct identity   fake = identity_new((struct wish){ .cn = "mail.example.org", .san = "DNS:mail.example.org" }, &stranger);
		struct tls_server s = { .me = &good, .above = { middle.cert }, .max = versions[i] }, bad = { .me = &fake, .max = versions[i] };
		SSL_CTX          *first, *forgetful;
		struct visit      v;
		struct peer       p;

		server_begins(&s, &p);
		EXPECT_FULL(n, p, "mail.example.org", TLS_QUICK);
		EXPECT_RESUMED(n, p, "mail.example.org", TLS_QUICK);
		first = s.ctx;
		s.ctx = forgetful = tls_server_ctx(&s);         /* other keys: it cannot read the ticket */
		EXPECT_FULL(n, p, "mail.example.org", TLS_QUICK);
		EXPECT_RESUMED(n, p, "mail.example.org", TLS_QUICK);
		s.ctx = tls_server_ctx(&bad);                   /* and now somebody else sits there */
		v = visit(n, p.port, "mail.example.org", TLS_QUICK);
		EXPECT(v.came == CAME_TLS_FAILED && !v.secure && !v.tls.resumed && v.tls.flaws == TLS_FLAW_NO_ISSUER);
		v = visit(n, p.port, "mail.example.org", TLS_QUICK);      /* of whom nothing was kept */
		EXPECT(v.came == CAME_TLS_FAILED && !v.tls.resumed && v.tls.flaws == TLS_FLAW_NO_ISSUER);
		SSL_CTX_free(s.ctx);
		s.ctx = forgetful;
		EXPECT_FULL(n, p, "mail.example.org", TLS_QUICK);
		SSL_CTX_free(first);
		net_free(n);
		server_ends(&s, &p);
		identity_free(&fake);
	}
	net_free(unused);
}

static bool is_bound_to(const struct tls_answer *a, X509 *certificate)
{
	unsigned char digest[32];

	return X509_digest(certificate, EVP_sha256(), digest, NULL) == 1 && a->end_point_len == 32 && memcmp(a->end_point, digest, 32) == 0;
}

TEST(the_end_point_is_known_of_a_resumed_session_too)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < COUNT(versions); i++) {
		struct net       *n = net_trusting_root();
		struct tls_server s = { .me = &good, .above = { middle.cert }, .max = versions[i] };
		struct peer       p;

		to_the_end = false;
		server_begins(&s, &p);
		for (int nth = 0; nth < 3; nth++) {      /* in full, resumed, and resumed from what was resumed */
			struct visit v = visit(n, p.port, "mail.example.org", TLS_QUICK);

			EXPECT((nth ? was_resumed(&v) : was_full(&v)) && is_bound_to(&v.tls, good.cert));
		}
		net_free(n);
		server_ends(&s, &p);
	}
}

TEST(nothing_is_resumed_past_the_end_of_the_certificate)
{
	struct net       *n = net_trusting_root();
	struct identity   brief = identity_new((struct wish){ .cn = "mail.example.org", .san = "DNS:mail.example.org" }, &root);
	struct tls_server s = { .me = &brief };
	time_t            ends = time(NULL) + 3;
	struct visit      v;
	struct peer       p;

	ASN1_TIME_set(X509_getm_notAfter(brief.cert), ends);
	EXPECT(X509_sign(brief.cert, root.key, EVP_sha256()) > 0);
	server_begins(&s, &p);
	EXPECT_FULL(n, p, "mail.example.org", TLS_QUICK);
	EXPECT_RESUMED(n, p, "mail.example.org", TLS_QUICK);
	while (time(NULL) <= ends)
		poll(NULL, 0, 100);
	v = visit(n, p.port, "mail.example.org", TLS_QUICK);
	EXPECT(v.came == CAME_TLS_FAILED && !v.tls.resumed && v.tls.flaws == TLS_FLAW_EXPIRED);
	net_free(n);
	server_ends(&s, &p);
	identity_free(&brief);
}

#define EXPECT_FULL_BY(n, p, trust, told)    do { struct visit v_ = visit_by(n, (p).port, "mail.example.org", TLS_QUICK, trust); \
	EXPECT(was_full(&v_) && v_.tls.by == (told)); } while (0)
#define EXPECT_RESUMED_BY(n, p, trust, told) do { struct visit v_ = visit_by(n, (p).port, "mail.example.org", TLS_QUICK, trust); \
	EXPECT(was_resumed(&v_) && v_.tls.by == (told)); } while (0)
#define EXPECT_REFUSED_BY(n, p, trust, flaw) do { struct visit v_ = visit_by(n, (p).port, "mail.example.org", TLS_QUICK, trust); \
	EXPECT(v_.came == CAME_TLS_FAILED && !v_.secure && !v_.tls.resumed && v_.tls.flaws == (flaw)); } while (0)

/* Each trust has sessions of its own, whichever was first; and a refusal spoils nobody else's. */
TEST(no_session_is_resumed_across_trusts)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct net *unused = net_trusting_root();

	for (size_t i = 0; i < COUNT(versions); i++) {
		struct net       *n = net_trusting_root();
		struct identity   old = identity_new((struct wish){ .cn = "mail.example.org", .san = "DNS:mail.example.org", .from_days = -30, .to_days = -1 },
			&stranger);
		struct identity   private = identity_new((struct wish){ .cn = "mail.example.org", .san = "DNS:mail.example.org" }, &stranger);
		struct tls_server s = { .me = &private, .max = versions[i] }, s2 = { .me = &old, .max = versions[i] }, s3 = { .me = &good, .above = { middle.cert },
			.max = versions[i] };
		char             *pem = pem_text(&stranger), *same = pem_text(&stranger), pin[65], old_pin[65];
		struct own_trust  ca = { .ca_pem = pem }, again = { .ca_pem = same }, by_pin = { .pin = pin_text(&private, pin) },
			by_old = { .pin = pin_text(&old, old_pin) }, nothing = { 0 };
		struct peer       p, p2, p3;

		server_begins(&s, &p);
		server_begins(&s2, &p2);
		server_begins(&s3, &p3);
		EXPECT_FULL_BY(n, p, &ca, TLS_BY_OWN_CA);
		EXPECT_RESUMED_BY(n, p, &ca, TLS_BY_OWN_CA);
		EXPECT_RESUMED_BY(n, p, &again, TLS_BY_OWN_CA);         /* the same content from elsewhere */
		EXPECT_REFUSED_BY(n, p, NULL, TLS_FLAW_NO_ISSUER);
		EXPECT_REFUSED_BY(n, p, &nothing, TLS_FLAW_NO_ISSUER);
		EXPECT_REFUSED_BY(n, p, &by_old, TLS_FLAW_PIN);
		EXPECT_FULL_BY(n, p, &by_pin, TLS_BY_OWN_PIN);
		EXPECT_RESUMED_BY(n, p, &by_pin, TLS_BY_OWN_PIN);
		EXPECT_RESUMED_BY(n, p, &ca, TLS_BY_OWN_CA);
		/* a pinned key goes on being right after its certificate's end */
		EXPECT_FULL_BY(n, p2, &by_old, TLS_BY_OWN_PIN);
		EXPECT_RESUMED_BY(n, p2, &by_old, TLS_BY_OWN_PIN);
		EXPECT_REFUSED_BY(n, p2, &ca, TLS_FLAW_EXPIRED);
		/* what everybody trusts, proved to everybody, is no proof of the pinned key */
		EXPECT_FULL_BY(n, p3, NULL, TLS_BY_ALL);
		EXPECT_RESUMED_BY(n, p3, &nothing, TLS_BY_ALL);
		EXPECT_REFUSED_BY(n, p3, &by_pin, TLS_FLAW_PIN);
		EXPECT_FULL_BY(n, p3, &ca, TLS_BY_ALL);
		EXPECT_RESUMED_BY(n, p3, &ca, TLS_BY_ALL);
		net_free(n);
		server_ends(&s, &p);
		server_ends(&s2, &p2);
		server_ends(&s3, &p3);
		identity_free(&old);
		identity_free(&private);
		free(pem);
		free(same);
	}
	net_free(unused);
}

/* More trusts than are kept unused: each line holds its own, the same content is the same thing, and all are gone in the end (ASan). */
TEST(many_trusts_share_what_is_the_same)
{
	static char            pem[TLS_OWN_UNUSED + 8][4000];
	struct net            *unused = net_trusting_root();
	X509_STORE            *all = X509_STORE_new();
	struct tls_owns       *owns = tls_owns_new();
	struct tls_own        *own[COUNT(pem)], *held;
	char                  *one = pem_text(&stranger);
	struct error           err = { 0 };

	for (size_t i = 0; i < COUNT(pem); i++) {
		snprintf(pem[i], sizeof pem[i], "number %zu\n%s", i, one);
		own[i] = tls_own_hold(owns, &(struct own_trust){ .ca_pem = pem[i] }, all, &err);
		EXPECT(own[i] && tls_own_store(own[i], all) != all && tls_own_vouches(own[i], stranger.cert) && !tls_own_vouches(own[i], root.cert));
	}
	held = tls_own_hold(owns, &(struct own_trust){ .ca_pem = pem[3] }, all, &err);
	EXPECT(held == own[3] && own[3] != own[4]);
	for (size_t i = 0; i < COUNT(pem); i++)
		tls_own_release(own[i]);
	/* those that nobody holds any more: the latest are there yet, and one that is held is not among them */
	EXPECT(tls_own_hold(owns, &(struct own_trust){ .ca_pem = pem[COUNT(pem) - 1] }, all, &err) == own[COUNT(pem) - 1]);
	EXPECT(tls_own_hold(owns, &(struct own_trust){ .ca_pem = pem[3] }, all, &err) == held);
	tls_own_release(own[COUNT(pem) - 1]);
	tls_own_release(held);
	EXPECT(tls_own_hold(owns, &(struct own_trust){ .ca_pem = "none" }, all, &err) == NULL && err.fault == FAULT_MALFORMED);
	tls_owns_free(owns);
	tls_own_release(held);      /* it outlives them */
	tls_own_release(NULL);
	X509_STORE_free(all);
	free(one);
	net_free(unused);
}
