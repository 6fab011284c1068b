/* print_account.h -- accounts as the API tells of them (struct Account of docs/openapi.yaml), on paper. */
#ifndef CMD_PRINT_ACCOUNT_H
#define CMD_PRINT_ACCOUNT_H

#include "base/json.h"
#include "cmd/print.h"

/* A line for each, below it why it does not work; at the end how many there are of each state. */
void print_accounts(FILE *, const cJSON *list, const struct language *);

/* One: what is known of it, then its cause with what to do. `report` may be NULL, here and below. */
void print_account(FILE *, const cJSON *account, const cJSON *report, const struct language *);

/* How a verification ended: connected, or the cause as `mailmoor diagnose` tells it; and the exit status that it has there. */
void print_verified(struct checklist *, const cJSON *account, const cJSON *report);
int  verified_status(const cJSON *account, const cJSON *report);

/* The live checklist from what /progress answers, again and again: each step once, when it has ended. */
struct progress_list {
	struct checklist list;
	bool             told[CHECKLIST_STEPS];
	bool             open_line;      /* the last line is a step under way, to be written over */
};

/* `address` is its head; NULL: nothing will be shown. */
void progress_init(struct progress_list *, FILE *, const struct language *, const char *address);
void progress_show(struct progress_list *, const cJSON *steps, bool over);
void progress_break(struct progress_list *);      /* nobody looks any more */

#endif
