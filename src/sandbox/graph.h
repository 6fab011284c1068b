/* graph.h -- what Graph's parts share: one question and its answer, whether it came alone or in a batch. */
#ifndef SANDBOX_GRAPH_H
#define SANDBOX_GRAPH_H

#include "sandbox/cloud.h"
#include "sandbox/ews.h"

#define GRAPH_ROOT    "https://" GRAPH_HOST "/v1.0"
#define GRAPH_PARTS   12
#define GRAPH_BATCH   20
#define GRAPH_AT_ONCE 4              /* requests of one mailbox                            */
#define GRAPH_PAGE    10             /* where nobody says how many                         */
#define GRAPH_MOST    1000           /* on a page                                          */

struct msgraph_ask {
	struct sandbox *sandbox;
	struct arena   *work;
	const struct token *token;
	/* what is asked */
	const char     *method, *path;   /* below the version, without the first "/"           */
	const char     *part[GRAPH_PARTS];       /* of the path; "mailFolders('inbox')" are two */
	size_t          parts;
	const char     *arg[4];          /* what stood where a route has "*"                   */
	struct form     query;
	const char     *prefer, *content_type;
	struct slice    body;
	struct account *account;         /* whose mailbox it is about                          */
	struct mailbox *mailbox;
	/* the answer */
	int             status;
	cJSON          *json;            /* NULL: none                                         */
	struct slice    plain;           /* instead of it; its type is text/plain              */
	int             retry_after;     /* 0: not said                                        */
	const char     *challenge;       /* WWW-Authenticate, or NULL                          */
};

typedef void msgraph_route(struct msgraph_ask *);

/* graph_me.c */
msgraph_route msgraph_get_me, msgraph_get_settings, msgraph_userinfo;
/* graph_folders.c */
msgraph_route msgraph_list_folders, msgraph_get_folder, msgraph_list_children, msgraph_folders_delta, msgraph_add_folder;
/* graph_mail.c */
msgraph_route msgraph_list_messages, msgraph_get_message, msgraph_get_mime, msgraph_delete_message, msgraph_drop_message,
	msgraph_move_message, msgraph_copy_message, msgraph_update_message;
/* graph_send.c */
msgraph_route msgraph_send_mail, msgraph_add_draft, msgraph_send_draft;
/* graph_delta.c */
msgraph_route msgraph_messages_delta, msgraph_view_delta;
/* graph_events.c */
msgraph_route msgraph_list_calendars, msgraph_get_calendar, msgraph_list_events, msgraph_get_event, msgraph_add_event, msgraph_update_event,
	msgraph_delete_event, msgraph_drop_event, msgraph_calendar_view;
/* graph_notices.c */
msgraph_route msgraph_subscribe, msgraph_list_subscriptions, msgraph_get_subscription, msgraph_renew, msgraph_reauthorize,
	msgraph_unsubscribe;

/* Asks and answers: the route, or why not. */
void msgraph_do(struct msgraph_ask *);
/* A path and query below the version, as they stand in a batch or a line of HTTP. False: no such thing. */
bool msgraph_path(struct msgraph_ask *, struct slice path);
void msgraph_batch(struct msgraph_ask *);
/* happened(), of an item of the mailbox asked about. */
void msgraph_happened(struct msgraph_ask *, enum happening, const struct item *, const struct folder *before);

/* -- refusals (graph_errors.c) -------------------------------------------------------------------------------------- */

/* As the code's row says; `status` 0: the row's. `text` NULL: the row's. */
void msgraph_refuse(struct msgraph_ask *, const char *code, int status, const char *text);
/* What was ordered for this path: true, and it is written. */
bool msgraph_ordered(struct msgraph_ask *);

/* -- how things are shown (graph_shape.c) --------------------------------------------------------------------------- */

bool        msgraph_prefers(const struct msgraph_ask *, const char *what);
const char *msgraph_item_id(struct msgraph_ask *, const struct item *, unsigned instance);
const char *msgraph_gone_id(struct msgraph_ask *, unsigned number, unsigned lasting);
const char *msgraph_folder_id(struct msgraph_ask *, const struct folder *);
/* NULL: then it is refused. */
struct item   *msgraph_item(struct msgraph_ask *, const char *id, enum item_kind, unsigned *instance);
struct folder *msgraph_folder(struct msgraph_ask *, const char *id);
cJSON      *msgraph_message(struct msgraph_ask *, const struct item *);
/* `instance`, `at`: which occurrence, and when it begins; 0: itself. (graph_events.c) */
cJSON      *msgraph_event(struct msgraph_ask *, const struct item *, unsigned instance, int64_t at);
/* Whether it, or an occurrence of it, touches that time. */
bool        event_in(const struct event *, int64_t from, int64_t to);
cJSON      *msgraph_person(const char *name, const char *address);
/* With nothing in it but what $select (or `select`) names, the id and what begins with "@". */
cJSON      *msgraph_selected(struct msgraph_ask *, cJSON *, const char *select);
/* The same for a message, with the one extended property that can be asked for by $expand: its class. */
cJSON      *msgraph_chosen(struct msgraph_ask *, const struct item *, const char *select);
void        msgraph_give(struct msgraph_ask *, int status, cJSON *);
/* A page: {"@odata.context":…,"value":[…]}; its array is in `*value`. */
cJSON      *msgraph_page(struct msgraph_ask *, const char *of, cJSON **value);
/* "@odata.nextLink" or "@odata.deltaLink": this path with that query. */
void        msgraph_link(struct msgraph_ask *, cJSON *page, const char *which, const struct form *query);
/* $top, or Prefer: odata.maxpagesize; GRAPH_PAGE otherwise. */
size_t      msgraph_page_size(struct msgraph_ask *);
const char *base64url_read(struct arena *, const char *text);      /* NULL: none */

/* -- filters (graph_filter.c) ---------------------------------------------------------------------------------------- */

#define FILTER_TERMS 8

enum term { TERM_EQ, TERM_NE, TERM_GE, TERM_GT, TERM_LE, TERM_LT, TERM_CONTAINS, TERM_STARTS };

struct filter {
	struct { enum term how; const char *path, *value; } term[FILTER_TERMS];
	size_t terms;
};

/* Terms joined by "and". False: none that is understood. Foreign bytes. */
bool filter_read(struct arena *, const char *text, struct filter *out);
/* Of an item as it is shown. */
bool filter_takes(const struct filter *, const cJSON *item);

/* -- notices (graph_notices.c) --------------------------------------------------------------------------------------- */

/* Something happened to an item: whoever subscribed is told. As happened() has it, which calls this. */
void notice(struct sandbox *, struct mailbox *, enum happening, unsigned item, const struct folder *, const struct folder *before);
void notices_free(struct notices *);      /* NULL is fine; nobody is told any more */

/* -- mail from JSON (graph_compose.c) -------------------------------------------------------------------------------- */

/* The message of a sendMail as it goes out. False: refused. */
bool compose(struct msgraph_ask *, const cJSON *message, struct slice *mime);
/* On its way; NULL, or the code why not. */
const char *msgraph_post(struct msgraph_ask *, struct slice mime, bool save);

#endif
