#include "provider/microsoft.h"

#include "base/secret.h"
#include "diagnose/diagnose.h"
#include "provider/promises.h"
#include "web_peer.h"

#define APP    "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001"
#define CLIENT "very.secret~client"
#define OLD    "eyJ0eXAi.old.token"
#define NEW    "eyJ0eXAi.new.token"
#define R0     "0.AXoA.refresh-of-old"
#define R1     "0.AXoA.refresh-of-new"
#define SCOPES "openid profile email https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/Calendars.ReadWrite"

struct scene {
	struct report           *report;
	struct mail_address      address;
	struct microsoft_app     app;
	struct secrets           known;
	struct microsoft_session microsoft;
	bool                     opened, tenant;
};

struct set {                      /* all but the usual */
	const char *scope;
	int64_t     expires_at;
	bool        no_refresh, nobody;
	const char *delegate;
};

static void scene_open(struct scene *s, const struct set *set)
{
	struct oauth_grant grant = { .access_token = OLD, .refresh_token = set->no_refresh ? NULL : R0, .scope = set->scope ? set->scope : SCOPES,
	                                 .expires_at = set->expires_at };
	const char            *problem;

	*s = (struct scene){ .report = report_new("ann@birch.example"), .app = { .client_id = APP, .client_secret = CLIENT }, .tenant = set->nobody };
	s->report->keep_talk = true;
	s->report->provider = "microsoft";
	secrets_know(&s->known, slice_str(OLD));
	secrets_know(&s->known, slice_str(R0));
	secrets_know(&s->known, slice_str(CLIENT));
	report_guard(s->report, &s->known);
	EXPECT(mail_address_parse("ann@birch.example", s->report->job, &s->address, &problem));
	microsoft_session_init(&s->microsoft, s->report, &s->app, &s->address, set->nobody ? NULL : &grant, waits_within(30000), report_attempt(s->report));
	/* by number: nobody answers for names here */
	s->microsoft.authority.host = "192.0.2.7";
	s->microsoft.graph.host = "192.0.2.8";
	s->microsoft.delegate = set->delegate;
}

static void scene_close(struct scene *s)
{
	microsoft_session_release(&s->microsoft);
	report_free(s->report);
	secrets_forget(&s->known);
}

static enum want_kind session_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (s->tenant)
		return microsoft_tenant_step(&s->microsoft, w, err);
	if (!s->opened)
		PASS(microsoft_open_step(&s->microsoft, w, err));
	s->opened = true;
	return microsoft_look_step(&s->microsoft, w, err);
}

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return microsoft_open_step(&((struct scene *)self)->microsoft, w, err);
}

#define JSON(status, body)  status "\nContent-Type: application/json\n\n" body
#define ME(with, answer)    { "GET /v1.0/me?$select=id\nHost: 192.0.2.8\nAuthorization: Bearer " with, answer, KEEPS }
#define ALL(answer)         { "POST /v1.0/$batch\nHost: 192.0.2.8\n/me/mailFolders/inbox\n/me/calendar\nAuthorization: Bearer", answer, KEEPS }
#define REFRESH(answer)     { "POST /common/oauth2/v2.0/token\nHost: 192.0.2.7\ngrant_type=refresh_token\nclient_id=" APP "\nclient_secret=very.secret~client\nrefresh_token=" R0 "\n!Authorization\n!" OLD, answer, KEEPS }
#define PLANS(status)       ",\"assignedPlans\":[{\"service\":\"SharePoint\",\"capabilityStatus\":\"Enabled\"},{\"service\":\"exchange\",\"capabilityStatus\":\"" status "\"}]"
#define NO_PLANS            ",\"assignedPlans\":[{\"service\":\"SharePoint\",\"capabilityStatus\":\"Enabled\"}]"
#define USER(id, mail, more) JSON("200 OK", "{\"id\":\"" id "\",\"mail\":" mail ",\"userPrincipalName\":\"ann@birch.example\",\"userType\":\"Member\",\"proxyAddresses\":[]" more "}")
#define GUID                "0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700"
#define ANN                 USER(GUID, "\"Ann@Birch.example\"", PLANS("Enabled"))
#define REPLY(id, status, body) "{\"id\":\"" id "\",\"status\":" status ",\"headers\":{},\"body\":" body "}"
#define INBOX_OK            REPLY("1", "200", "{\"id\":\"AAA=\",\"totalItemCount\":2}")
#define FOLDERS_OK          REPLY("2", "200", "{\"value\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"@odata.nextLink\":\"https://graph.evil.example/v1.0/me/x\"}")
#define CALENDAR_OK         REPLY("3", "200", "{\"id\":\"cal\",\"name\":\"Calendar\"}")
#define SENDER_IS(address)  REPLY("4", "200", "{\"value\":[{\"from\":{\"emailAddress\":{\"name\":\"Ann\",\"address\":\"" address "\"}}}]}")
#define NOTHING_SENT        REPLY("4", "200", "{\"value\":[]}")
/* in another order than asked */
#define BATCH(inbox, folders, calendar, sender) JSON("200 OK", "{\"responses\":[" calendar "," inbox "," sender "," folders "]}")
#define WELL                BATCH(INBOX_OK, FOLDERS_OK, CALENDAR_OK, NOTHING_SENT)
#define ERROR_BODY(code, text) "{\"error\":{\"code\":\"" code "\",\"message\":\"" text "\",\"innerError\":{\"request-id\":\"" GUID "\"}}}"
#define INBOX_NOT(status, code, text) BATCH(REPLY("1", status, ERROR_BODY(code, text)), FOLDERS_OK, CALENDAR_OK, NOTHING_SENT)
#define INACTIVE            "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
#define EXPIRED_ANSWER      JSON("401 Unauthorized", ERROR_BODY("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."))
#define GRANTED             JSON("200 OK", "{\"token_type\":\"Bearer\",\"scope\":\"" SCOPES "\",\"expires_in\":3599,\"access_token\":\"" NEW "\",\"refresh_token\":\"" R1 "\",\"id_token\":\"a.b.c\"}")
#define AADSTS(status, error, number, more) JSON(status, "{\"error\":\"" error "\",\"error_description\":\"AADSTS" number ": something.\\r\\nTrace ID: 0d7f\",\"error_codes\":[" number "],\"correlation_id\":\"" GUID "\"" more "}")

/* Ann's is shared, and Bob opens it. */
#define BOB                 "bob@birch.example"
#define SHARED_SCOPES       SCOPES " Mail.ReadWrite.Shared Mail.Send.Shared Calendars.ReadWrite.Shared"
#define BY_BOB              { .scope = SHARED_SCOPES, .delegate = BOB }
#define IS_BOB              JSON("200 OK", "{\"id\":\"" GUID "\",\"mail\":\"b.lee@birch.example\",\"userPrincipalName\":\"Bob@birch.example\",\"userType\":\"Member\",\"proxyAddresses\":[]" NO_PLANS "}")
#define OF_ANN(answer)      { "POST /v1.0/$batch\nHost: 192.0.2.8\n/users/ann%40birch.example/mailFolders/inbox\n/users/ann%40birch.example/mailFolders/sentitems\n/users/ann%40birch.example/calendar\n!/me/\nAuthorization: Bearer", answer, KEEPS }

#define TURNS 10

static const struct {
	const char     *name;
	struct set      set;
	struct turn     turn[TURNS];
	enum fault      fault;
	const char     *cause;           /* NULL: connected, or nothing to say */
	enum certainty  certainty;
	const char     *step, *fact, *value;
	enum verdict_kind kind;
} sessions[] = {
	/* -- well */
	{ "signed in", { 0 }, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, NULL, 0, "microsoft.folders", FACT_FOLDERS, "2+", VERDICT_CONNECTED },
	{ "the address is one of several", { 0 }, { ME(OLD, JSON("200 OK", "{\"id\":\"" GUID "\",\"mail\":\"a.lee@birch.example\",\"userPrincipalName\":\"al@birch.example\",\"proxyAddresses\":[\"SMTP:a.lee@birch.example\",\"smtp:ANN@birch.example\"]}")), ALL(WELL) },
	  FAULT_NONE, NULL, 0, "microsoft.account", FACT_ACCOUNT_ASKED, "yes", VERDICT_CONNECTED },
	{ "scopes without their resource, in small letters", { .scope = "email calendars.readwrite mail.readwrite mail.send user.read" }, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, VERDICT_CONNECTED },
	{ "run out by the clock: renewed before it is used", { .expires_at = 1795248030 }, { REFRESH(GRANTED), ME(NEW, ANN), ALL(WELL) }, FAULT_NONE, NULL, 0, "entra.token", FACT_OAUTH_REFRESHED, "yes", VERDICT_CONNECTED },
	{ "refused by Graph: renewed, once", { 0 }, { ME(OLD, EXPIRED_ANSWER), REFRESH(GRANTED), ME(NEW, ANN), ALL(WELL) }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, VERDICT_CONNECTED },
	{ "throttled once, and told for how long", { 0 }, { ME(OLD, "429 Too Many Requests\nRetry-After: 2\n\n"), ME(OLD, ANN), ALL(BATCH("{\"id\":\"1\",\"status\":429,\"headers\":{\"Retry-After\":\"1\"},\"body\":" ERROR_BODY("ApplicationThrottled", "x") "}", FOLDERS_OK, CALENDAR_OK, NOTHING_SENT)),
	  ALL(WELL) }, FAULT_NONE, NULL, 0, "microsoft.account", FACT_HTTP_RETRY_AFTER, "2", VERDICT_CONNECTED },

	/* -- the token endpoint refuses */
	{ "not assigned", { .expires_at = 1 }, { REFRESH(AADSTS("400 Bad Request", "invalid_grant", "50105", "")) }, FAULT_REFUSED, "microsoft.user_not_assigned", PROVEN, "entra.token", FACT_AADSTS_TRACE, GUID, VERDICT_FAILED },
	{ "the same word, another number", { .expires_at = 1 }, { REFRESH(AADSTS("400 Bad Request", "interaction_required", "53003", "")) }, FAULT_REFUSED, "microsoft.conditional_access", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a second factor, with claims", { .expires_at = 1 }, { REFRESH(AADSTS("400 Bad Request", "interaction_required", "50076", ",\"claims\":\"{\\\"access_token\\\":{}}\",\"suberror\":\"basic_action\"")) },
	  FAULT_REFUSED, "microsoft.mfa_required", PROVEN, "entra.token", FACT_OAUTH_CLAIMS, "yes", VERDICT_FAILED },
	{ "our secret has expired", { .expires_at = 1 }, { REFRESH(AADSTS("401 Unauthorized", "invalid_client", "7000222", "")) }, FAULT_REFUSED, "microsoft.app_secret_expired", PROVEN, "entra.token", FACT_OAUTH_ERROR, "invalid_client", VERDICT_FAILED },
	{ "of two numbers the narrower", { .expires_at = 1 }, { REFRESH(JSON("400 Bad Request", "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS70002: x AADSTS70008: y\",\"error_codes\":[70002,70008]}")) },
	  FAULT_REFUSED, "microsoft.sign_in_again", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a number that nobody knows", { .expires_at = 1 }, { REFRESH(AADSTS("400 Bad Request", "invalid_grant", "999999", "")) }, FAULT_REFUSED, "unknown.answer", PROVEN, "entra.token", FACT_AADSTS, "999999", VERDICT_FAILED },
	{ "no number at all", { .expires_at = 1 }, { REFRESH(JSON("400 Bad Request", "{\"error\":\"invalid_grant\"}")) }, FAULT_REFUSED, "microsoft.sign_in_again", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "it echoes what it was told", { .expires_at = 1 }, { REFRESH(JSON("400 Bad Request", "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS9002313: Malformed: refresh_token=" R0 " client_secret=" CLIENT "\"}")) },
	  FAULT_REFUSED, "microsoft.app_misregistered", LIKELY, "entra.token", FACT_AADSTS, "9002313", VERDICT_FAILED },
	{ "down, twice", { .expires_at = 1 }, { REFRESH("503 Service Unavailable\nRetry-After: 1\n\n"), REFRESH(AADSTS("503 Service Unavailable", "temporarily_unavailable", "90033", "")) }, FAULT_BUSY, "server.unavailable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a page", { .expires_at = 1 }, { REFRESH("502 Bad Gateway\n\n<html>no</html>") }, FAULT_BROKEN, "server.unavailable", PROVEN, "entra.token", FACT_HTTP_STATUS, "502", VERDICT_FAILED },
	{ "200, and a page", { .expires_at = 1 }, { REFRESH("200 OK\n\n<html>sign in</html>") }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a token with a line end in it", { .expires_at = 1 }, { REFRESH(JSON("200 OK", "{\"access_token\":\"a\\r\\nX: y\"}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "silence", { .expires_at = 1 }, { { "POST /common/oauth2", NULL, IS_SILENT } }, FAULT_TIMEOUT, "server.unavailable", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- Graph refuses the token */
	{ "nothing to renew it with", { .no_refresh = true }, { ME(OLD, EXPIRED_ANSWER) }, FAULT_REFUSED, "microsoft.scope_missing", PROVEN, "microsoft.account", FACT_OAUTH_MISSING, "offline_access", VERDICT_FAILED },
	{ "refused again", { 0 }, { ME(OLD, EXPIRED_ANSWER), REFRESH(GRANTED), ME(NEW, EXPIRED_ANSWER) }, FAULT_REFUSED, "microsoft.sign_in_again", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "revoked meanwhile", { .no_refresh = true }, { ME(OLD, JSON("401 Unauthorized", ERROR_BODY("InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"))) },
	  FAULT_REFUSED, "microsoft.sign_in_again", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "claims are wanted", { .no_refresh = true }, { ME(OLD, "401 Unauthorized\nWWW-Authenticate: Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJ9\"\n\n" ERROR_BODY("InvalidAuthenticationToken", "x")) },
	  FAULT_REFUSED, "microsoft.conditional_access", LIKELY, "microsoft.account", FACT_OAUTH_CLAIMS, "yes", VERDICT_FAILED },

	/* -- whose account */
	{ "somebody else's", { 0 }, { ME(OLD, JSON("200 OK", "{\"id\":\"" GUID "\",\"mail\":\"carl@birch.example\",\"userPrincipalName\":\"carl@birch.example\"}")) }, FAULT_REFUSED, "microsoft.wrong_account", PROVEN,
	  "microsoft.account", FACT_ACCOUNT_IS, "carl@birch.example", VERDICT_FAILED },
	{ "an account without an id", { 0 }, { ME(OLD, JSON("200 OK", "{\"mail\":\"ann@birch.example\"}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "mail leaves under a made-up address", { 0 }, { ME(OLD, USER("00037ffe8c1d2b4a", "null", "")), ALL(BATCH(INBOX_OK, FOLDERS_OK, CALENDAR_OK, SENDER_IS("outlook_0123456789ABCDEF@outlook.com"))) },
	  FAULT_NONE, "microsoft.foreign_primary_alias", PROVEN, "microsoft.sender", FACT_ACCOUNT_SENDER, "outlook_0123456789ABCDEF@outlook.com", VERDICT_PARTIAL },
	{ "an address that only begins like that", { 0 }, { ME(OLD, USER("00037ffe8c1d2b4a", "null", "")), ALL(BATCH(INBOX_OK, FOLDERS_OK, CALENDAR_OK, SENDER_IS("outlook_fan@outlook.com"))) }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, VERDICT_CONNECTED },

	/* -- scopes */
	{ "no sending", { .scope = "Mail.ReadWrite Calendars.ReadWrite User.Read" }, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, "microsoft.scope_missing", PROVEN, "entra.scopes", FACT_OAUTH_MISSING, "Mail.Send", VERDICT_PARTIAL },
	{ "nothing that lasts", { .no_refresh = true }, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, "microsoft.scope_missing", PROVEN, "entra.scopes", FACT_OAUTH_MISSING, "offline_access", VERDICT_PARTIAL },
	{ "no mail", { .scope = "Calendars.ReadWrite User.Read" }, { ME(OLD, ANN), ALL(INBOX_NOT("403", "ErrorAccessDenied", "Access is denied. Check credentials and try again.")) }, FAULT_REFUSED, "microsoft.scope_missing", PROVEN, "entra.scopes",
	  FACT_OAUTH_MISSING, "Mail.ReadWrite", VERDICT_FAILED },
	{ "no right though all was granted", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("403", "ErrorAccessDenied", "Access is denied. Check credentials and try again.")) }, FAULT_REFUSED, "microsoft.app_not_allowed", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a policy names itself", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("403", "ErrorAccessDenied", "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.")) }, FAULT_REFUSED, "microsoft.app_not_allowed", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- no mailbox there; where it is, the session does not know */
	{ "there should be one", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("404", "MailboxNotEnabledForRESTAPI", INACTIVE)) }, FAULT_REFUSED, "microsoft.rest_not_enabled", LIKELY, "microsoft.account", FACT_ACCOUNT_PLAN, "Enabled", VERDICT_FAILED },
	{ "no plan", { 0 }, { ME(OLD, USER(GUID, "\"ann@birch.example\"", NO_PLANS)), ALL(INBOX_NOT("404", "MailboxNotEnabledForRESTAPI", INACTIVE)) }, FAULT_REFUSED, "mailbox.no_licence", LIKELY, "microsoft.account", FACT_ACCOUNT_PLAN, "none", VERDICT_FAILED },
	{ "the plan is suspended", { 0 }, { ME(OLD, USER(GUID, "\"ann@birch.example\"", PLANS("Suspended"))), ALL(INBOX_NOT("404", "MailboxNotEnabledForRESTAPI", INACTIVE)) }, FAULT_REFUSED, "mailbox.no_licence", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "no plan, but a directory of their own", { 0 }, { ME(OLD, USER(GUID, "\"ann@birch.example\"", NO_PLANS ",\"onPremisesSyncEnabled\":true")), ALL(INBOX_NOT("404", "RESTAPINotEnabledForComponentSharedMailbox", "REST API is not yet supported for this mailbox.")) },
	  FAULT_REFUSED, "microsoft.mailbox_on_premises", LIKELY, "microsoft.account", FACT_ACCOUNT_SYNCED, "yes", VERDICT_FAILED },
	{ "neither proven", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("404", "RESTAPINotEnabledForComponentSharedMailbox", "REST API is not yet supported for this mailbox.")) }, FAULT_REFUSED, "microsoft.rest_not_enabled", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a personal account on its way", { 0 }, { ME(OLD, USER("00037ffe8c1d2b4a", "\"ann@birch.example\"", "")), ALL(INBOX_NOT("404", "RESTAPINotEnabledForComponentSharedMailbox", "REST API is not yet supported for this mailbox.")) },
	  FAULT_REFUSED, "microsoft.mailbox_migrating", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "handed on to a server of their own", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("400", "ErrorInvalidRequest", "No. REST APIs for this mailbox are currently in preview. You can find more information")) }, FAULT_REFUSED, "microsoft.mailbox_on_premises", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "moving", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("423", "ErrorMailboxMoveInProgress", "Mailbox move in progress. Try again later.")) }, FAULT_REFUSED, "mailbox.moving", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "no licence, by its code", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("403", "ErrorInvalidLicense", "The license of the user is invalid.")) }, FAULT_REFUSED, "mailbox.no_licence", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "401 without a word", { 0 }, { ME(OLD, USER(GUID, "\"ann@birch.example\"", NO_PLANS)), ALL(INBOX_NOT("401", "UnknownError", "")) }, FAULT_REFUSED, "microsoft.mailbox_not_found", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a code that nobody knows", { 0 }, { ME(OLD, ANN), ALL(INBOX_NOT("418", "ErrorQuantumFluctuation", "x")) }, FAULT_REFUSED, "unknown.answer", PROVEN, "microsoft.inbox", FACT_GRAPH_CODE, "ErrorQuantumFluctuation", VERDICT_FAILED },
	{ "no calendar", { 0 }, { ME(OLD, ANN), ALL(BATCH(INBOX_OK, FOLDERS_OK, REPLY("3", "404", ERROR_BODY("ErrorItemNotFound", "x")), NOTHING_SENT)) }, FAULT_NONE, "calendar.none", LIKELY, NULL, NULL, NULL, VERDICT_PARTIAL },

	/* -- somebody signs in for a mailbox that is not their own */
	{ "a delegate's", BY_BOB, { ME(OLD, IS_BOB), OF_ANN(WELL) }, FAULT_NONE, NULL, 0, "microsoft.sender", FACT_ACCOUNT_SENDER, "ann@birch.example", VERDICT_CONNECTED },
	{ "not as a delegate: nobody named one", { 0 }, { ME(OLD, IS_BOB) }, FAULT_REFUSED, "microsoft.wrong_account", PROVEN, "microsoft.account", FACT_ACCOUNT_IS, "b.lee@birch.example", VERDICT_FAILED },
	{ "another delegate was named", { .scope = SHARED_SCOPES, .delegate = "carl@birch.example" }, { ME(OLD, IS_BOB) }, FAULT_REFUSED, "microsoft.wrong_account", PROVEN, "entra.grant", FACT_ACCOUNT_AS, "carl@birch.example", VERDICT_FAILED },
	{ "the mailbox's own account, and a delegate was named", BY_BOB, { ME(OLD, ANN) }, FAULT_REFUSED, "microsoft.wrong_account", PROVEN, "microsoft.account", FACT_ACCOUNT_ASKED, "no", VERDICT_FAILED },
	{ "the name by which its own account signs in is no delegate", { .delegate = BOB }, { ME(OLD, JSON("200 OK", "{\"id\":\"" GUID "\",\"mail\":\"ann@birch.example\",\"userPrincipalName\":\"bob@birch.example\"" PLANS("Enabled") "}")), ALL(WELL) },
	  FAULT_NONE, NULL, 0, "microsoft.account", FACT_ACCOUNT_PLAN, "Enabled", VERDICT_CONNECTED },
	{ "a delegate without a right on it", BY_BOB, { ME(OLD, IS_BOB), OF_ANN(INBOX_NOT("403", "ErrorAccessDenied", "Access is denied. Check credentials and try again.")) }, FAULT_REFUSED, "mailbox.not_permitted", LIKELY,
	  "microsoft.account", FACT_ACCOUNT_OTHERS, "yes", VERDICT_FAILED },
	{ "the same, in other words", BY_BOB, { ME(OLD, IS_BOB), OF_ANN(INBOX_NOT("404", "ErrorItemNotFound", "The specified object was not found in the store.")) }, FAULT_REFUSED, "mailbox.not_permitted", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a delegate who was not asked for others' mail", { .delegate = BOB }, { ME(OLD, IS_BOB), OF_ANN(INBOX_NOT("403", "ErrorAccessDenied", "Access is denied. Check credentials and try again.")) }, FAULT_REFUSED, "microsoft.scope_missing", PROVEN,
	  "entra.scopes", FACT_OAUTH_MISSING, "Mail.ReadWrite.Shared", VERDICT_FAILED },
	{ "a delegate who may not send", { .scope = SCOPES " Mail.ReadWrite.Shared Calendars.ReadWrite.Shared", .delegate = BOB }, { ME(OLD, IS_BOB), OF_ANN(WELL) }, FAULT_NONE, "microsoft.scope_missing", PROVEN,
	  "entra.scopes", FACT_OAUTH_MISSING, "Mail.Send.Shared", VERDICT_PARTIAL },
	{ "the delegate's plan says nothing of it", BY_BOB, { ME(OLD, IS_BOB), OF_ANN(INBOX_NOT("404", "MailboxNotEnabledForRESTAPI", INACTIVE)) }, FAULT_REFUSED, "microsoft.mailbox_not_found", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
	{ "a calendar that is not shared", BY_BOB, { ME(OLD, IS_BOB), OF_ANN(BATCH(INBOX_OK, FOLDERS_OK, REPLY("3", "404", ERROR_BODY("ErrorItemNotFound", "x")), NOTHING_SENT)) }, FAULT_NONE, "calendar.not_permitted", LIKELY, NULL, NULL, NULL, VERDICT_PARTIAL },
	{ "a delegate whose sign-in is disabled, as a shared mailbox's is", { .expires_at = 1, .delegate = BOB }, { REFRESH(AADSTS("400 Bad Request", "invalid_grant", "50057", "")) }, FAULT_REFUSED, "auth.account_disabled", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },

	/* -- broken */
	{ "a batch without answers", { 0 }, { ME(OLD, ANN), ALL(JSON("200 OK", "{\"x\":1}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "one question of it without an answer", { 0 }, { ME(OLD, ANN), ALL(JSON("200 OK", "{\"responses\":[" FOLDERS_OK "," CALENDAR_OK "]}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, VERDICT_FAILED },
	{ "the batch is refused by a page", { 0 }, { ME(OLD, ANN), ALL("500 Internal Server Error\n\n<html>oops</html>") }, FAULT_REFUSED, "server.unavailable", PROVEN, "microsoft.inbox", FACT_HTTP_EXCERPT, "<html>oops</html>", VERDICT_FAILED },

	/* -- without a token */
	{ "known", { .nobody = true }, { { "GET /birch.example/v2.0/.well-known/openid-configuration\nHost: 192.0.2.7\n!Authorization\n!ann", JSON("200 OK", "{\"issuer\":\"https://login.microsoftonline.com/" GUID "/v2.0\"}"), KEEPS } },
	  FAULT_NONE, NULL, 0, "entra.tenant", FACT_TENANT, GUID, VERDICT_UNFINISHED },
	{ "unknown", { .nobody = true }, { { "GET /birch.example/", AADSTS("400 Bad Request", "invalid_tenant", "90002", ""), KEEPS } }, FAULT_NONE, "microsoft.tenant_not_found", LIKELY, NULL, NULL, NULL, VERDICT_FAILED },
};

static void no_grant_in(const struct report *r, const char *row)
{
	static const char *const words[] = { OLD, NEW, R0, R1, CLIENT };

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
		EXPECT_ROW(has_fact(s.report, sessions[i].step, sessions[i].fact, sessions[i].value), row);
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

TEST(what_was_granted_is_handed_on)
{
	static const struct turn turns[] = { REFRESH(GRANTED), ME(NEW, ANN), ALL(WELL), { 0 } };
	struct web_peer          p;
	struct error             err = { 0 };
	struct scene             s;

	web_peer_init(&p, turns, "renewed");
	scene_open(&s, &(struct set){ .expires_at = 1 });
	EXPECT(web_peer_run(&p, session_step, &s, &err));
	EXPECT(s.microsoft.renewed && s.microsoft.inbox_open && s.microsoft.has_calendar);
	EXPECT(strcmp(s.microsoft.grant.access_token, NEW) == 0);
	EXPECT(strcmp(s.microsoft.grant.refresh_token, R1) == 0);
	EXPECT(s.microsoft.grant.expires_at == 1795248000 + 3599);
	scene_close(&s);
	web_peer_end(&p);
}

#define CODE     "0.AXoA.code-of-a-person"
#define VERIFIER "verifier-that-nobody-guesses-0123456789abcdefghij"
#define BACK     "https://mail.example.org/oauth/microsoft/callback"
#define REDEEM(answer) { "POST /common/oauth2/v2.0/token\nHost: 192.0.2.7\ngrant_type=authorization_code\nclient_id=" APP "\nclient_secret=very.secret~client" \
	"\ncode=" CODE "\nredirect_uri=https%3A%2F%2Fmail.example.org%2Foauth%2Fmicrosoft%2Fcallback\ncode_verifier=" VERIFIER "\n!Authorization: ", answer, KEEPS }

/* A person came back from the sign-in page with a code that is refused: Graph hears of nothing. What comes of one that is taken:
 * microsoft_identity.c. */
TEST(a_code_is_refused)
{
	static const struct {
		const char *name;
		struct turn turn[3];
		enum fault  fault;
		const char *cause;
	} rows[] = {
		{ "used already",     { REDEEM(AADSTS("400 Bad Request", "invalid_grant", "54005", "")) }, FAULT_REFUSED, "microsoft.sign_in_again" },
		{ "our secret",       { REDEEM(AADSTS("401 Unauthorized", "invalid_client", "7000222", "")) }, FAULT_REFUSED, "microsoft.app_secret_expired" },
	};
	static const struct oauth_code code = { CODE, VERIFIER, BACK, "n1" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct web_peer p;
		struct error    err = { 0 };
		struct verdict  v;
		struct scene    s;

		web_peer_init(&p, rows[i].turn, rows[i].name);
		scene_open(&s, &(struct set){ .nobody = true });
		s.tenant = false;
		s.microsoft.code = &code;
		EXPECT_ROW(!web_peer_run(&p, open_step, &s, &err) && err.fault == rows[i].fault, rows[i].name);
		EXPECT_ROW(!s.microsoft.signed_in, rows[i].name);
		no_grant_in(s.report, rows[i].name);
		diagnose(s.report, &v);
		EXPECT_ROW(v.findings && strcmp(cause_row(v.finding[0].cause)->id, rows[i].cause) == 0, rows[i].name);
		scene_close(&s);
		web_peer_end(&p);
	}
}

TEST(where_a_person_signs_in)
{
	static const struct { struct microsoft_app app; const char *hint, *begins, *scope, *ends, *nonce; bool silent; } rows[] = {
		{ { .client_id = APP }, NULL, "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=" APP "&",
		  "&scope=openid%20profile%20email%20offline_access%20https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadWrite%20https%3A%2F%2Fgraph.microsoft.com%2FMail.Send"
		  "%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars.Read%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars.ReadWrite%20https%3A%2F%2Fgraph.microsoft.com%2FUser.Read&",
		  "&prompt=select_account", NULL, false },
		{ { .client_id = APP, .tenant = "birch.example", .authority = "https://login.microsoftonline.us/" }, "ann@birch.example",
		  "https://login.microsoftonline.us/birch.example/oauth2/v2.0/authorize?", "%20https%3A%2F%2Fgraph.microsoft.us%2FMail.Send%20", "&login_hint=ann%40birch.example", NULL, false },
		{ { .client_id = APP }, "ann@birch.example", "https://login.microsoftonline.com/common/", "&scope=openid", "&nonce=n0nce&prompt=none&login_hint=ann%40birch.example", "n0nce", true },
		{ { .client_id = APP }, NULL, "https://login.microsoftonline.com/common/", "&scope=openid", "&code_challenge_method=S256&prompt=none", NULL, true },
	};

#define AT_GRAPH(scope) "%20https%3A%2F%2Fgraph.microsoft.com%2F" scope
	static const struct { enum rights rights; const char *scope; bool shared; } sets[] = {
		{ RIGHTS_FULL, AT_GRAPH("User.Read") AT_GRAPH("Mail.ReadWrite.Shared") AT_GRAPH("Mail.Send.Shared") AT_GRAPH("Calendars.ReadWrite.Shared") "&", true },
		{ RIGHTS_READ, AT_GRAPH("User.Read") AT_GRAPH("Mail.Read.Shared") AT_GRAPH("Calendars.Read.Shared") "&", true },
		{ RIGHTS_CALENDAR, AT_GRAPH("User.Read") AT_GRAPH("Calendars.ReadWrite.Shared") "&", true },
		{ RIGHTS_READ, "&scope=openid%20profile%20email%20offline_access%20https%3A%2F%2Fgraph.microsoft.com%2FMail.Read%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars.Read"
		               "%20https%3A%2F%2Fgraph.microsoft.com%2FUser.Read&", false },
		{ RIGHTS_CALENDAR, "&scope=openid%20profile%20email%20offline_access%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars.Read%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars.ReadWrite"
		                   "%20https%3A%2F%2Fgraph.microsoft.com%2FUser.Read&", false },
	};

	for (size_t i = 0; i < COUNT(sets); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT_ROW(strstr(microsoft_authorize_url(&rows[0].app, &(struct oauth_code){ NULL, VERIFIER, BACK, NULL },
			&(struct oauth_departure){ .state = "s", .rights = sets[i].rights, .shared = sets[i].shared }, job), sets[i].scope), sets[i].scope);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char *url = microsoft_authorize_url(&rows[i].app, &(struct oauth_code){ NULL, VERIFIER, BACK, NULL },
			&(struct oauth_departure){ .state = "st4te", .nonce = rows[i].nonce, .login_hint = rows[i].hint, .silent = rows[i].silent }, job);

		EXPECT_ROW(slice_starts(slice_str(url), rows[i].begins) && strstr(url, rows[i].scope) && slice_ends(slice_str(url), rows[i].ends), url);
		EXPECT_ROW(strstr(url, "&state=st4te&") && strstr(url, "&code_challenge_method=S256&") && !strstr(url, VERIFIER) && !strstr(url, "client_secret"), url);
	}
}

/* -- on other terms ------------------------------------------------------------------------------------------------- */

#define BATCH_OF(questions, answer) { "POST /v1.0/$batch\nHost: 192.0.2.8\n" questions "\nAuthorization: Bearer", answer, KEEPS }
#define ITSELF(tenant, answer) { "POST /" tenant "/oauth2/v2.0/token\nHost: 192.0.2.7\ngrant_type=client_credentials\nclient_id=" APP "\nclient_secret=very.secret~client" \
	"\nscope=https%3A%2F%2F192.0.2.8%2F.default\n!refresh_token\n!Authorization: ", answer, KEEPS }
#define APP_TOKEN         JSON("200 OK", "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"ext_expires_in\":3599,\"access_token\":\"" NEW "\"}")
#define USERS_ANN         "/users/ann%40birch.example"
#define WHO(answer)       { "GET /v1.0" USERS_ANN "?$select=id\nHost: 192.0.2.8\n!/v1.0/me\nAuthorization: Bearer " NEW, answer, KEEPS }
#define ALL_OF_ANN(answer) BATCH_OF(USERS_ANN "/mailFolders/inbox\n" USERS_ANN "/calendar\n!\"/me", answer)
#define CALENDAR_IS(reply) BATCH_OF("/me/calendar\n!mailFolders", JSON("200 OK", "{\"responses\":[" reply "]}"))
#define MAY_READ          "Mail.Read Calendars.Read User.Read"
#define MAY_CALENDAR      "Calendars.ReadWrite User.Read"

TEST(sessions_on_other_terms)
{
	static const struct {
		const char       *name;
		struct terms      terms;
		struct set        set;
		const char       *tenant;
		struct turn       turn[6];
		enum fault        fault;
		const char       *cause;
		enum certainty    certainty;
		enum verdict_kind kind;
		bool              open;
	} rows[] = {
		/* -- read-only: what is written for is neither asked nor missed */
		{ "reads", { RIGHTS_READ, false, false }, { .scope = MAY_READ }, NULL, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "may write, and reads", { RIGHTS_READ, false, false }, { .scope = "Mail.ReadWrite Calendars.ReadWrite" }, NULL, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "reads no calendar", { RIGHTS_READ, false, false }, { .scope = "Mail.Read User.Read" }, NULL, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, "microsoft.scope_missing", PROVEN, VERDICT_PARTIAL, true },
		{ "all was asked for, and reading is granted", { RIGHTS_FULL, false, false }, { .scope = MAY_READ }, NULL, { ME(OLD, ANN), ALL(WELL) }, FAULT_NONE, "microsoft.scope_missing", PROVEN, VERDICT_PARTIAL, true },

		/* -- the calendar alone: not a word of mail */
		{ "a calendar", { RIGHTS_CALENDAR, false, false }, { .scope = MAY_CALENDAR }, NULL, { ME(OLD, ANN), CALENDAR_IS(REPLY("1", "200", "{\"id\":\"cal\"}")) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "none there", { RIGHTS_CALENDAR, false, false }, { .scope = MAY_CALENDAR }, NULL, { ME(OLD, ANN), CALENDAR_IS(REPLY("1", "404", ERROR_BODY("ErrorItemNotFound", "x"))) }, FAULT_REFUSED, "calendar.none", LIKELY, VERDICT_FAILED, false },
		{ "no mailbox behind it", { RIGHTS_CALENDAR, false, false }, { .scope = MAY_CALENDAR }, NULL, { ME(OLD, ANN), CALENDAR_IS(REPLY("1", "404", ERROR_BODY("MailboxNotEnabledForRESTAPI", INACTIVE))) },
		  FAULT_REFUSED, "microsoft.mailbox_not_found", LIKELY, VERDICT_FAILED, false },
		{ "only to look at", { RIGHTS_CALENDAR, false, false }, { .scope = "Calendars.Read User.Read" }, NULL, { ME(OLD, ANN), CALENDAR_IS(REPLY("1", "200", "{\"id\":\"cal\"}")) }, FAULT_NONE, "microsoft.scope_missing", PROVEN, VERDICT_PARTIAL, true },

		/* -- for the whole organisation: nobody signs in, nothing is missed that nobody could have */
		{ "of the domain's organisation", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { ITSELF("birch.example", APP_TOKEN), WHO(ANN), ALL_OF_ANN(WELL) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "of the one that is named", { RIGHTS_FULL, true, false }, { .nobody = true }, GUID, { ITSELF(GUID, APP_TOKEN), WHO(ANN), ALL_OF_ANN(WELL) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "of none in particular", { RIGHTS_FULL, true, false }, { .nobody = true }, "organizations", { ITSELF("birch.example", APP_TOKEN), WHO(ANN), ALL_OF_ANN(WELL) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "what was had before has run out", { RIGHTS_FULL, true, false }, { .expires_at = 1, .no_refresh = true }, NULL, { ITSELF("birch.example", APP_TOKEN), WHO(ANN), ALL_OF_ANN(WELL) }, FAULT_NONE, NULL, 0, VERDICT_CONNECTED, true },
		{ "nobody has approved it", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { ITSELF("birch.example", AADSTS("401 Unauthorized", "invalid_client", "7000229", "")) }, FAULT_REFUSED, "microsoft.admin_approval_required", LIKELY, VERDICT_FAILED, false },
		{ "not registered at all", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { { 0 } }, FAULT_NOT_OFFERED, "microsoft.app_misregistered", PROVEN, VERDICT_FAILED, false },
		{ "nobody of that name", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { ITSELF("birch.example", APP_TOKEN), WHO(JSON("404 Not Found", ERROR_BODY("Request_ResourceNotFound", "Resource 'ann' does not exist"))) },
		  FAULT_REFUSED, "microsoft.account_not_in_tenant", LIKELY, VERDICT_FAILED, false },
		{ "names may not be looked up", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { ITSELF("birch.example", APP_TOKEN), WHO(JSON("403 Forbidden", ERROR_BODY("Authorization_RequestDenied", "Insufficient privileges to complete the operation."))) },
		  FAULT_REFUSED, "microsoft.admin_approval_required", LIKELY, VERDICT_FAILED, false },
		{ "a policy names itself", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { ITSELF("birch.example", APP_TOKEN), WHO(ANN), ALL_OF_ANN(INBOX_NOT("403", "ErrorAccessDenied", "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.")) },
		  FAULT_REFUSED, "microsoft.app_not_allowed", PROVEN, VERDICT_FAILED, false },
		{ "a policy, or a right that is missing", { RIGHTS_FULL, true, false }, { .nobody = true }, NULL, { ITSELF("birch.example", APP_TOKEN), WHO(ANN), ALL_OF_ANN(INBOX_NOT("403", "ErrorAccessDenied", "Access is denied. Check credentials and try again.")) },
		  FAULT_REFUSED, "microsoft.app_not_allowed", LIKELY, VERDICT_FAILED, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char     *row = rows[i].name;
		struct web_peer p;
		struct error    err = { 0 };
		struct verdict  v;
		struct scene    s;

		web_peer_init(&p, rows[i].turn, row);
		scene_open(&s, &rows[i].set);
		s.tenant = false;
		s.app.tenant = rows[i].tenant;
		if (rows[i].set.nobody && !rows[i].turn[0].asked)
			s.app.client_id = NULL;
		s.microsoft.terms = rows[i].terms;
		if (web_peer_run(&p, session_step, &s, &err) != (rows[i].fault == FAULT_NONE) || err.fault != rows[i].fault)
			test_fail(__FILE__, __LINE__, "%s: %s (%s)", row, fault_name(err.fault), err.text);
		no_step_is_running(s.report, row);
		no_grant_in(s.report, row);
		diagnose(s.report, &v);
		if (rows[i].cause && (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, rows[i].cause) != 0 || v.finding[0].certainty != rows[i].certainty))
			test_fail(__FILE__, __LINE__, "%s: %s %s, not %s", row, v.findings ? certainty_name(v.finding[0].certainty) : "", v.findings ? cause_row(v.finding[0].cause)->id : "no finding", rows[i].cause);
		EXPECT_ROW(rows[i].cause || v.findings == 0, row);
		EXPECT_ROW(v.kind == rows[i].kind && microsoft_is_open(&s.microsoft) == rows[i].open, row);
		EXPECT_ROW((report_find(s.report, "microsoft.inbox", NO_ATTEMPT) < 0) == (rows[i].terms.rights == RIGHTS_CALENDAR || !s.microsoft.signed_in), row);
		scene_close(&s);
		web_peer_end(&p);
	}
}

TEST(a_message_leaves_on_behalf_of_whom_it_is_for)
{
	static const struct turn turns[] = { ITSELF("birch.example", APP_TOKEN), WHO(ANN), ALL_OF_ANN(WELL), { "POST /v1.0" USERS_ANN "/sendMail\nHost: 192.0.2.8", "202 Accepted\n\n", KEEPS }, { 0 } };
	struct web_peer p;
	struct error    err = { 0 };
	struct scene    s;

	web_peer_init(&p, turns, "send");
	scene_open(&s, &(struct set){ .nobody = true });
	s.tenant = false;
	s.microsoft.terms.tenant = true;
	EXPECT(web_peer_run(&p, session_step, &s, &err));
	s.microsoft.message = slice_str("Subject: x\r\n\r\n");
	EXPECT(web_peer_run(&p, microsoft_send_step, &s.microsoft, &err) && s.microsoft.sent);
	scene_close(&s);
	web_peer_end(&p);
}

TEST(a_message_leaves_out_of_the_mailbox_that_a_delegate_has)
{
	static const struct turn turns[] = { ME(OLD, IS_BOB), OF_ANN(WELL), { "POST /v1.0" USERS_ANN "/sendMail\nHost: 192.0.2.8\nAuthorization: Bearer " OLD,
		JSON("403 Forbidden", ERROR_BODY("ErrorSendAsDenied", "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.")), KEEPS }, { 0 } };
	struct web_peer p;
	struct error    err = { 0 };
	struct verdict  v;
	struct scene    s;

	web_peer_init(&p, turns, "send for another");
	scene_open(&s, &(struct set)BY_BOB);
	EXPECT(web_peer_run(&p, session_step, &s, &err) && s.microsoft.others);
	s.microsoft.message = slice_str("Subject: x\r\n\r\n");
	EXPECT(!web_peer_run(&p, microsoft_send_step, &s.microsoft, &err) && !s.microsoft.sent);
	diagnose(s.report, &v);
	EXPECT(v.findings && v.finding[0].certainty == PROVEN && strcmp(cause_row(v.finding[0].cause)->id, "send.as_denied") == 0);
	scene_close(&s);
	web_peer_end(&p);
}

/* Somebody in the midst of the line: neither grant nor secret is said. */
TEST(nothing_is_said_over_a_line_that_proves_nobody)
{
	static const struct turn none[] = { { 0 } }, denied[] = { { "GET /v1.0/me\n!Authorization", EXPIRED_ANSWER, KEEPS }, { 0 } };

	for (int run_out = 0; run_out < 2; run_out++) {
		struct web_peer p;
		struct error    err = { 0 };
		struct scene    s;

		web_peer_init(&p, run_out ? none : denied, "clear");
		p.clear = true;
		scene_open(&s, &(struct set){ .expires_at = run_out });
		EXPECT(!web_peer_run(&p, session_step, &s, &err));
		EXPECT(err.fault == FAULT_TLS && p.secrets == 0);
		scene_close(&s);
		web_peer_end(&p);
	}
}

/* All that a server says, cut at every byte: it ends, and never well. */
TEST(a_session_cut_at_every_byte)
{
	static const char *const said[] = { GRANTED, ANN, WELL };
	static const struct turn turns[] = { REFRESH(GRANTED), ME(NEW, ANN), ALL(WELL) };

	for (size_t t = 0; t < COUNT(turns); t++) {
		struct web_peer whole;
		size_t          len;

		web_peer_init(&whole, turns, "cut");
		put_answer(&whole, said[t]);
		len = buffer_held(&whole.say).len;
		for (size_t cut = 0; cut < len; cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct turn     cuts[4] = { { 0 } };
			struct web_peer p;
			struct error    err = { 0 };
			struct verdict  v;
			struct scene    s;

			for (size_t i = 0; i < t; i++)
				cuts[i] = turns[i];
			cuts[t] = (struct turn){ turns[t].asked, arena_print(job, "!%.*s", (int)cut, buffer_held(&whole.say).at), ENDS };
			web_peer_init(&p, cuts, "cut");
			scene_open(&s, &(struct set){ .expires_at = 1 });
			/* what ends before its first byte is asked once more */
			if (cut == 0)
				cuts[t + 1] = (struct turn){ turns[t].asked, NULL, ENDS };
			EXPECT(!web_peer_run(&p, session_step, &s, &err));
			EXPECT(err.fault == FAULT_NETWORK || err.fault == FAULT_BROKEN);
			no_step_is_running(s.report, "cut");
			diagnose(s.report, &v);
			EXPECT(v.kind == VERDICT_FAILED && v.findings > 0 && v.finding[0].cause != CAUSE_MICROSOFT_SIGN_IN_AGAIN);
			scene_close(&s);
			if (cut)
				web_peer_end(&p);
			else
				buffer_release(&p.heard), buffer_release(&p.say);
		}
		buffer_release(&whole.heard);
		buffer_release(&whole.say);
	}
}
