/* registration.h -- as whom this system is known at the providers that people sign in at: see connect/app.h. */
#ifndef SERVE_REGISTRATION_H
#define SERVE_REGISTRATION_H

#include "model/app.h"
#include "serve/service.h"
#include "serve/signin_place.h"

struct apps registered_as(const struct app *);
/* False: nobody has registered it there. */
bool        registered_at(const struct app *, const struct signin_place *);
/* At each of them. */
void        registered_where(const struct app *, bool out[SIGNIN_PLACES]);
/* What is asked for there where nothing else is said. */
enum rights usual_rights(const struct app *, const struct signin_place *);
/* Does Microsoft show its publisher as verified? As the operator says. */
bool        microsoft_publisher_verified(const struct settings *);
/* Where people are sent back to. */
const char *redirect_uri(const struct daemon *, const struct signin_place *, struct arena *into);

#endif
