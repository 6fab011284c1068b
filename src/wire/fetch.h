/* fetch.h -- one document from one URL, as a conversation: host to addresses, address after address, redirects.
 *
 * Carries no credentials of its own (who adds a header with some has may_follow follow nothing) and follows no redirect from
 * https to http. Each new host is looked up and (by whoever satisfies the want) checked anew. Everything has a bound:
 * redirects, addresses, the body, the whole wait.
 */
#ifndef WIRE_FETCH_H
#define WIRE_FETCH_H

#include "base/want.h"
#include "wire/http.h"
#include "wire/resolve.h"

#define FETCH_REDIRECTS 5
#define FETCH_ADDRESSES 3
#define FETCH_BODY      ((size_t)1024 * 1024)

struct fetch {
	/* in: as fetch_init() sets them, free to be changed before the first step */
	struct http_request request;         /* method, headers, body; the rest is filled in per host            */
	const char         *start_url;
	struct arena       *job;
	int                 wait_ms;         /* the whole                                                        */
	struct tls_answer  *tls;             /* of the last connection, when not NULL                            */
	bool              (*may_follow)(const void *judge, const struct http_url *next);     /* NULL: anywhere   */
	const void         *judge;
	/* out */
	enum dns_outcome    dns;             /* of the last host                                                 */
	enum came           came;            /* how the last request ended; CAME_NOTHING: none was made          */
	const char         *problem;         /* NULL, "no URL", "too many redirects", "redirect to plain http"   */
	struct http_url     url;             /* the last one asked: where the document is from                   */
	int                 redirects;       /* how many were followed                                           */
	struct http_answer  answer;          /* status 0 when none came                                          */
	int                 ms;
	/* its own */
	int                 step;
	int64_t             began;
	size_t              address;
	struct resolve      resolve;
	bool                resolving;
};

void           fetch_init(struct fetch *, struct arena *job, const char *method, const char *url, int wait_ms,
                          size_t body_limit);
/* WANT_NOTHING whatever the outcome; WANT_FAILED only when called off. */
enum want_kind fetch_step(void *self, struct want *, struct error *);
void           fetch_release(struct fetch *);

/* The document is here: status 200 and a body that came to its end. */
bool fetch_has_document(const struct fetch *);

/* One phrase on how it ended, for facts: "200", "404", "nxdomain", "timeout", "too many redirects"; from the arena. */
const char *fetch_result(const struct fetch *);

#endif
