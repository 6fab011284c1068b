/* microsoft.h -- a mailbox at Microsoft 365 or Outlook.com, through Microsoft Graph (facts M A.3-A.8, B, E.2).
 *
 * microsoft_open_step(): what was brought to sign in with; where it has run out, or Graph refuses it, a fresh token for it, once; whose
 * account it is. A code is redeemed first, once. An account that is not the one asked for ends it there.
 * microsoft_look_step(): inbox, folders, calendar and the address that mail leaves under, all in one batch; nothing is written.
 * microsoft_send_step(): one message; the server keeps its copy in Sent Items.
 * microsoft_tenant_step(): without credentials, whether Microsoft knows an organisation of that domain; only the domain is said.
 *
 * The refresh token and the client secret go to the authority alone, access tokens to Graph alone, both over verified lines. Links to
 * further pages are not followed. What passes soon (429, 503, 504 that say when) is waited for and asked again, once.
 * Records entra.grant, .resolve, .connect, .tls, .token, .tenant, .scopes; microsoft.resolve, .connect, .tls, .account; .inbox,
 * .folders, .calendar, .sender; .send.
 * Stops with the faults of web.h, and FAULT_REFUSED, FAULT_BUSY, FAULT_NOT_OFFERED, FAULT_BROKEN.
 */
#ifndef PROVIDER_MICROSOFT_H
#define PROVIDER_MICROSOFT_H

#include "model/app.h"
#include "model/mailaddress.h"
#include "provider/web.h"
#include "wire/graph.h"
#include "wire/oauth.h"

struct microsoft_grant {
	const char *access_token, *refresh_token;   /* NULL: none */
	const char *scope;                          /* NULL: not told */
	int64_t     expires_at;                     /* Unix seconds; 0: not known */
};

/* What the sign-in page sent back with a person, and what it was asked with. */
struct microsoft_code {
	const char *code, *verifier, *redirect_uri;
};

struct microsoft_session {
	/* in */
	struct report              *report;
	const struct microsoft_app *app;
	const struct mail_address  *address;
	struct waits                waits;
	int                         attempt;
	const struct microsoft_code *code;          /* set after init: redeemed in the place of a grant that is known already; NULL */
	struct slice                message;        /* to be sent: RFC 5322, CRLF */
	/* in and out: renewed by a refresh; then its texts are in the report's arena */
	struct microsoft_grant      grant;
	/* out */
	bool                        renewed, signed_in, inbox_open, has_calendar, sent;
	bool                        no_mailbox;     /* Graph reaches none for this account: it may be elsewhere */
	struct graph_user           user;
	/* its own */
	struct endpoint             authority, graph;
	struct login                login;
	struct web_session          entra, web;
	struct web_request          request;
	struct buffer               body;
	struct arena               *job;
	struct graph_reply          reply[4];
	int                         step, reported, pause_ms;
	struct { int step; }        token, look, send, tenant;
	bool                        again, entra_open, graph_open;
};

/* Where a person is sent to sign in: exactly the scopes that connecting needs, of the Graph of that cloud. `login_hint`: whose account it
 * shall be; NULL: the person picks one. `code` has what it is asked with, and none yet. From `into`. */
const char    *microsoft_authorize_url(const struct microsoft_app *, const struct microsoft_code *, const char *state,
                                       const char *login_hint, struct arena *into);
/* The host of it. */
const char    *microsoft_authority(const struct microsoft_app *, struct arena *into);

void           microsoft_session_init(struct microsoft_session *, struct report *, const struct microsoft_app *,
                                      const struct mail_address *, const struct microsoft_grant *, struct waits, int attempt);
enum want_kind microsoft_open_step(void *self, struct want *, struct error *);
enum want_kind microsoft_look_step(void *self, struct want *, struct error *);      /* after a successful open */
enum want_kind microsoft_send_step(void *self, struct want *, struct error *);      /* likewise, with `message` */
enum want_kind microsoft_tenant_step(void *self, struct want *, struct error *);    /* instead of them         */
void           microsoft_session_release(struct microsoft_session *);

/* -- for others that go on talking on an open session -- */

/* One question; `target` must live until its answer is there, in `web.answer`. What is no 2xx is noted in the step under way and fails. */
void           microsoft_get(struct microsoft_session *, const char *target);
void           microsoft_batch(struct microsoft_session *, const struct graph_question *, size_t count);
enum want_kind microsoft_answer_step(struct microsoft_session *, struct want *, struct error *);

#endif
