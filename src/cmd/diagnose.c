/* diagnose.c -- mailmoor diagnose ADDRESS: find out, step by step, live. Needs no server and stores nothing. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/settings.h"
#include "cmd/command.h"
#include "cmd/device.h"
#include "cmd/print.h"
#include "flow.h"
#include "model/mailaddress.h"
#include "model/record.h"

#define TIMEOUT_LEAST 1
#define TIMEOUT_MOST  3600

struct options {
	const char *address, *provider, *username, *password_file, *token_file, *record, *lang, *config;
	char       *host[SERVICES];
	uint16_t    port[SERVICES];
	const char *send_to, *ews_url, *caldav_url;
	struct own_trust trust;
	struct ticket_source tickets;
	struct terms terms;
	bool        kerberos, device, act_as, send_test, calendar_test, json, verbose;
	int         timeout_s;
	struct net_options net;
};

enum { KEY_PROVIDER = 1000, KEY_USERNAME, KEY_PASSWORD_FILE, KEY_TOKEN_FILE, KEY_IMAP, KEY_SMTP, KEY_CALDAV, KEY_EWS, KEY_SEND_TEST,
       KEY_CALENDAR_TEST, KEY_RESOLVER, KEY_CA_FILE, KEY_PIN, KEY_CONNECT_TO, KEY_TIMEOUT, KEY_RECORD, KEY_JSON, KEY_CONFIG, KEY_PASSWORD,
       KEY_IMPERSONATE, KEY_KERBEROS, KEY_TICKET_CACHE, KEY_KEYTAB, KEY_DEVICE, KEY_TENANT, KEY_RIGHTS };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The mailbox:", 1 },
	{ "provider", KEY_PROVIDER, "KIND", 0, "auto (the default), imap, exchange, microsoft, google, caldav", 1 },
	{ "username", KEY_USERNAME, "NAME", 0, "where it is not the address; of a shared mailbox at Microsoft, the address of who signs in for it", 1 },
	{ "password-file", KEY_PASSWORD_FILE, "FILE", 0, "the password: the file's content less one last newline; - is standard input", 1 },
	{ "token-file", KEY_TOKEN_FILE, "FILE", 0, "an OAuth token endpoint's answer, as JSON", 1 },
	{ "device-code", KEY_DEVICE, NULL, 0, "sign in at Microsoft on another screen, with a code that is shown here", 1 },
	{ "tenant-access", KEY_TENANT, NULL, 0, "as the app itself, which an administrator has approved for all of the organisation (Microsoft)", 1 },
	{ "rights", KEY_RIGHTS, "SET", 0, "what is asked for: full (the default), read, calendar (Microsoft)", 1 },
	{ "kerberos", KEY_KERBEROS, NULL, 0, "sign in by a Kerberos ticket, out of the cache that $KRB5CCNAME or krb5.conf names (Exchange)", 1 },
	{ "ticket-cache", KEY_TICKET_CACHE, "FILE", 0, "the same, out of that cache", 1 },
	{ "keytab", KEY_KEYTAB, "FILE", 0, "the same, by a ticket that is asked for with the user name's key in that file", 1 },
	{ "password", KEY_PASSWORD, "WORD", OPTION_HIDDEN, NULL, 1 },
	{ NULL, 0, NULL, 0, "Where it is, when it is not to be looked up:", 2 },
	{ "imap", KEY_IMAP, "HOST[:PORT]", 0, "993 is TLS from the first byte (the default), 143 begins with STARTTLS", 2 },
	{ "smtp", KEY_SMTP, "HOST[:PORT]", 0, "465 is TLS from the first byte (the default), 587 begins with STARTTLS", 2 },
	{ "caldav", KEY_CALDAV, "URL", 0, "the calendars, beside a mailbox or, with --provider caldav, alone", 2 },
	{ "ews", KEY_EWS, "URL", 0, "Exchange Web Services, or the web mail's address, or the server's name", 2 },
	{ "impersonate", KEY_IMPERSONATE, NULL, 0, "--username is a service account that acts for the mailbox (Exchange)", 2 },
	{ NULL, 0, NULL, 0, "What else to try:", 3 },
	{ "send-test", KEY_SEND_TEST, "BCC_ADDRESS", OPTION_ARG_OPTIONAL, "send a test message: to the mailbox itself and see it arrive, or to that address", 3 },
	{ "calendar-test", KEY_CALENDAR_TEST, NULL, 0, "write a private event, read it back in three time zones, remove it", 3 },
	{ NULL, 0, NULL, 0, "The network:", 4 },
	{ "resolver", KEY_RESOLVER, "IP[:PORT]", 0, "name server to ask", 4 },
	{ "ca-file", KEY_CA_FILE, "PEM", 0, "authorities trusted besides the system's", 4 },
	{ "pin", KEY_PIN, "SHA256", 0, "the one public key (SubjectPublicKeyInfo) that the mailbox's servers must have, whatever their certificates say", 4 },
	{ "connect-to", KEY_CONNECT_TO, "HOST:PORT=IP:PORT", 0, "go there instead (repeatable, the last holds); names and certificates are still checked against HOST", 4 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "bound on the whole (30)", 4 },
	{ NULL, 0, NULL, 0, "The report:", 5 },
	{ "record", KEY_RECORD, "FILE", 0, "write facts and conversation, secrets struck out, for mailmoor replay", 5 },
	{ "lang", 'l', "TAG", 0, "language of the texts (en fi de pl th nl); otherwise the locale's", 5 },
	{ "json", KEY_JSON, NULL, 0, "print one JSON object", 5 },
	{ "config", KEY_CONFIG, "FILE", 0, "settings file", 5 },
	{ "verbose", 'v', NULL, 0, "with every fact", 5 },
	{ 0 }
};

static void take_host(struct options *o, enum service service, const char *arg, struct argp_state *state)
{
	if (!command_host(arg, &o->host[service], &o->port[service]))
		argp_error(state, "%s: not HOST or HOST:PORT", arg);
}

static void take_provider(struct options *o, const char *arg, struct argp_state *state)
{
	static const char *const built[] = { "auto", "imap", "exchange", "microsoft", "google", "caldav" };
	bool                     known = false;

	for (size_t i = 0; i < COUNT(built); i++)
		known |= strcmp(arg, built[i]) == 0;
	if (!known)
		argp_error(state, "there is no provider \"%s\"", arg);
	o->provider = arg;
}

static error_t parse_network(int key, char *arg, struct argp_state *state)
{
	struct options    *o = state->input;
	unsigned long long n;

	switch (key) {
	case KEY_RESOLVER:
		if (!net_options_resolver(&o->net, arg))
			argp_error(state, "%s: not IP or IP:PORT", arg);
		return 0;
	case KEY_CA_FILE:
		o->net.net.ca_file = arg;
		return 0;
	case KEY_PIN:
		if (strlen(arg) != 64 || strspn(arg, "0123456789abcdefABCDEF") != 64)
			argp_error(state, "%s: not 64 hexadecimal digits", arg);
		o->trust.pin = arg;
		return 0;
	case KEY_CONNECT_TO:
		if (!net_options_place(&o->net, arg))
			argp_error(state, "%s: not HOST:PORT=IP:PORT", arg);
		return 0;
	case KEY_TIMEOUT:
		if (!slice_number(slice_str(arg), TIMEOUT_MOST, &n) || n < TIMEOUT_LEAST)
			argp_error(state, "%s: not a number of seconds from %d to %d", arg, TIMEOUT_LEAST, TIMEOUT_MOST);
		o->timeout_s = (int)n;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool is_address(const char *text)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct mail_address address;
	const char         *problem;

	return mail_address_parse(text, work, &address, &problem);
}

/* Who chose Kerberos chose it instead of a password: none is there to fall back on. */
static void check_kerberos(struct options *o, struct argp_state *state)
{
	if (o->password_file || o->token_file)
		argp_error(state, "Kerberos or a password or a token, not two of them");
	if (o->tickets.cache && o->tickets.keytab)
		argp_error(state, "a cache or a keytab, not both");
	if (strcmp(o->provider, "imap") == 0)
		argp_error(state, "Kerberos is for Exchange only");
	o->provider = "exchange";
}

/* Who comes without a token, or not for all. */
static void check_microsoft(struct options *o, struct argp_state *state)
{
	if (strcmp(o->provider, "auto") != 0 && strcmp(o->provider, "microsoft") != 0)
		argp_error(state, "--device-code, --tenant-access and --rights are for Microsoft only");
	if (o->password_file || o->kerberos || o->device + o->terms.tenant + (o->token_file != NULL) > 1)
		argp_error(state, "a password, a token, Kerberos, --device-code or --tenant-access, not two of them");
	if (o->send_test && !rights_send(o->terms.rights))
		argp_error(state, "--send-test needs --rights=full");
	o->provider = "microsoft";
}

/* At Microsoft it names who signs in for a shared mailbox. */
static void check_username(const struct options *o, struct argp_state *state)
{
	if (o->terms.tenant)
		argp_error(state, "--tenant-access: nobody signs in, so there is no --username");
	if (strcmp(o->provider, "microsoft") == 0 && !is_address(o->username))
		argp_error(state, "--username=%s: at Microsoft it is the address of who signs in for a shared mailbox", o->username);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_PROVIDER:      take_provider(o, arg, state); return 0;
	case KEY_USERNAME:      o->username = arg; return 0;
	case KEY_PASSWORD_FILE: o->password_file = arg; return 0;
	case KEY_TOKEN_FILE:    o->token_file = arg; return 0;
	case KEY_IMAP:          take_host(o, SERVICE_IMAP, arg, state); return 0;
	case KEY_SMTP:          take_host(o, SERVICE_SMTP, arg, state); return 0;
	case KEY_CALDAV:        o->caldav_url = arg; return 0;
	case KEY_EWS:           o->ews_url = arg; return 0;
	case KEY_IMPERSONATE:   o->act_as = true; return 0;
	case KEY_CALENDAR_TEST: o->calendar_test = true; return 0;
	case KEY_SEND_TEST:     o->send_test = true; o->send_to = arg; return 0;
	case KEY_KERBEROS:      o->kerberos = true; return 0;
	case KEY_DEVICE:        o->device = true; return 0;
	case KEY_TENANT:        o->terms.tenant = true; return 0;
	case KEY_RIGHTS:
		if (!rights_find(arg, &o->terms.rights))
			argp_error(state, "%s: not full, read or calendar", arg);
		return 0;
	case KEY_TICKET_CACHE:  o->kerberos = true; o->tickets.cache = arg; return 0;
	case KEY_KEYTAB:        o->kerberos = true; o->tickets.keytab = arg; return 0;
	case KEY_RECORD:        o->record = arg; return 0;
	case 'l':               o->lang = arg; return 0;
	case 'v':               o->verbose = true; return 0;
	case KEY_JSON:          o->json = true; return 0;
	case KEY_CONFIG:        o->config = arg; return 0;
	case KEY_PASSWORD:
		/* everybody on this machine can read a command line */
		argp_error(state, "a password on the command line is not taken: use --password-file FILE, or - for standard input");
		return 0;
	case ARGP_KEY_ARG:
		if (o->address)
			argp_error(state, "one address, please");
		o->address = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->address)
			argp_error(state, "which address?");
		if (o->send_to && !is_address(o->send_to))
			argp_error(state, "--send-test=%s: no address", o->send_to);
		if (o->password_file && o->token_file)
			argp_error(state, "a password or a token, not both");
		if (o->device || o->terms.tenant || o->terms.rights != RIGHTS_FULL)
			check_microsoft(o, state);
		if (o->kerberos)
			check_kerberos(o, state);
		if (o->username)
			check_username(o, state);
		if (o->act_as && !o->username)
			argp_error(state, "--impersonate wants --username, the service account's name");
		return 0;
	default:
		return parse_network(key, arg, state);
	}
}

/* -- the run ------------------------------------------------------------------------------------------------------ */

static void on_signal(int number)
{
	(void)number;
	flow_stop();
	/* who presses it again means it */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

static bool read_credentials(const struct options *o, struct credentials *c, struct error *err)
{
	if (o->kerberos)
		return credentials_take_tickets(c, &o->tickets, err);
	if (o->password_file)
		return credentials_read_password(c, o->password_file, err);
	return !o->token_file || credentials_read_token(c, o->token_file, err);
}

static int diagnose_it(const struct options *o, const struct credentials *c, const struct settings *s, const struct app *app,
                       const struct language *lang)
{
	CLEANUP(report) struct report *r = NULL;
	struct checklist    list;
	struct verdict      v;
	struct error        err = { 0 };
	struct flow_request q = {
		.address = o->address, .provider = o->provider, .username = o->username,
		.credentials = c->password || c->token || c->tickets ? c : NULL,
		.host = { o->host[SERVICE_IMAP], o->host[SERVICE_SMTP] }, .port = { o->port[SERVICE_IMAP], o->port[SERVICE_SMTP] },
		.ews_url = o->ews_url, .caldav_url = o->caldav_url, .act_as = o->act_as, .send_test = o->send_test, .send_to = o->send_to,
		.calendar_test = o->calendar_test,
		.timeout_ms = o->timeout_s * 1000,
		.keep_talk = o->record != NULL, .our_addresses = s->value[SETTING_NET_EGRESS], .trust = &o->trust,
		.microsoft = &app->microsoft, .terms = o->terms, .google = &app->google,
	};

	checklist_init(&list, stdout, lang, o->verbose);
	if (!o->json) {
		q.watch = checklist_watch;
		q.watcher = &list;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	r = flow_diagnose(&q, &o->net.net, &v, &err);
	if (!r) {
		fprintf(stderr, "mailmoor diagnose: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (o->record && !record_write(r, o->record, &err)) {
		fprintf(stderr, "mailmoor diagnose: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (o->json)
		print_json(stdout, r, &v, lang);
	else
		print_verdict(&list, r, &v);
	return exit_status_of(&v);
}

/* A grant for the credentials; else `*status`, and what is wrong on this machine in `err`. */
static bool sign_in_elsewhere(const struct options *o, const struct app *app, const struct language *lang, struct credentials *c,
                              int *status, struct error *err)
{
	const struct device_signin d = { o->address, o->username, &app->microsoft, o->terms.rights, &o->net.net, lang, o->json,
		o->timeout_s * 1000 };
	CLEANUP(report) struct report *r = NULL;
	struct signin_result got = { 0 };
	struct verdict       v;

	r = device_sign_in(&d, &v, &got, err);
	if (!r)
		return false;
	if (got.well) {
		credentials_take_grant(c, &got.grant);
		return true;
	}
	if (o->record && !record_write(r, o->record, err))
		return false;
	*status = device_print_failure(&d, r, &v, o->verbose);
	return false;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "ADDRESS",
		"Finds out, step by step, whether a mailbox can be connected, and when it cannot, why, with proof, and who must do what. "
		"Without a password it does all that needs none. Nothing is written at the provider unless --send-test or --calendar-test asks for it.\v"
		"Exit status: 0 connected, 1 failed or partial with a cause, 2 wrong usage, 3 unfinished or an unknown answer, 70 internal error.",
		NULL, NULL, NULL };
	struct options        *o = must_alloc(sizeof *o);
	struct credentials     c = { 0 };
	struct settings        s = { 0 };
	struct app             app = { 0 };
	struct error           err = { 0 };
	const struct language *lang = language_english();
	int                    status = EXIT_USAGE;

	*o = (struct options){ .provider = "auto", .timeout_s = 30 };
	command_name(argv, "diagnose");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, o) == 0 && settings_read(&s, o->config, &err)) {
		if (!command_language(o->lang, &lang))
			fail(&err, FAULT_MALFORMED, "there is no language \"%s\"", o->lang);
		else if (net_options_settings(&o->net, &s, &err) && app_read(&app, &s, &err) && read_credentials(o, &c, &err)
		         && (!o->device || sign_in_elsewhere(o, &app, lang, &c, &status, &err)))
			status = diagnose_it(o, &c, &s, &app, lang);
	}
	app_release(&app);
	settings_release(&s);
	if (err.fault && status == EXIT_USAGE)
		fprintf(stderr, "mailmoor diagnose: %s\n", err.text);
	credentials_release(&c);
	for (enum service i = SERVICE_IMAP; i < SERVICES; i++)
		free(o->host[i]);
	net_options_release(&o->net);
	free(o);
	return status;
}

const struct command command_diagnose = { "diagnose", "ADDRESS [OPTION...]", "why a mailbox cannot be connected, live", run };
