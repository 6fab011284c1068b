/* gapi.h -- what Gmail's and Calendar's parts share: one question and its answer, whether it came alone or in a batch. */
#ifndef SANDBOX_GAPI_H
#define SANDBOX_GAPI_H

#include "sandbox/ews.h"
#include "sandbox/google.h"
#include "sandbox/text.h"

#define GAPI_PARTS 12
#define GAPI_BATCH 100

struct gapi_ask {
	struct sandbox *sandbox;
	struct arena   *work;
	const struct gtoken *token;
	/* what is asked */
	const char     *host, *method, *path;      /* the path without the first "/" and the query */
	const char     *part[GAPI_PARTS];
	size_t          parts;
	const char     *arg[4];              /* what stood where a route has "*"                 */
	struct form     query;
	const char     *content_type, *if_match;
	struct slice    body;
	struct account *account;             /* whose mailbox it is about: who signed in         */
	struct mailbox *mailbox;
	/* the answer */
	int             status;
	cJSON          *json;                /* NULL: none                                       */
	struct slice    plain;               /* instead of it, of `type`                         */
	const char     *type;
	int             retry_after;         /* 0: not said                                      */
	const char     *challenge;           /* WWW-Authenticate, or NULL                        */
};

typedef void gapi_route(struct gapi_ask *);

/* gmail.c */
gapi_route gmail_get_profile, gmail_list_labels, gmail_get_label, gmail_add_label, gmail_delete_label, gmail_list_send_as, gmail_get_imap;
/* gmail_watch.c */
gapi_route gmail_watch, gmail_stop;
/* gmail_mail.c */
gapi_route gmail_list_messages, gmail_get_message, gmail_get_attachment, gmail_trash_message, gmail_untrash_message, gmail_delete_message,
	gmail_modify_message, gmail_modify_many, gmail_get_thread, gmail_list_threads;
/* gmail_send.c */
gapi_route gmail_send_message, gmail_insert_message;
/* gmail_history.c */
gapi_route gmail_list_history;
/* gcal.c */
gapi_route gcal_list_calendars, gcal_get_calendar, gcal_get_entry, gcal_free_busy;
/* gcal_events.c */
gapi_route gcal_list_events, gcal_get_event, gcal_add_event, gcal_update_event, gcal_delete_event, gcal_import_event;
/* gapi_user.c */
gapi_route gapi_user_info;
/* gapi_batch.c */
gapi_route gapi_batch;

/* Asks and answers: the route, or why not. */
void gapi_do(struct gapi_ask *);
/* A path and a query, as they stand in a line of HTTP. False: no such thing. */
bool gapi_path(struct gapi_ask *, struct slice path);
void gapi_give(struct gapi_ask *, cJSON *);
/* happened(), to an item of the mailbox that is asked about. */
void gapi_happened(struct gapi_ask *, enum happening, const struct item *, const struct folder *before);
/* The n-th field of that name; NULL: there are not so many. */
const char *gapi_query(const struct gapi_ask *, const char *name, size_t n);
bool        gapi_query_is(const struct gapi_ask *, const char *name);      /* "true" */
size_t      gapi_most(const struct gapi_ask *, size_t usual, size_t most); /* maxResults */
/* The body as JSON, to be deleted; NULL: refused. */
cJSON      *gapi_body(struct gapi_ask *);
const char *gapi_text(struct arena *, unsigned long long);                 /* a number, as Google writes it: in quotes */

/* -- refusals (gapi_errors.c) --------------------------------------------------------------------------------------- */

/* As the word's row says. `text` NULL: the row's. */
void gapi_refuse(struct gapi_ask *, const char *word, const char *text);
/* What was ordered for this path: true, and it is written. */
bool gapi_ordered(struct gapi_ask *);

/* -- labels (gmail_labels.c) ------------------------------------------------------------------------------------------ */

enum glabel {
	GLABEL_INBOX = 1 << 0, GLABEL_SENT = 1 << 1, GLABEL_DRAFT = 1 << 2, GLABEL_TRASH = 1 << 3, GLABEL_SPAM = 1 << 4,
	GLABEL_UNREAD = 1 << 5, GLABEL_STARRED = 1 << 6, GLABEL_IMPORTANT = 1 << 7, GLABEL_PERSONAL = 1 << 8,
};

/* The n-th of Gmail's own; NULL past the last. */
const char    *glabel_system(size_t n, unsigned *bit);
/* All that an item has: bits, and where it lies in a folder of the user's own, that one's number. */
unsigned       glabels_of(const struct item *, unsigned *folder);
/* Of Gmail's own, by id: its bit; 0: none of them. */
unsigned       glabel_bit(const char *id);
/* A label of the user's own, by id; NULL: none. */
struct folder *glabel_folder(struct mailbox *, const char *id);
const char    *glabel_id(struct arena *, const struct folder *);
cJSON         *glabels_json(struct arena *, unsigned bits, unsigned folder);
/* Changes them, and moves it to where they are; what is told of it, is told. The item afterwards. */
struct item   *glabels_change(struct gapi_ask *, struct item *, unsigned more, unsigned less, struct folder *to, bool leaves_folder);

/* -- messages (gmail_shape.c) ----------------------------------------------------------------------------------------- */

const char  *gmail_id(struct arena *, const struct mailbox *, unsigned lasting);
struct item *gmail_item(struct gapi_ask *, const char *id);      /* NULL: refused */
unsigned     gmail_thread(const struct item *);
/* As `format` says; NULL: there is no such format, and it is refused. */
cJSON       *gmail_message(struct gapi_ask *, const struct item *, const char *format);
/* A part's bytes, by what its attachmentId says. False: none. */
bool         gmail_attachment(struct gapi_ask *, const struct item *, const char *id, struct slice *out);
/* With padding, as Gmail writes it. */
const char  *gmail_base64(struct arena *, struct slice bytes);
bool         gmail_base64_read(struct arena *, const char *text, struct slice *out);

/* -- history (gmail_history.c) ---------------------------------------------------------------------------------------- */

/* Something happened to a message of a mailbox, seen by Gmail. */
void ghistory_add(struct sandbox *, const struct mailbox *, enum gchange, const struct item *, unsigned labels, unsigned folder);
/* The last one of this message. */
uint64_t ghistory_of(struct google *, const struct mailbox *, const struct item *);
/* Where it is an answer to something in the mailbox, it belongs to that. */
void ghistory_thread(struct mailbox *, struct item *);
/* From happened(), whoever was asked to do it. */
void ghistory_happened(struct sandbox *, struct mailbox *, enum happening, unsigned item);

/* -- pushes (gmail_watch.c) ----------------------------------------------------------------------------------------------- */

/* Something happened in the inbox of that mailbox: whoever wants to be told is. */
void gmail_tell(struct sandbox *, const struct mailbox *, uint64_t history);

/* -- calendars (gcal.c, gcal_shape.c, gcal_zone.c) --------------------------------------------------------------------- */

#define GCAL_ZONE "Europe/Berlin"        /* of every calendar */

/* That of the path, or refused: NULL. */
struct folder *gcal_folder(struct gapi_ask *, const char *id);
const char    *gcal_id_of(struct gapi_ask *, const struct folder *);

/* An event's id, of its whole series; of those that others made, it is made up. */
const char    *gcal_event_id(struct arena *, const struct item *);
struct item   *gcal_find(const struct gapi_ask *, const struct folder *, const char *id);      /* NULL: none */
/* `at`: when the occurrence begins that is shown; 0: all of it. */
cJSON         *gcal_event(struct gapi_ask *, const struct folder *, const struct item *, int64_t at);
/* One that is there no more. */
cJSON         *gcal_cancelled(const char *id, uint64_t change);
const char    *gcal_etag(struct arena *, uint64_t change);
/* What was given, all of it, goes into the item. False: refused, and the item is as it was. */
bool           gcal_take(struct gapi_ask *, struct item *, cJSON *given);
/* {"dateTime":…} or {"date":…}. False: neither, or none that can be. */
bool           gcal_time_read(const cJSON *, int64_t *at, bool *day);

/* Seconds east of UTC, there and then; false: nobody knows that zone. Reads the system's tables. */
bool           gcal_offset(const char *zone, int64_t at, int *east);
/* When it is that time of day there. */
bool           gcal_to_utc(const char *zone, int64_t local, int64_t *at);
/* "2026-11-23T09:00:00+01:00" */
const char    *gcal_moment(struct arena *, const char *zone, int64_t at);

/* An event is about to go: remembered for those who ask what changed. */
void           gcal_forgotten(struct sandbox *, const struct mailbox *, const struct item *);

#endif
