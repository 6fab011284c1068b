#include "sandbox/mailbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "sandbox/text.h"

/* -- folders ------------------------------------------------------------------------------------------------------ */

static const struct { const char *known, *parent, *name, *class; } usual[] = {
	{ "root",          NULL,            "",                         "" },
	{ "msgfolderroot", "root",          "Top of Information Store", "IPF.Note" },
	{ "inbox",         "msgfolderroot", "Inbox",                    "IPF.Note" },
	{ "drafts",        "msgfolderroot", "Drafts",                   "IPF.Note" },
	{ "sentitems",     "msgfolderroot", "Sent Items",               "IPF.Note" },
	{ "deleteditems",  "msgfolderroot", "Deleted Items",            "IPF.Note" },
	{ "outbox",        "msgfolderroot", "Outbox",                   "IPF.Note" },
	{ "junkemail",     "msgfolderroot", "Junk Email",               "IPF.Note" },
	{ "calendar",      "msgfolderroot", "Calendar",                 "IPF.Appointment" },
	{ "contacts",      "msgfolderroot", "Contacts",                 "IPF.Contact" },
	{ "tasks",         "msgfolderroot", "Tasks",                    "IPF.Task" },
	{ "notes",         "msgfolderroot", "Notes",                    "IPF.StickyNote" },
	{ "journal",       "msgfolderroot", "Journal",                  "IPF.Journal" },
	{ "searchfolders", "root",          "Finder",                   "" },
};

struct mailbox *mailbox_new(unsigned number, const char *address, bool calendar)
{
	struct mailbox *m = must_alloc(sizeof *m);

	m->number = number;
	m->address = address;
	for (size_t i = 0; i < COUNT(usual); i++) {
		struct folder *f;

		if (!calendar && strcmp(usual[i].known, "calendar") == 0)
			continue;
		f = mailbox_add_folder(m, usual[i].parent ? mailbox_known(m, usual[i].parent) : NULL, usual[i].name, usual[i].class);
		f->known = usual[i].known;
	}
	return m;
}

static void item_free(struct item *item)
{
	arena_free(item->own);
	free(item);
}

void mailbox_free(struct mailbox *m)
{
	if (!m)
		return;
	while (m->first) {
		struct item *item = m->first;

		m->first = item->next;
		item_free(item);
	}
	for (size_t i = 0; i < m->folders; i++) {
		free(m->folder[i]->name);
		free(m->folder[i]->class);
		free(m->folder[i]);
	}
	free(m->traces);
	free(m);
}

struct folder *mailbox_known(struct mailbox *m, const char *known)
{
	for (size_t i = 0; i < m->folders; i++)
		if (m->folder[i]->known && !m->folder[i]->gone && strcmp(m->folder[i]->known, known) == 0)
			return m->folder[i];
	return NULL;
}

struct folder *mailbox_folder(struct mailbox *m, unsigned number)
{
	for (size_t i = 0; i < m->folders; i++)
		if (m->folder[i]->number == number && !m->folder[i]->gone)
			return m->folder[i];
	return NULL;
}

struct folder *mailbox_add_folder(struct mailbox *m, struct folder *parent, const char *name, const char *class)
{
	struct folder *f;

	if (m->folders == MAILBOX_FOLDERS)
		return NULL;
	f = must_alloc(sizeof *f);
	f->number = ++m->last_number;
	f->parent = parent;
	f->name = must_copy(name);
	f->class = must_copy(class);
	f->made = f->changed = ++m->change;
	m->folder[m->folders++] = f;
	return f;
}

bool folder_is_under(const struct folder *f, const struct folder *top)
{
	while (f->parent && f->parent != top)
		f = f->parent;
	return f->parent == top;
}

void mailbox_drop_folder(struct mailbox *m, struct folder *f)
{
	struct item *next;

	for (struct item *i = m->first; i; i = next) {
		next = i->next;
		if (i->folder == f || folder_is_under(i->folder, f))
			mailbox_drop(m, i);
	}
	for (size_t i = 0; i < m->folders; i++)
		if (!m->folder[i]->gone && (m->folder[i] == f || folder_is_under(m->folder[i], f)))
			m->folder[i]->gone = ++m->change;
}

/* -- items -------------------------------------------------------------------------------------------------------- */

struct item *mailbox_item(struct mailbox *m, unsigned number)
{
	for (struct item *i = m->first; i; i = i->next)
		if (i->number == number)
			return i;
	return NULL;
}

static struct item *item_add(struct mailbox *m, struct folder *f, enum item_kind kind, const char *class, int64_t now)
{
	struct item *item = must_alloc(sizeof *item);

	item->own = arena_new();
	item->number = item->lasting = ++m->last_number;
	item->folder = f;
	item->kind = kind;
	item->class = arena_str(item->own, class);
	item->made = item->changed = ++m->change;
	item->received = now;
	if (m->last)
		m->last->next = item;
	else
		m->first = item;
	m->last = item;
	m->items++;
	return item;
}

struct item *mailbox_add_mail(struct mailbox *m, struct folder *f, struct slice mime, int64_t now)
{
	struct item *item = item_add(m, f, ITEM_MESSAGE, "IPM.Note", now);

	item->mime = slice(arena_copy(item->own, mime), mime.len);
	mime_read(item->own, item->mime, &item->shown);
	return item;
}

struct item *mailbox_add_event(struct mailbox *m, struct folder *f, int64_t now)
{
	struct item *item = item_add(m, f, ITEM_EVENT, "IPM.Appointment", now);

	mime_read(item->own, slice("", 0), &item->shown);
	item->event.location = item->event.zone = item->event.uid = "";
	item->event.busy = "Busy";
	return item;
}

static struct people people_copy(struct arena *own, const struct people *of)
{
	struct people copy = { arena_get(own, of->count * sizeof *of->list + 1), of->count };

	for (size_t i = 0; i < of->count; i++)
		copy.list[i] = (struct person){ arena_str(own, of->list[i].name), arena_str(own, of->list[i].address) };
	return copy;
}

struct item *mailbox_copy(struct mailbox *m, const struct item *of, struct folder *to, int64_t now)
{
	struct item *copy;

	if (of->kind == ITEM_MESSAGE) {
		copy = mailbox_add_mail(m, to, of->mime, now);
		copy->class = arena_str(copy->own, of->class);
		copy->shown.subject = arena_str(copy->own, of->shown.subject);
	} else {
		copy = mailbox_add_event(m, to, now);
		copy->event = of->event;
		copy->event.location = arena_str(copy->own, of->event.location);
		copy->event.busy = arena_str(copy->own, of->event.busy);
		copy->event.zone = arena_str(copy->own, of->event.zone);
		copy->event.transaction = of->event.transaction ? arena_str(copy->own, of->event.transaction) : NULL;
		copy->event.uid = arena_str(copy->own, of->event.uid);
		copy->event.required = people_copy(copy->own, &of->event.required);
		copy->event.optional = people_copy(copy->own, &of->event.optional);
		copy->event.recurs.xml = of->event.recurs.xml ? arena_str(copy->own, of->event.recurs.xml) : NULL;
		copy->shown.subject = arena_str(copy->own, of->shown.subject);
		copy->shown.text = arena_str(copy->own, of->shown.text);
		copy->shown.is_html = of->shown.is_html;
	}
	copy->read = of->read;
	copy->google = of->google ? arena_str(copy->own, of->google) : NULL;
	copy->received = of->received;
	return copy;
}

struct item *mailbox_move(struct mailbox *m, struct item *item, struct folder *to, int64_t now)
{
	struct item *moved = mailbox_copy(m, item, to, now);

	moved->lasting = item->lasting;
	moved->draft = item->draft;
	moved->labels = item->labels;
	moved->thread = item->thread;
	mailbox_drop(m, item);
	return moved;
}

void mailbox_drop(struct mailbox *m, struct item *item)
{
	struct item *before = NULL;

	for (struct item *i = m->first; i && i != item; i = i->next)
		before = i;
	if (before)
		before->next = item->next;
	else
		m->first = item->next;
	if (m->last == item)
		m->last = before;
	m->items--;
	if (m->trace_count == m->trace_room) {
		m->trace_room = m->trace_room ? 2 * m->trace_room : 64;
		m->traces = must_realloc(m->traces, m->trace_room * sizeof *m->traces);
	}
	m->traces[m->trace_count++] = (struct trace){ item->number, item->lasting, item->folder->number, ++m->change };
	item_free(item);
}

void mailbox_touch(struct mailbox *m, struct item *item)
{
	item->changed = ++m->change;
}

void mailbox_set_read(struct mailbox *m, struct item *item, bool read)
{
	item->read = read;
	item->flagged = ++m->change;
}

unsigned mailbox_count(const struct mailbox *m, const struct folder *f, bool unread_only)
{
	unsigned n = 0;

	for (const struct item *i = m->first; i; i = i->next)
		n += i->folder == f && !(unread_only && i->read);
	return n;
}

/* -- ids ---------------------------------------------------------------------------------------------------------- */

#define ID_BYTES 18
static const unsigned char id_tail[4] = { 0x4d, 0x4d, 0x53, 0x42 };
static const unsigned char id_head[] = { 0x00, 0x03, 0x24, 0x00 };      /* "AAMk…", as real ones begin */

const char *entry_id(struct arena *arena, struct entry_id id)
{
	unsigned char b[ID_BYTES] = { 0 };

	memcpy(b, id_head, sizeof id_head);
	b[4] = (unsigned char)id.kind;
	b[5] = (unsigned char)id.mailbox;
	for (unsigned i = 0; i < 4; i++) {
		b[6 + i] = (unsigned char)(id.number >> 8 * (3 - i));
		b[10 + i] = (unsigned char)(id.instance >> 8 * (3 - i));
	}
	memcpy(b + 14, id_tail, sizeof id_tail);
	return base64_of(arena, slice((const char *)b, sizeof b));
}

bool entry_id_read(struct arena *arena, const char *text, struct entry_id *out)
{
	struct slice bytes;
	const unsigned char *b;

	if (!text || !base64_read(arena, slice_str(text), &bytes) || bytes.len != ID_BYTES)
		return false;
	b = (const unsigned char *)bytes.at;
	if (memcmp(b, id_head, sizeof id_head) != 0 || memcmp(b + 14, id_tail, sizeof id_tail) != 0 || !b[4] || !strchr("fic", b[4]))
		return false;
	*out = (struct entry_id){ .kind = (char)b[4], .mailbox = b[5] };
	for (unsigned i = 0; i < 4; i++) {
		out->number = out->number << 8 | b[6 + i];
		out->instance = out->instance << 8 | b[10 + i];
	}
	return true;
}
