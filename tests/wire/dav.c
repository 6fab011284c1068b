#include "wire/dav.h"

#include <stdlib.h>

#include "test.h"

#define HEAD   "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:s=\"http://calendarserver.org/ns/\">"
#define TAIL   "</d:multistatus>"
#define OF(href, inner)        "<d:response><d:href>" href "</d:href>" inner "</d:response>"
#define WITH(props, status)    "<d:propstat><d:prop>" props "</d:prop><d:status>HTTP/1.1 " status "</d:status></d:propstat>"

/* -- everything that is heard, as a text -------------------------------------------------------------------------- */

static void add_text(struct buffer *log, const char *name, const char *value)
{
	if (value)
		buffer_print(log, " %s=%s", name, value);
}

static void on_resource(void *self, const struct dav_resource *r)
{
	static const struct { unsigned bit; const char *name; } traits[] = {
		{ DAV_COLLECTION, "collection" }, { DAV_CALENDAR, "calendar" }, { DAV_PRINCIPAL, "principal" }, { DAV_COMPONENTS, "components" },
		{ DAV_EVENTS, "events" }, { DAV_RIGHTS, "rights" }, { DAV_MAY_READ, "read" }, { DAV_MAY_ADD, "add" }, { DAV_MAY_CHANGE, "change" },
		{ DAV_MAY_REMOVE, "remove" }, { DAV_REPORTS, "reports" }, { DAV_SYNCS, "syncs" }, { DAV_NOBODY, "nobody" }, { DAV_TOO_LONG, "long" },
	};
	struct buffer *log = self;

	buffer_print(log, "%s", r->href);
	if (r->status)
		buffer_print(log, " %d", r->status);
	add_text(log, "error", r->condition);
	for (size_t i = 0; i < COUNT(traits); i++)
		if (r->traits & traits[i].bit)
			buffer_print(log, " %s", traits[i].name);
	add_text(log, "who", r->principal);
	for (size_t i = 0; i < r->homes; i++)
		add_text(log, "home", r->home[i]);
	add_text(log, "name", r->name);
	add_text(log, "etag", r->etag);
	add_text(log, "token", r->sync_token);
	add_text(log, "ctag", r->ctag);
	if (r->data.at)
		buffer_print(log, " data=%.*s", (int)r->data.len, r->data.at);
	buffer_add_str(log, "\n");
}

/* What is heard of it, fed in pieces of that many bytes; then how it ended. */
static const char *heard(struct arena *job, struct slice xml, size_t piece)
{
	struct buffer      log;
	struct dav_reader *r;
	struct error       err = { 0 };
	bool               fine = true;
	const char        *text;

	buffer_init(&log, 1024 * 1024);
	r = dav_reader_new(job, on_resource, &log);
	for (size_t at = 0; fine && at < xml.len; at += piece)
		fine = dav_feed(r, slice_upto(slice_from(xml, at), piece), &err);
	fine = fine && dav_finish(r, &err);
	add_text(&log, "upto", dav_answer(r)->sync_token);
	add_text(&log, "condition", dav_answer(r)->condition);
	buffer_print(&log, "%s%s", fine ? "." : "! ", fine ? "" : err.text);
	EXPECT(fine || err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
	dav_reader_free(r);
	text = arena_copy(job, buffer_held(&log));
	buffer_release(&log);
	return text;
}

static const struct { const char *xml, *heard; } answers[] = {
	/* as Radicale, the laboratory and Stalwart write it */
	{ HEAD OF("/dav/", WITH("<d:current-user-principal><d:href>/p/ann/</d:href></d:current-user-principal><c:calendar-home-set><d:href>/c/ann/</d:href></c:calendar-home-set>"
	          "<d:resourcetype><d:collection/></d:resourcetype><d:displayname>ann</d:displayname>", "200 OK")) TAIL,
	  "/dav/ collection who=/p/ann/ home=/c/ann/ name=ann\n." },
	{ HEAD OF("/c/work/", WITH("<d:resourcetype><d:collection/><c:calendar/></d:resourcetype><c:supported-calendar-component-set><c:comp name=\"VTODO\"/><c:comp name=\"VEVENT\"/></c:supported-calendar-component-set>"
	          "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:write/></d:privilege></d:current-user-privilege-set><s:getctag>7</s:getctag>"
	          "<d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report></d:supported-report-set>", "200 OK")
	          WITH("<d:sync-token/>", "404 Not Found")) TAIL,
	  "/c/work/ collection calendar components events rights read add change remove reports syncs ctag=7\n." },
	/* other prefixes, the default namespace, no namespace at all */
	{ "<multistatus xmlns=\"DAV:\"><response><href> /a </href><propstat><prop><resourcetype><C:calendar xmlns:C=\"urn:ietf:params:xml:ns:caldav\"/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>",
	  "/a calendar\n." },
	{ "<multistatus><response><href>/a</href></response></multistatus>", "! no multistatus" },
	{ HEAD OF("/a", WITH("<d:resourcetype><d:calendar/></d:resourcetype><d:getctag>x</d:getctag>", "200 OK")) TAIL, "/a\n." },
	/* a property counts where its own propstat says so, whichever of the two comes first */
	{ HEAD OF("/a", WITH("<d:displayname>no</d:displayname>", "403 Forbidden") WITH("<d:displayname>yes</d:displayname>", "200 OK") WITH("<d:displayname>late</d:displayname>", "200 OK")) TAIL, "/a name=yes\n." },
	{ HEAD OF("/a", "<d:propstat><d:status>HTTP/1.1 200 OK</d:status><d:prop><d:getetag>\"1\"</d:getetag></d:prop></d:propstat>") TAIL, "/a etag=\"1\"\n." },
	{ HEAD OF("/a", "<d:propstat><d:prop><d:getetag>\"1\"</d:getetag></d:prop></d:propstat>") TAIL, "/a\n." },
	/* changes: gone, cut short, the token */
	{ HEAD OF("/a.ics", "<d:status>HTTP/1.1 404 Not Found</d:status>") "<d:sync-token>urn:7</d:sync-token>" TAIL, "/a.ics 404\n upto=urn:7." },
	{ HEAD OF("/c/", "<d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits/></d:error>") TAIL,
	  "/c/ 507 error=DAV:number-of-matches-within-limits\n." },
	{ HEAD "<d:response><d:href>/a</d:href><d:href>/b</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>" TAIL, "/a 404\n/b 404\n." },
	{ HEAD "<d:sync-token>urn:stalwart:16</d:sync-token>" TAIL, " upto=urn:stalwart:16." },
	{ "<d:error xmlns:d=\"DAV:\"><d:valid-sync-token/></d:error>", " condition=DAV:valid-sync-token." },
	{ "<error xmlns=\"DAV:\"><C:no-uid-conflict xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><href>/b</href></C:no-uid-conflict></error>", " condition=CALDAV:no-uid-conflict." },
	/* nobody is signed in, though all is well */
	{ HEAD OF("/", WITH("<d:current-user-principal><d:unauthenticated/></d:current-user-principal>", "200 OK")) TAIL, "/ nobody\n." },
	/* contradictions: less is believed */
	{ HEAD OF("/a", "<d:status>HTTP/1.1 404 Not Found</d:status>" WITH("<d:getetag>1</d:getetag>", "200 OK")) TAIL, "/a 404\n." },
	{ HEAD "<d:response><d:href>/a</d:href><d:href>/b</d:href>" WITH("<d:getetag>1</d:getetag>", "200 OK") "</d:response>" TAIL, "! two names for one resource" },
	{ HEAD "<d:response>" WITH("<d:getetag>1</d:getetag>", "200 OK") "</d:response>" TAIL, "! a resource without a name" },
	{ HEAD OF("/a", WITH("<d:getetag>1</d:getetag>", "fine")) TAIL, "! a status that is none" },
	/* texts: CDATA, entities, what is nested where it does not belong */
	{ HEAD OF("/a%20b", WITH("<c:calendar-data><![CDATA[BEGIN:VCALENDAR\r\n]]>x&amp;y</c:calendar-data>", "200 OK")) TAIL, "/a%20b data=BEGIN:VCALENDAR\nx&y\n." },
	{ HEAD OF("/a", WITH("<x:href xmlns:x=\"urn:x\">/evil</x:href><d:displayname>a<d:href>/evil</d:href>b</d:displayname>", "200 OK")) TAIL, "/a name=ab\n." },
	{ "<!DOCTYPE x><d:multistatus xmlns:d=\"DAV:\"/>", "! a document type" },
	{ "<html><body>Sign in</body></html>", "! no multistatus" },
	{ "", "! it ends before its end" },
	{ "{}", "!" },
	{ HEAD TAIL "x", "! something behind the end of the document" },
	{ "\n " HEAD TAIL "\n", "." },
};

TEST(answers_are_read)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char                  *whole = heard(job, slice_str(answers[i].xml), 1 << 20);
		bool                         cut = strcmp(answers[i].heard, "!") == 0 || strcmp(answers[i].heard, "! a document type") == 0;

		if (cut ? whole[0] != '!' : strcmp(whole, answers[i].heard) != 0)
			test_fail(__FILE__, __LINE__, "%s\nis heard as %s", answers[i].xml, whole);
	}
}

/* Piece by piece the same comes out of it as at once. */
TEST(answers_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char                  *whole = heard(job, slice_str(answers[i].xml), 1 << 20);

		for (size_t piece = 1; piece < 8; piece++)
			EXPECT_TEXT(heard(job, slice_str(answers[i].xml), piece), whole);
	}
}

/* Cut short it is broken, never half a list that passes for a whole one. */
TEST(answers_cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct slice                 xml = slice_trim(slice_str(answers[i].xml));

		for (size_t len = 0; len < xml.len; len++)
			if (strstr(heard(job, slice_upto(xml, len), 1 << 20), "!") == NULL && slice_trim(slice_from(xml, len)).len > 1)
				test_fail(__FILE__, __LINE__, "cut to %zu it passes for whole: %s", len, answers[i].xml);
	}
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

static void count_resource(void *self, const struct dav_resource *r)
{
	size_t *count = self;

	EXPECT(r->etag && strcmp(r->etag, "\"1\"") == 0);
	++*count;
}

TEST(a_hundred_thousand_events_take_the_memory_of_one)
{
	CLEANUP(arena) struct arena *job = arena_new();
	size_t                       count = 0;
	struct error                 err = { 0 };
	struct dav_reader           *r = dav_reader_new(job, count_resource, &count);

	EXPECT(dav_feed(r, slice_str(HEAD), &err));
	for (size_t i = 0; i < 100000; i++) {
		char one[200];
		int  len = snprintf(one, sizeof one, OF("/c/%zu.ics", WITH("<d:getetag>\"1\"</d:getetag>", "200 OK")), i);

		EXPECT(dav_feed(r, slice(one, (size_t)len), &err));
	}
	EXPECT(dav_feed(r, slice_str(TAIL), &err) && dav_finish(r, &err));
	EXPECT(count == 100000 && dav_answer(r)->resources == 100000 && arena_used(job) < 1024);
	dav_reader_free(r);
}

static void expect_long(void *self, const struct dav_resource *r)
{
	bool *seen = self;

	*seen = (r->traits & DAV_TOO_LONG) && !r->data.at && r->etag;
}

TEST(an_event_beyond_all_measure_is_told_without_its_data)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error                 err = { 0 };
	bool                         seen = false;
	struct dav_reader           *r = dav_reader_new(job, expect_long, &seen);

	EXPECT(dav_feed(r, slice_str(HEAD "<d:response><d:href>/a</d:href><d:propstat><d:prop><d:getetag>1</d:getetag><c:calendar-data>"), &err));
	for (size_t i = 0; i <= DAV_DATA / 16; i++)
		EXPECT(dav_feed(r, slice_str("X-LONG:012345678"), &err));
	EXPECT(dav_feed(r, slice_str("</c:calendar-data></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>" TAIL), &err) && dav_finish(r, &err));
	EXPECT(seen);
	dav_reader_free(r);
}

TEST(a_name_beyond_all_measure_ends_it)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error                 err = { 0 };
	struct dav_reader           *r = dav_reader_new(job, NULL, NULL);
	bool                         fine = dav_feed(r, slice_str(HEAD "<d:response><d:href>"), &err);

	for (size_t i = 0; fine && i <= DAV_TEXT / 16; i++)
		fine = dav_feed(r, slice_str("/123456789abcdef"), &err);
	EXPECT(!dav_feed(r, slice_str("</d:href>"), &err) && err.fault == FAULT_TOO_BIG);
	EXPECT(!dav_feed(r, slice_str("</d:response>"), &err) && err.fault == FAULT_TOO_BIG);
	dav_reader_free(r);
}

/* -- lines, paths, requests ----------------------------------------------------------------------------------------- */

TEST(status_lines)
{
	static const struct { const char *line; int status; } rows[] = {
		{ "HTTP/1.1 200 OK", 200 }, { "HTTP/1.0 404 Not Found", 404 }, { " HTTP/1.1  403 ", 403 }, { "HTTP/2 207", 207 }, { "http/1.1 507 x", 507 },
		{ "200 OK", 0 }, { "HTTP/1.1", 0 }, { "HTTP/1.1 20", 0 }, { "HTTP/1.1 2000 OK", 0 }, { "HTTP/1.1 099 x", 0 }, { "HTTP/1.1 600 x", 0 }, { "", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(dav_status(slice_str(rows[i].line)) == rows[i].status, rows[i].line);
}

TEST(paths)
{
	EXPECT(dav_same_path("/c/ann%40birch.example/", "/c/ann@birch.example"));
	EXPECT(dav_same_path("/c/a%2fb", "/c/a%2Fb") && dav_same_path("/", "/") && dav_same_path("/a%", "/a%"));
	EXPECT(!dav_same_path("/c/ann", "/c/anna") && !dav_same_path("/c/ann/", "/c/ann/x") && !dav_same_path("/c/ann//", "/c/ann"));
}

TEST(requests)
{
	static const char *const hrefs[] = { "/a&b.ics", "/c.ics" };
	struct buffer            b;

	buffer_init(&b, 4096);
	EXPECT(dav_multiget(&b, hrefs, 2) && slice_has(buffer_held(&b), "<d:href>/a&amp;b.ics</d:href><d:href>/c.ics</d:href></c:calendar-multiget>"));
	buffer_clear(&b);
	EXPECT(dav_sync(&b, "urn:<1>") && slice_has(buffer_held(&b), "<d:sync-token>urn:&lt;1&gt;</d:sync-token><d:sync-level>1</d:sync-level>"));
	buffer_clear(&b);
	EXPECT(dav_query(&b, NULL, NULL, false) && !slice_has(buffer_held(&b), "time-range"));
	buffer_clear(&b);
	EXPECT(dav_query(&b, "20260101T000000Z", "20270101T000000Z", true) && slice_has(buffer_held(&b), "<c:calendar-data/>") && slice_has(buffer_held(&b), "<c:time-range start=\"20260101T000000Z\" end=\"20270101T000000Z\"/>"));
	buffer_clear(&b);
	EXPECT(dav_propfind(&b, DAV_WHO) && slice_has(buffer_held(&b), "<d:current-user-principal/>"));
	buffer_release(&b);
	buffer_init(&b, 64);
	EXPECT(!dav_sync(&b, "") && !dav_multiget(&b, hrefs, 2) && !dav_propfind(&b, DAV_LIST));
	buffer_release(&b);
}

/* Our own requests are XML that our own reader takes, whatever stands in them. */
TEST(requests_are_xml)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct buffer                b;

	buffer_init(&b, 4096);
	EXPECT(dav_sync(&b, "a&b<c>") && dav_propfind(&b, DAV_LIST));
	EXPECT_TEXT(heard(job, buffer_held(&b), 7), "! no multistatus");
	buffer_release(&b);
}
