/* probe.h -- after a failure: the one cheap step that separates two causes. Changes one thing at a time.
 *
 * diagnose/ wishes for a probe, verify/ runs it and records what it saw as a step "probe.…" of the attempt that it is
 * meant to clear up; diagnose/ then judges again. No probe carries a password, but for the other form of the user
 * name, which is a sign-in of its own and is run by the flow within the budget of two refusals.
 */
#ifndef VERIFY_PROBE_H
#define VERIFY_PROBE_H

#include "model/probes.h"
#include "provider/reach.h"
#include "wire/fetch.h"

#define PROBE_TARGETS 4

/* A connection that is only opened, or shaken hands on, and closed: nothing is said. */
struct touch {
	struct endpoint       endpoint;
	struct arena         *job;
	struct waits          waits;
	bool                  shake, listen;      /* go on to the handshake; or wait for a first word        */
	enum tls_how          how;
	struct slice          extra;              /* a certificate to try as the missing link                */
	struct resolve        resolve;
	struct connect_answer connect;
	struct tls_answer    *tls;
	struct line           line;
	int                   step;
	enum came             came;
	char                  heard[200];
};

struct probe {
	enum probe_kind         kind;
	struct report          *report;
	const struct endpoint  *endpoint;
	struct waits            waits;
	int                     attempt;
	/* its own */
	int                     step, reported;
	struct touch            touch[PROBE_TARGETS];
	struct fetch            fetch[PROBE_TARGETS];
	struct dns_lookup       lookup[PROBE_TARGETS];
	struct resolve          resolve[PROBE_TARGETS];
	struct task             task[PROBE_TARGETS];
	struct children         children;
	size_t                  count;
};

void           probe_init(struct probe *, enum probe_kind, struct report *, const struct endpoint *, struct waits, int attempt);
enum want_kind probe_step(void *self, struct want *, struct error *);       /* WANT_NOTHING; WANT_FAILED only when called off */
void           probe_release(struct probe *);

/* Another form of the user name that may be what the server wants, or NULL: the local part for a full address, the
 * address for anything else. Not where the provider is known to take only the form that was used. */
const char *probe_other_username(struct report *, int attempt, const char *address, const char *username);

#endif
