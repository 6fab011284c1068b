/* net.h -- the only folder that waits: it satisfies the wants of base/want.h on real sockets.
 *
 * One struct net is one loop on one thread. It connects (RFC 8305), reads, writes, shakes hands, asks name servers and
 * fetches over HTTP for any number of conversations side by side, and never calls a conversation from inside itself:
 * what can be answered at once is queued. Two promises are kept here and nowhere else:
 *
 *  - An address that our policy forbids is never connected to: what is checked is what is connected to.
 *  - line->secure, and an answer over https, mean TLS 1.2 or later with a chain and a name that were verified: in this
 *    handshake, or (TLS_QUICK) in the one that it resumes. On a line that was accepted it means TLS 1.2 or later, with anybody.
 *
 * Raises no SIGPIPE and leaves signal dispositions alone. A line must not move while it is open. What its handshake was
 * written down in must stay for as long as line->handshake leads there.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/want.h"

#define NET_RESOLVERS 4

/* One --connect-to: connections to host:port go to address:to_port instead, names still being checked against host. */
struct net_place {
	char           host[256];
	uint16_t       port;
	struct address address;
	uint16_t       to_port;
};

struct net_resolver {
	struct address address;
	uint16_t       port;
};

/* Copied by net_new(). All zero is a sensible default, but for check_targets, which `serve` must set. */
struct net_settings {
	struct net_resolver resolver[NET_RESOLVERS];
	size_t              resolver_count;         /* 0: those of /etc/resolv.conf, read at the first question     */
	const char         *ca_file;                /* PEM trusted besides the system's store, or NULL              */
	const struct net_place *connect_to;         /* of several for one host and port the last holds              */
	size_t              connect_to_count;
	const struct address_block *allow;          /* ranges that are special (private, loopback) yet allowed      */
	size_t              allow_count;
	bool                check_targets;          /* refuse special addresses that are not allowed                */
	const char         *user_agent;             /* of HTTP requests, "mailmoor/1.0"; NULL: "mailmoor"           */
};

struct net;

/* Opens no connection and reads no file but ca_file (the system's store is read certificate by certificate, as they
 * are needed). NULL with FAULT_LOCAL: ca_file cannot be read or holds no certificate; or no descriptors are left. */
struct net *net_new(const struct net_settings *, struct error *err);

/* Not while net_run() or net_serve() is under way, nor while a task waits for a COMMIT. Tasks that were started and have not ended
 * are TASK_CANCELLED, and nobody is told; listeners are taken down. Lines still open are closed; line_release() may come later.
 * NULL is fine. */
void net_free(struct net *);

/* Runs the task until it ends; true when TASK_DONE, else task->err says why not. May be called again for another. Those of
 * net_start() go on meanwhile.
 *
 * A task whose life (wait_ms, or that of a task above it) is over has its wait answered with CAME_TIMEOUT, and each
 * later one at once too; after 50 such answers it is ended with FAULT_TIMEOUT. A wait for CHILDREN is then answered
 * once the children, whose lives are over too, have ended; but when the wait's own wait_ms passes they are cancelled.
 * A connection attempt that timed out answers with the most telling of what the addresses gave (REFUSED over TIMEOUT).
 * CONNECT clears both buffers of the line.
 * A wait for a COMMIT has no deadline and is not called off, whatever happens. A task cancelled while it waits for one (because a sibling
 * sufficed, or its parent's wait was over) ends when it is answered, and its parent's wait with it. */
bool net_run(struct net *, struct task *);

/* Async-signal-safe, and fine from another thread. What waits is answered CAME_CANCELLED once (a wait for CHILDREN:
 * when they have ended), and want->stopping is true from then on. Waits asked after it are granted, but all together
 * for at most 5 s. For good: a net that was stopped stays so. */
void net_stop(struct net *);

/* -- the daemon's loop: many tasks, started and ended at any time ------------------------------------------------- */

/* Runs until net_stop() was called and every task has ended. Tasks come by net_start() and net_listen(). The stop is to each of them what
 * it is to that of net_run(); listeners take nobody any more. A call that is posted when it has returned is run by the next
 * net_run() or net_serve(), or never. */
void net_serve(struct net *);

/* In the loop's own thread (from a step, an `ended` or a posted call), or before net_serve(). `ended`, which may be NULL, is called
 * from the loop once the task is over, never from inside net_start(); the task is the caller's again then, to be freed
 * or started anew. After net_stop() it is never stepped, and ended as TASK_CANCELLED: do not start it anew for that. */
void net_start(struct net *, struct task *, void (*ended)(struct task *));
/* Ends it at once, as TASK_CANCELLED, and calls its `ended` soon; one that waits for a COMMIT (itself or in a child) ends when that is
 * answered, and one that calls this from its own step when the step returns. Same thread. Only for what net_start() or net_run() was
 * given; a task that has ended already, or never began: nothing. */
void net_cancel(struct net *, struct task *);

/* Has the loop call `run`: any thread, in the order of posting. Must live until then. The only way into a loop from outside. */
struct net_post {
	void           (*run)(struct net_post *);
	struct net_post *next;
};
void net_post(struct net *, struct net_post *);

/* Takes connections from a listening socket, which it then owns. For each, `accepted` names the line that gets it (closed until then;
 * its buffers are cleared), or NULL to turn it away; it usually starts a task on that line, whose first step finds it open. `peer` has
 * family 0 for a local socket. No policy applies to who calls us. Out of descriptors it takes nobody for a moment, and those who call
 * wait in the socket's queue. In the loop's own thread or before it runs, both; net_unlisten() also from inside `accepted`, and not
 * after net_free(), which takes down those that are left. */
struct net_listener;
struct net_listener *net_listen(struct net *, int fd, struct line *(*accepted)(void *self, const struct address *peer), void *self);
void                 net_unlisten(struct net_listener *);

/* What our side shows in a handshake on an accepted line (WANT_TLS with TLS_SERVE): both PEM, the chain behind the certificate. Read
 * again at each call: a renewed certificate needs no restart, and lines that stand go on. In the loop's own thread, or before it runs.
 * False with FAULT_LOCAL, and what was shown before is shown on: a file cannot be read, is encrypted, or they do not belong together. */
bool net_serve_tls(struct net *, const char *certificate_file, const char *key_file, struct error *err);

/* Could a handshake go by it? FAULT_MALFORMED says what it is not, as the end of a sentence: "is not …". */
bool net_own_trust_check(const struct own_trust *, struct error *err);

/* "imap.example.org:993=127.0.0.1:10993", "[2001:db8::1]:993=[::1]:1993" */
bool net_place_parse(const char *text, struct net_place *out);
/* "127.0.0.1", "127.0.0.1:5353", "[::1]:53" */
bool net_resolver_parse(const char *text, struct address *address, uint16_t *port);

/* What the expensive things cost so far: for benches. */
struct net_costs {
	int64_t  trust_us;               /* making the trust store, its first use          */
	int64_t  handshake_us;           /* all TLS handshakes on lines, waiting included  */
	unsigned handshakes;
};
struct net_costs net_costs(const struct net *);

#endif
