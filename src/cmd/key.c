/* key.c -- mailmoor key add|list|revoke: API keys, by the API; the first one again, in a store whose daemon is stopped. */
#include <argp.h>
#include <stdio.h>

#include "cmd/remote.h"
#include "serve/upkeep.h"

#define SCOPES_MOST 6

enum { KEY_SCOPE = 1000, KEY_LOCAL, KEY_WORKSPACE };

enum { TAKES_SCOPE = 1, TAKES_LOCAL = 2 };

struct options {
	struct remote_options remote;
	const struct verb    *verb;
	const char           *what;           /* the new key's name, or an id */
	const char           *workspace;
	const char           *scope[SCOPES_MOST];
	unsigned              scopes, given;
	bool                  local;
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The new key:", 1 },
	{ "scope", KEY_SCOPE, "SCOPE", 0, "what it may do: accounts:read, accounts:write, events:read, webhooks:write, admin, operator (repeatable; admin unless given)", 1 },
	{ "local", KEY_LOCAL, NULL, 0, "without the API, in the store of a daemon that is stopped: for who has lost every key", 1 },
	{ "workspace", KEY_WORKSPACE, "NAME", 0, "where it is for, with --local, when there are several", 1 },
	{ 0 }
};

static int add(struct remote *, void *), list(struct remote *, void *), revoke(struct remote *, void *);

static const struct verb verbs[] = {
	{ "add",    "NAME", TAKES_SCOPE | TAKES_LOCAL, add },
	{ "list",   NULL,   0,                         list },
	{ "revoke", "ID",   0,                         revoke },
};

static void take_scope(struct options *o, const char *arg, struct argp_state *state)
{
	o->given |= TAKES_SCOPE;
	if (!upkeep_scope(arg))
		argp_error(state, "there is no scope \"%s\"", arg);
	else if (o->scopes == SCOPES_MOST)
		argp_error(state, "too many scopes");
	else
		o->scope[o->scopes++] = arg;
}

static void check(struct options *o, struct argp_state *state)
{
	if (!o->verb)
		argp_error(state, "what is to be done? add, list or revoke");
	else if (o->verb->argument && !o->what)
		argp_error(state, "%s", o->verb->run == add ? "what is it to be called?" : "which key?");
	else if (!o->verb->argument && o->what)
		argp_error(state, "%s: no argument is expected", o->what);
	else if (o->given & ~o->verb->options)
		argp_error(state, "%s takes no --scope, --local or --workspace", o->verb->name);
	else if (o->workspace && !o->local)
		argp_error(state, "--workspace goes with --local");
	else if (o->local && (o->remote.url || o->remote.key_file))
		argp_error(state, "--local speaks to no daemon and needs no key");
	if (o->scopes == 0)
		o->scope[o->scopes++] = "admin";
	if (o->local && !(o->given & TAKES_SCOPE))
		o->scope[o->scopes++] = "operator";
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &o->remote; return 0;
	case KEY_SCOPE:     take_scope(o, arg, state); return 0;
	case KEY_LOCAL:     o->local = true; o->given |= TAKES_LOCAL; return 0;
	case KEY_WORKSPACE: o->workspace = arg; o->given |= TAKES_LOCAL; return 0;
	case ARGP_KEY_ARG:
		if (!o->verb)
			o->verb = verb_find(verbs, COUNT(verbs), arg, state);
		else if (!o->what)
			o->what = arg;
		else
			argp_error(state, "one, please");
		return 0;
	case ARGP_KEY_END:  check(o, state); return 0;
	default:            return ARGP_ERR_UNKNOWN;
	}
}

/* -- the verbs ---------------------------------------------------------------------------------------------------- */

static void print_new(const char *id, const char *key)
{
	printf("%s\n", key);
	fflush(stdout);
	fprintf(stderr, "This is shown once, and kept nowhere. To take it back:\n  mailmoor key revoke %s\n", id);
}

static int add(struct remote *r, void *self)
{
	const struct options *o = self;
	cJSON                *body = cJSON_CreateObject(), *scopes, *made;
	struct error          err = { 0 };

	cJSON_AddStringToObject(body, "name", o->what);
	scopes = cJSON_AddArrayToObject(body, "scopes");
	for (unsigned i = 0; i < o->scopes; i++)
		cJSON_AddItemToArray(scopes, cJSON_CreateString(o->scope[i]));
	if (!client_call(r->client, "POST", "/v1/keys", body, &made, &err)) {
		cJSON_Delete(body);
		return remote_failed(r, &err);
	}
	if (r->json || !json_text(made, "key") || !json_text(made, "id"))
		remote_print(made);
	else
		print_new(json_text(made, "id"), json_text(made, "key"));
	cJSON_Delete(body);
	cJSON_Delete(made);
	return EXIT_CONNECTED;
}

static int add_locally(const struct options *o)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct settings s = { 0 };
	struct error    err = { 0 };
	unsigned        scopes = 0;
	const char     *id, *key;
	bool            fine;

	for (unsigned i = 0; i < o->scopes; i++)
		scopes |= upkeep_scope(o->scope[i]);
	fine = settings_read(&s, o->remote.config, &err) && upkeep_key(&s, o->workspace, o->what, scopes, work, &id, &key, &err);
	settings_release(&s);
	if (!fine) {
		command_failed("mailmoor key", err.fault != FAULT_BUSY ? err.text : arena_print(work, "%s, or ask it: mailmoor key add without --local", err.text));
		return EXIT_USAGE;
	}
	if (o->remote.json) {
		cJSON *made = cJSON_CreateObject();

		cJSON_AddStringToObject(made, "id", id);
		cJSON_AddStringToObject(made, "key", key);
		remote_print(made);
		cJSON_Delete(made);
	} else {
		print_new(id, key);
	}
	return EXIT_CONNECTED;
}

static void put_key(const cJSON *k)
{
	const cJSON *scope;
	char         when[20];
	bool         revoked = json_text(k, "revoked") != NULL;

	put_named(k);
	local_time(json_text(k, "last_used"), when);
	printf("%s\n   ", revoked ? "revoked" : *when ? when : "never used");
	cJSON_ArrayForEach(scope, cJSON_GetObjectItemCaseSensitive(k, "scopes"))
		if (cJSON_IsString(scope))
			printf(" %s", scope->valuestring);
	fputc('\n', stdout);
}

static int list(struct remote *r, void *self)
{
	(void)self;
	return remote_list(r, "/v1/keys", "LAST USED", put_key);
}

static int revoke(struct remote *r, void *self)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const struct options *o = self;
	struct error          err = { 0 };

	if (!client_call(r->client, "DELETE", arena_print(work, "/v1/keys/%s", client_word(o->what, work)), NULL, NULL, &err))
		return remote_failed(r, &err);
	if (!r->json)
		puts("Revoked: from now on the daemon does not take it.");
	return EXIT_CONNECTED;
}

static int run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &remote_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = { options, parse, "add NAME\nlist\nrevoke ID",
		"API keys of the workspace that your own key is of.\v"
		"A new key goes to standard output, once. It cannot have a scope that yours has not. With --local it has admin and operator unless --scope "
		"says otherwise, as the first key had.", children, NULL, NULL };
	struct options o = { 0 };
	struct remote  r = { 0 };
	int            status = EXIT_USAGE;

	command_name(argv, "key");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (o.local)
		return add_locally(&o);
	if (remote_open(&r, "mailmoor key", &o.remote, &status)) {
		remote_listen();
		status = o.verb->run(&r, &o);
	}
	remote_close(&r);
	return status;
}

const struct command command_key = { "key", "add|list|revoke", "API keys", run };
