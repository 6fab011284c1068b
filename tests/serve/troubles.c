#include "serve/troubles.h"

#include "test.h"

#define HOST "imap.birch.example:993"

TEST(what_one_learns_the_others_know)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct troubles *t = troubles_new();
	struct outcome   o = { .cause = CAUSE_NET_REFUSED, .certainty = PROVEN, .who = WHO_ADMIN };
	struct trouble   got;

	EXPECT(!trouble_of(t, HOST, work, &got));
	trouble_join(t, HOST);
	EXPECT(!trouble_of(t, HOST, work, &got));
	trouble_learn(t, HOST, &o, "{}");
	trouble_join(t, HOST);
	trouble_join(t, HOST);
	EXPECT(trouble_of(t, HOST, work, &got) && got.mailboxes == 3 && got.outcome.cause == CAUSE_NET_REFUSED);
	EXPECT_TEXT(got.report, "{}");
	EXPECT(!trouble_of(t, "imap.oak.example:993", work, &got));
	troubles_free(t);
}

TEST(when_all_are_back_it_is_forgotten)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct troubles *t = troubles_new();
	struct outcome   o = { .cause = CAUSE_NET_TIMEOUT };
	struct trouble   first, second;

	trouble_join(t, HOST);
	trouble_join(t, HOST);
	trouble_learn(t, HOST, &o, NULL);
	trouble_leave(t, HOST);
	EXPECT(trouble_of(t, HOST, work, &first) && first.mailboxes == 1);
	trouble_leave(t, HOST);
	EXPECT(!trouble_of(t, HOST, work, &second));
	trouble_leave(t, HOST);
	trouble_join(t, HOST);
	trouble_learn(t, HOST, &o, NULL);
	EXPECT(trouble_of(t, HOST, work, &second) && second.mailboxes == 1);
	troubles_free(t);
}

TEST(nothing_is_learnt_of_a_host_that_concerns_nobody)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct troubles *t = troubles_new();
	struct outcome   o = { 0 };
	struct trouble   got;

	trouble_learn(t, HOST, &o, "{}");
	EXPECT(!trouble_of(t, HOST, work, &got));
	troubles_free(t);
	troubles_free(NULL);
}
