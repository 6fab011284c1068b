#include "serve/pages.h"

#include <string.h>

#include "serve/render.h"

struct page *pages_begin(struct exchange *x)
{
	struct page   *p = arena_get(x->job, sizeof *p);
	struct buffer *out = arena_get(x->job, sizeof *out);

	buffer_init(out, PAGE_BYTES);
	page_init(p, out, x->lang, x->job);
	return p;
}

/* Whoever chose a language by hand keeps it on the next page. */
static void keep_language(struct exchange *x)
{
	if (http_query(x, "lang"))
		http_set(x, "Set-Cookie", arena_print(x->job, "mm_lang=%s; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly%s", x->lang->tag,
		                                      x->https ? "; Secure" : ""));
}

void pages_answer(struct exchange *x, struct page *p, int status, bool fitted)
{
	struct slice html = buffer_held(p->out);

	if (fitted) {
		x->status = status;
		x->type = "text/html; charset=utf-8";
		x->answer = slice(arena_copy(x->job, html), html.len);
		keep_language(x);
	} else {
		answer_text(x, 500, "text/plain; charset=utf-8", page_word(p, "trouble.title"));
	}
	buffer_release(p->out);
}

bool pages_only_looks(struct exchange *x)
{
	const char *purpose = http_field(x, "Sec-Purpose");

	return strcmp(x->method, "GET") != 0 || (purpose && strstr(purpose, "prefetch"));
}

void pages_trouble(struct exchange *x, const char *try_again)
{
	struct page *p = pages_begin(x);

	pages_answer(x, p, 503, render_trouble(p, try_again));
}
