/* rest.h -- the pause between two turns of a mailbox that is asked again and again: by the clock, or until somebody says that something
 * happened there. */
#ifndef PROVIDER_REST_H
#define PROVIDER_REST_H

#include "base/want.h"

struct rest {
	/* in and out */
	struct gate stirred;         /* opened in the watch's thread, by who hears that something happened; shut by a new turn */
	bool        woken;           /* that ended the last wait */
	/* its own */
	int         step, left_ms;
};

/* About `ms`: an eighth to either side by dice, so that those that began together do not go on so. `busy`: no less than that, whatever
 * is heard. `told`: somebody hears when something happens; then it ends when the gate is open, at most once a second. */
enum want_kind rest_step(struct rest *, int ms, bool busy, bool told, struct want *);

#endif
