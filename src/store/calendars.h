/* calendars.h -- what is known of the entries of watched calendars: their names and tags, so that what is gone can be told from what was
 * never there, also where a server has forgotten how far we had got. Strings come from `into`. */
#ifndef STORE_CALENDARS_H
#define STORE_CALENDARS_H

#include "store/store.h"

struct calendar_entry {
	const char *name, *etag;         /* `name`: the provider's for it within the calendar */
};

bool calendar_entry_put(struct txn *, const char *account, const char *calendar, const struct calendar_entry *, struct error *err);
/* Fine when there is none. */
bool calendar_entry_drop(struct txn *, const char *account, const char *calendar, const char *name, struct error *err);
/* FAULT_ABSENT. */
bool calendar_entry_get(struct txn *, struct arena *into, const char *account, const char *calendar, const char *name,
                        struct calendar_entry *out, struct error *err);
/* Up to `most` of them in the order of their names' bytes, after that name ("": from the first). */
bool calendar_entries(struct txn *, struct arena *into, const char *account, const char *calendar, const char *after, size_t most,
                      struct calendar_entry **out, size_t *count, struct error *err);
/* Everything known of the account's calendars. */
bool calendar_forget(struct txn *, const char *account, struct error *err);

#endif
