#include "sandbox/caldav.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/imap.h"
#include "sandbox/soap.h"
#include "sandbox/text.h"

#define WELL_KNOWN "/.well-known/caldav"
#define CLASSES    "1, 3, access-control, calendar-access, extended-mkcol"

/* -- where it is ------------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(list[i], text) == 0)
			return true;
	return false;
}

static void add_host(struct almanac *m, const char *host)
{
	if (m->hosts < ALMANAC_HOSTS)
		m->host[m->hosts++] = host;
}

static bool is_a_provider_s(const char *domain)
{
	for (size_t i = 0; dav_provider_at(i); i++)
		for (struct slice rest = slice_str(dav_provider_at(i)->domains); rest.len;)
			if (slice_is(slice_cut(&rest, ' '), domain))
				return true;
	return false;
}

/* The bare name is a web site's, which leads on only where SRV does not. */
static void add_domain(struct sandbox *s, struct almanac *m, const char *domain)
{
	if (is_one_of(m->domain, m->domains, domain) || is_a_provider_s(domain) || m->domains == ALMANAC_DOMAINS)
		return;
	m->domain[m->domains++] = domain;
	/* there is room: a domain has three at most */
	add_host(m, arena_print(s->own, "dav.%s", domain));
	if (orders_at(&s->orders, m->host[m->hosts - 1], ORDER_DAV_SIGN_IN))
		add_host(m, arena_print(s->own, "sso.%s", domain));
	if (orders_at(&s->orders, domain, ORDER_DAV_NO_SRV))
		add_host(m, domain);
}

struct almanac *almanac_new(struct sandbox *s)
{
	struct almanac *m = must_alloc(sizeof *m);

	random_bytes(m->key, sizeof m->key);
	for (size_t i = 0; i < s->account_count; i++)
		if (!s->plays_imap || imap_has(s->accounts[i].mail))
			add_domain(s, m, strchr(s->accounts[i].mail, '@') + 1);
	for (size_t i = 0; dav_provider_at(i); i++)
		add_host(m, dav_provider_at(i)->host);
	almanac_fill(s, m);
	return m;
}

void almanac_names(struct sandbox *s)
{
	struct almanac *m = s->almanac;

	for (size_t i = 0; i < m->hosts; i++)
		names_add(s->names, m->host[i], RECORD_A, s->almanac_address, 0, 0);
	for (size_t i = 0; i < m->domains; i++) {
		const char *srv = arena_print(s->own, "_caldavs._tcp.%s", m->domain[i]);

		/* whoever plays the domain's mail says so himself */
		if (!s->exchange && !s->cloud && !s->imap)
			names_add(s->names, m->domain[i], RECORD_MX, arena_print(s->own, "mx.%s", m->domain[i]), 10, 0);
		if (orders_at(&s->orders, m->domain[i], ORDER_DAV_NOT_OFFERED)) {
			names_add(s->names, srv, RECORD_SRV, "", 0, 0);
		} else if (!orders_at(&s->orders, m->domain[i], ORDER_DAV_NO_SRV)
		           && !orders_at(&s->orders, m->domain[i], ORDER_DAV_HIDDEN)) {
			names_add(s->names, srv, RECORD_SRV, arena_print(s->own, "dav.%s", m->domain[i]), 0, 443);
			names_add(s->names, srv, RECORD_TXT, "path=" ALMANAC_ROOT, 0, 0);
		}
	}
}

bool almanac_certificate(struct sandbox *s, struct error *err)
{
	static const char *const other[] = { "portal.example", "legacy.example" };
	const struct almanac *m = s->almanac;
	/* one for all of them: a flaw that is ordered for one domain alone counts where there is no other */
	struct ordered *o = orders_at(&s->orders, m->domains == 1 ? m->host[0] : "", ORDER_CERTIFICATE);
	enum flaw       flaw = o ? (enum flaw)o->row->number : FLAW_NONE;
	bool            others = flaw == FLAW_WRONG_NAME;

	return certificate_make(s->authority, s->own, others ? other : m->host, others ? COUNT(other) : m->hosts, flaw,
	                        &s->almanac_certificate, err);
}

void almanac_tell(struct sandbox *s)
{
	const struct almanac *m = s->almanac;

	for (size_t i = 0; i < m->hosts; i++)
		tell_place(s, m->host[i], 443, s->almanac_address, s->almanac_port);
	s->places.caldav_url = arena_print(s->own, "https://%s" ALMANAC_ROOT, m->host[0]);
}

/* -- pages ------------------------------------------------------------------------------------------------------------- */

static void page(struct dav_ask *a, int status, const char *title, const char *body)
{
	a->reply->status = status;
	a->reply->type = "text/html; charset=utf-8";
	buffer_print(&a->reply->body, "<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%s</h1>%s</body></html>\n", title, title,
	             body);
}

static void lead(struct dav_ask *a, int status, const char *where)
{
	page(a, status, "Moved", "");
	reply_header(a->reply, a->request, "Location", "%s", where);
}

static const char *domain_of(struct dav_ask *a)
{
	const char *dot = strchr(a->request->host, '.');

	return is_one_of(a->almanac->domain, a->almanac->domains, a->request->host) || !dot ? a->request->host : dot + 1;
}

#define SIGN_IN_FORM "<form method=\"post\" action=\"/login\"><input name=\"username\"><input type=\"password\" name=\"password\">" \
	"<button>Sign in</button></form>"

/* What stands in front of it, for whoever comes. */
static bool answered_before(struct dav_ask *a)
{
	struct sandbox *s = a->sandbox;
	struct ordered *o;

	if ((o = orders_take(&s->orders, ORDER_DAV_SIGN_IN))) {
		if (o->value)
			page(a, 200, "Sign in", SIGN_IN_FORM);
		else
			lead(a, 302, arena_print(a->work, "https://sso.%s/login?from=%s", domain_of(a), a->request->host));
		return true;
	}
	if ((o = orders_take(&s->orders, ORDER_DAV_PAGE))) {
		page(a, o->value ? (int)strtol(o->value, NULL, 10) : 200, "Welcome", "<p>This is a web site.</p>");
		return true;
	}
	if ((o = orders_take(&s->orders, ORDER_DAV_REDIRECT))) {
		lead(a, 301, o->value);
		return true;
	}
	if (orders_take(&s->orders, ORDER_DAV_CIRCLE)) {
		lead(a, 302, strstr(a->request->path, "round") ? ALMANAC_ROOT "?about" : ALMANAC_ROOT "round");
		return true;
	}
	if (orders_take(&s->orders, ORDER_DAV_MAINTENANCE)) {
		dav_error(a, 503, NULL, NULL);
		reply_header(a->reply, a->request, "X-Nextcloud-Maintenance-Mode", "1");
		reply_header(a->reply, a->request, "Retry-After", "120");
		return true;
	}
	return false;
}

/* -- what is ordered of an answer ---------------------------------------------------------------------------------------- */

/* "STATUS[:CONDITION][@WHERE]" taken apart; false: it is of somewhere else. */
static bool refusal_at(struct dav_ask *a, struct ordered *o, const char *at, int *status, const char **condition)
{
	struct slice       rest = slice_str(o->value), what = slice_cut(&rest, '@'), word = slice_cut(&what, ':');
	unsigned long long n;

	if (rest.at ? !slice_is(rest, at) && !(a->request->operation && strcmp(at, "before") != 0 && slice_is(rest, a->request->operation)) : strcmp(at, "before") == 0)
		return false;
	*status = slice_number(word, 599, &n) && n >= 200 ? (int)n : 500;
	*condition = what.at ? arena_copy(a->work, what) : NULL;
	return true;
}

static bool answered_by_order(struct dav_ask *a, const char *at)
{
	struct orders  *all = &a->sandbox->orders;
	struct ordered *after = orders_has(all, ORDER_DAV_RETRY);

	for (size_t i = 0; i < all->count; i++) {
		struct ordered *o = &all->list[i];
		const char     *condition;
		int             status;

		if (o->row->order != ORDER_DAV || !orders_in_force(all, o) || !refusal_at(a, o, at, &status, &condition))
			continue;
		if (o->left > 0 && --o->left == 0)
			o->spent = true;
		dav_error(a, status, condition, NULL);
		if (after)
			reply_header(a->reply, a->request, "Retry-After", "%s", after->value);
		return true;
	}
	return false;
}

/* On its way to whoever is signed in. */
static void spoil(struct dav_ask *a)
{
	struct orders  *all = &a->sandbox->orders;
	struct buffer  *body = &a->reply->body;
	struct ordered *o;

	if (a->reply->status != 207)
		return;
	if (orders_take(all, ORDER_MALFORMED)) {
		buffer_clear(body);
		buffer_add_str(body, "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/dav/</d:response></d:multistatus>");
	}
	if (orders_take(all, ORDER_BOMB)) {
		buffer_clear(body);
		buffer_add_str(body, "<?xml version=\"1.0\"?><!DOCTYPE m [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>"
		               "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>&c;</d:href></d:response></d:multistatus>");
	}
	if (orders_take(all, ORDER_ENDLESS))
		a->reply->ending = ENDS_NEVER;
	if ((o = orders_take(all, ORDER_CUT))) {
		a->reply->ending = ENDS_CUT;
		a->reply->cut = o->value ? strtoul(o->value, NULL, 10) : buffer_held(body).len / 2;
	}
}

/* -- one request -------------------------------------------------------------------------------------------------------- */

static void answer_options(struct dav_ask *a)
{
	a->reply->status = 200;
	reply_header(a->reply, a->request, "Allow", "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, MKCALENDAR, MKCOL");
}

static const struct { const char *method; void (*answer)(struct dav_ask *); bool reads_xml; } methods[] = {
	{ "OPTIONS", answer_options, false }, { "PROPFIND", dav_propfind_answer, true }, { "PROPPATCH", dav_proppatch, true }, { "REPORT", dav_report, true },
	{ "GET", dav_get, false }, { "HEAD", dav_get, false }, { "PUT", dav_put, false }, { "DELETE", dav_delete, false },
	{ "MKCALENDAR", dav_make, true }, { "MKCOL", dav_make, true },
};

static void answer_method(struct dav_ask *a)
{
	xmlDoc *document = NULL;

	for (size_t i = 0; i < COUNT(methods); i++) {
		if (strcmp(methods[i].method, a->request->method) != 0)
			continue;
		if (methods[i].reads_xml && a->request->body.len && !(document = xml_read(a->request->body, NULL))) {
			dav_error(a, 400, NULL, NULL);
			return;
		}
		a->body = document ? xmlDocGetRootElement(document) : NULL;
		if (a->body && strcmp(a->request->method, "REPORT") == 0)
			a->request->operation = arena_str(a->work, (const char *)a->body->name);
		if (!answered_by_order(a, a->request->method))
			methods[i].answer(a);
		xmlFreeDoc(document);
		return;
	}
	dav_error(a, 405, NULL, NULL);
	reply_header(a->reply, a->request, "Allow", "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, MKCALENDAR, MKCOL");
}

static void answer_signed_in(struct dav_ask *a)
{
	reply_header(a->reply, a->request, "DAV", CLASSES);
	a->account = almanac_sign_in(a->sandbox, a->request, a->reply);
	if (!a->account)
		return;
	a->place = dav_place_at(a, a->request->path);
	answer_method(a);
	spoil(a);
}

/* A web site's, or the place for people at the sign-on. */
static void answer_elsewhere(struct dav_ask *a)
{
	bool is_domain = is_one_of(a->almanac->domain, a->almanac->domains, a->request->host);

	if (strncmp(a->request->host, "sso.", 4) == 0)
		page(a, 200, "Sign in", SIGN_IN_FORM);
	else if (is_domain && strcmp(a->request->path, WELL_KNOWN) == 0)
		lead(a, 301, arena_print(a->work, "https://dav.%s" ALMANAC_ROOT, a->request->host));
	else
		page(a, 404, "Not Found", "");
}

static void answer_ask(struct dav_ask *a)
{
	const char *path = a->request->path;

	if (is_one_of(a->almanac->domain, a->almanac->domains, a->request->host) || strncmp(a->request->host, "sso.", 4) == 0)
		answer_elsewhere(a);
	else if (answered_before(a) || answered_by_order(a, "before"))
		return;
	else if (strcmp(path, WELL_KNOWN) == 0 && !dav_provider_of(a->request->host))
		lead(a, 301, ALMANAC_ROOT);
	else if (strncmp(path, ALMANAC_ROOT, strlen(ALMANAC_ROOT)) == 0 || dav_provider_of(a->request->host))
		answer_signed_in(a);
	else if (strcmp(path, "/") == 0 && (strcmp(a->request->method, "GET") == 0 || strcmp(a->request->method, "HEAD") == 0))
		page(a, 200, "Calendars", "<p>A calendar server.</p>");
	else if (strcmp(path, "/") == 0)
		page(a, 405, "Not Allowed", "");
	else
		page(a, 404, "Not Found", "");
}

bool almanac_answers(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct dav_ask a = { .sandbox = s, .almanac = s->almanac, .work = r->work, .request = r, .reply = reply };

	if (!s->almanac || !is_one_of(s->almanac->host, s->almanac->hosts, r->host) || !r->secure)
		return false;
	reply_header(reply, r, "Server", "Sandbox");
	answer_ask(&a);
	return true;
}
