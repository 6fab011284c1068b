/* replies.h -- what servers answer, and the cause: every literal reply of the fact sheet (G D.4, D.5, E.2).
 *
 * A row is one refused step of one session. tests/diagnose/replies.c judges it by facts made by hand, tests/provider/replies.c
 * plays it through the real sessions, whole and byte by byte, and judges what they recorded: both must come to the same.
 *
 *     LOGIN("imap.zoho.com", "NO [ALERT] Mailbox is hibernating", "auth.web_login_required", PROVEN, U, ""),
 *
 * The host; the reply without its tag; the cause's id; how certain; who acts (U user, A admin, P provider, O operator,
 * N nobody); the ids that it leaves open, with blanks between: PROVEN leaves none.
 *
 *     IMAP: LOGIN, TOKEN (with a challenge's status or NULL after the reply), AT_OPEN (EXAMINE), HELLO (no host)
 *     SMTP: AUTH, AUTH_T (by token), MAIL, RCPT, DATA, BANNER (no host)
 *     with an untagged line before it, or at another step: the whole row in braces
 */
#ifndef TESTS_REPLIES_H
#define TESTS_REPLIES_H

#include "diagnose/diagnose.h"
#include "test.h"

#define GMAIL   "imap.gmail.com"
#define OUTLOOK "outlook.office365.com"
#define YAHOO   "imap.mail.yahoo.com"
#define HOTMAIL "smtp-mail.outlook.com"
#define M365    "smtp.office365.com"
#define OWN     "mail.example.org"                /* nobody knows it */
#define BIRCH   "mail.birch.example"              /* an Exchange, known by its greeting only */

#define EXCHANGE_GREETING "* OK The Microsoft Exchange IMAP4 service is ready."

enum { BY_PASSWORD, BY_TOKEN };

struct row {
	const char    *host, *step;
	const char    *reply;                     /* without its tag; or how the line ended: "!closed" "!reset" "!timeout" */
	const char    *also;                      /* "* …": an untagged line before it; "{403": a challenge with that status;
	                                             of smtp.send: the stage */
	int            by;
	const char    *cause;
	enum certainty certainty;
	enum who       who;
	const char    *open;                      /* ids with blanks between: left open by this evidence */
};

/* -- the tables ------------------------------------------------------------------------------------------------------ */

#define U WHO_USER
#define A WHO_ADMIN
#define P WHO_PROVIDER
#define O WHO_OPERATOR
#define N WHO_NOBODY

#define LOGIN(host, reply, cause, certainty, who, open)  { host, "imap.login", reply, NULL, BY_PASSWORD, cause, certainty, who, open }
#define TOKEN(host, reply, also, cause, certainty, who, open)  { host, "imap.login", reply, also, BY_TOKEN, cause, certainty, who, open }
#define AT_OPEN(host, reply, cause, certainty, who, open) { host, "imap.open", reply, NULL, BY_PASSWORD, cause, certainty, who, open }
#define HELLO(reply, cause, certainty, who, open)         { OWN, "imap.greeting", reply, NULL, BY_PASSWORD, cause, certainty, who, open }

static const struct row imap_rows[] = {
	/* D.4 */
	LOGIN(OWN, "NO [AUTHENTICATIONFAILED] no", "auth.password_rejected", LIKELY, U, "auth.username_form auth.app_password_required imap.access_off"),
	LOGIN(OWN, "NO [AUTHORIZATIONFAILED] Authorization failed", "auth.not_authorized", PROVEN, A, ""),
	LOGIN(OWN, "NO [EXPIRED] That password isn't valid any more", "auth.password_expired", PROVEN, U, ""),
	LOGIN(OWN, "NO [PRIVACYREQUIRED] Connection offers no privacy", "tls.required", PROVEN, U, ""),
	LOGIN(OWN, "NO [CONTACTADMIN] Login disabled for this user", "auth.login_disabled", PROVEN, A, ""),
	LOGIN(OWN, "NO Login disabled for this user", "auth.login_disabled", PROVEN, A, ""),
	LOGIN(OWN, "NO [UNAVAILABLE] Temporary authentication failure. [mx1:2026-11-21 08:00:00]", "auth.backend_down", PROVEN, P, ""),
	LOGIN(OWN, "NO Temporary authentication failure.", "auth.backend_down", PROVEN, P, ""),
	AT_OPEN(OWN, "NO [INUSE] Mailbox in use", "server.unavailable", LIKELY, N, "imap.too_many_connections"),
	LOGIN(OWN, "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", "imap.too_many_connections", PROVEN, U, ""),
	LOGIN(OWN, "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", "imap.too_many_connections", PROVEN, U, ""),
	{ OWN, "imap.login", "!closed", "* BYE Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", BY_PASSWORD, "imap.too_many_connections", PROVEN, U, "" },
	LOGIN(OWN, "NO [LIMIT] Enough", "imap.too_many_connections", LIKELY, U, "auth.too_many_attempts"),
	AT_OPEN(OWN, "NO [OVERQUOTA] Quota exceeded", "mailbox.full", PROVEN, U, ""),
	AT_OPEN(OWN, "NO [NOPERM] Permission denied", "mailbox.not_permitted", PROVEN, A, ""),
	AT_OPEN(OWN, "NO [NONEXISTENT] Mailbox doesn't exist: INBOX", "mailbox.not_found", PROVEN, U, ""),
	AT_OPEN(OWN, "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.", "server.unavailable", PROVEN, P, ""),
	AT_OPEN(OWN, "NO [CORRUPTION] Mailbox is broken", "server.unavailable", LIKELY, P, ""),
	AT_OPEN(OWN, "NO [UNAVAILABLE] Backend is down", "server.unavailable", PROVEN, N, ""),
	AT_OPEN(OWN, "NO [THROTTLED] Slow down", "throttle.provider", PROVEN, N, ""),
	AT_OPEN(OWN, "NO [CANNOT] Never", "unknown.answer", PROVEN, O, ""),
	AT_OPEN(OWN, "NO [CLIENTBUG] You should not", "unknown.answer", PROVEN, O, ""),
	HELLO("* BYE Server is down for maintenance", "server.unavailable", LIKELY, N, "auth.ip_not_allowed imap.too_many_connections"),
	HELLO("* BYE [UNAVAILABLE] Not now", "server.unavailable", PROVEN, N, ""),
	HELLO("* BYE Your address is blocked", "auth.ip_not_allowed", LIKELY, A, "server.unavailable"),
	HELLO("* BYE [ALERT] Maximum connection limit reached for 192.0.2.9", "imap.too_many_connections", PROVEN, U, ""),
	HELLO("* BYE Too many connections, come back later", "imap.too_many_connections", LIKELY, U, "server.unavailable"),
	HELLO("* BYE Disconnected for inactivity.", "unknown.answer", PROVEN, O, ""),
	HELLO("* BYE Too many invalid IMAP commands.", "unknown.answer", PROVEN, O, ""),
	LOGIN("imap.qq.com", "BAD Login parameters!", "unknown.answer", PROVEN, O, ""),

	/* D.5 Gmail */
	LOGIN(GMAIL, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "auth.password_rejected", LIKELY, U, "auth.app_password_required auth.oauth_required imap.access_off_by_admin"),
	LOGIN(GMAIL, "NO [ALERT] Invalid credentials (Failure)", "auth.password_rejected", LIKELY, U, "auth.app_password_required"),
	TOKEN(GMAIL, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", NULL, "google.sign_in_again", LIKELY, U, "google.wrong_account google.scope_unticked imap.access_off_by_admin"),
	TOKEN(GMAIL, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "{403", "google.scope_unticked", LIKELY, U, "google.sign_in_again google.wrong_account"),
	LOGIN(GMAIL, "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)", "auth.app_password_required", PROVEN, U, ""),
	{ GMAIL, "imap.login", "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)",
	  "* NO [WEBALERT https://accounts.google.com/signin/continue?x] Web login required.", BY_PASSWORD, "auth.web_login_required", PROVEN, U, "" },
	LOGIN(GMAIL, "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)", "auth.web_login_required", PROVEN, U, ""),
	LOGIN(GMAIL, "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)", "imap.access_off", PROVEN, U, ""),
	LOGIN(GMAIL, "NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)", "imap.access_off_by_admin", PROVEN, A, ""),
	LOGIN(GMAIL, "NO Lookup failed", "google.gmail_off", PROVEN, A, ""),
	LOGIN(GMAIL, "NO [ALERT] Too many simultaneous connections. (Failure)", "imap.too_many_connections", PROVEN, U, ""),
	AT_OPEN(GMAIL, "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", "imap.traffic_exceeded", PROVEN, N, ""),
	{ GMAIL, "imap.open", "!closed", "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits.", BY_PASSWORD, "imap.traffic_exceeded", PROVEN, N, "" },
	LOGIN(GMAIL, "NO [UNAVAILABLE] Temporary problem", "auth.backend_down", PROVEN, P, ""),
	LOGIN(GMAIL, "NO System Error", "server.unavailable", LIKELY, P, "auth.backend_down"),
	{ GMAIL, "imap.login", "!closed", "* BYE Session expired, please login again.", BY_TOKEN, "google.sign_in_again", POSSIBLE, U, "server.unavailable" },
	TOKEN(GMAIL, "BAD Invalid SASL argument", NULL, "unknown.answer", PROVEN, O, ""),

	/* D.5 Microsoft */
	LOGIN(OUTLOOK, "NO LOGIN failed.", "auth.oauth_required", LIKELY, U, "auth.password_rejected imap.access_off_by_admin microsoft.conditional_access"),
	LOGIN("imap-mail.outlook.com", "NO LOGIN failed.", "auth.oauth_required", LIKELY, U, "auth.password_rejected"),
	LOGIN(BIRCH, "NO LOGIN failed.", "auth.password_rejected", LIKELY, U, "auth.username_form auth.login_disabled tls.required"),
	LOGIN(OUTLOOK, "NO AUTHENTICATE failed. BasicAuthBlocked", "auth.oauth_required", PROVEN, U, ""),
	TOKEN(OUTLOOK, "NO AUTHENTICATE failed.", NULL, "microsoft.scope_missing", LIKELY, U, "microsoft.wrong_account imap.access_off_by_admin microsoft.conditional_access"),
	AT_OPEN(OUTLOOK, "BAD User is authenticated but not connected.", "imap.connected_elsewhere_only", PROVEN, A, ""),
	AT_OPEN(OWN, "BAD User is authenticated but not connected.", "imap.connected_elsewhere_only", PROVEN, A, ""),
	LOGIN(OUTLOOK, "NO LOGIN failed:\"\";Msg=NoPrimarySmtpAddress", "mailbox.no_smtp_address", PROVEN, A, ""),
	AT_OPEN(OUTLOOK, "BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds", "throttle.provider", PROVEN, N, ""),
	HELLO("* BYE Connection is closed. 13", "server.unavailable", LIKELY, N, "imap.too_many_connections"),
	HELLO("* BYE Server is unavailable. 15", "server.unavailable", LIKELY, N, "imap.too_many_connections"),
	HELLO("* BYE Connection is closed. 14", "server.unavailable", LIKELY, N, "imap.too_many_connections"),
	{ OUTLOOK, "imap.open", "!closed", "* BYE Connection is closed. 14", BY_PASSWORD, "server.unavailable", LIKELY, P, "imap.too_many_connections" },

	/* D.5 Yahoo, AOL */
	LOGIN(YAHOO, "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN("imap.aol.com", "NO [AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN(YAHOO, "NO [AUTHENTICATIONFAILED] Incorrect username or password. (#AUTH012)", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN(OWN, "NO [AUTHENTICATIONFAILED] Incorrect username or password. (#MBR1212)", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN(YAHOO, "NO [AUTHENTICATIONFAILED] Incorrect username or password. (#MBR1212)", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN(YAHOO, "NO [AUTHENTICATIONFAILED] Incorrect username or password", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	TOKEN(YAHOO, "NO [AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials", NULL, "auth.password_rejected", POSSIBLE, U, "auth.not_authorized"),
	LOGIN(YAHOO, "NO Too many bad auth attempts", "auth.too_many_attempts", PROVEN, N, ""),
	LOGIN(YAHOO, "NO [LIMIT] LOGIN Rate limit hit", "auth.too_many_attempts", PROVEN, N, ""),
	LOGIN(YAHOO, "NO [LIMIT] not now", "auth.too_many_attempts", LIKELY, N, ""),
	LOGIN(YAHOO, "NO [SERVERBUG] SERVER BUG", "server.unavailable", PROVEN, P, ""),
	LOGIN(YAHOO, "NO [UNAVAILABLE] LOGIN Server error - Please try again later", "auth.backend_down", PROVEN, P, ""),
	LOGIN(YAHOO, "NO LOGIN failure OCF12", "server.unavailable", LIKELY, P, ""),
	LOGIN(YAHOO, "NO [INUSE] LOGIN in use", "server.unavailable", LIKELY, N, ""),

	/* D.5, other hosts */
	LOGIN("imap.mail.me.com", "NO [AUTHENTICATIONFAILED] Authentication failed", "auth.app_password_required", LIKELY, U, "auth.password_rejected auth.username_form"),
	LOGIN("imap.mail.me.com", "NO Login is not possible: see http://me.com/move", "auth.web_login_required", LIKELY, U, ""),
	LOGIN("imap.fastmail.com", "NO Incorrect username or password.", "auth.app_password_required", LIKELY, U, "auth.password_rejected imap.access_off"),
	LOGIN("imap.fastmail.com", "NO Incorrect username, password or access token.", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN("imap.zoho.com", "NO [ALERT] You are yet to enable IMAP for your account. Please contact your administrator (Failure)", "imap.access_off", LIKELY, U, "imap.access_off_by_admin"),
	LOGIN("imappro.zoho.eu", "NO [AUTHENTICATIONFAILED] Invalid credentials(Failure)", "auth.password_rejected", LIKELY, U, "auth.app_password_required auth.username_form"),
	LOGIN("imap.zoho.com", "NO [ALERT] Invalid credentials(Failure)", "auth.password_rejected", LIKELY, U, "auth.app_password_required"),
	LOGIN("imap.zoho.com", "NO [ALERT] Application-specific password required", "auth.app_password_required", PROVEN, U, ""),
	LOGIN("imap.yandex.com", "NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled sc=abc", "imap.access_off", LIKELY, U, "auth.app_password_required auth.password_rejected"),
	LOGIN("imap.yandex.com", "NO [AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials or IMAP is disabled", "imap.access_off", LIKELY, U, "auth.app_password_required auth.password_rejected"),
	LOGIN("imap.yandex.com", "NO [AUTHENTICATIONFAILED] AUTHENTICATE Ommm", "auth.account_locked", LIKELY, U, "auth.too_many_attempts"),
	LOGIN("imap.yandex.com", "NO [UNAVAILABLE] AUTHENTICATE internal server error", "auth.backend_down", PROVEN, P, ""),
	LOGIN("imap.mail.ru", "NO [AUTHENTICATIONFAILED] NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external/ / Application password is REQUIRED", "auth.app_password_required", PROVEN, U, ""),
	LOGIN("imap.mail.ru", "NO Authentication failed. Please verify your account by going to https://example.org", "auth.web_login_required", LIKELY, U, "auth.account_locked"),
	LOGIN("imap.mail.ru", "NO [AUTHENTICATIONFAILED] Authentication failed", "auth.password_rejected", LIKELY, U, "auth.account_locked"),
	LOGIN("imap.qq.com", "NO Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy. More information at https://help.mail.qq.com/detail/108/1023",
	      "auth.app_password_required", LIKELY, U, "imap.access_off auth.password_rejected auth.too_many_attempts"),
	LOGIN("imap.qq.com", "NO Please using authorized code to login.", "auth.app_password_required", PROVEN, U, ""),
	LOGIN("imap.qq.com", "NO Authorized code is incorrect", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN("imap.exmail.qq.com", "NO Login fail. Please using weixin token", "auth.app_password_required", PROVEN, U, ""),
	AT_OPEN("imap.163.com", "NO SELECT Unsafe Login. Please contact kefu@188.com for help", "auth.web_login_required", PROVEN, U, ""),
	LOGIN("imap.163.com", "NO LOGIN Login error or password error", "auth.app_password_required", LIKELY, U, "auth.password_rejected imap.access_off"),
	LOGIN(OWN, "NO LOGIN Login error or password error", "auth.app_password_required", LIKELY, U, "auth.password_rejected imap.access_off"),
	LOGIN("imap.gmx.net", "NO authentication failed", "imap.access_off", LIKELY, U, "auth.password_rejected auth.app_password_required"),
	LOGIN("imap.web.de", "NO authentication failed", "imap.access_off", LIKELY, U, "auth.password_rejected auth.app_password_required"),
	LOGIN("secureimap.t-online.de", "NO [AUTHENTICATIONFAILED] Login failed", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN("secureimap.t-online.de", "NO Login failed", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	LOGIN("imap.naver.com", "NO [AUTHENTICATIONFAILED] Authentication failed", "auth.password_rejected", LIKELY, U, "imap.access_off"),

	/* D.5, software */
	LOGIN(OWN, "NO [AUTHENTICATIONFAILED] Authentication failed.", "auth.password_rejected", LIKELY, U, "auth.username_form auth.app_password_required"),
	LOGIN(OWN, "NO [PRIVACYREQUIRED] Cleartext authentication disallowed on non-secure (SSL/TLS) connections.", "tls.required", PROVEN, U, ""),
	LOGIN(OWN, "NO Plaintext authentication disallowed on non-secure (SSL/TLS) connections.", "tls.required", PROVEN, U, ""),
	{ OWN, "imap.login", "NO not so", "* BAD [ALERT] Plaintext authentication not allowed without SSL/TLS, but your client did it anyway. If anyone was listening, the password was exposed.",
	  BY_PASSWORD, "tls.required", PROVEN, U, "" },
	LOGIN(OWN, "NO Login failed: authentication failure", "auth.password_rejected", LIKELY, U, "auth.username_form"),
	LOGIN(OWN, "NO Login failed: user not found", "auth.password_rejected", LIKELY, U, "auth.username_form"),
	LOGIN(OWN, "NO Login failed: generic failure", "auth.backend_down", LIKELY, A, "auth.password_rejected"),
	LOGIN(OWN, "NO no mechanism available", "auth.backend_down", PROVEN, A, ""),
	LOGIN(OWN, "NO authentication failure", "auth.password_rejected", LIKELY, U, ""),
	LOGIN(OWN, "NO Login only available under a layer", "tls.required", PROVEN, U, ""),
	LOGIN(OWN, "NO Too many connections from this user (or host)", "imap.too_many_connections", PROVEN, U, ""),
	LOGIN(OWN, "NO Login failed.", "auth.password_rejected", LIKELY, U, "auth.username_form auth.app_password_required auth.oauth_required"),
	LOGIN(OWN, "NO Error in IMAP command received by server.", "unknown.answer", PROVEN, O, ""),
	{ OWN, "imap.login", "NO LOGIN failed", "* BYE Zimbra IMAP server terminating connection", BY_PASSWORD, "auth.password_rejected", LIKELY, U, "auth.username_form" },
	LOGIN(OWN, "NO LOGIN failed: account must change password", "auth.password_expired", PROVEN, U, ""),
	LOGIN(OWN, "NO cleartext logins disabled", "tls.required", PROVEN, U, ""),
	LOGIN(OWN, "NO LOGIN GroupWise login failed", "auth.password_rejected", LIKELY, U, ""),
	LOGIN(OWN, "NO no such user", "auth.password_rejected", LIKELY, U, "auth.username_form"),
	LOGIN(OWN, "NO Incorrect login credentials", "auth.password_rejected", LIKELY, U, "auth.app_password_required"),
	LOGIN(OWN, "NO LOGIN authentication failed", "auth.password_rejected", LIKELY, U, ""),
	LOGIN(OWN, "NO Invalid user name or password.", "auth.password_rejected", LIKELY, U, ""),
	LOGIN(OWN, "NO Invalid email login", "auth.password_rejected", LIKELY, U, ""),
	LOGIN(OWN, "NO Go away", "auth.password_rejected", POSSIBLE, U, "auth.login_disabled"),
	LOGIN(OWN, "BAD internal server error", "server.unavailable", LIKELY, P, ""),
	{ OWN, "imap.login", "!closed", "* BAD internal server error", BY_PASSWORD, "server.unavailable", LIKELY, P, "" },
	LOGIN(OWN, "BAD Unknown command", "unknown.answer", PROVEN, O, ""),
	TOKEN("imap.fastmail.com", "NO Incorrect token", NULL, "auth.password_rejected", POSSIBLE, U, "auth.not_authorized"),
	LOGIN(OWN, "!closed", "server.unavailable", LIKELY, N, "auth.too_many_attempts"),
	AT_OPEN(OWN, "!timeout", "server.unavailable", LIKELY, N, ""),
	{ OWN, "imap.list", "!reset", "* BYE Shutting down", BY_PASSWORD, "server.unavailable", LIKELY, P, "imap.too_many_connections" },
};

#define AUTH(host, reply, cause, certainty, who, open)   { host, "smtp.login", reply, NULL, BY_PASSWORD, cause, certainty, who, open }
#define AUTH_T(host, reply, cause, certainty, who, open) { host, "smtp.login", reply, NULL, BY_TOKEN, cause, certainty, who, open }
#define MAIL(host, reply, cause, certainty, who, open)   { host, "smtp.send", reply, "mail", BY_PASSWORD, cause, certainty, who, open }
#define RCPT(host, reply, cause, certainty, who, open)   { host, "smtp.send", reply, "rcpt", BY_PASSWORD, cause, certainty, who, open }
#define DATA(host, reply, cause, certainty, who, open)   { host, "smtp.send", reply, "data", BY_PASSWORD, cause, certainty, who, open }
#define BANNER(reply, cause, certainty, who, open)       { OWN, "smtp.greeting", reply, NULL, BY_PASSWORD, cause, certainty, who, open }

static const struct row smtp_rows[] = {
	/* greetings (E.1) */
	BANNER("554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org", "auth.ip_not_allowed", LIKELY, A, "send.blocked"),
	BANNER("554 No SMTP service here", "auth.ip_not_allowed", LIKELY, A, "server.unavailable"),
	BANNER("421 4.3.2 Service not available, closing channel", "server.unavailable", LIKELY, N, "throttle.provider"),
	BANNER("421 4.3.2 System not accepting network messages", "server.unavailable", LIKELY, N, "throttle.provider"),
	BANNER("421 4.7.0 Try again later, closing connection.", "throttle.provider", LIKELY, N, "server.unavailable auth.too_many_attempts"),
	BANNER("421 too many connections from your host", "throttle.provider", LIKELY, N, "server.unavailable"),
	{ OWN, "smtp.ehlo", "550 5.7.1 HELO name refused", NULL, BY_PASSWORD, "unknown.answer", PROVEN, O, "" },
	{ OWN, "smtp.ehlo", "501 5.5.4 Invalid domain name", NULL, BY_PASSWORD, "unknown.answer", PROVEN, O, "" },
	{ OWN, "smtp.ehlo", "!timeout", NULL, BY_PASSWORD, "server.unavailable", LIKELY, N, "" },

	/* the sign-in */
	AUTH("smtp.gmail.com", "535 5.7.8 Username and Password not accepted. For more information, go to 5.7.8 https://support.google.com/mail/?p=BadCredentials x - gsmtp", "auth.password_rejected", LIKELY, U, "auth.app_password_required"),
	AUTH_T("smtp.gmail.com", "535 5.7.8 Username and Password not accepted. 5.7.8 https://support.google.com/mail/?p=BadCredentials x - gsmtp", "google.sign_in_again", LIKELY, U, "google.scope_unticked"),
	AUTH("smtp.gmail.com", "534 5.7.9 Application-specific password required. For more information, go to 5.7.9 https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp", "auth.app_password_required", PROVEN, U, ""),
	AUTH("smtp.gmail.com", "534 5.7.9 something new", "auth.app_password_required", PROVEN, U, ""),
	AUTH(OWN, "534 5.7.9 Authentication mechanism is too weak", "auth.no_common_scheme", LIKELY, O, ""),
	AUTH("smtp.gmail.com", "534 5.7.14 <https://accounts.google.com/signin/continue?[secret]> Please log in 5.7.14 via your web browser and then try again.", "auth.web_login_required", PROVEN, U, ""),
	AUTH("smtp.gmail.com", "535 5.7.1 Please log in with your web browser and then try again", "auth.web_login_required", PROVEN, U, ""),
	AUTH(OWN, "530 5.7.0 Must issue a STARTTLS command first.", "tls.required", PROVEN, U, ""),
	AUTH("smtp.gmail.com", "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later", "auth.backend_down", PROVEN, P, ""),
	AUTH("smtp.gmail.com", "454 4.7.0 Too many login attempts, please try again later.", "auth.too_many_attempts", PROVEN, N, ""),
	AUTH(OWN, "454 4.7.0 Temporary authentication failure: Connection lost", "auth.backend_down", PROVEN, P, ""),
	AUTH(OWN, "454 4.7.0 Not now", "auth.backend_down", LIKELY, P, "server.unavailable auth.too_many_attempts"),
	AUTH("smtp.gmail.com", "421 4.7.0 Try again later, closing connection.", "throttle.provider", LIKELY, N, "auth.too_many_attempts"),
	AUTH(OWN, "421 4.3.0 bye", "server.unavailable", LIKELY, N, "auth.backend_down"),
	AUTH(OWN, "538 5.7.11 Encryption required for requested authentication mechanism", "tls.required", PROVEN, U, ""),
	AUTH(OWN, "432 4.7.12 A password transition is needed", "unknown.answer", PROVEN, O, ""),
	AUTH(OWN, "503 5.5.1 AUTH not available", "smtp.auth_not_offered", LIKELY, U, "tls.required"),
	AUTH(OWN, "502 5.5.1 Unrecognized command", "smtp.auth_not_offered", LIKELY, U, ""),
	AUTH(OWN, "500 5.5.1 Unrecognized command", "smtp.auth_not_offered", LIKELY, U, ""),
	AUTH(M365, "504 5.7.4 Unrecognized authentication type", "auth.oauth_required", LIKELY, U, "smtp.auth_off"),
	AUTH(M365, "504 5.5.4 Unrecognized authentication type", "auth.oauth_required", LIKELY, U, "smtp.auth_off"),
	AUTH(OWN, "504 5.7.4 Unrecognized authentication type", "auth.no_common_scheme", LIKELY, O, "auth.oauth_required"),
	AUTH(M365, "535 5.7.3 Authentication unsuccessful [AM0PR04CA0024.eurprd04.prod.outlook.com]", "auth.oauth_required", LIKELY, U, "auth.password_rejected smtp.auth_off"),
	AUTH_T(M365, "535 5.7.3 Authentication unsuccessful", "microsoft.scope_missing", LIKELY, U, "smtp.auth_off microsoft.wrong_account"),
	AUTH(OWN, "535 5.7.3 Authentication unsuccessful", "auth.password_rejected", LIKELY, U, "auth.username_form auth.oauth_required"),
	AUTH(HOTMAIL, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [x.prod.outlook.com]", "auth.oauth_required", PROVEN, U, ""),
	AUTH(M365, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.", "smtp.auth_off", PROVEN, A, ""),
	AUTH_T(M365, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.", "smtp.auth_off", PROVEN, A, ""),
	AUTH(M365, "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.", "auth.oauth_required", LIKELY, U, "microsoft.conditional_access"),
	AUTH(M365, "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", "auth.password_rejected", LIKELY, U, "microsoft.mfa_required auth.oauth_required"),
	AUTH(M365, "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.", "microsoft.conditional_access", LIKELY, A, "auth.oauth_required"),
	AUTH(OWN, "535 5.7.139 Authentication unsuccessful", "smtp.auth_off", LIKELY, A, "auth.oauth_required auth.password_rejected"),
	AUTH(OWN, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", "auth.password_rejected", LIKELY, U, "auth.username_form"),
	AUTH("smtp.mail.ru", "535 5.7.0 NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external / Application password is REQUIRED", "auth.app_password_required", PROVEN, U, ""),
	AUTH(OWN, "535 5.7.0 Invalid login or password", "auth.password_rejected", LIKELY, U, ""),
	AUTH("smtp.qq.com", "535 Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.", "auth.app_password_required", LIKELY, U, "smtp.auth_off auth.password_rejected auth.too_many_attempts"),
	AUTH("smtp.163.com", "535 Error: authentication failed", "auth.app_password_required", LIKELY, U, "auth.password_rejected smtp.auth_off"),
	AUTH("smtp.163.com", "550 User has no permission", "smtp.auth_off", LIKELY, U, "auth.app_password_required"),
	AUTH("smtp.163.com", "554 DT:SPM 163 smtp1 Ip is rejected, smtp auth error limit exceed", "auth.too_many_attempts", PROVEN, N, ""),
	AUTH("smtp.mail.yahoo.com", "535 5.7.0 (#AUTH005) Too many bad auth attempts.", "auth.app_password_required", LIKELY, U, "auth.too_many_attempts auth.password_rejected"),
	AUTH(OWN, "535 5.7.0 (#AUTH005) Too many bad auth attempts.", "auth.app_password_required", LIKELY, U, "auth.too_many_attempts"),
	AUTH("smtp.aol.com", "535 5.7.0 (#AUTH012) Incorrect username or password", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	AUTH("smtp.mail.yahoo.com", "535 5.7.0 (#MBR1212) Incorrect username or password", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	AUTH("mail.gmx.net", "535 Authentication credentials invalid", "smtp.auth_off", LIKELY, U, "auth.password_rejected auth.app_password_required"),
	AUTH("smtp.ionos.de", "535 Authentication credentials invalid", "auth.password_rejected", LIKELY, U, ""),
	AUTH("smtp.zoho.com", "535 Authentication Failed", "auth.password_rejected", LIKELY, U, "auth.app_password_required"),
	AUTH(OWN, "535 Incorrect authentication data", "auth.password_rejected", LIKELY, U, "auth.username_form"),
	AUTH("smtp.mail.me.com", "535 5.7.8 Error: authentication failed", "auth.app_password_required", LIKELY, U, "auth.password_rejected"),
	AUTH(OWN, "525 5.7.13 User account disabled", "auth.account_disabled", PROVEN, A, ""),

	/* the message */
	MAIL("smtp.gmail.com", "530 5.7.0 Authentication Required. For more information, go to https://support.google.com/mail/?p=WantAuthError", "send.relay_denied", LIKELY, U, "smtp.auth_off"),
	MAIL(M365, "530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139", "send.relay_denied", LIKELY, U, "smtp.auth_off"),
	MAIL(OWN, "530 5.7.1 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", "send.relay_denied", LIKELY, U, "smtp.auth_off"),
	RCPT("smtp.gmail.com", "421 4.7.0 TLS required for RCPT domain, closing connection.", "send.recipient_rejected", LIKELY, O, ""),
	RCPT("smtp.gmail.com", "421 4.7.0 IP not in whitelist for RCPT domain, closing connection.", "send.recipient_rejected", LIKELY, O, ""),
	DATA(OWN, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "send.as_denied", PROVEN, A, ""),
	MAIL(OWN, "503 5.5.2 Need rcpt/mail command", "unknown.answer", PROVEN, O, ""),
	MAIL(OWN, "503 5.5.1 EHLO/HELO first", "unknown.answer", PROVEN, O, ""),
	MAIL(OWN, "550 5.7.1 Client does not have permissions to send as this sender", "send.as_denied", PROVEN, A, ""),
	DATA(M365, "554 5.2.252 SendAsDenied; login@x.example not allowed to send as from@y.example", "send.as_denied", PROVEN, A, ""),
	DATA(M365, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message", "send.as_denied", PROVEN, A, ""),
	DATA(M365, "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message", "send.blocked", PROVEN, P, ""),
	DATA(M365, "554 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", "send.quota_exceeded", PROVEN, N, ""),
	MAIL(M365, "550 5.1.8 Access denied, bad outbound sender AS(42004)", "send.blocked", PROVEN, P, ""),
	RCPT(M365, "550 5.7.501 Access denied, spam abuse detected", "send.blocked", PROVEN, P, ""),
	RCPT(M365, "550 5.7.502 Access denied, banned sender", "send.blocked", PROVEN, P, ""),
	RCPT(M365, "550 5.7.503 Access denied, banned sender", "send.blocked", PROVEN, P, ""),
	RCPT(M365, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more information please go to http://go.microsoft.com/fwlink/?LinkId=526653 AS(7230)", "send.blocked", PROVEN, P, ""),
	RCPT(M365, "550 5.7.705 Access denied, tenant has exceeded threshold", "send.blocked", LIKELY, P, "send.quota_exceeded"),
	MAIL(M365, "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains", "send.sender_rejected", LIKELY, A, "send.blocked"),
	MAIL(M365, "451 4.7.500 Server busy. Please try again later", "throttle.provider", LIKELY, N, "server.unavailable"),
	MAIL(M365, "451 4.7.651 Server busy", "throttle.provider", LIKELY, N, ""),
	DATA(M365, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "throttle.provider", PROVEN, N, ""),
	DATA(M365, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending", "throttle.provider", PROVEN, N, ""),
	MAIL(OWN, "421 4.3.2 System not accepting network messages", "server.unavailable", PROVEN, N, ""),
	DATA(OWN, "421 4.4.2 Connection timed out", "server.unavailable", LIKELY, N, ""),
	DATA("smtp.gmail.com", "552 5.3.4 Your message exceeded Google's message size limits.", "send.too_large", PROVEN, U, ""),
	MAIL(OWN, "552 5.2.3 Message size exceeds fixed maximum message size", "send.too_large", PROVEN, U, ""),
	DATA(M365, "554 5.2.3 Message too large", "send.too_large", PROVEN, U, ""),
	RCPT(OWN, "452 4.2.2 The email account is over quota", "mailbox.full", PROVEN, U, ""),
	RCPT(OWN, "552 5.2.2 Mailbox full", "mailbox.full", PROVEN, U, ""),
	DATA(M365, "554 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour", "send.quota_exceeded", LIKELY, N, ""),
	RCPT(OWN, "452 4.5.3 Too many recipients", "send.quota_exceeded", POSSIBLE, N, ""),
	RCPT(OWN, "550 5.5.3 Too many recipients", "send.quota_exceeded", POSSIBLE, N, ""),
	MAIL("smtp.gmail.com", "550 5.4.5 Daily user sending limit exceeded. For more information", "send.quota_exceeded", PROVEN, N, ""),
	MAIL("smtp.gmail.com", "550 5.4.5 Daily sending quota exceeded.", "send.quota_exceeded", PROVEN, N, ""),
	MAIL("smtp.gmail.com", "550 5.7.1 Daily SMTP relay limit exceeded for customer.", "send.quota_exceeded", PROVEN, N, ""),
	RCPT(OWN, "554 5.7.1 <bob@example.net>: Relay access denied", "send.relay_denied", PROVEN, U, ""),
	RCPT(OWN, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "send.relay_denied", PROVEN, U, ""),
	RCPT(OWN, "550 5.7.1 Unable to relay", "send.relay_denied", PROVEN, U, ""),
	MAIL(OWN, "553 5.7.1 <ann@example.org>: Sender address rejected: not owned by user login", "send.as_denied", LIKELY, A, "send.sender_rejected"),
	MAIL("smtp.mail.me.com", "550 5.7.0 From address is not one of your addresses", "send.as_denied", LIKELY, A, "send.sender_rejected"),
	MAIL("smtp.zoho.com", "553 Relaying disallowed as ann@example.org", "send.as_denied", LIKELY, A, "send.sender_rejected"),
	MAIL("smtp.mail.yahoo.com", "550 Request failed; Mailbox unavailable", "send.sender_rejected", LIKELY, U, "send.as_denied"),
	MAIL("smtp.mail.yahoo.com", "553 From address not verified", "send.sender_rejected", LIKELY, U, "send.as_denied"),
	DATA("smtp.mail.yahoo.com", "521 over the limit", "send.quota_exceeded", LIKELY, N, "send.blocked"),
	DATA("smtp.mail.yahoo.com", "554 Transaction failed: this looks like spam", "send.blocked", LIKELY, P, "send.sender_rejected"),
	DATA("smtp.gmail.com", "550 5.7.26 This mail is unauthenticated, which poses a security risk", "send.sender_rejected", LIKELY, A, "send.blocked"),
	DATA(OWN, "554 5.7.1 Message rejected by policy (DMARC)", "send.sender_rejected", LIKELY, A, "send.blocked"),
	DATA(OWN, "554 5.7.1 Message refused", "send.sender_rejected", POSSIBLE, U, "send.blocked send.relay_denied"),
	MAIL(OWN, "550 5.7.1 No", "send.sender_rejected", LIKELY, U, "send.as_denied send.relay_denied"),
	RCPT(OWN, "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table", "send.recipient_rejected", PROVEN, O, ""),
	RCPT(OWN, "556 5.1.10 Recipient address has null MX", "send.recipient_rejected", PROVEN, O, ""),
	RCPT(OWN, "550 No such user here", "send.recipient_rejected", LIKELY, O, ""),
	RCPT(OWN, "550 No", "send.recipient_rejected", LIKELY, O, "send.relay_denied"),
	RCPT(OWN, "450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted", "send.delayed", PROVEN, N, ""),
	RCPT(OWN, "451 4.7.1 Please try again later", "send.delayed", LIKELY, N, "server.unavailable"),
	MAIL(OWN, "550 No", "send.sender_rejected", LIKELY, U, "send.as_denied"),
	DATA(OWN, "554 No", "send.blocked", POSSIBLE, P, "send.too_large"),
	DATA(OWN, "!closed", "server.unavailable", LIKELY, N, ""),
};

/* -- the judgement --------------------------------------------------------------------------------------------------- */

static const struct finding *found(const struct verdict *v, struct slice id)
{
	for (size_t i = 0; i < v->findings; i++)
		if (slice_is(id, cause_row(v->finding[i].cause)->id))
			return &v->finding[i];
	return NULL;
}

static bool is_ruled_out(const struct verdict *v, struct slice id)
{
	for (size_t i = 0; i < v->exclusions; i++)
		if (slice_is(id, cause_row(v->exclusion[i].cause)->id))
			return true;
	return false;
}

/* diagnose() as it is for IMAP; a report without IMAP asks for the finding of its attempt only. */
static void judge(const struct report *r, struct verdict *v, const char *step)
{
	if (strncmp(step, "imap", 4) == 0) {
		diagnose(r, v);
		return;
	}
	*v = (struct verdict){ 0 };
	if (diagnose_attempt(r, 0, &v->finding[0]))
		v->findings = 1;
	for (size_t i = 0; v->findings && v->finding[0].rule && i < LEFT_OPEN && v->finding[0].rule->open[i]; i++)
		v->finding[v->findings++].cause = v->finding[0].rule->open[i];
}

/* What the row says of the report that its reply left behind. */
static void expect_row(const struct report *r, const struct row *row)
{
	struct verdict v;
	struct slice   rest = slice_str(row->open);
	const char    *got;

	judge(r, &v, row->step);
	got = v.findings ? cause_row(v.finding[0].cause)->id : "nothing";
	if (strcmp(got, row->cause) != 0)
		test_fail(__FILE__, __LINE__, "%s at %s: %s, not %s", row->reply, row->host, got, row->cause);
	if (v.finding[0].certainty != row->certainty)
		test_fail(__FILE__, __LINE__, "%s at %s: %s", row->reply, row->host, certainty_name(v.finding[0].certainty));
	EXPECT_ROW(v.finding[0].who == row->who, row->reply);
	EXPECT_ROW(v.finding[0].proofs > 0, row->reply);
	while (rest.len) {
		struct slice id = slice_cut(&rest, ' ');

		EXPECT_ROW(cause_find(arena_copy(r->job, id)), row->open);
		EXPECT_ROW(found(&v, id), row->reply);
		EXPECT_ROW(!is_ruled_out(&v, id), row->reply);
	}
}

#endif
