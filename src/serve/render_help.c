#include "serve/render.h"

#include <string.h>

/* The catalogue's groups, as a reader looks for them: by the first word of a cause's id. */
static const struct { const char *key, *prefixes; } groups[] = {
	{ "group.auth",      "auth."                     },
	{ "group.tls",       "tls."                      },
	{ "group.network",   "dns. net."                 },
	{ "group.address",   "address."                  },
	{ "group.server",    "server. throttle. unknown." },
	{ "group.imap",      "imap."                     },
	{ "group.send",      "smtp. send."               },
	{ "group.mailbox",   "mailbox. sync."            },
	{ "group.calendar",  "calendar. caldav."         },
	{ "group.microsoft", "microsoft."                },
	{ "group.google",    "google."                   },
	{ "group.exchange",  "exchange."                 },
	{ "group.operator",  "operator."                 },
};

static bool in_group(enum cause cause, size_t group)
{
	struct slice rest = slice_str(groups[group].prefixes);

	while (rest.at) {
		struct slice prefix = slice_cut(&rest, ' ');

		if (prefix.len && strncmp(cause_row(cause)->id, prefix.at, prefix.len) == 0)
			return true;
	}
	return false;
}

static const char *help_path(struct page *p, enum cause cause)
{
	return arena_print(p->job, "/help/%s?lang=%s", cause_row(cause)->id, p->lang->tag);
}

const char *who_word(const struct page *p, enum who who)
{
	return page_word(p, arena_print(p->job, "who.%s", who_name(who)));
}

/* Whoever it may be, the first first. */
static const char *who_words(struct page *p, enum cause cause)
{
	const struct cause_row *row = cause_row(cause);
	const char             *all = who_word(p, row->who);

	for (unsigned who = WHO_USER; who <= WHO_NOBODY; who <<= 1)
		if ((row->all_who & who) && who != (unsigned)row->who)
			all = arena_print(p->job, "%s · %s", all, who_word(p, (enum who)who));
	return all;
}

/* -- all of them -- */

static void jump_list(struct page *p)
{
	page_open(p, "nav", "aria-label", page_word(p, "help.jump"), NULL);
	page_open(p, "ul", "class", "jump", NULL);
	for (size_t g = 0; g < COUNT(groups); g++) {
		page_open(p, "li", NULL);
		page_element(p, "a", page_word(p, groups[g].key), "href", arena_print(p->job, "#%s", groups[g].key), NULL);
		page_close(p, "li");
	}
	page_close(p, "ul");
	page_close(p, "nav");
}

static void entry(struct page *p, enum cause cause)
{
	struct told t;

	tell_cause(cause, p->lang, p->job, &t);
	page_open(p, "li", NULL);
	page_element(p, "a", t.title, "href", help_path(p, cause), NULL);
	page_open(p, "span", "class", "about", NULL);
	page_text(p, arena_print(p->job, "%s · ", who_words(p, cause)));
	page_element(p, "span", cause_row(cause)->id, "translate", "no", NULL);
	page_close(p, "span");
	page_close(p, "li");
}

static void group(struct page *p, size_t g)
{
	page_element(p, "h2", page_word(p, groups[g].key), "id", groups[g].key, NULL);
	page_open(p, "ul", "class", "index card", NULL);
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		if (in_group((enum cause)c, g))
			entry(p, (enum cause)c);
	page_close(p, "ul");
}

bool render_help_index(struct page *p)
{
	page_begin(p, &(struct frame){ .title = page_word(p, "help.title"), .path = "/help", .broad = true });
	page_element(p, "h1", page_word(p, "help.title"), NULL);
	page_element(p, "p", page_word(p, "help.lead"), "class", "lead", NULL);
	jump_list(p);
	for (size_t g = 0; g < COUNT(groups); g++)
		group(p, g);
	return page_end(p);
}

bool render_help_unknown(struct page *p)
{
	page_begin(p, &(struct frame){ .title = page_word(p, "help.title"), .path = "/help", .broad = true });
	page_element(p, "h1", page_word(p, "help.unknown"), NULL);
	page_element(p, "p", page_word(p, "help.unknown.lead"), "class", "lead", NULL);
	page_open(p, "p", NULL);
	page_element(p, "a", page_word(p, "help.all"), "class", "button", "href", arena_print(p->job, "/help?lang=%s", p->lang->tag), NULL);
	page_close(p, "p");
	return page_end(p);
}

/* -- one -- */

static bool has_placeholders(const struct told *t)
{
	for (size_t i = 0; i < t->fixes; i++)
		if (strchr(t->fix[i], '{'))
			return true;
	return false;
}

static void what_to_do(struct page *p, const struct told *t)
{
	page_element(p, "h2", catalogue_text(p->lang, "ui/what_to_do"), NULL);
	page_open(p, "ol", "class", "steps", "role", "list", NULL);
	for (size_t i = 0; i < t->fixes; i++) {
		page_open(p, "li", NULL);
		page_template(p, t->fix[i]);
		page_close(p, "li");
	}
	page_close(p, "ol");
	if (has_placeholders(t))
		page_element(p, "p", page_word(p, "help.values"), "class", "small", NULL);
}

void render_csrf(struct page *p, const char *token)
{
	page_empty(p, "input", "type", "hidden", "name", "csrf", "value", token ? token : "", NULL);
}

static void feedback(struct page *p, const struct help_page *h)
{
	page_open(p, "section", "class", "feedback card", "id", "feedback", "aria-labelledby", "feedback-title", NULL);
	page_element(p, "h2", page_word(p, "help.helpful"), "id", "feedback-title", NULL);
	if (h->thanked) {
		page_element(p, "p", page_word(p, "help.thanks"), "role", "status", NULL);
	} else {
		page_open(p, "form", "method", "post", "action", arena_print(p->job, "/help/%s/feedback?lang=%s", cause_row(h->cause)->id, p->lang->tag), NULL);
		render_csrf(p, h->csrf);
		page_element(p, "button", page_word(p, "help.yes"), "class", "quiet", "name", "helpful", "value", "yes", NULL);
		page_element(p, "button", page_word(p, "help.no"), "class", "quiet", "name", "helpful", "value", "no", NULL);
		page_close(p, "form");
	}
	page_close(p, "section");
}

bool render_help(struct page *p, const struct help_page *h)
{
	const struct cause_row *row = cause_row(h->cause);
	struct told             t;

	tell_cause(h->cause, p->lang, p->job, &t);
	page_begin(p, &(struct frame){ .title = t.title, .path = arena_print(p->job, "/help/%s", row->id), .broad = true });
	page_element(p, "a", arena_print(p->job, "← %s", page_word(p, "help.all")), "class", "back",
		"href", arena_print(p->job, "/help?lang=%s", p->lang->tag), NULL);
	page_open(p, "article", "class", "card", NULL);
	page_element(p, "h1", t.title, NULL);
	page_open(p, "p", "class", "small", NULL);
	page_element(p, "code", row->id, "translate", "no", NULL);
	page_close(p, "p");
	page_element(p, "h2", page_word(p, "help.means"), NULL);
	page_open(p, "p", NULL);
	page_template(p, t.why);
	page_close(p, "p");
	page_element(p, "h2", page_word(p, "help.who"), NULL);
	page_element(p, "p", who_words(p, h->cause), NULL);
	what_to_do(p, &t);
	render_documentation(p, &t, "h2");
	if (*t.alias) {
		page_element(p, "h2", page_word(p, "help.alias"), NULL);
		page_open(p, "p", NULL);
		page_element(p, "code", t.alias, "translate", "no", "lang", "en", NULL);
		page_close(p, "p");
	}
	page_close(p, "article");
	feedback(p, h);
	return page_end(p);
}
