/* explain_value.h -- finding words in a pasted text that may be a URL's query, JSON, a log, or prose around any of them. */
#ifndef DIAGNOSE_EXPLAIN_VALUE_H
#define DIAGNOSE_EXPLAIN_VALUE_H

#include "base/slice.h"

/* The value of `name` in a query ("name=value") or in JSON ("name" : "value"), where it is one word; at == NULL: it is not there. The
 * name may begin with the quote, where only JSON is meant. */
struct slice explain_value(struct slice text, const char *name);

/* Does that word stand there, and not as a part of a longer one? */
bool explain_stands_alone(struct slice text, const char *word);

#endif
