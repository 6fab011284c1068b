#include "store/migrations.h"

#include "store/accounts.h"
#include "store/events.h"
#include "store/scratch.h"

static struct db *at_version(struct scratch *s, size_t version)
{
	struct db *db = driver_sqlite.open(s->file, DB_OWN, &s->err);

	EXPECT(db && migrate(db, migrations, version, &s->err));
	return db;
}

static int64_t version_of(struct scratch *s, struct db *db)
{
	int64_t version;

	EXPECT(migrated(db, &version, &s->err));
	return version;
}

/* With the columns that there were from the first version on: account_insert() knows those of the last. */
#define AN_ACCOUNT                                                                                                                   \
	"INSERT INTO accounts (id, workspace, address, key, provider, port_imap, port_smtp, state, state_since, next_try, last_ok, created,"   \
	" failures, report_at) VALUES ('acc_1', 'wsp_1', 'ann@birch.example', 'ann@birch.example', 'imap', 0, 0, 'paused', 0, 0, 0, 0, 0, 0);"

/* A workspace and an account, written with the tables of the first version, are there in the last. */
TEST(a_store_of_every_earlier_version_is_brought_up)
{
	for (size_t version = 1; version <= migration_count; version++) {
		struct scratch s;
		struct account got;

		scratch_begin(&s);
		s.txn.db = at_version(&s, version);
		EXPECT(version_of(&s, s.txn.db) == (int64_t)version);
		EXPECT(workspace_insert(&s.txn, &(struct workspace){ "wsp_1", "One", "bcc1", 1 }, &s.err));
		EXPECT(s.txn.db->driver->script(s.txn.db, AN_ACCOUNT, &s.err));
		s.txn.db->driver->close(s.txn.db);

		s.txn.db = s.db = at_version(&s, migration_count);
		EXPECT(version_of(&s, s.db) == (int64_t)migration_count);
		EXPECT(account_get(&s.txn, s.arena, "wsp_1", "acc_1", &got, &s.err));
		EXPECT_TEXT(got.address, "ann@birch.example");
		EXPECT(!got.ews_url && !got.impersonate && account_update(&s.txn, &got, &s.err));
		EXPECT(event_append(&s.txn, &(struct event){ .id = "evt_1", .workspace = "wsp_1", .type = "a", .data = "{}" }, NULL, &s.err));
		scratch_end(&s);
	}
}

TEST(steps_that_are_there_are_not_applied_again)
{
	static const struct migration steps[] = { { "one", "CREATE TABLE a (x NUMBER_KEY);" }, { "two", "CREATE TABLE b (x BIGINT); INSERT INTO b VALUES (1);" } };
	struct scratch s;
	int64_t        count;

	scratch_begin(&s);
	s.txn.db = s.db = driver_sqlite.open(s.file, DB_OWN, &s.err);
	EXPECT(s.db && migrate(s.db, steps, 1, &s.err) && migrate(s.db, steps, 2, &s.err) && migrate(s.db, steps, 2, &s.err));
	EXPECT(read_number(&s.txn, &count, 0, &s.err, "SELECT COUNT(*) FROM b", WITHOUT) && count == 1);
	scratch_end(&s);
}

TEST(a_step_that_fails_leaves_nothing_of_itself)
{
	static const struct migration bad[] = { { "one", "CREATE TABLE a (x BIGINT);" }, { "two", "CREATE TABLE b (x BIGINT); INSERT INTO nowhere VALUES (1);" } };
	static const struct migration good[] = { { "one", "CREATE TABLE a (x BIGINT);" }, { "two", "CREATE TABLE b (x BIGINT);" } };
	struct scratch s;

	scratch_begin(&s);
	s.db = driver_sqlite.open(s.file, DB_OWN, &s.err);
	EXPECT(s.db);
	FAILS(migrate(s.db, bad, 2, &s.err), FAULT_LOCAL);
	EXPECT(version_of(&s, s.db) == 1 && migrate(s.db, good, 2, &s.err) && version_of(&s, s.db) == 2);
	scratch_end(&s);
}

TEST(a_newer_store_is_refused_and_left_alone)
{
	struct scratch s;
	struct store  *store;

	scratch_begin(&s);
	s.txn.db = at_version(&s, migration_count);
	EXPECT(run(&s.txn, &s.err, "UPDATE store_version SET version = version + 1", WITHOUT));
	s.txn.db->driver->close(s.txn.db);
	store = store_open(s.url, &s.err);
	EXPECT(!store && strstr(s.err.text, "newer"));
	FAILS(store != NULL, FAULT_LOCAL);
	FAILS(store_check(s.url, &s.err), FAULT_LOCAL);
	s.db = driver_sqlite.open(s.file, DB_OWN, &s.err);
	EXPECT(s.db && version_of(&s, s.db) == (int64_t)migration_count + 1);
	scratch_end(&s);
}
