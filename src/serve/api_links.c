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

static cJSON *link_json(const struct exchange *x, const struct link *l, const char *token)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", l->id);
	cJSON_AddStringToObject(o, "kind", l->kind);
	cJSON_AddStringToObject(o, "url", arena_print(x->job, "%s/%s/%s", x->service->base_url, l->kind, token));
	json_maybe(o, "address", l->expected);
	json_maybe(o, "account", l->account);
	json_maybe(o, "lang", l->lang);
	json_maybe(o, "return_url", l->return_url);
	json_time(o, "created", l->created);
	json_time(o, "expires", l->expires);
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
	c->body = link_json(c->x, &op->link, op->token);
	return true;
}

static bool take_expected(struct exchange *x, const cJSON *body, struct link *l)
{
	struct mail_address address;
	const char         *problem, *given = json_text(body, "address");

	if (!given)
		return true;
	if (!mail_address_parse(given, x->job, &address, &problem)) {
		answer_problem(x, 400, "address.malformed", "This is no e-mail address", problem, "/address", NULL);
		return false;
	}
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

/* A page that a link let in does not hand out more than it has itself, nor for longer; the operator's page is the operator's. */
static bool may_make(struct exchange *x, const struct link *l)
{
	if (x->by_session ? strcmp(l->kind, "connect") == 0 : strcmp(l->kind, "operator") != 0 || (x->scopes & SCOPE_OPERATOR))
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
		.return_url = maybe(x, body, "return_url", NULL), .created = clock_unix_ms() };
	l->expires = l->created + 1000 * (int64_t)json_number(body, "expires_in", WEEK_S);
	if (may_make(x, l) && takes_account(x, l) && take_expected(x, body, l))
		api_change(&op.change);
	body_free(body);
}

const struct route routes_links[] = {
	{ "POST", "/v1/connect-links", GUARD_KEY, SCOPE_ACCOUNTS_WRITE, create_link },
	{ 0 }
};
