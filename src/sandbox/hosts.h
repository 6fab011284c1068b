/* hosts.h -- the hosts at Exchange of mailboxes that have orders of their own: LOCALPART.DOMAIN, which Autodiscover tells them. */
#ifndef SANDBOX_HOSTS_H
#define SANDBOX_HOSTS_H

#include "sandbox/parts.h"

/* Once all accounts are there. False: nobody needs one. */
bool            hosts_give(struct sandbox *);
/* Whose host it is; NULL: nobody's alone. */
struct account *account_at(struct sandbox *, const char *host);

/* Doors of their own, on any port, for those whose order is one for the line: a certificate, nothing that listens, and the like.
 * FAULT_LOCAL. */
bool hosts_open(struct sandbox *, struct error *);
void hosts_close(struct sandbox *);
void hosts_name(struct sandbox *);
/* Calls `tell` for each port of each of them that has a name. */
void hosts_tell(struct sandbox *, void (*tell)(struct sandbox *, const char *host, uint16_t usual, const char *address, uint16_t port));

#endif
