/* account.h -- one connected mailbox, its state, and the rule by which a verdict changes it. Plain data, no I/O.
 *
 * Ids look like "acc_7Gk2…": a kind, an underscore, 22 letters and digits from the system's dice (131 bits). Times are Unix
 * milliseconds, 0 for none.
 */
#ifndef MODEL_ACCOUNT_H
#define MODEL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/endpoint.h"
#include "model/terms.h"

enum account_state {
	ACCOUNT_CONNECTING,      /* its first verification, or one that somebody asked for, is under way or due            */
	ACCOUNT_CONNECTED,
	ACCOUNT_DEGRADED,        /* mail is read; something promised does not work (sending)                                */
	ACCOUNT_NEEDS_USER,      /* no more tries until the mailbox's owner has done something                             */
	ACCOUNT_NEEDS_ADMIN,     /* the same for an administrator, the provider or the operator of this system             */
	ACCOUNT_WAITING,         /* heals by itself: tried again at next_try                                               */
	ACCOUNT_PAUSED,
	ACCOUNT_REMOVED,         /* kept as a tombstone, so that its id stays taken; nothing of it is left but id and times */
	ACCOUNT_STATES
};

const char *account_state_name(enum account_state);                      /* "needs_user" */
bool        account_state_find(const char *name, enum account_state *out);

struct account {
	const char *id, *workspace;
	const char *address;                 /* as the person typed it; `key` is what two of them are compared by          */
	const char *key;                     /* lower case, A-labels                                                        */
	const char *provider;                /* "auto" "imap" …                                                             */
	const char *username;                /* NULL: the form that worked or the address                                   */
	const char *host[SERVICES];          /* NULL: to be detected. What worked is kept apart, in `place`                 */
	uint16_t    port[SERVICES];
	const char *ews_url;                 /* of Exchange, as exchange_url_read() takes it; NULL: to be found             */
	bool        impersonate;             /* `username` is a service account that acts for the mailbox (Exchange)        */
	const char *caldav_url;              /* of the calendar, beside the mailbox or alone; NULL: none, alone it is found */
	const char *caldav_username;         /* its own sign-in there, with a password of its own; NULL: the mailbox's      */
	const char *rights;                  /* at Microsoft, of terms.h; NULL: full                                        */
	bool        tenant;                  /* there: by an administrator's word for all mailboxes, nobody signed in       */
	const char *lang;                    /* of the person: texts and mails about it                                     */
	const char *external_id;             /* whatever the product team calls it; NULL                                    */

	enum account_state state;
	int64_t     state_since, next_try, last_ok, created;
	const char *cause, *certainty, *who; /* of the last verdict that was not "connected", ids; NULL                     */
	const char *incident;                /* the open one it is part of; NULL                                            */
	unsigned    failures;                /* tries in a row that failed: what back-off counts                            */

	const char *place;                   /* JSON: the endpoints and the user name that worked; NULL                     */
	const char *cursor;                  /* JSON: how far the mailbox is known (uidvalidity, uidnext); NULL             */
	const char *calendar;                /* JSON: how far its calendars are known; NULL                                 */
	const char *report;                  /* JSON "mailmoor.report.v1" in English of the last verification; NULL         */
	int64_t     report_at;
};

/* By that provider from now on. Of another one than before, how far the mailbox is known and where and for whom it was signed in to mean
 * nothing to it, and are forgotten; the id, and what its owner calls it, stay. */
void account_by_provider(struct account *, const char *provider);

/* Its secret is a grant of its provider's, and no password. */
bool account_has_grant(const struct account *);

/* There is mail in it: by CalDAV, or where somebody let us see no more, it is a calendar alone. */
bool account_has_mail(const struct account *);

/* On what terms it is connected, where that is by a sign-in page. */
struct terms account_terms(const struct account *);

/* "acc_" and so on; from `into`. */
const char *new_id(struct arena *into, const char *kind);

#endif
