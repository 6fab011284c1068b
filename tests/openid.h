/* openid.h -- an OpenID provider for tests: keys, what is published of them, and tokens signed by them. Nothing here is the reader's code. */
#ifndef TESTS_OPENID_H
#define TESTS_OPENID_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "test.h"

static EVP_PKEY *rsa_new(unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);

	EXPECT(key);
	return key;
}

/* base64url */
static const char *coded(struct arena *job, const void *bytes, size_t len)
{
	unsigned char *text = arena_get(job, (len + 2) / 3 * 4 + 1);

	EVP_EncodeBlock(text, bytes, (int)len);
	for (unsigned char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
	return (const char *)text;
}

static const char *signed_by(struct arena *job, EVP_PKEY *key, const char *head, const char *claims)
{
	const char   *text = arena_print(job, "%s.%s", coded(job, head, strlen(head)), coded(job, claims, strlen(claims)));
	unsigned char bytes[256];
	size_t        len = sizeof bytes;
	EVP_MD_CTX   *md = EVP_MD_CTX_new();

	EXPECT(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 && EVP_DigestSign(md, bytes, &len, (const unsigned char *)text, strlen(text)) == 1);
	EVP_MD_CTX_free(md);
	return arena_print(job, "%s.%s", text, coded(job, bytes, len));
}

static const char *number(struct arena *job, EVP_PKEY *key, const char *which)
{
	unsigned char bytes[256];
	BIGNUM       *n = NULL;
	int           len;

	EXPECT(EVP_PKEY_get_bn_param(key, which, &n) == 1);
	len = BN_bn2bin(n, bytes);
	BN_free(n);
	return coded(job, bytes, (size_t)len);
}

static const char *key_text(struct arena *job, EVP_PKEY *key, const char *kid, const char *more)
{
	return arena_print(job, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid, number(job, key, OSSL_PKEY_PARAM_RSA_N),
	                   number(job, key, OSSL_PKEY_PARAM_RSA_E), more);
}

#endif
