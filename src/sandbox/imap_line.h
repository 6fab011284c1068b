/* imap_line.h -- one connection of a mail program, with or without TLS: whole lines and literals in, bytes out. One thread's own. */
#ifndef SANDBOX_IMAP_LINE_H
#define SANDBOX_IMAP_LINE_H

#include <openssl/ssl.h>

#include "base/arena.h"
#include "base/buffer.h"

#define LINE_LONGEST    65536
#define LITERAL_LONGEST (36u << 20)      /* what APPENDLIMIT and SIZE say */

struct imap_line {
	int           fd;
	int           stop;      /* readable once the sandbox ends                       */
	int           stir;      /* an eventfd: something happened in the mailbox; or -1 */
	SSL          *tls;
	struct buffer in;
};

/* The socket is its own from here on. */
void line_open(struct imap_line *, int fd, int stop);
void line_farewell(struct imap_line *);      /* TLS's */
void line_shut(struct imap_line *);

/* The handshake as the server. False: there is none, and nothing more is to be said. */
bool line_secure(struct imap_line *, SSL_CTX *);

enum heard { HEARD, HEARD_STIR, HEARD_END };      /* END: the peer is gone, was silent for too long, said too much, or it is over */

/* The next line without its end, in the arena. HEARD_STIR only where `stirred` is asked for. */
enum heard line_hear(struct imap_line *, struct arena *, bool stirred, struct slice *out);
/* That many bytes. */
bool       line_hear_bytes(struct imap_line *, size_t len, struct buffer *out);
bool       line_say(struct imap_line *, struct slice);
/* What was heard beyond the line at hand is forgotten: before TLS it was anybody's. */
void       line_forget(struct imap_line *);
/* Until the sandbox ends or the peer goes. */
void       line_idle(struct imap_line *);

#endif
