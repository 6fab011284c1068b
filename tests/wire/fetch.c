#include "wire/fetch.h"

#include "test.h"
#include "world.h"

/* -- URLs --------------------------------------------------------------------------------------------------------- */

static const struct { const char *text, *host, *target, *whole; int port; bool secure; } urls[] = {
	{ "https://birch.example",               "birch.example", "/",        "https://birch.example/",          443,  true },
	{ "HTTPS://Birch.Example/A?b#c",         "birch.example", "/A?b",     "https://birch.example/A?b",       443,  true },
	{ "http://birch.example:8080/x",         "birch.example", "/x",       "http://birch.example:8080/x",     8080, false },
	{ "http://birch.example:/x",             "birch.example", "/x",       "http://birch.example:/x",         80,   false },
	{ " https://birch.example?q ",           "birch.example", "/?q",      "https://birch.example/?q",        443,  true },
	{ "https://[2001:DB8::1]:444/",          "2001:db8::1",   "/",        "https://[2001:db8::1]:444/",      444,  true },
	{ "https://192.0.2.1/",                  "192.0.2.1",     "/",        "https://192.0.2.1/",              443,  true },
	{ "https://x/?u=https://y",              "x",             "/?u=https://y", "https://x/?u=https://y",     443,  true },
	{ "https://birch.example#@evil.example", "birch.example", "/",        "https://birch.example/",          443,  true },
};

static const char *const no_urls[] = {
	"", "birch.example", "ftp://birch.example/", "https:/birch.example", "https://", "https:///x", "https://ann@birch.example/",
	"https://ann:pw@birch.example/", "https://birch.example:0/", "https://birch.example:65536/", "https://birch.example:x/",
	"https://birch..example/", "https://.example/", "https://bi rch.example/", "https://birch.example/\r\nX: y", "https://[::1/",
	"https://[::1]x/", "https://[192.0.2.1]/", "https://[]/", "https://m\xc3\xbcnchen.example/", "https://birch.example\\@evil/",
	"javascript://birch.example/",
};

TEST(http_urls_are_taken_apart)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct http_url url;

	for (size_t i = 0; i < COUNT(urls); i++) {
		EXPECT_ROW(http_url_parse(slice_str(urls[i].text), job, &url), urls[i].text);
		EXPECT_TEXT(url.host, urls[i].host);
		EXPECT_TEXT(url.target, urls[i].target);
		EXPECT_TEXT(url.text, urls[i].whole);
		EXPECT_ROW(url.port == urls[i].port && url.secure == urls[i].secure, urls[i].text);
		for (size_t cut = 0; cut < strlen(urls[i].text); cut++)
			http_url_parse(slice(arena_copy(job, slice(urls[i].text, cut)), cut), job, &url);
	}
	for (size_t i = 0; i < COUNT(no_urls); i++)
		EXPECT_ROW(!http_url_parse(slice_str(no_urls[i]), job, &url), no_urls[i]);
}

static const struct { const char *base, *reference, *whole; } references[] = {
	{ "https://a.example/x/y?z", "https://b.example/",  "https://b.example/" },
	{ "https://a.example/x/y?z", "//b.example/q",       "https://b.example/q" },
	{ "https://a.example:44/x/y", "/q",                 "https://a.example:44/q" },
	{ "https://a.example/x/y?z/w", "q",                 "https://a.example/x/q" },
	{ "https://a.example",       "q",                   "https://a.example/q" },
	{ "http://a.example/x",      "?q=1:2",              "http://a.example/?q=1:2" },
	{ "https://a.example/",      "mailto:ann@b.example", NULL },
	{ "https://a.example/",      "//ann@b.example/",    NULL },
	{ "https://a.example/",      "",                    NULL },
	{ "https://a.example/",      "/a b",                NULL },
};

TEST(http_references_are_followed)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct http_url base, url;

	for (size_t i = 0; i < COUNT(references); i++) {
		bool good;

		EXPECT(http_url_parse(slice_str(references[i].base), job, &base));
		good = http_url_follow(&base, slice_str(references[i].reference), job, &url);
		EXPECT_ROW(good == (references[i].whole != NULL), references[i].reference);
		if (good)
			EXPECT_TEXT(url.text, references[i].whole);
	}
}

TEST(http_headers_are_found)
{
	struct http_answer a = { .status = 200 };
	struct slice       value;

	buffer_init(&a.head, 1000);
	EXPECT(!http_header(&a, "Date", &value));
	buffer_add_str(&a.head, "HTTP/1.1 200 OK\r\nServer:x\r\nDATE:  Tue, 01 Jan 2030 00:00:00 GMT \r\nX-Date: no\r\nempty:\r\n");
	EXPECT(http_header(&a, "Date", &value) && slice_is(value, "Tue, 01 Jan 2030 00:00:00 GMT"));
	EXPECT(http_header(&a, "empty", &value) && value.len == 0);
	EXPECT(!http_header(&a, "Location", &value));
	buffer_release(&a.head);
}

TEST(http_url_encoding_leaves_nothing_to_chance)
{
	CLEANUP(arena) struct arena *job = arena_new();

	EXPECT_TEXT(http_url_encode("ann+x&y=1@m\xc3\xbc.example", job), "ann%2Bx%26y%3D1%40m%C3%BC.example");
}

/* -- the conversation --------------------------------------------------------------------------------------------- */

struct scene {
	struct world *world;
	struct arena *job;
	struct fetch  fetch;
	struct error  err;
};

static void open_scene(struct scene *s)
{
	*s = (struct scene){ .world = world_new(), .job = arena_new() };
	world_dns(s->world, "a.example", DNS_A, "192.0.2.1");
	world_dns(s->world, "b.example", DNS_A, "192.0.2.2");
}

static bool get(struct scene *s, const char *url)
{
	fetch_init(&s->fetch, s->job, "GET", url, 4000, 1000);
	return world_run(s->world, fetch_step, &s->fetch, &s->err);
}

static void close_scene(struct scene *s)
{
	fetch_release(&s->fetch);
	arena_free(s->job);
	world_free(s->world);
}

static const struct { const char *url, *result, *from; bool document; int redirects; } fetches[] = {
	{ "https://a.example/good",      "200",       "https://a.example/good",  true,  0 },
	{ "https://a.example/none",      "404",       "https://a.example/none",  false, 0 },
	{ "https://c.example/",          "nxdomain",  "https://c.example/",      false, 0 },
	{ "https://a.example/to-b",      "200",       "https://b.example/good",  true,  1 },
	{ "https://a.example/down",      "redirect to plain http", "https://a.example/down", false, 0 },
	{ "http://a.example/up",         "200",       "https://b.example/good",  true,  1 },
	{ "http://a.example/up-down",    "redirect to plain http", "https://b.example/down", false, 1 },
	{ "https://a.example/loop",      "too many redirects", "https://a.example/loop", false, 5 },
	{ "https://a.example/to-nobody", "nxdomain",  "https://c.example/",      false, 1 },
	{ "https://a.example/to-user",   "redirect to no URL", "https://a.example/to-user", false, 0 },
	{ "https://a.example/no-place",  "302",       "https://a.example/no-place", false, 0 },
	{ "https://a.example/tls",       "tls_failed", "https://a.example/tls",  false, 0 },
	{ "https://a.example/big",       "full",      "https://a.example/big",   false, 0 },
	{ "https://a.example/silent",    "timeout",   "https://a.example/silent", false, 0 },
	{ "ftp://a.example/",            "no URL",    NULL,                      false, 0 },
};

TEST(fetch_ends_in_every_way)
{
	static char big[2001];

	memset(big, 'x', sizeof big - 1);
	for (size_t i = 0; i < COUNT(fetches); i++) {
		struct scene s;

		open_scene(&s);
		world_url(s.world, "https://a.example/good", 200, NULL, "document");
		world_url(s.world, "https://b.example/good", 200, NULL, "document");
		world_url(s.world, "https://a.example/to-b", 301, "Location: https://b.example/good", "");
		world_url(s.world, "https://a.example/down", 302, "Location: http://a.example/good", "");
		world_url(s.world, "https://b.example/down", 302, "Location: http://a.example/good", "");
		world_url(s.world, "http://a.example/up", 308, "location: https://b.example/good", "");
		world_url(s.world, "http://a.example/up-down", 307, "Location: https://b.example/down", "");
		world_url(s.world, "https://a.example/loop", 302, "Location: loop", "");
		world_url(s.world, "https://a.example/to-nobody", 302, "Location: https://c.example/", "");
		world_url(s.world, "https://a.example/to-user", 302, "Location: https://ann@b.example/", "");
		world_url(s.world, "https://a.example/no-place", 302, NULL, "");
		world_url(s.world, "https://a.example/big", 200, NULL, big);
		world_url_fails(s.world, "https://a.example/tls", CAME_TLS_FAILED);
		world_url_fails(s.world, "https://a.example/silent", CAME_TIMEOUT);
		EXPECT_ROW(get(&s, fetches[i].url), fetches[i].url);
		EXPECT_TEXT(fetch_result(&s.fetch), fetches[i].result);
		EXPECT_ROW(fetch_has_document(&s.fetch) == fetches[i].document, fetches[i].url);
		EXPECT_ROW(s.fetch.redirects == fetches[i].redirects, fetches[i].url);
		if (fetches[i].from)
			EXPECT_TEXT(s.fetch.url.text, fetches[i].from);
		if (fetches[i].document)
			EXPECT(slice_is(buffer_held(&s.fetch.answer.body), "document"));
		EXPECT_ROW(world_now(s.world) <= 4000, fetches[i].url);
		close_scene(&s);
	}
}

TEST(fetch_tries_one_address_after_another)
{
	struct scene s;

	open_scene(&s);
	world_dns(s.world, "many.example", DNS_AAAA, "2001:db8::1");
	world_dns(s.world, "many.example", DNS_A, "192.0.2.3");
	world_dns(s.world, "many.example", DNS_AAAA, "2001:db8::2");
	world_dns(s.world, "many.example", DNS_A, "192.0.2.4");
	world_address_fails(s.world, "2001:db8::1", CAME_UNREACHABLE);
	world_address_fails(s.world, "192.0.2.3", CAME_REFUSED);
	world_url(s.world, "https://many.example/", 200, NULL, "document");
	EXPECT(get(&s, "https://many.example/") && fetch_has_document(&s.fetch));
	EXPECT(world_count(s.world, WANT_HTTP, "many") == 3);
	close_scene(&s);

	/* the fourth is one too many, and a failed handshake is an answer */
	open_scene(&s);
	for (int i = 3; i < 7; i++) {
		world_dns(s.world, "many.example", DNS_A, arena_print(s.job, "192.0.2.%d", i));
		world_address_fails(s.world, arena_print(s.job, "192.0.2.%d", i), CAME_REFUSED);
	}
	EXPECT(get(&s, "https://many.example/"));
	EXPECT_TEXT(fetch_result(&s.fetch), "refused");
	EXPECT(world_count(s.world, WANT_HTTP, "many") == FETCH_ADDRESSES);
	close_scene(&s);

	/* one that swallows everything leaves time for the next */
	open_scene(&s);
	world_dns(s.world, "many.example", DNS_AAAA, "2001:db8::1");
	world_dns(s.world, "many.example", DNS_A, "192.0.2.3");
	world_address_fails(s.world, "2001:db8::1", CAME_TIMEOUT);
	world_url(s.world, "https://many.example/", 200, NULL, "document");
	EXPECT(get(&s, "https://many.example/") && fetch_has_document(&s.fetch));
	EXPECT(world_now(s.world) < 4000);
	close_scene(&s);
}

TEST(fetch_looks_each_new_host_up)
{
	struct scene s;

	open_scene(&s);
	world_url(s.world, "https://a.example/to-b", 301, "Location: //b.example/good", "");
	world_url(s.world, "https://b.example/good", 200, NULL, "document");
	EXPECT(get(&s, "https://a.example/to-b") && fetch_has_document(&s.fetch));
	EXPECT(world_count(s.world, WANT_DNS, "A b.example") == 2);      /* A and AAAA */
	EXPECT_TEXT(s.fetch.request.host, "b.example");
	EXPECT(s.fetch.request.address.bytes[3] == 2);
	close_scene(&s);
}

TEST(fetch_can_be_called_off_at_any_moment)
{
	for (int ms = 0; ms < 10; ms++) {
		struct scene s;

		open_scene(&s);
		world_late(s.world, "a.example", 3);
		world_late(s.world, "https://a.example/good", 3);
		world_url(s.world, "https://a.example/good", 200, NULL, "document");
		world_stop_at(s.world, ms);
		if (get(&s, "https://a.example/good"))
			EXPECT(fetch_has_document(&s.fetch) && ms >= 6);
		else
			EXPECT(s.err.fault == FAULT_CANCELLED);
		close_scene(&s);
	}
}
