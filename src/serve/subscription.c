#include "serve/subscription.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBER "subscription"

void subscription_write(cJSON *cursor, const struct microsoft_subscription *s)
{
	cJSON *at = *s->id ? cJSON_AddObjectToObject(cursor, MEMBER) : NULL;

	if (!at)
		return;
	cJSON_AddStringToObject(at, "id", s->id);
	cJSON_AddStringToObject(at, "nonce", s->nonce);
	cJSON_AddStringToObject(at, "mark", s->mark);
	cJSON_AddNumberToObject(at, "asked", (double)s->asked);
	cJSON_AddNumberToObject(at, "until", (double)s->until);
}

static bool read_word(const cJSON *o, const char *name, char *to, size_t size)
{
	const char *text = json_text(o, name);

	return text && *text && (size_t)snprintf(to, size, "%s", text) < size;
}

static int64_t read_second(const cJSON *o, const char *name)
{
	double n = json_number(o, name, 0);

	return n > 0 && n < 1e11 ? (int64_t)n : 0;
}

bool subscription_read(const char *cursor, struct microsoft_subscription *out)
{
	cJSON       *o = cursor ? json_read(slice_str(cursor), CURSOR_LONGEST, NULL) : NULL;
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, MEMBER);
	bool         fine;

	*out = (struct microsoft_subscription){ .asked = read_second(at, "asked"), .until = read_second(at, "until") };
	fine = read_word(at, "id", out->id, sizeof out->id) && read_word(at, "nonce", out->nonce, sizeof out->nonce)
	    && read_word(at, "mark", out->mark, sizeof out->mark);
	cJSON_Delete(o);
	if (!fine)
		*out = (struct microsoft_subscription){ 0 };
	return fine;
}

const char *cursor_without_subscription(const char *cursor, struct arena *into)
{
	cJSON      *o = cursor ? json_read(slice_str(cursor), CURSOR_LONGEST, NULL) : NULL;
	char       *text;
	const char *copy;

	if (!cJSON_GetObjectItemCaseSensitive(o, MEMBER) && !cJSON_GetObjectItemCaseSensitive(o, SUBSCRIPTION_AT_GOOGLE)) {
		cJSON_Delete(o);
		return cursor;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(o, MEMBER);
	cJSON_DeleteItemFromObjectCaseSensitive(o, SUBSCRIPTION_AT_GOOGLE);
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(into, text);
	free(text);
	cJSON_Delete(o);
	return copy;
}
