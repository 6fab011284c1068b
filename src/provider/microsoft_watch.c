#include "provider/microsoft_watch.h"

#include <stdlib.h>

#include "model/facts.h"
#include "wire/header.h"

enum { OPEN_START, OPEN_SIGN_IN, OPEN_THROUGH, OPEN_DONE };
enum { NEWS_START, NEWS_PAGE };

#define POLL_MS      (60 * 1000)
#define BUSY_MS      (2 * 60 * 1000)        /* where a busy server does not say how long       */
#define REST_MOST_MS (60 * 60 * 1000)       /* and where it says too much                      */
#define PAGES_MOST   10000                  /* of one round: who never comes to its end is left */
#define RESTARTS_MOST 3                     /* of rounds, in one turn                          */
#define NEWS_FIRST   16                     /* so many are thought of, and then twice as many          */
#define DAY_S        (24 * 3600)
#define NOTHING_YET  INT64_MAX              /* received after that: nothing is                 */

void microsoft_watch_init(struct microsoft_watch *s, const struct microsoft_access *access, const char *delta_link, int64_t since)
{
	*s = (struct microsoft_watch){ .access = *access, .poll_ms = POLL_MS, .delta_link = delta_link ? must_copy(delta_link) : NULL,
	                               .since = delta_link ? since : NOTHING_YET };
	microsoft_watch_wake(s);
}

/* -- asleep and awake --------------------------------------------------------------------------------------------- */

void microsoft_watch_wake(struct microsoft_watch *s)
{
	const struct microsoft_access *a = &s->access;
	const char                    *problem;

	if (s->session)
		return;
	s->report = report_new(a->address);
	s->report->provider = "microsoft";
	/* one that cannot be read has no domain: nobody's account is that one */
	if (!mail_address_parse(a->address, s->report->job, &s->who, &problem))
		s->who = (struct mail_address){ .text = a->address, .local = "", .domain = "", .domain_shown = "" };
	s->session = must_alloc(sizeof *s->session);
	microsoft_session_init(s->session, s->report, a->app, &s->who, NULL, a->waits, report_attempt(s->report));
	s->session->safe = a->safe;
	s->session->terms = a->terms;
	s->session->delegate = a->delegate;
	s->session->others = a->delegate != NULL;
	s->session->entra.how = s->session->web.how = TLS_QUICK;
	s->asked = s->rest.stirred.open = false;
	s->restarts = 0;
}

void microsoft_watch_told(struct microsoft_watch *s)
{
	arena_free(s->page);
	s->page = NULL;
	s->news = NULL;
	s->count = 0;
}

static void end_page(struct microsoft_watch *s)
{
	graph_page_free(s->reading);
	s->reading = NULL;
	s->taken = s->room = 0;
	s->page_newest = 0;
}

void microsoft_watch_park(struct microsoft_watch *s)
{
	end_page(s);
	if (s->session)
		microsoft_session_release(s->session);
	free(s->session);
	report_free(s->report);
	s->session = NULL;
	s->report = NULL;
}

static void end_round(struct microsoft_watch *s)
{
	free(s->next_link);
	s->next_link = NULL;
	s->newest = 0;
	s->pages = 0;
	s->more = false;
}

void microsoft_watch_release(struct microsoft_watch *s)
{
	microsoft_watch_park(s);
	microsoft_watch_told(s);
	end_round(s);
	free(s->delta_link);
	s->delta_link = NULL;
}

/* -- one page ----------------------------------------------------------------------------------------------------- */

static const char *in_one_line(struct microsoft_watch *s, struct slice text)
{
	return text.at ? header_text_utf8(text, s->page) : NULL;
}

static struct message *room_for_news(struct microsoft_watch *s)
{
	struct message *more;

	if (s->taken == s->room) {
		s->room = s->room ? 2 * s->room : NEWS_FIRST;
		more = arena_get(s->page, s->room * sizeof *more);
		if (s->taken)
			memcpy(more, s->news, s->taken * sizeof *more);
		s->news = more;
	}
	return &s->news[s->taken++];
}

static void take_message(void *self, const struct graph_news *m)
{
	struct microsoft_watch *s = self;

	if (m->removed)
		return;
	s->page_newest = m->received > s->page_newest ? m->received : s->page_newest;
	if (m->received > s->since)
		*room_for_news(s) = (struct message){ .remote_id = arena_copy(s->page, m->id), .received = m->received,
			.subject = in_one_line(s, m->subject), .from = in_one_line(s, m->from),
			.message_id = in_one_line(s, m->internet_message_id) };
}

static bool take_piece(void *self, struct slice piece, struct error *err)
{
	struct microsoft_watch *s = self;

	if (s->session->web.answer.encoded)
		return fail(err, FAULT_BROKEN, "packed in a way that nobody asked for");
	if (!s->reading)
		s->reading = graph_page_new(&(struct graph_page_listener){ s, take_message });
	return graph_page_feed(s->reading, piece, err);
}

/* Else there is no news of mail, and it is only asked whether the calendar is still there. */
static bool has_mail(const struct microsoft_watch *s)
{
	return rights_have_mail(s->access.terms.rights);
}

/* False: the link that is kept leads elsewhere. */
static bool ask_page(struct microsoft_watch *s, unsigned most)
{
	struct microsoft_session *x = s->session;
	const char               *link = !has_mail(s) ? NULL : s->next_link ? s->next_link : s->delta_link;
	const char               *target = NULL;

	if (link && !(target = graph_link_target(link, x->graph.host)))
		return false;
	end_page(s);
	microsoft_watch_told(s);
	s->page = arena_new();
	if (!link)
		target = microsoft_target(x, has_mail(s) ? GRAPH_INBOX_DELTA : "/calendar?$select=id", s->page);
	s->polls++;
	/* neither is part of what the link remembers (facts M B.3) */
	x->question = (struct web_request){ .method = "GET", .target = target, .header = { "Accept: application/json",
		arena_print(s->page, "Prefer: IdType=\"ImmutableId\", odata.maxpagesize=%u", most) } };
	x->web.answer.piece = has_mail(s) ? take_piece : NULL;
	x->web.answer.taker = s;
	return true;
}

/* The round is over: from here on it is asked, once this page is kept. */
static void take_delta(struct microsoft_watch *s, const char *link)
{
	char *kept = must_copy(link);

	free(s->delta_link);
	s->delta_link = kept;
	if (s->since == NOTHING_YET)
		s->since = s->newest;
	else if (s->newest - DAY_S > s->since)
		s->since = s->newest - DAY_S;
	end_round(s);
}

static void take_next(struct microsoft_watch *s, const char *link)
{
	char *kept = must_copy(link);

	free(s->next_link);
	s->next_link = kept;
	s->more = true;
}

static bool finish_page(struct microsoft_watch *s, struct error *err)
{
	/* an answer without a body is none either */
	if (!s->reading && !take_piece(s, slice("", 0), err))
		return false;
	return graph_page_finish(s->reading, err);
}

static bool take_page(struct microsoft_watch *s, struct error *err)
{
	const char *host = s->session->graph.host, *next, *delta;

	if (!finish_page(s, err))
		return false;
	next = graph_page_next(s->reading);
	delta = graph_page_delta(s->reading);
	if (!graph_link_target(next ? next : delta, host))
		return fail(err, FAULT_BROKEN, "%s: it leads elsewhere", host);
	if (next && (++s->pages > PAGES_MOST || (s->next_link && strcmp(s->next_link, next) == 0)))
		return fail(err, FAULT_BROKEN, "%s: it comes to no end", host);
	s->count = s->taken;
	s->newest = s->page_newest > s->newest ? s->page_newest : s->newest;
	if (next)
		take_next(s, next);
	else
		take_delta(s, delta);
	end_page(s);
	return true;
}

/* -- refusals ----------------------------------------------------------------------------------------------------- */

static bool is_busy(int status)
{
	return status == 429 || status == 503 || status == 504;
}

static int within_reason(int ms, int least)
{
	return ms > REST_MOST_MS ? REST_MOST_MS : ms < least ? least : ms;
}

/* Graph has forgotten what that link stands for. */
static bool is_forgotten(const struct microsoft_watch *s)
{
	static const char *const codes[] = { "SyncStateNotFound", "SyncStateInvalid", "resyncRequired", "ErrorInvalidSyncStateData" };
	const struct web_answer *a = &s->session->web.answer;
	struct graph_error       e;

	if (a->status == 410)
		return true;
	if (a->status != 400 || !graph_error_read(buffer_held(&a->body), s->page, &e))
		return false;
	for (size_t i = 0; i < e.codes * COUNT(codes); i++)
		if (slice_is(slice_str(e.code[i / COUNT(codes)]), codes[i % COUNT(codes)]))
			return true;
	return false;
}

/* From the beginning; what was told stays told. False: that is where it was, or it was forgotten too often. */
static bool forget(struct microsoft_watch *s)
{
	if ((!s->delta_link && !s->next_link) || ++s->restarts > RESTARTS_MOST)
		return false;
	end_round(s);
	free(s->delta_link);
	s->delta_link = NULL;
	return s->renumbered = true;
}

/* Neither well nor busy: what it is shall find out who signs in anew, with every step in the report. */
static enum want_kind unwell(struct microsoft_watch *s, const struct want *w, struct error *err)
{
	struct microsoft_session *x = s->session;

	if (x->web.answer.status != 200) {
		microsoft_answer_facts(x);
		fail(err, x->web.answer.status >= 400 ? FAULT_REFUSED : FAULT_BROKEN, "%s: the inbox cannot be watched", x->graph.host);
	} else {
		report_note(x->report, x->reported, FACT_REPLY_BROKEN, "%s", err->text);
	}
	microsoft_ask_end(x, STEP_FAILED, w);
	return WANT_FAILED;
}

static void be_busy(struct microsoft_watch *s, const struct want *w)
{
	microsoft_answer_facts(s->session);
	microsoft_ask_end(s->session, STEP_FAILED, w);
	s->busy_ms = s->rest_ms = within_reason(microsoft_busy_ms(s->session, BUSY_MS), s->poll_ms);
	s->throttled++;
	s->count = 0;
	s->more = false;
}

static enum want_kind failed(struct microsoft_watch *s, enum want_kind kind)
{
	struct microsoft_session *x = s->session;

	if (kind == WANT_FAILED)
		s->asked |= x->at_authority || x->graph_open;
	/* it had begun well, and then it said why it does not go on */
	if (kind == WANT_FAILED && s->reading && *graph_page_error(s->reading))
		report_note(x->report, x->reported, FACT_GRAPH_CODE, "%s", graph_page_error(s->reading));
	return kind;
}

/* One question of a round, or the round begun anew where its link is forgotten. WANT_NOTHING: a page, or it is busy. */
static enum want_kind page_step(struct microsoft_watch *s, unsigned most, struct want *w, struct error *err)
{
	int status;

	for (;;) {
		PASS(failed(s, microsoft_ask_step(s->session, w, err)));
		s->session->web.answer.piece = NULL;
		s->asked = true;
		status = s->session->web.answer.status;
		if (!is_forgotten(s) || !forget(s))
			break;
		microsoft_answer_facts(s->session);
		microsoft_ask_end(s->session, STEP_WARNED, w);
		ask_page(s, most);
	}
	if (is_busy(status))
		return be_busy(s, w), WANT_NOTHING;
	if (status != 200 || (has_mail(s) && !take_page(s, err)))
		return unwell(s, w, err);
	microsoft_ask_end(s->session, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

static enum want_kind elsewhere(const struct microsoft_watch *s, struct error *err)
{
	fail(err, FAULT_BROKEN, "%s: it leads elsewhere", s->session->graph.host);
	return WANT_FAILED;
}

enum want_kind microsoft_watch_open_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_watch *s = self;
	enum want_kind          kind;

	switch (s->step) {
	case OPEN_START:
		microsoft_session_take(s->session, s->access.grant);

	STEP(s, OPEN_SIGN_IN):
		kind = failed(s, microsoft_open_step(s->session, w, err));
		if (kind == WANT_FAILED && err->fault == FAULT_BUSY) {
			s->busy_ms = within_reason(s->session->pause_ms, s->poll_ms);
			s->throttled++;
		}
		PASS(kind);
		while (has_mail(s) && !s->delta_link) {
			ask_page(s, MICROSOFT_FIRST_MOST);

	STEP(s, OPEN_THROUGH):
			PASS(page_step(s, MICROSOFT_FIRST_MOST, w, err));
			if (s->busy_ms) {
				fail(err, FAULT_BUSY, "%s: the inbox cannot be gone through", s->session->graph.host);
				return WANT_FAILED;
			}
		}

	STEP(s, OPEN_DONE):
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the turn ----------------------------------------------------------------------------------------------------- */

enum want_kind microsoft_watch_news_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_watch *s = self;

	switch (s->step) {
	case NEWS_START:
		microsoft_session_take(s->session, s->access.grant);
		s->busy_ms = 0;
		s->rest_ms = s->poll_ms;
		s->renumbered = false;
		if (!ask_page(s, MICROSOFT_NEWS_MOST))
			return elsewhere(s, err);

	STEP(s, NEWS_PAGE):
		PASS(page_step(s, MICROSOFT_NEWS_MOST, w, err));
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

enum want_kind microsoft_watch_wait_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_watch *s = self;

	(void)err;
	return rest_step(&s->rest, s->rest_ms, s->busy_ms > 0, s->told, w);
}
