/* exchange_event.h -- how the test event of webevent.h is said to Exchange, on a session that stands open and signed in. */
#ifndef VERIFY_EXCHANGE_EVENT_H
#define VERIFY_EXCHANGE_EVENT_H

#include "provider/exchange.h"
#include "verify/webevent.h"

/* `session` is a exchange_session. */
extern const struct webevent_ways exchange_event;

#endif
