#include "wire/service_account.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/json.h"
#include "base/secret.h"
#include "wire/sasl.h"

#define BITS_LEAST 2048
#define SKEW       60          /* of two clocks: it is good a minute before it was made */
#define NAME_MOST  320

struct service_account {
	EVP_PKEY *key;
	char     *email, *client_id, *key_id;
};

/* -- reading ------------------------------------------------------------------------------------------------------ */

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buffer, int size, int writes, void *self)
{
	(void)buffer, (void)size, (void)writes, (void)self;
	return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO      *b = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;

	BIO_free(b);
	if (!key || (EVP_PKEY_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) >= BITS_LEAST))
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static bool is_name(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len && len <= NAME_MOST;
}

static struct service_account *take(const cJSON *json, struct error *err)
{
	const char *type = json_text(json, "type"), *email = json_text(json, "client_email"), *id = json_text(json, "client_id");
	const char *key_id = json_text(json, "private_key_id");
	struct service_account *s;
	EVP_PKEY   *key;

	if (!type || strcmp(type, "service_account") != 0 || !is_name(email) || !is_name(id) || !is_name(key_id))
		return fail(err, FAULT_MALFORMED, "no key file of a service account"), NULL;
	key = read_key(json_text(json, "private_key"));
	if (!key)
		return fail(err, FAULT_MALFORMED, "no RSA key of %d bits or more in it", BITS_LEAST), NULL;
	s = must_alloc(sizeof *s);
	*s = (struct service_account){ key, must_copy(email), must_copy(id), must_copy(key_id) };
	return s;
}

struct service_account *service_account_read(struct slice text, struct error *err)
{
	struct error            why = { 0 };
	cJSON                  *json = json_read(text, SERVICE_FILE, &why);
	struct service_account *s = NULL;

	if (json)
		s = take(json, err);
	else
		fail(err, why.fault == FAULT_TOO_BIG ? FAULT_TOO_BIG : FAULT_MALFORMED, "no key file of a service account: %s", why.text);
	json_forget(json);
	return s;
}

void service_account_free(struct service_account *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->key);
	free(s->email);
	free(s->client_id);
	free(s->key_id);
	free(s);
}

const char *service_account_client_id(const struct service_account *s)
{
	return s->client_id;
}

const char *service_account_email(const struct service_account *s)
{
	return s->email;
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

static const char *header_of(const struct service_account *s, struct arena *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "alg", "RS256");
	cJSON_AddStringToObject(o, "typ", "JWT");
	cJSON_AddStringToObject(o, "kid", s->key_id);
	return part(o, a);
}

const char *service_account_assertion(const struct service_account *s, const char *subject, const char *scope, const char *audience,
                                      int64_t now_unix, struct arena *into)
{
	cJSON         *o = cJSON_CreateObject();
	size_t         len = (size_t)EVP_PKEY_size(s->key);
	unsigned char *signature = arena_get(into, len);
	EVP_MD_CTX    *ctx = EVP_MD_CTX_new();
	const char    *said;
	bool           fine;

	cJSON_AddStringToObject(o, "iss", s->email);
	cJSON_AddStringToObject(o, "sub", subject);
	cJSON_AddStringToObject(o, "scope", scope);
	cJSON_AddStringToObject(o, "aud", audience);
	cJSON_AddNumberToObject(o, "iat", (double)(now_unix - SKEW));
	cJSON_AddNumberToObject(o, "exp", (double)(now_unix + SERVICE_LIFE));
	said = arena_print(into, "%s.%s", header_of(s, into), part(o, into));
	fine = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, s->key) == 1
	    && EVP_DigestSign(ctx, signature, &len, (const unsigned char *)said, strlen(said)) == 1;
	EVP_MD_CTX_free(ctx);
	return fine ? arena_print(into, "%s.%s", said, base64url_encode(into, slice((const char *)signature, len))) : NULL;
}
