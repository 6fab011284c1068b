/* explain.h -- from a text that somebody pasted (a reply, a bounce, lines of another program's log) to facts.
 *
 * The facts have the names that a session would have given them, so that the same rules decide: see rule.h on the steps
 * "explain.…". What nothing marks as a server's or a program's words gives no evidence at all, and the verdict is
 * unknown.answer; step "explain.text" then shows the text and its fingerprint.
 */
#ifndef DIAGNOSE_EXPLAIN_H
#define DIAGNOSE_EXPLAIN_H

#include "model/report.h"

#define EXPLAIN_LONGEST (1024 * 1024)      /* what stands behind that is not read */

/* Adds steps and facts to a report that has none yet. Any bytes do; the time grows with the length, never with its square. */
void explain_facts(struct report *, const char *text);

/* The same answer with another session id, date or host number has the same fingerprint: 16 hex digits. */
#define FINGERPRINT 17
void answer_fingerprint(struct slice text, char hex[FINGERPRINT]);

#endif
