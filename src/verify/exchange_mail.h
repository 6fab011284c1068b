/* exchange_mail.h -- how the test message of webmail.h is said to Exchange, on a session that stands open and signed in. */
#ifndef VERIFY_EXCHANGE_MAIL_H
#define VERIFY_EXCHANGE_MAIL_H

#include "provider/exchange.h"
#include "verify/webmail.h"

/* `session` is an exchange_session. */
extern const struct webmail_ways exchange_mail;

#endif
