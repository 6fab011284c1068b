#include "serve/retell.h"

#include "diagnose/tell.h"

#define REPORT_MOST (16 * 1024 * 1024)

static void set_text(cJSON *o, const char *name, const char *text)
{
	cJSON_ReplaceItemInObjectCaseSensitive(o, name, cJSON_CreateString(text ? text : ""));
}

static size_t values_of(const cJSON *cause, struct arena *work, struct value values[TOLD_VALUES])
{
	const cJSON *item;
	size_t       count = 0;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(cause, "values"))
		if (cJSON_IsString(item) && count < TOLD_VALUES)
			values[count++] = (struct value){ arena_str(work, item->string), arena_str(work, item->valuestring) };
	return count;
}

static void retell_cause(cJSON *cause, const struct language *lang, struct arena *work)
{
	const char  *id = json_text(cause, "id");
	struct value values[TOLD_VALUES];
	struct told  t;

	if (!id || cause_find(id) == CAUSE_NONE)
		return;
	tell_again(cause_find(id), values, values_of(cause, work, values), lang, work, &t);
	set_text(cause, "title", t.title);
	set_text(cause, "why", t.why);
	set_text(cause, "lang", lang->tag);
	cJSON_ReplaceItemInObjectCaseSensitive(cause, "fix", cJSON_CreateStringArray(t.fix, (int)t.fixes));
	for (size_t i = 0; i < t.values; i++)
		set_text(cJSON_GetObjectItemCaseSensitive(cause, "values"), t.value[i].name, t.value[i].text);
}

cJSON *report_in_language(const char *text, const struct language *lang, struct arena *work)
{
	struct error err = { 0 };
	cJSON       *report = json_read(slice_str(text), REPORT_MOST, &err), *cause;

	if (report && lang != language_english())
		cJSON_ArrayForEach(cause, cJSON_GetObjectItemCaseSensitive(report, "causes"))
			retell_cause(cause, lang, work);
	return report;
}
