/* keeper.h -- looks after the accounts: verifies them, holds those that are connected, tries again those that wait.
 *
 * Its own threads: one loop per core, each account on the loop its id hashes to. Truth is in the store: whoever changes an account
 * there says so here after the commit, and the keeper acts on what it then reads. All functions: any thread, none blocks.
 */
#ifndef SERVE_KEEPER_H
#define SERVE_KEEPER_H

#include "base/json.h"
#include "diagnose/catalogue.h"
#include "serve/service.h"

struct net;

struct keeper *keeper_start(struct daemon *, struct error *err);      /* takes up every account of the store */
void           keeper_stop(struct keeper *);                           /* says goodbye to the servers; what is under way is called off */

/* The account was added, changed, paused, resumed, removed, or is to be verified now (then its state is ACCOUNT_CONNECTING). */
void keeper_changed(struct keeper *, const char *account);

/* Graph says that something happened in the account's mailbox, or of its subscription; proven, but for which of its subscriptions. */
struct graph_notice;
void keeper_hear(struct keeper *, const char *account, const char *nonce, const struct graph_notice *);

/* Something happened in that mailbox at Gmail, by the address that Gmail has for it; proven. All accounts that are told of it hear that. */
void keeper_hear_push(struct keeper *, const char *mailbox);
/* What proves that it was; NULL: no topic is set. Lives until keeper_stop(). */
struct pushes *keeper_pushes(struct keeper *);

/* The verification under way, for the live checklist: a list of {id, label, state, ms}, in that language; and "done" once the
 * verdict is in the store. False when none is under way and none was since the start. */
bool keeper_progress(struct keeper *, const char *account, const struct language *, cJSON **steps_out, bool *done_out);

/* The loops that it runs, for who wants to know whether they still turn. They live until keeper_stop(). */
#define KEEPER_LOOPS 16
size_t keeper_loops(const struct keeper *, struct net *out[KEEPER_LOOPS]);

/* `opening` and `waiting` are those at the turnstile; `most_opening` is the largest number of them since the start, of each loop by itself
 * and added up: never less than there were at once. A quarter of a second old at most. `streams` to `throttled` are of mailboxes at
 * Exchange: those that a stream tells of, what streams told, questions for news, and how often a server asked to be left alone.
 * `renewed` are grants of Microsoft's that were renewed and kept, `graph_…` as above of mailboxes by Graph: `graph_told` have a
 * subscription that stands, `graph_notices` are those of its notices that were theirs; `gmail_…` of mailboxes at Gmail
 * likewise: `gmail_told` have a watch that stands, `gmail_pushes` are those that were for one of them, and `gmail_refused` did not prove
 * themselves; `google_renewed` are Google's grants. */
struct keeper_counts {
	int64_t parked, opening, waiting, most_opening, verifying, connects, losses, messages;
	int64_t streams, notifications, polls, throttled;
	int64_t caldav_polls, caldav_throttled, calendars;
	int64_t renewed, graph_polls, graph_throttled, graph_told, graph_notices;
	int64_t gmail_polls, gmail_throttled, gmail_told, gmail_pushes, gmail_refused, google_renewed;
};
void keeper_counts(struct keeper *, struct keeper_counts *out);

#endif
