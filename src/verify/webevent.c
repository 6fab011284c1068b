#include "verify/webevent.h"

#include <time.h>

#include "base/random.h"
#include "model/facts.h"
#include "wire/ews.h"
#include "wire/ical.h"

/* As caldav_event.c has them. */
#define LASTS_S 900
#define AHEAD_H 26
#define TOKEN   20

enum { EVENT_START, EVENT_EARLIER, EVENT_TIDY, EVENT_WRITE, EVENT_READ, EVENT_REMOVE, EVENT_FIND, EVENT_GONE, EVENT_DONE };

/* Each with another law of summer time, and one that is half an hour off. */
static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Asia/Kolkata" };

void webevent_init(struct webevent *e, const struct webevent_ways *ways, void *session, struct report *r, int attempt)
{
	*e = (struct webevent){ .ways = ways, .session = session, .report = r, .attempt = attempt, .reported = -1, .job = arena_new() };
	e->mark = arena_print(e->job, WEBEVENT_MARK "%s", random_text(e->job, TOKEN));
}

void webevent_release(struct webevent *e)
{
	arena_free(e->job);
	*e = (struct webevent){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static void begin(struct webevent *e, const char *id, const struct want *w)
{
	e->reported = report_begin(e->report, id, e->attempt, w->now_ms);
	e->ways->report_to(e, e->reported);
}

static void end(struct webevent *e, enum step_state state, const struct want *w)
{
	report_end(e->report, e->reported, state, w->now_ms);
}

/* What was broken off by whoever called it off has not failed. */
static void end_event(struct webevent *e, const struct want *w)
{
	bool called_off = !e->done && w->stopping;

	if (called_off)
		e->report->step[e->reported].skip = "called_off";
	end(e, e->done ? STEP_PASSED : called_off ? STEP_SKIPPED : STEP_FAILED, w);
}

/* -- times -------------------------------------------------------------------------------------------------------- */

static const char *written(int64_t at, const char *form, struct arena *into)
{
	time_t    seconds = (time_t)at;
	struct tm t;
	char      text[40];

	gmtime_r(&seconds, &t);
	strftime(text, sizeof text, form, &t);
	return arena_str(into, text);
}

static int64_t start_of(const struct webevent *e)
{
	return e->begins + (int64_t)e->round * 3600;
}

/* By the clocks of that zone. */
static bool clock_text(const struct webevent *e, int64_t at, const char **out)
{
	int64_t clock;

	if (!ical_clock_of(at, slice_str(e->zone), &clock))
		return false;
	*out = written(clock, "%Y-%m-%dT%H:%M:%S", e->job);
	return true;
}

/* False: this machine does not know the zone. */
static bool next_time(struct webevent *e)
{
	e->first = e->round == 0;
	e->zone = zones[e->round];
	e->told_in = zones[(e->round + 1) % COUNT(zones)];
	e->from = written(start_of(e), "%Y-%m-%dT%H:%M:%SZ", e->job);
	e->to = written(start_of(e) + 60, "%Y-%m-%dT%H:%M:%SZ", e->job);
	return clock_text(e, start_of(e), &e->start) && clock_text(e, start_of(e) + LASTS_S, &e->end);
}

/* -- questions ---------------------------------------------------------------------------------------------------- */

static void ask(struct webevent *e, enum webevent_question question)
{
	e->asked = question;
	e->well = e->refused = e->lost = false;
	if (question == WEBEVENT_OURS)
		e->count = e->at = 0;
	e->ways->ask[question](e);
}

/* The end of a question is not the end of the test: what was written has to go. */
static enum want_kind answered(struct webevent *e, struct want *w)
{
	enum want_kind kind = e->ways->answer(e, w, &e->err);

	if (kind > WANT_FAILED)
		return kind;
	if (kind == WANT_FAILED) {
		e->lost = true;
		e->well = false;
	}
	return WANT_NOTHING;
}

void webevent_saw(struct webevent *e, const char *id, const char *mark)
{
	if (id && mark && slice_starts(slice_str(mark), WEBEVENT_MARK) && e->count < WEBEVENT_FOUND)
		e->found[e->count++] = arena_str(e->job, id);
}

static bool has_zone(const char *text)
{
	const char *hour = text ? strchr(text, 'T') : NULL;

	return hour && strpbrk(hour, "Zz+-");
}

void webevent_told(struct webevent *e, const char *id, const char *mark, const char *start, const char *zone)
{
	if (!(id && e->id && strcmp(id, e->id) == 0) && !(mark && strcmp(mark, e->mark) == 0))
		return;
	e->listed = true;
	e->read_start = ews_time(start);
	e->right = e->read_start != 0;
	e->read_zone = zone ? arena_str(e->job, zone) : NULL;
	if (e->right && zone && !has_zone(start))
		e->zone_unknown = !ical_moment_of(e->read_start, slice_str(zone), &e->read_start);
}

/* -- one round ---------------------------------------------------------------------------------------------------- */

static void write_it(struct webevent *e)
{
	e->may_be_there = true;
	ask(e, WEBEVENT_WRITE);
}

static void read_it(struct webevent *e)
{
	e->listed = e->right = e->zone_unknown = false;
	ask(e, WEBEVENT_READ);
}

/* Says what is wrong with it, if anything. */
static bool is_as_written(struct webevent *e)
{
	struct report *r = e->report;
	bool           on_time = e->right && !e->zone_unknown && e->read_start == start_of(e);

	report_note(r, e->reported, FACT_EVENT_LISTED, "%s", e->listed ? "yes" : "no");
	if (e->right)
		report_note(r, e->reported, FACT_EVENT_READ, "%s as %s, zone %s", e->zone, written(e->read_start, "%Y%m%dT%H%M%SZ", e->job),
		            e->read_zone ? e->read_zone : "-");
	if (e->zone_unknown)
		report_note(r, e->reported, FACT_EVENT_ZONE, "unknown");
	else if (e->right && !on_time)
		report_note(r, e->reported, FACT_EVENT_SHIFT, "%lld", (long long)(e->read_start - start_of(e)));
	if (e->listed && !e->right)
		report_note(r, e->reported, FACT_REPLY_BROKEN, "%s", "an event without a time");
	return on_time;
}

static void begin_event(struct webevent *e, const struct want *w)
{
	begin(e, e->ways->id, w);
	report_note(e->report, e->reported, FACT_EVENT_AT, "%s", "calendar");
	e->begins = (w->now_unix / 3600 + AHEAD_H) * 3600;
	ask(e, WEBEVENT_OURS);
}

/* True: the next one is asked away. */
static bool next_removal(struct webevent *e)
{
	e->left |= !e->well;
	if (++e->at >= e->count)
		return false;
	ask(e, WEBEVENT_REMOVE);
	return true;
}

static bool first_removal(struct webevent *e)
{
	e->left = false;
	if (!e->well || !e->count)
		return false;
	ask(e, WEBEVENT_REMOVE);
	return true;
}

/* True: something is to be removed. */
static bool begin_removal(struct webevent *e, const struct want *w)
{
	if (!e->may_be_there)
		return false;
	begin(e, "calendar.remove", w);
	e->left = e->again = false;
	if (e->id) {
		e->found[0] = e->id;
		e->count = 1;
		e->at = 0;
		ask(e, WEBEVENT_REMOVE);
	} else {
		ask(e, WEBEVENT_OURS);
	}
	return true;
}

/* The line was lost, or the whole called off, just then: once more, over another one. */
static bool is_asked_again(struct webevent *e)
{
	if (!e->lost || e->again)
		return false;
	e->again = true;
	ask(e, e->asked);
	return true;
}

enum want_kind webevent_step(void *self, struct want *w, struct error *err)
{
	struct webevent *e = self;

	(void)err;
	switch (e->step) {
	case EVENT_START:
		if (w->stopping) {
			report_skip(e->report, e->ways->id, e->attempt, "called_off", w->now_ms);
			return WANT_NOTHING;
		}
		begin_event(e, w);

	STEP(e, EVENT_EARLIER):
		PASS(answered(e, w));
		if (e->well && e->count)
			report_note(e->report, e->reported, FACT_EVENT_EARLIER, "%zu", e->count);
		e->done = e->well;
		if (first_removal(e))
			do {
	STEP(e, EVENT_TIDY):
				PASS(answered(e, w));
			} while (next_removal(e) && !w->stopping);

		while (e->done && e->round < COUNT(zones)) {
			e->done = !w->stopping && next_time(e);
			if (!e->done)
				break;
			write_it(e);
	STEP(e, EVENT_WRITE):
			PASS(answered(e, w));
			e->may_be_there = !e->first || !e->refused;
			e->done = e->well;
			if (!e->done)
				break;
			read_it(e);
	STEP(e, EVENT_READ):
			PASS(answered(e, w));
			e->done = e->well && is_as_written(e);
			e->round++;
		}
		end_event(e, w);

	STEP(e, EVENT_REMOVE):
		if (!begin_removal(e, w))
			return WANT_NOTHING;

	STEP(e, EVENT_FIND):
		if (e->asked == WEBEVENT_OURS) {
			do
				PASS(answered(e, w));
			while (is_asked_again(e));
			e->again = false;
			if (!first_removal(e)) {
				end(e, e->well ? STEP_PASSED : STEP_WARNED, w);
				return WANT_NOTHING;
			}
		}

	STEP(e, EVENT_GONE):
		do
			PASS(answered(e, w));
		while (is_asked_again(e) || next_removal(e));
		end(e, e->left ? STEP_WARNED : STEP_PASSED, w);

	STEP(e, EVENT_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
