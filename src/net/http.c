/* HTTP by libcurl, driven by our loop. curl is told where to connect and may go nowhere else; whom to trust is decided
 * by tls_verify.c. Everything it would read by itself (proxies, .netrc, CA bundles) is switched off. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/loop.h"

#define HEAD_MOST ((size_t)64 * 1024)
#define BODY_MOST ((size_t)1024 * 1024)
#define KEPT_MOST 64L      /* connections that nobody uses at the moment */

struct curl_side {
	CURLM        *multi;
	struct event *timer;
	struct net   *net;
};

struct fetching {
	struct wait          wait;
	struct net          *net;
	struct http_answer  *answer;
	struct tls_witness  *witness;
	struct tls_answer    unasked;        /* where the handshake is written down when nobody wants to know */
	struct sockaddr_storage only;        /* the checked address: no socket is made for any other         */
	socklen_t            only_len;
	CURL                *easy;
	CURLU               *url;
	struct curl_slist   *headers, *connect_to;
	bool                 head_over, full;
	char                 error[CURL_ERROR_SIZE];
};

/* -- curl's sockets and its clock on our loop --------------------------------------------------------------------- */

static void finish_done(struct curl_side *);

static void curl_turn(struct curl_side *c, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(c->multi, fd, what, &running);
	finish_done(c);
}

static void on_socket(evutil_socket_t fd, short what, void *self)
{
	curl_turn(self, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *self)
{
	(void)fd, (void)what;
	curl_turn(self, CURL_SOCKET_TIMEOUT, 0);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known)
{
	struct curl_side *c = self;
	struct event     *event = known;
	short             events = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		events |= what & CURL_POLL_IN ? EV_READ : 0;
		events |= what & CURL_POLL_OUT ? EV_WRITE : 0;
		event = event_new(c->net->base, fd, events, on_socket, c);
		event_add(event, NULL);
	}
	curl_multi_assign(c->multi, fd, event);
	return 0;
}

static int watch_clock(CURLM *multi, long ms, void *self)
{
	struct curl_side *c = self;

	(void)multi;
	if (ms < 0)
		evtimer_del(c->timer);
	else
		net_alarm(c->timer, ms);
	return 0;
}

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct curl_side *curl_side(struct net *n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct curl_side     *c = n->curl;

	if (c)
		return c;
	pthread_once(&once, init_curl);
	c = must_alloc(sizeof *c);
	c->net = n;
	c->multi = curl_multi_init();
	c->timer = evtimer_new(n->base, on_timer, c);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, watch_clock);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, KEPT_MOST);
	n->curl = c;
	return c;
}

void curl_side_free(struct curl_side *c)
{
	if (!c)
		return;
	curl_multi_cleanup(c->multi);
	event_free(c->timer);
	free(c);
}

/* -- the answer --------------------------------------------------------------------------------------------------- */

static enum came http_stop(struct wait *w, enum came came)
{
	struct fetching *f = (struct fetching *)w;
	long             status = 0;

	if (f->easy) {
		curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
		curl_multi_remove_handle(f->net->curl->multi, f->easy);
		curl_easy_cleanup(f->easy);
	}
	f->answer->status = status >= 200 && status <= 999 ? (int)status : 0;
	/* The connection may be kept, and with it the witness. */
	f->witness->answer = NULL;
	f->witness->host = NULL;
	tls_witness_release(f->witness);
	curl_url_cleanup(f->url);
	curl_slist_free_all(f->headers);
	curl_slist_free_all(f->connect_to);
	free(f);
	return came;
}

static void over(struct fetching *f, enum came came)
{
	struct runner *r = f->wait.runner;

	http_stop(&f->wait, came);
	runner_answer(r, came);
}

static void give_reason(struct fetching *f, const char *words)
{
	snprintf(f->answer->reason, sizeof f->answer->reason, "%.*s", (int)sizeof f->answer->reason - 1, words);
}

/* "error:0A00010B:SSL routines::wrong version number": the words of OpenSSL stand last. */
static void give_tls_reason(struct fetching *f)
{
	const char *words = f->error, *next;

	while ((next = strstr(words, "::")))
		words = next + 2;
	tls_reason(f->witness->answer, words);
}

static enum came came_of_tls(struct fetching *f, int error)
{
	if (f->witness->answer->flaws == 0 && f->witness->answer->alert < 0) {
		if (error == ECONNRESET || error == EPIPE)
			return CAME_RESET;
		if (strstr(f->error, "SSL_ERROR_SYSCALL") || strstr(f->error, "unexpected eof"))
			return CAME_END;
	}
	give_tls_reason(f);
	return CAME_TLS_FAILED;
}

static enum came came_of_curl(struct fetching *f, CURLcode code)
{
	long error = 0;

	curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &error);
	switch (code) {
	case CURLE_OK:                       return CAME;
	case CURLE_OPERATION_TIMEDOUT:       return CAME_TIMEOUT;
	case CURLE_COULDNT_CONNECT:          return error ? came_of_errno((int)error) : CAME_FAILED;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:             return CAME_END;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:               return f->witness->answer->alert >= 0 ? came_of_tls(f, 0) : CAME_RESET;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_USE_SSL_FAILED:
	case CURLE_PEER_FAILED_VERIFICATION: return came_of_tls(f, (int)error);
	default:                             return CAME_FAILED;
	}
}

/* Over a kept connection nobody shook hands: what is known of the peer is that he was verified then. */
static void note_kept_connection(struct fetching *f)
{
	long made = 1;

	curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &made);
	if (made == 0 && f->witness->trust) {
		f->witness->answer->by = tls_own_by_before(f->witness->own);
		f->witness->answer->shook = f->witness->answer->resumed = true;
		snprintf(f->witness->answer->verify, sizeof f->witness->answer->verify, "ok");
	}
}

static enum came judge(struct fetching *f, CURLcode code)
{
	long      status = 0;
	enum came came;

	note_kept_connection(f);
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	came = f->full ? CAME_FULL : came_of_curl(f, code);
	if (came == CAME && status >= 200)
		return CAME;
	if (came == CAME) {
		give_reason(f, "no final answer");
		return CAME_FAILED;
	}
	give_reason(f, f->full ? "longer than we agreed to hold" : f->error[0] ? f->error : curl_easy_strerror(code));
	/* A refusal is told by its status, and servers often close before we have sent or heard all of it. A success
	 * that is cut short is none. */
	if (!f->full && f->head_over && status >= 300)
		return CAME;
	return came;
}

static void finish_done(struct curl_side *c)
{
	CURLMsg *message;
	int      left;

	while ((message = curl_multi_info_read(c->multi, &left))) {
		struct fetching *f = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&f);
		over(f, judge(f, message->data.result));
	}
}

static size_t keep(struct fetching *f, struct buffer *b, struct slice bytes)
{
	size_t room = b->limit - buffer_held(b).len;

	if (bytes.len > room) {
		f->full = true;
		bytes.len = room;
	}
	buffer_add(b, bytes);
	return f->full ? 0 : bytes.len;
}

static size_t on_header(char *at, size_t size, size_t count, void *self)
{
	struct fetching *f = self;
	struct slice     line = slice(at, size * count);

	if (slice_starts(line, "HTTP/") && slice_find(line, ' ') < slice_find(line, ':')) {
		buffer_clear(&f->answer->head);      /* after a 100 or a 103 comes the real one */
		f->head_over = false;
	} else if (slice_trim(line).len == 0) {
		f->head_over = true;
	} else if (!f->head_over) {                  /* trailers are not wanted */
		return keep(f, &f->answer->head, line);
	}
	return line.len;
}

static size_t on_body(char *at, size_t size, size_t count, void *self)
{
	struct fetching *f = self;

	return keep(f, &f->answer->body, slice(at, size * count));
}

/* -- the request -------------------------------------------------------------------------------------------------- */

/* Whatever curl may have made of the URL: it connects to the checked address or not at all. */
static curl_socket_t only_there(void *self, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetching *f = self;

	if (purpose != CURLSOCKTYPE_IPCXN || to->addrlen != f->only_len || memcmp(&to->addr, &f->only,
		f->only_len) != 0)
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Before the first byte of a request: a connection that was kept leads where this one is to go, too. */
static int still_there(void *self, char *ip, char *our_ip, int port, int our_port)
{
	struct fetching        *f = self;
	struct address          a;
	struct sockaddr_storage to;

	(void)our_ip, (void)our_port;
	if (address_parse(ip, &a) && address_to_socket(&a, (uint16_t)port, &to) == f->only_len && memcmp(&to, &f->only, f->only_len) == 0)
		return CURL_PREREQFUNC_OK;
	return CURL_PREREQFUNC_ABORT;
}

static CURLcode our_trust(CURL *easy, void *ssl_ctx, void *self)
{
	struct fetching *f = self;

	(void)easy;
	return tls_lend(f->witness, ssl_ctx) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static bool add_header(struct fetching *f, const char *line)
{
	struct curl_slist *longer = strpbrk(line, "\r\n") ? NULL : curl_slist_append(f->headers, line);

	if (longer)
		f->headers = longer;
	return longer != NULL;
}

static bool add_headers(struct fetching *f, const struct http_request *q)
{
	bool typed = false;

	for (size_t i = 0; i < COUNT(q->headers) && q->headers[i]; i++) {
		if (!add_header(f, q->headers[i]))
			return false;
		typed |= strncasecmp(q->headers[i], "Content-Type:", 13) == 0;
	}
	/* curl would add these on its own account. */
	return add_header(f, "Expect:") && (typed || add_header(f, "Content-Type:"));
}

/* The URL is read once, by curl, and must mean the host that the address was checked for. */
static bool url_is_for(CURLU *url, const struct http_request *q)
{
	char *host = NULL, *port = NULL, *scheme = NULL;
	bool  same;

	if (!url || curl_url_set(url, CURLUPART_URL, q->url, CURLU_DISALLOW_USER) != CURLUE_OK)
		return false;
	same = curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && host_equal(host, q->host)
	    && curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK && atoi(port) == q->port
	    && curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
	    && (strcasecmp(scheme, "https") == 0 || strcasecmp(scheme, "http") == 0);
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
	return same;
}

static void lead_to(struct fetching *f, const struct address *a, uint16_t port)
{
	char text[ADDRESS_TEXT], line[ADDRESS_TEXT + 16];

	/* With host and port left empty it holds for any: there is no second way to be looked up. */
	snprintf(line, sizeof line, a->family == 6 ? "::[%s]:%u" : "::%s:%u", address_text(a, text), port);
	f->connect_to = curl_slist_append(NULL, line);
	f->only_len = address_to_socket(a, port, &f->only);
}

static void set_method(CURL *e, const struct http_request *q)
{
	bool carries = q->body.len > 0 || strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0;

	if (strcmp(q->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	if (carries) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.len ? q->body.at : "");
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_answer(CURL *e, struct fetching *f)
{
	curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
}

static void set_bounds(CURL *e, struct fetching *f, bool may_keep)
{
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, may_keep ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, may_keep ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_CONNECT_TO, f->connect_to);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, only_there);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, still_there);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, f);
}

/* curl's verdict is none of ours, but it keeps apart what differs here: a kept connection serves only requests of the same trust. */
static void set_own_trust(CURL *e, const struct fetching *f, const struct own_trust *trust)
{
	struct curl_blob ca = { .flags = CURL_BLOB_COPY };
	char             pin[TLS_PIN_FOR_CURL];

	if (!f->witness->own)
		return;
	if (trust->ca_pem) {
		ca.data = (void *)(uintptr_t)trust->ca_pem;
		ca.len = strlen(trust->ca_pem);
		curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
	}
	if (tls_own_pin_for_curl(f->witness->own, pin)) {
		curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, pin);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);      /* the key decides, not the name beside it */
	}
}

static void set_trust(CURL *e, struct fetching *f)
{
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, our_trust);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, f);
}

static void reset_answer(struct http_answer *a)
{
	if (a->head.limit == 0)
		buffer_init(&a->head, HEAD_MOST);
	if (a->body.limit == 0)
		buffer_init(&a->body, BODY_MOST);
	buffer_clear(&a->head);
	buffer_clear(&a->body);
	a->status = 0;
	a->reason[0] = '\0';
	if (a->tls)
		*a->tls = (struct tls_answer){ .alert = -1 };
}

/* Why it cannot even begin, or NULL. */
static const char *prepare(struct fetching *f, const struct http_request *q, enum came *came)
{
	const struct net_place *place = net_place_of(f->net, q->host, q->port);
	struct error            err = { 0 };

	*came = CAME_FAILED;
	f->url = curl_url();
	if (!url_is_for(f->url, q))
		return "the URL is not one of the host it was resolved for";
	if (!add_headers(f, q))
		return "a header that is none";
	if (!place && q->address.family == 0)
		return "no address";
	if (!place && !net_allows(f->net, &q->address)) {
		*came = CAME_NOT_ALLOWED;
		return "an address of a private network, which is not allowed";
	}
	lead_to(f, place ? &place->address : &q->address, place ? place->to_port : q->port);
	if (strncasecmp(q->url, "https:", 6) == 0) {
		f->witness->trust = net_trust(f->net, &err);
		if (!f->witness->trust || !tls_own_of(f->witness->trust, q->trust, &f->witness->own, &err))
			return "no TLS here";
	}
	return NULL;
}

void http_begin(struct runner *r)
{
	const struct http_request *q = r->want.request;
	struct fetching           *f = must_alloc(sizeof *f);
	struct curl_side          *c = curl_side(r->net);
	const char                *why;
	enum came                  came;

	reset_answer(r->want.http);
	f->net = r->net;
	f->answer = r->want.http;
	f->unasked.alert = -1;
	f->witness = tls_witness_new(f->answer->tls ? f->answer->tls : &f->unasked);
	f->witness->host = q->host;
	f->witness->refuse = true;
	runner_waits_for(r, &f->wait, http_stop);
	why = prepare(f, q, &came);
	if (why) {
		give_reason(f, why);
		return over(f, came);
	}
	f->easy = curl_easy_init();
	if (!f->easy)
		return over(f, CAME_FAILED);
	curl_easy_setopt(f->easy, CURLOPT_CURLU, f->url);
	curl_easy_setopt(f->easy, CURLOPT_USERAGENT, r->net->user_agent);
	curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
	set_method(f->easy, q);
	set_answer(f->easy, f);
	set_bounds(f->easy, f, q->keep);
	set_trust(f->easy, f);
	set_own_trust(f->easy, f, q->trust);
	curl_multi_add_handle(c->multi, f->easy);
}
