#include "base/clock.h"
#include "base/random.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/http_parts.h"

#define TOKEN_DICE 40
#define WEEK_S     604800

struct link_op {
	struct change change;
	struct link   link;
	const char   *token;
};

static cJSON *link_json(const struct link *l)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", l->id);
	cJSON_AddStringToObject(o, "kind", l->kind);
	json_maybe(o, "address", l->expected);
	json_maybe(o, "account", l->account);
	json_maybe(o, "provider", l->provider);
	json_maybe(o, "rights", l->rights);
	json_maybe(o, "lang", l->lang);
	json_maybe(o, "return_url", l->return_url);
	json_time(o, "created", l->created);
	json_time(o, "expires", l->expires);
	return o;
}

static cJSON *new_link_json(const struct exchange *x, const struct link *l, const char *token)
{
	cJSON *o = link_json(l);

	cJSON_AddStringToObject(o, "url", arena_print(x->job, "%s/%s/%s", x->service->base_url, l->kind, token));
	return o;
}

/* As it is kept: its token is not. */
static cJSON *kept_link_json(const struct link *l, int64_t now)
{
	cJSON *o = link_json(l);

	cJSON_AddStringToObject(o, "state", link_state_name(link_state(l, now)));
	cJSON_AddBoolToObject(o, "opened", l->session != NULL);
	json_time(o, "used", l->used);
	json_time(o, "revoked", l->revoked);
	return o;
}

static bool apply_link(struct txn *t, struct change *c, struct error *err)
{
	struct link_op *op = (struct link_op *)c;
	struct account  account;

	if (op->link.account && (!account_get(t, c->work, c->x->workspace, op->link.account, &account, err)
	    || (account.state == ACCOUNT_REMOVED && !fail(err, FAULT_ABSENT, "a removed account"))))
		return false;
	if (!link_insert(t, &op->link, err))
		return false;
	c->status = 201;
	c->body = new_link_json(c->x, &op->link, op->token);
	return true;
}

static bool take_expected(struct exchange *x, const cJSON *body, struct link *l)
{
	struct mail_address address;

	if (!json_text(body, "address"))
		return true;
	if (!body_address(x, body, &address))
		return false;
	l->expected = address.text;
	return true;
}

static bool takes_account(struct exchange *x, const struct link *l)
{
	if (l->account || strcmp(l->kind, "admin") != 0)
		return true;
	answer_problem(x, 400, "request.invalid", "This field is not valid", "is missing for a link of this kind", "/account", NULL);
	return false;
}

static bool is_operator(const struct exchange *x)
{
	return (x->scopes & SCOPE_OPERATOR) != 0;
}

/* A page that a link let in does not hand out more than it has itself, nor for longer; the operator's page is the operator's. */
static bool may_make(struct exchange *x, const struct link *l)
{
	if (x->by_session ? strcmp(l->kind, "connect") == 0 : strcmp(l->kind, "operator") != 0 || is_operator(x))
		return true;
	answer_problem(x, 403, "request.scope", "Links of this kind are not for you to make", NULL, "/kind", "operator");
	return false;
}

static const char *maybe(struct exchange *x, const cJSON *body, const char *name, const char *otherwise)
{
	const char *text = json_text(body, name);

	return text ? arena_str(x->job, text) : otherwise;
}

static void create_link(struct exchange *x)
{
	cJSON         *body = body_read(x, fields_link_new);
	struct link_op op = { .change = { .x = x, .apply = apply_link } };
	struct link   *l = &op.link;

	if (!body)
		return;
	op.token = random_text(x->job, TOKEN_DICE);
	*l = (struct link){ .id = new_id(x->job, "lnk"), .hash = token_hash(op.token, x->job), .workspace = x->workspace,
		.kind = maybe(x, body, "kind", "connect"), .account = maybe(x, body, "account", NULL), .lang = maybe(x, body, "lang", NULL),
		.provider = maybe(x, body, "provider", NULL), .rights = maybe(x, body, "rights", NULL),
		.return_url = maybe(x, body, "return_url", NULL), .created = clock_unix_ms() };
	l->expires = l->created + 1000 * (int64_t)json_number(body, "expires_in", WEEK_S);
	if (may_make(x, l) && takes_account(x, l) && take_expected(x, body, l))
		api_change(&op.change);
	body_free(body);
}

/* -- those there are ---------------------------------------------------------------------------------------------------- */

/* A page that a link let in has no business with the workspace's other links. */
static bool may_manage(struct exchange *x)
{
	if (!x->by_session)
		return true;
	answer_problem(x, 403, "request.scope", "This page may not do that", NULL, NULL, NULL);
	return false;
}

struct link_look {
	struct exchange  *x;
	struct link_query query;
	struct link      *link;
	size_t            count;
	const char       *next;
};

static bool look_at_page(struct txn *t, void *self, struct error *err)
{
	struct link_look *l = self;

	return link_list(t, l->x->job, &l->query, &l->link, &l->count, &l->next, err);
}

static bool state_named(struct exchange *x, enum link_state *out)
{
	const char *name = http_query(x, "state");

	for (*out = 0; name && *out < LINK_STATES; ++*out)
		if (strcmp(name, link_state_name(*out)) == 0)
			return true;
	*out = LINK_STATES;
	if (!name)
		return true;
	answer_problem(x, 400, "request.invalid", "This parameter is not valid", "there is no such state", "state", NULL);
	return false;
}

static void list_links(struct exchange *x)
{
	struct link_look l = { .x = x, .query = { .workspace = x->workspace, .for_operator = is_operator(x), .now = clock_unix_ms() } };
	long long        most;
	cJSON           *items;

	if (!may_manage(x) || !query_number(x, "limit", 1, PAGE_MOST, 50, &most) || !query_text(x, "after", 300, &l.query.after)
	    || !state_named(x, &l.query.state))
		return;
	l.query.most = (size_t)most;
	if (!api_look(x, look_at_page, &l))
		return;
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, kept_link_json(&l.link[i], l.query.now));
	answer_json(x, 200, list_json(items, l.next));
}

static bool apply_revoke(struct txn *t, struct change *c, struct error *err)
{
	struct exchange *x = c->x;

	c->status = 204;
	return link_revoke(t, x->workspace, is_operator(x), x->param[0], clock_unix_ms(), err);
}

static void revoke_link(struct exchange *x)
{
	if (may_manage(x))
		api_change(&(struct change){ .x = x, .apply = apply_revoke });
}

const struct route routes_links[] = {
	{ "GET",    "/v1/connect-links",      GUARD_KEY, SCOPE_ACCOUNTS_READ,  list_links },
	{ "POST",   "/v1/connect-links",      GUARD_KEY, SCOPE_ACCOUNTS_WRITE, create_link },
	{ "DELETE", "/v1/connect-links/{id}", GUARD_KEY, SCOPE_ACCOUNTS_WRITE, revoke_link },
	{ 0 }
};
