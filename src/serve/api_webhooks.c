#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "serve/api.h"
#include "serve/signing.h"

#define WEBHOOKS_MOST 50       /* of one workspace: each event is laid for each of them */

struct webhook_op {
	struct change  change;
	const char    *id;
	struct webhook hook;
	const cJSON   *body;
	const char    *secret;
	int64_t        from;
};

/* -- how it looks ------------------------------------------------------------------------------------------------------- */

static void add_types(cJSON *o, const char *types)
{
	struct slice rest = slice_str(types);
	cJSON       *list;

	if (strcmp(types, "*") == 0) {
		cJSON_AddNullToObject(o, "types");
		return;
	}
	list = cJSON_AddArrayToObject(o, "types");
	while (rest.len) {
		struct slice one = slice_cut(&rest, ' ');
		char         text[60];

		snprintf(text, sizeof text, "%.*s", (int)one.len, one.at);
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	}
}

static cJSON *webhook_json(const struct webhook *w, const char *secret)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", w->id);
	cJSON_AddStringToObject(o, "url", w->url);
	add_types(o, w->types);
	cJSON_AddBoolToObject(o, "enabled", w->enabled);
	json_maybe(o, "disabled_why", w->disabled_why);
	json_time(o, "created", w->created);
	json_time(o, "last_ok", w->last_ok);
	json_time(o, "failing_since", w->failing_since);
	if (secret)
		cJSON_AddStringToObject(o, "secret", secret);
	return o;
}

static cJSON *delivery_json(const struct delivery *d)
{
	cJSON *o = cJSON_CreateObject();
	char   id[24];

	snprintf(id, sizeof id, "%lld", (long long)d->id);
	cJSON_AddStringToObject(o, "id", id);
	cJSON_AddItemToObject(o, "event", event_json(&d->event));
	cJSON_AddNumberToObject(o, "tries", d->tries);
	json_time(o, "next_try", d->delivered || d->given_up ? 0 : d->next_try);
	json_time(o, "delivered", d->delivered);
	cJSON_AddBoolToObject(o, "given_up", d->given_up);
	if (d->status)
		cJSON_AddNumberToObject(o, "status", d->status);
	else
		cJSON_AddNullToObject(o, "status");
	json_maybe(o, "note", d->note);
	return o;
}

/* -- what comes in ------------------------------------------------------------------------------------------------------ */

static const char *types_of(struct exchange *x, const cJSON *body, const char *otherwise)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "types"), *item;
	const char  *types = NULL;

	if (!list)
		return otherwise;
	cJSON_ArrayForEach(item, list)
		types = types ? arena_print(x->job, "%s %s", types, item->valuestring) : arena_str(x->job, item->valuestring);
	return types ? types : "*";
}

/* -- changes -------------------------------------------------------------------------------------------------------------- */

static bool found(struct txn *t, struct webhook_op *op, struct error *err)
{
	return webhook_get(t, op->change.work, op->change.x->workspace, op->id, &op->hook, err);
}

static bool keep_secret(struct txn *t, struct webhook_op *op, struct error *err)
{
	return signing_keep(t, op->change.x->service->vault, op->id, op->secret, clock_unix_ms(), err);
}

static bool apply_create(struct txn *t, struct change *c, struct error *err)
{
	struct webhook_op *op = (struct webhook_op *)c;
	struct webhook    *all;
	size_t             count;

	if (!webhook_list(t, c->work, c->x->workspace, &all, &count, err))
		return false;
	if (count >= WEBHOOKS_MOST) {
		c->conflict = "a workspace has 50 webhooks at most";
		return fail(err, FAULT_REFUSED, "%s", c->conflict);
	}
	if (!webhook_insert(t, &op->hook, err) || !keep_secret(t, op, err))
		return false;
	c->status = 201;
	c->body = webhook_json(&op->hook, op->secret);
	c->location = arena_print(c->work, "/v1/webhooks/%s", op->id);
	return true;
}

static void create_webhook(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_webhook_new);
	struct webhook_op op = { .change = { .x = x, .apply = apply_create } };

	if (!body)
		return;
	op.id = new_id(x->job, "whk");
	op.hook = (struct webhook){ .id = op.id, .workspace = x->workspace, .url = arena_str(x->job, json_text(body, "url")),
		.types = types_of(x, body, "*"), .enabled = true, .created = clock_unix_ms() };
	body_free(body);
	op.secret = signing_secret(x->job);
	api_change(&op.change);
}

static bool apply_patch(struct txn *t, struct change *c, struct error *err)
{
	struct webhook_op *op = (struct webhook_op *)c;
	const cJSON       *enabled = cJSON_GetObjectItemCaseSensitive(op->body, "enabled");

	if (!found(t, op, err))
		return false;
	if (json_text(op->body, "url"))
		op->hook.url = json_text(op->body, "url");
	op->hook.types = types_of(c->x, op->body, op->hook.types);
	if (enabled) {
		op->hook.enabled = cJSON_IsTrue(enabled);
		op->hook.disabled_why = NULL;
		op->hook.failing_since = 0;
	}
	if (!webhook_update(t, &op->hook, err))
		return false;
	c->status = 200;
	c->body = webhook_json(&op->hook, NULL);
	return true;
}

static void change_webhook(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_webhook_change);
	struct webhook_op op = { .change = { .x = x, .apply = apply_patch }, .id = x->param[0], .body = body };

	if (!body)
		return;
	api_change(&op.change);
	body_free(body);
}

static bool apply_delete(struct txn *t, struct change *c, struct error *err)
{
	struct webhook_op *op = (struct webhook_op *)c;

	c->status = 204;
	return found(t, op, err) && webhook_delete(t, c->x->workspace, op->id, err) && sealed_delete(t, op->id, err);
}

static void delete_webhook(struct exchange *x)
{
	struct webhook_op op = { .change = { .x = x, .apply = apply_delete }, .id = x->param[0] };

	api_change(&op.change);
}

static bool apply_rotate(struct txn *t, struct change *c, struct error *err)
{
	struct webhook_op *op = (struct webhook_op *)c;

	if (!found(t, op, err) || !keep_secret(t, op, err))
		return false;
	c->status = 200;
	c->body = webhook_json(&op->hook, op->secret);
	return true;
}

static void rotate_secret(struct exchange *x)
{
	struct webhook_op op = { .change = { .x = x, .apply = apply_rotate }, .id = x->param[0], .secret = signing_secret(x->job) };

	api_change(&op.change);
}

static void laid(struct change *c, int64_t count)
{
	c->status = 202;
	c->body = cJSON_CreateObject();
	cJSON_AddNumberToObject(c->body, "count", (double)count);
}

/* It wants the test's type just for this moment. Webhooks that want everything get it as well; `webhook` says for whom it is. */
static bool apply_test(struct txn *t, struct change *c, struct error *err)
{
	struct webhook_op *op = (struct webhook_op *)c;
	struct webhook     wanting;
	cJSON             *data;

	if (!found(t, op, err))
		return false;
	wanting = op->hook;
	if (strcmp(wanting.types, "*") != 0)
		wanting.types = arena_print(c->work, "%s webhook.test", wanting.types);
	if (!webhook_update(t, &wanting, err))
		return false;
	data = cJSON_CreateObject();
	cJSON_AddStringToObject(data, "webhook", op->id);
	laid(c, 1);
	return event_tell(t, c->work, c->x->workspace, NULL, "webhook.test", data, err) && webhook_update(t, &op->hook, err);
}

static void test_webhook(struct exchange *x)
{
	struct webhook_op op = { .change = { .x = x, .apply = apply_test }, .id = x->param[0] };

	api_change(&op.change);
}

static bool apply_replay(struct txn *t, struct change *c, struct error *err)
{
	struct webhook_op *op = (struct webhook_op *)c;
	int64_t            count = 0;

	if (!found(t, op, err) || !delivery_replay(t, op->id, op->from, clock_unix_ms(), &count, err))
		return false;
	laid(c, count);
	return true;
}

static void replay_webhook(struct exchange *x)
{
	cJSON             *body = body_read(x, fields_replay);
	struct webhook_op  op = { .change = { .x = x, .apply = apply_replay }, .id = x->param[0] };
	unsigned long long from;

	if (!body)
		return;
	if (slice_number(slice_str(json_text(body, "from")), INT64_MAX, &from)) {      /* its pattern lets nothing else through */
		op.from = (int64_t)from;
		api_change(&op.change);
	}
	body_free(body);
}

/* -- looking ---------------------------------------------------------------------------------------------------------------- */

struct webhook_look {
	struct exchange *x;
	struct webhook  *hook;
	struct delivery *delivery;
	size_t           count;
	int64_t          before;
	size_t           most;
	struct webhook   one;
};

static bool look_at_all(struct txn *t, void *self, struct error *err)
{
	struct webhook_look *l = self;

	return webhook_list(t, l->x->job, l->x->workspace, &l->hook, &l->count, err);
}

static void list_webhooks(struct exchange *x)
{
	struct webhook_look l = { .x = x };
	cJSON               *items;

	if (!api_look(x, look_at_all, &l))
		return;
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, webhook_json(&l.hook[i], NULL));
	answer_items(x, items);
}

static bool look_at_one(struct txn *t, void *self, struct error *err)
{
	struct webhook_look *l = self;

	return webhook_get(t, l->x->job, l->x->workspace, l->x->param[0], &l->one, err);
}

static void get_webhook(struct exchange *x)
{
	struct webhook_look l = { .x = x };
	struct error        err = { 0 };

	if (store_read(x->service->store, look_at_one, &l, &err))
		answer_json(x, 200, webhook_json(&l.one, NULL));
	else
		answer_fault(x, &err);
}

static bool look_at_deliveries(struct txn *t, void *self, struct error *err)
{
	struct webhook_look *l = self;

	return look_at_one(t, self, err) && delivery_list(t, l->x->job, l->one.id, l->before, l->most, &l->delivery, &l->count, err);
}

static void list_deliveries(struct exchange *x)
{
	struct webhook_look l = { .x = x };
	struct error        err = { 0 };
	long long           most, before;
	char                next[24];
	cJSON              *items;

	if (!query_number(x, "limit", 1, PAGE_MOST, 50, &most) || !query_number(x, "after", 0, 999999999999999999LL, 0, &before))
		return;
	l.most = (size_t)most;
	l.before = before;
	if (!store_read(x->service->store, look_at_deliveries, &l, &err)) {
		answer_fault(x, &err);
		return;
	}
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, delivery_json(&l.delivery[i]));
	snprintf(next, sizeof next, "%lld", (long long)(l.count ? l.delivery[l.count - 1].id : 0));
	answer_json(x, 200, list_json(items, l.count == l.most ? next : NULL));
}

const struct route routes_webhooks[] = {
	{ "GET",    "/v1/webhooks",                    GUARD_KEY, SCOPE_WEBHOOKS_WRITE, list_webhooks },
	{ "POST",   "/v1/webhooks",                    GUARD_KEY, SCOPE_WEBHOOKS_WRITE, create_webhook },
	{ "GET",    "/v1/webhooks/{id}",               GUARD_KEY, SCOPE_WEBHOOKS_WRITE, get_webhook },
	{ "PATCH",  "/v1/webhooks/{id}",               GUARD_KEY, SCOPE_WEBHOOKS_WRITE, change_webhook },
	{ "DELETE", "/v1/webhooks/{id}",               GUARD_KEY, SCOPE_WEBHOOKS_WRITE, delete_webhook },
	{ "POST",   "/v1/webhooks/{id}/rotate-secret", GUARD_KEY, SCOPE_WEBHOOKS_WRITE, rotate_secret },
	{ "POST",   "/v1/webhooks/{id}/test",          GUARD_KEY, SCOPE_WEBHOOKS_WRITE, test_webhook },
	{ "POST",   "/v1/webhooks/{id}/replay",        GUARD_KEY, SCOPE_WEBHOOKS_WRITE, replay_webhook },
	{ "GET",    "/v1/webhooks/{id}/deliveries",    GUARD_KEY, SCOPE_WEBHOOKS_WRITE, list_deliveries },
	{ 0 }
};
