#include "flow_microsoft.h"

#include <stdlib.h>

#include "model/facts.h"

#define PROBES_MOST 4

enum { WAY_START, WAY_DECIDE, WAY_TENANT, WAY_OPEN, WAY_LOOK, WAY_SEARCH, WAY_DETECTED, WAY_SERVERS, WAY_PROBE, WAY_NEXT, WAY_DONE };

void microsoft_way_init(struct microsoft_way *p, const struct flow_request *q, struct report *r, const struct mail_address *address,
                        struct detect *detect, struct waits waits)
{
	*p = (struct microsoft_way){ .request = q, .report = r, .address = address, .detect = detect, .waits = waits, .attempt = -1 };
}

static void end_search(struct microsoft_way *p)
{
	if (p->search)
		exchange_search_release(p->search);
	free(p->search);
	p->search = NULL;
}

static void end_servers(struct microsoft_way *p)
{
	if (p->servers)
		detect_release(p->servers);
	free(p->servers);
	report_free(p->apart);
	p->servers = NULL;
	p->apart = NULL;
}

void microsoft_way_release(struct microsoft_way *p)
{
	if (p->in_session)
		microsoft_session_release(&p->session);
	p->in_session = false;
	end_search(p);
	end_servers(p);
	probe_release(&p->probe);
}

bool microsoft_token(const struct credentials *c)
{
	return c && c->token && c->scope && !strstr(c->scope, "IMAP.") && !strstr(c->scope, "SMTP.")
	    && (oauth_scope_has(c->scope, "Mail.ReadWrite") || oauth_scope_has(c->scope, "Mail.Read") || oauth_scope_has(c->scope, "User.Read")
	        || slice_has(slice_str(c->scope), "graph.microsoft"));
}

static bool has_token(const struct microsoft_way *p)
{
	const struct flow_request *q = p->request;

	return q->terms.tenant || q->code || q->device || (q->credentials && q->credentials->token);
}

static void begin_session(struct microsoft_way *p)
{
	static const struct microsoft_app nobody = { 0 };
	const struct microsoft_app       *app = p->request->microsoft ? p->request->microsoft : &nobody;
	const struct credentials         *c = p->request->credentials;
	struct oauth_grant            grant = { 0 };

	if (c && c->token)
		grant = (struct oauth_grant){ *c->token ? c->token : NULL, c->refresh_token, c->scope, c->expires_at,
			c->granted_at };
	if (app->client_secret)
		report_secret(p->report, slice_str(app->client_secret));
	p->attempt = report_attempt(p->report);
	microsoft_session_init(&p->session, p->report, app, p->address, &grant, p->waits, p->attempt);
	p->session.terms = p->request->terms;
	p->session.delegate = p->request->terms.tenant ? NULL : delegate_of(p->request->username, p->address->text);
	p->session.code = p->request->code;
	p->session.keys = p->request->keys;
	p->session.device = p->request->device;
	p->session.safe = p->request->safe;
	p->in_session = true;
}

static enum want_kind outcome(struct microsoft_way *p, enum want_kind kind)
{
	if (kind > WANT_FAILED)
		return kind;
	p->well = kind == WANT_NOTHING;
	return WANT_NOTHING;
}

/* It is known at Microsoft and has no mailbox that Graph reaches: does a server of the organisation's own have it? */
static void begin_search(struct microsoft_way *p)
{
	int third = p->request->timeout_ms / 3;

	p->search = must_alloc(sizeof *p->search);
	exchange_search_init(p->search, p->address, p->detect, p->report->job, p->report,
	                     third < EXCHANGE_WAIT_MS ? third : EXCHANGE_WAIT_MS);
	p->search->microsoft = true;
}

/* Mail goes to somebody who is in no table of ours: the domain itself may say where its mailboxes are opened. */
static bool is_to_be_detected(const struct microsoft_way *p)
{
	const struct detect *d = p->detect;

	return p->session.no_mailbox && d && d->mx_count && !d->hoster && !d->provider;
}

/* In a report of its own: who takes the mail is told already. */
static void begin_servers(struct microsoft_way *p)
{
	p->apart = report_new(p->address->text);
	p->servers = must_alloc(sizeof *p->servers);
	detect_init(p->servers, p->address, p->apart->job, p->apart, (bool[SERVICES]){ true, true }, p->request->timeout_ms / 3);
}

static void take_servers(struct microsoft_way *p, const struct want *w)
{
	int  step = report_begin(p->report, "detect", NO_ATTEMPT, w->now_ms), theirs = report_find(p->apart, "detect", NO_ATTEMPT);
	bool any = false;

	for (size_t i = 0; theirs >= 0 && i < p->apart->fact_count; i++) {
		const struct fact *f = &p->apart->fact[i];

		if (f->step != theirs)
			continue;
		any |= strcmp(f->name, FACT_CANDIDATE) == 0;
		report_note(p->report, step, f->name, "%s", f->value);
	}
	report_end(p->report, step, any ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

static enum probe_kind next_probe(struct microsoft_way *p)
{
	struct finding finding;

	if (p->well || p->probes >= PROBES_MOST || p->attempt < 0 || !diagnose_attempt(p->report, p->attempt, &finding))
		return PROBE_NONE;
	return diagnose_wish(p->report, p->attempt, &finding);
}

/* Whose line it was that failed: a probe asks there. */
static const struct endpoint *endpoint_of(const struct microsoft_way *p)
{
	return p->session.graph_open && !p->session.at_authority ? &p->session.graph : &p->session.authority;
}

enum want_kind microsoft_way_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_way *p = self;
	enum probe_kind       kind;

	switch (p->step) {
	case WAY_START:
	STEP(p, WAY_DECIDE):
		if (p->is_meant && !p->detected->open)
			return want_gate(w, p->detected, p->request->timeout_ms);
		if (p->request->only_detect || (p->is_meant && !p->is_meant(p->asked)))
			return WANT_NOTHING;
		begin_session(p);

	STEP(p, WAY_TENANT):
		if (!has_token(p)) {
			PASS(outcome(p, microsoft_tenant_step(&p->session, w, &p->err)));
			p->step = WAY_PROBE;
			return microsoft_way_step(p, w, err);
		}

	STEP(p, WAY_OPEN):
		PASS(outcome(p, microsoft_open_step(&p->session, w, &p->err)));

	STEP(p, WAY_LOOK):
		if (p->session.signed_in && !p->request->code && !p->request->device)
			PASS(outcome(p, microsoft_look_step(&p->session, w, &p->err)));
		if (p->session.no_mailbox && !w->stopping)
			begin_search(p);

	STEP(p, WAY_SEARCH):
		if (p->search)
			PASS(exchange_search_step(p->search, w, err));

	STEP(p, WAY_DETECTED):
		if (p->session.no_mailbox && p->detected && !p->detected->open && !w->stopping)
			return want_gate(w, p->detected, p->request->timeout_ms);
		if (is_to_be_detected(p) && !w->stopping)
			begin_servers(p);

	STEP(p, WAY_SERVERS):
		if (p->servers) {
			PASS(detect_step(p->servers, w, err));
			take_servers(p, w);
			end_servers(p);
		}

	STEP(p, WAY_PROBE):
		while ((kind = next_probe(p)) != PROBE_NONE && !w->stopping) {
			probe_release(&p->probe);
			probe_init(&p->probe, kind, p->report, endpoint_of(p), p->waits, p->attempt);
			p->probes++;
	STEP(p, WAY_NEXT):
			PASS(probe_step(&p->probe, w, &p->err));
		}

	STEP(p, WAY_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
