/* imap_box.h -- a mailbox as IMAP has it: folders by name, messages by number and by UID. All of it under the sandbox's lock. */
#ifndef SANDBOX_IMAP_BOX_H
#define SANDBOX_IMAP_BOX_H

#include "base/buffer.h"
#include "sandbox/imap_read.h"
#include "sandbox/mailbox.h"

#define MARK_FLAGGED  (1u << 0)
#define MARK_ANSWERED (1u << 1)
#define MARK_DELETED  (1u << 2)
#define MARK_SEEN     (1u << 3)
#define MARK_DRAFT    (1u << 4)

/* A folder's name, INBOX among them, with "/" between; NULL: it is none of mail. */
const char    *box_name(struct arena *, struct mailbox *, const struct folder *);
struct folder *box_find(struct mailbox *, const char *name);                 /* NULL: there is none              */
struct folder *box_make(struct mailbox *, const char *name);                 /* NULL: it is there, or cannot be  */
const char    *box_use(const struct folder *);                               /* "\\Sent", or NULL                */
bool           box_has_children(const struct mailbox *, const struct folder *);

unsigned marks_of(const struct item *);
void     marks_set(struct mailbox *, struct item *, unsigned marks);
/* "\\Seen \\Flagged" */
const char *marks_text(unsigned marks, char text[80]);
/* "(\\Seen \\Deleted)" or the same without the brackets; what is unknown is passed over. */
bool     marks_read(struct slice *rest, unsigned *out);

/* -- what a session was told of its folder --------------------------------------------------------------------------- */

struct view {
	struct folder *folder;               /* NULL: none is open                          */
	unsigned       number;               /* the folder's, for when it is gone meanwhile */
	struct { unsigned uid, marks; } *seen;
	size_t         count, room;
	bool           read_only;
};

void view_open(struct view *, struct mailbox *, struct folder *, bool read_only);
void view_close(struct view *);
/* What is there now and what it was told, as untagged lines; the view is of now then. */
void view_news(struct view *, struct mailbox *, struct buffer *out);
/* Its messages as they are, in a row: NULL for one that is gone. */
struct item **view_items(struct arena *, const struct view *, struct mailbox *);

#endif
