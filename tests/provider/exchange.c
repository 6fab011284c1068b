#include "provider/exchange.h"

#include "base/secret.h"
#include "diagnose/diagnose.h"
#include "provider/exchange_words.h"
#include "provider/promises.h"
#include "web_peer.h"

#define PATH "/EWS/Exchange.asmx"

struct scene {
	struct report          *report;
	struct endpoint         place;
	struct login            login;
	struct exchange_session exchange;
	bool                    opened, looked, sends;
};

struct set {                      /* all but the usual */
	const char          *path, *user, *password, *token;
	enum endpoint_source source;
	bool                 nobody, discovers, others, act_as, sends;
};

static void scene_open(struct scene *s, const struct set *set)
{
	bool by_token = set->token;

	*s = (struct scene){
		.report = report_new("ann@birch.example"), .sends = set->sends,
		.place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .source = set->source, .path = set->path ? set->path : PATH },
		.login = { .username = set->nobody ? NULL : set->user ? set->user : "ann@birch.example", .username_form = "address",
			.password = by_token ? NULL : set->password ? set->password : PASSWORD, .token = set->token, .nonce = NONCE },
	};
	s->report->keep_talk = true;
	s->report->provider = "exchange";
	exchange_session_init(&s->exchange, s->report, &s->place, &s->login, "ann@birch.example", waits_within(30000), report_attempt(s->report));
	s->exchange.discovers = set->discovers;
	s->exchange.others = set->others;
	s->exchange.act_as = set->act_as;
	s->exchange.message = slice_str("From: ann@birch.example\r\nTo: bcc@ash.example\r\nSubject: test\r\n\r\nHello\r\n");
}

static void scene_close(struct scene *s)
{
	exchange_session_release(&s->exchange);
	report_free(s->report);
}

/* Open, look, and perhaps a message: as the flow does. */
static enum want_kind session_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened) {
		PASS(exchange_open_step(&s->exchange, w, err));
		s->opened = true;
	}
	if (!s->looked && s->exchange.inbox_open)
		PASS(exchange_look_step(&s->exchange, w, err));
	s->looked = true;
	if (s->sends && s->exchange.logged_in)
		PASS(exchange_send_step(&s->exchange, w, err));
	return WANT_NOTHING;
}

#define STANDS     BY_NTLM(ALL_OPEN)
#define ONLY(schemes, authorization, answer) OFFERS(schemes), { authorization "\n<m:GetFolder", answer, KEEPS }
#define BASIC      "Authorization: Basic YW5uQGJpcmNoLmV4YW1wbGU6aHVudGVyMjI="
#define PAGE(status, head, body) { "POST\n!Authorization", status "\n" head "Content-Type: text/html\n\n<html>" body "</html>", KEEPS }
#define OWA_FORM   "<form action=\"/owa/auth.owa\" name=\"logonForm\"><input type=\"password\" name=\"password\"></form>"
#define FORBIDDEN  "403 Forbidden\nContent-Type: text/html\n\nForbidden: Access is denied."

#define TURNS 16

static const struct {
	const char    *name;
	struct set     set;
	struct turn    turn[TURNS];
	enum fault     fault;                  /* NONE: it goes well                       */
	const char    *cause;                  /* of the verdict over it, or NULL: not ours */
	enum certainty certainty;
	size_t         said;                   /* requests with credentials                */
	int            tries;                  /* refused passwords                        */
	const char    *step, *fact, *value;
	size_t         lines;                  /* 0: one                                   */
	bool           whole_only;             /* what comes in one piece matters          */
} sessions[] = {
	/* -- schemes */
	{ "NTLM where it is offered, though Basic is as well", { 0 }, { STANDS }, FAULT_NONE, NULL, 0, 2, 0, "exchange.login", FACT_AUTH_BINDING, "sent", 0, false },
	{ "Basic where there is nothing better", { 0 }, { ONLY(SCHEME("Basic realm=\"mail\""), BASIC, ALL_OPEN) },
	  FAULT_NONE, NULL, 0, 1, 0, "exchange.login", FACT_AUTH_MECHANISM, "Basic", 0, false },
	{ "all schemes in one field", { 0 }, { OFFERS(SCHEME("Negotiate, NTLM, Basic realm=\"mail, web\"")), CHALLENGES, SIGNS_IN(ALL_OPEN) },
	  FAULT_NONE, NULL, 0, 2, 0, "exchange.offer", FACT_AUTH_OFFERED, "Negotiate NTLM Basic", 0, false },
	{ "a token", { .token = TOKEN }, { ONLY(SCHEME("Bearer client_id=\"x\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@birch\"") "\n" BOTH, "Authorization: Bearer " TOKEN, ALL_OPEN) },
	  FAULT_NONE, NULL, 0, 1, 0, "exchange.login", FACT_AUTH_MECHANISM, "Bearer", 0, false },
	{ "a token that is refused", { .token = TOKEN }, { ONLY(SCHEME("Bearer trusted_issuers=\"x@birch\""), "Authorization: Bearer", "401 Unauthorized\n" SCHEME("Bearer error=\"invalid_token\"") "\n\n") },
	  FAULT_REFUSED, "microsoft.sign_in_again", LIKELY, 1, 0, NULL, NULL, NULL, 0, false },
	{ "a token, and only passwords are taken", { .token = TOKEN }, { OFFERS(BOTH) }, FAULT_NOT_OFFERED, "auth.no_common_scheme", PROVEN, 0, 0, "exchange.login", FACT_AUTH_NO_COMMON, "yes", 0, false },
	{ "a password, and only tokens are taken", { 0 }, { OFFERS(SCHEME("Bearer trusted_issuers=\"00000001-0000-0000-c000-000000000000@birch\"")) },
	  FAULT_NOT_OFFERED, "auth.no_common_scheme", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "Negotiate alone", { 0 }, { OFFERS(SCHEME("Negotiate")) }, FAULT_NOT_OFFERED, "auth.no_common_scheme", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "nobody to sign in", { .nobody = true }, { OFFERS(BOTH) }, FAULT_NONE, NULL, 0, 0, 0, "exchange.offer", FACT_HTTP_STATUS, "401", 0, false },
	{ "a host that nobody confirmed", { .source = SOURCE_GUESS }, { OFFERS(BOTH) }, FAULT_NONE, NULL, 0, 0, 0, "exchange.offer", FACT_HTTP_STATUS, "401", 0, false },
	{ "Exchange Online takes no password", { 0 }, { OFFERS(SCHEME("Bearer trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\"") "\n" SCHEME("Basic Realm=\"\"")) },
	  FAULT_NOT_OFFERED, "exchange.use_microsoft", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },

	/* -- refusals */
	{ "refused by NTLM", { 0 }, { BY_NTLM(REFUSAL) }, FAULT_REFUSED, "auth.password_rejected", LIKELY, 2, 1, "exchange.challenge", FACT_NTLM_SUGGESTS, "CONTOSO\\ann", 0, false },
	{ "refused by Basic", { 0 }, { ONLY(SCHEME("Basic realm=\"mail\""), BASIC, "401 Unauthorized\n" SCHEME("Basic realm=\"mail\"") "\n\nno") },
	  FAULT_REFUSED, "auth.password_rejected", LIKELY, 1, 1, NULL, NULL, NULL, 0, false },
	{ "refused, and the page says that it is locked", { 0 }, { BY_NTLM("401 Unauthorized\n" BOTH "\n\nThe referenced account is currently locked out") },
	  FAULT_REFUSED, "auth.account_locked", LIKELY, 2, 1, NULL, NULL, NULL, 0, false },
	{ "a build that may insist on channel binding", { 0 }, { OFFERS("X-OWA-Version: 15.2.1544.4\n" SCHEME("NTLM")), CHALLENGES, SIGNS_IN(REFUSAL) },
	  FAULT_REFUSED, "auth.password_rejected", LIKELY, 2, 1, "exchange.offer", FACT_EXCHANGE_BINDS, "yes", 0, false },
	{ "no challenge comes", { 0 }, { OFFERS(BOTH), { TYPE1, "401 Unauthorized\n" BOTH "\n\n", KEEPS } }, FAULT_BROKEN, "unknown.answer", PROVEN, 1, 0, NULL, NULL, NULL, 0, false },
	{ "a challenge that is none", { 0 }, { OFFERS(BOTH), { TYPE1, "401 Unauthorized\n" SCHEME("NTLM TlRMTVNTUAACAAAA") "\n\n", KEEPS } }, FAULT_BROKEN, "unknown.answer", PROVEN, 1, 0, NULL, NULL, NULL, 0, false },
	{ "an account that Exchange Online locked", { 0 }, { BY_NTLM("456 This account is locked. Visit https://login.live.com to unlock it.\n\n") },
	  FAULT_REFUSED, "auth.account_locked", LIKELY, 2, 0, "exchange.login", FACT_HTTP_REASON, "This account is locked. Visit https://login.live.com to unlock it.", 0, false },

	/* -- 403 */
	{ "403 behind the sign-in, under any name", { 0 }, { BY_NTLM(FORBIDDEN), { "User-Agent: Microsoft Office/16.0", FORBIDDEN, KEEPS } },
	  FAULT_REFUSED, "exchange.ews_off", LIKELY, 2, 0, "probe.agent", FACT_PROBE_RESULT, "the same", 0, false },
	{ "403 behind the sign-in, but Outlook is let in", { 0 }, { BY_NTLM(FORBIDDEN), { "User-Agent: Microsoft Office/16.0", FOLDER, KEEPS } },
	  FAULT_REFUSED, "exchange.ews_off", PROVEN, 2, 0, "probe.agent", FACT_PROBE_RESULT, "let in", 0, false },
	{ "403 to anybody, and no web mail", { 0 }, { PAGE("403 Forbidden", "", "no"), { "GET /owa/\n!Authorization", "403 Forbidden\n\n", KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.not_published", LIKELY, 0, 0, "probe.webmail", FACT_PROBE_RESULT, "none", 0, false },
	{ "403.6 to anybody", { 0 }, { PAGE("403 Forbidden", "Server: Microsoft-IIS/10.0\n", "<h2>403.6 - Forbidden: IP address of the client has been rejected.</h2>"),
	  { "GET /owa/", "403 Forbidden\n\n", KEEPS } }, FAULT_NOT_OFFERED, "auth.ip_not_allowed", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },

	/* -- what is no EWS */
	{ "not published: the web mail is there", { 0 }, { PAGE("404 Not Found", "", "no"), { "GET /owa/ HTTP/1.1\n!Authorization", "302 Found\nLocation: /owa/auth/logon.aspx?url=x\n\n", KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.not_published", PROVEN, 0, 0, "probe.webmail", FACT_PROBE_RESULT, "owa", 0, false },
	{ "nothing there, nor web mail", { 0 }, { PAGE("404 Not Found", "", "no"), { "GET /owa/", "404 Not Found\n\n", KEEPS } }, FAULT_NOT_OFFERED, "exchange.url_not_ews", LIKELY, 0, 0, NULL, NULL, NULL, 0, false },
	{ "the URL of the web mail", { .path = "/owa/" }, { { "POST /owa/ HTTP/1.1", "302 Found\nLocation: https://192.0.2.7/owa/auth/logon.aspx?url=x&reason=0\n\n", KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.url_is_webmail", PROVEN, 0, 0, "exchange.offer", FACT_PAGE, "owa", 0, false },
	{ "its page itself", { .path = "/owa/" }, { PAGE("200 OK", "X-OWA-Version: 15.1.2507.39\n", OWA_FORM) }, FAULT_NOT_OFFERED, "exchange.url_is_webmail", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "a gateway's form in front", { 0 }, { { "POST", "302 Found\nLocation: https://192.0.2.7/CookieAuth.dll?GetLogon?curl=x\n\n", KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.sign_in_page_in_front", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "440", { 0 }, { { "POST", "440 Login Timeout\n\n", KEEPS } }, FAULT_NOT_OFFERED, "exchange.sign_in_page_in_front", LIKELY, 0, 0, NULL, NULL, NULL, 0, false },
	{ "a passing fault of its own", { 0 }, { { "POST", "302 Found\nLocation: /ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx\n\n", KEEPS } },
	  FAULT_NOT_OFFERED, "server.unavailable", LIKELY, 0, 0, NULL, NULL, NULL, 0, false },
	{ "some other page", { .path = "/home" }, { PAGE("200 OK", "", "<title>Intranet</title>") }, FAULT_NOT_OFFERED, "exchange.url_not_ews", LIKELY, 0, 0, "exchange.offer", FACT_PAGE_TITLE, "Intranet", 0, false },
	{ "a page where the answer to the sign-in should be", { 0 }, { BY_NTLM("200 OK\nContent-Type: text/html\n\n<html>" OWA_FORM "</html>") },
	  FAULT_BROKEN, "exchange.sign_in_page_in_front", LIKELY, 2, 0, "exchange.login", FACT_AUTH_CREDENTIALS, "after", 0, false },
	{ "a redirect is not followed, with credentials least of all", { 0 }, { BY_NTLM("302 Found\nLocation: https://mail.evil.example/EWS/Exchange.asmx\n\n") },
	  FAULT_REFUSED, "exchange.url_not_ews", LIKELY, 2, 0, "exchange.login", FACT_HTTP_LOCATION, "https://mail.evil.example/EWS/Exchange.asmx", 0, false },

	/* -- versions */
	{ "too old by the field alone: no password is said", { 0 }, { OFFERS("X-OWA-Version: 14.1.438.0\n" BOTH) }, FAULT_NOT_OFFERED, "exchange.version_too_old", PROVEN, 0, 0,
	  "exchange.offer", FACT_EXCHANGE_ERA, "too_old", 0, false },
	{ "too old: down the ladder to the number", { 0 }, { BY_NTLM(FAULT("ErrorInvalidServerVersion", "")), { "\"Exchange2010_SP1\"", FAULT("ErrorInvalidServerVersion", ""), KEEPS },
	  { "\"Exchange2010\"", FAULT("ErrorInvalidServerVersion", ""), KEEPS }, { "\"Exchange2007_SP1\"", ANSWER(V2007, "GetFolder", "Success", "NoError", ""), KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.version_too_old", PROVEN, 2, 0, "exchange.version", FACT_EXCHANGE_BUILD, "8.1.436.0", 0, false },
	{ "2007 knows no such version, and says that it is no valid XML", { 0 }, { BY_NTLM(FAULT("ErrorSchemaValidation", "")), { "\"Exchange2010_SP1\"", FAULT("ErrorSchemaValidation", ""), KEEPS },
	  { "\"Exchange2010\"", FAULT("ErrorSchemaValidation", ""), KEEPS }, { "\"Exchange2007_SP1\"", ANSWER(V2007, "GetFolder", "Success", "NoError", ""), KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.version_too_old", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "what it never takes in any version is no sign of its age", { 0 }, { BY_NTLM(FAULT("ErrorSchemaValidation", "")), { "\"Exchange2010_SP1\"", FAULT("ErrorSchemaValidation", ""), KEEPS },
	  { "\"Exchange2010\"", FAULT("ErrorSchemaValidation", ""), KEEPS }, { "\"Exchange2007_SP1\"", FAULT("ErrorSchemaValidation", ""), KEEPS } },
	  FAULT_NOT_OFFERED, "unknown.answer", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "too old, and it never says how old", { 0 }, { BY_NTLM(FAULT("ErrorInvalidServerVersion", "")), { "\"Exchange2010_SP1\"", FAULT("ErrorInvalidServerVersion", ""), KEEPS },
	  { "\"Exchange2010\"", FAULT("ErrorInvalidServerVersion", ""), KEEPS }, { "\"Exchange2007_SP1\"", FAULT("ErrorInvalidServerVersion", ""), KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.version_too_old", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "the mailbox is on an older one", { 0 }, { OFFERS("X-OWA-Version: 15.1.2507.39\n" BOTH), CHALLENGES, SIGNS_IN(FAULT("ErrorInvalidSchemaVersionForMailboxVersion", "")),
	  { "\"Exchange2010_SP1\"", ANSWER(V2007, "GetFolder", "Success", "NoError", ""), KEEPS } },
	  FAULT_NOT_OFFERED, "exchange.mailbox_version_too_old", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "old by what it says of itself, though it answered", { 0 }, { BY_NTLM(ANSWER(V2007, "GetFolder", "Success", "NoError", "")) },
	  FAULT_NOT_OFFERED, "exchange.version_too_old", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },

	/* -- the mailbox */
	{ "an alias", { 0 }, { BY_NTLM(OPENED(GOT, NOT_GOT("ErrorNonPrimarySmtpAddress", VALUE("Primary", "ann.lee@birch.example")), ROOT, GOT)) }, FAULT_NONE, "mailbox.alias_not_primary", PROVEN, 2, 0, "exchange.mailbox", FACT_EWS_PRIMARY, "ann.lee@birch.example", 0, false },
	{ "the primary address is the one that was asked about", { 0 }, { BY_NTLM(OPENED(GOT, NOT_GOT("ErrorNonPrimarySmtpAddress", VALUE("Primary", "Ann@Birch.example")), ROOT, GOT)) }, FAULT_NONE, NULL, 0, 2, 0, NULL, NULL, NULL, 0, false },
	{ "not the mailbox of that address", { 0 }, { BY_NTLM(OPENED(GOT, NOT_GOT("ErrorNonExistentMailbox", ""), ROOT, GOT)) },
	  FAULT_REFUSED, "mailbox.not_found", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "a mailbox that lives in the cloud", { 0 }, { BY_NTLM(WITH_VALUES("GetFolder", "ErrorNonExistentMailbox", VALUE("MailboxGuid", "0c1d6a2e"))) },
	  FAULT_REFUSED, "exchange.use_microsoft", LIKELY, 2, 0, "exchange.inbox", FACT_EWS_GUID, "yes", 0, false },
	{ "an account without a mailbox", { 0 }, { BY_NTLM(ERROR("GetFolder", "ErrorMissingEmailAddress")) }, FAULT_REFUSED, "mailbox.no_smtp_address", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "no right on one's own inbox", { 0 }, { BY_NTLM(ERROR("GetFolder", "ErrorAccessDenied")) }, FAULT_REFUSED, "exchange.ews_off", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "the folders cannot be listed", { 0 }, { BY_NTLM(OPENED(GOT, GOT, NOT_GOT("ErrorInternalServerError", ""), GOT)) },
	  FAULT_REFUSED, "exchange.server_fault", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "no right on the calendar", { 0 }, { BY_NTLM(OPENED(GOT, GOT, ROOT, NOT_GOT("ErrorAccessDenied", ""))) },
	  FAULT_REFUSED, "calendar.not_permitted", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "no calendar", { 0 }, { BY_NTLM(OPENED(GOT, GOT, ROOT, NOT_GOT("ErrorFolderNotFound", ""))) },
	  FAULT_REFUSED, "calendar.none", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "an inbox that cannot be opened, and nothing said of the rest", { 0 }, { BY_NTLM(OPENED(NOT_GOT("ErrorAccessDenied", ""), NOT_TRIED, NOT_TRIED, NOT_TRIED)) }, FAULT_REFUSED, "exchange.ews_off", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "the inbox alone is answered: the rest is asked again", { 0 }, { BY_NTLM(FOLDER), { "<m:GetFolder\nann@birch.example</t:EmailAddress>", FOLDER, KEEPS },
	  { "<m:GetFolder\n\"msgfolderroot\"", MESSAGES(V2016, "GetFolder", ROOT), KEEPS }, { "<m:GetFolder\n\"calendar\"", FOLDER, KEEPS } }, FAULT_NONE, NULL, 0, 2, 0, "exchange.folders", FACT_EWS_FOLDERS, "12", 0, false },
	{ "all in one answer: the folders are counted there", { 0 }, { STANDS }, FAULT_NONE, NULL, 0, 2, 0, "exchange.folders", FACT_EWS_FOLDERS, "12", 0, false },
	{ "the rest was not tried: it is asked again", { 0 }, { BY_NTLM(OPENED(GOT, NOT_TRIED, NOT_TRIED, NOT_TRIED)), { "<m:GetFolder\nann@birch.example</t:EmailAddress>", FOLDER, KEEPS },
	  { "<m:GetFolder\n\"msgfolderroot\"", FOLDER, KEEPS }, { "<m:GetFolder\n\"calendar\"", ERROR("GetFolder", "ErrorAccessDenied"), KEEPS } }, FAULT_REFUSED, "calendar.not_permitted", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "the folders are refused, and the calendar as well", { 0 }, { BY_NTLM(OPENED(GOT, GOT, NOT_GOT("ErrorInternalServerError", ""), NOT_GOT("ErrorAccessDenied", ""))) },
	  FAULT_REFUSED, "exchange.server_fault", PROVEN, 2, 0, "exchange.folders", FACT_EWS_CODE, "ErrorInternalServerError", 0, false },
	{ "somebody else's, by an alias: the calendar is asked for by its own name", { .others = true, .user = "BIRCH\\bob" }, { OFFERS(BOTH), CHALLENGES,
	  { TYPE3, OPENED(GOT, NOT_GOT("ErrorNonPrimarySmtpAddress", VALUE("Primary", "ann.lee@birch.example")), NOT_GOT("ErrorNonPrimarySmtpAddress", ""), NOT_GOT("ErrorNonPrimarySmtpAddress", "")), KEEPS },
	  { "\"msgfolderroot\"\nann.lee@birch.example", FOLDER, KEEPS }, { "\"calendar\"\nann.lee@birch.example", FOLDER, KEEPS } }, FAULT_NONE, "mailbox.alias_not_primary", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "somebody else's mailbox", { .others = true, .user = "BIRCH\\bob" }, { OFFERS(BOTH), CHALLENGES, { TYPE3 "\n\"calendar\"><t:Mailbox><t:EmailAddress>ann@birch.example</t:EmailAddress>", ALL_OPEN, KEEPS } }, FAULT_NONE, NULL, 0, 2, 0,
	  "exchange.login", FACT_OTHERS_MAILBOX, "yes", 0, false },
	{ "somebody else's mailbox, and no right on it", { .others = true, .user = "BIRCH\\bob" }, { OFFERS(BOTH), CHALLENGES, { TYPE3, ERROR("GetFolder", "ErrorAccessDenied"), KEEPS } },
	  FAULT_REFUSED, "mailbox.not_permitted", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "by impersonation", { .act_as = true, .user = "BIRCH\\svc" }, { OFFERS(BOTH), CHALLENGES, { TYPE3 "\n<t:ExchangeImpersonation>\nann@birch.example\n<t:DistinguishedFolderId Id=\"calendar\"/>", ALL_OPEN, KEEPS } },
	  FAULT_NONE, NULL, 0, 2, 0, "exchange.login", FACT_ACT_AS, "BIRCH\\svc", 0, false },
	{ "impersonation that is not granted", { .act_as = true, .user = "BIRCH\\svc" }, { BY_NTLM(FAULT("ErrorImpersonateUserDenied", "")) }, FAULT_REFUSED, "exchange.impersonation_denied", PROVEN, 2, 0,
	  "exchange.inbox", FACT_EWS_FAULT, "yes", 0, false },
	{ "throttled", { 0 }, { BY_NTLM(FAULT("ErrorServerBusy", VALUE("BackOffMilliseconds", "297749"))) }, FAULT_BUSY, "throttle.provider", PROVEN, 2, 0, "exchange.inbox", FACT_EWS_BACK_OFF, "297749", 0, false },
	{ "500 without a word", { 0 }, { BY_NTLM("500 Internal Server Error\nContent-Type: text/html\n\nServer Error in '/EWS' Application.") }, FAULT_REFUSED, "exchange.server_fault", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "503", { 0 }, { BY_NTLM("503 Service Unavailable\nRetry-After: 30\n\n") }, FAULT_BUSY, "server.unavailable", LIKELY, 2, 0, "exchange.login", FACT_HTTP_RETRY_AFTER, "30", 0, false },
	{ "503 before anybody signs in", { 0 }, { { "POST", "503 Service Unavailable\n\n", KEEPS } }, FAULT_NOT_OFFERED, "server.unavailable", LIKELY, 0, 0, NULL, NULL, NULL, 0, false },

	/* -- a message */
	{ "sent", { .sends = true }, { STANDS, { "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"", FINE("CreateItem", ""), KEEPS } }, FAULT_NONE, NULL, 0, 2, 0, NULL, NULL, NULL, 0, false },
	{ "not allowed to send as that", { .sends = true }, { STANDS, { "<m:CreateItem", ERROR("CreateItem", "ErrorSendAsDenied"), KEEPS } }, FAULT_REFUSED, "send.as_denied", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },

	/* -- Autodiscover */
	{ "it names the server", { .path = "/autodiscover/autodiscover.xml", .discovers = true }, { { "POST /autodiscover/autodiscover.xml\n!Authorization", "401 Unauthorized\n" BOTH "\n\n", KEEPS }, CHALLENGES,
	  { TYPE3 "\n<EMailAddress>ann@birch.example</EMailAddress>", "200 OK\nContent-Type: text/xml\n\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">"
	    "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\"><Account><AccountType>email</AccountType><Action>settings</Action><Protocol><Type>EXPR</Type>"
	    "<EwsUrl>https://mail.birch.example/EWS/Exchange.asmx</EwsUrl></Protocol></Account></Response></Autodiscover>", KEEPS } },
	  FAULT_NONE, NULL, 0, 2, 0, "exchange.autodiscover", FACT_URL, "https://mail.birch.example/EWS/Exchange.asmx", 0, false },
	{ "it knows another address", { .path = "/autodiscover/autodiscover.xml", .discovers = true }, { { "POST", "401 Unauthorized\n" BOTH "\n\n", KEEPS }, CHALLENGES,
	  { TYPE3, "200 OK\n\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">"
	    "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\"><Account><Action>redirectAddr</Action><RedirectAddr>ann@elm.example</RedirectAddr></Account></Response></Autodiscover>", KEEPS } },
	  FAULT_NONE, NULL, 0, 2, 0, "exchange.autodiscover", FACT_AUTODISCOVER, "redirectAddr", 0, false },
	{ "it sends elsewhere", { .path = "/autodiscover/autodiscover.xml", .discovers = true }, { { "POST", "401 Unauthorized\n" BOTH "\n\n", KEEPS }, CHALLENGES,
	  { TYPE3, "200 OK\n\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">"
	    "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\"><Account><Action>redirectUrl</Action><RedirectUrl>https://a.elm.example/autodiscover/autodiscover.xml</RedirectUrl></Account></Response></Autodiscover>", KEEPS } },
	  FAULT_NONE, NULL, 0, 2, 0, "exchange.autodiscover", FACT_HTTP_LOCATION, "https://a.elm.example/autodiscover/autodiscover.xml", 0, false },
	{ "it knows nobody of that name", { .path = "/autodiscover/autodiscover.xml", .discovers = true }, { { "POST", "401 Unauthorized\n" BOTH "\n\n", KEEPS }, CHALLENGES,
	  { TYPE3, "200 OK\n\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\"><Response><Error Time=\"08:00\" Id=\"1\"><ErrorCode>500</ErrorCode>"
	    "<Message>The email address can't be found.</Message><DebugData/></Error></Response></Autodiscover>", KEEPS } },
	  FAULT_ABSENT, "mailbox.not_found", LIKELY, 2, 0, "exchange.autodiscover", FACT_EWS_CODE, "500", 0, false },
	{ "it answers with a page", { .path = "/autodiscover/autodiscover.xml", .discovers = true }, { { "POST", "401 Unauthorized\n" BOTH "\n\n", KEEPS }, CHALLENGES, { TYPE3, "200 OK\n\n<html>hello</html>", KEEPS } },
	  FAULT_BROKEN, "server.answer_unreadable", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },

	/* -- lines that come to their end */
	{ "each answer to anybody ends the line", { 0 }, { { "POST\n!Authorization", "401 Unauthorized\nConnection: close\n" BOTH "\n\n", ENDS }, CHALLENGES, SIGNS_IN(ALL_OPEN) }, FAULT_NONE, NULL, 0, 2, 0, NULL, NULL, NULL, 2, false },
	{ "gone before the first leg: once more", { 0 }, { { "POST\n!Authorization", "401 Unauthorized\n" BOTH "\n\n", ENDS }, CHALLENGES, SIGNS_IN(ALL_OPEN) }, FAULT_NONE, NULL, 0, 2, 0, NULL, NULL, NULL, 2, false },
	{ "gone between the legs: the dance begins anew", { 0 }, { OFFERS(BOTH), { TYPE1, "401 Unauthorized\n" SCHEME("NTLM " TYPE2) "\n\n", ENDS }, CHALLENGES, SIGNS_IN(ALL_OPEN) },
	  FAULT_NONE, NULL, 0, 3, 0, NULL, NULL, NULL, 2, false },
	{ "gone after the last leg, without an answer: once more", { 0 }, { OFFERS(BOTH), CHALLENGES, { TYPE3, NULL, ENDS }, CHALLENGES, SIGNS_IN(ALL_OPEN) }, FAULT_NONE, NULL, 0, 4, 0, NULL, NULL, NULL, 2, false },
	{ "and not a third time", { 0 }, { OFFERS(BOTH), CHALLENGES, { TYPE3, NULL, ENDS }, CHALLENGES, { TYPE3, NULL, RESETS } }, FAULT_NETWORK, "server.unavailable", LIKELY, 4, 0, NULL, NULL, NULL, 2, false },
	{ "gone before a question: once more, signed in anew", { 0 }, { OFFERS(BOTH), CHALLENGES, { TYPE3, OPENED(GOT, NOT_TRIED, NOT_TRIED, NOT_TRIED), ENDS }, CHALLENGES, { TYPE3 "\n<m:GetFolder\nann@birch.example</t:EmailAddress>", FOLDER, KEEPS },
	  { "\"msgfolderroot\"\n!Authorization", FOLDER, KEEPS }, { "\"calendar\"", FOLDER, KEEPS } },
	  FAULT_NONE, NULL, 0, 4, 0, NULL, NULL, NULL, 2, false },
	{ "gone while a message is said: never again", { .sends = true }, { STANDS, { "<m:CreateItem", NULL, ENDS } }, FAULT_NETWORK, "server.unavailable", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "a line that is signed in only for one request", { 0 }, { OFFERS(BOTH), CHALLENGES, { TYPE3, "200 OK\nConnection: close\n\nx", ENDS } }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "closed before any answer at all", { 0 }, { { "POST", NULL, ENDS } }, FAULT_NETWORK, "net.reset", LIKELY, 0, 0, NULL, NULL, NULL, 0, false },
	{ "cut before any answer at all", { 0 }, { { "POST", NULL, RESETS } }, FAULT_NETWORK, "net.reset", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "silent", { 0 }, { { "POST", NULL, IS_SILENT } }, FAULT_TIMEOUT, "net.silent", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "silent behind the sign-in", { 0 }, { OFFERS(BOTH), CHALLENGES, { TYPE3, NULL, IS_SILENT } }, FAULT_TIMEOUT, "server.unavailable", LIKELY, 2, 0, NULL, NULL, NULL, 0, false },
	{ "called off", { 0 }, { OFFERS(BOTH), CHALLENGES, { TYPE3, NULL, STOPS } }, FAULT_CANCELLED, NULL, 0, 2, 0, NULL, NULL, NULL, 0, false },
	{ "mail is spoken there", { 0 }, { { "POST", "!220 mail.birch.example ESMTP\r\n", KEEPS } }, FAULT_BROKEN, "server.wrong_protocol", PROVEN, 0, 0, "exchange.offer", FACT_PROTOCOL, "smtp", 0, true },
	{ "two lengths", { 0 }, { { "POST", "!HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", KEEPS } }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, 0, 0, NULL, NULL, NULL, 0, false },
	{ "packed", { 0 }, { BY_NTLM("200 OK\nContent-Encoding: gzip\n\n\x1f\x8b\x08") }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "nothing at all, and well", { 0 }, { BY_NTLM("200 OK\n\n") }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
	{ "an entity bomb", { 0 }, { BY_NTLM("200 OK\n\n<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>") }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, 2, 0, NULL, NULL, NULL, 0, false },
};

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
	no_secret_in(s.report, row);
	EXPECT_ROW(p.secrets == sessions[i].said, row);
	EXPECT_ROW(p.connects == (sessions[i].lines ? sessions[i].lines : 1), row);
	EXPECT_ROW(s.report->password_tries == sessions[i].tries && s.exchange.refused == (sessions[i].tries || (sessions[i].set.token && sessions[i].fault == FAULT_REFUSED)), row);
	if (sessions[i].step)
		EXPECT_ROW(has_fact(s.report, sessions[i].step, sessions[i].fact, sessions[i].value), row);
	diagnose(s.report, &v);
	if (sessions[i].cause && (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, sessions[i].cause) != 0 || v.finding[0].certainty != sessions[i].certainty))
		test_fail(__FILE__, __LINE__, "%s: %s %s, not %s", row, v.findings ? certainty_name(v.finding[0].certainty) : "", v.findings ? cause_row(v.finding[0].cause)->id : "no finding", sessions[i].cause);
	EXPECT_ROW(sessions[i].cause || fine == (v.findings == 0) || sessions[i].fault == FAULT_CANCELLED, row);
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
		if (!sessions[i].whole_only)
			play(i, true);
}

/* -- cut at every byte ---------------------------------------------------------------------------------------------- */

/* All that the server says in a session that goes well. */
static struct slice spoken(const struct turn *turns, struct buffer *into)
{
	struct web_peer p;

	web_peer_init(&p, turns, "spoken");
	for (size_t i = 0; turns[i].asked; i++) {
		put_answer(&p, turns[i].answer);
		EXPECT(buffer_add(into, buffer_held(&p.say)));
		buffer_clear(&p.say);
	}
	p.turn = &(struct turn){ 0 };
	web_peer_end(&p);
	return buffer_held(into);
}

TEST(a_session_cut_at_every_byte)
{
	static const struct turn turns[] = { STANDS, { 0 } };
	static const enum came   ends[] = { CAME_END, CAME_RESET, CAME_TIMEOUT, CAME_FULL, CAME_CANCELLED };
	struct buffer            all;
	struct slice             heard;

	buffer_init(&all, 64 * 1024);
	heard = spoken(turns, &all);
	for (size_t e = 0; e < COUNT(ends); e++)
		/* the orderly end at every byte, the others here and there and in the last answer */
		for (size_t len = 0; len <= heard.len; len += e == 0 || len + 300 > heard.len ? 1 : 13) {
			struct error   err = { 0 };
			struct verdict v;
			struct scene   s;
			char           row[40];
			bool           fine;

			snprintf(row, sizeof row, "%zu bytes, then %s", len, came_name(ends[e]));
			scene_open(&s, &(struct set){ 0 });
			fine = run_cut(session_step, &s, slice_upto(heard, len), ends[e], &err);
			EXPECT_ROW(fine == (len == heard.len), row);
			EXPECT_ROW(fine || err.fault == (ends[e] == CAME_TIMEOUT ? FAULT_TIMEOUT : ends[e] == CAME_FULL ? FAULT_TOO_BIG
			                                 : ends[e] == CAME_CANCELLED ? FAULT_CANCELLED : FAULT_NETWORK), row);
			EXPECT_ROW(s.report->password_tries == 0 && !s.exchange.refused, row);
			no_step_is_running(s.report, row);
			no_secret_in(s.report, row);
			diagnose(s.report, &v);
			EXPECT_ROW(fine || v.findings || ends[e] == CAME_CANCELLED, row);
			scene_close(&s);
		}
	buffer_release(&all);
}

/* -- too much ------------------------------------------------------------------------------------------------------- */

TEST(answers_without_end_are_bounded)
{
	static const struct { const char *name, *head; enum fault fault; } rows[] = {
		{ "a page",               "!HTTP/1.1 200 OK\r\n\r\n",                             FAULT_NOT_OFFERED },
		{ "chunks",               "!HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n", FAULT_TOO_BIG },
		{ "a refusal with a page", "!HTTP/1.1 404 Not Found\r\n\r\n",                     FAULT_NOT_OFFERED },
		{ "fields",               "!HTTP/1.1 200 OK\r\nX: ",                              FAULT_BROKEN },
		{ "a status line",        "!",                                                    FAULT_BROKEN },
		{ "a length beyond all",  "!HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", FAULT_TOO_BIG },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t          head = strlen(rows[i].head), len = (size_t)3 * 1024 * 1024;
		char           *answer = malloc(head + len + 1);
		struct turn     turns[] = { { "POST", answer, ENDS }, { 0 }, { 0 } };
		struct web_peer p;
		struct error    err = { 0 };
		struct scene    s;

		memcpy(answer, rows[i].head, head);
		memset(answer + head, 'a', len);
		answer[head + len] = '\0';
		/* behind a 404 the web mail is looked for, on a line of its own */
		turns[1] = i == 2 ? (struct turn){ "GET /owa/", "404 Not Found\n\n", KEEPS } : turns[1];
		web_peer_init(&p, turns, rows[i].name);
		scene_open(&s, &(struct set){ 0 });
		EXPECT_ROW(!web_peer_run(&p, session_step, &s, &err), rows[i].name);
		if (i == 0)
			EXPECT_ROW(err.fault == FAULT_TOO_BIG, rows[i].name);
		else
			EXPECT_ROW(err.fault == rows[i].fault, rows[i].name);
		EXPECT_ROW(p.secrets == 0, rows[i].name);
		no_step_is_running(s.report, rows[i].name);
		for (size_t f = 0; f < s.report->fact_count; f++)
			EXPECT_ROW(strlen(s.report->fact[f].value) <= REPORT_VALUE, rows[i].name);
		scene_close(&s);
		web_peer_end(&p);
		free(answer);
	}
}

/* -- abandoned ------------------------------------------------------------------------------------------------------ */

TEST(abandoned_at_any_step)
{
	static const struct turn turns[] = { STANDS, { 0 } };

	for (int most = 0; most < 24; most++) {
		struct web_peer p;
		struct want     w = { .came = CAME_NOTHING };
		struct error    err = { 0 };
		struct scene    s;

		web_peer_init(&p, turns, "abandoned");
		scene_open(&s, &(struct set){ 0 });
		for (int i = 0; i < most; i++) {
			enum want_kind kind = session_step(&s, &w, &err);

			EXPECT(kind != WANT_FAILED);
			if (kind == WANT_NOTHING)
				break;
			w.came = peer_answer(&p, &w, kind);
		}
		scene_close(&s);
		p.turn = &turns[COUNT(turns) - 1], p.at = 0;
		web_peer_end(&p);
	}
}

TEST(no_line_that_is_not_private_hears_credentials)
{
	static const struct turn turns[] = { { "POST\n!Authorization", "401 Unauthorized\n" BOTH "\n\n", KEEPS }, { 0 } };
	struct web_peer          p;
	struct error             err = { 0 };
	struct scene             s;

	web_peer_init(&p, turns, "not private");
	p.clear = true;
	scene_open(&s, &(struct set){ 0 });
	EXPECT(web_peer_run(&p, session_step, &s, &err));
	EXPECT(p.secrets == 0 && !s.exchange.logged_in);
	EXPECT_TEXT(s.report->step[s.report->step_count - 1].skip, "no_line");
	scene_close(&s);
	web_peer_end(&p);
}
