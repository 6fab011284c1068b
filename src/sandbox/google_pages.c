/* What Google shows itself and never sends back: the application hears nothing of it (facts G A.6). */
#include "base/buffer.h"
#include "sandbox/google.h"
#include "sandbox/graph.h"
#include "sandbox/text.h"

#define POLICY "You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy"

static const struct {
	const char *code;
	int         status;
	bool        signed_in;      /* an account decides it */
	const char *title, *text;
} rows[] = {
	{ "policy_enforced", 400, true, "Access blocked: Mailmoor is not approved by Advanced Protection",
	  "Advanced Protection prevented your Google Account from being signed in. This security feature stops most non-Google apps and services from "
	  "accessing your data, keeping your account protected." },
	{ "admin_policy_enforced", 400, true, "Authorization Error",
	  "Access to your account data is restricted by policies within your organization. Please contact the administrator of your organization for more information." },
	{ "access_not_configured", 400, true, "Access blocked: your institution's admin needs to review Mailmoor",
	  "Your institution's admin has not configured access to this app." },
	{ "org_internal", 403, true, "Access blocked: Mailmoor can only be used within its organization",
	  "Mailmoor is restricted to users within its organization." },
	{ "access_denied", 403, true, "Access blocked: Mailmoor has not completed the Google verification process",
	  "Mailmoor has not completed the Google verification process. The app is currently being tested, and can only be accessed by developer-approved testers." },
	{ "rate_limit_exceeded", 403, true, "Authorization Error", "This app has reached its sign-in rate limit for now." },
	{ "disallowed_useragent", 403, false, "Access blocked: Mailmoor's request does not comply with Google's policies",
	  POLICY ": it doesn't comply with Google's 'Use secure browsers' policy." },
	{ "redirect_uri_mismatch", 400, false, "Access blocked: this app's request is invalid",
	  POLICY ". If you're the app developer, register the redirect URI in the Google Cloud Console." },
	{ "invalid_request", 400, false, "Access blocked: authorization error", POLICY " for keeping apps secure." },
	{ "invalid_client", 401, false, "Access blocked: authorization error", "The OAuth client was not found." },
	{ "deleted_client", 401, false, "Access blocked: authorization error", "The OAuth client was deleted." },
	{ "disabled_client", 401, false, "Access blocked: authorization error", "The OAuth client was disabled." },
	{ "invalid_scope", 400, false, "Access blocked: authorization error", "Some requested scopes were invalid." },
	{ "restricted_client", 403, false, "Access blocked: authorization error",
	  "This app is not authorized to access these scopes. Unregistered scope(s) in the request." },
};

static size_t row_of(const char *code)
{
	size_t i;

	for (i = 0; i < COUNT(rows) && strcmp(rows[i].code, code) != 0; i++)
		;
	return i;
}

/* -- the address of such a page ------------------------------------------------------------------------------------- */

/* Protocol buffers: a number of base 128, its least digit first. */
static void put_number(struct buffer *out, unsigned long n)
{
	for (; n > 0x7f; n >>= 7)
		buffer_add(out, slice((char[]){ (char)(n | 0x80) }, 1));
	buffer_add(out, slice((char[]){ (char)n }, 1));
}

static void put_text(struct buffer *out, unsigned field, const char *text)
{
	put_number(out, field << 3 | 2);
	put_number(out, strlen(text));
	buffer_add_str(out, text);
}

static const char *blob_of(struct arena *arena, const char *code, const char *text, int status)
{
	struct buffer bytes;
	char         *blob;

	buffer_init(&bytes, FORM_LONGEST);
	put_text(&bytes, 1, code);
	put_text(&bytes, 2, text);
	put_number(&bytes, 4 << 3);
	put_number(&bytes, (unsigned long)status);
	blob = arena_str(arena, base64_of(arena, buffer_held(&bytes)));
	buffer_release(&bytes);
	for (char *c = blob; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return blob;
}

void google_own_page(struct request *r, struct reply *reply, const char *code, const char *text)
{
	size_t      i = row_of(code);
	const char *client = request_query(r, "client_id");
	struct form f = { .count = 0 };

	form_put(&f, "authError", blob_of(r->work, code, text ? text : i < COUNT(rows) ? rows[i].text : "", i < COUNT(rows) ? rows[i].status : 400));
	form_put(&f, "client_id", client ? client : GOOGLE_CLIENT);
	form_put(&f, "flowName", "GeneralOAuthFlow");
	reply->status = 302;
	reply_header(reply, r, "Location", "https://" GACCOUNTS_HOST "/signin/oauth/error?%s", form_whole(r->work, &f));
}

const char *google_ordered_page(struct sandbox *s, bool signed_in)
{
	struct ordered *o = orders_has(&s->orders, ORDER_GOOGLE_PAGE);
	size_t          i = o ? row_of(o->value) : 0;

	if (!o || (i < COUNT(rows) && rows[i].signed_in) != signed_in)
		return NULL;
	return orders_take(&s->orders, ORDER_GOOGLE_PAGE)->value;
}

/* -- pages --------------------------------------------------------------------------------------------------------- */

void gscreen_begin(struct reply *reply, int status, const char *title)
{
	reply->status = status;
	reply->type = "text/html; charset=utf-8";
	buffer_print(&reply->body, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
	             "<meta name=\"viewport\" content=\"width=device-width\"></head><body><main><h1>%s</h1>", title, title);
}

void gscreen_end(struct reply *reply)
{
	buffer_add_str(&reply->body, "<p><small>A sandbox: not Google's.</small></p></main></body></html>");
}

/* The first text of the blob: it is our own, or it is nothing. */
static const char *code_in(struct arena *arena, const char *blob)
{
	const char *bytes = blob ? base64url_read(arena, blob) : NULL;

	return bytes && bytes[0] == 0x0a && bytes[1] > 0 && strlen(bytes + 2) >= (size_t)bytes[1] ? arena_copy(arena, slice(bytes + 2, (size_t)bytes[1])) : "invalid_request";
}

void answer_google_error_page(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char *code = code_in(r->work, request_query(r, "authError"));
	size_t      i = row_of(code);

	(void)s;
	gscreen_begin(reply, 200, i < COUNT(rows) ? rows[i].title : "Authorization Error");
	buffer_print(&reply->body, "<p>%s</p><p>Error %d: %s</p>", i < COUNT(rows) ? escaped(r->work, rows[i].text) : "", i < COUNT(rows) ? rows[i].status : 400,
	             escaped(r->work, code));
	gscreen_end(reply);
}
