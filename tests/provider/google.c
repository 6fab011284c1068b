#include "provider/google.h"

#include "base/secret.h"
#include "diagnose/diagnose.h"
#include "model/facts.h"
#include "provider/promises.h"
#include "web_peer.h"

#define APP    "481516234200-mailmoor.apps.googleusercontent.com"
#define CLIENT "GOCSPX-very-secret"
#define OLD    "ya29.old-token"
#define NEW    "ya29.new-token"
#define R0     "1//0refresh-of-old"
#define MAIL   "https://mail.google.com/"
#define AUTH(name) "https://www.googleapis.com/auth/" name
#define SCOPES MAIL " " AUTH("calendar") " " AUTH("userinfo.email") " openid"
#define NOW    1795248000
#define VERIFIER "verifier-of-forty-three-characters-and-some-more"

struct scene {
	struct report        *report;
	struct mail_address   address;
	struct google_app     app;
	struct secrets        known;
	struct google_session google;
	bool                  opened;
};

struct set {                      /* all but the usual */
	const char *address, *scope;
	int64_t     expires_at, granted_at;
	bool        no_refresh;
	enum rights rights;
	bool        code;                /* instead of a grant */
};

static void scene_open(struct scene *s, const struct set *set)
{
	/* by number: nobody answers for names here */
	static const char *const hosts[GOOGLE_PLACES] = { "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10" };
	const char         *address = set->address ? set->address : "ann@birch.example", *problem;
	struct oauth_grant grant = { .access_token = OLD, .refresh_token = set->no_refresh ? NULL : R0, .scope = set->scope ? set->scope : SCOPES,
	                              .expires_at = set->expires_at, .granted_at = set->granted_at };
	static const struct oauth_code code = { "4/0AcodeOfOurs", VERIFIER, "https://mail.example.org/connect/google/callback", NULL };

	*s = (struct scene){ .report = report_new(address), .app = { .client_id = APP, .client_secret = CLIENT } };
	s->report->keep_talk = true;
	s->report->provider = "google";
	secrets_know(&s->known, slice_str(OLD));
	secrets_know(&s->known, slice_str(R0));
	secrets_know(&s->known, slice_str(CLIENT));
	report_guard(s->report, &s->known);
	EXPECT(mail_address_parse(address, s->report->job, &s->address, &problem));
	google_session_init(&s->google, s->report, &s->app, &s->address, set->code ? NULL : &grant, waits_within(30000), report_attempt(s->report));
	s->google.terms.rights = set->rights;
	s->google.code = set->code ? &code : NULL;
	for (enum google_place p = 0; p < GOOGLE_PLACES; p++)
		s->google.line[p].endpoint.host = hosts[p];
}

static void scene_close(struct scene *s)
{
	google_session_release(&s->google);
	report_free(s->report);
	secrets_forget(&s->known);
}

static enum want_kind session_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened)
		PASS(google_open_step(&s->google, w, err));
	s->opened = true;
	return google_look_step(&s->google, w, err);
}

#define JSON(status, body)  status "\nContent-Type: application/json; charset=UTF-8\n\n" body
#define BEARER(with)        "\nAuthorization: Bearer " with
#define PROFILE(with, answer) { "GET /gmail/v1/users/me/profile\nHost: 192.0.2.9" BEARER(with), answer, KEEPS }
#define LABELS(answer)      { "GET /gmail/v1/users/me/labels \nHost: 192.0.2.9" BEARER(""), answer, KEEPS }
#define SENDERS(answer)     { "GET /gmail/v1/users/me/settings/sendAs\nHost: 192.0.2.9" BEARER(""), answer, KEEPS }
#define CALENDARS(answer)   { "GET /calendar/v3/users/me/calendarList\nHost: 192.0.2.10" BEARER(""), answer, KEEPS }
#define WHO(answer)         { "GET /v1/userinfo\nHost: 192.0.2.8" BEARER(""), answer, KEEPS }
#define REFRESH(answer)     { "POST /token\nHost: 192.0.2.7\ngrant_type=refresh_token\nclient_id=" APP "\nclient_secret=" CLIENT "\nrefresh_token=1%2F%2F0refresh-of-old\n!Authorization\n!" OLD, answer, KEEPS }
#define REDEEM(answer)      { "POST /token\nHost: 192.0.2.7\ngrant_type=authorization_code\nclient_id=" APP "\nclient_secret=" CLIENT "\ncode=4%2F0AcodeOfOurs\nredirect_uri=https%3A%2F%2Fmail.example.org%2Fconnect%2Fgoogle%2Fcallback\ncode_verifier=" VERIFIER "\n!Authorization:", answer, KEEPS }
#define GIVEN(scope, more)  JSON("200 OK", "{\"token_type\":\"Bearer\",\"scope\":\"" scope "\",\"expires_in\":3599" more ",\"access_token\":\"" NEW "\"}")
#define LASTS               ",\"refresh_token\":\"1//0fresh\""
#define UNTICKED_ANSWER     REFUSAL("403 Forbidden", "insufficientPermissions", "Request had insufficient authentication scopes.")
#define IS(address)         JSON("200 OK", "{\"emailAddress\":\"" address "\",\"messagesTotal\":3,\"historyId\":\"98765\"}")
#define ANN                 IS("Ann@birch.example")
#define THREE               JSON("200 OK", "{\"labels\":[{\"id\":\"INBOX\",\"type\":\"system\"},{\"id\":\"SENT\",\"type\":\"system\"},{\"id\":\"Label_1\",\"type\":\"user\"}]}")
#define SENDS_AS(more)      JSON("200 OK", "{\"sendAs\":[{\"sendAsEmail\":\"ann@birch.example\",\"isPrimary\":true,\"isDefault\":true}" more "]}")
#define OWN                 JSON("200 OK", "{\"items\":[{\"id\":\"ann@birch.example\",\"primary\":true,\"accessRole\":\"owner\"}],\"nextPageToken\":\"p2\"}")
#define ACCOUNT(address)    JSON("200 OK", "{\"sub\":\"1081516234200000042\",\"email\":\"" address "\",\"hd\":\"birch.example\"}")
#define REFUSAL(status, reason, text) JSON(status, "{\"error\":{\"code\":403,\"message\":\"" text "\",\"errors\":[{\"domain\":\"global\",\"reason\":\"" reason "\",\"message\":\"" text "\"}],\"status\":\"PERMISSION_DENIED\"}}")
#define EXPIRED_ANSWER      JSON("401 Unauthorized", "{\"error\":{\"code\":401,\"message\":\"Invalid Credentials\",\"errors\":[{\"reason\":\"authError\"}],\"status\":\"UNAUTHENTICATED\"}}")
#define GRANTED             JSON("200 OK", "{\"token_type\":\"Bearer\",\"scope\":\"" SCOPES "\",\"expires_in\":3599,\"access_token\":\"" NEW "\"}")
#define REFUSED(status, error, text) JSON(status, "{\"error\":\"" error "\",\"error_description\":\"" text "\"}")
#define ENDED               REFUSED("400 Bad Request", "invalid_grant", "Token has been expired or revoked.")
#define REST                LABELS(THREE), SENDERS(SENDS_AS("")), CALENDARS(OWN)

#define TURNS 10

static const struct {
	const char     *name;
	struct set      set;
	struct turn     turn[TURNS];
	enum fault      fault;
	const char     *cause;           /* NULL: connected, or nothing to say */
	enum certainty  certainty;
	const char     *step, *fact, *value;      /* value NULL: there must be none */
	enum verdict_kind kind;
} sessions[] = {
	/* -- well */
	{ "signed in", { 0 }, { PROFILE(OLD, ANN), REST }, FAULT_NONE, NULL, 0, "google.labels", FACT_FOLDERS, "3", VERDICT_CONNECTED },
	{ "with the narrower scope", { .scope = AUTH("gmail.modify") " " AUTH("calendar") }, { PROFILE(OLD, ANN), REST }, FAULT_NONE, NULL, 0, "google.calendar", FACT_CALENDAR_COUNT, "1+", VERDICT_CONNECTED },
	{ "run out by the clock: renewed before it is used", { .expires_at = NOW + 30 }, { REFRESH(GRANTED), PROFILE(NEW, ANN), REST }, FAULT_NONE, NULL, 0, "google.token", FACT_OAUTH_REFRESHED, "yes", VERDICT_CONNECTED },
	{ "refused by Gmail: renewed, once", { 0 }, { PROFILE(OLD, EXPIRED_ANSWER), REFRESH(GRANTED), PROFILE(NEW, ANN), REST }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, VERDICT_CONNECTED },
	{ "slowed down once", { 0 }, { PROFILE(OLD, "429 Too Many Requests\nRetry-After: 2\n\n"), PROFILE(OLD, ANN), REST }, FAULT_NONE, NULL, 0, "google.mailbox", FACT_HTTP_RETRY_AFTER, "2", VERDICT_CONNECTED },
	{ "at Gmail itself dots do not count", { .address = "a.n.n@gmail.com" }, { PROFILE(OLD, IS("an.N@googlemail.com")), REST }, FAULT_NONE, NULL, 0, "google.account", FACT_ACCOUNT_ALIAS, "yes", VERDICT_CONNECTED },
	{ "by an alias", { .address = "al@birch.example" }, { PROFILE(OLD, IS("ann@birch.example")), SENDERS(SENDS_AS(",{\"sendAsEmail\":\"al@birch.example\",\"treatAsAlias\":true,\"verificationStatus\":\"accepted\"}")), LABELS(THREE), CALENDARS(OWN) },
	  FAULT_NONE, NULL, 0, "google.account", FACT_ACCOUNT_ALIAS, "yes", VERDICT_CONNECTED },
	{ "an account of that name, its mailbox of another", { 0 }, { PROFILE(OLD, IS("ann.birch@gmail.com")), SENDERS(SENDS_AS("")), WHO(ACCOUNT("ann@birch.example")), LABELS(THREE), CALENDARS(OWN) },
	  FAULT_NONE, NULL, 0, "google.mailbox", FACT_ACCOUNT_MAILBOX, "ann.birch@gmail.com", VERDICT_CONNECTED },

	/* -- a code that a person has just brought back */
	{ "redeemed", { .code = true }, { REDEEM(GIVEN(AUTH("gmail.modify") " " AUTH("calendar") " openid", LASTS)), PROFILE(NEW, ANN), REST }, FAULT_NONE, NULL, 0, "google.grant", FACT_OAUTH_ASKED, "gmail.modify calendar", VERDICT_CONNECTED },
	{ "redeemed before", { .code = true }, { REDEEM(REFUSED("400 Bad Request", "invalid_grant", "Malformed auth code.")) }, FAULT_REFUSED, "google.sign_in_again", LIKELY, "google.token", FACT_OAUTH_ERROR, "invalid_grant", VERDICT_FAILED },
	{ "the box for the calendar left empty", { .code = true }, { REDEEM(GIVEN(AUTH("gmail.modify") " openid", LASTS)), PROFILE(NEW, ANN), LABELS(THREE), SENDERS(SENDS_AS("")), CALENDARS(UNTICKED_ANSWER) },
	  FAULT_NONE, "google.scope_unticked", PROVEN, "google.scopes", FACT_OAUTH_MISSING, "calendar", VERDICT_PARTIAL },
	{ "the box for mail left empty", { .code = true }, { REDEEM(GIVEN(AUTH("calendar") " openid", LASTS)), PROFILE(NEW, UNTICKED_ANSWER), WHO(ACCOUNT("ann@birch.example")) },
	  FAULT_REFUSED, "google.scope_unticked", PROVEN, "google.scopes", FACT_OAUTH_MISSING, "gmail.modify", VERDICT_FAILED },
	{ "nothing that lasts", { .code = true }, { REDEEM(GIVEN(SCOPES, "")), PROFILE(NEW, ANN), REST }, FAULT_NONE, "google.sign_in_again", LIKELY, "google.scopes", FACT_OAUTH_REFRESHED, "no", VERDICT_PARTIAL },
	{ "somebody else's code", { .code = true }, { REDEEM(GIVEN(SCOPES, LASTS)), PROFILE(NEW, IS("eve@birch.example")), SENDERS(SENDS_AS("")), WHO(ACCOUNT("eve@birch.example")) },
	  FAULT_REFUSED, "google.wrong_account", PROVEN, "google.account", FACT_ACCOUNT_IS, "eve@birch.example", VERDICT_FAILED },

	/* -- on other terms */
	{ "to read alone", { .rights = RIGHTS_READ, .scope = AUTH("gmail.readonly") " " AUTH("calendar.readonly") }, { PROFILE(OLD, ANN), REST }, FAULT_NONE, NULL, 0, "google.scopes", FACT_OAUTH_MISSING, NULL, VERDICT_CONNECTED },
	{ "the calendar alone", { .rights = RIGHTS_CALENDAR, .scope = AUTH("calendar") }, { WHO(ACCOUNT("ann@birch.example")), CALENDARS(OWN) }, FAULT_NONE, NULL, 0, "google.scopes", FACT_OAUTH_MISSING, NULL, VERDICT_CONNECTED },
	{ "the calendar alone, of a code", { .rights = RIGHTS_CALENDAR, .code = true }, { REDEEM(GIVEN(AUTH("calendar"), LASTS)), WHO(ACCOUNT("ann@birch.example")), CALENDARS(OWN) }, FAULT_NONE, NULL, 0, "google.grant", FACT_OAUTH_ASKED, "calendar", VERDICT_CONNECTED },
	{ "the calendar alone, of somebody else", { .rights = RIGHTS_CALENDAR, .scope = AUTH("calendar") }, { WHO(ACCOUNT("eve@birch.example")) }, FAULT_REFUSED, "google.wrong_account", PROVEN, "google.account", FACT_ACCOUNT_IS, "eve@birch.example", VERDICT_FAILED },
	{ "the calendar alone, renewed", { .rights = RIGHTS_CALENDAR, .scope = AUTH("calendar") }, { WHO(EXPIRED_ANSWER), REFRESH(GRANTED), WHO(ACCOUNT("ann@birch.example")), CALENDARS(OWN) }, FAULT_NONE, NULL, 0, "google.token", FACT_OAUTH_REFRESHED, "yes", VERDICT_CONNECTED },

	/* -- the token endpoint refuses */
	{ "ended", { .expires_at = 1 }, { REFRESH(ENDED) }, FAULT_REFUSED, "google.sign_in_again", LIKELY, "google.token", FACT_OAUTH_ERROR, "invalid_grant", VERDICT_FAILED },
	{ "ended within its first days", { .expires_at = 1, .granted_at = NOW - 3 * 86400 }, { REFRESH(ENDED) }, FAULT_REFUSED, "google.sign_in_again", PROVEN, "google.grant", FACT_GRANT_AGE, "3", VERDICT_FAILED },
	{ "ended after seven days", { .expires_at = 1, .granted_at = NOW - 7 * 86400 - 60 }, { REFRESH(ENDED) }, FAULT_REFUSED, "google.testing_grant_ended", LIKELY, "google.grant", FACT_GRANT_AGE, "7", VERDICT_FAILED },
	{ "a session's end", { .expires_at = 1 }, { REFRESH(JSON("400 Bad Request", "{\"error\":\"invalid_grant\",\"error_description\":\"reauth related error (invalid_rapt)\",\"error_subtype\":\"invalid_rapt\"}")) },
	  FAULT_REFUSED, "google.reauth_policy", PROVEN, "google.token", FACT_OAUTH_SUBERROR, "invalid_rapt", VERDICT_FAILED },
	{ "Advanced Protection", { .expires_at = 1 }, { REFRESH(REFUSED("400 Bad Request", "policy_enforced", "x")) }, FAULT_REFUSED, "google.advanced_protection", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "an administrator", { .expires_at = 1 }, { REFRESH(REFUSED("400 Bad Request", "admin_policy_enforced", "x")) }, FAULT_REFUSED, "google.app_blocked_by_admin", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "our secret", { .expires_at = 1 }, { REFRESH(REFUSED("401 Unauthorized", "invalid_client", "Unauthorized")) }, FAULT_REFUSED, "google.app_misregistered", PROVEN, "google.token", FACT_APP, APP, VERDICT_FAILED },
	{ "down", { .expires_at = 1 }, { REFRESH("502 Bad Gateway\nContent-Type: text/html\n\n<html>") }, FAULT_BROKEN, "server.unavailable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "no JSON", { .expires_at = 1 }, { REFRESH("200 OK\n\n<html>") }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "silence", { .expires_at = 1 }, { { "POST /token", NULL, IS_SILENT } }, FAULT_TIMEOUT, "server.unavailable", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- the token is refused */
	{ "nothing to renew it with", { .no_refresh = true }, { PROFILE(OLD, EXPIRED_ANSWER) }, FAULT_REFUSED, "google.sign_in_again", LIKELY, "google.grant", FACT_OAUTH_REFRESHED, "no", VERDICT_FAILED },
	{ "refused again", { 0 }, { PROFILE(OLD, EXPIRED_ANSWER), REFRESH(GRANTED), PROFILE(NEW, EXPIRED_ANSWER) }, FAULT_REFUSED, "google.sign_in_again", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- whose account */
	{ "somebody else's", { 0 }, { PROFILE(OLD, IS("bob@birch.example")), SENDERS(SENDS_AS("")), WHO(ACCOUNT("bob@birch.example")) }, FAULT_REFUSED, "google.wrong_account", PROVEN, "google.account", FACT_ACCOUNT_IS, "bob@birch.example", VERDICT_FAILED },
	{ "somebody else's, who may send as the one asked for", { 0 }, { PROFILE(OLD, IS("bob@birch.example")), SENDERS(SENDS_AS("")), WHO(REFUSAL("401 Unauthorized", "required", "x")) },
	  FAULT_REFUSED, "google.wrong_account", PROVEN, "google.account", FACT_ACCOUNT_IS, "bob@birch.example", VERDICT_FAILED },
	{ "somebody else's, and Gmail is off", { 0 }, { PROFILE(OLD, REFUSAL("400 Bad Request", "failedPrecondition", "Mail service not enabled")), WHO(ACCOUNT("bob@birch.example")) },
	  FAULT_REFUSED, "google.wrong_account", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- the mailbox */
	{ "Gmail is off", { 0 }, { PROFILE(OLD, REFUSAL("400 Bad Request", "failedPrecondition", "Mail service not enabled")), WHO(ACCOUNT("ann@birch.example")) },
	  FAULT_REFUSED, "google.gmail_off", PROVEN, "google.account", FACT_ACCOUNT_DOMAIN, "birch.example", VERDICT_FAILED },
	{ "the box for mail was left unticked", { .scope = AUTH("calendar") " openid" }, { PROFILE(OLD, REFUSAL("403 Forbidden", "insufficientPermissions", "x")), WHO(ACCOUNT("ann@birch.example")) },
	  FAULT_REFUSED, "google.scope_unticked", PROVEN, "google.scopes", FACT_OAUTH_MISSING, "gmail.modify", VERDICT_FAILED },
	{ "an administrator keeps programs out", { 0 }, { PROFILE(OLD, REFUSAL("403 Forbidden", "domainPolicy", "The domain administrators have disabled Gmail apps.")), WHO(ACCOUNT("ann@birch.example")) },
	  FAULT_REFUSED, "google.app_blocked_by_admin", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "not switched on in our project", { 0 }, { PROFILE(OLD, REFUSAL("403 Forbidden", "accessNotConfigured", "x")), WHO(ACCOUNT("ann@birch.example")) }, FAULT_REFUSED, "google.app_misregistered", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "slowed down", { 0 }, { PROFILE(OLD, REFUSAL("429 Too Many Requests", "rateLimitExceeded", "x")), PROFILE(OLD, REFUSAL("429 Too Many Requests", "rateLimitExceeded", "x")) }, FAULT_BUSY, "throttle.provider", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "Gmail is down", { 0 }, { PROFILE(OLD, "500 Internal Server Error\n\n<html>oops</html>") }, FAULT_REFUSED, "server.unavailable", PROVEN, "google.mailbox", FACT_HTTP_EXCERPT, "<html>oops</html>", VERDICT_FAILED },
	{ "a reason that nobody knows", { 0 }, { PROFILE(OLD, REFUSAL("418 Teapot", "quantumFluctuation", "x")) }, FAULT_REFUSED, "unknown.answer", PROVEN, "google.mailbox", FACT_GOOGLE_REASON, "quantumFluctuation", VERDICT_FAILED },
	{ "a mailbox without an address", { 0 }, { PROFILE(OLD, JSON("200 OK", "{}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- beside it */
	{ "the box for the calendar was left unticked", { .scope = MAIL }, { PROFILE(OLD, ANN), LABELS(THREE), SENDERS(SENDS_AS("")), CALENDARS(REFUSAL("403 Forbidden", "insufficientPermissions", "x")) },
	  FAULT_NONE, "google.scope_unticked", PROVEN, "google.scopes", FACT_OAUTH_MISSING, "calendar", VERDICT_PARTIAL },
	{ "the calendar is off", { 0 }, { PROFILE(OLD, ANN), LABELS(THREE), SENDERS(SENDS_AS("")), CALENDARS(REFUSAL("403 Forbidden", "notACalendarUser", "x")) }, FAULT_NONE, "google.calendar_off", PROVEN, NULL, NULL, NULL, VERDICT_PARTIAL },
	{ "no calendar of its own", { 0 }, { PROFILE(OLD, ANN), LABELS(THREE), SENDERS(SENDS_AS("")), CALENDARS(JSON("200 OK", "{\"items\":[]}")) }, FAULT_NONE, "calendar.none", LIKELY, NULL, NULL, NULL, VERDICT_PARTIAL },
	{ "labels that cannot be read", { 0 }, { PROFILE(OLD, ANN), LABELS(JSON("200 OK", "{}")), SENDERS(SENDS_AS("")), CALENDARS(OWN) }, FAULT_NONE, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
};

static void no_grant_in(const struct report *r, const char *row)
{
	static const char *const words[] = { OLD, NEW, R0, "0refresh-of-old", CLIENT };

	said_nowhere(r, words, COUNT(words), row);
}

static void play(size_t i, bool piecemeal)
{
	const char     *row = sessions[i].name;
	struct web_peer p;
	struct error    err = { 0 };
	struct verdict  v;
	struct scene    s;
	bool            fine;

	web_peer_init(&p, sessions[i].turn, row);
	p.piecemeal = piecemeal;
	scene_open(&s, &sessions[i].set);
	fine = web_peer_run(&p, session_step, &s, &err);
	if (fine != (sessions[i].fault == FAULT_NONE) || err.fault != sessions[i].fault)
		test_fail(__FILE__, __LINE__, "%s: %s (%s)", row, fine ? "went well" : fault_name(err.fault), err.text);
	no_step_is_running(s.report, row);
	no_grant_in(s.report, row);
	if (sessions[i].step)
		EXPECT_ROW(has_fact(s.report, sessions[i].step, sessions[i].fact, sessions[i].value) == (sessions[i].value != NULL), row);
	diagnose(s.report, &v);
	if (sessions[i].cause && (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, sessions[i].cause) != 0 || v.finding[0].certainty != sessions[i].certainty))
		test_fail(__FILE__, __LINE__, "%s: %s %s, not %s", row, v.findings ? certainty_name(v.finding[0].certainty) : "", v.findings ? cause_row(v.finding[0].cause)->id : "no finding", sessions[i].cause);
	EXPECT_ROW(sessions[i].cause || v.findings == 0, row);
	if (v.kind != sessions[i].kind)
		test_fail(__FILE__, __LINE__, "%s: %s", row, verdict_name(v.kind));
	scene_close(&s);
	web_peer_end(&p);
}

TEST(every_session_whole)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		play(i, false);
}

TEST(every_session_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		play(i, true);
}

/* A refresh takes nothing away: what was granted before is what is renewed with the next time. */
TEST(what_was_granted_is_handed_on)
{
	static const struct turn turns[] = { REFRESH(GRANTED), PROFILE(NEW, ANN), REST, { 0 } };
	struct web_peer          p;
	struct error             err = { 0 };
	struct scene             s;

	web_peer_init(&p, turns, "renewed");
	scene_open(&s, &(struct set){ .expires_at = 1 });
	EXPECT(web_peer_run(&p, session_step, &s, &err));
	EXPECT(s.google.renewed && s.google.signed_in && s.google.mailbox_open && s.google.has_calendar);
	EXPECT_TEXT(s.google.grant.access_token, NEW);
	EXPECT_TEXT(s.google.grant.refresh_token, R0);
	EXPECT(s.google.grant.expires_at == NOW + 3599);
	EXPECT_TEXT(s.google.profile.history, "98765");
	scene_close(&s);
	web_peer_end(&p);
}

/* Where our registration may not use Gmail's interface the account is known all the same: IMAP may be tried. */
TEST(an_interface_that_is_off)
{
	static const struct turn turns[] = { PROFILE(OLD, REFUSAL("403 Forbidden", "accessNotConfigured", "x")), WHO(ACCOUNT("ann@birch.example")), { 0 } };
	struct web_peer          p;
	struct error             err = { 0 };
	struct scene             s;

	web_peer_init(&p, turns, "off");
	scene_open(&s, &(struct set){ 0 });
	EXPECT(!web_peer_run(&p, session_step, &s, &err));
	EXPECT(s.google.api_off && s.google.signed_in && !s.google.mailbox_open);
	scene_close(&s);
	web_peer_end(&p);
}

#define REVOKE(token, answer) { "POST /revoke\nHost: 192.0.2.7\nContent-Type: application/x-www-form-urlencoded\ntoken=" token "\n!Authorization", answer, KEEPS }

/* With the refresh token, and where there is none with the other; a grant that is no more is given back. */
TEST(a_grant_is_given_back)
{
	static const struct { const char *name; struct set set; struct turn turn[3]; enum fault fault; } revokes[] = {
		{ "given back", { 0 }, { REVOKE("1%2F%2F0refresh-of-old", JSON("200 OK", "{}")) }, FAULT_NONE },
		{ "by its access token", { .no_refresh = true }, { REVOKE("ya29.old-token", JSON("200 OK", "{}")) }, FAULT_NONE },
		{ "ended before", { 0 }, { REVOKE("", JSON("400 Bad Request", "{\"error\":\"invalid_token\",\"error_description\":\"Token expired or revoked\"}")) }, FAULT_NONE },
		{ "something else", { 0 }, { REVOKE("", JSON("400 Bad Request", "{\"error\":\"invalid_request\"}")) }, FAULT_REFUSED },
		{ "a page", { 0 }, { REVOKE("", "400 Bad Request\n\n<html>") }, FAULT_REFUSED },
		{ "busy", { 0 }, { REVOKE("", "503 Service Unavailable\n\n"), REVOKE("", "503 Service Unavailable\n\n") }, FAULT_BUSY },
	};

	for (size_t i = 0; i < COUNT(revokes); i++) {
		struct error    err = { 0 };
		struct scene    s;
		struct web_peer p;

		scene_open(&s, &revokes[i].set);
		web_peer_init(&p, revokes[i].turn, revokes[i].name);
		EXPECT_ROW(web_peer_run(&p, google_revoke_step, &s.google, &err) == !revokes[i].fault && err.fault == revokes[i].fault, revokes[i].name);
		no_step_is_running(s.report, revokes[i].name);
		scene_close(&s);
		web_peer_end(&p);
	}
}
