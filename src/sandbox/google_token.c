/* Google's token endpoint, and what stands beside it (facts G A.1, A.3, A.7). */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/google.h"
#include "sandbox/text.h"

#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define REAUTH_URI "https://support.google.com/a/answer/9368756"

/* By a word of ours, as it is ordered; where the word is the error itself, its usual text. */
static const struct { const char *word; int status; const char *error, *text, *subtype; } rows[] = {
	{ "expired", 400, "invalid_grant", "Token has been expired or revoked.", NULL },
	{ "bad-request", 400, "invalid_grant", "Bad Request", NULL },
	{ "malformed-code", 400, "invalid_grant", "Malformed auth code.", NULL },
	{ "code-verifier", 400, "invalid_grant", "Invalid code verifier.", NULL },
	{ "no-code-verifier", 400, "invalid_grant", "Missing code verifier.", NULL },
	{ "invalid_rapt", 400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt" },
	{ "rapt_required", 400, "invalid_grant", "reauth related error (rapt_required)", "rapt_required" },
	{ "account-deleted", 400, "invalid_grant", "Account has been deleted", NULL },
	{ "account-disabled", 400, "invalid_grant", "Account disabled", NULL },
	{ "policy_enforced", 400, "policy_enforced", "Advanced Protection prevented your Google Account from being signed in.", NULL },
	{ "admin_policy_enforced", 400, "admin_policy_enforced", "Access to your account data is restricted by policies within your organization.", NULL },
	{ "invalid_client", 401, "invalid_client", "The OAuth client was not found.", NULL },
	{ "wrong-secret", 401, "invalid_client", "Unauthorized", NULL },
	{ "deleted_client", 401, "deleted_client", "The OAuth client was deleted.", NULL },
	{ "disabled_client", 401, "disabled_client", "The OAuth client was disabled.", NULL },
	{ "unauthorized_client", 401, "unauthorized_client",
	  "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.", NULL },
	{ "not-authorized", 403, "access_denied", "Requested client not authorized.", NULL },
	{ "redirect_uri_mismatch", 400, "redirect_uri_mismatch", "Bad Request", NULL },
	{ "invalid_request", 400, "invalid_request", "Missing required parameter.", NULL },
	{ "invalid_scope", 400, "invalid_scope", "Some requested scopes were invalid.", NULL },
	{ "unsupported_grant_type", 400, "unsupported_grant_type", "Invalid grant_type", NULL },
	{ "not-a-user", 400, "invalid_grant", "Invalid email or User ID", NULL },
	{ "account-not-found", 400, "invalid_grant", "Invalid grant: account not found", NULL },
	{ "jwt-signature", 400, "invalid_grant", "Invalid JWT Signature.", NULL },
	{ "jwt-time", 400, "invalid_grant",
	  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.", NULL },
	{ "jwt-scope", 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.", NULL },
	{ "internal_failure", 500, "internal_failure", NULL, NULL },
	{ "rate_limit_exceeded", 403, "rate_limit_exceeded", NULL, NULL },
	{ "slow_down", 429, "slow_down", NULL, NULL },
};

void google_refuse_token(struct request *r, struct reply *reply, const char *word)
{
	cJSON *o = cJSON_CreateObject();
	size_t i;

	for (i = 0; i < COUNT(rows) && strcmp(rows[i].word, word) != 0; i++)
		;
	r->login = "refused";
	cJSON_AddStringToObject(o, "error", i < COUNT(rows) ? rows[i].error : word);
	if (i < COUNT(rows) && rows[i].text)
		cJSON_AddStringToObject(o, "error_description", rows[i].text);
	if (i < COUNT(rows) && rows[i].subtype) {
		cJSON_AddStringToObject(o, "error_subtype", rows[i].subtype);
		cJSON_AddStringToObject(o, "error_uri", REAUTH_URI);
	}
	reply_json(reply, i < COUNT(rows) ? rows[i].status : 400, o);
}

/* -- a request ------------------------------------------------------------------------------------------------------- */

struct gask {
	struct sandbox *sandbox;
	struct request *request;
	struct reply   *reply;
	struct form     form;
};

static bool refused(struct gask *a, const char *word)
{
	google_refuse_token(a->request, a->reply, word);
	return false;
}

static void give(struct gask *a, struct account *account, const char *scope, const char *nonce, bool refresh, bool agreed)
{
	a->request->login = "accepted";
	a->request->user = account ? account->mail : GOOGLE_SERVICE;
	reply_header(a->reply, a->request, "Cache-Control", "no-cache, no-store, max-age=0, must-revalidate");
	reply_json(a->reply, 200, google_grant(a->sandbox, a->request->work, account, scope, nonce, refresh, agreed ? now_s() : 0));
}

/* Whoever it is about is known: what was ordered for him. */
static bool is_in_the_way(struct gask *a)
{
	struct ordered *o = orders_take(&a->sandbox->orders, ORDER_GOOGLE_TOKEN);

	if (o)
		google_refuse_token(a->request, a->reply, o->value);
	return o != NULL;
}

/* HTTP Basic is as good as the form; what it brings is put there. */
static void read_basic(struct gask *a)
{
	struct arena *work = a->request->work;
	const char   *header = request_header(a->request, "Authorization");
	struct slice  both, name;

	if (!header || !slice_starts(slice_str(header), "Basic ") || !base64_read(work, slice_from(slice_str(header), 6), &both))
		return;
	name = slice_cut(&both, ':');
	form_put(&a->form, "client_id", url_plain(work, name, true));
	form_put(&a->form, "client_secret", url_plain(work, both, true));
}

static bool client_is_right(struct gask *a)
{
	if (strcmp(form_text(&a->form, "client_id"), GOOGLE_CLIENT) != 0)
		return refused(a, "invalid_client");
	return strcmp(form_text(&a->form, "client_secret"), GOOGLE_SECRET) == 0 || refused(a, "wrong-secret");
}

/* -- grants ------------------------------------------------------------------------------------------------------------ */

/* NULL: it does. */
static const char *wrong_verifier(struct gask *a, const struct gtoken *t)
{
	const char *verifier = form_get(&a->form, "code_verifier");

	if (!t->challenge)
		return NULL;
	if (!verifier || !*verifier)
		return "no-code-verifier";
	return strcmp(t->plain ? verifier : sha256_base64url(a->request->work, verifier), t->challenge) == 0 ? NULL : "code-verifier";
}

static bool redeem(struct gask *a)
{
	struct gtoken *t = gtoken_find(a->sandbox->google, GTOKEN_CODE, form_text(&a->form, "code"));
	const char    *wrong;

	account_served(a->sandbox, t ? t->account : NULL);
	if (is_in_the_way(a) || !client_is_right(a))
		return false;
	if (!t)
		return refused(a, "malformed-code");
	if (t->spent || t->revoked || t->expires < now_s())
		return refused(a, "bad-request");
	if (strcmp(t->redirect_uri, form_text(&a->form, "redirect_uri")) != 0)
		return refused(a, "redirect_uri_mismatch");
	wrong = wrong_verifier(a, t);
	if (wrong)
		return refused(a, wrong);
	t->spent = true;
	give(a, t->account, t->scope, t->nonce, t->offline && t->first, true);
	return true;
}

static bool refresh(struct gask *a)
{
	struct gtoken *t = gtoken_find(a->sandbox->google, GTOKEN_REFRESH, form_text(&a->form, "refresh_token"));

	account_served(a->sandbox, t ? t->account : NULL);
	if (is_in_the_way(a) || !client_is_right(a))
		return false;
	if (!t)
		return refused(a, "bad-request");
	if (t->revoked)
		return refused(a, "expired");
	give(a, t->account, t->scope, NULL, false, false);
	return true;
}

static bool by_assertion(struct gask *a)
{
	const char     *scope, *refusal;
	struct account *account = google_asserted(a->sandbox, a->request->work, form_text(&a->form, "assertion"), &scope, &refusal);

	account_served(a->sandbox, account);
	if (is_in_the_way(a))
		return false;
	if (refusal)
		return refused(a, refusal);
	give(a, account, scope, NULL, false, false);
	return true;
}

static const struct { const char *type; bool (*give)(struct gask *); } grants[] = {
	{ "authorization_code", redeem }, { "refresh_token", refresh }, { JWT_BEARER, by_assertion },
};

/* -- trouble on the way ------------------------------------------------------------------------------------------------ */

static bool disturbed(struct gask *a)
{
	struct orders  *all = &a->sandbox->orders;
	struct ordered *o = orders_take(all, ORDER_TOKEN_BUSY);

	if (o) {
		if (!o->value || strcmp(o->value, "0") != 0)
			reply_header(a->reply, a->request, "Retry-After", "%s", o->value ? o->value : "1");
		google_refuse_token(a->request, a->reply, o->row->number == 429 ? "slow_down" : "internal_failure");
		a->reply->status = o->row->number;
		return true;
	}
	if (!orders_take(all, ORDER_TOKEN_HTML))
		return false;
	gscreen_begin(a->reply, 502, "Error 502 (Server Error)!!1");
	gscreen_end(a->reply);
	return true;
}

/* What is done is done, and nobody hears of it. */
static void lose(struct gask *a)
{
	struct ordered *o;

	if (orders_take(&a->sandbox->orders, ORDER_TOKEN_LOST)) {
		a->reply->ending = ENDS_DROPPED;
	} else if ((o = orders_take(&a->sandbox->orders, ORDER_TOKEN_CUT))) {
		a->reply->ending = ENDS_CUT;
		a->reply->cut = o->value ? strtoul(o->value, NULL, 10) : 100;
	}
}

static bool answer(struct gask *a)
{
	if (strcmp(a->request->method, "POST") != 0 || !form_read(a->request->work, a->request->body, &a->form))
		return refused(a, "invalid_request");
	read_basic(a);
	a->request->operation = form_text(&a->form, "grant_type");
	if (disturbed(a))
		return false;
	for (size_t i = 0; i < COUNT(grants); i++)
		if (strcmp(grants[i].type, a->request->operation) == 0)
			return grants[i].give(a);
	return refused(a, "unsupported_grant_type");
}

void answer_google_token(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct gask a = { .sandbox = s, .request = r, .reply = reply };

	r->operation = "token";
	if (answer(&a)) {
		s->counts.accepted++;
		lose(&a);
	} else {
		s->counts.refused++;
	}
}

/* -- beside it --------------------------------------------------------------------------------------------------------- */

static const char *given_token(struct request *r, const struct form *body)
{
	const char *bearer = request_header(r, "Authorization"), *query = request_query(r, "token");

	if (bearer && slice_starts(slice_str(bearer), "Bearer "))
		return bearer + strlen("Bearer ");
	return query ? query : request_query(r, "access_token") ? request_query(r, "access_token")
	     : form_get(body, "token") ? form_get(body, "token") : form_text(body, "access_token");
}

static void say_invalid(struct reply *reply)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "error", "invalid_token");
	cJSON_AddStringToObject(o, "error_description", "Token expired or revoked");
	reply_json(reply, 400, o);
}

/* Either token takes all of the grant away. */
void answer_google_revoke(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct form    f = { .count = 0 };
	const char    *text;
	struct gtoken *t;

	r->operation = "revoke";
	form_read(r->work, r->body, &f);
	text = given_token(r, &f);
	t = gtoken_find(s->google, GTOKEN_REFRESH, text);
	t = t ? t : gtoken_find(s->google, GTOKEN_ACCESS, text);
	account_served(s, t ? t->account : NULL);
	if (orders_take(&s->orders, ORDER_TOKEN_HTML)) {
		gscreen_begin(reply, 502, "Error 502 (Server Error)!!1");
		gscreen_end(reply);
		return;
	}
	if (!t || t->revoked) {
		say_invalid(reply);
		return;
	}
	r->user = t->account ? t->account->mail : GOOGLE_SERVICE;
	google_forget(s, t->account);
	reply_json(reply, 200, cJSON_CreateObject());
}

void answer_google_token_info(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct form    f = { .count = 0 };
	struct gtoken *t;
	cJSON         *o;

	form_read(r->work, r->body, &f);
	t = gtoken_find(s->google, GTOKEN_ACCESS, given_token(r, &f));
	if (!t || t->revoked || t->expires < now_s()) {
		say_invalid(reply);
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "azp", GOOGLE_CLIENT);
	cJSON_AddStringToObject(o, "aud", GOOGLE_CLIENT);
	cJSON_AddStringToObject(o, "scope", t->scope);
	cJSON_AddStringToObject(o, "exp", arena_print(r->work, "%lld", (long long)t->expires));
	cJSON_AddStringToObject(o, "expires_in", arena_print(r->work, "%lld", (long long)(t->expires - now_s())));
	if (t->account && gscope_has(t->scope, "userinfo.email")) {
		cJSON_AddStringToObject(o, "sub", google_sub(r->work, t->account));
		cJSON_AddStringToObject(o, "email", t->account->mail);
		cJSON_AddStringToObject(o, "email_verified", "true");
	}
	cJSON_AddStringToObject(o, "access_type", "offline");
	reply_json(reply, 200, o);
}
