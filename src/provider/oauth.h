/* oauth.h -- what a provider with a sign-in page granted, how a person gets there and comes back, and where a grant is kept.
 *
 * Plain data that Microsoft's and Google's conversations share; wire/oauth.h has the bytes. Texts are their owner's. All but the
 * departure are secrets.
 */
#ifndef PROVIDER_OAUTH_H
#define PROVIDER_OAUTH_H

#include "base/arena.h"
#include "base/want.h"
#include "model/terms.h"

struct oauth_grant {
	const char *access_token, *refresh_token;   /* NULL: none */
	const char *scope;                          /* NULL: not told */
	int64_t     expires_at;                     /* Unix seconds; 0: not known */
	int64_t     granted_at;                     /* when the person agreed; likewise. Microsoft's is not kept */
};

#define OAUTH_NEARLY_S 60                           /* a token that ends so soon is as good as ended */

/* It cannot be used within `ahead_s` (no less than OAUTH_NEARLY_S) from now: it is missing, or known to end by then. */
static inline bool oauth_ends_within(const struct oauth_grant *g, int ahead_s, int64_t now_unix)
{
	return !g->access_token
	    || (g->expires_at && g->expires_at - (ahead_s > OAUTH_NEARLY_S ? ahead_s : OAUTH_NEARLY_S) <= now_unix);
}

/* What the sign-in page sent back with a person, and what it was asked with. */
struct oauth_code {
	const char *code, *verifier, *redirect_uri;
	const char *nonce;                          /* NULL: none was sent along */
};

/* With what a person is sent there. */
struct oauth_departure {
	const char *state, *nonce;                  /* nonce NULL: none */
	const char *login_hint;                     /* whose account it shall be; NULL: the person picks one */
	bool        shared;                         /* somebody else's mailbox is opened, by the rights of who signs in */
	bool        silent;                         /* not a page is shown: for who has just signed in there, or been approved */
	enum rights rights;                         /* what is asked for                                    */
};

/* Where a grant is kept, and who says when a fresh one may be asked for. All are called in the conversation's thread, with `self`. */
struct oauth_safe {
	void           *self;
	int             ahead_s;                    /* so long before its end a grant is renewed by who watches */
	int           (*turn)(void *self);          /* ms to wait before it is asked for, the line standing; 0: none     */
	/* The grant that was just given, to be kept; its texts live until that is answered. The errand is the safe's. */
	struct errand *(*keep)(void *self, const struct oauth_grant *fresh);
	/* What is in the safe now: that one or somebody else's newer one, from `into`. False: it could not be kept. */
	bool          (*kept)(void *self, struct arena *into, struct oauth_grant *now);
};

#endif
