#include "wire/google.h"

#include "test.h"

#define SUB "1081516234200000042"

/* -- errors ------------------------------------------------------------------------------------------------------- */

#define INFO(reason) "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"" reason "\",\"domain\":\"googleapis.com\",\"metadata\":{\"service\":\"gmail.googleapis.com\"}}"

static const struct { const char *body, *reasons, *status, *service; } errors[] = {
	{ "{\"error\":{\"code\":403,\"message\":\"m\",\"errors\":[{\"domain\":\"usageLimits\",\"reason\":\"accessNotConfigured\"}],\"status\":\"PERMISSION_DENIED\",\"details\":[" INFO("SERVICE_DISABLED") "]}}",
	  "SERVICE_DISABLED accessNotConfigured", "PERMISSION_DENIED", "gmail.googleapis.com" },
	{ "{\"error\":{\"code\":404,\"message\":\"m\",\"errors\":[{\"reason\":\"notFound\"},{\"reason\":\"notFound\"}]}}", "notFound", NULL, NULL },
	{ "{\"error\":{\"code\":401,\"message\":\"m\",\"status\":\"UNAUTHENTICATED\"}}", "", "UNAUTHENTICATED", NULL },
	{ "{\"error\":{\"errors\":[{\"reason\":\"a\"},{\"reason\":\"b\"},{\"reason\":\"c\"},{\"reason\":\"d\"},{\"reason\":\"e\"},{\"reason\":\"f\"},{\"reason\":\"g\"}]}}", "a b c d e f", NULL, NULL },
	{ "{\"error\":{\"errors\":[{\"reason\":7},7,null],\"details\":{\"reason\":\"x\"}}}", NULL, NULL, NULL },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request\"}", NULL, NULL, NULL },
	{ "{\"error\":[]}", NULL, NULL, NULL },
	{ "[]", NULL, NULL, NULL },
	{ "<html>", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

TEST(errors_are_read)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct google_error          e;
		const char                  *all = "";
		bool                         fine = google_error_read(slice_str(errors[i].body), job, &e);

		EXPECT_ROW(fine == (errors[i].reasons != NULL), errors[i].body);
		for (size_t r = 0; r < e.reasons; r++)
			all = arena_print(job, "%s%s%s", all, r ? " " : "", e.reason[r]);
		EXPECT_ROW(!fine || same(all, errors[i].reasons), errors[i].body);
		EXPECT_ROW(!fine || (same(e.status, errors[i].status) && same(e.service, errors[i].service)), errors[i].body);
	}
}

/* -- every kind of document: what is taken, what is not, and nothing of what is cut short ---------------------------- */

static const char *account(struct slice body, struct arena *job, struct error *err)
{
	struct google_account u;

	return google_account_read(body, job, &u, err) ? arena_print(job, "%s %s %s", u.id ? u.id : "-", u.address ? u.address : "-", u.domain ? u.domain : "-") : NULL;
}

static const char *profile(struct slice body, struct arena *job, struct error *err)
{
	struct google_profile p;

	return google_profile_read(body, job, &p, err) ? arena_print(job, "%s %s %lld", p.address, p.history ? p.history : "-", p.messages) : NULL;
}

static const char *labels(struct slice body, struct arena *job, struct error *err)
{
	struct google_labels l;

	return google_labels_read(body, &l, err) ? arena_print(job, "%zu %zu %d %d", l.count, l.own, l.inbox, l.sent) : NULL;
}

static const char *senders(struct slice body, struct arena *job, struct error *err)
{
	struct google_senders s;
	const char           *all = "";

	if (!google_senders_read(body, job, &s, err))
		return NULL;
	for (size_t i = 0; i < s.count; i++)
		all = arena_print(job, "%s%s:%s%s%s%s ", all, s.item[i].address, s.item[i].primary ? "p" : "", s.item[i].usual ? "u" : "", s.item[i].alias ? "a" : "",
		                  s.item[i].confirmed ? "c" : "");
	return all;
}

static const char *messages(struct slice body, struct arena *job, struct error *err)
{
	struct google_messages m;
	const char            *all = "";

	if (!google_messages_read(body, job, &m, err))
		return NULL;
	for (size_t i = 0; i < m.count; i++)
		all = arena_print(job, "%s%s ", all, m.id[i]);
	return arena_print(job, "%s%s", all, m.next ? m.next : "-");
}

static const char *message(struct slice body, struct arena *job, struct error *err)
{
	struct google_message m;

	return google_message_read(body, job, &m, err) ? arena_print(job, "%s|%s|%s|%s|%s", m.id, m.subject ? m.subject : "-", m.from ? m.from : "-", m.content_type ? m.content_type : "-", m.references ? m.references : "-") : NULL;
}

static const char *as_news(struct slice body, struct arena *job, struct error *err)
{
	struct google_message m;

	return google_message_read(body, job, &m, err) ? arena_print(job, "%s|%s|%s|%lld|%lld", m.to ? m.to : "-", m.message_id ? m.message_id : "-", m.in_reply_to ? m.in_reply_to : "-", m.received, m.size) : NULL;
}

static const char *history(struct slice body, struct arena *job, struct error *err)
{
	struct google_history h;
	const char           *all = "";

	if (!google_history_read(body, job, &h, err))
		return NULL;
	for (size_t i = 0; i < h.count; i++)
		all = arena_print(job, "%s%s%s ", all, h.item[i].id, h.item[i].moved ? "(moved)" : "");
	return arena_print(job, "%s%s %s", all, h.until, h.next ? h.next : "-");
}

static const char *raw(struct slice body, struct arena *job, struct error *err)
{
	struct slice bytes;

	return google_raw_read(body, job, &bytes, err) ? arena_copy(job, bytes) : NULL;
}

static const char *calendars(struct slice body, struct arena *job, struct error *err)
{
	struct google_calendars c;

	return google_calendars_read(body, job, &c, err) ? arena_print(job, "%zu %s %s %s %s", c.count, c.primary ? c.primary : "-", c.time_zone ? c.time_zone : "-", c.role ? c.role : "-", c.next ? c.next : "-") : NULL;
}

static const char *moment(const struct google_time *t, struct arena *job)
{
	return arena_print(job, "%s%s%s", t->at ? t->at : "-", t->day ? " (day)" : "", t->zone ? t->zone : "");
}

static const char *events(struct slice body, struct arena *job, struct error *err)
{
	struct google_events p;
	const char          *all = "";

	if (!google_events_read(body, job, &p, err))
		return NULL;
	for (size_t i = 0; i < p.count; i++)
		all = arena_print(job, "%s%s|%s|%s|%s|%s|%s%s; ", all, p.item[i].id, p.item[i].uid ? p.item[i].uid : "-", p.item[i].series ? p.item[i].series : "-", moment(&p.item[i].start, job),
		                  moment(&p.item[i].end, job), moment(&p.item[i].original, job), p.item[i].gone ? "|gone" : "");
	return arena_print(job, "%s%s %s", all, p.next ? p.next : "-", p.sync ? p.sync : "-");
}

static const struct {
	const char *(*read)(struct slice, struct arena *, struct error *);
	const char *body, *out;      /* NULL: FAULT_BROKEN */
} documents[] = {
	{ account, "{\"sub\":\"" SUB "\",\"email\":\"ann@birch.example\",\"email_verified\":true,\"hd\":\"birch.example\"}", SUB " ann@birch.example birch.example" },
	{ account, "{\"sub\":\"" SUB "\"}", SUB " - -" },
	{ account, "{\"email\":7}", NULL },
	{ account, "[]", NULL },
	{ profile, "{\"emailAddress\":\"ann@birch.example\",\"messagesTotal\":3,\"threadsTotal\":3,\"historyId\":\"18446744073709551615\"}", "ann@birch.example 18446744073709551615 3" },
	{ profile, "{\"emailAddress\":\"ann@birch.example\",\"messagesTotal\":1e300,\"historyId\":\"98a\"}", "ann@birch.example - -1" },
	{ profile, "{\"emailAddress\":\"ann@birch.example\",\"historyId\":\"123456789012345678901\"}", "ann@birch.example - -1" },
	{ profile, "{\"messagesTotal\":3}", NULL },
	{ labels, "{\"labels\":[{\"id\":\"INBOX\",\"type\":\"system\"},{\"id\":\"SENT\",\"type\":\"system\"},{\"id\":\"Label_1\",\"type\":\"user\"}]}", "3 1 1 1" },
	{ labels, "{\"labels\":[]}", "0 0 0 0" },
	{ labels, "{\"labels\":[{\"name\":\"x\"}]}", NULL },
	{ labels, "{\"label\":[]}", NULL },
	{ senders, "{\"sendAs\":[{\"sendAsEmail\":\"ann@birch.example\",\"isPrimary\":true,\"isDefault\":true},{\"sendAsEmail\":\"a@ash.example\",\"verificationStatus\":\"pending\"},"
	  "{\"sendAsEmail\":\"al@birch.example\",\"treatAsAlias\":true,\"verificationStatus\":\"accepted\"},{\"displayName\":\"x\"}]}", "ann@birch.example:puc a@ash.example: al@birch.example:ac " },
	{ senders, "{}", NULL },
	{ messages, "{\"messages\":[{\"id\":\"18c0ffee00000001\",\"threadId\":\"1\"},{\"id\":\"18c0ffee00000002\"}],\"nextPageToken\":\"0712~_x==\",\"resultSizeEstimate\":2}", "18c0ffee00000001 18c0ffee00000002 0712~_x==" },
	{ messages, "{\"resultSizeEstimate\":0}", "-" },
	{ messages, "{\"messages\":[{\"id\":\"1\"}],\"nextPageToken\":\"a b\"}", "1 -" },
	{ messages, "{\"messages\":[{\"id\":\"../../x\"}]}", NULL },
	{ messages, "{\"messages\":[{\"id\":\"1\\r\\nX: y\"}]}", NULL },
	{ messages, "{\"messages\":{}}", NULL },
	{ message, "{\"id\":\"18c0\",\"payload\":{\"headers\":[{\"name\":\"FROM\",\"value\":\"Bob <bob@ash.example>\"},{\"name\":\"subject\",\"value\":\"x\"},{\"name\":\"Content-Type\",\"value\":\"text/plain\"},{\"name\":\"In-Reply-To\",\"value\":\"<1@x>\"}]}}", "18c0|x|Bob <bob@ash.example>|text/plain|<1@x>" },
	{ message, "{\"id\":\"18c0\"}", "18c0|-|-|-|-" },
	{ message, "{\"payload\":{}}", NULL },
	{ as_news, "{\"id\":\"18c0\",\"internalDate\":\"1795248000123\",\"sizeEstimate\":4711,\"payload\":{\"headers\":[{\"name\":\"To\",\"value\":\"ann@birch.example\"},{\"name\":\"Message-Id\",\"value\":\"<2@x>\"},"
	  "{\"name\":\"In-Reply-To\",\"value\":\"<1@x>\"}]}}", "ann@birch.example|<2@x>|<1@x>|1795248000|4711" },
	{ as_news, "{\"id\":\"18c0\",\"internalDate\":1795248000123,\"sizeEstimate\":-3}", "-|-|-|0|0" },
	{ as_news, "{\"id\":\"18c0\",\"internalDate\":\"99999999999999999999\",\"sizeEstimate\":1e300}", "-|-|-|0|0" },
	{ history, "{\"history\":[{\"id\":\"7\",\"messages\":[{\"id\":\"a\"}],\"messagesAdded\":[{\"message\":{\"id\":\"a\",\"threadId\":\"a\",\"labelIds\":[\"UNREAD\",\"INBOX\"]}}]},"
	  "{\"id\":\"8\",\"messagesAdded\":[{\"message\":{\"id\":\"b\",\"labelIds\":[\"SENT\"]}}]},{\"id\":\"9\",\"labelsAdded\":[{\"message\":{\"id\":\"c\",\"labelIds\":[\"INBOX\"]},\"labelIds\":[\"INBOX\"]}]},"
	  "{\"id\":\"10\",\"labelsAdded\":[{\"message\":{\"id\":\"d\",\"labelIds\":[\"INBOX\",\"STARRED\"]},\"labelIds\":[\"STARRED\"]}]}],\"nextPageToken\":\"p2\",\"historyId\":\"98765\"}", "a c(moved) 98765 p2" },
	{ history, "{\"history\":[{\"messagesAdded\":[{\"message\":{\"id\":\"a\",\"labelIds\":[\"INBOX\"]}}]},{\"labelsAdded\":[{\"message\":{\"id\":\"a\"},\"labelIds\":[\"INBOX\"]}]}],\"historyId\":\"8\"}", "a 8 -" },
	{ history, "{\"historyId\":\"18446744073709551615\"}", "18446744073709551615 -" },
	{ history, "{\"history\":[]}", NULL },
	{ history, "{\"history\":[],\"historyId\":7}", NULL },
	{ history, "{\"history\":[],\"historyId\":\"7x\"}", NULL },
	{ history, "{\"history\":[],\"historyId\":\"7\",\"nextPageToken\":\"a b\"}", NULL },
	{ history, "{\"history\":{},\"historyId\":\"7\"}", NULL },
	{ history, "{\"history\":[{\"messagesAdded\":{\"a\":1}}],\"historyId\":\"7\"}", NULL },
	{ history, "{\"history\":[{\"messagesAdded\":[{\"message\":{\"id\":\"../x\",\"labelIds\":[\"INBOX\"]}}]}],\"historyId\":\"7\"}", NULL },
	{ history, "{\"history\":[7,null,[]],\"historyId\":\"7\"}", "7 -" },
	{ raw, "{\"raw\":\"Pz8_Pj4-\"}", "?\?\?>>>" },
	{ raw, "{\"raw\":\"YQ==\"}", "a" },
	{ raw, "{\"raw\":\"YQ\"}", "a" },
	{ raw, "{\"raw\":\"Y!\"}", NULL },
	{ raw, "{\"raw\":\"\"}", NULL },
	{ raw, "{}", NULL },
	{ calendars, "{\"items\":[{\"id\":\"holidays@x\"},{\"id\":\"ann@birch.example\",\"primary\":true,\"timeZone\":\"Europe/Helsinki\",\"accessRole\":\"owner\"}],\"nextPageToken\":\"p2\"}",
	  "2 ann@birch.example Europe/Helsinki owner p2" },
	{ calendars, "{\"items\":[]}", "0 - - - -" },
	{ calendars, "{\"items\":[{\"primary\":true}]}", NULL },
	{ calendars, "{\"kind\":\"calendar#calendarList\"}", NULL },
	{ events, "{\"items\":[{\"id\":\"ev1\",\"iCalUID\":\"ev1@google.com\",\"status\":\"confirmed\",\"start\":{\"dateTime\":\"2026-11-23T09:00:00+02:00\",\"timeZone\":\"Europe/Helsinki\"},\"end\":{\"dateTime\":\"2026-11-23T10:00:00+02:00\"}}],"
	  "\"nextSyncToken\":\"CPDAlvWDx70CEPDAlvWDx70CGAU=\"}", "ev1|ev1@google.com|-|2026-11-23T09:00:00+02:00Europe/Helsinki|2026-11-23T10:00:00+02:00|-; - CPDAlvWDx70CEPDAlvWDx70CGAU=" },
	{ events, "{\"items\":[{\"id\":\"d\",\"start\":{\"date\":\"2026-12-24\"},\"end\":{\"date\":\"2026-12-25\"}},{\"id\":\"b_20260101T090000Z\",\"status\":\"cancelled\",\"recurringEventId\":\"b\","
	  "\"originalStartTime\":{\"dateTime\":\"2026-01-01T09:00:00Z\"}}],\"nextPageToken\":\"p2\"}", "d|-|-|2026-12-24 (day)|2026-12-25 (day)|-; b_20260101T090000Z|-|b|-|-|2026-01-01T09:00:00Z|gone; p2 -" },
	{ events, "{\"items\":[]}", "- -" },
	{ events, "{\"items\":[],\"nextPageToken\":\"a\",\"nextSyncToken\":\"b\"}", NULL },
	{ events, "{\"items\":[{\"summary\":\"x\"}]}", NULL },
	{ events, "{\"items\":[{\"id\":\"a/b\"}]}", NULL },
	{ events, "{\"items\":{\"id\":\"a\"}}", NULL },
	{ events, "{}", NULL },
};

TEST(documents_are_read)
{
	for (size_t i = 0; i < COUNT(documents); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct error                 err = { 0 };
		const char                  *out = documents[i].read(slice_str(documents[i].body), job, &err);

		EXPECT_ROW(same(out, documents[i].out), documents[i].body);
		EXPECT_ROW(err.fault == (out ? FAULT_NONE : FAULT_BROKEN), documents[i].body);
	}
}

TEST(documents_cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(documents); i++)
		for (size_t len = 0; len < strlen(documents[i].body); len++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct error                 err = { 0 };

			EXPECT_ROW(!documents[i].read(slice(documents[i].body, len), job, &err) && err.fault == FAULT_BROKEN, documents[i].body);
		}
}

TEST(a_page_of_too_many)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct google_messages       m;
	struct error                 err = { 0 };
	struct buffer                b;

	buffer_init(&b, GOOGLE_ANSWER);
	buffer_add_str(&b, "{\"messages\":[");
	for (int i = 0; i <= GOOGLE_PAGE; i++)
		buffer_print(&b, "%s{\"id\":\"%x\"}", i ? "," : "", i);
	buffer_add_str(&b, "]}");
	EXPECT(!google_messages_read(buffer_held(&b), job, &m, &err) && err.fault == FAULT_TOO_BIG);
	buffer_release(&b);
}

TEST(a_page_of_history_of_too_many)
{
	for (int most = GOOGLE_ARRIVALS; most <= GOOGLE_ARRIVALS + 1; most++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct google_history        h;
		struct error                 err = { 0 };
		struct buffer                b;
		bool                         fine;

		buffer_init(&b, GOOGLE_ANSWER);
		buffer_add_str(&b, "{\"historyId\":\"7\",\"history\":[");
		for (int i = 0; i < most; i++)
			buffer_print(&b, "%s{\"messagesAdded\":[{\"message\":{\"id\":\"%x\",\"labelIds\":[\"INBOX\"]}}]}", i ? "," : "", i);
		buffer_add_str(&b, "]}");
		fine = google_history_read(buffer_held(&b), job, &h, &err);
		EXPECT(fine == (most == GOOGLE_ARRIVALS) && (fine ? h.count == GOOGLE_ARRIVALS : err.fault == FAULT_TOO_BIG));
		buffer_release(&b);
	}
}

TEST(a_message_to_be_sent)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error                 err = { 0 };
	struct slice                 back;
	struct buffer                b;

	buffer_init(&b, 64);
	EXPECT(google_raw_write(&b, slice_str("?\?\?>>>a")) && slice_equal(buffer_held(&b), slice_str("{\"raw\":\"Pz8_Pj4-YQ==\"}")));
	EXPECT(google_raw_read(buffer_held(&b), job, &back, &err) && slice_equal(back, slice_str("?\?\?>>>a")));
	buffer_clear(&b);
	EXPECT(!google_raw_write(&b, slice_str("more than there is room for in sixty-four bytes of it")));
	buffer_release(&b);
}

static const struct { const char *granted, *scope; bool has; } scopes[] = {
	{ "openid https://mail.google.com/ https://www.googleapis.com/auth/calendar", "https://mail.google.com/", true },
	{ "openid https://mail.google.com/ https://www.googleapis.com/auth/calendar", "https://www.googleapis.com/auth/calendar", true },
	{ "https://www.googleapis.com/auth/calendar.readonly", "https://www.googleapis.com/auth/calendar", false },
	{ "https://www.googleapis.com/auth/userinfo.email  openid", "email", true },
	{ "email", "email", true },
	{ "https://www.googleapis.com/auth/userinfo.profile", "profile", true },
	{ "", "email", false },
	{ NULL, "email", false },
};

TEST(scopes_by_their_whole_names)
{
	for (size_t i = 0; i < COUNT(scopes); i++)
		EXPECT_ROW(google_scope_has(scopes[i].granted, scopes[i].scope) == scopes[i].has, scopes[i].granted ? scopes[i].granted : "NULL");
}

TEST(our_own_event_in_every_room)
{
	static const struct google_new_event e = { "mailmoor1", "Mailmoor test", "test", "2026-11-23T03:00:00", "2026-11-23T03:15:00", "Europe/Berlin" };
	static const char *const written[] = {
		"{\"start\":{\"dateTime\":\"2026-11-23T03:00:00\",\"timeZone\":\"Europe/Berlin\"},\"end\":{\"dateTime\":\"2026-11-23T03:15:00\",\"timeZone\":\"Europe/Berlin\"}}",
		"{\"id\":\"mailmoor1\",\"summary\":\"Mailmoor test\",\"visibility\":\"private\",\"transparency\":\"transparent\",\"reminders\":{\"useDefault\":false},"
		"\"extendedProperties\":{\"private\":{\"mailmoor\":\"test\"}},"
		"\"start\":{\"dateTime\":\"2026-11-23T03:00:00\",\"timeZone\":\"Europe/Berlin\"},\"end\":{\"dateTime\":\"2026-11-23T03:15:00\",\"timeZone\":\"Europe/Berlin\"}}",
	};

	for (size_t whole = 0; whole < 2; whole++)
		for (size_t room = 0; room <= strlen(written[whole]) + 1; room++) {
			struct buffer b;

			buffer_init(&b, room);
			EXPECT(google_event_write(&b, &e, whole) == (room > strlen(written[whole])));
			EXPECT(room <= strlen(written[whole]) || slice_equal(buffer_held(&b), slice_str(written[whole])));
			buffer_release(&b);
		}
}

TEST(moments)
{
	static const struct { struct google_time time; bool fine; int64_t at; } rows[] = {
		{ { "2026-11-23T09:00:00+02:00", NULL, false }, true, 1795417200 }, { { "2026-11-23T07:00:00Z", NULL, false }, true, 1795417200 },
		{ { "2026-11-22T23:30:00.123-07:30", NULL, false }, true, 1795417200 }, { { "2026-12-24", NULL, true }, true, 1798070400 },
		{ { "1601-01-01T00:00:00Z", NULL, false }, true, -11644473600 }, { { "9999-12-31", NULL, true }, true, 253402214400 },
		{ { "2026-11-23T09:00:00", NULL, false }, false, 0 }, { { "2026-11-23", NULL, false }, false, 0 }, { { "2026-11-23T09:00:00Zx", NULL, false }, false, 0 },
		{ { "2026-13-01", NULL, true }, false, 0 }, { { "2026-00-01", NULL, true }, false, 0 }, { { "", NULL, true }, false, 0 }, { { NULL, NULL, false }, false, 0 },
		{ { "2026-11-23T24:00:00Z", NULL, false }, false, 0 }, { { "2026-11-23T09:00:00+2:00", NULL, false }, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t at = 0;

		EXPECT(google_moment(&rows[i].time, &at) == rows[i].fine && (!rows[i].fine || at == rows[i].at));
	}
}
