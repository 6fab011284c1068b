#include "cmd/remote.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/wrap.h"
#include "flow.h"

#define KEY_PREFIX "mm_"
#define NAME_WIDTH 26
#define ID_WIDTH   26

enum { KEY_URL = 2000, KEY_KEY_FILE, KEY_KEY, KEY_CONFIG, KEY_JSON };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The daemon:", 8 },
	{ "url", KEY_URL, "URL", 0, "where it is; otherwise [web] base_url or listen of the settings", 8 },
	{ "key-file", KEY_KEY_FILE, "FILE", 0, "an API key; otherwise the variable MAILMOOR_KEY. - is standard input", 8 },
	{ "key", KEY_KEY, "KEY", OPTION_HIDDEN, NULL, 8 },
	{ "config", KEY_CONFIG, "FILE", 0, "settings file", 8 },
	{ NULL, 0, NULL, 0, "The answer:", 9 },
	{ "lang", 'l', "TAG", 0, "language of the texts (en fi de pl th nl); otherwise the locale's", 9 },
	{ "json", KEY_JSON, NULL, 0, "print JSON, as the API has it", 9 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct remote_options *o = state->input;

	switch (key) {
	case KEY_URL:      o->url = arg; return 0;
	case KEY_KEY_FILE: o->key_file = arg; return 0;
	case KEY_CONFIG:   o->config = arg; return 0;
	case 'l':          o->lang = arg; return 0;
	case KEY_JSON:     o->json = true; return 0;
	case KEY_KEY:
		/* everybody on this machine can read a command line */
		argp_error(state, "a key on the command line is not taken:\n  use --key-file FILE, or the variable MAILMOOR_KEY");
		return 0;
	default:           return ARGP_ERR_UNKNOWN;
	}
}

const struct argp remote_argp = { options, parse, NULL, NULL, NULL, NULL, NULL };

/* -- beginning and end -------------------------------------------------------------------------------------------- */

static bool is_key(const char *text)
{
	struct slice s = slice_str(text);

	return slice_starts(s, KEY_PREFIX) && s.len < 200 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == s.len;
}

static bool read_key(const struct remote_options *o, struct credentials *c, struct error *err)
{
	const char *variable = getenv("MAILMOOR_KEY");

	if (o->key_file) {
		if (!credentials_read_password(c, o->key_file, err))
			return false;
	} else if (variable && *variable) {
		credentials_take_password(c, slice_str(variable));
	} else {
		return fail(err, FAULT_MALFORMED, "an API key is needed: --key-file FILE or MAILMOOR_KEY (the first start of the daemon showed one)");
	}
	return is_key(c->password) || fail(err, FAULT_MALFORMED, "%s: no API key; they begin with " KEY_PREFIX, o->key_file ? o->key_file : "MAILMOOR_KEY");
}

bool remote_open(struct remote *r, const char *command, const struct remote_options *o, int *status)
{
	struct credentials key = { 0 };
	struct error       err = { 0 };

	*r = (struct remote){ .command = command, .lang = language_english(), .json = o->json };
	if (!command_language(o->lang, &r->lang))
		fail(&err, FAULT_MALFORMED, "there is no language \"%s\"", o->lang);
	else if (settings_read(&r->settings, o->config, &err) && read_key(o, &key, &err))
		r->client = client_new(&r->settings, o->url, key.password, r->lang->tag, &err);
	credentials_release(&key);
	if (r->client)
		return true;
	*status = remote_failed(r, &err);
	return false;
}

void remote_close(struct remote *r)
{
	client_free(r->client);
	settings_release(&r->settings);
}

int remote_failed(const struct remote *r, const struct error *err)
{
	command_failed(r->command, err->text);
	if (err->fault == FAULT_CANCELLED || err->fault == FAULT_BUSY || err->fault == FAULT_TIMEOUT)
		return EXIT_UNFINISHED;
	/* what the API calls by the name of a cause is one */
	return cause_find(err->step) != CAUSE_NONE ? EXIT_CAUSE : EXIT_USAGE;
}

void remote_print(const cJSON *json)
{
	char *text = json_write(json);

	puts(text);
	free(text);
}

static void put_columns(const char *name, const char *id)
{
	put_cell(stdout, name, NAME_WIDTH);
	fputs("  ", stdout);
	put_cell(stdout, id, ID_WIDTH);
	fputs("  ", stdout);
}

void put_named(const cJSON *item)
{
	const char *name = json_text(item, "name"), *id = json_text(item, "id");

	put_columns(name ? name : "", id ? id : "");
}

int remote_list(const struct remote *r, const char *path, const char *third, void (*put)(const cJSON *item))
{
	struct error err = { 0 };
	cJSON       *all, *item;

	if (!client_call(r->client, "GET", path, NULL, &all, &err))
		return remote_failed(r, &err);
	if (r->json) {
		remote_print(all);
	} else {
		put_columns("NAME", "ID");
		puts(third);
		cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(all, "items"))
			put(item);
	}
	cJSON_Delete(all);
	return EXIT_CONNECTED;
}

static void on_signal(int number)
{
	(void)number;
	client_stop();
	/* who presses it again means it */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

void remote_listen(void)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
}

const struct verb *verb_find(const struct verb *verbs, size_t count, const char *name, struct argp_state *state)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	argp_error(state, "there is no \"%s\" here", name);
	return NULL;
}

/* -- printing ----------------------------------------------------------------------------------------------------- */

const char *local_time(const char *utc, char out[20])
{
	struct tm tm = { 0 };
	time_t    when;

	*out = '\0';
	if (!utc || !strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm))
		return out;
	when = timegm(&tm);
	if (localtime_r(&when, &tm))
		strftime(out, 20, "%Y-%m-%d %H:%M", &tm);
	return out;
}
