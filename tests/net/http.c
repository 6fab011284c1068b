#include "peer.h"

static struct identity root, stranger, good, foreign, other_name, expired, cn_only;
static char            ca_file[32];

static void forget_identities(void)
{
	struct identity *all[] = { &root, &stranger, &good, &foreign, &other_name, &expired, &cn_only };

	unlink(ca_file);
	for (size_t i = 0; i < COUNT(all); i++)
		identity_free(all[i]);
}

static struct net *net_with(struct net_settings s)
{
	struct error err = { 0 };
	struct net  *n;

	if (!root.cert) {
		root = identity_new((struct wish){ .cn = "Test Root", .ca = true }, NULL);
		stranger = identity_new((struct wish){ .cn = "Unknown Root", .ca = true }, NULL);
		good = identity_new((struct wish){ .cn = "web.example.org",
			.san = "DNS:web.example.org,IP:127.0.0.1" }, &root);
		foreign = identity_new((struct wish){ .cn = "web.example.org", .san = "DNS:web.example.org" },
			&stranger);
		other_name = identity_new((struct wish){ .cn = "web.example.org", .san = "DNS:other.example.org" },
			&root);
		expired = identity_new((struct wish){ .cn = "web.example.org", .san = "DNS:web.example.org",
			.from_days = -30, .to_days = -1 }, &root);
		cn_only = identity_new((struct wish){ .cn = "web.example.org" }, &root);
		pem_file(&root, ca_file);
		atexit(forget_identities);
	}
	s.ca_file = ca_file;
	n = net_new(&s, &err);
	EXPECT(n != NULL);
	return n;
}

/* A request and its answer, as one would ask for it. */
struct fetch {
	struct http_request request;
	struct http_answer  answer;
	struct tls_answer   tls;
	char                url[200];
};

static void fetch_init(struct fetch *f, const char *scheme, const char *host, uint16_t port)
{
	*f = (struct fetch){ 0 };
	snprintf(f->url, sizeof f->url, "%s://%s:%u/a?b=c", scheme, host, port);
	f->request = (struct http_request){ .method = "GET", .url = f->url, .host = host, .port = port,
		.address = loopback(4) };
}

static enum came fetch(struct net *n, struct fetch *f, int wait_ms)
{
	return WAIT_ONE(n, want_http(w, &f->request, &f->answer, wait_ms));
}

static void fetch_release(struct fetch *f)
{
	buffer_release(&f->answer.head);
	buffer_release(&f->answer.body);
}

/* -- without TLS -------------------------------------------------------------------------------------------------- */

struct web {
	const char *says;
	size_t      body;           /* of what it hears, beside the head */
	enum { WEB_CLOSES, WEB_RESETS, WEB_HANGS } then;
	char        heard[4096];
};

static void serve_web(int fd, void *arg)
{
	struct web *w = arg;
	size_t      used = 0;
	char       *end = NULL;
	ssize_t     n;

	while ((!end || strlen(end + 4) < w->body) && (n = recv(fd, w->heard + used, sizeof w->heard - 1 - used,
		0)) > 0) {
		w->heard[used += (size_t)n] = '\0';
		end = strstr(w->heard, "\r\n\r\n");
	}
	if (w->says)
		say_str(fd, w->says);
	if (w->then == WEB_RESETS)
		reset_on_close(fd);
	if (w->then == WEB_HANGS)
		hear_out(fd);
}

TEST(a_request_and_its_answer)
{
	static const char wanted[] =
		"GET /a?b=c HTTP/1.1\r\nHost: web.example.org:%u\r\n"
		"User-Agent: mailmoor/0\r\nAccept: text/xml\r\nX-Two: 2\r\n\r\n";
	struct net  *n = net_with((struct net_settings){ .user_agent = "mailmoor/0" });
	struct web   web = {
		.says = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>trash",
	};
	struct fetch f;
	struct peer  p;
	char         text[400];

	peer_start(&p, serve_web, &web);
	fetch_init(&f, "http", "web.example.org", p.port);
	f.request.headers[0] = "Accept: text/xml";
	f.request.headers[1] = "X-Two: 2";
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	setenv("all_proxy", "http://127.0.0.1:9", 1);
	EXPECT(fetch(n, &f, 5000) == CAME);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	EXPECT(f.answer.status == 200 && f.answer.reason[0] == '\0');
	EXPECT(slice_equal(buffer_held(&f.answer.head), slice_str("Content-Type: text/xml\r\nContent-Length: 4\r\n")));
	EXPECT(slice_equal(buffer_held(&f.answer.body), slice_str("<a/>")));
	EXPECT(f.answer.head.limit == 65536 && f.answer.body.limit == 1048576);
	fetch_release(&f);
	net_free(n);
	peer_stop(&p);
	snprintf(text, sizeof text, wanted, p.port);
	EXPECT_TEXT(web.heard, text);
}

TEST(bodies_and_methods)
{
	static const struct { const char *method, *body, *header, *has, *has_not; } rows[] = {
		{ "POST",     "a=b", "Content-Type: text/xml", "POST /a?b=c HTTP/1.1\r\n",     "urlencoded" },
		{ "POST",     "a=b", NULL,                     "Content-Length: 3\r\n",        "Content-Type" },
		{ "POST",     "",    NULL,                     "Content-Length: 0\r\n",        "Expect" },
		{ "PROPFIND", "<a/>", "Depth: 0",              "PROPFIND /a?b=c HTTP/1.1\r\n", "POST" },
		{ "OPTIONS",  "",    NULL,                     "OPTIONS /a?b=c HTTP/1.1\r\n",  "Content-Length" },
		{ "HEAD",     "",    NULL,                     "HEAD /a?b=c HTTP/1.1\r\n",     "Content-Length" },
		{ "DELETE",   "",    "User-Agent: other",      "User-Agent: other\r\n",        "mailmoor" },
	};
	struct net *n = net_with((struct net_settings){ 0 });

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct web   web = { .says = "HTTP/1.1 204 No Content\r\n\r\n", .body = strlen(rows[i].body) };
		struct fetch f;
		struct peer  p;

		peer_start(&p, serve_web, &web);
		fetch_init(&f, "http", "web.example.org", p.port);
		f.request.method = rows[i].method;
		f.request.body = slice_str(rows[i].body);
		f.request.headers[0] = rows[i].header;
		EXPECT_ROW(fetch(n, &f, 5000) == CAME && f.answer.status == 204, rows[i].method);
		fetch_release(&f);
		peer_stop(&p);
		EXPECT_ROW(strstr(web.heard, rows[i].has), rows[i].has);
		EXPECT_ROW(!strstr(web.heard, rows[i].has_not), rows[i].has_not);
		EXPECT_ROW(strcmp(strstr(web.heard, "\r\n\r\n") + 4, rows[i].body) == 0, rows[i].method);
	}
	net_free(n);
}

TEST(statuses_and_broken_answers)
{
	static const struct { const char *row, *says; int then; enum came came; int status; const char *head,
		*body; } rows[] = {
		{ "redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
			WEB_CLOSES, CAME, 302,
			"Location: http://127.0.0.1:9/\r\nContent-Length: 0\r\n", "" },
		{ "401", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: Negotiate\r\n"
			"Content-Length: 2\r\n\r\nno", WEB_CLOSES, CAME, 401,
			"WWW-Authenticate: Basic\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 2\r\n", "no" },
		{ "407", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", WEB_CLOSES, CAME, 407,
			"Content-Length: 0\r\n", "" },
		{ "511", "HTTP/1.1 511 Portal\r\n\r\nlogin", WEB_CLOSES, CAME, 511, "", "login" },
		{ "after 100", "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nY: 2\r\n\r\nbody", WEB_CLOSES,
			CAME, 200, "Y: 2\r\n", "body" },
		{ "only 100", "HTTP/1.1 100 Continue\r\n\r\n", WEB_CLOSES, CAME_END, 0, "", "" },
		{ "trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: 1\r\n\r\n",
			WEB_CLOSES, CAME, 200, "Transfer-Encoding: chunked\r\n", "ab" },
		{ "gzip untouched", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip", WEB_CLOSES, CAME,
			200, "Content-Encoding: gzip\r\n", "not gzip" },
		{ "another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", WEB_CLOSES,
			CAME_END, 0, NULL, "" },
		{ "nothing", NULL, WEB_CLOSES, CAME_END, 0, "", "" },
		{ "reset", NULL, WEB_RESETS, CAME_RESET, 0, "", "" },
		{ "hangs", NULL, WEB_HANGS, CAME_TIMEOUT, 0, "", "" },
		{ "hangs in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", WEB_HANGS, CAME_TIMEOUT,
			200, "Content-Length: 9\r\n", "abc" },
		{ "cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", WEB_CLOSES, CAME_END, 200,
			"Content-Length: 9\r\n", "abc" },
		{ "refused, cut short", "HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nabc", WEB_CLOSES, CAME, 403,
			"Content-Length: 9\r\n", "abc" },
		{ "no HTTP", "220 smtp.example.org ESMTP\r\n", WEB_CLOSES, CAME_FAILED, 0, "", "" },
		{ "head too long",
			"HTTP/1.1 200 OK\r\nX: 1234567890123456789012345678901234567890123456789012345678901234567890"
			"\r\n\r\n", WEB_CLOSES,
			CAME_FULL, 200, "X: 123456789012345678901234567890123456789012345678901234567", "" },
		{ "body too long", "HTTP/1.1 200 OK\r\n\r\n1234567890123456789012345", WEB_CLOSES, CAME_FULL, 200, "",
			"12345678901234567890" },
	};
	struct net *n = net_with((struct net_settings){ 0 });

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct web   web = { .says = rows[i].says, .then = rows[i].then };
		struct fetch f;
		struct peer  p;
		enum came    came;

		peer_start(&p, serve_web, &web);
		fetch_init(&f, "http", "web.example.org", p.port);
		buffer_init(&f.answer.head, slice_starts(slice_str(rows[i].row), "head") ? 60 : 1000);
		buffer_init(&f.answer.body, 20);
		came = fetch(n, &f, rows[i].then == WEB_HANGS ? 100 : 5000);
		EXPECT_ROW(came == rows[i].came, rows[i].row);
		EXPECT_ROW(f.answer.status == rows[i].status, rows[i].row);
		if (rows[i].head)
			EXPECT_ROW(slice_equal(buffer_held(&f.answer.head), slice_str(rows[i].head)), rows[i].row);
		EXPECT_ROW(slice_equal(buffer_held(&f.answer.body), slice_str(rows[i].body)), rows[i].row);
		EXPECT_ROW(came == CAME || came == CAME_TIMEOUT || f.answer.reason[0], rows[i].row);
		fetch_release(&f);
		peer_stop(&p);
		EXPECT_ROW(p.served == 1, rows[i].row);
	}
	net_free(n);
}

TEST(only_to_the_checked_address)
{
	struct web   web = { .says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	struct fetch f;
	struct peer  p;
	struct net  *n;
	int          served;
	static const struct { const char *row; bool check; const char *allow, *address,
		*url_host; enum came came; } rows[] = {
		{ "checks off",            false, NULL,          "127.0.0.1", "web.example.org", CAME },
		{ "private",               true,  NULL,          "127.0.0.1", "web.example.org", CAME_NOT_ALLOWED },
		{ "private literal",       true,  NULL,          "127.0.0.1", "127.0.0.1",       CAME_NOT_ALLOWED },
		{ "allowed",               true,  "127.0.0.0/8", "127.0.0.1", "web.example.org", CAME },
		{ "nothing there",         false, NULL,          "127.0.0.2", "web.example.org", CAME_REFUSED },
		{ "a literal of another",  false, NULL,          "127.0.0.2", "127.0.0.1",       CAME_REFUSED },
		{ "no address",            false, NULL,          NULL,        "web.example.org", CAME_FAILED },
	};

	peer_start(&p, serve_web, &web);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address_block allow;

		if (rows[i].allow)
			EXPECT(address_block_parse(rows[i].allow, &allow));
		n = net_with((struct net_settings){ .check_targets = rows[i].check, .allow = &allow,
			.allow_count = rows[i].allow != NULL });
		served = __atomic_load_n(&p.served, __ATOMIC_SEQ_CST);
		fetch_init(&f, "http", rows[i].url_host, p.port);
		f.request.address = rows[i].address ? literal(rows[i].address) : (struct address){ 0 };
		EXPECT_ROW(fetch(n, &f, 5000) == rows[i].came, rows[i].row);
		EXPECT_ROW((f.answer.status == 200) == (rows[i].came == CAME), rows[i].row);
		EXPECT_ROW(__atomic_load_n(&p.served, __ATOMIC_SEQ_CST) == served + (rows[i].came == CAME),
			rows[i].row);
		fetch_release(&f);
		net_free(n);
	}
	peer_stop(&p);
}

TEST(over_ipv6_and_to_a_literal)
{
	static const char *const hosts[] = { "web.example.org", "[::1]" };
	struct web   web = { .says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	struct net  *n = net_with((struct net_settings){ 0 });
	struct peer  p;
	struct fetch f;

	if (!peer_start_on(&p, 6, 0, serve_web, &web)) {
		net_free(n);
		test_skip("no IPv6 here");
	}
	for (size_t i = 0; i < COUNT(hosts); i++) {
		fetch_init(&f, "http", hosts[i], p.port);
		f.request.host = i ? "::1" : hosts[0];
		f.request.address = loopback(6);
		EXPECT_ROW(fetch(n, &f, 5000) == CAME && f.answer.status == 200, hosts[i]);
		fetch_release(&f);
	}
	net_free(n);
	peer_stop(&p);
}

TEST(connect_to_leads_elsewhere)
{
	struct web       web = { .says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	struct net_place place = { .host = "web.example.org", .port = 80, .address = loopback(4) };
	struct fetch     f;
	struct peer      p;
	struct net      *n;

	peer_start(&p, serve_web, &web);
	place.to_port = p.port;
	n = net_with((struct net_settings){ .connect_to = &place, .connect_to_count = 1, .check_targets = true });
	fetch_init(&f, "http", "web.example.org", 80);
	f.request.address = (struct address){ 0 };
	EXPECT(fetch(n, &f, 5000) == CAME && f.answer.status == 200);
	fetch_release(&f);
	net_free(n);
	peer_stop(&p);
	EXPECT(strstr(web.heard, "Host: web.example.org\r\n"));
}

TEST(requests_that_are_not_made)
{
	static const struct { const char *row, *url, *header; } rows[] = {
		{ "another host",    "http://other.example.org:%u/",              NULL },
		{ "another port",    "http://web.example.org/",                   NULL },
		{ "a user's name",   "http://ann:secret@web.example.org:%u/",     NULL },
		{ "another scheme",  "ftp://web.example.org:%u/",                 NULL },
		{ "a file",          "file:///etc/passwd",                        NULL },
		{ "no URL",          "",                                          NULL },
		{ "a header in a header", "http://web.example.org:%u/",           "X: 1\r\nY: 2" },
	};
	struct web  web = { .says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	struct net *n = net_with((struct net_settings){ 0 });
	struct peer p;

	peer_start(&p, serve_web, &web);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fetch f;

		fetch_init(&f, "http", "web.example.org", p.port);
		f.request.headers[0] = rows[i].header;
		snprintf(f.url, sizeof f.url, rows[i].url, p.port);
		EXPECT_ROW(fetch(n, &f, 5000) == CAME_FAILED && f.answer.status == 0 && f.answer.reason[0],
			rows[i].row);
		fetch_release(&f);
	}
	net_free(n);
	peer_stop(&p);
	EXPECT(p.served == 0);
}

/* -- with TLS ----------------------------------------------------------------------------------------------------- */

TEST(https_and_certificates)
{
	static const struct { const char *row; const struct identity *me,
		*above; const char *host; unsigned flaws; const char *verify; } rows[] = {
		{ "good",            &good,       NULL,      "web.example.org", 0,                     "ok" },
		{ "literal",         &good,       NULL,      "127.0.0.1",       0,                     "ok" },
		{ "foreign issuer",  &foreign,    NULL,      "web.example.org", TLS_FLAW_NO_ISSUER,
			   "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
		{ "foreign root",    &foreign,    &stranger, "web.example.org", TLS_FLAW_PRIVATE_ROOT,
			"SELF_SIGNED_CERT_IN_CHAIN" },
		{ "wrong name",      &other_name, NULL,      "web.example.org", TLS_FLAW_NAME,
			        "HOSTNAME_MISMATCH" },
		{ "expired",         &expired,    NULL,      "web.example.org", TLS_FLAW_EXPIRED,
			     "CERT_HAS_EXPIRED" },
		{ "expired, name",   &expired,    NULL,      "127.0.0.1",       TLS_FLAW_EXPIRED | TLS_FLAW_NAME,
			"IP_ADDRESS_MISMATCH" },
		{ "name in subject", &cn_only,    NULL,      "web.example.org", TLS_FLAW_NAME,
			        "HOSTNAME_MISMATCH" },
	};
	struct net *n = net_with((struct net_settings){ 0 });

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int asked = 0; asked < 2; asked++) {
			struct tls_server s = { .me = rows[i].me, .http = true,
				.says = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" };
			bool              fine = rows[i].flaws == 0;
			struct fetch      f;
			struct peer       p;

			s.above[0] = rows[i].above ? rows[i].above->cert : NULL;
			peer_start(&p, serve_tls, &s);
			fetch_init(&f, "https", rows[i].host, p.port);
			f.answer.tls = asked ? &f.tls : NULL;
			EXPECT_ROW(fetch(n, &f, 5000) == (fine ? CAME : CAME_TLS_FAILED), rows[i].row);
			EXPECT_ROW(f.answer.status == (fine ? 200 : 0), rows[i].row);
			EXPECT_ROW(buffer_held(&f.answer.body).len == (fine ? 2 : 0), rows[i].row);
			if (asked) {
				EXPECT_ROW(f.tls.flaws == rows[i].flaws && f.tls.shook == fine, rows[i].row);
				EXPECT_TEXT(f.tls.verify, rows[i].verify);
				EXPECT_ROW(f.tls.chain_len == 1u + (rows[i].above != NULL), rows[i].row);
				EXPECT_TEXT(f.tls.chain[0].subject_name, "web.example.org");
				EXPECT_ROW((f.tls.version[0] != '\0') == fine, rows[i].row);
			}
			fetch_release(&f);
			peer_stop(&p);
			EXPECT_ROW((s.heard[0] != '\0') == fine, rows[i].row);      /* nothing was said to a stranger */
		}
	net_free(n);
}

TEST(a_foreign_issuer_is_refused_with_the_systems_store_alone)
{
	struct net_settings settings = { 0 };
	struct net         *unused = net_with(settings), *n = net_new(&settings, NULL);
	struct tls_server   s = { .me = &good, .http = true, .says = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" };
	struct fetch        f;
	struct peer         p;

	net_free(unused);
	peer_start(&p, serve_tls, &s);
	fetch_init(&f, "https", "web.example.org", p.port);
	f.answer.tls = &f.tls;
	EXPECT(fetch(n, &f, 5000) == CAME_TLS_FAILED && f.answer.status == 0);
	EXPECT(f.tls.flaws == TLS_FLAW_NO_ISSUER);
	fetch_release(&f);
	net_free(n);
	peer_stop(&p);
	EXPECT(s.heard[0] == '\0');
}

static void speak_plain(int fd, void *arg)
{
	char hello[2000];

	EXPECT(recv(fd, hello, sizeof hello, 0) > 0);
	if (arg)
		say_str(fd, arg);
}

static void reset_plain(int fd, void *arg)
{
	speak_plain(fd, arg);
	reset_on_close(fd);
}

static void alert_plain(int fd, void *arg)
{
	speak_plain(fd, arg);
	say_all(fd, "\x15\x03\x01\x00\x02\x02\x46", 7);      /* fatal, protocol_version */
}

TEST(https_handshakes_that_break)
{
	static const struct { const char *row; void (*serve)(int,
		void *); const char *says; enum came came; int alert; const char *first, *reason; } rows[] = {
		{ "plain HTTP", speak_plain, "HTTP/1.1 400 Bad\r\n\r\n",  CAME_TLS_FAILED, -1, "HTTP/",
			"wrong version number" },
		{ "alert",      alert_plain, NULL,                        CAME_TLS_FAILED, 70, "\x15\x03\x01",
			"tlsv1 alert protocol version" },
		{ "end",        speak_plain, NULL,                        CAME_END,        -1, "",      "" },
		{ "reset",      reset_plain, NULL,                        CAME_RESET,      -1, "",      "" },
	};
	struct net *n = net_with((struct net_settings){ 0 });

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fetch f;
		struct peer  p;
		enum came    came;

		peer_start(&p, rows[i].serve, (void *)rows[i].says);
		fetch_init(&f, "https", "web.example.org", p.port);
		f.answer.tls = &f.tls;
		came = fetch(n, &f, 5000);
		EXPECT_ROW(came == rows[i].came, rows[i].row);
		EXPECT_ROW(!f.tls.shook && f.answer.status == 0 && f.tls.alert == rows[i].alert, rows[i].row);
		EXPECT_ROW(slice_starts(slice((char *)f.tls.first, f.tls.first_len), rows[i].first), rows[i].row);
		EXPECT_TEXT(f.tls.reason, rows[i].reason);
		fetch_release(&f);
		peer_stop(&p);
	}
	net_free(n);
}

TEST(https_that_wants_a_client_certificate_and_old_versions)
{
	static const struct { bool asks; int min, max, alert; } rows[] = {
		{ true, 0, TLS1_2_VERSION, 40 }, { true, 0, TLS1_3_VERSION, 116 }, { false, TLS1_VERSION,
			TLS1_1_VERSION, 70 },
	};
	struct net *n = net_with((struct net_settings){ 0 });

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_server s = { .me = &good, .http = true, .asks_certificate = rows[i].asks,
			.min = rows[i].min, .max = rows[i].max };
		struct fetch      f;
		struct peer       p;

		peer_start(&p, serve_tls, &s);
		fetch_init(&f, "https", "web.example.org", p.port);
		f.answer.tls = &f.tls;
		EXPECT(fetch(n, &f, 5000) == CAME_TLS_FAILED);
		EXPECT(f.tls.alert == rows[i].alert && f.tls.wants_client_certificate == rows[i].asks);
		EXPECT(f.answer.status == 0 && f.tls.reason[0]);
		fetch_release(&f);
		peer_stop(&p);
	}
	net_free(n);
}

/* -- several at once, and called off ------------------------------------------------------------------------------ */

struct crowd {
	struct children children;
	struct task     task[6];
	struct fetch    fetch[6];
	bool            asked[6], started;
	enum came       came[6];
};

struct member {
	struct crowd *crowd;
	size_t        i;
};

static enum want_kind member_step(void *self, struct want *w, struct error *err)
{
	struct member *m = self;
	struct crowd  *c = m->crowd;

	(void)err;
	if (c->asked[m->i]) {
		c->came[m->i] = want_came(w);
		return WANT_NOTHING;
	}
	c->asked[m->i] = true;
	return want_http(w, &c->fetch[m->i].request, &c->fetch[m->i].answer, 5000);
}

struct crowd_task {
	struct crowd crowd;
	struct member member[6];
	enum children_until until;
	enum came came;
};

static enum want_kind crowd_step(void *self, struct want *w, struct error *err)
{
	struct crowd_task *c = self;

	(void)err;
	if (c->crowd.started) {
		c->came = want_came(w);
		return WANT_NOTHING;
	}
	c->crowd.started = true;
	children_init(&c->crowd.children, c->until);
	for (size_t i = 0; i < 6; i++) {
		c->member[i] = (struct member){ &c->crowd, i };
		children_add(&c->crowd.children, &c->crowd.task[i], member_step, &c->member[i], 0);
	}
	return want_children(w, &c->crowd.children, 3000);
}

TEST(several_at_once_and_the_slow_ones_cancelled)
{
	for (int until = UNTIL_ALL; until <= UNTIL_ONE; until++) {
		struct net       *n = net_with((struct net_settings){ 0 });
		struct web        quick = { .says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
			slow = { .then = WEB_HANGS };
		struct tls_server secure = { .me = &good, .http = true,
			.says = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" };
		struct crowd_task c = { .until = until };
		struct task       t = { .step = crowd_step, .self = &c };
		struct peer       p[3];

		peer_start(&p[0], serve_web, &quick);
		peer_start(&p[1], serve_web, &slow);
		peer_start(&p[2], serve_tls, &secure);
		for (size_t i = 0; i < 6; i++) {
			/* among those until one, only number 4 can come to an end */
			size_t which = until == UNTIL_ALL ? i % 2 * 2 : i == 4 ? 0 : 1;

			fetch_init(&c.crowd.fetch[i], which == 2 ? "https" : "http", "web.example.org", p[which].port);
		}
		EXPECT(net_run(n, &t) && c.came == CAME);
		for (size_t i = 0; i < 6; i++) {
			bool done = until == UNTIL_ALL || i == 4;

			EXPECT(c.crowd.task[i].state == (done ? TASK_DONE : TASK_CANCELLED));
			EXPECT(!done || (c.crowd.came[i] == CAME && c.crowd.fetch[i].answer.status == 200));
			fetch_release(&c.crowd.fetch[i]);
		}
		net_free(n);
		for (size_t i = 0; i < 3; i++)
			peer_stop(&p[i]);
	}
}

/* -- connections that are kept ------------------------------------------------------------------------------------ */

/* Each connection has a thread of its own and goes on until it is closed, or told to close after so many answers. */
struct farm {
	SSL_CTX *ctx;               /* NULL: without TLS */
	int      closes_after;
	int      requests, connections, live;
	char     last[2000];
};

struct farm_connection {
	struct farm *farm;
	int          fd;
};

static int farm_read(SSL *ssl, int fd, char *at, size_t room)
{
	return ssl ? SSL_read(ssl, at, (int)room) : (int)recv(fd, at, room, 0);
}

/* One request with its body; false at the end. */
static bool farm_hear(SSL *ssl, int fd, char heard[2000])
{
	size_t used = 0, body = 0;
	char  *end = NULL, *length;

	for (;;) {
		int n = farm_read(ssl, fd, heard + used, 1999 - used);

		if (n <= 0)
			return false;
		heard[used += (size_t)n] = '\0';
		end = strstr(heard, "\r\n\r\n");
		length = strstr(heard, "Content-Length: ");
		body = length ? (size_t)atoi(length + 16) : 0;
		if (end && strlen(end + 4) >= body)
			return true;
	}
}

static void *farm_thread(void *self)
{
	static const char       answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
	static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;
	struct farm_connection *c = self;
	struct farm            *f = c->farm;
	SSL                    *ssl = f->ctx ? SSL_new(f->ctx) : NULL;
	char                    heard[2000];
	sigset_t                pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	if (ssl)
		SSL_set_fd(ssl, c->fd);
	if (!ssl || SSL_accept(ssl) == 1)
		for (int said = 0; !(f->closes_after && said == f->closes_after) && farm_hear(ssl, c->fd, heard); said++) {
			pthread_mutex_lock(&lock);
			memcpy(f->last, heard, sizeof heard);
			pthread_mutex_unlock(&lock);
			__atomic_add_fetch(&f->requests, 1, __ATOMIC_SEQ_CST);
			if (ssl)
				SSL_write(ssl, answer, (int)strlen(answer));
			else
				say_str(c->fd, answer);
		}
	SSL_free(ssl);
	shutdown(c->fd, SHUT_RDWR);
	close(c->fd);
	__atomic_sub_fetch(&f->live, 1, __ATOMIC_SEQ_CST);
	free(c);
	return NULL;
}

static void serve_farm(int fd, void *arg)
{
	struct farm            *f = arg;
	struct farm_connection *c = must_alloc(sizeof *c);
	pthread_t               thread;

	*c = (struct farm_connection){ f, dup(fd) };
	__atomic_add_fetch(&f->connections, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&f->live, 1, __ATOMIC_SEQ_CST);
	EXPECT(pthread_create(&thread, NULL, farm_thread, c) == 0);
	pthread_detach(thread);
}

static int count_of(int *number)
{
	return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

/* Its threads see the connections end. */
static void farm_ends(struct farm *f, struct peer *p)
{
	peer_stop(p);
	for (int ms = 0; count_of(&f->live) && ms < 5000; ms += 5)
		poll(NULL, 0, 5);
	EXPECT(count_of(&f->live) == 0);
}

static enum came post_by(struct net *n, const char *scheme, const char *host, uint16_t port, const char *address, bool keep,
	const struct own_trust *trust, struct tls_answer *tls)
{
	struct fetch f;
	enum came    came;

	fetch_init(&f, scheme, host, port);
	f.request.method = "POST";
	f.request.body = slice_str("{}");
	f.request.address = literal(address);
	f.request.keep = keep;
	f.request.trust = trust;
	f.answer.tls = tls;
	came = fetch(n, &f, 5000);
	EXPECT(came != CAME || (f.answer.status == 200 && slice_equal(buffer_held(&f.answer.body), slice_str("hi"))));
	fetch_release(&f);
	return came;
}

static enum came post(struct net *n, const char *scheme, const char *host, uint16_t port, const char *address, bool keep,
	struct tls_answer *tls)
{
	return post_by(n, scheme, host, port, address, keep, NULL, tls);
}

TEST(a_connection_is_kept_for_the_same_host_port_and_address)
{
	static const struct { const char *row, *host, *address; bool keep, other_port; int connections, elsewhere; } rows[] = {
		{ "first",           "web.example.org", "127.0.0.1", true,  false, 1, 0 },
		{ "again",           "web.example.org", "127.0.0.1", true,  false, 1, 0 },
		{ "not asked for",   "web.example.org", "127.0.0.1", false, false, 2, 0 },
		{ "again",           "web.example.org", "127.0.0.1", true,  false, 2, 0 },
		{ "another host",    "x.example.org",   "127.0.0.1", true,  false, 3, 0 },
		{ "another address", "web.example.org", "127.0.0.2", true,  false, 3, 1 },
		{ "that one again",  "web.example.org", "127.0.0.2", true,  false, 3, 1 },
		{ "the first again", "web.example.org", "127.0.0.1", true,  false, 3, 1 },
		{ "a third address", "web.example.org", "127.0.0.3", true,  false, 3, 1 },
		{ "another port",    "web.example.org", "127.0.0.1", true,  true,  3, 2 },
	};
	struct net *n = net_with((struct net_settings){ 0 });
	struct farm one = { 0 }, other = { 0 }, third = { 0 };
	struct peer p, q, r;
	uint16_t    port;

	peer_start(&p, serve_farm, &one);
	port = p.port;
	q = (struct peer){ .serve = serve_farm, .arg = &other, .port = p.port };
	q.fd = bound_at(literal("127.0.0.2"), SOCK_STREAM, &port);
	EXPECT(q.fd >= 0 && listen(q.fd, 16) == 0 && pthread_create(&q.thread, NULL, peer_thread, &q) == 0);
	peer_start(&r, serve_farm, &third);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool nobody = strcmp(rows[i].address, "127.0.0.3") == 0;

		EXPECT_ROW(post(n, "http", rows[i].host, rows[i].other_port ? r.port : p.port, rows[i].address, rows[i].keep, NULL)
			== (nobody ? CAME_REFUSED : CAME), rows[i].row);
		EXPECT_ROW(count_of(&one.connections) == rows[i].connections, rows[i].row);
		EXPECT_ROW(count_of(&other.connections) + count_of(&third.connections) == rows[i].elsewhere, rows[i].row);
	}
	net_free(n);
	farm_ends(&one, &p);
	farm_ends(&other, &q);
	farm_ends(&third, &r);
	EXPECT(strstr(one.last, "POST /a?b=c HTTP/1.1\r\n") && strstr(one.last, "\r\n\r\n{}"));
}

TEST(over_https_a_kept_connection_shows_no_chain_and_was_verified)
{
	struct net       *n = net_with((struct net_settings){ 0 });
	struct tls_server s = { .me = &good }, false_one = { .me = &foreign };
	struct farm       farm = { .ctx = tls_server_ctx(&s) }, liar = { .ctx = tls_server_ctx(&false_one) };
	struct tls_answer first, again;
	struct peer       p, q;

	peer_start(&p, serve_farm, &farm);
	peer_start(&q, serve_farm, &liar);
	EXPECT(post(n, "https", "web.example.org", p.port, "127.0.0.1", true, &first) == CAME);
	EXPECT(post(n, "https", "web.example.org", p.port, "127.0.0.1", true, &again) == CAME);
	EXPECT(post(n, "https", "web.example.org", p.port, "127.0.0.1", true, NULL) == CAME);
	EXPECT(count_of(&farm.connections) == 1 && count_of(&farm.requests) == 3);
	EXPECT(first.shook && !first.resumed && first.chain_len == 1 && first.flaws == 0 && first.end_point_len == 32);
	EXPECT(again.shook && again.resumed && again.chain_len == 0 && again.flaws == 0 && again.alert == -1 && again.end_point_len == 0);
	EXPECT_TEXT(again.verify, "ok");
	/* a name the connection was not verified for, and one who is not to be trusted, twice */
	EXPECT(post(n, "https", "other.example.org", p.port, "127.0.0.1", true, &again) == CAME_TLS_FAILED);
	for (int i = 0; i < 2; i++)
		EXPECT(post(n, "https", "web.example.org", q.port, "127.0.0.1", true, &again) == CAME_TLS_FAILED
			&& again.flaws == TLS_FLAW_NO_ISSUER && !again.resumed);
	EXPECT(count_of(&liar.requests) == 0);
	net_free(n);
	farm_ends(&farm, &p);
	farm_ends(&liar, &q);
	SSL_CTX_free(farm.ctx);
	SSL_CTX_free(liar.ctx);
}

TEST(own_trust_over_https_and_kept_connections_of_its_own)
{
	struct net       *n = net_with((struct net_settings){ 0 });
	struct tls_server s = { .me = &foreign };
	struct farm       farm = { .ctx = tls_server_ctx(&s) };
	char             *pem = pem_text(&stranger), *same = pem_text(&stranger), pin[65], other[65];
	struct own_trust  ca = { .ca_pem = pem }, again = { .ca_pem = same }, by_pin = { .pin = pin_text(&foreign, pin) },
		wrong = { .pin = pin_text(&good, other) }, both = { .ca_pem = pem, .pin = pin };
	const struct { const char *row, *host; const struct own_trust *trust; enum came came; int connections; bool resumed; enum tls_by by; unsigned flaws; }
	rows[] = {
		{ "nothing of one's own",     "web.example.org", NULL,    CAME_TLS_FAILED, 1, false, TLS_BY_ALL,     TLS_FLAW_NO_ISSUER },
		{ "its authority",            "web.example.org", &ca,     CAME,            1, false, TLS_BY_OWN_CA,  0 },
		{ "the same again",           "web.example.org", &again,  CAME,            0, true,  TLS_BY_ALL,     0 },
		{ "kept, and not for others", "web.example.org", NULL,    CAME_TLS_FAILED, 1, false, TLS_BY_ALL,     TLS_FLAW_NO_ISSUER },
		{ "another key",              "web.example.org", &wrong,  CAME_TLS_FAILED, 1, false, TLS_BY_ALL,     TLS_FLAW_PIN },
		{ "its key",                  "web.example.org", &by_pin, CAME,            1, false, TLS_BY_OWN_PIN, 0 },
		{ "its key again",            "web.example.org", &by_pin, CAME,            0, true,  TLS_BY_OWN_PIN, 0 },
		{ "its key by another name",  "127.0.0.1",       &by_pin, CAME,            1, false, TLS_BY_OWN_PIN, 0 },
		{ "authority, another name",  "127.0.0.1",       &ca,     CAME_TLS_FAILED, 1, false, TLS_BY_ALL,     TLS_FLAW_NAME },
		{ "both",                     "web.example.org", &both,   CAME,            1, false, TLS_BY_OWN_PIN, 0 },
		{ "its authority's stays",    "web.example.org", &ca,     CAME,            0, true,  TLS_BY_ALL,     0 },
	};
	struct peer       p;
	int               before;

	peer_start(&p, serve_farm, &farm);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_answer tls;

		before = count_of(&farm.connections);
		EXPECT_ROW(post_by(n, "https", rows[i].host, p.port, "127.0.0.1", true, rows[i].trust, &tls) == rows[i].came, rows[i].row);
		EXPECT_ROW(count_of(&farm.connections) - before == rows[i].connections, rows[i].row);
		EXPECT_ROW(tls.resumed == rows[i].resumed && tls.flaws == rows[i].flaws && tls.by == rows[i].by, rows[i].row);
	}
	net_free(n);
	farm_ends(&farm, &p);
	SSL_CTX_free(farm.ctx);
	free(pem);
	free(same);
}

TEST(a_kept_connection_that_was_closed_is_made_anew)
{
	static const char *const schemes[] = { "http", "https" };

	for (size_t i = 0; i < COUNT(schemes); i++) {
		struct net       *n = net_with((struct net_settings){ 0 });
		struct tls_server s = { .me = &good };
		struct farm       farm = { .closes_after = 1, .ctx = i ? tls_server_ctx(&s) : NULL };
		struct peer       p;

		peer_start(&p, serve_farm, &farm);
		for (int k = 0; k < 3; k++)
			EXPECT_ROW(post(n, schemes[i], "web.example.org", p.port, "127.0.0.1", true, NULL) == CAME, schemes[i]);
		EXPECT(count_of(&farm.requests) == 3 && count_of(&farm.connections) == 3);
		net_free(n);
		farm_ends(&farm, &p);
		SSL_CTX_free(farm.ctx);
	}
}

TEST(not_many_idle_connections_are_kept)
{
	struct net *n = net_with((struct net_settings){ 0 });
	struct farm farm = { 0 };
	struct peer p;
	char        host[40];

	peer_start(&p, serve_farm, &farm);
	for (int i = 0; i < 80; i++) {
		snprintf(host, sizeof host, "h%d.example.org", i);
		EXPECT(post(n, "http", host, p.port, "127.0.0.1", true, NULL) == CAME);
	}
	EXPECT(count_of(&farm.connections) == 80);
	for (int ms = 0; count_of(&farm.live) > 64 && ms < 5000; ms += 5)
		poll(NULL, 0, 5);
	EXPECT(count_of(&farm.live) <= 64 && count_of(&farm.live) > 32);
	net_free(n);
	farm_ends(&farm, &p);
}

TEST(sixteen_headers_fit)
{
	struct net  *n = net_with((struct net_settings){ 0 });
	struct web   web = { .says = "HTTP/1.1 204 No Content\r\n\r\n" };
	struct fetch f;
	struct peer  p;
	char         line[16][20];

	peer_start(&p, serve_web, &web);
	fetch_init(&f, "http", "web.example.org", p.port);
	for (size_t i = 0; i < 16; i++) {
		snprintf(line[i], sizeof line[i], "X-%zu: %zu", i, i);
		f.request.headers[i] = line[i];
	}
	EXPECT(fetch(n, &f, 5000) == CAME);
	fetch_release(&f);
	net_free(n);
	peer_stop(&p);
	for (size_t i = 0; i < 16; i++)
		EXPECT_ROW(strstr(web.heard, line[i]), line[i]);
}
