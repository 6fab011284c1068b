#include <stdlib.h>

#include "base/clock.h"
#include "connect/grant.h"
#include "model/causes.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/budget.h"
#include "serve/keeper.h"
#include "serve/laid_down.h"
#include "serve/parting.h"
#include "serve/removal.h"
#include "serve/retell.h"
#include "serve/subscription.h"
#include "store/calendars.h"

/* -- what comes in ---------------------------------------------------------------------------------------------------- */

static bool take_address(struct exchange *x, const cJSON *body, struct account *a)
{
	struct mail_address address;

	if (!body_address(x, body, &address))
		return false;
	a->address = address.text;
	a->key = mail_address_key(&address, x->job);
	return true;
}

/* A server that is named; null takes the name away; not there, it stays. */
static bool take_server(struct exchange *x, const cJSON *body, enum service which, struct account *a, bool *changed)
{
	if (!cJSON_GetObjectItemCaseSensitive(body, service_name(which)))
		return true;
	*changed = true;
	return body_server(x, body, which, &a->host[which], &a->port[which]);
}

/* Not there it stays; null takes it away. */
static bool take_text(struct exchange *x, const cJSON *body, const char *name, const char **text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, name);

	if (!item)
		return false;
	*text = cJSON_IsNull(item) ? NULL : arena_str(x->job, item->valuestring);
	return true;
}

static bool take_ews_url(struct exchange *x, const cJSON *body, struct account *a, bool *changed)
{
	if (!cJSON_GetObjectItemCaseSensitive(body, "ews_url"))
		return true;
	*changed = true;
	return body_ews_url(x, body, &a->ews_url);
}

static bool take_calendar(struct exchange *x, const cJSON *body, struct account *a, bool *changed)
{
	*changed |= take_text(x, body, "caldav_username", &a->caldav_username) || cJSON_HasObjectItem(body, "caldav_password");
	if (!cJSON_GetObjectItemCaseSensitive(body, "caldav_url"))
		return true;
	*changed = true;
	/* how far another one was known means nothing */
	a->calendar = NULL;
	return body_caldav_url(x, body, &a->caldav_url);
}

static bool take_places(struct exchange *x, const cJSON *body, struct account *a, bool *changed)
{
	const cJSON *acts = cJSON_GetObjectItemCaseSensitive(body, "impersonate");

	*changed |= take_text(x, body, "username", &a->username) || acts;
	if (acts)
		a->impersonate = cJSON_IsTrue(acts);
	return take_ews_url(x, body, a, changed) && take_calendar(x, body, a, changed) && take_server(x, body, SERVICE_IMAP, a, changed)
	    && take_server(x, body, SERVICE_SMTP, a, changed);
}

/* From here on the password is only in its sealed form, in the body that is wiped, and in the job's arena that is wiped. */
static bool seal(struct exchange *x, const char *kind, struct slice secret, const char *id, struct slice *sealed)
{
	struct error err = { 0 };

	if (vault_seal(x->service->vault, arena_print(x->job, "%s/%s", id, kind), secret, x->job, sealed, &err))
		return true;
	answer_fault(x, &err);
	return false;
}

static bool seal_password(struct exchange *x, const cJSON *body, const char *id, struct slice *sealed)
{
	return seal(x, "password", slice_str(json_text(body, "password")), id, sealed);
}

/* Of the calendar, where it has one of its own. */
static bool seal_calendar_password(struct exchange *x, const cJSON *body, const char *id, struct slice *sealed)
{
	const char *password = json_text(body, "caldav_password");

	return !password || seal(x, "caldav_password", slice_str(password), id, sealed);
}

/* As the sign-in would have kept it; the lengths of its parts leave it below its own. */
static bool seal_grant(struct exchange *x, const cJSON *body, const char *id, struct slice *sealed)
{
	struct oauth_grant grant = { json_text(body, "access_token"), json_text(body, "refresh_token"), json_text(body, "scope"),
		(int64_t)json_number(body, "expires_at", 0), (int64_t)json_number(body, "granted_at", 0) };

	return seal(x, "password", grant_write(&grant, x->job), id, sealed);
}

/* -- changes ------------------------------------------------------------------------------------------------------------ */

struct account_op {
	struct change   change;              /* first */
	const char     *id;
	struct account  account;             /* to be added, or as it was found and is to be */
	struct slice    sealed;
	struct slice    calendar_sealed;     /* of the calendar's own password; at == NULL: none was given */
	bool            shared;              /* likewise: another one is in the same mailbox, by the same provider's grant */
	struct account  was;                 /* before it was removed or paused: with its cursor, and `sealed` its secret */
	const cJSON    *body;
	int64_t         now;
};

static void tell_keeper(struct change *c)
{
	struct account_op *op = (struct account_op *)c;

	if (c->x->service->keeper)
		keeper_changed(c->x->service->keeper, op->id);
}

/* Who has it no more is not told of its mail any more either. */
static void part(struct change *c)
{
	struct account_op *op = (struct account_op *)c;

	tell_keeper(c);
	if (c->x->service->keeper && op->was.id)
		keeper_part(c->x->service->keeper, &op->was, op->sealed, op->account.state != ACCOUNT_REMOVED ? PART_FOR_NOW
		            : op->shared ? PART_FROM_ONE_OF_MANY : PART_FOR_GOOD);
}

static bool remember(struct txn *t, struct account_op *op, struct error *err)
{
	op->was = op->account;
	if (sealed_get(t, op->change.work, op->id, "password", &op->sealed, err))
		return true;
	op->sealed = slice(NULL, 0);
	return err->fault == FAULT_ABSENT && (*err = (struct error){ 0 }, true);
}

static void show(struct change *c, int status, const struct account *a)
{
	c->status = status;
	c->body = account_json(c->x, a);
}

static void enter(struct account *a, enum account_state state, int64_t now)
{
	if (a->state != state)
		a->state_since = now;
	a->state = state;
	a->next_try = 0;
	a->incident = NULL;
}

static bool found(struct txn *t, struct account_op *op, struct error *err)
{
	return account_get(t, op->change.work, op->change.x->workspace, op->id, &op->account, err)
	    && (op->account.state != ACCOUNT_REMOVED || fail(err, FAULT_ABSENT, "a removed account"));
}

static bool tell(struct txn *t, struct account_op *op, const char *type, struct error *err)
{
	return event_tell(t, op->change.work, op->account.workspace, op->account.id, type, account_event_data(&op->account), err);
}

static bool conflict(struct change *c, const char *why, struct error *err)
{
	c->conflict = why;
	return fail(err, FAULT_REFUSED, "%s", why);
}

/* False: another refusal today might lock the mailbox at its host. */
static bool may_try(struct txn *t, struct account_op *op, struct error *err)
{
	bool may;

	if (!budget_left(t, op->change.x->service, op->id, &may, err))
		return false;
	return may || conflict(&op->change, "too many passwords were refused today: it can be tried again after 00:00 UTC", err);
}

/* Its password, where one came or was taken away; and nothing of the entries of another calendar. */
static bool keep_calendar(struct txn *t, struct account_op *op, struct error *err)
{
	const cJSON *password = cJSON_GetObjectItemCaseSensitive(op->body, "caldav_password");

	if (!op->account.calendar && !calendar_forget(t, op->id, err))
		return false;
	if (op->calendar_sealed.at)
		return sealed_put(t, op->id, "caldav_password", op->calendar_sealed, err);
	return !cJSON_IsNull(password) || sealed_drop(t, op->id, "caldav_password", err);
}

static bool apply_create(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;

	if (!account_insert(t, &op->account, err)) {
		if (err->fault == FAULT_REFUSED)
			c->conflict = "this address is connected already";
		return false;
	}
	if (!sealed_put(t, op->id, "password", op->sealed, err) || !keep_calendar(t, op, err) || !tell(t, op, "account.created", err))
		return false;
	show(c, 201, &op->account);
	c->location = arena_print(c->work, "/v1/accounts/%s", op->id);
	return true;
}

struct laid_down_look {
	struct exchange      *x;
	const struct account *account;
	struct laid_down      found;
};

static bool look_what_is_laid_down(struct txn *t, void *self, struct error *err)
{
	struct laid_down_look *l = self;

	return laid_down_for(t, l->x->job, l->account->workspace, l->account->address, &l->found, err);
}

/* Servers that were not named, where the workspace has laid them down for that domain. */
static bool fill_places(struct exchange *x, struct account *a)
{
	struct laid_down_look l = { .x = x, .account = a };

	if (!api_look(x, look_what_is_laid_down, &l))
		return false;
	laid_down_fill(&l.found, a);
	return true;
}

/* What belongs to Exchange, and nothing to do it with; and a calendar beside one that has its own. */
static bool places_fit(struct exchange *x, const struct account *a)
{
	const char *pointer = NULL, *what = NULL;

	if (a->ews_url && strcmp(a->provider, "imap") == 0)
		pointer = "/ews_url", what = "is of Exchange, and the provider is imap";
	else if (a->caldav_url && strcmp(a->provider, "exchange") == 0)
		pointer = "/caldav_url", what = "is beside IMAP or alone, and Exchange has its own calendar";
	else if (a->impersonate && !a->username)
		pointer = "/impersonate", what = "wants the username of the service account";
	if (pointer)
		answer_problem(x, 400, "request.invalid", "This field is not valid", what, pointer, NULL);
	return !pointer;
}

static void begin_account(struct exchange *x, const cJSON *body, struct account_op *op, const char *provider)
{
	struct account *a = &op->account;

	a->id = op->id = new_id(x->job, "acc");
	a->workspace = x->workspace;
	a->provider = provider;
	a->created = a->state_since = op->now;
	a->state = ACCOUNT_CONNECTING;
	a->lang = x->lang->tag;
	take_text(x, body, "lang", &a->lang);
	take_text(x, body, "external_id", &a->external_id);
}

static void create_account(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_account_new);
	struct account_op op = { .change = { .x = x, .apply = apply_create, .after = tell_keeper }, .body = body, .now = clock_unix_ms() };
	struct account   *a = &op.account;
	bool              changed = false;

	if (!body)
		return;
	begin_account(x, body, &op, json_text(body, "provider") ? arena_str(x->job, json_text(body, "provider")) : "auto");
	if (take_address(x, body, a) && take_places(x, body, a, &changed) && places_fit(x, a) && fill_places(x, a)
	    && seal_password(x, body, op.id, &op.sealed) && seal_calendar_password(x, body, op.id, &op.calendar_sealed))
		api_change(&op.change);
	body_free(body);
}

/* The usual ones where none are named. */
static void take_rights(struct exchange *x, const cJSON *body, struct account *a)
{
	a->rights = rights_name(x->service->app.rights);
	take_text(x, body, "rights", &a->rights);
}

static const char *granting_provider(struct exchange *x, const cJSON *body)
{
	const char *named = json_text(body, "provider");

	return named ? arena_str(x->job, named) : "microsoft";
}

/* At Google that wants a service account; at Microsoft it is the app itself. */
static bool may_act(struct exchange *x, const struct account *a)
{
	if (strcmp(a->provider, "google") != 0 || x->service->app.google.service)
		return true;
	answer_problem(x, 400, "request.invalid", "This field is not valid", "is google, and the settings name no service account", "/provider", NULL);
	return false;
}

/* What was granted at Microsoft or Google before, to the same registration. */
static void create_granted_account(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_grant_new);
	struct account_op op = { .change = { .x = x, .apply = apply_create, .after = tell_keeper }, .now = clock_unix_ms() };

	if (!body)
		return;
	begin_account(x, body, &op, granting_provider(x, body));
	take_rights(x, body, &op.account);
	take_text(x, body, "username", &op.account.username);
	if (take_address(x, body, &op.account) && seal_grant(x, body, op.id, &op.sealed))
		api_change(&op.change);
	body_free(body);
}

/* By an administrator's word: there is no grant yet, and none that anybody could bring. */
static void create_tenant_account(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_tenant_account_new);
	struct account_op op = { .change = { .x = x, .apply = apply_create, .after = tell_keeper }, .now = clock_unix_ms() };

	if (!body)
		return;
	begin_account(x, body, &op, granting_provider(x, body));
	op.account.tenant = true;
	take_rights(x, body, &op.account);
	if (take_address(x, body, &op.account) && may_act(x, &op.account) && seal(x, "password", grant_write(&(struct oauth_grant){ 0 }, x->job), op.id, &op.sealed))
		api_change(&op.change);
	body_free(body);
}

/* The names in the body were tried before: here only what is wrong with the account can be wrong. */
static bool apply_patch(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;
	bool               places = false;

	if (!found(t, op, err))
		return false;
	take_places(c->x, op->body, &op->account, &places);
	take_text(c->x, op->body, "lang", &op->account.lang);
	take_text(c->x, op->body, "external_id", &op->account.external_id);
	if (places && op->account.state != ACCOUNT_PAUSED) {
		if (!may_try(t, op, err))
			return false;
		enter(&op->account, ACCOUNT_CONNECTING, op->now);
	}
	if (!account_update(t, &op->account, err) || (places && !keep_calendar(t, op, err)))
		return false;
	show(c, 200, &op->account);
	return true;
}

static bool places_are_fine(struct exchange *x, const cJSON *body)
{
	struct account tried = { 0 };
	bool           changed = false;

	return take_places(x, body, &tried, &changed);
}

static void change_account(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_account_change);
	struct account_op op = { .change = { .x = x, .apply = apply_patch, .after = tell_keeper }, .id = x->param[0], .body = body,
		.now = clock_unix_ms() };

	if (!body)
		return;
	if (places_are_fine(x, body) && seal_calendar_password(x, body, op.id, &op.calendar_sealed))
		api_change(&op.change);
	body_free(body);
}

/* By another provider: where the mailbox was until now means nothing to it. */
static void take_provider(struct exchange *x, const cJSON *body, struct account *a)
{
	const char *provider = json_text(body, "provider");

	if (!provider || strcmp(provider, a->provider) == 0)
		return;
	account_by_provider(a, arena_str(x->job, provider));
	a->username = a->ews_url = a->caldav_url = a->caldav_username = NULL;
	memset(a->host, 0, sizeof a->host);
	memset(a->port, 0, sizeof a->port);
}

static bool apply_reconnect(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;
	bool               places = false;

	if (!found(t, op, err) || !may_try(t, op, err))
		return false;
	take_provider(c->x, op->body, &op->account);
	if (account_has_grant(&op->account))
		return conflict(c, "it has a grant and no password: whoever owns it signs in again", err);
	take_places(c->x, op->body, &op->account, &places);
	enter(&op->account, ACCOUNT_CONNECTING, op->now);
	op->account.failures = 0;
	if (!account_update(t, &op->account, err) || !sealed_put(t, op->id, "password", op->sealed, err)
	    || !keep_calendar(t, op, err))
		return false;
	show(c, 200, &op->account);
	return true;
}

static void reconnect_account(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_reconnection);
	struct account_op op = { .change = { .x = x, .apply = apply_reconnect, .after = tell_keeper }, .id = x->param[0], .body = body,
		.now = clock_unix_ms() };

	if (!body)
		return;
	if (places_are_fine(x, body) && seal_password(x, body, op.id, &op.sealed)
	    && seal_calendar_password(x, body, op.id, &op.calendar_sealed))
		api_change(&op.change);
	body_free(body);
}

static bool apply_verify(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;

	if (!found(t, op, err))
		return false;
	if (op->account.state == ACCOUNT_PAUSED)
		return conflict(c, "the account is paused", err);
	if (!may_try(t, op, err))
		return false;
	enter(&op->account, ACCOUNT_CONNECTING, op->now);
	if (!account_update(t, &op->account, err))
		return false;
	show(c, 200, &op->account);
	return true;
}

static bool apply_pause(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;

	if (!found(t, op, err))
		return false;
	if (op->account.state != ACCOUNT_PAUSED) {
		if (!remember(t, op, err))
			return false;
		enter(&op->account, ACCOUNT_PAUSED, op->now);
		op->account.cursor = cursor_without_subscription(op->account.cursor, c->work);
		if (!account_update(t, &op->account, err) || !tell(t, op, "account.paused", err))
			return false;
	}
	show(c, 200, &op->account);
	return true;
}

static bool apply_resume(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;

	if (!found(t, op, err))
		return false;
	if (op->account.state != ACCOUNT_PAUSED)
		return conflict(c, "the account is not paused", err);
	if (!may_try(t, op, err))
		return false;
	enter(&op->account, ACCOUNT_CONNECTING, op->now);
	if (!account_update(t, &op->account, err) || !tell(t, op, "account.resumed", err))
		return false;
	show(c, 200, &op->account);
	return true;
}

static bool apply_remove(struct txn *t, struct change *c, struct error *err)
{
	struct account_op *op = (struct account_op *)c;
	cJSON             *data;

	if (!found(t, op, err) || !remember(t, op, err)
	    || (account_has_grant(&op->account) && !account_is_shared(t, &op->account, &op->shared, err)))
		return false;
	c->body = removal_json(&op->account, op->sealed.len == 0 ? GRANT_NONE : op->shared ? GRANT_SHARED : GRANT_OWN, c->x->lang);
	c->status = c->body ? 200 : 204;
	enter(&op->account, ACCOUNT_REMOVED, op->now);
	data = account_event_data(&op->account);
	if (!account_erase(t, op->id, op->now, err)) {
		cJSON_Delete(data);
		return false;
	}
	return event_tell(t, c->work, op->account.workspace, op->id, "account.removed", data, err);
}

static void simply(struct exchange *x, bool (*apply)(struct txn *, struct change *, struct error *))
{
	struct account_op op = { .change = { .x = x, .apply = apply, .after = part }, .id = x->param[0], .now = clock_unix_ms() };

	api_change(&op.change);
}

static void verify_account(struct exchange *x) { simply(x, apply_verify); }
static void pause_account(struct exchange *x)  { simply(x, apply_pause); }
static void resume_account(struct exchange *x) { simply(x, apply_resume); }
static void remove_account(struct exchange *x) { simply(x, apply_remove); }

/* -- looking ------------------------------------------------------------------------------------------------------------ */

/* account_get(), or account_get_brief() where the report is not asked for */
typedef bool account_getter(struct txn *, struct arena *, const char *, const char *, struct account *, struct error *);

struct account_look {
	struct exchange      *x;
	account_getter       *get;
	struct account        account;
	struct account_query  query;
	struct account_page   page;
};

static bool look_at_one(struct txn *t, void *self, struct error *err)
{
	struct account_look *l = self;

	return l->get(t, l->x->job, l->x->workspace, l->x->param[0], &l->account, err)
	    && (l->account.state != ACCOUNT_REMOVED || fail(err, FAULT_ABSENT, "a removed account"));
}

static bool look_up(struct exchange *x, account_getter *get, struct account *out)
{
	struct account_look l = { .x = x, .get = get };
	struct error        err = { 0 };

	if (!store_glance(x->service->store, look_at_one, &l, &err)) {
		answer_fault(x, &err);
		return false;
	}
	*out = l.account;
	return true;
}

static void get_account(struct exchange *x)
{
	struct account a;

	if (look_up(x, account_get_brief, &a))
		answer_json(x, 200, account_json(x, &a));
}

static void get_report(struct exchange *x)
{
	struct account a;
	cJSON         *report;

	if (!look_up(x, account_get, &a))
		return;
	report = a.report ? report_in_language(a.report, x->lang, x->job) : NULL;
	if (report)
		answer_json(x, 200, report);
	else
		answer_problem(x, 404, "request.absent", "There is no report yet", NULL, NULL, NULL);
}

static void get_progress(struct exchange *x)
{
	struct account a;
	cJSON         *steps = NULL, *o;
	bool           done = false;

	if (!look_up(x, account_get_brief, &a))
		return;
	if (!x->service->keeper || !keeper_progress(x->service->keeper, a.id, x->lang, &steps, &done)) {
		steps = cJSON_CreateArray();
		done = a.state != ACCOUNT_CONNECTING;
	}
	o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "done", done);
	cJSON_AddStringToObject(o, "state", account_state_name(a.state));
	cJSON_AddItemToObject(o, "steps", steps);
	answer_json(x, 200, o);
}

static bool look_at_page(struct txn *t, void *self, struct error *err)
{
	struct account_look *l = self;

	return account_list(t, l->x->job, &l->query, &l->page, err);
}

static bool query_is_fine(struct exchange *x, struct account_query *q)
{
	enum account_state state;
	long long          most;

	if (!query_number(x, "limit", 1, PAGE_MOST, 50, &most) || !query_text(x, "state", 20, &q->state) || !query_text(x, "cause", 60, &q->cause)
	    || !query_text(x, "external_id", 200, &q->external_id) || !query_text(x, "search", 254, &q->search)
	    || !query_text(x, "after", 300, &q->after))
		return false;
	if (q->state && !account_state_find(q->state, &state)) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "there is no such state", "state", NULL);
		return false;
	}
	if (q->cause && cause_find(q->cause) == CAUSE_NONE) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "there is no such cause", "cause", NULL);
		return false;
	}
	q->most = (size_t)most;
	q->workspace = x->workspace;
	return true;
}

static void list_accounts(struct exchange *x)
{
	struct account_look l = { .x = x };
	struct error        err = { 0 };
	cJSON              *items;

	if (!query_is_fine(x, &l.query))
		return;
	if (!store_read(x->service->store, look_at_page, &l, &err)) {
		answer_fault(x, &err);
		return;
	}
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.page.count; i++)
		cJSON_AddItemToArray(items, account_json(x, &l.page.item[i]));
	answer_json(x, 200, list_json(items, l.page.next));
}

const struct route routes_accounts[] = {
	{ "GET",    "/v1/accounts",                GUARD_KEY, SCOPE_ACCOUNTS_READ,  list_accounts },
	{ "POST",   "/v1/tenant-accounts",       GUARD_KEY, SCOPE_ACCOUNTS_WRITE, create_tenant_account },
	{ "POST",   "/v1/grants",                  GUARD_KEY, SCOPE_ACCOUNTS_WRITE, create_granted_account },
	{ "POST",   "/v1/accounts",                GUARD_KEY, SCOPE_ACCOUNTS_WRITE, create_account },
	{ "GET",    "/v1/accounts/{id}",           GUARD_KEY, SCOPE_ACCOUNTS_READ,  get_account },
	{ "PATCH",  "/v1/accounts/{id}",           GUARD_KEY, SCOPE_ACCOUNTS_WRITE, change_account },
	{ "DELETE", "/v1/accounts/{id}",           GUARD_KEY, SCOPE_ACCOUNTS_WRITE, remove_account },
	{ "POST",   "/v1/accounts/{id}/verify",    GUARD_KEY, SCOPE_ACCOUNTS_WRITE, verify_account },
	{ "POST",   "/v1/accounts/{id}/pause",     GUARD_KEY, SCOPE_ACCOUNTS_WRITE, pause_account },
	{ "POST",   "/v1/accounts/{id}/resume",    GUARD_KEY, SCOPE_ACCOUNTS_WRITE, resume_account },
	{ "POST",   "/v1/accounts/{id}/reconnect", GUARD_KEY, SCOPE_ACCOUNTS_WRITE, reconnect_account },
	{ "GET",    "/v1/accounts/{id}/report",    GUARD_KEY, SCOPE_ACCOUNTS_READ,  get_report },
	{ "GET",    "/v1/accounts/{id}/progress",  GUARD_KEY, SCOPE_ACCOUNTS_READ,  get_progress },
	{ 0 }
};
