/* persona.h -- versions of Exchange, and what each shows of itself to those who have not signed in. */
#ifndef SANDBOX_PERSONA_H
#define SANDBOX_PERSONA_H

#include <stdbool.h>
#include <stddef.h>

enum scheme {
	SCHEME_NEGOTIATE = 1 << 0,
	SCHEME_NTLM      = 1 << 1,
	SCHEME_BASIC     = 1 << 2,
	SCHEME_BEARER    = 1 << 3,
};

struct persona {
	const char *name, *product;
	int         version[4];
	const char *label;          /* Version of ServerVersionInfo                                      */
	const char *newest;         /* of the versions that a request may name: this and all before it   */
	const char *iis;
	bool        tells_build;    /* X-OWA-Version on every answer, before a login too                 */
	unsigned    schemes;
};

const struct persona *persona_find(const char *name);      /* NULL: there is none */
const struct persona *persona_at(size_t n);

/* "15.1.2507.39" */
const char *persona_build(const struct persona *, char text[40]);

bool persona_is_modern(const struct persona *);            /* 2013 and later */
bool persona_accepts(const struct persona *, const char *request_version);
/* Where a version of requests stands among them: 0 is Exchange2007; -1: unknown. */
int  request_version_rank(const char *request_version);

#endif
