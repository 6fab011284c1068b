/* A message that somebody sends. */
#include "sandbox/mime.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct mime m;

	mime_read(arena, slice((const char *)data, size), &m);
	assert(m.subject && m.text && m.message_id && m.from.address && m.from.name && m.to.count <= MIME_PEOPLE);
	return 0;
}
