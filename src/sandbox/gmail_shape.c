/* How Gmail shows a message: its ids, its headers, its parts. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

#define SNIPPET 120
#define DEEPEST 8
#define INLINE_MOST ((size_t)256 * 1024)      /* more bytes than that are had by themselves */

/* -- ids ---------------------------------------------------------------------------------------------------------------------- */

#define ID_HEAD 0x18c0000000000000ull

const char *gmail_id(struct arena *arena, const struct mailbox *m, unsigned lasting)
{
	return arena_print(arena, "%016llx", ID_HEAD | (unsigned long long)m->number << 32 | lasting);
}

unsigned gmail_thread(const struct item *item)
{
	return item->thread ? item->thread : item->lasting;
}

struct item *gmail_item(struct gapi_ask *a, const char *id)
{
	char              *end;
	unsigned long long number = strtoull(id, &end, 16);

	if (!*id || *end || strlen(id) > 16) {
		gapi_refuse(a, "invalidArgument", "Invalid id value");
		return NULL;
	}
	for (struct item *i = a->mailbox->first; i; i = i->next)
		if (i->kind == ITEM_MESSAGE && (ID_HEAD | (unsigned long long)a->mailbox->number << 32 | i->lasting) == number)
			return i;
	gapi_refuse(a, "notFound", NULL);
	return NULL;
}

/* -- bytes -------------------------------------------------------------------------------------------------------------------- */

const char *gmail_base64(struct arena *arena, struct slice bytes)
{
	char *text = arena_str(arena, base64_of(arena, bytes));

	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return text;
}

bool gmail_base64_read(struct arena *arena, const char *text, struct slice *out)
{
	size_t len = strcspn(text, "=");
	char  *copy = arena_print(arena, "%.*s%.*s", (int)len, text, (int)((4 - len % 4) % 4), "===");

	for (char *c = copy; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return base64_read(arena, slice_str(copy), out);
}

/* -- headers ------------------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct gapi_ask *a, const char *name)
{
	const char *one;

	for (size_t n = 0; (one = gapi_query(a, "metadataHeaders", n)); n++)
		if (strcasecmp(one, name) == 0)
			return true;
	return !gapi_query(a, "metadataHeaders", 0);
}

static void add_headers(struct gapi_ask *a, cJSON *o, struct slice part, bool some)
{
	cJSON       *list = cJSON_AddArrayToObject(o, "headers");
	struct slice rest = part;
	const char  *name, *value;

	while (mime_field(a->work, &rest, &name, &value)) {
		cJSON *one;

		if (some && !is_wanted(a, name))
			continue;
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "name", name);
		cJSON_AddStringToObject(one, "value", value);
		cJSON_AddItemToArray(list, one);
	}
}

/* -- parts -------------------------------------------------------------------------------------------------------------------- */

static const char *type_of(struct gapi_ask *a, struct slice part)
{
	struct slice value = slice_str(mime_header(a->work, part, "Content-Type")), type = slice_trim(slice_cut(&value, ';'));
	char        *text = arena_copy(a->work, type);

	for (char *c = text; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	return *text ? text : "text/plain";
}

static const char *file_of(struct gapi_ask *a, struct slice part)
{
	const char *name = mime_parameter(a->work, mime_header(a->work, part, "Content-Disposition"), "filename");

	return *name ? name : mime_parameter(a->work, mime_header(a->work, part, "Content-Type"), "name");
}

/* `id`: "" for the message itself, then "0", "0.1" … */
static cJSON *part_json(struct gapi_ask *a, struct slice part, const char *id, int depth)
{
	cJSON       *o = cJSON_CreateObject(), *body, *list = NULL;
	struct slice rest = { 0 }, inner, bytes;
	const char  *file = file_of(a, part);

	cJSON_AddStringToObject(o, "partId", id);
	cJSON_AddStringToObject(o, "mimeType", type_of(a, part));
	cJSON_AddStringToObject(o, "filename", file);
	add_headers(a, o, part, false);
	body = cJSON_AddObjectToObject(o, "body");
	for (int n = 0; depth < DEEPEST && mime_next_part(a->work, part, &rest, &inner); n++) {
		list = list ? list : cJSON_CreateArray();
		cJSON_AddItemToArray(list, part_json(a, inner, *id ? arena_print(a->work, "%s.%d", id, n) : arena_print(a->work, "%d", n), depth + 1));
	}
	bytes = list ? slice("", 0) : mime_bytes(a->work, part);
	if (*file || bytes.len > INLINE_MOST)
		cJSON_AddStringToObject(body, "attachmentId", gmail_base64(a->work, slice_str(arena_print(a->work, "part:%s", id))));
	cJSON_AddNumberToObject(body, "size", (double)bytes.len);
	if (bytes.len && !*file && bytes.len <= INLINE_MOST)
		cJSON_AddStringToObject(body, "data", gmail_base64(a->work, bytes));
	if (list)
		cJSON_AddItemToObject(o, "parts", list);
	return o;
}

bool gmail_attachment(struct gapi_ask *a, const struct item *item, const char *id, struct slice *out)
{
	struct slice named, part = item->mime;

	if (!gmail_base64_read(a->work, id, &named) || !slice_starts(named, "part:"))
		return false;
	named = slice_from(named, 5);
	for (int depth = 0; named.len && depth < DEEPEST; depth++) {
		struct slice       one = slice_cut(&named, '.'), rest = { 0 }, inner;
		unsigned long long number;

		if (!slice_number(one, 1000, &number))
			return false;
		do
			if (!mime_next_part(a->work, part, &rest, &inner))
				return false;
		while (number-- > 0);
		part = inner;
	}
	*out = mime_bytes(a->work, part);
	return true;
}

/* -- whole -------------------------------------------------------------------------------------------------------------------- */

static const char *snippet_of(struct gapi_ask *a, const struct item *item)
{
	char  *out = arena_get(a->work, SNIPPET + 4);
	size_t n = 0;
	bool   blank = true;

	for (const char *c = item->shown.text; *c && (n < SNIPPET || (*c & 0xc0) == 0x80) && n < SNIPPET + 3; c++) {
		bool space = *c == ' ' || *c == '\t' || *c == '\r' || *c == '\n';

		if (!(space && blank))
			out[n++] = space ? ' ' : *c;
		blank = space;
	}
	return out;
}

static void add_payload(struct gapi_ask *a, cJSON *o, const struct item *item)
{
	cJSON *payload = cJSON_AddObjectToObject(o, "payload");

	cJSON_AddStringToObject(payload, "mimeType", type_of(a, item->mime));
	add_headers(a, payload, item->mime, true);
}

cJSON *gmail_message(struct gapi_ask *a, const struct item *item, const char *format)
{
	static const char *const formats[] = { "minimal", "metadata", "full", "raw" };
	unsigned folder, labels = glabels_of(item, &folder);
	cJSON   *o;
	size_t   f;

	for (f = 0; f < COUNT(formats) && strcasecmp(format, formats[f]) != 0; f++)
		;
	if (f == COUNT(formats)) {
		gapi_refuse(a, "invalidArgument", "Invalid value for format");
		return NULL;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "id", gmail_id(a->work, a->mailbox, item->lasting));
	cJSON_AddStringToObject(o, "threadId", gmail_id(a->work, a->mailbox, gmail_thread(item)));
	cJSON_AddItemToObject(o, "labelIds", glabels_json(a->work, labels, folder));
	cJSON_AddStringToObject(o, "snippet", snippet_of(a, item));
	if (f == 1)
		add_payload(a, o, item);
	if (f == 2)
		cJSON_AddItemToObject(o, "payload", part_json(a, item->mime, "", 0));
	cJSON_AddNumberToObject(o, "sizeEstimate", (double)item->mime.len);
	cJSON_AddStringToObject(o, "historyId", gapi_text(a->work, ghistory_of(a->sandbox->google, a->mailbox, item)));
	cJSON_AddStringToObject(o, "internalDate", gapi_text(a->work, (unsigned long long)item->received * 1000));
	if (f == 3)
		cJSON_AddStringToObject(o, "raw", gmail_base64(a->work, item->mime));
	return o;
}
