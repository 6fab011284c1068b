/* inbound_mail.h -- one message that came in at the BCC addresses: what is read from its header, under which id it is kept.
 *
 * The id of a message is made of the message: two deliveries of one message to one workspace have the same id, and the second is
 * not kept again. A sender who never heard our 250 sends once more; that, and nothing else, makes the same message come
 * twice byte by byte. What hops write into the header on their way (Received, DKIM-Signature …) does not count, so that a
 * second way through the network leads to the same id as well. A message without Message-ID counts with all its bytes:
 * a script that says the same every day means it every day.
 */
#ifndef SERVE_INBOUND_MAIL_H
#define SERVE_INBOUND_MAIL_H

#include <stdint.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/want.h"

#define INBOUND_ID       26          /* "msg_" and 22 letters and digits            */
#define INBOUND_HOPS     50          /* Received lines; more is a loop              */
#define INBOUND_FIELD    2000        /* octets of a field that are read             */

/* For one workspace, however many of its addresses were named. */
struct inbound_copy {
	const char *workspace;
	const char *to;                  /* its addresses as they were named, ", " between  */
	char        id[INBOUND_ID + 1];
	bool        again;               /* out: it was there already, under the same id    */
};

struct inbound_mail {
	struct errand        errand;
	void                *archive;    /* its `self`                                      */
	/* in, valid until the errand is done */
	struct inbound_copy *copy;
	size_t               copies;
	const char          *sender;     /* "" for the null sender                          */
	const char          *from, *subject, *message_id, *test_token;      /* decoded, one line; NULL where absent */
	const char          *author;     /* the address in From; NULL where there is none   */
	int64_t              received;   /* Unix ms                                         */
	size_t               hops;
	char                *bytes;      /* with our own Received line in front …           */
	size_t               len, id_at; /* … in which the id stands here                   */
	/* out */
	bool                 kept;       /* all copies, durably                             */
	struct error         err;        /* otherwise                                       */
};

/* The Received line (with its fold and line end) for a message under way; `*id_at` is where its id will stand. */
const char *inbound_received(struct arena *into, const char *name, const struct address *peer, const char *host, const char *protocol,
                             int64_t now_unix, size_t *id_at);

/* Fills in from … author and hops; `message` is what the client sent. */
void inbound_mail_read(struct inbound_mail *, struct slice message, struct arena *into);

/* The id of that message in that workspace. */
void inbound_mail_id(struct slice message, const char *workspace, char out[INBOUND_ID + 1]);

/* The whole message as it is kept for that copy. Valid until it is asked for the next. */
struct slice inbound_mail_bytes(struct inbound_mail *, const struct inbound_copy *);

#endif
