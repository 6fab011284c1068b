#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/outbox_parts.h"

#define CHANGE_MOST  512
#define LAST_OK_MS   60000                          /* how old the time of the last success may be in the store       */
#define HASTEN_MS    (3600 * 1000)
#define LATEST_MS    (30 * 3600 * (int64_t)1000)    /* longer than any pause: who waits longer waits for a wrong clock */

enum { KEEP_START, KEEP_WAITED, KEEP_KEPT, KEEP_RESTED };

/* What one change says of a webhook: only what must be written. */
struct heard {
	struct hook *hook;
	const char  *url;                  /* that was asked last                    */
	int64_t      last_ok, failing_since;      /* as they will be; 0 none         */
	const char  *disable;              /* why, or NULL                           */
	bool         write;
	bool         disabled;             /* of `apply`: it was, by this            */
};

struct change_of_posts {
	struct errand      errand;
	struct store_write write;
	struct outbox     *outbox;
	struct arena      *work;
	struct posts       posts;
	size_t             count;
	struct heard      *heard;
	size_t             heard_count;
	bool               hasten;
	int64_t            latest;         /* Unix ms: nothing waits for longer */
};

/* -- what is said of the webhooks ------------------------------------------------------------------------------------- */

static void hear_success(struct heard *x, const struct post *p)
{
	x->write |= x->failing_since != 0 || p->ended - x->hook->last_ok >= LAST_OK_MS || p->ended < x->hook->last_ok;
	x->last_ok = p->ended;
	x->failing_since = 0;
	x->disable = NULL;
}

static void hear_failure(struct heard *x, const struct post *p, struct arena *work)
{
	int64_t disable_ms = p->outbox->limits->disable_ms;

	if (p->status == STATUS_GONE)
		x->disable = "the receiver answered 410 Gone";
	else if (x->failing_since && p->ended - x->failing_since >= disable_ms)
		x->disable = arena_print(work, "failing for %d days without a success; the last time: %.200s", (int)(disable_ms / 86400000), p->note);
	x->write |= !x->failing_since || x->disable;
	if (!x->failing_since)
		x->failing_since = p->ended;
}

static struct heard *heard_of(struct change_of_posts *c, struct hook *h)
{
	if (!h->heard) {
		h->heard = &c->heard[c->heard_count++];
		*h->heard = (struct heard){ .hook = h, .last_ok = h->last_ok, .failing_since = h->failing_since };
	}
	return h->heard;
}

static void hear_all(struct change_of_posts *c)
{
	struct post *p;

	c->heard = arena_get(c->work, (c->count + 1) * sizeof *c->heard);
	STAILQ_FOREACH(p, &c->posts, queued) {
		struct heard *x = heard_of(c, p->hook);

		x->url = p->url.text;
		if (p->end == POST_TAKEN)
			hear_success(x, p);
		else
			hear_failure(x, p, c->work);
	}
	for (size_t i = 0; i < c->heard_count; i++)
		c->heard[i].hook->heard = NULL;
}

/* -- the change, on the store's thread -------------------------------------------------------------------------------- */

static bool keep_post(struct txn *t, const struct post *p, struct error *err)
{
	struct error why = { 0 };
	bool         fine;

	if (p->end == POST_TAKEN)
		fine = delivery_taken(t, p->delivery.id, p->status, p->ended, &why);
	else
		fine = delivery_failed(t, p->delivery.id, p->status, p->note, p->next_try, p->given_up, &why);
	/* deleted meanwhile, or to be sent again in its turn: the answer does not count */
	if (fine || why.fault == FAULT_ABSENT)
		return true;
	*err = why;
	return false;
}

/* Where it leads may have been changed since the answer that would disable it. */
static bool same_place(const struct webhook *w, const struct heard *x, struct arena *work)
{
	struct http_url url;

	return !x->url || !http_url_parse(slice_str(w->url), work, &url) || strcmp(url.text, x->url) == 0;
}

static bool keep_heard(struct txn *t, struct change_of_posts *c, struct heard *x, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct webhook w;
	struct error   why = { 0 };

	x->disabled = false;
	if (!x->write)
		return true;
	if (!webhook_get(t, work, NULL, x->hook->id, &w, &why))
		return why.fault == FAULT_ABSENT || fail(err, why.fault, "%s", why.text);
	if (!x->disable || !w.enabled || !same_place(&w, x, work))
		return webhook_heard(t, w.id, x->last_ok, x->failing_since, err);
	w.enabled = false;
	w.disabled_why = x->disable;
	w.last_ok = x->last_ok;
	w.failing_since = x->failing_since;
	x->disabled = true;
	(void)c;
	return webhook_update(t, &w, err);
}

static bool apply(struct txn *t, void *self, struct error *err)
{
	struct change_of_posts *c = self;
	struct post            *p;

	STAILQ_FOREACH(p, &c->posts, queued)
		if (!keep_post(t, p, err))
			return false;
	for (size_t i = 0; i < c->heard_count; i++)
		if (!keep_heard(t, c, &c->heard[i], err))
			return false;
	return !c->hasten || delivery_hasten(t, c->latest, err);
}

/* -- handing it over -------------------------------------------------------------------------------------------------- */

static void done(struct store_write *write)
{
	struct change_of_posts *c = (struct change_of_posts *)((char *)write - offsetof(struct change_of_posts, write));

	errand_done(&c->errand);
}

static void begin(struct errand *e)
{
	struct change_of_posts *c = (struct change_of_posts *)e;

	store_write(c->outbox->daemon->store, &c->write);
}

static struct change_of_posts *change_of(struct outbox *o, bool hasten)
{
	struct change_of_posts *c = must_alloc(sizeof *c);
	struct post            *p;

	c->outbox = o;
	c->work = arena_new();
	c->errand.begin = begin;
	c->write.apply = apply;
	c->write.done = done;
	c->write.self = c;
	c->hasten = hasten;
	c->latest = clock_unix_ms() + (o->set_back ? 0 : LATEST_MS);
	o->set_back = false;
	STAILQ_INIT(&c->posts);
	while (c->count < CHANGE_MOST && (p = STAILQ_FIRST(&o->done))) {
		STAILQ_REMOVE_HEAD(&o->done, queued);
		STAILQ_INSERT_TAIL(&c->posts, p, queued);
		c->count++;
	}
	hear_all(c);
	return c;
}

static void change_free(struct outbox *o)
{
	struct change_of_posts *c = o->change;
	struct post            *p;

	while (c && (p = STAILQ_FIRST(&c->posts))) {
		STAILQ_REMOVE_HEAD(&c->posts, queued);
		outbox_post_free(p);
	}
	if (c)
		arena_free(c->work);
	free(c);
	o->change = NULL;
}

static void is_kept(struct outbox *o)
{
	struct change_of_posts *c = o->change;

	for (size_t i = 0; i < c->heard_count; i++) {
		struct heard *x = &c->heard[i];

		if (x->write) {
			x->hook->last_ok = x->last_ok;
			x->hook->failing_since = x->failing_since;
		}
		if (x->disabled)
			LOG(LOG_CAUTION, "webhook.disabled", LOG_TEXT("webhook", x->hook->id), LOG_TEXT("why", x->disable));
	}
	if (c->hasten)
		o->hastened_ms = clock_mono_ms();
	if (o->stuck)
		LOG(LOG_NEWS, "outbox.keeps_again", LOG_NUMBER("answers", (int64_t)c->count));
	o->stuck = false;
	o->unkept -= c->count;
	change_free(o);
	outbox_look(o);
}

/* -- the conversation ------------------------------------------------------------------------------------------------- */

static bool is_hasten_due(const struct outbox *o)
{
	return o->set_back || !o->hastened_ms || clock_mono_ms() - o->hastened_ms >= HASTEN_MS;
}

static bool is_over(const struct outbox *o, const struct want *w)
{
	return (o->stopping || w->stopping) && o->under_way == 0 && STAILQ_EMPTY(&o->done);
}

static bool has_work(const struct outbox *o, const struct want *w)
{
	return !STAILQ_EMPTY(&o->done) || (is_hasten_due(o) && !o->stopping && !w->stopping);
}

/* The first time it is said; what was answered stays with us meanwhile, and nothing new goes out. */
static void is_stuck(struct outbox *o)
{
	if (!o->stuck)
		LOG(LOG_FAILURE, "outbox.cannot_keep", LOG_NUMBER("answers", (int64_t)o->change->count), LOG_TEXT("why", o->change->write.err.text));
	o->stuck = true;
}

enum want_kind keep_step(void *self, struct want *w, struct error *err)
{
	struct outbox *o = self;

	(void)err;
	switch (o->keeper.step) {
	case KEEP_START:
		while (!is_over(o, w)) {
			while (!has_work(o, w) && !is_over(o, w)) {
				o->answered.open = false;
				AWAIT(&o->keeper, KEEP_WAITED, want_gate(w, &o->answered, HASTEN_MS)):
				want_came(w);
			}
			if (is_over(o, w))
				break;
			o->change = change_of(o, is_hasten_due(o));
			for (;;) {
				AWAIT(&o->keeper, KEEP_KEPT, want_commit(w, &o->change->errand)):
				want_came(w);
				if (o->change->write.ok)
					break;
				is_stuck(o);
				/* what is not kept goes out again after the next start */
				if (o->stopping || w->stopping)
					return WANT_NOTHING;
				AWAIT(&o->keeper, KEEP_RESTED, want_time(w, o->limits->keep_again_ms)):
				want_came(w);
			}
			is_kept(o);
		}
	}
	return WANT_NOTHING;
}

void keep_release(struct outbox *o)
{
	change_free(o);
}
