#include "provider/microsoft_notices.h"

#include <stdio.h>

#include "base/random.h"

enum { NOTICES_START, NOTICES_NEXT, NOTICES_ANSWER };
enum errand_of_turn { ASK_NOTHING, ASK_FOR_ONE, ASK_FOR_MORE, ASK_TO_END };

#define ERRANDS_MOST 3                      /* in one turn: one that is no more, one that takes its place */
#define PROVING_MS   (25 * 1000)            /* meanwhile Graph asks at two places whether we listen, ten seconds each */
#define TOLD_MS      (15 * 60 * 1000)       /* between two polls where one stands                         */
#define PAUSE_MS     (INT64_C(60) * 1000)   /* after a failure; four times that after each further one    */
#define PAUSE_MOST   (INT64_C(6) * 3600 * 1000)
#define STALE_S      3600                   /* one that nobody has asked after for so long may be no more */
#define LIFE_MOST    (INT64_C(30) * 86400)  /* seconds; longer than any that Microsoft ever gave    */
#define SETTLED_MS   (INT64_C(3600) * 1000) /* one that stood for so long was none of those that are removed at once */
#define SOON_MS      2000                   /* no sooner than that it is prolonged again, however short its life is  */
#define BODY_MOST    4096

void microsoft_notices_init(struct microsoft_notices *n, struct microsoft_watch *watch, struct microsoft_place *place,
                            const struct microsoft_prover *prover, const struct microsoft_subscription *kept)
{
	*n = (struct microsoft_notices){ .place = place, .prover = *prover, .watch = watch };
	if (kept)
		n->kept = *kept;
	buffer_init(&n->body, BODY_MOST);
}

static void end_errand(struct microsoft_notices *n)
{
	buffer_release(&n->body);
	buffer_init(&n->body, BODY_MOST);
	arena_free(n->job);
	n->job = NULL;
}

void microsoft_notices_release(struct microsoft_notices *n)
{
	end_errand(n);
	*n = (struct microsoft_notices){ 0 };
}

bool microsoft_notices_stand(const struct microsoft_notices *n, int64_t now_ms)
{
	return *n->kept.id && n->begun && !n->removed && now_ms < n->ends_ms;
}

/* -- what is due -------------------------------------------------------------------------------------------------- */

static int64_t pause_after(unsigned failures)
{
	int64_t ms = PAUSE_MS;

	while (failures-- > 1 && ms < PAUSE_MOST)
		ms *= 4;
	return ms < PAUSE_MOST ? ms : PAUSE_MOST;
}

static void forget(struct microsoft_notices *n)
{
	n->kept = (struct microsoft_subscription){ 0 };
	n->nonce[0] = '\0';
	n->reauthorize = n->removed = false;
}

/* From when on it is to be prolonged: between three and four eighths of what is left, so that those that began together do not go on so. */
static void know_times(struct microsoft_notices *n, const struct want *w)
{
	int64_t  left_s = n->kept.until - w->now_unix, left_ms = (left_s < LIFE_MOST ? left_s : LIFE_MOST) * 1000, eighth = left_ms / 8;
	uint32_t dice;

	random_bytes(&dice, sizeof dice);
	n->ends_ms = w->now_ms + left_ms;
	n->prolong_ms = w->now_ms + 3 * eighth + (eighth > 0 ? (int64_t)(dice % (uint64_t)eighth) : 0);
	if (n->prolong_ms < w->now_ms + SOON_MS)
		n->prolong_ms = w->now_ms + SOON_MS;
}

/* As it was written down, perhaps days ago. */
static void take_up(struct microsoft_notices *n, const struct want *w)
{
	n->begun = true;
	n->made_ms = w->now_ms;
	if (!*n->kept.id)
		return;
	if (!graph_subscription_is_id(n->kept.id))
		forget(n);
	know_times(n, w);
	if (w->now_unix - n->kept.asked >= STALE_S || n->kept.asked > w->now_unix)
		n->prolong_ms = w->now_ms;
}

/* Graph says that it is no more. The first time another takes its place at once; who does that without end is asked ever more seldom. */
static void be_removed(struct microsoft_notices *n, int64_t now_ms)
{
	n->removals = now_ms - n->made_ms >= SETTLED_MS ? 0 : n->removals + 1;
	if (n->removals > 1)
		n->next_ms = now_ms + pause_after(n->removals - 1);
	forget(n);
}

static enum errand_of_turn due(struct microsoft_notices *n, const struct want *w)
{
	if (n->removed)
		be_removed(n, w->now_ms);
	if (*n->kept.id && w->now_ms >= n->ends_ms)
		forget(n);
	if (*n->kept.id && (!n->place->url || strcmp(n->kept.mark, n->place->mark) != 0))
		return ASK_TO_END;
	if (!n->place->url || w->now_ms < n->next_ms)
		return ASK_NOTHING;
	if (*n->kept.id)
		return n->reauthorize || w->now_ms >= n->prolong_ms ? ASK_FOR_MORE : ASK_NOTHING;
	return w->now_ms >= n->place->closed_ms ? ASK_FOR_ONE : ASK_NOTHING;
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

#define JSON   "Content-Type: application/json"
#define ACCEPT "Accept: application/json"

static void ask_for_one(struct microsoft_notices *n, const struct want *w)
{
	const char *state;

	snprintf(n->nonce, sizeof n->nonce, "%s", random_text(n->job, MICROSOFT_NONCE));
	state = n->prover.client_state(n->prover.self, n->nonce, n->job);
	graph_subscribe(&n->body, &(struct graph_wish){ .resource = microsoft_path(n->watch->session, GRAPH_INBOX_MESSAGES, n->job),
		.url = n->place->url, .client_state = state, .until = w->now_unix + GRAPH_SUBSCRIPTION_LIFE });
	/* said twice there would be two; and the ids that it tells of are those of the delta */
	n->watch->session->question = (struct web_request){ .method = "POST", .target = GRAPH_SUBSCRIPTIONS,
		.header = { JSON, ACCEPT, "Prefer: IdType=\"ImmutableId\"" }, .body = buffer_held(&n->body), .once = true, .hushed = true };
}

static void ask(struct microsoft_notices *n, enum errand_of_turn errand, const struct want *w)
{
	struct microsoft_session *x = n->watch->session;
	const char               *one;

	n->asking = errand;
	n->job = arena_new();
	x->web.waits.reply_ms = errand == ASK_FOR_ONE ? PROVING_MS : n->watch->access.waits.reply_ms;
	if (errand == ASK_FOR_ONE) {
		ask_for_one(n, w);
		return;
	}
	one = arena_print(n->job, GRAPH_SUBSCRIPTIONS "/%s", n->kept.id);
	if (errand == ASK_TO_END) {
		x->question = (struct web_request){ .method = "DELETE", .target = one, .header = { ACCEPT } };
		return;
	}
	graph_prolong(&n->body, w->now_unix + GRAPH_SUBSCRIPTION_LIFE);
	x->question = (struct web_request){ .method = "PATCH", .target = one, .header = { JSON, ACCEPT }, .body = buffer_held(&n->body) };
}

/* -- answers ------------------------------------------------------------------------------------------------------ */

static void be_troubled(struct microsoft_notices *n, const char *why)
{
	n->troubled |= strncmp(n->why, why, sizeof n->why - 1) != 0;
	snprintf(n->why, sizeof n->why, "%.79s", why);
}

static bool is_passing(int status)
{
	return status == 429 || (status >= 500 && status < 600);
}

/* It asked at our place whether somebody listens, and nobody did: the same for every mailbox (facts M B.4). */
static bool is_unproven(int status, const struct graph_error *e)
{
	if (status != 400)
		return false;
	for (size_t i = 0; i < e->codes; i++)
		if (strcmp(e->code[i], "ValidationError") == 0)
			return true;
	return e->message && slice_has(slice_str(e->message), "validation request");
}

static void close_place(struct microsoft_notices *n, const struct want *w)
{
	n->place->closed_ms = w->now_ms + pause_after(++n->place->refusals);
}

static void put_off(struct microsoft_notices *n, int least_ms, const struct want *w)
{
	int64_t ms = pause_after(++n->failures);

	n->next_ms = w->now_ms + (ms > least_ms ? ms : least_ms);
}

static void take_refusal(struct microsoft_notices *n, const struct want *w)
{
	const struct microsoft_session *x = n->watch->session;
	struct graph_error              e = { 0 };
	int                             status = x->web.answer.status;

	graph_error_read(buffer_held(&x->web.answer.body), n->job, &e);
	be_troubled(n, arena_print(n->job, "%d %s", status, e.codes ? e.code[0] : ""));
	if (n->asking == ASK_FOR_ONE && is_unproven(status, &e))
		close_place(n, w);
	else
		put_off(n, is_passing(status) ? microsoft_busy_ms(x, 0) : 0, w);
}

static bool take_subscription(struct microsoft_notices *n, const struct want *w)
{
	struct graph_subscription s;
	struct error              why = { 0 };

	if (!graph_subscription_read(buffer_held(&n->watch->session->web.answer.body), n->job, &s, &why)) {
		be_troubled(n, why.text);
		put_off(n, 0, w);
		return false;
	}
	if (n->asking == ASK_FOR_ONE) {
		n->made_ms = w->now_ms;
		snprintf(n->kept.id, sizeof n->kept.id, "%s", s.id);
		snprintf(n->kept.nonce, sizeof n->kept.nonce, "%s", n->nonce);
		snprintf(n->kept.mark, sizeof n->kept.mark, "%s", n->place->mark);
		n->untold = false;
	}
	if (n->asking == ASK_FOR_MORE)
		n->reauthorize = false;
	n->kept.asked = w->now_unix;
	n->kept.until = s.until;
	know_times(n, w);
	n->place->refusals = n->failures = 0;
	n->why[0] = '\0';
	return true;
}

/* False: nothing more is to be asked in this turn. */
static bool take_answer(struct microsoft_notices *n, const struct want *w)
{
	int status = n->watch->session->web.answer.status;

	if (n->asking == ASK_TO_END) {
		forget(n);
		return true;
	}
	if (status >= 200 && status < 300)
		return take_subscription(n, w);
	if (n->asking == ASK_FOR_MORE && (status == 404 || status == 410)) {
		be_removed(n, w->now_ms);
		return true;
	}
	take_refusal(n, w);
	return false;
}

/* No answer came. What stops it at the authority would stop the news as well; a line that was lost over this question says nothing of
 * them. */
static enum want_kind give_up(struct microsoft_notices *n, const struct want *w, struct error *err)
{
	struct microsoft_session *x = n->watch->session;

	if (x->at_authority || err->fault == FAULT_LOCAL || err->fault == FAULT_CANCELLED || w->stopping) {
		n->watch->asked |= x->at_authority || x->graph_open;
		return WANT_FAILED;
	}
	be_troubled(n, fault_name(err->fault));
	if (n->asking == ASK_TO_END)
		forget(n);
	else if (n->asking == ASK_FOR_ONE && err->fault == FAULT_TIMEOUT)
		close_place(n, w);
	else
		put_off(n, 0, w);
	*err = (struct error){ 0 };
	n->lost = true;
	return WANT_NOTHING;
}

/* Its step is none of the news': only that it was taken is said. */
static void end_question(struct microsoft_notices *n, const struct want *w)
{
	struct microsoft_session *x = n->watch->session;

	x->web.waits = n->watch->access.waits;
	microsoft_ask_end(x, x->web.answer.status < 400 ? STEP_PASSED : STEP_WARNED, w);
	n->watch->asked = true;
}

enum want_kind microsoft_notices_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_notices *n = self;
	enum errand_of_turn       errand;
	enum want_kind            kind;
	bool                      goes_on;

	switch (n->step) {
	case NOTICES_START:
		if (!n->place)
			return WANT_NOTHING;
		if (!n->begun)
			take_up(n, w);
		n->woken = n->watch->rest.stirred.open || n->watch->rest.woken;
		n->errands = 0;

	STEP(n, NOTICES_NEXT):
		errand = n->errands++ < ERRANDS_MOST ? due(n, w) : ASK_NOTHING;
		if (errand == ASK_NOTHING)
			goto done;
		microsoft_session_take(n->watch->session, n->watch->access.grant);
		ask(n, errand, w);

	STEP(n, NOTICES_ANSWER):
		kind = microsoft_ask_step(n->watch->session, w, err);
		if (kind > WANT_FAILED)
			return kind;
		if (kind == WANT_FAILED) {
			kind = give_up(n, w, err);
			end_errand(n);
			n->step = NOTICES_START;
			return kind;
		}
		end_question(n, w);
		goes_on = take_answer(n, w);
		end_errand(n);
		if (goes_on) {
			n->step = NOTICES_NEXT;
			return microsoft_notices_step(n, w, err);
		}

	done:
		n->step = NOTICES_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- between the turns -------------------------------------------------------------------------------------------- */

/* So that it is prolonged, or asked for again, in time. */
static int64_t until_next(const struct microsoft_notices *n, int64_t now_ms)
{
	int64_t at = !*n->kept.id ? n->place->closed_ms : n->reauthorize ? now_ms : n->prolong_ms;

	if (at < n->next_ms)
		at = n->next_ms;
	return at > now_ms + SOON_MS ? at - now_ms : SOON_MS;
}

/* A poll is when the grant is renewed as well, ahead of its end. */
static int64_t until_renewal(const struct microsoft_watch *s, const struct want *w)
{
	const struct microsoft_session *x = s->session;
	int64_t                         left_s = x->grant.expires_at - (x->safe ? x->safe->ahead_s : 0) - w->now_unix;

	if (!x->grant.expires_at)
		return INT64_MAX;
	return left_s * 1000 > s->poll_ms ? left_s * 1000 : s->poll_ms;
}

static void rest_no_longer(struct microsoft_watch *s, int64_t ms)
{
	if (ms < s->rest_ms)
		s->rest_ms = (int)ms;
}

void microsoft_notices_rest(struct microsoft_notices *n, const struct want *w)
{
	struct microsoft_watch *s = n->watch;
	bool                    stands = n->place && microsoft_notices_stand(n, w->now_ms);
	int64_t                 next;

	s->told = stands;
	/* found by a poll, and one stood all the time that should have told of it */
	if (stands && n->stood && s->count && !n->woken && !s->rest.stirred.open)
		n->untold = true;
	n->stood = stands;
	if (!n->place || s->busy_ms)
		return;
	if (stands && !n->untold && s->rest_ms < TOLD_MS) {
		s->rest_ms = TOLD_MS;
		rest_no_longer(s, until_renewal(s, w));
	}
	next = until_next(n, w->now_ms);
	if (n->place->url)
		rest_no_longer(s, next + next / 7 + 1);      /* so that the dice of the wait do not wake it before */
}

bool microsoft_notices_hear(struct microsoft_notices *n, const char *nonce, const struct graph_notice *notice)
{
	bool asked_for = *n->nonce && strcmp(nonce, n->nonce) == 0;
	bool kept = *n->kept.id && strcmp(nonce, n->kept.nonce) == 0 && strcmp(notice->subscription, n->kept.id) == 0;

	/* one may speak before it is known here by its id */
	if (!kept && (!asked_for || *n->kept.id))
		return false;
	n->heard++;
	n->untold = false;
	n->reauthorize |= notice->life == GRAPH_REAUTHORIZE;
	n->removed |= notice->life == GRAPH_REMOVED;
	n->watch->rest.stirred.open = true;
	return true;
}
