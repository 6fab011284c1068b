/* Calendars and what is in them. */
#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/graph.h"
#include "sandbox/text.h"
#include "sandbox/zones.h"

#define OCCURRENCES_MOST 500

static const char *const weekdays[] = { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" };

/* -- how they are shown -------------------------------------------------------------------------------------------------- */

static const char *without_zone(struct arena *arena, int64_t when)
{
	const char *text = moment(arena, when);

	return arena_print(arena, "%.19s.0000000", text);
}

/* Prefer: outlook.timezone="…"; NULL: nobody prefers one. */
static const char *preferred_zone(struct msgraph_ask *a)
{
	static const char word[] = "outlook.timezone=\"";
	const char       *at = a->prefer ? strcasestr(a->prefer, word) : NULL;

	return at ? arena_copy(a->work, slice(at + strlen(word), strcspn(at + strlen(word), "\""))) : NULL;
}

/* By the clocks that are preferred, where they are known; else by UTC's. */
static void add_time(struct msgraph_ask *a, cJSON *o, const char *name, int64_t when)
{
	cJSON             *t = cJSON_AddObjectToObject(o, name);
	const char        *wish = preferred_zone(a);
	const struct zone *zone = zone_named(wish);
	bool               odd = orders_has(&a->sandbox->orders, ORDER_ZONE_ODD);

	cJSON_AddStringToObject(t, "dateTime", without_zone(a->work, zone ? zone_clock(zone, when) : when));
	cJSON_AddStringToObject(t, "timeZone", odd ? "tzone://Microsoft/Custom" : zone ? wish : "UTC");
}

static void add_range(struct msgraph_ask *a, cJSON *o, const struct event *e)
{
	cJSON *range = cJSON_AddObjectToObject(o, "range");

	cJSON_AddStringToObject(range, "type", e->recurs.count ? "numbered" : e->recurs.until ? "endDate" : "noEnd");
	cJSON_AddStringToObject(range, "startDate", arena_print(a->work, "%.10s", moment(a->work, e->start)));
	cJSON_AddStringToObject(range, "endDate", e->recurs.until ? arena_print(a->work, "%.10s", moment(a->work, e->recurs.until - 1)) : "0001-01-01");
	cJSON_AddNumberToObject(range, "numberOfOccurrences", e->recurs.count);
	cJSON_AddStringToObject(range, "recurrenceTimeZone", "UTC");
}

static void add_recurrence(struct msgraph_ask *a, cJSON *o, const struct event *e)
{
	cJSON *r, *pattern, *days;

	if (e->recurs.how == RECURS_NOT) {
		cJSON_AddNullToObject(o, "recurrence");
		return;
	}
	r = cJSON_AddObjectToObject(o, "recurrence");
	pattern = cJSON_AddObjectToObject(r, "pattern");
	cJSON_AddStringToObject(pattern, "type", e->recurs.how == RECURS_DAILY ? "daily" : "weekly");
	cJSON_AddNumberToObject(pattern, "interval", e->recurs.interval);
	if (e->recurs.how == RECURS_WEEKLY) {
		days = cJSON_AddArrayToObject(pattern, "daysOfWeek");
		for (size_t i = 0; i < COUNT(weekdays); i++)
			if (e->recurs.days & 1u << i)
				cJSON_AddItemToArray(days, cJSON_CreateString(weekdays[i]));
	}
	add_range(a, r, e);
}

static void add_attendees(cJSON *list, const struct people *p, const char *type)
{
	for (size_t i = 0; i < p->count; i++) {
		cJSON *one = msgraph_person(p->list[i].name, p->list[i].address);

		cJSON_AddStringToObject(one, "type", type);
		cJSON_AddStringToObject(cJSON_AddObjectToObject(one, "status"), "response", "none");
		cJSON_AddItemToArray(list, one);
	}
}

static void add_kind(struct msgraph_ask *a, cJSON *o, const struct item *item, unsigned instance)
{
	bool recurs = item->event.recurs.how != RECURS_NOT;

	cJSON_AddStringToObject(o, "type", !recurs ? "singleInstance" : instance ? "occurrence" : "seriesMaster");
	if (instance && recurs)
		cJSON_AddStringToObject(o, "seriesMasterId", msgraph_item_id(a, item, 0));
	else
		cJSON_AddNullToObject(o, "seriesMasterId");
}

static const char *lower(struct arena *arena, const char *text)
{
	char *out = arena_str(arena, text);

	*out = *out >= 'A' && *out <= 'Z' ? (char)(*out - 'A' + 'a') : *out;
	return out;
}

cJSON *msgraph_event(struct msgraph_ask *a, const struct item *item, unsigned instance, int64_t at)
{
	const struct event *e = &item->event;
	cJSON              *o = cJSON_CreateObject(), *body, *list;
	int64_t             start = at ? at : e->start;

	cJSON_AddStringToObject(o, "@odata.etag", arena_print(a->work, "W/\"CQ%llu\"", (unsigned long long)item->changed));
	cJSON_AddStringToObject(o, "id", msgraph_item_id(a, item, instance));
	cJSON_AddStringToObject(o, "iCalUId", e->uid);
	cJSON_AddStringToObject(o, "subject", item->shown.subject);
	cJSON_AddStringToObject(o, "bodyPreview", item->shown.text);
	body = cJSON_AddObjectToObject(o, "body");
	cJSON_AddStringToObject(body, "contentType", item->shown.is_html ? "html" : "text");
	cJSON_AddStringToObject(body, "content", item->shown.text);
	add_time(a, o, "start", start);
	add_time(a, o, "end", start + (e->end - e->start));
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "location"), "displayName", e->location);
	cJSON_AddBoolToObject(o, "isAllDay", e->all_day);
	cJSON_AddBoolToObject(o, "isCancelled", false);
	cJSON_AddBoolToObject(o, "isOrganizer", true);
	cJSON_AddStringToObject(o, "sensitivity", e->private ? "private" : "normal");
	if (e->transaction)
		cJSON_AddStringToObject(o, "transactionId", e->transaction);
	cJSON_AddStringToObject(o, "showAs", lower(a->work, e->busy));
	cJSON_AddStringToObject(o, "originalStartTimeZone", *e->zone ? e->zone : "UTC");
	cJSON_AddStringToObject(o, "originalEndTimeZone", *e->zone ? e->zone : "UTC");
	add_kind(a, o, item, instance);
	add_recurrence(a, o, e);
	list = cJSON_AddArrayToObject(o, "attendees");
	add_attendees(list, &e->required, "required");
	add_attendees(list, &e->optional, "optional");
	cJSON_AddItemToObject(o, "organizer", msgraph_person(a->account->display, a->account->mail));
	return o;
}

/* -- calendars ------------------------------------------------------------------------------------------------------------- */

static cJSON *calendar_shown(struct msgraph_ask *a, const struct folder *f)
{
	cJSON *o = cJSON_CreateObject(), *owner;

	cJSON_AddStringToObject(o, "id", msgraph_folder_id(a, f));
	cJSON_AddStringToObject(o, "name", f->name);
	cJSON_AddStringToObject(o, "color", "auto");
	cJSON_AddBoolToObject(o, "isDefaultCalendar", f->known != NULL);
	cJSON_AddBoolToObject(o, "canEdit", !orders_has(&a->sandbox->orders, ORDER_CALENDAR_READ_ONLY));
	cJSON_AddBoolToObject(o, "canShare", true);
	cJSON_AddBoolToObject(o, "canViewPrivateItems", true);
	owner = cJSON_AddObjectToObject(o, "owner");
	cJSON_AddStringToObject(owner, "name", a->account->display);
	cJSON_AddStringToObject(owner, "address", a->account->mail);
	return msgraph_selected(a, o, form_get(&a->query, "$select"));
}

static bool is_calendar(const struct folder *f)
{
	return !f->gone && strcmp(f->class, "IPF.Appointment") == 0;
}

void msgraph_list_calendars(struct msgraph_ask *a)
{
	cJSON *value, *page = msgraph_page(a, "users('me')/calendars", &value);

	for (size_t i = 0; i < a->mailbox->folders; i++)
		if (is_calendar(a->mailbox->folder[i]))
			cJSON_AddItemToArray(value, calendar_shown(a, a->mailbox->folder[i]));
	msgraph_give(a, 200, page);
}

/* That of the path, or the default one; NULL: refused. */
static struct folder *calendar_of(struct msgraph_ask *a, const char *id)
{
	struct folder *f = id ? msgraph_folder(a, id) : mailbox_known(a->mailbox, "calendar");

	if (f && is_calendar(f))
		return f;
	if (f || !id)
		msgraph_refuse(a, "ErrorItemNotFound", 0, NULL);
	return NULL;
}

void msgraph_get_calendar(struct msgraph_ask *a)
{
	struct folder *f = calendar_of(a, a->arg[0]);

	if (f)
		msgraph_give(a, 200, calendar_shown(a, f));
}

/* -- reading ----------------------------------------------------------------------------------------------------------------- */

bool event_in(const struct event *e, int64_t from, int64_t to)
{
	int64_t at;

	for (unsigned n = 1; n <= OCCURRENCES_MOST && (at = event_occurrence(e, n)) && at < to; n++)
		if (at + (e->end - e->start) > from)
			return true;
	return false;
}

void msgraph_list_events(struct msgraph_ask *a)
{
	struct folder *f = calendar_of(a, a->arg[0]);
	size_t         most = msgraph_page_size(a), skip = strtoul(form_text(&a->query, "$skip"), NULL, 10), n = 0;
	const char    *wish = form_get(&a->query, "$filter");
	struct filter  filter = { .terms = 0 };
	cJSON         *page, *value, *one;

	if (!f)
		return;
	if (wish && !filter_read(a->work, wish, &filter)) {
		msgraph_refuse(a, "ErrorInvalidUrlQuery", 0, NULL);
		return;
	}
	page = msgraph_page(a, "users('me')/events", &value);
	for (struct item *i = a->mailbox->first; i; i = i->next) {
		if (i->kind != ITEM_EVENT || i->folder != f)
			continue;
		one = msgraph_event(a, i, 0, 0);
		if (!filter_takes(&filter, one) || n++ < skip) {
			cJSON_Delete(one);
			continue;
		}
		if (n > skip + most) {
			cJSON_Delete(one);
			struct form next = { .count = 0 };

			form_put(&next, "$top", arena_print(a->work, "%zu", most));
			form_put(&next, "$skip", arena_print(a->work, "%zu", skip + most));
			msgraph_link(a, page, "@odata.nextLink", &next);
			break;
		}
		cJSON_AddItemToArray(value, msgraph_selected(a, one, form_get(&a->query, "$select")));
	}
	msgraph_give(a, 200, page);
}

static void add_occurrences(struct msgraph_ask *a, cJSON *value, const struct item *item, int64_t from, int64_t to)
{
	const struct event *e = &item->event;
	bool                recurs = e->recurs.how != RECURS_NOT;
	int64_t             at;

	for (unsigned n = 1; n <= (recurs ? OCCURRENCES_MOST : 1u) && (at = event_occurrence(e, n)) && at < to; n++)
		if (at + (e->end - e->start) > from)
			cJSON_AddItemToArray(value, msgraph_selected(a, msgraph_event(a, item, recurs ? n : 0, at), form_get(&a->query, "$select")));
}

void msgraph_calendar_view(struct msgraph_ask *a)
{
	struct folder *f = calendar_of(a, a->arg[0]);
	int64_t        from, to;
	cJSON         *page, *value;

	if (!f)
		return;
	if (!moment_read(form_get(&a->query, "startDateTime"), &from) || !moment_read(form_get(&a->query, "endDateTime"), &to)) {
		msgraph_refuse(a, "ErrorInvalidUrlQuery", 0, "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.");
		return;
	}
	page = msgraph_page(a, "users('me')/calendarView", &value);
	for (struct item *i = a->mailbox->first; i; i = i->next)
		if (i->kind == ITEM_EVENT && i->folder == f)
			add_occurrences(a, value, i, from, to);
	msgraph_give(a, 200, page);
}

void msgraph_get_event(struct msgraph_ask *a)
{
	unsigned     instance = 0;
	struct item *item = msgraph_item(a, a->arg[0], ITEM_EVENT, &instance);
	int64_t      at = item && instance ? event_occurrence(&item->event, instance) : 0;

	if (item)
		msgraph_give(a, 200, msgraph_selected(a, msgraph_event(a, item, instance, at), form_get(&a->query, "$select")));
}

/* -- writing ----------------------------------------------------------------------------------------------------------------- */

/* True: refused, as somebody's calendar that is only shown to them. */
static bool is_read_only(struct msgraph_ask *a)
{
	const struct ordered *o = orders_take(&a->sandbox->orders, ORDER_CALENDAR_READ_ONLY);

	if (o)
		msgraph_refuse(a, o->value ? o->value : "ErrorAccessDenied", 0, NULL);
	return o;
}

/* {"dateTime":…,"timeZone":…}. False: refused. */
static bool read_time(struct msgraph_ask *a, const cJSON *given, const char *name, int64_t *out)
{
	const cJSON *t = cJSON_GetObjectItem(given, name);
	const char  *wish = json_text(t, "timeZone");
	const struct zone    *zone = zone_named(wish ? wish : "UTC");
	const struct ordered *unknown = orders_has(&a->sandbox->orders, ORDER_ZONE_UNKNOWN);

	if (!t)
		return true;
	if (!zone || (unknown && zone_named(unknown->value) == zone)) {
		msgraph_refuse(a, "TimeZoneNotSupportedException", 400,
		               arena_print(a->work, "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", wish));
		return false;
	}
	if (orders_has(&a->sandbox->orders, ORDER_ZONE_IGNORED))
		zone = zone_named("UTC");
	if (moment_read(json_text(t, "dateTime"), out)) {
		*out = zone_moment(zone, *out);
		return true;
	}
	msgraph_refuse(a, "RequestBodyRead", 0, NULL);
	return false;
}

static unsigned days_of(const cJSON *list)
{
	unsigned     days = 0;
	const cJSON *one;

	cJSON_ArrayForEach(one, list)
		for (size_t i = 0; cJSON_IsString(one) && i < COUNT(weekdays); i++)
			days |= strcasecmp(one->valuestring, weekdays[i]) == 0 ? 1u << i : 0;
	return days;
}

static void read_recurrence(const cJSON *given, struct event *e)
{
	const cJSON *r = cJSON_GetObjectItem(given, "recurrence"), *pattern = cJSON_GetObjectItem(r, "pattern"), *range = cJSON_GetObjectItem(r, "range");
	const char  *type = json_text(pattern, "type"), *ends = json_text(range, "type");
	int64_t      day;

	if (!type || (strcmp(type, "daily") != 0 && strcmp(type, "weekly") != 0))
		return;
	e->recurs.how = strcmp(type, "daily") == 0 ? RECURS_DAILY : RECURS_WEEKLY;
	e->recurs.interval = (unsigned)json_number(pattern, "interval", 1);
	if (e->recurs.interval < 1 || e->recurs.interval > 99)
		e->recurs.interval = 1;
	e->recurs.days = days_of(cJSON_GetObjectItem(pattern, "daysOfWeek"));
	if (!e->recurs.days)
		e->recurs.days = 1u << (e->start / 86400 + 4) % 7;
	e->recurs.count = ends && strcmp(ends, "numbered") == 0 ? (unsigned)json_number(range, "numberOfOccurrences", 1) % 1000 : 0;
	if (ends && strcmp(ends, "endDate") == 0 && moment_read(json_text(range, "endDate"), &day))
		e->recurs.until = day + 86400;
}

static void read_attendees(struct msgraph_ask *a, struct item *item, const cJSON *list)
{
	struct people *p = &item->event.required;
	const cJSON   *one;

	(void)a;
	p->count = 0;
	p->list = arena_get(item->own, (size_t)cJSON_GetArraySize(list) * sizeof *p->list + 1);
	cJSON_ArrayForEach(one, list) {
		const cJSON *e = cJSON_GetObjectItem(one, "emailAddress");
		const char  *name = json_text(e, "name"), *address = json_text(e, "address");

		if (address)
			p->list[p->count++] = (struct person){ arena_str(item->own, name ? name : ""), arena_str(item->own, address) };
	}
}

static void read_texts(struct item *item, const cJSON *given)
{
	const cJSON *body = cJSON_GetObjectItem(given, "body"), *day = cJSON_GetObjectItem(given, "isAllDay");
	const char  *subject = json_text(given, "subject"), *text = json_text(body, "content"), *type = json_text(body, "contentType");
	const char  *place = json_text(cJSON_GetObjectItem(given, "location"), "displayName");
	const char  *busy = json_text(given, "showAs"), *sensitivity = json_text(given, "sensitivity");

	if (subject)
		item->shown.subject = arena_str(item->own, subject);
	if (text)
		item->shown.text = arena_str(item->own, text);
	if (type)
		item->shown.is_html = strcasecmp(type, "html") == 0;
	if (place)
		item->event.location = arena_str(item->own, place);
	if (busy)
		item->event.busy = arena_str(item->own, busy);
	if (sensitivity)
		item->event.private = strcmp(sensitivity, "private") == 0;
	if (cJSON_IsBool(day))
		item->event.all_day = cJSON_IsTrue(day);
}

/* Whoever says the same transaction again gets what came of it the first time. */
static bool is_there(struct msgraph_ask *a, const struct folder *f, const cJSON *given)
{
	const char *transaction = json_text(given, "transactionId");

	for (struct item *i = transaction ? a->mailbox->first : NULL; i; i = i->next)
		if (i->kind == ITEM_EVENT && i->folder == f && i->event.transaction && strcmp(i->event.transaction, transaction) == 0) {
			msgraph_give(a, 201, msgraph_event(a, i, 0, 0));
			return true;
		}
	return false;
}

void msgraph_add_event(struct msgraph_ask *a)
{
	struct folder *f = calendar_of(a, a->arg[0]);
	cJSON         *given = f ? json_read(a->body, WEB_LONGEST_REQUEST, NULL) : NULL;
	struct item   *item;
	int64_t        start = 0, end = 0;

	if (f && !given)
		msgraph_refuse(a, "RequestBodyRead", 0, NULL);
	if (!given || is_read_only(a) || is_there(a, f, given) || !read_time(a, given, "start", &start) || !read_time(a, given, "end", &end)) {
		cJSON_Delete(given);
		return;
	}
	item = mailbox_add_event(a->mailbox, f, now_s());
	item->event.start = start;
	item->event.end = end > start ? end : start;
	item->event.uid = arena_print(item->own, "040000008200E00074C5B7101A82E008%s", random_text(a->work, 20));
	item->read = true;
	if (json_text(given, "transactionId"))
		item->event.transaction = arena_str(item->own, json_text(given, "transactionId"));
	read_texts(item, given);
	read_recurrence(given, &item->event);
	read_attendees(a, item, cJSON_GetObjectItem(given, "attendees"));
	cJSON_Delete(given);
	msgraph_happened(a, HAPPENED_CREATED, item, NULL);
	msgraph_give(a, 201, msgraph_event(a, item, 0, 0));
}

void msgraph_update_event(struct msgraph_ask *a)
{
	struct item *item = msgraph_item(a, a->arg[0], ITEM_EVENT, NULL);
	cJSON       *given = item ? json_read(a->body, WEB_LONGEST_REQUEST, NULL) : NULL;

	if (item && !given)
		msgraph_refuse(a, "RequestBodyRead", 0, NULL);
	if (given && !is_read_only(a) && read_time(a, given, "start", &item->event.start) && read_time(a, given, "end", &item->event.end)) {
		read_texts(item, given);
		mailbox_touch(a->mailbox, item);
		msgraph_happened(a, HAPPENED_MODIFIED, item, NULL);
		msgraph_give(a, 200, msgraph_event(a, item, 0, 0));
	}
	cJSON_Delete(given);
}

/* To the bin, or for good. */
static void remove_event(struct msgraph_ask *a, bool for_good)
{
	struct item   *item = msgraph_item(a, a->arg[0], ITEM_EVENT, NULL);
	struct folder *bin = mailbox_known(a->mailbox, "deleteditems");

	if (!item || is_read_only(a))
		return;
	msgraph_happened(a, HAPPENED_DELETED, item, NULL);
	if (!for_good && item->folder != bin)
		mailbox_copy(a->mailbox, item, bin, now_s());
	mailbox_drop(a->mailbox, item);
	a->status = 204;
}

void msgraph_delete_event(struct msgraph_ask *a)
{
	remove_event(a, false);
}

void msgraph_drop_event(struct msgraph_ask *a)
{
	remove_event(a, true);
}
