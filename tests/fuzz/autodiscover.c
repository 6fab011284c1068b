/* Any bytes as an answer of Autodiscover, of either version: what comes out of it keeps the promises of autodiscover.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/autodiscover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_clean(const char *text, char least)
{
	assert(!text || *text);
	for (; text && *text; text++)
		assert((unsigned char)*text >= (unsigned char)least && *text != 0x7f);
}

static void read_v1(struct slice bytes, struct arena *job)
{
	struct autodiscover_answer a;
	struct error               err = { .fault = FAULT_NONE };

	if (!autodiscover_read(bytes, job, &a, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return;
	}
	assert(a.count <= AUTODISCOVER_PROTOCOLS);
	assert((a.action == AUTODISCOVER_REDIRECT_ADDRESS || a.action == AUTODISCOVER_REDIRECT_URL) == (a.redirect != NULL));
	expect_clean(a.display_name, ' ');
	expect_clean(a.message, ' ');
	expect_clean(a.redirect, '!');
	expect_clean(a.smtp_address, '!');
	expect_clean(a.error_code, '!');
	for (size_t i = 0; i < a.count; i++) {
		assert(a.protocol[i].type);
		expect_clean(a.protocol[i].type, '!');
		expect_clean(a.protocol[i].ews_url, '!');
		expect_clean(a.protocol[i].as_url, '!');
		expect_clean(a.protocol[i].server, '!');
		expect_clean(a.protocol[i].server_version, '!');
	}
	expect_clean(autodiscover_ews_url(&a), '!');
}

static void read_v2(struct slice bytes, struct arena *job)
{
	struct autodiscover_v2 a;
	struct error           err = { .fault = FAULT_NONE };

	if (!autodiscover_v2_read(bytes, job, &a, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return;
	}
	assert(a.url || a.error_code);
	expect_clean(a.url, '!');
	expect_clean(a.error_code, '!');
	expect_clean(a.error_message, ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice bytes = slice((const char *)data, size);

	if (size && data[0] == '<')
		read_v1(bytes, job);
	else
		read_v2(bytes, job);
	return 0;
}
