#include "serve/doctor.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/doctor_parts.h"
#include "serve/serve.h"
#include "store/store.h"

#define CREDENTIALS "/run/credentials/mailmoor.service"      /* where systemd puts those of our unit */
#define BODY_MOST   4096

static const struct { const char *id, *label; } rows[CHECKS] = {
	[CHECK_SETTINGS]    = { "settings",          "settings" },
	[CHECK_USER]        = { "user",              "rights" },
	[CHECK_DIRECTORY]   = { "state.directory",   "state directory" },
	[CHECK_DISK]        = { "state.disk",        "free disk" },
	[CHECK_STORE]       = { "store",             "store" },
	[CHECK_KEY]         = { "key.file",          "key file" },
	[CHECK_SECRETS]     = { "key.opens",         "sealed secrets" },
	[CHECK_ADDRESSES]   = { "net.addresses",     "our addresses" },
	[CHECK_DAEMON]      = { "daemon",            "daemon" },
	[CHECK_FILES]       = { "limit.files",       "open files" },
	[CHECK_MEMORY]      = { "limit.memory",      "locked memory" },
	[CHECK_CLOCK]       = { "clock",             "clock" },
	[CHECK_DNS]         = { "net.dns",           "name server" },
	[CHECK_BASE]        = { "web.base_url",      "base_url" },
	[CHECK_CERTIFICATE] = { "web.certificate",   "its certificate" },
	[CHECK_PROXY]       = { "web.proxies",       "trusted_proxies" },
	[CHECK_MAIL_DOOR]   = { "inbound.listen",    "mail's own port" },
	[CHECK_MAIL_DOMAIN] = { "inbound.domain",    "BCC domain" },
	[CHECK_MAIL_TLS]    = { "inbound.starttls",  "its STARTTLS" },
	[CHECK_MICROSOFT]   = { "microsoft",         "Microsoft" },
	[CHECK_CLIENT_CERTIFICATE] = { "microsoft.certificate", "its certificate" },
	[CHECK_CLIENT]      = { "microsoft.client",  "its secret" },
	[CHECK_PUBLISHER]   = { "microsoft.publisher", "its publisher" },
	[CHECK_GOOGLE]      = { "google",            "Google" },
	[CHECK_GOOGLE_PAGE] = { "google.client",     "its registration" },
	[CHECK_EGRESS]      = { "net.egress",        "what may leave" },
};

const char *remark_state_name(enum remark_state state)
{
	static const char *const name[] = { "passed", "warned", "failed", "skipped" };

	return name[state];
}

void doctor_say(struct doctor *d, enum check check, enum remark_state state, const char *advice, const char *fmt, ...)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct remark f = { .id = rows[check].id, .label = rows[check].label, .state = state, .advice = advice };
	va_list        args;

	va_start(args, fmt);
	f.text = arena_vprint(work, fmt, args);
	va_end(args);
	d->failed |= state == REMARK_FAILED;
	d->found(d->self, &f);
}

/* -- conversations ------------------------------------------------------------------------------------------------ */

void doctor_converse(struct doctor *d, enum want_kind (*step)(void *, struct want *, struct error *), void *self, int wait_ms)
{
	struct task task = { .step = step, .self = self, .wait_ms = wait_ms };

	net_run(d->net, &task);
}

bool doctor_get(struct doctor *d, struct fetch *f, const char *url, struct tls_answer *tls)
{
	fetch_init(f, d->job, "GET", url, DOCTOR_WAIT_MS, BODY_MOST);
	f->tls = tls;
	doctor_converse(d, fetch_step, f, DOCTOR_WAIT_MS + 1000);
	return f->answer.status != 0;
}

enum doctor_who doctor_who_answers(struct doctor *d, const char *base, struct fetch *f, struct tls_answer *tls, const char **version)
{
	const char  *question = d->vault ? identity_question(d->vault, d->job) : "";
	struct slice rest, proof;

	*version = NULL;
	if (!doctor_get(d, f, arena_print(d->job, "%s/healthz?ask=%s", base, question), tls))
		return WHO_NOBODY_THERE;
	rest = slice_trim(buffer_held(&f->answer.body));
	if (f->answer.status != 200 || !slice_equal(slice_cut(&rest, ' '), slice_str("ok")))
		return WHO_SOMEBODY;
	if (!d->vault)
		return WHO_CANNOT_TELL;
	proof = slice_cut(&rest, ' ');
	if (!identity_is_proven(d->vault, question, proof, d->job))
		return WHO_SOMEBODY;
	*version = arena_copy(d->job, slice_cut(&rest, ' '));
	d->answered = true;
	d->takes_mail = slice_equal(rest, slice_str("mail"));
	return WHO_THIS_DAEMON;
}

/* -- words -------------------------------------------------------------------------------------------------------- */

const char *came_words(enum came came)
{
	switch (came) {
	case CAME_TIMEOUT:     return "no answer in time";
	case CAME_REFUSED:     return "connection refused";
	case CAME_UNREACHABLE: return "no route there";
	case CAME_RESET:       return "the connection was cut";
	case CAME_END:         return "the connection was closed at once";
	case CAME_NOT_ALLOWED: return "[net] allow forbids it";
	case CAME_TLS_FAILED:  return "TLS did not come about";
	default:               return came_name(came);
	}
}

const char *dns_words(enum dns_outcome outcome)
{
	switch (outcome) {
	case DNS_FOUND:          return "found";
	case DNS_NO_DATA:        return "the name has no such record";
	case DNS_NO_NAME:        return "there is no such name";
	case DNS_SERVER_FAILED:  return "the name server could not find out (SERVFAIL)";
	case DNS_BOGUS:          return "its DNSSEC is broken";
	case DNS_SERVER_REFUSED: return "the name server refuses to answer";
	case DNS_SILENT:         return "no name server answers";
	case DNS_BROKEN:         return "the name server's answer is none";
	case DNS_LOOP:           return "its aliases lead nowhere";
	}
	return "?";
}

const char *flaw_words(const struct tls_answer *a, struct arena *into)
{
	static const struct { enum tls_flaw flaw; const char *words; } flaws[] = {
		{ TLS_FLAW_EXPIRED, "has ended" },              { TLS_FLAW_NOT_YET, "is not valid yet" },
		{ TLS_FLAW_NAME, "is for other names" },        { TLS_FLAW_SELF_SIGNED, "signs itself" },
		{ TLS_FLAW_PRIVATE_ROOT, "comes from an authority that nobody here trusts" },
		{ TLS_FLAW_NO_ISSUER, "comes without the one that signed it" },
		{ TLS_FLAW_REVOKED, "has been revoked" },       { TLS_FLAW_WEAK, "is too weak" },
	};
	const char *words = NULL;

	for (size_t i = 0; i < COUNT(flaws); i++)
		if (a->flaws & flaws[i].flaw)
			words = words ? arena_print(into, "%s and %s", words, flaws[i].words) : flaws[i].words;
	if (words)
		return arena_print(into, "its certificate %s", words);
	return a->reason[0] ? arena_str(into, a->reason) : "TLS did not come about";
}

int days_left(const struct tls_certificate *c, int64_t now_unix)
{
	int64_t left = c->not_after - now_unix;

	return (int)((left < 0 ? left - 86399 : left) / 86400);
}

/* -- what there is to look at ------------------------------------------------------------------------------------- */

static bool read_settings(struct doctor *d)
{
	struct error err = { 0 };

	d->file = d->wishes->config ? d->wishes->config : access(DOCTOR_CONFIG, F_OK) == 0 ? DOCTOR_CONFIG : NULL;
	if (!settings_read(&d->settings, d->file, &err) || !net_options_settings(&d->options, &d->settings, &err)
	    || !serve_places_find(&d->settings, d->store_url, d->key_file, &err)) {
		doctor_say(d, CHECK_SETTINGS, REMARK_FAILED, "Put it right; mailmoor.conf(5) has every setting. The rest was not looked at.", "%s", err.text);
		return false;
	}
	d->options.net.check_targets = false;      /* our own addresses may well be private */
	doctor_say(d, CHECK_SETTINGS, REMARK_PASSED, NULL, "%s", d->file ? d->file : "the defaults and the environment; no file was named");
	return true;
}

/* Root may read everything; the daemon may not. */
static void take_rights(struct doctor *d)
{
	struct stat    st;
	struct passwd *who;

	if (geteuid() != 0 || !d->directory || stat(d->directory, &st) != 0 || st.st_uid == 0)
		return;
	/* root sees what the unit was given, and so does its user */
	if (!getenv("CREDENTIALS_DIRECTORY") && access(CREDENTIALS "/mailmoor.key", F_OK) == 0) {
		setenv("CREDENTIALS_DIRECTORY", CREDENTIALS, 1);
		serve_places_find(&d->settings, d->store_url, d->key_file, NULL);
	}
	who = getpwuid(st.st_uid);
	if ((who ? initgroups(who->pw_name, st.st_gid) : setgroups(0, NULL)) != 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) != 0
	    || setresuid(st.st_uid, st.st_uid, st.st_uid) != 0)
		doctor_say(d, CHECK_USER, REMARK_WARNED, "Run it as that user.", "looked at as root, since its rights cannot be given up (%s): "
		           "what is found readable here need not be so for the owner of %s", strerror(errno), d->directory);
	else
		doctor_say(d, CHECK_USER, REMARK_PASSED, NULL, "as %s, to whom %s belongs", who ? who->pw_name : arena_print(d->job, "user %u", (unsigned)st.st_uid),
		           d->directory);
}

static void find_directory(struct doctor *d)
{
	const char *file = store_file(d->store_url);

	d->directory = file ? dirname(arena_str(d->job, file)) : NULL;
	d->begun = !file || access(file, F_OK) == 0;
}

/* -- the daemon --------------------------------------------------------------------------------------------------- */

/* Where one asks what listens at "0.0.0.0:8325". */
static const char *place_to_ask(struct arena *job, struct slice listen)
{
	static const struct { const char *any, *self; } kinds[] = { { "0.0.0.0:", "127.0.0.1" }, { "[::]:", "[::1]" } };

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (slice_starts(listen, kinds[i].any))
			return arena_print(job, "%s%s", kinds[i].self, arena_copy(job, slice_from(listen, strlen(kinds[i].any) - 1)));
	return arena_copy(job, listen);
}

static void say_who(struct doctor *d, const char *place, enum doctor_who who, const struct fetch *f, const char *version)
{
	const char *pid = d->pid ? arena_print(d->job, "process %d", (int)d->pid) : "another process";

	switch (who) {
	case WHO_NOBODY_THERE:
		doctor_say(d, CHECK_DAEMON, REMARK_FAILED, "It may be starting still, or have its port from systemd (systemctl cat mailmoor.socket): "
		           "then [web] listen should say the same. Otherwise: journalctl -u mailmoor -e.",
		           "%s has the store open, but nobody answers at %s: %s", pid, place, came_words(f->came));
		break;
	case WHO_SOMEBODY:
		doctor_say(d, CHECK_DAEMON, REMARK_FAILED, "Give one of the two another port, or look with the settings that the daemon was started with.",
		           "what answers at %s is not the daemon with this key file", place);
		break;
	case WHO_CANNOT_TELL:
		doctor_say(d, CHECK_DAEMON, REMARK_WARNED, "See to the key file first.", "a daemon answers at %s; whether it is this one cannot be told without its key file", place);
		break;
	case WHO_THIS_DAEMON:
		if (strcmp(version, MAILMOOR_VERSION) == 0)
			doctor_say(d, CHECK_DAEMON, REMARK_PASSED, NULL, "version %s answers at %s, %s", version, place, pid);
		else
			doctor_say(d, CHECK_DAEMON, REMARK_WARNED, "systemctl restart mailmoor",
			           "version %s runs, and %s is installed", version, MAILMOOR_VERSION);
	}
}

static void ask_daemon(struct doctor *d, const char *place)
{
	const char     *base = arena_print(d->job, "http://%s", place), *version;
	struct fetch    f;
	enum doctor_who who = doctor_who_answers(d, base, &f, NULL, &version);

	say_who(d, place, who, &f, version);
	fetch_release(&f);
	if (who != WHO_THIS_DAEMON)
		return;
	if (doctor_get(d, &f, arena_print(d->job, "%s/readyz", base), NULL) && f.answer.status != 200)
		doctor_say(d, CHECK_DAEMON, REMARK_FAILED, "The disk is full or read-only; its log names the reason: journalctl -u mailmoor -e.",
		           "it is not ready: %s", arena_copy(d->job, slice_trim(buffer_held(&f.answer.body))));
	fetch_release(&f);
}

static void check_daemon(struct doctor *d)
{
	struct slice rest = slice_str(d->settings.value[SETTING_WEB_LISTEN]), first = slice_trim(slice_cut(&rest, ' '));

	if (!d->runs && !d->begun)
		doctor_say(d, CHECK_DAEMON, REMARK_SKIPPED, NULL, "it has not been started yet");
	else if (!d->runs)
		doctor_say(d, CHECK_DAEMON, REMARK_FAILED, "systemctl start mailmoor; why it stopped: journalctl -u mailmoor -e",
		           "it does not run: nobody has the store open");
	else if (slice_ends(first, ":0"))
		doctor_say(d, CHECK_DAEMON, REMARK_SKIPPED, NULL, "it runs, on a port that is another one at each start");
	else
		ask_daemon(d, place_to_ask(d->job, first));
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static void look_here(struct doctor *d)
{
	app_read(&d->app, &d->settings, &d->unread);
	check_directory(d);
	check_disk(d);
	check_key(d);
	check_store(d);
	check_addresses(d);
	check_daemon(d);
	check_files(d);
	check_memory(d);
	check_clock(d);
	check_microsoft(d);
	check_client_certificate(d);
	check_publisher(d);
	check_google(d);
}

static void look_outside(struct doctor *d)
{
	check_dns(d);
	check_base(d);
	check_proxy(d);
	check_mail(d);
	check_client(d);
	check_google_page(d);
	check_egress(d);
}

bool doctor_run(const struct doctor_wishes *wishes, void (*found)(void *self, const struct remark *), void *self)
{
	struct doctor *d = must_alloc(sizeof *d);
	struct error   err = { 0 };
	bool           fine;

	d->job = arena_new();
	d->wishes = wishes;
	d->found = found;
	d->self = self;
	if (read_settings(d)) {
		find_directory(d);
		take_rights(d);
		if (d->file && access(d->file, R_OK) != 0)
			doctor_say(d, CHECK_SETTINGS, REMARK_FAILED, "chmod 644, or give it to that user's group", "%s: %s", d->file, strerror(errno));
		d->net = net_new(&d->options.net, &err);
		if (d->net) {
			look_here(d);
			if (!wishes->here)
				look_outside(d);
		} else {
			doctor_say(d, CHECK_SETTINGS, REMARK_FAILED, "[net] ca_file has to be a PEM file that this user may read.", "%s", err.text);
		}
	}
	fine = !d->failed;
	vault_free(d->vault);
	net_free(d->net);
	app_release(&d->app);
	net_options_release(&d->options);
	settings_release(&d->settings);
	arena_free(d->job);
	free(d);
	return fine;
}
