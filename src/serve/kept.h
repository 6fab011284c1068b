/* kept.h -- one account under the keeper's eyes: the conversation that verifies it, holds it, and tries again.
 *
 * Between keeper.c (which account is on which loop, what begins and ends) and keeper_*.c (what is written down). All of it runs in
 * the thread of the account's loop. What is only needed while something goes on hangs on `round` and is NULL while parked.
 */
#ifndef SERVE_KEPT_H
#define SERVE_KEPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "connect/credentials.h"
#include "flow.h"
#include "serve/calendar.h"
#include "serve/keeper.h"
#include "serve/laid_down.h"
#include "serve/progress.h"
#include "serve/state.h"
#include "serve/troubles.h"
#include "store/accounts.h"
#include "store/events.h"
#include "watch/mailbox.h"
#include "watch/pace.h"
#include "watch/turnstile.h"

#define KEPT_ID    40
#define KEPT_SLOTS 4096
#define KEPT_EARS  1024

/* Which mailboxes at Exchange are told by a stream: none; those that a service account acts for, together; or each. */
enum ews_streams { EWS_STREAMS_OFF, EWS_STREAMS_SHARED, EWS_STREAMS_ON };

struct shared_stream;
struct kept_calendar;

struct keeper_loop {
	struct keeper     *keeper;
	struct daemon     *daemon;
	struct net        *net;
	struct turnstile  *turnstile;
	struct task        clock;              /* turns the turnstile                    */
	pthread_t          thread;
	bool               stopping;
	int64_t            now_ms;             /* of the step under way                  */
	int64_t            looked_ms;          /* when it was looked at all accounts      */
	long long           opened_before, woken_before;      /* when memory was given back last, */
	int64_t             calmed_ms;         /*   and when that was                    */
	struct { atomic_llong parked, opening, waiting, most_opening, verifying, connects, losses, messages,
	                      streams, notifications, polls, throttled, renewed, caldav_polls, caldav_throttled,
	                      calendars, graph_polls, graph_throttled, graph_told,
	                      graph_notices, gmail_polls, gmail_throttled,
	                      gmail_told, gmail_pushes, google_renewed; } counts;
	LIST_HEAD(, shared_stream) shared;
	struct microsoft_place place;          /* where Graph is to say what happens              */
	struct google_topic    topic;          /* which Gmail is to tell                          */
	unsigned           partings;           /* under way: parting.c                            */
	long long           woken_once;        /* by those that are no more              */
	LIST_HEAD(, kept)  slot[KEPT_SLOTS];
	LIST_HEAD(, kept)  ears[KEPT_EARS];    /* those that are told by Gmail, by their mailbox  */
};

struct progress_board *keeper_board(struct keeper *);
struct troubles       *keeper_troubles(struct keeper *);
int                    keeper_ews_poll_ms(const struct keeper *);
enum ews_streams       keeper_ews_streams(const struct keeper *);
int                    keeper_graph_poll_ms(const struct keeper *);
int                    keeper_gmail_poll_ms(const struct keeper *);
int                    keeper_caldav_poll_ms(const struct keeper *);
struct keeper_loop    *keeper_loop_of(struct keeper *, const char *account);
struct pace           *keeper_renewals(struct keeper *);                /* of grants, of all accounts */
const struct microsoft_app *keeper_microsoft(const struct keeper *);
const struct google_app *keeper_google(const struct keeper *);
int                    keeper_grace_ms(const struct keeper *);

/* What was done, to be written down in one transaction. Lives until the store has answered. */
struct saving;
struct granting;

struct kept {
	char                id[KEPT_ID];
	struct keeper_loop *loop;
	struct task         task;
	int                 step;
	enum account_state  state;             /* as it was read last, or written since */
	bool                again;             /* it was changed: once this round has ended, begin anew */
	struct kept_round  *round;             /* NULL while parked or resting */
	struct mailbox     *mailbox;           /* NULL unless it is open or being opened */
	const struct kept_kind *kind;          /* of that one */
	char               *host;              /* of that one: "imap.birch.example:993", and its name alone */
	char               *host_name, *address;
	struct passage      passage;
	struct saving      *saving;
	struct oauth_safe safe;            /* for its grant, where it has one */
	struct granting    *granting;
	bool                unkept;            /* a fresh grant could not be kept: nothing of that turn says anything of the account */
	/* Of the monotonic clock, which nobody sets: what the store has is turned into it once, when it is read first. */
	int64_t             rests_until;
	int64_t             proof_due;         /* the next proof of life */
	int64_t             try_read, try_at;  /* a next try as it is in the store, Unix ms, and when that is */
	int64_t             settled_ms;        /* when the mailbox was opened, of the loop's clock; 0 not */
	bool                streams;           /* at Exchange: a stream stands                    */
	bool                told;              /* by Graph: a subscription stands                 */
	bool                pushed;            /* at Gmail: a watch stands                        */
	char               *ear;               /* the mailbox of which it hears; NULL: none       */
	unsigned            losses;            /* of young connections in a row */
	char               *trouble;           /* the host that it has no connection to; NULL none */
	int64_t             trouble_ms;        /* since when, of the loop's clock                  */
	bool                tell;              /* for so long now that it is to be shown           */
	struct errand      *saved;
	struct kept_calendar *calendar;        /* held beside its mailbox; NULL: none                       */
	struct calendar_keeping entries;       /* of the calendars, where CalDAV is all there is           */
	LIST_ENTRY(kept)    slot, among_ears;
};

/* One turn: what was read of the account, and what works on it. */
struct kept_round {
	struct arena       *job;
	struct account      account;
	struct credentials  credentials;
	struct credentials  calendar;          /* of the calendar, where it has a password of its own */
	struct laid_down    laid_down;         /* by its workspace, for its domain */
	bool                asked;             /* somebody waits for it: it is no proof of life */
	struct flow_request request;
	struct flow        *flow;
	struct task         flow_task;
	struct children     flows;
	struct progress    *progress;
	char                bcc[320];          /* where the test message goes, "" to itself */
	const char         *ours;              /* our addresses, as FACT_OUR_ADDRESSES; NULL: not known */
	int64_t             began_ms;
};

enum want_kind kept_step(void *kept, struct want *, struct error *);
/* Lets go of all but the struct itself: after the task has ended. */
void           kept_release(struct kept *);
/* In its loop's thread: see keeper_hear(). */
void           kept_hear(struct kept *, const char *nonce, const struct graph_notice *);
/* Something was pushed about that mailbox: all of the loop that are told of it hear that. */
void           loop_hear_push(struct keeper_loop *, const char *mailbox);
/* By its cursor: Gmail tells of it. */
bool           kept_is_watched(const char *cursor);
/* It hears of no mailbox any more; fine when it did not. */
void           kept_cover_ear(struct kept *);
/* It is well, or nobody's concern any more. */
void           kept_leave_trouble(struct kept *);

/* -- shared_streams.c -- */

/* The loop's group of those that `key` says are of one kind, with a seat for that mailbox; it is looked after until nobody sits there. */
struct exchange_group *group_for(struct keeper_loop *, const char *key, const char *mailbox);
/* Turns that streams caused so far. */
long long              groups_woken(const struct keeper_loop *);
/* When nothing runs any more and nobody sits anywhere. */
void                   groups_free(struct keeper_loop *);

/* -- keeper_write.c -- */

/* The outcome of a verification or of a lost or refused session: state, report, place and events. */
struct errand *save_outcome(struct kept *, const struct outcome *, const struct report *, const struct verdict *,
                            const struct flow_worked *, bool verified, int64_t now);
/* New messages and the place in the mailbox. */
struct errand *save_news(struct kept *, const struct mailbox *, int64_t now);
/* It has been without connection for so long that it is shown: it waits, alone or as part of an incident. */
struct errand *save_trouble(struct kept *, const struct trouble *, int64_t now);
/* The same as the news for one that was waiting: it is connected again. */
struct errand *save_settled(struct kept *, const struct mailbox *, int64_t now);
/* A report as it is kept. */
const char    *save_report(const struct report *, const struct verdict *, struct arena *into);
/* True when it was kept; what could not be kept is in the log. Frees it. */
bool           save_over(struct kept *);

/* -- kept_grant.c -- */

const struct oauth_safe *grant_safe(struct kept *);
void                         grant_over(struct kept *);              /* gives back what keeping one held; fine when there is nothing */

/* -- keeper_write.c again -- */

/* The same place, without the calendar beside the mailbox. */
const char *place_without_calendar(const char *json, struct arena *into);
/* The place that worked, as account.place; and back. False: none, or not one. */
const char *place_write(const struct flow_worked *, struct arena *into);
bool        place_read(const char *json, struct arena *into, struct flow_worked *out);

/* How far the mailbox is known, as account.cursor. */
struct inbox_place { uint32_t uidvalidity, uidnext; };
const char *inbox_place_write(struct inbox_place, struct arena *into);
/* The same of a mailbox that is open, by its kind. */
const char *cursor_of(const struct kept *, const struct mailbox *, struct arena *into);
void        inbox_place_read(const char *json, struct inbox_place *out);      /* all 0 for what is none */

#endif
