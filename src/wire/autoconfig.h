/* autoconfig.h -- the XML by which a domain says where its mail is (draft-ietf-mailmaint-autoconfig, version 1.1).
 *
 * Read with libxml2's push parser: no network, no DTD (a document type ends the reading), no entities but the five,
 * a bound on size, depth, the length of a tag and the number of servers.
 */
#ifndef WIRE_AUTOCONFIG_H
#define WIRE_AUTOCONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum autoconfig_socket { AUTOCONFIG_TLS, AUTOCONFIG_STARTTLS, AUTOCONFIG_PLAIN };

struct autoconfig_server {
	bool                   incoming;
	const char            *type;               /* "imap" "smtp" "pop3" "ews" …, lower case          */
	const char            *hostname;           /* lower case, ASCII, or an IP address; %EMAILDOMAIN% filled in */
	uint16_t               port;
	enum autoconfig_socket socket;
	const char            *username;           /* placeholders filled in; NULL when it is not given */
	const char            *authentication[6];  /* as written, in order; NULL ends                   */
};

#define AUTOCONFIG_SERVERS 16

struct autoconfig {
	const char              *provider_id, *display_name;
	const char              *documentation;     /* first https documentation link, or NULL           */
	struct autoconfig_server server[AUTOCONFIG_SERVERS];
	size_t                   count;
};

/* Servers without a proper host name, port or socket type are left out; count may be 0. `address` fills in the
 * placeholders: with an A-label domain, as host names must be ASCII. Where an element comes twice, the first counts.
 * FAULT_BROKEN when it is no such document, FAULT_TOO_BIG over 1 MiB. All from `into`. */
bool autoconfig_read(struct slice xml, const char *address, struct arena *into, struct autoconfig *out,
                     struct error *err);

#endif
