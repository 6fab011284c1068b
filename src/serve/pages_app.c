/* pages_app.c -- /settings/{token} and /operator/{token}: the pages that web/app makes, for whoever a stored link lets in.
 *
 * The page itself shows nothing of anybody; its script asks the API, by the session that begins here (http_session()).
 */
#include <string.h>

#include "base/clock.h"
#include "serve/app_texts.h"
#include "serve/keys.h"
#include "serve/pages.h"
#include "serve/render.h"
#include "store/links.h"
#include "store/workspaces.h"

struct guest {
	struct exchange *x;
	const char      *kind, *path;
	const char      *hash, *session;    /* of the token, of the browser's cookie */
	struct link      link;
	struct workspace workspace;
};

static bool look(struct txn *t, void *self, struct error *err)
{
	struct guest *g = self;

	return link_by_hash(t, g->x->job, g->hash, &g->link, err) && workspace_get(t, g->x->job, g->link.workspace, &g->workspace, err);
}

static void refuse(struct guest *g, enum link_trouble trouble)
{
	static const int statuses[] = { [LINK_UNKNOWN] = 404, [LINK_EXPIRED] = 410, [LINK_ELSEWHERE] = 403 };
	struct page     *p = pages_begin(g->x);

	pages_answer(g->x, p, statuses[trouble], render_link(p, &(struct link_page){ trouble, g->link.expires, g->path }));
}

static bool bind_link(struct txn *t, void *self, struct error *err)
{
	struct guest *g = self;

	return link_open(t, g->link.id, g->session, err);
}

/* From here on the link belongs to this browser. */
static bool bound(struct guest *g)
{
	struct error err = { 0 };

	if (g->link.session && strcmp(g->link.session, g->session) != 0) {
		refuse(g, LINK_ELSEWHERE);
		return false;
	}
	if (g->link.session || pages_only_looks(g->x) || store_write_wait(g->x->service->store, bind_link, g, &err))
		return true;
	if (err.fault == FAULT_REFUSED)
		refuse(g, LINK_ELSEWHERE);
	else
		pages_trouble(g->x, g->path);
	return false;
}

/* False: the answer is given. */
static bool let_in(struct guest *g)
{
	struct error           err = { 0 };
	const struct language *lang;

	if (!store_read(g->x->service->store, look, g, &err)) {
		if (err.fault == FAULT_ABSENT)
			refuse(g, LINK_UNKNOWN);
		else
			pages_trouble(g->x, g->path);
		return false;
	}
	lang = g->link.lang ? language_find(g->link.lang) : NULL;
	if (lang && !http_query(g->x, "lang") && !http_cookie(g->x, "mm_lang"))
		g->x->lang = lang;
	if (strcmp(g->link.kind, g->kind) != 0)
		refuse(g, LINK_UNKNOWN);
	else if (g->link.expires <= clock_unix_ms())
		refuse(g, LINK_EXPIRED);
	else
		return bound(g);
	return false;
}

static void answer_app(struct exchange *x, const char *kind)
{
	const char  *token = x->param[0];
	struct guest g = { .x = x, .kind = kind, .path = arena_print(x->job, "/%s/%s", kind, token), .hash = token_hash(token, x->job),
		           .session = token_hash(http_browser(x), x->job) };
	struct page *p;

	if (!let_in(&g))
		return;
	p = pages_begin(x);
	pages_answer(x, p, 200, render_app(p, &(struct app_page){ .kind = kind, .path = g.path, .product = g.workspace.name,
		.csrf = http_session(x, kind, g.link.id, token, g.link.expires), .link = g.link.id,
		.texts = app_texts_path(x->lang, x->job), .expires = g.link.expires }));
}

static void answer_settings(struct exchange *x) { answer_app(x, "settings"); }
static void answer_operator(struct exchange *x) { answer_app(x, "operator"); }

const struct route routes_app[] = {
	{ "GET", "/settings/{token}", GUARD_LINK, 0, answer_settings },
	{ "GET", "/operator/{token}", GUARD_LINK, 0, answer_operator },
	{ 0 }
};
