#include "serve/approval.h"
#include "serve/demo_parts.h"

#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "connect/grant.h"
#include "flow_signin.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/keeper.h"
#include "serve/kept.h"
#include "serve/keys.h"
#include "serve/pages.h"
#include "serve/registration.h"
#include "serve/signin_account.h"
#include "store/consents.h"
#include "store/links.h"

#define MARK       "consent."     /* before the dice of such a state */
#define STATE_DICE 40
#define COLLEAGUES_MOST 100       /* of one organisation, that go on by the same consent */

/* -- what they are told ------------------------------------------------------------------------------------------- */

struct asking {
	struct exchange   *x;
	const char        *link, *account, *path;
	int64_t            now;
	struct consent_row row;
	bool               fresh;
	const char        *state;
};

static const char *label_of(const struct consent_row *row, struct arena *job)
{
	return arena_print(job, "%s/consent", row->id);
}

/* Of "STATE /admin/TOKEN". */
static bool open_row(struct exchange *x, const struct consent_row *row, const char **state, const char **path, struct error *err)
{
	struct slice plain;

	if (!vault_unseal(x->service->vault, label_of(row, x->job), row->sealed, x->job, &plain, err))
		return false;
	*state = arena_copy(x->job, slice_cut(&plain, ' '));
	*path = arena_copy(x->job, plain);
	return true;
}

static bool look_for_state(struct txn *t, void *self, struct error *err)
{
	struct asking *a = self;

	return consent_of_link(t, a->x->job, a->link, a->account, a->now + CONSENT_MS / 2, &a->row, err);
}

static bool keep_state(struct txn *t, void *self, struct error *err)
{
	return consent_insert(t, &((struct asking *)self)->row, err);
}

static bool make_state(struct asking *a, struct error *err)
{
	struct exchange *x = a->x;

	a->state = arena_print(x->job, MARK "%s", random_text(x->job, STATE_DICE));
	a->row = (struct consent_row){ .id = token_hash(a->state, x->job), .link = a->link, .account = a->account, .created = a->now,
		.expires = a->now + CONSENT_MS };
	return vault_seal(x->service->vault, label_of(&a->row, x->job), slice_str(arena_print(x->job, "%s %s", a->state, a->path)), x->job,
	                  &a->row.sealed, err)
	    && store_write_wait(x->service->store, keep_state, a, err);
}

/* The one that the page has shown before, while it lasts: whoever loads it again makes no more of them. NULL: none can be kept now, and
 * then nobody waits for what comes back. */
static const char *state_for(struct exchange *x, const char *link, const char *account, const char *path)
{
	struct asking a = { .x = x, .link = link, .account = account, .path = path, .now = clock_unix_ms() };
	const char   *before;
	struct error  err = { 0 };

	if (store_read(x->service->store, look_for_state, &a, &err) && open_row(x, &a.row, &a.state, &before, &err))
		return a.state;
	return !pages_only_looks(x) && make_state(&a, &err) ? a.state : NULL;
}

static const char *value_of(const struct retold_cause *c, const char *name)
{
	for (size_t i = 0; i < c->told.values; i++)
		if (strcmp(c->told.value[i].name, name) == 0)
			return c->told.value[i].text;
	return NULL;
}

/* Nothing of an organisation at Google's has to be known: its console is the same for all. */
static void approval_at_google(struct exchange *x, const struct account *account, struct approval *out)
{
	*out = (struct approval){ .address = account->address, .app = x->service->app.google.client_id, .portal = "https://admin.google.com",
		.scopes = signin_scopes(signin_provider("google"), account_terms(account), true, x->job) };
}

/* As it was found, as the settings have it where it is one organisation's; the domain does as well (facts M A.1). */
static const char *tenant_of(const struct retold_cause *c, const struct microsoft_app *app, const struct account *account,
                             struct arena *job)
{
	static const char *const shared[] = { "common", "organizations", "consumers" };
	struct mail_address      address;
	const char              *problem, *known = value_of(c, "tenant");
	bool                     one = app->tenant != NULL;

	for (size_t i = 0; one && i < COUNT(shared); i++)
		one = strcmp(app->tenant, shared[i]) != 0;
	if (known || one)
		return known ? known : app->tenant;
	return mail_address_parse(account->address, job, &address, &problem) ? address.domain : "organizations";
}

bool approval_of(struct exchange *x, const char *link, const struct account *account, const struct retold *r, const char *path,
                 struct approval *out)
{
	const struct retold_cause *c = r && r->causes ? &r->cause[0] : NULL;
	const struct microsoft_app *app = &x->service->app.microsoft;
	const struct signin_place *place = c ? approval_place(c) : NULL;
	const char                *to;

	if (!c || !approval_has(c) || (place && !registered_at(&x->service->app, place)))
		return false;
	if (place && place->at == SIGNIN_GOOGLE) {
		approval_at_google(x, account, out);
		return true;
	}
	*out = (struct approval){ .address = account->address, .app = app->client_id,
		.portal = signin_portal(app, x->job), .scopes = signin_scopes(signin_provider("microsoft"), account_terms(account), true, x->job),
		.verified = microsoft_publisher_verified(x->service->settings) };
	out->tenant = tenant_of(c, app, account, x->job);
	if (!approval_asks_for_consent(c))
		return true;
	to = redirect_uri(x->service, signin_place("microsoft"), x->job);
	out->consent_url = signin_consent_url(app, account_terms(account), out->tenant, to, state_for(x, link, account->id, path),
	                                      x->job);
	out->consent_door = demo_onward(x->service, out->consent_url, NULL, x->job);
	return true;
}

/* -- what comes back ---------------------------------------------------------------------------------------------- */

struct consent {
	struct exchange             *x;
	const struct oauth_callback *brought;
	int64_t                      now;
	/* what came of it */
	struct consent_row           row;
	struct account               account;
	const char                  *report;     /* of it, as it is kept */
	bool                         changed;
	const char                 **also;       /* ids of others that go on with what was granted before */
	size_t                       alsos;
};

bool approval_is(const struct oauth_callback *c)
{
	return c->state && slice_starts(slice_str(c->state), MARK);
}

/* `admin_consent=True` stands beside errors as well. A code that comes with it is nobody's: nobody signs in here (facts M A.7). */
static bool is_granted(const struct oauth_callback *c)
{
	return c->admin_consent && !c->error;
}

/* Then it needs no browser. */
static bool has_grant_kept(struct consent *c, struct txn *t, const struct account *a)
{
	struct exchange       *x = c->x;
	struct slice           sealed, plain;
	struct oauth_grant grant;
	struct error           none = { 0 };

	return sealed_get(t, x->job, a->id, "password", &sealed, &none)
	    && vault_unseal(x->service->vault, arena_print(x->job, "%s/password", a->id), sealed, x->job, &plain, &none)
	    && grant_read(plain, x->job, &grant);
}

/* The verdict about one of them. */
static void judge(struct consent *c, struct account *a)
{
	static const struct oauth_callback granted = { .admin_consent = true };
	const struct oauth_callback *brought = is_granted(c->brought) ? &granted : c->brought;
	struct verdict               v;
	struct apps                  apps = registered_as(&c->x->service->app);
	CLEANUP(report) struct report *r = signin_refused(&(struct signin_asked){ signin_provider("microsoft"), &apps, a->address,
	                                                                          account_terms(a).rights, c->now / 1000 }, brought, &v);

	c->report = save_report(r, &v, c->x->job);
	if (is_granted(c->brought))
		signin_judge(a, &v, c->report, c->now);
}

static bool record(struct consent *c, struct txn *t, struct account *a, struct error *err)
{
	if (has_grant_kept(c, t, a))
		account_begin_again(a, c->now);
	else
		judge(c, a);
	return account_update(t, a, err)
	    && event_tell(t, c->x->job, a->workspace, a->id, "account.approved", account_event_data(a), err);
}

static bool waits_for_the_same(const struct account *a, const struct account *of)
{
	const char *at = strrchr(a->key, '@'), *domain = strrchr(of->key, '@');

	return strcmp(a->id, of->id) != 0 && at && domain && strcmp(at, domain) == 0 && strcmp(a->provider, "microsoft") == 0 && a->cause
	    && (strcmp(a->cause, "microsoft.admin_approval_required") == 0 || strcmp(a->cause, "microsoft.admin_approval_pending") == 0);
}

/* It was given for the whole organisation: whoever else of it waits here need not be handed over once more. */
static bool record_colleagues(struct consent *c, struct txn *t, struct error *err)
{
	struct account_query q = { .workspace = c->account.workspace, .state = account_state_name(ACCOUNT_NEEDS_ADMIN),
		.search = strrchr(c->account.key, '@'), .most = COLLEAGUES_MOST };
	struct account_page  page;

	if (!account_list(t, c->x->job, &q, &page, err))
		return false;
	c->also = arena_get(c->x->job, (page.count + 1) * sizeof *c->also);
	c->alsos = 0;
	for (size_t i = 0; i < page.count; i++) {
		struct account *a = &page.item[i];

		if (!waits_for_the_same(a, &c->account))
			continue;
		if (!record(c, t, a, err))
			return false;
		if (a->state == ACCOUNT_CONNECTING)
			c->also[c->alsos++] = a->id;
	}
	return true;
}

static bool look(struct txn *t, void *self, struct error *err)
{
	struct consent *c = self;
	struct link     link;

	/* revoked with the link that it was shown for */
	return consent_find(t, c->x->job, token_hash(c->brought->state, c->x->job), c->now, &c->row, err)
	    && link_by_id(t, c->x->job, c->row.link, &link, err) && account_get(t, c->x->job, NULL, c->row.account, &c->account, err);
}

static bool take(struct txn *t, void *self, struct error *err)
{
	struct consent *c = self;

	c->changed = false;
	if (!look(t, c, err) || !consent_take(t, c->x->job, c->row.id, c->now, &c->row, err))
		return false;
	c->changed = is_granted(c->brought) && !signin_goes_on(&c->account) && c->account.state != ACCOUNT_REMOVED;
	if (!c->changed)
		return true;
	return record(c, t, &c->account, err) && record_colleagues(c, t, err);
}

static void notice(struct exchange *x, int status, const char *key)
{
	struct page *p = pages_begin(x);

	pages_answer(x, p, status, render_notice(p, &(struct notice_page){ key, signin_place("microsoft")->callback }));
}

/* Not one that waits: taken already, over, or made up. What was decided at Microsoft is so all the same. */
static void not_waited_for(struct exchange *x, const struct oauth_callback *brought)
{
	if (is_granted(brought))
		notice(x, 200, "signin.consent");
	else
		notice(x, 403, "signin.refused");
}

static void show_refusal(struct consent *c, const char *path)
{
	struct page   *p = pages_begin(c->x);
	struct retold  report;
	struct refused_page r = { .path = path };

	if (retell(c->report, c->x->lang, c->x->job, &report, NULL))
		r.report = &report;
	pages_answer(c->x, p, 200, render_consent_refused(p, &r));
}

static void answer(struct consent *c, const char *path)
{
	if (is_granted(c->brought))
		answer_redirect(c->x, path);
	else
		show_refusal(c, path);
	if (c->changed && c->account.state == ACCOUNT_CONNECTING)
		keeper_changed(c->x->service->keeper, c->account.id);
	for (size_t i = 0; c->changed && i < c->alsos; i++)
		keeper_changed(c->x->service->keeper, c->also[i]);
}

void approval_come_back(struct exchange *x, const struct oauth_callback *brought)
{
	struct consent c = { .x = x, .brought = brought, .now = clock_unix_ms() };
	struct error   err = { 0 };
	const char    *state, *path;

	/* a code alone is what a sign-in brings: not an answer to this, which still waits */
	if (!registered_at(&x->service->app, signin_place("microsoft")) || (!brought->admin_consent && !brought->error)) {
		not_waited_for(x, brought);
		return;
	}
	if (store_read(x->service->store, look, &c, &err) && open_row(x, &c.row, &state, &path, &err)) {
		if (!is_granted(brought))
			judge(&c, &c.account);
		if (store_write_wait(x->service->store, take, &c, &err)) {
			answer(&c, path);
			return;
		}
	}
	if (err.fault == FAULT_LOCAL || err.fault == FAULT_BUSY)
		pages_trouble(x, NULL);
	else
		not_waited_for(x, brought);
}
