/* signin_place.h -- the providers at whose own page people sign in: what is different at each of them, for our pages. A table, no more.
 *
 * Texts of a row are "page/NAME.…", its causes "NAME.…"; what is asked there, and what its codes mean, is flow_signin.h's.
 */
#ifndef SERVE_SIGNIN_PLACE_H
#define SERVE_SIGNIN_PLACE_H

#include "model/account.h"

enum signin_at { SIGNIN_MICROSOFT, SIGNIN_GOOGLE, SIGNIN_PLACES };

#define SIGNIN_USUAL 5

struct signin_place {
	enum signin_at at;
	const char    *name;                  /* "microsoft": as the API says it, and as it is kept                     */
	const char    *callback;              /* where people come back to, a path: to be entered there letter by letter */
	const char    *usual[SIGNIN_USUAL];   /* why people do not come back from there, most usual first; ends with NULL */
	const char    *told[SIGNIN_USUAL];    /* where an administrator has said so, of causes that were theirs; ends with NULL */
	bool           delegates;             /* somebody may sign in there for a mailbox that is not theirs             */
};

extern const struct signin_place signin_places[SIGNIN_PLACES];

const struct signin_place *signin_place(const char *name);           /* NULL: nobody signs in there                 */
const struct signin_place *signin_place_back(const char *path);      /* likewise, of a callback's path              */
/* "microsoft.sign_in_not_returned", of its causes. */
bool                       signin_place_says(const struct signin_place *, const char *cause, const char *what);
/* An administrator has done, or says that they have done, what was missing there, and only the person can go on. */
bool                       signin_is_approved(const struct account *);
/* A text of its own: "microsoft.button" of "button". */
const char                *signin_word(const struct signin_place *, const char *what, struct arena *into);

#endif
