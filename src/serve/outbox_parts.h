/* outbox_parts.h -- what the files of the outbox share. Nobody else includes it but tests.
 *
 * outbox.c       what goes out, in turn; beginning and ending
 * outbox_hooks.c the webhooks: what is due of each, how it does, how much it may be given
 * outbox_post.c  one delivery: its request, its answer, what that means
 * outbox_keep.c  what was answered, kept in the store, many in one change
 *
 * All of it is of the loop's thread, but for what a change reads on the store's own thread while the loop waits for it.
 */
#ifndef SERVE_OUTBOX_PARTS_H
#define SERVE_OUTBOX_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/want.h"
#include "serve/bus.h"
#include "serve/outbox.h"
#include "serve/signing.h"
#include "store/events.h"
#include "wire/http.h"
#include "wire/resolve.h"

#define HOOK_SLOTS 256
#define HOOK_ID    64
#define POST_NOTE  300

#define STATUS_GONE 410

#define READY_MS    1000         /* what was read may have changed after that */

/* A webhook for which something waits. */
struct hook {
	LIST_ENTRY(hook)   slot;
	TAILQ_ENTRY(hook)  turn;            /* who was served last stands last */
	struct outbox     *outbox;
	char               id[HOOK_ID];
	/* as it was read last; all of it from `read`, which may be NULL */
	struct arena      *read;
	int64_t            read_ms;
	const char        *url;
	struct signing     signing;
	struct delivery   *ready;           /* [next, count) are to go out */
	size_t             next, count;
	bool               more;            /* there may be more that is due */
	int64_t            last_ok, failing_since;      /* as kept in the store */
	/* where it leads, as looked up for `looked_up` (a URL; NULL: not yet) */
	char              *looked_up;
	struct address     address[CONNECT_ADDRESSES];
	size_t             addresses, first;            /* which is tried first */
	int64_t            looked_up_ms;
	/* how it does */
	TAILQ_HEAD(, post) posts;           /* under way, or their answers not kept yet */
	unsigned           under_way, side; /* how many there may be */
	unsigned           failures;        /* in a row */
	int64_t            rests_until;
	bool               gone;            /* it answered 410: nothing more goes out until that is kept */
	int64_t            seen_ms;         /* that something waited for it */
	struct heard      *heard;           /* in the change that is being made */
};

enum post_end { POST_CUT_OFF, POST_TAKEN, POST_FAILED };      /* CUT_OFF: by our own stop; nothing is known */

/* One delivery under way. */
struct post {
	TAILQ_ENTRY(post)   of_hook;
	STAILQ_ENTRY(post)  queued;         /* to be kept */
	struct task         task;
	struct outbox      *outbox;
	struct hook        *hook;
	struct arena       *job;
	struct delivery     delivery;       /* its texts from `job` */
	struct http_url     url;
	struct http_request request;
	struct http_answer  answer;
	struct tls_answer   tls;
	struct resolve      resolve;
	int64_t             began_ms;
	int                 step;
	bool                looking_up, is_probe;
	size_t              tried;          /* of its addresses */
	/* how it ended */
	enum post_end       end;
	enum came           came;
	int                 status;
	char                note[POST_NOTE];
	int64_t             ended;          /* Unix ms */
	int64_t             not_before_ms;  /* from then on, as Retry-After asks; 0 */
	int64_t             next_try;       /* Unix ms */
	bool                given_up;
};

STAILQ_HEAD(posts, post);

struct outbox {
	struct net                 *net;
	struct daemon              *daemon;
	const struct outbox_limits *limits;

	struct { struct task task; int step; } sender, keeper;
	struct gate                 more, answered;
	bool                        look;            /* the store may have something new */
	int64_t                     look_from;       /* not before …                     */
	int64_t                     look_due;        /* … and then in any case           */
	int64_t                     hastened_ms;
	bool                        set_back;        /* the clock was: what waits has no time to go by */
	LIST_HEAD(, hook)           slot[HOOK_SLOTS];
	TAILQ_HEAD(hooks, hook)     hooks;
	unsigned                    under_way, failing_under_way;

	struct posts                done;            /* to be kept */
	size_t                      unkept;          /* these and those of the change that is being made */
	struct change_of_posts     *change;
	bool                        stuck;           /* the store cannot keep anything at the moment */

	struct { _Atomic int64_t sent, failed, given_up, under_way; } counts;

	struct bus_listener         listener;
	struct net_post             rung;
	atomic_bool                 is_rung;
	struct net_post             stop;
	bool                        stopping;
	int64_t                     drain_until;

	pthread_mutex_t             lock;            /* of the next two */
	pthread_cond_t              ended;
	int                         tasks;           /* that run */
};

/* outbox_post.c */
void           post_begin(struct post *, int64_t now_unix_ms);       /* once delivery, hook and job are there: makes its request */
enum want_kind post_step(void *self, struct want *, struct error *);
void           post_release(struct post *);                          /* its buffers; what is said of it stays */
const char    *post_body(const struct delivery *, struct arena *into);
/* Retry-After as milliseconds from then; 0: none that can be read, or it is over. At most a day. */
int64_t        retry_after_ms(struct slice value, int64_t now_unix);
/* Before the next try of what has failed so often, with up to a fifth more by dice; -1: given up. */
int64_t        post_pause_ms(const struct outbox_limits *, unsigned failed, uint16_t dice);

/* outbox_keep.c */
enum want_kind keep_step(void *outbox, struct want *, struct error *);
void           keep_release(struct outbox *);

/* outbox_hooks.c */
void     hooks_look(struct outbox *, int64_t now_ms);        /* reads what is due, of those that have room; sets look_from, look_due */
void     hook_forget(struct hook *);
void     hook_drop_ready(struct hook *);
unsigned hook_room(const struct hook *, int64_t now_ms);     /* how many more of its deliveries may go out at this moment */
void     hook_went_well(struct hook *);
void     hook_went_wrong(struct hook *, const struct post *, int64_t now_ms);

/* Whose it is, "" for nobody's. */
static inline const char *account_of(const struct delivery *d)
{
	return d->event.account ? d->event.account : "";
}

/* outbox.c */
void outbox_post_free(struct post *);
/* From now on it says what was kept of it. */
void outbox_look(struct outbox *);

#endif
