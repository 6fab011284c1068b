#include "serve/render.h"

#include <string.h>

/* Before the script has come, and when it never comes, the page says so itself: it is never blank. */
bool render_app(struct page *p, const struct app_page *a)
{
	bool        settings = strcmp(a->kind, "settings") == 0;
	const char *title = page_word(p, settings ? "app.title" : "app.operator");

	page_begin(p, &(struct frame){ .title = title, .path = a->path, .script = "app.js", .broad = true });
	page_open(p, "div", "id", "app", "data-kind", a->kind, "data-product", a->product, "data-csrf", a->csrf, "data-link", a->link,
		"data-texts", a->texts, "data-expires", arena_print(p->job, "%lld", (long long)a->expires),
		"data-trouble", page_word(p, "trouble.title"), "data-again", page_word(p, "result.again"), NULL);
	page_element(p, "h1", title, NULL);
	page_element(p, "p", page_word(p, "app.loading"), "class", "lead", "role", "status", NULL);
	page_close(p, "div");
	page_open(p, "noscript", NULL);
	page_element(p, "p", page_word(p, "app.noscript"), "class", "notice bad", NULL);
	page_close(p, "noscript");
	return page_end(p);
}
