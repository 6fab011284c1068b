/* signins.h -- people who are away to sign in at a provider's page, until they come back: once, with the same browser, in time.
 *
 * Known by the hash of the state that went with them; the state itself is kept nowhere. What else is needed to go on is sealed.
 */
#ifndef STORE_SIGNINS_H
#define STORE_SIGNINS_H

#include "store/store.h"

#define SIGNINS_OF_LINK 8      /* away at once with one link: several tabs, or tried again */

struct signin_row {
	const char  *id;               /* hex SHA-256 of the state                        */
	const char  *link;             /* "lnk_…" that they came with                     */
	const char  *session;          /* hash of the browser's cookie                    */
	const char  *address;          /* that they are to connect                        */
	struct slice sealed;           /* under the label "ID/signin"                     */
	int64_t      created, expires; /* Unix ms                                         */
};

#define SIGNINS_NOTED   (3600 * (int64_t)1000)      /* ms after its end at most it is noted that somebody did not come back */

/* Forgets what was over by SIGNINS_NOTED before `created`, and the oldest of that link beyond so many. */
bool signin_insert(struct txn *, const struct signin_row *, struct error *err);
/* Who comes back. It is there no more then. FAULT_ABSENT: there is none, or it is over. FAULT_REFUSED: another browser; it stays. */
bool signin_take(struct txn *, struct arena *into, const char *id, const char *session, int64_t now, struct signin_row *out,
                 struct error *err);
/* Whoever is away with that link and browser since the latest: FAULT_ABSENT. It stays. */
bool signin_latest(struct txn *, struct arena *into, const char *link, const char *session, int64_t now, struct signin_row *out,
                   struct error *err);
bool signin_any_lost(struct txn *, int64_t now, bool *out, struct error *err);
/* One that is over by `now` and was not taken back; it is there no more then. FAULT_ABSENT: there is none. */
bool signin_take_lost(struct txn *, struct arena *into, int64_t now, struct signin_row *out, struct error *err);
/* What was to be reached with that link is: whoever else is away with it need not come back. */
bool signin_forget(struct txn *, const char *link, struct error *err);

#endif
