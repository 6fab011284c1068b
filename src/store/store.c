#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/migrations.h"
#include "store/rows.h"
#include "store/writer.h"

#define READERS_MOST 16         /* connections; who finds none free waits for one */

struct store {
	const struct driver *driver;
	char                *where;
	struct db           *own;
	struct writer       *writer;

	pthread_mutex_t      lock;         /* for all that follows */
	pthread_cond_t       given_back;
	struct db           *reader[READERS_MOST];
	size_t               resting;      /* reader[0 … resting) are free, the last one used last: it remembers most */
	size_t               readers;      /* opened in all */
};

static const struct driver *const drivers[] = { &driver_sqlite };

/* The driver, and `*where` what it is to open. */
static const struct driver *driver_of(const char *url, const char **where, struct error *err)
{
	for (size_t i = 0; i < COUNT(drivers); i++) {
		size_t len = strlen(drivers[i]->scheme);

		if (strncmp(url, drivers[i]->scheme, len) == 0 && url[len] == ':' && url[len + 1]) {
			*where = url + len + 1;
			return drivers[i];
		}
	}
	/* a URL may have a password in it */
	fail(err, FAULT_LOCAL, "\"%.*s\" is no kind of store that there is: it should be sqlite:PATH", (int)strcspn(url, ":/ "), url);
	return NULL;
}

struct store *store_open(const char *url, struct error *err)
{
	const char          *where;
	const struct driver *driver = driver_of(url, &where, err);
	struct store        *s;

	if (!driver)
		return NULL;
	s = must_alloc(sizeof *s);
	s->driver = driver;
	s->where = must_copy(where);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->given_back, NULL);
	s->own = driver->open(where, DB_OWN, err);
	if (s->own && migrate(s->own, migrations, migration_count, err) && (s->writer = writer_start(s->own, err)))
		return s;
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	writer_stop(s->writer);
	assert(s->resting == s->readers);
	for (size_t i = 0; i < s->readers; i++)
		s->driver->close(s->reader[i]);
	/* as the last one: it folds the log into the file */
	if (s->own)
		s->driver->close(s->own);
	pthread_cond_destroy(&s->given_back);
	pthread_mutex_destroy(&s->lock);
	free(s->where);
	free(s);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

static struct db *reader_take(struct store *s, struct error *err)
{
	struct db *db = NULL;

	pthread_mutex_lock(&s->lock);
	while (s->resting == 0 && s->readers == READERS_MOST)
		pthread_cond_wait(&s->given_back, &s->lock);
	if (s->resting > 0)
		db = s->reader[--s->resting];
	else
		s->readers++;
	pthread_mutex_unlock(&s->lock);
	if (db || (db = s->driver->open(s->where, DB_READ, err)))
		return db;
	pthread_mutex_lock(&s->lock);
	s->readers--;
	pthread_cond_signal(&s->given_back);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void reader_give(struct store *s, struct db *db)
{
	pthread_mutex_lock(&s->lock);
	s->reader[s->resting++] = db;
	pthread_cond_signal(&s->given_back);
	pthread_mutex_unlock(&s->lock);
}

bool store_glance(struct store *s, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err)
{
	struct txn t = { .db = reader_take(s, err) };
	bool       fine = t.db && look(&t, self, err);

	if (t.db)
		reader_give(s, t.db);
	return fine;
}

bool store_read(struct store *s, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err)
{
	struct txn t = { .db = reader_take(s, err) };
	bool       fine;

	if (!t.db)
		return false;
	fine = s->driver->begin(t.db, false, err);
	if (fine) {
		fine = look(&t, self, err);
		/* there is nothing to keep, so a failure of this could not matter */
		s->driver->rollback(t.db);
	}
	reader_give(s, t.db);
	return fine;
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

void store_write(struct store *s, struct store_write *write)
{
	writer_take(s->writer, write);
}

struct waiter {
	struct store_write write;
	pthread_mutex_t    lock;
	pthread_cond_t     answered;
	bool               is_answered;
};

static void wake(struct store_write *write)
{
	struct waiter *w = (struct waiter *)write;

	pthread_mutex_lock(&w->lock);
	w->is_answered = true;
	pthread_cond_signal(&w->answered);
	pthread_mutex_unlock(&w->lock);
}

bool store_write_wait(struct store *s, bool (*apply)(struct txn *, void *self, struct error *), void *self, struct error *err)
{
	struct waiter w = { .write = { .apply = apply, .done = wake, .self = self } };

	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.answered, NULL);
	store_write(s, &w.write);
	pthread_mutex_lock(&w.lock);
	while (!w.is_answered)
		pthread_cond_wait(&w.answered, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.answered);
	pthread_mutex_destroy(&w.lock);
	if (!w.write.ok && err)
		*err = w.write.err;
	return w.write.ok;
}

/* -- the whole of it ---------------------------------------------------------------------------------------------- */

bool store_backup(struct store *s, const char *file, struct error *err)
{
	struct db *db = s->driver->open(s->where, DB_READ, err);
	bool       fine = db && s->driver->copy(db, file, err);

	if (db)
		s->driver->close(db);
	return fine;
}

static bool version_is_known(struct db *db, struct error *err)
{
	int64_t version;

	if (!migrated(db, &version, err))
		return false;
	if (version > (int64_t)migration_count)
		return fail(err, FAULT_LOCAL, "the store is of version %lld, and this program knows versions up to %zu", (long long)version, migration_count);
	return version > 0 || fail(err, FAULT_LOCAL, "the store has no tables yet");
}

static bool file_is_fine(const struct driver *driver, const char *where, struct error *err)
{
	struct db *db = driver->open(where, DB_CHECK, err);
	bool       fine = db && driver->check(db, err) && version_is_known(db, err);

	if (db)
		driver->close(db);
	return fine;
}

bool store_check(const char *url, struct error *err)
{
	const char          *where;
	const struct driver *driver = driver_of(url, &where, err);

	return driver && file_is_fine(driver, where, err);
}

bool store_copy(const char *url, const char *file, struct error *err)
{
	const char          *where;
	const struct driver *driver = driver_of(url, &where, err);
	struct db           *db = driver ? driver->open(where, DB_READ, err) : NULL;
	bool                 copied = db && driver->copy(db, file, err), fine;

	if (db)
		driver->close(db);
	fine = copied && file_is_fine(driver, file, err);
	if (copied && !fine)
		remove(file);
	return fine;
}

bool store_restore(const char *url, const char *file, struct error *err)
{
	const char          *where;
	const struct driver *driver = driver_of(url, &where, err);

	return driver && file_is_fine(driver, file, err) && driver->replace(where, file, err);
}

static bool look_once(struct db *db, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err)
{
	struct txn t = { .db = db };
	bool       fine = db->driver->begin(db, false, err);

	if (fine) {
		fine = look(&t, self, err);
		db->driver->rollback(db);
	}
	return fine;
}

bool store_look(const char *url, bool whole, bool (*look)(struct txn *, void *self, struct error *), void *self, struct error *err)
{
	const char          *where;
	const struct driver *driver = driver_of(url, &where, err);
	struct db           *db = driver ? driver->open(where, DB_READ, err) : NULL;
	bool                 fine = db && (!whole || driver->check(db, err)) && version_is_known(db, err) && look_once(db, look, self, err);

	if (db)
		driver->close(db);
	return fine;
}

const char *store_file(const char *url)
{
	const char          *where;
	const struct driver *driver = driver_of(url, &where, NULL);

	return driver == &driver_sqlite ? where : NULL;
}

void store_health(struct store *s, struct store_health *out)
{
	writer_health(s->writer, out);
}
