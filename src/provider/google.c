#include "provider/google.h"

#include <stdlib.h>

#include "model/facts.h"
#include "provider/google_consent.h"
#include "wire/http.h"
#include "wire/oauth.h"
#include "wire/service_account.h"

enum { LINE_START, LINE_REACH, LINE_SAY, LINE_ANSWER, LINE_PAUSE, LINE_DONE };
enum { TOKEN_START, TOKEN_REACH, TOKEN_WAITED, TOKEN_SAY, TOKEN_ASK, TOKEN_KEEP, TOKEN_DONE };
enum { OPEN_START, OPEN_TOKEN, OPEN_ASK, OPEN_ASKED, OPEN_RENEW, OPEN_ALIAS, OPEN_ACCOUNT, OPEN_ACCOUNT_RENEW, OPEN_DONE };
enum { LOOK_START, LOOK_ASKED, LOOK_DONE };
enum { MAIL_START, MAIL_LABELS, MAIL_SENDERS, MAIL_DONE };
enum { SEND_START, SEND_ANSWER, SEND_DONE };
enum { REVOKE_START, REVOKE_ANSWER, REVOKE_DONE };
enum { ASK_START, ASK_TOKEN, ASK_REACH, ASK_SAY, ASK_ANSWER, ASK_RENEW };

#define MAILBOX    "/gmail/v1/users/me"
#define TOKEN_URL  "https://oauth2.googleapis.com/token"
#define BODY_MOST  ((size_t)64 * 1024)
#define EXCERPT    400
#define PAUSE_MOST 5000      /* as long as that it is waited within one look */
#define DAY_S      86400
#define ROUNDS     3         /* waits of the longest kind that one question may take: it, a pause, and it again */

/* Where Google is asked (facts G A.1, B.1, C); `prefix` is of the steps on the way there. */
static const struct { const char *host, *prefix; } places[GOOGLE_PLACES] = {
	[GOOGLE_AUTH] = { "oauth2.googleapis.com", "google.auth" },
	[GOOGLE_ACCOUNT] = { "openidconnect.googleapis.com", "google.account" },
	[GOOGLE_MAIL] = { "gmail.googleapis.com", "google" },
	[GOOGLE_CALENDAR] = { "www.googleapis.com", "google.calendar" },
};

void google_session_init(struct google_session *s, struct report *r, const struct google_app *app, const struct mail_address *address,
                         const struct oauth_grant *grant, struct waits waits, int attempt)
{
	*s = (struct google_session){ .report = r, .app = app, .address = address, .waits = waits, .attempt = attempt, .place = GOOGLE_MAIL,
	                              .job = arena_new() };
	if (grant)
		s->grant = *grant;
	s->login = (struct login){ .username = address->text, .username_form = "address", .token = s->grant.access_token };
	buffer_init(&s->body, BODY_MOST);
	for (enum google_place p = 0; p < GOOGLE_PLACES; p++) {
		struct google_line *l = &s->line[p];

		l->endpoint = (struct endpoint){ .service = SERVICE_WEB, .host = places[p].host, .port = 443, .socket = SOCKET_TLS,
		                                 .source = SOURCE_TABLE };
		l->reported = -1;
		web_session_init(&l->web, r, &l->endpoint, p == GOOGLE_AUTH ? NULL : &s->login, places[p].prefix, waits, attempt);
		if (p != GOOGLE_AUTH)
			l->web.scheme = WEB_BEARER;
	}
}

void google_session_take(struct google_session *s, const struct oauth_grant *grant)
{
	if (s->renewed)
		return;
	s->grant = *grant;
	s->login.token = grant->access_token;
}

void google_session_release(struct google_session *s)
{
	if (!s->job)
		return;
	for (enum google_place p = 0; p < GOOGLE_PLACES; p++)
		web_session_release(&s->line[p].web);
	buffer_release(&s->body);
	arena_free(s->job);
	*s = (struct google_session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static void note(struct google_session *s, int step, const char *fact, const char *value)
{
	if (value && *value)
		report_note(s->report, step, fact, "%s", value);
}

static void end(struct google_session *s, const struct google_line *l, enum step_state state, const struct want *w)
{
	report_end(s->report, l->reported, state, w->now_ms);
}

static enum want_kind failed(struct google_session *s, const struct google_line *l, enum fault fault, const struct want *w,
                             struct error *err, const char *what)
{
	end(s, l, STEP_FAILED, w);
	fail(err, fault, "%s: %s", l->endpoint.host, what);
	return WANT_FAILED;
}

static bool is_passing(int status)
{
	return status == 429 || status == 503 || status == 504;
}

static enum fault fault_of(int status)
{
	return is_passing(status) ? FAULT_BUSY : status >= 400 ? FAULT_REFUSED : FAULT_BROKEN;
}

static struct slice body_of(const struct google_line *l)
{
	return buffer_held(&l->web.answer.body);
}

/* What it refused with, to the step of that question. */
static void refusal_facts(struct google_session *s, const struct google_line *l)
{
	struct google_error e;
	struct slice        body = body_of(l);

	report_note(s->report, l->reported, FACT_HTTP_STATUS, "%d", l->web.answer.status);
	if (!google_error_read(body, s->job, &e)) {
		if (body.len)
			report_fact(s->report, l->reported, FACT_HTTP_EXCERPT, slice_upto(body, EXCERPT));
		return;
	}
	for (size_t i = 0; i < e.reasons; i++)
		note(s, l->reported, FACT_GOOGLE_REASON, e.reason[i]);
	note(s, l->reported, FACT_GOOGLE_STATUS, e.status);
	note(s, l->reported, FACT_GOOGLE_TEXT, e.message);
	note(s, l->reported, FACT_GOOGLE_SERVICE, e.service);
}

/* Too much is asked: most of Google's limits are told by a 403 (facts G B.5). */
static bool is_busy(struct google_session *s, const struct google_line *l)
{
	static const char *const limits[] = { "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded",
		"RATE_LIMIT_EXCEEDED" };
	struct google_error e;

	if (l->web.answer.status != 403 || !google_error_read(body_of(l), s->job, &e))
		return is_passing(l->web.answer.status);
	for (size_t i = 0; i < e.reasons * COUNT(limits); i++)
		if (strcmp(e.reason[i / COUNT(limits)], limits[i % COUNT(limits)]) == 0)
			return true;
	return false;
}

static enum want_kind refused(struct google_session *s, const struct google_line *l, const struct want *w, struct error *err)
{
	refusal_facts(s, l);
	return failed(s, l, is_busy(s, l) ? FAULT_BUSY : fault_of(l->web.answer.status), w, err, "refused");
}

static enum want_kind unreadable(struct google_session *s, const struct google_line *l, const struct want *w, struct error *err,
                                 const char *why)
{
	note(s, l->reported, FACT_REPLY_BROKEN, why);
	return failed(s, l, FAULT_BROKEN, w, err, why);
}

/* -- a question --------------------------------------------------------------------------------------------------- */

/* Once for each; the line may stand already. */
static void set_question(struct google_line *l, const char *id, const char *method, const char *target)
{
	l->id = id;
	l->step = LINE_START;
	l->again = false;
	l->request = (struct web_request){ .method = method, .target = target, .header = { "Accept: application/json" } };
}

static enum want_kind line_open_step(void *self, struct want *w, struct error *err)
{
	struct google_line *l = self;

	if (!l->open)
		PASS(web_open_step(&l->web, w, err));
	l->open = true;
	return WANT_NOTHING;
}

/* WANT_NOTHING: whatever was answered is in web.answer, and the step is for the caller to end. */
static enum want_kind question_step(void *self, struct want *w, struct error *err)
{
	struct google_line *l = self;

	switch (l->step) {
	case LINE_START:
	STEP(l, LINE_REACH):
		PASS(line_open_step(l, w, err));

	STEP(l, LINE_SAY):
		l->reported = l->web.reported = report_begin(l->web.report, l->id, l->web.attempt, w->now_ms);
		web_ask(&l->web, &l->request);

	STEP(l, LINE_ANSWER):
		PASS(web_ask_step(&l->web, w, err));
		l->pause_ms = web_pause_ms(&l->web);
		if (is_passing(l->web.answer.status) && !l->again && !l->request.once && l->pause_ms <= PAUSE_MOST) {
			l->again = true;
			report_note(l->web.report, l->reported, FACT_HTTP_RETRY_AFTER, "%d", l->pause_ms / 1000);
			report_end(l->web.report, l->reported, STEP_WARNED, w->now_ms);
			AWAIT(l, LINE_PAUSE, want_time(w, l->pause_ms)):
			want_came(w);
			l->step = LINE_SAY;
			return question_step(l, w, err);
		}

	STEP(l, LINE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* Both of the children, however long their own waits let them take. */
static enum want_kind await_children(struct google_session *s, struct want *w)
{
	const struct waits *a = &s->waits;

	return want_children(w, &s->children, a->lookup_ms + a->connect_ms + a->tls_ms + ROUNDS * ROUNDS * a->reply_ms + PAUSE_MOST);
}

static void start_child(struct google_session *s, enum want_kind (*step)(void *, struct want *, struct error *), void *self)
{
	children_add(&s->children, &s->task[s->children.count], step, self, 0);
}

/* -- the token ---------------------------------------------------------------------------------------------------- */

static void know_secret(struct google_session *s, const char *secret)
{
	if (secret)
		report_secret(s->report, slice_str(secret));
}

/* A code is good for one time, whatever comes of it. */
static bool is_to_be_redeemed(const struct google_session *s)
{
	return s->code && !s->grant.access_token;
}

/* Exactly those that an administrator was told to enter: one more, and none is given (facts G A.3). */
static const char *delegated_scopes(const struct google_session *s)
{
	return google_scopes(s->terms.rights, true, s->job);
}

static void sign(struct google_session *s, const struct want *w)
{
	const char *assertion = service_account_assertion(s->app->service, s->address->text, delegated_scopes(s), TOKEN_URL, w->now_unix,
	                                                  s->job);

	know_secret(s, assertion);
	oauth_assert(&s->body, assertion ? assertion : "");
}

static void ask_token(struct google_session *s, const struct want *w)
{
	struct google_line       *l = &s->line[GOOGLE_AUTH];
	const struct oauth_client client = { .id = s->app->client_id, .secret = s->app->client_secret };

	buffer_clear(&s->body);
	if (s->terms.tenant)
		sign(s, w);
	else if (is_to_be_redeemed(s))
		oauth_redeem(&s->body, &client, s->code->code, s->code->redirect_uri, s->code->verifier);
	else
		oauth_refresh(&s->body, &client, s->grant.refresh_token, NULL);
	set_question(l, "google.token", "POST", "/token");
	l->request.header[1] = "Content-Type: application/x-www-form-urlencoded";
	l->request.body = buffer_held(&s->body);
	l->request.anonymous = l->request.hushed = true;
}

/* As whom we ask: what an administrator enters, or the operator has registered. */
static const char *app_of(const struct google_session *s)
{
	return s->terms.tenant && s->app->service ? service_account_client_id(s->app->service) : s->app->client_id;
}

static void take_grant(struct google_session *s, const struct oauth_answer *o, const struct want *w)
{
	know_secret(s, o->access_token);
	know_secret(s, o->refresh_token);
	know_secret(s, o->id_token);
	s->grant.access_token = s->login.token = o->access_token;
	if (o->refresh_token)
		s->grant.refresh_token = o->refresh_token;
	if (o->scope || s->terms.tenant)      /* a service account is told none: it has what it asked for, or nothing (facts G A.7) */
		s->grant.scope = o->scope ? o->scope : arena_str(s->report->job, delegated_scopes(s));
	s->grant.expires_at = o->expires_in ? w->now_unix + o->expires_in : 0;
	s->renewed = true;
}

static enum want_kind take_token(struct google_session *s, const struct want *w, struct error *err)
{
	struct google_line *l = &s->line[GOOGLE_AUTH];
	struct oauth_answer o;
	struct error        why = { 0 };
	int                 status = l->web.answer.status;
	bool                read = oauth_answer_read(body_of(l), s->report->job, &o, &why);

	note(s, l->reported, FACT_APP, app_of(s));
	if (status != 200)
		report_note(s->report, l->reported, FACT_HTTP_STATUS, "%d", status);
	if (read && o.access_token && status == 200) {
		if (is_to_be_redeemed(s))
			s->grant.granted_at = w->now_unix;
		else
			note(s, l->reported, FACT_OAUTH_REFRESHED, "yes");
		take_grant(s, &o, w);
		return WANT_NOTHING;
	}
	if (read && o.error) {
		note(s, l->reported, FACT_OAUTH_ERROR, o.error);
		note(s, l->reported, FACT_OAUTH_SUBERROR, o.suberror);
		note(s, l->reported, FACT_OAUTH_TEXT, o.description);
	} else if (status == 200) {
		note(s, l->reported, FACT_REPLY_BROKEN, why.text[0] ? why.text : "a token beside a refusal");
	}
	return failed(s, l, is_passing(status) ? FAULT_BUSY : read ? FAULT_REFUSED : FAULT_BROKEN, w, err, "no token");
}

/* Kept, or somebody else's is; nothing was done with it so far. */
static enum want_kind take_kept(struct google_session *s, const struct want *w, struct error *err)
{
	struct oauth_grant now;

	if (!s->safe->kept(s->safe->self, s->report->job, &now))
		return failed(s, &s->line[GOOGLE_AUTH], FAULT_LOCAL, w, err, "a fresh grant was not kept");
	know_secret(s, now.access_token);
	know_secret(s, now.refresh_token);
	s->grant = now;
	s->login.token = now.access_token;
	return WANT_NOTHING;
}

/* A fresh one for what was granted before. */
static enum want_kind token_step(struct google_session *s, struct want *w, struct error *err)
{
	struct google_line *l = &s->line[GOOGLE_AUTH];
	int                 pause_ms;

	switch (s->token.step) {
	case TOKEN_START:
		s->at_authority = true;

	STEP(&s->token, TOKEN_REACH):
		PASS(line_open_step(l, w, err));
		pause_ms = s->safe ? s->safe->turn(s->safe->self) : 0;
		if (pause_ms) {
			AWAIT(&s->token, TOKEN_WAITED, want_time(w, pause_ms)):
			want_came(w);
		}

	STEP(&s->token, TOKEN_SAY):
		ask_token(s, w);

	STEP(&s->token, TOKEN_ASK):
		PASS(question_step(l, w, err));
		if (take_token(s, w, err) == WANT_FAILED)
			return WANT_FAILED;
		if (s->safe) {
			AWAIT(&s->token, TOKEN_KEEP, want_commit(w, s->safe->keep(s->safe->self, &s->grant))):
			want_came(w);
			if (take_kept(s, w, err) == WANT_FAILED)
				return WANT_FAILED;
		}
		end(s, l, STEP_PASSED, w);

	STEP(&s->token, TOKEN_DONE):
		s->at_authority = false;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- giving it back ----------------------------------------------------------------------------------------------- */

static void ask_revocation(struct google_session *s)
{
	struct google_line *l = &s->line[GOOGLE_AUTH];
	const char         *token = s->grant.refresh_token ? s->grant.refresh_token : s->grant.access_token;

	buffer_clear(&s->body);
	buffer_print(&s->body, "token=%s", http_url_encode(token ? token : "", s->job));
	set_question(l, "google.revoke", "POST", "/revoke");
	l->request.header[1] = "Content-Type: application/x-www-form-urlencoded";
	l->request.body = buffer_held(&s->body);
	l->request.anonymous = l->request.hushed = true;
}

enum want_kind google_revoke_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;
	struct google_line    *l = &s->line[GOOGLE_AUTH];
	struct oauth_answer    o;
	struct error           none = { 0 };

	switch (s->revoke.step) {
	case REVOKE_START:
		ask_revocation(s);

	STEP(&s->revoke, REVOKE_ANSWER):
		PASS(question_step(l, w, err));
		if (l->web.answer.status != 200) {
			report_note(s->report, l->reported, FACT_HTTP_STATUS, "%d", l->web.answer.status);
			if (l->web.answer.status != 400 || !oauth_answer_read(body_of(l), s->job, &o, &none) || !o.error
			    || strcmp(o.error, "invalid_token") != 0)
				return failed(s, l, fault_of(l->web.answer.status), w, err, "not taken back");
			note(s, l->reported, FACT_OAUTH_ERROR, o.error);
		}
		end(s, l, STEP_PASSED, w);

	STEP(&s->revoke, REVOKE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- what was brought --------------------------------------------------------------------------------------------- */

static bool has_ended(const struct google_session *s, const struct want *w)
{
	return oauth_ends_within(&s->grant, 0, w->now_unix);
}

static bool can_renew(const struct google_session *s)
{
	bool has_more = s->terms.tenant ? s->app->service != NULL : s->grant.refresh_token && s->app->client_id;

	return has_more && !s->renewed && !s->tried;
}

static void grant_facts(struct google_session *s, const struct want *w)
{
	int step = report_begin(s->report, "google.grant", s->attempt, w->now_ms);

	note(s, step, FACT_AUTH_BY, s->terms.tenant ? "tenant" : s->code ? "code" : "token");
	if (s->terms.tenant)
		note(s, step, FACT_OAUTH_ASKED, delegated_scopes(s));
	else if (s->code)
		note(s, step, FACT_OAUTH_ASKED, google_scopes(s->terms.rights, false, s->job));
	else
		note(s, step, FACT_TOKEN_AGE, !s->grant.expires_at && s->grant.access_token ? "unknown" : has_ended(s, w) ? "expired" : "fresh");
	note(s, step, FACT_APP, app_of(s));
	if (!s->grant.refresh_token && !s->code && !s->terms.tenant)
		note(s, step, FACT_OAUTH_REFRESHED, "no");
	if (s->grant.granted_at && s->grant.granted_at <= w->now_unix)
		report_note(s->report, step, FACT_GRANT_AGE, "%lld", (long long)(w->now_unix - s->grant.granted_at) / DAY_S);
	report_end(s->report, step, STEP_PASSED, w->now_ms);
}

/* A box may have been left unticked: what was granted tells, not what was asked for (facts G A.4). */
static void scope_facts(struct google_session *s, const struct want *w)
{
	int         step = report_begin(s->report, "google.scopes", s->attempt, w->now_ms);
	const char *missing;
	bool        all = true;

	note(s, step, FACT_OAUTH_SCOPE, s->grant.scope);
	for (size_t i = 0; s->grant.scope && (missing = google_missing(s->grant.scope, s->terms.rights, i)); i++) {
		all = false;
		note(s, step, FACT_OAUTH_MISSING, missing);
	}
	/* nothing that lasts is given to who agreed before and was not asked again (facts G A.2): that ends within the hour */
	if (s->code && !s->grant.refresh_token) {
		all = false;
		note(s, step, FACT_OAUTH_REFRESHED, "no");
	}
	s->lacks = !all;
	report_end(s->report, step, all ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

enum want_kind google_renew_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;

	if (report_find(s->report, "google.grant", s->attempt) < 0)
		grant_facts(s, w);
	if (s->token.step != TOKEN_START || (has_ended(s, w) && can_renew(s)))
		PASS(token_step(s, w, err));
	return WANT_NOTHING;
}

/* -- whose account ------------------------------------------------------------------------------------------------ */

static bool is_gmail(const char *domain)
{
	return slice_is(slice_str(domain), "gmail.com") || slice_is(slice_str(domain), "googlemail.com");
}

/* At Gmail itself dots in the name do not count, and both of its domains are one. */
static bool leads_to_same(const char *a, const char *b)
{
	const char *at_a = strrchr(a, '@'), *at_b = strrchr(b, '@');

	if (slice_is(slice_str(a), b) || !at_a || !at_b || !is_gmail(at_a + 1) || !is_gmail(at_b + 1))
		return slice_is(slice_str(a), b);
	while (a < at_a || b < at_b) {
		if (a < at_a && *a == '.') {
			a++;
		} else if (b < at_b && *b == '.') {
			b++;
		} else {
			if (a == at_a || b == at_b || !slice_is(slice(a, 1), (char[]){ *b, '\0' }))
				return false;
			a++, b++;
		}
	}
	return true;
}

static bool is_asked(const struct google_session *s, const char *address)
{
	return address && leads_to_same(address, s->address->text);
}

/* Mail to that address comes here as well, and its owner knows. */
static bool is_alias(const struct google_session *s)
{
	for (size_t i = 0; s->senders && i < s->senders->count; i++) {
		const struct google_sender *one = &s->senders->item[i];

		if (one->alias && one->confirmed && is_asked(s, one->address))
			return true;
	}
	return false;
}

static void ask_mail(struct google_session *s, const char *id, const char *target)
{
	set_question(&s->line[GOOGLE_MAIL], id, "GET", target);
}

static bool answered(const struct google_session *s, enum google_place p)
{
	return s->line[p].step == LINE_DONE;
}

static bool is_ok(const struct google_session *s, enum google_place p)
{
	return answered(s, p) && s->line[p].web.answer.status == 200;
}

/* What Gmail says of the mailbox; whose it is, is judged by whoever has seen all of it. */
static enum want_kind take_profile(struct google_session *s, const struct want *w, struct error *err)
{
	const struct google_line *l = &s->line[GOOGLE_MAIL];
	struct error              why = { 0 };
	struct google_error       e;

	note(s, l->reported, FACT_AUTH_MECHANISM, web_scheme_name(WEB_BEARER));
	note(s, l->reported, FACT_AUTH_BY, "token");
	if (l->web.answer.status != 200) {
		google_error_read(body_of(l), s->job, &e);
		for (size_t i = 0; i < e.reasons; i++)
			s->api_off |= strcmp(e.reason[i], "SERVICE_DISABLED") == 0 || strcmp(e.reason[i], "accessNotConfigured") == 0;
		return refused(s, l, w, err);
	}
	if (!google_profile_read(body_of(l), s->report->job, &s->profile, &why))
		return unreadable(s, l, w, err, why.text);
	note(s, l->reported, FACT_ACCOUNT_MAILBOX, s->profile.address);
	if (s->profile.messages >= 0)
		report_note(s->report, l->reported, FACT_MESSAGES, "%lld", s->profile.messages);
	end(s, l, STEP_PASSED, w);
	return WANT_NOTHING;
}

static bool take_senders(struct google_session *s)
{
	struct error why = { 0 };

	s->senders = arena_get(s->report->job, sizeof *s->senders);
	if (is_ok(s, GOOGLE_MAIL) && google_senders_read(body_of(&s->line[GOOGLE_MAIL]), s->report->job, s->senders, &why))
		return true;
	*s->senders = (struct google_senders){ .count = 0 };
	return false;
}

/* The one that mail leaves under, where nothing else is said in it. */
static void sender_facts(struct google_session *s, const struct want *w)
{
	const struct google_line *l = &s->line[GOOGLE_MAIL];

	if (!take_senders(s)) {
		struct error none = { 0 };

		if (l->web.answer.status == 200)
			unreadable(s, l, w, &none, "no list of addresses");
		else
			refused(s, l, w, &none);
		return;
	}
	for (size_t i = 0; i < s->senders->count; i++)
		if (s->senders->item[i].usual)
			note(s, l->reported, FACT_ACCOUNT_SENDER, s->senders->item[i].address);
	end(s, l, STEP_PASSED, w);
}

/* Gmail has spoken, and it is the mailbox that was asked for. */
static bool has_mail(const struct google_session *s)
{
	return rights_have_mail(s->terms.rights);
}

static bool is_settled(const struct google_session *s)
{
	return s->profile.address && (is_asked(s, s->profile.address) || is_alias(s));
}

/* Another mailbox, or none that Gmail would show: whose account is it? Who does not take the token there takes it nowhere. */
static bool is_open_whose(const struct google_session *s)
{
	if (!has_mail(s))
		return true;
	return s->mailbox_open ? !is_settled(s) : s->status == 400 || s->status == 403 || s->status == 404;
}

static void own_facts(struct google_session *s, const struct want *w)
{
	int step = report_begin(s->report, "google.account", s->attempt, w->now_ms);

	note(s, step, FACT_ACCOUNT_IS, s->profile.address);
	note(s, step, FACT_ACCOUNT_ASKED, "yes");
	if (!slice_is(slice_str(s->profile.address), s->address->text))
		note(s, step, FACT_ACCOUNT_ALIAS, "yes");
	report_end(s->report, step, STEP_PASSED, w->now_ms);
}

static enum want_kind take_account(struct google_session *s, const struct want *w, struct error *err)
{
	struct google_line *l = &s->line[GOOGLE_ACCOUNT];
	struct error        why = { 0 };
	bool                read = false, same;

	if (l->web.answer.status == 200 && !(read = google_account_read(body_of(l), s->report->job, &s->account, &why)))
		return unreadable(s, l, w, err, why.text);
	if (!read) {
		refusal_facts(s, l);
		/* what Gmail said still stands */
		if (!s->profile.address)
			return failed(s, l, fault_of(l->web.answer.status), w, err, "who it is, is not told");
	}
	same = is_asked(s, s->account.address);
	note(s, l->reported, FACT_ACCOUNT_IS, s->account.address ? s->account.address : s->profile.address);
	note(s, l->reported, FACT_ACCOUNT_ASKED, same ? "yes" : "no");
	note(s, l->reported, FACT_ACCOUNT_DOMAIN, s->account.domain);
	if (!same)
		return failed(s, l, FAULT_REFUSED, w, err, "another account");
	end(s, l, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* -- signing in --------------------------------------------------------------------------------------------------- */

/* The calendar's line is made ready meanwhile; nothing is asked there before it is known whose it is. */
static void start_open(struct google_session *s)
{
	ask_mail(s, "google.mailbox", MAILBOX "/profile");
	children_init(&s->children, UNTIL_ALL);
	start_child(s, question_step, &s->line[GOOGLE_MAIL]);
	if (!s->mail_alone && !s->line[GOOGLE_CALENDAR].open)
		start_child(s, line_open_step, &s->line[GOOGLE_CALENDAR]);
}

static enum want_kind children_failed(struct error *err, const struct google_session *s)
{
	*err = s->task[0].err;
	if (!err->fault)
		fail(err, FAULT_CANCELLED, "called off");
	return WANT_FAILED;
}

/* Refused, and there is something to renew it with: no verdict yet. */
static bool is_to_be_renewed(const struct google_session *s)
{
	return s->line[GOOGLE_MAIL].web.answer.status == 401 && can_renew(s);
}

enum want_kind google_open_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;

	switch (s->step) {
	case OPEN_START:
		grant_facts(s, w);

	STEP(s, OPEN_TOKEN):
		if (s->token.step != TOKEN_START || is_to_be_redeemed(s) || (has_ended(s, w) && can_renew(s)))
			PASS(token_step(s, w, err));
		if (!has_mail(s)) {
			s->step = OPEN_ALIAS;
			return google_open_step(s, w, err);
		}

	STEP(s, OPEN_ASK):
		start_open(s);
		AWAIT(s, OPEN_ASKED, await_children(s, w)):
		want_came(w);
		if (!answered(s, GOOGLE_MAIL))
			return children_failed(err, s);
		if (is_to_be_renewed(s)) {
			end(s, &s->line[GOOGLE_MAIL], STEP_WARNED, w);
	STEP(s, OPEN_RENEW):
			PASS(token_step(s, w, err));
			s->step = OPEN_ASK;
			return google_open_step(s, w, err);
		}
		s->mailbox_open = take_profile(s, w, err) == WANT_NOTHING;
		s->status = s->line[GOOGLE_MAIL].web.answer.status;
		if (is_open_whose(s))
			ask_mail(s, "google.sender", MAILBOX "/settings/sendAs");

	STEP(s, OPEN_ALIAS):
		if (s->mailbox_open && is_open_whose(s)) {
			PASS(question_step(&s->line[GOOGLE_MAIL], w, err));
			sender_facts(s, w);
		}
		if (s->mailbox_open && is_settled(s))
			own_facts(s, w);
		scope_facts(s, w);
		set_question(&s->line[GOOGLE_ACCOUNT], "google.account", "GET", "/v1/userinfo");

	STEP(s, OPEN_ACCOUNT):
		if (is_open_whose(s)) {
			PASS(question_step(&s->line[GOOGLE_ACCOUNT], w, err));
			if (s->line[GOOGLE_ACCOUNT].web.answer.status == 401 && !has_mail(s) && can_renew(s)) {
				end(s, &s->line[GOOGLE_ACCOUNT], STEP_WARNED, w);
	STEP(s, OPEN_ACCOUNT_RENEW):
				PASS(token_step(s, w, err));
				set_question(&s->line[GOOGLE_ACCOUNT], "google.account", "GET", "/v1/userinfo");
				s->step = OPEN_ACCOUNT;
				return google_open_step(s, w, err);
			}
			if (take_account(s, w, err) == WANT_FAILED)
				return WANT_FAILED;
		}
		s->signed_in = s->mailbox_open || is_open_whose(s);

	STEP(s, OPEN_DONE):
		return s->mailbox_open || !has_mail(s) ? WANT_NOTHING : WANT_FAILED;
	}
	return WANT_FAILED;
}

/* -- one question ------------------------------------------------------------------------------------------------- */

void google_question(struct google_session *s, enum google_place p, const char *id, bool goes_on, const char *target)
{
	s->place = p;
	s->ask.step = ASK_START;
	s->token.step = TOKEN_START;
	set_question(&s->line[p], id, "GET", target);
	s->line[p].goes_on = goes_on;
}

const struct web_answer *google_answer(const struct google_session *s)
{
	return &s->line[s->place].web.answer;
}

void google_ask_end(struct google_session *s, enum step_state state, const struct want *w)
{
	end(s, &s->line[s->place], state, w);
}

void google_answer_facts(struct google_session *s)
{
	refusal_facts(s, &s->line[s->place]);
}

bool google_is_busy(struct google_session *s)
{
	return is_busy(s, &s->line[s->place]);
}

int google_busy_ms(const struct google_session *s, int otherwise)
{
	const struct web_session *web = &s->line[s->at_authority ? GOOGLE_AUTH : s->place].web;
	struct slice              field;

	return web_field(web, "Retry-After", &field) ? web_pause_ms(web) : otherwise;
}

static bool is_due(const struct google_session *s, const struct want *w)
{
	return can_renew(s) && oauth_ends_within(&s->grant, s->safe ? s->safe->ahead_s : 0, w->now_unix);
}

/* Ahead of time nothing is lost yet by an outage of the token endpoint: this turn goes on without, and the next tries again. */
static bool is_still_good(struct google_session *s, const struct want *w, struct error *err)
{
	if (has_ended(s, w) || err->fault == FAULT_REFUSED || err->fault == FAULT_LOCAL || w->stopping)
		return false;
	*err = (struct error){ 0 };
	s->tried = true;
	s->at_authority = false;
	return true;
}

enum want_kind google_ask_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;
	struct google_line    *l = &s->line[s->place];
	enum want_kind         kind;

	switch (s->ask.step) {
	case ASK_START:
		if (report_find(s->report, "google.grant", s->attempt) < 0)
			grant_facts(s, w);

	STEP(&s->ask, ASK_TOKEN):
		if (is_due(s, w) || s->token.step != TOKEN_START) {
			kind = token_step(s, w, err);
			if (kind > WANT_FAILED || (kind == WANT_FAILED && !is_still_good(s, w, err)))
				return kind;
			s->token.step = TOKEN_START;
		}

	STEP(&s->ask, ASK_REACH):
		PASS(line_open_step(l, w, err));

	STEP(&s->ask, ASK_SAY):
		if (!l->goes_on)
			l->reported = l->web.reported = report_begin(s->report, l->id, s->attempt, w->now_ms);
		web_ask(&l->web, &l->request);

	STEP(&s->ask, ASK_ANSWER):
		PASS(web_ask_step(&l->web, w, err));
		if (l->web.answer.status == 401 && can_renew(s)) {
			end(s, l, STEP_WARNED, w);
			l->goes_on = false;
			s->token.step = TOKEN_START;
	STEP(&s->ask, ASK_RENEW):
			PASS(token_step(s, w, err));
			s->ask.step = ASK_SAY;
			return google_ask_step(s, w, err);
		}
		s->ask.step = ASK_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- what is there ------------------------------------------------------------------------------------------------ */

static void take_labels(struct google_session *s, const struct want *w)
{
	const struct google_line *l = &s->line[GOOGLE_MAIL];
	struct google_labels      labels;
	struct error              why = { 0 };

	if (l->web.answer.status != 200) {
		refused(s, l, w, &why);
	} else if (!google_labels_read(body_of(l), &labels, &why)) {
		unreadable(s, l, w, &(struct error){ 0 }, why.text);
	} else {
		report_note(s->report, l->reported, FACT_FOLDERS, "%zu", labels.count);
		end(s, l, STEP_PASSED, w);
	}
}

static enum want_kind mail_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;

	switch (s->mail.step) {
	case MAIL_START:
		ask_mail(s, "google.labels", MAILBOX "/labels");

	STEP(&s->mail, MAIL_LABELS):
		PASS(question_step(&s->line[GOOGLE_MAIL], w, err));
		take_labels(s, w);
		if (!s->senders)
			ask_mail(s, "google.sender", MAILBOX "/settings/sendAs");

	STEP(&s->mail, MAIL_SENDERS):
		if (!s->senders) {
			PASS(question_step(&s->line[GOOGLE_MAIL], w, err));
			sender_facts(s, w);
		}

	STEP(&s->mail, MAIL_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

static void take_calendars(struct google_session *s, const struct want *w)
{
	const struct google_line *l = &s->line[GOOGLE_CALENDAR];
	struct google_calendars   c;
	struct error              why = { 0 };

	if (l->web.answer.status != 200) {
		refused(s, l, w, &why);
	} else if (!google_calendars_read(body_of(l), s->job, &c, &why)) {
		unreadable(s, l, w, &(struct error){ 0 }, why.text);
	} else {
		report_note(s->report, l->reported, FACT_CALENDAR_COUNT, "%zu%s", c.count, c.next ? "+" : "");
		if (c.primary)
			note(s, l->reported, FACT_CALENDAR_ROLE, c.role ? c.role : "unknown");
		s->has_calendar = c.primary != NULL;
		end(s, l, s->has_calendar ? STEP_PASSED : STEP_FAILED, w);
	}
}

enum want_kind google_look_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;

	switch (s->look.step) {
	case LOOK_START:
		children_init(&s->children, UNTIL_ALL);
		if (has_mail(s))
			start_child(s, mail_step, s);
		set_question(&s->line[GOOGLE_CALENDAR], "google.calendar", "GET", "/calendar/v3/users/me/calendarList?maxResults=250");
		if (s->line[GOOGLE_CALENDAR].open || !has_mail(s))
			start_child(s, question_step, &s->line[GOOGLE_CALENDAR]);
		AWAIT(&s->look, LOOK_ASKED, await_children(s, w)):
		want_came(w);
		if (answered(s, GOOGLE_CALENDAR))
			take_calendars(s, w);
		if (has_mail(s) ? s->mail.step != MAIL_DONE : !answered(s, GOOGLE_CALENDAR))
			return children_failed(err, s);

	STEP(&s->look, LOOK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- one message -------------------------------------------------------------------------------------------------- */

void google_ask(struct google_session *s, const char *method, const char *path)
{
	struct google_line *l = &s->line[GOOGLE_MAIL];

	set_question(l, NULL, method, arena_print(s->job, MAILBOX "%s", path));
	web_ask(&l->web, &l->request);
}

void google_ask_calendar(struct google_session *s, const char *method, const char *path, struct slice body)
{
	struct google_line *l = &s->line[GOOGLE_CALENDAR];

	set_question(l, NULL, method, arena_print(s->job, "/calendar/v3%s", path));
	l->request.body = body;
	if (body.len)
		l->request.header[1] = "Content-Type: application/json";
	web_ask(&l->web, &l->request);
}

void google_calendar_facts(struct google_session *s)
{
	refusal_facts(s, &s->line[GOOGLE_CALENDAR]);
}

struct web_session *google_web(struct google_session *s)
{
	return &s->line[GOOGLE_MAIL].web;
}

enum want_kind google_send_step(void *self, struct want *w, struct error *err)
{
	struct google_session *s = self;
	struct google_line    *l = &s->line[GOOGLE_MAIL];

	switch (s->send.step) {
	case SEND_START:
		buffer_clear(&s->body);
		google_raw_write(&s->body, s->message);
		set_question(l, "google.send", "POST", MAILBOX "/messages/send");
		l->request.header[1] = "Content-Type: application/json";
		l->request.body = buffer_held(&s->body);
		l->request.once = true;

	STEP(&s->send, SEND_ANSWER):
		PASS(question_step(l, w, err));
		if (l->web.answer.status != 200)
			return refused(s, l, w, err);
		s->sent = true;
		end(s, l, STEP_PASSED, w);

	STEP(&s->send, SEND_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
