/* signing.h -- the secrets of webhooks, and what is signed with them: Standard Webhooks, symmetric signatures ("v1").
 *
 * A secret is "whsec_" and 32 bytes of our dice in base64. It is kept sealed, as the text it is: kind "signing", label
 * "WEBHOOK/signing". When another takes its place it goes on signing beside it for SIGNING_OVERLAP_MS, so that a receiver can be changed
 * meanwhile: kind "signing_before", label "WEBHOOK/signing_before", "UNTIL SECRET" with Unix milliseconds.
 */
#ifndef SERVE_SIGNING_H
#define SERVE_SIGNING_H

#include "connect/vault.h"
#include "store/store.h"

#define SIGNING_OVERLAP_MS (24 * 3600 * (int64_t)1000)

struct signing {
	struct slice key[2];       /* the newest first */
	size_t       count;
};

/* A new secret, from `into`. */
const char *signing_secret(struct arena *into);

/* Keeps it as the secret of that webhook, and what was its secret as the one before. */
bool signing_keep(struct txn *, const struct vault *, const char *webhook, const char *secret, int64_t now, struct error *err);

/* What its deliveries are signed with now, from `into`, which wipes. FAULT_ABSENT, FAULT_BROKEN: none that can be opened. */
bool signing_read(struct txn *, const struct vault *, const char *webhook, int64_t now, struct arena *into, struct signing *out,
                  struct error *err);

/* "whsec_…" as the bytes it stands for; false when it is none. */
bool signing_key(struct slice secret, struct arena *into, struct slice *out);

/* The value of the header webhook-signature: "v1,BASE64", a blank between two. `second` is that of webhook-timestamp, Unix. */
const char *signing_header(const struct signing *, const char *id, int64_t second, struct slice body, struct arena *into);

#endif
