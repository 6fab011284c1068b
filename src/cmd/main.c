/* main.c -- mailmoor COMMAND …: finds the command, says what there is. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/command.h"

static const struct command *const built[] = {
	&command_diagnose, &command_explain, &command_replay, &command_causes, &command_serve, &command_account, &command_key,
	&command_workspace, &command_config, &command_backup, &command_restore, &command_secrets, &command_doctor, &command_sandbox,
	&command_demo,
};

static void help(FILE *out)
{
	fputs("Usage: mailmoor COMMAND [OPTION...]\n\n"
	      "Connects mailboxes and, when that fails, says why, proves it, and says who must\ndo what.\n\n", out);
	for (size_t i = 0; i < COUNT(built); i++)
		fprintf(out, "  %-10s %-21s %s\n", built[i]->name, built[i]->arguments, built[i]->summary);
	fputs("\n  mailmoor COMMAND --help    the command's options\n"
	      "  mailmoor --version\n", out);
}

int main(int argc, char **argv)
{
	/* Widths of characters need a UTF-8 locale; words of ours never come from the C library's. */
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX < 3)
		setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		help(stdout);
		return EXIT_CONNECTED;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("mailmoor " MAILMOOR_VERSION);
		return EXIT_CONNECTED;
	}
	for (size_t i = 0; i < COUNT(built); i++)
		if (strcmp(argv[1], built[i]->name) == 0)
			return built[i]->run(argc - 1, argv + 1);
	fprintf(stderr, "mailmoor: there is no command \"%s\"; mailmoor --help lists them\n", argv[1]);
	return EXIT_USAGE;
}
