#include "serve/render.h"

#include <stdio.h>
#include <string.h>

#include "flow_caldav.h"
#include "model/exchange_url.h"
#include "wire/http.h"

/* -- links that do not open ------------------------------------------------------------------------------------------- */

bool render_link(struct page *p, const struct link_page *l)
{
	static const char *const titles[] = {
		[LINK_UNKNOWN] = "link.unknown", [LINK_EXPIRED] = "link.expired", [LINK_USED] = "link.used", [LINK_ELSEWHERE] = "link.elsewhere",
	};
	const char *title = page_word(p, titles[l->trouble]), *key = arena_print(p->job, "%s.text", titles[l->trouble]);

	page_begin(p, &(struct frame){ .title = title, .path = l->path });
	render_sign(p, ICON_WARNED);
	page_element(p, "h1", title, NULL);
	page_element(p, "p", page_phrase(p, key, "time", tell_time(l->expired, p->lang, p->job), NULL), "class", "lead", NULL);
	return page_end(p);
}

bool render_notice(struct page *p, const struct notice_page *n)
{
	const char *title = page_word(p, n->key);

	page_begin(p, &(struct frame){ .title = title, .path = n->path });
	render_sign(p, ICON_WARNED);
	page_element(p, "h1", title, NULL);
	page_element(p, "p", page_word(p, arena_print(p->job, "%s.text", n->key)), "class", "lead", NULL);
	return page_end(p);
}

bool render_onward(struct page *p, const struct onward_page *o)
{
	const char *title = page_word(p, signin_word(o->place, "button", p->job));

	page_begin(p, &(struct frame){ .title = title, .path = o->path, .onward = o->url });
	page_element(p, "h1", title, NULL);
	page_element(p, "p", page_word(p, signin_word(o->place, "text", p->job)), "class", "lead", NULL);
	page_element(p, "a", title, "class", "button full", "href", o->url, NULL);
	return page_end(p);
}

/* -- the form --------------------------------------------------------------------------------------------------------- */

struct input {
	const char *name, *type, *complete, *mode, *hint;       /* `hint`: key of "page/…", or NULL */
	size_t      most;
};

static const struct input inputs[INPUTS] = {
	[INPUT_ADDRESS]   = { "address",   "email",    "email",            "email",   NULL,                  320  },
	[INPUT_PASSWORD]  = { "password",  "password", "current-password", NULL,      "field.password.hint", 1024 },
	[INPUT_USERNAME]  = { "username",  "text",     "username",         NULL,      "field.username.hint", 254  },
	[INPUT_PROVIDER]  = { "provider",  NULL,       "off",              NULL,      NULL,                  10   },
	[INPUT_EWS_URL]   = { "ews_url",   "text",     "off",              "url",     "field.ews_url.hint",  EXCHANGE_URL_MOST },
	[INPUT_IMAP_HOST] = { "imap_host", "text",     "off",              "url",     NULL,                  253  },
	[INPUT_IMAP_PORT] = { "imap_port", "text",     "off",              "numeric", NULL,                  5    },
	[INPUT_SMTP_HOST] = { "smtp_host", "text",     "off",              "url",     NULL,                  253  },
	[INPUT_SMTP_PORT] = { "smtp_port", "text",     "off",              "numeric", NULL,                  5    },
	[INPUT_CALDAV_URL]      = { "caldav_url",      "text",     "off",          "url", "field.caldav_url.hint",      CALDAV_URL_MOST },
	[INPUT_CALDAV_USERNAME] = { "caldav_username", "text",     "off",          NULL,  "field.caldav_username.hint", 254  },
	[INPUT_CALDAV_PASSWORD] = { "caldav_password", "password", "new-password", NULL,  "field.caldav_password.hint", 1024 },
};

const char *connect_input_name(enum connect_input which)
{
	return inputs[which].name;
}

/* What a search may fill in. */
static bool is_findable(enum connect_input which)
{
	return which >= INPUT_PROVIDER;
}

const char *connect_found_name(enum connect_input which)
{
	static const char *const names[INPUTS] = {
		[INPUT_PROVIDER] = "found_provider", [INPUT_EWS_URL] = "found_ews_url", [INPUT_IMAP_HOST] = "found_imap_host",
		[INPUT_IMAP_PORT] = "found_imap_port", [INPUT_SMTP_HOST] = "found_smtp_host", [INPUT_SMTP_PORT] = "found_smtp_port",
		[INPUT_CALDAV_URL] = "found_caldav_url",
	};

	return names[which];
}

static bool is_required(enum connect_input which)
{
	return which == INPUT_ADDRESS || which == INPUT_PASSWORD;
}

static const char *hint_of(const struct connect_page *c, enum connect_input which)
{
	return which == INPUT_ADDRESS && c->address_fixed ? "field.address.fixed" : inputs[which].hint;
}

/* It stands in the field as it was found. */
static bool is_as_found(const struct connect_page *c, enum connect_input which)
{
	return c->found[which] && c->value[which] && strcmp(c->found[which], c->value[which]) == 0;
}

/* What was filled in by us, and that it was: web/find.js shows and hides the same. Says the id of what is to be seen, or NULL. */
static const char *found_mark(struct page *p, const struct connect_page *c, enum connect_input which)
{
	const char *id = arena_print(p->job, "%s-found", inputs[which].name);
	bool        shown = is_as_found(c, which);

	if (!is_findable(which))
		return NULL;
	page_element(p, "span", page_word(p, "found.hint"), "class", "hint found", "id", id, "hidden", shown ? NULL : "", NULL);
	page_empty(p, "input", "type", "hidden", "name", connect_found_name(which), "value", c->found[which], NULL);
	return shown ? id : NULL;
}

/* The ids of what is said about a field, blanks between; NULL for none. */
static const char *described_by(struct page *p, const char *const *id, size_t count)
{
	const char *all = NULL;

	for (size_t i = 0; i < count; i++)
		if (id[i])
			all = all ? arena_print(p->job, "%s %s", all, id[i]) : id[i];
	return all;
}

static void field(struct page *p, const struct connect_page *c, enum connect_input which)
{
	const struct input *in = &inputs[which];
	const char         *hint = hint_of(c, which), *wrong = c->wrong[which], *found;
	const char         *hint_id = hint ? arena_print(p->job, "%s-hint", in->name) : NULL;
	const char         *wrong_id = wrong ? arena_print(p->job, "%s-wrong", in->name) : NULL;
	bool                fixed = which == INPUT_ADDRESS && c->address_fixed;

	page_open(p, "div", "class", "field", NULL);
	page_element(p, "label", page_word(p, arena_print(p->job, "field.%s", in->name)), "for", in->name, NULL);
	if (wrong) {
		page_open(p, "span", "class", "wrong", "id", wrong_id, NULL);
		page_prose(p, page_word(p, wrong), NULL, 0);
		page_close(p, "span");
	}
	if (hint)
		page_element(p, "span", page_word(p, hint), "class", "hint", "id", hint_id, NULL);
	found = found_mark(p, c, which);
	page_empty(p, "input", "id", in->name, "name", in->name, "type", in->type, "value", c->value[which], "maxlength",
		arena_print(p->job, "%zu", in->most), "autocomplete", in->complete, "inputmode", in->mode, "autocapitalize", "none",
		"spellcheck", "false", "required", is_required(which) ? "" : NULL, "readonly", fixed ? "" : NULL,
		"aria-invalid", wrong ? "true" : NULL, "aria-describedby", described_by(p, (const char *[]){ wrong_id, hint_id, found }, 3), NULL);
	page_close(p, "div");
}

/* What it is connected by: an id of the API, and the words for it. */
static void provider(struct page *p, const struct connect_page *c)
{
	static const char *const known[] = { "auto", "microsoft", "google", "exchange", "imap", "caldav" };
	const char *name = inputs[INPUT_PROVIDER].name, *now = c->value[INPUT_PROVIDER], *found;

	page_open(p, "div", "class", "field", NULL);
	page_element(p, "label", page_word(p, "field.provider"), "for", name, NULL);
	found = found_mark(p, c, INPUT_PROVIDER);
	page_open(p, "select", "id", name, "name", name, "aria-describedby", found, NULL);
	for (size_t i = 0; i < COUNT(known); i++)
		page_element(p, "option", page_word(p, arena_print(p->job, "provider.%s", known[i])), "value", known[i],
			"selected", now && strcmp(now, known[i]) == 0 ? "" : NULL, NULL);
	page_close(p, "select");
	page_close(p, "div");
}

/* What is wrong, above the form, each leading to its field. */
static void summary(struct page *p, const struct connect_page *c)
{
	bool any = false;

	for (unsigned i = 0; i < INPUTS; i++)
		any = any || c->wrong[i];
	if (!any)
		return;
	page_open(p, "div", "class", "notice bad", "role", "alert", NULL);
	page_element(p, "h2", page_word(p, "wrong.title"), NULL);
	page_open(p, "ul", "class", "links", NULL);
	for (unsigned i = 0; i < INPUTS; i++) {
		if (!c->wrong[i])
			continue;
		page_open(p, "li", NULL);
		page_open(p, "a", "href", arena_print(p->job, "#%s", inputs[i].name), NULL);
		page_prose(p, page_word(p, c->wrong[i]), NULL, 0);
		page_close(p, "a");
		page_close(p, "li");
	}
	page_close(p, "ul");
	page_close(p, "div");
}

/* Where it is chosen that people sign in; NULL: here, with a password. */
static const struct signin_place *chosen_place(const struct connect_page *c)
{
	return signin_place(c->value[INPUT_PROVIDER]);
}

/* Of one way in; that of the way that is chosen is seen, and web/find.js changes over as in the form. */
static void of_way(struct page *p, const char *key, const char *way, bool chosen)
{
	page_element(p, "dd", page_word(p, key), "data-way", way, "hidden", chosen ? NULL : "", NULL);
}

/* Before the connection: what is read, stored and sent, and until when. */
static void statement(struct page *p, const struct connect_page *c)
{
	static const char *const parts[] = { "connect.read", "connect.stored", "connect.sent", "connect.until" };

	page_open(p, "section", "class", "card", "aria-labelledby", "statement", NULL);
	page_element(p, "h2", page_word(p, "connect.statement"), "id", "statement", NULL);
	page_open(p, "dl", "class", "plain", NULL);
	for (size_t i = 0; i < COUNT(parts); i++) {
		page_element(p, "dt", page_word(p, parts[i]), NULL);
		if (strcmp(parts[i], "connect.stored") == 0) {
			of_way(p, "connect.stored.text", "password", !chosen_place(c));
			for (size_t s = 0; s < SIGNIN_PLACES; s++)
				of_way(p, signin_word(&signin_places[s], "stored", p->job), signin_places[s].name, chosen_place(c) == &signin_places[s]);
			continue;
		}
		page_element(p, "dd", page_phrase(p, arena_print(p->job, "%s.text", parts[i]), "product", c->product, NULL), NULL);
	}
	page_close(p, "dl");
	page_close(p, "section");
}

/* Unfolded when there is something to see: what was filled in, or is wrong. */
static bool more_is_open(const struct connect_page *c)
{
	for (unsigned i = INPUT_USERNAME; i < INPUTS; i++)
		if (c->wrong[i] || (c->value[i] && *c->value[i] && strcmp(c->value[i], "auto") != 0))
			return true;
	return false;
}

/* The whole URL stands in its field. */
static const char *host_of(struct page *p, const char *ews_url)
{
	struct exchange_url url;

	exchange_url_read(ews_url, p->job, &url);
	return url.problem ? ews_url : url.host;
}

/* What somebody would not see in the part that is folded, and what may be left out. */
static const char *found_calendar(struct page *p, const struct connect_page *c)
{
	struct http_url url;

	if (!is_as_found(c, INPUT_CALDAV_URL) || !http_url_parse(slice_str(c->found[INPUT_CALDAV_URL]), p->job, &url))
		return "";
	return page_phrase(p, "found.calendar", "server", url.host, NULL);
}

const char *connect_found_text(struct page *p, const struct connect_page *c)
{
	const char *server = NULL, *calendar = found_calendar(p, c), *servers;

	if (is_as_found(c, INPUT_EWS_URL))
		server = host_of(p, c->found[INPUT_EWS_URL]);
	else if (is_as_found(c, INPUT_IMAP_HOST))
		server = c->found[INPUT_IMAP_HOST];
	else if (is_as_found(c, INPUT_PROVIDER) && strcmp(c->found[INPUT_PROVIDER], "imap") != 0)
		server = page_word(p, arena_print(p->job, "provider.%s", chosen_place(c) ? chosen_place(c)->name : "exchange"));
	if (!server)
		return calendar;
	servers = page_phrase(p, "found.text", "server", server, "more", page_word(p, "connect.more"), NULL);
	return *calendar ? arena_print(p->job, "%s %s", servers, calendar) : servers;
}

/* Said aloud, and filled by web/find.js. */
static void found_status(struct page *p, const struct connect_page *c)
{
	const char *text = connect_found_text(p, c);

	page_element(p, "p", *text || !c->searched ? text : page_word(p, "found.nothing"), "class", "status small", "role", "status",
		"aria-live", "polite", "data-looking", page_word(p, "found.looking"), NULL);
}

/* Of the two ways in only the one that is chosen is there: what is hidden must not be asked for, nor be what Enter presses. web/find.js
 * changes over where another kind is chosen. */
static void way_begin(struct page *p, const char *way, bool chosen)
{
	page_open(p, "fieldset", "class", "way", "data-way", way, "hidden", chosen ? NULL : "", "disabled", chosen ? NULL : "", NULL);
}

static void signin_button(struct page *p, const struct connect_page *c, const struct signin_place *place, const char *class)
{
	page_element(p, "button", page_word(p, signin_word(place, "button", p->job)), "class", class, "type", "submit", "formnovalidate", "",
		"formaction", arena_print(p->job, "%s/%s", c->path, place->name), NULL);
}

static void signin_ways(struct page *p, const struct connect_page *c)
{
	for (size_t i = 0; i < SIGNIN_PLACES; i++) {
		const struct signin_place *place = &signin_places[i];

		way_begin(p, place->name, chosen_place(c) == place);
		page_element(p, "p", page_word(p, signin_word(place, c->registered[i] ? "text" : "unregistered", p->job)), "class",
			c->registered[i] ? "small" : "notice", NULL);
		if (c->registered[i])
			signin_button(p, c, place, "full");
		page_close(p, "fieldset");
	}
}

/* For browsers without scripts. Behind the button that connects: Enter presses the first one. */
static void search_button(struct page *p, const struct connect_page *c)
{
	page_open(p, "noscript", NULL);
	for (size_t i = 0; i < SIGNIN_PLACES; i++)
		if (c->registered[i] && chosen_place(c) != &signin_places[i])
			signin_button(p, c, &signin_places[i], "full quiet");
	page_element(p, "button", page_word(p, "found.button"), "class", "full quiet", "type", "submit", "formnovalidate", "", "formaction",
		arena_print(p->job, "%s/find", c->path), NULL);
	page_close(p, "noscript");
}

static void server(struct page *p, const struct connect_page *c, enum connect_input host, enum connect_input port)
{
	page_open(p, "div", "class", "pair", NULL);
	field(p, c, host);
	field(p, c, port);
	page_close(p, "div");
}

/* What its pages say nobody but the person in front of them can tell us. */
static void paste_form(struct page *p, const struct signin_place *at, const char *path, const char *csrf, bool unknown)
{
	page_open(p, "form", "method", "post", "action", arena_print(p->job, "%s/%s/said", path, at->name), NULL);
	render_csrf(p, csrf);
	page_open(p, "div", "class", "field", NULL);
	page_element(p, "label", page_word(p, signin_word(at, "paste", p->job)), "for", "said", NULL);
	if (unknown)
		page_element(p, "span", page_word(p, signin_word(at, "paste.unknown", p->job)), "class", "wrong", "id", "said-wrong", "role", "alert", NULL);
	page_element(p, "span", page_word(p, signin_word(at, "paste.hint", p->job)), "class", "hint", "id", "said-hint", NULL);
	page_element(p, "textarea", "", "id", "said", "name", "said", "rows", "4", "maxlength", "8000", "required", "", "autocomplete", "off",
		"spellcheck", "false", "aria-invalid", unknown ? "true" : NULL, "aria-describedby", unknown ? "said-wrong said-hint" : "said-hint", NULL);
	page_close(p, "div");
	page_element(p, "button", page_word(p, "away.button"), "type", "submit", NULL);
	page_close(p, "form");
}

static void usual_reasons(struct page *p, const struct signin_place *at)
{
	page_open(p, "ul", "class", "links", NULL);
	for (size_t i = 0; i < SIGNIN_USUAL && at->usual[i]; i++) {
		page_open(p, "li", NULL);
		page_element(p, "a", catalogue_text(p->lang, arena_print(p->job, "%s/title", at->usual[i])), "href",
			arena_print(p->job, "/help/%s?lang=%s", at->usual[i], p->lang->tag), NULL);
		page_close(p, "li");
	}
	page_close(p, "ul");
}

/* Above the form: who was there and stands here again may only want to try once more. */
static void away(struct page *p, const struct connect_page *c)
{
	const struct signin_place *at = chosen_place(c);

	if (!c->away || !at)
		return;
	page_open(p, "section", "class", "notice", "aria-labelledby", "away", NULL);
	page_element(p, "h2", page_word(p, signin_word(at, "away", p->job)), "id", "away", NULL);
	page_element(p, "p", page_word(p, "away.text"), NULL);
	usual_reasons(p, at);
	paste_form(p, at, c->path, c->csrf, c->away == AWAY_UNKNOWN);
	page_element(p, "p", page_word(p, "away.elsewhere"), "class", "small", NULL);
	page_close(p, "section");
}

bool render_connect(struct page *p, const struct connect_page *c)
{
	page_begin(p, &(struct frame){ .title = page_word(p, "connect.title"), .path = c->path, .script = "find.js" });
	page_element(p, "h1", page_word(p, "connect.title"), NULL);
	page_element(p, "p", page_phrase(p, "connect.lead", "product", c->product, NULL), "class", "lead", NULL);
	summary(p, c);
	away(p, c);
	page_open(p, "form", "class", "card", "method", "post", "action", c->path, "data-find",
		arena_print(p->job, "%s/find.json?lang=%s", c->path, p->lang->tag), "data-now", c->search_now ? "" : NULL, NULL);
	render_csrf(p, c->csrf);
	field(p, c, INPUT_ADDRESS);
	way_begin(p, "password", !chosen_place(c));
	field(p, c, INPUT_PASSWORD);
	page_close(p, "fieldset");
	found_status(p, c);
	signin_ways(p, c);
	page_open(p, "details", "class", "more", "open", more_is_open(c) ? "" : NULL, NULL);
	page_element(p, "summary", page_word(p, "connect.more"), NULL);
	page_element(p, "p", page_word(p, "connect.more.hint"), "class", "small", NULL);
	field(p, c, INPUT_USERNAME);
	provider(p, c);
	field(p, c, INPUT_EWS_URL);
	server(p, c, INPUT_IMAP_HOST, INPUT_IMAP_PORT);
	server(p, c, INPUT_SMTP_HOST, INPUT_SMTP_PORT);
	field(p, c, INPUT_CALDAV_URL);
	field(p, c, INPUT_CALDAV_USERNAME);
	field(p, c, INPUT_CALDAV_PASSWORD);
	page_close(p, "details");
	way_begin(p, "password", !chosen_place(c));
	page_element(p, "button", page_word(p, "connect.submit"), "class", "full", "type", "submit", NULL);
	page_close(p, "fieldset");
	search_button(p, c);
	page_close(p, "form");
	statement(p, c);
	return page_end(p);
}

/* -- while it works --------------------------------------------------------------------------------------------------- */

const char *progress_status(struct page *p, const struct shown_step *step, size_t steps, bool done)
{
	const char *now = NULL;

	for (size_t i = 0; i < steps; i++)
		if (strcmp(step[i].state, "running") == 0)
			now = step[i].label;
	if (done)
		return page_word(p, "progress.done");
	if (now)
		return page_phrase(p, "progress.now", "step", now, NULL);
	return page_word(p, steps ? "progress.lead" : "progress.begin");
}

bool render_progress(struct page *p, const struct progress_page *g)
{
	const char *here = arena_print(p->job, "%s/progress", g->path);

	page_begin(p, &(struct frame){ .title = page_word(p, "progress.title"), .path = here, .script = "connect.js", .refresh = here });
	page_element(p, "h1", page_word(p, "progress.title"), NULL);
	page_element(p, "p", g->address, "class", "mail", NULL);
	page_element(p, "p", page_word(p, "progress.lead"), "class", "lead", NULL);
	page_open(p, "div", "class", "card", NULL);
	page_element(p, "p", progress_status(p, g->step, g->steps, false), "class", "status", "role", "status", "aria-live", "polite",
		"data-unreached", page_word(p, "progress.unreached"), NULL);
	render_checks(p, g->step, g->steps, arena_print(p->job, "%s.json?lang=%s", here, p->lang->tag));
	page_close(p, "div");
	page_open(p, "noscript", NULL);
	page_open(p, "p", NULL);
	page_element(p, "a", page_word(p, "progress.reload"), "href", here, NULL);
	page_close(p, "p");
	page_close(p, "noscript");
	return page_end(p);
}

/* -- the result ------------------------------------------------------------------------------------------------------- */

static void checked(struct page *p, const struct retold *r)
{
	struct shown_step *step = arena_get(p->job, RETOLD_STEPS * sizeof *step);

	if (!r->steps)
		return;
	page_open(p, "details", "class", "more", NULL);
	page_element(p, "summary", page_word(p, "result.checked"), NULL);
	for (size_t i = 0; i < r->steps; i++)
		step[i] = (struct shown_step){ r->step[i].label, r->step[i].state, r->step[i].why };
	render_checks(p, step, r->steps, NULL);
	page_close(p, "details");
}

static void put_right(struct page *p, const struct retold *r)
{
	bool any = false;

	for (size_t i = 0; i < r->causes; i++) {
		if (!r->cause[i].repaired)
			continue;
		if (!any) {
			page_element(p, "h2", catalogue_text(p->lang, "ui/fixed_on_the_way"), NULL);
			page_open(p, "ul", "class", "links", NULL);
		}
		any = true;
		page_element(p, "li", r->cause[i].told.title, NULL);
	}
	if (any)
		page_close(p, "ul");
}

/* The product learns which account it is and how it went. What stands in its address already comes first. */
static const char *way_back(struct page *p, const struct result_page *r)
{
	struct slice url = slice_str(r->back);
	size_t       hash = slice_find(url, '#');

	return arena_print(p->job, "%.*s%caccount=%s&state=%s%s", (int)hash, url.at, slice_find(slice_upto(url, hash), '?') < hash ? '&' : '?',
	                   http_url_encode(r->account->id, p->job), account_state_name(r->account->state), r->back + hash);
}

static void back_button(struct page *p, const struct result_page *r, bool first)
{
	if (r->back)
		page_element(p, "a", page_phrase(p, "result.back", "product", r->product, NULL), "class", first ? "button" : "button quiet",
			"href", way_back(p, r), "rel", "noreferrer", NULL);
}

const char *result_right_url(const struct account *a, const struct retold *r)
{
	for (size_t i = 0; a->ews_url && r && i < r->causes; i++) {
		const struct retold_cause *c = &r->cause[i];

		if (strcmp(cause_row(c->cause)->id, "exchange.url_is_webmail") != 0 && strcmp(cause_row(c->cause)->id, "exchange.url_not_ews") != 0)
			continue;
		for (size_t v = 0; v < c->told.values; v++)
			if (strcmp(c->told.value[v].name, "right_url") == 0 && strcmp(c->told.value[v].text, a->ews_url) != 0)
				return c->told.value[v].text;
	}
	return NULL;
}

/* One click: the password that was given stays where it is. */
static void url_repair(struct page *p, const struct result_page *r)
{
	const char *right = result_right_url(r->account, r->report);

	if (!right)
		return;
	page_open(p, "form", "class", "card", "method", "post", "action", arena_print(p->job, "%s/url", r->path), NULL);
	render_csrf(p, r->csrf);
	page_element(p, "p", page_word(p, "result.right_url"), NULL);
	page_element(p, "p", right, "class", "copy", "translate", "no", NULL);
	page_element(p, "button", page_word(p, "result.use_url"), "class", "full", "type", "submit", NULL);
	page_close(p, "form");
}

/* -- another way in -- */

static const char *way_button(struct page *p, const struct way *w)
{
	if (strcmp(w->provider, "imap") == 0 && w->name)
		return page_phrase(p, "way.host.button", "name", w->name, NULL);
	return page_word(p, strcmp(w->provider, "exchange") == 0 ? "way.exchange.button" : "way.imap.button");
}

static const char *way_text(struct page *p, const struct way *w)
{
	if (strcmp(w->provider, "exchange") == 0 && w->ews_url)
		return page_phrase(p, w->confirm ? "way.exchange.confirm" : "way.exchange.text", "host", host_of(p, w->ews_url), NULL);
	if (strcmp(w->provider, "exchange") == 0)
		return page_word(p, "way.exchange.found");
	return w->name ? page_phrase(p, "way.host.text", "name", w->name, NULL)
	               : page_phrase(p, "way.imap.text", "host", w->host[SERVICE_IMAP] ? w->host[SERVICE_IMAP] : "", NULL);
}

static void signin_form(struct page *p, const struct result_page *r, const struct signin_place *place, const char *class)
{
	page_open(p, "form", "method", "post", "action", arena_print(p->job, "%s/%s", r->path, place->name), NULL);
	render_csrf(p, r->csrf);
	page_empty(p, "input", "type", "hidden", "name", inputs[INPUT_ADDRESS].name, "value", r->account->address, NULL);
	page_element(p, "button", page_word(p, signin_word(place, "button", p->job)), "class", class, "type", "submit", NULL);
	page_close(p, "form");
}

/* Straight out to the sign-in there: nothing has to be filled in. */
static void way_to_sign_in(struct page *p, const struct result_page *r, const struct signin_place *place)
{
	page_element(p, "p", page_word(p, signin_word(place, "text", p->job)), NULL);
	signin_form(p, r, place, "full");
}

static bool is_open_way(const struct result_page *r, const struct way *w)
{
	const struct signin_place *place = signin_place(w->provider);

	return !place || r->registered[place->at];
}

static void way_in(struct page *p, const struct result_page *r, const struct way *w)
{
	const struct signin_place *place = signin_place(w->provider);

	if (place) {
		way_to_sign_in(p, r, place);
		return;
	}
	page_element(p, "p", way_text(p, w), NULL);
	page_open(p, "p", NULL);
	page_element(p, "a", way_button(p, w), "class", "button full", "href", arena_print(p->job, "%s?way=%s", r->path, w->provider), NULL);
	page_close(p, "p");
}

static bool has_other_ways(const struct result_page *r)
{
	for (size_t i = 0; r->report && !r->unkept && i < r->report->ways; i++)
		if (is_open_way(r, &r->report->way[i]))
			return true;
	return false;
}

static void other_ways(struct page *p, const struct result_page *r)
{
	if (!has_other_ways(r))
		return;
	page_open(p, "section", "class", "card", "aria-labelledby", "ways", NULL);
	page_element(p, "h2", page_word(p, "way.title"), "id", "ways", NULL);
	for (size_t i = 0; i < r->report->ways; i++)
		if (is_open_way(r, &r->report->way[i]))
			way_in(p, r, &r->report->way[i]);
	page_close(p, "section");
}

#define SOON_S  10      /* Microsoft may not know of a consent yet     */
#define SOON_MS "10000"
#define WATCH_S 15      /* without scripts, where somebody else acts   */

static const char *connected_text(struct page *p, const struct result_page *r)
{
	return page_word(p, account_has_mail(r->account) ? "result.connected" : "result.connected.calendar");
}

static bool connected(struct page *p, const struct result_page *r)
{
	render_sign(p, ICON_PASSED);
	page_element(p, "h1", connected_text(p, r), NULL);
	page_element(p, "p", r->account->address, "class", "mail", NULL);
	page_element(p, "p", page_word(p, "result.connected.lead"), "class", "lead", NULL);
	page_open(p, "div", "class", "buttons", NULL);
	back_button(p, r, true);
	page_close(p, "div");
	if (r->bcc && account_has_mail(r->account)) {
		page_open(p, "section", "class", "card", "aria-labelledby", "bcc", NULL);
		page_element(p, "h2", page_word(p, "result.bcc"), "id", "bcc", NULL);
		page_element(p, "p", page_phrase(p, "result.bcc.text", "product", r->product, NULL), NULL);
		page_element(p, "p", r->bcc, "class", "copy", "translate", "no", NULL);
		page_close(p, "section");
	}
	if (r->report) {
		put_right(p, r->report);
		url_repair(p, r);
		checked(p, r->report);
	}
	return page_end(p);
}

/* An administrator has to do something: the page goes on by itself once they have. */
static bool waits_for_others(const struct result_page *r)
{
	return !r->unkept && r->account->state == ACCOUNT_NEEDS_ADMIN && r->report && r->report->causes
	    && r->report->cause[0].who == WHO_ADMIN;
}

/* And all that they need stands on a page of theirs: the person can only hand it over. */
static bool is_only_theirs(const struct result_page *r)
{
	return waits_for_others(r) && approval_has(&r->report->cause[0]);
}

/* A box on the provider's page was left empty: there is a button of its own for that. */
static bool leads_straight_back(const struct result_page *r)
{
	const struct signin_place *at = signin_place(r->account->provider);

	return at && r->registered[at->at] && r->report && r->report->causes
	    && signin_place_says(at, cause_row(r->report->cause[0].cause)->id, "scope_unticked");
}

static void again_buttons(struct page *p, const struct result_page *r, bool administrator)
{
	const char *over = arena_print(p->job, "%s/administrator", r->path);
	bool        theirs = administrator && is_only_theirs(r);

	page_open(p, "div", "class", "buttons", NULL);
	if (theirs)
		page_element(p, "a", page_word(p, "result.handover"), "class", "button", "href", over, NULL);
	page_element(p, "a", page_word(p, "result.again"), "class", theirs || has_other_ways(r) || leads_straight_back(r) ? "button quiet" : "button", "href", r->path, NULL);
	if (administrator && !theirs)
		page_element(p, "a", page_word(p, "result.handover"), "class", "button quiet", "href", over, NULL);
	back_button(p, r, false);
	page_close(p, "div");
}

static void waiting_notice(struct page *p, const struct account *a)
{
	if (a->state != ACCOUNT_WAITING || !a->next_try)
		return;
	page_open(p, "div", "class", "notice", NULL);
	page_element(p, "p", page_phrase(p, "result.waiting", "time", tell_time(a->next_try, p->lang, p->job), NULL), NULL);
	page_close(p, "div");
}

/* By itself, in a moment; or by the one button, where somebody has to be there. */
static void sign_in_now(struct page *p, const struct result_page *r)
{
	const struct signin_place *place = signin_place(r->account->provider);

	if (r->sign_in == SIGN_IN_NONE || !place)
		return;
	page_open(p, "section", "class", "notice good", "data-reload", r->sign_in == SIGN_IN_SOON ? SOON_MS : NULL, NULL);
	page_element(p, "p", page_word(p, r->sign_in == SIGN_IN_SOON ? "approval.soon" : "approval.once_more"), "role", "status", NULL);
	if (r->sign_in == SIGN_IN_ONCE_MORE) {
		page_open(p, "form", "class", "buttons", "method", "post", "action", arena_print(p->job, "%s/%s", r->path, place->name), NULL);
		render_csrf(p, r->csrf);
		page_empty(p, "input", "type", "hidden", "name", "address", "value", r->account->address, NULL);
		page_element(p, "button", page_word(p, signin_word(place, "button", p->job)), "type", "submit", NULL);
		page_close(p, "form");
	}
	page_close(p, "section");
}

static void watch_for_others(struct page *p, const struct result_page *r)
{
	const struct account      *a = r->account;
	const struct signin_place *theirs;

	if (!waits_for_others(r))
		return;
	theirs = approval_place(&r->report->cause[0]);
	page_open(p, "section", "class", "notice", "data-watch", arena_print(p->job, "%s/state.json", r->path), "data-state",
		account_state_name(a->state), "data-cause", a->cause, "data-every", "5000", NULL);
	page_element(p, "p", page_word(p, theirs && theirs->at == SIGNIN_GOOGLE ? "google.wait" : "approval.wait"), "role", "status", NULL);
	page_close(p, "section");
}

static bool is_missing(const struct retold_cause *c, const char *what)
{
	for (size_t i = 0; i < c->told.values; i++)
		if (strcmp(c->told.value[i].name, "missing") == 0)
			return strstr(c->told.value[i].text, what) != NULL;
	return false;
}

/* Which boxes on its page were left empty, and straight there once more. */
static void what_to_tick(struct page *p, const struct result_page *r, const struct retold_cause *c)
{
	static const struct { const char *scope, *box; } boxes[] = { { "gmail", "google.box.mail" }, { "calendar", "google.box.calendar" } };
	const struct signin_place *at = signin_place(r->account->provider);

	if (!leads_straight_back(r))
		return;
	page_open(p, "section", "class", "card", "aria-labelledby", "boxes", NULL);
	page_element(p, "h2", page_word(p, "google.box"), "id", "boxes", NULL);
	page_open(p, "ul", "class", "links", NULL);
	for (size_t i = 0; i < COUNT(boxes); i++)
		if (is_missing(c, boxes[i].scope))
			page_element(p, "li", page_word(p, boxes[i].box), NULL);
	page_close(p, "ul");
	signin_form(p, r, at, "full");
	page_close(p, "section");
}

static bool failed(struct page *p, const struct result_page *r)
{
	const struct retold_cause *c = &r->report->cause[0];
	const struct signin_place *at = signin_place(r->account->provider);
	enum account_state         state = r->account->state;

	render_sign(p, state == ACCOUNT_WAITING ? ICON_WAITING : state == ACCOUNT_DEGRADED ? ICON_WARNED : ICON_FAILED);
	if (state == ACCOUNT_DEGRADED)
		page_element(p, "p", page_word(p, account_has_mail(r->account) ? "result.partial" : "result.partial.calendar"), "class", "small", NULL);
	page_element(p, "h1", c->told.title, NULL);
	page_element(p, "p", r->account->address, "class", "mail", NULL);
	render_marks(p, c, true);
	waiting_notice(p, r->account);
	sign_in_now(p, r);
	watch_for_others(p, r);
	page_open(p, "div", "class", "card", NULL);
	if (is_only_theirs(r))
		page_element(p, "p", c->told.why, NULL);
	else
		render_remedy(p, c);
	render_help_link(p, c->cause);
	page_close(p, "div");
	what_to_tick(p, r, c);
	if (!r->unkept && at && signin_place_says(at, cause_row(c->cause)->id, "sign_in_not_returned"))
		paste_form(p, at, r->path, r->csrf, false);
	url_repair(p, r);
	other_ways(p, r);
	again_buttons(p, r, !r->unkept);
	render_proof(p, r->report);
	checked(p, r->report);
	return page_end(p);
}

/* Nothing is wrong; something has to come from the person, or nothing is known yet. */
static bool asked(struct page *p, const struct result_page *r)
{
	const char *kind = r->report && r->report->needs ? r->report->need[0].kind : "";
	bool        confirm = strcmp(kind, "confirm_host") == 0, sign_in = strcmp(kind, "sign_in") == 0;
	const char *title = page_word(p, confirm ? "result.confirm" : "result.none");

	render_sign(p, ICON_WARNED);
	page_element(p, "h1", sign_in ? catalogue_text(p->lang, "ui/verdict.unfinished") : title, NULL);
	page_element(p, "p", r->account->address, "class", "mail", NULL);
	if (confirm) {
		page_element(p, "p", page_phrase(p, "result.confirm.text", "host", r->report->need[0].value, NULL), NULL);
		page_element(p, "p", page_word(p, "result.confirm.do"), NULL);
	} else {
		page_element(p, "p", sign_in ? catalogue_text(p->lang, "ui/verdict.unfinished_sign_in") : page_word(p, "result.none.text"), NULL);
	}
	again_buttons(p, r, false);
	if (r->report)
		checked(p, r->report);
	return page_end(p);
}

static bool paused(struct page *p, const struct result_page *r)
{
	render_sign(p, ICON_WAITING);
	page_element(p, "h1", page_word(p, "result.paused"), NULL);
	page_element(p, "p", r->account->address, "class", "mail", NULL);
	page_element(p, "p", page_word(p, "result.paused.text"), NULL);
	page_open(p, "div", "class", "buttons", NULL);
	back_button(p, r, true);
	page_close(p, "div");
	return page_end(p);
}

static const char *result_title(struct page *p, const struct result_page *r)
{
	if (r->account->state == ACCOUNT_CONNECTED)
		return connected_text(p, r);
	return r->report && r->report->causes ? r->report->cause[0].told.title : page_word(p, "connect.title");
}

bool render_result(struct page *p, const struct result_page *r)
{
	const char *here = arena_print(p->job, "%s/result", r->path);
	bool        waits = waits_for_others(r), soon = r->sign_in == SIGN_IN_SOON;

	page_begin(p, &(struct frame){ .title = result_title(p, r), .path = here, .script = waits || soon ? "again.js" : NULL,
		.refresh = waits || soon ? here : NULL, .refresh_s = soon ? SOON_S : WATCH_S });
	if (r->account->state == ACCOUNT_CONNECTED)
		return connected(p, r);
	if (r->account->state == ACCOUNT_PAUSED)
		return paused(p, r);
	return r->report && r->report->causes ? failed(p, r) : asked(p, r);
}

/* -- handing it over -------------------------------------------------------------------------------------------------- */

static const char *mail_with_it(struct page *p, const struct handover_page *h)
{
	const char *subject = page_phrase(p, "handover.subject", "address", h->address, NULL);
	const char *body = page_phrase(p, "handover.body", "product", h->product, "address", h->address, NULL);

	body = arena_print(p->job, "%s\r\n\r\n%s\r\n", body, h->url);
	return arena_print(p->job, "mailto:?subject=%s&body=%s", http_url_encode(subject, p->job), http_url_encode(body, p->job));
}

bool render_handover(struct page *p, const struct handover_page *h)
{
	page_begin(p, &(struct frame){ .title = page_word(p, "handover.title"), .path = arena_print(p->job, "%s/administrator", h->path) });
	page_element(p, "h1", page_word(p, "handover.title"), NULL);
	page_element(p, "p", h->address, "class", "mail", NULL);
	page_element(p, "p", page_word(p, "handover.lead"), "class", "lead", NULL);
	page_open(p, "div", "class", "card", NULL);
	page_element(p, "p", h->url, "class", "copy", "translate", "no", NULL);
	page_element(p, "p", page_phrase(p, "handover.valid", "time", tell_time(h->expires, p->lang, p->job), NULL), "class", "small", NULL);
	page_element(p, "p", page_word(p, "handover.then"), NULL);
	page_close(p, "div");
	page_open(p, "div", "class", "buttons", NULL);
	page_element(p, "a", page_word(p, "handover.mail"), "class", "button", "href", mail_with_it(p, h), NULL);
	page_element(p, "a", page_word(p, "handover.back"), "class", "button quiet", "href", arena_print(p->job, "%s/result", h->path), NULL);
	page_close(p, "div");
	return page_end(p);
}
