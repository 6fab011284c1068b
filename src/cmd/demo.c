/* demo.c -- mailmoor demo: the daemon and the sandbox in one process, with one mailbox for each cause, and a tour of them. */
#include <argp.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/slice.h"
#include "cmd/command.h"
#include "diagnose/catalogue.h"
#include "sandbox/sandbox.h"
#include "serve/demo.h"

#define EXCHANGE_DOMAIN  "fabrikam.example"
#define MICROSOFT_DOMAIN "contoso.example"
#define GOOGLE_DOMAIN    "tailspin.example"
#define IMAP_DOMAIN      "birch.example"
#define BCC_DOMAIN       "bcc.mailmoor.example"
#define FIRST_PORT       8325
#define PORTS            100

extern char **environ;

/* -- the mailboxes ----------------------------------------------------------------------------------------------------- */

/* How it gets in. */
enum way { BY_PASSWORD, BY_SIGN_IN, BY_GRANT, BY_DELEGATION };

struct row {
	const char *name, *provider, *orders, *cause, *url, *username, *address;
	enum way    way;
	bool        mended, acts;
};

static const struct row rows[] = {
#define MAILBOX(n, p, o, c, u, w, a) { n, p, o, c, u, w, a, BY_PASSWORD, false, false },
#define MENDED(n, p, o, c, u, w, a)  { n, p, o, c, u, w, a, BY_PASSWORD, true, false },
#define ACTS(n, p, o, c, u, w, a)    { n, p, o, c, u, w, a, BY_PASSWORD, false, true },
#define SIGN_IN(n, p, o, c, a)       { n, p, o, c, "", "", a, BY_SIGN_IN, false, false },
#define GRANTED(n, p, o, c, a)       { n, p, o, c, "", "", a, BY_GRANT, false, false },
#define DELEGATED(n, p, o, c, a)     { n, p, o, c, "", "", a, BY_DELEGATION, false, false },
#include "cmd/demo.def"
#undef MAILBOX
#undef MENDED
#undef ACTS
#undef SIGN_IN
#undef GRANTED
#undef DELEGATED
};

static const struct demo_statement statements[] = {
#define STATEMENT(id, beside, see) { id, beside, see },
#include "cmd/tour.def"
#undef STATEMENT
};

struct options {
	unsigned    port;            /* 0: 8325, or the next that is free */
	const char *lang;            /* NULL: as the browser wishes       */
};

struct showing {
	struct options         options;
	struct arena          *own;
	struct demo_mailbox    mailbox[COUNT(rows)];
	struct sandbox_wishes  wishes;
	struct sandbox        *sandbox;
	struct settings        settings;
	char                  *folder;
};

static const char *or_nothing(const char *text)
{
	return *text ? text : NULL;
}

static const char *address_of(const struct row *r, struct arena *into)
{
	static const struct { const char *provider, *domain; } usual[] = {
		{ "exchange", EXCHANGE_DOMAIN }, { "microsoft", MICROSOFT_DOMAIN }, { "imap", IMAP_DOMAIN },
		{ "google", GOOGLE_DOMAIN }, { "caldav", IMAP_DOMAIN },
	};
	const char *domain = "";

	for (size_t i = 0; i < COUNT(usual); i++)
		if (strcmp(usual[i].provider, r->provider) == 0)
			domain = usual[i].domain;
	return *r->address ? r->address : arena_print(into, "%s@%s", r->name, domain);
}

/* "@mx=HOST" is for the domain of that address. */
static void add_orders(struct showing *s, const char *address, const char *orders)
{
	struct slice rest = slice_str(orders);

	while (rest.len && s->wishes.faults < SANDBOX_ORDERS) {
		struct slice one = slice_cut(&rest, ' ');
		bool         domain = *one.at == '@';

		s->wishes.fault[s->wishes.faults++] = arena_print(s->own, "%s/%.*s", domain ? strchr(address, '@') + 1 : address,
		                                                  (int)one.len - domain, one.at + domain);
	}
}

/* An address that is somebody's second one, or nobody's, is no account of the sandbox. */
static bool is_account(const struct row *r)
{
	return !*r->username || *r->orders || r->acts;
}

/* What somebody typed: where Exchange is, or else where the calendar beside the mailbox is. */
static void take_url(struct demo_mailbox *m, const char *url)
{
	const char **to = strcmp(m->provider, "exchange") == 0 ? &m->ews_url : &m->caldav_url;

	*to = or_nothing(url);
}

static void fill_in(struct showing *s)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		const char       *address = address_of(r, s->own);

		s->mailbox[i] = (struct demo_mailbox){ .name = r->name, .address = address, .provider = r->provider,
			.cause = r->cause, .mended = r->mended, .password = r->way == BY_PASSWORD ? SANDBOX_PASSWORD : NULL,
			.tenant = r->way == BY_DELEGATION, .username = or_nothing(r->username), .impersonate = r->acts };
		take_url(&s->mailbox[i], r->url);
		add_orders(s, address, r->orders);
		if (is_account(r) && s->wishes.accounts < SANDBOX_ACCOUNTS)
			s->wishes.account[s->wishes.accounts++] = arena_print(s->own, "%s:%s", address, SANDBOX_PASSWORD);
	}
}

/* Of who agreed some time ago: the sandbox has it once it plays. */
static void fill_in_grants(struct showing *s)
{
	const struct sandbox_places *p = sandbox_places(s->sandbox);

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t n = 0; rows[i].way == BY_GRANT && n < p->addresses; n++)
			if (strcmp(p->address[n], s->mailbox[i].address) == 0)
				s->mailbox[i].grant_file = p->google_token_file[n];
}

/* -- ports ------------------------------------------------------------------------------------------------------------- */

/* 0: it is taken. `port` 0: any. */
static unsigned free_port(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof at;
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	bool               fine;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	fine = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0
	    && getsockname(fd, (struct sockaddr *)&at, &len) == 0;
	if (fd >= 0)
		close(fd);
	return fine ? ntohs(at.sin_port) : 0;
}

static unsigned choose_port(const struct options *o)
{
	unsigned port = 0;

	if (o->port)
		return free_port(o->port);
	for (unsigned i = 0; i < PORTS && !port; i++)
		port = free_port(FIRST_PORT + i);
	return port;
}

/* -- settings: nothing of this machine's is looked at -------------------------------------------------------------------- */

static void forget_surroundings(void)
{
	bool again = true;

	while (again) {
		again = false;
		for (char **e = environ; *e && !again; e++)
			if (strncmp(*e, "MAILMOOR_", 9) == 0 && strchr(*e, '=')) {
				char *name = strndup(*e, strcspn(*e, "="));

				again = name && unsetenv(name) == 0;
				free(name);
			}
	}
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("LISTEN_FDS");
	unsetenv("NOTIFY_SOCKET");
}

static const char *all_ways(struct showing *s)
{
	const struct sandbox_places *p = sandbox_places(s->sandbox);
	const char                  *all = "";

	for (size_t i = 0; i < p->connects; i++)
		all = arena_print(s->own, "%s%s%s", all, i ? " " : "", p->connect_to[i]);
	return all;
}

static void set(struct showing *s, const char *name, const char *value)
{
	setenv(arena_print(s->own, "MAILMOOR_%s", name), value, 1);
}

static bool settle(struct showing *s, unsigned port, unsigned bcc_port, struct error *err)
{
	const struct sandbox_places *p = sandbox_places(s->sandbox);

	set(s, "NET_RESOLVER", p->resolver);
	set(s, "NET_CA_FILE", p->ca_file);
	set(s, "NET_CONNECT_TO", all_ways(s));
	set(s, "NET_ALLOW", "127.0.0.0/8");
	set(s, "NET_EGRESS_ADDRESSES", "192.0.2.10");
	set(s, "WEB_LISTEN", arena_print(s->own, "127.0.0.1:%u", port));
	set(s, "INBOUND_LISTEN", arena_print(s->own, "lmtp:127.0.0.1:%u", bcc_port));
	set(s, "INBOUND_DOMAIN", BCC_DOMAIN);
	set(s, "STORE_URL", arena_print(s->own, "sqlite:%s/mailmoor.db", s->folder));
	set(s, "SECRETS_KEY_FILE", arena_print(s->own, "%s/mailmoor.key", s->folder));
	set(s, "MICROSOFT_CLIENT_ID", p->client_id);
	set(s, "MICROSOFT_CLIENT_SECRET", p->client_secret);
	set(s, "GOOGLE_CLIENT_ID", p->google_client_id);
	set(s, "GOOGLE_CLIENT_SECRET", p->google_client_secret);
	set(s, "GOOGLE_SERVICE_ACCOUNT_FILE", p->google_service_account);
	return settings_read(&s->settings, NULL, err);
}

/* -- what the daemon asks ------------------------------------------------------------------------------------------------- */

static bool visit(void *self, const struct demo_visit *v, struct arena *into, struct demo_page *out)
{
	struct showing            *s = self;
	const struct sandbox_visit asked = { v->host, v->method, v->path, v->cookies, v->type, v->body };
	struct sandbox_page        page;

	if (!sandbox_visit(s->sandbox, &asked, into, &page, NULL))
		return false;
	*out = (struct demo_page){ .status = page.status, .type = page.type, .location = page.location, .body = page.body };
	for (size_t i = 0; i < page.cookies && i < DEMO_COOKIES; i++)
		out->cookie[out->cookies++] = page.cookie[i];
	return true;
}

static void ready(void *self, const char *base_url)
{
	const struct showing *s = self;

	printf("Mailmoor %s, with %zu mailboxes that are played on this machine:\n"
	       "one for each cause, each verified as a real one would be. Nothing leaves this\n"
	       "machine, and nothing is kept.\n\n"
	       "  %s/demo%s%s\n\n"
	       "Ctrl-C ends it.\n", MAILMOOR_VERSION, COUNT(rows), base_url, s->options.lang ? "?lang=" : "", s->options.lang ? s->options.lang : "");
	fflush(stdout);
}

/* -- its life --------------------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

/* A terminal that is closed ends it as Ctrl-C does: the folder has to go. */
static void on_hangup(int which)
{
	(void)which;
	kill(getpid(), SIGTERM);
}

/* Before any thread begins, so that only the daemon's waiting takes them. */
static void prepare_signals(void)
{
	struct sigaction hangup = { .sa_handler = on_hangup };
	sigset_t         ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	sigaction(SIGHUP, &hangup, NULL);
}

static bool make_folder(struct showing *s, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	char       *template = arena_print(s->own, "%s/mailmoor-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	s->folder = mkdtemp(template);
	return s->folder || fail(err, FAULT_LOCAL, "%s: %s", template, strerror(errno));
}

static bool show(struct showing *s, struct error *err)
{
	const struct demo demo = { s->mailbox, COUNT(rows), statements, COUNT(statements), s, visit, ready };
	unsigned          port = choose_port(&s->options), bcc_port = free_port(0);

	if (!port && s->options.port)
		return fail(err, FAULT_LOCAL, "port %u is taken on 127.0.0.1", s->options.port);
	if (!port || !bcc_port)
		return fail(err, FAULT_LOCAL, "no port is free on 127.0.0.1");
	fill_in(s);
	s->wishes.persona = "2016";
	s->wishes.microsoft = s->wishes.google = s->wishes.imap = s->wishes.caldav = true;
	s->wishes.google_domain = GOOGLE_DOMAIN;
	s->wishes.domain = EXCHANGE_DOMAIN;
	s->wishes.cloud_domain = MICROSOFT_DOMAIN;
	s->wishes.high_ports = true;
	s->wishes.deliver = arena_print(s->own, "127.0.0.1:%u", bcc_port);
	s->sandbox = sandbox_new(&s->wishes, err);
	if (!s->sandbox)
		return false;
	fill_in_grants(s);
	return make_folder(s, err) && settle(s, port, bcc_port, err) && serve_demo(&s->settings, &demo, err);
}

static void clean_up(struct showing *s)
{
	sandbox_free(s->sandbox);
	settings_release(&s->settings);
	if (s->folder)
		nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	arena_free(s->own);
}

/* -- the command ---------------------------------------------------------------------------------------------------------------- */

enum { KEY_PORT = 1000 };

static const struct argp_option options[] = {
	{ "port", KEY_PORT, "PORT", 0, "where its pages are on 127.0.0.1 (8325, or the next that is free)", 0 },
	{ "lang", 'l', "TAG", 0, "in that language; otherwise in the browser's", 0 },
	{ "verbose", 'v', NULL, 0, "log what happens", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options    *o = state->input;
	unsigned long long n;

	switch (key) {
	case KEY_PORT:
		if (!slice_number(slice_str(arg), 65535, &n) || n == 0)
			argp_error(state, "%s: not a port", arg);
		o->port = (unsigned)n;
		return 0;
	case 'l':
		if (!language_find(arg))
			argp_error(state, "%s: not a language of ours", arg);
		o->lang = arg;
		return 0;
	case 'v':
		log_down_to(LOG_NEWS);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no argument is expected", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "",
		"Shows all of it on this machine alone: the daemon, Exchange, Microsoft's and Google's clouds, plain mailboxes and calendars "
		"that are played, and one for each cause that they can show, each found by the flow that real mailboxes go through. A page guides through what the help "
		"articles state. It needs no account, no network and no settings, and what it keeps goes when it ends.", NULL, NULL, NULL };
	struct showing *s = must_alloc(sizeof *s);
	struct error    err = { 0 };
	int             status = EXIT_USAGE;

	command_name(argv, "demo");
	argp_err_exit_status = EXIT_USAGE;
	log_down_to(LOG_FAILURE);
	s->own = arena_new();
	if (argp_parse(&argp, argc, argv, 0, NULL, &s->options) == 0) {
		forget_surroundings();
		prepare_signals();
		if (show(s, &err))
			status = EXIT_CONNECTED;
		else
			fprintf(stderr, "mailmoor demo: %s\n", err.text);
	}
	clean_up(s);
	free(s);
	return status;
}

const struct command command_demo = { "demo", "[OPTION...]", "one mailbox for each cause, and a tour of them", run };
