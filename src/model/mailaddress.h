/* mailaddress.h -- an e-mail address taken apart (RFC 5321 §4.1.2, RFC 6531), its domain as DNS wants it (IDNA 2008).
 *
 * What people paste is trimmed first: white space, no-break and zero-width blanks at either end. A dot behind the
 * domain is accepted and dropped. Nothing else is repaired: a wrong guess about what was meant would be asked of DNS and would
 * come back as a wrong diagnosis.
 */
#ifndef MODEL_MAILADDRESS_H
#define MODEL_MAILADDRESS_H

#include <stdbool.h>

#include "base/address.h"
#include "base/arena.h"

struct mail_address {
	const char    *text;             /* local@domain, fit for the wire: this is the address from here on         */
	const char    *local;            /* case kept; in quotes only where RFC 5321 needs them                      */
	const char    *domain;           /* lower case, A-labels; "[192.0.2.1]" or "[IPv6:2001:db8::1]" of a literal */
	const char    *domain_shown;     /* the same for the eye: U-labels                                           */
	struct address literal;          /* when is_literal                                                          */
	bool           is_literal;
};

#define MAIL_ADDRESS_MOST 254        /* octets of `text` (RFC 5321 §4.5.3.1.3, less the angle brackets) */
#define MAIL_LOCAL_MOST   64

/* What was pasted, without the blanks at either end, also those that nobody sees. */
struct slice without_unseen_ends(struct slice);

/* A host's name as DNS wants it: A-labels, lower case; an address literal as it is. NULL when it can be no name. */
const char *host_ascii(const char *host, struct arena *into);

/* False with `*problem`, a short English phrase ("it has no @"). All of `out` is from `into`. */
bool mail_address_parse(const char *text, struct arena *into, struct mail_address *out, const char **problem);

/* What two addresses are compared by: lower case, A-labels. */
const char *mail_address_key(const struct mail_address *, struct arena *into);

#endif
