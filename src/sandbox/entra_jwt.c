#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/random.h"
#include "sandbox/cloud.h"
#include "sandbox/text.h"

#define KEY_BITS 2048

bool cloud_keys(struct cloud *c, struct arena *arena, bool other, struct error *err)
{
	c->key = EVP_RSA_gen(KEY_BITS);
	c->other_key = other ? EVP_RSA_gen(KEY_BITS) : NULL;
	c->key_id = random_text(arena, 27);
	return (c->key && (c->other_key || !other)) || fail(err, FAULT_LOCAL, "OpenSSL makes no keys");
}

const char *base64url_of(struct arena *arena, struct slice bytes)
{
	char *text = arena_str(arena, base64_of(arena, bytes));

	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
	return text;
}

const char *sha256_base64url(struct arena *arena, const char *text)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)text, strlen(text), digest);
	return base64url_of(arena, slice((const char *)digest, sizeof digest));
}

static const char *json_part(struct arena *arena, const cJSON *o)
{
	char       *text = cJSON_PrintUnformatted(o);
	const char *coded = base64url_of(arena, slice_str(text));

	cJSON_free(text);
	return coded;
}

static const char *signature_of(struct arena *arena, EVP_PKEY *key, const char *text)
{
	unsigned char bytes[KEY_BITS / 8];
	size_t        len = sizeof bytes;
	EVP_MD_CTX   *md = EVP_MD_CTX_new();
	bool          fine = EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	                     EVP_DigestSign(md, bytes, &len, (const unsigned char *)text, strlen(text)) == 1;

	EVP_MD_CTX_free(md);
	return fine ? base64url_of(arena, slice((const char *)bytes, len)) : "";
}

const char *jwt_of(struct arena *arena, EVP_PKEY *key, const char *alg, const char *key_id, const cJSON *claims)
{
	cJSON      *head = cJSON_CreateObject();
	const char *text;

	cJSON_AddStringToObject(head, "typ", "JWT");
	cJSON_AddStringToObject(head, "alg", alg);
	if (key_id)
		cJSON_AddStringToObject(head, "kid", key_id);
	text = arena_print(arena, "%s.%s", json_part(arena, head), json_part(arena, claims));
	cJSON_Delete(head);
	return arena_print(arena, "%s.%s", text, key ? signature_of(arena, key, text) : "");
}

static const char *number_of(struct arena *arena, EVP_PKEY *key, const char *which)
{
	unsigned char bytes[KEY_BITS / 8];
	BIGNUM       *n = NULL;
	int           len = 0;

	if (EVP_PKEY_get_bn_param(key, which, &n) == 1 && BN_num_bytes(n) <= (int)sizeof bytes)
		len = BN_bn2bin(n, bytes);
	BN_free(n);
	return base64url_of(arena, slice((const char *)bytes, (size_t)len));
}

cJSON *jwk_of(struct arena *arena, EVP_PKEY *of, const char *key_id)
{
	cJSON *key = cJSON_CreateObject();

	cJSON_AddStringToObject(key, "kty", "RSA");
	cJSON_AddStringToObject(key, "use", "sig");
	cJSON_AddStringToObject(key, "alg", "RS256");
	cJSON_AddStringToObject(key, "kid", key_id);
	cJSON_AddStringToObject(key, "n", number_of(arena, of, OSSL_PKEY_PARAM_RSA_N));
	cJSON_AddStringToObject(key, "e", number_of(arena, of, OSSL_PKEY_PARAM_RSA_E));
	return key;
}

cJSON *jwks_of(const struct cloud *c, struct arena *arena)
{
	cJSON *all = cJSON_CreateObject(), *key = jwk_of(arena, c->key, c->key_id);

	cJSON_DeleteItemFromObject(key, "alg");      /* Entra's do not say it */
	cJSON_AddStringToObject(key, "issuer", "https://" ENTRA_HOST "/{tenantid}/v2.0");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(all, "keys"), key);
	return all;
}
