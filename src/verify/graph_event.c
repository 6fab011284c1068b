#include "verify/graph_event.h"

#include "wire/http.h"
#include "wire/ical.h"

#define LOOKED_AT 50      /* of our subject, or in one minute of a day */

static void say(struct webevent *e, const char *method, const char *path, const char *prefer)
{
	struct microsoft_session *s = e->session;
	struct slice              body = buffer_held(&s->body);

	s->request = (struct web_request){ .method = method, .target = microsoft_target(s, path, e->job), .body = body,
		.header = { "Accept: application/json" } };
	if (body.len || prefer)
		s->request.header[1] = prefer ? prefer : "Content-Type: application/json";
	web_ask(&s->web, &s->request);
}

static const char *path_of(const struct webevent *e, const char *id)
{
	return arena_print(e->job, "/events/%s", http_url_encode(id, e->job));
}

/* By the subject it is looked for, by its mark it is known. */
static void ask_ours(struct webevent *e)
{
	struct microsoft_session *s = e->session;

	buffer_clear(&s->body);
	say(e, "GET", "/events?$top=50&$filter=subject%20eq%20'Mailmoor%20test'&" GRAPH_EVENT_FIELDS, NULL);
}

static void ask_write(struct webevent *e)
{
	struct microsoft_session    *s = e->session;
	const struct graph_new_event event = { e->mark, WEBEVENT_SUBJECT, e->start, e->end, ical_zone_in_windows(e->zone) };

	buffer_clear(&s->body);
	graph_event_write(&s->body, &event, e->first);
	say(e, e->first ? "POST" : "PATCH", e->first ? "/events" : path_of(e, e->id), NULL);
	s->request.once = true;
}

static void ask_read(struct webevent *e)
{
	struct microsoft_session *s = e->session;

	buffer_clear(&s->body);
	say(e, "GET", arena_print(e->job, "/calendarView?startDateTime=%s&endDateTime=%s&$top=50&" GRAPH_EVENT_FIELDS, e->from, e->to),
	    arena_print(e->job, "Prefer: outlook.timezone=\"%s\"", ical_zone_in_windows(e->told_in)));
}

/* For good: an event of ours is nobody's to find among what was deleted. Not every cloud of Microsoft's has that. */
static void ask_removal(struct webevent *e)
{
	struct microsoft_session *s = e->session;
	const char               *path = path_of(e, e->found[e->at]);

	buffer_clear(&s->body);
	if (e->plainly)
		say(e, "DELETE", path, NULL);
	else
		say(e, "POST", arena_print(e->job, "%s/permanentDelete", path), NULL);
}

static void take_page(struct webevent *e, struct slice body)
{
	struct graph_event seen[LOOKED_AT];
	int                count = graph_events_read(body, e->job, seen, LOOKED_AT);

	for (int i = 0; i < count; i++)
		if (e->asked == WEBEVENT_OURS)
			webevent_saw(e, seen[i].id, seen[i].transaction);
		else
			webevent_told(e, seen[i].id, seen[i].transaction, seen[i].start, seen[i].zone);
}

static bool is_coded(struct webevent *e, struct slice body, const char *code)
{
	struct graph_error refusal;

	graph_error_read(body, e->job, &refusal);
	for (size_t i = 0; i < refusal.codes; i++)
		if (strcmp(refusal.code[i], code) == 0)
			return true;
	return false;
}

static void take_answer(struct webevent *e)
{
	struct microsoft_session *s = e->session;
	struct slice              body = buffer_held(&s->web.answer.body);
	int                       status = s->web.answer.status;

	e->well = status >= 200 && status < 300;
	e->refused = status >= 400 && status < 500;
	if (e->well && e->asked == WEBEVENT_WRITE && e->first)
		e->id = graph_text(body, "id", e->job);
	else if (e->well && e->asked != WEBEVENT_WRITE && e->asked != WEBEVENT_REMOVE)
		take_page(e, body);
	else if (!e->well && e->asked == WEBEVENT_REMOVE)
		e->well = status == 404 && is_coded(e, body, "ErrorItemNotFound");
}

static enum want_kind answer(struct webevent *e, struct want *w, struct error *err)
{
	struct microsoft_session *s = e->session;

	PASS(web_ask_step(&s->web, w, err));
	take_answer(e);
	if (!e->well && e->refused && e->asked == WEBEVENT_REMOVE && !e->plainly) {
		e->plainly = true;
		ask_removal(e);
		return answer(e, w, err);
	}
	if (!e->well)
		microsoft_answer_facts(s);
	return WANT_NOTHING;
}

static void report_to(struct webevent *e, int step)
{
	struct microsoft_session *s = e->session;

	s->reported = s->web.reported = step;
}

const struct webevent_ways graph_event = { "microsoft.calendar_event", { ask_ours, ask_write, ask_read, ask_removal }, answer, report_to };
