/* web.h -- a line of one mailbox's own to a web service: HTTP/1.1, one request after another, and the sign-in that belongs to it.
 *
 * Conversations over one struct. web_open_step(): reach (look up, connect, TLS), with its steps in the report. web_ask_step(): one
 * request and its whole answer; where the server has closed the line meanwhile it is opened again, and signed in to again, and
 * what had no answer is asked once more. Nothing is ever followed: a redirect is an answer like another.
 *
 * Credentials go over a verified line to a trusted endpoint and nowhere else, and only after web_choose() has picked a
 * scheme out of what that very server offered. NTLM signs the connection in (MS-NTHT): nobody else's request is ever sent over it.
 * Kerberos does so where the server wants no more, and is begun anew where it asks again; whatever goes well is taken from a server
 * only that has proven itself to Kerberos too.
 * A refusal is counted by the caller, who knows which answer is one.
 *
 * Stops with FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS, FAULT_BROKEN (no HTTP; the report says how), FAULT_TOO_BIG (a body over its
 * limit), FAULT_LOCAL (no NTLM on this machine), FAULT_REFUSED (no ticket), FAULT_CANCELLED and those of reach.h.
 */
#ifndef PROVIDER_WEB_H
#define PROVIDER_WEB_H

#include "provider/login.h"
#include "provider/negotiate.h"
#include "provider/reach.h"
#include "wire/challenge.h"
#include "wire/digest.h"
#include "wire/http_reader.h"
#include "wire/ntlm.h"

#define WEB_BODY    ((size_t)1024 * 1024)      /* of an answer that is kept whole             */
#define WEB_HEADERS 8

struct web_request {
	const char  *method, *target;         /* "POST" "/EWS/Exchange.asmx"                             */
	const char  *agent;                   /* User-Agent; NULL: ours                                  */
	const char  *header[WEB_HEADERS];     /* "Content-Type: text/xml; charset=utf-8"; NULL ends      */
	struct slice body;                    /* the caller's, until the answer is there                 */
	bool         anonymous;               /* without credentials, whatever was chosen                */
	bool         hushed;                  /* what is said and answered holds secrets: only over a verified line to a trusted
	                                         endpoint, and nothing of either into a record                               */
	bool         once;                    /* never said twice, even where a kept line broke before any answer: it may have been done */
};

struct web_answer {
	int           status;                 /* 0: none came                                            */
	char          reason[160];
	struct buffer fields, body;
	bool          encoded;                /* in a way that nobody asked for: the body is not to be read */
	/* Where the body of what went well (2xx) goes instead of `body`, as it comes; false stops it. What does not go well is short, and
	 * kept. May be NULL. */
	bool        (*piece)(void *, struct slice, struct error *);
	void         *taker;
	/* Of a body that never ends by itself: web_ask_step() is over with the head of a 200, and its caller reads the rest out of
	 * `line` by `reader`. */
	bool          head_only;
};

enum web_scheme { WEB_NONE, WEB_BASIC, WEB_NTLM, WEB_BEARER, WEB_KERBEROS, WEB_DIGEST };

struct web_session {
	/* in */
	struct report         *report;
	const struct endpoint *endpoint;
	const struct login    *login;
	const char            *prefix;            /* of the steps: "exchange"                              */
	struct waits           waits;
	enum tls_how           how;
	int                    attempt;
	int                    reported;          /* the step under way, where what stops it is written    */
	/* out */
	enum web_scheme        scheme;
	struct ntlm_challenge  challenge;         /* of the last NTLM sign-in; texts in the report's arena  */
	bool                   challenged;
	bool                   asked;             /* credentials were sent                                  */
	bool                   last_leg;          /* the answer is to credentials, not to the way there     */
	struct web_answer      answer;
	/* its own */
	struct line            line;
	struct reach          *reach;             /* NULL once an answer came over the line                 */
	struct report         *aside;             /* of a line that is opened again: not worth a word when it works */
	struct arena          *job;               /* what is said once, wiped on release                    */
	struct http_reader     reader;
	const struct web_request *request;
	unsigned char          end_point[64];     /* of the server's certificate (RFC 5929)                 */
	size_t                 end_point_len;
	struct digest          digest;            /* texts in the report's arena */
	int                    step;
	struct { int step; }   leg;
	bool                   signed_in;         /* this line                                              */
	bool                   used;              /* an answer came over it before                          */
	bool                   heard;             /* something of the answer under way came                 */
	bool                   reaching, retried, taken, in_leg, proving, going_on, renewed;
	bool                   each_time;         /* that server wants the sign-in of Kerberos with each request */
	struct negotiate       kerberos;
	struct buffer          negotiate;         /* as it was said: the last message is sealed over it     */
	char                  *type3;             /* ready for the wire: the last message of NTLM           */
};

void           web_session_init(struct web_session *, struct report *, const struct endpoint *, const struct login *, const char *prefix,
                                struct waits, int attempt);
void           web_session_release(struct web_session *);      /* closes, wipes */
/* The line stands, and all else is given back: the report may go. After it only the line and `reader` are there, and release. */
void           web_session_park(struct web_session *);
enum want_kind web_open_step(void *self, struct want *, struct error *);

/* The best scheme that both sides have: with tickets Kerberos, with a token Bearer, with a password NTLM, and Basic only where there is
 * nothing better.
 * WEB_NONE when there is none. */
enum web_scheme web_choose(struct web_session *, const struct challenges *);
/* Digest, which only some services are known to mean; with a password, and where it can be answered. */
bool            web_choose_digest(struct web_session *, const struct challenges *);
const char     *web_scheme_name(enum web_scheme);             /* "Basic" "NTLM" "Bearer" "Kerberos" "Digest" */

/* NTLM only, before the first request with credentials: what the server calls itself and its domain. WANT_NOTHING with `challenged`
 * false: what came is in `answer`, and is no challenge. */
enum want_kind web_challenge_step(void *self, struct want *, struct error *);

/* To be set before the first step of each: what is asked. */
void           web_ask(struct web_session *, const struct web_request *);
enum want_kind web_ask_step(void *self, struct want *, struct error *);

/* So long the last answer wants to be left alone (Retry-After), an hour at most; a second where it does not say. */
int            web_pause_ms(const struct web_session *);
/* A field of the last answer. */
bool           web_field(const struct web_session *, const char *name, struct slice *out);

#endif
