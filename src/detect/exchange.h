/* exchange.h -- from an address to where its Exchange server may be, without any credential (facts M D.1, D.3, D.4).
 *
 * Asks, side by side: version 2 of Autodiscover (a GET that answers with the URL) and who answers at Autodiscover's own place with a
 * challenge, at autodiscover.DOMAIN, at DOMAIN and at what SRV names; where plain http at autodiscover.DOMAIN would lead; and Microsoft's
 * Autodiscover where the mail exchanger or the caller says that the domain is Microsoft's. Only the hosts of the domain itself: no label
 * is ever taken off, no name is guessed.
 *
 * The local part of the address goes to the domain's own hosts over https, and to Microsoft only in that one case; never along with a
 * redirect to somebody else, and never over plain http, of which nothing but the Location is read.
 *
 * Runs beside detect_step() as a child of the same parent, or without it. Writes one step into the report, "exchange.find": what was
 * looked at and how that ended (detect.looked_at), and what was found.
 */
#ifndef DETECT_EXCHANGE_H
#define DETECT_EXCHANGE_H

#include "base/want.h"
#include "detect/detect.h"
#include "model/endpoint.h"
#include "model/mailaddress.h"
#include "model/report.h"
#include "wire/dns.h"
#include "wire/fetch.h"

#define EXCHANGE_WAIT_MS 10000      /* a good `wait_ms`, and what any one host gets at most */

enum exchange_place_kind {
	PLACE_EWS,          /* `url` is the one of EWS, as Autodiscover v2 said                                 */
	PLACE_AUTODISCOVER, /* `url` is Autodiscover (POX), to be asked with credentials; it wants them         */
};

struct exchange_place {
	enum exchange_place_kind kind;
	const char              *url, *host;
	uint16_t                 port;
	enum endpoint_source     source;       /* SOURCE_AUTODISCOVER…                                              */
	bool                     trusted;      /* endpoint_trusted() of the source: may a password go there unasked? */
	bool                     online;       /* Exchange Online: to be connected as Microsoft 365. Where Microsoft alone says so it is a
	                                          hint only: they say that of most addresses                        */
	bool                     sure;         /* it showed a sign of Exchange: EWS told, NTLM or Negotiate, a field of its own. Else
	                                          something wants a password there, and no more is known            */
	const char              *build;        /* X-OWA-Version of that very host, or NULL                          */
	int                      rank;         /* of the question it answers: the order within what is equal else   */
};

#define EXCHANGE_PLACES    8
#define EXCHANGE_QUESTIONS 11
#define EXCHANGE_SRV       2       /* targets that are asked */

/* One URL that is asked. Which there are stands in exchange.c. */
struct exchange_question {
	struct exchange_search     *search;
	const struct exchange_kind *kind;
	int                         step;
	struct task                 task;
	struct fetch                fetch;
	bool                        begun;
	struct gate                 over;      /* open: it has ended, one way or the other */
	const char                 *outcome;   /* for the report; NULL: the fetch's own    */
};

struct exchange_part {
	struct exchange_search *search;
	int                     step;
	struct task             task;
	struct children         children;
};

/* Some 20 kB: not for a stack. */
struct exchange_search {
	/* in */
	const struct mail_address *address;
	struct detect             *detect;        /* running beside it, or over; NULL: it does not run                */
	bool                       microsoft;     /* tenant discovery or the caller says that the domain is Microsoft's */
	const struct own_trust    *trust;         /* for the domain's own hosts besides what all trust, never for Microsoft's; or NULL */
	struct arena              *job;
	struct report             *report;
	int                        wait_ms;
	/* out */
	struct exchange_place      place[EXCHANGE_PLACES];   /* trusted before others, EWS before Autodiscover, then as asked;
	                                                        what only Microsoft says last                         */
	size_t                     count;
	bool                       not_offered;   /* SRV says so, in so many words                                    */
	/* its own */
	int                        step;
	int64_t                    began;
	int                        reported;      /* step of the report, -1 when not begun                            */
	struct children            race;
	struct exchange_part       search, enough;
	struct gate                in_hand, settled;
	struct task                srv_task;
	struct dns_lookup          srv;
	struct gate                srv_over;
	const char                *redirect;      /* where plain http leads to, or NULL                               */
	struct exchange_question   question[EXCHANGE_QUESTIONS];
};

/* `detect` may be NULL; it is only read, and must live as long. */
void           exchange_search_init(struct exchange_search *, const struct mail_address *, struct detect *, struct arena *job,
                                    struct report *, int wait_ms);
/* WANT_NOTHING whatever was found; WANT_FAILED only when called off. */
enum want_kind exchange_search_step(void *self, struct want *, struct error *);
void           exchange_search_release(struct exchange_search *);

#endif
