/* device.h -- a person signs in at Microsoft on another screen, with a code that is shown here.
 *
 * To people the code is shown on standard output; with --json it is one JSON object in a line of standard error, so that standard output is
 * still the one object that was promised.
 */
#ifndef CMD_DEVICE_H
#define CMD_DEVICE_H

#include "cmd/print.h"
#include "flow_signin.h"

struct device_signin {
	const char                 *address;
	const char                 *username;      /* who signs in for it; NULL: whose it is */
	const struct microsoft_app *app;
	enum rights                 rights;
	const struct net_settings  *net;
	const struct language      *lang;
	bool                        json;
	int                         timeout_ms;    /* of each part of it; the code has an end of its own */
};

/* Waits until it is over, at most an hour; Ctrl-C ends it. The report, the caller's, keeps what `out` leads to. NULL only for what is wrong
 * on this machine: no registration in the settings, FAULT_MALFORMED; FAULT_LOCAL. */
struct report *device_sign_in(const struct device_signin *, struct verdict *, struct signin_result *out, struct error *err);

/* That it did not go well, as mailmoor diagnose says it; the exit status. */
int            device_print_failure(const struct device_signin *, const struct report *, const struct verdict *, bool verbose);

#endif
