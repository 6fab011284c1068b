/* app.h -- as whom we are registered at Microsoft and Google: what the settings say, and the certificate that they name.
 *
 * The certificate and its key, and the service account's, are read once; who changes them starts anew. A key that everybody on this
 * machine can read is refused.
 * Fails with FAULT_LOCAL (a file cannot be read, a key for everybody, one setting of the two) and FAULT_MALFORMED (no certificate with
 * its key in them, no such rights, no topic); the error says which.
 */
#ifndef CONNECT_APP_H
#define CONNECT_APP_H

#include "base/error.h"
#include "base/settings.h"
#include "model/app.h"
#include "model/terms.h"
#include "wire/assertion.h"
#include "wire/service_account.h"

struct app {
	struct microsoft_app      microsoft;        /* the texts are the settings' */
	struct google_app         google;           /* likewise                    */
	struct oauth_certificate *certificate;      /* Microsoft's; NULL: none is named */
	struct service_account   *service;          /* Google's; likewise               */
	enum rights               rights;           /* the usual ones, at Microsoft */
	enum rights               google_rights;    /*   and at Google              */
};

bool app_read(struct app *, const struct settings *, struct error *err);
void app_release(struct app *);      /* also of one that could not be read, or is all zero */

#endif
