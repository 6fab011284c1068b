#include "sandbox/entra.h"
#include "sandbox/text.h"

void screen_begin(struct reply *reply, int status, const char *title)
{
	reply->status = status;
	reply->type = "text/html; charset=utf-8";
	buffer_print(&reply->body, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
	             "<meta name=\"viewport\" content=\"width=device-width\"></head><body><main><h1>%s</h1>", title, title);
}

void screen_end(struct reply *reply)
{
	buffer_add_str(&reply->body, "<p><small>A sandbox: not Microsoft's.</small></p></main></body></html>");
}

void screen_hidden(struct request *r, struct reply *reply, const char *name, const char *value)
{
	buffer_print(&reply->body, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, escaped(r->work, value));
}

void screen_accounts(struct sandbox *s, struct request *r, struct reply *reply, const char *hint)
{
	struct account *chosen = account_by_mail(s, hint);
	bool            any = false;

	for (size_t i = 0; i < s->account_count; i++) {
		struct account *a = &s->accounts[i];

		if (a != chosen && s->cloud->apart && (orders_name(&s->orders, a->mail) || !cloud_has_domain(s, strchr(a->mail, '@') + 1)))
			continue;
		buffer_print(&reply->body, "<p><label><input type=\"radio\" name=\"account\" value=\"%s\"%s> %s (%s)</label></p>", escaped(r->work, a->mail),
		             a == chosen || (!chosen && !any) ? " checked" : "", escaped(r->work, a->display), escaped(r->work, account_upn(s, r->work, a)));
		any = true;
	}
}

/* -- back to the application ---------------------------------------------------------------------------------------- */

static void post_back(struct request *r, struct reply *reply, const char *to, const struct form *f)
{
	screen_begin(reply, 200, "Working...");
	buffer_print(&reply->body, "<form method=\"post\" action=\"%s\">", escaped(r->work, to));
	for (size_t i = 0; i < f->count; i++)
		screen_hidden(r, reply, f->field[i].name, f->field[i].value);
	buffer_add_str(&reply->body, "<button type=\"submit\">Continue</button></form><script>document.forms[0].submit()</script>");
	screen_end(reply);
}

void send_back(struct request *r, struct reply *reply, const struct back *back, const struct form *given)
{
	struct form f = *given;
	const char *joint = back->mode && strcmp(back->mode, "fragment") == 0 ? "#" : strchr(back->to, '?') ? "&" : "?";

	if (back->state)
		form_put(&f, "state", back->state);
	if (back->mode && strcmp(back->mode, "form_post") == 0) {
		post_back(r, reply, back->to, &f);
		return;
	}
	reply->status = 302;
	reply_header(reply, r, "Location", "%s%s%s", back->to, joint, form_whole(r->work, &f));
}
