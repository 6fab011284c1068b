#include "verify/exchange_event.h"

#include "wire/ical.h"

#define LOOKED_AT 50      /* of our subject, or in one minute of a day */

static const char *const operations[WEBEVENT_QUESTIONS] = { "FindItem", "CreateItem", "FindItem", "DeleteItem" };

static struct ews_folder calendar_of(const struct exchange_session *s)
{
	const char *name = s->primary ? s->primary : s->address;

	return (struct ews_folder){ .distinguished = "calendar", .mailbox = s->others ? name : NULL };
}

static struct ews_event event_of(const struct webevent *e)
{
	return (struct ews_event){ e->mark, WEBEVENT_SUBJECT, e->start, e->end, ical_zone_in_windows(e->zone) };
}

static void ask_ours(struct webevent *e)
{
	struct exchange_session *s = e->session;
	struct ews_header        h = exchange_header(s);
	struct ews_folder        where = calendar_of(s);

	buffer_clear(&s->soap);
	ews_find_events(&s->soap, &h, &where, WEBEVENT_SUBJECT, LOOKED_AT);
	exchange_ask(s, false);
}

static void ask_write(struct webevent *e)
{
	struct exchange_session *s = e->session;
	struct ews_header        h = exchange_header(s);
	struct ews_folder        where = calendar_of(s);
	struct ews_event         event = event_of(e);

	buffer_clear(&s->soap);
	if (e->first)
		ews_add_event(&s->soap, &h, &where, &event);
	else
		ews_move_event(&s->soap, &h, e->id, e->change_key, &event);
	exchange_ask(s, true);
}

/* By no clocks but UTC's: that is how Exchange tells, where nothing else is asked for (facts M C.3). */
static void ask_read(struct webevent *e)
{
	struct exchange_session *s = e->session;
	struct ews_header        h = exchange_header(s);
	struct ews_folder        where = calendar_of(s);

	buffer_clear(&s->soap);
	ews_calendar_view(&s->soap, &h, &where, e->from, e->to, LOOKED_AT);
	exchange_ask(s, false);
}

static void ask_removal(struct webevent *e)
{
	struct exchange_session *s = e->session;
	struct ews_header        h = exchange_header(s);

	buffer_clear(&s->soap);
	ews_delete_item(&s->soap, &h, &e->found[e->at], 1);
	exchange_ask(s, false);
}

static void take_item(void *self, const struct ews_item *item)
{
	struct webevent *e = self;

	if (item->kind != EWS_ITEM || !item->id)
		return;
	if (e->asked == WEBEVENT_OURS)
		webevent_saw(e, item->id, item->uid);
	if (e->asked == WEBEVENT_READ)
		webevent_told(e, item->id, item->uid, item->start, NULL);
	/* what was written, or what was read of it last */
	if (e->asked == WEBEVENT_WRITE || (e->id && strcmp(e->id, item->id) == 0)) {
		e->id = arena_str(e->job, item->id);
		e->change_key = item->change_key ? arena_str(e->job, item->change_key) : e->change_key;
	}
}

/* It refused the one thing that was asked of it, in so many words. */
static bool is_refused(const struct exchange_session *s)
{
	return s->answer && s->answer->count == 1 && !s->answer->outcome[0].ok && !s->answer->outcome[0].warning;
}

static bool is_gone(const struct exchange_session *s)
{
	return is_refused(s) && strcmp(s->answer->outcome[0].code, "ErrorItemNotFound") == 0;
}

static enum want_kind answer(struct webevent *e, struct want *w, struct error *err)
{
	struct exchange_session  *s = e->session;
	const struct ews_listener listener = { .self = e, .item = take_item };

	PASS(exchange_answer_step(s, &listener, w, err));
	e->refused = is_refused(s);
	e->well = (e->asked == WEBEVENT_REMOVE && is_gone(s))
	       || exchange_went_well(s, e->asked == WEBEVENT_WRITE && !e->first ? "UpdateItem" : operations[e->asked]);
	return WANT_NOTHING;
}

static void report_to(struct webevent *e, int step)
{
	struct exchange_session *s = e->session;

	s->reported = s->web.reported = step;
}

const struct webevent_ways exchange_event = { "exchange.calendar_event", { ask_ours, ask_write, ask_read, ask_removal }, answer, report_to };
