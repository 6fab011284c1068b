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

/* Forgets what is over by `created`, and the oldest of that link beyond so many. */
bool signin_insert(struct txn *, const struct signin_row *, struct error *err);
/* Who comes back. It is there no more then. FAULT_ABSENT: there is none, or it is over. FAULT_REFUSED: another browser; it stays. */
bool signin_take(struct txn *, struct arena *into, const char *id, const char *session, int64_t now, struct signin_row *out,
                 struct error *err);

#endif
