#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "diagnose/tell.h"
#include "serve/api.h"
#include "serve/retell.h"
#include "serve/signin_place.h"

#define LAST_TIME 253402300800000LL      /* the year 10000; NEVER is behind it */

/* The last digits of n: every answer has three times and more, and snprintf() was a twentieth of all the work. */
static void put_digits(char *at, size_t count, unsigned n)
{
	for (; count-- > 0; n /= 10)
		at[count] = (char)('0' + n % 10);
}

const char *time_text(int64_t unix_ms, char out[40])
{
	static const char form[] = "0000-00-00T00:00:00.000Z";
	time_t            second = (time_t)(unix_ms / 1000);
	struct tm         tm = { 0 };

	gmtime_r(&second, &tm);
	memcpy(out, form, sizeof form);
	put_digits(out, 4, (unsigned)(tm.tm_year + 1900));
	put_digits(out + 5, 2, (unsigned)tm.tm_mon + 1);
	put_digits(out + 8, 2, (unsigned)tm.tm_mday);
	put_digits(out + 11, 2, (unsigned)tm.tm_hour);
	put_digits(out + 14, 2, (unsigned)tm.tm_min);
	put_digits(out + 17, 2, (unsigned)tm.tm_sec);
	put_digits(out + 20, 3, (unsigned)(unix_ms % 1000));
	return out;
}

void json_time(cJSON *o, const char *name, int64_t unix_ms)
{
	char text[40];

	if (unix_ms > 0 && unix_ms < LAST_TIME)
		cJSON_AddStringToObject(o, name, time_text(unix_ms, text));
	else
		cJSON_AddNullToObject(o, name);
}

void json_maybe(cJSON *o, const char *name, const char *text)
{
	if (text)
		cJSON_AddStringToObject(o, name, text);
	else
		cJSON_AddNullToObject(o, name);
}

cJSON *list_json(cJSON *items, const char *next)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToObject(o, "items", items);
	json_maybe(o, "next", next);
	return o;
}

/* -- causes ----------------------------------------------------------------------------------------------------------- */

static void add_texts(cJSON *o, const char *name, const char *const *text, size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(o, name);

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(text[i]));
}

static void add_help(cJSON *o, struct exchange *x, const char *id)
{
	cJSON_AddStringToObject(o, "help", arena_print(x->job, "%s/help/%s?lang=%s", x->service->base_url, id, x->lang->tag));
	cJSON_AddStringToObject(o, "lang", x->lang->tag);
}

static void add_told(cJSON *o, const struct told *t)
{
	cJSON_AddStringToObject(o, "title", t->title);
	cJSON_AddStringToObject(o, "why", t->why);
	add_texts(o, "fix", t->fix, t->fixes);
	add_texts(o, "links", t->link, t->links);
}

cJSON *cause_json(struct exchange *x, const char *id)
{
	enum cause  cause = cause_find(id);
	cJSON      *o = cJSON_CreateObject();
	struct told t;

	tell_cause(cause, x->lang, x->job, &t);
	cJSON_AddStringToObject(o, "id", id);
	cJSON_AddStringToObject(o, "who", who_name(cause_row(cause)->who));
	add_told(o, &t);
	add_texts(o, "aliases", &t.alias, *t.alias ? 1 : 0);
	add_help(o, x, id);
	return o;
}

/* Without the values of the case: what cannot be said without one is left out. */
static void add_plain(cJSON *o, enum cause cause, struct exchange *x)
{
	struct told t;
	size_t      fixes = 0;

	tell_cause(cause, x->lang, x->job, &t);
	for (size_t i = 0; i < t.fixes; i++)
		if (catalogue_fill(x->job, t.fix[i], NULL, 0, &t.fix[fixes]))
			fixes++;
	t.fixes = fixes;
	add_told(o, &t);
}

/* The stored report knows the values of the case, and the catalogue has the words. */
static bool add_reported(cJSON *o, const struct account *a, struct exchange *x)
{
	static const char *const parts[] = { "title", "why", "fix", "links" };
	cJSON *report = a->report ? report_in_language(a->report, x->lang, x->job) : NULL;
	cJSON *cause = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(report, "causes"), 0);
	bool   same = json_text(cause, "id") && strcmp(json_text(cause, "id"), a->cause) == 0;

	for (size_t i = 0; i < COUNT(parts); i++)
		same = same && cJSON_HasObjectItem(cause, parts[i]);
	for (size_t i = 0; i < COUNT(parts) && same; i++)
		cJSON_AddItemToObject(o, parts[i], cJSON_DetachItemFromObjectCaseSensitive(cause, parts[i]));
	cJSON_Delete(report);
	return same;
}

static cJSON *account_cause(struct exchange *x, const struct account *a)
{
	cJSON *o;

	if (!a->cause || cause_find(a->cause) == CAUSE_NONE)
		return cJSON_CreateNull();
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "id", a->cause);
	if (!add_reported(o, a, x))
		add_plain(o, cause_find(a->cause), x);
	cJSON_AddStringToObject(o, "who", a->who ? a->who : who_name(cause_row(cause_find(a->cause))->who));
	cJSON_AddStringToObject(o, "certainty", a->certainty ? a->certainty : certainty_name(POSSIBLE));
	add_help(o, x, a->cause);
	return o;
}

/* -- accounts --------------------------------------------------------------------------------------------------------- */

static void add_server(cJSON *o, const struct account *a, enum service which)
{
	cJSON *server;

	if (!a->host[which]) {
		cJSON_AddNullToObject(o, service_name(which));
		return;
	}
	server = cJSON_AddObjectToObject(o, service_name(which));
	cJSON_AddStringToObject(server, "host", a->host[which]);
	if (a->port[which]) {
		char port[8];

		/* as it is: cJSON would print it as a fraction, and read it again to see whether that was exact */
		snprintf(port, sizeof port, "%u", a->port[which]);
		cJSON_AddRawToObject(server, "port", port);
	}
}

/* Only of one that is behind a sign-in page. */
static void add_terms(cJSON *o, const struct account *a)
{
	struct terms terms = account_terms(a);
	bool         has = signin_place(a->provider) != NULL;

	json_maybe(o, "rights", has ? rights_name(terms.rights) : NULL);
	json_maybe(o, "access", !has ? NULL : terms.tenant ? "tenant" : "user");
}

cJSON *account_json(struct exchange *x, const struct account *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", a->id);
	cJSON_AddStringToObject(o, "address", a->address ? a->address : "");
	cJSON_AddStringToObject(o, "provider", a->provider ? a->provider : "auto");
	json_maybe(o, "username", a->username);
	for (enum service s = 0; s < SERVICES; s++)
		add_server(o, a, s);
	json_maybe(o, "ews_url", a->ews_url);
	cJSON_AddBoolToObject(o, "impersonate", a->impersonate);
	json_maybe(o, "caldav_url", a->caldav_url);
	json_maybe(o, "caldav_username", a->caldav_username);
	add_terms(o, a);
	json_maybe(o, "lang", a->lang);
	json_maybe(o, "external_id", a->external_id);
	cJSON_AddStringToObject(o, "state", account_state_name(a->state));
	json_time(o, "since", a->state_since);
	json_time(o, "next_try", a->next_try);
	json_time(o, "last_ok", a->last_ok);
	json_time(o, "created", a->created);
	cJSON_AddItemToObject(o, "cause", account_cause(x, a));
	json_maybe(o, "incident", a->incident);
	return o;
}

/* -- events ----------------------------------------------------------------------------------------------------------- */

cJSON *event_json(const struct event *e)
{
	cJSON *o = cJSON_CreateObject(), *data;
	char   seq[24];

	snprintf(seq, sizeof seq, "%lld", (long long)e->seq);
	cJSON_AddStringToObject(o, "seq", seq);
	cJSON_AddStringToObject(o, "id", e->id);
	cJSON_AddStringToObject(o, "type", e->type);
	json_maybe(o, "account", e->account);
	data = e->data ? cJSON_Parse(e->data) : NULL;
	cJSON_AddItemToObject(o, "data", data ? data : cJSON_CreateObject());
	json_time(o, "created", e->created);
	return o;
}

/* -- looking ---------------------------------------------------------------------------------------------------------- */

bool api_look(struct exchange *x, bool (*look)(struct txn *, void *self, struct error *), void *self)
{
	struct error err = { 0 };

	if (store_read(x->service->store, look, self, &err))
		return true;
	answer_fault(x, &err);
	return false;
}

void answer_items(struct exchange *x, cJSON *items)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToObject(o, "items", items);
	answer_json(x, 200, o);
}
