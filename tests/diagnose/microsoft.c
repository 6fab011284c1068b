/* What is concluded from Microsoft's answers: every row of the rules by evidence that nothing else explains, and what a pasted text says. */
#include "cases.h"

#include "diagnose/explain.h"

static const struct least microsoft = {
	.rules = &rules_microsoft, .provider = "microsoft", .usual = "microsoft.inbox", .pasted = { { "graph.pasted", "explain.graph" } },
	.early = { "exchange.find", "dns.mx" },
};

TEST(every_row_is_reached_by_the_least_that_it_asks_for)
{
	expect_every_row_reached(&microsoft);
}

/* -- look-alikes ------------------------------------------------------------------------------------------------------ */

#define GRANT            OK("entra.grant", FACT_AUTH_BY, "token")
#define TOKEN(...)       GRANT, NOT("entra.token", __VA_ARGS__)
#define SAYS(e, n)       TOKEN(FACT_OAUTH_ERROR, e, FACT_AADSTS, n)
#define ACCOUNT(...)     GRANT, OK("microsoft.account", FACT_ACCOUNT_ASKED, "yes", FACT_ACCOUNT_KIND, "organisation", __VA_ARGS__), OK("entra.scopes", NULL)
#define SHARED           OK("entra.grant", FACT_AUTH_BY, "token", FACT_ACCOUNT_AS, "bob@birch.example"), OK("microsoft.account", FACT_ACCOUNT_ASKED, "yes", FACT_ACCOUNT_OTHERS, "yes")
#define INBOX(c)         NOT("microsoft.inbox", FACT_HTTP_STATUS, "404", FACT_GRAPH_CODE, c)
#define COMPONENT        INBOX("RESTAPINotEnabledForComponentSharedMailbox")
#define INACTIVE         INBOX("MailboxNotEnabledForRESTAPI")
#define MX_IS(p)         OK("dns.mx", FACT_DNS_MX, "10 mx1.example.net", FACT_PROVIDER, p)
#define FOUND(place)     OK("exchange.find", FACT_EXCHANGE_PLACE, place)
#define OWN              "ews https://mail.birch.example/EWS/Exchange.asmx autodiscover trusted"
#define ONLINE           "ews https://outlook.office365.com/EWS/Exchange.asmx autodiscover trusted, online"
#define PLAN(is)         FACT_ACCOUNT_PLAN, is

static const struct look_alike pairs[] = {
	/* one word of the protocol, four causes (E.2 11) */
	{ "interaction_required: not assigned", { SAYS("interaction_required", "50105") }, VERDICT_FAILED, "microsoft.user_not_assigned", PROVEN, "" },
	{ "interaction_required: a second factor", { SAYS("interaction_required", "50076") }, VERDICT_FAILED, "microsoft.mfa_required", PROVEN, "" },
	{ "interaction_required: a policy", { SAYS("interaction_required", "53003") }, VERDICT_FAILED, "microsoft.conditional_access", PROVEN, "" },
	{ "interaction_required: nobody signed in", { SAYS("interaction_required", "50058") }, VERDICT_FAILED, "microsoft.sign_in_again", LIKELY, "" },
	{ "interaction_required, and no number", { TOKEN(FACT_OAUTH_ERROR, "interaction_required") }, VERDICT_FAILED, "microsoft.user_not_assigned", POSSIBLE, "microsoft.mfa_required microsoft.conditional_access microsoft.consent_missing" },
	/* what the browser brought back (A.2) */
	{ "back: cancelled, with the number", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "access_denied", FACT_OAUTH_SUBERROR, "cancel", FACT_AADSTS, "65004") }, VERDICT_FAILED, "microsoft.consent_declined", PROVEN, "" },
	{ "back: cancelled, without", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "access_denied", FACT_OAUTH_SUBERROR, "cancel") }, VERDICT_FAILED, "microsoft.consent_declined", LIKELY, "microsoft.admin_approval_required" },
	{ "back: refused, and no more than that", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "access_denied") }, VERDICT_FAILED, "microsoft.consent_declined", POSSIBLE, "microsoft.admin_approval_required" },
	{ "back: an administrator has to", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "access_denied", FACT_AADSTS, "90094") }, VERDICT_FAILED, "microsoft.admin_approval_required", PROVEN, "" },
	{ "back: our request", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "invalid_request") }, VERDICT_FAILED, "microsoft.app_misregistered", LIKELY, "microsoft.sign_in_again" },
	{ "back: Microsoft itself", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "server_error") }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	/* who signed in, and who says so (A.6) */
	{ "an id_token of another sign-in", { GRANT, OK("entra.token", NULL), NOT("entra.identity", FACT_ID_TOKEN, "nonce") }, VERDICT_FAILED, "server.answer_unreadable", LIKELY, "net.intercepted" },
	{ "one that is none", { GRANT, OK("entra.token", NULL), NOT("entra.identity", FACT_ID_TOKEN, "unreadable") }, VERDICT_FAILED, "server.answer_unreadable", PROVEN, "" },
	{ "one that has run out, by our clock alone", { GRANT, OK("entra.token", NULL), NOT("entra.identity", FACT_ID_TOKEN, "expired", FACT_CLOCK, "ahead") }, VERDICT_FAILED, "operator.clock_wrong", PROVEN, "" },
	{ "one that has run out, and whose clock nobody knows", { GRANT, OK("entra.token", NULL), NOT("entra.identity", FACT_ID_TOKEN, "expired") }, VERDICT_FAILED, "operator.clock_wrong", LIKELY, "server.answer_unreadable" },
	{ "one that has run out, by every clock", { GRANT, OK("entra.token", NULL), NOT("entra.identity", FACT_ID_TOKEN, "expired", FACT_CLOCK, "right") }, VERDICT_FAILED, "server.answer_unreadable", LIKELY, "net.intercepted" },
	{ "somebody else's", { GRANT, OK("entra.token", NULL), OK("entra.identity", NULL), NOT("microsoft.account", FACT_ACCOUNT_ASKED, "no") }, VERDICT_FAILED, "microsoft.wrong_account", PROVEN, "" },
	/* nobody came back (E.3); what v1 says of a refusal (A.7) */
	{ "nobody came back", { GRANT, NOT("entra.page", FACT_SIGNIN_AWAY, "15") }, VERDICT_FAILED, "microsoft.sign_in_not_returned", LIKELY, "microsoft.admin_approval_required microsoft.user_not_assigned microsoft.conditional_access microsoft.app_misregistered" },
	{ "the page: an administrator has to", { GRANT, NOT("entra.page", FACT_ENTRA_PAGE, "admin_approval") }, VERDICT_FAILED, "microsoft.admin_approval_required", LIKELY, "microsoft.admin_approval_pending" },
	{ "the page, and its number", { GRANT, NOT("entra.page", FACT_ENTRA_PAGE, "admin_approval", FACT_AADSTS, "90095") }, VERDICT_FAILED, "microsoft.admin_approval_pending", PROVEN, "" },
	{ "back: an administrator cancelled, by v1", { GRANT, NOT("entra.callback", FACT_OAUTH_ERROR, "permission_denied") }, VERDICT_FAILED, "microsoft.consent_declined", LIKELY, "microsoft.admin_approval_required" },
	{ "back: an administrator consented", { GRANT, NOT("entra.callback", FACT_ADMIN_CONSENT, "recorded") }, VERDICT_FAILED, "microsoft.admin_consent_recorded", PROVEN, "" },
	{ "back: an administrator refused", { GRANT, NOT("entra.callback", FACT_ADMIN_CONSENT, "refused", FACT_OAUTH_ERROR, "access_denied", FACT_AADSTS, "65004") }, VERDICT_FAILED, "microsoft.consent_declined", PROVEN, "" },
	/* who has to consent (12a) */
	{ "consent that the user could give", { SAYS("invalid_grant", "65001") }, VERDICT_FAILED, "microsoft.consent_missing", PROVEN, "" },
	{ "consent that only an administrator gives", { SAYS("access_denied", "90094") }, VERDICT_FAILED, "microsoft.admin_approval_required", PROVEN, "" },
	{ "and was asked for it", { SAYS("access_denied", "90095") }, VERDICT_FAILED, "microsoft.admin_approval_pending", PROVEN, "" },
	{ "cancelled", { SAYS("access_denied", "65004") }, VERDICT_FAILED, "microsoft.consent_declined", PROVEN, "" },
	/* our own fault, or the organisation's */
	{ "unknown there", { SAYS("unauthorized_client", "700016") }, VERDICT_FAILED, "microsoft.app_misregistered", PROVEN, "" },
	{ "switched off there", { SAYS("unauthorized_client", "7000112") }, VERDICT_FAILED, "microsoft.app_not_allowed", PROVEN, "" },
	{ "either of them", { SAYS("unauthorized_client", "70001") }, VERDICT_FAILED, "microsoft.app_not_allowed", LIKELY, "microsoft.app_misregistered" },
	{ "our secret's time is over", { SAYS("invalid_client", "7000222") }, VERDICT_FAILED, "microsoft.app_secret_expired", PROVEN, "" },
	{ "our secret is no secret", { SAYS("invalid_client", "7000215") }, VERDICT_FAILED, "microsoft.app_secret_wrong", PROVEN, "" },
	/* slowed down, or not well (A.3) */
	{ "too many requests, in so many words", { TOKEN(FACT_HTTP_STATUS, "429", FACT_OAUTH_ERROR, "temporarily_unavailable") }, VERDICT_FAILED, "throttle.provider", LIKELY, "server.unavailable" },
	{ "too many of one organisation", { TOKEN(FACT_HTTP_STATUS, "429", FACT_OAUTH_ERROR, "invalid_request", FACT_AADSTS, "90055") }, VERDICT_FAILED, "throttle.provider", LIKELY, "server.unavailable" },
	{ "the same word, and no status of that", { TOKEN(FACT_HTTP_STATUS, "503", FACT_OAUTH_ERROR, "temporarily_unavailable") }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	/* locked, or the place (50053) */
	{ "locked, or from a bad place", { SAYS("invalid_grant", "50053") }, VERDICT_FAILED, "auth.account_locked", LIKELY, "auth.ip_not_allowed" },
	/* three readings of one code (E.2 7, 9) */
	{ "on a server of their own", { MX_IS("exchange"), ACCOUNT(PLAN("none"), FACT_ACCOUNT_SYNCED, "yes"), COMPONENT, FOUND(OWN) }, VERDICT_FAILED, "microsoft.mailbox_on_premises", PROVEN, "" },
	{ "the same without a directory of theirs", { ACCOUNT(PLAN("none")), INACTIVE, FOUND(OWN) }, VERDICT_FAILED, "microsoft.mailbox_on_premises", LIKELY, "microsoft.mailbox_migrating" },
	{ "Autodiscover says: in the cloud", { MX_IS("microsoft"), ACCOUNT(PLAN("Enabled"), FACT_ACCOUNT_SYNCED, "yes"), INACTIVE, FOUND(ONLINE) }, VERDICT_FAILED, "microsoft.rest_not_enabled", LIKELY, "microsoft.mailbox_on_premises" },
	{ "no plan, mail is at Google", { MX_IS("google"), ACCOUNT(PLAN("none")), INACTIVE }, VERDICT_FAILED, "microsoft.mailbox_not_found", PROVEN, "" },
	{ "no plan, mail is at Microsoft", { MX_IS("microsoft"), ACCOUNT(PLAN("none")), INACTIVE }, VERDICT_FAILED, "mailbox.no_licence", LIKELY, "microsoft.mailbox_not_found" },
	{ "no plan, mail goes elsewhere, and they have a directory", { MX_IS("google"), ACCOUNT(PLAN("none"), FACT_ACCOUNT_SYNCED, "yes"), INACTIVE }, VERDICT_FAILED, "microsoft.mailbox_not_found", LIKELY, "microsoft.mailbox_on_premises" },
	{ "a guest", { GRANT, OK("microsoft.account", FACT_ACCOUNT_KIND, "guest"), INACTIVE }, VERDICT_FAILED, "microsoft.account_not_in_tenant", LIKELY, "microsoft.mailbox_not_found" },
	/* the rest of it */
	{ "Graph is down", { ACCOUNT(PLAN("Enabled")), NOT("microsoft.inbox", FACT_HTTP_STATUS, "503") }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	{ "Graph slows us down", { ACCOUNT(PLAN("Enabled")), NOT("microsoft.inbox", FACT_HTTP_STATUS, "429", FACT_GRAPH_CODE, "ApplicationThrottled") }, VERDICT_FAILED, "throttle.provider", PROVEN, "" },
	{ "the calendar may not be written to", { ACCOUNT(PLAN("Enabled")), OK("microsoft.inbox", NULL), OK("microsoft.folders", NULL), OK("microsoft.calendar", NULL), NOT("microsoft.calendar_event", FACT_HTTP_STATUS, "403", FACT_GRAPH_CODE, "ErrorAccessDenied") },
	  VERDICT_PARTIAL, "calendar.not_permitted", LIKELY, "microsoft.scope_missing" },
	{ "it knows no such zone", { ACCOUNT(PLAN("Enabled")), OK("microsoft.inbox", NULL), OK("microsoft.folders", NULL), OK("microsoft.calendar", NULL), NOT("microsoft.calendar_event", FACT_HTTP_STATUS, "400", FACT_GRAPH_CODE, "TimeZoneNotSupportedException") },
	  VERDICT_PARTIAL, "calendar.time_zone_unknown", PROVEN, "" },
	{ "it tells by a zone that is none", { ACCOUNT(PLAN("Enabled")), OK("microsoft.inbox", NULL), OK("microsoft.folders", NULL), OK("microsoft.calendar", NULL), NOT("microsoft.calendar_event", FACT_EVENT_LISTED, "yes", FACT_EVENT_ZONE, "unknown") },
	  VERDICT_PARTIAL, "calendar.time_zone_unknown", PROVEN, "" },
	{ "no calendar", { ACCOUNT(PLAN("Enabled")), OK("microsoft.inbox", NULL), OK("microsoft.folders", NULL), NOT("microsoft.calendar", FACT_GRAPH_CODE, "ErrorItemNotFound") }, VERDICT_PARTIAL, "calendar.none", LIKELY, "" },
	/* one's own, or another's (B.9) */
	{ "no right on one's own inbox", { ACCOUNT(PLAN("Enabled")), INBOX("ErrorAccessDenied") }, VERDICT_FAILED, "microsoft.app_not_allowed", LIKELY, "mailbox.not_permitted" },
	{ "no right on another's", { SHARED, OK("entra.scopes", FACT_OAUTH_SCOPE, "Mail.ReadWrite.Shared"), INBOX("ErrorAccessDenied") }, VERDICT_FAILED, "mailbox.not_permitted", LIKELY, "microsoft.app_not_allowed" },
	{ "the same, and what was granted is not told", { SHARED, OK("entra.scopes", NULL), INBOX("ErrorAccessDenied") }, VERDICT_FAILED, "mailbox.not_permitted", LIKELY, "microsoft.scope_missing" },
	{ "the same, and it was not granted", { SHARED, NOT("entra.scopes", FACT_OAUTH_MISSING, "Mail.ReadWrite.Shared"), INBOX("ErrorAccessDenied") }, VERDICT_FAILED, "microsoft.scope_missing", PROVEN, "" },
	{ "a policy names itself, whoever's it is", { SHARED, OK("entra.scopes", NULL), NOT("microsoft.inbox", FACT_GRAPH_CODE, "ErrorAccessDenied", FACT_GRAPH_TEXT, "Blocked by tenant configured settings") }, VERDICT_FAILED, "microsoft.app_not_allowed", PROVEN, "" },
	{ "another's is not there, for who may not see it", { SHARED, OK("entra.scopes", NULL), INBOX("ErrorItemNotFound") }, VERDICT_FAILED, "mailbox.not_permitted", LIKELY, "microsoft.mailbox_not_found" },
	{ "nobody has that address", { SHARED, OK("entra.scopes", NULL), INBOX("ErrorInvalidUser") }, VERDICT_FAILED, "microsoft.mailbox_not_found", LIKELY, "mailbox.no_licence" },
	{ "another's calendar is not there", { SHARED, OK("entra.scopes", NULL), OK("microsoft.inbox", NULL), OK("microsoft.folders", NULL), NOT("microsoft.calendar", FACT_GRAPH_CODE, "ErrorItemNotFound") }, VERDICT_PARTIAL, "calendar.not_permitted", LIKELY, "calendar.none" },
	{ "nothing that is known", { ACCOUNT(PLAN("Enabled")), INBOX("ErrorQuantumFluctuation") }, VERDICT_FAILED, "unknown.answer", PROVEN, "microsoft.mailbox_not_found" },
};

TEST(look_alikes)
{
	expect_look_alikes(&microsoft, pairs, COUNT(pairs));
}

/* -- pasted ------------------------------------------------------------------------------------------------------------ */

#define ID "5b6d2c1e-9f58-4a7c-8f0e-3c1f4d2b9a11"

static const struct pasted pasted[] = {
	{ "Sorry, but we're having trouble signing you in. AADSTS50105: Your administrator has configured the application", "microsoft.user_not_assigned", PROVEN },
	{ "Es tut uns leid. aadsts50105. Was nun?", "microsoft.user_not_assigned", PROVEN },
	{ "https://crm.example/callback?error=interaction_required&error_description=AADSTS50105%3a+Your+administrator&state=x", "microsoft.user_not_assigned", PROVEN },
	{ "https://crm.example/callback?error=interaction_required&state=x", "microsoft.user_not_assigned", POSSIBLE },
	{ "https://crm.example/callback?admin_consent=True&tenant=" ID "&scope=Mail.Send&state=12345", "microsoft.admin_consent_recorded", PROVEN },
	{ "https://crm.example/callback?admin_consent=True&error=access_denied&error_description=AADSTS65004%3a+User+declined&state=1", "microsoft.consent_declined", PROVEN },
	{ "https://crm.example/callback?error=access_denied&error_description=AADSTS90094%3a+x&admin_consent=True", "microsoft.admin_approval_required", PROVEN },
	{ "https://crm.example/callback?error=access_denied&state=abc", "unknown.answer", PROVEN },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: The refresh token has expired due to inactivity.\",\"error_codes\":[700082],\"suberror\":\"bad_token\"}", "microsoft.sign_in_again", PROVEN },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request\"}", "unknown.answer", PROVEN },
	{ "{\"error\":{\"code\":\"MailboxNotEnabledForRESTAPI\",\"message\":\"The mailbox is either inactive, soft-deleted, or is hosted on-premise.\"}}", "microsoft.mailbox_not_found", LIKELY },
	{ "REST API is not yet supported for this mailbox.", "microsoft.mailbox_not_found", LIKELY },
	{ "RESTAPINotEnabledForComponentSharedMailbox", "microsoft.rest_not_enabled", LIKELY },
	{ "{\"error\":{\"code\":\"ApplicationThrottled\",\"message\":\"Application is over its MailboxConcurrency limit.\",\"innerError\":{}}}", "throttle.provider", PROVEN },
	{ "Need admin approval\nMailmoor\nMailmoor needs permission to access resources in your organization that only an admin can grant.", "microsoft.admin_approval_required", LIKELY },
	{ "Approval required\nThis app requires your admin's approval to: read your mail", "microsoft.admin_approval_pending", LIKELY },
	{ "Need admin approval. AADSTS90095: Admin consent is required", "microsoft.admin_approval_pending", PROVEN },
	{ "https://login.microsoftonline.com/error?code=50105", "microsoft.user_not_assigned", PROVEN },
	{ "https://shop.example/error?code=50105", "unknown.answer", PROVEN },
	{ "https://login.microsoftonline.com/error?code=501", "unknown.answer", PROVEN },
	{ "https://crm.example/callback?error=permission_denied&error_description=The+admin+canceled+the+request&admin_consent=True", "microsoft.consent_declined", LIKELY },
	{ "order number XAADSTS50105 and AADSTS50105123456789 and AADST50105", "unknown.answer", PROVEN },
};

TEST(pasted_texts)
{
	expect_pasted(pasted, COUNT(pasted));
}
