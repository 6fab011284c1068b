/* One connection: what stands behind line->carrier. At most one wait at a time is on it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/loop.h"

#define READ_MOST ((size_t)16 * 1024)

struct stream {
	struct wait   wait;             /* runner is NULL while nobody waits             */
	struct net   *net;              /* NULL: net_free() came first                   */
	struct line  *line;
	int           fd;
	uint16_t      port;             /* as the conversation named it      */
	struct tls   *tls;
	struct event  event;
	enum came     over;             /* how hearing ended; CAME_NOTHING while it goes on */
	bool          pours;            /* the last time there was as much as is taken at once: it is likely that more is there */
	int64_t       shake_began_us;
	TAILQ_ENTRY(stream) links;
};

static void shut(struct stream *s)
{
	if (!s->net)
		return;
	tls_free(s->tls);
	event_del(&s->event);
	close(s->fd);
	TAILQ_REMOVE(&s->net->streams, s, links);
	s->net = NULL;
}

void streams_shut(struct net *n)
{
	struct stream *s;

	while ((s = TAILQ_FIRST(&n->streams)))
		shut(s);
}

/* line->drop */
static void stream_drop(struct line *l)
{
	struct stream *s = l->carrier;
	struct runner *r = s->wait.runner;

	shut(s);
	free(s);
	if (r)
		runner_answer(r, CAME_RESET);
}

static void no_event(evutil_socket_t fd, short what, void *self)
{
	(void)fd, (void)what, (void)self;
}

void stream_open(struct net *n, struct line *l, int fd, uint16_t port)
{
	struct stream *s = must_alloc(sizeof *s);

	s->net = n;
	s->line = l;
	s->fd = fd;
	s->port = port;
	s->over = CAME_NOTHING;
	event_assign(&s->event, n->base, fd, EV_READ, no_event, s);
	TAILQ_INSERT_TAIL(&n->streams, s, links);
	/* What an earlier connection said, or was to be told, has no business on this one. */
	buffer_clear(&l->in);
	buffer_clear(&l->out);
	l->open = true;
	l->secure = l->ended = false;
	l->handshake = NULL;
	l->carrier = s;
	l->drop = stream_drop;
}

/* -- the wait that is on it --------------------------------------------------------------------------------------- */

static enum came stream_stop(struct wait *w, enum came came)
{
	struct stream *s = (struct stream *)w;

	event_del(&s->event);
	s->wait.runner = NULL;
	return came;
}

/* NULL, and answered, when the line cannot be waited on. */
static struct stream *wait_on(struct runner *r, enum came (*stop)(struct wait *, enum came))
{
	struct line   *l = r->want.line;
	struct stream *s = l->carrier;

	if (!s || !s->net) {
		runner_answer(r, l->ended ? CAME_END : CAME_RESET);
		return NULL;
	}
	assert(s->line == l && !s->wait.runner);
	runner_waits_for(r, &s->wait, stop);
	return s;
}

static void answer(struct stream *s, enum came came)
{
	struct runner *r = s->wait.runner;

	stream_stop(&s->wait, came);
	runner_answer(r, came);
}

static void watch(struct stream *s, short what, void (*then)(evutil_socket_t, short, void *))
{
	/* Parked lines are many: one that waits with nothing heard holds no memory for it. */
	if (buffer_held(&s->line->in).len == 0)
		buffer_release(&s->line->in);
	if (s->tls)
		tls_rest(s->tls);
	event_del(&s->event);
	event_assign(&s->event, s->net->base, s->fd, what, then, s);
	event_add(&s->event, NULL);
}

static bool blocks(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* -- saying ------------------------------------------------------------------------------------------------------- */

/* CAME: all is out. CAME_NOTHING: not yet, `*events` is what to wait for. */
static enum came say(struct stream *s, short *events)
{
	struct buffer *out = &s->line->out;

	for (struct slice held = buffer_held(out); held.len; held = buffer_held(out)) {
		size_t n = 0;

		if (s->tls) {
			enum tls_io io = tls_write(s->tls, s->line->handshake, held, &n);

			if (io == TLS_WANTS_READ || io == TLS_WANTS_WRITE) {
				*events |= io == TLS_WANTS_READ ? EV_READ : EV_WRITE;
				return CAME_NOTHING;
			}
			if (io != TLS_OK) {
				buffer_clear(out);
				return io == TLS_BROKE ? CAME_TLS_FAILED : CAME_RESET;
			}
		} else {
			ssize_t sent = send(s->fd, held.at, held.len, MSG_NOSIGNAL);

			if (sent < 0 && blocks()) {
				*events |= EV_WRITE;
				return CAME_NOTHING;
			}
			if (sent < 0) {
				buffer_clear(out);
				return CAME_RESET;
			}
			n = (size_t)sent;
		}
		buffer_drop(out, n);
	}
	return CAME;
}

static void write_event(evutil_socket_t fd, short what, void *self)
{
	struct stream *s = self;
	short          events = 0;
	enum came      came = say(s, &events);

	(void)fd, (void)what;
	if (came == CAME_NOTHING)
		watch(s, events, write_event);
	else
		answer(s, came);
}

void stream_write(struct runner *r)
{
	struct stream *s = wait_on(r, stream_stop);

	if (s)
		write_event(s->fd, 0, s);
}

/* -- hearing ------------------------------------------------------------------------------------------------------ */

static enum came hear_tls(struct stream *s, char *at, size_t room, size_t *n, short *events)
{
	switch (tls_read(s->tls, s->line->handshake, at, room, n)) {
	case TLS_OK:          return CAME;
	case TLS_WANTS_WRITE: *events |= EV_WRITE; return CAME_NOTHING;
	case TLS_WANTS_READ:  return CAME_NOTHING;
	case TLS_ENDED:       return CAME_END;
	case TLS_CUT:         return CAME_RESET;
	case TLS_BROKE:       return CAME_TLS_FAILED;
	}
	return CAME_FAILED;
}

static enum came hear_plain(struct stream *s, char *at, size_t room, size_t *n)
{
	ssize_t got = recv(s->fd, at, room, 0);

	if (got > 0)
		*n = (size_t)got;
	if (got < 0)
		return blocks() ? CAME_NOTHING : CAME_RESET;
	return got ? CAME : CAME_END;
}

static enum came hear(struct stream *s, short *events)
{
	size_t    room = READ_MOST, n = 0;
	char     *at = buffer_room(&s->line->in, &room);
	enum came came;

	if (!at)
		return CAME_FULL;
	came = s->tls ? hear_tls(s, at, room, &n, events) : hear_plain(s, at, room, &n);
	buffer_grew(&s->line->in, n);
	s->pours = n == READ_MOST;
	if (came != CAME && came != CAME_NOTHING) {
		s->over = came;
		s->line->ended = true;
	}
	return came;
}

static void read_event(evutil_socket_t fd, short what, void *self)
{
	struct stream *s = self;
	short          events = EV_READ;
	enum came      said = say(s, &events), heard = CAME_NOTHING;

	(void)fd;
	/* A peer that does not listen any more may have said why before: SMTP's "554 …" and then a reset. So what it
	 * said comes first, and that it could not be told anything second. */
	if (what || said > CAME_NOTHING || s->pours || (s->tls && tls_has_more(s->tls)))
		heard = hear(s, &events);
	if (heard == CAME_NOTHING && said > CAME_NOTHING) {
		s->line->ended = true;
		heard = s->over = said;
	}
	if (heard == CAME_NOTHING)
		watch(s, events, read_event);
	else
		answer(s, heard);
}

void stream_read(struct runner *r)
{
	struct stream *s = wait_on(r, stream_stop);

	if (!s)
		return;
	if (s->over != CAME_NOTHING)
		return answer(s, s->over);
	if (buffer_held(&s->line->in).len >= s->line->in.limit)
		return answer(s, CAME_FULL);
	read_event(s->fd, 0, s);
}

/* -- TLS ---------------------------------------------------------------------------------------------------------- */

/* Ended otherwise than well: nothing may be said on this line any more. */
static enum came shake_stop(struct wait *w, enum came came)
{
	struct stream *s = (struct stream *)w;
	struct line   *l = s->line;

	stream_stop(w, came);
	line_close(l);
	return came;
}

static void shake_over(struct stream *s, enum came came, bool keep)
{
	struct runner *r = s->wait.runner;

	s->net->costs.handshakes++;
	s->net->costs.handshake_us += net_clock_us() - s->shake_began_us;
	if (keep) {
		s->line->secure = true;
		return answer(s, came);
	}
	shake_stop(&s->wait, came);
	runner_answer(r, came);
}

static void shake_event(evutil_socket_t fd, short what, void *self)
{
	struct stream           *s = self;
	const struct tls_answer *a = s->wait.runner->want.tls;
	bool                     probe = s->wait.runner->want.how == TLS_OLD_ONLY;

	(void)fd, (void)what;
	switch (tls_shake(s->tls)) {
	case TLS_WANTS_READ:  return watch(s, EV_READ, shake_event);
	case TLS_WANTS_WRITE: return watch(s, EV_WRITE, shake_event);
	case TLS_ENDED:       return shake_over(s, CAME_END, false);
	case TLS_CUT:         return shake_over(s, CAME_RESET, false);
	case TLS_BROKE:       return shake_over(s, CAME_TLS_FAILED, false);
	case TLS_OK:
		if (probe)
			return shake_over(s, CAME, false);
		if (!a->shook || a->flaws)
			return shake_over(s, CAME_TLS_FAILED, false);
		return shake_over(s, CAME, true);
	}
}

/* RFC 9051 §6.2.1, RFC 3207 §5: what was heard in the clear may be anyone's. The conversation should have dropped it;
 * if it did not, it would be read as if it had come from inside. */
static bool heard_in_the_clear(struct stream *s, struct tls_answer *a)
{
	struct slice held = slice_upto(buffer_held(&s->line->in), sizeof a->first);

	if (!held.at || held.len == 0)
		return false;
	memcpy(a->first, held.at, held.len);
	a->first_len = held.len;
	tls_reason(a, "plain text before the handshake");
	return true;
}

void stream_tls(struct runner *r)
{
	struct stream     *s = wait_on(r, shake_stop);
	struct tls_answer *a = r->want.tls;
	struct tls_trust  *trust;
	struct tls_own    *own = NULL;
	struct error       err = { 0 };

	*a = (struct tls_answer){ .alert = -1 };
	if (!s)
		return;
	s->line->handshake = a;
	s->shake_began_us = net_clock_us();
	if (s->tls || heard_in_the_clear(s, a))
		return shake_over(s, CAME_TLS_FAILED, false);
	trust = net_trust(r->net, &err);
	if (trust && tls_own_of(trust, r->want.trust, &own, &err))
		s->tls = tls_new(trust, own, s->fd, r->want.host, s->port, r->want.how, r->want.extra, a);
	if (!s->tls) {
		tls_reason(a, err.fault ? err.text : r->want.how == TLS_SERVE ? "no certificate to show" : "no TLS here");
		return shake_over(s, CAME_FAILED, false);
	}
	shake_event(s->fd, 0, s);
}
