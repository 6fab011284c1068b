/* backup.c -- mailmoor backup FILE: all of the store into one file, whether the daemon runs or not. */
#include <stdio.h>

#include "cmd/command.h"
#include "serve/upkeep.h"

static int run(int argc, char **argv)
{
	static const struct argp argp = { file_command_options, file_command_parse, "FILE",
		"Copies all of the store into FILE, as of one moment, and checks the copy. The daemon may run. FILE must not be there yet.\v"
		"The keys that open the passwords in it are not in it: keep a copy of the key file too, elsewhere.", NULL, NULL, NULL };
	CLEANUP(arena) struct arena *work = arena_new();
	struct file_command o = { .question = "into which file?" };
	struct settings s = { 0 };
	struct error    err = { 0 };
	const char     *key_file;
	int             status = EXIT_USAGE;

	command_name(argv, "backup");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) == 0 && settings_read(&s, o.config, &err)
	    && upkeep_back_up(&s, o.file, work, &key_file, &err)) {
		printf("%s\n  is a whole store, and checked.\nThe passwords in it open only with the keys of\n  %s\nKeep a copy of that file too, and not beside this one.\n",
		       o.file, key_file);
		status = EXIT_CONNECTED;
	}
	if (err.fault)
		command_failed("mailmoor backup", err.text);
	settings_release(&s);
	return status;
}

const struct command command_backup = { "backup", "FILE", "the store into one file", run };
