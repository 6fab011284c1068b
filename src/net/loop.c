#include "net/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

#define STOP_MS      5000
#define LATE_ANSWERS 50
#define TURNS_UNPOLLED 3

int64_t net_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t net_now_ms(const struct net *n)
{
	return net_clock_us() / 1000 - n->began_ms;
}

void net_alarm(struct event *timer, int64_t ms)
{
	struct timeval tv = { 0 };

	if (ms > 0)
		tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(timer, &tv);
}

struct tls_trust *net_trust(struct net *n, struct error *err)
{
	int64_t before;

	if (n->trust)
		return n->trust;
	before = net_clock_us();
	n->trust = tls_trust_new(n->ca_file, err);
	n->costs.trust_us += net_clock_us() - before;
	return n->trust;
}

bool net_serve_tls(struct net *n, const char *certificate_file, const char *key_file, struct error *err)
{
	struct tls_trust *trust = net_trust(n, err);

	return trust && tls_trust_show(trust, certificate_file, key_file, err);
}

bool net_own_trust_check(const struct own_trust *trust, struct error *err)
{
	return tls_own_check(trust, err);
}

struct net_costs net_costs(const struct net *n)
{
	return n->costs;
}

/* -- a wait and its end ------------------------------------------------------------------------------------------- */

static void leave(struct runner *r)
{
	if (r->in)
		TAILQ_REMOVE(r->in, r, queue);
	r->in = NULL;
}

static void enter(struct runner *r, struct runner_queue *queue)
{
	leave(r);
	TAILQ_INSERT_TAIL(queue, r, queue);
	r->in = queue;
	r->turn = r->net->turn;
}

/* Only those who stood there when this turn began: one who always comes back at once must not starve the sockets. */
static struct runner *next_of_this_turn(const struct net *n, const struct runner_queue *queue)
{
	struct runner *r = TAILQ_FIRST(queue);

	return r && r->turn != n->turn ? r : NULL;
}

void runner_answer(struct runner *r, enum came came)
{
	assert(r->waiting);
	r->waiting = false;
	r->wait = NULL;
	evtimer_del(&r->timer);
	r->want.came = came;
	enter(r, &r->net->ready);
}

void runner_waits_for(struct runner *r, struct wait *w, enum came (*stop)(struct wait *, enum came))
{
	w->runner = r;
	w->stop = stop;
	r->wait = w;
}

static void settle_children(struct runner *, enum came);

static void break_off(struct runner *r, enum came came)
{
	if (r->want.kind == WANT_CHILDREN)
		return settle_children(r, came);
	if (r->wait)
		came = r->wait->stop(r->wait, came);
	runner_answer(r, came);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void set_timer(struct runner *r)
{
	net_alarm(&r->timer, earlier(r->wait_ends_ms, r->life_ends_ms) - net_now_ms(r->net));
}

static void time_is_up(evutil_socket_t fd, short what, void *self)
{
	struct runner *r = self;
	int64_t        now = net_now_ms(r->net);

	(void)fd, (void)what;
	if (now < earlier(r->wait_ends_ms, r->life_ends_ms))
		set_timer(r);
	else if (r->want.kind == WANT_CHILDREN && now >= r->life_ends_ms)
		return;     /* their lives are over as well: the last of them to end answers this wait */
	else if (r->want.kind == WANT_TIME && now < r->life_ends_ms)
		break_off(r, CAME);
	else
		break_off(r, CAME_TIMEOUT);
}

/* -- children ----------------------------------------------------------------------------------------------------- */

static struct runner *runner_new(struct net *, struct task *, struct runner *parent);

static void finish(struct runner *r, enum task_state state)
{
	struct net *n = r->net;

	TAILQ_REMOVE(&n->all, r, all);
	leave(r);
	evtimer_del(&r->timer);
	r->task->state = state;
	r->task->ms = (int)(net_now_ms(n) - r->began_ms);
	r->task->carrier = NULL;
	if (r->ended)
		enter(r, &n->over);
	else
		free(r);
}

static bool cancel_all(struct children *);

/* Ends it now or, where it does an errand (or a child of it does), as soon as that is answered: an errand is done in its memory. */
static void cancel(struct runner *r)
{
	bool ends_later = r == r->net->stepping || (r->waiting && r->want.kind == WANT_COMMIT);

	if (r->cancelled)
		return;
	if (r->waiting && r->want.kind == WANT_CHILDREN && !cancel_all(r->want.children)) {
		r->settled = CAME_CANCELLED;
		ends_later = true;
	}
	if (ends_later) {
		r->cancelled = true;
		return;
	}
	if (r->wait)
		r->wait->stop(r->wait, CAME_CANCELLED);
	finish(r, TASK_CANCELLED);
}

/* True when none of them runs any more. */
static bool cancel_all(struct children *c)
{
	bool gone = true;

	for (size_t i = 0; i < c->count; i++) {
		if (c->task[i]->state == TASK_RUNNING)
			cancel(c->task[i]->carrier);
		else if (c->task[i]->state == TASK_NEW)
			c->task[i]->state = TASK_CANCELLED;
		gone &= c->task[i]->state != TASK_RUNNING;
	}
	return gone;
}

/* The first word on how this wait ends is the last; it is given when no child runs any more. */
static void settle_children(struct runner *r, enum came came)
{
	if (r->settled == CAME_NOTHING)
		r->settled = came;
	if (cancel_all(r->want.children))
		runner_answer(r, r->settled);
}

static bool suffices(const struct children *c)
{
	size_t running = 0, done = 0;

	for (size_t i = 0; i < c->count; i++) {
		running += c->task[i]->state == TASK_RUNNING || c->task[i]->state == TASK_NEW;
		done += c->task[i]->state == TASK_DONE;
	}
	return running == 0 || (c->until == UNTIL_ONE && done > 0);
}

static void answer_if_children_suffice(struct runner *r)
{
	if (!suffices(r->want.children))
		return;
	if (r->called_off)
		settle_children(r, CAME_CANCELLED);
	else
		settle_children(r, net_now_ms(r->net) >= r->life_ends_ms ? CAME_TIMEOUT : CAME);
}

static void children_begin(struct runner *r)
{
	struct children *c = r->want.children;

	r->called_off = false;
	r->settled = CAME_NOTHING;
	if (!suffices(c))
		for (size_t i = 0; i < c->count; i++)
			if (c->task[i]->state == TASK_NEW)
				runner_new(r->net, c->task[i], r);
	answer_if_children_suffice(r);
}

/* -- errands ------------------------------------------------------------------------------------------------------ */

/* In the loop. */
static void errand_over(struct net_post *p)
{
	runner_answer((struct runner *)((char *)p - offsetof(struct runner, errand_over)), CAME);
}

/* On any thread; also from inside begin(). */
static void errand_answered(struct errand *e)
{
	struct runner *r = e->carrier;

	net_post(r->net, &r->errand_over);
}

static void commit_begin(struct runner *r)
{
	struct errand *e = r->want.errand;

	e->carrier = r;
	e->answered = errand_answered;
	r->errand_over.run = errand_over;
	e->begin(e);
}

/* -- time and gates ----------------------------------------------------------------------------------------------- */

static void time_begin(struct runner *r)
{
	(void)r;      /* the timer is set already */
}

static void gate_begin(struct runner *r)
{
	if (r->want.gate->open)
		runner_answer(r, CAME);
	else
		enter(r, &r->net->gates);
}

static void pass_open_gates(struct net *n)
{
	struct runner *r, *next;

	for (r = TAILQ_FIRST(&n->gates); r; r = next) {
		next = TAILQ_NEXT(r, queue);
		if (r->want.gate->open)
			runner_answer(r, CAME);
	}
}

/* -- a task ------------------------------------------------------------------------------------------------------- */

static void (*const begin[])(struct runner *) = {
	[WANT_CONNECT] = connect_begin, [WANT_READ] = stream_read,  [WANT_WRITE] = stream_write,
	[WANT_TLS]     = stream_tls,    [WANT_DNS]  = dns_begin,    [WANT_HTTP]  = http_begin,
	[WANT_TICKET]  = ticket_begin,
	[WANT_TIME]    = time_begin,    [WANT_GATE] = gate_begin,   [WANT_CHILDREN] = children_begin,
};

static struct runner *runner_new(struct net *n, struct task *t, struct runner *parent)
{
	struct runner *r = must_alloc(sizeof *r);

	r->net = n;
	r->task = t;
	r->parent = parent;
	r->want.came = CAME_NOTHING;
	r->began_ms = net_now_ms(n);
	r->life_ends_ms = parent ? parent->life_ends_ms : INT64_MAX;
	if (t->wait_ms > 0)
		r->life_ends_ms = earlier(r->life_ends_ms, r->began_ms + t->wait_ms);
	if (n->stopping)
		r->life_ends_ms = earlier(r->life_ends_ms, n->stop_ends_ms);
	evtimer_assign(&r->timer, n->base, time_is_up, r);
	t->state = TASK_RUNNING;
	t->err = (struct error){ 0 };
	t->carrier = r;
	TAILQ_INSERT_TAIL(&n->all, r, all);
	enter(r, &n->ready);
	return r;
}

static void end(struct runner *r, enum task_state state)
{
	struct runner *parent = r->parent;

	finish(r, state);
	if (parent)
		answer_if_children_suffice(parent);
}

/* The task's life is over: it gets no more time, only the chance to clean up and to say what it knows. */
static void answer_late(struct runner *r)
{
	if (r->answered_late++ == LATE_ANSWERS) {
		fail(&r->task->err, FAULT_TIMEOUT, "went on waiting after its time was up");
		r->waiting = false;
		return end(r, TASK_FAILED);
	}
	if (r->want.kind == WANT_TLS) {
		*r->want.tls = (struct tls_answer){ .alert = -1 };
		line_close(r->want.line);
	}
	if (r->want.kind == WANT_CHILDREN)
		cancel_all(r->want.children);
	runner_answer(r, CAME_TIMEOUT);
}

static void wait_for(struct runner *r, enum want_kind kind)
{
	int64_t now = net_now_ms(r->net);

	assert(kind <= WANT_CHILDREN);
	r->want.kind = kind;
	r->waiting = true;
	if (kind == WANT_COMMIT)
		return commit_begin(r);
	if (now >= r->life_ends_ms)
		return answer_late(r);
	r->wait_ends_ms = now + r->want.wait_ms;
	begin[kind](r);
	if (r->waiting)
		set_timer(r);
}

static void step(struct runner *r)
{
	struct task   *t = r->task;
	enum want_kind kind;

	if (r->cancelled)
		return end(r, TASK_CANCELLED);
	r->want.now_ms = net_now_ms(r->net);
	r->want.now_unix = time(NULL);
	r->want.stopping = r->net->stopping;
	r->net->stepping = r;
	kind = t->step(t->self, &r->want, &t->err);
	r->net->stepping = NULL;
	if (r->cancelled)
		end(r, TASK_CANCELLED);
	else if (kind == WANT_NOTHING || kind == WANT_FAILED)
		end(r, kind == WANT_NOTHING ? TASK_DONE : TASK_FAILED);
	else
		wait_for(r, kind);
}

/* -- stopping ----------------------------------------------------------------------------------------------------- */

/* Before each step, so that no wait which was asked for in the knowledge of the stop is taken away by it. */
static void notice_stop(struct net *n)
{
	struct runner *r;

	if (n->stopping || !atomic_load(&n->stop))
		return;
	n->stopping = true;
	n->stop_ends_ms = net_now_ms(n) + STOP_MS;
	listeners_pause(n);
	TAILQ_FOREACH(r, &n->all, all) {
		r->life_ends_ms = earlier(r->life_ends_ms, n->stop_ends_ms);
		if (r->waiting && r->want.kind == WANT_CHILDREN) {
			r->called_off = true;
			set_timer(r);
		} else if (r->waiting && r->want.kind != WANT_COMMIT) {
			break_off(r, CAME_CANCELLED);
		}
	}
}

/* -- the loop ----------------------------------------------------------------------------------------------------- */

static void step_the_ready(struct net *n)
{
	struct runner *r;

	n->turn++;
	notice_stop(n);
	while ((r = next_of_this_turn(n, &n->ready))) {
		leave(r);
		step(r);
		notice_stop(n);
	}
}

/* Each is the caller's again when it is told, to be freed or begun anew. Who ends meanwhile is for the next turn. */
static void tell_the_ended(struct net *n)
{
	struct runner_queue over = TAILQ_HEAD_INITIALIZER(over);
	struct runner      *r, *next;

	TAILQ_CONCAT(&over, &n->over, queue);
	for (r = TAILQ_FIRST(&over); r; r = next) {
		struct task *t = r->task;
		void       (*ended)(struct task *) = r->ended;

		next = TAILQ_NEXT(r, queue);
		free(r);
		ended(t);
	}
}

static void turn(struct net *n)
{
	posts_run(n);
	step_the_ready(n);
	tell_the_ended(n);
	/* as the last one: whoever was told of an end may have opened one */
	pass_open_gates(n);
}

/* Who reads what pours in comes back at once, again and again: in between, the others' sockets are looked at every few turns. */
static void wait_for_events(struct net *n)
{
	bool idle = TAILQ_EMPTY(&n->ready) && TAILQ_EMPTY(&n->over);

	if (!idle && n->unpolled++ < TURNS_UNPOLLED)
		return;
	n->unpolled = 0;
	event_base_loop(n->base, idle ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

bool net_run(struct net *n, struct task *task)
{
	assert(!n->running);
	n->running = true;
	runner_new(n, task, NULL);
	for (turn(n); task->state == TASK_RUNNING; turn(n))
		wait_for_events(n);
	n->running = false;
	return task->state == TASK_DONE;
}

void net_serve(struct net *n)
{
	assert(!n->running);
	n->running = true;
	for (turn(n); !n->stopping || !TAILQ_EMPTY(&n->all) || !TAILQ_EMPTY(&n->over); turn(n))
		wait_for_events(n);
	n->running = false;
}

void net_start(struct net *n, struct task *t, void (*ended)(struct task *))
{
	struct runner *r = runner_new(n, t, NULL);

	r->ended = ended;
	if (atomic_load(&n->stop))
		cancel(r);
}

void net_cancel(struct net *n, struct task *t)
{
	struct runner *r = t->carrier;

	if (t->state != TASK_RUNNING)
		return;
	assert(r->net == n && !r->parent);
	cancel(r);
}

/* Those that were started and never ran to their end, and nobody is told any more. */
static void forget_tasks(struct net *n)
{
	struct runner *r, *next;

	/* backwards, since children stand behind their parents and go with them */
	for (r = TAILQ_LAST(&n->all, runner_queue); r; r = next) {
		next = TAILQ_PREV(r, runner_queue, all);
		if (!r->parent) {
			r->ended = NULL;
			cancel(r);
		}
	}
	assert(TAILQ_EMPTY(&n->all));      /* or an errand is still to be answered, in what would be freed here */
	for (r = TAILQ_FIRST(&n->over); r; r = next) {
		next = TAILQ_NEXT(r, queue);
		free(r);
	}
}

static void *copy_array(const void *from, size_t count, size_t size)
{
	void *copy = must_alloc(count * size);

	return count ? memcpy(copy, from, count * size) : copy;
}

static bool start_loop(struct net *n)
{
	struct event_config *config = event_config_new();

	if (config) {
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
		n->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	return n->base && posts_init(n);
}

struct net *net_new(const struct net_settings *settings, struct error *err)
{
	struct net *n = must_alloc(sizeof *n);

	TAILQ_INIT(&n->all);
	TAILQ_INIT(&n->ready);
	TAILQ_INIT(&n->gates);
	TAILQ_INIT(&n->over);
	TAILQ_INIT(&n->streams);
	TAILQ_INIT(&n->listeners);
	pthread_mutex_init(&n->post_lock, NULL);
	n->last_post = &n->posts;
	n->wake_fd = -1;
	n->began_ms = net_clock_us() / 1000;
	n->settings = *settings;
	n->settings.connect_to = n->places =
		copy_array(settings->connect_to, settings->connect_to_count, sizeof *settings->connect_to);
	n->settings.allow = n->allow = copy_array(settings->allow, settings->allow_count, sizeof *settings->allow);
	n->user_agent = must_copy(settings->user_agent ? settings->user_agent : "mailmoor");
	n->ca_file = settings->ca_file ? must_copy(settings->ca_file) : NULL;
	n->resolvers_known = settings->resolver_count > 0;
	if (!start_loop(n)) {
		fail(err, FAULT_LOCAL, "no event loop: out of file descriptors?");
		net_free(n);
		return NULL;
	}
	if (n->ca_file && !net_trust(n, err)) {
		net_free(n);
		return NULL;
	}
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	assert(!n->running);
	forget_tasks(n);
	listeners_free(n);
	streams_shut(n);
	curl_side_free(n->curl);
	tickets_close(n);
	tls_trust_free(n->trust);
	posts_release(n);
	if (n->base)
		event_base_free(n->base);
	free(n->places);
	free(n->allow);
	free(n->user_agent);
	free(n->ca_file);
	free(n);
}
