/* bench-store [FOLDER]: what the store does in a second, on a disk of your choice (default: /tmp).
 *
 * Prints for each: what, how many a second, and for writes how many went into one commit.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/accounts.h"
#include "store/events.h"
#include "store/workspaces.h"

#define ACCOUNTS 10000
#define READS    100000
#define WAITING  100000
#define EVENTS   20000
#define FLIGHT   64

static char folder[200];

static double seconds_by(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(void)
{
	return seconds_by(CLOCK_MONOTONIC);
}

static void must(bool fine, const struct error *err)
{
	if (fine)
		return;
	fprintf(stderr, "bench-store: %s\n", err->text);
	exit(1);
}

/* -- looking up accounts -------------------------------------------------------------------------------------------- */

static bool fill(struct txn *t, void *self, struct error *err)
{
	static char report[1500];
	char        id[40];

	(void)self;
	memset(report, 'r', sizeof report - 1);
	if (!workspace_insert(t, &(struct workspace){ "wsp_1", "One", "bcc1", 1 }, err)
	    || !webhook_insert(t, &(struct webhook){ .id = "whk_1", .workspace = "wsp_1", .url = "u", .types = "*", .enabled = true }, err))
		return false;
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account a = { .id = id, .workspace = "wsp_1", .address = id, .key = id, .provider = "imap", .state = ACCOUNT_CONNECTED, .lang = "en",
		                     .host = { "imap.birch.example", "smtp.birch.example" }, .place = "{\"imap\":\"imap.birch.example:993\"}", .report = report };

		snprintf(id, sizeof id, "acc_%022d", i);
		if (!account_insert(t, &a, err))
			return false;
	}
	return true;
}

static bool get_one(struct txn *t, void *self, struct error *err)
{
	struct arena  *work = arena_new();
	struct account a;
	bool           fine = account_get(t, work, "wsp_1", self, &a, err);

	arena_free(work);
	return fine;
}

static void reads(struct store *store)
{
	struct error err = { 0 };
	double       began = seconds_by(CLOCK_THREAD_CPUTIME_ID);
	char         id[40];

	for (int i = 0; i < READS; i++) {
		snprintf(id, sizeof id, "acc_%022d", (int)(i * 7919L % ACCOUNTS));
		must(store_read(store, get_one, id, &err), &err);
	}
	printf("account_get, by the processor's time\t%.0f\n", READS / (seconds_by(CLOCK_THREAD_CPUTIME_ID) - began));
}

/* -- writing -------------------------------------------------------------------------------------------------------- */

struct writers {
	struct store   *store;
	pthread_mutex_t lock;
	pthread_cond_t  over;
	int             left, flying;
};

struct flight {
	struct store_write write;
	struct writers    *all;
	int                n;
};

static bool change_one(struct txn *t, void *self, struct error *err)
{
	struct flight *f = self;
	char           domain[20];

	snprintf(domain, sizeof domain, "d%d", f->n % 1000);
	return domain_put(t, &(struct domain_settings){ "wsp_1", domain, "{}", f->n }, err);
}

static void landed(struct store_write *w)
{
	struct flight  *f = (struct flight *)w;
	struct writers *all = f->all;
	bool            again;

	must(w->ok, &w->err);
	pthread_mutex_lock(&all->lock);
	again = all->left > 0;
	if (again)
		f->n = all->left--;
	else if (--all->flying == 0)
		pthread_cond_signal(&all->over);
	pthread_mutex_unlock(&all->lock);
	if (again)
		store_write(all->store, w);
}

static void writes(struct store *store, int flying, int count)
{
	struct writers      all = { .store = store, .left = count, .flying = flying };
	struct flight      *flight = calloc((size_t)flying, sizeof *flight);
	struct store_health before, after;
	double              began = seconds();

	pthread_mutex_init(&all.lock, NULL);
	pthread_cond_init(&all.over, NULL);
	store_health(store, &before);
	for (int i = 0; i < flying; i++) {
		flight[i] = (struct flight){ .write = { .apply = change_one, .done = landed }, .all = &all, .n = i };
		flight[i].write.self = &flight[i];
		store_write(store, &flight[i].write);
	}
	pthread_mutex_lock(&all.lock);
	while (all.flying)
		pthread_cond_wait(&all.over, &all.lock);
	pthread_mutex_unlock(&all.lock);
	store_health(store, &after);
	printf("writes, %d in flight\t%.0f\t%.1f\n", flying, (double)(after.writes - before.writes) / (seconds() - began),
	       (double)(after.writes - before.writes) / (double)(after.commits - before.commits));
	free(flight);
}

/* -- the outbox ----------------------------------------------------------------------------------------------------- */

struct outbox { int next, count, accounts; struct delivery *due; size_t due_count; struct arena *arena; int64_t now; };

static bool append_some(struct txn *t, void *self, struct error *err)
{
	struct outbox *o = self;
	char           id[20], account[20];

	for (int end = o->next + o->count; o->next < end; o->next++) {
		struct event e = { .id = id, .workspace = "wsp_1", .account = account, .type = "message.received", .created = o->now,
		                   .data = "{\"from\":\"ann@birch.example\",\"subject\":\"hello\",\"size\":1234}" };

		snprintf(id, sizeof id, "evt_%d", o->next);
		snprintf(account, sizeof account, "acc_%d", o->next % o->accounts);
		if (!event_append(t, &e, NULL, err))
			return false;
	}
	return true;
}

static bool look_due(struct txn *t, void *self, struct error *err)
{
	struct outbox *o = self;

	return delivery_due(t, o->arena, "whk_1", o->now, FLIGHT, &o->due, &o->due_count, err);
}

static bool take_all(struct txn *t, void *self, struct error *err)
{
	struct outbox *o = self;

	for (size_t i = 0; i < o->due_count; i++)
		if (!delivery_taken(t, o->due[i].id, 200, o->now, err))
			return false;
	return true;
}

/* Each event in a commit of its own with up to FLIGHT others, looked for, taken. */
static void outbox_rounds(struct store *store, struct outbox *o, int events, const char *what)
{
	struct error err = { 0 };
	double       began = seconds();
	int          taken = 0;

	while (taken < events) {
		o->count = FLIGHT;
		o->arena = arena_new();
		must(store_write_wait(store, append_some, o, &err), &err);
		must(store_read(store, look_due, o, &err), &err);
		must(store_write_wait(store, take_all, o, &err), &err);
		taken += (int)o->due_count;
		arena_free(o->arena);
	}
	printf("%s\t%.0f\n", what, taken / (seconds() - began));
}

static void outbox(struct store *store)
{
	struct outbox o = { .accounts = 1000, .now = 1000 };
	struct error  err = { 0 };
	double        began;

	outbox_rounds(store, &o, EVENTS, "outbox: append, due, taken");
	o.count = WAITING;
	must(store_write_wait(store, append_some, &o, &err), &err);
	outbox_rounds(store, &o, EVENTS, "the same with 100,000 waiting");
	o.arena = arena_new();
	began = seconds();
	for (int i = 0; i < 1000; i++)
		must(store_read(store, look_due, &o, &err), &err);
	printf("delivery_due of 64, 100,000 waiting\t%.0f\n", 1000 / (seconds() - began));
	arena_free(o.arena);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "store", "store-wal", "store-shm", "store.lock" };
	struct error  err = { 0 };
	struct store *store;
	char          path[260];

	snprintf(folder, sizeof folder, "%s/mailmoor-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	snprintf(path, sizeof path, "sqlite:%s/store", folder);
	store = store_open(path, &err);
	must(store != NULL, &err);
	must(store_write_wait(store, fill, NULL, &err), &err);
	reads(store);
	writes(store, 1, 2000);
	writes(store, FLIGHT, 50000);
	outbox(store);
	store_close(store);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder) != 0;
}
