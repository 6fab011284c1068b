/* address.h -- an IP address, and a block of them, as plain values. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address {
	uint8_t family;            /* 4 or 6; 0 is "none"                     */
	uint8_t bytes[16];         /* network order; the first 4 for family 4 */
};

#define ADDRESS_TEXT 46        /* room for any address_text() with its NUL */

bool        address_parse(const char *text, struct address *out);     /* "192.0.2.1", "2001:db8::1", "[2001:db8::1]" */
const char *address_text(const struct address *, char text[ADDRESS_TEXT]);
bool        address_equal(const struct address *, const struct address *);

/* Private, loopback, link-local, shared (100.64/10), documentation, multicast, unspecified …: no host of the public
 * Internet. An IPv4 address inside IPv6 (mapped, NAT64, 6to4) is judged by what is inside. (RFC 6890, RFC 8190) */
bool address_is_special(const struct address *);

struct address_block {
	struct address address;
	unsigned       bits;
};

bool address_block_parse(const char *text, struct address_block *out);   /* "127.64.0.0/10"; a bare address is itself */
bool address_in(const struct address *, const struct address_block *);

#endif
