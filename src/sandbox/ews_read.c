#include "sandbox/ews.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* -- restrictions ------------------------------------------------------------------------------------------------- */

static bool fits(struct call *, const struct item *, const xmlNode *restriction);

static const xmlNode *field_of(const xmlNode *n)
{
	for (const xmlNode *c = xml_first(n); c; c = xml_next(c))
		if (xml_is(c, "FieldURI") || xml_is(c, "ExtendedFieldURI") || xml_is(c, "IndexedFieldURI"))
			return c;
	return NULL;
}

/* Moments by their time, numbers by their size, the rest by their letters. */
static int compared(const char *a, const char *b)
{
	int64_t at_a, at_b;
	char   *end_a, *end_b;
	double  n_a = strtod(a, &end_a), n_b = strtod(b, &end_b);

	if (strchr(a, 'T') && strchr(b, 'T') && moment_read(a, &at_a) && moment_read(b, &at_b))
		return at_a < at_b ? -1 : at_a > at_b;
	if (*a && *b && !*end_a && !*end_b)
		return n_a < n_b ? -1 : n_a > n_b;
	return strcasecmp(a, b);
}

static bool compares(struct call *c, const struct item *i, const xmlNode *n)
{
	static const struct { const char *name; bool less, equal, more; } kinds[] = {
		{ "IsEqualTo", false, true, false }, { "IsNotEqualTo", true, false, true }, { "IsGreaterThan", false, false, true },
		{ "IsGreaterThanOrEqualTo", false, true, true }, { "IsLessThan", true, false, false }, { "IsLessThanOrEqualTo", true, true, false },
	};
	const char *value = item_value(c, i, field_of(n)), *with = xml_attribute(c->work, xml_at(n, "FieldURIOrConstant/Constant"), "Value");

	for (size_t k = 0; k < COUNT(kinds); k++)
		if (xml_is(n, kinds[k].name)) {
			int order = value && with ? compared(value, with) : 0;

			if (!value || !with)
				return kinds[k].less && kinds[k].more;
			return order < 0 ? kinds[k].less : order > 0 ? kinds[k].more : kinds[k].equal;
		}
	return false;
}

static bool contains(struct call *c, const struct item *i, const xmlNode *n)
{
	const char *value = item_value(c, i, field_of(n)), *what = xml_attribute(c->work, xml_child(n, "Constant"), "Value");
	const char *mode = xml_attribute(c->work, n, "ContainmentMode");

	if (!value || !what)
		return false;
	if (mode && strcmp(mode, "FullString") == 0)
		return strcasecmp(value, what) == 0;
	if (mode && strncmp(mode, "Prefix", 6) == 0)
		return strncasecmp(value, what, strlen(what)) == 0;
	return strcasestr(value, what) != NULL;
}

static bool all_fit(struct call *c, const struct item *i, const xmlNode *n)
{
	for (const xmlNode *k = xml_first(n); k; k = xml_next(k))
		if (!fits(c, i, k))
			return false;
	return true;
}

static bool fits(struct call *c, const struct item *i, const xmlNode *n)
{
	if (!n)
		return true;
	if (xml_is(n, "Restriction") || xml_is(n, "And"))
		return all_fit(c, i, n);
	if (xml_is(n, "Or")) {
		for (const xmlNode *k = xml_first(n); k; k = xml_next(k))
			if (fits(c, i, k))
				return true;
		return false;
	}
	if (xml_is(n, "Not"))
		return !all_fit(c, i, n);
	if (xml_is(n, "Exists"))
		return item_value(c, i, field_of(n)) != NULL;
	if (xml_is(n, "Contains"))
		return contains(c, i, n);
	return compares(c, i, n);
}

/* -- lists -------------------------------------------------------------------------------------------------------- */

/* An item, or one occurrence of it. */
struct found {
	const struct item *item;
	const char        *key;          /* to sort by */
	unsigned           instance;
	int64_t            at;
};

struct list {
	struct found *found;
	size_t        count, room;
	int           direction;
};

static void list_add(struct list *l, struct found f)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->found = must_realloc(l->found, l->room * sizeof *l->found);
	}
	l->found[l->count++] = f;
}

static int by_key(const void *a, const void *b, void *self)
{
	const struct found *x = a, *y = b;
	const struct list  *l = self;
	int order = compared(x->key ? x->key : "", y->key ? y->key : "");

	if (order == 0)
		order = x->item->number < y->item->number ? -1 : x->item->number > y->item->number;
	return l->direction * order;
}

/* The latest first where nobody says otherwise. */
static void sort(struct call *c, struct list *l)
{
	const xmlNode *order = xml_first(xml_child(c->body, "SortOrder")), *field = field_of(order);
	const char    *way = xml_attribute(c->work, order, "Order");

	l->direction = order && way && strcmp(way, "Ascending") == 0 ? 1 : -1;
	for (size_t i = 0; i < l->count; i++)
		l->found[i].key = field ? item_value(c, l->found[i].item, field) : moment(c->work, l->found[i].item->received);
	if (l->count)
		qsort_r(l->found, l->count, sizeof *l->found, by_key, l);
}

static unsigned long number_of(struct call *c, const xmlNode *n, const char *attribute, unsigned long otherwise)
{
	const char *text = xml_attribute(c->work, n, attribute);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

#define OCCURRENCES 1000

static void list_view(struct call *c, const struct place *p, const xmlNode *view, struct list *l)
{
	int64_t from, to;

	if (!moment_read(xml_attribute(c->work, view, "StartDate"), &from) || !moment_read(xml_attribute(c->work, view, "EndDate"), &to)) {
		c->fault = "ErrorInvalidRequest";
		return;
	}
	for (const struct item *i = p->mailbox->first; i; i = i->next)
		for (unsigned n = 1; i->folder == p->folder && i->kind == ITEM_EVENT && n <= OCCURRENCES; n++) {
			int64_t at = event_occurrence(&i->event, n);

			if (!at || at >= to)
				break;
			if (at + i->event.end - i->event.start > from)
				list_add(l, (struct found){ i, moment(c->work, at), i->event.recurs.how ? n : 0, at });
		}
	l->direction = 1;
	if (l->count)
		qsort_r(l->found, l->count, sizeof *l->found, by_key, l);
}

static void list_folder(struct call *c, const struct place *p, struct list *l)
{
	for (const struct item *i = p->mailbox->first; i; i = i->next)
		if (i->folder == p->folder && fits(c, i, xml_child(c->body, "Restriction")))
			list_add(l, (struct found){ .item = i });
	sort(c, l);
}

static void find_in(struct call *c, const struct place *p, const struct shape *shape)
{
	const xmlNode *view = xml_child(c->body, "CalendarView"), *page = xml_child(c->body, "IndexedPageItemView");
	struct list    l = { 0 };
	unsigned long  from = number_of(c, page, "Offset", 0), most = number_of(c, page ? page : view, "MaxEntriesReturned", 1000), end;
	const char    *base = xml_attribute(c->work, page, "BasePoint");

	if (view)
		list_view(c, p, view, &l);
	else
		list_folder(c, p, &l);
	if (base && strcmp(base, "End") == 0)
		from = l.count > from + most ? l.count - from - most : 0;
	from = from < l.count ? from : l.count;
	end = most < l.count - from ? from + most : l.count;
	message_begin(c);
	add(c, "<m:RootFolder");
	if (page)
		add(c, " IndexedPagingOffset=\"%lu\"", end);
	add(c, " TotalItemsInView=\"%zu\" IncludesLastItemInRange=\"%s\"><t:Items>", l.count, end == l.count ? "true" : "false");
	for (size_t i = from; i < end; i++)
		add_item(c, p->mailbox, l.found[i].item, shape, l.found[i].instance, l.found[i].at);
	add(c, "</t:Items></m:RootFolder>");
	message_end(c);
	free(l.found);
}

void answer_find_item(struct call *c)
{
	struct shape shape;

	shape_read(c, xml_child(c->body, "ItemShape"), true, &shape);
	for (const xmlNode *id = xml_first(xml_child(c->body, "ParentFolderIds")); id; id = xml_next(id)) {
		struct place p = place_of(c, id);

		if (p.folder)
			find_in(c, &p, &shape);
		else
			place_error(c, &p);
	}
}

void answer_get_item(struct call *c)
{
	struct shape shape;

	shape_read(c, xml_child(c->body, "ItemShape"), false, &shape);
	for (const xmlNode *id = xml_first(xml_child(c->body, "ItemIds")); id; id = xml_next(id)) {
		struct mailbox *m;
		unsigned        instance = 0;
		const char     *code;
		struct item    *item = item_at(c, id, &m, &instance, &code);

		if (!item) {
			message_error(c, code, NULL);
			continue;
		}
		message_begin(c);
		add(c, "<m:Items>");
		add_item(c, m, item, &shape, instance, instance ? event_occurrence(&item->event, instance) : 0);
		add(c, "</m:Items>");
		message_end(c);
	}
}

/* -- sync --------------------------------------------------------------------------------------------------------- */

#define MOST_CHANGES 512

/* One thing that happened to a folder since a state: in the order of `change`. */
struct step {
	uint64_t           change;
	const struct item *item;          /* NULL: it is gone */
	unsigned           number;
	const char        *how;
};

struct steps {
	struct step *step;
	size_t       count, room;
};

static void steps_add(struct steps *s, struct step one)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->step = must_realloc(s->step, s->room * sizeof *s->step);
	}
	s->step[s->count++] = one;
}

static int by_change(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->change < y->change ? -1 : x->change > y->change;
}

static void collect(const struct place *p, uint64_t since, struct steps *s)
{
	for (const struct item *i = p->mailbox->first; i; i = i->next) {
		if (i->folder != p->folder)
			continue;
		if (i->made > since)
			steps_add(s, (struct step){ i->made, i, i->number, "Create" });
		else if (i->changed > since)
			steps_add(s, (struct step){ i->changed > i->flagged ? i->changed : i->flagged, i, i->number, "Update" });
		else if (i->flagged > since)
			steps_add(s, (struct step){ i->flagged, i, i->number, "ReadFlagChange" });
	}
	/* a state of nothing at all has not seen what is gone */
	for (size_t t = 0; since && t < p->mailbox->trace_count; t++)
		if (p->mailbox->traces[t].folder == p->folder->number && p->mailbox->traces[t].change > since)
			steps_add(s, (struct step){ p->mailbox->traces[t].change, NULL, p->mailbox->traces[t].item, "Delete" });
	if (s->count)
		qsort(s->step, s->count, sizeof *s->step, by_change);
}

static void add_step(struct call *c, const struct mailbox *m, const struct step *s, const struct shape *shape)
{
	add(c, "<t:%s>", s->how);
	if (!s->item)
		add(c, "<t:ItemId Id=\"%s\" ChangeKey=\"%s\"/>", entry_id(c->work, (struct entry_id){ m->number, s->number, 0, 'i' }),
		    entry_id(c->work, (struct entry_id){ m->number, (unsigned)s->change, 0, 'c' }));
	else if (strcmp(s->how, "ReadFlagChange") == 0) {
		add_item_id(c, m, s->item, 0);
		add(c, "<t:IsRead>%s</t:IsRead>", s->item->read ? "true" : "false");
	} else {
		add_item(c, m, s->item, shape, 0, 0);
	}
	add(c, "</t:%s>", s->how);
}

static void sync_folder(struct call *c, const struct place *p, uint64_t since, size_t most)
{
	struct steps s = { 0 };
	struct shape shape;
	size_t       count;
	uint64_t     last;

	shape_read(c, xml_child(c->body, "ItemShape"), true, &shape);
	collect(p, since, &s);
	count = s.count < most ? s.count : most;
	/* with nothing left untold, all that happened so far is told: elsewhere too */
	last = count == s.count ? p->mailbox->change : s.step[count - 1].change;
	message_begin(c);
	add(c, "<m:SyncState>%s</m:SyncState><m:IncludesLastItemInRange>%s</m:IncludesLastItemInRange><m:Changes>",
	    told_state(c, p, SYNC_ITEMS, last), count == s.count ? "true" : "false");
	for (size_t i = 0; i < count; i++)
		add_step(c, p->mailbox, &s.step[i], &shape);
	add(c, "</m:Changes>");
	message_end(c);
	free(s.step);
}

void answer_sync_items(struct call *c)
{
	struct place       p = place_of(c, xml_first(xml_child(c->body, "SyncFolderId")));
	unsigned long      most = strtoul(xml_text(c->work, xml_child(c->body, "MaxChangesReturned")), NULL, 10);
	unsigned long long since;

	if (most < 1 || most > MOST_CHANGES) {
		c->fault = "ErrorInvalidRequest";
		return;
	}
	if (!p.folder)
		place_error(c, &p);
	else if (!told_state_read(c, &p, SYNC_ITEMS, &since))
		message_error(c, "ErrorInvalidSyncStateData", NULL);
	else
		sync_folder(c, &p, since, most);
}
