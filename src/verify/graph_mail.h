/* graph_mail.h -- how the test message of webmail.h is said to Microsoft Graph, on a session that stands open and signed in. */
#ifndef VERIFY_GRAPH_MAIL_H
#define VERIFY_GRAPH_MAIL_H

#include "provider/microsoft.h"
#include "verify/webmail.h"

/* `session` is a microsoft_session. */
extern const struct webmail_ways graph_mail;

#endif
