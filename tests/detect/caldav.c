/* Where the calendars of a domain are looked for, and how far what is found is trusted. */
#include "detect/caldav.h"

#include <stdlib.h>

#include "model/facts.h"
#include "test.h"
#include "world.h"

#define WELL_KNOWN "https://birch.example/.well-known/caldav"
#define BASIC      "WWW-Authenticate: Basic realm=\"x\""

struct scene {
	struct world        *world;
	struct arena        *job;
	struct report       *report;
	struct mail_address  address;
	struct caldav_search search;
	struct error         err;
};

static void open_scene(struct scene *s)
{
	*s = (struct scene){ .world = world_new(), .job = arena_new() };
	world_dns(s->world, "birch.example", DNS_A, "192.0.2.1");
	world_dns(s->world, "dav.birch.example", DNS_A, "192.0.2.2");
	world_dns(s->world, "dav.elm.example", DNS_A, "192.0.2.3");
}

static bool search(struct scene *s, const char *address)
{
	const char *problem;

	s->report = report_new(address);
	EXPECT(mail_address_parse(address, s->job, &s->address, &problem));
	caldav_search_init(&s->search, &s->address, NULL, s->job, s->report, 10000);
	return world_run(s->world, caldav_search_step, &s->search, &s->err);
}

static void close_scene(struct scene *s)
{
	caldav_search_release(&s->search);
	report_free(s->report);
	world_free(s->world);
	arena_free(s->job);
}

/* "dav.birch.example:443/dav/ srv trusted | …" */
static const char *found(struct scene *s)
{
	const char *all = "";

	for (size_t i = 0; i < s->search.count; i++) {
		const struct endpoint *e = &s->search.place[i];

		all = arena_print(s->job, "%s%s%s:%u%s %s%s", all, i ? " | " : "", e->host, e->port, e->path, endpoint_source_name(e->source), endpoint_trusted(e) ? "" : "?");
	}
	return all;
}

static const struct {
	const char *name, *address;
	const char *srv, *txt;
	int         status;            /* of the well-known place; 0: not set */
	const char *head;
	const char *then_url; int then_status; const char *then_head;
	const char *found;
	bool        not_offered;
} rows[] = {
	{ "nothing", "ann@birch.example", NULL, NULL, 0, NULL, NULL, 0, NULL, "", false },
	{ "SRV of the domain", "ann@birch.example", "0 1 8443 dav.birch.example", NULL, 0, NULL, NULL, 0, NULL, "dav.birch.example:8443/.well-known/caldav srv", false },
	{ "and TXT beside it", "ann@birch.example", "0 1 443 dav.birch.example", "path=/dav/", 0, NULL, NULL, 0, NULL, "dav.birch.example:443/dav/ srv", false },
	{ "TXT that is no path", "ann@birch.example", "0 1 443 dav.birch.example", "path=http://x", 0, NULL, NULL, 0, NULL, "dav.birch.example:443/.well-known/caldav srv", false },
	{ "SRV to somebody else", "ann@birch.example", "0 1 443 dav.elm.example", NULL, 0, NULL, NULL, 0, NULL, "dav.elm.example:443/.well-known/caldav srv_foreign?", false },
	{ "not offered", "ann@birch.example", "0 0 0 .", NULL, 0, NULL, NULL, 0, NULL, "", true },
	{ "sent on from the well-known place", "ann@birch.example", NULL, NULL, 301, "Location: https://dav.birch.example/dav/", "https://dav.birch.example/dav/", 401, BASIC, "dav.birch.example:443/dav/ well_known", false },
	{ "sent on to somebody else", "ann@birch.example", NULL, NULL, 301, "Location: https://dav.elm.example/dav/", "https://dav.elm.example/dav/", 401, BASIC, "dav.elm.example:443/dav/ well_known_foreign?", false },
	{ "a page for members", "ann@birch.example", NULL, NULL, 401, BASIC, NULL, 0, NULL, "birch.example:443/.well-known/caldav well_known_foreign?", false },
	{ "it says that it has calendars", "ann@birch.example", NULL, NULL, 401, BASIC "\r\nDAV: 1, calendar-access", NULL, 0, NULL, "birch.example:443/.well-known/caldav well_known", false },
	{ "an answer of WebDAV", "ann@birch.example", NULL, NULL, 207, NULL, NULL, 0, NULL, "birch.example:443/.well-known/caldav well_known", false },
	{ "a page", "ann@birch.example", NULL, NULL, 200, NULL, NULL, 0, NULL, "", false },
	{ "trusted before others", "ann@birch.example", "0 1 443 dav.elm.example", NULL, 301, "Location: https://dav.birch.example/", "https://dav.birch.example/", 401, BASIC, "dav.birch.example:443/ well_known | dav.elm.example:443/.well-known/caldav srv_foreign?", false },
	{ "a hoster's own domain", "ann@fastmail.com", NULL, NULL, 0, NULL, NULL, 0, NULL, "caldav.fastmail.com:443/dav/principals/user/ann%40fastmail.com/ table", false },
	{ "iCloud", "ann@me.com", NULL, NULL, 0, NULL, NULL, 0, NULL, "caldav.icloud.com:443/ table", false },
};

TEST(places)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		open_scene(&s);
		if (rows[i].srv)
			world_dns(s.world, "_caldavs._tcp.birch.example", DNS_SRV, rows[i].srv);
		if (rows[i].txt)
			world_dns(s.world, "_caldavs._tcp.birch.example", DNS_TXT, rows[i].txt);
		if (rows[i].status)
			world_url(s.world, WELL_KNOWN, rows[i].status, rows[i].head, "");
		if (rows[i].then_url)
			world_url(s.world, rows[i].then_url, rows[i].then_status, rows[i].then_head, "");
		EXPECT_ROW(search(&s, rows[i].address), rows[i].name);
		if (strcmp(found(&s), rows[i].found) != 0)
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, found(&s));
		EXPECT_ROW(s.search.not_offered == rows[i].not_offered, rows[i].name);
		EXPECT_ROW(s.report->step[0].state == (s.search.count ? STEP_PASSED : STEP_FAILED), rows[i].name);
		/* the address is nobody's business yet */
		EXPECT_ROW(world_count(s.world, WANT_HTTP, "ann") == 0 && world_count(s.world, WANT_DNS, "ann") == 0, rows[i].name);
		close_scene(&s);
	}
}

TEST(called_off)
{
	struct scene s;

	open_scene(&s);
	world_late(s.world, WELL_KNOWN, WORLD_NEVER);
	world_stop_at(s.world, 500);
	EXPECT(!search(&s, "ann@birch.example") && s.err.fault == FAULT_CANCELLED && s.report->step[0].state == STEP_SKIPPED);
	close_scene(&s);
}

TEST(a_place_that_never_answers_is_not_waited_for)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "_caldavs._tcp.birch.example", DNS_SRV, "0 1 443 dav.birch.example");
	world_late(s.world, WELL_KNOWN, WORLD_NEVER);
	EXPECT(search(&s, "ann@birch.example") && s.search.count == 1 && world_now(s.world) <= 10001);
	close_scene(&s);
}
