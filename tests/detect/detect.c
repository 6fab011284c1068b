#include "detect/detect.h"

#include <stdlib.h>

#include "detect/domain.h"
#include "model/facts.h"
#include "test.h"
#include "world.h"

/* -- a scene ------------------------------------------------------------------------------------------------------ */

struct scene {
	struct world       *world;
	struct arena       *job;
	struct report      *report;
	struct detect      *detect;
	struct mail_address address;
	struct error        err;
	bool                want[SERVICES];
	int                 wait_ms;
	bool                done;
};

#define SERVER(kind, type, host, port, socket)                                                                       \
	"<" kind "Server type=\"" type "\"><hostname>" host "</hostname><port>" port "</port><socketType>" socket    \
	"</socketType><username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></" kind "Server>"
#define CONFIG(servers)                                                                                              \
	"<?xml version=\"1.0\"?><clientConfig version=\"1.1\"><emailProvider id=\"x\"><domain>x</domain>" servers    \
	"</emailProvider></clientConfig>"
#define BOTH(imap, smtp)                                                                                             \
	CONFIG(SERVER("incoming", "imap", imap, "993", "SSL") SERVER("outgoing", "smtp", smtp, "465", "SSL"))

#define OWN_CONFIG  BOTH("imap.birch.example", "smtp.birch.example")
#define HOST_CONFIG BOTH("imap.host.example", "smtp.host.example")

static const char own_url[] = "https://autoconfig.birch.example/mail/config-v1.1.xml";

/* birch.example exists, has an exchanger of its own and hosts where the documents may lie. */
static void open_scene(struct scene *s)
{
	*s = (struct scene){ .world = world_new(), .job = arena_new(), .report = report_new("ann@birch.example"),
	                     .want = { true, true }, .wait_ms = 10000 };
	world_dns(s->world, "birch.example", DNS_MX, "10 mx1.birch.example");
	world_dns(s->world, "birch.example", DNS_A, "192.0.2.1");
	world_dns(s->world, "autoconfig.birch.example", DNS_A, "192.0.2.2");
	world_dns(s->world, "v1.ispdb.net", DNS_A, "192.0.2.3");
	world_dns(s->world, "autoconfig.thunderbird.net", DNS_A, "192.0.2.4");
	world_dns(s->world, "www.google.com", DNS_A, "192.0.2.5");
}

/* Where birch.example is another domain. */
static void open_bare_scene(struct scene *s)
{
	*s = (struct scene){ .world = world_new(), .job = arena_new(), .report = report_new("ann@birch.example"),
	                     .want = { true, true }, .wait_ms = 10000 };
	world_dns(s->world, "v1.ispdb.net", DNS_A, "192.0.2.3");
	world_dns(s->world, "autoconfig.thunderbird.net", DNS_A, "192.0.2.4");
	world_dns(s->world, "www.google.com", DNS_A, "192.0.2.5");
	world_dns(s->world, "www.wikipedia.org", DNS_A, "192.0.2.6");
}

static bool has_host_of(const char *url, const char *domain)
{
	struct slice host = slice_from(slice_str(url), slice_search(slice_str(url), "://") + 3);

	host = slice_upto(host, slice_find(host, '/'));
	return slice_is(host, domain) || slice_ends(host, domain);
}

/* The promise that holds whatever was found: the local part goes to the domain's own servers over https, or nowhere. */
static void expect_address_kept(const struct scene *s)
{
	enum want_kind kind;
	const char    *asked;

	for (size_t i = 0; (asked = world_asked(s->world, i, &kind)); i++) {
		if (!slice_has(slice_str(asked), "ann"))
			continue;
		EXPECT_ROW(kind == WANT_HTTP, asked);
		EXPECT_ROW(slice_starts(slice_str(asked), "GET https://"), asked);
		EXPECT_ROW(has_host_of(asked, s->address.domain), asked);
	}
}

static void run(struct scene *s, const char *address)
{
	const char *problem;

	EXPECT(mail_address_parse(address, s->job, &s->address, &problem));
	s->detect = must_alloc(sizeof *s->detect);
	detect_init(s->detect, &s->address, s->job, s->report, s->want, s->wait_ms);
	s->done = world_run(s->world, detect_step, s->detect, &s->err);
	expect_address_kept(s);
	for (size_t i = 0; i < s->report->step_count; i++)
		EXPECT_ROW(s->report->step[i].state != STEP_RUNNING, s->report->step[i].id);
}

static void close_scene(struct scene *s)
{
	detect_release(s->detect);
	free(s->detect);
	report_free(s->report);
	arena_free(s->job);
	world_free(s->world);
}

/* All values of a fact in a step, with " | " between; "-" when there is no such step. */
static const char *facts(const struct scene *s, const char *step, const char *name)
{
	const char *all = "";
	int         n = report_find(s->report, step, NO_ATTEMPT);

	for (size_t i = 0; n >= 0 && i < s->report->fact_count; i++)
		if (s->report->fact[i].step == n && strcmp(s->report->fact[i].name, name) == 0)
			all = arena_print(s->job, "%s%s%s", all, *all ? " | " : "", s->report->fact[i].value);
	return n >= 0 ? all : "-";
}

static const char *state(const struct scene *s, const char *step)
{
	int n = report_find(s->report, step, NO_ATTEMPT);

	return n >= 0 ? step_state_name(s->report->step[n].state) : "-";
}

static const char *provider(const struct scene *s)
{
	return s->detect->provider ? s->detect->provider : "unknown";
}

#define LOOKED_AT(s, text)      EXPECT(slice_has(slice_str(facts(s, "detect", FACT_LOOKED_AT)), text))
#define CANDIDATES_ARE(s, text) EXPECT_TEXT(facts(s, "detect", FACT_CANDIDATE), text)

/* -- where from --------------------------------------------------------------------------------------------------- */

TEST(detect_healthy_autoconfig)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, own_url, 200, NULL, OWN_CONFIG);
	run(&s, "ann@birch.example");
	EXPECT(s.done);
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls autoconfig | smtp smtp.birch.example:465 tls autoconfig");
	EXPECT_TEXT(s.detect->candidates[SERVICE_IMAP].item[0].username, "ann@birch.example");
	EXPECT_TEXT(state(&s, "dns.mx"), "passed");
	EXPECT_TEXT(state(&s, "detect"), "passed");
	EXPECT_TEXT(state(&s, "probe.dns"), "-");
	EXPECT_TEXT(s.report->step[0].id, "dns.mx");
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_MX), "10 mx1.birch.example");
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_OUTCOME), "found");
	EXPECT_TEXT(provider(&s), "imap");
	LOOKED_AT(&s, "https://autoconfig.birch.example/mail/config-v1.1.xml: 200, 2 servers");
	EXPECT(world_count(s.world, WANT_HTTP, "?emailaddress=ann%40birch.example") == 1);
	EXPECT(world_count(s.world, WANT_DNS, "autodiscover") == 0 && world_count(s.world, WANT_DNS, "TXT ") == 0);
	EXPECT(world_count(s.world, WANT_DNS, " mail.birch.example") == 0);
	close_scene(&s);
}

TEST(detect_documents_keep_their_order_and_lose_plain_servers)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, own_url, 200, NULL,
	          CONFIG(SERVER("incoming", "pop3", "pop.birch.example", "995", "SSL")
	                 SERVER("incoming", "imap", "old.birch.example", "143", "plain")
	                 SERVER("incoming", "imap", "a.birch.example", "143", "STARTTLS")
	                 SERVER("incoming", "imap", "b.birch.example", "993", "SSL")
	                 SERVER("outgoing", "smtp", "a.birch.example", "587", "STARTTLS")));
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap a.birch.example:143 starttls autoconfig | imap b.birch.example:993 tls autoconfig"
	                   " | smtp a.birch.example:587 starttls autoconfig");
	close_scene(&s);
}

TEST(detect_well_known_and_autoconfig_are_one_source)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://birch.example/.well-known/autoconfig/mail/config-v1.1.xml", 200, NULL,
	          OWN_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls autoconfig | smtp smtp.birch.example:465 tls autoconfig");
	EXPECT(world_count(s.world, WANT_HTTP, ".well-known/autoconfig/mail/config-v1.1.xml?") == 0);
	close_scene(&s);
}

TEST(detect_ispdb)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://v1.ispdb.net/birch.example", 200, NULL, HOST_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.host.example:993 tls ispdb | smtp smtp.host.example:465 tls ispdb");
	EXPECT(world_count(s.world, WANT_HTTP, "thunderbird.net") == 0);
	close_scene(&s);

	/* 404 is an answer, a broken line is none: only then the second address of the same database is asked */
	open_scene(&s);
	run(&s, "ann@birch.example");
	EXPECT(world_count(s.world, WANT_HTTP, "ispdb.net/birch.example") == 1);
	EXPECT(world_count(s.world, WANT_HTTP, "thunderbird.net") == 0);
	close_scene(&s);

	open_scene(&s);
	world_url_fails(s.world, "https://v1.ispdb.net/birch.example", CAME_REFUSED);
	world_url(s.world, "https://autoconfig.thunderbird.net/v1.1/birch.example", 200, NULL, HOST_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.host.example:993 tls ispdb | smtp smtp.host.example:465 tls ispdb");
	close_scene(&s);
}

TEST(detect_better_source_of_the_same_place_stays)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, own_url, 200, NULL, OWN_CONFIG);
	world_url(s.world, "https://v1.ispdb.net/birch.example", 200, NULL, BOTH("IMAP.birch.example", "smtp2.birch.example"));
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 993 imap.birch.example");
	world_late(s.world, own_url, 50);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls autoconfig | smtp smtp.birch.example:465 tls autoconfig"
	                   " | smtp smtp2.birch.example:465 tls ispdb");
	close_scene(&s);
}

TEST(detect_srv_by_priority)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "20 0 993 second.birch.example");
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "10 0 993 first.birch.example");
	world_dns(s.world, "_imap._tcp.birch.example", DNS_SRV, "10 0 143 first.birch.example");
	world_dns(s.world, "_imap._tcp.birch.example", DNS_SRV, "30 0 993 third.birch.example");
	world_dns(s.world, "_submission._tcp.birch.example", DNS_SRV, "0 0 465 smtp.birch.example");
	world_dns(s.world, "_submission._tcp.birch.example", DNS_SRV, "0 0 587 smtp.birch.example");
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap first.birch.example:993 tls srv | imap first.birch.example:143 starttls srv"
	                   " | imap second.birch.example:993 tls srv | imap third.birch.example:993 tls srv"
	                   " | smtp smtp.birch.example:465 tls srv | smtp smtp.birch.example:587 starttls srv");
	EXPECT(endpoint_trusted(&s.detect->candidates[SERVICE_IMAP].item[0]));
	close_scene(&s);
}

TEST(detect_srv_that_says_no)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "imap.birch.example", DNS_A, "192.0.2.7");
	world_dns(s.world, "mail.birch.example", DNS_A, "192.0.2.7");
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 0 .");
	world_dns(s.world, "_submissions._tcp.birch.example", DNS_SRV, "0 0 465 smtp.birch.example");
	run(&s, "ann@birch.example");
	EXPECT_TEXT(facts(&s, "detect", FACT_NOT_OFFERED), "_imaps._tcp.birch.example");
	EXPECT(s.detect->not_offered[SERVICE_IMAP] && !s.detect->not_offered[SERVICE_SMTP]);
	CANDIDATES_ARE(&s, "smtp smtp.birch.example:465 tls srv");
	close_scene(&s);

	/* refused with TLS from the first byte, offered with STARTTLS */
	open_scene(&s);
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 0 .");
	world_dns(s.world, "_imap._tcp.birch.example", DNS_SRV, "0 0 143 imap.birch.example");
	s.want[SERVICE_SMTP] = false;
	run(&s, "ann@birch.example");
	EXPECT(!s.detect->not_offered[SERVICE_IMAP]);
	CANDIDATES_ARE(&s, "imap imap.birch.example:143 starttls srv");
	EXPECT(world_count(s.world, WANT_DNS, "_submission") == 0);
	close_scene(&s);
}

TEST(detect_srv_to_others_has_to_be_confirmed)
{
	for (int authentic = 0; authentic < 2; authentic++) {
		struct scene s;

		open_scene(&s);
		if (authentic)
			world_dns_authentic(s.world);
		world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 993 imap.host.example");
		world_dns(s.world, "_submissions._tcp.birch.example", DNS_SRV, "0 0 465 smtp.birch.example");
		run(&s, "ann@birch.example");
		CANDIDATES_ARE(&s, "imap imap.host.example:993 tls srv_foreign | smtp smtp.birch.example:465 tls srv");
		EXPECT(!endpoint_trusted(&s.detect->candidates[SERVICE_IMAP].item[0]));
		close_scene(&s);
	}
}

TEST(detect_mx_autoconfig)
{
	struct scene s;

	open_bare_scene(&s);
	world_dns(s.world, "birch.example", DNS_MX, "20 backup.other.example");
	world_dns(s.world, "birch.example", DNS_MX, "10 mx1.eu.host.example");
	world_dns(s.world, "autoconfig.host.example", DNS_A, "192.0.2.7");
	world_url(s.world, "https://autoconfig.host.example/mail/config-v1.1.xml", 200, NULL, HOST_CONFIG);
	world_url(s.world, "https://v1.ispdb.net/eu.host.example", 200, NULL, BOTH("imap2.host.example", "smtp.host.example"));
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.host.example:993 tls mx_autoconfig | imap imap2.host.example:993 tls mx_autoconfig"
	                   " | smtp smtp.host.example:465 tls mx_autoconfig");
	EXPECT(!endpoint_trusted(&s.detect->candidates[SERVICE_IMAP].item[0]));
	EXPECT(world_count(s.world, WANT_DNS, "autoconfig.eu.host.example") > 0);
	EXPECT(world_count(s.world, WANT_HTTP, "ispdb.net/host.example") == 1);
	EXPECT(world_count(s.world, WANT_DNS, "other.example") == 0);
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_MX), "10 mx1.eu.host.example | 20 backup.other.example");
	EXPECT_TEXT(provider(&s), "imap");
	close_scene(&s);

	/* an exchanger within the domain names no other place */
	open_scene(&s);
	run(&s, "ann@birch.example");
	EXPECT(world_count(s.world, WANT_HTTP, "ispdb.net") == 1);
	close_scene(&s);
}

TEST(detect_plain_http_is_heard_but_not_believed)
{
	struct scene s;

	open_scene(&s);
	world_url_fails(s.world, own_url, CAME_TLS_FAILED);
	world_url(s.world, "http://autoconfig.birch.example/mail/config-v1.1.xml", 200, NULL, OWN_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls autoconfig_http"
	                   " | smtp smtp.birch.example:465 tls autoconfig_http");
	EXPECT(!endpoint_trusted(&s.detect->candidates[SERVICE_IMAP].item[0]));
	LOOKED_AT(&s, "https://autoconfig.birch.example/mail/config-v1.1.xml: tls_failed");
	close_scene(&s);
}

TEST(detect_redirects_may_not_borrow_trust)
{
	static const struct { const char *to, *source; } rows[] = {
		{ "https://www.birch.example/c.xml",               "autoconfig" },
		{ "https://autoconfig.thunderbird.net/v1.1/x",     "autoconfig" },
		{ "https://host.example/c.xml",                    "mx_autoconfig" },
		{ "https://birch.example.host.example/c.xml",      "mx_autoconfig" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		open_scene(&s);
		world_dns(s.world, "www.birch.example", DNS_A, "192.0.2.7");
		world_dns(s.world, "host.example", DNS_A, "192.0.2.7");
		world_dns(s.world, "birch.example.host.example", DNS_A, "192.0.2.7");
		world_url(s.world, own_url, 301, arena_print(s.job, "Location: %s", rows[i].to), "");
		world_url(s.world, rows[i].to, 200, NULL, HOST_CONFIG);
		run(&s, "ann@birch.example");
		CANDIDATES_ARE(&s, arena_print(s.job, "imap imap.host.example:993 tls %s | smtp smtp.host.example:465 tls %s",
		                               rows[i].source, rows[i].source));
		LOOKED_AT(&s, arena_print(s.job, "2 servers, from %s", rows[i].to));
		close_scene(&s);
	}

	/* from the database to somebody else */
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "host.example", DNS_A, "192.0.2.7");
	world_url(s.world, "https://v1.ispdb.net/birch.example", 301, "Location: https://host.example/c.xml", "");
	world_url(s.world, "https://host.example/c.xml", 200, NULL, HOST_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.host.example:993 tls mx_autoconfig | smtp smtp.host.example:465 tls mx_autoconfig");
	close_scene(&s);

	/* to somebody else, with the address in the URL: it is not carried there; to the domain's own it is */
	open_scene(&s);
	world_dns(s.world, "host.example", DNS_A, "192.0.2.7");
	world_url(s.world, own_url, 301, "Location: https://host.example/c.xml?emailaddress=ann%40birch.example", "");
	world_url(s.world, "https://host.example/c.xml", 200, NULL, HOST_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "");
	LOOKED_AT(&s, "config-v1.1.xml: redirect not followed");
	close_scene(&s);

	open_scene(&s);
	world_dns(s.world, "www.birch.example", DNS_A, "192.0.2.7");
	world_url(s.world, own_url, 301, "Location: https://www.birch.example/ann@birch.example", "");
	world_url(s.world, "https://www.birch.example/ann@birch.example", 200, NULL, HOST_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.host.example:993 tls autoconfig | smtp smtp.host.example:465 tls autoconfig");
	close_scene(&s);

	/* from https to http: not followed, and so the address is not shown to the road */
	open_scene(&s);
	world_url(s.world, own_url, 301, "Location: http://birch.example/c.xml?emailaddress=ann%40birch.example", "");
	world_url(s.world, "http://birch.example/c.xml", 200, NULL, HOST_CONFIG);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "");
	close_scene(&s);
}

TEST(detect_garbage_is_no_configuration)
{
	static const char *const garbage[] = {
		"", "<html><body>It works!</body></html>", "<clientConfig><emailProvider id=\"x\">", "\xff\xfe\x00",
		"<!DOCTYPE clientConfig [<!ENTITY a \"b\">]><clientConfig version=\"1.1\"/>",
	};

	for (size_t i = 0; i < COUNT(garbage); i++) {
		struct scene s;

		open_scene(&s);
		world_url(s.world, own_url, 200, NULL, garbage[i]);
		world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 993 imap.birch.example");
		s.want[SERVICE_SMTP] = false;
		run(&s, "ann@birch.example");
		CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls srv");
		LOOKED_AT(&s, "https://autoconfig.birch.example/mail/config-v1.1.xml: 200, no configuration");
		close_scene(&s);
	}
}

TEST(detect_oauth_only_servers_are_kept_and_noted)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, own_url, 200, NULL,
	          CONFIG("<incomingServer type=\"imap\"><hostname>imap.birch.example</hostname><port>993</port>"
	                 "<socketType>SSL</socketType><authentication>OAuth2</authentication></incomingServer>"));
	s.want[SERVICE_SMTP] = false;
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls autoconfig");
	EXPECT_TEXT(facts(&s, "detect", FACT_AUTH_OFFERED), "imap.birch.example:993: OAuth2");
	close_scene(&s);
}

TEST(detect_guesses_only_what_resolves)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "mail.birch.example", DNS_A, "192.0.2.7");
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap mail.birch.example:993 tls guess | imap mail.birch.example:143 starttls guess"
	                   " | smtp mail.birch.example:465 tls guess | smtp mail.birch.example:587 starttls guess");
	EXPECT_TEXT(provider(&s), "unknown");
	close_scene(&s);

	/* none for a service that somebody trusted has named */
	open_scene(&s);
	world_dns(s.world, "mail.birch.example", DNS_A, "192.0.2.7");
	world_dns(s.world, "imap.birch.example", DNS_AAAA, "2001:db8::7");
	world_dns(s.world, "_submissions._tcp.birch.example", DNS_SRV, "0 0 465 out.birch.example");
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls guess | imap imap.birch.example:143 starttls guess"
	                   " | imap mail.birch.example:993 tls guess | imap mail.birch.example:143 starttls guess"
	                   " | smtp out.birch.example:465 tls srv");
	EXPECT(world_count(s.world, WANT_DNS, " smtp.birch.example") == 0);
	close_scene(&s);

	open_scene(&s);
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "");
	EXPECT_TEXT(state(&s, "detect"), "failed");
	close_scene(&s);
}

/* -- who hosts ---------------------------------------------------------------------------------------------------- */

static const struct { const char *address, *mx, *txt, *cname, *hoster, *provider, *imap; bool filter; } hosts[] = {
	{ "ann@sidekick.engineering", "0 sidekick-engineering.mail.protection.outlook.com", NULL, NULL,
	  "microsoft", "microsoft", "imap outlook.office365.com:993 tls mx_table", false },
	{ "ann@mac.com",              "10 mx01.mail.icloud.com", NULL, NULL, "icloud", "imap", "imap imap.mail.me.com:993 tls table", false },
	{ "ann@birch.example",        "1 aspmx.l.google.com", NULL, NULL, "gmail", "google", "imap imap.gmail.com:993 tls mx_table", false },
	{ "ann@gmail.com",            "5 gmail-smtp-in.l.google.com", NULL, NULL, "gmail", "google", "imap imap.gmail.com:993 tls table", false },
	{ "ann@hotmail.com",          "2 hotmail-com.olc.protection.outlook.com", NULL, NULL,
	  "outlook", "microsoft", "imap outlook.office365.com:993 tls table", false },
	{ "ann@birch.example",        "10 mx.zoho.eu", NULL, NULL, "zoho", "imap", "imap imappro.zoho.eu:993 tls mx_table", false },
	{ "ann@birch.example",        "10 mxb-1.gslb.pphosted.com", "v=spf1 include:spf.protection.outlook.com -all", NULL,
	  "", "microsoft", "", true },
	{ "ann@birch.example",        "10 eu-smtp-inbound-1.mimecast.com", "v=spf1 include:_spf.google.com ~all", NULL, "", "google", "", true },
	{ "ann@birch.example",        "10 mx1.improvmx.com", NULL, "autodiscover.outlook.com", "", "microsoft", "", true },
	{ "ann@birch.example",        "10 mx1.improvmx.com", "v=spf1 include:_spf.google.com ~all", "autodiscover.outlook.com",
	  "", "microsoft", "", true },
	{ "ann@birch.example",        "10 mx1.improvmx.com", "v=spf1 include:_spf.google.com include:spf.protection.outlook.com -all", NULL,
	  "", "unknown", "", true },
	{ "ann@birch.example",        "10 mx1.improvmx.com", "MS=ms12345678", NULL, "", "unknown", "", true },
	{ "ann@birch.example",        "10 mx1.improvmx.com", "v=spf1 include:spf.protection.outlook.com.evil.example -all", NULL, "", "unknown", "", true },
	/* an unknown exchanger and nothing else: the same signs help */
	{ "ann@birch.example",        "10 mx1.birch.example", "v=spf1 mx include:spf.protection.outlook.com -all", NULL, "", "microsoft", "", false },
	{ "ann@birch.example",        "10 mx1.birch.example", NULL, NULL, "", "unknown", "", false },
};

TEST(detect_hosters_and_providers)
{
	for (size_t i = 0; i < COUNT(hosts); i++) {
		const char  *domain = strchr(hosts[i].address, '@') + 1;
		struct scene s;

		open_bare_scene(&s);
		world_dns(s.world, domain, DNS_MX, hosts[i].mx);
		if (hosts[i].txt)
			world_dns(s.world, domain, DNS_TXT, hosts[i].txt);
		if (hosts[i].cname)
			world_dns(s.world, arena_print(s.job, "autodiscover.%s", domain), DNS_CNAME, hosts[i].cname);
		s.want[SERVICE_SMTP] = false;
		run(&s, hosts[i].address);
		EXPECT_TEXT(facts(&s, "dns.mx", FACT_HOSTER), hosts[i].hoster);
		EXPECT_TEXT(provider(&s), hosts[i].provider);
		EXPECT_TEXT(facts(&s, "dns.mx", FACT_PROVIDER), strcmp(hosts[i].provider, "unknown") ? hosts[i].provider : "");
		EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_FILTER), hosts[i].filter ? "yes" : "");
		CANDIDATES_ARE(&s, hosts[i].imap);
		/* a filter's own configuration is not theirs */
		if (hosts[i].filter)
			EXPECT_ROW(world_count(s.world, WANT_DNS, "autoconfig.") <= 4 + 2, hosts[i].mx);
		close_scene(&s);
	}
}

TEST(detect_user_name_is_in_the_form_of_the_host)
{
	struct scene s;

	open_bare_scene(&s);
	world_dns(s.world, "me.com", DNS_MX, "10 mx01.mail.icloud.com");
	run(&s, "ann@me.com");
	EXPECT_TEXT(s.detect->candidates[SERVICE_IMAP].item[0].username, "ann");
	EXPECT_TEXT(s.detect->candidates[SERVICE_SMTP].item[0].username, "ann@me.com");
	close_scene(&s);

	open_bare_scene(&s);
	world_dns(s.world, "birch.example", DNS_MX, "10 mx01.mail.icloud.com");
	run(&s, "ann@birch.example");
	EXPECT(s.detect->candidates[SERVICE_IMAP].item[0].username == NULL);
	close_scene(&s);
}

TEST(detect_asks_only_the_exchanger_when_no_service_is_wanted)
{
	struct scene s;

	open_scene(&s);
	s.want[SERVICE_IMAP] = s.want[SERVICE_SMTP] = false;
	run(&s, "ann@birch.example");
	EXPECT(s.done);
	EXPECT(world_count(s.world, WANT_DNS, "") == 1 && world_count(s.world, WANT_HTTP, "") == 0);
	EXPECT_TEXT(state(&s, "dns.mx"), "passed");
	EXPECT_TEXT(state(&s, "detect"), "-");
	close_scene(&s);

	open_bare_scene(&s);
	world_dns(s.world, "gmail.com", DNS_MX, "5 gmail-smtp-in.l.google.com");
	s.want[SERVICE_IMAP] = s.want[SERVICE_SMTP] = false;
	run(&s, "ann@gmail.com");
	EXPECT_TEXT(provider(&s), "google");
	EXPECT(s.detect->candidates[SERVICE_IMAP].count == 0);
	close_scene(&s);
}

/* -- what goes wrong with DNS ------------------------------------------------------------------------------------- */

TEST(detect_ends_at_once_where_there_is_no_domain)
{
	struct scene s;

	open_bare_scene(&s);
	world_late(s.world, "_imaps._tcp.birch.example", 3000);
	world_late(s.world, "https://v1.ispdb.net/birch.example", 3000);
	run(&s, "ann@birch.example");
	EXPECT(s.done);
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_OUTCOME), "nxdomain");
	EXPECT_TEXT(state(&s, "dns.mx"), "failed");
	EXPECT_TEXT(state(&s, "detect"), "failed");
	EXPECT_TEXT(state(&s, "probe.dns"), "-");
	EXPECT(world_now(s.world) < 100);
	EXPECT(world_count(s.world, WANT_DNS, "mail.birch.example") == 0);
	close_scene(&s);
}

TEST(detect_null_mx_is_the_last_word)
{
	struct scene s;

	open_bare_scene(&s);
	world_dns(s.world, "birch.example", DNS_MX, "0 .");
	world_dns(s.world, "birch.example", DNS_A, "192.0.2.1");
	world_dns(s.world, "mail.birch.example", DNS_A, "192.0.2.1");
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 993 imap.birch.example");
	world_late(s.world, "birch.example", 5);
	run(&s, "ann@birch.example");
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_NULL_MX), "yes");
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_MX), "");
	EXPECT_TEXT(state(&s, "dns.mx"), "failed");
	EXPECT(s.detect->null_mx && s.detect->mx_count == 0);
	CANDIDATES_ARE(&s, "");
	close_scene(&s);
}

TEST(detect_without_mx_the_address_counts)
{
	static const struct { const char *type, *has, *state; } rows[] = { { "A", "yes", "warned" }, { "TXT", "no", "failed" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		open_bare_scene(&s);
		if (i == 0)
			world_dns(s.world, "birch.example", DNS_A, "192.0.2.1");
		else
			world_dns(s.world, "birch.example", DNS_TXT, "hello");
		run(&s, "ann@birch.example");
		EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_OUTCOME), "no_data");
		EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_HAS_ADDRESS), rows[i].has);
		EXPECT_TEXT(state(&s, "dns.mx"), rows[i].state);
		close_scene(&s);
	}
}

static const struct { enum dns_outcome outcome; const char *name, *probe_with, *probe_without; int extended; } failures[] = {
	{ DNS_SERVER_FAILED,  "servfail", "passed", "failed", 22 },
	{ DNS_SILENT,         "timeout",  "passed", "failed", -1 },
	{ DNS_SERVER_REFUSED, "refused",  "passed", "failed", -1 },
	{ DNS_BROKEN,         "broken",   "passed", "failed", -1 },
	{ DNS_BOGUS,          "bogus",    "-",      "-",      7 },
};

TEST(detect_tells_their_name_service_from_ours)
{
	for (size_t i = 0; i < COUNT(failures); i++)
		for (int control = 0; control < 2; control++) {
			struct scene s;

			open_bare_scene(&s);
			for (int type = 0; type < 40; type++) {
				static const char *const names[] = { "birch.example", "autoconfig.birch.example", "_imaps._tcp.birch.example",
				                                     "_imap._tcp.birch.example", "_submissions._tcp.birch.example",
				                                     "_submission._tcp.birch.example", "www.google.com", "www.wikipedia.org" };

				if (type != DNS_MX && type != DNS_A && type != DNS_AAAA && type != DNS_SRV)
					continue;
				for (size_t n = 0; n < COUNT(names) - (control ? 2 : 0); n++)
					world_dns_fails(s.world, names[n], (enum dns_type)type, failures[i].outcome, failures[i].extended);
			}
			run(&s, "ann@birch.example");
			EXPECT(s.done);
			EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_OUTCOME), failures[i].name);
			EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_EDE), failures[i].extended < 0 ? "" : arena_print(s.job, "%d", failures[i].extended));
			EXPECT_TEXT(state(&s, "dns.mx"), "failed");
			EXPECT_TEXT(state(&s, "probe.dns"), control ? failures[i].probe_with : failures[i].probe_without);
			if (failures[i].outcome != DNS_BOGUS)
				EXPECT_TEXT(facts(&s, "probe.dns", FACT_DNS_OUTCOME),
				            control ? "found | found" : arena_print(s.job, "%s | %s", failures[i].name, failures[i].name));
			EXPECT(world_now(s.world) <= s.wait_ms);
			close_scene(&s);
		}
}

TEST(detect_silence_never_outlasts_the_wait)
{
	for (int wait = 1; wait < 12000; wait = wait * 3) {
		struct scene s;

		open_bare_scene(&s);
		for (int type = 0; type < 40; type++)
			world_dns_fails(s.world, "*", (enum dns_type)type, DNS_SILENT, -1);
		s.wait_ms = wait;
		run(&s, "ann@nobody.test");
		EXPECT(s.done && world_now(s.world) <= wait + 20);
		EXPECT_TEXT(state(&s, "dns.mx"), "failed");
		close_scene(&s);
	}
}

/* -- how long ----------------------------------------------------------------------------------------------------- */

TEST(detect_waits_no_longer_than_it_pays)
{
	struct scene s;

	/* the best source has spoken: nobody else is waited for */
	open_scene(&s);
	world_url(s.world, own_url, 200, NULL, OWN_CONFIG);
	world_url_fails(s.world, "https://birch.example/.well-known/autoconfig/mail/config-v1.1.xml", CAME_TIMEOUT);
	world_url_fails(s.world, "https://v1.ispdb.net/birch.example", CAME_TIMEOUT);
	world_url_fails(s.world, "http://autoconfig.birch.example/mail/config-v1.1.xml", CAME_TIMEOUT);
	run(&s, "ann@birch.example");
	EXPECT(world_now(s.world) < 100);
	LOOKED_AT(&s, "https://v1.ispdb.net/birch.example: not waited for");
	close_scene(&s);

	/* a host that swallows everything costs the patience, not the whole wait */
	open_scene(&s);
	world_address_fails(s.world, "192.0.2.2", CAME_TIMEOUT);
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 993 imap.birch.example");
	world_dns(s.world, "_submissions._tcp.birch.example", DNS_SRV, "0 0 465 smtp.birch.example");
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap imap.birch.example:993 tls srv | smtp smtp.birch.example:465 tls srv");
	EXPECT(world_now(s.world) > 2400 && world_now(s.world) < 2600);
	close_scene(&s);

	/* and within it a better one is still heard */
	open_scene(&s);
	world_late(s.world, own_url, 2000);
	world_url(s.world, own_url, 200, NULL, BOTH("auto.birch.example", "smtp.birch.example"));
	world_dns(s.world, "_imaps._tcp.birch.example", DNS_SRV, "0 0 993 imap.birch.example");
	s.want[SERVICE_SMTP] = false;
	run(&s, "ann@birch.example");
	CANDIDATES_ARE(&s, "imap auto.birch.example:993 tls autoconfig | imap imap.birch.example:993 tls srv");
	EXPECT(world_now(s.world) >= 2000 && world_now(s.world) < 2100);
	close_scene(&s);

	/* with nothing in hand each document gets its own time and no more */
	open_scene(&s);
	world_address_fails(s.world, "192.0.2.2", CAME_TIMEOUT);
	run(&s, "ann@birch.example");
	EXPECT(world_now(s.world) > 3900 && world_now(s.world) < 4200);
	close_scene(&s);

	/* the exchanger is waited for in any case: the provider depends on it */
	open_scene(&s);
	world_late(s.world, "birch.example", 1500);
	world_url(s.world, own_url, 200, NULL, OWN_CONFIG);
	run(&s, "ann@birch.example");
	EXPECT_TEXT(facts(&s, "dns.mx", FACT_DNS_OUTCOME), "found");
	EXPECT(world_now(s.world) >= 1500 && world_now(s.world) < 1600);
	close_scene(&s);
}

TEST(detect_can_be_called_off_at_any_moment)
{
	for (int ms = 0; ms < 60; ms++) {
		struct scene s;

		open_scene(&s);
		world_late(s.world, "birch.example", 10);
		world_late(s.world, own_url, 20);
		world_late(s.world, "mail.birch.example", 10);
		world_dns(s.world, "mail.birch.example", DNS_A, "192.0.2.7");
		s.want[SERVICE_SMTP] = ms % 2;
		s.want[SERVICE_IMAP] = ms % 3;
		world_stop_at(s.world, ms);
		run(&s, "ann@birch.example");
		EXPECT(s.done || s.err.fault == FAULT_CANCELLED);
		EXPECT(ms > 15 || !s.done || !(s.want[SERVICE_SMTP] || s.want[SERVICE_IMAP]));
		close_scene(&s);
	}
}

/* -- the rest ----------------------------------------------------------------------------------------------------- */

TEST(detect_literals_need_no_names)
{
	struct scene s;

	open_scene(&s);
	run(&s, "ann@[192.0.2.1]");
	CANDIDATES_ARE(&s, "imap 192.0.2.1:993 tls guess | imap 192.0.2.1:143 starttls guess"
	                   " | smtp 192.0.2.1:465 tls guess | smtp 192.0.2.1:587 starttls guess");
	EXPECT(world_count(s.world, WANT_DNS, "") == 0 && world_count(s.world, WANT_HTTP, "") == 0);
	EXPECT_TEXT(state(&s, "dns.mx"), "-");
	close_scene(&s);

	open_scene(&s);
	s.want[SERVICE_SMTP] = false;
	run(&s, "ann@[IPv6:2001:db8::1]");
	CANDIDATES_ARE(&s, "imap [2001:db8::1]:993 tls guess | imap [2001:db8::1]:143 starttls guess");
	EXPECT_TEXT(s.detect->candidates[SERVICE_IMAP].item[0].host, "2001:db8::1");
	close_scene(&s);
}

TEST(detect_asks_for_a_labels)
{
	struct scene s;

	open_bare_scene(&s);
	world_dns(s.world, "xn--mnchen-3ya.example", DNS_MX, "10 mx1.xn--mnchen-3ya.example");
	world_dns(s.world, "autoconfig.xn--mnchen-3ya.example", DNS_A, "192.0.2.1");
	world_url(s.world, "https://autoconfig.xn--mnchen-3ya.example/mail/config-v1.1.xml?emailaddress=ann%40xn--mnchen-3ya.example",
	          200, NULL, BOTH("imap.%EMAILDOMAIN%", "smtp.%EMAILDOMAIN%"));
	run(&s, "ann@m\xc3\xbcnchen.example");
	CANDIDATES_ARE(&s, "imap imap.xn--mnchen-3ya.example:993 tls autoconfig"
	                   " | smtp smtp.xn--mnchen-3ya.example:465 tls autoconfig");
	close_scene(&s);
}

static const struct { const char *name, *domain; } domains[] = {
	{ "imap.birch.example", "birch.example" }, { "a.b.birch.co.uk", "birch.co.uk" }, { "birch.example", "birch.example" },
	{ "example", "example" }, { "co.uk", "co.uk" }, { "x.birch.test", "birch.test" }, { "a.xn--mnchen-3ya.de", "xn--mnchen-3ya.de" },
};

TEST(registrable_domains)
{
	for (size_t i = 0; i < COUNT(domains); i++)
		EXPECT_TEXT(registrable_domain(domains[i].name), domains[i].domain);
	EXPECT(same_registrable_domain("imap.birch.example", "birch.example"));
	EXPECT(!same_registrable_domain("birch.co.uk", "fir.co.uk"));
	EXPECT(!same_registrable_domain("notbirch.example", "birch.example"));
}

TEST(candidates_are_bounded_sorted_and_each_once)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct candidates c = { .count = 0 };

	for (int round = 0; round < 3; round++)
		for (int i = 39; i >= 0; i--)
			candidates_add(&c, &(struct endpoint){
				.host = arena_print(job, "h%d.example", i), .port = 993, .source = i % 2 ? SOURCE_GUESS : SOURCE_SRV, .rank = i,
			});
	EXPECT(c.count == CANDIDATES);
	for (size_t i = 0; i < c.count; i++)
		EXPECT_TEXT(c.item[i].host, arena_print(job, "h%zu.example", 2 * i));
	candidates_add(&c, &(struct endpoint){ .host = "H4.example", .port = 993, .source = SOURCE_USER });
	EXPECT(c.count == CANDIDATES);
	EXPECT_TEXT(c.item[0].host, "H4.example");
	EXPECT_TEXT(c.item[1].host, "h0.example");
	EXPECT_TEXT(c.item[3].host, "h6.example");

	c.count = 0;
	candidates_add(&c, &(struct endpoint){ .host = "a.example", .port = 143, .socket = SOCKET_STARTTLS, .source = SOURCE_SRV });
	candidates_add(&c, &(struct endpoint){ .host = "a.example", .port = 993, .socket = SOCKET_TLS, .source = SOURCE_SRV });
	EXPECT(c.count == 2 && c.item[0].port == 993 && c.item[1].port == 143);
}
