/* parts.h -- what the parts of the sandbox share. Nobody outside this folder includes it. */
#ifndef SANDBOX_PARTS_H
#define SANDBOX_PARTS_H

#include <pthread.h>
#include <stdio.h>

#include "sandbox/certificates.h"
#include "sandbox/kerberos.h"
#include "sandbox/mailbox.h"
#include "sandbox/names.h"
#include "sandbox/orders.h"
#include "sandbox/persona.h"
#include "sandbox/sandbox.h"
#include "sandbox/web.h"

/* Forms of a user name that sign in. */
enum { NAME_DOWN = 1 << 0, NAME_UPN = 1 << 1, NAME_MAIL = 1 << 2, NAME_BARE = 1 << 3 };

struct account {
	const char     *mail, *alias, *upn, *sam, *password, *display;
	const char     *host, *ews_url;     /* of its own at Exchange (hosts.h); NULL: the usual ones */
	struct mailbox *mailbox;            /* NULL: it has none                      */
	bool            may_impersonate;
	const struct account *delegate;     /* who else may open it, and send as it   */
};

struct sandbox {
	struct arena         *own;           /* only while it is being set up */
	const struct persona *usual, *persona, *mailbox_persona;      /* the last two, as schemes and forms: of whoever is served */
	const char *domain, *netbios, *dns_host, *mail_host, *auto_host, *address, *auto_address, *cloud_address, *google_address,
	           *almanac_address, *deliver;
	const char *redirect_uri[SANDBOX_REDIRECTS];      /* the first NULL ends; there may be none */
	bool        exchange;                /* the organisation's own is played */
	unsigned    name_forms, schemes;
	int         heartbeat_ms;
	uint16_t    https_port, auto_port, http_port, cloud_port, google_port, almanac_port;

	struct account accounts[SANDBOX_ACCOUNTS + 2];
	size_t         account_count;

	/* one for all that changes while it runs: orders, mailboxes, subscriptions, counts, the log */
	pthread_mutex_t lock;
	pthread_cond_t  news;                /* something happened in a mailbox, or it ends */
	bool            stopping;
	struct orders   orders;
	struct subscriptions *subscriptions;
	struct sandbox_counts counts;
	FILE           *log;

	struct authority  *authority;
	struct certificate certificate, auto_certificate, cloud_certificate, google_certificate,
	                   almanac_certificate;
	struct names      *names;
	struct keytab       *keys;             /* to Kerberos; NULL: none, and nobody has a ticket for it */
	struct web        *https, *auto_https, *http, *auto_http, *cloud_https, *google_https, *almanac_https;
	struct cloud      *cloud;            /* Microsoft's; NULL: it is not played                  */
	struct almanac    *almanac;          /* calendars by CalDAV; NULL: they are not played       */
	struct imap       *imap;             /* plain mailboxes; NULL: they are not played           */
	bool               plays_imap;       /* `imap` is there, or is to be                         */
	struct google     *google;           /* NULL: it is not played                               */
	struct hole       *hole;
	bool               has_own_hosts;
	struct own_door   *own_doors;        /* of mailboxes with a host of their own, one for each account; NULL: not open */
	void             (*answer)(void *self, struct request *, struct reply *);
	struct sandbox_places places;
	char              *folder;           /* temporary, with the CA file in it; NULL: none */
	char              *ca_file;
};

/* Says where a host's port is, unless that is the usual one or 0. Only while it starts. */
void tell_place(struct sandbox *, const char *host, uint16_t usual, const char *address, uint16_t port);

/* -- accounts (accounts.c) ---------------------------------------------------------------------------------------- */

/* Whose address or alias it is; NULL: nobody's. */
struct account *account_by_mail(struct sandbox *, const char *mail);
/* It is theirs that is being answered from here on, whether they prove who they are or not. NULL changes nothing. Gives it back. */
struct account *account_served(struct sandbox *, struct account *);
/* The version, the schemes and the forms of names that are ordered for whoever is served. */
void            dress(struct sandbox *);
/* Those wished for, or the usual ones, each with a little in its mailbox. FAULT_MALFORMED. */
bool            add_accounts(struct sandbox *, const struct sandbox_wishes *, struct error *);

/* -- sign-in (signin.c) ------------------------------------------------------------------------------------------- */

/* Who it is; NULL: then the reply is written. Locked. */
struct account *sign_in(struct sandbox *, struct request *, struct reply *);
/* What a server of this version says on every answer. */
void            usual_headers(struct sandbox *, struct request *, struct reply *);

/* -- what is at which path; each locked, and each writes the reply ------------------------------------------------- */

void answer_ews(struct sandbox *, struct request *, struct reply *);               /* ews.c          */
void answer_autodiscover(struct sandbox *, struct request *, struct reply *);      /* autodiscover.c */

#endif
