/* The token endpoint, and the device code that leads there. */
#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/entra.h"
#include "sandbox/text.h"

#define DEVICE_LIFE 900

struct ask {
	struct sandbox *sandbox;
	struct request *request;
	struct reply   *reply;
	const char     *tenant;
	struct form     form;
	bool            confidential;      /* it showed a secret */
};

static bool refused(struct ask *a, unsigned number)
{
	refuse_token(a->request, a->reply, number);
	return false;
}

static void grant(struct ask *a, struct account *account, const char *scope, const char *nonce)
{
	a->sandbox->counts.accepted++;
	a->request->login = "accepted";
	a->request->user = account ? account->mail : CLOUD_CLIENT;
	reply_header(a->reply, a->request, "Cache-Control", "no-store");
	reply_json(a->reply, 200, grant_new(a->sandbox, a->request->work, account, scope, nonce, a->confidential));
}

/* -- the client ------------------------------------------------------------------------------------------------------ */

/* HTTP Basic is as good as the form; what it brings is put there. */
static void read_basic(struct ask *a)
{
	struct arena *work = a->request->work;
	const char   *header = request_header(a->request, "Authorization"), *id, *secret;
	struct slice  both, name;

	if (!header || !slice_starts(slice_str(header), "Basic ") || !base64_read(work, slice_from(slice_str(header), 6), &both))
		return;
	name = slice_cut(&both, ':');
	id = url_plain(work, name, true);
	secret = url_plain(work, both, true);
	if (!id || !secret)
		return;
	form_put(&a->form, "client_id", id);
	form_put(&a->form, "client_secret", secret);
}

static bool client_is_right(struct ask *a)
{
	const char *id = form_get(&a->form, "client_id"), *secret = form_get(&a->form, "client_secret");
	const char *assertion = form_get(&a->form, "client_assertion");

	if (!id)
		return refused(a, 900144);
	if (strcasecmp(id, CLOUD_CLIENT) != 0)
		return refused(a, 700016);
	a->confidential = secret || assertion;
	if (assertion && strcmp(form_text(&a->form, "client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") != 0)
		return refused(a, 900144);
	if (assertion && !assertion_is_right(a->sandbox, a->request->work, assertion, a->tenant))
		return refused(a, 700027);
	return !secret || strcmp(secret, CLOUD_SECRET) == 0 || refused(a, 7000215);
}

/* -- grants ------------------------------------------------------------------------------------------------------------ */

static bool is_loopback(const char *uri)
{
	struct slice u = slice_str(uri);

	return slice_starts(u, "http://localhost") || slice_starts(u, "http://127.0.0.1") || !slice_starts(u, "http");
}

static bool verifier_fits(struct ask *a, const struct token *t)
{
	const char *verifier = form_get(&a->form, "code_verifier");

	if (!t->challenge)
		return !verifier;
	return verifier && strcmp(t->plain ? verifier : sha256_base64url(a->request->work, verifier), t->challenge) == 0;
}

static bool redeem(struct ask *a)
{
	const char   *code = form_get(&a->form, "code"), *uri = form_text(&a->form, "redirect_uri");
	struct token *t = code ? token_find(a->sandbox->cloud, TOKEN_CODE, code) : NULL;

	if (!code)
		return refused(a, 900144);
	if (!t)
		return refused(a, 70000);
	if (t->spent)
		return refused(a, 54005);
	if (t->expires < now_s())
		return refused(a, 70008);
	if (strcasecmp(t->tenant, a->tenant) != 0)
		return refused(a, 700005);
	if (strcmp(t->redirect_uri, uri) != 0)
		return refused(a, 50011);
	if (!verifier_fits(a, t))
		return refused(a, 501481);
	if (!a->confidential && !is_loopback(uri))
		return refused(a, 7000218);
	t->spent = true;
	grant(a, t->account, t->scope, t->nonce);
	return true;
}

static bool refresh(struct ask *a)
{
	const char   *text = form_get(&a->form, "refresh_token"), *asked = form_get(&a->form, "scope"), *scope;
	struct token *t = text ? token_find(a->sandbox->cloud, TOKEN_REFRESH, text) : NULL;
	unsigned      number;

	if (!text)
		return refused(a, 900144);
	if (!t)
		return refused(a, 70000);
	if (t->spent)
		return refused(a, 50173);
	if (t->expires < now_s())
		return refused(a, 700082);
	if (t->confidential && !a->confidential)
		return refused(a, 7000218);
	scope = t->scope;
	if (asked && (number = scope_read(a->request->work, asked, &scope)))
		return refused(a, number);
	if (!scope_within(scope, arena_print(a->request->work, "%s openid profile email offline_access", t->scope)))
		return refused(a, 65001);
	if (scope_has(t->scope, "offline_access") && !scope_has(scope, "offline_access"))
		scope = arena_print(a->request->work, "%s offline_access", scope);
	t->spent = is_ordered(a->sandbox, ORDER_OLD_REFRESH_ENDS);      /* in the cloud it lives on (facts M A.4) */
	grant(a, t->account, scope, NULL);
	return true;
}

static bool is_generic(const char *tenant)
{
	return strcmp(tenant, "common") == 0 || strcmp(tenant, "organizations") == 0 || strcmp(tenant, "consumers") == 0;
}

static bool as_itself(struct ask *a)
{
	const char *scope = form_text(&a->form, "scope");

	if (is_generic(a->tenant))
		return refused(a, 90002);
	if (!a->confidential)
		return refused(a, 7000218);
	if (!slice_ends(slice_str(scope), "/.default"))
		return refused(a, 70011);
	if (is_ordered(a->sandbox, ORDER_ADMIN_APPROVAL) && !a->sandbox->cloud->approved)
		return refused(a, 7000229);
	grant(a, NULL, "Mail.ReadWrite Mail.Send Calendars.ReadWrite User.Read.All", NULL);
	return true;
}

static bool by_device(struct ask *a)
{
	const char   *code = form_get(&a->form, "device_code");
	struct token *t = code ? token_find(a->sandbox->cloud, TOKEN_DEVICE, code) : NULL;
	struct ordered *order;

	if (!t)
		return refused(a, 70018);
	if ((order = orders_take(&a->sandbox->orders, ORDER_DEVICE_AADSTS)))
		return refused(a, (unsigned)strtoul(order->value, NULL, 10));
	if (t->declined)
		return refused(a, 70017);
	if (t->spent || t->expires < now_s())
		return refused(a, t->spent ? 54005 : 70020);
	if (orders_take(&a->sandbox->orders, ORDER_SLOW_DOWN)) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "error", "slow_down");
		cJSON_AddStringToObject(o, "error_description", "Polling too frequently.");
		reply_json(a->reply, 400, o);
		return false;
	}
	if (!t->account)
		return refused(a, 70016);
	t->spent = true;
	grant(a, t->account, t->scope, NULL);
	return true;
}

static const struct { const char *type; bool (*give)(struct ask *); } grants[] = {
	{ "authorization_code", redeem }, { "refresh_token", refresh }, { "client_credentials", as_itself },
	{ "urn:ietf:params:oauth:grant-type:device_code", by_device }, { "device_code", by_device },
};

/* -- trouble on the way ------------------------------------------------------------------------------------------------ */

static bool disturbed(struct ask *a)
{
	struct orders  *all = &a->sandbox->orders;
	struct ordered *o = orders_take(all, ORDER_TOKEN_BUSY);

	if (o) {
		a->reply->status = o->row->number;
		if (!o->value || strcmp(o->value, "0") != 0)
			reply_header(a->reply, a->request, "Retry-After", "%s", o->value ? o->value : "1");
		if (a->reply->status == 429)      /* nothing is known of what it says with that */
			return true;
		a->reply->type = "application/json";
		buffer_add_str(&a->reply->body, "{\"error\":\"temporarily_unavailable\",\"error_description\":\"The server is temporarily too busy to handle the request.\"}");
		return true;
	}
	if (orders_take(all, ORDER_TOKEN_HTML)) {
		screen_begin(a->reply, 502, "Our services aren't available right now");
		screen_end(a->reply);
		return true;
	}
	if ((o = orders_take(all, ORDER_AADSTS))) {
		refuse_token(a->request, a->reply, (unsigned)strtoul(o->value, NULL, 10));
		return true;
	}
	return false;
}

/* What is done is done, and nobody hears of it. */
static void lose(struct ask *a)
{
	struct ordered *o;

	if (orders_take(&a->sandbox->orders, ORDER_TOKEN_LOST)) {
		a->reply->ending = ENDS_DROPPED;
	} else if ((o = orders_take(&a->sandbox->orders, ORDER_TOKEN_CUT))) {
		a->reply->ending = ENDS_CUT;
		a->reply->cut = o->value ? strtoul(o->value, NULL, 10) : 100;
	}
}

/* Whose it is, by what is to be redeemed. */
static void serve_owner(struct ask *a)
{
	static const struct { const char *field; enum token_kind kind; } brought[] = {
		{ "code", TOKEN_CODE }, { "refresh_token", TOKEN_REFRESH }, { "device_code", TOKEN_DEVICE },
	};

	for (size_t i = 0; i < COUNT(brought); i++) {
		const char         *text = form_get(&a->form, brought[i].field);
		const struct token *t = text ? token_find(a->sandbox->cloud, brought[i].kind, text) : NULL;

		account_served(a->sandbox, t ? t->account : NULL);
	}
}

static bool read_ask(struct ask *a)
{
	struct sandbox *s = a->sandbox;

	a->request->operation = "token";
	if (strcmp(a->request->method, "POST") != 0)
		return refused(a, 900144);
	if (!form_read(a->request->work, a->request->body, &a->form))
		return refused(a, 9002313);
	a->request->operation = form_text(&a->form, "grant_type");
	read_basic(a);
	serve_owner(a);
	if (disturbed(a))
		return false;
	return tenant_is_known(s, a->tenant) || refused(a, 90002);
}

void answer_token(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	struct ask  a = { s, r, reply, tenant, { .count = 0 }, false };
	bool        fine;
	size_t      i;

	if (!read_ask(&a) || !client_is_right(&a)) {
		s->counts.refused++;
		return;
	}
	for (i = 0; i < COUNT(grants) && strcmp(grants[i].type, a.request->operation) != 0; i++)
		;
	fine = i < COUNT(grants) ? grants[i].give(&a) : refused(&a, *a.request->operation ? 70003 : 900144);
	if (fine)
		lose(&a);
	else
		s->counts.refused++;
}

/* -- device codes ------------------------------------------------------------------------------------------------------ */

static const char *in_capitals(struct arena *arena, const char *text)
{
	char *out = arena_str(arena, text);

	for (char *c = out; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return out;
}

void answer_device_code(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	struct ask    a = { s, r, reply, tenant, { .count = 0 }, false };
	const char   *scope, *interval = ordered_value(s, ORDER_DEVICE_INTERVAL);
	struct token *t;
	unsigned      number;
	cJSON        *o;

	if (!read_ask(&a) || !client_is_right(&a))
		return;
	if ((number = scope_read(r->work, form_text(&a.form, "scope"), &scope))) {
		refuse_token(r, reply, number);
		return;
	}
	t = token_new(s->cloud, TOKEN_DEVICE, NULL, NULL, scope, now_s() + DEVICE_LIFE);
	t->user_code = in_capitals(t->own, random_text(r->work, 9));
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "user_code", t->user_code);
	cJSON_AddStringToObject(o, "device_code", t->text);
	cJSON_AddStringToObject(o, "verification_uri", "https://" DEVICE_HOST "/devicelogin");
	cJSON_AddNumberToObject(o, "expires_in", DEVICE_LIFE);
	cJSON_AddNumberToObject(o, "interval", interval ? strtod(interval, NULL) : 5);
	cJSON_AddStringToObject(o, "message", arena_print(r->work, "To sign in, use a web browser to open the page https://" DEVICE_HOST
	                        "/devicelogin and enter the code %s to authenticate.", t->user_code));
	reply_json(reply, 200, o);
}

static void show_device_form(struct sandbox *s, struct request *r, struct reply *reply, const char *said)
{
	screen_begin(reply, 200, "Enter code");
	buffer_print(&reply->body, "%s<form method=\"post\" action=\"/devicelogin\"><p><label>Code <input name=\"code\" autocomplete=\"off\"></label></p>", said);
	screen_accounts(s, r, reply, "");
	buffer_add_str(&reply->body, "<p><button type=\"submit\" name=\"answer\" value=\"cancel\">Cancel</button> "
	               "<button type=\"submit\" name=\"answer\" value=\"accept\">Accept</button></p></form>");
	screen_end(reply);
}

void answer_device_page(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct form     f;
	struct token   *t;
	struct account *a;

	if (strcmp(r->method, "POST") != 0) {
		show_device_form(s, r, reply, "");
		return;
	}
	t = form_read(r->work, r->body, &f) ? token_of_user_code(s->cloud, form_text(&f, "code")) : NULL;
	a = t ? account_served(s, account_by_mail(s, form_text(&f, "account"))) : NULL;
	if (!t || !a || t->expires < now_s()) {
		show_device_form(s, r, reply, "<p>That code didn't work. Check the code and try again.</p>");
		return;
	}
	if (strcmp(form_text(&f, "answer"), "accept") != 0)
		t->declined = true;
	else
		t->account = is_ordered(s, ORDER_WRONG_ACCOUNT) && s->account_count > 1 ? &s->accounts[a == &s->accounts[1] ? 0 : 1] : a;
	screen_begin(reply, 200, t->declined ? "You declined" : "You have signed in to Mailmoor on your device");
	buffer_add_str(&reply->body, "<p>You may now close this window.</p>");
	screen_end(reply);
}
