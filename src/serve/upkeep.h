/* upkeep.h -- what an operator does to the store and its keys: beside the daemon, or while it is stopped.
 *
 * Where they lie is what the settings say, as for serve_run(). Nothing is made that is not there: no store, no key file. Faults
 * beside those of each: FAULT_LOCAL (no store, a damaged one, a file that cannot be read or written), FAULT_BUSY (the daemon runs).
 */
#ifndef SERVE_UPKEEP_H
#define SERVE_UPKEEP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/settings.h"

/* All of the store into a new file (mode 0600), checked; the daemon may run. The keys are not in it: `*key_file_out` says where
 * they are. */
bool upkeep_back_up(const struct settings *, const char *file, struct arena *into, const char **key_file_out, struct error *err);

struct restored {
	const char *store, *aside;      /* where it is now; what was there before, NULL: nothing               */
	const char *key_file;
	int64_t     secrets, closed;    /* secrets in it, and how many of them no key of the key file opens     */
};

/* FAULT_REFUSED: what was kept aside by an earlier restoration is still there. */
bool upkeep_restore(const struct settings *, const char *file, struct arena *into, struct restored *out, struct error *err);

/* A new key for the sealed secrets: added, all secrets sealed anew in one transaction, the old keys dropped after its commit.
 * Killed at any moment, all secrets open; the next rotation ends what was broken off. FAULT_ABSENT, FAULT_BROKEN: a secret that
 * does not open (then the old keys stay). Answers kept for an Idempotency-Key are forgotten, and forms that people have open must
 * be loaded anew. */
bool upkeep_rotate(const struct settings *, int64_t *secrets_out, struct error *err);

/* A new API key, for who has lost the first. `workspace` is its id or name; NULL: the only one (FAULT_MALFORMED: there are several).
 * FAULT_ABSENT: no such workspace, or none yet. */
bool upkeep_key(const struct settings *, const char *workspace, const char *name, unsigned scopes, struct arena *into, const char **id_out,
                const char **key_out, struct error *err);
unsigned upkeep_scope(const char *name);      /* "admin" …; 0: there is none */

/* Whether the daemon could read what the settings say. FAULT_MALFORMED names the one that it could not. */
bool upkeep_check_settings(const struct settings *, struct error *err);

#endif
