/* SQLite as a driver.
 *
 * Durable: write-ahead log with synchronous=FULL, so a commit has reached the disk when it returns. One process: a lock on
 * PATH.lock for as long as the writer is open. The same file says whether the last owner closed the store; if not, SQLite
 * recovers from its log by itself, and we have it checked as well.
 */
#include "store/driver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

#define APPLICATION_ID 0x4d6f6f72      /* "Moor", in the file's header */
#define BUSY_MS        5000            /* somebody with a tool of his own at the file */
#define TIDY_BUSY_MS   50
#define VALUES_MOST    48
#define BUCKETS        256
#define PART_DICE      8               /* in the name of a copy that is not whole yet */

/* Pages kept in memory, at most, in KiB (SQLite's sign for that is the minus). A reader's are void after each commit of the
 * writer; the writer's are not, and a change that outgrows them is written twice. What the writer keeps counts among
 * what ten thousand mailboxes cost: 32 MiB were 3 KiB of each. */
#define WRITER_CACHE   "-8192"
#define READER_CACHE   "-4096"

#define LOG_PAGES_TIDY 1000            /* from here on the log is copied into the file … */
#define LOG_PAGES_MUCH 16000           /* … and here readers are waited for, so that it begins anew */

struct stmt {
	struct sqlite_db *db;
	sqlite3_stmt     *sqlite;
	char             *sql;
	bool              busy;
	unsigned char     value_of[VALUES_MOST];      /* SQLite's number of a parameter -> ours: "$3" may come first */
	int               values;
	struct stmt      *next;
};

struct sqlite_db {
	struct db    db;
	sqlite3     *sqlite;
	struct stmt *kept[BUCKETS];
	int          log_pages;
	int          lock;                  /* -1: none                                       */
	bool         owned;                 /* opened by the writer, whole: so it is closed as well */
};

static struct sqlite_db *of(struct db *db)
{
	return (struct sqlite_db *)db;
}

/* -- errors ------------------------------------------------------------------------------------------------------- */

static const struct { int code; enum fault fault; } faults[] = {
	{ SQLITE_CONSTRAINT_UNIQUE,     FAULT_REFUSED }, { SQLITE_CONSTRAINT_PRIMARYKEY, FAULT_REFUSED },
	{ SQLITE_CONSTRAINT_FOREIGNKEY, FAULT_ABSENT },  { SQLITE_TOOBIG,                FAULT_TOO_BIG },
	{ SQLITE_BUSY,                  FAULT_BUSY },    { SQLITE_BUSY_RECOVERY,         FAULT_BUSY },
	{ SQLITE_BUSY_SNAPSHOT,         FAULT_BUSY },    { SQLITE_LOCKED,                FAULT_BUSY },
};

/* Always false. */
static bool failed(sqlite3 *db, struct error *err)
{
	int        code = sqlite3_extended_errcode(db), os = sqlite3_system_errno(db);
	enum fault fault = FAULT_LOCAL;
	bool       of_os = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_FULL;

	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].code == code)
			fault = faults[i].fault;
	return fail(err, fault, "the store: %s%s%s", sqlite3_errmsg(db), of_os && os ? ": " : "", of_os && os ? strerror(os) : "");
}

/* -- statements --------------------------------------------------------------------------------------------------- */

static size_t bucket_of(const char *sql)
{
	uint32_t hash = 2166136261u;

	while (*sql)
		hash = (hash ^ (unsigned char)*sql++) * 16777619u;
	return hash % BUCKETS;
}

static void stmt_free(struct stmt *s)
{
	sqlite3_finalize(s->sqlite);
	free(s->sql);
	free(s);
}

static struct stmt *stmt_new(struct sqlite_db *db, const char *sql, struct error *err)
{
	struct stmt *s = must_alloc(sizeof *s);

	s->db = db;
	s->sql = must_copy(sql);
	if (sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sqlite, NULL) != SQLITE_OK) {
		failed(db->sqlite, err);
		stmt_free(s);
		return NULL;
	}
	s->values = sqlite3_bind_parameter_count(s->sqlite);
	assert(s->values <= VALUES_MOST);
	for (int i = 0; i < s->values; i++)
		s->value_of[i] = (unsigned char)(atoi(sqlite3_bind_parameter_name(s->sqlite, i + 1) + 1) - 1);
	return s;
}

static struct stmt *stmt_find(struct sqlite_db *db, const char *sql, struct error *err)
{
	struct stmt **first = &db->kept[bucket_of(sql)], *s = *first;

	while (s && strcmp(s->sql, sql) != 0)
		s = s->next;
	if (!s && (s = stmt_new(db, sql, err))) {
		s->next = *first;
		*first = s;
	}
	return s;
}

static int bind(sqlite3_stmt *s, int at, const struct value *v)
{
	if (v->null)
		return sqlite3_bind_null(s, at);
	if (v->kind == VALUE_NUMBER)
		return sqlite3_bind_int64(s, at, v->number);
	if (v->kind == VALUE_TEXT)
		return sqlite3_bind_text64(s, at, v->bytes.at, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_blob64(s, at, v->bytes.at ? v->bytes.at : "", v->bytes.len, SQLITE_STATIC);
}

static void stmt_end(struct stmt *s)
{
	/* its code repeats what next() has said already */
	sqlite3_reset(s->sqlite);
	if (s->values)
		sqlite3_clear_bindings(s->sqlite);
	s->busy = false;
}

static struct stmt *query(struct db *db, const char *sql, const struct value *value, size_t count, struct error *err)
{
	struct stmt *s = stmt_find(of(db), sql, err);

	if (!s)
		return NULL;
	assert(!s->busy);
	s->busy = true;
	for (int i = 0; i < s->values; i++) {
		assert(s->value_of[i] < count);
		if (bind(s->sqlite, i + 1, &value[s->value_of[i]]) != SQLITE_OK) {
			failed(s->db->sqlite, err);
			stmt_end(s);
			return NULL;
		}
	}
	return s;
}

static enum row next(struct stmt *s, struct error *err)
{
	int code = sqlite3_step(s->sqlite);

	if (code == SQLITE_ROW)
		return ROW_HERE;
	if (code == SQLITE_DONE)
		return ROW_END;
	failed(s->db->sqlite, err);
	return ROW_FAILED;
}

static struct value column(struct stmt *s, size_t n)
{
	int          at = (int)n, type = sqlite3_column_type(s->sqlite, at);
	struct value v = { .kind = VALUE_BYTES, .null = type == SQLITE_NULL };

	if (type == SQLITE_INTEGER)
		return a_number(sqlite3_column_int64(s->sqlite, at));
	if (v.null)
		return v;
	v.kind = type == SQLITE_TEXT ? VALUE_TEXT : VALUE_BYTES;
	v.bytes.at = type == SQLITE_TEXT ? (const char *)sqlite3_column_text(s->sqlite, at) : sqlite3_column_blob(s->sqlite, at);
	v.bytes.len = (size_t)sqlite3_column_bytes(s->sqlite, at);
	return v;
}

static int64_t changed(struct stmt *s)
{
	return sqlite3_changes64(s->db->sqlite);
}

static bool script(struct db *db, const char *sql, struct error *err)
{
	return sqlite3_exec(of(db)->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK || failed(of(db)->sqlite, err);
}

/* One without values; it gives no row, or one that nobody wants. */
static bool plain(struct db *db, const char *sql, struct error *err)
{
	struct stmt *s = query(db, sql, NULL, 0, err);
	enum row     row;

	if (!s)
		return false;
	row = next(s, err);
	stmt_end(s);
	return row != ROW_FAILED;
}

/* The first value of the first row; "" when there is none. */
static bool first_value(sqlite3 *db, const char *sql, char *out, size_t size, struct error *err)
{
	sqlite3_stmt *s;
	int           code = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	if (code == SQLITE_OK) {
		const unsigned char *text;

		code = sqlite3_step(s);
		text = code == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
		snprintf(out, size, "%s", text ? (const char *)text : "");
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			failed(db, err);
		sqlite3_finalize(s);
	} else {
		failed(db, err);
	}
	return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* -- transactions ------------------------------------------------------------------------------------------------- */

static bool begin(struct db *db, bool writing, struct error *err)
{
	return plain(db, writing ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static bool under_way(struct db *db)
{
	return !sqlite3_get_autocommit(of(db)->sqlite);
}

static void rollback(struct db *db)
{
	/* can fail only by finding none */
	if (under_way(db))
		plain(db, "ROLLBACK", NULL);
}

static bool commit(struct db *db, struct error *err)
{
	if (!under_way(db))
		return fail(err, FAULT_LOCAL, "the store: the transaction was broken off");
	if (plain(db, "COMMIT", err))
		return true;
	rollback(db);
	return false;
}

static bool save(struct db *db, struct error *err)
{
	return plain(db, "SAVEPOINT one", err);
}

static bool unsave(struct db *db, bool keep, struct error *err)
{
	return (keep || plain(db, "ROLLBACK TO one", err)) && plain(db, "RELEASE one", err);
}

/* -- the file ----------------------------------------------------------------------------------------------------- */

static int log_grew(void *self, sqlite3 *sqlite, const char *name, int pages)
{
	(void)sqlite, (void)name;
	((struct sqlite_db *)self)->log_pages = pages;
	return SQLITE_OK;
}

/* The log is copied into the file here rather than within a commit, where somebody would wait for it. */
static void tidy(struct db *db)
{
	struct sqlite_db *s = of(db);
	bool              much = s->log_pages >= LOG_PAGES_MUCH;

	if (s->log_pages < LOG_PAGES_TIDY)
		return;
	s->log_pages = 0;
	sqlite3_busy_timeout(s->sqlite, TIDY_BUSY_MS);
	sqlite3_wal_checkpoint_v2(s->sqlite, NULL, much ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	sqlite3_busy_timeout(s->sqlite, BUSY_MS);
}

static bool sync_folder_of(const char *file)
{
	char *copy = must_copy(file);
	int   folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool  fine = folder >= 0 && fsync(folder) == 0;

	if (folder >= 0)
		close(folder);
	free(copy);
	return fine;
}

/* Its directory entry is on the disk as well, when it was not there before. */
static bool create(const char *file, int flags, struct error *err)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd < 0)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	close(fd);
	return sync_folder_of(file) || fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
}

static const char word_open[] = "open\n", word_closed[] = "closed\n";

/* What the lock's file says of the last owner; an empty one has had none. */
static bool was_closed(int lock)
{
	char    said[sizeof word_closed] = "";
	ssize_t len = pread(lock, said, sizeof said - 1, 0);

	return len == 0 || strcmp(said, word_closed) == 0;
}

static bool write_word(int lock, const char *word)
{
	return ftruncate(lock, 0) == 0 && pwrite(lock, word, strlen(word), 0) == (ssize_t)strlen(word) && fdatasync(lock) == 0;
}

static char *name_with(const char *file, const char *tail)
{
	size_t size = strlen(file) + strlen(tail) + 1;
	char  *name = must_alloc(size);

	snprintf(name, size, "%s%s", file, tail);
	return name;
}

static int take_lock(const char *file, int flags, struct error *err)
{
	char *name = name_with(file, ".lock");
	int   lock = open(name, O_RDWR | O_CLOEXEC | flags, 0600);

	if (lock < 0 && (errno != ENOENT || flags & O_CREAT)) {
		fail(err, FAULT_LOCAL, "%s: %s", name, strerror(errno));
	} else if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0) {
		fail(err, errno == EWOULDBLOCK ? FAULT_BUSY : FAULT_LOCAL, "%s: %s", file,
		     errno == EWOULDBLOCK ? "another process has this store open" : strerror(errno));
		close(lock);
		lock = -1;
	}
	free(name);
	return lock;
}

static bool is_ours(struct sqlite_db *s, const char *file, bool fresh_is_fine, struct error *err)
{
	char id[24], tables[24];

	if (!first_value(s->sqlite, "PRAGMA application_id", id, sizeof id, err)
	    || !first_value(s->sqlite, "SELECT COUNT(*) FROM sqlite_master", tables, sizeof tables, err))
		return false;
	if (atol(id) == APPLICATION_ID || (fresh_is_fine && atol(id) == 0 && strcmp(tables, "0") == 0))
		return true;
	return fail(err, FAULT_LOCAL, "%s: a database, but no store of ours", file);
}

/* `pragma` says one thing for each fault it finds, "ok" for none. */
static bool whole(sqlite3 *db, const char *pragma, struct error *err)
{
	char said[120];

	if (!first_value(db, pragma, said, sizeof said, err))
		return false;
	return strcmp(said, "ok") == 0 || fail(err, FAULT_LOCAL, "the store is damaged: %s", said);
}

static bool check(struct db *db, struct error *err)
{
	char said[120];

	if (!whole(of(db)->sqlite, "PRAGMA integrity_check(1)", err) || !first_value(of(db)->sqlite, "PRAGMA foreign_key_check", said, sizeof said, err))
		return false;
	return !*said || fail(err, FAULT_LOCAL, "the store is damaged: a row of %s belongs to one that is not there", said);
}

static bool set_up_writer(struct sqlite_db *s, bool closed, struct error *err)
{
	char mode[24], id[60];

	snprintf(id, sizeof id, "PRAGMA application_id = %d", APPLICATION_ID);
	if (!first_value(s->sqlite, "PRAGMA journal_mode = WAL", mode, sizeof mode, err))
		return false;
	if (strcmp(mode, "wal") != 0)
		return fail(err, FAULT_LOCAL, "the store: no write-ahead log is possible on this file system");
	if (!closed && !whole(s->sqlite, "PRAGMA quick_check(1)", err))
		return false;
	sqlite3_wal_hook(s->sqlite, log_grew, s);
	/* what is deleted is to be gone from the file as well */
	return script(&s->db, "PRAGMA cache_size = " WRITER_CACHE "; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;", err)
	    && script(&s->db, id, err);
}

static void sqlite_close(struct db *db)
{
	struct sqlite_db *s = of(db);

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct stmt *q = s->kept[i], *after; q; q = after) {
			after = q->next;
			stmt_free(q);
		}
	if (sqlite3_close(s->sqlite) == SQLITE_OK && s->owned)
		write_word(s->lock, word_closed);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

static bool connect_to(struct sqlite_db *s, const char *file, int flags, struct error *err)
{
	if (sqlite3_open_v2(file, &s->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return s->sqlite ? failed(s->sqlite, err) : fail(err, FAULT_LOCAL, "%s: out of memory", file);
	sqlite3_extended_result_codes(s->sqlite, 1);
	sqlite3_busy_timeout(s->sqlite, BUSY_MS);
	sqlite3_db_config(s->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return script(&s->db, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;", err);
}

static bool open_own(struct sqlite_db *s, const char *file, struct error *err)
{
	bool closed;

	if ((s->lock = take_lock(file, O_CREAT, err)) < 0)
		return false;
	closed = was_closed(s->lock);
	/* without the file there is nothing that could be damaged */
	closed = closed || access(file, F_OK) != 0;
	if (!create(file, 0, err))
		return false;
	if (!connect_to(s, file, SQLITE_OPEN_READWRITE, err) || !is_ours(s, file, true, err) || !set_up_writer(s, closed, err))
		return false;
	s->owned = write_word(s->lock, word_open);
	return s->owned || fail(err, FAULT_LOCAL, "%s.lock: %s", file, strerror(errno));
}

static bool open_check(struct sqlite_db *s, const char *file, struct error *err)
{
	struct error why = { 0 };

	if (access(file, R_OK) != 0)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	/* without such a file nobody has it open, and a back-up needs none beside it */
	s->lock = take_lock(file, 0, &why);
	if (why.fault) {
		if (err)
			*err = why;
		return false;
	}
	return connect_to(s, file, SQLITE_OPEN_READONLY, err) && is_ours(s, file, false, err);
}

static bool open_read(struct sqlite_db *s, const char *file, struct error *err)
{
	return connect_to(s, file, SQLITE_OPEN_READONLY, err) && script(&s->db, "PRAGMA cache_size = " READER_CACHE, err);
}

static struct db *sqlite_open(const char *file, enum db_use use, struct error *err)
{
	static bool (*const ways[])(struct sqlite_db *, const char *, struct error *) = {
		[DB_OWN] = open_own, [DB_READ] = open_read, [DB_CHECK] = open_check,
	};
	struct sqlite_db *s = must_alloc(sizeof *s);

	s->db.driver = &driver_sqlite;
	s->lock = -1;
	if (ways[use](s, file, err))
		return &s->db;
	sqlite_close(&s->db);
	return NULL;
}

/* -- copies of it ------------------------------------------------------------------------------------------------- */

static bool vacuum_into(struct db *db, const char *file, struct error *err)
{
	const struct value to = a_text(file);
	struct stmt       *s;
	bool               fine;
	int                fd;

	/* as one statement it sees one state, and leaves out what was deleted */
	s = query(db, "VACUUM INTO $1", &to, 1, err);
	fine = s && next(s, err) == ROW_END;
	if (s)
		stmt_end(s);
	fd = fine ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fine && (fd < 0 || fsync(fd) != 0))
		fine = fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return fine;
}

/* Never over one that is there. Not every file system can say that in one word. */
static bool rename_to_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	return errno == EINVAL && link(from, to) == 0 && unlink(from) == 0;
}

static bool copy(struct db *db, const char *file, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *part = arena_print(work, "%s.part-%s", file, random_text(work, PART_DICE));

	if (access(file, F_OK) == 0)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(EEXIST));
	if (!create(part, O_EXCL, err))
		return false;
	if (vacuum_into(db, part, err) && (rename_to_new(part, file) || fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno)))
	    && (sync_folder_of(file) || fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno))))
		return true;
	unlink(part);
	return false;
}

/* What root makes is to be the daemon's, as the store was, or as its folder is. */
static bool give_to_owner_of(const char *file, const char *name, struct error *err)
{
	char       *path = must_copy(file);
	struct stat st;
	bool        known = stat(file, &st) == 0 || stat(dirname(path), &st) == 0;
	bool        fine = geteuid() != 0 || (known && lchown(name, st.st_uid, st.st_gid) == 0);

	free(path);
	return fine || fail(err, FAULT_LOCAL, "%s: %s", name, strerror(errno));
}

/* The log of an owner that was killed goes into the file. Of a damaged one it may stay: then it is kept beside. */
static void fold_log(const char *file)
{
	sqlite3 *db;

	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
		sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(db);
}

static bool move_if_there(const char *file, const char *to, const char *tail)
{
	char *from = name_with(file, tail), *name = name_with(to, tail);
	bool  fine = rename(from, name) == 0 || errno == ENOENT;

	free(from);
	free(name);
	return fine;
}

/* `file` keeps its name until another takes it; where a file cannot have two names, there is none for a moment. A log of the old
 * file must not be found beside the new one: SQLite would take it for that one's. */
static bool keep_aside(const char *file, const char *aside, struct error *err)
{
	if (access(file, F_OK) != 0 && errno == ENOENT)
		return true;
	if (access(aside, F_OK) == 0)
		return fail(err, FAULT_REFUSED, "%s is there, from an earlier time: move it away first", aside);
	fold_log(file);
	if ((link(file, aside) == 0 || rename(file, aside) == 0) && move_if_there(file, aside, "-wal") && move_if_there(file, aside, "-shm"))
		return true;
	return fail(err, FAULT_LOCAL, "%s: %s", aside, strerror(errno));
}

static bool take_place(const char *fresh, const char *file, struct error *err)
{
	return (rename(fresh, file) == 0 && sync_folder_of(file)) || fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
}

static bool replace(const char *file, const char *with, struct error *err)
{
	char      *fresh = name_with(file, ".restoring"), *aside = name_with(file, ".before-restore"), *held = name_with(file, ".lock");
	int        lock = take_lock(file, O_CREAT, err);
	struct db *db = lock >= 0 ? sqlite_open(with, DB_READ, err) : NULL;
	bool       fine;

	/* one that was killed may have left it */
	if (db)
		unlink(fresh);
	fine = db && copy(db, fresh, err);
	if (db)
		sqlite_close(db);
	if (fine) {
		fine = give_to_owner_of(file, held, err) && give_to_owner_of(file, fresh, err) && keep_aside(file, aside, err)
		    && take_place(fresh, file, err);
		if (!fine)
			unlink(fresh);
	}
	if (lock >= 0)
		close(lock);
	free(fresh);
	free(aside);
	free(held);
	return fine;
}

const struct driver driver_sqlite = {
	.scheme = "sqlite",
	.number_key = "INTEGER PRIMARY KEY",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.under_way = under_way,
	.save = save,
	.unsave = unsave,
	.query = query,
	.next = next,
	.column = column,
	.changed = changed,
	.end = stmt_end,
	.script = script,
	.tidy = tidy,
	.copy = copy,
	.replace = replace,
	.check = check,
};
