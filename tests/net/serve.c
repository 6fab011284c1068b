/* The daemon's loop: tasks that come and go, calls from other threads, connections taken from a listening socket. */
#include "peer.h"

static struct net *net_plain(void)
{
	struct net_settings s = { 0 };
	struct net         *n = net_new(&s, NULL);

	EXPECT(n != NULL);
	return n;
}

/* A task that naps, with what its `ended` saw. `task` comes first: an `ended` finds its way back by it. */
struct napper {
	struct task  task;
	struct net  *net;
	int          nap_ms, naps, steps, told, rounds;
	enum came    came, after;
	bool         stopping, cancels_itself;
	struct task *cancels;
};

static struct {
	struct net *net;
	int         running, told;
	bool        inside;           /* a step, or a call of ours into net/, is under way */
} scene;

static enum want_kind napper_step(void *self, struct want *w, struct error *err)
{
	struct napper *p = self;

	(void)err;
	scene.inside = true;
	if (p->steps++ == 1)
		p->came = want_came(w);
	else if (p->steps > 2)
		p->after = want_came(w);
	p->stopping = w->stopping;
	if (p->cancels)
		net_cancel(p->net, p->cancels);
	if (p->cancels_itself)
		net_cancel(p->net, &p->task);
	scene.inside = false;
	return p->naps-- > 0 ? want_time(w, p->nap_ms) : WANT_NOTHING;
}

static void napper_ended(struct task *t)
{
	struct napper *p = (struct napper *)t;

	EXPECT(!scene.inside && t->state != TASK_RUNNING && !t->carrier);
	p->told++;
	scene.told++;
	if (--scene.running == 0)
		net_stop(scene.net);
}

static void start(struct net *n, struct napper *p, int nap_ms)
{
	*p = (struct napper){ .task = { .step = napper_step, .self = p }, .net = n, .nap_ms = nap_ms, .naps = 1,
		.came = CAME_NOTHING, .after = CAME_NOTHING };
	scene.net = n;
	scene.running++;
	scene.inside = true;
	net_start(n, &p->task, napper_ended);
	scene.inside = false;
	EXPECT(p->steps == 0 && p->task.state == TASK_RUNNING);
}

static void begin_scene(void)
{
	memset(&scene, 0, sizeof scene);
}

/* -- gates, opened where a task's end is told ---------------------------------------------------------------------- */

struct guest {
	struct task guest, opener;
	struct net *net;
	struct gate gate;
	bool        waits;
	enum came   came;
};

static enum want_kind guest_step(void *self, struct want *w, struct error *err)
{
	struct guest *g = self;

	(void)err;
	if (!g->waits) {
		g->waits = true;
		return want_gate(w, &g->gate, 20000);
	}
	g->came = want_came(w);
	net_stop(g->net);
	return WANT_NOTHING;
}

static enum want_kind opener_step(void *self, struct want *w, struct error *err)
{
	(void)self, (void)w, (void)err;
	return WANT_NOTHING;
}

static void opener_ended(struct task *t)
{
	struct guest *g = t->self;

	g->gate.open = true;
}

TEST(a_gate_opened_when_told_of_an_end_lets_pass_at_once)
{
	struct guest g = { .net = net_plain() };
	int64_t      began = ms_now();

	g.guest = (struct task){ .step = guest_step, .self = &g };
	g.opener = (struct task){ .step = opener_step, .self = &g };
	net_start(g.net, &g.guest, NULL);
	net_start(g.net, &g.opener, opener_ended);
	net_serve(g.net);
	EXPECT(g.came == CAME && ms_now() - began < 10000);
	net_free(g.net);
}

/* -- tasks -------------------------------------------------------------------------------------------------------- */

/* Begins anew for some rounds; then it is freed where it is told of its end. */
static void again_or_free(struct task *t)
{
	struct napper *p = (struct napper *)t;
	struct net    *n = p->net;

	scene.told++;
	if (--p->rounds > 0) {
		p->naps = 1;
		*t = (struct task){ .step = napper_step, .self = p };
		net_start(n, t, again_or_free);
		return;
	}
	free(p);
	if (--scene.running == 0)
		net_stop(n);
}

TEST(many_tasks_come_go_and_come_again)
{
	struct net *n = net_plain();

	begin_scene();
	scene.running = 500;
	for (int i = 0; i < 500; i++) {
		struct napper *p = must_alloc(sizeof *p);

		*p = (struct napper){ .task = { .step = napper_step, .self = p }, .net = n, .naps = i % 7 != 0, .nap_ms = 1 + i % 5,
			.rounds = 3 };
		net_start(n, &p->task, again_or_free);
	}
	net_serve(n);
	EXPECT(scene.told == 1500);
	net_free(n);
}

static void never_told(struct task *t)
{
	(void)t;
	EXPECT(!"told");
}

TEST(a_task_nobody_wants_to_be_told_of_and_one_that_never_runs)
{
	struct net   *n = net_plain();
	struct napper quiet = { .task = { .step = napper_step, .self = &quiet }, .naps = 1, .nap_ms = 1 }, told, never = quiet;

	begin_scene();
	net_start(n, &quiet.task, NULL);
	start(n, &told, 30);
	net_serve(n);
	EXPECT(quiet.task.state == TASK_DONE && told.told == 1);
	net_free(n);

	n = net_plain();
	never.task = (struct task){ .step = napper_step, .self = &never };
	never.steps = 0;
	net_start(n, &never.task, never_told);
	net_free(n);
	EXPECT(never.steps == 0 && never.task.state == TASK_CANCELLED);
}

TEST(tasks_go_on_while_another_is_run)
{
	struct net   *n = net_plain();
	struct napper other, run = { .task = { .step = napper_step, .self = &run }, .naps = 1, .nap_ms = 60 };

	begin_scene();
	start(n, &other, 10);
	scene.running++;                  /* nobody stops the net */
	EXPECT(net_run(n, &run.task));
	EXPECT(other.told == 1 && other.task.state == TASK_DONE);
	net_free(n);
}

/* -- cancellation ------------------------------------------------------------------------------------------------- */

static struct errand *held;

static void hold(struct errand *e)
{
	held = e;
}

/* Parent of a sleeping child and one that does an errand. */
struct family {
	struct task     task;
	struct children children;
	struct task     child[2];
	struct errand   errand;
	struct napper   napper;
	int             steps, told, errand_steps;
	bool            with_errand;
};

static enum want_kind errand_step(void *self, struct want *w, struct error *err)
{
	struct family *f = self;

	(void)err;
	if (f->errand_steps++)
		return WANT_NOTHING;
	f->errand.begin = hold;
	return want_commit(w, &f->errand);
}

static enum want_kind family_step(void *self, struct want *w, struct error *err)
{
	struct family *f = self;

	(void)err;
	if (f->steps++)
		return WANT_NOTHING;
	f->napper.naps = 1;
	f->napper.nap_ms = 60000;
	children_init(&f->children, UNTIL_ALL);
	children_add(&f->children, &f->child[0], napper_step, &f->napper, 0);
	if (f->with_errand)
		children_add(&f->children, &f->child[1], errand_step, f, 0);
	return want_children(w, &f->children, 60000);
}

static void family_ended(struct task *t)
{
	struct family *f = (struct family *)t;

	EXPECT(!scene.inside);
	f->told++;
	scene.running--;
}

/* Cancels them all in the middle of it, and answers the errand later. */
struct canceller {
	struct task    task;
	struct net    *net;
	struct napper *asleep, *never, *done;
	struct family *plain, *busy;
	bool           released_after;
	int            at;
};

static enum want_kind canceller_step(void *self, struct want *w, struct error *err)
{
	struct canceller *c = self;

	(void)err;
	switch (c->at++) {
	case 0:
		return want_time(w, 30);
	case 1:
		scene.inside = true;
		start(c->net, c->never, 1);
		scene.inside = true;
		net_cancel(c->net, &c->never->task);
		net_cancel(c->net, &c->asleep->task);
		net_cancel(c->net, &c->done->task);            /* has ended long ago */
		net_cancel(c->net, &c->plain->task);
		net_cancel(c->net, &c->busy->task);
		net_cancel(c->net, &c->busy->task);            /* said twice */
		scene.inside = false;
		EXPECT(c->asleep->task.state == TASK_CANCELLED && c->never->task.state == TASK_CANCELLED);
		EXPECT(c->plain->task.state == TASK_CANCELLED && c->plain->child[0].state == TASK_CANCELLED);
		EXPECT(c->busy->task.state == TASK_RUNNING && c->busy->child[0].state == TASK_CANCELLED);
		EXPECT(c->asleep->told == 0);
		return want_time(w, 30);
	default:
		EXPECT(c->asleep->told == 1 && c->never->told == 1 && c->never->steps == 0 && c->plain->told == 1);
		EXPECT(c->busy->told == 0 && c->busy->child[1].state == TASK_RUNNING);
		c->released_after = true;
		errand_done(held);
		net_stop(c->net);
		return WANT_NOTHING;
	}
}

TEST(cancelled_tasks_end_at_once_or_when_their_errand_does)
{
	struct net      *n = net_plain();
	struct napper    asleep, never, done;
	struct family    plain = { .task = { .step = family_step, .self = &plain } };
	struct family    busy = { .task = { .step = family_step, .self = &busy }, .with_errand = true };
	struct canceller c = { .task = { .step = canceller_step, .self = &c }, .net = n, .asleep = &asleep, .never = &never,
		.done = &done, .plain = &plain, .busy = &busy };

	begin_scene();
	scene.running = 1;                    /* the canceller stops the net */
	start(n, &asleep, 60000);
	start(n, &done, 1);
	net_start(n, &plain.task, family_ended);
	net_start(n, &busy.task, family_ended);
	net_start(n, &c.task, NULL);
	net_serve(n);
	EXPECT(c.released_after && asleep.steps == 1 && done.told == 1 && done.task.state == TASK_DONE);
	EXPECT(busy.told == 1 && busy.task.state == TASK_CANCELLED && busy.child[1].state == TASK_CANCELLED);
	EXPECT(busy.steps == 1 && busy.errand_steps == 1);
	net_free(n);
}

TEST(a_task_may_cancel_itself_and_one_that_stands_in_the_queue)
{
	struct net   *n = net_plain();
	struct napper me, next;

	begin_scene();
	start(n, &me, 60000);
	start(n, &next, 60000);
	me.cancels_itself = true;
	me.cancels = &next.task;
	net_serve(n);
	EXPECT(me.task.state == TASK_CANCELLED && me.steps == 1 && me.told == 1);
	EXPECT(next.task.state == TASK_CANCELLED && next.steps == 0 && next.told == 1);
	net_free(n);
}

/* -- the stop ----------------------------------------------------------------------------------------------------- */

/* Is told of a stop that it caused itself, and starts another one in it. */
struct stopper {
	struct task   task;
	struct net   *net;
	struct napper late;
	int           at;
};

static enum want_kind stopper_step(void *self, struct want *w, struct error *err)
{
	struct stopper *s = self;

	(void)err;
	if (s->at++ == 0)
		return want_time(w, 20);
	net_stop(s->net);
	s->late = (struct napper){ .task = { .step = napper_step, .self = &s->late }, .net = s->net, .naps = 1, .nap_ms = 1 };
	scene.inside = true;
	net_start(s->net, &s->late.task, napper_ended);
	scene.inside = false;
	EXPECT(s->late.told == 0);
	return WANT_NOTHING;
}

TEST(a_stop_is_for_every_task_and_none_begins_after_it)
{
	struct net    *n = net_plain();
	struct stopper s = { .task = { .step = stopper_step, .self = &s }, .net = n };
	struct napper  three[3];

	begin_scene();
	for (size_t i = 0; i < 3; i++)
		start(n, &three[i], i ? 60000 : 40);
	three[0].naps = 2;                    /* the second one, for cleaning up, is granted */
	net_start(n, &s.task, NULL);
	net_serve(n);
	for (size_t i = 0; i < 3; i++) {
		EXPECT(three[i].came == CAME_CANCELLED && three[i].stopping && three[i].told == 1);
		EXPECT(three[i].task.state == TASK_DONE);
	}
	EXPECT(three[0].after == CAME);
	EXPECT(s.late.steps == 0 && s.late.told == 1 && s.late.task.state == TASK_CANCELLED);
	net_free(n);
}

/* -- calls from outside ------------------------------------------------------------------------------------------- */

#define POSTERS 4
#define POSTED  2000

struct call {
	struct net_post post;      /* first: a call finds its way back by it */
	int             poster, number;
};

static struct {
	struct net *net;
	pthread_t   loop;
	int         seen[POSTERS], all;
} post_office;

static void on_call(struct net_post *p)
{
	struct call *c = (struct call *)p;

	EXPECT(pthread_equal(pthread_self(), post_office.loop));
	EXPECT(post_office.seen[c->poster] == c->number);
	post_office.seen[c->poster]++;
	free(c);
	if (++post_office.all == POSTERS * POSTED)
		net_stop(post_office.net);
}

static void *poster_thread(void *self)
{
	for (int i = 0; i < POSTED; i++) {
		struct call *c = must_alloc(sizeof *c);

		*c = (struct call){ .post.run = on_call, .poster = *(int *)self, .number = i };
		net_post(post_office.net, &c->post);
	}
	return NULL;
}

TEST(calls_come_in_order_from_any_thread)
{
	struct net *n = net_plain();
	pthread_t   thread[POSTERS];
	int         number[POSTERS];

	memset(&post_office, 0, sizeof post_office);
	post_office.net = n;
	post_office.loop = pthread_self();
	for (int i = 0; i < POSTERS; i++) {
		number[i] = i;
		EXPECT(pthread_create(&thread[i], NULL, poster_thread, &number[i]) == 0);
	}
	net_serve(n);
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(thread[i], NULL);
		EXPECT(post_office.seen[i] == POSTED);
	}
	net_free(n);
}

/* A call may start a task, and post another call. */
struct opening {
	struct net_post post, next;
	struct net     *net;
	struct napper   napper;
	int             calls;
};

static void on_next(struct net_post *p)
{
	struct opening *o = (struct opening *)((char *)p - offsetof(struct opening, next));

	if (++o->calls < 3)
		net_post(o->net, p);
	else
		start(o->net, &o->napper, 1);
}

static void on_opening(struct net_post *p)
{
	struct opening *o = (struct opening *)p;

	o->next.run = on_next;
	net_post(o->net, &o->next);
}

static void *opening_thread(void *self)
{
	struct opening *o = self;

	net_post(o->net, &o->post);
	return NULL;
}

TEST(a_call_posts_others_and_starts_tasks)
{
	struct net    *n = net_plain();
	struct opening o = { .post.run = on_opening, .net = n };
	pthread_t      thread;

	begin_scene();
	EXPECT(pthread_create(&thread, NULL, opening_thread, &o) == 0);
	net_serve(n);
	pthread_join(thread, NULL);
	EXPECT(o.calls == 3 && o.napper.told == 1 && o.napper.task.state == TASK_DONE);
	net_free(n);
}

/* -- the price of those who wait ---------------------------------------------------------------------------------- */

#define PARKED 20000
#define TURNS  2000

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Takes the loop around, again and again. */
static struct {
	struct net *net;
	int         left;
	int64_t     began_us, took_us;
} carousel;

static void on_turn(struct net_post *p)
{
	if (carousel.left == TURNS - 10)      /* by then they have all been stepped, and wait */
		carousel.began_us = cpu_us();
	if (carousel.left-- > 0) {
		net_post(carousel.net, p);
		return;
	}
	carousel.took_us = cpu_us() - carousel.began_us;
	net_stop(carousel.net);
}

static int64_t turns_beside(size_t parked)
{
	struct net     *n = net_plain();
	struct napper  *p = must_alloc((parked + 1) * sizeof *p);
	struct net_post post = { .run = on_turn };

	begin_scene();
	for (size_t i = 0; i < parked; i++)
		start(n, &p[i], 29 * 60 * 1000);
	carousel.net = n;
	carousel.left = TURNS;
	/* behind them all */
	net_post(n, &post);
	net_serve(n);
	EXPECT(scene.told == (int)parked);
	net_free(n);
	free(p);
	return carousel.took_us;
}

TEST(a_turn_costs_the_same_beside_twenty_thousand_who_wait)
{
	int64_t alone = turns_beside(0), beside = turns_beside(PARKED);

	/* one look at each of them in each turn would be a hundred times this */
	if (beside > 5 * alone + 20000)
		test_fail(__FILE__, __LINE__, "%lld us alone, %lld us beside them", (long long)alone, (long long)beside);
}
