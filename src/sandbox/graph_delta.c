/* What changed since: pages, and a link that knows where it stood. */
#include <stdlib.h>
#include <stdio.h>

#include "sandbox/graph.h"
#include "sandbox/text.h"

/* In a token: "folder:since:upto:after:most:select". */
struct state {
	unsigned long long folder, since, upto, after, most;
	const char        *select, *window;     /* `window`: "start/end" of a calendar view, or "" */
};

static const char *state_text(struct msgraph_ask *a, const struct state *s)
{
	return base64url_of(a->work, slice_str(arena_print(a->work, "%llu:%llu:%llu:%llu:%llu:%s:%s", s->folder, s->since, s->upto, s->after, s->most,
	                    s->window, s->select)));
}

static bool state_read(struct msgraph_ask *a, const char *token, struct state *s)
{
	const char        *text = base64url_read(a->work, token);
	unsigned long long *const numbers[] = { &s->folder, &s->since, &s->upto, &s->after, &s->most };
	struct slice       rest = slice_str(text ? text : "");

	for (size_t i = 0; i < COUNT(numbers); i++)
		if (!slice_number(slice_cut(&rest, ':'), UINT64_MAX / 16, numbers[i]))
			return false;
	s->window = arena_copy(a->work, slice_cut(&rest, ':'));
	s->select = arena_copy(a->work, rest);
	return s->most > 0 && s->most <= GRAPH_MOST;
}

/* Where it goes on, or begins. False: refused. */
static bool begin(struct msgraph_ask *a, unsigned folder, const char *window, struct state *s)
{
	const char *skip = form_get(&a->query, "$skiptoken"), *delta = form_get(&a->query, "$deltatoken");

	if ((skip || delta) && orders_take(&a->sandbox->orders, ORDER_DELTA_GONE)) {
		msgraph_refuse(a, "SyncStateNotFound", 0, NULL);
		return false;
	}
	*s = (struct state){ folder, 0, a->mailbox->change, 0, msgraph_page_size(a), form_text(&a->query, "$select"), window };
	if (!skip && !delta)
		return true;
	if (!state_read(a, skip ? skip : delta, s) || s->folder != folder || s->upto > a->mailbox->change) {
		msgraph_refuse(a, "SyncStateInvalid", 0, NULL);
		return false;
	}
	if (delta) {
		s->since = s->upto;
		s->upto = a->mailbox->change;
		s->after = 0;
	}
	if (a->prefer && strstr(a->prefer, "odata.maxpagesize="))
		s->most = msgraph_page_size(a);
	return true;
}

static void end(struct msgraph_ask *a, cJSON *page, const struct state *s, bool more)
{
	struct form next = { .count = 0 };

	form_put(&next, more ? "$skiptoken" : "$deltatoken", state_text(a, s));
	msgraph_link(a, page, more ? "@odata.nextLink" : "@odata.deltaLink", &next);
	msgraph_give(a, 200, page);
}

static bool is_news(const struct item *i, const struct state *s)
{
	return i->number > s->after && (i->made > s->since || i->changed > s->since || i->flagged > s->since);
}

/* False: the page is full. */
static bool add_one(cJSON *value, cJSON *o, const struct state *s)
{
	cJSON_AddItemToArray(value, o);
	return (unsigned long long)cJSON_GetArraySize(value) < s->most;
}

/* What was there at `since` and is not any more; all on the last page. */
static void add_gone(struct msgraph_ask *a, cJSON *value, const struct state *s)
{
	for (size_t i = 0; s->since && i < a->mailbox->trace_count; i++) {
		const struct trace *t = &a->mailbox->traces[i];
		cJSON              *o;

		if (t->folder != s->folder || t->change <= s->since)
			continue;
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "id", msgraph_gone_id(a, t->item, t->lasting));
		cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "@removed"), "reason", "deleted");
		cJSON_AddItemToArray(value, o);
	}
}

/* Shown for a client of this page's: a message, or an event. */
typedef cJSON *shown_as(struct msgraph_ask *, const struct item *, const struct state *);

/* True: another page follows. */
static bool fill(struct msgraph_ask *a, cJSON *value, struct state *s, shown_as *show)
{
	for (struct item *i = a->mailbox->first; i; i = i->next) {
		cJSON *o = i->folder->number == s->folder && is_news(i, s) ? show(a, i, s) : NULL;

		if (!o)
			continue;
		s->after = i->number;
		if (!add_one(value, o, s))
			return true;
	}
	add_gone(a, value, s);
	return false;
}

static cJSON *as_message(struct msgraph_ask *a, const struct item *item, const struct state *s)
{
	return item->kind == ITEM_MESSAGE ? msgraph_chosen(a, item, s->select) : NULL;
}

void msgraph_messages_delta(struct msgraph_ask *a)
{
	struct folder *f = msgraph_folder(a, a->arg[0]);
	struct state   s;
	cJSON         *page, *value;

	if (!f || !begin(a, f->number, "", &s))
		return;
	page = msgraph_page(a, "Collection(message)", &value);
	end(a, page, &s, fill(a, value, &s, as_message));
}

/* -- calendars ----------------------------------------------------------------------------------------------------------- */

static cJSON *as_event(struct msgraph_ask *a, const struct item *item, const struct state *s)
{
	struct slice rest = slice_str(s->window), first = slice_cut(&rest, '/');
	int64_t      from = strtoll(arena_copy(a->work, first), NULL, 10), to = strtoll(arena_copy(a->work, rest), NULL, 10);

	if (item->kind != ITEM_EVENT || !event_in(&item->event, from, to))
		return NULL;
	return msgraph_event(a, item, 0, 0);
}

/* A view's window is fixed with the first question. */
void msgraph_view_delta(struct msgraph_ask *a)
{
	struct folder *calendar = mailbox_known(a->mailbox, "calendar");
	bool           goes_on = form_get(&a->query, "$skiptoken") || form_get(&a->query, "$deltatoken");
	int64_t        from = 0, to = 0;
	struct state   s;
	cJSON         *page, *value;

	if (!calendar) {
		msgraph_refuse(a, "ErrorItemNotFound", 0, NULL);
		return;
	}
	if (!goes_on && (!moment_read(form_get(&a->query, "startDateTime"), &from) || !moment_read(form_get(&a->query, "endDateTime"), &to))) {
		msgraph_refuse(a, "ErrorInvalidUrlQuery", 0, "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.");
		return;
	}
	if (!begin(a, calendar->number, arena_print(a->work, "%lld/%lld", (long long)from, (long long)to), &s))
		return;
	page = msgraph_page(a, "Collection(event)", &value);
	end(a, page, &s, fill(a, value, &s, as_event));
}
