/* Mailboxes that share a stream, against a server that has mailboxes, subscriptions, and streams of several of these. One clock for all of
 * them; time is not spent. */
#include "provider/exchange_watch.h"

#include <stdio.h>
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
#define BEAT_MS          45000
#define PEOPLE           24
#define MINUTE           (60 * 1000)

struct voice {
	struct line  *line;
	struct buffer pending;
	bool          streams, over;
	bool          hears[PEOPLE];
	int64_t       beats_ms;
};

struct server {
	const char  *refuses;                  /* the code that GetStreamingEvents is answered with, or NULL        */
	const char  *subscribes_not;           /* likewise Subscribe                                                */
	int          mails[PEOPLE], subscription[PEOPLE];      /* its number; 0: there is none                     */
	int          subscriptions, streams, syncs, without_cookie;
	size_t       asked_for;                /* subscriptions, on the last stream                                 */
	size_t       cut, given;               /* so many bytes of streams in all, then the line ends once          */
	char         anchor[40];
	struct voice voice[PEOPLE + 4];
};

struct one {
	struct exchange_watch watch;
	struct endpoint       place;
	struct login          login;
	char                  mailbox[40];
	char                  told[64];
	struct want           want;
	enum want_kind        kind;
	int64_t               until_ms;
	int                   step, number;
	bool                  runs;
};

struct town {
	struct server          server;
	struct exchange_group *group;
	struct want            want;
	enum want_kind         kind;
	int64_t                until_ms, now_ms;
	struct one             one[PEOPLE];
	int                    awake, most_awake;
	bool                   runs;
};

/* -- the server --------------------------------------------------------------------------------------------------------- */

static struct voice *voice_of(struct server *v, const struct line *l)
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
	*t = (struct voice){ 0 };
}

static void say(struct voice *t, const char *fields, const char *body)
{
	buffer_print(&t->pending, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n%sContent-Length: %zu\r\n\r\n%s", fields, strlen(body), body);
}

static void chunk(struct voice *t, const char *text)
{
	buffer_print(&t->pending, "%zx\r\n%s\r\n", strlen(text), text);
}

static int number_behind(struct slice s, const char *what)
{
	size_t at = slice_search(s, what);

	return at < s.len ? atoi(s.at + at + strlen(what)) : -1;
}

static void check_affinity(struct server *v, struct slice request)
{
	struct slice anchor = slice_from(request, slice_search(request, "X-AnchorMailbox: ") + 17);

	anchor = slice_upto(anchor, strcspn(anchor.at, "\r"));
	EXPECT(slice_has(request, "X-PreferServerAffinity: true\r\n"));
	if (!slice_has(request, "Cookie: X-BackEndOverrideCookie=ex01~1\r\n")) {
		v->without_cookie++;
		snprintf(v->anchor, sizeof v->anchor, "%.*s", (int)anchor.len, anchor.at);
	}
	EXPECT(slice_is(anchor, v->anchor));
}

static void say_changes(struct server *v, struct voice *t, int who, struct slice request)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *changes = "";

	v->syncs++;
	for (int i = number_behind(request, "<m:SyncState>") + 1; i <= v->mails[who]; i++)
		changes = arena_print(job, "%s<t:Create><t:Message><t:ItemId Id=\"%d\"/></t:Message></t:Create>", changes, i);
	say(t, "", arena_print(job, WELL("SyncFolderItems", "<m:SyncState>%d</m:SyncState><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"
		"<m:Changes>%s</m:Changes>"), v->mails[who], changes));
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
	say(t, "", arena_print(job, ENVELOPE("<m:GetItemResponse><m:ResponseMessages>%s</m:ResponseMessages></m:GetItemResponse>"), items));
}

static void say_subscription(struct server *v, struct voice *t, int who, struct slice request)
{
	CLEANUP(arena) struct arena *job = arena_new();

	check_affinity(v, request);
	v->subscriptions++;
	if (v->subscribes_not) {
		say(t, "", arena_print(job, RESPONSE("Subscribe", "Error", "%s", ""), v->subscribes_not));
		return;
	}
	v->subscription[who] = v->subscriptions;
	say(t, "Set-Cookie: X-BackEndOverrideCookie=ex01~1; path=/\r\n",
	    arena_print(job, WELL("Subscribe", "<m:SubscriptionId>S%d</m:SubscriptionId>"), v->subscriptions));
}

static int whose(const struct server *v, int subscription)
{
	for (int i = 0; i < PEOPLE; i++)
		if (v->subscription[i] == subscription)
			return i;
	return -1;
}

/* No longer on the line that it was on, as one that asks again finds it. */
static void hear(struct server *v, struct voice *t, int who)
{
	for (size_t i = 0; i < COUNT(v->voice); i++)
		v->voice[i].hears[who] = false;
	t->hears[who] = true;
}

static void say_stream(struct server *v, struct voice *t, struct slice request, int64_t now_ms)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *missing = "";

	check_affinity(v, request);
	EXPECT(!slice_has(request, "ExchangeImpersonation"));      /* the login itself asks for what is its */
	v->streams++;
	v->asked_for = 0;
	if (v->refuses) {
		say(t, "", arena_print(job, RESPONSE("GetStreamingEvents", "Error", "%s", ""), v->refuses));
		return;
	}
	for (size_t at; (at = slice_search(request, "SubscriptionId>S")) < request.len; v->asked_for++) {
		int number, who;

		request = slice_from(request, at + strlen("SubscriptionId>S"));
		number = atoi(request.at);
		who = whose(v, number);
		if (who >= 0)
			hear(v, t, who);
		else
			missing = arena_print(job, "%s<t:SubscriptionId>S%d</t:SubscriptionId>", missing, number);
	}
	t->streams = true;
	t->beats_ms = now_ms + BEAT_MS;
	buffer_add_str(&t->pending, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n");
	chunk(t, STATUS("OK"));
	if (*missing)
		chunk(t, arena_print(job, RESPONSE("GetStreamingEvents", "Error", "ErrorSubscriptionNotFound", "<m:ErrorSubscriptionIds>%s</m:ErrorSubscriptionIds>"), missing));
}

static void take_request(struct server *v, struct voice *t, int64_t now_ms)
{
	struct buffer *out = &t->line->out;
	size_t         len = whole_request(buffer_held(out));
	struct slice   request = slice_upto(buffer_held(out), len);
	int            who = number_behind(request, "<t:PrimarySmtpAddress>p");

	if (!len)
		return;
	EXPECT(!t->streams);
	if (!slice_has(request, "Authorization: Basic "))
		buffer_add_str(&t->pending, "HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	else if (slice_has(request, "<m:GetStreamingEvents>"))
		say_stream(v, t, request, now_ms);
	else if (who < 0 || who >= PEOPLE)
		test_fail(__FILE__, __LINE__, "asks in nobody's name: %.*s", (int)len, request.at);
	else if (slice_has(request, "<m:GetFolder>"))
		say(t, "", WELL("GetFolder", "<m:Folders><t:Folder><t:FolderId Id=\"f\"/></t:Folder></m:Folders>"));
	else if (slice_has(request, "<m:SyncFolderItems>"))
		say_changes(v, t, who, request);
	else if (slice_has(request, "<m:GetItem>"))
		say_items(t, request);
	else if (slice_has(request, "<m:Subscribe>"))
		say_subscription(v, t, who, request);
	buffer_drop(out, len);
}

static struct voice *stream_of(struct server *v)
{
	for (size_t i = 0; i < COUNT(v->voice); i++)
		if (v->voice[i].line && v->voice[i].streams)
			return &v->voice[i];
	return NULL;
}

static void mail_to(struct server *v, int who)
{
	CLEANUP(arena) struct arena *job = arena_new();

	v->mails[who]++;
	for (size_t i = 0; i < COUNT(v->voice); i++)
		if (v->voice[i].line && v->voice[i].streams && v->voice[i].hears[who])
			chunk(&v->voice[i], arena_print(job, WELL("GetStreamingEvents", "<m:Notifications><m:Notification><t:SubscriptionId>S%d</t:SubscriptionId>"
				"<t:NewMailEvent><t:ItemId Id=\"i\"/></t:NewMailEvent></m:Notification></m:Notifications>"), v->subscription[who]));
}

/* CAME_NOTHING: not yet. */
static enum came read_line(struct server *v, struct line *l, int64_t now_ms)
{
	struct voice *t = voice_of(v, l);
	struct slice  some;

	take_request(v, t, now_ms);
	if (t->streams && now_ms >= t->beats_ms && !t->over) {
		t->beats_ms = now_ms + BEAT_MS;
		chunk(t, STATUS("OK"));
	}
	some = slice_upto(buffer_held(&t->pending), 8192);
	if (t->streams && some.len > v->cut - v->given) {
		some = slice_upto(some, v->cut - v->given);
		t->over |= some.len == 0;
		v->cut = some.len ? v->cut : SIZE_MAX;
	}
	if (!some.len && !t->over)
		return CAME_NOTHING;
	if (!some.len) {
		l->ended = true;
		return CAME_END;
	}
	EXPECT(buffer_add(&l->in, some));
	v->given += t->streams ? some.len : 0;
	buffer_drop(&t->pending, some.len);
	return CAME;
}

static void connect_line(struct server *v, struct want *w)
{
	struct voice *t = voice_of(v, NULL);

	EXPECT(t != NULL);
	w->connect->tried[0].came = CAME;
	*t = (struct voice){ .line = w->line };
	buffer_init(&t->pending, 4 * 1024 * 1024);
	w->line->open = true;
	w->line->secure = w->line->ended = false;
	w->line->carrier = v;
	w->line->drop = drop;
}

static enum came answer(struct server *v, struct want *w)
{
	switch (w->kind) {
	case WANT_CONNECT:
		connect_line(v, w);
		return CAME;
	case WANT_TLS:
		*w->tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3" };
		w->line->handshake = w->tls;
		w->line->secure = true;
		return CAME;
	case WANT_READ:
		return read_line(v, w->line, w->now_ms);
	case WANT_GATE:
		return w->gate->open ? CAME : CAME_NOTHING;
	default:
		EXPECT(w->kind == WANT_TIME);
		return CAME_NOTHING;
	}
}

/* -- who watches -------------------------------------------------------------------------------------------------------- */

enum { ONE_OPEN, ONE_NEWS, ONE_WAIT };

static void tell(struct one *o)
{
	for (size_t i = 0; i < o->watch.count; i++)
		snprintf(o->told + strlen(o->told), sizeof o->told - strlen(o->told), "%s%s", *o->told ? " " : "", o->watch.news[i].remote_id);
}

static void open_login(struct one *o)
{
	o->login = (struct login){ .username = "service", .username_form = "given", .password = "x", .nonce = "0123456789abcdefghijklmn" };
}

static enum want_kind one_step(struct one *o, struct want *w, struct error *err)
{
	switch (o->step) {
	case ONE_OPEN:
		PASS(exchange_watch_open_step(&o->watch, w, err));
		for (;;) {
	STEP(o, ONE_NEWS):
			PASS(exchange_watch_news_step(&o->watch, w, err));
			tell(o);
			if (o->watch.more)
				continue;
			exchange_watch_park(&o->watch);
			exchange_watch_told(&o->watch);
			o->login = (struct login){ 0 };

	STEP(o, ONE_WAIT):
			PASS(exchange_watch_wait_step(&o->watch, w, err));
			open_login(o);
			exchange_watch_wake(&o->watch);
		}
	}
	return WANT_FAILED;
}

static void joins(struct town *t, int n, const char *state)
{
	struct one *o = &t->one[n];

	*o = (struct one){ .number = n, .runs = true,
		.place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .source = SOURCE_USER, .path = "/EWS/Exchange.asmx" } };
	snprintf(o->mailbox, sizeof o->mailbox, "p%d@birch.example", n);
	open_login(o);
	exchange_watch_init(&o->watch, &(struct exchange_access){ .endpoint = &o->place, .login = &o->login, .address = o->mailbox,
		.mailbox = o->mailbox, .others = true, .act_as = true, .waits = waits_within(30000) }, state);
	exchange_watch_shares(&o->watch, t->group);
}

static void leaves(struct town *t, int n)
{
	if (t->one[n].runs)
		exchange_watch_release(&t->one[n].watch);
	t->one[n].runs = false;
}

static struct town *town_new(int people)
{
	struct town *t = must_alloc(sizeof *t);

	t->server.cut = SIZE_MAX;
	t->now_ms = 1000;
	t->group = exchange_group_new();
	t->runs = true;
	for (int n = 0; n < people; n++)
		joins(t, n, "0");
	return t;
}

static void town_free(struct town *t)
{
	for (int n = 0; n < PEOPLE; n++)
		leaves(t, n);
	exchange_group_free(t->group);
	for (size_t i = 0; i < COUNT(t->server.voice); i++)
		EXPECT(!t->server.voice[i].line);      /* nothing is left open */
	free(t);
}

/* True: it took a step. `kind` WANT_NOTHING: it has not begun. */
static bool run_one(struct town *t, enum want_kind *kind, struct want *w, int64_t *until_ms, struct one *o)
{
	struct error err = { 0 };
	enum came    came = CAME_NOTHING;

	w->now_ms = t->now_ms;
	w->now_unix = 1795327300;
	if (*kind != WANT_NOTHING) {
		came = answer(&t->server, w);
		if (came == CAME_NOTHING && t->now_ms < *until_ms)
			return false;
	}
	w->came = *kind == WANT_NOTHING ? CAME_NOTHING : came == CAME_NOTHING ? CAME_TIMEOUT : came;
	*kind = o ? one_step(o, w, &err) : exchange_group_step(t->group, w, &err);
	if (*kind == WANT_FAILED)
		test_fail(__FILE__, __LINE__, "%s: %s %s", o->mailbox, fault_name(err.fault), err.text);
	EXPECT(*kind == WANT_NOTHING || w->wait_ms > 0);
	*until_ms = t->now_ms + w->wait_ms;
	return *kind != WANT_NOTHING;
}

static void count_awake(struct town *t)
{
	t->awake = 0;
	for (int n = 0; n < PEOPLE; n++)
		t->awake += t->one[n].runs && t->one[n].watch.session;
	t->most_awake = t->awake > t->most_awake ? t->awake : t->most_awake;
}

static bool run_all(struct town *t)
{
	bool any = t->runs && run_one(t, &t->kind, &t->want, &t->until_ms, NULL);

	for (int n = 0; n < PEOPLE; n++) {
		any |= t->one[n].runs && run_one(t, &t->one[n].kind, &t->one[n].want, &t->one[n].until_ms, &t->one[n]);
		count_awake(t);
	}
	return any;
}

static void earliest(int64_t *least, int64_t ms)
{
	*least = ms < *least ? ms : *least;
}

/* So long by their clock. */
static void pass(struct town *t, int64_t ms)
{
	int64_t end_ms = t->now_ms + ms;

	while (t->now_ms < end_ms) {
		const struct voice *stream = stream_of(&t->server);
		int64_t             next_ms = end_ms;

		if (run_all(t)) {
			t->now_ms++;
			continue;
		}
		if (t->runs)
			earliest(&next_ms, t->until_ms);
		for (int n = 0; n < PEOPLE; n++)
			if (t->one[n].runs)
				earliest(&next_ms, t->one[n].until_ms);
		if (stream)
			earliest(&next_ms, stream->beats_ms);
		t->now_ms = next_ms > t->now_ms ? next_ms : t->now_ms + 1;
	}
}

static int heard(const struct town *t)
{
	int n = 0;

	for (int i = 0; i < PEOPLE; i++)
		n += t->one[i].runs && exchange_watch_is_told(&t->one[i].watch);
	return n;
}

static void expect_told(const struct town *t, int people, const char *what)
{
	for (int n = 0; n < people; n++)
		if (t->one[n].runs)
			EXPECT_TEXT(t->one[n].told, what);
}

static void mail_to_all(struct town *t)
{
	for (int n = 0; n < PEOPLE; n++)
		if (t->one[n].runs)
			mail_to(&t->server, n);
}

/* -- the tests ---------------------------------------------------------------------------------------------------------- */

TEST(many_are_told_over_one_stream)
{
	struct town *t = town_new(20);

	pass(t, 20 * 1000);
	EXPECT(heard(t) == 20 && t->server.streams == 1 && t->server.subscriptions == 20 && t->server.asked_for == 20);
	EXPECT(t->server.without_cookie == 1);      /* the first one's Subscribe decides where all of them are */
	t->most_awake = 0;
	mail_to_all(t);
	pass(t, 10 * 1000);
	expect_told(t, 20, "1");
	EXPECT(t->most_awake > 1 && t->most_awake <= EXCHANGE_GROUP_WOKEN);
	mail_to(&t->server, 7);
	pass(t, 3 * 1000);
	EXPECT_TEXT(t->one[7].told, "1 2");
	EXPECT_TEXT(t->one[8].told, "1");
	pass(t, 20 * MINUTE);
	EXPECT(heard(t) == 20 && t->server.streams == 1 && t->server.subscriptions == 20);
	EXPECT(t->one[7].watch.stream->notifications == 2);
	town_free(t);
}

/* Looked at anew, as each is once a day: nobody else notices, and the server neither. */
TEST(who_comes_back_has_its_seat)
{
	struct town *t = town_new(5);

	pass(t, 20 * 1000);
	leaves(t, 0);
	mail_to(&t->server, 0);
	pass(t, MINUTE);
	joins(t, 0, "0");
	pass(t, 2 * 1000);
	EXPECT_TEXT(t->one[0].told, "1");
	EXPECT(t->group->count == 5 && heard(t) == 5);
	mail_to(&t->server, 0);
	pass(t, 5 * MINUTE);
	EXPECT_TEXT(t->one[0].told, "1 2");
	EXPECT(t->server.subscriptions == 5 && t->server.streams == 1);
	town_free(t);
}

TEST(who_goes_and_who_comes_have_it_opened_again_once)
{
	struct town *t = town_new(6);

	pass(t, 20 * 1000);
	leaves(t, 1);
	leaves(t, 2);
	pass(t, 3 * MINUTE);
	EXPECT(t->group->count == 4 && t->server.streams == 2 && t->server.asked_for == 4 && heard(t) == 4);
	for (int n = 6; n < 12; n++) {
		joins(t, n, "0");
		pass(t, 2000);
	}
	mail_to_all(t);      /* those that are not in it yet are polled */
	pass(t, 90 * 1000);
	expect_told(t, 12, "1");
	EXPECT(t->server.streams == 3 && t->server.asked_for == 10 && heard(t) == 10 && t->server.subscriptions == 12);
	mail_to_all(t);
	pass(t, 5000);
	expect_told(t, 12, "1 2");
	town_free(t);
}

/* Who is the anchor may go: its server is known. And the last one ends it. */
TEST(all_go)
{
	struct town *t = town_new(3);

	pass(t, 20 * 1000);
	leaves(t, 0);
	pass(t, 4 * MINUTE);
	EXPECT(heard(t) == 2 && t->server.streams == 2 && t->server.without_cookie == 1);
	leaves(t, 1);
	leaves(t, 2);
	pass(t, 4 * MINUTE);
	EXPECT(t->group->count == 0 && t->kind == WANT_NOTHING && !stream_of(&t->server));
	joins(t, 4, "0");
	pass(t, 20 * 1000);
	EXPECT(heard(t) == 1);
	town_free(t);
}

enum ending { ENDS_CUT, ENDS_CLOSED, ENDS_NONSENSE, ENDS_LOST, ENDS_SILENT };

static void end_stream(struct town *t, enum ending how)
{
	struct voice *s = stream_of(&t->server);

	for (int n = 0; n < PEOPLE; n++)
		s->hears[n] = false;
	switch (how) {
	case ENDS_CUT:      s->over = true; break;
	case ENDS_CLOSED:   chunk(s, STATUS("Closed")); buffer_add_str(&s->pending, "0\r\n\r\n"); break;
	case ENDS_NONSENSE: chunk(s, "<html/>"); break;
	case ENDS_LOST:     chunk(s, RESPONSE("GetStreamingEvents", "Error", "ErrorSubscriptionNotFound", "")); break;
	case ENDS_SILENT:   s->beats_ms = INT64_MAX; break;
	}
}

/* However it ends: nothing is lost, each is told once, and it stands again. */
TEST(it_ends_and_is_opened_again)
{
	for (enum ending how = ENDS_CUT; how <= ENDS_SILENT; how++) {
		struct town *t = town_new(10);

		pass(t, 2 * MINUTE);
		end_stream(t, how);
		mail_to_all(t);
		pass(t, 5 * MINUTE);
		expect_told(t, 10, "1");
		EXPECT(heard(t) == 10 && t->server.streams == 2);
		EXPECT(t->server.subscriptions == (how == ENDS_CLOSED ? 10 : 20) && t->server.without_cookie == (how == ENDS_CLOSED ? 1 : 2));
		mail_to_all(t);
		pass(t, 10 * 1000);
		expect_told(t, 10, "1 2");
		town_free(t);
	}
}

/* One that the server has lost subscribes anew; the others are told on meanwhile. */
TEST(one_subscription_is_lost)
{
	struct town  *t = town_new(4);
	struct voice *s;

	pass(t, 2 * MINUTE);
	s = stream_of(&t->server);
	s->hears[2] = false;
	chunk(s, RESPONSE("GetStreamingEvents", "Error", "ErrorSubscriptionNotFound", "<m:ErrorSubscriptionIds><t:SubscriptionId>S3</t:SubscriptionId>"
	                  "</m:ErrorSubscriptionIds>"));
	t->server.mails[2]++;
	pass(t, 3000);
	EXPECT(heard(t) == 3 && t->server.streams == 1 && t->server.subscriptions == 5);
	mail_to(&t->server, 1);
	pass(t, 3000);
	EXPECT_TEXT(t->one[1].told, "1");
	EXPECT_TEXT(t->one[2].told, "1");
	pass(t, 40 * 1000);
	EXPECT(heard(t) == 4 && t->server.streams == 2 && t->server.subscriptions == 5);
	mail_to(&t->server, 2);
	pass(t, 3000);
	EXPECT_TEXT(t->one[2].told, "1 2");
	town_free(t);
}

/* One is not there when the stream is opened: the same. */
TEST(one_is_on_another_server)
{
	struct town *t = town_new(4);

	pass(t, 1500);
	EXPECT(t->server.streams == 0 && t->server.subscriptions == 4);
	t->server.subscription[3] = 0;
	pass(t, 10 * 1000);
	EXPECT(heard(t) == 3 && t->server.streams == 1 && stream_of(&t->server));
	mail_to_all(t);
	pass(t, 2 * MINUTE);
	expect_told(t, 4, "1");
	town_free(t);
}

/* Where none can be had it is polled, and asked for ever more seldom. */
TEST(none_is_to_be_had)
{
	static const struct { const char *refuses, *subscribes_not; int streams_least, streams_most, subscriptions_most; } rows[] = {
		{ "ErrorInvalidServerVersion", NULL, 1, 1, 10 },
		{ "ErrorExceededConnectionCount", NULL, 10, 13, 5 },
		{ "ErrorInternalServerError", NULL, 4, 9, 50 },
		{ NULL, "ErrorInvalidServerVersion", 0, 0, 5 },
		{ NULL, "ErrorInternalServerError", 0, 0, 50 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct town *t = town_new(5);

		t->server.refuses = rows[i].refuses;
		t->server.subscribes_not = rows[i].subscribes_not;
		t->server.cut = SIZE_MAX;
		pass(t, MINUTE);
		for (int n = 0; n < 5; n++)
			t->server.mails[n]++;
		pass(t, MINUTE + 15 * 1000);
		expect_told(t, 5, "1");
		pass(t, 57 * MINUTE);
		EXPECT(heard(t) == 0 && t->server.syncs >= 5 * 50 && t->server.syncs <= 5 * 80);
		if (t->server.streams < rows[i].streams_least || t->server.streams > rows[i].streams_most || t->server.subscriptions > rows[i].subscriptions_most)
			test_fail(__FILE__, __LINE__, "row %zu: %d streams, %d subscriptions", i, t->server.streams, t->server.subscriptions);
		town_free(t);
	}
}

/* Whoever is to open it, or is the first to subscribe, may go at that very moment. */
TEST(who_is_in_the_midst_of_it_goes)
{
	for (int turns = 0; turns < 400; turns++) {
		struct town *t = town_new(4);
		struct one  *busy = NULL;

		for (int i = 0; i < turns; i++)
			pass(t, 1 + i / 40 * 10);
		for (int n = 0; n < 4; n++)
			if (t->one[n].watch.session && (!busy || t->group->opener == t->one[n].watch.seat || t->group->first == t->one[n].watch.seat))
				busy = &t->one[n];
		if (busy)
			leaves(t, busy->number);
		pass(t, 2 * MINUTE);
		EXPECT(heard(t) == (busy ? 3 : 4));
		mail_to_all(t);
		pass(t, 10 * 1000);
		expect_told(t, 4, "1");
		town_free(t);
	}
}

TEST(cut_at_every_byte)
{
	for (size_t cut = 0; cut < 1500; cut++) {
		struct town *t = town_new(3);

		t->server.cut = cut;
		pass(t, 10 * 1000);
		mail_to_all(t);
		pass(t, 5 * MINUTE);
		expect_told(t, 3, "1");
		EXPECT(heard(t) == 3);
		town_free(t);
	}
}

TEST(two_hundred_and_no_more)
{
	struct exchange_group *g = exchange_group_new();
	struct exchange_seat  *seat[EXCHANGE_GROUP_MOST];

	for (int n = 0; n < EXCHANGE_GROUP_MOST; n++) {
		EXPECT(exchange_group_takes(g, "ann@birch.example"));
		seat[n] = exchange_seat_take(g, "ann@birch.example");
	}
	EXPECT(!exchange_group_takes(g, "ann@birch.example"));
	exchange_seat_leave(seat[0]);      /* it had no subscription to be kept */
	EXPECT(exchange_group_takes(g, "bob@birch.example"));
	for (int n = 1; n < EXCHANGE_GROUP_MOST; n++)
		exchange_seat_leave(seat[n]);
	EXPECT(g->count == 0);
	exchange_group_free(g);
}

TEST(a_seat_is_small)
{
	EXPECT(sizeof(struct exchange_seat) + sizeof(struct exchange_stream) <= 384);
}
