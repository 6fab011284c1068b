/* google_consent.h -- what people are asked for at Google's sign-in page, by the rights that are wanted; where they are sent for it, and
 * what of it they left out there (facts G A.2, A.4). Pure functions.
 *
 * Each of these is a box on that page that may be left unticked, so no more are asked for than is needed: to read, move and send mail is
 * one of them, the calendar another.
 */
#ifndef PROVIDER_GOOGLE_CONSENT_H
#define PROVIDER_GOOGLE_CONSENT_H

#include "model/app.h"
#include "provider/oauth.h"

/* Blanks between; in full ("https://www.googleapis.com/auth/calendar") as an administrator's console has them, else "calendar". */
const char *google_scopes(enum rights, bool in_full, struct arena *into);

/* Code, PKCE by S256, an answer in the query, a refresh token each time (access_type=offline, prompt=consent). Whoever is to be somebody
 * (login_hint) need not pick. With all rights, what was ticked at an earlier try counts as well (include_granted_scopes). */
const char *google_authorize_url(const struct google_app *, const struct oauth_code *, const struct oauth_departure *, struct arena *into);

/* What is needed for that and was not granted, from 0 on: "gmail.modify"; NULL past the last. Wider grants suffice. */
const char *google_missing(const char *granted, enum rights, size_t n);

#endif
