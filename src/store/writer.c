#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "store/rows.h"

#define GROUP_MOST 256          /* changes in one commit: what the last of them waits for */
#define ATTEMPTS   2
#define TRIAL_S    1            /* between two tries to write while nothing could be kept */

STAILQ_HEAD(writes, store_write);

struct writer {
	struct db          *db;
	pthread_t           thread;
	pthread_mutex_t     lock;            /* for all that follows */
	pthread_cond_t      more;
	struct writes       queue;
	bool                ending;
	struct store_health health;
};

/* Applied or taken back, as write->ok says. False when the transaction can no longer be kept: write->err says why. */
static bool apply_one(struct db *db, struct store_write *write)
{
	struct txn t = { .db = db };

	write->err = (struct error){ 0 };
	if (!db->driver->save(db, &write->err))
		return false;
	write->ok = write->apply(&t, write->self, &write->err);
	if (!write->ok && write->err.fault == FAULT_NONE)
		fail(&write->err, FAULT_LOCAL, "the store: a change failed without a reason");
	if (!db->driver->under_way(db))
		return write->ok ? fail(&write->err, FAULT_LOCAL, "the store: the transaction was broken off") : false;
	return db->driver->unsave(db, write->ok, write->ok ? &write->err : NULL);
}

/* All of the group but the culprit, in their order. False when one of them lost the transaction: it is the culprit then. */
static bool apply_all(struct db *db, struct store_write **group, size_t count, size_t *culprit)
{
	for (size_t i = 0; i < count; i++)
		if (i != *culprit && !apply_one(db, group[i])) {
			*culprit = i;
			return false;
		}
	return true;
}

static bool nothing_kept(struct store_write **group, size_t count, const struct error *why)
{
	for (size_t i = 0; i < count; i++) {
		group[i]->ok = false;
		group[i]->err = *why;
	}
	return false;
}

/* A change that the disk has no room for may break off the transaction of all: they are applied once more without it, which
 * is safe because nothing of them is there. A second loss is not the fault of one of them, and a commit that fails is never
 * repeated: how much of it has reached the disk is the database's own knowledge. */
static bool keep_group(struct db *db, struct store_write **group, size_t count, struct error *why)
{
	size_t culprit = count;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (!db->driver->begin(db, true, why))
			break;
		if (apply_all(db, group, count, &culprit)) {
			if (db->driver->commit(db, why))
				return true;
			break;
		}
		db->driver->rollback(db);
		*why = group[culprit]->err;
		group[culprit]->ok = false;
		if (count == 1)
			break;
	}
	return nothing_kept(group, count, why);
}

/* With the lock. False: a second has passed. */
static bool wait_a_second(struct writer *w)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TRIAL_S;
	return pthread_cond_clockwait(&w->more, &w->lock, CLOCK_MONOTONIC, &until) == 0;
}

/* False: the end. While nothing can be kept, also when there is nothing to do: whoever asks before he sends anything would never hear
 * that it works again. */
static bool wait_for_work(struct writer *w)
{
	bool goes_on, waits = true;

	pthread_mutex_lock(&w->lock);
	while (waits && STAILQ_EMPTY(&w->queue) && !w->ending)
		if (w->health.writable)
			pthread_cond_wait(&w->more, &w->lock);
		else
			waits = wait_a_second(w);
	goes_on = !STAILQ_EMPTY(&w->queue) || !w->ending;
	pthread_mutex_unlock(&w->lock);
	return goes_on;
}

/* Nothing is left of it, but it goes the way of every change, to the disk and back. */
static bool apply_trial(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return run(t, err, "INSERT INTO nodes (name, fence) VALUES ('', 0)", WITHOUT) && run(t, err, "DELETE FROM nodes WHERE name = ''", WITHOUT);
}

static bool try_to_write(struct db *db, struct error *why)
{
	struct store_write trial = { .apply = apply_trial }, *group[] = { &trial };

	if (!keep_group(db, group, 1, why))
		return false;
	*why = trial.err;
	return trial.ok;
}

static size_t take_group(struct writer *w, struct store_write **group)
{
	size_t count = 0;

	pthread_mutex_lock(&w->lock);
	while (count < GROUP_MOST && !STAILQ_EMPTY(&w->queue)) {
		group[count++] = STAILQ_FIRST(&w->queue);
		STAILQ_REMOVE_HEAD(&w->queue, queued);
	}
	pthread_mutex_unlock(&w->lock);
	return count;
}

static void note_health(struct writer *w, struct store_write **group, size_t count, bool kept, const struct error *why)
{
	bool kept_before;

	pthread_mutex_lock(&w->lock);
	kept_before = w->health.writable;
	w->health.writable = kept;
	w->health.commits += kept;
	w->health.writes += (int64_t)count;
	w->health.waiting -= count;
	for (size_t i = 0; i < count; i++)
		w->health.failed += !group[i]->ok;
	if (!kept)
		snprintf(w->health.last_error, sizeof w->health.last_error, "%s", why->text);
	pthread_mutex_unlock(&w->lock);
	if (kept_before && !kept)
		LOG(LOG_FAILURE, "store.unwritable", LOG_TEXT("why", why->text));
	else if (kept && !kept_before)
		LOG(LOG_NEWS, "store.writable");
}

static void *writer_run(void *self)
{
	struct writer      *w = self;
	struct store_write *group[GROUP_MOST];

	while (wait_for_work(w)) {
		struct error why = { 0 };
		size_t       count = take_group(w, group);
		bool         kept = count ? keep_group(w->db, group, count, &why) : try_to_write(w->db, &why);

		note_health(w, group, count, kept, &why);
		/* once done() has been called, the write is no longer there */
		for (size_t i = 0; i < count; i++)
			group[i]->done(group[i]);
		w->db->driver->tidy(w->db);
	}
	return NULL;
}

/* Signals are for the thread that waits for them. */
static bool start_thread(struct writer *w)
{
	sigset_t all, before;
	bool     fine;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	fine = pthread_create(&w->thread, NULL, writer_run, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fine;
}

static void writer_free(struct writer *w)
{
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct writer *writer_start(struct db *db, struct error *err)
{
	struct writer *w = must_alloc(sizeof *w);

	w->db = db;
	w->health.writable = true;
	STAILQ_INIT(&w->queue);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	if (start_thread(w))
		return w;
	fail(err, FAULT_LOCAL, "the store: no thread for its writer");
	writer_free(w);
	return NULL;
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	writer_free(w);
}

void writer_take(struct writer *w, struct store_write *write)
{
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->queue, write, queued);
	w->health.waiting++;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

void writer_health(struct writer *w, struct store_health *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->health;
	pthread_mutex_unlock(&w->lock);
}
