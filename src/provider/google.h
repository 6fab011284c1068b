/* google.h -- a mailbox at Gmail or Google Workspace, through Gmail's and Calendar's interfaces (facts G A-C).
 *
 * google_open_step(): what was brought to sign in with; a code is redeemed; where a token has run out, or Gmail refuses it, a fresh one for
 * it, once; whose mailbox it is. Where that is not the address asked for, or Gmail does not say, Google is asked whose account it is. An
 * account that is not the one asked for ends it there. On terms without mail Google is asked that at once, and Gmail nothing.
 * google_look_step(): labels and the addresses that mail may leave under, and the calendars beside that; nothing is written.
 * google_send_step(): one message; Gmail keeps its copy.
 *
 * The refresh token and the client secret go to Google's token endpoint alone, access tokens to Gmail, Calendar and the user information
 * alone, all over verified lines. Links to further pages are not followed. What passes soon (429, 503, 504) is waited for and asked again,
 * once.
 *
 * google_ask_step(): one question to Gmail or to Calendar, for who watches: the grant is renewed ahead of its end, and once where it is
 * refused. Nothing is waited for there: a busy server is the watch's affair.
 *
 * On terms for a whole organisation nobody signs in: a service account, to which an administrator has delegated that, asks for a token
 * that is the mailbox's, with a signed assertion, again ahead of its end (facts G A.7).
 *
 * A fresh grant is in the safe before anything is done with it (NULL: there is none to keep it in). Google does not rotate refresh tokens
 * (facts G A.3): a refresh brings an access token, mostly no refresh token, and takes nothing away from what was granted before. So the
 * refresh token that was there stays where the answer brings none; and an answer that is lost, or that could not be kept, or a process that
 * was killed between the two, cost one access token and nothing else: the next turn asks for another with the same refresh token. Where
 * somebody else has put another grant into the safe meanwhile (the person signed in again), that one counts.
 *
 * Records google.grant, google.auth.resolve, .connect, .tls, google.token; google.resolve, .connect, .tls, .mailbox, .labels, .sender,
 * .send, .watch; google.account (its line: google.account.resolve …), google.scopes; google.calendar (its line: google.calendar.resolve …).
 * Stops with the faults of web.h, and FAULT_REFUSED, FAULT_BUSY, FAULT_BROKEN; FAULT_LOCAL: a fresh grant was not kept.
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
	bool               goes_on;                 /* the question belongs to the step under way */
};

struct google_session {
	/* in */
	struct report             *report;
	const struct google_app   *app;
	struct terms               terms;           /* set after init; zero: with all rights                    */
	const struct oauth_code   *code;            /* likewise: to be redeemed instead of a grant; NULL        */
	const struct oauth_safe   *safe;            /* set after init; NULL: a fresh grant is not kept anywhere */
	const struct mail_address *address;
	struct waits               waits;
	int                        attempt;
	bool                       mail_alone;      /* set after init: the calendar's line is not made ready */
	struct slice               message;         /* to be sent: RFC 5322, CRLF */
	/* in and out: renewed by a refresh; then its texts are in the report's arena */
	struct oauth_grant        grant;
	/* out */
	bool                       renewed, signed_in, mailbox_open, has_calendar, sent;
	bool                       lacks;           /* not all that the terms need was granted, or nothing that lasts */
	bool                       at_authority;    /* it is the token endpoint that is asked, or failed: nothing is known of Gmail */
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
	enum google_place          place;           /* where google_ask_step() asks             */
	bool                       tried;           /* the token endpoint did not answer, and what is there is good for a while */
	struct { int step; }       token, look, mail, send, ask, revoke;
};

void           google_session_init(struct google_session *, struct report *, const struct google_app *, const struct mail_address *,
                                   const struct oauth_grant *, struct waits, int attempt);
enum want_kind google_open_step(void *self, struct want *, struct error *);
enum want_kind google_look_step(void *self, struct want *, struct error *);      /* after a successful open */
enum want_kind google_send_step(void *self, struct want *, struct error *);      /* likewise, with `message` */
/* A fresh token where the one that was brought has run out, and nothing is done with it: for who signs in elsewhere with it (Gmail by IMAP,
 * facts G B.6). */
enum want_kind google_renew_step(void *self, struct want *, struct error *);       /* instead of the others */
/* Gives the grant back: the refresh token, or where there is none the access token, and with either all that this registration was granted
 * by that user (facts G A.1). WANT_NOTHING also where Google knows no such grant any more. Records google.revoke. */
enum want_kind google_revoke_step(void *self, struct want *, struct error *);      /* instead of the others */
/* What was granted, for a session that has not renewed it itself; copied is only the struct. */
void           google_session_take(struct google_session *, const struct oauth_grant *);
void           google_session_release(struct google_session *);

/* -- one question at a time, for who watches -- */

/* To be set before the first step of each: GOOGLE_MAIL or GOOGLE_CALENDAR, and a target there that lives until the answer is there; it
 * becomes the step `id`; `goes_on`: it belongs to the step of that name that is under way. */
void               google_question(struct google_session *, enum google_place, const char *id, bool goes_on, const char *target);
/* WANT_NOTHING: whatever was answered is in google_answer(), and the step is for the caller to end. */
enum want_kind     google_ask_step(void *self, struct want *, struct error *);
const struct web_answer *google_answer(const struct google_session *);
void               google_ask_end(struct google_session *, enum step_state, const struct want *);
/* Status and words of that answer, as facts of that step. */
void               google_answer_facts(struct google_session *);
/* Too much is asked: it says so as 429, 503, 504, or as 403 with the reason of a limit (facts G B.5). */
bool               google_is_busy(struct google_session *);
/* So long it wants to be left alone, by Retry-After of the last answer, to an opening as well; `otherwise` where it does not say. */
int                google_busy_ms(const struct google_session *, int otherwise);

/* -- for others that go on talking on an open session -- */

/* `path` behind the mailbox ("/messages/1/trash"); it must live until the answer is there. web_ask_step() on google_web() brings that. */
void                google_ask(struct google_session *, const char *method, const char *path);
struct web_session *google_web(struct google_session *);
/* The same of Calendar, behind its version ("/calendars/primary/events"); the line is line[GOOGLE_CALENDAR]. `body` is JSON, or nothing. */
void                google_ask_calendar(struct google_session *, const char *method, const char *path, struct slice body);
/* What Calendar refused with, as facts of the step under way there. */
void                google_calendar_facts(struct google_session *);

#endif
