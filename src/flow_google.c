#include "flow_google.h"

#define PROBES_MOST 4

enum { WAY_START, WAY_OPEN, WAY_LOOK, WAY_PROBE, WAY_NEXT, WAY_DONE };

void google_way_init(struct google_way *p, const struct flow_request *q, struct report *r, const struct mail_address *address,
                     struct waits waits)
{
	*p = (struct google_way){ .request = q, .report = r, .address = address, .waits = waits, .attempt = -1 };
}

void google_way_release(struct google_way *p)
{
	if (p->in_session)
		google_session_release(&p->session);
	p->in_session = false;
	probe_release(&p->probe);
}

bool google_token(const struct credentials *c)
{
	return c && c->token && c->scope && strstr(c->scope, "https://www.googleapis.com/auth/");
}

bool google_way_leads_to_imap(const struct google_way *p)
{
	return p->in_session && p->session.api_off && p->session.signed_in
	    && google_scope_has(p->session.grant.scope, "https://mail.google.com/");
}

static bool has_token(const struct google_way *p)
{
	return p->request->code || p->request->terms.tenant || (p->request->credentials && p->request->credentials->token);
}

static void begin_session(struct google_way *p)
{
	static const struct google_app nobody = { 0 };
	const struct google_app       *app = p->request->google ? p->request->google : &nobody;
	const struct credentials      *c = p->request->credentials;
	struct oauth_grant            grant = { 0 };

	if (p->request->credentials && p->request->credentials->token)
		grant = (struct oauth_grant){ *c->token ? c->token : NULL, c->refresh_token, c->scope, c->expires_at, c->granted_at };
	if (app->client_secret)
		report_secret(p->report, slice_str(app->client_secret));
	p->attempt = report_attempt(p->report);
	google_session_init(&p->session, p->report, app, p->address, &grant, p->waits, p->attempt);
	p->session.safe = p->request->safe;
	p->session.terms = p->request->terms;
	p->session.code = p->request->code;
	p->mail = (struct google_mail){ .google = &p->session };
	p->in_session = true;
}

/* Nothing can be asked without: at Google nobody else knows of the mailbox. */
static void wait_for_sign_in(struct google_way *p, const struct want *w)
{
	int step = report_begin(p->report, "google.grant", p->attempt, w->now_ms);

	report_end(p->report, step, STEP_PASSED, w->now_ms);
	report_skip(p->report, "google.account", p->attempt, "no_credentials", w->now_ms);
}

static enum want_kind outcome(struct google_way *p, enum want_kind kind)
{
	if (kind > WANT_FAILED)
		return kind;
	p->well = kind == WANT_NOTHING;
	return WANT_NOTHING;
}

static enum probe_kind next_probe(struct google_way *p)
{
	struct finding finding;

	if (p->well || p->probes >= PROBES_MOST || p->attempt < 0 || !diagnose_attempt(p->report, p->attempt, &finding))
		return PROBE_NONE;
	return diagnose_wish(p->report, p->attempt, &finding);
}

/* Whose line it was that failed: a probe asks there. */
static const struct endpoint *endpoint_of(const struct google_way *p)
{
	const struct google_line *auth = &p->session.line[GOOGLE_AUTH];

	return auth->step && !auth->open ? &auth->endpoint : &p->session.line[GOOGLE_MAIL].endpoint;
}

enum want_kind google_way_step(void *self, struct want *w, struct error *err)
{
	struct google_way *p = self;
	enum probe_kind    kind;

	(void)err;
	switch (p->step) {
	case WAY_START:
		if (p->is_meant && !p->detected->open)
			return want_gate(w, p->detected, p->request->timeout_ms);
		if (p->request->only_detect || (p->is_meant && !p->is_meant(p->asked))) {
			p->over.open = true;
			return WANT_NOTHING;
		}
		begin_session(p);
		if (!has_token(p)) {
			wait_for_sign_in(p, w);
			p->over.open = true;
			return WANT_NOTHING;
		}

	STEP(p, WAY_OPEN):
		PASS(outcome(p, google_open_step(&p->session, w, &p->err)));

	STEP(p, WAY_LOOK):
		if (p->well && !p->request->code)
			PASS(outcome(p, google_look_step(&p->session, w, &p->err)));

	STEP(p, WAY_PROBE):
		while ((kind = next_probe(p)) != PROBE_NONE && !w->stopping) {
			probe_release(&p->probe);
			probe_init(&p->probe, kind, p->report, endpoint_of(p), p->waits, p->attempt);
			p->probes++;
	STEP(p, WAY_NEXT):
			PASS(probe_step(&p->probe, w, &p->err));
		}

	STEP(p, WAY_DONE):
		p->over.open = true;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
