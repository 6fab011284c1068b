/* receiver.h -- the other side of a webhook: an HTTP server on loopback in one thread, with as many kept connections as come. It remembers
 * what it heard, in order, and answers as it is told. */
#ifndef TESTS_SERVE_RECEIVER_H
#define TESTS_SERVE_RECEIVER_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

#define RECEIVER_LINES  64
#define RECEIVER_LONGEST 16384

struct heard_post {
	char *path, *id, *second, *signature, *type, *agent, *body;
	int   answered;      /* status */
};

struct receiver_answer {
	int         status;          /* 0: none … */
	bool        hang;            /*   and the line stays; otherwise it is closed */
	const char *headers;         /* each with its end; NULL */
	bool        flood;           /* a body without end      */
	int         delay_ms;
};

struct receiver_line { int fd; size_t len; char bytes[RECEIVER_LONGEST]; bool floods; };

struct receiver {
	int       fd, wake[2];
	uint16_t  port;
	char      url[80];
	/* on its thread, under the lock */
	void    (*answer)(struct receiver *, const struct heard_post *, struct receiver_answer *);
	void     *self;
	bool      forgets;               /* counts only */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t  more;
	struct heard_post *heard;
	size_t    count, room, open;
	_Atomic size_t connections, open_most;
	struct receiver_line *line[RECEIVER_LINES];
	bool      over;
};

static inline char *header_of(const char *head, const char *end, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strstr(head, "\r\n"); at && at < end; at = strstr(at + 2, "\r\n"))
		if (strncasecmp(at + 2, name, len) == 0 && at[2 + len] == ':') {
			const char *from = at + 3 + len + strspn(at + 3 + len, " ");

			return strndup(from, strcspn(from, "\r"));
		}
	return strdup("");
}

static inline void receiver_drop(struct receiver *r, size_t i)
{
	close(r->line[i]->fd);
	free(r->line[i]);
	r->line[i] = NULL;
	r->open--;
}

/* False: the line is to be closed. */
static inline bool receiver_say(struct receiver_line *l, const struct receiver_answer *a)
{
	char    text[600];
	ssize_t len;

	if (a->delay_ms)
		nanosleep(&(struct timespec){ a->delay_ms / 1000, a->delay_ms % 1000 * 1000000L }, NULL);
	if (a->status == 0)
		return a->hang;
	len = snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%sContent-Length: %s\r\n\r\n%s", a->status, a->headers ? a->headers : "",
	               a->flood ? "99999999999" : "2", a->flood ? "" : "ok");
	l->floods = a->flood;
	return send(l->fd, text, (size_t)len, MSG_NOSIGNAL) == len;
}

/* One whole request at the front of the line, answered. 0: there is none yet; -1: the line is to be closed. */
static inline int receiver_take(struct receiver *r, struct receiver_line *l)
{
	char                  *end = memmem(l->bytes, l->len, "\r\n\r\n", 4), *length;
	size_t                 whole;
	struct heard_post      p = { 0 };
	struct receiver_answer a = { .status = 200 };

	if (!end)
		return 0;
	length = header_of(l->bytes, end, "Content-Length");
	whole = (size_t)(end + 4 - l->bytes) + strtoul(length, NULL, 10);
	free(length);
	if (l->len < whole)
		return 0;
	p.path = strndup(l->bytes + 5, strcspn(l->bytes + 5, " "));
	p.id = header_of(l->bytes, end, "webhook-id");
	p.second = header_of(l->bytes, end, "webhook-timestamp");
	p.signature = header_of(l->bytes, end, "webhook-signature");
	p.type = header_of(l->bytes, end, "Content-Type");
	p.agent = header_of(l->bytes, end, "User-Agent");
	p.body = strndup(end + 4, whole - (size_t)(end + 4 - l->bytes));
	memmove(l->bytes, l->bytes + whole, l->len - whole);
	l->len -= whole;
	pthread_mutex_lock(&r->lock);
	if (r->answer)
		r->answer(r, &p, &a);
	p.answered = a.status;
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->heard = realloc(r->heard, r->room * sizeof *r->heard);
	}
	if (r->forgets) {
		char *all[] = { p.path, p.id, p.second, p.signature, p.type, p.agent, p.body };

		for (size_t i = 0; i < COUNT(all); i++)
			free(all[i]);
		p = (struct heard_post){ 0 };
	}
	r->heard[r->count++] = p;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	return receiver_say(l, &a) ? 1 : -1;
}

static inline void receiver_hear(struct receiver *r, size_t i)
{
	struct receiver_line *l = r->line[i];
	ssize_t               n = recv(l->fd, l->bytes + l->len, sizeof l->bytes - 1 - l->len, 0);
	int                   taken = 1;

	if (n <= 0) {
		receiver_drop(r, i);
		return;
	}
	l->len += (size_t)n;
	l->bytes[l->len] = '\0';
	while (taken > 0)
		taken = receiver_take(r, l);
	if (taken < 0)
		receiver_drop(r, i);
}

static inline void receiver_accept(struct receiver *r)
{
	int fd = accept(r->fd, NULL, NULL);

	for (size_t i = 0; fd >= 0 && i < RECEIVER_LINES; i++)
		if (!r->line[i]) {
			r->line[i] = calloc(1, sizeof *r->line[i]);
			r->line[i]->fd = fd;
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
			r->connections++;
			if (++r->open > r->open_most)
				r->open_most = r->open;
			return;
		}
	close(fd);
}

static inline void receiver_flood(struct receiver *r, size_t i)
{
	static const char much[65536] = { 'x' };

	if (send(r->line[i]->fd, much, sizeof much, MSG_NOSIGNAL | MSG_DONTWAIT) == 0)
		receiver_drop(r, i);
}

static inline void *receiver_run(void *self)
{
	struct receiver *r = self;

	for (;;) {
		struct pollfd p[RECEIVER_LINES + 2] = { { r->fd, POLLIN, 0 }, { r->wake[0], POLLIN, 0 } };

		for (size_t i = 0; i < RECEIVER_LINES; i++)
			p[i + 2] = (struct pollfd){ r->line[i] ? r->line[i]->fd : -1, (short)(POLLIN | (r->line[i] && r->line[i]->floods ? POLLOUT : 0)), 0 };
		poll(p, COUNT(p), -1);
		if (p[1].revents)
			return NULL;
		for (size_t i = 0; i < RECEIVER_LINES; i++)
			if (p[i + 2].revents & ~POLLOUT)
				receiver_hear(r, i);
			else if (p[i + 2].revents)
				receiver_flood(r, i);
		if (p[0].revents)
			receiver_accept(r);
	}
}

/* Port 0: any. On loopback only. */
static inline bool receiver_open(struct receiver *r, const char *address, uint16_t port,
                                 void (*answer)(struct receiver *, const struct heard_post *, struct receiver_answer *), void *self)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t          len = sizeof at;

	*r = (struct receiver){ .answer = answer, .self = self };
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || bind(r->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(r->fd, 64) != 0
	    || getsockname(r->fd, (struct sockaddr *)&at, &len) != 0 || pipe(r->wake) != 0)
		return false;
	r->port = ntohs(at.sin_port);
	snprintf(r->url, sizeof r->url, "http://%s:%u/hook", address, r->port);
	return pthread_create(&r->thread, NULL, receiver_run, r) == 0;
}

static inline void receiver_close(struct receiver *r)
{
	if (write(r->wake[1], "x", 1) == 1)
		pthread_join(r->thread, NULL);
	for (size_t i = 0; i < RECEIVER_LINES; i++)
		if (r->line[i])
			receiver_drop(r, i);
	for (size_t i = 0; i < r->count; i++) {
		char *all[] = { r->heard[i].path, r->heard[i].id, r->heard[i].second, r->heard[i].signature, r->heard[i].type, r->heard[i].agent, r->heard[i].body };

		for (size_t n = 0; n < COUNT(all); n++)
			free(all[n]);
	}
	free(r->heard);
	close(r->fd);
	close(r->wake[0]);
	close(r->wake[1]);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->more);
}

/* Until it has heard so many; false after ten seconds. */
static inline bool receiver_hears(struct receiver *r, size_t count)
{
	struct timespec until;
	bool            came;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&r->lock);
	while (r->count < count && pthread_cond_timedwait(&r->more, &r->lock, &until) == 0)
		;
	came = r->count >= count;
	pthread_mutex_unlock(&r->lock);
	return came;
}

static inline size_t receiver_count(struct receiver *r)
{
	size_t count;

	pthread_mutex_lock(&r->lock);
	count = r->count;
	pthread_mutex_unlock(&r->lock);
	return count;
}

/* Under the lock: how it answers from now on. */
static inline void receiver_changes(struct receiver *r, void (*answer)(struct receiver *, const struct heard_post *, struct receiver_answer *))
{
	pthread_mutex_lock(&r->lock);
	r->answer = answer;
	pthread_mutex_unlock(&r->lock);
}

#endif
