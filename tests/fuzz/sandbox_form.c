/* A form or a query of the sandbox's cloud, and what it makes of it. */
#include "sandbox/form.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct form f, again;

	if (!form_read(arena, slice((const char *)data, size), &f))
		return 0;
	assert(f.count <= FORM_FIELDS && form_read(arena, slice_str(form_whole(arena, &f)), &again) && again.count <= f.count);
	for (size_t i = 0; i < f.count; i++)
		assert(form_get(&f, f.field[i].name));
	return 0;
}
