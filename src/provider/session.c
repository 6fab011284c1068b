#include "provider/session.h"

#include <stdarg.h>
#include <stdlib.h>

#include "model/facts.h"

void session_init(struct session *s, const char *service, const struct endpoint *endpoint, struct waits waits, size_t longest_in,
                  size_t longest_out)
{
	*s = (struct session){ .service = service, .endpoint = endpoint, .waits = waits };
	line_init(&s->line, longest_in, longest_out);
}

void session_wake(struct session *s, struct report *report, int attempt)
{
	s->report = report;
	s->attempt = attempt;
	s->reach = must_alloc(sizeof *s->reach);
	reach_init(s->reach, report, s->endpoint, s->service, &s->line, s->waits, attempt);
}

void session_park(struct session *s)
{
	s->line.handshake = NULL;
	if (s->reach)
		reach_release(s->reach);
	free(s->reach);
	s->reach = NULL;
	s->report = NULL;
}

void session_release(struct session *s)
{
	line_close(&s->line);      /* before what it may still write to */
	session_park(s);
	line_release(&s->line);
	*s = (struct session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

void session_begin(struct session *s, const char *name, const struct want *w)
{
	s->reported = report_begin(s->report, step_id(s->report, s->service, name), s->attempt, w->now_ms);
}

void session_fact(struct session *s, const char *name, struct slice value)
{
	report_fact(s->report, s->reported, name, value);
}

void session_note(struct session *s, const char *name, const char *fmt, ...)
{
	CLEANUP(arena) struct arena *work = arena_new();
	va_list args;

	va_start(args, fmt);
	session_fact(s, name, slice_str(arena_vprint(work, fmt, args)));
	va_end(args);
}

void session_end(struct session *s, enum step_state state, const struct want *w)
{
	report_end(s->report, s->reported, state, w->now_ms);
}

enum want_kind session_failed(struct session *s, const struct want *w)
{
	session_end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

enum want_kind session_lost(struct session *s, enum came came, const struct want *w, struct error *err)
{
	return reach_lost(s->reach, s->reported, came, w, err);
}

enum want_kind session_broken(struct session *s, const char *why, const struct want *w, struct error *err)
{
	return reach_broken(s->reach, s->reported, s->service, why, w, err);
}

/* -- saying ------------------------------------------------------------------------------------------------------- */

void session_say_secret(struct session *s, const struct want *w, const char *shown, const char *said)
{
	buffer_add_str(&s->line.out, said);
	buffer_add_str(&s->line.out, "\r\n");
	report_talk(s->report, s->attempt, 'C', slice_str(shown), w->now_ms);
}

void session_say(struct session *s, const struct want *w, const char *line)
{
	session_say_secret(s, w, line, line);
}

/* -- STARTTLS ----------------------------------------------------------------------------------------------------- */

enum want_kind session_starttls_offered(struct session *s, bool offered, const struct want *w, struct error *err)
{
	session_note(s, FACT_STARTTLS_OFFERED, "%s", offered ? "yes" : "no");
	if (offered)
		return WANT_NOTHING;
	fail(err, FAULT_NOT_OFFERED, "%s offers no STARTTLS", s->endpoint->host);
	return session_failed(s, w);
}

enum want_kind session_starttls_clean(struct session *s, const struct want *w, struct error *err)
{
	PASS(reach_not_injected(s->reach, s->reported, w, err));
	session_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}
