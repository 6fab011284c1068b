/* pages_connect.c -- /connect/{token}: the form, the checklist, the result, and the link for the administrator.
 *
 * A link opens in the browser that opened it first, until it expires, for one account. What was connected with it may be tried again
 * with it; whatever cannot go on is said on a page of its own (render_link()).
 */
#include <string.h>

#include "base/clock.h"
#include "flow_caldav.h"
#include "flow_signin.h"
#include "model/exchange_url.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/budget.h"
#include "serve/connect_parts.h"
#include "serve/keeper.h"
#include "serve/kept.h"
#include "serve/keys.h"
#include "serve/laid_down.h"
#include "serve/pages.h"
#include "serve/registration.h"
#include "serve/servers.h"
#include "serve/signed_link.h"
#include "serve/signin_account.h"
#include "store/calendars.h"

#define PASSWORD_MOST 1024
#define USERNAME_MOST 254

static bool look(struct txn *t, void *self, struct error *err)
{
	struct visitor *v = self;
	struct error    none;

	if (!link_by_hash(t, v->x->job, v->hash, &v->link, err) || !workspace_get(t, v->x->job, v->link.workspace, &v->workspace, err))
		return false;
	v->has_account = v->link.account && account_get(t, v->x->job, v->link.workspace, v->link.account, &v->account, &none)
	              && v->account.state != ACCOUNT_REMOVED;
	return true;
}

void visitor_refuse(struct visitor *v, enum link_trouble trouble)
{
	static const int statuses[] = { [LINK_UNKNOWN] = 404, [LINK_EXPIRED] = 410, [LINK_USED] = 410, [LINK_ELSEWHERE] = 403 };
	struct page     *p = pages_begin(v->x);

	pages_answer(v->x, p, statuses[trouble], render_link(p, &(struct link_page){ trouble, v->link.expires, v->path }));
}

/* The link's language, unless the reader chose one. */
static void speak(struct visitor *v)
{
	const struct language *lang = v->link.lang ? language_find(v->link.lang) : NULL;

	if (lang && !http_query(v->x, "lang") && !http_cookie(v->x, "mm_lang"))
		v->x->lang = lang;
}

static bool is_elsewhere(const struct visitor *v)
{
	return v->link.session && strcmp(v->link.session, v->session) != 0;
}

bool visitor_look(struct visitor *v, const char *path, const char *hash, struct exchange *x, struct error *err)
{
	*v = (struct visitor){ .x = x, .path = path, .hash = hash, .session = token_hash(http_browser(x), x->job), .now = clock_unix_ms() };
	if (!store_read(x->service->store, look, v, err))
		return false;
	x->workspace = v->link.workspace;
	speak(v);
	return strcmp(v->link.kind, "connect") == 0 || fail(err, FAULT_ABSENT, "a link of another kind");
}

/* Who comes with which link. False: the answer is given. */
static bool arrive(struct exchange *x, struct visitor *v)
{
	const char  *path = arena_print(x->job, "/connect/%s", x->param[0]);
	struct error err = { 0 };

	if (!visitor_look(v, path, token_hash(x->param[0], x->job), x, &err)) {
		if (err.fault == FAULT_ABSENT)
			visitor_refuse(v, LINK_UNKNOWN);
		else
			pages_trouble(x, v->path);
		return false;
	}
	if (v->link.used && (is_elsewhere(v) || !v->has_account))
		visitor_refuse(v, LINK_USED);
	else if (is_elsewhere(v))
		visitor_refuse(v, LINK_ELSEWHERE);
	else
		return true;
	return false;
}

static bool is_expired(const struct visitor *v)
{
	return v->link.expires <= v->now;
}

/* -- the form --------------------------------------------------------------------------------------------------------- */

static const enum connect_input host_input[SERVICES] = { [SERVICE_IMAP] = INPUT_IMAP_HOST, [SERVICE_SMTP] = INPUT_SMTP_HOST };
static const enum connect_input port_input[SERVICES] = { [SERVICE_IMAP] = INPUT_IMAP_PORT, [SERVICE_SMTP] = INPUT_SMTP_PORT };

struct domain_look {
	struct visitor  *v;
	const char      *address;
	struct laid_down found;
	const char      *colleagues;        /* URL of Exchange that works for another mailbox of the domain; NULL */
};

#define COLLEAGUES_ASKED 10

static const char *url_of_place(const char *place, struct arena *into)
{
	struct flow_worked    worked;
	const struct endpoint *e = &worked.endpoint[SERVICE_WEB];

	if (!place || !place_read(place, into, &worked) || !worked.well[SERVICE_WEB] || worked.interface)
		return NULL;
	return exchange_url_at(e->host, e->port, e->path, into);
}

/* Nothing of the colleague is shown but where the organisation's server is. */
static bool look_at_colleagues(struct txn *t, struct domain_look *d, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char          *domain = strrchr(d->address, '@');
	struct account_query q = { .workspace = d->v->link.workspace, .state = account_state_name(ACCOUNT_CONNECTED), .search = domain,
		.most = COLLEAGUES_ASKED };
	struct account_page  page;

	if (!account_list(t, work, &q, &page, err))
		return false;
	for (size_t i = 0; i < page.count && !d->colleagues; i++) {
		const char *at = strrchr(page.item[i].address, '@');
		const char *url = at && strcmp(at, domain) == 0 ? url_of_place(page.item[i].place, work) : NULL;

		d->colleagues = url ? arena_str(d->v->x->job, url) : NULL;
	}
	return true;
}

static bool look_domain(struct txn *t, void *self, struct error *err)
{
	struct domain_look *d = self;

	return laid_down_for(t, d->v->x->job, d->v->link.workspace, d->address, &d->found, err)
	    && (d->found.ews_url || d->found.host[SERVICE_IMAP] || look_at_colleagues(t, d, err));
}

/* What the workspace has laid down for the domain of that address, and what it knows of it; all zero: nothing, or it is no address. */
static struct domain_look settings_of(struct visitor *v, const char *address)
{
	struct mail_address parsed;
	struct domain_look  d = { .v = v };
	const char         *problem;

	if (!address || !mail_address_parse(address, v->x->job, &parsed, &problem))
		return d;
	d.address = parsed.text;
	store_read(v->x->service->store, look_domain, &d, NULL);
	return d;
}

static const char *port_text(struct visitor *v, uint16_t port)
{
	return port ? arena_print(v->x->job, "%u", port) : NULL;
}

static void fill_from_domain(struct visitor *v, struct connect_page *c)
{
	struct domain_look known = settings_of(v, c->value[INPUT_ADDRESS]);

	for (enum service s = 0; s < SERVICES; s++) {
		c->value[host_input[s]] = known.found.host[s];
		c->value[port_input[s]] = port_text(v, known.found.port[s]);
	}
	c->value[INPUT_EWS_URL] = known.found.ews_url ? known.found.ews_url : known.colleagues;
}

static void fill_from_account(struct visitor *v, struct connect_page *c)
{
	c->value[INPUT_ADDRESS] = v->account.address;
	c->value[INPUT_USERNAME] = v->account.username;
	c->value[INPUT_PROVIDER] = v->account.provider;
	c->value[INPUT_EWS_URL] = v->account.ews_url ? v->account.ews_url : url_of_place(v->account.place, v->x->job);
	c->value[INPUT_CALDAV_URL] = v->account.caldav_url;
	c->value[INPUT_CALDAV_USERNAME] = v->account.caldav_username;
	for (enum service s = 0; s < SERVICES; s++) {
		c->value[host_input[s]] = v->account.host[s];
		c->value[port_input[s]] = port_text(v, v->account.port[s]);
	}
}

/* Of those that the account's own report shows: nothing of it comes from the browser. False: there is no such way. */
static bool fill_from_way(struct visitor *v, const char *provider, struct connect_page *c)
{
	struct retold     report;
	const struct way *w = NULL;

	if (!v->account.report || !retell(v->account.report, v->x->lang, v->x->job, &report, NULL))
		return false;
	for (size_t i = 0; i < report.ways; i++)
		if (strcmp(report.way[i].provider, provider) == 0)
			w = &report.way[i];
	if (!w)
		return false;
	c->value[INPUT_ADDRESS] = v->account.address;
	c->value[INPUT_PROVIDER] = w->provider;
	c->value[INPUT_EWS_URL] = w->ews_url;
	for (enum service s = 0; s < SERVICES; s++) {
		c->value[host_input[s]] = w->host[s];
		c->value[port_input[s]] = port_text(v, w->port[s]);
	}
	return true;
}

static bool bind_link(struct txn *t, void *self, struct error *err)
{
	struct visitor *v = self;

	return link_open(t, v->link.id, v->session, err);
}

/* From here on the link belongs to this browser. */
static bool bound(struct visitor *v)
{
	struct error err = { 0 };

	if (v->link.session || pages_only_looks(v->x) || store_write_wait(v->x->service->store, bind_link, v, &err))
		return true;
	if (err.fault == FAULT_REFUSED)
		visitor_refuse(v, LINK_ELSEWHERE);
	else
		pages_trouble(v->x, v->path);
	return false;
}

const char *visitor_address(const struct visitor *v)
{
	return v->has_account ? v->account.address : v->link.expected;
}

void connect_form_show(struct visitor *v, int status, struct connect_page *c)
{
	struct page *p = pages_begin(v->x);

	registered_where(&v->x->service->app, c->registered);
	c->path = v->path;
	c->product = v->workspace.name;
	c->csrf = http_csrf(v->x);
	c->address_fixed = visitor_address(v) != NULL;
	pages_answer(v->x, p, status, render_connect(p, c));
}

static const char *result_path(const struct visitor *v)
{
	return arena_print(v->x->job, "%s/result", v->path);
}

static const char *progress_path(const struct visitor *v)
{
	return arena_print(v->x->job, "%s/progress", v->path);
}

/* What is connected needs no form; a page that was open since yesterday leads on. */
static bool leads_on(struct visitor *v)
{
	if (!v->has_account || !v->link.used)
		return false;
	if (v->account.state == ACCOUNT_CONNECTING)
		answer_redirect(v->x, progress_path(v));
	else if (v->account.state == ACCOUNT_CONNECTED || v->account.state == ACCOUNT_PAUSED)
		answer_redirect(v->x, result_path(v));
	else
		return false;
	return true;
}

bool visitor_arrive(struct exchange *x, struct visitor *v)
{
	if (!arrive(x, v) || leads_on(v))
		return false;
	if (!is_expired(v))
		return bound(v);
	visitor_refuse(v, LINK_EXPIRED);
	return false;
}

static bool has_servers(const struct connect_page *c)
{
	return c->value[INPUT_EWS_URL] || c->value[INPUT_IMAP_HOST] || c->value[INPUT_SMTP_HOST];
}

/* An administrator has done their part: no page is shown, and nothing has to be touched. */
static bool goes_by_itself(const struct visitor *v)
{
	const struct signin_place *place = signin_place(v->account.provider);

	return place && signin_may_be_silent(&v->account) && signin_silent_from(&v->account) <= v->now && !is_expired(v)
	    && !pages_only_looks(v->x) && registered_at(&v->x->service->app, place);
}

/* Who was sent to a sign-in page and stands here again: Back was pressed, or the link opened once more. */
static void add_departure(struct visitor *v, struct connect_page *c)
{
	const struct signin_place *place, *lost = v->has_account ? signin_place(v->account.provider) : NULL;
	const char                *address = visitor_away(v, &place);

	if (!place && !(lost && signin_place_says(lost, v->account.cause, "sign_in_not_returned")))
		return;
	c->value[INPUT_ADDRESS] = place ? address : v->account.address;
	c->value[INPUT_PROVIDER] = place ? place->name : lost->name;
	c->away = AWAY_ASKS;
}

static void answer_form(struct exchange *x)
{
	struct visitor      v;
	struct connect_page c = { 0 };
	const char         *way = http_query(x, "way");

	if (!visitor_arrive(x, &v))
		return;
	if (v.has_account && goes_by_itself(&v)) {
		answer_redirect(x, result_path(&v));
		return;
	}
	c.value[INPUT_ADDRESS] = v.link.expected;
	c.value[INPUT_PROVIDER] = v.link.provider;
	if (!v.has_account)
		fill_from_domain(&v, &c);
	else if (!way || !fill_from_way(&v, way, &c))
		fill_from_account(&v, &c);
	add_departure(&v, &c);
	c.search_now = c.value[INPUT_ADDRESS] && !v.has_account && !has_servers(&c) && !v.link.provider && !c.away;
	connect_form_show(&v, 200, &c);
}

/* One of those that the form has; anything else is nobody's choice. */
static const char *chosen_provider(const char *text)
{
	static const char *const   known[] = { "exchange", "imap", "caldav" };
	const struct signin_place *place = signin_place(text);

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(text, known[i]) == 0)
			return known[i];
	return place ? place->name : "auto";
}

static const char *trimmed(struct exchange *x, const char *name)
{
	const char *text = http_form(x, name);

	return text ? arena_copy(x->job, slice_trim(slice_str(text))) : "";
}

/* And what we had filled in, to be told apart from that. */
void connect_form_read(struct exchange *x, struct connect_page *c)
{
	for (unsigned i = 0; i < INPUTS; i++) {
		const char *memory = connect_found_name((enum connect_input)i), *found = memory ? trimmed(x, memory) : "";

		c->value[i] = i == INPUT_PASSWORD || i == INPUT_CALDAV_PASSWORD ? NULL
		            : trimmed(x, connect_input_name((enum connect_input)i));
		c->found[i] = *found ? found : NULL;
	}
	c->value[INPUT_PROVIDER] = chosen_provider(c->value[INPUT_PROVIDER]);
}

/* -- servers that are found before anything is submitted --------------------------------------------------------------- */

struct form_search {
	struct servers_search search;           /* first */
	struct visitor        v;
	struct connect_page   form;
	bool                  given[INPUTS];    /* what this search fills in */
};

/* Nobody's own words are ever replaced; what an earlier search had filled in is. */
static bool is_left_open(const struct connect_page *c, enum connect_input which)
{
	const char *value = c->value[which], *found = c->found[which];

	return !value || !*value || strcmp(value, "auto") == 0 || (found && strcmp(found, value) == 0);
}

static bool are_left_open(const struct connect_page *c)
{
	for (unsigned i = INPUT_PROVIDER; i < INPUT_CALDAV_URL; i++)
		if (!is_left_open(c, (enum connect_input)i))
			return false;
	return true;
}

static void give(struct form_search *s, enum connect_input which, const char *text)
{
	if (!text)
		return;
	s->form.value[which] = s->form.found[which] = text;
	s->given[which] = true;
}

/* What was found of one address is not left standing for the next. */
static void take_back_found(struct form_search *s)
{
	for (unsigned i = INPUT_PROVIDER; i < INPUTS; i++)
		if (s->form.found[i]) {
			s->form.value[i] = i == INPUT_PROVIDER ? "auto" : "";
			s->form.found[i] = NULL;
			s->given[i] = true;
		}
}

static void forget_found(struct form_search *s, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		s->form.found[i] = NULL;
}

static void fill_servers(struct form_search *s, const struct servers_found *found)
{
	if (found->provider && strcmp(found->provider, "imap") != 0)
		give(s, INPUT_PROVIDER, chosen_provider(found->provider));
	give(s, INPUT_EWS_URL, found->ews_url);
	for (enum service which = 0; which < SERVICES; which++) {
		give(s, host_input[which], found->host[which]);
		give(s, port_input[which], port_text(&s->v, found->port[which]));
	}
}

/* With one thing of their own in it, the rest of the servers is what goes with that: theirs to say as well. The calendar is by itself. */
static void fill_from_search(struct form_search *s, const struct servers_found *found)
{
	bool servers = are_left_open(&s->form), calendar = is_left_open(&s->form, INPUT_CALDAV_URL);

	if (!servers)
		forget_found(s, 0, INPUT_CALDAV_URL);
	if (!calendar)
		forget_found(s, INPUT_CALDAV_URL, INPUTS);
	take_back_found(s);
	if (servers)
		fill_servers(s, found);
	if (calendar)
		give(s, INPUT_CALDAV_URL, found->caldav_url);
}

static void answer_searched_form(struct servers_search *search, const struct servers_found *found)
{
	struct form_search *s = (struct form_search *)search;

	fill_from_search(s, found);
	s->form.searched = true;
	connect_form_show(&s->v, s->form.wrong[INPUT_ADDRESS] ? 422 : 200, &s->form);
}

/* For web/find.js: what to fill in where, and what to say. */
static void answer_searched_json(struct servers_search *search, const struct servers_found *found)
{
	struct form_search *s = (struct form_search *)search;
	struct page         words;
	cJSON              *o = cJSON_CreateObject(), *fields = cJSON_AddObjectToObject(o, "fields");

	fill_from_search(s, found);
	for (unsigned i = INPUT_PROVIDER; i < INPUTS; i++)
		if (s->given[i])
			cJSON_AddStringToObject(fields, connect_input_name((enum connect_input)i), s->form.value[i]);
	page_init(&words, NULL, s->v.x->lang, s->v.x->job);
	cJSON_AddStringToObject(o, "status", connect_found_text(&words, &s->form));
	answer_json(s->v.x, 200, o);
}

/* Of which nothing needs to be looked for: the workspace has said how that domain is connected, and that applies when the form comes. It is
 * not shown to whoever types an address. */
static bool is_laid_down(const struct domain_look *known)
{
	return known->found.ews_url || known->found.host[SERVICE_IMAP] || known->found.host[SERVICE_SMTP];
}

static void find(struct exchange *x, void (*answer)(struct servers_search *, const struct servers_found *))
{
	struct form_search  *s = arena_get(x->job, sizeof *s);
	struct domain_look   known;
	struct servers_found nothing = { 0 };
	const char          *problem, *fixed;

	*s = (struct form_search){ .search = { .x = x, .answer = answer } };
	if (!visitor_arrive(x, &s->v))
		return;
	connect_form_read(x, &s->form);
	fixed = visitor_address(&s->v);
	if (fixed)
		s->form.value[INPUT_ADDRESS] = fixed;
	if (!text_is_utf8(s->form.value[INPUT_ADDRESS])
	    || !mail_address_parse(s->form.value[INPUT_ADDRESS], x->job, &s->search.address, &problem))
		s->form.wrong[INPUT_ADDRESS] = "wrong.address";
	known = settings_of(&s->v, s->search.address.text);
	s->search.link = s->v.link.id;
	s->search.trust = known.found.trust;
	if (s->form.wrong[INPUT_ADDRESS] || s->search.address.is_literal || is_laid_down(&known))
		answer(&s->search, &nothing);
	else
		servers_search(&s->search);
}

static void find_for_form(struct exchange *x)
{
	find(x, answer_searched_form);
}

static void find_for_script(struct exchange *x)
{
	find(x, answer_searched_json);
}

/* -- what was filled in ----------------------------------------------------------------------------------------------- */

struct submission {
	struct visitor     *v;
	struct connect_page form;               /* what was typed, and what is wrong with it */
	struct account      account;            /* as it shall be                            */
	struct slice        sealed;
	const char         *calendar_password;  /* NULL or "": none of its own, or the one that is known */
	struct slice        calendar_sealed;
	bool                taken;              /* another account of the workspace has that mailbox */
	bool                spent;              /* too many passwords were refused today             */
	enum link_trouble   trouble;            /* why the link did not let it in                    */
};

static bool is_plain(const char *text, size_t most)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return false;
	return strlen(text) <= most && text_is_utf8(text);
}

/* Another mailbox than the one that the link is for is refused before anything of it is kept. */
static void take_address(struct submission *s, const char *typed)
{
	struct visitor     *v = s->v;
	struct mail_address given, wanted;
	const char         *problem, *fixed = visitor_address(v);

	if (!text_is_utf8(typed) || !mail_address_parse(typed, v->x->job, &given, &problem)) {
		s->form.wrong[INPUT_ADDRESS] = "wrong.address";
		return;
	}
	s->account.address = given.text;
	s->account.key = mail_address_key(&given, v->x->job);
	if (fixed && (!mail_address_parse(fixed, v->x->job, &wanted, &problem)
	              || strcmp(mail_address_key(&wanted, v->x->job), s->account.key) != 0))
		s->form.wrong[INPUT_ADDRESS] = "wrong.other_address";
}

static void take_server(struct submission *s, enum service which)
{
	const char        *host = s->form.value[host_input[which]], *port = s->form.value[port_input[which]];
	unsigned long long number = 0;

	s->account.host[which] = NULL;
	s->account.port[which] = 0;
	if (*host && !(s->account.host[which] = host_read(host, s->v->x->job)))
		s->form.wrong[host_input[which]] = "wrong.host";
	if (!*port)
		return;
	if (!slice_number(slice_str(port), 65535, &number) || number == 0)
		s->form.wrong[port_input[which]] = "wrong.port";
	else if (!*host)
		s->form.wrong[host_input[which]] = "wrong.host";
	else
		s->account.port[which] = (uint16_t)number;
}

static void take_ews_url(struct submission *s)
{
	const char         *text = s->form.value[INPUT_EWS_URL];
	struct exchange_url url;

	s->account.ews_url = NULL;
	if (!*text)
		return;
	exchange_url_read(text, s->v->x->job, &url);
	if (url.problem || !is_plain(text, EXCHANGE_URL_MOST))
		s->form.wrong[INPUT_EWS_URL] = "wrong.ews_url";
	else
		s->account.ews_url = url.is_ews ? exchange_url_at(url.host, url.port, url.path, s->v->x->job) : url.given;
}

/* Of who signs in at Exchange the calendar is there anyway. What was found and left as it is stays: an empty field is a word, too. */
static void take_calendar(struct submission *s)
{
	const char     *text = s->form.value[INPUT_CALDAV_URL], *name = s->form.value[INPUT_CALDAV_USERNAME];
	struct http_url url;

	s->account.caldav_url = s->account.caldav_username = NULL;
	if (strcmp(s->account.provider, "exchange") == 0)
		return;
	if (*text && !(is_plain(text, CALDAV_URL_MOST) && caldav_url_read(text, s->v->x->job, &url)))
		s->form.wrong[INPUT_CALDAV_URL] = "wrong.caldav_url";
	else if (*text)
		s->account.caldav_url = url.text;
	if (!is_plain(name, USERNAME_MOST))
		s->form.wrong[INPUT_CALDAV_USERNAME] = "wrong.username";
	else if (s->account.caldav_url && *name)
		s->account.caldav_username = name;
	if (s->calendar_password && strlen(s->calendar_password) > PASSWORD_MOST)
		s->form.wrong[INPUT_CALDAV_PASSWORD] = "wrong.password";
}

static bool stands_as_found(const struct submission *s, enum connect_input which)
{
	return strcmp(s->form.value[which], s->form.found[which] ? s->form.found[which] : "") == 0;
}

/* What was found and left as it is, nobody has asked for: it is found again while connecting, also once it has moved. */
static void leave_to_search(struct submission *s)
{
	if (stands_as_found(s, INPUT_EWS_URL))
		s->account.ews_url = NULL;
	for (enum service which = 0; which < SERVICES; which++)
		if (stands_as_found(s, host_input[which]) && stands_as_found(s, port_input[which])) {
			s->account.host[which] = NULL;
			s->account.port[which] = 0;
		}
}

/* False when something is wrong with it. */
static bool take_form(struct submission *s, const char *password)
{
	take_address(s, s->form.value[INPUT_ADDRESS]);
	if (!password || !*password || strlen(password) > PASSWORD_MOST)
		s->form.wrong[INPUT_PASSWORD] = "wrong.password";
	s->account.username = *s->form.value[INPUT_USERNAME] ? s->form.value[INPUT_USERNAME] : NULL;
	if (!is_plain(s->form.value[INPUT_USERNAME], USERNAME_MOST))
		s->form.wrong[INPUT_USERNAME] = "wrong.username";
	s->account.provider = s->form.value[INPUT_PROVIDER];
	take_ews_url(s);
	take_calendar(s);
	for (enum service which = 0; which < SERVICES; which++)
		take_server(s, which);
	leave_to_search(s);
	for (unsigned i = 0; i < INPUTS; i++)
		if (s->form.wrong[i])
			return false;
	return true;
}

/* Servers that the person left open, and the workspace has laid down for that domain. */
static void add_domain_settings(struct submission *s)
{
	struct domain_look known = settings_of(s->v, s->account.address);

	laid_down_fill(&known.found, &s->account);
	/* IMAP was chosen in so many words */
	if (strcmp(s->account.provider, "imap") == 0)
		s->account.ews_url = NULL;
	else if (strcmp(s->account.provider, "exchange") == 0 && !s->account.ews_url)
		s->account.ews_url = known.colleagues;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* The password that is kept for a calendar is that one's, and that user's: of another it is no more. */
static bool keep_calendar(struct txn *t, struct submission *s, struct account *now, struct error *err)
{
	bool same = same_text(now->caldav_url, s->account.caldav_url) && same_text(now->caldav_username, s->account.caldav_username);

	if (!same_text(now->caldav_url, s->account.caldav_url) && !calendar_forget(t, now->id, err))
		return false;
	if (!same_text(now->caldav_url, s->account.caldav_url))
		now->calendar = NULL;
	now->caldav_url = s->account.caldav_url;
	now->caldav_username = s->account.caldav_username;
	if (s->calendar_sealed.at)
		return sealed_put(t, now->id, "caldav_password", s->calendar_sealed, err);
	return same || sealed_drop(t, now->id, "caldav_password", err);
}

static bool insert_account(struct txn *t, struct submission *s, struct error *err)
{
	if (!account_insert(t, &s->account, err)) {
		s->taken = err->fault == FAULT_REFUSED;
		return false;
	}
	if (s->calendar_sealed.at && !sealed_put(t, s->account.id, "caldav_password", s->calendar_sealed, err))
		return false;
	return event_tell(t, s->v->x->job, s->account.workspace, s->account.id, "account.created", account_event_data(&s->account), err);
}

/* What was looked at a moment ago is looked at again: another tab may have been quicker. */
static bool renew_account(struct txn *t, struct submission *s, struct error *err)
{
	struct account now;
	bool           may;

	if (!account_get(t, s->v->x->job, s->account.workspace, s->account.id, &now, err)
	    || !budget_left(t, s->v->x->service, s->account.id, &may, err))
		return false;
	s->spent = !may;
	if (s->spent)
		return fail(err, FAULT_REFUSED, "too many passwords were refused today");
	if (now.state == ACCOUNT_REMOVED)
		return fail(err, FAULT_ABSENT, "the account was removed meanwhile");
	now.username = s->account.username;
	account_by_provider(&now, s->account.provider);
	now.ews_url = s->account.ews_url;
	for (enum service which = 0; which < SERVICES; which++) {
		now.host[which] = s->account.host[which];
		now.port[which] = s->account.port[which];
	}
	if (!keep_calendar(t, s, &now, err))
		return false;
	now.lang = s->account.lang;
	account_begin_again(&now, s->v->now);
	return account_update(t, &now, err);
}

static bool keep_submission(struct txn *t, void *self, struct error *err)
{
	struct submission *s = self;

	s->taken = s->spent = false;
	s->trouble = LINK_ELSEWHERE;
	if (!link_open(t, s->v->link.id, s->v->session, err))
		return false;
	s->trouble = LINK_USED;
	if (!(s->v->has_account ? renew_account(t, s, err) : insert_account(t, s, err)))
		return false;
	return sealed_put(t, s->account.id, "password", s->sealed, err) && link_use(t, s->v->link.id, s->account.id, s->v->now, err);
}

static void prepare_account(struct submission *s)
{
	struct visitor *v = s->v;

	s->account.id = v->has_account ? v->account.id : new_id(v->x->job, "acc");
	s->account.workspace = v->link.workspace;
	s->account.lang = v->x->lang->tag;
	s->account.created = v->now;
	account_begin_again(&s->account, v->now);
	add_domain_settings(s);
}

static bool seal_calendar_password(struct submission *s, struct error *err)
{
	struct exchange *x = s->v->x;

	if (!s->account.caldav_url || !s->calendar_password || !*s->calendar_password)
		return true;
	return vault_seal(x->service->vault, arena_print(x->job, "%s/caldav_password", s->account.id), slice_str(s->calendar_password), x->job,
	                  &s->calendar_sealed, err);
}

static void take_submission(struct exchange *x)
{
	const struct signin_place *place;
	struct visitor    v;
	struct submission s = { .v = &v };
	const char       *password = http_form(x, connect_input_name(INPUT_PASSWORD));
	struct error      err = { 0 };

	if (!arrive(x, &v))
		return;
	if (is_expired(&v)) {
		visitor_refuse(&v, LINK_EXPIRED);
		return;
	}
	connect_form_read(x, &s.form);
	s.calendar_password = http_form(x, connect_input_name(INPUT_CALDAV_PASSWORD));
	place = signin_place(s.form.value[INPUT_PROVIDER]);
	if (place) {
		visitor_leave(&v, place, &s.form);
		return;
	}
	if (!take_form(&s, password)) {
		connect_form_show(&v, 422, &s.form);
		return;
	}
	prepare_account(&s);
	if (!vault_seal(x->service->vault, arena_print(x->job, "%s/password", s.account.id), slice_str(password), x->job, &s.sealed, &err)
	    || !seal_calendar_password(&s, &err)) {
		pages_trouble(x, v.path);
		return;
	}
	if (store_write_wait(x->service->store, keep_submission, &s, &err)) {
		keeper_changed(x->service->keeper, s.account.id);
		answer_redirect(x, progress_path(&v));
	} else if (s.taken) {
		s.form.wrong[INPUT_ADDRESS] = "wrong.taken";
		connect_form_show(&v, 409, &s.form);
	} else if (s.spent) {
		s.form.wrong[INPUT_PASSWORD] = "wrong.spent";
		connect_form_show(&v, 409, &s.form);
	} else if (err.fault == FAULT_REFUSED || err.fault == FAULT_ABSENT) {
		visitor_refuse(&v, s.trouble);
	} else {
		pages_trouble(x, v.path);
	}
}

/* -- while it works --------------------------------------------------------------------------------------------------- */

/* False: the answer is given. Past its end a link shows no more than what came of it. */
static bool arrive_with_account(struct exchange *x, struct visitor *v)
{
	if (!arrive(x, v))
		return false;
	if (!v->link.session || !v->has_account) {
		answer_redirect(x, v->path);
		return false;
	}
	return true;
}

static const char *shown_text(struct exchange *x, const cJSON *step, const char *member)
{
	const char *text = json_text(step, member);

	return text ? arena_str(x->job, text) : NULL;
}

/* Of the verification under way. What the keeper still has of the one before is none. */
static void steps_now(struct visitor *v, struct shown_step **out, size_t *count)
{
	struct exchange *x = v->x;
	cJSON           *steps = NULL;
	const cJSON     *s;
	bool             done = false;

	*count = 0;
	if (!keeper_progress(x->service->keeper, v->account.id, x->lang, &steps, &done))
		return;
	*out = arena_get(x->job, ((size_t)cJSON_GetArraySize(steps) + 1) * sizeof **out);
	cJSON_ArrayForEach(s, steps) {
		struct shown_step *one = &(*out)[*count];

		if (done)
			break;
		*one = (struct shown_step){ shown_text(x, s, "label"), shown_text(x, s, "state"), shown_text(x, s, "text") };
		if (one->label && one->state)
			++*count;
	}
	cJSON_Delete(steps);
}

static void answer_progress(struct exchange *x)
{
	struct visitor     v;
	struct shown_step *step = NULL;
	size_t             steps;
	struct page       *p;

	if (!arrive_with_account(x, &v))
		return;
	if (v.account.state != ACCOUNT_CONNECTING) {
		answer_redirect(x, result_path(&v));
		return;
	}
	steps_now(&v, &step, &steps);
	p = pages_begin(x);
	pages_answer(x, p, 200, render_progress(p, &(struct progress_page){ v.path, v.account.address, step, steps }));
}

static cJSON *step_json(const struct page *p, const struct shown_step *s)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "label", s->label);
	cJSON_AddStringToObject(o, "state", s->state);
	cJSON_AddStringToObject(o, "state_text", step_state_word(p, s->state));
	cJSON_AddStringToObject(o, "text", s->text ? s->text : "");
	return o;
}

/* For web/connect.js. */
static void answer_progress_json(struct exchange *x)
{
	struct visitor     v;
	struct shown_step *step = NULL;
	struct page        words;
	size_t             steps;
	bool               done;
	cJSON             *o, *list;

	if (!arrive_with_account(x, &v))
		return;
	done = v.account.state != ACCOUNT_CONNECTING;
	steps_now(&v, &step, &steps);
	page_init(&words, NULL, x->lang, x->job);
	o = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(o, "steps");
	for (size_t i = 0; i < steps; i++)
		cJSON_AddItemToArray(list, step_json(&words, &step[i]));
	cJSON_AddStringToObject(o, "status", progress_status(&words, step, steps, done));
	cJSON_AddBoolToObject(o, "done", done);
	cJSON_AddStringToObject(o, "next", result_path(&v));
	answer_json(x, 200, o);
}

/* -- the result ------------------------------------------------------------------------------------------------------- */

static void offer_sign_in(const struct visitor *v, struct result_page *r)
{
	const struct signin_place *place = signin_place(v->account.provider);

	if (is_expired(v) || !place || !registered_at(&v->x->service->app, place))
		return;
	if (signin_may_be_silent(&v->account))
		r->sign_in = SIGN_IN_SOON;
	else if (signin_is_approved(&v->account) || signin_was_silent(&v->account))
		r->sign_in = SIGN_IN_ONCE_MORE;
}

/* For web/again.js. */
static void answer_state(struct exchange *x)
{
	struct visitor v;
	cJSON         *o;

	if (!arrive_with_account(x, &v))
		return;
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "state", account_state_name(v.account.state));
	if (v.account.cause)
		cJSON_AddStringToObject(o, "cause", v.account.cause);
	answer_json(x, 200, o);
}

static void answer_result(struct exchange *x)
{
	struct visitor     v;
	struct retold      report;
	struct result_page r = { 0 };
	struct page       *p;

	if (!arrive_with_account(x, &v))
		return;
	if (v.account.state == ACCOUNT_CONNECTING) {
		answer_redirect(x, progress_path(&v));
		return;
	}
	if (goes_by_itself(&v)) {
		answer_redirect(x, arena_print(x->job, "%s/%s/again", v.path, v.account.provider));
		return;
	}
	offer_sign_in(&v, &r);
	if (v.account.report && retell(v.account.report, x->lang, x->job, &report, NULL))
		r.report = &report;
	registered_where(&x->service->app, r.registered);
	r.path = v.path;
	r.product = v.workspace.name;
	r.csrf = http_csrf(x);
	r.back = v.link.return_url;
	r.account = &v.account;
	if (x->service->inbound_domain && v.workspace.bcc_token)
		r.bcc = arena_print(x->job, "%s@%s", v.workspace.bcc_token, x->service->inbound_domain);
	p = pages_begin(x);
	pages_answer(x, p, 200, render_result(p, &r));
}

/* -- the right URL instead ------------------------------------------------------------------------------------------------ */

struct repair {
	struct visitor *v;
	const char     *url;               /* as the account's own report has it: nothing of it comes from the browser */
	bool            spent;
};

static bool take_right_url(struct txn *t, void *self, struct error *err)
{
	struct repair  *r = self;
	struct account  now;
	bool            may;

	r->spent = false;
	if (!link_open(t, r->v->link.id, r->v->session, err)
	    || !account_get(t, r->v->x->job, r->v->link.workspace, r->v->account.id, &now, err)
	    || !budget_left(t, r->v->x->service, now.id, &may, err))
		return false;
	r->spent = !may;
	if (r->spent)
		return fail(err, FAULT_REFUSED, "too many passwords were refused today");
	if (now.state == ACCOUNT_REMOVED || now.state == ACCOUNT_PAUSED || now.state == ACCOUNT_CONNECTING)
		return fail(err, FAULT_REFUSED, "the account was changed meanwhile");
	now.ews_url = r->url;
	account_begin_again(&now, r->v->now);
	return account_update(t, &now, err);
}

static void use_right_url(struct exchange *x)
{
	struct visitor v;
	struct retold  report;
	struct repair  r = { .v = &v };
	struct error   err = { 0 };

	if (!arrive_with_account(x, &v))
		return;
	if (is_expired(&v)) {
		visitor_refuse(&v, LINK_EXPIRED);
		return;
	}
	if (v.account.report && retell(v.account.report, x->lang, x->job, &report, NULL))
		r.url = result_right_url(&v.account, &report);
	if (r.url && store_write_wait(x->service->store, take_right_url, &r, &err)) {
		keeper_changed(x->service->keeper, v.account.id);
		answer_redirect(x, progress_path(&v));
	} else if (r.url && err.fault != FAULT_REFUSED) {
		pages_trouble(x, result_path(&v));
	} else {
		answer_redirect(x, result_path(&v));
	}
}

static void answer_handover(struct exchange *x)
{
	struct visitor       v;
	struct handover_page h;
	struct page         *p;

	if (!arrive_with_account(x, &v))
		return;
	h = (struct handover_page){ .path = v.path, .product = v.workspace.name, .address = v.account.address };
	h.expires = v.now + SIGNED_LINK_MS;
	h.url = arena_print(x->job, "%s/admin/%s", x->service->base_url, signed_link(x->service->vault, v.link.id, h.expires, x->job));
	p = pages_begin(x);
	pages_answer(x, p, 200, render_handover(p, &h));
}

const struct route routes_connect[] = {
	{ "GET",  "/connect/{token}",               GUARD_LINK, 0, answer_form          },
	{ "POST", "/connect/{token}",               GUARD_FORM, 0, take_submission      },
	{ "POST", "/connect/{token}/find",          GUARD_FORM, 0, find_for_form        },
	{ "POST", "/connect/{token}/find.json",     GUARD_FORM, 0, find_for_script      },
	{ "GET",  "/connect/{token}/progress",      GUARD_NONE, 0, answer_progress      },
	{ "GET",  "/connect/{token}/progress.json", GUARD_NONE, 0, answer_progress_json },
	{ "GET",  "/connect/{token}/result",        GUARD_NONE, 0, answer_result        },
	{ "GET",  "/connect/{token}/state.json",    GUARD_NONE, 0, answer_state         },
	{ "POST", "/connect/{token}/url",           GUARD_FORM, 0, use_right_url        },
	{ "GET",  "/connect/{token}/administrator", GUARD_NONE, 0, answer_handover      },
	{ 0 }
};
