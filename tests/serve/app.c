/* The pages that need scripts: who is let in by which link, and what their sessions may ask the API. A real server and store. */
#include <stdlib.h>

#include "base/clock.h"
#include "serve/api.h"
#include "serve/app_texts.h"
#include "serve/house.h"

extern const struct route *const http_routes[];

struct browser {
	struct house house;
	const char  *browser, *session;      /* the cookies' values; NULL: none */
	const char  *csrf;                   /* of the page seen last           */
	const char  *answer;
};

static const char *text_after(struct browser *b, const char *what, const char *ends)
{
	const char *at = strstr(b->answer, what);

	return at ? arena_copy(b->house.arena, slice(at + strlen(what), strcspn(at + strlen(what), ends))) : NULL;
}

static const char *cookies(struct browser *b)
{
	return arena_print(b->house.arena, "Cookie: mm_browser=%s; mm_session=%s\r\n", b->browser ? b->browser : "none", b->session ? b->session : "none");
}

/* A page is opened, and what it sets is kept. */
static int open_page(struct browser *b, const char *path)
{
	const char *given;

	b->answer = ask(&b->house, arena_print(b->house.arena, "GET %s HTTP/1.1\r\n" CLOSE "%s\r\n", path, b->browser ? cookies(b) : ""));
	given = text_after(b, "Set-Cookie: mm_browser=", ";\r");
	if (given)
		b->browser = given;
	given = text_after(b, "Set-Cookie: mm_session=", ";\r");
	if (given)
		b->session = given;
	given = text_after(b, "data-csrf=\"", "\"");
	if (given)
		b->csrf = given;
	return status_of(b->answer);
}

/* What the page's script asks; `more` are header lines. */
static int api(struct browser *b, const char *line, const char *json, const char *more)
{
	b->answer = ask(&b->house, arena_print(b->house.arena, "%s HTTP/1.1\r\n" CLOSE "%s%s%sContent-Length: %zu\r\n\r\n%s", line, cookies(b), more ? more : "",
	                                       json ? "Content-Type: application/json\r\n" : "", json ? strlen(json) : 0, json ? json : ""));
	return status_of(b->answer);
}

static const char *token_line(struct browser *b)
{
	return arena_print(b->house.arena, "X-CSRF-Token: %s\r\n", b->csrf);
}

static int api_write(struct browser *b, const char *line, const char *json)
{
	return api(b, line, json, token_line(b));
}

static bool says(const struct browser *b, const char *text)
{
	return strstr(b->answer, text) != NULL;
}

static const char *new_link(struct browser *b, const char *key, const char *json)
{
	b->answer = call(&b->house, "POST /v1/connect-links", key, json, NULL);
	EXPECT_ROW(status_of(b->answer) == 201, b->answer);
	return text_after(b, "http://mail.example.org", "\"");
}

#define ANN "{\"address\":\"ann@birch.example\",\"password\":\"heron-Kettle-41\"}"

static const char *add_account(struct browser *b, const char *key)
{
	b->answer = call(&b->house, "POST /v1/accounts", key, ANN, NULL);
	EXPECT_ROW(status_of(b->answer) == 201, b->answer);
	return text_after(b, "\"id\":\"", "\"");
}

static void begin(struct browser *b)
{
	*b = (struct browser){ .csrf = "" };
	house_open(&b->house, http_routes, house_limits(), NULL);
}

/* Opens the settings of wsp_a. */
static const char *begin_settings(struct browser *b)
{
	const char *link;

	begin(b);
	link = new_link(b, KEY_ADMIN, "{\"kind\":\"settings\"}");
	EXPECT(open_page(b, link) == 200);
	return link;
}

TEST(a_link_opens_the_settings)
{
	struct browser b;
	const char    *id;

	begin_settings(&b);
	EXPECT(says(&b, "id=\"app\"") && says(&b, "data-kind=\"settings\"") && says(&b, "<noscript>") && says(&b, "/assets/app-"));
	EXPECT(says(&b, "; Path=/v1/accounts; ") && says(&b, "; Path=/v1/connect-links; ") && says(&b, "; HttpOnly; SameSite=Strict"));
	EXPECT(!says(&b, "Path=/; Max-Age=604"));
	id = add_account(&b, KEY_ADMIN);
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 200 && says(&b, "ann@birch.example"));
	EXPECT(api(&b, arena_print(b.house.arena, "GET /v1/accounts/%s", id), NULL, NULL) == 200);
	EXPECT(api_write(&b, arena_print(b.house.arena, "POST /v1/accounts/%s/pause", id), NULL) == 200);
	EXPECT(api_write(&b, arena_print(b.house.arena, "POST /v1/accounts/%s/resume", id), NULL) == 200);
	EXPECT(api_write(&b, arena_print(b.house.arena, "POST /v1/accounts/%s/verify", id), NULL) == 200);
	EXPECT(api_write(&b, "POST /v1/connect-links", arena_print(b.house.arena, "{\"account\":\"%s\"}", id)) == 201 && says(&b, "/connect/"));
	EXPECT(api_write(&b, arena_print(b.house.arena, "DELETE /v1/accounts/%s", id), NULL) == 204);
	house_close(&b.house);
}

TEST(a_revoked_link_ends_its_session)
{
	struct browser b;
	const char    *page = begin_settings(&b), *link;

	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 200);
	link = strstr(call(&b.house, "GET /v1/connect-links", KEY_ADMIN, NULL, NULL), "\"lnk_");
	EXPECT(link && status_of(call(&b.house, arena_print(b.house.arena, "DELETE /v1/connect-links/%.26s", link + 1), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 401 && api_write(&b, "POST /v1/connect-links", "{}") == 401);
	EXPECT(open_page(&b, page) == 404);
	house_close(&b.house);
}

TEST(a_session_reaches_only_what_its_page_needs)
{
	static const struct { const char *line, *json; } rows[] = {
		{ "GET /v1/keys", NULL },          { "POST /v1/keys", "{\"name\":\"x\",\"scopes\":[\"admin\"]}" },
		{ "GET /v1/webhooks", NULL },      { "POST /v1/webhooks", "{\"url\":\"https://crm.example.org/\"}" },
		{ "GET /v1/mail", NULL },          { "GET /v1/events", NULL },     { "GET /v1/workspace", NULL },
		{ "GET /v1/workspaces", NULL },    { "GET /v1/overview", NULL },   { "GET /v1/incidents", NULL },
		{ "GET /v1/domains", NULL },       { "GET /metrics", NULL },
		{ "GET /v1/connect-links", NULL }, { "DELETE /v1/connect-links/lnk_4qk0z8m1v7c2x9b3n5l6j8", NULL },
		{ "POST /v1/connect-links", "{\"kind\":\"settings\"}" },           { "POST /v1/connect-links", "{\"kind\":\"operator\"}" },
	};
	struct browser b;
	const char    *foreign;

	begin_settings(&b);
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(api_write(&b, rows[i].line, rows[i].json) == 403, rows[i].json ? rows[i].json : rows[i].line);
	foreign = add_account(&b, KEY_OPERATOR);
	EXPECT(api(&b, arena_print(b.house.arena, "GET /v1/accounts/%s", foreign), NULL, NULL) == 404);
	EXPECT(api_write(&b, arena_print(b.house.arena, "DELETE /v1/accounts/%s", foreign), NULL) == 404);
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 200 && !says(&b, foreign));
	house_close(&b.house);
}

TEST(a_write_needs_the_token_of_this_page_and_our_origin)
{
	struct browser b;
	const char    *line, *token, *other;

	begin_settings(&b);
	line = arena_print(b.house.arena, "POST /v1/accounts/%s/pause", add_account(&b, KEY_ADMIN));
	token = token_line(&b);
	EXPECT(api(&b, line, NULL, NULL) == 403 && says(&b, "request.csrf"));
	EXPECT(api(&b, line, NULL, "X-CSRF-Token: \r\n") == 403);
	EXPECT(api(&b, line, NULL, "X-CSRF-Token: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n") == 403);
	EXPECT(api(&b, line, NULL, arena_print(b.house.arena, "%sOrigin: https://evil.example\r\n", token)) == 403);
	EXPECT(api(&b, line, NULL, arena_print(b.house.arena, "%sOrigin: null\r\n", token)) == 403);
	EXPECT(api(&b, line, NULL, arena_print(b.house.arena, "%sSec-Fetch-Site: cross-site\r\n", token)) == 403);
	EXPECT(api(&b, line, NULL, arena_print(b.house.arena, "%sSec-Fetch-Site: same-site\r\n", token)) == 403);
	EXPECT(api(&b, line, NULL, arena_print(b.house.arena, "%sOrigin: http://x\r\nSec-Fetch-Site: same-origin\r\n", token)) == 200);
	/* the token of a form, of the same browser, is none of a session */
	open_page(&b, "/help/auth.password_rejected");
	other = text_after(&b, "name=\"csrf\" value=\"", "\"");
	EXPECT(other && api(&b, line, NULL, arena_print(b.house.arena, "X-CSRF-Token: %s\r\n", other)) == 403);
	/* and another link's page in this browser takes the place of the first, for reading too */
	EXPECT(open_page(&b, new_link(&b, KEY_ADMIN, "{\"kind\":\"settings\"}")) == 200);
	EXPECT(api(&b, line, NULL, token) == 403 && api(&b, "GET /v1/accounts", NULL, token) == 403);
	EXPECT(api_write(&b, line, NULL) == 200);
	house_close(&b.house);
}

TEST(a_session_belongs_to_the_browser_that_opened_the_link_first)
{
	struct browser b, thief;
	const char    *link = begin_settings(&b), *mine = b.browser;

	EXPECT(open_page(&b, link) == 200);
	thief = b;
	thief.browser = NULL;
	EXPECT(open_page(&thief, link) == 403 && says(&thief, "This link is open in another browser."));
	EXPECT(!says(&thief, "mm_session"));
	/* the token alone, without the cookie of that browser */
	EXPECT(api(&thief, "GET /v1/accounts", NULL, NULL) == 401);
	thief.browser = "none";
	EXPECT(api(&thief, "GET /v1/accounts", NULL, NULL) == 401);
	b.browser = mine;
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 200);
	/* a link that nobody has opened yet is no session either */
	link = new_link(&b, KEY_ADMIN, "{\"kind\":\"settings\"}");
	b.session = link + strlen("/settings/");
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 401);
	/* nor is one of another kind */
	link = new_link(&b, KEY_ADMIN, "{}");
	EXPECT(open_page(&b, link) == 200);
	b.session = link + strlen("/connect/");
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 401);
	EXPECT(open_page(&b, arena_print(b.house.arena, "/settings/%s", b.session)) == 404);
	b.session = "NoSuchToken";
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 401);
	house_close(&b.house);
}

TEST(looking_ahead_opens_nothing)
{
	struct browser b;
	const char    *link;

	begin(&b);
	link = new_link(&b, KEY_ADMIN, "{\"kind\":\"settings\"}");
	EXPECT(status_of(ask(&b.house, arena_print(b.house.arena, "HEAD %s HTTP/1.1\r\n" CLOSE "\r\n", link))) == 200);
	EXPECT(status_of(ask(&b.house, arena_print(b.house.arena, "GET %s HTTP/1.1\r\n" CLOSE "Sec-Purpose: prefetch\r\n\r\n", link))) == 200);
	EXPECT(open_page(&b, link) == 200);
	house_close(&b.house);
}

static bool insert_old(struct txn *t, void *self, struct error *err)
{
	struct browser *b = self;

	return link_insert(t, &(struct link){ .id = "lnk_old", .hash = token_hash("OldToken", b->house.arena), .workspace = "wsp_a", .kind = "settings",
		.session = token_hash(b->browser, b->house.arena), .created = 1, .expires = clock_unix_ms() - 1 }, err);
}

TEST(a_session_ends_with_its_link)
{
	struct browser b;
	struct error   err = { 0 };

	begin_settings(&b);
	EXPECT(store_write_wait(b.house.service.store, insert_old, &b, &err));
	b.session = "OldToken";
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 401);
	EXPECT(open_page(&b, "/settings/OldToken") == 410 && open_page(&b, "/settings/NoSuchToken") == 404);
	house_close(&b.house);
}

TEST(the_operator_sees_the_whole_system_and_changes_nothing)
{
	struct browser b;
	const char    *link;

	begin(&b);
	EXPECT(status_of(call(&b.house, "POST /v1/connect-links", KEY_ADMIN, "{\"kind\":\"operator\"}", NULL)) == 403);
	link = new_link(&b, KEY_OPERATOR, "{\"kind\":\"operator\"}");
	EXPECT(strncmp(link, "/operator/", 10) == 0 && open_page(&b, link) == 200 && says(&b, "data-kind=\"operator\""));
	EXPECT(says(&b, "; Path=/v1/overview; ") && says(&b, "; Path=/v1/incidents; "));
	EXPECT(api(&b, "GET /v1/overview", NULL, NULL) == 200 && api(&b, "GET /v1/incidents", NULL, NULL) == 200);
	EXPECT(api(&b, "GET /v1/accounts", NULL, NULL) == 403 && api(&b, "GET /v1/workspaces", NULL, NULL) == 403);
	EXPECT(api_write(&b, "POST /v1/workspaces", "{\"name\":\"C\"}") == 403 && api_write(&b, "POST /v1/accounts", ANN) == 403);
	EXPECT(open_page(&b, arena_print(b.house.arena, "/settings/%s", link + 10)) == 404);
	house_close(&b.house);
}

static void say_ok(struct exchange *x)
{
	answer_text(x, 200, "text/plain", "ok");
}

/* Were there such routes, they would be out of reach too. */
TEST(what_a_session_may_is_its_own_rule_not_chance)
{
	extern const struct route        routes_app[], routes_links[];
	static const struct route        more[] = {
		{ "GET",  "/v1/overview",        GUARD_KEY, SCOPE_OPERATOR,       say_ok },
		{ "POST", "/v1/overview",        GUARD_KEY, SCOPE_OPERATOR,       say_ok },
		{ "GET",  "/v1/overview/keys",   GUARD_KEY, SCOPE_ADMIN,          say_ok },
		{ "GET",  "/v1/overviews",       GUARD_KEY, SCOPE_OPERATOR,       say_ok },
		{ "GET",  "/v1/things",          GUARD_KEY, 0,                    say_ok },
		{ 0 }
	};
	static const struct route *const tables[] = { routes_app, routes_links, more, NULL };
	struct browser b = { .csrf = "" };

	house_open(&b.house, tables, house_limits(), NULL);
	EXPECT(open_page(&b, new_link(&b, KEY_OPERATOR, "{\"kind\":\"operator\"}")) == 200);
	EXPECT(api(&b, "GET /v1/overview", NULL, NULL) == 200 && api_write(&b, "POST /v1/overview", NULL) == 403);
	EXPECT(api(&b, "GET /v1/overview/keys", NULL, NULL) == 403 && api(&b, "GET /v1/overviews", NULL, NULL) == 403);
	EXPECT(api(&b, "GET /v1/things", NULL, NULL) == 403);
	house_close(&b.house);
}

/* A key that is given counts, whatever cookie comes with it. */
TEST(a_key_comes_before_a_session)
{
	struct browser b;

	begin_settings(&b);
	EXPECT(api(&b, "GET /v1/workspace", NULL, "Authorization: Bearer " KEY_READER "\r\n") == 200);
	EXPECT(api(&b, "GET /v1/accounts", NULL, "Authorization: Bearer mm_nosuchkeynosuchkeynosuchkeynosuchkeynos\r\n") == 401);
	house_close(&b.house);
}

TEST(the_words_are_kept_for_ever_under_an_address_of_their_own)
{
	struct browser b;

	begin(&b);
	for (size_t i = 0; language_at(i); i++) {
		const char *path = app_texts_path(language_at(i), b.house.arena);

		EXPECT_ROW(open_page(&b, path) == 200 && says(&b, "max-age=31536000, immutable") && says(&b, "\"page/app.add\":\""), path);
		EXPECT_ROW(!says(&b, "\"page/connect.title\""), path);
	}
	EXPECT(open_page(&b, "/assets/texts-en-000000000000.json") == 404 && open_page(&b, "/assets/texts-en-.json") == 404);
	EXPECT(open_page(&b, "/assets/texts-xx-000000000000.json") == 404);
	house_close(&b.house);
}
