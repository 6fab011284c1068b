/* sandbox.c -- mailmoor sandbox: an emulated Exchange organisation on loopback, with any fault to order. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/wrap.h"
#include "sandbox/sandbox.h"

struct options {
	struct sandbox_wishes wishes;
	bool                  json, faults;
};

enum {
	KEY_EXCHANGE = 1000, KEY_FAULT, KEY_FAULTS, KEY_DOMAIN, KEY_ACCOUNT, KEY_LISTEN, KEY_HIGH_PORTS, KEY_CA_FILE_OUT,
	KEY_LOG, KEY_KEYTAB, KEY_DELIVER, KEY_ITEMS, KEY_HEARTBEAT, KEY_JSON, KEY_MICROSOFT,
	KEY_REDIRECT_URI, KEY_IMAP, KEY_GOOGLE, KEY_GOOGLE_DOMAIN, KEY_CALDAV, KEY_PUSH_TO,
};

static const struct argp_option options[] = {
	{ "exchange", KEY_EXCHANGE, "VERSION", 0, "2007sp1, 2010, 2010sp1, 2010sp2, 2010sp3, 2013, 2016 (default), 2019, se or online", 0 },
	{ "microsoft", KEY_MICROSOFT, NULL, 0, "Microsoft's cloud instead: sign-in and Graph; with --exchange besides, the mailboxes are at that one", 0 },
	{ "imap", KEY_IMAP, NULL, 0, "mailboxes by IMAP and SMTP instead, in birch.example and below it, and at large hosts by --account; with the others: besides", 0 },
	{ "google", KEY_GOOGLE, NULL, 0, "Google's: sign-in, Gmail and Calendar; besides the others where they are wished for, too", 0 },
	{ "google-domain", KEY_GOOGLE_DOMAIN, "NAME", 0, "besides others: only accounts of this domain, and of gmail.com, are Google's", 0 },
	{ "push-to", KEY_PUSH_TO, "URL", 0, "where Google's Pub/Sub pushes what Gmail tells of mailboxes, signed as Google signs it", 0 },
	{ "caldav", KEY_CALDAV, NULL, 0, "a calendar server, for each domain that has an account; alone, or beside the others", 0 },
	{ "redirect-uri", KEY_REDIRECT_URI, "URI", 0, "where its application sends people back to, beside this machine; may be said more than once", 0 },
	{ "fault", KEY_FAULT, "NAME[=VALUE]", 0, "something that goes wrong; may be said more than once; #N behind it: N times only", 0 },
	{ "faults", KEY_FAULTS, NULL, 0, "list the faults, and end", 0 },
	{ "domain", KEY_DOMAIN, "NAME", 0, "the organisation's (contoso.example)", 0 },
	{ "account", KEY_ACCOUNT, "ADDRESS:PASSWORD", 0, "a mailbox, in place of those that there are; may be said more than once", 0 },
	{ "items", KEY_ITEMS, "N", 0, "that many messages more in the first inbox", 0 },
	{ "listen", KEY_LISTEN, "IP", 0, "loopback address; Autodiscover is at the next one (127.0.0.1)", 0 },
	{ "high-ports", KEY_HIGH_PORTS, NULL, 0, "do not try ports 443 and 80", 0 },
	{ "ca-file-out", KEY_CA_FILE_OUT, "FILE", 0, "where its authority's certificate goes, and stays", 0 },
	{ "log", KEY_LOG, "FILE", 0, "one JSON object a line for each request", 0 },
	{ "keytab", KEY_KEYTAB, "FILE", 0, "keys of HTTP/mail.DOMAIN: who comes by Negotiate with a Kerberos ticket for it is let in", 0 },
	{ "deliver", KEY_DELIVER, "HOST:PORT", 0, "LMTP for mail to other addresses; otherwise it goes nowhere", 0 },
	{ "heartbeat", KEY_HEARTBEAT, "MS", 0, "between the signs of life of streamed notifications (45000)", 0 },
	{ "json", KEY_JSON, NULL, 0, "say what it is as one line of JSON", 0 },
	{ 0 }
};

static unsigned long number(const char *arg, unsigned long most, struct argp_state *state)
{
	unsigned long long n;

	if (!slice_number(slice_str(arg), most, &n))
		argp_error(state, "%s: not a number up to %lu", arg, most);
	return (unsigned long)n;
}

static void one_more(const char *list[], size_t *count, size_t most, const char *arg, struct argp_state *state)
{
	if (*count == most)
		argp_error(state, "%s: that is one too many", arg);
	list[(*count)++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options        *o = state->input;
	struct sandbox_wishes *w = &o->wishes;

	switch (key) {
	case KEY_EXCHANGE:    w->persona = arg; return 0;
	case KEY_MICROSOFT:   w->microsoft = true; return 0;
	case KEY_IMAP:        w->imap = true; return 0;
	case KEY_GOOGLE:      w->google = true; return 0;
	case KEY_GOOGLE_DOMAIN: w->google_domain = arg; return 0;
	case KEY_PUSH_TO:     w->push_to = arg; return 0;
	case KEY_CALDAV:      w->caldav = true; return 0;
	case KEY_REDIRECT_URI: one_more(w->redirect_uri, &w->redirect_uris, SANDBOX_REDIRECTS, arg, state); return 0;
	case KEY_FAULT:       one_more(w->fault, &w->faults, SANDBOX_ORDERS, arg, state); return 0;
	case KEY_FAULTS:      o->faults = true; return 0;
	case KEY_DOMAIN:      w->domain = arg; return 0;
	case KEY_ACCOUNT:     one_more(w->account, &w->accounts, SANDBOX_ACCOUNTS, arg, state); return 0;
	case KEY_ITEMS:       w->items = (unsigned)number(arg, 1000000, state); return 0;
	case KEY_LISTEN:      w->listen = arg; return 0;
	case KEY_HIGH_PORTS:  w->high_ports = true; return 0;
	case KEY_CA_FILE_OUT: w->ca_file_out = arg; return 0;
	case KEY_LOG:         w->log = arg; return 0;
	case KEY_KEYTAB:      w->keytab = arg; return 0;
	case KEY_DELIVER:     w->deliver = arg; return 0;
	case KEY_HEARTBEAT:   w->heartbeat_ms = (int)number(arg, 3600000, state); return 0;
	case KEY_JSON:        o->json = true; return 0;
	case ARGP_KEY_ARG:    argp_error(state, "%s: no argument is expected", arg); return 0;
	default:              return ARGP_ERR_UNKNOWN;
	}
}

/* -- what is told ------------------------------------------------------------------------------------------------- */

#define NAME_WIDTH 42

static void print_faults(void)
{
	const char *name, *value, *text;

	for (size_t i = 0; (name = sandbox_fault(i, &value, &text)); i++) {
		CLEANUP(arena) struct arena *work = arena_new();

		print_padded(stdout, value ? arena_print(work, "  %s=%s", name, value) : arena_print(work, "  %s", name), NAME_WIDTH);
		print_wrapped(stdout, text, NAME_WIDTH, NAME_WIDTH);
	}
}

static void print_google(const struct sandbox_places *p)
{
	size_t first = 0;

	while (first + 1 < p->addresses && !p->google_token_file[first])
		first++;
	printf("  Google's client %s, secret %s\n  service account %s\n\nTry:\n\n  mailmoor diagnose %s --provider google --token-file %s", p->google_client_id,
	       p->google_client_secret, p->google_service_account, p->address[first], p->google_token_file[first] ? p->google_token_file[first] : "FILE");
}

static void print_places(const struct sandbox_places *p)
{
	printf("%s\n\n", p->version);
	for (size_t i = 0; i < p->addresses; i++)
		printf("  %s  (%s)  password %s\n", p->address[i], p->login[i], p->password[i]);
	if (p->tenant)
		printf("  tenant %s\n  application %s, secret %s\n\nTry:\n\n  mailmoor diagnose %s --provider microsoft --token-file %s", p->tenant, p->client_id,
		       p->client_secret, p->address[0], p->token_file[0]);
	else if (p->google_client_id)
		print_google(p);
	else if (p->ews_url)
		printf("  %s\n\nTry:\n\n  mailmoor diagnose %s", p->ews_url, p->address[0]);
	else if (!p->caldav_url)
		printf("\nTry:\n\n  mailmoor diagnose %s", p->address[0]);
	else
		printf("  %s\n\nTry:\n\n  mailmoor diagnose %s --provider caldav", p->caldav_url, p->address[0]);
	printf(" \\\n    --resolver %s --ca-file %s", p->resolver, p->ca_file);
	for (size_t i = 0; i < p->connects; i++)
		printf(" \\\n    --connect-to %s", p->connect_to[i]);
	printf("\n\nCtrl-C ends it.\n");
	fflush(stdout);
}

static cJSON *strings(const char *const list[], size_t count)
{
	cJSON *a = cJSON_CreateArray();

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(a, cJSON_CreateString(list[i]));
	return a;
}

static void print_json(const struct sandbox_places *p)
{
	cJSON *o = cJSON_CreateObject(), *accounts = cJSON_AddArrayToObject(o, "accounts");
	char  *line;

	cJSON_AddStringToObject(o, "schema", "mailmoor.sandbox.v1");
	cJSON_AddStringToObject(o, "version", p->version);
	if (p->ews_url)
		cJSON_AddStringToObject(o, "ews_url", p->ews_url);
	if (p->caldav_url)
		cJSON_AddStringToObject(o, "caldav_url", p->caldav_url);
	if (p->tenant) {
		cJSON *m = cJSON_AddObjectToObject(o, "microsoft");

		cJSON_AddStringToObject(m, "tenant", p->tenant);
		cJSON_AddStringToObject(m, "client_id", p->client_id);
		cJSON_AddStringToObject(m, "client_secret", p->client_secret);
	}
	if (p->google_client_id) {
		cJSON *g = cJSON_AddObjectToObject(o, "google");

		cJSON_AddStringToObject(g, "client_id", p->google_client_id);
		cJSON_AddStringToObject(g, "pubsub_topic", p->google_topic);
		cJSON_AddStringToObject(g, "pubsub_account", p->google_pusher);
		cJSON_AddStringToObject(g, "client_secret", p->google_client_secret);
		cJSON_AddStringToObject(g, "service_account", p->google_service_account);
	}
	cJSON_AddStringToObject(o, "resolver", p->resolver);
	cJSON_AddStringToObject(o, "ca_file", p->ca_file);
	cJSON_AddItemToObject(o, "connect_to", strings(p->connect_to, p->connects));
	for (size_t i = 0; i < p->addresses; i++) {
		cJSON *a = cJSON_CreateObject();

		cJSON_AddStringToObject(a, "address", p->address[i]);
		cJSON_AddStringToObject(a, "login", p->login[i]);
		cJSON_AddStringToObject(a, "password", p->password[i]);
		if (p->token_file[i])
			cJSON_AddStringToObject(a, "token_file", p->token_file[i]);
		if (p->google_token_file[i])
			cJSON_AddStringToObject(a, "google_token_file", p->google_token_file[i]);
		cJSON_AddItemToArray(accounts, a);
	}
	line = cJSON_PrintUnformatted(o);
	puts(line);
	fflush(stdout);
	cJSON_free(line);
	cJSON_Delete(o);
}

/* -- its life ----------------------------------------------------------------------------------------------------- */

static int serve(const struct options *o)
{
	struct sandbox_counts counts;
	struct sandbox *s;
	struct error    err = { 0 };
	sigset_t        ends;
	int             got;

	/* before there are threads, which inherit it */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	s = sandbox_new(&o->wishes, &err);
	if (!s) {
		command_failed("mailmoor sandbox", err.text);
		return err.fault == FAULT_MALFORMED ? EXIT_USAGE : EXIT_CAUSE;
	}
	if (o->json)
		print_json(sandbox_places(s));
	else
		print_places(sandbox_places(s));
	sigwait(&ends, &got);
	counts = sandbox_counts(s);
	sandbox_free(s);
	if (!o->json)
		printf("\n%u requests; passwords: %u accepted, %u refused\n", counts.requests, counts.accepted, counts.refused);
	else
		printf("{\"requests\":%u,\"accepted\":%u,\"refused\":%u}\n", counts.requests, counts.accepted, counts.refused);
	return EXIT_CONNECTED;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "",
		"An Exchange organisation on loopback, for tests and for trying: name server, Autodiscover, EWS, sign-in pages, mailboxes in memory. "
		"It says how to reach it, and runs until Ctrl-C.\v"
		"It is no mail server: it listens on loopback addresses only, and forgets everything.", NULL, NULL, NULL };
	struct options o = { 0 };

	command_name(argv, "sandbox");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (o.faults) {
		print_faults();
		return EXIT_CONNECTED;
	}
	return serve(&o);
}

const struct command command_sandbox = { "sandbox", "[OPTION...]", "an emulated Exchange, with any fault to order", run };
