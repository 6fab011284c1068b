/* microsoft.h -- a mailbox at Microsoft 365 or Outlook.com, through Microsoft Graph (facts M A.3-A.8, B, E.2).
 *
 * microsoft_open_step(): what was brought to sign in with; where it has run out, or Graph refuses it, a fresh token for it, once; whose
 * account it is. A code is redeemed first, once, and a device waited for. While the authority is asked Graph's line is opened beside
 * that. The id_token that came with a code is checked beside the question to Graph (microsoft_identity.h). An account that is not the
 * one asked for ends it there, and so does an id_token that is not believed.
 * microsoft_look_step(): inbox, folders, calendar and the address that mail leaves under, all in one batch; nothing is written.
 * microsoft_send_step(): one message; the server keeps its copy in Sent Items.
 * microsoft_tenant_step(): without credentials, whether Microsoft knows an organisation of that domain; only the domain is said.
 * microsoft_ask_step(): one question to Graph, for who watches: the grant is renewed ahead of its end, and once where it is refused.
 *
 * A fresh grant is in the safe before anything is done with it (NULL: there is none to keep it in). Where somebody else has put a newer
 * one there meanwhile, that one counts. Whether the answer to a refresh was lost or could not be kept: what was granted before is still
 * in the safe, and is tried again.
 *
 * The refresh token and the client secret go to the authority alone, access tokens to Graph alone, both over verified lines. Links to
 * further pages are not followed. What passes soon (429, 503, 504 that say when) is waited for and asked again, once.
 * On terms for a whole organisation nobody signs in: a token for the app itself is asked for at that organisation's own authority, again
 * ahead of its end, and the mailbox is named in every path (facts M A.7). A certificate is shown wherever a secret would be.
 * A shared mailbox is opened by a delegate (facts M B.1, B.9): who signed in is compared with that one, and the mailbox is named in every
 * path but the one that asks who it is. Where both turn out to be one account's addresses it is its own mailbox after all.
 * What may not be asked on its terms is not asked: nothing of mail for the calendar alone.
 * Records entra.grant, .resolve, .connect, .tls, .token, .identity, .tenant, .scopes; microsoft.resolve, .connect, .tls, .account; .inbox,
 * .folders, .calendar, .sender; .send; .watch.
 * Stops with the faults of web.h, and FAULT_REFUSED, FAULT_BUSY, FAULT_NOT_OFFERED, FAULT_BROKEN; FAULT_LOCAL: a fresh grant was not kept.
 */
#ifndef PROVIDER_MICROSOFT_H
#define PROVIDER_MICROSOFT_H

#include "model/app.h"
#include "model/mailaddress.h"
#include "model/terms.h"
#include "provider/microsoft_identity.h"
#include "provider/oauth.h"
#include "provider/web.h"
#include "wire/graph.h"
#include "wire/oauth.h"

struct microsoft_device;

struct microsoft_session {
	/* in */
	struct report              *report;
	const struct microsoft_app *app;
	const struct oauth_safe *safe;          /* NULL: a fresh grant is not kept anywhere */
	const struct mail_address  *address;
	struct waits                waits;
	int                         attempt;
	const struct oauth_code *code;          /* set after init: redeemed in the place of a grant that is known already; NULL */
	struct microsoft_keys      *keys;           /* likewise: what authorities publish, held from sign-in to sign-in; NULL: not held */
	struct terms                terms;          /* set after init, where they are others */
	const char                 *delegate;       /* likewise: the address of who signs in for this mailbox; NULL: its own */
	struct microsoft_device    *device;         /* likewise: a person signs in on another screen (microsoft_device.h); NULL */
	struct slice                message;        /* to be sent: RFC 5322, CRLF */
	/* in and out: renewed by a refresh; then its texts are in the report's arena */
	struct oauth_grant      grant;
	/* out */
	bool                        renewed, signed_in, inbox_open, has_calendar, sent;
	bool                        others;         /* who signed in has it as a delegate; set after init for microsoft_ask_step() */
	bool                        at_authority;   /* it is the authority that is asked, or failed: nothing is known of Graph */
	bool                        no_mailbox;     /* Graph reaches none for this account: it may be elsewhere */
	bool                        not_believed;   /* the id_token that came with the code: nothing of it may be kept */
	struct graph_user           user;
	/* its own */
	struct endpoint             authority, graph;
	struct login                login;
	struct web_session          entra, web;
	struct web_request          request, question;      /* the second one is microsoft_ask_step()'s, and its caller's */
	struct buffer               body;
	struct arena               *job;
	struct graph_reply          reply[4];
	int                         step, reported, pause_ms;
	struct { int step; }        account, token, look, send, tenant, ask;
	struct microsoft_beside    *beside;         /* of a code: its id_token and the account are asked after side by side */
	bool                        again, entra_open, graph_open, tried;
	struct children             early;          /* Graph's line, while the token is asked for */
	struct task                 for_token, for_graph;
};

/* Where a person is sent to sign in: exactly the scopes of those rights, of the Graph of that cloud. `code` has what it is asked
 * with, and none yet. From `into`. */
const char    *microsoft_authorize_url(const struct microsoft_app *, const struct oauth_code *, const struct oauth_departure *,
                                       struct arena *into);
/* Where an administrator of `tenant` (an id or a domain) allows the same for all: facts M A.7. `state` NULL: nobody waits for it. */
const char    *microsoft_consent_url(const struct microsoft_app *, struct terms, const char *tenant, const char *redirect_uri,
                                     const char *state, struct arena *into);
/* What is asked for, without the resource, blanks between: as Microsoft's pages list it. */
const char    *microsoft_scopes(struct terms, struct arena *into);
/* Where the administrators of that cloud work: "https://entra.microsoft.com". */
const char    *microsoft_portal(const struct microsoft_app *, struct arena *into);
/* The host of it. */
const char    *microsoft_authority(const struct microsoft_app *, struct arena *into);

void           microsoft_session_init(struct microsoft_session *, struct report *, const struct microsoft_app *,
                                      const struct mail_address *, const struct oauth_grant *, struct waits, int attempt);
enum want_kind microsoft_open_step(void *self, struct want *, struct error *);
enum want_kind microsoft_look_step(void *self, struct want *, struct error *);      /* after a successful open */
enum want_kind microsoft_send_step(void *self, struct want *, struct error *);      /* likewise, with `message` */
/* A token for the app itself, on terms for a whole organisation, and nothing is done with it. */
enum want_kind microsoft_itself_step(void *self, struct want *, struct error *);    /* likewise                */
/* An organisation of its own, not all that there are. */
bool           microsoft_names_tenant(const struct microsoft_app *);
enum want_kind microsoft_tenant_step(void *self, struct want *, struct error *);    /* instead of them         */
/* To be set before the first step of each: `question`, which goes with the access token, as the step microsoft.watch. WANT_NOTHING:
 * whatever was answered is in web.answer, and that step is for the caller to end. */
enum want_kind microsoft_ask_step(void *self, struct want *, struct error *);
void           microsoft_ask_end(struct microsoft_session *, enum step_state, const struct want *);
/* So long it wants to be left alone, by Retry-After of the last answer; `otherwise` where it does not say. */
int            microsoft_busy_ms(const struct microsoft_session *, int otherwise);
/* Status and words of that answer, as facts of the step under way. */
void           microsoft_answer_facts(struct microsoft_session *);
/* What it is for was found by a look: the inbox, or on terms without mail the calendar. */
bool           microsoft_is_open(const struct microsoft_session *);
/* What was granted, for a session that has not renewed it itself; copied is only the struct. */
void           microsoft_session_take(struct microsoft_session *, const struct oauth_grant *);
void           microsoft_session_release(struct microsoft_session *);

/* -- for the other ways to a grant -- */

/* A step of the report, that the web session writes into as well; microsoft_ask_end() ends it. */
void                microsoft_begin(struct microsoft_session *, const char *id, const struct want *);
/* Ends the step under way and says so: always WANT_FAILED. */
enum want_kind      microsoft_failed(struct microsoft_session *, enum fault, const struct want *, struct error *, const char *what);
/* What a token endpoint refused, as facts of that step; what it granted, into the session: its texts live as long as the report. */
void                microsoft_refusal(struct microsoft_session *, const struct oauth_answer *);
void                microsoft_granted(struct microsoft_session *, const struct oauth_answer *, const struct want *);
/* "/common/oauth2/v2.0/token", of that tenant; what is asked for, blanks between; as whom. */
const char         *microsoft_authority_path(struct microsoft_session *, const char *endpoint);
const char         *microsoft_asked_scopes(const struct microsoft_session *, struct arena *into);
struct oauth_client microsoft_client(struct microsoft_session *, const struct want *);

/* -- for others that go on talking on an open session -- */

/* Of that mailbox: "/me/calendar" of "/calendar", or "/users/…" where nobody signed in, or a delegate; below the version root, and with it. */
const char    *microsoft_path(const struct microsoft_session *, const char *rest, struct arena *into);
const char    *microsoft_target(const struct microsoft_session *, const char *rest, struct arena *into);

/* One question; `target` must live until its answer is there. web_ask_step() on `web` brings that. */
void           microsoft_get(struct microsoft_session *, const char *target);
void           microsoft_batch(struct microsoft_session *, const struct graph_question *, size_t count);

#endif
