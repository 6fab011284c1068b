#include "wire/ntlm_hash.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/provider.h>
#include <pthread.h>

/* A library context of its own: in that of everybody the provider would offer MD4, RC4 and DES to TLS and certificates as well. It is
 * made at the first sign-in, and stays until the end. */
static OSSL_LIB_CTX *old_times;
static EVP_MD       *md4;      /* NULL when it cannot be had; safe to share */

static void load_legacy(void)
{
	ERR_set_mark();
	old_times = OSSL_LIB_CTX_new();
	if (old_times && OSSL_PROVIDER_load(old_times, "legacy"))
		md4 = EVP_MD_fetch(old_times, "MD4", NULL);
	ERR_pop_to_mark();
}

static const EVP_MD *legacy_md4(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_legacy);
	return md4;
}

/* OpenSSL takes no NULL, not even for nothing. */
static const void *some(struct slice s)
{
	return s.len ? s.at : "";
}

static bool digest(const EVP_MD *md, const char *name, struct slice s, unsigned char out[NTLM_HASH], struct error *err)
{
	bool fine;

	ERR_set_mark();
	fine = md && EVP_Digest(some(s), s.len, out, NULL, md, NULL) == 1;
	ERR_pop_to_mark();
	return fine || fail(err, FAULT_LOCAL, "%s is missing, which NTLM needs: OpenSSL's legacy provider is not installed, or forbidden", name);
}

bool ntlm_md4(struct slice s, unsigned char out[NTLM_HASH], struct error *err)
{
	return digest(legacy_md4(), "MD4", s, out, err);
}

bool ntlm_md5(struct slice s, unsigned char out[NTLM_HASH], struct error *err)
{
	return digest(EVP_md5(), "MD5", s, out, err);
}

bool ntlm_hmac(const unsigned char key[NTLM_HASH], struct slice s, unsigned char out[NTLM_HASH], struct error *err)
{
	bool fine;

	ERR_set_mark();
	fine = HMAC(EVP_md5(), key, NTLM_HASH, some(s), s.len, out, NULL) != NULL;
	ERR_pop_to_mark();
	return fine || fail(err, FAULT_LOCAL, "OpenSSL gives no HMAC-MD5, which NTLM needs");
}
