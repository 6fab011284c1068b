/* cloud.h -- Microsoft's cloud as the sandbox plays it: Entra, which signs in, and Graph, where the mailboxes are, under their own names.
 *
 * One directory with one application registered in it. All of it is under the sandbox's lock.
 */
#ifndef SANDBOX_CLOUD_H
#define SANDBOX_CLOUD_H

#include <openssl/evp.h>

#include "base/json.h"
#include "sandbox/form.h"
#include "sandbox/parts.h"

#define CLOUD_TENANT   "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define CLOUD_PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"      /* the directory of all personal accounts */
#define CLOUD_CLIENT   "5f3b2c1a-8d7e-4a6b-9c0d-1e2f3a4b5c6d"
#define CLOUD_SECRET   "Sb8Q~sandbox.secret+not/so=secret"

#define ENTRA_HOST    "login.microsoftonline.com"
#define GRAPH_HOST    "graph.microsoft.com"
#define OUTLOOK_HOST  "outlook.office365.com"
#define DEVICE_HOST   "microsoft.com"

/* -- what Entra gave out (entra_tokens.c) ------------------------------------------------------------------------- */

enum token_kind { TOKEN_CODE, TOKEN_REFRESH, TOKEN_ACCESS, TOKEN_DEVICE };

struct token {
	enum token_kind kind;
	struct arena   *own;
	const char     *text;
	struct account *account;         /* NULL: the application's own; of a device's: nobody came yet */
	const char     *scope;           /* blanks between                                              */
	const char     *redirect_uri, *challenge, *nonce, *user_code, *tenant;
	bool            plain;           /* the challenge is the verifier itself                        */
	bool            confidential;    /* it was given to a client with a secret, which must show it  */
	bool            spent, declined;
	int64_t         expires;         /* Unix seconds                                                */
	struct token   *next, *older, *newer;
};

#define CLOUD_BUCKETS 4096
#define CLOUD_TOKENS  100000         /* then the oldest goes */

struct cloud {
	EVP_PKEY     *key, *other_key;   /* `other_key`: for what shall be signed wrongly               */
	const char   *key_id;
	const char   *domain;            /* whose directory it is                                       */
	bool          hybrid;            /* the mailboxes are at the organisation's own Exchange        */
	bool          apart;             /* somebody else's is played besides                           */
	bool          approved;          /* an administrator said yes for everybody                     */
	bool          approved_for[SANDBOX_ACCOUNTS + 2];      /*   or for everybody of that one's domain */
	bool          consented[SANDBOX_ACCOUNTS + 2];
	struct token *bucket[CLOUD_BUCKETS], *oldest, *newest;
	size_t        tokens;
	unsigned      busy[SANDBOX_ACCOUNTS + 2];      /* requests to Graph under way, for each account   */
	struct notices *notices;         /* subscriptions of Graph                                      */
};

/* `text` NULL: made up. The token is the cloud's. */
struct token *token_new(struct cloud *, enum token_kind, const char *text, struct account *, const char *scope, int64_t expires);
struct token *token_find(struct cloud *, enum token_kind, const char *text);      /* NULL: none, or too old to be kept */
struct token *token_of_user_code(struct cloud *, const char *user_code);
void          tokens_free(struct cloud *);

/* What a token endpoint answers for this account: a new object. `nonce` NULL: none. */
cJSON *grant_new(struct sandbox *, struct arena *, struct account *, const char *scope, const char *nonce, bool confidential);

/* -- signing (entra_jwt.c) ---------------------------------------------------------------------------------------- */

/* `other`: that key too. */
bool        cloud_keys(struct cloud *, struct arena *, bool other, struct error *);
const char *jwt_of(struct arena *, EVP_PKEY *key, const char *alg, const char *key_id, const cJSON *claims);      /* key NULL: unsigned */
/* One public key, as such documents list it. */
cJSON      *jwk_of(struct arena *, EVP_PKEY *, const char *key_id);
cJSON      *jwks_of(const struct cloud *, struct arena *);
const char *base64url_of(struct arena *, struct slice);
const char *sha256_base64url(struct arena *, const char *text);

/* -- who is who (cloud.c) ----------------------------------------------------------------------------------------- */

struct cloud *cloud_new(struct sandbox *, const struct sandbox_wishes *, struct error *);      /* NULL: OpenSSL would not */
void          cloud_free(struct cloud *);
void          cloud_names(struct sandbox *);
/* Is it the organisation's, or below that? */
bool          cloud_has_domain(const struct sandbox *, const char *domain);
bool          cloud_certificate(struct sandbox *, enum flaw, struct error *);
/* Who it is, among the places; the token files are written into the sandbox's folder. */
bool          cloud_tell(struct sandbox *, struct error *);
/* The hosts that it answers for, NULL past the last. */
const char   *cloud_host(size_t n);
/* False: that host is none of its own. */
bool          cloud_answers(struct sandbox *, struct request *, struct reply *);

int64_t         now_s(void);
bool            is_ordered(struct sandbox *, enum order);
const char     *ordered_value(struct sandbox *, enum order);                 /* NULL: not ordered, or without one */
const char     *guid_of(struct arena *, const char *seed);                   /* the same for the same             */
const char     *account_oid(struct sandbox *, struct arena *, const struct account *);
const char     *account_tid(struct sandbox *, const struct account *);
const char     *account_upn(struct sandbox *, struct arena *, const struct account *);
size_t          account_number(const struct sandbox *, const struct account *);
/* An administrator said yes, of that account's organisation: `tenant` as the administrator's link had it. */
void            cloud_approve(struct sandbox *, const char *tenant);
bool            cloud_approved(const struct sandbox *, const struct account *);

/* An answer's body from an object, which is freed. */
void            reply_json(struct reply *, int status, cJSON *);

/* -- by host; each writes the reply ------------------------------------------------------------------------------- */

void answer_entra(struct sandbox *, struct request *, struct reply *);
void answer_device_page(struct sandbox *, struct request *, struct reply *);
void answer_graph(struct sandbox *, struct request *, struct reply *);

#endif
