#include <stdlib.h>
#include <strings.h>

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "base/random.h"
#include "sandbox/google.h"
#include "sandbox/text.h"

#define USUAL_LIFE 3599
#define LONGEST_ASSERTION 3600      /* seconds that one may live (facts G A.7) */
#define SKEW 300

/* -- kept ---------------------------------------------------------------------------------------------------------- */

static void drop_oldest(struct google *g)
{
	struct gtoken **at = &g->newest;

	while ((*at)->older)
		at = &(*at)->older;
	arena_free((*at)->own);
	free(*at);
	*at = NULL;
	g->tokens--;
}

struct gtoken *gtoken_new(struct google *g, enum gtoken_kind kind, struct account *account, const char *scope, int64_t expires)
{
	/* as real ones begin (facts G A.3, A.5) */
	static const char *const begins[] = { [GTOKEN_CODE] = "4/0A", [GTOKEN_REFRESH] = "1//0", [GTOKEN_ACCESS] = "ya29.a0A" };
	struct gtoken *t = must_alloc(sizeof *t);

	t->kind = kind;
	t->own = arena_new();
	t->text = arena_print(t->own, "%s%s", begins[kind], random_text(t->own, 69));
	t->account = account;
	t->scope = arena_str(t->own, scope);
	t->expires = expires;
	t->older = g->newest;
	g->newest = t;
	if (++g->tokens > GOOGLE_TOKENS)
		drop_oldest(g);
	return t;
}

struct gtoken *gtoken_find(struct google *g, enum gtoken_kind kind, const char *text)
{
	for (struct gtoken *t = g->newest; t; t = t->older)
		if (t->kind == kind && strcmp(t->text, text) == 0)
			return t;
	return NULL;
}

void google_forget(struct sandbox *s, struct account *a)
{
	char **granted = a ? &s->google->granted[account_number(s, a)] : NULL;

	for (struct gtoken *t = s->google->newest; t; t = t->older)
		t->revoked |= t->account == a;
	if (!granted)
		return;
	free(*granted);
	*granted = NULL;
}

/* -- who is who ---------------------------------------------------------------------------------------------------- */

const char *google_sub(struct arena *arena, const struct account *a)
{
	unsigned char d[SHA256_DIGEST_LENGTH];
	char          digits[21];

	SHA256((const unsigned char *)a->mail, strlen(a->mail), d);
	for (size_t i = 0; i < sizeof digits - 1; i++)
		digits[i] = (char)('0' + d[i] % 10);
	digits[sizeof digits - 1] = '\0';
	return arena_print(arena, "1%s", digits);
}

const char *google_domain(const struct account *a)
{
	const char *at = strrchr(a->mail, '@');

	return !at || slice_is(slice_str(at + 1), "gmail.com") || slice_is(slice_str(at + 1), "googlemail.com") ? NULL : at + 1;
}

/* -- what an answer holds ------------------------------------------------------------------------------------------ */

static const char *id_token_of(struct sandbox *s, struct arena *arena, const struct account *a, const char *scope, const char *nonce,
                               int64_t at)
{
	cJSON      *o = cJSON_CreateObject();
	const char *text;

	cJSON_AddStringToObject(o, "iss", "https://" GACCOUNTS_HOST);
	cJSON_AddStringToObject(o, "azp", GOOGLE_CLIENT);
	cJSON_AddStringToObject(o, "aud", GOOGLE_CLIENT);
	cJSON_AddStringToObject(o, "sub", google_sub(arena, a));
	if (google_domain(a))
		cJSON_AddStringToObject(o, "hd", google_domain(a));
	if (gscope_has(scope, "userinfo.email")) {
		cJSON_AddStringToObject(o, "email", a->mail);
		cJSON_AddBoolToObject(o, "email_verified", true);
	}
	if (gscope_has(scope, "userinfo.profile"))
		cJSON_AddStringToObject(o, "name", a->display);
	if (nonce)
		cJSON_AddStringToObject(o, "nonce", nonce);
	cJSON_AddNumberToObject(o, "iat", (double)at);
	cJSON_AddNumberToObject(o, "exp", (double)(at + USUAL_LIFE));
	text = jwt_of(arena, s->google->key, "RS256", s->google->key_id, o);
	cJSON_Delete(o);
	return text;
}

cJSON *google_grant(struct sandbox *s, struct arena *arena, struct account *a, const char *scope, const char *nonce, bool refresh,
                    int64_t agreed_at)
{
	const char    *life_text = ordered_value(s, ORDER_TOKEN_LIFE);
	long           life = life_text ? strtol(life_text, NULL, 10) : USUAL_LIFE;
	int64_t        until = now_s() + (orders_take(&s->orders, ORDER_TOKEN_EXPIRED) ? -1 : life);
	struct gtoken *access = gtoken_new(s->google, GTOKEN_ACCESS, a, scope, until);
	cJSON         *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "access_token", access->text);
	cJSON_AddNumberToObject(o, "expires_in", (double)life);
	if (refresh && !is_ordered(s, ORDER_NO_REFRESH))
		cJSON_AddStringToObject(o, "refresh_token", gtoken_new(s->google, GTOKEN_REFRESH, a, scope, 0)->text);
	if (a)
		cJSON_AddStringToObject(o, "scope", scope);
	cJSON_AddStringToObject(o, "token_type", "Bearer");
	if (a && agreed_at && gscope_has(scope, "openid"))
		cJSON_AddStringToObject(o, "id_token", id_token_of(s, arena, a, scope, nonce, agreed_at));
	return o;
}

/* -- the service account ------------------------------------------------------------------------------------------- */

static const char *pem_of(struct arena *arena, EVP_PKEY *key)
{
	BIO        *out = BIO_new(BIO_s_mem());
	char       *bytes;
	long        len;
	const char *text = "";

	if (out && PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 && (len = BIO_get_mem_data(out, &bytes)) > 0)
		text = arena_copy(arena, slice(bytes, (size_t)len));
	BIO_free(out);
	return text;
}

cJSON *google_service_file(struct sandbox *s, struct arena *arena)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "type", "service_account");
	cJSON_AddStringToObject(o, "project_id", GOOGLE_PROJECT);
	cJSON_AddStringToObject(o, "private_key_id", "5a4db0c0ffee");
	cJSON_AddStringToObject(o, "private_key", pem_of(arena, s->google->service_key));
	cJSON_AddStringToObject(o, "client_email", GOOGLE_SERVICE);
	cJSON_AddStringToObject(o, "client_id", "108151623420042000000");
	cJSON_AddStringToObject(o, "auth_uri", "https://" GACCOUNTS_HOST "/o/oauth2/auth");
	cJSON_AddStringToObject(o, "token_uri", "https://" GTOKEN_HOST "/token");
	cJSON_AddStringToObject(o, "universe_domain", "googleapis.com");
	return o;
}

static bool bytes_of(struct arena *arena, struct slice part, struct slice *out)
{
	char *text = arena_print(arena, "%.*s%.*s", (int)part.len, part.at ? part.at : "", (int)((4 - part.len % 4) % 4), "===");

	for (char *c = text; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return base64_read(arena, slice_str(text), out);
}

static bool is_signed(EVP_PKEY *key, struct slice said, struct slice signature)
{
	const unsigned char *bytes = (const unsigned char *)said.at, *by = (const unsigned char *)signature.at;
	EVP_MD_CTX          *md = EVP_MD_CTX_new();
	bool                 fine = EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	                            EVP_DigestVerify(md, by, signature.len, bytes, said.len) == 1;

	EVP_MD_CTX_free(md);
	return fine;
}

/* What of its claims is wrong: a word of the token endpoint's table; NULL: nothing. */
static const char *wrong_claim(const cJSON *c)
{
	const char *iss = json_text(c, "iss"), *aud = json_text(c, "aud");
	double      iat = json_number(c, "iat", 0), exp = json_number(c, "exp", 0), now = (double)now_s();

	if (!iss || strcmp(iss, GOOGLE_SERVICE) != 0)
		return "account-not-found";
	if (!aud || (strcmp(aud, "https://" GTOKEN_HOST "/token") != 0 && strcmp(aud, "https://" GAPIS_HOST "/oauth2/v4/token") != 0))
		return "jwt-scope";
	return exp < now || iat > now + SKEW || exp > iat + LONGEST_ASSERTION ? "jwt-time" : NULL;
}

struct account *google_asserted(struct sandbox *s, struct arena *arena, const char *assertion, const char **scope, const char **refusal)
{
	struct slice    rest = slice_str(assertion), head = slice_cut(&rest, '.'), claims = slice_cut(&rest, '.'), bytes, signature;
	struct slice    said = slice(assertion, head.len + 1 + claims.len);
	cJSON          *c = bytes_of(arena, claims, &bytes) ? json_read(bytes, FORM_LONGEST, NULL) : NULL;
	const char     *sub, *asked;
	struct account *a = NULL;

	*refusal = !c ? "jwt-signature" : wrong_claim(c);
	if (!*refusal && !(bytes_of(arena, rest, &signature) && is_signed(s->google->service_key, said, signature)))
		*refusal = "jwt-signature";
	sub = json_text(c, "sub");
	asked = json_text(c, "scope");
	*scope = asked ? gscope_read(arena, asked) : NULL;
	if (!*refusal && !*scope)
		*refusal = "jwt-scope";
	if (!*refusal && sub && strcmp(sub, GOOGLE_SERVICE) != 0 && !(a = google_account(s, sub)))
		*refusal = "not-a-user";
	/* an address beside the first is nobody's name here; and nobody acts for a private account (facts G A.7) */
	if (!*refusal && a && strcasecmp(a->mail, sub) != 0)
		*refusal = "not-a-user";
	if (!*refusal && a && !google_domain(a))
		*refusal = "unauthorized_client";
	cJSON_Delete(c);
	return a;
}
