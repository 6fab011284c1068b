#include "store/links.h"

#include <zstd.h>

#include "store/cursor.h"
#include "store/rows.h"

#define LIST_MOST  200
#define MAIL_MOST  (64u << 20)      /* one message, unpacked */
#define MAIL_LEVEL 3

/* -- links -------------------------------------------------------------------------------------------------------- */

#define LINK "id, hash, workspace, kind, expected, account, lang, return_url, session, created, expires, used, revoked, provider, rights"

static const struct field link_fields[] = {
	TEXT(link, id),   TEXT(link, hash),       TEXT(link, workspace), TEXT(link, kind),      TEXT(link, expected),  TEXT(link, account),
	TEXT(link, lang), TEXT(link, return_url), TEXT(link, session),   NUMBER(link, created), NUMBER(link, expires), NUMBER(link, used),
	NUMBER(link, revoked), TEXT(link, provider), TEXT(link, rights),
};
static const struct shape links = SHAPE("link", link, link_fields);

bool link_insert(struct txn *t, const struct link *l, struct error *err)
{
	return insert_row(t, err, &links, l, "INSERT INTO links (" LINK ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
}

bool link_by_hash(struct txn *t, struct arena *into, const char *hash, struct link *out, struct error *err)
{
	return read_one(t, into, &links, out, err, "SELECT " LINK " FROM links WHERE hash = $1 AND revoked = 0", WITH(a_text(hash)));
}

bool link_by_id(struct txn *t, struct arena *into, const char *id, struct link *out, struct error *err)
{
	return read_one(t, into, &links, out, err, "SELECT " LINK " FROM links WHERE id = $1 AND revoked = 0", WITH(a_text(id)));
}

/* Why a change that has a condition changed no row: there is none (FAULT_ABSENT), or it is as it should not be. */
static bool link_changed(struct txn *t, const char *id, int64_t changed, const char *refusal, struct error *err)
{
	int64_t there;

	if (changed)
		return true;
	if (!read_number(t, &there, 0, err, "SELECT 1 FROM links WHERE id = $1 AND revoked = 0", WITH(a_text(id))))
		return false;
	return there ? fail(err, FAULT_REFUSED, "%s", refusal) : fail(err, FAULT_ABSENT, "there is no such link");
}

bool link_open(struct txn *t, const char *id, const char *session_hash, struct error *err)
{
	int64_t changed;

	return read_number(t, &changed, 0, err, "UPDATE links SET session = $2 WHERE id = $1 AND revoked = 0"
	                   " AND (session IS NULL OR session = $2) RETURNING 1", WITH(a_text(id), a_text(session_hash)))
	    && link_changed(t, id, changed, "another browser has opened this link", err);
}

bool link_use(struct txn *t, const char *id, const char *account, int64_t now, struct error *err)
{
	int64_t changed;

	return read_number(t, &changed, 0, err, "UPDATE links SET account = $2, used = CASE WHEN used = 0 THEN $3 ELSE used END"
	                   " WHERE id = $1 AND revoked = 0 AND (account IS NULL OR account = $2) RETURNING 1",
	                   WITH(a_text(id), a_text(account), a_number(now)))
	    && link_changed(t, id, changed, "this link is another account's", err);
}

bool link_expire(struct txn *t, int64_t before, int64_t now, struct error *err)
{
	return run(t, err, "UPDATE links SET expires = $2 WHERE expires > $2 AND expires <= $1", WITH(a_number(before), a_number(now)));
}

bool link_forget(struct txn *t, int64_t expired_before, struct error *err)
{
	return run(t, err, "DELETE FROM links WHERE expires < $1", WITH(a_number(expired_before)));
}

static const struct { const char *name, *stands, *at; } states[LINK_STATES] = {
	[LINK_STATE_OPEN]    = { "open",    "revoked = 0 AND used = 0", "expires >"  },
	[LINK_STATE_USED]    = { "used",    "revoked = 0 AND used > 0", NULL         },
	[LINK_STATE_EXPIRED] = { "expired", "revoked = 0 AND used = 0", "expires <=" },
	[LINK_STATE_REVOKED] = { "revoked", "revoked > 0",              NULL         },
};

const char *link_state_name(enum link_state state)
{
	return states[state].name;
}

enum link_state link_state(const struct link *l, int64_t now)
{
	return l->revoked ? LINK_STATE_REVOKED : l->used ? LINK_STATE_USED : l->expires <= now ? LINK_STATE_EXPIRED : LINK_STATE_OPEN;
}

bool link_list(struct txn *t, struct arena *into, const struct link_query *q, struct link **out, size_t *count, const char **next,
               struct error *err)
{
	struct ask  a = { 0 };
	const char *id;
	int64_t     created;
	size_t      most = q->most < LIST_MOST ? q->most : LIST_MOST, found;

	ask_add(&a, "SELECT " LINK " FROM links");
	ask_text(&a, "workspace =", q->workspace);
	if (!q->for_operator)
		ask_where(&a, "kind <> 'operator'");
	if (q->state != LINK_STATES)
		ask_where(&a, states[q->state].stands);
	if (q->state != LINK_STATES && states[q->state].at)
		ask_value(&a, states[q->state].at, a_number(q->now));
	if (q->after) {
		if (!cursor_read(q->after, &created, &id, err))
			return false;
		ask_pair(&a, "(created, id) <", a_number(created), a_text(id));
	}
	/* one more than wanted tells whether there is a next page */
	ask_end(&a, "ORDER BY created DESC, id DESC LIMIT", a_number((int64_t)most + 1));
	if (!(*out = read_all(t, into, &links, &found, err, a.sql, a.value, a.count)))
		return false;
	*count = found > most ? most : found;
	*next = found > most && most ? cursor_text(into, (*out)[most - 1].created, (*out)[most - 1].id) : NULL;
	return true;
}

bool link_revoke(struct txn *t, const char *workspace, bool for_operator, const char *id, int64_t now, struct error *err)
{
	return run_one(t, err, "link", "UPDATE links SET revoked = CASE WHEN revoked = 0 THEN $3 ELSE revoked END"
	               " WHERE id = $1 AND workspace = $2 AND (kind <> 'operator' OR $4 = 1)",
	               WITH(a_text(id), a_text(workspace), a_number(now), a_number(for_operator)));
}

/* -- incidents ---------------------------------------------------------------------------------------------------- */

#define INCIDENT "id, host, cause, who, opened, closed, accounts"

static const struct field incident_fields[] = {
	TEXT(incident, id),       TEXT(incident, host),     TEXT(incident, cause), TEXT(incident, who),
	NUMBER(incident, opened), NUMBER(incident, closed), NUMBER(incident, accounts),
};
static const struct shape incidents = SHAPE("incident", incident, incident_fields);

bool incident_find(struct txn *t, struct arena *into, const char *host, const char *cause, struct incident *out, struct error *err)
{
	return read_one(t, into, &incidents, out, err, "SELECT " INCIDENT " FROM incidents WHERE host = $1 AND cause = $2 AND closed = 0",
	                WITH(a_text(host), a_text(cause)));
}

bool incident_get(struct txn *t, struct arena *into, const char *id, struct incident *out, struct error *err)
{
	return read_one(t, into, &incidents, out, err, "SELECT " INCIDENT " FROM incidents WHERE id = $1", WITH(a_text(id)));
}

bool incident_insert(struct txn *t, const struct incident *i, struct error *err)
{
	return insert_row(t, err, &incidents, i, "INSERT INTO incidents (" INCIDENT ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
}

bool incident_update(struct txn *t, const struct incident *i, struct error *err)
{
	return update_row(t, err, &incidents, i, "UPDATE incidents SET closed = $6, accounts = $7 WHERE id = $1");
}

bool incident_list(struct txn *t, struct arena *into, bool open_only, size_t most, struct incident **out, size_t *count, struct error *err)
{
	struct ask a = { 0 };

	ask_add(&a, "SELECT " INCIDENT " FROM incidents");
	if (open_only)
		ask_where(&a, "closed = 0");
	ask_end(&a, "ORDER BY opened DESC, id DESC LIMIT", a_number(most < LIST_MOST ? (int64_t)most : LIST_MOST));
	return (*out = read_all(t, into, &incidents, count, err, a.sql, a.value, a.count)) != NULL;
}

static const struct field name_fields[] = { { FIELD_TEXT, 0, sizeof(const char *) } };
static const struct shape names = { "workspace", sizeof(const char *), name_fields, COUNT(name_fields) };

bool incident_concerns(struct txn *t, const char *incident, const char *workspace, bool *out, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	size_t count;

	if (!(workspace ? read_all(t, work, &names, &count, err, "SELECT workspace FROM accounts WHERE incident = $1 AND workspace = $2 LIMIT 1",
	                           WITH(a_text(incident), a_text(workspace)))
	                : read_all(t, work, &names, &count, err, "SELECT workspace FROM accounts WHERE incident = $1 LIMIT 1", WITH(a_text(incident)))))
		return false;
	*out = count > 0;
	return true;
}

/* -- mail that was logged ----------------------------------------------------------------------------------------- */

#define MAIL_HEAD "id, workspace, account, envelope_from, envelope_to, sender, subject, message_id, test_token, received, size"
#define MAIL      MAIL_HEAD ", packed"

static const struct field mail_fields[] = {
	TEXT(logged_mail, id),            TEXT(logged_mail, workspace),   TEXT(logged_mail, account),
	TEXT(logged_mail, envelope_from), TEXT(logged_mail, envelope_to), TEXT(logged_mail, from),
	TEXT(logged_mail, subject),       TEXT(logged_mail, message_id),  TEXT(logged_mail, test_token),
	NUMBER(logged_mail, received),    NUMBER(logged_mail, size),      BYTES(logged_mail, bytes),
};
static const struct shape mails = SHAPE("mail", logged_mail, mail_fields);
static const struct shape mail_heads = { "mail", sizeof(struct logged_mail), mail_fields, COUNT(mail_fields) - 1 };

static bool pack(struct slice bytes, struct arena *into, struct slice *out, struct error *err)
{
	size_t room = ZSTD_compressBound(bytes.len), len;
	char  *packed;

	if (bytes.len > MAIL_MOST)
		return fail(err, FAULT_TOO_BIG, "a message of %zu bytes is not kept", bytes.len);
	packed = arena_get(into, room);
	len = ZSTD_compress(packed, room, bytes.at ? bytes.at : "", bytes.len, MAIL_LEVEL);
	if (ZSTD_isError(len))
		return fail(err, FAULT_LOCAL, "packing a message: %s", ZSTD_getErrorName(len));
	*out = slice(packed, len);
	return true;
}

/* What is packed says itself how long it was: believed up to our own limit. */
static bool unpack(struct slice packed, struct arena *into, struct slice *out, struct error *err)
{
	unsigned long long size = packed.at ? ZSTD_getFrameContentSize(packed.at, packed.len) : ZSTD_CONTENTSIZE_ERROR;
	char              *bytes;
	size_t             len;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > MAIL_MOST)
		return fail(err, FAULT_LOCAL, "the store is damaged: a message is not packed as it should be");
	bytes = arena_get(into, (size_t)size + 1);
	len = ZSTD_decompress(bytes, (size_t)size, packed.at, packed.len);
	if (ZSTD_isError(len) || len != size)
		return fail(err, FAULT_LOCAL, "the store is damaged: a message cannot be unpacked");
	*out = slice(bytes, len);
	return true;
}

bool mail_insert(struct txn *t, const struct logged_mail *given, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct logged_mail mail = *given;

	return pack(given->bytes, work, &mail.bytes, err)
	    && insert_row(t, err, &mails, &mail, "INSERT INTO mails (" MAIL ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
}

bool mail_get(struct txn *t, struct arena *into, const char *workspace, const char *id, struct logged_mail *out, struct error *err)
{
	struct ask a = { 0 };

	ask_add(&a, "SELECT " MAIL " FROM mails");
	ask_value(&a, "id =", a_text(id));
	ask_text(&a, "workspace =", workspace);
	return read_one(t, into, &mails, out, err, a.sql, a.value, a.count) && unpack(out->bytes, into, &out->bytes, err);
}

bool mail_list(struct txn *t, struct arena *into, const char *workspace, const char *account, const char *after, size_t most,
               struct logged_mail **out, size_t *count, const char **next, struct error *err)
{
	struct ask  a = { 0 };
	const char *id;
	int64_t     received;
	size_t      found;

	most = most < LIST_MOST ? most : LIST_MOST;
	ask_add(&a, "SELECT " MAIL_HEAD " FROM mails");
	ask_text(&a, "workspace =", workspace);
	ask_text(&a, "account =", account);
	if (after) {
		if (!cursor_read(after, &received, &id, err))
			return false;
		ask_pair(&a, "(received, id) <", a_number(received), a_text(id));
	}
	/* one more than wanted tells whether there is a next page */
	ask_end(&a, "ORDER BY received DESC, id DESC LIMIT", a_number((int64_t)most + 1));
	if (!(*out = read_all(t, into, &mail_heads, &found, err, a.sql, a.value, a.count)))
		return false;
	*count = found > most ? most : found;
	*next = found > most && most ? cursor_text(into, (*out)[most - 1].received, (*out)[most - 1].id) : NULL;
	return true;
}

bool mail_by_test(struct txn *t, struct arena *into, const char *workspace, const char *test_token, struct logged_mail *out,
                  struct error *err)
{
	return read_one(t, into, &mails, out, err, "SELECT " MAIL " FROM mails WHERE workspace = $1 AND test_token = $2"
	                " ORDER BY received DESC, id DESC LIMIT 1", WITH(a_text(workspace), a_text(test_token)))
	    && unpack(out->bytes, into, &out->bytes, err);
}
