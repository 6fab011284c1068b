/* microsoft_device.h -- a person signs in at Microsoft on a screen of their own, with a code that is shown here (RFC 8628; facts M A.5).
 *
 * microsoft_device_step(): asks for a code, has it shown, and asks whether somebody has signed in with it: never more often than it was
 * told, slower from then on where it is told so, and twice as slow where an answer did not come (RFC 8628 3.5). What was granted is in the
 * session then, as after a refresh, and is kept nowhere. A refusal ends it, and so does the end of the code.
 *
 * The code that is asked with is a secret, and never shown; the one that is shown is of use only to who signs in with it.
 * Records entra.device, and as entra.token what came of it.
 * Stops with the faults of web.h, and FAULT_REFUSED, FAULT_TIMEOUT (nobody signed in while the code was good), FAULT_BUSY, FAULT_BROKEN,
 * FAULT_CANCELLED.
 */
#ifndef PROVIDER_MICROSOFT_DEVICE_H
#define PROVIDER_MICROSOFT_DEVICE_H

#include "provider/microsoft.h"

struct microsoft_device {
	/* in */
	void              (*show)(void *, const struct oauth_device *);      /* once; what it is given lives as long as the report */
	void               *viewer;
	/* its own */
	struct oauth_device told;
	int64_t             ends_ms;
	int                 step, pause_s;
};

/* Called by microsoft_open_step() where the session has one. */
enum want_kind microsoft_device_step(struct microsoft_session *, struct want *, struct error *);

#endif
