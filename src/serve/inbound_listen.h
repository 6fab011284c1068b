/* inbound_listen.h -- the doors at which mail for the BCC addresses is taken: [inbound] listen, domain, size_limit, certificate_file.
 *
 * systemd's sockets named "inbound" (SMTP) and "lmtp" come first: where there are any, [inbound] listen is not looked at.
 */
#ifndef SERVE_INBOUND_LISTEN_H
#define SERVE_INBOUND_LISTEN_H

#include "base/settings.h"
#include "net/net.h"
#include "serve/inbound.h"

#define INBOUND_DOORS 8

/* One of [inbound] listen: "127.0.0.1:25", "lmtp:[::1]:24". */
struct inbound_place {
	struct address address;      /* family 0: a local socket, which only systemd gives */
	uint16_t       port;
	bool           lmtp;
};

bool inbound_place_parse(const char *text, struct inbound_place *out);

/* Is mail to be taken at all? */
bool inbound_is_wanted(const struct settings *);

struct inbound_post;

/* Takes mail on the loop of `net` from now on, at every place that is set, until inbound_stop(). FAULT_LOCAL (a place that cannot be
 * listened on, a certificate that cannot be read), FAULT_MALFORMED (a setting). */
struct inbound_post *inbound_start(struct net *, const struct settings *, const struct inbound_archive *, struct error *err);
/* Takes no more calls; in the loop's thread or when it has ended. Sessions end with the loop. */
void                 inbound_stop(struct inbound_post *);
void                 inbound_post_free(struct inbound_post *);      /* after the loop has ended; NULL is fine */

/* With the ports that they really have. */
size_t                inbound_places(const struct inbound_post *, struct inbound_place out[INBOUND_DOORS]);
const struct inbound *inbound_of(const struct inbound_post *);      /* for inbound_counts() */

#endif
