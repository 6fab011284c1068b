/* oauth.h -- where a person is sent to sign in and what comes back, what a token endpoint is asked and what it answers (RFC 6749 4.1,
 * 4.4, 5, 6; RFC 7636; RFC 8628), with what Microsoft (facts M A.2-A.8) and Google (G A.3) add. Bytes in, bytes out.
 *
 * Secrets: the request is written into a buffer that its owner wipes; of an answer everything read lies in the arena given, and the
 * reader's own copies are wiped before they are given back.
 */
#ifndef WIRE_OAUTH_H
#define WIRE_OAUTH_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define OAUTH_ANSWER  ((size_t)64 * 1024)      /* longest                         */
#define OAUTH_NUMBERS 6

struct oauth_client {
	const char *id, *secret;               /* secret NULL: a public client, or one with an assertion */
	const char *assertion;                 /* of assertion.h, in the secret's place; NULL: none      */
};

struct oauth_answer {
	/* granted: access_token is not NULL */
	const char *access_token, *refresh_token, *id_token, *token_type;
	const char *scope;                     /* as it was granted, blanks between; NULL: not told            */
	long long   expires_in;                /* seconds; 0: not told                                         */
	/* refused: error is not NULL */
	const char *error, *description, *suberror, *claims, *correlation_id, *timestamp;
	const char *number[OAUTH_NUMBERS];     /* digits of AADSTS…: error_codes, else out of the description  */
	size_t      numbers;
};

/* May that be said in a header? RFC 6750 §2.1 has fewer characters still; a blank or a line end would end the line. NULL and "": no. */
bool oauth_is_sayable(const char *token);

/* FAULT_TOO_BIG, FAULT_BROKEN: no JSON, neither a token nor an error in it, a token that could not be said in a header. */
bool oauth_answer_read(struct slice body, struct arena *, struct oauth_answer *, struct error *);

/* When an id_token says that it was issued, in Unix seconds; 0: it does not say. Its signature is not looked at: nothing may hang on it
 * but an explanation. */
int64_t oauth_issued_at(const char *id_token);

/* application/x-www-form-urlencoded, appended; false where the buffer's limit is reached. `scope` may be NULL. */
bool oauth_refresh(struct buffer *, const struct oauth_client *, const char *refresh_token, const char *scope);
bool oauth_redeem(struct buffer *, const struct oauth_client *, const char *code, const char *redirect_uri, const char *verifier);
/* What a service account signed (RFC 7523 2.1). */
bool oauth_assert(struct buffer *, const char *assertion);
/* For the client itself, on its own behalf (RFC 6749 4.4). */
bool oauth_as_itself(struct buffer *, const struct oauth_client *, const char *scope);

/* -- on a screen of one's own (RFC 8628) -------------------------------------------------------------------------- */

#define OAUTH_DEVICE_LIFE  3600                /* longest that a code is waited for, in seconds; shorter ones count */
#define OAUTH_DEVICE_PAUSE 60                  /* longest between two questions                                     */

/* What a person is shown, and what is asked with meanwhile. */
struct oauth_device {
	const char *device_code;               /* a secret */
	const char *user_code, *page;          /* fit to be shown: no blanks, no controls, ASCII; the page begins with https:// */
	int         expires_in, interval;      /* seconds, within the limits above; where they are not told 900 and 5 */
};

/* Of a 200. A refusal is read by oauth_answer_read(). FAULT_TOO_BIG, FAULT_BROKEN. */
bool oauth_device_read(struct slice body, struct arena *, struct oauth_device *, struct error *);

/* A code for a person is asked for, without the client's secret: that is not for it (RFC 8628 3.1). */
bool oauth_device(struct buffer *, const struct oauth_client *, const char *scope);
bool oauth_device_redeem(struct buffer *, const struct oauth_client *, const char *device_code);

/* -- the person's part -------------------------------------------------------------------------------------------- */

#define OAUTH_CHALLENGE 44                     /* with its NUL */
#define OAUTH_CALLBACK  ((size_t)16 * 1024)    /* longest query */

struct oauth_authorize {
	const char *url;                       /* of the endpoint, without a query */
	const char *client_id, *redirect_uri, *scope, *state, *challenge;
	const char *login_hint;                /* whose account it shall be; NULL: the person picks one */
	const char *nonce;                     /* to come back in the id_token; NULL: none             */
	bool        silent;                    /* prompt=none: not a page is shown, it is answered at once */
	/* Google's */
	bool        offline;                   /* access_type: a refresh token is wanted                   */
	bool        incremental;               /* what was granted before counts as well                   */
	const char *prompt;                    /* what is to be shown in any case; NULL: the picker, where nobody is hinted at */
};

/* The URL that the browser is sent to, appended; false where the buffer's limit is reached. Code, PKCE by S256, the answer in the query. */
bool oauth_authorize(struct buffer *, const struct oauth_authorize *);

/* Where an administrator says yes for the whole organisation (facts M A.7): `url` has its tenant in it, which may not be "common". */
struct oauth_admin_consent {
	const char *url, *client_id, *redirect_uri, *scope;
	const char *state;                     /* NULL: nobody waits for what comes back */
};

bool oauth_admin_consent(struct buffer *, const struct oauth_admin_consent *);
/* S256 (RFC 7636 4.2) of a verifier. */
void oauth_challenge(const char *verifier, char out[OAUTH_CHALLENGE]);

/* What a browser brought back. Whoever wrote it, it is a stranger's word: what counts is that `state` is one of ours. */
struct oauth_callback {
	const char *state;                     /* NULL: none came */
	const char *code;                      /* NULL beside an error */
	const char *error, *description, *suberror, *correlation_id, *timestamp;
	const char *number[OAUTH_NUMBERS];     /* as in oauth_answer: of the description, else of error_uri */
	size_t      numbers;
	bool        admin_consent;             /* it says so, beside an error as well (facts M A.7) */
};

/* FAULT_TOO_BIG; FAULT_BROKEN: no form encoding, a parameter that comes twice, a code beside an error, nothing of the three. */
bool oauth_callback_read(struct slice query, struct arena *, struct oauth_callback *, struct error *);

/* Is that scope among those granted? Case does not matter, nor the resource before it ("https://graph.microsoft.com/Mail.Send"). */
bool oauth_scope_has(const char *granted, const char *scope);

#endif
