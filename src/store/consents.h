/* consents.h -- administrators who are asked for their consent at a provider's page: what comes back is taken once, in time.
 *
 * Known by the hash of the state that goes with them. It is bound to no browser: the URL is handed on to whoever may decide. What it opens
 * is one account's page, and that it says so proves nothing: whether it works is seen by the sign-in that follows.
 */
#ifndef STORE_CONSENTS_H
#define STORE_CONSENTS_H

#include "store/store.h"

struct consent_row {
	const char  *id;               /* hex SHA-256 of the state                               */
	const char  *link;             /* "lnk_…" of the page that showed it                     */
	const char  *account;          /* "acc_…" that it is about                               */
	struct slice sealed;           /* the state and the way back, under the label "ID/consent" */
	int64_t      created, expires; /* Unix ms                                                */
};

/* Forgets what is over by `created`. */
bool consent_insert(struct txn *, const struct consent_row *, struct error *err);
/* The newest of that link and account that is open until `least`: a page shows the same one again. FAULT_ABSENT. */
bool consent_of_link(struct txn *, struct arena *into, const char *link, const char *account, int64_t least, struct consent_row *out,
                     struct error *err);
/* FAULT_ABSENT: there is none, it was taken, or is over. */
bool consent_find(struct txn *, struct arena *into, const char *id, int64_t now, struct consent_row *out, struct error *err);
/* It is there no more then. FAULT_ABSENT: there is none, it was taken, or is over. */
bool consent_take(struct txn *, struct arena *into, const char *id, int64_t now, struct consent_row *out, struct error *err);

#endif
