#include "wire/google_push.h"

#include "base/json.h"
#include "wire/google.h"
#include "wire/sasl.h"

#define TOPIC_PART   255
#define UNTIL_DIGITS 15      /* milliseconds, until long after us all */

/* -- the watch ---------------------------------------------------------------------------------------------------- */

/* What stands before it, then a name. */
static bool take_name(struct slice *rest, const char *before)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+%:";
	size_t            len = 0;

	if (!slice_starts(*rest, before))
		return false;
	*rest = slice_from(*rest, strlen(before));
	while (len < rest->len && memchr(fine, rest->at[len], sizeof fine - 1))
		len++;
	*rest = slice_from(*rest, len);
	return len > 0 && len <= TOPIC_PART;
}

bool google_is_topic(const char *text)
{
	struct slice rest = slice_str(text);

	return rest.len <= GOOGLE_TOPIC && take_name(&rest, "projects/") && take_name(&rest, "/topics/") && !rest.len;
}

bool google_watch_write(struct buffer *b, const char *topic)
{
	cJSON *o = cJSON_CreateObject(), *labels;
	char  *text;
	bool   fine;

	cJSON_AddStringToObject(o, "topicName", topic);
	labels = cJSON_AddArrayToObject(o, "labelIds");
	cJSON_AddItemToArray(labels, cJSON_CreateString("INBOX"));
	cJSON_AddStringToObject(o, "labelFilterBehavior", "INCLUDE");
	text = cJSON_PrintUnformatted(o);
	fine = text && buffer_add_str(b, text);
	cJSON_free(text);
	cJSON_Delete(o);
	return fine;
}

bool google_watched_read(struct slice body, struct arena *a, int64_t *until, struct error *err)
{
	cJSON             *json = json_read(body, GOOGLE_ANSWER, err);
	const char        *text = json_copy(json, "expiration", a);
	unsigned long long ms = 0;
	bool               fine;

	if (!json)
		return false;
	cJSON_Delete(json);
	fine = text && strlen(text) <= UNTIL_DIGITS && slice_number(slice_str(text), INT64_MAX, &ms) && ms >= 1000;
	*until = (int64_t)(ms / 1000);
	return fine || fail(err, FAULT_BROKEN, "a watch without an end");
}

/* -- what is pushed ----------------------------------------------------------------------------------------------- */

/* In the letters of URLs as well, with padding or without: Google's own documents have both. */
static bool decoded(const char *data, struct arena *a, struct slice *out)
{
	size_t len = strlen(data), missing = (4 - len % 4) % 4;
	char  *text;

	if (!len || len > GOOGLE_DATA)
		return false;
	text = arena_print(a, "%s%.*s", data, (int)missing, "===");
	for (char *c = text; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return base64_decode(a, slice_str(text), out);
}

/* Enough to look it up by, and for a log. */
static bool is_mailbox(const char *text)
{
	const char *at = text ? strchr(text, '@') : NULL;

	if (!at || at == text || !at[1] || strlen(text) > GOOGLE_MAILBOX)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == '\x7f')
			return false;
	return true;
}

bool google_push_read(struct slice body, size_t longest, struct arena *a, const char **mailbox, struct error *err)
{
	cJSON       *json = json_read(body, longest, err), *told;
	const cJSON *message = cJSON_GetObjectItemCaseSensitive(json, "message");
	const char  *data = json_text(message, "data");
	struct slice text;
	struct error why = { 0 };

	*mailbox = NULL;
	told = data && decoded(data, a, &text) ? json_read(text, GOOGLE_DATA, &why) : NULL;
	if (is_mailbox(json_text(told, "emailAddress")))
		*mailbox = json_copy(told, "emailAddress", a);
	if (json && !*mailbox)
		fail(err, FAULT_BROKEN, "no push of Gmail's");
	json_forget(told);
	cJSON_Delete(json);
	return *mailbox != NULL;
}
