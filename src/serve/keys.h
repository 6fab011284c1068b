/* keys.h -- new API keys and workspaces: for the API, for the first start, for the command line. */
#ifndef SERVE_KEYS_H
#define SERVE_KEYS_H

#include "store/workspaces.h"

/* A key to be inserted, and its own text ("mm_…"), which is shown once and kept nowhere. All from `into`. */
const char *key_make(struct arena *into, const char *workspace, const char *name, unsigned scopes, int64_t now, struct api_key *out);

/* A workspace to be inserted, with a BCC address of its own. */
void workspace_make(struct arena *into, const char *name, int64_t now, struct workspace *out);

/* Hex SHA-256 of a key or of a link's token, as the store has it. */
const char *token_hash(const char *token, struct arena *into);

/* "accounts:read" …; 0: there is none. */
unsigned    scope_find(const char *name);
const char *scope_name(unsigned one);

#endif
