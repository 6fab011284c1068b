/* wishes.c -- which question would separate the causes that are left. */
#include "diagnose/diagnose.h"

/* A cause is worth a probe as long as it is not proven, or where the probe finds the way out. */
static const struct {
	enum cause      cause;
	enum probe_kind kind;
	bool            even_proven;
} wishes[] = {
	{ CAUSE_NET_TIMEOUT,            PROBE_CONTROL,     false },
	{ CAUSE_NET_TIMEOUT,            PROBE_PORT,        true },
	{ CAUSE_NET_REFUSED,            PROBE_PORT,        true },
	{ CAUSE_NET_SILENT,             PROBE_TLS,         true },
	{ CAUSE_NET_SILENT,             PROBE_PLAIN,       false },
	{ CAUSE_NET_RESET,              PROBE_TLS,         true },
	{ CAUSE_DNS_FAILURE,            PROBE_DNS,         false },
	{ CAUSE_TLS_EXPIRED,            PROBE_CLOCK,       false },
	{ CAUSE_TLS_NOT_YET_VALID,      PROBE_CLOCK,       false },
	{ CAUSE_TLS_UNKNOWN_ISSUER,     PROBE_ISSUER,      false },
	{ CAUSE_TLS_UNKNOWN_ISSUER,     PROBE_INTERCEPT,   false },
	{ CAUSE_NET_INTERCEPTED,        PROBE_INTERCEPT,   false },
	{ CAUSE_NET_REFUSED,            PROBE_INTERCEPT,   true },
	{ CAUSE_NET_TIMEOUT,            PROBE_INTERCEPT,   true },
	{ CAUSE_NET_RESET,              PROBE_TLS_VERSION, true },      /* some old stacks say nothing and hang up */
	{ CAUSE_NET_RESET,              PROBE_INTERCEPT,   true },
	{ CAUSE_NET_SILENT,             PROBE_INTERCEPT,   true },
	{ CAUSE_SERVER_WRONG_PROTOCOL,  PROBE_INTERCEPT,   true },
	{ CAUSE_TLS_NAME_MISMATCH,      PROBE_INTERCEPT,   true },
	{ CAUSE_TLS_SELF_SIGNED,        PROBE_INTERCEPT,   true },
	{ CAUSE_TLS_TOO_OLD,            PROBE_TLS_VERSION, false },
	{ CAUSE_TLS_HANDSHAKE_FAILED,   PROBE_TLS_VERSION, false },
	{ CAUSE_TLS_NAME_MISMATCH,      PROBE_NAMES,       true },
	{ CAUSE_TLS_STARTTLS_MISSING,   PROBE_PORT,        true },
};

/* Some probes make no sense for the socket at hand: plain text first is what STARTTLS ports speak anyway. */
static bool fits(const struct scope *s, enum probe_kind kind)
{
	const char *socket = scope_value(s, "resolve", FACT_SOCKET), *aia = scope_value(s, "tls", FACT_TLS_AIA);
	bool        starttls = socket && strcmp(socket, "starttls") == 0;

	switch (kind) {
	case PROBE_TLS:       return starttls && !scope_value(s, "greeting", FACT_GREETING);
	case PROBE_PLAIN:     return !starttls;
	case PROBE_TLS_VERSION: return scope_value(s, "tls", FACT_TLS_SHOOK) != NULL;
	case PROBE_ISSUER:    return aia && strncmp(aia, "http", 4) == 0;
	default:              return true;
	}
}

enum probe_kind diagnose_wish(const struct report *r, int attempt, const struct finding *f)
{
	struct scope scope;

	scope_init(&scope, r, attempt);
	for (size_t i = 0; i < COUNT(wishes); i++)
		if (wishes[i].cause == f->cause && (f->certainty < PROVEN || wishes[i].even_proven) && fits(&scope, wishes[i].kind)
		    && report_find(r, probe_id(wishes[i].kind), attempt) < 0)
			return wishes[i].kind;
	return PROBE_NONE;
}
