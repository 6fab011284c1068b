/* remote.h -- what the commands that speak to a running daemon share: their options, the key, what a failure is called. */
#ifndef CMD_REMOTE_H
#define CMD_REMOTE_H

#include <argp.h>

#include "base/settings.h"
#include "client/client.h"
#include "cmd/command.h"

struct remote_options {
	const char *url, *key_file, *config, *lang;
	bool        json;
};

/* For argp_child: its input is a struct remote_options. */
extern const struct argp remote_argp;

struct remote {
	const char            *command;          /* "mailmoor account" */
	struct settings        settings;
	const struct language *lang;
	struct client         *client;
	bool                   json;
};

/* Settings, language and key are read, nothing is asked yet. False: it has been said what is wrong; `*status` is to be the exit status.
 * remote_close() is in order either way. */
bool remote_open(struct remote *, const char *command, const struct remote_options *, int *status);
void remote_close(struct remote *);

/* Says what went wrong; the exit status. */
int remote_failed(const struct remote *, const struct error *);

/* --json: what the API answered, and a line end. */
void remote_print(const cJSON *);

/* What the API lists at `path`: with --json as it was answered, else a table of names and ids with `third` as the head of what
 * put_named() leaves to `put`. The exit status. */
int remote_list(const struct remote *, const char *path, const char *third, void (*put)(const cJSON *item));
/* The first two columns of a row, and the gap behind them. */
void put_named(const cJSON *item);

/* Ctrl-C and the like end what is under way; pressed again, the program. */
void remote_listen(void);

/* One verb of a command ("account add"): which it is, and whether its argument and options are its own. */
struct verb {
	const char *name;
	const char *argument;         /* what it needs ("ADDRESS"), NULL nothing */
	unsigned    options;          /* bits of the command's own options that it takes */
	int       (*run)(struct remote *, void *options);
};

/* The verb of that name. Ends the program with a word on usage when there is none. */
const struct verb *verb_find(const struct verb *, size_t count, const char *name, struct argp_state *);

/* "2026-11-22 02:11" where we are, of "2026-11-22T02:11:05.120Z"; "" of NULL or what is no such time. */
const char *local_time(const char *utc, char out[20]);

#endif
