/* testmessage.h -- the one message that we ever write: plain, addressed, and known again by its token. */
#ifndef VERIFY_TESTMESSAGE_H
#define VERIFY_TESTMESSAGE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

#define TESTMESSAGE_ROOM ((size_t)8 * 1024)

struct testmessage {
	const char *from, *to;          /* addr-specs                                       */
	const char *token;              /* in the subject and in the field X-Mailmoor-Test  */
	const char *message_id;         /* without < >                                      */
	const char *subject;
};

/* A new token, and what follows from it; from `into`. */
struct testmessage testmessage_new(const char *from, const char *to, struct arena *into);
/* RFC 5322, CRLF line ends, nothing but ASCII besides the addresses. */
void testmessage_write(const struct testmessage *, int64_t now_unix, struct buffer *out);

#endif
