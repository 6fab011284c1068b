/* links.h -- links that let somebody in without a key: single-use, expiring; and the incidents; and the mail logged. */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include "store/store.h"

struct link {
	const char *id;                      /* "lnk_…"                                                   */
	const char *hash;                    /* hex SHA-256 of the token in the URL, which is kept nowhere */
	const char *workspace;
	const char *kind;                    /* "connect" "settings" "admin" "operator"                   */
	const char *expected;                /* the address it is for, NULL any                           */
	const char *account;                 /* that it reconnects or is about; for "connect" set once used; NULL */
	const char *lang, *return_url;       /* NULL                                                      */
	const char *provider;                /* that the page begins with; NULL: what is found            */
	const char *rights;                  /* that are asked for at Microsoft, of model/terms.h; NULL: the usual ones */
	const char *session;                 /* hash of the browser's cookie that opened it; NULL: nobody yet */
	int64_t     created, expires, used;  /* used: a connection was made with it                       */
	int64_t     revoked;                 /* 0: not                                                    */
};

bool link_insert(struct txn *, const struct link *, struct error *err);
/* Who comes with it: expired and used ones too, but nobody comes with a revoked one any more (FAULT_ABSENT), here and below. */
bool link_by_hash(struct txn *, struct arena *into, const char *hash, struct link *out, struct error *err);
/* The same by its id, for what was handed out in its name. */
bool link_by_id(struct txn *, struct arena *into, const char *id, struct link *out, struct error *err);
/* Binds it to the first browser: FAULT_REFUSED when another one has it. */
bool link_open(struct txn *, const char *id, const char *session_hash, struct error *err);
/* Single use: FAULT_REFUSED when it was used for another account. The same account may be tried again with it. */
bool link_use(struct txn *, const char *id, const char *account, int64_t now, struct error *err);
/* Those that ended by `before`, by a clock that has been set back to `now` since: they stay ended. */
bool link_expire(struct txn *, int64_t before, int64_t now, struct error *err);
bool link_forget(struct txn *, int64_t expired_before, struct error *err);

/* What has become of a link. One that was used, or taken back, is no less so when its time is over. */
enum link_state { LINK_STATE_OPEN, LINK_STATE_USED, LINK_STATE_EXPIRED, LINK_STATE_REVOKED, LINK_STATES };

const char     *link_state_name(enum link_state);      /* "open" "used" "expired" "revoked" */
enum link_state link_state(const struct link *, int64_t now);

struct link_query {
	const char     *workspace;
	bool            for_operator;        /* with those that lead to the operator's page */
	enum link_state state;               /* LINK_STATES any                             */
	int64_t         now;
	const char     *after;               /* NULL: from the newest                       */
	size_t          most;
};

/* Revoked ones too, newest first. FAULT_MALFORMED: the cursor. */
bool link_list(struct txn *, struct arena *into, const struct link_query *, struct link **out, size_t *count, const char **next,
               struct error *err);
/* The moment of the first time is kept. FAULT_ABSENT: of another workspace, or the operator's and `for_operator` is not said. */
bool link_revoke(struct txn *, const char *workspace, bool for_operator, const char *id, int64_t now, struct error *err);

struct incident {
	const char *id, *host, *cause, *who;
	int64_t     opened, closed;          /* closed 0: open */
	int64_t     accounts;                /* how many are or were part of it */
};

/* The open one for that host and cause: there is one at most. FAULT_ABSENT. */
bool incident_find(struct txn *, struct arena *into, const char *host, const char *cause, struct incident *out, struct error *err);
bool incident_get(struct txn *, struct arena *into, const char *id, struct incident *out, struct error *err);
bool incident_insert(struct txn *, const struct incident *, struct error *err);
bool incident_update(struct txn *, const struct incident *, struct error *err);          /* closed, accounts */
bool incident_list(struct txn *, struct arena *into, bool open_only, size_t most, struct incident **out, size_t *count, struct error *err);
/* Has that workspace (NULL: any) accounts in it? At the same cost with ten and with ten thousand. */
bool incident_concerns(struct txn *, const char *incident, const char *workspace, bool *out, struct error *err);

/* A message that came in at the BCC address. Bodies are kept compressed (zstd) and bounded by the listener. */
struct logged_mail {
	const char  *id, *workspace;
	const char  *account;                /* the one it says it was sent from; NULL: none of the workspace, or two of them */
	const char  *envelope_from, *envelope_to, *from, *subject, *message_id, *test_token;      /* NULL where absent */
	int64_t      received, size;
	struct slice bytes;                  /* whole message; empty when listed */
};

bool mail_insert(struct txn *, const struct logged_mail *, struct error *err);           /* FAULT_REFUSED: that id is there */
bool mail_get(struct txn *, struct arena *into, const char *workspace, const char *id, struct logged_mail *out, struct error *err);
/* `account` NULL: of all. */
bool mail_list(struct txn *, struct arena *into, const char *workspace, const char *account, const char *after, size_t most,
               struct logged_mail **out, size_t *count, const char **next, struct error *err);                  /* newest first, no bytes */
bool mail_by_test(struct txn *, struct arena *into, const char *workspace, const char *test_token, struct logged_mail *out,
                  struct error *err);

#endif
