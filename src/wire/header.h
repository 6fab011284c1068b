/* header.h -- the header of a message (RFC 5322 §2.2, RFC 2047, RFC 8601), read as it stands: no copy, no allocation
 * but for decoded words. */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

/* Ours: carries the token of a test message. No reply and no bounce copies it to its own header. */
#define HEADER_TEST "X-Mailmoor-Test"

struct header_field {
	struct slice name;       /* without the colon                                               */
	struct slice body;       /* behind the colon and its white space, with its folding as it came,
	                          * without the last line end                                       */
};

/* The next field at the start of *rest, which moves behind it. False at the empty line (which is taken too) or at the
 * end of the bytes. Lines that are no fields (an mbox "From " line, garbage) are skipped. */
bool header_next(struct slice *rest, struct header_field *out);

/* The first field of that name, or false. */
bool header_find(struct slice header, const char *name, struct slice *body);

/* Unfolded, trimmed, RFC 2047 words decoded (UTF-8, ISO-8859-1/-15, windows-1252, US-ASCII; others, and broken ones,
 * are left as they came). Always valid UTF-8 in one line: what is none becomes U+FFFD, a control character a space. */
const char *header_text(struct slice body, struct arena *into);
/* The same of what is known to be UTF-8: most of that is one line as it stands, and only copied. */
const char *header_text_utf8(struct slice utf8, struct arena *into);

/* The first addr-spec in an address field: "ann@example.org" of "Ann (x) <ann@example.org>", or NULL. Valid UTF-8
 * without control characters, 320 bytes at most. */
const char *header_address(struct slice body, struct arena *into);

/* The result of one method in an Authentication-Results field: "pass" for "dkim". Where a method stands several times
 * (a DKIM result for each signature), one pass counts, else the first. at == NULL when it is not there. */
struct slice header_auth_result(struct slice body, const char *method);

#endif
