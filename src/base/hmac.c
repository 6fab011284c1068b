#include "base/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

void hmac_sha256(struct slice key, struct slice text, unsigned char out[HMAC_BYTES])
{
	/* an empty key is one too, but OpenSSL takes NULL for "the key of before" */
	const char *at = key.at ? key.at : "";

	if (HMAC(EVP_sha256(), at, (int)key.len, (const unsigned char *)text.at, text.len, out, NULL))
		return;
	fputs("mailmoor: no memory for a hash\n", stderr);
	exit(70);
}
