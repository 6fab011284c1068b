/* ews.h -- Exchange Web Services: SOAP requests out, answers in (MS-OXWS*; facts M C.1-C.4), without a socket.
 *
 * Requests are written whole into a buffer, each valid against messages.xsd of the version it names. Answers are read as they come
 * (xml.h: no DTD, no entities but the five), by local name and namespace, so that a page of items or a 100 MiB message needs no more
 * room than what is kept of it. HTTP 200 does not mean success: every ResponseMessage has its own code.
 * Texts are the server's, in its own language: decide by codes.
 */
#ifndef WIRE_EWS_H
#define WIRE_EWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

/* -- requests ------------------------------------------------------------------------------------------------------ */

struct ews_header {
	const char *version;           /* RequestServerVersion: "Exchange2010_SP2" …                                */
	const char *act_as;            /* primary SMTP address to impersonate, or NULL                              */
};

struct ews_folder {                /* one of the two */
	const char *distinguished;     /* "inbox" "sentitems" "calendar" "msgfolderroot" …                          */
	const char *id;
	const char *mailbox;           /* with `distinguished`: somebody else's (delegate access), or NULL          */
};

/* All: false when `out` is full, which then is left empty. `out` is the whole envelope. What XML cannot say becomes U+FFFD. */
bool ews_get_folder(struct buffer *out, const struct ews_header *, const struct ews_folder *, size_t count, bool only_ids);
bool ews_find_folder(struct buffer *out, const struct ews_header *, const struct ews_folder *root, unsigned offset, unsigned most);
/* Newest first; with `subject` only those whose subject has these words (a Contains restriction, 2007+). */
bool ews_find_item(struct buffer *out, const struct ews_header *, const struct ews_folder *, const char *subject, unsigned most);
bool ews_calendar_view(struct buffer *out, const struct ews_header *, const struct ews_folder *, const char *from, const char *to,
                       unsigned most);
/* `mime`: the whole message, base64 in the answer; else the properties of struct ews_item and the internet headers. */
bool ews_get_item(struct buffer *out, const struct ews_header *, const char *const *id, size_t count, bool mime);
/* Of exactly that subject; with their UIDs. */
bool ews_find_events(struct buffer *out, const struct ews_header *, const struct ews_folder *, const char *subject, unsigned most);
/* A whole message (RFC 5322, not yet base64), sent and kept in the folder for sent mail (SendAndSaveCopy). */
bool ews_send(struct buffer *out, const struct ews_header *, struct slice message);
/* The same, to `bcc` besides (NULL: to nobody besides): a Bcc line of the message itself is not relied on (facts M C.3). */
bool ews_send_bcc(struct buffer *out, const struct ews_header *, struct slice message, const char *bcc);
/* Removed for good (HardDelete): only ever what is ours. */
bool ews_delete_item(struct buffer *out, const struct ews_header *, const char *const *id, size_t count);

/* A private event that keeps nobody busy, without guests and reminder (2010: who is older knows no such zones). */
struct ews_event {
	const char *uid, *subject;
	const char *start, *end;       /* "2026-11-23T03:00:00", by the clocks of                                    */
	const char *zone;              /*   as Windows calls it                                                       */
};

bool ews_add_event(struct buffer *out, const struct ews_header *, const struct ews_folder *, const struct ews_event *);
/* To those times in that zone, whatever else was done to it meanwhile; `change_key` as it was read last. */
bool ews_move_event(struct buffer *out, const struct ews_header *, const char *id, const char *change_key, const struct ews_event *);
bool ews_resolve_name(struct buffer *out, const struct ews_header *, const char *address);
/* `most` 1..512; `state` NULL: from the beginning. */
bool ews_sync_items(struct buffer *out, const struct ews_header *, const struct ews_folder *, const char *state, unsigned most);
bool ews_sync_folders(struct buffer *out, const struct ews_header *, const char *state);
bool ews_subscribe_stream(struct buffer *out, const struct ews_header *, const struct ews_folder *, size_t count);      /* 2010 SP1 */
bool ews_get_stream(struct buffer *out, const struct ews_header *, const char *const *subscription, size_t count, unsigned minutes);
bool ews_unsubscribe(struct buffer *out, const struct ews_header *, const char *subscription);

/* -- answers ------------------------------------------------------------------------------------------------------- */

struct ews_version {               /* ServerVersionInfo; major 0: not told */
	unsigned    major, minor, build, revision;
	const char *schema;            /* "Exchange2010_SP2"; NULL; values that begin with V are of no use in a request */
};

enum ews_item_kind { EWS_ITEM, EWS_FOLDER, EWS_MAILBOX, EWS_EVENT };      /* EVENT: of a subscription */
enum ews_change { EWS_NO_CHANGE, EWS_CREATED, EWS_UPDATED, EWS_DELETED, EWS_READ_FLAG, EWS_NEW_MAIL, EWS_MOVED, EWS_COPIED };

/* "2026-11-22T06:00:00Z" (xs:dateTime; without a zone it is UTC) as Unix seconds; 0: NULL, or none. */
int64_t ews_time(const char *text);

struct ews_item {                  /* NULL and 0 where the answer does not say; valid during the call only */
	enum ews_item_kind kind;
	enum ews_change    change;
	const char        *element;                /* local name: "Message" "CalendarItem" "Folder" "CalendarFolder" …   */
	const char        *id, *change_key, *parent_id;
	const char        *subject, *item_class, *internet_message_id;
	const char        *uid;                    /* of an event: its iCalendar one                                      */
	const char        *from_name, *from_address, *received, *sent, *start, *end;      /* times as written (UTC, ISO 8601) */
	const char        *display_name, *folder_class, *address, *routing_type, *mailbox_type;     /* of folder and mailbox */
	const char        *headers;                /* internet headers, "Name: value" lines                               */
	uint64_t           size;
	unsigned           total, unread, children;
	bool               is_read, has_attachments;
	bool               of_folder;              /* an event or a deletion: `id` is a folder's                          */
};

#define EWS_VALUES 8

/* How one request, or one part of it, went: of a ResponseMessage or of a Fault. */
struct ews_outcome {
	bool        fault;                         /* a SOAP fault: all of it failed                                      */
	bool        ok, warning;
	const char *code;                          /* "NoError" "ErrorAccessDenied" …, trimmed; a fault's ResponseCode, else its faultcode's local name; "" */
	const char *text;                          /* the server's words, or ""                                           */
	/* MessageXml: "BackOffMilliseconds" "Primary" "MailboxGuid", "Violation" …; "SubscriptionId": one that the server has lost */
	struct { const char *name, *value; } value[EWS_VALUES];
	size_t      values;
};

struct ews_listener {
	void  *self;
	void (*item)(void *, const struct ews_item *);                  /* each, as soon as it is whole; may be NULL           */
	void (*mime)(void *, struct slice decoded);                     /* pieces of a MimeContent, decoded; may be NULL      */
};

#define EWS_OUTCOMES 16

/* Everything that is not an item. From the arena given to the reader. May be read while it grows: when an event is told,
 * `subscription_id` is that of its notification. */
struct ews_answer {
	bool               envelope;               /* it is SOAP at all                                                  */
	struct ews_version version;
	struct ews_outcome outcome[EWS_OUTCOMES];  /* of each ResponseMessage, in order                                  */
	size_t             count;                  /* seen; may be above EWS_OUTCOMES                                    */
	const char        *sync_state, *subscription_id, *watermark, *connection_status;
	bool               last_in_range;          /* Includes Last … InRange                                            */
	unsigned           total_in_view;
	uint64_t           items;                  /* told to the listener                                               */
};

struct ews_reader;

/* `longest_text` bounds one text that is kept (not MimeContent, which passes through); what is longer is cut at a whole character. A sync
 * state, a subscription's id and a watermark are of no use when cut: 1 MiB of one of them is FAULT_TOO_BIG.
 * `listener` may be NULL. Several envelopes one after another (a stream of events) are several readers: see ews_reader_whole(). */
struct ews_reader *ews_reader_new(struct arena *into, size_t longest_text, const struct ews_listener *);
void               ews_reader_free(struct ews_reader *);                     /* NULL is fine */
DEFINE_CLEANUP(ews_reader)
/* False when it is no such answer: FAULT_BROKEN (no XML, a document type, too deep, a tag or comment over 16 KiB, not
 * SOAP, no base64), FAULT_TOO_BIG (kept more than is sane); then the reader is of no more use than its answer so far.
 * `*used` (may be NULL): how many bytes belonged to this envelope, with white space behind it; fewer than all when it ended and
 * another one begins. What else follows an envelope is not looked at. */
bool               ews_feed(struct ews_reader *, struct slice bytes, size_t *used, struct error *);
bool               ews_reader_whole(const struct ews_reader *);              /* the envelope is closed */
/* After the last byte: false (FAULT_BROKEN) when it was cut short. */
bool               ews_finish(struct ews_reader *, struct error *);
const struct ews_answer *ews_answer(const struct ews_reader *);

#endif
