/* orders.h -- the faults that can be ordered: their names, and which of them this sandbox is to show.
 *
 * An order may be for one mailbox or one host alone: "ADDRESS/NAME=VALUE", "HOST/NAME=VALUE", the latter for the hosts below that one,
 * too. Which of those are in force, whoever answers says first: orders_serve(), orders_serve_host(). The rest is for everybody.
 */
#ifndef SANDBOX_ORDERS_H
#define SANDBOX_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

enum order {
	ORDER_PAGE,                  /* one of pages.c, before anybody is asked for credentials        */
	ORDER_PAGE_AFTER,            /* and after they were right                                      */
	ORDER_CODE,                  /* an operation answers with a ResponseCode                       */
	ORDER_FAULT,                 /* any operation ends in a SOAP fault with this code              */
	ORDER_BACK_OFF, ORDER_OLD_SCHEMA, ORDER_VERSION, ORDER_MAILBOX_VERSION, ORDER_HUGE_FAULT,
	/* logins */
	ORDER_SCHEMES, ORDER_BEARER, ORDER_REFUSE, ORDER_NAMES, ORDER_BINDING, ORDER_PAGE_ON_TYPE2, ORDER_CLOSE_BETWEEN,
	ORDER_KERBEROS_ANSWER, ORDER_KERBEROS_EACH, ORDER_AGENTS,
	ORDER_NOT_AGENTS,
	/* answers on their way */
	ORDER_SLOW, ORDER_CUT, ORDER_MALFORMED, ORDER_BOMB, ORDER_CHARSET, ORDER_ENDLESS, ORDER_GZIP, ORDER_WRONG_NAMESPACE,
	ORDER_COOKIES,
	ORDER_OTHER_MAILBOX, ORDER_SILENT_REQUEST, ORDER_DROP,
	/* the line */
	ORDER_CERTIFICATE, ORDER_OLD_TLS, ORDER_REFUSED, ORDER_VANISH, ORDER_SILENT, ORDER_RESET, ORDER_NO_HOST, ORDER_DNS_FAILS,
	ORDER_DNS_SILENT,
	/* Autodiscover */
	ORDER_AUTO_OFF, ORDER_AUTO_ERROR, ORDER_AUTO_ADDRESS, ORDER_AUTO_URL, ORDER_AUTO_HTTP, ORDER_AUTO_SRV, ORDER_AUTO_NO_V2,
	ORDER_AUTO_EWS_URL,
	/* mail */
	ORDER_NO_DELIVERY, ORDER_NDR, ORDER_NO_CALENDAR, ORDER_CALENDAR_DENIED, ORDER_CALENDAR_READ_ONLY, ORDER_ZONE_UNKNOWN,
	ORDER_ZONE_IGNORED, ORDER_ZONE_ODD, ORDER_NO_MAILBOX, ORDER_EX_ONLY,
	/* Microsoft's cloud: who signs in, and how */
	ORDER_AADSTS, ORDER_DEVICE_AADSTS, ORDER_AUTHORIZE_AADSTS, ORDER_ADMIN_APPROVAL, ORDER_ASSIGNMENT, ORDER_ADMIN_CONSENT,
	ORDER_SESSION, ORDER_WRONG_ACCOUNT, ORDER_NO_TENANT, ORDER_TOKEN_BUSY, ORDER_TOKEN_HTML, ORDER_TOKEN_CUT, ORDER_TOKEN_LOST,
	ORDER_OLD_REFRESH_ENDS, ORDER_TOKEN_LIFE, ORDER_TOKEN_EXPIRED, ORDER_ID_TOKEN, ORDER_SCOPES, ORDER_NO_REFRESH, ORDER_SLOW_DOWN,
	ORDER_DEVICE_INTERVAL, ORDER_CLIENT_CERTIFICATE,
	/* what the directory says */
	ORDER_PERSONAL, ORDER_GUEST, ORDER_SYNCED, ORDER_PLAN, ORDER_MADE_UP, ORDER_MX, ORDER_IMAP,
	/* Graph */
	ORDER_GRAPH, ORDER_GRAPH_TEXT, ORDER_GRAPH_RETRY, ORDER_GRAPH_PAGE, ORDER_GRAPH_CUT, ORDER_GRAPH_SLOW, ORDER_AUDIENCE, ORDER_CLAIMS,
	ORDER_NEXT_ELSEWHERE, ORDER_DELTA_GONE, ORDER_LIFECYCLE, ORDER_NO_NOTICES, ORDER_SUBSCRIPTION_LIFE,
	/* plain mailboxes: what a domain and its hosts are like */
	ORDER_NO_DOMAIN, ORDER_DOMAIN_FAILS, ORDER_DOMAIN_SILENT, ORDER_NULL_MX, ORDER_NO_MX, ORDER_NOT_OFFERED, ORDER_PRIVATE_ADDRESS,
	ORDER_CAPTIVE, ORDER_EGRESS, ORDER_CLOCK, ORDER_CLIENT_WANTED, ORDER_PLAIN_PORTS, ORDER_TLS_AT_ONCE, ORDER_STARTTLS_ONLY,
	ORDER_NO_STARTTLS, ORDER_STRIPPED, ORDER_SPEAKS,
	/* and what is said there */
	ORDER_WORDS,                 /* in place of the usual, at the stage that the row's number says */
	ORDER_IMAP_SCHEMES, ORDER_NO_INBOX, ORDER_SMTP_SCHEMES, ORDER_SMTP_NO_AUTH, ORDER_SMTP_REWRITES,
	/* Google */
	ORDER_GOOGLE_PAGE, ORDER_GOOGLE_ERROR, ORDER_GOOGLE_UNTICKED, ORDER_GOOGLE_TOKEN, ORDER_GOOGLE_AGE, ORDER_GOOGLE,
	ORDER_GOOGLE_RETRY, ORDER_GOOGLE_HTML, ORDER_GOOGLE_CUT, ORDER_GOOGLE_SLOW, ORDER_PUSH_TOKEN,
	/* calendars by CalDAV */
	ORDER_DAV, ORDER_DAV_RETRY, ORDER_DAV_PAGE, ORDER_DAV_SIGN_IN, ORDER_DAV_REDIRECT, ORDER_DAV_CIRCLE, ORDER_DAV_SCHEMES,
	ORDER_DAV_STALE, ORDER_DAV_APP_PASSWORD, ORDER_DAV_NOBODY, ORDER_DAV_MAINTENANCE, ORDER_DAV_NO_HOME, ORDER_DAV_HOME,
	ORDER_DAV_READ_ONLY, ORDER_DAV_ONLY_TASKS, ORDER_DAV_NO_SYNC, ORDER_DAV_TOKEN_GONE, ORDER_DAV_PARTS, ORDER_DAV_NO_ETAG,
	ORDER_DAV_ZONE, ORDER_DAV_CONTRADICTION, ORDER_DAV_MANY, ORDER_DAV_NO_SRV, ORDER_DAV_HIDDEN, ORDER_DAV_NOT_OFFERED,
};

struct order_row {
	const char *name;
	enum order  order;
	const char *value;           /* what stands behind "=", as --faults shows it; NULL: nothing may  */
	bool        needs_value;
	int         number;          /* which of several: an enum flaw, a page's HTTP status …           */
	const char *what;            /* … or a ResponseCode, "OPERATION:CODE"                            */
	const char *text;
};

struct ordered {
	const struct order_row *row;
	const char *whose;           /* an address or a host; NULL: everybody's */
	const char *value;           /* NULL: none was given                 */
	const char *operation;       /* ORDER_CODE: "*" is any               */
	const char *text;            /*   and its MessageText, or NULL       */
	unsigned    left;            /* how often still; 0: for ever         */
	bool        spent;
};

#define ORDERS_MOST          256
#define ORDERS_LONGEST_WHOSE 254

struct orders {
	struct ordered list[ORDERS_MOST];
	size_t         count;
	char           address[ORDERS_LONGEST_WHOSE + 1], host[ORDERS_LONGEST_WHOSE + 1];      /* who is served; "": nobody is known yet */
};

const struct order_row *order_at(size_t n);      /* NULL past the last */

/* "NAME", "NAME=VALUE", "OPERATION:CODE" or "OPERATION:CODE=TEXT", each with "ADDRESS/" or "HOST/" before it and "#N" behind it.
 * FAULT_MALFORMED; FAULT_TOO_BIG: there are too many, or the address is too long. */
bool orders_add(struct orders *, struct arena *, const char *text, struct error *err);

/* Whose request is being answered, until somebody else's is: an account's address, or NULL. Under the sandbox's lock, and once more after
 * a wait in which it was not held: others were served meanwhile. */
void orders_serve(struct orders *, const char *address);
/* At which host, or NULL. */
void orders_serve_host(struct orders *, const char *host);

/* Is it for whoever is being served, and not used up? What goes through the list itself asks so. */
bool orders_in_force(const struct orders *, const struct ordered *);
/* The first that is in force, or NULL. It is not used up. */
struct ordered *orders_has(struct orders *, enum order order);
/* What is ordered for this account, or for everybody, whoever is being served. */
struct ordered *orders_of(struct orders *, const char *address, enum order order);
/* Is there an order for this address and no other? */
bool            orders_name(const struct orders *, const char *address);
/* What is ordered for this host, a domain above it, or for everybody: as names and doors need it, which serve nobody. */
struct ordered *orders_at(struct orders *, const char *host, enum order order);
/* The same, and counts it: one that is to happen N times is gone after them. */
struct ordered *orders_take(struct orders *, enum order);
/* For this operation. */
struct ordered *orders_take_code(struct orders *, const char *operation);

#endif
