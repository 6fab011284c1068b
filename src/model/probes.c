#include "model/probes.h"

const char *probe_id(enum probe_kind kind)
{
	static const char *const id[PROBE_KINDS] = {
		[PROBE_NONE] = "",                         [PROBE_CONTROL] = "probe.control",     [PROBE_PORT] = "probe.port",
		[PROBE_CLOCK] = "probe.clock",             [PROBE_DNS] = "probe.dns",             [PROBE_ISSUER] = "probe.issuer",
		[PROBE_INTERCEPT] = "probe.intercept",     [PROBE_TLS_VERSION] = "probe.tls_version", [PROBE_TLS] = "probe.tls",
		[PROBE_PLAIN] = "probe.plain",             [PROBE_NAMES] = "probe.names",
	};

	return id[kind];
}
