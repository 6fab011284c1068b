#include "serve/retell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "diagnose/tell.h"

#define REPORT_MOST (16 * 1024 * 1024)

/* The fact of this report that is that day in English: the day itself is in none of the values. */
static const char *same_day(const cJSON *report, const char *english, const struct language *lang, struct arena *work)
{
	const cJSON *step, *fact;

	cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(report, "steps"))
		cJSON_ArrayForEach(fact, cJSON_GetObjectItemCaseSensitive(step, "facts")) {
			const char *value = json_text(fact, "value"), *day = tell_date(value, language_english(), work);

			if (day && strcmp(day, english) == 0)
				return tell_date(value, lang, work);
		}
	return NULL;
}

/* "60 seconds": the number is what all languages share. */
static const char *same_wait(const char *english, const struct language *lang, struct arena *work)
{
	size_t       digits = strspn(english, "0123456789");
	struct value n = { "n", arena_copy(work, slice(english, digits)) };
	const char  *again;

	if (!digits || !catalogue_fill(work, catalogue_text(language_english(), "ui/seconds"), &n, 1, &again) || strcmp(again, english) != 0)
		return NULL;
	return catalogue_fill(work, catalogue_text(lang, "ui/seconds"), &n, 1, &again) ? again : NULL;
}

static const char *value_in(const cJSON *report, const char *name, const char *text, const struct language *lang, struct arena *work)
{
	const char *told = NULL;

	if (strcmp(name, "expired_on") == 0 || strcmp(name, "valid_from") == 0)
		told = same_day(report, text, lang, work);
	else if (strcmp(name, "wait") == 0)
		told = same_wait(text, lang, work);
	return told ? told : text;
}

static const char *text_of(const char *id, const char *part, const struct language *lang)
{
	char key[100];

	snprintf(key, sizeof key, "%s/%s", id, part);
	return catalogue_text(lang, key);
}

static void set_text(cJSON *o, const char *name, const char *text)
{
	cJSON_ReplaceItemInObjectCaseSensitive(o, name, cJSON_CreateString(text ? text : ""));
}

static void retell_fixes(cJSON *cause, const char *id, const struct value *value, size_t values, const struct language *lang,
                         struct arena *work)
{
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 1; i <= TOLD_FIXES; i++) {
		char        part[16];
		const char *fix, *text;

		snprintf(part, sizeof part, "fix.%u", i);
		fix = text_of(id, part, lang);
		if (fix && catalogue_fill(work, fix, value, values, &text))
			cJSON_AddItemToArray(list, cJSON_CreateString(text));
	}
	cJSON_ReplaceItemInObjectCaseSensitive(cause, "fix", list);
}

static void retell_cause(const cJSON *report, cJSON *cause, const struct language *lang, struct arena *work)
{
	const char  *id = json_text(cause, "id"), *why, *plain, *text;
	struct value value[TOLD_VALUES];
	size_t       values = 0;
	cJSON       *item;

	if (!id || !text_of(id, "title", lang) || !text_of(id, "why", lang))
		return;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(cause, "values"))
		if (cJSON_IsString(item) && values < COUNT(value)) {
			const char *told = value_in(report, item->string, item->valuestring, lang, work);

			value[values++] = (struct value){ item->string, arena_str(work, told) };
			cJSON_SetValuestring(item, value[values - 1].text);
		}
	why = text_of(id, "why", lang);
	plain = text_of(id, "why.plain", lang);
	set_text(cause, "title", text_of(id, "title", lang));
	set_text(cause, "why", catalogue_fill(work, why, value, values, &text) ? text : plain ? plain : why);
	retell_fixes(cause, id, value, values, lang, work);
	set_text(cause, "lang", lang->tag);
}

cJSON *report_in_language(const char *text, const struct language *lang, struct arena *work)
{
	struct error err = { 0 };
	cJSON       *report = json_read(slice_str(text), REPORT_MOST, &err), *cause;

	if (report && lang != language_english())
		cJSON_ArrayForEach(cause, cJSON_GetObjectItemCaseSensitive(report, "causes"))
			retell_cause(report, cause, lang, work);
	return report;
}
