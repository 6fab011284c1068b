/* flow_signin.h -- a person has come back from Microsoft's sign-in page: what came of it, and whose account it is.
 *
 * Between the connect page and the usual line (flow.h): the code is redeemed, and the account that it is for is compared with the
 * address that was asked for, before anybody keeps anything. Who it is Graph says, over a verified line; the id_token is not read,
 * so there is nothing in it to be forged.
 * Secrets: code, verifier and all that is granted are struck out of the report.
 */
#ifndef FLOW_SIGNIN_H
#define FLOW_SIGNIN_H

#include "diagnose/diagnose.h"
#include "model/app.h"
#include "provider/microsoft.h"
#include "wire/oauth.h"

/* Where the browser is sent: see microsoft_authorize_url(). */
const char *signin_url(const struct microsoft_app *, const struct microsoft_code *, const struct microsoft_departure *,
                       struct arena *into);
/* "https://login.microsoftonline.com": where that leads. */
const char *signin_origin(const struct microsoft_app *, struct arena *into);

/* What an administrator is shown of it: see microsoft_consent_url(), microsoft_scopes(), microsoft_portal(). */
const char *signin_consent_url(const struct microsoft_app *, const char *tenant, const char *redirect_uri, const char *state,
                               struct arena *into);
const char *signin_scopes(struct arena *into);
const char *signin_portal(const struct microsoft_app *, struct arena *into);

/* What it came back with is no code: a refusal, or an administrator's consent. The report and the verdict of it. Never NULL; the caller's.
 */
struct report *signin_refused(const char *address, const struct microsoft_app *, const struct oauth_callback *, int64_t now_unix,
                              struct verdict *);
/* What Microsoft's own page says, as the person who saw it pasted it: likewise. False: nothing in it says what happened. */
bool           signin_pasted(const char *address, const struct microsoft_app *, const char *text, int64_t now_unix, struct report **,
                             struct verdict *);
/* Nobody came back for `away_s` seconds: likewise. */
struct report *signin_not_returned(const char *address, const struct microsoft_app *, int64_t away_s, int64_t now_unix, struct verdict *);

struct signin_request {
	const char                 *address;       /* asked for */
	const struct microsoft_app *app;
	struct microsoft_code       code;
	struct report              *refused;       /* instead of a code: what one of the above said, taken over. Where an administrator
	                                            * has to act, the id of their organisation is looked for, and stands in it     */
	int                         timeout_ms;    /* the whole */
};

struct signin_result {
	bool                   well;               /* it is that account, and this was granted for it */
	bool                   other_account;      /* a person signed in, and is somebody else        */
	struct microsoft_grant grant;              /* kept by the report; only where it is well       */
};

struct signin;

/* The request must live as long. */
struct signin *signin_new(const struct signin_request *);
enum want_kind signin_step(void *signin, struct want *, struct error *);      /* never WANT_FAILED: see the verdict */
/* After the conversation has ended (it took `ms`), or was called off. Frees it; the report is the caller's. */
struct report *signin_end(struct signin *, int ms, struct verdict *, struct signin_result *);

#endif
