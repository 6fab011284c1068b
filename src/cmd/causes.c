/* causes.c -- mailmoor causes [--lang L] [--json]: the catalogue. */
#include <argp.h>
#include <stdlib.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "diagnose/report_json.h"
#include "diagnose/tell.h"

struct options {
	const char *lang;
	bool        json;
};

enum { KEY_JSON = 1000 };

static const struct argp_option options[] = {
	{ "lang", 'l', "TAG", 0, "language of the texts (en fi de pl th nl); otherwise the locale's", 0 },
	{ "json", KEY_JSON, NULL, 0, "a list of {id, who, title, why, fix, links, aliases, lang}", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':          o->lang = arg; return 0;
	case KEY_JSON:     o->json = true; return 0;
	case ARGP_KEY_ARG: argp_error(state, "%s: no argument is expected", arg); return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}

static cJSON *row(enum cause cause, const struct language *lang, struct arena *work)
{
	cJSON      *o = cJSON_CreateObject();
	struct told t;

	tell_cause(cause, lang, work, &t);
	cJSON_AddStringToObject(o, "id", cause_row(cause)->id);
	cJSON_AddStringToObject(o, "who", who_name(cause_row(cause)->who));
	told_json(o, &t, lang);
	return o;
}

static void print_list(const struct language *lang)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON *list = cJSON_CreateArray();
	char  *text;

	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		cJSON_AddItemToArray(list, row((enum cause)c, lang, work));
	text = json_write(list);
	puts(text);
	free(text);
	cJSON_Delete(list);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, NULL, "The catalogue of causes: every id with its texts.", NULL, NULL, NULL };
	struct options         o = { 0 };
	const struct language *lang;

	command_name(argv, "causes");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (!command_language(o.lang, &lang)) {
		fprintf(stderr, "mailmoor causes: there is no language \"%s\"\n", o.lang);
		return EXIT_USAGE;
	}
	if (o.json) {
		print_list(lang);
		return EXIT_CONNECTED;
	}
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		print_cause(stdout, (enum cause)c, lang);
	if (!lang->reviewed && lang != language_english())
		puts(catalogue_text(lang, "ui/catalogue.machine"));
	return EXIT_CONNECTED;
}

const struct command command_causes = { "causes", "[--lang L] [--json]", "the catalogue of causes", run };
