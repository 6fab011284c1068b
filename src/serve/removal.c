#include "serve/removal.h"

#include <string.h>

#include "model/facts.h"

#define LONGEST_REPORT ((size_t)1024 * 1024)

struct place { const char *kind, *text, *url; };

static const struct place at_microsoft[] = {
	{ "organisation", "page/app.remove.microsoft.organisation", "https://myapps.microsoft.com" },
	{ "personal",     "page/app.remove.microsoft.personal",     "https://account.live.com/consent/Manage" },
};

static const struct place at_google[] = {
	[GRANT_OWN]    = { NULL, "page/app.remove.google",        "https://myaccount.google.com/connections" },
	[GRANT_SHARED] = { NULL, "page/app.remove.google.shared", "https://myaccount.google.com/connections" },
};

static const struct place at_workspace = { NULL, "page/app.remove.google.tenant", "https://admin.google.com/ac/owl/domainwidedelegation" };

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

static void add_place(cJSON *left, const struct place *p, const struct language *lang)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", "permission");
	cJSON_AddStringToObject(o, "text", catalogue_text(lang, p->text));
	cJSON_AddStringToObject(o, "url", p->url);
	cJSON_AddItemToArray(left, o);
}

static void add_microsoft(cJSON *left, const struct account *a, enum granted granted, const struct language *lang)
{
	cJSON      *report = a->report ? json_read(slice_str(a->report), LONGEST_REPORT, NULL) : NULL;
	const char *kind = kind_of(report);

	(void)granted;
	for (size_t i = 0; i < COUNT(at_microsoft); i++)
		if (!kind || strcmp(kind, at_microsoft[i].kind) == 0)
			add_place(left, &at_microsoft[i], lang);
	cJSON_Delete(report);
}

static void add_google(cJSON *left, const struct account *a, enum granted granted, const struct language *lang)
{
	add_place(left, a->tenant ? &at_workspace : &at_google[granted], lang);
}

cJSON *removal_json(const struct account *a, enum granted granted, const struct language *lang)
{
	static const struct {
		const char *provider;
		void      (*add)(cJSON *, const struct account *, enum granted, const struct language *);
	} providers[] = { { "microsoft", add_microsoft }, { "google", add_google } };

	for (size_t i = 0; granted != GRANT_NONE && i < COUNT(providers); i++)
		if (strcmp(providers[i].provider, a->provider) == 0) {
			cJSON *o = cJSON_CreateObject();

			cJSON_AddStringToObject(o, "id", a->id);
			providers[i].add(cJSON_AddArrayToObject(o, "left"), a, granted, lang);
			return o;
		}
	return NULL;
}
