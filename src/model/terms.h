/* terms.h -- on what terms a mailbox behind a sign-in page is connected: what may be done there, and who allowed it. */
#ifndef MODEL_TERMS_H
#define MODEL_TERMS_H

#include <stdbool.h>

enum rights {
	RIGHTS_FULL,             /* mail is read, moved and sent, the calendar written */
	RIGHTS_READ,             /* mail and calendar are looked at                    */
	RIGHTS_CALENDAR,         /* the calendar alone is looked at and written        */
	RIGHTS_COUNT
};

struct terms {
	enum rights rights;
	bool        tenant;      /* an administrator let us in, for all mailboxes of the organisation; nobody signs in */
	bool        shared;      /* somebody signs in for a mailbox that is not their own, by the rights given to them on it     */
};

const char *rights_name(enum rights);                          /* "full" "read" "calendar" */
bool        rights_find(const char *name, enum rights *out);   /* false of NULL or another word; then nothing is written */
bool        rights_have_mail(enum rights);
bool        rights_send(enum rights);
bool        rights_write_calendar(enum rights);

/* Who signs in for a shared mailbox: a user name that is another address than the mailbox's. NULL: whoever it belongs to. */
const char *delegate_of(const char *username, const char *address);

#endif
