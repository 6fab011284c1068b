/* pages_demo.c -- /demo: the tour, the links that make what it lists happen, and the doors to the sign-in pages that are played here. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/random.h"
#include "model/mailaddress.h"
#include "serve/assets.h"
#include "serve/demo_parts.h"
#include "serve/http_parts.h"
#include "serve/keys.h"
#include "serve/pages.h"
#include "serve/render.h"
#include "store/accounts.h"
#include "store/links.h"
#include "store/workspaces.h"

#define DAY_MS     (24 * 3600 * (int64_t)1000)
#define TOKEN_DICE 40

/* -- the tour -------------------------------------------------------------------------------------------------------- */

struct look {
	struct exchange    *x;
	struct tour_mailbox *mailbox;
};

static const char *key_of(const struct demo_mailbox *m, struct arena *into)
{
	struct mail_address address;
	const char         *problem;

	return mail_address_parse(m->address, into, &address, &problem) ? mail_address_key(&address, into) : "";
}

/* How far each of them is. Those that nobody has been at yet have no account. */
static bool look(struct txn *t, void *self, struct error *err)
{
	struct look       *l = self;
	struct exchange   *x = l->x;
	const struct demo *demo = x->service->demo;
	struct workspace  *w;
	struct account     a;
	size_t             count;
	const char        *id;

	if (!workspace_list(t, x->job, &w, &count, err))
		return false;
	for (size_t i = 0; i < demo->mailboxes; i++) {
		struct tour_mailbox *m = &l->mailbox[i];

		*m = (struct tour_mailbox){ .name = demo->mailbox[i].name, .address = demo->mailbox[i].address,
			.provider = demo->mailbox[i].provider, .cause = demo->mailbox[i].cause, .mended = demo->mailbox[i].mended };
		if (!account_by_key(t, x->job, w[0].id, key_of(&demo->mailbox[i], x->job), &id, NULL)
		    || !account_get_brief(t, x->job, w[0].id, id, &a, NULL))
			continue;
		m->known = a.state != ACCOUNT_CONNECTING;
		m->under_way = !m->known;
		m->found = m->known ? a.cause : NULL;
	}
	return true;
}

static void answer_tour(struct exchange *x)
{
	const struct demo *demo = x->service->demo;
	struct look        l = { x, arena_get(x->job, (demo->mailboxes + 1) * sizeof *l.mailbox) };
	struct page       *p;

	if (!store_read(x->service->store, look, &l, NULL)) {
		pages_trouble(x, "/demo");
		return;
	}
	p = pages_begin(x);
	pages_answer(x, p, 200, render_tour(p, &(struct tour_page){ l.mailbox, demo->mailboxes, demo->statement, demo->statements }));
}

static void go_to_tour(struct exchange *x)
{
	answer_redirect(x, "/demo");
}

/* -- see it ------------------------------------------------------------------------------------------------------------ */

struct seeing {
	struct exchange           *x;
	const struct demo_mailbox *mailbox;      /* NULL: the page of all mailboxes */
	struct link                link;
};

static bool lay_link(struct txn *t, void *self, struct error *err)
{
	struct seeing    *s = self;
	struct arena     *job = s->x->job;
	struct workspace *w;
	size_t            count;

	if (!workspace_list(t, job, &w, &count, err))
		return false;
	s->link.workspace = w[0].id;
	s->link.account = NULL;
	s->link.used = 0;
	if (s->mailbox && account_by_key(t, job, w[0].id, key_of(s->mailbox, job), &s->link.account, NULL)
	    && demo_needs_nobody(s->mailbox))
		s->link.used = s->link.created;      /* it was connected with it, as far as anybody can see */
	return link_insert(t, &s->link, err);
}

static const char *lay(struct seeing *s, const char *kind)
{
	struct exchange *x = s->x;
	const char      *token = random_text(x->job, TOKEN_DICE);
	int64_t          now = clock_unix_ms();

	s->link = (struct link){ .id = new_id(x->job, "lnk"), .hash = token_hash(token, x->job), .kind = kind, .lang = x->lang->tag,
		.created = now, .expires = now + DAY_MS };
	if (s->mailbox) {
		s->link.expected = s->mailbox->address;
		s->link.provider = s->mailbox->provider;
		s->link.session = token_hash(http_browser(x), x->job);
	}
	return store_write_wait(x->service->store, lay_link, s, NULL) ? token : NULL;
}

static const struct demo_mailbox *mailbox_named(const struct demo *demo, const char *name)
{
	for (size_t i = 0; i < demo->mailboxes; i++)
		if (strcmp(demo->mailbox[i].name, name) == 0)
			return &demo->mailbox[i];
	return NULL;
}

/* The account's page, or the connect page with the address filled in where somebody has to sign in. */
static void see(struct exchange *x)
{
	struct seeing s = { .x = x, .mailbox = mailbox_named(x->service->demo, x->param[0]) };
	const char   *token;

	if (!s.mailbox) {
		go_to_tour(x);
		return;
	}
	token = lay(&s, "connect");
	if (!token)
		pages_trouble(x, "/demo");
	else
		answer_redirect(x, arena_print(x->job, "/connect/%s%s?lang=%s", token, s.link.used ? "/result" : "", x->lang->tag));
}

static void see_settings(struct exchange *x)
{
	struct seeing s = { .x = x };
	const char   *token = lay(&s, "settings");

	if (!token)
		pages_trouble(x, "/demo");
	else
		answer_redirect(x, arena_print(x->job, "/settings/%s?lang=%s", token, x->lang->tag));
}

/* -- doors --------------------------------------------------------------------------------------------------------------- */

/* Without ours: those are between the browser and this daemon. */
static const char *their_cookies(struct exchange *x)
{
	const char  *given = http_field(x, "Cookie"), *out = NULL;
	struct slice rest = slice_str(given ? given : "");

	while (rest.len) {
		struct slice one = slice_trim(slice_cut(&rest, ';'));

		if (one.len && !slice_starts(one, "mm_"))
			out = arena_print(x->job, "%s%s%.*s", out ? out : "", out ? "; " : "", (int)one.len, one.at);
	}
	return out;
}

/* Where an address of that page's leads. */
static const char *through_door(struct exchange *x, const char *host, const char *address)
{
	if (strncmp(address, "https://", 8) == 0)
		return demo_onward(x->service, address, NULL, x->job);
	if (*address == '/')
		return arena_print(x->job, "/demo/at/%s%s", host, address);
	return address;
}

static void set_cookie(struct exchange *x, const char *host, const char *said)
{
	http_set(x, "Set-Cookie", arena_print(x->job, "%.*s; Path=/demo/at/%s; HttpOnly; SameSite=Lax", (int)strcspn(said, ";"), said, host));
}

/* Where they came from, so that what the page says can be brought along: NULL when that is not known. */
static const char *way_back(struct exchange *x)
{
	const char *referrer = http_field(x, "Referer"), *base = x->service->base_url, *known = http_cookie(x, "mm_way");
	size_t      len = strlen(base);
	const char *came = referrer && strncmp(referrer, base, len) == 0 ? referrer + len : "";

	if (strncmp(came, "/connect/", 9) == 0)
		return arena_print(x->job, "/connect/%.*s", (int)strcspn(came + 9, "/?#;"), came + 9);
	return known && strncmp(known, "/connect/", 9) == 0 && !strpbrk(known, "?#;\"<>") ? known : NULL;
}

static const char *banner(struct exchange *x, const char *host, const char *address)
{
	const char   *back = way_back(x);
	struct buffer out;
	struct page   p;
	const char   *text;

	buffer_init(&out, PAGE_BYTES);
	page_init(&p, &out, x->lang, x->job);
	page_open(&p, "div", "class", "plays", "role", "note", "lang", x->lang->tag, NULL);
	page_text(&p, page_phrase(&p, "tour.plays", "host", host, NULL));
	page_text(&p, " ");
	if (back) {
		page_element(&p, "a", page_word(&p, "tour.return"), "href", back, NULL);
		page_text(&p, " · ");
	}
	page_element(&p, "a", page_word(&p, "tour.back"), "href", "/demo", NULL);
	/* Google's own error page is told by its address, which the browser does not show here */
	page_element(&p, "code", address, "class", "copy", "translate", "no", NULL);
	page_close(&p, "div");
	text = arena_copy(x->job, buffer_held(&out));
	buffer_release(&out);
	return text;
}

static const struct { const char *before, *with; } led[] = {
	{ " action=\"", NULL }, { " href=\"", NULL }, { " src=\"", NULL },
};

/* What stands there instead, and how much of `text` that was; 0: nothing that has to be led. */
static size_t lead(struct exchange *x, const char *host, struct slice text, const char **with)
{
	for (size_t i = 0; i < COUNT(led); i++)
		if (slice_starts(text, led[i].before)) {
			struct slice rest = slice_from(text, strlen(led[i].before));
			size_t       end = slice_find(rest, '"');
			const char  *address = arena_copy(x->job, slice_upto(rest, end));

			*with = arena_print(x->job, "%s%s", led[i].before, through_door(x, host, address));
			return strlen(led[i].before) + end;
		}
	return 0;
}

/* Their page with its addresses led through the door, our sheet of styles, and what this is. */
static struct slice dressed(struct exchange *x, const char *host, const char *address, struct slice html)
{
	struct buffer out;
	struct slice  held;

	buffer_init(&out, PAGE_BYTES);
	while (html.len) {
		const char *with = NULL;
		size_t      taken = lead(x, host, html, &with);

		if (slice_starts(html, "</head>"))
			buffer_print(&out, "<link rel=\"stylesheet\" href=\"%s\">", asset_path("style.css"));
		if (!taken) {
			buffer_add(&out, slice_upto(html, 1));
			if (slice_ends(buffer_held(&out), "<body>"))
				buffer_add_str(&out, banner(x, host, address));
		} else {
			buffer_add_str(&out, with);
		}
		html = slice_from(html, taken ? taken : 1);
	}
	held = buffer_held(&out);
	held.at = arena_copy(x->job, held);
	buffer_release(&out);
	return held;
}

static void go_through(struct exchange *x)
{
	const struct demo *demo = x->service->demo;
	struct request    *r = request_of(x);
	size_t             before = strlen("/demo/at/") + strlen(x->param[0]);
	struct demo_visit  v = { .host = x->param[0], .method = x->method, .cookies = their_cookies(x), .type = http_field(x, "Content-Type"),
		.body = x->body };
	struct demo_page   page = { 0 };

	if (r->raw_path.len <= before) {
		go_to_tour(x);
		return;
	}
	v.path = arena_print(x->job, "%.*s%s%.*s", (int)(r->raw_path.len - before), r->raw_path.at + before, r->raw_query.len ? "?" : "",
	                     (int)r->raw_query.len, r->raw_query.len ? r->raw_query.at : "");
	if (!demo->visit(demo->self, &v, x->job, &page)) {
		go_to_tour(x);
		return;
	}
	if (way_back(x))
		http_set(x, "Set-Cookie", arena_print(x->job, "mm_way=%s; Path=/demo/at; HttpOnly; SameSite=Lax", way_back(x)));
	for (size_t i = 0; i < page.cookies; i++)
		set_cookie(x, v.host, page.cookie[i]);
	if (page.location) {
		answer_redirect(x, through_door(x, v.host, page.location));
		return;
	}
	x->status = page.status;
	x->type = page.type && strstr(page.type, "html") ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
	x->answer = strstr(x->type, "html") ? dressed(x, v.host, arena_print(x->job, "https://%s%s", v.host, v.path), page.body) : page.body;
}

#define DOORS(path) { "GET", "/demo/at/{host}" path, GUARD_LINK, 0, go_through }, { "POST", "/demo/at/{host}" path, GUARD_HOOK, 0, go_through }

const struct route routes_demo[] = {
	{ "GET", "/", GUARD_LINK, 0, go_to_tour },
	{ "GET", "/demo", GUARD_LINK, 0, answer_tour },
	{ "GET", "/demo/settings", GUARD_LINK, 0, see_settings },
	{ "GET", "/demo/see/{name}", GUARD_LINK, 0, see },
	DOORS("/{1}"), DOORS("/{1}/{2}"), DOORS("/{1}/{2}/{3}"), DOORS("/{1}/{2}/{3}/{4}"), DOORS("/{1}/{2}/{3}/{4}/{5}"),
	DOORS("/{1}/{2}/{3}/{4}/{5}/{6}"),
	{ NULL, NULL, GUARD_NONE, 0, NULL }
};
