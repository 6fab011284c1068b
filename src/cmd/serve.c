/* serve.c -- mailmoor serve: the daemon. Runs in the foreground, logs to standard error, ends on SIGTERM and Ctrl-C. */
#include <argp.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd/command.h"
#include "serve/serve.h"

struct options {
	const char *config;
};

enum { KEY_CONFIG = 1000 };

static const struct argp_option options[] = {
	{ "config", KEY_CONFIG, "FILE", 0, "settings file (see mailmoor.conf(5))", 0 },
	{ "verbose", 'v', NULL, 0, "log more", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CONFIG: o->config = arg; return 0;
	case 'v':        log_down_to(LOG_DETAIL); return 0;
	default:         return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "",
		"Keeps mailboxes connected: pages on which people connect them, an API, webhooks, and a watch over each of them. "
		"At the first start it makes its store and its key file, and prints the first API key, once.\v"
		"Without settings it listens on 127.0.0.1:8325 only and keeps everything in one directory: $STATE_DIRECTORY, /var/lib/mailmoor for "
		"root, or ~/.local/state/mailmoor.", NULL, NULL, NULL };
	struct options  o = { 0 };
	struct settings s = { 0 };
	struct error    err = { 0 };
	int             status = EXIT_USAGE;

	command_name(argv, "serve");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && settings_read(&s, o.config, &err) && serve_run(&s, stdout, &err))
		status = EXIT_CONNECTED;
	if (err.fault)
		fprintf(stderr, "mailmoor serve: %s\n", err.text);
	settings_release(&s);
	return status;
}

const struct command command_serve = { "serve", "[OPTION...]", "the daemon: pages, API, webhooks, a watch", run };
