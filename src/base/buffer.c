#include "base/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

void buffer_init(struct buffer *b, size_t limit)
{
	*b = (struct buffer){ .limit = limit };
}

void buffer_release(struct buffer *b)
{
	if (b->bytes)
		explicit_bzero(b->bytes, b->size);
	free(b->bytes);
	*b = (struct buffer){ .limit = b->limit };
}

/* First by moving what is held to the front, then by growing. */
static void find_room(struct buffer *b, size_t more)
{
	size_t held = b->end - b->start;

	if (b->start) {
		memmove(b->bytes, b->bytes + b->start, held);
		explicit_bzero(b->bytes + held, b->end - held);
		b->start = 0;
		b->end = held;
	}
	if (b->size - b->end < more) {
		size_t size = b->size ? b->size : 512;
		char  *bigger;

		while (size < held + more)
			size *= 2;
		if (size > b->limit)
			size = b->limit;
		/* not realloc(): the old bytes are wiped before they go back to the heap */
		bigger = must_alloc(size);
		if (held)
			memcpy(bigger, b->bytes, held);
		if (b->bytes)
			explicit_bzero(b->bytes, b->size);
		free(b->bytes);
		b->bytes = bigger;
		b->size = size;
	}
}

/* Make `more` bytes fit behind the end. */
static inline bool make_room(struct buffer *b, size_t more)
{
	if (more > b->limit - (b->end - b->start))
		return false;
	if (b->size - b->end < more)
		find_room(b, more);
	return true;
}

bool buffer_add(struct buffer *b, struct slice s)
{
	if (!make_room(b, s.len))
		return false;
	if (s.len)
		memcpy(b->bytes + b->end, s.at, s.len);
	b->end += s.len;
	return true;
}

bool buffer_add_str(struct buffer *b, const char *text)
{
	return buffer_add(b, slice_str(text));
}

bool buffer_print(struct buffer *b, const char *fmt, ...)
{
	va_list args, again;
	int     len;
	bool    fits;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	fits = len >= 0 && b->limit - (b->end - b->start) > (size_t)len && make_room(b, (size_t)len + 1);
	if (fits) {
		vsnprintf(b->bytes + b->end, (size_t)len + 1, fmt, again);
		b->end += (size_t)len;
	}
	va_end(again);
	return fits;
}

char *buffer_room(struct buffer *b, size_t *room)
{
	size_t left = b->limit - (b->end - b->start);

	if (*room > left)
		*room = left;
	if (*room == 0 || !make_room(b, *room))
		return NULL;
	return b->bytes + b->end;
}

void buffer_grew(struct buffer *b, size_t n)
{
	assert(n <= b->size - b->end);
	b->end += n;
}

void buffer_drop(struct buffer *b, size_t n)
{
	assert(n <= b->end - b->start);
	if (n)
		explicit_bzero(b->bytes + b->start, n);
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void buffer_clear(struct buffer *b)
{
	buffer_drop(b, b->end - b->start);
}
