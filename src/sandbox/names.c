#include "sandbox/names.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/arena.h"

#define HEAD       12
#define LONGEST    2048
#define TTL        5
#define PATIENCE_S 2           /* with somebody who calls by TCP */
#define PORT_TRIES 20

struct row {
	const char *name, *value;
	uint16_t    type, priority, port;
	enum names_special special;
};

struct names {
	struct row rows[NAMES_RECORDS];
	size_t     count;
	int        udp, tcp, stop[2];
	pthread_t  thread;
	bool       started;
};

struct names *names_new(void)
{
	struct names *n = must_alloc(sizeof *n);

	n->udp = n->tcp = n->stop[0] = n->stop[1] = -1;
	return n;
}

void names_add(struct names *n, const char *name, enum record type, const char *value, uint16_t priority, uint16_t port)
{
	if (n->count < NAMES_RECORDS)
		n->rows[n->count++] = (struct row){ name, value, (uint16_t)type, priority, port, NAMES_USUAL };
}

void names_special(struct names *n, const char *name, enum names_special special)
{
	if (n->count < NAMES_RECORDS)
		n->rows[n->count++] = (struct row){ .name = name, .special = special };
}

/* -- one question ------------------------------------------------------------------------------------------------- */

struct question {
	char     name[256];
	uint16_t type;
	size_t   end;              /* of it in the query */
};

static uint16_t two_at(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* No compression: a question needs none. */
static bool question_read(struct slice query, struct question *q)
{
	const unsigned char *bytes = (const unsigned char *)query.at;
	size_t at = HEAD, len = 0;

	if (query.len < HEAD || two_at(bytes + 4) != 1 || bytes[2] & 0x80)
		return false;
	while (at < query.len && bytes[at]) {
		size_t label = bytes[at++];

		if (label > 63 || label > query.len - at || len + label + 1 >= sizeof q->name)
			return false;
		if (len)
			q->name[len++] = '.';
		for (size_t i = 0; i < label; i++)
			q->name[len++] = bytes[at + i] ? (char)bytes[at + i] : '?';
		at += label;
	}
	q->name[len] = '\0';
	if (at + 5 > query.len)
		return false;
	q->type = two_at(bytes + at + 1);
	q->end = at + 5;
	return true;
}

/* -- its answer --------------------------------------------------------------------------------------------------- */

struct writing {
	unsigned char *out;
	size_t         len, room;
	bool           full;
};

static void put(struct writing *w, const void *bytes, size_t len)
{
	if (w->full || len > w->room - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, bytes, len);
	w->len += len;
}

static void put_number(struct writing *w, uint32_t n, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;)
		put(w, &(unsigned char){ (unsigned char)(n >> 8 * i) }, 1);
}

static void put_name(struct writing *w, const char *name)
{
	struct slice rest = slice_str(name);

	while (rest.len) {
		struct slice label = slice_cut(&rest, '.');

		if (label.len > 63)
			label.len = 63;
		put_number(w, (uint32_t)label.len, 1);
		put(w, label.at, label.len);
	}
	put_number(w, 0, 1);
}

static void put_value(struct writing *w, const struct row *r)
{
	struct in_addr a;
	size_t         len = strlen(r->value);

	switch (r->type) {
	case RECORD_A:
		inet_pton(AF_INET, r->value, &a);
		put(w, &a, sizeof a);
		return;
	case RECORD_TXT:
		put_number(w, (uint32_t)(len > 255 ? 255 : len), 1);
		put(w, r->value, len > 255 ? 255 : len);
		return;
	case RECORD_SRV:
		put_number(w, r->priority, 2);
		put_number(w, 0, 2);
		put_number(w, r->port, 2);
		break;
	case RECORD_MX:
		put_number(w, r->priority, 2);
		break;
	default:
		break;
	}
	put_name(w, r->value);
}

static void put_record(struct writing *w, const struct row *r)
{
	size_t length_at;

	put_name(w, r->name);
	put_number(w, r->type, 2);
	put_number(w, 1, 2);
	put_number(w, TTL, 4);
	length_at = w->len;
	put_number(w, 0, 2);
	put_value(w, r);
	if (!w->full) {
		w->out[length_at] = (unsigned char)((w->len - length_at - 2) >> 8);
		w->out[length_at + 1] = (unsigned char)(w->len - length_at - 2);
	}
}

/* Of that name and type; a name that stands for another is followed. */
static unsigned put_all(struct writing *w, const struct names *n, const char *name, uint16_t type, int depth)
{
	unsigned count = 0;

	for (size_t i = 0; i < n->count; i++) {
		const struct row *r = &n->rows[i];

		if (!r->value || strcasecmp(r->name, name) != 0 || (r->type != type && r->type != RECORD_CNAME))
			continue;
		put_record(w, r);
		count++;
		if (r->type != type && depth > 0)
			count += put_all(w, n, r->value, type, depth - 1);
	}
	return count;
}

static enum names_special special_of(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->rows[i].special && strcasecmp(n->rows[i].name, name) == 0)
			return n->rows[i].special;
	return NAMES_USUAL;
}

/* It, or something below it. */
static bool exists(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++) {
		size_t all = strlen(n->rows[i].name), len = strlen(name);

		if (all < len || strcasecmp(n->rows[i].name + all - len, name) != 0)
			continue;
		if (all == len || n->rows[i].name[all - len - 1] == '.')
			return true;
	}
	return false;
}

/* What stands for every name that is not there. */
static unsigned put_any(struct writing *w, const struct names *n, const char *name, uint16_t type)
{
	for (size_t i = 0; i < n->count; i++) {
		struct row r = n->rows[i];

		if (strcmp(r.name, NAMES_ANY) != 0 || r.type != type)
			continue;
		r.name = name;
		put_record(w, &r);
		return 1;
	}
	return 0;
}

enum { CODE_FINE = 0, CODE_FAILED = 2, CODE_NO_SUCH_NAME = 3 };

size_t names_answer(const struct names *n, struct slice query, size_t longest, unsigned char *out, size_t room)
{
	struct question q;
	struct writing  w = { .out = out, .room = longest < room ? longest : room };
	unsigned        count, code = CODE_FINE;
	size_t          head_end;

	if (!question_read(query, &q) || q.end > w.room || special_of(n, q.name) == NAMES_SILENT)
		return 0;
	put(&w, query.at, q.end);
	head_end = w.len;
	count = put_all(&w, n, q.name, q.type, 4);
	if (count == 0 && !exists(n, q.name))
		count = put_any(&w, n, q.name, q.type);
	if (special_of(n, q.name) == NAMES_FAILS)
		code = CODE_FAILED;
	else if (count == 0 && !exists(n, q.name))
		code = CODE_NO_SUCH_NAME;
	if (code != CODE_FINE || w.full) {
		w.len = head_end;
		count = 0;
	}
	out[2] = (unsigned char)(0x84 | (out[2] & 0x01) | (w.full ? 0x02 : 0));      /* an answer, by who knows; cut? */
	out[3] = (unsigned char)(0x80 | code);
	memset(out + 6, 0, 6);
	out[7] = (unsigned char)count;
	return w.len;
}

/* -- sockets ------------------------------------------------------------------------------------------------------ */

static void answer_udp(struct names *n)
{
	struct sockaddr_in from;
	socklen_t     len = sizeof from;
	unsigned char query[LONGEST], reply[LONGEST];
	ssize_t       got = recvfrom(n->udp, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	size_t        made = got > 0 ? names_answer(n, slice((char *)query, (size_t)got), 512, reply, sizeof reply) : 0;

	if (made)
		sendto(n->udp, reply, made, MSG_NOSIGNAL, (struct sockaddr *)&from, len);
}

static bool read_all(int fd, unsigned char *at, size_t len)
{
	while (len) {
		ssize_t got = recv(fd, at, len, 0);

		if (got <= 0)
			return false;
		at += got, len -= (size_t)got;
	}
	return true;
}

static void answer_tcp(struct names *n)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	unsigned char  query[LONGEST], reply[2 + LONGEST];
	int            fd = accept4(n->tcp, NULL, NULL, SOCK_CLOEXEC);
	size_t         len, made = 0;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (read_all(fd, query, 2) && (len = two_at(query)) <= sizeof query && read_all(fd, query, len))
		made = names_answer(n, slice((char *)query, len), LONGEST, reply + 2, LONGEST);
	reply[0] = (unsigned char)(made >> 8), reply[1] = (unsigned char)made;
	if (made)
		send(fd, reply, made + 2, MSG_NOSIGNAL);
	close(fd);
}

static void *answer_all(void *self)
{
	struct names *n = self;
	struct pollfd on[] = {
		{ .fd = n->stop[0], .events = POLLIN }, { .fd = n->udp, .events = POLLIN }, { .fd = n->tcp, .events = POLLIN },
	};

	for (;;) {
		if (poll(on, COUNT(on), -1) < 0 && errno != EINTR)
			return NULL;
		if (on[0].revents)
			return NULL;
		if (on[1].revents)
			answer_udp(n);
		if (on[2].revents)
			answer_tcp(n);
	}
}

static void close_both(struct names *n)
{
	if (n->udp >= 0)
		close(n->udp);
	if (n->tcp >= 0)
		close(n->tcp);
	n->udp = n->tcp = -1;
}

/* The same number for both; which is free for UDP may be taken for TCP. */
static bool bind_both(struct names *n, struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;

	n->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(n->udp, (struct sockaddr *)at, sizeof *at) == 0 && getsockname(n->udp, (struct sockaddr *)at, &len) == 0 &&
	    bind(n->tcp, (struct sockaddr *)at, sizeof *at) == 0 && listen(n->tcp, 16) == 0)
		return true;
	close_both(n);
	return false;
}

bool names_start(struct names *n, const char *address, uint16_t *port, struct error *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	for (int tries = 0; n->udp < 0 && tries < PORT_TRIES; tries++) {
		at.sin_port = 0;
		inet_pton(AF_INET, address, &at.sin_addr);
		bind_both(n, &at);
	}
	if (n->udp < 0 || pipe(n->stop) != 0 || pthread_create(&n->thread, NULL, answer_all, n) != 0)
		return fail(err, FAULT_LOCAL, "the name server finds no port on %s: %s", address, strerror(errno));
	n->started = true;
	*port = ntohs(at.sin_port);
	return true;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	if (n->started) {
		close(n->stop[1]);
		pthread_join(n->thread, NULL);
		close(n->stop[0]);
	}
	close_both(n);
	free(n);
}
