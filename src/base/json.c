#include "base/json.h"

#include <stdlib.h>

#include "base/secret.h"

static bool bounded(struct slice text, size_t longest, struct error *err)
{
	unsigned depth = 0;
	bool     in_string = false;

	if (text.len > longest)
		return fail(err, FAULT_TOO_BIG, "JSON of %zu bytes", text.len);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\0' || (in_string && c == '\\' && slice_starts(slice_from(text, i), "\\u0000")))
			return fail(err, FAULT_BROKEN, "JSON with a NUL in it");
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > JSON_DEEPEST)
				return fail(err, FAULT_TOO_BIG, "JSON deeper than %d", JSON_DEEPEST);
		} else if ((c == ']' || c == '}') && depth) {
			depth--;
		}
	}
	return true;
}

cJSON *json_read(struct slice text, size_t longest, struct error *err)
{
	const char *end = NULL;
	cJSON      *json;

	if (!bounded(text, longest, err))
		return NULL;
	json = cJSON_ParseWithLengthOpts(text.at, text.len, &end, false);
	if (!json) {
		fail(err, FAULT_BROKEN, "no JSON");
	} else if (slice_trim(slice(end, (size_t)(text.at + text.len - end))).len) {
		fail(err, FAULT_BROKEN, "something behind the JSON");
		cJSON_Delete(json);
		json = NULL;
	}
	return json;
}

const char *json_text(const cJSON *object, const char *member)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, member));
}

const char *json_copy(const cJSON *object, const char *member, struct arena *into)
{
	const char *text = json_text(object, member);

	return text && *text ? arena_str(into, text) : NULL;
}

static void wipe_texts(cJSON *json)
{
	cJSON *item;

	cJSON_ArrayForEach(item, json) {
		if (cJSON_IsString(item))
			secret_wipe(item->valuestring, strlen(item->valuestring));
		wipe_texts(item);
	}
}

void json_forget(cJSON *json)
{
	wipe_texts(json);
	cJSON_Delete(json);
}

double json_number(const cJSON *object, const char *member, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, member);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

char *json_write(const cJSON *json)
{
	char *text = cJSON_Print(json);

	if (!text)
		exit(70);
	return text;
}
