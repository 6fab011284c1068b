/* Many questions in one (facts G B.1). */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

#define BOUNDARY "batch_sandbox_kettle"

/* The line that asks, its headers, its body. False: no request. */
static bool read_request(struct gapi_ask *one, struct slice text)
{
	struct slice line = slice_trim(slice_cut(&text, '\n')), method = slice_cut(&line, ' '), target = slice_cut(&line, ' ');
	const char  *type;

	if (!method.len || !target.len || !gapi_path(one, target))
		return false;
	one->method = arena_copy(one->work, method);
	type = mime_header(one->work, text, "Content-Type");
	one->content_type = *type ? type : NULL;
	one->if_match = *mime_header(one->work, text, "If-Match") ? mime_header(one->work, text, "If-Match") : NULL;
	one->body = mime_bytes(one->work, text);
	return true;
}

static void add_answer(struct buffer *out, struct gapi_ask *one, const char *id)
{
	char *text = one->json ? cJSON_PrintUnformatted(one->json) : NULL;

	buffer_print(out, "--" BOUNDARY "\r\nContent-Type: application/http\r\n");
	if (*id)
		buffer_print(out, "Content-ID: <response-%s>\r\n", id);
	buffer_print(out, "\r\nHTTP/1.1 %d %s\r\n", one->status, one->status < 300 ? "OK" : "Error");
	if (one->retry_after)
		buffer_print(out, "Retry-After: %d\r\n", one->retry_after);
	buffer_print(out, "Content-Type: application/json; charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s\r\n", text ? strlen(text) : 0, text ? text : "");
	cJSON_free(text);
	cJSON_Delete(one->json);
}

/* "<x>" without what stands around it. */
static const char *id_of(struct arena *arena, struct slice part)
{
	struct slice id = slice_trim(slice_str(mime_header(arena, part, "Content-ID")));

	if (id.len > 1 && id.at[0] == '<')
		id = slice(id.at + 1, id.len - 2);
	return arena_copy(arena, id);
}

static void answer_one(struct gapi_ask *a, struct slice part, struct buffer *out)
{
	struct gapi_ask one = { .sandbox = a->sandbox, .work = a->work, .token = a->token, .host = a->host, .account = a->account };

	if (!read_request(&one, mime_bytes(a->work, part)) || slice_starts(slice_str(one.path), "batch"))
		gapi_refuse(&one, "badRequest", NULL);
	else
		gapi_do(&one);
	add_answer(out, &one, id_of(a->work, part));
}

void gapi_batch(struct gapi_ask *a)
{
	const char   *head = arena_print(a->work, "Content-Type: %s\r\n\r\n", a->content_type ? a->content_type : "");
	size_t        len = strlen(head), count = 0;
	char         *whole = arena_get(a->work, len + a->body.len + 1);
	struct slice  rest = { 0 }, part;
	struct buffer out;

	memcpy(whole, head, len);
	if (a->body.len)
		memcpy(whole + len, a->body.at, a->body.len);
	buffer_init(&out, WEB_LONGEST_REQUEST);
	while (count <= GAPI_BATCH && mime_next_part(a->work, slice(whole, len + a->body.len), &rest, &part))
		if (++count <= GAPI_BATCH)
			answer_one(a, part, &out);
	if (!count || count > GAPI_BATCH) {
		gapi_refuse(a, "badRequest", count ? "The batch request must not contain more than 100 calls." : "Failed to parse batch request.");
	} else {
		buffer_add_str(&out, "--" BOUNDARY "--\r\n");
		a->plain = slice(arena_copy(a->work, buffer_held(&out)), buffer_held(&out).len);
		a->type = "multipart/mixed; boundary=" BOUNDARY;
		a->status = 200;
	}
	buffer_release(&out);
}
