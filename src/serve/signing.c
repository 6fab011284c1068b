#include "serve/signing.h"

#include "base/hmac.h"
#include "base/random.h"
#include "store/accounts.h"
#include "wire/sasl.h"

#define SECRET_BYTES 32
#define PREFIX       "whsec_"

static const char *label(const char *webhook, const char *kind, struct arena *work)
{
	return arena_print(work, "%s/%s", webhook, kind);
}

const char *signing_secret(struct arena *into)
{
	char *dice = arena_get(into, SECRET_BYTES);

	random_bytes(dice, SECRET_BYTES);
	return arena_print(into, PREFIX "%s", base64_encode(into, slice(dice, SECRET_BYTES)));
}

/* -- kept ------------------------------------------------------------------------------------------------------------- */

static bool put(struct txn *t, const struct vault *vault, const char *webhook, const char *kind, struct slice plain, struct arena *work,
                struct error *err)
{
	struct slice sealed;

	return vault_seal(vault, label(webhook, kind, work), plain, work, &sealed, err) && sealed_put(t, webhook, kind, sealed, err);
}

static bool get(struct txn *t, const struct vault *vault, const char *webhook, const char *kind, struct arena *into, struct slice *out,
                struct error *err)
{
	struct slice sealed;

	return sealed_get(t, into, webhook, kind, &sealed, err) && vault_unseal(vault, label(webhook, kind, into), sealed, into, out, err);
}

/* One that can no longer be opened must not stand in the way of a new one: that is its remedy. */
bool signing_keep(struct txn *t, const struct vault *vault, const char *webhook, const char *secret, int64_t now, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	int64_t      until = now + SIGNING_OVERLAP_MS;
	struct slice before;
	const char  *text;

	if (get(t, vault, webhook, "signing", work, &before, NULL)) {
		text = arena_print(work, "%lld %.*s", (long long)until, (int)before.len, before.at);
		if (!put(t, vault, webhook, "signing_before", slice_str(text), work, err))
			return false;
	}
	return put(t, vault, webhook, "signing", slice_str(secret), work, err);
}

static bool still_signs(struct slice *secret, int64_t now)
{
	struct slice       until = slice_cut(secret, ' ');
	unsigned long long end;

	return slice_number(until, INT64_MAX, &end) && now < (int64_t)end;
}

bool signing_read(struct txn *t, const struct vault *vault, const char *webhook, int64_t now, struct arena *into, struct signing *out,
                  struct error *err)
{
	struct signing s = { .count = 1 };
	struct slice   secret, before;

	if (!get(t, vault, webhook, "signing", into, &secret, err))
		return false;
	if (!signing_key(secret, into, &s.key[0]))
		return fail(err, FAULT_BROKEN, "a webhook's secret is none");
	/* without it the newest alone signs, which is what it comes to anyway */
	if (get(t, vault, webhook, "signing_before", into, &before, NULL) && still_signs(&before, now) && signing_key(before, into, &s.key[1]))
		s.count = 2;
	*out = s;
	return true;
}

/* -- signed ----------------------------------------------------------------------------------------------------------- */

bool signing_key(struct slice secret, struct arena *into, struct slice *out)
{
	size_t prefix = strlen(PREFIX);

	return slice_equal(slice_upto(secret, prefix), slice_str(PREFIX)) && base64_decode(into, slice_from(secret, prefix), out)
	    && out->len > 0;
}

const char *signing_header(const struct signing *s, const char *id, int64_t second, struct slice body, struct arena *into)
{
	const char *text = arena_print(into, "%s.%lld.%.*s", id, (long long)second, (int)body.len, body.at), *header = NULL;

	for (size_t i = 0; i < s->count; i++) {
		unsigned char hash[HMAC_BYTES];

		hmac_sha256(s->key[i], slice_str(text), hash);
		header = arena_print(into, "%s%sv1,%s", header ? header : "", header ? " " : "", base64_encode(into, slice((char *)hash, sizeof hash)));
	}
	return header ? header : "";
}
