#include <stdlib.h>
#include <strings.h>

#include "sandbox/graph.h"
#include "sandbox/text.h"

#define LASTING "AAkALgAAAAAAHYQDEapm"      /* as immutable ids begin */
#define PREVIEW 255

bool msgraph_prefers(const struct msgraph_ask *a, const char *what)
{
	return a->prefer && slice_has(slice_str(a->prefer), what);
}

/* -- ids --------------------------------------------------------------------------------------------------------------- */

static const char *url_form(struct arena *arena, const char *base64)
{
	char *text = arena_str(arena, base64);

	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return text;
}

static const char *id_of(struct msgraph_ask *a, struct entry_id id, bool lasting)
{
	const char *text = url_form(a->work, entry_id(a->work, id));

	return lasting ? arena_print(a->work, LASTING "%s", text) : text;
}

const char *msgraph_gone_id(struct msgraph_ask *a, unsigned number, unsigned lasting)
{
	bool asked = msgraph_prefers(a, "ImmutableId");

	return id_of(a, (struct entry_id){ a->mailbox->number, asked ? lasting : number, 0, 'i' }, asked);
}

const char *msgraph_item_id(struct msgraph_ask *a, const struct item *item, unsigned instance)
{
	bool asked = msgraph_prefers(a, "ImmutableId");

	return id_of(a, (struct entry_id){ a->mailbox->number, asked ? item->lasting : item->number, instance, 'i' }, asked);
}

const char *msgraph_folder_id(struct msgraph_ask *a, const struct folder *f)
{
	return id_of(a, (struct entry_id){ a->mailbox->number, f->number, 0, 'f' }, false);
}

static bool id_read(struct msgraph_ask *a, const char *id, char kind, struct entry_id *out, bool *lasting)
{
	char *text = arena_str(a->work, id);

	*lasting = strncmp(text, LASTING, strlen(LASTING)) == 0;
	text += *lasting ? strlen(LASTING) : 0;
	for (char *c = text; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return entry_id_read(a->work, text, out) && out->kind == kind && out->mailbox == (a->mailbox->number & 0xff);
}

static struct item *item_lasting(struct mailbox *m, unsigned lasting)
{
	for (struct item *i = m->first; i; i = i->next)
		if (i->lasting == lasting)
			return i;
	return NULL;
}

struct item *msgraph_item(struct msgraph_ask *a, const char *id, enum item_kind kind, unsigned *instance)
{
	struct entry_id e;
	struct item    *item;
	bool            lasting;

	if (!id_read(a, id, 'i', &e, &lasting)) {
		msgraph_refuse(a, "ErrorInvalidIdMalformed", 0, NULL);
		return NULL;
	}
	item = lasting ? item_lasting(a->mailbox, e.number) : mailbox_item(a->mailbox, e.number);
	if (!item || item->kind != kind) {
		msgraph_refuse(a, "ErrorItemNotFound", 0, NULL);
		return NULL;
	}
	if (instance)
		*instance = e.instance;
	return item;
}

struct folder *msgraph_folder(struct msgraph_ask *a, const char *id)
{
	char           *known = arena_str(a->work, id);
	struct folder  *f;
	struct entry_id e;
	bool            lasting;

	for (char *c = known; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	f = mailbox_known(a->mailbox, known);
	if (!f && id_read(a, id, 'f', &e, &lasting))
		f = mailbox_folder(a->mailbox, e.number);
	else if (!f) {
		msgraph_refuse(a, "ErrorInvalidIdMalformed", 0, NULL);
		return NULL;
	}
	if (!f)
		msgraph_refuse(a, "ErrorItemNotFound", 0, NULL);
	return f;
}

const char *base64url_read(struct arena *arena, const char *text)
{
	char        *copy = arena_print(arena, "%s%.*s", text, (int)((4 - strlen(text) % 4) % 4), "===");
	struct slice bytes;

	for (char *c = copy; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	if (!base64_read(arena, slice_str(copy), &bytes) || (bytes.len && memchr(bytes.at, '\0', bytes.len)))
		return NULL;
	return arena_copy(arena, bytes);
}

/* -- messages ----------------------------------------------------------------------------------------------------------- */

cJSON *msgraph_person(const char *name, const char *address)
{
	cJSON *o = cJSON_CreateObject(), *e = cJSON_AddObjectToObject(o, "emailAddress");

	cJSON_AddStringToObject(e, "name", *name ? name : address);
	cJSON_AddStringToObject(e, "address", address);
	return o;
}

static void add_people(cJSON *o, const char *name, const struct people *p)
{
	cJSON *list = cJSON_AddArrayToObject(o, name);

	for (size_t i = 0; i < p->count; i++)
		cJSON_AddItemToArray(list, msgraph_person(p->list[i].name, p->list[i].address));
}

static void add_headers(struct msgraph_ask *a, cJSON *o, const struct item *item)
{
	cJSON       *list = cJSON_AddArrayToObject(o, "internetMessageHeaders");
	struct slice rest = item->mime;
	const char  *name, *value;

	while (mime_field(a->work, &rest, &name, &value)) {
		cJSON *h = cJSON_CreateObject();

		cJSON_AddStringToObject(h, "name", name);
		cJSON_AddStringToObject(h, "value", value);
		cJSON_AddItemToArray(list, h);
	}
}

static bool is_selected(struct msgraph_ask *a, const char *name)
{
	const char *select = form_get(&a->query, "$select");

	return select && slice_has(slice_str(select), name);
}

static void add_texts(struct msgraph_ask *a, cJSON *o, const struct mime *m)
{
	cJSON *body;

	cJSON_AddStringToObject(o, "subject", m->subject);
	cJSON_AddStringToObject(o, "bodyPreview", arena_copy(a->work, slice_upto(slice_str(m->text), PREVIEW)));
	body = cJSON_AddObjectToObject(o, "body");
	cJSON_AddStringToObject(body, "contentType", m->is_html && !msgraph_prefers(a, "body-content-type=\"text\"") ? "html" : "text");
	cJSON_AddStringToObject(body, "content", m->text);
}

static void add_sender(cJSON *o, const struct mime *m)
{
	if (!*m->from.address)
		return;
	cJSON_AddItemToObject(o, "from", msgraph_person(m->from.name, m->from.address));
	cJSON_AddItemToObject(o, "sender", msgraph_person(m->from.name, m->from.address));
}

static void add_state(struct msgraph_ask *a, cJSON *o, const struct item *item)
{
	const char *id = msgraph_item_id(a, item, 0), *when = moment(a->work, item->received);
	const char *key = arena_print(a->work, "CQAAABYAAAA%llu", (unsigned long long)(item->changed > item->flagged ? item->changed : item->flagged));

	cJSON_AddStringToObject(o, "@odata.etag", arena_print(a->work, "W/\"%s\"", key));
	cJSON_AddStringToObject(o, "id", id);
	cJSON_AddStringToObject(o, "changeKey", key);
	cJSON_AddStringToObject(o, "createdDateTime", when);
	cJSON_AddStringToObject(o, "lastModifiedDateTime", when);
	cJSON_AddStringToObject(o, "webLink", arena_print(a->work, "https://outlook.office365.com/owa/?ItemID=%s", id));
	cJSON_AddArrayToObject(o, "categories");
}

cJSON *msgraph_message(struct msgraph_ask *a, const struct item *item)
{
	cJSON             *o = cJSON_CreateObject();
	const struct mime *m = &item->shown;

	add_state(a, o, item);
	cJSON_AddStringToObject(o, "receivedDateTime", moment(a->work, item->received));
	cJSON_AddStringToObject(o, "sentDateTime", moment(a->work, item->received));
	cJSON_AddStringToObject(o, "internetMessageId", m->message_id);
	cJSON_AddStringToObject(o, "importance", "normal");
	cJSON_AddStringToObject(o, "parentFolderId", msgraph_folder_id(a, item->folder));
	cJSON_AddStringToObject(o, "conversationId", url_form(a->work, base64_of(a->work, slice_upto(slice_str(m->subject), 30))));
	cJSON_AddStringToObject(o, "inferenceClassification", "focused");
	cJSON_AddBoolToObject(o, "isRead", item->read);
	cJSON_AddBoolToObject(o, "isDraft", item->draft);
	cJSON_AddBoolToObject(o, "hasAttachments", m->has_attachments);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "flag"), "flagStatus", "notFlagged");
	add_texts(a, o, m);
	add_sender(o, m);
	add_people(o, "toRecipients", &m->to);
	add_people(o, "ccRecipients", &m->cc);
	add_people(o, "bccRecipients", &m->bcc);
	add_people(o, "replyTo", &m->reply_to);
	if (is_selected(a, "internetMessageHeaders"))
		add_headers(a, o, item);
	return o;
}

/* -- answers ------------------------------------------------------------------------------------------------------------ */

static bool is_named(const char *select, const char *name)
{
	struct slice rest = slice_str(select);

	while (rest.len)
		if (slice_is(slice_trim(slice_cut(&rest, ',')), name))
			return true;
	return false;
}

cJSON *msgraph_selected(struct msgraph_ask *a, cJSON *o, const char *select)
{
	cJSON *member = o->child, *next;

	(void)a;
	if (!select || !*select)
		return o;
	for (; member; member = next) {
		next = member->next;
		if (*member->string != '@' && strcmp(member->string, "id") != 0 && !is_named(select, member->string))
			cJSON_Delete(cJSON_DetachItemViaPointer(o, member));
	}
	return o;
}

cJSON *msgraph_chosen(struct msgraph_ask *a, const struct item *item, const char *select)
{
	cJSON      *o = msgraph_selected(a, msgraph_message(a, item), select), *one;
	const char *expand = form_get(&a->query, "$expand");

	if (expand && slice_has(slice_str(expand), "singleValueExtendedProperties") && strcasestr(expand, "'String 0x001A'")) {
		one = cJSON_CreateObject();
		cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "singleValueExtendedProperties"), one);
		cJSON_AddStringToObject(one, "id", "String 0x1a");
		cJSON_AddStringToObject(one, "value", item->class);
	}
	return o;
}

void msgraph_give(struct msgraph_ask *a, int status, cJSON *o)
{
	a->status = status;
	a->json = o;
}

cJSON *msgraph_page(struct msgraph_ask *a, const char *of, cJSON **value)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "@odata.context", arena_print(a->work, GRAPH_ROOT "/$metadata#%s", of));
	*value = cJSON_AddArrayToObject(o, "value");
	return o;
}

void msgraph_link(struct msgraph_ask *a, cJSON *page, const char *which, const struct form *query)
{
	bool        astray = strcmp(which, "@odata.nextLink") == 0 && is_ordered(a->sandbox, ORDER_NEXT_ELSEWHERE);
	const char *other = ordered_value(a->sandbox, ORDER_NEXT_ELSEWHERE), *host = !astray ? GRAPH_HOST : other ? other : "graph.example";

	cJSON_AddStringToObject(page, which, arena_print(a->work, "https://%s/v1.0/%s?%s", host, a->path, form_whole(a->work, query)));
}

size_t msgraph_page_size(struct msgraph_ask *a)
{
	const char *top = form_get(&a->query, "$top"), *prefer = a->prefer ? strcasestr(a->prefer, "odata.maxpagesize=") : NULL;
	long        n = top ? strtol(top, NULL, 10) : prefer ? strtol(prefer + 18, NULL, 10) : GRAPH_PAGE;

	return n < 1 ? GRAPH_PAGE : n > GRAPH_MOST ? GRAPH_MOST : (size_t)n;
}
