#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/wrap.h"

void command_name(char *argv0[], const char *name)
{
	static char full[40];

	snprintf(full, sizeof full, "mailmoor %s", name);
	argv0[0] = full;
}

bool command_language(const char *wanted, const struct language **out)
{
	static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	if (wanted) {
		const struct language *lang = language_find(wanted);

		if (lang)
			*out = lang;
		return lang != NULL;
	}
	*out = language_english();
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *name = getenv(variables[i]);

		if (name && *name) {
			const struct language *lang = language_find(name);

			if (lang)
				*out = lang;
			return true;
		}
	}
	return true;
}

bool command_host(const char *arg, char **host, uint16_t *port)
{
	const char        *bracket = arg[0] == '[' ? strchr(arg, ']') : NULL;
	const char        *colon = bracket ? (bracket[1] == ':' ? bracket + 1 : NULL) : strrchr(arg, ':');
	unsigned long long n = 0;
	struct slice       name;

	if (arg[0] == '[' && (!bracket || (bracket[1] && bracket[1] != ':')))
		return false;
	if (!bracket && colon && strchr(arg, ':') != colon)
		colon = NULL;      /* a bare IPv6 address */
	name = bracket ? slice(arg + 1, (size_t)(bracket - arg - 1)) : colon ? slice(arg, (size_t)(colon - arg)) : slice_str(arg);
	if (name.len == 0 || name.len > 253 || (colon && (!slice_number(slice_str(colon + 1), 65535, &n) || n == 0)))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.at[i] <= ' ' || strchr("/@\\\"'", name.at[i]))
			return false;
	free(*host);
	*host = must_alloc(name.len + 1);
	memcpy(*host, name.at, name.len);
	*port = (uint16_t)n;
	return true;
}

static char *clean(const char *text)
{
	char  *out = NULL;
	size_t len;
	FILE  *f = open_memstream(&out, &len);

	if (!f)
		exit(EXIT_INTERNAL);
	put_text(f, text);
	fclose(f);
	return out;
}

void command_failed(const char *command, const char *text)
{
	char *shown = clean(text);

	fflush(stdout);
	fprintf(stderr, "%s: ", command);
	print_wrapped(stderr, shown, strlen(command) + 2, 2);
	free(shown);
}

int exit_status_of(const struct verdict *v)
{
	bool unknown = verdict_is_unknown(v);

	switch (v->kind) {
	case VERDICT_CONNECTED:  return EXIT_CONNECTED;
	case VERDICT_FAILED:
	case VERDICT_PARTIAL:    return unknown ? EXIT_UNFINISHED : EXIT_CAUSE;
	case VERDICT_UNFINISHED: return EXIT_UNFINISHED;
	case VERDICT_EXPLAINED:  return unknown ? EXIT_UNFINISHED : EXIT_CONNECTED;
	}
	return EXIT_INTERNAL;
}

enum { KEY_CONFIG = 1000 };

const struct argp_option file_command_options[] = {
	{ "config", KEY_CONFIG, "FILE", 0, "settings file", 0 },
	{ 0 }
};

error_t file_command_parse(int key, char *arg, struct argp_state *state)
{
	struct file_command *c = state->input;

	switch (key) {
	case KEY_CONFIG:   c->config = arg; return 0;
	case ARGP_KEY_ARG:
		if (c->file)
			argp_error(state, "one file, please");
		c->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!c->file)
			argp_error(state, "%s", c->question);
		return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}
