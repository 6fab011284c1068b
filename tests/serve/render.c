/* Every page with made-up data, in every language: whole, well-formed, nothing left unsaid and nothing foreign let in. */
#include "serve/render.h"

#include <ctype.h>

#include "serve/samples.h"
#include "test.h"

static const char *const voids[] = { "input", "meta", "link", "img", NULL };

static bool is_void(struct slice tag)
{
	for (size_t i = 0; voids[i]; i++)
		if (slice_is(tag, voids[i]))
			return true;
	return false;
}

struct reading {
	struct slice open[PAGE_DEEPEST];
	size_t       depth;
	const char  *fault;
};

/* `<name attribute="value" …>`, as page.c writes it and in no other way. */
static void read_tag(struct reading *r, struct slice tag)
{
	struct slice rest = tag, name;
	bool         closing = slice_starts(tag, "/");

	if (closing)
		rest = slice_from(rest, 1);
	name = slice_cut(&rest, ' ');
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.at[i]))
			r->fault = "a tag of no name";
	if (closing) {
		if (!r->depth || !slice_equal(r->open[r->depth - 1], name))
			r->fault = "closes what is not open";
		else
			r->depth--;
	} else if (!is_void(name)) {
		if (r->depth == PAGE_DEEPEST)
			r->fault = "too deep";
		else
			r->open[r->depth++] = name;
	}
	while (rest.len) {
		struct slice attribute = slice_cut(&rest, '=');

		for (size_t i = 0; i < attribute.len; i++)
			if (!islower((unsigned char)attribute.at[i]) && attribute.at[i] != '-' && strncmp(attribute.at, "viewBox", 7) != 0)
				r->fault = "an attribute of no name";
		if (slice_starts(attribute, "on") || slice_is(attribute, "style"))
			r->fault = "script or style inside a page";
		if (!slice_starts(rest, "\""))
			r->fault = "an attribute without quotes";
		rest = slice_from(rest, 1);
		slice_cut(&rest, '"');
		if (slice_starts(rest, " "))
			rest = slice_from(rest, 1);
	}
}

static const char *misformed(struct slice html)
{
	struct reading r = { .depth = 0 };

	slice_cut(&html, '\n');          /* the doctype */
	while (html.len && !r.fault) {
		struct slice text = slice_cut(&html, '<');

		if (slice_find(text, '>') < text.len)
			return "a bracket in a text";
		if (html.at)
			read_tag(&r, slice_cut(&html, '>'));
	}
	return r.fault ? r.fault : r.depth ? "something was left open" : NULL;
}

static void render(const struct sample *s, const struct language *lang, struct arena *job, const char **html)
{
	struct buffer out;

	buffer_init(&out, PAGE_MOST);
	EXPECT_ROW(sample_render(s, lang, job, &out), s->name);
	*html = arena_copy(job, buffer_held(&out));
	buffer_release(&out);
}

static const char *row_of(const struct sample *s, const struct language *lang, const char *what, struct arena *job)
{
	return arena_print(job, "%s.%s: %s", s->name, lang->tag, what);
}

TEST(every_page_is_well_formed)
{
	for (size_t n = 0; samples[n].name; n++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html, *fault;

			render(&samples[n], language_at(l), job, &html);
			fault = misformed(slice_str(html));
			EXPECT_ROW(!fault, row_of(&samples[n], language_at(l), fault ? fault : "", job));
		}
}

/* The check itself would find these. */
TEST(the_check_finds_faults)
{
	static const char *const rows[] = { "x\n<p>", "x\n<p></b>", "x\n</p>", "x\n<p>a > b</p>", "x\n<p onclick=\"x\"></p>", "x\n<p style=\"x\"></p>", "x\n<p a=b></p>", "x\n<<p></p>" };

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(misformed(slice_str(rows[i])), rows[i]);
	EXPECT(!misformed(slice_str("x\n<p a=\"1\" b=\"\"><input type=\"text\">a</p>")));
}

TEST(every_page_says_its_language_and_has_one_title)
{
	for (size_t n = 0; samples[n].name; n++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html, *first;

			render(&samples[n], language_at(l), job, &html);
			first = strstr(html, "<h1");
			EXPECT_ROW(strstr(html, arena_print(job, "<html lang=\"%s\">", language_at(l)->tag)), row_of(&samples[n], language_at(l), "lang", job));
			EXPECT_ROW(first && !strstr(first + 1, "<h1"), row_of(&samples[n], language_at(l), "h1", job));
			EXPECT_ROW(!strstr(html, "page/") && !strstr(html, "(null)") && !strstr(html, "{product}"), row_of(&samples[n], language_at(l), "a text without its words", job));
		}
}

/* No two elements may have one id, and what a label or a description leads to has to be there. */
TEST(ids_are_unique_and_references_lead_somewhere)
{
	static const char *const references[] = { " for=\"", " aria-labelledby=\"", " aria-describedby=\"" };

	for (size_t n = 0; samples[n].name; n++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char *html, *at;

		render(&samples[n], language_english(), job, &html);
		for (at = html; (at = strstr(at, " id=\"")) != NULL; at++) {
			const char *id = arena_copy(job, slice(at, strcspn(at + 5, "\"") + 6));

			EXPECT_ROW(!strstr(at + 1, id), id);
		}
		for (size_t i = 0; i < COUNT(references); i++)
			for (at = html; (at = strstr(at, references[i])) != NULL; at++) {
				struct slice ids = slice(at + strlen(references[i]), strcspn(at + strlen(references[i]), "\""));

				while (ids.len) {
					struct slice one = slice_cut(&ids, ' ');

					EXPECT_ROW(strstr(html, arena_print(job, " id=\"%.*s\"", (int)one.len, one.at)), samples[n].name);
				}
			}
	}
}

/* -- help ----------------------------------------------------------------------------------------------------------- */

static const char *render_help_of(enum cause cause, const struct language *lang, struct arena *job)
{
	struct buffer out;
	struct page   p;
	const char   *html;

	buffer_init(&out, PAGE_MOST);
	page_init(&p, &out, lang, job);
	EXPECT(render_help(&p, &(struct help_page){ .cause = cause, .csrf = "a\"b" }));
	html = arena_copy(job, buffer_held(&out));
	buffer_release(&out);
	return html;
}

TEST(each_cause_has_its_help_in_each_language)
{
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html = render_help_of((enum cause)c, language_at(l), job), *id = cause_row((enum cause)c)->id;
			struct told t;

			tell_cause((enum cause)c, language_at(l), job, &t);
			EXPECT_ROW(!misformed(slice_str(html)), id);
			EXPECT_ROW(strstr(html, arena_print(job, "/help/%s/feedback?lang=%s", id, language_at(l)->tag)), id);
			EXPECT_ROW(strstr(html, "value=\"a&quot;b\""), id);
			for (size_t i = 0; i < t.links; i++)
				EXPECT_ROW(strstr(html, arena_print(job, "<a href=\"%s\"", t.link[i])), id);
			/* every placeholder has its word: braces are left only where a command of PowerShell has them */
			for (const char *at = html; (at = strchr(at, '{')) != NULL; at++)
				EXPECT_ROW(!islower((unsigned char)at[1]), id);
		}
}

TEST(the_names_of_values_are_in_the_catalogue)
{
	for (size_t k = 0; k < catalogue_key_count; k++) {
		struct slice rest = slice_str(catalogues[0].texts[k]);

		if (strncmp(catalogue_keys[k], "ui/", 3) == 0 || strncmp(catalogue_keys[k], "page/", 5) == 0)
			continue;
		while (slice_cut(&rest, '{'), rest.at) {
			char key[64];

			snprintf(key, sizeof key, "page/value.%.*s", (int)slice_find(rest, '}'), rest.at);
			EXPECT_ROW(catalogue_text(language_english(), key), key);
		}
	}
}

TEST(the_index_lists_each_cause_once)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html;

	render(&samples[0], language_english(), job, &html);
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const char *link = arena_print(job, "href=\"/help/%s?lang=en\"", cause_row((enum cause)c)->id), *at = strstr(html, link);

		EXPECT_ROW(at && !strstr(at + 1, link), link);
	}
}
