/* retell.h -- a stored report, which is in English, in the reader's language: its texts told again from the catalogue with the values
 * that the report keeps. Dates and waits among the values are put into the language's own form. */
#ifndef SERVE_RETELL_H
#define SERVE_RETELL_H

#include "base/json.h"
#include "diagnose/catalogue.h"

/* NULL when it is no report of ours. cJSON_Delete(). */
cJSON *report_in_language(const char *report, const struct language *, struct arena *work);

#endif
