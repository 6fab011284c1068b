/* pushes.h -- what Cloud Pub/Sub pushes to POST /hooks/google: that something happened in a mailbox at Gmail (facts G B.3).
 *
 * Whoever comes there is a stranger. What he brings counts where it comes with a token that Google has signed, for our address, as the
 * service account of the settings, and that has not run out; else it gets 401, and nothing is done. The account's conversation is told
 * then, and asks Gmail itself. Nothing waits here, neither for the store nor for anybody else.
 *
 * Google's keys are fetched at the start, and held for a day; well before it is over others are fetched. A token by a key that is not among
 * them has them fetched again, no more often than every five minutes: then it gets 503, and Pub/Sub brings it again. That pushes come
 * which Google has signed and which are not for us is said in the log, once for each reason.
 */
#ifndef SERVE_PUSHES_H
#define SERVE_PUSHES_H

#include "serve/service.h"
#include "watch/mailbox.h"

#define GOOGLE_HOOK "/hooks/google"

struct net;
struct pushes;

/* Which topic mailboxes are to be told by: its name is NULL where none is set, or where base_url is no https and Google would not call. */
void           google_topic_of(const struct daemon *, struct google_topic *);

/* The keys are fetched by `net`, which has to outlive this. */
struct pushes *pushes_new(const struct google_app *, struct net *);
void           pushes_free(struct pushes *);                          /* NULL is fine; once the net runs no more */
/* Now and then, any thread: fetches keys where it is time to. */
void           pushes_tend(struct pushes *);

enum push_proof { PUSH_PROVEN, PUSH_UNPROVEN, PUSH_LATER };

/* Is that a token for `audience`? Any thread. PUSH_LATER: nobody knows yet. NULL: none came. */
enum push_proof pushes_prove(struct pushes *, const char *token, const char *audience);

struct push_counts { int64_t proven, refused; };
struct push_counts pushes_counts(struct pushes *);

#endif
