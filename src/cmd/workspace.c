/* workspace.c -- mailmoor workspace add|list: whose accounts they are, by the API; for a key of scope operator. */
#include <argp.h>
#include <stdio.h>

#include "cmd/remote.h"
#include "cmd/wrap.h"

struct options {
	struct remote_options remote;
	const struct verb    *verb;
	const char           *name;
};

static int add(struct remote *, void *), list(struct remote *, void *);

static const struct verb verbs[] = {
	{ "add",  "NAME", 0, add },
	{ "list", NULL,   0, list },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &o->remote; return 0;
	case ARGP_KEY_ARG:
		if (!o->verb)
			o->verb = verb_find(verbs, COUNT(verbs), arg, state);
		else if (!o->name && o->verb->argument)
			o->name = arg;
		else
			argp_error(state, "%s: no argument is expected", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->verb)
			argp_error(state, "what is to be done? add or list");
		else if (o->verb->argument && !o->name)
			argp_error(state, "what is it to be called?");
		return 0;
	default:            return ARGP_ERR_UNKNOWN;
	}
}

static void put_detail(const char *name, const char *text)
{
	printf("  %-14s", name);
	put_text(stdout, text);
	fputc('\n', stdout);
}

static int add(struct remote *r, void *self)
{
	const struct options *o = self;
	cJSON                *body = cJSON_CreateObject(), *made = NULL;
	struct error          err = { 0 };
	int                   status = EXIT_CONNECTED;

	cJSON_AddStringToObject(body, "name", o->name);
	if (!client_call(r->client, "POST", "/v1/workspaces", body, &made, &err)) {
		status = remote_failed(r, &err);
	} else if (r->json || !json_text(made, "id") || !json_text(made, "key")) {
		remote_print(made);
	} else {
		put_detail("id", json_text(made, "id"));
		if (json_text(made, "bcc_address"))
			put_detail("BCC address", json_text(made, "bcc_address"));
		put_detail("its first key", json_text(made, "key"));
		fputs("\nThe key is shown once, and kept nowhere.\n", stdout);
	}
	cJSON_Delete(body);
	cJSON_Delete(made);
	return status;
}

static void put_workspace(const cJSON *w)
{
	const char *bcc = json_text(w, "bcc_address");
	char        when[20];

	put_named(w);
	printf("%s\n", local_time(json_text(w, "created"), when));
	if (bcc)
		printf("    mail to %s\n", bcc);
}

static int list(struct remote *r, void *self)
{
	(void)self;
	return remote_list(r, "/v1/workspaces", "SINCE", put_workspace);
}

static int run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &remote_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = { NULL, parse, "add NAME\nlist",
		"The workspaces of a running daemon: each has accounts, keys and a BCC address of its own, and sees nothing of another. "
		"Your key must be of scope operator.", children, NULL, NULL };
	struct options o = { 0 };
	struct remote  r = { 0 };
	int            status = EXIT_USAGE;

	command_name(argv, "workspace");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && remote_open(&r, "mailmoor workspace", &o.remote, &status)) {
		remote_listen();
		status = o.verb->run(&r, &o);
	}
	remote_close(&r);
	return status;
}

const struct command command_workspace = { "workspace", "add|list", "whose accounts they are", run };
