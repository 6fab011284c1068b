/* rule.h -- how a cause is recognised: a row that says which facts it takes, how sure they make us, and what they leave open.
 *
 * Tables of rules are read from the top; the first row all of whose conditions hold is the verdict, so the most specific
 * stand first. A row names where its evidence comes from ("G D.5" is the fact sheet's section, "RFC 5530"); one without
 * evidence gives at most POSSIBLE. PROVEN means that the evidence excludes every other row of the catalogue.
 */
#ifndef DIAGNOSE_RULE_H
#define DIAGNOSE_RULE_H

#include "base/arena.h"
#include "model/causes.h"
#include "model/facts.h"
#include "model/report.h"

enum op {
	IS,           /* the value, but for the case                                                        */
	IS_NOT,       /* there is such a fact, with another value                                           */
	HAS,          /* the words stand in the value, not as a part of longer words                        */
	STARTS,
	ANY,          /* there is such a fact                                                               */
	NONE,         /* there is none                                                                      */
	NEVER_IS,     /* no fact of that name has that value                                                */
	NEVER_HAS,    /* no fact of that name has those words                                               */
};

/* `step` is the tail of a step's id: "login" is imap.login as well as smtp.login; NULL is any. Each of the three may be
 * several with a bar between ("550|553"): one of them suffices.
 *
 * What was pasted by hand (explain) has no steps of its own. "explain.imap" is every step of IMAP, "explain.smtp" of
 * SMTP, "explain.log" every step whose rule does not ask for the protocol. "explain.words", a text that nothing marks as
 * a server's, fits only where the step is NULL: so a rule without a step must name words that no one else says. */
struct condition {
	const char *step, *fact;
	enum op     op;
	const char *value;
};

/* Where a server's own words stand: the refusal itself, and the untagged lines before it. */
#define SAID FACT_REPLY_TEXT "|" FACT_REPLY_ALSO

#define CONDITIONS 5
#define LEFT_OPEN  6

struct rule {
	enum cause       cause;
	enum certainty   certainty;
	unsigned         who;                     /* 0: the catalogue's first                            */
	struct condition when[CONDITIONS];        /* all of them; a NULL fact ends                       */
	enum cause       open[LEFT_OPEN];         /* what this evidence does not exclude                 */
	const char      *source;
};

/* How rows are written; `who` is 0 or one of CAUSES' column, the conditions come last. */
#define OPEN(...)                                { __VA_ARGS__ }
#define PROVES(cause, who, source, ...)          { CAUSE_##cause, PROVEN, who, { __VA_ARGS__ }, { 0 }, source }
#define SUGGESTS(cause, who, open, source, ...)  { CAUSE_##cause, LIKELY, who, { __VA_ARGS__ }, open, source }
#define HINTS(cause, who, open, source, ...)     { CAUSE_##cause, POSSIBLE, who, { __VA_ARGS__ }, open, source }

struct rule_table {
	const struct rule *rule;
	size_t             count;
};

extern const struct rule_table rules_address, rules_network, rules_tls, rules_google, rules_microsoft, rules_exchange, rules_caldav,
                               rules_replies, rules_sending;

/* What some fact rules out, whatever the verdict. */
struct exclusion_rule {
	struct condition when;
	enum cause       cause[8];
};

extern const struct exclusion_rule exclusion_rules[];
extern const size_t                exclusion_rule_count;

/* -- the facts that a rule may look at: those of one attempt, and those of none ------------------------------------- */

#define DERIVED 32

struct scope {
	const struct report *report;
	int                  attempt;
	struct fact          derived[DERIVED];    /* concluded: which server this is, which steps passed */
	size_t               derived_count;
};

void scope_init(struct scope *, const struct report *, int attempt);

/* The fact that makes the condition true; for NONE and NEVER_IS any non-NULL pointer. NULL: it does not hold. */
const struct fact *scope_match(const struct scope *, const struct condition *);
const char        *scope_value(const struct scope *, const char *step, const char *fact);

bool words_in(const char *text, const char *words);      /* what HAS asks */

#endif
