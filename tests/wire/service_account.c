#include "wire/service_account.h"

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/json.h"
#include "test.h"
#include "wire/sasl.h"

static const char *pem_of(struct arena *a, EVP_PKEY *key)
{
	BIO        *b = BIO_new(BIO_s_mem());
	char       *text;
	long        len;
	const char *out;

	EXPECT(PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1);
	len = BIO_get_mem_data(b, &text);
	out = arena_copy(a, slice(text, (size_t)len));
	BIO_free(b);
	return out;
}

/* The file as the console gives it out; a member that is NULL is left out. */
static struct slice file_of(struct arena *a, const char *type, const char *email, const char *id, const char *pem)
{
	cJSON       *o = cJSON_CreateObject();
	char        *text;
	struct slice out;

	if (type)
		cJSON_AddStringToObject(o, "type", type);
	cJSON_AddStringToObject(o, "project_id", "birch");
	cJSON_AddStringToObject(o, "private_key_id", "k1");
	if (pem)
		cJSON_AddStringToObject(o, "private_key", pem);
	if (email)
		cJSON_AddStringToObject(o, "client_email", email);
	if (id)
		cJSON_AddStringToObject(o, "client_id", id);
	cJSON_AddStringToObject(o, "token_uri", "https://evil.example/token");
	text = cJSON_PrintUnformatted(o);
	out = slice_str(arena_str(a, text));
	free(text);
	cJSON_Delete(o);
	return out;
}

#define EMAIL "reader@birch.iam.gserviceaccount.com"
#define ID    "108151623420000000042"

static struct slice bytes_of(struct arena *a, struct slice text)
{
	char        *plain = arena_copy(a, text);
	struct slice out;

	for (char *c = plain; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	EXPECT(base64_decode(a, slice_str(plain), &out));
	return out;
}

static void verify(EVP_PKEY *key, const char *assertion, struct arena *a)
{
	const char  *dot = strrchr(assertion, '.');
	struct slice signature = bytes_of(a, slice_str(dot + 1));
	EVP_MD_CTX  *ctx = EVP_MD_CTX_new();

	EXPECT(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	EXPECT(EVP_DigestVerify(ctx, (const unsigned char *)signature.at, signature.len, (const unsigned char *)assertion, (size_t)(dot - assertion)) == 1);
	EVP_MD_CTX_free(ctx);
}

TEST(what_is_signed)
{
	CLEANUP(arena) struct arena *a = arena_new();
	EVP_PKEY                *key = EVP_RSA_gen(2048);
	struct error             err = { 0 };
	struct service_account  *s = service_account_read(file_of(a, "service_account", EMAIL, ID, pem_of(a, key)), &err);
	const char              *text;
	struct slice             rest, part;
	cJSON                   *o;

	EXPECT(s && !err.fault);
	EXPECT_TEXT(service_account_client_id(s), ID);
	EXPECT_TEXT(service_account_email(s), EMAIL);
	text = service_account_assertion(s, "ann@birch.example", "a b", "https://oauth2.googleapis.com/token", 1795248000, a);
	verify(key, text, a);
	rest = slice_str(text);
	part = slice_cut(&rest, '.');
	EXPECT(slice_equal(bytes_of(a, part), slice_str("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}")));
	part = slice_cut(&rest, '.');
	o = json_read(bytes_of(a, part), 4096, &err);
	EXPECT_TEXT(json_text(o, "iss"), EMAIL);
	EXPECT_TEXT(json_text(o, "sub"), "ann@birch.example");
	EXPECT_TEXT(json_text(o, "scope"), "a b");
	EXPECT_TEXT(json_text(o, "aud"), "https://oauth2.googleapis.com/token");
	EXPECT(json_number(o, "iat", 0) == 1795248000 - 60 && json_number(o, "exp", 0) == 1795248000 + SERVICE_LIFE);
	cJSON_Delete(o);
	service_account_free(s);
	EVP_PKEY_free(key);
}

TEST(what_is_no_such_file)
{
	CLEANUP(arena) struct arena *a = arena_new();
	EVP_PKEY    *key = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
	const char  *pem = pem_of(a, key);
	struct slice rows[] = {
		slice_str(""), slice_str("[]"), slice_str("-----BEGIN PRIVATE KEY-----"), slice_str("{\"web\":{\"client_id\":\"x\"}}"),
		file_of(a, "authorized_user", EMAIL, ID, pem), file_of(a, "service_account", NULL, ID, pem), file_of(a, "service_account", EMAIL, NULL, pem),
		file_of(a, "service_account", EMAIL, ID, NULL), file_of(a, "service_account", EMAIL, ID, "x"), file_of(a, "service_account", EMAIL, "1 2", pem),
		file_of(a, "service_account", EMAIL, ID, pem_of(a, small)), file_of(a, "service_account", EMAIL, ID, pem_of(a, curve)),
	}, whole = file_of(a, "service_account", EMAIL, ID, pem);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		EXPECT(!service_account_read(rows[i], &err) && err.fault == FAULT_MALFORMED);
		EXPECT(!strstr(err.text, "PRIVATE"));
	}
	for (size_t len = 0; len < whole.len; len++) {
		struct error err = { 0 };

		EXPECT(!service_account_read(slice_upto(whole, len), &err) && err.fault == FAULT_MALFORMED);
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(small);
	EVP_PKEY_free(curve);
}
