/* explain_google.h -- what a pasted text has of Google's sign-in, of Gmail and of Calendar (facts G A.3, A.6, B.5, C).
 *
 * The address of an error page of Google's own, what such a page prints, the JSON of the token endpoint and of the interfaces, and the
 * English sentences that are nobody else's. Words that others use too count only beside something that is Google's. Step
 * explain.google.
 */
#ifndef DIAGNOSE_EXPLAIN_GOOGLE_H
#define DIAGNOSE_EXPLAIN_GOOGLE_H

#include "base/slice.h"
#include "model/report.h"

void explain_google(struct report *, struct slice text);

#endif
