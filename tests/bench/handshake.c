/* bench-handshake HOST ADDRESS PORT CA_FILE: what a verified TLS handshake costs, and the trust store before the first.
 *
 * Prints one line: microseconds for the trust store, CPU microseconds of the first connection with all that is loaded
 * for it, and of each further one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "net/net.h"

#define MORE 20

struct visit {
	struct line           line;
	struct connect_answer tried;
	struct tls_answer     tls;
	const char           *host;
	uint16_t              port;
	int                   step;
};

enum { START, CONNECTED, SHAKEN };

static enum want_kind visit_step(void *self, struct want *w, struct error *err)
{
	struct visit *v = self;

	switch (v->step) {
	case START:
		AWAIT(v, CONNECTED, want_connect(w, &v->line, v->host, v->port, &v->tried, 5000)):
		if (want_came(w) != CAME)
			break;
		AWAIT(v, SHAKEN, want_tls(w, &v->line, v->host, TLS_FULL, &v->tls, 5000)):
		if (want_came(w) == CAME)
			return WANT_NOTHING;
	}
	fail(err, FAULT_NETWORK, "no verified TLS with %s: %s", v->host, v->tls.verify);
	return WANT_FAILED;
}

static long cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000L + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static long visit(struct net *net, const char *host, const struct address *address, uint16_t port)
{
	struct visit v = { .host = host, .port = port, .tried = { .tried = { { .address = *address } }, .count = 1 },
	                   .tls = { .alert = -1 } };
	struct task  task = { .step = visit_step, .self = &v, .wait_ms = 10000 };
	long         before = cpu_us();

	line_init(&v.line, 4096, 4096);
	if (!net_run(net, &task)) {
		fprintf(stderr, "bench-handshake: %s\n", task.err.text);
		exit(1);
	}
	line_release(&v.line);
	return cpu_us() - before;
}

int main(int argc, char **argv)
{
	struct net_settings settings = { .ca_file = argc == 5 ? argv[4] : NULL };
	struct address      address;
	struct error        err = { 0 };
	unsigned long long  port;
	struct net         *net;
	long                first, more = 0;

	if (argc != 5 || !address_parse(argv[2], &address) || !slice_number(slice_str(argv[3]), 65535, &port)) {
		fputs("Usage: bench-handshake HOST ADDRESS PORT CA_FILE\n", stderr);
		return 2;
	}
	net = net_new(&settings, &err);
	if (!net) {
		fprintf(stderr, "bench-handshake: %s\n", err.text);
		return 1;
	}
	first = visit(net, argv[1], &address, (uint16_t)port);
	for (int i = 0; i < MORE; i++)
		more += visit(net, argv[1], &address, (uint16_t)port);
	printf("%lld\t%ld\t%ld\n", (long long)net_costs(net).trust_us, first, more / MORE);
	net_free(net);
	return 0;
}
