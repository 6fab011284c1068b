#include "sandbox/imap_box.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* -- folders ------------------------------------------------------------------------------------------------------ */

static const struct { const char *known, *name, *use; } usual[] = {
	{ "inbox", "INBOX", NULL }, { "drafts", "Drafts", "\\Drafts" }, { "sentitems", "Sent", "\\Sent" }, { "deleteditems", "Trash", "\\Trash" },
	{ "junkemail", "Junk", "\\Junk" },
};

const char *box_name(struct arena *arena, struct mailbox *m, const struct folder *f)
{
	const char *above;

	for (size_t i = 0; f->known && i < COUNT(usual); i++)
		if (strcmp(usual[i].known, f->known) == 0)
			return usual[i].name;
	if (f->known || f->gone || strcmp(f->class, "IPF.Note") != 0)
		return NULL;
	if (!f->parent || (f->parent->known && strcmp(f->parent->known, "msgfolderroot") == 0))
		return f->name;
	above = box_name(arena, m, f->parent);
	return above ? arena_print(arena, "%s/%s", above, f->name) : NULL;
}

const char *box_use(const struct folder *f)
{
	for (size_t i = 0; f->known && i < COUNT(usual); i++)
		if (strcmp(usual[i].known, f->known) == 0)
			return usual[i].use;
	return NULL;
}

bool box_has_children(const struct mailbox *m, const struct folder *f)
{
	for (size_t i = 0; i < m->folders; i++)
		if (m->folder[i]->parent == f && !m->folder[i]->gone)
			return true;
	return false;
}

struct folder *box_find(struct mailbox *m, const char *name)
{
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t i = 0; i < m->folders; i++) {
		const char *is = m->folder[i]->gone ? NULL : box_name(work, m, m->folder[i]);

		if (is && (strcmp(is, name) == 0 || (strcasecmp(name, "INBOX") == 0 && strcmp(is, "INBOX") == 0)))
			return m->folder[i];
	}
	return NULL;
}

struct folder *box_make(struct mailbox *m, const char *name)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct folder *parent = mailbox_known(m, "msgfolderroot");
	const char    *slash = strrchr(name, '/');

	if (!*name || box_find(m, name) || (slash && !slash[1]))
		return NULL;
	if (slash) {
		const char *above = arena_copy(work, slice(name, (size_t)(slash - name)));

		parent = box_find(m, above);
		if (!parent)
			parent = box_make(m, above);
	}
	return parent ? mailbox_add_folder(m, parent, slash ? slash + 1 : name, "IPF.Note") : NULL;
}

/* -- flags -------------------------------------------------------------------------------------------------------- */

static const struct { unsigned mark; const char *name; } flags[] = {
	{ MARK_SEEN, "\\Seen" }, { MARK_ANSWERED, "\\Answered" }, { MARK_FLAGGED, "\\Flagged" }, { MARK_DELETED, "\\Deleted" }, { MARK_DRAFT, "\\Draft" },
};

unsigned marks_of(const struct item *i)
{
	return i->marks | (i->read ? MARK_SEEN : 0) | (i->draft ? MARK_DRAFT : 0);
}

void marks_set(struct mailbox *m, struct item *i, unsigned marks)
{
	if (i->read != ((marks & MARK_SEEN) != 0))
		mailbox_set_read(m, i, (marks & MARK_SEEN) != 0);
	if (i->marks != (marks & ~(MARK_SEEN | MARK_DRAFT)) || i->draft != ((marks & MARK_DRAFT) != 0))
		mailbox_touch(m, i);
	i->marks = marks & ~(MARK_SEEN | MARK_DRAFT);
	i->draft = (marks & MARK_DRAFT) != 0;
}

const char *marks_text(unsigned marks, char text[80])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < COUNT(flags); i++)
		if (marks & flags[i].mark)
			len += (size_t)snprintf(text + len, 80 - len, "%s%s", len ? " " : "", flags[i].name);
	return text;
}

bool marks_read(struct slice *rest, unsigned *out)
{
	bool         bracket = read_mark(rest, '(');
	struct slice word;

	*out = 0;
	while (read_atom(rest, &word))
		for (size_t i = 0; i < COUNT(flags); i++)
			if (slice_is(word, flags[i].name))
				*out |= flags[i].mark;
	return bracket ? read_mark(rest, ')') : true;
}

/* -- views -------------------------------------------------------------------------------------------------------- */

static void view_add(struct view *v, const struct item *i)
{
	if (v->count == v->room) {
		v->room = v->room ? 2 * v->room : 64;
		v->seen = must_realloc(v->seen, v->room * sizeof *v->seen);
	}
	v->seen[v->count].uid = i->number;
	v->seen[v->count++].marks = marks_of(i);
}

void view_open(struct view *v, struct mailbox *m, struct folder *f, bool read_only)
{
	view_close(v);
	v->folder = f;
	v->number = f->number;
	v->read_only = read_only;
	for (struct item *i = m->first; i; i = i->next)
		if (i->folder == f)
			view_add(v, i);
}

void view_close(struct view *v)
{
	free(v->seen);
	*v = (struct view){ 0 };
}

struct item **view_items(struct arena *arena, const struct view *v, struct mailbox *m)
{
	struct item **all = arena_get(arena, (v->count + 1) * sizeof *all);
	size_t        n = 0;

	/* both go up */
	for (struct item *i = m->first; i; i = i->next) {
		while (n < v->count && v->seen[n].uid < i->number)
			n++;
		if (n < v->count && v->seen[n].uid == i->number && i->folder == v->folder)
			all[n] = i;
	}
	return all;
}

void view_news(struct view *v, struct mailbox *m, struct buffer *out)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct item **all = view_items(work, v, m);
	size_t        kept = 0, before;
	unsigned      last = v->count ? v->seen[v->count - 1].uid : 0;
	char          text[80];

	for (size_t i = v->count; i-- > 0;)
		if (!all[i])
			buffer_print(out, "* %zu EXPUNGE\r\n", i + 1);
	for (size_t i = 0; i < v->count; i++) {
		if (!all[i])
			continue;
		v->seen[kept] = v->seen[i];
		if (v->seen[kept].marks != marks_of(all[i]))
			buffer_print(out, "* %zu FETCH (UID %u FLAGS (%s))\r\n", kept + 1, v->seen[kept].uid, marks_text(marks_of(all[i]), text));
		v->seen[kept++].marks = marks_of(all[i]);
	}
	before = v->count = kept;
	for (struct item *i = m->first; i; i = i->next)
		if (i->folder == v->folder && i->number > last)
			view_add(v, i);
	if (v->count != before)
		buffer_print(out, "* %zu EXISTS\r\n", v->count);
}
