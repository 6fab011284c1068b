/* config.c -- mailmoor config: the settings in force and where each comes from, as a file that --config takes. */
#include <argp.h>
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/wrap.h"
#include "serve/upkeep.h"

#define REMARK_COLUMN 56

struct options {
	const char *config;
	bool        check;
};

enum { KEY_CONFIG = 1000, KEY_CHECK };

static const struct argp_option options[] = {
	{ "config", KEY_CONFIG, "FILE", 0, "settings file", 0 },
	{ "check", KEY_CHECK, NULL, 0, "print nothing, only say what is wrong", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CONFIG:   o->config = arg; return 0;
	case KEY_CHECK:    o->check = true; return 0;
	case ARGP_KEY_ARG: argp_error(state, "%s: no argument is expected", arg); return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}

static bool is_secret(const struct setting_row *row)
{
	return slice_ends(slice_str(row->key), "secret") || slice_ends(slice_str(row->key), "password");
}

/* What stands between "scheme://name:" and "@" signs somebody in. */
static const char *without_password(const char *value, struct arena *work)
{
	const char *place = strstr(value, "://"), *colon, *at;

	if (!place)
		return value;
	place += 3;
	at = memchr(place, '@', strcspn(place, "/?#"));
	colon = at ? memchr(place, ':', (size_t)(at - place)) : NULL;
	return colon ? arena_print(work, "%.*s…%s", (int)(colon + 1 - value), value, at) : value;
}

static void print_setting(const struct settings *s, enum setting which)
{
	static const char *const from[] = { [FROM_DEFAULT] = "default", [FROM_FILE] = "file", [FROM_ENVIRONMENT] = "environment",
	                                    [FROM_COMMAND_LINE] = "command line" };
	CLEANUP(arena) struct arena *work = arena_new();
	const struct setting_row *row = &setting_rows[which];
	const char               *line;

	if (!s->value[which]) {
		printf("; %s is not set\n", row->key);
		return;
	}
	line = is_secret(row) ? arena_print(work, "; %s is set, and not shown", row->key)
	                      : arena_print(work, "%s = %s", row->key, without_password(s->value[which], work));
	print_padded(stdout, line, REMARK_COLUMN);
	printf(" ; %s\n", from[s->from[which]]);
}

static void print_all(const struct settings *s)
{
	const char *section = "";

	for (enum setting i = 0; i < SETTINGS; i++) {
		if (strcmp(section, setting_rows[i].section) != 0)
			printf("%s[%s]\n", *section ? "\n" : "", setting_rows[i].section);
		section = setting_rows[i].section;
		print_setting(s, i);
	}
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "",
		"Prints every setting in force and where it comes from: the default, the file, the environment. Secrets are not shown. The output is a settings file.\v"
		"Exit status: 0, or 2 when there is something that the daemon could not read; standard error says what.", NULL, NULL, NULL };
	struct options  o = { 0 };
	struct settings s = { 0 };
	struct error    err = { 0 };
	int             status = EXIT_USAGE;

	command_name(argv, "config");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && settings_read(&s, o.config, &err)) {
		if (!o.check)
			print_all(&s);
		fflush(stdout);
		if (upkeep_check_settings(&s, &err))
			status = EXIT_CONNECTED;
	}
	if (err.fault)
		command_failed("mailmoor config", err.text);
	settings_release(&s);
	return status;
}

const struct command command_config = { "config", "[--check]", "the settings in force", run };
