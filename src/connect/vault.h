/* vault.h -- secrets sealed before they reach the store, and opened again where a session needs them.
 *
 * XChaCha20-Poly1305 (libsodium) under keys from one file (mode 0600, or a systemd credential): each line is
 * "ID BASE64" with 32 bytes; the first line seals, all open. The label ("acc_…/password") is authenticated with the bytes, so
 * that a sealed secret cannot be moved to another owner. A sealed secret begins with a version byte and the id of its key.
 * Keys live in memory that is locked, not dumped, and wiped at the end.
 * Fails with FAULT_LOCAL (no such file, wrong mode, no key in it, no dice), FAULT_BROKEN (does not open under that label),
 * FAULT_ABSENT (sealed with a key that is not here).
 */
#ifndef CONNECT_VAULT_H
#define CONNECT_VAULT_H

#include "base/arena.h"
#include "base/error.h"

struct vault;

/* `create`: makes the file with one new key when there is none. */
struct vault *vault_open(const char *key_file, bool create, struct error *err);
void          vault_free(struct vault *);
DEFINE_CLEANUP(vault)

/* Any thread. `sealed_out` and `plain_out` come from `into`, which wipes. */
bool vault_seal(const struct vault *, const char *label, struct slice secret, struct arena *into, struct slice *sealed_out,
                struct error *err);
bool vault_unseal(const struct vault *, const char *label, struct slice sealed, struct arena *into, struct slice *plain_out,
                  struct error *err);
/* Sealed with the key that seals now? */
bool vault_is_current(const struct vault *, struct slice sealed);
const char *vault_key_id(const struct vault *);
size_t      vault_keys(const struct vault *);      /* more than one: a rotation has not come to its end */

/* A new first line (written whole or not at all); and without the keys whose ids are not the first. For rotation:
 * add, seal everything anew, drop. */
bool vault_add_key(const char *key_file, struct error *err);
bool vault_drop_old_keys(const char *key_file, struct error *err);

/* Keyed hash under a key of its own derived from the first one: for links and cookies that must not be forged. Hex. */
const char *vault_sign(const struct vault *, const char *purpose, struct slice text, struct arena *into);
/* By any of the keys; in constant time. */
bool        vault_signed(const struct vault *, const char *purpose, struct slice text, const char *signature);

#endif
