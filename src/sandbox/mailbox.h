/* mailbox.h -- folders and items in memory, with what sync needs: a number for every change, and the traces of what is gone.
 *
 * Not for several threads at once. Ids are opaque: they name the mailbox, the kind and the number; moving gives an item a new one.
 */
#ifndef SANDBOX_MAILBOX_H
#define SANDBOX_MAILBOX_H

#include <stdint.h>

#include "base/arena.h"
#include "sandbox/mime.h"

#define MAILBOX_FOLDERS 400

enum item_kind { ITEM_MESSAGE, ITEM_EVENT };

struct folder {
	unsigned       number;
	struct folder *parent;               /* NULL: the root                     */
	const char    *known;                /* "inbox", or NULL                   */
	char          *name, *class;
	uint64_t       made, changed, gone;  /* numbers of changes; gone 0: is there */
};

/* A rule by which an event comes again. */
struct recurrence {
	enum { RECURS_NOT, RECURS_DAILY, RECURS_WEEKLY } how;
	unsigned    interval, days;          /* 1 << 0 is Sunday                   */
	unsigned    count;                   /* 0: without end, or until           */
	int64_t     until;                   /* 0: none; else the last day's end   */
	const char *xml;                     /* as it was given: t:Recurrence      */
};

struct event {
	int64_t     start, end;
	bool        all_day;
	bool        private;
	const char *location, *busy, *zone, *uid;
	const char *transaction;             /* by which whoever made it knows it again; NULL */
	struct people required, optional;
	struct recurrence recurs;
};

struct item {
	struct arena  *own;
	unsigned       number, lasting;      /* `lasting` stays when it is moved       */
	struct folder *folder;
	enum item_kind kind;
	uint64_t       made, changed, flagged;      /* `flagged`: read or unread, nothing else */
	int64_t        received;
	const char    *class;
	struct slice   mime;                        /* of an event: empty                      */
	struct mime    shown;
	struct event   event;
	bool           read, draft;
	unsigned       marks;                       /* IMAP's other flags: imap_box.h          */
	/* of Gmail's: labels besides the one that its folder is (enum glabel, as bits); what it belongs to, 0: itself */
	unsigned       labels, thread;
	const char    *google;              /* of an event: its JSON as it was given; NULL: made elsewhere */
	struct item   *next;
};

/* Of an item that went from a folder. */
struct trace {
	unsigned item, lasting, folder;
	uint64_t change;
};

struct mailbox {
	unsigned       number;
	const char    *address;
	struct folder *folder[MAILBOX_FOLDERS];
	size_t         folders;
	struct item   *first, *last;      /* in the order of their making */
	size_t         items;
	struct trace  *traces;
	size_t         trace_count, trace_room;
	uint64_t       change;            /* the last one */
	unsigned       last_number;
};

struct mailbox *mailbox_new(unsigned number, const char *address, bool calendar);
void            mailbox_free(struct mailbox *);      /* NULL is fine */

struct folder *mailbox_known(struct mailbox *, const char *known);
struct folder *mailbox_folder(struct mailbox *, unsigned number);      /* NULL: none, or gone */
struct folder *mailbox_add_folder(struct mailbox *, struct folder *parent, const char *name, const char *class);      /* NULL: too many */
void           mailbox_drop_folder(struct mailbox *, struct folder *); /* with all below it and in it */

struct item *mailbox_item(struct mailbox *, unsigned number);
struct item *mailbox_add_mail(struct mailbox *, struct folder *, struct slice mime, int64_t now);
struct item *mailbox_add_event(struct mailbox *, struct folder *, int64_t now);
struct item *mailbox_copy(struct mailbox *, const struct item *, struct folder *to, int64_t now);
struct item *mailbox_move(struct mailbox *, struct item *, struct folder *to, int64_t now);      /* what it is there; the old one is gone */
void         mailbox_drop(struct mailbox *, struct item *);
void         mailbox_touch(struct mailbox *, struct item *);           /* it was changed */
void         mailbox_set_read(struct mailbox *, struct item *, bool read);

unsigned mailbox_count(const struct mailbox *, const struct folder *, bool unread_only);
bool     folder_is_under(const struct folder *, const struct folder *top);

/* What an id says, without looking whether it is there. `instance`: which occurrence of an event, 0: itself. */
struct entry_id {
	unsigned mailbox, number, instance;
	char     kind;                     /* 'f', 'i', 'c': folder, item, change key */
};

const char *entry_id(struct arena *, struct entry_id);
bool        entry_id_read(struct arena *, const char *text, struct entry_id *out);

#endif
