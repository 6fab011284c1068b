/* api_diagnose.c -- what can be told without an account: where a mailbox may be, and what an error text means. */
#include "diagnose/diagnose.h"
#include "diagnose/explain.h"
#include "diagnose/report_json.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/finder.h"
#include "serve/laid_down.h"

/* The body's, where there are texts in it; else as for any request. */
static const struct language *language_wanted(const struct exchange *x, const cJSON *body)
{
	const char            *tag = json_text(body, "lang");
	const struct language *lang = tag ? language_find(tag) : NULL;

	return lang ? lang : x->lang;
}

/* -- an error text ---------------------------------------------------------------------------------------------------- */

static void explain(struct exchange *x)
{
	cJSON *body = body_read(x, fields_explanation);
	CLEANUP(report) struct report *r = NULL;
	struct verdict v;

	if (!body)
		return;
	r = report_new("");
	explain_facts(r, json_text(body, "text"));
	diagnose_pasted(r, &v);
	answer_json(x, 200, report_json(r, &v, language_wanted(x, body)));
	body_free(body);
}

/* -- an address ------------------------------------------------------------------------------------------------------- */

struct detection {
	struct search    search;             /* first */
	struct exchange *x;
	struct laid_down laid_down;          /* whom the workspace trusts there */
};

static cJSON *place_json(const struct endpoint *e)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "host", e->host);
	cJSON_AddNumberToObject(o, "port", e->port);
	cJSON_AddStringToObject(o, "security", e->socket == SOCKET_TLS ? "tls" : "starttls");
	cJSON_AddStringToObject(o, "source", endpoint_source_name(e->source));
	cJSON_AddBoolToObject(o, "trusted", endpoint_trusted(e));
	return o;
}

static void add_places(cJSON *o, const struct flow_found *found)
{
	cJSON *refused;

	for (enum service s = 0; s < SERVICES; s++) {
		cJSON *places = cJSON_AddArrayToObject(o, service_name(s));

		for (size_t i = 0; i < found->count[s]; i++)
			cJSON_AddItemToArray(places, place_json(&found->item[s][i]));
	}
	refused = cJSON_AddArrayToObject(o, "not_offered");
	for (enum service s = 0; s < SERVICES; s++)
		if (found->not_offered[s])
			cJSON_AddItemToArray(refused, cJSON_CreateString(service_name(s)));
}

/* Of the report as it is anywhere else what concerns a detection. */
static cJSON *detection_json(const struct search *s, const struct language *lang)
{
	static const char *const parts[] = { "address", "causes", "steps", "ms" };
	cJSON *o = cJSON_CreateObject(), *whole = report_json(s->report, &s->verdict, lang);

	json_maybe(o, "provider", strcmp(s->request.provider, "auto") == 0 ? s->place.provider : s->request.provider);
	json_maybe(o, "ews_url", s->place.ews_url);
	add_places(o, &s->place);
	for (size_t i = 0; i < COUNT(parts); i++)
		cJSON_AddItemToObject(o, parts[i], cJSON_DetachItemFromObjectCaseSensitive(whole, parts[i]));
	cJSON_Delete(whole);
	return o;
}

static void not_now(struct exchange *x, bool for_you)
{
	http_set(x, "Retry-After", "5");
	if (for_you)
		answer_problem(x, 429, "request.too_many", "Too many searches at once", "of this workspace", NULL, NULL);
	else
		answer_problem(x, 503, "system.unavailable", "Not now", NULL, NULL, "operator");
}

static void answer_found(struct exchange *x)
{
	struct detection *d = x->finisher;

	if (d->search.called_off)
		not_now(x, false);
	else
		answer_json(x, 200, detection_json(&d->search, x->lang));
	report_free(d->search.report);
}

/* In the finder's thread. */
static void found(struct search *s)
{
	http_wake(((struct detection *)s)->x);
}

static bool take_hints(struct exchange *x, const cJSON *body, struct flow_request *q)
{
	const char         *provider = json_text(body, "provider");
	struct mail_address address = { 0 };
	bool                fine = body_address(x, body, &address);

	q->address = address.text;
	q->provider = provider ? arena_str(x->job, provider) : "auto";
	for (enum service s = 0; fine && s < SERVICES; s++)
		fine = body_server(x, body, s, &q->host[s], &q->port[s]);
	return fine;
}

static bool look_at_domain(struct txn *t, void *self, struct error *err)
{
	struct detection *d = self;

	return laid_down_for(t, d->x->job, d->x->workspace, d->search.request.address, &d->laid_down, err);
}

static void begin(struct exchange *x, struct detection *d)
{
	enum finder_answer answer;

	/* before it begins: it may be over before this returns */
	x->finish = answer_found;
	x->finisher = d;
	answer = x->service->finder ? finder_search(x->service->finder, &d->search) : FINDER_STOPPED;
	if (answer == FINDER_TAKEN)
		return;
	x->finish = NULL;
	not_now(x, answer == FINDER_BUSY_FOR_YOU);
}

static void detect(struct exchange *x)
{
	cJSON            *body = body_read(x, fields_detection);
	struct detection *d = arena_get(x->job, sizeof *d);

	if (!body)
		return;
	*d = (struct detection){ .search = { .workspace = x->workspace, .found = found }, .x = x };
	x->lang = language_wanted(x, body);
	d->search.request.trust = &d->laid_down.trust;
	if (take_hints(x, body, &d->search.request) && api_look(x, look_at_domain, d))
		begin(x, d);
	body_free(body);
}

const struct route routes_diagnose[] = {
	{ "POST", "/v1/detect",  GUARD_KEY, SCOPE_ACCOUNTS_WRITE, detect },
	{ "POST", "/v1/explain", GUARD_KEY, 0,                    explain },
	{ 0 }
};
