#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "serve/http_parts.h"
#include "serve/sockets.h"

/* What is usual: enough for a page with its parts and a product's own pool of connections, little enough for one client not to be all. */
const struct http_limits http_usual = {
	.connections = 4096, .per_address = 256, .request_ms = 20000, .answer_ms = 60000, .heartbeat_ms = 15000,
	.streams = 500, .streams_per_key = 10,
	.open = { 300, 30 }, .wrong = { 20, 1 }, .writes = { 2000, 500 }, .hooks = { 600, 100 },
};

#define IDLE_S  30           /* nothing moves on a connection */
#define STOP_MS 5000
#define SLOW_MS 1000         /* an answer that took longer is worth a line */

/* -- connections ------------------------------------------------------------------------------------------------------ */

static struct address address_of(const struct sockaddr *from)
{
	struct address a = { 0 };

	if (from && from->sa_family == AF_INET) {
		a.family = 4;
		memcpy(a.bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else if (from && from->sa_family == AF_INET6) {
		a.family = 6;
		memcpy(a.bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	}
	return a;
}

static struct visits *bucket_of(struct http_server *s, const struct address *a)
{
	unsigned n = a->family;

	for (size_t i = 0; i < sizeof a->bytes; i++)
		n = n * 31 + a->bytes[i];
	return &s->visit[n % HTTP_BUCKETS];
}

/* A proxy speaks for many, and so does whoever comes by a socket in the file system. */
static bool is_counted(const struct http_server *s, const struct address *a)
{
	for (size_t i = 0; i < s->proxies; i++)
		if (address_in(a, &s->proxy[i]))
			return false;
	return a->family != 0;
}

static enum MHD_Result accept_it(void *self, const struct sockaddr *from, socklen_t len)
{
	struct http_server *s = self;
	struct address      a = address_of(from);
	struct visit       *v;
	unsigned            same = 0;
	bool                fine;

	(void)len;
	pthread_mutex_lock(&s->lock);
	TAILQ_FOREACH(v, bucket_of(s, &a), in_bucket)
		same += address_equal(&v->peer, &a);
	fine = s->visits < s->limits.connections && (same < s->limits.per_address || !is_counted(s, &a));
	pthread_mutex_unlock(&s->lock);
	if (!fine)
		s->counts.refused_connections++;
	return fine ? MHD_YES : MHD_NO;
}

static void visit_begins(struct http_server *s, struct MHD_Connection *c, void **context)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct visit                   *v = must_alloc(sizeof *v);

	v->job = arena_new();
	snprintf(v->name, sizeof v->name, "%s", random_text(v->job, sizeof v->name - 1));
	v->fd = fd->connect_fd;
	v->peer = address_of(from->client_addr);
	v->until = clock_mono_ms() + s->limits.request_ms;
	pthread_mutex_lock(&s->lock);
	TAILQ_INSERT_TAIL(bucket_of(s, &v->peer), v, in_bucket);
	s->visits++;
	pthread_mutex_unlock(&s->lock);
	*context = v;
}

static void visit_ends(struct http_server *s, struct visit *v)
{
	pthread_mutex_lock(&s->lock);
	TAILQ_REMOVE(bucket_of(s, &v->peer), v, in_bucket);
	s->visits--;
	pthread_cond_signal(&s->calmer);
	pthread_mutex_unlock(&s->lock);
	arena_free(v->job);
	free(v);
}

static void visit_changes(void *self, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		visit_begins(self, c, context);
	else if (*context)
		visit_ends(self, *context);
}

static void visit_until(struct http_server *s, struct visit *v, int64_t until, bool answering)
{
	pthread_mutex_lock(&s->lock);
	v->until = until;
	v->answering = answering;
	pthread_cond_signal(&s->calmer);
	pthread_mutex_unlock(&s->lock);
}

/* -- requests: begun -------------------------------------------------------------------------------------------------- */

/* The connection's name and a number: thrown anew for each request, dice were a fiftieth of all the work. */
static void name_request(struct request *r)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned          n = r->visit->requests++;
	size_t            len = strlen(r->visit->name);

	memcpy(r->id, r->visit->name, len);
	for (size_t i = 0; i < 4; i++, n /= sizeof letters - 1)
		r->id[len + i] = letters[n % (sizeof letters - 1)];
	r->id[len + 4] = '\0';
}

/* With the request's first line, before libmicrohttpd takes it apart: it would end a path at %00. */
static void *request_begins(void *self, const char *target, struct MHD_Connection *c)
{
	struct visit   *v = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct request *r = arena_get(v->job, sizeof *r);
	size_t          len;

	r->server = self;
	r->visit = v;
	r->began = clock_mono_ms();
	r->x = (struct exchange){ .service = r->server->service, .job = v->job, .connection = c, .lang = language_english(),
		.client = "", .path = "", .method = "" };
	len = strnlen(target, HTTP_TARGET_MOST + 1);
	r->target = slice(arena_copy(r->x.job, slice(target, len)), len);
	name_request(r);
	return r;
}

static const char *outcome(const struct request *r, enum MHD_RequestTerminationCode how)
{
	return how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "complete" : !r->x.status ? "unheard" : "cut";
}

/* The route and not the path: links are in paths, and open doors. */
static void log_request(const struct request *r, enum MHD_RequestTerminationCode how)
{
	int64_t        ms = clock_mono_ms() - r->began;
	bool           account = r->route && r->x.param[0] && strncmp(r->x.param[0], "acc_", 4) == 0;
	bool           reads = strcmp(r->x.method, "GET") == 0 || strcmp(r->x.method, "HEAD") == 0;
	bool           usual = !r->x.status || (reads && (ms < SLOW_MS || r->stream));
	enum log_level level = r->x.status >= 500 ? LOG_FAILURE : usual ? LOG_DETAIL : LOG_NEWS;

	LOG(level, "request", LOG_TEXT("request", r->id), LOG_TEXT("method", r->x.method), LOG_TEXT("route", r->route ? r->route->path : "-"),
	    LOG_NUMBER("status", r->x.status), LOG_NUMBER("ms", ms), LOG_TEXT("client", r->x.client),
	    LOG_TEXT("key", r->x.key_id ? r->x.key_id : "-"), LOG_TEXT("account", account ? r->x.param[0] : "-"), LOG_TEXT("end", outcome(r, how)));
}

static void request_ends(void *self, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode how)
{
	struct http_server *s = self;
	struct request     *r = *context;

	(void)c;
	if (!r)
		return;
	*context = NULL;
	if (r->x.status >= 100 && r->x.status < 600)
		s->counts.answers[r->x.status / 100]++;
	log_request(r, how);
	visit_until(s, r->visit, clock_mono_ms() + s->limits.request_ms, false);
	secret_wipe(r->body, r->body_room);
	free(r->body);
	arena_reset(r->x.job);
}

/* -- requests: heard -------------------------------------------------------------------------------------------------- */

struct head {
	size_t bytes;
	int    hosts, lengths, codings, authorizations, types;
	bool   chunked, bad;
};

static bool is_name(const char *text, size_t len)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < len; i++) {
		char low = (char)(text[i] | 0x20);

		if (!(text[i] >= '0' && text[i] <= '9') && !(low >= 'a' && low <= 'z') && !memchr(marks, text[i], sizeof marks - 1))
			return false;
	}
	return len > 0;
}

static bool is_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			return false;
	return true;
}

static enum MHD_Result see_field(void *self, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t len)
{
	struct head *h = self;

	(void)kind;
	h->bytes += name_len + len + 4;
	h->hosts += strcasecmp(name, "Host") == 0;
	h->lengths += strcasecmp(name, "Content-Length") == 0;
	h->authorizations += strcasecmp(name, "Authorization") == 0;
	h->types += strcasecmp(name, "Content-Type") == 0;
	if (strcasecmp(name, "Transfer-Encoding") == 0) {
		h->codings++;
		h->chunked = len == 7 && strncasecmp(value, "chunked", 7) == 0;
	}
	if (!is_name(name, name_len) || !is_value(value ? value : "", value ? len : 0))
		h->bad = true;
	return MHD_YES;
}

/* What could be read in two ways, by a proxy in front of us and by us, is not read at all (RFC 9112 §6.3, §11.2). */
static const char *ambiguous(const struct head *h)
{
	if (h->bad)
		return "a header field that is none";
	if (h->lengths > 1 || h->codings > 1 || (h->lengths && h->codings))
		return "more than one length of the body";
	if (h->codings && !h->chunked)
		return "a transfer coding that is not chunked";
	if (h->hosts > 1 || h->authorizations > 1 || h->types > 1)
		return "a header field that may come only once";
	return NULL;
}

static bool refuse(struct request *r, int status, const char *kind, const char *title, const char *detail)
{
	answer_problem(&r->x, status, kind, title, detail, NULL, NULL);
	return false;
}

static bool target_fits(struct request *r)
{
	struct slice rest = r->target;

	if (r->target.len > HTTP_TARGET_MOST)
		return refuse(r, 414, "request.uri_too_long", "The address of the request is too long", NULL);
	r->raw_path = slice_cut(&rest, '?');
	r->raw_query = rest;
	if (!pairs_read(r->raw_query, r->x.job, &r->query)) {
		r->query = (struct pairs){ .read = true };
		return refuse(r, 400, "request.malformed", "The query cannot be read", NULL);
	}
	return true;
}

static bool length_fits(struct request *r, const char *length)
{
	unsigned long long n = 0;

	if (length && !slice_number(slice_str(length), (unsigned long long)INT64_MAX, &n))
		return refuse(r, 400, "request.malformed", "The length of the body cannot be read", NULL);
	r->has_body = n > 0;
	r->too_big = n > HTTP_BODY_MOST;
	return !r->too_big || refuse(r, 413, "request.too_big", "The body is too big", "256 KiB at most");
}

static bool type_is(const char *type, const char *wanted)
{
	struct slice rest = slice_str(type);

	return slice_is(slice_trim(slice_cut(&rest, ';')), wanted);
}

static bool type_fits(struct request *r)
{
	const char *type = http_field(&r->x, "Content-Type");

	if (!r->has_body || strcmp(r->x.method, "GET") == 0 || strcmp(r->x.method, "HEAD") == 0)
		return true;
	if (r->route->guard == GUARD_HOOK)
		return true;
	if (r->route->guard == GUARD_FORM)
		return (type && type_is(type, "application/x-www-form-urlencoded"))
		    || refuse(r, 415, "request.media_type", "A form is expected", "application/x-www-form-urlencoded");
	if (type && (type_is(type, "application/json") || (strcmp(r->x.method, "PATCH") == 0 && type_is(type, "application/merge-patch+json"))))
		return true;
	return refuse(r, 415, "request.media_type", "JSON is expected", "application/json");
}

static bool find_route(struct request *r)
{
	const char *allow;

	switch (route_find(r->server->routes, r->x.method, r->raw_path, r->x.job, &r->route, r->x.param, &allow)) {
	case ROUTED:
		return true;
	case ROUTED_OTHER_METHOD:
		http_set(&r->x, "Allow", allow);
		return refuse(r, 405, "request.method", "That cannot be done with this", NULL);
	case ROUTED_NOWHERE:
		return refuse(r, 404, "request.absent", "There is no such thing", NULL);
	case ROUTED_MALFORMED:
		break;
	}
	return refuse(r, 400, "request.malformed", "The path cannot be read", NULL);
}

static const char *plain_path(struct request *r)
{
	const char *path;

	return percent_decode(r->raw_path, false, r->x.job, &path) ? path : arena_copy(r->x.job, r->raw_path);
}

/* Everything that can be known from the head. */
static bool head_is_fine(struct request *r, const char *method, const char *version)
{
	struct head h = { 0 };
	const char *why;
	bool        fits;

	r->x.method = arena_str(r->x.job, method);
	/* a refusal looks as its path wants it to */
	r->x.path = slice_starts(r->target, "/v1/") ? "/v1/" : "/";
	fits = target_fits(r);
	if (fits)
		r->x.path = plain_path(r);
	request_know_client(r);
	MHD_get_connection_values_n(r->x.connection, MHD_HEADER_KIND, see_field, &h);
	r->has_body = h.lengths || h.codings;
	if (!fits)
		return false;
	if (h.bytes > HTTP_HEAD_MOST)
		return refuse(r, 431, "request.head_too_big", "The header fields are too big", "8 KiB at most");
	why = ambiguous(&h);
	if (!why && h.hosts != 1 && strcmp(version, "HTTP/1.0") != 0)
		why = "no Host";
	if (why) {
		r->too_big = true;       /* nothing behind it can be trusted: the connection ends */
		return refuse(r, 400, "request.malformed", "The request cannot be read", why);
	}
	if (!length_fits(r, http_field(&r->x, "Content-Length")))
		return false;
	r->has_body = r->has_body || h.codings;
	return find_route(r) && type_fits(r) && guard_head(r);
}

static void keep_body(struct request *r, const char *bytes, size_t len)
{
	if (r->body_room - r->body_len < len) {
		size_t room = r->body_room ? r->body_room * 2 : 4096;
		char  *more;

		while (room < r->body_len + len)
			room *= 2;
		/* not realloc(): passwords pass through here */
		more = must_alloc(room);
		if (r->body_len)
			memcpy(more, r->body, r->body_len);
		secret_wipe(r->body, r->body_room);
		free(r->body);
		r->body = more;
		r->body_room = room;
	}
	memcpy(r->body + r->body_len, bytes, len);
	r->body_len += len;
}

/* Only chunks can be more than was allowed at the head. What is refused is heard to its end, within reason, so that the answer arrives. */
static bool hear(struct request *r, const char *bytes, size_t len)
{
	r->heard += len;
	if (r->heard > HTTP_BODY_MOST && !r->refused) {
		refuse(r, 413, "request.too_big", "The body is too big", "256 KiB at most");
		r->refused = r->too_big = true;
	}
	if (!r->refused)
		keep_body(r, bytes, len);
	return r->heard <= 4 * HTTP_BODY_MOST;
}

/* -- answers ---------------------------------------------------------------------------------------------------------- */

static void secure(struct MHD_Response *answer, const struct exchange *x)
{
	static const struct { const char *name, *value; } always[] = {
		{ "Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'" },
		{ "X-Content-Type-Options",  "nosniff" },
		{ "X-Frame-Options",         "DENY" },
		/* not no-referrer: browsers would then send "Origin: null" with our own forms */
		{ "Referrer-Policy",         "same-origin" },
		{ "Cross-Origin-Opener-Policy",   "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};
	bool cached = false;

	for (size_t i = 0; i < COUNT(always); i++)
		MHD_add_response_header(answer, always[i].name, always[i].value);
	if (x->https)
		MHD_add_response_header(answer, "Strict-Transport-Security", "max-age=31536000");
	for (size_t i = 0; i < x->headers; i++) {
		MHD_add_response_header(answer, x->header[i].name, x->header[i].value);
		cached |= strcasecmp(x->header[i].name, "Cache-Control") == 0;
	}
	if (!cached)
		MHD_add_response_header(answer, "Cache-Control", "no-store");
}

/* Goes to sleep unless something came since it was last awake. */
static bool stream_sleeps(struct stream *s)
{
	bool sleeps;

	pthread_mutex_lock(&s->server->lock);
	sleeps = !s->over && !s->poked;
	if (sleeps) {
		s->asleep = true;
		MHD_suspend_connection(s->connection);
	}
	pthread_mutex_unlock(&s->server->lock);
	return sleeps;
}

static bool stream_wakes(struct stream *s, bool *beat)
{
	bool goes_on;

	pthread_mutex_lock(&s->server->lock);
	s->poked = false;
	*beat = s->beat;
	s->beat = false;
	goes_on = !s->over;
	pthread_mutex_unlock(&s->server->lock);
	return goes_on;
}

/* Runs on libmicrohttpd's threads and never waits: with nothing to say the connection sleeps until the watch wakes it. */
static ssize_t stream_say(void *self, uint64_t at, char *to, size_t most)
{
	struct stream *s = self;
	bool           beat;

	(void)at;
	do {
		struct slice held;

		if (!stream_wakes(s, &beat) || (buffer_held(&s->out).len == 0 && !events_fetch(s, beat)))
			return MHD_CONTENT_READER_END_OF_STREAM;
		held = slice_upto(buffer_held(&s->out), most);
		if (held.len) {
			memcpy(to, held.at, held.len);
			buffer_drop(&s->out, held.len);
			return (ssize_t)held.len;
		}
	} while (!stream_sleeps(s));
	return 0;
}

static void stream_free(void *self)
{
	struct stream *s = self;

	pthread_mutex_lock(&s->server->lock);
	TAILQ_REMOVE(&s->server->streams, s, next);
	s->server->stream_count--;
	pthread_cond_signal(&s->server->calmer);
	pthread_mutex_unlock(&s->server->lock);
	buffer_release(&s->out);
	arena_free(s->memory);
	free(s);
}

static struct MHD_Response *body_of(struct request *r)
{
	struct exchange *x = &r->x;

	if (x->streaming)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_say, r->stream, stream_free);
	/* the job outlives the answer */
	return MHD_create_response_from_buffer(x->answer.len, (void *)x->answer.at, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result give_answer(struct request *r)
{
	struct exchange     *x = &r->x;
	struct MHD_Response *answer = body_of(r);
	enum MHD_Result      queued;

	if (!answer)
		return MHD_NO;
	if (x->answer.len || x->streaming)
		MHD_add_response_header(answer, "Content-Type", x->type ? x->type : "application/json");
	MHD_add_response_header(answer, "X-Request-Id", r->id);
	secure(answer, x);
	if (r->too_big)
		MHD_add_response_header(answer, "Connection", "close");
	visit_until(r->server, r->visit, x->streaming ? INT64_MAX : clock_mono_ms() + r->server->limits.answer_ms, true);
	queued = MHD_queue_response(x->connection, (unsigned)x->status, answer);
	MHD_destroy_response(answer);
	return queued;
}

void request_run(struct request *r)
{
	struct exchange *x = &r->x;

	x->body = slice(r->body ? r->body : "", r->body_len);
	if (guard_body(r))
		r->route->handle(x);
}

/* What changes something waits for its commit; so does who is the first to open a link. */
static bool may_wait(const struct route *route)
{
	return strcmp(route->method, "GET") != 0 || route->guard == GUARD_LINK;
}

/* False: libmicrohttpd is to call handle() again. */
static bool run(struct request *r)
{
	bool first = !r->complete, waits = may_wait(r->route);

	r->complete = true;
	visit_until(r->server, r->visit, INT64_MAX, true);      /* what takes time now is ours */
	/* Not at its first call: libmicrohttpd 0.9.75 takes one that is sent to sleep there for one that is still being read, and
	 * when it wakes up cuts off a client that has nothing more to say. */
	if (waits && (first || hands_take(r)))
		return false;
	request_run(r);
	return true;
}

static void conclude(struct request *r)
{
	struct exchange *x = &r->x;

	if (x->finish)
		x->finish(x);
	if (x->status == 0 && !x->streaming)
		refuse(r, 500, "system.internal", "Something is wrong on our side", NULL);
}

/* libmicrohttpd calls this with the head, then with pieces of the body, then once more when all is there. */
static enum MHD_Result handle(void *self, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *bytes, size_t *len, void **context)
{
	struct request *r = *context;

	(void)self;
	(void)c;
	(void)url;
	if (!r->head_heard) {
		r->head_heard = true;
		r->refused = !head_is_fine(r, method, version);
		/* what follows is longer than we would hear, or cannot be told apart from the next request */
		return r->refused && r->too_big ? give_answer(r) : MHD_YES;
	}
	if (*len) {
		bool goes_on = hear(r, bytes, *len);

		*len = 0;
		return goes_on ? MHD_YES : MHD_NO;
	}
	if (!r->refused) {
		if (!r->asleep && !run(r))
			return MHD_YES;
		conclude(r);
	}
	return give_answer(r);
}

/* -- the server ------------------------------------------------------------------------------------------------------- */

static size_t leave_encoded(void *self, struct MHD_Connection *c, char *text)
{
	(void)self;
	(void)c;
	return strlen(text);
}

__attribute__((format(printf, 2, 0)))
static void log_library(void *self, const char *fmt, va_list args)
{
	char text[200];

	(void)self;
	vsnprintf(text, sizeof text, fmt, args);
	LOG(LOG_DETAIL, "http.library", LOG_TEXT("text", text));
}

/* One for each core that is ours: nothing waits on them. */
static unsigned threads(void)
{
	cpu_set_t ours;

	return sched_getaffinity(0, sizeof ours, &ours) == 0 ? (unsigned)CPU_COUNT(&ours) : 1;
}

static bool begin(struct http_server *s, int fd, struct error *err)
{
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, accept_it, s, handle, s,
		MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_THREAD_POOL_SIZE, threads(),
		/* the pool divides it among its threads, and the kernel does not deal out evenly: the true limit is in accept_it() */
		MHD_OPTION_CONNECTION_LIMIT, s->limits.connections * 2,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, request_begins, s,
		MHD_OPTION_NOTIFY_COMPLETED, request_ends, s,
		MHD_OPTION_NOTIFY_CONNECTION, visit_changes, s,
		MHD_OPTION_END);

	if (!d) {
		close(fd);
		return fail(err, FAULT_LOCAL, "the web server does not start");
	}
	s->daemon[s->daemons++] = d;
	return true;
}

static bool read_proxies(struct http_server *s, const char *text, struct error *err)
{
	struct slice rest = slice_str(text);

	while (rest.len) {
		struct slice word = slice_trim(slice_upto(rest, strcspn(rest.at, " ,")));
		char         one[80];

		rest = slice_from(rest, word.len + 1);
		if (word.len == 0)
			continue;
		snprintf(one, sizeof one, "%.*s", (int)word.len, word.at);
		if (s->proxies == COUNT(s->proxy) || word.len >= sizeof one || !address_block_parse(one, &s->proxy[s->proxies++]))
			return fail(err, FAULT_MALFORMED, "[web] trusted_proxies: \"%s\" is no address and no range, or one too many", one);
	}
	return true;
}

/* [web] listen, where systemd gives nothing. False with what is open in `fd`. */
static bool open_places(const struct http_server *s, int fd[HTTP_SOCKETS], size_t *count, struct error *err)
{
	for (struct slice rest = slice_str(s->service->settings->value[SETTING_WEB_LISTEN]); rest.len && *count < HTTP_SOCKETS;) {
		struct slice where = slice_trim(slice_cut(&rest, ' '));
		char         text[80];

		if (where.len == 0)
			continue;
		snprintf(text, sizeof text, "%.*s", (int)where.len, where.at);
		if ((fd[*count] = socket_listen(text, err)) < 0)
			return false;
		++*count;
	}
	return *count > 0 || fail(err, FAULT_MALFORMED, "[web] listen names no place");
}

/* Before anybody is answered it stands where that is: answers carry links. */
static void know_place(struct http_server *s, int fd)
{
	socket_place(fd, s->listening, sizeof s->listening);
	if (s->service->base_url)
		return;
	snprintf(s->base_url, sizeof s->base_url, "http://%s", s->listening);
	s->service->base_url = s->base_url;
}

static bool listen_everywhere(struct http_server *s, struct error *err)
{
	int    fd[HTTP_SOCKETS];
	size_t count = sockets_given("web", fd, COUNT(fd)), begun = 0;
	bool   given = count > 0, fine = given || open_places(s, fd, &count, err);

	s->given = given;
	if (fine)
		know_place(s, fd[0]);
	while (fine && begun < count)
		fine = begin(s, fd[begun++], err);
	while (begun < count)
		close(fd[begun++]);
	return fine;
}

/* Mailboxes want sockets too. */
static unsigned connections_possible(unsigned wanted)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY || files.rlim_cur / 2 >= wanted)
		return wanted;
	return (unsigned)(files.rlim_cur / 2);
}

struct http_server *http_start_with(struct daemon *service, const struct route *const *routes, const struct http_limits *limits,
                                    struct error *err)
{
	struct http_server *s = must_alloc(sizeof *s);

	s->service = service;
	s->routes = routes;
	s->limits = *limits;
	s->limits.connections = connections_possible(limits->connections);
	s->keys = keys_new();
	s->rates = rates_new();
	pthread_mutex_init(&s->lock, NULL);
	watch_cond_init(&s->calmer);
	pthread_cond_init(&s->hand_wanted, NULL);
	STAILQ_INIT(&s->handed);
	TAILQ_INIT(&s->streams);
	for (size_t i = 0; i < HTTP_BUCKETS; i++)
		TAILQ_INIT(&s->visit[i]);
	if (read_proxies(s, service->settings->value[SETTING_WEB_PROXIES], err) && watch_start(s, err) && hands_start(s, err)
	    && listen_everywhere(s, err)) {
		LOG(LOG_NEWS, "http.listening", LOG_TEXT("at", s->listening));
		return s;
	}
	http_stop(s);
	return NULL;
}

struct http_server *http_start(struct daemon *service, struct error *err)
{
	return http_start_with(service, service->routes ? service->routes : http_routes, &http_usual, err);
}

/* Under the lock: nobody is being answered. */
static bool is_quiet(struct http_server *s)
{
	struct visit *v;
	bool          quiet = s->stream_count == 0;

	for (size_t b = 0; b < HTTP_BUCKETS && quiet; b++)
		TAILQ_FOREACH(v, &s->visit[b], in_bucket)
			quiet = quiet && !v->answering;
	return quiet;
}

static bool is_quiet_now(struct http_server *s)
{
	bool quiet;

	pthread_mutex_lock(&s->lock);
	quiet = is_quiet(s);
	pthread_mutex_unlock(&s->lock);
	return quiet;
}

/* A connection that sleeps would end the process with it: for those it is waited without a limit. */
static void wait_for_quiet(struct http_server *s)
{
	int64_t until = clock_mono_ms() + STOP_MS, left = STOP_MS;

	pthread_mutex_lock(&s->lock);
	for (; s->sleepers || (left > 0 && !is_quiet(s)); left = until - clock_mono_ms())
		watch_wait(s, &s->calmer, left > 0 ? (int)left : STOP_MS);
	s->hands_closed = true;      /* what comes yet waits where it is */
	pthread_mutex_unlock(&s->lock);
}

/* Whoever is being answered gets it; whoever has not finished asking does not. */
void http_stop(struct http_server *s)
{
	int    fd[HTTP_SOCKETS];
	size_t daemons = s ? s->daemons : 0;

	if (!s)
		return;
	/* libmicrohttpd 0.9.75 ends the process when a thread of its own that is just awake takes the socket out of its set a second
	 * time: it is asked for that only where there is something to wait for, or somebody else who goes on listening */
	for (size_t i = 0; i < daemons; i++)
		fd[i] = is_quiet_now(s) && !s->given ? MHD_INVALID_SOCKET : MHD_quiesce_daemon(s->daemon[i]);
	watch_stop(s);
	wait_for_quiet(s);
	hands_stop(s);
	for (size_t i = 0; i < daemons; i++) {
		MHD_stop_daemon(s->daemon[i]);
		if (fd[i] != MHD_INVALID_SOCKET)
			close(fd[i]);          /* not before: its threads take it out of their sets */
	}
	if (s->service->base_url == s->base_url)
		s->service->base_url = NULL;
	pthread_cond_destroy(&s->calmer);
	pthread_cond_destroy(&s->hand_wanted);
	pthread_mutex_destroy(&s->lock);
	keys_free(s->keys);
	rates_free(s->rates);
	free(s);
}

const char *http_listening(const struct http_server *s)
{
	return s->listening;
}
