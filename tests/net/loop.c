#include "peer.h"

#include <signal.h>
#include <sys/time.h>

static struct net *net_plain(void)
{
	struct net_settings s = { 0 };
	struct net         *n = net_new(&s, NULL);

	EXPECT(n != NULL);
	return n;
}

/* Waits `naps` times `nap_ms`, then ends as told. */
struct sleeper {
	int            naps, nap_ms;
	bool           fails, never_ends;
	int            answers;
	enum came      came;
	int64_t        ended_ms;
	bool           saw_stopping;
};

static enum want_kind sleeper_step(void *self, struct want *w, struct error *err)
{
	struct sleeper *s = self;

	if (s->answers++ > 0)
		s->came = want_came(w);
	s->saw_stopping = w->stopping;
	s->ended_ms = w->now_ms;
	if (s->never_ends || (s->naps-- > 0 && s->came != CAME_CANCELLED && s->came != CAME_TIMEOUT))
		return want_time(w, s->nap_ms);
	if (s->fails)
		return fail(err, FAULT_REFUSED, "no"), WANT_FAILED;
	return WANT_NOTHING;
}

TEST(time_passes_and_is_told)
{
	struct net    *n = net_plain();
	struct sleeper s = { .naps = 2, .nap_ms = 30 };
	struct task    t = { .step = sleeper_step, .self = &s };
	int64_t        before = ms_now();

	EXPECT(net_run(n, &t));
	EXPECT(t.state == TASK_DONE && s.answers == 3);
	EXPECT(ms_now() - before >= 60 && ms_now() - before < 500);
	EXPECT(s.ended_ms >= 60 && t.ms >= 60);
	EXPECT(s.came == CAME);
	net_free(n);
}

TEST(a_failed_task_says_why)
{
	struct net    *n = net_plain();
	struct sleeper s = { .fails = true };
	struct task    t = { .step = sleeper_step, .self = &s };

	EXPECT(!net_run(n, &t));
	EXPECT(t.state == TASK_FAILED && t.err.fault == FAULT_REFUSED);
	net_free(n);
}

TEST(a_life_that_is_over_gets_timeouts_at_once)
{
	struct net    *n = net_plain();
	struct sleeper s = { .never_ends = true, .nap_ms = 60000 };
	struct task    t = { .step = sleeper_step, .self = &s, .wait_ms = 50 };
	int64_t        before = ms_now();

	EXPECT(!net_run(n, &t));
	EXPECT(t.state == TASK_FAILED && t.err.fault == FAULT_TIMEOUT);
	EXPECT(s.came == CAME_TIMEOUT && s.answers >= 51 && s.answers <= 53);
	EXPECT(ms_now() - before >= 50 && ms_now() - before < 1000);
	net_free(n);
}

/* -- children ----------------------------------------------------------------------------------------------------- */

struct parent {
	struct children     children;
	struct task         task[4];
	struct sleeper      child[4];
	size_t              count;
	enum children_until until;
	int                 wait_ms;
	bool                asked;
	enum came           came;
	int64_t             ended_ms;
};

static enum want_kind parent_step(void *self, struct want *w, struct error *err)
{
	struct parent *p = self;

	(void)err;
	p->ended_ms = w->now_ms;
	if (p->asked) {
		p->came = want_came(w);
		return WANT_NOTHING;
	}
	p->asked = true;
	children_init(&p->children, p->until);
	for (size_t i = 0; i < p->count; i++)
		children_add(&p->children, &p->task[i], sleeper_step, &p->child[i], 0);
	return want_children(w, &p->children, p->wait_ms);
}

TEST(children_until_all)
{
	struct net   *n = net_plain();
	struct parent p = { .count = 3, .wait_ms = 5000,
		.child = { { .naps = 1, .nap_ms = 150 }, { .fails = true }, { .naps = 1, .nap_ms = 200 } } };
	struct task   t = { .step = parent_step, .self = &p };

	EXPECT(net_run(n, &t) && p.came == CAME);
	EXPECT(p.task[0].state == TASK_DONE && p.task[1].state == TASK_FAILED && p.task[2].state == TASK_DONE);
	EXPECT(p.task[1].err.fault == FAULT_REFUSED);
	EXPECT(p.task[2].ms >= 200 && p.task[0].ms >= 150);
	EXPECT(p.ended_ms < 345);      /* side by side */
	net_free(n);
}

TEST(children_until_one)
{
	struct net   *n = net_plain();
	struct parent p = { .count = 3, .wait_ms = 5000, .until = UNTIL_ONE,
		.child = { { .naps = 1, .nap_ms = 60000 }, { .fails = true }, { .naps = 1, .nap_ms = 30 } } };
	struct task   t = { .step = parent_step, .self = &p };

	EXPECT(net_run(n, &t) && p.came == CAME);
	EXPECT(p.task[0].state == TASK_CANCELLED && p.task[1].state == TASK_FAILED && p.task[2].state == TASK_DONE);
	EXPECT(p.child[0].answers == 1);     /* never stepped again */
	net_free(n);
}

TEST(children_all_fail_until_one)
{
	struct net   *n = net_plain();
	struct parent p = { .count = 2, .wait_ms = 5000, .until = UNTIL_ONE, .child = { { .fails = true },
		{ .fails = true } } };
	struct task   t = { .step = parent_step, .self = &p };

	EXPECT(net_run(n, &t) && p.came == CAME && p.task[1].state == TASK_FAILED);
	net_free(n);
}

TEST(children_none)
{
	struct net   *n = net_plain();
	struct parent p = { .count = 0, .wait_ms = 5000 };
	struct task   t = { .step = parent_step, .self = &p };

	EXPECT(net_run(n, &t) && p.came == CAME);
	net_free(n);
}

TEST(children_are_cancelled_when_the_wait_is_over)
{
	struct net   *n = net_plain();
	struct parent p = { .count = 2, .wait_ms = 50, .child = { { .naps = 1, .nap_ms = 60000 }, { .naps = 1,
		.nap_ms = 10 } } };
	struct task   t = { .step = parent_step, .self = &p };

	EXPECT(net_run(n, &t) && p.came == CAME_TIMEOUT);
	EXPECT(p.task[0].state == TASK_CANCELLED && p.task[1].state == TASK_DONE);
	net_free(n);
}

TEST(children_share_the_end_of_their_parent)
{
	struct net   *n = net_plain();
	struct parent p = { .count = 2, .wait_ms = 60000, .child = { { .naps = 1, .nap_ms = 60000 }, { .naps = 1,
		.nap_ms = 60000, .fails = true } } };
	struct task   t = { .step = parent_step, .self = &p, .wait_ms = 50 };

	EXPECT(net_run(n, &t) && p.came == CAME_TIMEOUT);
	EXPECT(p.child[0].came == CAME_TIMEOUT && p.task[0].state == TASK_DONE);
	EXPECT(p.child[1].came == CAME_TIMEOUT && p.task[1].err.fault == FAULT_REFUSED);
	net_free(n);
}

/* Children of children of children. */
struct generation {
	struct children   children;
	struct task       task[2];
	struct generation *below[2];
	struct sleeper    *leaf;
	enum children_until until;
	bool              asked;
	enum came         came;
};

static enum want_kind generation_step(void *self, struct want *w, struct error *err)
{
	struct generation *g = self;

	if (g->leaf)
		return sleeper_step(g->leaf, w, err);
	if (g->asked) {
		g->came = want_came(w);
		return WANT_NOTHING;
	}
	g->asked = true;
	children_init(&g->children, g->until);
	for (size_t i = 0; i < 2 && g->below[i]; i++)
		children_add(&g->children, &g->task[i], generation_step, g->below[i], 0);
	return want_children(w, &g->children, 60000);
}

TEST(children_nest)
{
	struct net       *n = net_plain();
	struct sleeper    quick = { .naps = 1, .nap_ms = 20 }, slow = { .naps = 1, .nap_ms = 60000 };
	struct generation leaf[2] = { { .leaf = &quick }, { .leaf = &slow } };
	struct generation middle = { .below = { &leaf[0], &leaf[1] } };
	struct generation top = { .below = { &middle } };
	struct task       t = { .step = generation_step, .self = &top, .wait_ms = 80 };

	EXPECT(net_run(n, &t));
	EXPECT(top.came == CAME_TIMEOUT && middle.came == CAME_TIMEOUT);
	EXPECT(middle.task[0].state == TASK_DONE && quick.came == CAME && slow.came == CAME_TIMEOUT);
	net_free(n);
}

TEST(children_of_cancelled_children_are_cancelled)
{
	struct net       *n = net_plain();
	struct sleeper    slow = { .naps = 1, .nap_ms = 60000 }, quick = { .naps = 1, .nap_ms = 20 };
	struct generation leaf[2] = { { .leaf = &slow }, { .leaf = &quick } };
	struct generation middle = { .below = { &leaf[0] } };
	struct generation top = { .below = { &middle, &leaf[1] }, .until = UNTIL_ONE };
	struct task       t = { .step = generation_step, .self = &top };

	EXPECT(net_run(n, &t) && top.came == CAME);
	EXPECT(top.task[0].state == TASK_CANCELLED && top.task[1].state == TASK_DONE);
	EXPECT(middle.task[0].state == TASK_CANCELLED && slow.answers == 1 && !middle.task[0].carrier);
	net_free(n);
}

/* -- gates -------------------------------------------------------------------------------------------------------- */

struct gatekeeper {
	struct gate     gate;
	struct children children;
	struct task     task[2];
	bool            asked, opens, waiter_asked;
	enum came       waiter_came, came;
	int             after_ms;
};

static enum want_kind opener_step(void *self, struct want *w, struct error *err)
{
	struct gatekeeper *g = self;

	(void)err;
	if (want_came(w) == CAME_NOTHING)
		return want_time(w, g->after_ms);
	g->gate.open = g->opens;
	return WANT_NOTHING;
}

static enum want_kind waiter_step(void *self, struct want *w, struct error *err)
{
	struct gatekeeper *g = self;

	(void)err;
	if (!g->waiter_asked) {
		g->waiter_asked = true;
		return want_gate(w, &g->gate, 120);
	}
	g->waiter_came = want_came(w);
	return WANT_NOTHING;
}

static enum want_kind gatekeeper_step(void *self, struct want *w, struct error *err)
{
	struct gatekeeper *g = self;

	(void)err;
	if (g->asked) {
		g->came = want_came(w);
		return WANT_NOTHING;
	}
	g->asked = true;
	children_init(&g->children, UNTIL_ALL);
	children_add(&g->children, &g->task[0], waiter_step, g, 0);
	children_add(&g->children, &g->task[1], opener_step, g, 0);
	return want_children(w, &g->children, 5000);
}

TEST(gate_opened_by_another)
{
	static const struct { bool open_before, opens; enum came came; } rows[] = {
		{ false, true, CAME }, { false, false, CAME_TIMEOUT }, { true, false, CAME },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net       *n = net_plain();
		struct gatekeeper g = { .gate.open = rows[i].open_before, .opens = rows[i].opens, .after_ms = 20 };
		struct task       t = { .step = gatekeeper_step, .self = &g };

		EXPECT(net_run(n, &t) && g.came == CAME);
		EXPECT(g.waiter_came == rows[i].came);
		EXPECT(g.task[0].ms < 90 || rows[i].came == CAME_TIMEOUT);
		net_free(n);
	}
}

/* -- stop --------------------------------------------------------------------------------------------------------- */

static struct net *to_stop;

static void on_alarm(int number)
{
	(void)number;
	net_stop(to_stop);
}

/* From a signal handler, as a Ctrl-C would. */
static void stop_soon(struct net *n)
{
	struct itimerval soon = { .it_value.tv_usec = 30 * 1000 };

	to_stop = n;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* Two naps of which the first is called off; the second, for cleaning up, is granted. */
struct cleaner {
	int       at;
	int       clean_ms;
	enum came first, second;
	bool      stopping_before, stopping_after;
};

static enum want_kind cleaner_step(void *self, struct want *w, struct error *err)
{
	struct cleaner *c = self;

	(void)err;
	switch (c->at++) {
	case 0:
		c->stopping_before = w->stopping;
		return want_time(w, 60000);
	case 1:
		c->first = want_came(w);
		c->stopping_after = w->stopping;
		return want_time(w, c->clean_ms);
	default:
		c->second = want_came(w);
		return WANT_NOTHING;
	}
}

struct two_cleaners {
	struct children children;
	struct task     task[2];
	struct cleaner  c[2];
	bool            asked, stopping;
	enum came       came;
};

static enum want_kind two_cleaners_step(void *self, struct want *w, struct error *err)
{
	struct two_cleaners *s = self;

	(void)err;
	if (s->asked) {
		s->came = want_came(w);
		s->stopping = w->stopping;
		return WANT_NOTHING;
	}
	s->asked = true;
	children_init(&s->children, UNTIL_ALL);
	for (size_t i = 0; i < 2; i++)
		children_add(&s->children, &s->task[i], cleaner_step, &s->c[i], 0);
	return want_children(w, &s->children, 60000);
}

TEST(stop_calls_off_once_and_lets_clean_up)
{
	struct net         *n = net_plain();
	struct two_cleaners s = { .c = { { .clean_ms = 40 }, { .clean_ms = 40 } } };
	struct task         t = { .step = two_cleaners_step, .self = &s };

	stop_soon(n);
	EXPECT(net_run(n, &t));
	for (size_t i = 0; i < 2; i++) {
		EXPECT(s.c[i].first == CAME_CANCELLED && !s.c[i].stopping_before && s.c[i].stopping_after);
		EXPECT(s.c[i].second == CAME && s.task[i].ms >= 70 && s.task[i].ms < 1000);
	}
	EXPECT(s.came == CAME_CANCELLED && s.stopping);
	net_free(n);
}

TEST(stop_grants_five_seconds_in_all)
{
	struct net    *n = net_plain();
	struct cleaner c = { .clean_ms = 600000 };
	struct task    t = { .step = cleaner_step, .self = &c };
	int64_t        before = ms_now();

	stop_soon(n);
	EXPECT(net_run(n, &t));
	EXPECT(c.first == CAME_CANCELLED && c.second == CAME_TIMEOUT);
	EXPECT(ms_now() - before >= 5000 && ms_now() - before < 5600);
	net_free(n);
}

TEST(stop_before_the_run_is_seen_by_the_first_step)
{
	struct net    *n = net_plain();
	struct sleeper s = { .naps = 1, .nap_ms = 20 };
	struct task    t = { .step = sleeper_step, .self = &s };

	net_stop(n);
	EXPECT(net_run(n, &t) && s.saw_stopping && s.came == CAME);     /* granted, not called off */
	net_free(n);
}

/* -- errands ------------------------------------------------------------------------------------------------------ */

/* Does one errand after the other, and says how each wait came. */
struct runner_of_errands {
	struct errand errand;
	void        (*begin)(struct errand *);
	int           errands, begun, done, naps_after;
	enum came     came, after;
	bool          stopping;
};

static enum want_kind errands_step(void *self, struct want *w, struct error *err)
{
	struct runner_of_errands *e = self;

	(void)err;
	if (e->begun > e->done) {
		e->came = want_came(w);
		e->done += e->came == CAME;
	} else if (e->begun) {
		e->after = want_came(w);
	}
	e->stopping = w->stopping;
	if (e->begun < e->errands) {
		e->begun++;
		e->errand.begin = e->begin;
		return want_commit(w, &e->errand);
	}
	return e->naps_after-- > 0 ? want_time(w, 60000) : WANT_NOTHING;
}

/* What a writer of a store is: a thread that does one thing after the other. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t  changed;
	struct errand  *errand[8];
	size_t          count;
	bool            over;
} desk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void to_the_desk(struct errand *e)
{
	pthread_mutex_lock(&desk.lock);
	desk.errand[desk.count++] = e;
	pthread_cond_signal(&desk.changed);
	pthread_mutex_unlock(&desk.lock);
}

static void *desk_thread(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&desk.lock);
	for (;;) {
		struct errand *e;

		while (!desk.count && !desk.over)
			pthread_cond_wait(&desk.changed, &desk.lock);
		if (!desk.count)
			break;
		e = desk.errand[--desk.count];
		pthread_mutex_unlock(&desk.lock);
		errand_done(e);
		pthread_mutex_lock(&desk.lock);
	}
	pthread_mutex_unlock(&desk.lock);
	return NULL;
}

struct two_errands {
	struct children          children;
	struct task              task[2];
	struct runner_of_errands does[2];
	bool                     asked;
};

static enum want_kind two_errands_step(void *self, struct want *w, struct error *err)
{
	struct two_errands *t = self;

	(void)err;
	if (t->asked)
		return WANT_NOTHING;
	t->asked = true;
	children_init(&t->children, UNTIL_ALL);
	for (size_t i = 0; i < 2; i++)
		children_add(&t->children, &t->task[i], errands_step, &t->does[i], 0);
	return want_children(w, &t->children, 60000);
}

TEST(errands_are_answered_at_once_and_by_another_thread)
{
	struct two_errands t = { .does = { { .begin = errand_done, .errands = 2000 },
		{ .begin = to_the_desk, .errands = 2000 } } };
	struct task        task = { .step = two_errands_step, .self = &t };
	struct net        *n = net_plain();
	pthread_t          thread;

	EXPECT(pthread_create(&thread, NULL, desk_thread, NULL) == 0);
	EXPECT(net_run(n, &task));
	/* the net may go as soon as the last errand is answered: the thread that did it must not be in it any more */
	net_free(n);
	EXPECT(t.does[0].done == 2000 && t.does[1].done == 2000);
	pthread_mutex_lock(&desk.lock);
	desk.over = true;
	pthread_cond_signal(&desk.changed);
	pthread_mutex_unlock(&desk.lock);
	pthread_join(thread, NULL);
}

/* Beside what is looked at, one who answers the errand after a while, and sees what was the case until then. */
struct released {
	struct children          children;
	struct task              task[2];
	struct task              leaf_task[2], branch_task;
	struct children          leaves, branch;
	struct runner_of_errands errand;
	struct sleeper           quick;
	enum children_until      until;
	int                      wait_ms, errand_life_ms;
	bool                     deep, asked, race_asked, deep_asked;
	int                      at;
	enum task_state          before;        /* of the errand's task, just before the answer */
	bool                     answered_early;
	enum came                race_came;
};

static struct errand *held;

static void hold(struct errand *e)
{
	held = e;
}

static enum want_kind releaser_step(void *self, struct want *w, struct error *err)
{
	struct released *r = self;

	(void)err;
	if (r->at++ == 0)
		return want_time(w, w->stopping ? 1 : 80);
	if (want_came(w) == CAME_CANCELLED)
		return want_time(w, 40);
	r->before = r->leaf_task[0].state;
	r->answered_early = r->race_came != CAME_NOTHING;
	errand_done(held);
	return WANT_NOTHING;
}

static enum want_kind deep_step(void *self, struct want *w, struct error *err)
{
	struct released *r = self;

	(void)err;
	if (r->deep_asked)
		return WANT_NOTHING;
	r->deep_asked = true;
	children_init(&r->branch, UNTIL_ALL);
	children_add(&r->branch, &r->branch_task, errands_step, &r->errand, 0);
	return want_children(w, &r->branch, 60000);
}

static enum want_kind race_of_errand_step(void *self, struct want *w, struct error *err)
{
	struct released *r = self;

	(void)err;
	if (r->race_asked) {
		r->race_came = want_came(w);
		return WANT_NOTHING;
	}
	r->race_asked = true;
	children_init(&r->leaves, r->until);
	if (r->deep)
		children_add(&r->leaves, &r->leaf_task[0], deep_step, r, 0);
	else
		children_add(&r->leaves, &r->leaf_task[0], errands_step, &r->errand, r->errand_life_ms);
	children_add(&r->leaves, &r->leaf_task[1], sleeper_step, &r->quick, 0);
	return want_children(w, &r->leaves, r->wait_ms);
}

static enum want_kind released_step(void *self, struct want *w, struct error *err)
{
	struct released *r = self;

	(void)err;
	if (r->asked)
		return WANT_NOTHING;
	r->asked = true;
	children_init(&r->children, UNTIL_ALL);
	children_add(&r->children, &r->task[0], race_of_errand_step, r, 0);
	children_add(&r->children, &r->task[1], releaser_step, r, 0);
	return want_children(w, &r->children, 60000);
}

TEST(an_errand_is_never_cut_off)
{
	static const struct {
		const char         *row;
		enum children_until until;
		bool                deep, stops;
		int                 wait_ms, life_ms, quick_ms;
		enum task_state     errand;
		enum came           came, race_came, after;
	} rows[] = {
		{ "alone",                UNTIL_ALL, false, false, 60000, 0,  1,    TASK_DONE,      CAME, CAME,         CAME_NOTHING },
		{ "one was faster",       UNTIL_ONE, false, false, 60000, 0,  1,    TASK_CANCELLED, CAME_NOTHING, CAME, CAME_NOTHING },
		{ "below a slower one",   UNTIL_ONE, true,  false, 60000, 0,  1,    TASK_CANCELLED, CAME_NOTHING, CAME, CAME_NOTHING },
		{ "the wait is over",     UNTIL_ALL, false, false, 20,    0,  5000, TASK_CANCELLED, CAME_NOTHING, CAME_TIMEOUT, CAME_NOTHING },
		{ "the wait, below",      UNTIL_ALL, true,  false, 20,    0,  5000, TASK_CANCELLED, CAME_NOTHING, CAME_TIMEOUT, CAME_NOTHING },
		{ "faster, then over",    UNTIL_ONE, false, false, 20,    0,  1,    TASK_CANCELLED, CAME_NOTHING, CAME, CAME_NOTHING },
		{ "the life is over",     UNTIL_ALL, false, false, 60000, 20, 1,    TASK_DONE,      CAME, CAME,         CAME_TIMEOUT },
		{ "stopped",              UNTIL_ALL, false, true,  60000, 0,  5000, TASK_DONE,      CAME, CAME_CANCELLED, CAME_NOTHING },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net     *n = net_plain();
		struct released r = { .until = rows[i].until, .deep = rows[i].deep, .wait_ms = rows[i].wait_ms,
			.errand_life_ms = rows[i].life_ms, .quick = { .naps = 1, .nap_ms = rows[i].quick_ms },
			.errand = { .begin = hold, .errands = 1, .naps_after = rows[i].after != CAME_NOTHING },
			.race_came = CAME_NOTHING };
		struct task     t = { .step = released_step, .self = &r };

		r.errand.came = r.errand.after = CAME_NOTHING;
		if (rows[i].stops)
			stop_soon(n);
		EXPECT_ROW(net_run(n, &t), rows[i].row);
		EXPECT_ROW(r.before == TASK_RUNNING && !r.answered_early, rows[i].row);
		EXPECT_ROW(r.leaf_task[0].state == rows[i].errand && !r.leaf_task[0].carrier, rows[i].row);
		EXPECT_ROW(!rows[i].deep || r.branch_task.state == rows[i].errand, rows[i].row);
		EXPECT_ROW(r.errand.came == rows[i].came && r.errand.after == rows[i].after, rows[i].row);
		EXPECT_ROW(r.race_came == rows[i].race_came, rows[i].row);
		EXPECT_ROW(r.errand.stopping == rows[i].stops, rows[i].row);
		net_free(n);
	}
}

TEST(an_unreadable_ca_file_is_a_local_fault)
{
	struct net_settings s = { .ca_file = "/nonexistent/ca.pem" };
	struct error        err = { 0 };

	EXPECT(net_new(&s, &err) == NULL && err.fault == FAULT_LOCAL);
	s.ca_file = "/dev/null";
	err = (struct error){ 0 };
	EXPECT(net_new(&s, &err) == NULL && err.fault == FAULT_LOCAL);
}
