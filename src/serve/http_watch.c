#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/http_parts.h"

#define LOOK_EVERY 500       /* ms between two looks at those who take too long */
#define RUNG_EVERY 10        /* ms between two rounds through the streams while events pour in */

void events_wake(struct stream *s)
{
	s->poked = true;
	if (!s->asleep)
		return;
	s->asleep = false;
	MHD_resume_connection(s->connection);
}

/* On the committing thread: says it and is gone. */
static void rung(struct bus_listener *l)
{
	struct http_server *s = (struct http_server *)((char *)l - offsetof(struct http_server, listener));

	pthread_mutex_lock(&s->lock);
	s->rung = true;
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->lock);
}

void watch_wake(struct http_server *s)
{
	rung(&s->listener);
}

static void wake_streams(struct http_server *s)
{
	struct stream *stream;

	TAILQ_FOREACH(stream, &s->streams, next)
		events_wake(stream);
}

static void beat_streams(struct http_server *s, int64_t now)
{
	struct stream *stream;

	TAILQ_FOREACH(stream, &s->streams, next)
		if (now >= stream->beat_at) {
			stream->beat_at = now + s->limits.heartbeat_ms;
			stream->beat = true;
			events_wake(stream);
		}
}

/* Nobody looks at a sleeping connection, and a key has only so many streams: a reader that comes again must not find those places
 * taken by what it left. */
static void end_the_gone(struct http_server *s)
{
	struct stream *stream;

	TAILQ_FOREACH(stream, &s->streams, next) {
		struct pollfd p = { .fd = stream->fd, .events = POLLRDHUP };

		if (stream->asleep && poll(&p, 1, 0) > 0) {
			stream->over = true;
			events_wake(stream);
		}
	}
}

/* Its bytes end here; libmicrohttpd sees that and lets it go. */
static void cut_the_slow(struct http_server *s, int64_t now)
{
	struct visit *v;

	for (size_t b = 0; b < HTTP_BUCKETS; b++)
		TAILQ_FOREACH(v, &s->visit[b], in_bucket)
			if (now >= v->until && !v->cut) {
				v->cut = true;
				shutdown(v->fd, SHUT_RDWR);
				s->counts.cut++;
			}
}

void watch_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t how;

	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &how);
	pthread_condattr_destroy(&how);
}

void watch_wait(struct http_server *s, pthread_cond_t *cond, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(cond, &s->lock, &until);
}

static void *watch(void *self)
{
	struct http_server *s = self;
	int64_t             looked = 0, woke = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->closing) {
		int64_t now = clock_mono_ms();

		if (s->rung && now - woke >= RUNG_EVERY) {
			s->rung = false;
			woke = now;
			wake_streams(s);
		}
		if (now - looked >= LOOK_EVERY) {
			looked = now;
			end_the_gone(s);
			beat_streams(s, now);
			cut_the_slow(s, now);
		}
		watch_wait(s, &s->woken, s->rung ? RUNG_EVERY : LOOK_EVERY);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

bool watch_start(struct http_server *s, struct error *err)
{
	int failed;

	watch_cond_init(&s->woken);
	failed = pthread_create(&s->watch, NULL, watch, s);
	if (failed)
		return fail(err, FAULT_LOCAL, "a thread: %s", strerror(failed));
	s->watching = true;
	s->listener.rung = rung;
	if (s->service->bus)
		bus_listen(s->service->bus, &s->listener);
	return true;
}

/* Streams end here: a suspended connection would keep the server from stopping. */
void watch_stop(struct http_server *s)
{
	struct stream *stream;

	if (!s->watching)
		return;
	if (s->service->bus)
		bus_unlisten(s->service->bus, &s->listener);
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	TAILQ_FOREACH(stream, &s->streams, next) {
		stream->over = true;
		events_wake(stream);
	}
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->watch, NULL);
	pthread_cond_destroy(&s->woken);
	s->watching = false;
}
