/* What reaches a loop from outside of it: calls in the order of posting, and the word to stop. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/loop.h"

/* Async-signal-safe. It can only fail when the counter is full: then the loop is being woken already. */
static void wake(struct net *n)
{
	uint64_t one = 1;
	int      before = errno;       /* a signal handler must leave it as it was */

	if (write(n->wake_fd, &one, sizeof one) < 0)
		errno = before;
}

void net_stop(struct net *n)
{
	atomic_store(&n->stop, true);
	wake(n);
}

void net_post(struct net *n, struct net_post *p)
{
	bool first;

	p->next = NULL;
	pthread_mutex_lock(&n->post_lock);
	first = !n->posts;
	*n->last_post = p;
	n->last_post = &p->next;
	/* Before the lock is given up: once the loop has run the call, the net may be gone. */
	if (first)
		wake(n);
	pthread_mutex_unlock(&n->post_lock);
}

/* Only those posted by now: what they post in turn comes after the sockets had theirs. */
void posts_run(struct net *n)
{
	struct net_post *p, *next;

	pthread_mutex_lock(&n->post_lock);
	p = n->posts;
	n->posts = NULL;
	n->last_post = &n->posts;
	pthread_mutex_unlock(&n->post_lock);
	for (; p; p = next) {
		next = p->next;
		p->run(p);
	}
}

/* That the loop turned is all that was wanted. */
static void awake(evutil_socket_t fd, short what, void *self)
{
	uint64_t count;

	(void)what, (void)self;
	while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

bool posts_init(struct net *n)
{
	n->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->wake_fd < 0)
		return false;
	n->wake = event_new(n->base, n->wake_fd, EV_READ | EV_PERSIST, awake, NULL);
	return event_add(n->wake, NULL) == 0;
}

void posts_release(struct net *n)
{
	if (n->wake)
		event_free(n->wake);
	if (n->wake_fd >= 0)
		close(n->wake_fd);
	pthread_mutex_destroy(&n->post_lock);
}
