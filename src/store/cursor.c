#include "store/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

const char *cursor_text(struct arena *into, int64_t time, const char *id)
{
	return arena_print(into, "%" PRIx64 ".%s", (uint64_t)time, id);
}

bool cursor_read(const char *cursor, int64_t *time, const char **id, struct error *err)
{
	struct slice rest = slice_str(cursor), digits = slice_cut(&rest, '.');
	char         hex[17] = "", *end;
	uint64_t     n;

	if (digits.len == 0 || digits.len >= sizeof hex || rest.len == 0)
		return fail(err, FAULT_MALFORMED, "this is no cursor of a list");
	memcpy(hex, digits.at, digits.len);
	n = strtoull(hex, &end, 16);
	if (*end || hex[strspn(hex, "0123456789abcdef")])
		return fail(err, FAULT_MALFORMED, "this is no cursor of a list");
	*time = (int64_t)n;
	*id = rest.at;
	return true;
}
