/* exchange_mail.h -- the test message over EWS: sent, seen to arrive, its copy in Sent Items looked at, removed again.
 *
 * As testmail.h, on a session of Exchange.
 * Removed for good is only what has our token in its subject and is no report about it: a non-delivery report stays where it is,
 * for the owner of the mailbox. It is read for what the refusing server said (bounce.h).
 * Records exchange.send (by the session), send.arrive, send.bounce, send.copy, send.remove; skipped with the reasons of testmail.h.
 */
#ifndef VERIFY_EXCHANGE_MAIL_H
#define VERIFY_EXCHANGE_MAIL_H

#include "provider/exchange.h"
#include "verify/testmessage.h"

#define EXCHANGE_MAIL_FOUND 6

struct exchange_mail {
	/* in */
	struct exchange_session *exchange;
	struct report           *report;
	const char              *address, *to;
	/* to another address, as testmail's; NULL: cannot be seen */
	bool                   (*has_come)(void *asked, const char *token, struct arena *into, struct slice *header_out);
	void                    *asked;
	struct testmessage       message;
	/* its own */
	struct arena            *job;
	struct buffer            bytes;
	struct error             err;
	struct ews_folder        folder;
	const char              *found[EXCHANGE_MAIL_FOUND];       /* ids of what is ours */
	size_t                   count, here;                      /* `here`: in the folder under way */
	struct slice             header;                           /* of what came to the other address */
	const char              *bounce, *bounce_id, *from;        /* subject of a report about it; whom it came from */
	struct buffer            told;                             /* what that report says, as far as we read it */
	const char              *where, *arrived;      /* where one of ours was seen last; it came to */
	int                      step, reported;
	unsigned                 looks, rounds;
	int64_t                  sent_ms;
	bool                     to_self, taken, come, over;
};

/* `send_to` NULL: to the mailbox itself. */
void           exchange_mail_init(struct exchange_mail *, struct report *, struct exchange_session *, const char *address,
                                  const char *send_to);
enum want_kind exchange_mail_step(void *self, struct want *, struct error *);      /* never WANT_FAILED: see the report */
void           exchange_mail_release(struct exchange_mail *);

#endif
