/* hmac.h -- a keyed hash: whoever has the key can tell that a text came from another who has it (RFC 2104, HMAC-SHA-256). */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include "base/slice.h"

#define HMAC_BYTES 32

void hmac_sha256(struct slice key, struct slice text, unsigned char out[HMAC_BYTES]);

#endif
