/* imap_read.h -- a command of IMAP as it was said: words, strings, numbers, sets (RFC 3501 section 9). The sandbox's own reading.
 *
 * The whole command is there before any of it is read, its literals within: "{5}\r\nhello". Nothing here reads past the end.
 */
#ifndef SANDBOX_IMAP_READ_H
#define SANDBOX_IMAP_READ_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* Each takes what it names from the front of `rest`, with a blank before it; false: it does not stand there, and `rest` is as it was. */
bool read_atom(struct slice *rest, struct slice *out);                         /* up to a blank, a bracket or the end      */
bool read_string(struct arena *, struct slice *rest, struct slice *out);       /* quoted, a literal, or an atom            */
bool read_mark(struct slice *rest, char mark);                                 /* "(" or ")"                               */
bool read_end(const struct slice *rest);

/* A line that ends in a literal's head: "{17}" or "{17+}". `*waits`: the client waits for leave to go on. */
bool literal_announced(struct slice line, size_t *size, bool *waits);

/* "1:4,9,12:*". `last` is what * stands for. False: no such text. */
#define SET_RANGES 500
struct number_set {
	struct { uint32_t from, to; } range[SET_RANGES];
	size_t count;
};
bool set_read(struct slice text, uint32_t last, struct number_set *out);
bool set_has(const struct number_set *, uint32_t n);

/* Modified UTF-7 (RFC 3501 section 5.1.3), both ways; what is malformed stays as it is. */
const char *mailbox_name_read(struct arena *, struct slice text);
const char *mailbox_name_of(struct arena *, const char *utf8);

/* Does the name fit LIST's pattern? "*" is anything, "%" anything but "/". INBOX whatever its case. */
bool        pattern_fits(const char *pattern, const char *name);

#endif
