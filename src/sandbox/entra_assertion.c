/* A client that shows a certificate instead of a secret (facts M A.3, A.7). */
#include <stdio.h>
#include <strings.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "sandbox/entra.h"
#include "sandbox/text.h"

#define SKEW 300

static X509 *registered(struct sandbox *s)
{
	const char *file = ordered_value(s, ORDER_CLIENT_CERTIFICATE);
	FILE       *f = file ? fopen(file, "re") : NULL;
	X509       *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	return x;
}

static bool bytes_of(struct arena *a, struct slice part, struct slice *out)
{
	char *text = arena_copy(a, part);

	for (char *c = text; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return base64_read(a, slice_str(arena_print(a, "%s%.*s", text, (int)((4 - part.len % 4) % 4), "===")), out);
}

static cJSON *json_of(struct arena *a, struct slice part)
{
	struct slice bytes;

	return bytes_of(a, part, &bytes) ? cJSON_ParseWithLength(bytes.at, bytes.len) : NULL;
}

static bool says(const cJSON *o, const char *name, const char *what)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);

	return cJSON_IsString(item) && strcasecmp(item->valuestring, what) == 0;
}

static double when(const cJSON *o, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static bool is_signed(EVP_PKEY *key, bool pss, struct slice said, struct slice signature)
{
	EVP_MD_CTX   *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	bool          fine = EVP_DigestVerifyInit(md, &how, EVP_sha256(), NULL, key) == 1
	                  && (!pss || (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1
	                               && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32) == 1))
	                  && EVP_DigestVerify(md, (const unsigned char *)signature.at, signature.len, (const unsigned char *)said.at,
	                                      said.len) == 1;

	EVP_MD_CTX_free(md);
	return fine;
}

static bool head_fits(struct arena *a, const cJSON *head, const X509 *x, bool *pss)
{
	unsigned char hash[32];

	X509_digest(x, EVP_sha256(), hash, NULL);
	*pss = says(head, "alg", "PS256");
	return (*pss || says(head, "alg", "RS256")) && says(head, "x5t#S256", base64url_of(a, slice((const char *)hash, sizeof hash)));
}

static bool claims_fit(struct arena *a, const cJSON *claims, const char *tenant)
{
	double now = (double)now_s();

	return says(claims, "aud", arena_print(a, "https://" ENTRA_HOST "/%s/oauth2/v2.0/token", tenant)) && says(claims, "iss", CLOUD_CLIENT)
	    && says(claims, "sub", CLOUD_CLIENT) && cJSON_IsString(cJSON_GetObjectItemCaseSensitive(claims, "jti"))
	    && when(claims, "nbf") <= now + SKEW && when(claims, "exp") > now - SKEW;
}

bool assertion_is_right(struct sandbox *s, struct arena *a, const char *assertion, const char *tenant)
{
	struct slice rest = slice_str(assertion), head = slice_cut(&rest, '.'), claims = slice_cut(&rest, '.'), signature;
	X509        *x = registered(s);
	cJSON       *h = json_of(a, head), *c = json_of(a, claims);
	bool         pss, fine = x && h && c && bytes_of(a, rest, &signature) && head_fits(a, h, x, &pss) && claims_fit(a, c, tenant)
	                      && is_signed(X509_get0_pubkey(x), pss, slice(assertion, head.len + 1 + claims.len), signature);

	cJSON_Delete(h);
	cJSON_Delete(c);
	X509_free(x);
	return fine;
}
