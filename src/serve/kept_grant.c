/* A fresh grant is kept before it is used: sealed, and put where the one was that it was got for, in one transaction. Where
 * another one stands there by now, that is newer: somebody signed in again, or another node was faster. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "connect/grant.h"
#include "serve/kept.h"

#define AHEAD_S 300      /* left of it at the least when it is to be renewed; as much again by dice, once for each account */

struct granting {
	struct store_write     write;
	struct errand          errand;
	struct kept           *kept;
	struct arena          *job;           /* wipes */
	struct oauth_grant was, fresh, theirs;
	struct slice           sealed;        /* the fresh one; at == NULL: it could not be */
	bool                   beaten;        /* theirs counts */
	bool                   google;        /* it is Google's, not Microsoft's */
};

void grant_over(struct kept *k)
{
	if (!k->granting)
		return;
	arena_free(k->granting->job);
	free(k->granting);
	k->granting = NULL;
}

static const char *label_of(const struct granting *g, struct arena *a)
{
	return arena_print(a, "%s/password", g->kept->id);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct oauth_grant copy_of(const struct oauth_grant *g, struct arena *a)
{
	return (struct oauth_grant){ .access_token = g->access_token ? arena_str(a, g->access_token) : NULL,
		.refresh_token = g->refresh_token ? arena_str(a, g->refresh_token) : NULL,
		.scope = g->scope ? arena_str(a, g->scope) : NULL, .expires_at = g->expires_at,
		.granted_at = g->granted_at };
}

/* By what is in it: sealed with another key it is still the same grant. */
static bool read_theirs(struct granting *g, struct txn *t, struct error *err)
{
	struct slice sealed, plain;

	if (!sealed_get(t, g->job, g->kept->id, "password", &sealed, err)
	    || !vault_unseal(g->kept->loop->daemon->vault, label_of(g, g->job), sealed, g->job, &plain, err))
		return false;
	return grant_read(plain, g->job, &g->theirs) || fail(err, FAULT_REFUSED, "it was changed meanwhile");
}

static bool apply(struct txn *t, void *self, struct error *err)
{
	struct granting     *g = self;
	const struct daemon *d = g->kept->loop->daemon;

	g->beaten = false;
	if (!lease_take(t, g->kept->id, d->node, d->fence, NEVER, err) || !read_theirs(g, t, err))
		return false;
	g->beaten = !same(g->theirs.refresh_token, g->was.refresh_token) || !same(g->theirs.access_token, g->was.access_token);
	return g->beaten || sealed_put(t, g->kept->id, "password", g->sealed, err);
}

static void answered(struct store_write *w)
{
	errand_done(&((struct granting *)w->self)->errand);
}

static void begin(struct errand *e)
{
	struct granting *g = (struct granting *)((char *)e - offsetof(struct granting, errand));

	if (g->sealed.at)
		store_write(g->kept->loop->daemon->store, &g->write);
	else
		errand_done(e);
}

static struct errand *keep(void *self, const struct oauth_grant *fresh)
{
	struct kept              *k = self;
	struct granting          *g = must_alloc(sizeof *g);
	const struct credentials *c = &k->round->credentials;
	struct slice              text;

	*g = (struct granting){ .write = { .apply = apply, .done = answered, .self = g }, .errand.begin = begin, .kept = k,
	                        .job = arena_new(), .google = strcmp(k->round->account.provider, "google") == 0 };
	g->was = copy_of(&(struct oauth_grant){ .access_token = *c->token ? c->token : NULL, .refresh_token = c->refresh_token }, g->job);
	g->fresh = copy_of(fresh, g->job);
	text = grant_write(&g->fresh, g->job);
	if (!text.at)
		fail(&g->write.err, FAULT_TOO_BIG, "a grant over %zu bytes", GRANT_MOST);
	else if (!vault_seal(k->loop->daemon->vault, label_of(g, g->job), text, g->job, &g->sealed, &g->write.err))
		g->sealed = slice(NULL, 0);
	grant_over(k);
	k->granting = g;
	return &g->errand;
}

static bool kept(void *self, struct arena *into, struct oauth_grant *now)
{
	struct kept     *k = self;
	struct granting *g = k->granting;
	bool             ok = g->write.ok;

	if (ok) {
		*now = copy_of(g->beaten ? &g->theirs : &g->fresh, into);
		atomic_fetch_add(g->google ? &k->loop->counts.google_renewed : &k->loop->counts.renewed, !g->beaten);
	} else {
		LOG(g->write.err.fault == FAULT_REFUSED || g->write.err.fault == FAULT_ABSENT ? LOG_NEWS : LOG_FAILURE, "grant.unkept",
		    LOG_TEXT("account", k->id), LOG_TEXT("why", g->write.err.text));
		k->unkept = true;
	}
	grant_over(k);
	return ok;
}

static int turn(void *self)
{
	const struct kept *k = self;

	return pace_turn(keeper_renewals(k->loop->keeper), clock_mono_ms());
}

/* It is looked at when the mailbox is polled: so the longest pause between two polls comes on top. */
static int between_polls_s(const struct kept *k)
{
	int graph_ms = keeper_graph_poll_ms(k->loop->keeper), gmail_ms = keeper_gmail_poll_ms(k->loop->keeper);

	return (graph_ms > gmail_ms ? graph_ms : gmail_ms) / 1000 * 9 / 8 + 1;
}

const struct oauth_safe *grant_safe(struct kept *k)
{
	uint16_t dice;

	if (!k->safe.self) {
		random_bytes(&dice, sizeof dice);
		k->safe = (struct oauth_safe){ .self = k, .ahead_s = AHEAD_S + AHEAD_S * dice / UINT16_MAX + between_polls_s(k),
		                                   .turn = turn, .keep = keep, .kept = kept };
	}
	return &k->safe;
}
