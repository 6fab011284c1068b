/* entra.h -- what Entra's parts share: a request to it, its refusals, its pages. */
#ifndef SANDBOX_ENTRA_H
#define SANDBOX_ENTRA_H

#include "sandbox/cloud.h"

/* -- refusals (entra_errors.c) ------------------------------------------------------------------------------------ */

struct aadsts {
	unsigned    number;
	const char *error, *suberror;      /* at the token endpoint; suberror NULL: none                     */
	const char *redirected;            /* `error` of a redirect; NULL: Microsoft's own page, no redirect */
	const char *text;
};

/* Never NULL: an unknown number is an invalid_request. */
const struct aadsts *aadsts_of(unsigned number);
/* "AADSTS65001: … Trace ID: … Correlation ID: … Timestamp: …", CRLF between. */
const char          *aadsts_text(struct arena *, const struct aadsts *);

/* The token endpoint's. */
void refuse_token(struct request *, struct reply *, unsigned number);
/* As the document about a tenant that there is not. */
void refuse_tenant(struct request *, struct reply *);
/* At the browser: where it redirects by the row (or always, `silent`), else a page. `to` NULL: nowhere is known. */
struct back {
	const char *to, *mode, *state;      /* redirect_uri, response_mode, state; NULL: none */
};
void refuse_browser(struct request *, struct reply *, const struct back *, unsigned number, bool silent);

/* -- pages (entra_html.c) ------------------------------------------------------------------------------------------ */

void screen_begin(struct reply *, int status, const char *title);
void screen_end(struct reply *);
/* An <input type="hidden">. */
void screen_hidden(struct request *, struct reply *, const char *name, const char *value);
/* Back to the application, as its response_mode wants. */
void send_back(struct request *, struct reply *, const struct back *, const struct form *);
/* "Choose an account": radio buttons, `hint` is chosen. Beside another organisation's Exchange those that have orders of their own are
 * there for who names them. */
void screen_accounts(struct sandbox *, struct request *, struct reply *, const char *hint);

/* -- at which path ------------------------------------------------------------------------------------------------ */

void answer_token(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_device_code(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_authorize(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_login(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_consent(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_logout(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_admin_consent(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_admin_consent_v1(struct sandbox *, struct request *, struct reply *, const char *tenant);
void answer_admin_decision(struct sandbox *, struct request *, struct reply *, const char *tenant);

/* -- scopes (entra_scopes.c) --------------------------------------------------------------------------------------- */

bool        scope_has(const char *scopes, const char *scope);                      /* the case does not matter      */
/* Without resources and doubles; 0, or the number of the refusal. */
unsigned    scope_read(struct arena *, const char *asked, const char **scope);
bool        scope_within(const char *scopes, const char *granted);                 /* nothing that was not granted  */

/* As it was registered, byte for byte; or at this machine itself, where the port does not matter (RFC 8252 7.3). */
bool        redirect_is_registered(const struct sandbox *, const char *uri);

/* "common", "organizations", "consumers", the directory's GUID or the organisation's domain. */
bool        tenant_is_known(struct sandbox *, const char *tenant);

/* Signed by the certificate that was ordered, for that endpoint, now. */
bool assertion_is_right(struct sandbox *, struct arena *, const char *assertion, const char *tenant);

#endif
