/* restore.c -- mailmoor restore FILE: a back-up in the place of the store, which is kept aside. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/command.h"
#include "serve/upkeep.h"

/* Whether the passwords in it are of any use is better known now than at the next start. */
static void tell(const struct restored *r)
{
	printf("The store is now that of the back-up:\n  %s\n", r->store);
	if (r->aside)
		printf("What was there before is\n  %s\n", r->aside);
	if (r->closed == 0)
		printf("All secrets in it (%" PRId64 ") open with the keys of\n  %s\n", r->secrets, r->key_file);
}

static void warn(const struct restored *r, struct arena *work)
{
	command_failed("mailmoor restore", arena_print(work, "%" PRId64 " of its %" PRId64 " secrets do not open with the keys of %s: put the key file "
	               "there that belongs to the back-up before the daemon starts", r->closed, r->secrets, r->key_file));
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { file_command_options, file_command_parse, "FILE",
		"Puts a back-up in the place of the store. The daemon must be stopped. FILE is checked first, and what was there is kept.\v"
		"Exit status 3: done, but some secrets in it do not open with the key file that is here.", NULL, NULL, NULL };
	CLEANUP(arena) struct arena *work = arena_new();
	struct file_command o = { .question = "from which file?" };
	struct settings s = { 0 };
	struct error    err = { 0 };
	struct restored done;
	int             status = EXIT_USAGE;

	command_name(argv, "restore");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && settings_read(&s, o.config, &err)
	    && upkeep_restore(&s, o.file, work, &done, &err)) {
		tell(&done);
		if (done.closed)
			warn(&done, work);
		status = done.closed ? EXIT_UNFINISHED : EXIT_CONNECTED;
	}
	if (err.fault)
		command_failed("mailmoor restore", err.text);
	settings_release(&s);
	return status;
}

const struct command command_restore = { "restore", "FILE", "and back", run };
