#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/loop.h"

#define CONNECT_STAGGER_MS 250     /* RFC 8305 §5, "Connection Attempt Delay" */

socklen_t address_to_socket(const struct address *a, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in  v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	*out = (struct sockaddr_storage){ 0 };
	if (a->family == 4) {
		memcpy(&v4.sin_addr, a->bytes, 4);
		memcpy(out, &v4, sizeof v4);
		return sizeof v4;
	}
	memcpy(&v6.sin6_addr, a->bytes, 16);
	memcpy(out, &v6, sizeof v6);
	return sizeof v6;
}

struct address address_of_socket(const struct sockaddr_storage *from)
{
	const struct sockaddr_in  *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	struct address             a = { 0 };

	if (from->ss_family == AF_INET) {
		a.family = 4;
		memcpy(a.bytes, &v4->sin_addr, 4);
	} else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		a.family = 4;
		memcpy(a.bytes, v6->sin6_addr.s6_addr + 12, 4);
	} else if (from->ss_family == AF_INET6) {
		a.family = 6;
		memcpy(a.bytes, &v6->sin6_addr, 16);
	}
	return a;
}

enum came came_of_errno(int error)
{
	switch (error) {
	case 0:             return CAME;
	case ECONNREFUSED:  return CAME_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:         return CAME_RESET;
	case ETIMEDOUT:     return CAME_TIMEOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EACCES:        /* "prohibited": what a router's or our own packet filter answers */
	case EPERM:         return CAME_UNREACHABLE;
	default:            return CAME_FAILED;
	}
}

int net_dial(const struct address *a, uint16_t port, int type, enum came *came)
{
	struct sockaddr_storage to;
	socklen_t               len = address_to_socket(a, port, &to);
	int                     one = 1;
	int                     fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		*came = came_of_errno(errno);
		return -1;
	}
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&to, len) == 0) {
		*came = CAME;
	} else if (errno == EINPROGRESS) {
		*came = CAME_NOTHING;
	} else {
		*came = came_of_errno(errno);
		close(fd);
		return -1;
	}
	return fd;
}

enum came net_dialled(int fd)
{
	int       error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return came_of_errno(error);
}

/* -- several at once ---------------------------------------------------------------------------------------------- */

struct attempt {
	struct connecting *of;
	int                fd;
	int64_t            began_ms;
	struct event      *event;       /* not NULL: under way */
};

struct connecting {
	struct wait      wait;
	struct net      *net;
	struct line     *line;
	struct connect_answer *answer;
	uint16_t         port, named_port;
	bool             own_word;      /* --connect-to: the operator said so, no policy applies */
	struct attempt   attempt[CONNECT_ADDRESSES];
	size_t           order[CONNECT_ADDRESSES], next;
	struct event    *stagger;
};

/* RFC 8305 §4: the families take turns, the family of the best address first. */
static void interleave(struct connecting *c)
{
	const struct connect_answer *a = c->answer;
	bool    taken[CONNECT_ADDRESSES] = { false };
	uint8_t wanted = a->count ? a->tried[0].address.family : 0;

	for (size_t n = 0; n < a->count; n++) {
		size_t pick = a->count;

		for (size_t i = 0; i < a->count; i++) {
			bool better = pick == a->count
				|| (a->tried[pick].address.family != wanted && a->tried[i].address.family == wanted);

			if (!taken[i] && better)
				pick = i;
		}
		taken[pick] = true;
		c->order[n] = pick;
		wanted = a->tried[pick].address.family == 4 ? 6 : 4;
	}
}

static void note(struct connecting *c, size_t i, enum came came)
{
	c->answer->tried[i].came = came;
	c->answer->tried[i].ms = (int)(net_now_ms(c->net) - c->attempt[i].began_ms);
}

static void attempt_over(struct attempt *a)
{
	if (!a->event)
		return;
	event_free(a->event);
	a->event = NULL;
	if (a->fd >= 0)
		close(a->fd);
}

static void connecting_free(struct connecting *c)
{
	for (size_t i = 0; i < CONNECT_ADDRESSES; i++)
		attempt_over(&c->attempt[i]);
	event_free(c->stagger);
	free(c);
}

/* When all failed: what says most about the other side. A forbidden address says nothing of it. */
static enum came most_telling(const struct connect_answer *a)
{
	static const enum came order[] = {
		CAME_REFUSED, CAME_RESET, CAME_TIMEOUT, CAME_UNREACHABLE, CAME_FAILED, CAME_NOT_ALLOWED,
	};

	for (size_t k = 0; k < COUNT(order); k++)
		for (size_t i = 0; i < a->count; i++)
			if (a->tried[i].came == order[k])
				return order[k];
	return CAME_FAILED;
}

static enum came connect_stop(struct wait *w, enum came came)
{
	struct connecting *c = (struct connecting *)w;

	if (came == CAME_TIMEOUT) {
		for (size_t i = 0; i < CONNECT_ADDRESSES; i++)
			if (c->attempt[i].event)
				note(c, i, CAME_TIMEOUT);
		came = most_telling(c->answer);
		if (came == CAME_NOT_ALLOWED || came == CAME_FAILED)
			came = CAME_TIMEOUT;
	}
	connecting_free(c);
	return came;
}

static void connected(struct connecting *c, size_t i, int fd)
{
	struct runner *r = c->wait.runner;

	note(c, i, CAME);
	c->answer->chosen = i;
	stream_open(c->net, c->line, fd, c->named_port);
	connecting_free(c);
	runner_answer(r, CAME);
}

static void go_on(struct connecting *);

static void attempt_event(evutil_socket_t fd, short what, void *self)
{
	struct attempt    *a = self;
	struct connecting *c = a->of;
	size_t             i = (size_t)(a - c->attempt);
	enum came          came = net_dialled(fd);

	(void)what;
	if (came == CAME) {
		a->fd = -1;                   /* belongs to the stream from here on */
		return connected(c, i, fd);
	}
	note(c, i, came);
	attempt_over(a);
	go_on(c);
}

static void head_start_over(evutil_socket_t fd, short what, void *self)
{
	(void)fd, (void)what;
	go_on(self);
}

/* The outcome, or CAME_NOTHING when it is under way. */
static enum came attempt_begin(struct connecting *c, size_t i)
{
	struct attempt       *a = &c->attempt[i];
	const struct address *to = &c->answer->tried[i].address;
	enum came             came;

	a->of = c;
	a->began_ms = net_now_ms(c->net);
	if (to->family != 4 && to->family != 6)
		return CAME_FAILED;
	if (!c->own_word && !net_allows(c->net, to))
		return CAME_NOT_ALLOWED;
	a->fd = net_dial(to, c->port, SOCK_STREAM, &came);
	if (came == CAME_NOTHING) {
		a->event = event_new(c->net->base, a->fd, EV_WRITE, attempt_event, a);
		event_add(a->event, NULL);
	}
	return came;
}

/* Begin the next one; when there is none left and none under way, it is over. */
static void go_on(struct connecting *c)
{
	struct runner *r = c->wait.runner;
	enum came      came;

	while (c->next < c->answer->count) {
		size_t i = c->order[c->next++];

		came = attempt_begin(c, i);
		if (came == CAME)
			return connected(c, i, c->attempt[i].fd);
		if (came == CAME_NOTHING) {
			if (c->next < c->answer->count)
				net_alarm(c->stagger, CONNECT_STAGGER_MS);
			return;
		}
		note(c, i, came);
	}
	for (size_t i = 0; i < c->answer->count; i++)
		if (c->attempt[i].event)
			return;
	came = most_telling(c->answer);
	connecting_free(c);
	runner_answer(r, came);
}

void connect_begin(struct runner *r)
{
	const struct net_place *place = net_place_of(r->net, r->want.host, r->want.port);
	struct connect_answer  *answer = r->want.connect;
	struct connecting      *c = must_alloc(sizeof *c);

	if (place) {
		answer->count = 1;
		answer->tried[0].address = place->address;
	}
	if (answer->count > CONNECT_ADDRESSES)
		answer->count = CONNECT_ADDRESSES;
	for (size_t i = 0; i < answer->count; i++)
		answer->tried[i] = (struct connect_try){ .address = answer->tried[i].address, .came = CAME_NOTHING };
	answer->chosen = 0;
	line_close(r->want.line);
	c->net = r->net;
	c->line = r->want.line;
	c->answer = answer;
	c->port = place ? place->to_port : r->want.port;
	c->named_port = r->want.port;
	c->own_word = place != NULL;
	c->stagger = evtimer_new(r->net->base, head_start_over, c);
	interleave(c);
	runner_waits_for(r, &c->wait, connect_stop);
	go_on(c);
}
