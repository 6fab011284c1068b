/* report_json.h -- a report and its verdict as the JSON that is an API ("mailmoor.report.v1"): command line, REST and store. */
#ifndef DIAGNOSE_REPORT_JSON_H
#define DIAGNOSE_REPORT_JSON_H

#include "base/json.h"
#include "diagnose/catalogue.h"
#include "diagnose/diagnose.h"

struct told;

/* The caller's: cJSON_Delete(). */
cJSON *report_json(const struct report *, const struct verdict *, const struct language *);

/* title, why, fix, links, aliases, lang: the same members wherever a cause is told as JSON. */
void told_json(cJSON *, const struct told *, const struct language *);

#endif
