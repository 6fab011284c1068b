/* explain_microsoft.h -- what a pasted text has of Microsoft's sign-in and of Graph (facts M A.7, A.8, B.7, E.3).
 *
 * Numbers behind AADSTS in any surrounding language, callback URLs (also those of an administrator's consent), the JSON of token
 * endpoint and Graph, the words of Graph's codes alone. Steps explain.entra, explain.graph.
 */
#ifndef DIAGNOSE_EXPLAIN_MICROSOFT_H
#define DIAGNOSE_EXPLAIN_MICROSOFT_H

#include "base/slice.h"
#include "model/report.h"

void explain_microsoft(struct report *, struct slice text);

#endif
