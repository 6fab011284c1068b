/* testmail.h -- the test message: sent, seen to arrive, its copy in Sent looked at, removed again.
 *
 * Sent from the mailbox to itself, where it is waited for; or to another address, where it is waited for when somebody
 * can be asked whether it has come (`has_come`, set after testmail_init()), and else only acceptance, a bounce and the copy
 * in Sent can be seen. Everything of it that is found is removed, also when the whole is called off after the server has
 * taken it; a message that may have been taken (the line broke before the answer) counts as taken.
 * A bounce is left where it is: it is the server's word to the owner of the mailbox.
 *
 * Records smtp.send (by the session) and, in the attempt of that session, send.arrive, send.bounce, send.copy and
 * send.remove. What could not be checked is skipped, with the reason:
 *   earlier (not sent, or the mailbox cannot be read) · not_checked_here (another address) · no_sent_folder ·
 *   nothing_to_remove · no_time (the whole was over first) · called_off.
 */
#ifndef VERIFY_TESTMAIL_H
#define VERIFY_TESTMAIL_H

#include "provider/imap_hunt.h"
#include "provider/smtp.h"

enum testmail_place { TESTMAIL_INBOX, TESTMAIL_JUNK, TESTMAIL_SENT, TESTMAIL_TRASH, TESTMAIL_PLACES };

struct testmail {
	/* in */
	struct report       *report;
	struct smtp_session *smtp;
	struct imap_session *imap;             /* NULL: the mailbox cannot be read */
	const char          *address, *to;
	bool                 to_self;
	/* to another address; with the header as it came there, from `into`, or empty. NULL: cannot be seen from here */
	bool               (*has_come)(void *asked, const char *token, struct arena *into, struct slice *header_out);
	void                *asked;
	struct waits         waits;
	const char          *token, *message_id, *subject;
	/* its own */
	struct arena        *job;
	struct buffer        bytes;
	struct smtp_message  message;
	struct imap_hunt     place[TESTMAIL_PLACES];
	struct error         err;
	int                  step;
	struct { int step; } arriving, bouncing, copying;
	int                  arrive, bounce, copy, remove;      /* in the report */
	int64_t              sent_ms, hurry_ms;
	bool                 taken;                             /* the server has it, or may have it           */
	bool                 come;                              /* to another address …                        */
	struct slice         came_with;                         /* … with this header                          */
	bool                 hurry, halfway, bounced;
	bool                 lost, over;                        /* the line to the mailbox; all the time there was */
	enum came            lost_by;
	int                  place_at, tidy_at, pauses;
	unsigned             looks;                             /* that saw the inbox                          */
	bool                 tidied[TESTMAIL_PLACES];
};

/* `send_to` NULL: to the mailbox itself. Both addresses as mail_address_parse() leaves them. */
void testmail_init(struct testmail *, struct report *, struct smtp_session *, struct imap_session *,
                   const char *address, const char *send_to, struct waits);
enum want_kind testmail_step(void *self, struct want *, struct error *);       /* never WANT_FAILED: see the report */
void           testmail_release(struct testmail *);

#endif
