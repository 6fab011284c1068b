#include "provider/caldav_event.h"

#include <time.h>

#include "base/random.h"
#include "model/facts.h"
#include "provider/caldav_facts.h"

#define LASTS_S   900
#define AHEAD_H   26
#define TOKEN     20

enum { EVENT_START, EVENT_WRITE, EVENT_READ, EVENT_CHANGED, EVENT_REMOVE, EVENT_REMOVED, EVENT_GONE, EVENT_DONE };

/* Each with another law of summer time, and one that is half an hour off. */
static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Asia/Kolkata" };

void caldav_event_init(struct caldav_event *e, struct caldav_session *s)
{
	*e = (struct caldav_event){ .session = s };
}

void caldav_event_release(struct caldav_event *e)
{
	caldav_sync_release(&e->sync);
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

static bool takes_events(const struct caldav_calendar *c)
{
	return !(c->traits & DAV_RIGHTS) || (c->traits & DAV_MAY_ADD);
}

static void choose(struct caldav_event *e, const struct want *w)
{
	struct caldav_session *s = e->session;
	struct arena          *job = s->report->job;
	size_t                 n = 0;
	const char            *in;

	while (n + 1 < s->calendars && !takes_events(&s->calendar[n]))
		n++;
	in = s->calendar[n].target;
	e->calendar = in;
	e->token = s->calendar[n].sync_token;
	if (!e->uid)
		e->uid = arena_print(job, "mailmoor-%s", random_text(job, TOKEN));
	e->target = arena_print(job, "%s%s%s.ics", in, in[strlen(in) - 1] == '/' ? "" : "/", e->uid);
	e->start = (w->now_unix / 3600 + AHEAD_H) * 3600;
}

static int64_t start_of(const struct caldav_event *e)
{
	return e->start + (int64_t)e->zone * 3600;
}

static bool write_it(struct caldav_event *e, const struct want *w)
{
	struct caldav_session *s = e->session;
	struct ical_test       t = { .uid = e->uid, .summary = "Mailmoor test", .zone = zones[e->zone], .stamp = w->now_unix, .start = start_of(e),
	                             .end = start_of(e) + LASTS_S, .sequence = (unsigned)e->zone };
	const char            *only = e->zone == 0 ? "If-None-Match: *" : e->etag ? arena_print(s->report->job, "If-Match: %s", e->etag) : NULL;

	buffer_clear(&s->body);
	if (!ical_write_test(&s->body, &t))
		return false;
	caldav_ask(s, "PUT", e->target, only, NULL);
	s->request.header[0] = "Content-Type: text/calendar; charset=utf-8; component=VEVENT";
	s->request.once = true;
	e->may_be_there = true;
	return true;
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

static void take_back(void *self, const struct dav_resource *r)
{
	struct caldav_session *s = self;
	struct caldav_event   *e = s->event;
	struct arena          *job = s->report->job;
	const struct http_url *url = caldav_follow(s, e->calendar, slice_str(r->href));
	struct ical_object    *o;

	if (!url || !dav_same_path(url->target, e->target))
		return;
	e->listed = true;
	e->etag = r->etag ? arena_str(job, r->etag) : NULL;
	if (!r->data.at || !ical_read(r->data, job, &o, NULL))
		return;
	e->right = true;
	e->read_start = ical_event(o, 0)->start;
	e->read_by = ical_event(o, 0)->zone_by;
	e->read_zone = ical_event(o, 0)->zone;
	ical_free(o);
}

static const char *utc(int64_t at, struct arena *into)
{
	time_t    seconds = (time_t)at;
	struct tm t;

	gmtime_r(&seconds, &t);
	return arena_print(into, "%04d%02d%02dT%02d%02d%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

/* What takes place at that moment, as the server has it. */
static void ask_back(struct caldav_event *e)
{
	struct caldav_session *s = e->session;
	struct arena          *job = s->report->job;

	e->listed = e->right = false;
	buffer_clear(&s->body);
	dav_query(&s->body, utc(start_of(e), job), utc(start_of(e) + 60, job), true);
	caldav_ask(s, "REPORT", e->calendar, "Depth: 1", take_back);
}

static bool is_well(int status)
{
	return status == 200 || status == 201 || status == 204;
}

/* Says what is wrong with it, if anything. */
static bool is_as_written(struct caldav_event *e)
{
	struct caldav_session *s = e->session;
	struct report         *r = s->report;
	bool                   on_time = e->right && e->read_start == start_of(e);

	if (!caldav_is_multistatus(s)) {
		caldav_http_facts(s);
		return false;
	}
	report_note(r, s->reported, FACT_EVENT_LISTED, "%s", e->listed ? "yes" : "no");
	if (e->right)
		report_note(r, s->reported, FACT_EVENT_READ, "%s as %s, zone %s by %s", zones[e->zone], utc(e->read_start, r->job),
		            e->read_zone ? e->read_zone : "-", ical_zone_by_name(e->read_by));
	if (e->right && e->read_by == ZONE_UNKNOWN)
		report_note(r, s->reported, FACT_EVENT_ZONE, "unknown");
	if (e->right && !on_time)
		report_note(r, s->reported, FACT_EVENT_SHIFT, "%lld", (long long)(e->read_start - start_of(e)));
	if (e->listed && !e->right)
		report_note(r, s->reported, FACT_REPLY_BROKEN, "%s", "no calendar object");
	return on_time;
}

/* -- changes ------------------------------------------------------------------------------------------------------ */

static void take_told(void *self, const struct caldav_change *c)
{
	struct caldav_event *e = self;

	if (dav_same_path(c->target, e->target))
		e->told = c->gone ? "gone" : "changed";
}

static void begin_changes(struct caldav_event *e)
{
	e->told = NULL;
	caldav_sync_release(&e->sync);
	caldav_sync_init(&e->sync, e->session, e->calendar, e->token);
	e->sync.change = take_told;
	e->sync.self = e;
	e->sync.with_data = true;
}

static void end_changes(struct caldav_event *e, const char *awaited, const struct want *w)
{
	struct caldav_session *s = e->session;

	report_note(s->report, s->reported, FACT_SYNC_TOLD, "%s", e->told ? e->told : "nothing");
	caldav_end(s, e->told && strcmp(e->told, awaited) == 0 ? STEP_PASSED : STEP_WARNED, w);
	e->token = e->sync.next;
}

/* WANT_NOTHING whatever came of it. */
static enum want_kind changes(struct caldav_event *e, const char *awaited, struct want *w)
{
	enum want_kind kind = caldav_sync_step(&e->sync, w, &e->err);

	if (kind > WANT_FAILED)
		return kind;
	if (kind == WANT_NOTHING)
		end_changes(e, awaited, w);
	else
		e->token = NULL;
	return WANT_NOTHING;
}

/* -- all of it ---------------------------------------------------------------------------------------------------- */

static void ask_remove(struct caldav_event *e, const struct want *w)
{
	struct caldav_session *s = e->session;

	if (e->removes++ == 0)
		caldav_begin(s, "remove", w);
	buffer_clear(&s->body);
	caldav_ask(s, "DELETE", e->target, e->removes == 1 && e->etag ? arena_print(s->report->job, "If-Match: %s", e->etag) : NULL, NULL);
	s->request.header[0] = s->request.header[1];
	s->request.header[1] = NULL;
}

/* True: once more, whatever its tag is by now. It is ours, nobody else knows its name. */
static bool take_removed(struct caldav_event *e, const struct want *w)
{
	struct caldav_session *s = e->session;
	int                    status = s->web.answer.status;

	if (status == 412 && e->removes == 1)
		return true;
	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", status);
	caldav_end(s, is_well(status) || status == 404 || status == 410 || status == 202 ? STEP_PASSED : STEP_WARNED, w);
	return false;
}

/* The end of a question is not the end of the test: what was written has to go. */
static enum want_kind asked(struct caldav_event *e, struct want *w)
{
	enum want_kind kind = web_ask_step(&e->session->web, w, &e->err);

	if (kind == WANT_FAILED)
		e->failed = true;
	return kind == WANT_FAILED ? WANT_NOTHING : kind;
}

static void begin(struct caldav_event *e, const struct want *w)
{
	caldav_begin(e->session, "event", w);
	choose(e, w);
	report_note(e->session->report, e->session->reported, FACT_EVENT_AT, "%s", e->calendar);
	if (!write_it(e, w)) {
		caldav_failed(e->session, FAULT_LOCAL, w, &e->err, "no time zones on this machine");
		e->failed = true;
	}
}

static void take_written(struct caldav_event *e, const struct want *w)
{
	struct caldav_session *s = e->session;
	int                    status = s->web.answer.status;

	if (e->failed)
		return;
	if (!is_well(status)) {
		caldav_http_facts(s);
		caldav_failed(s, FAULT_REFUSED, w, &e->err, "the test event");
		e->may_be_there = e->zone > 0 || status >= 500;
		e->failed = true;
		return;
	}
	ask_back(e);
}

static void take_read(struct caldav_event *e, const struct want *w)
{
	struct caldav_session *s = e->session;

	if (e->failed)
		return;
	e->failed = !is_as_written(e);
	if (e->failed)
		caldav_failed(s, FAULT_BROKEN, w, &e->err, "the test event is not as it was written");
	else if (++e->zone == COUNT(zones))
		caldav_end(s, STEP_PASSED, w);
	else
		e->failed = !write_it(e, w);
}

enum want_kind caldav_event_step(void *self, struct want *w, struct error *err)
{
	struct caldav_event *e = self;

	switch (e->step) {
	case EVENT_START:
		e->session->event = e;
		begin(e, w);
		while (!e->failed && e->zone < COUNT(zones)) {
	STEP(e, EVENT_WRITE):
			PASS(asked(e, w));
			take_written(e, w);

	STEP(e, EVENT_READ):
			if (!e->failed)
				PASS(asked(e, w));
			take_read(e, w);
		}

		e->following = !e->failed && e->token;
		if (e->following)
			begin_changes(e);

	STEP(e, EVENT_CHANGED):
		if (e->following)
			PASS(changes(e, "changed", w));

	STEP(e, EVENT_REMOVE):
		if (!e->may_be_there)
			return WANT_NOTHING;
		e->failed = false;
		ask_remove(e, w);

	STEP(e, EVENT_REMOVED):
		PASS(asked(e, w));
		if (!e->failed && take_removed(e, w)) {
			e->step = EVENT_REMOVE;
			return caldav_event_step(e, w, err);
		}

		e->following = e->following && !e->failed && e->token && !w->stopping;
		if (e->following)
			begin_changes(e);

	STEP(e, EVENT_GONE):
		if (e->following)
			PASS(changes(e, "gone", w));

	STEP(e, EVENT_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
