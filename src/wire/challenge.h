/* challenge.h -- by which schemes a web server lets somebody sign in: WWW-Authenticate (RFC 9110 §11.6.1).
 *
 * Several challenges may stand in one field, and one scheme in several fields; commas separate both challenges and
 * parameters. What cannot be read as a challenge is left out.
 */
#ifndef WIRE_CHALLENGE_H
#define WIRE_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

#define CHALLENGES_MOST 12

struct challenge {
	struct slice scheme;       /* "Basic" "NTLM" "Negotiate" "Bearer" …, as written                       */
	struct slice token;        /* token68, the NTLM message in base64; at == NULL when there is none      */
	struct slice parameters;   /* `realm="mail.example.org", charset="UTF-8"`; at == NULL when none       */
};

struct challenges {
	struct challenge item[CHALLENGES_MOST];
	size_t           count;
};

/* `fields` are header lines, CRLF or LF between. All slices point into them. */
void challenges_read(struct slice fields, struct challenges *out);
const struct challenge *challenge_find(const struct challenges *, const char *scheme);      /* NULL: not offered */
/* A parameter's value, unquoted; from `into` where it had to be changed. False when it is not there. */
bool challenge_parameter(const struct challenge *, const char *name, struct arena *into, struct slice *out);

#endif
