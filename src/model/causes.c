#include "model/causes.h"

#include <assert.h>
#include <string.h>

static const struct cause_row rows[CAUSE_COUNT] = {
	[CAUSE_NONE] = { "", WHO_NOBODY, WHO_NOBODY, "" },
#define CAUSE(name, id, first_who, all_who, alias) [CAUSE_##name] = { id, first_who, all_who, alias },
#include "model/causes.def"
#undef CAUSE
};

const struct cause_row *cause_row(enum cause cause)
{
	assert(cause < CAUSE_COUNT);
	return &rows[cause];
}

enum cause cause_find(const char *id)
{
	for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++)
		if (strcmp(rows[i].id, id) == 0)
			return (enum cause)i;
	return CAUSE_NONE;
}

const char *who_name(enum who who)
{
	switch (who) {
	case WHO_USER:     return "user";
	case WHO_ADMIN:    return "admin";
	case WHO_PROVIDER: return "provider";
	case WHO_OPERATOR: return "operator";
	case WHO_NOBODY:   return "nobody";
	}
	return "";
}

const char *certainty_name(enum certainty certainty)
{
	static const char *const name[] = { "", "possible", "likely", "proven" };

	return name[certainty];
}

static bool is_among(enum cause cause, const enum cause *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == cause)
			return true;
	return false;
}

bool cause_is_outage(enum cause cause)
{
	static const enum cause outages[] = {
		CAUSE_NET_REFUSED, CAUSE_NET_TIMEOUT, CAUSE_NET_SILENT, CAUSE_NET_RESET, CAUSE_NET_UNREACHABLE, CAUSE_NET_INTERCEPTED,
		CAUSE_OPERATOR_EGRESS_BLOCKED, CAUSE_OPERATOR_CLOCK_WRONG, CAUSE_DNS_FAILURE, CAUSE_DNS_NO_SUCH_HOST,
		CAUSE_SERVER_UNAVAILABLE,
		CAUSE_SERVER_ANSWER_UNREADABLE, CAUSE_SERVER_WRONG_PROTOCOL, CAUSE_THROTTLE_PROVIDER, CAUSE_AUTH_BACKEND_DOWN,
		CAUSE_IMAP_TOO_MANY_CONNECTIONS, CAUSE_IMAP_TRAFFIC_EXCEEDED, CAUSE_MAILBOX_MOVING,
	};

	return is_among(cause, outages, sizeof outages / sizeof *outages);
}

bool cause_is_of_trust(enum cause cause)
{
	static const enum cause of_trust[] = {
		CAUSE_TLS_NAME_MISMATCH, CAUSE_TLS_EXPIRED, CAUSE_TLS_NOT_YET_VALID, CAUSE_TLS_SELF_SIGNED, CAUSE_TLS_UNKNOWN_ISSUER,
		CAUSE_TLS_INCOMPLETE_CHAIN, CAUSE_TLS_WEAK_CERTIFICATE, CAUSE_TLS_PIN_MISMATCH, CAUSE_NET_INTERCEPTED,
	};

	return is_among(cause, of_trust, sizeof of_trust / sizeof *of_trust);
}
