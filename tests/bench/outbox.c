/* bench-outbox [FOLDER]: what the outbox brings to one webhook of 1,000 accounts, from a store on a disk of your choice (default: /tmp)
 * to a receiver in this same process.
 *
 * Prints: how many deliveries a second when 20,000 wait; and with 1,000 events a second for ten seconds, how long after its commit an
 * event was heard (median and 99 of 100, in milliseconds) and how many were not kept as delivered half a second after the last.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "serve/bus.h"
#include "serve/outbox.h"
#include "serve/receiver.h"
#include "serve/signing.h"
#include "store/events.h"
#include "store/workspaces.h"

#define ACCOUNTS 1000
#define BACKLOG  20000
#define PACED    10000
#define TOGETHER     10             /* events in one commit, each 10 ms */

static char folder[200];
static double committed[BACKLOG + PACED], heard[BACKLOG + PACED];

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(bool fine, const struct error *err)
{
	if (fine)
		return;
	fprintf(stderr, "bench-outbox: %s\n", err->text);
	exit(1);
}

static void note_time(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r;
	heard[atoi(p->id + 4)] = seconds();
	a->status = 204;
}

struct bench { struct daemon daemon; struct receiver receiver; int next, count; int64_t waiting; };

static bool furnish(struct txn *t, void *self, struct error *err)
{
	struct bench *b = self;

	return workspace_insert(t, &(struct workspace){ "wsp_1", "One", "bcc1", 1 }, err)
	    && webhook_insert(t, &(struct webhook){ .id = "whk_1", .workspace = "wsp_1", .url = b->receiver.url, .types = "*", .enabled = true }, err)
	    && signing_keep(t, b->daemon.vault, "whk_1", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1, err);
}

static bool append(struct txn *t, void *self, struct error *err)
{
	struct bench *b = self;
	char          id[20], account[20];

	for (int i = b->next; i < b->next + b->count; i++) {
		snprintf(id, sizeof id, "evt_%d", i);
		snprintf(account, sizeof account, "acc_%d", i % ACCOUNTS);
		if (!event_append(t, &(struct event){ .id = id, .workspace = "wsp_1", .account = account, .type = "message.received", .created = 1,
			.data = "{\"from\":\"ann@birch.example\",\"subject\":\"hello\",\"size\":1234}" }, NULL, err))
			return false;
	}
	return true;
}

static void add(struct bench *b, int count)
{
	struct error err = { 0 };

	b->count = count;
	must(store_write_wait(b->daemon.store, append, b, &err), &err);
	for (int i = b->next; i < b->next + count; i++)
		committed[i] = seconds();
	b->next += count;
	bus_ring(b->daemon.bus);
}

static bool count_waiting(struct txn *t, void *self, struct error *err)
{
	struct bench *b = self;
	int64_t       lost;

	return delivery_counts(t, &b->waiting, &lost, err);
}

static int64_t waiting(struct bench *b)
{
	struct error err = { 0 };

	must(store_read(b->daemon.store, count_waiting, b, &err), &err);
	return b->waiting;
}

static void rest(double until)
{
	double left = until - seconds();

	if (left > 0)
		nanosleep(&(struct timespec){ (time_t)left, (long)((left - (double)(time_t)left) * 1e9) }, NULL);
}

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static void paced(struct bench *b)
{
	double began = seconds(), late[PACED];
	int    first = b->next;

	for (int i = 0; i < PACED / TOGETHER; i++) {
		rest(began + i * TOGETHER / 1000.0);
		add(b, TOGETHER);
	}
	rest(seconds() + 0.5);
	printf("paced, 1,000 a second: not kept after it\t%lld\n", (long long)waiting(b));
	for (int i = 0; i < PACED; i++)
		late[i] = (heard[first + i] - committed[first + i]) * 1000;
	qsort(late, PACED, sizeof *late, by_size);
	printf("  ms from the commit to the receiver, median\t%.1f\n  99 of 100\t%.1f\n", late[PACED / 2], late[PACED * 99 / 100]);
}

static void *run_loop(void *self)
{
	net_serve(self);
	return NULL;
}

static void remove_folder(void)
{
	DIR           *d = opendir(folder);
	struct dirent *e;
	char           path[500];

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
			unlink(path);
		}
	closedir(d);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	static struct bench  b;
	struct address_block allow;
	struct net_settings  settings = { .check_targets = true, .allow = &allow, .allow_count = 1 };
	struct error         err = { 0 };
	struct net          *net;
	struct outbox       *outbox;
	pthread_t            loop;
	char                 path[260];
	double               began;

	snprintf(folder, sizeof folder, "%s/mailmoor-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (!mkdtemp(folder) || !address_block_parse("127.0.0.1", &allow) || !receiver_open(&b.receiver, "127.0.0.1", 0, note_time, NULL)) {
		perror(folder);
		return 1;
	}
	b.receiver.forgets = true;
	b.daemon = (struct daemon){ .net = &settings, .bus = bus_new() };
	snprintf(path, sizeof path, "sqlite:%s/store", folder);
	must((b.daemon.store = store_open(path, &err)), &err);
	snprintf(path, sizeof path, "%s/key", folder);
	must((b.daemon.vault = vault_open(path, true, &err)), &err);
	must(store_write_wait(b.daemon.store, furnish, &b, &err), &err);
	must((net = net_new(&settings, &err)), &err);
	add(&b, BACKLOG);

	outbox = outbox_start(net, &b.daemon, &outbox_usual);
	began = seconds();
	pthread_create(&loop, NULL, run_loop, net);
	while (waiting(&b) > 0)
		rest(seconds() + 0.01);
	printf("deliveries a second, 20,000 waiting\t%.0f\n", BACKLOG / (seconds() - began));
	paced(&b);

	outbox_stop(outbox);
	net_stop(net);
	pthread_join(loop, NULL);
	net_free(net);
	outbox_free(outbox);
	receiver_close(&b.receiver);
	store_close(b.daemon.store);
	vault_free(b.daemon.vault);
	bus_free(b.daemon.bus);
	remove_folder();
	return 0;
}
