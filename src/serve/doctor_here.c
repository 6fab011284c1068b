#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/doctor_parts.h"
#include "serve/kept.h"
#include "serve/registration.h"
#include "store/accounts.h"

#define MIB             ((int64_t)1024 * 1024)
#define DISK_LOW        (1024 * MIB)
#define DISK_FULL       (100 * MIB)
#define FILES_BESIDES   1024                 /* web, mail, store, webhooks  */
#define LOCKED_NEEDED   ((int64_t)64 * 1024) /* the keys, with guard pages  */
#define CLOCK_OFF_MS    1000
#define PROC_MOST       (256 * 1024)

/* -- the directory ------------------------------------------------------------------------------------------------ */

void check_directory(struct doctor *d)
{
	struct stat st;

	if (!d->directory) {
		doctor_say(d, CHECK_DIRECTORY, REMARK_SKIPPED, NULL, "the store is kept in no file");
	} else if (stat(d->directory, &st) != 0) {
		if (errno == ENOENT)
			doctor_say(d, CHECK_DIRECTORY, REMARK_SKIPPED, NULL, "%s is made at the first start", d->directory);
		else
			doctor_say(d, CHECK_DIRECTORY, REMARK_FAILED, "Every directory above it has to be open to that user.", "%s: %s", d->directory, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		doctor_say(d, CHECK_DIRECTORY, REMARK_FAILED, "Move what is there away.", "%s is no directory", d->directory);
	} else if (access(d->directory, R_OK | W_OK | X_OK) != 0) {
		doctor_say(d, CHECK_DIRECTORY, REMARK_FAILED, arena_print(d->job, "chown -R mailmoor: %s", d->directory), "%s, of user %u, mode %04o: %s",
		           d->directory, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777, strerror(errno));
	} else if (st.st_mode & 077) {
		doctor_say(d, CHECK_DIRECTORY, REMARK_FAILED, arena_print(d->job, "chmod 700 %s", d->directory), "%s, mode %04o: others may look into it",
		           d->directory, (unsigned)st.st_mode & 07777);
	} else {
		doctor_say(d, CHECK_DIRECTORY, REMARK_PASSED, NULL, "%s, mode %04o", d->directory, (unsigned)st.st_mode & 07777);
	}
}

static const char *size_words(struct arena *into, int64_t bytes)
{
	if (bytes >= 10 * 1024 * MIB)
		return arena_print(into, "%" PRId64 " GiB", bytes / MIB / 1024);
	return bytes >= MIB ? arena_print(into, "%" PRId64 " MiB", bytes / MIB) : arena_print(into, "%" PRId64 " KiB", bytes / 1024);
}

void check_disk(struct doctor *d)
{
	struct statvfs fs;
	int64_t        left;
	const char    *words;

	if (!d->directory || statvfs(d->directory, &fs) != 0) {
		doctor_say(d, CHECK_DISK, REMARK_SKIPPED, NULL, "no directory to measure yet");
		return;
	}
	left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	words = size_words(d->job, left);
	if (fs.f_flag & ST_RDONLY)
		doctor_say(d, CHECK_DISK, REMARK_FAILED, "Mount it for writing.", "%s is read-only", d->directory);
	else if (left < DISK_FULL)
		doctor_say(d, CHECK_DISK, REMARK_FAILED, "Make room now: when nothing can be kept, mail and requests are turned away.", "%s left", words);
	else if (fs.f_files && fs.f_favail < 100)
		doctor_say(d, CHECK_DISK, REMARK_FAILED, "Delete files, many small ones: the file system has no room for new names.", "room for %llu files",
		           (unsigned long long)fs.f_favail);
	else if (left < DISK_LOW)
		doctor_say(d, CHECK_DISK, REMARK_WARNED, "Make room before it is less than 100 MiB.", "%s left", words);
	else
		doctor_say(d, CHECK_DISK, REMARK_PASSED, NULL, "%s left", words);
}

/* -- the key ------------------------------------------------------------------------------------------------------ */

static void say_absent(struct doctor *d)
{
	if (!d->begun)
		doctor_say(d, CHECK_KEY, REMARK_SKIPPED, NULL, "%s is made at the first start", d->key_file);
	else
		doctor_say(d, CHECK_KEY, REMARK_FAILED, "Put it back from where its copy is kept: the passwords in the store open with nothing else. Where the "
		           "unit has LoadCredential=mailmoor.key, ask as root while it runs.", "%s is not there", d->key_file);
}

void check_key(struct doctor *d)
{
	struct error err = { 0 };
	struct stat  st;

	d->vault = vault_open(d->key_file, false, &err);
	if (d->vault && stat(d->key_file, &st) == 0) {
		doctor_say(d, CHECK_KEY, REMARK_PASSED, NULL, "%s, mode %04o", d->key_file, (unsigned)st.st_mode & 07777);
		return;
	}
	if (stat(d->key_file, &st) != 0 && errno == ENOENT)
		say_absent(d);
	else
		doctor_say(d, CHECK_KEY, REMARK_FAILED, arena_print(d->job, "chown mailmoor: %s; chmod 600 %s", d->key_file, d->key_file), "%s", err.text);
}

/* -- the store ---------------------------------------------------------------------------------------------------- */

static bool try_secret(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct doctor *d = self;
	struct slice   plain;

	(void)out;
	(void)err;
	d->secrets++;
	if (d->vault && !vault_unseal(d->vault, arena_print(work, "%s/%s", owner, kind), sealed, work, &plain, NULL))
		d->shut++;
	return true;
}

static void add_host(struct doctor *d, const struct endpoint *e)
{
	for (size_t i = 0; i < d->hosts; i++)
		if (d->host[i].port == e->port && strcmp(d->host[i].host, e->host) == 0)
			return;
	if (d->hosts < DOCTOR_HOSTS)
		d->host[d->hosts++] = (struct doctor_host){ arena_str(d->job, e->host), e->port };
}

static bool look_at_hosts(struct txn *t, struct doctor *d, struct arena *work, struct error *err)
{
	struct account_query connected = { .state = account_state_name(ACCOUNT_CONNECTED), .most = PAGE_MOST };
	struct account_page  page;

	if (!account_list(t, work, &connected, &page, err))
		return false;
	for (size_t i = 0; i < page.count; i++) {
		struct flow_worked worked;

		if (!page.item[i].place || !place_read(page.item[i].place, work, &worked))
			continue;
		for (enum service s = SERVICE_IMAP; s < SERVICES_ALL; s++)
			if (worked.well[s])
				add_host(d, &worked.endpoint[s]);
	}
	return true;
}

static bool look(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct doctor        *d = self;
	struct account_count *count;
	size_t                counts;

	d->accounts = 0;
	d->secrets = d->shut = d->hosts = 0;
	if (!account_counts(t, work, NULL, &count, &counts, err))
		return false;
	for (size_t i = 0; i < counts; i++)
		if (strcmp(count[i].state, account_state_name(ACCOUNT_REMOVED)) != 0)
			d->accounts += count[i].count;
	return sealed_each(t, work, try_secret, d, err) && look_at_hosts(t, d, work, err);
}

pid_t lock_owner(const char *line, ino_t inode)
{
	char               kind[16], mode[16], access_kind[16];
	unsigned           major, minor;
	unsigned long long number;
	int                pid;

	if (sscanf(line, "%*d: %15s %15s %15s %d %x:%x:%llu", kind, mode, access_kind, &pid, &major, &minor, &number) != 7)
		return 0;
	return strcmp(kind, "FLOCK") == 0 && strcmp(access_kind, "WRITE") == 0 && number == inode && pid > 0 ? pid : 0;
}

static char *read_proc(const char *path, struct arena *into)
{
	char  *text = arena_get(into, PROC_MOST + 1);
	FILE  *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, PROC_MOST, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

static pid_t find_owner(const struct stat *lock)
{
	CLEANUP(arena) struct arena *work = arena_new();
	char *rest = NULL;
	pid_t found = 0;

	for (char *line = strtok_r(read_proc("/proc/locks", work), "\n", &rest); line && !found; line = strtok_r(NULL, "\n", &rest))
		found = lock_owner(line, lock->st_ino);
	return found;
}

/* The lock is touched only where its owner cannot be seen: whoever starts in that moment would be turned away. */
static void find_daemon(struct doctor *d, const char *file)
{
	int         fd = open(arena_print(d->job, "%s.lock", file), O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		d->pid = find_owner(&st);
	d->runs = d->pid || (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK);
	close(fd);
}

static void check_secrets(struct doctor *d)
{
	if (!d->vault)
		doctor_say(d, CHECK_SECRETS, REMARK_SKIPPED, NULL, "%zu, not tried without a key", d->secrets);
	else if (d->secrets == 0)
		doctor_say(d, CHECK_SECRETS, REMARK_SKIPPED, NULL, "none is there yet");
	else if (d->shut)
		doctor_say(d, CHECK_SECRETS, REMARK_FAILED, "They were sealed with another key: put the file back that was there before, or ask those people for "
		           "their passwords again.", "%zu of %zu do not open with this key file", d->shut, d->secrets);
	else
		doctor_say(d, CHECK_SECRETS, REMARK_PASSED, NULL, "%zu, and the key file opens all of them", d->secrets);
}

/* A store that the daemon has not brought to this version yet has none to tell: that is no fault of it. */
static bool look_at_addresses(struct txn *t, void *self, struct error *err)
{
	struct doctor *d = self;

	return our_addresses_read(t, &d->settings, d->job, clock_unix_ms(), &d->ours, err);
}

static const char *list_words(struct doctor *d, const struct our_address *a, size_t count)
{
	const char *list = "";

	for (size_t i = 0; i < count; i++)
		list = arena_print(d->job, "%s%s%s%s", list, i ? ", " : "", a[i].address,
		                   !a[i].host ? ""
		                   : a[i].other_host ? arena_print(d->job, " (so say %s and %s)", a[i].host, a[i].other_host)
		                                     : arena_print(d->job, " (so says %s alone)", a[i].host));
	return list;
}

void check_addresses(struct doctor *d)
{
	struct error err = { 0 };

	if (!d->begun || !store_look(d->store_url, false, look_at_addresses, d, &err))
		our_addresses_of_settings(&d->settings, d->job, &d->ours);
	if (d->ours.strays)
		doctor_say(d, CHECK_ADDRESSES, REMARK_WARNED, "Who has an allowlist must know it as well: add it to [net] egress_addresses, or see to the route.",
		           "our mail leaves from another address than configured: %s; configured: %s", list_words(d, d->ours.stray, d->ours.strays),
		           list_words(d, d->ours.item, d->ours.count));
	else if (d->ours.configured)
		doctor_say(d, CHECK_ADDRESSES, REMARK_PASSED, NULL, "%s, as configured", list_words(d, d->ours.item, d->ours.count));
	else if (d->ours.count)
		doctor_say(d, CHECK_ADDRESSES, REMARK_PASSED, NULL, "%s; [net] egress_addresses names none", list_words(d, d->ours.item, d->ours.count));
	else
		doctor_say(d, CHECK_ADDRESSES, REMARK_SKIPPED, NULL, "not known: [net] egress_addresses names none, and no mail server has told one yet");
}

void check_store(struct doctor *d)
{
	const char  *file = store_file(d->store_url);
	struct error err = { 0 };
	struct stat  st, log;

	if (!file || stat(file, &st) != 0) {
		doctor_say(d, CHECK_STORE, REMARK_SKIPPED, NULL, "%s is made at the first start", file ? file : d->store_url);
		return;
	}
	if (stat(arena_print(d->job, "%s-wal", file), &log) == 0)
		st.st_size += log.st_size;
	find_daemon(d, file);
	/* while the daemon runs the reading of all pages is left out: it would have to share the disk */
	if (!store_look(d->store_url, !d->runs, look, d, &err))
		doctor_say(d, CHECK_STORE, REMARK_FAILED, "Stop the daemon, move the file away, and put the last back-up in its place.", "%s", err.text);
	else
		doctor_say(d, CHECK_STORE, REMARK_PASSED, NULL, "%s, %s, %" PRId64 " account%s; %s", file, size_words(d->job, st.st_size), d->accounts,
		           d->accounts == 1 ? "" : "s", d->runs ? "in use, so not read through" : "read through, and whole");
	if (!err.fault)
		check_secrets(d);
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

static int64_t limit_number(struct slice word)
{
	unsigned long long n;

	return slice_number(word, INT64_MAX, &n) ? (int64_t)n : -1;
}

bool limit_read(const char *text, const char *name, int64_t *soft, int64_t *hard)
{
	const char  *line = strstr(text, name);
	struct slice rest, words[2];

	if (!line)
		return false;
	rest = slice_str(line + strlen(name));
	rest = slice_cut(&rest, '\n');
	for (size_t i = 0; i < 2; i++) {
		rest = slice_trim(rest);
		words[i] = slice_cut(&rest, ' ');
		if (words[i].len == 0)
			return false;
	}
	*soft = limit_number(words[0]);
	*hard = limit_number(words[1]);
	return true;
}

void check_files(struct doctor *d)
{
	int64_t       need = d->accounts * 2 + FILES_BESIDES, soft, have;
	struct rlimit own;
	bool          theirs = d->pid && limit_read(read_proc(arena_print(d->job, "/proc/%d/limits", (int)d->pid), d->job), "Max open files", &soft, &have);

	if (!theirs)
		have = getrlimit(RLIMIT_NOFILE, &own) == 0 && own.rlim_max != RLIM_INFINITY ? (int64_t)own.rlim_max : -1;
	else
		have = soft;
	if (have >= 0 && have < need)
		doctor_say(d, CHECK_FILES, REMARK_FAILED, "LimitNOFILE=1048576 in the unit", "%" PRId64 " %s, and %" PRId64 " account%s want %" PRId64, have,
		           theirs ? "for the daemon" : "here", d->accounts, d->accounts == 1 ? "" : "s", need);
	else
		doctor_say(d, CHECK_FILES, REMARK_PASSED, NULL, "%s %s, and %" PRId64 " would do",
		           have < 0 ? "any number" : arena_print(d->job, "%" PRId64, have), theirs ? "for the daemon" : "here (the unit has its own limit)", need);
}

/* Of /proc/PID/status, in KiB; -1: not to be seen. */
static int64_t locked_by(struct doctor *d)
{
	const char        *line = d->pid ? strstr(read_proc(arena_print(d->job, "/proc/%d/status", (int)d->pid), d->job), "VmLck:") : NULL;
	struct slice       rest = slice_str(line ? line + 6 : NULL), word = slice_trim(slice_cut(&rest, '\n'));
	unsigned long long kib;

	return slice_number(slice_cut(&word, ' '), INT64_MAX, &kib) ? (int64_t)kib : -1;
}

void check_memory(struct doctor *d)
{
	static const char advice[] = "LimitMEMLOCK=8M in the unit: keys that cannot be locked may be written to swap";
	int64_t           kib = locked_by(d);
	struct rlimit     own;

	if (kib > 0)
		doctor_say(d, CHECK_MEMORY, REMARK_PASSED, NULL, "the daemon keeps %" PRId64 " KiB out of swap: its keys", kib);
	else if (kib == 0)
		doctor_say(d, CHECK_MEMORY, REMARK_WARNED, advice, "the daemon could lock nothing");
	else if (getrlimit(RLIMIT_MEMLOCK, &own) == 0 && own.rlim_max != RLIM_INFINITY && (int64_t)own.rlim_max < LOCKED_NEEDED)
		doctor_say(d, CHECK_MEMORY, REMARK_WARNED, advice, "%llu bytes may be locked here", (unsigned long long)own.rlim_max);
	else
		doctor_say(d, CHECK_MEMORY, REMARK_PASSED, NULL, "enough of it may be locked here for the keys");
}

/* -- the clock ---------------------------------------------------------------------------------------------------- */

/* Nobody is asked: the kernel knows whether something keeps its clock right. What base_url's server says is looked at there. */
void check_clock(struct doctor *d)
{
	struct timex t = { 0 };
	long         off_ms;

	if (adjtimex(&t) < 0) {
		doctor_say(d, CHECK_CLOCK, REMARK_SKIPPED, NULL, "the kernel does not say whether it is kept right: %s", strerror(errno));
		return;
	}
	off_ms = t.maxerror / 1000;
	if (t.status & STA_UNSYNC)
		doctor_say(d, CHECK_CLOCK, REMARK_WARNED, "Where the host keeps the clock (a container, some virtual machines) that is fine; otherwise install "
		           "systemd-timesyncd or chrony. Certificates, links and signatures of webhooks depend on it.",
		           "as far as the kernel knows, nothing keeps it right");
	else if (off_ms > CLOCK_OFF_MS)
		doctor_say(d, CHECK_CLOCK, REMARK_WARNED, "timedatectl timesync-status", "kept right, but it may be %ld ms off", off_ms);
	else
		doctor_say(d, CHECK_CLOCK, REMARK_PASSED, NULL, "kept right, at most %ld ms off", off_ms);
}

/* -- the registration at Microsoft -------------------------------------------------------------------------------- */

/* "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001" */
static bool is_guid(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	return len == 36;
}

/* What Entra takes as a redirect URI: https, and http for the machine that one sits at. */
static bool leads_back(const char *base)
{
	static const char *const begins[] = { "https://", "http://localhost", "http://127.0.0.1" };

	for (size_t i = 0; base && i < COUNT(begins); i++)
		if (slice_starts(slice_str(base), begins[i]))
			return true;
	return false;
}

/* Is it one organisation's own? Then nobody else has to trust its publisher. */
static bool is_for_one(const struct microsoft_app *app)
{
	static const char *const shared[] = { "common", "organizations", "consumers" };

	for (size_t i = 0; app->tenant && i < COUNT(shared); i++)
		if (strcmp(app->tenant, shared[i]) == 0)
			return false;
	return app->tenant != NULL;
}

void check_publisher(struct doctor *d)
{
	const struct microsoft_app *app = &d->app.microsoft;

	if (!app->client_id)
		doctor_say(d, CHECK_PUBLISHER, REMARK_SKIPPED, NULL, "not registered at Microsoft");
	else if (microsoft_publisher_verified(&d->settings))
		doctor_say(d, CHECK_PUBLISHER, REMARK_PASSED, NULL, "verified, as [microsoft] publisher_verified says");
	else if (is_for_one(app))
		doctor_say(d, CHECK_PUBLISHER, REMARK_SKIPPED, NULL, "only %s signs in: its administrators need no verified publisher", app->tenant);
	else
		doctor_say(d, CHECK_PUBLISHER, REMARK_WARNED,
		           "Join Microsoft's partner program; in the registration, Branding & properties, prove the publisher domain and add the Partner ID"
		           " under Publisher verification; then [microsoft] publisher_verified = yes.",
		           "the publisher is not verified: organisations that allow only apps of verified publishers have to approve it by an administrator");
}

void check_microsoft(struct doctor *d)
{
	const char                 *base = d->settings.value[SETTING_WEB_BASE_URL];
	const struct microsoft_app *app = &d->app.microsoft;

	if (!app->client_id)
		doctor_say(d, CHECK_MICROSOFT, REMARK_SKIPPED, NULL, "not registered: nobody can sign in there ([microsoft] client_id)");
	else if (!is_guid(app->client_id))
		doctor_say(d, CHECK_MICROSOFT, REMARK_FAILED, "Take \"Application (client) ID\" from the registration's overview, not its name nor the secret's id.",
		           "[microsoft] client_id is no id: five groups of hexadecimal digits");
	else if (!leads_back(base))
		doctor_say(d, CHECK_MICROSOFT, REMARK_FAILED, "[web] base_url = https://YOUR.NAME",
		           "Microsoft sends people back to https only, and base_url is %s", base ? base : "not set");
	else if (!app->client_secret && !d->settings.value[SETTING_MICROSOFT_CERT])
		doctor_say(d, CHECK_MICROSOFT, REMARK_WARNED, "Certificates & secrets, New client secret; its value becomes [microsoft] client_secret.",
		           "no client_secret: a registration of the platform Web cannot do without");
	else
		doctor_say(d, CHECK_MICROSOFT, REMARK_PASSED, NULL, "client %s; its redirect URI has to be %s%s", app->client_id, base, signin_place("microsoft")->callback);
}

/* As Google gives them: a number, and its own domain behind. */
static bool is_google_client(const char *id)
{
	return slice_ends(slice_str(id), ".apps.googleusercontent.com");
}

void check_google(struct doctor *d)
{
	const char              *base = d->settings.value[SETTING_WEB_BASE_URL];
	const struct google_app *app = &d->app.google;

	if (!app->client_id)
		doctor_say(d, CHECK_GOOGLE, REMARK_SKIPPED, NULL, "not registered: nobody can sign in there ([google] client_id)");
	else if (!is_google_client(app->client_id))
		doctor_say(d, CHECK_GOOGLE, REMARK_FAILED, "Take \"Client ID\" from Google Cloud, APIs & Services, Credentials, of a Web application.",
		           "[google] client_id is none of Google's: they end with .apps.googleusercontent.com");
	else if (!leads_back(base))
		doctor_say(d, CHECK_GOOGLE, REMARK_FAILED, "[web] base_url = https://YOUR.NAME",
		           "Google sends people back to https only, and base_url is %s", base ? base : "not set");
	else if (!app->client_secret)
		doctor_say(d, CHECK_GOOGLE, REMARK_WARNED, "It stands beside the client id; its value becomes [google] client_secret.",
		           "no client_secret: a Web application cannot do without");
	else
		doctor_say(d, CHECK_GOOGLE, REMARK_PASSED, NULL, "client %s; its redirect URI has to be %s%s", app->client_id, base,
		           signin_place("google")->callback);
}
