/* bench-ews PORT CA_FILE PAGES: pages of SyncFolderItems from a server at 127.0.0.1, as /0.xml, /1.xml …, over one TLS line; each
 * item read into our model and counted, no page ever held.
 *
 * Prints one line: ITEMS SECONDS CPU_US PEAK_KB, the last of all the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "net/net.h"
#include "provider/web.h"
#include "wire/ews.h"

struct reading {
	struct report      *report;
	struct endpoint     place;
	struct web_session  web;
	struct web_request  request;
	struct arena       *job;
	struct ews_reader  *reader;
	struct ews_listener listener;
	char                target[32];
	int                 page, pages, step;
	uint64_t            items, bytes;      /* `bytes`: of their subjects, so that nobody can leave the reading out */
};

enum { START, OPEN, ASKED };

static void take_item(void *self, const struct ews_item *item)
{
	struct reading *r = self;

	r->items += item->kind == EWS_ITEM && item->change == EWS_CREATED && item->id;
	r->bytes += item->subject ? strlen(item->subject) : 0;
}

static bool take_piece(void *self, struct slice piece, struct error *err)
{
	struct reading *r = self;

	return ews_feed(r->reader, piece, NULL, err);
}

static void ask(struct reading *r)
{
	snprintf(r->target, sizeof r->target, "/%d.xml", r->page);
	r->job = arena_new();
	r->reader = ews_reader_new(r->job, 1500, &r->listener);
	r->request = (struct web_request){ .method = "GET", .target = r->target, .anonymous = true };
	web_ask(&r->web, &r->request);
	r->web.answer.piece = take_piece;
	r->web.answer.taker = r;
}

static enum want_kind read_step(void *self, struct want *w, struct error *err)
{
	struct reading *r = self;

	switch (r->step) {
	case START:
	STEP(r, OPEN):
		PASS(web_open_step(&r->web, w, err));
		r->web.reported = report_begin(r->report, "pages", NO_ATTEMPT, w->now_ms);
		while (r->page < r->pages) {
			ask(r);

	STEP(r, ASKED):
			PASS(web_ask_step(&r->web, w, err));
			if (r->web.answer.status != 200 || !ews_finish(r->reader, err))
				return WANT_FAILED;
			ews_reader_free(r->reader);
			arena_free(r->job);
			r->page++;
		}
	}
	return WANT_NOTHING;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct net_settings settings = { .ca_file = argc > 2 ? argv[2] : NULL };
	struct error        err = { 0 };
	struct net         *net = argc == 4 ? net_new(&settings, &err) : NULL;
	struct reading      r = { .pages = argc == 4 ? atoi(argv[3]) : 0, .report = report_new("") };
	struct task         task = { .step = read_step, .self = &r, .wait_ms = 60000 };
	struct rusage       used;
	double              began = now();

	if (!net) {
		fprintf(stderr, "bench-ews PORT CA_FILE PAGES: %s\n", err.text);
		return 1;
	}
	r.place = (struct endpoint){ .service = SERVICE_WEB, .host = "127.0.0.1", .port = (uint16_t)atoi(argv[1]), .socket = SOCKET_TLS, .path = "/" };
	r.listener = (struct ews_listener){ .self = &r, .item = take_item };
	web_session_init(&r.web, r.report, &r.place, NULL, "bench", waits_within(30000), NO_ATTEMPT);
	if (!net_run(net, &task)) {
		fprintf(stderr, "bench-ews: %s (status %d)\n", task.err.text, r.web.answer.status);
		return 1;
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%" PRIu64 " %.6f %ld %ld\n", r.items, now() - began,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec, used.ru_maxrss);
	web_session_release(&r.web);
	net_free(net);
	report_free(r.report);
	return r.bytes == 0;
}
