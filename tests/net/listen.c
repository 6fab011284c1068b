/* Connections that others make to us, in the clear and inside TLS. */
#include "peer.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/un.h>

static struct net *net_plain(void)
{
	struct net_settings s = { 0 };
	struct net         *n = net_new(&s, NULL);

	EXPECT(n != NULL);
	return n;
}

/* -- an echo ------------------------------------------------------------------------------------------------------ */

struct server {
	struct net          *net;
	struct net_listener *listener;
	uint16_t             port;
	int                  calls, open, served, most;
	int                  refuses_from;      /* the how manieth call; 0: none            */
	int                  unlistens_at;      /* likewise, from inside of `accepted`      */
	int                  stops_after;       /* so many served                           */
	bool                 starttls, tls, leaves_plain;
	struct address       peer;
	/* of the last guest that wanted TLS */
	enum came            shook;
	struct tls_answer    tls_answer;
	bool                 secure, open_after;
};

struct guest {
	struct task    task;
	struct line    line;
	struct server *server;
	int            step;
	bool           ended;
	struct tls_answer tls;
};

static enum want_kind guest_step(void *self, struct want *w, struct error *err)
{
	struct guest *g = self;
	enum came     came;

	(void)err;
	switch (g->step) {
	case 0:
		EXPECT(g->line.open && !g->line.secure);
		if (!g->server->tls)
			goto echo;
		if (g->server->starttls) {
			AWAIT(g, 1, want_read(w, &g->line, 5000)):
			EXPECT(slice_starts(buffer_held(&g->line.in), "STARTTLS\r\n"));
			if (!g->server->leaves_plain)
				buffer_clear(&g->line.in);
			else
				buffer_drop(&g->line.in, 10);
			buffer_add_str(&g->line.out, "220 go\r\n");
			AWAIT(g, 4, want_write(w, &g->line, 5000)):
			EXPECT(want_came(w) == CAME);
		}
		AWAIT(g, 2, want_tls(w, &g->line, NULL, TLS_SERVE, &g->tls, 5000)):
		g->server->shook = came = want_came(w);
		g->server->tls_answer = g->tls;
		g->server->secure = g->line.secure;
		g->server->open_after = g->line.open;
		if (came != CAME)
			return WANT_NOTHING;
		g->line.handshake = NULL;
	echo:
		for (;;) {
			AWAIT(g, 3, want_read(w, &g->line, 5000)):
			if (want_came(w) != CAME)
				return WANT_NOTHING;
			buffer_add(&g->line.out, buffer_held(&g->line.in));
			buffer_clear(&g->line.in);
		}
	}
	return WANT_NOTHING;
}

static void guest_ended(struct task *t)
{
	struct guest  *g = (struct guest *)t;
	struct server *s = g->server;

	s->open--;
	s->served++;
	line_release(&g->line);
	free(g);
	if (s->served == s->stops_after)
		net_stop(s->net);
}

static struct line *accepted(void *self, const struct address *peer)
{
	struct server *s = self;
	struct guest  *g;

	s->peer = *peer;
	s->calls++;
	if (s->calls == s->unlistens_at)
		net_unlisten(s->listener);
	if (s->refuses_from && s->calls >= s->refuses_from)
		return NULL;
	g = must_alloc(sizeof *g);
	*g = (struct guest){ .task = { .step = guest_step, .self = g }, .server = s };
	line_init(&g->line, 1000, 1000);
	net_start(s->net, &g->task, guest_ended);
	if (++s->open > s->most)
		s->most = s->open;
	return &g->line;
}

static void listen_with(struct server *s, struct net *n)
{
	int fd = bound(4, SOCK_STREAM, &s->port);

	EXPECT(fd >= 0 && listen(fd, 1000) == 0);
	s->net = n;
	s->listener = net_listen(n, fd, accepted, s);
}

static int call(uint16_t port)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval     ten = { .tv_sec = 10 };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT(fd >= 0 && connect(fd, (struct sockaddr *)&there, sizeof there) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof ten);
	return fd;
}

static bool echoes(int fd, const char *text)
{
	char   heard[200];
	size_t used = 0, len = strlen(text);

	say_str(fd, text);
	while (used < len) {
		ssize_t n = recv(fd, heard + used, len - used, 0);

		if (n <= 0)
			return false;
		used += (size_t)n;
	}
	return memcmp(heard, text, len) == 0;
}

/* -- in the clear ------------------------------------------------------------------------------------------------- */

#define CALLERS 300      /* more than are taken in one turn */

static void *call_many(void *self)
{
	struct server *s = self;
	int            fd[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		fd[i] = call(s->port);
	for (int i = 0; i < CALLERS; i++)
		EXPECT(echoes(fd[i], "hello"));
	for (int i = 0; i < CALLERS; i++)
		close(fd[i]);
	return NULL;
}

TEST(many_callers_are_taken_and_heard)
{
	struct net    *n = net_plain();
	struct server  s = { .stops_after = CALLERS };
	struct address us = loopback(4);
	pthread_t      thread;

	listen_with(&s, n);
	EXPECT(pthread_create(&thread, NULL, call_many, &s) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(s.calls == CALLERS && s.served == CALLERS && s.open == 0 && s.most == CALLERS);
	EXPECT(address_equal(&s.peer, &us));
	net_free(n);
}

static void *call_three_times(void *self)
{
	struct server *s = self;
	int            first = call(s->port), second, third;
	char           byte;

	EXPECT(echoes(first, "one"));
	second = call(s->port);
	EXPECT(recv(second, &byte, 1, 0) == 0);       /* turned away */
	third = call(s->port);
	EXPECT(recv(third, &byte, 1, 0) == 0);
	EXPECT(echoes(first, "still there"));
	close(first);
	close(second);
	close(third);
	return NULL;
}

TEST(a_caller_can_be_turned_away)
{
	struct net   *n = net_plain();
	struct server s = { .stops_after = 1, .refuses_from = 2 };
	pthread_t     thread;

	listen_with(&s, n);
	EXPECT(pthread_create(&thread, NULL, call_three_times, &s) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(s.calls == 3 && s.served == 1);
	net_free(n);
}

static void *call_twice_then_nobody(void *self)
{
	struct server     *s = self;
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	int                first = call(s->port), second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT(echoes(first, "one"));
	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT(connect(second, (struct sockaddr *)&there, sizeof there) != 0 && errno == ECONNREFUSED);
	EXPECT(echoes(first, "two"));
	close(first);
	close(second);
	return NULL;
}

TEST(the_listener_may_be_taken_down_while_it_takes)
{
	struct net   *n = net_plain();
	struct server s = { .stops_after = 1, .unlistens_at = 1 };
	pthread_t     thread;

	listen_with(&s, n);
	EXPECT(pthread_create(&thread, NULL, call_twice_then_nobody, &s) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(s.calls == 1);
	net_free(n);
}

static void *call_over_ipv6(void *self)
{
	struct server      *s = self;
	struct sockaddr_in6 there = { .sin6_family = AF_INET6, .sin6_port = htons(s->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int                 fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT(connect(fd, (struct sockaddr *)&there, sizeof there) == 0 && echoes(fd, "six"));
	close(fd);
	return NULL;
}

static void *call_locally(void *self)
{
	struct sockaddr_un *there = self;
	int                 fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT(connect(fd, (struct sockaddr *)there, sizeof *there) == 0 && echoes(fd, "near"));
	close(fd);
	return NULL;
}

TEST(callers_of_other_families)
{
	struct net        *n = net_plain();
	struct server      s = { .stops_after = 1 };
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	struct address     us = loopback(6);
	int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t          thread;

	snprintf(here.sun_path, sizeof here.sun_path, "/tmp/mailmoor-test-%d", (int)getpid());
	EXPECT(bind(fd, (struct sockaddr *)&here, sizeof here) == 0 && listen(fd, 8) == 0);
	s.net = n;
	s.listener = net_listen(n, fd, accepted, &s);
	EXPECT(pthread_create(&thread, NULL, call_locally, &here) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	unlink(here.sun_path);
	EXPECT(s.peer.family == 0 && s.served == 1);
	net_free(n);

	s = (struct server){ .stops_after = 1 };
	fd = bound(6, SOCK_STREAM, &s.port);
	if (fd < 0)
		test_skip("no IPv6 here");
	n = s.net = net_plain();
	EXPECT(listen(fd, 8) == 0);
	s.listener = net_listen(n, fd, accepted, &s);
	EXPECT(pthread_create(&thread, NULL, call_over_ipv6, &s) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(address_equal(&s.peer, &us));
	net_free(n);
}

/* -- out of descriptors ------------------------------------------------------------------------------------------- */

/* Takes all descriptors there are, and gives them back after a while. */
struct hoarder {
	struct server *server;
	int            fd[200], count, caller;
	int            at;
	int64_t        cpu_us;
};

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static enum want_kind hoarder_step(void *self, struct want *w, struct error *err)
{
	struct hoarder *h = self;

	(void)err;
	switch (h->at++) {
	case 0:
		h->caller = call(h->server->port);
		while (h->count < 200 && (h->fd[h->count] = dup(0)) >= 0)
			h->count++;
		h->cpu_us = cpu_us();
		return want_time(w, 500);
	case 1:
		h->cpu_us = cpu_us() - h->cpu_us;
		EXPECT(h->server->calls == 0);
		while (h->count)
			close(h->fd[--h->count]);
		return want_time(w, 1000);
	default:
		EXPECT(h->server->calls == 1);
		close(h->caller);
		return WANT_NOTHING;
	}
}

TEST(out_of_descriptors_it_waits_without_spinning)
{
	struct net    *n = net_plain();
	struct server  s = { .stops_after = 1 };
	struct hoarder h = { .server = &s };
	struct task    t = { .step = hoarder_step, .self = &h };
	struct rlimit  before, few;

	EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
	few = (struct rlimit){ 60, before.rlim_max };
	EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
	listen_with(&s, n);
	net_start(n, &t, NULL);
	net_serve(n);
	EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
	EXPECT(t.state == TASK_DONE && s.served == 1);
	EXPECT(h.cpu_us < 100000);      /* of half a second */
	net_free(n);
}

TEST(after_the_stop_nobody_is_taken)
{
	struct net   *n = net_plain();
	struct server s = { 0 };
	int           fd;
	char          byte;

	listen_with(&s, n);
	fd = call(s.port);
	net_stop(n);
	net_serve(n);
	EXPECT(s.calls == 0);
	net_free(n);
	EXPECT(recv(fd, &byte, 1, 0) <= 0);      /* the socket was the net's, and is closed with it */
	close(fd);
}

/* -- inside TLS --------------------------------------------------------------------------------------------------- */

static struct identity first, second;
static char            first_cert[32], first_key[32], second_cert[32], second_key[32], locked_key[32];

static void forget_identities(void)
{
	const char *files[] = { first_cert, first_key, second_cert, second_key, locked_key };

	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	identity_free(&first);
	identity_free(&second);
}

static void know_identities(void)
{
	if (first.cert)
		return;
	first = identity_new((struct wish){ .cn = "bcc.example.org", .san = "DNS:bcc.example.org" }, NULL);
	second = identity_new((struct wish){ .cn = "renewed.example.org", .san = "DNS:bcc.example.org" }, NULL);
	pem_file(&first, first_cert);
	pem_file(&second, second_cert);
	key_file(&first, NULL, first_key);
	key_file(&second, NULL, second_key);
	key_file(&first, "secret", locked_key);
	atexit(forget_identities);
}

struct caller {
	struct server *server;
	int            max;              /* version, 0: any */
	const char    *before;           /* said in the clear, at one go */
	bool           again;            /* tries to renegotiate, which is to fail; and is heard afterwards */
	bool           reloads;          /* the certificate, in the middle of it, and calls once more */
	struct net_post *then;           /* posted to the server at the end */
	/* what it saw */
	bool           shook, echoed, renegotiated, resumable;
	char           version[16], shown[100], shown_later[100];
};

static SSL *say_hello(const struct caller *c, SSL_CTX *ctx, int *fd)
{
	SSL *ssl = SSL_new(ctx);

	*fd = call(c->server->port);
	if (c->before) {
		char go[8];

		say_str(*fd, c->before);
		EXPECT(recv(*fd, go, sizeof go, MSG_WAITALL) == sizeof go);
	}
	SSL_set_fd(ssl, *fd);
	return ssl;
}

static void who(SSL *ssl, char out[100])
{
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ssl)), NID_commonName, out, 100);
}

static bool echoes_inside(SSL *ssl, const char *text)
{
	char   heard[100];
	int    len = (int)strlen(text), n;

	return SSL_write(ssl, text, len) == len && (n = SSL_read(ssl, heard, sizeof heard)) == len && memcmp(heard, text, (size_t)n) == 0;
}

static struct net_post reload;
static struct net     *reloaded;

static void on_reload(struct net_post *p)
{
	(void)p;
	EXPECT(net_serve_tls(reloaded, second_cert, second_key, NULL));
}

static void call_once_more(struct caller *c, SSL_CTX *ctx)
{
	SSL *ssl;
	int  fd;

	reloaded = c->server->net;
	reload.run = on_reload;
	net_post(reloaded, &reload);
	do {      /* it comes into force when the loop gets to it */
		ssl = say_hello(c, ctx, &fd);
		EXPECT(SSL_connect(ssl) == 1);
		who(ssl, c->shown_later);
		SSL_shutdown(ssl);
		SSL_free(ssl);
		close(fd);
	} while (strcmp(c->shown_later, c->shown) == 0);
}

static void *call_inside(void *self)
{
	struct caller *c = self;
	SSL_CTX       *ctx = SSL_CTX_new(TLS_client_method());
	sigset_t       pipe;
	SSL           *ssl;
	int            fd;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, c->max);
	ssl = say_hello(c, ctx, &fd);
	c->shook = SSL_connect(ssl) == 1;
	if (c->shook) {
		snprintf(c->version, sizeof c->version, "%s", SSL_get_version(ssl));
		who(ssl, c->shown);
		c->echoed = echoes_inside(ssl, "inside");
		c->resumable = SSL_SESSION_is_resumable(SSL_get_session(ssl));
		if (c->again && SSL_renegotiate(ssl) == 1)
			c->renegotiated = SSL_do_handshake(ssl) == 1;
		if (c->reloads) {
			call_once_more(c, ctx);
			c->echoed &= echoes_inside(ssl, "still");
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	if (c->then)
		net_post(c->server->net, c->then);
	return NULL;
}

static void serve_caller(struct server *s, struct net *n, struct caller *c)
{
	pthread_t thread;

	c->server = s;
	s->tls = true;
	listen_with(s, n);
	EXPECT(pthread_create(&thread, NULL, call_inside, c) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
}

TEST(we_are_the_server_of_a_handshake)
{
	static const struct { const char *row; int max; bool again; enum came came; const char *version; } rows[] = {
		{ "TLS 1.3",       TLS1_3_VERSION, false, CAME,            "TLSv1.3" },
		{ "TLS 1.2",       TLS1_2_VERSION, false, CAME,            "TLSv1.2" },
		{ "renegotiation", TLS1_2_VERSION, true,  CAME,            "TLSv1.2" },
		{ "TLS 1.1",       TLS1_1_VERSION, false, CAME_TLS_FAILED, "" },
	};

	know_identities();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net   *n = net_plain();
		struct server s = { .stops_after = 1 };
		struct caller c = { .max = rows[i].max, .again = rows[i].again };
		bool          fine = rows[i].came == CAME;

		EXPECT(net_serve_tls(n, first_cert, first_key, NULL));
		serve_caller(&s, n, &c);
		EXPECT_ROW(s.shook == rows[i].came && s.secure == fine && s.open_after == fine, rows[i].row);
		EXPECT_ROW(c.shook == fine && c.echoed == fine && !c.renegotiated && !c.resumable, rows[i].row);
		EXPECT_TEXT(c.version, rows[i].version);
		EXPECT_TEXT(c.shown, fine ? "bcc.example.org" : "");
		EXPECT_ROW(s.tls_answer.shook == fine && s.tls_answer.flaws == 0 && !s.tls_answer.resumed, rows[i].row);
		EXPECT_TEXT(s.tls_answer.version, rows[i].version);
		net_free(n);
	}
}

TEST(what_came_in_the_clear_is_not_taken_for_what_is_inside)
{
	static const struct { const char *row, *before; bool leaves_plain; enum came came; const char *first; } rows[] = {
		{ "as it should be",    "STARTTLS\r\n",                    false, CAME,            "\x16" },
		{ "left in the buffer", "STARTTLS\r\nMAIL FROM:<a@b>\r\n", true,  CAME_TLS_FAILED, "MAIL FROM" },
	};

	know_identities();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net   *n = net_plain();
		struct server s = { .stops_after = 1, .starttls = true, .leaves_plain = rows[i].leaves_plain };
		struct caller c = { .before = rows[i].before };
		bool          fine = rows[i].came == CAME;

		EXPECT(net_serve_tls(n, first_cert, first_key, NULL));
		serve_caller(&s, n, &c);
		EXPECT_ROW(s.shook == rows[i].came && s.secure == fine && s.open_after == fine, rows[i].row);
		EXPECT_ROW(c.shook == fine && c.echoed == fine, rows[i].row);
		EXPECT_ROW(slice_starts(slice((char *)s.tls_answer.first, s.tls_answer.first_len), rows[i].first), rows[i].row);
		net_free(n);
	}
}

static void *speak_plainly(void *self)
{
	struct server *s = self;
	int            fd = call(s->port);

	say_str(fd, "EHLO me\r\n");
	hear_out(fd);
	close(fd);
	return NULL;
}

TEST(plain_words_are_no_handshake)
{
	struct net   *n = net_plain();
	struct server s = { .stops_after = 1, .tls = true };
	pthread_t     thread;

	know_identities();
	EXPECT(net_serve_tls(n, first_cert, first_key, NULL));
	listen_with(&s, n);
	EXPECT(pthread_create(&thread, NULL, speak_plainly, &s) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(s.shook == CAME_TLS_FAILED && !s.secure && !s.open_after && !s.tls_answer.shook);
	EXPECT(slice_starts(slice((char *)s.tls_answer.first, s.tls_answer.first_len), "EHLO me"));
	net_free(n);
}

static void on_reloaded(struct net_post *p)
{
	(void)p;
	net_stop(reloaded);
}

TEST(a_renewed_certificate_is_shown_to_the_next_one)
{
	static struct net_post done = { .run = on_reloaded };
	struct net   *n = net_plain();
	struct server s = { .tls = true };
	struct caller c = { .reloads = true, .server = &s, .then = &done };
	pthread_t     thread;

	know_identities();
	EXPECT(net_serve_tls(n, first_cert, first_key, NULL));
	listen_with(&s, n);
	EXPECT(pthread_create(&thread, NULL, call_inside, &c) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(c.shook && c.echoed);
	EXPECT_TEXT(c.shown, "bcc.example.org");
	EXPECT_TEXT(c.shown_later, "renewed.example.org");
	net_free(n);
}

TEST(without_a_certificate_there_is_no_handshake)
{
	struct net   *n = net_plain();
	struct server s = { .stops_after = 1 };
	struct caller c = { 0 };

	serve_caller(&s, n, &c);
	EXPECT(s.shook == CAME_FAILED && !s.open_after && !c.shook);
	EXPECT_TEXT(s.tls_answer.reason, "no certificate to show");
	net_free(n);
}

TEST(files_that_do_not_fit_change_nothing)
{
	struct net   *n = net_plain();
	struct server s = { .stops_after = 1 };
	struct caller c = { 0 };

	know_identities();
	EXPECT(net_serve_tls(n, first_cert, first_key, NULL));
	const struct { const char *row, *certificate, *key; } rows[] = {
		{ "no certificate", "/nonexistent/cert.pem", first_key },
		{ "no key",         first_cert, "/nonexistent/key.pem" },
		{ "another's key",  second_cert, first_key },
		{ "encrypted",      first_cert, locked_key },
		{ "turned round",   first_key, first_cert },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		EXPECT_ROW(!net_serve_tls(n, rows[i].certificate, rows[i].key, &err) && err.fault == FAULT_LOCAL, rows[i].row);
	}
	serve_caller(&s, n, &c);
	EXPECT(c.echoed);
	EXPECT_TEXT(c.shown, "bcc.example.org");
	net_free(n);
}
