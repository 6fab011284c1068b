/* servers.h -- for a person at the connect page: where their mailbox may be, looked for before anything is submitted.
 *
 * Without any credential (the finder, serve/finder.h, has none), bounded in time, and in number for each link and each mail domain, so that
 * a link is no tool for having this system ask others. Told is only what the domain itself or somebody trustworthy says: no guess.
 */
#ifndef SERVE_SERVERS_H
#define SERVE_SERVERS_H

#include "model/mailaddress.h"
#include "serve/finder.h"
#include "serve/http.h"

struct servers_found {
	const char *provider;            /* "exchange", "imap", "microsoft", "google"; NULL: nothing that would be worth saying               */
	const char *ews_url;             /* of Exchange; NULL: its Autodiscover tells it to whoever signs in only      */
	const char *caldav_url;          /* of the calendars beside IMAP; NULL: not announced, or the mailbox's own are elsewhere       */
	const char *host[SERVICES];      /* of "imap"; NULL: not announced                                             */
	uint16_t    port[SERVICES];
};

/* In the request's arena, with all that it leads to. */
struct servers_search {
	/* in */
	struct exchange    *x;
	const char         *link;        /* its id                                                                     */
	struct mail_address address;
	struct own_trust    trust;       /* laid down for that domain                                                  */
	/* gives the answer, once: at once, or as the exchange's finish() */
	void              (*answer)(struct servers_search *, const struct servers_found *);
	/* its own */
	struct search       search;
};

/* For a handler that may wait: it returns after this, and answers nothing itself. */
void servers_search(struct servers_search *);

#endif
