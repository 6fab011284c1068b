/* mime.h -- what of a message EWS shows as properties: a few header fields, and the first text. Foreign bytes; bounded in depth. */
#ifndef SANDBOX_MIME_H
#define SANDBOX_MIME_H

#include "base/arena.h"
#include "base/slice.h"

#define MIME_PEOPLE 500

struct person {
	const char *name, *address;      /* the name is "" where there is none */
};

struct people {
	struct person *list;
	size_t         count;
};

struct mime {
	const char   *subject, *message_id, *in_reply_to, *references, *text;
	bool          is_html, has_attachments;
	struct person from;
	struct people to, cc, bcc, reply_to;
};

/* Of any bytes; what is missing is "". Texts are UTF-8, in the arena. */
void mime_read(struct arena *, struct slice message, struct mime *out);

/* Each header field of the message, unfolded, one after another: false when they are over. `*rest` begins as the message. */
bool mime_field(struct arena *, struct slice *rest, const char **name, const char **value);

/* -- parts: of a message, or of a part of one -- */

/* The field's value, unfolded; "": there is none. */
const char  *mime_header(struct arena *, struct slice part, const char *name);
/* name=value behind a ";" of a field's value; "": none. */
const char  *mime_parameter(struct arena *, const char *value, const char *name);
/* Its bytes, without their transfer encoding. */
struct slice mime_bytes(struct arena *, struct slice part);
/* Each part of a multipart, one after another: false when they are over. `*rest` has no bytes at first. */
bool         mime_next_part(struct arena *, struct slice part, struct slice *rest, struct slice *inner);

/* "Ümläut" as it stands in a header field. */
const char *mime_word(struct arena *, const char *utf8);

#endif
