/* bench-gmail PORT CA_FILE: what reading what is new in a mailbox at Gmail costs, by the very watch that the daemon has
 * (provider/google_watch.h): pages of its history and answers of messages that somebody made before, one question for each of them, each
 * message read into our model and counted.
 *
 * The server is at 127.0.0.1, by TLS. Prints one line: MESSAGES SECONDS CPU_US PEAK_KB, the last two of all the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "net/net.h"
#include "provider/google_watch.h"

#define HOST  "127.0.0.1"      /* by number, so that nobody is asked for a name */
#define FROM  "1000"           /* of the mailbox's history */

struct reading {
	struct google_watch    watch;
	struct oauth_grant     grant;
	uint64_t               messages, bytes;      /* `bytes`: of their texts, so that nobody can leave the reading out */
	int                    step;
};

enum { START, OPEN, PAGE };

static void take(struct reading *r)
{
	for (size_t i = 0; i < r->watch.count; i++) {
		const struct message *m = &r->watch.news[i];

		r->bytes += strlen(m->remote_id) + (m->subject ? strlen(m->subject) : 0) + (m->from ? strlen(m->from) : 0) + (m->message_id ? strlen(m->message_id) : 0);
	}
	r->messages += r->watch.count;
}

static enum want_kind read_step(void *self, struct want *w, struct error *err)
{
	struct reading *r = self;

	switch (r->step) {
	case START:
	STEP(r, OPEN):
		PASS(google_watch_open_step(&r->watch, w, err));
		do {
	STEP(r, PAGE):
			PASS(google_watch_news_step(&r->watch, w, err));
			take(r);
		} while (r->watch.more);
	}
	return WANT_NOTHING;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of this program alone: what rusage says has what it was forked from in it. */
static long peak_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char  line[128];
	long  kb = 0;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

int main(int argc, char **argv)
{
	const struct google_app    app = { .client_id = "bench" };
	struct reading             r = { .grant = { .access_token = "bench" } };
	struct net_place           there = { .host = HOST, .port = 443 };
	struct net_settings        settings = { .connect_to = &there, .connect_to_count = 1 };
	struct error               err = { 0 };
	struct task                task = { .step = read_step, .self = &r, .wait_ms = 600000 };
	struct net                *net;
	struct rusage              used;
	double                     began = now();

	if (argc != 3 || !address_parse("127.0.0.1", &there.address)) {
		fputs("bench-gmail PORT CA_FILE\n", stderr);
		return 2;
	}
	there.to_port = (uint16_t)atoi(argv[1]);
	settings.ca_file = argv[2];
	net = net_new(&settings, &err);
	if (!net) {
		fprintf(stderr, "bench-gmail: %s\n", err.text);
		return 1;
	}
	google_watch_init(&r.watch, &(struct google_access){ .app = &app, .grant = &r.grant, .address = "ann@birch.example",
		.waits = waits_within(60000) }, FROM, 0);
	r.watch.session->line[GOOGLE_MAIL].endpoint.host = HOST;
	if (!net_run(net, &task)) {
		fprintf(stderr, "bench-gmail: %s\n", task.err.text);
		return 1;
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%" PRIu64 " %.6f %ld %ld\n", r.messages, now() - began,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec, peak_kb());
	google_watch_release(&r.watch);
	net_free(net);
	return r.bytes == 0;
}
