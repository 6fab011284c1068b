/* replay.c -- mailmoor replay FILE: the verdict of a recorded case again, without a network. */
#include <argp.h>

#include "cmd/command.h"
#include "cmd/print.h"
#include "model/record.h"

struct options {
	const char *lang, *file;
	bool        json, verbose;
};

enum { KEY_JSON = 1000 };

static const struct argp_option options[] = {
	{ "lang", 'l', "TAG", 0, "language of the texts; otherwise the locale's", 0 },
	{ "json", KEY_JSON, NULL, 0, "print one JSON object", 0 },
	{ "verbose", 'v', NULL, 0, "with every fact", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':          o->lang = arg; return 0;
	case 'v':          o->verbose = true; return 0;
	case KEY_JSON:     o->json = true; return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one file, please");
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "which file?");
		return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}

static void print(const struct options *o, const struct report *r, const struct verdict *v, const struct language *lang)
{
	struct checklist list;

	if (o->json) {
		print_json(stdout, r, v, lang);
		return;
	}
	checklist_init(&list, stdout, lang, o->verbose);
	for (size_t i = 0; i < r->step_count; i++)
		checklist_watch(&list, r, (int)i);
	print_verdict(&list, r, v);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "FILE", "The verdict of a case that diagnose --record has written, without a network.", NULL, NULL, NULL };
	CLEANUP(report) struct report *r = NULL;
	struct options         o = { 0 };
	struct error           err = { 0 };
	struct verdict         v;
	const struct language *lang;

	command_name(argv, "replay");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (!command_language(o.lang, &lang)) {
		fprintf(stderr, "mailmoor replay: there is no language \"%s\"\n", o.lang);
		return EXIT_USAGE;
	}
	r = record_read(o.file, &err);
	if (!r) {
		fprintf(stderr, "mailmoor replay: %s\n", err.text);
		return EXIT_USAGE;
	}
	diagnose(r, &v);
	print(&o, r, &v, lang);
	return exit_status_of(&v);
}

const struct command command_replay = { "replay", "FILE", "the verdict of a recorded case, offline", run };
