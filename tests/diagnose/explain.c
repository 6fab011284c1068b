/* Pasted texts: replies, bounces, lines of other programs' logs, and what is none of these. */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "base/buffer.h"
#include "diagnose/diagnose.h"
#include "diagnose/explain.h"

static const struct row {
	const char    *text, *cause;
	enum certainty certainty;
	const char    *step;             /* where the first proof was seen: the tail of "explain.…", or NULL */
} rows[] = {
	/* IMAP, as it stands on the wire */
	{ "a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "auth.password_rejected", LIKELY, "imap" },
	{ "A0001 NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)", "auth.app_password_required", PROVEN, "imap" },
	{ "NO [AUTHENTICATIONFAILED] Authentication failed.", "auth.password_rejected", LIKELY, "imap" },
	{ "NO LOGIN failed.", "auth.password_rejected", LIKELY, "imap" },
	{ "a3 BAD User is authenticated but not connected.", "imap.connected_elsewhere_only", PROVEN, "imap" },
	{ "* BYE [ALERT] Maximum connection limit reached for 192.0.2.9", "imap.too_many_connections", PROVEN, "imap" },
	{ "* BYE Server is shutting down", "server.unavailable", LIKELY, "imap" },
	{ "S: * OK Gimap ready for requests from 192.0.2.9 x\nC: a1 LOGIN (credentials)\nS: a1 NO [ALERT] Invalid credentials (Failure)", "auth.password_rejected", LIKELY, "imap" },
	{ "* NO [WEBALERT https://accounts.google.com/signin/continue?x] Web login required.\na1 NO [ALERT] Please log in (Failure)", "auth.web_login_required", PROVEN, "imap" },
	{ "a2 NO [UNAVAILABLE] Temporary authentication failure. [mx1:2026-11-21 08:00:00]", "auth.backend_down", PROVEN, "imap" },
	{ "a2 no [unavailable] lower case is no server", "unknown.answer", PROVEN, "text" },

	/* … and as programs tell it */
	{ "imaplib.error: b'[AUTHENTICATIONFAILED] Invalid credentials (Failure)'", "auth.password_rejected", LIKELY, "imap" },
	{ "imaplib.IMAP4.error: [ALERT] Application-specific password required: https://support.google.com (Failure)", "auth.app_password_required", PROVEN, NULL },
	{ "Error logging in. Response: 'NO [CONTACTADMIN] Login disabled for this user'", "auth.login_disabled", PROVEN, "imap" },
	{ "IMAP error: NO Login only available under a layer", "tls.required", PROVEN, "imap" },
	{ "Login to server imap.gmail.com with username ann failed. The server responded: [ALERT] Your account is not enabled for IMAP use.", "imap.access_off", PROVEN, "imap" },
	{ "Sending of password for user ann@gmail.com did not succeed. Mail server imap.gmail.com responded: Invalid credentials (Failure)", "auth.password_rejected", LIKELY, "imap" },
	{ "Sending of the password did not succeed. Mail server imap.mail.yahoo.com responded: [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "auth.app_password_required", LIKELY, "imap" },
	{ "fetchmail: Server said: a2 NO [AUTHENTICATIONFAILED] Authentication failed", "auth.password_rejected", LIKELY, "imap" },
	{ "outlook.office365.com says: \xe2\x80\x9c" "A1 NO LOGIN failed.\xe2\x80\x9d", "auth.oauth_required", LIKELY, "imap" },
	{ "Error: Command failed\n  responseText: 'x'\n  response: 'A7 NO [LIMIT] LOGIN Rate limit hit'", "auth.too_many_attempts", PROVEN, "imap" },

	/* SMTP */
	{ "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR04CA0024.eurprd04.prod.outlook.com]", "smtp.auth_off", PROVEN, "smtp" },
	{ "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x - gsmtp", "auth.password_rejected", LIKELY, "smtp" },
	{ "534-5.7.14 <https://accounts.google.com/signin/continue?x> Please log in via\n534-5.7.14 your web browser and then try again.\n534 5.7.14  https://support.google.com/mail/answer/78754 - gsmtp", "auth.web_login_required", PROVEN, "smtp" },
	{ "smtplib.SMTPAuthenticationError: (535, b'5.7.139 Authentication unsuccessful, basic authentication is disabled. [x]')", "auth.oauth_required", PROVEN, "smtp" },
	{ "smtplib.SMTPAuthenticationError: (534, b'5.7.9 Application-specific\\n5.7.9 password required. Learn more at\\n5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp')", "auth.app_password_required", PROVEN, "smtp" },
	{ "smtplib.SMTPAuthenticationError: (535, b'Authentication failed')", "auth.password_rejected", LIKELY, "smtp" },
	{ "S: 530 5.7.0 Must issue a STARTTLS command first. x - gsmtp", "tls.required", PROVEN, "smtp" },
	{ "535 Incorrect authentication data", "auth.password_rejected", LIKELY, "smtp" },
	{ "msmtp: authentication failed (method PLAIN)\nmsmtp: server message: 535 5.7.3 Authentication unsuccessful [AM0PR04CA0024.eurprd04.prod.outlook.com]", "auth.oauth_required", LIKELY, "smtp" },
	{ "535 5.7.0 (#AUTH005) Too many bad auth attempts.", "auth.app_password_required", LIKELY, "smtp" },

	/* bounces and queues */
	{ "Remote Server returned '550 5.7.60 SMTP; Client does not have permissions to send as this sender [AM0PR04MB1234.eurprd04.prod.outlook.com]'", "send.as_denied", PROVEN, "smtp" },
	{ "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. AS(7230) [AM0PR04.prod.outlook.com]", "send.blocked", PROVEN, "smtp" },
	{ "bob's mailbox is full.\r\nRemote server returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded'", "mailbox.full", PROVEN, "smtp" },
	{ "<bob@example.com>: host mx.example.com[192.0.2.1] said: 550 5.1.1 <bob@example.com>: Recipient address\n    rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)", "send.recipient_rejected", PROVEN, "smtp" },
	{ "Nov 21 08:00:00 mx postfix/smtp[123]: ABC: to=<bob@example.com>, relay=mx.example.com[192.0.2.1]:25, delay=1, dsn=5.7.1, status=bounced (host mx.example.com[192.0.2.1] said: 554 5.7.1 <bob@example.com>: Relay access denied (in reply to RCPT TO command))", "send.relay_denied", PROVEN, "smtp" },
	{ "host mx.example.com[192.0.2.1] said: 450 4.2.0 <bob@example.com>: Recipient address rejected: Greylisted, see http://postgrey.example/help (in reply to RCPT TO command)", "send.delayed", PROVEN, "smtp" },
	{ "2026-11-21 08:00:00 1abc ** bob@example.com R=dnslookup T=remote_smtp H=mx.example.com [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<bob@example.com>: 550 No such user here", "send.recipient_rejected", LIKELY, "smtp" },
	{ "2026-11-21 08:00:00 1abc == bob@example.com R=dnslookup T=remote_smtp defer (-46): SMTP error from remote mail server after end of data: 451 Try later", "send.delayed", LIKELY, "smtp" },
	{ "Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.com\n"
	  "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach\n    does not exist. Please try\n    550 5.1.1 double-checking the address", "send.recipient_rejected", PROVEN, "smtp" },
	{ "Final-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.2.2\n", "mailbox.full", PROVEN, "smtp" },
	{ "Final-Recipient: rfc822; bob@example.com\nAction: delayed\nStatus: 4.4.7\n", "send.delayed", LIKELY, "smtp" },
	{ "Final-Recipient: rfc822; bob@example.com\nAction: delivered\nStatus: 2.1.5\n", "unknown.answer", PROVEN, "text" },
	{ "#< #5.4.5 smtp;550 5.4.5 Daily user sending limit exceeded. x - gsmtp> #SMTP#", "send.quota_exceeded", PROVEN, "smtp" },
	{ "<bob@example.com>: host mx.example.com[192.0.2.1] said: 554 Recipient\n    address rejected: nobody here", "send.recipient_rejected", LIKELY, "smtp" },
	/* the refusal that counts is the permanent one */
	{ "451 4.7.1 Please try again later\n550 5.1.1 User unknown", "send.recipient_rejected", PROVEN, "smtp" },

	/* libraries and systems */
	{ "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'mail.example.org'. (_ssl.c:997)", "tls.name_mismatch", LIKELY, "log" },
	{ "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)", "tls.expired", LIKELY, "log" },
	{ "fetchmail: Server certificate verification error: self-signed certificate", "tls.self_signed", LIKELY, "log" },
	{ "fetchmail: Server certificate verification error: self-signed certificate in certificate chain", "tls.unknown_issuer", LIKELY, "log" },
	{ "verify error:num=20:unable to get local issuer certificate", "tls.unknown_issuer", LIKELY, "log" },
	{ "error:0A00010B:SSL routines::wrong version number", "tls.plaintext_port", LIKELY, "log" },
	{ "ConnectionRefusedError: [Errno 111] Connection refused", "net.refused", LIKELY, "log" },
	{ "Error: connect ECONNREFUSED 192.0.2.1:993", "net.refused", LIKELY, "log" },
	{ "connect to mx.example.com[192.0.2.1]:25: Connection timed out", "net.timeout", LIKELY, "log" },
	{ "socket.gaierror: [Errno -2] Name or service not known", "dns.no_such_host", LIKELY, "log" },
	{ "imap.example.org: NXDOMAIN", "dns.no_such_host", LIKELY, "log" },
	{ "getaddrinfo(imap.example.org): Temporary failure in name resolution", "dns.failure", LIKELY, "log" },
	{ "OSError: [Errno 101] Network is unreachable", "net.unreachable", LIKELY, "log" },
	{ "read(3): Connection reset by peer", "net.reset", LIKELY, "log" },

	/* Exchange's faults, as a trace has them and as programs tell them */
	{ "<s:Fault><faultcode xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">a:ErrorServerBusy</faultcode><faultstring xml:lang=\"fi-FI\">Palvelin on varattu.</faultstring>"
	  "<detail><e:ResponseCode xmlns:e=\"x\">ErrorServerBusy</e:ResponseCode></detail></s:Fault>", "throttle.provider", PROVEN, "ews" },
	{ "<m:GetFolderResponseMessage ResponseClass=\"Error\"><m:MessageText>The primary SMTP address must be specified when referencing a mailbox.</m:MessageText>"
	  "<m:ResponseCode>ErrorNonPrimarySmtpAddress</m:ResponseCode><m:MessageXml><t:Value Name=\"Primary\">ann@example.org</t:Value></m:MessageXml>", "mailbox.alias_not_primary", PROVEN, "ews" },
	{ "Microsoft.Exchange.WebServices.Data.ServiceResponseException: The account does not have permission to impersonate the requested user.", "exchange.impersonation_denied", PROVEN, "ews" },
	{ "exchangelib.errors.ErrorNonExistentMailbox: No mailbox with such guid.", "exchange.use_microsoft", LIKELY, "ews" },
	{ "exchangelib.errors.ErrorNonExistentMailbox: The SMTP address has no mailbox associated with it.", "mailbox.not_found", PROVEN, "ews" },
	{ "ErrorSendAsDenied: Cannot submit message.", "send.as_denied", PROVEN, "ews" },
	{ "ErrorInvalidServerVersion", "exchange.version_too_old", LIKELY, "ews" },
	{ "ErrorInvalidSchemaVersionForMailboxVersion", "exchange.mailbox_version_too_old", LIKELY, "ews" },
	{ "<m:ResponseCode>ErrorMailboxMoveInProgress</m:ResponseCode>", "mailbox.moving", PROVEN, "ews" },
	{ "When making a request as an account that does not have a mailbox, you must specify the mailbox primary SMTP address for any distinguished folder Ids.", "mailbox.no_smtp_address", LIKELY, "ews" },
	{ "The mailbox does not have SMTP address associated with it.", "mailbox.no_smtp_address", LIKELY, "ews" },
	/* of these nobody knows what was asked */
	{ "ErrorAccessDenied: Access is denied. Check credentials and try again.", "mailbox.not_permitted", POSSIBLE, "ews" },
	{ "<m:ResponseCode>ErrorFolderNotFound</m:ResponseCode>", "mailbox.not_permitted", POSSIBLE, "ews" },
	/* and these are none */
	{ "ErrorSomethingNew", "unknown.answer", PROVEN, "text" },
	{ "MyErrorServerBusyHandler failed", "unknown.answer", PROVEN, "text" },
	{ "ErrorServerBusXY", "unknown.answer", PROVEN, "text" },
	{ "ErrorCode: 500", "unknown.answer", PROVEN, "text" },

	/* a server's sentence alone; other documents' words */
	{ "User is authenticated but not connected.", "imap.connected_elsewhere_only", PROVEN, "words" },
	{ "Client does not have permissions to send as this sender", "send.as_denied", PROVEN, "words" },
	{ "Office 365 inbox and calendar not found", "microsoft.mailbox_not_found", PROVEN, "words" },
	{ "  \"Interaction required\". ", "microsoft.user_not_assigned", PROVEN, "words" },
	{ "The page says: Admin approval needed", "microsoft.admin_approval_required", LIKELY, "words" },
	{ "OFFICE_ERROR_REST_API_NOT_ENABLED_FOR_COMPONENT_SHARED_MAILBOX", "microsoft.mailbox_migrating", LIKELY, "words" },

	/* what looks like it and is not */
	{ "", "unknown.answer", PROVEN, "text" },
	{ "hello", "unknown.answer", PROVEN, "text" },
	{ "Error code 0x800CCC0E and ERRORSENDASDENIE and AADST50105 and policy_enforcedd", "unknown.answer", PROVEN, "text" },
	{ "XAADSTS50105123", "unknown.answer", PROVEN, "text" },
	{ "Our order number is XAADSTS50105123456789 thank you", "unknown.answer", PROVEN, "text" },
	{ "XOFFICE_ERROR_REST_API_NOT_ENABLED_FOR_COMPONENT_SHARED_MAILBOX", "unknown.answer", PROVEN, "text" },
	{ "HTTP/1.1 503 Service Unavailable", "unknown.answer", PROVEN, "text" },
	{ "Cost: 535 dollars", "unknown.answer", PROVEN, "text" },
	{ "550 sheep and 535 goats, my password is wrong", "unknown.answer", PROVEN, "text" },
	{ "535 Elm Street", "unknown.answer", PROVEN, "text" },
	{ "There is NO login. The password was invalid, and authentication failed.", "unknown.answer", PROVEN, "text" },
	{ "NO smoking in the password area", "unknown.answer", PROVEN, "text" },
	{ "[ALERT] disk full on user's login server", "unknown.answer", PROVEN, "text" },
	{ "[AUTHENTICATIONFAILEDX] x", "unknown.answer", PROVEN, "text" },
	{ "we upgraded to 5.1.1 and then 5.2.2", "unknown.answer", PROVEN, "text" },
	{ "1550 5.1.1 x; x550 5.1.1 x; 550.5.1.1", "unknown.answer", PROVEN, "text" },
	{ "250 2.1.0 Ok\n354 go\n250 2.0.0 queued\na1 OK done", "unknown.answer", PROVEN, "text" },
	{ "a4 NO [CANNOT] Never heard of it", "unknown.answer", PROVEN, "text" },
	{ "550 5.9.9 A code that nobody knows", "unknown.answer", PROVEN, "text" },
	{ "\xff\xfe\x80 NO [\x01] \xc3", "unknown.answer", PROVEN, "text" },
};

static struct report *explain(const char *text, struct verdict *v)
{
	struct report *r = report_new("");

	explain_facts(r, text);
	diagnose_pasted(r, v);
	return r;
}

TEST(pasted_texts)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct verdict v;
		struct report *r = explain(rows[i].text, &v);
		const char    *got = v.findings ? cause_row(v.finding[0].cause)->id : "nothing";

		if (strcmp(got, rows[i].cause) != 0)
			test_fail(__FILE__, __LINE__, "%s: %s, not %s", rows[i].text, got, rows[i].cause);
		EXPECT_ROW(v.finding[0].certainty == rows[i].certainty, rows[i].text);
		EXPECT_ROW(v.kind == VERDICT_EXPLAINED, rows[i].text);
		EXPECT_ROW(v.finding[0].proofs > 0, rows[i].text);
		if (rows[i].step)
			EXPECT_TEXT(r->step[v.finding[0].step].id + strlen("explain."), rows[i].step);
		report_free(r);
	}
}

/* The line ends that mail and Windows make mean the same. */
TEST(how_long_exchange_asks_to_wait)
{
	CLEANUP(report) struct report *r = report_new("");
	int step;

	explain_facts(r, "<e:ResponseCode>ErrorServerBusy</e:ResponseCode><t:MessageXml><t:Value Name=\"BackOffMilliseconds\">297749</t:Value></t:MessageXml>");
	step = report_find(r, "explain.ews", NO_ATTEMPT);
	EXPECT(step >= 0);
	EXPECT_TEXT(report_value(r, step, FACT_EWS_BACK_OFF), "297749");
}

TEST(with_other_line_ends)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *work = arena_new();
		struct buffer  b;
		struct verdict v;
		struct report *r;

		buffer_init(&b, 1 << 16);
		buffer_add_str(&b, "\r\n");
		for (const char *c = rows[i].text; *c; c++)
			buffer_add(&b, *c == '\n' ? slice("\r\n", 2) : slice(c, 1));
		buffer_add_str(&b, "\r\n");
		r = explain(arena_copy(work, buffer_held(&b)), &v);
		EXPECT_TEXT(cause_row(v.finding[0].cause)->id, rows[i].cause);
		buffer_release(&b);
		report_free(r);
	}
}

/* Cut anywhere, a text still has one verdict, and one that says "no" never becomes sure of another provider's cause. */
TEST(cut_anywhere)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *work = arena_new();

		for (size_t len = 0; len <= strlen(rows[i].text); len++) {
			struct verdict v;
			struct report *r = explain(arena_copy(work, slice(rows[i].text, len)), &v);

			EXPECT_ROW(v.findings > 0, rows[i].text);
			if (strcmp(rows[i].cause, "unknown.answer") == 0)
				EXPECT_ROW(v.finding[0].cause == CAUSE_UNKNOWN_ANSWER, rows[i].text);
			report_free(r);
		}
	}
}

static const char *value(const struct report *r, const char *step, const char *fact)
{
	return report_find(r, step, NO_ATTEMPT) < 0 ? NULL : report_value(r, report_find(r, step, NO_ATTEMPT), fact);
}

TEST(names_are_those_of_a_session)
{
	struct verdict v;
	struct report *r = explain("host smtp.gmail.com said: 534-5.7.9 Application-specific password\n required. 534 5.7.9 See\n534 5.7.9 x (in reply to end of DATA command)", &v);

	EXPECT_TEXT(value(r, "explain.smtp", FACT_REPLY_CODE), "534");
	EXPECT_TEXT(value(r, "explain.smtp", FACT_REPLY_ENHANCED), "5.7.9");
	EXPECT_TEXT(value(r, "explain.smtp", FACT_HOST), "smtp.gmail.com");
	EXPECT_TEXT(value(r, "explain.smtp", FACT_SEND_STAGE), "data");
	report_free(r);

	r = explain("* BYE see you\n* OK Dovecot ready.\na1 NO [EXPIRED] too old", &v);
	EXPECT_TEXT(value(r, "explain.imap", FACT_REPLY_STATUS), "NO");
	EXPECT_TEXT(value(r, "explain.imap", FACT_REPLY_CODE), "EXPIRED");
	EXPECT_TEXT(value(r, "explain.imap", FACT_REPLY_TEXT), "NO [EXPIRED] too old");
	EXPECT_TEXT(value(r, "explain.imap", FACT_REPLY_ALSO), "* BYE see you");
	EXPECT_TEXT(value(r, "explain.imap", FACT_GREETING), "* OK Dovecot ready.");
	report_free(r);

	/* a folded field, and Python's lines within a line */
	r = explain("Diagnostic-Code: smtp;\r\n\t550 5.7.60 Client does not have\r\n\tpermissions to send as this sender", &v);
	EXPECT_TEXT(value(r, "explain.smtp", FACT_REPLY_TEXT), "550 5.7.60 Client does not have permissions to send as this sender");
	report_free(r);
	r = explain("(550, b'5.1.1 one\\n5.1.1 two')", &v);
	EXPECT_TEXT(value(r, "explain.smtp", FACT_REPLY_TEXT), "550 5.1.1 one two");
	report_free(r);
}

TEST(fingerprints)
{
	struct verdict v;
	struct report *one = explain("Strange  answer 17 from\nserver 4", &v), *same = explain("strange answer 1234 from server 99999\r\n", &v),
	              *other = explain("Strange reply 17 from server 4", &v);
	const char *print = value(one, "explain.text", FACT_FINGERPRINT);

	EXPECT(print && strlen(print) == 16);
	EXPECT_TEXT(value(same, "explain.text", FACT_FINGERPRINT), print);
	EXPECT(strcmp(value(other, "explain.text", FACT_FINGERPRINT), print) != 0);
	EXPECT_TEXT(value(other, "explain.text", FACT_REPLY_TEXT), "Strange reply 17 from server 4");
	report_free(one);
	report_free(same);
	report_free(other);
}

/* One document's word for several causes names none of them alone. */
TEST(shared_words)
{
	struct verdict v;
	struct report *r = explain("OFFICE_ERROR_REST_API_NOT_ENABLED_FOR_COMPONENT_SHARED_MAILBOX", &v);
	bool           premises = false, rest = false;

	for (size_t i = 0; i < v.findings; i++) {
		premises |= v.finding[i].cause == CAUSE_MICROSOFT_MAILBOX_ON_PREMISES;
		rest |= v.finding[i].cause == CAUSE_MICROSOFT_REST_NOT_ENABLED;
	}
	EXPECT(premises && rest);
	report_free(r);
}

/* Four numbers are an address or a version, whatever stands before them. */
TEST(no_enhanced_code)
{
	struct verdict v;
	struct report *r = explain("said: 550 5.1.1.7 x", &v);

	EXPECT_TEXT(cause_row(v.finding[0].cause)->id, "unknown.answer");
	report_free(r);
}

/* The text itself is shown, and is evidence of nothing. */
TEST(raw_text_is_no_evidence)
{
	struct report *r = report_new("");
	int            step = report_begin(r, "explain.text", NO_ATTEMPT, 0);
	struct verdict v;

	report_note(r, step, FACT_REPLY_TEXT, "User is authenticated but not connected");
	report_end(r, step, STEP_PASSED, 0);
	diagnose_pasted(r, &v);
	EXPECT_TEXT(cause_row(v.finding[0].cause)->id, "unknown.answer");
	report_free(r);
}

/* -- the time grows with the length ---------------------------------------------------------------------------------- */

/* Not under the thread sanitizer: its memmem() marks all of the haystack as read, however near the needle is found. */
#ifndef __SANITIZE_THREAD__
static double seconds(const char *piece, size_t len)
{
	char           *text = malloc(len + 1);
	struct timespec from, to;
	struct verdict  v;

	for (size_t i = 0; i < len; i++)
		text[i] = piece[i % strlen(piece)];
	text[len] = '\0';
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	report_free(explain(text, &v));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	free(text);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

TEST(never_quadratic)
{
	static const char *const pieces[] = {
		"A", "550 5.1.1 ", "550 x ", "a1 NO ", "'", "b'", " <", "[", "[ALERT ", "a.b.com ", "a.", ": ", "said: ", "\n", "status:\n ", "(", " ",
		"server 550 x ", "self-signed certificatex", "(535, b'x", "550-", "550-5.1.1 a\n", "interaction requiredx", "response: b'b'", "\\n",
	};

	for (size_t i = 0; i < COUNT(pieces); i++) {
		/* eight times the text may take eight times as long, and three times that for the noise of a machine, not 64 times */
		double eighth = seconds(pieces[i], EXPLAIN_LONGEST / 8), whole = seconds(pieces[i], EXPLAIN_LONGEST);

		if (whole > 24 * eighth + 0.05)
			test_fail(__FILE__, __LINE__, "%s takes %.2f s, and an eighth of it %.2f s", pieces[i], whole, eighth);
	}
}
#endif

TEST(no_more_than_the_limit_is_read)
{
	size_t         len = EXPLAIN_LONGEST;
	char          *text = malloc(len + 64);
	struct verdict v;
	struct report *r;

	memset(text, ' ', len);
	strncpy(text + len, "\n550 5.1.1 User unknown", 64);
	r = explain(text, &v);
	EXPECT_TEXT(cause_row(v.finding[0].cause)->id, "unknown.answer");
	report_free(r);
	strncpy(text + len - 32, "\n550 5.1.1 User unknown", 64);
	r = explain(text, &v);
	EXPECT_TEXT(cause_row(v.finding[0].cause)->id, "send.recipient_rejected");
	report_free(r);
	free(text);
}
