/* random.h -- dice: the system's, which cannot run dry. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/arena.h"

void        random_bytes(void *, size_t);
/* That many letters and digits: nonces, tokens in test messages. */
const char *random_text(struct arena *, size_t len);

#endif
