#include "flow_signin.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "diagnose/explain.h"
#include "flow_google.h"
#include "flow_microsoft.h"
#include "model/facts.h"
#include "provider/google_consent.h"
#include "provider/google_knock.h"
#include "provider/microsoft_device.h"

#define DICE      43        /* of what nobody will come back with */
#define TENANT_MS 4000      /* so long a person waits for the id of their organisation; its domain does as well */

enum { SIGNIN_START, SIGNIN_WAY, SIGNIN_TENANT, SIGNIN_DONE };

struct signin {
	const struct signin_request *request;
	struct flow_request          way_request;
	struct mail_address          address;
	union {
		struct microsoft_way microsoft;
		struct google_way    google;
	}                            way;            /* of the provider that is asked */
	bool                         on_way;
	struct microsoft_device      device;
	struct report               *report;
	struct report               *aside;          /* of the question for the tenant; NULL: it is not asked */
	struct microsoft_session     session;        /*   and who asks it                                     */
	struct error                 err;
	int                          step;
};

struct signin_provider {
	const char      *name, *prefix;      /* `prefix`: of the steps of its sign-in: "PREFIX.grant", "PREFIX.callback" … */
	const char      *account;            /* the step that says whose account it is                                    */
	const char    *(*client)(const struct apps *);
	const char    *(*url)(const struct apps *, const struct oauth_code *, const struct oauth_departure *, struct arena *into);
	const char    *(*scopes)(struct terms, bool in_full, struct arena *into);
	/* from a code to whose account it is */
	void           (*begin)(struct signin *);
	enum want_kind (*step)(struct signin *, struct want *, struct error *);
	void           (*take)(const struct signin *, struct signin_result *, const struct oauth_grant **);
	void           (*release)(struct signin *);
	/* Whose organisation it is, where an administrator has to act; NULL: nobody could tell */
	void           (*look_around)(struct signin *);
	bool             knows_strangers;    /* its page says whether it knows us to who has not signed in */
};

const char *signin_name(const struct signin_provider *at)
{
	return at->name;
}

const char *signin_client(const struct signin_provider *at, const struct apps *apps)
{
	return at->client(apps);
}

const char *signin_url(const struct signin_provider *at, const struct apps *apps, const struct oauth_code *code,
                       const struct oauth_departure *d, struct arena *into)
{
	return at->url(apps, code, d, into);
}

const char *signin_scopes(const struct signin_provider *at, struct terms terms, bool in_full, struct arena *into)
{
	return at->scopes(terms, in_full, into);
}

const char *signin_consent_url(const struct microsoft_app *app, struct terms terms, const char *tenant, const char *redirect_uri,
                               const char *state, struct arena *into)
{
	return microsoft_consent_url(app, terms, tenant, redirect_uri, state, into);
}

const char *signin_portal(const struct microsoft_app *app, struct arena *into)
{
	return microsoft_portal(app, into);
}

/* -- a refusal ---------------------------------------------------------------------------------------------------- */

static struct report *report_of(const char *address, const char *provider)
{
	struct report *r = report_new(address);

	r->provider = provider;
	return r;
}

static bool address_step(struct report *r, const char *address, struct mail_address *out)
{
	const char *problem = NULL;
	int         step = report_begin(r, "address", NO_ATTEMPT, r->began_ms);
	bool        fine = mail_address_parse(address, r->job, out, &problem);

	report_note(r, step, fine ? FACT_ADDRESS_DOMAIN : FACT_ADDRESS_PROBLEM, "%s", fine ? out->domain : problem);
	report_end(r, step, fine ? STEP_PASSED : STEP_FAILED, r->began_ms);
	return fine;
}

static void fact(struct report *r, int step, const char *name, const char *value)
{
	if (value)
		report_fact(r, step, name, slice_str(value));
}

/* "entra.callback" of "callback". */
static const char *step_of(const struct signin_provider *at, const char *name, struct report *r)
{
	return arena_print(r->job, "%s.%s", at->prefix, name);
}

/* Everything up to where it ended. */
static struct report *begun(const struct signin_asked *q, int *attempt)
{
	struct report      *r = report_of(q->address, q->at->name);
	struct mail_address asked;
	int                 step;

	*attempt = report_attempt(r);
	r->began_unix = q->now_unix;
	address_step(r, q->address, &asked);
	/* where an attempt at that provider begins: see diagnose_best_attempt() */
	step = report_begin(r, step_of(q->at, "grant", r), *attempt, r->began_ms);
	fact(r, step, FACT_AUTH_BY, "code");
	fact(r, step, FACT_APP, q->at->client(q->apps));
	fact(r, step, FACT_OAUTH_ASKED, q->at->scopes((struct terms){ .rights = q->rights }, false, r->job));
	report_end(r, step, STEP_PASSED, r->began_ms);
	return r;
}

static void end_with(struct report *r, int step, struct verdict *v)
{
	report_end(r, step, STEP_FAILED, r->began_ms);
	report_finish(r);
	diagnose(r, v);
}

struct report *signin_refused(const struct signin_asked *q, const struct oauth_callback *c, struct verdict *v)
{
	int            attempt, step;
	struct report *r = begun(q, &attempt);

	step = report_begin(r, step_of(q->at, "callback", r), attempt, r->began_ms);
	fact(r, step, FACT_OAUTH_ERROR, c->error);
	fact(r, step, FACT_OAUTH_SUBERROR, c->suberror);
	fact(r, step, FACT_OAUTH_TEXT, c->description);
	for (size_t i = 0; i < c->numbers; i++)
		fact(r, step, FACT_AADSTS, c->number[i]);
	fact(r, step, FACT_ADMIN_CONSENT, !c->admin_consent ? NULL : c->error ? "refused" : "recorded");
	fact(r, step, FACT_AADSTS_TRACE, c->correlation_id);
	fact(r, step, FACT_AADSTS_TIME, c->timestamp);
	end_with(r, step, v);
	return r;
}

/* -- what a person saw there --------------------------------------------------------------------------------------- */

/* Of a pasted text only what is that provider's sign-in counts: this is about nothing else. */
static bool copy_facts(const struct report *from, struct report *to, int step, const char *prefix)
{
	int  seen = report_find(from, arena_print(to->job, "explain.%s", prefix), NO_ATTEMPT);
	bool any = false;

	for (size_t i = 0; seen >= 0 && i < from->fact_count; i++) {
		if (from->fact[i].step != seen)
			continue;
		report_note(to, step, from->fact[i].name, "%s", from->fact[i].value);
		any = true;
	}
	return any;
}

bool signin_pasted(const struct signin_asked *q, const char *text, struct report **out, struct verdict *v)
{
	CLEANUP(report) struct report *seen = report_new("");
	int            attempt, step;
	struct report *r = begun(q, &attempt);

	explain_facts(seen, text);
	step = report_begin(r, step_of(q->at, "page", r), attempt, r->began_ms);
	if (copy_facts(seen, r, step, q->at->prefix)) {
		end_with(r, step, v);
		*out = r;
		return true;
	}
	report_free(r);
	return false;
}

struct report *signin_not_returned(const struct signin_asked *q, int64_t away_s, struct verdict *v)
{
	int            attempt, step;
	struct report *r = begun(q, &attempt);

	step = report_begin(r, step_of(q->at, "page", r), attempt, r->began_ms);
	report_note(r, step, FACT_SIGNIN_AWAY, "%lld", (long long)(away_s / 60));
	end_with(r, step, v);
	return r;
}

struct report *signin_unknown(const struct signin_asked *q, const char *code, struct verdict *v)
{
	int            attempt, step;
	struct report *r = begun(q, &attempt);

	step = report_begin(r, step_of(q->at, "registration", r), attempt, r->began_ms);
	report_note(r, step, FACT_GOOGLE_PAGE, "%s", code);
	end_with(r, step, v);
	return r;
}

/* -- a code ------------------------------------------------------------------------------------------------------- */

struct signin *signin_new(const struct signin_request *q)
{
	struct signin *s = must_alloc(sizeof *s);

	*s = (struct signin){ .request = q, .report = q->refused ? q->refused : report_of(q->address, q->at->name) };
	if (q->refused)
		return s;
	s->report->watch = q->watch;
	s->report->watcher = q->watcher;
	s->way_request = (struct flow_request){ .address = q->address, .provider = q->at->name, .username = q->username,
		.microsoft = q->apps->microsoft, .google = q->apps->google, .terms.rights = q->rights, .keys = q->keys,
		.timeout_ms = q->timeout_ms };
	if (!q->code.code) {
		s->device = (struct microsoft_device){ .show = q->show, .viewer = q->viewer };
		s->way_request.device = &s->device;
		return s;
	}
	s->way_request.code = &q->code;
	report_secret(s->report, slice_str(q->code.code));
	report_secret(s->report, slice_str(q->code.verifier));
	return s;
}

/* Only to be shown: the verdict does not hang on it, so that it is asked for beside the report. */
static bool looks_around(struct signin *s)
{
	struct verdict v;

	diagnose(s->report, &v);
	if (!s->request->at->look_around || !v.findings || v.finding[0].who != WHO_ADMIN)
		return false;
	s->aside = report_of(s->request->address, s->request->at->name);
	if (!address_step(s->aside, s->request->address, &s->address))
		return false;
	s->request->at->look_around(s);
	return true;
}

static void take_tenant(struct signin *s)
{
	struct report *r = s->report;
	int            asked = report_find(s->aside, "entra.tenant", NO_ATTEMPT), step;
	const char    *tenant = asked >= 0 ? report_value(s->aside, asked, FACT_TENANT) : NULL;

	if (!tenant)
		return;
	step = report_begin(r, "entra.tenant", NO_ATTEMPT, r->began_ms);
	report_note(r, step, FACT_TENANT, "%s", tenant);
	report_end(r, step, STEP_PASSED, r->began_ms);
}

enum want_kind signin_step(void *self, struct want *w, struct error *err)
{
	struct signin *s = self;
	enum want_kind kind;

	switch (s->step) {
	case SIGNIN_START:
		if (s->request->refused) {
			s->step = looks_around(s) ? SIGNIN_TENANT : SIGNIN_DONE;
			return signin_step(s, w, err);
		}
		s->report->began_ms = w->now_ms;
		s->report->began_unix = w->now_unix;
		if (!address_step(s->report, s->request->address, &s->address))
			return WANT_NOTHING;
		s->request->at->begin(s);
		s->on_way = true;

	STEP(s, SIGNIN_WAY):
		PASS(s->request->at->step(s, w, err));

		return WANT_NOTHING;

	case SIGNIN_TENANT:
		kind = microsoft_tenant_step(&s->session, w, &s->err);
		if (kind > WANT_FAILED)
			return kind;
		take_tenant(s);

	STEP(s, SIGNIN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

static const char *kept(struct report *r, const char *text)
{
	return text ? arena_str(r->job, text) : NULL;
}

struct report *signin_end(struct signin *s, int ms, struct verdict *v, struct signin_result *out)
{
	const struct signin_provider *at = s->request->at;
	const struct oauth_grant     *granted = NULL;
	struct report                *r = s->report;
	int                           account = report_find(r, at->account, NO_ATTEMPT);
	const char                   *asked = account >= 0 ? report_value(r, account, FACT_ACCOUNT_ASKED) : NULL;

	*out = (struct signin_result){ .other_account = asked && strcmp(asked, "no") == 0 };
	if (s->on_way)
		at->take(s, out, &granted);
	if (out->well)
		out->grant = (struct oauth_grant){ kept(r, granted->access_token), kept(r, granted->refresh_token), kept(r, granted->scope),
			granted->expires_at, granted->granted_at };
	if (s->on_way)
		at->release(s);
	microsoft_session_release(&s->session);
	report_free(s->aside);
	r->ms = ms;
	report_finish(r);
	diagnose(r, v);
	free(s);
	return r;
}

struct report *signin_now(const struct signin_request *q, const struct net_settings *settings, struct verdict *v, struct signin_result *out,
                          struct error *err)
{
	struct signin *s = signin_new(q);
	struct task    t = { .step = signin_step, .self = s, .wait_ms = q->timeout_ms + (q->code.code ? 0 : OAUTH_DEVICE_LIFE * 1000) };
	bool           ran = flow_run(&t, settings, err);
	struct report *r = signin_end(s, t.ms, v, out);

	if (ran)
		return r;
	report_free(r);
	return NULL;
}

/* -- at Microsoft ------------------------------------------------------------------------------------------------- */

static const char *client_at_microsoft(const struct apps *apps)
{
	return apps->microsoft ? apps->microsoft->client_id : NULL;
}

static const char *url_at_microsoft(const struct apps *apps, const struct oauth_code *code, const struct oauth_departure *d,
                                    struct arena *into)
{
	return microsoft_authorize_url(apps->microsoft, code, d, into);
}

static const char *scopes_at_microsoft(struct terms terms, bool in_full, struct arena *into)
{
	(void)in_full;
	return microsoft_scopes(terms, into);
}

static void begin_at_microsoft(struct signin *s)
{
	microsoft_way_init(&s->way.microsoft, &s->way_request, s->report, &s->address, NULL, waits_within(s->request->timeout_ms));
}

static enum want_kind step_at_microsoft(struct signin *s, struct want *w, struct error *err)
{
	return microsoft_way_step(&s->way.microsoft, w, err);
}

static void take_of_microsoft(const struct signin *s, struct signin_result *out, const struct oauth_grant **granted)
{
	const struct microsoft_way *way = &s->way.microsoft;

	out->well = way->in_session && way->session.signed_in;
	out->not_believed = way->in_session && way->session.not_believed;
	*granted = &way->session.grant;
}

static void release_microsoft(struct signin *s)
{
	microsoft_way_release(&s->way.microsoft);
}

static void look_for_tenant(struct signin *s)
{
	microsoft_session_init(&s->session, s->aside, s->request->apps->microsoft, &s->address, NULL, waits_within(TENANT_MS),
	                       report_attempt(s->aside));
}

/* -- at Google ---------------------------------------------------------------------------------------------------- */

static const char *client_at_google(const struct apps *apps)
{
	return apps->google ? apps->google->client_id : NULL;
}

static const char *url_at_google(const struct apps *apps, const struct oauth_code *code, const struct oauth_departure *d,
                                 struct arena *into)
{
	return google_authorize_url(apps->google, code, d, into);
}

static const char *scopes_at_google(struct terms terms, bool in_full, struct arena *into)
{
	return google_scopes(terms.rights, in_full, into);
}

static void begin_at_google(struct signin *s)
{
	google_way_init(&s->way.google, &s->way_request, s->report, &s->address, waits_within(s->request->timeout_ms));
}

static enum want_kind step_at_google(struct signin *s, struct want *w, struct error *err)
{
	return google_way_step(&s->way.google, w, err);
}

/* Less than was asked for is nothing: what was left unticked is said, and the person goes there once more. */
static void take_of_google(const struct signin *s, struct signin_result *out, const struct oauth_grant **granted)
{
	const struct google_way *way = &s->way.google;

	out->well = way->in_session && way->session.signed_in && !way->session.lacks;
	*granted = &way->session.grant;
}

static void release_google(struct signin *s)
{
	google_way_release(&s->way.google);
}

/* -- all of them -------------------------------------------------------------------------------------------------- */

static const struct signin_provider providers[] = {
	{ "microsoft", "entra", "microsoft.account", client_at_microsoft, url_at_microsoft, scopes_at_microsoft, begin_at_microsoft, step_at_microsoft,
	  take_of_microsoft, release_microsoft, look_for_tenant, false },
	{ "google", "google", "google.account", client_at_google, url_at_google, scopes_at_google, begin_at_google, step_at_google, take_of_google,
	  release_google, NULL, true },
};

const struct signin_provider *signin_provider(const char *name)
{
	for (size_t i = 0; name && i < COUNT(providers); i++)
		if (strcmp(providers[i].name, name) == 0)
			return &providers[i];
	return NULL;
}

/* -- whether its page knows us, before anybody is sent there ------------------------------------------------------- */

struct inquiry {
	struct report      *report;
	struct google_knock google;
	struct error        err;
};

bool inquiry_can(const struct signin_provider *at)
{
	return at->knows_strangers;
}

struct inquiry *inquiry_new(const struct signin_provider *at, const struct apps *apps, const char *redirect_uri, enum rights rights,
                            int timeout_ms)
{
	struct inquiry *k = must_alloc(sizeof *k);
	struct report *r = report_of("", at->name);
	const struct oauth_code code = { .verifier = random_text(r->job, DICE), .redirect_uri = redirect_uri };
	const struct oauth_departure nobody = { .state = random_text(r->job, DICE), .rights = rights };

	*k = (struct inquiry){ .report = r };
	google_knock_init(&k->google, r, at->url(apps, &code, &nobody, r->job), waits_within(timeout_ms), report_attempt(r));
	return k;
}

enum want_kind inquiry_step(void *self, struct want *w, struct error *err)
{
	struct inquiry  *k = self;
	enum want_kind kind = google_knock_step(&k->google, w, &k->err);

	(void)err;
	return kind > WANT_FAILED ? kind : WANT_NOTHING;
}

const char *inquiry_end(struct inquiry *k, struct arena *into, bool *known)
{
	const char *code = k->google.code ? arena_str(into, k->google.code) : NULL;

	*known = k->google.known == GOOGLE_KNOWN;
	google_knock_release(&k->google);
	report_free(k->report);
	free(k);
	return code;
}

/* -- whether we are known at Microsoft at all ----------------------------------------------------------------------------- */

struct app_check {
	struct report           *report;
	struct mail_address      nobody;
	struct microsoft_session session;
	bool                     well;
	struct error             err;
};

bool app_check_can(const struct microsoft_app *app)
{
	return app->client_id && microsoft_names_tenant(app);
}

struct app_check *app_check_new(const struct microsoft_app *app, int timeout_ms)
{
	struct app_check *c = must_alloc(sizeof *c);

	*c = (struct app_check){ .report = report_of("", "microsoft"), .nobody = { .text = "", .local = "", .domain = "", .domain_shown = "" } };
	if (app->client_secret)
		report_secret(c->report, slice_str(app->client_secret));
	microsoft_session_init(&c->session, c->report, app, &c->nobody, NULL, waits_within(timeout_ms), report_attempt(c->report));
	c->session.terms.tenant = true;
	return c;
}

enum want_kind app_check_step(void *self, struct want *w, struct error *err)
{
	struct app_check *c = self;
	enum want_kind    kind = microsoft_itself_step(&c->session, w, &c->err);

	(void)err;
	if (kind > WANT_FAILED)
		return kind;
	c->well = kind == WANT_NOTHING;
	return WANT_NOTHING;
}

struct report *app_check_end(struct app_check *c, bool *well, struct verdict *v)
{
	struct report *r = c->report;

	*well = c->well;
	microsoft_session_release(&c->session);
	report_finish(r);
	diagnose(r, v);
	free(c);
	return r;
}
