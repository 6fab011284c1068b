/* ways.h -- another way in, where the mailbox is not behind the one that was tried (ARTICLES S5, S25).
 *
 * A pure function of the report: each way names the fact that shows it, and without such a fact there is none. What is filled in from it is
 * an offer to a person, who sees it before a password is said; `confirm`: nobody trustworthy names that server (endpoint_trusted()).
 */
#ifndef DIAGNOSE_WAYS_H
#define DIAGNOSE_WAYS_H

#include "base/json.h"
#include "diagnose/diagnose.h"

#define WAYS 3

struct way {
	const char *provider;              /* "exchange" "imap" "microsoft"                          */
	const char *name;                  /* of who keeps the mailbox, "Gmail"; NULL: not known     */
	const char *ews_url;               /* of Exchange; NULL: found while connecting, or another provider */
	const char *host[SERVICES];        /* of IMAP; NULL: not known                               */
	uint16_t    port[SERVICES];
	bool        confirm;
	struct fact by;                    /* the evidence                                           */
};

/* Best first; at most WAYS, one for each provider. Texts are the report's, the tables', or from `into`. */
size_t diagnose_ways(const struct report *, const struct verdict *, struct arena *into, struct way out[WAYS]);

/* {provider, name, ews_url, imap: {host, port}, smtp: {…}, confirm}; what is not known is left out. */
cJSON *way_json(const struct way *);
/* False: that is no such way. `by` is left empty. */
bool   way_read(const cJSON *, struct arena *into, struct way *out);

#endif
