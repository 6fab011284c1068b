#include "serve/http.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/house.h"
#include "store/workspaces.h"

/* -- a server of a few routes ------------------------------------------------------------------------------------------- */

static void say_ok(struct exchange *x)
{
	answer_text(x, 200, "text/plain", arena_print(x->job, "%s %s %s %s %zu", x->path, x->param[0] ? x->param[0] : "-", x->client, x->lang->tag, x->body.len));
}

static void say_workspace(struct exchange *x)
{
	answer_text(x, 200, "text/plain", x->workspace);
}

static void say_nothing(struct exchange *x)
{
	(void)x;
}

static void show_form(struct exchange *x)
{
	answer_text(x, 200, "text/html", http_csrf(x));
}

static void take_form(struct exchange *x)
{
	const char *name = http_form(x, "name");

	answer_text(x, 200, "text/plain", name ? name : "(none)");
}

static void set_evil(struct exchange *x)
{
	http_set(x, "X-Evil", "a\r\nSet-Cookie: b=c");
	answer_redirect(x, "/ok\r\nX-Also: evil");
}

static bool revoke_in_store(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return key_revoke(t, "wsp_a", "key_admin", 5, err);
}

/* Behind the server's back, as another process would. */
static void revoke_admin(struct exchange *x)
{
	struct error err = { 0 };

	answer_text(x, store_write_wait(x->service->store, revoke_in_store, NULL, &err) ? 204 : 500, "text/plain", "");
}

static void forget_admin(struct exchange *x)
{
	http_key_revoked(x, "key_admin");
	answer_text(x, 204, "text/plain", "");
}

static void say_broken(struct exchange *x)
{
	struct error err;

	fail(&err, FAULT_LOCAL, "/secret/place/mailmoor.db: disk I/O error");
	answer_fault(x, &err);
}

#define LONG_ANSWER (8 << 20)      /* more than two sockets hold */

static void say_much(struct exchange *x)
{
	char *text = arena_get(x->job, LONG_ANSWER + 1);

	memset(text, 'a', LONG_ANSWER);
	answer_text(x, 200, "text/plain", text);
}

extern const struct route routes_events[];

static sem_t leave;

static void wait_for_leave(struct exchange *x)
{
	while (sem_wait(&leave) != 0)
		;
	answer_text(x, 200, "text/plain", "at last\n");
}

static const struct route routes[] = {
	{ "GET",    "/ok",            GUARD_NONE, 0, say_ok },
	{ "GET",    "/ok/{id}",       GUARD_NONE, 0, say_ok },
	{ "GET",    "/ok/literal",    GUARD_NONE, 0, say_nothing },
	{ "GET",    "/evil",          GUARD_NONE, 0, set_evil },
	{ "GET",    "/form",          GUARD_NONE, 0, show_form },
	{ "POST",   "/form",          GUARD_FORM, 0, take_form },
	{ "GET",    "/v1/things",     GUARD_KEY, SCOPE_ACCOUNTS_READ, say_workspace },
	{ "POST",   "/v1/things",     GUARD_KEY, SCOPE_ACCOUNTS_WRITE, say_ok },
	{ "PATCH",  "/v1/things",     GUARD_KEY, SCOPE_ACCOUNTS_WRITE, say_ok },
	{ "DELETE", "/v1/key",        GUARD_KEY, 0, revoke_admin },
	{ "POST",   "/v1/forget",     GUARD_KEY, 0, forget_admin },
	{ "GET",    "/v1/broken",     GUARD_NONE, 0, say_broken },
	{ "GET",    "/much",          GUARD_NONE, 0, say_much },
	{ "POST",   "/wait",          GUARD_NONE, 0, wait_for_leave },
	{ "GET",    "/wait",          GUARD_LINK, 0, wait_for_leave },
	{ 0 }
};

static const struct route *const tables[] = { routes, routes_events, NULL };

/* -- requests --------------------------------------------------------------------------------------------------------------- */

TEST(what_is_answered_to_what)
{
	static const struct { const char *request; int status; const char *has; } rows[] = {
		{ "GET /ok HTTP/1.1\r\n" CLOSE "\r\n",                              200, "/ok - 127.0.0.1 en 0" },
		{ "GET /ok?lang=de HTTP/1.1\r\n" CLOSE "\r\n",                      200, " de 0" },
		{ "GET /ok?lang=xx HTTP/1.1\r\n" CLOSE "Accept-Language: xx, fi;q=0.5, de;q=0.4\r\n\r\n", 200, " fi 0" },
		{ "GET /ok HTTP/1.1\r\n" CLOSE "Cookie: a=b; mm_lang=th\r\nAccept-Language: de\r\n\r\n", 200, " th 0" },
		{ "GET /ok/a%2Fb%20c HTTP/1.1\r\n" CLOSE "\r\n",                    200, "/ok/a/b c a/b c " },
		{ "GET /ok HTTP/1.0\r\n\r\n",                                       200, "/ok" },
		{ "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-For: 192.0.2.9\r\n\r\n", 200, " 127.0.0.1 " },
		{ "GET /ok/literal HTTP/1.1\r\n" CLOSE "\r\n",                      500, "wrong on our side" },
		{ "GET /ok/ HTTP/1.1\r\n" CLOSE "\r\n",                             404, "" },
		{ "GET /OK HTTP/1.1\r\n" CLOSE "\r\n",                              404, "" },
		{ "GET / HTTP/1.1\r\n" CLOSE "\r\n",                                404, "" },
		{ "GET /../ok HTTP/1.1\r\n" CLOSE "\r\n",                           404, "" },
		{ "GET /a/b/c/d/e/f/g/h/i/j/k/l/m/n/o HTTP/1.1\r\n" CLOSE "\r\n",   404, "" },
		{ "POST /ok HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n",        405, "Allow: GET, HEAD\r\n" },
		{ "DELETE /v1/things HTTP/1.1\r\n" CLOSE "\r\n",                    405, "Allow: GET, HEAD, POST, PATCH\r\n" },
		{ "TRACE /ok HTTP/1.1\r\n" CLOSE "\r\n",                            405, "" },
		{ "BREW /ok HTTP/1.1\r\n" CLOSE "\r\n",                             405, "" },
		{ "GET /ok/%zz HTTP/1.1\r\n" CLOSE "\r\n",                          400, "" },
		{ "GET /ok/%4 HTTP/1.1\r\n" CLOSE "\r\n",                           400, "" },
		{ "GET /ok/% HTTP/1.1\r\n" CLOSE "\r\n",                            400, "" },
		{ "GET /ok/%00 HTTP/1.1\r\n" CLOSE "\r\n",                          400, "" },
		{ "GET /ok%00/evil HTTP/1.1\r\n" CLOSE "\r\n",                      400, "" },
		{ "GET /ok/a%0d%0aX HTTP/1.1\r\n" CLOSE "\r\n",                     400, "" },
		{ "GET /ok?a=%00 HTTP/1.1\r\n" CLOSE "\r\n",                        400, "" },
		{ "GET /ok?a=%f HTTP/1.1\r\n" CLOSE "\r\n",                         400, "" },
		{ "GET ok HTTP/1.1\r\n" CLOSE "\r\n",                               400, "" },
		{ "GET http://x/ok HTTP/1.1\r\n" CLOSE "\r\n",                      400, "" },
		{ "GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n",                  400, "" },
		{ "GET /ok HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n",                   400, "" },
		{ "GET /v1/nowhere HTTP/1.1\r\n" CLOSE "\r\n",                      404, "application/problem+json" },
		{ "GET /v1/things HTTP/1.1\r\n" CLOSE "\r\n",                       401, "WWW-Authenticate: Bearer" },
	};
	struct house  h;

	house_open(&h, tables, house_limits(), NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = ask(&h, rows[i].request);

		EXPECT_ROW(status_of(answer) == rows[i].status, rows[i].request);
		EXPECT_ROW(strstr(answer, rows[i].has), answer);
		EXPECT_ROW(strstr(answer, "X-Content-Type-Options: nosniff") || rows[i].status == 400, answer);
		EXPECT_ROW(!strstr(answer, "Server:"), answer);
	}
	house_close(&h);
}

TEST(a_head_is_answered_as_a_get_without_its_body)
{
	struct house  h;
	const char   *answer;

	house_open(&h, tables, house_limits(), NULL);
	answer = ask(&h, "HEAD /ok HTTP/1.1\r\n" CLOSE "\r\n");
	EXPECT(status_of(answer) == 200 && strstr(answer, "Content-Length: 20\r\n"));
	EXPECT_TEXT(body_of(answer), "");
	house_close(&h);
}

TEST(every_answer_is_guarded)
{
	static const char *const lines[] = {
		"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'\r\n",
		"X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: same-origin\r\n", "Cache-Control: no-store\r\n", "X-Request-Id: ",
	};
	struct house  h;

	house_open(&h, tables, house_limits(), "127.0.0.1");
	for (size_t i = 0; i < COUNT(lines); i++) {
		EXPECT_ROW(strstr(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n"), lines[i]), lines[i]);
		EXPECT_ROW(strstr(ask(&h, "GET /v1/nowhere HTTP/1.1\r\n" CLOSE "\r\n"), lines[i]), lines[i]);
	}
	EXPECT(!strstr(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n"), "Strict-Transport-Security"));
	EXPECT(strstr(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-Proto: https\r\n\r\n"), "Strict-Transport-Security"));
	EXPECT(strstr(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-For: 192.0.2.9, 127.0.0.1\r\n\r\n"), " 192.0.2.9 "));
	/* the proxy's line is the last one, whatever the client has put above it */
	EXPECT(strstr(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"), " 198.51.100.7 "));
	EXPECT(!strstr(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n"), "Strict-Transport-Security"));
	house_close(&h);
}

TEST(a_handler_cannot_be_made_to_write_header_lines)
{
	struct house  h;
	const char   *answer;

	house_open(&h, tables, house_limits(), NULL);
	answer = ask(&h, "GET /evil HTTP/1.1\r\n" CLOSE "\r\n");
	EXPECT(status_of(answer) == 303 && !strstr(answer, "evil") && !strstr(answer, "X-Evil") && !strstr(answer, "b=c"));
	house_close(&h);
}

TEST(two_readings_of_one_request_are_refused_and_end_the_connection)
{
	static const char *const bodies[] = {
		"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: identity\r\n\r\n{}",
		"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Content-Length: +2\r\n\r\n{}",
		"Content-Length: -2\r\n\r\n{}",
		"Content-Length: 0x2\r\n\r\n{}",
		"Content-Length: 2, 2\r\n\r\n{}",
		"Content-Length : 2\r\n\r\n{}",
		"Content-Length: 99999999999999999999999\r\n\r\n{}",
		"Host: y\r\nContent-Length: 2\r\n\r\n{}",
		"X-A: b\x01\r\nContent-Length: 2\r\n\r\n{}",
		"X A: b\r\nContent-Length: 2\r\n\r\n{}",
		"Authorization: Bearer mm_other\r\nContent-Length: 2\r\n\r\n{}",
	};
	static const char *const methods[] = { "POST", "PATCH", "GET" };
	struct house             h;

	house_open(&h, tables, house_limits(), NULL);
	for (size_t m = 0; m < COUNT(methods); m++)
		for (size_t i = 0; i < COUNT(bodies); i++) {
			CLEANUP(arena) struct arena *work = arena_new();
			const char *answer = ask(&h, arena_print(work, "%s /v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " KEY_ADMIN "\r\n"
				"Content-Type: application/json\r\n%sGET /ok/smuggled HTTP/1.1\r\n" CLOSE "\r\n", methods[m], bodies[i]));

			EXPECT_ROW(!strstr(answer, "smuggled") && !strstr(answer, " 200 "), bodies[i]);
			EXPECT_ROW(status_of(answer) == 400 || status_of(answer) == 413 || !*answer, bodies[i]);
		}
	house_close(&h);
}

TEST(requests_in_one_go_are_answered_in_order)
{
	struct house  h;
	const char   *answer, *first, *second;

	house_open(&h, tables, house_limits(), NULL);
	answer = ask(&h, "GET /ok/first HTTP/1.1\r\nHost: x\r\n\r\nPOST /v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " KEY_ADMIN
		"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET /ok/second HTTP/1.1\r\n" CLOSE "\r\n");
	first = strstr(answer, "/ok/first first");
	second = strstr(answer, "/ok/second second");
	EXPECT(first && second && first < second && strstr(answer, "/v1/things - 127.0.0.1 en 2"));
	/* what is refused at the head and has a body: the body is no request */
	answer = ask(&h, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\nGET /ok/smuggled HTTP/1.1\r\nHost: x\r\n\r\nGET /ok/next HTTP/1.1\r\n" CLOSE "\r\n");
	EXPECT(status_of(answer) == 404 && !strstr(answer, "smuggled"));
	answer = ask(&h, "DELETE /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r\n\r\nGET /ok/smuggled HTTP/1.1\r\nHost: xy\r\n\r\nGET /ok/next HTTP/1.1\r\n" CLOSE "\r\n");
	EXPECT(status_of(answer) == 404 && !strstr(answer, "smuggled") && strstr(answer, "/ok/next next"));
	house_close(&h);
}

/* A request of that many bytes in the place of %s. */
static int status_with(struct house *h, const char *before, size_t len, const char *after)
{
	char       *text = must_alloc(strlen(before) + len + strlen(after) + 1);
	int         status;

	strcpy(text, before);
	memset(text + strlen(before), 'a', len);
	strcpy(text + strlen(before) + len, after);
	status = status_of(ask(h, text));
	free(text);
	return status;
}

TEST(what_is_too_long_is_said_to_be)
{
	static const char post[] = "POST /v1/things HTTP/1.1\r\n" CLOSE "Authorization: Bearer " KEY_ADMIN "\r\nContent-Type: application/json\r\n";
	CLEANUP(arena) struct arena *work = arena_new();
	struct house  h;

	house_open(&h, tables, house_limits(), NULL);
	EXPECT(status_with(&h, "GET /ok/", 3000, " HTTP/1.1\r\n" CLOSE "\r\n") == 200);
	EXPECT(status_with(&h, "GET /ok/", 5000, " HTTP/1.1\r\n" CLOSE "\r\n") == 414);
	EXPECT(status_with(&h, "GET /ok HTTP/1.1\r\nX-A: ", 7000, "\r\n" CLOSE "\r\n") == 200);
	EXPECT(status_with(&h, "GET /ok HTTP/1.1\r\nX-A: ", 9000, "\r\n" CLOSE "\r\n") == 431);
	EXPECT(status_with(&h, "GET /ok HTTP/1.1\r\nX-A: ", 100000, "\r\n" CLOSE "\r\n") == 431);
	EXPECT(status_with(&h, arena_print(work, "%sContent-Length: %d\r\n\r\n", post, HTTP_BODY_MOST), HTTP_BODY_MOST, "") == 200);
	EXPECT(status_with(&h, arena_print(work, "%sContent-Length: %d\r\n\r\n", post, HTTP_BODY_MOST + 1), 1000, "") == 413);
	EXPECT(status_with(&h, arena_print(work, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n", post, HTTP_BODY_MOST), HTTP_BODY_MOST, "\r\n0\r\n\r\n") == 200);
	EXPECT(status_with(&h, arena_print(work, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n", post, HTTP_BODY_MOST + 1), HTTP_BODY_MOST + 1, "\r\n0\r\n\r\n") == 413);
	EXPECT(status_with(&h, arena_print(work, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n", post, 9 * HTTP_BODY_MOST), 9 * HTTP_BODY_MOST, "\r\n0\r\n\r\n") == 0);
	EXPECT(status_with(&h, "POST /v1/things HTTP/1.1\r\n" CLOSE "Authorization: Bearer " KEY_ADMIN "\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n\r\n", 1, "") == 415);
	EXPECT(status_with(&h, "POST /v1/things HTTP/1.1\r\n" CLOSE "Authorization: Bearer " KEY_ADMIN "\r\nContent-Length: 1\r\n\r\n", 1, "") == 415);
	house_close(&h);
}

/* -- keys ------------------------------------------------------------------------------------------------------------------- */

static const char *with_key(struct house *h, const char *line, const char *key)
{
	CLEANUP(arena) struct arena *work = arena_new();

	return ask(h, arena_print(work, "%s HTTP/1.1\r\n" CLOSE "Authorization: %s\r\n\r\n", line, key));
}

TEST(keys_and_their_scopes)
{
	static const struct { const char *line, *key; int status; } rows[] = {
		{ "GET /v1/things",    "Bearer " KEY_READER,  200 },
		{ "GET /v1/things",    "bearer  " KEY_READER, 200 },
		{ "GET /v1/things",    "Bearer " KEY_ADMIN,  200 },
		{ "GET /v1/things",    "Bearer " KEY_OPERATOR, 200 },
		{ "POST /v1/things",   "Bearer " KEY_READER,  403 },
		{ "POST /v1/things",   "Bearer " KEY_ADMIN,  200 },
		{ "GET /v1/things",    "Bearer " KEY_REVOKED, 401 },
		{ "GET /v1/things",    "Bearer " KEY_READER "x", 401 },
		{ "GET /v1/things",    "Bearer " KEY_READER " x", 401 },
		{ "GET /v1/things",    "Bearer mm_",          401 },
		{ "GET /v1/things",    "Bearer ",             401 },
		{ "GET /v1/things",    "Basic " KEY_READER,   401 },
		{ "GET /v1/things",    KEY_READER,            401 },
		{ "GET /v1/things?key=" KEY_READER, "x",      401 },
	};
	struct house  h;

	house_open(&h, tables, house_limits(), NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(status_of(with_key(&h, rows[i].line, rows[i].key)) == rows[i].status, rows[i].key);
	EXPECT_TEXT(body_of(with_key(&h, "GET /v1/things", "Bearer " KEY_OPERATOR)), "wsp_b");
	house_close(&h);
}

static bool read_used(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct api_key *keys;
	size_t          count;

	if (!key_list(t, work, "wsp_a", &keys, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].id, "key_admin") == 0)
			*(int64_t *)self = keys[i].last_used;
	return true;
}

TEST(a_key_is_looked_up_once_and_forgotten_at_once)
{
	struct house        h;
	struct store_health before, after;
	struct error        err;
	int64_t             used = 0;

	house_open(&h, tables, house_limits(), NULL);
	store_health(h.service.store, &before);
	for (int i = 0; i < 20; i++)
		EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer " KEY_ADMIN)) == 200);
	/* writes are in order: behind this one, its use is there */
	EXPECT(status_of(with_key(&h, "DELETE /v1/key", "Bearer " KEY_OPERATOR)) == 204);
	store_health(h.service.store, &after);
	EXPECT(after.writes - before.writes == 3);       /* one use of each key, and the revocation */
	EXPECT(store_read(h.service.store, read_used, &used, &err) && clock_unix_ms() - used < 60000);
	EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer " KEY_ADMIN)) == 200);       /* not looked up again */
	EXPECT(status_of(call(&h, "POST /v1/forget", KEY_OPERATOR, NULL, NULL)) == 204);
	EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer " KEY_ADMIN)) == 401);
	house_close(&h);
}

TEST(a_fault_of_ours_is_said_without_its_words)
{
	struct house h;
	const char  *answer;

	house_open(&h, tables, house_limits(), NULL);
	answer = with_key(&h, "GET /v1/broken", "Bearer x");
	EXPECT(status_of(answer) == 503 && strstr(answer, "system.unavailable") && strstr(answer, "Retry-After: ") && !strstr(answer, "secret"));
	house_close(&h);
}

TEST(whoever_guesses_keys_is_slowed_down)
{
	struct http_limits limits = house_limits();
	struct house       h;

	limits.wrong = (struct rate_limit){ 3, 1 };
	house_open(&h, tables, limits, NULL);
	EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer " KEY_READER)) == 200);
	for (int i = 0; i < 3; i++)
		EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer mm_guess")) == 401);
	EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer mm_guess")) == 429);
	EXPECT(strstr(with_key(&h, "GET /v1/things", "Bearer mm_guess"), "Retry-After: "));
	/* others behind the same address go on */
	EXPECT(status_of(with_key(&h, "GET /v1/things", "Bearer " KEY_READER)) == 200);
	house_close(&h);
}

TEST(requests_without_a_key_have_a_rate_for_each_client)
{
	struct http_limits limits = house_limits();
	struct house       h;

	limits.open = (struct rate_limit){ 3, 1 };
	house_open(&h, tables, limits, "127.0.0.1");
	for (int i = 0; i < 4; i++)
		EXPECT(status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-For: 192.0.2.1\r\n\r\n")) == (i < 3 ? 200 : 429));
	EXPECT(status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-For: 192.0.2.2\r\n\r\n")) == 200);
	/* one house of IPv6 */
	for (int i = 0; i < 4; i++) {
		CLEANUP(arena) struct arena *work = arena_new();

		EXPECT(status_of(ask(&h, arena_print(work, "GET /ok HTTP/1.1\r\n" CLOSE "X-Forwarded-For: 2001:db8:1:2::%d\r\n\r\n", i))) == (i < 3 ? 200 : 429));
	}
	house_close(&h);
}

/* -- forms ------------------------------------------------------------------------------------------------------------------ */

static const char *post_form(struct house *h, const char *cookie, const char *body, const char *more)
{
	CLEANUP(arena) struct arena *work = arena_new();

	return ask(h, arena_print(work, "POST /form HTTP/1.1\r\n" CLOSE "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\nCookie: %s\r\n%s\r\n%s",
		strlen(body), cookie, more, body));
}

TEST(forms_belong_to_the_browser_that_was_shown_them)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct house  h;
	const char   *page, *set, *cookie, *other, *form;

	house_open(&h, tables, house_limits(), NULL);
	page = arena_str(work, ask(&h, "GET /form HTTP/1.1\r\n" CLOSE "\r\n"));
	set = strstr(page, "Set-Cookie: mm_browser=");
	EXPECT(set && strstr(set, "HttpOnly; SameSite=Lax\r\n"));
	cookie = arena_copy(work, slice(set + 12, strcspn(set + 12, ";")));
	form = arena_print(work, "name=%%c3%%84nn+B&csrf=%s", body_of(page));
	EXPECT_TEXT(body_of(post_form(&h, cookie, form, "")), "\xc3\x84nn B");
	EXPECT(status_of(post_form(&h, cookie, form, "Origin: http://mail.example.org\r\nSec-Fetch-Site: same-origin\r\n")) == 200);
	EXPECT(status_of(post_form(&h, cookie, form, "Origin: http://x\r\n")) == 200);
	EXPECT(status_of(post_form(&h, cookie, form, "Origin: http://evil.example\r\n")) == 403);
	EXPECT(status_of(post_form(&h, cookie, form, "Origin: null\r\n")) == 403);
	EXPECT(status_of(post_form(&h, cookie, form, "Sec-Fetch-Site: cross-site\r\n")) == 403);
	EXPECT(status_of(post_form(&h, "a=b", form, "")) == 403);
	EXPECT(status_of(post_form(&h, cookie, "name=a", "")) == 403);
	EXPECT(status_of(post_form(&h, cookie, "name=a&csrf=", "")) == 403);
	EXPECT(status_of(post_form(&h, cookie, "name=%zz", "")) == 400);
	other = arena_print(work, "mm_browser=%s", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	EXPECT(status_of(post_form(&h, other, form, "")) == 403);
	house_close(&h);
}

/* Sockets that are closed while a thread still looks at them end the process now and then. */
TEST(the_server_starts_and_stops_a_hundred_times)
{
	struct http_limits limits = house_limits();
	struct house       h;

	house_open(&h, tables, limits, NULL);
	for (int i = 0; i < 100; i++) {
		struct error        err = { 0 };
		struct http_server *other = http_start_with(&h.service, tables, &limits, &err);

		EXPECT(other);
		http_stop(other);
	}
	EXPECT(status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n")) == 200);
	house_close(&h);
}

static bool is_closing(struct http_server *s)
{
	bool closing;

	pthread_mutex_lock(&s->lock);
	closing = s->closing;
	pthread_mutex_unlock(&s->lock);
	return closing;
}

static void *stop_it(void *self)
{
	http_stop(self);
	return NULL;
}

/* And the server does not wait longer than that takes. */
TEST(who_is_being_answered_gets_it_whole_when_the_server_stops)
{
	struct house h;
	pthread_t    stopping;
	int          fd;
	size_t       got = 0;
	ssize_t      n;
	int64_t      began;
	static char  bytes[1 << 16];

	house_open(&h, tables, house_limits(), NULL);
	fd = dial(&h);
	say(fd, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n", 31);
	EXPECT(recv(fd, bytes, 4, MSG_WAITALL) == 4 && memcmp(bytes, "HTTP", 4) == 0);
	EXPECT(pthread_create(&stopping, NULL, stop_it, h.http) == 0);
	while (!is_closing(h.http))
		sched_yield();
	h.http = NULL;
	began = clock_mono_ms();
	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		got += (size_t)n;
	pthread_join(stopping, NULL);
	EXPECT(n == 0 && got > LONG_ANSWER && clock_mono_ms() - began < 4000);
	close(fd);
	house_close(&h);
}

/* -- those who take their time ------------------------------------------------------------------------------------------------ */

TEST(slow_clients_are_cut_and_others_are_served_meanwhile)
{
	struct http_limits limits = house_limits();
	struct house       h;
	int                slow[100], before, cut = 0;
	int64_t            began = clock_mono_ms();

	limits.request_ms = 700;
	house_open(&h, tables, limits, NULL);
	for (size_t i = 0; i < COUNT(slow); i++) {
		static const char *const begun[] = { "", "GET /ok HT", "GET /ok HTTP/1.1\r\nHost: x\r\nX-", "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na" };

		slow[i] = dial(&h);
		say(slow[i], begun[i % 4], strlen(begun[i % 4]));
	}
	before = status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n"));
	EXPECT(before == 200);
	for (size_t i = 0; i < COUNT(slow); i++) {
		char last[4096];

		/* a byte now and then keeps nobody */
		say(slow[i], "a", 1);
		while (recv(slow[i], last, sizeof last, 0) > 0)
			;
		cut += errno != EAGAIN;
		close(slow[i]);
	}
	EXPECT(cut == COUNT(slow) && clock_mono_ms() - began < 8000);
	EXPECT(status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n")) == 200);
	house_close(&h);
}

TEST(handlers_that_wait_keep_nobody_else_waiting)
{
	static const char post[] = "POST /wait HTTP/1.1\r\nHost: x\r\n\r\n", get[] = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
	struct house      h;
	int               fd[3 * HTTP_HANDS];

	sem_init(&leave, 0, 0);
	house_open(&h, tables, house_limits(), NULL);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = dial(&h);
		say(fd[i], i % 2 ? post : get, strlen(i % 2 ? post : get));
	}
	for (int i = 0; i < 10; i++)
		EXPECT(status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n")) == 200);
	for (size_t i = 0; i < COUNT(fd); i++)
		sem_post(&leave);
	for (size_t i = 0; i < COUNT(fd); i++) {
		EXPECT(status_of(hear(fd[i], "at last")) == 200);
		close(fd[i]);
	}
	house_close(&h);
	sem_destroy(&leave);
}

TEST(one_address_has_so_many_connections_and_no_more)
{
	struct http_limits limits = house_limits();
	struct house       h;
	static const char  get[] = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n";
	int                fd[30], served = 0;

	limits.per_address = 10;
	house_open(&h, tables, limits, NULL);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = dial(&h);
		say(fd[i], get, strlen(get));
		served += status_of(hear(fd[i], "en 0")) == 200;
	}
	EXPECT(served == 10);
	for (size_t i = 0; i < COUNT(fd); i++)
		close(fd[i]);
	house_close(&h);
	/* a proxy speaks for many */
	house_open(&h, tables, limits, "127.0.0.0/8");
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = dial(&h);
		say(fd[i], get, strlen(get));
		EXPECT(status_of(hear(fd[i], "en 0")) == 200);
	}
	for (size_t i = 0; i < COUNT(fd); i++)
		close(fd[i]);
	house_close(&h);
}

/* -- streams ---------------------------------------------------------------------------------------------------------------- */

static int stream(struct house *h, const char *query, const char *more)
{
	CLEANUP(arena) struct arena *work = arena_new();
	int         fd = dial(h);
	const char *text = arena_print(work, "GET /v1/events%s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\n\r\n", query, more);

	say(fd, text, strlen(text));
	return fd;
}

TEST(events_stream_as_they_come)
{
	struct house  h;
	const char   *heard;
	int           fd;

	house_open(&h, tables, house_limits(), NULL);
	house_event(&h, "wsp_a", "account.created", "{}");
	fd = stream(&h, "", KEY_READER);
	heard = hear(fd, "retry: 3000\n\n");
	EXPECT(status_of(heard) == 200 && strstr(heard, "Content-Type: text/event-stream\r\n") && strstr(heard, "retry: 3000\n\n") && !strstr(heard, "id: 1"));
	house_event(&h, "wsp_b", "account.failed", "{}");
	house_event(&h, "wsp_a", "account.connected", "{\"text\":\"a\\nid: 7\\n\\n\"}");
	heard = hear(fd, "created\":");
	EXPECT(strstr(heard, "id: 3\nevent: account.connected\ndata: {\"seq\":\"3\",\"id\":\"evt_") && !strstr(heard, "id: 2") && !strstr(heard, "\nid: 7"));
	close(fd);
	house_close(&h);
}

TEST(a_stream_goes_on_where_it_ended)
{
	struct house  h;
	const char   *heard;
	int           fd;

	house_open(&h, tables, house_limits(), NULL);
	for (int i = 0; i < 200; i++)
		house_event(&h, "wsp_a", "message.received", "{}");
	fd = stream(&h, "?after=10", KEY_READER "\r\nLast-Event-ID: 17");
	heard = hear(fd, "id: 200\n");
	EXPECT(strstr(heard, "id: 18\n") && strstr(heard, "id: 200\n") && !strstr(heard, "id: 17\n"));
	for (int i = 18; i <= 200; i++) {
		char line[20];

		snprintf(line, sizeof line, "id: %d\n", i);
		EXPECT_ROW(strstr(heard, line), line);
	}
	close(fd);
	house_close(&h);
}

TEST(streams_beat_are_bounded_and_end_with_their_key)
{
	struct http_limits limits = house_limits();
	struct house       h;
	int                fd[2], third;

	limits.heartbeat_ms = 200;
	limits.streams_per_key = 2;
	house_open(&h, tables, limits, NULL);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = stream(&h, "", KEY_ADMIN);
		EXPECT(strstr(hear(fd[i], "\n:\n\n"), ":\n\n"));
	}
	third = stream(&h, "", KEY_ADMIN);
	EXPECT(status_of(hear(third, "request_id")) == 429);
	close(third);
	third = stream(&h, "", KEY_READER);
	EXPECT(status_of(hear(third, "retry")) == 200);
	EXPECT(status_of(call(&h, "POST /v1/forget", KEY_OPERATOR, NULL, NULL)) == 204);
	for (size_t i = 0; i < COUNT(fd); i++) {
		EXPECT(strstr(hear(fd[i], "0\r\n\r\n"), "0\r\n\r\n"));       /* ends, and in order */
		close(fd[i]);
	}
	/* and the other one when the server stops */
	house_close(&h);
	EXPECT(strstr(hear(third, NULL), "0\r\n\r\n"));
	close(third);
}

TEST(streams_take_no_thread)
{
	struct http_limits limits = house_limits();
	struct house       h;
	int                fd[200];

	limits.streams_per_key = COUNT(fd);
	limits.per_address = COUNT(fd) + 10;
	house_open(&h, tables, limits, NULL);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = stream(&h, "", KEY_READER);
		EXPECT(status_of(hear(fd[i], "retry: 3000\n\n")) == 200);
	}
	EXPECT(status_of(ask(&h, "GET /ok HTTP/1.1\r\n" CLOSE "\r\n")) == 200);
	house_event(&h, "wsp_a", "account.connected", "{}");
	for (size_t i = 0; i < COUNT(fd); i++) {
		EXPECT(strstr(hear(fd[i], "id: 1\n"), "id: 1\n"));
		close(fd[i]);
	}
	house_close(&h);
}

TEST(events_as_a_page)
{
	struct house  h;
	const char   *answer;

	house_open(&h, tables, house_limits(), NULL);
	for (int i = 0; i < 3; i++)
		house_event(&h, "wsp_a", "account.created", "{\"n\":1}");
	answer = with_key(&h, "GET /v1/events?limit=2", "Bearer " KEY_READER);
	EXPECT(status_of(answer) == 200 && strstr(answer, "\"next\":\"2\"") && strstr(answer, "\"data\":{\"n\":1}"));
	answer = with_key(&h, "GET /v1/events?after=2", "Bearer " KEY_READER);
	EXPECT(strstr(answer, "\"seq\":\"3\"") && !strstr(answer, "\"seq\":\"2\""));
	EXPECT(status_of(with_key(&h, "GET /v1/events?limit=0", "Bearer " KEY_READER)) == 400);
	EXPECT(status_of(with_key(&h, "GET /v1/events?limit=201", "Bearer " KEY_READER)) == 400);
	EXPECT(status_of(with_key(&h, "GET /v1/events?after=x", "Bearer " KEY_READER)) == 400);
	EXPECT(status_of(with_key(&h, "GET /v1/events?type=x", "Bearer " KEY_READER)) == 400);
	house_close(&h);
}
