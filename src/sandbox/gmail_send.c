/* Mail that leaves, and mail that is put into a mailbox as it is. */
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/gapi.h"

#define LONGEST ((size_t)36 << 20)

/* -- what was sent --------------------------------------------------------------------------------------------------------------- */

static bool is_kind(const struct gapi_ask *a, const char *kind)
{
	return a->content_type && strncasecmp(a->content_type, kind, strlen(kind)) == 0;
}

static const struct item *in_thread(struct gapi_ask *a, const char *id)
{
	for (const struct item *i = a->mailbox->first; id && i; i = i->next)
		if (i->kind == ITEM_MESSAGE && strcmp(gmail_id(a->work, a->mailbox, i->lasting), id) == 0)
			return i;
	return NULL;
}

/* What came with it. */
struct posted {
	struct slice mime;
	unsigned     thread, labels;      /* 0: none was named */
	bool         labelled;
};

static void read_labels(const cJSON *given, struct posted *p)
{
	const cJSON *one, *list = cJSON_GetObjectItem(given, "labelIds");

	p->labelled = cJSON_IsArray(list);
	cJSON_ArrayForEach(one, list)
		p->labels |= cJSON_IsString(one) ? glabel_bit(one->valuestring) : 0;
}

static bool read_json(struct gapi_ask *a, struct slice body, struct posted *p)
{
	cJSON             *given = json_read(body, WEB_LONGEST_REQUEST, NULL);
	const char        *raw = json_text(given, "raw");
	const struct item *of = in_thread(a, json_text(given, "threadId"));
	bool               fine = given != NULL;

	if (of)
		p->thread = gmail_thread(of);
	read_labels(given, p);
	if (raw && *raw)
		fine = gmail_base64_read(a->work, raw, &p->mime);
	cJSON_Delete(given);
	return fine;
}

/* The body of a request as a message of its own, so that its parts can be told apart. */
static struct slice with_head(struct gapi_ask *a)
{
	const char *head = arena_print(a->work, "Content-Type: %s\r\n\r\n", a->content_type);
	size_t      len = strlen(head);
	char       *whole = arena_get(a->work, len + a->body.len + 1);

	memcpy(whole, head, len);
	memcpy(whole + len, a->body.at, a->body.len);
	return slice(whole, len + a->body.len);
}

/* The bytes themselves, or both in two parts (multipart/related); or JSON alone. False: refused. */
static bool read_posted(struct gapi_ask *a, struct posted *p)
{
	struct slice whole, rest = { 0 }, part;
	bool         fine;

	*p = (struct posted){ 0 };
	if (is_kind(a, "message/rfc822")) {
		p->mime = a->body;
		fine = true;
	} else if (is_kind(a, "multipart/related")) {
		whole = with_head(a);
		fine = mime_next_part(a->work, whole, &rest, &part) && read_json(a, mime_bytes(a->work, part), p)
		    && mime_next_part(a->work, whole, &rest, &part);
		p->mime = fine ? mime_bytes(a->work, part) : p->mime;
	} else {
		fine = read_json(a, a->body, p);
	}
	if (!fine || !p->mime.len)
		gapi_refuse(a, "invalidArgument", "'raw' RFC822 payload message string or uploading message via /upload/* URL required");
	return fine && p->mime.len;
}

/* -- as it goes out -------------------------------------------------------------------------------------------------------------- */

static bool is_own(const struct gapi_ask *a, const char *address)
{
	return strcasecmp(address, a->account->mail) == 0 || strcasecmp(address, a->account->alias) == 0;
}

static void add_missing(struct gapi_ask *a, struct buffer *out, struct slice mime)
{
	char      date[60];
	time_t    t = (time_t)now_s();
	struct tm at;

	if (!*mime_header(a->work, mime, "Message-ID"))
		buffer_print(out, "Message-ID: <CA%s@mail.gmail.com>\r\n", random_text(a->work, 40));
	if (*mime_header(a->work, mime, "Date"))
		return;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &at));
	buffer_print(out, "Date: %s\r\n", date);
}

/* From whom it is not his, it is his all the same; what is missing is added before the rest (facts G B.1). */
static struct slice rewritten(struct gapi_ask *a, struct slice mime, const struct mime *shown)
{
	bool          own = *shown->from.address && is_own(a, shown->from.address), head = true, skips = false;
	struct buffer out;
	struct slice  whole;

	buffer_init(&out, LONGEST + FORM_LONGEST);
	if (!own)
		buffer_print(&out, "From: %s <%s>\r\n", mime_word(a->work, a->account->display), a->account->mail);
	add_missing(a, &out, mime);
	while (mime.len) {
		struct slice line = slice_upto(mime, slice_find(mime, '\n') + 1);

		mime = slice_from(mime, line.len);
		if (!slice_trim(line).len)
			head = false;
		if (head && line.at[0] != ' ' && line.at[0] != '\t')
			skips = !own && slice_starts(line, "From:");
		if (!head || !skips)
			buffer_add(&out, line);
	}
	whole = slice(arena_copy(a->work, buffer_held(&out)), buffer_held(&out).len);
	buffer_release(&out);
	return whole;
}

static void add_to(struct gapi_ask *a, struct envelope *e, const struct people *of, bool *to_self, bool arrives)
{
	for (size_t i = 0; i < of->count && e->count < COUNT(e->to); i++) {
		const char *address = of->list[i].address;

		if (arrives && *address && is_own(a, address))
			*to_self = true;
		else if (*address)
			e->to[e->count++] = address;
	}
}

static cJSON *told(struct gapi_ask *a, const struct item *item)
{
	unsigned folder, labels = glabels_of(item, &folder);
	cJSON   *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", gmail_id(a->work, a->mailbox, item->lasting));
	cJSON_AddStringToObject(o, "threadId", gmail_id(a->work, a->mailbox, gmail_thread(item)));
	cJSON_AddItemToObject(o, "labelIds", glabels_json(a->work, labels, folder));
	return o;
}

static struct item *keep(struct gapi_ask *a, const struct posted *p, struct slice mime, const char *folder, unsigned labels, bool read)
{
	struct item *item = mailbox_add_mail(a->mailbox, mailbox_known(a->mailbox, folder), mime, now_s());

	item->labels = labels;
	item->read = read;
	item->thread = p->thread;
	gapi_happened(a, HAPPENED_CREATED, item, NULL);
	return item;
}

/* To oneself it is one message, sent and received. */
void gmail_send_message(struct gapi_ask *a)
{
	struct posted   p;
	struct mime     shown;
	struct envelope e = { .count = 0 };
	bool            to_self = false, arrives = !is_ordered(a->sandbox, ORDER_NO_DELIVERY) && !is_ordered(a->sandbox, ORDER_NDR);

	if (!read_posted(a, &p))
		return;
	mime_read(a->work, p.mime, &shown);
	add_to(a, &e, &shown.to, &to_self, arrives);
	add_to(a, &e, &shown.cc, &to_self, arrives);
	add_to(a, &e, &shown.bcc, &to_self, arrives);
	if (!e.count && !to_self) {
		gapi_refuse(a, "invalidArgument", "Recipient address required");
		return;
	}
	e.mime = rewritten(a, p.mime, &shown);
	e.from = is_own(a, shown.from.address) ? shown.from.address : a->account->mail;
	gapi_give(a, told(a, keep(a, &p, e.mime, "sentitems", to_self ? GLABEL_SENT | GLABEL_INBOX : GLABEL_SENT, !to_self)));
	if (e.count)
		deliver(a->sandbox, a->work, &e);
}

/* As it is, with the labels that are named, and nobody is sent anything. */
void gmail_insert_message(struct gapi_ask *a)
{
	struct posted p;
	struct item  *item;
	unsigned      labels;

	if (!read_posted(a, &p))
		return;
	labels = p.labelled ? p.labels : GLABEL_INBOX | GLABEL_UNREAD;
	item = keep(a, &p, p.mime, labels & GLABEL_INBOX ? "inbox" : labels & GLABEL_SENT ? "sentitems" : labels & GLABEL_SPAM ? "junkemail" : "msgfolderroot",
	            labels & ~(unsigned)GLABEL_UNREAD, !(labels & GLABEL_UNREAD));
	gapi_give(a, told(a, item));
}
