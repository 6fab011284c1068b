/* connect_parts.h -- who stands before a connect page, for the files that have its routes. */
#ifndef SERVE_CONNECT_PARTS_H
#define SERVE_CONNECT_PARTS_H

#include "serve/http.h"
#include "serve/render.h"
#include "serve/signin_place.h"
#include "store/accounts.h"
#include "store/links.h"
#include "store/workspaces.h"

/* What stands behind the link of a request. */
struct visitor {
	struct exchange *x;
	const char      *path;              /* "/connect/TOKEN"                      */
	const char      *hash, *session;    /* of the token, of the browser's cookie */
	int64_t          now;
	struct link      link;
	struct workspace workspace;
	struct account   account;
	bool             has_account;       /* and it is not removed                 */
};

/* Who comes with the link whose token is in `path`: of any state, with any browser. FAULT_ABSENT. */
bool visitor_look(struct visitor *, const char *path, const char *hash, struct exchange *, struct error *);
/* A link that may still be filled in, in the browser that it is open in. False: the answer is given. */
bool visitor_arrive(struct exchange *, struct visitor *);
void visitor_refuse(struct visitor *, enum link_trouble);
/* The one address that the link is for, or NULL. */
const char *visitor_address(const struct visitor *);

/* As it was typed, but for the password. */
void connect_form_read(struct exchange *, struct connect_page *);
void connect_form_show(struct visitor *, int status, struct connect_page *);

/* -- pages_signin.c -- */

/* Sends whoever filled in that form to that provider's sign-in page. */
void visitor_leave(struct visitor *, const struct signin_place *, struct connect_page *);
/* Whoever stands here is not there: the address that they were sent to sign in with, where, and have not come back from; NULL: they were
 * not sent anywhere. */
const char *visitor_away(const struct visitor *, const struct signin_place **where);

#endif
