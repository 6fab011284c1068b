#include "serve/kept_kind.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "connect/grant.h"
#include "model/facts.h"
#include "serve/budget.h"
#include "serve/kept_calendar.h"
#include "serve/our_addresses.h"
#include "serve/registration.h"
#include "store/links.h"
#include "store/workspaces.h"
#include "wire/header.h"

#define VERIFY_MS     60000              /* the whole of a verification                                  */
#define VERIFY_PLACE  "(verification)"   /* their own way through the turnstile: a down host delays none */
#define GRACE_MS      10000              /* for it to notice that its time is over                      */
#define YOUNG_MS      60000              /* a connection lost before that is no good one                 */
#define BESIDE_MS     (7 * 24 * 3600 * 1000)      /* a mailbox with a calendar beside it: then both are opened anew */
#define LOSS_MS       2000               /* the others of that host were lost in the same moment         */
#define DAY_MS        (24 * 3600 * (int64_t)1000)
#define LATEST_MS     (31 * DAY_MS / 24)   /* longer than any pause: who waits longer waits for a wrong clock */
#define REST_MOST_MS  (60 * 60 * 1000)   /* nobody rests longer without looking at it                    */

enum { KEPT_START, KEPT_RESTED, KEPT_VERIFY, KEPT_VERIFYING, KEPT_VERIFIED, KEPT_TOLD, KEPT_HOLD, KEPT_BESIDE, KEPT_HOLDING,
       KEPT_LOST, KEPT_DONE };

/* -- what is read ------------------------------------------------------------------------------------------------- */

struct reading {
	struct kept         *k;
	struct slice         sealed, calendar_sealed;
	struct workspace     workspace;
	struct our_addresses ours;
	int                  refused_today;
};

static bool read_all(struct txn *t, void *self, struct error *err)
{
	struct reading    *r = self;
	struct kept_round *round = r->k->round;
	int64_t            now = clock_unix_ms();

	return account_get(t, round->job, NULL, r->k->id, &round->account, err)
	    && (round->account.state == ACCOUNT_REMOVED
	        || (workspace_get(t, round->job, round->account.workspace, &r->workspace, err)
	            && laid_down_for(t, round->job, round->account.workspace, round->account.address, &round->laid_down, err)
	            && tries_of(t, r->k->id, budget_day(r->k->loop->daemon), &r->refused_today, err)
	            && our_addresses_read(t, r->k->loop->daemon->settings, round->job, now, &r->ours, err)
	            && (sealed_get(t, round->job, r->k->id, "password", &r->sealed, err) || err->fault == FAULT_ABSENT)
	            && (sealed_get(t, round->job, r->k->id, "caldav_password", &r->calendar_sealed, err) || err->fault == FAULT_ABSENT)));
}

static bool take_secret(struct kept_round *round, struct slice plain, struct error *err)
{
	struct oauth_grant grant;

	if (!account_has_grant(&round->account)) {
		credentials_take_password(&round->credentials, plain);
		return true;
	}
	if (!grant_read(plain, round->job, &grant))
		return fail(err, FAULT_BROKEN, "what is kept is no grant");
	credentials_take_grant(&round->credentials, &grant);
	return true;
}

static bool open_password(struct kept *k, struct slice sealed, struct error *err)
{
	struct kept_round *round = k->round;
	struct slice       plain;

	if (!sealed.at)
		return true;
	if (!vault_unseal(k->loop->daemon->vault, arena_print(round->job, "%s/password", k->id), sealed, round->job, &plain, err))
		return false;
	return take_secret(round, plain, err);
}

/* What is struck out of the mailbox's report is struck out of its calendar's: it is the same one. */
static bool open_calendar_password(struct kept *k, struct slice sealed, struct error *err)
{
	struct kept_round *round = k->round;
	struct slice       plain;

	if (!sealed.at)
		return true;
	if (!vault_unseal(k->loop->daemon->vault, arena_print(round->job, "%s/caldav_password", k->id), sealed, round->job, &plain, err))
		return false;
	credentials_take_password(&round->calendar, plain);
	secrets_know(&round->credentials.secrets, plain);
	return true;
}

static void close_round(struct kept *k)
{
	struct kept_round *round = k->round;

	if (!round)
		return;
	flow_free(round->flow);
	if (round->progress)
		progress_end(round->progress);
	credentials_release(&round->credentials);
	credentials_release(&round->calendar);
	arena_free(round->job);
	free(round);
	k->round = NULL;
}

/* When a password may be said again, of the monotonic clock. */
static int64_t until_budget(const struct kept *k, int refused_today)
{
	int64_t now = budget_now(k->loop->daemon);

	return clock_mono_ms() + budget_allows(refused_today, k->round->asked ? TRIES_A_DAY_ASKED : TRIES_A_DAY, now) - now;
}

/* Everything anew from the store: the account may have changed since it was read last. False: there is nothing to look after. */
static bool open_round(struct kept *k)
{
	struct reading r = { .k = k };
	struct error   err = { 0 };

	close_round(k);
	k->round = must_alloc(sizeof *k->round);
	k->round->job = arena_new();
	if (!store_read(k->loop->daemon->store, read_all, &r, &err) && err.fault != FAULT_ABSENT) {
		LOG(LOG_FAILURE, "account.unreadable", LOG_TEXT("account", k->id), LOG_TEXT("why", err.text));
		return false;
	}
	err = (struct error){ 0 };
	if (!k->round->account.id || k->round->account.state == ACCOUNT_REMOVED || k->round->account.state == ACCOUNT_PAUSED)
		return false;
	if (!open_password(k, r.sealed, &err) || !open_calendar_password(k, r.calendar_sealed, &err))
		LOG(LOG_FAILURE, "account.secret", LOG_TEXT("account", k->id), LOG_TEXT("why", err.text));
	k->round->asked = k->round->account.state == ACCOUNT_CONNECTING;
	if (k->loop->daemon->inbound_domain)
		snprintf(k->round->bcc, sizeof k->round->bcc, "%s@%s", r.workspace.bcc_token, k->loop->daemon->inbound_domain);
	k->round->ours = our_addresses_text(&r.ours, k->round->job);
	k->rests_until = until_budget(k, r.refused_today);
	return true;
}

/* -- resting ------------------------------------------------------------------------------------------------------ */

static uint16_t dice(void)
{
	uint16_t n;

	random_bytes(&n, sizeof n);
	return n;
}

/* The account's next try, of the monotonic clock. The wall clock is asked once for each that is in the store: however it is set afterwards,
 * that try is neither late nor early. A time that no pause reaches was written by a wrong clock before our start; the proofs of life of
 * ten thousand are spread over a day then. */
static int64_t next_try_at(struct kept *k)
{
	const struct account *a = &k->round->account;
	int64_t               left = a->next_try - clock_unix_ms();

	if (a->next_try == NEVER)
		return NEVER;
	if (k->try_read == a->next_try)
		return k->try_at;
	if (left > LATEST_MS)
		left = a->state == ACCOUNT_CONNECTED ? DAY_MS * dice() / UINT16_MAX : 0;
	k->try_read = a->next_try;
	return k->try_at = clock_mono_ms() + left;
}

/* Where it was signed in to. False: it is not known, or it was by another provider. */
static bool read_place(const struct kept *k, struct flow_worked *worked)
{
	return place_read(k->round->account.place, k->round->job, worked)
	    && kept_kind_of(worked)->granted == account_has_grant(&k->round->account);
}

/* Is there an inbox to be watched between two proofs of life? */
static bool is_held(const struct kept *k)
{
	struct flow_worked worked;

	return read_place(k, &worked);
}

/* What is to be done with it now, or from when on. */
enum task_of_account { TO_NOTHING, TO_VERIFY, TO_HOLD };

static enum task_of_account due(struct kept *k)
{
	const struct account *a = &k->round->account;
	int64_t               budget = k->rests_until, next = next_try_at(k);

	k->state = a->state;
	switch (a->state) {
	case ACCOUNT_CONNECTING:
		k->rests_until = budget;
		return TO_VERIFY;
	case ACCOUNT_CONNECTED:
	case ACCOUNT_DEGRADED:
	case ACCOUNT_WAITING:
		/* the daily proof of life, or another look at what does not work */
		if (is_held(k) && (a->state == ACCOUNT_WAITING || next > clock_mono_ms())) {
			k->proof_due = a->state == ACCOUNT_WAITING ? NEVER : next;
			k->rests_until = budget;
			return TO_HOLD;
		}
		k->rests_until = next > budget ? next : budget;
		return TO_VERIFY;
	case ACCOUNT_NEEDS_USER:
	case ACCOUNT_NEEDS_ADMIN:
		k->rests_until = next > budget ? next : budget;
		return a->next_try == NEVER ? TO_NOTHING : TO_VERIFY;
	default:
		return TO_NOTHING;
	}
}

/* How long it rests from now on, 0 when its time has come; in pieces that an int holds. */
static int rest_ms(const struct kept *k)
{
	int64_t left = k->rests_until - clock_mono_ms();

	return left <= 0 ? 0 : left < REST_MOST_MS ? (int)left : REST_MOST_MS;
}

/* -- verifying ---------------------------------------------------------------------------------------------------- */

#define HEADER_MOST (64 * 1024)      /* of a message that arrived: Received lines stand in front */

struct arrival {
	const char   *workspace, *token;
	struct arena *into;
	struct slice  header;
};

static bool look_for_arrival(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct arrival     *a = self;
	struct logged_mail  mail;
	struct header_field own;

	if (!mail_by_test(t, work, a->workspace, a->token, &mail, err))
		return false;
	/* the field in front is our own listener's word, about whoever brought it there */
	header_next(&mail.bytes, &own);
	mail.bytes = slice_upto(mail.bytes, HEADER_MOST);
	a->header = slice(arena_copy(a->into, mail.bytes), mail.bytes.len);
	return true;
}

static bool has_arrived(void *self, const char *token, struct arena *into, struct slice *header_out)
{
	struct kept   *k = self;
	struct arrival a = { .workspace = k->round->account.workspace, .token = token, .into = into };
	struct error   err = { 0 };

	if (!store_read(k->loop->daemon->store, look_for_arrival, &a, &err))
		return false;
	*header_out = a.header;
	return true;
}

/* Written once, when somebody connects it: the daily proof of life writes nothing. Where that is what did not work, nothing else would
 * tell that it does. */
static bool tests_calendar(const struct kept_round *round)
{
	const struct account *a = &round->account;
	bool                  failed = a->state == ACCOUNT_DEGRADED && a->cause && slice_starts(slice_str(a->cause), "calendar.");

	return rights_write_calendar(account_terms(a).rights) && (round->asked || failed);
}

static void begin_verification(struct kept *k, const struct want *w)
{
	struct kept_round    *round = k->round;
	const struct account *a = &round->account;

	round->began_ms = w->now_ms;
	round->progress = progress_begin(keeper_board(k->loop->keeper), k->id);
	round->request = (struct flow_request){
		.address = a->address, .provider = a->provider, .username = a->username,
		.credentials = round->credentials.password || round->credentials.token ? &round->credentials : NULL,
		.host = { a->host[SERVICE_IMAP], a->host[SERVICE_SMTP] }, .port = { a->port[SERVICE_IMAP], a->port[SERVICE_SMTP] },
		.trust = &round->laid_down.trust,
		.ews_url = a->ews_url, .act_as = a->impersonate,
		.caldav_url = a->caldav_url, .caldav_username = a->caldav_username, .caldav_password = round->calendar.password,
		.microsoft = keeper_microsoft(k->loop->keeper), .google = keeper_google(k->loop->keeper),
		.terms = account_terms(a), .safe = account_has_grant(a) ? grant_safe(k) : NULL,
		/* the daily proof of life signs in and sends nothing */
		.send_test = round->asked && rights_send(account_terms(a).rights), .send_to = *round->bcc ? round->bcc : NULL,
		.calendar_test = tests_calendar(round),
		.arrived = *round->bcc ? has_arrived : NULL, .arrival = k,
		.timeout_ms = VERIFY_MS, .our_addresses = round->ours, .watch = progress_watch, .watcher = round->progress,
	};
	round->flow = flow_new(&round->request);
	children_init(&round->flows, UNTIL_ALL);
	children_add(&round->flows, &round->flow_task, flow_step, round->flow, VERIFY_MS);
	atomic_fetch_add(&k->loop->counts.verifying, 1);
	LOG(LOG_NEWS, "verify.begin", LOG_TEXT("account", k->id));
}

/* The credentials were judged. A grant costs nothing to try: only what its owner has to put right ends its tries, and what an administrator
 * or the operator puts right is found by the next. */
static bool is_refused(const struct kept *k, const struct report *r, const struct verdict *v)
{
	const struct finding *f = v->findings && !v->finding[0].repaired ? &v->finding[0] : NULL;

	return r->password_tries > 0 || (account_has_grant(&k->round->account) && f && f->who == WHO_USER);
}

/* NULL: a fresh grant could not be kept, and there is nothing to be written down. */
static struct errand *end_verification(struct kept *k, const struct want *w)
{
	struct kept_round *round = k->round;
	int64_t            now = clock_unix_ms();
	struct verdict     v;
	struct flow_worked worked;
	struct outcome     o;
	CLEANUP(report) struct report *r = flow_end(round->flow, (int)(w->now_ms - round->began_ms), &v, &worked);

	round->flow = NULL;
	atomic_fetch_sub(&k->loop->counts.verifying, 1);
	if (k->unkept)
		return NULL;
	outcome_of(&v, &round->account, is_refused(k, r, &v), dice(), now, &o);
	LOG(LOG_NEWS, "verify.end", LOG_TEXT("account", k->id), LOG_TEXT("state", account_state_name(o.state)),
	    LOG_TEXT("cause", cause_row(o.cause)->id), LOG_NUMBER("ms", r->ms));
	return save_outcome(k, &o, r, &v, &worked, true, now);
}

/* -- holding ------------------------------------------------------------------------------------------------------ */

static bool unlock(void *self, struct login *out, const struct secrets **secrets_out)
{
	struct kept       *k = self;
	struct kept_round *round = k->round;
	struct flow_worked worked;

	if (!round && !open_round(k))
		return false;
	round = k->round;
	if (!(round->credentials.password || round->credentials.token) || !read_place(k, &worked))
		return false;
	if (account_has_grant(&round->account))
		k->mailbox->grant = (struct oauth_grant){ *round->credentials.token ? round->credentials.token : NULL,
			round->credentials.refresh_token, round->credentials.scope, round->credentials.expires_at,
			round->credentials.granted_at };
	else
		k->mailbox->endpoint.trust = &round->laid_down.trust;
	*out = (struct login){ .username = worked.username, .username_form = "given", .password = round->credentials.password,
	                       .token = round->credentials.token, .nonce = random_text(round->job, 24) };
	*secrets_out = &round->credentials.secrets;
	return true;
}

static void lock(void *self)
{
	struct kept *k = self;

	if (!k->round)
		return;
	credentials_release(&k->round->credentials);
	credentials_release(&k->round->calendar);
}

static void enter_trouble(struct kept *k, const char *host)
{
	if (k->trouble)
		return;
	k->trouble = must_copy(host);
	k->trouble_ms = k->loop->now_ms;
	trouble_join(keeper_troubles(k->loop->keeper), host);
}

void kept_leave_trouble(struct kept *k)
{
	if (!k->trouble)
		return;
	trouble_leave(keeper_troubles(k->loop->keeper), k->trouble);
	free(k->trouble);
	k->trouble = NULL;
	k->tell = false;
}

static void settled(void *self, const struct mailbox *m)
{
	struct kept *k = self;

	(void)m;
	kept_leave_trouble(k);
	passage_leave(&k->passage, true, k->loop->now_ms);
	k->settled_ms = k->loop->now_ms;
	atomic_fetch_add(&k->loop->counts.parked, 1);
	atomic_fetch_add(&k->loop->counts.connects, 1);
}

/* Ten thousand that come back at once, and without news, cost the store nothing. */
static bool is_known_place(const struct kept *k, const struct mailbox *m)
{
	const char *known = k->round->account.cursor;

	return known && strcmp(known, cursor_of(k, m, k->round->job)) == 0;
}

/* As every other way to that host; while it is down one of all its mailboxes tries, and this one is lost like the others. */
static struct errand *knock_again(void *self)
{
	struct kept *k = self;

	if (turnstile_down_until(k->loop->turnstile, k->host))
		return NULL;
	return passage_ask(&k->passage, k->loop->turnstile, k->host, k->loop->now_ms);
}

/* The server asks to be left alone for so long that it is to be shown: the account waits until then, as in any other outage. NULL: what it
 * said means something else. */
static struct errand *keep_busy(struct kept *k, const struct mailbox_look *look)
{
	struct report *r = look->report;
	int64_t        now = clock_unix_ms();
	struct verdict v;
	struct outcome o;

	report_finish(r);
	diagnose(r, &v);
	outcome_of(&v, &k->round->account, false, dice(), now, &o);
	o.next_try = now + look->busy_ms;
	LOG(LOG_NEWS, "mailbox.throttled", LOG_TEXT("account", k->id), LOG_NUMBER("ms", look->busy_ms));
	return o.state == ACCOUNT_WAITING ? save_outcome(k, &o, r, &v, NULL, false, now) : NULL;
}

static void count_watch(struct kept *k, struct mailbox *m)
{
	if (k->kind->count)
		k->kind->count(k, m);
}

static struct errand *keep(void *self, struct mailbox *m)
{
	struct kept   *k = self;
	bool           first = k->round != NULL;      /* at Exchange and by Graph each time */
	struct mailbox_look look = mailbox_look(m);
	struct errand *busy;

	count_watch(k, m);
	passage_leave(&k->passage, true, k->loop->now_ms);
	if (look.busy_ms) {
		busy = look.busy_ms > keeper_grace_ms(k->loop->keeper) ? keep_busy(k, &look) : NULL;
		if (!busy)
			close_round(k);
		return busy;
	}
	if (k->state == ACCOUNT_WAITING)
		return save_settled(k, m, clock_unix_ms());
	if (look.count || look.entry_count || (first && !is_known_place(k, m)))
		return save_news(k, m, clock_unix_ms());
	close_round(k);      /* from here on it is parked */
	return NULL;
}

static bool kept_news(void *self)
{
	struct kept *k = self;
	bool         ok = save_over(k);

	close_round(k);      /* from here on it is parked, and holds nothing of that */
	return ok;
}

static const struct mailbox_owner owner = {
	.unlock = unlock, .lock = lock, .settled = settled, .knock = knock_again, .keep = keep, .kept = kept_news,
};

static void close_mailbox(struct kept *k)
{
	if (!k->mailbox)
		return;
	kept_calendar_free(k->calendar);
	k->calendar = NULL;
	if (k->settled_ms)
		atomic_fetch_sub(&k->loop->counts.parked, 1);
	atomic_fetch_sub(&k->loop->counts.streams, k->streams);
	atomic_fetch_sub(&k->loop->counts.graph_told, k->told);
	k->settled_ms = 0;
	atomic_fetch_sub(&k->loop->counts.gmail_told, k->pushed);
	kept_cover_ear(k);
	k->streams = k->told = k->pushed = false;
	mailbox_release(k->mailbox);
	free(k->mailbox);
	free(k->host);
	free(k->host_name);
	free(k->address);
	k->mailbox = NULL;
	k->host = k->host_name = k->address = NULL;
}

/* The mailbox by the place that worked. False: none is known after all. */
static bool open_mailbox(struct kept *k)
{
	struct kept_round *round = k->round;
	struct flow_worked worked;
	struct endpoint    place;

	if (!read_place(k, &worked))
		return false;
	place = worked.endpoint[worked.well[SERVICE_WEB] ? SERVICE_WEB : SERVICE_IMAP];
	k->kind = kept_kind_of(&worked);
	k->host_name = must_copy(place.host);
	k->address = must_copy(round->account.address);
	k->host = must_copy(arena_print(round->job, "%s:%u", place.host, place.port));
	place.host = k->host_name;
	place.trust = &round->laid_down.trust;
	k->mailbox = must_alloc(sizeof *k->mailbox);
	k->kind->open(k, &owner, &worked, &place);
	k->calendar = kept_calendar_new(k, &worked);
	return true;
}

static void lost(struct kept *k, int64_t now_ms)
{
	k->losses = now_ms - k->settled_ms < YOUNG_MS ? k->losses + 1 : 0;
	k->rests_until = clock_mono_ms() + (k->losses > 1 ? pause_ms(k->losses - 1, dice()) : (int64_t)LOSS_MS * dice() / UINT16_MAX);
	atomic_fetch_add(&k->loop->counts.losses, 1);
	enter_trouble(k, k->host);
}

/* An outage of one that was connected is not shown at once: most are over in a moment. */
static bool is_blip(const struct kept *k, const struct outcome *o)
{
	return o->state == ACCOUNT_WAITING && (k->state == ACCOUNT_CONNECTED || k->state == ACCOUNT_DEGRADED);
}

/* The same again: there is nothing new to write down. */
static bool is_old_news(const struct kept *k, const struct outcome *o)
{
	const struct account *a = &k->round->account;

	return o->state == ACCOUNT_WAITING && a->state == ACCOUNT_WAITING && a->cause && strcmp(a->cause, cause_row(o->cause)->id) == 0;
}

/* Who has to let us in is told from where we come. */
static void note_our_addresses(const struct kept *k, struct report *r, int64_t now_ms)
{
	int step;

	if (!k->round->ours)
		return;
	step = report_begin(r, "address", NO_ATTEMPT, now_ms);
	report_note(r, step, FACT_OUR_ADDRESSES, "%s", k->round->ours);
	report_end(r, step, STEP_PASSED, now_ms);
}

/* It was lost or never opened: what that means, and the errand that writes it down; NULL when it means nothing yet. */
static struct errand *judge_loss(struct kept *k, const struct error *why, int64_t now_ms)
{
	struct mailbox_look look = mailbox_look(k->mailbox);
	struct report *r = look.report;
	int64_t        now = clock_unix_ms();
	bool           reached = look.asked;
	struct verdict v;
	struct outcome o;

	LOG(LOG_NEWS, k->settled_ms ? "mailbox.lost" : "mailbox.unopened", LOG_TEXT("account", k->id), LOG_TEXT("why", why->text),
	    LOG_TEXT("fault", fault_name(why->fault)));
	passage_leave(&k->passage, reached, now_ms);
	count_watch(k, k->mailbox);
	if (k->unkept) {
		k->rests_until = clock_mono_ms() + pause_ms(1, dice());
		return NULL;
	}
	if (k->settled_ms && !look.refused) {
		lost(k, now_ms);
		return NULL;
	}
	note_our_addresses(k, r, now_ms);
	report_finish(r);
	diagnose(r, &v);
	outcome_of(&v, &k->round->account, is_refused(k, r, &v), dice(), now, &o);
	if (o.next_try != NEVER && o.next_try < now + look.busy_ms)
		o.next_try = now + look.busy_ms;
	/* a host that is not reached has its own back-off, at the turnstile, for all its mailboxes together */
	k->rests_until = o.next_try == NEVER && reached ? NEVER : clock_mono_ms() + (reached ? o.next_try - now : 0);
	if (o.state == ACCOUNT_WAITING) {
		enter_trouble(k, k->host);
		trouble_learn(keeper_troubles(k->loop->keeper), k->host, &o, save_report(r, &v, k->round->job));
	}
	if (is_blip(k, &o) || is_old_news(k, &o))
		return NULL;
	return save_outcome(k, &o, r, &v, NULL, false, now);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

void kept_release(struct kept *k)
{
	passage_give_up(&k->passage);
	close_mailbox(k);
	close_round(k);
	if (k->saving)
		save_over(k);
	grant_over(k);
}

static enum want_kind again(struct kept *k, struct want *w, struct error *err)
{
	close_mailbox(k);
	close_round(k);
	k->step = KEPT_START;
	return kept_step(k, w, err);
}

/* The errand of a passage to that place: `place` may be a host or our own limit on verifications. */
static struct errand *knock(struct kept *k, const char *place, const struct want *w)
{
	return passage_ask(&k->passage, k->loop->turnstile, place, w->now_ms);
}

/* Thousands may wait there at once, and all that they held would lie between what the first of them keep: so they hold nothing, and
 * what is needed is read when they pass. */
static struct errand *knock_with_nothing(struct kept *k, const struct want *w)
{
	struct errand *e = knock(k, k->host, w);

	close_mailbox(k);
	close_round(k);
	return e;
}

/* The store keeps nothing: what is there still holds, and is tried again when it may be well. */
static enum want_kind try_later(struct kept *k, struct want *w)
{
	passage_leave(&k->passage, true, w->now_ms);
	close_round(k);
	k->step = KEPT_RESTED;
	return want_time(w, (int)pause_ms(1, dice()));
}

/* It may pass. False: it is no more, or there is something else to do with it by now. */
static bool take_up_again(struct kept *k)
{
	k->unkept = false;
	return open_round(k) && due(k) == TO_HOLD && rest_ms(k) == 0 && open_mailbox(k);
}

enum want_kind kept_step(void *self, struct want *w, struct error *err)
{
	struct kept         *k = self;
	enum task_of_account task;
	struct trouble       trouble;

	k->loop->now_ms = w->now_ms;
	if (w->stopping)
		return WANT_NOTHING;
	switch (k->step) {
	case KEPT_START:
		task = open_round(k) ? due(k) : TO_NOTHING;
		if (task == TO_NOTHING)
			return WANT_NOTHING;
		if (rest_ms(k)) {
			close_round(k);
			AWAIT(k, KEPT_RESTED, want_time(w, rest_ms(k))):
			want_came(w);
			return again(k, w, err);
		}
		if (task == TO_HOLD && open_mailbox(k))
			goto hold;

		AWAIT(k, KEPT_VERIFY, want_commit(w, knock(k, VERIFY_PLACE, w))):
		want_came(w);
		k->unkept = false;
		begin_verification(k, w);
		AWAIT(k, KEPT_VERIFYING, want_children(w, &k->round->flows, VERIFY_MS + GRACE_MS)):
		want_came(w);
		k->saved = end_verification(k, w);
		if (!k->saved)
			return try_later(k, w);
		AWAIT(k, KEPT_VERIFIED, want_commit(w, k->saved)):
		want_came(w);
		passage_leave(&k->passage, true, w->now_ms);
		save_over(k);
		return again(k, w, err);

	hold:
		if (k->tell && trouble_of(keeper_troubles(k->loop->keeper), k->host, k->round->job, &trouble)) {
			k->tell = false;
			AWAIT(k, KEPT_TOLD, want_commit(w, save_trouble(k, &trouble, clock_unix_ms()))):
			want_came(w);
			save_over(k);
			return again(k, w, err);
		}
		AWAIT(k, KEPT_HOLD, want_commit(w, knock_with_nothing(k, w))):
		want_came(w);
		if (!take_up_again(k)) {
			passage_give_up(&k->passage);
			return again(k, w, err);
		}

		if (k->calendar) {
			AWAIT(k, KEPT_BESIDE, want_children(w, kept_calendar_beside(k->calendar), BESIDE_MS)):
			want_came(w);
			if (!kept_calendar_lost(k->calendar, err))
				return again(k, w, err);
			goto lost;
		}

	STEP(k, KEPT_HOLDING): {
		enum want_kind kind = mailbox_step(k->mailbox, w, err);

		if (kind != WANT_FAILED)
			return kind;
	lost:
		k->saved = judge_loss(k, err, w->now_ms);
		close_round(k);
		if (k->saved) {
			AWAIT(k, KEPT_LOST, want_commit(w, k->saved)):
			want_came(w);
			save_over(k);
		}
		close_mailbox(k);
		if (k->rests_until == NEVER)
			return again(k, w, err);
		AWAIT(k, KEPT_DONE, want_time(w, rest_ms(k) + 1)):
		want_came(w);
		return again(k, w, err);
	}
	}
	return WANT_FAILED;
}
