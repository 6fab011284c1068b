#include "sandbox/ntlm.h"

#include <ctype.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buffer.h"
#include "sandbox/md4.h"
#include "sandbox/text.h"

#define SIGNATURE     "NTLMSSP"      /* and the NUL behind it */
#define SIGNATURE_LEN 8
#define KEY           16

/* Flags of MS-NLMP 2.2.2.5. */
enum {
	FLAG_UNICODE = 1 << 0,
	CHALLENGE_FLAGS = (int)0xa2898205,      /* as a real server of today has them: unicode, target info, extended security, 128, 56 */
};

/* -- numbers in messages ------------------------------------------------------------------------------------------ */

static uint32_t number_at(struct slice m, size_t at, unsigned bytes)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < bytes; i++)
		n |= (uint32_t)(unsigned char)m.at[at + i] << 8 * i;
	return n;
}

static void add_number(struct buffer *b, uint64_t n, unsigned bytes)
{
	char le[8];

	for (unsigned i = 0; i < bytes; i++)
		le[i] = (char)(n >> 8 * i);
	buffer_add(b, slice(le, bytes));
}

static void add_field(struct buffer *b, size_t len, size_t offset)
{
	add_number(b, len, 2);
	add_number(b, len, 2);
	add_number(b, offset, 4);
}

/* What a field of a message (length, room, offset) points to; false when that is not in it. */
static bool field_at(struct slice m, size_t at, struct slice *out)
{
	size_t len, offset;

	if (at + 8 > m.len)
		return false;
	len = number_at(m, at, 2);
	offset = number_at(m, at + 4, 4);
	if (offset > m.len || len > m.len - offset)
		return false;
	*out = slice(m.at + offset, len);
	return true;
}

/* -- messages ----------------------------------------------------------------------------------------------------- */

int ntlm_find(struct slice token, struct slice *message)
{
	const char *at = token.len ? memmem(token.at, token.len, SIGNATURE, SIGNATURE_LEN) : NULL;
	struct slice m = at ? slice_from(token, (size_t)(at - token.at)) : slice(NULL, 0);
	uint32_t     kind = m.len >= SIGNATURE_LEN + 4 ? number_at(m, SIGNATURE_LEN, 4) : 0;

	if (kind < NTLM_NEGOTIATE || kind > NTLM_AUTHENTICATE)
		return NTLM_NONE;
	*message = m;
	return (int)kind;
}

/* Kinds of what a CHALLENGE tells of the server (MS-NLMP 2.2.2.1). */
enum { AV_END, AV_HOST, AV_DOMAIN, AV_DNS_HOST, AV_DNS_DOMAIN, AV_DNS_FOREST, AV_TIME = 7, AV_BINDING = 10 };

static void add_pair(struct buffer *b, unsigned kind, struct slice value)
{
	add_number(b, kind, 2);
	add_number(b, value.len, 2);
	buffer_add(b, value);
}

/* 100 ns since 1601 */
static uint64_t file_time(int64_t unix_s)
{
	return ((uint64_t)unix_s + 11644473600ULL) * 10000000ULL;
}

static struct slice taken(struct arena *arena, struct buffer *b)
{
	size_t       len = buffer_held(b).len;
	struct slice copy = slice(arena_copy(arena, buffer_held(b)), len);

	buffer_release(b);
	return copy;
}

static struct slice told_of(struct arena *arena, const struct ntlm_names *n, int64_t unix_s)
{
	struct buffer b;

	buffer_init(&b, 4096);
	add_pair(&b, AV_DOMAIN, utf16_of(arena, n->netbios_domain));
	add_pair(&b, AV_HOST, utf16_of(arena, n->netbios_host));
	add_pair(&b, AV_DNS_DOMAIN, utf16_of(arena, n->dns_domain));
	add_pair(&b, AV_DNS_HOST, utf16_of(arena, n->dns_host));
	add_pair(&b, AV_DNS_FOREST, utf16_of(arena, n->dns_domain));
	if (unix_s) {
		add_number(&b, AV_TIME, 2);
		add_number(&b, 8, 2);
		add_number(&b, file_time(unix_s), 8);
	}
	add_pair(&b, AV_END, slice("", 0));
	return taken(arena, &b);
}

struct slice ntlm_challenge(struct arena *arena, const struct ntlm_names *names, const unsigned char nonce[NTLM_NONCE], int64_t unix_s)
{
	enum { HEAD = 56 };
	struct slice  target = utf16_of(arena, names->netbios_domain), info = told_of(arena, names, unix_s);
	struct buffer b;

	buffer_init(&b, 8192);
	buffer_add(&b, slice(SIGNATURE, SIGNATURE_LEN));
	add_number(&b, NTLM_CHALLENGE, 4);
	add_field(&b, target.len, HEAD);
	add_number(&b, (uint32_t)CHALLENGE_FLAGS, 4);
	buffer_add(&b, slice((const char *)nonce, NTLM_NONCE));
	add_number(&b, 0, 8);
	add_field(&b, info.len, HEAD + target.len);
	add_number(&b, 0x0f0000004f7c000aULL, 8);      /* Windows 10.0.20348, revision 15 */
	buffer_add(&b, target);
	buffer_add(&b, info);
	return taken(arena, &b);
}

bool ntlm_answer_read(struct arena *arena, struct slice message, struct ntlm_answer *out)
{
	enum { PROOF = 20, DOMAIN = 28, USER = 36, HOST = 44, FLAGS = 60, LEAST = 52 };
	struct slice domain, user, host, m;
	bool         unicode;

	if (ntlm_find(message, &m) != NTLM_AUTHENTICATE || m.at != message.at || m.len < LEAST)
		return false;
	if (!field_at(m, PROOF, &out->proof) || !field_at(m, DOMAIN, &domain) || !field_at(m, USER, &user) || !field_at(m, HOST, &host))
		return false;
	unicode = m.len < FLAGS + 4 || (number_at(m, FLAGS, 4) & FLAG_UNICODE);
	out->domain = unicode ? utf16_read(arena, domain) : arena_copy(arena, domain);
	out->user = unicode ? utf16_read(arena, user) : arena_copy(arena, user);
	out->host = unicode ? utf16_read(arena, host) : arena_copy(arena, host);
	return true;
}

/* -- the proof ---------------------------------------------------------------------------------------------------- */

static void hmac_md5(struct slice key, struct slice a, struct slice b, unsigned char out[KEY])
{
	EVP_MAC     *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(kind);
	char         digest[] = "MD5";
	OSSL_PARAM   how[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_END };
	size_t       len;

	EVP_MAC_init(mac, (const unsigned char *)key.at, key.len, how);
	EVP_MAC_update(mac, (const unsigned char *)a.at, a.len);
	EVP_MAC_update(mac, (const unsigned char *)b.at, b.len);
	EVP_MAC_final(mac, out, &len, KEY);
	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(kind);
}

/* Upper case as far as our accounts' names go. */
static char *upper(struct arena *arena, const char *text)
{
	char *out = arena_str(arena, text);

	for (char *c = out; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return out;
}

bool ntlm_answer_proves(const struct ntlm_answer *answer, const char *password, const unsigned char nonce[NTLM_NONCE])
{
	CLEANUP(arena) struct arena *work = arena_new();
	unsigned char hash[MD4_BYTES], key[KEY], proof[KEY];

	if (answer->proof.len < KEY + 16)      /* an old response of 24 bytes, or none */
		return false;
	md4(utf16_of(work, password), hash);
	hmac_md5(slice((const char *)hash, sizeof hash), utf16_of(work, upper(work, answer->user)), utf16_of(work, answer->domain), key);
	hmac_md5(slice((const char *)key, sizeof key), slice((const char *)nonce, NTLM_NONCE), slice_from(answer->proof, KEY), proof);
	return CRYPTO_memcmp(proof, answer->proof.at, KEY) == 0;
}

void ntlm_answer_binding(const struct ntlm_answer *answer, unsigned char out[NTLM_BINDING])
{
	enum { PAIRS = KEY + 28 };
	struct slice p = answer->proof;

	memset(out, 0, NTLM_BINDING);
	for (size_t at = PAIRS; at + 4 <= p.len;) {
		unsigned kind = number_at(p, at, 2);
		size_t   len = number_at(p, at + 2, 2);

		if (kind == AV_END || len > p.len - at - 4)
			return;
		if (kind == AV_BINDING && len == NTLM_BINDING)
			memcpy(out, p.at + at + 4, NTLM_BINDING);
		at += 4 + len;
	}
}

void certificate_hash(struct slice certificate_der, unsigned char out[32])
{
	EVP_Digest(certificate_der.at, certificate_der.len, out, NULL, EVP_sha256(), NULL);
}

void ntlm_binding_of(struct slice certificate_der, unsigned char out[NTLM_BINDING])
{
	static const char prefix[] = "tls-server-end-point:";
	unsigned char     hash[32];
	struct buffer     b;

	certificate_hash(certificate_der, hash);
	buffer_init(&b, 256);
	add_number(&b, 0, 8);      /* gss_channel_bindings: no addresses … */
	add_number(&b, 0, 8);
	add_number(&b, sizeof prefix - 1 + sizeof hash, 4);
	buffer_add_str(&b, prefix);
	buffer_add(&b, slice((const char *)hash, sizeof hash));
	EVP_Digest(buffer_held(&b).at, buffer_held(&b).len, out, NULL, EVP_md5(), NULL);
	buffer_release(&b);
}

/* -- SPNEGO, as little of it as is needed ------------------------------------------------------------------------- */

static struct slice der(struct arena *arena, int tag, struct slice body)
{
	struct buffer b;

	buffer_init(&b, body.len + 8);
	add_number(&b, (uint64_t)tag, 1);
	if (body.len < 0x80) {
		add_number(&b, body.len, 1);
	} else {
		add_number(&b, 0x82, 1);
		add_number(&b, body.len >> 8, 1);
		add_number(&b, body.len & 0xff, 1);
	}
	buffer_add(&b, body);
	return taken(arena, &b);
}

static struct slice joined(struct arena *arena, struct slice a, struct slice b)
{
	char *out = arena_get(arena, a.len + b.len + 1);

	if (a.len)
		memcpy(out, a.at, a.len);
	if (b.len)
		memcpy(out + a.len, b.at, b.len);
	return slice(out, a.len + b.len);
}

struct slice ntlm_wrapped(struct arena *arena, struct slice message, int state)
{
	static const char mechanism[] = "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";      /* NTLMSSP */
	char         enumerated[] = { 0x0a, 1, (char)state };
	struct slice body = der(arena, 0xa0, slice(enumerated, sizeof enumerated));

	if (message.len) {
		body = joined(arena, body, der(arena, 0xa1, slice(mechanism, sizeof mechanism - 1)));
		body = joined(arena, body, der(arena, 0xa2, der(arena, 0x04, message)));
	}
	return der(arena, 0xa1, der(arena, 0x30, body));
}
