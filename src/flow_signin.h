/* flow_signin.h -- a person signs in at a provider's own page, here or on another screen: what came of it, and whose account it is.
 *
 * Between whoever asks and the usual line (flow.h): the code is redeemed, or the device waited for, and the account that it is for is
 * compared with the address that was asked for, before anybody keeps anything. At Microsoft Graph says who it is, over a verified line, and
 * the id_token that comes with a code, which is checked (provider/microsoft_identity.h): where the two do not agree, or it is not believed,
 * nobody has signed in. At Google Gmail says it, or the user information, of the token that our code was redeemed for; what was left
 * unticked there is told, and then nothing is granted. On another screen there is no browser in between that could bring a code of somebody
 * else: Graph's word does.
 * Secrets: code, verifier and all that is granted are struck out of the report.
 */
#ifndef FLOW_SIGNIN_H
#define FLOW_SIGNIN_H

#include "flow.h"
#include "model/app.h"
#include "provider/microsoft.h"
#include "wire/oauth.h"

/* A provider with a page of its own to sign in at: a row of flow_signin.c. Its name is that of the API and of what is kept; its causes
 * begin with it. */
struct signin_provider;

/* NULL: it is none of them. */
const struct signin_provider *signin_provider(const char *name);
const char                   *signin_name(const struct signin_provider *);

/* NULL: nobody has registered us there. */
const char *signin_client(const struct signin_provider *, const struct apps *);
/* Where the browser is sent; what that asks for, blanks between, in full as an administrator compares it. */
const char *signin_url(const struct signin_provider *, const struct apps *, const struct oauth_code *, const struct oauth_departure *,
                       struct arena *into);
const char *signin_scopes(const struct signin_provider *, struct terms, bool in_full, struct arena *into);

/* What an administrator at Microsoft is shown of it: see microsoft_consent_url(), microsoft_portal(). */
const char *signin_consent_url(const struct microsoft_app *, struct terms, const char *tenant, const char *redirect_uri, const char *state,
                               struct arena *into);
const char *signin_portal(const struct microsoft_app *, struct arena *into);

/* Who went to sign in, and for what. */
struct signin_asked {
	const struct signin_provider *at;
	const struct apps            *apps;
	const char                   *address;
	enum rights                   rights;
	int64_t                       now_unix;
};

/* What they came back with is no code: a refusal, or an administrator's consent. The report and the verdict of it. Never NULL; the
 * caller's. */
struct report *signin_refused(const struct signin_asked *, const struct oauth_callback *, struct verdict *);
/* What the provider's own page says, as the person who saw it pasted it: likewise. False: nothing in it says what happened. */
bool           signin_pasted(const struct signin_asked *, const char *text, struct report **, struct verdict *);
/* Nobody came back for `away_s` seconds: likewise. */
struct report *signin_not_returned(const struct signin_asked *, int64_t away_s, struct verdict *);

/* The provider's page does not know us, by its word `code`: likewise. Nobody was sent there. */
struct report *signin_unknown(const struct signin_asked *, const char *code, struct verdict *);

struct signin_request {
	const struct signin_provider *at;
	const struct apps          *apps;
	const char                 *address;       /* asked for */
	const char                 *username;      /* who signs in, where it is a mailbox that others share: as flow_request's; NULL */
	enum rights                 rights;        /* as they were asked for */
	struct oauth_code           code;          /* brought back from the page; code.code NULL: on another screen, by what is shown,
	                                            * at Microsoft alone */
	void                      (*show)(void *, const struct oauth_device *);      /* once; it lives as long as the report */
	void                       *viewer;
	struct microsoft_keys      *keys;          /* held by whoever has many of these, one after another, in one loop; NULL */
	struct report              *refused;       /* instead of a code: what one of the above said, taken over. Where an administrator
	                                            * has to act, the id of their organisation is looked for, and stands in it     */
	int                         timeout_ms;    /* the whole; of another screen each part, for the code has an end of its own */
	void                      (*watch)(void *, const struct report *, int step);
	void                       *watcher;
};

struct signin_result {
	bool                   well;               /* it is that account, and this was granted for it */
	bool                   other_account;      /* a person signed in, and is somebody else        */
	bool                   not_believed;       /* what says who it is, is not what it should be: nothing of it may be kept */
	struct oauth_grant     grant;              /* kept by the report; only where it is well       */
};

struct signin;

/* The request must live as long. */
struct signin *signin_new(const struct signin_request *);
enum want_kind signin_step(void *signin, struct want *, struct error *);      /* never WANT_FAILED: see the verdict */
/* After the conversation has ended (it took `ms`), or was called off. Frees it; the report is the caller's. */
struct report *signin_end(struct signin *, int ms, struct verdict *, struct signin_result *);

/* The whole of it on a loop of its own, to be stopped by flow_stop(): NULL only for what is wrong on this machine (FAULT_LOCAL). */
struct report *signin_now(const struct signin_request *, const struct net_settings *, struct verdict *, struct signin_result *,
                          struct error *err);

/* -- whether its page knows us, before anybody is sent there ------------------------------------------------------- */

struct inquiry;

/* Only Google's page tells that to who has not signed in. */
bool           inquiry_can(const struct signin_provider *);
/* Asks for that page as a browser would, without any credential, and goes no further. The apps must live as long. */
struct inquiry  *inquiry_new(const struct signin_provider *, const struct apps *, const char *redirect_uri, enum rights, int timeout_ms);
enum want_kind inquiry_step(void *inquiry, struct want *, struct error *);      /* never WANT_FAILED: see what is told */
/* The provider's word for what is wrong with the registration, from `into`; NULL: nothing is, or it tells nothing. `known`: it says that
 * it knows us. Frees it. */
const char    *inquiry_end(struct inquiry *, struct arena *into, bool *known);

/* -- whether we are known at Microsoft at all ----------------------------------------------------------------------------- */

struct app_check;

/* Asks for a token of the app's own, with its secret or certificate, and does nothing with it. Only an organisation of its own has an
 * answer to that: app->tenant names one, or it cannot be asked. */
bool              app_check_can(const struct microsoft_app *);
struct app_check *app_check_new(const struct microsoft_app *, int timeout_ms);      /* the app must live as long */
enum want_kind    app_check_step(void *app_check, struct want *, struct error *);   /* never WANT_FAILED: see the verdict */
/* Frees it; the report is the caller's. */
struct report    *app_check_end(struct app_check *, bool *well, struct verdict *);

#endif
