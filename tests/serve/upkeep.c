#include "serve/upkeep.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "connect/vault.h"
#include "serve/folder.h"
#include "serve/keys.h"
#include "store/accounts.h"
#include "store/workspaces.h"
#include "test.h"

#define SECRETS 300
#define ROUNDS  40

/* A store and its key file in a folder of its own. */
struct place {
	char            folder[FOLDER_PATH], file[60], url[80], keys[60], copy[60], aside[80];
	struct settings settings;
	struct error    err;
};

static const char *secret_of(int n, char out[40])
{
	snprintf(out, 40, "heron-Kettle-%d", n);
	return out;
}

static bool fill(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct workspace w;
	char             plain[40], owner[20];

	workspace_make(work, "Main", 1, &w);
	if (!workspace_insert(t, &w, err)
	    || !answer_put(t, &(struct kept_answer){ .workspace = w.id, .key = "once", .request_hash = "h", .status = 201, .created = 5 }, err))
		return false;
	for (int i = 0; i < SECRETS; i++) {
		struct slice sealed;

		snprintf(owner, sizeof owner, "acc_%d", i);
		if (!vault_seal(self, arena_print(work, "%s/password", owner), slice_str(secret_of(i, plain)), work, &sealed, err)
		    || !sealed_put(t, owner, "password", sealed, err))
			return false;
	}
	return true;
}

static void begin(struct place *p)
{
	CLEANUP(vault) struct vault *vault = NULL;
	struct store *store;

	*p = (struct place){ 0 };
	folder_make(p->folder, "upkeep");
	snprintf(p->file, sizeof p->file, "%s/store", p->folder);
	snprintf(p->url, sizeof p->url, "sqlite:%s", p->file);
	snprintf(p->keys, sizeof p->keys, "%s/keys", p->folder);
	snprintf(p->copy, sizeof p->copy, "%s/copy", p->folder);
	snprintf(p->aside, sizeof p->aside, "%s.before-restore", p->file);
	EXPECT(settings_read(&p->settings, NULL, &p->err));
	settings_set(&p->settings, SETTING_STORE_URL, p->url);
	settings_set(&p->settings, SETTING_SECRETS_KEY, p->keys);
	vault = vault_open(p->keys, true, &p->err);
	EXPECT_ROW(vault, p->err.text);
	store = store_open(p->url, &p->err);
	EXPECT(store && store_write_wait(store, fill, vault, &p->err));
	store_close(store);
}

static void end(struct place *p)
{
	folder_remove(p->folder);
	settings_release(&p->settings);
}

static bool failed_as(struct place *p, bool fine, enum fault fault)
{
	bool right = !fine && p->err.fault == fault && p->err.text[0];

	p->err = (struct error){ 0 };
	return right;
}

#define FAILS(call, fault) EXPECT(failed_as(&p, (call), (fault)))

struct reading {
	struct vault *vault;
	int           opened;
};

static bool read_all_secrets(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct reading *r = self;
	char            owner[20], plain[40];

	for (int i = 0; i < SECRETS; i++) {
		struct slice sealed, opened;

		snprintf(owner, sizeof owner, "acc_%d", i);
		if (!sealed_get(t, work, owner, "password", &sealed, err)
		    || !vault_unseal(r->vault, arena_print(work, "%s/password", owner), sealed, work, &opened, err))
			return false;
		r->opened += slice_equal(opened, slice_str(secret_of(i, plain)));
	}
	return true;
}

/* Every secret, by the keys that are there. */
static void expect_all_open(struct place *p, const char *when)
{
	CLEANUP(vault) struct vault *vault = vault_open(p->keys, false, &p->err);
	struct reading r = { .vault = vault };
	struct store  *store = store_open(p->url, &p->err);
	bool           fine = vault && store && store_read(store, read_all_secrets, &r, &p->err);

	store_close(store);
	if (!fine || r.opened != SECRETS)
		test_fail(__FILE__, __LINE__, "%s: %d open: %s", when, r.opened, p->err.text);
}

static size_t keys_in(struct place *p)
{
	CLEANUP(vault) struct vault *vault = vault_open(p->keys, false, &p->err);

	EXPECT_ROW(vault, p->err.text);
	return vault_keys(vault);
}

static const char *key_id(struct place *p, struct arena *into)
{
	CLEANUP(vault) struct vault *vault = vault_open(p->keys, false, &p->err);

	EXPECT_ROW(vault, p->err.text);
	return arena_str(into, vault_key_id(vault));
}

static bool has_answer(struct txn *t, void *self, struct error *err)
{
	struct workspace  *w;
	struct kept_answer a;
	size_t             count;

	return workspace_list(t, self, &w, &count, err) && answer_get(t, self, w[0].id, "once", &a, err);
}

TEST(a_rotation_changes_the_key_and_nothing_else)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place p;
	struct store *store;
	const char  *before;
	int64_t      secrets = 0;

	begin(&p);
	before = key_id(&p, work);
	EXPECT_ROW(upkeep_rotate(&p.settings, &secrets, &p.err), p.err.text);
	EXPECT(secrets == SECRETS && keys_in(&p) == 1 && strcmp(before, key_id(&p, work)) != 0);
	expect_all_open(&p, "after a rotation");
	/* what it would be compared with is signed by a key that is gone */
	store = store_open(p.url, &p.err);
	FAILS(store_read(store, has_answer, work, &p.err), FAULT_ABSENT);
	store_close(store);
	end(&p);
}

TEST(a_rotation_needs_the_store_for_itself)
{
	struct place  p;
	struct store *store;
	int64_t       secrets;

	begin(&p);
	store = store_open(p.url, &p.err);
	FAILS(upkeep_rotate(&p.settings, &secrets, &p.err), FAULT_BUSY);
	EXPECT(keys_in(&p) == 1);
	store_close(store);
	end(&p);
}

static bool damage_one(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return sealed_put(t, "acc_7", "password", slice_str("no sealed secret at all, but long enough"), err);
}

TEST(one_secret_that_does_not_open_keeps_the_old_keys)
{
	struct place  p;
	struct store *store;
	int64_t       secrets;

	begin(&p);
	store = store_open(p.url, &p.err);
	EXPECT(store && store_write_wait(store, damage_one, NULL, &p.err));
	store_close(store);
	EXPECT(!upkeep_rotate(&p.settings, &secrets, &p.err) && p.err.fault == FAULT_BROKEN && strstr(p.err.text, "acc_7"));
	EXPECT(keys_in(&p) == 2);
	end(&p);
}

static void kill_after(pid_t child, int64_t most_us)
{
	uint64_t dice;

	random_bytes(&dice, sizeof dice);
	usleep((useconds_t)(dice % (uint64_t)most_us));
	kill(child, SIGKILL);
}

/* A child does it over and over until it is killed, within the time that doing it twice takes; one that ends by itself has failed. */
static void kill_one_that(bool (*does)(struct place *), struct place *p, int64_t takes_us)
{
	pid_t child = fork();
	int   status;

	EXPECT(child >= 0);
	if (child == 0) {
		while (does(p))
			;
		_exit(1);
	}
	kill_after(child, takes_us * 2);
	EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

/* Once, and how long it takes; never nothing. */
static int64_t timed_us(bool (*does)(struct place *), struct place *p)
{
	int64_t began = clock_mono_ms();

	EXPECT_ROW(does(p), p->err.text);
	return (clock_mono_ms() - began + 1) * 1000;
}

static bool rotates(struct place *p)
{
	int64_t secrets;

	return upkeep_rotate(&p->settings, &secrets, &p->err);
}

/* Whatever it was doing, nothing is lost. Leaves the folder as a crash would. */
TEST(killed_at_any_moment_everything_opens)
{
	struct place p;
	int          broken_off = 0;
	int64_t      takes_us;

	begin(&p);
	takes_us = timed_us(rotates, &p);
	for (int round = 0; round < ROUNDS; round++) {
		char when[40];

		kill_one_that(rotates, &p, takes_us);
		snprintf(when, sizeof when, "killed in round %d", round);
		broken_off += keys_in(&p) > 1;
		expect_all_open(&p, when);
	}
	/* otherwise the dice were never in the dangerous part */
	EXPECT(broken_off > 0);
	EXPECT_ROW(rotates(&p), p.err.text);
	EXPECT(keys_in(&p) == 1);
	expect_all_open(&p, "after the last rotation");
	end(&p);
}

/* -- back-ups ----------------------------------------------------------------------------------------------------- */

static bool forget_secrets(struct txn *t, void *self, struct error *err)
{
	char owner[20];

	(void)self;
	for (int i = 0; i < SECRETS; i++) {
		snprintf(owner, sizeof owner, "acc_%d", i);
		if (!sealed_delete(t, owner, err))
			return false;
	}
	return true;
}

static void empty(struct place *p)
{
	struct store *store = store_open(p->url, &p->err);

	EXPECT(store && store_write_wait(store, forget_secrets, NULL, &p->err));
	store_close(store);
}

static mode_t mode_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_mode & 07777 : 0;
}

TEST(a_back_up_of_a_store_in_use_and_back)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place    p;
	struct restored done;
	struct store   *store;
	const char     *keys;

	begin(&p);
	store = store_open(p.url, &p.err);
	EXPECT_ROW(upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err), p.err.text);
	EXPECT_TEXT(keys, p.keys);
	EXPECT(mode_of(p.copy) == 0600);
	FAILS(upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err), FAULT_LOCAL);
	FAILS(upkeep_restore(&p.settings, p.copy, work, &done, &p.err), FAULT_BUSY);
	EXPECT(access(p.aside, F_OK) != 0);
	store_close(store);
	empty(&p);
	EXPECT_ROW(upkeep_restore(&p.settings, p.copy, work, &done, &p.err), p.err.text);
	EXPECT_TEXT(done.aside, p.aside);
	EXPECT(done.secrets == SECRETS && done.closed == 0 && mode_of(p.file) == 0600 && mode_of(p.aside) == 0600);
	expect_all_open(&p, "restored");
	FAILS(upkeep_restore(&p.settings, p.copy, work, &done, &p.err), FAULT_REFUSED);
	expect_all_open(&p, "restored no second time");
	end(&p);
}

static bool restores(struct place *p)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct restored done;

	unlink(p->aside);
	return upkeep_restore(&p->settings, p->copy, work, &done, &p->err);
}

TEST(a_restoration_killed_at_any_moment_leaves_a_whole_store)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place p;
	const char  *keys;
	int64_t      takes_us;

	begin(&p);
	EXPECT(upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err));
	takes_us = timed_us(restores, &p);
	for (int round = 0; round < ROUNDS / 2; round++) {
		char when[40];

		kill_one_that(restores, &p, takes_us);
		snprintf(when, sizeof when, "killed in round %d", round);
		expect_all_open(&p, when);
	}
	end(&p);
}

/* A store whose owner was killed has changes in its log only: they are part of what is kept aside. */
TEST(what_a_killed_owner_left_is_kept_aside_whole)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place    p;
	struct restored done;
	const char     *keys;
	pid_t           child;
	int             status;
	char            url[100];

	begin(&p);
	EXPECT(upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err));
	child = fork();
	if (child == 0) {
		struct error  err;
		struct store *store = store_open(p.url, &err);

		store_write_wait(store, forget_secrets, NULL, &err);
		kill(getpid(), SIGKILL);
	}
	EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	EXPECT_ROW(upkeep_restore(&p.settings, p.copy, work, &done, &p.err), p.err.text);
	expect_all_open(&p, "restored over a crash");
	/* and the one aside is without them, as it was when its owner died */
	snprintf(url, sizeof url, "sqlite:%s", p.aside);
	EXPECT_ROW(store_check(url, &p.err), p.err.text);
	settings_set(&p.settings, SETTING_STORE_URL, url);
	snprintf(p.url, sizeof p.url, "%.79s", url);
	EXPECT(upkeep_rotate(&p.settings, &done.secrets, &p.err) && done.secrets == 0);
	end(&p);
}

TEST(what_is_no_back_up_changes_nothing)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place    p;
	struct restored done;
	const char     *keys;
	struct stat     st;

	begin(&p);
	FAILS(upkeep_restore(&p.settings, "/nonexistent/copy", work, &done, &p.err), FAULT_LOCAL);
	EXPECT(upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err) && stat(p.copy, &st) == 0);
	for (off_t cut = 0; cut < st.st_size; cut += st.st_size / 7 / 4096 * 4096) {
		EXPECT(unlink(p.copy) == 0 && upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err) && truncate(p.copy, cut) == 0);
		EXPECT(!upkeep_restore(&p.settings, p.copy, work, &done, &p.err) && p.err.fault == FAULT_LOCAL);
		EXPECT(access(p.aside, F_OK) != 0);
	}
	expect_all_open(&p, "after what was none");
	end(&p);
}

TEST(a_back_up_whose_keys_are_gone_is_told)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place    p;
	struct restored done;
	const char     *keys;
	int64_t         secrets;

	begin(&p);
	EXPECT(upkeep_back_up(&p.settings, p.copy, work, &keys, &p.err) && upkeep_rotate(&p.settings, &secrets, &p.err));
	EXPECT_ROW(upkeep_restore(&p.settings, p.copy, work, &done, &p.err), p.err.text);
	EXPECT(done.secrets == SECRETS && done.closed == SECRETS);
	end(&p);
}

/* -- API keys, settings ------------------------------------------------------------------------------------------- */

struct finding {
	struct arena  *work;
	const char    *key;
	struct api_key found;
};

static bool find_key(struct txn *t, void *self, struct error *err)
{
	struct finding *f = self;

	return key_by_hash(t, f->work, token_hash(f->key, f->work), &f->found, err);
}

static bool add_workspace(struct txn *t, void *self, struct error *err)
{
	struct workspace w;

	workspace_make(self, "Other", 2, &w);
	return workspace_insert(t, &w, err);
}

TEST(a_key_without_the_daemon)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct finding f = { .work = work };
	struct place   p;
	struct store  *store;
	const char    *id;

	begin(&p);
	EXPECT_ROW(upkeep_key(&p.settings, NULL, "lost and found", SCOPE_ADMIN, work, &id, &f.key, &p.err), p.err.text);
	store = store_open(p.url, &p.err);
	EXPECT(store_read(store, find_key, &f, &p.err));
	EXPECT_TEXT(f.found.id, id);
	EXPECT_TEXT(f.found.name, "lost and found");
	EXPECT(f.found.scopes == SCOPE_ADMIN && !f.found.revoked);
	FAILS(upkeep_key(&p.settings, NULL, "x", SCOPE_ADMIN, work, &id, &f.key, &p.err), FAULT_BUSY);
	EXPECT(store_write_wait(store, add_workspace, work, &p.err));
	store_close(store);
	FAILS(upkeep_key(&p.settings, NULL, "x", SCOPE_ADMIN, work, &id, &f.key, &p.err), FAULT_MALFORMED);
	FAILS(upkeep_key(&p.settings, "Third", "x", SCOPE_ADMIN, work, &id, &f.key, &p.err), FAULT_ABSENT);
	EXPECT(upkeep_key(&p.settings, "Other", "x", SCOPE_ADMIN, work, &id, &f.key, &p.err));
	end(&p);
}

TEST(nothing_is_made_that_is_not_there)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct place p;
	const char  *id, *key;
	int64_t      secrets;

	begin(&p);
	EXPECT(unlink(p.file) == 0);
	FAILS(upkeep_key(&p.settings, NULL, "x", SCOPE_ADMIN, work, &id, &key, &p.err), FAULT_LOCAL);
	FAILS(upkeep_rotate(&p.settings, &secrets, &p.err), FAULT_LOCAL);
	FAILS(upkeep_back_up(&p.settings, p.copy, work, &key, &p.err), FAULT_LOCAL);
	EXPECT(access(p.file, F_OK) != 0 && access(p.copy, F_OK) != 0);
	end(&p);
}

TEST(settings_are_checked)
{
	static const struct { enum setting which; const char *value; bool fine; } rows[] = {
		{ SETTING_WEB_LISTEN,     "127.0.0.1:0",                     true  }, { SETTING_WEB_LISTEN,     "[::1]:80 127.0.0.1:80", true  },
		{ SETTING_WEB_LISTEN,     "localhost:80",                    false }, { SETTING_WEB_LISTEN,     "127.0.0.1",             false },
		{ SETTING_WEB_LISTEN,     "lmtp:127.0.0.1:24",               false }, { SETTING_WEB_LISTEN,     "127.0.0.1:99999",       false },
		{ SETTING_WEB_BASE_URL,   "https://mail.example.org",        true  }, { SETTING_WEB_BASE_URL,   "mail.example.org",      false },
		{ SETTING_WEB_PROXIES,    "10.0.0.0/8, 192.0.2.1",           true  }, { SETTING_WEB_PROXIES,    "10.0.0.0/33",           false },
		{ SETTING_INBOUND_LISTEN, "lmtp:127.0.0.1:24",               false }, { SETTING_INBOUND_MOST,   "0",                     false },
		{ SETTING_INBOUND_MOST,   "1000",                            true  }, { SETTING_INBOUND_MOST,   "many",                  false },
		{ SETTING_NET_RESOLVER,   "192.0.2.1",                       true  }, { SETTING_NET_RESOLVER,   "ns.example",            false },
		{ SETTING_NET_CA_FILE,    "/nonexistent/ca",                 false }, { SETTING_STORE_URL,      "postgres://x",          false },
		{ SETTING_INBOUND_CERT,   "/dev/null",                       false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings s;
		struct error    err = { 0 };
		bool            fine;

		EXPECT(settings_read(&s, NULL, &err));
		settings_set(&s, rows[i].which, rows[i].value);
		fine = upkeep_check_settings(&s, &err);
		EXPECT_ROW(fine == rows[i].fine && (fine || err.text[0]), rows[i].value);
		settings_release(&s);
	}
}
