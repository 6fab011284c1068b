#include "base/clock.h"
#include "base/random.h"
#include "serve/api.h"
#include "serve/http_parts.h"
#include "serve/keys.h"
#include "serve/our_addresses.h"

#define KEY_DICE 40
#define BCC_DICE 16

static const struct { unsigned scope; const char *name; } scopes[] = {
	{ SCOPE_ACCOUNTS_READ,  "accounts:read"  }, { SCOPE_ACCOUNTS_WRITE, "accounts:write" }, { SCOPE_EVENTS_READ, "events:read" },
	{ SCOPE_WEBHOOKS_WRITE, "webhooks:write" }, { SCOPE_ADMIN,          "admin"          }, { SCOPE_OPERATOR,    "operator"    },
};

unsigned scope_find(const char *name)
{
	for (size_t i = 0; i < COUNT(scopes); i++)
		if (strcmp(scopes[i].name, name) == 0)
			return scopes[i].scope;
	return 0;
}

const char *scope_name(unsigned one)
{
	for (size_t i = 0; i < COUNT(scopes); i++)
		if (scopes[i].scope == one)
			return scopes[i].name;
	return "";
}

const char *key_make(struct arena *into, const char *workspace, const char *name, unsigned granted, int64_t now, struct api_key *out)
{
	const char *key = arena_print(into, "mm_%s", random_text(into, KEY_DICE));

	*out = (struct api_key){ .id = new_id(into, "key"), .workspace = workspace, .name = name, .hash = token_hash(key, into),
		.scopes = granted, .created = now };
	return key;
}

void workspace_make(struct arena *into, const char *name, int64_t now, struct workspace *out)
{
	*out = (struct workspace){ .id = new_id(into, "wsp"), .name = name, .bcc_token = random_text(into, BCC_DICE), .created = now };
}

/* -- how it looks ------------------------------------------------------------------------------------------------------- */

static cJSON *key_json(const struct api_key *k, const char *plain)
{
	cJSON *o = cJSON_CreateObject(), *list;

	cJSON_AddStringToObject(o, "id", k->id);
	cJSON_AddStringToObject(o, "name", k->name ? k->name : "");
	list = cJSON_AddArrayToObject(o, "scopes");
	for (size_t i = 0; i < COUNT(scopes); i++)
		if (k->scopes & scopes[i].scope)
			cJSON_AddItemToArray(list, cJSON_CreateString(scopes[i].name));
	json_time(o, "created", k->created);
	json_time(o, "last_used", k->last_used);
	json_time(o, "revoked", k->revoked);
	if (plain)
		cJSON_AddStringToObject(o, "key", plain);
	return o;
}

/* Those that may be put on a list as they are; and all, with how far they are to be believed. */
static void add_egress(cJSON *o, const struct our_addresses *ours)
{
	cJSON *list = cJSON_AddArrayToObject(o, "egress_addresses");

	for (size_t i = 0; i < ours->count; i++)
		if (our_address_is_sure(ours, &ours->item[i]))
			cJSON_AddItemToArray(list, cJSON_CreateString(ours->item[i].address));
	cJSON_AddItemToObject(o, "egress", our_addresses_json(ours, false));
}

static bool find_ours(struct txn *t, struct exchange *x, struct our_addresses *out, struct error *err)
{
	return our_addresses_read(t, x->service->settings, x->job, clock_unix_ms(), out, err);
}

static cJSON *workspace_json(struct exchange *x, const struct workspace *w, const struct our_addresses *ours, const char *key)
{
	const char *domain = x->service->inbound_domain;
	cJSON      *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", w->id);
	cJSON_AddStringToObject(o, "name", w->name);
	json_maybe(o, "bcc_address", domain ? arena_print(x->job, "%s@%s", w->bcc_token, domain) : NULL);
	add_egress(o, ours);
	json_time(o, "created", w->created);
	if (key)
		cJSON_AddStringToObject(o, "key", key);
	return o;
}

/* -- changes -------------------------------------------------------------------------------------------------------------- */

struct key_op {
	struct change    change;
	struct workspace workspace;
	struct api_key   key;
	const char      *plain, *id;
};

static bool apply_key(struct txn *t, struct change *c, struct error *err)
{
	struct key_op *op = (struct key_op *)c;

	if (!key_insert(t, &op->key, err))
		return false;
	c->status = 201;
	c->body = key_json(&op->key, op->plain);
	return true;
}

static void create_key(struct exchange *x)
{
	cJSON        *body = body_read(x, fields_key_new), *item;
	struct key_op op = { .change = { .x = x, .apply = apply_key } };
	unsigned      granted = 0;

	if (!body)
		return;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(body, "scopes"))
		granted |= scope_find(item->valuestring);
	op.plain = key_make(x->job, x->workspace, arena_str(x->job, json_text(body, "name")), granted, clock_unix_ms(), &op.key);
	body_free(body);
	if ((granted & x->scopes) == granted)
		api_change(&op.change);
	else
		answer_problem(x, 403, "request.scope", "This key may not do that", "it cannot give a scope that it does not have", "/scopes", NULL);
}

static bool apply_revoke(struct txn *t, struct change *c, struct error *err)
{
	struct key_op *op = (struct key_op *)c;

	c->status = 204;
	return key_revoke(t, c->x->workspace, op->id, clock_unix_ms(), err);
}

static void forget_key(struct change *c)
{
	http_key_revoked(c->x, ((struct key_op *)c)->id);
}

static void revoke_key(struct exchange *x)
{
	struct key_op op = { .change = { .x = x, .apply = apply_revoke, .after = forget_key }, .id = x->param[0] };

	api_change(&op.change);
}

static bool apply_workspace(struct txn *t, struct change *c, struct error *err)
{
	struct key_op       *op = (struct key_op *)c;
	struct our_addresses ours;

	if (!workspace_insert(t, &op->workspace, err) || !key_insert(t, &op->key, err) || !find_ours(t, c->x, &ours, err))
		return false;
	c->status = 201;
	c->body = workspace_json(c->x, &op->workspace, &ours, op->plain);
	return true;
}

static void create_workspace(struct exchange *x)
{
	cJSON        *body = body_read(x, fields_workspace_new);
	struct key_op op = { .change = { .x = x, .apply = apply_workspace } };
	int64_t       now = clock_unix_ms();

	if (!body)
		return;
	workspace_make(x->job, arena_str(x->job, json_text(body, "name")), now, &op.workspace);
	op.plain = key_make(x->job, op.workspace.id, "first", SCOPE_ADMIN, now, &op.key);
	body_free(body);
	api_change(&op.change);
}

/* -- looking ---------------------------------------------------------------------------------------------------------------- */

struct key_look {
	struct exchange     *x;
	struct api_key      *key;
	struct workspace    *workspace, one;
	struct our_addresses ours;
	size_t               count;
};

static bool look_at_keys(struct txn *t, void *self, struct error *err)
{
	struct key_look *l = self;

	return key_list(t, l->x->job, l->x->workspace, &l->key, &l->count, err);
}

static void list_keys(struct exchange *x)
{
	struct key_look l = { .x = x };
	cJSON           *items;

	if (!api_look(x, look_at_keys, &l))
		return;
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, key_json(&l.key[i], NULL));
	answer_items(x, items);
}

static bool look_at_workspace(struct txn *t, void *self, struct error *err)
{
	struct key_look *l = self;

	return workspace_get(t, l->x->job, l->x->workspace, &l->one, err) && find_ours(t, l->x, &l->ours, err);
}

static void get_workspace(struct exchange *x)
{
	struct key_look l = { .x = x };
	struct error    err = { 0 };

	if (store_read(x->service->store, look_at_workspace, &l, &err))
		answer_json(x, 200, workspace_json(x, &l.one, &l.ours, NULL));
	else
		answer_fault(x, &err);
}

static bool look_at_workspaces(struct txn *t, void *self, struct error *err)
{
	struct key_look *l = self;

	return workspace_list(t, l->x->job, &l->workspace, &l->count, err) && find_ours(t, l->x, &l->ours, err);
}

static void list_workspaces(struct exchange *x)
{
	struct key_look l = { .x = x };
	cJSON           *items;

	if (!api_look(x, look_at_workspaces, &l))
		return;
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, workspace_json(x, &l.workspace[i], &l.ours, NULL));
	answer_items(x, items);
}

const struct route routes_keys[] = {
	{ "GET",    "/v1/workspace",  GUARD_KEY, 0,              get_workspace },
	{ "GET",    "/v1/keys",       GUARD_KEY, SCOPE_ADMIN,    list_keys },
	{ "POST",   "/v1/keys",       GUARD_KEY, SCOPE_ADMIN,    create_key },
	{ "DELETE", "/v1/keys/{id}",  GUARD_KEY, SCOPE_ADMIN,    revoke_key },
	{ "GET",    "/v1/workspaces", GUARD_KEY, SCOPE_OPERATOR, list_workspaces },
	{ "POST",   "/v1/workspaces", GUARD_KEY, SCOPE_OPERATOR, create_workspace },
	{ 0 }
};
