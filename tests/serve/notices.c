#include "serve/notices.h"

#include <stdlib.h>

#include "serve/house.h"
#include "serve/subscription.h"

#define ID    "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
#define ACC   "acc_0123456789abcdefghij"
#define NONCE "abcdefghijklmnop"
#define HOOK  "POST /hooks/microsoft"

extern const struct route *const http_routes[];

static void open_house(struct house *h)
{
	house_open(h, http_routes, house_limits(), NULL);
}

/* Of any type, as any stranger. */
static const char *post(struct house *h, const char *query, const char *type, const char *body)
{
	return ask(h, arena_print(h->arena, HOOK "%s HTTP/1.1\r\nContent-Type: %s\r\nContent-Length: %zu\r\n" CLOSE "\r\n%s", query, type, strlen(body), body));
}

static const char *notice(struct house *h, const char *state, const char *more)
{
	return arena_print(h->arena, "{\"subscriptionId\":\"" ID "\",\"clientState\":\"%s\"%s}", state, more);
}

static const char *proven(struct house *h)
{
	return notice_state(h->service.vault, ACC, NONCE, h->arena);
}

/* -- what proves itself -- */

TEST(a_client_state)
{
	struct house h;
	const char  *state, *account, *nonce;

	open_house(&h);
	state = proven(&h);
	EXPECT(strlen(state) <= GRAPH_CLIENT_STATE);
	EXPECT(notice_state_read(h.service.vault, state, h.arena, &account, &nonce));
	EXPECT_TEXT(account, ACC);
	EXPECT_TEXT(nonce, NONCE);
	/* whatever is changed, wherever: a sign, or the end */
	for (size_t i = 0; i < strlen(state); i++) {
		char *other = arena_str(h.arena, state);

		other[i] = (char)(other[i] ^ 1);
		EXPECT(!notice_state_read(h.service.vault, other, h.arena, &account, &nonce));
		EXPECT(!notice_state_read(h.service.vault, arena_copy(h.arena, slice(state, i)), h.arena, &account, &nonce));
	}
	EXPECT(!notice_state_read(h.service.vault, arena_print(h.arena, "%s.", state), h.arena, &account, &nonce));
	EXPECT(!notice_state_read(h.service.vault, "..", h.arena, &account, &nonce));
	/* the same signature for other things is none for this */
	EXPECT(!notice_state_read(h.service.vault, arena_print(h.arena, NONCE "." ACC ".%s", vault_sign(h.service.vault, "session",
		slice_str(NONCE "." ACC), h.arena)), h.arena, &account, &nonce));
	house_close(&h);
}

/* -- the handshake -- */

TEST(who_asks_whether_we_listen_gets_his_token_back)
{
	struct house h;
	const char  *answer;

	open_house(&h);
	answer = post(&h, "?validationToken=Validation%3a+Testing+client+application+reachability+%2b%3d%26%22", "text/plain; charset=utf-8", "");
	EXPECT(status_of(answer) == 200 && strstr(answer, "Content-Type: text/plain"));
	EXPECT(strstr(answer, "X-Content-Type-Options: nosniff"));
	EXPECT_TEXT(body_of(answer), "Validation: Testing client application reachability +=&\"");
	EXPECT(status_of(post(&h, "?validationToken=%3Cscript%3Ealert(1)%3C/script%3E", "text/plain", "")) == 400);
	EXPECT(status_of(post(&h, "?validationToken=a%0ab", "text/plain", "")) == 400);
	EXPECT(status_of(post(&h, "?validationToken=", "text/plain", "")) == 400);
	EXPECT(status_of(ask(&h, "GET /hooks/microsoft?validationToken=x HTTP/1.1\r\n" CLOSE "\r\n")) == 405);
	EXPECT(h.heard == 0);
	house_close(&h);
}

/* -- notices -- */

TEST(what_proves_itself_is_told)
{
	struct house h;
	const char  *one, *other;

	open_house(&h);
	one = notice(&h, proven(&h), ",\"changeType\":\"created\"");
	other = notice(&h, proven(&h), ",\"lifecycleEvent\":\"subscriptionRemoved\"");
	EXPECT(status_of(post(&h, "", "application/json", arena_print(h.arena, "{\"value\":[%s]}", one))) == 202);
	EXPECT(h.heard == 1);
	EXPECT_TEXT(h.last_heard, ACC " " NONCE " " ID " 0");
	EXPECT(status_of(post(&h, "", "application/json; charset=utf-8", arena_print(h.arena, "{\"value\":[%s]}", other))) == 202);
	EXPECT(h.heard == 2);
	EXPECT_TEXT(h.last_heard, ACC " " NONCE " " ID " 2");
	/* the same many times over is one */
	EXPECT(status_of(post(&h, "", "text/json", arena_print(h.arena, "{\"value\":[%s,%s,%s,%s,%s]}", one, one, one, other, one))) == 202);
	EXPECT(h.heard == 5);
	house_close(&h);
}

TEST(who_does_not_is_let_be)
{
	struct house h;
	char        *forged;

	open_house(&h);
	forged = arena_str(h.arena, proven(&h));
	forged[strlen(forged) - 1] = forged[strlen(forged) - 1] == '0' ? '1' : '0';
	EXPECT(status_of(post(&h, "", "application/json", arena_print(h.arena, "{\"value\":[%s]}", notice(&h, forged, "")))) == 202);
	EXPECT(status_of(post(&h, "", "application/json", arena_print(h.arena, "{\"value\":[%s]}", notice(&h, "guess", "")))) == 202);
	EXPECT(status_of(post(&h, "", "application/json", "{\"value\":[{\"subscriptionId\":\"" ID "\"},7]}")) == 202);
	EXPECT(status_of(post(&h, "", "application/json", "{\"value\":[]}")) == 202);
	EXPECT(status_of(post(&h, "", "application/json", "{}")) == 400);
	EXPECT(status_of(post(&h, "", "application/json", "<html>")) == 400);
	EXPECT(status_of(post(&h, "", "application/json", "")) == 400);
	EXPECT(h.heard == 0);
	house_close(&h);
}

TEST(more_than_is_held)
{
	struct house h;
	const char  *one;
	char        *many;
	size_t       len = HTTP_BODY_MOST + 1;

	open_house(&h);
	many = arena_get(h.arena, len + 1);
	memset(many, ' ', len);
	EXPECT(status_of(post(&h, "", "application/json", many)) == 413);
	/* as many as fit, one after the other of another kind: all that are looked at, and no more */
	one = arena_print(h.arena, "%s,%s,", notice(&h, proven(&h), ""), notice(&h, proven(&h), ",\"lifecycleEvent\":\"missed\""));
	len = (size_t)snprintf(many, HTTP_BODY_MOST, "{\"value\":[");
	while (len + strlen(one) + 10 < HTTP_BODY_MOST)
		len += (size_t)snprintf(many + len, HTTP_BODY_MOST - len, "%s", one);
	snprintf(many + len - 1, HTTP_BODY_MOST - len, "]}");
	EXPECT(status_of(post(&h, "", "application/json", many)) == 202);
	EXPECT(h.heard == GRAPH_NOTICES_MOST);
	house_close(&h);
}

TEST(a_flood_is_told_to_come_later)
{
	struct house       h;
	struct http_limits limits = house_limits();
	const char        *answer = NULL;

	limits.hooks = (struct rate_limit){ 3, 1 };
	house_open(&h, http_routes, limits, NULL);
	for (int i = 0; i < 3; i++)
		EXPECT(status_of(post(&h, "", "application/json", "{\"value\":[]}")) == 202);
	for (int i = 0; i < 3 && (!answer || status_of(answer) == 202); i++)
		answer = post(&h, "", "application/json", "{\"value\":[]}");
	EXPECT(status_of(answer) == 429 && strstr(answer, "Retry-After: "));
	/* and nobody else suffers for it */
	EXPECT(status_of(ask(&h, "GET /healthz HTTP/1.1\r\n" CLOSE "\r\n")) == 200);
	house_close(&h);
}

/* -- where -- */

TEST(a_place_that_graph_can_reach)
{
	struct microsoft_place place, other;
	struct house           h;
	char                  *url;

	open_house(&h);
	h.settings.value[SETTING_WEB_BASE_URL] = NULL;
	notice_place(&h.service, &place, &url);
	EXPECT(!place.url && !url);
	h.settings.value[SETTING_WEB_BASE_URL] = arena_str(h.arena, "http://mail.example.org");
	notice_place(&h.service, &place, &url);
	EXPECT(!place.url && !url);
	h.settings.value[SETTING_WEB_BASE_URL] = arena_str(h.arena, "https://mail.example.org");
	notice_place(&h.service, &place, &url);
	EXPECT_TEXT(place.url, "https://mail.example.org/hooks/microsoft");
	EXPECT(strlen(place.mark) == MICROSOFT_MARK && place.url == url);
	free(url);
	h.settings.value[SETTING_WEB_BASE_URL] = arena_str(h.arena, "https://post.example.org");
	notice_place(&h.service, &other, &url);
	EXPECT(strcmp(place.mark, other.mark) != 0);
	free(url);
	h.settings.value[SETTING_WEB_BASE_URL] = NULL;
	house_close(&h);
}

/* -- as it is kept -- */

static const struct { const char *name, *cursor; bool fine; } cursors[] = {
	{ "none",             "{\"delta_link\":\"https://x\"}", false },
	{ "nothing",          NULL, false },
	{ "no JSON",          "{", false },
	{ "not an object",    "{\"subscription\":7}", false },
	{ "an id too long",   "{\"subscription\":{\"id\":\"01234567890123456789012345678901234567890123456789012345678901234\",\"nonce\":\"n\",\"mark\":\"m\"}}", false },
	{ "no nonce",         "{\"subscription\":{\"id\":\"a\",\"mark\":\"m\"}}", false },
	{ "times out of mind", "{\"subscription\":{\"id\":\"a\",\"nonce\":\"n\",\"mark\":\"m\",\"asked\":-7,\"until\":1e300}}", true },
};

TEST(a_cursor_with_a_subscription)
{
	CLEANUP(arena) struct arena  *job = arena_new();
	struct microsoft_subscription s = { ID, NONCE, "0123456789abcdef", 1795248000, 1795500000 }, read;
	cJSON                        *o = cJSON_CreateObject();
	char                         *text;

	cJSON_AddStringToObject(o, "delta_link", "https://x");
	subscription_write(o, &s);
	text = cJSON_PrintUnformatted(o);
	EXPECT(subscription_read(text, &read));
	EXPECT_TEXT(read.id, s.id);
	EXPECT_TEXT(read.nonce, s.nonce);
	EXPECT_TEXT(read.mark, s.mark);
	EXPECT(read.asked == s.asked && read.until == s.until);
	EXPECT_TEXT(cursor_without_subscription(text, job), "{\"delta_link\":\"https://x\"}");
	cJSON_free(text);
	cJSON_Delete(o);
	o = cJSON_CreateObject();
	subscription_write(o, &(struct microsoft_subscription){ 0 });
	EXPECT(!o->child);
	cJSON_Delete(o);
	for (size_t i = 0; i < COUNT(cursors); i++) {
		EXPECT_ROW(subscription_read(cursors[i].cursor, &read) == cursors[i].fine, cursors[i].name);
		EXPECT_ROW(*read.id ? cursors[i].fine && !read.asked && !read.until : !cursors[i].fine, cursors[i].name);
	}
	EXPECT(!cursor_without_subscription(NULL, job));
	EXPECT_TEXT(cursor_without_subscription("{\"uidnext\":7}", job), "{\"uidnext\":7}");
}
