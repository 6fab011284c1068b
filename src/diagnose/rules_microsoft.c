/* rules_microsoft.c -- what Microsoft Entra and Graph answer (facts M A.6-A.8, B.6-B.9, E.2, E.3).
 *
 * The number behind AADSTS picks the cause where one came; the same `error` carries many of them. Of several numbers in one answer
 * the narrower decides, so old ones that stand beside others come last. Graph's codes are in no language, its texts are read only
 * where one code has several meanings. Where the mailbox is instead is proven by who answers there, never by the code alone. */
#include "diagnose/rule.h"

#define NUMBER(numbers)        { NULL, FACT_AADSTS, IS, numbers }
#define NO_NUMBER              { NULL, FACT_AADSTS, NONE, NULL }
#define ERROR(errors)          { NULL, FACT_OAUTH_ERROR, IS, errors }
#define CODE(codes)            { NULL, FACT_GRAPH_CODE, IS, codes }
#define CODE_IN(steps, codes)  { steps, FACT_GRAPH_CODE, IS, codes }
#define GRAPH_TEXT(op, words)  { NULL, FACT_GRAPH_TEXT, op, words }
#define ANYWHERE(fact, op, value) { "entra.device|entra.token|entra.identity|microsoft.account|microsoft.inbox|microsoft.folders|microsoft.calendar|microsoft.calendar_event|microsoft.send|microsoft.watch", fact, op, value }
#define ID_TOKEN(flaws)        { "entra.identity", FACT_ID_TOKEN, IS, flaws }
#define OUR_CLOCK(op, word)    { "entra.identity", FACT_CLOCK, op, word }
#define PLAN(plans)            { "microsoft.account", FACT_ACCOUNT_PLAN, IS, plans }
#define SYNCED                 { "microsoft.account", FACT_ACCOUNT_SYNCED, IS, "yes" }
#define KIND(kind)             { "microsoft.account", FACT_ACCOUNT_KIND, IS, kind }
#define AT_MICROSOFT           { "dns.mx", FACT_PROVIDER, IS, "microsoft" }
#define AT_OTHERS              { "dns.mx", FACT_DNS_MX, ANY, NULL }, { "dns.mx", FACT_PROVIDER, NEVER_IS, "microsoft" }
#define OWN_SERVER             { "exchange.find", FACT_EXCHANGE_PLACE, STARTS, "ews" }
#define OF_ITS_OWN             { "exchange.find", FACT_EXCHANGE_PLACE, NEVER_HAS, "online" }

/* No mailbox that Graph could reach: nobody has one of that name there, or it is elsewhere (facts M B.7, B.9). */
#define NO_BOX_CODES    "MailboxNotEnabledForRESTAPI|MailboxNotSupportedForRESTAPI|RESTAPINotEnabledForComponentSharedMailbox|MailboxNotHostedInExchangeOnline|ResourceNotFound|ErrorNonExistentMailbox|ErrorInvalidUser"
#define NO_BOX          CODE_IN("microsoft.inbox", NO_BOX_CODES)
#define ELSEWHERE_CODES "RESTAPINotEnabledForComponentSharedMailbox|MailboxNotHostedInExchangeOnline|MailboxNotSupportedForRESTAPI"
/* What an Exchange server of one's own says to a question that Graph handed on to it. */
#define HANDED_ON       "REST APIs for this mailbox are currently in preview"
#define EMPTY_401       { "microsoft.inbox", FACT_HTTP_STATUS, IS, "401" }, CODE_IN("microsoft.inbox", "UnknownError")

/* The person signed in, or should have, on another screen. */
#define AS_ITSELF       { "entra.grant", FACT_AUTH_BY, IS, "tenant" }
#define OTHERS          { "microsoft.account", FACT_ACCOUNT_OTHERS, IS, "yes" }
#define AS_DEVICE       { "entra.grant", FACT_AUTH_BY, IS, "device" }

#define NOT_ASSIGNED CAUSE_MICROSOFT_USER_NOT_ASSIGNED
#define APPROVAL     CAUSE_MICROSOFT_ADMIN_APPROVAL_REQUIRED
#define PENDING      CAUSE_MICROSOFT_ADMIN_APPROVAL_PENDING
#define CONSENT      CAUSE_MICROSOFT_CONSENT_MISSING
#define DECLINED     CAUSE_MICROSOFT_CONSENT_DECLINED
#define MFA          CAUSE_MICROSOFT_MFA_REQUIRED
#define POLICY       CAUSE_MICROSOFT_CONDITIONAL_ACCESS
#define AGAIN        CAUSE_MICROSOFT_SIGN_IN_AGAIN
#define NOT_ALLOWED  CAUSE_MICROSOFT_APP_NOT_ALLOWED
#define MISREGISTERED CAUSE_MICROSOFT_APP_MISREGISTERED
#define NOT_THERE    CAUSE_MICROSOFT_MAILBOX_NOT_FOUND
#define ON_PREMISES  CAUSE_MICROSOFT_MAILBOX_ON_PREMISES
#define MIGRATING    CAUSE_MICROSOFT_MAILBOX_MIGRATING
#define NOT_ENABLED  CAUSE_MICROSOFT_REST_NOT_ENABLED
#define NO_LICENCE   CAUSE_MAILBOX_NO_LICENCE
#define OTHER_TENANT CAUSE_MICROSOFT_ACCOUNT_NOT_IN_TENANT
#define NO_TENANT    CAUSE_MICROSOFT_TENANT_NOT_FOUND
#define IP           CAUSE_AUTH_IP_NOT_ALLOWED

static const struct rule microsoft[] = {
	/* -- the administrator's approval ----------------------------------------------------------------------------- */

	PROVES(MICROSOFT_ADMIN_CONSENT_RECORDED, 0, "M A.7, E.2 12b", { NULL, FACT_ADMIN_CONSENT, IS, "recorded" }),
	PROVES(MICROSOFT_ADMIN_APPROVAL_REQUIRED, 0, "M A.8, E.2 12a", NUMBER("90094|90093")),
	PROVES(MICROSOFT_ADMIN_APPROVAL_PENDING, 0, "M A.8, E.2 12a", NUMBER("90095")),

	SUGGESTS(MICROSOFT_ADMIN_APPROVAL_REQUIRED, 0, OPEN(PENDING), "M A.8, E.3", { NULL, FACT_ENTRA_PAGE, IS, "admin_approval" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_ADMIN_APPROVAL_PENDING, 0, OPEN(APPROVAL), "M A.8, E.3", { NULL, FACT_ENTRA_PAGE, IS, "approval_request" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_SIGN_IN_NOT_RETURNED, 0, OPEN(APPROVAL, NOT_ASSIGNED, POLICY, MISREGISTERED), "M A.2, E.3", { "entra.page", FACT_SIGNIN_AWAY, ANY, NULL }),

	/* -- the user, the organisation, its policies --------------------------------------------------------------------- */

	PROVES(MICROSOFT_USER_NOT_ASSIGNED, 0, "M A.8, E.2 11", NUMBER("50105")),
	PROVES(MICROSOFT_CONSENT_DECLINED, 0, "M A.8, E.2 12a", NUMBER("65004")),
	PROVES(MICROSOFT_CONSENT_MISSING, 0, "M A.8", NUMBER("65001")),
	SUGGESTS(MICROSOFT_ADMIN_APPROVAL_REQUIRED, 0, OPEN(MISREGISTERED), "M A.8", NUMBER("7000229")),
	PROVES(MICROSOFT_MFA_REQUIRED, 0, "M A.8", NUMBER("50072|50074|50076|50078|50079")),
	PROVES(MICROSOFT_CONDITIONAL_ACCESS, 0, "M A.8", NUMBER("53000|53001|53002|53003|53004|53010|530003")),
	SUGGESTS(MICROSOFT_CONDITIONAL_ACCESS, 0, OPEN(NOT_ALLOWED), "M A.8", NUMBER("530032|530034|530035|50097|50129|50155|50187|50131|50158|500021|500022|500212|500213")),
	SUGGESTS(MICROSOFT_TENANT_NOT_FOUND, 0, OPEN(OTHER_TENANT), "M A.1, E.3", { "entra.tenant", FACT_AADSTS, IS, "90002" }),
	PROVES(MICROSOFT_TENANT_NOT_FOUND, 0, "M A.8", NUMBER("90002")),
	PROVES(MICROSOFT_ACCOUNT_NOT_IN_TENANT, 0, "M A.8", NUMBER("50020|16000|90072|500208")),
	SUGGESTS(MICROSOFT_ACCOUNT_NOT_IN_TENANT, 0, OPEN(NO_TENANT), "M A.8", NUMBER("50014|50034|51004|16001|16002")),
	SUGGESTS(AUTH_ACCOUNT_LOCKED, 0, OPEN(IP, CAUSE_AUTH_TOO_MANY_ATTEMPTS), "M A.8", NUMBER("50053")),
	PROVES(AUTH_PASSWORD_EXPIRED, 0, "M A.8", NUMBER("50055|50144")),
	PROVES(AUTH_ACCOUNT_DISABLED, WHO_ADMIN, "M A.8", NUMBER("50057")),
	PROVES(AUTH_PASSWORD_REJECTED, 0, "M A.8", NUMBER("50126")),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(CAUSE_AUTH_ACCOUNT_DISABLED), "M A.8", NUMBER("50056")),

	/* -- the grant ------------------------------------------------------------------------------------------------- */

	PROVES(MICROSOFT_SIGN_IN_AGAIN, 0, "M A.4, A.8", NUMBER("50173|70008|700082|70043|50132|50133|50085|50089|50135")),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(MISREGISTERED), "M A.8", NUMBER("70000|700020|50058|50140|50199|700084|54005")),

	PROVES(MICROSOFT_APP_MISREGISTERED, 0, "M A.7", { "entra.token", FACT_APP, IS, "none" }),

	/* -- a code that was to be entered on another screen ---------------------------------------------------------------- */

	PROVES(MICROSOFT_CONSENT_DECLINED, 0, "M A.5", ERROR("authorization_declined")),
	PROVES(MICROSOFT_CONSENT_DECLINED, 0, "M A.5", NUMBER("70017")),
	SUGGESTS(MICROSOFT_CONSENT_DECLINED, 0, OPEN(APPROVAL, POLICY), "RFC 8628 3.5", AS_DEVICE, { "entra.token", FACT_OAUTH_ERROR, IS, "access_denied" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_SIGN_IN_NOT_RETURNED, 0, OPEN(APPROVAL, NOT_ASSIGNED, POLICY), "M A.2, A.5", { "entra.token", FACT_DEVICE_CODE, IS, "ran_out" }),
	SUGGESTS(MICROSOFT_SIGN_IN_NOT_RETURNED, 0, OPEN(APPROVAL, NOT_ASSIGNED, POLICY), "M A.2, A.5", ERROR("expired_token|authorization_pending")),
	SUGGESTS(MICROSOFT_SIGN_IN_NOT_RETURNED, 0, OPEN(APPROVAL, NOT_ASSIGNED, POLICY), "M A.2, A.5", NUMBER("70016|70019|70020")),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(MISREGISTERED), "M A.5, A.8", NUMBER("70018")),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(MISREGISTERED), "M A.5, A.8", ERROR("bad_verification_code")),

	/* -- our own registration ------------------------------------------------------------------------------------------ */

	PROVES(MICROSOFT_APP_SECRET_EXPIRED, 0, "M A.8", NUMBER("7000222")),
	PROVES(MICROSOFT_APP_SECRET_WRONG, 0, "M A.8", NUMBER("7000215")),
	PROVES(MICROSOFT_APP_NOT_ALLOWED, 0, "M A.8", NUMBER("7000112")),
	SUGGESTS(MICROSOFT_APP_NOT_ALLOWED, 0, OPEN(MISREGISTERED), "M A.8", NUMBER("70001|90099")),
	PROVES(MICROSOFT_APP_MISREGISTERED, 0, "M A.8", NUMBER("50011|500113|900971|700016|700011|50194|65005|650057|7000218|700025|50012|700027|65002|9001023|90124|90130|9002332|700054|700005")),
	SUGGESTS(MICROSOFT_APP_MISREGISTERED, 0, OPEN(NO_LICENCE, APPROVAL), "M A.8", NUMBER("50001|500011|650052|650054|650056")),
	HINTS(MICROSOFT_ADMIN_CONSENT_RECORDED, 0, OPEN(CAUSE_SERVER_UNAVAILABLE, APPROVAL), "M A.8, E.2 12c", NUMBER("650051")),
	SUGGESTS(MICROSOFT_APP_MISREGISTERED, 0, OPEN(NO_TENANT), "M A.8", NUMBER("90038|900432|1000104|50059|90019|50128|900023")),
	SUGGESTS(MICROSOFT_APP_MISREGISTERED, 0, OPEN(AGAIN), "M A.8", NUMBER("70011|28002|28003|700022|700023|90013|90014|900144|90023|9002313|90100|90102|90027|70003|70005|70007|50147|501481|501491")),

	/* -- it passes ----------------------------------------------------------------------------------------------------- */

	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(CAUSE_SERVER_UNAVAILABLE), "M A.3", { "entra.token", FACT_HTTP_STATUS, IS, "429" }),
	PROVES(SERVER_UNAVAILABLE, 0, "M A.8", NUMBER("70012|90006|90012|90024|90033|90055|90090|50033|50087")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(AGAIN), "M A.8", NUMBER("50196")),
	SUGGESTS(MICROSOFT_APP_SECRET_WRONG, 0, OPEN(CAUSE_MICROSOFT_APP_SECRET_EXPIRED), "M A.8", NUMBER("70002")),

	/* -- no number: the error alone leaves most of it open (facts M E.2 11) ------------------------------------------------ */

	PROVES(SERVER_UNAVAILABLE, 0, "M A.2, A.8", ERROR("temporarily_unavailable|server_error"), NO_NUMBER),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(CONSENT, MFA, POLICY, NOT_ASSIGNED), "M A.8", { NULL, FACT_OAUTH_SUBERROR, IS, "bad_token|token_expired" }, NO_NUMBER),
	SUGGESTS(AUTH_PASSWORD_EXPIRED, 0, OPEN(AGAIN), "M A.8", { NULL, FACT_OAUTH_SUBERROR, IS, "user_password_expired" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_CONSENT_MISSING, 0, OPEN(APPROVAL), "M A.8", { NULL, FACT_OAUTH_SUBERROR, IS, "consent_required" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_CONDITIONAL_ACCESS, 0, OPEN(MFA), "M A.8", { NULL, FACT_OAUTH_SUBERROR, IS, "protection_policy_required|device_authentication_failed" }, NO_NUMBER),
	HINTS(MICROSOFT_USER_NOT_ASSIGNED, 0, OPEN(MFA, POLICY, CONSENT, OTHER_TENANT), "M E.2 11", ERROR("interaction_required"), NO_NUMBER),
	HINTS(MICROSOFT_CONSENT_DECLINED, 0, OPEN(CONSENT, APPROVAL), "M A.2", ERROR("consent_required"), NO_NUMBER),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(CONSENT, MFA, POLICY), "M A.2", ERROR("login_required"), NO_NUMBER),
	SUGGESTS(MICROSOFT_CONSENT_DECLINED, 0, OPEN(APPROVAL), "M A.7", ERROR("permission_denied"), NO_NUMBER),
	SUGGESTS(MICROSOFT_CONSENT_DECLINED, 0, OPEN(APPROVAL), "M A.2, A.8", { "entra.callback", FACT_OAUTH_SUBERROR, IS, "cancel" }, NO_NUMBER),
	HINTS(MICROSOFT_CONSENT_DECLINED, 0, OPEN(CONSENT, APPROVAL, NOT_ASSIGNED), "M A.2", { "entra.callback", FACT_OAUTH_ERROR, IS, "access_denied" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_APP_MISREGISTERED, 0, OPEN(AGAIN), "M A.2", { "entra.callback", FACT_OAUTH_ERROR, IS, "invalid_request|unauthorized_client|unsupported_response_type|invalid_resource|invalid_client|invalid_scope" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(CONSENT, MFA, POLICY), "M A.8", { "entra.token", FACT_OAUTH_ERROR, IS, "invalid_grant" }, NO_NUMBER),
	SUGGESTS(MICROSOFT_APP_SECRET_WRONG, 0, OPEN(CAUSE_MICROSOFT_APP_SECRET_EXPIRED, MISREGISTERED), "M A.3", { "entra.token", FACT_OAUTH_ERROR, IS, "invalid_client" }, NO_NUMBER),

	/* -- whose account it is ----------------------------------------------------------------------------------------------- */

	PROVES(MICROSOFT_WRONG_ACCOUNT, 0, "M A.6, E.2 8", { "microsoft.account", FACT_ACCOUNT_ASKED, IS, "no" }),
	PROVES(OPERATOR_CLOCK_WRONG, 0, "M A.6", ID_TOKEN("expired"), OUR_CLOCK(IS, "ahead")),
	PROVES(OPERATOR_CLOCK_WRONG, 0, "M A.6", ID_TOKEN("not_yet"), OUR_CLOCK(IS, "behind")),
	SUGGESTS(OPERATOR_CLOCK_WRONG, 0, OPEN(CAUSE_SERVER_ANSWER_UNREADABLE), "M A.6", ID_TOKEN("expired|not_yet"), OUR_CLOCK(NONE, NULL)),
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 7519 7.2", ID_TOKEN("unreadable")),
	SUGGESTS(SERVER_ANSWER_UNREADABLE, 0, OPEN(CAUSE_NET_INTERCEPTED), "M A.6, OpenID Connect Core 3.1.3.7", { "entra.identity", FACT_ID_TOKEN, ANY, NULL }),

	/* -- the mailbox ------------------------------------------------------------------------------------------------------- */

	PROVES(MAILBOX_MOVING, 0, "M B.7", CODE("ErrorMailboxMoveInProgress")),
	PROVES(MAILBOX_NO_LICENCE, 0, "M B.7", CODE("ErrorInvalidLicense")),
	PROVES(AUTH_ACCOUNT_DISABLED, WHO_ADMIN, "M B.7", CODE("ErrorAccountDisabled")),
	PROVES(MICROSOFT_MAILBOX_ON_PREMISES, 0, "M B.9, E.2 9", NO_BOX, SYNCED, OWN_SERVER, OF_ITS_OWN),
	SUGGESTS(MICROSOFT_MAILBOX_ON_PREMISES, 0, OPEN(MIGRATING), "M B.7, B.9", { "microsoft.inbox", FACT_GRAPH_TEXT, HAS, HANDED_ON }),
	SUGGESTS(MICROSOFT_MAILBOX_ON_PREMISES, 0, OPEN(MIGRATING, NOT_THERE), "M B.9, E.2 9", NO_BOX, OWN_SERVER, OF_ITS_OWN),
	SUGGESTS(MICROSOFT_MAILBOX_MIGRATING, 0, OPEN(NOT_ENABLED, NOT_THERE), "M E.2 9", CODE_IN("microsoft.inbox", ELSEWHERE_CODES), KIND("personal")),
	SUGGESTS(MICROSOFT_ACCOUNT_NOT_IN_TENANT, 0, OPEN(NOT_THERE), "M E.2 7", NO_BOX, KIND("guest")),
	SUGGESTS(MAILBOX_NO_LICENCE, 0, OPEN(NOT_THERE), "M B.7, E.2 7", NO_BOX, PLAN("Suspended|LockedOut|Warning|Deleted")),
	PROVES(MICROSOFT_MAILBOX_NOT_FOUND, 0, "M D.5, E.2 7", NO_BOX, PLAN("none"), AT_OTHERS, { "microsoft.account", FACT_ACCOUNT_SYNCED, NONE, NULL }),
	SUGGESTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(ON_PREMISES), "M D.5, E.2 7", NO_BOX, PLAN("none"), SYNCED, AT_OTHERS),
	SUGGESTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(NOT_ENABLED), "M E.2 7", NO_BOX, KIND("personal")),
	SUGGESTS(MICROSOFT_MAILBOX_ON_PREMISES, 0, OPEN(NO_LICENCE, MIGRATING), "M B.9", NO_BOX, PLAN("none"), SYNCED),
	SUGGESTS(MAILBOX_NO_LICENCE, 0, OPEN(NOT_THERE, ON_PREMISES), "M B.9, E.2 7", NO_BOX, PLAN("none")),
	SUGGESTS(MICROSOFT_REST_NOT_ENABLED, 0, OPEN(MIGRATING, ON_PREMISES), "M E.2 9", CODE_IN("microsoft.inbox", ELSEWHERE_CODES)),
	SUGGESTS(MICROSOFT_REST_NOT_ENABLED, 0, OPEN(NOT_THERE, MIGRATING, ON_PREMISES), "M E.2 7", NO_BOX, PLAN("Enabled")),
	SUGGESTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(NO_LICENCE, ON_PREMISES, NOT_ENABLED), "M E.2 7", NO_BOX),
	SUGGESTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(NO_LICENCE, ON_PREMISES, NOT_ENABLED), "M B.7, E.2 7", CODE_IN("microsoft.calendar", "MailboxNotEnabledForRESTAPI|" ELSEWHERE_CODES "|ErrorNonExistentMailbox")),
	SUGGESTS(MICROSOFT_ACCOUNT_NOT_IN_TENANT, 0, OPEN(NOT_THERE), "M B.7", AS_ITSELF, CODE_IN("microsoft.account", "Request_ResourceNotFound|ResourceNotFound|ErrorInvalidUser")),
	SUGGESTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(NO_LICENCE, ON_PREMISES), "M B.7", EMPTY_401, { "microsoft.account", FACT_ACCOUNT_PLAN, IS, "none" }),
	HINTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(NO_LICENCE, AGAIN), "M B.7", EMPTY_401),

	/* -- what the token may -------------------------------------------------------------------------------------------------- */

	SUGGESTS(MICROSOFT_CONDITIONAL_ACCESS, 0, OPEN(MFA, AGAIN), "M B.7", ANYWHERE(FACT_OAUTH_ERROR, IS, "insufficient_claims")),
	PROVES(MICROSOFT_SIGN_IN_AGAIN, 0, "M B.7", CODE("InvalidAuthenticationToken"), GRAPH_TEXT(HAS, "TokenIssuedBeforeRevocationTimestamp")),
	SUGGESTS(MICROSOFT_APP_MISREGISTERED, 0, OPEN(AGAIN), "M B.7", CODE("InvalidAuthenticationToken"), GRAPH_TEXT(HAS, "Invalid audience")),
	PROVES(MICROSOFT_SCOPE_MISSING, 0, "M E.2 6", CODE("InvalidAuthenticationToken"), { NULL, FACT_OAUTH_MISSING, IS, "offline_access" }, GRAPH_TEXT(HAS, "expired")),
	SUGGESTS(MICROSOFT_SIGN_IN_AGAIN, 0, OPEN(POLICY, MISREGISTERED), "M B.7", CODE("InvalidAuthenticationToken")),
	PROVES(MICROSOFT_APP_NOT_ALLOWED, 0, "M B.7", CODE("ErrorAccessDenied"), GRAPH_TEXT(HAS, "Blocked by tenant configured")),
	SUGGESTS(MICROSOFT_APP_NOT_ALLOWED, 0, OPEN(ON_PREMISES), "M B.7", GRAPH_TEXT(HAS, "Access to OData is disabled")),
	PROVES(MICROSOFT_SCOPE_MISSING, 0, "M E.2 6", CODE("ErrorAccessDenied|Authorization_RequestDenied"), { "entra.scopes", FACT_OAUTH_MISSING, ANY, NULL }),
	SUGGESTS(MAILBOX_NOT_PERMITTED, 0, OPEN(NOT_ALLOWED), "M B.9", CODE_IN("microsoft.inbox|microsoft.folders", "ErrorAccessDenied"), OTHERS, { "entra.scopes", FACT_OAUTH_SCOPE, ANY, NULL }),
	SUGGESTS(MAILBOX_NOT_PERMITTED, 0, OPEN(NOT_ALLOWED, CAUSE_MICROSOFT_SCOPE_MISSING), "M B.9", CODE_IN("microsoft.inbox|microsoft.folders", "ErrorAccessDenied"), OTHERS),
	SUGGESTS(MAILBOX_NOT_PERMITTED, 0, OPEN(NOT_THERE), "M B.9", CODE_IN("microsoft.inbox|microsoft.folders", "ErrorItemNotFound"), OTHERS),
	SUGGESTS(CALENDAR_NOT_PERMITTED, 0, OPEN(CAUSE_CALENDAR_NONE), "M B.9", CODE_IN("microsoft.calendar|microsoft.calendar_event", "ErrorItemNotFound"), OTHERS),
	SUGGESTS(CALENDAR_NOT_PERMITTED, 0, OPEN(NOT_ALLOWED, CAUSE_MICROSOFT_SCOPE_MISSING), "M B.7", CODE_IN("microsoft.calendar|microsoft.calendar_event", "ErrorAccessDenied")),
	PROVES(CALENDAR_TIME_ZONE_UNKNOWN, 0, "M B.2", CODE_IN("microsoft.calendar_event", "TimeZoneNotSupportedException")),
	SUGGESTS(SEND_AS_DENIED, 0, OPEN(NOT_ALLOWED, CAUSE_MICROSOFT_SCOPE_MISSING), "M B.7", CODE_IN("microsoft.send", "ErrorAccessDenied")),
	SUGGESTS(MICROSOFT_APP_NOT_ALLOWED, 0, OPEN(CAUSE_MAILBOX_NOT_PERMITTED, CAUSE_MICROSOFT_SCOPE_MISSING, NOT_THERE), "M B.7, E.2 6", CODE("ErrorAccessDenied")),
	SUGGESTS(MICROSOFT_ADMIN_APPROVAL_REQUIRED, 0, OPEN(CAUSE_MICROSOFT_SCOPE_MISSING), "M B.7", CODE("Authorization_RequestDenied")),
	SUGGESTS(AUTH_LOGIN_DISABLED, 0, OPEN(NO_LICENCE), "M B.7", CODE("ErrorOrganizationAccessBlocked")),
	SUGGESTS(CALENDAR_NONE, 0, OPEN(CAUSE_CALENDAR_NOT_PERMITTED), "M B.7", CODE_IN("microsoft.calendar|microsoft.calendar_event", "ErrorItemNotFound|ErrorFolderNotFound|ResourceNotFound")),

	/* -- the message --------------------------------------------------------------------------------------------------------- */

	PROVES(SEND_AS_DENIED, 0, "M B.7, E.1 5", CODE("ErrorSendAsDenied")),
	PROVES(SEND_BLOCKED, 0, "M B.7", CODE("ErrorAccountSuspend|ErrorMessageSubmissionBlocked")),
	PROVES(SEND_QUOTA_EXCEEDED, 0, "M B.6, B.7", CODE("ErrorExceededMessageLimit|ErrorSubmissionQuotaExceeded|ErrorSendQuotaExceeded")),
	PROVES(SEND_TOO_LARGE, 0, "M B.2, B.7", CODE("ErrorMessageSizeExceeded")),
	PROVES(SEND_RECIPIENT_REJECTED, 0, "M B.7", CODE("ErrorInvalidRecipients")),
	PROVES(MAILBOX_FULL, 0, "M B.7", CODE("ErrorQuotaExceeded")),

	/* -- it passes ----------------------------------------------------------------------------------------------------------- */

	PROVES(THROTTLE_PROVIDER, 0, "M B.6", CODE("ApplicationThrottled|TooManyRequests|activityLimitReached")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(CAUSE_SERVER_UNAVAILABLE), "M A.3, B.6", ANYWHERE(FACT_HTTP_STATUS, IS, "429|509")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_MAILBOX_MOVING), "M B.7", CODE("MailboxInfoStale")),
	PROVES(SERVER_UNAVAILABLE, 0, "M B.7", CODE("ErrorInternalServerError|ErrorInternalServerTransientError|generalException|ServiceUnavailable|serviceNotAvailable|ErrorServerBusy|ErrorMailboxStoreUnavailable")),
	PROVES(SERVER_UNAVAILABLE, 0, "M A.8, B.7", ANYWHERE(FACT_HTTP_STATUS, IS, "500|502|503|504")),

	/* -- signed in, and not all of it was granted -------------------------------------------------------------------------------- */

	PROVES(MICROSOFT_SCOPE_MISSING, 0, "M E.2 6", { "entra.scopes", FACT_OAUTH_MISSING, ANY, NULL }),
	PROVES(MICROSOFT_FOREIGN_PRIMARY_ALIAS, 0, "M B.8, E.2 10", { "microsoft.sender", FACT_ACCOUNT_MADE_UP, IS, "yes" }, KIND("personal")),

	/* -- pasted: nobody knows what was asked ------------------------------------------------------------------------------------- */

	SUGGESTS(MICROSOFT_REST_NOT_ENABLED, 0, OPEN(MIGRATING, ON_PREMISES), "M E.2 9", CODE_IN("graph.pasted", ELSEWHERE_CODES)),
	SUGGESTS(MICROSOFT_MAILBOX_NOT_FOUND, 0, OPEN(NO_LICENCE, ON_PREMISES, NOT_ENABLED), "M E.2 7", CODE_IN("graph.pasted", NO_BOX_CODES)),

	/* -- no HTTP, or none of ours --------------------------------------------------------------------------------------------- */

	PROVES(SERVER_WRONG_PROTOCOL, 0, "G H.4", ANYWHERE(FACT_PROTOCOL, ANY, NULL)),
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 9112, RFC 8259", ANYWHERE(FACT_REPLY_BROKEN, ANY, NULL)),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_NET_SILENT), "G H.3", ANYWHERE(FACT_NET_OUTCOME, IS, "timeout|closed|reset")),
};

const struct rule_table rules_microsoft = { microsoft, COUNT(microsoft) };
