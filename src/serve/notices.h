/* notices.h -- what Microsoft Graph says by POST /hooks/microsoft: that something happened in a mailbox that it has a subscription of.
 *
 * Whoever comes there is a stranger, and gets 202 like everybody. What he says counts where its client state proves itself: it names the
 * account and the nonce of the subscription, and has our signature over both, so that nothing of it is kept anywhere. The account's
 * conversation is told then, and asks Graph itself. Nothing waits here, neither for the store nor for anybody else.
 */
#ifndef SERVE_NOTICES_H
#define SERVE_NOTICES_H

#include "serve/service.h"
#include "watch/mailbox.h"

#define MICROSOFT_HOOK "/hooks/microsoft"

/* What goes with the subscription of that account: "NONCE.ACCOUNT.SIGNATURE". From `into`. */
const char *notice_state(const struct vault *, const char *account, const char *nonce, struct arena *into);
/* The same read, in constant time. False: not made by us. */
bool        notice_state_read(const struct vault *, const char *state, struct arena *into, const char **account, const char **nonce);

/* Where Graph shall say it, by the settings: `url` is NULL where base_url is no https, and Graph would not. The text is the caller's, from
 * the heap or NULL. */
void        notice_place(const struct daemon *, struct microsoft_place *, char **url_out);

#endif
