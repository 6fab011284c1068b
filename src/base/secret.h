/* secret.h -- passwords and tokens: held, wiped, and struck out of every text that is kept or shown.
 *
 * Whoever gets hold of a secret makes it known to the set of its job at once. From then on secrets_strike() removes it, in any of
 * the forms in which servers and programs echo secrets: as it is, quoted, percent-encoded, in hex, in base64, and
 * inside any base64 text that decodes to something with it (SASL PLAIN, LOGIN, XOAUTH2). Links that sign somebody in
 * (Gmail's WEBALERT) are secrets by themselves and lose their query.
 * Facts, errors and records take texts only through here: "on the way in". A set belongs to one job and one thread at a time.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/arena.h"
#include "base/slice.h"

struct secrets {
	struct secret_forms *known;
	size_t               count;
};

/* Known from now on until secrets_forget(). Shorter than four bytes cannot be struck out of a text without making
 * nonsense of it: such a one is struck out only where it stands alone between non-word characters. */
void secrets_know(struct secrets *, struct slice secret);
void secrets_forget(struct secrets *);   /* wipes them; an empty set (all zero) is fine */

/* `text` without secrets, from `into`. Where there is none the copy is the same. The set may be NULL: then only links go. */
const char *secrets_strike(const struct secrets *, struct slice text, struct arena *into);

#define SECRET_STRUCK "[secret]"

/* memset that the compiler may not leave out. */
void secret_wipe(void *, size_t);

#endif
