/* Ports, who comes in by them, and what is spoken there. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "sandbox/imap.h"

#define CALLERS_MOST 2000

static const struct { uint16_t port; bool tls; } doors[IMAP_DOORS] = {
	[DOOR_IMAPS] = { 993, true }, [DOOR_IMAP] = { 143, false }, [DOOR_SUBMISSIONS] = { 465, true }, [DOOR_SUBMISSION] = { 587, false },
};

uint16_t door_port(enum imap_door d)
{
	return doors[d].port;
}

/* -- one caller --------------------------------------------------------------------------------------------------- */

static bool is_ordered_at(struct imap_caller *c, enum order order)
{
	bool is;

	pthread_mutex_lock(&c->imap->sandbox->lock);
	is = host_ordered(c->imap, c->host, order) != NULL;
	pthread_mutex_unlock(&c->imap->sandbox->lock);
	return is;
}

/* Does this door begin with TLS? The one kind may be taken for the other by order. */
static bool begins_secure(struct imap_caller *c)
{
	return doors[c->door].tls ? !is_ordered_at(c, ORDER_PLAIN_PORTS) : is_ordered_at(c, ORDER_TLS_AT_ONCE);
}

static void *converse(void *self)
{
	struct imap_caller *c = self;
	struct sandbox     *s = c->imap->sandbox;
	sigset_t            pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	if (!other_talk(c) && (!begins_secure(c) || line_secure(&c->line, c->host->tls))) {
		if (c->door >= DOOR_SUBMISSIONS)
			smtp_talk(c);
		else
			imap_talk(c);
	}
	line_farewell(&c->line);
	pthread_mutex_lock(&s->lock);
	line_shut(&c->line);
	c->over = true;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void caller_free(struct imap_caller *c)
{
	arena_free(c->own);
	free(c);
}

/* Threads that have ended. */
static size_t reap(struct imap *m)
{
	struct imap_caller *gone = NULL, *next;
	size_t              left = 0;

	pthread_mutex_lock(&m->sandbox->lock);
	for (struct imap_caller **at = &m->callers; *at;) {
		struct imap_caller *c = *at;

		if (!c->over) {
			at = &c->next;
			left++;
			continue;
		}
		*at = c->next;
		c->next = gone;
		gone = c;
	}
	pthread_mutex_unlock(&m->sandbox->lock);
	for (; gone; gone = next) {
		next = gone->next;
		pthread_join(gone->thread, NULL);
		caller_free(gone);
	}
	return left;
}

static void welcome(struct imap *m, struct imap_host *h, enum imap_door door)
{
	struct sockaddr_in  from;
	socklen_t           len = sizeof from;
	int                 fd = accept4(h->fd[door], (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	char                text[INET_ADDRSTRLEN];
	struct imap_caller *c;

	if (fd < 0)
		return;
	if (reap(m) >= CALLERS_MOST) {
		close(fd);
		return;
	}
	c = must_alloc(sizeof *c);
	*c = (struct imap_caller){ .imap = m, .host = h, .door = door, .own = arena_new() };
	c->client = arena_print(c->own, "%s:%u", inet_ntop(AF_INET, &from.sin_addr, text, sizeof text), ntohs(from.sin_port));
	line_open(&c->line, fd, m->stop[0]);
	pthread_mutex_lock(&m->sandbox->lock);
	if (pthread_create(&c->thread, NULL, converse, c) == 0) {
		c->next = m->callers;
		m->callers = c;
	} else {
		line_shut(&c->line);
		caller_free(c);
	}
	pthread_mutex_unlock(&m->sandbox->lock);
}

static void *welcome_all(void *self)
{
	struct imap  *m = self;
	struct pollfd on[1 + IMAP_HOSTS * IMAP_DOORS] = { { .fd = m->stop[0], .events = POLLIN } };

	for (size_t i = 0; i < m->hosts * IMAP_DOORS; i++)
		on[i + 1] = (struct pollfd){ .fd = m->host[i / IMAP_DOORS].fd[i % IMAP_DOORS], .events = POLLIN };
	while (poll(on, 1 + m->hosts * IMAP_DOORS, -1) > 0 || errno == EINTR) {
		if (on[0].revents)
			break;
		for (size_t i = 0; i < m->hosts * IMAP_DOORS; i++)
			if (on[i + 1].revents)
				welcome(m, &m->host[i / IMAP_DOORS], (enum imap_door)(i % IMAP_DOORS));
	}
	return NULL;
}

void imap_stir(struct sandbox *s, const struct mailbox *m)
{
	if (!s->imap)
		return;
	for (struct imap_caller *c = s->imap->callers; c; c = c->next)
		if (!c->over && c->watched == m && c->line.stir >= 0)
			eventfd_write(c->line.stir, 1);
}

/* -- somebody else's protocol --------------------------------------------------------------------------------------- */

#define PORTAL "HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nContent-Type: text/html\r\nContent-Length: 44\r\nConnection: close\r\n\r\n" \
	"<html><body>Please sign in.</body></html>\r\n\r\n"

/* What stands in `first` for the protocol: whatever is said, that is the answer. */
static const struct { const char *name; bool waits; bool keeps_tls; const char *first; } others[] = {
	{ "http", true, false, PORTAL }, { "pop3", false, true, "+OK POP3 server ready <1896.697170952@sandbox>\r\n" },
	{ "smtp", false, true, "220 sandbox ESMTP\r\n" }, { "imap", false, true, "* OK IMAP4rev1 ready\r\n" }, { "ftp", false, true, "220 FTP server ready.\r\n" },
	{ "ssh", false, false, "SSH-2.0-OpenSSH_9.2p1\r\n" }, { "noise", false, true, "\x01\x02garbage\xff\xfe without end or sense\r\n" },
};

bool other_talk(struct imap_caller *c)
{
	const struct ordered *o;
	struct slice          heard;
	const char           *name;

	pthread_mutex_lock(&c->imap->sandbox->lock);
	o = host_ordered(c->imap, c->host, ORDER_SPEAKS);
	name = o ? o->value : host_ordered(c->imap, c->host, ORDER_CAPTIVE) ? "http" : NULL;
	pthread_mutex_unlock(&c->imap->sandbox->lock);
	for (size_t i = 0; name && i < COUNT(others); i++) {
		if (strcasecmp(others[i].name, name) != 0)
			continue;
		if (others[i].keeps_tls && doors[c->door].tls && !line_secure(&c->line, c->host->tls))
			return true;
		if (others[i].waits && line_hear(&c->line, c->own, false, &heard) == HEARD_END && buffer_held(&c->line.in).len == 0)
			return true;
		line_say(&c->line, slice_str(others[i].first));
		if (!others[i].waits)
			line_idle(&c->line);
		return true;
	}
	return false;
}

/* -- the rest of the world, and where issuers are had by plain http ------------------------------------------------------ */

static void answer_world(void *self, struct request *r, struct reply *reply)
{
	struct imap    *m = self;
	struct ordered *o;
	time_t          now = time(NULL);
	struct tm       at;
	char            date[60];

	pthread_mutex_lock(&m->sandbox->lock);
	o = orders_at(&m->sandbox->orders, "", ORDER_CLOCK);
	if (o)
		now += 3600 * strtol(o->value, NULL, 10);
	pthread_mutex_unlock(&m->sandbox->lock);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &at));
	reply_header(reply, r, "Date", "%s", date);
	if (strcmp(r->path, AUTHORITY_PATH) == 0) {
		reply->type = "application/pkix-cert";
		buffer_add(&reply->body, authority_intermediate(m->sandbox->authority, r->work));
	}
}

static struct web *web_at(struct imap *m, const char *address, uint16_t wanted, const struct certificate *certificate, uint16_t *port,
                          struct error *err)
{
	struct web_wishes w = { .address = address, .port = wanted, .certificate = certificate, .answer = answer_world, .self = m };

	return web_new(&w, port, err);
}

/* -- doors -------------------------------------------------------------------------------------------------------- */

static const struct { enum order order; enum hole_kind kind; } holes[] = {
	{ ORDER_REFUSED, HOLE_REFUSES }, { ORDER_VANISH, HOLE_VANISHES }, { ORDER_SILENT, HOLE_SILENT }, { ORDER_RESET, HOLE_RESETS },
};

/* A hole in the place of that door? Where only STARTTLS shall be seen there is nothing behind the other doors. */
static bool hole_of(struct imap *m, const struct imap_host *h, enum imap_door d, enum hole_kind *out)
{
	if (orders_at(&m->sandbox->orders, h->domain, ORDER_EGRESS)) {
		*out = HOLE_VANISHES;
		return true;
	}
	for (size_t i = 0; i < COUNT(holes); i++)
		if (host_ordered(m, h, holes[i].order)) {
			*out = holes[i].kind;
			return true;
		}
	*out = HOLE_REFUSES;
	return doors[d].tls && (host_ordered(m, h, ORDER_NO_STARTTLS) || host_ordered(m, h, ORDER_STRIPPED));
}

static int listen_at(const char *address, uint16_t wanted, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(wanted) };
	socklen_t len = sizeof at;
	int       fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, address, &at.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

static bool open_host(struct imap *m, struct imap_host *h, bool usual, struct error *err)
{
	const struct ordered *flaw = host_ordered(m, h, ORDER_CERTIFICATE);

	for (enum imap_door d = DOOR_IMAPS; d < IMAP_DOORS; d++) {
		enum hole_kind kind;
		bool           is_hole = hole_of(m, h, d, &kind);

		h->port[d] = usual ? doors[d].port : 0;
		if (is_hole)
			h->hole[d] = hole_new(h->address, &h->port[d], kind, err);
		else
			h->fd[d] = listen_at(h->address, h->port[d], &h->port[d]);
		if (is_hole ? !h->hole[d] : h->fd[d] < 0)
			return is_hole ? false : fail(err, FAULT_LOCAL, "port %u on %s: %s", usual ? doors[d].port : 0, h->address, strerror(errno));
	}
	if (flaw && flaw->row->number == FLAW_NO_ISSUER)
		return (h->web = web_at(m, h->address, usual ? 80 : 0, NULL, &h->web_port, err)) != NULL;
	return true;
}

bool doors_open(struct imap *m, bool usual, struct error *err)
{
	bool fine = (m->world = web_at(m, m->world_address, usual ? 80 : 0, NULL, &m->world_port, err)) != NULL;

	m->world_https = fine ? web_at(m, m->world_address, usual ? 443 : 0, &m->world_certificate, &m->world_https_port, err) : NULL;
	fine = m->world_https != NULL;
	for (size_t i = 0; fine && i < m->hosts; i++)
		fine = m->host[i].shares || open_host(m, &m->host[i], usual, err);
	if (fine && (pipe(m->stop) != 0 || pthread_create(&m->thread, NULL, welcome_all, m) != 0))
		fine = fail(err, FAULT_LOCAL, "no thread for mailboxes: %s", strerror(errno));
	else
		m->started = fine;
	if (!fine)
		doors_close(m);
	return fine;
}

static void end_callers(struct imap *m)
{
	pthread_mutex_lock(&m->sandbox->lock);
	for (struct imap_caller *c = m->callers; c; c = c->next)
		if (!c->over)
			shutdown(c->line.fd, SHUT_RDWR);
	pthread_mutex_unlock(&m->sandbox->lock);
	while (m->callers) {
		struct imap_caller *c = m->callers;

		pthread_join(c->thread, NULL);
		m->callers = c->next;
		caller_free(c);
	}
}

void doors_close(struct imap *m)
{
	if (m->stop[1] >= 0)
		close(m->stop[1]);
	if (m->started)
		pthread_join(m->thread, NULL);
	end_callers(m);
	if (m->stop[0] >= 0)
		close(m->stop[0]);
	m->stop[0] = m->stop[1] = -1;
	m->started = false;
	for (size_t i = 0; i < m->hosts; i++) {
		struct imap_host *h = &m->host[i];

		for (enum imap_door d = DOOR_IMAPS; d < IMAP_DOORS; d++) {
			if (h->fd[d] >= 0)
				close(h->fd[d]);
			h->fd[d] = -1;
			hole_free(h->hole[d]);
			h->hole[d] = NULL;
		}
		web_free(h->web);
		h->web = NULL;
	}
	web_free(m->world);
	web_free(m->world_https);
	m->world = m->world_https = NULL;
}
