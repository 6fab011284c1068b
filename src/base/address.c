#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool address_parse(const char *text, struct address *out)
{
	struct address a = { 0 };
	char           bare[64];
	size_t         len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']' && len < sizeof bare) {
		memcpy(bare, text + 1, len - 2);
		bare[len - 2] = '\0';
		if (inet_pton(AF_INET6, bare, a.bytes) != 1)
			return false;
		a.family = 6;
	} else if (inet_pton(AF_INET, text, a.bytes) == 1) {
		a.family = 4;
	} else if (inet_pton(AF_INET6, text, a.bytes) == 1) {
		a.family = 6;
	} else {
		return false;
	}
	*out = a;
	return true;
}

const char *address_text(const struct address *a, char text[ADDRESS_TEXT])
{
	if (a->family == 0 || !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, text, ADDRESS_TEXT))
		snprintf(text, ADDRESS_TEXT, "-");
	return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

bool address_block_parse(const char *text, struct address_block *out)
{
	char                 bare[ADDRESS_TEXT + 4];
	const char          *slash = strchr(text, '/');
	struct address_block block;
	size_t               len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof bare)
		return false;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (!address_parse(bare, &block.address))
		return false;
	block.bits = block.address.family == 4 ? 32 : 128;
	if (slash) {
		unsigned bits;
		char     rest;

		if (sscanf(slash + 1, "%3u%c", &bits, &rest) != 1 || bits > block.bits)
			return false;
		block.bits = bits;
	}
	*out = block;
	return true;
}

bool address_in(const struct address *a, const struct address_block *block)
{
	if (a->family != block->address.family)
		return false;
	for (unsigned i = 0; i < block->bits; i++) {
		unsigned byte = i / 8, bit = 7 - i % 8;

		if (((a->bytes[byte] ^ block->address.bytes[byte]) >> bit) & 1)
			return false;
	}
	return true;
}

/* The IPv4 address that an IPv6 one merely wraps. */
static bool inner_ipv4(const struct address *a, struct address *out)
{
	static const struct { const char *block; unsigned at; } wraps[] = {
		{ "::ffff:0:0/96", 12 }, { "64:ff9b::/96", 12 }, { "2002::/16", 2 },
	};

	for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++) {
		struct address_block block;

		if (address_block_parse(wraps[i].block, &block) && address_in(a, &block)) {
			*out = (struct address){ .family = 4 };
			memcpy(out->bytes, a->bytes + wraps[i].at, 4);
			return true;
		}
	}
	return false;
}

bool address_is_special(const struct address *a)
{
	static const char *const blocks[] = {
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		/* ::/96 has the old IPv4-compatible form and ::1 in it; NAT64 of one's own leads into one's own network (RFC 8215) */
		"::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "3fff::/20", "5f00::/16", "2001:db8::/32", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	};
	struct address inner;

	if (a->family == 6 && inner_ipv4(a, &inner))
		return address_is_special(&inner);
	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
		struct address_block block;

		if (address_block_parse(blocks[i], &block) && address_in(a, &block))
			return true;
	}
	return a->family == 0;
}
