/* utf8.h -- one character as bytes, for readers of documents that come in pieces (RFC 3629). */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include "base/slice.h"

/* How many bytes the character at the start has: 0 when it is none, -1 when it is cut. */
static inline int utf8_character(struct slice s)
{
	unsigned char c = (unsigned char)s.at[0];
	int           len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
	unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

	for (int i = 1; i < len; i++, low = 0x80, high = 0xbf) {
		if ((size_t)i >= s.len)
			return -1;
		if ((unsigned char)s.at[i] < low || (unsigned char)s.at[i] > high)
			return 0;
	}
	return len;
}

/* How many bytes it takes; `c` is a character, up to 0x10ffff. */
static inline size_t utf8_write(unsigned long c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3f)), out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 0x3f)), out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

#endif
