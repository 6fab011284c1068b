#include "sandbox/ntlm.h"

#include <stdlib.h>

#include "sandbox/md4.h"
#include "sandbox/text.h"
#include "test.h"

/* The example of MS-NLMP 4.2.4: user "User", domain "Domain", password "Password", NTLMv2. */
static const unsigned char nonce[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
static const char answer[] =
	"4e544c4d53535000030000001800180" "06c00000054005400840000000c000c0048000000080008005400000010001000" "5c000000100010" "00d8000000358288e2" "0501280a0000000f"
	"44006f006d00610069006e00" "5500730065007200" "43004f004d0050005500540045005200"
	"86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
	"68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000"
	"00000000" "c5dad2544fc9799094ce1ce90bc9d03e";

static struct slice unhex(struct arena *arena, const char *text)
{
	size_t   len = strlen(text) / 2;
	char    *out = arena_get(arena, len + 1);
	unsigned n;

	for (size_t i = 0; i < len; i++) {
		sscanf(text + 2 * i, "%2x", &n);
		out[i] = (char)n;
	}
	return slice(out, len);
}

static const char *hex(struct arena *arena, const unsigned char *bytes, size_t len)
{
	char *out = arena_get(arena, 2 * len + 1);

	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return out;
}

TEST(md4_of_rfc_1320)
{
	static const struct { const char *text, *hash; } rows[] = {
		{ "", "31d6cfe0d16ae931b73c59d7e0c089c0" }, { "a", "bde52cb31de33e46245e05fbdbd6fb24" }, { "message digest", "d9130a8164549fe818874806e1c7014b" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4" },
		{ "12345678901234567890123456789012345678901234567890123456789012345678901234567890", "e33b4ddc9c38f2199c3e7b164fcc0536" },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	unsigned char out[MD4_BYTES];

	for (size_t i = 0; i < COUNT(rows); i++) {
		md4(slice_str(rows[i].text), out);
		EXPECT_TEXT(hex(arena, out, sizeof out), rows[i].hash);
	}
}

TEST(the_example_of_the_specification_is_proven)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct ntlm_answer a;

	EXPECT(ntlm_answer_read(arena, unhex(arena, answer), &a));
	EXPECT_TEXT(a.user, "User");
	EXPECT_TEXT(a.domain, "Domain");
	EXPECT_TEXT(a.host, "COMPUTER");
	EXPECT(ntlm_answer_proves(&a, "Password", nonce));
	EXPECT(!ntlm_answer_proves(&a, "password", nonce));
	EXPECT(!ntlm_answer_proves(&a, "", nonce));
	EXPECT(!ntlm_answer_proves(&a, "Password", (const unsigned char *)"00000000"));
}

TEST(an_answer_that_was_touched_proves_nothing)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice       m = unhex(arena, answer);
	struct ntlm_answer a;

	EXPECT(ntlm_answer_read(arena, m, &a));
	for (size_t i = 0; i < a.proof.len; i++) {
		((char *)(uintptr_t)a.proof.at)[i] ^= 1;
		EXPECT(!ntlm_answer_proves(&a, "Password", nonce));
		((char *)(uintptr_t)a.proof.at)[i] ^= 1;
	}
}

/* What is cut leads nowhere outside itself: the sanitizers would say so, since each is a block of its own. */
TEST(an_answer_cut_at_every_byte)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice m = unhex(arena, answer);

	for (size_t len = 0; len < m.len; len++) {
		char              *copy = must_alloc(len ? len : 1);
		struct ntlm_answer a;
		unsigned char      binding[NTLM_BINDING];

		memcpy(copy, m.at, len);
		if (ntlm_answer_read(arena, slice(copy, len), &a)) {
			ntlm_answer_proves(&a, "Password", nonce);
			ntlm_answer_binding(&a, binding);
		}
		free(copy);
	}
	for (size_t len = 0; len < 84 + 84; len++)      /* the proof is not whole */
		EXPECT(!ntlm_answer_read(arena, slice_upto(m, len), &(struct ntlm_answer){ 0 }));
}

TEST(fields_that_point_outside_are_refused)
{
	static const size_t fields[] = { 20, 28, 36, 44 };
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t at = 0; at < 8; at++) {
			struct slice m = unhex(arena, answer);

			if (at == 2 || at == 3)      /* what room there is means nothing */
				continue;
			((char *)(uintptr_t)m.at)[fields[i] + at] = '\xff';
			EXPECT(at == 0 || at == 4 || !ntlm_answer_read(arena, m, &(struct ntlm_answer){ 0 }));
		}
}

TEST(a_message_is_found_in_what_wraps_it)
{
	static const struct { const char *hex; int kind; } rows[] = {
		{ "4e544c4d5353500001000000", NTLM_NEGOTIATE }, { "60284e544c4d535350000100000000", NTLM_NEGOTIATE }, { "4e544c4d5353500004000000", NTLM_NONE },
		{ "4e544c4d53535000010000", NTLM_NONE }, { "4e544c4d535350", NTLM_NONE }, { "", NTLM_NONE }, { "6082010a", NTLM_NONE },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice m;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(ntlm_find(unhex(arena, rows[i].hex), &m) == rows[i].kind, rows[i].hex);
}

TEST(a_challenge_says_who_the_server_is)
{
	static const struct ntlm_names names = { "CONTOSO", "EXCH01", "contoso.example", "exch01.contoso.example" };
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice m = ntlm_challenge(arena, &names, nonce, 1795327200), found, wrapped;
	struct slice domain = utf16_of(arena, "CONTOSO"), dns = utf16_of(arena, "contoso.example");

	EXPECT(ntlm_find(m, &found) == NTLM_CHALLENGE && found.at == m.at);
	EXPECT(memcmp(m.at + 24, nonce, sizeof nonce) == 0);
	EXPECT(memmem(m.at, m.len, domain.at, domain.len) && memmem(m.at, m.len, dns.at, dns.len));
	EXPECT(ntlm_challenge(arena, &names, nonce, 0).len == m.len - 12);
	wrapped = ntlm_wrapped(arena, m, 1);
	EXPECT((unsigned char)wrapped.at[0] == 0xa1 && ntlm_find(wrapped, &found) == NTLM_CHALLENGE && slice_equal(found, m));
}

TEST(the_binding_of_a_channel)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct ntlm_answer a;
	unsigned char got[NTLM_BINDING], wanted[NTLM_BINDING];
	char          proof[200] = { 0 };

	EXPECT(ntlm_answer_read(arena, unhex(arena, answer), &a));
	ntlm_answer_binding(&a, got);
	EXPECT_TEXT(hex(arena, got, sizeof got), "00000000000000000000000000000000");
	/* computed by another program for the bytes "certificate" */
	ntlm_binding_of(slice_str("certificate"), wanted);
	EXPECT_TEXT(hex(arena, wanted, sizeof wanted), "a8398e96473163fef6cae76013e8ab5a");
	proof[44] = 10, proof[46] = NTLM_BINDING;
	memcpy(proof + 48, wanted, NTLM_BINDING);
	a.proof = slice(proof, sizeof proof);
	ntlm_answer_binding(&a, got);
	EXPECT(memcmp(got, wanted, sizeof got) == 0);
	for (size_t len = 0; len < 48 + NTLM_BINDING; len++) {      /* cut: none */
		a.proof = slice(proof, len);
		ntlm_answer_binding(&a, got);
		EXPECT(got[0] == 0 || wanted[0] == 0);
	}
}
