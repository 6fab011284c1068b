/* caldav_facts.h -- what a session with a CalDAV server writes into its report: a part of caldav.c. */
#ifndef PROVIDER_CALDAV_FACTS_H
#define PROVIDER_CALDAV_FACTS_H

#include "provider/caldav.h"

/* Of the answer at hand, into the step under way: status, fields, whatever page that is, and what it says is not met. */
void caldav_http_facts(struct caldav_session *);
/* Which condition an error names, where the body is one; NULL: none. From the report's arena. */
const char *caldav_condition(struct caldav_session *);
/* Which classes of WebDAV it says it has. */
void caldav_class_facts(struct caldav_session *);
/* Picks the scheme and notes what was offered. */
void caldav_choose(struct caldav_session *, const struct challenges *);
void caldav_login_facts(struct caldav_session *);
void caldav_calendar_facts(struct caldav_session *);

/* Does its host's or its path's name say that people sign in there? */
bool caldav_is_sign_in(const struct http_url *);

#endif
