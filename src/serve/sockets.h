/* sockets.h -- where the daemon listens: sockets of its own, and those that systemd opened for it (sd_listen_fds(3)).
 *
 * systemd's have names: "web" for pages and API, "inbound" for mail by SMTP, "lmtp" for mail by LMTP. That is how an unprivileged daemon
 * gets port 25, and how nobody is turned away while it restarts.
 */
#ifndef SERVE_SOCKETS_H
#define SERVE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Listening sockets that systemd hands over: those named `name`. Where none of them has a name that we know, all are "web". They are
 * the caller's now, and not blocking. */
size_t sockets_given(const char *name, int fd[], size_t most);
/* Whether there are any, without taking them. */
bool   sockets_are_given(const char *name);

/* "127.0.0.1:8325", "[::1]:0". -1: FAULT_MALFORMED, FAULT_LOCAL. */
int    socket_listen(const char *where, struct error *err);
/* Where it really listens: "127.0.0.1:8325", "/run/mailmoor/lmtp". */
bool   socket_place(int fd, char *text, size_t size);

#endif
