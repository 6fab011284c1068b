/* bench-imapd IMAP_PORT DNS_PORT HTTP_PORT CERTIFICATE KEY PASSWORD [no-tickets]: the far side of the service's benches.
 *
 * As much IMAP over TLS as a mailbox that is watched needs, for tens of thousands of connections on one thread; a name server
 * for which every name is this machine; and a receiver of webhooks. All on loopback. It shares nothing with what is measured.
 * A message's subject is the moment of its announcement by the monotonic clock, so whoever passes the subject on is timed
 * without a book being kept: the receiver reads it and remembers how long ago that was.
 *
 * Lines on standard input, each answered by one line:
 *   deliver USER N   N new messages, announced at once to whoever idles       -> ok
 *   count            -> CONNECTIONS IDLING MOST_UNFINISHED HANDSHAKES RESUMED (the last three since the last "count")
 *   heard            -> the microseconds from announcement to receiver, of each message since the last "heard"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOTS      65536
#define LINE_MOST  16384
#define HEARD_MOST 200000
#define CAPABILITY "CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE AUTH=PLAIN"

/* -- who is there ----------------------------------------------------------------------------------------------------------------- */

enum part { PART_COMMANDS, PART_NAMES, PART_IMAP_DOOR, PART_HTTP_DOOR, PART_IMAP, PART_HTTP };

struct user {
	char            *name;
	int64_t         *announced;      /* of each message, ns; UIDs are 1, 2, 3 … */
	uint32_t         messages;
	LIST_HEAD(, end) ends;
	LIST_ENTRY(user) slot;
};

/* One descriptor that is looked at. */
struct end {
	enum part        part;
	int              fd;
	SSL             *ssl;
	bool             shaken, authenticating, idles;
	struct user     *user;           /* once signed in */
	uint32_t         told;           /* messages that it knows of */
	char             idle_tag[16];
	char            *held;           /* the beginning of a line; NULL between two */
	size_t           len;
	LIST_ENTRY(end)  sibling;
};

struct far_side {
	int               epoll;
	SSL_CTX          *ctx;
	const char       *password;
	LIST_HEAD(, user) slot[SLOTS];
	long              ends, idling, unfinished, most_unfinished, handshakes, resumed;
	int64_t          *heard;
	size_t            heards;
};

__attribute__((noreturn)) static void give_up(const char *why)
{
	fprintf(stderr, "bench-imapd: %s (%s)\n", why, strerror(errno));
	exit(1);
}

static void *must(void *memory)
{
	if (!memory)
		give_up("no memory");
	return memory;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct user *user_of(struct far_side *f, const char *name)
{
	uint32_t     hash = 2166136261u;
	struct user *u;

	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	LIST_FOREACH(u, &f->slot[hash % SLOTS], slot)
		if (strcmp(u->name, name) == 0)
			return u;
	u = must(calloc(1, sizeof *u));
	u->name = must(strdup(name));
	LIST_INSERT_HEAD(&f->slot[hash % SLOTS], u, slot);
	return u;
}

static void watch(struct far_side *f, struct end *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = e };

	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, e->fd, &event) != 0)
		give_up("epoll");
}

static struct end *end_new(struct far_side *f, enum part part, int fd)
{
	struct end *e = must(calloc(1, sizeof *e));

	e->part = part;
	e->fd = fd;
	watch(f, e);
	return e;
}

static void end_free(struct far_side *f, struct end *e)
{
	if (e->part == PART_IMAP) {
		f->ends--;
		f->idling -= e->idles;
		f->unfinished -= !e->idles;
	}
	if (e->user)
		LIST_REMOVE(e, sibling);
	SSL_free(e->ssl);
	close(e->fd);
	free(e->held);
	free(e);
}

/* -- saying ----------------------------------------------------------------------------------------------------------------------- */

/* All that is said is short: a peer that does not even take that is none of ours. */
__attribute__((format(printf, 2, 3)))
static void say(struct end *e, const char *fmt, ...)
{
	char    text[4096];
	va_list args;
	int     len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (e->ssl)
		SSL_write(e->ssl, text, len);
	else if (write(e->fd, text, (size_t)len) != len)
		return;
}

static void tell_messages(struct end *e)
{
	if (e->told < e->user->messages)
		say(e, "* %" PRIu32 " EXISTS\r\n", e->user->messages);
	e->told = e->user->messages;
}

static void deliver(struct far_side *f, const char *name, unsigned count)
{
	struct user *u = user_of(f, name);
	struct end  *e;

	u->announced = must(realloc(u->announced, (u->messages + count) * sizeof *u->announced));
	while (count--)
		u->announced[u->messages++] = now_ns();
	LIST_FOREACH(e, &u->ends, sibling)
		if (e->idles)
			tell_messages(e);
}

/* -- IMAP ------------------------------------------------------------------------------------------------------------------------- */

static void sign_in(struct far_side *f, struct end *e, const char *tag, const char *name, const char *password)
{
	if (strcmp(password, f->password) != 0 || e->user) {
		say(e, "%s NO [AUTHENTICATIONFAILED] wrong\r\n", tag);
		return;
	}
	e->user = user_of(f, name);
	LIST_INSERT_HEAD(&e->user->ends, e, sibling);
	say(e, "%s OK [" CAPABILITY "] signed in\r\n", tag);
}

/* PLAIN: nothing, the name, the password, NUL between. */
static void sign_in_plain(struct far_side *f, struct end *e, const char *tag, const char *text)
{
	unsigned char plain[1024] = "";
	size_t        len = strlen(text);
	const char   *name = (char *)plain + 1;

	if (len % 4 || len > 1000 || EVP_DecodeBlock(plain, (const unsigned char *)text, (int)len) < 3)
		say(e, "%s BAD what?\r\n", tag);
	else
		sign_in(f, e, tag, name, name + strlen(name) + 1);
}

static char *argument(char **rest)
{
	char *at = *rest + strspn(*rest, " "), *end;

	end = *at == '"' ? strchr(++at, '"') : at + strcspn(at, " ");
	if (!end)
		end = at + strlen(at);
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return at;
}

static void examine(struct end *e, const char *tag)
{
	e->told = e->user->messages;
	say(e, "* FLAGS (\\Seen)\r\n* %" PRIu32 " EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] valid\r\n* OK [UIDNEXT %" PRIu32 "] next\r\n"
	       "%s OK [READ-ONLY] open\r\n", e->told, e->told + 1, tag);
}

static void fetch(struct end *e, const char *tag, uint32_t from)
{
	char header[512];

	if (from > e->user->messages)
		from = e->user->messages;
	for (uint32_t uid = from ? from : 1; uid <= e->user->messages; uid++) {
		int len = snprintf(header, sizeof header,
		                   "Date: Sun, 1 Nov 2026 10:00:00 +0000\r\nFrom: Bob Oak <bob@oak.example>\r\nTo: <%s>\r\nSubject: announced %" PRId64
		                   " ns\r\nMessage-ID: <%" PRIu32 ".%s>\r\n\r\n", e->user->name, e->user->announced[uid - 1], uid, e->user->name);

		say(e, "* %" PRIu32 " FETCH (UID %" PRIu32 " RFC822.SIZE 4711 INTERNALDATE \"01-Nov-2026 10:00:00 +0000\" BODY[HEADER.FIELDS "
		       "(DATE FROM TO SUBJECT MESSAGE-ID IN-REPLY-TO X-MAILMOOR-TEST)]<0> {%d}\r\n%s)\r\n", uid, uid, len, header);
	}
	say(e, "%s OK fetched\r\n", tag);
}

static void set_idle(struct far_side *f, struct end *e, bool idles)
{
	f->idling += idles - e->idles;
	f->unfinished += e->idles - idles;
	e->idles = idles;
}

static void idle(struct far_side *f, struct end *e, const char *tag)
{
	snprintf(e->idle_tag, sizeof e->idle_tag, "%s", tag);
	say(e, "+ idling\r\n");
	set_idle(f, e, true);
	tell_messages(e);
}

static bool command(struct far_side *f, struct end *e, char *line)
{
	char *tag, *word;

	if (e->idles && strcasecmp(line, "DONE") == 0) {
		set_idle(f, e, false);
		say(e, "%s OK awake\r\n", e->idle_tag);
		return true;
	}
	if (e->authenticating) {
		e->authenticating = false;
		sign_in_plain(f, e, e->idle_tag, line);
		return true;
	}
	tag = argument(&line);
	word = argument(&line);
	if (strcasecmp(word, "CAPABILITY") == 0) {
		say(e, "* " CAPABILITY "\r\n%s OK done\r\n", tag);
	} else if (strcasecmp(word, "AUTHENTICATE") == 0 && strcasecmp(argument(&line), "PLAIN") == 0) {
		e->authenticating = !*line;
		snprintf(e->idle_tag, sizeof e->idle_tag, "%s", tag);
		if (e->authenticating)
			say(e, "+ \r\n");
		else
			sign_in_plain(f, e, tag, argument(&line));
	} else if (strcasecmp(word, "LOGIN") == 0) {
		char *name = argument(&line);

		sign_in(f, e, tag, name, argument(&line));
	} else if (strcasecmp(word, "LOGOUT") == 0) {
		say(e, "* BYE well\r\n%s OK bye\r\n", tag);
		return false;
	} else if (strcasecmp(word, "NOOP") == 0) {
		if (e->user)
			tell_messages(e);
		say(e, "%s OK done\r\n", tag);
	} else if (strcasecmp(word, "ID") == 0) {
		say(e, "* ID NIL\r\n%s OK done\r\n", tag);
	} else if (!e->user) {
		say(e, "%s BAD not signed in\r\n", tag);
	} else if (strcasecmp(word, "LIST") == 0) {
		say(e, "* LIST (\\HasNoChildren) \"/\" INBOX\r\n%s OK done\r\n", tag);
	} else if (strcasecmp(word, "EXAMINE") == 0) {
		examine(e, tag);
	} else if (strcasecmp(word, "IDLE") == 0) {
		idle(f, e, tag);
	} else if (strcasecmp(word, "UID") == 0 && strcasecmp(argument(&line), "FETCH") == 0) {
		char *range = argument(&line);

		fetch(e, tag, *range == '*' ? UINT32_MAX : (uint32_t)strtoul(range, NULL, 10));
	} else {
		say(e, "%s BAD what?\r\n", tag);
	}
	return true;
}

/* -- webhooks --------------------------------------------------------------------------------------------------------------------- */

/* How much of what is held was one request; 0 when it is not whole yet. */
static size_t take_request(struct far_side *f, struct end *e)
{
	char       *body = strstr(e->held, "\r\n\r\n"), *field, *sent;
	size_t      length;

	if (!body)
		return 0;
	field = strcasestr(e->held, "\r\nContent-Length:");
	length = field && field < body ? strtoul(field + strlen("\r\nContent-Length:"), NULL, 10) : 0;
	body += 4;
	if (e->len - (size_t)(body - e->held) < length)
		return 0;
	sent = strstr(body, "announced ");
	if (sent && f->heards < HEARD_MOST)
		f->heard[f->heards++] = now_ns() - strtoll(sent + strlen("announced "), NULL, 10);
	say(e, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	return (size_t)(body - e->held) + length;
}

/* -- bytes ------------------------------------------------------------------------------------------------------------------------ */

static size_t take_line(struct far_side *f, struct end *e, bool *stays)
{
	char *newline = strchr(e->held, '\n');

	if (!newline)
		return 0;
	*newline = '\0';
	if (newline > e->held && newline[-1] == '\r')
		newline[-1] = '\0';
	*stays = command(f, e, e->held);
	return (size_t)(newline - e->held) + 1;
}

static bool take(struct far_side *f, struct end *e, const char *bytes, size_t len)
{
	bool stays = true;

	if (e->len + len > LINE_MOST)
		return false;
	e->held = must(realloc(e->held, e->len + len + 1));
	memcpy(e->held + e->len, bytes, len);
	e->len += len;
	e->held[e->len] = '\0';
	while (stays && e->len) {
		size_t used = e->part == PART_HTTP ? take_request(f, e) : take_line(f, e, &stays);

		if (used == 0)
			break;
		e->len -= used;
		memmove(e->held, e->held + used, e->len + 1);
	}
	if (e->len == 0) {
		free(e->held);
		e->held = NULL;
	}
	return stays;
}

static bool waits(const struct end *e, int n)
{
	int why = SSL_get_error(e->ssl, n);

	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static bool shake(struct far_side *f, struct end *e)
{
	int n = SSL_accept(e->ssl);

	if (n != 1)
		return waits(e, n);
	e->shaken = true;
	f->handshakes++;
	f->resumed += SSL_session_reused(e->ssl);
	say(e, "* OK [" CAPABILITY "] ready\r\n");
	return true;
}

static bool read_imap(struct far_side *f, struct end *e)
{
	char bytes[4096];
	int  n;

	if (!e->shaken) {
		bool goes_on = shake(f, e);

		if (!e->shaken)
			return goes_on;
	}
	while ((n = SSL_read(e->ssl, bytes, sizeof bytes)) > 0)
		if (!take(f, e, bytes, (size_t)n))
			return false;
	return waits(e, n);
}

static bool read_http(struct far_side *f, struct end *e)
{
	char    bytes[8192];
	ssize_t n = read(e->fd, bytes, sizeof bytes);

	return n > 0 ? take(f, e, bytes, (size_t)n) : n < 0 && errno == EAGAIN;
}

/* -- doors ------------------------------------------------------------------------------------------------------------------------ */

static void open_end(struct far_side *f, struct end *door, int fd)
{
	int         one = 1;
	struct end *e = end_new(f, door->part == PART_IMAP_DOOR ? PART_IMAP : PART_HTTP, fd);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (e->part == PART_HTTP)
		return;
	e->ssl = must(SSL_new(f->ctx));
	SSL_set_fd(e->ssl, fd);
	SSL_set_accept_state(e->ssl);
	f->ends++;
	if (++f->unfinished > f->most_unfinished)
		f->most_unfinished = f->unfinished;
}

static void answer_door(struct far_side *f, struct end *door)
{
	int fd;

	while ((fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		open_end(f, door, fd);
	if (errno != EAGAIN && errno != ECONNABORTED)
		give_up("accept");
}

static int bound(int type, const char *port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int                fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || (type == SOCK_STREAM && listen(fd, 4096) != 0))
		give_up("a port");
	return fd;
}

/* -- names: each has the address of this machine, and nothing else ---------------------------------------------------------------- */

static void answer_name(struct end *e)
{
	static const unsigned char address[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1 };
	unsigned char              q[1500];
	struct sockaddr_in         peer;
	socklen_t                  size = sizeof peer;
	ssize_t                    n = recvfrom(e->fd, q, 512, 0, (struct sockaddr *)&peer, &size);
	size_t                     at = 12;

	while (n > 17 && at + 5 < (size_t)n && q[at])
		at += 1u + q[at];
	if (n <= 17 || at + 5 > (size_t)n)
		return;
	at += 5;
	q[2] = 0x81;
	q[3] = 0x80;
	memset(q + 6, 0, 6);
	if (q[at - 3] == 1) {
		q[7] = 1;
		memcpy(q + at, address, sizeof address);
		at += sizeof address;
	}
	sendto(e->fd, q, at, 0, (struct sockaddr *)&peer, size);
}

/* -- commands --------------------------------------------------------------------------------------------------------------------- */

static void obey(struct far_side *f)
{
	char     line[300], name[200];
	unsigned count;

	if (!fgets(line, sizeof line, stdin))
		exit(0);
	if (sscanf(line, "deliver %199s %u", name, &count) == 2) {
		deliver(f, name, count);
		puts("ok");
	} else if (strcmp(line, "heard\n") == 0) {
		for (size_t i = 0; i < f->heards; i++)
			printf("%" PRId64 " ", f->heard[i] / 1000);
		putchar('\n');
		f->heards = 0;
	} else if (strcmp(line, "count\n") == 0) {
		printf("%ld %ld %ld %ld %ld\n", f->ends, f->idling, f->most_unfinished, f->handshakes, f->resumed);
		f->most_unfinished = f->unfinished;
		f->handshakes = f->resumed = 0;
	} else {
		puts("what?");
	}
	fflush(stdout);
}

static void turn(struct far_side *f, struct end *e)
{
	bool stays = true;

	switch (e->part) {
	case PART_COMMANDS:  obey(f); break;
	case PART_NAMES:     answer_name(e); break;
	case PART_IMAP_DOOR:
	case PART_HTTP_DOOR: answer_door(f, e); break;
	case PART_IMAP:      stays = read_imap(f, e); break;
	case PART_HTTP:      stays = read_http(f, e); break;
	}
	if (!stays)
		end_free(f, e);
}

static SSL_CTX *make_ctx(const char *certificate, const char *key, bool tickets)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 || SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		give_up("no certificate");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (!tickets) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	return ctx;
}

int main(int argc, char **argv)
{
	static struct far_side f;
	struct epoll_event     events[256];
	struct rlimit          files;

	if (argc < 7) {
		fputs("Usage: bench-imapd IMAP_PORT DNS_PORT HTTP_PORT CERTIFICATE KEY PASSWORD [no-tickets]\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	f.epoll = epoll_create1(EPOLL_CLOEXEC);
	f.ctx = make_ctx(argv[4], argv[5], argc == 7);
	f.password = argv[6];
	f.heard = must(calloc(HEARD_MOST, sizeof *f.heard));
	end_new(&f, PART_COMMANDS, STDIN_FILENO);
	end_new(&f, PART_IMAP_DOOR, bound(SOCK_STREAM, argv[1]));
	end_new(&f, PART_NAMES, bound(SOCK_DGRAM, argv[2]));
	end_new(&f, PART_HTTP_DOOR, bound(SOCK_STREAM, argv[3]));
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(f.epoll, events, 256, -1);

		for (int i = 0; i < n; i++)
			turn(&f, events[i].data.ptr);
	}
}
