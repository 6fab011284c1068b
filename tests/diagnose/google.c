/* What is concluded from Google's answers: every row of the rules by evidence that nothing else explains, and what a pasted text says. */
#include "cases.h"

#include "diagnose/explain.h"

static const struct least google = {
	.rules = &rules_google, .provider = "google", .usual = "google.mailbox", .early = { "address" },
};

TEST(every_row_is_reached_by_the_least_that_it_asks_for)
{
	expect_every_row_reached(&google);
}

/* -- look-alikes ------------------------------------------------------------------------------------------------------ */

#define GRANT        OK("google.grant", FACT_AUTH_BY, "token")
#define AGED(days)   OK("google.grant", FACT_AUTH_BY, "token", FACT_GRANT_AGE, days)
#define TOKEN(...)   NOT("google.token", __VA_ARGS__)
#define SAYS(e, t)   TOKEN(FACT_OAUTH_ERROR, e, FACT_OAUTH_TEXT, t)
#define BACK(e)      NOT("google.callback", FACT_OAUTH_ERROR, e)
#define MAILBOX      OK("google.mailbox", FACT_ACCOUNT_MAILBOX, "ann@birch.example"), OK("google.account", FACT_ACCOUNT_ASKED, "yes"), OK("google.scopes", NULL), OK("google.labels", NULL)
#define NO_MAILBOX(s, ...) NOT("google.mailbox", FACT_HTTP_STATUS, s, __VA_ARGS__), OK("google.account", FACT_ACCOUNT_ASKED, "yes")
#define REVOKED      "Token has been expired or revoked."

static const struct look_alike pairs[] = {
	/* one text, and its age */
	{ "ended, nobody knows when it began", { GRANT, SAYS("invalid_grant", REVOKED) }, VERDICT_FAILED, "google.sign_in_again", LIKELY, "google.testing_grant_ended" },
	{ "ended on its sixth day", { AGED("6"), SAYS("invalid_grant", REVOKED) }, VERDICT_FAILED, "google.sign_in_again", PROVEN, "" },
	{ "ended on its eighth day", { AGED("7"), SAYS("invalid_grant", REVOKED) }, VERDICT_FAILED, "google.testing_grant_ended", LIKELY, "google.sign_in_again" },
	{ "ended after a month", { AGED("31"), SAYS("invalid_grant", REVOKED) }, VERDICT_FAILED, "google.sign_in_again", LIKELY, "google.testing_grant_ended" },
	{ "a session's end, by its text", { AGED("7"), SAYS("invalid_grant", "reauth related error (invalid_rapt)") }, VERDICT_FAILED, "google.reauth_policy", PROVEN, "" },
	{ "the account is gone", { AGED("7"), SAYS("invalid_grant", "Account has been deleted") }, VERDICT_FAILED, "auth.account_disabled", PROVEN, "" },
	/* one word, two pages, and what comes back */
	{ "the user said no", { GRANT, BACK("access_denied") }, VERDICT_FAILED, "google.consent_declined", PROVEN, "" },
	{ "the page said no", { GRANT, NOT("google.callback", FACT_GOOGLE_PAGE, "access_denied") }, VERDICT_FAILED, "google.app_not_for_this_account", PROVEN, "" },
	{ "no delegation", { GRANT, SAYS("access_denied", "Requested client not authorized.") }, VERDICT_FAILED, "google.delegation_denied", PROVEN, "" },
	/* who blocks: the program, the administrator */
	{ "Advanced Protection at Gmail itself: nobody but the user", { OK("address", FACT_ADDRESS_DOMAIN, "gmail.com"), GRANT, TOKEN(FACT_OAUTH_ERROR, "policy_enforced") }, VERDICT_FAILED, "google.advanced_protection", PROVEN, "" },
	{ "an administrator, said by the token endpoint", { GRANT, TOKEN(FACT_OAUTH_ERROR, "admin_policy_enforced") }, VERDICT_FAILED, "google.app_blocked_by_admin", PROVEN, "" },
	{ "the same on a page may be the program", { GRANT, NOT("google.callback", FACT_GOOGLE_PAGE, "admin_policy_enforced") }, VERDICT_FAILED, "google.app_blocked_by_admin", LIKELY, "google.advanced_protection" },
	/* one reason, two meanings */
	{ "no Gmail", { GRANT, NO_MAILBOX("400", FACT_GOOGLE_REASON, "failedPrecondition", FACT_GOOGLE_TEXT, "Mail service not enabled") }, VERDICT_FAILED, "google.gmail_off", PROVEN, "" },
	{ "asked in a way that nobody has a mailbox for", { GRANT, NO_MAILBOX("400", FACT_GOOGLE_REASON, "failedPrecondition", FACT_GOOGLE_TEXT, "Precondition check failed.") }, VERDICT_FAILED, "google.app_misregistered", LIKELY, "google.gmail_off" },
	{ "quota, not a right", { GRANT, NO_MAILBOX("403", FACT_GOOGLE_REASON, "userRateLimitExceeded") }, VERDICT_FAILED, "throttle.provider", PROVEN, "" },
	{ "a right, not quota", { GRANT, NO_MAILBOX("403", FACT_GOOGLE_REASON, "insufficientPermissions") }, VERDICT_FAILED, "google.scope_unticked", PROVEN, "" },
	{ "our project", { GRANT, NO_MAILBOX("403", FACT_GOOGLE_REASON, "SERVICE_DISABLED", FACT_GOOGLE_REASON, "accessNotConfigured") }, VERDICT_FAILED, "google.app_misregistered", PROVEN, "" },
	{ "another account, whatever else", { GRANT, NOT("google.mailbox", FACT_GOOGLE_TEXT, "Mail service not enabled"), NOT("google.account", FACT_ACCOUNT_ASKED, "no") }, VERDICT_FAILED, "google.wrong_account", PROVEN, "" },
	/* beside mail */
	{ "the calendar is off", { GRANT, MAILBOX, NOT("google.calendar", FACT_HTTP_STATUS, "403", FACT_GOOGLE_REASON, "notACalendarUser") }, VERDICT_PARTIAL, "google.calendar_off", PROVEN, "" },
	{ "the calendar may only be read", { GRANT, MAILBOX, OK("google.calendar", NULL), NOT("google.calendar_event", FACT_HTTP_STATUS, "403", FACT_GOOGLE_REASON, "requiredAccessLevel") }, VERDICT_PARTIAL, "calendar.not_permitted", PROVEN, "" },
	{ "its box was left unticked", { GRANT, MAILBOX, OK("google.calendar", NULL), NOT("google.calendar_event", FACT_HTTP_STATUS, "403", FACT_GOOGLE_REASON, "insufficientPermissions") }, VERDICT_PARTIAL, "google.scope_unticked", PROVEN, "" },
	{ "the event is not there when it should be", { GRANT, MAILBOX, OK("google.calendar", NULL), NOT("google.calendar_event", FACT_EVENT_LISTED, "no") }, VERDICT_PARTIAL, "calendar.time_zone_unknown", LIKELY, "server.answer_unreadable" },
	{ "the way to the calendar", { GRANT, MAILBOX, NOT("google.calendar.connect", FACT_NET_OUTCOME, "refused") }, VERDICT_PARTIAL, "net.refused", PROVEN, "" },
	{ "so many messages a day", { GRANT, MAILBOX, OK("google.calendar", NULL), NOT("google.send", FACT_GOOGLE_REASON, "userRateLimitExceeded", FACT_GOOGLE_TEXT, "User-rate limit exceeded. Retry after 2026-11-23T00:00:00.000Z") },
	  VERDICT_PARTIAL, "send.quota_exceeded", LIKELY, "throttle.provider" },
	{ "nothing that is known", { GRANT, NO_MAILBOX("418", FACT_GOOGLE_REASON, "quantumFluctuation") }, VERDICT_FAILED, "unknown.answer", PROVEN, "google.gmail_off" },
};

TEST(look_alikes)
{
	expect_look_alikes(&google, pairs, COUNT(pairs));
}

/* -- pasted ------------------------------------------------------------------------------------------------------------ */

static const struct pasted pasted[] = {
	{ "https://accounts.google.com/signin/oauth/error?authError=Cg9wb2xpY3lfZW5mb3JjZWQSDkFjY2VzcyBibG9ja2VkIJAD&client_id=1&flowName=GeneralOAuthFlow", "google.advanced_protection", PROVEN },
	{ "https://accounts.google.com/signin/oauth/error?authError=Cg5pbnZhbGlkX2NsaWVudBIfVGhlIE9BdXRoIGNsaWVudCB3YXMgbm90IGZvdW5kLiCRAw%3D%3D", "google.app_misregistered", PROVEN },
	{ "https://accounts.google.com/signin/oauth/error?authError=c29tZXRoaW5nIGVsc2U&client_id=1", "unknown.answer", PROVEN },
	{ "Toegang geblokkeerd\nann@birch.example\nFout 400: admin_policy_enforced", "google.app_blocked_by_admin", LIKELY },
	{ "Fehler 403: org_internal", "google.app_not_for_this_account", PROVEN },
	{ "Access blocked: Mailmoor has not completed the Google verification process\nError 403: access_denied", "google.app_not_for_this_account", PROVEN },
	{ "Access blocked: Mailmoor is not approved by Advanced Protection", "google.advanced_protection", PROVEN },
	{ "curl: HTTP 403: access_denied", "unknown.answer", PROVEN },
	{ "HTTP 401: invalid_client", "unknown.answer", PROVEN },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or revoked.\"}", "google.sign_in_again", LIKELY },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request\"}", "unknown.answer", PROVEN },
	{ "{\"error\":\"policy_enforced\"}", "google.advanced_protection", PROVEN },
	{ "{\"error\": \"unauthorized_client\", \"error_description\": \"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.\"}", "google.delegation_denied", PROVEN },
	{ "https://crm.example/callback?error=access_denied&state=abc", "unknown.answer", PROVEN },
	{ "{\"error\":{\"code\":400,\"message\":\"Mail service not enabled\",\"errors\":[{\"message\":\"Mail service not enabled\",\"domain\":\"global\",\"reason\":\"failedPrecondition\"}]}}", "google.gmail_off", PROVEN },
	{ "googleapiclient.errors.HttpError: <HttpError 400 when requesting https://gmail.googleapis.com/gmail/v1/users/me/profile returned \"Mail service not enabled\">", "google.gmail_off", PROVEN },
	{ "Gmail API has not been used in project 4815162342 before or it is disabled.", "google.app_misregistered", PROVEN },
	{ "{\"error\":{\"errors\":[{\"domain\":\"usageLimits\",\"reason\":\"rateLimitExceeded\"}],\"code\":403}}", "throttle.provider", PROVEN },
	{ "{\"reason\":\"forbidden\"}", "unknown.answer", PROVEN },
	{ "AADSTS7000215: Invalid client secret provided. Error 401: invalid_client google", "microsoft.app_secret_wrong", PROVEN },
};

TEST(pasted_texts)
{
	expect_pasted(pasted, COUNT(pasted));
}
