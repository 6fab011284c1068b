/* bounce.h -- what a message says that came back because another could not be delivered (RFC 3464). */
#ifndef VERIFY_BOUNCE_H
#define VERIFY_BOUNCE_H

#include "base/slice.h"
#include "model/report.h"

/* The refusing server's code and words, as facts of that step; where the message tells none, its subject. `text`: the whole message,
 * or as much of it as there is. */
void bounce_facts(struct report *, int step, struct slice text);
/* It only says that the delivery takes its time. */
bool bounce_is_delay(struct slice text);

#endif
