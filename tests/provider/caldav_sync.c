/* What has changed in a calendar: a server that is written down beforehand, and everything that is told of its answers. */
#include "provider/caldav_sync.h"

#include "web_peer.h"

#define MULTI(inner)  "207 Multi-Status\nContent-Type: application/xml\n\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">" inner "</d:multistatus>"
#define OF(name, inner) "<d:response><d:href>/c/" name "</d:href>" inner "</d:response>"
#define THERE(name, tag) OF(name, "<d:propstat><d:prop><d:getetag>" tag "</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
#define HERSELF       OF("", "<d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
#define GONE(name)    OF(name, "<d:status>HTTP/1.1 404 Not Found</d:status>")
#define MORE          OF("", "<d:status>HTTP/1.1 507 Insufficient Storage</d:status>")
#define TOKEN(t)      "<d:sync-token>" t "</d:sync-token>"
#define DATA(name, tag, data) OF(name, "<d:propstat><d:prop><d:getetag>" tag "</d:getetag><c:calendar-data>" data "</c:calendar-data></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
#define NOT(status, condition) status "\nContent-Type: application/xml\n\n<d:error xmlns:d=\"DAV:\"><d:" condition "/></d:error>"
#define SYNCS(depth, token, answer) { "REPORT /c/ HTTP/1.1\nDepth: " depth "\n<d:sync-collection\n<d:sync-token>" token "</d:sync-token>\nAuthorization: Basic", answer, KEEPS }
#define FETCHES(hrefs, answer) { "REPORT /c/ HTTP/1.1\n<c:calendar-multiget\n" hrefs, answer, KEEPS }
#define LISTS(answer)  { "PROPFIND /c/ HTTP/1.1\nDepth: 1\n<d:getetag/>", answer, KEEPS }
#define TURNS 6

static const struct {
	const char *name, *token;
	bool        with_data;
	struct turn turn[TURNS];
	enum fault  fault;
	const char *told, *next;
	bool        whole;
} rows[] = {
	{ "changed and gone", "t1", false, { SYNCS("0", "t1", MULTI(HERSELF THERE("a.ics", "1") GONE("b.ics") TOKEN("t2"))) }, FAULT_NONE, "/c/a.ics=1 -/c/b.ics ", "t2", false },
	{ "with what they hold", "t1", true, { SYNCS("0", "t1", MULTI(THERE("a.ics", "1") THERE("b.ics", "2") TOKEN("t2"))),
	  FETCHES("<d:href>/c/a.ics</d:href><d:href>/c/b.ics</d:href>", MULTI(DATA("a.ics", "1", "A") GONE("b.ics"))) }, FAULT_NONE, "/c/a.ics=1:A -/c/b.ics ", "t2", false },
	{ "nothing", "t1", true, { SYNCS("0", "t1", MULTI(TOKEN("t1"))) }, FAULT_NONE, "", "t1", false },
	{ "from the beginning", NULL, false, { SYNCS("0", "", MULTI(THERE("a.ics", "1") TOKEN("t1"))) }, FAULT_NONE, "/c/a.ics=1 ", "t1", true },
	{ "a token that has run out", "old", false, { SYNCS("0", "old", NOT("403 Forbidden", "valid-sync-token")), SYNCS("0", "", MULTI(THERE("a.ics", "1") TOKEN("t9"))) }, FAULT_NONE, "/c/a.ics=1 ", "t9", true },
	{ "the same said otherwise", "old", false, { SYNCS("0", "old", NOT("409 Conflict", "valid-sync-token")), SYNCS("0", "", MULTI(TOKEN("t9"))) }, FAULT_NONE, "", "t9", true },
	{ "in parts", "t1", false, { SYNCS("0", "t1", MULTI(THERE("a.ics", "1") MORE TOKEN("t2"))), SYNCS("0", "t2", MULTI(THERE("b.ics", "2") TOKEN("t3"))) }, FAULT_NONE, "/c/a.ics=1 /c/b.ics=2 ", "t3", false },
	{ "in parts that lead nowhere", "t1", false, { SYNCS("0", "t1", MULTI(THERE("a.ics", "1") MORE TOKEN("t1"))) }, FAULT_NONE, "/c/a.ics=1 ", "t1", false },
	{ "Depth 1 is wanted", "t1", false, { SYNCS("0", "t1", "400 Bad Request\n\n"), SYNCS("1", "t1", MULTI(TOKEN("t2"))) }, FAULT_NONE, "", "t2", false },
	{ "no such report", "t1", false, { SYNCS("0", "t1", NOT("403 Forbidden", "supported-report")), LISTS(MULTI(HERSELF THERE("a.ics", "1") THERE("b.ics", "2"))) }, FAULT_NONE, "/c/a.ics=1 /c/b.ics=2 ", NULL, true },
	{ "no reports at all", NULL, true, { SYNCS("0", "", "501 Not Implemented\n\n"), LISTS(MULTI(HERSELF THERE("a.ics", "1"))), FETCHES("<d:href>/c/a.ics</d:href>", MULTI(DATA("a.ics", "1", "A"))) }, FAULT_NONE, "/c/a.ics=1:A ", NULL, true },
	{ "nothing goes", "t1", false, { SYNCS("0", "t1", "403 Forbidden\n\n"), LISTS("403 Forbidden\n\n") }, FAULT_REFUSED, "", NULL, true },
	{ "not now", "t1", false, { SYNCS("0", "t1", "503 Service Unavailable\nRetry-After: 9\n\n") }, FAULT_BUSY, "", NULL, false },
	{ "signed out", "t1", false, { SYNCS("0", "t1", "401 Unauthorized\nWWW-Authenticate: Basic realm=\"x\"\n\n") }, FAULT_REFUSED, "", NULL, false },
	{ "links to elsewhere are nobody's", "t1", false, { SYNCS("0", "t1", MULTI("<d:response><d:href>ftp://x/</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>" TOKEN("t2"))) }, FAULT_NONE, "", "t2", false },
	{ "half an answer", "t1", false, { SYNCS("0", "t1", "207 Multi-Status\n\n<d:multistatus xmlns:d=\"DAV:\">") }, FAULT_BROKEN, "", NULL, false },
};

static void on_change(void *self, const struct caldav_change *c)
{
	struct buffer *told = self;

	if (c->gone)
		buffer_print(told, "-%s ", c->target);
	else
		buffer_print(told, "%s=%s%s%.*s ", c->target, c->etag ? c->etag : "", c->data.at ? ":" : "", (int)c->data.len, c->data.at ? c->data.at : "");
}

static void expect_row(size_t i, bool piecemeal)
{
	const char           *name = rows[i].name;
	struct report        *report = report_new("ann@birch.example");
	struct endpoint       endpoint = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .path = "/" };
	struct login          login = { .username = "ann", .username_form = "local", .password = "p" };
	struct caldav_session session;
	struct caldav_sync    sync;
	struct web_peer       peer;
	struct buffer         told;
	struct error          err = { 0 };
	bool                  fine;

	buffer_init(&told, 4096);
	caldav_session_init(&session, report, &endpoint, &login, waits_within(30000), report_attempt(report));
	session.web.scheme = WEB_BASIC;
	caldav_sync_init(&sync, &session, "/c/", rows[i].token);
	sync.with_data = rows[i].with_data;
	sync.change = on_change;
	sync.self = &told;
	web_peer_init(&peer, rows[i].turn, name);
	peer.piecemeal = piecemeal;
	fine = web_peer_run(&peer, caldav_sync_step, &sync, &err);
	EXPECT_ROW(fine == (rows[i].fault == FAULT_NONE), name);
	if (!fine && err.fault != rows[i].fault)
		test_fail(__FILE__, __LINE__, "%s: %s, %s", name, fault_name(err.fault), err.text);
	EXPECT_ROW(slice_equal(buffer_held(&told), slice_str(rows[i].told)), name);
	EXPECT_ROW(rows[i].next ? sync.next && strcmp(sync.next, rows[i].next) == 0 : !sync.next, name);
	EXPECT_ROW(sync.whole == rows[i].whole, name);
	web_peer_end(&peer);
	caldav_sync_release(&sync);
	caldav_session_release(&session);
	report_free(report);
	buffer_release(&told);
}

TEST(changes)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_row(i, false);
}

TEST(changes_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_row(i, true);
}
