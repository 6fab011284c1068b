/* secrets.c -- mailmoor secrets rotate: another key for the passwords and tokens in the store. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

#include "cmd/command.h"
#include "serve/upkeep.h"

struct options {
	const char *config;
	bool        rotate;
};

enum { KEY_CONFIG = 1000 };

static const struct argp_option options[] = {
	{ "config", KEY_CONFIG, "FILE", 0, "settings file", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CONFIG:   o->config = arg; return 0;
	case ARGP_KEY_ARG:
		if (o->rotate || strcmp(arg, "rotate") != 0)
			argp_error(state, "there is no \"%s\" here", arg);
		o->rotate = true;
		return 0;
	case ARGP_KEY_END:
		if (!o->rotate)
			argp_error(state, "what is to be done? rotate");
		return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "rotate",
		"Makes a new key, seals every secret of the store anew with it, and then drops the old keys. The daemon must be stopped. Broken off at any "
		"moment, everything still opens, and the next time ends it.\v"
		"Back-ups of before need the old key file: keep its copy as long as you keep them.", NULL, NULL, NULL };
	struct options  o = { 0 };
	struct settings s = { 0 };
	struct error    err = { 0 };
	int64_t         secrets;
	int             status = EXIT_USAGE;

	command_name(argv, "secrets");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && settings_read(&s, o.config, &err) && upkeep_rotate(&s, &secrets, &err)) {
		printf("%" PRId64 " %s sealed with a new key; the old one is gone from the key file.\nBack-ups of before still need it.\n", secrets,
		       secrets == 1 ? "secret is" : "secrets are");
		status = EXIT_CONNECTED;
	}
	if (err.fault)
		command_failed("mailmoor secrets", err.text);
	settings_release(&s);
	return status;
}

const struct command command_secrets = { "secrets", "rotate", "a new key for the sealed secrets", run };
