/* error.h -- why something stopped: its kind, one line for the operator, and what the peer said.
 *
 * A plain value, never allocated. It says what *kind* of stop it was, never which cause of the catalogue that means:
 * only diagnose/ decides that, from the facts. The lowest function that understands fills it in; all above return
 * false and leave it alone.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum fault {
	FAULT_NONE,
	FAULT_MALFORMED,    /* what we were given is no such thing (an address, a URL, a file)   */
	FAULT_ABSENT,       /* asked properly, and there is none                                 */
	FAULT_NETWORK,      /* no connection, or it broke                                        */
	FAULT_TIMEOUT,      /* nothing came within the wait                                      */
	FAULT_TLS,          /* the line cannot be made private, or not to the right peer         */
	FAULT_REFUSED,      /* the peer understood and said no                                   */
	FAULT_BUSY,         /* the peer said: not now                                            */
	FAULT_BROKEN,       /* the peer's answer breaks its protocol                             */
	FAULT_TOO_BIG,      /* more than we agreed to hold                                       */
	FAULT_NOT_ALLOWED,  /* our own policy forbids it                                         */
	FAULT_NOT_OFFERED,  /* the peer (or the provider) has no such thing                      */
	FAULT_CANCELLED,    /* somebody called it off                                            */
	FAULT_LOCAL,        /* a file or a setting of this machine                               */
};

struct error {
	enum fault fault;
	char       text[200];    /* for the operator: what was being done, one line */
	char       step[40];     /* where in the conversation                       */
	char       heard[400];   /* the peer's own words, secrets struck out        */
};

/* Always false, so that a failing function ends in one line. `err` may be NULL. */
__attribute__((format(printf, 3, 4)))
bool fail(struct error *err, enum fault fault, const char *fmt, ...);

const char *fault_name(enum fault);      /* "network", for logs and records */

#endif
