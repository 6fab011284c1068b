#include "wire/graph.h"

#include "test.h"

#define GUID "0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700"

static const struct { const char *body, *codes; } errors[] = {
	{ "{\"error\":{\"code\":\"ErrorItemNotFound\",\"message\":\"x\",\"innerError\":{\"date\":\"2026\",\"request-id\":\"" GUID "\"}}}", "ErrorItemNotFound" },
	{ "{\"error\":{\"code\":\"UnknownError\",\"message\":\"\",\"innererror\":{\"code\":\"MailboxNotEnabledForRESTAPI\",\"innerError\":{\"code\":\"UnknownError\"}}}}", "UnknownError MailboxNotEnabledForRESTAPI" },
	{ "{\"error\":{\"code\":\"\"}}", "" },
	{ "{\"error\":\"invalid_grant\"}", "" },
	{ "{\"error\":{\"code\":7}}", "" },
	{ "<html>", "" },
	{ "", "" },
};

TEST(errors_are_read)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct graph_error           e;
		const char                  *all = "";
		bool                         fine = graph_error_read(slice_str(errors[i].body), job, &e);

		EXPECT_ROW(fine == (errors[i].codes[0] != '\0'), errors[i].body);
		for (size_t c = 0; c < e.codes; c++)
			all = arena_print(job, "%s%s%s", all, c ? " " : "", e.code[c]);
		EXPECT_TEXT(all, errors[i].codes);
	}
}

#define USER "{\"id\":\"" GUID "\",\"displayName\":\"Ann\",\"mail\":\"ann@birch.example\",\"userPrincipalName\":\"al@birch.example\",\"userType\":\"Member\"," \
	"\"onPremisesSyncEnabled\":true,\"proxyAddresses\":[\"SMTP:ann@birch.example\",\"smtp:a.lee@birch.example\",\"X500:/o=x\"],\"otherMails\":[\"ann@home.example\"]," \
	"\"assignedPlans\":[{\"service\":\"exchange\",\"capabilityStatus\":\"Suspended\"},{\"service\":\"exchange\",\"capabilityStatus\":\"Enabled\"}]}"

static bool has_address(const struct graph_user *u, const char *address)
{
	for (size_t i = 0; i < u->addresses; i++)
		if (strcmp(u->address[i], address) == 0)
			return true;
	return false;
}

TEST(an_account)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct graph_user            u;
	struct error                 err = { 0 };

	EXPECT(graph_user_read(slice_str(USER), job, &u, &err));
	EXPECT(has_address(&u, "a.lee@birch.example") && has_address(&u, "al@birch.example") && has_address(&u, "ann@home.example") && !has_address(&u, "/o=x"));
	EXPECT_TEXT(u.exchange_plan, "Enabled");
	EXPECT(u.plans_told && u.on_premises_sync_enabled && !u.personal && !u.guest);
	EXPECT(graph_user_read(slice_str("{\"id\":\"00037ffe8c1d2b4a\",\"mail\":null,\"userPrincipalName\":\"x_y#EXT#@birch.example\"}"), job, &u, &err));
	EXPECT(u.personal && u.guest && !u.mail && !u.plans_told && !u.exchange_plan);
	EXPECT(!graph_user_read(slice_str("{\"mail\":\"ann@birch.example\"}"), job, &u, &err) && err.fault == FAULT_BROKEN);
}

TEST(an_account_cut_at_every_byte)
{
	for (size_t len = 0; len < sizeof USER - 1; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct graph_user            u;
		struct error                 err = { 0 };

		EXPECT(!graph_user_read(slice(USER, len), job, &u, &err));
	}
}

TEST(batches)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const struct graph_question  asked[] = { { "GET", "/me/calendar?$select=id" }, { "POST", "/me/messages/a%3D/move" } };
	struct graph_reply           r[3];
	struct error                 err = { 0 };
	struct buffer                b;

	buffer_init(&b, 4096);
	EXPECT(graph_batch(&b, asked, COUNT(asked)));
	EXPECT(slice_equal(buffer_held(&b), slice_str("{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me/calendar?$select=id\"},{\"id\":\"2\",\"method\":\"POST\",\"url\":\"/me/messages/a%3D/move\"}]}")));
	buffer_release(&b);
	EXPECT(graph_batch_read(slice_str("{\"responses\":[{\"id\":\"2\",\"status\":429,\"headers\":{\"retry-after\":\"7\"},\"body\":\"text\"},{\"id\":\"1\",\"status\":200,\"body\":{\"id\":\"a\"}},"
	                                  "{\"id\":\"1\",\"status\":500},{\"id\":\"9\",\"status\":200},{\"status\":200},{\"id\":\"3\",\"status\":-1}]}"), job, r, 3, &err));
	EXPECT(r[0].status == 200 && slice_is(r[0].body, "{\"id\":\"a\"}"));
	EXPECT(r[1].status == 429 && r[1].retry_after == 7 && slice_is(r[1].body, "text"));
	EXPECT(r[2].status == 0);
	EXPECT(!graph_batch_read(slice_str("{}"), job, r, 3, &err) && err.fault == FAULT_BROKEN);
	EXPECT(!graph_batch_read(slice_str("{\"responses\":["), job, r, 3, &err));
}

TEST(messages)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct graph_message         m[2];

	EXPECT(graph_messages_read(slice_str("{\"value\":[{\"id\":\"a\",\"subject\":\"s\",\"from\":{\"emailAddress\":{\"address\":\"x@y\"}},\"singleValueExtendedProperties\":["
	       "{\"id\":\"String 0x37\",\"value\":\"no\"},{\"id\":\"String 0x1a\",\"value\":\"REPORT.IPM.Note.NDR\"}]},{\"id\":\"b\"},{\"id\":\"c\"}]}"), job, m, 2) == 2);
	EXPECT_TEXT(m[0].id, "a");
	EXPECT_TEXT(m[0].subject, "s");
	EXPECT_TEXT(m[0].from, "x@y");
	EXPECT_TEXT(m[0].message_class, "REPORT.IPM.Note.NDR");
	EXPECT(strcmp(m[1].id, "b") == 0 && !m[1].subject && !m[1].from && !m[1].message_class);
	EXPECT(graph_messages_read(slice_str("{\"value\":[]}"), job, m, 2) == 0 && graph_messages_read(slice_str("{}"), job, m, 2) == -1);
	EXPECT(graph_messages_read(slice_str(""), job, m, 2) == -1);
}

#define EVENTS "{\"value\":[{\"id\":\"A/1\",\"subject\":\"s\",\"transactionId\":\"t\",\"start\":{\"dateTime\":\"2026-11-23T03:00:00.0000000\",\"timeZone\":\"UTC\"}}," \
	"{\"id\":\"b\",\"start\":\"x\",\"transactionId\":7},{\"id\":\"c\"}]}"

TEST(events_of_a_page)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct graph_event           v[2];

	EXPECT(graph_events_read(slice_str(EVENTS), job, v, 2) == 2);
	EXPECT_TEXT(v[0].id, "A/1");
	EXPECT_TEXT(v[0].transaction, "t");
	EXPECT_TEXT(v[0].start, "2026-11-23T03:00:00.0000000");
	EXPECT_TEXT(v[0].zone, "UTC");
	EXPECT(!v[1].subject && !v[1].transaction && !v[1].start && !v[1].zone);
	for (size_t len = 0; len < strlen(EVENTS); len++)
		EXPECT(graph_events_read(slice(EVENTS, len), job, v, 2) == -1);
	EXPECT(graph_events_read(slice_str("{\"value\":{}}"), job, v, 2) == -1 && graph_events_read(slice_str("{\"value\":[]}"), job, v, 2) == 0);
}

TEST(our_own_event_in_every_room)
{
	static const struct graph_new_event e = { "mailmoor-1", "Mailmoor test", "2026-11-23T03:00:00", "2026-11-23T03:15:00", "W. Europe Standard Time" };
	static const char *const written[] = {
		"{\"start\":{\"dateTime\":\"2026-11-23T03:00:00\",\"timeZone\":\"W. Europe Standard Time\"},"
		"\"end\":{\"dateTime\":\"2026-11-23T03:15:00\",\"timeZone\":\"W. Europe Standard Time\"}}",
		"{\"subject\":\"Mailmoor test\",\"sensitivity\":\"private\",\"showAs\":\"free\",\"isReminderOn\":false,\"transactionId\":\"mailmoor-1\","
		"\"start\":{\"dateTime\":\"2026-11-23T03:00:00\",\"timeZone\":\"W. Europe Standard Time\"},"
		"\"end\":{\"dateTime\":\"2026-11-23T03:15:00\",\"timeZone\":\"W. Europe Standard Time\"}}",
	};

	for (size_t whole = 0; whole < 2; whole++)
		for (size_t room = 0; room <= strlen(written[whole]) + 1; room++) {
			struct buffer b;

			buffer_init(&b, room);
			EXPECT(graph_event_write(&b, &e, whole) == (room > strlen(written[whole])));
			EXPECT(room <= strlen(written[whole]) || slice_equal(buffer_held(&b), slice_str(written[whole])));
			buffer_release(&b);
		}
}

TEST(pages_and_texts)
{
	CLEANUP(arena) struct arena *job = arena_new();
	bool                         more;

	EXPECT(graph_page_count(slice_str("{\"value\":[{},{}],\"@odata.nextLink\":\"https://x\"}"), &more) == 2 && more);
	EXPECT(graph_page_count(slice_str("{\"value\":[]}"), &more) == 0 && !more);
	EXPECT(graph_page_count(slice_str("{}"), &more) == -1 && graph_page_count(slice_str("<"), &more) == -1);
	EXPECT_TEXT(graph_text(slice_str("{\"value\":[{\"from\":{\"emailAddress\":{\"address\":\"a@b\"}}}]}"), "from.emailAddress.address", job), "a@b");
	EXPECT_TEXT(graph_text(slice_str("{\"issuer\":\"x\"}"), "issuer", job), "x");
	EXPECT(!graph_text(slice_str("{\"value\":[]}"), "from", job) && !graph_text(slice_str("{\"a\":1}"), "a", job) && !graph_text(slice_str(""), "a", job));
}

/* -- links -- */

#define HERE "graph.microsoft.com"

static const struct { const char *link, *target; } links[] = {
	{ "https://graph.microsoft.com/v1.0/me/messages/delta?$deltatoken=a%20b", "/v1.0/me/messages/delta?$deltatoken=a%20b" },
	{ "https://Graph.Microsoft.com/v1.0/me", "/v1.0/me" },
	{ "https://graph.microsoft.com:443/v1.0/me?a=/../b", "/v1.0/me?a=/../b" },
	{ "https://graph.microsoft.com:8443/v1.0/me", NULL },
	{ "http://graph.microsoft.com/v1.0/me", NULL },
	{ "https://graph.microsoft.us/v1.0/me", NULL },
	{ "https://graph.microsoft.com.evil.example/v1.0/me", NULL },
	{ "https://graph.microsoft.com@evil.example/v1.0/me", NULL },
	{ "https://evil.example/graph.microsoft.com/v1.0/me", NULL },
	{ "https://graph.microsoft.com/beta/me", NULL },
	{ "https://graph.microsoft.com/v1.0", NULL },
	{ "https://graph.microsoft.com/v1.0/../beta/me", NULL },
	{ "https://graph.microsoft.com/v1.0/me HTTP/1.1", NULL },
	{ "https://graph.microsoft.com/v1.0/me\r\nX: y", NULL },
	{ "https://graph.microsoft.com/v1.0/me#x", NULL },
	{ "https://graph.microsoft.com/v1.0/\xc3\xbc", NULL },
	{ "/v1.0/me", NULL },
	{ "https://graph.microsoft.com", NULL },
	{ "https://graph.microsoft.co", NULL },
	{ "", NULL },
};

TEST(links_lead_to_graph_or_nowhere)
{
	for (size_t i = 0; i < COUNT(links); i++) {
		const char *target = graph_link_target(links[i].link, HERE);

		if (links[i].target)
			EXPECT_TEXT(target, links[i].target);
		else
			EXPECT_ROW(!target, links[i].link);
	}
}
