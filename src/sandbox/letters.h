/* letters.h -- what the sandbox says of its own accord to whoever listens on loopback: posted in a thread of its own, in their order. */
#ifndef SANDBOX_LETTERS_H
#define SANDBOX_LETTERS_H

#include "base/buffer.h"
#include "sandbox/parts.h"

struct letters;

/* NULL: there is no thread for it. It goes by the sandbox's lock and news. */
struct letters *letters_new(struct sandbox *);
void            letters_free(struct letters *);      /* once the sandbox stops; NULL is fine: nobody is told any more */
/* Under the sandbox's lock; JSON, all of it copied. `authorization`: NULL for none. Tried a few times until it is taken. */
void            letters_send(struct letters *, const char *url, const char *authorization, const char *body);

/* At once, in this thread. The status, 0 where there is none. Not under the lock. Whoever listens does so with whatever certificate. */
long            letter_post(const char *url, const char *type, const char *authorization, const char *body, long ms, struct buffer *answer);

#endif
