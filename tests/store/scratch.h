/* scratch.h -- a store in a folder of its own, which is gone afterwards; and one change under way on it, for the functions about rows. */
#ifndef TESTS_STORE_SCRATCH_H
#define TESTS_STORE_SCRATCH_H

#include <stdlib.h>
#include <unistd.h>

#include "store/migrations.h"
#include "store/rows.h"
#include "store/store.h"
#include "store/workspaces.h"
#include "test.h"

struct scratch {
	char          folder[40], file[60], url[80];
	struct db    *db;             /* NULL unless scratch_rows() made it */
	struct txn    txn;
	struct arena *arena;
	struct error  err;
};

static inline void scratch_begin(struct scratch *s)
{
	*s = (struct scratch){ .arena = arena_new() };
	strcpy(s->folder, "/tmp/mailmoor-store-XXXXXX");
	EXPECT(mkdtemp(s->folder));
	snprintf(s->file, sizeof s->file, "%s/store", s->folder);
	snprintf(s->url, sizeof s->url, "sqlite:%s", s->file);
}

static inline void scratch_end(struct scratch *s)
{
	static const char *const names[] = { "store", "store-wal", "store-shm", "store.lock", "copy", "copy-wal", "copy-shm", "copy.lock" };
	char path[80];

	if (s->db) {
		s->db->driver->rollback(s->db);
		s->db->driver->close(s->db);
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
		unlink(path);
	}
	EXPECT(rmdir(s->folder) == 0);
	arena_free(s->arena);
}

/* Workspaces "wsp_1" and "wsp_2" in it. */
static inline void scratch_rows(struct scratch *s)
{
	scratch_begin(s);
	s->db = driver_sqlite.open(s->file, DB_OWN, &s->err);
	EXPECT(s->db && migrate(s->db, migrations, migration_count, &s->err));
	s->txn.db = s->db;
	EXPECT(s->db->driver->begin(s->db, true, &s->err));
	EXPECT(workspace_insert(&s->txn, &(struct workspace){ "wsp_1", "One", "bcc1", 1 }, &s->err));
	EXPECT(workspace_insert(&s->txn, &(struct workspace){ "wsp_2", "Two", "bcc2", 2 }, &s->err));
}

/* A failure, and of which kind; the error is fresh again afterwards. */
static inline bool failed_as(struct scratch *s, bool fine, enum fault fault)
{
	bool right = !fine && s->err.fault == fault && s->err.text[0];

	s->err = (struct error){ 0 };
	return right;
}

#define FAILS(call, fault) EXPECT(failed_as(&s, (call), (fault)))

#endif
