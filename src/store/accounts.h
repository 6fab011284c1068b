/* accounts.h -- accounts, their secrets, their leases and their budget of refused passwords. Strings come from `into`. */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include "model/account.h"
#include "store/store.h"

/* FAULT_REFUSED: this workspace has an account with that key already (of those not removed). */
bool account_insert(struct txn *, const struct account *, struct error *err);
/* `workspace` NULL: of any. A removed one is found too. FAULT_ABSENT. */
bool account_get(struct txn *, struct arena *into, const char *workspace, const char *id, struct account *out, struct error *err);
/* Of that workspace, to be shown and not to be updated: the report, most of the row when all is well, is there only beside a cause. */
bool account_get_brief(struct txn *, struct arena *into, const char *workspace, const char *id, struct account *out, struct error *err);
/* The id of the one with that `key`, which is not removed: there is one at most. FAULT_ABSENT. */
bool account_by_key(struct txn *, struct arena *into, const char *workspace, const char *key, const char **id_out, struct error *err);
/* Another one of that provider and with a grant, which is not removed, is in the same mailbox: by its address, or by where it was signed in
 * to. Of any workspace: what a provider granted knows nothing of ours. */
bool account_is_shared(struct txn *, const struct account *, bool *out, struct error *err);
/* All but id, workspace, key and created. FAULT_ABSENT also when it has been removed: whoever still held it cannot bring it back. */
bool account_update(struct txn *, const struct account *, struct error *err);
/* What removal deletes: secrets, report, cursor, place, address, its links, and what its events told: that there were some stays. */
bool account_erase(struct txn *, const char *id, int64_t now, struct error *err);

#define PAGE_MOST 200

struct account_query {
	const char         *workspace;        /* NULL: of all                            */
	const char         *state;            /* a name, or NULL: all but removed        */
	const char         *cause;            /* NULL: any                               */
	const char         *external_id;      /* NULL: any                               */
	const char         *search;           /* part of the address; NULL               */
	const char         *after;            /* the cursor of the page before, or NULL  */
	size_t              most;             /* up to PAGE_MOST                         */
};

struct account_page {
	struct account *item;
	size_t          count;
	const char     *next;                 /* cursor of the next page, NULL at the end */
};

bool account_list(struct txn *, struct arena *into, const struct account_query *, struct account_page *out, struct error *err);

struct account_count { const char *workspace, *state, *cause; int64_t count; };     /* workspace only when one was asked for */
bool account_counts(struct txn *, struct arena *into, const char *workspace, struct account_count **out, size_t *count, struct error *err);

/* -- secrets: sealed bytes, by owner ("acc_…", "whk_…") and kind ("password", "caldav_password") -- */
bool sealed_put(struct txn *, const char *owner, const char *kind, struct slice sealed, struct error *err);
bool sealed_get(struct txn *, struct arena *into, const char *owner, const char *kind, struct slice *out, struct error *err);
bool sealed_drop(struct txn *, const char *owner, const char *kind, struct error *err);      /* fine when there is none */
bool sealed_delete(struct txn *, const char *owner, struct error *err);
/* All of them, for a rotation: calls `each` with owner, kind and bytes; what it puts in `*out` (NULL at: leave) replaces it. */
bool sealed_each(struct txn *, struct arena *work,
                 bool (*each)(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *),
                 void *self, struct error *err);

/* -- leases: who looks after an account. On SQLite there is one node, and the fence counts its starts. -- */
bool node_start(struct txn *, const char *node, int64_t *fence, struct error *err);      /* a number larger than any before */
bool lease_take(struct txn *, const char *account, const char *node, int64_t fence, int64_t until, struct error *err);
/* FAULT_REFUSED: somebody with a larger fence has it; whatever was to be written is old news. */
bool lease_holds(struct txn *, const char *account, int64_t fence, struct error *err);

/* -- the budget: refused tries of one account within a day (days since 1970, UTC); survives restarts -- */
bool tries_add(struct txn *, const char *account, int64_t day, int refused, struct error *err);
bool tries_of(struct txn *, const char *account, int64_t day, int *out, struct error *err);

#endif
