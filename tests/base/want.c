#include "base/want.h"

#include "test.h"

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
