/* bench-caldav PORT CA_FILE USER PASSWORD PATH: what the first look at a calendar costs, by the very conversation that the daemon has
 * (provider/caldav_sync.h): all its events are asked for, each read into our model, and counted.
 *
 * The server is at 127.0.0.1, by TLS. Prints one line: EVENTS SECONDS CPU_US PEAK_KB, the last two of all the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "net/net.h"
#include "provider/caldav_sync.h"
#include "wire/ical.h"

#define HOST "127.0.0.1"      /* by number, so that nobody is asked for a name */

struct reading {
	struct caldav_session session;
	struct caldav_sync    sync;
	struct arena         *work;
	const char           *calendar;
	uint64_t              events, sum;      /* `sum`: of when they are, so that nobody can leave the reading out */
	int                   step;
};

enum { START, OPEN, SYNC };

static void take(void *self, const struct caldav_change *c)
{
	struct reading     *r = self;
	struct ical_object *o;

	if (c->gone || !c->data.at || !ical_read(c->data, r->work, &o, NULL))
		return;
	r->events += ical_events(o);
	r->sum += (uint64_t)ical_event(o, 0)->start;
	ical_free(o);
	arena_reset(r->work);
}

static enum want_kind read_step(void *self, struct want *w, struct error *err)
{
	struct reading *r = self;

	switch (r->step) {
	case START:
	STEP(r, OPEN):
		PASS(caldav_open_step(&r->session, w, err));
		caldav_sync_init(&r->sync, &r->session, r->calendar, NULL);
		r->sync.with_data = true;
		r->sync.change = take;
		r->sync.self = r;
	STEP(r, SYNC):
		PASS(caldav_sync_step(&r->sync, w, err));
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
	struct net_place    there = { .host = HOST, .port = 443 };
	struct net_settings settings = { .connect_to = &there, .connect_to_count = 1 };
	struct endpoint     endpoint = { .service = SERVICE_WEB, .host = HOST, .port = 443, .socket = SOCKET_TLS, .source = SOURCE_USER };
	struct login        login = { .username_form = "given" };
	struct error        err = { 0 };
	struct report      *report = report_new("bench@birch.example");
	struct reading      r = { .work = arena_new() };
	struct task         task = { .step = read_step, .self = &r, .wait_ms = 600000 };
	struct net         *net;
	struct rusage       used;
	double              began = now();

	if (argc != 6 || !address_parse(HOST, &there.address)) {
		fputs("bench-caldav PORT CA_FILE USER PASSWORD PATH\n", stderr);
		return 2;
	}
	there.to_port = (uint16_t)atoi(argv[1]);
	settings.ca_file = argv[2];
	login.username = argv[3];
	login.password = argv[4];
	r.calendar = endpoint.path = argv[5];
	net = net_new(&settings, &err);
	if (!net) {
		fprintf(stderr, "bench-caldav: %s\n", err.text);
		return 1;
	}
	caldav_session_init(&r.session, report, &endpoint, &login, waits_within(600000), report_attempt(report));
	if (!net_run(net, &task)) {
		fprintf(stderr, "bench-caldav: %s\n", task.err.text);
		return 1;
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%" PRIu64 " %.6f %ld %ld\n", r.events, now() - began,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec, peak_kb());
	caldav_sync_release(&r.sync);
	caldav_session_release(&r.session);
	report_free(report);
	arena_free(r.work);
	net_free(net);
	return r.sum == 0;
}
