/* sandbox.h -- an organisation's Exchange, Microsoft's cloud, Google's, plain mailboxes or a calendar server, on loopback: for tests, and
 * for people who want to see a fault before they have it.
 *
 * A name server, a front end of a chosen version with EWS, Autodiscover and sign-in pages, mailboxes with mail and a calendar, and any
 * fault that is ordered. It answers on loopback addresses only, proves itself by certificates of an authority that it makes at its
 * start, and keeps nothing: mailboxes live in memory, the authority's file goes when it ends unless it was asked for by name.
 * It shares no reader and no writer with wire/ and provider/: what both got wrong would agree otherwise.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#define SANDBOX_ORDERS   256
#define SANDBOX_ACCOUNTS 256
#define SANDBOX_PLACES   1024
#define SANDBOX_REDIRECTS 16
#define SANDBOX_LONGEST_FAULT 200

struct sandbox_wishes {
	const char *persona;                      /* "2016"; NULL: that, and with `microsoft` none                      */
	bool        microsoft;                    /* Entra and Graph; with a persona too, the mailboxes are at that one: hybrid */
	bool        imap;                         /* mailboxes by IMAP and SMTP: birch.example, the domains below it, large hosts */
	bool        google;                       /* Google's sign-in, Gmail and Calendar                               */
	const char *google_domain;                /* which domain's accounts are its, beside others; NULL: all's     */
	const char *push_to;                      /* URL to which what Gmail tells is pushed, on loopback; NULL: nowhere */
	bool        caldav;                       /* a calendar server for each domain with accounts; with imap: with those */
	const char *domain;                       /* NULL: "contoso.example"                                            */
	const char *cloud_domain;                 /* of Microsoft's, beside the Exchange of `domain`: none is hybrid; NULL: the same */
	const char *listen;                       /* a loopback address; NULL: 127.0.0.1                                */
	bool        high_ports;                   /* do not even try ports 443 and 80                                   */
	const char *fault[SANDBOX_ORDERS];        /* as orders_add() takes them: "NAME", "NAME=VALUE", "ADDRESS/NAME" …      */
	size_t      faults;
	const char *account[SANDBOX_ACCOUNTS];    /* "ADDRESS:PASSWORD"; none: anna@ and bert@ with SANDBOX_PASSWORD    */
	size_t      accounts;
	const char *redirect_uri[SANDBOX_REDIRECTS];      /* of the application at Entra, beside those of this machine itself   */
	size_t      redirect_uris;
	const char *ca_file_out;                  /* where the authority's certificate goes; NULL: a temporary folder   */
	const char *log;                          /* one JSON object a line for each request; NULL: none                */
	const char *deliver;                      /* "HOST:PORT" of LMTP for mail to others; NULL: it goes nowhere      */
	const char *keytab;                       /* keys of HTTP/mail.DOMAIN and the like: Kerberos is checked; NULL: it is not taken */
	unsigned    items;                        /* messages in the first inbox besides the three that are always there     */
	int         heartbeat_ms;                 /* of streamed notifications; 0: 45 s                                 */
};

#define SANDBOX_PASSWORD "mailmoor-sandbox"
/* Of everybody, where programs need one of their own: at providers' calendars, and where that is ordered. */
#define SANDBOX_APP_PASSWORD "kite-fern-moor-wren"

/* What somebody needs to use it. Texts live as long as the sandbox. */
struct sandbox_places {
	const char *resolver;                     /* "127.0.0.1:40053"                                                  */
	const char *connect_to[SANDBOX_PLACES];   /* "mail.contoso.example:443=127.0.0.1:40443"; none on usual ports    */
	size_t      connects;
	const char *ca_file;
	const char *ews_url;                      /* NULL: no Exchange is played                                        */
	const char *address[SANDBOX_ACCOUNTS], *login[SANDBOX_ACCOUNTS], *password[SANDBOX_ACCOUNTS];
	size_t      addresses;
	const char *version;                      /* "Exchange 2016, 15.1.2507.39"                                      */
	const char *caldav_url;                   /* of the first account's domain; NULL: no calendar server            */
	/* of Microsoft's cloud, NULL without it */
	const char *tenant, *client_id, *client_secret;
	const char *token_file[SANDBOX_ACCOUNTS]; /* what the token endpoint would answer to that address, as a file    */
	/* of Google, likewise */
	const char *google_client_id, *google_client_secret;
	const char *google_topic, *google_pusher; /* of Pub/Sub: what it may be told of, and who signs what is pushed */
	const char *google_service_account;       /* the file with its key, as Google's console gives it out: it may act for everybody */
	const char *google_token_file[SANDBOX_ACCOUNTS];
};

struct sandbox_counts {
	unsigned requests, accepted, refused;     /* the last two: of passwords and tokens                              */
};

struct sandbox;

/* Starts it: when it comes back, all of it answers, in threads of its own. Nothing but the calling thread's signal mask is
 * handed on to those. FAULT_MALFORMED: a wish makes no sense. FAULT_LOCAL: a port or a file cannot be had. */
struct sandbox              *sandbox_new(const struct sandbox_wishes *, struct error *err);
const struct sandbox_places *sandbox_places(const struct sandbox *);
struct sandbox_counts        sandbox_counts(struct sandbox *);
void                         sandbox_free(struct sandbox *);      /* ends it, and removes its files; NULL is fine */

/* -- as a browser sees it, for the demo: this machine's own browser does not find the hosts that are played ---------- */

struct sandbox_visit {
	const char  *host, *method, *path;        /* the path with its query */
	const char  *cookies, *type;              /* NULL: none              */
	struct slice body;
};

struct sandbox_page {
	int          status;
	const char  *type, *location, *cookie[4];      /* NULL: none */
	size_t       cookies;
	struct slice body;
};

/* Any thread; it waits for the answer. Redirects are not followed. Texts from `into`. FAULT_ABSENT: it plays no such host. */
bool sandbox_visit(const struct sandbox *, const struct sandbox_visit *, struct arena *into, struct sandbox_page *out, struct error *err);

/* The n-th version or fault that can be had, with its text; NULL past the last. */
const char *sandbox_persona(size_t n, const char **text);
const char *sandbox_fault(size_t n, const char **value, const char **text);

#endif
