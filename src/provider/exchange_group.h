/* exchange_group.h -- one stream for up to 200 mailboxes of an Exchange server that one login acts for by impersonation (facts M C.3).
 *
 * A stream counts against its login, which may have few of them; so the mailboxes of a service account share one. Each has a seat: it
 * subscribes in its own turn (exchange_watch.h), by its own sign-in, and is woken when the stream tells of it. The group has no
 * credentials: when a stream is to be opened, one of those who sit is woken, and opens it at the end of its turn, on its own line,
 * which is the group's from then on.
 *
 * Who comes or goes has the stream opened again with all that are there by then, half a minute later. A seat that was left is kept for two
 * minutes with its subscription: who is looked at anew and comes back takes it again. When a stream opens or ends unasked each of
 * them asks once what is new, for nothing said in between is counted on. At most eight are woken at a time. Between two streams, and
 * where none can be had, they are polled.
 *
 * On one loop and in its thread, all of it; two loops have two groups.
 */
#ifndef PROVIDER_EXCHANGE_GROUP_H
#define PROVIDER_EXCHANGE_GROUP_H

#include <sys/queue.h>

#include "provider/exchange_stream.h"

#define EXCHANGE_GROUP_MOST  200
#define EXCHANGE_GROUP_WOKEN 8

struct exchange_group;

struct exchange_seat {
	struct exchange_group  *group;
	struct exchange_stream *stream;            /* its subscription, and what is wrong with that; never a line  */
	char                   *mailbox;
	struct gate             gate;              /* open: it is to take a turn                                   */
	int64_t                 left_ms;           /* since when nobody sits there; 0: not looked at since          */
	int64_t                 heard_ms;          /* since when it is in the stream; 0: it is not                  */
	bool                    taken, parked, stirred, woken, asked;
	TAILQ_ENTRY(exchange_seat) seats;
};

struct exchange_group {
	/* out */
	struct exchange_stream *stream;            /* the line, and what is wrong with it                           */
	size_t                  count;             /* seats                                                         */
	unsigned                opened, turns;     /* streams that stood; how often somebody was woken              */
	/* its own */
	struct exchange_ears    ears;
	char                   *anchor;            /* the mailbox by which all of them find one server; NULL: none yet */
	struct exchange_seat   *first;             /* whose subscription makes it the anchor, being asked for       */
	struct gate             anchored;          /* nobody's is                                                   */
	struct exchange_seat   *opener;            /* who is to open the stream                                     */
	bool                    opening;           /*   and does                                                    */
	int64_t                 chosen_ms, changed_ms, look_ms;
	struct gate             called;            /* its conversation has something to do                          */
	int                     woken, step;
	TAILQ_HEAD(exchange_seats, exchange_seat) seats;
};

struct exchange_group *exchange_group_new(void);
void                   exchange_group_free(struct exchange_group *);      /* nobody sits there; NULL is fine */
/* Its conversation: goes on while there are seats, and may be begun anew. Never fails. */
enum want_kind         exchange_group_step(void *group, struct want *, struct error *);

/* There is a seat left for that mailbox. */
bool                   exchange_group_takes(const struct exchange_group *, const char *mailbox);

/* A seat for that mailbox, as it was left where it was. */
struct exchange_seat *exchange_seat_take(struct exchange_group *, const char *mailbox);
void                  exchange_seat_leave(struct exchange_seat *);        /* NULL is fine */

/* In a turn: from here on what is told of it means another turn; and at its end, until exchange_seat.gate. `busy`: the server is, and then
 * nothing but time ends that rest. */
void           exchange_seat_awake(struct exchange_seat *);
void           exchange_seat_park(struct exchange_seat *, bool busy);

/* Is there a stream, and is this mailbox in it? */
static inline bool exchange_seat_heard(const struct exchange_seat *s)
{
	return s->heard_ms && exchange_stream_stands(s->group->stream);
}

/* Before it subscribes: is somebody's subscription under way that decides where all of them are? Then until exchange_group.anchored. */
bool           exchange_seat_waits(const struct exchange_seat *);
/* As exchange_stream_wanted(), of a subscription. */
bool           exchange_seat_wanted(const struct exchange_seat *, int64_t now_ms);
void           exchange_seat_subscribe(struct exchange_seat *, struct exchange_session *, const struct ews_folder *);
void           exchange_seat_subscribed(struct exchange_seat *, struct exchange_session *, const struct want *);

/* At the end of a turn: is the stream to be opened here and now? Then exchange_stream_open_step() on the group's, and …_opened(). */
bool           exchange_seat_opens(const struct exchange_seat *, int64_t now_ms);
void           exchange_seat_ask(struct exchange_seat *, struct exchange_session *);
void           exchange_seat_opened(struct exchange_seat *, const struct want *);

#endif
