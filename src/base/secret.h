/* secret.h -- passwords and tokens: held, wiped, and struck out of every text that is kept or shown.
 *
 * Every secret the program gets hold of is made known here at once. From then on secret_strike() removes it, in any of
 * the forms in which servers and programs echo secrets: as it is, quoted, percent-encoded, in hex, in base64, and
 * inside any base64 text that decodes to something with it (SASL PLAIN, LOGIN, XOAUTH2). Links that sign somebody in
 * (Gmail's WEBALERT) are secrets by themselves and lose their query.
 * Facts, errors and records take texts only through here: "on the way in".
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/arena.h"
#include "base/slice.h"

/* Known from now on until secret_forget_all(). Shorter than four bytes cannot be struck out of a text without making
 * nonsense of it: such a one is struck out only where it stands alone between non-word characters. */
void secret_know(struct slice secret);
void secret_forget_all(void);   /* wipes them */

/* `text` without secrets, from `into`. Where there is none the copy is the same. */
const char *secret_strike(struct slice text, struct arena *into);

#define SECRET_STRUCK "[secret]"

/* memset that the compiler may not leave out. */
void secret_wipe(void *, size_t);

#endif
