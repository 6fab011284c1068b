#include "sandbox/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox/certificates.h"
#include "sandbox/imap_words.h"
#include "sandbox/pages.h"

/* Those of one kind stand together; --faults lists them in this order. */
static const struct order_row rows[] = {
	{ "owa-redirect",      ORDER_PAGE, NULL, false, PAGE_TO_OWA, NULL, "EWS redirects to the sign-in page of Outlook on the web" },
	{ "owa-page",          ORDER_PAGE, NULL, false, PAGE_OWA, NULL, "EWS answers with that page itself, status 200" },
	{ "tmg-redirect",      ORDER_PAGE, NULL, false, PAGE_TO_TMG, NULL, "a TMG/ISA gateway redirects to its own sign-in" },
	{ "tmg-page",          ORDER_PAGE, NULL, false, PAGE_TMG, NULL, "a TMG/ISA gateway answers with its own form" },
	{ "uag-redirect",      ORDER_PAGE, NULL, false, PAGE_TO_UAG, NULL, "a UAG gateway redirects to /InternalSite/" },
	{ "uag-error",         ORDER_PAGE, NULL, false, PAGE_UAG_ERROR, NULL, "a UAG gateway that is set up wrongly" },
	{ "adfs-redirect",     ORDER_PAGE, NULL, false, PAGE_TO_ADFS, NULL, "EWS redirects to AD FS" },
	{ "forms-redirect",    ORDER_PAGE, NULL, false, PAGE_TO_FORMS, NULL, "EWS redirects to /_forms/" },
	{ "login-timeout",     ORDER_PAGE, NULL, false, PAGE_440, NULL, "440 Login Timeout" },
	{ "redirect-circle",   ORDER_PAGE, NULL, false, PAGE_CIRCLE, NULL, "EWS redirects to itself" },
	{ "redirect",          ORDER_PAGE, "URL", true, PAGE_TO_VALUE, NULL, "EWS redirects there" },
	{ "generic-error",     ORDER_PAGE, NULL, false, PAGE_GENERIC_ERROR, NULL, "302 to /ews/genericerrorpage.htm: a passing fault" },
	{ "not-found",         ORDER_PAGE, NULL, false, PAGE_404, NULL, "404 on EWS" },
	{ "other-page",        ORDER_PAGE, NULL, false, PAGE_OTHER, NULL, "a page that has nothing to do with Exchange, status 200" },
	{ "httpapi-404",       ORDER_PAGE, NULL, false, PAGE_HTTPAPI_404, NULL, "404 by Microsoft-HTTPAPI: no site of that name" },
	{ "httpapi-400",       ORDER_PAGE, NULL, false, PAGE_HTTPAPI_400, NULL, "400 by Microsoft-HTTPAPI: that host is not bound" },
	{ "forbidden",         ORDER_PAGE, NULL, false, PAGE_403, NULL, "403 before any credentials" },
	{ "forbidden-ssl",     ORDER_PAGE, NULL, false, PAGE_403_4, NULL, "403.4 before credentials: SSL required" },
	{ "forbidden-ip",      ORDER_PAGE, NULL, false, PAGE_403_6, NULL, "403.6 before credentials: the client's address is refused" },
	{ "forbidden-client-certificate", ORDER_PAGE, NULL, false, PAGE_403_7, NULL, "403.7 before credentials: a client certificate is wanted" },
	{ "locked",            ORDER_PAGE, "URL", false, PAGE_456, NULL, "456, with the address that unlocks in the reason phrase" },
	{ "html-500",          ORDER_PAGE, NULL, false, PAGE_500, NULL, "500 with \"Server Error in '/EWS' Application\"" },
	{ "bad-gateway",       ORDER_PAGE, NULL, false, PAGE_502, NULL, "502" },
	{ "unavailable",       ORDER_PAGE, "SECONDS", false, PAGE_503, NULL, "503, with Retry-After" },
	{ "gateway-timeout",   ORDER_PAGE, NULL, false, PAGE_504, NULL, "504" },
	{ "forbidden-after",   ORDER_PAGE_AFTER, NULL, false, PAGE_403, NULL, "403 after the login: EWS is off for the mailbox" },
	{ "cas-error",         ORDER_PAGE_AFTER, "TEXT", false, PAGE_CAS_ERROR, NULL, "500 with X-CasErrorCode after the login" },
	{ "html-500-after",    ORDER_PAGE_AFTER, NULL, false, PAGE_500, NULL, "500 with a page after the login" },
	{ "unavailable-after", ORDER_PAGE_AFTER, "SECONDS", false, PAGE_503, NULL, "503 after the login" },

	{ "schemes",           ORDER_SCHEMES, "LIST", true, 0, NULL, "what is offered: of negotiate,ntlm,basic,bearer" },
	{ "bearer",            ORDER_BEARER, NULL, false, 0, NULL, "hybrid modern authentication is offered besides" },
	{ "wrong-password",    ORDER_REFUSE, NULL, false, 0, NULL, "no password is right" },
	{ "names",             ORDER_NAMES, "LIST", true, 0, NULL, "forms of the user name that are taken: of down,upn,mail,bare" },
	{ "channel-binding",   ORDER_BINDING, "require|allow|proxy", false, 0, NULL, "Extended Protection: NTLM and Kerberos must be bound to the TLS channel, or to that of a server behind" },
	{ "page-on-challenge", ORDER_PAGE_ON_TYPE2, NULL, false, 0, NULL, "the NTLM challenge comes with the page of a refusal" },
	{ "close-in-login",    ORDER_CLOSE_BETWEEN, NULL, false, 0, NULL, "the connection ends between the steps of NTLM" },
	{ "kerberos-answer",   ORDER_KERBEROS_ANSWER, "none|wrong", true, 0, NULL, "the server lets in by Kerberos, and proves itself not at all, or wrongly" },
	{ "kerberos-each",     ORDER_KERBEROS_EACH, NULL, false, 0, NULL, "Kerberos signs in one request, not the connection" },
	{ "no-agents",         ORDER_NOT_AGENTS, "TEXT", true, 0, NULL, "403 after the login where User-Agent has this text" },
	{ "agents",            ORDER_AGENTS, "TEXT", true, 0, NULL, "403 after the login unless User-Agent has this text" },

	{ "back-off",          ORDER_BACK_OFF, "MS", false, 0, NULL, "ErrorServerBusy with BackOffMilliseconds" },
	{ "old-schema",        ORDER_OLD_SCHEMA, NULL, false, 0, NULL, "a version that it does not know is told as ErrorSchemaValidation" },
	{ "version",           ORDER_VERSION, "VERSION", true, 0, NULL, "the server is of this version, of those of --exchange" },
	{ "mailbox-version",   ORDER_MAILBOX_VERSION, "VERSION", true, 0, NULL, "the mailbox is on an older server, of one of --exchange" },
	{ "soap-fault",        ORDER_FAULT, "CODE", true, 0, NULL, "every operation ends in a SOAP fault with this ResponseCode" },
	{ "huge-fault",        ORDER_HUGE_FAULT, "MIB", false, 0, NULL, "a SOAP fault whose text has 200 MiB" },
	{ "send-as-denied",    ORDER_CODE, NULL, false, 0, "CreateItem:ErrorSendAsDenied", "no right to send as this sender" },
	{ "quota",             ORDER_CODE, NULL, false, 0, "CreateItem:ErrorQuotaExceeded", "the mailbox is full" },
	{ "submission-quota",  ORDER_CODE, NULL, false, 0, "CreateItem:ErrorSubmissionQuotaExceeded", "the sender has sent too much" },
	{ "no-mailbox",        ORDER_NO_MAILBOX, NULL, false, 0, NULL, "the account has no mailbox here: ErrorMissingEmailAddress" },
	{ "no-smtp-address",   ORDER_EX_ONLY, NULL, false, 0, NULL, "ResolveNames knows an X.500 address only" },
	{ "no-calendar",       ORDER_NO_CALENDAR, NULL, false, 0, NULL, "there is no calendar folder" },
	{ "calendar-denied",   ORDER_CALENDAR_DENIED, NULL, false, 0, NULL, "nobody may open the calendar" },
	{ "calendar-read-only", ORDER_CALENDAR_READ_ONLY, "CODE", false, 0, NULL, "it may be read, and nothing may be written to it" },
	{ "zone-unknown",      ORDER_ZONE_UNKNOWN, "NAME", true, 0, NULL, "there is no such time zone, by whichever of its names" },
	{ "zone-ignored",      ORDER_ZONE_IGNORED, NULL, false, 0, NULL, "the clocks of every zone are taken for UTC's" },
	{ "zone-odd",          ORDER_ZONE_ODD, NULL, false, 0, NULL, "Graph tells times by a zone that it alone knows" },
	{ "other-mailbox",     ORDER_OTHER_MAILBOX, NULL, false, 0, NULL, "names and Autodiscover answer for somebody else's mailbox" },
	{ "no-delivery",       ORDER_NO_DELIVERY, NULL, false, 0, NULL, "mail is taken, and never arrives" },
	{ "ndr",               ORDER_NDR, NULL, false, 0, NULL, "a report of non-delivery comes instead of the mail" },

	{ "slow",              ORDER_SLOW, "MS", true, 0, NULL, "every answer comes that much later" },
	{ "cut",               ORDER_CUT, "BYTES", false, 0, NULL, "answers after the login end in the middle" },
	{ "malformed",         ORDER_MALFORMED, NULL, false, 0, NULL, "answers after the login are no XML" },
	{ "entity-bomb",       ORDER_BOMB, NULL, false, 0, NULL, "answers after the login define entities that grow" },
	{ "charset",           ORDER_CHARSET, "NAME", false, 0, NULL, "answers name a character set that they are not in" },
	{ "wrong-namespace",   ORDER_WRONG_NAMESPACE, NULL, false, 0, NULL, "answers stand in namespaces of somebody else" },
	{ "endless",           ORDER_ENDLESS, NULL, false, 0, NULL, "answers after the login never end" },
	{ "gzip",              ORDER_GZIP, NULL, false, 0, NULL, "answers are packed though nobody asked" },
	{ "cookies",           ORDER_COOKIES, NULL, false, 0, NULL, "answers set cookies, and want them back" },
	{ "no-answer",         ORDER_SILENT_REQUEST, NULL, false, 0, NULL, "requests to EWS are never answered" },
	{ "drop",              ORDER_DROP, NULL, false, 0, NULL, "the connection is cut instead of an answer" },

	{ "certificate-expired",    ORDER_CERTIFICATE, NULL, false, FLAW_EXPIRED, NULL, "the server's certificate has expired" },
	{ "certificate-not-yet",    ORDER_CERTIFICATE, NULL, false, FLAW_NOT_YET, NULL, "it is not valid yet" },
	{ "certificate-wrong-name", ORDER_CERTIFICATE, NULL, false, FLAW_WRONG_NAME, NULL, "it is for other names" },
	{ "certificate-common-name", ORDER_CERTIFICATE, NULL, false, FLAW_NAME_IN_SUBJECT, NULL, "its name stands only in the subject" },
	{ "certificate-self-signed", ORDER_CERTIFICATE, NULL, false, FLAW_SELF_SIGNED, NULL, "it signs itself" },
	{ "certificate-other-authority", ORDER_CERTIFICATE, NULL, false, FLAW_OTHER_AUTHORITY, NULL, "an authority that nobody trusts signed it" },
	{ "certificate-no-issuer",  ORDER_CERTIFICATE, NULL, false, FLAW_NO_ISSUER, NULL, "its intermediate is not sent" },
	{ "certificate-weak",       ORDER_CERTIFICATE, NULL, false, FLAW_WEAK, NULL, "its key has 1024 bits" },
	{ "old-tls",           ORDER_OLD_TLS, NULL, false, 0, NULL, "TLS 1.0 and 1.1 only" },
	{ "refused",           ORDER_REFUSED, NULL, false, 0, NULL, "nothing listens on the server's port" },
	{ "vanish",            ORDER_VANISH, NULL, false, 0, NULL, "packets to the server's port vanish" },
	{ "silent",            ORDER_SILENT, NULL, false, 0, NULL, "connections are taken, and nothing is ever said" },
	{ "reset",             ORDER_RESET, NULL, false, 0, NULL, "connections are cut at once" },
	{ "no-host",           ORDER_NO_HOST, NULL, false, 0, NULL, "the server's name does not exist" },
	{ "dns-failure",       ORDER_DNS_FAILS, NULL, false, 0, NULL, "SERVFAIL for the server's name" },
	{ "dns-silent",        ORDER_DNS_SILENT, NULL, false, 0, NULL, "no answer for the server's name" },

	{ "autodiscover-off",  ORDER_AUTO_OFF, NULL, false, 0, NULL, "404 on every form of Autodiscover, and no host for it" },
	{ "autodiscover-no-v2", ORDER_AUTO_NO_V2, NULL, false, 0, NULL, "404 on its JSON form" },
	{ "autodiscover-error", ORDER_AUTO_ERROR, "CODE", false, 0, NULL, "an <Error>: 500, 501, 600, 601, 603" },
	{ "autodiscover-address", ORDER_AUTO_ADDRESS, "ADDRESS", true, 0, NULL, "redirectAddr" },
	{ "autodiscover-url",  ORDER_AUTO_URL, "URL", true, 0, NULL, "redirectUrl" },
	{ "autodiscover-http", ORDER_AUTO_HTTP, NULL, false, 0, NULL, "only plain http answers, and redirects" },
	{ "autodiscover-srv",  ORDER_AUTO_SRV, NULL, false, 0, NULL, "only the SRV record leads to it" },
	{ "autodiscover-ews",  ORDER_AUTO_EWS_URL, "URL", true, 0, NULL, "it names this URL for EWS" },

	/* Microsoft's cloud (--microsoft) */
	{ "aadsts",            ORDER_AADSTS, "NUMBER", true, 0, NULL, "the token endpoint refuses with this number" },
	{ "authorize-aadsts",  ORDER_AUTHORIZE_AADSTS, "NUMBER", true, 0, NULL, "the sign-in ends with this number: sent back, or on Microsoft's own page" },
	{ "admin-approval",    ORDER_ADMIN_APPROVAL, NULL, false, 0, NULL, "\"Need admin approval\", until an administrator has consented" },
	{ "assignment",        ORDER_ASSIGNMENT, NULL, false, 0, NULL, "once that is done, users still have to be assigned to the application (50105)" },
	{ "admin-consent",     ORDER_ADMIN_CONSENT, "HOW", true, 0, NULL, "how that ends: documented, other-directory or unregistered" },
	{ "session",           ORDER_SESSION, "ADDRESS", true, 0, NULL, "the browser is signed in as this one already" },
	{ "wrong-account",     ORDER_WRONG_ACCOUNT, NULL, false, 0, NULL, "whoever is chosen, the tokens are another one's" },
	{ "no-tenant",         ORDER_NO_TENANT, NULL, false, 0, NULL, "nobody knows the organisation" },
	{ "token-throttled",   ORDER_TOKEN_BUSY, "SECONDS", false, 429, NULL, "429 from the token endpoint, with Retry-After (0: without)" },
	{ "token-unavailable", ORDER_TOKEN_BUSY, "SECONDS", false, 503, NULL, "503, the same" },
	{ "token-page",        ORDER_TOKEN_HTML, NULL, false, 0, NULL, "a page instead of its JSON" },
	{ "token-cut",         ORDER_TOKEN_CUT, "BYTES", false, 0, NULL, "its answer ends in the middle" },
	{ "token-lost",        ORDER_TOKEN_LOST, NULL, false, 0, NULL, "the connection is cut once all is done" },
	{ "old-refresh-ends",  ORDER_OLD_REFRESH_ENDS, NULL, false, 0, NULL, "a refresh token is good for one refresh" },
	{ "token-life",        ORDER_TOKEN_LIFE, "SECONDS", true, 0, NULL, "how long access tokens live" },
	{ "token-expired",     ORDER_TOKEN_EXPIRED, NULL, false, 0, NULL, "they have ended already, though nobody says so" },
	{ "id-token",          ORDER_ID_TOKEN, "FLAW", true, 0, NULL, "of signature, none, algorithm, key, nonce, audience, party, tenant, issuer, user, expired, early, cut, absent" },
	{ "scopes",            ORDER_SCOPES, "LIST", true, 0, NULL, "all that is granted, with commas between" },
	{ "no-refresh-token",  ORDER_NO_REFRESH, NULL, false, 0, NULL, "no refresh token is given" },
	{ "slow-down",         ORDER_SLOW_DOWN, NULL, false, 0, NULL, "whoever asks for a device's token asks too often" },
	{ "device-aadsts",     ORDER_DEVICE_AADSTS, "NUMBER", true, 0, NULL, "its code is refused with this number, whoever has signed in with it" },
	{ "device-interval",   ORDER_DEVICE_INTERVAL, "SECONDS", true, 0, NULL, "how often it may ask" },
	{ "client-certificate", ORDER_CLIENT_CERTIFICATE, "FILE", true, 0, NULL, "no fault: a certificate (PEM) that is registered for the application besides its secret" },
	{ "personal",          ORDER_PERSONAL, NULL, false, 0, NULL, "the accounts are no organisation's" },
	{ "guest",             ORDER_GUEST, NULL, false, 0, NULL, "they are guests from elsewhere" },
	{ "synced",            ORDER_SYNCED, NULL, false, 0, NULL, "they come from a directory of the organisation's own" },
	{ "plan",              ORDER_PLAN, "STATUS", true, 0, NULL, "of the plan for Exchange: Enabled, Suspended, Warning, LockedOut, none" },
	{ "made-up-sender",    ORDER_MADE_UP, NULL, false, 0, NULL, "mail leaves as outlook_0123456789ABCDEF@outlook.com" },
	{ "mx",                ORDER_MX, "HOST", true, 0, NULL, "where the domain's mail goes" },
	{ "imap",              ORDER_IMAP, "HOST", true, 0, NULL, "the domain announces that its mailboxes are opened there by IMAP" },
	{ "graph",             ORDER_GRAPH, "CODE[:STATUS][@PATH]", true, 0, NULL, "Graph refuses what has PATH in it, or all about the mailbox" },
	{ "graph-text",        ORDER_GRAPH_TEXT, "TEXT", true, 0, NULL, "with this message" },
	{ "graph-retry-after", ORDER_GRAPH_RETRY, "SECONDS", true, 0, NULL, "and Retry-After" },
	{ "graph-page",        ORDER_GRAPH_PAGE, "STATUS", false, 0, NULL, "a page instead of Graph's JSON" },
	{ "graph-cut",         ORDER_GRAPH_CUT, "BYTES", false, 0, NULL, "its answers end in the middle" },
	{ "graph-slow",        ORDER_GRAPH_SLOW, "MS", true, 0, NULL, "they come that much later; four of a mailbox at a time" },
	{ "audience",          ORDER_AUDIENCE, NULL, false, 0, NULL, "the token is not for Graph" },
	{ "claims-challenge",  ORDER_CLAIMS, NULL, false, 0, NULL, "the token was revoked, and Graph says what to ask for" },
	{ "next-elsewhere",    ORDER_NEXT_ELSEWHERE, "HOST", false, 0, NULL, "the link to a next page leads to another host" },
	{ "delta-gone",        ORDER_DELTA_GONE, NULL, false, 0, NULL, "410: what was told is forgotten" },
	{ "lifecycle",         ORDER_LIFECYCLE, "EVENT", true, 0, NULL, "whoever subscribes is told reauthorizationRequired, subscriptionRemoved or missed" },
	{ "no-notices",        ORDER_NO_NOTICES, NULL, false, 0, NULL, "what happens is not told" },
	{ "subscription-life", ORDER_SUBSCRIPTION_LIFE, "SECONDS", true, 0, NULL, "how long subscriptions, and Gmail's watches, live" },

	/* plain mailboxes (--imap): domains and hosts */
	{ "no-domain",         ORDER_NO_DOMAIN, NULL, false, 0, NULL, "the domain does not exist" },
	{ "domain-failure",    ORDER_DOMAIN_FAILS, NULL, false, 0, NULL, "SERVFAIL for the domain" },
	{ "domain-silent",     ORDER_DOMAIN_SILENT, NULL, false, 0, NULL, "no answer for the domain" },
	{ "null-mx",           ORDER_NULL_MX, NULL, false, 0, NULL, "the domain says that it has no mail" },
	{ "no-mx",             ORDER_NO_MX, NULL, false, 0, NULL, "the domain has neither a mail exchanger nor an address" },
	{ "imap-not-offered",  ORDER_NOT_OFFERED, NULL, false, 0, NULL, "the domain says that it offers no IMAP" },
	{ "private-address",   ORDER_PRIVATE_ADDRESS, NULL, false, 0, NULL, "the server's name leads into somebody's private network" },
	{ "captive",           ORDER_CAPTIVE, NULL, false, 0, NULL, "every name leads to a sign-in page of the network's" },
	{ "egress-blocked",    ORDER_EGRESS, NULL, false, 0, NULL, "packets to ports of mail vanish, whoever's they are" },
	{ "clock",             ORDER_CLOCK, "HOURS", true, 0, NULL, "by how much everybody else's clock is ahead of this machine's" },
	{ "certificate-revoked",   ORDER_CERTIFICATE, NULL, false, FLAW_REVOKED, NULL, "it was revoked, and the server says so itself" },
	{ "certificate-inspected", ORDER_CERTIFICATE, NULL, false, FLAW_INSPECTED, NULL, "a firewall made it" },
	{ "client-certificate-wanted", ORDER_CLIENT_WANTED, NULL, false, 0, NULL, "nobody without a certificate of his own comes in" },
	{ "plain-ports",       ORDER_PLAIN_PORTS, NULL, false, 0, NULL, "993 and 465 speak without TLS" },
	{ "tls-ports",         ORDER_TLS_AT_ONCE, NULL, false, 0, NULL, "143 and 587 are announced, and want TLS at once" },
	{ "starttls-only",     ORDER_STARTTLS_ONLY, NULL, false, 0, NULL, "no fault: 143 and 587 are announced" },
	{ "no-starttls",       ORDER_NO_STARTTLS, NULL, false, 0, NULL, "143 and 587 are announced, and offer no TLS" },
	{ "starttls-stripped", ORDER_STRIPPED, NULL, false, 0, NULL, "a firewall on the way strikes out the offer" },
	{ "speaks",            ORDER_SPEAKS, "PROTOCOL", true, 0, NULL, "at the ports of mail something else is spoken: http, pop3, smtp, imap, ftp, ssh or noise" },

	/* what is said by IMAP; each also by a text of its own */
	{ "imap-greeting",     ORDER_WORDS, "TEXT", true, STAGE_GREETING, NULL, "the server greets so, and hangs up" },
	{ "imap-bye",          ORDER_WORDS, NULL, false, STAGE_GREETING, "* BYE Server is shutting down for maintenance.", "it greets with BYE" },
	{ "imap-banned",       ORDER_WORDS, NULL, false, STAGE_GREETING, "* BYE Your IP address is blocked.", "it has blocked this address" },
	{ "imap-login",        ORDER_WORDS, "TEXT", true, STAGE_LOGIN, NULL, "a sign-in is answered so: \"NO [CODE] words\"" },
	{ "imap-refused",      ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [AUTHENTICATIONFAILED] Authentication failed.", "a password is refused, without a reason" },
	{ "imap-app-password", ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)", "an app password is wanted" },
	{ "imap-web-login",    ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "* NO [WEBALERT https://accounts.google.com/signin/continue?sarp=1&scc=1] Web login required.\n"
	  "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)", "a sign-in in the browser is wanted" },
	{ "imap-off",          ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)",
	  "IMAP is switched off in the mailbox's settings" },
	{ "imap-off-by-admin", ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)",
	  "IMAP is switched off for the domain" },
	{ "imap-off-zoho",     ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [ALERT] You are yet to enable IMAP for your account. Please contact your administrator (Failure)", "the same, in Zoho's words" },
	{ "imap-gmail-off",    ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [ALERT] Lookup failed (Failure)", "at Gmail: the service is off for the account" },
	{ "imap-no-basic-auth", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [AUTHENTICATIONFAILED] LOGIN failed. BasicAuthBlocked", "passwords are not taken any more" },
	{ "imap-login-disabled", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [CONTACTADMIN] Login disabled for this user", "an administrator has locked the user out" },
	{ "imap-password-expired", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [EXPIRED] Password has expired", "the password has run out" },
	{ "imap-not-authorized", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [AUTHORIZATIONFAILED] Authorization failed", "right password, no right" },
	{ "imap-account-locked", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO Login failed: your account is locked", "the account is locked" },
	{ "imap-account-disabled", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO Login failed: your account is disabled", "the account is disabled" },
	{ "imap-ip-not-allowed", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO Login failed: not allowed from your IP address", "not from this address" },
	{ "imap-backend-down", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [UNAVAILABLE] Temporary authentication failure. [mail:2026-11-22 15:00:00]",
	  "whoever checks passwords does not answer" },
	{ "imap-too-many-attempts", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [LIMIT] LOGIN Rate limit hit.", "too many attempts" },
	{ "imap-too-many-connections", ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", "too many connections" },
	{ "imap-traffic",      ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", "too much was fetched" },
	{ "imap-throttled",    ORDER_WORDS, NULL, false, STAGE_LOGIN, "BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds", "Exchange asks for patience" },
	{ "imap-tls-required", ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [PRIVACYREQUIRED] Cleartext authentication disallowed on non-secure (SSL/TLS) connections.", "a server behind a gateway sees no TLS" },
	{ "imap-no-smtp-address", ORDER_WORDS, NULL, false, STAGE_LOGIN, "NO LOGIN failed:\"\";Msg=NoPrimarySmtpAddress", "Exchange: no primary address" },
	{ "imap-server-bug",   ORDER_WORDS, NULL, false, STAGE_LOGIN,
	  "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.", "a fault of the server's own" },
	{ "imap-schemes",      ORDER_IMAP_SCHEMES, "LIST", true, 0, NULL, "how one may sign in, and LOGIN is not among it: XOAUTH2,GSSAPI" },
	{ "imap-list",         ORDER_WORDS, "TEXT", true, STAGE_LIST, NULL, "the folders are asked for, and it says so" },
	{ "imap-open",         ORDER_WORDS, "TEXT", true, STAGE_OPEN, NULL, "a folder is opened, and it says so" },
	{ "imap-not-connected", ORDER_WORDS, NULL, false, STAGE_OPEN, "BAD User is authenticated but not connected.", "Exchange: signed in, and no mailbox" },
	{ "imap-no-permission", ORDER_WORDS, NULL, false, STAGE_OPEN, "NO [NOPERM] Permission denied", "no right to the inbox" },
	{ "imap-over-quota",   ORDER_WORDS, NULL, false, STAGE_OPEN, "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)", "the mailbox is full" },
	{ "imap-unsafe-login", ORDER_WORDS, NULL, false, STAGE_OPEN, "NO SELECT Unsafe Login. Please contact kefu@188.com for help", "NetEase wants to be told who it was" },
	{ "imap-no-inbox",     ORDER_NO_INBOX, NULL, false, 0, NULL, "there is no INBOX" },

	/* what is said by SMTP */
	{ "smtp-greeting",     ORDER_WORDS, "TEXT", true, STAGE_SMTP_GREETING, NULL, "the server greets so, and hangs up" },
	{ "smtp-busy",         ORDER_WORDS, NULL, false, STAGE_SMTP_GREETING, "421 4.3.2 Service not available, closing transmission channel", "not now" },
	{ "smtp-banned",       ORDER_WORDS, NULL, false, STAGE_SMTP_GREETING, "554 5.7.1 Your IP address is blocked due to poor reputation", "not from this address" },
	{ "smtp-no-auth",      ORDER_SMTP_NO_AUTH, NULL, false, 0, NULL, "no sign-in is offered" },
	{ "smtp-schemes",      ORDER_SMTP_SCHEMES, "LIST", true, 0, NULL, "how one may sign in: XOAUTH2,GSSAPI" },
	{ "smtp-login",        ORDER_WORDS, "TEXT", true, STAGE_SMTP_LOGIN, NULL, "a sign-in is answered so: \"535 5.7.8 words\"" },
	{ "smtp-refused",      ORDER_WORDS, NULL, false, STAGE_SMTP_LOGIN, "535 5.7.8 Error: authentication failed", "a password is refused, without a reason" },
	{ "smtp-auth-off",     ORDER_WORDS, NULL, false, STAGE_SMTP_LOGIN,
	  "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.",
	  "Microsoft: submission is switched off" },
	{ "smtp-no-basic-auth", ORDER_WORDS, NULL, false, STAGE_SMTP_LOGIN, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
	  "Microsoft: passwords are not taken any more" },
	{ "smtp-policy",       ORDER_WORDS, NULL, false, STAGE_SMTP_LOGIN,
	  "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
	  "Microsoft: a policy stands before it" },
	{ "smtp-app-password", ORDER_WORDS, NULL, false, STAGE_SMTP_LOGIN,
	  "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor a640c23a62f3a-gsmtp",
	  "an app password is wanted" },
	{ "smtp-mail",         ORDER_WORDS, "TEXT", true, STAGE_MAIL, NULL, "what MAIL is answered with" },
	{ "smtp-send-as",      ORDER_WORDS, NULL, false, STAGE_DATA,
	  "554 5.2.252 SendAsDenied; login@contoso.example not allowed to send as another@contoso.example; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
	  "Exchange: no right to send as this sender" },
	{ "smtp-not-owned",    ORDER_WORDS, NULL, false, STAGE_MAIL, "553 5.7.1 Sender address rejected: not owned by user", "Postfix: the same" },
	{ "smtp-sender",       ORDER_WORDS, NULL, false, STAGE_MAIL, "550 5.1.7 Sender address rejected", "the sender is refused" },
	{ "smtp-blocked",      ORDER_WORDS, NULL, false, STAGE_MAIL, "550 5.7.501 Access denied, spam abuse detected", "the mailbox may not send any more" },
	{ "smtp-thread-limit", ORDER_WORDS, NULL, false, STAGE_DATA, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "too much at a time" },
	{ "smtp-daily-limit",  ORDER_WORDS, NULL, false, STAGE_DATA,
	  "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to https://support.google.com/a/answer/166852",
	  "enough for today" },
	{ "smtp-rcpt",         ORDER_WORDS, "TEXT", true, STAGE_RCPT, NULL, "what RCPT is answered with" },
	{ "smtp-relay",        ORDER_WORDS, NULL, false, STAGE_RCPT, "554 5.7.1 Relay access denied", "nothing for outside" },
	{ "smtp-recipient",    ORDER_WORDS, NULL, false, STAGE_RCPT, "550 5.1.1 Recipient address rejected: User unknown in virtual mailbox table", "there is no such recipient" },
	{ "smtp-mailbox-full", ORDER_WORDS, NULL, false, STAGE_RCPT, "552 5.2.2 Mailbox full", "the recipient's mailbox is full" },
	{ "smtp-greylisted",   ORDER_WORDS, NULL, false, STAGE_RCPT, "450 4.2.0 Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/", "later, perhaps" },
	{ "smtp-data",         ORDER_WORDS, "TEXT", true, STAGE_DATA, NULL, "what a message is answered with" },
	{ "smtp-spam",         ORDER_WORDS, NULL, false, STAGE_DATA, "554 5.7.1 Message rejected as spam by Content Filtering.", "taken for spam" },
	{ "smtp-size",         ORDER_WORDS, NULL, false, STAGE_DATA, "552 5.3.4 Message size exceeds fixed maximum message size", "too large" },
	{ "smtp-rewrites",     ORDER_SMTP_REWRITES, "ADDRESS", true, 0, NULL, "mail leaves as this sender" },

	/* Google (--google) */
	{ "google-page",       ORDER_GOOGLE_PAGE, "CODE", true, 0, NULL, "the sign-in ends on Google's own page with this code, and nobody comes back" },
	{ "google-error",      ORDER_GOOGLE_ERROR, "ERROR", true, 0, NULL, "whoever signs in is sent back with this error" },
	{ "google-unticked",   ORDER_GOOGLE_UNTICKED, "LIST", true, 0, NULL, "boxes that are not ticked, by the last word of their scopes: gmail.modify,calendar" },
	{ "google-token",      ORDER_GOOGLE_TOKEN, "WORD", true, 0, NULL, "the token endpoint refuses: expired, invalid_rapt, policy_enforced, admin_policy_enforced, wrong-secret, unauthorized_client and others" },
	{ "google-age",        ORDER_GOOGLE_AGE, "DAYS", true, 0, NULL, "the token files are of people who agreed so long ago" },
	{ "google",            ORDER_GOOGLE, "WORD[@PATH]", true, 0, NULL, "Gmail or Calendar refuses what has PATH in it: gmail-off, notACalendarUser, accessNotConfigured, domainPolicy, rateLimitExceeded and others" },
	{ "google-retry-after", ORDER_GOOGLE_RETRY, "SECONDS", true, 0, NULL, "and Retry-After" },
	{ "google-html",       ORDER_GOOGLE_HTML, "STATUS", false, 0, NULL, "a page instead of its JSON" },
	{ "google-cut",        ORDER_GOOGLE_CUT, "BYTES", false, 0, NULL, "its answers end in the middle" },
	{ "push-token",        ORDER_PUSH_TOKEN, "WORD", true, 0, NULL, "what is wrong with the token that comes with a push: audience, account, expired, issuer, signature, unverified, none" },
	{ "google-slow",       ORDER_GOOGLE_SLOW, "MS", true, 0, NULL, "they come that much later" },

	/* calendars by CalDAV (--caldav); no-calendar, calendar-denied, wrong-password, names and what spoils answers are theirs too */
	{ "caldav",            ORDER_DAV, "STATUS[:CONDITION][@WHERE]", true, 0, NULL, "it refuses with this: at a method or report of that name, \"before\" the sign-in, or all after it" },
	{ "caldav-retry-after", ORDER_DAV_RETRY, "SECONDS", true, 0, NULL, "and Retry-After" },
	{ "caldav-page",       ORDER_DAV_PAGE, "STATUS", false, 0, NULL, "a page of a web site in its place (200)" },
	{ "caldav-sign-in",    ORDER_DAV_SIGN_IN, "page", false, 0, NULL, "all is sent on to a sign-in for people at sso.DOMAIN; page: its form comes at once" },
	{ "caldav-redirect",   ORDER_DAV_REDIRECT, "URL", true, 0, NULL, "all is sent on to there" },
	{ "caldav-circle",     ORDER_DAV_CIRCLE, NULL, false, 0, NULL, "it is sent round and round" },
	{ "caldav-schemes",    ORDER_DAV_SCHEMES, "LIST", true, 0, NULL, "what is offered: of basic,digest,digest-sha256,bearer,negotiate" },
	{ "caldav-stale",      ORDER_DAV_STALE, NULL, false, 0, NULL, "nonces are too old as soon as they come back" },
	{ "caldav-app-password", ORDER_DAV_APP_PASSWORD, NULL, false, 0, NULL, "only a password for programs is taken" },
	{ "caldav-nobody",     ORDER_DAV_NOBODY, NULL, false, 0, NULL, "207, but nobody is signed in" },
	{ "caldav-maintenance", ORDER_DAV_MAINTENANCE, NULL, false, 0, NULL, "503, as Nextcloud says that it is being maintained" },
	{ "caldav-no-home",    ORDER_DAV_NO_HOME, NULL, false, 0, NULL, "it does not say where one's calendars are" },
	{ "caldav-home",       ORDER_DAV_HOME, "URL", true, 0, NULL, "it says that they are there" },
	{ "caldav-read-only",  ORDER_DAV_READ_ONLY, NULL, false, 0, NULL, "calendars may be read, and no more" },
	{ "caldav-only-tasks", ORDER_DAV_ONLY_TASKS, NULL, false, 0, NULL, "there is a list of tasks, and no calendar for events" },
	{ "caldav-no-sync",    ORDER_DAV_NO_SYNC, NULL, false, 0, NULL, "it has no sync-collection" },
	{ "caldav-token-gone", ORDER_DAV_TOKEN_GONE, NULL, false, 0, NULL, "sync tokens are forgotten" },
	{ "caldav-parts",      ORDER_DAV_PARTS, "N", true, 0, NULL, "changes are told so many at a time, with 507" },
	{ "caldav-no-etag",    ORDER_DAV_NO_ETAG, NULL, false, 0, NULL, "no ETag in the answer to a PUT" },
	{ "caldav-zone",       ORDER_DAV_ZONE, "HOW", true, 0, NULL, "what comes back has another time zone: unknown, broken, lost or shifted" },
	{ "caldav-contradiction", ORDER_DAV_CONTRADICTION, NULL, false, 0, NULL, "what is there is told as gone, and with its properties" },
	{ "caldav-many",       ORDER_DAV_MANY, "N", true, 0, NULL, "no fault: so many events in the calendar" },
	{ "caldav-no-srv",     ORDER_DAV_NO_SRV, NULL, false, 0, NULL, "only the domain's own host leads to it" },
	{ "caldav-hidden",     ORDER_DAV_HIDDEN, NULL, false, 0, NULL, "nothing does" },
	{ "caldav-not-offered", ORDER_DAV_NOT_OFFERED, NULL, false, 0, NULL, "SRV says that there is none" },
};

static const struct order_row any_code = {
	"OPERATION:CODE", ORDER_CODE, "TEXT", false, 0, NULL, "that operation answers with this ResponseCode, \"*\" is any",
};

const struct order_row *order_at(size_t n)
{
	return n < COUNT(rows) ? &rows[n] : n == COUNT(rows) ? &any_code : NULL;
}

/* -- what was ordered --------------------------------------------------------------------------------------------- */

static const struct order_row *row_named(struct slice name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (slice_equal(slice_str(rows[i].name), name))
			return &rows[i];
	return memchr(name.at, ':', name.len) ? &any_code : NULL;
}

/* What a row is short for, or what was typed: "GetFolder:ErrorAccessDenied". What stood behind "=" is the text. */
static void set_code(struct ordered *o, struct arena *arena, struct slice name)
{
	struct slice rest = o->row->what ? slice_str(o->row->what) : name;

	o->text = o->value;
	o->operation = arena_copy(arena, slice_cut(&rest, ':'));
	o->value = arena_copy(arena, rest);
}

/* What stands before the first "/", unless that belongs to a value; nothing: it is everybody's. */
static struct slice cut_whose(struct slice *rest)
{
	const char  *slash = memchr(rest->at, '/', rest->len);
	struct slice whose = slice(rest->at, slash ? (size_t)(slash - rest->at) : 0);

	if (!whose.len || memchr(whose.at, '=', whose.len) || memchr(whose.at, ':', whose.len))
		return slice(NULL, 0);
	*rest = slice_from(*rest, whose.len + 1);
	return whose;
}

bool orders_add(struct orders *all, struct arena *arena, const char *text, struct error *err)
{
	struct ordered *o = &all->list[all->count];
	const char     *hash = strrchr(text, '#');
	unsigned long long times = 0;
	struct slice    rest = slice_str(text), whose, name;

	if (all->count == ORDERS_MOST)
		return fail(err, FAULT_TOO_BIG, "more than %d faults", ORDERS_MOST);
	if (hash && slice_number(slice_str(hash + 1), 1000000, &times))
		rest.len = (size_t)(hash - text);
	whose = cut_whose(&rest);
	if (whose.len > ORDERS_LONGEST_WHOSE)
		return fail(err, FAULT_TOO_BIG, "an address of more than %d letters", ORDERS_LONGEST_WHOSE);
	name = slice_cut(&rest, '=');
	*o = (struct ordered){ .row = row_named(name), .left = (unsigned)times };
	if (!o->row)
		return fail(err, FAULT_MALFORMED, "there is no fault \"%.*s\"; --faults lists them", (int)name.len, name.at);
	if (rest.at && !o->row->value)
		return fail(err, FAULT_MALFORMED, "%s takes no value", o->row->name);
	if (!rest.at && o->row->needs_value)
		return fail(err, FAULT_MALFORMED, "%s needs a value: %s=%s", o->row->name, o->row->name, o->row->value);
	if (whose.len)
		o->whose = arena_copy(arena, whose);
	if (rest.at)
		o->value = arena_copy(arena, rest);
	if (o->row->order == ORDER_CODE)
		set_code(o, arena, name);
	all->count++;
	return true;
}

/* -- for whom ----------------------------------------------------------------------------------------------------- */

void orders_serve(struct orders *all, const char *address)
{
	snprintf(all->address, sizeof all->address, "%s", address ? address : "");
}

void orders_serve_host(struct orders *all, const char *host)
{
	snprintf(all->host, sizeof all->host, "%s", host ? host : "");
}

static bool is_at(const char *host, const char *domain)
{
	size_t all = strlen(host), end = strlen(domain);

	return all >= end && strcasecmp(host + all - end, domain) == 0 && (all == end || host[all - end - 1] == '.');
}

static bool is_for(const struct ordered *o, const char *address, const char *host)
{
	if (o->spent)
		return false;
	return !o->whose || (strchr(o->whose, '@') ? strcasecmp(o->whose, address) == 0 : is_at(host, o->whose));
}

bool orders_in_force(const struct orders *all, const struct ordered *o)
{
	return is_for(o, all->address, all->host);
}

static struct ordered *first_for(struct orders *all, enum order order, const char *address, const char *host)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].row->order == order && is_for(&all->list[i], address, host))
			return &all->list[i];
	return NULL;
}

struct ordered *orders_has(struct orders *all, enum order order)
{
	return first_for(all, order, all->address, all->host);
}

struct ordered *orders_of(struct orders *all, const char *address, enum order order)
{
	return first_for(all, order, address, "");
}

bool orders_name(const struct orders *all, const char *address)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].whose && strcasecmp(all->list[i].whose, address) == 0)
			return true;
	return false;
}

struct ordered *orders_at(struct orders *all, const char *host, enum order order)
{
	return first_for(all, order, "", host);
}

static struct ordered *counted(struct ordered *o)
{
	if (o && o->left > 0 && --o->left == 0)
		o->spent = true;
	return o;
}

struct ordered *orders_take(struct orders *all, enum order order)
{
	return counted(orders_has(all, order));
}

struct ordered *orders_take_code(struct orders *all, const char *operation)
{
	for (size_t i = 0; i < all->count; i++) {
		struct ordered *o = &all->list[i];

		if (o->row->order == ORDER_CODE && orders_in_force(all, o) && (strcmp(o->operation, "*") == 0 || strcmp(o->operation, operation) == 0))
			return counted(o);
	}
	return NULL;
}
