/* loop.h -- what the files of net/ know of each other. Nobody outside includes it.
 *
 * A `runner` is a task being run. While it waits for something of the outside, an object that begins with a
 * `struct wait` stands for that something. The wait ends in one of two ways, and in both that object gives all back:
 *   by itself:  it cleans up, then calls runner_answer() as its last act;
 *   from above (time, cancellation): its stop() is called, cleans up, and returns how it ended in truth.
 * An errand (COMMIT) is the exception: it ends by itself only. A runner that is cancelled meanwhile is `cancelled` and ends
 * when the errand does, and whoever waits for it as a child waits on.
 * Steps are only ever called from the loop itself, never from a callback.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "net/net.h"
#include "net/tls.h"

struct runner;
struct stream;
struct curl_side;
struct tickets;

struct wait {
	struct runner *runner;
	enum came    (*stop)(struct wait *, enum came);
};

TAILQ_HEAD(runner_queue, runner);

struct runner {
	struct net    *net;
	struct task   *task;
	struct runner *parent;
	struct want    want;
	struct wait   *wait;             /* NULL: nothing to clean up (TIME, GATE, CHILDREN, COMMIT) */
	struct net_post errand_over;
	void         (*ended)(struct task *);
	struct event   timer;            /* added only while something is waited for */
	int64_t        began_ms, wait_ends_ms, life_ends_ms;
	unsigned       answered_late;
	bool           waiting;
	bool           called_off;       /* net_stop() met it waiting for its children */
	bool           cancelled;        /* ends, as TASK_CANCELLED, at its next turn  */
	enum came      settled;          /* how its wait for CHILDREN ends once they all have; CAME_NOTHING: open */
	struct runner_queue *in;         /* the queue it stands in, or NULL … */
	unsigned       turn;             /* … since that turn of the loop     */
	TAILQ_ENTRY(runner) all, queue;
};

struct net {
	struct event_base     *base;
	int64_t                began_ms;
	struct net_settings    settings;
	struct net_place      *places;
	struct address_block  *allow;
	char                  *user_agent;
	char                  *ca_file;
	bool                   resolvers_known;
	atomic_bool            stop;             /* as asked for …                */
	bool                   stopping;         /* … and as noticed, until …     */
	int64_t                stop_ends_ms;
	int                    wake_fd;
	struct event          *wake;
	pthread_mutex_t        post_lock;        /* of the next two               */
	struct net_post       *posts, **last_post;
	struct tls_trust      *trust;            /* made at first use             */
	struct curl_side      *curl;             /* the same                      */
	struct tickets        *tickets;          /* the same                      */
	struct net_costs       costs;
	bool                   running;
	unsigned               turn;
	unsigned               unpolled;         /* turns since sockets were looked at */
	struct runner         *stepping;
	struct runner_queue    all;
	struct runner_queue    ready;            /* to be stepped                              */
	struct runner_queue    gates;            /* waiting at one                             */
	struct runner_queue    over;             /* of whose end somebody is still to be told  */
	TAILQ_HEAD(, stream)   streams;
	TAILQ_HEAD(, net_listener) listeners;
};

/* loop.c */
int64_t net_clock_us(void);
int64_t net_now_ms(const struct net *);
void    runner_answer(struct runner *, enum came);
void    runner_waits_for(struct runner *, struct wait *, enum came (*stop)(struct wait *, enum came));
void    net_alarm(struct event *timer, int64_t ms);
struct tls_trust *net_trust(struct net *, struct error *err);

/* post.c */
bool posts_init(struct net *);
void posts_release(struct net *);
void posts_run(struct net *);

/* policy.c */
bool net_allows(const struct net *, const struct address *);
const struct net_place *net_place_of(const struct net *, const char *host, uint16_t port);
bool host_equal(const char *a, const char *b);      /* names without regard to case, literals by value */

/* connect.c */
void connect_begin(struct runner *);
struct address address_of_socket(const struct sockaddr_storage *);      /* family 0: of none that we know */
socklen_t address_to_socket(const struct address *, uint16_t port, struct sockaddr_storage *out);
enum came came_of_errno(int error);
/* A socket on its way to there, not blocking. -1 with `*came` when it failed at once; `*came` is CAME when it stands
 * already, CAME_NOTHING when it will be writable once it stands or failed. */
int       net_dial(const struct address *, uint16_t port, int type, enum came *came);
enum came net_dialled(int fd);

/* stream.c */
/* `port`: as whoever wanted the connection named it; 0 for one that was accepted. */
void stream_open(struct net *, struct line *, int fd, uint16_t port);
void stream_read(struct runner *);
void stream_write(struct runner *);
void stream_tls(struct runner *);
void streams_shut(struct net *);

/* listen.c */
void listeners_pause(struct net *);      /* for good: the net is being stopped */
void listeners_free(struct net *);

/* dns.c */
void   dns_begin(struct runner *);
size_t resolvers_read(const char *path, struct net_resolver out[NET_RESOLVERS]);

/* http.c */
void http_begin(struct runner *);
void curl_side_free(struct curl_side *);

/* ticket.c */
void ticket_begin(struct runner *);
void tickets_close(struct net *);      /* whose threads may outlive the net: each until the library lets go of it */

#endif
