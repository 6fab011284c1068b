#include "serve/finder.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/api.h"
#include "serve/house.h"

/* A name server that hears and never answers: a search lasts as long as it may. */
struct scene {
	struct house         house;
	struct net_settings  net;
	struct finder_limits limits;
	int                  silent;
};

static void scene_open(struct scene *s, struct finder_limits limits)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t          len = sizeof at;
	struct error       err = { 0 };

	*s = (struct scene){ .limits = limits, .silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	EXPECT(bind(s->silent, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(s->silent, (struct sockaddr *)&at, &len) == 0);
	s->net.check_targets = true;
	s->net.resolver_count = 1;
	s->net.resolver[0].port = ntohs(at.sin_port);
	EXPECT(address_parse("127.0.0.1", &s->net.resolver[0].address));
	house_open(&s->house, http_routes, house_limits(), NULL);
	s->house.service.net = &s->net;
	s->house.service.finder = finder_start(&s->house.service, &s->limits, &err);
	EXPECT(s->house.service.finder);
}

static void scene_close(struct scene *s)
{
	finder_stop(s->house.service.finder);
	http_stop(s->house.http);
	finder_free(s->house.service.finder);
	s->house.http = NULL;
	house_close(&s->house);
	close(s->silent);
}

static const char *request(struct scene *s, const char *key, const char *address)
{
	const char *json = arena_print(s->house.arena, "{\"address\":\"%s\"}", address);

	return arena_print(s->house.arena, "POST /v1/detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
	                   "Content-Length: %zu\r\n\r\n%s", key, strlen(json), json);
}

/* Asks and does not wait for the answer. */
static int begin(struct scene *s, const char *key)
{
	const char *text = request(s, key, "ann@birch.example");
	int         fd = dial(&s->house);

	say(fd, text, strlen(text));
	return fd;
}

/* Until so many are under way; not for ever. */
static void under_way(struct scene *s, unsigned wanted)
{
	int64_t until = clock_mono_ms() + 20000;

	while (finder_busy(s->house.service.finder) != wanted && clock_mono_ms() < until)
		usleep(1000);
	EXPECT(finder_busy(s->house.service.finder) == wanted);
}

static cJSON *answer_of(const char *answer)
{
	cJSON *o = cJSON_Parse(body_of(answer));

	EXPECT_ROW(o, answer);
	return o;
}

/* Nobody need be asked where an address says so itself. */
TEST(what_is_found_is_told)
{
	struct scene s;
	const char  *answer;
	cJSON       *o, *first;

	scene_open(&s, finder_usual);
	answer = call(&s.house, "POST /v1/detect", KEY_ADMIN, "{\"address\":\"ann@[192.0.2.1]\",\"smtp\":{\"host\":\"Smtp.Birch.example\"}}", NULL);
	EXPECT_ROW(status_of(answer) == 200, answer);
	o = answer_of(answer);
	first = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "imap"), 0);
	EXPECT(cJSON_GetArraySize(cJSON_GetObjectItem(o, "imap")) == 2 && json_number(first, "port", 0) == 993);
	EXPECT_TEXT(json_text(first, "host"), "192.0.2.1");
	EXPECT_TEXT(json_text(first, "security"), "tls");
	EXPECT_TEXT(json_text(first, "source"), "guess");
	EXPECT(cJSON_IsFalse(cJSON_GetObjectItem(first, "trusted")));
	EXPECT_TEXT(json_text(o, "provider"), "imap");
	first = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "smtp"), 0);
	EXPECT(cJSON_GetArraySize(cJSON_GetObjectItem(o, "smtp")) == 1 && json_number(first, "port", 0) == 465);
	EXPECT_TEXT(json_text(first, "host"), "smtp.birch.example");
	EXPECT_TEXT(json_text(first, "source"), "user");
	EXPECT(cJSON_IsTrue(cJSON_GetObjectItem(first, "trusted")));
	EXPECT(strstr(answer, "\"detect.candidate\"") && strstr(answer, "imap 192.0.2.1:993 tls guess"));
	EXPECT(!strstr(answer, "imap.connect") && strstr(answer, "\"auth.sent\",\"value\":\"no\""));
	cJSON_Delete(o);
	scene_close(&s);
}

TEST(what_is_wrong_is_said)
{
	static const struct { const char *json, *pointer; } rows[] = {
		{ "{\"address\":\"ann\"}", "/address" },                                                    { "{}", "/address" },
		{ "{\"address\":\"ann@birch.example\",\"imap\":{\"host\":\"a b\"}}", "/imap/host" },        { "{\"address\":\"ann@birch.example\",\"password\":\"x\"}", "/password" },
		{ "{\"address\":\"ann@birch.example\",\"smtp\":{\"host\":\"a..b\"}}", "/smtp/host" },       { "{\"address\":\"ann@birch.example\",\"provider\":\"pop\"}", "/provider" },
	};
	struct scene s;

	scene_open(&s, finder_usual);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = call(&s.house, "POST /v1/detect", KEY_ADMIN, rows[i].json, NULL);

		EXPECT_ROW(status_of(answer) == 400 && strstr(answer, arena_print(s.house.arena, "\"pointer\":\"%s\"", rows[i].pointer)), answer);
	}
	EXPECT(status_of(call(&s.house, "POST /v1/detect", KEY_READER, "{\"address\":\"ann@birch.example\"}", NULL)) == 403);
	scene_close(&s);
}

/* Its time is over: what is known by then is the answer, and why there is no more. */
TEST(a_search_ends_in_time)
{
	struct finder_limits limits = finder_usual;
	struct scene         s;
	const char          *answer;
	int64_t              began = clock_mono_ms();

	limits.search_ms = 600;
	scene_open(&s, limits);
	answer = call(&s.house, "POST /v1/detect", KEY_ADMIN, "{\"address\":\"ann@birch.example\",\"lang\":\"de\"}", NULL);
	EXPECT_ROW(status_of(answer) == 200 && strstr(answer, "\"imap\":[],\"smtp\":[]") && strstr(answer, "\"causes\":[{"), answer);
	EXPECT(strstr(answer, "\"lang\":\"de\"") && clock_mono_ms() - began < 8000);
	scene_close(&s);
}

TEST(so_many_at_once_and_no_more)
{
	struct finder_limits limits = { .searches = 3, .searches_workspace = 2, .search_ms = 60000 };
	struct scene         s;
	const char          *answer;
	int                  fd[3];

	scene_open(&s, limits);
	for (int i = 0; i < 3; i++) {
		fd[i] = begin(&s, i < 2 ? KEY_ADMIN : KEY_OPERATOR);
		under_way(&s, (unsigned)i + 1);
		if (i == 1) {
			answer = call(&s.house, "POST /v1/detect", KEY_ADMIN, "{\"address\":\"ann@birch.example\"}", NULL);
			EXPECT_ROW(status_of(answer) == 429 && strstr(answer, "Retry-After: 5\r\n") && strstr(answer, "of this workspace"), answer);
		}
	}
	answer = call(&s.house, "POST /v1/detect", KEY_OPERATOR, "{\"address\":\"ann@birch.example\"}", NULL);
	EXPECT_ROW(status_of(answer) == 503 && strstr(answer, "Retry-After: 5\r\n"), answer);
	/* nobody else waits meanwhile: they hold none of the server's threads */
	for (int i = 0; i < 40; i++)
		EXPECT(status_of(call(&s.house, "GET /v1/accounts", KEY_READER, NULL, NULL)) == 200);

	finder_stop(s.house.service.finder);
	for (int i = 0; i < 3; i++) {
		answer = hear(fd[i], "}");
		EXPECT_ROW(status_of(answer) == 503 && strstr(answer, "Retry-After: 5\r\n"), answer);
		close(fd[i]);
	}
	answer = call(&s.house, "POST /v1/detect", KEY_ADMIN, "{\"address\":\"ann@birch.example\"}", NULL);
	EXPECT_ROW(status_of(answer) == 503, answer);
	scene_close(&s);
}

/* One answer of a connection that stays: a detection ends with how long it took. */
static const char *hear_detection(struct scene *s, int fd)
{
	char   *text = arena_get(s->house.arena, 16384);
	size_t  len = 0;
	ssize_t n;

	while (len < 16383 && (n = recv(fd, text + len, 16383 - len, 0)) > 0) {
		len += (size_t)n;
		if (text[len - 1] == '}' && strstr(text, "],\"ms\":"))
			break;
	}
	return text;
}

/* Whoever asked has gone: nothing is answered, and nothing is left behind. And a connection that stays is asked again. */
TEST(who_asked_may_go_or_ask_again)
{
	struct finder_limits limits = finder_usual;
	struct scene         s;
	const char          *text;
	int                  fd;

	limits.search_ms = 300;
	scene_open(&s, limits);
	fd = begin(&s, KEY_ADMIN);
	under_way(&s, 1);
	close(fd);
	under_way(&s, 0);
	text = request(&s, KEY_ADMIN, "ann@[192.0.2.1]");
	fd = dial(&s.house);
	for (int i = 0; i < 20; i++) {
		say(fd, text, strlen(text));
		EXPECT(status_of(hear_detection(&s, fd)) == 200);
	}
	close(fd);
	scene_close(&s);
}

/* Searches that begin while it stops: each is answered, one way or the other. */
TEST(stopping_while_they_ask_answers_all)
{
	struct finder_limits limits = { .searches = 64, .searches_workspace = 64, .search_ms = 60000 };
	struct scene         s;
	int                  fd[24];

	scene_open(&s, limits);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = begin(&s, KEY_ADMIN);
		if (i == COUNT(fd) / 2)
			under_way(&s, (unsigned)i + 1);
	}
	finder_stop(s.house.service.finder);
	for (size_t i = 0; i < COUNT(fd); i++) {
		EXPECT(status_of(hear(fd[i], "}")) == 503);
		close(fd[i]);
	}
	scene_close(&s);
}

TEST(where_nobody_searches_it_is_said)
{
	struct house h;

	house_open(&h, http_routes, house_limits(), NULL);
	EXPECT(status_of(call(&h, "POST /v1/detect", KEY_ADMIN, "{\"address\":\"ann@birch.example\"}", NULL)) == 503);
	house_close(&h);
}
