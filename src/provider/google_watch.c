#include "provider/google_watch.h"

#include <stdlib.h>

#include "model/facts.h"
#include "wire/header.h"
#include "wire/http.h"

enum { OPEN_START, OPEN_SIGN_IN, OPEN_DONE };
enum { NEWS_START, NEWS_PAGE, NEWS_MESSAGE, NEWS_DATES };

#define MAILBOX      "/gmail/v1/users/me"
#define POLL_MS      (60 * 1000)
#define BUSY_MS      (2 * 60 * 1000)        /* where a busy server does not say how long               */
#define BUSY_TWICE   5                      /* and so often that doubles, while it stays busy          */
#define REST_MOST_MS (60 * 60 * 1000)       /* and where it says too much                              */
#define PAGES_MOST   10000                  /* of one round: who never comes to its end is left        */
#define DAY_S        (24 * 3600)
#define DATES_EVERY  5                      /* polls: the calendar is in less of a hurry, and has a limit of its own */
#define CALENDAR     "primary"
#define SKEW_S       300                    /* so far our clock may be from Google's */

/* So many at once are well below Google's limits (facts G B.4), and a page of them below ours. */
#define HISTORY_MOST "100"
#define INBOX_MOST   "50"

static const char *const headers = "&metadataHeaders=Subject&metadataHeaders=From&metadataHeaders=To&metadataHeaders=Message-ID"
                                   "&metadataHeaders=In-Reply-To&metadataHeaders=" HEADER_TEST;

void google_watch_init(struct google_watch *s, const struct google_access *access, const char *history, int64_t since)
{
	*s = (struct google_watch){ .access = *access, .poll_ms = POLL_MS, .history = history ? must_copy(history) : NULL, .since = since };
	google_watch_wake(s);
}

/* -- asleep and awake --------------------------------------------------------------------------------------------- */

void google_watch_wake(struct google_watch *s)
{
	const struct google_access *a = &s->access;
	const char                 *problem;

	if (s->session)
		return;
	s->report = report_new(a->address);
	s->report->provider = "google";
	/* one that cannot be read has no domain: nobody's account is that one */
	if (!mail_address_parse(a->address, s->report->job, &s->who, &problem))
		s->who = (struct mail_address){ .text = a->address, .local = "", .domain = "", .domain_shown = "" };
	s->session = must_alloc(sizeof *s->session);
	google_session_init(s->session, s->report, a->app, &s->who, NULL, a->waits, report_attempt(s->report));
	s->session->safe = a->safe;
	s->session->terms = a->terms;
	s->session->mail_alone = true;      /* the calendar's line is opened when it is its turn */
	for (enum google_place p = 0; p < GOOGLE_PLACES; p++)
		s->session->line[p].web.how = TLS_QUICK;
	s->asked = s->reporting = s->rest.stirred.open = false;
}

void google_watch_told(struct google_watch *s)
{
	arena_free(s->page);
	s->page = NULL;
	s->news = NULL;
	s->entries = NULL;
	s->count = s->taken = s->entry_count = 0;
}

static void end_page(struct google_watch *s)
{
	arena_free(s->ids);
	s->ids = NULL;
	s->arrival = NULL;
	s->arrivals = s->at = 0;
	s->fresh = false;
}

void google_watch_park(struct google_watch *s)
{
	if (s->session)
		google_session_release(s->session);
	free(s->session);
	report_free(s->report);
	s->session = NULL;
	s->report = NULL;
}

static void forget_text(char **text)
{
	free(*text);
	*text = NULL;
}

static void end_round(struct google_watch *s)
{
	end_page(s);
	forget_text(&s->next);
	forget_text(&s->until);
	s->newest = 0;
	s->pages = 0;
	s->more = s->through = false;
}

void google_watch_release(struct google_watch *s)
{
	google_watch_park(s);
	google_watch_told(s);
	end_round(s);
	forget_text(&s->history);
	forget_text(&s->sync);
	forget_text(&s->sync_page);
}

static bool has_mail(const struct google_watch *s)
{
	return rights_have_mail(s->access.terms.rights);
}

/* -- refusals ----------------------------------------------------------------------------------------------------- */

static int within_reason(int ms, int least)
{
	return ms > REST_MOST_MS ? REST_MOST_MS : ms < least ? least : ms;
}

static int status_of(const struct google_watch *s)
{
	return google_answer(s->session)->status;
}

static struct slice body_of(const struct google_watch *s)
{
	return buffer_held(&google_answer(s->session)->body);
}

/* One step for a page and its messages. */
static void end_step(struct google_watch *s, enum step_state state, const struct want *w)
{
	google_ask_end(s->session, state, w);
	s->reporting = false;
}

/* What was taken so far is told another time; nothing moves on. */
static void be_busy(struct google_watch *s, const struct want *w)
{
	int doubled = BUSY_MS << (s->busy < BUSY_TWICE ? s->busy : BUSY_TWICE);

	google_answer_facts(s->session);
	end_step(s, STEP_FAILED, w);
	s->busy_ms = s->rest_ms = within_reason(google_busy_ms(s->session, doubled), s->poll_ms);
	s->busy++;
	s->throttled++;
	s->at -= s->taken;
	google_watch_told(s);
	s->more = false;
}

/* Neither well nor busy: what it is shall find out who signs in anew, with every step in the report. */
static enum want_kind unwell(struct google_watch *s, const struct want *w, struct error *err)
{
	int status = status_of(s);

	if (status != 200) {
		google_answer_facts(s->session);
		fail(err, status >= 400 ? FAULT_REFUSED : FAULT_BROKEN, "%s: the inbox cannot be watched", s->who.text);
	} else {
		report_note(s->report, s->session->line[GOOGLE_MAIL].reported, FACT_REPLY_BROKEN, "%s", err->text);
	}
	end_step(s, STEP_FAILED, w);
	return WANT_FAILED;
}

static enum want_kind failed(struct google_watch *s, enum want_kind kind)
{
	if (kind == WANT_FAILED)
		s->asked |= s->session->at_authority || s->session->line[GOOGLE_MAIL].open;
	return kind;
}

/* -- one page ----------------------------------------------------------------------------------------------------- */

static void ask(struct google_watch *s, const char *target)
{
	google_question(s->session, GOOGLE_MAIL, "google.watch", s->reporting, target);
	s->reporting = true;
}

static void ask_page(struct google_watch *s)
{
	struct arena *a = s->page;      /* the session's lives as long as the turn, of which there may be thousands of questions */
	const char   *next = s->next ? arena_print(a, "&pageToken=%s", http_url_encode(s->next, a)) : "";

	end_page(s);
	if (s->through && !s->until)
		ask(s, MAILBOX "/profile");
	else if (s->through)
		ask(s, arena_print(a, MAILBOX "/messages?labelIds=INBOX&maxResults=" INBOX_MOST "%s", next));
	else
		ask(s, arena_print(a, MAILBOX "/history?startHistoryId=%s&historyTypes=messageAdded&historyTypes=labelAdded&maxResults="
			HISTORY_MOST "%s", s->history, next));
}

static void keep_text(char **kept, const char *text)
{
	char *copy = text ? must_copy(text) : NULL;

	free(*kept);
	*kept = copy;
}

/* Who comes to no end, or leads to where it was. */
static bool is_endless(struct google_watch *s, const char *next, struct error *err)
{
	if (next && (++s->pages > PAGES_MOST || (s->next && strcmp(s->next, next) == 0)))
		return !fail(err, FAULT_BROKEN, "%s: it comes to no end", s->who.text);
	return false;
}

static bool take_history(struct google_watch *s, struct error *err)
{
	struct google_history h;

	if (!google_history_read(body_of(s), s->ids, &h, err) || is_endless(s, h.next, err))
		return false;
	s->arrival = h.item;
	s->arrivals = h.count;
	keep_text(&s->next, h.next);
	keep_text(&s->until, h.until);
	return true;
}

/* By this page it is known whether to go on: the newest come first. */
static bool take_list(struct google_watch *s, struct error *err)
{
	struct google_messages m;

	if (!google_messages_read(body_of(s), s->ids, &m, err) || is_endless(s, m.next, err))
		return false;
	s->arrival = arena_get(s->ids, (m.count + 1) * sizeof *s->arrival);
	for (size_t i = 0; i < m.count; i++)
		s->arrival[s->arrivals++] = (struct google_arrival){ m.id[i], true };
	keep_text(&s->next, m.next);
	return true;
}

/* The moment from which on it is asked afterwards: before the first look, so that nothing falls between. */
static bool take_moment(struct google_watch *s, struct error *err)
{
	struct google_profile p;

	if (!google_profile_read(body_of(s), s->ids, &p, err))
		return false;
	if (!p.history)
		return fail(err, FAULT_BROKEN, "%s: a mailbox without a moment", s->who.text);
	keep_text(&s->until, p.history);
	return true;
}

static bool take_page(struct google_watch *s, struct error *err)
{
	s->ids = arena_new();
	if (s->through && !s->until)
		return take_moment(s, err);
	return s->through ? take_list(s, err) : take_history(s, err);
}

/* Gmail has forgotten that moment (facts G B.2). False: it was not asked for one. */
static bool forget(struct google_watch *s)
{
	if (s->through || status_of(s) != 404)
		return false;
	end_round(s);
	return s->through = s->renumbered = true;
}

/* WANT_NOTHING: a page, or it is busy. */
static enum want_kind page_step(struct google_watch *s, struct want *w, struct error *err)
{
	for (;;) {
		bool first;

		PASS(failed(s, google_ask_step(s->session, w, err)));
		s->asked = true;
		if (forget(s)) {
			google_answer_facts(s->session);
			end_step(s, STEP_WARNED, w);
			ask_page(s);
			continue;
		}
		if (google_is_busy(s->session))
			return be_busy(s, w), WANT_NOTHING;
		first = s->through && !s->until;
		if (status_of(s) != 200 || !take_page(s, err))
			return unwell(s, w, err);
		if (!first)
			return WANT_NOTHING;
		ask_page(s);
	}
}

/* -- one message -------------------------------------------------------------------------------------------------- */

static void ask_message(struct google_watch *s)
{
	ask(s, arena_print(s->page, MAILBOX "/messages/%s?format=metadata%s", s->arrival[s->at].id, headers));
}

static const char *in_one_line(struct google_watch *s, const char *text)
{
	return text ? header_text(slice_str(text), s->page) : NULL;
}

static const char *address_of(struct google_watch *s, const char *text)
{
	return text ? header_address(slice_str(text), s->page) : NULL;
}

static void take_news(struct google_watch *s, const struct google_message *m)
{
	s->newest = m->received > s->newest ? m->received : s->newest;
	s->fresh |= m->received > s->since;
	if (m->is_test || (s->arrival[s->at].moved && m->received <= s->since))
		return;
	s->news[s->count++] = (struct message){ .remote_id = arena_str(s->page, m->id), .received = m->received,
		.size = (unsigned long long)m->size, .subject = in_one_line(s, m->subject), .from = address_of(s, m->from),
		.to = address_of(s, m->to), .message_id = in_one_line(s, m->message_id), .in_reply_to = in_one_line(s, m->in_reply_to) };
}

/* What is gone by now (404) is no news. */
static bool take_message(struct google_watch *s, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct google_message        m;

	s->fresh |= status_of(s) == 404;
	if (status_of(s) == 404)
		return true;
	if (status_of(s) != 200 || !google_message_read(body_of(s), work, &m, err))
		return false;
	take_news(s, &m);
	return true;
}

/* The answer to ask_message(). WANT_NOTHING: taken, or it is busy. */
static enum want_kind message_step(struct google_watch *s, struct want *w, struct error *err)
{
	PASS(failed(s, google_ask_step(s->session, w, err)));
	s->asked = true;
	if (google_is_busy(s->session))
		return be_busy(s, w), WANT_NOTHING;
	if (!take_message(s, err))
		return unwell(s, w, err);
	s->at++;
	s->taken++;
	return WANT_NOTHING;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

/* By Google's clock where it tells one: what it received is dated by that. */
static int64_t moment_of(const struct google_watch *s, const struct want *w)
{
	const struct web_session *web = &s->session->line[GOOGLE_MAIL].web;
	struct slice              field;
	int64_t                   date;

	return web_field(web, "Date", &field) && http_date(field, &date) ? date : w->now_unix;
}

static enum want_kind begin_now(struct google_watch *s, const struct want *w, struct error *err)
{
	if (s->history || !has_mail(s))
		return WANT_NOTHING;
	if (!s->session->profile.history) {
		fail(err, FAULT_BROKEN, "%s: a mailbox without a moment", s->who.text);
		return WANT_FAILED;
	}
	keep_text(&s->history, s->session->profile.history);
	s->since = moment_of(s, w);
	return WANT_NOTHING;
}

enum want_kind google_watch_open_step(void *self, struct want *w, struct error *err)
{
	struct google_watch *s = self;
	enum want_kind       kind;

	switch (s->step) {
	case OPEN_START:
		google_session_take(s->session, s->access.grant);

	STEP(s, OPEN_SIGN_IN):
		kind = failed(s, google_open_step(s->session, w, err));
		if (kind == WANT_FAILED && err->fault == FAULT_BUSY) {
			s->busy_ms = within_reason(google_busy_ms(s->session, BUSY_MS), s->poll_ms);
			s->throttled++;
		}
		PASS(kind);
		s->asked = true;
		if (begin_now(s, w, err) == WANT_FAILED)
			return WANT_FAILED;

	STEP(s, OPEN_DONE):
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the calendar ------------------------------------------------------------------------------------------------- */

static bool has_dates(const struct google_watch *s)
{
	const char *scope = s->session->grant.scope;

	return !scope || strstr(scope, "https://www.googleapis.com/auth/calendar");
}

static bool is_calendar_due(const struct google_watch *s, const struct want *w)
{
	return w->now_ms >= s->dates_ms && has_dates(s);
}

static void ask_dates(struct google_watch *s, const struct want *w)
{
	struct arena *a = s->session->job;
	const char   *sync = s->sync ? arena_print(a, "&syncToken=%s", http_url_encode(s->sync, a)) : "";
	const char   *page = s->sync_page ? arena_print(a, "&pageToken=%s", http_url_encode(s->sync_page, a)) : "";

	if (!s->sync_page || !s->looked)
		s->looked = s->sync_page && s->synced ? s->synced : w->now_unix;
	google_question(s->session, GOOGLE_CALENDAR, "google.events", false, arena_print(a, "/calendar/v3/calendars/" CALENDAR
		"/events?maxResults=100&showDeleted=true&maxAttendees=1%s%s", sync, page));
}

static const char *line_of(struct google_watch *s, const char *text)
{
	return text ? header_text_utf8(slice_str(text), s->page) : NULL;
}

static struct calendar_change change_of(struct google_watch *s, const struct google_event *e)
{
	struct calendar_change c = { .kind = e->gone ? CALENDAR_REMOVED : e->created >= s->synced ? CALENDAR_ADDED : CALENDAR_CHANGED,
		.calendar = CALENDAR, .remote_id = arena_str(s->page, e->id) };

	if (e->gone || !google_moment(&e->start, &c.start) || !google_moment(&e->end, &c.end))
		return c;
	c.known = true;
	c.uid = line_of(s, e->uid);
	c.title = line_of(s, e->summary);
	c.zone = line_of(s, e->start.zone);
	c.all_day = e->start.day;
	c.recurs = e->recurs;
	c.is_private = e->hidden;
	return c;
}

/* What is seen for the first time is not told, and of a second look at all of it only what has changed since. */
static bool is_told(const struct google_watch *s, const struct google_event *e)
{
	return s->synced && (!s->again || e->updated > s->synced - SKEW_S);
}

static void take_events(struct google_watch *s, const struct google_events *p)
{
	s->entries = arena_get(s->page, (p->count + 1) * sizeof *s->entries);
	for (size_t i = 0; i < p->count; i++)
		if (is_told(s, &p->item[i])) {
			struct calendar_change c = change_of(s, &p->item[i]);

			s->entries[s->entry_count++] = (struct calendar_news){ .calendar = CALENDAR, .name = c.remote_id, .told = true,
			                                                       .change = c };
		}
}

/* That is all for a while. */
static void leave_dates(struct google_watch *s, const struct want *w)
{
	s->dates = s->more = false;
	s->dates_ms = w->now_ms + (int64_t)DATES_EVERY * s->poll_ms;
}

static bool take_dates(struct google_watch *s, const struct want *w, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct google_events p;

	if (!google_events_read(body_of(s), work, &p, err))
		return false;
	if (!p.next && !p.sync)
		return fail(err, FAULT_BROKEN, "it leads neither on nor to an end");
	if (p.next && s->sync_page && strcmp(p.next, s->sync_page) == 0)
		return fail(err, FAULT_BROKEN, "it comes to no end");
	take_events(s, &p);
	keep_text(&s->sync_page, p.next);
	s->more = p.next != NULL;
	if (p.next)
		return true;
	keep_text(&s->sync, p.sync);
	s->synced = s->looked;
	s->again = false;
	leave_dates(s, w);
	return true;
}

/* Google has forgotten the token (facts G C), or the page. */
static void forget_dates(struct google_watch *s)
{
	forget_text(&s->sync);
	forget_text(&s->sync_page);
	s->again = s->more = true;
	s->calendar_resets++;
}

/* The answer to ask_dates(); what goes wrong here is the calendar's alone. */
static enum want_kind dates_step(struct google_watch *s, struct want *w, struct error *err)
{
	enum want_kind kind = google_ask_step(s->session, w, err);
	int            status = kind == WANT_NOTHING ? status_of(s) : 0;

	if (kind > WANT_FAILED || (kind == WANT_FAILED && (err->fault == FAULT_LOCAL || w->stopping || !has_mail(s))))
		return kind;
	if (kind == WANT_FAILED) {
		*err = (struct error){ 0 };
		leave_dates(s, w);
		return WANT_NOTHING;
	}
	if (status == 200 && take_dates(s, w, err)) {
		google_ask_end(s->session, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	if (status == 200)
		report_note(s->report, s->session->line[GOOGLE_CALENDAR].reported, FACT_REPLY_BROKEN, "%s", err->text);
	else
		google_answer_facts(s->session);
	google_ask_end(s->session, STEP_FAILED, w);
	if ((status == 410 || (status == 400 && s->sync_page)) && (s->sync || s->sync_page) && !s->again) {
		forget_dates(s);
		return WANT_NOTHING;
	}
	if (!has_mail(s) && !google_is_busy(s->session)) {
		if (!err->fault)
			fail(err, FAULT_REFUSED, "%s: the calendar cannot be watched", s->who.text);
		return WANT_FAILED;
	}
	*err = (struct error){ 0 };
	s->throttled += google_is_busy(s->session);
	leave_dates(s, w);
	return WANT_NOTHING;
}

/* -- the turn ----------------------------------------------------------------------------------------------------- */

/* The round is over: from here on it is asked, once what it brought is kept. */
static void finish_round(struct google_watch *s)
{
	keep_text(&s->history, s->until);
	if (s->newest - DAY_S > s->since)
		s->since = s->newest - DAY_S;
	end_round(s);
}

static void finish_part(struct google_watch *s, const struct want *w)
{
	/* of the inbox only what is not older than what is known already */
	if (s->at == s->arrivals && s->through && !s->fresh)
		forget_text(&s->next);
	s->more = s->at < s->arrivals || s->next;
	s->busy = 0;
	if (s->more)
		return;
	finish_round(s);
	s->dates = s->more = is_calendar_due(s, w);
}

/* Who is told need not ask for the inbox each time that the calendar is looked at. */
static bool is_for_dates(const struct google_watch *s, const struct want *w)
{
	return s->told && !s->rest.woken && w->now_ms < s->mail_ms && is_calendar_due(s, w);
}

static void begin_part(struct google_watch *s, const struct want *w)
{
	google_session_take(s->session, s->access.grant);
	if (!s->more)
		s->dates = is_for_dates(s, w);
	if (!s->more && !s->dates)
		s->mail_ms = 0;
	s->busy_ms = 0;
	s->rest_ms = s->poll_ms;
	s->renumbered = false;
	google_watch_told(s);
	s->page = arena_new();
	s->polls += !s->more && !s->dates;
	s->dates |= !has_mail(s);
	if (!s->dates)
		s->news = arena_get(s->page, GOOGLE_NEWS_MOST * sizeof *s->news);
}

enum want_kind google_watch_news_step(void *self, struct want *w, struct error *err)
{
	struct google_watch *s = self;

	switch (s->step) {
	case NEWS_START:
		begin_part(s, w);
		if (s->dates) {
			ask_dates(s, w);

	STEP(s, NEWS_DATES):
			PASS(dates_step(s, w, err));
			s->step = NEWS_START;
			return WANT_NOTHING;
		}
		if (s->at == s->arrivals) {
			ask_page(s);

	STEP(s, NEWS_PAGE):
			PASS(page_step(s, w, err));
		}
		while (!s->busy_ms && s->at < s->arrivals && s->taken < GOOGLE_NEWS_MOST) {
			ask_message(s);

	STEP(s, NEWS_MESSAGE):
			PASS(message_step(s, w, err));
		}
		if (!s->busy_ms) {
			end_step(s, STEP_PASSED, w);
			finish_part(s, w);
		}
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

void google_watch_rest(struct google_watch *s, int ms, const struct want *w)
{
	int64_t left, dates = has_dates(s) ? s->dates_ms - w->now_ms : INT64_MAX;

	if (ms <= s->poll_ms)
		return;
	if (!s->mail_ms)
		s->mail_ms = w->now_ms + ms;
	left = s->mail_ms - w->now_ms;
	dates += dates < ms ? dates / 7 + 1 : 0;      /* so that the dice of the wait do not wake it before */
	left = left < dates ? left : dates;
	s->rest_ms = left > s->poll_ms ? (int)left : s->poll_ms;
}

enum want_kind google_watch_wait_step(void *self, struct want *w, struct error *err)
{
	struct google_watch *s = self;

	(void)err;
	return rest_step(&s->rest, s->rest_ms, s->busy_ms > 0, s->told, w);
}
