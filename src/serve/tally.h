/* tally.h -- how often each of many did something in the minute that began with the first time.
 *
 * Holds a fixed number of names. Where more come than fit, those whose minute began longest ago are forgotten: a flood of
 * names can free somebody of the count, never fill the memory. One thread.
 */
#ifndef SERVE_TALLY_H
#define SERVE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

#define TALLY_MS 60000

struct tally;

struct tally *tally_new(size_t names);
void          tally_free(struct tally *);
DEFINE_CLEANUP(tally)

/* Once more; how often in this minute, with this time. */
unsigned tally_add(struct tally *, struct slice name, int64_t now_ms);
unsigned tally_count(const struct tally *, struct slice name, int64_t now_ms);

#endif
