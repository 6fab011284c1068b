/* explain.c -- mailmoor explain TEXT|-: what an error text from anywhere means. */
#include <argp.h>

#include "base/buffer.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "diagnose/explain.h"

#define LONGEST (1024 * 1024)

struct options {
	const char *lang, *text;
	bool        json;
};

enum { KEY_JSON = 1000 };

static const struct argp_option options[] = {
	{ "lang", 'l', "TAG", 0, "language of the texts; otherwise the locale's", 0 },
	{ "json", KEY_JSON, NULL, 0, "print one JSON object", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':      o->lang = arg; return 0;
	case KEY_JSON: o->json = true; return 0;
	case ARGP_KEY_ARG:
		if (o->text)
			argp_error(state, "one text: put it in quotes, or use - and standard input");
		o->text = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->text)
			argp_error(state, "which text? (- is standard input)");
		return 0;
	default:       return ARGP_ERR_UNKNOWN;
	}
}

/* Standard input up to the limit; what comes behind it is not looked at. */
static const char *read_input(struct arena *into)
{
	struct buffer bytes;
	const char   *text;

	buffer_init(&bytes, LONGEST);
	for (;;) {
		size_t room = 64 * 1024, got;
		char  *at = buffer_room(&bytes, &room);

		if (!at || (got = fread(at, 1, room, stdin)) == 0)
			break;
		buffer_grew(&bytes, got);
	}
	text = arena_copy(into, buffer_held(&bytes));
	buffer_release(&bytes);
	return text;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "TEXT|-", "What an error text means: a reply of a mail server, a bounce message, a line of another program's log.", NULL, NULL, NULL };
	CLEANUP(report) struct report *r = report_new("");
	CLEANUP(arena) struct arena   *work = arena_new();
	struct options         o = { 0 };
	struct verdict         v;
	const struct language *lang;

	command_name(argv, "explain");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (!command_language(o.lang, &lang)) {
		fprintf(stderr, "mailmoor explain: there is no language \"%s\"\n", o.lang);
		return EXIT_USAGE;
	}
	explain_facts(r, strcmp(o.text, "-") == 0 ? read_input(work) : o.text);
	diagnose_pasted(r, &v);
	if (o.json) {
		print_json(stdout, r, &v, lang);
	} else {
		struct checklist list;

		checklist_init(&list, stdout, lang, false);
		print_verdict(&list, r, &v);
	}
	return exit_status_of(&v);
}

const struct command command_explain = { "explain", "[--lang L] TEXT|-", "what an error text means", run };
