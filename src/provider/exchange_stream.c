#include "provider/exchange_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define MINUTES      29                        /* that the server holds it; 30 are the most                    */
#define DEAD_MS      (150 * 1000)              /* three heartbeats                                             */
#define YOUNG_MS     (60 * 1000)               /* one that ends before that was no good one                    */
#define BYTES_MOST   ((uint64_t)16 << 20)
#define LONGEST_TEXT 1024
#define COOKIES_MOST 2048
#define BUSY_MS      (5 * 60 * 1000)           /* where a busy server does not say how long                    */
#define WAIT_MOST_MS (30 * 60 * 1000)

struct exchange_stream *exchange_stream_new(void)
{
	return must_alloc(sizeof(struct exchange_stream));
}

static void end_envelope(struct exchange_stream *s)
{
	ews_reader_free(s->reader);
	arena_free(s->job);
	s->reader = NULL;
	s->job = NULL;
}

static void close_line(struct exchange_stream *s)
{
	end_envelope(s);
	if (s->session)
		exchange_session_release(s->session);
	free(s->session);
	s->session = NULL;
}

void exchange_stream_forget(struct exchange_stream *s)
{
	free(s->subscription);
	free(s->cookies);
	s->subscription = s->cookies = NULL;
}

void exchange_stream_free(struct exchange_stream *s)
{
	if (!s)
		return;
	close_line(s);
	exchange_stream_forget(s);
	free(s);
}

void exchange_stream_close(struct exchange_stream *s, int64_t now_ms)
{
	close_line(s);
	s->trouble = EXCHANGE_CLOSED;
	s->next_ms = now_ms;
}

bool exchange_stream_wanted(const struct exchange_stream *s, int64_t now_ms)
{
	return s && !s->session && s->trouble != EXCHANGE_NOT_OFFERED && now_ms >= s->next_ms;
}

/* -- what is wrong ------------------------------------------------------------------------------------------------ */

/* Of a code that is not here the subscription is not believed in any more. */
static const struct { const char *code; enum exchange_trouble is; } known[] = {
	{ "ErrorServerBusy",                             EXCHANGE_BUSY },
	{ "ErrorExceededConnectionCount",                EXCHANGE_BUSY },
	{ "ErrorExceededSubscriptionCount",              EXCHANGE_BUSY },
	{ "ErrorTooManyObjectsOpened",                   EXCHANGE_BUSY },
	{ "ErrorInvalidServerVersion",                   EXCHANGE_NOT_OFFERED },
	{ "ErrorIncorrectSchemaVersion",                 EXCHANGE_NOT_OFFERED },
	{ "ErrorInvalidSchemaVersionForMailboxVersion",  EXCHANGE_NOT_OFFERED },
	{ "ErrorSchemaValidation",                       EXCHANGE_NOT_OFFERED },
	{ "ErrorInvalidRequest",                         EXCHANGE_NOT_OFFERED },
	{ "ErrorSubscriptionDelegateAccessNotSupported", EXCHANGE_NOT_OFFERED },
	{ "ErrorSubscriptionAccessDenied",               EXCHANGE_NOT_OFFERED },
	{ "ErrorInvalidSubscriptionRequest",             EXCHANGE_NOT_OFFERED },
	{ "ErrorAccessDenied",                           EXCHANGE_NOT_OFFERED },
};

static enum exchange_trouble trouble_of(const char *code)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].is;
	return EXCHANGE_LOST;
}

/* The first is tried again at once, what fails over and over ever more seldom. */
static int pause_ms(unsigned failures)
{
	int ms = failures <= 1 ? 0 : 30 * 1000;

	while (failures-- > 2 && ms < WAIT_MOST_MS)
		ms *= 2;
	return ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
}

static void note_trouble(struct exchange_stream *s, enum exchange_trouble trouble, const char *why, int64_t now_ms)
{
	bool lived = s->session && now_ms - s->opened_ms >= YOUNG_MS && s->bytes <= BYTES_MOST;

	s->failures = lived ? 0 : s->failures + 1;
	s->next_ms = lived ? now_ms : now_ms + (trouble == EXCHANGE_BUSY ? BUSY_MS : pause_ms(s->failures));
	s->trouble = trouble;
	s->troubled = true;
	snprintf(s->why, sizeof s->why, "%s", why);
	/* a server that has not noticed yet would say what is new into the line that is gone; what is left of it ends there by itself */
	if (trouble != EXCHANGE_CLOSED && trouble != EXCHANGE_BUSY)
		exchange_stream_forget(s);
}

void exchange_stream_lose(struct exchange_stream *s, const char *code, bool served, int64_t now_ms)
{
	if (served)
		s->failures = 0;
	note_trouble(s, EXCHANGE_LOST, code && *code ? code : "lost", now_ms);
	exchange_stream_forget(s);
}

/* `ms`: how long the server wants to be left alone, 0 where it does not say. */
static void note_wait(struct exchange_stream *s, int64_t ms, int64_t now_ms)
{
	if (ms > 0)
		s->next_ms = now_ms + (ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS);
}

static int64_t back_off_of(const struct ews_outcome *o)
{
	unsigned long long ms;

	for (size_t i = 0; i < o->values && i < EWS_VALUES; i++)
		if (o->value[i].name && o->value[i].value && strcmp(o->value[i].name, "BackOffMilliseconds") == 0
		    && slice_number(slice_trim(slice_str(o->value[i].value)), 1u << 30, &ms))
			return (int64_t)ms;
	return 0;
}

static void note_outcome(struct exchange_stream *s, const struct ews_outcome *o, int64_t now_ms)
{
	const char *code = o->code && *o->code ? o->code : "an error without a code";

	note_trouble(s, trouble_of(code), code, now_ms);
	note_wait(s, back_off_of(o), now_ms);
}

static const struct ews_outcome *error_in(const struct ews_answer *a)
{
	size_t most = a->count < EWS_OUTCOMES ? a->count : EWS_OUTCOMES;

	for (size_t i = 0; i < most; i++)
		if (!a->outcome[i].ok && !a->outcome[i].warning)
			return &a->outcome[i];
	return NULL;
}

/* An answer that is no stream, and no subscription. */
static void note_answer(struct exchange_stream *s, struct exchange_session *x, int64_t now_ms)
{
	const struct ews_outcome *o = x->answer ? error_in(x->answer) : NULL;
	unsigned long long        seconds;
	struct slice              field;
	char                      why[40];

	if (o) {
		note_outcome(s, o, now_ms);
		return;
	}
	snprintf(why, sizeof why, "HTTP %d", x->web.answer.status);
	note_trouble(s, x->web.answer.status == 503 ? EXCHANGE_BUSY : EXCHANGE_LOST, why, now_ms);
	if (x->web.answer.status == 503 && web_field(&x->web, "Retry-After", &field) && slice_number(slice_trim(field), 24 * 3600, &seconds))
		note_wait(s, (int64_t)seconds * 1000, now_ms);
}

/* -- subscribing -------------------------------------------------------------------------------------------------- */

/* Where many servers stand behind one front end, the subscription is on one of them (facts M C.1). */
void exchange_stream_add_affinity(const struct exchange_stream *s, struct exchange_session *x)
{
	x->request.header[3] = "X-PreferServerAffinity: true";
	if (s->cookies)
		x->request.header[4] = arena_print(x->report->job, "Cookie: %s", s->cookies);
}

void exchange_stream_subscribe(struct exchange_stream *s, struct exchange_session *x, const struct ews_folder *folder)
{
	struct ews_header h = exchange_header(x);

	exchange_stream_forget(s);
	buffer_clear(&x->soap);
	ews_subscribe_stream(&x->soap, &h, folder, 1);
	exchange_ask(x, false);
	exchange_stream_add_affinity(s, x);
}

static bool starts_with(struct slice s, const char *with)
{
	size_t len = strlen(with);

	return s.len >= len && strncasecmp(s.at, with, len) == 0;
}

static bool is_affinity(struct slice cookie)
{
	return starts_with(cookie, "X-BackEndOverrideCookie=") || starts_with(cookie, "exchangecookie=");
}

/* Those two and no others: what else a gateway hands out is its own affair. */
static void keep_cookies(struct exchange_stream *s, const struct exchange_session *x)
{
	struct slice  rest = buffer_held(&x->web.answer.fields);
	struct buffer kept;

	buffer_init(&kept, COOKIES_MOST);
	while (rest.len) {
		struct slice line = slice_cut(&rest, '\n'), cookie;

		if (!starts_with(line, "Set-Cookie:"))
			continue;
		cookie = slice_trim(slice_from(line, strlen("Set-Cookie:")));
		cookie = slice_trim(slice_cut(&cookie, ';'));
		if (is_affinity(cookie))
			buffer_print(&kept, "%s%.*s", kept.end ? "; " : "", (int)cookie.len, cookie.at);
	}
	if (kept.end) {
		s->cookies = must_alloc(kept.end + 1);
		memcpy(s->cookies, buffer_held(&kept).at, kept.end);
	}
	buffer_release(&kept);
}

void exchange_stream_subscribed(struct exchange_stream *s, struct exchange_session *x, const struct want *w)
{
	const struct ews_answer *a = x->answer;

	if (x->web.answer.status != 200 || !a || !a->count || error_in(a) || !a->subscription_id || !*a->subscription_id) {
		note_answer(s, x, w->now_ms);
		return;
	}
	s->subscription = must_copy(a->subscription_id);
	keep_cookies(s, x);
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

void exchange_stream_ask(struct exchange_stream *s, struct exchange_session *x)
{
	const char *id = s->subscription;

	exchange_stream_ask_for(s, x, &id, 1);
}

void exchange_stream_ask_for(struct exchange_stream *s, struct exchange_session *x, const char *const *subscription, size_t count)
{
	struct ews_header h = exchange_header(x);

	/* subscriptions of many are asked for by the login itself, in nobody's name */
	if (s->ears)
		h.act_as = NULL;
	buffer_clear(&x->soap);
	ews_get_stream(&x->soap, &h, subscription, count, MINUTES);
	exchange_ask(x, false);
	exchange_stream_add_affinity(s, x);
	x->web.answer.head_only = true;
}

static void take_line(struct exchange_stream *s, struct exchange_session *x, int64_t now_ms)
{
	exchange_session_park(x);
	s->session = x;
	s->opened_ms = s->alive_ms = now_ms;
	s->bytes = 0;
	s->stirred = s->tells = false;
	s->trouble = EXCHANGE_NO_TROUBLE;
}

enum want_kind exchange_stream_open_step(struct exchange_stream *s, struct exchange_session *x, struct want *w)
{
	struct error   err = { 0 };
	enum want_kind kind = exchange_answer_step(x, NULL, w, &err);

	if (kind > WANT_FAILED)
		return kind;
	if (kind == WANT_FAILED)
		note_trouble(s, EXCHANGE_BROKEN, fault_name(err.fault), w->now_ms);
	else if (x->web.answer.status != 200)
		note_answer(s, x, w->now_ms);
	else if (x->web.answer.encoded || !x->web.line.open)
		note_trouble(s, EXCHANGE_BROKEN, "no stream", w->now_ms);
	else
		take_line(s, x, w->now_ms);
	return WANT_NOTHING;
}

/* -- hearing ------------------------------------------------------------------------------------------------------ */

/* What may be a new message in the folder. What went, or was read, is none. */
static void take_event(void *self, const struct ews_item *e)
{
	struct exchange_stream *s = self;
	const char             *subscription = ews_answer(s->reader)->subscription_id;

	if (e->kind != EWS_EVENT || e->of_folder
	    || (e->change != EWS_NEW_MAIL && e->change != EWS_CREATED && e->change != EWS_MOVED && e->change != EWS_COPIED))
		return;
	s->tells = true;
	if (s->ears && subscription)
		s->ears->stirred(s->ears->self, subscription);
}

static void over(struct exchange_stream *s, enum exchange_trouble trouble, const char *why, int64_t now_ms)
{
	note_trouble(s, trouble, why, now_ms);
	close_line(s);
	s->heard = EXCHANGE_OVER;
}

static bool is_lost_subscription(const struct ews_outcome *o, size_t i)
{
	return o->value[i].name && o->value[i].value && strcmp(o->value[i].name, "SubscriptionId") == 0;
}

/* Does an error say which subscriptions it is about? As many as are kept may not be all. */
static bool names_the_lost(const struct ews_outcome *o)
{
	bool any = false;

	for (size_t i = 0; i < o->values && i < EWS_VALUES; i++)
		any |= is_lost_subscription(o, i);
	return any && !o->fault && o->values < EWS_VALUES;
}

static bool is_error(const struct ews_outcome *o)
{
	return !o->ok && !o->warning;
}

/* Errors about some subscriptions of several, and about no more: those are told. False: it is more. */
static bool told_lost(struct exchange_stream *s, const struct ews_answer *a, int64_t now_ms)
{
	if (!s->ears || a->count > EWS_OUTCOMES)
		return false;
	for (size_t n = 0; n < a->count; n++)
		if (is_error(&a->outcome[n]) && !names_the_lost(&a->outcome[n]))
			return false;
	for (size_t n = 0; n < a->count; n++)
		for (size_t i = 0; is_error(&a->outcome[n]) && i < a->outcome[n].values; i++)
			if (is_lost_subscription(&a->outcome[n], i))
				s->ears->lost(s->ears->self, a->outcome[n].value[i].value, a->outcome[n].code, now_ms);
	return true;
}

/* A whole envelope. */
static void take_envelope(struct exchange_stream *s, int64_t now_ms)
{
	const struct ews_answer  *a = ews_answer(s->reader);
	const struct ews_outcome *o = error_in(a);

	if (o && !told_lost(s, a, now_ms)) {
		note_outcome(s, o, now_ms);
		close_line(s);
		s->heard = EXCHANGE_OVER;
		return;
	}
	if (!a->count) {
		over(s, EXCHANGE_BROKEN, "an envelope with nothing in it", now_ms);
		return;
	}
	s->alive_ms = now_ms;
	if (a->connection_status && strcmp(a->connection_status, "Closed") == 0) {
		over(s, EXCHANGE_CLOSED, "closed", now_ms);
		return;
	}
	s->notifications += s->tells;
	s->stirred |= s->tells;
	s->tells = false;
	end_envelope(s);
}

/* A piece of the body, in which an envelope may end and another one begin. Stops where it is over. */
static void take_piece(struct exchange_stream *s, struct slice piece, int64_t now_ms)
{
	const struct ews_listener listener = { .self = s, .item = take_event };
	struct error              err = { 0 };
	size_t                    used;

	s->bytes += piece.len;
	if (s->bytes > BYTES_MOST) {
		over(s, EXCHANGE_BROKEN, "much is said, and nothing new", now_ms);
		return;
	}
	while (piece.len && s->session) {
		if (!s->reader) {
			s->job = arena_new();
			s->reader = ews_reader_new(s->job, LONGEST_TEXT, &listener);
		}
		if (!ews_feed(s->reader, piece, &used, &err)) {
			over(s, EXCHANGE_BROKEN, err.text, now_ms);
			return;
		}
		piece = slice_from(piece, used);
		if (ews_reader_whole(s->reader))
			take_envelope(s, now_ms);
	}
}

/* All that has come, so that what is told in two envelopes costs one turn; false: more is needed. */
static bool overheard(struct exchange_stream *s, int64_t now_ms)
{
	while (s->session) {
		struct web_session *web = &s->session->web;
		size_t              used = 0;
		struct http_event   e = http_next(&web->reader, buffer_held(&web->line.in), &used);

		if (e.said == HTTP_DATA)
			take_piece(s, e.data, now_ms);
		else if (e.said == HTTP_DONE)
			over(s, EXCHANGE_CLOSED, "ended", now_ms);
		else if (e.said == HTTP_BROKEN)
			over(s, EXCHANGE_BROKEN, http_broken(&web->reader), now_ms);
		if (!s->session)
			return true;
		buffer_drop(&web->line.in, used);
		if (e.said == HTTP_MORE)
			return s->stirred;
	}
	return true;
}

/* Nothing is held while nothing is said. */
static enum want_kind listen(struct exchange_stream *s, int64_t until_ms, struct want *w)
{
	struct line *l = &s->session->web.line;
	int64_t      dead_ms = s->alive_ms + DEAD_MS;

	if (!buffer_held(&l->in).len)
		buffer_release(&l->in);
	if (!buffer_held(&l->out).len)
		buffer_release(&l->out);
	return want_read(w, l, (int)((until_ms < dead_ms ? until_ms : dead_ms) - w->now_ms));
}

static void take_stir(struct exchange_stream *s)
{
	s->heard = EXCHANGE_STIRRED;
	s->stirred = false;
	s->bytes = 0;
}

enum want_kind exchange_stream_wait_step(struct exchange_stream *s, int64_t until_ms, struct want *w)
{
	enum came came = want_came(w);

	if (overheard(s, w->now_ms)) {
		if (s->session)
			take_stir(s);
		return WANT_NOTHING;
	}
	if (came != CAME && came != CAME_NOTHING && came != CAME_TIMEOUT) {
		over(s, EXCHANGE_BROKEN, came_name(came), w->now_ms);
		return WANT_NOTHING;
	}
	if (w->now_ms >= s->alive_ms + DEAD_MS) {
		over(s, EXCHANGE_BROKEN, "no sign of life", w->now_ms);
		return WANT_NOTHING;
	}
	if (w->now_ms >= until_ms) {
		s->heard = EXCHANGE_DUE;
		return WANT_NOTHING;
	}
	return listen(s, until_ms, w);
}
