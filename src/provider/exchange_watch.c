#include "provider/exchange_watch.h"

#include <stdlib.h>

#include "base/random.h"
#include "model/facts.h"
#include "provider/exchange_facts.h"
#include "wire/header.h"

enum { OPEN_START, OPEN_SIGN_IN, OPEN_THROUGH, OPEN_DONE };
enum { NEWS_START, NEWS_ANCHORED, NEWS_SUBSCRIBE, NEWS_SYNC, NEWS_ITEMS, NEWS_STREAM, NEWS_THROUGH, NEWS_DONE };
enum { WAIT_START, WAIT_STREAM, WAIT_GATE, WAIT_OVER, WAIT_DONE };
enum { THROUGH_START, THROUGH_PAGE, THROUGH_DONE };

#define POLL_MS      (60 * 1000)
#define STREAM_MS    (15 * 60 * 1000)       /* between two polls where a stream stands       */
#define PAUSE_MS     1000                   /* at least, between two turns of a stream       */
#define BUSY_MS      (5 * 60 * 1000)        /* where a busy server does not say how long  */
#define REST_MOST_MS (60 * 60 * 1000)       /* and where it says too much                 */
#define ANCHOR_MS    (15 * 1000)            /* for another's subscription, on which ours depends */
#define PAGES_MOST   10000                  /* of one mailbox: a server that never comes to its end is left */

void exchange_watch_init(struct exchange_watch *s, const struct exchange_access *access, const char *sync_state)
{
	*s = (struct exchange_watch){ .access = *access, .poll_ms = POLL_MS, .sync_state = sync_state ? must_copy(sync_state) : NULL };
	exchange_watch_wake(s);
}

void exchange_watch_streams(struct exchange_watch *s)
{
	s->stream = exchange_stream_new();
}

void exchange_watch_shares(struct exchange_watch *s, struct exchange_group *group)
{
	s->seat = exchange_seat_take(group, s->access.mailbox);
	s->stream = s->seat->stream;
}

bool exchange_watch_is_told(const struct exchange_watch *s)
{
	return s->seat ? exchange_seat_heard(s->seat) : exchange_stream_stands(s->stream);
}

static void release_stream(struct exchange_watch *s)
{
	if (s->seat)
		exchange_seat_leave(s->seat);
	else
		exchange_stream_free(s->stream);
	s->seat = NULL;
	s->stream = NULL;
}

/* -- asleep and awake --------------------------------------------------------------------------------------------- */

void exchange_watch_wake(struct exchange_watch *s)
{
	const struct exchange_access *a = &s->access;

	if (s->session)
		return;
	s->report = report_new(a->address);
	s->report->provider = "exchange";
	s->session = must_alloc(sizeof *s->session);
	exchange_session_init(s->session, s->report, a->endpoint, a->login, a->mailbox, a->waits, report_attempt(s->report));
	s->session->others = a->others;
	s->session->act_as = a->act_as;
	s->session->web.how = TLS_QUICK;
	s->asked = s->refused = false;
	s->back = s->schema != NULL;
	if (s->back)
		exchange_back(s->session, s->scheme, s->schema);
}

void exchange_watch_told(struct exchange_watch *s)
{
	arena_free(s->page);
	s->page = NULL;
	s->news = NULL;
	s->count = 0;
}

void exchange_watch_park(struct exchange_watch *s)
{
	if (s->session)
		exchange_session_release(s->session);
	free(s->session);
	report_free(s->report);
	s->session = NULL;
	s->report = NULL;
}

void exchange_watch_release(struct exchange_watch *s)
{
	exchange_watch_park(s);
	exchange_watch_told(s);
	release_stream(s);
	free(s->sync_state);
	s->sync_state = NULL;
}

/* -- one question ------------------------------------------------------------------------------------------------- */

static void name_inbox(struct exchange_watch *s)
{
	s->folder = (struct ews_folder){ .distinguished = "inbox", .mailbox = s->access.others ? s->access.mailbox : NULL };
}

static void ask_changes(struct exchange_watch *s, const char *state, unsigned most, const struct ews_listener *listener)
{
	struct exchange_session *x = s->session;
	struct ews_header        h = exchange_header(x);

	name_inbox(s);
	s->polls++;
	buffer_clear(&x->soap);
	ews_sync_items(&x->soap, &h, &s->folder, state, most);
	exchange_ask(x, false);
	exchange_stream(x, listener);
}

/* A line that was opened again in the midst of a turn is signed in to again, and that may be refused. */
static void take_refusal(struct exchange_watch *s, const struct want *w)
{
	struct exchange_session *x = s->session;

	if (s->back || x->web.answer.status != 401 || !x->web.last_leg)
		return;
	s->refused = true;
	x->report->password_tries += s->access.login->password != NULL;
	exchange_end(x, STEP_PASSED, w);
	exchange_begin(x, "login", w);
	exchange_login_facts(x);
	report_note(x->report, x->reported, FACT_AUTH_CREDENTIALS, "%s", "after");
}

/* The answer; the first one of a turn tells whether we are let in at all. A busy server's is an answer as well. */
static enum want_kind answer(struct exchange_watch *s, struct want *w, struct error *err)
{
	struct exchange_session *x = s->session;
	enum want_kind           kind = s->back ? exchange_back_step(x, w, err) : exchange_answer_step(x, NULL, w, err);

	s->asked |= x->asked || x->web.asked;
	s->refused |= x->refused;
	if (kind > WANT_FAILED)
		return kind;
	if (kind == WANT_FAILED && err->fault != FAULT_BUSY)
		return WANT_FAILED;
	*err = (struct error){ 0 };
	take_refusal(s, w);
	if (s->back)
		exchange_begin(x, "watch", w);
	s->back = false;
	return WANT_NOTHING;
}

static int within_reason(long long ms, int least)
{
	return ms > REST_MOST_MS ? REST_MOST_MS : ms < least ? least : (int)ms;
}

static bool is_busy(const char *code)
{
	static const char *const codes[] = { "ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorExceededFindCountLimit", "ErrorTooManyObjectsOpened" };

	for (size_t i = 0; code && i < COUNT(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

/* How long the server said that it wants to be left alone; 0: it did not. */
static int asked_to_wait(struct exchange_watch *s)
{
	struct exchange_session *x = s->session;
	unsigned long long       seconds = 0;
	struct slice             field;

	if (x->web.answer.status == 503 && web_field(&x->web, "Retry-After", &field) && slice_number(slice_trim(field), 24 * 3600, &seconds))
		return within_reason((long long)seconds * 1000, s->poll_ms);
	return x->back_off_ms ? within_reason(x->back_off_ms, s->poll_ms) : 0;
}

/* The same of one that is busy, be it that it does not say how long; 0: it is not. */
static int busy_ms(struct exchange_watch *s)
{
	struct exchange_session  *x = s->session;
	const struct ews_outcome *o = x->answer && x->answer->count ? &x->answer->outcome[0] : NULL;
	int                       ms;

	if (o && !o->ok && !o->warning)
		exchange_outcome_facts(x, "SyncFolderItems", o);
	ms = asked_to_wait(s);
	if (ms)
		return ms;
	return x->web.answer.status == 503 || (o && is_busy(o->code)) ? within_reason(BUSY_MS, s->poll_ms) : 0;
}

static bool is_code(const struct exchange_session *x, const char *code)
{
	return x->answer && x->answer->count && x->answer->outcome[0].code && strcmp(x->answer->outcome[0].code, code) == 0;
}

/* The state is of another time, or of another database. */
static bool is_unknown_state(const struct exchange_session *x)
{
	return is_code(x, "ErrorInvalidSyncStateData") || is_code(x, "ErrorSyncFolderNotFound");
}

static bool is_well(const struct exchange_session *x)
{
	return x->web.answer.status == 200 && x->answer && x->answer->count && (x->answer->outcome[0].ok || x->answer->outcome[0].warning);
}

/* Neither well nor busy: what it is shall find out who signs in anew, with every step in the report. */
static enum want_kind unwell(struct exchange_watch *s, const char *what, const struct want *w, struct error *err)
{
	struct exchange_session *x = s->session;

	exchange_http_facts(x);
	exchange_end(x, STEP_FAILED, w);
	fail(err, x->web.answer.status >= 400 || (x->answer && x->answer->count) ? FAULT_REFUSED : FAULT_BROKEN, "%s: %s",
	     s->access.endpoint->host, what);
	return WANT_FAILED;
}

static enum want_kind rest(struct exchange_watch *s)
{
	s->rest_ms = s->poll_ms;
	s->more = false;
	return WANT_NOTHING;
}

/* Busy, for that long: the report says so. */
static enum want_kind rest_busy(struct exchange_watch *s, int ms, const struct want *w)
{
	if (s->session->web.answer.status == 503)
		exchange_http_facts(s->session);
	exchange_end(s->session, STEP_FAILED, w);
	rest(s);
	s->throttled++;
	return s->rest_ms = s->busy_ms = ms, WANT_NOTHING;
}

/* -- known from now on -------------------------------------------------------------------------------------------- */

static void keep_state(struct exchange_watch *s, const char *state)
{
	char *kept = must_copy(state);

	free(s->sync_state);
	s->sync_state = kept;
}

/* `before`: the state that was asked from; who answers with the same one would be asked for ever. */
static bool has_another_page(const struct exchange_session *x, const char *before)
{
	return !x->answer->last_in_range && (!before || strcmp(before, x->answer->sync_state) != 0);
}

/* All pages, up to the state that stands at the end of the last: `next`, which is taken when all have been seen. */
static enum want_kind go_through(struct exchange_watch *s, struct want *w, struct error *err)
{
	struct exchange_session  *x = s->session;
	const struct ews_listener nobody = { 0 };
	bool                      more;

	switch (s->through.step) {
	case THROUGH_START:
		exchange_watch_told(s);
		s->page = arena_new();
		s->next = NULL;
		s->ids = 0;

		for (;;) {
			ask_changes(s, s->next, EXCHANGE_FIRST_MOST, &nobody);

	STEP(&s->through, THROUGH_PAGE):
			PASS(answer(s, w, err));
			if (!is_well(x) || !x->answer->sync_state || s->ids++ >= PAGES_MOST) {
				s->busy_ms = busy_ms(s);
				s->throttled += s->busy_ms > 0;
				unwell(s, "the inbox cannot be gone through", w, err);
				err->fault = s->busy_ms ? FAULT_BUSY : err->fault;
				return WANT_FAILED;
			}
			more = has_another_page(x, s->next);
			s->next = arena_str(s->page, x->answer->sync_state);
			if (!more)
				break;
		}
		keep_state(s, s->next);
		exchange_watch_told(s);
		s->ids = 0;

	STEP(&s->through, THROUGH_DONE):
		s->through.step = THROUGH_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

enum want_kind exchange_watch_open_step(void *self, struct want *w, struct error *err)
{
	struct exchange_watch   *s = self;
	struct exchange_session *x = s->session;
	enum want_kind           kind;

	switch (s->step) {
	case OPEN_START:
	STEP(s, OPEN_SIGN_IN):
		kind = exchange_open_step(x, w, err);
		s->asked = x->asked || x->web.asked;
		s->refused = x->refused;
		if (kind == WANT_FAILED && (s->busy_ms = asked_to_wait(s)))
			s->throttled++;
		PASS(kind);
		if (!x->inbox_open) {
			fail(err, FAULT_NOT_OFFERED, "%s was reached, and there is no way to sign in", s->access.endpoint->host);
			return WANT_FAILED;
		}
		s->scheme = x->web.scheme;
		s->schema = x->schema;
		exchange_begin(x, "watch", w);

	STEP(s, OPEN_THROUGH):
		if (!s->sync_state)
			PASS(go_through(s, w, err));

	STEP(s, OPEN_DONE):
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- news --------------------------------------------------------------------------------------------------------- */

static void take_change(void *self, const struct ews_item *item)
{
	struct exchange_watch *s = self;

	if (item->kind == EWS_ITEM && item->change == EWS_CREATED && !item->of_folder && item->id && s->ids < EXCHANGE_NEWS_MOST)
		s->id[s->ids++] = arena_str(s->page, item->id);
}

static const char *field(struct exchange_watch *s, struct slice header, const char *name, bool is_address)
{
	struct slice body;

	if (!header_find(header, name, &body))
		return NULL;
	return is_address ? header_address(body, s->page) : header_text(body, s->page);
}

static const char *kept(struct exchange_watch *s, const char *text)
{
	return text && *text ? arena_str(s->page, text) : NULL;
}

/* A test message of ours is no news. */
static void take_message(void *self, const struct ews_item *item)
{
	struct exchange_watch *s = self;
	struct slice           header = slice_str(item->headers ? item->headers : ""), test;

	if (item->kind != EWS_ITEM || !item->id || s->count == EXCHANGE_NEWS_MOST || header_find(header, "X-Mailmoor-Test", &test))
		return;
	s->news[s->count++] = (struct message){
		.remote_id = kept(s, item->id), .size = item->size, .received = ews_time(item->received),
		.message_id = kept(s, item->internet_message_id), .subject = kept(s, item->subject), .from = kept(s, item->from_address),
		.to = field(s, header, "To", true), .in_reply_to = field(s, header, "In-Reply-To", false),
	};
}

static void begin_page(struct exchange_watch *s)
{
	exchange_watch_told(s);
	s->page = arena_new();
	s->news = arena_get(s->page, EXCHANGE_NEWS_MOST * sizeof *s->news);
	s->id = arena_get(s->page, EXCHANGE_NEWS_MOST * sizeof *s->id);
	s->ids = 0;
	s->renumbered = false;
	ask_changes(s, s->sync_state, EXCHANGE_NEWS_MOST, &(struct ews_listener){ .self = s, .item = take_change });
}

static void ask_items(struct exchange_watch *s)
{
	struct exchange_session *x = s->session;
	struct ews_header        h = exchange_header(x);

	buffer_clear(&x->soap);
	ews_get_item(&x->soap, &h, s->id, s->ids, false);
	exchange_ask(x, false);
	exchange_stream(x, &(struct ews_listener){ .self = s, .item = take_message });
}

/* What was asked for and is gone meanwhile is no failure: each item has an outcome of its own. */
static bool has_items(const struct exchange_session *x)
{
	return x->web.answer.status == 200 && x->answer && x->answer->count && !x->answer->outcome[0].fault;
}

/* -- with a stream ------------------------------------------------------------------------------------------------ */

static bool wants_subscription(const struct exchange_watch *s, int64_t now_ms)
{
	if (s->seat)
		return exchange_seat_wanted(s->seat, now_ms);
	return exchange_stream_wanted(s->stream, now_ms) && !s->stream->subscription;
}

/* Where the first one's failed after all, one of the others will be the first in its next turn. */
static bool is_anchored(const struct exchange_watch *s)
{
	return !s->seat || !(exchange_seat_waits(s->seat) || (s->waited && !s->seat->group->anchor));
}

/* Before it is asked what is new, so that nothing falls between. */
static void begin_subscription(struct exchange_watch *s, const struct want *w)
{
	s->subscribing = wants_subscription(s, w->now_ms) && is_anchored(s);
	s->waited = false;
	if (!s->subscribing)
		return;
	name_inbox(s);
	if (s->seat)
		exchange_seat_subscribe(s->seat, s->session, &s->folder);
	else
		exchange_stream_subscribe(s->stream, s->session, &s->folder);
}

static void end_subscription(struct exchange_watch *s, const struct want *w)
{
	if (s->subscribing && s->seat)
		exchange_seat_subscribed(s->seat, s->session, w);
	else if (s->subscribing)
		exchange_stream_subscribed(s->stream, s->session, w);
	s->throttled += s->subscribing && s->stream->trouble == EXCHANGE_BUSY;
	s->subscribing = false;
}

/* The one that is to be opened in this turn. */
static struct exchange_stream *line_of(const struct exchange_watch *s)
{
	return s->seat ? s->seat->group->stream : s->stream;
}

static bool wants_line(const struct exchange_watch *s, int64_t now_ms)
{
	return s->seat ? exchange_seat_opens(s->seat, now_ms) : exchange_stream_wanted(s->stream, now_ms) && s->stream->subscription;
}

/* When all that was new is known. */
static void begin_stream(struct exchange_watch *s, const struct want *w)
{
	s->opening = !s->more && wants_line(s, w->now_ms);
	if (s->opening && s->seat)
		exchange_seat_ask(s->seat, s->session);
	else if (s->opening)
		exchange_stream_ask(s->stream, s->session);
}

/* Where it stands the session is the stream's. */
static enum want_kind end_stream(struct exchange_watch *s, const struct want *w, struct error *err)
{
	s->opening = false;
	if (s->seat)
		exchange_seat_opened(s->seat, w);
	if (exchange_stream_stands(line_of(s))) {
		s->session = NULL;
		report_free(s->report);
		s->report = NULL;
		return WANT_NOTHING;
	}
	s->throttled += line_of(s)->trouble == EXCHANGE_BUSY;
	take_refusal(s, w);
	return s->refused ? unwell(s, "the news cannot be streamed", w, err) : WANT_NOTHING;
}

/* Where a stream is to be tried again sooner than it is polled, that is the time. */
static int pause_ms(const struct exchange_watch *s, int64_t now_ms)
{
	const struct exchange_stream *st = s->stream;
	int64_t                       left;

	if (exchange_watch_is_told(s))
		return s->poll_ms < STREAM_MS ? STREAM_MS : s->poll_ms;
	if (!st || s->seat || st->trouble == EXCHANGE_NOT_OFFERED)
		return s->poll_ms;
	left = st->next_ms - now_ms;
	return left < s->poll_ms ? left < PAUSE_MS ? PAUSE_MS : (int)left : s->poll_ms;
}

static int dice_of(int ms)
{
	uint32_t dice;

	random_bytes(&dice, sizeof dice);
	return (int)(dice % (uint32_t)(ms / 4 + 1));
}

/* An eighth to either side; who is busy is left alone for no less than it says. */
static int with_dice(const struct exchange_watch *s)
{
	bool least = s->busy_ms || (s->stream && !exchange_watch_is_told(s) && s->rest_ms < s->poll_ms);

	return least ? s->rest_ms + dice_of(s->rest_ms) / 2 : s->rest_ms - s->rest_ms / 8 + dice_of(s->rest_ms);
}

enum want_kind exchange_watch_wait_step(void *self, struct want *w, struct error *err)
{
	struct exchange_watch *s = self;

	(void)err;
	switch (s->wait.step) {
	case WAIT_START:
		s->turned_ms = w->now_ms;
		s->until_ms = w->now_ms + with_dice(s);
		if (s->seat)
			exchange_seat_park(s->seat, s->busy_ms > 0);
		if (s->seat && !s->busy_ms) {
			AWAIT(&s->wait, WAIT_GATE, want_gate(w, &s->seat->gate, (int)(s->until_ms - w->now_ms))):
			want_came(w);
			s->until_ms = s->turned_ms + PAUSE_MS;
		}

	STEP(&s->wait, WAIT_STREAM):
		if (!s->seat && exchange_stream_stands(s->stream) && !s->busy_ms) {
			PASS(exchange_stream_wait_step(s->stream, s->until_ms, w));
			s->throttled += s->stream->heard == EXCHANGE_OVER && s->stream->trouble == EXCHANGE_BUSY;
			s->until_ms = s->stream->heard == EXCHANGE_DUE ? w->now_ms : s->turned_ms + PAUSE_MS;
		}
		if (s->until_ms > w->now_ms) {
			AWAIT(&s->wait, WAIT_OVER, want_time(w, (int)(s->until_ms - w->now_ms))):
			want_came(w);
		}

	STEP(&s->wait, WAIT_DONE):
		s->wait.step = WAIT_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the turn ----------------------------------------------------------------------------------------------------- */

enum want_kind exchange_watch_news_step(void *self, struct want *w, struct error *err)
{
	struct exchange_watch   *s = self;
	struct exchange_session *x = s->session;
	int                      ms;

	switch (s->step) {
	case NEWS_START:
		s->busy_ms = 0;
		if (s->seat)
			exchange_seat_awake(s->seat);
		s->waited = s->seat && wants_subscription(s, w->now_ms) && exchange_seat_waits(s->seat);
		if (s->waited) {
			AWAIT(s, NEWS_ANCHORED, want_gate(w, &s->seat->group->anchored, ANCHOR_MS)):
			want_came(w);
		}
		begin_subscription(s, w);

	STEP(s, NEWS_SUBSCRIBE):
		if (s->subscribing) {
			PASS(answer(s, w, err));
			if (s->refused) {
				s->step = NEWS_START;
				return unwell(s, "no subscription", w, err);
			}
			end_subscription(s, w);
		}
		begin_page(s);

	STEP(s, NEWS_SYNC):
		PASS(answer(s, w, err));
		if (is_unknown_state(x)) {
			s->renumbered = true;
			free(s->sync_state);
			s->sync_state = NULL;
			s->step = NEWS_THROUGH;
			return exchange_watch_news_step(s, w, err);
		}
		if (!is_well(x) || !x->answer->sync_state) {
			s->step = NEWS_START;
			ms = busy_ms(s);
			return ms ? rest_busy(s, ms, w) : unwell(s, "the inbox cannot be watched", w, err);
		}
		s->next = arena_str(s->page, x->answer->sync_state);
		s->more = has_another_page(x, s->sync_state);
		if (s->ids)
			ask_items(s);

	STEP(s, NEWS_ITEMS):
		if (s->ids) {
			PASS(answer(s, w, err));
			ms = has_items(x) ? 0 : busy_ms(s);
			if (ms || !has_items(x)) {
				s->step = NEWS_START;
				s->count = 0;
				return ms ? rest_busy(s, ms, w) : unwell(s, "the news cannot be read", w, err);
			}
		}
		keep_state(s, s->next);
		begin_stream(s, w);

	STEP(s, NEWS_STREAM):
		if (s->opening) {
			PASS(exchange_stream_open_step(line_of(s), x, w));
			PASS(end_stream(s, w, err));
		}
		s->step = NEWS_START;
		s->rest_ms = pause_ms(s, w->now_ms);
		return WANT_NOTHING;

	case NEWS_THROUGH:
		PASS(go_through(s, w, err));
		s->step = NEWS_START;
		return rest(s);
	}
	return WANT_FAILED;
}
