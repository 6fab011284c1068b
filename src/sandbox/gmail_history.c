/* What changed in mailboxes, as Gmail remembers it (facts G B.2). */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

#define PAGE      100
#define PAGE_MOST 500

/* -- kept ------------------------------------------------------------------------------------------------------------------- */

static struct grecord *record_at(struct google *g, size_t n)
{
	return &g->history[(g->history_first + n) % GOOGLE_HISTORY];
}

static void put(struct google *g, struct grecord r)
{
	if (!g->history)
		g->history = must_alloc(GOOGLE_HISTORY * sizeof *g->history);
	if (g->history_count == GOOGLE_HISTORY) {
		g->history_gone = record_at(g, 0)->id;
		g->history_first = (g->history_first + 1) % GOOGLE_HISTORY;
		g->history_count--;
	}
	/* they rise, and not by ones */
	r.id = g->history_id += 7;
	*record_at(g, g->history_count++) = r;
}

void ghistory_add(struct sandbox *s, const struct mailbox *m, enum gchange what, const struct item *item, unsigned labels, unsigned folder)
{
	unsigned its_own;

	put(s->google, (struct grecord){ 0, what, m->number, item->lasting, gmail_thread(item), labels, folder });
	if (glabels_of(item, &its_own) & GLABEL_INBOX)
		gmail_tell(s, m, s->google->history_id);
}

uint64_t ghistory_of(struct google *g, const struct mailbox *m, const struct item *item)
{
	for (size_t n = g->history_count; n-- > 0; )
		if (record_at(g, n)->mailbox == m->number && record_at(g, n)->message == item->lasting)
			return record_at(g, n)->id;
	return GOOGLE_FIRST_HISTORY;
}

/* -- what others did -------------------------------------------------------------------------------------------------------- */

static bool mentions(const struct item *item, const char *message_id)
{
	return *message_id && (strstr(item->shown.references, message_id) || strcmp(item->shown.in_reply_to, message_id) == 0);
}

void ghistory_thread(struct mailbox *m, struct item *item)
{
	for (const struct item *i = m->first; i && !item->thread; i = i->next)
		if (i != item && i->kind == ITEM_MESSAGE && mentions(item, i->shown.message_id))
			item->thread = i->thread ? i->thread : i->lasting;
}

/* Of one that is gone its trace alone is left. */
static unsigned lasting_of(const struct mailbox *m, unsigned number)
{
	for (size_t n = m->trace_count; n-- > 0; )
		if (m->traces[n].item == number)
			return m->traces[n].lasting;
	return 0;
}

static void forget(struct google *g, const struct mailbox *m, const struct item *item, unsigned number)
{
	unsigned lasting = item ? item->lasting : lasting_of(m, number);

	if (lasting)
		put(g, (struct grecord){ 0, GCHANGE_DELETED, m->number, lasting, item ? gmail_thread(item) : lasting, 0, 0 });
}

void ghistory_happened(struct sandbox *s, struct mailbox *m, enum happening how, unsigned number)
{
	struct item *item = mailbox_item(m, number);
	unsigned     folder, labels;

	if (item && item->kind == ITEM_EVENT && how == HAPPENED_DELETED)
		gcal_forgotten(s, m, item);
	if (s->google->telling || how == HAPPENED_NEW_MAIL || (item && item->kind != ITEM_MESSAGE))
		return;
	if (how == HAPPENED_DELETED) {
		forget(s->google, m, item, number);
		return;
	}
	if (!item)
		return;
	labels = glabels_of(item, &folder);
	if (how == HAPPENED_CREATED)
		ghistory_thread(m, item);
	if (how == HAPPENED_MODIFIED)
		ghistory_add(s, m, item->read ? GCHANGE_UNLABELLED : GCHANGE_LABELLED, item, GLABEL_UNREAD, 0);
	else
		ghistory_add(s, m, how == HAPPENED_CREATED ? GCHANGE_ADDED : GCHANGE_LABELLED, item, labels, folder);
}

/* -- told ------------------------------------------------------------------------------------------------------------------- */

static const struct { const char *type, *list; } kinds[] = {
	[GCHANGE_ADDED] = { "messageAdded", "messagesAdded" }, [GCHANGE_DELETED] = { "messageDeleted", "messagesDeleted" },
	[GCHANGE_LABELLED] = { "labelAdded", "labelsAdded" }, [GCHANGE_UNLABELLED] = { "labelRemoved", "labelsRemoved" },
};

static bool is_wanted(const struct gapi_ask *a, const struct grecord *r)
{
	const char *type, *label = gapi_query(a, "labelId", 0);
	bool        wanted = !gapi_query(a, "historyTypes", 0);

	for (size_t n = 0; (type = gapi_query(a, "historyTypes", n)); n++)
		wanted |= strcmp(type, kinds[r->what].type) == 0;
	return wanted && r->mailbox == a->mailbox->number && (!label || (r->labels & glabel_bit(label)));
}

static const struct item *still_there(const struct gapi_ask *a, unsigned lasting)
{
	for (const struct item *i = a->mailbox->first; i; i = i->next)
		if (i->lasting == lasting)
			return i;
	return NULL;
}

static cJSON *message_of(struct gapi_ask *a, const struct grecord *r)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", gmail_id(a->work, a->mailbox, r->message));
	cJSON_AddStringToObject(o, "threadId", gmail_id(a->work, a->mailbox, r->thread));
	return o;
}

static cJSON *record_json(struct gapi_ask *a, const struct grecord *r)
{
	cJSON             *o = cJSON_CreateObject(), *one = cJSON_CreateObject(), *message = message_of(a, r);
	const struct item *item = still_there(a, r->message);
	bool               of_labels = r->what == GCHANGE_LABELLED || r->what == GCHANGE_UNLABELLED;
	unsigned           folder = r->folder, labels = r->labels;

	cJSON_AddStringToObject(o, "id", gapi_text(a->work, r->id));
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "messages"), message_of(a, r));
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, kinds[r->what].list), one);
	cJSON_AddItemToObject(one, "message", message);
	if (of_labels)
		cJSON_AddItemToObject(one, "labelIds", glabels_json(a->work, r->labels, r->folder));
	if (of_labels && item)
		labels = glabels_of(item, &folder);
	if (r->what != GCHANGE_DELETED && (item || !of_labels))
		cJSON_AddItemToObject(message, "labelIds", glabels_json(a->work, labels, folder));
	return o;
}

/* From where on; false: refused. */
static bool read_start(struct gapi_ask *a, unsigned long long *start)
{
	const struct google *g = a->sandbox->google;
	const char          *text = gapi_query(a, "startHistoryId", 0), *page = gapi_query(a, "pageToken", 0);

	if (!text || !slice_number(slice_str(text), UINT64_MAX, start)) {
		gapi_refuse(a, "invalidArgument", "Missing/invalid startHistoryId parameter");
	} else if (*start < GOOGLE_FIRST_HISTORY || *start < g->history_gone || *start > g->history_id
	           || orders_take(&a->sandbox->orders, ORDER_DELTA_GONE)) {
		gapi_refuse(a, "notFound", NULL);
	} else if (page && !slice_number(slice_str(page), UINT64_MAX, start)) {
		gapi_refuse(a, "invalidArgument", "Invalid pageToken");
	} else {
		return true;
	}
	return false;
}

void gmail_list_history(struct gapi_ask *a)
{
	struct google     *g = a->sandbox->google;
	unsigned long long start = 0, last = 0;
	size_t             most = gapi_most(a, PAGE, PAGE_MOST), count = 0;
	cJSON             *o, *list;
	bool               more = false;

	if (!read_start(a, &start))
		return;
	o = cJSON_CreateObject();
	list = cJSON_CreateArray();
	for (size_t n = 0; n < g->history_count && !more; n++) {
		const struct grecord *r = record_at(g, n);

		if (r->id <= start || !is_wanted(a, r))
			continue;
		more = count == most;
		if (more)
			break;
		cJSON_AddItemToArray(list, record_json(a, r));
		last = r->id;
		count++;
	}
	if (count)
		cJSON_AddItemToObject(o, "history", list);
	else
		cJSON_Delete(list);      /* where there is nothing, there is no list either */
	if (more)
		cJSON_AddStringToObject(o, "nextPageToken", gapi_text(a->work, last));
	cJSON_AddStringToObject(o, "historyId", gapi_text(a->work, g->history_id));
	gapi_give(a, o);
}
