#include "serve/parting.h"

#include <stdlib.h>

#include "connect/grant.h"
#include "flow_farewell.h"
#include "serve/kept.h"
#include "serve/subscription.h"

#define AT_ONCE  20           /* on one loop */
#define WHOLE_MS 15000

struct parting {
	struct net_post     post;
	struct keeper_loop *loop;
	struct farewell    *farewell;
	struct task         task;
};

static void over(struct parting *p)
{
	farewell_free(p->farewell);
	free(p);
}

static void ended(struct task *t)
{
	struct parting *p = (struct parting *)((char *)t - offsetof(struct parting, task));

	p->loop->partings--;
	over(p);
}

static void begin(struct net_post *post)
{
	struct parting *p = (struct parting *)post;

	if (p->loop->stopping || p->loop->partings >= AT_ONCE) {
		over(p);
		return;
	}
	p->loop->partings++;
	p->task = (struct task){ .step = farewell_step, .self = p->farewell, .wait_ms = WHOLE_MS };
	net_start(p->loop->net, &p->task, ended);
}

/* The access token alone where the grant goes on: a renewed one would have to be kept. */
static bool open_grant(struct keeper_loop *l, const struct account *a, struct slice sealed, bool for_good, struct arena *job,
                       struct oauth_grant *out)
{
	struct error err = { 0 };
	struct slice plain;

	if (!account_has_grant(a) || !sealed.at
	    || !vault_unseal(l->daemon->vault, arena_print(job, "%s/password", a->id), sealed, job, &plain, &err) || !grant_read(plain, job, out))
		return false;
	if (!for_good)
		out->refresh_token = NULL;
	return true;
}

void keeper_part(struct keeper *keeper, const struct account *a, struct slice sealed, bool for_good)
{
	CLEANUP(arena) struct arena  *job = arena_new();
	struct keeper_loop           *l = keeper_loop_of(keeper, a->id);
	struct microsoft_subscription s;
	struct oauth_grant        grant;
	struct farewell              *farewell;
	struct parting               *p;

	if (!subscription_read(a->cursor, &s) || !open_grant(l, a, sealed, for_good, job, &grant))
		return;
	farewell = farewell_new(&(struct farewell_request){ keeper_microsoft(keeper), a->address, s.id, grant, WHOLE_MS });
	if (!farewell)
		return;
	p = must_alloc(sizeof *p);
	*p = (struct parting){ .post.run = begin, .loop = l, .farewell = farewell };
	net_post(l->net, &p->post);
}
