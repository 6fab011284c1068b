/* Any bytes as the answer of a token endpoint: what comes out of it keeps the promises of oauth.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/oauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_answer          o;
	struct error                 err = { .fault = FAULT_NONE };

	if (!oauth_answer_read(slice((const char *)data, size), job, &o, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return 0;
	}
	assert(!o.access_token != !o.error && o.expires_in >= 0 && o.numbers <= OAUTH_NUMBERS);
	for (const char *c = o.access_token; c && *c; c++)
		assert(*c > ' ' && *c <= '~');
	for (size_t i = 0; i < o.numbers; i++)
		assert(strspn(o.number[i], "0123456789") == strlen(o.number[i]) && strlen(o.number[i]) >= 4);
	if (o.scope)
		oauth_scope_has(o.scope, "Mail.Send");
	return 0;
}
