/* http_reader.h -- what an HTTP/1.1 server answers (RFC 9110, RFC 9112), without a socket.
 *
 * Bytes in, events out. For lines that belong to one mailbox (NTLM signs in the connection, a streaming subscription lives on
 * it for half an hour), where a parked line must cost next to nothing and every byte of a refusal is evidence; documents that
 * anybody may fetch go by WANT_HTTP instead.
 *
 * The reader keeps numbers only. The body is handed on piece by piece as it stands in the caller's buffer, so that an answer
 * without end needs no more room than one read. Lines may end in LF alone. An answer that could be read in two ways
 * (two different lengths, a length beside Transfer-Encoding, a length that is no number, a space before a colon) is BROKEN.
 *
 * The caller's buffer must take HTTP_READER_HEAD bytes: a head is looked at as a whole. Trailers are checked and dropped.
 */
#ifndef WIRE_HTTP_READER_H
#define WIRE_HTTP_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define HTTP_READER_HEAD    ((size_t)64 * 1024)    /* status line and fields of one answer; its trailers as well */
#define HTTP_READER_LINE    ((size_t)4 * 1024)     /* the line that says how long a chunk is                     */
#define HTTP_READER_INTERIM 16                     /* 1xx before the real one                                    */

enum http_said {
	HTTP_MORE,        /* nothing whole yet: feed me                                            */
	HTTP_BROKEN,      /* no HTTP, or over the limit; it stays broken, http_broken() says why   */
	HTTP_INTERIM,     /* a 1xx: `status`; the real one follows                                 */
	HTTP_HEAD,        /* status, reason and fields are there                                   */
	HTTP_DATA,        /* a piece of the body in `data`                                         */
	HTTP_DONE,        /* the body came to its end; the next answer may follow                  */
};

struct http_event {
	enum http_said said;
	struct slice   data;       /* DATA: the piece. HEAD: the fields, each line with its line end                 */
	struct slice   reason;     /* HEAD: the reason phrase, which sometimes carries the only explanation (456)    */
};

struct http_reader {
	int         status;        /* of the last HEAD or INTERIM                                  */
	bool        keeps;         /* by the HEAD: the line may be used for another request        */
	bool        encoded;       /* the body has a Content-Encoding, which nobody asked for      */
	/* its own */
	bool        to_head;       /* the request was a HEAD: no body, whatever the fields say     */
	int         state;
	int         interim;       /* 1xx of this answer so far                                    */
	uint64_t    left;          /* of the body or of a chunk; of what trailers may still take   */
	size_t      looked;        /* of what is held, already searched for a line end             */
	const char *why;
};

void http_reader_init(struct http_reader *, bool to_head);

/* Looks at `bytes` (all that is held, from its first byte) and takes the next event out of it; `*used` bytes at its start are
 * done with. The event's slices point into `bytes`. With HTTP_MORE `*used` may be above 0. */
struct http_event http_next(struct http_reader *, struct slice bytes, size_t *used);

/* The line has ended: DONE where the body had no length and ends with the line, or where nothing had begun; else BROKEN. */
struct http_event http_ended(struct http_reader *);

/* One line on why it is broken, "" while it is not; nothing of the peer's own in it. */
const char *http_broken(const struct http_reader *);

#endif
