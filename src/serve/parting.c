#include "serve/parting.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/grant.h"
#include "flow_farewell.h"
#include "serve/kept.h"
#include "serve/subscription.h"

#define AT_ONCE  20           /* on one loop */
#define WHOLE_MS 15000

struct parting_task {
	struct net_post     post;
	struct keeper_loop *loop;
	struct farewell    *farewell;
	struct task         task;
	char                account[KEPT_ID];
	int                 whole_ms;
	bool                must;             /* it was promised */
};

static void over(struct parting_task *p)
{
	farewell_free(p->farewell);
	free(p);
}

static void ended(struct task *t)
{
	struct parting_task *p = (struct parting_task *)((char *)t - offsetof(struct parting_task, task));

	p->loop->partings--;
	if (p->must)
		LOG(t->state == TASK_DONE ? LOG_NEWS : LOG_CAUTION, t->state == TASK_DONE ? "grant.revoked" : "grant.unrevoked",
		    LOG_TEXT("account", p->account), LOG_TEXT("why", t->err.text));
	over(p);
}

static void begin(struct net_post *post)
{
	struct parting_task *p = (struct parting_task *)post;

	if (p->loop->stopping || (p->loop->partings >= AT_ONCE && !p->must)) {
		over(p);
		return;
	}
	p->loop->partings++;
	p->task = (struct task){ .step = farewell_step, .self = p->farewell, .wait_ms = p->whole_ms };
	net_start(p->loop->net, &p->task, ended);
}

/* The access token alone where the grant goes on: a renewed one would have to be kept. */
static bool open_grant(struct keeper_loop *l, const struct account *a, struct slice sealed, enum parting how, struct arena *job,
                       struct oauth_grant *out)
{
	struct error err = { 0 };
	struct slice plain;

	if (!account_has_grant(a) || !sealed.at
	    || !vault_unseal(l->daemon->vault, arena_print(job, "%s/password", a->id), sealed, job, &plain, &err) || !grant_read(plain, job, out))
		return false;
	if (how == PART_FOR_NOW)
		out->refresh_token = NULL;
	return true;
}

/* What there is to be asked for. False: nothing. */
static bool fill(struct farewell_request *q, struct keeper *keeper, const struct account *a, enum parting how,
                 struct microsoft_subscription *s)
{
	if (strcmp(a->provider, "google") == 0) {
		q->google = keeper_google(keeper);
		q->watched = how != PART_FROM_ONE_OF_MANY && kept_is_watched(a->cursor);
		q->for_good = how == PART_FOR_GOOD && !a->tenant;
		return q->watched || q->for_good;
	}
	q->microsoft = keeper_microsoft(keeper);
	q->subscription = s->id;
	return subscription_read(a->cursor, s);
}

void keeper_part(struct keeper *keeper, const struct account *a, struct slice sealed, enum parting how)
{
	CLEANUP(arena) struct arena  *job = arena_new();
	struct keeper_loop           *l = keeper_loop_of(keeper, a->id);
	struct farewell_request       q = { .address = a->address, .timeout_ms = WHOLE_MS };
	struct microsoft_subscription s;
	struct farewell              *farewell;
	struct parting_task          *p;

	if (!fill(&q, keeper, a, how, &s) || !open_grant(l, a, sealed, how, job, &q.grant))
		return;
	farewell = farewell_new(&q);
	if (!farewell)
		return;
	p = must_alloc(sizeof *p);
	*p = (struct parting_task){ .post.run = begin, .loop = l, .farewell = farewell, .whole_ms = farewell_ms(&q),
	                              .must = q.google && q.for_good };
	snprintf(p->account, sizeof p->account, "%s", a->id);
	net_post(l->net, &p->post);
}
