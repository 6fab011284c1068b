/* google.h -- a mailbox at Gmail or Google Workspace, through Gmail's and Calendar's interfaces (facts G A-C).
 *
 * google_open_step(): what was brought to sign in with; where it has run out, or Gmail refuses it, a fresh token for it, once; whose
 * mailbox it is. Where that is not the address asked for, or Gmail does not say, Google is asked whose account it is. An account that is
 * not the one asked for ends it there.
 * google_look_step(): labels and the addresses that mail may leave under, and the calendars beside that; nothing is written.
 * google_send_step(): one message; Gmail keeps its copy.
 *
 * The refresh token and the client secret go to Google's token endpoint alone, access tokens to Gmail, Calendar and the user information
 * alone, all over verified lines. A refresh takes nothing away from what was granted before (facts G A.3): an answer that is lost costs
 * nothing. Links to further pages are not followed. What passes soon (429, 503, 504) is waited for and asked again, once.
 * Records google.grant, google.auth.resolve, .connect, .tls, google.token; google.resolve, .connect, .tls, .mailbox, .labels, .sender,
 * .send; google.account (its line: google.account.resolve …), google.scopes; google.calendar (its line: google.calendar.resolve …).
 * Stops with the faults of web.h, and FAULT_REFUSED, FAULT_BUSY, FAULT_BROKEN.
 */
#ifndef PROVIDER_GOOGLE_H
#define PROVIDER_GOOGLE_H

#include "model/app.h"
#include "model/mailaddress.h"
#include "provider/oauth.h"
#include "provider/web.h"
#include "wire/google.h"

enum google_place { GOOGLE_AUTH, GOOGLE_ACCOUNT, GOOGLE_MAIL, GOOGLE_CALENDAR, GOOGLE_PLACES };

/* One question at a time at one place, over a line of its own. */
struct google_line {
	struct endpoint    endpoint;
	struct web_session web;
	struct web_request request;
	const char        *id;                      /* of the step that the question is */
	int                step, reported, pause_ms;
	bool               open, again;
};

struct google_session {
	/* in */
	struct report             *report;
	const struct google_app   *app;
	const struct mail_address *address;
	struct waits               waits;
	int                        attempt;
	struct slice               message;         /* to be sent: RFC 5322, CRLF */
	/* in and out: renewed by a refresh; then its texts are in the report's arena */
	struct oauth_grant        grant;
	/* out */
	bool                       renewed, signed_in, mailbox_open, has_calendar, sent;
	bool                       api_off;         /* Gmail's interface is not switched on for our registration: IMAP may answer */
	struct google_account      account;         /* where Google was asked whose it is */
	struct google_profile      profile;
	/* its own */
	struct login               login;
	struct google_line         line[GOOGLE_PLACES];
	struct google_senders     *senders;         /* NULL: not asked yet */
	struct task                task[2];
	struct children            children;
	struct buffer              body;
	struct arena              *job;
	int                        step, status;    /* of HTTP, to the question for the mailbox */
	struct { int step; }       token, look, mail, send;
};

void           google_session_init(struct google_session *, struct report *, const struct google_app *, const struct mail_address *,
                                   const struct oauth_grant *, struct waits, int attempt);
enum want_kind google_open_step(void *self, struct want *, struct error *);
enum want_kind google_look_step(void *self, struct want *, struct error *);      /* after a successful open */
enum want_kind google_send_step(void *self, struct want *, struct error *);      /* likewise, with `message` */
void           google_session_release(struct google_session *);

/* -- for others that go on talking to Gmail on an open session -- */

/* `path` behind the mailbox ("/messages/1/trash"); it must live until the answer is there. web_ask_step() on google_web() brings that. */
void                google_ask(struct google_session *, const char *method, const char *path);
struct web_session *google_web(struct google_session *);

#endif
