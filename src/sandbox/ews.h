/* ews.h -- what the operations of EWS share: the call they answer, and how an answer is put together. */
#ifndef SANDBOX_EWS_H
#define SANDBOX_EWS_H

#include "sandbox/parts.h"
#include "sandbox/soap.h"
#include "sandbox/text.h"

struct call {
	struct sandbox *sandbox;
	struct request *request;
	struct reply   *reply;
	struct arena   *work;
	struct account *account;         /* who signed in, or whom he impersonates                  */
	struct account *caller;          /* who signed in                                           */
	const char     *operation;       /* "GetFolder"                                             */
	xmlNode        *body, *header;   /* its element; SOAP's header, or NULL                     */
	int             rank;            /* of the version it asked for                             */
	struct buffer   out;             /* response messages                                       */
	const char     *fault;           /* a ResponseCode: all of it ends in a SOAP fault          */
	const char     *fault_text;
	bool            streams;         /* the reply is made already                               */
};

/* One operation adds its response messages to `out`, or sets `fault`. */
typedef void ews_operation(struct call *);

/* ews_folders.c */
ews_operation answer_get_folder, answer_find_folder, answer_create_folder, answer_update_folder, answer_delete_folder,
	answer_move_folder, answer_sync_hierarchy;
/* ews_read.c */
ews_operation answer_find_item, answer_get_item, answer_sync_items;
/* ews_write.c */
ews_operation answer_create_item, answer_update_item, answer_delete_item, answer_send_item, answer_move_item, answer_copy_item;
/* ews_names.c */
ews_operation answer_resolve_names, answer_convert_id, answer_time_zones, answer_availability;
/* ews_events.c */
ews_operation answer_subscribe, answer_unsubscribe, answer_get_events, answer_stream_events;

/* -- response messages -------------------------------------------------------------------------------------------- */

/* Between the two goes what the message holds, by add(). */
void message_begin(struct call *);
void message_end(struct call *);
/* A whole one that says no. `text` NULL: the one that goes with the code. */
void message_error(struct call *, const char *code, const char *text);

__attribute__((format(printf, 2, 3)))
void add(struct call *, const char *fmt, ...);
/* <t:Name>text, escaped</t:Name> */
void add_text(struct call *, const char *name, const char *text);

/* What the server says by itself with this code. */
const char *code_text(const char *code);

/* -- what requests point to --------------------------------------------------------------------------------------- */

struct place {
	struct mailbox *mailbox;
	struct folder  *folder;
	const char     *code, *value;      /* why there is none; `value`: a MessageXml, or NULL */
};

/* A FolderId or DistinguishedFolderId; NULL is the caller's own root of messages. */
struct place place_of(struct call *, const xmlNode *id);
void         place_error(struct call *, const struct place *);

/* A state of synchronisation: what was asked for, and the last change that was told. "h:3:2:118" in base64. */
enum sync_kind { SYNC_HIERARCHY = 'h', SYNC_ITEMS = 'i' };

const char *told_state(struct call *, const struct place *, enum sync_kind, uint64_t change);
/* That of the request, 0 when it brings none; false: it is none, or of another place or kind. */
bool        told_state_read(struct call *, const struct place *, enum sync_kind, unsigned long long *since);

/* An ItemId; NULL and `*code` when it leads nowhere. `*instance`: 0, or which occurrence. */
struct item *item_at(struct call *, const xmlNode *id, struct mailbox **mailbox, unsigned *instance, const char **code);

struct mailbox *own_mailbox(struct call *);      /* NULL: the account has none */

/* <t:ItemId Id="…" ChangeKey="…"/> */
void add_item_id(struct call *, const struct mailbox *, const struct item *, unsigned instance);
void add_folder_id(struct call *, const char *name, const struct mailbox *, const struct folder *);

/* -- how items are shown (ews_shape.c) ---------------------------------------------------------------------------- */

#define SHAPE_EXTENDED 40

/* What of an item was asked for. */
struct shape {
	uint64_t       wanted;           /* bits of the rows in ews_shape.c               */
	bool           mime, brief;      /* `brief`: as FindItem and SyncFolderItems show */
	const xmlNode *extended[SHAPE_EXTENDED];
	size_t         extendeds;
};

void shape_read(struct call *, const xmlNode *item_shape, bool brief, struct shape *out);
/* `instance`, `at`: which occurrence and when it begins; 0: itself. */
void add_item(struct call *, const struct mailbox *, const struct item *, const struct shape *, unsigned instance, int64_t at);

/* The value of a FieldURI or ExtendedFieldURI as text, moments in UTC; NULL: it has none. */
const char *item_value(struct call *, const struct item *, const xmlNode *field);

/* -- recurring events (recurs.c) ---------------------------------------------------------------------------------- */

/* When it begins for the n-th time (1 is the first); 0: it does not. */
int64_t event_occurrence(const struct event *, unsigned n);
bool    recurrence_read(struct call *, const xmlNode *, int64_t start, struct recurrence *out);

/* -- what happens in mailboxes (ews_events.c) ----------------------------------------------------------------------- */

enum happening { HAPPENED_NEW_MAIL, HAPPENED_CREATED, HAPPENED_DELETED, HAPPENED_MODIFIED, HAPPENED_MOVED };

void happened(struct sandbox *, struct mailbox *, enum happening, struct entry_id item, const struct folder *, const struct folder *before);
void subscriptions_free(struct subscriptions *);

/* -- mail on its way (delivery.c) ---------------------------------------------------------------------------------- */

struct envelope {
	const char   *from;
	const char   *to[200];
	size_t        count;
	struct slice  mime;
};

/* Own addresses get it; others by LMTP where that was wished. */
void deliver(struct sandbox *, struct arena *, const struct envelope *);

#endif
