#include "base/hmac.h"

#include "test.h"

/* RFC 4231 §4.2 to §4.8; the fifth is of a cut hash, so its first 16 bytes count. */
static const struct { const char *key; size_t key_times; const char *text; size_t text_times; const char *hex; } rows[] = {
	{ "\x0b", 20, "Hi There", 1, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "Jefe", 1, "what do ya want for nothing?", 1, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "\xaa", 20, "\xdd", 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19", 1, "\xcd", 50,
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	{ "\x0c", 20, "Test With Truncation", 1, "a3b6167473100ee06e0c796c2955552b" },
	{ "\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 1, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ "\xaa", 131, "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being"
	  " used by the HMAC algorithm.", 1, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
};

static struct slice repeated(const char *text, size_t times, char *out)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < times; i++)
		memcpy(out + i * len, text, len);
	return slice(out, len * times);
}

TEST(the_vectors_of_rfc_4231)
{
	char key[200], text[200];

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char hash[HMAC_BYTES];
		char          hex[2 * HMAC_BYTES + 1];

		hmac_sha256(repeated(rows[i].key, rows[i].key_times, key), repeated(rows[i].text, rows[i].text_times, text), hash);
		for (size_t n = 0; n < HMAC_BYTES; n++)
			snprintf(hex + 2 * n, 3, "%02x", hash[n]);
		EXPECT_ROW(strncmp(hex, rows[i].hex, strlen(rows[i].hex)) == 0, rows[i].hex);
	}
}

TEST(nothing_is_a_key_and_a_text_too)
{
	unsigned char hash[HMAC_BYTES], again[HMAC_BYTES];

	hmac_sha256(slice(NULL, 0), slice(NULL, 0), hash);
	EXPECT(hash[0] == 0xb6 && hash[1] == 0x13 && hash[31] == 0xad);
	hmac_sha256(slice_str("key"), slice_str("x"), again);
	hmac_sha256(slice(NULL, 0), slice_str(""), again);
	EXPECT(memcmp(hash, again, sizeof hash) == 0);
}
