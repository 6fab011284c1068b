/* kerberos.h -- the client's side of one sign-in by Kerberos, by MIT's library: a service's ticket, and its exchange in SPNEGO.
 *
 * It blocks: KDCs are asked, by addresses from krb5.conf or DNS, and the library knows no time limit. So it is for the threads of ticket.c
 * only. One sign-in is for one thread at a time; several of them go side by side.
 */
#ifndef NET_KERBEROS_H
#define NET_KERBEROS_H

#include "base/want.h"

struct kerberos {
	/* out, of the last word */
	struct buffer       say;
	bool                proven;
	enum ticket_trouble trouble;
	char                principal[200], reason[160];
	/* its own */
	char               *cache_name, *keytab, *user, *host;
	char                binding[160];
	size_t              binding_len;
	struct library     *library;             /* what it has of the library; NULL until the first word */
};

/* Begins nothing yet. What the ticket points to is copied. */
struct kerberos *kerberos_new(const struct ticket *);
/* The next word, to what was heard; empty at first. */
void             kerberos_step(struct kerberos *, struct slice heard);
void             kerberos_free(struct kerberos *);      /* quick: nobody is asked; tickets of a keytab are forgotten. NULL is fine */

#endif
