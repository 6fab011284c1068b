/* credentials.h -- what a person brings to sign in with: a password or token file, read once, known as secret at once.
 *
 * The password is the file's content less one last newline. A token file is the token endpoint's answer as JSON, with
 * `obtained_at` (Unix seconds; else the file's own time). "-" is standard input.
 * Fails with FAULT_LOCAL (cannot be read, not JSON, no token, keys for everybody) and FAULT_TOO_BIG (over 64 KiB).
 */
#ifndef CONNECT_CREDENTIALS_H
#define CONNECT_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/want.h"

struct credentials {
	char   *password;        /* one of the two is NULL, or both are and `tickets` are there */
	char   *token;
	const struct ticket_source *tickets;      /* sign in by Kerberos, and by nothing else; the caller's. NULL: not so */
	int64_t expires_at;      /* of the token, Unix seconds; 0 unknown */
	int64_t granted_at;      /* when its user agreed, as far as the file tells; 0 unknown */
	char   *refresh_token;   /* with the token, or NULL */
	char   *scope;           /* what the token is for, as it was told; or NULL */
	struct secrets secrets;  /* every secret that was read, to be struck out of what is kept */
};

bool credentials_read_password(struct credentials *, const char *file, struct error *err);
/* One that is at hand already; copied. */
void credentials_take_password(struct credentials *, struct slice password);
struct oauth_grant;
/* Likewise; one without an access token has an empty one. */
void credentials_take_grant(struct credentials *, const struct oauth_grant *);
bool credentials_read_token(struct credentials *, const char *file, struct error *err);
/* Kerberos: the files that are named must be there and readable now, and a keytab for us alone: everybody who can read it is that user. */
bool credentials_take_tickets(struct credentials *, const struct ticket_source *, struct error *err);
/* All of a file, or of standard input (-), up to the buffer's limit. FAULT_LOCAL, FAULT_TOO_BIG. */
struct buffer;
bool credentials_read_file(const char *file, struct buffer *into, struct error *err);
void credentials_release(struct credentials *);      /* wipes */

#endif
