/* google_keys.h -- the keys by which Google signs who somebody is, as it publishes them (facts G A.1, B.3): one question, without any
 * credentials. Records google.keys.resolve, .connect, .tls, google.keys. Stops with the faults of web.h, FAULT_REFUSED, FAULT_BUSY and
 * those of id_keys_read().
 */
#ifndef PROVIDER_GOOGLE_KEYS_H
#define PROVIDER_GOOGLE_KEYS_H

#include "provider/web.h"
#include "wire/id_token.h"

#define GOOGLE_ISSUER "https://accounts.google.com"

struct google_keys {
	/* in */
	struct report     *report;
	struct arena      *into;              /* where the keys are to lie                        */
	/* out */
	struct id_keys     keys;
	/* its own */
	struct endpoint    endpoint;
	struct web_session web;
	struct web_request request;
	int                step, attempt;
};

/* Both outlive it, and the arena whoever uses the keys. */
void           google_keys_init(struct google_keys *, struct report *, struct arena *into, struct waits, int attempt);
enum want_kind google_keys_step(void *self, struct want *, struct error *);
void           google_keys_release(struct google_keys *);

#endif
