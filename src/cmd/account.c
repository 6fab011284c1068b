/* account.c -- mailmoor account add|list|show|…: the accounts of a running daemon, by its API. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "cmd/device.h"
#include "cmd/print_account.h"
#include "cmd/remote.h"
#include "cmd/wrap.h"
#include "flow.h"

#define SIGN_IN_MS 30000       /* each part of a sign-in on another screen; its code has an end of its own */
#define LOOK_MS 250            /* how often the live checklist asks; a keyed read is not rationed */

enum { KEY_PASSWORD_FILE = 1000, KEY_USERNAME, KEY_IMAP, KEY_SMTP, KEY_EWS, KEY_IMPERSONATE, KEY_PROVIDER, KEY_EXTERNAL_ID, KEY_PASSWORD,
       KEY_DEVICE, KEY_TENANT, KEY_TOKEN_FILE, KEY_RIGHTS,
       KEY_CALDAV, KEY_CALDAV_USERNAME, KEY_CALDAV_PASSWORD_FILE };

/* Which options a verb takes. */
enum { TAKES_PASSWORD = 1, TAKES_PLACES = 2, TAKES_WHAT_IS_NEW = 4, TAKES_NAME = 8, TAKES_KIND = 16 };

struct options {
	struct remote_options remote;
	const struct verb    *verb;
	const char           *who;            /* an address or an id */
	const char           *password_file, *token_file, *username, *external_id, *provider, *ews_url;
	const char           *caldav_url, *caldav_username, *caldav_password_file;
	bool                  impersonates, device, tenant;
	enum rights           rights;
	const char           *rights_name;    /* NULL: not said */
	char                 *host[SERVICES];
	uint16_t              port[SERVICES];
	unsigned              given;
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The mailbox (for add and reconnect):", 1 },
	{ "password-file", KEY_PASSWORD_FILE, "FILE", 0, "the password: the file's content less one last newline; - is standard input", 1 },
	{ "password", KEY_PASSWORD, "WORD", OPTION_HIDDEN, NULL, 1 },
	{ "token-file", KEY_TOKEN_FILE, "FILE", 0, "instead: what a token endpoint answered, as JSON with a refresh token (google and microsoft, for add)", 1 },
	{ "device-code", KEY_DEVICE, NULL, 0, "instead: sign in at Microsoft on another screen, with a code that is shown here (for add)", 1 },
	{ "tenant-access", KEY_TENANT, NULL, 0, "instead: as the app itself, which an administrator has let in for all of the organisation (microsoft; or --provider google, for add)", 1 },
	{ "rights", KEY_RIGHTS, "SET", 0, "what is asked for there: full, read, calendar (with one of these two)", 1 },
	{ "username", KEY_USERNAME, "NAME", 0, "where it is not the address; with --device-code, who signs in for a shared mailbox", 1 },
	{ "imap", KEY_IMAP, "HOST[:PORT]", 0, "when it is not to be looked up", 1 },
	{ "smtp", KEY_SMTP, "HOST[:PORT]", 0, "when it is not to be looked up", 1 },
	{ "ews", KEY_EWS, "URL", 0, "Exchange Web Services, or the web mail's address, or the server's name", 1 },
	{ "impersonate", KEY_IMPERSONATE, NULL, 0, "--username is a service account that acts for the mailbox (Exchange)", 1 },
	{ "provider", KEY_PROVIDER, "KIND", 0, "auto (the default of add), imap, exchange, caldav; google, microsoft with --token-file", 1 },
	{ "caldav", KEY_CALDAV, "URL", 0, "the calendar: beside IMAP, or with --provider caldav alone", 1 },
	{ "caldav-username", KEY_CALDAV_USERNAME, "NAME", 0, "of the calendar beside IMAP, where it is not the mailbox's", 1 },
	{ "caldav-password-file", KEY_CALDAV_PASSWORD_FILE, "FILE", 0, "likewise: a password of its own", 1 },
	{ "external-id", KEY_EXTERNAL_ID, "TEXT", 0, "what you call it (for add)", 1 },
	{ 0 }
};

static int add(struct remote *, void *), list(struct remote *, void *), show(struct remote *, void *);
static int verify(struct remote *, void *), pause_it(struct remote *, void *), resume(struct remote *, void *);
static int reconnect(struct remote *, void *), remove_it(struct remote *, void *);

static const struct verb verbs[] = {
	{ "add",       "ADDRESS",       TAKES_PASSWORD | TAKES_PLACES | TAKES_NAME | TAKES_KIND | TAKES_WHAT_IS_NEW, add },
	{ "list",      NULL,            0,                             list },
	{ "show",      "ADDRESS or ID", 0,                             show },
	{ "verify",    "ADDRESS or ID", 0,                             verify },
	{ "pause",     "ADDRESS or ID", 0,                             pause_it },
	{ "resume",    "ADDRESS or ID", 0,                             resume },
	{ "reconnect", "ADDRESS or ID", TAKES_PASSWORD | TAKES_PLACES | TAKES_NAME | TAKES_KIND, reconnect },
	{ "remove",    "ADDRESS or ID", 0,                             remove_it },
};

static void take_host(struct options *o, enum service service, const char *arg, struct argp_state *state)
{
	o->given |= TAKES_PLACES;
	if (!command_host(arg, &o->host[service], &o->port[service]))
		argp_error(state, "%s: not HOST or HOST:PORT", arg);
}

static void take_provider(struct options *o, const char *arg, struct argp_state *state)
{
	static const char *const known[] = { "auto", "imap", "exchange", "caldav", "google", "microsoft" };

	o->given |= TAKES_KIND;
	o->provider = arg;
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(arg, known[i]) == 0)
			return;
	argp_error(state, "there is no provider \"%s\"", arg);
}

static void take_rights(struct options *o, const char *arg, struct argp_state *state)
{
	if (!rights_find(arg, &o->rights))
		argp_error(state, "%s: not full, read or calendar", arg);
	o->rights_name = arg;
	o->given |= TAKES_WHAT_IS_NEW;
}

/* By a grant, and no password. */
static bool is_granting(const struct options *o)
{
	return o->provider && (strcmp(o->provider, "google") == 0 || strcmp(o->provider, "microsoft") == 0);
}

static bool is_granted(const struct options *o)
{
	return o->device || o->tenant || o->token_file;
}

static void check(const struct options *o, struct argp_state *state)
{
	if (!o->verb)
		argp_error(state, "what is to be done? add, list, show, …");
	else if (o->verb->argument && !o->who)
		argp_error(state, "which account? (%s)", o->verb->argument);
	else if (!o->verb->argument && o->who)
		argp_error(state, "%s: no argument is expected", o->who);
	else if (o->given & ~o->verb->options)
		argp_error(state, "%s takes none of the mailbox's options", o->verb->name);
	else if (is_granted(o) && (o->given & (TAKES_PASSWORD | TAKES_PLACES) || o->device + o->tenant + !!o->token_file > 1))
		argp_error(state, "--device-code, --tenant-access, --token-file: one of them, and neither a password nor a server");
	else if (o->device && o->provider)
		argp_error(state, "--device-code is for Microsoft: without --provider");
	else if (o->tenant && o->provider && !is_granting(o))
		argp_error(state, "--tenant-access is for --provider google or microsoft");
	else if (o->token_file ? !is_granting(o) : is_granting(o) && !o->tenant)
		argp_error(state, "--token-file belongs to --provider google or microsoft, and they to it or to --tenant-access");
	else if (o->tenant && o->username)
		argp_error(state, "--tenant-access: nobody signs in, so there is no --username");
	else if (o->device && o->username && !strchr(o->username, '@'))
		argp_error(state, "--username=%s: at Microsoft it is the address of who signs in for a shared mailbox", o->username);
	else if (o->rights_name && !is_granted(o))
		argp_error(state, "--rights belongs to --device-code, --tenant-access or --token-file");
	else if ((o->verb->options & TAKES_PASSWORD) && !o->password_file && !is_granted(o))
		argp_error(state, "a password is needed: --password-file FILE (- is stdin)");
	else if (o->impersonates && !o->username)
		argp_error(state, "--impersonate wants --username, the service account's name");
	else if ((o->caldav_username || o->caldav_password_file) && !o->caldav_url)
		argp_error(state, "--caldav-username and --caldav-password-file belong to --caldav");
	else if (o->caldav_username && !o->caldav_password_file)
		argp_error(state, "--caldav-username wants --caldav-password-file");
	else if (o->caldav_password_file && strcmp(o->caldav_password_file, "-") == 0)
		argp_error(state, "--caldav-password-file: a file, please; standard input is for the mailbox's");
	else if (o->password_file && o->remote.key_file && strcmp(o->password_file, "-") == 0 && strcmp(o->remote.key_file, "-") == 0)
		argp_error(state, "standard input is the password or the key, not both");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:     state->child_inputs[0] = &o->remote; return 0;
	case KEY_PASSWORD_FILE: o->password_file = arg; o->given |= TAKES_PASSWORD; return 0;
	case KEY_TOKEN_FILE:    o->token_file = arg; o->given |= TAKES_WHAT_IS_NEW; return 0;
	case KEY_DEVICE:        o->device = true; o->given |= TAKES_WHAT_IS_NEW; return 0;
	case KEY_TENANT:        o->tenant = true; o->given |= TAKES_WHAT_IS_NEW; return 0;
	case KEY_RIGHTS:        take_rights(o, arg, state); return 0;
	case KEY_USERNAME:      o->username = arg; o->given |= TAKES_NAME; return 0;
	case KEY_IMAP:          take_host(o, SERVICE_IMAP, arg, state); return 0;
	case KEY_SMTP:          take_host(o, SERVICE_SMTP, arg, state); return 0;
	case KEY_EWS:           o->ews_url = arg; o->given |= TAKES_PLACES; return 0;
	case KEY_IMPERSONATE:   o->impersonates = true; o->given |= TAKES_PLACES; return 0;
	case KEY_CALDAV:        o->caldav_url = arg; o->given |= TAKES_PLACES; return 0;
	case KEY_CALDAV_USERNAME:      o->caldav_username = arg; o->given |= TAKES_PLACES; return 0;
	case KEY_CALDAV_PASSWORD_FILE: o->caldav_password_file = arg; o->given |= TAKES_PLACES; return 0;
	case KEY_PROVIDER:      take_provider(o, arg, state); return 0;
	case KEY_EXTERNAL_ID:   o->external_id = arg; o->given |= TAKES_WHAT_IS_NEW; return 0;
	case KEY_PASSWORD:
		/* everybody on this machine can read a command line */
		argp_error(state, "a password on the command line is not taken:\n  use --password-file FILE, or - for standard input");
		return 0;
	case ARGP_KEY_ARG:
		if (!o->verb)
			o->verb = verb_find(verbs, COUNT(verbs), arg, state);
		else if (!o->who)
			o->who = arg;
		else
			argp_error(state, "one account, please");
		return 0;
	case ARGP_KEY_END:      check(o, state); return 0;
	default:                return ARGP_ERR_UNKNOWN;
	}
}

/* -- which one ---------------------------------------------------------------------------------------------------- */

/* "/v1/accounts/ID" of an id or an address, from the arena; NULL with the error. */
static const char *find(struct remote *r, const char *who, struct arena *work, struct error *err)
{
	const char *path = NULL;
	cJSON      *found, *a;

	if (strncmp(who, "acc_", 4) == 0)
		return arena_print(work, "/v1/accounts/%s", client_word(who, work));
	found = client_list(r->client, arena_print(work, "/v1/accounts?search=%s", client_word(who, work)), err);
	cJSON_ArrayForEach(a, found)
		if (json_text(a, "address") && json_text(a, "id") && slice_is(slice_str(json_text(a, "address")), who))
			path = arena_print(work, "/v1/accounts/%s", client_word(json_text(a, "id"), work));
	if (found && !path)
		fail(err, FAULT_ABSENT, "there is no account of %s in this workspace", who);
	cJSON_Delete(found);
	return path;
}

/* -- a verification, watched -------------------------------------------------------------------------------------- */

/* The last one's steps are shown until the next has begun, and are no news. */
static bool look(struct remote *r, const char *path, struct progress_list *p, struct arena *work, bool *over, struct error *err)
{
	cJSON *now;

	if (!client_call(r->client, "GET", arena_print(work, "%s/progress", path), NULL, &now, err))
		return false;
	*over = json_text(now, "state") && strcmp(json_text(now, "state"), "connecting") != 0;
	if (!r->json && (*over || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(now, "done"))))
		progress_show(p, cJSON_GetObjectItemCaseSensitive(now, "steps"), *over);
	cJSON_Delete(now);
	return true;
}

static bool watch_until_over(struct remote *r, const char *path, struct progress_list *p, struct error *err)
{
	bool over = false;

	for (;;) {
		CLEANUP(arena) struct arena *work = arena_new();

		if (!look(r, path, p, work, &over, err))
			return false;
		if (over)
			return true;
		if (!client_wait(r->client, LOOK_MS))
			return fail(err, FAULT_CANCELLED, "called off");
	}
}

static int tell_end(struct remote *r, const char *path, struct progress_list *p, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON *account, *report = NULL;
	int    status;

	if (!client_call(r->client, "GET", path, NULL, &account, err))
		return remote_failed(r, err);
	/* there is none where nothing could be tried */
	client_call(r->client, "GET", arena_print(work, "%s/report", path), NULL, &report, NULL);
	if (r->json) {
		remote_print(account);
	} else {
		fputc('\n', stdout);
		print_verified(&p->list, account, report);
	}
	status = verified_status(account, report);
	cJSON_Delete(account);
	cJSON_Delete(report);
	return status;
}

static int watch(struct remote *r, const cJSON *account)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char          *id = json_text(account, "id"), *address = json_text(account, "address");
	struct progress_list p;
	struct error         err = { 0 };
	const char          *path;

	if (!id || !address) {
		fail(&err, FAULT_BROKEN, "%s: the answer is no account", client_base(r->client));
		return remote_failed(r, &err);
	}
	path = arena_print(work, "/v1/accounts/%s", client_word(id, work));
	progress_init(&p, stdout, r->lang, r->json ? NULL : address);
	if (watch_until_over(r, path, &p, &err))
		return tell_end(r, path, &p, &err);
	if (err.fault == FAULT_CANCELLED) {
		progress_break(&p);
		fail(&err, FAULT_CANCELLED, "no longer watched; the daemon goes on with it: mailmoor account show %s", id);
	}
	return remote_failed(r, &err);
}

/* -- the verbs ---------------------------------------------------------------------------------------------------- */

static void forget(cJSON *body)
{
	static const char *const secrets[] = { "password", "access_token", "refresh_token", "caldav_password" };

	for (size_t i = 0; i < COUNT(secrets); i++) {
		const char *secret = json_text(body, secrets[i]);

		if (secret)
			secret_wipe((void *)secret, strlen(secret));
	}
	cJSON_Delete(body);
}

static void add_server(cJSON *body, const struct options *o, enum service service)
{
	cJSON *server;

	if (!o->host[service])
		return;
	server = cJSON_AddObjectToObject(body, service_name(service));
	cJSON_AddStringToObject(server, "host", o->host[service]);
	if (o->port[service])
		cJSON_AddNumberToObject(server, "port", o->port[service]);
}

/* Beside the mailbox, or alone. */
static bool add_calendar(cJSON *body, const struct options *o, struct error *err)
{
	struct credentials own = { 0 };
	bool               fine = !o->caldav_password_file || credentials_read_password(&own, o->caldav_password_file, err);

	if (o->caldav_url)
		cJSON_AddStringToObject(body, "caldav_url", o->caldav_url);
	if (o->caldav_username)
		cJSON_AddStringToObject(body, "caldav_username", o->caldav_username);
	if (fine && own.password)
		cJSON_AddStringToObject(body, "caldav_password", own.password);
	credentials_release(&own);
	return fine;
}

/* What add and reconnect have in common; NULL with the error. Free with forget(). */
static cJSON *mailbox(const struct options *o, struct error *err)
{
	struct credentials c = { 0 };
	cJSON             *body = NULL;

	if (credentials_read_password(&c, o->password_file, err)) {
		body = cJSON_CreateObject();
		cJSON_AddStringToObject(body, "password", c.password);
		if (o->username)
			cJSON_AddStringToObject(body, "username", o->username);
		add_server(body, o, SERVICE_IMAP);
		add_server(body, o, SERVICE_SMTP);
		if (o->ews_url)
			cJSON_AddStringToObject(body, "ews_url", o->ews_url);
		if (o->impersonates)
			cJSON_AddTrueToObject(body, "impersonate");
		if (o->provider)
			cJSON_AddStringToObject(body, "provider", o->provider);
		if (!add_calendar(body, o, err)) {
			forget(body);
			body = NULL;
		}
	}
	credentials_release(&c);
	return body;
}

static int change_and_watch(struct remote *r, const char *path, const cJSON *body, struct error *err)
{
	cJSON *account;
	int    status;

	if (!client_call(r->client, "POST", path, body, &account, err)) {
		if (err->fault == FAULT_CANCELLED || err->fault == FAULT_TIMEOUT)
			fail(err, err->fault, "no answer was waited for; whether the daemon has done it shows mailmoor account list");
		return remote_failed(r, err);
	}
	status = watch(r, account);
	cJSON_Delete(account);
	return status;
}

static int add_to(struct remote *r, const struct options *o, const char *path, cJSON *body, struct error *err)
{
	int status;

	cJSON_AddStringToObject(body, "address", o->who);
	if (o->remote.lang)
		cJSON_AddStringToObject(body, "lang", r->lang->tag);
	if (o->external_id)
		cJSON_AddStringToObject(body, "external_id", o->external_id);
	if (o->rights_name || o->device)
		cJSON_AddStringToObject(body, "rights", rights_name(o->rights));
	status = change_and_watch(r, path, body, err);
	forget(body);
	return status;
}

/* Only the account that was asked for gets as far as here. */
static cJSON *granted(const struct oauth_grant *g, const char *username)
{
	cJSON *body = cJSON_CreateObject();

	if (g->access_token)
		cJSON_AddStringToObject(body, "access_token", g->access_token);
	if (g->refresh_token)
		cJSON_AddStringToObject(body, "refresh_token", g->refresh_token);
	if (g->scope)
		cJSON_AddStringToObject(body, "scope", g->scope);
	if (g->expires_at)
		cJSON_AddNumberToObject(body, "expires_at", (double)g->expires_at);
	if (g->granted_at)
		cJSON_AddNumberToObject(body, "granted_at", (double)g->granted_at);
	if (username)
		cJSON_AddStringToObject(body, "username", username);
	return body;
}

static int add_by_device(struct remote *r, struct options *o, const struct app *app, const struct net_settings *net)
{
	const enum rights          rights = o->rights_name ? o->rights : app->rights;
	const struct device_signin d = { o->who, o->username, &app->microsoft, rights, net, r->lang, r->json, SIGN_IN_MS };
	CLEANUP(report) struct report *report = NULL;
	struct signin_result got = { 0 };
	struct verdict       v;
	struct error         err = { 0 };

	o->rights = rights;
	report = device_sign_in(&d, &v, &got, &err);
	remote_listen();
	if (!report)
		return remote_failed(r, &err);
	return got.well ? add_to(r, o, "/v1/grants", granted(&got.grant, o->username), &err) : device_print_failure(&d, report, &v, false);
}

static cJSON *let_in(const struct options *o)
{
	cJSON *body = cJSON_CreateObject();

	if (o->provider)
		cJSON_AddStringToObject(body, "provider", o->provider);
	return body;
}

/* What was granted elsewhere, to the same registration. */
static int add_by_token(struct remote *r, const struct options *o)
{
	struct credentials c = { 0 };
	struct error       err = { 0 };
	cJSON             *body;
	int                status;

	if (!credentials_read_token(&c, o->token_file, &err))
		return remote_failed(r, &err);
	body = granted(&(struct oauth_grant){ c.token, c.refresh_token, c.scope, c.expires_at, c.granted_at }, o->username);
	cJSON_AddStringToObject(body, "provider", o->provider);
	status = add_to(r, o, "/v1/grants", body, &err);
	credentials_release(&c);
	return status;
}

static int add(struct remote *r, void *self)
{
	struct options    *o = self;
	struct net_options net = { 0 };
	struct app         app = { 0 };
	struct error       err = { 0 };
	cJSON             *body;
	int                status;

	if (o->tenant)
		return add_to(r, o, "/v1/tenant-accounts", let_in(o), &err);
	if (o->token_file)
		return add_by_token(r, o);
	if (o->device) {
		status = net_options_settings(&net, &r->settings, &err) && app_read(&app, &r->settings, &err)
		             ? add_by_device(r, o, &app, &net.net) : remote_failed(r, &err);
		app_release(&app);
		net_options_release(&net);
		return status;
	}
	body = mailbox(o, &err);
	return body ? add_to(r, o, "/v1/accounts", body, &err) : remote_failed(r, &err);
}

static int reconnect(struct remote *r, void *self)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct options *o = self;
	struct error    err = { 0 };
	cJSON          *body = mailbox(o, &err);
	const char     *path = body ? find(r, o->who, work, &err) : NULL;
	int             status = path ? change_and_watch(r, arena_print(work, "%s/reconnect", path), body, &err) : remote_failed(r, &err);

	forget(body);
	return status;
}

static int ask_and_watch(struct remote *r, const struct options *o, const char *what)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct error err = { 0 };
	const char  *path = find(r, o->who, work, &err);

	return path ? change_and_watch(r, arena_print(work, "%s/%s", path, what), NULL, &err) : remote_failed(r, &err);
}

static int verify(struct remote *r, void *self)
{
	return ask_and_watch(r, self, "verify");
}

static int resume(struct remote *r, void *self)
{
	return ask_and_watch(r, self, "resume");
}

static int pause_it(struct remote *r, void *self)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const struct options *o = self;
	struct error          err = { 0 };
	const char           *path = find(r, o->who, work, &err);
	cJSON                *account;

	if (!path || !client_call(r->client, "POST", arena_print(work, "%s/pause", path), NULL, &account, &err))
		return remote_failed(r, &err);
	if (r->json)
		remote_print(account);
	else
		puts("Paused: its connection is closed, and nothing is tried until it is resumed.");
	cJSON_Delete(account);
	return EXIT_CONNECTED;
}

/* What stays at its provider is for whoever owns the mailbox to take back. */
static void tell_left(const cJSON *removal)
{
	const cJSON *one;

	puts("Removed, with its password, its report and its address.");
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(removal, "left"))
		if (json_text(one, "text"))
			print_wrapped(stdout, json_text(one, "text"), 0, 0);
}

static int remove_it(struct remote *r, void *self)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const struct options *o = self;
	struct error          err = { 0 };
	const char           *path = find(r, o->who, work, &err);

	cJSON                *removal = NULL;

	if (!path || !client_call(r->client, "DELETE", path, NULL, &removal, &err))
		return remote_failed(r, &err);
	if (!r->json)
		tell_left(removal);
	else if (removal)
		remote_print(removal);
	cJSON_Delete(removal);
	return EXIT_CONNECTED;
}

static int list(struct remote *r, void *self)
{
	struct error err = { 0 };
	cJSON       *items = client_list(r->client, "/v1/accounts?limit=200", &err), *o;

	(void)self;
	if (!items)
		return remote_failed(r, &err);
	if (r->json) {
		o = cJSON_CreateObject();
		cJSON_AddItemToObject(o, "items", items);
		remote_print(o);
		cJSON_Delete(o);
	} else {
		print_accounts(stdout, items, r->lang);
		cJSON_Delete(items);
	}
	return EXIT_CONNECTED;
}

static int show(struct remote *r, void *self)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const struct options *o = self;
	struct error          err = { 0 };
	const char           *path = find(r, o->who, work, &err);
	cJSON                *account, *report = NULL;

	if (!path || !client_call(r->client, "GET", path, NULL, &account, &err))
		return remote_failed(r, &err);
	client_call(r->client, "GET", arena_print(work, "%s/report", path), NULL, &report, NULL);
	if (r->json)
		remote_print(account);
	else
		print_account(stdout, account, report, r->lang);
	cJSON_Delete(account);
	cJSON_Delete(report);
	return EXIT_CONNECTED;
}

static int run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &remote_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = { options, parse,
		"add ADDRESS\nlist\nshow ADDRESS|ID\nverify ADDRESS|ID\npause ADDRESS|ID\nresume ADDRESS|ID\nreconnect ADDRESS|ID\nremove ADDRESS|ID",
		"The accounts of a running daemon.\v"
		"What verifies an account (add, verify, resume, reconnect) shows each step when it ends, and then why it does not connect, if so. "
		"Exit status: 0 connected or done, 1 failed with a cause, 2 wrong usage, no daemon, a key that it does not take, no such account, "
		"3 unfinished, interrupted, or not now.", children, NULL, NULL };
	struct options o = { 0 };
	struct remote  r = { 0 };
	int            status = EXIT_USAGE;

	command_name(argv, "account");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && remote_open(&r, "mailmoor account", &o.remote, &status)) {
		remote_listen();
		status = o.verb->run(&r, &o);
	}
	remote_close(&r);
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++)
		free(o.host[s]);
	return status;
}

const struct command command_account = { "account", "VERB [ADDRESS|ID]", "the accounts of a running daemon", run };
