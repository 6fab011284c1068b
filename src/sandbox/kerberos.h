/* kerberos.h -- the server's side of Kerberos in SPNEGO, by MIT's library: tickets are really opened, with the keys of a keytab.
 *
 * The library does both sides, ours and the client's in net/; nothing of ours is shared. It asks nobody, and keeps no replay cache: that
 * would be a file of the machine's, and all of it goes through TLS.
 */
#ifndef SANDBOX_KERBEROS_H
#define SANDBOX_KERBEROS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct keytab;

/* FAULT_LOCAL: the file cannot be read, or has no keys. */
struct keytab *keytab_read(const char *keytab, struct error *err);
void         keytab_free(struct keytab *);      /* NULL is fine */

/* What comes of a client's first word. */
struct kerberos_word {
	bool         accepted;
	bool         bound;               /* to the certificate that was named */
	const char  *principal;           /* "ann@EXAMPLE.ORG", or NULL        */
	const char  *reason;              /* the library's words, or NULL      */
	struct slice say;                 /* back to the client; may be empty  */
};

/* `hash`: of our certificate; empty: bindings are not looked at. With one, a word that is bound to another is refused; one that is not
 * bound at all is accepted, and not `bound`. Texts from `into`. */
struct kerberos_word keytab_accept(const struct keytab *, struct arena *into, struct slice token, struct slice hash);

#endif
