/* A message as JSON, made into the one that goes out. */
#include "base/random.h"
#include "sandbox/graph.h"
#include "sandbox/mime.h"
#include "sandbox/text.h"

#include <strings.h>
#include <time.h>

#define LONGEST ((size_t)48 << 20)
#define LINE    76

static const struct { const char *member, *field; } people[] = {
	{ "toRecipients", "To" }, { "ccRecipients", "Cc" }, { "bccRecipients", "Bcc" }, { "replyTo", "Reply-To" },
};

static bool is_plain(const char *text)
{
	return text && *text && !strpbrk(text, "\r\n<>");
}

/* "Name <address>"; NULL: no address that could be written to. */
static const char *person_of(struct msgraph_ask *a, const cJSON *person)
{
	const cJSON *e = cJSON_GetObjectItem(person, "emailAddress");
	const char  *address = json_text(e, "address"), *name = json_text(e, "name");

	if (!is_plain(address) || !strchr(address, '@'))
		return NULL;
	return name && *name && strcmp(name, address) != 0 ? arena_print(a->work, "%s <%s>", mime_word(a->work, name), address)
	                                                    : arena_print(a->work, "<%s>", address);
}

static bool write_people(struct msgraph_ask *a, struct buffer *out, const cJSON *message)
{
	for (size_t i = 0; i < COUNT(people); i++) {
		const cJSON *one;
		const char  *joint = "";

		cJSON_ArrayForEach(one, cJSON_GetObjectItem(message, people[i].member)) {
			const char *text = person_of(a, one);

			if (!text)
				return false;
			if (!*joint)
				buffer_print(out, "%s: ", people[i].field);
			buffer_print(out, "%s%s", joint, text);
			joint = ",\r\n ";
		}
		if (*joint)
			buffer_add_str(out, "\r\n");
	}
	return true;
}

/* Only those that begin with "x-" may be set (facts M B.2). */
static bool write_own_headers(struct buffer *out, const cJSON *message)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItem(message, "internetMessageHeaders")) {
		const char *name = json_text(one, "name"), *value = json_text(one, "value");

		if (!name || !value || strncasecmp(name, "x-", 2) != 0 || strpbrk(name, "\r\n: ") || strpbrk(value, "\r\n"))
			return false;
		buffer_print(out, "%s: %s\r\n", name, value);
	}
	return true;
}

static void write_base64(struct buffer *out, const char *text)
{
	for (struct slice rest = slice_str(text); rest.len; rest = slice_from(rest, LINE))
		buffer_print(out, "%.*s\r\n", (int)(rest.len < LINE ? rest.len : LINE), rest.at);
}

static void write_body(struct msgraph_ask *a, struct buffer *out, const cJSON *message)
{
	const cJSON *body = cJSON_GetObjectItem(message, "body");
	const char  *type = json_text(body, "contentType"), *text = json_text(body, "content");

	buffer_print(out, "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
	             type && strcasecmp(type, "html") == 0 ? "html" : "plain");
	write_base64(out, base64_of(a->work, slice_str(text ? text : "")));
}

static bool write_attachments(struct msgraph_ask *a, struct buffer *out, const cJSON *list, const char *boundary)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, list) {
		const char  *name = json_text(one, "name"), *type = json_text(one, "contentType"), *bytes = json_text(one, "contentBytes");
		struct slice ignored;

		if (!is_plain(name) || !bytes || !base64_read(a->work, slice_str(bytes), &ignored) || (type && strpbrk(type, "\r\n")))
			return false;
		buffer_print(out, "--%s\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		             boundary, type ? type : "application/octet-stream", name);
		write_base64(out, bytes);
	}
	buffer_print(out, "--%s--\r\n", boundary);
	return true;
}

static bool write_content(struct msgraph_ask *a, struct buffer *out, const cJSON *message)
{
	const cJSON *list = cJSON_GetObjectItem(message, "attachments");
	const char  *boundary;

	if (!cJSON_GetArraySize(list)) {
		write_body(a, out, message);
		return true;
	}
	boundary = arena_print(a->work, "_000_%s_", random_text(a->work, 20));
	buffer_print(out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary);
	write_body(a, out, message);
	return write_attachments(a, out, list, boundary);
}

static const char *sender_of(struct msgraph_ask *a, const cJSON *message)
{
	const char *given = person_of(a, cJSON_GetObjectItem(message, "from"));

	return given ? given : arena_print(a->work, "%s <%s>", mime_word(a->work, a->account->display), a->account->mail);
}

bool compose(struct msgraph_ask *a, const cJSON *message, struct slice *mime)
{
	const char   *subject = json_text(message, "subject");
	struct buffer out;
	time_t        t = (time_t)now_s();
	struct tm     at;
	char          date[60];
	bool          fine;

	buffer_init(&out, LONGEST);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &at));
	buffer_print(&out, "From: %s\r\n", sender_of(a, message));
	fine = write_people(a, &out, message);
	buffer_print(&out, "Subject: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\n", mime_word(a->work, subject ? subject : ""), date,
	             random_text(a->work, 28), "EURP.PROD.OUTLOOK.EXAMPLE");
	fine = fine && write_own_headers(&out, message) && write_content(a, &out, message);
	*mime = slice(arena_copy(a->work, buffer_held(&out)), buffer_held(&out).len);
	buffer_release(&out);
	if (!fine)
		msgraph_refuse(a, "ErrorInvalidRecipients", 0, NULL);
	return fine;
}
