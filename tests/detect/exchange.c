#include "detect/exchange.h"

#include <stdlib.h>

#include "model/facts.h"
#include "test.h"
#include "world.h"

/* -- a scene ------------------------------------------------------------------------------------------------------ */

struct scene {
	struct world           *world;
	struct arena           *job;
	struct report          *report;
	struct mail_address     address;
	struct detect          *detect;
	struct exchange_search *search;
	struct children         both;
	struct task             detecting, searching;
	int                     step;
	struct error            err;
	bool                    beside_detect, microsoft, done;
};

#define OWN   "autodiscover.birch.example"
#define POX   "/autodiscover/autodiscover.xml"
#define V2    "/autodiscover/autodiscover.json"
#define EWS(host) "{\"Protocol\":\"Ews\",\"Url\":\"https://" host "/EWS/Exchange.asmx\"}"
#define NTLM  "Server: Microsoft-IIS/10.0\r\nX-OWA-Version: 15.1.2507.6\r\nWWW-Authenticate: Negotiate, NTLM\r\nWWW-Authenticate: Basic realm=\"x\""
#define BASIC "WWW-Authenticate: Basic realm=\"members only\""

/* birch.example has a web server and a host autodiscover, which know nothing of Exchange; elm.example is somebody else. */
static void open_scene(struct scene *s)
{
	*s = (struct scene){ .world = world_new(), .job = arena_new(), .report = report_new("ann@birch.example") };
	world_dns(s->world, "birch.example", DNS_A, "192.0.2.1");
	world_dns(s->world, OWN, DNS_A, "192.0.2.2");
	world_dns(s->world, "mail.birch.example", DNS_A, "192.0.2.3");
	world_dns(s->world, "mail.elm.example", DNS_A, "192.0.2.4");
	world_dns(s->world, "outlook.office365.com", DNS_A, "192.0.2.5");
	world_dns(s->world, "mx.birch.example", DNS_A, "192.0.2.6");
}

enum { BOTH_START, BOTH_RUN };

static enum want_kind both_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	switch (s->step) {
	case BOTH_START:
		children_init(&s->both, UNTIL_ALL);
		children_add(&s->both, &s->detecting, detect_step, s->detect, 0);
		children_add(&s->both, &s->searching, exchange_search_step, s->search, 0);
		AWAIT(s, BOTH_RUN, want_children(w, &s->both, 30000)):
		if (want_came(w) == CAME_CANCELLED) {
			fail(err, FAULT_CANCELLED, "called off");
			return WANT_FAILED;
		}
	}
	return WANT_NOTHING;
}

static bool is_host_of(const char *url, const char *domain)
{
	struct slice host = slice_from(slice_str(url), slice_search(slice_str(url), "://") + 3);

	host = slice_upto(host, slice_find(host, '/'));
	host = slice_upto(host, slice_find(host, ':'));
	return slice_is(host, domain) || (slice_ends(host, domain) && host.at[host.len - strlen(domain) - 1] == '.');
}

/* What holds whatever was found: nothing but GET, no name above the domain, and the address to nobody but the domain's own hosts
 * over https, or Microsoft where the domain is Microsoft's. */
static void expect_address_kept(const struct scene *s, bool microsoft)
{
	enum want_kind kind;
	const char    *asked;

	for (size_t i = 0; (asked = world_asked(s->world, i, &kind)); i++) {
		EXPECT_ROW(!slice_has(slice_str(asked), " autodiscover.example"), asked);
		if (kind != WANT_HTTP)
			continue;
		EXPECT_ROW(slice_starts(slice_str(asked), "GET http"), asked);
		if (!slice_has(slice_str(asked), "ann"))
			continue;
		EXPECT_ROW(slice_starts(slice_str(asked), "GET https://"), asked);
		EXPECT_ROW(is_host_of(asked, s->address.domain) || (microsoft && is_host_of(asked, "outlook.office365.com")), asked);
	}
}

static void run(struct scene *s, const char *address)
{
	static const bool nothing[SERVICES];
	const char       *problem;

	EXPECT(mail_address_parse(address, s->job, &s->address, &problem));
	s->search = must_alloc(sizeof *s->search);
	if (s->beside_detect) {
		s->detect = must_alloc(sizeof *s->detect);
		detect_init(s->detect, &s->address, s->job, s->report, nothing, 10000);
	}
	exchange_search_init(s->search, &s->address, s->detect, s->job, s->report, EXCHANGE_WAIT_MS);
	s->search->microsoft = s->microsoft;
	s->done = s->detect ? world_run(s->world, both_step, s, &s->err)
	                    : world_run(s->world, exchange_search_step, s->search, &s->err);
	expect_address_kept(s, s->microsoft || (s->detect && s->detect->provider && strcmp(s->detect->provider, "microsoft") == 0));
	for (size_t i = 0; i < s->report->step_count; i++)
		EXPECT_ROW(s->report->step[i].state != STEP_RUNNING, s->report->step[i].id);
}

static void close_scene(struct scene *s)
{
	exchange_search_release(s->search);
	free(s->search);
	if (s->detect)
		detect_release(s->detect);
	free(s->detect);
	report_free(s->report);
	arena_free(s->job);
	world_free(s->world);
}

static const char *facts(const struct scene *s, const char *name)
{
	const char *all = "";
	int         n = report_find(s->report, "exchange.find", NO_ATTEMPT);

	for (size_t i = 0; n >= 0 && i < s->report->fact_count; i++)
		if (s->report->fact[i].step == n && strcmp(s->report->fact[i].name, name) == 0)
			all = arena_print(s->job, "%s%s%s", all, *all ? " | " : "", s->report->fact[i].value);
	return n >= 0 ? all : "-";
}

static const char *state(const struct scene *s)
{
	int n = report_find(s->report, "exchange.find", NO_ATTEMPT);

	return n >= 0 ? step_state_name(s->report->step[n].state) : "-";
}

#define PLACES_ARE(s, text) EXPECT_TEXT(facts(s, FACT_EXCHANGE_PLACE), text)
#define LOOKED_AT(s, text)  EXPECT_ROW(slice_has(slice_str(facts(s, FACT_LOOKED_AT)), text), facts(s, FACT_LOOKED_AT))

/* -- where from --------------------------------------------------------------------------------------------------- */

TEST(version_2_at_the_domains_own_host)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://" OWN V2, 200, "X-OWA-Version: 15.1.2507.6", EWS("mail.birch.example"));
	world_url(s.world, "https://" OWN POX, 401, NTLM, "");
	world_url_fails(s.world, "https://birch.example" V2, CAME_TIMEOUT);
	run(&s, "ann@birch.example");
	EXPECT(s.done && s.search->count >= 1);
	EXPECT(s.search->place[0].kind == PLACE_EWS && s.search->place[0].trusted && s.search->place[0].sure && !s.search->place[0].online);
	EXPECT_TEXT(s.search->place[0].url, "https://mail.birch.example/EWS/Exchange.asmx");
	EXPECT_TEXT(s.search->place[0].host, "mail.birch.example");
	EXPECT(s.search->place[0].port == 443 && !s.search->place[0].build);      /* what one host says of itself is not said of the other */
	EXPECT_TEXT(state(&s), "passed");
	EXPECT(world_now(s.world) < 100);      /* nothing better can come */
	EXPECT(world_count(s.world, WANT_HTTP, "https://" OWN V2 "?Email=ann%40birch.example&Protocol=EWS&RedirectCount=1") == 1);
	close_scene(&s);
}

TEST(autodiscover_that_wants_a_sign_in)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://" OWN POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	EXPECT(s.done);
	PLACES_ARE(&s, "autodiscover https://" OWN POX " autodiscover trusted, 15.1.2507.6");
	EXPECT(s.search->place[0].sure && s.search->place[0].source == SOURCE_AUTODISCOVER);
	EXPECT_TEXT(s.search->place[0].build, "15.1.2507.6");
	LOOKED_AT(&s, "https://" OWN POX ": 401, Negotiate NTLM Basic");
	LOOKED_AT(&s, "https://" OWN V2 ": 404");
	close_scene(&s);
}

TEST(nothing_anywhere)
{
	struct scene s;

	open_scene(&s);
	run(&s, "ann@elm.example");
	EXPECT(s.done && s.search->count == 0);
	EXPECT_TEXT(state(&s), "failed");
	LOOKED_AT(&s, "https://autodiscover.elm.example" V2 ": nxdomain");
	LOOKED_AT(&s, "https://elm.example" V2 ": no_data");
	LOOKED_AT(&s, "https://autodiscover.elm.example" POX ": nxdomain");
	LOOKED_AT(&s, "https://elm.example" POX ": no_data");
	LOOKED_AT(&s, "http://autodiscover.elm.example" POX ": nxdomain");
	LOOKED_AT(&s, "_autodiscover._tcp.elm.example: nxdomain");
	EXPECT(!slice_has(slice_str(facts(&s, FACT_LOOKED_AT)), "ann"));
	EXPECT(world_count(s.world, WANT_HTTP, "") == 0);
	close_scene(&s);
}

/* "autodiscover.example" was somebody's in 2021, and many passwords went there. */
TEST(no_label_is_taken_off)
{
	struct scene s;

	open_scene(&s);
	run(&s, "ann@staff.birch.example");
	EXPECT(s.done && world_count(s.world, WANT_DNS, "autodiscover.") > 0);
	EXPECT(world_count(s.world, WANT_DNS, " autodiscover.birch.example") == 0 && world_count(s.world, WANT_DNS, " birch.example") == 0);
	close_scene(&s);
}

TEST(answers_that_are_none)
{
	static const struct { int status; const char *head, *body, *outcome; } rows[] = {
		{ 200, "Content-Type: text/html", "<html>It works!</html>", "200, no Autodiscover" },
		{ 200, NULL, "<Autodiscover><Response><Error><ErrorCode>600</ErrorCode></Error></Response></Autodiscover>",
			"200, Autodiscover that wants no sign-in" },
		{ 403, NULL, "", "403" },
		{ 401, NULL, "", "401, no scheme that is known" },
		{ 401, "WWW-Authenticate: Magic", "", "401, no scheme that is known" },
		{ 302, "Location: http://" OWN "/", "", "redirect to plain http to http://" OWN "/" },
		{ 302, "Location: https://" OWN POX, "", "too many redirects" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		open_scene(&s);
		world_url(s.world, "https://" OWN POX, rows[i].status, rows[i].head, rows[i].body);
		run(&s, "ann@birch.example");
		EXPECT_ROW(s.done && s.search->count == 0, rows[i].outcome);
		LOOKED_AT(&s, arena_print(s.job, "https://" OWN POX ": %s", rows[i].outcome));
		close_scene(&s);
	}
}

TEST(version_2_that_does_not_know)
{
	static const struct { int status; const char *body, *outcome; } rows[] = {
		{ 200, "{\"ErrorCode\":\"UserNotFound\",\"ErrorMessage\":\"x\"}", "200, UserNotFound" },
		{ 404, "{\"ErrorCode\":\"ProtocolNotSupported\"}", "404, ProtocolNotSupported" },
		{ 200, "<html>", "200, no answer of Autodiscover" },
		{ 200, "{\"Url\":\"ftp://mail.birch.example\"}", "200, no usable URL: scheme ftp" },
		{ 500, "{\"Url\":\"https://mail.birch.example\"}", "500, no URL" },
		{ 400, "Bad Request", "400" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		open_scene(&s);
		world_url(s.world, "https://" OWN V2, rows[i].status, NULL, rows[i].body);
		run(&s, "ann@birch.example");
		EXPECT_ROW(s.done && s.search->count == 0, rows[i].outcome);
		LOOKED_AT(&s, arena_print(s.job, "https://" OWN V2 ": %s", rows[i].outcome));
		close_scene(&s);
	}
}

/* Something wants a password there, and that is all that is known. */
TEST(a_challenge_without_a_sign_of_exchange)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://birch.example" POX, 401, BASIC, "");
	run(&s, "ann@birch.example");
	PLACES_ARE(&s, "autodiscover https://birch.example" POX " autodiscover trusted, no sign of Exchange");
	EXPECT(!s.search->place[0].sure);
	close_scene(&s);
}

/* -- redirects ---------------------------------------------------------------------------------------------------- */

TEST(plain_http_leads_to_what_has_to_be_confirmed)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "http://" OWN POX, 302, "Location: https://mail.elm.example" POX, "never read");
	world_url(s.world, "https://mail.elm.example" POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	PLACES_ARE(&s, "autodiscover https://mail.elm.example" POX " autodiscover_redirect to be confirmed, 15.1.2507.6");
	LOOKED_AT(&s, "http://" OWN POX ": 302, to https://mail.elm.example" POX);
	LOOKED_AT(&s, "https://mail.elm.example" POX ": 401, Negotiate NTLM Basic");
	EXPECT(world_count(s.world, WANT_HTTP, "elm.example" V2) == 0);
	close_scene(&s);
}

/* Also within the domain: over plain http anybody may have said so. */
TEST(plain_http_is_nobodys_word)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "http://" OWN POX, 301, "Location: https://mail.birch.example" POX, "");
	world_url(s.world, "https://mail.birch.example" POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	EXPECT(s.search->count == 1 && !s.search->place[0].trusted && s.search->place[0].source == SOURCE_AUTODISCOVER_REDIRECT);
	close_scene(&s);
}

TEST(plain_http_that_leads_nowhere)
{
	static const char *const locations[] = {
		"http://mail.elm.example" POX, "ftp://mail.elm.example", "https://ann@mail.elm.example/", "https://" OWN POX, "",
	};

	for (size_t i = 0; i < COUNT(locations); i++) {
		struct scene s;

		open_scene(&s);
		world_url(s.world, "http://" OWN POX, 302, arena_print(s.job, "Location: %s", locations[i]), "");
		world_url(s.world, "http://mail.elm.example" POX, 401, NTLM, "");
		run(&s, "ann@birch.example");
		EXPECT_ROW(s.done && s.search->count == 0, locations[i]);
		EXPECT_ROW(world_count(s.world, WANT_HTTP, "elm.example") == 0, locations[i]);
		EXPECT_ROW(world_count(s.world, WANT_HTTP, "https://" OWN POX) == 1, locations[i]);      /* not once more */
		close_scene(&s);
	}
}

/* A document with Exchange's own signs over plain http is not even looked at. */
TEST(plain_http_is_not_read)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "http://" OWN POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	EXPECT(s.done && s.search->count == 0);
	LOOKED_AT(&s, "http://" OWN POX ": 401");
	close_scene(&s);
}

TEST(sent_on_to_somebody_else_over_https)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://" OWN POX, 302, "Location: https://mail.elm.example" POX, "");
	world_url(s.world, "https://mail.elm.example" POX, 401, NTLM, "");
	world_url(s.world, "https://" OWN V2, 302, "Location: https://mail.elm.example" V2 "?Email=ann@birch.example", "");
	world_url(s.world, "https://birch.example" V2, 302, "Location: https://mail.birch.example" V2 "?Email=ann@birch.example", "");
	run(&s, "ann@birch.example");
	PLACES_ARE(&s, "autodiscover https://mail.elm.example" POX " autodiscover_redirect to be confirmed, 15.1.2507.6");
	LOOKED_AT(&s, "https://" OWN POX ": 401, Negotiate NTLM Basic, from https://mail.elm.example" POX);
	LOOKED_AT(&s, "https://" OWN V2 ": redirect not followed to https://mail.elm.example" V2);
	LOOKED_AT(&s, "https://birch.example" V2 ": 404, from https://mail.birch.example" V2);
	close_scene(&s);
}

/* -- SRV ---------------------------------------------------------------------------------------------------------- */

TEST(srv_within_the_domain)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "_autodiscover._tcp.birch.example", DNS_SRV, "0 0 444 mail.birch.example");
	world_url(s.world, "https://mail.birch.example:444" POX, 401, NTLM, "");
	world_url(s.world, "https://mail.birch.example:444" V2, 200, "X-OWA-Version: 15.2.1544.4", EWS("mail.birch.example:444"));
	run(&s, "ann@birch.example");
	EXPECT(s.search->count >= 1 && s.search->place[0].kind == PLACE_EWS && s.search->place[0].trusted);
	EXPECT(s.search->place[0].source == SOURCE_AUTODISCOVER_SRV && s.search->place[0].port == 444);
	EXPECT_TEXT(s.search->place[0].build, "15.2.1544.4");
	LOOKED_AT(&s, "_autodiscover._tcp.birch.example: mail.birch.example:444");
	close_scene(&s);
}

TEST(srv_to_somebody_else)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "_autodiscover._tcp.birch.example", DNS_SRV, "0 0 443 mail.elm.example");
	world_url(s.world, "https://mail.elm.example" POX, 401, NTLM, "");
	world_url(s.world, "https://mail.elm.example" V2, 200, NULL, EWS("mail.elm.example"));
	run(&s, "ann@birch.example");
	PLACES_ARE(&s, "autodiscover https://mail.elm.example" POX " autodiscover_srv_foreign to be confirmed, 15.1.2507.6");
	close_scene(&s);
}

TEST(srv_that_names_what_is_asked_anyway)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "_autodiscover._tcp.birch.example", DNS_SRV, "0 0 443 " OWN);
	run(&s, "ann@birch.example");
	EXPECT(world_count(s.world, WANT_HTTP, "https://" OWN POX) == 1 && world_count(s.world, WANT_HTTP, "https://" OWN V2) == 1);
	close_scene(&s);
}

TEST(srv_says_that_there_is_none)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "_autodiscover._tcp.birch.example", DNS_SRV, "0 0 0 .");
	run(&s, "ann@birch.example");
	EXPECT(s.search->not_offered);
	EXPECT_TEXT(facts(&s, FACT_NOT_OFFERED), "_autodiscover._tcp.birch.example");
	close_scene(&s);
}

/* -- Microsoft ---------------------------------------------------------------------------------------------------- */

TEST(microsoft_is_asked_only_where_the_domain_is_theirs)
{
	static const struct { const char *mx; bool beside, told, asked; } rows[] = {
		{ "10 birch-example.mail.protection.outlook.com", true,  false, true  },
		{ "10 mx.birch.example",                          true,  false, false },
		{ "10 mx.birch.example",                          true,  true,  true  },
		{ "10 birch-example.mail.protection.outlook.com", false, false, false },      /* nobody looked */
		{ "10 mx.birch.example",                          false, true,  true  },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		open_scene(&s);
		s.beside_detect = rows[i].beside;
		s.microsoft = rows[i].told;
		world_dns(s.world, "birch.example", DNS_MX, rows[i].mx);
		world_url(s.world, "https://outlook.office365.com" V2, 200, NULL, EWS("outlook.office365.com"));
		run(&s, "ann@birch.example");
		EXPECT_ROW(s.done, rows[i].mx);
		EXPECT_ROW(world_count(s.world, WANT_HTTP, "office365") == rows[i].asked, rows[i].mx);
		EXPECT_ROW(s.search->count == rows[i].asked, rows[i].mx);
		if (!rows[i].asked)
			EXPECT(!slice_has(slice_str(facts(&s, FACT_LOOKED_AT)), "office365"));
		else
			PLACES_ARE(&s, "ews https://outlook.office365.com/EWS/Exchange.asmx autodiscover_microsoft to be confirmed, online");
		close_scene(&s);
	}
}

/* They say that it is theirs of most addresses: the domain's own word weighs more, whatever its kind. */
TEST(what_microsoft_says_comes_last)
{
	struct scene s;

	open_scene(&s);
	s.microsoft = true;
	world_url(s.world, "https://outlook.office365.com" V2, 200, NULL, EWS("outlook.office365.com"));
	world_url(s.world, "http://" OWN POX, 302, "Location: https://mail.elm.example" POX, "");
	world_url(s.world, "https://mail.elm.example" POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	EXPECT(s.search->count == 2 && s.search->place[1].online);
	EXPECT_TEXT(s.search->place[0].host, "mail.elm.example");
	close_scene(&s);
}

TEST(microsoft_sends_on_to_the_domains_own_host)
{
	struct scene s;

	open_scene(&s);
	s.microsoft = true;
	world_url(s.world, "https://outlook.office365.com" V2, 302, "Location: https://mail.birch.example" V2 "?Email=ann@birch.example", "");
	world_url(s.world, "https://mail.birch.example" V2, 200, NULL, EWS("mail.birch.example"));
	run(&s, "ann@birch.example");
	PLACES_ARE(&s, "ews https://mail.birch.example/EWS/Exchange.asmx autodiscover trusted");
	close_scene(&s);
}

TEST(microsoft_sends_on_to_somebody_else)
{
	struct scene s;

	open_scene(&s);
	s.microsoft = true;
	world_url(s.world, "https://outlook.office365.com" V2, 302, "Location: https://mail.elm.example" V2 "?Email=ann@birch.example", "");
	run(&s, "ann@birch.example");
	EXPECT(s.search->count == 0);
	LOOKED_AT(&s, "https://outlook.office365.com" V2 ": redirect not followed to https://mail.elm.example" V2);
	close_scene(&s);
}

/* The domain's own server knows that the mailbox has moved. */
TEST(the_domains_own_host_says_online)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://" OWN V2, 200, NULL, EWS("outlook.office365.com"));
	run(&s, "ann@birch.example");
	PLACES_ARE(&s, "ews https://outlook.office365.com/EWS/Exchange.asmx autodiscover trusted, online");
	close_scene(&s);
}

/* -- time --------------------------------------------------------------------------------------------------------- */

TEST(a_host_that_swallows_everything)
{
	struct scene s;

	open_scene(&s);
	world_address_fails(s.world, "192.0.2.2", CAME_TIMEOUT);
	world_url(s.world, "https://birch.example" POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	EXPECT(s.search->count == 1 && s.search->place[0].trusted);
	EXPECT(world_now(s.world) >= 2500 && world_now(s.world) < 2600);      /* better might have come */
	LOOKED_AT(&s, "https://" OWN POX ": not waited for");
	close_scene(&s);

	open_scene(&s);
	world_address_fails(s.world, "192.0.2.2", CAME_TIMEOUT);
	run(&s, "ann@birch.example");
	EXPECT(s.done && s.search->count == 0);
	EXPECT(world_now(s.world) <= EXCHANGE_WAIT_MS + 10);
	EXPECT_TEXT(state(&s), "failed");
	close_scene(&s);
}

TEST(a_certificate_that_is_not_theirs_stops_only_that_host)
{
	struct scene s;

	open_scene(&s);
	world_url_fails(s.world, "https://birch.example" V2, CAME_TLS_FAILED);
	world_url_fails(s.world, "https://birch.example" POX, CAME_TLS_FAILED);
	world_url(s.world, "https://" OWN POX, 401, NTLM, "");
	run(&s, "ann@birch.example");
	EXPECT(s.search->count == 1);
	LOOKED_AT(&s, arena_print(s.job, "https://birch.example" V2 ": %s", came_name(CAME_TLS_FAILED)));
	close_scene(&s);
}

TEST(called_off)
{
	for (int ms = 0; ms < 12; ms++) {
		struct scene s;

		open_scene(&s);
		s.beside_detect = ms % 2;
		world_late(s.world, "https://" OWN V2, 5000);
		world_stop_at(s.world, ms);
		run(&s, "ann@birch.example");
		EXPECT(!s.done && s.err.fault == FAULT_CANCELLED);
		EXPECT_TEXT(state(&s), "skipped");
		close_scene(&s);
	}
}

TEST(an_address_literal_has_no_autodiscover)
{
	struct scene s;
	enum want_kind kind;

	open_scene(&s);
	run(&s, "ann@[192.0.2.1]");
	EXPECT(s.done && s.search->count == 0 && !world_asked(s.world, 0, &kind));
	EXPECT_TEXT(state(&s), "-");
	close_scene(&s);
}
