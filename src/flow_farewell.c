#include "flow_farewell.h"

#include <stdlib.h>

#include "provider/google.h"
#include "provider/microsoft.h"
#include "wire/graph_notice.h"

enum { FAREWELL_START, FAREWELL_STOP, FAREWELL_REVOKE, FAREWELL_ASK, FAREWELL_PAUSE };

struct farewell {
	struct arena               *job;           /* wipes */
	struct mail_address         who;
	struct oauth_grant          grant;
	const struct google_app    *google;
	int                         timeout_ms, step;
	unsigned                    times;
	bool                        watched, for_good;
	struct report              *report;
	struct microsoft_session    microsoft;     /* one of the two */
	struct google_session       at_google;
};

static const int pauses_ms[] = { 15 * 1000, 60 * 1000, 5 * 60 * 1000 };      /* until Google is asked again */

static const char *copy(struct arena *a, const char *text)
{
	return text ? arena_str(a, text) : NULL;
}

static void begin_at_microsoft(struct farewell *f, const struct farewell_request *q)
{
	microsoft_session_init(&f->microsoft, f->report, q->microsoft, &f->who, &f->grant, waits_within(q->timeout_ms),
	                       report_attempt(f->report));
	f->microsoft.entra.how = f->microsoft.web.how = TLS_QUICK;
	f->microsoft.question = (struct web_request){ .method = "DELETE", .header = { "Accept: application/json" },
		.target = arena_print(f->job, GRAPH_SUBSCRIPTIONS "/%s", q->subscription) };
}

struct farewell *farewell_new(const struct farewell_request *q)
{
	struct farewell *f;
	const char      *problem;

	if (!(q->grant.access_token || q->grant.refresh_token) || (q->microsoft && !graph_subscription_is_id(q->subscription)))
		return NULL;
	f = must_alloc(sizeof *f);
	f->job = arena_new();
	f->google = q->google;
	f->watched = q->watched;
	f->for_good = q->for_good;
	f->timeout_ms = q->timeout_ms;
	f->report = report_new(q->address);
	f->grant = (struct oauth_grant){ copy(f->job, q->grant.access_token), copy(f->job, q->grant.refresh_token),
		copy(f->job, q->grant.scope), q->grant.expires_at, q->grant.granted_at };
	if (!mail_address_parse(q->address, f->job, &f->who, &problem)) {
		farewell_free(f);
		return NULL;
	}
	if (q->microsoft)
		begin_at_microsoft(f, q);
	return f;
}

int farewell_ms(const struct farewell_request *q)
{
	int all = q->google && q->watched ? 2 * q->timeout_ms : q->timeout_ms;

	for (size_t i = 0; q->google && q->for_good && i < COUNT(pauses_ms); i++)
		all += pauses_ms[i] + q->timeout_ms;
	return all;
}

static enum want_kind microsoft_step(struct farewell *f, struct want *w, struct error *err)
{
	PASS(microsoft_ask_step(&f->microsoft, w, err));
	microsoft_ask_end(&f->microsoft, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* A refusal is Google's last word; anything else may be well in a while. */
static bool is_to_be_asked_again(const struct farewell *f, const struct want *w, const struct error *err)
{
	return err->fault != FAULT_REFUSED && !w->stopping && f->times < COUNT(pauses_ms);
}

static void begin_at_google(struct farewell *f)
{
	google_session_release(&f->at_google);
	google_session_init(&f->at_google, f->report, f->google, &f->who, &f->grant, waits_within(f->timeout_ms),
	                    report_attempt(f->report));
}

static void ask_to_stop(struct farewell *f)
{
	begin_at_google(f);
	google_question(&f->at_google, GOOGLE_MAIL, "google.watch", false, "/gmail/v1/users/me/stop");
	f->at_google.line[GOOGLE_MAIL].request.method = "POST";
}

/* However it went: nothing depends on it. */
static enum want_kind stop_step(struct farewell *f, struct want *w, struct error *err)
{
	enum want_kind kind = google_ask_step(&f->at_google, w, err);

	if (kind > WANT_FAILED || w->stopping)
		return kind;
	if (kind == WANT_NOTHING)
		google_ask_end(&f->at_google, google_answer(&f->at_google)->status < 400 ? STEP_PASSED : STEP_WARNED, w);
	*err = (struct error){ 0 };
	return WANT_NOTHING;
}

static enum want_kind google_step(struct farewell *f, struct want *w, struct error *err)
{
	enum want_kind kind;

	switch (f->step) {
	case FAREWELL_START:
		if (f->watched) {
			ask_to_stop(f);

	STEP(f, FAREWELL_STOP):
			PASS(stop_step(f, w, err));
		}
		if (!f->for_good)
			return WANT_NOTHING;

	STEP(f, FAREWELL_REVOKE):
		begin_at_google(f);

	STEP(f, FAREWELL_ASK):
		kind = google_revoke_step(&f->at_google, w, err);
		if (kind != WANT_FAILED || !is_to_be_asked_again(f, w, err))
			return kind;
		*err = (struct error){ 0 };
		AWAIT(f, FAREWELL_PAUSE, want_time(w, pauses_ms[f->times++])):
		want_came(w);
		f->step = FAREWELL_REVOKE;
		return google_step(f, w, err);
	}
	return WANT_FAILED;
}

enum want_kind farewell_step(void *self, struct want *w, struct error *err)
{
	struct farewell *f = self;

	return f->google ? google_step(f, w, err) : microsoft_step(f, w, err);
}

void farewell_free(struct farewell *f)
{
	if (!f)
		return;
	microsoft_session_release(&f->microsoft);
	google_session_release(&f->at_google);
	report_free(f->report);
	arena_free(f->job);
	free(f);
}
