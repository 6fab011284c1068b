#include "store/migrations.h"

#include <stdlib.h>

#include "store/rows.h"

#define KEY_WORD "NUMBER_KEY"

const struct migration migrations[] = {
	{ "workspaces and accounts",
	  "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);"
	  "INSERT INTO counters VALUES ('start', 0), ('event', 0), ('delivery', 0);"

	  "CREATE TABLE workspaces (id TEXT PRIMARY KEY, name TEXT NOT NULL, bcc_token TEXT NOT NULL UNIQUE, created BIGINT NOT NULL);"

	  "CREATE TABLE api_keys (id TEXT PRIMARY KEY, workspace TEXT REFERENCES workspaces (id), name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,"
	  " scopes BIGINT NOT NULL, created BIGINT NOT NULL, last_used BIGINT NOT NULL, revoked BIGINT NOT NULL);"
	  "CREATE INDEX api_keys_of ON api_keys (workspace, created, id);"

	  "CREATE TABLE domains (workspace TEXT NOT NULL REFERENCES workspaces (id), domain TEXT NOT NULL, json TEXT NOT NULL,"
	  " changed BIGINT NOT NULL, PRIMARY KEY (workspace, domain));"

	  "CREATE TABLE answers (workspace TEXT NOT NULL REFERENCES workspaces (id), key TEXT NOT NULL, request_hash TEXT NOT NULL,"
	  " status BIGINT NOT NULL, body TEXT, created BIGINT NOT NULL, PRIMARY KEY (workspace, key));"
	  "CREATE INDEX answers_age ON answers (created);"

	  "CREATE TABLE feedback (cause TEXT NOT NULL, lang TEXT NOT NULL, helpful BIGINT NOT NULL, not_helpful BIGINT NOT NULL,"
	  " PRIMARY KEY (cause, lang));"

	  /* what is long stands last: a row is read from its front */
	  "CREATE TABLE accounts (id TEXT PRIMARY KEY, workspace TEXT NOT NULL REFERENCES workspaces (id), address TEXT NOT NULL, key TEXT NOT NULL,"
	  " provider TEXT NOT NULL, username TEXT, host_imap TEXT, host_smtp TEXT, port_imap BIGINT NOT NULL, port_smtp BIGINT NOT NULL,"
	  " lang TEXT, external_id TEXT, state TEXT NOT NULL, state_since BIGINT NOT NULL, next_try BIGINT NOT NULL, last_ok BIGINT NOT NULL,"
	  " created BIGINT NOT NULL, cause TEXT, certainty TEXT, who TEXT, incident TEXT, failures BIGINT NOT NULL,"
	  " report_at BIGINT NOT NULL, place TEXT, cursor TEXT, report TEXT);"
	  "CREATE UNIQUE INDEX accounts_key ON accounts (workspace, key) WHERE state <> 'removed';"
	  "CREATE INDEX accounts_of ON accounts (workspace, created, id);"
	  "CREATE INDEX accounts_all ON accounts (created, id);"
	  "CREATE INDEX accounts_state ON accounts (workspace, state, cause);"
	  "CREATE INDEX accounts_external ON accounts (workspace, external_id) WHERE external_id IS NOT NULL;"
	  "CREATE INDEX accounts_incident ON accounts (incident, workspace) WHERE incident IS NOT NULL;"

	  "CREATE TABLE sealed (owner TEXT NOT NULL, kind TEXT NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (owner, kind));"
	  "CREATE TABLE nodes (name TEXT PRIMARY KEY, fence BIGINT NOT NULL);"
	  "CREATE TABLE leases (account TEXT PRIMARY KEY REFERENCES accounts (id), node TEXT NOT NULL, fence BIGINT NOT NULL, expires BIGINT NOT NULL);"
	  "CREATE TABLE tries (account TEXT NOT NULL REFERENCES accounts (id), day BIGINT NOT NULL, refused BIGINT NOT NULL,"
	  " PRIMARY KEY (account, day));" },

	{ "events and their outbox",
	  "CREATE TABLE events (seq NUMBER_KEY, id TEXT NOT NULL UNIQUE, workspace TEXT NOT NULL REFERENCES workspaces (id), account TEXT,"
	  " type TEXT NOT NULL, data TEXT NOT NULL, created BIGINT NOT NULL);"
	  "CREATE INDEX events_of ON events (workspace, seq);"
	  "CREATE INDEX events_account ON events (account, seq) WHERE account IS NOT NULL;"

	  "CREATE TABLE webhooks (id TEXT PRIMARY KEY, workspace TEXT NOT NULL REFERENCES workspaces (id), url TEXT NOT NULL, types TEXT NOT NULL,"
	  " enabled BIGINT NOT NULL, disabled_why TEXT, created BIGINT NOT NULL, last_ok BIGINT NOT NULL, failing_since BIGINT NOT NULL);"
	  "CREATE INDEX webhooks_of ON webhooks (workspace, created, id);"

	  /* `place` in the queue of its webhook and account: 'first', 'behind', and out of it 'taken', 'given_up'. Only the first of
	     each queue may go out, so only those are in the index of what is due; of a webhook that is disabled they are held. */
	  "CREATE TABLE deliveries (id NUMBER_KEY, webhook TEXT NOT NULL REFERENCES webhooks (id), account TEXT NOT NULL,"
	  " event BIGINT NOT NULL REFERENCES events (seq), place TEXT NOT NULL, held BIGINT NOT NULL, tries BIGINT NOT NULL,"
	  " next_try BIGINT NOT NULL, delivered BIGINT NOT NULL, status BIGINT NOT NULL, note TEXT);"
	  "CREATE UNIQUE INDEX deliveries_first ON deliveries (webhook, account) WHERE place = 'first';"
	  "CREATE INDEX deliveries_due ON deliveries (next_try, id) WHERE place = 'first' AND held = 0;"
	  "CREATE INDEX deliveries_behind ON deliveries (webhook, account, id) WHERE place = 'behind';"
	  "CREATE INDEX deliveries_given_up ON deliveries (webhook) WHERE place = 'given_up';"
	  "CREATE INDEX deliveries_of ON deliveries (webhook, id);"
	  "CREATE INDEX deliveries_event ON deliveries (event);" },

	{ "links, incidents, logged mail",
	  "CREATE TABLE links (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, workspace TEXT NOT NULL REFERENCES workspaces (id),"
	  " kind TEXT NOT NULL, expected TEXT, account TEXT, lang TEXT, return_url TEXT, session TEXT, created BIGINT NOT NULL,"
	  " expires BIGINT NOT NULL, used BIGINT NOT NULL);"
	  "CREATE INDEX links_age ON links (expires);"
	  "CREATE INDEX links_account ON links (account) WHERE account IS NOT NULL;"

	  "CREATE TABLE incidents (id TEXT PRIMARY KEY, host TEXT NOT NULL, cause TEXT NOT NULL, who TEXT, opened BIGINT NOT NULL,"
	  " closed BIGINT NOT NULL, accounts BIGINT NOT NULL);"
	  "CREATE UNIQUE INDEX incidents_open ON incidents (host, cause) WHERE closed = 0;"
	  "CREATE INDEX incidents_age ON incidents (opened, id);"

	  "CREATE TABLE mails (id TEXT PRIMARY KEY, workspace TEXT NOT NULL REFERENCES workspaces (id), account TEXT, envelope_from TEXT,"
	  " envelope_to TEXT, sender TEXT, subject TEXT, message_id TEXT, test_token TEXT, received BIGINT NOT NULL, size BIGINT NOT NULL,"
	  " packed BYTEA NOT NULL);"
	  "CREATE INDEX mails_of ON mails (workspace, received, id);"
	  "CREATE INDEX mails_test ON mails (workspace, test_token) WHERE test_token IS NOT NULL;" },

	/* what is due is asked for by webhook, so that a dead one with thousands waiting hides no other */
	{ "the outbox by webhook",
	  "DROP INDEX deliveries_due;"
	  "CREATE INDEX deliveries_due ON deliveries (webhook, next_try, id) WHERE place = 'first' AND held = 0;" },

	{ "links that are listed and taken back",
	  "ALTER TABLE links ADD COLUMN revoked BIGINT NOT NULL DEFAULT 0;"
	  "CREATE INDEX links_of ON links (workspace, created, id);" },
	{ "our own addresses",
	  "CREATE TABLE our_addresses (address TEXT PRIMARY KEY, how TEXT NOT NULL, host TEXT NOT NULL, other_host TEXT, first_seen BIGINT NOT NULL,"
	  " last_seen BIGINT NOT NULL);" },
	{ "accounts at Exchange",
	  "ALTER TABLE accounts ADD COLUMN ews_url TEXT;"
	  "ALTER TABLE accounts ADD COLUMN impersonate BIGINT NOT NULL DEFAULT 0;" },
	{ "people who are away to sign in",
	  "CREATE TABLE signins (id TEXT PRIMARY KEY, link TEXT NOT NULL, session TEXT NOT NULL, address TEXT NOT NULL, created BIGINT NOT NULL,"
	  " expires BIGINT NOT NULL, sealed BYTEA NOT NULL);"
	  "CREATE INDEX signins_link ON signins (link, created);"
	  "CREATE INDEX signins_age ON signins (expires);"
	  "ALTER TABLE links ADD COLUMN provider TEXT;" },
	{ "on what terms mailboxes at Microsoft are connected",
	  "ALTER TABLE accounts ADD COLUMN rights TEXT;"
	  "ALTER TABLE accounts ADD COLUMN tenant BIGINT NOT NULL DEFAULT 0;"
	  "ALTER TABLE links ADD COLUMN rights TEXT;" },
	{ "administrators who are asked for their consent",
	  "CREATE TABLE consents (id TEXT PRIMARY KEY, link TEXT NOT NULL, account TEXT NOT NULL, created BIGINT NOT NULL,"
	  " expires BIGINT NOT NULL, sealed BYTEA NOT NULL);"
	  "CREATE INDEX consents_link ON consents (link, account, created);"
	  "CREATE INDEX consents_age ON consents (expires);" },
	{ "calendars by CalDAV, and what is known of their entries",
	  "ALTER TABLE accounts ADD COLUMN caldav_url TEXT;"
	  "ALTER TABLE accounts ADD COLUMN caldav_username TEXT;"
	  "ALTER TABLE accounts ADD COLUMN calendar TEXT;"
	  "CREATE TABLE calendar_entries (account TEXT NOT NULL REFERENCES accounts (id), calendar TEXT NOT NULL, name TEXT NOT NULL,"
	  " etag TEXT NOT NULL, PRIMARY KEY (account, calendar, name));" },
};

const size_t migration_count = COUNT(migrations);

static char *in_words_of(const struct driver *driver, const char *sql)
{
	struct slice rest = slice_str(sql);
	char        *text = must_alloc(rest.len * 3 + 1), *to = text;

	for (size_t at; (at = slice_search(rest, KEY_WORD)) < rest.len; rest = slice_from(rest, at + strlen(KEY_WORD))) {
		to = mempcpy(to, rest.at, at);
		to = stpcpy(to, driver->number_key);
	}
	memcpy(to, rest.at, rest.len);
	return text;
}

static bool make_version_table(struct db *db, struct error *err)
{
	struct txn t = { .db = db };

	if (!db->driver->begin(db, true, err))
		return false;
	if (run(&t, err, "CREATE TABLE IF NOT EXISTS store_version (one BIGINT PRIMARY KEY, version BIGINT NOT NULL)", WITHOUT)
	    && run(&t, err, "INSERT INTO store_version VALUES (1, 0) ON CONFLICT (one) DO NOTHING", WITHOUT))
		return db->driver->commit(db, err);
	db->driver->rollback(db);
	return false;
}

bool migrated(struct db *db, int64_t *version, struct error *err)
{
	struct txn t = { .db = db };

	return read_number(&t, version, 0, err, "SELECT version FROM store_version WHERE one = 1", WITHOUT);
}

static bool apply_one(struct db *db, const struct migration *step, int64_t number, struct error *err)
{
	struct txn t = { .db = db };
	char      *sql = in_words_of(db->driver, step->sql);
	bool       fine = db->driver->begin(db, true, err);

	if (fine && db->driver->script(db, sql, err)
	    && run(&t, err, "UPDATE store_version SET version = $1 WHERE one = 1", WITH(a_number(number)))) {
		fine = db->driver->commit(db, err);
	} else if (fine) {
		db->driver->rollback(db);
		fine = false;
	}
	free(sql);
	return fine;
}

bool migrate(struct db *db, const struct migration *step, size_t count, struct error *err)
{
	struct error why = { 0 };
	int64_t      version;

	if (!make_version_table(db, err) || !migrated(db, &version, err))
		return false;
	if (version > (int64_t)count)
		return fail(err, FAULT_LOCAL, "the store is of version %lld, and this program knows versions up to %zu: a newer one has used it",
		            (long long)version, count);
	for (size_t i = (size_t)version; i < count; i++)
		if (!apply_one(db, &step[i], (int64_t)i + 1, &why))
			return fail(err, why.fault, "bringing the store to version %zu (%s): %s", i + 1, step[i].what, why.text);
	return true;
}
