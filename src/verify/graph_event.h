/* graph_event.h -- how the test event of webevent.h is said to Microsoft Graph, on a session that stands open and signed in. */
#ifndef VERIFY_GRAPH_EVENT_H
#define VERIFY_GRAPH_EVENT_H

#include "provider/microsoft.h"
#include "verify/webevent.h"

/* `session` is a microsoft_session. */
extern const struct webevent_ways graph_event;

#endif
