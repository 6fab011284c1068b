/* A calendar server that is written down beforehand: what is asked of it, where credentials go, and what is concluded from its answers. */
#include "provider/caldav.h"

#include "base/secret.h"
#include "diagnose/diagnose.h"
#include "provider/caldav_event.h"
#include "provider/caldav_facts.h"
#include "web_peer.h"

#define SECRET "p\"a ss9"
#define BASIC  "Authorization: Basic YW5uQGJpcmNoLmV4YW1wbGU6cCJhIHNzOQ=="      /* ann@birch.example and that */

struct scene {
	struct report         *report;
	struct endpoint        endpoint;
	struct login           login;
	struct secrets         known;
	struct caldav_session  caldav;
	bool                   opened;
};

struct set {                      /* all but the usual */
	enum endpoint_source source;
	const char          *path;
	bool                 nobody, at_home, clear, token;
};

static void scene_open(struct scene *s, const struct set *set)
{
	*s = (struct scene){ .report = report_new("ann@birch.example"),
		.endpoint = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .source = set->source, .path = set->path ? set->path : "/dav/" },
		.login = { .username = "ann@birch.example", .username_form = "address", .password = set->token ? NULL : SECRET, .token = set->token ? SECRET : NULL } };
	s->report->keep_talk = true;
	s->report->provider = "caldav";
	secrets_know(&s->known, slice_str(SECRET));
	report_guard(s->report, &s->known);
	caldav_session_init(&s->caldav, s->report, &s->endpoint, set->nobody ? NULL : &s->login, waits_within(30000), report_attempt(s->report));
	s->caldav.at_home = set->at_home;
}

static void scene_close(struct scene *s)
{
	caldav_session_release(&s->caldav);
	report_free(s->report);
	secrets_forget(&s->known);
}

static enum want_kind session_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened)
		PASS(caldav_open_step(&s->caldav, w, err));
	s->opened = true;
	return s->caldav.logged_in ? caldav_look_step(&s->caldav, w, err) : WANT_NOTHING;
}

#define MULTI(inner)       "207 Multi-Status\nContent-Type: application/xml\nDAV: 1, 3, calendar-access\n\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">" inner "</d:multistatus>"
#define PLAIN_DAV(inner)   "207 Multi-Status\nContent-Type: application/xml\nDAV: 1, 2\n\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">" inner "</d:multistatus>"
#define OF(href, props)    "<d:response><d:href>" href "</d:href><d:propstat><d:prop>" props "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
#define WHO(href)          "<d:current-user-principal><d:href>" href "</d:href></d:current-user-principal>"
#define HOME(href)         "<c:calendar-home-set><d:href>" href "</d:href></c:calendar-home-set>"
#define CAL(href, name, more) OF(href, "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype><d:displayname>" name "</d:displayname>" more)
#define RIGHTS(right)      "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:" right "/></d:privilege></d:current-user-privilege-set>"
#define ONLY(comp)         "<c:supported-calendar-component-set><c:comp name=\"" comp "\"/></c:supported-calendar-component-set>"
#define WANTS_BASIC        "401 Unauthorized\nWWW-Authenticate: Basic realm=\"x\"\n\nno"
#define ASKS(path, answer) { "PROPFIND " path " HTTP/1.1\nDepth: 0\n<d:current-user-principal/>\n!Authorization", answer, KEEPS }
#define SIGNS(path, answer) { "PROPFIND " path " HTTP/1.1\nDepth: 0\n" BASIC, answer, KEEPS }
#define LISTS_ITSELF(path, answer) { "PROPFIND " path " HTTP/1.1\nDepth: 0\n<s:getctag/>\n" BASIC, answer, KEEPS }
#define LISTS(path, answer) { "PROPFIND " path " HTTP/1.1\nDepth: 1\n<d:resourcetype/>\n" BASIC, answer, KEEPS }
#define OFFERED            ASKS("/dav/", WANTS_BASIC)
#define IN                 SIGNS("/dav/", MULTI(OF("/dav/", WHO("/p/ann/") HOME("/c/ann/"))))
#define WORK               LISTS("/c/ann/", MULTI(OF("/c/ann/", "") CAL("/c/ann/work/", "Work", RIGHTS("write"))))
#define NO(path)           ASKS(path, "404 Not Found\n\nnone")

#define TURNS 12

static const struct {
	const char       *name;
	struct set        set;
	struct turn       turn[TURNS];
	enum fault        fault;
	size_t            secrets;         /* requests with credentials            */
	int               tries;
	enum verdict_kind kind;
	const char       *cause;           /* NULL: none                           */
	enum certainty    certainty;
	const char       *step, *fact, *value;
} rows[] = {
	{ "all is well", { 0 }, { OFFERED, IN, WORK }, FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, "caldav.calendars", FACT_CALENDAR, "Work" },
	{ "by way of the principal", { 0 }, { OFFERED, SIGNS("/dav/", MULTI(OF("/dav/", WHO("/p/ann/")))), SIGNS("/p/ann/", MULTI(OF("/p/ann/", HOME("/c/ann/")))), WORK },
	  FAULT_NONE, 3, 0, VERDICT_CONNECTED, NULL, 0, "caldav.principal", NULL, NULL },
	{ "it is a calendar itself", { 0 }, { OFFERED, SIGNS("/dav/", MULTI(CAL("/dav", "Work", WHO("/p/")))), LISTS_ITSELF("/dav/", MULTI(CAL("/dav/", "Work", ""))) },
	  FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, "caldav.rights", FACT_CALENDAR_MAY_ADD, "unknown" },
	{ "at the usual place", { .path = "/" }, { ASKS("/", "200 OK\nContent-Type: text/html\n\n<html>Files</html>"),
	  ASKS("/.well-known/caldav", "301 Moved Permanently\nLocation: /dav/\n\n"), OFFERED, IN, WORK }, FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, "caldav.well_known", FACT_HTTP_LOCATION, "/dav/" },
	{ "a token", { .token = true }, { ASKS("/dav/", "401 Unauthorized\nWWW-Authenticate: Bearer realm=\"x\"\n\nno"),
	  { "PROPFIND /dav/\nAuthorization: Bearer " SECRET, MULTI(OF("/dav/", WHO("/p/") HOME("/c/ann/"))), KEEPS },
	  { "PROPFIND /c/ann/\nAuthorization: Bearer " SECRET, MULTI(CAL("/c/ann/a/", "A", "")), KEEPS } }, FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, NULL, NULL, NULL },
	{ "Basic among others", { 0 }, { ASKS("/dav/", "401 Unauthorized\nWWW-Authenticate: X-MobileMe-AuthToken realm=\"MMCalDav\"\nWWW-Authenticate: Basic realm=\"MMCalDav\", NTLM\n\nno"), IN, WORK },
	  FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, "caldav.login", FACT_AUTH_MECHANISM, "Basic" },
	{ "Digest, and its nonce runs out", { 0 }, { ASKS("/dav/", "401 Unauthorized\nWWW-Authenticate: Digest realm=\"SabreDAV\", qop=\"auth\", nonce=\"n1\", opaque=\"o\"\n\nno"),
	  { "PROPFIND /dav/\nAuthorization: Digest username=\"ann@birch.example\", realm=\"SabreDAV\", nonce=\"n1\", uri=\"/dav/\"\nnc=00000001\nopaque=\"o\"\n!Basic", MULTI(OF("/dav/", WHO("/p/ann/") HOME("/c/ann/"))), KEEPS },
	  { "PROPFIND /c/ann/\nnonce=\"n1\", uri=\"/c/ann/\"\nnc=00000002", "401 Unauthorized\nWWW-Authenticate: Digest realm=\"SabreDAV\", qop=\"auth\", stale=true, nonce=\"n2\", opaque=\"o\"\n\nold", KEEPS },
	  { "PROPFIND /c/ann/\nnonce=\"n2\", uri=\"/c/ann/\"\nnc=00000001", MULTI(CAL("/c/ann/a/", "A", "")), KEEPS } }, FAULT_NONE, 3, 0, VERDICT_CONNECTED, NULL, 0, "caldav.login", FACT_AUTH_MECHANISM, "Digest" },
	{ "Digest, refused", { 0 }, { ASKS("/dav/", "401 Unauthorized\nWWW-Authenticate: Digest realm=\"x\", qop=\"auth\", nonce=\"n1\"\n\nno"), { "PROPFIND /dav/\nAuthorization: Digest ", "401 Unauthorized\nWWW-Authenticate: Digest realm=\"x\", qop=\"auth\", nonce=\"n2\"\n\nno", KEEPS } },
	  FAULT_REFUSED, 1, 1, VERDICT_FAILED, "auth.password_rejected", LIKELY, NULL, NULL, NULL },
	{ "whoever asks is let in", { 0 }, { ASKS("/dav/", MULTI(OF("/dav/", WHO("/p/") HOME("/c/ann/")))), { "PROPFIND /c/ann/\n!Authorization", MULTI(CAL("/c/ann/a/", "A", "")), KEEPS } },
	  FAULT_NONE, 0, 0, VERDICT_CONNECTED, NULL, 0, NULL, NULL, NULL },
	{ "it answers, and nobody is signed in", { 0 }, { ASKS("/dav/", MULTI(OF("/dav/", "<d:current-user-principal><d:unauthenticated/></d:current-user-principal>"))),
	  { "REPORT /dav/\n!Authorization", WANTS_BASIC, KEEPS }, IN, WORK }, FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, "caldav.offer", FACT_DAV_NOBODY, "yes" },
	{ "and still not after the password", { 0 }, { OFFERED, SIGNS("/dav/", MULTI(OF("/dav/", "<d:current-user-principal><d:unauthenticated/></d:current-user-principal>"))) },
	  FAULT_REFUSED, 1, 1, VERDICT_FAILED, "auth.password_rejected", LIKELY, "caldav.login", FACT_DAV_NOBODY, "yes" },
	/* no credentials where they must not go */
	{ "nobody's credentials", { .nobody = true }, { OFFERED }, FAULT_NONE, 0, 0, VERDICT_UNFINISHED, NULL, 0, NULL, NULL, NULL },
	{ "a host that nobody confirmed", { .source = SOURCE_WELL_KNOWN_FOREIGN }, { OFFERED }, FAULT_NONE, 0, 0, VERDICT_UNFINISHED, NULL, 0, NULL, NULL, NULL },
	{ "a handshake that proves nobody", { .clear = true }, { OFFERED, { "PROPFIND /dav/\n!Authorization", WANTS_BASIC, KEEPS } }, FAULT_REFUSED, 0, 0, VERDICT_FAILED, "unknown.answer", PROVEN, "caldav.login", FACT_AUTH_CREDENTIALS, "before" },
	{ "a redirect to another host", { 0 }, { ASKS("/dav/", "301 Moved\nLocation: https://192.0.2.9/dav/\n\n") }, FAULT_NONE, 0, 0, VERDICT_FAILED, "caldav.not_found", LIKELY, "caldav.offer", FACT_CALDAV_LEADS, "https://192.0.2.9/dav/" },
	{ "a redirect to plain http", { 0 }, { ASKS("/dav/", "301 Moved\nLocation: http://192.0.2.7/dav/\n\n"), NO("/.well-known/caldav"), NO("/") }, FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "caldav.not_found", LIKELY, NULL, NULL, NULL },
	{ "a redirect to itself", { 0 }, { ASKS("/dav/", "302 Found\nLocation: /dav/\n\n"), NO("/.well-known/caldav"), NO("/") }, FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "caldav.not_found", LIKELY, NULL, NULL, NULL },
	{ "a redirect behind the password", { 0 }, { OFFERED, SIGNS("/dav/", "302 Found\nLocation: https://192.0.2.9/\n\n") }, FAULT_REFUSED, 1, 0, VERDICT_FAILED, "caldav.not_found", LIKELY, "caldav.login", FACT_HTTP_LOCATION, "https://192.0.2.9/" },
	{ "the calendars are on another host", { 0 }, { OFFERED, SIGNS("/dav/", MULTI(OF("/dav/", WHO("/p/") HOME("https://192.0.2.9/c/ann/")))) }, FAULT_NONE, 1, 0, VERDICT_FAILED, "caldav.not_found", LIKELY, "caldav.calendars", FACT_CALDAV_LEADS, "https://192.0.2.9/c/ann/" },
	{ "the home that another host named", { .at_home = true, .path = "/c/ann/" }, { ASKS("/c/ann/", WANTS_BASIC), SIGNS("/c/ann/", MULTI(OF("/c/ann/", WHO("https://192.0.2.9/p/")))), WORK },
	  FAULT_NONE, 2, 0, VERDICT_CONNECTED, NULL, 0, NULL, NULL, NULL },
	/* the sign-in */
	{ "refused", { 0 }, { OFFERED, SIGNS("/dav/", WANTS_BASIC) }, FAULT_REFUSED, 1, 1, VERDICT_FAILED, "auth.password_rejected", LIKELY, "caldav.login", FACT_AUTH_CREDENTIALS, "after" },
	{ "no scheme of ours", { 0 }, { ASKS("/dav/", "401 Unauthorized\nWWW-Authenticate: Bearer realm=\"x\"\n\nno") }, FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "auth.no_common_scheme", PROVEN, "caldav.offer", FACT_AUTH_OFFERED, "Bearer" },
	{ "forbidden behind it, at one path", { 0 }, { OFFERED, SIGNS("/dav/", "403 Forbidden\n\nno"), ASKS("/.well-known/caldav", "301 Moved\nLocation: /\n\n"), ASKS("/", WANTS_BASIC),
	  SIGNS("/", MULTI(OF("/", WHO("/p/") HOME("/c/ann/")))), WORK }, FAULT_NONE, 3, 0, VERDICT_CONNECTED, NULL, 0, NULL, NULL, NULL },
	{ "forbidden behind it", { 0 }, { OFFERED, SIGNS("/dav/", "403 Forbidden\n\nno"), NO("/.well-known/caldav"), NO("/") }, FAULT_NOT_OFFERED, 1, 0, VERDICT_FAILED, "calendar.not_permitted", LIKELY, NULL, NULL, NULL },
	{ "and it says why", { 0 }, { OFFERED, SIGNS("/dav/", "403 Forbidden\nContent-Type: text/xml\n\n<error xmlns=\"DAV:\"><need-privileges/></error>"), NO("/.well-known/caldav"), NO("/") }, FAULT_NOT_OFFERED, 1, 0, VERDICT_FAILED, "calendar.not_permitted", PROVEN, "caldav.login", FACT_DAV_CONDITION, "DAV:need-privileges" },
	{ "too often behind it", { 0 }, { OFFERED, SIGNS("/dav/", "429 Too Many Requests\nRetry-After: 60\n\n") }, FAULT_BUSY, 1, 0, VERDICT_FAILED, "throttle.provider", LIKELY, "caldav.login", FACT_HTTP_RETRY_AFTER, "60" },
	/* what is there */
	{ "no calendar", { 0 }, { OFFERED, IN, LISTS("/c/ann/", MULTI(OF("/c/ann/", ""))) }, FAULT_ABSENT, 2, 0, VERDICT_FAILED, "calendar.none", PROVEN, "caldav.calendars", FACT_CALENDARS, "0" },
	{ "none for events", { 0 }, { OFFERED, IN, LISTS("/c/ann/", MULTI(CAL("/c/ann/t/", "Tasks", ONLY("VTODO")))) }, FAULT_ABSENT, 2, 0, VERDICT_FAILED, "calendar.none", PROVEN, "caldav.calendars", FACT_CALENDARS_OTHER, "1" },
	{ "none that may be written to", { 0 }, { OFFERED, IN, LISTS("/c/ann/", MULTI(CAL("/c/ann/w/", "Work", RIGHTS("read-acl")))) }, FAULT_REFUSED, 2, 0, VERDICT_PARTIAL, "calendar.not_permitted", PROVEN, "caldav.rights", FACT_CALENDAR_MAY_ADD, "no" },
	{ "WebDAV without calendars", { 0 }, { OFFERED, SIGNS("/dav/", PLAIN_DAV(OF("/dav/", WHO("/p/")))), SIGNS("/p/", PLAIN_DAV(OF("/p/", ""))) }, FAULT_ABSENT, 2, 0, VERDICT_FAILED, "caldav.not_found", PROVEN, "caldav.principal", FACT_CALDAV_HOME, "none" },
	{ "calendars, and no home of them", { 0 }, { OFFERED, SIGNS("/dav/", MULTI(OF("/dav/", WHO("/p/")))), SIGNS("/p/", MULTI(OF("/p/", ""))) }, FAULT_ABSENT, 2, 0, VERDICT_FAILED, "calendar.none", LIKELY, NULL, NULL, NULL },
	/* no CalDAV */
	{ "nothing at any place", { 0 }, { NO("/dav/"), NO("/.well-known/caldav"), NO("/") }, FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "caldav.not_found", PROVEN, "caldav.offer", FACT_HTTP_STATUS, "404" },
	{ "pages at every place", { 0 }, { ASKS("/dav/", "200 OK\nContent-Type: text/html\n\n<html>"), ASKS("/.well-known/caldav", "200 OK\nContent-Type: text/html\n\n<html>"), ASKS("/", "200 OK\nContent-Type: text/html\n\n<html>") },
	  FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "caldav.not_found", LIKELY, NULL, NULL, NULL },
	{ "a portal", { 0 }, { ASKS("/dav/", "302 Found\nLocation: https://login.birch.example/?rd=/dav/\n\n"), ASKS("/.well-known/caldav", "302 Found\nLocation: https://login.birch.example/?rd=/\n\n"), ASKS("/", "302 Found\nLocation: https://login.birch.example/\n\n") },
	  FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "caldav.sign_in_page_in_front", PROVEN, "caldav.offer", FACT_PAGE, "sign_in" },
	{ "a sign-in of the same host", { 0 }, { ASKS("/dav/", "302 Found\nLocation: /index.php/login\n\n"), NO("/.well-known/caldav"), NO("/") }, FAULT_NOT_OFFERED, 0, 0, VERDICT_FAILED, "caldav.sign_in_page_in_front", LIKELY, NULL, NULL, NULL },
	{ "maintenance", { 0 }, { ASKS("/dav/", "503 Service Unavailable\nX-Nextcloud-Maintenance-Mode: 1\n\n") }, FAULT_BUSY, 0, 0, VERDICT_FAILED, "server.unavailable", PROVEN, NULL, NULL, NULL },
	{ "half an answer", { 0 }, { OFFERED, IN, LISTS("/c/ann/", "207 Multi-Status\n\n<d:multistatus xmlns:d=\"DAV:\"><d:response>") }, FAULT_BROKEN, 2, 0, VERDICT_FAILED, "server.answer_unreadable", PROVEN, "caldav.calendars", FACT_REPLY_BROKEN, "it ends before its end" },
	{ "no XML", { 0 }, { OFFERED, SIGNS("/dav/", "207 Multi-Status\n\n<d:multistatus xmlns:d=\"DAV:\"><\x01") }, FAULT_BROKEN, 1, 0, VERDICT_FAILED, "server.answer_unreadable", PROVEN, NULL, NULL, NULL },
	{ "silence", { 0 }, { { "PROPFIND /dav/", NULL, IS_SILENT } }, FAULT_TIMEOUT, 0, 0, VERDICT_FAILED, "net.silent", PROVEN, NULL, NULL, NULL },
};

static void expect_row(size_t i, bool piecemeal)
{
	const char     *name = rows[i].name;
	struct web_peer peer;
	struct scene    s;
	struct verdict  v;
	struct error    err = { 0 };
	bool            fine;

	scene_open(&s, &rows[i].set);
	web_peer_init(&peer, rows[i].turn, name);
	peer.piecemeal = piecemeal;
	peer.clear = rows[i].set.clear;
	fine = web_peer_run(&peer, session_step, &s, &err);
	EXPECT_ROW(fine == (rows[i].fault == FAULT_NONE), name);
	if (!fine && err.fault != rows[i].fault)
		test_fail(__FILE__, __LINE__, "%s: %s, %s", name, fault_name(err.fault), err.text);
	EXPECT_ROW(peer.secrets == rows[i].secrets, name);
	EXPECT_ROW(s.report->password_tries == rows[i].tries, name);
	report_finish(s.report);
	diagnose(s.report, &v);
	if (v.kind != rows[i].kind || (v.findings > 0) != (rows[i].cause != NULL)
	    || (v.findings && (strcmp(cause_row(v.finding[0].cause)->id, rows[i].cause) != 0 || v.finding[0].certainty != rows[i].certainty)))
		test_fail(__FILE__, __LINE__, "%s: %s, %s %s", name, verdict_name(v.kind), v.findings ? certainty_name(v.finding[0].certainty) : "",
		          v.findings ? cause_row(v.finding[0].cause)->id : "nothing");
	if (rows[i].fact) {
		bool seen = false;

		for (size_t f = 0; f < s.report->fact_count; f++)
			seen |= strcmp(s.report->fact[f].name, rows[i].fact) == 0 && strcmp(s.report->fact[f].value, rows[i].value) == 0
			     && strcmp(s.report->step[s.report->fact[f].step].id, rows[i].step) == 0;
		EXPECT_ROW(seen, name);
	}
	for (size_t t = 0; t < s.report->talk_count; t++)
		EXPECT_ROW(!strstr(s.report->talk[t].text, SECRET) && !strstr(s.report->talk[t].text, "YW5u"), name);
	web_peer_end(&peer);
	scene_close(&s);
}

TEST(sessions)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_row(i, false);
}

TEST(sessions_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_row(i, true);
}

/* -- the test event ------------------------------------------------------------------------------------------------ */

#define UID        "mailmoor-0"
#define FILE_AT    "/c/ann/work/" UID ".ics"
#define WRITES(condition, zone, answer) { "PUT " FILE_AT " HTTP/1.1\n" condition "\nContent-Type: text/calendar\nCLASS:PRIVATE\nTRANSP:TRANSPARENT\nUID:" UID "\nDTSTART;TZID=" zone ":\n!ATTENDEE\n!VALARM\n" BASIC, answer, KEEPS }
#define NEW(zone, answer)     WRITES("If-None-Match: *", zone, answer)
#define OVER(tag, zone, answer) WRITES("If-Match: \"" tag "\"", zone, answer)
#define LOOKS(start, answer)  { "REPORT /c/ann/work/ HTTP/1.1\nDepth: 1\n<c:time-range start=\"" start "\"\n<c:calendar-data/>\n" BASIC, answer, KEEPS }
#define HOLDS(tag, start)     MULTI(OF(FILE_AT, "<d:getetag>\"" tag "\"</d:getetag><c:calendar-data>BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:" UID "\nDTSTART" start "\nEND:VEVENT\nEND:VCALENDAR\n</c:calendar-data>"))
#define REMOVES(tag, answer)  { "DELETE " FILE_AT " HTTP/1.1\nIf-Match: \"" tag "\"\n" BASIC, answer, KEEPS }
#define GONE                  "204 No Content\n\n"
#define MADE                  "201 Created\n\n"
#define FIRST                 "20261122T100000Z"

static const struct {
	const char       *name;
	struct turn       turn[TURNS];
	const char       *cause;           /* NULL: connected   */
	enum certainty    certainty;
	enum step_state   event, removed;  /* RUNNING: no such step */
	const char       *fact, *value;
} tests[] = {
	{ "all is well", { OFFERED, IN, WORK, NEW("Europe/Berlin", MADE), LOOKS(FIRST, HOLDS("1", ";TZID=Europe/Berlin:20261122T110000")), OVER("1", "America/New_York", GONE),
	  LOOKS("20261122T110000Z", HOLDS("2", ";TZID=Eastern Standard Time:20261122T060000")), OVER("2", "Asia/Kolkata", GONE), LOOKS("20261122T120000Z", HOLDS("3", ":20261122T120000Z")), REMOVES("3", GONE) },
	  NULL, 0, STEP_PASSED, STEP_PASSED, FACT_EVENT_READ, "America/New_York as 20261122T110000Z, zone America/New_York by windows" },
	{ "it may not be written", { OFFERED, IN, WORK, NEW("Europe/Berlin", "403 Forbidden\n\nno") }, "calendar.not_permitted", LIKELY, STEP_FAILED, STEP_RUNNING, FACT_HTTP_STATUS, "403" },
	{ "there is no room", { OFFERED, IN, WORK, NEW("Europe/Berlin", "507 Insufficient Storage\n\n"), { "DELETE " FILE_AT "\n!If-Match", "404 Not Found\n\n", KEEPS } }, "mailbox.full", LIKELY, STEP_FAILED, STEP_PASSED, NULL, NULL },
	{ "it is not there at its time", { OFFERED, IN, WORK, NEW("Europe/Berlin", MADE), LOOKS(FIRST, MULTI("")), { "DELETE " FILE_AT "\n!If-Match", GONE, KEEPS } }, "calendar.time_zone_unknown", LIKELY, STEP_FAILED, STEP_PASSED, FACT_EVENT_LISTED, "no" },
	{ "an hour late", { OFFERED, IN, WORK, NEW("Europe/Berlin", MADE), LOOKS(FIRST, HOLDS("1", ":20261122T110000Z")), REMOVES("1", GONE) }, "calendar.time_zone_unknown", LIKELY, STEP_FAILED, STEP_PASSED, FACT_EVENT_SHIFT, "3600" },
	{ "with a zone that is none", { OFFERED, IN, WORK, NEW("Europe/Berlin", MADE), LOOKS(FIRST, HOLDS("1", ";TZID=Here:20261122T110000")), REMOVES("1", GONE) }, "calendar.time_zone_unknown", PROVEN, STEP_FAILED, STEP_PASSED, FACT_EVENT_ZONE, "unknown" },
	{ "what comes back is no calendar", { OFFERED, IN, WORK, NEW("Europe/Berlin", MADE), LOOKS(FIRST, MULTI(OF(FILE_AT, "<d:getetag>\"1\"</d:getetag><c:calendar-data>hello</c:calendar-data>"))), REMOVES("1", GONE) },
	  "server.answer_unreadable", PROVEN, STEP_FAILED, STEP_PASSED, NULL, NULL },
	{ "no answer: it may be there", { OFFERED, IN, WORK, { "PUT " FILE_AT, NULL, RESETS }, { "DELETE " FILE_AT "\n!If-Match", GONE, KEEPS } }, "server.unavailable", LIKELY, STEP_FAILED, STEP_PASSED, NULL, NULL },
	{ "changed meanwhile", { OFFERED, IN, WORK, NEW("Europe/Berlin", MADE), LOOKS(FIRST, HOLDS("1", ":20261122T110000Z")), REMOVES("1", "412 Precondition Failed\n\n"), { "DELETE " FILE_AT "\n!If-Match", GONE, KEEPS } },
	  "calendar.time_zone_unknown", LIKELY, STEP_FAILED, STEP_PASSED, NULL, NULL },
};

struct trial {
	struct scene        scene;
	struct caldav_event event;
	bool                looked;
};

static enum want_kind trial_step(void *self, struct want *w, struct error *err)
{
	struct trial *t = self;

	if (!t->looked)
		PASS(session_step(&t->scene, w, err));
	if (!t->looked) {
		caldav_event_init(&t->event, &t->scene.caldav);
		t->event.uid = UID;
	}
	t->looked = true;
	return caldav_event_step(&t->event, w, err);
}

static enum step_state state_of(const struct report *r, const char *id)
{
	int step = report_find(r, id, NO_ATTEMPT);

	return step < 0 ? STEP_RUNNING : r->step[step].state;
}

TEST(test_events)
{
	for (size_t i = 0; i < COUNT(tests); i++)
		for (int piecemeal = 0; piecemeal < 2; piecemeal++) {
			const char     *name = tests[i].name;
			struct web_peer peer;
			struct trial    t = { .looked = false };
			struct verdict  v;
			struct error    err = { 0 };
			bool            seen = !tests[i].fact;

			scene_open(&t.scene, &(struct set){ 0 });
			web_peer_init(&peer, tests[i].turn, name);
			peer.piecemeal = piecemeal;
			EXPECT_ROW(web_peer_run(&peer, trial_step, &t, &err), name);
			report_finish(t.scene.report);
			diagnose(t.scene.report, &v);
			if ((v.findings > 0) != (tests[i].cause != NULL) || (v.findings && (strcmp(cause_row(v.finding[0].cause)->id, tests[i].cause) != 0 || v.finding[0].certainty != tests[i].certainty)))
				test_fail(__FILE__, __LINE__, "%s: %s, %s %s", name, verdict_name(v.kind), v.findings ? certainty_name(v.finding[0].certainty) : "", v.findings ? cause_row(v.finding[0].cause)->id : "nothing");
			EXPECT_ROW(v.kind == (tests[i].cause ? VERDICT_PARTIAL : VERDICT_CONNECTED), name);
			EXPECT_ROW(state_of(t.scene.report, "caldav.event") == tests[i].event && state_of(t.scene.report, "caldav.remove") == tests[i].removed, name);
			for (size_t f = 0; f < t.scene.report->fact_count && tests[i].fact; f++)
				seen |= strcmp(t.scene.report->fact[f].name, tests[i].fact) == 0 && strcmp(t.scene.report->fact[f].value, tests[i].value) == 0;
			EXPECT_ROW(seen, name);
			web_peer_end(&peer);
			scene_close(&t.scene);
		}
}

TEST(where_people_sign_in)
{
	static const struct { const char *url; bool is; } urls[] = {
		{ "https://login.birch.example/", true }, { "https://cloud.birch.example/index.php/login?clear=1", true }, { "https://sso.birch.example/realms/x", true },
		{ "https://birch.example/oauth2/authorize", true }, { "https://dav.birch.example/login-free", true }, { "https://dav.birch.example/dav/?next=/login", false },
		{ "https://dav.birch.example/loginx/", false }, { "https://birch.login.example/", false }, { "https://dav.birch.example/remote.php/dav/", false },
	};

	for (size_t i = 0; i < COUNT(urls); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct http_url              url;

		EXPECT(http_url_parse(slice_str(urls[i].url), job, &url));
		EXPECT_ROW(caldav_is_sign_in(&url) == urls[i].is, urls[i].url);
	}
}
