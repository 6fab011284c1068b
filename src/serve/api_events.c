#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "serve/api.h"
#include "serve/http_parts.h"

#define STREAM_PAGE 50
#define STREAM_MOST (1024 * 1024)
#define STREAM_HELD (64 * 1024)          /* no more is fetched while that much waits for its reader */
#define RETRY_MS    3000

struct reading {
	struct arena  *into;
	const char    *workspace, *account, *type;
	int64_t        after;
	size_t         most;
	struct event  *event;
	size_t         count;
};

static bool read_events(struct txn *t, void *self, struct error *err)
{
	struct reading *r = self;

	return event_list(t, r->into, r->workspace, r->account, r->type, r->after, r->most, &r->event, &r->count, err);
}

static bool read_last(struct txn *t, void *self, struct error *err)
{
	return event_last(t, self, err);
}

/* -- as a stream (WHATWG, server-sent events) ------------------------------------------------------------------------- */

static bool say_event(struct buffer *out, const struct event *e)
{
	cJSON *o = event_json(e);
	char  *text = cJSON_PrintUnformatted(o);
	bool   fits;

	if (!text)
		exit(70);
	/* JSON on one line has no line end in it, whatever the event says */
	fits = buffer_print(out, "id: %lld\nevent: %s\ndata: ", (long long)e->seq, e->type) && buffer_add_str(out, text)
	    && buffer_add_str(out, "\n\n");
	free(text);
	cJSON_Delete(o);
	return fits;
}

bool events_fetch(struct stream *s, bool beat)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct reading r = { .into = work, .workspace = s->workspace, .account = s->account, .type = s->type, .after = s->seq,
		.most = STREAM_PAGE };
	struct error   err = { 0 };

	if (beat && !buffer_add_str(&s->out, ":\n\n"))
		return false;
	/* the client comes back with the last id it has seen: nothing is lost */
	if (!store_read(s->server->service->store, read_events, &r, &err))
		return false;
	for (size_t i = 0; i < r.count && buffer_held(&s->out).len < STREAM_HELD; i++) {
		if (!say_event(&s->out, &r.event[i]))
			return false;
		s->seq = r.event[i].seq;
	}
	return true;
}

static bool too_many(struct exchange *x, const char *detail)
{
	http_set(x, "Retry-After", "30");
	answer_problem(x, 429, "request.too_many", "Too many streams", detail, NULL, NULL);
	return false;
}

static struct stream *new_stream(struct exchange *x, int64_t after, const char *account, const char *type)
{
	struct stream *s = must_alloc(sizeof *s);

	s->server = request_of(x)->server;
	s->connection = x->connection;
	s->fd = request_of(x)->visit->fd;
	s->memory = arena_new();
	s->workspace = arena_str(s->memory, x->workspace);
	s->account = arena_str(s->memory, account);
	s->type = arena_str(s->memory, type);
	s->key_id = arena_str(s->memory, x->key_id);
	s->seq = after;
	s->beat_at = clock_mono_ms() + s->server->limits.heartbeat_ms;
	buffer_init(&s->out, STREAM_MOST);
	buffer_print(&s->out, "retry: %d\n\n", RETRY_MS);
	return s;
}

bool events_stream(struct exchange *x, int64_t after, const char *account, const char *type)
{
	struct http_server *server = request_of(x)->server;
	struct stream      *mine = new_stream(x, after, account, type), *other;
	unsigned            same = 0;
	const char         *why = NULL;

	pthread_mutex_lock(&server->lock);
	TAILQ_FOREACH(other, &server->streams, next)
		same += strcmp(other->key_id, mine->key_id) == 0;
	if (server->closing || server->stream_count >= server->limits.streams)
		why = "of all clients";
	else if (same >= server->limits.streams_per_key)
		why = "with this key";
	if (!why) {
		TAILQ_INSERT_TAIL(&server->streams, mine, next);
		server->stream_count++;
	}
	pthread_mutex_unlock(&server->lock);
	if (why) {
		buffer_release(&mine->out);
		arena_free(mine->memory);
		free(mine);
		return too_many(x, why);
	}
	request_of(x)->stream = mine;
	x->streaming = true;
	x->status = 200;
	x->type = "text/event-stream";
	/* proxies must not wait for more */
	http_set(x, "X-Accel-Buffering", "no");
	return true;
}

/* -- as a page -------------------------------------------------------------------------------------------------------- */

static void answer_page(struct exchange *x, struct reading *r)
{
	struct error err = { 0 };
	char         next[24];
	cJSON       *items;

	if (!store_read(x->service->store, read_events, r, &err)) {
		answer_fault(x, &err);
		return;
	}
	items = cJSON_CreateArray();
	for (size_t i = 0; i < r->count; i++)
		cJSON_AddItemToArray(items, event_json(&r->event[i]));
	snprintf(next, sizeof next, "%lld", (long long)(r->count ? r->event[r->count - 1].seq : r->after));
	answer_json(x, 200, list_json(items, next));
}

static bool wants_stream(struct exchange *x)
{
	const char *accept = http_field(x, "Accept");

	return accept && slice_has(slice_str(accept), "text/event-stream");
}

static bool sequence(struct exchange *x, const char *text, const char *name, int64_t *out)
{
	unsigned long long n;

	if (!text)
		return true;
	if (!slice_number(slice_str(text), 999999999999999999ULL, &n)) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "the number of an event", name, NULL);
		return false;
	}
	*out = (int64_t)n;
	return true;
}

static bool is_word(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool is_account_id(const char *text)
{
	return slice_starts(slice_str(text), "acc_") && strlen(text) == 26 && strspn(text + 4, "abcdefghijklmnopqrstuvwxyz0123456789") == 22;
}

static void get_events(struct exchange *x)
{
	struct reading r = { .into = x->job, .workspace = x->workspace, .after = -1 };
	struct error   err = { 0 };
	long long      most;

	if (!query_number(x, "limit", 1, PAGE_MOST, 50, &most) || !query_text(x, "account", 40, &r.account) || !query_text(x, "type", 40, &r.type)
	    || !sequence(x, http_query(x, "after"), "after", &r.after) || !sequence(x, http_field(x, "Last-Event-ID"), "Last-Event-ID", &r.after))
		return;
	if (r.type && !is_word(r.type, event_types)) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "there is no such type of event", "type", NULL);
		return;
	}
	if (r.account && !is_account_id(r.account)) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "the id of an account", "account", NULL);
		return;
	}
	r.most = (size_t)most;
	if (!wants_stream(x)) {
		r.after = r.after < 0 ? 0 : r.after;
		answer_page(x, &r);
	} else if (r.after < 0 && !store_read(x->service->store, read_last, &r.after, &err)) {
		answer_fault(x, &err);
	} else {
		events_stream(x, r.after, r.account, r.type);
	}
}

const struct route routes_events[] = {
	{ "GET", "/v1/events", GUARD_KEY, SCOPE_EVENTS_READ, get_events },
	{ 0 }
};
