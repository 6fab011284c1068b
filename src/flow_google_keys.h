/* flow_google_keys.h -- Google's keys, fetched for whoever is told something that Google has signed. One question, asked once. */
#ifndef FLOW_GOOGLE_KEYS_H
#define FLOW_GOOGLE_KEYS_H

#include "base/want.h"
#include "wire/id_token.h"

struct google_keys_errand;

struct google_keys_errand *google_keys_errand_new(int timeout_ms);
enum want_kind             google_keys_errand_step(void *errand, struct want *, struct error *);
/* Once it has ended well: the keys, and the arena that they lie in, which is the caller's from then on. */
const struct id_keys      *google_keys_errand_take(struct google_keys_errand *, struct arena **);
void                       google_keys_errand_free(struct google_keys_errand *);      /* at any step */

/* What a token has to say beside our audience. */
extern const char google_issuer[];

#endif
