/* A calendar object whose time zones get lost on its way through the sandbox. What libical reads of it is libical's matter. */
#include "sandbox/caldav.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const ways[] = { "unknown", "broken", "lost", "shifted" };
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t i = 0; i < COUNT(ways); i++) {
		struct slice out = almanac_rezoned(work, slice((const char *)data, size), ways[i]);

		assert(slice_ends(out, "\r\n") || !out.len);
	}
	return 0;
}
