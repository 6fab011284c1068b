/* http.h -- the daemon's web server: requests in, answers out, and what guards them. libmicrohttpd stays behind it.
 *
 * A handler runs on one of the server's own threads with the whole request at hand. That of a GET does not wait, unless it is behind
 * GUARD_LINK; any other may wait for the store's commit, not for a mail server: see http_wake(). Before a handler is called the server
 * has checked: method and path (404, 405 with Allow), the size of the body (413) and its type (415), the key and its scopes for routes
 * that want one (401, 403), the CSRF token and Origin for forms (403), the rate of this client (429). Every answer carries the security
 * headers; an error under /v1 is an RFC 9457 problem.
 * Everything a client can make us hold is bounded: connections in all and for each address, time for a request to be complete,
 * head and body. The client's address is the peer's, or that named by X-Forwarded-For when the peer is a trusted proxy.
 */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "base/json.h"
#include "diagnose/catalogue.h"
#include "serve/rate.h"
#include "serve/service.h"

#define HTTP_BODY_MOST  (256 * 1024)
#define HTTP_PARAMS     8

struct exchange {
	/* of the request */
	struct daemon        *service;
	struct arena          *job;                  /* lives as long as the exchange                     */
	const char            *method, *path;
	const char            *param[HTTP_PARAMS];   /* what stood for each {name} of the route, decoded   */
	struct slice           body;
	const char            *client;               /* its address in text                               */
	const struct language *lang;                 /* ?lang=, cookie, Accept-Language, English          */
	bool                   https;                /* as the browser sees it                            */
	const char            *workspace;            /* of the key or link; NULL when the route wants none */
	unsigned               scopes;               /* of the key                                        */
	const char            *key_id;               /* the link's, when a session asks                   */
	bool                   by_session;           /* a page of ours asks, let in by a link             */
	void                  *connection;           /* libmicrohttpd's                                   */
	/* of the answer */
	int                    status;
	const char            *type;                 /* "application/json" unless set                     */
	struct slice           answer;               /* in `job`, or constant                             */
	struct { const char *name, *value; } header[8];
	size_t                 headers;
	bool                   streaming;            /* taken over by events_stream()                     */
	void                 (*finish)(struct exchange *);   /* the answer comes later: see http_wake()   */
	void                  *finisher;
};

enum guard {
	GUARD_NONE,          /* anybody: health, help, assets                              */
	GUARD_KEY,           /* Authorization: Bearer, with all of `scopes`, or a session  */
	GUARD_LINK,          /* anybody who has the link in the path: the handler checks it, and may write down who opened it */
	GUARD_HOOK,          /* another program's call, of any type, and often: the handler finds out whether it proves itself */
	GUARD_FORM,          /* a page's form: CSRF token and same origin; the handler checks the link */
};

struct route {
	const char *method, *path;                   /* "GET", "/v1/accounts/{id}"                         */
	enum guard  guard;
	unsigned    scopes;
	void      (*handle)(struct exchange *);
};

/* Every route there is: a list of tables (of api_*.c, pages_*.c) that ends with NULL; each table ends with a NULL method. It stands in
 * routes.c. A literal part of a path comes before a {name}. HEAD is answered by the route of GET. */
extern const struct route *const http_routes[];

const char *http_query(struct exchange *, const char *name);       /* decoded, NULL when absent          */
const char *http_field(struct exchange *, const char *name);
const char *http_cookie(struct exchange *, const char *name);
const char *http_form(struct exchange *, const char *name);        /* of an urlencoded body              */
/* Of the answer; both live as long as the exchange. A value with a control character in it is left out. */
void        http_set(struct exchange *, const char *header, const char *value);

/* The token that a page's form carries in its hidden field "csrf". It is bound to the browser by the cookie "mm_browser", which is set
 * when it is not there yet: ask for the token before the answer is given. The cookie's value, for links that belong to one browser. */
const char *http_csrf(struct exchange *);
const char *http_browser(struct exchange *);

/* A session: the browser that opened a stored link of kind "settings" or "operator" calls the API without a key, by the cookie
 * "mm_session" that the answer sets. It belongs to that link and that browser (link_open() with token_hash() of http_browser()),
 * ends with the link, and reaches only what its page needs: see the table in http_guard.c. Returned is what the page's script sends
 * as X-CSRF-Token. */
const char *http_session(struct exchange *, const char *kind, const char *link_id, const char *token, int64_t expires);

/* Whether `who` may do something more now: see rate.h. The answer is the handler's. */
bool http_may(struct exchange *, const char *who, struct rate_limit);

void answer_json(struct exchange *, int status, cJSON *owned);                /* deletes it                       */
void answer_text(struct exchange *, int status, const char *type, const char *text);
void answer_redirect(struct exchange *, const char *where);                   /* 303                              */
/* RFC 9457. `kind` is a cause id ("auth.password_rejected") or one of ours ("request.malformed"); `pointer` (JSON pointer to
 * the wrong field) and `who` may be NULL. */
void answer_problem(struct exchange *, int status, const char *kind, const char *title, const char *detail, const char *pointer,
                    const char *who);
void answer_fault(struct exchange *, const struct error *);                   /* what the store said, as 404, 409, 503 …  */

/* A handler that may wait and has begun something elsewhere sets `finish` and returns without an answer. The connection sleeps then, on
 * none of the server's threads, until whoever was asked calls this: once, from any thread, also before the handler has returned, and
 * touches the exchange no more. `finish` gives the answer on one of the server's threads. It is never called off: http_stop() waits for
 * it, so what was begun must be stopped before. */
void http_wake(struct exchange *);

struct http_server;
/* FAULT_LOCAL, FAULT_MALFORMED; listens on [web] listen or the sockets systemd gives. */
struct http_server *http_start(struct daemon *, struct error *err);
void                http_stop(struct http_server *);                 /* takes no more, lets those under way end within 5 s */
const char         *http_listening(const struct http_server *);      /* "127.0.0.1:8325", the port that it really is       */

#endif
