#include "wire/assertion.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/json.h"
#include "wire/sasl.h"

#define BITS_LEAST 2048
#define SKEW       60          /* of two clocks: it is good a minute before it was made */

struct oauth_certificate {
	EVP_PKEY     *key;
	int64_t       begins, ends;
	unsigned char hash[32];
	char          print[41];
};

/* -- reading ------------------------------------------------------------------------------------------------------ */

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buffer, int size, int writes, void *self)
{
	(void)buffer, (void)size, (void)writes, (void)self;
	return -1;
}

static X509 *read_certificate(struct slice pem)
{
	BIO  *b = BIO_new_mem_buf(pem.at, (int)pem.len);
	X509 *x = b ? PEM_read_bio_X509(b, NULL, no_passphrase, NULL) : NULL;

	BIO_free(b);
	return x;
}

static EVP_PKEY *read_key(struct slice pem)
{
	BIO      *b = BIO_new_mem_buf(pem.at, (int)pem.len);
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;

	BIO_free(b);
	return key;
}

static int64_t unix_of(const ASN1_TIME *at)
{
	struct tm tm;

	return ASN1_TIME_to_tm(at, &tm) ? (int64_t)timegm(&tm) : 0;
}

static void take_print(struct oauth_certificate *c, const X509 *x)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char     hash[20];

	X509_digest(x, EVP_sha1(), hash, NULL);
	for (size_t i = 0; i < sizeof hash; i++) {
		c->print[2 * i] = hex[hash[i] >> 4];
		c->print[2 * i + 1] = hex[hash[i] & 15];
	}
}

static bool fits(const X509 *x, EVP_PKEY *key, struct error *err)
{
	if (!x)
		return fail(err, FAULT_MALFORMED, "no certificate in it, as PEM");
	if (!key)
		return fail(err, FAULT_MALFORMED, "no private key in it, as PEM and without a passphrase");
	if (EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) < BITS_LEAST)
		return fail(err, FAULT_MALFORMED, "Microsoft takes RSA keys of %d bits or more", BITS_LEAST);
	return X509_check_private_key((X509 *)x, key) == 1 || fail(err, FAULT_MALFORMED, "the key is not that of the certificate");
}

struct oauth_certificate *oauth_certificate_read(struct slice certificate_pem, struct slice key_pem, struct error *err)
{
	bool                      small = certificate_pem.len <= ASSERTION_PEM && key_pem.len <= ASSERTION_PEM;
	X509                     *x = small ? read_certificate(certificate_pem) : NULL;
	EVP_PKEY                 *key = small ? read_key(key_pem) : NULL;
	struct oauth_certificate *c = NULL;

	if (fits(x, key, err)) {
		c = must_alloc(sizeof *c);
		*c = (struct oauth_certificate){ .key = key, .begins = unix_of(X509_get0_notBefore(x)),
		                                 .ends = unix_of(X509_get0_notAfter(x)) };
		X509_digest(x, EVP_sha256(), c->hash, NULL);
		take_print(c, x);
		key = NULL;
	}
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

void oauth_certificate_free(struct oauth_certificate *c)
{
	if (!c)
		return;
	EVP_PKEY_free(c->key);
	free(c);
}

int64_t oauth_certificate_begins(const struct oauth_certificate *c)
{
	return c->begins;
}

int64_t oauth_certificate_ends(const struct oauth_certificate *c)
{
	return c->ends;
}

const char *oauth_certificate_print(const struct oauth_certificate *c)
{
	return c->print;
}

/* -- signing ------------------------------------------------------------------------------------------------------ */

static const char *part(cJSON *json, struct arena *a)
{
	char       *text = cJSON_PrintUnformatted(json);
	const char *out = base64url_encode(a, slice_str(text));

	free(text);
	cJSON_Delete(json);
	return out;
}

static const char *header_of(const struct oauth_certificate *c, struct arena *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "alg", "PS256");
	cJSON_AddStringToObject(o, "typ", "JWT");
	cJSON_AddStringToObject(o, "x5t#S256", base64url_encode(a, slice((const char *)c->hash, sizeof c->hash)));
	return part(o, a);
}

static const char *claims_of(const char *client_id, const char *audience, const char *id, int64_t now_unix, struct arena *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "aud", audience);
	cJSON_AddStringToObject(o, "iss", client_id);
	cJSON_AddStringToObject(o, "sub", client_id);
	cJSON_AddStringToObject(o, "jti", id);
	cJSON_AddNumberToObject(o, "nbf", (double)(now_unix - SKEW));
	cJSON_AddNumberToObject(o, "iat", (double)now_unix);
	cJSON_AddNumberToObject(o, "exp", (double)(now_unix + ASSERTION_LIFE));
	return part(o, a);
}

static bool sign(EVP_MD_CTX *ctx, EVP_PKEY *key, const char *text, unsigned char *out, size_t *len)
{
	EVP_PKEY_CTX *how;

	return EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, key) == 1 && EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1
	    && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1
	    && EVP_DigestSign(ctx, out, len, (const unsigned char *)text, strlen(text)) == 1;
}

const char *oauth_assertion(const struct oauth_certificate *c, const char *client_id, const char *audience, const char *id,
                            int64_t now_unix, struct arena *into)
{
	const char    *said = arena_print(into, "%s.%s", header_of(c, into), claims_of(client_id, audience, id, now_unix, into));
	size_t         len = (size_t)EVP_PKEY_size(c->key);
	unsigned char *signature = arena_get(into, len);
	EVP_MD_CTX    *ctx = EVP_MD_CTX_new();
	bool           fine = ctx && sign(ctx, c->key, said, signature, &len);

	EVP_MD_CTX_free(ctx);
	return fine ? arena_print(into, "%s.%s", said, base64url_encode(into, slice((const char *)signature, len))) : NULL;
}
