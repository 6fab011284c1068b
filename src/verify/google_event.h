/* google_event.h -- how the test event of webevent.h is said to Google Calendar, on a session that stands open and signed in. */
#ifndef VERIFY_GOOGLE_EVENT_H
#define VERIFY_GOOGLE_EVENT_H

#include "provider/google.h"
#include "verify/webevent.h"

/* `session` is a google_session. */
extern const struct webevent_ways google_event;

#endif
