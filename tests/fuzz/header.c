/* Any bytes as a header, and each field as text, as an address and as results of authentication. */
#include <assert.h>
#include <stdint.h>

#include "wire/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_inside(struct slice part, struct slice whole)
{
	assert(part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void read_body(struct slice body)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char  *text = header_text(body, job), *address = header_address(body, job);
	struct slice result = header_auth_result(body, "dkim");

	for (const char *p = text; *p; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
	assert(!address || strchr(address, '@'));
	if (result.at)
		expect_inside(result, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice        whole = slice((const char *)data, size), rest = whole;
	struct header_field field;

	while (header_next(&rest, &field)) {
		expect_inside(field.name, whole);
		expect_inside(field.body, whole);
		assert(field.name.len > 0 && rest.at > field.name.at);
		read_body(field.body);
	}
	expect_inside(rest, whole);
	read_body(whole);
	return 0;
}
