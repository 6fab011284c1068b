/* event_data.h -- what an event tells: the same for the event stream, the webhooks and whoever reads docs/openapi.yaml. */
#ifndef SERVE_EVENT_DATA_H
#define SERVE_EVENT_DATA_H

#include "base/json.h"
#include "model/account.h"
#include "model/calendar_change.h"
#include "model/message.h"
#include "store/links.h"

/* {account: {id, address, state, external_id, next_try}, cause: {id, certainty, who, title}}; of a removed one the id only. */
cJSON *account_event_data(const struct account *);
/* {account: {id, address}, message: {id, message_id, in_reply_to, from, to, subject, folder, size, received}} */
cJSON *message_event_data(const struct account *, const struct message *);
/* {account: {id, address}, calendar: {id, name}, entry: {id, change, uid, title, start, end, all_day, recurs, zone, cancelled, private}}; a
 * private one keeps its title to itself, and of what was not read only id and change are known. */
cJSON *calendar_event_data(const struct account *, const struct calendar_change *);
/* {incident: {id, host, cause, who}} */
cJSON *incident_event_data(const struct incident *);

#endif
