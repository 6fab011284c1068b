/* reach.h -- from an endpoint to an open, private line: look up, connect, TLS. The beginning of every mail session.
 *
 * Records the steps SERVICE.resolve, SERVICE.connect and SERVICE.tls with their facts. Sends nothing.
 * Stops with FAULT_ABSENT (no such host), FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS, FAULT_NOT_ALLOWED, FAULT_CANCELLED.
 */
#ifndef PROVIDER_REACH_H
#define PROVIDER_REACH_H

#include "base/want.h"
#include "model/endpoint.h"
#include "model/report.h"
#include "wire/resolve.h"

/* How long each kind of wait may take; all follow from --timeout. */
struct waits {
	int lookup_ms, connect_ms, tls_ms, greeting_ms, reply_ms;
};

struct waits waits_within(int whole_ms);

struct reach {
	/* in */
	struct report         *report;
	const struct endpoint *endpoint;
	const char            *prefix;          /* of the step ids: "imap", "smtp", "probe.port" …  */
	struct line           *line;
	struct waits           waits;
	int                    attempt;
	enum tls_how           how;
	/* its own */
	int                    step;
	int                    reported;             /* in the report: the step under way */
	struct resolve         resolve;
	struct connect_answer  connect;
	struct tls_answer      tls;
};

void           reach_init(struct reach *, struct report *, const struct endpoint *, const char *prefix, struct line *, struct waits,
                          int attempt);
enum want_kind reach_step(void *self, struct want *, struct error *);         /* with SOCKET_TLS also the handshake */
enum want_kind reach_tls_step(void *self, struct want *, struct error *);     /* the handshake alone, after STARTTLS */
void           reach_release(struct reach *);                                 /* does not close the line */

/* How a session ends on this line before its time; each records why in `step`, closes that as failed, and returns
 * WANT_FAILED. -- A wait that did not come. */
enum want_kind reach_lost(struct reach *, int step, enum came, const struct want *, struct error *);
/* Bytes that are none of `own_protocol`; `why` is the reader's word. */
enum want_kind reach_broken(struct reach *, int step, const char *own_protocol, const char *why, const struct want *, struct error *);
/* Something was said between the answer to STARTTLS and the handshake; WANT_NOTHING when there was not. */
enum want_kind reach_not_injected(struct reach *, int step, const struct want *, struct error *);

/* "imap.login" for a prefix and a name. */
const char *step_id(struct report *, const char *prefix, const char *name);

/* What those bytes are the beginning of: "imap" "smtp" "pop3" "http" "ssh" "tls" "ftp", or NULL. */
const char *protocol_of(struct slice first);

/* Records a certificate and a handshake; also used by probes. */
void reach_tls_facts(struct report *, int step, const struct tls_answer *, enum came);

/* The fault of a wait that did not come. */
enum fault came_fault(enum came);

#endif
