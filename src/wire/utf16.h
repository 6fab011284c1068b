/* utf16.h -- texts as Windows protocols carry them: UTF-16, the lower byte first. */
#ifndef WIRE_UTF16_H
#define WIRE_UTF16_H

#include "base/arena.h"
#include "base/buffer.h"

/* Appends `text`, which is UTF-8; what is no UTF-8 is taken byte for byte as Latin-1. False (and nothing whole appended) when the buffer
 * is full. */
bool utf16_add(struct buffer *out, const char *text);

/* In UTF-8, from `into`. Half a character at the end is left out; surrogates without their other half become U+FFFD, control characters
 * "?", so that it can be shown on one line. */
char *utf16_text(struct slice, struct arena *into);

/* In place, by Windows' own table: one unit for one, without regard to language, and so "ß", "ı" and "µ" stay as they are. Latin, Greek,
 * Cyrillic and Armenian letters. */
void utf16_upper(char *bytes, size_t len);

#endif
