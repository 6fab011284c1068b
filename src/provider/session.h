/* session.h -- what every session with a mail server has: whom it speaks with, its line, and the step of the report under way.
 *
 * A part of imap_session, smtp_session and the like; those know what is said. It records the steps SERVICE.NAME, and all that is
 * said goes through it into the report's conversation. It sends nothing of its own accord.
 */
#ifndef PROVIDER_SESSION_H
#define PROVIDER_SESSION_H

#include "provider/reach.h"

struct session {
	/* in */
	const char            *service;       /* begins the ids of its steps: "imap", "smtp"                    */
	const struct endpoint *endpoint;
	struct waits           waits;
	struct report         *report;        /* NULL while parked, like `reach`                                */
	int                    attempt;
	/* its own */
	struct line            line;
	struct reach          *reach;
	int                    reported;      /* in the report: the step under way                              */
};

/* Asleep: session_wake() comes next. The limits are the line's (see line_init()). */
void session_init(struct session *, const char *service, const struct endpoint *, struct waits, size_t longest_in, size_t longest_out);
/* What happens from here on goes into this report, as that attempt. */
void session_wake(struct session *, struct report *, int attempt);
/* Gives back all memory but the line's, and looks at the report no more. */
void session_park(struct session *);
void session_release(struct session *);      /* closes the line; fine after any of the above, and again */

/* The step under way: begun, told of, closed. session_fact() and session_note() as report_fact() and report_note(). */
void session_begin(struct session *, const char *name, const struct want *);
void session_fact(struct session *, const char *name, struct slice value);
__attribute__((format(printf, 3, 4)))
void session_note(struct session *, const char *name, const char *fmt, ...);
void session_end(struct session *, enum step_state, const struct want *);
/* Closed as failed: how a session ends whose error stands already. WANT_FAILED. */
enum want_kind session_failed(struct session *, const struct want *);
/* A wait on the line that did not come: recorded, the step closed as failed, WANT_FAILED. */
enum want_kind session_lost(struct session *, enum came, const struct want *, struct error *);
/* Bytes that are none of its protocol, likewise; `why` is the reader's word. */
enum want_kind session_broken(struct session *, const char *why, const struct want *, struct error *);

/* Says a line; CRLF is added. */
void session_say(struct session *, const struct want *, const char *line);
/* Likewise; the report hears `shown`. What carries credentials never gets there, not even to be struck out. */
void session_say_secret(struct session *, const struct want *, const char *shown, const char *said);

/* STARTTLS. Records whether it is offered; WANT_NOTHING when it is. */
enum want_kind session_starttls_offered(struct session *, bool offered, const struct want *, struct error *);
/* After the server agreed: WANT_NOTHING, and the step passed, when nothing was slipped in before the handshake. */
enum want_kind session_starttls_clean(struct session *, const struct want *, struct error *);

#endif
