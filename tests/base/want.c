#include "base/want.h"

#include <pthread.h>

#include "test.h"
#include "transcript.h"
#include "world.h"

TEST(every_end_of_a_wait_has_a_name_of_its_own)
{
	for (int a = CAME; a <= CAME_CANCELLED; a++) {
		EXPECT(came_name((enum came)a) && *came_name((enum came)a));
		for (int b = CAME; b < a; b++)
			EXPECT_ROW(strcmp(came_name((enum came)a), came_name((enum came)b)) != 0, came_name((enum came)a));
	}
	EXPECT_TEXT(came_name(CAME), "ok");
	EXPECT_TEXT(came_name(CAME_END), "closed");
}

TEST(an_answer_is_taken_once)
{
	struct want w = { .came = CAME_RESET };

	EXPECT(want_came(&w) == CAME_RESET);
	EXPECT(want_came(&w) == CAME_NOTHING);
}

static enum want_kind no_step(void *self, struct want *w, struct error *err)
{
	(void)self, (void)w, (void)err;
	return WANT_NOTHING;
}

TEST(children_are_counted_and_begin_afresh)
{
	struct children c;
	struct task     t[2];

	memset(t, 0x55, sizeof t);
	children_init(&c, UNTIL_ALL);
	children_add(&c, &t[0], no_step, &c, 100);
	children_add(&c, &t[1], no_step, &t, 200);
	EXPECT(c.count == 2 && c.task[0] == &t[0] && c.task[1] == &t[1]);
	EXPECT(t[0].step == no_step && t[0].self == &c && t[0].wait_ms == 100);
	EXPECT(t[1].self == &t && t[1].wait_ms == 200);
}

static int dropped;

static void drop(struct line *l)
{
	(void)l;
	dropped++;
}

TEST(a_line_is_closed_once_and_is_not_secure_afterwards)
{
	struct line l;

	line_init(&l, 100, 100);
	l.open = l.secure = true;
	l.drop = drop;
	l.carrier = &l;
	line_close(&l);
	EXPECT(dropped == 1 && !l.open && !l.secure && !l.carrier);
	line_release(&l);
	EXPECT(dropped == 1);
}

TEST(a_want_of_tls_forgets_the_certificate_of_the_last_one)
{
	struct want       w = { 0 };
	struct line       l;
	struct tls_answer a;

	EXPECT(want_tls_with(&w, &l, "host", TLS_FULL, slice_str("der"), &a, 5) == WANT_TLS);
	EXPECT(w.extra.len == 3 && w.wait_ms == 5);
	EXPECT(want_tls(&w, &l, "host", TLS_FULL, &a, 7) == WANT_TLS && w.extra.len == 0 && w.wait_ms == 7);
}

/* -- an errand, as the tests' own runners answer it --------------------------------------------------------------- */

struct clerk {
	struct errand errand;
	bool          asked;
	enum came     came;
};

static void *answer_from_a_thread(void *errand)
{
	errand_done(errand);
	return NULL;
}

static void hand_over(struct errand *e)
{
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, answer_from_a_thread, e) == 0);
	pthread_detach(thread);
}

static enum want_kind clerk_step(void *self, struct want *w, struct error *err)
{
	struct clerk *c = self;

	(void)err;
	if (!c->asked) {
		c->asked = true;
		return want_commit(w, &c->errand);
	}
	c->came = want_came(w);
	return WANT_NOTHING;
}

TEST(transcripts_and_worlds_answer_errands)
{
	static void (*const begins[])(struct errand *) = { errand_done, hand_over };

	for (size_t i = 0; i < COUNT(begins); i++) {
		struct transcript *t = transcript_new("");
		struct world      *w = world_new();
		struct clerk       in_transcript = { .errand.begin = begins[i], .came = CAME_NOTHING }, in_world = in_transcript;
		struct error       err = { 0 };

		EXPECT(transcript_run(t, clerk_step, &in_transcript, &err) && in_transcript.came == CAME);
		EXPECT(world_run(w, clerk_step, &in_world, &err) && in_world.came == CAME && world_now(w) == 0);
		transcript_free(t);
		world_free(w);
	}
}
