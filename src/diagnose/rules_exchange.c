/* rules_exchange.c -- what Exchange's web services answer, before the sign-in, to it, and behind it (facts M C.4-C.6, E.1).
 *
 * A 401 names no reason: what is known of it is whether it came to the last leg, with which scheme, and by which name.
 * A code is in no language; texts are the server's and decide nothing. */
#include "diagnose/rule.h"

#define OFFER(fact, op, value) { "exchange.offer", fact, op, value }
#define LOGIN(fact, op, value) { "exchange.login", fact, op, value }
#define STATUS(codes)          OFFER(FACT_HTTP_STATUS, IS, codes)
#define PAGE(pages)            OFFER(FACT_PAGE, IS, pages)
#define TOO_OLD                { "exchange.version", FACT_EXCHANGE_ERA, IS, "too_old" }, { "exchange.version", FACT_EXCHANGE_PRODUCT, ANY, NULL }
#define THERE                  OFFER(FACT_URL_IS_EWS, IS, "yes")      /* that URL is the one of EWS                 */
#define A_URL                  OFFER(FACT_URL_IS_EWS, ANY, NULL)
#define ELSEWHERE              OFFER(FACT_URL_IS_EWS, IS, "no")
#define RIGHT_ONE_ANSWERS      OFFER(FACT_RIGHT_ANSWERS, IS, "yes")   /* and there EWS is                           */
#define WEBMAIL_IS_UP          { "probe.webmail", FACT_PROBE_RESULT, IS, "owa" }
#define REFUSED                LOGIN(FACT_HTTP_STATUS, IS, "401")
#define AFTER                  LOGIN(FACT_AUTH_CREDENTIALS, IS, "after")
#define CODE(codes)            { NULL, FACT_EWS_CODE, IS, codes }
#define CODE_IN(steps, codes)  { steps, FACT_EWS_CODE, IS, codes }
#define ASKED                  { "exchange.find", FACT_EXCHANGE_ASKED, IS, "yes" }
#define NOWHERE                { "resolve", FACT_HOST, NONE, NULL }
#define OTHERS                 LOGIN(FACT_OTHERS_MAILBOX, IS, "yes")
#define BY_TICKET              LOGIN(FACT_AUTH_BY, IS, "ticket")
#define NO_TICKET              LOGIN(FACT_PRINCIPAL, NONE, NULL)      /* who came with one has said no password */
#define BY_TOKEN               LOGIN(FACT_AUTH_BY, IS, "token")
#define ANYWHERE(fact, op, value) { "exchange.offer|exchange.challenge|exchange.login|exchange.inbox|exchange.mailbox|exchange.folders|exchange.calendar|exchange.calendar_event|exchange.send", fact, op, value }

#define WEBMAIL   CAUSE_EXCHANGE_URL_IS_WEBMAIL
#define NOT_EWS   CAUSE_EXCHANGE_URL_NOT_EWS
#define FRONT     CAUSE_EXCHANGE_SIGN_IN_PAGE_IN_FRONT
#define UNPUBLISHED CAUSE_EXCHANGE_NOT_PUBLISHED
#define IP        CAUSE_AUTH_IP_NOT_ALLOWED
#define NAME      CAUSE_AUTH_USERNAME_FORM
#define LOCKED    CAUSE_AUTH_ACCOUNT_LOCKED
#define BINDING   CAUSE_AUTH_CHANNEL_BINDING_REQUIRED
#define DOWN      CAUSE_SERVER_UNAVAILABLE
#define NO_BOX    CAUSE_MAILBOX_NOT_FOUND

/* Signed in, and there is no mailbox here (facts M C.4). */
#define NO_BOX_CODES "ErrorNonExistentMailbox|ErrorMissingEmailAddress"

static const struct rule exchange[] = {
	/* -- what was given as a URL ---------------------------------------------------------------------------------- */

	PROVES(EXCHANGE_URL_MALFORMED, 0, "M C.5.2", { "exchange.url", FACT_URL_PROBLEM, ANY, NULL }),
	PROVES(EXCHANGE_USE_MICROSOFT, 0, "M C.5.2, C.6", { "exchange.url", FACT_EXCHANGE_ONLINE, IS, "yes" }),

	/* -- what the search found -------------------------------------------------------------------------------------- */

	PROVES(EXCHANGE_USE_MICROSOFT, 0, "M D.3", { "exchange.find", FACT_EXCHANGE_PLACE, HAS, "autodiscover trusted, online" }, ASKED, NOWHERE),
	SUGGESTS(EXCHANGE_USE_MICROSOFT, 0, OPEN(CAUSE_EXCHANGE_NOT_FOUND), "M D.3, D.5", { "exchange.find", FACT_EXCHANGE_PLACE, HAS, "online" }, ASKED, NOWHERE),
	SUGGESTS(EXCHANGE_USE_MICROSOFT, 0, OPEN(CAUSE_EXCHANGE_NOT_FOUND), "M D.5", { "dns.mx", FACT_PROVIDER, IS, "microsoft" }, ASKED, NOWHERE),
	PROVES(EXCHANGE_USE_MICROSOFT, 0, "M D.1", { "exchange.autodiscover", FACT_EXCHANGE_ONLINE, IS, "yes" }, { "exchange.offer", FACT_URL_IS_EWS, NONE, NULL }),
	SUGGESTS(MAILBOX_NOT_FOUND, 0, OPEN(CAUSE_EXCHANGE_NOT_FOUND), "M D.1", { "exchange.autodiscover", FACT_EWS_CODE, IS, "500|501" }),
	SUGGESTS(EXCHANGE_SERVER_FAULT, 0, OPEN(CAUSE_EXCHANGE_NOT_FOUND), "M D.1", { "exchange.autodiscover", FACT_AUTODISCOVER, IS, "error" }),
	SUGGESTS(EXCHANGE_NOT_FOUND, 0, OPEN(CAUSE_EXCHANGE_SERVER_FAULT), "M D.1", { "exchange.autodiscover", FACT_AUTODISCOVER, IS, "nowhere" }),
	SUGGESTS(EXCHANGE_NOT_FOUND, 0, OPEN(UNPUBLISHED), "M D.1", { "exchange.autodiscover", FACT_AUTODISCOVER, IS, "settings" }, { "exchange.autodiscover", FACT_URL, NONE, NULL }),
	PROVES(EXCHANGE_NOT_FOUND, 0, "M D.1", { "exchange.find", FACT_LOOKED_AT, ANY, NULL }, { "exchange.find", FACT_EXCHANGE_PLACE, NONE, NULL }, ASKED, NOWHERE),

	/* -- who answers there ---------------------------------------------------------------------------------------- */

	PROVES(EXCHANGE_VERSION_TOO_OLD, 0, "M C.2", OFFER(FACT_EXCHANGE_ERA, IS, "too_old"), OFFER(FACT_EXCHANGE_PRODUCT, ANY, NULL)),
	SUGGESTS(EXCHANGE_ONLINE_EWS_RETIRED, 0, OPEN(CAUSE_EXCHANGE_EWS_OFF), "M C.6",
		{ NULL, FACT_EXCHANGE_ONLINE, IS, "yes" }, LOGIN(FACT_HTTP_STATUS, IS, "403"), BY_TOKEN),
	PROVES(EXCHANGE_USE_MICROSOFT, 0, "M C.6", OFFER(FACT_EXCHANGE_ONLINE, IS, "yes"), LOGIN(FACT_AUTH_MECHANISM, NONE, NULL)),

	PROVES(EXCHANGE_URL_IS_WEBMAIL, 0, "M E.1 1a", PAGE("owa"), ELSEWHERE),
	SUGGESTS(EXCHANGE_URL_IS_WEBMAIL, 0, OPEN(FRONT), "M E.1 1a", PAGE("forms|adfs|microsoft|gateway"), ELSEWHERE),
	SUGGESTS(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(NOT_EWS), "M C.5", PAGE("gateway"), OFFER(FACT_PAGE_MARK, HAS, "InternalSite"), THERE),
	PROVES(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, "M E.1 1a", PAGE("gateway|adfs"), THERE),
	SUGGESTS(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(CAUSE_EXCHANGE_USE_MICROSOFT), "M E.1 1a", PAGE("microsoft"), THERE),
	SUGGESTS(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(WEBMAIL, UNPUBLISHED), "M C.5", PAGE("owa|forms"), THERE),
	SUGGESTS(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(NOT_EWS), "M C.5", STATUS("440")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_EXCHANGE_SERVER_FAULT), "M C.5", { NULL, FACT_PAGE, IS, "ews_fault" }),
	SUGGESTS(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(CAUSE_EXCHANGE_SERVER_FAULT), "M C.5", { NULL, FACT_PAGE, IS, "gateway_fault" }),

	PROVES(AUTH_IP_NOT_ALLOWED, 0, "M E.1 4d", { NULL, FACT_IIS_STATUS, IS, "403.6|403.503" }),
	PROVES(TLS_HANDSHAKE_FAILED, 0, "M E.1 4d", { NULL, FACT_IIS_STATUS, IS, "403.7|403.13|403.16|403.17" }),
	SUGGESTS(EXCHANGE_NOT_PUBLISHED, 0, OPEN(IP), "M E.1 4d", STATUS("403"), THERE),
	PROVES(EXCHANGE_NOT_PUBLISHED, 0, "M E.1 4d", STATUS("404|410"), THERE, WEBMAIL_IS_UP),
	PROVES(EXCHANGE_URL_NOT_EWS, 0, "M E.1 1b", OFFER(FACT_HTTP_STATUS, ANY, NULL), ELSEWHERE, RIGHT_ONE_ANSWERS, OFFER(FACT_AUTH_OFFERED, NONE, NULL)),
	SUGGESTS(EXCHANGE_URL_NOT_EWS, 0, OPEN(UNPUBLISHED), "M E.1 1b", STATUS("400|404|405|410|411|415|501"), A_URL),
	SUGGESTS(EXCHANGE_URL_NOT_EWS, 0, OPEN(FRONT), "M E.1 1b", STATUS("200|201|202|204"), PAGE("html|none|service"), A_URL),
	SUGGESTS(EXCHANGE_URL_NOT_EWS, 0, OPEN(FRONT, UNPUBLISHED), "M E.1 1b", STATUS("301|302|303|307|308"), A_URL),
	SUGGESTS(EXCHANGE_URL_NOT_EWS, 0, OPEN(UNPUBLISHED, IP), "M E.1 1b", STATUS("403"), ELSEWHERE),

	/* -- the sign-in ---------------------------------------------------------------------------------------------- */

	SUGGESTS(AUTH_ACCOUNT_LOCKED, 0, OPEN(CAUSE_AUTH_PASSWORD_REJECTED), "M C.5", ANYWHERE(FACT_HTTP_STATUS, IS, "456")),
	PROVES(AUTH_NO_COMMON_SCHEME, 0, "M E.1 4g", LOGIN(FACT_AUTH_NO_COMMON, IS, "yes")),

	/* Kerberos: no evidence of any of it is in the facts, and 4a knows only of the clock; so what cannot be said exactly is not said */
	HINTS(OPERATOR_CLOCK_WRONG, 0, OPEN(0), "M E.1 4a", LOGIN(FACT_TICKET, IS, "clock")),
	HINTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME, LOCKED), "M E.1 4a", LOGIN(FACT_TICKET, IS, "key_refused")),
	HINTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME, LOCKED, CAUSE_AUTH_ACCOUNT_DISABLED), "M E.1 4a", LOGIN(FACT_TICKET, IS, "no_user")),
	HINTS(AUTH_CHANNEL_BINDING_REQUIRED, 0, OPEN(CAUSE_OPERATOR_CLOCK_WRONG, LOCKED, CAUSE_AUTH_ACCOUNT_DISABLED), "M E.1 4a, 4f", REFUSED, AFTER, BY_TICKET,
		{ NULL, FACT_EXCHANGE_BINDS, IS, "yes" }),
	SUGGESTS(AUTH_ACCOUNT_LOCKED, WHO_ADMIN, OPEN(CAUSE_AUTH_PASSWORD_REJECTED), "M C.5", REFUSED, AFTER,
		LOGIN(FACT_HTTP_EXCERPT, HAS, "currently locked out")),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(CAUSE_AUTH_NOT_AUTHORIZED), "M C.6", REFUSED, AFTER, BY_TOKEN),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME, BINDING, LOCKED, CAUSE_AUTH_ACCOUNT_DISABLED, CAUSE_AUTH_PASSWORD_EXPIRED), "M E.1 4a, 4f",
		REFUSED, AFTER, { NULL, FACT_EXCHANGE_BINDS, IS, "yes" }, LOGIN(FACT_AUTH_MECHANISM, IS, "NTLM")),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME, LOCKED, CAUSE_AUTH_ACCOUNT_DISABLED, CAUSE_AUTH_PASSWORD_EXPIRED, CAUSE_AUTH_APP_PASSWORD_REQUIRED), "M E.1 4a-4c",
		REFUSED, AFTER, NO_TICKET),

	PROVES(EXCHANGE_EWS_OFF, 0, "M C.5, E.1 4d", LOGIN(FACT_HTTP_STATUS, IS, "403"), AFTER, { "probe.agent", FACT_PROBE_RESULT, IS, "let in" }),
	SUGGESTS(EXCHANGE_EWS_OFF, 0, OPEN(IP), "M E.1 4d", LOGIN(FACT_HTTP_STATUS, IS, "403"), AFTER),

	/* -- too old -------------------------------------------------------------------------------------------------- */

	PROVES(EXCHANGE_MAILBOX_VERSION_TOO_OLD, 0, "M C.2", TOO_OLD,
		CODE_IN("exchange.version", "ErrorInvalidSchemaVersionForMailboxVersion")),
	PROVES(EXCHANGE_MAILBOX_VERSION_TOO_OLD, 0, "M C.2", TOO_OLD, OFFER(FACT_EXCHANGE_ERA, IS, "fine")),
	PROVES(EXCHANGE_VERSION_TOO_OLD, 0, "M C.2", TOO_OLD),
	SUGGESTS(EXCHANGE_MAILBOX_VERSION_TOO_OLD, 0, OPEN(CAUSE_EXCHANGE_WRONG_ENTRY_SERVER), "M C.4", CODE("ErrorInvalidSchemaVersionForMailboxVersion")),
	SUGGESTS(EXCHANGE_VERSION_TOO_OLD, 0, OPEN(CAUSE_EXCHANGE_SERVER_FAULT), "M C.2", CODE("ErrorInvalidServerVersion")),

	/* -- codes, wherever they come -------------------------------------------------------------------------------- */

	PROVES(THROTTLE_PROVIDER, 0, "M C.4", CODE("ErrorServerBusy|ErrorExceededConnectionCount|ErrorExceededSubscriptionCount|ErrorExceededFindCountLimit|ErrorTooManyObjectsOpened")),
	PROVES(SERVER_UNAVAILABLE, 0, "M C.4", CODE("ErrorMailboxStoreUnavailable|ErrorConnectionFailed|ErrorConnectionFailedTransientError|ErrorMailboxFailover|ErrorTimeoutExpired|ErrorInternalServerTransientError|ErrorADUnavailable|ErrorInsufficientResources")),
	PROVES(MAILBOX_MOVING, 0, "M C.4", CODE("ErrorMailboxMoveInProgress")),
	PROVES(MAILBOX_NO_LICENCE, 0, "M C.4", CODE("ErrorInvalidLicense")),
	PROVES(AUTH_PASSWORD_EXPIRED, 0, "M C.4", CODE("ErrorPasswordExpired|ErrorPasswordChangeRequired")),
	PROVES(AUTH_ACCOUNT_DISABLED, WHO_ADMIN, "M C.4", CODE("ErrorAccountDisabled")),
	PROVES(EXCHANGE_IMPERSONATION_DENIED, 0, "M C.4", CODE("ErrorImpersonateUserDenied|ErrorImpersonationDenied")),
	SUGGESTS(EXCHANGE_IMPERSONATION_DENIED, 0, OPEN(NO_BOX), "M C.4", CODE("ErrorImpersonationFailed|ErrorInvalidExchangeImpersonationHeaderData|ErrorInvalidUserPrincipalName|ErrorInvalidUserSid")),
	PROVES(EXCHANGE_WRONG_ENTRY_SERVER, 0, "M C.4", CODE("ErrorNoRespondingCASInDestinationSite|ErrorNoDestinationCASDueToVersionMismatch|ErrorNoDestinationCASDueToKerberosRequirements|ErrorNoDestinationCASDueToSSLRequirements|ErrorCrossSiteRequest|ErrorProxyRequestNotAllowed|ErrorWrongServerVersion|ErrorWrongServerVersionDelegate")),
	SUGGESTS(AUTH_NOT_AUTHORIZED, 0, OPEN(CAUSE_MAILBOX_NO_SMTP_ADDRESS), "M C.4", CODE("ErrorCallerIsInvalidADAccount|ErrorInvalidAuthorizationContext")),
	SUGGESTS(AUTH_LOGIN_DISABLED, 0, OPEN(CAUSE_EXCHANGE_EWS_OFF), "M C.4", CODE("ErrorOrganizationAccessBlocked")),

	/* the mailbox */
	SUGGESTS(EXCHANGE_USE_MICROSOFT, 0, OPEN(CAUSE_MICROSOFT_MAILBOX_NOT_FOUND), "M C.4, E.1 3a", CODE("ErrorNonExistentMailbox"), { NULL, FACT_EWS_GUID, IS, "yes" }),
	/* the words alone are English, and a hint (facts M C.4) */
	SUGGESTS(EXCHANGE_USE_MICROSOFT, 0, OPEN(NO_BOX), "M C.4, E.1 3a", CODE("ErrorNonExistentMailbox"), { NULL, FACT_EWS_TEXT, HAS, "No mailbox with such guid" }),
	/* who has moved it away tells Autodiscover, and who takes the mail is a hint beside Microsoft's own word */
	SUGGESTS(EXCHANGE_USE_MICROSOFT, 0, OPEN(NO_BOX), "M C.4, D.3", CODE(NO_BOX_CODES), { "exchange.find", FACT_EXCHANGE_PLACE, HAS, "trusted, online" }),
	SUGGESTS(EXCHANGE_USE_MICROSOFT, 0, OPEN(NO_BOX), "M C.4, D.5", CODE(NO_BOX_CODES), { "exchange.find", FACT_EXCHANGE_PLACE, HAS, "online" }, { "dns.mx", FACT_PROVIDER, IS, "microsoft" }),
	PROVES(MAILBOX_NOT_FOUND, 0, "M C.4", CODE("ErrorNonExistentMailbox")),
	PROVES(MAILBOX_ALIAS_NOT_PRIMARY, 0, "M C.4", CODE("ErrorNonPrimarySmtpAddress")),
	SUGGESTS(MAILBOX_NO_SMTP_ADDRESS, 0, OPEN(NO_BOX), "M C.4, E.1 3a", CODE("ErrorMissingEmailAddress")),
	SUGGESTS(MAILBOX_NO_SMTP_ADDRESS, 0, OPEN(NO_BOX), "M C.4, E.1 3a", CODE("ErrorMailboxConfiguration")),
	SUGGESTS(MAILBOX_NO_SMTP_ADDRESS, 0, OPEN(NO_BOX), "M C.4", { NULL, FACT_EWS_TEXT, HAS, "does not have SMTP address associated" }),
	PROVES(CALENDAR_NOT_PERMITTED, 0, "M C.4", CODE_IN("exchange.calendar", "ErrorAccessDenied")),
	PROVES(CALENDAR_NOT_PERMITTED, 0, "M C.4", CODE_IN("exchange.calendar_event", "ErrorAccessDenied|ErrorCreateItemAccessDenied")),
	PROVES(CALENDAR_TIME_ZONE_UNKNOWN, 0, "messages.xsd", CODE_IN("exchange.calendar_event", "ErrorTimeZone|ErrorCalendarInvalidTimeZone")),
	/* it is there, and was opened: who may do nothing in it is told that it is not */
	SUGGESTS(CALENDAR_NOT_PERMITTED, 0, OPEN(CAUSE_CALENDAR_NONE), "M C.4", CODE_IN("exchange.calendar_event", "ErrorFolderNotFound|ErrorItemNotFound")),
	SUGGESTS(CALENDAR_NONE, 0, OPEN(CAUSE_CALENDAR_NOT_PERMITTED), "M C.4", CODE_IN("exchange.calendar", "ErrorFolderNotFound|ErrorItemNotFound")),
	PROVES(MAILBOX_NOT_PERMITTED, 0, "M C.4", CODE_IN("exchange.inbox|exchange.mailbox|exchange.folders", "ErrorAccessDenied"), OTHERS),
	SUGGESTS(MAILBOX_NOT_PERMITTED, 0, OPEN(NO_BOX), "M C.4", CODE_IN("exchange.inbox|exchange.mailbox|exchange.folders", "ErrorFolderNotFound|ErrorItemNotFound"), OTHERS),
	SUGGESTS(MAILBOX_NOT_PERMITTED, 0, OPEN(NO_BOX, CAUSE_MAILBOX_ALIAS_NOT_PRIMARY), "M C.4", CODE_IN("exchange.mailbox", "ErrorFolderNotFound|ErrorItemNotFound|ErrorAccessDenied")),
	SUGGESTS(EXCHANGE_EWS_OFF, 0, OPEN(CAUSE_MAILBOX_NOT_PERMITTED), "M E.1 4d", CODE_IN("exchange.inbox|exchange.folders", "ErrorAccessDenied")),
	SUGGESTS(MAILBOX_NOT_FOUND, 0, OPEN(CAUSE_MAILBOX_NOT_PERMITTED), "M C.4", CODE_IN("exchange.inbox|exchange.folders", "ErrorFolderNotFound|ErrorItemNotFound")),

	/* the message */
	PROVES(SEND_AS_DENIED, 0, "M E.1 5", CODE("ErrorSendAsDenied")),
	PROVES(SEND_RECIPIENT_REJECTED, 0, "M C.4", CODE("ErrorInvalidRecipients")),
	PROVES(SEND_TOO_LARGE, 0, "M C.4", CODE("ErrorMessageSizeExceeded")),
	PROVES(SEND_QUOTA_EXCEEDED, 0, "M C.4", CODE("ErrorSubmissionQuotaExceeded|ErrorExceededMessageLimit|ErrorExceededMaxRecipientLimit")),
	PROVES(SEND_BLOCKED, 0, "M C.4", CODE("ErrorMessageSubmissionBlocked|ErrorMessageBlocked|ErrorAccountSuspend")),
	PROVES(MAILBOX_FULL, 0, "M C.4", CODE("ErrorQuotaExceeded")),
	SUGGESTS(SEND_AS_DENIED, 0, OPEN(CAUSE_MAILBOX_NOT_PERMITTED), "M E.1 5", CODE_IN("exchange.send", "ErrorAccessDenied")),

	/* -- pasted: nobody knows what was asked ------------------------------------------------------------------------ */

	HINTS(MAILBOX_NOT_PERMITTED, 0, OPEN(CAUSE_EXCHANGE_EWS_OFF, CAUSE_CALENDAR_NOT_PERMITTED), "M C.4", CODE_IN("ews.pasted", "ErrorAccessDenied")),
	HINTS(MAILBOX_NOT_PERMITTED, 0, OPEN(NO_BOX, CAUSE_CALENDAR_NONE), "M C.4", CODE_IN("ews.pasted", "ErrorFolderNotFound")),

	/* -- the server ----------------------------------------------------------------------------------------------- */

	PROVES(EXCHANGE_SERVER_FAULT, 0, "M C.4", CODE("ErrorInternalServerError")),
	PROVES(EXCHANGE_SERVER_FAULT, 0, "M C.5", ANYWHERE(FACT_CAS_ERROR, ANY, NULL)),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(DOWN), "M C.5", ANYWHERE(FACT_HTTP_STATUS, IS, "429")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_THROTTLE_PROVIDER, CAUSE_EXCHANGE_SERVER_FAULT), "M C.5", ANYWHERE(FACT_HTTP_STATUS, IS, "503")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_EXCHANGE_SERVER_FAULT), "M C.5", ANYWHERE(FACT_HTTP_STATUS, IS, "502|504")),
	PROVES(EXCHANGE_SERVER_FAULT, 0, "M C.5", ANYWHERE(FACT_HTTP_STATUS, IS, "500"), ANYWHERE(FACT_EWS_CODE, NONE, NULL)),
	SUGGESTS(EXCHANGE_SIGN_IN_PAGE_IN_FRONT, 0, OPEN(NOT_EWS), "M C.5", LOGIN(FACT_PAGE, IS, "owa|gateway|adfs|forms|microsoft")),
	SUGGESTS(EXCHANGE_URL_NOT_EWS, 0, OPEN(FRONT), "M E.1 1b", LOGIN(FACT_HTTP_STATUS, IS, "301|302|303|307|308")),

	/* -- no HTTP, or none of ours ---------------------------------------------------------------------------------- */

	PROVES(SERVER_WRONG_PROTOCOL, 0, "G H.4", ANYWHERE(FACT_PROTOCOL, ANY, NULL)),
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 9112", ANYWHERE(FACT_REPLY_BROKEN, ANY, NULL)),
	PROVES(NET_SILENT, 0, "G H.3", OFFER(FACT_NET_OUTCOME, IS, "timeout"), OFFER(FACT_FIRST_BYTES, NONE, NULL)),
	PROVES(NET_RESET, 0, "G H.3", OFFER(FACT_NET_OUTCOME, IS, "reset")),
	SUGGESTS(NET_RESET, 0, OPEN(DOWN, IP), "G H.3", OFFER(FACT_NET_OUTCOME, IS, "closed")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_NET_SILENT), "G H.3", ANYWHERE(FACT_NET_OUTCOME, IS, "timeout|closed|reset")),
};

const struct rule_table rules_exchange = { exchange, COUNT(exchange) };
