/* rules_tls.c -- the line that cannot be made private, or not to the right peer (facts G H.4-H.8). */
#include "diagnose/rule.h"

#define TLS(fact, op, value) { "tls", fact, op, value }

static const struct rule tls[] = {
	/* What answered our hello was no TLS at all. */
	{ CAUSE_TLS_PLAINTEXT_PORT, PROVEN, 0, { { "imap.tls", FACT_PROTOCOL, IS, "imap" }, { "imap.tls", FACT_TLS_SHOOK, IS, "no" } }, { 0 }, "G H.4" },
	{ CAUSE_TLS_PLAINTEXT_PORT, PROVEN, 0, { { "smtp.tls", FACT_PROTOCOL, IS, "smtp" }, { "smtp.tls", FACT_TLS_SHOOK, IS, "no" } }, { 0 }, "G H.4" },
	{ CAUSE_SERVER_WRONG_PROTOCOL, PROVEN, 0, { TLS(FACT_PROTOCOL, ANY, NULL) }, { 0 }, "G H.4" },

	/* Where one key is pinned, nothing else counts, for or against. */
	{ CAUSE_TLS_PIN_MISMATCH, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "pin") }, { 0 }, "RFC 7469 2.6" },

	/* Our own clock, before anybody's certificate is called out of date. */
	{ CAUSE_OPERATOR_CLOCK_WRONG, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "not_yet"), { "probe.clock", FACT_PROBE_RESULT, IS, "behind" } }, { 0 }, "G H.6" },
	{ CAUSE_OPERATOR_CLOCK_WRONG, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "expired"), { "probe.clock", FACT_PROBE_RESULT, IS, "ahead" } }, { 0 }, "G H.6" },

	/* One issuer for hosts that have nothing to do with each other sits between us and all of them. */
	{ CAUSE_NET_INTERCEPTED, PROVEN, 0, { TLS(FACT_TLS_ISSUER, ANY, NULL), { "probe.intercept", FACT_PROBE_RESULT, IS, "same issuer" } }, { 0 }, "G H.8" },

	{ CAUSE_TLS_REVOKED, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "revoked") }, { 0 }, "G H.6" },
	{ CAUSE_TLS_SELF_SIGNED, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "self_signed") }, { 0 }, "G H.6" },
	{ CAUSE_TLS_EXPIRED, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "expired"), { "probe.clock", FACT_PROBE_RESULT, IS, "right" } }, { 0 }, "G H.6" },
	{ CAUSE_TLS_EXPIRED, LIKELY, 0, { TLS(FACT_TLS_FLAW, IS, "expired") }, { CAUSE_OPERATOR_CLOCK_WRONG }, "G H.6" },
	{ CAUSE_TLS_NOT_YET_VALID, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "not_yet"), { "probe.clock", FACT_PROBE_RESULT, IS, "right" } }, { 0 }, "G H.6" },
	{ CAUSE_TLS_NOT_YET_VALID, LIKELY, 0, { TLS(FACT_TLS_FLAW, IS, "not_yet") }, { CAUSE_OPERATOR_CLOCK_WRONG }, "G H.6" },

	/* Names that inspecting firewalls and virus scanners give their own authorities (facts H.6, row 19). */
#define INSPECTOR(name) \
	{ CAUSE_NET_INTERCEPTED, LIKELY, 0, { TLS(FACT_TLS_FLAW, IS, "private_root"), TLS(FACT_TLS_ISSUER, HAS, name) }, { CAUSE_TLS_UNKNOWN_ISSUER }, "G H.6" }, \
	{ CAUSE_NET_INTERCEPTED, LIKELY, 0, { TLS(FACT_TLS_FLAW, IS, "no_issuer"), TLS(FACT_TLS_ISSUER, HAS, name) }, { CAUSE_TLS_UNKNOWN_ISSUER }, "G H.6" }
	INSPECTOR("FortiGate"), INSPECTOR("Fortinet"), INSPECTOR("Zscaler"), INSPECTOR("Sophos"), INSPECTOR("Kaspersky"), INSPECTOR("ESET"),
	INSPECTOR("Avast"), INSPECTOR("Netskope"), INSPECTOR("Blue Coat"), INSPECTOR("Cisco Umbrella"),

	{ CAUSE_TLS_INCOMPLETE_CHAIN, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "no_issuer"), { "probe.issuer", FACT_PROBE_RESULT, IS, "completes the chain" } }, { 0 }, "G H.6" },
	{ CAUSE_TLS_UNKNOWN_ISSUER, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "private_root"), { "probe.intercept", FACT_PROBE_RESULT, IS, "another issuer" } }, { 0 }, "G H.6" },
	{ CAUSE_TLS_UNKNOWN_ISSUER, LIKELY, 0, { TLS(FACT_TLS_FLAW, IS, "private_root") }, { CAUSE_NET_INTERCEPTED }, "G H.6" },
	{ CAUSE_TLS_UNKNOWN_ISSUER, LIKELY, 0, { TLS(FACT_TLS_FLAW, IS, "no_issuer") }, { CAUSE_TLS_INCOMPLETE_CHAIN }, "G H.6" },
	{ CAUSE_TLS_WEAK_CERTIFICATE, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "weak") }, { 0 }, "G H.6" },
	{ CAUSE_TLS_NAME_MISMATCH, PROVEN, 0, { TLS(FACT_TLS_FLAW, IS, "name") }, { 0 }, "G H.6, RFC 9525" },
	{ CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, 0, { TLS(FACT_TLS_FLAW, ANY, NULL) }, { 0 }, "G H.6" },

	/* The handshake broke. */
	{ CAUSE_TLS_TOO_OLD, PROVEN, 0, { TLS(FACT_TLS_SHOOK, IS, "no"), { "probe.tls_version", FACT_TLS_SHOOK, IS, "yes" } }, { 0 }, "G H.5" },
	{ CAUSE_TLS_TOO_OLD, PROVEN, 0, { TLS(FACT_TLS_SHOOK, IS, "no"), TLS(FACT_TLS_REASON, HAS, "unsupported protocol") }, { 0 }, "RFC 8446 4.2.1" },
	{ CAUSE_TLS_TOO_OLD, LIKELY, 0, { TLS(FACT_TLS_ALERT, IS, "70") }, { CAUSE_TLS_HANDSHAKE_FAILED }, "G H.5" },
	{ CAUSE_TLS_HANDSHAKE_FAILED, PROVEN, 0, { { NULL, FACT_TLS_CLIENT_CERT, ANY, NULL }, { NULL, FACT_TLS_ALERT, ANY, NULL } }, { 0 }, "G H.5" },
	{ CAUSE_TLS_HANDSHAKE_FAILED, PROVEN, 0, { { NULL, FACT_TLS_ALERT, IS, "116" } }, { 0 }, "G H.5" },
	{ CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, 0, { { NULL, FACT_TLS_ALERT, IS, "40" } }, { CAUSE_TLS_TOO_OLD }, "G H.5" },
	{ CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, 0, { { NULL, FACT_TLS_ALERT, ANY, NULL } }, { 0 }, "G H.5" },
	{ CAUSE_NET_SILENT, PROVEN, 0, { TLS(FACT_NET_OUTCOME, IS, "timeout"), { "probe.plain", FACT_PROBE_RESULT, IS, "silent" } }, { 0 }, "G H.3" },
	{ CAUSE_TLS_PLAINTEXT_PORT, PROVEN, 0, { TLS(FACT_TLS_SHOOK, IS, "no"), { "imap.probe.plain", FACT_PROTOCOL, IS, "imap" } }, { 0 }, "G H.4" },
	{ CAUSE_NET_SILENT, LIKELY, 0, { TLS(FACT_NET_OUTCOME, IS, "timeout") }, { CAUSE_TLS_PLAINTEXT_PORT }, "G H.3" },
	{ CAUSE_NET_RESET, PROVEN, 0, { TLS(FACT_NET_OUTCOME, IS, "reset") }, { 0 }, "G H.3" },
	{ CAUSE_NET_RESET, LIKELY, 0, { TLS(FACT_NET_OUTCOME, IS, "closed") }, { CAUSE_TLS_HANDSHAKE_FAILED }, "G H.3" },
	{ CAUSE_SERVER_WRONG_PROTOCOL, LIKELY, 0, { TLS(FACT_TLS_SHOOK, IS, "no"), TLS(FACT_FIRST_BYTES, ANY, NULL) }, { CAUSE_SERVER_ANSWER_UNREADABLE }, "G H.4" },
	{ CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, 0, { TLS(FACT_TLS_SHOOK, IS, "no") }, { 0 }, "G H.5" },

	/* STARTTLS */
	{ CAUSE_NET_INTERCEPTED, LIKELY, 0, { { "starttls", FACT_STARTTLS_INJECTED, IS, "yes" } }, { CAUSE_SERVER_ANSWER_UNREADABLE }, "G H.7" },
	{ CAUSE_NET_INTERCEPTED, LIKELY, 0, { { "greeting", FACT_REPLY_STATUS, IS, "PREAUTH" } }, { CAUSE_SERVER_ANSWER_UNREADABLE }, "G H.4" },
	{ CAUSE_NET_INTERCEPTED, LIKELY, 0, { { "starttls", FACT_STARTTLS_OFFERED, IS, "no" }, { "ehlo", FACT_STARTTLS_STRIPPED, ANY, NULL } },
		{ CAUSE_TLS_STARTTLS_MISSING }, "G H.7" },
	{ CAUSE_TLS_STARTTLS_MISSING, PROVEN, 0, { { "starttls", FACT_STARTTLS_OFFERED, IS, "no" } }, { 0 }, "G H.7" },
	{ CAUSE_SERVER_UNAVAILABLE, LIKELY, WHO_PROVIDER, { { "starttls", FACT_REPLY_TEXT, ANY, NULL }, { "starttls", FACT_STARTTLS_OFFERED, IS, "yes" } },
		{ CAUSE_TLS_HANDSHAKE_FAILED }, "G H.7" },
};

const struct rule_table rules_tls = { tls, COUNT(tls) };
