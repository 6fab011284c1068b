#include "sandbox/imap_line.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/socket.h>

#define PATIENCE_MS (30 * 60 * 1000)      /* RFC 3501 section 5.4 */
#define STUCK_S     30                    /* in the middle of a record, or with somebody who does not read */

void line_open(struct imap_line *l, int fd, int stop)
{
	struct timeval stuck = { .tv_sec = STUCK_S };

	*l = (struct imap_line){ .fd = fd, .stop = stop, .stir = -1 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stuck, sizeof stuck);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stuck, sizeof stuck);
	buffer_init(&l->in, LINE_LONGEST);
}

void line_farewell(struct imap_line *l)
{
	if (l->tls)
		SSL_shutdown(l->tls);
}

void line_shut(struct imap_line *l)
{
	SSL_free(l->tls);
	close(l->fd);
	buffer_release(&l->in);
}

/* True: there is something to be read. */
static enum heard wait_for(struct imap_line *l, bool stirred)
{
	struct pollfd on[] = {
		{ .fd = l->stop, .events = POLLIN }, { .fd = l->fd, .events = POLLIN }, { .fd = stirred ? l->stir : -1, .events = POLLIN },
	};

	if (l->tls && SSL_pending(l->tls))
		return HEARD;
	for (;;) {
		int n = poll(on, COUNT(on), PATIENCE_MS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || on[0].revents)
			return HEARD_END;
		return on[1].revents ? HEARD : HEARD_STIR;
	}
}

bool line_secure(struct imap_line *l, SSL_CTX *context)
{
	if (wait_for(l, false) != HEARD)
		return false;
	l->tls = SSL_new(context);
	return l->tls && SSL_set_fd(l->tls, l->fd) == 1 && SSL_accept(l->tls) == 1;
}

static bool read_more(struct imap_line *l)
{
	size_t  room = 16384;
	char   *at = buffer_room(&l->in, &room);
	ssize_t got;

	if (!at || room == 0)
		return false;
	got = l->tls ? SSL_read(l->tls, at, (int)room) : recv(l->fd, at, room, 0);
	if (got > 0)
		buffer_grew(&l->in, (size_t)got);
	return got > 0;
}

enum heard line_hear(struct imap_line *l, struct arena *work, bool stirred, struct slice *out)
{
	for (;;) {
		struct slice held = buffer_held(&l->in);
		size_t       end = slice_find(held, '\n');
		enum heard   heard;

		if (end < held.len) {
			size_t len = end && held.at[end - 1] == '\r' ? end - 1 : end;

			*out = slice(arena_copy(work, slice_upto(held, len)), len);
			buffer_drop(&l->in, end + 1);
			return HEARD;
		}
		heard = wait_for(l, stirred);
		if (heard == HEARD_STIR) {
			eventfd_t n;

			eventfd_read(l->stir, &n);
			return HEARD_STIR;
		}
		if (heard == HEARD_END || !read_more(l))
			return HEARD_END;
	}
}

bool line_hear_bytes(struct imap_line *l, size_t len, struct buffer *out)
{
	while (len) {
		struct slice held = slice_upto(buffer_held(&l->in), len);

		if (held.len == 0 && (wait_for(l, false) != HEARD || !read_more(l)))
			return false;
		if (held.len && !buffer_add(out, held))
			return false;
		buffer_drop(&l->in, held.len);
		len -= held.len;
	}
	return true;
}

bool line_say(struct imap_line *l, struct slice text)
{
	while (text.len) {
		size_t  piece = text.len < 16384 ? text.len : 16384;
		ssize_t sent = l->tls ? SSL_write(l->tls, text.at, (int)piece) : send(l->fd, text.at, piece, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		text = slice_from(text, (size_t)sent);
	}
	return true;
}

void line_forget(struct imap_line *l)
{
	buffer_clear(&l->in);
}

void line_idle(struct imap_line *l)
{
	char waste[4096];

	while (wait_for(l, false) == HEARD && (l->tls ? SSL_read(l->tls, waste, sizeof waste) : recv(l->fd, waste, sizeof waste, 0)) > 0)
		;
}
