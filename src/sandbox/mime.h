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

/* "Ümläut" as it stands in a header field. */
const char *mime_word(struct arena *, const char *utf8);

#endif
