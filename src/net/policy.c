#include <stdio.h>
#include <strings.h>

#include "net/loop.h"

static bool port_parse(struct slice text, uint16_t *out)
{
	unsigned long long port;

	if (!slice_number(text, 65535, &port) || port == 0)
		return false;
	*out = (uint16_t)port;
	return true;
}

/* "host:port" and "[v6]:port", without the brackets in `host`. */
static bool place_split(struct slice text, char *host, size_t size, uint16_t *port)
{
	size_t       colon = text.len;
	struct slice name;

	while (colon && text.at[colon - 1] != ':')
		colon--;
	if (colon == 0 || !port_parse(slice_from(text, colon), port))
		return false;
	name = slice_upto(text, colon - 1);
	if (name.len >= 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
		name = slice(name.at + 1, name.len - 2);
	else if (slice_has(name, ":"))
		return false;
	if (name.len == 0 || name.len >= size)
		return false;
	memcpy(host, name.at, name.len);
	host[name.len] = '\0';
	return true;
}

bool net_place_parse(const char *text, struct net_place *out)
{
	struct net_place place = { 0 };
	struct slice     to = slice_str(text), from = slice_cut(&to, '=');
	char             address[ADDRESS_TEXT];

	if (!to.at || !place_split(from, place.host, sizeof place.host, &place.port)
	    || !place_split(to, address, sizeof address, &place.to_port) || !address_parse(address, &place.address))
		return false;
	*out = place;
	return true;
}

bool net_resolver_parse(const char *text, struct address *address, uint16_t *port)
{
	char           host[ADDRESS_TEXT];
	struct address a;
	uint16_t       p = 53;

	if (!address_parse(text, &a)
	    && (!place_split(slice_str(text), host, sizeof host, &p) || !address_parse(host, &a)))
		return false;
	*address = a;
	*port = p;
	return true;
}

bool host_equal(const char *a, const char *b)
{
	struct address one, other;
	size_t         a_len = strlen(a), b_len = strlen(b);

	if (address_parse(a, &one) && address_parse(b, &other))
		return address_equal(&one, &other);
	if (a_len && a[a_len - 1] == '.')
		a_len--;
	if (b_len && b[b_len - 1] == '.')
		b_len--;
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

const struct net_place *net_place_of(const struct net *n, const char *host, uint16_t port)
{
	/* what was said last holds */
	for (size_t i = n->settings.connect_to_count; host && i-- > 0;)
		if (n->places[i].port == port && host_equal(n->places[i].host, host))
			return &n->places[i];
	return NULL;
}

bool net_allows(const struct net *n, const struct address *a)
{
	if (!n->settings.check_targets || !address_is_special(a))
		return true;
	for (size_t i = 0; i < n->settings.allow_count; i++)
		if (address_in(a, &n->allow[i]))
			return true;
	return false;
}
