/* google.h -- Google as the sandbox plays it: the sign-in, the token endpoint, Gmail and Calendar, under their own names (facts G A-C).
 *
 * One project with one web client and one service account in it. All of it is under the sandbox's lock.
 */
#ifndef SANDBOX_GOOGLE_H
#define SANDBOX_GOOGLE_H

#include <openssl/evp.h>

#include "base/json.h"
#include "sandbox/cloud.h"
#include "sandbox/form.h"
#include "sandbox/parts.h"

#define GOOGLE_CLIENT  "481516234200-sandbox0kettle0heron0birch0sandbox0.apps.googleusercontent.com"
#define GOOGLE_SECRET  "GOCSPX-sandbox-not_so_secret"
#define GOOGLE_PROJECT "mailmoor-sandbox"
#define GOOGLE_NUMBER  "481516234200"
#define GOOGLE_TOPIC   "projects/" GOOGLE_PROJECT "/topics/gmail"
#define GOOGLE_PUSHER  "push@" GOOGLE_PROJECT ".iam.gserviceaccount.com"
#define GOOGLE_SERVICE "reader@" GOOGLE_PROJECT ".iam.gserviceaccount.com"

#define GACCOUNTS_HOST "accounts.google.com"
#define GTOKEN_HOST    "oauth2.googleapis.com"
#define GMAIL_HOST     "gmail.googleapis.com"
#define GAPIS_HOST     "www.googleapis.com"
#define GUSERINFO_HOST "openidconnect.googleapis.com"

#define GSCOPE(name)  "https://www.googleapis.com/auth/" name
#define GSCOPE_MAIL   "https://mail.google.com/"

/* -- what was given out (google_tokens.c) --------------------------------------------------------------------------- */

enum gtoken_kind { GTOKEN_CODE, GTOKEN_REFRESH, GTOKEN_ACCESS };

struct gtoken {
	enum gtoken_kind kind;
	struct arena    *own;
	const char      *text;
	struct account  *account;            /* NULL: the service account's own */
	const char      *scope;              /* blanks between, as an answer says it */
	const char      *redirect_uri, *challenge, *nonce;      /* of a code; NULL: none */
	bool             plain, offline, first;      /* the challenge is the verifier; a refresh token is wanted; and due */
	bool             spent, revoked;
	int64_t          expires;            /* Unix seconds; 0: it does not */
	struct gtoken   *older;
};

#define GOOGLE_TOKENS  20000             /* then the oldest goes */
#define GOOGLE_FIRST_HISTORY 1000
#define GOOGLE_HISTORY 20000             /* changes that are remembered, of all mailboxes together */

enum gchange { GCHANGE_ADDED, GCHANGE_DELETED, GCHANGE_LABELLED, GCHANGE_UNLABELLED };

/* Of one message, as history tells it. */
struct grecord {
	uint64_t     id;
	enum gchange what;
	unsigned     mailbox, message, thread;
	unsigned     labels, folder;         /* that it has, or that came or went: bits, and the number of a folder of the user's own */
};

/* An event that is there no more. */
struct ggone {
	unsigned      mailbox, folder;
	uint64_t      change;                /* the mailbox's, when it went */
	char         *id;
	struct ggone *older;
};

struct google {
	const char    *domain;               /* whose accounts are Google's; NULL: all          */
	EVP_PKEY      *key, *service_key;    /* Google's; the service account's */
	const char    *key_id;
	struct gtoken *newest;
	size_t         tokens;
	char          *granted[SANDBOX_ACCOUNTS + 2];      /* scopes that were agreed to; NULL: nothing yet */
	struct grecord *history;             /* a ring */
	size_t         history_first, history_count;
	uint64_t       history_id, history_gone;      /* of the last; of the newest that is forgotten */
	struct ggone  *gone;                 /* the newest first */
	int64_t        watched[SANDBOX_ACCOUNTS + 2];      /* until when Gmail tells of them; 0: it does not */
	const char    *push_to;              /* by a subscription, there; NULL: nobody has one  */
	struct letters *letters;             /* NULL until the first goes out                   */
	bool           telling;              /* what happens now is in it already */
};

/* `text` NULL: made up. The token is Google's. */
struct gtoken *gtoken_new(struct google *, enum gtoken_kind, struct account *, const char *scope, int64_t expires);
struct gtoken *gtoken_find(struct google *, enum gtoken_kind, const char *text);      /* NULL: none */
/* All that this account ever agreed to. */
void           google_forget(struct sandbox *, struct account *);
/* The answer of the token endpoint, a new object. `agreed_at`: when the person agreed, Unix seconds; `refresh`: with such a token. */
cJSON         *google_grant(struct sandbox *, struct arena *, struct account *, const char *scope, const char *nonce, bool refresh,
                            int64_t agreed_at);
const char    *google_sub(struct arena *, const struct account *);      /* the account's number */
/* Its Workspace; NULL: none, it is a private one. */
const char    *google_domain(const struct account *);
/* The file that Google's console gives out for a service account: a new object. */
cJSON         *google_service_file(struct sandbox *, struct arena *);
/* Who is meant by a signed assertion; NULL: nobody, and `*refusal` is why (a word for google_refuse_token()). `*scope` is in the arena. */
struct account *google_asserted(struct sandbox *, struct arena *, const char *assertion, const char **scope, const char **refusal);

/* -- scopes (google_scopes.c) ---------------------------------------------------------------------------------------- */

/* By its whole name, or what stands behind the last "/" of it: "gmail.send". */
bool        gscope_has(const char *scopes, const char *scope);
/* As answers say them: the short names of sign-in become long, doubles go. NULL: one that is unknown is in it. */
const char *gscope_read(struct arena *, const char *asked);
/* Both, without doubles. */
const char *gscope_joined(struct arena *, const char *a, const char *b);
bool        gscope_within(const char *scopes, const char *granted);
/* Those of signing in, which have no box. */
bool        gscope_is_sign_in(struct slice scope);
/* Without those whose last word is in the list (commas between). */
const char *gscope_without(struct arena *, const char *scopes, const char *list);
/* Runs through them, one after another; NULL past the last. */
const char *gscope_next(struct arena *, struct slice *rest);

/* -- Google's own pages (google_pages.c) ----------------------------------------------------------------------------- */

void gscreen_begin(struct reply *, int status, const char *title);
void gscreen_end(struct reply *);

/* Sends the browser to the page that says so. `text` NULL: the code's own. */
void google_own_page(struct request *, struct reply *, const char *code, const char *text);
/* What was ordered to end there; `signed_in`: of those that only an account decides. NULL: nothing. */
const char *google_ordered_page(struct sandbox *, bool signed_in);
void answer_google_error_page(struct sandbox *, struct request *, struct reply *);

/* -- the token endpoint (google_token.c) ----------------------------------------------------------------------------- */

/* `word`: of its table. */
void google_refuse_token(struct request *, struct reply *, const char *word);

/* -- Google by host --------------------------------------------------------------------------------------------------- */

/* NULL: OpenSSL would not. */
struct google *google_new(struct sandbox *, const struct sandbox_wishes *, struct error *);
void           google_free(struct google *);                      /* NULL is fine */
void           google_names(struct sandbox *);
bool           google_certificate(struct sandbox *, enum flaw, struct error *);
const char    *google_host(size_t n);                             /* NULL past the last */
bool           google_tell(struct sandbox *, struct error *);     /* the places; files go to the sandbox's folder */
bool           google_answers(struct sandbox *, struct request *, struct reply *);
/* Is it one of Google's? */
bool           google_has(const struct sandbox *, const struct account *);
/* By address, alias or number; NULL: no such one of Google's. */
struct account *google_account(struct sandbox *, const char *mail);
/* Another one, where there is another. */
struct account *google_somebody_else(struct sandbox *, struct account *);

/* Google's sign-in; each locked, and each writes the reply. */
void answer_google_authorize(struct sandbox *, struct request *, struct reply *);
void answer_google_identifier(struct sandbox *, struct request *, struct reply *);
void answer_google_consent(struct sandbox *, struct request *, struct reply *);
void answer_google_logout(struct sandbox *, struct request *, struct reply *);
void answer_google_token(struct sandbox *, struct request *, struct reply *);
void answer_google_revoke(struct sandbox *, struct request *, struct reply *);
void answer_google_token_info(struct sandbox *, struct request *, struct reply *);
/* Gmail, Calendar, user information (gapi.c). */
void answer_google_api(struct sandbox *, struct request *, struct reply *);

#endif
