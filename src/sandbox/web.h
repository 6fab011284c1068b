/* web.h -- requests in, replies out: libmicrohttpd with its own TLS, a thread for each connection.
 *
 * Whoever answers may block; a connection is one thread's. What a reply cannot say by HTTP (a reason phrase of its own, a line that is
 * cut) goes out raw.
 */
#ifndef SANDBOX_WEB_H
#define SANDBOX_WEB_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "sandbox/certificates.h"

#define WEB_LONGEST_REQUEST (64u << 20)
#define WEB_HEADERS         24

/* One connection, for as long as it stands. */
struct caller {
	unsigned char  nonce[8];
	bool           challenged;      /* an NTLM challenge was given on it       */
	bool           wrapped;         /* in SPNEGO                               */
	struct account *account;        /* who signed in on it by NTLM, or NULL    */
};

struct request {
	struct arena  *work;
	const char    *method, *path, *host, *client;      /* path without query; host without port, lower case     */
	struct slice   body;
	bool           secure;
	struct slice   certificate;      /* the server's, DER, that the connection shows */
	struct caller *caller;
	void          *connection;       /* MHD's */
	/* for the log, filled in on the way */
	const char    *operation, *scheme, *user, *login, *version;
};

/* NULL when there is none. */
const char *request_header(const struct request *, const char *name);
const char *request_query(const struct request *, const char *name);
/* All of the query, of which there may be more than one of a name. False: more than fit. */
struct form;
bool        request_fields(const struct request *, struct form *out);

enum ending {
	ENDS_WHOLE,
	ENDS_CUT,          /* after `cut` bytes of what was announced           */
	ENDS_NEVER,        /* the body, and then blanks for ever                */
	ENDS_RAW,          /* the body is all that goes over the line           */
	ENDS_DROPPED,      /* nothing does                                      */
	ENDS_STREAM,       /* what `more` makes, until it says no               */
};

struct reply {
	int           status;
	const char   *type;                        /* Content-Type, or NULL */
	struct { const char *name, *value; } header[WEB_HEADERS];
	size_t        headers;
	struct buffer body;
	enum ending   ending;
	size_t        cut;
	bool          closes;                      /* the connection ends behind it */
	/* ENDS_STREAM: blocks until there is something to say; false: that was all. `self` is given to `done` once nobody needs it. */
	bool        (*more)(void *self, struct buffer *out);
	void        (*done)(void *self);
	void         *self;
};

__attribute__((format(printf, 4, 5)))
void reply_header(struct reply *, struct request *, const char *name, const char *fmt, ...);

struct web;

struct web_wishes {
	const char *address;
	uint16_t    port;                /* 0: any                                                            */
	const struct certificate *certificate;      /* NULL: plain http. It must live on                       */
	bool        old_tls;
	void      (*answer)(void *self, struct request *, struct reply *);
	void       *self;
};

/* FAULT_LOCAL, in particular when the port is taken or not ours to take. `*port` is then what it got. */
struct web *web_new(const struct web_wishes *, uint16_t *port, struct error *err);
/* Takes nobody any more, and ends all connections. Streams must have ended by then. NULL is fine. */
void        web_free(struct web *);

#endif
