/* imap.h -- what an IMAP server says (RFC 9051 and 3501 §7), without a socket.
 *
 * Bytes in, events out. The reader takes whole responses only: a line with all its literals. It never reads past the
 * limits given at its birth, whatever the peer announces; a literal over the limit is an answer that breaks the
 * agreement (IMAP_BROKEN), not an allocation. Lines may end in LF alone: several servers do that. A line is data and
 * may carry literals, or it is a status (OK NO BAD BYE PREAUTH) or a continuation, whose text is never looked into.
 */
#ifndef WIRE_IMAP_H
#define WIRE_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

enum imap_kind {
	IMAP_MORE,        /* no whole response yet: feed me                                        */
	IMAP_BROKEN,      /* no IMAP, or over a limit; the reader stays broken, imap_broken() says why */
	IMAP_TAGGED,      /* "a1 OK …"                                                             */
	IMAP_UNTAGGED,    /* "* …"                                                                 */
	IMAP_CONTINUE,    /* "+ …"                                                                 */
};

struct imap_event {
	enum imap_kind kind;
	struct slice   tag;        /* TAGGED only                                                             */
	struct slice   word;       /* OK NO BAD BYE PREAUTH CAPABILITY LIST FLAGS EXISTS FETCH ID …           */
	uint32_t       number;     /* 23 in "* 23 EXISTS", else 0                                             */
	struct slice   code;       /* what stood in [ ] right after OK NO BAD BYE PREAUTH, without brackets   */
	struct slice   text;       /* the rest: human text behind the code, or the data behind the word       */
	struct slice   line;       /* all of it without its line end, literals as they came                   */
};

struct imap_reader;

/* `longest_line` bounds one response without its literals, `longest_literal` all literals of one response. */
struct imap_reader *imap_reader_new(size_t longest_line, size_t longest_literal);
void                imap_reader_free(struct imap_reader *);
DEFINE_CLEANUP(imap_reader)

/* Looks at `bytes` (everything held and not yet used, from its first byte) and takes the next response out of it:
 * `*used` says how many bytes at its start are done with. The slices of the event point into `bytes`: drop them only
 * after the event is dealt with. With IMAP_MORE nothing is used; call again with the same bytes and more behind them:
 * what was looked at already is not looked at twice. */
struct imap_event imap_next(struct imap_reader *, struct slice bytes, size_t *used);

/* One line on why it is broken: "a literal of 2147483648 bytes", "a line longer than 8192 bytes", "not IMAP: 220 …",
 * "a response code without its end: a1 NO [AUTH". "" while it is not. At most 60 characters of the peer's own, dots for
 * what cannot be printed. */
const char *imap_broken(const struct imap_reader *);

/* Forget where it was, and that it broke (after STARTTLS the stream begins anew). */
void imap_reader_clear(struct imap_reader *);

/* -- taking data apart -------------------------------------------------------------------------------------------- */

enum imap_value_kind { IMAP_END, IMAP_ATOM, IMAP_STRING, IMAP_NIL, IMAP_OPEN, IMAP_CLOSE, IMAP_JUNK };

/* The next element of response data: atoms (BODY[HEADER.FIELDS (TO)]<0> is one), quoted strings, literals, NIL,
 * parentheses. `*rest` moves on; behind JUNK there is only END. `*out` points into `*rest`, or into `into` where there
 * was something to unescape. Depth is the caller's business; the function itself never recurses. */
enum imap_value_kind imap_value(struct slice *rest, struct arena *into, struct slice *out);

/* True when the space-separated list (a CAPABILITY) has that very word. */
bool imap_list_has(struct slice list, const char *word);

/* "[UIDNEXT 18]" : the first word of a code, and what follows. */
struct slice imap_code_word(struct slice code);
struct slice imap_code_rest(struct slice code);

struct imap_mailbox {            /* one LIST, LSUB or XLIST response */
	struct slice flags;          /* inside the parentheses */
	struct slice delimiter;      /* "" when NIL */
	struct slice name;           /* as on the wire, unquoted: modified UTF-7 unless UTF8=ACCEPT was enabled */
};
bool imap_mailbox(struct slice text, struct arena *into, struct imap_mailbox *out);

struct imap_fetch {              /* one FETCH response; what it does not say is 0 or at == NULL */
	uint32_t           uid;
	unsigned long long size;     /* RFC822.SIZE, bytes */
	struct slice       internal_date;
	struct slice       body;     /* of the last BODY[…] */
};
/* "(UID 7 BODY[HEADER.FIELDS (FROM)]<0> {42}…)"; what else it says is passed over. False when it is no list. */
bool imap_fetch(struct slice text, struct arena *into, struct imap_fetch *out);

/* An INTERNALDATE ("21-Nov-2026 08:00:00 +0200", RFC 9051 §9 date-time) as Unix seconds; 0 when it is none. */
int64_t imap_date(struct slice text);

/* Modified UTF-7 (RFC 3501 §5.1.3) to UTF-8, or NULL when it is no such thing. */
const char *imap_utf7_decode(struct slice name, struct arena *into);

/* -- saying ------------------------------------------------------------------------------------------------------- */

/* `text` as an astring: quoted where quoting can carry it. NULL where only a literal can (CR, LF, NUL, 8-bit). */
const char *imap_quoted(struct arena *into, const char *text);

#endif
