#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "sandbox/cloud.h"
#include "sandbox/entra.h"

#define USUAL_LIFE 3599
#define REFRESH_LIFE (90L * 86400)
#define CODE_LENGTH 86

/* -- kept ---------------------------------------------------------------------------------------------------------- */

static size_t bucket_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h % CLOUD_BUCKETS;
}

static void token_drop(struct cloud *c, struct token *t)
{
	struct token **at = &c->bucket[bucket_of(t->text)];

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	*(t->older ? &t->older->newer : &c->oldest) = t->newer;
	*(t->newer ? &t->newer->older : &c->newest) = t->older;
	c->tokens--;
	arena_free(t->own);
	free(t);
}

static void token_keep(struct cloud *c, struct token *t)
{
	struct token **at = &c->bucket[bucket_of(t->text)];

	t->next = *at;
	*at = t;
	t->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = t;
	c->newest = t;
	if (++c->tokens > CLOUD_TOKENS)
		token_drop(c, c->oldest);
}

struct token *token_new(struct cloud *c, enum token_kind kind, const char *text, struct account *account, const char *scope,
                        int64_t expires)
{
	static const char *const begins[] = { [TOKEN_CODE] = "0.AX", [TOKEN_REFRESH] = "1.AX", [TOKEN_ACCESS] = "EwB", [TOKEN_DEVICE] = "DAQABAAE" };
	struct token *t = must_alloc(sizeof *t);

	t->kind = kind;
	t->own = arena_new();
	t->text = text ? arena_str(t->own, text) : arena_print(t->own, "%s%s", begins[kind], random_text(t->own, CODE_LENGTH));
	t->account = account;
	t->scope = arena_str(t->own, scope ? scope : "");
	t->expires = expires;
	token_keep(c, t);
	return t;
}

struct token *token_find(struct cloud *c, enum token_kind kind, const char *text)
{
	for (struct token *t = c->bucket[bucket_of(text)]; t; t = t->next)
		if (t->kind == kind && strcmp(t->text, text) == 0)
			return t;
	return NULL;
}

struct token *token_of_user_code(struct cloud *c, const char *user_code)
{
	for (struct token *t = c->newest; t; t = t->older)
		if (t->user_code && strcmp(t->user_code, user_code) == 0)
			return t;
	return NULL;
}

void tokens_free(struct cloud *c)
{
	while (c->oldest)
		token_drop(c, c->oldest);
}

/* -- what an answer holds ------------------------------------------------------------------------------------------ */

/* What is granted of what was asked for, as the answer says it: offline_access is not repeated. */
static const char *granted(struct sandbox *s, struct arena *arena, const char *scope)
{
	const char  *only = ordered_value(s, ORDER_SCOPES), *out = "";
	struct slice rest = slice_str(only ? arena_str(arena, only) : scope);

	while (rest.len) {
		struct slice one = slice_cut(&rest, only ? ',' : ' ');

		if (one.len && !slice_is(one, "offline_access"))
			out = arena_print(arena, "%s%s%.*s", out, *out ? " " : "", (int)one.len, one.at);
	}
	return out;
}

static cJSON *claims_new(struct sandbox *s, struct arena *arena, const struct account *a, const char *audience, int64_t life)
{
	cJSON      *o = cJSON_CreateObject();
	const char *tid = account_tid(s, a);

	cJSON_AddStringToObject(o, "aud", audience);
	cJSON_AddStringToObject(o, "iss", arena_print(arena, "https://" ENTRA_HOST "/%s/v2.0", tid));
	cJSON_AddNumberToObject(o, "iat", (double)now_s());
	cJSON_AddNumberToObject(o, "nbf", (double)now_s());
	cJSON_AddNumberToObject(o, "exp", (double)(now_s() + life));
	cJSON_AddStringToObject(o, "tid", tid);
	cJSON_AddStringToObject(o, "ver", "2.0");
	cJSON_AddStringToObject(o, "uti", random_text(arena, 22));
	if (a) {
		cJSON_AddStringToObject(o, "oid", account_oid(s, arena, a));
		cJSON_AddStringToObject(o, "sub", sha256_base64url(arena, arena_print(arena, CLOUD_CLIENT "%s", a->mail)));
		cJSON_AddStringToObject(o, "name", a->display);
		cJSON_AddStringToObject(o, "preferred_username", account_upn(s, arena, a));
	}
	return o;
}

static void set_text(cJSON *o, const char *name, const char *value)
{
	cJSON_DeleteItemFromObject(o, name);
	cJSON_AddStringToObject(o, name, value);
}

/* One claim is another than it should be. */
static const struct { const char *flaw, *claim, *value; } wrong_claims[] = {
	{ "nonce",    "nonce", "somebody-elses-nonce" },
	{ "audience", "aud",   "00000000-1111-2222-3333-444444444444" },
	{ "tenant",   "tid",   "11111111-2222-3333-4444-555555555555" },
	{ "issuer",   "iss",   "https://login.example/v2.0" },
	{ "party",    "azp",   "00000000-1111-2222-3333-444444444444" },
	{ "user",     "oid",   "99999999-8888-4777-8666-555555555555" },
};

enum signer { BY_US, BY_ANOTHER, BY_NOBODY };

/* Its head says what is not so, or it is signed by whom it should not be. */
static const struct { const char *flaw, *alg, *key_id; enum signer by; } wrong_heads[] = {
	{ "none",      "none",  NULL,                          BY_NOBODY  },
	{ "algorithm", "HS256", NULL,                          BY_ANOTHER },
	{ "key",       "RS256", "a-key-that-nobody-publishes", BY_US      },
	{ "signature", "RS256", NULL,                          BY_ANOTHER },
};

static const char *signed_with(struct cloud *c, struct arena *arena, const char *flaw, const cJSON *claims)
{
	EVP_PKEY *const keys[] = { [BY_US] = c->key, [BY_ANOTHER] = c->other_key, [BY_NOBODY] = NULL };

	for (size_t i = 0; i < COUNT(wrong_heads); i++)
		if (strcmp(flaw, wrong_heads[i].flaw) == 0) {
			const char *key_id = wrong_heads[i].key_id ? wrong_heads[i].key_id : c->key_id;
			EVP_PKEY   *key = keys[wrong_heads[i].by];

			return jwt_of(arena, key, wrong_heads[i].alg, key ? key_id : NULL, claims);
		}
	return jwt_of(arena, c->key, "RS256", c->key_id, claims);
}

#define EARLY_S 7200

static void shift(cJSON *o, const char *name, int64_t by)
{
	cJSON *n = cJSON_GetObjectItem(o, name);

	cJSON_SetNumberValue(n, n->valuedouble + (double)by);
}

/* NULL: there shall be none. */
static const char *id_token_of(struct sandbox *s, struct arena *arena, const struct account *a, const char *nonce)
{
	/* of those that are nobody's sign-in, as the token files, none is counted */
	const struct ordered *o = nonce ? orders_take(&s->orders, ORDER_ID_TOKEN) : orders_has(&s->orders, ORDER_ID_TOKEN);
	const char           *flaw = o ? o->value : "", *text;
	cJSON                *claims;

	if (strcmp(flaw, "absent") == 0)
		return NULL;
	claims = claims_new(s, arena, a, CLOUD_CLIENT, strcmp(flaw, "expired") == 0 ? -EARLY_S : USUAL_LIFE);
	if (nonce)
		cJSON_AddStringToObject(claims, "nonce", nonce);
	cJSON_AddStringToObject(claims, "email", a->mail);
	for (size_t i = 0; i < COUNT(wrong_claims); i++)
		if (strcmp(flaw, wrong_claims[i].flaw) == 0)
			set_text(claims, wrong_claims[i].claim, wrong_claims[i].value);
	if (strcmp(flaw, "early") == 0)
		shift(claims, "nbf", EARLY_S);
	text = signed_with(s->cloud, arena, flaw, claims);
	cJSON_Delete(claims);
	return strcmp(flaw, "cut") == 0 ? arena_copy(arena, slice(text, strlen(text) / 2)) : text;
}

/* A work account's is a JWT for those who look into it, though nobody should; a personal one's is not (facts M A.3). */
static const char *access_token_of(struct sandbox *s, struct arena *arena, const struct account *a, const char *scope, long life)
{
	cJSON      *claims;
	const char *text;

	if (is_ordered(s, ORDER_PERSONAL))
		return arena_print(arena, "EwB%s", random_text(arena, 120));
	claims = claims_new(s, arena, a, "https://" GRAPH_HOST, life);
	cJSON_AddStringToObject(claims, "appid", CLOUD_CLIENT);
	cJSON_AddStringToObject(claims, a ? "scp" : "roles", scope);
	text = jwt_of(arena, s->cloud->key, "RS256", s->cloud->key_id, claims);
	cJSON_Delete(claims);
	return text;
}

cJSON *grant_new(struct sandbox *s, struct arena *arena, struct account *a, const char *scope, const char *nonce, bool confidential)
{
	const char   *life_text = ordered_value(s, ORDER_TOKEN_LIFE), *allowed = granted(s, arena, scope), *id_token;
	long          life = life_text ? strtol(life_text, NULL, 10) : USUAL_LIFE;
	struct token *access = token_new(s->cloud, TOKEN_ACCESS, access_token_of(s, arena, a, allowed, life), a, allowed,
	                                 now_s() + (orders_take(&s->orders, ORDER_TOKEN_EXPIRED) ? -1 : life));
	cJSON        *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "token_type", "Bearer");
	if (a)
		cJSON_AddStringToObject(o, "scope", allowed);
	cJSON_AddNumberToObject(o, "expires_in", (double)life);
	cJSON_AddNumberToObject(o, "ext_expires_in", (double)life);
	cJSON_AddStringToObject(o, "access_token", access->text);
	if (a && scope_has(scope, "offline_access") && !is_ordered(s, ORDER_NO_REFRESH)) {
		struct token *refresh = token_new(s->cloud, TOKEN_REFRESH, NULL, a, scope, now_s() + REFRESH_LIFE);

		refresh->confidential = confidential;
		cJSON_AddStringToObject(o, "refresh_token", refresh->text);
	}
	id_token = a && scope_has(scope, "openid") ? id_token_of(s, arena, a, nonce) : NULL;
	if (id_token)
		cJSON_AddStringToObject(o, "id_token", id_token);
	if (a)
		cJSON_AddStringToObject(o, "client_info", base64url_of(arena, slice_str(arena_print(arena, "{\"uid\":\"%s\",\"utid\":\"%s\"}",
		                        account_oid(s, arena, a), account_tid(s, a)))));
	return o;
}
