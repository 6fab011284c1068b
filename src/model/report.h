/* report.h -- what was done and what was seen: steps with facts. Nothing in here knows a cause.
 *
 * Conversations write, diagnose/ reads. A fact is a name, a value and the step it was seen in; secrets are struck out
 * on the way in, so that whatever is kept here may be shown, recorded and sent. Steps belong to an attempt (one endpoint
 * of one service) or to none (the address, DNS, the whole).
 *
 * Step ids: address, dns.mx, detect, imap.resolve … imap.open, smtp.resolve … smtp.send, send.arrive, probe.port …
 * Names of facts are listed in facts.h, the one place that spells them.
 */
#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/slice.h"

enum step_state { STEP_RUNNING, STEP_PASSED, STEP_FAILED, STEP_WARNED, STEP_SKIPPED };

#define NO_ATTEMPT (-1)

struct fact {
	const char *name, *value;
	int         step;                /* index of its step */
	int         ms;                  /* since the report began */
};

struct step {
	const char     *id;
	int             attempt;
	enum step_state state;
	const char     *skip;            /* why it was skipped: the tail of a key "ui/skip.…", or NULL */
	int             began_ms, ms;
};

/* A line of the conversation, secrets already struck out. */
struct talk {
	int         attempt, ms;
	char        from;                /* 'C' for us, 'S' for the server, '-' for a note */
	const char *text;
};

struct report {
	struct arena *job;
	const char   *address, *provider;
	const struct secrets *secrets;   /* struck out of all that comes in; somebody else's, NULL none */
	struct secrets own_secrets;      /* the same: those that came to be known on the way            */
	struct step  *step;
	size_t        step_count, step_room;
	struct fact  *fact;
	size_t        fact_count, fact_room;
	struct talk  *talk;              /* kept only when `keep_talk` */
	size_t        talk_count, talk_room, talk_bytes;
	bool          keep_talk;
	int           attempts;          /* handed out so far */
	int           password_tries;    /* logins that were refused */
	int           ms;
	int64_t       began_ms, began_unix;
	void        (*watch)(void *, const struct report *, int step);   /* after each change of a step; may be NULL */
	void         *watcher;
};

struct report *report_new(const char *address);
void           report_free(struct report *);
DEFINE_CLEANUP(report)

/* Those secrets are struck out of the address and of all that comes in from now on. The set is borrowed. */
void report_guard(struct report *, const struct secrets *);

/* One more, granted on the way: a fresh token. Wiped with the report. */
void report_secret(struct report *, struct slice secret);

int  report_attempt(struct report *);
int  report_begin(struct report *, const char *id, int attempt, int64_t now_ms);
void report_end(struct report *, int step, enum step_state, int64_t now_ms);
void report_skip(struct report *, const char *id, int attempt, const char *why, int64_t now_ms);

/* What is still under way when all has ended was called off: closed as skipped. */
void report_finish(struct report *);

/* At most REPORT_VALUE bytes of a value are kept; control characters become blanks, broken UTF-8 becomes U+FFFD. */
void report_fact(struct report *, int step, const char *name, struct slice value);
__attribute__((format(printf, 4, 5)))
void report_note(struct report *, int step, const char *name, const char *fmt, ...);
void report_talk(struct report *, int attempt, char from, struct slice text, int64_t now_ms);

#define REPORT_FACTS 4000               /* what comes after them is not kept: a peer may talk for ever */
#define REPORT_VALUE 1500
#define REPORT_RAW   (256 * 1024)       /* of what is given; the readers hold less */
#define REPORT_TALK  (256 * 1024)       /* of one report; what comes later is left out and said to be */

/* The first fact of that name in that step, or NULL. */
const char *report_value(const struct report *, int step, const char *name);
/* The last step with that id (and attempt, unless NO_ATTEMPT), or -1. */
int report_find(const struct report *, const char *id, int attempt);

const char *step_state_name(enum step_state);

#endif
