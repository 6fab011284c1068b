/* driver.h -- one database as this folder sees it: connections, transactions, statements. sqlite.c is the first of its kind.
 *
 * Statements are plain SQL that SQLite 3.40 and PostgreSQL 15 both take: `$1` for values, numbered, any of them unused;
 * BIGINT for every number, time and truth (0, 1); ON CONFLICT and RETURNING; no function that only one of them has. What
 * they call differently is a word in the driver's table.
 *
 * A connection is used by one thread at a time. Each text of a statement is prepared once for each connection and kept: there
 * are as many of them as our own code has, so their number needs no limit.
 *
 * Faults: FAULT_REFUSED (a row that must be unique is there), FAULT_ABSENT (a row that it belongs to is not), FAULT_TOO_BIG,
 * FAULT_BUSY (somebody else has the file), FAULT_LOCAL (the rest: disk, rights, damage).
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* -- values: what goes into a statement and what comes out of a row ------------------------------------------------ */

enum value_kind { VALUE_NUMBER, VALUE_TEXT, VALUE_BYTES };

struct value {
	enum value_kind kind;
	bool            null;
	int64_t         number;
	struct slice    bytes;      /* of a text too */
};

static inline struct value a_number(int64_t n)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = n };
}

static inline struct value a_text(const char *text)      /* NULL is none */
{
	return (struct value){ .kind = VALUE_TEXT, .null = !text, .bytes = slice_str(text) };
}

static inline struct value some_bytes(struct slice s)
{
	return (struct value){ .kind = VALUE_BYTES, .bytes = s };
}

/* -- connections -------------------------------------------------------------------------------------------------- */

struct driver;
struct stmt;

struct db {
	const struct driver *driver;
};

enum db_use {
	DB_OWN,         /* the writer: creates it, keeps every other process out, checks it when it was not closed */
	DB_READ,        /* beside it */
	DB_CHECK,       /* nobody has it open; changes nothing */
};

enum row { ROW_HERE, ROW_END, ROW_FAILED };

struct driver {
	const char *scheme;                  /* "sqlite" */
	const char *number_key;              /* type of a number that is the primary key */

	/* `where` is what stands behind the scheme in the URL. NULL with the error. */
	struct db *(*open)(const char *where, enum db_use, struct error *);
	void       (*close)(struct db *);

	/* A transaction; one that reads sees one state of everything. */
	bool (*begin)(struct db *, bool writing, struct error *);
	/* Kept, durably, or (false) nothing of it. Either way the transaction is over. */
	bool (*commit)(struct db *, struct error *);
	void (*rollback)(struct db *);
	/* False when a failure has ended it (a full disk does): nothing of it is kept, and nothing more can be done in it. */
	bool (*under_way)(struct db *);

	/* A part of a transaction that can be taken back alone. Not nested. */
	bool (*save)(struct db *, struct error *);
	bool (*unsave)(struct db *, bool keep, struct error *);

	/* The statement, with its values, which must stay until end(). NULL with the error; otherwise end() follows. */
	struct stmt *(*query)(struct db *, const char *sql, const struct value *, size_t count, struct error *);
	enum row     (*next)(struct stmt *, struct error *);
	struct value (*column)(struct stmt *, size_t);        /* its bytes until the next next() or end() */
	int64_t      (*changed)(struct stmt *);               /* rows that the statement has changed      */
	void         (*end)(struct stmt *);

	/* Several statements without values: steps of a migration. */
	bool (*script)(struct db *, const char *sql, struct error *);
	/* Work that may be put off, after a commit; outside transactions. Cannot fail: it is done the next time then. */
	void (*tidy)(struct db *);
	/* All of it, into a new file, which has its name only once it is whole; outside transactions. */
	bool (*copy)(struct db *, const char *file, struct error *);
	/* Such a file in the place of what is `where`, which nobody has open: that stays, as WHERE.before-restore. */
	bool (*replace)(const char *where, const char *file, struct error *);
	/* Does everything in it fit together? */
	bool (*check)(struct db *, struct error *);
};

extern const struct driver driver_sqlite;

#endif
