/* tell.h -- a finding in words: its texts in the reader's language with the values of this very case filled in. */
#ifndef DIAGNOSE_TELL_H
#define DIAGNOSE_TELL_H

#include "diagnose/catalogue.h"
#include "diagnose/diagnose.h"

#define TOLD_FIXES  6
#define TOLD_LINKS  4
#define TOLD_VALUES 40

struct told {
	const char  *title, *why;
	const char  *fix[TOLD_FIXES];
	size_t       fixes;
	const char  *link[TOLD_LINKS];
	size_t       links;
	struct value value[TOLD_VALUES];      /* those that are known */
	size_t       values;
	const char  *alias;                   /* "" none */
};

/* Everything from `into`. A step whose value is unknown is left out; `why` falls back on the words without values. */
void tell_finding(const struct report *, const struct finding *, const struct language *, struct arena *into, struct told *out);

/* The catalogue's own words, placeholders and all. */
void tell_cause(enum cause, const struct language *, struct arena *into, struct told *out);

/* The texts of a cause with values that are known already: what tell_finding() told, told again in another language.
 * `values` are those of the English telling; dates and waits among them are put into the language's own form. */
void tell_again(enum cause, const struct value *values, size_t count, const struct language *, struct arena *into, struct told *out);

/* Is that placeholder in any of the cause's texts? "our_address": the reader has to be told our addresses. */
bool tell_asks_for(enum cause, const char *placeholder);

/* "3 March 2027" in the reader's form, of "2027-03-03 08:15:00 UTC"; NULL when it is no such time. */
const char *tell_date(const char *utc, const struct language *, struct arena *into);

/* The same with the time of day, of Unix milliseconds: "3 March 2027, 08:15 UTC". */
const char *tell_time(int64_t unix_ms, const struct language *, struct arena *into);

#endif
