#include "peer.h"

#include <ctype.h>
#include <netinet/tcp.h>

/* "example.org" with a capital here and there, type 65, class 1. */
static const char question[] = "\0\0\1\0\0\1\0\0\0\0\0\0\7exAmple\3orG\0\0\101\0\1";

#define QUESTION slice(question, sizeof question - 1)

enum trick {
	HONEST, LOWER, SILENT, SILENT_ONCE, SILENT_TWICE, WRONG_ID, WRONG_NAME, WRONG_TYPE, NO_QUESTION, ECHO, SHORT,
		LIES_FIRST,
	CUT, CUT_LIES, CUT_SHORT, CUT_SLOW,
};

/* One name server, UDP and TCP on one port. */
struct server {
	enum trick   trick;
	int          udp, tcp, seen;
	uint8_t      ids[8][2];
	uint16_t     ports[8], port;
	pthread_t    thread;
	struct peer  by_tcp;
};

static size_t answer(const struct server *s, enum trick trick, uint8_t *m, size_t len)
{
	(void)s;
	if (trick == ECHO)
		return len;
	m[2] |= 0x80;
	if (trick == WRONG_ID)
		m[1] ^= 1;
	if (trick == WRONG_NAME)
		m[14] = 'y';
	if (trick == WRONG_TYPE)
		m[len - 3] ^= 0x20;        /* 65 and 97 differ as 'A' and 'a' do */
	if (trick == NO_QUESTION) {
		m[5] = 0;
		return 12;
	}
	if (trick == SHORT)
		return 11;
	if (trick == CUT)
		m[2] |= 0x02;
	for (size_t i = 12; trick == LOWER && i < len - 5; i++)
		m[i] = (uint8_t)tolower(m[i]);
	memcpy(m + len, "answer", 6);
	return len + 6;
}

static void *serve_udp(void *self)
{
	struct server *s = self;
	uint8_t        m[600];

	for (;;) {
		struct sockaddr_in from;
		socklen_t          from_len = sizeof from;
		ssize_t            n = recvfrom(s->udp, m, 512, 0, (struct sockaddr *)&from, &from_len);
		size_t             len = (size_t)n;
		int                seen;

		if (n < 13)
			return NULL;
		seen = s->seen < 8 ? s->seen++ : 7;
		memcpy(s->ids[seen], m, 2);
		s->ports[seen] = ntohs(from.sin_port);
		if (s->trick == SILENT || (s->trick == SILENT_ONCE && seen < 1) || (s->trick == SILENT_TWICE
			&& seen < 2))
			continue;
		if (s->trick == LIES_FIRST) {
			uint8_t lie[600];

			for (enum trick t = WRONG_ID; t <= SHORT; t++) {
				memcpy(lie, m, len);
				sendto(s->udp, lie, answer(s, t, lie, len), 0, (struct sockaddr *)&from, from_len);
			}
		}
		len = answer(s, s->trick >= CUT ? CUT : s->trick == LIES_FIRST ? HONEST : s->trick, m, len);
		sendto(s->udp, m, len, 0, (struct sockaddr *)&from, from_len);
	}
}

static void serve_by_tcp(int fd, void *self)
{
	struct server *s = self;
	uint8_t        m[602];
	size_t         len;
	int            one = 1;

	EXPECT(recv(fd, m, 2, MSG_WAITALL) == 2);
	len = (size_t)m[0] << 8 | m[1];
	EXPECT(len < 500 && recv(fd, m + 2, len, MSG_WAITALL) == (ssize_t)len);
	len = answer(s, s->trick == CUT_LIES ? WRONG_NAME : HONEST, m + 2, len);
	m[0] = (uint8_t)(len >> 8);
	m[1] = (uint8_t)len;
	if (s->trick == CUT_SLOW)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	for (size_t i = 0; s->trick == CUT_SLOW && i < 5; i++)
		say_all(fd, (char *)m + i, 1);
	if (s->trick == CUT_SLOW)
		say_all(fd, (char *)m + 5, len + 2 - 5);
	else
		say_all(fd, (char *)m, s->trick == CUT_SHORT ? 5 : len + 2);
}

static void server_start(struct server *s, enum trick trick)
{
	*s = (struct server){ .trick = trick };
	/* the two families of ports are apart: try until one number is free in both */
	for (int i = 0; i < 50; i++) {
		s->port = 0;
		s->udp = bound(4, SOCK_DGRAM, &s->port);
		if (peer_start_on(&s->by_tcp, 4, s->port, serve_by_tcp, s))
			break;
		close(s->udp);
	}
	EXPECT(s->by_tcp.fd >= 0);
	pthread_create(&s->thread, NULL, serve_udp, s);
}

static void server_stop(struct server *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(s->port) };
	int                fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sendto(fd, "end", 3, 0, (struct sockaddr *)&to, sizeof to);
	close(fd);
	pthread_join(s->thread, NULL);
	close(s->udp);
	peer_stop(&s->by_tcp);
}

static struct net *net_asking(size_t count, const uint16_t *ports)
{
	struct net_settings s = { .resolver_count = count };
	struct net         *n;

	for (size_t i = 0; i < count; i++)
		s.resolver[i] = (struct net_resolver){ loopback(4), ports[i] };
	n = net_new(&s, NULL);
	EXPECT(n != NULL);
	return n;
}

TEST(answers_and_what_only_looks_like_one)
{
	static const struct { const char *row; enum trick trick; enum came came; bool by_tcp; int asked; } rows[] = {
		{ "honest",         HONEST,       CAME,         false, 1 },
		{ "other case",     LOWER,        CAME,         false, 1 },
		{ "silent",         SILENT,       CAME_TIMEOUT, false, 1 },
		{ "wrong id",       WRONG_ID,     CAME_TIMEOUT, false, 1 },
		{ "wrong name",     WRONG_NAME,   CAME_TIMEOUT, false, 1 },
		{ "wrong type",     WRONG_TYPE,   CAME_TIMEOUT, false, 1 },
		{ "no question",    NO_QUESTION,  CAME_TIMEOUT, false, 1 },
		{ "the query back", ECHO,         CAME_TIMEOUT, false, 1 },
		{ "short",          SHORT,        CAME_TIMEOUT, false, 1 },
		{ "lies first",     LIES_FIRST,   CAME,         false, 1 },
		{ "cut",            CUT,          CAME,         true,  1 },
		{ "cut, slow",      CUT_SLOW,     CAME,         true,  1 },
		{ "cut, then lies", CUT_LIES,     CAME_FAILED,  true,  1 },
		{ "cut, then ends", CUT_SHORT,    CAME_END,     true,  1 },
		{ "asked again",    SILENT_ONCE,  CAME,         false, 2 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct server     s;
		struct dns_answer a = { 0 };
		struct net       *n;
		char              name[60];
		int64_t           before = ms_now();

		server_start(&s, rows[i].trick);
		n = net_asking(1, &s.port);
		EXPECT_ROW(WAIT_ONE(n, want_dns(w, QUESTION, &a,
			rows[i].came == CAME_TIMEOUT ? 100 : 5000)) == rows[i].came, rows[i].row);
		EXPECT_ROW(a.by_tcp == rows[i].by_tcp, rows[i].row);
		snprintf(name, sizeof name, "127.0.0.1:%u", s.port);
		EXPECT_TEXT(a.server, name);
		EXPECT_ROW(a.reply.limit == 65535, rows[i].row);
		if (rows[i].came == CAME)
			EXPECT_ROW(buffer_held(&a.reply).len == sizeof question - 1 + 6
				&& slice_ends(buffer_held(&a.reply), "answer"), rows[i].row);
		else
			EXPECT_ROW(buffer_held(&a.reply).len == 0, rows[i].row);
		if (rows[i].asked == 2)
			EXPECT_ROW(ms_now() - before >= 1000 && ms_now() - before < 1800, rows[i].row);
		buffer_release(&a.reply);
		net_free(n);
		server_stop(&s);
		EXPECT_ROW(s.seen == rows[i].asked, rows[i].row);
		if (rows[i].asked == 2)
			EXPECT_ROW(s.ports[0] != s.ports[1], rows[i].row);      /* a fresh socket */
	}
}

TEST(ids_are_not_guessable_from_one_another)
{
	struct server s;
	struct net   *n;
	int           same = 0;

	server_start(&s, HONEST);
	n = net_asking(1, &s.port);
	for (int i = 0; i < 8; i++) {
		struct dns_answer a = { 0 };

		EXPECT(WAIT_ONE(n, want_dns(w, QUESTION, &a, 5000)) == CAME);
		buffer_release(&a.reply);
	}
	net_free(n);
	server_stop(&s);
	for (int i = 1; i < 8; i++)
		same += memcmp(s.ids[i], s.ids[i - 1], 2) == 0;
	EXPECT(same < 2);
}

TEST(a_refusing_server_is_left_at_once)
{
	struct server     s;
	struct dns_answer a = { 0 };
	uint16_t          ports[3] = { dead_port() };
	struct net       *n;
	int64_t           before;

	server_start(&s, HONEST);
	ports[1] = s.port;
	n = net_asking(2, ports);
	before = ms_now();
	EXPECT(WAIT_ONE(n, want_dns(w, QUESTION, &a, 5000)) == CAME);
	EXPECT(ms_now() - before < 500);
	net_free(n);
	ports[1] = ports[0];
	n = net_asking(2, ports);
	EXPECT(WAIT_ONE(n, want_dns(w, QUESTION, &a, 5000)) == CAME_REFUSED);
	EXPECT(buffer_held(&a.reply).len == 0);      /* not the old one */
	net_free(n);
	buffer_release(&a.reply);
	server_stop(&s);
}

TEST(a_silent_server_is_followed_by_the_next)
{
	struct server     silent, honest;
	struct dns_answer a = { 0 };
	uint16_t          ports[2];
	struct net       *n;
	int64_t           before;
	char              name[60];

	server_start(&silent, SILENT);
	server_start(&honest, HONEST);
	ports[0] = silent.port;
	ports[1] = honest.port;
	n = net_asking(2, ports);
	before = ms_now();
	EXPECT(WAIT_ONE(n, want_dns(w, QUESTION, &a, 5000)) == CAME);
	EXPECT(ms_now() - before >= 1000 && ms_now() - before < 1500);
	snprintf(name, sizeof name, "127.0.0.1:%u", honest.port);
	EXPECT_TEXT(a.server, name);
	buffer_release(&a.reply);
	net_free(n);
	server_stop(&silent);
	server_stop(&honest);
}

TEST(asked_at_0_1_and_3_seconds_and_no_more)
{
	struct server     s;
	struct dns_answer a = { 0 };
	struct net       *n;
	int64_t           before = ms_now();

	server_start(&s, SILENT_TWICE);
	n = net_asking(1, &s.port);
	EXPECT(WAIT_ONE(n, want_dns(w, QUESTION, &a, 10000)) == CAME);
	EXPECT(ms_now() - before >= 3000 && ms_now() - before < 3800);
	buffer_release(&a.reply);
	net_free(n);
	server_stop(&s);
	EXPECT(s.seen == 3);
}

TEST(what_is_no_question_is_not_sent)
{
	static const struct { const char *bytes; size_t len; } bad[] = {
		{ "", 0 }, { "\0\0\1\0\0\1\0\0\0\0\0\0", 12 }, { "\0\0\1\0\0\1\0\0\0\0\0\0\7exam", 17 },
		{ "\0\0\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0", 18 }, { "\0\0\1\0\0\1\0\0\0\0\0\0\300\14\0\1\0\1", 18 },
	};
	uint16_t    port = dead_port();
	struct net *n = net_asking(1, &port);

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct dns_answer a = { 0 };

		EXPECT(WAIT_ONE(n, want_dns(w, slice(bad[i].bytes, bad[i].len), &a, 1000)) == CAME_FAILED);
		buffer_release(&a.reply);
	}
	net_free(n);
}

size_t resolvers_read(const char *path, struct net_resolver out[NET_RESOLVERS]);      /* of net/loop.h */

TEST(resolv_conf)
{
	static const struct { const char *text; size_t count; const char *address[4]; } rows[] = {
		{ "nameserver 192.0.2.1\n", 1, { "192.0.2.1" } },
		{ "# nameserver 192.0.2.9\nsearch a.example\n nameserver\t2001:db8::1 \n"
			"nameserver fe80::1%eth0 # here\n", 2, { "2001:db8::1", "fe80::1" } },
		{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
			"nameserver 192.0.2.4\nnameserver 192.0.2.5\n", 4,
			{ "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4" } },
		{ "nameservers 192.0.2.1\nnameserver example.org\nnameserver\noptions edns0", 1, { "127.0.0.1" } },
		{ "", 1, { "127.0.0.1" } },
	};
	struct net_resolver got[NET_RESOLVERS];
	char                text[ADDRESS_TEXT];

	for (size_t i = 0; i < COUNT(rows); i++) {
		char  path[] = "/tmp/mailmoor-test-XXXXXX";
		FILE *f = fdopen(mkstemp(path), "w");

		fputs(rows[i].text, f);
		fclose(f);
		EXPECT_ROW(resolvers_read(path, got) == rows[i].count, rows[i].text);
		unlink(path);
		for (size_t k = 0; k < rows[i].count; k++) {
			EXPECT_TEXT(address_text(&got[k].address, text), rows[i].address[k]);
			EXPECT_ROW(got[k].port == 53, rows[i].text);
		}
	}
	EXPECT(resolvers_read("/nonexistent/resolv.conf", got) == 1);
}
