/* The watch at Exchange against a scripted server: what must be asked, and what is answered, in order. Time is not spent. */
#include "provider/exchange_watch.h"

#include <stdlib.h>

#include "diagnose/diagnose.h"
#include "http_request.h"
#include "test.h"

/* -- a server ----------------------------------------------------------------------------------------------------------- */

#define SOAP(body)                                                                                                                 \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"" \
	" xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><s:Header><t:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"2\"" \
	" MajorBuildNumber=\"1544\" MinorBuildNumber=\"4\"/></s:Header><s:Body>" body "</s:Body></s:Envelope>"
#define RESPONSE(of, attributes, body)                                                                                              \
	SOAP("<m:" of "Response><m:ResponseMessages><m:" of "ResponseMessage " attributes ">" body "</m:" of "ResponseMessage></m:ResponseMessages></m:" of "Response>")
#define WELL(of, body)       RESPONSE(of, "ResponseClass=\"Success\"", "<m:ResponseCode>NoError</m:ResponseCode>" body)
#define ERROR(of, code, more) RESPONSE(of, "ResponseClass=\"Error\"", "<m:MessageText>no</m:MessageText><m:ResponseCode>" code "</m:ResponseCode>" more)
#define SYNC(state, last, changes) WELL("SyncFolderItems", "<m:SyncState>" state "</m:SyncState><m:IncludesLastItemInRange>" last                \
	                                "</m:IncludesLastItemInRange><m:Changes>" changes "</m:Changes>")
#define CREATED(id)          "<t:Create><t:Message><t:ItemId Id=\"" id "\" ChangeKey=\"k\"/><t:Subject>s</t:Subject></t:Message></t:Create>"
#define READ_FLAG(id)        "<t:ReadFlagChange><t:ItemId Id=\"" id "\" ChangeKey=\"k\"/><t:IsRead>true</t:IsRead></t:ReadFlagChange>"
#define DELETED(id)          "<t:Delete><t:ItemId Id=\"" id "\" ChangeKey=\"k\"/></t:Delete>"
#define ITEM(id, subject, header)                                                                                                   \
	"<m:GetItemResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message><t:ItemId Id=\"" id "\"/>"     \
	"<t:Subject>" subject "</t:Subject><t:DateTimeReceived>2026-11-22T06:00:00Z</t:DateTimeReceived><t:Size>900</t:Size><t:InternetMessageHeaders>" \
	"<t:InternetMessageHeader HeaderName=\"To\">Ann &lt;ann@birch.example&gt;</t:InternetMessageHeader>" header "</t:InternetMessageHeaders>"     \
	"<t:From><t:Mailbox><t:Name>Bob</t:Name><t:EmailAddress>bob@oak.example</t:EmailAddress></t:Mailbox></t:From>"                      \
	"<t:InternetMessageId>&lt;" id "@oak.example&gt;</t:InternetMessageId></t:Message></m:Items></m:GetItemResponseMessage>"
#define HEADER(name, value)  "<t:InternetMessageHeader HeaderName=\"" name "\">" value "</t:InternetMessageHeader>"
#define ITEMS(items)         SOAP("<m:GetItemResponse><m:ResponseMessages>" items "</m:ResponseMessages></m:GetItemResponse>")
#define INBOX                WELL("GetFolder", "<m:Folders><t:Folder><t:FolderId Id=\"f\"/></t:Folder></m:Folders>")
#define GONE                 "<m:GetItemResponseMessage ResponseClass=\"Error\"><m:ResponseCode>ErrorItemNotFound</m:ResponseCode><m:Items/></m:GetItemResponseMessage>"

#define OFFER                { "GetFolder", 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "" }
#define SIGNED_IN            { "Basic YW5uOng=|GetFolder", 200, "", INBOX }
#define ENTER                OFFER, SIGNED_IN
#define ASK(state, answer)   { "Basic YW5uOng=|<m:SyncState>" state "</m:SyncState>", 200, "", answer }
#define ASK_ITEMS(answer)    { "Basic YW5uOng=|<m:GetItem>", 200, "", answer }

struct said {
	const char *asks;             /* all of it, "|" between, must be in the request; NULL: the line is cut instead of answered */
	int         status;
	const char *fields, *body;
};

struct server {
	const struct said *said;
	size_t             at, count;
	struct buffer      pending;
	bool               piecemeal;
	size_t             cut;            /* so many bytes of the whole conversation are answered, then it ends; SIZE_MAX all */
	size_t             given;
	int                connects;
	const char        *title;
};

static void drop(struct line *l)
{
	buffer_clear(&l->out);
}

static void check(const struct server *v, const char *asks, struct slice request)
{
	struct slice rest = slice_str(asks);

	while (rest.at) {
		struct slice one = slice_cut(&rest, '|');

		if (!memmem(request.at, request.len, one.at, one.len))
			test_fail(__FILE__, __LINE__, "%s: request %zu has no %.*s in it: %.*s", v->title, v->at, (int)one.len, one.at, (int)request.len, request.at);
	}
}

/* Whatever of the script has its turn. False: the line is cut. */
static bool take_request(struct server *v, struct buffer *out)
{
	size_t             len = whole_request(buffer_held(out));
	const struct said *one;

	if (!len)
		return true;
	if (v->at == v->count)
		test_fail(__FILE__, __LINE__, "%s: more is asked than was expected: %.*s", v->title, (int)len, buffer_held(out).at);
	one = &v->said[v->at++];
	if (one->asks)
		check(v, one->asks, slice_upto(buffer_held(out), len));
	buffer_drop(out, len);
	if (!one->asks)
		return false;
	buffer_print(&v->pending, "HTTP/1.1 %d x\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n%s\r\n%s", one->status, strlen(one->body), one->fields, one->body);
	return true;
}

static enum came read_line(struct server *v, struct line *l)
{
	struct slice some;

	if (v->given == v->cut || !take_request(v, &l->out)) {
		l->ended = true;
		return CAME_END;
	}
	some = buffer_held(&v->pending);
	if (v->piecemeal)
		some = slice_upto(some, 1);
	if (some.len > v->cut - v->given)
		some = slice_upto(some, v->cut - v->given);
	if (!some.len) {
		if (v->given != v->cut)
			test_fail(__FILE__, __LINE__, "%s: waits, and nothing comes", v->title);
		l->ended = true;
		return CAME_END;
	}
	EXPECT(buffer_add(&l->in, some));
	v->given += some.len;
	buffer_drop(&v->pending, some.len);
	return CAME;
}

static enum came answer(struct server *v, struct want *w)
{
	switch (w->kind) {
	case WANT_CONNECT:
		v->connects++;
		w->connect->tried[0].came = CAME;
		buffer_clear(&w->line->in);
		buffer_clear(&w->line->out);
		buffer_clear(&v->pending);
		w->line->open = true;
		w->line->secure = w->line->ended = false;
		w->line->carrier = v;
		w->line->drop = drop;
		return CAME;
	case WANT_TLS:
		*w->tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3" };
		w->line->handshake = w->tls;
		w->line->secure = true;
		return CAME;
	case WANT_READ:
		return read_line(v, w->line);
	default:
		test_fail(__FILE__, __LINE__, "%s: a want that nobody expects", v->title);
	}
}

/* -- who watches -------------------------------------------------------------------------------------------------------- */

struct scene {
	struct server         server;
	struct endpoint       place;
	struct login          login;
	struct exchange_watch watch;
	struct arena         *job;
	const char           *told;
	int                   turns, step, rests;
	bool                  renumbered;
};

static void tell(struct scene *s)
{
	for (size_t i = 0; i < s->watch.count; i++) {
		const struct message *m = &s->watch.news[i];

		EXPECT_TEXT(m->to, "ann@birch.example");
		EXPECT_TEXT(m->from, "bob@oak.example");
		EXPECT(m->received == 1795327200 && m->size == 900 && m->message_id);
		s->told = arena_print(s->job, "%s%s%s %s", s->told, *s->told ? "|" : "", m->remote_id, m->subject ? m->subject : "-");
	}
	s->renumbered |= s->watch.renumbered;
}

enum { SCENE_OPEN, SCENE_NEWS };

static enum want_kind scene_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	switch (s->step) {
	case SCENE_OPEN:
		PASS(exchange_watch_open_step(&s->watch, w, err));
		for (;;) {
	STEP(s, SCENE_NEWS):
			PASS(exchange_watch_news_step(&s->watch, w, err));
			tell(s);
			if (s->watch.more)
				continue;
			exchange_watch_park(&s->watch);
			exchange_watch_told(&s->watch);
			EXPECT(!s->watch.session && !s->watch.report && !s->watch.page);
			s->rests += s->watch.rest_ms;
			if (s->turns-- == 0)
				return WANT_NOTHING;
			exchange_watch_wake(&s->watch);
		}
	}
	return WANT_FAILED;
}

static void scene_open(struct scene *s, const char *title, const struct said *said, const char *sync_state, int turns)
{
	*s = (struct scene){ .turns = turns, .job = arena_new(), .told = "",
		.place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .source = SOURCE_USER, .path = "/EWS/Exchange.asmx" },
		.login = { .username = "ann", .username_form = "given", .password = "x", .nonce = "0123456789abcdefghijklmn" },
		.server = { .said = said, .cut = SIZE_MAX, .title = title } };
	while (said[s->server.count].status || said[s->server.count].fields)
		s->server.count++;
	buffer_init(&s->server.pending, 1024 * 1024);
	exchange_watch_init(&s->watch, &(struct exchange_access){ .endpoint = &s->place, .login = &s->login, .address = "ann@birch.example",
		.mailbox = "ann@birch.example", .waits = waits_within(30000) }, sync_state);
}

static enum want_kind scene_run(struct scene *s, struct error *err)
{
	struct want    w = { .now_ms = 1000, .now_unix = 1795327300 };
	enum want_kind kind;

	while ((kind = scene_step(s, &w, err)) > WANT_FAILED) {
		w.came = answer(&s->server, &w);
		w.now_ms++;
	}
	return kind;
}

static void scene_close(struct scene *s)
{
	exchange_watch_release(&s->watch);
	buffer_release(&s->server.pending);
	arena_free(s->job);
}

/* -- the table ---------------------------------------------------------------------------------------------------------- */

#define CUT { NULL, 0, "", "" }

static const struct row {
	const char *name, *sync_state;
	struct said said[12];
	int         turns;
	const char *told;
	enum fault  fault;
	const char *state;           /* afterwards                              */
	int         rests;           /* in all, ms                              */
	int         connects;
	const char *cause;           /* that follows from the report; with one it was refused, without it was not */
} rows[] = {
	{ "a mailbox seen for the first time is known from now on", NULL,
	  { ENTER, { "MaxChangesReturned>512<", 200, "", SYNC("A", "false", CREATED("1") CREATED("2")) }, ASK("A", SYNC("B", "true", CREATED("3"))),
	    ASK("B", SYNC("B", "true", "")) }, 0, "", FAULT_NONE, "B", 60000, 1, "" },
	{ "what came while nobody looked is told", "A", { ENTER, ASK("A", SYNC("B", "true", CREATED("4"))), ASK_ITEMS(ITEMS(ITEM("4", "hello", ""))) },
	  0, "4 hello", FAULT_NONE, "B", 60000, 1, "" },
	{ "page by page", "A", { ENTER, ASK("A", SYNC("B", "false", CREATED("4"))), ASK_ITEMS(ITEMS(ITEM("4", "one", ""))), ASK("B", SYNC("C", "true", CREATED("5"))),
	    ASK_ITEMS(ITEMS(ITEM("5", "two", ""))) }, 0, "4 one|5 two", FAULT_NONE, "C", 60000, 1, "" },
	{ "a poll is a line of its own, and the sign-in is the question", "A",
	  { ENTER, ASK("A", SYNC("A", "true", "")), ASK("A", SYNC("B", "true", CREATED("4"))), ASK_ITEMS(ITEMS(ITEM("4", "hello", ""))), ASK("B", SYNC("B", "true", "")) },
	  2, "4 hello", FAULT_NONE, "B", 180000, 3, "" },
	{ "flags and deletions are no news", "A", { ENTER, ASK("A", SYNC("B", "true", READ_FLAG("1") DELETED("2"))) }, 0, "", FAULT_NONE, "B", 60000, 1, "" },
	{ "our test message is no news", "A",
	  { ENTER, ASK("A", SYNC("B", "true", CREATED("4") CREATED("5"))),
	    ASK_ITEMS(ITEMS(ITEM("4", "test", HEADER("X-Mailmoor-Test", "t")) ITEM("5", "hello", ""))) }, 0, "5 hello", FAULT_NONE, "B", 60000, 1, "" },
	{ "what is gone again is no failure", "A", { ENTER, ASK("A", SYNC("B", "true", CREATED("4") CREATED("5"))), ASK_ITEMS(ITEMS(GONE ITEM("5", "hello", ""))) },
	  0, "5 hello", FAULT_NONE, "B", 60000, 1, "" },
	{ "a sync state that means nothing any more: known from now on", "A",
	  { ENTER, ASK("A", ERROR("SyncFolderItems", "ErrorInvalidSyncStateData", "")), { "MaxChangesReturned>512<", 200, "", SYNC("X", "true", CREATED("9")) },
	    ASK("X", SYNC("Y", "true", CREATED("10"))), ASK_ITEMS(ITEMS(ITEM("10", "new", ""))) }, 1, "10 new", FAULT_NONE, "Y", 120000, 2, "" },
	{ "a server that answers with the same state for ever is asked once a poll", "A", { ENTER, ASK("A", SYNC("A", "false", "")) }, 0, "", FAULT_NONE, "A", 60000, 1, "" },
	{ "BackOffMilliseconds is obeyed", "A",
	  { ENTER, ASK("A", ERROR("SyncFolderItems", "ErrorServerBusy", "<m:MessageXml><t:Value Name=\"BackOffMilliseconds\">297749</t:Value></m:MessageXml>")),
	    ASK("A", SYNC("A", "true", "")) }, 1, "", FAULT_NONE, "A", 357749, 2, "" },
	{ "503 with Retry-After is obeyed", "A", { ENTER, ASK("A", SYNC("A", "true", "")), { "", 503, "Retry-After: 120\r\n", "busy" }, ASK("A", SYNC("A", "true", "")) },
	  2, "", FAULT_NONE, "A", 240000, 3, "" },
	{ "503 that says nothing, or an hour and more", "A", { ENTER, ASK("A", SYNC("A", "true", "")), { "", 503, "", "busy" }, { "", 503, "Retry-After: 86400\r\n", "" } },
	  2, "", FAULT_NONE, "A", 60000 + 300000 + 3600000, 3, "" },
	{ "busy while the news are read: they are told by the next poll", "A",
	  { ENTER, ASK("A", SYNC("B", "true", CREATED("4"))), { "GetItem", 503, "Retry-After: 60\r\n", "" }, ASK("A", SYNC("B", "true", CREATED("4"))),
	    ASK_ITEMS(ITEMS(ITEM("4", "hello", ""))) }, 1, "4 hello", FAULT_NONE, "B", 120000, 2, "" },
	{ "a 401 later is a refusal", "A", { ENTER, ASK("A", SYNC("A", "true", "")), { "Basic", 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "" } },
	  1, "", FAULT_REFUSED, "A", 60000, 2, "auth.password_rejected" },
	{ "a 401 at once as well", "A", { OFFER, { "Basic", 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "" } }, 0, "", FAULT_REFUSED, "A", 0, 1, "auth.password_rejected" },
	{ "a lost line is a loss, no refusal", "A", { ENTER, ASK("A", SYNC("A", "true", "")), CUT }, 1, "", FAULT_NETWORK, "A", 60000, 2, "" },
	{ "denied later: who signs in anew finds out why", "A", { ENTER, ASK("A", SYNC("A", "true", "")), ASK("A", ERROR("SyncFolderItems", "ErrorAccessDenied", "")) },
	  1, "", FAULT_REFUSED, "A", 60000, 2, "" },
	{ "a page that is none", "A", { ENTER, ASK("A", "<html>hello</html>") }, 0, "", FAULT_BROKEN, "A", 0, 1, "" },
};

static void expect_cause(struct scene *s, const struct row *row)
{
	struct verdict v;

	if (!*row->cause)
		return;
	report_finish(s->watch.report);
	diagnose(s->watch.report, &v);
	EXPECT_ROW(v.kind == VERDICT_FAILED && v.findings, row->name);
	EXPECT_TEXT(cause_row(v.finding[0].cause)->id, row->cause);
}

static void play(const struct row *row, bool piecemeal)
{
	struct error   err = { 0 };
	struct scene   s;
	enum want_kind kind;

	scene_open(&s, row->name, row->said, row->sync_state, row->turns);
	s.server.piecemeal = piecemeal;
	kind = scene_run(&s, &err);
	if (row->fault != err.fault)
		test_fail(__FILE__, __LINE__, "%s: %s %s", row->name, fault_name(err.fault), err.text);
	EXPECT_ROW(kind == (row->fault ? WANT_FAILED : WANT_NOTHING) && !!s.watch.report == !!row->fault, row->name);
	EXPECT_ROW(strcmp(s.told, row->told) == 0, arena_print(s.job, "%s: %s", row->name, s.told));
	EXPECT_ROW(s.watch.sync_state && strcmp(s.watch.sync_state, row->state) == 0, row->name);
	EXPECT_ROW(s.rests == row->rests, arena_print(s.job, "%s: rests %d", row->name, s.rests));
	EXPECT_ROW(s.server.connects == row->connects && s.server.at == s.server.count, arena_print(s.job, "%s: %d lines", row->name, s.server.connects));
	EXPECT_ROW(s.watch.refused == (*row->cause != '\0') && (!s.watch.refused || s.watch.report->password_tries == 1), row->name);
	expect_cause(&s, row);
	EXPECT_ROW(s.renumbered == (strstr(row->name, "means nothing") != NULL), row->name);
	scene_close(&s);
}

TEST(as_it_is_written_down)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		play(&rows[i], false);
}

TEST(byte_by_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		play(&rows[i], true);
}

/* Wherever it ends: a loss, never a refusal; and the state is that of before or of after, with the news told that lie between. */
TEST(cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t cut = 0; rows[i].fault == FAULT_NONE; cut++) {
			struct error   err = { 0 };
			struct scene   s;
			enum want_kind kind;

			scene_open(&s, rows[i].name, rows[i].said, rows[i].sync_state, rows[i].turns);
			s.server.cut = cut;
			kind = scene_run(&s, &err);
			EXPECT_ROW(!s.watch.refused, rows[i].name);
			EXPECT_ROW(kind == WANT_NOTHING || err.fault == FAULT_NETWORK || err.fault == FAULT_BROKEN, rows[i].name);
			if (!s.watch.sync_state || strcmp(s.watch.sync_state, rows[i].state) != 0)
				EXPECT_ROW(kind == WANT_FAILED && strlen(s.told) <= strlen(rows[i].told), rows[i].name);
			else
				EXPECT_ROW(strcmp(s.told, rows[i].told) == 0 || kind == WANT_FAILED, rows[i].name);
			scene_close(&s);
			if (kind == WANT_NOTHING)
				break;
		}
}

TEST(parked_it_is_small)
{
	struct scene s;

	scene_open(&s, "small", rows[0].said, "A", 0);
	exchange_watch_park(&s.watch);
	EXPECT(sizeof s.watch <= 256 && !s.watch.session && !s.watch.report && !s.watch.page);
	scene_close(&s);
}
