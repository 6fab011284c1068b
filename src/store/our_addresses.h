/* our_addresses.h -- from which addresses mail servers saw us come; few, and forgotten when nobody has told them for a month. */
#ifndef STORE_OUR_ADDRESSES_H
#define STORE_OUR_ADDRESSES_H

#include "store/store.h"

#define OUR_ADDRESSES_MOST 16                                   /* kept; what only one host tells makes room first    */
#define OUR_ADDRESSES_TOLD 4                                    /* of one host that nobody else confirms: it may lie  */
#define OUR_ADDRESSES_MS   (30 * 24 * 3600 * (int64_t)1000)

struct our_address {
	const char *address;
	const char *how;                     /* "ehlo", "received": how it was told first                 */
	const char *host;                    /* of the mail server that told it first                     */
	const char *other_host;              /* of the first other one; NULL: it has been told by one only */
	int64_t     first_seen, last_seen;
};

/* Of what is given `address`, `how`, `host` and `last_seen` (now) count; how far it is confirmed follows from what is there. */
bool our_address_learn(struct txn *, const struct our_address *, struct error *err);
/* Those told within the last month, the confirmed ones first. */
bool our_address_list(struct txn *, struct arena *into, int64_t now, struct our_address **out, size_t *count, struct error *err);

#endif
