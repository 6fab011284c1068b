/* ntlm_hash.h -- the hashes that NTLM is made of. All of them have been weak for decades; nothing else here uses them.
 *
 * FAULT_LOCAL when this machine's OpenSSL does not give them: MD4 comes from its legacy provider, a file of its own, which may not be
 * installed; MD5 is missing where FIPS rules.
 */
#ifndef WIRE_NTLM_HASH_H
#define WIRE_NTLM_HASH_H

#include "base/error.h"
#include "base/slice.h"

#define NTLM_HASH 16      /* bytes of each of them */

bool ntlm_md4(struct slice, unsigned char out[NTLM_HASH], struct error *err);
bool ntlm_md5(struct slice, unsigned char out[NTLM_HASH], struct error *err);
bool ntlm_hmac(const unsigned char key[NTLM_HASH], struct slice, unsigned char out[NTLM_HASH], struct error *err);

#endif
