/* doctor.c -- mailmoor doctor: is this machine fit to run the daemon, and does it? */
#include <argp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/wrap.h"
#include "serve/doctor.h"

struct options {
	struct doctor_wishes wishes;
	bool                 json;
};

enum { KEY_CONFIG = 1000, KEY_EGRESS, KEY_HERE, KEY_JSON };

static const struct argp_option options[] = {
	{ "config", KEY_CONFIG, "FILE", 0, "settings file that the daemon is started with (" DOCTOR_CONFIG " where it is there)", 0 },
	{ "egress", KEY_EGRESS, "HOST", 0, "knock at this host's ports 443, 993, 465, 587 and 25: may one leave here to them?", 0 },
	{ "here", KEY_HERE, NULL, 0, "only what can be seen without asking anybody else", 0 },
	{ "json", KEY_JSON, NULL, 0, "print one JSON object", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CONFIG:   o->wishes.config = arg; return 0;
	case KEY_EGRESS:   o->wishes.egress = arg; return 0;
	case KEY_HERE:     o->wishes.here = true; return 0;
	case KEY_JSON:     o->json = true; return 0;
	case ARGP_KEY_ARG: argp_error(state, "%s: no argument is expected", arg); return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}

/* -- what was found ----------------------------------------------------------------------------------------------- */

#define STATE_WIDTH 9
#define LABEL_WIDTH 18
#define ADVICES     40

struct told {
	FILE         *out;
	bool          colour;
	cJSON        *list;          /* NULL: for people                    */
	struct arena *work;
	size_t        count[REMARK_SKIPPED + 1];
	struct { const char *label, *text; } advice[ADVICES];
	size_t        advices;
};

static void tell_json(struct told *t, const struct remark *f)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", f->id);
	cJSON_AddStringToObject(o, "state", remark_state_name(f->state));
	cJSON_AddStringToObject(o, "label", f->label);
	cJSON_AddStringToObject(o, "text", f->text);
	if (f->advice)
		cJSON_AddStringToObject(o, "advice", f->advice);
	cJSON_AddItemToArray(t->list, o);
}

/* What is said by a foreign server is shown without what it could do to a terminal. */
static const char *harmless(struct arena *into, const char *text)
{
	char *copy = arena_str(into, text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return copy;
}

static void tell_line(struct told *t, const struct remark *f)
{
	static const char *const colour[] = { "\033[32m", "\033[33m", "\033[31m", "\033[2m" };

	fprintf(t->out, "  %s", t->colour ? colour[f->state] : "");
	print_padded(t->out, remark_state_name(f->state), STATE_WIDTH);
	fputs(t->colour ? "\033[0m" : "", t->out);
	print_padded(t->out, f->label, LABEL_WIDTH);
	fprintf(t->out, "%s\n", harmless(t->work, f->text));
	fflush(t->out);
	if (f->advice && t->advices < ADVICES) {
		t->advice[t->advices].label = arena_str(t->work, f->label);
		t->advice[t->advices++].text = arena_str(t->work, f->advice);
	}
}

static void found(void *self, const struct remark *f)
{
	struct told *t = self;

	t->count[f->state]++;
	if (t->list)
		tell_json(t, f);
	else
		tell_line(t, f);
}

static void tell_advice(const struct told *t)
{
	for (size_t i = 0; i < t->advices; i++) {
		if (i == 0)
			fputs("\nWhat to do\n", t->out);
		print_padded(t->out, "", 2);
		print_padded(t->out, t->advice[i].label, LABEL_WIDTH);
		print_wrapped(t->out, t->advice[i].text, 2 + LABEL_WIDTH, 2 + LABEL_WIDTH);
	}
	fputc('\n', t->out);
	for (enum remark_state s = REMARK_PASSED; s <= REMARK_SKIPPED; s++)
		fprintf(t->out, "%s%zu %s", s ? ", " : "", t->count[s], remark_state_name(s));
	fputc('\n', t->out);
}

static void print_whole(const struct told *t, bool fine)
{
	cJSON *o = cJSON_CreateObject();
	char  *text;

	cJSON_AddStringToObject(o, "schema", "mailmoor.doctor.v1");
	cJSON_AddStringToObject(o, "version", MAILMOOR_VERSION);
	cJSON_AddBoolToObject(o, "fine", fine);
	cJSON_AddItemToObject(o, "remarks", t->list);
	text = json_write(o);
	puts(text);
	free(text);
	cJSON_Delete(o);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "",
		"Looks at this system's own set-up and says what it sees: settings, files, keys, the store, the daemon, limits, the clock, the name server, "
		"base_url, the BCC domain. Changes nothing. As root it looks with the rights of whom the state directory belongs to.\v"
		"Nobody is connected to but the daemon, the name server, this system's own names, and servers that accounts are connected to anyway.",
		NULL, NULL, NULL };
	CLEANUP(arena) struct arena *work = arena_new();
	struct options o = { 0 };
	struct told    t = { .out = stdout, .work = work, .colour = isatty(STDOUT_FILENO) && !(getenv("NO_COLOR") && *getenv("NO_COLOR")) };
	bool           fine;

	command_name(argv, "doctor");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (o.json)
		t.list = cJSON_CreateArray();
	else
		puts("Mailmoor " MAILMOOR_VERSION "\n");
	fine = doctor_run(&o.wishes, found, &t);
	if (o.json)
		print_whole(&t, fine);
	else
		tell_advice(&t);
	return fine ? EXIT_CONNECTED : EXIT_CAUSE;
}

const struct command command_doctor = { "doctor", "[OPTION...]", "is this machine fit to run it, and does it run?", run };
