#include "diagnose/report_json.h"

#include "diagnose/tell.h"
#include "diagnose/ways.h"

static void add_text(cJSON *object, const char *name, const char *text)
{
	cJSON_AddStringToObject(object, name, text ? text : "");
}

static void add_list(cJSON *o, const char *name, const char *const *text, size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(o, name);

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(text[i]));
}

void told_json(cJSON *o, const struct told *t, const struct language *lang)
{
	add_text(o, "title", t->title);
	add_text(o, "why", t->why);
	add_list(o, "fix", t->fix, t->fixes);
	add_list(o, "links", t->link, t->links);
	add_list(o, "aliases", &t->alias, *t->alias ? 1 : 0);
	add_text(o, "lang", lang->tag);
}

static cJSON *fact_json(const struct report *r, const struct fact *f)
{
	cJSON *o = cJSON_CreateObject();

	add_text(o, "step", r->step_count ? r->step[f->step].id : "");
	add_text(o, "fact", f->name);
	add_text(o, "value", f->value);
	return o;
}

static cJSON *finding_json(const struct report *r, const struct finding *f, const struct language *lang, struct arena *work)
{
	cJSON      *o = cJSON_CreateObject(), *list;
	struct told t;

	tell_finding(r, f, lang, work, &t);
	add_text(o, "id", cause_row(f->cause)->id);
	add_text(o, "certainty", certainty_name(f->certainty));
	add_text(o, "who", who_name(f->who));
	add_text(o, "step", f->step >= 0 && r->step_count ? r->step[f->step].id : "");
	if (f->repaired)
		cJSON_AddTrueToObject(o, "repaired");
	told_json(o, &t, lang);
	list = cJSON_AddObjectToObject(o, "values");
	for (size_t i = 0; i < t.values; i++)
		add_text(list, t.value[i].name, t.value[i].text);
	list = cJSON_AddArrayToObject(o, "proof");
	for (size_t i = 0; i < f->proofs; i++)
		cJSON_AddItemToArray(list, fact_json(r, &f->proof[i]));
	return o;
}

static cJSON *step_json(const struct report *r, int n)
{
	const struct step *s = &r->step[n];
	cJSON             *o = cJSON_CreateObject(), *facts;

	add_text(o, "id", s->id);
	add_text(o, "state", step_state_name(s->state));
	if (s->skip)
		add_text(o, "why", s->skip);
	cJSON_AddNumberToObject(o, "ms", s->ms);
	facts = cJSON_AddArrayToObject(o, "facts");
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->fact[i].step == n) {
			cJSON *f = cJSON_CreateObject();

			add_text(f, "fact", r->fact[i].name);
			add_text(f, "value", r->fact[i].value);
			cJSON_AddItemToArray(facts, f);
		}
	return o;
}

static void add_exclusions(cJSON *o, const struct report *r, const struct verdict *v)
{
	cJSON *list = cJSON_AddArrayToObject(o, "ruled_out");

	for (size_t i = 0; i < v->exclusions; i++) {
		cJSON *x = cJSON_CreateObject();

		add_text(x, "id", cause_row(v->exclusion[i].cause)->id);
		cJSON_AddItemToObject(x, "by", fact_json(r, &v->exclusion[i].by));
		cJSON_AddItemToArray(list, x);
	}
}

static void add_needs(cJSON *o, const struct verdict *v)
{
	cJSON *list = cJSON_AddArrayToObject(o, "needs");

	for (size_t i = 0; i < v->needs; i++) {
		cJSON *n = cJSON_CreateObject();

		add_text(n, "kind", v->need[i].kind);
		add_text(n, "value", v->need[i].value);
		cJSON_AddItemToArray(list, n);
	}
}

static void add_ways(cJSON *o, const struct report *r, const struct verdict *v, struct arena *work)
{
	struct way way[WAYS];
	size_t     count = diagnose_ways(r, v, work, way);
	cJSON     *list = count ? cJSON_AddArrayToObject(o, "ways") : NULL, *one;

	for (size_t i = 0; i < count; i++) {
		one = way_json(&way[i]);
		cJSON_AddItemToObject(one, "by", fact_json(r, &way[i].by));
		cJSON_AddItemToArray(list, one);
	}
}

cJSON *report_json(const struct report *r, const struct verdict *v, const struct language *lang)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON *o = cJSON_CreateObject(), *list;

	add_text(o, "format", "mailmoor.report.v1");
	add_text(o, "address", r->address);
	add_text(o, "provider", r->provider);
	add_text(o, "verdict", verdict_name(v->kind));
	list = cJSON_AddArrayToObject(o, "causes");
	for (size_t i = 0; i < v->findings; i++)
		cJSON_AddItemToArray(list, finding_json(r, &v->finding[i], lang, work));
	add_exclusions(o, r, v);
	if (v->kind == VERDICT_UNFINISHED)
		add_needs(o, v);
	add_ways(o, r, v, work);
	list = cJSON_AddArrayToObject(o, "steps");
	for (size_t i = 0; v->kind != VERDICT_EXPLAINED && i < r->step_count; i++)
		cJSON_AddItemToArray(list, step_json(r, (int)i));
	cJSON_AddNumberToObject(o, "password_tries", r->password_tries);
	cJSON_AddNumberToObject(o, "ms", r->ms);
	return o;
}
