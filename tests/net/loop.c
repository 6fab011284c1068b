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

TEST(an_unreadable_ca_file_is_a_local_fault)
{
	struct net_settings s = { .ca_file = "/nonexistent/ca.pem" };
	struct error        err = { 0 };

	EXPECT(net_new(&s, &err) == NULL && err.fault == FAULT_LOCAL);
	s.ca_file = "/dev/null";
	err = (struct error){ 0 };
	EXPECT(net_new(&s, &err) == NULL && err.fault == FAULT_LOCAL);
}
