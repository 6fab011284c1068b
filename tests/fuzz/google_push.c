/* Any bytes as what is pushed to us, as the answer to asking for a watch, and as a topic: what comes out keeps the promises of
 * google_push.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/google_push.h"

#define LONG ((size_t)256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice                 body = slice((const char *)data, size);
	const char                  *text = arena_copy(job, body), *mailbox;
	struct error                 err = { .fault = FAULT_NONE };
	int64_t                      until;

	if (google_push_read(body, LONG, job, &mailbox, &err))
		assert(mailbox && *mailbox != '@' && strchr(mailbox, '@') && strlen(mailbox) <= GOOGLE_MAILBOX && !strpbrk(mailbox, " \r\n\t"));
	else
		assert(!mailbox && (err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG));
	if (google_watched_read(body, job, &until, &err))
		assert(until > 0);
	if (google_is_topic(text))
		assert(strlen(text) <= GOOGLE_TOPIC && !strpbrk(text, "\" \\\r\n"));
	return 0;
}
