/* slice.h -- some bytes that somebody else owns.
 *
 * A slice never owns, never ends in NUL by promise, and is valid only as long as what it points into.
 * Comparisons that say "is" and "has" ignore the case of ASCII letters, as mail protocols do.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *at;
	size_t      len;
};

static inline struct slice slice(const char *at, size_t len) { return (struct slice){ at, len }; }
static inline struct slice slice_str(const char *text)       { return (struct slice){ text, text ? strlen(text) : 0 }; }

static inline struct slice slice_from(struct slice s, size_t start)
{
	return start < s.len ? slice(s.at + start, s.len - start) : slice(s.len ? s.at + s.len : s.at, 0);
}

static inline struct slice slice_upto(struct slice s, size_t len)
{
	return slice(s.at, len < s.len ? len : s.len);
}

/* memcmp() == 0, for names: two looks at most of them, and no call. */
static inline bool bytes_same(const char *a, const char *b, size_t len)
{
	uint64_t a8[2], b8[2];
	uint32_t a4[2], b4[2];

	if (len > sizeof a8)
		return memcmp(a, b, len) == 0;
	if (len >= sizeof a8[0]) {
		memcpy(&a8[0], a, sizeof a8[0]), memcpy(&a8[1], a + len - sizeof a8[0], sizeof a8[0]);
		memcpy(&b8[0], b, sizeof b8[0]), memcpy(&b8[1], b + len - sizeof b8[0], sizeof b8[0]);
		return a8[0] == b8[0] && a8[1] == b8[1];
	}
	if (len >= sizeof a4[0]) {
		memcpy(&a4[0], a, sizeof a4[0]), memcpy(&a4[1], a + len - sizeof a4[0], sizeof a4[0]);
		memcpy(&b4[0], b, sizeof b4[0]), memcpy(&b4[1], b + len - sizeof b4[0], sizeof b4[0]);
		return a4[0] == b4[0] && a4[1] == b4[1];
	}
	while (len && *a == *b)
		a++, b++, len--;
	return !len;
}

/* Byte for byte. */
static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && bytes_same(a.at, b.at, a.len);
}

bool slice_is(struct slice, const char *text);              /* the same but for the case           */
bool slice_starts(struct slice, const char *text);
bool slice_ends(struct slice, const char *text);
bool slice_has(struct slice, const char *text);

/* Position of the first `byte`, or s.len. */
size_t slice_find(struct slice, char byte);
/* Position of `text`, ignoring case, or s.len. */
size_t slice_search(struct slice, const char *text);

struct slice slice_trim(struct slice);                      /* without white space at either end   */

/* Cut `*rest` at the first `byte`: what stood before it is returned, `*rest` is what follows.
 * Without that byte all of it is returned and `*rest` is empty with at == NULL. */
struct slice slice_cut(struct slice *rest, char byte);

/* A decimal number that fits, or false. Takes nothing but digits. */
bool slice_number(struct slice, unsigned long long most, unsigned long long *out);

#endif
