#include "wire/id_token.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/json.h"

#define KEY_LEAST   256      /* bytes: 2048 bits (RFC 7518 3.3) */
#define KEY_MOST    1024
#define EXPONENT    8        /* bytes, at most                  */
#define TENANT_HOLE "{tenantid}"
#define GUID        36

/* -- base64url (RFC 7515 2, RFC 4648 5): one text for the same bytes, no more ---------------------------------------- */

static int digit_of(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
	     : c == '-' ? 62 : c == '_' ? 63 : -1;
}

static bool decoded(struct slice text, struct arena *a, struct slice *out)
{
	char    *bytes = arena_get(a, text.len / 4 * 3 + 3);
	size_t   n = 0;
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.at[i]);

		if (digit < 0)
			return false;
		held = (held << 6 | (unsigned)digit) & 0xFFFF;
		bits += 6;
		if (bits >= 8)
			bytes[n++] = (char)(held >> (bits -= 8));
	}
	*out = slice(bytes, n);
	return text.len && bits < 6 && !(held & ((1u << bits) - 1));
}

/* -- objects ------------------------------------------------------------------------------------------------------ */

static bool is_shallow(struct slice text)
{
	unsigned depth = 0;
	bool     in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\\' && in_string)
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '[') && ++depth > ID_TOKEN_DEPTH)
			return false;
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
	}
	return true;
}

/* Of two of one name readers differ in which they believe (RFC 7519 4). */
static bool names_differ(const cJSON *object)
{
	const cJSON *one, *other;
	size_t       n = 0;

	cJSON_ArrayForEach(one, object) {
		if (++n > ID_TOKEN_CLAIMS)
			return false;
		for (other = one->next; other; other = other->next)
			if (strcmp(one->string, other->string) == 0)
				return false;
	}
	return true;
}

/* NULL: none that may be gone by. Free with cJSON_Delete(). */
static cJSON *object_of(struct slice part, struct arena *a)
{
	struct error err = { 0 };
	struct slice text;
	cJSON       *json = decoded(part, a, &text) && is_shallow(text) ? json_read(text, ID_TOKEN, &err) : NULL;

	if (json && cJSON_IsObject(json) && names_differ(json))
		return json;
	cJSON_Delete(json);
	return NULL;
}

static cJSON *document_of(struct slice document, struct error *err)
{
	cJSON *json = json_read(document, ID_DOCUMENT, err);

	if (!json || cJSON_IsObject(json))
		return json;
	cJSON_Delete(json);
	fail(err, FAULT_BROKEN, "no object");
	return NULL;
}

static bool says(const cJSON *object, const char *member, const char *text)
{
	const char *said = json_text(object, member);

	return said && strcmp(said, text) == 0;
}

/* -- what a provider publishes ------------------------------------------------------------------------------------ */

bool id_provider_read(struct slice document, struct arena *a, struct id_provider *p, struct error *err)
{
	cJSON *json = document_of(document, err);

	if (!json)
		return false;
	*p = (struct id_provider){ json_copy(json, "issuer", a), json_copy(json, "jwks_uri", a) };
	cJSON_Delete(json);
	return (p->issuer && p->jwks_uri) || fail(err, FAULT_BROKEN, "neither issuer nor keys, or one of them only");
}

static bool number_of(const cJSON *item, const char *member, struct arena *a, struct slice *out)
{
	const char *text = json_text(item, member);

	if (!text || !decoded(slice_str(text), a, out))
		return false;
	while (out->len && !*out->at)
		*out = slice_from(*out, 1);
	return true;
}

/* False: it is for something else, or no key that we go by. */
static bool read_key(const cJSON *item, struct arena *a, struct id_key *k)
{
	const cJSON *use = cJSON_GetObjectItemCaseSensitive(item, "use"), *alg = cJSON_GetObjectItemCaseSensitive(item, "alg");

	*k = (struct id_key){ .kid = json_copy(item, "kid", a), .issuer = json_copy(item, "issuer", a) };
	return k->kid && says(item, "kty", "RSA") && (!use || says(item, "use", "sig")) && (!alg || says(item, "alg", "RS256"))
	    && number_of(item, "n", a, &k->modulus) && number_of(item, "e", a, &k->exponent)
	    && k->modulus.len >= KEY_LEAST && k->modulus.len <= KEY_MOST && k->exponent.len && k->exponent.len <= EXPONENT;
}

bool id_keys_read(struct slice document, struct arena *a, struct id_keys *keys, struct error *err)
{
	cJSON       *json = document_of(document, err);
	const cJSON *all = json ? cJSON_GetObjectItemCaseSensitive(json, "keys") : NULL;
	bool         fine = json && (cJSON_IsArray(all) || fail(err, FAULT_BROKEN, "no keys"));

	keys->count = 0;
	for (const cJSON *item = fine ? all->child : NULL; item && fine; item = item->next)
		if (keys->count < ID_KEYS)
			keys->count += read_key(item, a, &keys->key[keys->count]);
		else
			fine = fail(err, FAULT_TOO_BIG, "more than %d keys", ID_KEYS);
	cJSON_Delete(json);
	return fine;
}

/* -- the signature ------------------------------------------------------------------------------------------------ */

static EVP_PKEY *rsa_of(const struct id_key *k)
{
	BIGNUM        *n = BN_bin2bn((const unsigned char *)k->modulus.at, (int)k->modulus.len, NULL);
	BIGNUM        *e = BN_bin2bn((const unsigned char *)k->exponent.at, (int)k->exponent.len, NULL);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX  *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM    *made = NULL;
	EVP_PKEY      *key = NULL;

	if (n && e && parts && maker && OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n) == 1
	    && OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e) == 1 && (made = OSSL_PARAM_BLD_to_param(parts))
	    && EVP_PKEY_fromdata_init(maker) == 1)
		EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, made);
	OSSL_PARAM_free(made);
	EVP_PKEY_CTX_free(maker);
	OSSL_PARAM_BLD_free(parts);
	BN_free(e);
	BN_free(n);
	return key;
}

static bool is_signed(struct slice text, struct slice signature, const struct id_key *k)
{
	EVP_PKEY   *key = rsa_of(k);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool        fine = key && md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1
	                && EVP_DigestVerify(md, (const unsigned char *)signature.at, signature.len, (const unsigned char *)text.at,
	                                    text.len) == 1;

	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	return fine;
}

/* -- what it says ------------------------------------------------------------------------------------------------- */

static bool is_guid(const char *text)
{
	for (size_t i = 0; i < GUID; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	return !text[GUID];
}

/* GUIDs are typed in any case; every other name is itself alone. */
static bool is_client(const char *said, const char *client)
{
	return said && (strcmp(said, client) == 0 || (is_guid(said) && slice_is(slice_str(said), client)));
}

static bool is_issuer(const char *said, const char *expected, const char *tid, struct arena *a)
{
	struct slice whole = slice_str(expected);
	size_t       hole = slice_search(whole, TENANT_HOLE);

	if (hole == whole.len)
		return strcmp(said, expected) == 0;
	return tid && strcmp(said, arena_print(a, "%.*s%s%s", (int)hole, expected, tid, expected + hole + strlen(TENANT_HOLE))) == 0;
}

/* Others beside us are nobody that we trust (3.1.3.7, 3). */
static bool is_for_us(const cJSON *claims, const char *client)
{
	const cJSON *aud = cJSON_GetObjectItemCaseSensitive(claims, "aud");

	if (cJSON_IsArray(aud) && cJSON_GetArraySize(aud) == 1)
		aud = aud->child;
	return is_client(cJSON_GetStringValue(aud), client);
}

static bool moment(const cJSON *claims, const char *member, int64_t *out)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(claims, member);

	if (!cJSON_IsNumber(n) || !(n->valuedouble > 0 && n->valuedouble < 1e12))
		return false;
	*out = (int64_t)n->valuedouble;
	return true;
}

static enum id_token_flaw check_times(const cJSON *claims, int64_t now)
{
	int64_t exp, iat, nbf = 0;

	if (!moment(claims, "exp", &exp) || !moment(claims, "iat", &iat)
	    || (cJSON_HasObjectItem(claims, "nbf") && !moment(claims, "nbf", &nbf)))
		return ID_TOKEN_UNREADABLE;
	return exp + ID_SKEW_S <= now ? ID_TOKEN_EXPIRED : (nbf > iat ? nbf : iat) - ID_SKEW_S > now ? ID_TOKEN_NOT_YET : ID_TOKEN_FINE;
}

static enum id_token_flaw check_claims(const cJSON *claims, const struct id_key *k, const struct id_token_wish *w, struct arena *a)
{
	const char  *iss = json_text(claims, "iss"), *sub = json_text(claims, "sub"), *tid = json_text(claims, "tid");
	const cJSON *azp = cJSON_GetObjectItemCaseSensitive(claims, "azp");

	if (!sub || !*sub || (tid ? !is_guid(tid) : cJSON_HasObjectItem(claims, "tid")))
		return ID_TOKEN_NOBODY;
	if (!iss || !is_issuer(iss, w->issuer, tid, a) || (k->issuer && !is_issuer(iss, k->issuer, tid, a)))
		return ID_TOKEN_OTHER_ISSUER;
	if (!is_for_us(claims, w->client_id))
		return ID_TOKEN_OTHER_AUDIENCE;
	if (azp && !w->any_party && !is_client(cJSON_GetStringValue(azp), w->client_id))
		return ID_TOKEN_OTHER_PARTY;
	if (w->nonce && !says(claims, "nonce", w->nonce))
		return ID_TOKEN_OTHER_NONCE;
	return check_times(claims, w->now_unix);
}

static void give_out(const cJSON *claims, struct arena *a, struct id_token *out)
{
	*out = (struct id_token){
		.tid = json_copy(claims, "tid", a), .oid = json_copy(claims, "oid", a), .sub = json_copy(claims, "sub", a),
		.preferred_username = json_copy(claims, "preferred_username", a), .email = json_copy(claims, "email", a),
		.name = json_copy(claims, "name", a),
		.email_verified = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(claims, "email_verified")),
	};
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static enum id_token_flaw check_head(const cJSON *head)
{
	const char *alg = json_text(head, "alg");

	if (!alg || cJSON_HasObjectItem(head, "crit"))
		return ID_TOKEN_UNREADABLE;
	return slice_is(slice_str(alg), "none") ? ID_TOKEN_UNSIGNED : strcmp(alg, "RS256") != 0 ? ID_TOKEN_OTHER_ALGORITHM : ID_TOKEN_FINE;
}

static enum id_token_flaw check_by(const struct id_key *k, const cJSON *claims, struct slice text, struct slice signature,
                                   const struct id_token_wish *w, struct arena *a)
{
	return is_signed(text, signature, k) ? check_claims(claims, k, w, a) : ID_TOKEN_BAD_SIGNATURE;
}

static enum id_token_flaw check_parts(const char *text, const cJSON *head, const cJSON *claims, struct slice sealed,
                                      const struct id_keys *keys, const struct id_token_wish *w, struct arena *a)
{
	const char        *kid = json_text(head, "kid");
	enum id_token_flaw flaw = check_head(head);
	struct slice       signature, text_signed = slice(text, (size_t)(sealed.at - text) - 1);

	if (flaw)
		return flaw;
	if (!decoded(sealed, a, &signature))
		return ID_TOKEN_UNREADABLE;
	flaw = ID_TOKEN_UNKNOWN_KEY;
	/* of several by one id, as where each is for another issuer, one suffices */
	for (size_t i = 0; kid && flaw && i < keys->count; i++)
		if (strcmp(keys->key[i].kid, kid) == 0)
			flaw = check_by(&keys->key[i], claims, text_signed, signature, w, a);
	return flaw;
}

enum id_token_flaw id_token_check(const char *text, const struct id_keys *keys, const struct id_token_wish *w, struct arena *a,
                                  struct id_token *out)
{
	struct slice       rest = slice_str(text), first = slice_cut(&rest, '.'), second = slice_cut(&rest, '.');
	enum id_token_flaw flaw = ID_TOKEN_UNREADABLE;
	cJSON             *head, *claims;

	*out = (struct id_token){ 0 };
	if (!text || !*text)
		return ID_TOKEN_ABSENT;
	/* three parts; the last may be empty, where it says that it is not signed */
	if (strlen(text) > ID_TOKEN || !rest.at || slice_find(rest, '.') < rest.len)
		return ID_TOKEN_UNREADABLE;
	head = object_of(first, a);
	claims = object_of(second, a);
	if (head && claims)
		flaw = check_parts(text, head, claims, rest, keys, w, a);
	if (flaw == ID_TOKEN_FINE)
		give_out(claims, a, out);
	cJSON_Delete(head);
	json_forget(claims);
	return flaw;
}

const char *id_token_flaw_name(enum id_token_flaw flaw)
{
	static const char *const names[ID_TOKEN_FLAWS] = {
		[ID_TOKEN_FINE] = "none", [ID_TOKEN_ABSENT] = "absent", [ID_TOKEN_UNREADABLE] = "unreadable", [ID_TOKEN_UNSIGNED] = "unsigned",
		[ID_TOKEN_OTHER_ALGORITHM] = "algorithm", [ID_TOKEN_UNKNOWN_KEY] = "unknown_key", [ID_TOKEN_BAD_SIGNATURE] = "signature",
		[ID_TOKEN_NOBODY] = "nobody", [ID_TOKEN_OTHER_ISSUER] = "issuer", [ID_TOKEN_OTHER_AUDIENCE] = "audience",
		[ID_TOKEN_OTHER_PARTY] = "party", [ID_TOKEN_OTHER_NONCE] = "nonce", [ID_TOKEN_EXPIRED] = "expired", [ID_TOKEN_NOT_YET] = "not_yet",
	};

	return names[flaw];
}
