/* Any bytes as the answer of a device code endpoint: what comes out of it keeps the promises of oauth.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/oauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_device          d;
	struct error                 err = { .fault = FAULT_NONE };

	if (!oauth_device_read(slice((const char *)data, size), job, &d, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return 0;
	}
	assert(oauth_is_sayable(d.device_code) && oauth_is_sayable(d.user_code) && oauth_is_sayable(d.page));
	assert(strncmp(d.page, "https://", 8) == 0);
	assert(d.expires_in > 0 && d.expires_in <= OAUTH_DEVICE_LIFE && d.interval > 0 && d.interval <= OAUTH_DEVICE_PAUSE);
	return 0;
}
