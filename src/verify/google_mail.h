/* google_mail.h -- how the test message of webmail.h is said to Gmail, on a session that stands open and signed in.
 *
 * Gmail lists ids alone, so whatever is new in a folder is looked at one by one. Removing for good takes the right to all of Gmail; with
 * less the message goes to the bin, which Gmail empties by itself.
 */
#ifndef VERIFY_GOOGLE_MAIL_H
#define VERIFY_GOOGLE_MAIL_H

#include "provider/google.h"
#include "verify/webmail.h"

#define GOOGLE_MAIL_LOOKED_AT 200

struct google_mail {
	struct google_session *google;
	/* its own */
	struct google_messages page;               /* of the folder under way                          */
	size_t                 at;                 /* of it, or of what is to be removed               */
	const char            *other[GOOGLE_MAIL_LOOKED_AT];      /* ids of messages that are not ours */
	size_t                 others;
	int                    step;
	bool                   report, removing, kept;            /* kept: not all could be removed    */
};

/* `session` is a google_mail; all but `google` begins as zeroes. */
extern const struct webmail_ways google_mail;

#endif
