/* google_push.h -- having Gmail say by Cloud Pub/Sub when something happens in a mailbox, as bytes: the watch as it is asked for and
 * answered, and what is pushed to whoever subscribes to the topic (facts G B.3).
 *
 * A push comes from anybody, and nothing in its body says whether it is Google's: that says the token that comes with it (id_token.h).
 * Everything read lies in the arena. Bodies are short documents, bounded and read whole.
 */
#ifndef WIRE_GOOGLE_PUSH_H
#define WIRE_GOOGLE_PUSH_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define GOOGLE_TOPIC   320                    /* longest that is taken                  */
#define GOOGLE_MAILBOX 320                    /* longest address of a mailbox           */
#define GOOGLE_DATA    ((size_t)4 * 1024)     /* longest text that a push may hold      */

/* "projects/P/topics/T", of characters that such names are made of. */
bool google_is_topic(const char *);

/* The body that asks for a watch of the inbox. False: it would be over the buffer's limit. */
bool google_watch_write(struct buffer *, const char *topic);

/* Until when it is watched, Unix seconds. FAULT_TOO_BIG, FAULT_BROKEN: no such document, no end. */
bool google_watched_read(struct slice body, struct arena *, int64_t *until, struct error *);

/* Whose mailbox a push is about. FAULT_TOO_BIG, FAULT_BROKEN: no push, or none of Gmail's; a text that is no address. */
bool google_push_read(struct slice body, size_t longest, struct arena *, const char **mailbox, struct error *);

#endif
