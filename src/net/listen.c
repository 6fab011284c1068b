/* Connections that others make to us. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/loop.h"

#define TAKEN_AT_ONCE 64      /* in one turn: those who are here already have theirs to say */
#define PAUSE_MS      200     /* out of descriptors or memory: the next turn would find it so too */

struct net_listener {
	struct net   *net;
	int           fd;
	struct event  event, pause;
	struct line *(*accepted)(void *self, const struct address *peer);
	void         *self;
	bool          taking, gone;      /* taken down from inside of `accepted` */
	TAILQ_ENTRY(net_listener) links;
};

static void begin_to_take(struct net_listener *l)
{
	if (!l->net->stopping)
		event_add(&l->event, NULL);
}

static void take_again(evutil_socket_t fd, short what, void *self)
{
	(void)fd, (void)what;
	begin_to_take(self);
}

/* Whoever gave up before we took him says nothing of the next one. */
static bool was_his_fault(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN || error == EHOSTUNREACH
	    || error == ENETUNREACH || error == EHOSTDOWN || error == ETIMEDOUT || error == ECONNRESET;
}

static void hand_over(struct net_listener *l, int fd, const struct sockaddr_storage *from)
{
	struct address peer = address_of_socket(from);
	struct line   *line = l->accepted(l->self, &peer);
	int            one = 1;

	if (!line) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	stream_open(l->net, line, fd, 0);
}

static void take(evutil_socket_t listening, short what, void *self)
{
	struct net_listener *l = self;

	(void)what;
	l->taking = true;
	for (int i = 0; i < TAKEN_AT_ONCE && !l->gone; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t               len = sizeof from;
		int                     fd = accept4(listening, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			hand_over(l, fd, &from);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			break;
		} else if (!was_his_fault(errno)) {
			event_del(&l->event);
			net_alarm(&l->pause, PAUSE_MS);
			break;
		}
	}
	l->taking = false;
	if (l->gone)
		free(l);
}

struct net_listener *net_listen(struct net *n, int fd, struct line *(*accepted)(void *self, const struct address *peer), void *self)
{
	struct net_listener *l = must_alloc(sizeof *l);

	l->net = n;
	l->fd = fd;
	l->accepted = accepted;
	l->self = self;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	event_assign(&l->event, n->base, fd, EV_READ | EV_PERSIST, take, l);
	evtimer_assign(&l->pause, n->base, take_again, l);
	TAILQ_INSERT_TAIL(&n->listeners, l, links);
	begin_to_take(l);
	return l;
}

static void pause_for_good(struct net_listener *l)
{
	event_del(&l->event);
	evtimer_del(&l->pause);
}

void net_unlisten(struct net_listener *l)
{
	if (!l)
		return;
	pause_for_good(l);
	close(l->fd);
	TAILQ_REMOVE(&l->net->listeners, l, links);
	l->gone = true;
	if (!l->taking)
		free(l);
}

void listeners_pause(struct net *n)
{
	struct net_listener *l;

	TAILQ_FOREACH(l, &n->listeners, links)
		pause_for_good(l);
}

void listeners_free(struct net *n)
{
	struct net_listener *l, *next;

	for (l = TAILQ_FIRST(&n->listeners); l; l = next) {
		next = TAILQ_NEXT(l, links);
		net_unlisten(l);
	}
}
