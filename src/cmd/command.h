/* command.h -- one file per command, one row each; exit statuses are an API. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include <stdint.h>

#include <argp.h>

#include "diagnose/catalogue.h"
#include "diagnose/diagnose.h"

enum exit_status {
	EXIT_CONNECTED  = 0,      /* or: done                                        */
	EXIT_CAUSE      = 1,      /* failed or partial, with a cause                 */
	EXIT_USAGE      = 2,
	EXIT_UNFINISHED = 3,      /* something is needed, or unknown.answer          */
	EXIT_INTERNAL   = 70,
};

struct command {
	const char *name;
	const char *arguments;                    /* as --help shows them                     */
	const char *summary;                      /* one line                                 */
	int       (*run)(int argc, char **argv);  /* NULL: comes with a later version         */
};

extern const struct command command_diagnose, command_explain, command_replay, command_causes, command_serve, command_account, command_key,
	command_workspace, command_backup, command_restore, command_secrets, command_config, command_doctor, command_sandbox,
	command_demo;

/* argv[0] of a command as argp shows it: "mailmoor diagnose". */
void command_name(char *argv0[], const char *name);

/* --lang, else LC_ALL, LC_MESSAGES, LANG; English when there is no such language. False when --lang names none. */
bool command_language(const char *wanted, const struct language **out);

/* "imap.example.org", "imap.example.org:143", "[2001:db8::1]:993": the host, from the heap, without brackets in place of what `*host`
 * was, and the port, 0 when none is said. */
bool command_host(const char *text, char **host, uint16_t *port);

/* "mailmoor account: …" on standard error, in lines of a terminal's width. What would move the cursor is shown as "?". */
void command_failed(const char *command, const char *text);

int exit_status_of(const struct verdict *);

/* Of a command whose one argument is a file: what to ask when it is missing goes in. */
struct file_command {
	const char *question;
	const char *config, *file;
};

extern const struct argp_option file_command_options[];
error_t file_command_parse(int key, char *arg, struct argp_state *);      /* its input is a struct file_command */

#endif
