#include "serve/removal.h"

#include <string.h>

#include "model/facts.h"

#define LONGEST_REPORT ((size_t)1024 * 1024)

static const struct { const char *kind, *text, *url; } places[] = {
	{ "organisation", "page/app.remove.microsoft.organisation", "https://myapps.microsoft.com" },
	{ "personal",     "page/app.remove.microsoft.personal",     "https://account.live.com/consent/Manage" },
};

static const char *fact_of(const cJSON *step, const char *name)
{
	const cJSON *f;

	cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(step, "facts"))
		if (json_text(f, "fact") && strcmp(json_text(f, "fact"), name) == 0)
			return json_text(f, "value");
	return NULL;
}

/* Whose account it is there, as the last report saw it; NULL: not known, and then both pages are named. A guest's is an organisation's. */
static const char *kind_of(const cJSON *report)
{
	const cJSON *step;
	const char  *kind = NULL;

	cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(report, "steps"))
		if (!kind)
			kind = fact_of(step, FACT_ACCOUNT_KIND);
	return !kind ? NULL : strcmp(kind, "personal") == 0 ? "personal" : "organisation";
}

static void add_place(cJSON *left, size_t n, const struct language *lang)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", "permission");
	cJSON_AddStringToObject(o, "text", catalogue_text(lang, places[n].text));
	cJSON_AddStringToObject(o, "url", places[n].url);
	cJSON_AddItemToArray(left, o);
}

cJSON *removal_json(const struct account *a, bool granted, const struct language *lang)
{
	cJSON      *report, *o, *left;
	const char *kind;

	if (!granted || strcmp(a->provider, "microsoft") != 0)
		return NULL;
	report = a->report ? json_read(slice_str(a->report), LONGEST_REPORT, NULL) : NULL;
	kind = kind_of(report);
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "id", a->id);
	left = cJSON_AddArrayToObject(o, "left");
	for (size_t i = 0; i < COUNT(places); i++)
		if (!kind || strcmp(kind, places[i].kind) == 0)
			add_place(left, i, lang);
	cJSON_Delete(report);
	return o;
}
