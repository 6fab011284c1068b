#include <assert.h>
#include <stdint.h>

#include "model/exchange_url.h"

/* What was accepted leads to a URL that is accepted again and is then the same; nothing of it can be taken for a user's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct exchange_url u, again;

	exchange_url_read(arena_copy(job, slice((const char *)data, size)), job, &u);
	assert(u.given);
	if (u.problem) {
		assert(*u.problem && !u.host && !u.right);
		return 0;
	}
	assert(*u.host && u.port && u.path[0] == '/');
	for (const char *c = u.right; *c; c++)
		assert((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f && *c != '@' && *c != '\\');
	for (const char *c = u.path; *c; c++)
		assert((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f);
	exchange_url_read(u.right, job, &again);
	assert(!again.problem && again.is_ews && strcmp(u.right, again.right) == 0 && strcmp(u.host, again.host) == 0);
	return 0;
}
