/* doctor.h -- is this machine fit to run the daemon, and is the daemon that runs the one that is meant? Finds out, and says what it saw.
 *
 * Looks only: nothing is made, changed or kept out. The files are looked at with the rights of whom they belong to, when root asks. Who is
 * connected to: the daemon itself, the name server of the settings, our own base_url and the mail exchangers of our own BCC domain, and the
 * servers that accounts of this store are connected to anyway; nobody else, unless `egress` names him.
 */
#ifndef SERVE_DOCTOR_H
#define SERVE_DOCTOR_H

#include <stdbool.h>

#define DOCTOR_CONFIG "/etc/mailmoor/mailmoor.conf"

enum remark_state { REMARK_PASSED, REMARK_WARNED, REMARK_FAILED, REMARK_SKIPPED };

struct remark {
	const char        *id;           /* "store.open": stays the same in later versions */
	const char        *label;        /* "store"                                        */
	enum remark_state state;
	const char        *text;         /* what was seen, one line                        */
	const char        *advice;       /* what to do about it, or NULL                   */
};

struct doctor_wishes {
	const char *config;              /* settings file; NULL: DOCTOR_CONFIG when it is there */
	const char *egress;              /* a host whose ports may be knocked at; NULL          */
	bool        here;                /* only what can be seen without asking anybody else   */
};

const char *remark_state_name(enum remark_state);      /* "passed" "warned" "failed" "skipped" */

/* Says each thing as it is found; a remark is gone when `found` returns. True: nothing failed. Not for a process that goes on to do
 * something else: rights that are given up do not come back. */
bool doctor_run(const struct doctor_wishes *, void (*found)(void *self, const struct remark *), void *self);

#endif
