/* Calendars that are watched: a server that is written down beforehand, what is remembered of their entries, and all that is told. */
#include "provider/caldav_watch.h"

#include "model/facts.h"
#include "web_peer.h"

#define MULTI(inner)  "207 Multi-Status\nContent-Type: application/xml\n\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:s=\"http://calendarserver.org/ns/\">" inner "</d:multistatus>"
#define OF(path, inner) "<d:response><d:href>" path "</d:href>" inner "</d:response>"
#define PROPS(inner)  "<d:propstat><d:prop>" inner "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
#define CAL(path, name, more) OF(path, PROPS("<d:resourcetype><d:collection/><c:calendar/></d:resourcetype><d:displayname>" name "</d:displayname>" more))
#define TOKEN(t)      "<d:sync-token>" t "</d:sync-token>"
#define CTAG(t)       "<s:getctag>" t "</s:getctag>"
#define RIGHTS(r)     "<d:current-user-privilege-set><d:privilege><" r "/></d:privilege></d:current-user-privilege-set>"
#define THERE(name, tag) OF("/h/w/" name, PROPS("<d:getetag>" tag "</d:getetag>"))
#define GONE(name)    OF("/h/w/" name, "<d:status>HTTP/1.1 404 Not Found</d:status>")
#define DATA(name, tag, data) OF("/h/w/" name, PROPS("<d:getetag>" tag "</d:getetag><c:calendar-data>" data "</c:calendar-data>"))
#define EVENT(more)   "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\n" more "\nEND:VEVENT\nEND:VCALENDAR\n"
#define TEA           EVENT("SUMMARY:Tea\nDTSTART:20261122T100000Z\nDTEND:20261122T110000Z")
#define LISTS(answer) { "PROPFIND /h/ HTTP/1.1\nDepth: 1\n<s:getctag/>\nAuthorization: Basic", answer, KEEPS }
#define SYNCS(token, answer) { "REPORT /h/w/ HTTP/1.1\n<d:sync-token>" token "</d:sync-token>", answer, KEEPS }
#define FETCHES(hrefs, answer) { "REPORT /h/w/ HTTP/1.1\n<c:calendar-multiget\n" hrefs, answer, KEEPS }
#define ETAGS(answer) { "PROPFIND /h/w/ HTTP/1.1\nDepth: 1\n<d:getetag/>", answer, KEEPS }
#define ITSELF(answer) { "PROPFIND /h/w/ HTTP/1.1\nDepth: 0\n<d:getetag/>", answer, KEEPS }
#define NOT(status, condition) status "\nContent-Type: application/xml\n\n<d:error xmlns:d=\"DAV:\"><d:" condition "/></d:error>"
#define WORK(token)   LISTS(MULTI(CAL("/h/w/", "Work", TOKEN(token))))
#define TURNS 6

/* Known before is a calendar /h/w/ with the token "t1", or with a tag "c1" where `by_tags`, unless it is new; and of its entries `was`. */
static const struct {
	const char *name;
	bool        is_new, by_tags;
	const char *was;                         /* "a=1 b=2" */
	struct turn turn[TURNS];
	enum fault  fault;
	const char *told, *is, *token;           /* token NULL: the calendar is watched no more, or never */
	bool        busy;
} rows[] = {
	{ "nothing has changed: one question", false, false, "a=1", { WORK("t1") }, FAULT_NONE, "", "a=1 ", "t1", false },
	{ "another's event is added", false, false, "a=1", { WORK("t2"), SYNCS("t1", MULTI(THERE("b", "9") TOKEN("t2"))), FETCHES("<d:href>/h/w/b</d:href>", MULTI(DATA("b", "9", TEA))) },
	  FAULT_NONE, "added /h/w/b Tea 1795341600 ", "a=1 b=9 ", "t2", false },
	{ "changed, removed, and what we know already", false, false, "a=1 b=2 c=3", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "7") GONE("b") THERE("c", "3") GONE("never") TOKEN("t2"))),
	  FETCHES("<d:href>/h/w/a</d:href>", MULTI(DATA("a", "7", TEA))) }, FAULT_NONE, "changed /h/w/a Tea 1795341600 removed /h/w/b ", "a=7 c=3 ", "t2", false },
	{ "a calendar seen for the first time is not told", true, false, "", { WORK("t5"), SYNCS("", MULTI(THERE("a", "1") THERE("b", "2") TOKEN("t5"))) }, FAULT_NONE, "", "a=1 b=2 ", "t5", false },
	{ "the token has run out: what is gone is found", false, false, "a=1 b=2 c=3 e=5", { WORK("t9"), SYNCS("t1", NOT("403 Forbidden", "valid-sync-token")),
	  SYNCS("", MULTI(THERE("d", "4") THERE("c", "8") THERE("a", "1") TOKEN("t9"))), FETCHES("<d:href>/h/w/c</d:href><d:href>/h/w/d</d:href>", MULTI(DATA("c", "8", TEA) DATA("d", "4", TEA))) },
	  FAULT_NONE, "removed /h/w/b changed /h/w/c Tea 1795341600 added /h/w/d Tea 1795341600 removed /h/w/e ", "a=1 c=8 d=4 ", "t9", false },
	{ "by tags: the same one, and nothing is asked", false, true, "a=1", { LISTS(MULTI(CAL("/h/w/", "Work", CTAG("c1")))) }, FAULT_NONE, "", "a=1 ", "", false },
	{ "by tags: another one, all is compared", false, true, "a=1 b=2", { LISTS(MULTI(CAL("/h/w/", "Work", CTAG("c2")))), SYNCS("", "501 Not Implemented\n\n"), ETAGS(MULTI(THERE("a", "3"))),
	  FETCHES("/h/w/a<", MULTI(DATA("a", "3", TEA))) }, FAULT_NONE, "changed /h/w/a Tea 1795341600 removed /h/w/b ", "a=3 ", "", false },
	{ "neither tokens nor tags: asked each time, told once", false, true, "a=1", { LISTS(MULTI(CAL("/h/w/", "Work", ""))), SYNCS("", "501 Not Implemented\n\n"), ETAGS(MULTI(THERE("a", "1"))) }, FAULT_NONE, "", "a=1 ", "", false },
	{ "it went while it was asked for", false, false, "a=1", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "2") THERE("b", "1") TOKEN("t2"))), FETCHES("/h/w/b<", MULTI(GONE("a") GONE("b"))) },
	  FAULT_NONE, "removed /h/w/a ", "", "t2", false },
	{ "there and gone at once is there", false, false, "a=1", { WORK("t2"), SYNCS("t1", MULTI(GONE("a") THERE("a", "2") TOKEN("t2"))), FETCHES("/h/w/a<", MULTI(DATA("a", "2", TEA))) },
	  FAULT_NONE, "changed /h/w/a Tea 1795341600 ", "a=2 ", "t2", false },
	{ "what cannot be read is told as changed", false, false, "", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "2") TOKEN("t2"))), FETCHES("/h/w/a<", MULTI(DATA("a", "2", "BEGIN:VCALENDAR"))) },
	  FAULT_NONE, "added /h/w/a ", "a=2 ", "t2", false },
	{ "nor can any of it be fetched", false, false, "", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "2") TOKEN("t2"))), FETCHES("/h/w/a<", "403 Forbidden\n\n") }, FAULT_NONE, "added /h/w/a ", "a=2 ", "t2", false },
	{ "a second for ever: nothing is counted through", false, false, "", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "2") TOKEN("t2"))),
	  FETCHES("/h/w/a<", MULTI(DATA("a", "2", EVENT("SUMMARY:Bomb\nDTSTART:20261122T100000Z\nRRULE:FREQ=SECONDLY")))) }, FAULT_NONE, "added /h/w/a Bomb 1795341600 recurs ", "a=2 ", "t2", false },
	{ "in 1601 and in 9999", false, false, "", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "1") THERE("b", "1") TOKEN("t2"))), FETCHES("/h/w/a<", MULTI(
	  DATA("a", "1", EVENT("DTSTART:16010101T000000Z")) DATA("b", "1", EVENT("DTSTART:99991231T235959Z")))) }, FAULT_NONE, "added /h/w/a -11644473600 added /h/w/b 253402300799 ", "a=1 b=1 ", "t2", false },
	{ "a zone that nobody knows, and rules that are none", false, false, "", { WORK("t2"), SYNCS("t1", MULTI(THERE("a", "1") TOKEN("t2"))), FETCHES("/h/w/a<", MULTI(DATA("a", "1",
	  "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Mars\nBEGIN:STANDARD\nRRULE:FREQ=SECONDLY\nEND:STANDARD\nBEGIN:VEVENT\nDTSTART;TZID=Mars:20261122T100000\nEND:VEVENT\nEND:VCALENDAR\n"))) }, FAULT_NONE, "added /h/w/a ", "a=1 ", "t2", false },
	{ "it is gone, its own place says so", false, false, "a=1 b=2", { LISTS(MULTI(CAL("/h/x/", "Other", RIGHTS("c:read-free-busy")))), ITSELF("404 Not Found\n\n") }, FAULT_NONE, "removed /h/w/a removed /h/w/b ", "", NULL, false },
	{ "it is not listed, and still there", false, false, "a=1", { LISTS(MULTI(CAL("/h/x/", "Other", RIGHTS("c:read-free-busy")))), ITSELF(MULTI(THERE("", "1"))) }, FAULT_NONE, "", "a=1 ", "t1", false },
	{ "only when somebody is busy may be known: left alone", true, false, "", { LISTS(MULTI(CAL("/h/w/", "Boss", TOKEN("t1") RIGHTS("c:read-free-busy")))) }, FAULT_NONE, "", "", NULL, false },
	{ "one that is refused is left as it is", false, false, "a=1", { WORK("t2"), SYNCS("t1", "403 Forbidden\n\n"), ETAGS("403 Forbidden\n\n") }, FAULT_NONE, "", "a=1 ", "t1", false },
	{ "busy: a longer rest, and no failure", false, false, "a=1", { LISTS("503 Service Unavailable\nRetry-After: 900\n\n") }, FAULT_NONE, "", "a=1 ", "t1", true },
	{ "busy in the midst of it: begun anew", false, false, "a=1", { WORK("t2"), SYNCS("t1", "429 Too Many Requests\n\n") }, FAULT_NONE, "", "a=1 ", "t1", true },
	{ "signed out", false, false, "a=1", { LISTS("401 Unauthorized\nWWW-Authenticate: Basic realm=\"x\"\n\n") }, FAULT_REFUSED, "", "a=1 ", "t1", false },
	{ "no calendar any more", false, false, "a=1", { LISTS(MULTI("")) }, FAULT_ABSENT, "", "a=1 ", "t1", false },
	{ "half an answer", false, false, "a=1", { WORK("t2"), SYNCS("t1", "207 Multi-Status\n\n<d:multistatus xmlns:d=\"DAV:\">") }, FAULT_BROKEN, "", "a=1 ", "t1", false },
};

/* -- what is remembered: names of few letters, sorted -- */

#define MOST 101000

struct remembered {
	struct caldav_known entry[MOST];
	size_t              count;
	struct arena       *job;
};

static size_t place_of(const struct remembered *r, const char *name)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(r->entry[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void keep_entry(struct remembered *r, const char *name, const char *etag)
{
	size_t i = place_of(r, name);
	bool   there = i < r->count && strcmp(r->entry[i].name, name) == 0;

	if (etag && !there) {
		memmove(&r->entry[i + 1], &r->entry[i], (r->count++ - i) * sizeof *r->entry);
		there = true;
	}
	if (etag)
		r->entry[i] = (struct caldav_known){ arena_str(r->job, name), arena_str(r->job, etag) };
	else if (there)
		memmove(&r->entry[i], &r->entry[i + 1], (--r->count - i) * sizeof *r->entry);
}

static bool entry(void *self, const char *calendar, const char *name, struct arena *into, struct caldav_known *out, struct error *err)
{
	struct remembered *r = self;
	size_t             i = place_of(r, name);

	(void)into;
	EXPECT_TEXT(calendar, "/h/w/");
	if (i == r->count || strcmp(r->entry[i].name, name) != 0)
		return fail(err, FAULT_ABSENT, "no entry");
	*out = r->entry[i];
	return true;
}

/* Two at a time, or a hundred where there are many. */
static bool entries(void *self, const char *calendar, const char *after, struct arena *into, struct caldav_known **out, size_t *count, struct error *err)
{
	struct remembered *r = self;
	size_t             i = place_of(r, after);

	(void)calendar, (void)err;
	i += i < r->count && strcmp(r->entry[i].name, after) == 0;
	*out = arena_get(into, 100 * sizeof **out);
	for (*count = 0; *count < (r->count > 100 ? 100 : 2) && i < r->count; i++)
		(*out)[(*count)++] = (struct caldav_known){ arena_str(into, r->entry[i].name), arena_str(into, r->entry[i].etag) };
	return true;
}

static void remember(struct remembered *r, const char *text)
{
	struct slice rest = slice_str(text);

	while (rest.len) {
		struct slice one = slice_cut(&rest, ' '), name = slice_cut(&one, '=');

		keep_entry(r, arena_copy(r->job, name), arena_copy(r->job, one));
	}
}

static void tell(struct buffer *told, const struct calendar_change *c)
{
	buffer_print(told, "%s %s ", calendar_change_name(c->kind), c->remote_id);
	if (c->title)
		buffer_print(told, "%s ", c->title);
	if (c->known)
		buffer_print(told, "%lld %s", (long long)c->start, c->recurs ? "recurs " : "");
}

/* One whole turn, each page kept as it comes. */
static bool run_turn(struct caldav_watch *s, struct web_peer *peer, struct remembered *r, struct buffer *told, struct error *err)
{
	do {
		if (!web_peer_run(peer, caldav_watch_news_step, s, err))
			return false;
		for (size_t i = 0; i < s->count; i++) {
			const struct calendar_news *n = &s->news[i];

			keep_entry(r, n->name, n->etag);
			if (n->told)
				tell(told, &n->change);
		}
	} while (s->more);
	return true;
}

static void expect_row(size_t i, bool piecemeal)
{
	const char          *name = rows[i].name;
	struct endpoint      endpoint = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .path = "/h/" };
	struct login         login = { .username = "ann", .username_form = "local", .password = "p" };
	struct caldav_access access = { &endpoint, &login, "ann@birch.example", waits_within(30000) };
	struct remembered   *r = must_alloc(sizeof *r);
	struct caldav_memory memory = { entry, entries, r };
	struct caldav_watch  s;
	struct web_peer      peer;
	struct buffer        told, is;
	struct error         err = { 0 };
	bool                 fine;

	r->job = arena_new();
	remember(r, rows[i].was);
	buffer_init(&told, 4096);
	buffer_init(&is, 4096);
	caldav_watch_init(&s, &access, &memory);
	caldav_watch_park(&s);
	s.opened = true;
	s.scheme = WEB_BASIC;
	if (!rows[i].is_new)
		caldav_watch_knows(&s, "/h/w/", "Work", rows[i].by_tags ? NULL : "t1", rows[i].by_tags ? "c1" : NULL);
	caldav_watch_wake(&s);
	web_peer_init(&peer, rows[i].turn, name);
	peer.piecemeal = piecemeal;
	fine = run_turn(&s, &peer, r, &told, &err);
	if (fine != (rows[i].fault == FAULT_NONE) || (!fine && err.fault != rows[i].fault))
		test_fail(__FILE__, __LINE__, "%s: %s, %s", name, fault_name(err.fault), err.text);
	if (!slice_equal(buffer_held(&told), slice_str(rows[i].told)))
		test_fail(__FILE__, __LINE__, "%s: told %.*s", name, (int)buffer_held(&told).len, buffer_held(&told).at);
	for (size_t n = 0; n < r->count; n++)
		buffer_print(&is, "%s=%s ", r->entry[n].name, r->entry[n].etag);
	if (!slice_equal(buffer_held(&is), slice_str(rows[i].is)))
		test_fail(__FILE__, __LINE__, "%s: remembered %.*s", name, (int)buffer_held(&is).len, buffer_held(&is).at);
	EXPECT_ROW((rows[i].token != NULL) == (s.calendars > 0 && s.calendar[0].known), name);
	if (rows[i].token && s.calendars)
		EXPECT_ROW(*rows[i].token ? s.calendar[0].token && strcmp(s.calendar[0].token, rows[i].token) == 0 : !s.calendar[0].token, name);
	EXPECT_ROW((s.busy_ms > 0) == rows[i].busy && (s.throttled > 0) == rows[i].busy, name);
	EXPECT_ROW(s.refused == (rows[i].fault == FAULT_REFUSED), name);
	web_peer_end(&peer);
	caldav_watch_release(&s);
	buffer_release(&told);
	buffer_release(&is);
	arena_free(r->job);
	free(r);
}

TEST(turns)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_row(i, false);
}

TEST(turns_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_row(i, true);
}

#define PARTS    40
#define OF_PART  2500

/* A calendar of a hundred thousand in parts, but for each `without`-th (0: all of them). */
static void write_parts(struct turn *turn, struct arena *job, const char *first, unsigned without, const char *last)
{
	struct buffer b;

	buffer_init(&b, 2 * 1024 * 1024);
	for (unsigned part = 0; part < PARTS; part++) {
		buffer_clear(&b);
		buffer_add_str(&b, "207 Multi-Status\nContent-Type: application/xml\n\n<d:multistatus xmlns:d=\"DAV:\">");
		for (unsigned i = part * OF_PART; i < (part + 1) * OF_PART; i++)
			if (!without || i % without)
				buffer_print(&b, THERE("n%06u", "1"), i);
		if (part < PARTS - 1)
			buffer_print(&b, OF("/h/w/", "<d:status>HTTP/1.1 507 Insufficient Storage</d:status>") TOKEN("p%u"), part);
		else
			buffer_print(&b, TOKEN("%s"), last);
		buffer_add_str(&b, "</d:multistatus>");
		turn[part] = (struct turn){ part ? arena_print(job, "<d:sync-token>p%u<", part - 1) : first, arena_copy(job, buffer_held(&b)), KEEPS };
	}
	buffer_release(&b);
}

/* A hundred thousand that nobody is told of, and then a server that has forgotten: compared in pages, and each difference is told once. */
TEST(a_hundred_thousand_are_compared_in_pages)
{
	struct endpoint      endpoint = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .path = "/h/" };
	struct login         login = { .username = "ann", .username_form = "local", .password = "p" };
	struct caldav_access access = { &endpoint, &login, "ann@birch.example", waits_within(30000) };
	struct remembered   *r = must_alloc(sizeof *r);
	struct caldav_memory memory = { entry, entries, r };
	struct arena        *job = arena_new();
	struct buffer        told;
	struct caldav_watch  s;
	struct web_peer      peer;
	struct error         err = { 0 };
	struct turn          turns[PARTS + 2] = { WORK("t1") };
	struct turn          again[PARTS + 3] = { WORK("t2"), { "<d:sync-token>t1", NOT("403 Forbidden", "valid-sync-token"), KEEPS } };

	r->job = job;
	buffer_init(&told, 1024 * 1024);
	write_parts(turns + 1, job, "<d:sync-token></d", 0, "t1");
	write_parts(again + 2, job, "<d:sync-token></d", 1000, "t2");
	caldav_watch_init(&s, &access, &memory);
	caldav_watch_park(&s);
	s.opened = true;
	s.scheme = WEB_BASIC;
	caldav_watch_wake(&s);
	web_peer_init(&peer, turns, "many");
	EXPECT(run_turn(&s, &peer, r, &told, &err) && r->count == PARTS * OF_PART && buffer_held(&told).len == 0);
	web_peer_end(&peer);
	caldav_watch_park(&s);
	caldav_watch_told(&s);
	/* what a parked one holds, beside its calendars */
	EXPECT(sizeof s <= 320 && sizeof *s.calendar <= 96 && s.calendars == 1);
	caldav_watch_wake(&s);
	web_peer_init(&peer, again, "and again");
	EXPECT(run_turn(&s, &peer, r, &told, &err) && r->count == PARTS * OF_PART - 100 && s.resets == 1);
	EXPECT(slice_has(buffer_held(&told), "removed /h/w/n000000 removed /h/w/n001000 ") && slice_has(buffer_held(&told), "removed /h/w/n099000 "));
	EXPECT(!slice_has(buffer_held(&told), "n000001"));
	web_peer_end(&peer);
	caldav_watch_release(&s);
	buffer_release(&told);
	arena_free(job);
	free(r);
}
