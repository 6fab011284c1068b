/* rules_sending.c -- what becomes of the test message, and what bounces say (facts G E.2).
 *
 * In a session the stage tells whom a refusal is about: the sender (mail), the recipient (rcpt), the message (data). A
 * bounce, come back or pasted, may not say it; then the enhanced code (RFC 3463) or the words must.
 */
#include "diagnose/rule.h"

#define WORDS(words)     { NULL, SAID, HAS, words }                        /* that nobody else says, wherever they stand */
#define BY_SMTP          "smtp.send|send.bounce"
#define SENT(words)      { "send|send.bounce", SAID, HAS, words }
#define AT(families)     { NULL, FACT_SERVER_FAMILY, IS, families }
#define CODE(codes)      { BY_SMTP, FACT_REPLY_CODE, IS, codes }
#define ENHANCED(codes)  { BY_SMTP, FACT_REPLY_ENHANCED, IS, codes }
#define STAGE(stages)    { "send", FACT_SEND_STAGE, IS, stages }
#define PERMANENT        { BY_SMTP, FACT_REPLY_CODE, STARTS, "5" }
#define TRANSIENT        { BY_SMTP, FACT_REPLY_CODE, STARTS, "4" }

#define SENDER    CAUSE_SEND_SENDER_REJECTED
#define AS        CAUSE_SEND_AS_DENIED
#define RELAY     CAUSE_SEND_RELAY_DENIED
#define RECIPIENT CAUSE_SEND_RECIPIENT_REJECTED
#define QUOTA     CAUSE_SEND_QUOTA_EXCEEDED
#define BLOCKED   CAUSE_SEND_BLOCKED
#define DELAYED   CAUSE_SEND_DELAYED
#define NOT_NOW   CAUSE_SERVER_UNAVAILABLE
#define THROTTLE  CAUSE_THROTTLE_PROVIDER
#define NOTHING   { 0 }

static const struct rule sending[] = {
	/* -- as whom ------------------------------------------------------------------------------------------------- */

	PROVES(SEND_AS_DENIED, 0, "G E.2 Exchange", WORDS("not have permissions to send as this sender|not allowed to send as")),
	PROVES(SEND_AS_DENIED, 0, "G E.2 Exchange", WORDS("SendAsDenied|SendAsDeniedException|MapiExceptionSendAsDenied")),
	PROVES(SEND_AS_DENIED, 0, "G E.2 Exchange", ENHANCED("5.7.60|5.2.252")),
	SUGGESTS(SEND_AS_DENIED, 0, OPEN(SENDER), "G E.2 Postfix", SENT("not owned by user")),
	SUGGESTS(SEND_AS_DENIED, 0, OPEN(SENDER), "G E.2 iCloud", SENT("From address is not one of your addresses")),
	SUGGESTS(SEND_AS_DENIED, 0, OPEN(SENDER, RELAY), "G E.2 Zoho", SENT("Relaying disallowed as")),
	SUGGESTS(SEND_SENDER_REJECTED, 0, OPEN(AS), "G E.2 Yahoo", SENT("From address not verified")),
	SUGGESTS(SEND_SENDER_REJECTED, 0, OPEN(AS), "G E.2 Yahoo", AT("yahoo|aol"), STAGE("mail"), SENT("Mailbox unavailable")),

	/* -- blocked ------------------------------------------------------------------------------------------------- */

	PROVES(SEND_BLOCKED, 0, "G E.2 Exchange Online", WORDS("OutboundSpamException|bad outbound sender")),
	PROVES(SEND_BLOCKED, 0, "G E.2 Exchange Online", ENHANCED("5.7.708|5.7.501|5.7.502|5.7.503")),
	PROVES(SEND_BLOCKED, 0, "G E.2 Exchange Online",
		SENT("traffic not accepted from this IP|spam abuse detected|banned sender")),
	SUGGESTS(SEND_SENDER_REJECTED, WHO_ADMIN, OPEN(BLOCKED), "G E.2 Exchange Online", ENHANCED("5.7.750")),
	SUGGESTS(SEND_BLOCKED, 0, OPEN(QUOTA), "G E.2 Exchange Online",
		{ BY_SMTP, FACT_REPLY_ENHANCED, STARTS, "5.7.70|5.7.71|5.7.72|5.7.73|5.7.74" }),

	/* -- quotas and rates ---------------------------------------------------------------------------------------- */

	PROVES(SEND_QUOTA_EXCEEDED, 0, "G E.2 Gmail",
		SENT("Daily user sending limit exceeded|Daily sending quota exceeded|Daily SMTP relay limit exceeded")),
	PROVES(SEND_QUOTA_EXCEEDED, 0, "G E.2 Exchange Online", SENT("your daily limit for message recipients")),
	PROVES(SEND_QUOTA_EXCEEDED, 0, "G E.2 Exchange Online", ENHANCED("5.1.90")),
	SUGGESTS(SEND_QUOTA_EXCEEDED, 0, OPEN(THROTTLE), "G E.2", ENHANCED("5.4.5")),        /* by RFC 3463 only "congestion" */
	SUGGESTS(SEND_QUOTA_EXCEEDED, 0, OPEN(THROTTLE), "G E.2 Exchange Online", ENHANCED("5.2.122")),
	SUGGESTS(SEND_QUOTA_EXCEEDED, 0, OPEN(BLOCKED), "G E.2 Yahoo", AT("yahoo|aol"), SENT("over the limit")),
	PROVES(THROTTLE_PROVIDER, 0, "G E.2 Exchange Online",
		SENT("thread limit exceeded|Concurrent connections limit exceeded")),
	SUGGESTS(THROTTLE_PROVIDER, 0, OPEN(NOT_NOW), "G E.2 Exchange Online", ENHANCED("4.7.500|4.7.650|4.7.651")),
	HINTS(SEND_QUOTA_EXCEEDED, 0, OPEN(THROTTLE), "RFC 3463 3.6", ENHANCED("4.5.3|5.5.3")),

	/* -- the message and the mailbox ----------------------------------------------------------------------------- */

	PROVES(SEND_TOO_LARGE, 0, "RFC 3463 3.3, 3.4", ENHANCED("5.2.3|5.3.4")),
	PROVES(SEND_TOO_LARGE, 0, "G E.2",
		PERMANENT, SENT("size exceeds|message size limits|message too large|message too big|exceeds size limit")),
	PROVES(MAILBOX_FULL, 0, "RFC 3463 3.3", ENHANCED("5.2.2|4.2.2")),
	SUGGESTS(MAILBOX_FULL, 0, OPEN(RECIPIENT), "G E.2",
		SENT("mailbox full|mailbox is full|over quota|quota exceeded|MapiExceptionShutoffQuotaExceeded")),
	SUGGESTS(MAILBOX_FULL, 0, OPEN(CAUSE_SEND_TOO_LARGE), "RFC 5321 4.2.3", CODE("552"), STAGE("rcpt|data|mail")),

	/* -- not for outside ----------------------------------------------------------------------------------------- */

	PROVES(SEND_RELAY_DENIED, 0, "G E.2",
		SENT("Relay access denied|Unable to relay|Relaying denied|relay not permitted|not permitted to relay")),
	PROVES(SEND_RELAY_DENIED, 0, "G E.2 Exchange", ENHANCED("5.7.54")),
	SUGGESTS(SEND_RELAY_DENIED, 0, OPEN(CAUSE_SMTP_AUTH_OFF), "G E.2 Exchange Online", ENHANCED("5.7.57")),
	SUGGESTS(SEND_RELAY_DENIED, 0, OPEN(CAUSE_SMTP_AUTH_OFF), "G E.2 Exchange Online", SENT("not authenticated to send")),
	SUGGESTS(SEND_RELAY_DENIED, 0, OPEN(CAUSE_SMTP_AUTH_OFF), "G E.2 Gmail, RFC 4954",
		CODE("530"), SENT("authentication required")),
	SUGGESTS(SEND_RELAY_DENIED, 0, OPEN(CAUSE_SMTP_AUTH_OFF), "RFC 4954", CODE("530"), STAGE("mail|rcpt|data")),

	/* -- the recipient ------------------------------------------------------------------------------------------- */

	PROVES(SEND_RECIPIENT_REJECTED, 0, "RFC 3463 3.2, G E.2", ENHANCED("5.1.1|5.1.10")),
	SUGGESTS(SEND_RECIPIENT_REJECTED, 0, NOTHING, "RFC 3463 3.2", ENHANCED("5.1.2|5.1.3|5.1.6|5.2.1")),
	SUGGESTS(SEND_RECIPIENT_REJECTED, 0, NOTHING, "G E.2", PERMANENT,
		SENT("user unknown|unknown user|no such user|no such recipient|recipient address rejected|recipient rejected|user not found")),
	SUGGESTS(SEND_RECIPIENT_REJECTED, 0, OPEN(BLOCKED), "G E.2 Gmail",
		SENT("TLS required for RCPT domain|IP not in whitelist for RCPT domain")),

	/* -- the sender ---------------------------------------------------------------------------------------------- */

	SUGGESTS(SEND_SENDER_REJECTED, WHO_ADMIN, OPEN(BLOCKED), "RFC 7372, G E.2", ENHANCED("5.7.20|5.7.23|5.7.26|5.7.27")),
	SUGGESTS(SEND_SENDER_REJECTED, WHO_ADMIN, OPEN(BLOCKED), "G E.2", PERMANENT, SENT("SPF|DKIM|DMARC")),
	SUGGESTS(SEND_SENDER_REJECTED, 0, OPEN(AS, BLOCKED), "RFC 3463 3.2", ENHANCED("5.1.7|5.1.8")),
	SUGGESTS(SEND_SENDER_REJECTED, 0, OPEN(AS, BLOCKED), "G E.2",
		PERMANENT, SENT("sender address rejected|sender rejected|sender verify failed")),

	/* -- content and reputation ---------------------------------------------------------------------------------- */

	SUGGESTS(SEND_BLOCKED, 0, OPEN(SENDER, RECIPIENT), "G E.2", PERMANENT,
		SENT("spam|spamhaus|blocklist|block list|blocked using|blacklist|blacklisted|poor reputation|bad reputation")),
	SUGGESTS(SEND_SENDER_REJECTED, 0, OPEN(BLOCKED, RELAY, AS), "CAUSES", ENHANCED("5.7.1|5.7.0"), STAGE("mail")),
	SUGGESTS(SEND_RECIPIENT_REJECTED, 0, OPEN(RELAY, BLOCKED, SENDER), "RFC 5321 4.3.2",
		ENHANCED("5.7.1|5.7.0"), STAGE("rcpt")),
	HINTS(SEND_SENDER_REJECTED, 0, OPEN(BLOCKED, RELAY, AS, RECIPIENT), "G E.2",
		CODE("550|553|554"), ENHANCED("5.7.1|5.7.0")),

	/* -- later, perhaps ------------------------------------------------------------------------------------------ */

	PROVES(SEND_DELAYED, 0, "CAUSES", TRANSIENT, SENT("greylisted|greylisting|greylist|graylisted|graylisting")),
	PROVES(SERVER_UNAVAILABLE, 0, "RFC 3463 3.4", ENHANCED("4.3.2")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(DELAYED, THROTTLE), "RFC 5321 3.8", CODE("421"), STAGE("mail|rcpt|data")),
	SUGGESTS(SERVER_UNAVAILABLE, 0, OPEN(DELAYED), "G E.2", ENHANCED("4.4.2")),
	SUGGESTS(SEND_DELAYED, 0, OPEN(NOT_NOW, THROTTLE), "RFC 5321 4.2.1", TRANSIENT, STAGE("mail|rcpt|data")),
	SUGGESTS(SEND_DELAYED, 0, OPEN(NOT_NOW, THROTTLE), "RFC 3463 3.1", { BY_SMTP, FACT_REPLY_ENHANCED, STARTS, "4." }),

	/* "Bad sequence" and "unknown command" are about us, not about the message. */
#define IN_ORDER { "send", FACT_REPLY_CODE, NEVER_IS, "500|502|503" }

	/* -- a refusal without a reason: the stage is all there is ----------------------------------------------------- */

	SUGGESTS(SEND_SENDER_REJECTED, 0, OPEN(AS, RELAY, BLOCKED), "RFC 5321 4.3.2", PERMANENT, IN_ORDER, STAGE("mail")),
	SUGGESTS(SEND_RECIPIENT_REJECTED, 0, OPEN(RELAY, SENDER, BLOCKED), "RFC 5321 4.3.2", PERMANENT, IN_ORDER, STAGE("rcpt")),
	HINTS(SEND_BLOCKED, 0, OPEN(SENDER, CAUSE_SEND_TOO_LARGE, AS), "RFC 5321 4.3.2", PERMANENT, IN_ORDER, STAGE("data")),

	/* -- accepted: did it come, and from whom? --------------------------------------------------------------------- */

	SUGGESTS(SEND_NOT_RECEIVED, 0, OPEN(DELAYED), "CAUSES", { "arrive", FACT_SEND_FOUND, IS, "no" }),
	SUGGESTS(SEND_DELAYED, 0, OPEN(CAUSE_SEND_NOT_RECEIVED), "CAUSES", { "arrive", FACT_SEND_FOUND, IS, "not yet" }),
	SUGGESTS(MICROSOFT_FOREIGN_PRIMARY_ALIAS, 0, OPEN(CAUSE_SEND_FROM_REWRITTEN), "M E.2 10",
		{ "arrive", FACT_SEND_REWRITTEN, STARTS, "outlook_" },
		{ "arrive", FACT_SEND_REWRITTEN, HAS, "outlook.com" }),
	PROVES(SEND_FROM_REWRITTEN, 0, "CAUSES", { "arrive", FACT_SEND_REWRITTEN, ANY, NULL }),
};

const struct rule_table rules_sending = { sending, COUNT(sending) };
