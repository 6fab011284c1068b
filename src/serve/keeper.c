#include "serve/keeper.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/kept.h"
#include "serve/notices.h"
#include "serve/pushes.h"
#include "serve/registration.h"

#define TURN_MS     250               /* how often the turnstile looks who may pass */
#define LOOK_MS    1000               /* how often it is looked at all of them */
#define STORM_LEAST 100               /* so many opened in a row leave holes worth giving back */
#define CALM_MS   10000               /* … and those woken by a stream, no more often than that */
#define CURSOR_LONGEST 200
#define RENEWALS_A_SECOND 50          /* of grants: ten thousand within the five minutes that each has before its end */

struct keeper {
	struct daemon         *daemon;
	struct progress_board *board;
	struct troubles       *troubles;
	int                    grace_ms, ews_poll_ms, graph_poll_ms, gmail_poll_ms, caldav_poll_ms;
	struct microsoft_app   microsoft;
	struct pace            renewals;
	enum ews_streams       ews_streams;
	struct microsoft_place place;            /* as each loop begins with           */
	char                  *hook;             /* its url; NULL: Graph cannot reach us */
	struct google_topic    topic;            /* likewise                           */
	struct pushes         *pushes;           /* NULL: no topic is set              */
	size_t                 loops;
	struct keeper_loop     loop[KEEPER_LOOPS];
};

struct progress_board *keeper_board(struct keeper *k)
{
	return k->board;
}

struct troubles *keeper_troubles(struct keeper *k)
{
	return k->troubles;
}

int keeper_ews_poll_ms(const struct keeper *k)
{
	return k->ews_poll_ms;
}

enum ews_streams keeper_ews_streams(const struct keeper *k)
{
	return k->ews_streams;
}

int keeper_graph_poll_ms(const struct keeper *k)
{
	return k->graph_poll_ms;
}

int keeper_gmail_poll_ms(const struct keeper *k)
{
	return k->gmail_poll_ms;
}

int keeper_caldav_poll_ms(const struct keeper *k)
{
	return k->caldav_poll_ms;
}

struct pace *keeper_renewals(struct keeper *k)
{
	return &k->renewals;
}

const struct microsoft_app *keeper_microsoft(const struct keeper *k)
{
	return &k->microsoft;
}

const struct google_app *keeper_google(const struct keeper *k)
{
	return &k->daemon->app.google;
}

int keeper_grace_ms(const struct keeper *k)
{
	return k->grace_ms;
}

/* -- which account is where --------------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *id)
{
	uint32_t hash = 2166136261u;      /* FNV-1a; ids are from our own dice */

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619u;
	return hash;
}

struct keeper_loop *keeper_loop_of(struct keeper *keeper, const char *id)
{
	return &keeper->loop[hash_of(id) / KEPT_SLOTS % keeper->loops];
}

static struct kept *find(struct keeper_loop *l, const char *id)
{
	struct kept *k;

	LIST_FOREACH(k, &l->slot[hash_of(id) % KEPT_SLOTS], slot)
		if (strcmp(k->id, id) == 0)
			return k;
	return NULL;
}

static void let_go(struct kept *k)
{
	kept_release(k);
	kept_leave_trouble(k);
	free(k);
}

/* -- beginning and ending ----------------------------------------------------------------------------------------- */

static void begin(struct kept *k);

static void ended(struct task *t)
{
	struct kept *k = t->self;

	if (k->again && !k->loop->stopping) {
		kept_release(k);
		begin(k);
	} else {
		LIST_REMOVE(k, slot);
		let_go(k);
	}
}

static void begin(struct kept *k)
{
	k->again = false;
	k->step = 0;
	k->task = (struct task){ .step = kept_step, .self = k };
	net_start(k->loop->net, &k->task, ended);
}

static void take_up(struct keeper_loop *l, const char *id)
{
	struct kept *k = must_alloc(sizeof *k);

	snprintf(k->id, sizeof k->id, "%s", id);
	k->loop = l;
	LIST_INSERT_HEAD(&l->slot[hash_of(id) % KEPT_SLOTS], k, slot);
	begin(k);
}

/* What is under way is called off; it begins anew with what the store says then. One that waits at the turnstile is answered by that. */
static void begin_anew(struct kept *k)
{
	k->again = true;
	net_cancel(k->loop->net, &k->task);
	if (k->passage.state == PASSAGE_WAITS)
		passage_give_up(&k->passage);
}

struct change_post {
	struct net_post     post;
	struct keeper_loop *loop;
	char                id[KEPT_ID];
};

static void changed(struct net_post *p)
{
	struct change_post *c = (struct change_post *)p;
	struct kept        *k = find(c->loop, c->id);

	if (c->loop->stopping)
		;
	else if (k)
		begin_anew(k);
	else
		take_up(c->loop, c->id);
	free(c);
}

void keeper_changed(struct keeper *keeper, const char *account)
{
	struct change_post *c = must_alloc(sizeof *c);

	c->post.run = changed;
	c->loop = keeper_loop_of(keeper, account);
	snprintf(c->id, sizeof c->id, "%s", account);
	net_post(c->loop->net, &c->post);
}

struct hear_post {
	struct net_post     post;
	struct keeper_loop *loop;
	char                account[KEPT_ID], nonce[MICROSOFT_NONCE + 1], subscription[GRAPH_SUBSCRIPTION_ID + 1];
	enum graph_life     life;
};

static void heard(struct net_post *p)
{
	struct hear_post *h = (struct hear_post *)p;
	struct kept      *k = find(h->loop, h->account);

	if (k && !h->loop->stopping)
		kept_hear(k, h->nonce, &(struct graph_notice){ h->subscription, "", h->life });
	free(h);
}

void keeper_hear(struct keeper *keeper, const char *account, const char *nonce, const struct graph_notice *notice)
{
	struct hear_post *h = must_alloc(sizeof *h);

	h->post.run = heard;
	h->loop = keeper_loop_of(keeper, account);
	snprintf(h->account, sizeof h->account, "%s", account);
	snprintf(h->nonce, sizeof h->nonce, "%s", nonce);
	snprintf(h->subscription, sizeof h->subscription, "%s", notice->subscription);
	h->life = notice->life;
	net_post(h->loop->net, &h->post);
}

struct push_post {
	struct net_post     post;
	struct keeper_loop *loop;
	char                mailbox[GOOGLE_MAILBOX + 1];
};

static void pushed(struct net_post *p)
{
	struct push_post *h = (struct push_post *)p;

	if (!h->loop->stopping)
		loop_hear_push(h->loop, h->mailbox);
	free(h);
}

void keeper_hear_push(struct keeper *keeper, const char *mailbox)
{
	for (size_t i = 0; i < keeper->loops; i++) {
		struct push_post *h = must_alloc(sizeof *h);

		h->post.run = pushed;
		h->loop = &keeper->loop[i];
		snprintf(h->mailbox, sizeof h->mailbox, "%s", mailbox);
		net_post(h->loop->net, &h->post);
	}
}

struct pushes *keeper_pushes(struct keeper *keeper)
{
	return keeper->pushes;
}

/* -- the clock of a loop ------------------------------------------------------------------------------------------ */

/* Its proof of life is due, or it has been without connection for so long that it is to be shown. */
static bool wants_attention(const struct keeper_loop *l, struct kept *k, int64_t now_ms)
{
	if (k->saving || k->again || k->tell)
		return false;
	if (k->settled_ms)
		return k->proof_due && now_ms >= k->proof_due;
	k->tell = k->trouble && (k->state == ACCOUNT_CONNECTED || k->state == ACCOUNT_DEGRADED)
	       && l->now_ms - k->trouble_ms >= l->keeper->grace_ms;
	return k->tell;
}

static void look_around(struct keeper_loop *l)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < KEPT_SLOTS; i++) {
		struct kept *k;

		LIST_FOREACH(k, &l->slot[i], slot)
			if (wants_attention(l, k, now_ms))
				begin_anew(k);
	}
}

/* The turnstile belongs to this thread: others read what it says here. */
static void take_counts(struct keeper_loop *l)
{
	struct turnstile_counts c = turnstile_counts(l->turnstile);

	atomic_store(&l->counts.opening, c.passing);
	atomic_store(&l->counts.waiting, c.waiting);
	atomic_store(&l->counts.most_opening, c.most_passing);
}

/* What a sign-in needs for a moment lies between what stays. Once nobody waits any more the pages in between go back to the system:
 * malloc() would keep them for ever. */
static void calm_down(struct keeper_loop *l)
{
	long long opened = atomic_load(&l->counts.connects) - l->opened_before, woken = groups_woken(l) - l->woken_before;
	bool      storm = opened >= STORM_LEAST || (woken >= STORM_LEAST && l->now_ms - l->calmed_ms >= CALM_MS);

	if (!storm || atomic_load(&l->counts.waiting) || atomic_load(&l->counts.opening))
		return;
	l->opened_before += opened;
	l->woken_before += woken;
	l->calmed_ms = l->now_ms;
	malloc_trim(0);
}

static enum want_kind clock_step(void *self, struct want *w, struct error *err)
{
	struct keeper_loop *l = self;

	(void)err;
	if (w->stopping)
		return WANT_NOTHING;
	want_came(w);
	l->now_ms = w->now_ms;
	turnstile_turn(l->turnstile, w->now_ms);
	take_counts(l);
	calm_down(l);
	if (w->now_ms - l->looked_ms >= LOOK_MS) {
		l->looked_ms = w->now_ms;
		look_around(l);
		if (l == l->keeper->loop)
			pushes_tend(l->keeper->pushes);
	}
	return want_time(w, TURN_MS);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static void *run(void *self)
{
	struct keeper_loop *l = self;

	net_serve(l->net);
	return NULL;
}

static bool open_loop(struct keeper *keeper, struct keeper_loop *l, struct error *err)
{
	l->keeper = keeper;
	l->daemon = keeper->daemon;
	l->place = keeper->place;
	l->topic = keeper->topic;
	l->net = net_new(keeper->daemon->net, err);
	if (!l->net)
		return false;
	l->turnstile = turnstile_new(&turnstile_usual);
	l->clock = (struct task){ .step = clock_step, .self = l };
	net_start(l->net, &l->clock, NULL);
	return true;
}

struct page {
	struct arena        *work;           /* of one page: a report is some thousand bytes, and there may be ten thousand */
	struct account_query query;
	char                 after[CURSOR_LONGEST];
	struct account_page  page;
};

static bool read_page(struct txn *t, void *self, struct error *err)
{
	struct page *p = self;

	return account_list(t, p->work, &p->query, &p->page, err);
}

static bool take_up_page(struct keeper *keeper, struct page *p, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();

	p->work = work;
	if (!store_read(keeper->daemon->store, read_page, p, err))
		return false;
	for (size_t i = 0; i < p->page.count; i++)
		take_up(keeper_loop_of(keeper, p->page.item[i].id), p->page.item[i].id);
	p->query.after = p->page.next ? p->after : NULL;
	return !p->page.next || snprintf(p->after, sizeof p->after, "%s", p->page.next) < CURSOR_LONGEST
	    || fail(err, FAULT_LOCAL, "a list of accounts ends at no place");
}

/* Every account of the store, before the loops run. */
static bool take_up_all(struct keeper *keeper, struct error *err)
{
	struct page p = { .query = { .most = PAGE_MOST } };

	do {
		if (!take_up_page(keeper, &p, err))
			return false;
	} while (p.query.after);
	return true;
}

static size_t loops_wanted(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > KEEPER_LOOPS ? KEEPER_LOOPS : (size_t)cores;
}

static void free_loop(struct keeper_loop *l)
{
	for (size_t i = 0; i < KEPT_SLOTS; i++) {
		struct kept *next;

		for (struct kept *k = LIST_FIRST(&l->slot[i]); k; k = next) {
			next = LIST_NEXT(k, slot);
			let_go(k);
		}
	}
	groups_free(l);
	turnstile_free(l->turnstile);
	net_free(l->net);
}

static bool read_seconds(const struct settings *settings, enum setting which, const char *name, unsigned least, int *ms_out,
                         struct error *err)
{
	unsigned long long n;

	if (!slice_number(slice_str(settings->value[which]), 3600, &n) || n < least)
		return fail(err, FAULT_MALFORMED, "[watch] %s is not a number of seconds from %u to 3600", name, least);
	*ms_out = (int)n * 1000;
	return true;
}

static bool read_streams(const struct settings *settings, enum ews_streams *out, struct error *err)
{
	static const char *const names[] = { [EWS_STREAMS_OFF] = "off", [EWS_STREAMS_SHARED] = "shared", [EWS_STREAMS_ON] = "on" };

	for (size_t i = 0; i < COUNT(names); i++) {
		*out = (enum ews_streams)i;
		if (strcmp(settings->value[SETTING_WATCH_EWS_STREAMS], names[i]) == 0)
			return true;
	}
	return fail(err, FAULT_MALFORMED, "[watch] ews_streaming is neither off nor shared nor on");
}

struct keeper *keeper_start(struct daemon *d, struct error *err)
{
	struct keeper *keeper = must_alloc(sizeof *keeper);
	bool           ok = read_seconds(d->settings, SETTING_WATCH_GRACE, "grace", 0, &keeper->grace_ms, err)
	                 && read_seconds(d->settings, SETTING_WATCH_EWS_POLL, "ews_poll", 1, &keeper->ews_poll_ms, err)
	                 && read_seconds(d->settings, SETTING_WATCH_GRAPH_POLL, "graph_poll", 1, &keeper->graph_poll_ms, err)
	                 && read_seconds(d->settings, SETTING_WATCH_GMAIL_POLL, "gmail_poll", 1, &keeper->gmail_poll_ms, err)
	                 && read_seconds(d->settings, SETTING_WATCH_CALDAV_POLL, "caldav_poll", 1, &keeper->caldav_poll_ms, err)
	                 && read_streams(d->settings, &keeper->ews_streams, err);

	keeper->daemon = d;
	keeper->renewals.a_second = RENEWALS_A_SECOND;
	keeper->microsoft = d->app.microsoft;
	notice_place(d, &keeper->place, &keeper->hook);
	google_topic_of(d, &keeper->topic);
	keeper->board = progress_board_new();
	keeper->troubles = troubles_new();
	for (size_t n = loops_wanted(); ok && keeper->loops < n;)
		ok = open_loop(keeper, &keeper->loop[keeper->loops], err) && ++keeper->loops;
	if (ok && keeper->topic.name)
		keeper->pushes = pushes_new(keeper_google(keeper), keeper->loop[0].net);
	ok = ok && take_up_all(keeper, err);
	for (size_t i = 0; ok && i < keeper->loops; i++)
		pthread_create(&keeper->loop[i].thread, NULL, run, &keeper->loop[i]);
	if (ok)
		return keeper;
	for (size_t i = 0; i < keeper->loops; i++)
		free_loop(&keeper->loop[i]);
	pushes_free(keeper->pushes);
	progress_board_free(keeper->board);
	troubles_free(keeper->troubles);
	free(keeper->hook);
	free(keeper);
	return NULL;
}

struct stop_post {
	struct net_post     post;
	struct keeper_loop *loop;
};

/* Those who wait at the turnstile would wait for ever: nothing calls their wait off but its answer. */
static void stop(struct net_post *p)
{
	struct keeper_loop *l = ((struct stop_post *)p)->loop;

	l->stopping = true;
	for (size_t i = 0; i < KEPT_SLOTS; i++) {
		struct kept *k;

		LIST_FOREACH(k, &l->slot[i], slot)
			if (k->passage.state == PASSAGE_WAITS)
				passage_give_up(&k->passage);
	}
	net_stop(l->net);
}

void keeper_stop(struct keeper *keeper)
{
	struct stop_post post[KEEPER_LOOPS];

	if (!keeper)
		return;
	for (size_t i = 0; i < keeper->loops; i++) {
		post[i] = (struct stop_post){ .post.run = stop, .loop = &keeper->loop[i] };
		net_post(keeper->loop[i].net, &post[i].post);
	}
	for (size_t i = 0; i < keeper->loops; i++) {
		pthread_join(keeper->loop[i].thread, NULL);
		free_loop(&keeper->loop[i]);
	}
	pushes_free(keeper->pushes);
	progress_board_free(keeper->board);
	troubles_free(keeper->troubles);
	free(keeper->hook);
	free(keeper);
}

bool keeper_progress(struct keeper *keeper, const char *account, const struct language *lang, cJSON **steps_out, bool *done_out)
{
	return progress_json(keeper->board, account, lang, steps_out, done_out);
}

size_t keeper_loops(const struct keeper *keeper, struct net *out[KEEPER_LOOPS])
{
	for (size_t i = 0; i < keeper->loops; i++)
		out[i] = keeper->loop[i].net;
	return keeper->loops;
}

void keeper_counts(struct keeper *keeper, struct keeper_counts *out)
{
	*out = (struct keeper_counts){ .gmail_refused = pushes_counts(keeper->pushes).refused };
	for (size_t i = 0; i < keeper->loops; i++) {
		struct keeper_loop *l = &keeper->loop[i];

		out->parked += atomic_load(&l->counts.parked);
		out->opening += atomic_load(&l->counts.opening);
		out->waiting += atomic_load(&l->counts.waiting);
		out->most_opening += atomic_load(&l->counts.most_opening);
		out->verifying += atomic_load(&l->counts.verifying);
		out->connects += atomic_load(&l->counts.connects);
		out->losses += atomic_load(&l->counts.losses);
		out->messages += atomic_load(&l->counts.messages);
		out->streams += atomic_load(&l->counts.streams);
		out->notifications += atomic_load(&l->counts.notifications);
		out->polls += atomic_load(&l->counts.polls);
		out->throttled += atomic_load(&l->counts.throttled);
		out->renewed += atomic_load(&l->counts.renewed);
		out->caldav_polls += atomic_load(&l->counts.caldav_polls);
		out->caldav_throttled += atomic_load(&l->counts.caldav_throttled);
		out->calendars += atomic_load(&l->counts.calendars);
		out->graph_polls += atomic_load(&l->counts.graph_polls);
		out->graph_throttled += atomic_load(&l->counts.graph_throttled);
		out->graph_told += atomic_load(&l->counts.graph_told);
		out->graph_notices += atomic_load(&l->counts.graph_notices);
		out->gmail_polls += atomic_load(&l->counts.gmail_polls);
		out->gmail_throttled += atomic_load(&l->counts.gmail_throttled);
		out->gmail_told += atomic_load(&l->counts.gmail_told);
		out->gmail_pushes += atomic_load(&l->counts.gmail_pushes);
		out->google_renewed += atomic_load(&l->counts.google_renewed);
	}
}
