/* diagnose.h -- from facts to a verdict. A pure function over tables: no I/O, no clock; the same facts give the same
 * verdict for ever. */
#ifndef DIAGNOSE_DIAGNOSE_H
#define DIAGNOSE_DIAGNOSE_H

#include "diagnose/rule.h"
#include "model/endpoint.h"
#include "model/probes.h"

enum verdict_kind {
	VERDICT_CONNECTED,
	VERDICT_FAILED,         /* mail cannot be read                                        */
	VERDICT_PARTIAL,        /* read, but something promised does not work                 */
	VERDICT_UNFINISHED,     /* nothing is wrong, something is needed                      */
	VERDICT_EXPLAINED,      /* the answer of explain()                                    */
};

const char *verdict_name(enum verdict_kind);

#define PROOFS     8
#define FINDINGS   10
#define EXCLUSIONS 16
#define NEEDS      6

struct finding {
	enum cause         cause;
	enum certainty     certainty;
	enum who           who;
	bool               repaired;
	int                attempt;
	int                step;                  /* index in the report, -1 none */
	const struct rule *rule;                  /* NULL for what a rule left open */
	struct fact        proof[PROOFS];
	size_t             proofs;
};

struct exclusion {
	enum cause  cause;
	struct fact by;
};

struct need {
	const char *kind, *value;                 /* "password" "sign_in" "confirm_host" */
};

struct verdict {
	enum verdict_kind kind;
	struct finding    finding[FINDINGS];      /* [0] is the cause; the others are not excluded, or repaired */
	size_t            findings;
	struct exclusion  exclusion[EXCLUSIONS];
	size_t            exclusions;
	struct need       need[NEEDS];
	size_t            needs;
	int               attempt[SERVICES + 1];  /* the one that stands for IMAP, for SMTP, for a web service; -1 none */
};

void diagnose(const struct report *, struct verdict *out);

/* The same rules on facts that were pasted (steps "explain.…"). */
void diagnose_pasted(const struct report *, struct verdict *out);

/* Of the attempts at one service the one that stands for it: the furthest, of equals the first. -1: there is none. */
int diagnose_best_attempt(const struct report *, enum service);

/* The finding for one attempt by itself: what to probe next is asked of it while the report still grows. */
bool diagnose_attempt(const struct report *, int attempt, struct finding *out);

/* The probe that would tell more about that finding, of those that this attempt has not had. PROBE_NONE: nothing cheap
 * is left to ask. */
enum probe_kind diagnose_wish(const struct report *, int attempt, const struct finding *);

/* Nobody's rule knew the answer. */
static inline bool verdict_is_unknown(const struct verdict *v)
{
	return v->findings && v->finding[0].cause == CAUSE_UNKNOWN_ANSWER;
}

#endif
