#include "verify/webmail.h"

#include "model/facts.h"
#include "verify/bounce.h"

#define ARRIVE_MS 60000      /* as long as that it is waited for, where the whole leaves it */
#define PAUSE_MS   1000

enum { MAIL_START, MAIL_SEND, MAIL_LOOK, MAIL_PAUSE, MAIL_REPORT, MAIL_COPY, MAIL_REMOVE, MAIL_DONE };

void webmail_init(struct webmail *m, const struct webmail_ways *ways, void *session, struct report *r, int attempt, const char *address,
                  const char *send_to)
{
	*m = (struct webmail){ .ways = ways, .session = session, .report = r, .attempt = attempt, .address = address,
	                       .to = send_to ? send_to : address, .job = arena_new(), .reported = -1 };
	m->to_self = slice_is(slice_str(m->to), address);
	m->message = testmessage_new(address, m->to, m->job);
	buffer_init(&m->bytes, TESTMESSAGE_ROOM);
	buffer_init(&m->told, WEBMAIL_REPORT);
}

void webmail_release(struct webmail *m)
{
	if (!m->job)
		return;
	buffer_release(&m->bytes);
	buffer_release(&m->told);
	arena_free(m->job);
	*m = (struct webmail){ 0 };
}

static void begin(struct webmail *m, const char *id, const struct want *w)
{
	m->reported = report_begin(m->report, id, m->attempt, w->now_ms);
	m->ways->report_to(m, m->reported);
}

static void end(struct webmail *m, enum step_state state, const struct want *w)
{
	report_end(m->report, m->reported, state, w->now_ms);
}

static void skip(struct webmail *m, const char *id, const char *why, const struct want *w)
{
	report_skip(m->report, id, m->attempt, why, w->now_ms);
}

static void skip_rest(struct webmail *m, const char *why, const struct want *w)
{
	skip(m, "send.arrive", why, w);
	skip(m, "send.copy", why, w);
	skip(m, "send.remove", why, w);
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

/* Other reports say that it came, or was read, or takes its time: they are neither our message nor the end of it. */
static bool is_report(const char *kind)
{
	return kind && slice_starts(slice_str(kind), "REPORT.");
}

static void saw_report(struct webmail *m, const char *id, const char *subject, const char *kind)
{
	if (m->bounce || !slice_ends(slice_str(kind), ".NDR"))
		return;
	m->bounce = arena_str(m->job, subject);
	m->bounce_id = arena_str(m->job, id);
}

void webmail_saw(struct webmail *m, const char *id, const char *subject, const char *from, const char *kind)
{
	/* what the server found by its own reading of "contains" may be anybody's */
	if (!id || !subject || !strstr(subject, m->message.token))
		return;
	if (is_report(kind)) {
		saw_report(m, id, subject, kind);
		return;
	}
	m->here++;
	m->where = m->folder;
	if (from)
		m->from = arena_str(m->job, from);
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->found[i], id) == 0)
			return;
	if (m->count < WEBMAIL_FOUND)
		m->found[m->count++] = arena_str(m->job, id);
}

void webmail_told(struct webmail *m, struct slice piece)
{
	buffer_add(&m->told, slice_upto(piece, WEBMAIL_REPORT - buffer_held(&m->told).len));
}

static void ask(struct webmail *m, const char *folder)
{
	m->here = 0;
	m->folder = folder;
	m->ways->ask(m, folder);
}

/* Where it should come to; every fourth time where it may have been put instead. */
static void ask_arrival(struct webmail *m)
{
	ask(m, m->to_self && ++m->rounds % 4 == 0 ? "junkemail" : "inbox");
}

static enum want_kind answer(struct webmail *m, struct want *w)
{
	enum want_kind kind = m->ways->answer(m, w, &m->err);

	if (kind > WANT_FAILED)
		return kind;
	m->over |= kind == WANT_FAILED;
	return WANT_NOTHING;
}

static bool is_there(struct webmail *m)
{
	if (!m->to_self && m->has_come)
		m->come |= m->has_come(m->asked, m->message.token, m->job, &m->header);
	return m->to_self ? m->here > 0 : m->come;
}

static void end_arrival(struct webmail *m, const struct want *w)
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

static void end_report(struct webmail *m, const struct want *w)
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

static void end_removal(struct webmail *m, const struct want *w)
{
	bool fine = !m->over && m->ways->removed(m);

	report_note(m->report, m->reported, fine ? FACT_SEND_REMOVED : FACT_SEND_LEFT, "%s, sentitems", m->arrived ? m->arrived : "inbox");
	if (m->report->step[m->reported].state == STEP_RUNNING)
		end(m, fine ? STEP_PASSED : STEP_WARNED, w);
}

enum want_kind webmail_step(void *self, struct want *w, struct error *err)
{
	struct webmail *m = self;
	enum want_kind        kind;

	(void)err;
	switch (m->step) {
	case MAIL_START:
		if (w->stopping) {
			skip(m, m->ways->send_id, "called_off", w);
			skip_rest(m, "called_off", w);
			return WANT_NOTHING;
		}
		testmessage_write(&m->message, w->now_unix, &m->bytes);

	STEP(m, MAIL_SEND):
		kind = m->ways->send(m, w, &m->err);
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
		if (m->bounce) {
			begin(m, "send.bounce", w);
			m->ways->ask_report(m);
		}

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
		begin(m, "send.remove", w);
		m->ways->ask_removal(m);

	STEP(m, MAIL_REMOVE):
		PASS(answer(m, w));
		end_removal(m, w);

	STEP(m, MAIL_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
