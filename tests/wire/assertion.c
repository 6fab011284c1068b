#include "wire/assertion.h"

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/json.h"
#include "test.h"
#include "wire/sasl.h"

#define ENDS 4102444800      /* 2100-01-01 */

static const char *pem_of(struct arena *a, int (*write)(BIO *, const void *), const void *what)
{
	BIO        *b = BIO_new(BIO_s_mem());
	char       *text;
	long        len;
	const char *out;

	EXPECT(write(b, what) == 1);
	len = BIO_get_mem_data(b, &text);
	out = arena_copy(a, slice(text, (size_t)len));
	BIO_free(b);
	return out;
}

static int write_certificate(BIO *b, const void *x)
{
	return PEM_write_bio_X509(b, (X509 *)x);
}

static int write_key(BIO *b, const void *key)
{
	return PEM_write_bio_PrivateKey(b, (EVP_PKEY *)key, NULL, NULL, 0, NULL, NULL);
}

static int write_locked_key(BIO *b, const void *key)
{
	return PEM_write_bio_PKCS8PrivateKey(b, (EVP_PKEY *)key, EVP_aes_128_cbc(), "word", 4, NULL, NULL);
}

static X509 *certificate_of(EVP_PKEY *key)
{
	X509 *x = X509_new();

	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), ENDS);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"mailmoor", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	EXPECT(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static struct slice bytes_of(struct arena *a, struct slice text)
{
	char        *plain = arena_copy(a, text);
	struct slice out;

	for (char *c = plain; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	EXPECT(base64_decode(a, slice_str(arena_print(a, "%s%s", plain, text.len % 4 == 2 ? "==" : text.len % 4 == 3 ? "=" : "")), &out));
	return out;
}

static bool is_signed(EVP_PKEY *key, struct slice said, struct slice signature)
{
	EVP_MD_CTX   *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	bool          fine = EVP_DigestVerifyInit(ctx, &how, EVP_sha256(), NULL, key) == 1 && EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1
	                  && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32) == 1
	                  && EVP_DigestVerify(ctx, (const unsigned char *)signature.at, signature.len, (const unsigned char *)said.at, said.len) == 1;

	EVP_MD_CTX_free(ctx);
	return fine;
}

TEST(an_assertion_says_who_to_whom_and_for_how_long)
{
	CLEANUP(arena) struct arena *job = arena_new();
	EVP_PKEY                    *key = EVP_RSA_gen(2048);
	X509                        *x = certificate_of(key);
	const char                  *pem = pem_of(job, write_certificate, x), *secret = pem_of(job, write_key, key), *text;
	struct error                 err = { 0 };
	/* a chain: the first of it counts */
	struct oauth_certificate    *c = oauth_certificate_read(slice_str(arena_print(job, "%s%s", pem, pem)), slice_str(secret), &err);
	struct slice                 rest, header, claims, signature;
	unsigned char                hash[32];
	cJSON                       *json;

	EXPECT(c && oauth_certificate_ends(c) == ENDS && oauth_certificate_begins(c) == 1700000000 && strlen(oauth_certificate_print(c)) == 40);
	text = oauth_assertion(c, "id-1", "https://login.example/t/oauth2/v2.0/token", "once", 1795248000, job);
	rest = slice_str(text);
	header = slice_cut(&rest, '.');
	claims = slice_cut(&rest, '.');
	signature = rest;
	EXPECT(is_signed(key, slice(text, header.len + 1 + claims.len), bytes_of(job, signature)));
	EXPECT(!strpbrk(text, "+/="));
	json = json_read(bytes_of(job, header), 4096, &err);
	EXPECT_TEXT(json_text(json, "alg"), "PS256");
	X509_digest(x, EVP_sha256(), hash, NULL);
	EXPECT(slice_equal(bytes_of(job, slice_str(json_text(json, "x5t#S256"))), slice((const char *)hash, 32)));
	cJSON_Delete(json);
	json = json_read(bytes_of(job, claims), 4096, &err);
	EXPECT_TEXT(json_text(json, "aud"), "https://login.example/t/oauth2/v2.0/token");
	EXPECT_TEXT(json_text(json, "iss"), "id-1");
	EXPECT_TEXT(json_text(json, "sub"), "id-1");
	EXPECT_TEXT(json_text(json, "jti"), "once");
	EXPECT(json_number(json, "nbf", 0) < 1795248000 && json_number(json, "exp", 0) == 1795248000 + ASSERTION_LIFE);
	cJSON_Delete(json);
	oauth_certificate_free(c);
	X509_free(x);
	EVP_PKEY_free(key);
}

TEST(what_is_no_certificate_with_its_key_is_refused)
{
	CLEANUP(arena) struct arena *job = arena_new();
	EVP_PKEY   *key = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
	X509       *x = certificate_of(key), *of_small = certificate_of(small), *of_curve = certificate_of(curve);
	const char *big = arena_get(job, ASSERTION_PEM + 2);
	const struct { const char *what, *pem, *key, *why; } rows[] = {
		{ "nothing", "", "", "no certificate" },
		{ "a word", "hello", "hello", "no certificate" },
		{ "no key", pem_of(job, write_certificate, x), "", "no private key" },
		{ "the certificate twice", pem_of(job, write_certificate, x), pem_of(job, write_certificate, x), "no private key" },
		{ "the key twice", pem_of(job, write_key, key), pem_of(job, write_key, key), "no certificate" },
		{ "a key under a passphrase", pem_of(job, write_certificate, x), pem_of(job, write_locked_key, key), "no private key" },
		{ "another's key", pem_of(job, write_certificate, x), pem_of(job, write_key, other), "not that of the certificate" },
		{ "a short key", pem_of(job, write_certificate, of_small), pem_of(job, write_key, small), "2048" },
		{ "no RSA", pem_of(job, write_certificate, of_curve), pem_of(job, write_key, curve), "RSA" },
		{ "too long", memset((char *)big, 'a', ASSERTION_PEM + 1), pem_of(job, write_key, key), "no certificate" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		EXPECT_ROW(!oauth_certificate_read(slice_str(rows[i].pem), slice_str(rows[i].key), &err), rows[i].what);
		EXPECT_ROW(err.fault == FAULT_MALFORMED && strstr(err.text, rows[i].why), rows[i].what);
	}
	X509_free(x), X509_free(of_small), X509_free(of_curve);
	EVP_PKEY_free(key), EVP_PKEY_free(other), EVP_PKEY_free(small), EVP_PKEY_free(curve);
	oauth_certificate_free(NULL);
}

TEST(a_certificate_cut_at_every_byte)
{
	CLEANUP(arena) struct arena *job = arena_new();
	EVP_PKEY   *key = EVP_RSA_gen(2048);
	X509       *x = certificate_of(key);
	const char *pem = pem_of(job, write_certificate, x), *secret = pem_of(job, write_key, key);
	size_t      whole = strlen(pem) - 2;      /* its last line end may be missing */

	for (size_t len = 0; len < whole; len++) {
		struct error err = { 0 };
		char        *copy = must_alloc(len + 1);      /* of that size: a look behind its end is seen */

		memcpy(copy, pem, len);
		EXPECT(!oauth_certificate_read(slice(copy, len), slice_str(secret), &err) && err.fault == FAULT_MALFORMED);
		free(copy);
	}
	X509_free(x);
	EVP_PKEY_free(key);
}
