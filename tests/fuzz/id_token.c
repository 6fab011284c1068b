/* Any bytes as an id_token, and as the documents that it is checked by: whatever was not signed by that key is never believed. */
#include <assert.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "wire/id_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One whose private half nobody has: the number's only merit is that it is long and odd. */
static void some_key(struct arena *job, struct id_keys *keys)
{
	char *modulus = arena_get(job, 256), *exponent = arena_get(job, 3);

	memset(modulus, 0xC5, 256);
	memcpy(exponent, "\1\0\1", 3);
	*keys = (struct id_keys){ .key = { { .kid = "k", .modulus = slice(modulus, 256), .exponent = slice(exponent, 3) } }, .count = 1 };
}

static void feed_token(const char *text, struct id_keys *keys, struct arena *job)
{
	struct id_token_wish wish = { "https://login.example/{tenantid}/v2.0", "c", "n", 1795248000, false };
	struct id_token      out;
	enum id_token_flaw   flaw = id_token_check(text, keys, &wish, job, &out);

	assert(flaw > ID_TOKEN_FINE && flaw < ID_TOKEN_FLAWS && id_token_flaw_name(flaw));
	assert(!out.sub && !out.tid && !out.oid && !out.preferred_username && !out.email && !out.name);
}

static const char *coded(struct slice bytes, struct arena *job)
{
	unsigned char *text = arena_get(job, (bytes.len + 2) / 3 * 4 + 1);

	EVP_EncodeBlock(text, (const unsigned char *)bytes.at, (int)bytes.len);
	for (unsigned char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
	return (const char *)text;
}

/* The first line as its head, the rest as what it says: past base64, to what is read out of it. */
static const char *token_of(struct slice bytes, struct arena *job)
{
	struct slice head = slice_cut(&bytes, '\n');

	return arena_print(job, "%s.%s.AAAA", coded(head, job), coded(bytes, job));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_keys               keys;
	struct id_provider           provider;
	struct error                 err = { .fault = FAULT_NONE };
	struct slice                 bytes = slice((const char *)data, size);

	some_key(job, &keys);
	feed_token(arena_copy(job, bytes), &keys, job);
	feed_token(token_of(bytes, job), &keys, job);
	keys.count = 0;
	feed_token(token_of(bytes, job), &keys, job);
	if (id_keys_read(bytes, job, &keys, &err)) {
		assert(keys.count <= ID_KEYS);
		for (size_t i = 0; i < keys.count; i++)
			assert(keys.key[i].kid && keys.key[i].modulus.len >= 256 && keys.key[i].exponent.len);
		feed_token("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJzIn0.AAAA", &keys, job);
	} else {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
	}
	err = (struct error){ .fault = FAULT_NONE };
	if (id_provider_read(bytes, job, &provider, &err))
		assert(provider.issuer && *provider.issuer && provider.jwks_uri && *provider.jwks_uri);
	return 0;
}
