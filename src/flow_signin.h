/* flow_signin.h -- a person signs in at Microsoft's page, here or on another screen: what came of it, and whose account it is.
 *
 * Between whoever asks and the usual line (flow.h): the code is redeemed, or the device waited for, and the account that it is for is
 * compared with the address that was asked for, before anybody keeps anything. Who it is Graph says, over a verified line, and the
 * id_token that comes with a code, which is checked (provider/microsoft_identity.h): where the two do not agree, or it is not believed,
 * nobody has signed in. On another screen there is no browser in between that could bring a code of somebody else: Graph's word does.
 * Secrets: code, verifier and all that is granted are struck out of the report.
 */
#ifndef FLOW_SIGNIN_H
#define FLOW_SIGNIN_H

#include "flow.h"
#include "model/app.h"
#include "provider/microsoft.h"
#include "wire/oauth.h"

/* Where the browser is sent: see microsoft_authorize_url(). */
const char *signin_url(const struct microsoft_app *, const struct oauth_code *, const struct oauth_departure *,
                       struct arena *into);

/* What an administrator is shown of it: see microsoft_consent_url(), microsoft_scopes(), microsoft_portal(). */
const char *signin_consent_url(const struct microsoft_app *, struct terms, const char *tenant, const char *redirect_uri, const char *state,
                               struct arena *into);
const char *signin_scopes(struct terms, struct arena *into);
const char *signin_portal(const struct microsoft_app *, struct arena *into);

/* What it came back with is no code: a refusal, or an administrator's consent. The report and the verdict of it. Never NULL; the caller's.
 */
struct report *signin_refused(const char *address, const struct microsoft_app *, enum rights, const struct oauth_callback *,
                              int64_t now_unix, struct verdict *);
/* What Microsoft's own page says, as the person who saw it pasted it: likewise. False: nothing in it says what happened. */
bool           signin_pasted(const char *address, const struct microsoft_app *, enum rights, const char *text, int64_t now_unix,
                             struct report **, struct verdict *);
/* Nobody came back for `away_s` seconds: likewise. */
struct report *signin_not_returned(const char *address, const struct microsoft_app *, enum rights, int64_t away_s, int64_t now_unix,
                                   struct verdict *);

struct signin_request {
	const char                 *address;       /* asked for */
	const char                 *username;      /* who signs in, where it is a mailbox that others share: as flow_request's; NULL */
	const struct microsoft_app *app;
	enum rights                 rights;        /* as they were asked for */
	struct oauth_code       code;          /* brought back from the page; code.code NULL: on another screen, by what is shown */
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
	struct oauth_grant grant;              /* kept by the report; only where it is well       */
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

/* -- whether we are known there at all ----------------------------------------------------------------------------- */

struct app_check;

/* Asks for a token of the app's own, with its secret or certificate, and does nothing with it. Only an organisation of its own has an
 * answer to that: app->tenant names one, or it cannot be asked. */
bool              app_check_can(const struct microsoft_app *);
struct app_check *app_check_new(const struct microsoft_app *, int timeout_ms);      /* the app must live as long */
enum want_kind    app_check_step(void *app_check, struct want *, struct error *);   /* never WANT_FAILED: see the verdict */
/* Frees it; the report is the caller's. */
struct report    *app_check_end(struct app_check *, bool *well, struct verdict *);

#endif
