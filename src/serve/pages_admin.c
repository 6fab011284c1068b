/* pages_admin.c -- /admin/{token}: what an administrator has to do for one mailbox, and nothing else.
 *
 * Two kinds of links lead here: those signed by us, which a person hands on (signed_link.h), and those of kind "admin" that the API
 * made and the store keeps. Either opens nothing any more once its link is revoked: the former with the connect link it was handed out for.
 */
#include <string.h>

#include "base/clock.h"
#include "serve/approval.h"
#include "serve/budget.h"
#include "serve/keeper.h"
#include "serve/keys.h"
#include "serve/pages.h"
#include "serve/render.h"
#include "serve/signed_link.h"
#include "serve/signin_account.h"
#include "serve/signin_place.h"
#include "store/accounts.h"
#include "store/links.h"
#include "store/workspaces.h"

struct case_file {
	struct exchange *x;
	const char      *path;
	const char      *hash;              /* of a token that the store keeps; NULL: the link is signed … */
	const char      *link;              /* the kept one, or in whose name it is signed                 */
	const char      *id;                /* of the account                                            */
	int64_t          expires, now;
	struct account   account;
	struct workspace workspace;
	struct our_addresses ours;
	bool             changed;
};

static bool look_link(struct txn *t, struct case_file *f, struct error *err)
{
	struct link l;

	if (!(f->hash ? link_by_hash(t, f->x->job, f->hash, &l, err) : link_by_id(t, f->x->job, f->link, &l, err)))
		return false;
	if (strcmp(l.kind, f->hash ? "admin" : "connect") != 0 || !l.account)
		return fail(err, FAULT_ABSENT, "a link of another kind");
	f->id = l.account;
	f->link = l.id;
	if (f->hash)
		f->expires = l.expires;
	return true;
}

static bool look(struct txn *t, void *self, struct error *err)
{
	struct case_file *f = self;

	return look_link(t, f, err) && account_get(t, f->x->job, NULL, f->id, &f->account, err)
	    && workspace_get(t, f->x->job, f->account.workspace, &f->workspace, err)
	    && our_addresses_read(t, f->x->service->settings, f->x->job, f->now, &f->ours, err);
}

static void refuse(struct case_file *f, enum link_trouble trouble)
{
	struct page *p = pages_begin(f->x);

	pages_answer(f->x, p, trouble == LINK_EXPIRED ? 410 : 404, render_link(p, &(struct link_page){ trouble, f->expires, f->path }));
}

/* False: the answer is given. */
static bool open_case(struct exchange *x, struct case_file *f)
{
	const char  *token = x->param[0];
	struct error err = { 0 };

	*f = (struct case_file){ .x = x, .path = arena_print(x->job, "/admin/%s", token), .now = clock_unix_ms() };
	if (!strchr(token, '.')) {
		f->hash = token_hash(token, x->job);
	} else if (!signed_link_read(x->service->vault, token, x->job, &f->link, &f->expires)) {
		refuse(f, LINK_UNKNOWN);
		return false;
	}
	if (store_read(x->service->store, look, f, &err)) {
		if (f->expires > f->now && (f->hash || f->expires > x->service->was_ms))
			return true;
		refuse(f, LINK_EXPIRED);
	} else if (err.fault == FAULT_ABSENT) {
		refuse(f, LINK_UNKNOWN);
	} else {
		pages_trouble(x, f->path);
	}
	return false;
}

static void answer_admin(struct exchange *x)
{
	struct case_file  f;
	struct retold     report;
	struct admin_page a = { 0 };
	struct approval   approval;
	struct page      *p;

	if (!open_case(x, &f))
		return;
	if (f.account.report && retell(f.account.report, x->lang, x->job, &report, NULL))
		a.report = &report;
	a.path = f.path;
	a.product = f.workspace.name;
	a.csrf = http_csrf(x);
	a.ours = &f.ours;
	a.account = &f.account;
	a.expires = f.expires;
	if (approval_of(x, f.link, &f.account, a.report, f.path, &approval))
		a.approval = &approval;
	p = pages_begin(x);
	pages_answer(x, p, 200, render_admin(p, &a));
}

static bool may_be_checked(const struct account *a)
{
	return a->state != ACCOUNT_CONNECTING && a->state != ACCOUNT_PAUSED && a->state != ACCOUNT_REMOVED && a->state != ACCOUNT_CONNECTED;
}

/* Nothing was ever granted: only the person's own browser can find out, and may now. */
static bool is_for_their_browser(struct txn *t, struct case_file *f, const struct account *a)
{
	struct slice sealed;
	struct error none = { 0 };

	return signin_place(a->provider) && !sealed_get(t, f->x->job, a->id, "password", &sealed, &none);
}

static bool ask_for_check(struct txn *t, void *self, struct error *err)
{
	struct case_file *f = self;
	struct account    now;
	bool              may;

	if (!account_get(t, f->x->job, NULL, f->id, &now, err) || !budget_left(t, f->x->service, f->id, &may, err))
		return false;
	f->changed = may && may_be_checked(&now);
	if (!f->changed)
		return true;
	if (is_for_their_browser(t, f, &now)) {
		f->changed = false;
		now.failures = 0;
		now.state = signin_goes_on(&now) ? now.state : ACCOUNT_NEEDS_USER;
		return account_update(t, &now, err);
	}
	now.state = ACCOUNT_CONNECTING;
	now.state_since = f->now;
	now.next_try = 0;
	return account_update(t, &now, err);
}

static void check_again(struct exchange *x)
{
	struct case_file f;

	if (!open_case(x, &f))
		return;
	if (!store_write_wait(x->service->store, ask_for_check, &f, NULL)) {
		pages_trouble(x, f.path);
		return;
	}
	if (f.changed)
		keeper_changed(x->service->keeper, f.id);
	answer_redirect(x, f.path);
}

/* For web/again.js. */
static void answer_state(struct exchange *x)
{
	struct case_file f;
	cJSON           *o;

	if (!open_case(x, &f))
		return;
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "state", account_state_name(f.account.state));
	if (f.account.cause)
		cJSON_AddStringToObject(o, "cause", f.account.cause);
	answer_json(x, 200, o);
}

const struct route routes_admin[] = {
	{ "GET",  "/admin/{token}",            GUARD_LINK, 0, answer_admin },
	{ "POST", "/admin/{token}",            GUARD_FORM, 0, check_again  },
	{ "GET",  "/admin/{token}/state.json", GUARD_NONE, 0, answer_state },
	{ 0 }
};
