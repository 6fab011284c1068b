/* The test event at all three: what is said in which order, what is made of the answers, and that nothing of it stays, wherever it breaks off. */
#include "verify/webevent.h"

#include "model/facts.h"
#include "provider/exchange_words.h"
#include "test.h"
#include "verify/exchange_event.h"
#include "verify/google_event.h"
#include "verify/graph_event.h"
#include "web_peer.h"

/* -- a mailbox, already signed in ----------------------------------------------------------------------------------- */

struct scene {
	const struct webevent_ways *ways;
	struct report           *report;
	struct mail_address      address;
	struct endpoint          place;
	struct login             login;
	struct exchange_session  exchange;
	struct microsoft_app     microsoft_app;
	struct microsoft_session microsoft;
	struct google_app        google_app;
	struct google_session    google;
	struct webevent          event;
	struct web_peer          peer;
};

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return web_open_step(self, w, err);
}

static struct web_session *open_session(struct scene *s, void **session, int *attempt)
{
	const struct oauth_grant grant = { .access_token = "token-of-ann", .scope = "https://www.googleapis.com/auth/calendar" };

	*attempt = report_attempt(s->report);
	if (s->ways == &exchange_event) {
		s->place = (struct endpoint){ .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .source = SOURCE_USER, .path = "/EWS/Exchange.asmx" };
		s->login = (struct login){ .username = "ann@birch.example", .username_form = "address", .password = "hunter22", .nonce = "0123456789" };
		exchange_session_init(&s->exchange, s->report, &s->place, &s->login, "ann@birch.example", waits_within(30000), *attempt);
		s->exchange.logged_in = true;
		s->exchange.web.scheme = WEB_BASIC;
		*session = &s->exchange;
		return &s->exchange.web;
	}
	if (s->ways == &graph_event) {
		microsoft_session_init(&s->microsoft, s->report, &s->microsoft_app, &s->address, &grant, waits_within(30000), *attempt);
		s->microsoft.graph.host = "192.0.2.8";
		*session = &s->microsoft;
		return &s->microsoft.web;
	}
	google_session_init(&s->google, s->report, &s->google_app, &s->address, &grant, waits_within(30000), *attempt);
	s->google.line[GOOGLE_CALENDAR].endpoint.host = "192.0.2.9";
	*session = &s->google;
	return &s->google.line[GOOGLE_CALENDAR].web;
}

/* The name at Google: of digits and letters up to v. */
static const char *name_of(struct scene *s)
{
	char *name = arena_str(s->report->job, s->event.mark), *to = name;

	for (const char *c = name; *c; c++)
		if (*c != '-')
			*to++ = strchr("wxyz", *c) ? (char)('0' + (*c - 'w')) : *c;
	*to = '\0';
	return name;
}

static void scene_open(struct scene *s, const struct webevent_ways *ways, const struct turn *turns, const char *row)
{
	struct error        err = { 0 };
	const char         *problem;
	void               *session;
	struct web_session *web;
	int                 attempt;

	s->ways = ways;
	s->report = report_new("ann@birch.example");
	EXPECT(mail_address_parse("ann@birch.example", s->report->job, &s->address, &problem));
	web = open_session(s, &session, &attempt);
	web_peer_init(&s->peer, turns, row);
	EXPECT(web_peer_run(&s->peer, open_step, web, &err));
	webevent_init(&s->event, ways, session, s->report, attempt);
	s->peer.token = ways == &google_event ? name_of(s) : s->event.mark;
}

static void scene_close(struct scene *s)
{
	webevent_release(&s->event);
	if (s->ways == &exchange_event)
		exchange_session_release(&s->exchange);
	else if (s->ways == &graph_event)
		microsoft_session_release(&s->microsoft);
	else
		google_session_release(&s->google);
	report_free(s->report);
	web_peer_end(&s->peer);
}

/* "passed event.listed=yes …"; "" when there is no such step. */
static const char *seen(const struct scene *s, const char *id)
{
	struct report *r = s->report;
	int            step = report_find(r, id, s->event.attempt);
	const char    *text;

	if (step < 0)
		return "";
	text = step_state_name(r->step[step].state);
	if (r->step[step].skip)
		return arena_print(r->job, "%s %s", text, r->step[step].skip);
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->fact[i].step == step && (strncmp(r->fact[i].name, "event.", 6) == 0 || strcmp(r->fact[i].name, FACT_EWS_CODE) == 0
		    || strcmp(r->fact[i].name, FACT_GRAPH_CODE) == 0 || strcmp(r->fact[i].name, FACT_GOOGLE_REASON) == 0 || strcmp(r->fact[i].name, FACT_NET_OUTCOME) == 0)
		    && strcmp(r->fact[i].name, FACT_EVENT_AT) != 0)
			text = arena_print(r->job, "%s %s=%s", text, r->fact[i].name, r->fact[i].value);
	return text;
}

/* -- what is said: it is 8:00 in the morning of 21 November; 10:00, 11:00 and 12:00 of the next day, in UTC ------------------------------------- */

/* Exchange */
#define X_ITEM(id, subject, uid, start) "<t:CalendarItem><t:ItemId Id=\"" id "\" ChangeKey=\"k" id "\"/><t:Subject>" subject "</t:Subject>" uid start "</t:CalendarItem>"
#define X_UID(uid)        "<t:UID>" uid "</t:UID>"
#define X_START(t)        "<t:Start>2026-11-22T" t "</t:Start>"
#define X_FOUND(items)    FINE("FindItem", "<m:RootFolder TotalItemsInView=\"1\" IncludesLastItemInRange=\"true\"><t:Items>" items "</t:Items></m:RootFolder>")
#define X_OURS(items)     { "<m:FindItem\nFullString\n<t:Constant Value=\"Mailmoor test\"/>\n<t:DistinguishedFolderId Id=\"calendar\"/>", X_FOUND(items), KEEPS }
#define X_MADE(op)        FINE(op, "<m:Items><t:CalendarItem><t:ItemId Id=\"E1\" ChangeKey=\"k1\"/></t:CalendarItem></m:Items>")
#define X_ADD             { "<m:CreateItem SendMeetingInvitations=\"SendToNone\">\n<t:DistinguishedFolderId Id=\"calendar\"/>\n<t:Sensitivity>Private</t:Sensitivity><t:ReminderIsSet>false<" \
	"\n<t:UID>mailmoor-\n<t:Start>2026-11-22T11:00:00</t:Start><t:End>2026-11-22T11:15:00</t:End>\n<t:StartTimeZone Id=\"W. Europe Standard Time\"/>" \
	"\n<t:TimeZoneContext><t:TimeZoneDefinition Id=\"W. Europe Standard Time\"/>\n!Attendee", X_MADE("CreateItem"), KEEPS }
#define X_MOVE(clock, zone) { "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" SendMeetingInvitationsOrCancellations=\"SendToNone\">\n<t:ItemId Id=\"E1\" ChangeKey=\"" \
	"\n<t:Start>2026-11-22T" clock "\n<t:StartTimeZone Id=\"" zone "\"/>", X_MADE("UpdateItem"), KEEPS }
#define X_READ(hour, start) { "<m:CalendarView\nStartDate=\"2026-11-22T" hour ":00:00Z\" EndDate=\"2026-11-22T" hour ":01:00Z\"", \
	X_FOUND(X_ITEM("A1", "lunch", "", X_START(hour ":00:00Z")) X_ITEM("E1", "Mailmoor test", "", X_START(start))), KEEPS }
#define X_NOT(op, code)   { "<m:" op, ERROR(op, code), KEEPS }
#define X_REMOVE(id)      { "<m:DeleteItem DeleteType=\"HardDelete\" SendMeetingCancellations=\"SendToNone\"\n<t:ItemId Id=\"" id "\"/>", FINE("DeleteItem", ""), KEEPS }

/* Graph */
#define JSON(items)       "200 OK\nContent-Type: application/json\n\n{\"value\":[" items "]}"
#define M_NO(status, code) status "\nContent-Type: application/json\n\n{\"error\":{\"code\":\"" code "\",\"message\":\"no\"}}"
#define M_ITEM(id, mark)  "{\"id\":\"" id "\",\"subject\":\"Mailmoor test\",\"transactionId\":\"" mark "\"}"
#define M_AT(id, t, zone) "{\"id\":\"" id "\",\"start\":{\"dateTime\":\"2026-11-22T" t ".0000000\",\"timeZone\":\"" zone "\"}}"
#define M_OURS(items)     { "GET /v1.0/me/events?\n$filter=subject%20eq%20'Mailmoor%20test'\nAuthorization: Bearer token-of-ann", JSON(items), KEEPS }
#define M_ADD             { "POST /v1.0/me/events HTTP\n\"sensitivity\":\"private\"\n\"isReminderOn\":false\n\"transactionId\":\"mailmoor-" \
	"\n\"start\":{\"dateTime\":\"2026-11-22T11:00:00\",\"timeZone\":\"W. Europe Standard Time\"}\n!attendees", "201 Created\nContent-Type: application/json\n\n{\"id\":\"E/1=\"}", KEEPS }
#define M_MOVE(clock, zone) { "PATCH /v1.0/me/events/E%2F1%3D HTTP\n\"start\":{\"dateTime\":\"2026-11-22T" clock "\",\"timeZone\":\"" zone "\"}\n!subject", "200 OK\nContent-Type: application/json\n\n{}", KEEPS }
#define M_READ(hour, zone, items) { "GET /v1.0/me/calendarView?startDateTime=2026-11-22T" hour ":00:00Z&endDateTime=2026-11-22T" hour ":01:00Z" \
	"\nPrefer: outlook.timezone=\"" zone "\"", JSON(items), KEEPS }
#define M_REMOVE(id)      { "POST /v1.0/me/events/" id "/permanentDelete HTTP", "204 No Content\n\n", KEEPS }
#define BERLIN  "W. Europe Standard Time"
#define NEWYORK "Eastern Standard Time"
#define KOLKATA "India Standard Time"

/* Google */
#define G_PATH            "/calendar/v3/calendars/primary/events"
#define G_NO(status, reason) status "\nContent-Type: application/json\n\n{\"error\":{\"code\":403,\"message\":\"no\",\"errors\":[{\"reason\":\"" reason "\"}]}}"
#define ITEMS(items)      "200 OK\nContent-Type: application/json\n\n{\"items\":[" items "]}"
#define G_AT(t, zone)     "{\"id\":\"lunch\",\"start\":{\"date\":\"2026-11-22\"}},{\"id\":\"{TOKEN}\",\"start\":{\"dateTime\":\"2026-11-22T" t "\",\"timeZone\":\"" zone "\"}}"
#define G_OURS(items)     { "GET " G_PATH "?maxResults=50&privateExtendedProperty=mailmoor%3Dtest HTTP\nAuthorization: Bearer token-of-ann", ITEMS(items), KEEPS }
#define G_ADD             { "POST " G_PATH "?sendUpdates=none HTTP\n\"id\":\"mailmoor\n\"visibility\":\"private\"\n\"reminders\":{\"useDefault\":false}\n\"private\":{\"mailmoor\":\"test\"}" \
	"\n\"start\":{\"dateTime\":\"2026-11-22T11:00:00\",\"timeZone\":\"Europe/Berlin\"}\n!attendees", "200 OK\nContent-Type: application/json\n\n{}", KEEPS }
#define G_MOVE(clock, zone) { "PATCH " G_PATH "/mailmoor\n?sendUpdates=none\n\"start\":{\"dateTime\":\"2026-11-22T" clock "\",\"timeZone\":\"" zone "\"}\n!summary", "200 OK\nContent-Type: application/json\n\n{}", KEEPS }
#define G_READ(hour, zone, items) { "GET " G_PATH "?\nsingleEvents=true\ntimeMin=2026-11-22T" hour ":00:00Z&timeMax=2026-11-22T" hour ":01:00Z&timeZone=" zone, ITEMS(items), KEEPS }
#define G_REMOVE          { "DELETE " G_PATH "/mailmoor\n?sendUpdates=none", "204 No Content\n\n", KEEPS }

#define READ(zone, t, told) " event.listed=yes event.read=" zone " as 20261122T" t "Z, zone " told
#define ALL_AT_EXCHANGE READ("Europe/Berlin", "100000", "-") READ("America/New_York", "110000", "-") READ("Asia/Kolkata", "120000", "-")

#define X_ROUNDS X_ADD, X_READ("10", "10:00:00Z"), X_MOVE("06:00:00", NEWYORK), X_READ("11", "13:00:00+02:00"), X_MOVE("17:30:00", KOLKATA), X_READ("12", "12:00:00")
#define M_ROUNDS M_ADD, M_READ("10", NEWYORK, M_AT("E/1=", "05:00:00", NEWYORK)), M_MOVE("06:00:00", NEWYORK), M_READ("11", KOLKATA, M_AT("x", "16:30:00", KOLKATA) "," M_AT("E/1=", "16:30:00", KOLKATA)), \
	M_MOVE("17:30:00", KOLKATA), M_READ("12", BERLIN, M_AT("E/1=", "12:00:00", "UTC"))
#define G_ROUNDS G_ADD, G_READ("10", "America%2FNew_York", G_AT("05:00:00-05:00", "Europe/Berlin")), G_MOVE("06:00:00", "America/New_York"), \
	G_READ("11", "Asia%2FKolkata", G_AT("16:30:00+05:30", "America/New_York")), G_MOVE("17:30:00", "Asia/Kolkata"), G_READ("12", "Europe%2FBerlin", G_AT("13:00:00+01:00", "Asia/Kolkata"))

static const struct {
	const char                 *name;
	const struct webevent_ways *ways;
	struct turn                 turn[16];
	const char                 *event, *remove;
} cases[] = {
	{ "Exchange: written, moved twice, read, removed", &exchange_event, { X_OURS(""), X_ROUNDS, X_REMOVE("E1") }, "passed" ALL_AT_EXCHANGE, "passed" },
	{ "Exchange: one of an earlier test goes first, somebody's own of that name stays", &exchange_event,
	  { X_OURS(X_ITEM("A1", "Mailmoor test", "", "") X_ITEM("A2", "Mailmoor test", X_UID("mailmoor-0123456789"), "")), X_REMOVE("A2"), X_ROUNDS, X_REMOVE("E1") },
	  "passed event.earlier=1" ALL_AT_EXCHANGE, "passed" },
	{ "Exchange: nobody may write there", &exchange_event, { X_OURS(""), X_NOT("CreateItem", "ErrorAccessDenied") }, "failed ews.response_code=ErrorAccessDenied", "" },
	{ "Exchange: no such zone", &exchange_event, { X_OURS(""), X_NOT("CreateItem", "ErrorTimeZone") }, "failed ews.response_code=ErrorTimeZone", "" },
	{ "Exchange: an hour late", &exchange_event, { X_OURS(""), X_ADD, X_READ("10", "11:00:00Z"), X_REMOVE("E1") },
	  "failed event.listed=yes event.read=Europe/Berlin as 20261122T110000Z, zone - event.shift_s=3600", "passed" },
	{ "Exchange: not there", &exchange_event, { X_OURS(""), X_ADD, { "<m:CalendarView", X_FOUND(""), KEEPS }, X_REMOVE("E1") }, "failed event.listed=no", "passed" },
	{ "Exchange: not to be moved", &exchange_event, { X_OURS(""), X_ADD, X_READ("10", "10:00:00Z"), X_NOT("UpdateItem", "ErrorAccessDenied"), X_REMOVE("E1") },
	  "failed" READ("Europe/Berlin", "100000", "-") " ews.response_code=ErrorAccessDenied", "passed" },
	{ "Exchange: not to be removed", &exchange_event, { X_OURS(""), X_ROUNDS, X_NOT("DeleteItem", "ErrorAccessDenied") }, "passed" ALL_AT_EXCHANGE, "warned ews.response_code=ErrorAccessDenied" },
	{ "Exchange: somebody else has removed it", &exchange_event, { X_OURS(""), X_ROUNDS, X_NOT("DeleteItem", "ErrorItemNotFound") }, "passed" ALL_AT_EXCHANGE, "passed" },
	{ "Exchange: no answer to the writing, and it was done", &exchange_event, { X_OURS(""), { "<m:CreateItem", NULL, RESETS },
	  X_OURS(X_ITEM("A1", "Mailmoor test", X_UID("somebody's"), "") X_ITEM("E1", "Mailmoor test", X_UID("{TOKEN}"), "")), X_REMOVE("E1") }, "failed net.outcome=reset", "passed" },
	{ "Exchange: no answer to the writing, and it was not done", &exchange_event, { X_OURS(""), { "<m:CreateItem", NULL, RESETS }, X_OURS("") }, "failed net.outcome=reset", "passed" },

	{ "Graph: written, moved twice, read, removed", &graph_event, { M_OURS(M_ITEM("a", "somebody's") ",{\"id\":\"b\"}"), M_ROUNDS, M_REMOVE("E%2F1%3D") },
	  "passed" READ("Europe/Berlin", "100000", NEWYORK) READ("America/New_York", "110000", KOLKATA) READ("Asia/Kolkata", "120000", "UTC"), "passed" },
	{ "Graph: those of earlier tests go first, as well as they can", &graph_event, { M_OURS(M_ITEM("a", "mailmoor-1") "," M_ITEM("b", "mailmoor-2")),
	  { "POST /v1.0/me/events/a/permanentDelete", M_NO("400 Bad Request", "BadRequest"), KEEPS }, { "DELETE /v1.0/me/events/a HTTP", "204 No Content\n\n", KEEPS },
	  { "DELETE /v1.0/me/events/b HTTP", "204 No Content\n\n", KEEPS }, { "POST /v1.0/me/events", M_NO("403 Forbidden", "ErrorAccessDenied"), KEEPS } },
	  "failed event.earlier=2 graph.code=ErrorAccessDenied", "" },
	{ "Graph: no such zone", &graph_event, { M_OURS(""), { "POST /v1.0/me/events", M_NO("400 Bad Request", "TimeZoneNotSupportedException"), KEEPS } }, "failed graph.code=TimeZoneNotSupportedException", "" },
	{ "Graph: told by a zone that is none", &graph_event, { M_OURS(""), M_ADD, M_READ("10", NEWYORK, M_AT("E/1=", "05:00:00", "tzone://Microsoft/Custom")), M_REMOVE("E%2F1%3D") },
	  "failed event.listed=yes event.read=Europe/Berlin as 20261122T050000Z, zone tzone://Microsoft/Custom event.zone=unknown", "passed" },
	{ "Graph: without a time", &graph_event, { M_OURS(""), M_ADD, M_READ("10", NEWYORK, "{\"id\":\"E/1=\"}"), M_REMOVE("E%2F1%3D") }, "failed event.listed=yes", "passed" },
	{ "Graph: it is gone already", &graph_event, { M_OURS(""), M_ADD, M_READ("10", NEWYORK, ""), { "permanentDelete", M_NO("404 Not Found", "ErrorItemNotFound"), KEEPS } }, "failed event.listed=no", "passed" },
	{ "Graph: no answer to the writing, and it was done", &graph_event, { M_OURS(""), { "POST /v1.0/me/events", NULL, ENDS }, M_OURS(M_ITEM("a", "other") "," M_ITEM("E/1=", "{TOKEN}")), M_REMOVE("E%2F1%3D") },
	  "failed net.outcome=closed", "passed" },
	{ "Graph: a server's trouble while writing: looked for", &graph_event, { M_OURS(""), { "POST /v1.0/me/events", M_NO("500 Internal Server Error", "ErrorInternalServerError"), KEEPS }, M_OURS("") },
	  "failed graph.code=ErrorInternalServerError", "passed" },
	{ "Graph: may not be looked for either", &graph_event, { { "GET /v1.0/me/events", M_NO("403 Forbidden", "ErrorAccessDenied"), KEEPS } }, "failed graph.code=ErrorAccessDenied", "" },

	{ "Google: written, moved twice, read, removed", &google_event, { G_OURS("{\"id\":\"somebodys\"}"), G_ROUNDS, G_REMOVE },
	  "passed" READ("Europe/Berlin", "100000", "Europe/Berlin") READ("America/New_York", "110000", "America/New_York") READ("Asia/Kolkata", "120000", "Asia/Kolkata"), "passed" },
	{ "Google: one of an earlier test goes first", &google_event, { G_OURS("{\"id\":\"mailmoor123\"}"), { "DELETE " G_PATH "/mailmoor123?sendUpdates=none", G_NO("410 Gone", "deleted"), KEEPS },
	  { "POST " G_PATH, G_NO("403 Forbidden", "requiredAccessLevel"), KEEPS } }, "failed event.earlier=1 google.reason=requiredAccessLevel", "" },
	{ "Google: no Calendar", &google_event, { { "GET " G_PATH, G_NO("403 Forbidden", "notACalendarUser"), KEEPS } }, "failed google.reason=notACalendarUser", "" },
	{ "Google: by the clocks of another zone than it was meant by", &google_event, { G_OURS(""), G_ADD, G_READ("10", "America%2FNew_York", G_AT("11:00:00Z", "UTC")), G_REMOVE },
	  "failed event.listed=yes event.read=Europe/Berlin as 20261122T110000Z, zone UTC event.shift_s=3600", "passed" },
	{ "Google: no answer to the writing: its name is known", &google_event, { G_OURS(""), { "POST " G_PATH, NULL, RESETS }, { "DELETE " G_PATH "/mailmoor", G_NO("404 Not Found", "notFound"), KEEPS } },
	  "failed net.outcome=reset", "passed" },
};

TEST(an_event_and_what_becomes_of_it)
{
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const char  *row = cases[i / 2].name;
		struct error err = { 0 };
		struct scene s = { 0 };

		scene_open(&s, cases[i / 2].ways, cases[i / 2].turn, row);
		s.peer.piecemeal = i % 2;
		EXPECT_ROW(web_peer_run(&s.peer, webevent_step, &s.event, &err), row);
		if (strcmp(seen(&s, cases[i / 2].ways->id), cases[i / 2].event) != 0)
			test_fail(__FILE__, __LINE__, "%s: \"%s\"", row, seen(&s, cases[i / 2].ways->id));
		if (strcmp(seen(&s, "calendar.remove"), cases[i / 2].remove) != 0)
			test_fail(__FILE__, __LINE__, "%s: removed \"%s\"", row, seen(&s, "calendar.remove"));
		scene_close(&s);
	}
}

/* Called off at any moment: what was written, or may have been, goes. */
TEST(called_off_in_the_middle)
{
	static const struct {
		const struct webevent_ways *ways;
		struct turn                 turn[8], find, remove;
	} all[] = {
		{ &exchange_event, { X_OURS(""), X_ROUNDS, X_REMOVE("E1") }, X_OURS(X_ITEM("E1", "Mailmoor test", X_UID("{TOKEN}"), "")), X_REMOVE("E1") },
		{ &graph_event, { M_OURS(""), M_ROUNDS, M_REMOVE("E%2F1%3D") }, M_OURS(M_ITEM("E/1=", "{TOKEN}")), M_REMOVE("E%2F1%3D") },
		{ &google_event, { G_OURS(""), G_ROUNDS, G_REMOVE }, { NULL, NULL, 0 }, G_REMOVE },
	};

	for (size_t i = 0; i < 8 * COUNT(all); i++) {
		struct turn  turns[12] = { 0 };
		size_t       at = i % 8, n = 0;
		struct error err = { 0 };
		struct scene s = { 0 };
		const char  *row = all[i / 8].ways->id;

		for (; n <= at; n++)
			turns[n] = all[i / 8].turn[n];
		turns[at].answer = NULL;
		turns[at].then = STOPS;
		if (at == 1 && all[i / 8].find.asked)
			turns[n++] = all[i / 8].find;
		if (at >= 1)
			turns[n++] = all[i / 8].remove;
		scene_open(&s, all[i / 8].ways, turns, row);
		EXPECT_ROW(web_peer_run(&s.peer, webevent_step, &s.event, &err), row);
		EXPECT_TEXT(slice_starts(slice_str(seen(&s, row)), at == 7 ? "passed" : "skipped called_off") ? "" : seen(&s, row), "");
		EXPECT_TEXT(slice_starts(slice_str(seen(&s, "calendar.remove")), at ? "passed" : "") ? "" : seen(&s, "calendar.remove"), "");
		scene_close(&s);
	}
}

TEST(called_off_before_it_began)
{
	static const struct turn turns[] = { { 0 } };
	struct scene s = { 0 };
	struct want  w = { .stopping = true };
	struct error err = { 0 };

	scene_open(&s, &graph_event, turns, "called off");
	EXPECT(webevent_step(&s.event, &w, &err) == WANT_NOTHING);
	EXPECT_TEXT(seen(&s, "microsoft.calendar_event"), "skipped called_off");
	scene_close(&s);
}

TEST(abandoned_at_once)
{
	static const struct turn turns[] = { { 0 } };
	struct scene s = { 0 };

	scene_open(&s, &google_event, turns, "abandoned");
	scene_close(&s);
}
