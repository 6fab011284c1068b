/* record.h -- the black box: a report with its facts and its redacted conversation as a file, and back.
 *
 * JSON, "mailmoor.record.v1". Reading gives a report on which diagnose() comes to the same verdict, without a network.
 * What is written went through report_fact() and report_talk(): secrets were struck out on the way in.
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include "base/error.h"
#include "model/report.h"

#define RECORD_LONGEST (8 * 1024 * 1024)

/* Mode 0600, replaced as a whole or not at all. FAULT_LOCAL. */
bool record_write(const struct report *, const char *file, struct error *err);

/* FAULT_LOCAL, FAULT_BROKEN (no record), FAULT_TOO_BIG; NULL then. */
struct report *record_read(const char *file, struct error *err);
struct report *record_parse(struct slice text, struct error *err);

#endif
