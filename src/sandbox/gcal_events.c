/* Events: listed whole or by what changed, read, written, gone (facts G C). */
#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/gapi.h"

#define PAGE             250
#define PAGE_MOST        2500
#define OCCURRENCES_MOST 366

/* -- what is asked for -------------------------------------------------------------------------------------------------------------- */

/* "p.FOLDER.SINCE.UPTO.ITEM.GONE" and "s.FOLDER.SINGLE.UPTO", coded: nobody shall read them. */
struct listing {
	struct folder     *folder;
	bool               single, by_start, deleted, restricted;
	unsigned long long since, upto, item, gone;      /* changes told before, changes that are; the last one of the page before */
	int64_t            from, to;
	const char        *q, *uid, *property;
};

static bool read_token(struct gapi_ask *a, const char *token, char kind, unsigned long long *const n[], size_t count)
{
	struct slice bytes, rest;

	if (!gmail_base64_read(a->work, token, &bytes) || !bytes.len)
		return false;
	rest = bytes;
	if (slice_cut(&rest, '.').len != 1 || bytes.at[0] != kind)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!slice_number(slice_cut(&rest, '.'), UINT64_MAX, n[i]))
			return false;
	return true;
}

static const char *coded(struct gapi_ask *a, const char *text)
{
	return base64url_of(a->work, slice_str(text));
}

static bool is_restricted(const struct gapi_ask *a)
{
	static const char *const not_with[] = { "timeMin", "timeMax", "updatedMin", "q", "orderBy", "iCalUID", "privateExtendedProperty", "sharedExtendedProperty" };

	for (size_t i = 0; i < COUNT(not_with); i++)
		if (gapi_query(a, not_with[i], 0))
			return true;
	return false;
}

/* False: refused. */
static bool read_since(struct gapi_ask *a, struct listing *l)
{
	const char        *token = gapi_query(a, "syncToken", 0), *page = gapi_query(a, "pageToken", 0);
	unsigned long long folder = l->folder->number, single = l->single;
	unsigned long long *const of_token[] = { &folder, &single, &l->since };
	unsigned long long *const of_page[] = { &folder, &l->since, &l->upto, &l->item, &l->gone };

	if (token && is_restricted(a)) {
		gapi_refuse(a, "badRequest", "Sync token cannot be used with other query restrictions.");
		return false;
	}
	if (token && (!read_token(a, token, 's', of_token, COUNT(of_token)) || folder != l->folder->number || l->since > a->mailbox->change
	              || orders_take(&a->sandbox->orders, ORDER_DELTA_GONE))) {
		gapi_refuse(a, "fullSyncRequired", NULL);
		return false;
	}
	if (token && (single != 0) != l->single) {
		gapi_refuse(a, "badRequest", "Sync token was obtained with other parameters.");
		return false;
	}
	l->upto = a->mailbox->change;
	if (page && (!read_token(a, page, 'p', of_page, COUNT(of_page)) || folder != l->folder->number)) {
		gapi_refuse(a, "invalid", "Invalid page token value.");
		return false;
	}
	return true;
}

static bool read_listing(struct gapi_ask *a, struct listing *l)
{
	const char *order = gapi_query(a, "orderBy", 0), *from = gapi_query(a, "timeMin", 0), *to = gapi_query(a, "timeMax", 0);

	*l = (struct listing){ .folder = gcal_folder(a, a->arg[0]), .single = gapi_query_is(a, "singleEvents"), .deleted = gapi_query_is(a, "showDeleted"),
	                       .to = INT64_MAX, .from = INT64_MIN, .q = gapi_query(a, "q", 0), .uid = gapi_query(a, "iCalUID", 0),
	                       .property = gapi_query(a, "privateExtendedProperty", 0) };
	if (!l->folder)
		return false;
	l->by_start = order && strcmp(order, "startTime") == 0;
	l->restricted = l->q || l->uid || l->property || order || gapi_query(a, "updatedMin", 0);
	if (l->by_start && !l->single)
		gapi_refuse(a, "badRequest", "The requested ordering is not available for the particular query.");
	else if ((from && !moment_read(from, &l->from)) || (to && !moment_read(to, &l->to)))
		gapi_refuse(a, "badRequest", "Bad Request");
	else if (l->to <= l->from)
		gapi_refuse(a, "timeRangeEmpty", NULL);
	else
		return read_since(a, l);
	return false;
}

static bool has_property(struct gapi_ask *a, const struct item *i, const char *wanted)
{
	struct slice rest = slice_str(wanted), name = slice_cut(&rest, '=');
	cJSON       *o = i->google ? json_read(slice_str(i->google), WEB_LONGEST_REQUEST, NULL) : NULL;
	const char  *value = json_text(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "extendedProperties"), "private"), arena_copy(a->work, name));
	bool         same = value && slice_equal(slice_str(value), rest);

	cJSON_Delete(o);
	return same;
}

static bool is_asked(struct gapi_ask *a, const struct listing *l, const struct item *i)
{
	const char *uid;

	if (i->kind != ITEM_EVENT || i->folder != l->folder || (i->changed > i->made ? i->changed : i->made) <= l->since)
		return false;
	uid = *i->event.uid ? i->event.uid : arena_print(a->work, "%s@google.com", gcal_event_id(a->work, i));
	return (!l->q || slice_has(slice_str(i->shown.subject), l->q) || slice_has(slice_str(i->shown.text), l->q))
	    && (!l->uid || strcmp(uid, l->uid) == 0) && (!l->property || has_property(a, i, l->property));
}

/* -- the pages ------------------------------------------------------------------------------------------------------------------------ */

/* True: something of it lies in the time that is asked about. */
static bool add_item_events(struct gapi_ask *a, const struct listing *l, const struct item *i, cJSON *list)
{
	const struct event *e = &i->event;
	bool                any = false;
	int64_t             at, long_s = e->end - e->start;
	unsigned            most = e->recurs.how == RECURS_NOT ? 1 : OCCURRENCES_MOST;

	for (unsigned n = 1; n <= most && (at = event_occurrence(e, n)) && at < l->to; n++) {
		if (at + long_s <= l->from && at < l->from)
			continue;
		any = true;
		cJSON_AddItemToArray(list, gcal_event(a, l->folder, i, l->single && most > 1 ? at : 0));
		if (!l->single)
			break;
	}
	/* 1970 itself is no occurrence */
	if (!any && !e->start && l->from < 0)
		cJSON_AddItemToArray(list, gcal_event(a, l->folder, i, 0));
	return any;
}

static const char *start_of(const cJSON *event)
{
	const cJSON *t = cJSON_GetObjectItem(event, "start");

	return json_text(t, "dateTime") ? json_text(t, "dateTime") : json_text(t, "date") ? json_text(t, "date") : "";
}

static int by_start(const void *a, const void *b)
{
	int64_t x = 0, y = 0;

	moment_read(start_of(*(cJSON *const *)a), &x);
	moment_read(start_of(*(cJSON *const *)b), &y);
	return x < y ? -1 : x > y;
}

static void sort_by_start(struct gapi_ask *a, cJSON *list)
{
	size_t  count = (size_t)cJSON_GetArraySize(list), n = 0;
	cJSON **all = arena_get(a->work, (count + 1) * sizeof *all);

	while (list->child)
		all[n++] = cJSON_DetachItemViaPointer(list, list->child);
	qsort(all, n, sizeof *all, by_start);
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, all[i]);
}

static int by_number(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* True: there are more, and `l` says from where. */
static bool add_items(struct gapi_ask *a, struct listing *l, cJSON *list, size_t most)
{
	const struct item **all = arena_get(a->work, (a->mailbox->items + 1) * sizeof *all);
	size_t              count = 0;

	for (const struct item *i = a->mailbox->first; i; i = i->next)
		if (i->number > l->item && is_asked(a, l, i))
			all[count++] = i;
	qsort(all, count, sizeof *all, by_number);
	for (size_t i = 0; i < count; i++) {
		if ((size_t)cJSON_GetArraySize(list) >= most)
			return true;
		add_item_events(a, l, all[i], list);
		l->item = all[i]->number;
	}
	return false;
}

static bool add_gone(struct gapi_ask *a, struct listing *l, cJSON *list, size_t most)
{
	if (!l->since && !l->deleted)
		return false;
	/* the oldest first, of a list that has the newest first */
	for (;;) {
		const struct ggone *next = NULL;
		unsigned long long  after = l->gone > l->since ? l->gone : l->since;

		for (const struct ggone *g = a->sandbox->google->gone; g; g = g->older)
			if (g->mailbox == a->mailbox->number && g->folder == l->folder->number && g->change > after)
				next = g;
		if (!next)
			return false;
		if ((size_t)cJSON_GetArraySize(list) >= most)
			return true;
		cJSON_AddItemToArray(list, gcal_cancelled(next->id, next->change));
		l->gone = next->change;
	}
}

void gcal_list_events(struct gapi_ask *a)
{
	struct listing l;
	size_t         most = gapi_most(a, PAGE, PAGE_MOST);
	cJSON         *o, *list;
	bool           more;

	if (!read_listing(a, &l))
		return;
	list = cJSON_CreateArray();
	more = add_items(a, &l, list, most) || add_gone(a, &l, list, most);
	if (l.by_start)
		sort_by_start(a, list);
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "kind", "calendar#events");
	cJSON_AddStringToObject(o, "etag", gcal_etag(a->work, a->mailbox->change));
	cJSON_AddStringToObject(o, "summary", l.folder->known ? a->account->mail : l.folder->name);
	cJSON_AddStringToObject(o, "timeZone", gapi_query(a, "timeZone", 0) ? gapi_query(a, "timeZone", 0) : GCAL_ZONE);
	cJSON_AddStringToObject(o, "accessRole", "owner");
	cJSON_AddArrayToObject(o, "defaultReminders");
	if (more)
		cJSON_AddStringToObject(o, "nextPageToken", coded(a, arena_print(a->work, "p.%u.%llu.%llu.%llu.%llu", l.folder->number, l.since, l.upto, l.item, l.gone)));
	else if (!l.restricted)
		cJSON_AddStringToObject(o, "nextSyncToken", coded(a, arena_print(a->work, "s.%u.%d.%llu", l.folder->number, l.single, l.upto)));
	cJSON_AddItemToObject(o, "items", list);
	gapi_give(a, o);
}

/* -- one ------------------------------------------------------------------------------------------------------------------------------- */

static bool is_gone(const struct gapi_ask *a, const struct folder *f, const char *id)
{
	for (const struct ggone *g = a->sandbox->google->gone; g; g = g->older)
		if (g->mailbox == a->mailbox->number && g->folder == f->number && strcmp(g->id, id) == 0)
			return true;
	return false;
}

/* "ID_20260101T090000Z": when that occurrence is; 0: there is none, or it is no such id. */
static int64_t occurrence_of(struct gapi_ask *a, const struct folder *f, const char *id, struct item **item)
{
	const char *line = strrchr(id, '_');
	int64_t     at;

	*item = line ? gcal_find(a, f, arena_copy(a->work, slice(id, (size_t)(line - id)))) : NULL;
	for (unsigned n = 1; *item && n <= OCCURRENCES_MOST && (at = event_occurrence(&(*item)->event, n)); n++)
		if (slice_starts(slice_str(moment_short(a->work, at)), line + 1))
			return at;
	return 0;
}

void gcal_get_event(struct gapi_ask *a)
{
	struct folder *f = gcal_folder(a, a->arg[0]);
	struct item   *item = f ? gcal_find(a, f, a->arg[1]) : NULL;
	int64_t        at = f && !item ? occurrence_of(a, f, a->arg[1], &item) : 0;

	if (item && (at || gcal_find(a, f, a->arg[1])))
		gapi_give(a, gcal_event(a, f, item, at));
	else if (f && is_gone(a, f, a->arg[1]))
		gapi_give(a, gcal_cancelled(a->arg[1], a->mailbox->change));
	else if (f)
		gapi_refuse(a, "notFound", "Not Found");
}

/* NULL: refused. */
static struct item *to_change(struct gapi_ask *a, struct folder **f)
{
	struct item *item;

	*f = gcal_folder(a, a->arg[0]);
	if (!*f)
		return NULL;
	item = gcal_find(a, *f, a->arg[1]);
	if (!item && is_gone(a, *f, a->arg[1]))
		gapi_refuse(a, "deleted", NULL);
	else if (!item)
		gapi_refuse(a, "notFound", "Not Found");
	else if (a->if_match && strcmp(a->if_match, "*") != 0 && strcmp(a->if_match, gcal_etag(a->work, item->changed)) != 0)
		gapi_refuse(a, "conditionNotMet", NULL);
	else
		return item;
	return NULL;
}

static bool is_id(const char *id)
{
	size_t len = strlen(id);

	return len >= 5 && len <= 1024 && strspn(id, "abcdefghijklmnopqrstuv0123456789") == len;
}

static const char *new_id(struct arena *arena)
{
	unsigned char dice[26];
	char         *id = arena_get(arena, sizeof dice + 1);

	random_bytes(dice, sizeof dice);
	for (size_t i = 0; i < sizeof dice; i++)
		id[i] = "abcdefghijklmnopqrstuv0123456789"[dice[i] % 32];
	return id;
}

static void add_one(struct gapi_ask *a, bool keeps_uid)
{
	struct folder *f = gcal_folder(a, a->arg[0]);
	cJSON         *given = f ? gapi_body(a) : NULL;
	const char    *id = json_text(given, "id");
	struct item   *item;

	if (!given)
		return;
	if (id && !is_id(id)) {
		gapi_refuse(a, "invalid", "Invalid resource id value.");
	} else if (id && (gcal_find(a, f, id) || is_gone(a, f, id))) {
		gapi_refuse(a, "duplicate", NULL);
	} else if (keeps_uid && !json_text(given, "iCalUID")) {
		gapi_refuse(a, "required", "Missing iCal UID.");
	} else {
		if (!id)
			cJSON_AddStringToObject(given, "id", new_id(a->work));
		item = mailbox_add_event(a->mailbox, f, now_s());
		if (gcal_take(a, item, given)) {
			gapi_happened(a, HAPPENED_CREATED, item, NULL);
			gapi_give(a, gcal_event(a, f, item, 0));
		} else {
			mailbox_drop(a->mailbox, item);
		}
	}
	cJSON_Delete(given);
}

void gcal_add_event(struct gapi_ask *a)
{
	add_one(a, false);
}

void gcal_import_event(struct gapi_ask *a)
{
	add_one(a, true);
}

/* What is given goes over what is there; null takes away. */
static cJSON *patched(struct gapi_ask *a, const struct folder *f, const struct item *item, const cJSON *given)
{
	cJSON       *o = gcal_event(a, f, item, 0);
	const cJSON *one;

	cJSON_ArrayForEach(one, given) {
		cJSON_DeleteItemFromObject(o, one->string);
		if (!cJSON_IsNull(one))
			cJSON_AddItemToObject(o, one->string, cJSON_Duplicate(one, true));
	}
	return o;
}

void gcal_update_event(struct gapi_ask *a)
{
	struct folder *f;
	struct item   *item = to_change(a, &f);
	cJSON         *given = item ? gapi_body(a) : NULL, *whole;
	const char    *id = given ? gcal_event_id(a->work, item) : NULL;

	if (!given)
		return;
	whole = strcmp(a->method, "PATCH") == 0 ? patched(a, f, item, given) : cJSON_Duplicate(given, true);
	cJSON_DeleteItemFromObject(whole, "id");
	cJSON_AddStringToObject(whole, "id", id);
	if (gcal_take(a, item, whole)) {
		mailbox_touch(a->mailbox, item);
		gapi_happened(a, HAPPENED_MODIFIED, item, NULL);
		gapi_give(a, gcal_event(a, f, item, 0));
	}
	cJSON_Delete(whole);
	cJSON_Delete(given);
}

void gcal_delete_event(struct gapi_ask *a)
{
	struct folder *f;
	struct item   *item = to_change(a, &f);

	if (!item)
		return;
	gapi_happened(a, HAPPENED_DELETED, item, NULL);
	mailbox_drop(a->mailbox, item);
	a->status = 204;
}
