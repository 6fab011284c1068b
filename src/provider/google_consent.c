#include "provider/google_consent.h"

#include "wire/google.h"
#include "wire/oauth.h"

#define AUTHORITY  "https://accounts.google.com/o/oauth2/v2/auth"
#define AUTH       "https://www.googleapis.com/auth/"
#define EVERYTHING "https://mail.google.com/"
#define URL_MOST   ((size_t)8 * 1024)
#define SUFFICING  4

#define OF(rights) (1u << (rights))
#define FULL       OF(RIGHTS_FULL)
#define READ       OF(RIGHTS_READ)
#define CALENDAR   OF(RIGHTS_CALENDAR)

/* What a connection is for; any of `scope` suffices, and `name` is what is called missing. */
static const struct wish {
	unsigned    rights;
	const char *name;
	bool        asked;                     /* by that name; else it comes with another */
	const char *scope[SUFFICING];
} wishes[] = {
	{ FULL,            "gmail.modify",      true,  { EVERYTHING, AUTH "gmail.modify" } },
	{ FULL,            "gmail.send",        false, { EVERYTHING, AUTH "gmail.modify", AUTH "gmail.send", AUTH "gmail.compose" } },
	{ READ,            "gmail.readonly",    true,  { EVERYTHING, AUTH "gmail.modify", AUTH "gmail.readonly" } },
	{ FULL | CALENDAR, "calendar",          true,  { AUTH "calendar", AUTH "calendar.events" } },
	{ READ,            "calendar.readonly", true,  { AUTH "calendar", AUTH "calendar.readonly", AUTH "calendar.events", AUTH "calendar.events.readonly" } },
};

const char *google_scopes(enum rights rights, bool in_full, struct arena *into)
{
	const char *all = "";

	for (size_t i = 0; i < COUNT(wishes); i++)
		if (wishes[i].asked && wishes[i].rights & OF(rights))
			all = arena_print(into, "%s%s%s%s", all, *all ? " " : "", in_full ? AUTH : "", wishes[i].name);
	return all;
}

const char *google_authorize_url(const struct google_app *app, const struct oauth_code *code, const struct oauth_departure *d,
                                 struct arena *into)
{
	const char   *url;
	char          challenge[OAUTH_CHALLENGE];
	struct buffer b;

	oauth_challenge(code->verifier, challenge);
	buffer_init(&b, URL_MOST);
	oauth_authorize(&b, &(struct oauth_authorize){ .url = AUTHORITY, .client_id = app->client_id, .redirect_uri = code->redirect_uri,
		.scope = arena_print(into, "openid email %s", google_scopes(d->rights, true, into)), .state = d->state, .challenge = challenge,
		.login_hint = d->login_hint, .nonce = d->nonce, .silent = d->silent, .offline = true,
		.incremental = d->rights == RIGHTS_FULL,
		.prompt = d->login_hint ? "consent" : "consent select_account" });
	url = arena_copy(into, buffer_held(&b));
	buffer_release(&b);
	return url;
}

static bool is_granted(const char *granted, const struct wish *w)
{
	for (size_t i = 0; i < SUFFICING && w->scope[i]; i++)
		if (google_scope_has(granted, w->scope[i]))
			return true;
	return false;
}

const char *google_missing(const char *granted, enum rights rights, size_t n)
{
	for (size_t i = 0; i < COUNT(wishes); i++)
		if (wishes[i].rights & OF(rights) && !is_granted(granted, &wishes[i]) && n-- == 0)
			return wishes[i].name;
	return NULL;
}
