/* retell.h -- a report that was kept as JSON, told in the reader's language.
 *
 * The store keeps "mailmoor.report.v1" in English. Its causes carry their ids and the values of the case, so the words of any
 * language can be put around them again: the same words that tell_finding() would have found when it happened.
 * The report is our own writing, but it went through a disk: what is missing or strange in it is left out, never trusted.
 */
#ifndef DIAGNOSE_RETELL_H
#define DIAGNOSE_RETELL_H

#include "base/error.h"
#include "diagnose/tell.h"
#include "diagnose/ways.h"

#define RETOLD_CAUSES 10
#define RETOLD_PROOFS 12
#define RETOLD_OUT    24
#define RETOLD_STEPS  80
#define RETOLD_NEEDS  6

/* Something seen, with the words for the step in which it was. */
struct retold_fact {
	const char *step, *fact, *value;
};

struct retold_cause {
	enum cause         cause;
	const char        *certainty;         /* "proven"                                  */
	enum who           who;
	bool               repaired;
	struct told        told;
	struct retold_fact proof[RETOLD_PROOFS];
	size_t             proofs;
};

struct retold_exclusion {
	const char        *title;             /* of the cause that it was not */
	struct retold_fact by;
};

struct retold_step {
	const char *label, *state;            /* `state` is the id: "passed"                */
	const char *why;                      /* why it was skipped, in words; NULL         */
};

struct retold {
	const char             *address, *verdict;
	struct retold_cause     cause[RETOLD_CAUSES];      /* the first is the verdict's, others are not excluded, or repaired */
	size_t                  causes;
	struct retold_exclusion out[RETOLD_OUT];
	size_t                  outs;
	struct retold_step      step[RETOLD_STEPS];
	size_t                  steps;
	struct { const char *kind, *value; } need[RETOLD_NEEDS];
	size_t                  needs;
	struct way              way[WAYS];                 /* without their evidence */
	size_t                  ways;
};

/* Everything from `into`. FAULT_BROKEN, FAULT_TOO_BIG: not such a report. */
bool retell(const char *report, const struct language *, struct arena *into, struct retold *out, struct error *err);

#endif
