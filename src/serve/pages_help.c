/* pages_help.c -- /help: every cause in the reader's language, no sign-in, printable. And the files that all pages share. */
#include <string.h>

#include "serve/app_texts.h"
#include "serve/assets.h"
#include "serve/pages.h"
#include "serve/render.h"
#include "store/workspaces.h"

static void answer_index(struct exchange *x)
{
	struct page *p = pages_begin(x);

	pages_answer(x, p, 200, render_help_index(p));
}

static void answer_unknown(struct exchange *x)
{
	struct page *p = pages_begin(x);

	pages_answer(x, p, 404, render_help_unknown(p));
}

static void answer_cause(struct exchange *x)
{
	struct help_page h = { .cause = cause_find(x->param[0]), .thanked = http_query(x, "thanks") != NULL, .csrf = http_csrf(x) };
	struct page     *p;

	if (h.cause == CAUSE_NONE) {
		answer_unknown(x);
		return;
	}
	p = pages_begin(x);
	pages_answer(x, p, 200, render_help(p, &h));
}

struct opinion {
	const char *cause, *lang;
	bool        helpful;
};

static bool keep_opinion(struct txn *t, void *self, struct error *err)
{
	const struct opinion *o = self;

	return feedback_add(t, o->cause, o->lang, o->helpful, err);
}

static void take_feedback(struct exchange *x)
{
	const char    *helpful = http_form(x, "helpful");
	enum cause     cause = cause_find(x->param[0]);
	struct opinion o = { cause_row(cause)->id, x->lang->tag, helpful && strcmp(helpful, "yes") == 0 };
	const char    *back;

	if (cause == CAUSE_NONE) {
		answer_unknown(x);
		return;
	}
	back = arena_print(x->job, "/help/%s?lang=%s", o.cause, o.lang);
	if (!helpful)
		answer_redirect(x, back);
	else if (store_write_wait(x->service->store, keep_opinion, &o, NULL))
		answer_redirect(x, arena_print(x->job, "%s&thanks=1#feedback", back));
	else
		pages_trouble(x, back);
}

static void answer_asset(struct exchange *x)
{
	const char         *path = arena_print(x->job, "/assets/%s", x->param[0]), *texts = NULL;
	const struct asset *a = asset_at(path);

	if (!a)
		texts = app_texts_at(path, x->job);
	if (!a && !texts) {
		answer_text(x, 404, "text/plain; charset=utf-8", "no such file\n");
		return;
	}
	x->status = 200;
	x->type = a ? a->type : "application/json";
	x->answer = a ? slice((const char *)a->bytes, a->len) : slice_str(texts);
	http_set(x, "Cache-Control", "public, max-age=31536000, immutable");
}

const struct route routes_help[] = {
	{ "GET",  "/help",                  GUARD_NONE, 0, answer_index  },
	{ "GET",  "/help/{cause}",          GUARD_NONE, 0, answer_cause  },
	{ "POST", "/help/{cause}/feedback", GUARD_FORM, 0, take_feedback },
	{ "GET",  "/assets/{file}",         GUARD_NONE, 0, answer_asset  },
	{ 0 }
};
