/* api.h -- what the handlers of the REST API share: fields of bodies, changes that are made once, and how things look as JSON.
 *
 * A handler that changes something: reads its body by its table of fields (or answers 400), fills in a struct of its own around
 * `struct change`, and calls api_change(), which runs `apply` within the store's transaction, keeps the answer for the request's
 * Idempotency-Key in that same transaction, and answers.
 */
#ifndef SERVE_API_H
#define SERVE_API_H

#include "base/json.h"
#include "model/account.h"
#include "serve/event_data.h"
#include "serve/http.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/links.h"
#include "store/workspaces.h"

/* -- bodies (fields.c) ------------------------------------------------------------------------------------------------ */

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_OBJECT, FIELD_TEXTS };

/* One member of a JSON object. What it says here is what docs/openapi.yaml says: tests/serve/fields.c compares them. */
struct field {
	const char         *name;             /* NULL ends a table                          */
	enum field_kind     kind;
	bool                required, nullable;
	long long           least, most;      /* bytes (characters in the description), value, or items of a list */
	const char *const  *words;            /* the only texts allowed; of a list: of its items; NULL any */
	const char         *pattern;          /* POSIX extended, on the whole text; NULL     */
	const struct field *inside;           /* of an object                               */
};

struct body_table { const char *schema; const struct field *fields; };
/* Every table there is, by the name of its schema; ends with a NULL schema. */
extern const struct body_table body_tables[];

/* The body as an object that keeps to the table; NULL: answered, 400. cJSON_Delete() by body_free(), which wipes the texts. */
cJSON *body_read(struct exchange *, const struct field *);
void   body_free(cJSON *);

/* Its "address" as it is written (from the job). False: answered, 400. */
struct mail_address;
bool body_address(struct exchange *, const cJSON *body, struct mail_address *out);
/* The server that it names for a service, host as DNS wants it; not there, or null: NULL and 0. False: answered, 400. */
bool body_server(struct exchange *, const cJSON *body, enum service, const char **host_out, uint16_t *port_out);
/* "ews_url" as exchange_url_read() takes it, without any user name or password in it; not there, or null: NULL. False: answered, 400. */
bool body_ews_url(struct exchange *, const cJSON *body, const char **out);

/* "caldav_url" as it is to be kept; likewise. */
bool body_caldav_url(struct exchange *, const cJSON *body, const char **out);

/* Parameters of a query. False: answered, 400. */
bool query_number(struct exchange *, const char *name, long long least, long long most, long long otherwise, long long *out);
bool query_text(struct exchange *, const char *name, size_t most, const char **out);     /* NULL when absent */

bool text_is_utf8(const char *);
/* A host as DNS wants it (A-labels, lower case), or an IP address as it is; NULL when it can be neither. Whether we may connect there is
 * asked when we do. */
const char *host_read(const char *text, struct arena *into);

extern const struct field fields_account_new[], fields_grant_new[], fields_tenant_account_new[], fields_account_change[],
	fields_reconnection[], fields_link_new[], fields_webhook_new[], fields_webhook_change[], fields_replay[], fields_domain[],
	fields_workspace_new[], fields_key_new[], fields_detection[], fields_explanation[];
extern const char *const event_types[];

/* -- changes (api_change.c) ------------------------------------------------------------------------------------------- */

struct change {
	struct exchange *x;
	bool           (*apply)(struct txn *, struct change *, struct error *);      /* see store_write(); sets the answer */
	void           (*after)(struct change *);    /* once kept, before the answer; not for an answer that was kept before; may be NULL */
	/* the answer */
	struct arena    *work;                       /* of this run of `apply` and the answer */
	int              status;
	cJSON           *body;                       /* NULL: none; freed by api_change()     */
	const char      *location;
	/* a problem of this very case instead of FAULT_REFUSED's usual one; constant or from `work` */
	const char      *conflict;
};

void api_change(struct change *);

/* An event in the same transaction. Takes `data`. */
bool event_tell(struct txn *, struct arena *into, const char *workspace, const char *account, const char *type, cJSON *data,
                struct error *err);

/* -- looking (present.c) ---------------------------------------------------------------------------------------------- */

/* store_read(). False: answered, with what the store said. */
bool api_look(struct exchange *, bool (*look)(struct txn *, void *self, struct error *), void *self);
/* {items}: a list that is told whole. Takes it. */
void answer_items(struct exchange *, cJSON *items);

/* -- how things look (present.c) -------------------------------------------------------------------------------------- */

void   json_time(cJSON *, const char *name, int64_t unix_ms);                /* null for 0        */
void   json_maybe(cJSON *, const char *name, const char *text);              /* null for NULL     */
cJSON *account_json(struct exchange *, const struct account *);              /* in x->lang        */
cJSON *cause_json(struct exchange *, const char *id);                        /* of the catalogue  */
cJSON *event_json(const struct event *);
cJSON *list_json(cJSON *items, const char *next);                            /* {items, next}     */
const char *time_text(int64_t unix_ms, char out[40]);

#endif
