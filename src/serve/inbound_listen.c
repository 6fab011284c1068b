#include "serve/inbound_listen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "serve/sockets.h"

#define LARGEST_SIZE ((unsigned long long)1024 * 1024 * 1024)

struct door {
	struct inbound_post *post;
	struct net_listener *listener;
	struct inbound_place place;
};

/* A file as it was when it was read. */
struct seen_file {
	const char     *path;
	struct timespec changed;
	ino_t           number;
};

struct inbound_post {
	struct arena    *own;
	struct net      *net;
	struct inbound  *inbound;
	struct door      door[INBOUND_DOORS];
	size_t           doors;
	struct seen_file certificate, key;
};

/* One session and the task that it runs as. */
struct visit {
	struct task             task;
	struct inbound_session *session;
};

/* -- the certificate ---------------------------------------------------------------------------------------------- */

/* Is it another than was read? Remembers what it is now. */
static bool is_new(struct seen_file *f)
{
	struct stat now;
	bool        same;

	if (stat(f->path, &now) != 0)
		return false;
	same = f->number == now.st_ino && f->changed.tv_sec == now.st_mtim.tv_sec && f->changed.tv_nsec == now.st_mtim.tv_nsec;
	f->number = now.st_ino;
	f->changed = now.st_mtim;
	return !same;
}

/* A renewed one that cannot be read (half written) leaves the old one in use: its second half changes the file once more. */
static bool show_certificate(struct inbound_post *p, struct error *err)
{
	bool certificate, key;

	if (!p->certificate.path)
		return true;
	certificate = is_new(&p->certificate);
	key = is_new(&p->key);
	if (!certificate && !key)
		return true;
	if (!net_serve_tls(p->net, p->certificate.path, p->key.path, err))
		return false;
	inbound_offer_tls(p->inbound, true);
	return true;
}

/* -- callers ------------------------------------------------------------------------------------------------------ */

static void ended(struct task *t)
{
	struct visit *v = (struct visit *)t;

	inbound_session_free(v->session);
	free(v);
}

static struct line *accepted(void *self, const struct address *peer)
{
	struct door            *d = self;
	struct inbound_session *session = inbound_admit(d->post->inbound, peer, d->place.lmtp);
	struct visit           *v;

	if (!session)
		return NULL;
	show_certificate(d->post, NULL);
	v = must_alloc(sizeof *v);
	v->session = session;
	v->task = (struct task){ .step = inbound_step, .self = session };
	net_start(d->post->net, &v->task, ended);
	return inbound_line(session);
}

/* -- places ------------------------------------------------------------------------------------------------------- */

bool inbound_place_parse(const char *text, struct inbound_place *out)
{
	static const char    lmtp[] = "lmtp:";
	struct inbound_place place = { .lmtp = slice_starts(slice_str(text), lmtp) };
	const char          *host = place.lmtp ? text + strlen(lmtp) : text, *colon = strrchr(host, ':');
	unsigned long long   port;
	char                 address[ADDRESS_TEXT + 2];
	size_t               len = colon ? (size_t)(colon - host) : 0;

	/* a colon of the address itself must not be taken for that of the port */
	if (len == 0 || len >= sizeof address || (memchr(host, ':', len) && host[0] != '['))
		return false;
	snprintf(address, sizeof address, "%.*s", (int)len, host);
	if (!address_parse(address, &place.address) || !slice_number(slice_str(colon + 1), UINT16_MAX, &port))
		return false;
	place.port = (uint16_t)port;
	*out = place;
	return true;
}

/* Where a socket listens, whoever opened it. */
static void see_place(int fd, struct inbound_place *place)
{
	union { struct sockaddr_in6 six; struct sockaddr_in four; struct sockaddr any; } is = { 0 };
	socklen_t len = sizeof is;

	place->address = (struct address){ 0 };
	place->port = 0;
	if (getsockname(fd, &is.any, &len) != 0)
		return;
	if (is.any.sa_family == AF_INET) {
		place->address.family = 4, place->port = ntohs(is.four.sin_port);
		memcpy(place->address.bytes, &is.four.sin_addr, 4);
	} else if (is.any.sa_family == AF_INET6) {
		place->address.family = 6, place->port = ntohs(is.six.sin6_port);
		memcpy(place->address.bytes, &is.six.sin6_addr, 16);
	}
}

static void open_door(struct inbound_post *p, int fd, bool lmtp)
{
	struct door *d = &p->door[p->doors++];

	d->post = p;
	d->place.lmtp = lmtp;
	see_place(fd, &d->place);
	d->listener = net_listen(p->net, fd, accepted, d);
}

static bool open_named(struct inbound_post *p, const char *text, struct error *err)
{
	struct inbound_place place;
	char                 host[ADDRESS_TEXT], where[ADDRESS_TEXT + 10];
	int                  fd;

	if (p->doors == INBOUND_DOORS || !inbound_place_parse(text, &place))
		return fail(err, FAULT_MALFORMED, "[inbound] listen: \"%s\" is no IP:PORT, or one too many", text);
	snprintf(where, sizeof where, place.address.family == 6 ? "[%s]:%u" : "%s:%u", address_text(&place.address, host), place.port);
	fd = socket_listen(where, err);
	if (fd < 0)
		return false;
	open_door(p, fd, place.lmtp);
	return true;
}

/* What systemd has opened for us. */
static void open_given(struct inbound_post *p)
{
	static const struct { const char *name; bool lmtp; } kinds[] = { { "inbound", false }, { "lmtp", true } };
	int fd[INBOUND_DOORS];

	for (size_t k = 0; k < COUNT(kinds); k++) {
		size_t count = sockets_given(kinds[k].name, fd, INBOUND_DOORS - p->doors);

		for (size_t i = 0; i < count; i++)
			open_door(p, fd[i], kinds[k].lmtp);
	}
}

static bool open_doors(struct inbound_post *p, const char *places, struct error *err)
{
	open_given(p);
	for (struct slice rest = slice_str(p->doors ? NULL : places); rest.len;) {
		struct slice word = slice_trim(slice_cut(&rest, ' '));

		if (word.len && !open_named(p, arena_copy(p->own, word), err))
			return false;
	}
	return p->doors > 0 || fail(err, FAULT_MALFORMED, "[inbound] listen names no place");
}

bool inbound_is_wanted(const struct settings *s)
{
	return s->value[SETTING_INBOUND_LISTEN] || sockets_are_given("inbound") || sockets_are_given("lmtp");
}

/* -- beginning and end -------------------------------------------------------------------------------------------- */

static bool configure(struct inbound_post *p, const struct settings *set, const struct inbound_archive *archive, struct error *err)
{
	struct inbound_settings inbound = { .host = set->value[SETTING_INBOUND_DOMAIN], .domain = set->value[SETTING_INBOUND_DOMAIN],
	                                    .limits = inbound_usual, .archive = *archive };
	const char             *size = set->value[SETTING_INBOUND_MOST];
	unsigned long long      most;

	if (!inbound.domain)
		return fail(err, FAULT_MALFORMED, "mail for the BCC addresses is to be taken, and [inbound] domain is not set");
	if (!slice_number(slice_str(size), LARGEST_SIZE, &most) || most == 0)
		return fail(err, FAULT_MALFORMED, "[inbound] size_limit: \"%s\" is no number of bytes up to 1 GiB", size);
	if (!set->value[SETTING_INBOUND_CERT] != !set->value[SETTING_INBOUND_KEY])
		return fail(err, FAULT_MALFORMED, "[inbound] certificate_file and key_file go together");
	inbound.limits.message = (size_t)most;
	/* one message of that size must always find room, and its buffer grows by doubling */
	if (inbound.limits.all < 3 * inbound.limits.message)
		inbound.limits.all = 3 * inbound.limits.message;
	p->inbound = inbound_new(&inbound, err);
	if (set->value[SETTING_INBOUND_CERT]) {
		p->certificate.path = arena_str(p->own, set->value[SETTING_INBOUND_CERT]);
		p->key.path = arena_str(p->own, set->value[SETTING_INBOUND_KEY]);
	}
	return p->inbound != NULL;
}

struct inbound_post *inbound_start(struct net *net, const struct settings *set, const struct inbound_archive *archive, struct error *err)
{
	struct inbound_post *p = must_alloc(sizeof *p);

	p->own = arena_new();
	p->net = net;
	if (configure(p, set, archive, err) && show_certificate(p, err) && open_doors(p, set->value[SETTING_INBOUND_LISTEN], err))
		return p;
	inbound_stop(p);
	inbound_post_free(p);
	return NULL;
}

void inbound_stop(struct inbound_post *p)
{
	for (size_t i = 0; i < p->doors; i++)
		if (p->door[i].listener) {
			net_unlisten(p->door[i].listener);
			p->door[i].listener = NULL;
		}
}

void inbound_post_free(struct inbound_post *p)
{
	if (!p)
		return;
	inbound_free(p->inbound);
	arena_free(p->own);
	free(p);
}

size_t inbound_places(const struct inbound_post *p, struct inbound_place out[INBOUND_DOORS])
{
	for (size_t i = 0; i < p->doors; i++)
		out[i] = p->door[i].place;
	return p->doors;
}

const struct inbound *inbound_of(const struct inbound_post *p)
{
	return p->inbound;
}
