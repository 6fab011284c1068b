/* The administrator's consent: every form of its end that was seen (facts M A.7). */
#include <strings.h>

#include "sandbox/entra.h"
#include "sandbox/text.h"

static const struct back nowhere;

static struct back back_of(const struct form *f)
{
	return (struct back){ form_get(f, "redirect_uri"), NULL, form_get(f, "state") };
}

static bool is(const char *text, const char *other)
{
	return strcmp(text, other) == 0;
}

/* -- the page ---------------------------------------------------------------------------------------------------------- */

static void show(struct sandbox *s, struct request *r, struct reply *reply, const struct form *f, const char *tenant, bool v1)
{
	screen_begin(reply, 200, "Permissions requested - Accept for your organization");
	buffer_print(&reply->body, "<p>If you accept, Mailmoor will get access for all users in your organization: %s</p>"
	             "<form method=\"post\" action=\"/%s/adminconsent/decision\">", escaped(r->work, form_text(f, "scope")), escaped(r->work, tenant));
	screen_hidden(r, reply, "ctx", form_whole(r->work, f));
	screen_hidden(r, reply, "version", v1 ? "1" : "2");
	screen_accounts(s, r, reply, "");
	buffer_add_str(&reply->body, "<p><button type=\"submit\" name=\"answer\" value=\"cancel\" id=\"idBtn_Back\">Cancel</button> "
	               "<button type=\"submit\" name=\"answer\" value=\"accept\" id=\"idBtn_Accept\">Accept</button></p></form>");
	screen_end(reply);
}

static void begin_with(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant, bool v1)
{
	struct form f, out = { .count = 0 };
	struct back back;

	if (!request_fields(r, &f)) {
		refuse_browser(r, reply, &nowhere, 9002313, false);
		return;
	}
	back = back_of(&f);
	if (!tenant_is_known(s, tenant))
		refuse_browser(r, reply, &nowhere, 90002, false);
	else if (strcasecmp(form_text(&f, "client_id"), CLOUD_CLIENT) != 0)
		refuse_browser(r, reply, &nowhere, 700016, false);
	else if (!back.to)
		refuse_browser(r, reply, &nowhere, 900971, false);
	else if (!redirect_is_registered(s, back.to))
		refuse_browser(r, reply, &nowhere, 50011, false);
	else if (is(tenant, "common") && !v1) {
		form_put(&out, "error", "invalid_request");
		form_put(&out, "error_description", "AADSTS900144: The request must include a 'response_type' input parameter.");
		send_back(r, reply, &back, &out);
	} else if (!v1 && !form_get(&f, "scope"))
		refuse_browser(r, reply, &back, 900144, false);
	else
		show(s, r, reply, &f, tenant, v1);
}

void answer_admin_consent(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	begin_with(s, r, reply, tenant, false);
}

void answer_admin_consent_v1(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	begin_with(s, r, reply, tenant, true);
}

/* -- what the administrator decided -------------------------------------------------------------------------------------- */

static void put_error(struct request *r, struct form *out, const char *error, unsigned number)
{
	form_put(out, "error", error);
	form_put(out, "error_description", aadsts_text(r->work, aadsts_of(number)));
	form_put(out, "error_uri", arena_print(r->work, "https://" ENTRA_HOST "/error?code=%u", number));
	form_put(out, "admin_consent", "True");
}

static void write_accepted(struct form *out, const struct form *asked, bool v1)
{
	form_put(out, "admin_consent", "True");
	form_put(out, "tenant", CLOUD_TENANT);
	if (!v1)
		form_put(out, "scope", form_text(asked, "scope"));
}

static void write_declined(struct sandbox *s, struct request *r, struct form *out, bool v1)
{
	const char *shape = ordered_value(s, ORDER_ADMIN_CONSENT);

	if (v1) {
		form_put(out, "error", "permission_denied");
		form_put(out, "error_description", "The admin canceled the request");
	} else if (shape && is(shape, "documented")) {
		form_put(out, "admin_consent", "True");
		form_put(out, "error", "consent_required");
		form_put(out, "error_description", aadsts_text(r->work, aadsts_of(65004)));
	} else {
		put_error(r, out, "access_denied", 65004);
	}
}

void answer_admin_decision(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	const char *shape;
	struct form page, asked, out = { .count = 0 };
	struct back back;
	bool        v1, accepts;

	if (!form_read(r->work, r->body, &page) || !form_read(r->work, slice_str(form_text(&page, "ctx")), &asked)
	    || !redirect_is_registered(s, form_text(&asked, "redirect_uri"))) {
		refuse_browser(r, reply, &nowhere, 9002313, false);
		return;
	}
	back = back_of(&asked);
	account_served(s, account_by_mail(s, form_text(&page, "account")));
	shape = ordered_value(s, ORDER_ADMIN_CONSENT);
	v1 = is(form_text(&page, "version"), "1");
	accepts = is(form_text(&page, "answer"), "accept");
	if (shape && is(shape, "other-directory")) {
		put_error(r, &out, "access_denied", 50020);
	} else if (!accepts) {
		write_declined(s, r, &out, v1);
	} else {
		cloud_approve(s, tenant);
		if (shape && is(shape, "unregistered")) {      /* it is stored all the same */
			refuse_browser(r, reply, &nowhere, 50011, false);
			return;
		}
		write_accepted(&out, &asked, v1);
	}
	send_back(r, reply, &back, &out);
}
