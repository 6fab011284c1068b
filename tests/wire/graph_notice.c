#include "wire/graph_notice.h"

#include "test.h"

#define GUID  "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
#define STATE "k3n.acc_7.f00d"
#define URL   "https://mail.example.org/hooks/microsoft"
#define LONG  ((size_t)256 * 1024)
#define UNTIL INT64_C(1795248000)      /* 2026-11-21T08:00:00Z */

/* -- subscriptions -- */

TEST(what_is_asked)
{
	struct buffer b;

	buffer_init(&b, 2048);
	EXPECT(graph_subscribe(&b, &(struct graph_wish){ "/me" GRAPH_INBOX_MESSAGES, URL, STATE, UNTIL }));
	EXPECT(slice_equal(buffer_held(&b), slice_str("{\"changeType\":\"created,updated,deleted\",\"notificationUrl\":\"" URL "\",\"lifecycleNotificationUrl\":\"" URL "\","
		"\"resource\":\"/me/mailFolders('inbox')/messages\",\"expirationDateTime\":\"2026-11-21T08:00:00Z\",\"clientState\":\"" STATE "\"}")));
	buffer_clear(&b);
	EXPECT(graph_prolong(&b, UNTIL + 61));
	EXPECT(slice_equal(buffer_held(&b), slice_str("{\"expirationDateTime\":\"2026-11-21T08:01:01Z\"}")));
	buffer_release(&b);
	/* what a setting may hold cannot end the text that it stands in */
	buffer_init(&b, 2048);
	EXPECT(graph_subscribe(&b, &(struct graph_wish){ "/me" GRAPH_INBOX_MESSAGES, "https://a\"\\b", STATE, UNTIL }));
	EXPECT(slice_has(buffer_held(&b), "\"https://a\\\"\\\\b\""));
	buffer_release(&b);
	buffer_init(&b, 64);
	EXPECT(!graph_subscribe(&b, &(struct graph_wish){ "/me" GRAPH_INBOX_MESSAGES, URL, STATE, UNTIL }));
	buffer_release(&b);
}

static const struct { const char *body; const char *id; int64_t until; } answers[] = {
	{ "{\"@odata.context\":\"x\",\"id\":\"" GUID "\",\"resource\":\"/me\",\"expirationDateTime\":\"2026-11-21T08:00:00.0000000Z\",\"clientState\":null}", GUID, UNTIL },
	{ "{\"id\":\"a_B-9\",\"expirationDateTime\":\"2026-11-21T10:00:00+02:00\"}", "a_B-9", UNTIL },
	{ "{\"id\":\"" GUID "\"}", NULL, 0 },
	{ "{\"id\":\"" GUID "\",\"expirationDateTime\":\"soon\"}", NULL, 0 },
	{ "{\"id\":\"../me\",\"expirationDateTime\":\"2026-11-21T08:00:00Z\"}", NULL, 0 },
	{ "{\"id\":\"a b\",\"expirationDateTime\":\"2026-11-21T08:00:00Z\"}", NULL, 0 },
	{ "{\"id\":\"\",\"expirationDateTime\":\"2026-11-21T08:00:00Z\"}", NULL, 0 },
	{ "{\"id\":7,\"expirationDateTime\":\"2026-11-21T08:00:00Z\"}", NULL, 0 },
	{ "{\"id\":\"01234567890123456789012345678901234567890123456789012345678901234\",\"expirationDateTime\":\"2026-11-21T08:00:00Z\"}", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "<html>", NULL, 0 },
	{ "", NULL, 0 },
};

TEST(what_is_answered)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct graph_subscription    s;
		struct error                 err = { 0 };

		EXPECT_ROW(graph_subscription_read(slice_str(answers[i].body), job, &s, &err) == (answers[i].id != NULL), answers[i].body);
		if (!answers[i].id) {
			EXPECT_ROW(err.fault == FAULT_BROKEN, answers[i].body);
			continue;
		}
		EXPECT_TEXT(s.id, answers[i].id);
		EXPECT_ROW(s.until == answers[i].until, answers[i].body);
	}
}

TEST(an_answer_cut_at_every_byte)
{
	for (size_t len = 0; len < strlen(answers[0].body); len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct graph_subscription    s;
		struct error                 err = { 0 };

		EXPECT(!graph_subscription_read(slice(answers[0].body, len), job, &s, &err) && err.fault == FAULT_BROKEN);
	}
}

/* -- notices -- */

#define ONE(more)  "{\"subscriptionId\":\"" GUID "\",\"clientState\":\"" STATE "\"" more "}"
#define ALL(items) "{\"value\":[" items "]}"
#define CHANGE     ONE(",\"changeType\":\"created\",\"resource\":\"users/x/messages/y\",\"tenantId\":\"" GUID "\",\"resourceData\":{\"@odata.type\":\"#Microsoft.Graph.Message\",\"id\":\"y\"}")
#define LIFE(what) ONE(",\"lifecycleEvent\":\"" what "\"")

/* `lives`: a letter for each that is read; NULL: it is no collection */
static const struct { const char *body, *lives; } collections[] = {
	{ ALL(CHANGE), "c" },
	{ ALL(CHANGE "," CHANGE "," LIFE("missed")), "ccm" },
	{ ALL(LIFE("reauthorizationRequired") "," LIFE("subscriptionRemoved") "," LIFE("missed") "," LIFE("somethingNew")), "armm" },
	{ ALL(""), "" },
	/* not ours: nothing to know them by */
	{ ALL("{\"subscriptionId\":\"" GUID "\"}," "{\"clientState\":\"" STATE "\"}," "{\"subscriptionId\":\"" GUID "\",\"clientState\":\"\"}," "{\"subscriptionId\":\"a/b\",\"clientState\":\"x\"}," "7,null,\"x\",[]," CHANGE), "c" },
	{ ALL("{\"subscriptionId\":null,\"clientState\":{}}"), "" },
	{ "{\"value\":{\"0\":" CHANGE "}}", NULL },
	{ "{\"value\":null}", NULL },
	{ "{}", NULL },
	{ "[" CHANGE "]", NULL },
	{ "<html>", NULL },
	{ "", NULL },
};

TEST(what_is_told)
{
	static const char letters[] = { [GRAPH_CHANGED] = 'c', [GRAPH_REAUTHORIZE] = 'a', [GRAPH_REMOVED] = 'r', [GRAPH_MISSED] = 'm' };

	for (size_t i = 0; i < COUNT(collections); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const struct graph_notice   *n;
		struct error                 err = { 0 };
		char                         lives[16] = "";
		size_t                       count;

		EXPECT_ROW(graph_notices_read(slice_str(collections[i].body), LONG, job, &n, &count, &err) == (collections[i].lives != NULL), collections[i].body);
		if (!collections[i].lives) {
			EXPECT_ROW(err.fault == FAULT_BROKEN && count == 0, collections[i].body);
			continue;
		}
		for (size_t k = 0; k < count && k < sizeof lives - 1; k++) {
			lives[k] = letters[n[k].life];
			EXPECT_TEXT(n[k].subscription, GUID);
			EXPECT_TEXT(n[k].client_state, STATE);
		}
		EXPECT_TEXT(lives, collections[i].lives);
	}
}

TEST(notices_cut_at_every_byte)
{
	static const char whole[] = ALL(CHANGE "," LIFE("missed"));

	for (size_t len = 0; len < sizeof whole - 1; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const struct graph_notice   *n;
		struct error                 err = { 0 };
		size_t                       count;

		EXPECT(!graph_notices_read(slice(whole, len), LONG, job, &n, &count, &err) && err.fault == FAULT_BROKEN);
	}
}

TEST(too_many_and_too_much)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const struct graph_notice   *n;
	struct error                 err = { 0 };
	struct buffer                b;
	size_t                       count;
	char                         state[200];

	buffer_init(&b, LONG);
	buffer_add_str(&b, "{\"value\":[");
	for (int i = 0; i < GRAPH_NOTICES_MOST + 9; i++)
		buffer_print(&b, "%s" ONE(""), i ? "," : "");
	buffer_add_str(&b, "]}");
	EXPECT(graph_notices_read(buffer_held(&b), LONG, job, &n, &count, &err) && count == GRAPH_NOTICES_MOST);
	EXPECT(!graph_notices_read(buffer_held(&b), 1000, job, &n, &count, &err) && err.fault == FAULT_TOO_BIG);
	for (size_t len = GRAPH_CLIENT_STATE; len <= GRAPH_CLIENT_STATE + 1; len++) {
		memset(state, 'x', len);
		state[len] = '\0';
		EXPECT(graph_notices_read(slice_str(arena_print(job, "{\"value\":[{\"subscriptionId\":\"a\",\"clientState\":\"%s\"}]}", state)), LONG, job, &n, &count, &err));
		EXPECT(count == (len <= GRAPH_CLIENT_STATE));
	}
	buffer_release(&b);
}

/* -- the handshake -- */

static const struct { const char *token; bool fine; } proofs[] = {
	{ "Validation: Testing client application reachability for subscription Request-Id: " GUID, true },
	{ "a+b/c=='\"&;%41", true },
	{ "", false },
	{ "<script>alert(1)</script>", false },
	{ "a>b", false },
	{ "a\nb", false },
	{ "a\x7f" "b", false },
	{ "\xc3\xa9", false },
};

TEST(what_may_be_said_back)
{
	char token[GRAPH_PROOF + 2];

	for (size_t i = 0; i < COUNT(proofs); i++)
		EXPECT_ROW(graph_proof(proofs[i].token) == proofs[i].fine, proofs[i].token);
	memset(token, 'x', sizeof token);
	token[GRAPH_PROOF + 1] = '\0';
	EXPECT(!graph_proof(token));
	token[GRAPH_PROOF] = '\0';
	EXPECT(graph_proof(token));
}
