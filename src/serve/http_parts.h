/* http_parts.h -- what the files of the web server share with each other. Nobody else includes it but the API's stream of events, what
 * shows the server's own figures, and tests.
 *
 * http.c         libmicrohttpd: connections and requests, begun, heard, answered, ended
 * http_request.c what is asked: the path, parameters, cookies, forms, the language, the client
 * http_answer.c  what is answered
 * http_guard.c   who may: keys, sessions, forms, rates
 * http_sleep.c   answers that come later: of handlers that wait for a commit, or for whoever calls http_wake()
 * http_watch.c   what time does: slow clients are cut, streams get their heartbeat
 * router.c       which route
 */
#ifndef SERVE_HTTP_PARTS_H
#define SERVE_HTTP_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/address.h"
#include "base/buffer.h"
#include "serve/bus.h"
#include "serve/http.h"
#include "serve/keys.h"
#include "serve/rate.h"

struct MHD_Connection;
struct MHD_Daemon;

#define HTTP_TARGET_MOST   4096          /* of a request's path and query             */
#define HTTP_HEAD_MOST     8192          /* of all header fields                      */
#define HTTP_POOL          (16 * 1024)   /* libmicrohttpd's, for each connection      */
#define HTTP_SOCKETS       8
#define HTTP_PAIRS         64            /* parameters of a query, fields of a form   */
#define HTTP_BUCKETS       256
#define HTTP_HANDS         8             /* handlers that wait at once: so many changes can share a commit */

/* Made smaller by tests. */
struct http_limits {
	unsigned connections, per_address;
	int      request_ms;             /* from the connection or the answer before until a request is complete */
	int      answer_ms;              /* until an answer is taken                  */
	int      heartbeat_ms;
	unsigned streams, streams_per_key;
	struct rate_limit open, wrong;   /* requests without a key; wrong keys; of one client */
	struct rate_limit writes;        /* of one key                                */
	struct rate_limit hooks;         /* calls of another program, of one client   */
};

extern const struct http_limits http_usual;

/* One connection, from accept() to close(). */
struct visit {
	TAILQ_ENTRY(visit) in_bucket;
	struct arena      *job;          /* of one request after the other, which lies in it itself */
	int                fd;
	char               name[13];     /* begins the ids of its requests: dice, thrown once */
	unsigned           requests;
	struct address     peer;
	int64_t            until;        /* monotonic; INT64_MAX while a stream or a handler is at work */
	bool               cut;
	bool               answering;    /* until the answer is taken whole */
};

/* A stream of server-sent events. It is read by libmicrohttpd's threads and woken by the watch. */
struct stream {
	TAILQ_ENTRY(stream)    next;
	struct http_server    *server;
	struct MHD_Connection *connection;
	int                    fd;
	bool                   asleep;       /* suspended; these five under the server's `lock` */
	bool                   poked;        /* woken while it was not asleep: there may be more than it has read */
	bool                   over;
	bool                   beat;         /* a comment is due */
	int64_t                beat_at;
	const char            *workspace, *account, *type, *key_id;      /* from `memory`; account and type may be NULL */
	struct arena          *memory;
	int64_t                seq;          /* the last one sent */
	struct buffer          out;
};

struct http_counts {
	_Atomic int64_t answers[6];          /* by the status' first digit */
	_Atomic int64_t refused_rate, refused_connections, cut;
};

struct key_cache;

struct http_server {
	struct daemon            *service;
	const struct route *const *routes;
	struct http_limits         limits;
	struct MHD_Daemon         *daemon[HTTP_SOCKETS];
	size_t                     daemons;
	char                       listening[ADDRESS_TEXT + 10];
	char                       base_url[ADDRESS_TEXT + 20];      /* where the settings name none */
	bool                  given;               /* its sockets are systemd's, which goes on listening */
	struct address_block       proxy[32];
	size_t                     proxies;
	struct key_cache          *keys;
	struct rates              *rates;
	struct http_counts         counts;

	pthread_mutex_t            lock;         /* over all that follows */
	TAILQ_HEAD(visits, visit)  visit[HTTP_BUCKETS];
	unsigned                   visits;
	TAILQ_HEAD(, stream)       streams;
	unsigned                   stream_count;
	unsigned                   sleepers;     /* requests in hand, or that wait for http_wake() */
	pthread_cond_t             calmer;       /* an answer was given, a stream or a connection has ended */
	bool                       closing;

	STAILQ_HEAD(, request)     handed;       /* that wait for a hand */
	pthread_cond_t             hand_wanted;
	bool                       hands_closed;   /* they take no more    */
	pthread_t                  hand[HTTP_HANDS];
	unsigned                   hands;

	pthread_t                  watch;
	bool                       watching;
	pthread_cond_t             woken;
	bool                       rung;
	struct bus_listener        listener;
};

struct pair {
	const char *name, *value;
};

struct pairs {
	struct pair *item;
	size_t       count;
	bool         read;
};

/* An exchange, and what the server knows of it besides. */
struct request {
	struct exchange     x;
	struct http_server *server;
	struct visit       *visit;
	const struct route *route;               /* NULL: none fits           */
	struct slice        target;              /* as it came, from the job  */
	struct slice        raw_path, raw_query;
	struct pairs        query, form;
	char               *body;                /* HTTP_BODY_MOST at most; wiped and freed at the end */
	size_t              body_len, body_room, heard;
	bool                head_heard, refused, too_big, has_body, complete;
	bool                asleep, woken, in_hand;      /* under the server's lock */
	STAILQ_ENTRY(request) handed;
	char                id[20];
	const char         *browser, *csrf;      /* once asked for            */
	int64_t             began;
	struct stream      *stream;
};

static inline struct request *request_of(struct exchange *x)
{
	return (struct request *)x;              /* its first member */
}

/* -- http.c -- */
struct http_server *http_start_with(struct daemon *, const struct route *const *routes, const struct http_limits *, struct error *err);
/* The guard of the body and the handler. */
void request_run(struct request *);

/* -- http_request.c -- */
/* Decodes %XX (and in forms "+"). False when it is broken or holds a control character other than, in forms, CR, LF and TAB. */
bool percent_decode(struct slice text, bool form, struct arena *into, const char **out);
bool pairs_read(struct slice text, struct arena *into, struct pairs *out);
/* The language that Accept-Language likes best among ours; NULL when none. */
const struct language *language_accepted(const char *header);
/* The address that X-Forwarded-For names when the peer is a proxy of ours: the last that is none. The peer otherwise. */
struct address client_address(const struct address *peer, const char *forwarded, const struct address_block *proxy, size_t proxies);
void request_know_client(struct request *);           /* client, https, lang */

/* -- router.c -- */
enum routed { ROUTED, ROUTED_NOWHERE, ROUTED_OTHER_METHOD, ROUTED_MALFORMED };
/* Fills in route and params; `allow` ("GET, HEAD, POST") for ROUTED_OTHER_METHOD. */
enum routed route_find(const struct route *const *tables, const char *method, struct slice raw_path, struct arena *into,
                       const struct route **out, const char *param[HTTP_PARAMS], const char **allow);

/* -- http_guard.c -- */
struct key_cache *keys_new(void);
void              keys_free(struct key_cache *);
/* Whether this may go on; otherwise the answer is given. The first before the body is heard, the second after. */
bool guard_head(struct request *);
bool guard_body(struct request *);
/* A revoked key opens nothing more, from now on. */
void http_key_revoked(struct exchange *, const char *key_id);
/* Scopes with what they include. */
unsigned scopes_meant(unsigned scopes);

/* -- http_sleep.c -- */
/* The request sleeps until a hand, a thread on which a handler may wait, has called request_run() for it, and until http_wake() when it
 * is to be finished then. False: they take no more. */
bool hands_take(struct request *);
bool hands_start(struct http_server *, struct error *err);
void hands_stop(struct http_server *);               /* once none is in hand */

/* -- http_watch.c -- */
bool watch_start(struct http_server *, struct error *err);
void watch_stop(struct http_server *);
void watch_wake(struct http_server *);
/* watch_wait() waits for such a condition under the server's lock, that long at most. */
void watch_cond_init(pthread_cond_t *);
void watch_wait(struct http_server *, pthread_cond_t *, int ms);
/* Under the server's lock. */
void events_wake(struct stream *);

/* -- api_events.c -- */
/* What a stream says next into its buffer, which is empty; false when it is to end. Without the lock. */
bool events_fetch(struct stream *, bool beat);
/* The exchange becomes a stream behind event `after`. False: there are too many (and the answer is given). */
bool events_stream(struct exchange *, int64_t after, const char *account, const char *type);

#endif
