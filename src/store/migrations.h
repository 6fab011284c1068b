/* migrations.h -- the tables, step by step from an empty store to this version. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "store/driver.h"

/* Statements; NUMBER_KEY in them is the driver's word. A step, once released, is never changed: a new one follows it. */
struct migration {
	const char *what;
	const char *sql;
};

extern const struct migration migrations[];
extern const size_t           migration_count;

/* Applies those of the first `count` that the store lacks, each in a transaction of its own with its number. FAULT_LOCAL: the
 * store is of a newer version (nothing is changed), or a step failed (those before it are kept). */
bool migrate(struct db *, const struct migration *, size_t count, struct error *err);
/* How many have been applied; 0 for an empty store. */
bool migrated(struct db *, int64_t *version, struct error *err);

#endif
