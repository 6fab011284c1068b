/* A $filter of the sandbox's Graph, and a message that it judges. */
#include "sandbox/graph.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char message[] = "{\"subject\":\"a\",\"isRead\":true,\"receivedDateTime\":\"2026-11-22T06:00:00Z\",\"from\":{\"emailAddress\":{\"address\":\"a@b\"}}}";
	CLEANUP(arena) struct arena *arena = arena_new();
	struct filter f;
	cJSON        *o;

	if (!filter_read(arena, arena_copy(arena, slice((const char *)data, size)), &f))
		return 0;
	assert(f.terms > 0 && f.terms <= FILTER_TERMS);
	for (size_t i = 0; i < f.terms; i++)
		assert(f.term[i].path && f.term[i].value);
	o = json_read(slice_str(message), sizeof message, NULL);
	filter_takes(&f, o);
	cJSON_Delete(o);
	return 0;
}
