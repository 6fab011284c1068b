/* dns.h -- questions to and answers from the name service (RFC 1035, 2308, 2782, 6891, 8914), without a socket.
 *
 * The exact facts: the response code, whether silence or a failure, the extended error, and every record in its order.
 * A message that does not parse is DNS_BROKEN, never half a list. Names come out in lower case, without the last dot;
 * bytes that are no printable ASCII are escaped as \DDD.
 */
#ifndef WIRE_DNS_H
#define WIRE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/slice.h"
#include "base/want.h"

enum dns_type {
	DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28,
	DNS_SRV = 33,
};

enum dns_rcode {
	DNS_NOERROR = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4, DNS_REFUSED = 5,
};

/* A query for the A-label form of a name, recursion desired, AD asked for, EDNS with 1232 bytes; `checking_disabled`
 * is the CD bit. "." is the root, \DDD a byte as it comes out of dns_message(). The id is 0.
 * False when the name does not fit the protocol (a label over 63 bytes, 253 in all, an empty label). */
bool dns_query(struct buffer *out, const char *name, enum dns_type type, bool checking_disabled);

struct dns_record {
	const char    *owner;
	enum dns_type  type;
	uint32_t       ttl;
	const char    *target;                      /* MX, SRV, CNAME, NS, PTR, the primary server of a SOA; "" is
	                                             * the root, as in "MX 0 ."                                   */
	uint16_t       preference;                  /* MX preference, SRV priority                                */
	uint16_t       weight, port;                /* SRV                                                        */
	struct address address;                     /* A, AAAA                                                    */
	struct slice   text;                        /* TXT, its strings joined                                    */
};

struct dns_message {
	int                rcode;                   /* with its upper bits from EDNS                              */
	bool               authentic;               /* the AD bit: the resolver says that it validated            */
	int                extended;                /* EDE info code (RFC 8914), -1 when none                     */
	struct dns_record *answer;                  /* the answer section without types that are not listed above,
	                                             * the first DNS_ANSWERS of it                                */
	size_t             answer_count;
};

#define DNS_ANSWERS 64

/* All from `into`. False: the message is broken, or it is truncated (who carried it asked by TCP too), or no answer. */
bool dns_message(struct slice bytes, struct arena *into, struct dns_message *out);

/* -- the conversation: one name, one type -------------------------------------------------------------------------- */

enum dns_outcome {
	DNS_FOUND,          /* records of that type                                                        */
	DNS_NO_DATA,        /* the name exists, without such records                                       */
	DNS_NO_NAME,        /* NXDOMAIN                                                                    */
	DNS_SERVER_FAILED,  /* SERVFAIL, also when it is our resolver that cannot reach theirs             */
	DNS_BOGUS,          /* SERVFAIL, but an answer came with checking disabled: their DNSSEC is broken */
	DNS_SERVER_REFUSED, /* REFUSED or any other code                                                   */
	DNS_SILENT,         /* no answer in time                                                           */
	DNS_BROKEN,         /* an answer that is none                                                      */
	DNS_LOOP,           /* aliases that lead nowhere                                                   */
};

/* "found" "no_data" "nxdomain" "servfail" "bogus" "refused" "timeout" "broken" "loop" */
const char *dns_outcome_name(enum dns_outcome);

struct dns_lookup {
	/* in */
	const char    *name;
	enum dns_type  type;
	struct arena  *job;
	int            wait_ms;             /* for all its questions together */
	/* out */
	enum dns_outcome   outcome;
	struct dns_record *record;          /* of that type only: MX and SRV sorted by preference (SRV then by
	                                     * weight, larger first), equals as they came */
	size_t             count;
	const char        *alias;           /* where CNAMEs led, or NULL */
	int                extended;        /* EDE, -1; after SERVFAIL that of the failure */
	bool               authentic;       /* the resolver says so of each answer on the way; else false */
	int                ms;
	/* its own */
	int               step;
	int               aliases;
	int64_t           began;
	struct buffer     query;
	struct dns_answer answer;
	bool              without_checking;
	const char       *asking;           /* the name of this round */
};

void dns_lookup_init(struct dns_lookup *, struct arena *job, const char *name, enum dns_type type, int wait_ms);
/* Ends WANT_NOTHING with an outcome (silence is one too), or WANT_FAILED with FAULT_CANCELLED when called off. A name
 * that does not fit the protocol is NO_NAME without a question. */
enum want_kind dns_lookup_step(void *self, struct want *, struct error *);
void dns_lookup_release(struct dns_lookup *);

#endif
