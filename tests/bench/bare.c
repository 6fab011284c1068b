/* bench-bare hold PORT CA_FILE COUNT FLIGHT quick|full
 * bench-bare news PORT CA_FILE COUNT FLIGHT quick HTTP_PORT FILE
 *
 * The floor for the service: one thread that opens COUNT sessions to bench-imapd, FLIGHT at a time, and parks them in IDLE; no
 * more than that, in no language but OpenSSL's. "quick" resumes one TLS session, "full" shakes hands in full. Prints
 *     SECONDS BYTES_EACH CPU_US_EACH RESUMED
 * when all are parked; then `hold` waits for the end of standard input. `news` reads what is announced, fetches it, writes it
 * to FILE, has the disk keep it, and posts it to a receiver, one message after the other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOST     "imap.bench.example"
#define PASSWORD "correct-horse-9"
#define FETCH    "UID FETCH %u:* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID IN-REPLY-TO)]<0.8192>)"

enum step { SHAKING, GREETED, SIGNED_IN, OPENED, PARKED, FETCHING };

struct one {
	int        number, fd;
	SSL       *ssl;
	enum step  step;
	unsigned   next;           /* UID */
	char      *held;           /* NULL while parked */
	size_t     len;
};

struct bare {
	int          port, count, flight, epoll, begun, parked, resumed, post, file;
	bool         quick;
	SSL_CTX     *ctx;
	SSL_SESSION *shared;
	struct one  *all;
};

__attribute__((noreturn)) static void give_up(const char *why)
{
	fprintf(stderr, "bench-bare: %s (%s)\n", why, strerror(errno));
	exit(1);
}

static void demand(bool well, const char *what)
{
	if (!well)
		give_up(what);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long  size, pages = 0;

	demand(f && fscanf(f, "%ld %ld", &size, &pages) == 2, "/proc/self/statm");
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static int dial(int port, int flags)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), one = 1;

	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	demand(fd >= 0 && (connect(fd, (struct sockaddr *)&there, sizeof there) == 0 || errno == EINPROGRESS), "no connection");
	return fd;
}

static void begin(struct bare *b)
{
	struct one        *o = &b->all[b->begun];
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.ptr = o };

	*o = (struct one){ .number = b->begun++, .fd = dial(b->port, SOCK_NONBLOCK), .ssl = SSL_new(b->ctx), .next = 1 };
	SSL_set_fd(o->ssl, o->fd);
	SSL_set_tlsext_host_name(o->ssl, HOST);
	SSL_set1_host(o->ssl, HOST);
	if (b->shared) {
		SSL_SESSION *copy = SSL_SESSION_dup(b->shared);

		SSL_set_session(o->ssl, copy);
		SSL_SESSION_free(copy);
	}
	demand(epoll_ctl(b->epoll, EPOLL_CTL_ADD, o->fd, &event) == 0, "epoll");
}

__attribute__((format(printf, 2, 3)))
static void say(struct one *o, const char *fmt, ...)
{
	char    text[1000];
	va_list args;
	int     len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	demand(SSL_write(o->ssl, text, len) == len, "it cannot be said");
}

static void forget_heard(struct one *o)
{
	free(o->held);
	o->held = NULL;
	o->len = 0;
}

static void park(struct bare *b, struct one *o)
{
	o->step = PARKED;
	b->parked++;
	b->resumed += SSL_session_reused(o->ssl);
	if (b->quick && !b->shared)
		b->shared = SSL_SESSION_dup(SSL_get_session(o->ssl));
	SSL_free_buffers(o->ssl);
}

static void post(const struct bare *b, const char *text, size_t len)
{
	char head[200], answer[500];
	int  n = snprintf(head, sizeof head, "POST /hook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", len);

	demand(write(b->post, head, (size_t)n) == n && write(b->post, text, len) == (ssize_t)len && read(b->post, answer, sizeof answer) > 0, "no receiver");
}

static void keep_and_tell(const struct bare *b, struct one *o)
{
	demand(write(b->file, o->held, o->len) == (ssize_t)o->len && fdatasync(b->file) == 0, "the disk does not keep it");
	post(b, o->held, o->len);
	o->next++;
}

/* What is held ends with this line's beginning: the answer is whole. */
static bool has(const struct one *o, const char *tag)
{
	return strstr(o->held, tag) && o->held[o->len - 1] == '\n';
}

static void go_on(struct bare *b, struct one *o)
{
	if (o->step == GREETED && has(o, "* OK")) {
		say(o, "a1 LOGIN user%d@bench.example " PASSWORD "\r\n", o->number);
		o->step = SIGNED_IN;
	} else if (o->step == SIGNED_IN && has(o, "a1 OK")) {
		say(o, "a2 EXAMINE INBOX\r\n");
		o->step = OPENED;
	} else if (o->step == OPENED && has(o, "a2 OK")) {
		say(o, "a3 IDLE\r\n");
		forget_heard(o);
		park(b, o);
		return;
	} else if (o->step == PARKED) {
		if (has(o, "EXISTS")) {
			say(o, "DONE\r\na4 " FETCH "\r\n", o->next);
			o->step = FETCHING;
		}
	} else if (o->step == FETCHING && has(o, "a4 OK")) {
		keep_and_tell(b, o);
		say(o, "a3 IDLE\r\n");
		o->step = PARKED;
	} else {
		return;
	}
	forget_heard(o);
}

static void hear(struct bare *b, struct one *o)
{
	char bytes[4096];
	int  n;

	while ((n = SSL_read(o->ssl, bytes, sizeof bytes)) > 0) {
		o->held = realloc(o->held, o->len + (size_t)n + 1);
		demand(o->held, "no memory");
		memcpy(o->held + o->len, bytes, (size_t)n);
		o->len += (size_t)n;
		o->held[o->len] = '\0';
		go_on(b, o);
	}
	demand(SSL_get_error(o->ssl, n) == SSL_ERROR_WANT_READ, "it was lost");
}

static void turn(struct bare *b, struct one *o)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = o };

	if (o->step == SHAKING) {
		int n = SSL_connect(o->ssl);

		demand(n == 1 || SSL_get_error(o->ssl, n) == SSL_ERROR_WANT_READ || SSL_get_error(o->ssl, n) == SSL_ERROR_WANT_WRITE, "no verified TLS");
		epoll_ctl(b->epoll, EPOLL_CTL_MOD, o->fd, &event);
		if (n != 1)
			return;
		o->step = GREETED;
	}
	hear(b, o);
}

/* One first, whose session the others resume. */
static void park_all(struct bare *b)
{
	struct epoll_event events[256];

	while (b->parked < b->count) {
		while (b->begun < b->count && b->begun - b->parked < (b->parked ? b->flight : 1))
			begin(b);
		for (int i = 0, n = epoll_wait(b->epoll, events, 256, -1); i < n; i++)
			turn(b, events[i].data.ptr);
	}
}

static void hold(struct bare *b)
{
	struct epoll_event events[256], end = { .events = EPOLLIN };

	demand(epoll_ctl(b->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &end) == 0, "epoll");
	for (;;)
		for (int i = 0, n = epoll_wait(b->epoll, events, 256, -1); i < n; i++) {
			if (!events[i].data.ptr)
				return;
			turn(b, events[i].data.ptr);
		}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct bare   b = { 0 };
	double        began, cpu;
	long          before;

	if (argc != 7 && argc != 9) {
		fputs("Usage: bench-bare hold|news PORT CA_FILE COUNT FLIGHT quick|full [HTTP_PORT FILE]\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	b = (struct bare){ .port = atoi(argv[2]), .count = atoi(argv[4]), .flight = atoi(argv[5]), .quick = strcmp(argv[6], "quick") == 0,
	                   .epoll = epoll_create1(EPOLL_CLOEXEC), .ctx = SSL_CTX_new(TLS_client_method()), .post = -1, .file = -1 };
	b.all = calloc((size_t)b.count, sizeof *b.all);
	SSL_CTX_set_mode(b.ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(b.ctx, SSL_VERIFY_PEER, NULL);
	demand(SSL_CTX_load_verify_locations(b.ctx, argv[3], NULL) == 1, "no root certificate");
	if (argc == 9) {
		b.post = dial(atoi(argv[7]), 0);
		b.file = open(argv[8], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	}
	before = resident();
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	began = seconds(CLOCK_MONOTONIC);
	park_all(&b);
	printf("%.3f %ld %.0f %d\n", seconds(CLOCK_MONOTONIC) - began, (resident() - before) / b.count,
	       (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / b.count, b.resumed);
	fflush(stdout);
	hold(&b);
	return 0;
}
