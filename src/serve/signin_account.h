/* signin_account.h -- the account of somebody who was sent to sign in at a provider's page, as what came of it leaves it; and when their
 * browser may go there once more by itself. Pure functions.
 */
#ifndef SERVE_SIGNIN_ACCOUNT_H
#define SERVE_SIGNIN_ACCOUNT_H

#include "connect/vault.h"
#include "serve/state.h"
#include "store/signins.h"
#include "wire/oauth.h"

/* What is kept, sealed, of somebody who is away at a provider's page. */
struct signin_away {
	const char *verifier, *nonce;
	const char *path;              /* of the connect page: "/connect/TOKEN"                          */
	const char *delegate;          /* who is to sign in for the address, a shared mailbox; NULL: whose it is */
	const char *provider;          /* at whose page: its callback alone takes them back                      */
};

bool signin_away_seal(const struct vault *, const char *id, const struct signin_away *, struct arena *into, struct slice *sealed,
                      struct error *);
/* FAULT_BROKEN: it was sealed by somebody else, or is not what we seal. Texts from `into`. */
bool signin_away_open(const struct vault *, const struct signin_row *, struct arena *into, struct signin_away *, struct error *);

/* It works, or is tried without anybody: what a sign-in that failed says does not end that. */
bool signin_goes_on(const struct account *);
/* What is asked for: as the link has it, else as it was connected so far, else the usual. The same out and back. NULL: none. */
enum rights signin_rights(const char *provider, enum rights usual, const char *of_link, const struct account *has);
/* As it shall be: `has`, by this way in and with these rights from now on, or a new one where that is NULL. `address` is one. Texts as
 * given, or from `into`. */
struct account signin_account(const struct account *has, const char *provider, const char *workspace, const char *address, const char *lang,
                              enum rights, int64_t now, struct arena *into);
/* There is nothing that could be tried again without the person. `report`: as it is kept. */
void signin_judge(struct account *, const struct verdict *, const char *report, int64_t now);
/* The state of an account that is to be verified now: whatever the verdict was, it was about what has just been replaced. */
void account_begin_again(struct account *, int64_t now);

/* -- nobody has to touch anything (prompt=none) ----------------------------------------------------------------------- */

#define SILENT_MOST     3
#define SILENT_AGAIN_MS 10000      /* where Microsoft may not know of the consent yet */

/* An administrator has done, or says that they have done, what was missing: the person's own browser finds out whether it works.
 * Each time counts in account.failures, and begins at account.state_since, whatever comes of it; next_try stays NEVER: that is for
 * tries of our own. */
bool signin_may_be_silent(const struct account *);
/* It was, and what came of it is still to be written down: nobody has changed it since. */
bool signin_was_silent(const struct account *);
/* When the next one may be, Unix ms; 0: at once. */
int64_t signin_silent_from(const struct account *);

enum silent_end {
	SILENT_JUDGED,           /* it says what is the matter, as any sign-in does  */
	SILENT_TOO_EARLY,        /* the consent may not have arrived everywhere yet  */
	SILENT_NEEDS_PERSON,     /* nobody is signed in in that browser, or a page has to be shown */
};

enum silent_end signin_silent_end(const struct oauth_callback *);

#endif
