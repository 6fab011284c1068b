/* smtp.h -- a session with a submission server (RFC 6409, 8314, 4954): to the sign-in, and one message.
 *
 * smtp_open_step(): reach, greeting, EHLO, STARTTLS, EHLO again, then (behind the gate) AUTH.
 * smtp_send_step(): MAIL, RCPT, DATA of one message that is given whole.
 * Records smtp.greeting, smtp.ehlo, smtp.starttls, smtp.login, smtp.send. Rules for credentials as in imap.h.
 */
#ifndef PROVIDER_SMTP_H
#define PROVIDER_SMTP_H

#include "provider/login.h"
#include "provider/session.h"
#include "wire/smtp.h"

#define SMTP_LONGEST_LINE  (4 * 1024)
#define SMTP_LONGEST_REPLY (64 * 1024)

/* RFC 5321 §4.1.4: a client without a name of its own says an address literal; loopback gives nothing away. */
#define SMTP_OUR_NAME "[127.0.0.1]"

struct smtp_message {
	const char  *from, *to;        /* addr-specs */
	struct slice bytes;            /* header and body, CRLF line ends, no dot-stuffing yet */
};

struct smtp_session {
	struct session             base;
	/* in */
	const struct login        *login;       /* read when the gate opens: it may have learnt another user name by then */
	const struct login_gate   *gate;
	int                        gate_ms;
	const struct smtp_message *message;
	/* out */
	bool                       logged_in, refused, asked, sent;
	/* its own */
	struct smtp_reader        *reader;
	int                        step;
	struct { int step; }       upgrade, send;
	struct slice               auth;        /* mechanisms of the last EHLO, in the report's arena */
	bool                       has_auth, has_starttls;
	struct sasl               *sasl;
	const struct sasl_mechanism *mechanism;
	bool                       initial_sent, cancelled;
	unsigned                   rounds;      /* of the sign-in */
	const char                *stage;       /* of the message under way */
};

void           smtp_session_init(struct smtp_session *, struct report *, const struct endpoint *, const struct login *,
                                 const struct login_gate *, struct waits, int gate_ms, int attempt);
enum want_kind smtp_open_step(void *self, struct want *, struct error *);
enum want_kind smtp_send_step(void *self, struct want *, struct error *);
void           smtp_goodbye(struct smtp_session *, const struct want *);      /* QUIT, not waited for */
void           smtp_session_release(struct smtp_session *);

#endif
