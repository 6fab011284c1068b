/* client.h -- a running daemon, spoken to by its REST API: one request at a time, on the caller's thread.
 *
 * It is the operator's own daemon, so it may live at a private address. The key, and what else is sent, goes to that place only: over
 * https with the certificate verified, over plain http to this machine alone, and never behind a redirect. Names are looked up in DNS
 * (by [net] resolver, if set), but for "localhost". [net] ca_file and connect_to hold as well.
 *
 * A request may reach the daemon more than once and is done once: writes carry an Idempotency-Key.
 *
 * Faults: FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS (no daemon to be had there); FAULT_REFUSED (it does not take the key, or said no),
 * FAULT_ABSENT, FAULT_MALFORMED (what was asked for is no such thing), FAULT_TOO_BIG, FAULT_BUSY (not now); FAULT_BROKEN (the answer
 * is not that of a Mailmoor); FAULT_CANCELLED. Where the daemon answered with a problem document, err->step is its code
 * ("request.absent").
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/json.h"
#include "base/settings.h"

struct client;

/* `url` NULL: [web] base_url, else http:// and [web] listen. `lang`: of the texts. All of them are copied; the settings must live as long.
 * FAULT_MALFORMED (no such URL), FAULT_NOT_ALLOWED (plain http to another machine), FAULT_LOCAL. One at a time. */
struct client *client_new(const struct settings *, const char *url, const char *key, const char *lang, struct error *err);
void           client_free(struct client *);      /* NULL is fine */
DEFINE_CLEANUP(client)

const char *client_base(const struct client *);   /* "http://127.0.0.1:8325" */

/* `path` with its query, "/v1/accounts"; `body` NULL: none. `*answer_out` (which may be NULL) is the answer's JSON, to be freed with cJSON_Delete();
 * NULL when it has none. */
bool client_call(struct client *, const char *method, const char *path, const cJSON *body, cJSON **answer_out, struct error *err);

/* All pages of a list, as one array of its items. The caller's. */
cJSON *client_list(struct client *, const char *path, struct error *err);

/* `text` for a path or a query: everything but unreserved characters as %XX. */
const char *client_word(const char *text, struct arena *into);

/* Lets time pass. False when it was called off. */
bool client_wait(struct client *, int ms);

/* From a signal handler: what is under way ends with FAULT_CANCELLED, and so does whatever is asked later. */
void client_stop(void);

#endif
