#include "store/accounts.h"

#include <ctype.h>

#include "base/json.h"
#include "store/cursor.h"
#include "store/rows.h"

#define TRIES_DAYS 30      /* kept: so much may the clock jump without a budget being forgotten */
#define PAGE_OF_SEALED 100
#define PLACE_MOST ((size_t)16 * 1024)

#define ACCOUNT_AND(report)                                                                                                          \
	"id, workspace, address, key, provider, username, host_imap, host_smtp, port_imap, port_smtp, lang, external_id, state, "    \
	"state_since, next_try, last_ok, created, cause, certainty, who, incident, failures, place, cursor, " report ", report_at, "    \
	"ews_url, impersonate, rights, tenant, caldav_url, caldav_username, calendar"
#define ACCOUNT       ACCOUNT_AND("report")
#define ACCOUNT_BRIEF ACCOUNT_AND("CASE WHEN cause IS NOT NULL THEN report END")

static const struct field account_fields[] = {
	TEXT(account, id),                   TEXT(account, workspace),            TEXT(account, address),
	TEXT(account, key),                  TEXT(account, provider),             TEXT(account, username),
	TEXT(account, host[SERVICE_IMAP]),   TEXT(account, host[SERVICE_SMTP]),   NUMBER(account, port[SERVICE_IMAP]),
	NUMBER(account, port[SERVICE_SMTP]), TEXT(account, lang),                 TEXT(account, external_id),
	STATE(account, state),               NUMBER(account, state_since),        NUMBER(account, next_try),
	NUMBER(account, last_ok),            NUMBER(account, created),            TEXT(account, cause),
	TEXT(account, certainty),            TEXT(account, who),                  TEXT(account, incident),
	NUMBER(account, failures),           TEXT(account, place),                TEXT(account, cursor),
	TEXT(account, report),               NUMBER(account, report_at),          TEXT(account, ews_url),
	NUMBER(account, impersonate),        TEXT(account, rights),               NUMBER(account, tenant),
	TEXT(account, caldav_url),           TEXT(account, caldav_username),      TEXT(account, calendar),
};
static const struct shape accounts = SHAPE("account", account, account_fields);

bool account_insert(struct txn *t, const struct account *a, struct error *err)
{
	return insert_row(t, err, &accounts, a, "INSERT INTO accounts (" ACCOUNT ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
	                  " $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)");
}

bool account_get(struct txn *t, struct arena *into, const char *workspace, const char *id, struct account *out, struct error *err)
{
	if (!workspace)
		return read_one(t, into, &accounts, out, err, "SELECT " ACCOUNT " FROM accounts WHERE id = $1", WITH(a_text(id)));
	return read_one(t, into, &accounts, out, err, "SELECT " ACCOUNT " FROM accounts WHERE id = $1 AND workspace = $2",
	                WITH(a_text(id), a_text(workspace)));
}

bool account_get_brief(struct txn *t, struct arena *into, const char *workspace, const char *id, struct account *out, struct error *err)
{
	return read_one(t, into, &accounts, out, err, "SELECT " ACCOUNT_BRIEF " FROM accounts WHERE id = $1 AND workspace = $2",
	                WITH(a_text(id), a_text(workspace)));
}

static const struct field id_fields[] = { { FIELD_TEXT, 0, sizeof(const char *) } };
static const struct shape ids = { "account", sizeof(const char *), id_fields, COUNT(id_fields) };

bool account_by_key(struct txn *t, struct arena *into, const char *workspace, const char *key, const char **id_out, struct error *err)
{
	return read_one(t, into, &ids, id_out, err, "SELECT id FROM accounts WHERE workspace = $1 AND key = $2 AND state <> 'removed'",
	                WITH(a_text(workspace), a_text(key)));
}

bool account_update(struct txn *t, const struct account *a, struct error *err)
{
	return update_row(t, err, &accounts, a, "UPDATE accounts SET address = $3, provider = $5, username = $6, host_imap = $7, host_smtp = $8,"
	                  " port_imap = $9, port_smtp = $10, lang = $11, external_id = $12, state = $13, state_since = $14, next_try = $15,"
	                  " last_ok = $16, cause = $18, certainty = $19, who = $20, incident = $21, failures = $22, place = $23, cursor = $24,"
	                  " report = $25, report_at = $26, ews_url = $27, impersonate = $28, rights = $29, tenant = $30,"
	                  " caldav_url = $31, caldav_username = $32, calendar = $33 WHERE id = $1 AND state <> 'removed'");
}

bool account_erase(struct txn *t, const char *id, int64_t now, struct error *err)
{
	static const char *const deletes[] = {
		"DELETE FROM sealed WHERE owner = $1", "DELETE FROM leases WHERE account = $1", "DELETE FROM tries WHERE account = $1",
		"DELETE FROM calendar_entries WHERE account = $1",
		/* a link carries the address it is for */
		"DELETE FROM links WHERE account = $1",
		/* and what was told of it carries subjects and names: that something was told is all that stays */
		"UPDATE events SET data = '{\"account\":{\"id\":\"' || account || '\"}}' WHERE account = $1",
	};

	if (!run_one(t, err, accounts.noun, "UPDATE accounts SET address = '', key = '', provider = '', username = NULL, host_imap = NULL,"
	             " host_smtp = NULL, port_imap = 0, port_smtp = 0, lang = NULL, external_id = NULL, state = 'removed', next_try = 0,"
	             " state_since = CASE WHEN state = 'removed' THEN state_since ELSE $2 END, cause = NULL, certainty = NULL, who = NULL,"
	             " incident = NULL, failures = 0, place = NULL, cursor = NULL, report = NULL, report_at = 0, ews_url = NULL,"
	             " impersonate = 0, rights = NULL, tenant = 0, caldav_url = NULL, caldav_username = NULL, calendar = NULL WHERE id = $1",
	             WITH(a_text(id), a_number(now))))
		return false;
	for (size_t i = 0; i < COUNT(deletes); i++)
		if (!run(t, err, deletes[i], WITH(a_text(id))))
			return false;
	return true;
}

/* -- lists -------------------------------------------------------------------------------------------------------- */

/* "%part%", in small letters, with what LIKE takes for a sign of its own marked by "!". */
static const char *like(struct arena *into, const char *part)
{
	char *pattern = arena_get(into, strlen(part) * 2 + 3), *p = pattern;

	*p++ = '%';
	for (; *part; part++) {
		if (strchr("%_!", *part))
			*p++ = '!';
		*p++ = (char)tolower((unsigned char)*part);
	}
	*p = '%';
	return pattern;
}

/* -- whose mailbox it is ------------------------------------------------------------------------------------------ */

/* As place_write() has it. */
static const char *in_place(struct arena *into, const char *mailbox)
{
	return like(into, arena_print(into, "\"mailbox\":\"%s\"", mailbox));
}

static bool is_in_mailbox(struct txn *t, struct arena *work, const struct account *a, const char *mailbox, bool *out, struct error *err)
{
	size_t count;

	if (!read_all(t, work, &ids, &count, err, "SELECT id FROM accounts WHERE provider = $1 AND id <> $2 AND state <> 'removed' AND tenant = 0"
	              " AND (lower(address) = lower($3) OR lower(place) LIKE $4 ESCAPE '!') LIMIT 1",
	              WITH(a_text(a->provider), a_text(a->id), a_text(mailbox), a_text(in_place(work, mailbox)))))
		return false;
	*out |= count > 0;
	return true;
}

bool account_is_shared(struct txn *t, const struct account *a, bool *out, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON      *place = a->place ? json_read(slice_str(a->place), PLACE_MOST, NULL) : NULL;
	const char *mailbox = json_copy(place, "mailbox", work);

	cJSON_Delete(place);
	*out = false;
	return is_in_mailbox(t, work, a, a->address, out, err) && (!mailbox || is_in_mailbox(t, work, a, mailbox, out, err));
}

bool account_list(struct txn *t, struct arena *into, const struct account_query *q, struct account_page *out, struct error *err)
{
	size_t      most = q->most < PAGE_MOST ? q->most : PAGE_MOST;
	struct ask  a = { 0 };
	const char *id;
	int64_t     created;
	size_t      count;

	ask_add(&a, "SELECT " ACCOUNT " FROM accounts");
	ask_text(&a, "workspace =", q->workspace);
	ask_text(&a, "state =", q->state);
	if (!q->state)
		ask_where(&a, "state <> 'removed'");
	ask_text(&a, "cause =", q->cause);
	ask_text(&a, "external_id =", q->external_id);
	if (q->search) {
		ask_text(&a, "lower(address) LIKE", like(into, q->search));
		ask_add(&a, " ESCAPE '!'");
	}
	if (q->after) {
		if (!cursor_read(q->after, &created, &id, err))
			return false;
		ask_pair(&a, "(created, id) >", a_number(created), a_text(id));
	}
	/* one more than wanted tells whether there is a next page */
	ask_end(&a, "ORDER BY created, id LIMIT", a_number((int64_t)most + 1));
	if (!(out->item = read_all(t, into, &accounts, &count, err, a.sql, a.value, a.count)))
		return false;
	out->count = count > most ? most : count;
	out->next = count > most && most ? cursor_text(into, out->item[most - 1].created, out->item[most - 1].id) : NULL;
	return true;
}

static const struct field count_fields[] = {
	TEXT(account_count, workspace), TEXT(account_count, state), TEXT(account_count, cause), NUMBER(account_count, count),
};
static const struct shape counts = SHAPE("account", account_count, count_fields);

bool account_counts(struct txn *t, struct arena *into, const char *workspace, struct account_count **out, size_t *count, struct error *err)
{
	if (workspace)
		return (*out = read_all(t, into, &counts, count, err, "SELECT workspace, state, cause, COUNT(*) FROM accounts"
		                " WHERE workspace = $1 GROUP BY workspace, state, cause ORDER BY state, cause", WITH(a_text(workspace)))) != NULL;
	return (*out = read_all(t, into, &counts, count, err,
	                "SELECT NULL, state, cause, COUNT(*) FROM accounts GROUP BY state, cause ORDER BY state, cause", WITHOUT)) != NULL;
}

/* -- secrets ------------------------------------------------------------------------------------------------------ */

struct sealed { const char *owner, *kind; struct slice bytes; };

static const struct field sealed_fields[] = { TEXT(sealed, owner), TEXT(sealed, kind), BYTES(sealed, bytes) };
static const struct shape sealed_rows = SHAPE("secret", sealed, sealed_fields);

bool sealed_put(struct txn *t, const char *owner, const char *kind, struct slice sealed, struct error *err)
{
	return run(t, err, "INSERT INTO sealed (owner, kind, bytes) VALUES ($1, $2, $3) ON CONFLICT (owner, kind) DO UPDATE SET bytes = excluded.bytes",
	           WITH(a_text(owner), a_text(kind), some_bytes(sealed)));
}

bool sealed_get(struct txn *t, struct arena *into, const char *owner, const char *kind, struct slice *out, struct error *err)
{
	struct sealed found;

	if (!read_one(t, into, &sealed_rows, &found, err, "SELECT owner, kind, bytes FROM sealed WHERE owner = $1 AND kind = $2",
	              WITH(a_text(owner), a_text(kind))))
		return false;
	*out = found.bytes;
	return true;
}

bool sealed_drop(struct txn *t, const char *owner, const char *kind, struct error *err)
{
	return run(t, err, "DELETE FROM sealed WHERE owner = $1 AND kind = $2", WITH(a_text(owner), a_text(kind)));
}

bool sealed_delete(struct txn *t, const char *owner, struct error *err)
{
	return run(t, err, "DELETE FROM sealed WHERE owner = $1", WITH(a_text(owner)));
}

bool sealed_each(struct txn *t, struct arena *work,
                 bool (*each)(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *),
                 void *self, struct error *err)
{
	const char *owner = "", *kind = "";
	size_t      count;

	do {
		struct sealed *page = read_all(t, work, &sealed_rows, &count, err,
		                               "SELECT owner, kind, bytes FROM sealed WHERE (owner, kind) > ($1, $2) ORDER BY owner, kind LIMIT $3",
		                               WITH(a_text(owner), a_text(kind), a_number(PAGE_OF_SEALED)));

		if (!page)
			return false;
		for (size_t i = 0; i < count; i++) {
			struct slice anew = { NULL, 0 };

			owner = page[i].owner, kind = page[i].kind;
			if (!each(self, owner, kind, page[i].bytes, &anew, err) || (anew.at && !sealed_put(t, owner, kind, anew, err)))
				return false;
		}
	} while (count == PAGE_OF_SEALED);
	return true;
}

/* -- leases ------------------------------------------------------------------------------------------------------- */

bool node_start(struct txn *t, const char *node, int64_t *fence, struct error *err)
{
	int64_t number;

	if (!read_number(t, &number, 0, err, "UPDATE counters SET value = value + 1 WHERE name = 'start' RETURNING value", WITHOUT)
	    || !run(t, err, "INSERT INTO nodes (name, fence) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET fence = excluded.fence",
	            WITH(a_text(node), a_number(number))))
		return false;
	*fence = number;
	return true;
}

bool lease_take(struct txn *t, const char *account, const char *node, int64_t fence, int64_t until, struct error *err)
{
	int64_t taken;

	if (!read_number(t, &taken, 0, err, "INSERT INTO leases (account, node, fence, expires) VALUES ($1, $2, $3, $4)"
	                 " ON CONFLICT (account) DO UPDATE SET node = excluded.node, fence = excluded.fence, expires = excluded.expires"
	                 " WHERE leases.fence <= excluded.fence RETURNING fence",
	                 WITH(a_text(account), a_text(node), a_number(fence), a_number(until))))
		return false;
	return taken == fence || fail(err, FAULT_REFUSED, "a later start looks after %s", account);
}

bool lease_holds(struct txn *t, const char *account, int64_t fence, struct error *err)
{
	int64_t has;

	if (!read_number(t, &has, 0, err, "SELECT fence FROM leases WHERE account = $1", WITH(a_text(account))))
		return false;
	if (has > fence)
		return fail(err, FAULT_REFUSED, "a later start looks after %s", account);
	return has == fence || fail(err, FAULT_ABSENT, "nobody has taken %s since this start", account);
}

/* -- the budget of refused tries ---------------------------------------------------------------------------------- */

bool tries_add(struct txn *t, const char *account, int64_t day, int refused, struct error *err)
{
	return run(t, err, "INSERT INTO tries (account, day, refused) VALUES ($1, $2, $3)"
	           " ON CONFLICT (account, day) DO UPDATE SET refused = tries.refused + excluded.refused",
	           WITH(a_text(account), a_number(day), a_number(refused)))
	    && run(t, err, "DELETE FROM tries WHERE account = $1 AND day < $2", WITH(a_text(account), a_number(day - TRIES_DAYS)));
}

bool tries_of(struct txn *t, const char *account, int64_t day, int *out, struct error *err)
{
	int64_t refused;

	if (!read_number(t, &refused, 0, err, "SELECT refused FROM tries WHERE account = $1 AND day = $2", WITH(a_text(account), a_number(day))))
		return false;
	*out = (int)refused;
	return true;
}
