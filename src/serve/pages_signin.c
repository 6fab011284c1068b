/* pages_signin.c -- out to a provider's sign-in page, and back.
 *
 * Who leaves is remembered by the hash of a state that only their browser and that provider know, with that browser, that link and that
 * address; the verifier stays here, sealed, and so does the nonce that must come back in the id_token. Whoever comes back without all of
 * it is told so, and nothing else is done. An account of somebody else is refused before anything of it is kept, and so is an id_token
 * that is not believed; so is what the provider itself refuses, but for the verdict about the address that was asked for, which an
 * administrator may have to see.
 *
 * Whoever left for one provider comes back from that one: a code of another's is not even shown to it.
 *
 * Once an administrator has done their part the same browser goes there again by itself, and no page is shown (signin_account.h). Who never
 * comes back may paste what the provider's own page says.
 */
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "connect/grant.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/approval.h"
#include "serve/budget.h"
#include "serve/connect_parts.h"
#include "serve/demo_parts.h"
#include "serve/http_parts.h"
#include "serve/keeper.h"
#include "serve/kept.h"
#include "serve/keys.h"
#include "serve/pages.h"
#include "serve/redeemer.h"
#include "serve/registration.h"
#include "serve/signin_account.h"
#include "store/signins.h"

#define AWAY_MS       (15 * 60 * (int64_t)1000)      /* a second factor, a forgotten password */
#define STATE_DICE    40
#define NONCE_DICE    32
#define VERIFIER_DICE 64                             /* RFC 7636 4.1: 43 to 128               */
#define SILENT        "silent."                      /* before the dice of the state of who is sent without a page */
#define PASTED_MOST   ((size_t)32 * 1024)            /* a page, and whatever was copied with it       */

static const struct rate_limit of_link = { .burst = 30 };

/* -- out ---------------------------------------------------------------------------------------------------------- */

struct departure {
	struct visitor    *v;
	const struct signin_place *place;
	struct mail_address address;
	const char        *delegate;         /* who shall sign in for it; NULL: whose it is             */
	struct signin_row  row;
	bool               taken;            /* another account of the workspace has that mailbox */
	bool               silent;
	struct connect_page *form;          /* as it was filled in */
	const char        *url;
	struct rehearsal   rehearsal;
	struct store_write write;
};

/* What is wrong with the address as it was typed, a key of "page/…"; NULL: nothing. */
static const char *address_problem(struct departure *d, const char *typed)
{
	struct arena       *job = d->v->x->job;
	struct mail_address wanted;
	const char         *problem, *fixed = visitor_address(d->v);

	if (!text_is_utf8(typed) || !mail_address_parse(typed, job, &d->address, &problem))
		return "wrong.address";
	if (fixed && (!mail_address_parse(fixed, job, &wanted, &problem)
	              || strcmp(mail_address_key(&wanted, job), mail_address_key(&d->address, job)) != 0))
		return "wrong.other_address";
	return NULL;
}

static bool is_anothers(struct txn *t, struct visitor *v, const char *key)
{
	const char *id;

	return account_by_key(t, v->x->job, v->link.workspace, key, &id, NULL) && !(v->has_account && strcmp(id, v->account.id) == 0);
}

/* Before it begins, so that it has an end whatever comes of it. */
static bool count_silent(struct txn *t, struct visitor *v, struct error *err)
{
	struct account now;

	if (!account_get(t, v->x->job, v->link.workspace, v->account.id, &now, err))
		return false;
	if (!signin_may_be_silent(&now))
		return fail(err, FAULT_REFUSED, "it is not due any more");
	now.failures++;
	now.state_since = v->now;
	return account_update(t, &now, err);
}

static bool keep_departure(struct txn *t, void *self, struct error *err)
{
	struct departure *d = self;
	struct visitor   *v = d->v;

	d->taken = false;
	if (!link_open(t, v->link.id, v->session, err))
		return false;
	d->taken = is_anothers(t, v, mail_address_key(&d->address, v->x->job));
	return d->taken ? fail(err, FAULT_REFUSED, "another account has that mailbox")
	                : (!d->silent || count_silent(t, v, err)) && signin_insert(t, &d->row, err);
}

static bool seal_departure(struct departure *d, const char *state, const struct oauth_code *code, struct error *err)
{
	struct visitor    *v = d->v;
	struct arena      *job = v->x->job;
	struct signin_away away;

	d->row = (struct signin_row){ .id = token_hash(state, job), .link = v->link.id, .session = v->session, .address = d->address.text,
		.created = v->now, .expires = v->now + AWAY_MS };
	/* the link's token is kept nowhere else, and the way back leads through it */
	away = (struct signin_away){ code->verifier, code->nonce, v->path, d->delegate, d->place->name };
	return signin_away_seal(v->x->service->vault, d->row.id, &away, job, &d->row.sealed, err);
}

static const char *who(const struct departure *d)
{
	return d->delegate ? d->delegate : d->address.text;
}

/* Whoever was connected before is known there; at first the person picks, so that nobody else's account is taken silently. */
static const char *hint_for(const struct departure *d)
{
	const struct visitor *v = d->v;

	return v->has_account && v->account.last_ok && strcmp(v->account.provider, d->place->name) == 0 ? who(d) : NULL;
}

static enum rights rights_for(const struct visitor *v, const struct signin_place *place)
{
	return signin_rights(place->name, usual_rights(&v->x->service->app, place), v->link.rights, v->has_account ? &v->account : NULL);
}

static void send_on(struct visitor *v, const struct signin_place *place, const char *url)
{
	struct page *p = pages_begin(v->x);

	pages_answer(v->x, p, 200, render_onward(p, &(struct onward_page){ v->path, url, place }));
}

/* The operator's matter, known before anybody was sent there: nothing of it is kept, and nobody is sent. */
static void show_unknown(struct departure *d)
{
	struct visitor    *v = d->v;
	struct exchange   *x = v->x;
	struct apps        apps = registered_as(&x->service->app);
	struct verdict     verdict;
	struct retold      retold;
	struct page       *p = pages_begin(x);
	enum rights        rights = rights_for(v, d->place);
	struct account     a = signin_account(v->has_account ? &v->account : NULL, d->place->name, v->link.workspace, d->address.text,
	                                      x->lang->tag, rights, v->now, x->job);
	struct result_page page = { .path = v->path, .product = v->workspace.name, .csrf = http_csrf(x), .account = &a, .unkept = true };
	const struct signin_asked asked = { signin_provider(d->place->name), &apps, d->address.text, rights, v->now / 1000 };
	CLEANUP(report) struct report *r = signin_unknown(&asked, d->rehearsal.code, &verdict);
	const char        *report = save_report(r, &verdict, x->job);

	signin_judge(&a, &verdict, report, v->now);
	if (retell(report, x->lang, x->job, &retold, NULL))
		page.report = &retold;
	pages_answer(x, p, 503, render_result(p, &page));
}

/* Once it is known whether they may, and whether it was kept. */
static void left(struct departure *d)
{
	struct visitor  *v = d->v;
	enum fault       fault = d->write.err.fault;

	if (*d->rehearsal.code) {
		show_unknown(d);
	} else if (d->write.ok) {
		send_on(v, d->place, d->url);
	} else if (d->taken) {
		d->form->wrong[INPUT_ADDRESS] = "wrong.taken";
		connect_form_show(v, 409, d->form);
	} else if (d->silent && fault == FAULT_REFUSED) {
		answer_redirect(v->x, arena_print(v->x->job, "%s/result", v->path));
	} else if (fault == FAULT_REFUSED || fault == FAULT_ABSENT) {
		visitor_refuse(v, LINK_ELSEWHERE);
	} else {
		pages_trouble(v->x, v->path);
	}
}

static void finish_leaving(struct exchange *x)
{
	left(x->finisher);
}

static void departure_kept(struct store_write *w)
{
	http_wake(((struct departure *)w->self)->v->x);
}

/* In the redeemer's thread. */
static void rehearsed(struct rehearsal *r)
{
	struct departure *d = (struct departure *)((char *)r - offsetof(struct departure, rehearsal));

	if (*r->code)
		http_wake(d->v->x);
	else
		store_write(d->v->x->service->store, &d->write);
}

/* The first of them waits for what the provider's page says of us; whoever comes after does not. */
static bool is_rehearsed(struct departure *d)
{
	struct exchange *x = d->v->x;

	d->write = (struct store_write){ .apply = keep_departure, .done = departure_kept, .self = d };
	d->rehearsal = (struct rehearsal){ .at = signin_provider(d->place->name), .apps = registered_as(&x->service->app),
		.redirect_uri = redirect_uri(x->service, d->place, x->job), .rights = rights_for(d->v, d->place), .rehearsed = rehearsed };
	x->finish = finish_leaving;
	x->finisher = d;
	if (x->service->redeemer && redeemer_rehearse(x->service->redeemer, &d->rehearsal))
		return false;
	x->finish = NULL;
	return true;
}

/* All that it leads to is in the request's arena: it may outlast the handler. */
static void leave(struct departure *d)
{
	struct visitor       *v = d->v;
	struct exchange      *x = v->x;
	struct apps           apps = registered_as(&x->service->app);
	struct oauth_code code = { NULL, random_text(x->job, VERIFIER_DICE), redirect_uri(x->service, d->place, x->job),
		random_text(x->job, NONCE_DICE) };
	struct oauth_departure with = { .state = random_text(x->job, STATE_DICE), .nonce = code.nonce, .login_hint = hint_for(d),
		.shared = d->delegate != NULL, .silent = d->silent, .rights = rights_for(v, d->place) };
	struct error          err = { 0 };

	if (d->silent) {
		with.state = arena_print(x->job, SILENT "%s", with.state);
		with.login_hint = who(d);
	}
	d->url = demo_onward(x->service, signin_url(signin_provider(d->place->name), &apps, &code, &with, x->job), who(d), x->job);
	if (!seal_departure(d, with.state, &code, &err)) {
		pages_trouble(x, v->path);
		return;
	}
	if (!is_rehearsed(d))
		return;
	d->write.ok = !*d->rehearsal.code && store_write_wait(x->service->store, keep_departure, d, &d->write.err);
	left(d);
}

static struct departure *departure_new(const struct visitor *v, const struct signin_place *place, const struct connect_page *form)
{
	struct arena     *job = v->x->job;
	struct departure *d = arena_get(job, sizeof *d);

	d->v = arena_get(job, sizeof *d->v);
	d->form = arena_get(job, sizeof *d->form);
	*d->v = *v;
	*d->form = *form;
	d->place = place;
	return d;
}

/* As it was typed; a form without that field means whoever it was before. A name that is no address was one for a password. */
static const char *name_delegate(struct departure *d, struct connect_page *form)
{
	struct visitor     *v = d->v;
	bool                typed = http_form(v->x, connect_input_name(INPUT_USERNAME)) != NULL;
	const char         *problem;
	struct mail_address name;

	if (!d->place->delegates)
		return NULL;
	if (!typed && v->has_account && strcmp(v->account.provider, d->place->name) == 0)
		form->value[INPUT_USERNAME] = v->account.username;
	d->delegate = delegate_of(form->value[INPUT_USERNAME], d->address.text);
	if (d->delegate && (!text_is_utf8(d->delegate) || strchr(d->delegate, ' ')
	                    || !mail_address_parse(d->delegate, v->x->job, &name, &problem)))
		return "wrong.username";
	return NULL;
}

void visitor_leave(struct visitor *v, const struct signin_place *place, struct connect_page *form)
{
	struct departure *d = departure_new(v, place, form);
	const char       *fixed = visitor_address(v);

	form = d->form;
	form->value[INPUT_PROVIDER] = place->name;
	form->wrong[INPUT_ADDRESS] = address_problem(d, fixed && !*form->value[INPUT_ADDRESS] ? fixed : form->value[INPUT_ADDRESS]);
	if (!form->wrong[INPUT_ADDRESS])
		form->wrong[INPUT_USERNAME] = name_delegate(d, form);
	if (form->wrong[INPUT_ADDRESS] || form->wrong[INPUT_USERNAME])
		connect_form_show(v, 422, form);
	else if (!registered_at(&v->x->service->app, place))
		connect_form_show(v, 503, form);
	else if (!http_may(v->x, arena_print(v->x->job, "signin %s", v->link.id), of_link))
		pages_trouble(v->x, v->path);
	else
		leave(d);
}

/* The one in the path. NULL: the answer is given. */
static const struct signin_place *place_asked(struct exchange *x)
{
	const struct signin_place *place = signin_place(x->param[1]);

	if (!place)
		answer_fault(x, &(struct error){ .fault = FAULT_ABSENT });
	return place;
}

static void go_there(struct exchange *x)
{
	const struct signin_place *place = place_asked(x);
	struct visitor             v;
	struct connect_page        form = { 0 };

	if (!place || !visitor_arrive(x, &v))
		return;
	connect_form_read(x, &form);
	visitor_leave(&v, place, &form);
}

/* Where the result leads once an administrator has done their part; any time else, back there. */
static void go_silently(struct exchange *x)
{
	struct visitor       v;
	const struct signin_place *place = place_asked(x);
	struct departure    *d;
	const char          *problem;

	if (!place || !visitor_arrive(x, &v))
		return;
	d = departure_new(&v, place, &(struct connect_page){ .value = { [INPUT_ADDRESS] = v.account.address,
	                                                                [INPUT_PROVIDER] = place->name } });
	d->silent = true;
	if (!v.has_account || pages_only_looks(x) || !signin_may_be_silent(&v.account) || signin_silent_from(&v.account) > v.now
	    || strcmp(v.account.provider, place->name) != 0 || !registered_at(&x->service->app, place)
	    || !mail_address_parse(v.account.address, x->job, &d->address, &problem)) {
		answer_redirect(x, arena_print(x->job, "%s/result", v.path));
		return;
	}
	d->delegate = delegate_of(v.account.username, d->address.text);
	leave(d);
}

/* -- back --------------------------------------------------------------------------------------------------------- */

struct comeback {
	struct redemption     redemption;    /* first */
	struct exchange      *x;
	const struct signin_place *place;
	struct apps           apps;
	struct oauth_callback brought;
	struct signin_row     row;
	const char           *delegate;      /* who was to sign in for that address; NULL: whose it is       */
	struct visitor        v;
	/* what came of it */
	const char           *report;        /* as it is kept                                        */
	bool                  well, shown;   /* shown: and nothing is kept                           */
	struct account        account;       /* as it shall be                                       */
	struct slice          sealed;
	bool                  taken, spent;
	struct store_write    write;
};

/* To a stranger, or whoever comes too late: not a word about whether there is such a sign-in. */
static void refuse(struct exchange *x, int status, const char *key)
{
	struct page *p = pages_begin(x);

	pages_answer(x, p, status, render_notice(p, &(struct notice_page){ key, x->path }));
}

static bool take_row(struct txn *t, void *self, struct error *err)
{
	struct comeback *c = self;
	const char      *cookie = http_cookie(c->x, "mm_browser");

	return signin_take(t, c->x->job, token_hash(c->brought.state, c->x->job), token_hash(cookie, c->x->job), clock_unix_ms(), &c->row,
	                   err);
}

static bool open_row(struct comeback *c, struct error *err)
{
	struct exchange   *x = c->x;
	struct signin_away away;
	const char        *token;

	if (!signin_away_open(x->service->vault, &c->row, x->job, &away, err))
		return false;
	if (strcmp(away.provider, c->place->name) != 0)
		return fail(err, FAULT_REFUSED, "somebody who left for %s", away.provider);
	token = strrchr(away.path, '/');
	if (!token)
		return fail(err, FAULT_BROKEN, "no way back");
	c->delegate = away.delegate;
	c->redemption.request.code.verifier = away.verifier;
	c->redemption.request.code.nonce = away.nonce;
	return visitor_look(&c->v, away.path, token_hash(token + 1, x->job), x, err);
}

/* The link may have been used for another mailbox meanwhile, or be open elsewhere. */
static bool still_fits(const struct comeback *c)
{
	const struct visitor *v = &c->v;
	const char           *fixed = visitor_address(v), *problem;
	struct mail_address   wanted, asked;

	if (!v->link.session || strcmp(v->link.session, c->row.session) != 0 || (v->link.used && !v->has_account))
		return false;
	return !fixed || (mail_address_parse(fixed, c->x->job, &wanted, &problem)
	                  && mail_address_parse(c->row.address, c->x->job, &asked, &problem)
	                  && strcmp(mail_address_key(&wanted, c->x->job), mail_address_key(&asked, c->x->job)) == 0);
}

static void account_as_asked(struct comeback *c)
{
	const struct visitor *v = &c->v;

	c->account = signin_account(v->has_account ? &v->account : NULL, c->place->name, v->link.workspace, c->row.address, c->x->lang->tag,
	                            rights_for(v, c->place), v->now, c->x->job);
	c->account.username = c->delegate;
}

/* Sent without a page, and not for good: the account stays as it was, and is tried again in a moment, or by the person. */
static bool is_put_off(struct comeback *c)
{
	enum silent_end end = SILENT_JUDGED;

	if (c->v.has_account && c->brought.error && slice_starts(slice_str(c->brought.state), SILENT))
		end = signin_silent_end(&c->brought);
	if (end == SILENT_TOO_EARLY && c->v.account.failures >= SILENT_MOST)
		end = SILENT_JUDGED;
	if (end == SILENT_JUDGED || !signin_was_silent(&c->v.account))
		return false;
	c->account = c->v.account;
	c->account.failures = end == SILENT_TOO_EARLY ? c->account.failures : SILENT_MOST;
	return true;
}

static bool tell(struct comeback *c, struct txn *t, const char *type, struct error *err)
{
	return event_tell(t, c->x->job, c->account.workspace, c->account.id, type, account_event_data(&c->account), err);
}

static bool keep_account(struct txn *t, struct comeback *c, struct error *err)
{
	struct account now;
	bool           may;

	if (!c->v.has_account && !account_insert(t, &c->account, err)) {
		c->taken = err->fault == FAULT_REFUSED;
		return false;
	}
	if (!c->v.has_account)
		return tell(c, t, "account.created", err);
	if (!account_get(t, c->x->job, c->account.workspace, c->account.id, &now, err)
	    || !budget_left(t, c->x->service, c->account.id, &may, err))
		return false;
	c->spent = c->well && !may;
	if (c->spent || now.state == ACCOUNT_REMOVED || now.state == ACCOUNT_PAUSED || now.state != c->v.account.state)
		return fail(err, FAULT_REFUSED, "the account was changed meanwhile");
	/* how far a mailbox is known counts where that one was signed in to; of another way in it means nothing */
	c->account.cursor = strcmp(now.provider, c->place->name) == 0 ? now.cursor : NULL;
	c->account.external_id = now.external_id;
	return account_update(t, &c->account, err);
}

static bool keep(struct txn *t, void *self, struct error *err)
{
	struct comeback *c = self;

	c->taken = c->spent = false;
	return link_open(t, c->v.link.id, c->row.session, err) && keep_account(t, c, err)
	    && (!c->well || signin_forget(t, c->v.link.id, err))
	    && link_use(t, c->v.link.id, c->account.id, c->v.now, err)
	    && (c->well ? sealed_put(t, c->account.id, "password", c->sealed, err)
	                : tell(c, t, "account.failed", err)
	                      && (c->account.state != ACCOUNT_NEEDS_ADMIN || tell(c, t, "account.needs_admin", err)));
}

static void kept_now(struct store_write *w)
{
	http_wake(((struct comeback *)w->self)->x);
}

/* What is to be kept of it. False: nothing, or it cannot be. */
static bool conclude(struct comeback *c, const struct report *r, const struct verdict *v, const struct signin_result *result)
{
	struct arena *job = c->x->job;
	struct slice  grant;

	c->report = save_report(r, v, job);
	c->well = result->well;
	account_as_asked(c);
	c->shown = !c->well && (result->other_account || result->not_believed || (c->v.has_account && signin_goes_on(&c->v.account)));
	if (!c->well) {
		signin_judge(&c->account, v, c->report, c->v.now);
		return !c->shown;
	}
	grant = grant_write(&result->grant, job);
	return grant.at
	    && vault_seal(c->x->service->vault, arena_print(job, "%s/password", c->account.id), grant, job, &c->sealed, &c->write.err);
}

static void show_failure(struct comeback *c)
{
	struct page       *p = pages_begin(c->x);
	struct retold      report;
	struct result_page r = { .path = c->v.path, .product = c->v.workspace.name, .csrf = http_csrf(c->x), .account = &c->account,
		.unkept = true };

	registered_where(&c->x->service->app, r.registered);
	if (retell(c->report, c->x->lang, c->x->job, &report, NULL))
		r.report = &report;
	pages_answer(c->x, p, 200, render_result(p, &r));
}

static void show_form(struct comeback *c, const char *wrong)
{
	struct connect_page form = { .value = { [INPUT_ADDRESS] = c->row.address, [INPUT_USERNAME] = c->delegate,
		                                  [INPUT_PROVIDER] = c->place->name },
		.wrong = { [INPUT_ADDRESS] = wrong } };

	connect_form_show(&c->v, 409, &form);
}

/* On one of the server's threads, once it is known whether it was kept. */
static void answer(struct comeback *c)
{
	struct exchange *x = c->x;

	if (c->shown)
		show_failure(c);
	else if (c->write.ok && c->well)
		answer_redirect(x, arena_print(x->job, "%s/progress", c->v.path));
	else if (c->write.ok)
		answer_redirect(x, arena_print(x->job, "%s/result", c->v.path));
	else if (c->taken)
		show_form(c, "wrong.taken");
	else if (c->spent)
		show_form(c, "wrong.spent");
	else if (c->write.err.fault == FAULT_REFUSED || c->write.err.fault == FAULT_ABSENT)
		refuse(x, 409, "signin.refused");
	else
		pages_trouble(x, c->v.path);
	if (c->write.ok && c->well)
		keeper_changed(x->service->keeper, c->account.id);
}

static void finish(struct exchange *x)
{
	answer(x->finisher);
}

/* In the redeemer's thread: nobody else touches the exchange meanwhile. */
static void redeemed(struct redemption *r)
{
	struct comeback *c = (struct comeback *)r;
	bool             keeps;

	c->write = (struct store_write){ .apply = keep, .done = kept_now, .self = c };
	keeps = conclude(c, r->report, &r->verdict, &r->result);
	/* once it is awake the exchange is gone, and this with it */
	report_free(r->report);
	if (keeps)
		store_write(c->x->service->store, &c->write);
	else
		http_wake(c->x);
}

static bool begin_redemption(struct comeback *c)
{
	struct exchange *x = c->x;

	c->redemption.request.at = signin_provider(c->place->name);
	c->redemption.request.apps = &c->apps;
	c->redemption.request.address = c->row.address;
	c->redemption.request.username = c->delegate;
	c->redemption.request.rights = rights_for(&c->v, c->place);
	c->redemption.redeemed = redeemed;
	x->finish = finish;
	x->finisher = c;
	if (x->service->redeemer && redeemer_take(x->service->redeemer, &c->redemption))
		return true;
	x->finish = NULL;
	return false;
}

/* Told as it is; where an administrator has to act, their organisation is looked for before. */
static void take_verdict(struct comeback *c, struct report *r, const struct verdict *v)
{
	c->redemption.request.refused = r;
	if (begin_redemption(c))
		return;
	if (conclude(c, r, v, &(struct signin_result){ 0 }))
		c->write.ok = store_write_wait(c->x->service->store, keep, c, &c->write.err);
	report_free(r);
	answer(c);
}

static bool put_off(struct txn *t, void *self, struct error *err)
{
	struct comeback *c = self;
	struct account   now;

	if (!link_open(t, c->v.link.id, c->row.session, err) || !account_get(t, c->x->job, c->account.workspace, c->account.id, &now, err))
		return false;
	return now.state != c->v.account.state || account_update(t, &c->account, err);
}

static void take_refusal(struct comeback *c)
{
	struct verdict v;
	struct report *r;

	if (is_put_off(c)) {
		c->write.ok = store_write_wait(c->x->service->store, put_off, c, &c->write.err);
		answer(c);
		return;
	}
	r = signin_refused(&(struct signin_asked){ signin_provider(c->place->name), &c->apps, c->row.address, rights_for(&c->v, c->place),
	                                           c->v.now / 1000 }, &c->brought, &v);
	take_verdict(c, r, &v);
}

static void take_code(struct comeback *c)
{
	struct signin_request *q = &c->redemption.request;

	q->code.code = c->brought.code;
	q->code.redirect_uri = redirect_uri(c->x->service, c->place, c->x->job);
	if (!begin_redemption(c))
		pages_trouble(c->x, c->v.path);
}

/* A consent that we did not ask for, or somebody's idea of a callback: neither is acted upon (facts M E.2 12b). */
static void not_ours(struct exchange *x, const struct oauth_callback *brought)
{
	if (brought->admin_consent && !brought->code)
		refuse(x, 200, "signin.consent");
	else
		refuse(x, 403, "signin.refused");
}

static void come_back(struct exchange *x)
{
	struct comeback *c = arena_get(x->job, sizeof *c);
	struct error     err = { 0 };

	c->x = x;
	c->place = signin_place_back(x->path);
	c->apps = registered_as(&x->service->app);
	if (pages_only_looks(x) || !oauth_callback_read(request_of(x)->raw_query, x->job, &c->brought, &err))
		refuse(x, 400, "signin.refused");
	else if (approval_is(&c->brought))
		approval_come_back(x, &c->brought);
	else if (!c->brought.state || !http_cookie(x, "mm_browser") || !registered_at(&x->service->app, c->place))
		not_ours(x, &c->brought);
	else if (!store_write_wait(x->service->store, take_row, c, &err) && (err.fault == FAULT_ABSENT || err.fault == FAULT_REFUSED))
		not_ours(x, &c->brought);
	else if (err.fault)
		pages_trouble(x, NULL);
	else if (!open_row(c, &err) || !still_fits(c))
		refuse(x, 403, "signin.refused");
	else if (c->brought.code)
		take_code(c);
	else if (c->brought.error)
		take_refusal(c);
	else
		answer_redirect(x, c->v.path);
}

/* -- what the provider's own page says ---------------------------------------------------------------------------- */

/* The address that was asked for last, with this link in this browser. */
static bool look_where_they_were(struct txn *t, void *self, struct error *err)
{
	struct comeback *c = self;

	return signin_latest(t, c->x->job, c->v.link.id, c->v.session, 0, &c->row, err);
}

static bool know_address(struct comeback *c)
{
	const char        *fixed = visitor_address(&c->v);
	struct signin_away away;
	struct error       none = { 0 };

	if (!store_read(c->x->service->store, look_where_they_were, c, NULL))
		c->row = (struct signin_row){ .address = fixed };
	if (c->row.id && signin_away_open(c->x->service->vault, &c->row, c->x->job, &away, &none)
	    && strcmp(away.provider, c->place->name) == 0)
		c->delegate = away.delegate;
	else if (c->place->delegates && c->v.has_account && strcmp(c->v.account.provider, c->place->name) == 0)
		c->delegate = delegate_of(c->v.account.username, c->v.account.address);
	c->row.session = c->v.session;
	return c->row.address && still_fits(c);
}

static void explain_page(struct exchange *x)
{
	struct comeback    *c = arena_get(x->job, sizeof *c);
	struct connect_page form = { 0 };
	const char         *text = http_form(x, "said");
	struct report      *r;
	struct verdict      v;

	c->x = x;
	c->place = place_asked(x);
	c->apps = registered_as(&x->service->app);
	if (!c->place || !visitor_arrive(x, &c->v))
		return;
	if (!registered_at(&x->service->app, c->place) || !know_address(c)) {
		answer_redirect(x, c->v.path);
		return;
	}
	/* at Microsoft it may be asked for the organisation */
	if (!http_may(x, arena_print(x->job, "signin %s", c->v.link.id), of_link)) {
		pages_trouble(x, c->v.path);
		return;
	}
	if (text && strlen(text) <= PASTED_MOST && text_is_utf8(text)
	    && signin_pasted(&(struct signin_asked){ signin_provider(c->place->name), &c->apps, c->row.address, rights_for(&c->v, c->place),
	                                             c->v.now / 1000 }, text, &r, &v)) {
		take_verdict(c, r, &v);
		return;
	}
	form.value[INPUT_ADDRESS] = c->row.address;
	form.value[INPUT_PROVIDER] = c->place->name;
	form.away = AWAY_UNKNOWN;
	connect_form_show(&c->v, 422, &form);
}

static bool look_for_away(struct txn *t, void *self, struct error *err)
{
	struct comeback *c = self;

	return signin_latest(t, c->x->job, c->v.link.id, c->v.session, c->v.now, &c->row, err);
}

const char *visitor_away(const struct visitor *v, const struct signin_place **where)
{
	struct comeback    c = { .x = v->x, .v = *v };
	struct signin_away away;
	struct error       none = { 0 };

	*where = NULL;
	if (store_read(v->x->service->store, look_for_away, &c, NULL) && still_fits(&c)
	    && signin_away_open(v->x->service->vault, &c.row, v->x->job, &away, &none))
		*where = signin_place(away.provider);
	return *where ? c.row.address : NULL;
}

const struct route routes_signin[] = {
	{ "POST", "/connect/{token}/{provider}",       GUARD_FORM, 0, go_there     },
	{ "GET",  "/connect/{token}/{provider}/again", GUARD_LINK, 0, go_silently  },
	{ "POST", "/connect/{token}/{provider}/said",  GUARD_FORM, 0, explain_page },
	{ "GET",  "/oauth/microsoft/callback",         GUARD_LINK, 0, come_back    },
	{ "GET",  "/connect/google/callback",          GUARD_LINK, 0, come_back    },
	{ 0 }
};
