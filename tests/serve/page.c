#include "serve/page.h"

#include "serve/assets.h"
#include "test.h"

#define BROKEN "\xef\xbf\xbd"

struct written {
	struct arena *job;
	struct buffer out;
	struct page   page;
};

static void begin(struct written *w, size_t limit)
{
	w->job = arena_new();
	buffer_init(&w->out, limit);
	page_init(&w->page, &w->out, language_english(), w->job);
}

static const char *text_of(struct written *w)
{
	return arena_copy(w->job, buffer_held(&w->out));
}

static void end(struct written *w)
{
	buffer_release(&w->out);
	arena_free(w->job);
}

/* What comes from outside, and what of it may stand in a page. */
static const struct { const char *given, *shown; } foreign[] = {
	{ "",                                        "" },
	{ "ann@birch.example",                       "ann@birch.example" },
	{ "<script>alert(1)</script>",               "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "\"><img src=x onerror='alert(1)'>",       "&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;" },
	{ "a & b &amp; c &#60;",                     "a &amp; b &amp;amp; c &amp;#60;" },
	{ "</title></textarea><!-- ]]>",             "&lt;/title&gt;&lt;/textarea&gt;&lt;!-- ]]&gt;" },
	{ "สวัสดี Grüße żółć €\xf0\x9f\x93\xac",     "สวัสดี Grüße żółć €\xf0\x9f\x93\xac" },
	{ "a\tb\nc\rd",                              "a\tb\nc\rd" },
	{ "a\x01\x1b[31m\x7f" "b",                   "a" BROKEN BROKEN "[31m" BROKEN "b" },
	{ "\xc2\x9b" "31m",                          BROKEN "31m" },                                /* C1: CSI */
	{ "\xff\xfe<b>",                             BROKEN BROKEN "&lt;b&gt;" },
	{ "\xc0\xbc" "script",                       BROKEN BROKEN "script" },                      /* an overlong "<" */
	{ "\xe0\x80\xbc\xf0\x80\x80\xbc",            BROKEN BROKEN BROKEN BROKEN BROKEN BROKEN BROKEN },
	{ "\xed\xa0\x80",                            BROKEN BROKEN BROKEN },                        /* half a surrogate pair */
	{ "\xf4\x90\x80\x80",                        BROKEN BROKEN BROKEN BROKEN },                 /* past the last */
	{ "\xc3",                                    BROKEN },
	{ "\xc3<",                                   BROKEN "&lt;" },                               /* a cut character swallows nothing */
	{ "\xe2\x82\"x",                             BROKEN BROKEN "&quot;x" },
	{ "exe\xe2\x80\xaegpj",                      "exe" BROKEN "gpj" },                          /* turns the rest around */
	{ "\xe2\x81\xa6x\xe2\x81\xa9\xe2\x80\x8f",   BROKEN "x" BROKEN BROKEN },
	{ "\xef\xbb\xbfx\xef\xbf\xbe",               BROKEN "x" BROKEN },
};

TEST(foreign_text_stays_text)
{
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct written w;

		begin(&w, PAGE_BYTES);
		page_text(&w.page, foreign[i].given);
		EXPECT_TEXT(text_of(&w), foreign[i].shown);
		end(&w);
	}
}

TEST(and_so_it_does_in_attributes)
{
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct written w;

		begin(&w, PAGE_BYTES);
		page_empty(&w.page, "input", "value", foreign[i].given, NULL);
		EXPECT_TEXT(text_of(&w), arena_print(w.job, "<input value=\"%s\">", foreign[i].shown));
		end(&w);
	}
}

/* Everywhere a page takes a text: none of these may let a bracket or a quote through. */
TEST(and_in_prose_templates_and_phrases)
{
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct written w;

		begin(&w, PAGE_BYTES);
		page_prose(&w.page, foreign[i].given, NULL, 0);
		page_template(&w.page, foreign[i].given);
		page_element(&w.page, "p", foreign[i].given, NULL);
		EXPECT_TEXT(text_of(&w), arena_print(w.job, "%s%s<p>%s</p>\n", foreign[i].shown, foreign[i].shown, foreign[i].shown));
		end(&w);
	}
}

/* Cut at every byte it stays well-formed, and no escape is lost. */
TEST(cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(foreign); i++)
		for (size_t len = 0; len < strlen(foreign[i].given); len++) {
			struct written w;
			struct slice   shown;

			begin(&w, PAGE_BYTES);
			page_text(&w.page, arena_copy(w.job, slice(foreign[i].given, len)));
			shown = buffer_held(&w.out);
			EXPECT_ROW(slice_find(shown, '<') == shown.len && slice_find(shown, '>') == shown.len && slice_find(shown, '"') == shown.len, foreign[i].given);
			end(&w);
		}
}

TEST(addresses_lead_only_where_a_browser_may_go)
{
	static const struct { const char *given, *shown; } rows[] = {
		{ "/help/tls.expired?lang=de",     "/help/tls.expired?lang=de" },
		{ "#content",                      "#content" },
		{ "?lang=th",                      "?lang=th" },
		{ "https://crm.example/?a=1&b=2",  "https://crm.example/?a=1&amp;b=2" },
		{ "HTTP://crm.example/",           "HTTP://crm.example/" },
		{ "mailto:it@birch.example",       "mailto:it@birch.example" },
		{ "javascript:alert(1)",           "#" },
		{ " javascript:alert(1)",          "#" },
		{ "java\nscript:alert(1)",         "#" },
		{ "data:text/html,<script>",       "#" },
		{ "//evil.example/",               "#" },
		{ "/\\evil.example/",              "#" },
		{ "evil.example",                  "#" },
		{ "",                              "#" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		static const char *const attributes[] = { "href", "action", "src" };

		for (size_t n = 0; n < COUNT(attributes); n++) {
			struct written w;

			begin(&w, PAGE_BYTES);
			page_empty(&w.page, "x", attributes[n], rows[i].given, NULL);
			EXPECT_TEXT(text_of(&w), arena_print(w.job, "<x %s=\"%s\">", attributes[n], rows[i].shown));
			end(&w);
		}
	}
}

TEST(backticks_become_code_and_known_links_become_links)
{
	static const char *const link[] = { "https://a.example/x", "https://a.example/xyz" };
	struct written w;

	begin(&w, PAGE_BYTES);
	page_prose(&w.page, "Use `a<b`, see https://a.example/xyz. Not https://b.example/ `open", link, COUNT(link));
	EXPECT_TEXT(text_of(&w), "Use <code translate=\"no\">a&lt;b</code>\n, see <a href=\"https://a.example/xyz\" rel=\"noreferrer\">https://a.example/xyz</a>\n."
	                         " Not https://b.example/ <code translate=\"no\">open</code>\n");
	end(&w);
}

TEST(templates_name_what_is_to_be_filled_in)
{
	struct written w;

	begin(&w, PAGE_BYTES);
	page_template(&w.page, "Use {right_host}: `x --imap {right_host}` {no_such} {Host} { }");
	EXPECT_TEXT(text_of(&w), "Use <var>right server</var>\n: <code translate=\"no\">x --imap <var>right server</var>\n</code>\n <var>no_such</var>\n {Host} { }");
	end(&w);
}

TEST(attributes_without_a_value_are_left_out)
{
	struct written w;

	begin(&w, PAGE_BYTES);
	page_open(&w.page, "a", "class", NULL, "href", "/x", NULL);
	page_text(&w.page, NULL);
	page_close(&w.page, "a");
	EXPECT_TEXT(text_of(&w), "<a href=\"/x\"></a>\n");
	end(&w);
}

TEST(a_page_that_does_not_fit_is_known_as_such)
{
	struct frame f = { .title = "x", .path = "/help" };

	for (size_t limit = 1; limit < 6000; limit += 97) {
		struct written w;
		size_t         len;
		bool           fit;

		begin(&w, limit);
		page_begin(&w.page, &f);
		fit = page_end(&w.page);
		len = buffer_held(&w.out).len;
		EXPECT(len <= limit && fit == slice_ends(buffer_held(&w.out), "</html>\n"));
		end(&w);
	}
}

TEST(the_frame_speaks_every_language)
{
	for (size_t l = 0; language_at(l); l++) {
		struct frame   f = { .title = "<T>", .path = "/help/x", .script = "connect.js", .refresh = "/connect/t/progress" };
		struct written w;
		const char    *html;

		begin(&w, PAGE_BYTES);
		w.page.lang = language_at(l);
		page_begin(&w.page, &f);
		EXPECT(page_end(&w.page));
		html = text_of(&w);
		EXPECT(strstr(html, arena_print(w.job, "<html lang=\"%s\">", language_at(l)->tag)));
		EXPECT(strstr(html, "<title>&lt;T&gt; – Mailmoor</title>") && strstr(html, "class=\"skip\" href=\"#content\"") && strstr(html, "<main id=\"content\""));
		EXPECT(strstr(html, "<noscript><meta http-equiv=\"refresh\" content=\"2; url=/connect/t/progress\"></noscript>"));
		EXPECT(strstr(html, asset_path("connect.js")) && strstr(html, asset_path("style.css")));
		EXPECT((strstr(html, catalogue_text(language_at(l), "ui/catalogue.machine")) != NULL) == (l > 0 && !language_at(l)->reviewed));
		for (size_t n = 0; language_at(n); n++)
			EXPECT(strstr(html, arena_print(w.job, "href=\"/help/x?lang=%s\"", language_at(n)->tag)) && strstr(html, language_at(n)->name));
		/* with "no-referrer" a browser says "Origin: null" behind our own forms, and the guard refuses them */
		EXPECT(!strstr(html, "content=\"no-referrer\""));
		EXPECT(!strstr(html, "style=") && !strstr(html, " onclick") && !strstr(html, "<style"));
		end(&w);
	}
}

TEST(assets_are_found_by_their_address)
{
	for (size_t i = 0; i < asset_count; i++) {
		EXPECT(asset_at(assets[i].path) == &assets[i] && assets[i].len > 0);
		EXPECT_TEXT(asset_path(assets[i].name), assets[i].path);
	}
	EXPECT(!asset_at("/assets/style.css") && !asset_at("") && slice_starts(slice_str(asset_path("style.css")), "/assets/style-"));
}
