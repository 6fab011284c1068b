/* webmail.h -- the test message over a web service: sent, seen to arrive, its copy in Sent Items looked at, removed again.
 *
 * As testmail.h, for mailboxes that are asked by one protocol for all of it. The order is here; how each thing is said stands in
 * a table of the provider's (exchange_mail.h, graph_mail.h).
 * Removed for good is only what has our token in its subject and is no report about it: a non-delivery report stays where it is,
 * for the owner of the mailbox. It is read for what the refusing server said (bounce.h).
 * Records PROVIDER.send (by the session), send.arrive, send.bounce, send.copy, send.remove; skipped with the reasons of testmail.h.
 */
#ifndef VERIFY_WEBMAIL_H
#define VERIFY_WEBMAIL_H

#include "base/want.h"
#include "model/report.h"
#include "verify/testmessage.h"

#define WEBMAIL_FOUND  6
#define WEBMAIL_REPORT 60000      /* of a report about it: its parts for programs come first */

struct webmail;

/* Each about `session`, which stands open and signed in. What is asked is answered by `answer`. */
struct webmail_ways {
	const char      *send_id;                                         /* "exchange.send" */
	enum want_kind (*send)(struct webmail *, struct want *, struct error *);
	void           (*ask)(struct webmail *, const char *folder);      /* what has our token in its subject there: to webmail_saw() */
	void           (*ask_report)(struct webmail *);                   /* `bounce_id`, whole: to webmail_told()                     */
	void           (*ask_removal)(struct webmail *);                  /* of all of `found`                                         */
	enum want_kind (*answer)(struct webmail *, struct want *, struct error *);
	bool           (*removed)(const struct webmail *);
	void           (*report_to)(struct webmail *, int step);          /* where the session writes what stops it                    */
};

struct webmail {
	/* in */
	const struct webmail_ways *ways;
	void                    *session;
	struct report           *report;
	int                      attempt;
	const char              *address, *to;
	/* to another address, as testmail's; NULL: cannot be seen */
	bool                   (*has_come)(void *asked, const char *token, struct arena *into, struct slice *header_out);
	void                    *asked;
	struct testmessage       message;
	struct buffer            bytes;                            /* the message as it is sent */
	/* what was seen */
	const char              *found[WEBMAIL_FOUND];             /* ids of what is ours */
	size_t                   count, here;                      /* `here`: in the folder under way */
	const char              *bounce, *bounce_id, *from;        /* subject of a report about it; whom it came from */
	/* its own */
	struct arena            *job;
	struct error             err;
	struct slice             header;                           /* of what came to the other address */
	struct buffer            told;                             /* what that report says, as far as we read it */
	const char              *folder, *where, *arrived;         /* looked at; where one of ours was seen last; it came to */
	int                      step, reported;
	unsigned                 looks, rounds;
	int64_t                  sent_ms;
	bool                     to_self, taken, come, over;
};

/* `send_to` NULL: to the mailbox itself. */
void           webmail_init(struct webmail *, const struct webmail_ways *, void *session, struct report *, int attempt, const char *address,
                            const char *send_to);
enum want_kind webmail_step(void *self, struct want *, struct error *);      /* never WANT_FAILED: see the report */
void           webmail_release(struct webmail *);

/* -- for the ways -- */

/* One message of the folder under way; whose subject has not our token is passed over. `kind` is the item's class, or NULL. */
void           webmail_saw(struct webmail *, const char *id, const char *subject, const char *from, const char *kind);
void           webmail_told(struct webmail *, struct slice piece);

#endif
