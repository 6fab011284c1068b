/* imap_words.h -- how large hosts, and usual software, greet, list what they can, and refuse a password (facts G B.6, D.3, D.5, E.2). */
#ifndef SANDBOX_IMAP_WORDS_H
#define SANDBOX_IMAP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Where something may be said in place of the usual. */
enum stage {
	STAGE_GREETING, STAGE_LOGIN, STAGE_LIST, STAGE_OPEN,
	STAGE_SMTP_GREETING, STAGE_SMTP_LOGIN, STAGE_MAIL, STAGE_RCPT, STAGE_DATA,
};

struct dialect {
	const char *domains;                 /* of its own, blanks between; NULL: that of everybody else */
	const char *mx;                      /* where their mail goes                                   */
	const char *imap, *smtp;             /* its hosts; NULL: mail.DOMAIN                            */
	const char *greeting, *id;           /* behind "* OK " and "* ID "                              */
	const char *before, *after;          /* capabilities without and with a sign-in                 */
	const char *refusal;                 /* of a password                                           */
	const char *banner, *smtp_refusal;
	const char *token_refusal;           /* the JSON of XOAUTH2's, or NULL: it takes none           */
	bool        local_user;              /* IMAP wants the part before the @                        */
};

/* Never NULL. */
const struct dialect *dialect_of(const char *domain);
bool                  dialect_is_own(const char *domain);      /* of one with domains of its own */
const struct dialect *dialect_at(size_t n);                    /* NULL past the last              */

#endif
