#include "verify/exchange_mail.h"

#include "model/facts.h"
#include "verify/bounce.h"

#define ARRIVE_MS 60000      /* as long as that it is waited for, where the whole leaves it */
#define PAUSE_MS   1000
#define LOOKED_AT    20      /* items with our words in their subject: there is one, or there are few */
#define REPORT_BYTES 60000   /* of a report about it: its parts for programs come first */

enum { MAIL_START, MAIL_SEND, MAIL_LOOK, MAIL_PAUSE, MAIL_REPORT, MAIL_COPY, MAIL_REMOVE, MAIL_DONE };

void exchange_mail_init(struct exchange_mail *m, struct report *r, struct exchange_session *s, const char *address, const char *send_to)
{
	*m = (struct exchange_mail){ .exchange = s, .report = r, .address = address, .to = send_to ? send_to : address, .job = arena_new(),
	                             .reported = -1 };
	m->to_self = slice_is(slice_str(m->to), address);
	m->message = testmessage_new(address, m->to, m->job);
	buffer_init(&m->bytes, TESTMESSAGE_ROOM);
	buffer_init(&m->told, REPORT_BYTES);
}

void exchange_mail_release(struct exchange_mail *m)
{
	if (!m->job)
		return;
	buffer_release(&m->bytes);
	buffer_release(&m->told);
	arena_free(m->job);
	*m = (struct exchange_mail){ 0 };
}

static void begin(struct exchange_mail *m, const char *id, const struct want *w)
{
	m->reported = report_begin(m->report, id, m->exchange->attempt, w->now_ms);
	m->exchange->reported = m->exchange->web.reported = m->reported;
}

static void end(struct exchange_mail *m, enum step_state state, const struct want *w)
{
	report_end(m->report, m->reported, state, w->now_ms);
}

static void skip(struct exchange_mail *m, const char *id, const char *why, const struct want *w)
{
	report_skip(m->report, id, m->exchange->attempt, why, w->now_ms);
}

static void skip_rest(struct exchange_mail *m, const char *why, const struct want *w)
{
	skip(m, "send.arrive", why, w);
	skip(m, "send.copy", why, w);
	skip(m, "send.remove", why, w);
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

/* Other reports say that it came, or was read, or takes its time: they are neither our message nor the end of it. */
static bool is_report(const struct ews_item *item)
{
	return item->item_class && slice_starts(slice_str(item->item_class), "REPORT.");
}

static void take_report(struct exchange_mail *m, const struct ews_item *item)
{
	if (m->bounce || !slice_ends(slice_str(item->item_class), ".NDR"))
		return;
	m->bounce = arena_str(m->job, item->subject);
	m->bounce_id = arena_str(m->job, item->id);
}

static void take_item(void *self, const struct ews_item *item)
{
	struct exchange_mail *m = self;

	/* what the server found by its own reading of "contains" may be anybody's */
	if (item->kind != EWS_ITEM || !item->id || !item->subject || !strstr(item->subject, m->message.token))
		return;
	if (is_report(item)) {
		take_report(m, item);
		return;
	}
	m->here++;
	m->where = m->folder.distinguished;
	if (item->from_address)
		m->from = arena_str(m->job, item->from_address);
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->found[i], item->id) == 0)
			return;
	if (m->count < EXCHANGE_MAIL_FOUND)
		m->found[m->count++] = arena_str(m->job, item->id);
}

static void ask(struct exchange_mail *m, const char *folder)
{
	struct exchange_session *s = m->exchange;
	struct ews_header        h = exchange_header(s);

	m->here = 0;
	/* what is sent is kept by who sends it, also where that is for another's mailbox */
	m->folder = (struct ews_folder){ .distinguished = folder, .mailbox = s->others && strcmp(folder, "sentitems") != 0 ? m->address : NULL };
	buffer_clear(&s->soap);
	ews_find_item(&s->soap, &h, &m->folder, m->message.token, LOOKED_AT);
	exchange_ask(s, false);
}

/* Where it should come to; every fourth time where it may have been put instead. */
static void ask_arrival(struct exchange_mail *m)
{
	ask(m, m->to_self && ++m->rounds % 4 == 0 ? "junkemail" : "inbox");
}

static void take_told(void *self, struct slice piece)
{
	struct exchange_mail *m = self;
	size_t                room = REPORT_BYTES - buffer_held(&m->told).len;

	buffer_add(&m->told, slice_upto(piece, room));
}

static enum want_kind answer(struct exchange_mail *m, struct want *w)
{
	const struct ews_listener listener = { .self = m, .item = take_item, .mime = take_told };
	enum want_kind            kind = exchange_answer_step(m->exchange, &listener, w, &m->err);

	if (kind > WANT_FAILED)
		return kind;
	m->over |= kind == WANT_FAILED;
	return WANT_NOTHING;
}

static bool is_there(struct exchange_mail *m)
{
	if (!m->to_self && m->has_come)
		m->come |= m->has_come(m->asked, m->message.token, m->job, &m->header);
	return m->to_self ? m->here > 0 : m->come;
}

static void end_arrival(struct exchange_mail *m, const struct want *w)
{
	bool there = is_there(m);

	/* whoever calls it off has not found out anything */
	if (!there && w->stopping) {
		m->report->step[m->reported].skip = "called_off";
		end(m, STEP_SKIPPED, w);
		return;
	}
	if (m->report->step[m->reported].state != STEP_RUNNING)
		return;
	report_note(m->report, m->reported, FACT_SEND_TO, "%s", m->to);
	report_note(m->report, m->reported, FACT_SEND_FOUND, "%s", there ? "yes" : m->over ? "not yet" : "no");
	if (there && m->from)
		report_note(m->report, m->reported, FACT_SEND_FROM, "%s", m->from);
	if (there && m->to_self)
		report_note(m->report, m->reported, FACT_SEND_FOLDER, "%s", m->where);
	if (!there)
		report_note(m->report, m->reported, FACT_SEND_WAITED, "%d", (int)(w->now_ms - m->sent_ms));
	end(m, there ? STEP_PASSED : STEP_FAILED, w);
}

/* -- a report that it could not be delivered ---------------------------------------------------------------------------- */

static void ask_report(struct exchange_mail *m, const struct want *w)
{
	struct exchange_session *s = m->exchange;
	struct ews_header        h = exchange_header(s);

	begin(m, "send.bounce", w);
	buffer_clear(&s->soap);
	ews_get_item(&s->soap, &h, &m->bounce_id, 1, true);
	exchange_ask(s, false);
}

static void end_report(struct exchange_mail *m, const struct want *w)
{
	report_note(m->report, m->reported, FACT_SEND_BOUNCED, "yes");
	if (buffer_held(&m->told).len)
		bounce_facts(m->report, m->reported, buffer_held(&m->told));
	else
		report_note(m->report, m->reported, FACT_REPLY_TEXT, "%s", m->bounce);
	if (m->report->step[m->reported].state == STEP_RUNNING)
		end(m, STEP_FAILED, w);
}

/* -- tidying up --------------------------------------------------------------------------------------------------- */

static void ask_removal(struct exchange_mail *m, const struct want *w)
{
	struct exchange_session *s = m->exchange;
	struct ews_header        h = exchange_header(s);

	begin(m, "send.remove", w);
	buffer_clear(&s->soap);
	ews_delete_item(&s->soap, &h, m->found, m->count);
	exchange_ask(s, false);
}

static void end_removal(struct exchange_mail *m, const struct want *w)
{
	const struct ews_answer *a = m->exchange->answer;
	bool                     fine = !m->over && a && a->count;

	for (size_t i = 0; fine && i < a->count && i < EWS_OUTCOMES; i++)
		fine = a->outcome[i].ok;
	report_note(m->report, m->reported, fine ? FACT_SEND_REMOVED : FACT_SEND_LEFT, "%s, sentitems", m->arrived ? m->arrived : "inbox");
	if (m->report->step[m->reported].state == STEP_RUNNING)
		end(m, fine ? STEP_PASSED : STEP_WARNED, w);
}

enum want_kind exchange_mail_step(void *self, struct want *w, struct error *err)
{
	struct exchange_mail *m = self;
	enum want_kind        kind;

	(void)err;
	switch (m->step) {
	case MAIL_START:
		if (w->stopping) {
			skip(m, "exchange.send", "called_off", w);
			skip_rest(m, "called_off", w);
			return WANT_NOTHING;
		}
		testmessage_write(&m->message, w->now_unix, &m->bytes);
		m->exchange->message = buffer_held(&m->bytes);

	STEP(m, MAIL_SEND):
		kind = exchange_send_step(m->exchange, w, &m->err);
		if (kind > WANT_FAILED)
			return kind;
		m->sent_ms = w->now_ms;
		m->taken = kind == WANT_NOTHING;
		if (!m->taken) {
			skip_rest(m, "earlier", w);
			return WANT_NOTHING;
		}
		if (!m->to_self && !m->has_come)
			skip(m, "send.arrive", "not_checked_here", w);
		else
			begin(m, "send.arrive", w);

	for (;;) {
		ask_arrival(m);

	STEP(m, MAIL_LOOK):
		PASS(answer(m, w));
		if (is_there(m) || m->bounce || m->over || w->stopping || (!m->to_self && !m->has_come && ++m->looks > 2)
		    || w->now_ms - m->sent_ms > ARRIVE_MS)
			break;
		AWAIT(m, MAIL_PAUSE, want_time(w, PAUSE_MS)):
		m->over |= want_came(w) == CAME_TIMEOUT;
		if (m->over)
			break;
	}
		if (m->to_self || m->has_come)
			end_arrival(m, w);
		if (m->bounce)
			ask_report(m, w);

	STEP(m, MAIL_REPORT):
		if (m->bounce) {
			if (!m->over)
				PASS(answer(m, w));
			end_report(m, w);
		}
		if (m->over) {
			skip(m, "send.copy", w->stopping ? "called_off" : "no_time", w);
			skip(m, "send.remove", w->stopping ? "called_off" : "no_time", w);
			return WANT_NOTHING;
		}
		m->arrived = m->where;
		begin(m, "send.copy", w);
		ask(m, "sentitems");

	STEP(m, MAIL_COPY):
		PASS(answer(m, w));
		report_note(m->report, m->reported, FACT_SEND_COPY, "%s", m->here ? "yes" : "no");
		if (m->report->step[m->reported].state == STEP_RUNNING)
			end(m, STEP_PASSED, w);
		if (!m->count || m->over) {
			skip(m, "send.remove", "nothing_to_remove", w);
			return WANT_NOTHING;
		}
		ask_removal(m, w);

	STEP(m, MAIL_REMOVE):
		PASS(answer(m, w));
		end_removal(m, w);

	STEP(m, MAIL_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
