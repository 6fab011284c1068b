/* The doors over real sockets: what the settings say, and a message from the first byte to the last. */
#include "serve/inbound_listen.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

TEST(places)
{
	static const struct { const char *text; bool good, lmtp; int family, port; } rows[] = {
		{ "127.0.0.1:25", true, false, 4, 25 }, { "lmtp:127.0.0.1:24", true, true, 4, 24 }, { "[::1]:25", true, false, 6, 25 },
		{ "LMTP:[::]:24", true, true, 6, 24 }, { "0.0.0.0:0", true, false, 4, 0 },
		{ "127.0.0.1", false, false, 0, 0 }, { "::1", false, false, 0, 0 }, { "2001:db8::1:25", false, false, 0, 0 },
		{ "[::1]", false, false, 0, 0 }, { "mx.example.org:25", false, false, 0, 0 }, { "127.0.0.1:65536", false, false, 0, 0 },
		{ "127.0.0.1:", false, false, 0, 0 }, { ":25", false, false, 0, 0 }, { "lmtp:", false, false, 0, 0 }, { "", false, false, 0, 0 },
		{ "smtp:127.0.0.1:25", false, false, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inbound_place p = { 0 };

		EXPECT_ROW(inbound_place_parse(rows[i].text, &p) == rows[i].good, rows[i].text);
		EXPECT_ROW(p.lmtp == rows[i].lmtp && p.address.family == rows[i].family && p.port == rows[i].port, rows[i].text);
	}
}

/* -- an archive that keeps everything ----------------------------------------------------------------------------- */

static void find(struct errand *e)
{
	struct inbound_search *s = (struct inbound_search *)e;

	s->found = true;
	strcpy(s->workspace, "ws_1");
	errand_done(e);
}

static void keep(struct errand *e)
{
	((struct inbound_mail *)e)->kept = true;
	errand_done(e);
}

static const struct inbound_archive everything = { .find = find, .keep = keep };

TEST(settings_that_cannot_be)
{
	static const struct { const char *listen, *domain, *size, *certificate, *key; enum fault fault; } rows[] = {
		{ "127.0.0.1:0", NULL, "1000", NULL, NULL, FAULT_MALFORMED },
		{ "127.0.0.1", "in.example.org", "1000", NULL, NULL, FAULT_MALFORMED },
		{ " ", "in.example.org", "1000", NULL, NULL, FAULT_MALFORMED },
		{ "127.0.0.1:0", "in.example.org", "0", NULL, NULL, FAULT_MALFORMED },
		{ "127.0.0.1:0", "in.example.org", "25M", NULL, NULL, FAULT_MALFORMED },
		{ "127.0.0.1:0", "in.example.org", "1000", "/nowhere.pem", NULL, FAULT_MALFORMED },
		{ "127.0.0.1:0", "in.example.org", "1000", "/dev/null", "/dev/null", FAULT_LOCAL },
		{ "192.0.2.1:1", "in.example.org", "1000", NULL, NULL, FAULT_LOCAL },
	};
	struct net *net = net_new(&(struct net_settings){ 0 }, NULL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings set = { .value = { [SETTING_INBOUND_LISTEN] = (char *)rows[i].listen, [SETTING_INBOUND_DOMAIN] = (char *)rows[i].domain,
		                        [SETTING_INBOUND_MOST] = (char *)rows[i].size, [SETTING_INBOUND_CERT] = (char *)rows[i].certificate,
		                        [SETTING_INBOUND_KEY] = (char *)rows[i].key } };
		struct error    err = { 0 };

		EXPECT_ROW(!inbound_start(net, &set, &everything, &err), rows[i].listen);
		if (err.fault != rows[i].fault)
			test_fail(__FILE__, __LINE__, "row %zu: %s", i, err.text);
	}
	net_free(net);
}

static void *serve(void *net)
{
	net_serve(net);
	return NULL;
}

static int call(const struct inbound_place *place)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(place->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int                fd = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

static void talk(const struct inbound_place *place, const char *said, const char *answer)
{
	char    heard[4096];
	size_t  len = 0;
	ssize_t n;
	int     fd = call(place);

	EXPECT(write(fd, said, strlen(said)) == (ssize_t)strlen(said));
	while ((n = read(fd, heard + len, sizeof heard - 1 - len)) > 0)
		len += (size_t)n;
	heard[len] = '\0';
	close(fd);
	if (!strstr(heard, answer))
		test_fail(__FILE__, __LINE__, "heard \"%s\"", heard);
}

TEST(a_message_over_real_sockets_at_both_doors)
{
	struct net          *net = net_new(&(struct net_settings){ 0 }, NULL);
	char                 listen[] = "127.0.0.1:0  lmtp:127.0.0.1:0", domain[] = "in.example.org", size[] = "1000";
	struct settings      set = { .value = { [SETTING_INBOUND_LISTEN] = listen, [SETTING_INBOUND_DOMAIN] = domain, [SETTING_INBOUND_MOST] = size } };
	struct error         err = { 0 };
	struct inbound_post *post = inbound_start(net, &set, &everything, &err);
	struct inbound_place at[INBOUND_DOORS];
	struct inbound_counts counts;
	pthread_t            thread;
	int                  hanging;

	EXPECT(post && inbound_places(post, at) == 2 && at[0].port && at[1].port && !at[0].lmtp && at[1].lmtp);
	EXPECT(pthread_create(&thread, NULL, serve, net) == 0);
	talk(&at[0], "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<x@in.example.org>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n", "\r\n250 2.0.0 kept as msg_");
	talk(&at[1], "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<x@in.example.org>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n", "\r\n250 2.0.0 kept as msg_");
	hanging = call(&at[0]);
	net_stop(net);
	pthread_join(thread, NULL);
	inbound_counts(inbound_of(post), &counts);
	EXPECT(counts.kept == 2 && counts.sessions == 0);
	close(hanging);
	inbound_stop(post);
	inbound_post_free(post);
	net_free(net);
}
