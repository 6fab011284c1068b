#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool fail(struct error *err, enum fault fault, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return false;
	err->fault = fault;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	return false;
}

const char *fault_name(enum fault fault)
{
	static const char *const name[] = {
		[FAULT_NONE] = "none",           [FAULT_MALFORMED] = "malformed", [FAULT_ABSENT] = "absent",
		[FAULT_NETWORK] = "network",     [FAULT_TIMEOUT] = "timeout",     [FAULT_TLS] = "tls",
		[FAULT_REFUSED] = "refused",     [FAULT_BUSY] = "busy",           [FAULT_BROKEN] = "broken",
		[FAULT_TOO_BIG] = "too_big",     [FAULT_NOT_ALLOWED] = "not_allowed",
		[FAULT_NOT_OFFERED] = "not_offered", [FAULT_CANCELLED] = "cancelled", [FAULT_LOCAL] = "local",
	};

	return name[fault];
}
