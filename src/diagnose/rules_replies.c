/* rules_replies.c -- what servers say when they greet, sign in and open a mailbox (facts G D.4, D.5, E.2), and what other
 * programs' logs say of it.
 *
 * In the order of facts D.5: words that name their cause, then response codes, then what a plain refusal means at a
 * certain provider, then what it means anywhere. PROVEN only where the words themselves exclude every other row.
 */
#include "diagnose/rule.h"

/* -- conditions ---------------------------------------------------------------------------------------------------- */

#define WORDS(words)      { NULL, SAID, HAS, words }                       /* that nobody else says, wherever they stand */
#define LOGIN(words)      { "login", SAID, HAS, words }
#define AT(families)      { NULL, FACT_SERVER_FAMILY, IS, families }
#define LOGIN_CODE(code)  { "imap.login", FACT_REPLY_CODE, IS, code }
#define ANY_CODE(code)    { "imap.capability|imap.login|imap.id|imap.list|imap.open", FACT_REPLY_CODE, IS, code }
#define AUTH_CODE(code)   { "smtp.login", FACT_REPLY_CODE, IS, code }
#define ENHANCED(code)    { "smtp.login", FACT_REPLY_ENHANCED, IS, code }
#define TOKEN             { "login", FACT_AUTH_BY, IS, "token" }
#define NO_TOKEN          { "login", FACT_AUTH_BY, NEVER_IS, "token" }
#define OUR_LOGIN         { "login", FACT_AUTH_BY, ANY, NULL }             /* our own session, nothing pasted */

/* A refused sign-in, in either protocol. */
#define REFUSED           { "login", FACT_REPLY_STATUS "|" FACT_REPLY_CODE, IS, "NO|535|AUTHENTICATIONFAILED" }
#define IMAP_REFUSED      { "imap.login", FACT_REPLY_STATUS "|" FACT_REPLY_CODE, IS, "NO|AUTHENTICATIONFAILED" }
#define SMTP_REFUSED      { "smtp.login", FACT_REPLY_CODE, IS, "535" }
#define NOT_BUSY          { "imap.login", FACT_REPLY_CODE, NEVER_IS, "LIMIT|INUSE|SERVERBUG|UNAVAILABLE|THROTTLED|CLIENTBUG|CANNOT" }

#define OF_LOGIN          LOGIN("login|authenticate|authentication|password|credentials|username|user name|user|account")
#define IS_REFUSAL        LOGIN("fail|failed|failure|invalid|incorrect|wrong|bad|denied|rejected|unknown|not found|no such|not accepted")

/* -- causes that are left open together ----------------------------------------------------------------------------- */

#define WRONG      CAUSE_AUTH_PASSWORD_REJECTED
#define NAME_FORM  CAUSE_AUTH_USERNAME_FORM
#define APP        CAUSE_AUTH_APP_PASSWORD_REQUIRED
#define OAUTH      CAUSE_AUTH_OAUTH_REQUIRED
#define BROWSER    CAUSE_AUTH_WEB_LOGIN_REQUIRED
#define LOCKED     CAUSE_AUTH_ACCOUNT_LOCKED
#define TOO_MANY   CAUSE_AUTH_TOO_MANY_ATTEMPTS
#define IMAP_OFF   CAUSE_IMAP_ACCESS_OFF
#define IMAP_OFF_A CAUSE_IMAP_ACCESS_OFF_BY_ADMIN
#define SMTP_OFF   CAUSE_SMTP_AUTH_OFF
#define POLICY     CAUSE_MICROSOFT_CONDITIONAL_ACCESS
#define OTHER_USER CAUSE_MICROSOFT_WRONG_ACCOUNT
#define ENDED      CAUSE_MICROSOFT_SIGN_IN_AGAIN
#define NOT_NOW    CAUSE_SERVER_UNAVAILABLE
#define NOTHING    { 0 }

static const struct rule replies[] = {
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 9051, 5321", { NULL, FACT_REPLY_BROKEN, ANY, NULL }),

	/* -- words that name their cause ---------------------------------------------------------------------------- */

	/* An app password, whatever it is called there. */
	PROVES(AUTH_APP_PASSWORD_REQUIRED, 0, "G D.5, E.2 Gmail",
		WORDS("Application-specific password required|InvalidSecondFactor")),
	PROVES(AUTH_APP_PASSWORD_REQUIRED, 0, "G E.2 Gmail", AT("gmail"), AUTH_CODE("534"), ENHANCED("5.7.9")),
	PROVES(AUTH_APP_PASSWORD_REQUIRED, 0, "G D.5 Mail.ru",
		WORDS("NEOBHODIM parol prilozheniya|Application password is REQUIRED")),
	PROVES(AUTH_APP_PASSWORD_REQUIRED, 0, "G D.5 QQ, Exmail",
		WORDS("Please using authorized code to login|Please using weixin token")),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG), "G D.5 QQ", WORDS("Authorized code is incorrect")),
	/* The word "frequency" in it is one guess of five, and not the first. */
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(IMAP_OFF, WRONG, TOO_MANY, LOCKED, NOT_NOW), "G D.5 QQ",
		{ "imap.login", SAID, HAS, "Account is abnormal, service is not open" }),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(SMTP_OFF, WRONG, TOO_MANY, LOCKED, NOT_NOW), "G E.2 QQ",
		LOGIN("Account is abnormal, service is not open")),
	/* It says so after one normal password already; and then it locks for some minutes. */
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(TOO_MANY, WRONG), "G E.2 Yahoo", { "smtp.login", SAID, HAS, "#AUTH005" }),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(TOO_MANY, WRONG), "G E.2 Yahoo", AT("yahoo|aol"),
		{ "smtp.login", SAID, HAS, "Too many bad auth attempts" }),

	/* A sign-in in the browser first. */
	PROVES(AUTH_WEB_LOGIN_REQUIRED, 0, "G D.5 Gmail", WORDS("WEBALERT|Web login required")),
	PROVES(AUTH_WEB_LOGIN_REQUIRED, 0, "G D.5, E.2 Gmail", WORDS("log in via your web browser|log in with your web browser")),
	PROVES(AUTH_WEB_LOGIN_REQUIRED, 0, "G E.2 Gmail", AT("gmail"), ENHANCED("5.7.14")),
	SUGGESTS(AUTH_WEB_LOGIN_REQUIRED, 0, NOTHING, "G E.2 Gmail", AUTH_CODE("534|535"), ENHANCED("5.7.14")),
	/* It wants to know who asks (ID); where we said so it wants its user to say that it was he. */
	PROVES(AUTH_WEB_LOGIN_REQUIRED, 0, "G D.5 NetEase", { "imap.id", FACT_STEP_PASSED, ANY, NULL }, WORDS("Unsafe Login")),
	SUGGESTS(AUTH_WEB_LOGIN_REQUIRED, 0, NOTHING, "G D.5 NetEase", WORDS("Unsafe Login")),
	SUGGESTS(AUTH_WEB_LOGIN_REQUIRED, 0, OPEN(LOCKED, WRONG), "G D.5 Mail.ru",
		LOGIN("Please verify your account by going to")),
	SUGGESTS(AUTH_WEB_LOGIN_REQUIRED, 0, OPEN(CAUSE_AUTH_ACCOUNT_DISABLED), "G D.5 iCloud", LOGIN("me.com/move")),

	/* IMAP itself is switched off. */
	PROVES(IMAP_ACCESS_OFF, 0, "G D.5 Gmail", WORDS("not enabled for IMAP use")),
	PROVES(IMAP_ACCESS_OFF_BY_ADMIN, 0, "G D.5 Gmail", WORDS("IMAP access is disabled for your domain")),
	SUGGESTS(IMAP_ACCESS_OFF, 0, OPEN(IMAP_OFF_A), "G D.5 Zoho", WORDS("yet to enable IMAP for your account")),
	SUGGESTS(IMAP_ACCESS_OFF, 0, OPEN(APP, WRONG), "G D.5 Yandex", WORDS("invalid credentials or IMAP is disabled")),
	PROVES(GOOGLE_GMAIL_OFF, 0, "G D.5 Gmail", AT("gmail"), LOGIN("Lookup failed")),

	/* Microsoft's own words. */
	PROVES(AUTH_OAUTH_REQUIRED, 0, "G D.5, E.2 Microsoft", WORDS("BasicAuthBlocked|basic authentication is disabled")),
	PROVES(SMTP_AUTH_OFF, WHO_ADMIN, "G E.2 Microsoft", WORDS("SmtpClientAuthentication is disabled")),
	SUGGESTS(AUTH_OAUTH_REQUIRED, 0, OPEN(POLICY), "G E.2 Microsoft", WORDS("your organization's security defaults policy")),
	SUGGESTS(MICROSOFT_CONDITIONAL_ACCESS, 0, OPEN(OAUTH, SMTP_OFF), "G E.2 Microsoft",
		WORDS("did not meet the criteria to be authenticated successfully")),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(OAUTH, CAUSE_MICROSOFT_MFA_REQUIRED, APP), "G E.2 Microsoft",
		LOGIN("the user credentials were incorrect")),
	PROVES(MAILBOX_NO_SMTP_ADDRESS, 0, "G D.5 Microsoft", WORDS("NoPrimarySmtpAddress")),
	PROVES(IMAP_CONNECTED_ELSEWHERE_ONLY, 0, "G D.5 Microsoft", WORDS("User is authenticated but not connected")),
	PROVES(THROTTLE_PROVIDER, 0, "G D.5 Exchange", WORDS("Request is throttled|Suggested Backoff Time")),

	/* Too many of something. */
	PROVES(IMAP_TRAFFIC_EXCEEDED, 0, "G D.5 Gmail", WORDS("exceeded command or bandwidth limits")),
	PROVES(IMAP_TOO_MANY_CONNECTIONS, 0, "G D.5",
		WORDS("Too many simultaneous connections|Maximum number of connections from user+IP exceeded|mail_max_userip_connections")),
	PROVES(IMAP_TOO_MANY_CONNECTIONS, 0, "G D.5 Cyrus, Courier",
		WORDS("Too many connections from this user|Maximum connection limit reached")),
	PROVES(AUTH_TOO_MANY_ATTEMPTS, 0, "G D.5 Yahoo", WORDS("Too many bad auth attempts|LOGIN Rate limit hit")),
	PROVES(AUTH_TOO_MANY_ATTEMPTS, 0, "G E.2 Gmail, NetEase", LOGIN("Too many login attempts|smtp auth error limit exceed")),
	SUGGESTS(AUTH_TOO_MANY_ATTEMPTS, 0, OPEN(WRONG), "its own words",
		LOGIN("too many failed|too many invalid|too many attempts|too many login failures|too many authentication failures")),
	SUGGESTS(AUTH_TOO_MANY_ATTEMPTS, 0, OPEN(IMAP_OFF, LOCKED), "G D.5 Yahoo", AT("yahoo|aol"), LOGIN_CODE("LIMIT")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(NOT_NOW, TOO_MANY), "G E.2 Gmail",
		{ "greeting|ehlo|smtp.login", FACT_REPLY_ENHANCED, IS, "4.7.0" },
		{ "greeting|ehlo|smtp.login", SAID, HAS, "Try again later, closing connection" }),

	/* The line is not private enough. */
	PROVES(TLS_REQUIRED, 0, "G D.5 Dovecot",
		WORDS("Cleartext authentication disallowed|Plaintext authentication disallowed|Plaintext authentication not allowed")),
	PROVES(TLS_REQUIRED, 0, "G D.5 Cyrus, Zimbra", WORDS("Login only available under a layer|cleartext logins disabled")),
	PROVES(TLS_REQUIRED, 0, "G E.2", WORDS("Must issue a STARTTLS command first")),
	PROVES(TLS_REQUIRED, 0, "G E.2, RFC 4954", AUTH_CODE("538")),
	PROVES(TLS_REQUIRED, 0, "RFC 5530", LOGIN_CODE("PRIVACYREQUIRED")),

	/* The account. */
	PROVES(AUTH_LOGIN_DISABLED, 0, "G D.5 Dovecot", WORDS("Login disabled for this user")),
	PROVES(AUTH_PASSWORD_EXPIRED, 0, "RFC 5530", LOGIN_CODE("EXPIRED")),
	PROVES(AUTH_PASSWORD_EXPIRED, 0, "G D.5 Zimbra",
		LOGIN("account must change password|password has expired|password expired")),
	PROVES(AUTH_NOT_AUTHORIZED, 0, "RFC 5530", LOGIN_CODE("AUTHORIZATIONFAILED")),
	PROVES(AUTH_ACCOUNT_DISABLED, WHO_ADMIN, "G E.2, RFC 5248", AUTH_CODE("525")),
	SUGGESTS(AUTH_ACCOUNT_LOCKED, 0, OPEN(TOO_MANY), "G D.5 Yandex", AT("yandex"), LOGIN("Ommm")),
	SUGGESTS(AUTH_ACCOUNT_LOCKED, 0, OPEN(TOO_MANY), "its own words",
		LOGIN("account is locked|account locked|account has been locked")),
	SUGGESTS(AUTH_ACCOUNT_DISABLED, 0, OPEN(LOCKED), "its own words",
		LOGIN("account is disabled|account disabled|account has been disabled|account is suspended|account suspended")),
	SUGGESTS(AUTH_IP_NOT_ALLOWED, 0, OPEN(CAUSE_AUTH_LOGIN_DISABLED), "its own words",
		LOGIN("not allowed from your IP|not allowed from this IP|IP address is not allowed|IP not allowed|from your IP address is denied")),

	/* -- response codes ------------------------------------------------------------------------------------------ */

	/* Dovecot says it before any reason that is written down for the user: the words above know more */
	PROVES(AUTH_LOGIN_DISABLED, 0, "RFC 5530", LOGIN_CODE("CONTACTADMIN")),
	PROVES(AUTH_BACKEND_DOWN, 0, "RFC 5530", LOGIN_CODE("UNAVAILABLE")),
	PROVES(AUTH_BACKEND_DOWN, 0, "G D.5 Dovecot, E.2 Gmail",
		LOGIN("Temporary authentication failure|Cannot authenticate due to temporary system problem")),
	PROVES(AUTH_BACKEND_DOWN, WHO_ADMIN, "G D.5 Cyrus", LOGIN("no mechanism available")),
	SUGGESTS(AUTH_BACKEND_DOWN, WHO_ADMIN, OPEN(WRONG), "G D.5 Cyrus", { "imap.login", SAID, HAS, "generic failure" }),
	PROVES(SERVER_UNAVAILABLE, WHO_PROVIDER, "RFC 5530", ANY_CODE("SERVERBUG")),
	PROVES(SERVER_UNAVAILABLE, 0, "RFC 5530",
		{ "imap.capability|imap.id|imap.list|imap.open|greeting", FACT_REPLY_CODE, IS, "UNAVAILABLE" }),
	PROVES(THROTTLE_PROVIDER, 0, "G D.4 Dovecot", ANY_CODE("THROTTLED")),
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, NOTHING, "G D.5 Yahoo", LOGIN("OCF12")),
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, OPEN(CAUSE_AUTH_BACKEND_DOWN), "G D.5 Gmail",
		AT("gmail"), LOGIN("System Error")),
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, NOTHING, "G D.5", WORDS("internal server error|Internal error occurred")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_IMAP_TOO_MANY_CONNECTIONS), "RFC 5530", ANY_CODE("INUSE")),
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, NOTHING, "RFC 5530", ANY_CODE("CORRUPTION")),
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, NOTHING, "G D.5 Exchange", LOGIN("Server is unavailable")),
	PROVES(IMAP_TOO_MANY_CONNECTIONS, 0, "RFC 5530", ANY_CODE("LIMIT"), WORDS("connections")),
	SUGGESTS(IMAP_TOO_MANY_CONNECTIONS, 0, OPEN(CAUSE_THROTTLE_PROVIDER, TOO_MANY), "RFC 5530", ANY_CODE("LIMIT")),
	SUGGESTS(IMAP_TRAFFIC_EXCEEDED, 0, OPEN(CAUSE_MAILBOX_FULL), "G D.5 Gmail", AT("gmail"), ANY_CODE("OVERQUOTA")),
	PROVES(MAILBOX_FULL, 0, "RFC 5530, 9208", ANY_CODE("OVERQUOTA")),
	PROVES(MAILBOX_NOT_PERMITTED, 0, "RFC 5530", ANY_CODE("NOPERM")),
	PROVES(MAILBOX_NOT_FOUND, 0, "RFC 5530", { "imap.open", FACT_REPLY_CODE, IS, "NONEXISTENT" }),

	/* -- nothing was sent, since nothing was offered that we can say -------------------------------------------- */

#define NOTHING_IN_COMMON { "login", FACT_AUTH_NO_COMMON, IS, "yes" }
#define OFFERS(schemes)   { "login", FACT_AUTH_OFFERED, HAS, schemes }
	PROVES(SMTP_AUTH_NOT_OFFERED, 0, "RFC 4954", NOTHING_IN_COMMON, { "smtp.login", FACT_AUTH_OFFERED, IS, "nothing" }),
	/* Without LOGINDISABLED the LOGIN command would have served, were it not for letters it cannot carry. */
	PROVES(AUTH_OAUTH_REQUIRED, 0, "RFC 9051 6.2.3", NOTHING_IN_COMMON, NO_TOKEN, OFFERS("XOAUTH2|OAUTHBEARER"),
		{ "login", FACT_AUTH_OFFERED, NEVER_HAS, "GSSAPI|NTLM|GSS-SPNEGO|EXTERNAL|KERBEROS_V4" }, LOGIN_CODE("LOGINDISABLED")),
	PROVES(AUTH_OAUTH_REQUIRED, 0, "RFC 4954",
		NOTHING_IN_COMMON, NO_TOKEN, { "smtp.login", FACT_AUTH_OFFERED, HAS, "XOAUTH2|OAUTHBEARER" },
		{ "smtp.login", FACT_AUTH_OFFERED, NEVER_HAS, "GSSAPI|NTLM|GSS-SPNEGO|EXTERNAL|KERBEROS_V4" }),
	SUGGESTS(AUTH_OAUTH_REQUIRED, 0, OPEN(CAUSE_AUTH_NO_COMMON_SCHEME), "RFC 4422",
		NOTHING_IN_COMMON, NO_TOKEN, OFFERS("XOAUTH2|OAUTHBEARER")),
	/* We sign in on private lines only: a server that takes no login there takes none at all. */
	SUGGESTS(AUTH_LOGIN_DISABLED, 0, OPEN(CAUSE_AUTH_NO_COMMON_SCHEME), "RFC 9051 6.2.3",
		NOTHING_IN_COMMON, LOGIN_CODE("LOGINDISABLED"),
		{ "login", FACT_AUTH_OFFERED, IS, "" }),
	PROVES(AUTH_NO_COMMON_SCHEME, 0, "RFC 4422", NOTHING_IN_COMMON),

	/* -- a plain refusal, where it is known what that means ------------------------------------------------------ */

	/* Google. Its JSON tells a missing permission from the rest; between the others only looking can decide. */
	SUGGESTS(GOOGLE_SCOPE_UNTICKED, 0, OPEN(CAUSE_GOOGLE_SIGN_IN_AGAIN, CAUSE_GOOGLE_WRONG_ACCOUNT), "G B.6",
		AT("gmail"), TOKEN,
		{ "login", FACT_SASL_STATUS, IS, "403" }),
	SUGGESTS(IMAP_ACCESS_OFF_BY_ADMIN, 0, OPEN(IMAP_OFF, CAUSE_GOOGLE_WRONG_ACCOUNT, CAUSE_GOOGLE_SCOPE_UNTICKED), "G B.6",
		AT("gmail"), TOKEN, REFUSED,
		{ "login", FACT_TOKEN_AGE, IS, "fresh" }),
	SUGGESTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(CAUSE_GOOGLE_WRONG_ACCOUNT, CAUSE_GOOGLE_SCOPE_UNTICKED, IMAP_OFF_A, IMAP_OFF), "G B.6, D.5 Gmail",
		AT("gmail"), TOKEN, REFUSED, NOT_BUSY),
	HINTS(GOOGLE_SIGN_IN_AGAIN, 0, OPEN(NOT_NOW), "G D.5 Gmail", AT("gmail"), LOGIN("Session expired")),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(APP, OAUTH, IMAP_OFF, IMAP_OFF_A), "G B.6, D.5 Gmail",
		AT("gmail"), { "imap.login", SAID, HAS, "Invalid credentials" }, NO_TOKEN),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(APP, OAUTH), "G E.2 Gmail",
		LOGIN("Username and Password not accepted|p=BadCredentials"), NO_TOKEN),

	/* Microsoft: one text for many causes, and password logins are off since 2022-2024. */
	SUGGESTS(MICROSOFT_SCOPE_MISSING, 0, OPEN(OTHER_USER, IMAP_OFF_A, POLICY, ENDED, CAUSE_MICROSOFT_APP_NOT_ALLOWED),
		"G D.5 Microsoft", AT("outlook|microsoft"), TOKEN, IMAP_REFUSED),
	SUGGESTS(MICROSOFT_SCOPE_MISSING, 0, OPEN(OTHER_USER, SMTP_OFF, POLICY, ENDED), "G E.2 Microsoft",
		AT("outlook|microsoft"), TOKEN, SMTP_REFUSED),
	SUGGESTS(AUTH_OAUTH_REQUIRED, 0, OPEN(WRONG, IMAP_OFF_A, POLICY), "G D.5 Microsoft",
		AT("outlook|microsoft"), IMAP_REFUSED, NOT_BUSY),
	SUGGESTS(SMTP_AUTH_OFF, WHO_ADMIN, OPEN(OAUTH, POLICY, WRONG), "G E.2 Microsoft", ENHANCED("5.7.139")),
	SUGGESTS(AUTH_OAUTH_REQUIRED, 0, OPEN(WRONG, SMTP_OFF, POLICY), "G E.2 Microsoft", AT("outlook|microsoft"), SMTP_REFUSED),
	SUGGESTS(AUTH_OAUTH_REQUIRED, 0, OPEN(WRONG, SMTP_OFF, POLICY), "G E.2 Microsoft",
		ENHANCED("5.7.3"), LOGIN("outlook.com")),
	SUGGESTS(AUTH_OAUTH_REQUIRED, 0, OPEN(SMTP_OFF, CAUSE_AUTH_NO_COMMON_SCHEME), "G E.2 Microsoft",
		AT("outlook|microsoft"), AUTH_CODE("504")),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, OAUTH, IMAP_OFF_A, CAUSE_AUTH_LOGIN_DISABLED, CAUSE_TLS_REQUIRED), "G D.5 Exchange",
		AT("exchange"), IMAP_REFUSED, NOT_BUSY),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, OAUTH, SMTP_OFF), "G E.2 Exchange", SMTP_REFUSED, ENHANCED("5.7.3")),

	/* Hosts that take no normal password. */
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG), "G D.5 Yahoo, AOL", AT("yahoo|aol"), REFUSED, NO_TOKEN, NOT_BUSY),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG), "G D.5 Yahoo, AOL", LOGIN("#AUTH012|#MBR1212"), NO_TOKEN),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, NAME_FORM), "G D.5 iCloud",
		AT("icloud"), REFUSED, NO_TOKEN, NOT_BUSY),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, IMAP_OFF), "G D.5 Fastmail",
		AT("fastmail"), REFUSED, NO_TOKEN, NOT_BUSY),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, IMAP_OFF), "G D.5 Fastmail",
		LOGIN("Incorrect username, password or access token"), NO_TOKEN),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, IMAP_OFF), "G D.5 NetEase, Coremail",
		LOGIN("Login error or password error")),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, SMTP_OFF), "G E.2 NetEase", AT("netease|netease_biz"), SMTP_REFUSED),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, IMAP_OFF), "G D.3 NetEase, QQ",
		AT("netease|netease_biz|coremail|qq|exmail"), IMAP_REFUSED, NOT_BUSY),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG, SMTP_OFF), "G D.3 QQ", AT("qq|exmail"), SMTP_REFUSED),
	SUGGESTS(AUTH_APP_PASSWORD_REQUIRED, 0, OPEN(WRONG), "G D.5 T-Online", AT("tonline"), REFUSED, NO_TOKEN, NOT_BUSY),
	SUGGESTS(SMTP_AUTH_OFF, WHO_USER, OPEN(APP), "G E.2 NetEase", AT("netease|netease_biz"), LOGIN("User has no permission")),

	/* Hosts where IMAP must be switched on first. */
	SUGGESTS(IMAP_ACCESS_OFF, 0, OPEN(WRONG, APP), "G D.5 GMX, WEB.DE", AT("gmx|webde|mailcom"), IMAP_REFUSED, NOT_BUSY),
	SUGGESTS(SMTP_AUTH_OFF, WHO_USER, OPEN(WRONG, APP, IMAP_OFF), "G D.5, E.2 GMX, WEB.DE",
		AT("gmx|webde|mailcom"), SMTP_REFUSED),
	SUGGESTS(IMAP_ACCESS_OFF, 0, OPEN(APP, WRONG), "G D.5 Yandex", AT("yandex"), IMAP_REFUSED, NOT_BUSY),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(APP, NAME_FORM, IMAP_OFF, IMAP_OFF_A), "G D.5 Zoho",
		AT("zoho"), REFUSED, NOT_BUSY),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(APP, LOCKED), "G D.5 Mail.ru", AT("mailru"), REFUSED, NOT_BUSY),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(IMAP_OFF, APP, NAME_FORM), "G D.3",
		AT("naver|wp|onet|orange|comcast"), REFUSED, NOT_BUSY),

	/* -- a plain refusal anywhere -------------------------------------------------------------------------------- */

	HINTS(AUTH_PASSWORD_REJECTED, 0, OPEN(CAUSE_AUTH_NOT_AUTHORIZED, CAUSE_AUTH_LOGIN_DISABLED), "RFC 7628",
		TOKEN, REFUSED, NOT_BUSY),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP, IMAP_OFF, OAUTH), "RFC 5530",
		LOGIN_CODE("AUTHENTICATIONFAILED"), NO_TOKEN),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP, IMAP_OFF, OAUTH), "G D.5", OF_LOGIN, IS_REFUSAL,
		{ "imap.login", FACT_REPLY_STATUS, NEVER_IS, "BAD|BYE" }, { "imap.login", FACT_REPLY_STATUS "|" FACT_REPLY_TEXT, ANY, NULL }, NOT_BUSY),
	HINTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP, IMAP_OFF, OAUTH, CAUSE_AUTH_LOGIN_DISABLED), "RFC 9051 6.2.3",
		{ "imap.login", FACT_REPLY_STATUS, IS, "NO" }, { "imap.login", SAID, NEVER_HAS, "Error in IMAP command" }, OUR_LOGIN, NOT_BUSY),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP), "RFC 4954", SMTP_REFUSED, OUR_LOGIN),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP), "RFC 4954",
		SMTP_REFUSED, { "smtp.login", FACT_REPLY_ENHANCED, ANY, NULL }),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP), "G E.2", SMTP_REFUSED, OF_LOGIN, IS_REFUSAL),
	SUGGESTS(AUTH_PASSWORD_REJECTED, 0, OPEN(NAME_FORM, APP), "G E.2 Exim",
		SMTP_REFUSED, LOGIN("Incorrect authentication data")),

	SUGGESTS(AUTH_NO_COMMON_SCHEME, 0, OPEN(OAUTH, SMTP_OFF), "RFC 4954, G E.2", AUTH_CODE("504")),
	SUGGESTS(AUTH_NO_COMMON_SCHEME, 0, OPEN(APP), "RFC 4954", AUTH_CODE("534")),
	SUGGESTS(SMTP_AUTH_NOT_OFFERED, 0, OPEN(CAUSE_TLS_REQUIRED), "G E.2",
		LOGIN("AUTH not available|AUTH command used when not advertised|authentication not enabled")),
	SUGGESTS(SMTP_AUTH_NOT_OFFERED, 0, OPEN(CAUSE_TLS_REQUIRED), "G E.2", AUTH_CODE("500|502|503"), OUR_LOGIN),

	/* 4.7.12 wants a password renewed in the server's keeping: that is nobody's outage (RFC 4954 6). */
	SUGGESTS(AUTH_BACKEND_DOWN, 0, OPEN(NOT_NOW, TOO_MANY), "RFC 4954", AUTH_CODE("454")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_AUTH_BACKEND_DOWN, CAUSE_THROTTLE_PROVIDER), "RFC 5321",
		{ "smtp.login", FACT_REPLY_CODE, STARTS, "4" }, { "smtp.login", FACT_REPLY_ENHANCED, NEVER_IS, "4.7.12" }, OUR_LOGIN),

	/* -- greetings ----------------------------------------------------------------------------------------------- */

	PROVES(TLS_HANDSHAKE_FAILED, WHO_ADMIN, "Postfix 3.7", { "greeting|ehlo", SAID, HAS, "No client certificate presented" }),
#define GREETS(words)   { "greeting", FACT_GREETING, STARTS, words }
#define BANNER(words)   { "greeting", SAID, HAS, words }
	SUGGESTS(IMAP_TOO_MANY_CONNECTIONS, 0, OPEN(NOT_NOW, CAUSE_AUTH_IP_NOT_ALLOWED), "G D.4",
		GREETS("* BYE"), BANNER("too many connections|connection limit")),
	SUGGESTS(AUTH_IP_NOT_ALLOWED, 0, OPEN(TOO_MANY, NOT_NOW), "G D.4",
		GREETS("* BYE"), BANNER("blocked|banned|blacklisted|denied|not allowed|refused")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_AUTH_IP_NOT_ALLOWED, CAUSE_IMAP_TOO_MANY_CONNECTIONS), "G D.4",
		{ "imap.greeting", FACT_REPLY_STATUS, IS, "BYE" },
		{ "imap.greeting", SAID, NEVER_HAS, "inactivity|invalid IMAP commands|Session expired|Logging out|logout" }),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(NOT_NOW, CAUSE_AUTH_IP_NOT_ALLOWED), "G E.2",
		GREETS("4"), BANNER("too many|rate limit|throttled")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_AUTH_IP_NOT_ALLOWED, CAUSE_THROTTLE_PROVIDER), "RFC 5321 3.1, G E.1",
		GREETS("4")),
	SUGGESTS(AUTH_IP_NOT_ALLOWED, 0, OPEN(CAUSE_SEND_BLOCKED), "G E.1",
		GREETS("5"), BANNER("blocked|banned|blacklisted|listed|spamhaus|denied|not allowed|reputation")),
	SUGGESTS(AUTH_IP_NOT_ALLOWED, 0, OPEN(NOT_NOW, CAUSE_SEND_BLOCKED), "G E.1", GREETS("5")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, NOTHING, "RFC 5321 4.2.1",
		{ "smtp.ehlo", FACT_REPLY_CODE, STARTS, "4" }, { "smtp.greeting", FACT_GREETING, ANY, NULL }),

	/* -- the line breaks after it stood -------------------------------------------------------------------------- */

#define LATER "starttls|capability|ehlo|login|id|list|open|send"
	SUGGESTS(SERVER_UNAVAILABLE, WHO_PROVIDER, OPEN(CAUSE_AUTH_IP_NOT_ALLOWED, CAUSE_IMAP_TOO_MANY_CONNECTIONS), "G D.4",
		{ "imap.capability|imap.id|imap.list|imap.open|imap.login", FACT_REPLY_ALSO, STARTS, "* BYE" },
		{ LATER, FACT_NET_OUTCOME, ANY, NULL }),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(TOO_MANY, CAUSE_AUTH_IP_NOT_ALLOWED, CAUSE_NET_INTERCEPTED), "G H.3",
		{ "login", FACT_NET_OUTCOME, IS, "closed|reset" }),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_NET_INTERCEPTED), "G H.3", { LATER, FACT_NET_OUTCOME, IS, "closed|reset" }),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_NET_TIMEOUT), "G H.3", { LATER, FACT_NET_OUTCOME, IS, "timeout" }),
	PROVES(SERVER_ANSWER_UNREADABLE, 0, "RFC 9051, 5321", { LATER, FACT_NET_OUTCOME, IS, "full" }),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(CAUSE_IMAP_TOO_MANY_CONNECTIONS), "G D.5 Exchange",
		{ "imap.login", SAID, HAS, "Connection is closed" }),

	/* -- pasted: what other programs' logs say. They looked from elsewhere, at another time: never more than likely -- */

#define LOG(word) { NULL, FACT_LOG_SAYS, IS, word }
	SUGGESTS(TLS_NAME_MISMATCH, 0, NOTHING, "G H.6", LOG("name")),
	SUGGESTS(TLS_EXPIRED, 0, OPEN(CAUSE_OPERATOR_CLOCK_WRONG), "G H.6", LOG("expired")),
	SUGGESTS(TLS_NOT_YET_VALID, 0, OPEN(CAUSE_OPERATOR_CLOCK_WRONG), "G H.6", LOG("not_yet")),
	SUGGESTS(TLS_REVOKED, 0, NOTHING, "G H.6", LOG("revoked")),
	SUGGESTS(TLS_WEAK_CERTIFICATE, 0, NOTHING, "G H.6", LOG("weak")),
	SUGGESTS(TLS_UNKNOWN_ISSUER, 0, OPEN(CAUSE_NET_INTERCEPTED), "G H.6", LOG("private_root")),
	SUGGESTS(TLS_SELF_SIGNED, 0, OPEN(CAUSE_NET_INTERCEPTED), "G H.6", LOG("self_signed")),
	SUGGESTS(TLS_UNKNOWN_ISSUER, 0, OPEN(CAUSE_TLS_INCOMPLETE_CHAIN, CAUSE_NET_INTERCEPTED), "G H.6", LOG("no_issuer")),
	SUGGESTS(TLS_PLAINTEXT_PORT, 0, OPEN(CAUSE_SERVER_WRONG_PROTOCOL, CAUSE_TLS_TOO_OLD), "G H.4", LOG("no_tls")),
	SUGGESTS(TLS_TOO_OLD, 0, OPEN(CAUSE_TLS_HANDSHAKE_FAILED), "G H.5", LOG("old_tls")),
	SUGGESTS(TLS_HANDSHAKE_FAILED, 0, OPEN(CAUSE_TLS_TOO_OLD), "G H.5", LOG("handshake")),
	SUGGESTS(DNS_NO_SUCH_HOST, 0, OPEN(CAUSE_DNS_FAILURE), "G H.2", LOG("no_name")),
	SUGGESTS(DNS_FAILURE, 0, OPEN(CAUSE_DNS_NO_SUCH_HOST), "G H.2", LOG("name_service")),
	SUGGESTS(NET_REFUSED, 0, NOTHING, "G H.3", LOG("refused")),
	SUGGESTS(NET_TIMEOUT, 0, OPEN(CAUSE_OPERATOR_EGRESS_BLOCKED, CAUSE_NET_SILENT), "G H.3", LOG("timeout")),
	SUGGESTS(NET_UNREACHABLE, 0, NOTHING, "G H.3", LOG("unreachable")),
	SUGGESTS(NET_RESET, 0, OPEN(CAUSE_SERVER_UNAVAILABLE), "G H.3", LOG("reset")),

	/* -- pasted: the words under which other documents know a cause (last column of causes.def) -------------------- */

#define CAUSE(name, id, first_who, all_who, alias)                                                                            \
	PROVES(name, 0, "CAUSES", { NULL, FACT_ALIAS, IS, id }, { NULL, FACT_ALIAS_WHOLE, IS, "yes" }),                        \
	SUGGESTS(name, 0, NOTHING, "CAUSES", { NULL, FACT_ALIAS, IS, id }),
#include "model/causes.def"
#undef CAUSE
};

const struct rule_table rules_replies = { replies, COUNT(replies) };
