#include "serve/page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "diagnose/tell.h"
#include "serve/assets.h"

void page_init(struct page *p, struct buffer *out, const struct language *lang, struct arena *job)
{
	*p = (struct page){ .out = out, .lang = lang, .job = job };
}

/* -- bytes -------------------------------------------------------------------------------------------------------- */

static void put(struct page *p, struct slice bytes)
{
	if (!p->full && !buffer_add(p->out, bytes))
		p->full = true;
}

static void put_str(struct page *p, const char *ours)
{
	put(p, slice_str(ours));
}

/* Length of the well-formed character that begins here (RFC 3629), 0 when there is none; `*code` is what it stands for. */
static size_t character(const unsigned char *at, unsigned *code)
{
	static const struct { unsigned char mask, lead; unsigned least; } forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};

	for (size_t more = 0; more < COUNT(forms); more++) {
		if ((at[0] & forms[more].mask) != forms[more].lead)
			continue;
		*code = at[0] & (unsigned char)~forms[more].mask;
		for (size_t i = 1; i <= more; i++) {
			if ((at[i] & 0xc0) != 0x80)          /* the NUL at the end is none either */
				return 0;
			*code = *code << 6 | (at[i] & 0x3f);
		}
		if (*code < forms[more].least || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
			return 0;
		return more + 1;
	}
	return 0;
}

/* What a reader must not meet: it would be invisible, or turn around what stands beside it. */
static bool is_unfit(unsigned code)
{
	return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code >= 0x7f && code < 0xa0)
	    || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
	    || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) || (code & 0xfffe) == 0xfffe;
}

static const char *entity(unsigned code)
{
	switch (code) {
	case '&':  return "&amp;";
	case '<':  return "&lt;";
	case '>':  return "&gt;";
	case '"':  return "&quot;";
	case '\'': return "&#39;";
	default:   return NULL;
	}
}

/* The one way in for what is not ours. */
static void put_escaped(struct page *p, struct slice text)
{
	/* read up to a NUL, which a slice need not have */
	const unsigned char *at = (const unsigned char *)arena_copy(p->job, text), *end = at + text.len;

	while (at < end) {
		unsigned code = 0;
		size_t   len = character(at, &code);

		if (!len || is_unfit(code))
			put_str(p, "\xef\xbf\xbd");
		else if (entity(code))
			put_str(p, entity(code));
		else
			put(p, slice((const char *)at, len));
		at += len ? len : 1;
	}
}

void page_text(struct page *p, const char *text)
{
	put_escaped(p, slice_str(text));
}

/* -- elements ----------------------------------------------------------------------------------------------------- */

static bool is_address(const char *attribute)
{
	return strcmp(attribute, "href") == 0 || strcmp(attribute, "action") == 0 || strcmp(attribute, "src") == 0;
}

/* Of these schemes a browser does nothing but go there. "//host" would be another's address that looks like ours. */
static const char *fit_address(const char *url)
{
	static const char *const begins[] = { "https://", "http://", "mailto:" };

	if (*url == '#' || *url == '?' || (url[0] == '/' && url[1] != '/' && url[1] != '\\'))
		return url;
	for (size_t i = 0; i < COUNT(begins); i++)
		if (slice_starts(slice_str(url), begins[i]))
			return url;
	return "#";
}

static void put_tag(struct page *p, const char *tag, va_list attributes)
{
	const char *name;

	put_str(p, "<");
	put_str(p, tag);
	while ((name = va_arg(attributes, const char *)) != NULL) {
		const char *value = va_arg(attributes, const char *);

		if (!value)
			continue;
		put_str(p, " ");
		put_str(p, name);
		put_str(p, "=\"");
		page_text(p, is_address(name) ? fit_address(value) : value);
		put_str(p, "\"");
	}
	put_str(p, ">");
}

static void push(struct page *p, const char *tag)
{
	assert(p->depth < PAGE_DEEPEST);
	p->open[p->depth++] = tag;
}

void page_open(struct page *p, const char *tag, ...)
{
	va_list attributes;

	va_start(attributes, tag);
	put_tag(p, tag, attributes);
	va_end(attributes);
	push(p, tag);
}

void page_empty(struct page *p, const char *tag, ...)
{
	va_list attributes;

	va_start(attributes, tag);
	put_tag(p, tag, attributes);
	va_end(attributes);
}

void page_close(struct page *p, const char *tag)
{
	assert(p->depth && strcmp(p->open[p->depth - 1], tag) == 0);
	p->depth--;
	put_str(p, "</");
	put_str(p, tag);
	put_str(p, ">");
	if (p->depth <= 3)          /* so that the source of a page can be read; deeper a line end may be seen, as a blank */
		put_str(p, "\n");
}

void page_element(struct page *p, const char *tag, const char *text, ...)
{
	va_list attributes;

	va_start(attributes, text);
	put_tag(p, tag, attributes);
	va_end(attributes);
	push(p, tag);
	page_text(p, text);
	page_close(p, tag);
}

/* -- prose -------------------------------------------------------------------------------------------------------- */

/* The link that begins right here, the longest of those that do; NULL for none. */
static const char *link_at(const char *at, const char *const *links, size_t count)
{
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t len = links[i] ? strlen(links[i]) : 0;

		if (len && strncmp(at, links[i], len) == 0 && (!found || len > strlen(found)))
			found = links[i];
	}
	return found;
}

static void put_linked(struct page *p, struct slice text, const char *const *links, size_t count)
{
	const char *copy = arena_copy(p->job, text), *from = copy, *at = copy;

	while (*at) {
		const char *link = link_at(at, links, count);

		if (!link) {
			at++;
			continue;
		}
		put_escaped(p, slice(from, (size_t)(at - from)));
		page_element(p, "a", link, "href", link, "rel", "noreferrer", NULL);
		from = at += strlen(link);
	}
	put_escaped(p, slice_str(from));
}

void page_prose(struct page *p, const char *text, const char *const *links, size_t count)
{
	struct slice rest = slice_str(text);

	while (rest.at) {
		struct slice words = slice_cut(&rest, '`');

		put_linked(p, words, links, count);
		if (!rest.at)
			return;
		words = slice_cut(&rest, '`');
		page_open(p, "code", "translate", "no", NULL);
		put_escaped(p, words);
		page_close(p, "code");
	}
}

/* "{host}" at the beginning: its name, without the braces. */
static struct slice placeholder(struct slice text)
{
	size_t len = 1;

	while (len < text.len && ((text.at[len] >= 'a' && text.at[len] <= 'z') || text.at[len] == '_'))
		len++;
	return len > 1 && len < text.len && text.at[len] == '}' ? slice(text.at + 1, len - 1) : slice(NULL, 0);
}

static void put_template(struct page *p, struct slice text)
{
	while (text.len) {
		size_t       brace = slice_find(text, '{');
		struct slice name = brace < text.len ? placeholder(slice_from(text, brace)) : slice(NULL, 0);
		const char  *key;

		put_escaped(p, slice_upto(text, brace));
		text = slice_from(text, brace);
		if (!name.len) {
			put_escaped(p, slice_upto(text, 1));
			text = slice_from(text, 1);
			continue;
		}
		key = arena_print(p->job, "page/value.%.*s", (int)name.len, name.at);
		page_element(p, "var", catalogue_text(p->lang, key) ? catalogue_text(p->lang, key) : arena_copy(p->job, name), NULL);
		text = slice_from(text, name.len + 2);
	}
}

void page_template(struct page *p, const char *text)
{
	struct slice rest = slice_str(text);

	while (rest.at) {
		put_template(p, slice_cut(&rest, '`'));
		if (!rest.at)
			return;
		page_open(p, "code", "translate", "no", NULL);
		put_template(p, slice_cut(&rest, '`'));
		page_close(p, "code");
	}
}

/* -- words -------------------------------------------------------------------------------------------------------- */

const char *page_word(const struct page *p, const char *key)
{
	char        full[64];
	const char *text;

	snprintf(full, sizeof full, "page/%s", key);
	text = catalogue_text(p->lang, full);
	assert(text);
	return text;
}

#define PHRASE_VALUES 6

const char *page_phrase(struct page *p, const char *key, ...)
{
	struct value values[PHRASE_VALUES];
	size_t       count = 0;
	const char  *name, *text = NULL;
	va_list      list;

	va_start(list, key);
	while ((name = va_arg(list, const char *)) != NULL) {
		const char *value = va_arg(list, const char *);

		assert(count < PHRASE_VALUES);
		values[count++] = (struct value){ name, value && *value ? value : "–" };
	}
	va_end(list);
	catalogue_fill(p->job, page_word(p, key), values, count, &text);
	assert(text);
	return text;
}

void page_icon(struct page *p, enum icon which)
{
	static const struct { const char *name, *path; } icons[] = {
		[ICON_PASSED]  = { "icon passed", "M5 12.5l4.5 4.5L19 7.5" },
		[ICON_FAILED]  = { "icon failed", "M6.5 6.5l11 11M17.5 6.5l-11 11" },
		[ICON_WARNED]  = { "icon warned", "M12 5v9M12 18.5v.5" },
		[ICON_WAITING] = { "icon waiting", "M12 6v6l4 2.5" },
		[ICON_GLOBE]   = { "icon globe", "M3 12h18M12 3c5.5 5 5.5 13 0 18c-5.5-5-5.5-13 0-18M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18" },
	};

	page_open(p, "svg", "class", icons[which].name, "viewBox", "0 0 24 24", "aria-hidden", "true", "focusable", "false", NULL);
	page_open(p, "path", "d", icons[which].path, NULL);
	page_close(p, "path");
	page_close(p, "svg");
}

/* -- the frame ---------------------------------------------------------------------------------------------------- */

static void head(struct page *p, const struct frame *f)
{
	page_open(p, "head", NULL);
	page_empty(p, "meta", "charset", "utf-8", NULL);
	page_element(p, "title", arena_print(p->job, "%s – Mailmoor", f->title), NULL);
	page_empty(p, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1", NULL);
	page_empty(p, "meta", "name", "color-scheme", "content", "light dark", NULL);
	page_empty(p, "link", "rel", "icon", "href", asset_path("icon.svg"), "type", "image/svg+xml", NULL);
	page_empty(p, "link", "rel", "stylesheet", "href", asset_path("style.css"), NULL);
	if (f->script) {
		page_open(p, "script", "src", asset_path(f->script), "defer", "", NULL);
		page_close(p, "script");
	}
	if (f->onward)
		page_empty(p, "meta", "http-equiv", "refresh", "content", arena_print(p->job, "0; url=%s", fit_address(f->onward)), NULL);
	if (f->refresh) {
		page_open(p, "noscript", NULL);
		page_empty(p, "meta", "http-equiv", "refresh", "content",
			arena_print(p->job, "%d; url=%s", f->refresh_s ? f->refresh_s : 2, fit_address(f->refresh)), NULL);
		page_close(p, "noscript");
	}
	page_close(p, "head");
}

static void language_switch(struct page *p, const char *path)
{
	struct slice bare = slice_upto(slice_str(path), slice_find(slice_str(path), '?'));

	page_open(p, "details", "class", "languages", NULL);
	page_open(p, "summary", NULL);
	page_icon(p, ICON_GLOBE);
	page_element(p, "span", arena_print(p->job, "%s: ", page_word(p, "language")), "class", "unseen", NULL);
	page_text(p, p->lang->name);
	page_close(p, "summary");
	page_open(p, "ul", NULL);
	for (size_t i = 0; language_at(i); i++) {
		const struct language *l = language_at(i);

		page_open(p, "li", NULL);
		page_element(p, "a", l->name, "href", arena_print(p->job, "%.*s?lang=%s", (int)bare.len, bare.at, l->tag), "hreflang", l->tag, "lang", l->tag,
			"aria-current", l == p->lang ? "true" : NULL, NULL);
		page_close(p, "li");
	}
	page_close(p, "ul");
	page_close(p, "details");
}

void page_begin(struct page *p, const struct frame *f)
{
	put_str(p, "<!doctype html>\n");
	page_open(p, "html", "lang", p->lang->tag, NULL);
	head(p, f);
	page_open(p, "body", NULL);
	page_element(p, "a", page_word(p, "skip"), "class", "skip", "href", "#content", NULL);
	page_open(p, "header", "class", "top", NULL);
	page_open(p, "div", "class", "inner", NULL);
	page_open(p, "span", "class", "brand", "translate", "no", NULL);
	page_empty(p, "img", "src", asset_path("icon.svg"), "alt", "", "width", "28", "height", "28", NULL);
	page_text(p, "Mailmoor");
	page_close(p, "span");
	language_switch(p, f->path);
	page_close(p, "div");
	page_close(p, "header");
	page_open(p, "main", "id", "content", "tabindex", "-1", "class", f->broad ? "broad" : NULL, NULL);
}

/* How far a translation is to be trusted, and since when it reads so. */
static void about_the_texts(struct page *p)
{
	const char *date = tell_date(p->lang->changed, p->lang, p->job), *changed = NULL;
	struct value v = { "date", date };

	page_open(p, "p", NULL);
	if (p->lang != language_english()) {
		page_text(p, p->lang->reviewed ? page_word(p, "reviewed") : catalogue_text(p->lang, "ui/catalogue.machine"));
		page_text(p, " ");
	}
	if (catalogue_fill(p->job, catalogue_text(p->lang, "ui/catalogue.changed"), &v, 1, &changed))
		page_text(p, changed);
	page_close(p, "p");
}

bool page_end(struct page *p)
{
	page_close(p, "main");
	page_open(p, "footer", NULL);
	page_open(p, "div", "class", "inner", NULL);
	page_open(p, "p", NULL);
	page_element(p, "a", page_word(p, "help"), "href", arena_print(p->job, "/help?lang=%s", p->lang->tag), NULL);
	page_close(p, "p");
	about_the_texts(p);
	page_close(p, "div");
	page_close(p, "footer");
	page_close(p, "body");
	page_close(p, "html");
	assert(p->depth == 0);
	return !p->full;
}
