/* Any bytes as an autoconfig document: what comes out of it keeps the promises of autoconfig.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/autoconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_clean(const char *text)
{
	for (; text && *text; text++)
		assert((unsigned char)*text >= ' ' && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autoconfig a;
	struct error      err = { .fault = FAULT_NONE };

	if (!autoconfig_read(slice((const char *)data, size), "ann@birch.example", job, &a, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return 0;
	}
	assert(a.count <= AUTOCONFIG_SERVERS);
	expect_clean(a.provider_id);
	expect_clean(a.display_name);
	expect_clean(a.documentation);
	for (size_t i = 0; i < a.count; i++) {
		const struct autoconfig_server *s = &a.server[i];

		assert(s->type && *s->type && s->hostname && *s->hostname && s->port);
		assert(!s->authentication[COUNT(s->authentication) - 1]);
		expect_clean(s->type);
		expect_clean(s->hostname);
		expect_clean(s->username);
		for (size_t n = 0; s->authentication[n]; n++)
			expect_clean(s->authentication[n]);
	}
	return 0;
}
