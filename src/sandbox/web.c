#include "sandbox/web.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sandbox/form.h"

#define IDLE_S   120
#define MOST     2000               /* connections */
#define BLANKS   16384

struct web {
	struct web_wishes  wishes;
	struct MHD_Daemon *daemon;
	int                fd;
};

/* One request while it comes in, and its reply while it goes out. */
struct visit {
	struct request request;
	struct reply   reply;
	struct buffer  body;
	bool           too_long;
};

const char *request_header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result take_field(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	form_put(self, name, value ? value : "");
	return MHD_YES;
}

bool request_fields(const struct request *r, struct form *out)
{
	*out = (struct form){ .count = 0 };
	return MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_field, out) <= FORM_FIELDS;
}

void reply_header(struct reply *reply, struct request *r, const char *name, const char *fmt, ...)
{
	va_list args;

	if (reply->headers == WEB_HEADERS)
		return;
	va_start(args, fmt);
	reply->header[reply->headers].name = name;
	reply->header[reply->headers++].value = arena_vprint(r->work, fmt, args);
	va_end(args);
}

/* -- what comes in ------------------------------------------------------------------------------------------------ */

static const char *host_of(struct request *r)
{
	const char *host = request_header(r, "Host");
	char       *copy = arena_str(r->work, host ? host : "");

	copy[strcspn(copy, ":")] = '\0';
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static const char *client_of(struct request *r)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char text[INET_ADDRSTRLEN];
	const struct sockaddr_in *at = info ? (const struct sockaddr_in *)(const void *)info->client_addr : NULL;

	return at && inet_ntop(AF_INET, &at->sin_addr, text, sizeof text) ? arena_print(r->work, "%s:%u", text, ntohs(at->sin_port)) : "";
}

static struct visit *visit_new(struct web *w, struct MHD_Connection *connection, const char *url, const char *method)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visit   *v = must_alloc(sizeof *v);
	struct request *r = &v->request;

	r->work = arena_new();
	r->connection = connection;
	r->method = arena_str(r->work, method);
	r->path = arena_str(r->work, url);
	r->host = host_of(r);
	r->client = client_of(r);
	r->caller = info ? *(struct caller *const *)&info->socket_context : NULL;
	r->secure = w->wishes.certificate != NULL;
	if (r->secure)
		r->certificate = w->wishes.certificate->der;
	buffer_init(&v->body, WEB_LONGEST_REQUEST);
	buffer_init(&v->reply.body, 512u << 20);
	return v;
}

static void visit_free(struct visit *v)
{
	if (v->reply.done)
		v->reply.done(v->reply.self);
	buffer_release(&v->body);
	buffer_release(&v->reply.body);
	arena_free(v->request.work);
	free(v);
}

/* -- what goes out ------------------------------------------------------------------------------------------------ */

static ssize_t give_cut(void *self, uint64_t at, char *out, size_t room)
{
	struct visit *v = self;
	struct slice  all = buffer_held(&v->reply.body);
	size_t        end = v->reply.cut < all.len ? v->reply.cut : all.len;

	if (at >= end)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	room = room < end - at ? room : (size_t)(end - at);
	memcpy(out, all.at + at, room);
	return (ssize_t)room;
}

static ssize_t give_for_ever(void *self, uint64_t at, char *out, size_t room)
{
	struct visit *v = self;
	struct slice  all = buffer_held(&v->reply.body);

	if (at < all.len) {
		room = room < all.len - at ? room : (size_t)(all.len - at);
		memcpy(out, all.at + at, room);
		return (ssize_t)room;
	}
	room = room < BLANKS ? room : BLANKS;
	memset(out, ' ', room);
	return (ssize_t)room;
}

static ssize_t give_stream(void *self, uint64_t at, char *out, size_t room)
{
	struct visit  *v = self;
	struct buffer *b = &v->reply.body;

	(void)at;
	if (buffer_held(b).len == 0 && !v->reply.more(v->reply.self, b) && buffer_held(b).len == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	room = room < buffer_held(b).len ? room : buffer_held(b).len;
	memcpy(out, buffer_held(b).at, room);
	buffer_drop(b, room);
	return (ssize_t)room;
}

/* As it stands, past the library, which then takes the connection for broken. */
static enum MHD_Result send_raw(struct visit *v)
{
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(v->request.connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(v->request.connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct slice rest = buffer_held(&v->reply.body);

	while (rest.len) {
		ssize_t sent = v->request.secure && tls ? gnutls_record_send(tls->tls_session, rest.at, rest.len)
		             : fd                       ? send(fd->connect_fd, rest.at, rest.len, MSG_NOSIGNAL)
		                                        : -1;

		if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED)
			continue;
		if (sent <= 0)
			break;
		rest = slice_from(rest, (size_t)sent);
	}
	if (v->request.secure && tls)
		gnutls_bye(tls->tls_session, GNUTLS_SHUT_WR);
	return MHD_NO;
}

static struct MHD_Response *response_of(struct visit *v)
{
	struct slice all = buffer_held(&v->reply.body);

	switch (v->reply.ending) {
	case ENDS_CUT:
		return MHD_create_response_from_callback(all.len, 16384, give_cut, v, NULL);
	case ENDS_NEVER:
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, give_for_ever, v, NULL);
	case ENDS_STREAM:
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, give_stream, v, NULL);
	default:
		/* it stays where it is until the visit ends */
		return MHD_create_response_from_buffer(all.len, (void *)(uintptr_t)all.at, MHD_RESPMEM_PERSISTENT);
	}
}

static enum MHD_Result send_reply(struct visit *v)
{
	struct MHD_Response *response;
	enum MHD_Result      fine;

	if (v->reply.ending == ENDS_DROPPED)
		return MHD_NO;
	if (v->reply.ending == ENDS_RAW)
		return send_raw(v);
	response = response_of(v);
	if (v->reply.type)
		MHD_add_response_header(response, "Content-Type", v->reply.type);
	for (size_t i = 0; i < v->reply.headers; i++)
		MHD_add_response_header(response, v->reply.header[i].name, v->reply.header[i].value);
	if (v->reply.closes)
		MHD_add_response_header(response, "Connection", "close");
	fine = MHD_queue_response(v->request.connection, (unsigned)v->reply.status, response);
	MHD_destroy_response(response);
	return fine;
}

/* -- MHD's calls -------------------------------------------------------------------------------------------------- */

static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *upload, size_t *size, void **mine)
{
	struct web   *w = self;
	struct visit *v = *mine;

	(void)version;
	if (!v) {
		*mine = visit_new(w, connection, url, method);
		return MHD_YES;
	}
	if (*size) {
		v->too_long |= !buffer_add(&v->body, slice(upload, *size));
		*size = 0;
		return MHD_YES;
	}
	v->request.body = buffer_held(&v->body);
	v->reply.status = v->too_long ? 413 : 200;
	if (!v->too_long)
		w->wishes.answer(w->wishes.self, &v->request, &v->reply);
	return send_reply(v);
}

static void completed(void *self, struct MHD_Connection *connection, void **mine, enum MHD_RequestTerminationCode how)
{
	(void)self, (void)connection, (void)how;
	if (*mine)
		visit_free(*mine);
	*mine = NULL;
}

static void called(void *self, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what)
{
	(void)self, (void)connection;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = must_alloc(sizeof(struct caller));
	} else {
		free(*context);
		*context = NULL;
	}
}

static void say_nothing(void *self, const char *fmt, va_list args)
{
	(void)self, (void)fmt, (void)args;
}

/* -- its life ----------------------------------------------------------------------------------------------------- */

static int listen_at(const char *address, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t len = sizeof at;
	int       fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &at.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 128) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

/* What is not there is MHD_OPTION_END at once. */
static struct MHD_Daemon *start(struct web *w, unsigned flags, const struct MHD_OptionItem *more)
{
	return MHD_start_daemon(flags, 0, NULL, NULL, handle, w, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
	                        MHD_OPTION_LISTEN_SOCKET, w->fd,
	                        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, called, NULL,
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST,
	                        MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

struct web *web_new(const struct web_wishes *wishes, uint16_t *port, struct error *err)
{
	struct web *w = must_alloc(sizeof *w);
	unsigned    flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem more[4] = { { MHD_OPTION_END, 0, NULL } };

	*port = wishes->port;
	w->wishes = *wishes;
	w->fd = listen_at(wishes->address, port);
	if (w->fd < 0) {
		fail(err, FAULT_LOCAL, "port %u on %s: %s", wishes->port, wishes->address, strerror(errno));
		free(w);
		return NULL;
	}
	if (wishes->certificate) {
		const char *versions = wishes->old_tls ? "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT" : "NORMAL";

		flags |= MHD_USE_TLS;
		more[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)wishes->certificate->key };
		more[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)wishes->certificate->chain };
		more[2] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)versions };
		more[3] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	}
	w->daemon = start(w, flags, more);
	if (!w->daemon) {
		fail(err, FAULT_LOCAL, "the web server does not start");
		close(w->fd);
		free(w);
		return NULL;
	}
	return w;
}

void web_free(struct web *w)
{
	if (!w)
		return;
	MHD_stop_daemon(w->daemon);      /* closes the socket too */
	free(w);
}
