/* explain_caldav.h -- what is a calendar server's in a pasted text: facts for the rules, nothing concluded. */
#ifndef DIAGNOSE_EXPLAIN_CALDAV_H
#define DIAGNOSE_EXPLAIN_CALDAV_H

#include "base/slice.h"
#include "model/report.h"

/* A step "explain.caldav" where the text holds an error of WebDAV or the challenge of a calendar server; otherwise nothing. */
void explain_caldav(struct report *, struct slice text);

#endif
