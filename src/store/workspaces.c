#include "store/workspaces.h"

#include "store/rows.h"

/* -- workspaces --------------------------------------------------------------------------------------------------- */

#define WORKSPACE "id, name, bcc_token, created"

static const struct field workspace_fields[] = {
	TEXT(workspace, id), TEXT(workspace, name), TEXT(workspace, bcc_token), NUMBER(workspace, created),
};
static const struct shape workspaces = SHAPE("workspace", workspace, workspace_fields);

bool workspace_insert(struct txn *t, const struct workspace *w, struct error *err)
{
	return insert_row(t, err, &workspaces, w, "INSERT INTO workspaces (" WORKSPACE ") VALUES ($1, $2, $3, $4)");
}

bool workspace_get(struct txn *t, struct arena *into, const char *id, struct workspace *out, struct error *err)
{
	return read_one(t, into, &workspaces, out, err, "SELECT " WORKSPACE " FROM workspaces WHERE id = $1", WITH(a_text(id)));
}

bool workspace_by_bcc(struct txn *t, struct arena *into, const char *bcc_token, struct workspace *out, struct error *err)
{
	return read_one(t, into, &workspaces, out, err, "SELECT " WORKSPACE " FROM workspaces WHERE bcc_token = $1", WITH(a_text(bcc_token)));
}

bool workspace_list(struct txn *t, struct arena *into, struct workspace **out, size_t *count, struct error *err)
{
	return (*out = read_all(t, into, &workspaces, count, err, "SELECT " WORKSPACE " FROM workspaces ORDER BY created, id", WITHOUT)) != NULL;
}

/* -- keys --------------------------------------------------------------------------------------------------------- */

#define KEY "id, workspace, name, hash, scopes, created, last_used, revoked"

static const struct field key_fields[] = {
	TEXT(api_key, id),       TEXT(api_key, workspace), TEXT(api_key, name),        TEXT(api_key, hash),
	NUMBER(api_key, scopes), NUMBER(api_key, created), NUMBER(api_key, last_used), NUMBER(api_key, revoked),
};
static const struct shape keys = SHAPE("key", api_key, key_fields);

bool key_insert(struct txn *t, const struct api_key *k, struct error *err)
{
	return insert_row(t, err, &keys, k, "INSERT INTO api_keys (" KEY ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
}

bool key_by_hash(struct txn *t, struct arena *into, const char *hash, struct api_key *out, struct error *err)
{
	return read_one(t, into, &keys, out, err, "SELECT " KEY " FROM api_keys WHERE hash = $1", WITH(a_text(hash)));
}

bool key_list(struct txn *t, struct arena *into, const char *workspace, struct api_key **out, size_t *count, struct error *err)
{
	struct ask a = { 0 };

	ask_add(&a, "SELECT " KEY " FROM api_keys");
	ask_text(&a, "workspace =", workspace);
	ask_add(&a, " ORDER BY created, id");
	return (*out = read_all(t, into, &keys, count, err, a.sql, a.value, a.count)) != NULL;
}

bool key_revoke(struct txn *t, const char *workspace, const char *id, int64_t now, struct error *err)
{
	/* the moment of the first time is kept */
	return run_one(t, err, "key", "UPDATE api_keys SET revoked = CASE WHEN revoked = 0 THEN $3 ELSE revoked END WHERE id = $1 AND workspace = $2",
	               WITH(a_text(id), a_text(workspace), a_number(now)));
}

bool key_used(struct txn *t, const char *id, int64_t now, struct error *err)
{
	return run_one(t, err, "key", "UPDATE api_keys SET last_used = $2 WHERE id = $1", WITH(a_text(id), a_number(now)));
}

/* -- settings by mail domain -------------------------------------------------------------------------------------- */

#define DOMAIN "workspace, domain, json, changed"

static const struct field domain_fields[] = {
	TEXT(domain_settings, workspace), TEXT(domain_settings, domain), TEXT(domain_settings, json), NUMBER(domain_settings, changed),
};
static const struct shape domains = SHAPE("domain", domain_settings, domain_fields);

bool domain_put(struct txn *t, const struct domain_settings *d, struct error *err)
{
	return insert_row(t, err, &domains, d, "INSERT INTO domains (" DOMAIN ") VALUES ($1, $2, $3, $4)"
	                  " ON CONFLICT (workspace, domain) DO UPDATE SET json = excluded.json, changed = excluded.changed");
}

bool domain_get(struct txn *t, struct arena *into, const char *workspace, const char *domain, struct domain_settings *out,
                struct error *err)
{
	return read_one(t, into, &domains, out, err, "SELECT " DOMAIN " FROM domains WHERE workspace = $1 AND domain = $2",
	                WITH(a_text(workspace), a_text(domain)));
}

bool domain_list(struct txn *t, struct arena *into, const char *workspace, struct domain_settings **out, size_t *count, struct error *err)
{
	return (*out = read_all(t, into, &domains, count, err, "SELECT " DOMAIN " FROM domains WHERE workspace = $1 ORDER BY domain",
	                WITH(a_text(workspace)))) != NULL;
}

bool domain_delete(struct txn *t, const char *workspace, const char *domain, struct error *err)
{
	return run_one(t, err, "domain", "DELETE FROM domains WHERE workspace = $1 AND domain = $2", WITH(a_text(workspace), a_text(domain)));
}

/* -- answers kept for Idempotency-Key ----------------------------------------------------------------------------- */

#define ANSWER "workspace, key, request_hash, status, body, created"

static const struct field answer_fields[] = {
	TEXT(kept_answer, workspace), TEXT(kept_answer, key),  TEXT(kept_answer, request_hash),
	NUMBER(kept_answer, status),  TEXT(kept_answer, body), NUMBER(kept_answer, created),
};
static const struct shape answers = SHAPE("answer", kept_answer, answer_fields);

bool answer_put(struct txn *t, const struct kept_answer *a, struct error *err)
{
	return insert_row(t, err, &answers, a, "INSERT INTO answers (" ANSWER ") VALUES ($1, $2, $3, $4, $5, $6)");
}

bool answer_get(struct txn *t, struct arena *into, const char *workspace, const char *key, struct kept_answer *out, struct error *err)
{
	return read_one(t, into, &answers, out, err, "SELECT " ANSWER " FROM answers WHERE workspace = $1 AND key = $2",
	                WITH(a_text(workspace), a_text(key)));
}

bool answer_forget(struct txn *t, int64_t before, struct error *err)
{
	return run(t, err, "DELETE FROM answers WHERE created < $1", WITH(a_number(before)));
}

/* -- "was this helpful?" ------------------------------------------------------------------------------------------ */

static const struct field feedback_fields[] = {
	TEXT(feedback, cause), TEXT(feedback, lang), NUMBER(feedback, helpful), NUMBER(feedback, not_helpful),
};
static const struct shape feedbacks = SHAPE("feedback", feedback, feedback_fields);

bool feedback_add(struct txn *t, const char *cause, const char *lang, bool helpful, struct error *err)
{
	return run(t, err, "INSERT INTO feedback (cause, lang, helpful, not_helpful) VALUES ($1, $2, $3, $4) ON CONFLICT (cause, lang) DO UPDATE"
	           " SET helpful = feedback.helpful + excluded.helpful, not_helpful = feedback.not_helpful + excluded.not_helpful",
	           WITH(a_text(cause), a_text(lang), a_number(helpful), a_number(!helpful)));
}

bool feedback_list(struct txn *t, struct arena *into, struct feedback **out, size_t *count, struct error *err)
{
	return (*out = read_all(t, into, &feedbacks, count, err,
	                "SELECT cause, lang, helpful, not_helpful FROM feedback ORDER BY cause, lang", WITHOUT)) != NULL;
}
