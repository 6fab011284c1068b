/* rules_network.c -- the address, the name service, and the way to the server (facts G H.1-H.4, H.8). */
#include "diagnose/rule.h"

#define USER  WHO_USER
#define ADMIN WHO_ADMIN

static const struct rule address[] = {
	{ CAUSE_ADDRESS_MALFORMED, PROVEN, 0, { { "address", FACT_ADDRESS_PROBLEM, ANY, NULL } }, { 0 }, "RFC 5321, 6531" },
	{ CAUSE_DNS_NO_SUCH_DOMAIN, PROVEN, 0, { { "dns.mx", FACT_DNS_OUTCOME, IS, "nxdomain" }, { "resolve", FACT_HOST, NONE, NULL } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_NO_MAIL_SERVICE, PROVEN, 0, { { "dns.mx", FACT_DNS_NULL_MX, IS, "yes" }, { "resolve", FACT_HOST, NONE, NULL } }, { 0 }, "RFC 7505" },
	{ CAUSE_DNS_NO_MAIL_SERVICE, PROVEN, 0, { { "dns.mx", FACT_DNS_OUTCOME, IS, "no_data" }, { "dns.mx", FACT_DNS_HAS_ADDRESS, IS, "no" },
		{ "resolve", FACT_HOST, NONE, NULL } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_SERVICE_NOT_OFFERED, PROVEN, 0, { { "detect", FACT_NOT_OFFERED, STARTS, "_imap" }, { "resolve", FACT_HOST, NONE, NULL } }, { 0 }, "G F.3" },

	/* Whose name service? A second, well-known name tells. */
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "dns.mx", FACT_DNS_OUTCOME, IS, "bogus" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, WHO_OPERATOR, { { "dns.mx", FACT_DNS_OUTCOME, IS, "refused" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "dns.mx", FACT_DNS_OUTCOME, IS, "servfail" }, { "probe.dns", FACT_DNS_OUTCOME, IS, "found" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "dns.mx", FACT_DNS_OUTCOME, IS, "timeout" }, { "probe.dns", FACT_DNS_OUTCOME, IS, "found" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, WHO_OPERATOR, { { "dns.mx", FACT_DNS_OUTCOME, IS, "servfail" }, { "probe.dns", FACT_DNS_OUTCOME, ANY, NULL } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, WHO_OPERATOR, { { "dns.mx", FACT_DNS_OUTCOME, IS, "timeout" }, { "probe.dns", FACT_DNS_OUTCOME, ANY, NULL } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, LIKELY, ADMIN, { { "dns.mx", FACT_DNS_OUTCOME, IS, "servfail" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, LIKELY, WHO_OPERATOR, { { "dns.mx", FACT_DNS_OUTCOME, IS, "timeout" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, LIKELY, ADMIN, { { "dns.mx", FACT_DNS_OUTCOME, IS, "broken" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "dns.mx", FACT_DNS_OUTCOME, IS, "loop" } }, { 0 }, "G H.2" },
};

static const struct rule network[] = {
	/* One address for every name, even for one that cannot be: whoever answers there, it is not the server. */
	{ CAUSE_NET_INTERCEPTED, PROVEN, 0, { { "resolve", FACT_NET_ADDRESS, ANY, NULL }, { "probe.intercept", FACT_PROBE_RESULT, IS, "same address" } },
		{ 0 }, "G H.8" },

	/* The server's name. Whoever wrote it down must correct it: the person who typed it, or the domain that announces it. */
	{ CAUSE_DNS_NO_SUCH_HOST, PROVEN, USER, { { "resolve", FACT_DNS_OUTCOME, IS, "nxdomain" }, { "resolve", FACT_SOURCE, IS, "user" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_NO_SUCH_HOST, PROVEN, USER, { { "resolve", FACT_DNS_OUTCOME, IS, "no_data" }, { "resolve", FACT_SOURCE, IS, "user" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_NO_SUCH_HOST, PROVEN, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "nxdomain" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_NO_SUCH_HOST, PROVEN, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "no_data" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "bogus" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "loop" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "servfail" }, { "probe.dns", FACT_DNS_OUTCOME, IS, "found" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "timeout" }, { "probe.dns", FACT_DNS_OUTCOME, IS, "found" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, PROVEN, WHO_OPERATOR, { { "resolve", FACT_DNS_OUTCOME, IS, "refused" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, LIKELY, WHO_OPERATOR, { { "resolve", FACT_DNS_OUTCOME, IS, "servfail" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, LIKELY, WHO_OPERATOR, { { "resolve", FACT_DNS_OUTCOME, IS, "timeout" } }, { 0 }, "G H.2" },
	{ CAUSE_DNS_FAILURE, LIKELY, ADMIN, { { "resolve", FACT_DNS_OUTCOME, IS, "broken" } }, { 0 }, "G H.2" },

	/* The way there. */
	{ CAUSE_NET_ADDRESS_NOT_ALLOWED, PROVEN, 0, { { "connect", FACT_NET_OUTCOME, IS, "not_allowed" } }, { 0 }, "DESIGN 6" },
	{ CAUSE_NET_REFUSED, PROVEN, USER, { { "connect", FACT_NET_OUTCOME, IS, "refused" }, { "resolve", FACT_SOURCE, IS, "user" } }, { 0 }, "G H.3" },
	{ CAUSE_NET_REFUSED, PROVEN, ADMIN, { { "connect", FACT_NET_OUTCOME, IS, "refused" } }, { 0 }, "G H.3" },
	{ CAUSE_OPERATOR_EGRESS_BLOCKED, PROVEN, 0, { { "connect", FACT_NET_OUTCOME, IS, "timeout" }, { "probe.control", FACT_PROBE_RESULT, IS, "none reached" } }, { 0 }, "G H.3" },
	{ CAUSE_NET_TIMEOUT, PROVEN, ADMIN, { { "connect", FACT_NET_OUTCOME, IS, "timeout" }, { "probe.control", FACT_PROBE_RESULT, IS, "reached" } }, { 0 }, "G H.3" },
	{ CAUSE_NET_TIMEOUT, LIKELY, ADMIN, { { "connect", FACT_NET_OUTCOME, IS, "timeout" } }, { CAUSE_OPERATOR_EGRESS_BLOCKED }, "G H.3" },
	{ CAUSE_NET_UNREACHABLE, PROVEN, 0, { { "connect", FACT_NET_OUTCOME, IS, "unreachable" } }, { 0 }, "G H.3" },
	{ CAUSE_NET_RESET, PROVEN, 0, { { "connect", FACT_NET_OUTCOME, IS, "reset" } }, { 0 }, "G H.3" },

	/* Before a word was said. A line that was plain from the start may be one that waits for TLS: a second one tells. */
	{ CAUSE_TLS_IMPLICIT_PORT, PROVEN, 0, { { "greeting", FACT_PROTOCOL, IS, "tls" } }, { 0 }, "G H.4" },
	{ CAUSE_TLS_IMPLICIT_PORT, PROVEN, 0, { { "greeting", FACT_NET_OUTCOME, ANY, NULL }, { "resolve", FACT_SOCKET, IS, "starttls" },
		{ "probe.tls", FACT_TLS_SHOOK, IS, "yes" } }, { 0 }, "G H.3" },
	{ CAUSE_TLS_IMPLICIT_PORT, PROVEN, 0, { { "greeting", FACT_NET_OUTCOME, ANY, NULL }, { "resolve", FACT_SOCKET, IS, "starttls" },
		{ "probe.tls", FACT_TLS_ALERT, ANY, NULL } }, { 0 }, "G H.4" },
	{ CAUSE_SERVER_WRONG_PROTOCOL, PROVEN, 0, { { "greeting", FACT_PROTOCOL, ANY, NULL } }, { 0 }, "G H.4" },
	{ CAUSE_NET_SILENT, PROVEN, 0, { { "greeting", FACT_NET_OUTCOME, IS, "timeout" }, { "greeting", FACT_FIRST_BYTES, NONE, NULL } }, { 0 }, "G H.3" },
	{ CAUSE_NET_RESET, PROVEN, 0, { { "greeting", FACT_NET_OUTCOME, IS, "reset" } }, { 0 }, "G H.3" },
	{ CAUSE_NET_RESET, LIKELY, 0, { { "greeting", FACT_NET_OUTCOME, IS, "closed" }, { "greeting", FACT_FIRST_BYTES, NONE, NULL } },
		{ CAUSE_SERVER_UNAVAILABLE, CAUSE_AUTH_IP_NOT_ALLOWED, CAUSE_TLS_HANDSHAKE_FAILED }, "G H.3" },
	/* It began to greet, and no more came. */
	{ CAUSE_SERVER_ANSWER_UNREADABLE, LIKELY, 0, { { "greeting", FACT_NET_OUTCOME, IS, "timeout|closed" }, { "greeting", FACT_FIRST_BYTES, ANY, NULL } },
		{ CAUSE_SERVER_UNAVAILABLE, CAUSE_AUTH_IP_NOT_ALLOWED }, "G H.3" },
};

const struct rule_table rules_address = { address, COUNT(address) };
const struct rule_table rules_network = { network, COUNT(network) };
