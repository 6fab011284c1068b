/* One question to a name server: over UDP, and over TCP when the answer does not fit. What the message says is none of
 * our business here, only that it is the answer to this question. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/loop.h"

#define DNS_HEAD    12
#define DNS_MOST    65535
#define SENDS_MOST  (3 + NET_RESOLVERS)      /* at 0, 1 and 3 s; and each that refuses is followed by another */

struct sending {
	struct asking *of;
	size_t         resolver;
	uint8_t        id[2];
	int            fd;
	struct event  *event;         /* not NULL: an answer may still come */
};

struct asking {
	struct wait        wait;
	struct net        *net;
	struct dns_answer *answer;
	uint8_t           *query;      /* two bytes of length for TCP, then the message */
	size_t             query_len, question_len;
	struct sending     sending[SENDS_MOST];
	size_t             sends, repeats, next;
	bool               down[NET_RESOLVERS];
	enum came          last_failure;
	struct event      *again;
	/* TCP */
	size_t             sent;
	uint8_t           *heard;      /* DNS_MOST + 2, once TCP is used */
	size_t             heard_len;
};

size_t resolvers_read(const char *path, struct net_resolver out[NET_RESOLVERS])
{
	FILE  *file = fopen(path, "re");
	char   line[512];
	size_t count = 0;

	while (file && count < NET_RESOLVERS && fgets(line, sizeof line, file)) {
		struct slice rest = slice_trim(slice_str(line));
		char         text[ADDRESS_TEXT];

		if (!slice_starts(rest, "nameserver") || rest.len < 11 || (rest.at[10] != ' ' && rest.at[10] != '\t'))
			continue;
		rest = slice_trim(slice_from(rest, 10));
		rest = slice_upto(rest, slice_find(rest, ' '));
		rest = slice_upto(rest, slice_find(rest, '\t'));
		rest = slice_upto(rest, slice_find(rest, '%'));
		snprintf(text, sizeof text, "%.*s", (int)rest.len, rest.at);
		if (address_parse(text, &out[count].address))
			out[count++].port = 53;
	}
	if (file)
		fclose(file);
	if (count == 0 && address_parse("127.0.0.1", &out[0].address))      /* resolv.conf(5) */
		out[count++].port = 53;
	return count;
}

static const struct net_resolver *resolver(struct asking *a, size_t i)
{
	return &a->net->settings.resolver[i];
}

/* The bytes of the only question from offset 12, QTYPE and QCLASS with it; 0 when there is no such thing. */
static size_t question_length(const uint8_t *message, size_t len)
{
	size_t at = DNS_HEAD;

	while (at < len && message[at] > 0 && message[at] < 64)
		at += message[at] + 1u;
	if (len < DNS_HEAD || at >= len || message[at] != 0 || at + 5 > len)
		return 0;
	return at + 5 - DNS_HEAD;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* RFC 5452 §9: id, question and the sender (the socket is connected) must match; anything else is not for us. */
static bool is_answer(const struct asking *a, const uint8_t id[2], const uint8_t *reply, size_t len)
{
	const uint8_t *query = a->query + 2;
	size_t         name = a->question_len - 4;

	if (len < DNS_HEAD + a->question_len || memcmp(reply, id, 2) != 0)
		return false;
	if (!(reply[2] & 0x80) || reply[4] != 0 || reply[5] != 1)      /* QR, QDCOUNT */
		return false;
	for (size_t i = DNS_HEAD; i < DNS_HEAD + name; i++)
		if (lower(reply[i]) != lower(query[i]))
			return false;
	return memcmp(reply + DNS_HEAD + name, query + DNS_HEAD + name, 4) == 0;
}

static void sending_over(struct sending *s)
{
	if (!s->event)
		return;
	event_free(s->event);
	close(s->fd);
	s->event = NULL;
}

static enum came dns_stop(struct wait *w, enum came came)
{
	struct asking *a = (struct asking *)w;

	for (size_t i = 0; i < a->sends; i++)
		sending_over(&a->sending[i]);
	event_free(a->again);
	free(a->query);
	free(a->heard);
	free(a);
	return came;
}

static void over(struct asking *a, enum came came)
{
	struct runner *r = a->wait.runner;

	dns_stop(&a->wait, came);
	runner_answer(r, came);
}

static void name_the_server(struct asking *a, size_t i)
{
	const struct net_resolver *to = resolver(a, i);
	char                       text[ADDRESS_TEXT];

	address_text(&to->address, text);
	if (to->port == 53)
		snprintf(a->answer->server, sizeof a->answer->server, "%s", text);
	else
		snprintf(a->answer->server, sizeof a->answer->server,
		         to->address.family == 6 ? "[%s]:%u" : "%s:%u", text, to->port);
}

static void reply_came(struct asking *a, size_t from, const uint8_t *reply, size_t len)
{
	name_the_server(a, from);
	over(a, buffer_add(&a->answer->reply, slice((const char *)reply, len)) ? CAME : CAME_FULL);
}

static void new_id(struct asking *a, struct sending *s)
{
	/* getrandom() of so little does not fail, and does not wait either once the machine is up */
	if (getrandom(s->id, sizeof s->id, 0) != (ssize_t)sizeof s->id)
		abort();
	memcpy(a->query + 2, s->id, 2);
}

/* -- TCP (RFC 7766) ----------------------------------------------------------------------------------------------- */

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void tcp_watch(struct sending *s, short what);

static void tcp_say(struct sending *s)
{
	struct asking *a = s->of;
	ssize_t        n = send(s->fd, a->query + a->sent, a->query_len + 2 - a->sent, MSG_NOSIGNAL);

	if (n < 0 && !would_block())
		return over(a, came_of_errno(errno));
	a->sent += n > 0 ? (size_t)n : 0;
	tcp_watch(s, a->sent < a->query_len + 2 ? EV_WRITE : EV_READ);
}

static void tcp_hear(struct sending *s)
{
	struct asking *a = s->of;
	size_t         whole = a->heard_len < 2 ? 2 : 2 + ((size_t)a->heard[0] << 8 | a->heard[1]);
	ssize_t        n = recv(s->fd, a->heard + a->heard_len, whole - a->heard_len, 0);

	if (n == 0)
		return over(a, CAME_END);
	if (n < 0 && !would_block())
		return over(a, came_of_errno(errno));
	a->heard_len += n > 0 ? (size_t)n : 0;
	if (a->heard_len < 2)
		return tcp_watch(s, EV_READ);
	whole = 2 + ((size_t)a->heard[0] << 8 | a->heard[1]);
	if (a->heard_len < whole)
		return tcp_watch(s, EV_READ);
	if (!is_answer(a, s->id, a->heard + 2, a->heard_len - 2))
		return over(a, CAME_FAILED);
	reply_came(a, s->resolver, a->heard + 2, a->heard_len - 2);
}

static void tcp_event(evutil_socket_t fd, short what, void *self)
{
	struct sending *s = self;
	enum came       came = s->of->sent ? CAME : net_dialled(fd);

	if (came != CAME)
		return over(s->of, came);
	if (what & EV_WRITE)
		tcp_say(s);
	else
		tcp_hear(s);
}

static void tcp_watch(struct sending *s, short what)
{
	event_del(s->event);
	event_assign(s->event, s->of->net->base, s->fd, what, tcp_event, s);
	event_add(s->event, NULL);
}

/* The answer was cut: ask the same server again where it need not be. */
static void ask_by_tcp(struct asking *a, size_t i)
{
	struct sending            *s = &a->sending[0];
	const struct net_resolver *to = resolver(a, i);
	enum came                  came;

	for (size_t k = 0; k < a->sends; k++)
		sending_over(&a->sending[k]);
	evtimer_del(a->again);
	a->sends = 1;
	a->answer->by_tcp = true;
	name_the_server(a, i);
	*s = (struct sending){ .of = a, .resolver = i };
	s->fd = net_dial(&to->address, to->port, SOCK_STREAM, &came);
	if (s->fd < 0)
		return over(a, came);
	new_id(a, s);
	a->heard = must_alloc(DNS_MOST + 2);
	s->event = event_new(a->net->base, s->fd, EV_WRITE, tcp_event, s);
	event_add(s->event, NULL);
}

/* -- UDP ---------------------------------------------------------------------------------------------------------- */

static void ask_next(struct asking *a);

static void server_is_down(struct asking *a, struct sending *s, enum came came)
{
	a->last_failure = came;
	a->down[s->resolver] = true;
	sending_over(s);
	for (size_t i = 0; i < a->sends; i++)      /* what went there before is not answered either */
		if (a->sending[i].resolver == s->resolver)
			sending_over(&a->sending[i]);
	ask_next(a);
}

static void udp_event(evutil_socket_t fd, short what, void *self)
{
	struct sending *s = self;
	struct asking  *a = s->of;
	uint8_t         reply[DNS_MOST];
	ssize_t         n = recv(fd, reply, sizeof reply, 0);

	(void)what;
	if (n < 0 && !would_block())
		return server_is_down(a, s, came_of_errno(errno));
	if (n < 0 || !is_answer(a, s->id, reply, (size_t)n))
		return;
	if (reply[2] & 0x02)
		return ask_by_tcp(a, s->resolver);
	reply_came(a, s->resolver, reply, (size_t)n);
}

static bool send_to(struct asking *a, size_t i)
{
	struct sending            *s = &a->sending[a->sends++];
	const struct net_resolver *to = resolver(a, i);
	enum came                  came;

	*s = (struct sending){ .of = a, .resolver = i };
	name_the_server(a, i);
	new_id(a, s);
	s->fd = net_dial(&to->address, to->port, SOCK_DGRAM, &came);
	if (s->fd >= 0 && send(s->fd, a->query + 2, a->query_len, MSG_NOSIGNAL) < 0) {
		came = came_of_errno(errno);
		close(s->fd);
		s->fd = -1;
	}
	if (s->fd < 0) {
		a->last_failure = came;
		a->down[i] = true;
		return false;
	}
	s->event = event_new(a->net->base, s->fd, EV_READ | EV_PERSIST, udp_event, s);
	event_add(s->event, NULL);
	return true;
}

/* The next server of the round that is not known to be down. */
static void ask_next(struct asking *a)
{
	size_t count = a->net->settings.resolver_count;

	for (size_t tried = 0; tried < count && a->sends < SENDS_MOST; tried++) {
		size_t i = a->next++ % count;

		if (!a->down[i] && send_to(a, i))
			return;
	}
	for (size_t i = 0; i < a->sends; i++)
		if (a->sending[i].event)
			return;
	over(a, a->last_failure);
}

static void ask_again(evutil_socket_t fd, short what, void *self)
{
	struct asking *a = self;

	(void)fd, (void)what;
	if (++a->repeats == 1)
		net_alarm(a->again, 2000);
	ask_next(a);
}

static void know_resolvers(struct net *n)
{
	if (!n->resolvers_known)
		n->settings.resolver_count = resolvers_read("/etc/resolv.conf", n->settings.resolver);
	n->resolvers_known = true;
}

void dns_begin(struct runner *r)
{
	struct slice       query = r->want.query;
	struct dns_answer *answer = r->want.dns;
	size_t             question = query.len <= DNS_MOST ? question_length((const uint8_t *)query.at, query.len) : 0;
	struct asking     *a;

	if (!answer->reply.bytes)
		buffer_init(&answer->reply, DNS_MOST);
	answer->reply.limit = DNS_MOST;
	buffer_clear(&answer->reply);
	answer->by_tcp = false;
	answer->server[0] = '\0';
	if (question == 0)
		return runner_answer(r, CAME_FAILED);
	know_resolvers(r->net);
	a = must_alloc(sizeof *a);
	a->net = r->net;
	a->answer = answer;
	a->query_len = query.len;
	a->question_len = question;
	a->query = must_alloc(query.len + 2);
	a->query[0] = (uint8_t)(query.len >> 8);
	a->query[1] = (uint8_t)query.len;
	memcpy(a->query + 2, query.at, query.len);
	a->last_failure = CAME_FAILED;
	a->again = evtimer_new(r->net->base, ask_again, a);
	runner_waits_for(r, &a->wait, dns_stop);
	net_alarm(a->again, 1000);
	ask_next(a);
}
