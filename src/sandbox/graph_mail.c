/* Messages: listed, read, changed, moved, deleted. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/graph.h"

/* -- lists ------------------------------------------------------------------------------------------------------------- */

struct listing {
	struct filter filter;
	bool          upwards;
	size_t        skip, most;
};

/* The order may be by the time of arrival only, and what is ordered by must be filtered by first (facts M B.2). */
static bool read_listing(struct msgraph_ask *a, struct listing *l)
{
	const char *filter = form_get(&a->query, "$filter"), *order = form_get(&a->query, "$orderby");

	*l = (struct listing){ .skip = strtoul(form_text(&a->query, "$skip"), NULL, 10), .most = msgraph_page_size(a) };
	if (filter && !filter_read(a->work, filter, &l->filter)) {
		msgraph_refuse(a, "BadRequest", 0, "Invalid filter clause.");
		return false;
	}
	l->upwards = order && !strcasestr(order, "desc");
	if (order && l->filter.terms && !slice_starts(slice_str(order), l->filter.term[0].path)) {
		msgraph_refuse(a, "InefficientFilter", 0, NULL);
		return false;
	}
	return true;
}

static int later_first(const void *left, const void *right)
{
	const struct item *l = *(struct item *const *)left, *r = *(struct item *const *)right;

	return l->received != r->received ? (l->received < r->received ? 1 : -1) : (l->number < r->number) - (l->number > r->number);
}

/* Those in the folder (NULL: any), the newest first. */
static struct item **items_of(struct msgraph_ask *a, const struct folder *f, size_t *count)
{
	struct item **list = arena_get(a->work, (a->mailbox->items + 1) * sizeof *list);

	*count = 0;
	for (struct item *i = a->mailbox->first; i; i = i->next)
		if (i->kind == ITEM_MESSAGE && (!f || i->folder == f))
			list[(*count)++] = i;
	qsort(list, *count, sizeof *list, later_first);
	return list;
}

static void link_next(struct msgraph_ask *a, cJSON *page, const struct listing *l)
{
	struct form next = { .count = 0 };

	for (size_t i = 0; i < a->query.count; i++)
		if (strcmp(a->query.field[i].name, "$skip") != 0 && strcmp(a->query.field[i].name, "$top") != 0)
			form_put(&next, a->query.field[i].name, a->query.field[i].value);
	form_put(&next, "$top", arena_print(a->work, "%zu", l->most));
	form_put(&next, "$skip", arena_print(a->work, "%zu", l->skip + l->most));
	msgraph_link(a, page, "@odata.nextLink", &next);
}

static bool is_taken(struct msgraph_ask *a, const struct item *item, const struct filter *f)
{
	cJSON *o = f->terms ? msgraph_message(a, item) : NULL;
	bool   takes = !o || filter_takes(f, o);

	cJSON_Delete(o);
	return takes;
}

static void list(struct msgraph_ask *a, const struct folder *f, const struct listing *l)
{
	size_t        count, taken = 0;
	struct item **all = items_of(a, f, &count);
	cJSON        *value, *page = msgraph_page(a, "users('me')/messages", &value);

	for (size_t i = 0; i < count; i++) {
		const struct item *item = all[l->upwards ? count - 1 - i : i];

		if (!is_taken(a, item, &l->filter) || taken++ < l->skip)
			continue;
		if (taken > l->skip + l->most) {
			link_next(a, page, l);
			break;
		}
		cJSON_AddItemToArray(value, msgraph_chosen(a, item, form_get(&a->query, "$select")));
	}
	if (strcmp(form_text(&a->query, "$count"), "true") == 0)
		cJSON_AddNumberToObject(page, "@odata.count", (double)count);
	msgraph_give(a, 200, page);
}

void msgraph_list_messages(struct msgraph_ask *a)
{
	struct folder *f = a->arg[0] ? msgraph_folder(a, a->arg[0]) : NULL;
	struct listing l;

	if ((f || !a->arg[0]) && read_listing(a, &l))
		list(a, f, &l);
}

/* -- one --------------------------------------------------------------------------------------------------------------- */

static void show(struct msgraph_ask *a, int status, const struct item *item)
{
	cJSON *o = msgraph_chosen(a, item, form_get(&a->query, "$select"));

	cJSON_AddStringToObject(o, "@odata.context", GRAPH_ROOT "/$metadata#users('me')/messages/$entity");
	msgraph_give(a, status, o);
}

void msgraph_get_message(struct msgraph_ask *a)
{
	struct item *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL);

	if (item)
		show(a, 200, item);
}

void msgraph_get_mime(struct msgraph_ask *a)
{
	struct item *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL);

	if (!item)
		return;
	a->plain = slice(arena_copy(a->work, item->mime), item->mime.len);
	a->status = 200;
}

/* Only what a client of ours or another's changes: whether it was read, and a draft's subject. */
void msgraph_update_message(struct msgraph_ask *a)
{
	struct item *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL);
	cJSON       *given = item ? json_read(a->body, WEB_LONGEST_REQUEST, NULL) : NULL;
	const cJSON *read = cJSON_GetObjectItem(given, "isRead");
	const char  *subject = json_text(given, "subject");

	if (!item)
		return;
	if (!given) {
		msgraph_refuse(a, "RequestBodyRead", 0, NULL);
		return;
	}
	if (cJSON_IsBool(read))
		mailbox_set_read(a->mailbox, item, cJSON_IsTrue(read));
	if (subject && item->draft)
		item->shown.subject = arena_str(item->own, subject);
	mailbox_touch(a->mailbox, item);
	cJSON_Delete(given);
	msgraph_happened(a, HAPPENED_MODIFIED, item, NULL);
	show(a, 200, item);
}

/* -- where it is --------------------------------------------------------------------------------------------------------- */

static struct item *move_to(struct msgraph_ask *a, struct item *item, struct folder *to)
{
	struct folder *from = item->folder;
	struct item   *moved = mailbox_move(a->mailbox, item, to, now_s());

	msgraph_happened(a, HAPPENED_MOVED, moved, from);
	return moved;
}

static void drop(struct msgraph_ask *a, struct item *item)
{
	msgraph_happened(a, HAPPENED_DELETED, item, NULL);
	mailbox_drop(a->mailbox, item);
	a->status = 204;
}

void msgraph_delete_message(struct msgraph_ask *a)
{
	struct item   *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL);
	struct folder *bin = mailbox_known(a->mailbox, "deleteditems");

	if (!item)
		return;
	a->status = 204;
	if (item->folder == bin)
		drop(a, item);
	else
		move_to(a, item, bin);
}

void msgraph_drop_message(struct msgraph_ask *a)
{
	struct item *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL);

	if (item)
		drop(a, item);
}

static struct folder *destination(struct msgraph_ask *a)
{
	cJSON         *given = json_read(a->body, WEB_LONGEST_REQUEST, NULL);
	const char    *id = json_text(given, "destinationId") ? json_text(given, "destinationId") : json_text(given, "DestinationId");
	struct folder *f = NULL;

	if (id)
		f = msgraph_folder(a, id);
	else
		msgraph_refuse(a, "RequestBodyRead", 0, NULL);
	cJSON_Delete(given);
	return f;
}

void msgraph_move_message(struct msgraph_ask *a)
{
	struct item   *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL);
	struct folder *to = item ? destination(a) : NULL;

	if (to)
		show(a, 201, move_to(a, item, to));
}

void msgraph_copy_message(struct msgraph_ask *a)
{
	struct item   *item = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL), *copy;
	struct folder *to = item ? destination(a) : NULL;

	if (!to)
		return;
	copy = mailbox_copy(a->mailbox, item, to, now_s());
	msgraph_happened(a, HAPPENED_CREATED, copy, NULL);
	show(a, 201, copy);
}
