/* Calendars, and when people are busy. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

#define BUSY_MOST        50
#define OCCURRENCES_MOST 500

static bool is_calendar(const struct folder *f)
{
	return !f->gone && strcmp(f->class, "IPF.Appointment") == 0;
}

const char *gcal_id_of(struct gapi_ask *a, const struct folder *f)
{
	return f->known ? a->account->mail : arena_print(a->work, "c_%u@group.calendar.google.com", f->number);
}

static struct folder *find(struct gapi_ask *a, const char *id)
{
	for (size_t i = 0; i < a->mailbox->folders; i++) {
		struct folder *f = a->mailbox->folder[i];

		if (is_calendar(f) && (strcasecmp(gcal_id_of(a, f), id) == 0 || (f->known && strcmp(id, "primary") == 0)))
			return f;
	}
	return NULL;
}

struct folder *gcal_folder(struct gapi_ask *a, const char *id)
{
	struct folder *f = find(a, id);

	if (!f)
		gapi_refuse(a, "notFound", "Not Found");
	return f;
}

static cJSON *calendar_json(struct gapi_ask *a, const struct folder *f, bool entry)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", entry ? "calendar#calendarListEntry" : "calendar#calendar");
	cJSON_AddStringToObject(o, "etag", gcal_etag(a->work, f->changed));
	cJSON_AddStringToObject(o, "id", gcal_id_of(a, f));
	cJSON_AddStringToObject(o, "summary", f->known ? a->account->mail : f->name);
	cJSON_AddStringToObject(o, "timeZone", GCAL_ZONE);
	if (!entry)
		return o;
	cJSON_AddStringToObject(o, "colorId", "14");
	cJSON_AddStringToObject(o, "backgroundColor", "#9fe1e7");
	cJSON_AddStringToObject(o, "foregroundColor", "#000000");
	cJSON_AddBoolToObject(o, "selected", true);
	cJSON_AddStringToObject(o, "accessRole", "owner");
	cJSON_AddArrayToObject(o, "defaultReminders");
	if (f->known)
		cJSON_AddBoolToObject(o, "primary", true);
	return o;
}

/* Those that changed since a token was given; false: refused. */
static bool read_since(struct gapi_ask *a, unsigned long long *since)
{
	const char *token = gapi_query(a, "syncToken", 0);

	*since = 0;
	if (!token)
		return true;
	if (slice_starts(slice_str(token), "list") && slice_number(slice_from(slice_str(token), 4), UINT64_MAX, since) && *since <= a->mailbox->change
	    && !orders_take(&a->sandbox->orders, ORDER_DELTA_GONE))
		return true;
	gapi_refuse(a, "fullSyncRequired", NULL);
	return false;
}

void gcal_list_calendars(struct gapi_ask *a)
{
	unsigned long long since;
	cJSON             *o, *list;

	if (!read_since(a, &since))
		return;
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "kind", "calendar#calendarList");
	cJSON_AddStringToObject(o, "etag", gcal_etag(a->work, a->mailbox->change));
	cJSON_AddStringToObject(o, "nextSyncToken", arena_print(a->work, "list%llu", (unsigned long long)a->mailbox->change));
	list = cJSON_AddArrayToObject(o, "items");
	for (size_t i = 0; i < a->mailbox->folders; i++)
		if (is_calendar(a->mailbox->folder[i]) && a->mailbox->folder[i]->changed > since)
			cJSON_AddItemToArray(list, calendar_json(a, a->mailbox->folder[i], true));
	gapi_give(a, o);
}

void gcal_get_calendar(struct gapi_ask *a)
{
	struct folder *f = gcal_folder(a, a->arg[0]);

	if (f)
		gapi_give(a, calendar_json(a, f, false));
}

void gcal_get_entry(struct gapi_ask *a)
{
	struct folder *f = gcal_folder(a, a->arg[0]);

	if (f)
		gapi_give(a, calendar_json(a, f, true));
}

/* -- busy ------------------------------------------------------------------------------------------------------------------------ */

static void add_busy(struct gapi_ask *a, cJSON *list, const struct item *item, int64_t from, int64_t to)
{
	const struct event *e = &item->event;
	int64_t             at;

	for (unsigned n = 1; n <= OCCURRENCES_MOST && (at = event_occurrence(e, n)) && at < to; n++) {
		cJSON *one;

		if (at + (e->end - e->start) <= from)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "start", gcal_moment(a->work, "UTC", at > from ? at : from));
		cJSON_AddStringToObject(one, "end", gcal_moment(a->work, "UTC", at + (e->end - e->start) < to ? at + (e->end - e->start) : to));
		cJSON_AddItemToArray(list, one);
		if (e->recurs.how == RECURS_NOT)
			return;
	}
}

/* Of colleagues too, whose mailbox nobody else opens. */
static const struct folder *calendar_of(struct gapi_ask *a, const char *id, struct mailbox **m)
{
	struct account *other = google_account(a->sandbox, id);

	*m = a->mailbox;
	if (find(a, id))
		return find(a, id);
	*m = other && other->mailbox && google_domain(other) ? other->mailbox : NULL;
	return *m ? mailbox_known(*m, "calendar") : NULL;
}

static void add_calendar(struct gapi_ask *a, cJSON *all, const char *id, int64_t from, int64_t to)
{
	struct mailbox      *m;
	const struct folder *f = calendar_of(a, id, &m);
	cJSON               *o = cJSON_AddObjectToObject(all, id), *list, *one;

	if (!f) {
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "domain", "global");
		cJSON_AddStringToObject(one, "reason", "notFound");
		cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "errors"), one);
	}
	list = cJSON_AddArrayToObject(o, "busy");
	for (const struct item *i = f ? m->first : NULL; i; i = i->next)
		if (i->kind == ITEM_EVENT && i->folder == f && strcmp(i->event.busy, "Free") != 0)
			add_busy(a, list, i, from, to);
}

void gcal_free_busy(struct gapi_ask *a)
{
	cJSON       *given = gapi_body(a), *o, *all;
	const cJSON *one, *items = cJSON_GetObjectItem(given, "items");
	int64_t      from = 0, to = 0;

	if (!given)
		return;
	if (!json_text(given, "timeMin") || !json_text(given, "timeMax") || !moment_read(json_text(given, "timeMin"), &from)
	    || !moment_read(json_text(given, "timeMax"), &to)) {
		gapi_refuse(a, "required", "Missing timeMin parameter.");
	} else if (to <= from) {
		gapi_refuse(a, "timeRangeEmpty", NULL);
	} else if (cJSON_GetArraySize(items) > BUSY_MOST) {
		gapi_refuse(a, "invalid", "tooManyCalendarsRequested");
	} else {
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "kind", "calendar#freeBusy");
		cJSON_AddStringToObject(o, "timeMin", gcal_moment(a->work, "UTC", from));
		cJSON_AddStringToObject(o, "timeMax", gcal_moment(a->work, "UTC", to));
		all = cJSON_AddObjectToObject(o, "calendars");
		cJSON_ArrayForEach(one, items)
			if (json_text(one, "id"))
				add_calendar(a, all, json_text(one, "id"), from, to);
		gapi_give(a, o);
	}
	cJSON_Delete(given);
}
