/* candidates.h -- the endpoints worth trying for one service, best first, each host and port once. */
#ifndef DETECT_CANDIDATES_H
#define DETECT_CANDIDATES_H

#include <stddef.h>

#include "model/endpoint.h"
#include "wire/autoconfig.h"
#include "wire/dns.h"

#define CANDIDATES 16

struct candidates {
	struct endpoint item[CANDIDATES];      /* by source, then rank, then TLS from the first byte before STARTTLS */
	size_t          count;
};

/* Of the same host and port the better source stays; when there is no room the worst goes. */
void candidates_add(struct candidates *, const struct endpoint *);

/* The servers of a document for that service, in its order; those without encryption are left out. `rank` is that of
 * the first. */
void candidates_from_document(struct candidates *, struct arena *into, enum service, const struct autoconfig *,
                              enum endpoint_source, int rank);

/* One SRV record of `domain`. RFC 6186 §6: a target in another domain may be forged, so it is a source of its own.
 * (AD means little: it is the resolver's word, over a line that nobody protects.) */
void candidates_from_srv(struct candidates *, enum service, bool implicit_tls, const char *domain,
                         const struct dns_record *);

#endif
