/* smtp.h -- what an SMTP server says (RFC 5321 §4.2, RFC 2034/3463 enhanced codes), without a socket.
 *
 * Bytes in, events out, whole replies only, within the limits given at the reader's birth. Lines may end in LF alone.
 * Where the lines of one reply differ in their code, the last one's counts.
 */
#ifndef WIRE_SMTP_H
#define WIRE_SMTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum smtp_kind { SMTP_MORE, SMTP_BROKEN, SMTP_REPLY };

struct smtp_event {
	enum smtp_kind kind;
	int            code;          /* of the last line: 250                                                     */
	char           enhanced[12];  /* of the last line that has one of `code`'s class: "5.7.139", else ""        */
	struct slice   lines;         /* the whole reply as it came, with its line ends but the last               */
	size_t         line_count;
};

struct smtp_reader;

/* Both limits count without the last line end. */
struct smtp_reader *smtp_reader_new(size_t longest_line, size_t longest_reply);
void                smtp_reader_free(struct smtp_reader *);
DEFINE_CLEANUP(smtp_reader)

/* As imap_next(): the slices point into `bytes`; with SMTP_MORE nothing is used. */
struct smtp_event smtp_next(struct smtp_reader *, struct slice bytes, size_t *used);

/* "not SMTP: * OK ready", "a line longer than 2000 bytes", "a reply longer than 65536 bytes"; "" while it is fine. */
const char       *smtp_broken(const struct smtp_reader *);

/* Forget where it was, and that it broke. */
void              smtp_reader_clear(struct smtp_reader *);

/* The text of all lines, without codes ("250-", "250 "), joined by one space; the enhanced code stands before the first
 * line only, or, where `plain`, nowhere. */
const char *smtp_text(const struct smtp_event *, struct arena *into, bool plain);

/* The n-th line's text without its code, or at == NULL past the last. Line 0 of EHLO is the greeting domain. */
struct slice smtp_line(const struct smtp_event *, size_t n);

/* True when offered: then the EHLO keyword's parameters ("PLAIN LOGIN" for AUTH), those of several lines joined by a
 * space. "AUTH=PLAIN LOGIN", the form before RFC 2554, counts as AUTH. */
bool smtp_offers(const struct smtp_event *ehlo, const char *keyword, struct arena *into, struct slice *parameters);

#endif
