/* bench-park [N]: what a connection costs while it waits, N of them (2000) inside TLS to one host, on one net.
 *
 * The server is a process of its own. So is each way of holding them: ours with TLS_QUICK and with TLS_FULL, and beside
 * each the floor, a bare program that does no more than hold them with OpenSSL, in the same way. Printed is the growth
 * of resident memory after the first connection, divided by the others; and for ours what the loop costs while nothing
 * happens. Exit status 1: something could not be measured.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/net.h"

#define HOST       "mail.example.org"
#define GREETING   "* OK parked\r\n"
#define IN_FLIGHT  16
#define PARKED_MS  (29 * 60 * 1000)
#define CALM_MS    500      /* until the last tickets are in */
#define IDLE_MS    2000

struct bench {
	int      connections;
	uint16_t port;
	char     ca_file[32];
};

__attribute__((noreturn)) static void give_up(const char *why)
{
	fprintf(stderr, "bench-park: %s (%s)\n", why, strerror(errno));
	exit(1);
}

static void demand(bool well, const char *what)
{
	if (!well)
		give_up(what);
}

/* -- certificates: a root, one between, and the server's own, as long as those of a large provider ---------------- */

struct identity {
	EVP_PKEY *key;
	X509     *cert;
};

static void extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	demand(e && X509_add_ext(cert, e, -1), "no certificate");
	X509_EXTENSION_free(e);
}

static struct identity identity(const char *cn, bool ca, const struct identity *issuer)
{
	static long     serial = 1;
	struct identity me = { EVP_RSA_gen(2048), X509_new() };
	X509_NAME      *name = X509_get_subject_name(me.cert);

	X509_set_version(me.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(me.cert), serial++);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(me.cert, X509_get_subject_name(issuer ? issuer->cert : me.cert));
	X509_gmtime_adj(X509_getm_notBefore(me.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(me.cert), 86400);
	X509_set_pubkey(me.cert, me.key);
	extend(me.cert, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (!ca)
		extend(me.cert, NID_subject_alt_name, "DNS:" HOST);
	demand(X509_sign(me.cert, issuer ? issuer->key : me.key, EVP_sha256()) > 0, "no certificate");
	return me;
}

static void write_root(const struct identity *root, char path[32])
{
	FILE *f;
	int   fd;

	snprintf(path, 32, "/tmp/mailmoor-bench-XXXXXX");
	fd = mkstemp(path);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	demand(f && PEM_write_X509(f, root->cert) == 1 && fclose(f) == 0, "no file for the root certificate");
}

/* -- the server --------------------------------------------------------------------------------------------------- */

static SSL_CTX *server_ctx(char ca_file[32])
{
	struct identity root = identity("Bench Root", true, NULL), middle = identity("Bench Middle", true, &root),
		me = identity(HOST, false, &middle);
	SSL_CTX        *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(ctx, me.cert);
	SSL_CTX_use_PrivateKey(ctx, me.key);
	SSL_CTX_add1_chain_cert(ctx, middle.cert);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	write_root(&root, ca_file);
	return ctx;
}

/* One after the other: shakes hands, greets, and never looks at it again. A new round begins when the last one is over. */
__attribute__((noreturn)) static void serve(int listening, SSL_CTX *ctx, int connections)
{
	SSL **held = must_alloc((size_t)connections * sizeof(SSL *));
	int   at = 0, one = 1, fd;

	signal(SIGPIPE, SIG_IGN);
	while ((fd = accept(listening, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(ctx);

		if (held[at]) {
			close(SSL_get_fd(held[at]));
			SSL_free(held[at]);
		}
		held[at] = ssl;
		at = (at + 1) % connections;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1)
			SSL_write(ssl, GREETING, (int)strlen(GREETING));
	}
	exit(0);
}

static pid_t start_server(struct bench *b)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t          len = sizeof at;
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL_CTX           *ctx = server_ctx(b->ca_file);
	pid_t              pid;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	demand(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1024) == 0
		&& getsockname(fd, (struct sockaddr *)&at, &len) == 0, "no server");
	b->port = ntohs(at.sin_port);
	pid = fork();
	demand(pid >= 0, "no process for the server");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd, ctx, b->connections);
	}
	close(fd);
	SSL_CTX_free(ctx);
	return pid;
}

/* -- measuring ---------------------------------------------------------------------------------------------------- */

static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long  size, pages = 0;

	demand(f && fscanf(f, "%ld %ld", &size, &pages) == 2, "/proc/self/statm");
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static long cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000L + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static void say(const char *what, const struct bench *b, long grown, int resumed, long handshakes_us)
{
	printf("%-28s %7ld bytes for each of %d    %d resumed, %ld us of CPU to make each", what, grown / (b->connections - 1),
	       b->connections, resumed, handshakes_us / b->connections);
}

/* -- ours --------------------------------------------------------------------------------------------------------- */

struct making {
	struct connect_answer tried;
	struct tls_answer     tls;
};

struct parked {
	struct task    task;
	struct line    line;
	struct making *making;      /* until it is parked */
	struct park   *park;
	int            step;
};

struct park {
	struct net         *net;
	const struct bench *bench;
	enum tls_how        how;
	struct parked      *all;
	int                 begun, parked, resumed;
	long                before, after, cpu_before, cpu_made, cpu_idle;
	struct task         watcher;
	int                 watched;
};

static void begin_next(struct park *);

static enum want_kind watcher_step(void *self, struct want *w, struct error *err)
{
	struct park *p = self;

	(void)err;
	switch (p->watched++) {
	case 0:
		return want_time(w, CALM_MS);
	case 1:
		p->after = resident();
		p->cpu_idle = cpu_us();
		return want_time(w, IDLE_MS);
	default:
		p->cpu_idle = cpu_us() - p->cpu_idle;
		net_stop(p->net);
		return WANT_NOTHING;
	}
}

static void is_parked(struct parked *c)
{
	struct park *p = c->park;

	p->resumed += c->making->tls.resumed;
	c->line.handshake = NULL;
	free(c->making);
	c->making = NULL;
	if (++p->parked == 1) {
		p->before = resident();
		p->cpu_before = cpu_us();
	}
	if (p->parked == p->bench->connections) {
		p->cpu_made = cpu_us();
		p->watcher = (struct task){ .step = watcher_step, .self = p };
		net_start(p->net, &p->watcher, NULL);
	}
	while (p->begun < p->bench->connections && p->begun - p->parked < IN_FLIGHT)
		begin_next(p);
}

static enum want_kind parked_step(void *self, struct want *w, struct error *err)
{
	struct parked *c = self;
	struct making *m = c->making;

	(void)err;
	switch (c->step) {
	case 0:
		m->tried = (struct connect_answer){ .count = 1 };
		address_parse("127.0.0.1", &m->tried.tried[0].address);
		AWAIT(c, 1, want_connect(w, &c->line, HOST, c->park->bench->port, &m->tried, 60000)):
		demand(want_came(w) == CAME, "no connection");
		AWAIT(c, 2, want_tls(w, &c->line, HOST, c->park->how, &m->tls, 60000)):
		demand(want_came(w) == CAME, "no verified TLS");
		do {
			AWAIT(c, 3, want_read(w, &c->line, 60000)):
			demand(want_came(w) == CAME, "no greeting");
		} while (buffer_held(&c->line.in).len < strlen(GREETING));
		buffer_clear(&c->line.in);
		is_parked(c);
		AWAIT(c, 4, want_read(w, &c->line, PARKED_MS)):
		demand(want_came(w) == CAME_CANCELLED, "it did not stay");
	}
	return WANT_NOTHING;
}

static void parked_ended(struct task *t)
{
	line_release(&((struct parked *)t)->line);
}

static void begin_next(struct park *p)
{
	struct parked *c = &p->all[p->begun++];

	*c = (struct parked){ .task = { .step = parked_step, .self = c }, .park = p, .making = must_alloc(sizeof *c->making) };
	line_init(&c->line, 4096, 4096);
	net_start(p->net, &c->task, parked_ended);
}

static void ours(const struct bench *b, enum tls_how how, const char *what)
{
	struct net_settings settings = { .ca_file = b->ca_file };
	struct park         p = { .net = net_new(&settings, NULL), .bench = b, .how = how,
		.all = must_alloc((size_t)b->connections * sizeof *p.all) };

	demand(p.net, "no net");
	begin_next(&p);
	net_serve(p.net);
	demand(p.parked == b->connections, "not all were parked");
	say(what, b, p.after - p.before, p.resumed, p.cpu_made - p.cpu_before);
	printf(", %.2f %% of a core while idle; a task and a line are %zu bytes of it\n", (double)p.cpu_idle / IDLE_MS / 10,
	       sizeof(struct parked));
	net_free(p.net);
}

/* -- the floor ---------------------------------------------------------------------------------------------------- */

static int dial(uint16_t port)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(port) };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	demand(fd >= 0 && connect(fd, (struct sockaddr *)&there, sizeof there) == 0, "no connection");
	return fd;
}

static SSL_CTX *floor_ctx(const struct bench *b)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	demand(SSL_CTX_load_verify_locations(ctx, b->ca_file, NULL) == 1, "no root certificate");
	return ctx;
}

static void floor_of(const struct bench *b, bool resumes, const char *what)
{
	SSL_CTX     *ctx = floor_ctx(b);
	SSL        **all = must_alloc((size_t)b->connections * sizeof(SSL *));
	SSL_SESSION *shared = NULL;
	long         before = 0, cpu = 0;
	int          resumed = 0;
	char         heard[100];

	for (int i = 0; i < b->connections; i++) {
		SSL *ssl = all[i] = SSL_new(ctx);

		SSL_set_fd(ssl, dial(b->port));
		SSL_set_tlsext_host_name(ssl, HOST);
		SSL_set1_host(ssl, HOST);
		if (shared) {
			SSL_SESSION *copy = SSL_SESSION_dup(shared);

			SSL_set_session(ssl, copy);
			SSL_SESSION_free(copy);
		}
		demand(SSL_connect(ssl) == 1 && SSL_read(ssl, heard, sizeof heard) > 0, "no verified TLS");
		SSL_free_buffers(ssl);
		resumed += SSL_session_reused(ssl);
		if (resumes && !shared)
			shared = SSL_SESSION_dup(SSL_get_session(ssl));
		if (i == 0) {
			before = resident();
			cpu = cpu_us();
		}
	}
	say(what, b, resident() - before, resumed, cpu_us() - cpu);
	putchar('\n');
}

/* -- all of it ---------------------------------------------------------------------------------------------------- */

static void park_full(const struct bench *b)   { ours(b, TLS_FULL, "net, TLS_FULL"); }
static void park_quick(const struct bench *b)  { ours(b, TLS_QUICK, "net, TLS_QUICK"); }
static void floor_full(const struct bench *b)  { floor_of(b, false, "floor, full handshakes"); }
static void floor_quick(const struct bench *b) { floor_of(b, true, "floor, one session"); }

/* In a process of its own, so that none finds memory that another left behind. */
static bool measure(const struct bench *b, void (*way)(const struct bench *))
{
	int   status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	demand(pid >= 0, "no process");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		way(b);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static void raise_limit(int connections)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_cur < (rlim_t)connections + 50)
		give_up("too few descriptors for so many connections");
}

int main(int argc, char **argv)
{
	static void (*const ways[])(const struct bench *) = { park_quick, floor_quick, park_full, floor_full };
	struct bench       b = { .connections = 2000 };
	unsigned long long n;
	bool               well = true;
	pid_t              server;

	if (argc > 2 || (argc == 2 && (!slice_number(slice_str(argv[1]), 1000000, &n) || n < 2))) {
		fputs("Usage: bench-park [N]\n", stderr);
		return 2;
	}
	if (argc == 2)
		b.connections = (int)n;
	raise_limit(b.connections);
	server = start_server(&b);
	for (size_t i = 0; i < COUNT(ways); i++)
		well &= measure(&b, ways[i]);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	unlink(b.ca_file);
	return well ? 0 : 1;
}
