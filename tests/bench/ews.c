/* bench-ews: what reading a mailbox of Exchange costs, by the very session that the daemon reads with (provider/exchange.h); each item is
 * read into our model and counted, no page is ever held.
 *
 *     bench-ews PORT CA_FILE pages N                       pages of SyncFolderItems that somebody made before: /0.xml, /1.xml …
 *     bench-ews PORT CA_FILE mailbox HOST USER PASSWORD    an inbox, from its beginning, by Basic
 *     bench-ews PORT CA_FILE message NAME                  one answer of GetItem with a MimeContent: /NAME
 *
 * The server is at 127.0.0.1, by TLS. Prints one line: ITEMS MIME_BYTES SECONDS CPU_US PEAK_KB, the last two of all the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "net/net.h"
#include "provider/exchange.h"

#define PAGE 500      /* items */

struct reading {
	struct report          *report;
	struct endpoint         place;
	struct login            login;
	struct exchange_session exchange;
	struct ews_listener     listener;
	const char             *name;         /* of the one answer, or NULL      */
	bool                    live;         /* a server, and no pages          */
	char                    path[64];
	int                     page, pages, step;
	uint64_t                items, bytes, mime;      /* `bytes`: of their subjects, so that nobody can leave the reading out */
};

enum { START, SIGN_IN, ASKED };

static void take_item(void *self, const struct ews_item *item)
{
	struct reading *r = self;

	r->items += item->kind == EWS_ITEM && item->change == EWS_CREATED && item->id;
	r->bytes += item->subject ? strlen(item->subject) : 0;
}

static void take_mime(void *self, struct slice decoded)
{
	struct reading *r = self;

	r->mime += decoded.len;
}

static void ask(struct reading *r)
{
	struct exchange_session *s = &r->exchange;
	const struct ews_folder  inbox = { .distinguished = "inbox" };
	const struct ews_header  h = exchange_header(s);

	if (r->name)
		snprintf(r->path, sizeof r->path, "/%s", r->name);
	else if (!r->live)
		snprintf(r->path, sizeof r->path, "/%d.xml", r->page);
	buffer_clear(&s->soap);
	ews_sync_items(&s->soap, &h, &inbox, s->answer ? s->answer->sync_state : NULL, PAGE);
	exchange_ask(s, false);
	exchange_stream(s, &r->listener);
}

static bool is_fine(const struct reading *r)
{
	const struct ews_answer *a = r->exchange.answer;

	return a && r->exchange.web.answer.status == 200 && a->count == 1 && a->outcome[0].ok;
}

static bool is_over(const struct reading *r)
{
	return r->live ? r->exchange.answer->last_in_range : r->page == r->pages;
}

static enum want_kind read_step(void *self, struct want *w, struct error *err)
{
	struct reading *r = self;

	switch (r->step) {
	case START:
		exchange_back(&r->exchange, r->live ? WEB_BASIC : WEB_NONE, "Exchange2010_SP2");
		ask(r);

	STEP(r, SIGN_IN):
		PASS(exchange_back_step(&r->exchange, w, err));
		for (;;) {
			if (!is_fine(r)) {
				fail(err, FAULT_BROKEN, "status %d", r->exchange.web.answer.status);
				return WANT_FAILED;
			}
			r->page++;
			if (is_over(r))
				break;
			ask(r);

	STEP(r, ASKED):
			PASS(exchange_answer_step(&r->exchange, NULL, w, err));
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

static bool take_words(struct reading *r, int argc, char **argv)
{
	r->place.host = "127.0.0.1";
	r->pages = 1;
	r->login.username = r->login.password = "";
	if (argc == 5 && strcmp(argv[3], "pages") == 0) {
		r->pages = atoi(argv[4]);
	} else if (argc == 5 && strcmp(argv[3], "message") == 0) {
		r->name = argv[4];
	} else if (argc == 7 && strcmp(argv[3], "mailbox") == 0) {
		r->live = true;
		r->place.host = argv[4];
		r->login.username = argv[5];
		r->login.password = argv[6];
		snprintf(r->path, sizeof r->path, "/EWS/Exchange.asmx");
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct reading      r = { .report = report_new(""), .place = { .service = SERVICE_WEB, .socket = SOCKET_TLS } };
	struct net_place    there = { .port = 443 };
	struct net_settings settings = { .ca_file = argc > 2 ? argv[2] : NULL, .connect_to = &there, .connect_to_count = 1 };
	struct error        err = { 0 };
	struct net         *net;
	struct task         task = { .step = read_step, .self = &r, .wait_ms = 600000 };
	struct rusage       used;
	double              began = now();

	if (!take_words(&r, argc, argv) || !address_parse("127.0.0.1", &there.address)) {
		fprintf(stderr, "bench-ews PORT CA_FILE pages N | mailbox HOST USER PASSWORD | message NAME\n");
		return 2;
	}
	snprintf(there.host, sizeof there.host, "%s", r.place.host);
	there.to_port = (uint16_t)atoi(argv[1]);
	r.place.port = there.port;
	net = net_new(&settings, &err);
	if (!net) {
		fprintf(stderr, "bench-ews: %s\n", err.text);
		return 1;
	}
	r.place.path = r.path;
	r.listener = (struct ews_listener){ .self = &r, .item = take_item, .mime = take_mime };
	exchange_session_init(&r.exchange, r.report, &r.place, &r.login, "", waits_within(60000), NO_ATTEMPT);
	if (!net_run(net, &task)) {
		fprintf(stderr, "bench-ews: %s\n", task.err.text);
		return 1;
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%" PRIu64 " %" PRIu64 " %.6f %ld %ld\n", r.items, r.mime, now() - began,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec, peak_kb());
	exchange_session_release(&r.exchange);
	net_free(net);
	report_free(r.report);
	return r.bytes + r.mime == 0;
}
