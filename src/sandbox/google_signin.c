/* Google's sign-in: who somebody is, what he agrees to, and the way back (facts G A.2, A.4-A.6). */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/entra.h"
#include "sandbox/google.h"
#include "sandbox/text.h"

#define CODE_LIFE 600
#define COOKIE    "SID="
#define OOB       "urn:ietf:wg:oauth:2.0:oob"

/* What an application asked for, carried from page to page as the query that it came with. */
struct gwish {
	const struct form *form;
	const char        *client, *redirect, *scope, *prompt, *hint;
};

static bool is(const char *text, const char *other)
{
	return strcmp(text, other) == 0;
}

static struct gwish wish_of(const struct form *f)
{
	return (struct gwish){ f, form_get(f, "client_id"), form_get(f, "redirect_uri"), NULL, form_text(f, "prompt"), form_text(f, "login_hint") };
}

static bool prompts(const struct gwish *w, const char *word)
{
	struct slice rest = slice_str(w->prompt);

	while (rest.len)
		if (slice_equal(slice_cut(&rest, ' '), slice_str(word)))
			return true;
	return false;
}

/* -- what is wrong with it ------------------------------------------------------------------------------------------- */

static const char *unknown_scopes(struct arena *arena, const char *asked)
{
	struct slice rest = slice_str(asked);
	const char  *one, *valid = "", *invalid = "";

	while ((one = gscope_next(arena, &rest))) {
		const char **list = gscope_read(arena, one) ? &valid : &invalid;

		*list = arena_print(arena, "%s%s%s", *list, **list ? ", " : "", one);
	}
	return arena_print(arena, "Some requested scopes were invalid. {valid=[%s], invalid=[%s]}", valid, invalid);
}

/* The code of Google's own page, or NULL; `*text`: what it says, NULL: the usual. */
static const char *fault_of(struct sandbox *s, struct request *r, struct gwish *w, const char **text)
{
	static const char *const needed[] = { "client_id", "redirect_uri", "response_type", "scope" };
	const char *method = form_text(w->form, "code_challenge_method");

	*text = NULL;
	for (size_t i = 0; i < COUNT(needed); i++)
		if (!*form_text(w->form, needed[i])) {
			*text = arena_print(r->work, "Missing required parameter: %s", needed[i]);
			return "invalid_request";
		}
	if (!is(w->client, GOOGLE_CLIENT))
		return "invalid_client";
	if (is(w->redirect, OOB))
		return "invalid_request";
	if (!redirect_is_registered(s, w->redirect))
		return "redirect_uri_mismatch";
	w->scope = gscope_read(r->work, form_text(w->form, "scope"));
	if (!w->scope) {
		*text = unknown_scopes(r->work, form_text(w->form, "scope"));
		return "invalid_scope";
	}
	return !is(form_text(w->form, "response_type"), "code") || (*method && !is(method, "S256") && !is(method, "plain")) ? "invalid_request" : NULL;
}

/* -- back to the application ------------------------------------------------------------------------------------------ */

static void send_back_to(struct request *r, struct reply *reply, const struct gwish *w, const struct form *f)
{
	reply->status = 302;
	reply_header(reply, r, "Location", "%s%s%s", w->redirect, strchr(w->redirect, '?') ? "&" : "?", form_whole(r->work, f));
}

static void put_state(struct form *f, const struct gwish *w)
{
	if (form_get(w->form, "state"))
		form_put(f, "state", form_get(w->form, "state"));
}

static void send_error(struct request *r, struct reply *reply, const struct gwish *w, const char *error, const char *subtype)
{
	struct form f = { .count = 0 };

	form_put(&f, "error", error);
	if (subtype)
		form_put(&f, "error_subtype", subtype);
	put_state(&f, w);
	send_back_to(r, reply, w, &f);
}

static void give_code(struct sandbox *s, struct request *r, struct reply *reply, const struct gwish *w, struct account *a,
                      const char *scope, bool first)
{
	struct form    f = { .count = 0 };
	struct gtoken *t;

	if (is_ordered(s, ORDER_WRONG_ACCOUNT))
		a = google_somebody_else(s, a);
	t = gtoken_new(s->google, GTOKEN_CODE, a, scope, now_s() + CODE_LIFE);
	t->redirect_uri = arena_str(t->own, w->redirect);
	t->challenge = form_get(w->form, "code_challenge") ? arena_str(t->own, form_get(w->form, "code_challenge")) : NULL;
	t->plain = !is(form_text(w->form, "code_challenge_method"), "S256");
	t->nonce = form_get(w->form, "nonce") ? arena_str(t->own, form_get(w->form, "nonce")) : NULL;
	t->offline = is(form_text(w->form, "access_type"), "offline");
	t->first = first;
	r->user = a->mail;
	put_state(&f, w);
	form_put(&f, "code", t->text);
	form_put(&f, "scope", scope);
	form_put(&f, "authuser", "0");
	if (google_domain(a))
		form_put(&f, "hd", google_domain(a));
	form_put(&f, "prompt", first ? "consent" : "none");
	send_back_to(r, reply, w, &f);
}

/* -- who is there already ---------------------------------------------------------------------------------------------- */

static struct account *signed_in(struct sandbox *s, struct request *r)
{
	const char *ordered = ordered_value(s, ORDER_SESSION), *cookies = request_header(r, "Cookie");
	const char *at = cookies ? strstr(cookies, COOKIE) : NULL;
	size_t      n = at ? strtoul(at + strlen(COOKIE), NULL, 10) : 0;

	if (at)
		return n > 0 && n <= s->account_count && google_has(s, &s->accounts[n - 1]) ? &s->accounts[n - 1] : NULL;
	return ordered ? google_account(s, ordered) : NULL;
}

/* -- pages ------------------------------------------------------------------------------------------------------------- */

static void hidden(struct request *r, struct reply *reply, const char *name, const char *value)
{
	buffer_print(&reply->body, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, escaped(r->work, value));
}

static void show_picker(struct sandbox *s, struct request *r, struct reply *reply, const struct gwish *w)
{
	struct account *hinted = google_account(s, w->hint);
	bool            chosen = false;

	gscreen_begin(reply, 200, "Sign in with Google");
	buffer_add_str(&reply->body, "<form method=\"post\" action=\"/v3/signin/identifier\"><p>Who are you?</p>");
	hidden(r, reply, "ctx", form_whole(r->work, w->form));
	for (size_t i = 0; i < s->account_count; i++) {
		struct account *a = &s->accounts[i];
		bool            checked = google_has(s, a) && (hinted ? a == hinted : !chosen);

		if (!google_has(s, a))
			continue;
		chosen |= checked;
		buffer_print(&reply->body, "<p><label><input type=\"radio\" name=\"account\" value=\"%s\"%s> %s (%s)</label></p>", escaped(r->work, a->mail),
		             checked ? " checked" : "", escaped(r->work, a->display), escaped(r->work, a->mail));
	}
	buffer_add_str(&reply->body, "<p><button type=\"submit\" name=\"next\" value=\"1\" id=\"identifierNext\">Next</button></p></form>");
	gscreen_end(reply);
}

/* What the boxes say. */
static const struct { const char *scope, *text; } told[] = {
	{ GSCOPE_MAIL, "Read, compose, send, and permanently delete all your email from Gmail" },
	{ GSCOPE("gmail.modify"), "Read, compose, and send emails from your Gmail account" },
	{ GSCOPE("gmail.readonly"), "View your email messages and settings" },
	{ GSCOPE("gmail.send"), "Send email on your behalf" },
	{ GSCOPE("gmail.settings.basic"), "See, edit, create, or change your email settings and filters in Gmail" },
	{ GSCOPE("calendar"), "See, edit, share, and permanently delete all the calendars you can access using Google Calendar" },
	{ GSCOPE("calendar.readonly"), "See and download any calendar you can access using your Google Calendar" },
	{ GSCOPE("calendar.events"), "View and edit events on all your calendars" },
};

static const char *told_of(const char *scope)
{
	for (size_t i = 0; i < COUNT(told); i++)
		if (is(told[i].scope, scope))
			return told[i].text;
	return scope;
}

static size_t boxes_of(struct arena *arena, const char *scopes)
{
	struct slice rest = slice_str(scopes);
	const char  *one;
	size_t       n = 0;

	while ((one = gscope_next(arena, &rest)))
		n += !gscope_is_sign_in(slice_str(one));
	return n;
}

static void show_consent(struct sandbox *s, struct request *r, struct reply *reply, const struct gwish *w, const struct account *a)
{
	struct slice rest = slice_str(w->scope);
	const char  *one, *unticked = ordered_value(s, ORDER_GOOGLE_UNTICKED);
	bool         boxes = boxes_of(r->work, w->scope) > 1;

	gscreen_begin(reply, 200, "Mailmoor wants access to your Google Account");
	buffer_print(&reply->body, "<p>%s</p><form method=\"post\" action=\"/signin/oauth/consent\"><p>Select what Mailmoor can access</p>", escaped(r->work, a->mail));
	hidden(r, reply, "ctx", form_whole(r->work, w->form));
	hidden(r, reply, "account", a->mail);
	while ((one = gscope_next(r->work, &rest))) {
		bool ticked = !unticked || *gscope_without(r->work, one, unticked);

		if (gscope_is_sign_in(slice_str(one)))
			continue;
		if (boxes)
			buffer_print(&reply->body, "<p><label><input type=\"checkbox\" name=\"scope\" value=\"%s\"%s> %s</label></p>", one, ticked ? " checked" : "", told_of(one));
		else
			buffer_print(&reply->body, "<p>%s</p><input type=\"hidden\" name=\"scope\" value=\"%s\">", told_of(one), one);
	}
	buffer_add_str(&reply->body, "<p><button type=\"submit\" name=\"answer\" value=\"cancel\" id=\"cancel\">Cancel</button> "
	               "<button type=\"submit\" name=\"answer\" value=\"accept\" id=\"submit_approve_access\">Continue</button></p></form>");
	gscreen_end(reply);
}

/* An account is known: what stands between it and the code. */
static void go_on(struct sandbox *s, struct request *r, struct reply *reply, const struct gwish *w, struct account *a, bool silent)
{
	const char     *page, *granted = s->google->granted[account_number(s, a)];
	struct ordered *o;

	account_served(s, a);
	page = google_ordered_page(s, true);
	if (page)
		google_own_page(r, reply, page, NULL);
	else if ((o = orders_take(&s->orders, ORDER_GOOGLE_ERROR)))
		send_error(r, reply, w, o->value, NULL);
	else if (granted && gscope_within(w->scope, granted) && !prompts(w, "consent"))
		give_code(s, r, reply, w, a, w->scope, false);
	else if (silent)
		send_error(r, reply, w, "interaction_required", "access_denied");
	else
		show_consent(s, r, reply, w, a);
}

/* -- what the browser asks for ------------------------------------------------------------------------------------------ */

/* False: Google's own page is on its way. */
static bool read_wish(struct sandbox *s, struct request *r, struct reply *reply, const struct form *f, struct gwish *w)
{
	const char *text, *code;

	*w = wish_of(f);
	account_served(s, google_account(s, w->hint));
	code = google_ordered_page(s, false);
	if (code) {
		google_own_page(r, reply, code, NULL);
		return false;
	}
	code = fault_of(s, r, w, &text);
	if (code)
		google_own_page(r, reply, code, text);
	return !code;
}

/* Who has a session goes on; everybody else is asked on a page of its own, whose address says that the client is known (facts G A.6). */
void answer_google_authorize(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct form     f;
	struct gwish    w;
	struct account *a;
	bool            fits;

	if (!(is(r->method, "POST") ? form_read(r->work, r->body, &f) : request_fields(r, &f))) {
		google_own_page(r, reply, "invalid_request", NULL);
		return;
	}
	if (!read_wish(s, r, reply, &f, &w))
		return;
	a = signed_in(s, r);
	fits = a && (!*w.hint || google_account(s, w.hint) == a);
	if (prompts(&w, "none") && !fits) {
		send_error(r, reply, &w, "interaction_required", "access_denied");
	} else if (fits && !prompts(&w, "select_account")) {
		go_on(s, r, reply, &w, a, prompts(&w, "none"));
	} else {
		reply->status = 302;
		reply_header(reply, r, "Location", "https://" GACCOUNTS_HOST "/v3/signin/identifier?%s&flowName=GeneralOAuthFlow", form_whole(r->work, &f));
	}
}

/* What a page sent: the first wish, and who pressed the button. False: the reply is written. */
static bool read_page(struct sandbox *s, struct request *r, struct reply *reply, struct form *page, struct form *f, struct gwish *w,
                      struct account **a)
{
	const char *text;

	if (form_read(r->work, r->body, page) && form_read(r->work, slice_str(form_text(page, "ctx")), f)) {
		*w = wish_of(f);
		*a = account_served(s, google_account(s, form_text(page, "account")));
		if (*a && !fault_of(s, r, w, &text))
			return true;
	}
	google_own_page(r, reply, "invalid_request", NULL);
	return false;
}

void answer_google_identifier(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct form     page, f;
	struct gwish    w;
	struct account *a;

	if (!is(r->method, "POST")) {
		if (request_fields(r, &f) && read_wish(s, r, reply, &f, &w))
			show_picker(s, r, reply, &w);
		return;
	}
	if (!read_page(s, r, reply, &page, &f, &w, &a))
		return;
	/* signed in, whatever becomes of what the application wants */
	reply_header(reply, r, "Set-Cookie", COOKIE "%zu; Path=/; Secure; HttpOnly; SameSite=None", account_number(s, a) + 1);
	go_on(s, r, reply, &w, a, false);
}

/* Those whose box was left ticked, and those that have none. */
static const char *ticked(struct request *r, const struct form *page, const char *asked)
{
	struct slice rest = slice_str(asked);
	const char  *one, *out = "";

	while ((one = gscope_next(r->work, &rest))) {
		bool fine = gscope_is_sign_in(slice_str(one));

		for (size_t i = 0; i < page->count && !fine; i++)
			fine = is(page->field[i].name, "scope") && is(page->field[i].value, one);
		if (fine)
			out = gscope_joined(r->work, out, one);
	}
	return out;
}

static void remember(struct sandbox *s, const struct account *a, const char *scope)
{
	char **granted = &s->google->granted[account_number(s, a)], *copy = must_copy(scope);      /* it may be the one that goes */

	free(*granted);
	*granted = copy;
}

void answer_google_consent(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct form     page, f;
	struct gwish    w;
	struct account *a;
	const char     *scope, *before;

	if (!read_page(s, r, reply, &page, &f, &w, &a))
		return;
	scope = ticked(r, &page, w.scope);
	if (!is(form_text(&page, "answer"), "accept") || !*scope) {
		send_error(r, reply, &w, "access_denied", NULL);
		return;
	}
	before = s->google->granted[account_number(s, a)];
	if (before && is(form_text(&f, "include_granted_scopes"), "true"))
		scope = gscope_joined(r->work, scope, before);
	remember(s, a, before ? gscope_joined(r->work, before, scope) : scope);
	give_code(s, r, reply, &w, a, scope, true);
}

void answer_google_logout(struct sandbox *s, struct request *r, struct reply *reply)
{
	(void)s;
	reply_header(reply, r, "Set-Cookie", COOKIE "0; Path=/; Secure; HttpOnly; SameSite=None");
	gscreen_begin(reply, 200, "You signed out of your account");
	gscreen_end(reply);
}
