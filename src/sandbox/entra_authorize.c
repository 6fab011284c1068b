#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/entra.h"
#include "sandbox/text.h"

#define CODE_LIFE 600
#define COOKIE    "ESTSAUTH="

/* What an application asked for, carried from page to page as the query that it came with. */
struct wish {
	const struct form *form;
	const char        *tenant, *client, *redirect, *scope, *prompt, *hint;
	struct back        back;
};

static struct wish wish_of(const struct form *f, const char *tenant)
{
	struct wish w = { f, tenant, form_get(f, "client_id"), form_get(f, "redirect_uri"), NULL, form_text(f, "prompt"), form_text(f, "login_hint"),
	                  { form_get(f, "redirect_uri"), form_get(f, "response_mode"), form_get(f, "state") } };

	return w;
}

static bool is(const char *text, const char *other)
{
	return strcmp(text, other) == 0;
}

/* -- what is wrong with it ------------------------------------------------------------------------------------------- */

/* NULL where nowhere is known to send anybody back to. */
static const struct back nowhere;

/* 0, or the number. `*to`: where that goes. */
static unsigned fault_of(struct sandbox *s, struct request *r, struct wish *w, const struct back **to)
{
	const char *type = form_text(w->form, "response_type");

	*to = &nowhere;
	if (!tenant_is_known(s, w->tenant))
		return 90002;
	if (!w->client || strcasecmp(w->client, CLOUD_CLIENT) != 0)
		return 700016;
	if (!w->redirect || !redirect_is_registered(s, w->redirect))
		return w->redirect ? 50011 : 900971;
	*to = &w->back;
	if (is(w->prompt, "admin_consent"))
		return 90023;
	if (!strstr(type, "code"))
		return *type ? 700054 : 900144;
	return scope_read(r->work, form_text(w->form, "scope"), &w->scope);
}

/* -- who is there already ---------------------------------------------------------------------------------------------- */

static struct account *signed_in(struct sandbox *s, struct request *r)
{
	const char *ordered = ordered_value(s, ORDER_SESSION), *cookies = request_header(r, "Cookie");
	const char *at = cookies ? strstr(cookies, COOKIE) : NULL;
	size_t      n = at ? strtoul(at + strlen(COOKIE), NULL, 10) : 0;

	if (at)
		return n > 0 && n <= s->account_count ? &s->accounts[n - 1] : NULL;
	return ordered ? account_by_mail(s, ordered) : NULL;
}

static bool is_allowed(struct sandbox *s, const struct account *a)
{
	return cloud_approved(s, a) || s->cloud->consented[account_number(s, a)];
}

/* -- its end ----------------------------------------------------------------------------------------------------------- */

static void give_code(struct sandbox *s, struct request *r, struct reply *reply, const struct wish *w, struct account *a)
{
	struct form   f = { .count = 0 };
	struct token *t;

	if (is_ordered(s, ORDER_WRONG_ACCOUNT) && s->account_count > 1)
		a = &s->accounts[a == &s->accounts[1] ? 0 : 1];
	t = token_new(s->cloud, TOKEN_CODE, NULL, a, w->scope, now_s() + CODE_LIFE);
	t->redirect_uri = arena_str(t->own, w->redirect);
	t->tenant = arena_str(t->own, w->tenant);
	t->challenge = form_get(w->form, "code_challenge") ? arena_str(t->own, form_get(w->form, "code_challenge")) : NULL;
	t->plain = !is(form_text(w->form, "code_challenge_method"), "S256");
	t->nonce = form_get(w->form, "nonce") ? arena_str(t->own, form_get(w->form, "nonce")) : NULL;
	r->user = a->mail;
	form_put(&f, "code", t->text);
	form_put(&f, "session_state", guid_of(r->work, a->mail));
	send_back(r, reply, &w->back, &f);
}

static void show_picker(struct sandbox *s, struct request *r, struct reply *reply, const struct wish *w)
{
	screen_begin(reply, 200, is(w->prompt, "select_account") ? "Pick an account" : "Sign in");
	buffer_print(&reply->body, "<form method=\"post\" action=\"/%s/login\"><p>Who are you?</p>", escaped(r->work, w->tenant));
	screen_hidden(r, reply, "ctx", form_whole(r->work, w->form));
	screen_accounts(s, r, reply, w->hint);
	buffer_add_str(&reply->body, "<p><button type=\"submit\" name=\"next\" value=\"1\" id=\"idSIButton9\">Next</button></p></form>");
	screen_end(reply);
}

static void show_consent(struct sandbox *s, struct request *r, struct reply *reply, const struct wish *w, const struct account *a)
{
	struct slice rest = slice_str(w->scope);

	screen_begin(reply, 200, "Permissions requested");
	buffer_print(&reply->body, "<p>%s</p><p>Mailmoor would like to:</p><ul>", escaped(r->work, account_upn(s, r->work, a)));
	while (rest.len) {
		struct slice one = slice_cut(&rest, ' ');

		buffer_print(&reply->body, "<li>%.*s</li>", (int)one.len, one.at);
	}
	buffer_print(&reply->body, "</ul><form method=\"post\" action=\"/%s/consent\">", escaped(r->work, w->tenant));
	screen_hidden(r, reply, "ctx", form_whole(r->work, w->form));
	screen_hidden(r, reply, "account", a->mail);
	buffer_add_str(&reply->body, "<p><button type=\"submit\" name=\"answer\" value=\"cancel\" id=\"idBtn_Back\">Cancel</button> "
	               "<button type=\"submit\" name=\"answer\" value=\"accept\" id=\"idBtn_Accept\">Accept</button></p></form>");
	screen_end(reply);
}

/* An account is known: what stands between it and the code. `silent`: no page may be shown. */
static void go_on(struct sandbox *s, struct request *r, struct reply *reply, const struct wish *w, struct account *a, bool silent)
{
	struct ordered *o;

	account_served(s, a);
	o = orders_take(&s->orders, ORDER_AUTHORIZE_AADSTS);
	if (o)
		refuse_browser(r, reply, &w->back, (unsigned)strtoul(o->value, NULL, 10), silent);
	else if (is_ordered(s, ORDER_ADMIN_APPROVAL) && !cloud_approved(s, a))
		refuse_browser(r, reply, &w->back, 90094, silent);
	else if (cloud_approved(s, a) && orders_take(&s->orders, ORDER_ASSIGNMENT))
		refuse_browser(r, reply, &w->back, 50105, silent);
	else if (is_allowed(s, a) && !is(w->prompt, "consent"))
		give_code(s, r, reply, w, a);
	else if (silent)
		refuse_browser(r, reply, &w->back, 65001, true);
	else
		show_consent(s, r, reply, w, a);
}

/* -- pages ------------------------------------------------------------------------------------------------------------- */

static void begin_with(struct sandbox *s, struct request *r, struct reply *reply, const struct form *f, const char *tenant)
{
	struct wish        w = wish_of(f, tenant);
	const struct back *to;
	unsigned           number = fault_of(s, r, &w, &to);
	struct account    *a;
	bool               picks = is(w.prompt, "login") || is(w.prompt, "select_account");

	account_served(s, account_by_mail(s, w.hint));
	a = signed_in(s, r);
	if (number)
		refuse_browser(r, reply, to, number, false);
	else if (is(w.prompt, "none") && (!a || (*w.hint && account_by_mail(s, w.hint) != a)))
		refuse_browser(r, reply, to, 50058, true);
	else if (a && !picks && (!*w.hint || account_by_mail(s, w.hint) == a))
		go_on(s, r, reply, &w, a, is(w.prompt, "none"));
	else
		show_picker(s, r, reply, &w);
}

void answer_authorize(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	struct form f;

	if (is(r->method, "POST") ? form_read(r->work, r->body, &f) : request_fields(r, &f))
		begin_with(s, r, reply, &f, tenant);
	else
		refuse_browser(r, reply, &nowhere, 9002313, false);
}

/* What a page sent: the first wish, and who pressed the button. False: the reply is written. */
static bool read_page(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant, struct form *page, struct form *f,
                      struct wish *w, struct account **a)
{
	const struct back *to;

	if (!form_read(r->work, r->body, page) || !form_read(r->work, slice_str(form_text(page, "ctx")), f)) {
		refuse_browser(r, reply, &nowhere, 9002313, false);
		return false;
	}
	*w = wish_of(f, tenant);
	*a = account_served(s, account_by_mail(s, form_text(page, "account")));
	if (fault_of(s, r, w, &to) || !*a) {
		refuse_browser(r, reply, &nowhere, *a ? 9002313 : 50034, false);
		return false;
	}
	return true;
}

void answer_login(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	struct form     page, f;
	struct wish     w;
	struct account *a;

	if (!read_page(s, r, reply, tenant, &page, &f, &w, &a))
		return;
	/* signed in, whatever becomes of what the application wants */
	reply_header(reply, r, "Set-Cookie", COOKIE "%zu; Path=/; Secure; HttpOnly; SameSite=None", account_number(s, a) + 1);
	go_on(s, r, reply, &w, a, false);
}

void answer_consent(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	struct form     page, f;
	struct wish     w;
	struct account *a;

	if (!read_page(s, r, reply, tenant, &page, &f, &w, &a))
		return;
	if (!is(form_text(&page, "answer"), "accept")) {
		refuse_browser(r, reply, &w.back, 65004, false);
		return;
	}
	s->cloud->consented[account_number(s, a)] = true;
	give_code(s, r, reply, &w, a);
}

void answer_logout(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	const char *to = request_query(r, "post_logout_redirect_uri");

	(void)s, (void)tenant;
	reply_header(reply, r, "Set-Cookie", COOKIE "0; Path=/; Secure; HttpOnly; SameSite=None");
	if (to) {
		reply->status = 302;
		reply_header(reply, r, "Location", "%s", to);
		return;
	}
	screen_begin(reply, 200, "You signed out of your account");
	screen_end(reply);
}
