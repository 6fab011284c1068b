#include "provider/exchange_group.h"

#include <stdlib.h>

enum { GROUP_START, GROUP_HEARS, GROUP_RESTS };

#define LOOK_MS   1000                     /* between two looks at who came and went …                        */
#define CALM_MS   5000                     /* … while a stream stands                                         */
#define FIRST_MS  2000                     /* for those who begin together to be in the first stream together */
#define GATHER_MS (30 * 1000)              /* the same of those who come while one stands                     */
#define VACANT_MS (2 * 60 * 1000)
#define OPEN_MS   (60 * 1000)              /* for who was chosen to open it                                   */
#define YOUNG_MS  (60 * 1000)

/* -- seats -------------------------------------------------------------------------------------------------------- */

static void changed(struct exchange_group *g, int64_t now_ms)
{
	if (!g->changed_ms)
		g->changed_ms = now_ms;
}

static void remove_seat(struct exchange_seat *s)
{
	TAILQ_REMOVE(&s->group->seats, s, seats);
	s->group->count--;
	exchange_stream_free(s->stream);
	free(s->mailbox);
	free(s);
}

static struct exchange_seat *vacant_seat(const struct exchange_group *g, const char *mailbox)
{
	struct exchange_seat *s;

	TAILQ_FOREACH(s, &g->seats, seats)
		if (!s->taken && strcmp(s->mailbox, mailbox) == 0)
			return s;
	return NULL;
}

bool exchange_group_takes(const struct exchange_group *g, const char *mailbox)
{
	return g->count < EXCHANGE_GROUP_MOST || vacant_seat(g, mailbox);
}

static struct exchange_seat *seat_of(struct exchange_group *g, const char *subscription)
{
	struct exchange_seat *s;

	TAILQ_FOREACH(s, &g->seats, seats)
		if (s->stream->subscription && strcmp(s->stream->subscription, subscription) == 0)
			return s;
	return NULL;
}

struct exchange_seat *exchange_seat_take(struct exchange_group *g, const char *mailbox)
{
	struct exchange_seat *s = vacant_seat(g, mailbox);

	if (!s) {
		s = must_alloc(sizeof *s);
		s->group = g;
		s->stream = exchange_stream_new();
		s->mailbox = must_copy(mailbox);
		TAILQ_INSERT_TAIL(&g->seats, s, seats);
		g->count++;
	}
	s->taken = true;
	s->left_ms = 0;
	return s;
}

/* -- who is woken ------------------------------------------------------------------------------------------------- */

static void wake(struct exchange_seat *s)
{
	s->group->turns++;
	s->group->woken += !s->woken;
	s->woken = true;
	s->parked = false;
	s->gate.open = true;
}

/* A mail to all of them must not bring all of them to the server at once. */
static void wake_some(struct exchange_group *g)
{
	struct exchange_seat *s;

	TAILQ_FOREACH(s, &g->seats, seats) {
		if (g->woken >= EXCHANGE_GROUP_WOKEN)
			return;
		if (s->stirred && s->parked)
			wake(s);
	}
}

static void asleep(struct exchange_seat *s)
{
	s->group->woken -= s->woken;
	s->woken = s->gate.open = false;
}

void exchange_seat_awake(struct exchange_seat *s)
{
	s->parked = s->stirred = s->gate.open = false;
}

void exchange_seat_park(struct exchange_seat *s, bool busy)
{
	asleep(s);
	s->parked = !busy;
	wake_some(s->group);
}

static void stir_all_but(struct exchange_group *g, const struct exchange_seat *but)
{
	struct exchange_seat *s;

	TAILQ_FOREACH(s, &g->seats, seats)
		s->stirred |= s->taken && s != but;
	wake_some(g);
}

static void end_first(struct exchange_group *g)
{
	g->first = NULL;
	g->anchored.open = true;
}

static void forget_anchor(struct exchange_group *g)
{
	free(g->anchor);
	g->anchor = NULL;
}

void exchange_seat_leave(struct exchange_seat *s)
{
	struct exchange_group *g = s ? s->group : NULL;

	if (!s)
		return;
	asleep(s);
	s->taken = s->parked = s->stirred = false;
	if (g->first == s) {
		end_first(g);
		forget_anchor(g);
	}
	if (g->opener == s) {
		g->opener = NULL;
		g->opening = false;
	}
	if (!s->stream->subscription)
		remove_seat(s);
	wake_some(g);
}

/* -- what is heard ------------------------------------------------------------------------------------------------ */

static void stirred(void *self, const char *subscription)
{
	struct exchange_group *g = self;
	struct exchange_seat  *s = seat_of(g, subscription);

	if (!s || !s->taken)
		return;
	s->stream->notifications++;
	s->stream->failures = 0;      /* it is of use */
	s->stirred = true;
	wake_some(g);
}

/* The server has lost one of them: that one subscribes anew in a turn of its own, the others are heard on. */
static void lost(void *self, const char *subscription, const char *code, int64_t now_ms)
{
	struct exchange_group *g = self;
	struct exchange_seat  *s = seat_of(g, subscription);

	if (!s)
		return;
	exchange_stream_lose(s->stream, code, s->heard_ms && now_ms - s->heard_ms >= YOUNG_MS, now_ms);
	s->heard_ms = 0;
	s->stirred = s->taken;
	wake_some(g);
}

static void unheard(struct exchange_group *g)
{
	struct exchange_seat *s;

	TAILQ_FOREACH(s, &g->seats, seats)
		s->heard_ms = 0;
}

/* What was subscribed there is not believed in any more; nor is the server that it was on. */
static void forget_all(struct exchange_group *g)
{
	struct exchange_seat *s, *next;

	forget_anchor(g);
	for (s = TAILQ_FIRST(&g->seats); s; s = next) {
		next = TAILQ_NEXT(s, seats);
		exchange_stream_forget(s->stream);
		if (!s->taken)
			remove_seat(s);
	}
}

/* It ended, or could not be opened. After its time, in good order, it is opened again at once, and meanwhile nobody asks. */
static void over(struct exchange_group *g, int64_t now_ms)
{
	enum exchange_trouble trouble = g->stream->trouble;

	unheard(g);
	if (trouble == EXCHANGE_CLOSED && now_ms >= g->stream->next_ms)
		return;
	if (trouble != EXCHANGE_BUSY && trouble != EXCHANGE_CLOSED)
		forget_all(g);
	stir_all_but(g, NULL);
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

/* Facts M C.1: subscriptions that are asked for on one stream are all on one server. Which one, the anchor's mailbox decides, and the
 * cookie that comes back. Whether another's mailbox may be served there is known to Autodiscover alone (GroupingInformation), which is
 * not asked here, and what a server does otherwise the facts leave open: where the Subscribe of that one fails, or the stream says that it
 * has no such subscription, that one is polled, and tries again ever more seldom. */
static void name_anchor(const struct exchange_group *g, struct exchange_session *x)
{
	x->request.header[2] = arena_print(x->report->job, "X-AnchorMailbox: %s", g->anchor);
	exchange_stream_add_affinity(g->stream, x);
}

bool exchange_seat_waits(const struct exchange_seat *s)
{
	return s->group->first && s->group->first != s;
}

bool exchange_seat_wanted(const struct exchange_seat *s, int64_t now_ms)
{
	const struct exchange_stream *line = s->group->stream;

	return !s->stream->subscription && exchange_stream_wanted(s->stream, now_ms) && line->trouble != EXCHANGE_NOT_OFFERED
	    && (line->session || now_ms >= line->next_ms);
}

void exchange_seat_subscribe(struct exchange_seat *s, struct exchange_session *x, const struct ews_folder *folder)
{
	struct exchange_group *g = s->group;

	if (!g->anchor) {
		exchange_stream_forget(g->stream);
		g->anchor = must_copy(s->mailbox);
		g->first = s;
		g->anchored.open = false;
	}
	exchange_stream_subscribe(s->stream, x, folder);
	name_anchor(g, x);
}

static void take_cookies(struct exchange_seat *s)
{
	struct exchange_stream *line = s->group->stream;

	if (s->group->first == s) {
		line->cookies = s->stream->cookies;
		s->stream->cookies = NULL;
	}
	free(s->stream->cookies);
	s->stream->cookies = NULL;
}

void exchange_seat_subscribed(struct exchange_seat *s, struct exchange_session *x, const struct want *w)
{
	struct exchange_group *g = s->group;

	exchange_stream_subscribed(s->stream, x, w);
	take_cookies(s);
	if (s->stream->subscription) {
		s->stream->trouble = EXCHANGE_NO_TROUBLE;
		changed(g, w->now_ms);
	} else if (g->first == s) {
		forget_anchor(g);
	}
	if (g->first == s)
		end_first(g);
}

bool exchange_seat_opens(const struct exchange_seat *s, int64_t now_ms)
{
	struct exchange_group *g = s->group;

	return g->opener == s && g->anchor && s->stream->subscription && exchange_stream_wanted(g->stream, now_ms);
}

void exchange_seat_ask(struct exchange_seat *s, struct exchange_session *x)
{
	struct exchange_group *g = s->group;
	const char            *id[EXCHANGE_GROUP_MOST];
	size_t                 count = 0;
	struct exchange_seat  *each;

	TAILQ_FOREACH(each, &g->seats, seats) {
		each->asked = each->stream->subscription && count < EXCHANGE_GROUP_MOST;
		if (each->asked)
			id[count++] = each->stream->subscription;
	}
	g->opening = true;
	g->changed_ms = 0;
	exchange_stream_ask_for(g->stream, x, id, count);
	name_anchor(g, x);
}

/* Who asked before it was opened has asked too early: what came since may have been told to nobody. */
void exchange_seat_opened(struct exchange_seat *s, const struct want *w)
{
	struct exchange_group *g = s->group;
	struct exchange_seat  *each;

	g->opener = NULL;
	g->opening = false;
	g->called.open = true;
	if (!exchange_stream_stands(g->stream)) {
		over(g, w->now_ms);
		return;
	}
	g->opened++;
	TAILQ_FOREACH(each, &g->seats, seats)
		each->heard_ms = each->asked && each->stream->subscription ? w->now_ms : 0;
	stir_all_but(g, s);
}

/* The next in line: who did not manage is not asked again before the others were. */
static struct exchange_seat *choose(const struct exchange_group *g)
{
	struct exchange_seat *s;

	TAILQ_FOREACH(s, &g->seats, seats)
		if (s->taken && s->stream->subscription)
			return s;
	return NULL;
}

static void have_it_opened(struct exchange_group *g, int64_t now_ms)
{
	struct exchange_seat *s;

	if (g->opening || (g->opener && now_ms - g->chosen_ms < OPEN_MS) || !exchange_stream_wanted(g->stream, now_ms))
		return;
	if (g->stream->trouble != EXCHANGE_CLOSED && g->changed_ms && now_ms - g->changed_ms < FIRST_MS)
		return;
	if (g->opener)
		stir_all_but(g, NULL);      /* a minute without a stream, and nobody was told */
	g->opener = s = choose(g);
	if (!s)
		return;
	g->chosen_ms = now_ms;
	TAILQ_REMOVE(&g->seats, s, seats);
	TAILQ_INSERT_TAIL(&g->seats, s, seats);
	s->stirred = true;
	if (s->parked)
		wake(s);
}

/* -- its conversation --------------------------------------------------------------------------------------------- */

static void drop_vacant(struct exchange_group *g, int64_t now_ms)
{
	struct exchange_seat *s, *next;

	for (s = TAILQ_FIRST(&g->seats); s; s = next) {
		next = TAILQ_NEXT(s, seats);
		if (s->taken)
			continue;
		if (!s->left_ms)
			s->left_ms = now_ms;
		if (now_ms - s->left_ms < VACANT_MS)
			continue;
		if (s->heard_ms)
			changed(g, now_ms);
		remove_seat(s);
	}
}

/* The server is given its line back before it is asked for the same subscriptions on another one. */
static void look(struct exchange_group *g, int64_t now_ms)
{
	drop_vacant(g, now_ms);
	if (exchange_stream_stands(g->stream) && g->changed_ms && now_ms - g->changed_ms >= GATHER_MS) {
		exchange_stream_close(g->stream, now_ms);
		unheard(g);
	}
	have_it_opened(g, now_ms);
	g->look_ms = now_ms + CALM_MS;
}

static enum want_kind ends(struct exchange_group *g)
{
	exchange_stream_close(g->stream, 0);
	unheard(g);
	g->step = GROUP_START;
	return WANT_NOTHING;
}

enum want_kind exchange_group_step(void *self, struct want *w, struct error *err)
{
	struct exchange_group *g = self;

	(void)err;
	if (w->stopping)
		return ends(g);
	switch (g->step) {
	case GROUP_START:
		for (;;) {
			look(g, w->now_ms);
			if (!g->count)
				return ends(g);

	STEP(g, GROUP_HEARS):
			if (exchange_stream_stands(g->stream)) {
				PASS(exchange_stream_wait_step(g->stream, g->look_ms, w));
				if (g->stream->heard == EXCHANGE_OVER)
					over(g, w->now_ms);
				continue;
			}
			g->called.open = false;
			AWAIT(g, GROUP_RESTS, want_gate(w, &g->called, LOOK_MS)):
			want_came(w);
		}
	}
	return WANT_FAILED;
}

struct exchange_group *exchange_group_new(void)
{
	struct exchange_group *g = must_alloc(sizeof *g);

	TAILQ_INIT(&g->seats);
	g->stream = exchange_stream_new();
	g->ears = (struct exchange_ears){ .self = g, .stirred = stirred, .lost = lost };
	g->stream->ears = &g->ears;
	g->anchored.open = true;
	return g;
}

void exchange_group_free(struct exchange_group *g)
{
	struct exchange_seat *s, *next;

	if (!g)
		return;
	for (s = TAILQ_FIRST(&g->seats); s; s = next) {
		next = TAILQ_NEXT(s, seats);
		remove_seat(s);
	}
	exchange_stream_free(g->stream);
	forget_anchor(g);
	free(g);
}
