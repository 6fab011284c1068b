/* Any bytes as what stands in front of a web service: a Location, fields and a body; what is seen keeps the promises of signin_page.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/signin_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 302, 401, 403, 404, 440, 500, 503 };
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice       rest = slice((const char *)data, size), location, fields;
	struct signin_seen seen;
	int                status = size ? statuses[data[0] % COUNT(statuses)] : 0;

	rest = slice_from(rest, 1);
	location = slice_cut(&rest, '\n');
	fields = slice_cut(&rest, '\0');
	signin_page_read(status, location, fields, rest, job, &seen);
	assert(seen.page <= PAGE_HTML && *signin_page_name(seen.page));
	assert((seen.mark != NULL) == (seen.page != PAGE_NONE && seen.page != PAGE_HTML));
	assert(!seen.title || (*seen.title && strlen(seen.title) <= 100));
	for (const char *c = seen.build ? seen.build : "1"; *c; c++)
		assert((*c >= '0' && *c <= '9') || *c == '.');
	assert(!seen.iis_status || (seen.iis_status[3] == '.' && strlen(seen.iis_status) <= 7));
	return 0;
}
