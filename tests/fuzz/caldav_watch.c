/* A calendar server that says what it likes to whoever watches its calendars: the first sign-in, or a later turn. The first byte says how it
 * begins; of the rest each line is heard in one READ, in which 0x01 stands for an offer, 0x02 for a calendar, 0x03 for a change in
 * it, 0x04 for what an entry holds, and a line with 0x05 alone ends the connection. What is told is remembered, as the daemon does. */
#include "provider/caldav_watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MULTI(len, inner) "HTTP/1.1 207 x\r\nContent-Type: text/xml\r\nContent-Length: " len "\r\n\r\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">" inner "</d:multistatus>"
#define ENTRIES 16
#define TURNS    3

static const char *const words[] = {
	[1] = "HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
	[2] = MULTI("303", "<d:response><d:href>/h/w/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
	            "<d:sync-token>t2</d:sync-token></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"),
	[3] = MULTI("267", "<d:response><d:href>/h/w/a</d:href><d:propstat><d:prop><d:getetag>2</d:getetag></d:prop>"
	            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response><d:sync-token>t2</d:sync-token>"),
	[4] = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261122T100000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\nEND:VCALENDAR\n",
};

struct remembered {
	char name[64], etag[64];
};

struct scene {
	struct endpoint     place;
	struct login        login;
	struct caldav_watch watch;
	struct remembered   entry[ENTRIES];
	size_t              count, turns;
	struct slice        left;
	int64_t             now;
	bool                opened, resting;
};

static enum came hear(struct scene *s, struct line *l)
{
	struct slice heard = slice_upto(s->left, slice_find(s->left, '\n') + 1);

	buffer_clear(&l->out);
	s->left = slice_from(s->left, heard.len);
	if (heard.len == 0 || heard.at[0] == 5)
		return CAME_END;
	for (size_t i = 0; i < heard.len; i++)
		if (!(heard.at[i] >= 1 && heard.at[i] <= 4 ? buffer_add_str(&l->in, words[(unsigned char)heard.at[i]])
		                                            : buffer_add(&l->in, slice(heard.at + i, 1))))
			return CAME_FULL;
	return CAME;
}

static enum came answer(struct scene *s, struct want *w, enum want_kind kind)
{
	assert(w->wait_ms > 0);
	switch (kind) {
	case WANT_CONNECT:
		w->line->open = true;
		return CAME;
	case WANT_TLS:
		*w->tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3" };
		w->line->secure = true;
		return CAME;
	case WANT_TIME:
		s->now += w->wait_ms;
		return CAME;
	default:
		assert(kind == WANT_READ);
		return hear(s, w->line);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct remembered *)a)->name, ((const struct remembered *)b)->name);
}

static bool entry(void *self, const char *calendar, const char *name, struct arena *into, struct caldav_known *out, struct error *err)
{
	struct scene *s = self;

	(void)calendar;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->entry[i].name, name) == 0) {
			*out = (struct caldav_known){ arena_str(into, name), arena_str(into, s->entry[i].etag) };
			return true;
		}
	return fail(err, FAULT_ABSENT, "no entry");
}

static bool entries(void *self, const char *calendar, const char *after, struct arena *into, struct caldav_known **out, size_t *count,
                    struct error *err)
{
	struct scene *s = self;

	(void)calendar, (void)err;
	*out = arena_get(into, ENTRIES * sizeof **out);
	*count = 0;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->entry[i].name, after) > 0)
			(*out)[(*count)++] = (struct caldav_known){ arena_str(into, s->entry[i].name), arena_str(into, s->entry[i].etag) };
	return true;
}

static void remember(struct scene *s, const struct calendar_news *n)
{
	size_t i = 0;

	assert(n->calendar && n->name && n->change.remote_id);
	while (i < s->count && strcmp(s->entry[i].name, n->name) != 0)
		i++;
	if (!n->etag && i < s->count) {
		s->entry[i] = s->entry[--s->count];
	} else if (n->etag && i < ENTRIES && strlen(n->name) < sizeof s->entry[i].name && strlen(n->etag) < sizeof s->entry[i].etag) {
		strcpy(s->entry[i].name, n->name);
		strcpy(s->entry[i].etag, n->etag);
		s->count += i == s->count;
	}
	qsort(s->entry, s->count, sizeof *s->entry, by_name);
}

static enum want_kind step(struct scene *s, struct want *w, struct error *err)
{
	struct caldav_watch *x = &s->watch;

	if (!s->opened)
		PASS(caldav_watch_open_step(x, w, err));
	s->opened = true;
	while (s->turns < TURNS) {
		if (!s->resting) {
			PASS(caldav_watch_news_step(x, w, err));
			assert(x->count <= CALDAV_FIRST_MOST);
			for (size_t i = 0; i < x->count; i++)
				remember(s, &x->news[i]);
			if (x->more)
				continue;
			caldav_watch_park(x);
			caldav_watch_told(x);
			s->resting = true;
		}
		PASS(caldav_watch_wait_step(x, w, err));
		s->resting = false;
		s->turns++;
		caldav_watch_wake(x);
	}
	return WANT_NOTHING;
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct want          w = { .came = CAME_NOTHING };
	struct error         err = { 0 };
	struct scene         s = { .place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .source = SOURCE_USER, .path = "/h/" },
		.login = { .username = "ann", .username_form = "local", .password = "hunter22" }, .entry = { { "a", "1" }, { "b", "1" } }, .count = 2 };
	struct caldav_memory memory = { entry, entries, &s };
	enum want_kind       kind;

	if (len == 0)
		return 0;
	caldav_watch_init(&s.watch, &(struct caldav_access){ &s.place, &s.login, "ann@birch.example", waits_within(30000) }, &memory);
	if (bytes[0] & 1) {
		caldav_watch_park(&s.watch);
		s.opened = s.watch.opened = true;
		s.watch.scheme = WEB_BASIC;
		caldav_watch_wake(&s.watch);
	}
	if (bytes[0] & 2)
		caldav_watch_knows(&s.watch, "/h/w/", "Work", bytes[0] & 4 ? "t1" : NULL, NULL);
	s.left = slice((const char *)bytes + 1, len - 1);
	for (kind = step(&s, &w, &err); kind > WANT_FAILED; kind = step(&s, &w, &err)) {
		w.came = answer(&s, &w, kind);
		w.now_ms = ++s.now;
	}
	assert(kind != WANT_FAILED || s.watch.report);
	assert(s.watch.calendars <= CALDAV_WATCHED);
	caldav_watch_release(&s.watch);
	return 0;
}
