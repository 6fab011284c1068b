#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "net/options.h"
#include "serve/bus.h"
#include "serve/demo_parts.h"
#include "serve/finder.h"
#include "serve/http.h"
#include "serve/inbound_listen.h"
#include "serve/inbound_store.h"
#include "serve/keeper.h"
#include "serve/keys.h"
#include "serve/outbox.h"
#include "serve/redeemer.h"
#include "serve/serve.h"
#include "serve/not_returned.h"
#include "serve/timekeeper.h"
#include "serve/watchdog.h"
#include "store/accounts.h"
#include "store/links.h"

#define PLACE_MOST   4096
#define SYSTEM_STATE "/var/lib/mailmoor"
#define LINK_MS      (24 * 3600 * (int64_t)1000)      /* the first connect link */

/* -- where things lie --------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5)))
static bool print_path(char *out, size_t size, struct error *err, const char *fmt, ...)
{
	va_list args;
	int     len;

	va_start(args, fmt);
	len = vsnprintf(out, size, fmt, args);
	va_end(args);
	return len < (int)size || fail(err, FAULT_LOCAL, "the path of the state directory is too long");
}

static bool is_ours(const char *directory)
{
	struct stat st;

	return stat(directory, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static bool find_directory(char *out, size_t size, struct error *err)
{
	const char *given = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	/* systemd may name several, colons between: ours is the first */
	if (given && *given)
		return print_path(out, size, err, "%s", given) && (out[strcspn(out, ":")] = '\0', true);
	if (geteuid() == 0 || is_ours(SYSTEM_STATE))
		return print_path(out, size, err, SYSTEM_STATE);
	if (xdg && *xdg == '/')
		return print_path(out, size, err, "%s/mailmoor", xdg);
	if (home && *home == '/')
		return print_path(out, size, err, "%s/.local/state/mailmoor", home);
	return fail(err, FAULT_LOCAL, "there is no home to keep anything in: set [store] url and [secrets] key_file");
}

static bool make_directories(char *path, struct error *err)
{
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return fail(err, FAULT_LOCAL, "%s cannot be made: %s", path, strerror(errno));
		*p = was;
		if (!was)
			return true;
	}
}

bool state_directory(char *out, size_t size, bool create, struct error *err)
{
	return find_directory(out, size, err) && (!create || make_directories(out, err));
}

static bool find_places(const struct settings *s, bool create, char store_url[PLACE_MOST], char key_file[PLACE_MOST], struct error *err)
{
	const char *url = s->value[SETTING_STORE_URL], *key = s->value[SETTING_SECRETS_KEY], *credentials = getenv("CREDENTIALS_DIRECTORY");
	char        dir[PLACE_MOST - 64] = "";

	if ((!url || (!key && !credentials)) && !state_directory(dir, sizeof dir, create, err))
		return false;
	if (!(url ? print_path(store_url, PLACE_MOST, err, "%s", url) : print_path(store_url, PLACE_MOST, err, "sqlite:%s/mailmoor.db", dir)))
		return false;
	if (key)
		return print_path(key_file, PLACE_MOST, err, "%s", key);
	if (credentials && print_path(key_file, PLACE_MOST, err, "%s/mailmoor.key", credentials) && access(key_file, R_OK) == 0)
		return true;
	return (*dir || state_directory(dir, sizeof dir, create, err)) && print_path(key_file, PLACE_MOST, err, "%s/mailmoor.key", dir);
}

bool serve_places(const struct settings *s, char store_url[PLACE_MOST], char key_file[PLACE_MOST], struct error *err)
{
	return find_places(s, true, store_url, key_file, err);
}

bool serve_places_find(const struct settings *s, char store_url[PLACE_MOST], char key_file[PLACE_MOST], struct error *err)
{
	return find_places(s, false, store_url, key_file, err);
}

/* -- the first start ---------------------------------------------------------------------------------------------- */

/* What a newcomer opens: a page to connect a mailbox on, the settings page with all of them, the operator's page. */
static const struct { const char *kind, *what; } first_links[] = {
	{ "connect", "one mailbox" }, { "settings", "all mailboxes" }, { "operator", "how it goes" },
};

#define FIRST_LINKS COUNT(first_links)

struct first {
	struct arena *work;
	struct daemon *daemon;
	const char   *key;                   /* to be shown once; NULL when this is not the first start */
	const char   *link[FIRST_LINKS];     /*   likewise: what is behind /KIND/                       */
};

static bool lay_link(struct txn *t, struct first *f, size_t n, const char *workspace, int64_t now, struct error *err)
{
	struct link link = { .id = new_id(f->work, "lnk"), .workspace = workspace, .kind = first_links[n].kind, .created = now, .expires = now + LINK_MS };

	f->link[n] = random_text(f->work, 40);
	link.hash = token_hash(f->link[n], f->work);
	return link_insert(t, &link, err);
}

static bool start_node(struct txn *t, void *self, struct error *err)
{
	struct first     *f = self;
	struct workspace *known, mine;
	struct api_key    key;
	int64_t           now = clock_unix_ms();
	size_t            count;
	bool              ok;

	f->key = NULL;
	if (!node_start(t, f->daemon->node, &f->daemon->fence, err) || !workspace_list(t, f->work, &known, &count, err))
		return false;
	if (count)
		return true;
	workspace_make(f->work, "Mailmoor", now, &mine);
	f->key = key_make(f->work, mine.id, "first key", SCOPE_ADMIN | SCOPE_OPERATOR, now, &key);
	ok = workspace_insert(t, &mine, err) && key_insert(t, &key, err);
	for (size_t i = 0; ok && i < FIRST_LINKS; i++)
		ok = lay_link(t, f, i, mine.id, now, err);
	return ok;
}

/* -- mail and webhooks: a loop of their own, so that no mailbox waits for them ------------------------------------ */

struct post_office {
	struct net           *net;
	struct inbound_shelf  shelf;
	struct inbound_post  *inbound;
	struct outbox        *outbox;
	struct timekeeper    *timekeeper;
	struct not_returned  *not_returned;
	pthread_t             thread;
	bool                  runs;
};

static void *run_post_office(void *self)
{
	net_serve(((struct post_office *)self)->net);
	return NULL;
}

static bool open_post_office(struct post_office *p, struct daemon *d, struct error *err)
{
	struct inbound_archive archive;

	p->shelf = (struct inbound_shelf){ d->store, d->bus };
	p->net = net_new(d->net, err);
	if (!p->net)
		return false;
	archive = inbound_archive_of(&p->shelf);
	if (inbound_is_wanted(d->settings)) {
		p->inbound = inbound_start(p->net, d->settings, &archive, err);
		if (!p->inbound)
			return false;
	}
	d->outbox = p->outbox = outbox_start(p->net, d, &outbox_usual);
	p->timekeeper = timekeeper_start(p->net, d);
	p->not_returned = not_returned_start(p->net, d, NOT_RETURNED_MS);
	p->runs = pthread_create(&p->thread, NULL, run_post_office, p) == 0;
	return p->runs || fail(err, FAULT_LOCAL, "no thread can be started");
}

/* Takes nothing any more. What is under way ends while the web server does. */
static void wind_up_post_office(struct post_office *p)
{
	if (!p->runs)
		return;
	outbox_stop(p->outbox);
	net_stop(p->net);
}

static void close_post_office(struct post_office *p)
{
	if (p->runs)
		pthread_join(p->thread, NULL);
	if (p->inbound)
		inbound_stop(p->inbound);
	inbound_post_free(p->inbound);
	net_free(p->net);
	timekeeper_free(p->timekeeper);
	not_returned_free(p->not_returned);
	outbox_free(p->outbox);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

/* Ten thousand mailboxes are ten thousand descriptors. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* sd_notify(3): one datagram, and nothing when nobody asked for it. */
static void notify(const char *text)
{
	const char        *where = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t             len = where ? strlen(where) : 0;
	int                fd;

	if (len == 0 || len >= sizeof to.sun_path || (*where != '/' && *where != '@'))
		return;
	memcpy(to.sun_path, where, len);
	if (*where == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
	           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		LOG(LOG_CAUTION, "notify", LOG_TEXT("why", strerror(errno)));
	close(fd);
}

struct running {
	struct daemon        daemon;
	const struct route  *tables[DEMO_TABLES];
	struct net_options   options;
	struct post_office   post_office;
	struct http_server  *http;
	struct watchdog     *watchdog;       /* NULL: nobody wants to hear from it */
};

static bool start_parts(struct running *r, const struct settings *s, struct first *first, struct error *err)
{
	struct daemon *d = &r->daemon;
	char           url[PLACE_MOST], key_file[PLACE_MOST];

	*d = (struct daemon){ .settings = s, .demo = d->demo, .routes = d->routes, .net = &r->options.net, .node = "local", .started = clock_unix_ms(), .started_ms = clock_mono_ms(),
	                      .inbound_domain = inbound_is_wanted(s) ? s->value[SETTING_INBOUND_DOMAIN] : NULL };
	if (!net_options_settings(&r->options, s, err) || !serve_places(s, url, key_file, err) || !app_read(&d->app, s, err))
		return false;
	r->options.net.check_targets = true;
	d->vault = vault_open(key_file, true, err);
	d->store = d->vault ? store_open(url, err) : NULL;
	if (!d->store || !store_write_wait(d->store, start_node, first, err))
		return false;
	if (d->demo && !demo_begin(d, err))
		return false;
	d->bus = bus_new();
	d->base_url = s->value[SETTING_WEB_BASE_URL];
	d->keeper = keeper_start(d, err);
	if (!d->keeper || !open_post_office(&r->post_office, d, err))
		return false;
	d->finder = finder_start(d, &finder_usual, err);
	d->redeemer = d->finder ? redeemer_start(d, err) : NULL;
	if (!d->redeemer)
		return false;
	r->http = http_start(d, err);
	return r->http != NULL;
}

/* In the order in which nothing is called that is gone already. Those who send us mail are told at once, so that saying goodbye to them
 * takes its time while the web server does. */
static void stop_parts(struct running *r)
{
	struct daemon *d = &r->daemon;

	wind_up_post_office(&r->post_office);
	finder_stop(d->finder);
	redeemer_stop(d->redeemer);
	if (r->http)
		http_stop(r->http);
	finder_free(d->finder);
	redeemer_free(d->redeemer);
	close_post_office(&r->post_office);
	keeper_stop(d->keeper);
	store_close(d->store);
	if (d->bus)
		bus_free(d->bus);
	watchdog_free(r->watchdog);
	vault_free(d->vault);
	app_release(&d->app);
	net_options_release(&r->options);
}

static void watch_loops(struct running *r)
{
	struct net *loop[KEEPER_LOOPS + 3];
	size_t      loops = keeper_loops(r->daemon.keeper, loop);

	loop[loops++] = r->post_office.net;
	loop[loops++] = finder_loop(r->daemon.finder);
	loop[loops++] = redeemer_loop(r->daemon.redeemer);
	r->watchdog = watchdog_new(r->daemon.store, loop, loops);
}

/* Until one of the signals comes, which is returned. Three good words fit into the time after which systemd would lose patience. */
static int wait_for_end(struct running *r, const sigset_t *ends)
{
	int                   every_ms = watchdog_wanted_ms() / 3;
	const struct timespec every = { every_ms / 1000, every_ms % 1000 * 1000000L };
	int                   which;
	bool                  well = true;

	if (every_ms == 0) {
		sigwait(ends, &which);
		return which;
	}
	watch_loops(r);
	do {
		bool was_well = well;

		well = watchdog_round(r->watchdog);
		if (well)
			notify("WATCHDOG=1");
		else if (was_well)
			LOG(LOG_FAILURE, "daemon.hangs", LOG_NUMBER("ms", every_ms));
		which = sigtimedwait(ends, NULL, &every);
	} while (which < 0);
	return which;
}

static void greet(const struct running *r, const struct first *first, FILE *out)
{
	const char *base = r->daemon.base_url;

	fprintf(out, "Mailmoor %s\n\n  pages and API   %s\n", MAILMOOR_VERSION, base);
	if (first->key) {
		fprintf(out, "  first key       %s\n                  (shown this once; it may do everything)\n", first->key);
		for (size_t i = 0; i < FIRST_LINKS; i++)
			fprintf(out, "  %-15s %s/%s/%s\n", first_links[i].what, base, first_links[i].kind, first->link[i]);
		fputs("                  (each within a day, in the browser that opens it first)\n", out);
	}
	fputc('\n', out);
	fflush(out);
}

static bool run(const struct settings *s, const struct demo *demo, FILE *out, struct error *err)
{
	struct running *r = must_alloc(sizeof *r);
	struct first    first = { .work = arena_new(), .daemon = &r->daemon };
	sigset_t        ends;
	int             which;
	bool            ok;

	/* before any thread begins: only this one takes them */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	raise_limits();
	r->daemon.demo = demo;
	if (demo) {
		demo_tables(r->tables);
		r->daemon.routes = r->tables;
	}
	ok = start_parts(r, s, &first, err);
	if (ok) {
		if (demo)
			demo->ready(demo->self, r->daemon.base_url);
		else
			greet(r, &first, out);
		LOG(LOG_NEWS, "daemon.started", LOG_TEXT("version", MAILMOOR_VERSION), LOG_TEXT("base_url", r->daemon.base_url));
		notify("READY=1");
		which = wait_for_end(r, &ends);
		notify("STOPPING=1");
		LOG(LOG_NEWS, "daemon.stopping", LOG_NUMBER("signal", which));
	}
	stop_parts(r);
	arena_free(first.work);
	free(r);
	return ok;
}

bool serve_run(const struct settings *s, FILE *out, struct error *err)
{
	return run(s, NULL, out, err);
}

bool serve_demo(const struct settings *s, const struct demo *demo, struct error *err)
{
	return run(s, demo, NULL, err);
}
