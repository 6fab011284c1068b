/* imap_parts.h -- a message as a tree of parts, and what IMAP tells of it: envelope, structure, sections (RFC 3501 sections 6.4.5, 7.4.2).
 * Any bytes; bounded in depth and number.
 */
#ifndef SANDBOX_IMAP_PARTS_H
#define SANDBOX_IMAP_PARTS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/slice.h"

#define PARTS_DEEPEST 12
#define PARTS_MOST    200

struct part {
	struct slice  all, header, body;             /* the header with the empty line behind it           */
	const char   *type, *subtype, *parameters;   /* "text", "plain", "(\"charset\" \"utf-8\")" or "NIL" */
	const char   *boundary;
	struct part  *child[PARTS_MOST];             /* of a multipart its parts; of message/rfc822 one    */
	size_t        children;
};

struct part *part_read(struct arena *, struct slice message);

void envelope_add(struct buffer *out, struct arena *, struct slice header);
/* `extended`: BODYSTRUCTURE, else BODY. */
void structure_add(struct buffer *out, struct arena *, const struct part *, bool extended);
/* "", "HEADER", "TEXT", "1.2", "1.MIME", "HEADER.FIELDS (FROM TO)" … False: there is no such section. */
bool section_read(struct arena *, const struct part *, struct slice section, struct slice *out);

/* As a quoted string, or as a literal; NULL is NIL. */
void text_add(struct buffer *out, struct slice);

#endif
