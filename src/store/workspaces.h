/* workspaces.h -- workspaces, their API keys, their settings by mail domain; answers kept for Idempotency-Key; help feedback. */
#ifndef STORE_WORKSPACES_H
#define STORE_WORKSPACES_H

#include "store/store.h"

struct workspace {
	const char *id, *name;
	const char *bcc_token;           /* local part of its BCC address, lower case letters and digits */
	int64_t     created;
};

bool workspace_insert(struct txn *, const struct workspace *, struct error *err);
bool workspace_get(struct txn *, struct arena *into, const char *id, struct workspace *out, struct error *err);
bool workspace_by_bcc(struct txn *, struct arena *into, const char *bcc_token, struct workspace *out, struct error *err);
bool workspace_list(struct txn *, struct arena *into, struct workspace **out, size_t *count, struct error *err);

/* What a key may do. "admin" includes all of its workspace; "operator" also what is of the whole system. */
enum key_scope {
	SCOPE_ACCOUNTS_READ  = 1 << 0,      /* "accounts:read"  */
	SCOPE_ACCOUNTS_WRITE = 1 << 1,      /* "accounts:write" */
	SCOPE_EVENTS_READ    = 1 << 2,      /* "events:read"    */
	SCOPE_WEBHOOKS_WRITE = 1 << 3,      /* "webhooks:write" */
	SCOPE_ADMIN          = 1 << 4,      /* "admin"          */
	SCOPE_OPERATOR       = 1 << 5,      /* "operator"       */
};

struct api_key {
	const char *id, *workspace, *name;
	const char *hash;                /* hex SHA-256 of the key itself, which is kept nowhere */
	unsigned    scopes;
	int64_t     created, last_used, revoked;
};

bool key_insert(struct txn *, const struct api_key *, struct error *err);
bool key_by_hash(struct txn *, struct arena *into, const char *hash, struct api_key *out, struct error *err);   /* also a revoked one */
bool key_list(struct txn *, struct arena *into, const char *workspace, struct api_key **out, size_t *count, struct error *err);
bool key_revoke(struct txn *, const char *workspace, const char *id, int64_t now, struct error *err);
bool key_used(struct txn *, const char *id, int64_t now, struct error *err);

/* Settings of a workspace for one mail domain: JSON {imap, smtp, ca_pem, pin …}, checked by who writes it. */
struct domain_settings { const char *workspace, *domain, *json; int64_t changed; };
bool domain_put(struct txn *, const struct domain_settings *, struct error *err);
bool domain_get(struct txn *, struct arena *into, const char *workspace, const char *domain, struct domain_settings *out,
                struct error *err);
bool domain_list(struct txn *, struct arena *into, const char *workspace, struct domain_settings **out, size_t *count, struct error *err);
bool domain_delete(struct txn *, const char *workspace, const char *domain, struct error *err);

/* The answer to a write that carried an Idempotency-Key: the same key with the same request gets the same answer for a day. */
struct kept_answer { const char *workspace, *key, *request_hash; int status; const char *body; int64_t created; };
bool answer_put(struct txn *, const struct kept_answer *, struct error *err);
bool answer_get(struct txn *, struct arena *into, const char *workspace, const char *key, struct kept_answer *out, struct error *err);
bool answer_forget(struct txn *, int64_t before, struct error *err);

bool feedback_add(struct txn *, const char *cause, const char *lang, bool helpful, struct error *err);
struct feedback { const char *cause, *lang; int64_t helpful, not_helpful; };
bool feedback_list(struct txn *, struct arena *into, struct feedback **out, size_t *count, struct error *err);

#endif
