/* inbound.h -- mail to the BCC addresses: our side of SMTP (RFC 5321) and LMTP (RFC 2033), and what guards it.
 *
 * Promises. 250 for a message is said only after the archive has said that it is kept; any other answer means that the sender
 * still has it. Mail is taken for TOKEN@domain and TOKEN+anything@domain with a token that the archive knows, and for nobody else:
 * nothing is relayed. Who guesses tokens is slowed down, then hung up on, then turned away for a while. Everything a client can
 * make us hold is limited: connections, the length and number of its commands, recipients, a message, all messages under way.
 *
 * A door by LMTP stands behind a mail server of ours, which brings everybody's mail: the limits that count by peer do not
 * hold there, and a recipient that is not known is no guess.
 *
 * One thread: that of the loop its sessions run on; inbound_counts() alone is for any.
 */
#ifndef SERVE_INBOUND_H
#define SERVE_INBOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/want.h"
#include "serve/inbound_mail.h"

/* Asks for the workspace of a token. */
struct inbound_search {
	struct errand errand;
	void         *archive;           /* its `self`                                     */
	const char   *token;             /* lower case letters and digits                  */
	/* out */
	bool          found;             /* otherwise err says why; FAULT_ABSENT: nobody's  */
	char          workspace[80];
	struct error  err;
};

/* Where messages go: the store in the daemon (inbound_store.h), a table in tests. Both begin an errand. */
struct inbound_archive {
	void (*find)(struct errand *);   /* of a struct inbound_search                     */
	void (*keep)(struct errand *);   /* of a struct inbound_mail: all its copies or none */
	void  *self;
};

struct inbound_limits {
	size_t   connections, connections_peer;        /* open at a time; one more is told 421                        */
	size_t   message, all;                         /* bytes of one message, and of all that are being taken       */
	int      command_ms, text_ms, message_ms;      /* for a whole command; between two pieces of a message; for all of it */
	unsigned commands;                             /* without a message                                           */
	unsigned errors, unknown, recipients;          /* of a session, of a session, of a message                    */
	unsigned minute_peer, minute_token;            /* messages                                                    */
	unsigned minute_unknown;                       /* tokens one peer may guess wrongly, in all its sessions      */
	int      unknown_ms;                           /* how long the answer to the first wrong one takes; then twice that … */
};

extern const struct inbound_limits inbound_usual;

struct inbound_settings {
	const char            *host;            /* our name in greetings and Received lines */
	const char            *domain;          /* of the BCC addresses                     */
	struct inbound_limits  limits;
	struct inbound_archive archive;
};

struct inbound;
struct inbound_session;

/* Settings are copied. NULL with FAULT_MALFORMED: that can be no domain. */
struct inbound *inbound_new(const struct inbound_settings *, struct error *err);
void            inbound_free(struct inbound *);      /* after its sessions */
/* STARTTLS is offered from now on: there is a certificate to show. */
void            inbound_offer_tls(struct inbound *, bool);

/* For a client that has called: its session, which may be one that only says 421. NULL: there is no place even for that. */
struct inbound_session *inbound_admit(struct inbound *, const struct address *peer, bool lmtp);
struct line            *inbound_line(struct inbound_session *);
enum want_kind          inbound_step(void *session, struct want *, struct error *err);     /* always ends well */
void                    inbound_session_free(struct inbound_session *);

struct inbound_counts { int64_t sessions, kept, again, refused, unknown, turned_away; };
void inbound_counts(const struct inbound *, struct inbound_counts *out);

#endif
