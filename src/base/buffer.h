/* buffer.h -- bytes that come at one end and go at the other, never more than a limit.
 *
 * The limit is given where the buffer is born. What leaves a buffer is wiped: passwords pass through here.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>

#include "base/slice.h"

struct buffer {
	char  *bytes;
	size_t start, end, size;   /* what is held is bytes[start, end) */
	size_t limit;
};

void buffer_init(struct buffer *, size_t limit);
void buffer_release(struct buffer *);              /* may be used again after buffer_init() */

static inline struct slice buffer_held(const struct buffer *b)
{
	return slice(b->bytes ? b->bytes + b->start : NULL, b->end - b->start);
}

/* Append; false (and nothing appended) when that would pass the limit. */
bool buffer_add(struct buffer *, struct slice);
bool buffer_add_str(struct buffer *, const char *);
__attribute__((format(printf, 2, 3)))
bool buffer_print(struct buffer *, const char *fmt, ...);

/* Room for `*room` more bytes at the end, for a read() straight into it; `*room` is cut to what the limit leaves.
 * NULL when the buffer is full. buffer_grew() says how many came. */
char *buffer_room(struct buffer *, size_t *room);
void  buffer_grew(struct buffer *, size_t n);

/* The first n bytes are done with: wiped and dropped. */
void buffer_drop(struct buffer *, size_t n);
void buffer_clear(struct buffer *);

#endif
