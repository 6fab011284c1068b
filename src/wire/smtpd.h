/* smtpd.h -- what a client says to an SMTP or LMTP server (RFC 5321, 2033, 3030), without a socket.
 *
 * Bytes in, events out. CRLF alone ends a line, and CRLF "." CRLF alone ends a message. A lone LF or CR inside a message is a
 * character like any other; in a command it ends the conversation, because whoever stands in front of us may have read one
 * line where another reads two ("SMTP smuggling").
 */
#ifndef WIRE_SMTPD_H
#define WIRE_SMTPD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum smtpd_kind {
	SMTPD_MORE,
	SMTPD_BROKEN,        /* where the next line begins cannot be known: answer and hang up            */
	SMTPD_COMMAND,
	SMTPD_TEXT,          /* a piece of the message, dot-stuffing undone                               */
	SMTPD_TEXT_END,      /* behind the final dot, or the last octet of a chunk                        */
};

enum smtpd_verb {
	SMTPD_UNKNOWN,       /* also one with control characters in it                                    */
	SMTPD_TOO_LONG,      /* it was skipped; `line` is empty                                           */
	SMTPD_FOREIGN,       /* the beginning of another protocol, HTTP: a browser that was made to call  */
	SMTPD_EHLO, SMTPD_HELO, SMTPD_LHLO, SMTPD_MAIL, SMTPD_RCPT, SMTPD_DATA, SMTPD_BDAT, SMTPD_RSET, SMTPD_NOOP,
	SMTPD_VRFY, SMTPD_EXPN, SMTPD_HELP, SMTPD_QUIT, SMTPD_STARTTLS, SMTPD_AUTH,
};

struct smtpd_event {
	enum smtpd_kind kind;
	enum smtpd_verb verb;
	struct slice    line;          /* COMMAND: all of it without its end                              */
	struct slice    args;          /* COMMAND: what stands behind the verb, trimmed                   */
	struct slice    text;          /* TEXT                                                            */
	size_t          chunk;         /* BDAT: octets that follow; they come as TEXT, then TEXT_END      */
	bool            last;          /* BDAT and TEXT_END: the message is whole with this one           */
	bool            long_line;     /* TEXT_END: a line since DATA or BDAT was longer than agreed      */
};

#define SMTPD_LONGEST_COMMAND 2048           /* RFC 5321 §4.5.3.1.4 has 512, and extensions add to it     */
#define SMTPD_LONGEST_CHUNK   ((size_t)1 << 40)

struct smtpd_reader;

/* Both limits count without the line end. A message's lines cost no memory: a longer one is reported, not cut. */
struct smtpd_reader *smtpd_reader_new(size_t longest_command, size_t longest_text_line);
void                 smtpd_reader_free(struct smtpd_reader *);
DEFINE_CLEANUP(smtpd_reader)

/* The slices point into `bytes`. The first `*used` of them are done with after the event, also with SMTPD_MORE; the others
 * are shown again, with more behind them. */
struct smtpd_event smtpd_next(struct smtpd_reader *, struct slice bytes, size_t *used);

/* What comes next is a message: the client was told 354. */
void smtpd_data(struct smtpd_reader *);

/* "a line that ends in LF alone"; "" while it is fine. */
const char *smtpd_broken(const struct smtpd_reader *);

/* -- arguments ---------------------------------------------------------------------------------------------------- */

/* A client's name in EHLO, HELO, LHLO: letters, digits and .-_ or an address literal, fit for a Received line. */
bool smtpd_name(struct slice args);

struct smtpd_mail {
	const char        *sender;       /* "" for the null sender <>                       */
	unsigned long long size;         /* as declared, 0 when not                         */
	bool               utf8;         /* SMTPUTF8                                        */
};

/* "FROM:<ann@example.org> SIZE=1000". NULL when that is in order, else the reply that says what is not ("501 5.1.7 …"). `out`
 * is from `into`. Extensions that we do not offer (RET, ENVID, AUTH) are refused as RFC 5321 §4.1.1.11 wants it. */
const char *smtpd_mail(struct slice args, struct arena *into, struct smtpd_mail *out);

/* "TO:<token@example.org>", without source route; `utf8` as MAIL said. */
struct smtpd_rcpt {
	const char *text;                /* local@domain                                    */
	const char *local, *domain;      /* domain in lower case, A-labels                  */
};
const char *smtpd_rcpt(struct slice args, bool utf8, struct arena *into, struct smtpd_rcpt *out);

#endif
