/* The watch at Exchange with a stream, against a server that has a mailbox, subscriptions, and things that befall it, one each time
 * somebody waits for it. Time is not spent. */
#include "provider/exchange_watch.h"

#include <stdlib.h>

#include "http_request.h"
#include "test.h"

#define ENVELOPE(body)                                                                                                             \
	"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"" \
	" xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><s:Body>" body "</s:Body></s:Envelope>"
#define RESPONSE(of, class, code, body)                                                                                             \
	ENVELOPE("<m:" of "Response><m:ResponseMessages><m:" of "ResponseMessage ResponseClass=\"" class "\"><m:ResponseCode>" code             \
	         "</m:ResponseCode>" body "</m:" of "ResponseMessage></m:ResponseMessages></m:" of "Response>")
#define WELL(of, body)   RESPONSE(of, "Success", "NoError", body)
#define STATUS(is)       WELL("GetStreamingEvents", "<m:ConnectionStatus>" is "</m:ConnectionStatus>")
#define MAIL_CAME        WELL("GetStreamingEvents", "<m:Notifications><m:Notification><t:SubscriptionId>S</t:SubscriptionId>"                      \
                              "<t:NewMailEvent><t:ItemId Id=\"i\"/></t:NewMailEvent><t:CreatedEvent><t:ItemId Id=\"i\"/></t:CreatedEvent>"         \
                              "</m:Notification></m:Notifications>")
#define EVENT(kind)      WELL("GetStreamingEvents", "<m:Notifications><m:Notification><t:SubscriptionId>S</t:SubscriptionId><t:" kind                \
                              "><t:TimeStamp>2026-11-22T06:00:00Z</t:TimeStamp><t:ItemId Id=\"i\"/><t:ParentFolderId Id=\"f\"/></t:" kind ">"       \
                              "</m:Notification></m:Notifications>")
#define BACK_OFF         "<m:MessageXml><t:Value Name=\"BackOffMilliseconds\">120000</t:Value></m:MessageXml>"
#define MAILS_MOST       20

/* What befalls it while it is waited for; letters, so that a row shows them at a glance. */
#define MAIL      "m"      /* a message comes, and the stream says so           */
#define UNTOLD    "u"      /* a message comes with what befalls before, untold  */
#define READS     "r"      /* somebody reads one: no news                       */
#define BEAT      "b"
#define CLOSES    "c"      /* the server ends it in good order                  */
#define CUT       "x"
#define RESETS    "X"
#define LOSES     "l"      /* the subscription is forgotten, and the stream says so */
#define FORGETS   "f"      /* it is closed in good order, and forgotten         */
#define FULL      "e"      /* ErrorExceededConnectionCount                      */
#define BUSY      "E"      /* ErrorServerBusy, with a time                      */
#define NONSENSE  "n"
#define DRIVEL    "d"      /* 64 KiB of an envelope that never ends             */
#define CHATTER   "h"      /* heartbeats, 64 KiB of them                        */
#define NOTHING   "."      /* the time passes                                   */

struct voice {
	struct line  *line;
	struct buffer pending;
	bool          streams, over, reset;
};

struct server {
	const char  *title, *befalls, *refuses;      /* `refuses`: the code that Subscribe is answered with, or NULL          */
	bool         loses_at_once;                  /* each stream begins with an error                                     */
	int          busy_at;                        /* which SyncFolderItems is answered with ErrorServerBusy; 0: none       */
	int          mails, subscriptions, streams, syncs, connects, late_401;
	size_t       cut, given;                     /* so many bytes of streams in all, then the line ends once; SIZE_MAX    */
	bool         piecemeal, known;
	struct voice  voice[4];
	bool         affinity;
	int64_t      skips;
};

static struct voice *voice_of(struct server *v, struct line *l)
{
	for (size_t i = 0; i < COUNT(v->voice); i++)
		if (v->voice[i].line == l)
			return &v->voice[i];
	return NULL;
}

static void drop(struct line *l)
{
	struct voice *t = voice_of(l->carrier, l);

	buffer_clear(&l->out);
	buffer_release(&t->pending);
	t->line = NULL;
}

static void say(struct voice *t, const char *status, const char *body)
{
	buffer_print(&t->pending, "HTTP/1.1 %s\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
}

static void chunk(struct voice *t, const char *text)
{
	buffer_print(&t->pending, "%zx\r\n%s\r\n", strlen(text), text);
}

static void say_changes(struct server *v, struct voice *t, struct slice request)
{
	CLEANUP(arena) struct arena *job = arena_new();
	size_t      at = slice_search(request, "<m:SyncState>");
	int         from = at < request.len ? atoi(request.at + at + strlen("<m:SyncState>")) : 0;
	const char *changes = "";

	if (++v->syncs == v->busy_at) {
		say(t, "200 OK", RESPONSE("SyncFolderItems", "Error", "ErrorServerBusy", BACK_OFF));
		return;
	}
	for (int i = from + 1; i <= v->mails; i++)
		changes = arena_print(job, "%s<t:Create><t:Message><t:ItemId Id=\"%d\"/></t:Message></t:Create>", changes, i);
	say(t, "200 OK", arena_print(job, WELL("SyncFolderItems", "<m:SyncState>%d</m:SyncState><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"
		"<m:Changes>%s</m:Changes>"), v->mails, changes));
}

static void say_items(struct voice *t, struct slice request)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *items = "";

	for (size_t at; (at = slice_search(request, "<t:ItemId Id=\"")) < request.len;) {
		request = slice_from(request, at + strlen("<t:ItemId Id=\""));
		items = arena_print(job, "%s<m:GetItemResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message>"
			"<t:ItemId Id=\"%d\"/></t:Message></m:Items></m:GetItemResponseMessage>", items, atoi(request.at));
	}
	say(t, "200 OK", arena_print(job, ENVELOPE("<m:GetItemResponse><m:ResponseMessages>%s</m:ResponseMessages></m:GetItemResponse>"), items));
}

static void say_stream(struct server *v, struct voice *t, struct slice request)
{
	EXPECT_ROW(slice_has(request, "<m:ConnectionTimeout>29<"), v->title);
	v->affinity |= slice_has(request, "Cookie: X-BackEndOverrideCookie=ex01~1\r\n");
	if (!v->known) {
		say(t, "200 OK", RESPONSE("GetStreamingEvents", "Error", "ErrorSubscriptionNotFound", ""));
		return;
	}
	v->streams++;
	t->streams = true;
	buffer_add_str(&t->pending, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n");
	chunk(t, v->loses_at_once ? RESPONSE("GetStreamingEvents", "Error", "ErrorReadEventsFailed", "") : STATUS("OK"));
}

static void say_subscription(struct server *v, struct voice *t, struct slice request)
{
	CLEANUP(arena) struct arena *job = arena_new();

	EXPECT_ROW(slice_has(request, "X-PreferServerAffinity: true") && slice_has(request, "X-AnchorMailbox: ann@birch.example")
	           && slice_has(request, "Id=\"inbox\"") && !slice_has(request, "Cookie: "), v->title);
	v->subscriptions++;
	if (v->refuses) {
		say(t, "200 OK", arena_print(job, RESPONSE("Subscribe", "Error", "%s", ""), v->refuses));
		return;
	}
	v->known = true;
	say(t, "200 OK\r\nSet-Cookie: tracker=1; path=/\r\nset-cookie: X-BackEndOverrideCookie=ex01~1; path=/EWS; secure", WELL("Subscribe", "<m:SubscriptionId>S</m:SubscriptionId>"));
}

static void take_request(struct server *v, struct voice *t)
{
	struct buffer *out = &t->line->out;
	size_t         len = whole_request(buffer_held(out));
	struct slice   request = slice_upto(buffer_held(out), len);

	if (!len)
		return;
	EXPECT_ROW(!t->streams, v->title);
	if (!slice_has(request, "Authorization: Basic YW5uOng="))
		say(t, "401 no\r\nWWW-Authenticate: Basic realm=\"x\"", "");
	else if (v->late_401 && --v->late_401 == 0)
		say(t, "401 no\r\nWWW-Authenticate: Basic realm=\"x\"", "");
	else if (slice_has(request, "<m:GetFolder>"))
		say(t, "200 OK", WELL("GetFolder", "<m:Folders><t:Folder><t:FolderId Id=\"f\"/></t:Folder></m:Folders>"));
	else if (slice_has(request, "<m:SyncFolderItems>"))
		say_changes(v, t, request);
	else if (slice_has(request, "<m:GetItem>"))
		say_items(t, request);
	else if (slice_has(request, "<m:Subscribe>"))
		say_subscription(v, t, request);
	else if (slice_has(request, "<m:GetStreamingEvents>"))
		say_stream(v, t, request);
	else
		test_fail(__FILE__, __LINE__, "%s: asks %.*s", v->title, (int)len, request.at);
	buffer_drop(out, len);
}

static void say_much(struct voice *t, const char *what)
{
	buffer_print(&t->pending, "10000\r\n");
	for (size_t i = 0, len = strlen(what); i < 0x10000; i++)
		buffer_add(&t->pending, slice(&what[i % len], 1));
	buffer_add_str(&t->pending, "\r\n");
}

/* False: nothing, and the time passes. The last thing befalls it for ever. */
static bool befall(struct server *v, struct voice *t)
{
	char what = *v->befalls;

	if (v->befalls[1])
		v->befalls++;
	v->mails += what == *MAIL || what == *UNTOLD;
	v->known &= what != *FORGETS && what != *LOSES;
	if (what == *UNTOLD)
		return befall(v, t);
	for (; *v->befalls == *UNTOLD && v->befalls[1]; v->befalls++)
		v->mails++;
	if (!t)
		return false;
	switch (what) {
	case 'm': chunk(t, MAIL_CAME); break;
	case 'r': chunk(t, EVENT("ModifiedEvent")); break;
	case 'b': chunk(t, STATUS("OK")); v->skips = 45000; break;
	case 'c': case 'f': chunk(t, STATUS("Closed")); buffer_add_str(&t->pending, "0\r\n\r\n"); break;
	case 'l': chunk(t, RESPONSE("GetStreamingEvents", "Error", "ErrorExpiredSubscription", "")); break;
	case 'e': chunk(t, RESPONSE("GetStreamingEvents", "Error", "ErrorExceededConnectionCount", "")); break;
	case 'E': chunk(t, RESPONSE("GetStreamingEvents", "Error", "ErrorServerBusy", BACK_OFF)); break;
	case 'n': chunk(t, "<html><body>hello</body></html>"); break;
	case 'd': say_much(t, "<a>drivel</a>"); break;
	case 'h': say_much(t, STATUS("OK")); break;
	case 'x': t->over = true; break;
	case 'X': t->over = t->reset = true; break;
	default:  return false;
	}
	return true;
}

static enum came read_line(struct server *v, struct line *l)
{
	struct voice *t = voice_of(v, l);
	struct slice some;

	take_request(v, t);
	if (t->streams && !buffer_held(&t->pending).len && !t->over && !befall(v, t))
		return CAME_TIMEOUT;
	some = buffer_held(&t->pending);
	some = slice_upto(some, v->piecemeal && t->streams ? 1 : 8192);
	if (t->streams && some.len > v->cut - v->given) {
		some = slice_upto(some, v->cut - v->given);
		t->over = some.len == 0;
		v->cut = some.len ? v->cut : SIZE_MAX;
	}
	if (!some.len) {
		EXPECT_ROW(t->over, v->title);
		l->ended = true;
		return t->reset ? CAME_RESET : CAME_END;
	}
	EXPECT_ROW(buffer_add(&l->in, some), v->title);
	v->given += t->streams ? some.len : 0;
	buffer_drop(&t->pending, some.len);
	return CAME;
}

static bool any_stream(const struct server *v)
{
	for (size_t i = 0; i < COUNT(v->voice); i++)
		if (v->voice[i].line && v->voice[i].streams)
			return true;
	return false;
}

static enum came answer(struct server *v, struct want *w)
{
	struct voice *t;

	switch (w->kind) {
	case WANT_CONNECT:
		v->connects++;
		w->connect->tried[0].came = CAME;
		t = voice_of(v, NULL);
		EXPECT_ROW(t != NULL, v->title);
		*t = (struct voice){ .line = w->line };
		buffer_init(&t->pending, 1024 * 1024);
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
		EXPECT_ROW(w->kind == WANT_TIME, v->title);
		if (w->wait_ms > 2000 && !any_stream(v))
			befall(v, NULL);
		return CAME_TIMEOUT;
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
	int                   turns, step;
	bool                  stood;
	int64_t               since, waited;
};

static void tell(struct scene *s)
{
	for (size_t i = 0; i < s->watch.count; i++)
		s->told = arena_print(s->job, "%s%s%s", s->told, *s->told ? " " : "", s->watch.news[i].remote_id);
}

enum { SCENE_OPEN, SCENE_NEWS, SCENE_WAIT };

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
			s->stood |= exchange_stream_stands(s->watch.stream);
			s->login = (struct login){ 0 };      /* parked there is none */
			s->since = w->now_ms;

	STEP(s, SCENE_WAIT):
			PASS(exchange_watch_wait_step(&s->watch, w, err));
			s->waited = w->now_ms - s->since;
			s->login = (struct login){ .username = "ann", .username_form = "given", .password = "x", .nonce = "0123456789abcdefghijklmn" };
			if (s->turns-- == 0)
				return WANT_NOTHING;
			exchange_watch_wake(&s->watch);
		}
	}
	return WANT_FAILED;
}

static void scene_open(struct scene *s, const char *title, const char *befalls, int turns)
{
	*s = (struct scene){ .turns = turns, .job = arena_new(), .told = "",
		.place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .source = SOURCE_USER, .path = "/EWS/Exchange.asmx" },
		.login = { .username = "ann", .username_form = "given", .password = "x", .nonce = "0123456789abcdefghijklmn" },
		.server = { .befalls = befalls, .cut = SIZE_MAX, .title = title } };
	exchange_watch_init(&s->watch, &(struct exchange_access){ .endpoint = &s->place, .login = &s->login, .address = "ann@birch.example",
		.mailbox = "ann@birch.example", .waits = waits_within(30000) }, "0");
	exchange_watch_streams(&s->watch);
}

static enum want_kind scene_run(struct scene *s, struct error *err)
{
	struct want    w = { .now_ms = 1000, .now_unix = 1795327300 };
	enum want_kind kind;

	while ((kind = scene_step(s, &w, err)) > WANT_FAILED) {
		EXPECT_ROW(w.wait_ms > 0 && w.wait_ms <= 2 * 3600 * 1000, s->server.title);
		w.came = answer(&s->server, &w);
		w.now_ms += (w.came == CAME_TIMEOUT ? w.wait_ms : 1) + s->server.skips;
		s->server.skips = 0;
	}
	return kind;
}

static void scene_close(struct scene *s)
{
	exchange_watch_release(&s->watch);
	for (size_t i = 0; i < COUNT(s->server.voice); i++)
		EXPECT_ROW(!s->server.voice[i].line, s->server.title);      /* nothing is left open */
	arena_free(s->job);
}

/* -- the table ---------------------------------------------------------------------------------------------------------- */

static const struct row {
	const char *name, *befalls, *refuses;
	int         turns;                    /* after the first               */
	const char *told;
	int         subscriptions, streams, connects;
	enum exchange_trouble trouble;        /* the last                      */
	unsigned    notifications, throttled;
} rows[] = {
	{ "a message is told when the stream says so", MAIL BEAT, NULL, 1, "1", 1, 1, 2, EXCHANGE_NO_TROUBLE, 1, 0 },
	{ "one after another, over one stream", MAIL MAIL BEAT MAIL BEAT, NULL, 3, "1 2 3", 1, 1, 4, EXCHANGE_NO_TROUBLE, 3, 0 },
	{ "heartbeats and what was read are no news", BEAT READS BEAT READS MAIL BEAT, NULL, 1, "1", 1, 1, 2, EXCHANGE_NO_TROUBLE, 1, 0 },
	{ "what a stream keeps to itself is found by asking", UNTOLD BEAT, NULL, 1, "1", 1, 1, 2, EXCHANGE_NO_TROUBLE, 0, 0 },
	{ "closed after its time: opened again", CLOSES UNTOLD MAIL BEAT, NULL, 2, "1 2", 1, 2, 3, EXCHANGE_NO_TROUBLE, 1, 0 },
	{ "cut, and a message meanwhile", CUT UNTOLD NOTHING, NULL, 1, "1", 2, 2, 2, EXCHANGE_BROKEN, 0, 0 },
	{ "reset", RESETS UNTOLD NOTHING, NULL, 1, "1", 2, 2, 2, EXCHANGE_BROKEN, 0, 0 },
	{ "silent: it is dead", NOTHING, NULL, 0, "", 1, 1, 1, EXCHANGE_BROKEN, 0, 0 },
	{ "the subscription is lost: another one", LOSES UNTOLD MAIL BEAT, NULL, 2, "1 2", 2, 2, 3, EXCHANGE_NO_TROUBLE, 1, 0 },
	{ "lost behind our back", FORGETS UNTOLD NOTHING MAIL BEAT, NULL, 4, "1 2", 2, 2, 5, EXCHANGE_NO_TROUBLE, 1, 0 },
	{ "too many connections: polled", FULL UNTOLD NOTHING, NULL, 1, "1", 1, 1, 2, EXCHANGE_BUSY, 0, 1 },
	{ "busy for two minutes: polled, and then streamed again", BUSY UNTOLD BEAT, NULL, 4, "1", 1, 2, 5, EXCHANGE_NO_TROUBLE, 0, 1 },
	{ "nonsense", NONSENSE UNTOLD NOTHING, NULL, 1, "1", 2, 2, 2, EXCHANGE_BROKEN, 0, 0 },
	{ "an envelope that never ends", DRIVEL, NULL, 0, "", 1, 1, 1, EXCHANGE_BROKEN, 0, 0 },
	{ "heartbeats for ever, as fast as they come", CHATTER, NULL, 0, "", 1, 1, 1, EXCHANGE_BROKEN, 0, 0 },
	{ "not offered: polled for good", UNTOLD NOTHING, "ErrorInvalidServerVersion", 4, "1", 1, 0, 5, EXCHANGE_NOT_OFFERED, 0, 0 },
	{ "not for a delegate", UNTOLD NOTHING, "ErrorSubscriptionDelegateAccessNotSupported", 4, "1", 1, 0, 5, EXCHANGE_NOT_OFFERED, 0, 0 },
	{ "too many subscriptions: asked for again in five minutes", UNTOLD NOTHING, "ErrorExceededSubscriptionCount", 4, "1", 1, 0, 5, EXCHANGE_BUSY, 0, 1 },
	{ "a code that nobody knows", UNTOLD NOTHING, "ErrorInternalServerError", 2, "1", 3, 0, 3, EXCHANGE_LOST, 0, 0 },
};

static void play(const struct row *row, bool piecemeal)
{
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, row->name, row->befalls, row->turns);
	s.server.refuses = row->refuses;
	s.server.piecemeal = piecemeal;
	if (scene_run(&s, &err) != WANT_NOTHING)
		test_fail(__FILE__, __LINE__, "%s: %s %s", row->name, fault_name(err.fault), err.text);
	EXPECT_ROW(strcmp(s.told, row->told) == 0, arena_print(s.job, "%s: told %s", row->name, s.told));
	EXPECT_ROW(s.server.subscriptions == row->subscriptions && s.server.streams == row->streams && s.server.connects == row->connects,
	           arena_print(s.job, "%s: %d subscriptions, %d streams, %d lines", row->name, s.server.subscriptions, s.server.streams, s.server.connects));
	EXPECT_ROW(s.watch.stream->trouble == row->trouble, arena_print(s.job, "%s: trouble %d %s", row->name, s.watch.stream->trouble, s.watch.stream->why));
	EXPECT_ROW(s.watch.stream->notifications == row->notifications && s.watch.throttled == row->throttled,
	           arena_print(s.job, "%s: %u notifications, %u throttled", row->name, s.watch.stream->notifications, s.watch.throttled));
	EXPECT_ROW(s.stood == (row->streams > 0) && (!row->streams || s.server.affinity), row->name);
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
		if (!strstr(rows[i].befalls, DRIVEL) && !strstr(rows[i].befalls, CHATTER))
			play(&rows[i], true);
}

/* Wherever the stream ends: everything is told, once, and a stream stands again. */
TEST(cut_at_every_byte)
{
	for (size_t cut = 0; cut < 4000; cut++) {
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, "cut", MAIL BEAT MAIL UNTOLD MAIL BEAT, 5);
		s.server.cut = cut;
		EXPECT(scene_run(&s, &err) == WANT_NOTHING);
		EXPECT_TEXT(s.told, "1 2 3 4");
		EXPECT(s.server.subscriptions <= 2 && exchange_stream_stands(s.watch.stream));
		scene_close(&s);
	}
}

/* Where each of them fails at once they are asked for ever more seldom, and it is polled meanwhile. */
TEST(what_fails_over_and_over_is_asked_for_seldom)
{
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, "over and over", NOTHING, 200);
	s.server.loses_at_once = true;
	EXPECT(scene_run(&s, &err) == WANT_NOTHING);
	EXPECT(s.server.syncs > 200 && s.server.streams >= 8 && s.server.streams <= 16);
	scene_close(&s);
}

TEST(a_busy_server_is_left_alone_and_the_report_says_so)
{
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, "busy", NOTHING, 1);
	s.server.busy_at = 2;
	EXPECT(scene_run(&s, &err) == WANT_NOTHING);
	EXPECT(s.watch.throttled == 1 && s.watch.busy_ms == 120000 && s.watch.rest_ms == 120000);
	EXPECT(s.waited >= 120000 && s.waited <= 135001);
	scene_close(&s);
}

/* Before it was ever connected, that ends it, and how long it is to be left alone is known all the same. */
TEST(a_server_that_is_busy_at_once)
{
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, "busy at once", NOTHING, 0);
	free(s.watch.sync_state);
	s.watch.sync_state = NULL;
	s.server.busy_at = 1;
	EXPECT(scene_run(&s, &err) == WANT_FAILED && err.fault == FAULT_BUSY && s.watch.busy_ms == 120000 && s.watch.throttled == 1 && !s.watch.refused);
	scene_close(&s);
}

/* Between two polls about a minute goes by, and not always the same. */
TEST(polls_have_dice)
{
	int64_t least = INT64_MAX, most = 0;

	for (int i = 0; i < 60; i++) {
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, "dice", NOTHING, 0);
		s.server.refuses = "ErrorInvalidServerVersion";
		EXPECT(scene_run(&s, &err) == WANT_NOTHING);
		least = s.waited < least ? s.waited : least;
		most = s.waited > most ? s.waited : most;
		scene_close(&s);
	}
	EXPECT(least >= 52500 && most <= 67500 && most - least > 3000);
}

/* In the midst of a turn as at its beginning: one try, counted. */
TEST(a_late_refusal_is_one)
{
	for (int request = 2; request <= 4; request++) {
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, "refused", NOTHING, 1);
		s.server.late_401 = request;
		EXPECT(scene_run(&s, &err) == WANT_FAILED && err.fault == FAULT_REFUSED);
		EXPECT(s.watch.refused && s.watch.report->password_tries == 1);
		scene_close(&s);
	}
}

TEST(held_it_is_small)
{
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, "small", BEAT NOTHING, 0);
	EXPECT(sizeof(struct exchange_stream) + sizeof(struct exchange_session) <= 4096);
	EXPECT(scene_run(&s, &err) == WANT_NOTHING);
	scene_close(&s);
}
