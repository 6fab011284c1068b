#include "serve/render.h"

#include <string.h>

#include "serve/demo.h"

/* -- links ------------------------------------------------------------------------------------------------------------- */

static const struct tour_mailbox *named(const struct tour_page *t, const char *name)
{
	for (size_t i = 0; i < t->mailboxes; i++)
		if (strcmp(t->mailbox[i].name, name) == 0)
			return &t->mailbox[i];
	return NULL;
}

static const char *title_of(struct page *p, const char *cause)
{
	struct told t;

	if (!cause)
		return page_word(p, "tour.connected");
	tell_cause(cause_find(cause), p->lang, p->job, &t);
	return t.title;
}

static const char *see_path(struct page *p, const char *name)
{
	return arena_print(p->job, "/demo/see/%s?lang=%s", name, p->lang->tag);
}

/* -- the statements ------------------------------------------------------------------------------------------------------ */

static void see_mailbox(struct page *p, const struct tour_mailbox *m)
{
	page_element(p, "a", m->address, "href", see_path(p, m->name), "translate", "no", NULL);
	page_element(p, "span", title_of(p, m->cause), "class", "about", NULL);
}

static void see_page(struct page *p, const char *where)
{
	bool        settings = strcmp(where, "settings") == 0;
	const char *path = settings ? "/demo/settings" : where, *mark = strchr(path, '#');

	page_element(p, "a", page_word(p, settings ? "tour.settings" : "tour.help"), "href",
	             arena_print(p->job, "%.*s?lang=%s%s", (int)strcspn(path, "#"), path, p->lang->tag, mark ? mark : ""), NULL);
}

static void said_beside(struct page *p, const char *ids)
{
	struct slice rest = slice_str(ids);

	if (!rest.len)
		return;
	page_text(p, " ");
	page_open(p, "span", "class", "beside", "translate", "no", NULL);
	while (rest.len) {
		const char *id = arena_copy(p->job, slice_cut(&rest, ' '));

		page_element(p, "span", id, "id", id, NULL);
		page_text(p, rest.len ? " " : "");
	}
	page_close(p, "span");
}

static void statement(struct page *p, const struct tour_page *t, const struct demo_statement *s)
{
	struct slice rest = slice_str(s->see);

	page_open(p, "li", "id", s->id, NULL);
	page_open(p, "p", NULL);
	page_element(p, "span", s->id, "class", "badge", "translate", "no", NULL);
	page_prose(p, page_word(p, arena_print(p->job, "tour.s%s", s->id + 1)), NULL, 0);
	said_beside(p, s->beside);
	page_close(p, "p");
	page_open(p, "ul", "class", "see", NULL);
	while (rest.len) {
		const char                *one = arena_copy(p->job, slice_cut(&rest, ' '));
		const struct tour_mailbox *m = named(t, one);

		page_open(p, "li", NULL);
		page_element(p, "span", arena_print(p->job, "%s ", page_word(p, "tour.see")), "class", "small", NULL);
		if (m)
			see_mailbox(p, m);
		else
			see_page(p, one);
		page_close(p, "li");
	}
	page_close(p, "ul");
	page_close(p, "li");
}

/* -- the mailboxes --------------------------------------------------------------------------------------------------------- */

static bool as_it_shall_be(const struct tour_mailbox *m)
{
	if (m->found)
		return m->cause && strcmp(m->cause, m->found) == 0;
	return !m->cause || m->mended;
}

static void state_of(struct page *p, const struct tour_mailbox *m)
{
	const char *key = m->under_way ? "tour.under_way" : m->known ? "tour.verified" : "tour.not_yet";

	page_icon(p, !m->known ? ICON_WAITING : m->found ? ICON_WARNED : ICON_PASSED);
	page_element(p, "span", page_word(p, key), "class", "small", NULL);
	/* what our own flow found is what counts, whatever the tour says of it */
	if (m->known && !as_it_shall_be(m))
		page_element(p, "span", title_of(p, m->found), "class", "small", NULL);
}

static void mailbox(struct page *p, const struct tour_mailbox *m)
{
	page_open(p, "li", NULL);
	page_element(p, "a", title_of(p, m->cause), "href", see_path(p, m->name), NULL);
	page_open(p, "span", "class", "about", NULL);
	page_element(p, "span", m->address, "translate", "no", NULL);
	page_close(p, "span");
	page_open(p, "span", "class", "state", NULL);
	state_of(p, m);
	page_close(p, "span");
	page_close(p, "li");
}

static const struct { const char *provider, *heading; } kinds[] = {
	{ "exchange", "group.exchange" }, { "microsoft", "group.microsoft" }, { "google", "group.google" }, { "imap", "group.imap" },
	{ "caldav", "group.calendar" },
};

static void mailboxes_of(struct page *p, const struct tour_page *t, size_t kind)
{
	bool any = false;

	for (size_t i = 0; i < t->mailboxes; i++) {
		if (strcmp(t->mailbox[i].provider, kinds[kind].provider) != 0)
			continue;
		if (!any) {
			page_element(p, "h3", page_word(p, kinds[kind].heading), NULL);
			page_open(p, "ul", "class", "index card", NULL);
		}
		any = true;
		mailbox(p, &t->mailbox[i]);
	}
	if (any)
		page_close(p, "ul");
}

/* -- what nobody plays here --------------------------------------------------------------------------------------------------- */

static bool is_shown(const struct tour_page *t, const char *cause)
{
	for (size_t i = 0; i < t->mailboxes; i++)
		if (t->mailbox[i].cause && strcmp(t->mailbox[i].cause, cause) == 0)
			return true;
	return false;
}

static void others(struct page *p, const struct tour_page *t)
{
	page_element(p, "h2", page_word(p, "tour.others"), "id", "others", NULL);
	page_element(p, "p", page_word(p, "tour.others.text"), NULL);
	page_open(p, "ul", "class", "index card", NULL);
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const char *id = cause_row((enum cause)c)->id;

		if (is_shown(t, id))
			continue;
		page_open(p, "li", NULL);
		page_element(p, "a", title_of(p, id), "href", arena_print(p->job, "/help/%s?lang=%s", id, p->lang->tag), NULL);
		page_open(p, "span", "class", "about", NULL);
		page_element(p, "span", id, "translate", "no", NULL);
		page_close(p, "span");
		page_close(p, "li");
	}
	page_close(p, "ul");
}

bool render_tour(struct page *p, const struct tour_page *t)
{
	size_t known = 0;

	for (size_t i = 0; i < t->mailboxes; i++)
		known += t->mailbox[i].known;
	page_begin(p, &(struct frame){ .title = page_word(p, "tour.title"), .path = "/demo", .broad = true });
	page_element(p, "h1", page_word(p, "tour.title"), NULL);
	page_element(p, "p", page_word(p, "tour.lead"), "class", "lead", NULL);
	page_element(p, "p", page_phrase(p, "tour.count", "known", arena_print(p->job, "%zu", known), "all", arena_print(p->job, "%zu", t->mailboxes), NULL), NULL);
	page_open(p, "ul", "class", "jump", NULL);
	for (size_t i = 0; i < 3; i++) {
		static const struct { const char *word, *to; } jumps[] = { { "tour.statements", "#statements" }, { "tour.mailboxes", "#mailboxes" },
		                                                           { "tour.others", "#others" } };

		page_open(p, "li", NULL);
		page_element(p, "a", page_word(p, jumps[i].word), "href", jumps[i].to, NULL);
		page_close(p, "li");
	}
	page_close(p, "ul");
	page_element(p, "h2", page_word(p, "tour.statements"), "id", "statements", NULL);
	page_open(p, "ol", "class", "tour card", "role", "list", NULL);
	for (size_t i = 0; i < t->statements; i++)
		statement(p, t, &t->statement[i]);
	page_close(p, "ol");
	page_element(p, "h2", page_word(p, "tour.mailboxes"), "id", "mailboxes", NULL);
	for (size_t k = 0; k < COUNT(kinds); k++)
		mailboxes_of(p, t, k);
	others(p, t);
	return page_end(p);
}
