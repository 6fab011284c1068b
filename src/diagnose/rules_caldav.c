/* rules_caldav.c -- what calendar servers answer (facts G G.1-G.4, C): where CalDAV is, the sign-in, the calendars.
 *
 * A 401 names no reason. A page in HTML in place of an answer has many: only where another host is sent to, from every place that was
 * asked, is it a sign-in that stands in front. That there is no CalDAV is proven by nothing less than each of its usual places. */
#include "diagnose/rule.h"

#define OFFER(fact, op, value) { "caldav.offer", fact, op, value }
#define KNOWN(fact, op, value) { "caldav.well_known", fact, op, value }
#define ROOT(fact, op, value)  { "caldav.root", fact, op, value }
#define LOGIN(fact, op, value) { "caldav.login", fact, op, value }
#define LOOKING                "caldav.offer|caldav.well_known|caldav.root"
#define LOOK                   "caldav.principal|caldav.calendars"
#define ANYWHERE(fact, op, value) { LOOKING "|caldav.login|" LOOK "|caldav.changes|caldav.remove|caldav.event", fact, op, value }
#define AFTER                  LOGIN(FACT_AUTH_CREDENTIALS, IS, "after")
#define REFUSED                LOGIN(FACT_HTTP_STATUS, IS, "401"), AFTER
#define AT(families)           { NULL, FACT_SERVER_FAMILY, IS, families }
#define FIND(fact, op, value)  { "caldav.find", fact, op, value }
#define NOWHERE                { "caldav.resolve", FACT_HOST, NONE, NULL }
/* Of whatever provider. */
#define A_TEST_EVENT           "caldav.event|calendar_event"
#define SIGN_IN_PAGES          "sign_in|forms|adfs|microsoft|gateway|owa"
#define NOT_THERE              "400|403|404|405|410|411|415|501"
#define UNDER_WAY              "timeout|closed|reset"
/* Of a place that did not even say that there is nothing. */
#define NO_WORD                "timeout|servfail|bogus|refused|closed|reset|unreachable|not_allowed|failed|redirects|500|502|503|504|429"

#define WRONG      CAUSE_AUTH_PASSWORD_REJECTED
#define NAME       CAUSE_AUTH_USERNAME_FORM
#define APP        CAUSE_AUTH_APP_PASSWORD_REQUIRED
#define LOCKED     CAUSE_AUTH_ACCOUNT_LOCKED
#define DISABLED   CAUSE_AUTH_ACCOUNT_DISABLED
#define TOO_MANY   CAUSE_AUTH_TOO_MANY_ATTEMPTS
#define FRONT      CAUSE_CALDAV_SIGN_IN_PAGE_IN_FRONT
#define NOT_FOUND  CAUSE_CALDAV_NOT_FOUND
#define NO_RIGHT   CAUSE_CALENDAR_NOT_PERMITTED
#define IP         CAUSE_AUTH_IP_NOT_ALLOWED
#define THROTTLED  CAUSE_THROTTLE_PROVIDER
#define DOWN       CAUSE_SERVER_UNAVAILABLE

static const struct rule caldav[] = {
	/* -- what was given, and what the search found -------------------------------------------------------------------- */

	PROVES(CALDAV_NOT_FOUND, 0, "RFC 3986", { "caldav.url", FACT_CALDAV_PROBLEM, ANY, NULL }),
	PROVES(DNS_SERVICE_NOT_OFFERED, 0, "RFC 6764, G F.3", FIND(FACT_NOT_OFFERED, ANY, NULL), FIND(FACT_CALDAV_PLACE, NONE, NULL), NOWHERE),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(DOWN, CAUSE_DNS_FAILURE), "G G.1", FIND(FACT_LOOKED_AT, HAS, NO_WORD), FIND(FACT_CALDAV_PLACE, NONE, NULL), NOWHERE),
	PROVES(CALDAV_NOT_FOUND, 0, "G G.1", FIND(FACT_LOOKED_AT, ANY, NULL), FIND(FACT_CALDAV_PLACE, NONE, NULL), NOWHERE),

	/* -- the server is in trouble, wherever that shows ------------------------------------------------------------------ */

	PROVES(SERVER_UNAVAILABLE, 0, "G G.4 Nextcloud", ANYWHERE(FACT_DAV_MAINTENANCE, IS, "yes"), ANYWHERE(FACT_HTTP_STATUS, IS, "503")),
	PROVES(NET_INTERCEPTED, 0, "G H.8, RFC 6585", ANYWHERE(FACT_HTTP_STATUS, IS, "511")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(TOO_MANY), "G G.4 Nextcloud", LOGIN(FACT_HTTP_STATUS, IS, "429"), AFTER),
	PROVES(THROTTLE_PROVIDER, 0, "G G.3, RFC 6585", ANYWHERE(FACT_HTTP_STATUS, IS, "429")),
	PROVES(SERVER_UNAVAILABLE, 0, "G G.3", ANYWHERE(FACT_HTTP_STATUS, IS, "503"), ANYWHERE(FACT_HTTP_RETRY_AFTER, ANY, NULL)),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(THROTTLED), "G G.4 iCloud", ANYWHERE(FACT_HTTP_STATUS, IS, "503")),
	PROVES(SERVER_UNAVAILABLE, WHO_PROVIDER, "RFC 9110 15.6", ANYWHERE(FACT_HTTP_STATUS, IS, "502|504")),
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, OPEN(CAUSE_SERVER_ANSWER_UNREADABLE), "RFC 9110 15.6", ANYWHERE(FACT_HTTP_STATUS, IS, "500")),
	PROVES(MAILBOX_FULL, 0, "G G.3", ANYWHERE(FACT_DAV_CONDITION, IS, "DAV:quota-not-exceeded")),
	SUGGESTS(MAILBOX_FULL, 0, OPEN(DOWN), "G G.3", ANYWHERE(FACT_HTTP_STATUS, IS, "507")),

	/* -- which schemes ---------------------------------------------------------------------------------------------------- */

	PROVES(CALDAV_PASSWORD_REFUSED, 0, "G G.4 Google", AT("gmail"), LOGIN(FACT_AUTH_NO_COMMON, IS, "yes"), LOGIN(FACT_AUTH_BY, IS, "password")),
	PROVES(AUTH_NO_COMMON_SCHEME, 0, "G G.3", LOGIN(FACT_AUTH_NO_COMMON, IS, "yes")),

	/* -- a sign-in for people in front ------------------------------------------------------------------------------------- */

	PROVES(CALDAV_SIGN_IN_PAGE_IN_FRONT, 0, "G G.3", OFFER(FACT_PAGE, IS, "sign_in"), OFFER(FACT_HTTP_LOCATION, STARTS, "https://"),
		KNOWN(FACT_PAGE, IS, "sign_in"), KNOWN(FACT_HTTP_LOCATION, STARTS, "https://")),
	SUGGESTS(CALDAV_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(NOT_FOUND), "G G.3", OFFER(FACT_PAGE, IS, SIGN_IN_PAGES), { LOOKING, FACT_AUTH_OFFERED, NONE, NULL }),
	SUGGESTS(CALDAV_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(NOT_FOUND), "G G.3", LOGIN(FACT_PAGE, IS, SIGN_IN_PAGES)),

	/* -- the sign-in ------------------------------------------------------------------------------------------------------- */

	SUGGESTS(AUTH_NOT_AUTHORIZED, 0, OPEN(CAUSE_AUTH_OAUTH_REQUIRED), "RFC 6750", REFUSED, LOGIN(FACT_AUTH_BY, IS, "token")),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG), "G G.4", AT("icloud|fastmail|yahoo|aol|mailru|yandex"), REFUSED),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME, APP, LOCKED, DISABLED, FRONT), "G G.3, G.4", REFUSED),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME, FRONT), "G G.1, RFC 5397", LOGIN(FACT_DAV_NOBODY, IS, "yes"), AFTER),

	/* -- what may be done ---------------------------------------------------------------------------------------------------- */

	PROVES(CALENDAR_NOT_PERMITTED, 0, "G G.3", { "caldav.login|" LOOK "|caldav.event", FACT_DAV_CONDITION, IS, "DAV:need-privileges" }),
	SUGGESTS(CALENDAR_NOT_PERMITTED, 0, OPEN(APP, CAUSE_AUTH_LOGIN_DISABLED), "G G.3", LOGIN(FACT_HTTP_STATUS, IS, "403"), AFTER),
	SUGGESTS(CALENDAR_NOT_PERMITTED, 0, OPEN(APP), "G G.3", { LOOK "|caldav.changes|caldav.event", FACT_HTTP_STATUS, IS, "401|403" }),
	PROVES(CALENDAR_NOT_PERMITTED, 0, "RFC 3744 5.4", { "caldav.rights", FACT_CALENDAR_MAY_ADD, IS, "no" }),
	PROVES(CALENDAR_TIME_ZONE_UNKNOWN, 0, "G G.5", { A_TEST_EVENT, FACT_EVENT_ZONE, IS, "unknown" }),
	SUGGESTS(CALENDAR_TIME_ZONE_UNKNOWN, 0, OPEN(CAUSE_SERVER_ANSWER_UNREADABLE), "G G.5", { A_TEST_EVENT, FACT_EVENT_SHIFT, ANY, NULL }),
	SUGGESTS(CALENDAR_TIME_ZONE_UNKNOWN, 0, OPEN(CAUSE_SERVER_ANSWER_UNREADABLE), "G G.5", { A_TEST_EVENT, FACT_EVENT_LISTED, IS, "no" }),
	PROVES(CALENDAR_NONE, 0, "RFC 4791 5.2", { "caldav.calendars", FACT_CALENDARS, IS, "0" }),
	PROVES(CALDAV_NOT_FOUND, 0, "RFC 4791 5.1", { "caldav.principal", FACT_CALDAV_HOME, IS, "none" }, { LOOK "|caldav.login", FACT_DAV_CALENDARS, IS, "no" },
		{ LOOK "|caldav.login", FACT_DAV_CALENDARS, NEVER_IS, "yes" }),
	SUGGESTS(CALENDAR_NONE, 0, OPEN(NOT_FOUND), "RFC 4791 6.2.1", { "caldav.principal", FACT_CALDAV_HOME, IS, "none" }),

	/* -- pasted: whose challenge it is, and no more ------------------------------------------------------------------------------ */

	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG), "G G.4 iCloud", { "caldav.pasted", FACT_AUTH_OFFERED, HAS, "MMCalDav" }),
	SUGGESTS(CALDAV_PASSWORD_REFUSED, 0, OPEN(CAUSE_AUTH_OAUTH_REQUIRED), "G G.4 Google", { "caldav.pasted", FACT_AUTH_OFFERED, HAS, "accounts.google.com" }),

	/* -- no CalDAV there ------------------------------------------------------------------------------------------------------ */

	PROVES(SERVER_WRONG_PROTOCOL, 0, "G H.4", ANYWHERE(FACT_PROTOCOL, ANY, NULL)),
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 4918 13, RFC 9112", ANYWHERE(FACT_REPLY_BROKEN, ANY, NULL)),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(IP), "G G.4 iCloud", OFFER(FACT_HTTP_STATUS, IS, "403"), KNOWN(FACT_HTTP_STATUS, IS, "403")),
	PROVES(CALDAV_NOT_FOUND, 0, "G G.1, G.3", OFFER(FACT_HTTP_STATUS, IS, NOT_THERE), KNOWN(FACT_HTTP_STATUS, IS, NOT_THERE), { LOOKING, FACT_AUTH_OFFERED, NONE, NULL }),
	PROVES(CALDAV_NOT_FOUND, 0, "G G.1, G.3", OFFER(FACT_HTTP_STATUS, IS, NOT_THERE), ROOT(FACT_HTTP_STATUS, IS, NOT_THERE "|200"), { LOOKING, FACT_AUTH_OFFERED, NONE, NULL }),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(FRONT, CAUSE_NET_INTERCEPTED), "G G.3", OFFER(FACT_HTTP_STATUS, IS, "200|201|202|204"), { LOOKING, FACT_AUTH_OFFERED, NONE, NULL }),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(FRONT), "G G.3", OFFER(FACT_HTTP_STATUS, IS, "301|302|303|307|308"), { LOOKING, FACT_AUTH_OFFERED, NONE, NULL }),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(FRONT), "G G.3", OFFER(FACT_HTTP_STATUS, IS, NOT_THERE), { LOOKING, FACT_AUTH_OFFERED, NONE, NULL }),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(FRONT), "G G.3", LOGIN(FACT_HTTP_STATUS, IS, "200|301|302|303|307|308|400|404|405|410|415|501")),
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(CAUSE_CALENDAR_NONE), "G G.3", { LOOK, FACT_HTTP_STATUS, IS, "301|302|307|308|404|405|410" }),
	/* of one that nobody could be led on by: in a circle, or too often */
	SUGGESTS(CALDAV_NOT_FOUND, 0, OPEN(CAUSE_SERVER_ANSWER_UNREADABLE), "G J.3", { LOOKING "|" LOOK, FACT_CALDAV_LEADS, ANY, NULL }),

	/* -- no HTTP, or none of ours --------------------------------------------------------------------------------------------- */

	PROVES(NET_SILENT, 0, "G H.3", OFFER(FACT_NET_OUTCOME, IS, "timeout"), OFFER(FACT_FIRST_BYTES, NONE, NULL)),
	PROVES(NET_RESET, 0, "G H.3", OFFER(FACT_NET_OUTCOME, IS, "reset")),
	SUGGESTS(NET_RESET, 0, OPEN(DOWN, IP), "G H.3", OFFER(FACT_NET_OUTCOME, IS, "closed")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_NET_SILENT), "G H.3", ANYWHERE(FACT_NET_OUTCOME, IS, UNDER_WAY)),
};

const struct rule_table rules_caldav = { caldav, COUNT(caldav) };
