/* print.h -- a report and its verdict on paper: for people, and as the JSON that is an API. */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <stdio.h>

#include "diagnose/catalogue.h"
#include "diagnose/diagnose.h"

/* One JSON object ("mailmoor.report.v1") and a line end. */
void print_json(FILE *, const struct report *, const struct verdict *, const struct language *);

struct told;

#define CHECKLIST_STEPS 256

/* The live checklist: one line for each step when it ends; on a terminal also one that is under way. IMAP and SMTP are
 * looked at side by side; the list tells IMAP's story first and holds SMTP's back until then. */
struct checklist {
	FILE                  *out;
	const struct language *lang;
	bool                   terminal, colour, verbose;
	bool                   begun;
	size_t                 label_column;    /* where the names of the steps begin */
	bool                   open_line;       /* the last line is a step under way, to be written over */
	bool                   imap_told;       /* its story has come to an end */
	bool                   told[CHECKLIST_STEPS];
};

void checklist_init(struct checklist *, FILE *, const struct language *, bool verbose);
void checklist_watch(void *checklist, const struct report *, int step);

/* One line of it, without a line end: for who knows the steps from elsewhere. And which steps are no news unless they fail. */
void checklist_put(struct checklist *, enum step_state, const char *label, const char *what);
bool checklist_is_detail(const char *step);

/* Cause, proof, who, what to do, behind the checklist. */
void print_verdict(struct checklist *, const struct report *, const struct verdict *);

/* A cause that was told elsewhere: title, certainty ("proven"), who ("user"), why, what the server said (NULL nothing), what to do, links. */
void print_told(struct checklist *, const struct told *, const char *certainty, const char *who, const char *said);

void print_cause(FILE *, enum cause, const struct language *);

#endif
