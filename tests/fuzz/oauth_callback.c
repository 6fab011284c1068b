/* Any bytes as the query of a callback: what comes out of it keeps the promises of oauth.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/oauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_callback        c;
	struct error                 err = { .fault = FAULT_NONE };

	if (!oauth_callback_read(slice((const char *)data, size), job, &c, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return 0;
	}
	assert(!(c.code && c.error) && (c.code || c.error || c.admin_consent) && c.numbers <= OAUTH_NUMBERS);
	for (const char *at = c.code; at && *at; at++)
		assert(*at > ' ' && *at <= '~');
	for (size_t i = 0; i < c.numbers; i++)
		assert(strspn(c.number[i], "0123456789") == strlen(c.number[i]) && strlen(c.number[i]) >= 4);
	assert(c.error || (!c.description && !c.suberror && !c.numbers));
	return 0;
}
