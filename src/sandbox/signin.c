#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/kerberos.h"
#include "sandbox/ntlm.h"
#include "sandbox/pages.h"
#include "sandbox/parts.h"
#include "sandbox/text.h"

/* -- what every answer says --------------------------------------------------------------------------------------- */

void usual_headers(struct sandbox *s, struct request *r, struct reply *reply)
{
	char          build[40];
	unsigned char id[16];

	random_bytes(id, sizeof id);
	reply_header(reply, r, "Server", "Microsoft-IIS/%s", s->persona->iis);
	reply_header(reply, r, "request-id", "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2], id[3],
	             id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
	reply_header(reply, r, "X-Powered-By", "ASP.NET");
	if (persona_is_modern(s->persona))
		reply_header(reply, r, "X-FEServer", "%s", s->persona->tells_build ? "EXCH01" : "AM0PR04CA0024");
	else
		reply_header(reply, r, "X-AspNet-Version", "2.0.50727");
	if (s->persona->tells_build)
		reply_header(reply, r, "X-OWA-Version", "%s", persona_build(s->persona, build));
}

#define BEARER_ISSUER "00000001-0000-0000-c000-000000000000"
#define BEARER_TENANT "6f1d2f3a-7f7c-4c0e-9f43-2d4b6f0f7e11"

static void challenge_bearer(struct sandbox *s, struct request *r, struct reply *reply)
{
	bool online = s->persona->schemes == SCHEME_BEARER;

	reply_header(reply, r, "WWW-Authenticate",
	             "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"" BEARER_ISSUER "@%s\", "
	             "token_types=\"app_asserted_user_v1 service_asserted_app_v1\", "
	             "authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\"%s",
	             online ? "*" : BEARER_TENANT, online ? ", Basic Realm=\"\"" : "");
}

/* Offers what there is; a login that was refused gets the same. */
static void unauthorized(struct sandbox *s, struct request *r, struct reply *reply, const char *sub)
{
	reply->status = 401;
	usual_headers(s, r, reply);
	if (s->schemes & SCHEME_NEGOTIATE)
		reply_header(reply, r, "WWW-Authenticate", "Negotiate");
	if (s->schemes & SCHEME_NTLM)
		reply_header(reply, r, "WWW-Authenticate", "NTLM");
	if (s->schemes & SCHEME_BASIC)
		reply_header(reply, r, "WWW-Authenticate", "Basic realm=\"%s\"", r->host);
	if (s->schemes & SCHEME_BEARER)
		challenge_bearer(s, r, reply);
	if (!persona_is_modern(s->persona))
		page_iis(r, reply, 401, sub, "Unauthorized: Access is denied due to invalid credentials.");
}

/* -- whose name it is --------------------------------------------------------------------------------------------- */

static bool is_name_of(const struct sandbox *s, const struct account *a, const char *domain, const char *user)
{
	bool ours = strcasecmp(domain, s->netbios) == 0 || strcasecmp(domain, s->domain) == 0;

	if (*domain)
		return (s->name_forms & NAME_DOWN) && ours && strcasecmp(user, a->sam) == 0;
	return ((s->name_forms & NAME_UPN) && strcasecmp(user, a->upn) == 0) ||
	       ((s->name_forms & NAME_MAIL) && strcasecmp(user, a->mail) == 0) ||
	       ((s->name_forms & NAME_BARE) && strcasecmp(user, a->sam) == 0);
}

static struct account *account_named(struct sandbox *s, struct request *r, const char *domain, const char *user)
{
	const char *slash = strchr(user, '\\');

	if (slash && !*domain) {
		domain = arena_copy(r->work, slice(user, (size_t)(slash - user)));
		user = slash + 1;
	}
	for (size_t i = 0; i < s->account_count; i++)
		if (is_name_of(s, &s->accounts[i], domain, user))
			return &s->accounts[i];
	return NULL;
}

static struct account *judged(struct sandbox *s, struct request *r, struct reply *reply, struct account *a)
{
	if (a && orders_take(&s->orders, ORDER_REFUSE))
		a = NULL;
	r->login = a ? "accepted" : "refused";
	if (a)
		s->counts.accepted++;
	else
		s->counts.refused++;
	if (!a)
		unauthorized(s, r, reply, "401.1 - Unauthorized: Access is denied due to invalid credentials.");
	return a;
}

/* -- Basic, Bearer ------------------------------------------------------------------------------------------------ */

static struct account *sign_in_basic(struct sandbox *s, struct request *r, struct reply *reply, const char *token)
{
	struct slice    plain, user;
	struct account *a;

	if (!base64_read(r->work, slice_str(token), &plain)) {
		unauthorized(s, r, reply, "401.2 - Unauthorized");
		return NULL;
	}
	user = slice_cut(&plain, ':');
	r->user = arena_copy(r->work, user);
	a = account_served(s, account_named(s, r, "", r->user));
	return judged(s, r, reply, a && plain.at && slice_equal(plain, slice_str(a->password)) ? a : NULL);
}

/* The token of an account is its password: where tokens come from is somebody else's sandbox. */
static struct account *sign_in_bearer(struct sandbox *s, struct request *r, struct reply *reply, const char *token)
{
	struct account *a = NULL;

	for (size_t i = 0; i < s->account_count && !a; i++)
		if (strcmp(s->accounts[i].password, token) == 0)
			a = &s->accounts[i];
	if (!a)
		reply_header(reply, r, "x-ms-diagnostics", "2000001;reason=\"The token is invalid.\";error_category=\"invalid_token\"");
	return judged(s, r, reply, account_served(s, a));
}

/* -- NTLM, by itself and in Negotiate ----------------------------------------------------------------------------- */

static void challenge_ntlm(struct sandbox *s, struct request *r, struct reply *reply, const char *word)
{
	const struct ntlm_names names = { s->netbios, "EXCH01", s->domain, s->dns_host };
	struct slice message;

	random_bytes(r->caller->nonce, sizeof r->caller->nonce);
	r->caller->challenged = true;
	r->caller->account = NULL;
	message = ntlm_challenge(r->work, &names, r->caller->nonce, s->persona->version[0] > 8 ? (int64_t)time(NULL) : 0);
	if (r->caller->wrapped)
		message = ntlm_wrapped(r->work, message, 1);
	reply->status = 401;
	usual_headers(s, r, reply);
	reply_header(reply, r, "WWW-Authenticate", "%s %s", word, base64_of(r->work, message));
	if (!persona_is_modern(s->persona) || orders_take(&s->orders, ORDER_PAGE_ON_TYPE2))
		page_iis(r, reply, 401, "401.1 - Unauthorized: Access is denied due to invalid credentials.", "Unauthorized");
	reply->closes = orders_take(&s->orders, ORDER_CLOSE_BETWEEN) != NULL;
	r->login = "challenged";
}

/* What ends TLS is a proxy: the server has another certificate than the client sees. */
static bool is_behind(const struct ordered *o)
{
	return o && o->value && strcmp(o->value, "proxy") == 0;
}

static bool is_bound(struct sandbox *s, const struct request *r, const struct ntlm_answer *answer)
{
	static const unsigned char none[NTLM_BINDING];
	const struct ordered *o = orders_has(&s->orders, ORDER_BINDING);
	unsigned char got[NTLM_BINDING], wanted[NTLM_BINDING];

	if (!o)
		return true;
	ntlm_answer_binding(answer, got);
	ntlm_binding_of(r->certificate, wanted);
	wanted[0] ^= is_behind(o);
	return memcmp(got, wanted, sizeof got) == 0 || (o->value && strcmp(o->value, "allow") == 0 && memcmp(got, none, sizeof got) == 0);
}

static struct account *sign_in_ntlm(struct sandbox *s, struct request *r, struct reply *reply, const char *word, const char *token)
{
	struct slice       bytes, message;
	struct ntlm_answer answer;
	struct account    *a;
	int kind = base64_read(r->work, slice_str(token), &bytes) ? ntlm_find(bytes, &message) : NTLM_NONE;

	if (kind == NTLM_NEGOTIATE) {
		r->caller->wrapped = message.at != bytes.at;
		challenge_ntlm(s, r, reply, word);
		return NULL;
	}
	if (kind != NTLM_AUTHENTICATE || !r->caller->challenged || !ntlm_answer_read(r->work, message, &answer)) {
		unauthorized(s, r, reply, "401.2 - Unauthorized");
		return NULL;
	}
	r->caller->challenged = false;
	r->user = arena_print(r->work, "%s%s%s", answer.domain, *answer.domain ? "\\" : "", answer.user);
	a = account_served(s, account_named(s, r, answer.domain, answer.user));
	a = judged(s, r, reply, a && ntlm_answer_proves(&answer, a->password, r->caller->nonce) && is_bound(s, r, &answer) ? a : NULL);
	r->caller->account = a;
	if (a && r->caller->wrapped)
		reply_header(reply, r, "WWW-Authenticate", "%s %s", word, base64_of(r->work, ntlm_wrapped(r->work, slice(NULL, 0), 0)));
	return a;
}

/* -- Kerberos ----------------------------------------------------------------------------------------------------- */

/* sam@REALM, or the user principal name whole. */
static struct account *account_of_principal(struct sandbox *s, const char *principal)
{
	const char *at = strrchr(principal, '@');

	for (size_t i = 0; i < s->account_count && at; i++) {
		const struct account *a = &s->accounts[i];

		if (strcasecmp(principal, a->upn) == 0 || (strcasecmp(at + 1, s->domain) == 0 && strlen(a->sam) == (size_t)(at - principal)
		    && strncasecmp(principal, a->sam, strlen(a->sam)) == 0))
			return &s->accounts[i];
	}
	return NULL;
}

/* Its proof, or what was ordered in its place. */
static void say_kerberos(struct sandbox *s, struct request *r, struct reply *reply, struct slice say)
{
	const struct ordered *o = orders_has(&s->orders, ORDER_KERBEROS_ANSWER);
	char                 *copy = say.len ? arena_copy(r->work, say) : NULL;

	if (!copy || (o && strcmp(o->value, "none") == 0))
		return;
	if (o)
		copy[say.len - 1] ^= 1;
	reply_header(reply, r, "WWW-Authenticate", "Negotiate %s", base64_of(r->work, slice(copy, say.len)));
}

static struct account *sign_in_kerberos(struct sandbox *s, struct request *r, struct reply *reply, struct slice token)
{
	const struct ordered *o = orders_has(&s->orders, ORDER_BINDING);
	bool                  must = o && !(o->value && strcmp(o->value, "allow") == 0);
	unsigned char         hash[32];
	struct kerberos_word  word;
	struct account       *a;

	certificate_hash(r->certificate, hash);
	hash[0] ^= is_behind(o);
	word = keytab_accept(s->keys, r->work, token, o ? slice((const char *)hash, sizeof hash) : slice(NULL, 0));
	r->user = word.principal;
	a = account_served(s, word.principal ? account_of_principal(s, word.principal) : NULL);
	a = judged(s, r, reply, word.accepted && (word.bound || !must) ? a : NULL);
	if (a || !word.accepted)
		say_kerberos(s, r, reply, word.say);
	if (!orders_has(&s->orders, ORDER_KERBEROS_EACH))
		r->caller->account = a;
	return a;
}

/* Negotiate is whatever the client's first word says. */
static struct account *sign_in_negotiate(struct sandbox *s, struct request *r, struct reply *reply, const char *word, const char *token)
{
	struct slice bytes, message;

	if (!s->keys || !base64_read(r->work, slice_str(token), &bytes) || ntlm_find(bytes, &message) != NTLM_NONE)
		return sign_in_ntlm(s, r, reply, word, token);
	return sign_in_kerberos(s, r, reply, bytes);
}

/* -- all of them -------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned    scheme;
} schemes[] = { { "Negotiate", SCHEME_NEGOTIATE }, { "NTLM", SCHEME_NTLM }, { "Basic", SCHEME_BASIC }, { "Bearer", SCHEME_BEARER } };

static unsigned scheme_of(const char *authorization, const char **name, const char **token)
{
	for (size_t i = 0; i < COUNT(schemes); i++) {
		size_t len = strlen(schemes[i].name);

		if (strncasecmp(authorization, schemes[i].name, len) == 0 && authorization[len] == ' ') {
			*name = schemes[i].name;
			*token = authorization + len + strspn(authorization + len, " ");
			return schemes[i].scheme;
		}
	}
	return 0;
}

struct account *sign_in(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char *authorization = request_header(r, "Authorization"), *name = NULL, *token = NULL;

	if (!authorization && account_served(s, r->caller->account)) {
		r->login = "kept";
		return r->caller->account;
	}
	if (!authorization) {
		unauthorized(s, r, reply, "401.2 - Unauthorized: Access is denied due to server configuration.");
		return NULL;
	}
	switch (scheme_of(authorization, &name, &token) & s->schemes) {
	case SCHEME_BASIC:
		r->scheme = name;
		return sign_in_basic(s, r, reply, token);
	case SCHEME_BEARER:
		r->scheme = name;
		return sign_in_bearer(s, r, reply, token);
	case SCHEME_NEGOTIATE:
		r->scheme = name;
		return sign_in_negotiate(s, r, reply, name, token);
	case SCHEME_NTLM:
		r->scheme = name;
		return sign_in_ntlm(s, r, reply, name, token);
	default:
		r->scheme = name;
		r->login = "not offered";
		if (name && strcmp(name, "Basic") == 0)      /* a password was told all the same */
			s->counts.refused++;
		unauthorized(s, r, reply, "401.2 - Unauthorized: Access is denied due to server configuration.");
		return NULL;
	}
}
