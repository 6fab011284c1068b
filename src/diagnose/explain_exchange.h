/* explain_exchange.h -- a pasted answer of Exchange: its code, wherever it stands, or the English sentence that goes with one.
 * Facts only, into a step of their own (explain.ews): which request it answered nobody knows. */
#ifndef DIAGNOSE_EXPLAIN_EXCHANGE_H
#define DIAGNOSE_EXPLAIN_EXCHANGE_H

#include "model/report.h"

void explain_exchange(struct report *, struct slice text);

#endif
