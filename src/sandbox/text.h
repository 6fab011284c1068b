/* text.h -- how texts stand in XML, HTML, base64 and UTF-16: the sandbox's own, for what it writes and what it reads. */
#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* As the text of an element or the value of an attribute. What XML 1.0 cannot hold becomes "?". NULL is "". */
const char *escaped(struct arena *, const char *text);

const char *base64_of(struct arena *, struct slice bytes);
/* White space is passed over. False: no such text; `*out` then is untouched. */
bool        base64_read(struct arena *, struct slice text, struct slice *out);

/* Little endian. What is no UTF-8 becomes U+FFFD, and the other way round. */
struct slice utf16_of(struct arena *, const char *utf8);
const char  *utf16_read(struct arena *, struct slice utf16);

/* "2026-11-23T09:00:00Z" */
const char *moment(struct arena *, int64_t unix_s);
/* "20261123T090000Z" */
const char *moment_short(struct arena *, int64_t unix_s);
/* The first form, with or without seconds' fractions, "Z" or an offset; without either it is taken as UTC. A date alone is its midnight. */
bool        moment_read(const char *text, int64_t *unix_s);

#endif
