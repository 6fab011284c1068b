/* rules_google.c -- what Google answers: its sign-in, Gmail and Calendar (facts G A.3-A.7, B.5, C).
 *
 * Google's pages and its token endpoint say one code each; what is behind `invalid_grant` its text tells in part, and for the commonest
 * one ("expired or revoked") not at all. The interfaces give reasons, which are in no language; texts are read where one reason has
 * several meanings. */
#include "diagnose/rule.h"

#define PAGE(codes)      { NULL, FACT_GOOGLE_PAGE, IS, codes }
#define TOKEN(errors)    { "google.token", FACT_OAUTH_ERROR, IS, errors }
#define BACK(errors)     { "google.callback", FACT_OAUTH_ERROR, IS, errors }
#define SUBTYPE(words)   { "google.token", FACT_OAUTH_SUBERROR, IS, words }
#define SAID_THERE(words) { "google.token", FACT_OAUTH_TEXT, HAS, words }
#define REASON(reasons)  { NULL, FACT_GOOGLE_REASON, IS, reasons }
#define REASON_IN(steps, reasons) { steps, FACT_GOOGLE_REASON, IS, reasons }
#define STATUS(words)    { NULL, FACT_GOOGLE_STATUS, IS, words }
#define SAYS(words)      { NULL, FACT_GOOGLE_TEXT, HAS, words }
#define ANYWHERE(fact, op, value) { "google.token|google.account|google.mailbox|google.labels|google.sender|google.calendar|google.calendar_event|google.send", fact, op, value }
#define AGE(days)        { "google.grant", FACT_GRANT_AGE, IS, days }
#define PERSONAL         { "address", FACT_ADDRESS_DOMAIN, IS, "gmail.com|googlemail.com" }

#define PROTECTION    CAUSE_GOOGLE_ADVANCED_PROTECTION
#define BLOCKED       CAUSE_GOOGLE_APP_BLOCKED_BY_ADMIN
#define UNTICKED      CAUSE_GOOGLE_SCOPE_UNTICKED
#define AGAIN         CAUSE_GOOGLE_SIGN_IN_AGAIN
#define TESTING       CAUSE_GOOGLE_TESTING_GRANT_ENDED
#define REAUTH        CAUSE_GOOGLE_REAUTH_POLICY
#define NOT_FOR_THIS  CAUSE_GOOGLE_APP_NOT_FOR_THIS_ACCOUNT
#define MISREGISTERED CAUSE_GOOGLE_APP_MISREGISTERED
#define DELEGATION    CAUSE_GOOGLE_DELEGATION_DENIED
#define WRONG         CAUSE_GOOGLE_WRONG_ACCOUNT
#define DISABLED      CAUSE_AUTH_ACCOUNT_DISABLED
#define UNAVAILABLE   CAUSE_SERVER_UNAVAILABLE

#define ENDED      SAID_THERE("expired or revoked")
#define LIMITS     "RATE_LIMIT_EXCEEDED|rateLimitExceeded|userRateLimitExceeded|dailyLimitExceeded|quotaExceeded"
#define API_OFF    "SERVICE_DISABLED|accessNotConfigured"
#define NO_SCOPE   "ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficientPermissions"

static const struct rule google[] = {
	/* -- the account, and its organisation ---------------------------------------------------------------------------- */

	PROVES(GOOGLE_ADVANCED_PROTECTION, WHO_USER, "G A.6", TOKEN("policy_enforced"), PERSONAL),
	PROVES(GOOGLE_ADVANCED_PROTECTION, 0, "G A.3, A.6", TOKEN("policy_enforced")),
	/* nobody could trust the app for a personal account */
	PROVES(GOOGLE_ADVANCED_PROTECTION, WHO_USER, "G A.6", PAGE("policy_enforced"), PERSONAL),
	PROVES(GOOGLE_ADVANCED_PROTECTION, WHO_USER, "G A.5, A.6", BACK("policy_enforced"), PERSONAL),
	PROVES(GOOGLE_ADVANCED_PROTECTION, 0, "G A.6", PAGE("policy_enforced")),
	PROVES(GOOGLE_ADVANCED_PROTECTION, 0, "G A.5, A.6", BACK("policy_enforced")),
	PROVES(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, "G A.3", TOKEN("admin_policy_enforced")),
	/* some accounts under Advanced Protection were shown this one */
	SUGGESTS(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, OPEN(PROTECTION), "G A.6", PAGE("admin_policy_enforced")),
	SUGGESTS(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, OPEN(PROTECTION), "G A.5", BACK("admin_policy_enforced")),
	PROVES(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, "G A.6", PAGE("access_not_configured")),
	PROVES(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, "G B.5, C", REASON("domainPolicy")),

	/* -- our own registration ------------------------------------------------------------------------------------------ */

	PROVES(GOOGLE_APP_NOT_FOR_THIS_ACCOUNT, 0, "G A.6", PAGE("org_internal")),
	/* not the user's own refusal: that one comes back to us */
	PROVES(GOOGLE_APP_NOT_FOR_THIS_ACCOUNT, 0, "G A.6", PAGE("access_denied")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(NOT_FOR_THIS), "G A.6", PAGE("rate_limit_exceeded")),
	PROVES(GOOGLE_APP_MISREGISTERED, 0, "G A.6", PAGE("redirect_uri_mismatch|invalid_client|deleted_client|disabled_client|restricted_client")),
	PROVES(GOOGLE_APP_MISREGISTERED, 0, "G A.3", TOKEN("invalid_client|deleted_client|disabled_client|redirect_uri_mismatch")),
	SUGGESTS(GOOGLE_APP_MISREGISTERED, 0, OPEN(AGAIN), "G A.6", PAGE("invalid_request|invalid_scope")),
	PROVES(GOOGLE_APP_MISREGISTERED, 0, "G B.5, C", REASON(API_OFF)),
	PROVES(GOOGLE_APP_MISREGISTERED, 0, "G A.7", TOKEN("invalid_grant"), SAID_THERE("Invalid JWT Signature")),
	SUGGESTS(OPERATOR_CLOCK_WRONG, 0, OPEN(MISREGISTERED), "G A.7", TOKEN("invalid_grant"), SAID_THERE("Check your iat and exp values")),
	SUGGESTS(GOOGLE_APP_MISREGISTERED, 0, OPEN(DISABLED), "G A.7", TOKEN("invalid_grant"), SAID_THERE("account not found")),

	/* -- a service account --------------------------------------------------------------------------------------------- */

	PROVES(GOOGLE_DELEGATION_DENIED, 0, "G A.3, A.7", TOKEN("unauthorized_client"), SAID_THERE("unauthorized to retrieve access tokens using this method")),
	PROVES(GOOGLE_DELEGATION_DENIED, 0, "G A.7", TOKEN("access_denied"), SAID_THERE("Requested client not authorized")),
	SUGGESTS(GOOGLE_DELEGATION_DENIED, 0, OPEN(MISREGISTERED, AGAIN), "G A.3", TOKEN("unauthorized_client")),
	SUGGESTS(GOOGLE_DELEGATION_DENIED, 0, OPEN(WRONG), "G B.5", REASON("delegationDenied")),
	SUGGESTS(GOOGLE_DELEGATION_DENIED, 0, OPEN(WRONG), "G B.5", SAYS("Delegation denied")),
	SUGGESTS(MAILBOX_NOT_FOUND, 0, OPEN(DISABLED), "G A.7", TOKEN("invalid_grant"), SAID_THERE("Invalid email or User ID|Not a valid email or user ID")),

	/* -- the grant ----------------------------------------------------------------------------------------------------- */

	PROVES(GOOGLE_REAUTH_POLICY, 0, "G A.3", SUBTYPE("invalid_rapt|rapt_required")),
	PROVES(GOOGLE_REAUTH_POLICY, 0, "G A.3", TOKEN("rapt_required|invalid_rapt")),
	PROVES(GOOGLE_REAUTH_POLICY, 0, "G A.3", TOKEN("invalid_grant"), SAID_THERE("invalid_rapt|rapt_required")),
	PROVES(AUTH_ACCOUNT_DISABLED, 0, "G A.3", TOKEN("invalid_grant"), SAID_THERE("Account has been deleted|Account disabled")),
	/* one text for a dozen causes: age alone tells the seven days of an app in testing from the rest, and only nearly */
	SUGGESTS(GOOGLE_TESTING_GRANT_ENDED, 0, OPEN(AGAIN), "G A.3", TOKEN("invalid_grant"), ENDED, AGE("7|8|9")),
	PROVES(GOOGLE_SIGN_IN_AGAIN, 0, "G A.3", TOKEN("invalid_grant"), ENDED, AGE("0|1|2|3|4|5|6")),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(TESTING), "G A.3", TOKEN("invalid_grant"), ENDED),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(MISREGISTERED), "G A.3", TOKEN("invalid_grant"), SAID_THERE("Malformed auth code|code verifier|Bad Request")),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(TESTING, REAUTH, DISABLED), "G A.3", TOKEN("invalid_grant")),
	SUGGESTS(GOOGLE_APP_MISREGISTERED, 0, OPEN(AGAIN), "G A.3", TOKEN("invalid_request|invalid_scope|unsupported_grant_type")),
	PROVES(SERVER_UNAVAILABLE, 0, "G A.3", TOKEN("internal_failure|server_error|temporarily_unavailable")),
	PROVES(THROTTLE_PROVIDER, 0, "G A.3", TOKEN("rate_limit_exceeded|slow_down")),

	/* -- what a browser brought back ------------------------------------------------------------------------------------ */

	PROVES(GOOGLE_CONSENT_DECLINED, 0, "G A.5", BACK("access_denied")),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(WRONG), "G A.5", BACK("interaction_required|login_required|consent_required|account_selection_required")),
	SUGGESTS(GOOGLE_APP_MISREGISTERED, 0, OPEN(AGAIN), "G A.5", BACK("invalid_scope|invalid_request|unauthorized_client")),
	PROVES(SERVER_UNAVAILABLE, 0, "G A.5", BACK("server_error|temporarily_unavailable")),

	/* -- nobody came back, or the page was pasted (its code is above) ---------------------------------------------------- */

	SUGGESTS(GOOGLE_SIGN_IN_NOT_RETURNED, 0, OPEN(PROTECTION, NOT_FOR_THIS, MISREGISTERED), "G A.6", { "google.page", FACT_SIGNIN_AWAY, ANY, NULL }, PERSONAL),
	SUGGESTS(GOOGLE_SIGN_IN_NOT_RETURNED, 0, OPEN(BLOCKED, PROTECTION, NOT_FOR_THIS, MISREGISTERED), "G A.6", { "google.page", FACT_SIGNIN_AWAY, ANY, NULL }),

	/* -- whose account it is ------------------------------------------------------------------------------------------- */

	PROVES(GOOGLE_WRONG_ACCOUNT, 0, "G A.2, CAUSES", { "google.account", FACT_ACCOUNT_ASKED, IS, "no" }),

	/* -- the mailbox, the calendar ------------------------------------------------------------------------------------- */

	PROVES(GOOGLE_GMAIL_OFF, 0, "G B.5", SAYS("Mail service not enabled")),
	PROVES(GOOGLE_CALENDAR_OFF, 0, "G C", REASON("notACalendarUser")),
	PROVES(GOOGLE_CALENDAR_OFF, 0, "G C", SAYS("must be signed up for Google Calendar")),
	SUGGESTS(GOOGLE_APP_MISREGISTERED, 0, OPEN(CAUSE_GOOGLE_GMAIL_OFF), "G A.7, B.5", REASON("failedPrecondition"), SAYS("Precondition check failed")),
	SUGGESTS(GOOGLE_GMAIL_OFF, 0, OPEN(MISREGISTERED), "G B.5", REASON_IN("google.mailbox", "failedPrecondition")),
	PROVES(CALENDAR_NOT_PERMITTED, 0, "G C", REASON("requiredAccessLevel")),
	SUGGESTS(CALENDAR_NOT_PERMITTED, 0, OPEN(UNTICKED), "G C", REASON_IN("google.calendar_event", "forbiddenForNonOrganizer|forbidden")),
	SUGGESTS(CALENDAR_NONE, 0, OPEN(CAUSE_CALENDAR_NOT_PERMITTED), "G C", REASON_IN("google.calendar|google.calendar_event", "notFound")),
	SUGGESTS(CALENDAR_TIME_ZONE_UNKNOWN, 0, OPEN(CAUSE_SERVER_ANSWER_UNREADABLE), "G C", { "google.calendar_event", FACT_GOOGLE_TEXT, HAS, "time zone|timezone" }),

	/* -- what the token may -------------------------------------------------------------------------------------------- */

	PROVES(GOOGLE_SCOPE_UNTICKED, 0, "G A.4, B.5", REASON(NO_SCOPE)),
	SUGGESTS(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, OPEN(CAUSE_AUTH_IP_NOT_ALLOWED), "G B.5", REASON("SECURITY_POLICY_VIOLATED|ACCESS_DENIED")),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(DISABLED, BLOCKED), "G B.5, C", REASON("authError|ACCESS_TOKEN_EXPIRED")),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(DISABLED, BLOCKED), "G B.5", STATUS("UNAUTHENTICATED")),

	/* -- the message --------------------------------------------------------------------------------------------------- */

	SUGGESTS(SEND_QUOTA_EXCEEDED, 0, OPEN(CAUSE_THROTTLE_PROVIDER), "G B.4", REASON_IN("google.send", LIMITS), SAYS("Retry after")),
	SUGGESTS(SEND_RECIPIENT_REJECTED, 0, OPEN(MISREGISTERED), "G B.5", { "google.send", FACT_GOOGLE_TEXT, HAS, "Invalid To header|Recipient address required" }),

	/* -- it passes ----------------------------------------------------------------------------------------------------- */

	PROVES(THROTTLE_PROVIDER, 0, "G B.4, B.5, C", REASON(LIMITS)),
	PROVES(THROTTLE_PROVIDER, 0, "G B.5", STATUS("RESOURCE_EXHAUSTED")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(UNAVAILABLE), "G A.3, B.5", ANYWHERE(FACT_HTTP_STATUS, IS, "429")),
	PROVES(SERVER_UNAVAILABLE, 0, "G B.5, C", REASON("backendError")),
	PROVES(SERVER_UNAVAILABLE, 0, "G B.5", STATUS("INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED")),
	PROVES(SERVER_UNAVAILABLE, 0, "G A.3, B.5", ANYWHERE(FACT_HTTP_STATUS, IS, "500|502|503|504")),
	SUGGESTS(GOOGLE_APP_BLOCKED_BY_ADMIN, 0, OPEN(UNTICKED, DELEGATION), "G B.5", REASON("forbidden")),

	/* -- signed in, and not all of it was granted -------------------------------------------------------------------------- */

	PROVES(GOOGLE_SCOPE_UNTICKED, 0, "G A.4", { "google.scopes", FACT_OAUTH_MISSING, ANY, NULL }),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(MISREGISTERED), "G A.2", { "google.scopes", FACT_OAUTH_REFRESHED, IS, "no" }),
	SUGGESTS(CALENDAR_NONE, 0, OPEN(CAUSE_GOOGLE_CALENDAR_OFF), "G C", { "google.calendar", FACT_CALENDAR_COUNT, ANY, NULL }, { "google.calendar", FACT_CALENDAR_ROLE, NONE, NULL }),

	/* -- no HTTP, or none of theirs ------------------------------------------------------------------------------------ */

	PROVES(SERVER_WRONG_PROTOCOL, 0, "G H.4", ANYWHERE(FACT_PROTOCOL, ANY, NULL)),
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 9112, RFC 8259", ANYWHERE(FACT_REPLY_BROKEN, ANY, NULL)),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_NET_SILENT), "G H.3", ANYWHERE(FACT_NET_OUTCOME, IS, "timeout|closed|reset")),
};

const struct rule_table rules_google = { google, COUNT(google) };
