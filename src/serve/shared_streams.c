/* The groups of mailboxes at Exchange that share a stream (provider/exchange_group.h), of one loop. */
#include <stdlib.h>

#include "serve/kept.h"

struct shared_stream {
	struct keeper_loop        *loop;
	struct task                task;
	struct exchange_group     *group;
	char                      *key;
	LIST_ENTRY(shared_stream)  all;
};

static void let_go(struct shared_stream *s)
{
	LIST_REMOVE(s, all);
	s->loop->woken_once += s->group->turns;
	exchange_group_free(s->group);
	free(s->key);
	free(s);
}

static void ended(struct task *t);

static void begin(struct shared_stream *s)
{
	s->task = (struct task){ .step = exchange_group_step, .self = s->group };
	net_start(s->loop->net, &s->task, ended);
}

/* Somebody may have sat down since. */
static void ended(struct task *t)
{
	struct shared_stream *s = (struct shared_stream *)((char *)t - offsetof(struct shared_stream, task));

	if (s->loop->stopping)
		return;
	if (s->group->count)
		begin(s);
	else
		let_go(s);
}

struct exchange_group *group_for(struct keeper_loop *l, const char *key, const char *mailbox)
{
	struct shared_stream *s;

	LIST_FOREACH(s, &l->shared, all)
		if (strcmp(s->key, key) == 0 && exchange_group_takes(s->group, mailbox))
			return s->group;
	s = must_alloc(sizeof *s);
	s->loop = l;
	s->group = exchange_group_new();
	s->key = must_copy(key);
	LIST_INSERT_HEAD(&l->shared, s, all);
	begin(s);
	return s->group;
}

long long groups_woken(const struct keeper_loop *l)
{
	const struct shared_stream *s;
	long long                   woken = l->woken_once;

	LIST_FOREACH(s, &l->shared, all)
		woken += s->group->turns;
	return woken;
}

void groups_free(struct keeper_loop *l)
{
	struct shared_stream *s;

	while ((s = LIST_FIRST(&l->shared)))
		let_go(s);
}
