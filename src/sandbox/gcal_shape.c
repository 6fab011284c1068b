/* How Calendar shows an event, and what it takes for one. */
#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/gapi.h"

#define ID_LETTERS "abcdefghijklmnopqrstuv0123456789"
#define DAY        86400

/* -- names ------------------------------------------------------------------------------------------------------------------------ */

const char *gcal_etag(struct arena *arena, uint64_t change)
{
	return arena_print(arena, "\"%llu\"", 3500000000000000ull + (unsigned long long)change * 2000);
}

const char *gcal_event_id(struct arena *arena, const struct item *item)
{
	cJSON      *o = item->google ? json_read(slice_str(item->google), WEB_LONGEST_REQUEST, NULL) : NULL;
	const char *id = json_text(o, "id") ? arena_str(arena, json_text(o, "id")) : arena_print(arena, "event%08x", item->lasting);

	cJSON_Delete(o);
	return id;
}

struct item *gcal_find(const struct gapi_ask *a, const struct folder *f, const char *id)
{
	for (struct item *i = a->mailbox->first; i; i = i->next)
		if (i->kind == ITEM_EVENT && i->folder == f && strcmp(gcal_event_id(a->work, i), id) == 0)
			return i;
	return NULL;
}

void gcal_forgotten(struct sandbox *s, const struct mailbox *m, const struct item *item)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct ggone *one = must_alloc(sizeof *one);

	*one = (struct ggone){ m->number, item->folder->number, m->change + 1, must_copy(gcal_event_id(work, item)), s->google->gone };
	s->google->gone = one;
}

/* -- shown -------------------------------------------------------------------------------------------------------------------------- */

/* Windows' name of what most here have; another that is none of IANA's is taken for the calendar's own. */
static const char *zone_of(const struct item *item)
{
	const char *zone = item->event.zone;

	return *zone && (strchr(zone, '/') || strcmp(zone, "UTC") == 0) ? zone : GCAL_ZONE;
}

static void add_time(struct gapi_ask *a, cJSON *o, const char *name, const struct item *item, int64_t at)
{
	const char *shown_in = gapi_query(a, "timeZone", 0);
	cJSON      *t = cJSON_CreateObject();

	cJSON_DeleteItemFromObject(o, name);
	cJSON_AddItemToObject(o, name, t);
	if (item->event.all_day) {
		cJSON_AddStringToObject(t, "date", arena_print(a->work, "%.10s", moment(a->work, at)));
		return;
	}
	cJSON_AddStringToObject(t, "dateTime", gcal_moment(a->work, shown_in ? shown_in : GCAL_ZONE, at));
	cJSON_AddStringToObject(t, "timeZone", zone_of(item));
}

static void set_text(cJSON *o, const char *name, const char *value)
{
	cJSON_DeleteItemFromObject(o, name);
	cJSON_AddStringToObject(o, name, value);
}

static void add_rule(struct gapi_ask *a, cJSON *o, const struct event *e)
{
	static const char *const days[] = { "SU", "MO", "TU", "WE", "TH", "FR", "SA" };
	const char *rule = arena_print(a->work, "RRULE:FREQ=%s", e->recurs.how == RECURS_DAILY ? "DAILY" : "WEEKLY"), *list = "";

	if (e->recurs.interval > 1)
		rule = arena_print(a->work, "%s;INTERVAL=%u", rule, e->recurs.interval);
	if (e->recurs.count)
		rule = arena_print(a->work, "%s;COUNT=%u", rule, e->recurs.count);
	else if (e->recurs.until)
		rule = arena_print(a->work, "%s;UNTIL=%s", rule, moment_short(a->work, e->recurs.until - 1));
	for (size_t i = 0; i < COUNT(days) && e->recurs.how == RECURS_WEEKLY; i++)
		if (e->recurs.days & 1u << i)
			list = arena_print(a->work, "%s%s%s", list, *list ? "," : "", days[i]);
	if (*list)
		rule = arena_print(a->work, "%s;BYDAY=%s", rule, list);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "recurrence"), cJSON_CreateString(rule));
}

static void add_attendees(cJSON *o, const struct people *p)
{
	cJSON *list = cJSON_AddArrayToObject(o, "attendees");

	for (size_t i = 0; i < p->count; i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddStringToObject(one, "email", p->list[i].address);
		cJSON_AddStringToObject(one, "responseStatus", "needsAction");
		cJSON_AddItemToArray(list, one);
	}
}

/* Of one that was made elsewhere. */
static cJSON *foreign(struct gapi_ask *a, const struct item *item)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "summary", item->shown.subject);
	if (*item->shown.text)
		cJSON_AddStringToObject(o, "description", item->shown.text);
	if (*item->event.location)
		cJSON_AddStringToObject(o, "location", item->event.location);
	if (*item->event.uid)
		cJSON_AddStringToObject(o, "iCalUID", item->event.uid);
	if (strcmp(item->event.busy, "Free") == 0)
		cJSON_AddStringToObject(o, "transparency", "transparent");
	if (item->event.recurs.how != RECURS_NOT)
		add_rule(a, o, &item->event);
	if (item->event.required.count)
		add_attendees(o, &item->event.required);
	return o;
}

static void add_self(struct gapi_ask *a, cJSON *o, const char *name)
{
	cJSON *who = cJSON_CreateObject();

	cJSON_DeleteItemFromObject(o, name);
	cJSON_AddItemToObject(o, name, who);
	cJSON_AddStringToObject(who, "email", a->account->mail);
	cJSON_AddBoolToObject(who, "self", true);
}

/* One occurrence of several. */
static void set_occurrence(struct gapi_ask *a, cJSON *o, const struct item *item, int64_t at)
{
	const char *id = gcal_event_id(a->work, item), *when = moment_short(a->work, at);

	set_text(o, "id", item->event.all_day ? arena_print(a->work, "%s_%.8s", id, when) : arena_print(a->work, "%s_%s", id, when));
	set_text(o, "recurringEventId", id);
	cJSON_DeleteItemFromObject(o, "recurrence");
	add_time(a, o, "originalStartTime", item, at);
}

cJSON *gcal_event(struct gapi_ask *a, const struct folder *f, const struct item *item, int64_t at)
{
	cJSON      *o = item->google ? json_read(slice_str(item->google), WEB_LONGEST_REQUEST, NULL) : NULL;
	const char *id = gcal_event_id(a->work, item);
	int64_t     start = at ? at : item->event.start;

	(void)f;
	o = o ? o : foreign(a, item);
	set_text(o, "kind", "calendar#event");
	set_text(o, "etag", gcal_etag(a->work, item->changed));
	set_text(o, "id", id);
	set_text(o, "status", json_text(o, "status") ? arena_str(a->work, json_text(o, "status")) : "confirmed");
	set_text(o, "htmlLink", arena_print(a->work, "https://www.google.com/calendar/event?eid=%s", id));
	set_text(o, "created", arena_print(a->work, "%.19s.000Z", moment(a->work, item->received)));
	set_text(o, "updated", arena_print(a->work, "%.19s.000Z", moment(a->work, item->received)));
	if (!json_text(o, "iCalUID"))
		set_text(o, "iCalUID", arena_print(a->work, "%s@google.com", id));
	add_self(a, o, "creator");
	add_self(a, o, "organizer");
	add_time(a, o, "start", item, start);
	add_time(a, o, "end", item, start + (item->event.end - item->event.start));
	if (!cJSON_GetObjectItem(o, "sequence"))
		cJSON_AddNumberToObject(o, "sequence", 0);
	set_text(o, "eventType", "default");
	if (at && item->event.recurs.how != RECURS_NOT)
		set_occurrence(a, o, item, at);
	return o;
}

cJSON *gcal_cancelled(const char *id, uint64_t change)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", "calendar#event");
	cJSON_AddStringToObject(o, "etag", gcal_etag(work, change));
	cJSON_AddStringToObject(o, "id", id);
	cJSON_AddStringToObject(o, "status", "cancelled");
	return o;
}

/* -- taken -------------------------------------------------------------------------------------------------------------------------- */

static bool has_offset(const char *text)
{
	size_t len = strlen(text);

	return len > 19 && (text[len - 1] == 'Z' || text[len - 1] == 'z' || text[len - 6] == '+' || text[len - 6] == '-');
}

bool gcal_time_read(const cJSON *given, int64_t *at, bool *day)
{
	const char *date = json_text(given, "date"), *time = json_text(given, "dateTime"), *zone = json_text(given, "timeZone");
	int64_t     local;

	*day = date != NULL;
	if (date)
		return strlen(date) == 10 && moment_read(date, at);
	if (!time || !moment_read(time, &local))
		return false;
	*at = local;
	return has_offset(time) || gcal_to_utc(zone ? zone : GCAL_ZONE, local, at);
}

static unsigned days_of(const char *text)
{
	static const char *const names[] = { "SU", "MO", "TU", "WE", "TH", "FR", "SA" };
	unsigned days = 0;

	for (size_t i = 0; text && i < COUNT(names); i++)
		days |= strstr(text, names[i]) ? 1u << i : 0;
	return days;
}

/* A rule of those that can be run through here; of others there is the first occurrence alone. */
static void read_rule(const cJSON *list, struct event *e)
{
	const cJSON *first = cJSON_GetArrayItem(list, 0);
	struct slice rest;

	e->recurs = (struct recurrence){ .how = RECURS_NOT };
	if (!cJSON_IsString(first) || !slice_starts(slice_str(first->valuestring), "RRULE:"))
		return;
	rest = slice_from(slice_str(first->valuestring), 6);
	e->recurs.interval = 1;
	while (rest.len) {
		struct slice       value = slice_cut(&rest, ';'), name = slice_cut(&value, '=');
		unsigned long long n = 0;
		char               text[64];

		snprintf(text, sizeof text, "%.*s", (int)value.len, value.at ? value.at : "");
		slice_number(value, 1000, &n);
		if (slice_is(name, "FREQ"))
			e->recurs.how = slice_is(value, "DAILY") ? RECURS_DAILY : slice_is(value, "WEEKLY") ? RECURS_WEEKLY : RECURS_NOT;
		else if (slice_is(name, "INTERVAL"))
			e->recurs.interval = n ? (unsigned)n : 1;
		else if (slice_is(name, "COUNT"))
			e->recurs.count = (unsigned)n;
		else if (slice_is(name, "BYDAY"))
			e->recurs.days = days_of(text);
		else if (slice_is(name, "UNTIL") && strlen(text) >= 8) {
			char day[16];

			snprintf(day, sizeof day, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
			if (moment_read(day, &e->recurs.until))
				e->recurs.until += DAY;
		}
	}
	if (!e->recurs.days)
		e->recurs.days = 1u << (e->start / DAY + 4) % 7;
}

/* NULL: all is well; or why not. */
static const char *wrong_times(const cJSON *given, int64_t *start, int64_t *end, bool *day)
{
	bool        ends_on_day;
	const char *zone = json_text(cJSON_GetObjectItem(given, "start"), "timeZone");
	int         east;

	if (!cJSON_GetObjectItem(given, "start") || !gcal_time_read(cJSON_GetObjectItem(given, "start"), start, day))
		return "Missing start time.";
	if (!cJSON_GetObjectItem(given, "end") || !gcal_time_read(cJSON_GetObjectItem(given, "end"), end, &ends_on_day))
		return "Missing end time.";
	if (*day != ends_on_day)
		return "Invalid start time.";
	if (zone && !gcal_offset(zone, *start, &east))
		return "Invalid time zone definition for start time.";
	return cJSON_GetObjectItem(given, "recurrence") && !*day && !zone ? "Missing time zone definition for start time." : NULL;
}

static void take_texts(struct item *item, const cJSON *given)
{
	const char *summary = json_text(given, "summary"), *text = json_text(given, "description"), *place = json_text(given, "location");
	const char *uid = json_text(given, "iCalUID"), *clear = json_text(given, "transparency");
	const char *zone = json_text(cJSON_GetObjectItem(given, "start"), "timeZone");

	item->shown.subject = arena_str(item->own, summary ? summary : "");
	item->shown.text = arena_str(item->own, text ? text : "");
	item->event.location = arena_str(item->own, place ? place : "");
	item->event.uid = arena_str(item->own, uid ? uid : "");
	item->event.zone = arena_str(item->own, zone ? zone : GCAL_ZONE);
	item->event.busy = clear && strcmp(clear, "transparent") == 0 ? "Free" : "Busy";
}

bool gcal_take(struct gapi_ask *a, struct item *item, cJSON *given)
{
	int64_t     start, end;
	bool        day;
	const char *wrong = wrong_times(given, &start, &end, &day);
	char       *text;

	if (wrong || end < start) {
		gapi_refuse(a, wrong ? "required" : "timeRangeEmpty", wrong);
		return false;
	}
	item->event.start = start;
	item->event.end = end;
	item->event.all_day = day;
	item->read = true;
	take_texts(item, given);
	read_rule(cJSON_GetObjectItem(given, "recurrence"), &item->event);
	text = cJSON_PrintUnformatted(given);
	item->google = arena_str(item->own, text);
	cJSON_free(text);
	return true;
}
