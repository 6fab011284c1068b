#include "serve/signed_link.h"

#define PURPOSE "admin-link"

const char *signed_link(const struct vault *vault, const char *account, int64_t expires, struct arena *into)
{
	const char *said = arena_print(into, "%lld.%s", (long long)(expires / 1000), account);

	return arena_print(into, "%s.%s", said, vault_sign(vault, PURPOSE, slice_str(said), into));
}

bool signed_link_read(const struct vault *vault, const char *token, struct arena *into, const char **account_out, int64_t *expires_out)
{
	struct slice       rest = slice_str(token), seconds = slice_cut(&rest, '.'), account = slice_cut(&rest, '.'), said;
	unsigned long long n;

	if (!account.len || !rest.len || !slice_number(seconds, INT64_MAX / 1000, &n))
		return false;
	said = slice(token, seconds.len + 1 + account.len);
	if (!vault_signed(vault, PURPOSE, said, arena_copy(into, rest)))
		return false;
	*account_out = arena_copy(into, account);
	*expires_out = (int64_t)n * 1000;
	return true;
}
