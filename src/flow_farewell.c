#include "flow_farewell.h"

#include <stdlib.h>

#include "wire/graph_notice.h"

struct farewell {
	struct arena            *job;           /* wipes */
	struct mail_address      who;
	struct oauth_grant   grant;
	struct report           *report;
	struct microsoft_session session;
};

static const char *copy(struct arena *a, const char *text)
{
	return text ? arena_str(a, text) : NULL;
}

struct farewell *farewell_new(const struct farewell_request *q)
{
	struct farewell *f;
	const char      *problem;

	if (!(q->grant.access_token || q->grant.refresh_token) || !graph_subscription_is_id(q->subscription))
		return NULL;
	f = must_alloc(sizeof *f);
	f->job = arena_new();
	f->report = report_new(q->address);
	f->grant = (struct oauth_grant){ copy(f->job, q->grant.access_token), copy(f->job, q->grant.refresh_token),
		copy(f->job, q->grant.scope), q->grant.expires_at, q->grant.granted_at };
	if (!mail_address_parse(q->address, f->job, &f->who, &problem)) {
		farewell_free(f);
		return NULL;
	}
	microsoft_session_init(&f->session, f->report, q->app, &f->who, &f->grant, waits_within(q->timeout_ms), report_attempt(f->report));
	f->session.entra.how = f->session.web.how = TLS_QUICK;
	f->session.question = (struct web_request){ .method = "DELETE", .header = { "Accept: application/json" },
		.target = arena_print(f->job, GRAPH_SUBSCRIPTIONS "/%s", q->subscription) };
	return f;
}

enum want_kind farewell_step(void *self, struct want *w, struct error *err)
{
	struct farewell *f = self;

	PASS(microsoft_ask_step(&f->session, w, err));
	microsoft_ask_end(&f->session, STEP_PASSED, w);
	return WANT_NOTHING;
}

void farewell_free(struct farewell *f)
{
	if (!f)
		return;
	microsoft_session_release(&f->session);
	report_free(f->report);
	arena_free(f->job);
	free(f);
}
