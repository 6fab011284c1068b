#include "diagnose/retell.h"

#include <stdio.h>

#include "base/json.h"

#define LONGEST_REPORT (1024 * 1024)

static const char *kept(struct arena *into, const cJSON *object, const char *member)
{
	const char *text = json_text(object, member);

	return text ? arena_str(into, text) : "";
}

/* "ui/step.imap.login"; a step of a later version is shown by its id. */
static const char *words(const char *family, const char *id, const struct language *lang, struct arena *into)
{
	const char *text = catalogue_text(lang, arena_print(into, "ui/%s.%s", family, id));

	return text ? text : id;
}

static enum who who_find(const char *name)
{
	for (unsigned who = WHO_USER; who <= WHO_NOBODY; who <<= 1)
		if (strcmp(who_name((enum who)who), name) == 0)
			return (enum who)who;
	return WHO_OPERATOR;
}

static struct retold_fact fact_of(const cJSON *o, const struct language *lang, struct arena *into)
{
	const char *step = kept(into, o, "step");

	return (struct retold_fact){ *step ? words("step", step, lang, into) : "", kept(into, o, "fact"), kept(into, o, "value") };
}

static size_t values_of(const cJSON *cause, struct arena *into, struct value values[TOLD_VALUES])
{
	const cJSON *v;
	size_t       count = 0;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(cause, "values"))
		if (count < TOLD_VALUES && cJSON_IsString(v) && v->string)
			values[count++] = (struct value){ arena_str(into, v->string), arena_str(into, v->valuestring) };
	return count;
}

/* Whoever changed the report in the store shall not make a link of ours lead elsewhere than a browser may go. */
static void add_links(const cJSON *cause, struct arena *into, struct told *t)
{
	const cJSON *l;

	cJSON_ArrayForEach(l, cJSON_GetObjectItemCaseSensitive(cause, "links"))
		if (t->links < TOLD_LINKS && cJSON_IsString(l) && slice_starts(slice_str(l->valuestring), "https://"))
			t->link[t->links++] = arena_str(into, l->valuestring);
}

static void add_cause(struct retold *r, const cJSON *o, const struct language *lang, struct arena *into)
{
	struct value         values[TOLD_VALUES];
	struct retold_cause *c = &r->cause[r->causes];
	const cJSON         *p;
	const char          *id = json_text(o, "id");
	enum cause           cause = id ? cause_find(id) : CAUSE_NONE;

	if (cause == CAUSE_NONE || r->causes == RETOLD_CAUSES)
		return;
	*c = (struct retold_cause){ .cause = cause, .certainty = kept(into, o, "certainty"), .who = who_find(kept(into, o, "who")),
		                    .repaired = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "repaired")) };
	tell_again(cause, values, values_of(o, into, values), lang, into, &c->told);
	add_links(o, into, &c->told);
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(o, "proof"))
		if (c->proofs < RETOLD_PROOFS)
			c->proof[c->proofs++] = fact_of(p, lang, into);
	r->causes++;
}

static void add_exclusion(struct retold *r, const cJSON *o, const struct language *lang, struct arena *into)
{
	const char *id = json_text(o, "id");
	enum cause  cause = id ? cause_find(id) : CAUSE_NONE;
	struct told t;

	if (cause == CAUSE_NONE || r->outs == RETOLD_OUT)
		return;
	tell_cause(cause, lang, into, &t);
	r->out[r->outs++] = (struct retold_exclusion){ t.title, fact_of(cJSON_GetObjectItemCaseSensitive(o, "by"), lang, into) };
}

static void add_step(struct retold *r, const cJSON *o, const struct language *lang, struct arena *into)
{
	const char *why = json_text(o, "why");

	if (r->steps < RETOLD_STEPS)
		r->step[r->steps++] = (struct retold_step){ words("step", kept(into, o, "id"), lang, into), kept(into, o, "state"),
			                                    why ? words("skip", arena_str(into, why), lang, into) : NULL };
}

static void add_need(struct retold *r, const cJSON *o, struct arena *into)
{
	if (r->needs == RETOLD_NEEDS)
		return;
	r->need[r->needs].kind = kept(into, o, "kind");
	r->need[r->needs++].value = kept(into, o, "value");
}

static void read_all(const cJSON *report, const struct language *lang, struct arena *into, struct retold *out)
{
	const cJSON *o;

	*out = (struct retold){ .address = kept(into, report, "address"), .verdict = kept(into, report, "verdict") };
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(report, "causes"))
		add_cause(out, o, lang, into);
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(report, "ruled_out"))
		add_exclusion(out, o, lang, into);
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(report, "steps"))
		add_step(out, o, lang, into);
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(report, "needs"))
		add_need(out, o, into);
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(report, "ways"))
		if (out->ways < WAYS && way_read(o, into, &out->way[out->ways]))
			out->ways++;
}

bool retell(const char *report, const struct language *lang, struct arena *into, struct retold *out, struct error *err)
{
	cJSON      *o = json_read(slice_str(report), LONGEST_REPORT, err);
	const char *format = o ? json_text(o, "format") : NULL;
	bool        fine = format && strcmp(format, "mailmoor.report.v1") == 0;

	if (fine)
		read_all(o, lang, into, out);
	else if (o)
		fail(err, FAULT_BROKEN, "this is no mailmoor.report.v1");
	cJSON_Delete(o);
	return fine;
}
