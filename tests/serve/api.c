#include "serve/api.h"

#include <stdlib.h>

#include "serve/house.h"
#include "serve/removal.h"
#include "serve/retell.h"

#define ANN "{\"address\":\"Ann@Birch.example\",\"password\":\"heron-Kettle-41\",\"lang\":\"de\",\"external_id\":\"user-17\"}"

static void open_house(struct house *h)
{
	house_open(h, http_routes, house_limits(), NULL);
}

static const char *member(struct house *h, const char *answer, const char *name)
{
	cJSON      *o = cJSON_Parse(body_of(answer));
	const char *text = arena_str(h->arena, json_text(o, name));

	cJSON_Delete(o);
	return text;
}

static const char *path(struct house *h, const char *method, const char *id, const char *tail)
{
	return arena_print(h->arena, "%s /v1/accounts/%s%s", method, id, tail);
}

static const char *add(struct house *h, const char *json)
{
	const char *answer = call(h, "POST /v1/accounts", KEY_ADMIN, json, NULL);

	EXPECT_ROW(status_of(answer) == 201, answer);
	return member(h, answer, "id");
}

/* How often a text stands in the file of the store and its log: nothing is there that should not be. */
static int in_store(struct house *h, const char *text)
{
	static const char *const files[] = { "store", "store-wal" };
	int                      count = 0;

	for (size_t i = 0; i < COUNT(files); i++) {
		FILE  *f = fopen(arena_print(h->arena, "%s/%s", h->folder, files[i]), "rb");
		char  *bytes = must_alloc(8 << 20);
		size_t len = f ? fread(bytes, 1, 8 << 20, f) : 0;

		for (size_t at = 0; at + strlen(text) <= len; at++)
			count += memcmp(bytes + at, text, strlen(text)) == 0;
		free(bytes);
		if (f)
			fclose(f);
	}
	return count;
}

struct sealed { struct house *h; const char *id; struct slice sealed; };

static bool read_sealed(struct txn *t, void *self, struct error *err)
{
	struct sealed *s = self;

	return sealed_get(t, s->h->arena, s->id, "password", &s->sealed, err);
}

static const char *password_of(struct house *h, const char *id)
{
	struct sealed s = { .h = h, .id = id };
	struct error  err = { 0 };
	struct slice  plain;

	if (!store_read(h->service.store, read_sealed, &s, &err)
	    || !vault_unseal(h->service.vault, arena_print(h->arena, "%s/password", id), s.sealed, h->arena, &plain, &err))
		return NULL;
	return arena_copy(h->arena, plain);
}

/* -- accounts ------------------------------------------------------------------------------------------------------------------ */

TEST(an_account_is_added)
{
	struct house h;
	const char  *answer, *id;

	open_house(&h);
	answer = call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, NULL);
	EXPECT(status_of(answer) == 201);
	id = member(&h, answer, "id");
	EXPECT(strstr(answer, arena_print(h.arena, "Location: /v1/accounts/%s\r\n", id)));
	EXPECT_TEXT(member(&h, answer, "state"), "connecting");
	EXPECT_TEXT(member(&h, answer, "address"), "Ann@birch.example");
	EXPECT_TEXT(member(&h, answer, "lang"), "de");
	EXPECT(h.changed == 1);
	EXPECT_TEXT(h.last, id);
	EXPECT_TEXT(password_of(&h, id), "heron-Kettle-41");
	EXPECT(in_store(&h, "heron-Kettle") == 0 && in_store(&h, "user-17") > 0);
	EXPECT(!strstr(answer, "heron"));
	EXPECT_TEXT(body_of(call(&h, path(&h, "GET", id, ""), KEY_READER, NULL, NULL)), body_of(answer));
	answer = call(&h, "GET /v1/events", KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "account.created") && strstr(answer, id));
	/* the same mailbox, written otherwise */
	answer = call(&h, "POST /v1/accounts", KEY_ADMIN, "{\"address\":\"ann@BIRCH.example.\",\"password\":\"x\"}", NULL);
	EXPECT(status_of(answer) == 409 && strstr(answer, "request.conflict") && h.changed == 1);
	/* and of another workspace */
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_OPERATOR, ANN, NULL)) == 201);
	house_close(&h);
}

TEST(what_is_wrong_with_an_account_is_said)
{
	static const struct { const char *json, *pointer, *code; } rows[] = {
		{ "{\"address\":\"ann\",\"password\":\"x\"}",                        "/address",   "address.malformed" },
		{ "{\"address\":\"a@b.example\",\"password\":\"\"}",                 "/password",  "request.invalid" },
		{ "{\"address\":\"a@b.example\"}",                                   "/password",  "request.invalid" },
		{ "{\"address\":\"a@b.example\",\"password\":\"x\",\"imap\":{\"host\":\"a..b\"}}", "/imap/host", "request.invalid" },
		{ "{\"address\":\"a@b.example\",\"password\":\"x\",\"imap\":{\"host\":\"a/b\"}}",  "/imap/host", "request.invalid" },
		{ "{\"address\":\"a@b.example\",\"password\":\"x\",\"smtp\":{\"host\":\"b.example\",\"port\":0}}", "/smtp/port", "request.invalid" },
		{ "{\"address\":\"a@b.example\",\"password\":\"x\",\"provider\":\"ews\"}", "/provider", "request.invalid" },
		{ "{\"address\":\"a@b.example\",\"password\":\"x\",\"state\":\"connected\"}", "/state", "request.invalid" },
	};
	struct house h;

	open_house(&h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = call(&h, "POST /v1/accounts", KEY_ADMIN, rows[i].json, NULL);

		EXPECT_ROW(status_of(answer) == 400 && strstr(answer, "application/problem+json"), rows[i].json);
		EXPECT_TEXT(member(&h, answer, "pointer"), rows[i].pointer);
		EXPECT_TEXT(member(&h, answer, "code"), rows[i].code);
	}
	EXPECT(h.changed == 0);
	house_close(&h);
}

TEST(an_account_of_another_workspace_is_not_there)
{
	static const char *const rows[][2] = {
		{ "GET", "" }, { "PATCH", "" }, { "DELETE", "" }, { "POST", "/verify" }, { "POST", "/pause" }, { "POST", "/resume" }, { "POST", "/reconnect" },
		{ "GET", "/report" }, { "GET", "/progress" },
	};
	struct house h;
	const char  *id;

	open_house(&h);
	id = add(&h, ANN);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *json = strcmp(rows[i][0], "PATCH") == 0 ? "{}" : strcmp(rows[i][1], "/reconnect") == 0 ? "{\"password\":\"x\"}" : NULL;
		const char *foreign = call(&h, path(&h, rows[i][0], id, rows[i][1]), KEY_OPERATOR, json, NULL);
		const char *none = call(&h, path(&h, rows[i][0], "acc_0000000000000000000000", rows[i][1]), KEY_OPERATOR, json, NULL);

		EXPECT_ROW(status_of(foreign) == 404 && status_of(none) == 404, rows[i][1]);
		EXPECT_TEXT(member(&h, foreign, "title"), member(&h, none, "title"));
	}
	EXPECT(!strstr(call(&h, "GET /v1/accounts", KEY_OPERATOR, NULL, NULL), id));
	EXPECT(!strstr(call(&h, "GET /v1/events", KEY_OPERATOR, NULL, NULL), id));
	EXPECT_TEXT(member(&h, call(&h, path(&h, "GET", id, ""), KEY_READER, NULL, NULL), "state"), "connecting");
	EXPECT(h.changed == 1);
	house_close(&h);
}

TEST(the_life_of_an_account)
{
	struct house h;
	const char  *id, *answer;

	open_house(&h);
	id = add(&h, ANN);
	EXPECT(status_of(call(&h, path(&h, "POST", id, "/resume"), KEY_ADMIN, NULL, NULL)) == 409);
	EXPECT_TEXT(member(&h, call(&h, path(&h, "POST", id, "/pause"), KEY_ADMIN, NULL, NULL), "state"), "paused");
	EXPECT_TEXT(member(&h, call(&h, path(&h, "POST", id, "/pause"), KEY_ADMIN, NULL, NULL), "state"), "paused");
	EXPECT(h.parted == 1 && h.how == PART_FOR_NOW);
	EXPECT(status_of(call(&h, path(&h, "POST", id, "/verify"), KEY_ADMIN, NULL, NULL)) == 409);
	EXPECT_TEXT(member(&h, call(&h, path(&h, "PATCH", id, ""), KEY_ADMIN, "{\"imap\":{\"host\":\"IMAP.birch.example\",\"port\":993}}", NULL), "state"), "paused");
	EXPECT_TEXT(member(&h, call(&h, path(&h, "POST", id, "/resume"), KEY_ADMIN, NULL, NULL), "state"), "connecting");
	EXPECT_TEXT(member(&h, call(&h, path(&h, "POST", id, "/verify"), KEY_ADMIN, NULL, NULL), "state"), "connecting");
	answer = call(&h, path(&h, "PATCH", id, ""), KEY_ADMIN, "{\"external_id\":null,\"username\":\"ann\"}", NULL);
	EXPECT(strstr(answer, "\"external_id\":null") && strstr(answer, "\"username\":\"ann\"") && strstr(answer, "{\"host\":\"imap.birch.example\",\"port\":993}"));
	answer = call(&h, path(&h, "PATCH", id, ""), KEY_ADMIN, "{\"imap\":null}", NULL);
	EXPECT(strstr(answer, "\"imap\":null"));
	EXPECT(status_of(call(&h, path(&h, "POST", id, "/reconnect"), KEY_ADMIN, "{\"password\":\"other-Kettle\"}", NULL)) == 200);
	EXPECT_TEXT(password_of(&h, id), "other-Kettle");
	EXPECT_TEXT(member(&h, call(&h, path(&h, "GET", id, ""), KEY_READER, NULL, NULL), "id"), id);
	EXPECT(strstr(call(&h, path(&h, "GET", id, "/progress?lang=fi"), KEY_READER, NULL, NULL), "\"label\":\"fi\""));
	EXPECT(status_of(call(&h, path(&h, "GET", id, "/report"), KEY_READER, NULL, NULL)) == 404);
	EXPECT(status_of(call(&h, path(&h, "DELETE", id, ""), KEY_READER, NULL, NULL)) == 403);
	EXPECT(status_of(call(&h, path(&h, "DELETE", id, ""), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(status_of(call(&h, path(&h, "DELETE", id, ""), KEY_ADMIN, NULL, NULL)) == 404);
	EXPECT(status_of(call(&h, path(&h, "GET", id, ""), KEY_READER, NULL, NULL)) == 404);
	EXPECT(!password_of(&h, id));
	EXPECT(h.parted == 2 && h.how == PART_FOR_GOOD);
	answer = call(&h, "GET /v1/events", KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "account.paused") && strstr(answer, "account.resumed") && strstr(answer, "account.removed"));
	/* the address is free again */
	EXPECT(strcmp(add(&h, ANN), id) != 0);
	house_close(&h);
}

TEST(what_stays_at_the_provider_is_said_at_the_end)
{
	static const struct { const char *provider, *report, *lang; enum granted granted; const char *url[2]; bool tenant; } rows[] = {
		{ "microsoft", "{\"steps\":[{\"id\":\"microsoft.account\",\"facts\":[{\"fact\":\"account.kind\",\"value\":\"personal\"}]}]}", "en", GRANT_OWN, { "consent/Manage" }, false },
		{ "microsoft", "{\"steps\":[{\"id\":\"microsoft.account\",\"facts\":[{\"fact\":\"account.kind\",\"value\":\"guest\"}]}]}", "th", GRANT_OWN, { "myapps" }, false },
		{ "microsoft", NULL, "pl", GRANT_OWN, { "myapps", "consent/Manage" }, false },
		{ "microsoft", "no report", "nl", GRANT_OWN, { "myapps", "consent/Manage" }, false },
		{ "microsoft", NULL, "en", GRANT_NONE, { NULL }, false },
		{ "google", NULL, "fi", GRANT_OWN, { "myaccount.google.com/connections" }, false },
		{ "google", NULL, "de", GRANT_SHARED, { "myaccount.google.com/connections" }, false },
		{ "google", NULL, "th", GRANT_OWN, { "admin.google.com" }, true },
		{ "google", NULL, "en", GRANT_NONE, { NULL }, false },
		{ "exchange", NULL, "en", GRANT_OWN, { NULL }, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct language *lang = language_find(rows[i].lang);
		struct account a = { .id = "acc_1", .provider = rows[i].provider, .report = rows[i].report, .tenant = rows[i].tenant };
		cJSON         *o = removal_json(&a, rows[i].granted, lang);
		const cJSON   *left = cJSON_GetObjectItemCaseSensitive(o, "left");

		EXPECT_ROW(cJSON_GetArraySize(left) == !!rows[i].url[0] + !!rows[i].url[1] && !o == !rows[i].url[0], rows[i].lang);
		for (int n = 0; n < cJSON_GetArraySize(left); n++) {
			const cJSON *one = cJSON_GetArrayItem(left, n);

			EXPECT_ROW(strstr(json_text(one, "url"), rows[i].url[n]) && strstr(json_text(one, "text"), json_text(one, "url")), rows[i].lang);
		}
		cJSON_Delete(o);
	}
}

TEST(an_account_with_a_grant_is_removed)
{
	struct house h;
	const char  *id, *answer;

	open_house(&h);
	answer = call(&h, "POST /v1/grants", KEY_ADMIN, "{\"address\":\"ann@birch.example\",\"refresh_token\":\"rt-1\"}", NULL);
	id = member(&h, answer, "id");
	answer = call(&h, path(&h, "DELETE", id, "?lang=de"), KEY_ADMIN, NULL, NULL);
	EXPECT_ROW(status_of(answer) == 200 && strstr(answer, "https://myapps.microsoft.com") && strstr(answer, "Unser Zugriff ist vergessen"), answer);
	EXPECT_TEXT(member(&h, answer, "id"), id);
	EXPECT(!password_of(&h, id) && status_of(call(&h, path(&h, "DELETE", id, ""), KEY_ADMIN, NULL, NULL)) == 404);
	house_close(&h);
}

/* It is given back, and the last who lives on it is the first here. */
TEST(a_grant_of_google_is_given_back)
{
	struct house h;
	const char  *id, *answer;

	open_house(&h);
	answer = call(&h, "POST /v1/grants", KEY_ADMIN, "{\"provider\":\"google\",\"address\":\"ann@birch.example\",\"refresh_token\":\"1//0a\",\"granted_at\":1795248000}", NULL);
	EXPECT_ROW(status_of(answer) == 201 && strstr(answer, "\"google\""), answer);
	id = member(&h, answer, "id");
	answer = call(&h, path(&h, "POST", id, "/reconnect"), KEY_ADMIN, "{\"password\":\"x\"}", NULL);
	EXPECT_ROW(status_of(answer) == 409, answer);
	answer = call(&h, path(&h, "DELETE", id, "?lang=en"), KEY_ADMIN, NULL, NULL);
	EXPECT_ROW(status_of(answer) == 200 && strstr(answer, "given back to Google now"), answer);
	EXPECT(h.parted == 1 && h.how == PART_FOR_GOOD);
	house_close(&h);
}

/* Where a report says that the mailbox is elsewhere: by that provider from now on, with its password, and the id that it had. */
TEST(another_way_in_keeps_the_id)
{
	struct house h;
	const char  *id, *answer;

	open_house(&h);
	answer = call(&h, "POST /v1/grants", KEY_ADMIN, "{\"address\":\"ann@birch.example\",\"refresh_token\":\"rt-1\",\"external_id\":\"crm-7\"}", NULL);
	EXPECT_ROW(status_of(answer) == 201, answer);
	id = member(&h, answer, "id");
	EXPECT(status_of(call(&h, path(&h, "POST", id, "/reconnect"), KEY_ADMIN, "{\"password\":\"egret\"}", NULL)) == 409);
	EXPECT(status_of(call(&h, path(&h, "POST", id, "/reconnect"), KEY_ADMIN, "{\"password\":\"egret\",\"provider\":\"microsoft\"}", NULL)) == 400);
	EXPECT(strstr(password_of(&h, id), "rt-1"));
	answer = call(&h, path(&h, "POST", id, "/reconnect"), KEY_ADMIN,
	              "{\"password\":\"egret\",\"provider\":\"exchange\",\"ews_url\":\"https://mail.birch.example/EWS/Exchange.asmx\"}", NULL);
	EXPECT_ROW(status_of(answer) == 200 && strstr(answer, "\"external_id\":\"crm-7\"") && strstr(answer, "\"ews_url\":\"https://mail.birch.example/EWS/Exchange.asmx\""), answer);
	EXPECT_TEXT(member(&h, answer, "id"), id);
	EXPECT_TEXT(member(&h, answer, "provider"), "exchange");
	EXPECT_TEXT(member(&h, answer, "state"), "connecting");
	EXPECT_TEXT(password_of(&h, id), "egret");
	/* and what was typed for Exchange means nothing to IMAP */
	answer = call(&h, path(&h, "POST", id, "/reconnect"), KEY_ADMIN, "{\"password\":\"egret\",\"provider\":\"imap\"}", NULL);
	EXPECT_ROW(status_of(answer) == 200 && strstr(answer, "\"ews_url\":null"), answer);
	house_close(&h);
}

TEST(an_account_at_exchange)
{
	static const struct { const char *body; int status; const char *pointer; } wrong[] = {
		{ "{\"address\":\"b@birch.example\",\"password\":\"x\",\"ews_url\":\"ftp://mail.birch.example\"}", 400, "/ews_url" },
		{ "{\"address\":\"b@birch.example\",\"password\":\"x\",\"ews_url\":\"b@birch.example\"}", 400, "/ews_url" },
		{ "{\"address\":\"b@birch.example\",\"password\":\"x\",\"provider\":\"imap\",\"ews_url\":\"mail.birch.example\"}", 400, "/ews_url" },
		{ "{\"address\":\"b@birch.example\",\"password\":\"x\",\"provider\":\"exchange\",\"impersonate\":true}", 400, "/impersonate" },
		{ "{\"address\":\"b@birch.example\",\"password\":\"x\",\"impersonate\":1}", 400, "/impersonate" },
	};
	struct house h;
	const char  *id, *answer;

	open_house(&h);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		answer = call(&h, "POST /v1/accounts", KEY_ADMIN, wrong[i].body, NULL);
		EXPECT_ROW(status_of(answer) == wrong[i].status && strcmp(member(&h, answer, "pointer"), wrong[i].pointer) == 0, wrong[i].body);
	}
	id = add(&h, "{\"address\":\"ann@birch.example\",\"password\":\"x\",\"provider\":\"exchange\",\"username\":\"BIRCH\\\\svc\","
	             "\"ews_url\":\" Mail.Birch.example \",\"impersonate\":true}");
	answer = call(&h, path(&h, "GET", id, ""), KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "\"ews_url\":\"https://mail.birch.example/EWS/Exchange.asmx\"") && strstr(answer, "\"impersonate\":true"));
	EXPECT(strstr(answer, "\"provider\":\"exchange\""));
	answer = call(&h, path(&h, "PATCH", id, ""), KEY_ADMIN, "{\"ews_url\":\"https://mail.birch.example/owa\",\"impersonate\":false}", NULL);
	EXPECT(strstr(answer, "\"ews_url\":\"https://mail.birch.example/owa\"") && strstr(answer, "\"impersonate\":false"));
	EXPECT_TEXT(member(&h, answer, "state"), "connecting");
	answer = call(&h, path(&h, "PATCH", id, ""), KEY_ADMIN, "{\"ews_url\":null}", NULL);
	EXPECT(strstr(answer, "\"ews_url\":null"));
	house_close(&h);
}

TEST(the_url_of_a_domain_is_that_of_accounts_that_may_be_at_exchange)
{
	static const struct { const char *more; bool has; } rows[] = {
		{ "", true }, { ",\"provider\":\"exchange\"", true }, { ",\"provider\":\"imap\"", false },
		{ ",\"imap\":{\"host\":\"imap.birch.example\"}", false },
	};
	struct house h;
	const char  *answer;

	open_house(&h);
	EXPECT(status_of(call(&h, "PUT /v1/domains/birch.example", KEY_ADMIN, "{\"ews_url\":\"gopher://x\"}", NULL)) == 400);
	/* one way or the other, never both */
	answer = call(&h, "PUT /v1/domains/birch.example", KEY_ADMIN, "{\"imap\":{\"host\":\"imap.birch.example\"},\"ews_url\":\"mail.birch.example\"}", NULL);
	EXPECT_ROW(status_of(answer) == 400 && strstr(answer, "\"pointer\":\"/ews_url\"") && strstr(answer, "Either servers for IMAP and SMTP, or a URL of Exchange"), answer);
	EXPECT(status_of(call(&h, "PUT /v1/domains/birch.example", KEY_ADMIN, "{\"smtp\":{\"host\":\"smtp.birch.example\"},\"ews_url\":\"mail.birch.example\"}", NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /v1/domains/birch.example", KEY_ADMIN, NULL, NULL)) == 404);
	EXPECT(strstr(call(&h, "PUT /v1/domains/birch.example", KEY_ADMIN, "{\"ews_url\":\"mail.birch.example\"}", NULL),
	              "\"ews_url\":\"https://mail.birch.example/EWS/Exchange.asmx\""));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *id = add(&h, arena_print(h.arena, "{\"address\":\"p%zu@birch.example\",\"password\":\"x\"%s}", i, rows[i].more));

		EXPECT_ROW(!!strstr(call(&h, path(&h, "GET", id, ""), KEY_READER, NULL, NULL), "mail.birch.example/EWS") == rows[i].has, rows[i].more);
	}
	house_close(&h);
}

TEST(accounts_are_paged_and_filtered)
{
	struct house h;
	const char  *answer, *next;
	int          seen = 0;

	open_house(&h);
	for (int i = 0; i < 7; i++)
		add(&h, arena_print(h.arena, "{\"address\":\"p%d@birch.example\",\"password\":\"x\",\"external_id\":\"e%d\"}", i, i % 2));
	answer = call(&h, "GET /v1/accounts?limit=3", KEY_READER, NULL, NULL);
	do {
		for (const char *at = answer; (at = strstr(at, "\"address\"")); at++)
			seen++;
		next = member(&h, answer, "next");
		if (next)
			answer = call(&h, arena_print(h.arena, "GET /v1/accounts?limit=3&after=%s", next), KEY_READER, NULL, NULL);
	} while (next);
	EXPECT(seen == 7);
	answer = call(&h, "GET /v1/accounts?external_id=e1&search=p3&state=connecting", KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "p3@birch.example") && !strstr(answer, "p1@"));
	EXPECT(!strstr(call(&h, "GET /v1/accounts?state=paused", KEY_READER, NULL, NULL), "birch"));
	EXPECT(status_of(call(&h, "GET /v1/accounts?state=none", KEY_READER, NULL, NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /v1/accounts?after=nonsense", KEY_READER, NULL, NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /v1/accounts?limit=201", KEY_READER, NULL, NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /v1/accounts?search=", KEY_READER, NULL, NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /v1/accounts?search=%ff", KEY_READER, NULL, NULL)) == 400);
	house_close(&h);
}

/* -- once and not twice ---------------------------------------------------------------------------------------------------------- */

#define ONCE "Idempotency-Key: order-1\r\n"

TEST(the_same_request_is_answered_the_same_once)
{
	struct house h;
	const char  *first, *again;

	open_house(&h);
	first = call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, ONCE);
	again = call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, ONCE);
	EXPECT(status_of(first) == 201 && status_of(again) == 201);
	EXPECT_TEXT(body_of(again), body_of(first));
	EXPECT(strstr(again, "Location: /v1/accounts/acc_") && strstr(again, "Idempotent-Replayed: true") && !strstr(first, "Replayed"));
	EXPECT(h.changed == 1);
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_ADMIN, "{\"address\":\"a@b.example\",\"password\":\"x\"}", ONCE)) == 422);
	EXPECT(status_of(call(&h, "POST /v1/connect-links", KEY_ADMIN, "{}", ONCE)) == 422);
	/* a key belongs to a workspace */
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_OPERATOR, ANN, ONCE)) == 201);
	/* what failed is not kept */
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, "Idempotency-Key: order-2\r\n")) == 409);
	EXPECT(status_of(call(&h, path(&h, "DELETE", member(&h, first, "id"), ""), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, "Idempotency-Key: order-2\r\n")) == 201);
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, "Idempotency-Key: a b\r\n")) == 400);
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, "Idempotency-Key: \xc3\xa4\r\n")) == 400);
	house_close(&h);
}

TEST(kept_answers_show_their_secrets_to_nobody_else)
{
	struct house h;
	const char  *first, *again, *key;

	open_house(&h);
	first = call(&h, "POST /v1/keys", KEY_ADMIN, "{\"name\":\"CRM\",\"scopes\":[\"accounts:read\"]}", ONCE);
	again = call(&h, "POST /v1/keys", KEY_ADMIN, "{\"name\":\"CRM\",\"scopes\":[\"accounts:read\"]}", ONCE);
	key = member(&h, first, "key");
	EXPECT(status_of(first) == 201 && key && strlen(key) == 43);
	EXPECT_TEXT(member(&h, again, "key"), key);
	EXPECT(in_store(&h, key) == 0);
	EXPECT(status_of(call(&h, "GET /v1/accounts", key, NULL, NULL)) == 200);
	house_close(&h);
}

/* -- the rest ---------------------------------------------------------------------------------------------------------------------- */

TEST(keys_are_made_and_revoked)
{
	struct house h;
	const char  *answer, *key;

	open_house(&h);
	answer = call(&h, "POST /v1/keys", KEY_ADMIN, "{\"name\":\"CRM\",\"scopes\":[\"accounts:read\",\"events:read\"]}", NULL);
	key = member(&h, answer, "key");
	EXPECT(status_of(call(&h, "GET /v1/accounts", key, NULL, NULL)) == 200);
	EXPECT(status_of(call(&h, "GET /v1/keys", key, NULL, NULL)) == 403);
	EXPECT(status_of(call(&h, "POST /v1/keys", KEY_ADMIN, "{\"name\":\"X\",\"scopes\":[\"operator\"]}", NULL)) == 403);
	EXPECT(status_of(call(&h, "POST /v1/keys", KEY_ADMIN, "{\"name\":\"X\",\"scopes\":[\"all\"]}", NULL)) == 400);
	EXPECT(strstr(call(&h, "GET /v1/keys", KEY_ADMIN, NULL, NULL), "\"name\":\"CRM\"") && !strstr(call(&h, "GET /v1/keys", KEY_ADMIN, NULL, NULL), "mm_"));
	EXPECT(status_of(call(&h, arena_print(h.arena, "DELETE /v1/keys/%s", member(&h, answer, "id")), KEY_OPERATOR, NULL, NULL)) == 404);
	EXPECT(status_of(call(&h, arena_print(h.arena, "DELETE /v1/keys/%s", member(&h, answer, "id")), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(status_of(call(&h, "GET /v1/accounts", key, NULL, NULL)) == 401);
	house_close(&h);
}

TEST(workspaces_are_the_operators)
{
	struct house h;
	const char  *answer, *key;

	open_house(&h);
	EXPECT(status_of(call(&h, "POST /v1/workspaces", KEY_ADMIN, "{\"name\":\"C\"}", NULL)) == 403);
	answer = call(&h, "POST /v1/workspaces", KEY_OPERATOR, "{\"name\":\"C\"}", NULL);
	key = member(&h, answer, "key");
	EXPECT(status_of(answer) == 201 && strstr(answer, "@in.example.org\"") && strstr(answer, "[\"192.0.2.1\",\"2001:db8::1\"]"));
	answer = call(&h, "GET /v1/workspace", key, NULL, NULL);
	EXPECT_TEXT(member(&h, answer, "name"), "C");
	EXPECT(status_of(call(&h, "GET /v1/workspaces", key, NULL, NULL)) == 403);
	EXPECT(strstr(call(&h, "GET /v1/workspaces", KEY_OPERATOR, NULL, NULL), "\"name\":\"A\""));
	house_close(&h);
}

TEST(links_are_shown_once)
{
	struct house h;
	const char  *answer, *url, *id;

	open_house(&h);
	id = add(&h, ANN);
	answer = call(&h, "POST /v1/connect-links", KEY_ADMIN, "{\"address\":\"ann@birch.example\",\"lang\":\"de\",\"return_url\":\"https://crm.example.org/\"}", NULL);
	url = member(&h, answer, "url");
	EXPECT(status_of(answer) == 201 && strncmp(url, "http://mail.example.org/connect/", 32) == 0 && in_store(&h, url + 32) == 0);
	answer = call(&h, "POST /v1/connect-links", KEY_ADMIN, arena_print(h.arena, "{\"kind\":\"admin\",\"account\":\"%s\"}", id), NULL);
	EXPECT(status_of(answer) == 201 && strstr(member(&h, answer, "url"), "/admin/"));
	EXPECT(status_of(call(&h, "POST /v1/connect-links", KEY_OPERATOR, arena_print(h.arena, "{\"account\":\"%s\"}", id), NULL)) == 404);
	EXPECT(status_of(call(&h, "POST /v1/connect-links", KEY_ADMIN, "{\"kind\":\"admin\"}", NULL)) == 400);
	EXPECT(status_of(call(&h, "POST /v1/connect-links", KEY_ADMIN, "{\"return_url\":\"http://crm.example.org/\"}", NULL)) == 400);
	EXPECT(status_of(call(&h, "POST /v1/connect-links", KEY_ADMIN, "{\"return_url\":\"javascript:alert(1)\"}", NULL)) == 400);
	EXPECT(status_of(call(&h, "POST /v1/connect-links", KEY_READER, "{}", NULL)) == 403);
	house_close(&h);
}

TEST(links_are_listed_and_revoked)
{
	struct house h;
	const char  *answer, *id, *token;

	open_house(&h);
	answer = call(&h, "POST /v1/connect-links", KEY_ADMIN, "{\"address\":\"ann@birch.example\"}", NULL);
	id = member(&h, answer, "id");
	token = member(&h, answer, "url") + strlen("http://mail.example.org/connect/");
	EXPECT(status_of(ask(&h, arena_print(h.arena, "GET /connect/%s HTTP/1.1\r\n" CLOSE "\r\n", token))) == 200);
	answer = call(&h, "GET /v1/connect-links", KEY_READER, NULL, NULL);
	EXPECT(status_of(answer) == 200 && strstr(answer, id) && strstr(answer, "\"state\":\"open\",\"opened\":true,\"used\":null,\"revoked\":null"));
	EXPECT(!strstr(answer, token) && !strstr(answer, token_hash(token, h.arena)) && strstr(answer, "\"next\":null"));
	EXPECT(strstr(call(&h, "GET /v1/connect-links?state=used", KEY_READER, NULL, NULL), "\"items\":[]"));
	EXPECT(status_of(call(&h, "GET /v1/connect-links?state=lost", KEY_READER, NULL, NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /v1/connect-links?after=x", KEY_READER, NULL, NULL)) == 400);
	EXPECT(strstr(call(&h, "GET /v1/connect-links", KEY_OPERATOR, NULL, NULL), "\"items\":[]"));

	answer = arena_print(h.arena, "DELETE /v1/connect-links/%s", id);
	EXPECT(status_of(call(&h, answer, KEY_READER, NULL, NULL)) == 403 && status_of(call(&h, answer, KEY_OPERATOR, NULL, NULL)) == 404);
	EXPECT(status_of(call(&h, answer, KEY_ADMIN, NULL, NULL)) == 204 && status_of(call(&h, answer, KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(strstr(call(&h, "GET /v1/connect-links?state=revoked", KEY_READER, NULL, NULL), id));
	EXPECT(status_of(ask(&h, arena_print(h.arena, "GET /connect/%s HTTP/1.1\r\n" CLOSE "\r\n", token))) == 404);
	house_close(&h);
}

/* Who may not make a link to the operator's page neither sees nor ends one. */
TEST(links_to_the_operators_page_are_the_operators)
{
	struct house h;
	const char  *key, *id, *line;

	open_house(&h);
	key = member(&h, call(&h, "POST /v1/keys", KEY_OPERATOR, "{\"name\":\"x\",\"scopes\":[\"admin\"]}", NULL), "key");
	id = member(&h, call(&h, "POST /v1/connect-links", KEY_OPERATOR, "{\"kind\":\"operator\"}", NULL), "id");
	line = arena_print(h.arena, "DELETE /v1/connect-links/%s", id);
	EXPECT(strstr(call(&h, "GET /v1/connect-links", key, NULL, NULL), "\"items\":[]") && status_of(call(&h, line, key, NULL, NULL)) == 404);
	EXPECT(strstr(call(&h, "GET /v1/connect-links", KEY_OPERATOR, NULL, NULL), id) && status_of(call(&h, line, KEY_OPERATOR, NULL, NULL)) == 204);
	house_close(&h);
}

TEST(webhooks)
{
	struct house h;
	const char  *answer, *id, *secret, *one;

	open_house(&h);
	answer = call(&h, "POST /v1/webhooks", KEY_ADMIN, "{\"url\":\"https://crm.example.org/h\",\"types\":[\"account.created\"]}", NULL);
	id = member(&h, answer, "id");
	secret = member(&h, answer, "secret");
	EXPECT(status_of(answer) == 201 && strncmp(secret, "whsec_", 6) == 0 && strlen(secret) == 50 && in_store(&h, secret) == 0);
	one = arena_print(h.arena, "/v1/webhooks/%s", id);
	EXPECT(!strstr(call(&h, "GET /v1/webhooks", KEY_ADMIN, NULL, NULL), "whsec_"));
	EXPECT(strstr(call(&h, arena_print(h.arena, "GET %s", one), KEY_ADMIN, NULL, NULL), "\"types\":[\"account.created\"]"));
	EXPECT(status_of(call(&h, arena_print(h.arena, "GET %s", one), KEY_OPERATOR, NULL, NULL)) == 404);
	add(&h, ANN);
	EXPECT(status_of(call(&h, arena_print(h.arena, "POST %s/test", one), KEY_ADMIN, NULL, NULL)) == 202);
	answer = call(&h, arena_print(h.arena, "GET %s/deliveries", one), KEY_ADMIN, NULL, NULL);
	EXPECT(strstr(answer, "account.created") && strstr(answer, "webhook.test") && strstr(answer, "\"next\":null"));
	EXPECT(strstr(call(&h, arena_print(h.arena, "GET %s", one), KEY_ADMIN, NULL, NULL), "\"types\":[\"account.created\"]"));
	EXPECT(member(&h, call(&h, arena_print(h.arena, "GET %s/deliveries?limit=1", one), KEY_ADMIN, NULL, NULL), "next"));
	answer = call(&h, arena_print(h.arena, "POST %s/replay", one), KEY_ADMIN, "{\"from\":\"1\"}", NULL);
	EXPECT(status_of(answer) == 202 && strstr(answer, "{\"count\":2}"));
	EXPECT(strstr(call(&h, arena_print(h.arena, "PATCH %s", one), KEY_ADMIN, "{\"types\":null,\"enabled\":false}", NULL), "\"types\":null,\"enabled\":false"));
	answer = call(&h, arena_print(h.arena, "POST %s/rotate-secret", one), KEY_ADMIN, NULL, NULL);
	EXPECT(status_of(answer) == 200 && strcmp(member(&h, answer, "secret"), secret) != 0);
	EXPECT(status_of(call(&h, arena_print(h.arena, "DELETE %s", one), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(status_of(call(&h, arena_print(h.arena, "DELETE %s", one), KEY_ADMIN, NULL, NULL)) == 404);
	house_close(&h);
}

/* As JSON has it; a root of nothing. */
#define ROOT_PEM \
	"-----BEGIN CERTIFICATE-----\\n" \
	"MIIBgjCCASegAwIBAgIUHYcp4lmYO7Ft16uUYuvFd4xL7TEwCgYIKoZIzj0EAwIw\\n" \
	"FTETMBEGA1UEAwwKQmlyY2ggUm9vdDAgFw0yNjExMjIwNTMwMDJaGA8yMTI2MTAy\\n" \
	"OTA1MzAwMlowFTETMBEGA1UEAwwKQmlyY2ggUm9vdDBZMBMGByqGSM49AgEGCCqG\\n" \
	"SM49AwEHA0IABETUmoMsWAMQ3+sS9dO3buOWdqLNpKYN2bXMOh3pZY2GRtfpSyg3\\n" \
	"4n6so0keOECk0+WJ+Kh6BARPA9YDkJfabOGjUzBRMB0GA1UdDgQWBBRDfq6wZ7QQ\\n" \
	"HHbnqt8O6WShaSSbjDAfBgNVHSMEGDAWgBRDfq6wZ7QQHHbnqt8O6WShaSSbjDAP\\n" \
	"BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQD/oy7Sx7XpLDWxmz6V\\n" \
	"yb3st+O3cVMOUnHHPS4hYpLajgIhAOYgPRk/sJSqHJY8VZNIPcA7myADNh7SM85C\\n" \
	"KrU0wKNr\\n" \
	"-----END CERTIFICATE-----\\n"

TEST(servers_of_a_domain_are_those_of_accounts_that_name_none)
{
	struct house h;
	const char  *answer;

	open_house(&h);
	EXPECT(status_of(call(&h, "PUT /v1/domains/birch.example", KEY_ADMIN,
		"{\"imap\":{\"host\":\"in.birch.example\",\"port\":143},\"smtp\":{\"host\":\"out.birch.example\"}}", NULL)) == 200);
	answer = call(&h, "POST /v1/accounts", KEY_ADMIN, ANN, NULL);
	EXPECT(status_of(answer) == 201 && strstr(answer, "\"imap\":{\"host\":\"in.birch.example\",\"port\":143}") && strstr(answer, "out.birch.example"));
	/* what is named stays, with its own port */
	answer = call(&h, "POST /v1/accounts", KEY_ADMIN,
		"{\"address\":\"bob@birch.example\",\"password\":\"x\",\"imap\":{\"host\":\"mine.example\"}}", NULL);
	EXPECT(status_of(answer) == 201 && strstr(answer, "mine.example") && !strstr(answer, "in.birch.example") && !strstr(answer, "143")
	       && strstr(answer, "out.birch.example"));
	/* another domain, another workspace */
	answer = call(&h, "POST /v1/accounts", KEY_ADMIN, "{\"address\":\"ann@sub.birch.example\",\"password\":\"x\"}", NULL);
	EXPECT(status_of(answer) == 201 && !strstr(answer, "in.birch.example"));
	answer = call(&h, "POST /v1/accounts", KEY_OPERATOR, ANN, NULL);
	EXPECT(status_of(answer) == 201 && !strstr(answer, "in.birch.example"));
	house_close(&h);
}

struct failed_by { const char *id, *cause; enum account_state state; int64_t next_try; };

static bool fail_by(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct failed_by *f = self;
	struct account    a;

	if (!account_get(t, work, NULL, f->id, &a, err))
		return false;
	a.state = f->state;
	a.cause = f->cause, a.certainty = "proven", a.who = "admin";
	a.next_try = INT64_MAX;
	return account_update(t, &a, err);
}

static bool read_next_try(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct failed_by *f = self;
	struct account    a;

	if (!account_get(t, work, NULL, f->id, &a, err))
		return false;
	f->next_try = a.next_try;
	return true;
}

TEST(an_authority_or_a_pin_lets_those_try_again_that_failed_for_want_of_it)
{
	static const struct { const char *row, *address, *key, *cause; enum account_state state; bool again; } rows[] = {
		{ "unknown issuer",      "a@birch.example",     KEY_ADMIN,    "tls.unknown_issuer",      ACCOUNT_NEEDS_ADMIN, true },
		{ "another key",         "b@birch.example",     KEY_ADMIN,    "tls.pin_mismatch",        ACCOUNT_NEEDS_ADMIN, true },
		{ "only sending fails",  "c@birch.example",     KEY_ADMIN,    "tls.expired",             ACCOUNT_DEGRADED,    true },
		{ "intercepted",         "d@birch.example",     KEY_ADMIN,    "net.intercepted",         ACCOUNT_WAITING,     true },
		{ "the password",        "e@birch.example",     KEY_ADMIN,    "auth.password_rejected",  ACCOUNT_NEEDS_USER,  false },
		{ "paused",              "f@birch.example",     KEY_ADMIN,    "tls.unknown_issuer",      ACCOUNT_PAUSED,      false },
		{ "a domain below",      "g@sub.birch.example", KEY_ADMIN,    "tls.unknown_issuer",      ACCOUNT_NEEDS_ADMIN, false },
		{ "in the local part",   "\\\"@birch.example\\\"@oak.example", KEY_ADMIN, "tls.unknown_issuer",  ACCOUNT_NEEDS_ADMIN, false },
		{ "another workspace",   "a@birch.example",     KEY_OPERATOR, "tls.unknown_issuer",      ACCOUNT_NEEDS_ADMIN, false },
	};
	static const struct { const char *row, *body; bool trusts; } puts[] = {
		{ "servers only", "{\"imap\":{\"host\":\"in.birch.example\"}}", false },
		{ "authority", "{\"ca_pem\":\"" ROOT_PEM "\"}", true },
		{ "pin", "{\"pin\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}", true },
	};
	struct failed_by f[COUNT(rows)];
	struct house     h;
	struct error     err = { 0 };

	open_house(&h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = call(&h, "POST /v1/accounts", rows[i].key,
			arena_print(h.arena, "{\"address\":\"%s\",\"password\":\"x\"}", rows[i].address), NULL);

		EXPECT_ROW(status_of(answer) == 201, rows[i].row);
		f[i] = (struct failed_by){ member(&h, answer, "id"), rows[i].cause, rows[i].state, 0 };
	}
	for (size_t p = 0; p < COUNT(puts); p++) {
		int before, wanted = 0;

		for (size_t i = 0; i < COUNT(rows); i++)
			EXPECT(store_write_wait(h.service.store, fail_by, &f[i], &err));
		before = h.changed;
		EXPECT_ROW(status_of(call(&h, "PUT /v1/domains/birch.example", KEY_ADMIN, puts[p].body, NULL)) == 200, puts[p].row);
		for (size_t i = 0; i < COUNT(rows); i++) {
			bool again = rows[i].again && puts[p].trusts;

			EXPECT(store_read(h.service.store, read_next_try, &f[i], &err));
			EXPECT_ROW((f[i].next_try != INT64_MAX) == again, rows[i].row);
			wanted += again;
		}
		EXPECT_ROW(h.changed - before == wanted, puts[p].row);
	}
	house_close(&h);
}

TEST(settings_by_domain)
{
	struct house h;
	const char  *answer;

	open_house(&h);
	answer = call(&h, "PUT /v1/domains/B%C3%BCcher.example", KEY_ADMIN, "{\"imap\":{\"host\":\"IMAP.b.example\",\"port\":993}}", NULL);
	EXPECT(status_of(answer) == 200);
	EXPECT_TEXT(member(&h, answer, "domain"), "xn--bcher-kva.example");
	EXPECT(strstr(call(&h, "GET /v1/domains/xn--bcher-kva.example", KEY_ADMIN, NULL, NULL), "imap.b.example"));
	EXPECT(status_of(call(&h, "GET /v1/domains/xn--bcher-kva.example", KEY_OPERATOR, NULL, NULL)) == 404);
	EXPECT(strstr(call(&h, "GET /v1/domains", KEY_ADMIN, NULL, NULL), "xn--bcher"));
	EXPECT(status_of(call(&h, "PUT /v1/domains/a..b", KEY_ADMIN, "{}", NULL)) == 400);
	EXPECT(status_of(call(&h, "PUT /v1/domains/b.example", KEY_ADMIN, "{\"pin\":\"xyz\"}", NULL)) == 400);
	/* what no handshake could go by is not kept */
	answer = call(&h, "PUT /v1/domains/b.example", KEY_ADMIN,
		"{\"ca_pem\":\"-----BEGIN CERTIFICATE-----\\nMIIBszCCAVmgAwIBAgIU\\n-----END CERTIFICATE-----\\n\"}", NULL);
	EXPECT(status_of(answer) == 400 && strstr(answer, "/ca_pem"));
	EXPECT(status_of(call(&h, "GET /v1/domains/b.example", KEY_ADMIN, NULL, NULL)) == 404);
	answer = call(&h, "PUT /v1/domains/b.example", KEY_ADMIN, "{\"ca_pem\":\"" ROOT_PEM ROOT_PEM "\"}", NULL);
	EXPECT(status_of(answer) == 200 && strstr(answer, "-----END CERTIFICATE-----\\n-----BEGIN"));
	EXPECT(status_of(call(&h, "DELETE /v1/domains/xn--bcher-kva.example", KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(status_of(call(&h, "DELETE /v1/domains/xn--bcher-kva.example", KEY_ADMIN, NULL, NULL)) == 404);
	house_close(&h);
}

static bool put_mail(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return mail_insert(t, &(struct logged_mail){ .id = "msg_2", .workspace = "wsp_a", .account = "acc_9", .received = 2000, .bytes = slice_str("x") }, err)
	    && mail_insert(t, &(struct logged_mail){ .id = "msg_1", .workspace = "wsp_a", .envelope_from = "ann@birch.example", .from = "\xff\xfe",
		.subject = "<b>\xc3\xa4</b>", .received = 1000, .size = 9, .bytes = slice_str("A: b\r\n\r\nc") }, err);
}

TEST(mail_is_listed_and_read)
{
	struct house h;
	struct error err;
	const char  *answer;

	open_house(&h);
	EXPECT(store_write_wait(h.service.store, put_mail, NULL, &err));
	answer = call(&h, "GET /v1/mail", KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "\"id\":\"msg_1\"") && strstr(answer, "\"from\":\"??\"") && strstr(answer, "\xc3\xa4") && strstr(answer, "1970-01-01T00:00:01.000Z"));
	EXPECT(strstr(answer, "\"account\":\"acc_9\"") && strstr(answer, "\"account\":null"));
	answer = call(&h, "GET /v1/mail?account=acc_9", KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "\"id\":\"msg_2\"") && !strstr(answer, "msg_1"));
	EXPECT(strstr(call(&h, "GET /v1/mail?account=acc_8", KEY_READER, NULL, NULL), "\"items\":[]"));
	EXPECT(status_of(call(&h, "GET /v1/mail/msg_1", KEY_READER, NULL, NULL)) == 200);
	answer = call(&h, "GET /v1/mail/msg_1", KEY_READER, NULL, "Accept: message/rfc822\r\n");
	EXPECT_TEXT(body_of(answer), "A: b\r\n\r\nc");
	EXPECT(strstr(answer, "Content-Type: message/rfc822\r\n"));
	EXPECT(status_of(call(&h, "GET /v1/mail/msg_1", KEY_OPERATOR, NULL, NULL)) == 404);
	house_close(&h);
}

TEST(what_is_of_the_whole_system)
{
	struct house h;
	const char  *answer;

	open_house(&h);
	add(&h, ANN);
	EXPECT(status_of(call(&h, "POST /v1/accounts", KEY_OPERATOR, ANN, NULL)) == 201);
	EXPECT(status_of(call(&h, "GET /v1/overview", KEY_ADMIN, NULL, NULL)) == 403);
	answer = call(&h, "GET /v1/overview", KEY_OPERATOR, NULL, NULL);
	EXPECT(strstr(answer, "[{\"state\":\"connecting\",\"cause\":null,\"count\":2}]") && strstr(answer, "\"parked\":3"));
	EXPECT(status_of(call(&h, "GET /v1/incidents?open=true", KEY_OPERATOR, NULL, NULL)) == 200);
	EXPECT(status_of(call(&h, "GET /v1/incidents?open=maybe", KEY_OPERATOR, NULL, NULL)) == 400);
	EXPECT(status_of(call(&h, "GET /metrics", KEY_ADMIN, NULL, NULL)) == 403);
	answer = call(&h, "GET /metrics", KEY_OPERATOR, NULL, NULL);
	EXPECT(strstr(answer, "\nmailmoor_accounts{state=\"connecting\",cause=\"\"} 2\n") && strstr(answer, "\nmailmoor_start_time_seconds 1.500\n"));
	EXPECT_TEXT(body_of(ask(&h, "GET /healthz HTTP/1.1\r\n" CLOSE "\r\n")), "ok\n");
	EXPECT_TEXT(body_of(ask(&h, "GET /readyz HTTP/1.1\r\n" CLOSE "\r\n")), "ready\n");
	EXPECT(strstr(ask(&h, "GET /openapi.json HTTP/1.1\r\n" CLOSE "\r\n"), "\"openapi\":\"3.1.0\""));
	answer = ask(&h, "GET /v1/causes?lang=de HTTP/1.1\r\n" CLOSE "\r\n");
	EXPECT(status_of(answer) == 200 && strstr(answer, "http://mail.example.org/help/auth.password_rejected?lang=de"));
	house_close(&h);
}

/* -- causes ---------------------------------------------------------------------------------------------------------------------- */

struct failing { const char *id, *report; };

static bool let_fail(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct failing *f = self;
	struct account  a;

	if (!account_get(t, work, NULL, f->id, &a, err))
		return false;
	a.state = ACCOUNT_NEEDS_ADMIN;
	a.cause = "tls.expired", a.certainty = "proven", a.who = "admin";
	a.report = f->report;
	a.next_try = INT64_MAX;
	return account_update(t, &a, err);
}

TEST(the_cause_of_an_account_is_told_with_its_values_or_without_them)
{
	struct house   h;
	struct error   err = { 0 };
	struct failing f = { .report = "{\"causes\":[{\"id\":\"tls.expired\",\"title\":\"t\",\"why\":\"w\",\"fix\":[],\"links\":[],\"lang\":\"en\","
		"\"values\":{\"host\":\"imap.birch.example\",\"expired_on\":\"3 March 2027\"}}]}" };
	const char    *answer;

	open_house(&h);
	f.id = add(&h, ANN);
	EXPECT(store_write_wait(h.service.store, let_fail, &f, &err));
	answer = call(&h, path(&h, "GET", f.id, "?lang=de"), KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, catalogue_text(language_find("de"), "tls.expired/title")) && strstr(answer, "imap.birch.example") && !strstr(answer, "{host}"));
	EXPECT(strstr(answer, "http://mail.example.org/help/tls.expired?lang=de") && strstr(answer, "\"certainty\":\"proven\"") && strstr(answer, "\"next_try\":null"));
	f.report = NULL;
	EXPECT(store_write_wait(h.service.store, let_fail, &f, &err));
	answer = call(&h, path(&h, "GET", f.id, ""), KEY_READER, NULL, NULL);
	EXPECT(strstr(answer, "\"id\":\"tls.expired\"") && !strstr(answer, "{host}") && !strstr(answer, "{expired_on}"));
	house_close(&h);
}

/* -- texts -------------------------------------------------------------------------------------------------------------------------- */

TEST(a_text_is_explained)
{
	static const char basic[] = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.";
	struct house h;
	const char  *answer;

	open_house(&h);
	answer = call(&h, "POST /v1/explain", KEY_READER, arena_print(h.arena, "{\"text\":\"%s\",\"lang\":\"de\"}", basic), NULL);
	EXPECT_ROW(status_of(answer) == 200, answer);
	EXPECT_TEXT(member(&h, answer, "verdict"), "explained");
	EXPECT(strstr(answer, "\"id\":\"auth.oauth_required\"") && strstr(answer, "\"lang\":\"de\"") && strstr(answer, "\"steps\":[]"));
	/* of no language that we have, and of several lines: the request's language, and the same cause */
	answer = call(&h, "POST /v1/explain?lang=fi", KEY_READER, arena_print(h.arena, "{\"text\":\"Hello\\r\\n%s\\n\",\"lang\":\"xx\"}", basic), NULL);
	EXPECT(strstr(answer, "\"id\":\"auth.oauth_required\"") && strstr(answer, "\"lang\":\"fi\""));
	answer = call(&h, "POST /v1/explain", KEY_READER, "{\"text\":\"nobody has ever said this\"}", NULL);
	EXPECT(status_of(answer) == 200 && strstr(answer, "\"id\":\"unknown.answer\""));
	EXPECT(status_of(call(&h, "POST /v1/explain", KEY_READER, "{\"text\":\"\"}", NULL)) == 400);
	EXPECT(status_of(call(&h, "POST /v1/explain", "mm_wrong", "{\"text\":\"x\"}", NULL)) == 401);
	house_close(&h);
}

/* As long as it may be, and a character across every place where something may be cut. */
TEST(a_long_text_is_explained_and_a_longer_one_is_not)
{
	struct house h;
	char        *text = must_alloc(70000);
	const char  *answer;

	open_house(&h);
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < 60000; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		answer = call(&h, "POST /v1/explain", KEY_READER, arena_print(h.arena, "{\"text\":\"%s\"}", text), NULL);
		EXPECT(status_of(answer) == 200 && text_is_utf8(body_of(answer)));
	}
	memset(text, 'a', 65537);
	text[65537] = '\0';
	answer = call(&h, "POST /v1/explain", KEY_READER, arena_print(h.arena, "{\"text\":\"%s\"}", text), NULL);
	EXPECT(status_of(answer) == 400 && strstr(answer, "\"pointer\":\"/text\""));
	free(text);
	house_close(&h);
}

/* -- reports ------------------------------------------------------------------------------------------------------------------------- */

TEST(a_report_is_told_again_in_another_language)
{
	static const char report[] = "{\"format\":\"mailmoor.report.v1\",\"causes\":[{\"id\":\"tls.expired\",\"title\":\"t\",\"why\":\"w\",\"fix\":[],\"lang\":\"en\","
		"\"values\":{\"host\":\"imap.birch.example\",\"expired_on\":\"3 March 2027\",\"wait\":\"60 seconds\"}},{\"id\":\"no.such\",\"title\":\"t\"}],"
		"\"steps\":[{\"id\":\"imap.tls\",\"facts\":[{\"fact\":\"tls.not_after\",\"value\":\"2027-03-03 08:15:00 UTC\"}]}]}";
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON *o = report_in_language(report, language_find("de"), work), *cause = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "causes"), 0);

	EXPECT_TEXT(json_text(cause, "lang"), "de");
	EXPECT_TEXT(json_text(cause, "title"), catalogue_text(language_find("de"), "tls.expired/title"));
	EXPECT(strstr(json_text(cause, "why"), "imap.birch.example"));
	EXPECT_TEXT(json_text(cJSON_GetObjectItem(cause, "values"), "expired_on"), "3. M\xc3\xa4rz 2027");
	EXPECT(cJSON_GetArraySize(cJSON_GetObjectItem(cause, "fix")) > 0);
	cJSON_Delete(o);
	EXPECT(!report_in_language("no JSON", language_find("de"), work));
}
