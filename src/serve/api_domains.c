#include <stdlib.h>

#include "base/clock.h"
#include "base/secret.h"
#include "serve/api.h"

struct domain_op {
	struct change          change;
	struct domain_settings settings;
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

static bool apply_put(struct txn *t, struct change *c, struct error *err)
{
	struct domain_op *op = (struct domain_op *)c;

	if (!domain_put(t, &op->settings, err))
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

static void put_domain(struct exchange *x)
{
	const char      *domain = domain_named(x);
	cJSON           *body = domain ? body_read(x, fields_domain) : NULL;
	struct domain_op op = { .change = { .x = x, .apply = apply_put } };
	char            *text;

	if (!body)
		return;
	if (hosts_are_fine(x, body)) {
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
