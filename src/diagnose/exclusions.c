/* exclusions.c -- what a single fact rules out, whatever the verdict is: never more than that fact excludes (facts J.6). */
#include "diagnose/rule.h"

const struct exclusion_rule exclusion_rules[] = {
	/* The way there. */
	{ { "resolve", FACT_DNS_OUTCOME, IS, "found" }, { CAUSE_DNS_NO_SUCH_HOST } },
	{ { "connect", FACT_NET_OUTCOME, IS, "ok" }, { CAUSE_NET_REFUSED, CAUSE_NET_TIMEOUT, CAUSE_NET_UNREACHABLE } },
	{ { "probe.control", FACT_PROBE_RESULT, IS, "reached" }, { CAUSE_OPERATOR_EGRESS_BLOCKED } },
	{ { "imap.greeting", FACT_GREETING, STARTS, "* OK" }, { CAUSE_NET_SILENT, CAUSE_SERVER_WRONG_PROTOCOL } },
	{ { "smtp.greeting", FACT_GREETING, STARTS, "220" }, { CAUSE_NET_SILENT } },

	/* The private line. */
	{ { "tls", FACT_TLS_VERIFY, IS, "ok" },
	  { CAUSE_TLS_NAME_MISMATCH, CAUSE_TLS_EXPIRED, CAUSE_TLS_NOT_YET_VALID, CAUSE_TLS_UNKNOWN_ISSUER, CAUSE_TLS_INCOMPLETE_CHAIN,
	    CAUSE_TLS_SELF_SIGNED } },
	{ { "probe.clock", FACT_PROBE_RESULT, IS, "right" }, { CAUSE_OPERATOR_CLOCK_WRONG } },
	{ { "starttls", FACT_STARTTLS_OFFERED, IS, "yes" }, { CAUSE_TLS_STARTTLS_MISSING } },

	/* The sign-in. A password that was not said was not refused; one that was accepted is right. */
	{ { "address", FACT_AUTH_SENT, IS, "no" }, { CAUSE_AUTH_PASSWORD_REJECTED, CAUSE_AUTH_USERNAME_FORM } },
	{ { "login", FACT_AUTH_MECHANISM, ANY, NULL }, { CAUSE_AUTH_NO_COMMON_SCHEME, CAUSE_SMTP_AUTH_NOT_OFFERED } },
	{ { "login", FACT_STEP_PASSED, ANY, NULL },
	  { CAUSE_AUTH_PASSWORD_REJECTED, CAUSE_AUTH_USERNAME_FORM, CAUSE_AUTH_APP_PASSWORD_REQUIRED, CAUSE_AUTH_OAUTH_REQUIRED } },

	/* The mailbox. */
	{ { "imap.open", FACT_STEP_PASSED, ANY, NULL }, { CAUSE_MAILBOX_NOT_FOUND, CAUSE_IMAP_CONNECTED_ELSEWHERE_ONLY } },
};
const size_t exclusion_rule_count = COUNT(exclusion_rules);
