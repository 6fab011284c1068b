/* app.h -- as whom we are registered at a provider that lets programs in by OAuth: by the operator's own registration. */
#ifndef MODEL_APP_H
#define MODEL_APP_H

struct oauth_certificate;                           /* wire/assertion.h */
struct service_account;                             /* wire/service_account.h */

struct microsoft_app {
	const char *client_id, *client_secret;      /* NULL: not registered; a public client                                   */
	const char *tenant;                         /* an id, a domain, "organizations" or "common"; NULL: "common"           */
	const char *authority;                      /* host or URL of a national cloud's sign-in; NULL: the worldwide cloud's */
	const struct oauth_certificate *certificate;        /* shown in the place of the secret; NULL: none                    */
};

struct google_app {
	const char *client_id, *client_secret;      /* NULL: not registered */
	const struct service_account *service;      /* acts for mailboxes whose administrators have delegated that; NULL: none */
	const char *topic, *pusher;                 /* of Pub/Sub, and as whom it pushes; NULL: both or neither */
};

/* As whom we are known at each of them; NULL: not told. */
struct apps {
	const struct microsoft_app *microsoft;
	const struct google_app    *google;
};

#endif
