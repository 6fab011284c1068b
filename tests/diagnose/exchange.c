/* What is concluded from Exchange's answers: every row of the rules by evidence that nothing else explains, and look-alikes beside each other. */
#include "cases.h"

static const struct least exchange = {
	.rules = &rules_exchange, .provider = "exchange", .usual = "exchange.inbox", .pasted = { { "ews.pasted", "explain.ews" } },
	.early = { "exchange.url", "exchange.find", "dns.mx" },
};

TEST(every_row_is_reached_by_the_least_that_it_asks_for)
{
	expect_every_row_reached(&exchange);
}

#define REACHED         OK("exchange.resolve", FACT_HOST, "mail.birch.example", FACT_PORT, "443", FACT_DNS_OUTCOME, "found"), \
	OK("exchange.connect", FACT_NET_OUTCOME, "ok"), OK("exchange.tls", FACT_TLS_VERIFY, "ok")
#define OFFERED         REACHED, OK("exchange.offer", FACT_URL_IS_EWS, "yes", FACT_HTTP_STATUS, "401", FACT_AUTH_OFFERED, "Negotiate NTLM", FACT_EXCHANGE_ERA, "fine")
#define LOGGED_IN       OFFERED, OK("exchange.challenge", FACT_NTLM_DOMAIN, "BIRCH"), OK("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_AUTH_BY, "password")
#define AT_OFFER(...)   REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "yes", __VA_ARGS__)
#define ELSEWHERE(...)  REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "no", __VA_ARGS__)
#define AT_LOGIN(...)   OFFERED, NOT("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_AUTH_BY, "password", __VA_ARGS__)
#define BY_TICKET(...)  OFFERED, NOT("exchange.login", FACT_AUTH_MECHANISM, "Kerberos", FACT_AUTH_BY, "ticket", __VA_ARGS__)
#define AT_INBOX(...)   LOGGED_IN, OK("exchange.version", FACT_EXCHANGE_ERA, "fine"), NOT("exchange.inbox", FACT_EWS_OPERATION, "GetFolder", __VA_ARGS__)
#define IN              LOGGED_IN, OK("exchange.version", FACT_EXCHANGE_ERA, "fine"), OK("exchange.inbox", NULL)
#define PAGE(is)        FACT_PAGE, is
#define STATUS(code)    FACT_HTTP_STATUS, code
#define CODE(code)      FACT_EWS_CODE, code

static const struct look_alike pairs[] = {
	/* 1a, 1b */
	{ "web mail's page where web mail was asked", { ELSEWHERE(STATUS("302"), PAGE("owa")) }, VERDICT_FAILED, "exchange.url_is_webmail", PROVEN, "" },
	{ "web mail's page where EWS was asked", { AT_OFFER(STATUS("302"), PAGE("owa")) }, VERDICT_FAILED, "exchange.sign_in_page_in_front", LIKELY, "exchange.url_is_webmail exchange.not_published" },
	{ "a gateway's page in front of EWS", { AT_OFFER(STATUS("200"), PAGE("gateway")) }, VERDICT_FAILED, "exchange.sign_in_page_in_front", PROVEN, "" },
	{ "a gateway's page where web mail was asked", { ELSEWHERE(STATUS("200"), PAGE("gateway")) }, VERDICT_FAILED, "exchange.url_is_webmail", LIKELY, "exchange.sign_in_page_in_front" },
	{ "Exchange's own passing fault looks like a redirect", { AT_OFFER(STATUS("302"), PAGE("ews_fault")) }, VERDICT_FAILED, "server.unavailable", LIKELY, "exchange.server_fault" },
	{ "a redirect to nothing known", { AT_OFFER(STATUS("302"), PAGE("none")) }, VERDICT_FAILED, "exchange.url_not_ews", LIKELY, "exchange.sign_in_page_in_front exchange.not_published" },
	{ "404, and the web mail is there", { AT_OFFER(STATUS("404")), OK("probe.webmail", FACT_PROBE_RESULT, "owa") }, VERDICT_FAILED, "exchange.not_published", PROVEN, "" },
	{ "404, and the web mail is not", { AT_OFFER(STATUS("404")), OK("probe.webmail", FACT_PROBE_RESULT, "none") }, VERDICT_FAILED, "exchange.url_not_ews", LIKELY, "exchange.not_published" },
	/* 2 */
	{ "too old", { LOGGED_IN, NOT("exchange.version", FACT_EXCHANGE_ERA, "too_old", FACT_EXCHANGE_PRODUCT, "Exchange Server 2007 SP1 (8.1.436.0)") }, VERDICT_FAILED, "exchange.mailbox_version_too_old", PROVEN, "" },
	{ "a schema of ours that it does not take is not its age", { AT_INBOX(CODE("ErrorSchemaValidation"), FACT_EWS_TEXT, "x") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "an old mailbox server behind a new one", { LOGGED_IN, NOT("exchange.version", CODE("ErrorInvalidSchemaVersionForMailboxVersion")) }, VERDICT_FAILED, "exchange.mailbox_version_too_old", LIKELY, "exchange.wrong_entry_server" },
	{ "another site's mailbox is no old one", { AT_INBOX(CODE("ErrorWrongServerVersion")) }, VERDICT_FAILED, "exchange.wrong_entry_server", PROVEN, "" },
	/* 3a */
	{ "the account has no mailbox", { AT_INBOX(CODE("ErrorMissingEmailAddress")) }, VERDICT_FAILED, "mailbox.no_smtp_address", LIKELY, "mailbox.not_found" },
	{ "there is no such mailbox", { AT_INBOX(CODE("ErrorNonExistentMailbox")) }, VERDICT_FAILED, "mailbox.not_found", PROVEN, "" },
	{ "it is in the cloud", { AT_INBOX(CODE("ErrorNonExistentMailbox"), FACT_EWS_GUID, "yes") }, VERDICT_FAILED, "exchange.use_microsoft", LIKELY, "microsoft.mailbox_not_found" },
	{ "it is in the cloud, as words say", { AT_INBOX(CODE("ErrorNonExistentMailbox"), FACT_EWS_TEXT, "No mailbox with such guid.") }, VERDICT_FAILED, "exchange.use_microsoft", LIKELY, "mailbox.not_found" },
	{ "it is being moved", { AT_INBOX(CODE("ErrorMailboxMoveInProgress")) }, VERDICT_FAILED, "mailbox.moving", PROVEN, "" },
	{ "its store is not there just now", { AT_INBOX(CODE("ErrorMailboxStoreUnavailable")) }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	{ "a passing fault", { AT_INBOX(CODE("ErrorInternalServerTransientError")) }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	{ "a lasting one", { AT_INBOX(CODE("ErrorInternalServerError")) }, VERDICT_FAILED, "exchange.server_fault", PROVEN, "" },
	/* 4a to 4g */
	{ "401 to the last leg", { AT_LOGIN(STATUS("401"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "auth.password_rejected", LIKELY, "auth.username_form auth.account_locked auth.password_expired auth.account_disabled" },
	{ "401 on the way to it says nothing", { AT_LOGIN(STATUS("401"), FACT_AUTH_CREDENTIALS, "before") }, VERDICT_FAILED, "unknown.answer", PROVEN, "auth.password_rejected" },
	{ "401 from a build that may bind", { OFFERED, NOT("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_AUTH_BY, "password", STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_EXCHANGE_BINDS, "yes") },
	  VERDICT_FAILED, "auth.password_rejected", LIKELY, "auth.channel_binding_required auth.username_form" },
	{ "a ticket that was refused is no wrong password", { BY_TICKET(STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_PRINCIPAL, "ann@BIRCH.EXAMPLE") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "from a build that may bind", { BY_TICKET(STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_PRINCIPAL, "ann@BIRCH.EXAMPLE", FACT_EXCHANGE_BINDS, "yes") },
	  VERDICT_FAILED, "auth.channel_binding_required", POSSIBLE, "operator.clock_wrong auth.account_locked auth.account_disabled" },
	{ "for the time", { BY_TICKET(STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_PRINCIPAL, "ann@BIRCH.EXAMPLE", FACT_TICKET, "clock") }, VERDICT_FAILED, "operator.clock_wrong", POSSIBLE, "" },
	{ "no ticket", { BY_TICKET(FACT_TICKET, "none") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "one at its end", { BY_TICKET(FACT_TICKET, "expired") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "a key that is not taken", { BY_TICKET(FACT_TICKET, "key_refused") }, VERDICT_FAILED, "auth.password_rejected", POSSIBLE, "auth.username_form auth.account_locked" },
	{ "a user that nobody knows", { BY_TICKET(FACT_TICKET, "no_user") }, VERDICT_FAILED, "auth.password_rejected", POSSIBLE, "auth.username_form auth.account_disabled" },
	{ "a KDC that is silent is nothing that is known", { BY_TICKET(FACT_TICKET, "kdc_silent") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "nor a service without a name there", { BY_TICKET(FACT_TICKET, "no_service") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "nor a server that has not proven itself", { BY_TICKET(FACT_TICKET, "unproven") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "nothing in common is no refusal", { OFFERED, NOT("exchange.login", FACT_AUTH_NO_COMMON, "yes") }, VERDICT_FAILED, "auth.no_common_scheme", PROVEN, "" },
	{ "403 behind the sign-in", { AT_LOGIN(STATUS("403"), FACT_AUTH_CREDENTIALS, "after"), OK("probe.agent", FACT_PROBE_RESULT, "the same") }, VERDICT_FAILED, "exchange.ews_off", LIKELY, "auth.ip_not_allowed" },
	{ "403 that Outlook does not get", { AT_LOGIN(STATUS("403"), FACT_AUTH_CREDENTIALS, "after"), OK("probe.agent", FACT_PROBE_RESULT, "let in") }, VERDICT_FAILED, "exchange.ews_off", PROVEN, "" },
	{ "403 to anybody", { AT_OFFER(STATUS("403"), PAGE("none")) }, VERDICT_FAILED, "exchange.not_published", LIKELY, "auth.ip_not_allowed" },
	{ "403.6 to anybody", { AT_OFFER(STATUS("403"), FACT_IIS_STATUS, "403.6") }, VERDICT_FAILED, "auth.ip_not_allowed", PROVEN, "" },
	{ "no right on one's own inbox", { AT_INBOX(CODE("ErrorAccessDenied")) }, VERDICT_FAILED, "exchange.ews_off", LIKELY, "mailbox.not_permitted" },
	{ "no right on another's", { OFFERED, OK("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_OTHERS_MAILBOX, "yes"), NOT("exchange.inbox", CODE("ErrorAccessDenied")) }, VERDICT_FAILED, "mailbox.not_permitted", PROVEN, "" },
	/* 5 */
	{ "no right to send as that", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorSendAsDenied")) }, VERDICT_PARTIAL, "send.as_denied", PROVEN, "" },
	{ "no right on something while sending", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorAccessDenied")) }, VERDICT_PARTIAL, "send.as_denied", LIKELY, "mailbox.not_permitted" },
	{ "no right to send as that, as a report says later", { IN, OK("exchange.calendar", NULL), OK("exchange.send", NULL), NOT("send.arrive", FACT_SEND_FOUND, "no"),
	  NOT("send.bounce", FACT_SEND_BOUNCED, "yes", FACT_REPLY_CODE, "550", FACT_REPLY_ENHANCED, "5.7.60") }, VERDICT_PARTIAL, "send.as_denied", PROVEN, "" },
	{ "a report that names no reason", { IN, OK("exchange.calendar", NULL), OK("exchange.send", NULL), NOT("send.arrive", FACT_SEND_FOUND, "no"),
	  NOT("send.bounce", FACT_SEND_BOUNCED, "yes", FACT_REPLY_TEXT, "Undeliverable") }, VERDICT_PARTIAL, "send.not_received", LIKELY, "send.delayed" },
	{ "too much sent", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorSubmissionQuotaExceeded")) }, VERDICT_PARTIAL, "send.quota_exceeded", PROVEN, "" },
	{ "the mailbox is full", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorQuotaExceeded")) }, VERDICT_PARTIAL, "mailbox.full", PROVEN, "" },
	{ "the calendar is there, and may not be written to", { IN, OK("exchange.calendar", NULL), NOT("exchange.calendar_event", CODE("ErrorAccessDenied")) }, VERDICT_PARTIAL, "calendar.not_permitted", PROVEN, "" },
	{ "it opens, and whoever writes is told that it is not there", { IN, OK("exchange.calendar", NULL), NOT("exchange.calendar_event", CODE("ErrorItemNotFound")) }, VERDICT_PARTIAL, "calendar.not_permitted", LIKELY, "calendar.none" },
	{ "it knows no such zone", { IN, OK("exchange.calendar", NULL), NOT("exchange.calendar_event", CODE("ErrorTimeZone")) }, VERDICT_PARTIAL, "calendar.time_zone_unknown", PROVEN, "" },
	{ "the event begins when it was not meant to", { IN, OK("exchange.calendar", NULL), NOT("exchange.calendar_event", FACT_EVENT_LISTED, "yes", FACT_EVENT_SHIFT, "3600") }, VERDICT_PARTIAL, "calendar.time_zone_unknown", LIKELY, "server.answer_unreadable" },
	{ "the mailbox is too full for it", { IN, OK("exchange.calendar", NULL), NOT("exchange.calendar_event", CODE("ErrorQuotaExceeded")) }, VERDICT_PARTIAL, "mailbox.full", PROVEN, "" },
	{ "the calendar alone is closed", { IN, NOT("exchange.calendar", CODE("ErrorAccessDenied")) }, VERDICT_PARTIAL, "calendar.not_permitted", PROVEN, "" },
	/* C.5 */
	{ "throttled by a code", { AT_INBOX(CODE("ErrorServerBusy")) }, VERDICT_FAILED, "throttle.provider", PROVEN, "" },
	{ "503 may be either", { AT_LOGIN(STATUS("503"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "server.unavailable", LIKELY, "throttle.provider exchange.server_fault" },
	{ "a front end that finds no back end", { AT_LOGIN(STATUS("500"), FACT_CAS_ERROR, "UserNotFound", FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "exchange.server_fault", PROVEN, "" },
	{ "silence", { REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "yes", FACT_NET_OUTCOME, "timeout") }, VERDICT_FAILED, "net.silent", PROVEN, "" },
	{ "Exchange Online by its offer", { REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "yes", STATUS("401"), FACT_EXCHANGE_ONLINE, "yes") }, VERDICT_FAILED, "exchange.use_microsoft", PROVEN, "" },
	{ "Exchange Online with a token that is good for nothing there", { REACHED, OK("exchange.offer", FACT_URL_IS_EWS, "yes", STATUS("401"), FACT_EXCHANGE_ONLINE, "yes"),
	  NOT("exchange.login", FACT_AUTH_MECHANISM, "Bearer", FACT_AUTH_BY, "token", STATUS("403"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "exchange.online_ews_retired", LIKELY, "exchange.ews_off" },
	{ "nothing that is known", { AT_LOGIN(STATUS("418"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "unknown.answer", PROVEN, "auth.password_rejected" },
};

TEST(look_alikes)
{
	expect_look_alikes(&exchange, pairs, COUNT(pairs));
}
