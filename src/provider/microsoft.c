#include "provider/microsoft.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/random.h"
#include "model/facts.h"
#include "provider/microsoft_device.h"
#include "wire/assertion.h"
#include "wire/http.h"

enum { OPEN_START, OPEN_TOKEN, OPEN_TOKEN_CAME, OPEN_ACCOUNT, OPEN_BESIDE, OPEN_DONE };
enum { ACCOUNT_START, ACCOUNT_REACH, ACCOUNT_ASK, ACCOUNT_ANSWER, ACCOUNT_PAUSE, ACCOUNT_RENEW, ACCOUNT_DONE };
enum { TOKEN_START, TOKEN_REACH, TOKEN_TURN, TOKEN_WAITED, TOKEN_ASK, TOKEN_ANSWER, TOKEN_PAUSE, TOKEN_KEEP, TOKEN_DONE };
enum { LOOK_START, LOOK_ASK, LOOK_ANSWER, LOOK_PAUSE, LOOK_DONE };
enum { ASK_START, ASK_TOKEN, ASK_REACH, ASK_SAY, ASK_ANSWER, ASK_RENEW };
enum { SEND_START, SEND_ANSWER, SEND_DONE };
enum { TENANT_START, TENANT_REACH, TENANT_ANSWER, TENANT_DONE };
enum { INBOX, FOLDERS, CALENDAR, SENDER, QUESTIONS };

#define BODY_MOST  ((size_t)64 * 1024)
#define EXCERPT    400
#define PAUSE_MOST 5000      /* as long as that it is waited within one look */
#define BESIDE_MS  (3600 * 1000)      /* no bound: what goes on side by side has its own */

/* Of the mailbox, whoever's it is. */
static const struct graph_question questions[QUESTIONS] = {
	[INBOX] = { "GET", "/mailFolders/inbox?$select=id,totalItemCount,unreadItemCount" },
	[FOLDERS] = { "GET", "/mailFolders?$top=100&$select=id,displayName&includeHiddenFolders=true" },
	[CALENDAR] = { "GET", "/calendar?$select=id,name,canEdit" },
	[SENDER] = { "GET", "/mailFolders/sentitems/messages?$top=1&$select=from" },
};

/* What is asked for (ARTICLES S24: all of it), and what of that a connection cannot do without; the others of the list are seen by what
 * came of them. Where somebody opens another's mailbox, the same for that: all of it is needed (facts M B.1). */
static const struct { const char *asked[5], *needed[3], *shared[3]; } sets[RIGHTS_COUNT] = {
	[RIGHTS_FULL] = { { "Mail.ReadWrite", "Mail.Send", "Calendars.Read", "Calendars.ReadWrite", "User.Read" },
	                  { "Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite" },
	                  { "Mail.ReadWrite.Shared", "Mail.Send.Shared", "Calendars.ReadWrite.Shared" } },
	[RIGHTS_READ] = { { "Mail.Read", "Calendars.Read", "User.Read" }, { "Mail.Read", "Calendars.Read" },
	                  { "Mail.Read.Shared", "Calendars.Read.Shared" } },
	[RIGHTS_CALENDAR] = { { "Calendars.Read", "Calendars.ReadWrite", "User.Read" }, { "Calendars.ReadWrite" },
	                      { "Calendars.ReadWrite.Shared" } },
};

struct microsoft_beside {
	struct microsoft_identity identity;
	struct children           both;
	struct task               identity_task, account_task;
};

/* -- where -------------------------------------------------------------------------------------------------------- */

/* National clouds have a Graph and a portal of their own (facts M A.1). */
static const struct { const char *authority, *graph, *portal; } clouds[] = {
	{ "login.microsoftonline.com", "graph.microsoft.com", "https://entra.microsoft.com" },
	{ "login.microsoftonline.us", "graph.microsoft.us", "https://entra.microsoft.us" },
	{ "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "https://entra.microsoftonline.cn" },
};

static const char *authority_host(const struct microsoft_app *app, struct arena *a)
{
	struct slice host = slice_str(app->authority ? app->authority : clouds[0].authority);

	if (slice_starts(host, "https://"))
		host = slice_from(host, 8);
	return arena_copy(a, slice_upto(host, slice_find(host, '/')));
}

static const char *graph_host(const char *authority)
{
	for (size_t i = 0; i < COUNT(clouds); i++)
		if (strcmp(clouds[i].authority, authority) == 0)
			return clouds[i].graph;
	return clouds[0].graph;
}

const char *microsoft_authority(const struct microsoft_app *app, struct arena *into)
{
	return authority_host(app, into);
}

const char *microsoft_path(const struct microsoft_session *s, const char *rest, struct arena *into)
{
	if (!s->terms.tenant && !s->others)
		return arena_print(into, "/me%s", rest);
	return arena_print(into, "/users/%s%s", http_url_encode(s->address->text, into), rest);
}

const char *microsoft_target(const struct microsoft_session *s, const char *rest, struct arena *into)
{
	return arena_print(into, "/v1.0%s", microsoft_path(s, rest, into));
}

static struct endpoint endpoint_at(const char *host)
{
	return (struct endpoint){ .service = SERVICE_WEB, .host = host, .port = 443, .socket = SOCKET_TLS, .source = SOURCE_TABLE };
}

void microsoft_session_init(struct microsoft_session *s, struct report *r, const struct microsoft_app *app,
                            const struct mail_address *address, const struct oauth_grant *grant, struct waits waits, int attempt)
{
	*s = (struct microsoft_session){ .report = r, .app = app, .address = address, .waits = waits, .attempt = attempt, .reported = -1,
	                                 .job = arena_new() };
	if (grant)
		s->grant = *grant;
	s->authority = endpoint_at(authority_host(app, r->job));
	s->graph = endpoint_at(graph_host(s->authority.host));
	s->login = (struct login){ .username = address->text, .username_form = "address", .token = s->grant.access_token };
	buffer_init(&s->body, BODY_MOST);
	web_session_init(&s->entra, r, &s->authority, NULL, "entra", waits, attempt);
	web_session_init(&s->web, r, &s->graph, &s->login, "microsoft", waits, attempt);
	s->web.scheme = WEB_BEARER;
}

bool microsoft_is_open(const struct microsoft_session *s)
{
	return s->inbox_open || (s->has_calendar && !rights_have_mail(s->terms.rights));
}

void microsoft_session_take(struct microsoft_session *s, const struct oauth_grant *grant)
{
	if (s->renewed)
		return;
	s->grant = *grant;
	s->login.token = grant->access_token;
}

void microsoft_session_release(struct microsoft_session *s)
{
	if (!s->job)
		return;
	if (s->beside)
		microsoft_identity_release(&s->beside->identity);
	web_session_release(&s->entra);
	web_session_release(&s->web);
	buffer_release(&s->body);
	arena_free(s->job);
	*s = (struct microsoft_session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static void begin(struct microsoft_session *s, const char *id, const struct want *w)
{
	s->reported = s->web.reported = s->entra.reported = report_begin(s->report, id, s->attempt, w->now_ms);
}

static void end(struct microsoft_session *s, enum step_state state, const struct want *w)
{
	report_end(s->report, s->reported, state, w->now_ms);
}

static void note(struct microsoft_session *s, const char *fact, const char *value)
{
	if (value && *value)
		report_note(s->report, s->reported, fact, "%s", value);
}

static enum want_kind failed(struct microsoft_session *s, enum fault fault, const struct want *w, struct error *err, const char *what)
{
	end(s, STEP_FAILED, w);
	fail(err, fault, "%s: %s", s->at_authority ? s->authority.host : s->graph.host, what);
	return WANT_FAILED;
}

static bool is_passing(int status)
{
	return status == 429 || status == 503 || status == 504;
}

/* -- the person's part -------------------------------------------------------------------------------------------- */

#define URL_MOST ((size_t)8 * 1024)

/* Each of the cloud's own Graph, where one is named. */
static const char *scopes_at(const char *graph, enum rights rights, bool shared, struct arena *a)
{
	const char *all = "openid profile email offline_access", *at = graph ? arena_print(a, "https://%s/", graph) : "";

	for (size_t i = 0; i < COUNT(sets[rights].asked) && sets[rights].asked[i]; i++)
		all = arena_print(a, "%s %s%s", all, at, sets[rights].asked[i]);
	for (size_t i = 0; shared && i < COUNT(sets[rights].shared) && sets[rights].shared[i]; i++)
		all = arena_print(a, "%s %s%s", all, at, sets[rights].shared[i]);
	return all;
}

const char *microsoft_scopes(struct terms terms, struct arena *into)
{
	return scopes_at(NULL, terms.rights, terms.shared, into);
}

const char *microsoft_portal(const struct microsoft_app *app, struct arena *into)
{
	const char *authority = authority_host(app, into);

	for (size_t i = 0; i < COUNT(clouds); i++)
		if (strcmp(clouds[i].authority, authority) == 0)
			return clouds[i].portal;
	return clouds[0].portal;
}

const char *microsoft_consent_url(const struct microsoft_app *app, struct terms terms, const char *tenant, const char *redirect_uri,
                                  const char *state, struct arena *into)
{
	const char   *host = authority_host(app, into), *url;
	struct buffer b;

	buffer_init(&b, URL_MOST);
	oauth_admin_consent(&b, &(struct oauth_admin_consent){ .url = arena_print(into, "https://%s/%s/v2.0/adminconsent", host,
		http_url_encode(tenant, into)), .client_id = app->client_id, .redirect_uri = redirect_uri,
		.scope = scopes_at(graph_host(host), terms.rights, terms.shared, into), .state = state });
	url = arena_copy(into, buffer_held(&b));
	buffer_release(&b);
	return url;
}

const char *microsoft_authorize_url(const struct microsoft_app *app, const struct oauth_code *code,
                                    const struct oauth_departure *d, struct arena *into)
{
	const char   *host = authority_host(app, into), *url;
	char          challenge[OAUTH_CHALLENGE];
	struct buffer b;

	oauth_challenge(code->verifier, challenge);
	buffer_init(&b, URL_MOST);
	oauth_authorize(&b, &(struct oauth_authorize){ .url = arena_print(into, "https://%s/%s/oauth2/v2.0/authorize", host,
		app->tenant ? app->tenant : "common"), .client_id = app->client_id, .redirect_uri = code->redirect_uri,
		.scope = scopes_at(graph_host(host), d->rights, d->shared, into), .state = d->state, .challenge = challenge,
		.login_hint = d->login_hint, .nonce = d->nonce, .silent = d->silent });
	url = arena_copy(into, buffer_held(&b));
	buffer_release(&b);
	return url;
}

/* -- the token ---------------------------------------------------------------------------------------------------- */

static bool is_no_tenant(const char *name)
{
	static const char *const names[] = { "common", "organizations", "consumers" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Whoever asks on their own behalf asks one organisation: the mailbox's, by its domain, where no other is named (facts M A.1, A.7). */
static const char *tenant_of(const struct microsoft_session *s)
{
	const char *named = s->app->tenant ? s->app->tenant : "common";

	return s->terms.tenant && is_no_tenant(named) ? s->address->domain : named;
}

const char *microsoft_authority_path(struct microsoft_session *s, const char *endpoint)
{
	return arena_print(s->job, "/%s/oauth2/v2.0/%s", tenant_of(s), endpoint);
}

const char *microsoft_asked_scopes(const struct microsoft_session *s, struct arena *into)
{
	return scopes_at(s->graph.host, s->terms.rights, s->delegate != NULL, into);
}

struct oauth_client microsoft_client(struct microsoft_session *s, const struct want *w)
{
	struct oauth_client c = { s->app->client_id, s->app->client_secret, NULL };
	const char         *audience;

	if (!s->app->certificate)
		return c;
	audience = arena_print(s->job, "https://%s%s", s->authority.host, microsoft_authority_path(s, "token"));
	c.secret = NULL;
	c.assertion = oauth_assertion(s->app->certificate, c.id, audience, random_text(s->job, 32), w->now_unix, s->job);
	return c;
}

static void ask_token(struct microsoft_session *s, const struct want *w)
{
	struct oauth_client client = microsoft_client(s, w);

	begin(s, "entra.token", w);
	note(s, FACT_APP, s->app->client_id);
	buffer_clear(&s->body);
	if (s->terms.tenant)
		oauth_as_itself(&s->body, &client, arena_print(s->job, "https://%s/.default", s->graph.host));
	else if (s->code)
		oauth_redeem(&s->body, &client, s->code->code, s->code->redirect_uri, s->code->verifier);
	else
		oauth_refresh(&s->body, &client, s->grant.refresh_token, NULL);
	s->request = (struct web_request){ .method = "POST", .target = microsoft_authority_path(s, "token"),
		.header = { "Content-Type: application/x-www-form-urlencoded", "Accept: application/json" }, .body = buffer_held(&s->body),
		.anonymous = true, .hushed = true };
	web_ask(&s->entra, &s->request);
}

static void refusal_facts(struct microsoft_session *s, const struct oauth_answer *o)
{
	note(s, FACT_OAUTH_ERROR, o->error);
	note(s, FACT_OAUTH_SUBERROR, o->suberror);
	note(s, FACT_OAUTH_TEXT, o->description);
	for (size_t i = 0; i < o->numbers; i++)
		note(s, FACT_AADSTS, o->number[i]);
	note(s, FACT_OAUTH_CLAIMS, o->claims ? "yes" : NULL);
	note(s, FACT_AADSTS_TRACE, o->correlation_id);
	note(s, FACT_AADSTS_TIME, o->timestamp);
}

static void know_secrets(struct microsoft_session *s, const char *const secrets[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (secrets[i])
			report_secret(s->report, slice_str(secrets[i]));
}

static int64_t date_of(const struct web_session *web)
{
	struct slice field;
	int64_t      date;

	return web_field(web, "Date", &field) && http_date(field, &date) ? date : 0;
}

static void begin_beside(struct microsoft_session *s, const char *id_token, const struct want *w)
{
	s->beside = arena_get(s->job, sizeof *s->beside);
	s->beside->identity = (struct microsoft_identity){ .report = s->report, .line = &s->entra, .host = s->authority.host,
		.tenant = tenant_of(s), .client_id = s->app->client_id, .token = id_token, .nonce = s->code->nonce, .keys = s->keys,
		.attempt = s->attempt, .date = date_of(&s->entra), .date_here = w->now_unix };
}

static void take_grant(struct microsoft_session *s, const struct oauth_answer *o, const struct want *w)
{
	know_secrets(s, (const char *const[]){ o->access_token, o->refresh_token, o->id_token }, 3);
	s->grant.access_token = s->login.token = o->access_token;
	if (o->refresh_token)
		s->grant.refresh_token = o->refresh_token;
	if (o->scope)
		s->grant.scope = o->scope;
	s->grant.expires_at = o->expires_in ? w->now_unix + o->expires_in : 0;
	s->renewed = true;
	if (s->code)
		begin_beside(s, o->id_token, w);
}

static enum want_kind take_token(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct oauth_answer o;
	struct error        why = { 0 };
	struct slice        body = buffer_held(&s->entra.answer.body);
	int                 status = s->entra.answer.status;
	bool                read = oauth_answer_read(body, s->report->job, &o, &why);

	if (status != 200)
		report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", status);
	if (read && o.access_token && status == 200) {
		take_grant(s, &o, w);
		note(s, FACT_OAUTH_REFRESHED, s->code || s->terms.tenant ? NULL : "yes");
		return WANT_NOTHING;
	}
	if (read && o.error)
		refusal_facts(s, &o);
	else if (status == 200)
		note(s, FACT_REPLY_BROKEN, why.text[0] ? why.text : "a token beside a refusal");
	return failed(s, is_passing(status) ? FAULT_BUSY : read ? FAULT_REFUSED : FAULT_BROKEN, w, err, "no token");
}

/* Kept, or somebody else's is; nothing was done with it so far. */
static enum want_kind take_kept(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct oauth_grant now;

	if (!s->safe->kept(s->safe->self, s->report->job, &now))
		return failed(s, FAULT_LOCAL, w, err, "a fresh grant was not kept");
	know_secrets(s, (const char *const[]){ now.access_token, now.refresh_token }, 2);
	s->grant = now;
	s->login.token = now.access_token;
	return WANT_NOTHING;
}

/* A fresh one for what was granted before. */
static enum want_kind token_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	switch (s->token.step) {
	case TOKEN_START:
		s->at_authority = true;

	STEP(&s->token, TOKEN_REACH):
		if (!s->entra_open)
			PASS(web_open_step(&s->entra, w, err));
		s->entra_open = true;

	STEP(&s->token, TOKEN_TURN):
		s->pause_ms = s->safe ? s->safe->turn(s->safe->self) : 0;
		if (s->pause_ms) {
			AWAIT(&s->token, TOKEN_WAITED, want_time(w, s->pause_ms)):
			want_came(w);
		}

	STEP(&s->token, TOKEN_ASK):
		ask_token(s, w);

	STEP(&s->token, TOKEN_ANSWER):
		PASS(web_ask_step(&s->entra, w, err));
		s->pause_ms = web_pause_ms(&s->entra);
		if (is_passing(s->entra.answer.status) && !s->again && s->pause_ms <= PAUSE_MOST) {
			s->again = true;
			report_note(s->report, s->reported, FACT_HTTP_RETRY_AFTER, "%d", s->pause_ms / 1000);
			end(s, STEP_WARNED, w);
			AWAIT(&s->token, TOKEN_PAUSE, want_time(w, s->pause_ms)):
			want_came(w);
			s->token.step = TOKEN_TURN;
			return token_step(s, w, err);
		}
		if (take_token(s, w, err) == WANT_FAILED)
			return WANT_FAILED;
		if (s->safe) {
			AWAIT(&s->token, TOKEN_KEEP, want_commit(w, s->safe->keep(s->safe->self, &s->grant))):
			want_came(w);
			if (take_kept(s, w, err) == WANT_FAILED)
				return WANT_FAILED;
		}
		end(s, STEP_PASSED, w);

	STEP(&s->token, TOKEN_DONE):
		s->at_authority = false;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

static enum want_kind reach_graph_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	if (!s->graph_open)
		PASS(web_open_step(&s->web, w, err));
	s->graph_open = true;
	return WANT_NOTHING;
}

/* -- the other ways to a grant ------------------------------------------------------------------------------------- */

void microsoft_begin(struct microsoft_session *s, const char *id, const struct want *w)
{
	begin(s, id, w);
}

enum want_kind microsoft_failed(struct microsoft_session *s, enum fault fault, const struct want *w, struct error *err, const char *what)
{
	return failed(s, fault, w, err, what);
}

void microsoft_refusal(struct microsoft_session *s, const struct oauth_answer *o)
{
	refusal_facts(s, o);
}

void microsoft_granted(struct microsoft_session *s, const struct oauth_answer *o, const struct want *w)
{
	take_grant(s, o, w);
}

/* -- what was brought --------------------------------------------------------------------------------------------- */

static bool has_ended(const struct microsoft_session *s, const struct want *w)
{
	return oauth_ends_within(&s->grant, 0, w->now_unix);
}

static void grant_facts(struct microsoft_session *s, const struct want *w)
{
	bool fresh = s->code || s->device;

	begin(s, "entra.grant", w);
	note(s, FACT_AUTH_BY, s->terms.tenant ? "tenant" : s->code ? "code" : s->device ? "device" : "token");
	note(s, FACT_TOKEN_AGE, fresh ? NULL : !s->grant.expires_at && s->grant.access_token ? "unknown" : has_ended(s, w) ? "expired" : "fresh");
	note(s, FACT_APP, s->app->client_id);
	note(s, FACT_ACCOUNT_AS, s->delegate);
	if (!fresh && !s->terms.tenant && !s->grant.refresh_token)
		note(s, FACT_OAUTH_REFRESHED, "no");
	end(s, STEP_PASSED, w);
}

static bool can_renew(const struct microsoft_session *s)
{
	return (s->grant.refresh_token || s->terms.tenant) && s->app->client_id && !s->renewed && !s->tried;
}

/* "Mail.ReadWrite.Shared" of "Mail.Read.Shared"; NULL: it is no right to read. */
static const char *right_to_write(const struct microsoft_session *s, const char *right)
{
	struct slice rest = slice_str(right), group = slice_cut(&rest, '.'), what = slice_cut(&rest, '.');

	if (!slice_is(what, "Read"))
		return NULL;
	return arena_print(s->job, "%.*s.ReadWrite%s%.*s", (int)group.len, group.at, rest.len ? "." : "", (int)rest.len, rest.len ? rest.at : "");
}

/* Who may write may read. */
static bool is_granted(const struct microsoft_session *s, const char *right)
{
	const char *more = right_to_write(s, right);

	return oauth_scope_has(s->grant.scope, right) || oauth_scope_has(s->grant.scope, ".default") || (more && oauth_scope_has(s->grant.scope, more));
}

static bool scopes_missing(struct microsoft_session *s, const char *const needed[3])
{
	bool any = false;

	for (size_t i = 0; s->grant.scope && i < COUNT(sets[0].needed) && needed[i]; i++)
		if (!is_granted(s, needed[i])) {
			any = true;
			note(s, FACT_OAUTH_MISSING, needed[i]);
		}
	return any;
}

static void scope_facts(struct microsoft_session *s, const struct want *w)
{
	bool all;

	begin(s, "entra.scopes", w);
	note(s, FACT_OAUTH_SCOPE, s->grant.scope);
	all = !scopes_missing(s, sets[s->terms.rights].needed);
	if (s->others)
		all &= !scopes_missing(s, sets[s->terms.rights].shared);
	/* never listed: what came of it tells (facts M E.2 6) */
	if (!s->grant.refresh_token && !s->terms.tenant) {
		all = false;
		note(s, FACT_OAUTH_MISSING, "offline_access");
	}
	end(s, all ? STEP_PASSED : STEP_FAILED, w);
}

/* -- refusals of Graph -------------------------------------------------------------------------------------------- */

/* Beside the claims wanted, which go back to the sign-in (facts M B.7). */
static void challenge_facts(struct microsoft_session *s)
{
	struct challenges       offered;
	const struct challenge *bearer;
	struct slice            error;

	challenges_read(buffer_held(&s->web.answer.fields), &offered);
	bearer = challenge_find(&offered, "Bearer");
	if (bearer && challenge_parameter(bearer, "error", s->job, &error) && slice_is(error, "insufficient_claims")) {
		report_fact(s->report, s->reported, FACT_OAUTH_ERROR, error);
		note(s, FACT_OAUTH_CLAIMS, "yes");
	}
}

/* It was to end, and what was granted has nothing to renew it with: that was never asked for, or not given (facts M A.3, E.2 6). A token
 * that came alone says nothing about its grant. */
static bool is_without_renewal(const struct microsoft_session *s, const struct graph_error *e)
{
	for (size_t i = 0; i < e->codes; i++)
		if (strcmp(e->code[i], "InvalidAuthenticationToken") == 0)
			return s->grant.scope && !s->grant.refresh_token;
	return false;
}

static void graph_facts(struct microsoft_session *s, int status, struct slice body)
{
	struct graph_error e;

	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", status);
	if (graph_error_read(body, s->job, &e)) {
		for (size_t i = 0; i < e.codes; i++)
			note(s, FACT_GRAPH_CODE, e.code[i]);
		note(s, FACT_GRAPH_TEXT, e.message);
		note(s, FACT_GRAPH_REQUEST, e.request_id);
		note(s, FACT_OAUTH_MISSING, is_without_renewal(s, &e) ? "offline_access" : NULL);
	} else if (body.len) {
		report_fact(s->report, s->reported, FACT_HTTP_EXCERPT, slice_upto(body, EXCERPT));
	}
}

static enum fault fault_of(int status)
{
	return is_passing(status) ? FAULT_BUSY : status >= 400 ? FAULT_REFUSED : FAULT_BROKEN;
}

/* -- whose account ------------------------------------------------------------------------------------------------ */

static void ask_account(struct microsoft_session *s, const struct want *w)
{
	begin(s, "microsoft.account", w);
	note(s, FACT_AUTH_MECHANISM, web_scheme_name(WEB_BEARER));
	note(s, FACT_AUTH_BY, "token");
	/* who signed in, whoever's mailbox it will be */
	microsoft_get(s, s->terms.tenant ? microsoft_target(s, GRAPH_WHO, s->job) : "/v1.0/me" GRAPH_WHO);
}

static bool is_asked_for(const struct microsoft_session *s, const char *address)
{
	for (size_t i = 0; i < s->user.addresses; i++)
		if (slice_is(slice_str(s->user.address[i]), address))
			return true;
	return false;
}

static const char *shown_as(const struct graph_user *u)
{
	return u->mail ? u->mail : u->user_principal_name ? u->user_principal_name : u->id;
}

static void account_facts(struct microsoft_session *s, bool same)
{
	const struct graph_user *u = &s->user;

	note(s, FACT_ACCOUNT_IS, shown_as(u));
	note(s, FACT_ACCOUNT_ASKED, same ? "yes" : "no");
	note(s, FACT_ACCOUNT_OTHERS, s->others ? "yes" : NULL);
	/* what Graph tells of who signed in says nothing of a mailbox of others */
	if (s->others)
		return;
	note(s, FACT_ACCOUNT_KIND, u->personal ? "personal" : u->guest ? "guest" : "organisation");
	note(s, FACT_ACCOUNT_SYNCED, u->on_premises_sync_enabled ? "yes" : NULL);
	if (u->plans_told && !u->personal)
		note(s, FACT_ACCOUNT_PLAN, u->exchange_plan ? u->exchange_plan : "none");
}

static enum want_kind take_account(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct slice body = buffer_held(&s->web.answer.body);
	struct error why = { 0 };
	int          status = s->web.answer.status;
	bool         same;

	if (status != 200) {
		graph_facts(s, status, body);
		challenge_facts(s);
		return failed(s, fault_of(status), w, err, "who it is, is not told");
	}
	if (!graph_user_read(body, s->report->job, &s->user, &why)) {
		note(s, FACT_REPLY_BROKEN, why.text);
		return failed(s, FAULT_BROKEN, w, err, why.text);
	}
	same = is_asked_for(s, s->delegate ? s->delegate : s->address->text);
	/* a delegate of another name may still be the mailbox's own: the name that signs in where mail has another */
	s->others = s->delegate && same && !is_asked_for(s, s->address->text);
	account_facts(s, same);
	if (!same)
		return failed(s, FAULT_REFUSED, w, err, "another account");
	s->signed_in = true;
	end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* Both in one go: a round trip each for TCP and TLS that the token need not be waited for with. */
static enum want_kind want_token_and_line(struct microsoft_session *s, struct want *w)
{
	children_init(&s->early, UNTIL_ALL);
	children_add(&s->early, &s->for_token, token_step, s, 0);
	children_add(&s->early, &s->for_graph, reach_graph_step, s, 0);
	return want_children(w, &s->early, BESIDE_MS);
}

/* What the token could not be had for comes first: without it nobody is to be asked. */
static enum want_kind token_and_line_came(const struct microsoft_session *s, struct want *w, struct error *err)
{
	const struct task *failed = s->for_token.state != TASK_DONE ? &s->for_token : &s->for_graph;
	enum came          came = want_came(w);

	if (failed->state == TASK_DONE)
		return WANT_NOTHING;
	*err = failed->err;
	if (failed->state != TASK_FAILED)
		fail(err, came_fault(came), "%s: %s", s->at_authority ? s->authority.host : s->graph.host, came_name(came));
	return WANT_FAILED;
}

/* Refused, and there is something to renew it with: no verdict yet. */
static bool is_to_be_renewed(const struct microsoft_session *s)
{
	return s->web.answer.status == 401 && can_renew(s);
}

static enum want_kind account_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	switch (s->account.step) {
	case ACCOUNT_START:
	STEP(&s->account, ACCOUNT_REACH):
		PASS(reach_graph_step(s, w, err));

	STEP(&s->account, ACCOUNT_ASK):
		ask_account(s, w);

	STEP(&s->account, ACCOUNT_ANSWER):
		PASS(web_ask_step(&s->web, w, err));
		s->pause_ms = web_pause_ms(&s->web);
		if (is_passing(s->web.answer.status) && !s->again && s->pause_ms <= PAUSE_MOST) {
			s->again = true;
			report_note(s->report, s->reported, FACT_HTTP_RETRY_AFTER, "%d", s->pause_ms / 1000);
			end(s, STEP_WARNED, w);
			AWAIT(&s->account, ACCOUNT_PAUSE, want_time(w, s->pause_ms)):
			want_came(w);
			s->account.step = ACCOUNT_ASK;
			return account_step(s, w, err);
		}
		if (is_to_be_renewed(s)) {
			end(s, STEP_WARNED, w);
	STEP(&s->account, ACCOUNT_RENEW):
			PASS(token_step(s, w, err));
			s->account.step = ACCOUNT_ASK;
			return account_step(s, w, err);
		}
		if (take_account(s, w, err) == WANT_FAILED)
			return WANT_FAILED;
		scope_facts(s, w);

	STEP(&s->account, ACCOUNT_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- a person, who came with a code ------------------------------------------------------------------------------- */

static enum want_kind ask_both(struct microsoft_session *s, struct want *w)
{
	struct microsoft_beside *b = s->beside;
	int                      whole_ms = s->waits.lookup_ms + s->waits.connect_ms + s->waits.tls_ms + 2 * s->waits.reply_ms + PAUSE_MOST;

	children_init(&b->both, UNTIL_ALL);
	children_add(&b->both, &b->identity_task, microsoft_identity_step, &b->identity, 0);
	children_add(&b->both, &b->account_task, account_step, s, 0);
	return want_children(w, &b->both, whole_ms);
}

static enum want_kind not_done(const struct task *t, struct error *err)
{
	*err = t->err;
	if (!err->fault)
		fail(err, FAULT_TIMEOUT, "called off");
	return WANT_FAILED;
}

/* Whatever was wrong with the id_token, who signed in is not signed in. */
static enum want_kind take_both(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct microsoft_beside *b = s->beside;
	bool                     told = b->account_task.state == TASK_DONE, signed_in = s->signed_in;
	int64_t                  graph_date = date_of(&s->web);

	s->signed_in = false;
	if (b->identity_task.state != TASK_DONE)
		return not_done(&b->identity_task, err);
	s->not_believed = !microsoft_identity_agree(&b->identity, told ? &s->user : NULL, graph_date, w, err);
	if (s->not_believed)
		return WANT_FAILED;
	if (!told)
		return not_done(&b->account_task, err);
	s->signed_in = signed_in;
	return WANT_NOTHING;
}

static enum want_kind not_registered(struct microsoft_session *s, const struct want *w, struct error *err)
{
	s->at_authority = true;
	begin(s, "entra.token", w);
	note(s, FACT_APP, "none");
	return failed(s, FAULT_NOT_OFFERED, w, err, "nobody is registered there");
}

enum want_kind microsoft_open_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	switch (s->step) {
	case OPEN_START:
		grant_facts(s, w);

	STEP(s, OPEN_TOKEN):
		if (s->terms.tenant && !s->app->client_id)
			return not_registered(s, w, err);
		if (s->device)
			PASS(microsoft_device_step(s, w, err));
		if (s->code || (!s->device && has_ended(s, w) && can_renew(s))) {
			AWAIT(s, OPEN_TOKEN_CAME, want_token_and_line(s, w)):
			PASS(token_and_line_came(s, w, err));
		}

	STEP(s, OPEN_ACCOUNT):
		if (!s->beside) {
			PASS(account_step(s, w, err));
			return WANT_NOTHING;
		}
		AWAIT(s, OPEN_BESIDE, ask_both(s, w)):
		want_came(w);
		if (take_both(s, w, err) == WANT_FAILED)
			return WANT_FAILED;

	STEP(s, OPEN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- one question ------------------------------------------------------------------------------------------------- */

int microsoft_busy_ms(const struct microsoft_session *s, int otherwise)
{
	struct slice field;

	return web_field(&s->web, "Retry-After", &field) ? web_pause_ms(&s->web) : otherwise;
}

void microsoft_answer_facts(struct microsoft_session *s)
{
	graph_facts(s, s->web.answer.status, buffer_held(&s->web.answer.body));
}

void microsoft_ask_end(struct microsoft_session *s, enum step_state state, const struct want *w)
{
	end(s, state, w);
}

static bool is_due(const struct microsoft_session *s, const struct want *w)
{
	return can_renew(s) && oauth_ends_within(&s->grant, s->safe ? s->safe->ahead_s : 0, w->now_unix);
}

/* Ahead of time nothing is lost yet by an outage of the authority: this turn goes on without, and the next tries again. */
static bool is_still_good(struct microsoft_session *s, const struct want *w, struct error *err)
{
	if (has_ended(s, w) || err->fault == FAULT_REFUSED || err->fault == FAULT_LOCAL || w->stopping)
		return false;
	*err = (struct error){ 0 };
	s->tried = true;
	s->at_authority = false;
	return true;
}

enum want_kind microsoft_ask_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;
	enum want_kind            kind;

	switch (s->ask.step) {
	case ASK_START:
		if (report_find(s->report, "entra.grant", s->attempt) < 0)
			grant_facts(s, w);

	STEP(&s->ask, ASK_TOKEN):
		if (is_due(s, w) || s->token.step != TOKEN_START) {
			kind = token_step(s, w, err);
			if (kind > WANT_FAILED || (kind == WANT_FAILED && !is_still_good(s, w, err)))
				return kind;
			s->token.step = TOKEN_START;
		}

	STEP(&s->ask, ASK_REACH):
		PASS(reach_graph_step(s, w, err));

	STEP(&s->ask, ASK_SAY):
		begin(s, "microsoft.watch", w);
		web_ask(&s->web, &s->question);

	STEP(&s->ask, ASK_ANSWER):
		PASS(web_ask_step(&s->web, w, err));
		if (is_to_be_renewed(s)) {
			end(s, STEP_WARNED, w);
			s->again = false;
	STEP(&s->ask, ASK_RENEW):
			PASS(token_step(s, w, err));
			s->ask.step = ASK_SAY;
			return microsoft_ask_step(s, w, err);
		}
		s->ask.step = ASK_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- what is there ------------------------------------------------------------------------------------------------ */

void microsoft_get(struct microsoft_session *s, const char *target)
{
	s->request = (struct web_request){ .method = "GET", .target = target, .header = { "Accept: application/json" } };
	web_ask(&s->web, &s->request);
}

void microsoft_batch(struct microsoft_session *s, const struct graph_question *q, size_t count)
{
	buffer_clear(&s->body);
	graph_batch(&s->body, q, count);
	s->request = (struct web_request){ .method = "POST", .target = "/v1.0/$batch",
		.header = { "Content-Type: application/json", "Accept: application/json" }, .body = buffer_held(&s->body) };
	web_ask(&s->web, &s->request);
}

static enum want_kind answer_step(struct microsoft_session *s, struct want *w, struct error *err)
{
	PASS(web_ask_step(&s->web, w, err));
	if (s->web.answer.status >= 200 && s->web.answer.status < 300)
		return WANT_NOTHING;
	graph_facts(s, s->web.answer.status, buffer_held(&s->web.answer.body));
	challenge_facts(s);
	return failed(s, fault_of(s->web.answer.status), w, err, "refused");
}

/* What may be asked of it, in the order of the batch; how many. */
static size_t to_ask(const struct microsoft_session *s, int which[QUESTIONS])
{
	size_t count = 0;

	for (int i = 0; i < QUESTIONS; i++)
		if (i == CALENDAR || rights_have_mail(s->terms.rights))
			which[count++] = i;
	return count;
}

/* What stops the whole stands in the first of its steps. */
static void ask_all(struct microsoft_session *s, const struct want *w)
{
	struct graph_question q[QUESTIONS];
	int                   which[QUESTIONS];
	size_t                count = to_ask(s, which);

	begin(s, which[0] == INBOX ? "microsoft.inbox" : "microsoft.calendar", w);
	for (size_t i = 0; i < count; i++)
		q[i] = (struct graph_question){ questions[which[i]].method, microsoft_path(s, questions[which[i]].url, s->job) };
	microsoft_batch(s, q, count);
}

static bool read_all(struct microsoft_session *s, struct error *why)
{
	struct graph_reply reply[QUESTIONS];
	int                which[QUESTIONS];
	size_t             count = to_ask(s, which);

	if (!graph_batch_read(buffer_held(&s->web.answer.body), s->job, reply, count, why))
		return false;
	for (size_t i = 0; i < count; i++)
		s->reply[which[i]] = reply[i];
	return true;
}

/* How long to wait before it is worth asking again; 0: it is not. */
static int pause_of_batch(const struct microsoft_session *s)
{
	int pause = 0;

	if (s->web.answer.status != 200)
		return is_passing(s->web.answer.status) ? web_pause_ms(&s->web) : 0;
	for (size_t i = 0; i < QUESTIONS; i++)
		if (is_passing(s->reply[i].status)) {
			int ms = s->reply[i].retry_after ? s->reply[i].retry_after * 1000 : 1000;

			pause = ms > pause ? ms : pause;
		}
	return pause;
}

/* Whatever Graph calls it where it knows the account and finds no mailbox of it (facts M B.7, B.9). */
static bool is_without_mailbox(const struct microsoft_session *s)
{
	static const char *const codes[] = {
		"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "RESTAPINotEnabledForComponentSharedMailbox",
		"MailboxNotHostedInExchangeOnline", "ResourceNotFound", "ErrorNonExistentMailbox", "ErrorInvalidUser", "UnknownError",
	};
	const struct graph_reply *r = &s->reply[INBOX];
	struct graph_error        e;

	if (r->status != 401 && r->status != 404 && r->status != 500)
		return false;
	if (!graph_error_read(r->body, s->job, &e))
		return r->status == 401;
	for (size_t i = 0; i < e.codes * COUNT(codes); i++)
		if (strcmp(e.code[i / COUNT(codes)], codes[i % COUNT(codes)]) == 0)
			return true;
	return slice_has(slice_str(e.message), "currently in preview");
}

/* One answer of the batch, to the step under way. True: it is there. */
static bool take_one(struct microsoft_session *s, int which, const struct want *w)
{
	const struct graph_reply *r = &s->reply[which];

	if (r->status == 200)
		return true;
	if (r->status == 0)
		note(s, FACT_REPLY_BROKEN, "a question of the batch without an answer");
	else
		graph_facts(s, r->status, r->body);
	if (r->retry_after)
		report_note(s->report, s->reported, FACT_HTTP_RETRY_AFTER, "%d", r->retry_after);
	end(s, STEP_FAILED, w);
	return false;
}

/* outlook_ and sixteen hexadecimal digits: made up by Outlook.com where the account's own address is elsewhere (facts M B.8). */
static bool is_made_up(const char *address)
{
	struct slice local = slice_upto(slice_str(address), slice_find(slice_str(address), '@'));

	if (!slice_starts(local, "outlook_") || local.len != 24 || !slice_is(slice_from(slice_str(address), 24), "@outlook.com"))
		return false;
	for (size_t i = 8; i < 24; i++)
		if (!isxdigit((unsigned char)local.at[i]))
			return false;
	return true;
}

/* Under which address mail leaves: no question of its own fails for that. */
static void take_sender(struct microsoft_session *s, const struct want *w)
{
	const char *from = s->reply[SENDER].status == 200 ? graph_text(s->reply[SENDER].body, "from.emailAddress.address", s->report->job) : NULL;
	const char *sender = s->user.mail ? s->user.mail : from ? from : s->user.user_principal_name;

	begin(s, "microsoft.sender", w);
	/* what was sent last shows it where the account's own data do not */
	if (s->others || (from && is_made_up(from)))
		sender = from ? from : s->address->text;
	note(s, FACT_ACCOUNT_SENDER, sender);
	if (sender && is_made_up(sender))
		note(s, FACT_ACCOUNT_MADE_UP, "yes");
	end(s, sender && is_made_up(sender) && s->user.personal ? STEP_FAILED : STEP_PASSED, w);
}

static void take_folders(struct microsoft_session *s, const struct want *w)
{
	bool more = false;
	int  count;

	begin(s, "microsoft.folders", w);
	if (!take_one(s, FOLDERS, w))
		return;
	count = graph_page_count(s->reply[FOLDERS].body, &more);
	if (count >= 0)
		report_note(s->report, s->reported, FACT_FOLDERS, "%d%s", count, more ? "+" : "");
	else
		note(s, FACT_REPLY_BROKEN, "no page of folders");
	end(s, count >= 0 ? STEP_PASSED : STEP_FAILED, w);
}

static enum want_kind take_calendar_alone(struct microsoft_session *s, const struct want *w, struct error *err)
{
	s->has_calendar = take_one(s, CALENDAR, w);
	if (s->has_calendar) {
		end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	fail(err, fault_of(s->reply[CALENDAR].status), "%s: no calendar", s->graph.host);
	return WANT_FAILED;
}

static enum want_kind take_all(struct microsoft_session *s, const struct want *w, struct error *err)
{
	if (!rights_have_mail(s->terms.rights))
		return take_calendar_alone(s, w, err);
	if (!take_one(s, INBOX, w)) {
		s->no_mailbox = is_without_mailbox(s);
		fail(err, fault_of(s->reply[INBOX].status), "%s: no inbox", s->graph.host);
		return WANT_FAILED;
	}
	s->inbox_open = true;
	end(s, STEP_PASSED, w);
	take_folders(s, w);
	take_sender(s, w);
	begin(s, "microsoft.calendar", w);
	if (take_one(s, CALENDAR, w)) {
		s->has_calendar = true;
		end(s, STEP_PASSED, w);
	}
	return WANT_NOTHING;
}

/* The batch itself was refused. */
static enum want_kind no_batch(struct microsoft_session *s, const struct want *w, struct error *err)
{
	graph_facts(s, s->web.answer.status, buffer_held(&s->web.answer.body));
	challenge_facts(s);
	return failed(s, fault_of(s->web.answer.status), w, err, "no answer to what was asked");
}

enum want_kind microsoft_look_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;
	struct error              why = { 0 };

	switch (s->look.step) {
	case LOOK_START:
		s->again = false;

	STEP(&s->look, LOOK_ASK):
		ask_all(s, w);

	STEP(&s->look, LOOK_ANSWER):
		PASS(web_ask_step(&s->web, w, err));
		if (s->web.answer.status == 200 && !read_all(s, &why)) {
			note(s, FACT_REPLY_BROKEN, why.text);
			return failed(s, FAULT_BROKEN, w, err, why.text);
		}
		s->pause_ms = pause_of_batch(s);
		if (s->pause_ms && s->pause_ms <= PAUSE_MOST && !s->again) {
			s->again = true;
			report_note(s->report, s->reported, FACT_HTTP_RETRY_AFTER, "%d", s->pause_ms / 1000);
			end(s, STEP_WARNED, w);
			AWAIT(&s->look, LOOK_PAUSE, want_time(w, s->pause_ms)):
			want_came(w);
			s->look.step = LOOK_ASK;
			return microsoft_look_step(s, w, err);
		}
		if (s->web.answer.status != 200)
			return no_batch(s, w, err);
		if (take_all(s, w, err) == WANT_FAILED)
			return WANT_FAILED;

	STEP(&s->look, LOOK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- one message -------------------------------------------------------------------------------------------------- */

enum want_kind microsoft_send_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	switch (s->send.step) {
	case SEND_START:
		begin(s, "microsoft.send", w);
		/* MIME as it is, in base64; the server keeps the copy (facts M B.2) */
		s->request = (struct web_request){ .method = "POST", .target = microsoft_target(s, "/sendMail", s->job), .header = { "Content-Type: text/plain" },
			.body = slice_str(base64_encode(s->job, s->message)), .once = true };
		web_ask(&s->web, &s->request);

	STEP(&s->send, SEND_ANSWER):
		PASS(answer_step(s, w, err));
		s->sent = true;
		end(s, STEP_PASSED, w);

	STEP(&s->send, SEND_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the organisation --------------------------------------------------------------------------------------------- */

static void ask_tenant(struct microsoft_session *s, const struct want *w)
{
	begin(s, "entra.tenant", w);
	s->request = (struct web_request){ .method = "GET", .anonymous = true,
		.target = arena_print(s->job, "/%s/v2.0/.well-known/openid-configuration", http_url_encode(s->address->domain, s->job)) };
	web_ask(&s->entra, &s->request);
}

/* The id stands in the issuer: https://login.microsoftonline.com/{id}/v2.0 */
static const char *tenant_in(const char *issuer, struct arena *a)
{
	struct slice rest = slice_str(issuer);

	for (int i = 0; i < 3; i++)
		slice_cut(&rest, '/');
	return rest.at ? arena_copy(a, slice_cut(&rest, '/')) : NULL;
}

static void take_tenant(struct microsoft_session *s, const struct want *w)
{
	struct slice        body = buffer_held(&s->entra.answer.body);
	const char         *issuer = graph_text(body, "issuer", s->job);
	struct oauth_answer o;
	struct error        why = { 0 };

	if (s->entra.answer.status == 200 && issuer) {
		note(s, FACT_TENANT, tenant_in(issuer, s->job));
		end(s, STEP_PASSED, w);
		return;
	}
	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", s->entra.answer.status);
	if (oauth_answer_read(body, s->job, &o, &why) && o.error)
		refusal_facts(s, &o);
	end(s, STEP_FAILED, w);
}

enum want_kind microsoft_tenant_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	switch (s->tenant.step) {
	case TENANT_START:
		begin(s, "entra.grant", w);
		end(s, STEP_PASSED, w);

	STEP(&s->tenant, TENANT_REACH):
		PASS(web_open_step(&s->entra, w, err));
		ask_tenant(s, w);

	STEP(&s->tenant, TENANT_ANSWER):
		PASS(web_ask_step(&s->entra, w, err));
		take_tenant(s, w);
		report_skip(s->report, "microsoft.account", s->attempt, "no_credentials", w->now_ms);

	STEP(&s->tenant, TENANT_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- ourselves ---------------------------------------------------------------------------------------------------- */

bool microsoft_names_tenant(const struct microsoft_app *app)
{
	return app->tenant && !is_no_tenant(app->tenant);
}

enum want_kind microsoft_itself_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_session *s = self;

	if (s->token.step == TOKEN_START && report_find(s->report, "entra.grant", s->attempt) < 0)
		grant_facts(s, w);
	return token_step(s, w, err);
}
