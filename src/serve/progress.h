/* progress.h -- the verifications under way, for the live checklists: written by the loops, read by the web server's threads. */
#ifndef SERVE_PROGRESS_H
#define SERVE_PROGRESS_H

#include "base/json.h"
#include "diagnose/catalogue.h"
#include "model/report.h"

#define PROGRESS_MOST 512      /* verifications remembered; the oldest finished one makes room */

struct progress_board;
struct progress;

struct progress_board *progress_board_new(void);
void                   progress_board_free(struct progress_board *);      /* when all of them have ended */

/* One begins; what was known of an earlier one of that account is forgotten. Written to by one thread until progress_end(). */
struct progress *progress_begin(struct progress_board *, const char *account);
void             progress_watch(void *progress, const struct report *, int step);      /* as flow_request.watch */
void             progress_end(struct progress *);                                      /* its verdict is in the store */

/* A list of {id, label, state, ms} in that language; `done_out`: it has ended. False: nothing is known of it. */
bool progress_json(struct progress_board *, const char *account, const struct language *, cJSON **steps_out, bool *done_out);

#endif
