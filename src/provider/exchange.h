/* exchange.h -- a session with an Exchange server by its web services (EWS; facts M C.1-C.6, E.1): to the sign-in, the look into the
 * mailbox, and one message.
 *
 * exchange_open_step(): reach; what the server offers to a POST without credentials; what it calls its domain (NTLM); the sign-in, with
 * the first real question. exchange_look_step(): whose mailbox it is, folders, calendar; nothing is written.
 * The first question is one for all that does not depend on its answer: the inbox, the inbox by the mailbox's address, the root of the
 * folders and the calendar, each with an answer of its own, which is judged and reported in its own step. So over a long path the look
 * takes no trip more; only what the first answer leaves open is asked by itself.
 * exchange_send_step(): one message, sent and copied to the folder for sent mail.
 * Credentials as web.h says; none at all for a build that is too old to go on with, and no password for Exchange Online, which
 * takes none. At most one try for each opening: another form of the name is another session's.
 * With `discovers` it is Autodiscover that is asked, which wants the same sign-in: then exchange.autodiscover takes the place of
 * .version and .inbox, and there is no look.
 * Records exchange.resolve, .connect, .tls, .offer, .challenge, .login, .version, .inbox; .mailbox, .folders, .calendar; .send.
 * Stops with the faults of web.h, and FAULT_REFUSED, FAULT_BUSY, FAULT_NOT_OFFERED, FAULT_BROKEN.
 */
#ifndef PROVIDER_EXCHANGE_H
#define PROVIDER_EXCHANGE_H

#include "model/exchange_version.h"
#include "provider/web.h"
#include "wire/autodiscover.h"
#include "wire/ews.h"

#define EXCHANGE_REQUEST ((size_t)512 * 1024)

struct exchange_session {
	/* in */
	struct report         *report;
	const struct endpoint *endpoint;           /* with its path */
	const struct login    *login;
	const char            *address;            /* whose mailbox it is to be                                       */
	bool                   others;             /* by another's name: the mailbox is asked for by its address       */
	bool                   act_as;             /*   and by impersonation                                           */
	bool                   discovers;          /* what is asked is Autodiscover (POX), where the mailbox is        */
	struct waits           waits;
	int                    attempt;
	struct slice           message;            /* to be sent: RFC 5322, CRLF                                       */
	/* out */
	bool                   offers;             /* EWS answers there: a 401 with challenges                         */
	bool                   no_mailbox;         /* signed in, and the server knows of none: it may have moved       */
	bool                   logged_in, refused, asked, inbox_open, has_calendar, sent;
	struct exchange_build  build;              /* major 0: not told                                                */
	const char            *suggests;           /* DOMAIN\user out of the challenge, or NULL                        */
	const char            *primary;            /* the mailbox's primary address, where it was told                 */
	int                    back_off_ms;        /* the server asked for that long; 0                                */
	struct autodiscover_answer where;          /* of Autodiscover: in the report's arena                           */
	/* its own */
	struct web_session     web;
	struct web_request     request;
	struct buffer          soap;               /* of the request under way                                         */
	struct arena          *job;                /* of the answer under way                                          */
	const struct ews_answer *answer;           /* NULL: not SOAP                                                   */
	struct ews_reader     *reader;             /* of an answer that is read as it comes; NULL: none under way      */
	struct ews_listener    listener;
	struct ews_folder      folder[4];
	const char            *schema;
	bool                   asks_root;          /* by itself                                                        */
	int                    step, reported;
	struct { int step; }   look, send, back;
	unsigned               rung, folders;      /* `folders`: below the root; 0: not told                           */
};

void           exchange_session_init(struct exchange_session *, struct report *, const struct endpoint *, const struct login *,
                                     const char *address, struct waits, int attempt);
enum want_kind exchange_open_step(void *self, struct want *, struct error *);
enum want_kind exchange_look_step(void *self, struct want *, struct error *);      /* after a successful open with logged_in */
enum want_kind exchange_send_step(void *self, struct want *, struct error *);      /* likewise, with `message`               */
void           exchange_session_release(struct exchange_session *);
/* As web_session_park(). */
void           exchange_session_park(struct exchange_session *);

/* For who was signed in there before, by that scheme, and asked by that schema: no step before it but these two. Then what is asked
 * first (exchange_ask()) is the sign-in: exchange_back_step() records exchange.resolve, .connect, .tls and .login.
 * `refused` and `asked` as after an opening. */
void           exchange_back(struct exchange_session *, enum web_scheme, const char *schema);
enum want_kind exchange_back_step(void *self, struct want *, struct error *);

/* -- for others that go on talking on an open session (the search for a test message) -- */

/* One question, written into `soap` by the caller with exchange_header(); its answer in `answer`, items to `listener`. */
void           exchange_ask(struct exchange_session *, bool once);
enum want_kind exchange_answer_step(struct exchange_session *, const struct ews_listener *, struct want *, struct error *);
/* Of the question just asked: the answer is read as it comes, however long it is, and only what is heard of it is held; then
 * exchange_answer_step() takes no listener. */
void           exchange_stream(struct exchange_session *, const struct ews_listener *);
/* What was asked for is done; else its words are in the report. */
bool           exchange_went_well(struct exchange_session *, const char *operation);
struct ews_header exchange_header(const struct exchange_session *);
void           exchange_begin(struct exchange_session *, const char *name, const struct want *);
void           exchange_end(struct exchange_session *, enum step_state, const struct want *);

#endif
