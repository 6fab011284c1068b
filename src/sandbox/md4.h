/* md4.h -- a broken hash that NTLM stands on (RFC 1320). */
#ifndef SANDBOX_MD4_H
#define SANDBOX_MD4_H

#include <stdint.h>

#include "base/slice.h"

#define MD4_BYTES 16

void md4(struct slice text, unsigned char out[MD4_BYTES]);

#endif
