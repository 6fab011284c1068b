#include "provider/google_notices.h"

#include <stdio.h>

#include "base/random.h"

enum { NOTICES_START, NOTICES_NEXT, NOTICES_ANSWER };
enum errand_of_turn { ASK_NOTHING, ASK_FOR_ONE, ASK_TO_END };

#define MAILBOX      "/gmail/v1/users/me"
#define ERRANDS_MOST 2                      /* in one turn: one of another topic, one that takes its place */
#define TOLD_MS      (15 * 60 * 1000)       /* between two polls where one stands                          */
#define PAUSE_MS     (INT64_C(60) * 1000)   /* after a failure; four times that after each further one     */
#define PAUSE_MOST   (INT64_C(6) * 3600 * 1000)
#define DAY_S        86400                  /* so often it is renewed (facts G B.3)                        */
#define LIFE_MOST    (INT64_C(30) * DAY_S)  /* longer than any that Google ever gave                       */
#define STALE_S      3600                   /* one that is silent is asked for anew no sooner than that    */
#define SOON_MS      2000                   /* likewise, however short its life is                         */
#define BODY_MOST    1024

void google_notices_init(struct google_notices *n, struct google_watch *watch, struct google_topic *topic,
                         const struct google_listener *listener, const struct google_watched *kept)
{
	*n = (struct google_notices){ .topic = topic, .watch = watch };
	if (listener)
		n->listener = *listener;
	if (kept)
		n->kept = *kept;
	buffer_init(&n->body, BODY_MOST);
}

static void end_errand(struct google_notices *n)
{
	buffer_release(&n->body);
	buffer_init(&n->body, BODY_MOST);
}

void google_notices_release(struct google_notices *n)
{
	end_errand(n);
	*n = (struct google_notices){ 0 };
}

bool google_notices_stand(const struct google_notices *n, int64_t now_ms)
{
	return *n->kept.mark && n->begun && now_ms < n->ends_ms;
}

/* -- what is due -------------------------------------------------------------------------------------------------- */

static int64_t pause_after(unsigned failures)
{
	int64_t ms = PAUSE_MS;

	while (failures-- > 1 && ms < PAUSE_MOST)
		ms *= 4;
	return ms < PAUSE_MOST ? ms : PAUSE_MOST;
}

static void forget(struct google_notices *n)
{
	n->kept = (struct google_watched){ 0 };
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* It is renewed a day after it was asked for, or half-way where it lives shorter; up to an eighth sooner, by dice, so that those that
 * began together do not go on so. */
static void know_times(struct google_notices *n, const struct want *w)
{
	int64_t  left_ms = least(n->kept.until - w->now_unix, LIFE_MOST) * 1000, age_ms = (w->now_unix - n->kept.asked) * 1000, after;
	uint32_t dice;

	random_bytes(&dice, sizeof dice);
	age_ms = age_ms < 0 ? DAY_S * INT64_C(1000) : age_ms;      /* somebody has set the clock */
	after = least(DAY_S * INT64_C(1000), (left_ms + age_ms) / 2);
	after -= (int64_t)(dice % (uint64_t)(after > 0 ? after / 8 + 1 : 1));
	n->ends_ms = w->now_ms + left_ms;
	n->renew_ms = w->now_ms + (after - age_ms > SOON_MS ? after - age_ms : SOON_MS);
}

/* By the address that Gmail has for it, which need not be the one it was asked for by. */
static void listen(struct google_notices *n)
{
	const char *mailbox = n->watch->session->profile.address;

	if (n->listener.listen && n->topic->name)
		n->listener.listen(n->listener.self, mailbox ? mailbox : n->watch->access.address);
}

/* As it was written down, perhaps days ago. */
static void take_up(struct google_notices *n, const struct want *w)
{
	n->begun = true;
	listen(n);
	if (*n->kept.mark)
		know_times(n, w);
}

/* A push that should have come did not: perhaps somebody has ended it. */
static bool is_doubtful(const struct google_notices *n, const struct want *w)
{
	return n->untold && w->now_unix - n->kept.asked >= STALE_S;
}

static enum errand_of_turn due(struct google_notices *n, const struct want *w)
{
	if (*n->kept.mark && w->now_ms >= n->ends_ms)
		forget(n);
	if (*n->kept.mark && (!n->topic->name || strcmp(n->kept.mark, n->topic->mark) != 0))
		return ASK_TO_END;
	if (!n->topic->name || w->now_ms < n->next_ms || w->now_ms < n->topic->closed_ms)
		return ASK_NOTHING;
	return !*n->kept.mark || w->now_ms >= n->renew_ms || is_doubtful(n, w) ? ASK_FOR_ONE : ASK_NOTHING;
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

static void ask(struct google_notices *n, enum errand_of_turn errand)
{
	struct google_session *x = n->watch->session;
	struct web_request    *q = &x->line[GOOGLE_MAIL].request;

	n->asking = errand;
	google_question(x, GOOGLE_MAIL, "google.watch", false, errand == ASK_TO_END ? MAILBOX "/stop" : MAILBOX "/watch");
	q->method = "POST";
	if (errand == ASK_TO_END)
		return;
	google_watch_write(&n->body, n->topic->name);
	q->header[1] = "Content-Type: application/json";
	q->body = buffer_held(&n->body);
}

/* -- answers ------------------------------------------------------------------------------------------------------ */

static void be_troubled(struct google_notices *n, const char *why)
{
	n->troubled |= strncmp(n->why, why, sizeof n->why - 1) != 0;
	snprintf(n->why, sizeof n->why, "%.*s", (int)sizeof n->why - 1, why);
}

static void put_off(struct google_notices *n, int least_ms, const struct want *w)
{
	int64_t ms = pause_after(++n->failures);

	n->next_ms = w->now_ms + (ms > least_ms ? ms : least_ms);
}

/* What is said of the topic or of the project is the same for every mailbox. */
static bool is_of_the_topic(int status)
{
	return status == 400 || status == 403 || status == 404;
}

static void take_refusal(struct google_notices *n, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct google_session       *x = n->watch->session;
	struct google_error          e = { 0 };
	int                          status = google_answer(x)->status;

	google_error_read(buffer_held(&google_answer(x)->body), work, &e);
	be_troubled(n, arena_print(work, "%d %s", status, e.message ? e.message : e.reasons ? e.reason[0] : ""));
	if (is_of_the_topic(status) && !google_is_busy(x))
		n->topic->closed_ms = w->now_ms + pause_after(++n->topic->refusals);
	else
		put_off(n, google_is_busy(x) ? google_busy_ms(x, 0) : 0, w);
}

static void take_watch(struct google_notices *n, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct error                 why = { 0 };
	int64_t                      until;

	if (!google_watched_read(buffer_held(&google_answer(n->watch->session)->body), work, &until, &why)) {
		be_troubled(n, why.text);
		put_off(n, 0, w);
		return;
	}
	n->kept = (struct google_watched){ .asked = w->now_unix, .until = until };
	snprintf(n->kept.mark, sizeof n->kept.mark, "%s", n->topic->mark);
	know_times(n, w);
	n->topic->refusals = n->failures = 0;
	n->why[0] = '\0';
}

/* False: nothing more is to be asked in this turn. */
static bool take_answer(struct google_notices *n, const struct want *w)
{
	int status = google_answer(n->watch->session)->status;

	if (n->asking == ASK_TO_END) {
		forget(n);
		return true;
	}
	if (status >= 200 && status < 300)
		take_watch(n, w);
	else
		take_refusal(n, w);
	return false;
}

/* No answer came. What stops it at the authority would stop the news as well; a line that was lost over this question says nothing of
 * them. */
static enum want_kind give_up(struct google_notices *n, const struct want *w, struct error *err)
{
	struct google_session *x = n->watch->session;

	if (x->at_authority || err->fault == FAULT_LOCAL || err->fault == FAULT_CANCELLED || w->stopping) {
		n->watch->asked |= x->at_authority || x->line[GOOGLE_MAIL].open;
		return WANT_FAILED;
	}
	be_troubled(n, fault_name(err->fault));
	if (n->asking == ASK_TO_END)
		forget(n);
	else
		put_off(n, 0, w);
	*err = (struct error){ 0 };
	n->lost = true;
	return WANT_NOTHING;
}

enum want_kind google_notices_step(void *self, struct want *w, struct error *err)
{
	struct google_notices *n = self;
	enum errand_of_turn    errand;
	enum want_kind         kind;
	int                    status;

	switch (n->step) {
	case NOTICES_START:
		if (!n->topic)
			return WANT_NOTHING;
		if (!n->begun)
			take_up(n, w);
		n->woken = n->watch->rest.stirred.open || n->watch->rest.woken;
		n->errands = 0;

	STEP(n, NOTICES_NEXT):
		errand = n->errands++ < ERRANDS_MOST ? due(n, w) : ASK_NOTHING;
		if (errand == ASK_NOTHING)
			goto done;
		google_session_take(n->watch->session, n->watch->access.grant);
		ask(n, errand);

	STEP(n, NOTICES_ANSWER):
		kind = google_ask_step(n->watch->session, w, err);
		if (kind > WANT_FAILED)
			return kind;
		if (kind == WANT_FAILED) {
			n->step = NOTICES_START;
			end_errand(n);
			return give_up(n, w, err);
		}
		status = google_answer(n->watch->session)->status;
		/* its step is none of the news': only that it was taken is said */
		google_ask_end(n->watch->session, status < 400 ? STEP_PASSED : STEP_WARNED, w);
		n->watch->asked = true;
		end_errand(n);
		if (take_answer(n, w)) {
			n->step = NOTICES_NEXT;
			return google_notices_step(n, w, err);
		}

	done:
		n->step = NOTICES_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- between the turns -------------------------------------------------------------------------------------------- */

/* So that it is renewed, or asked for again, in time. */
static int64_t until_next(const struct google_notices *n, int64_t now_ms)
{
	int64_t at = *n->kept.mark ? n->renew_ms : n->next_ms;

	at = at > n->topic->closed_ms ? at : n->topic->closed_ms;
	return at > now_ms + SOON_MS ? at - now_ms : SOON_MS;
}

static void rest_no_longer(struct google_watch *s, int64_t ms)
{
	if (ms < s->rest_ms)
		s->rest_ms = (int)ms;
}

void google_notices_rest(struct google_notices *n, const struct want *w)
{
	struct google_watch *s = n->watch;
	bool                 stands = n->topic && google_notices_stand(n, w->now_ms);
	int64_t              next;

	s->told = stands;
	/* found by a poll, and one stood all the time that should have told of it */
	if (stands && n->stood && s->count && !n->woken && !s->rest.stirred.open)
		n->untold = true;
	n->stood = stands;
	if (!n->topic || s->busy_ms)
		return;
	if (stands && !n->untold)
		google_watch_rest(s, TOLD_MS, w);
	next = until_next(n, w->now_ms);
	if (n->topic->name)
		rest_no_longer(s, next + next / 7 + 1);      /* so that the dice of the wait do not wake it before */
}

void google_notices_hear(struct google_notices *n)
{
	n->heard++;
	n->untold = false;
	n->watch->rest.stirred.open = true;
}
