/* Messages: listed, found, read, relabelled, gone. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

#define PAGE      100
#define PAGE_MOST 500
#define TERMS     16
#define HIDDEN    (GLABEL_TRASH | GLABEL_SPAM)

/* -- looking for them --------------------------------------------------------------------------------------------------------- */

static bool person_has(const struct person *p, const char *text)
{
	return slice_has(slice_str(p->name), text) || slice_has(slice_str(p->address), text);
}

static bool has_from(const struct item *i, const char *text)
{
	return person_has(&i->shown.from, text);
}

static bool has_to(const struct item *i, const char *text)
{
	for (size_t n = 0; n < i->shown.to.count; n++)
		if (person_has(&i->shown.to.list[n], text))
			return true;
	return false;
}

static bool has_subject(const struct item *i, const char *text)
{
	return slice_has(slice_str(i->shown.subject), text);
}

static bool has_message_id(const struct item *i, const char *text)
{
	size_t len = strlen(text);

	if (*text == '<' && len > 2 && text[len - 1] == '>')
		return strcasecmp(i->shown.message_id, text) == 0;
	return strncasecmp(i->shown.message_id + (*i->shown.message_id == '<'), text, len) == 0;
}

static bool is_in(const struct item *i, const char *text)
{
	unsigned bits = glabels_of(i, NULL);

	for (unsigned n = 0, bit; glabel_system(n, &bit); n++)
		if (strcasecmp(glabel_system(n, &bit), text) == 0)
			return (bits & bit) != 0;
	return strcasecmp(text, "anywhere") == 0 || strcasecmp(i->folder->name, text) == 0;
}

static bool is_state(const struct item *i, const char *text)
{
	return strcasecmp(text, "read") == 0 ? i->read : is_in(i, text);
}

/* Seconds, or a day with "/" or "-" between. */
static int64_t when(const char *text)
{
	unsigned long long n;
	char               day[32];
	int64_t            at = 0;

	if (slice_number(slice_str(text), UINT32_MAX, &n))
		return (int64_t)n;
	snprintf(day, sizeof day, "%s", text);
	for (char *c = day; *c; c++)
		*c = *c == '/' ? '-' : *c;
	return moment_read(day, &at) ? at : 0;
}

static bool is_after(const struct item *i, const char *text)
{
	return i->received >= when(text);
}

static bool is_before(const struct item *i, const char *text)
{
	return i->received < when(text);
}

static const struct { const char *word; bool (*fits)(const struct item *, const char *); } words[] = {
	{ "from:", has_from }, { "to:", has_to }, { "subject:", has_subject }, { "rfc822msgid:", has_message_id }, { "in:", is_in }, { "label:", is_in },
	{ "is:", is_state }, { "after:", is_after }, { "before:", is_before },
};

static bool fits_term(const struct item *i, const char *term)
{
	bool no = *term == '-';

	term += no;
	for (size_t w = 0; w < COUNT(words); w++)
		if (strncasecmp(term, words[w].word, strlen(words[w].word)) == 0)
			return words[w].fits(i, term + strlen(words[w].word)) != no;
	return (slice_has(slice_str(i->shown.subject), term) || slice_has(slice_str(i->shown.text), term)) != no;
}

/* Blanks between; in quotes or brackets they belong to it. */
static size_t read_terms(struct arena *arena, const char *q, const char *term[TERMS])
{
	size_t n = 0;

	while (*q && n < TERMS) {
		struct buffer one;
		bool          quoted = false;

		buffer_init(&one, FORM_LONGEST);
		for (; *q && (quoted || *q != ' '); q++) {
			if (*q == '"')
				quoted = !quoted;
			else if (*q != '(' && *q != ')')
				buffer_add(&one, slice(q, 1));
		}
		if (buffer_held(&one).len)
			term[n++] = arena_copy(arena, buffer_held(&one));
		buffer_release(&one);
		q += strspn(q, " ");
	}
	return n;
}

struct search {
	const char *term[TERMS];
	size_t      terms;
	unsigned    labels, hidden;      /* all of the former, none of the latter */
	unsigned    folder;
	bool        nothing;             /* a label that is not there */
};

static void read_search(struct gapi_ask *a, struct search *s)
{
	const char *id, *q = gapi_query(a, "q", 0);
	bool        anywhere = gapi_query_is(a, "includeSpamTrash");

	*s = (struct search){ .hidden = anywhere ? 0 : HIDDEN };
	s->terms = q ? read_terms(a->work, q, s->term) : 0;
	for (size_t n = 0; n < s->terms; n++)
		if (strcasecmp(s->term[n], "in:anywhere") == 0 || strcasecmp(s->term[n], "in:trash") == 0 || strcasecmp(s->term[n], "in:spam") == 0)
			s->hidden = 0;
	for (size_t n = 0; (id = gapi_query(a, "labelIds", n)); n++) {
		struct folder *f = glabel_folder(a->mailbox, id);

		s->labels |= glabel_bit(id);
		s->folder = f ? f->number : s->folder;
		s->nothing |= !f && !glabel_bit(id);
	}
	s->hidden &= ~s->labels;
}

static bool is_found(const struct item *i, const struct search *s)
{
	unsigned folder, bits = glabels_of(i, &folder);

	if (i->kind != ITEM_MESSAGE || s->nothing || (bits & s->hidden) || (bits & s->labels) != s->labels)
		return false;
	if (s->folder && folder != s->folder)
		return false;
	for (size_t n = 0; n < s->terms; n++)
		if (!fits_term(i, s->term[n]))
			return false;
	return true;
}

static int newest_first(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;

	return x->lasting < y->lasting ? 1 : x->lasting > y->lasting ? -1 : 0;
}

/* All that are found and older than the page's token says, the newest first. */
static const struct item **found(struct gapi_ask *a, size_t *count, size_t *all)
{
	const struct item **list = arena_get(a->work, (a->mailbox->items + 1) * sizeof *list);
	const char         *page = gapi_query(a, "pageToken", 0);
	unsigned long long  below = UINT32_MAX;
	struct search       s;

	read_search(a, &s);
	if (page && !slice_number(slice_str(page), UINT32_MAX, &below)) {
		gapi_refuse(a, "invalidArgument", "Invalid pageToken");
		return NULL;
	}
	*count = *all = 0;
	for (const struct item *i = a->mailbox->first; i; i = i->next)
		if (is_found(i, &s)) {
			++*all;
			if (i->lasting < below)
				list[(*count)++] = i;
		}
	qsort(list, *count, sizeof *list, newest_first);
	return list;
}

static bool only_metadata(const struct gapi_ask *a)
{
	static const char *const more[] = { GSCOPE_MAIL, "gmail.modify", "gmail.readonly" };

	for (size_t i = 0; i < COUNT(more); i++)
		if (gscope_has(a->token->scope, more[i]))
			return false;
	return true;
}

static void list_as(struct gapi_ask *a, const char *name, bool threads)
{
	size_t              count, all, most = gapi_most(a, PAGE, PAGE_MOST), given = 0, n;
	const struct item **list;
	cJSON              *o, *items;

	if (gapi_query(a, "q", 0) && only_metadata(a)) {
		gapi_refuse(a, "forbidden", "Metadata scope does not support 'q' parameter");
		return;
	}
	if (!(list = found(a, &count, &all)))
		return;
	o = cJSON_CreateObject();
	items = cJSON_CreateArray();
	for (n = 0; n < count && given < most; n++) {
		cJSON *one;

		if (threads && list[n]->thread && list[n]->thread != list[n]->lasting)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "id", gmail_id(a->work, a->mailbox, list[n]->lasting));
		if (!threads)
			cJSON_AddStringToObject(one, "threadId", gmail_id(a->work, a->mailbox, gmail_thread(list[n])));
		else
			cJSON_AddStringToObject(one, "historyId", gapi_text(a->work, ghistory_of(a->sandbox->google, a->mailbox, list[n])));
		cJSON_AddItemToArray(items, one);
		given++;
	}
	if (given)
		cJSON_AddItemToObject(o, name, items);
	else
		cJSON_Delete(items);
	if (n < count)
		cJSON_AddStringToObject(o, "nextPageToken", gapi_text(a->work, list[n - 1]->lasting));
	cJSON_AddNumberToObject(o, "resultSizeEstimate", (double)all);
	gapi_give(a, o);
}

void gmail_list_messages(struct gapi_ask *a)
{
	list_as(a, "messages", false);
}

void gmail_list_threads(struct gapi_ask *a)
{
	list_as(a, "threads", true);
}

/* -- reading -------------------------------------------------------------------------------------------------------------------- */

static const char *format_of(struct gapi_ask *a)
{
	const char *format = gapi_query(a, "format", 0);

	if (!only_metadata(a))
		return format ? format : "full";
	if (!format || strcasecmp(format, "metadata") == 0 || strcasecmp(format, "minimal") == 0)
		return format ? format : "metadata";
	gapi_refuse(a, "forbidden", "Metadata scope doesn't allow format FULL");
	return NULL;
}

void gmail_get_message(struct gapi_ask *a)
{
	struct item *item = gmail_item(a, a->arg[1]);
	const char  *format = item ? format_of(a) : NULL;
	cJSON       *o = format ? gmail_message(a, item, format) : NULL;

	if (o)
		gapi_give(a, o);
}

void gmail_get_attachment(struct gapi_ask *a)
{
	struct item *item = gmail_item(a, a->arg[1]);
	struct slice bytes;
	cJSON       *o;

	if (!item)
		return;
	if (!gmail_attachment(a, item, a->arg[2], &bytes)) {
		gapi_refuse(a, "invalidArgument", "Invalid attachment token");
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddNumberToObject(o, "size", (double)bytes.len);
	cJSON_AddStringToObject(o, "data", gmail_base64(a->work, bytes));
	gapi_give(a, o);
}

void gmail_get_thread(struct gapi_ask *a)
{
	struct item *first = gmail_item(a, a->arg[1]);
	const char  *format = first ? format_of(a) : NULL;
	cJSON       *o, *list;

	if (!format)
		return;
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "id", a->arg[1]);
	cJSON_AddStringToObject(o, "historyId", gapi_text(a->work, ghistory_of(a->sandbox->google, a->mailbox, first)));
	list = cJSON_AddArrayToObject(o, "messages");
	for (struct item *i = a->mailbox->first; i; i = i->next) {
		cJSON *one = i->kind == ITEM_MESSAGE && gmail_thread(i) == first->lasting ? gmail_message(a, i, format) : NULL;

		if (one)
			cJSON_AddItemToArray(list, one);
	}
	if (a->status == 200)
		gapi_give(a, o);
	else
		cJSON_Delete(o);
}

/* -- changing ------------------------------------------------------------------------------------------------------------------- */

struct change {
	unsigned       more, less;
	struct folder *to;
	bool           leaves;      /* the label of the user's own that it has */
};

static bool read_ids(struct gapi_ask *a, const cJSON *list, unsigned *bits, struct folder **folder)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, list) {
		const char    *id = cJSON_IsString(one) ? one->valuestring : "";
		struct folder *f = glabel_folder(a->mailbox, id);

		if (!f && !glabel_bit(id)) {
			gapi_refuse(a, "invalidArgument", arena_print(a->work, "Invalid label: %s", id));
			return false;
		}
		*bits |= glabel_bit(id);
		*folder = f ? f : *folder;
	}
	return true;
}

static bool read_change(struct gapi_ask *a, const cJSON *given, struct change *c)
{
	struct folder *left = NULL;

	*c = (struct change){ 0 };
	if (!read_ids(a, cJSON_GetObjectItem(given, "addLabelIds"), &c->more, &c->to) || !read_ids(a, cJSON_GetObjectItem(given, "removeLabelIds"), &c->less, &left))
		return false;
	c->leaves = left != NULL;
	return true;
}

static cJSON *brief(struct gapi_ask *a, const struct item *item)
{
	unsigned folder, labels = glabels_of(item, &folder);
	cJSON   *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", gmail_id(a->work, a->mailbox, item->lasting));
	cJSON_AddStringToObject(o, "threadId", gmail_id(a->work, a->mailbox, gmail_thread(item)));
	cJSON_AddItemToObject(o, "labelIds", glabels_json(a->work, labels, folder));
	return o;
}

void gmail_modify_message(struct gapi_ask *a)
{
	struct item  *item = gmail_item(a, a->arg[1]);
	cJSON        *given = item ? gapi_body(a) : NULL;
	struct change c;

	if (given && read_change(a, given, &c))
		gapi_give(a, brief(a, glabels_change(a, item, c.more, c.less, c.to, c.leaves)));
	cJSON_Delete(given);
}

void gmail_modify_many(struct gapi_ask *a)
{
	cJSON        *given = gapi_body(a);
	const cJSON  *id;
	struct change c;

	if (given && read_change(a, given, &c)) {
		cJSON_ArrayForEach(id, cJSON_GetObjectItem(given, "ids")) {
			struct item *item = gmail_item(a, cJSON_IsString(id) ? id->valuestring : "");

			if (!item)
				break;
			glabels_change(a, item, c.more, c.less, c.to, c.leaves);
		}
		a->status = a->json ? a->status : 204;
	}
	cJSON_Delete(given);
}

static void thrown(struct gapi_ask *a, unsigned more, unsigned less)
{
	struct item *item = gmail_item(a, a->arg[1]);

	if (item)
		gapi_give(a, brief(a, glabels_change(a, item, more, less, NULL, false)));
}

void gmail_trash_message(struct gapi_ask *a)
{
	thrown(a, GLABEL_TRASH, GLABEL_INBOX);
}

void gmail_untrash_message(struct gapi_ask *a)
{
	thrown(a, 0, GLABEL_TRASH);
}

void gmail_delete_message(struct gapi_ask *a)
{
	struct item *item = gmail_item(a, a->arg[1]);

	if (!item)
		return;
	gapi_happened(a, HAPPENED_DELETED, item, NULL);
	mailbox_drop(a->mailbox, item);
	a->status = 204;
}
