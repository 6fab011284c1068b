#include "sandbox/hole.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/arena.h"

#define CALLERS 4

struct hole {
	int       fd, stop[2];
	int       callers[CALLERS];      /* of our own, who fill the queue */
	pthread_t thread;
	bool      has_thread;
};

/* Closed with something unsent in mind, a connection ends in a reset. */
static void *reset_all(void *self)
{
	struct hole  *h = self;
	struct pollfd on[] = { { .fd = h->stop[0], .events = POLLIN }, { .fd = h->fd, .events = POLLIN } };

	while (poll(on, COUNT(on), -1) >= 0 || errno == EINTR) {
		int fd;

		if (on[0].revents)
			break;
		if (!on[1].revents || (fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC)) < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
		close(fd);
	}
	return NULL;
}

static bool bind_it(struct hole *h, const char *address, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t len = sizeof at;

	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, address, &at.sin_addr);
	setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(h->fd, (struct sockaddr *)&at, sizeof at) != 0 || getsockname(h->fd, (struct sockaddr *)&at, &len) != 0)
		return false;
	*port = ntohs(at.sin_port);
	return true;
}

/* Where the queue of those who wait to be accepted is full, the system drops who comes besides. */
static void fill_up(struct hole *h)
{
	struct sockaddr_in at;
	socklen_t len = sizeof at;

	getsockname(h->fd, (struct sockaddr *)&at, &len);
	for (size_t i = 0; i < CALLERS; i++) {
		h->callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(h->callers[i], (struct sockaddr *)&at, sizeof at);      /* the last ones do not come through */
	}
}

struct hole *hole_new(const char *address, uint16_t *port, enum hole_kind kind, struct error *err)
{
	struct hole *h = must_alloc(sizeof *h);
	bool         fine = bind_it(h, address, port) && pipe(h->stop) == 0;

	if (fine && kind != HOLE_REFUSES)
		fine = listen(h->fd, kind == HOLE_VANISHES ? 0 : 64) == 0;
	if (fine && kind == HOLE_VANISHES)
		fill_up(h);
	if (fine && kind == HOLE_RESETS)
		fine = h->has_thread = pthread_create(&h->thread, NULL, reset_all, h) == 0;
	if (!fine) {
		fail(err, FAULT_LOCAL, "port %u on %s: %s", *port, address, strerror(errno));
		hole_free(h);
		return NULL;
	}
	return h;
}

void hole_free(struct hole *h)
{
	if (!h)
		return;
	if (h->stop[1])
		close(h->stop[1]);
	if (h->has_thread)
		pthread_join(h->thread, NULL);
	if (h->stop[0])
		close(h->stop[0]);
	for (size_t i = 0; i < CALLERS; i++)
		if (h->callers[i] > 0)
			close(h->callers[i]);
	if (h->fd >= 0)
		close(h->fd);
	free(h);
}
