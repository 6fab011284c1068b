/* resolve.h -- from a host's name to its addresses: A and AAAA asked side by side, as a conversation.
 *
 * An address literal ("192.0.2.7", "[2001:db8::1]") is its own answer. The result of the two questions is one outcome:
 * found when there is any address; otherwise the more telling of the two.
 */
#ifndef WIRE_RESOLVE_H
#define WIRE_RESOLVE_H

#include "base/want.h"
#include "wire/dns.h"

struct resolve {
	/* in */
	const char *host;
	int         wait_ms;
	/* out */
	enum dns_outcome outcome;
	struct address   address[CONNECT_ADDRESSES];    /* IPv6 first, families in turn */
	size_t           count;
	const char      *alias;                         /* where CNAMEs led, or NULL */
	int              extended;                      /* EDE, -1 */
	/* its own */
	int               step;
	struct dns_lookup a, aaaa;
	struct task       a_task, aaaa_task;
	struct children   both;
};

void           resolve_init(struct resolve *, struct arena *job, const char *host, int wait_ms);
enum want_kind resolve_step(void *self, struct want *, struct error *);    /* WANT_FAILED only when called off */
void           resolve_release(struct resolve *);

#endif
