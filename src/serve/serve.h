/* serve.h -- the daemon: everything of serve/ started in order, run until it is asked to stop, and stopped in order. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <stdio.h>

#include "base/error.h"
#include "base/settings.h"

/* Where what must be remembered lies when the settings do not say: $STATE_DIRECTORY (systemd), /var/lib/mailmoor for root and for whom
 * it belongs to, $XDG_STATE_HOME/mailmoor or ~/.local/state/mailmoor. Made with mode 0700 when `create`. FAULT_LOCAL. */
bool state_directory(char *out, size_t size, bool create, struct error *err);

/* "sqlite:PATH" and the key file, of the settings or in that directory. */
bool serve_places(const struct settings *, char store_url[4096], char key_file[4096], struct error *err);
/* The same without making the directory. */
bool serve_places_find(const struct settings *, char store_url[4096], char key_file[4096], struct error *err);

/* Runs until SIGTERM or SIGINT; what a person should know at the start goes to `out`. Blocks those signals in this process for good.
 * FAULT_LOCAL, FAULT_BUSY, FAULT_MALFORMED: it could not start, and what had been started is stopped. */
bool serve_run(const struct settings *, FILE *out, struct error *err);

#endif
