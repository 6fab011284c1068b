/* google_knock.h -- does Google's sign-in page know our registration, before anybody is sent there (facts G A.6)?
 *
 * One request for that page, as a browser would make it that has never been there: without cookies or credentials, and without a step
 * further. Google then leads on to "who are you?", or to a page of its own that says what is wrong with the registration. Whatever depends
 * on the person it decides only later: that we are known says nothing about them. Any other answer, and none at all, tells nothing.
 * Records google.auth.resolve, .connect, .tls, google.registration. Stops with the faults of web.h, and FAULT_REFUSED.
 */
#ifndef PROVIDER_GOOGLE_KNOCK_H
#define PROVIDER_GOOGLE_KNOCK_H

#include "model/app.h"
#include "model/google_page.h"
#include "provider/web.h"

enum google_known { GOOGLE_NOT_TOLD, GOOGLE_KNOWN, GOOGLE_REFUSED };

struct google_knock {
	/* in */
	struct report     *report;
	struct waits       waits;
	int                attempt;
	/* out */
	enum google_known  known;
	const char        *code;              /* Google's word for what is wrong, in the report's arena; NULL: nothing is */
	/* its own */
	struct endpoint    endpoint;
	struct web_session web;
	struct web_request request;
	int                step;
};

/* `url` as google_authorize_url() makes it; it must live as long. */
void           google_knock_init(struct google_knock *, struct report *, const char *url, struct waits, int attempt);
enum want_kind google_knock_step(void *self, struct want *, struct error *);
void           google_knock_release(struct google_knock *);

/* What an answer with that status, Location and body says. `code`: as above, from the arena. */
enum google_known google_knock_read(int status, struct slice location, struct slice body, struct arena *, const char **code);

#endif
