#include "serve/calendar.h"

#include <stdlib.h>

#include "serve/event_data.h"
#include "store/calendars.h"
#include "store/events.h"

#define CURSOR_LONGEST ((size_t)2 * 1024 * 1024)
#define ENTRIES_READ   500      /* at once, where all is compared */

/* -- how far ------------------------------------------------------------------------------------------------------ */

static void add_known(cJSON *o, const char *name, const char *text)
{
	if (text)
		cJSON_AddStringToObject(o, name, text);
}

void calendar_cursor_write(const struct caldav_watch *s, cJSON *into)
{
	cJSON *list = cJSON_AddArrayToObject(into, "calendars");

	for (size_t i = 0; i < s->calendars; i++) {
		cJSON *one;

		if (!s->calendar[i].known)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "target", s->calendar[i].target);
		add_known(one, "name", s->calendar[i].name);
		add_known(one, "token", s->calendar[i].token);
		add_known(one, "tag", s->calendar[i].tag);
		cJSON_AddItemToArray(list, one);
	}
}

void calendar_cursor_read(const char *json, struct caldav_watch *s)
{
	cJSON       *o = json ? json_read(slice_str(json), CURSOR_LONGEST, NULL) : NULL;
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(o, "calendars"))
		if (json_text(one, "target"))
			caldav_watch_knows(s, json_text(one, "target"), json_text(one, "name"), json_text(one, "token"), json_text(one, "tag"));
	cJSON_Delete(o);
}

/* -- what is remembered ------------------------------------------------------------------------------------------- */

struct reading {
	struct calendar_keeping *keeping;
	const char              *calendar, *name;
	struct arena            *into;
	struct calendar_entry    one, *page;
	size_t                   count;
};

static bool read_one_entry(struct txn *t, void *self, struct error *err)
{
	struct reading *r = self;

	return calendar_entry_get(t, r->into, r->keeping->account, r->calendar, r->name, &r->one, err);
}

static bool read_page(struct txn *t, void *self, struct error *err)
{
	struct reading *r = self;

	return calendar_entries(t, r->into, r->keeping->account, r->calendar, r->name, ENTRIES_READ, &r->page, &r->count, err);
}

static bool entry(void *self, const char *calendar, const char *name, struct arena *into, struct caldav_known *out, struct error *err)
{
	struct reading r = { .keeping = self, .calendar = calendar, .name = name, .into = into };

	if (!store_read(r.keeping->store, read_one_entry, &r, err))
		return false;
	*out = (struct caldav_known){ r.one.name, r.one.etag };
	return true;
}

static bool entries(void *self, const char *calendar, const char *after, struct arena *into, struct caldav_known **out, size_t *count,
                    struct error *err)
{
	struct reading r = { .keeping = self, .calendar = calendar, .name = after, .into = into };

	if (!store_read(r.keeping->store, read_page, &r, err))
		return false;
	*count = r.count;
	*out = arena_get(into, (r.count + 1) * sizeof **out);
	for (size_t i = 0; i < r.count; i++)
		(*out)[i] = (struct caldav_known){ r.page[i].name, r.page[i].etag };
	return true;
}

struct caldav_memory calendar_memory(struct calendar_keeping *k)
{
	return (struct caldav_memory){ entry, entries, k };
}

/* -- what is kept ------------------------------------------------------------------------------------------------- */

static const char *copy_of(const char *text, struct arena *into)
{
	return text ? arena_str(into, text) : NULL;
}

struct calendar_news *calendar_news_copy(const struct calendar_news *news, size_t count, struct arena *into)
{
	struct calendar_news *copy = arena_get(into, (count + 1) * sizeof *copy);

	for (size_t i = 0; i < count; i++) {
		struct calendar_change *c = &copy[i].change;

		copy[i] = news[i];
		copy[i].calendar = c->calendar = arena_str(into, news[i].calendar);
		copy[i].name = arena_str(into, news[i].name);
		copy[i].etag = copy_of(news[i].etag, into);
		c->calendar_name = copy_of(c->calendar_name, into);
		c->remote_id = arena_str(into, c->remote_id);
		c->uid = copy_of(c->uid, into);
		c->title = copy_of(c->title, into);
		c->zone = copy_of(c->zone, into);
	}
	return copy;
}

static bool tell_of(struct txn *t, struct arena *work, const struct account *a, const struct calendar_change *c, int64_t now,
                    struct error *err)
{
	cJSON *data = calendar_event_data(a, c);
	char  *text = cJSON_PrintUnformatted(data);
	bool   fine = event_append(t, &(struct event){ .id = new_id(work, "evt"), .workspace = a->workspace, .account = a->id,
		.type = "calendar.changed", .data = text, .created = now }, NULL, err);

	free(text);
	cJSON_Delete(data);
	return fine;
}

bool calendar_news_keep(struct txn *t, struct arena *work, const struct account *a, const struct calendar_news *news, size_t count,
                        int64_t now, bool *told, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct calendar_news *n = &news[i];

		if (!(n->etag ? calendar_entry_put(t, a->id, n->calendar, &(struct calendar_entry){ n->name, n->etag }, err)
		              : calendar_entry_drop(t, a->id, n->calendar, n->name, err)))
			return false;
		if (n->told && !tell_of(t, work, a, &n->change, now, err))
			return false;
		*told |= n->told;
	}
	return true;
}
