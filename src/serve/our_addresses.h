/* our_addresses.h -- our addresses for allowlists: those of the settings, else those that mail servers have told.
 *
 * A server's word alone is shown, and marked as that; it counts once another host says the same. What is configured is the operator's
 * word: then nothing learnt is shown beside it, but what two hosts tell and the settings do not have is `stray`.
 */
#ifndef SERVE_OUR_ADDRESSES_H
#define SERVE_OUR_ADDRESSES_H

#include "base/json.h"
#include "base/settings.h"
#include "model/report.h"
#include "store/our_addresses.h"

struct our_addresses {
	bool                configured;
	struct our_address *item;            /* configured: `address` alone is there */
	size_t              count;
	struct our_address *stray;
	size_t              strays;
};

/* All of `out` is from `into`. */
bool our_addresses_read(struct txn *, const struct settings *, struct arena *into, int64_t now, struct our_addresses *out,
                        struct error *err);

/* Without a store: those of the settings alone. */
void our_addresses_of_settings(const struct settings *, struct arena *into, struct our_addresses *out);

/* As FACT_OUR_ADDRESSES has them; NULL: none is known. */
const char *our_addresses_text(const struct our_addresses *, struct arena *into);
bool        our_address_is_sure(const struct our_addresses *, const struct our_address *);
/* A list of {address, how, seen_once}, `hosts`: and {hosts, first_seen, last_seen}, which are the concern of the operator alone. */
cJSON      *our_addresses_json(const struct our_addresses *, bool hosts);

/* What the servers of that report told, up to OUR_ADDRESSES_TOLD, each as it is to be learnt at `now`; from `into`. */
size_t our_addresses_told(const struct report *, int64_t now, struct arena *into, struct our_address out[OUR_ADDRESSES_TOLD]);

#endif
