#include "serve/signed_link.h"

#define PURPOSE "admin-link"

const char *signed_link(const struct vault *vault, const char *link_id, int64_t expires, struct arena *into)
{
	const char *said = arena_print(into, "%lld.%s", (long long)(expires / 1000), link_id);

	return arena_print(into, "%s.%s", said, vault_sign(vault, PURPOSE, slice_str(said), into));
}

bool signed_link_read(const struct vault *vault, const char *token, struct arena *into, const char **link_out, int64_t *expires_out)
{
	struct slice       rest = slice_str(token), seconds = slice_cut(&rest, '.'), link_id = slice_cut(&rest, '.'), said;
	unsigned long long n;

	if (!link_id.len || !rest.len || !slice_number(seconds, INT64_MAX / 1000, &n))
		return false;
	said = slice(token, seconds.len + 1 + link_id.len);
	if (!vault_signed(vault, PURPOSE, said, arena_copy(into, rest)))
		return false;
	*link_out = arena_copy(into, link_id);
	*expires_out = (int64_t)n * 1000;
	return true;
}
