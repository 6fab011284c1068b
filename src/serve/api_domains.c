#include <stdlib.h>

#include "base/clock.h"
#include "base/secret.h"
#include "model/causes.h"
#include "net/net.h"
#include "serve/api.h"
#include "serve/keeper.h"

struct tried_again {
	const char         *account;
	struct tried_again *next;
};

struct domain_op {
	struct change          change;
	struct domain_settings settings;
	bool                   trusts;      /* an authority or a pin is laid down           */
	struct tried_again    *again;       /* accounts for which that may be what was missing */
};

/* As DNS wants it; NULL: answered. */
static const char *domain_named(struct exchange *x)
{
	const char *domain = host_read(x->param[0], x->job);

	if (!domain)
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "is no domain", "domain", NULL);
	return domain;
}

static cJSON *domain_json(const struct domain_settings *d)
{
	cJSON *o = d->json ? cJSON_Parse(d->json) : NULL;

	o = o ? o : cJSON_CreateObject();
	cJSON_AddStringToObject(o, "domain", d->domain);
	json_time(o, "changed", d->changed);
	return o;
}

/* -- accounts that waited for it ------------------------------------------------------------------------------------- */

static bool is_of(const struct account *a, const char *domain)
{
	const char *at = strrchr(a->address, '@');

	return at && strcmp(at + 1, domain) == 0;
}

static bool waits_for_trust(const struct account *a)
{
	switch (a->state) {
	case ACCOUNT_NEEDS_ADMIN:
	case ACCOUNT_NEEDS_USER:
	case ACCOUNT_WAITING:
	case ACCOUNT_DEGRADED:
		return a->cause && cause_is_of_trust(cause_find(a->cause));
	default:
		return false;
	}
}

static bool try_again(struct txn *t, struct domain_op *op, struct account *a, struct error *err)
{
	struct tried_again *again = arena_get(op->change.work, sizeof *again);

	a->next_try = op->settings.changed;
	*again = (struct tried_again){ arena_str(op->change.work, a->id), op->again };
	op->again = again;
	return account_update(t, a, err);
}

/* False with `*err`. The next page is put into the query; NULL: that was the last. */
static bool try_page_again(struct txn *t, struct domain_op *op, struct account_query *q, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();      /* accounts come with their reports: a page at a time */
	struct account_page page;

	if (!account_list(t, work, q, &page, err))
		return false;
	for (size_t i = 0; i < page.count; i++) {
		struct account *a = &page.item[i];

		if (is_of(a, op->settings.domain) && waits_for_trust(a) && !try_again(t, op, a, err))
			return false;
	}
	q->after = page.next ? arena_str(op->change.work, page.next) : NULL;
	return true;
}

/* Nobody has to press a button for what has just been put right. */
static bool try_all_again(struct txn *t, struct domain_op *op, struct error *err)
{
	struct account_query q = { .workspace = op->settings.workspace, .most = PAGE_MOST,
		.search = arena_print(op->change.work, "@%s", op->settings.domain) };
	bool                 fine = true;

	op->again = NULL;
	if (!op->trusts)
		return true;
	do
		fine = try_page_again(t, op, &q, err);
	while (fine && q.after);
	return fine;
}

static void tell_keeper(struct change *c)
{
	struct domain_op *op = (struct domain_op *)c;

	for (const struct tried_again *a = op->again; a && c->x->service->keeper; a = a->next)
		keeper_changed(c->x->service->keeper, a->account);
}

/* -- putting ----------------------------------------------------------------------------------------------------------- */

static bool apply_put(struct txn *t, struct change *c, struct error *err)
{
	struct domain_op *op = (struct domain_op *)c;

	if (!domain_put(t, &op->settings, err) || !try_all_again(t, op, err))
		return false;
	c->status = 200;
	c->body = domain_json(&op->settings);
	return true;
}

/* Host names as DNS wants them, in place. */
static bool hosts_are_fine(struct exchange *x, cJSON *body)
{
	for (enum service s = 0; s < SERVICES; s++) {
		cJSON      *server = cJSON_GetObjectItemCaseSensitive(body, service_name(s));
		const char *host = server ? host_read(json_text(server, "host"), x->job) : NULL;

		if (server && !host) {
			answer_problem(x, 400, "request.invalid", "This field is not valid", "is no host name",
			               arena_print(x->job, "/%s/host", service_name(s)), NULL);
			return false;
		}
		if (server)
			cJSON_ReplaceItemInObjectCaseSensitive(server, "host", cJSON_CreateString(host));
	}
	return true;
}

/* A domain's mailboxes are reached in one way: two that are laid down would leave open which one is meant. */
static bool is_one_way(struct exchange *x, const cJSON *body)
{
	bool servers = false;

	for (enum service s = 0; s < SERVICES; s++)
		servers |= json_text(cJSON_GetObjectItemCaseSensitive(body, service_name(s)), "host") != NULL;
	if (!servers || !json_text(body, "ews_url"))
		return true;
	answer_problem(x, 400, "request.invalid", "Either servers for IMAP and SMTP, or a URL of Exchange",
	               "is laid down beside servers for IMAP and SMTP; keep the one by which this domain's mailboxes are connected", "/ews_url", NULL);
	return false;
}

/* As it is meant, in place. */
static bool ews_url_is_fine(struct exchange *x, cJSON *body)
{
	const char *url;

	if (!body_ews_url(x, body, &url))
		return false;
	if (url)
		cJSON_ReplaceItemInObjectCaseSensitive(body, "ews_url", cJSON_CreateString(url));
	return true;
}

/* What could not be gone by is not laid down. */
static bool trust_is_fine(struct exchange *x, const cJSON *body)
{
	struct own_trust trust = { .ca_pem = json_text(body, "ca_pem") };
	struct error     err = { 0 };

	if (net_own_trust_check(&trust, &err))
		return true;
	answer_problem(x, 400, "request.invalid", "This field is not valid", arena_str(x->job, err.text), "/ca_pem", NULL);
	return false;
}

static void put_domain(struct exchange *x)
{
	const char      *domain = domain_named(x);
	cJSON           *body = domain ? body_read(x, fields_domain) : NULL;
	struct domain_op op = { .change = { .x = x, .apply = apply_put, .after = tell_keeper } };
	char            *text;

	if (!body)
		return;
	if (is_one_way(x, body) && hosts_are_fine(x, body) && ews_url_is_fine(x, body) && trust_is_fine(x, body)) {
		op.trusts = json_text(body, "ca_pem") || json_text(body, "pin");
		text = cJSON_PrintUnformatted(body);
		op.settings = (struct domain_settings){ .workspace = x->workspace, .domain = domain, .json = arena_str(x->job, text),
			.changed = clock_unix_ms() };
		free(text);
		api_change(&op.change);
	}
	body_free(body);
}

static bool apply_delete(struct txn *t, struct change *c, struct error *err)
{
	struct domain_op      *op = (struct domain_op *)c;
	struct domain_settings there;

	c->status = 204;
	return domain_get(t, c->work, c->x->workspace, op->settings.domain, &there, err)
	    && domain_delete(t, c->x->workspace, op->settings.domain, err);
}

static void delete_domain(struct exchange *x)
{
	struct domain_op op = { .change = { .x = x, .apply = apply_delete } };

	op.settings.domain = domain_named(x);
	if (op.settings.domain)
		api_change(&op.change);
}

struct domain_look {
	struct exchange        *x;
	const char             *domain;
	struct domain_settings  one, *all;
	size_t                  count;
};

static bool look_at_one(struct txn *t, void *self, struct error *err)
{
	struct domain_look *l = self;

	return domain_get(t, l->x->job, l->x->workspace, l->domain, &l->one, err);
}

static void get_domain(struct exchange *x)
{
	struct domain_look l = { .x = x, .domain = domain_named(x) };
	struct error       err = { 0 };

	if (!l.domain)
		return;
	if (store_read(x->service->store, look_at_one, &l, &err))
		answer_json(x, 200, domain_json(&l.one));
	else
		answer_fault(x, &err);
}

static bool look_at_all(struct txn *t, void *self, struct error *err)
{
	struct domain_look *l = self;

	return domain_list(t, l->x->job, l->x->workspace, &l->all, &l->count, err);
}

static void list_domains(struct exchange *x)
{
	struct domain_look l = { .x = x };
	cJSON              *items;

	if (!api_look(x, look_at_all, &l))
		return;
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, domain_json(&l.all[i]));
	answer_items(x, items);
}

const struct route routes_domains[] = {
	{ "GET",    "/v1/domains",          GUARD_KEY, SCOPE_ADMIN, list_domains },
	{ "GET",    "/v1/domains/{domain}", GUARD_KEY, SCOPE_ADMIN, get_domain },
	{ "PUT",    "/v1/domains/{domain}", GUARD_KEY, SCOPE_ADMIN, put_domain },
	{ "DELETE", "/v1/domains/{domain}", GUARD_KEY, SCOPE_ADMIN, delete_domain },
	{ 0 }
};
