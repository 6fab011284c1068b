/* json_stream.h -- JSON as it comes (RFC 8259), without a socket.
 *
 * For long answers: pages of hundreds of messages, a body of megabytes in one text. Objects, arrays, names, texts and words are told at
 * once, in the order in which they stand; nothing is kept but how deep it is, a name, a number or a word that is cut, and twelve bytes of a
 * text. The struct is all there is of a reader: it allocates nothing. Whether a name comes twice is for the listener to see.
 *
 * Strict, in UTF-8. A byte order mark at the beginning is passed over; half a surrogate pair, which stands for no character, becomes
 * U+FFFD: people do write such subjects. U+0000 is told as any other, in a piece of its own.
 */
#ifndef WIRE_JSON_STREAM_H
#define WIRE_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define JSON_STREAM_DEEPEST 64
#define JSON_LONGEST_NAME   256        /* bytes, of a member's name; also of a number */
#define JSON_LONGEST_ODD    12         /* "\ud83d\ude00"                              */

enum json_word { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER };

struct json_listener {
	void *self;
	/* All slices only during the call. None may be NULL. */
	void (*begin)(void *, bool array);                     /* an object, or an array                                      */
	void (*end)(void *);                                   /* the innermost of them                                       */
	void (*name)(void *, struct slice);                    /* of the member whose value comes next: whole                 */
	void (*text)(void *, struct slice piece, bool last);   /* unescaped; cut nowhere inside of a character; the last may be empty */
	void (*word)(void *, enum json_word, struct slice);    /* as it stands: whole                                         */
};

enum json_state { JSON_GOES_ON, JSON_BROKEN, JSON_TOO_BIG };

struct json_stream {
	struct json_listener listener;
	enum json_state      state;
	const char          *why;              /* while it does not go on: "a comma that nothing follows" */
	/* its own */
	unsigned char        at;               /* what may come next                                      */
	unsigned             depth;
	uint64_t             arrays;           /* a bit for each depth, the innermost the lowest: an array */
	char                 kept[JSON_LONGEST_NAME];     /* of a name, a number, a word that is cut       */
	size_t               kept_len;
	char                 odd[JSON_LONGEST_ODD];       /* of a character or an escape that is cut       */
	size_t               odd_len;
};

void json_stream_init(struct json_stream *, const struct json_listener *);
/* False when it is no such document, or the listener stopped it: see `state`. */
bool json_feed(struct json_stream *, struct slice bytes);
/* No more will come: false (JSON_BROKEN) when it was cut short. */
bool json_finish(struct json_stream *);
/* For the listener: what was told is the last. The first one counts. */
void json_stop(struct json_stream *, enum json_state, const char *why);

#endif
