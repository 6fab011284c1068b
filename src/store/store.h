/* store.h -- what is remembered. SQLite behind it today; written so that PostgreSQL fits behind the same words.
 *
 * Two ways in. store_read() runs a function on a consistent view, on the caller's own thread. store_write() hands a function
 * to the one writer, which runs many of them in one transaction (group commit) and says of each, after the commit, whether it
 * is kept. "Saved before used" and "250 only when kept" rest on that answer. All statements about rows stand in the headers
 * beside this one (accounts.h, events.h …); nobody outside this folder writes SQL.
 *
 * Promises. After done(ok) the change survives kill -9 and loss of power. A write is applied as a whole or not at all; one
 * that fails takes no other with it. Writes are applied in the order in which they were handed over. What must stay secret is
 * sealed before it comes here (connect/vault.h); what is here may be in a back-up.
 *
 * Faults: FAULT_LOCAL (the disk is full, the file cannot be read, is no store of ours, is damaged, or of a newer version),
 * FAULT_BUSY (another process holds it), FAULT_ABSENT (no such row), FAULT_REFUSED (a row that must be unique is there
 * already), FAULT_TOO_BIG.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct store;
struct txn;        /* a view; for a writer also the change under way */

/* "sqlite:PATH". Creates the file (mode 0600), brings an older one up to this version step by step, checks its integrity
 * when the last owner did not close it. Only one process at a time. */
struct store *store_open(const char *url, struct error *err);
void          store_close(struct store *);         /* answers every write that was handed over, then ends. NULL is fine */

/* Runs `look` at once, on this thread, on one consistent view. Any number of threads. */
bool store_read(struct store *, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err);
/* The same for one question: what two would see of each other is not settled. Spares the beginning and the end of a view. */
bool store_glance(struct store *, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err);

/* A change. Belongs to the caller and must live until done() is called, exactly once, on the writer's thread: it must not
 * block there. `apply` runs on the writer's thread and may run more than once, each time from the start: it changes nothing
 * but the store and its own answer in `self`. */
struct store_write {
	bool (*apply)(struct txn *, void *self, struct error *err);
	void (*done)(struct store_write *);
	void  *self;
	bool   ok;                   /* at done(): kept */
	struct error err;            /* otherwise why not */
	STAILQ_ENTRY(store_write) queued;
};

void store_write(struct store *, struct store_write *);       /* any thread; never blocks on the disk */
bool store_write_wait(struct store *, bool (*apply)(struct txn *, void *self, struct error *), void *self, struct error *err);

/* A consistent copy while everything runs, into a new file (mode 0600; an existing one is refused). */
bool store_backup(struct store *, const char *file, struct error *err);
/* The same of a store that another process may have open, or nobody: the copy is checked before it gets its name. */
bool store_copy(const char *url, const char *file, struct error *err);
/* Puts a back-up, once it is checked, in the place of a store that nobody has open (FAULT_BUSY); what was there is kept beside it as
 * PATH.before-restore (FAULT_REFUSED: one is there already). Killed at any moment, PATH is the one or the other, whole. */
bool store_restore(const char *url, const char *file, struct error *err);
/* Checks a back-up (or a store that nobody has open): integrity, version. */
bool store_check(const char *url, struct error *err);

/* A look at a store beside whoever has it, keeping nobody out and changing nothing. `whole`: all of its pages are checked before, which
 * takes its time. FAULT_LOCAL also for a version that is not known here. */
bool store_look(const char *url, bool whole, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err);
/* Its file, NULL when it is not kept in one. Points into `url`. */
const char *store_file(const char *url);

/* For /readyz and metrics. */
struct store_health {
	bool     writable;                       /* the last commit went well; when it did not, it is tried again each second */
	int64_t  commits, writes, failed;        /* since the start           */
	size_t   waiting;                        /* writes not answered yet   */
	char     last_error[200];
};
void store_health(struct store *, struct store_health *out);

#endif
