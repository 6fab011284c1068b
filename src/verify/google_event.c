#include "verify/google_event.h"

#include "wire/http.h"

#define EVENTS "/calendars/primary/events"

/* Google takes the name of our choice, of digits and letters up to v (facts G C): a write that had no answer is known by it as well. */
static const char *name_of(const struct webevent *e)
{
	char *name = arena_str(e->job, e->mark), *to = name;

	for (const char *c = name; *c; c++)
		if (*c != '-')
			*to++ = *c > 'v' ? (char)('0' + (*c - 'w')) : *c;
	*to = '\0';
	return name;
}

static const char *path_of(const struct webevent *e, const char *id)
{
	return arena_print(e->job, EVENTS "/%s?sendUpdates=none", id);
}

static void ask_ours(struct webevent *e)
{
	google_ask_calendar(e->session, "GET", EVENTS "?maxResults=50&privateExtendedProperty=" GOOGLE_MARK "%3Dtest", slice(NULL, 0));
}

static void ask_write(struct webevent *e)
{
	struct google_session *s = e->session;
	struct google_new_event event;

	if (e->first)
		e->id = name_of(e);
	event = (struct google_new_event){ e->id, WEBEVENT_SUBJECT, "test", e->start, e->end, e->zone };
	buffer_clear(&s->body);
	google_event_write(&s->body, &event, e->first);
	google_ask_calendar(s, e->first ? "POST" : "PATCH", e->first ? EVENTS "?sendUpdates=none" : path_of(e, e->id), buffer_held(&s->body));
	s->line[GOOGLE_CALENDAR].request.once = true;
}

static void ask_read(struct webevent *e)
{
	google_ask_calendar(e->session, "GET", arena_print(e->job, EVENTS "?maxResults=50&singleEvents=true&timeMin=%s&timeMax=%s&timeZone=%s", e->from, e->to,
		http_url_encode(e->told_in, e->job)), slice(NULL, 0));
}

/* The protocol has nothing more final; Google empties its bin by itself. */
static void ask_removal(struct webevent *e)
{
	google_ask_calendar(e->session, "DELETE", path_of(e, e->found[e->at]), slice(NULL, 0));
}

/* What has our mark kept with it goes by a name that begins with it, too. */
static void take_page(struct webevent *e, struct slice body)
{
	struct google_events page;
	struct error         none = { 0 };

	if (!google_events_read(body, e->job, &page, &none))
		return;
	for (size_t i = 0; i < page.count; i++)
		if (page.item[i].gone)
			continue;
		else if (e->asked == WEBEVENT_READ)
			webevent_told(e, page.item[i].id, NULL, page.item[i].start.at, page.item[i].start.zone);
		else if (slice_starts(slice_str(page.item[i].id), GOOGLE_MARK))
			webevent_saw(e, page.item[i].id, WEBEVENT_MARK);
}

static enum want_kind answer(struct webevent *e, struct want *w, struct error *err)
{
	struct google_session *s = e->session;
	struct web_session    *web = &s->line[GOOGLE_CALENDAR].web;
	int                    status;

	PASS(web_ask_step(web, w, err));
	status = web->answer.status;
	e->well = status >= 200 && status < 300;
	e->refused = status >= 400 && status < 500;
	if (e->well && (e->asked == WEBEVENT_OURS || e->asked == WEBEVENT_READ))
		take_page(e, buffer_held(&web->answer.body));
	if (e->asked == WEBEVENT_REMOVE && (status == 404 || status == 410))
		e->well = true;
	if (!e->well)
		google_calendar_facts(s);
	return WANT_NOTHING;
}

static void report_to(struct webevent *e, int step)
{
	struct google_session *s = e->session;

	s->line[GOOGLE_CALENDAR].reported = s->line[GOOGLE_CALENDAR].web.reported = step;
}

const struct webevent_ways google_event = { "google.calendar_event", { ask_ours, ask_write, ask_read, ask_removal }, answer, report_to };
