/* registration.h -- as whom this system is registered at Microsoft, out of its settings. */
#ifndef SERVE_REGISTRATION_H
#define SERVE_REGISTRATION_H

#include "model/app.h"
#include "serve/service.h"

#define MICROSOFT_CALLBACK "/oauth/microsoft/callback"

/* False: it is not. The texts are the settings'. */
bool        microsoft_registered(const struct settings *, struct microsoft_app *out);
/* Does Microsoft show its publisher as verified? As the operator says. */
bool        microsoft_publisher_verified(const struct settings *);
/* Where Microsoft sends people back to: to be entered there letter by letter. */
const char *microsoft_redirect_uri(const struct daemon *, struct arena *into);

#endif
