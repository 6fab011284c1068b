#include "peer.h"

/* -- what is written on the command line -------------------------------------------------------------------------- */

TEST(places)
{
	static const struct { const char *text,
		*host; uint16_t port; const char *address; uint16_t to_port; } good[] = {
		{ "imap.example.org:993=127.0.0.1:10993", "imap.example.org", 993, "127.0.0.1", 10993 },
		{ "[2001:db8::1]:993=[::1]:1993", "2001:db8::1", 993, "::1", 1993 },
		{ "127.0.0.5:1=127.0.0.1:65535", "127.0.0.5", 1, "127.0.0.1", 65535 },
	};
	static const char *const bad[] = {
		"", "=", ":", "a:1", "a:1=", "a=127.0.0.1:1", "a:1=127.0.0.1", "a:0=127.0.0.1:1", "a:1=127.0.0.1:0",
			"a:65536=127.0.0.1:1",
		"a:1=127.0.0.1:65536", "a:1=b:1", ":1=127.0.0.1:1", "2001:db8::1:993=[::1]:1", "a:1=::1:1",
			"a:1=[::1:1", "a:1 =127.0.0.1:1",
		"a:+1=127.0.0.1:1", "[]:1=127.0.0.1:1",
	};
	struct net_place p;
	char             text[ADDRESS_TEXT], longest[400];

	for (size_t i = 0; i < COUNT(good); i++) {
		EXPECT_ROW(net_place_parse(good[i].text, &p), good[i].text);
		EXPECT_TEXT(p.host, good[i].host);
		EXPECT_TEXT(address_text(&p.address, text), good[i].address);
		EXPECT_ROW(p.port == good[i].port && p.to_port == good[i].to_port, good[i].text);
	}
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t cut = 0; cut < strlen(good[i].text); cut++) {
			char *start = must_copy(good[i].text);

			start[cut] = '\0';
			EXPECT_ROW(!net_place_parse(start, &p) || cut > (size_t)(strrchr(good[i].text,
				':') - good[i].text) + 1, start);
			free(start);
		}
	for (size_t i = 0; i < COUNT(bad); i++)
		EXPECT_ROW(!net_place_parse(bad[i], &p), bad[i]);
	for (int len = 254; len < 258; len++) {
		snprintf(longest, sizeof longest, "%0*d:1=127.0.0.1:1", len, 0);
		EXPECT(net_place_parse(longest, &p) == (len < 256));
	}
}

TEST(resolvers_as_written)
{
	static const struct { const char *text, *address; uint16_t port; } good[] = {
		{ "127.0.0.1", "127.0.0.1", 53 }, { "127.0.0.1:5353", "127.0.0.1", 5353 }, { "[::1]:53", "::1", 53 },
		{ "::1", "::1", 53 }, { "[::1]", "::1", 53 },
	};
	static const char *const bad[] = { "", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:x", "[::1]:",
		"[::1", "1.2.3" };
	struct address a;
	uint16_t       port;
	char           text[ADDRESS_TEXT];

	for (size_t i = 0; i < COUNT(good); i++) {
		EXPECT_ROW(net_resolver_parse(good[i].text, &a, &port), good[i].text);
		EXPECT_TEXT(address_text(&a, text), good[i].address);
		EXPECT_ROW(port == good[i].port, good[i].text);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		EXPECT_ROW(!net_resolver_parse(bad[i], &a, &port), bad[i]);
}

/* -- connecting --------------------------------------------------------------------------------------------------- */

/* A port at `at` that answers nothing at all: its queue is full. */
struct silent {
	int fd, fill[3];
};

static bool silent_start(struct silent *s, struct address at, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t               len = sizeof name;

	s->fd = bound_at(at, SOCK_STREAM, &port);
	if (s->fd < 0)
		return false;
	EXPECT(listen(s->fd, 0) == 0 && getsockname(s->fd, (struct sockaddr *)&name, &len) == 0);
	for (size_t i = 0; i < COUNT(s->fill); i++) {
		s->fill[i] = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(s->fill[i], (struct sockaddr *)&name, len);
	}
	return true;
}

static void silent_stop(struct silent *s)
{
	for (size_t i = 0; i < COUNT(s->fill); i++)
		close(s->fill[i]);
	close(s->fd);
}

static struct net *net_with(struct net_settings s)
{
	struct net *n = net_new(&s, NULL);

	EXPECT(n != NULL);
	return n;
}

static enum came try_addresses(struct net *n, struct line *l, const char *host, uint16_t port,
	struct connect_answer *a, int wait_ms)
{
	return WAIT_ONE(n, want_connect(w, l, host, port, a, wait_ms));
}

static void say_hello(int fd, void *arg)
{
	say_str(fd, arg);
	hear_out(fd);
}

TEST(one_address)
{
	struct net           *n = net_with((struct net_settings){ 0 });
	struct connect_answer a = { .tried = { { .address = loopback(4) } }, .count = 1 };
	struct peer           p;
	struct line           l;

	line_init(&l, 1000, 1000);
	peer_start(&p, say_hello, (void *)"hello");
	EXPECT(try_addresses(n, &l, "a.example", p.port, &a, 5000) == CAME);
	EXPECT(l.open && !l.secure && !l.ended && a.chosen == 0 && a.tried[0].came == CAME);
	EXPECT(a.tried[0].ms >= 0 && a.tried[0].ms < 1000);
	EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME);
	EXPECT(slice_equal(buffer_held(&l.in), slice_str("hello")));
	/* again with the same line: what the old connection said is gone */
	EXPECT(try_addresses(n, &l, "a.example", p.port, &a, 5000) == CAME);
	EXPECT(buffer_held(&l.in).len == 0 && l.open);
	EXPECT(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
	EXPECT(p.served == 2);
}

TEST(refused_and_nothing_at_all)
{
	struct net           *n = net_with((struct net_settings){ 0 });
	struct connect_answer a = { .tried = { { .address = loopback(4) }, { .address = loopback(4) } }, .count = 2 };
	struct line           l;

	line_init(&l, 1000, 1000);
	EXPECT(try_addresses(n, &l, "a.example", dead_port(), &a, 5000) == CAME_REFUSED);
	EXPECT(!l.open && a.tried[0].came == CAME_REFUSED && a.tried[1].came == CAME_REFUSED);
	a.count = 0;
	EXPECT(try_addresses(n, &l, "a.example", dead_port(), &a, 5000) == CAME_FAILED);
	line_release(&l);
	net_free(n);
}

TEST(a_failed_address_is_followed_at_once)
{
	struct net           *n = net_with((struct net_settings){ 0 });
	struct connect_answer a = { .tried = { { .address = literal("127.0.0.2") }, { .address = loopback(4) } },
		.count = 2 };
	struct peer           p;
	struct line           l;
	int64_t               before = ms_now();

	line_init(&l, 1000, 1000);
	peer_start(&p, say_hello, (void *)"hello");
	EXPECT(try_addresses(n, &l, "a.example", p.port, &a, 5000) == CAME);
	EXPECT(ms_now() - before < 240);
	EXPECT(a.chosen == 1 && a.tried[0].came == CAME_REFUSED && a.tried[1].came == CAME);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

TEST(a_silent_address_has_a_head_start_of_a_quarter_second)
{
	struct net           *n = net_with((struct net_settings){ 0 });
	struct connect_answer a = { .tried = { { .address = literal("127.0.0.2") }, { .address = loopback(4) },
		{ .address = literal("127.0.0.3") } }, .count = 3 };
	struct silent         s;
	struct peer           p;
	struct line           l;
	int64_t               before;

	line_init(&l, 1000, 1000);
	peer_start(&p, say_hello, (void *)"hello");
	EXPECT(silent_start(&s, literal("127.0.0.2"), p.port));
	before = ms_now();
	EXPECT(try_addresses(n, &l, "a.example", p.port, &a, 5000) == CAME);
	EXPECT(ms_now() - before >= 250 && ms_now() - before < 600);
	EXPECT(a.chosen == 1 && a.tried[0].came == CAME_NOTHING && a.tried[2].came == CAME_NOTHING);
	line_release(&l);
	silent_stop(&s);
	net_free(n);
	peer_stop(&p);
}

TEST(families_take_turns)
{
	struct net           *n = net_with((struct net_settings){ 0 });
	struct connect_answer a = { .tried = { { .address = loopback(6) }, { .address = literal("::ffff:127.0.0.9") },
		{ .address = loopback(4) } }, .count = 3 };
	struct silent         s;
	struct peer           p;
	struct line           l;

	line_init(&l, 1000, 1000);
	peer_start(&p, say_hello, (void *)"hello");
	if (!silent_start(&s, loopback(6), p.port)) {
		peer_stop(&p);
		net_free(n);
		test_skip("no IPv6 here");
	}
	EXPECT(try_addresses(n, &l, "a.example", p.port, &a, 5000) == CAME);
	EXPECT(a.chosen == 2 && a.tried[1].came == CAME_NOTHING);      /* the second IPv6 comes after the first IPv4 */
	line_release(&l);
	silent_stop(&s);
	net_free(n);
	peer_stop(&p);
}

TEST(time_out_and_the_most_telling)
{
	struct net           *n = net_with((struct net_settings){ 0 });
	struct connect_answer a = { .tried = { { .address = literal("127.0.0.2") } }, .count = 1 };
	struct silent         s;
	struct line           l;
	uint16_t              port = dead_port();

	line_init(&l, 1000, 1000);
	EXPECT(silent_start(&s, literal("127.0.0.2"), port));
	EXPECT(try_addresses(n, &l, "a.example", port, &a, 100) == CAME_TIMEOUT);
	EXPECT(!l.open && a.tried[0].came == CAME_TIMEOUT && a.tried[0].ms >= 100);
	a.count = 2;
	a.tried[1].address = loopback(4);
	EXPECT(try_addresses(n, &l, "a.example", port, &a, 400) == CAME_REFUSED);
	EXPECT(a.tried[0].came == CAME_TIMEOUT && a.tried[1].came == CAME_REFUSED);
	line_release(&l);
	silent_stop(&s);
	net_free(n);
}

TEST(special_addresses_are_refused_unless_allowed)
{
	struct peer         p;
	struct address_block allow;
	static const struct { bool check; const char *allow, *address; enum came came; } rows[] = {
		{ false, NULL,           "127.0.0.1",        CAME },
		{ true,  NULL,           "127.0.0.1",        CAME_NOT_ALLOWED },
		{ true,  NULL,           "::ffff:127.0.0.1", CAME_NOT_ALLOWED },
		{ true,  NULL,           "0.0.0.0",          CAME_NOT_ALLOWED },
		{ true,  "10.0.0.0/8",   "127.0.0.1",        CAME_NOT_ALLOWED },
		{ true,  "127.0.0.0/30", "127.0.0.1",        CAME },
		{ true,  "127.0.0.1",    "127.0.0.1",        CAME },
	};

	peer_start(&p, say_hello, (void *)"hello");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_settings   s = { .check_targets = rows[i].check, .allow = &allow,
			.allow_count = rows[i].allow != NULL };
		struct connect_answer a = { .tried = { { .address = literal(rows[i].address) } }, .count = 1 };
		struct net           *n;
		struct line           l;
		int                   served = __atomic_load_n(&p.served, __ATOMIC_SEQ_CST);

		if (rows[i].allow)
			EXPECT(address_block_parse(rows[i].allow, &allow));
		n = net_with(s);
		line_init(&l, 1000, 1000);
		EXPECT_ROW(try_addresses(n, &l, "a.example", p.port, &a, 5000) == rows[i].came, rows[i].address);
		EXPECT_ROW(a.tried[0].came == rows[i].came, rows[i].address);
		EXPECT_ROW(l.open == (rows[i].came == CAME), rows[i].address);
		if (l.open)
			EXPECT_ROW(WAIT_ONE(n, want_read(w, &l, 5000)) == CAME, rows[i].address);
		line_release(&l);
		net_free(n);
		if (rows[i].came != CAME)
			EXPECT_ROW(__atomic_load_n(&p.served, __ATOMIC_SEQ_CST) == served, rows[i].address);
	}
	peer_stop(&p);
	EXPECT(p.served == 3);
}

TEST(a_forbidden_address_does_not_hide_what_the_others_say)
{
	struct net           *n = net_with((struct net_settings){ .check_targets = true, .allow_count = 1,
		.allow = &(struct address_block){ .address = { .family = 4, .bytes = { 127, 0, 0, 1 } },
			.bits = 32 } });
	struct connect_answer a = { .tried = { { .address = literal("10.1.2.3") }, { .address = loopback(4) } },
		.count = 2 };
	struct line           l;

	line_init(&l, 1000, 1000);
	EXPECT(try_addresses(n, &l, "a.example", dead_port(), &a, 5000) == CAME_REFUSED);
	EXPECT(a.tried[0].came == CAME_NOT_ALLOWED && a.tried[1].came == CAME_REFUSED);
	line_release(&l);
	net_free(n);
}

TEST(connect_to_is_the_operators_word)
{
	struct peer p;
	static const struct { const char *place, *host; uint16_t port; bool there; } rows[] = {
		{ "imap.example.org:993",   "imap.example.org",  993, true  },
		{ "imap.example.org:993",   "IMAP.Example.ORG",  993, true  },
		{ "imap.example.org:993",   "imap.example.org.", 993, true  },
		{ "imap.example.org:993",   "imap.example.org",  143, false },
		{ "imap.example.org:993",   "map.example.org",   993, false },
		{ "[2001:db8::1]:993",      "2001:db8:0::1",     993, true  },
		{ "[2001:db8::1]:993",      "[2001:db8::1]",     993, true  },
		{ "192.0.2.1:25",           "192.0.2.1",         25,  true  },
	};

	peer_start(&p, say_hello, (void *)"hello");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_place      place, places[2];
		char                  text[200];
		struct connect_answer a = { 0 };      /* nothing was resolved */
		struct net           *n;
		struct line           l;

		snprintf(text, sizeof text, "%s=127.0.0.1:%u", rows[i].place, p.port);
		EXPECT(net_place_parse(text, &place));
		/* of several the last holds: a place that nobody answers at is overridden */
		places[0] = places[1] = place;
		places[0].to_port = dead_port();
		n = net_with((struct net_settings){ .connect_to = places, .connect_to_count = 2,
			.check_targets = true });
		line_init(&l, 1000, 1000);
		EXPECT_ROW(try_addresses(n, &l, rows[i].host, rows[i].port, &a,
			5000) == (rows[i].there ? CAME : CAME_FAILED), rows[i].host);
		EXPECT_ROW(a.count == (rows[i].there ? 1 : 0), rows[i].host);
		if (rows[i].there)
			EXPECT_ROW(address_equal(&a.tried[0].address, &place.address) && a.tried[0].came == CAME,
				rows[i].host);
		line_release(&l);
		net_free(n);
	}
	peer_stop(&p);
}

/* -- every kind of wait, ended from above ------------------------------------------------------------------------- */

struct waits {
	struct net      *net;
	bool             stops;          /* net_stop() after a while; else the first child to end ends the others */
	bool             asked, napped;
	struct children  children;
	struct task      task[7];
	struct want      want[6];
	struct one_wait  wait[6];
	enum came        came;
};

static enum want_kind nap_step(void *self, struct want *w, struct error *err)
{
	struct waits *a = self;

	(void)err;
	if (!a->napped) {
		a->napped = true;
		return want_time(w, 40);
	}
	if (a->stops)
		net_stop(a->net);
	return WANT_NOTHING;
}

static enum want_kind waits_step(void *self, struct want *w, struct error *err)
{
	struct waits *a = self;

	(void)err;
	if (a->asked) {
		a->came = want_came(w);
		return WANT_NOTHING;
	}
	a->asked = true;
	children_init(&a->children, a->stops ? UNTIL_ALL : UNTIL_ONE);
	for (size_t i = 0; i < COUNT(a->want); i++) {
		a->wait[i].ask = &a->want[i];
		children_add(&a->children, &a->task[i], one_wait_step, &a->wait[i], 0);
	}
	children_add(&a->children, &a->task[6], nap_step, a, 0);
	return want_children(w, &a->children, 5000);
}

TEST(every_kind_of_wait_can_be_ended_from_above)
{
	static const char query[] = "\0\0\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1";
	static char       much[4 * 1024 * 1024];

	for (int stops = 0; stops < 2; stops++) {
		struct net_settings   settings = { .resolver_count = 1, .resolver[0].address = loopback(4) };
		struct connect_answer tried = { .tried = { { .address = literal("127.0.0.2") } }, .count = 1 };
		struct tls_answer     tls;
		struct dns_answer     dns = { 0 };
		struct http_answer    http = { 0 };
		struct http_request   request = { .method = "GET", .host = "a.example", .address = loopback(4) };
		struct waits          a = { .stops = stops };
		struct task           t = { .step = waits_step, .self = &a };
		struct line           unconnected, reads, writes, shakes;
		struct silent         nobody;
		struct peer           mute;
		uint16_t              port = dead_port(), dns_port = 0;
		int                   dns_fd = bound(4, SOCK_DGRAM, &dns_port);
		char                  url[60];

		settings.resolver[0].port = dns_port;
		EXPECT(silent_start(&nobody, literal("127.0.0.2"), port));
		peer_start(&mute, NULL, NULL);
		a.net = net_with(settings);
		line_init(&unconnected, 1000, 1000);
		line_init(&reads, 1000, 1000);
		line_init(&writes, 1000, sizeof much);
		line_init(&shakes, 1000, 1000);
		EXPECT(connect_to(a.net, &reads, mute.port) == CAME && connect_to(a.net, &writes, mute.port) == CAME
		       && connect_to(a.net, &shakes, mute.port) == CAME);
		EXPECT(buffer_add(&writes.out, slice(much, sizeof much)));
		snprintf(url, sizeof url, "https://a.example:%u/", mute.port);
		request.url = url;
		request.port = mute.port;
		want_connect(&a.want[0], &unconnected, "a.example", port, &tried, 5000);
		want_read(&a.want[1], &reads, 5000);
		want_write(&a.want[2], &writes, 5000);
		want_tls(&a.want[3], &shakes, "a.example", TLS_FULL, &tls, 5000);
		want_dns(&a.want[4], slice(query, sizeof query - 1), &dns, 5000);
		want_http(&a.want[5], &request, &http, 5000);
		EXPECT(net_run(a.net, &t));
		EXPECT(a.came == (stops ? CAME_CANCELLED : CAME));
		for (size_t i = 0; i < COUNT(a.want); i++) {
			EXPECT(a.task[i].state == (stops ? TASK_DONE : TASK_CANCELLED));
			EXPECT(!stops || a.wait[i].came == CAME_CANCELLED);
		}
		EXPECT(!unconnected.open && reads.open && writes.open && !shakes.open && !tls.shook
			&& http.status == 0);
		line_release(&unconnected);
		line_release(&reads);
		line_release(&writes);
		line_release(&shakes);
		buffer_release(&dns.reply);
		buffer_release(&http.head);
		buffer_release(&http.body);
		net_free(a.net);
		silent_stop(&nobody);
		peer_stop(&mute);
		close(dns_fd);
	}
}
