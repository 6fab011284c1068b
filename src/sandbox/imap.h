/* imap.h -- plain mailboxes as the sandbox plays them: domains whose mail is opened by IMAP and sent by SMTP submission, by hosts of
 * their own and under the names of large ones, each with the faults that are ordered for it.
 *
 * A host has an address of its own, so that what goes wrong at one goes wrong there alone; its ports are the usual ones or any.
 */
#ifndef SANDBOX_IMAP_H
#define SANDBOX_IMAP_H

#include "sandbox/hole.h"
#include "sandbox/imap_line.h"
#include "sandbox/imap_words.h"
#include "sandbox/parts.h"

#define IMAP_DOMAIN "birch.example"
#define IMAP_HOSTS  96
#define IMAP_NAMES  3

enum imap_door { DOOR_IMAPS, DOOR_IMAP, DOOR_SUBMISSIONS, DOOR_SUBMISSION, IMAP_DOORS };

struct imap_host {
	const char         *domain;               /* whose mail it has; of one that only stands for the rest of the world: its own name */
	const char         *name[IMAP_NAMES];     /* imap, smtp and what else there is; the first two may be the same                  */
	const char         *address;
	const struct dialect *dialect;
	bool                is_world;             /* no mailbox is here: it shows that there is a network                              */
	bool                shares;               /* another one's doors are its own                                                   */
	struct certificate  certificate;
	SSL_CTX            *tls;
	int                 fd[IMAP_DOORS];       /* -1: a hole, or nothing                                                            */
	uint16_t            port[IMAP_DOORS], web_port;
	struct hole        *hole[IMAP_DOORS];
	struct web         *web;                  /* plain http, for its certificate's issuer; usually NULL                            */
};

struct imap_caller;

struct imap {
	struct sandbox  *sandbox;
	struct imap_host host[IMAP_HOSTS];
	size_t           hosts;
	struct imap_caller *callers;      /* the sandbox's lock, as all that changes */
	pthread_t        thread;
	bool             started;
	int              stop[2];
	struct web      *world, *world_https;      /* well-known servers of the web: what time it is, and that there is a network */
	const char      *world_address;
	struct certificate world_certificate;
	uint16_t         world_port, world_https_port;
};

/* -- the part (imap_hosts.c, imap_doors.c) ------------------------------------------------------------------------ */

/* Is the address one of those that this part has? */
bool imap_has(const char *address);

/* Once orders and accounts are known. FAULT_TOO_BIG: a domain too many. */
bool imap_new(struct sandbox *, struct error *);
/* Certificates and doors, on the usual ports or, where those cannot be had or were not wished for, on any; then it answers. */
bool imap_open(struct sandbox *, bool usual_ports, struct error *);
void imap_names(struct sandbox *);
void imap_tell(struct sandbox *);
/* Not locked; ends all conversations. NULL is fine. */
void imap_free(struct imap *);

/* What is ordered for that host; at one of the rest of the world nothing is. */
const struct ordered *host_ordered(struct imap *, const struct imap_host *, enum order);

/* imap_doors.c */
bool doors_open(struct imap *, bool usual_ports, struct error *);
void doors_close(struct imap *);
uint16_t door_port(enum imap_door);      /* the usual one */

/* Somebody who looks at a mailbox by IMAP learns that it is another. Locked. */
void         imap_stir(struct sandbox *, const struct mailbox *);

/* -- one conversation (imap.c, smtp.c): a thread's, not locked ------------------------------------------------------ */

struct imap_caller {
	struct imap       *imap;
	struct imap_host  *host;
	enum imap_door     door;
	struct imap_line   line;
	struct account    *account;       /* signed in; NULL: nobody yet                 */
	const struct mailbox *watched;    /* locked                                      */
	const char        *client;        /* "127.0.0.1:4711"                            */
	struct arena      *own;
	pthread_t          thread;
	bool               over;          /* locked: the thread can be joined            */
	struct imap_caller *next;
};

/* Somebody else's protocol, where that is ordered: true, and the conversation is over. */
bool other_talk(struct imap_caller *);
void imap_talk(struct imap_caller *);
void smtp_talk(struct imap_caller *);

/* -- what both need (imap_login.c) --------------------------------------------------------------------------------- */

/* The words that are ordered there, or NULL. Locked. */
const char *words_ordered(struct imap_caller *, enum stage);

/* What a mail program brought to prove who it is. */
struct credentials {
	const char *user, *password, *token;      /* one of the last two */
};

bool            plain_read(struct arena *, struct slice base64, struct credentials *out);
bool            xoauth2_read(struct arena *, struct slice base64, struct credentials *out);
/* Whose they are; the orders are then his. NULL: they are refused. Locked. */
struct account *let_in(struct imap_caller *, const struct credentials *);
/* Whom such a name would be, right password or not: whose orders are in force. Locked. */
struct account *account_by_login(struct imap_caller *, const char *user);

/* Why a token is refused, as XOAUTH2 says it; NULL: none are taken here. Locked. */
const char     *token_refusal(struct imap_caller *, const char *token);

/* One line of the log. Locked. */
void            log_talk(struct imap_caller *, const char *what, const char *login);

#endif
