/* MD4 (RFC 1320): NTLM's hash of a password, which OpenSSL keeps in a provider of its own by now. */
#include "sandbox/md4.h"

#include "base/arena.h"

#include <string.h>

#define BLOCK 64

static uint32_t turned(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t mixed(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round) {
	case 0:  return (b & c) | (~b & d);
	case 1:  return ((b & c) | (b & d) | (c & d)) + 0x5a827999;
	default: return (b ^ c ^ d) + 0x6ed9eba1;
	}
}

static void take_block(uint32_t h[4], const unsigned char block[BLOCK])
{
	static const unsigned char order[3][16] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		{ 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15 },
		{ 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15 },
	};
	static const unsigned char turns[3][4] = { { 3, 7, 11, 19 }, { 3, 5, 9, 13 }, { 3, 9, 11, 15 } };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], x[16] = { 0 };

	for (size_t i = 0; i < COUNT(x); i++)
		for (unsigned byte = 0; byte < 4; byte++)
			x[i] |= (uint32_t)block[4 * i + byte] << 8 * byte;
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < 16; i++) {
			uint32_t made = turned(a + mixed(round, b, c, d) + x[order[round][i]], turns[round][i % 4]);

			a = d, d = c, c = b, b = made;
		}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d;
}

void md4(struct slice text, unsigned char out[MD4_BYTES])
{
	uint32_t      h[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	unsigned char last[2 * BLOCK] = { 0 };
	size_t        whole = text.len / BLOCK * BLOCK, left = text.len - whole, end = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;

	for (size_t i = 0; i < whole; i += BLOCK)
		take_block(h, (const unsigned char *)text.at + i);
	if (left)
		memcpy(last, text.at + whole, left);
	last[left] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		last[end - 8 + i] = (unsigned char)((uint64_t)text.len * 8 >> 8 * i);
	for (size_t i = 0; i < end; i += BLOCK)
		take_block(h, last + i);
	for (unsigned i = 0; i < MD4_BYTES; i++)
		out[i] = (unsigned char)(h[i / 4] >> i % 4 * 8);
}
