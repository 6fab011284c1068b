/* Hosts of single mailboxes: who has orders of their own is at a host of their own, so that what happens before anybody signs in is
 * theirs, too. What the line itself does there wants a door besides. */
#include "sandbox/hosts.h"

#include <stdlib.h>
#include <strings.h>

#include "sandbox/cloud.h"
#include "sandbox/google.h"
#include "sandbox/hole.h"
#include "sandbox/imap.h"

struct own_door {
	struct certificate certificate;
	struct web        *web;
	struct hole       *hole;
	uint16_t           port;
};

/* What is ordered for this mailbox and for no other; NULL: nothing. */
static const struct ordered *own_order(struct sandbox *s, const struct account *a, enum order order)
{
	for (size_t i = 0; i < s->orders.count; i++) {
		const struct ordered *o = &s->orders.list[i];

		if (o->whose && o->row->order == order && strcasecmp(o->whose, a->mail) == 0)
			return o;
	}
	return NULL;
}

static const char *domain_of(const struct account *a)
{
	return strchr(a->mail, '@') + 1;
}

/* Is it in one of the other parts' hands? */
static bool is_anothers(const struct sandbox *s, const struct account *a)
{
	return (s->cloud && s->cloud->apart && cloud_has_domain(s, domain_of(a))) || (s->plays_imap && imap_has(a->mail))
	    || (s->google && google_has(s, a));
}

bool hosts_give(struct sandbox *s)
{
	bool any = false;

	for (size_t i = 0; i < s->account_count; i++) {
		struct account *a = &s->accounts[i];

		if (is_anothers(s, a) || !orders_name(&s->orders, a->mail))
			continue;
		a->host = arena_print(s->own, "%s.%s", a->sam, s->domain);
		a->ews_url = arena_print(s->own, "https://%s/EWS/Exchange.asmx", a->host);
		any = true;
	}
	return any;
}

struct account *account_at(struct sandbox *s, const char *host)
{
	for (size_t i = 0; i < s->account_count; i++)
		if (s->accounts[i].host && strcasecmp(s->accounts[i].host, host) == 0)
			return &s->accounts[i];
	return NULL;
}

/* -- the line ------------------------------------------------------------------------------------------------------ */

static const struct { enum order order; enum hole_kind kind; } holes[] = {
	{ ORDER_REFUSED, HOLE_REFUSES }, { ORDER_VANISH, HOLE_VANISHES }, { ORDER_SILENT, HOLE_SILENT }, { ORDER_RESET, HOLE_RESETS },
};

static bool open_hole(struct sandbox *s, const struct account *a, struct own_door *d, struct error *err)
{
	for (size_t i = 0; i < COUNT(holes); i++)
		if (own_order(s, a, holes[i].order)) {
			d->hole = hole_new(s->address, &d->port, holes[i].kind, err);
			return d->hole != NULL;
		}
	return true;
}

static bool open_web(struct sandbox *s, const struct account *a, struct own_door *d, struct error *err)
{
	const struct ordered *o = own_order(s, a, ORDER_CERTIFICATE);
	enum flaw             flaw = o ? (enum flaw)o->row->number : FLAW_NONE;
	const char *const     names[] = { flaw == FLAW_WRONG_NAME ? arena_print(s->own, "legacy.%s", s->domain) : a->host };
	struct web_wishes     w = { .address = s->address, .certificate = &d->certificate, .answer = s->answer, .self = s,
		.old_tls = own_order(s, a, ORDER_OLD_TLS) != NULL };

	if (d->hole || (!o && !w.old_tls))
		return true;
	if (!certificate_make(s->authority, s->own, names, 1, flaw, &d->certificate, err))
		return false;
	d->web = web_new(&w, &d->port, err);
	return d->web != NULL;
}

bool hosts_open(struct sandbox *s, struct error *err)
{
	s->own_doors = must_alloc((s->account_count + 1) * sizeof *s->own_doors);
	for (size_t i = 0; i < s->account_count; i++) {
		const struct account *a = &s->accounts[i];
		struct own_door      *d = &s->own_doors[i];

		if (a->host && (!open_hole(s, a, d, err) || !open_web(s, a, d, err)))
			return false;
	}
	return true;
}

void hosts_close(struct sandbox *s)
{
	for (size_t i = 0; s->own_doors && i < s->account_count; i++) {
		web_free(s->own_doors[i].web);
		hole_free(s->own_doors[i].hole);
	}
	free(s->own_doors);
	s->own_doors = NULL;
}

/* -- names --------------------------------------------------------------------------------------------------------- */

static bool has_name(struct sandbox *s, const struct account *a)
{
	return !own_order(s, a, ORDER_NO_HOST) && !own_order(s, a, ORDER_DNS_FAILS) && !own_order(s, a, ORDER_DNS_SILENT);
}

void hosts_name(struct sandbox *s)
{
	for (size_t i = 0; i < s->account_count; i++) {
		const struct account *a = &s->accounts[i];

		if (!a->host)
			continue;
		if (strcasecmp(domain_of(a), s->domain) != 0)      /* a domain besides, whose mail goes there, too */
			names_add(s->names, domain_of(a), RECORD_MX, s->mail_host, 10, 0);
		if (has_name(s, a))
			names_add(s->names, a->host, RECORD_A, s->address, 0, 0);
		else if (!own_order(s, a, ORDER_NO_HOST))
			names_special(s->names, a->host, own_order(s, a, ORDER_DNS_FAILS) ? NAMES_FAILS : NAMES_SILENT);
	}
}

void hosts_tell(struct sandbox *s, void (*tell)(struct sandbox *, const char *host, uint16_t usual, const char *address, uint16_t port))
{
	for (size_t i = 0; i < s->account_count; i++) {
		const struct account *a = &s->accounts[i];

		if (!a->host || !has_name(s, a))
			continue;
		tell(s, a->host, 443, s->address, s->own_doors[i].port ? s->own_doors[i].port : s->https_port);
		tell(s, a->host, 80, s->address, s->http_port);
	}
}
