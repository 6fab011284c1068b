#include "serve/kept_calendar.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "serve/budget.h"
#include "serve/bus.h"
#include "serve/event_data.h"

#define FOREVER_MS     (24 * 3600 * 1000)      /* until the mailbox begins anew, or something is changed */
#define CURSOR_LONGEST ((size_t)2 * 1024 * 1024)

enum { CALENDAR_START, CALENDAR_KNOCKED, CALENDAR_HOLDING, CALENDAR_SAVED, CALENDAR_RESTED };

/* What is read of the account for one turn: the way in, and with what. */
struct calendar_turn {
	struct arena      *job;
	struct account     account;
	struct laid_down   laid_down;
	struct credentials credentials;
};

/* What was done, to be written down in one transaction. Lives until the store has answered. */
struct calendar_saving {
	struct store_write    write;
	struct errand         errand;
	struct kept_calendar *of;
	struct arena         *job;
	int64_t               now;
	const char           *cursor;          /* NULL: as it was                                       */
	struct calendar_news *news;
	size_t                count;
	bool                  degrades, recovers;
	struct outcome        outcome;         /* where it degrades                                     */
	const char           *report;
	int                   refused;         /* so many passwords: then it is left alone              */
	/* out */
	enum account_state    state;           /* as it is now                                          */
	bool                  told;
};

struct kept_calendar {
	struct kept            *k;
	struct children         beside;
	struct task             mail_task, calendar_task;
	struct error            why;           /* the mailbox was lost */
	bool                    lost;
	int                     step;
	struct mailbox         *mailbox;       /* that has the calendars; NULL while resting            */
	struct endpoint         place;
	char                   *host, *host_name, *path, *username;
	struct passage          passage;
	struct calendar_keeping entries;
	struct calendar_turn   *turn;          /* NULL while parked                                     */
	struct calendar_saving *saving;
	struct errand          *saved;
	char                   *shown;         /* the cause that the account has from us; NULL: none    */
	int64_t                 down_ms;       /* without connection since, of the loop's clock; 0: not */
	unsigned                failures;
	int                     rest_ms;
	bool                    watched;       /* it is counted among those that are                    */
};

/* -- reading ------------------------------------------------------------------------------------------------------ */

struct reading {
	struct kept_calendar *c;
	struct slice          password, own;
};

static bool sealed(struct txn *t, struct reading *r, const char *kind, struct slice *out, struct error *err)
{
	if (sealed_get(t, r->c->turn->job, r->c->k->id, kind, out, err))
		return true;
	return err->fault == FAULT_ABSENT && (*err = (struct error){ 0 }, true);
}

static bool read_all(struct txn *t, void *self, struct error *err)
{
	struct reading       *r = self;
	struct calendar_turn *turn = r->c->turn;

	return account_get(t, turn->job, NULL, r->c->k->id, &turn->account, err)
	    && laid_down_for(t, turn->job, turn->account.workspace, turn->account.address, &turn->laid_down, err)
	    && sealed(t, r, "password", &r->password, err) && sealed(t, r, "caldav_password", &r->own, err);
}

static void end_turn(struct kept_calendar *c)
{
	if (!c->turn)
		return;
	credentials_release(&c->turn->credentials);
	arena_free(c->turn->job);
	free(c->turn);
	c->turn = NULL;
}

/* Its own password, else the mailbox's. */
static bool open_password(struct kept_calendar *c, const struct reading *r, struct error *err)
{
	const char  *kind = r->own.at ? "caldav_password" : "password";
	struct slice plain;

	if (!r->own.at && !r->password.at)
		return fail(err, FAULT_ABSENT, "no password");
	if (!vault_unseal(c->k->loop->daemon->vault, arena_print(c->turn->job, "%s/%s", c->k->id, kind), r->own.at ? r->own : r->password,
	                  c->turn->job, &plain, err))
		return false;
	credentials_take_password(&c->turn->credentials, plain);
	return true;
}

static bool begin_turn(struct kept_calendar *c)
{
	struct reading r = { .c = c };
	struct error   err = { 0 };

	end_turn(c);
	c->turn = must_alloc(sizeof *c->turn);
	c->turn->job = arena_new();
	if (store_read(c->k->loop->daemon->store, read_all, &r, &err) && open_password(c, &r, &err))
		return true;
	LOG(LOG_FAILURE, "calendar.unreadable", LOG_TEXT("account", c->k->id), LOG_TEXT("why", err.text));
	end_turn(c);
	return false;
}

/* -- writing down ------------------------------------------------------------------------------------------------- */

static bool reads_mail(const struct account *a)
{
	return a->state == ACCOUNT_CONNECTED || a->state == ACCOUNT_DEGRADED;
}

static void enter(struct account *a, enum account_state state, int64_t now)
{
	a->state = state;
	a->state_since = now;
	a->failures = 0;
	a->cause = a->certainty = a->who = NULL;
}

static bool tell(struct txn *t, struct calendar_saving *s, const struct account *a, const char *type, struct error *err)
{
	cJSON *data = account_event_data(a);
	char  *text = cJSON_PrintUnformatted(data);
	bool   fine = event_append(t, &(struct event){ .id = new_id(s->job, "evt"), .workspace = a->workspace, .account = a->id, .type = type,
		.data = text, .created = s->now }, NULL, err);

	free(text);
	cJSON_Delete(data);
	s->told |= fine;
	return fine;
}

/* What is wrong with the mailbox itself comes first, and stays. */
static bool degrade(struct txn *t, struct calendar_saving *s, struct account *a, struct error *err)
{
	if (a->state != ACCOUNT_CONNECTED)
		return true;
	enter(a, ACCOUNT_DEGRADED, s->now);
	a->cause = cause_row(s->outcome.cause)->id;
	a->certainty = certainty_name(s->outcome.certainty);
	a->who = who_name(s->outcome.who);
	a->report = s->report;
	a->report_at = s->now;
	return tell(t, s, a, "account.failed", err);
}

/* Only from what it was given by us. */
static bool recover(struct txn *t, struct calendar_saving *s, struct account *a, struct error *err)
{
	if (a->state != ACCOUNT_DEGRADED || !a->cause || !s->of->shown || strcmp(a->cause, s->of->shown) != 0)
		return true;
	enter(a, ACCOUNT_CONNECTED, s->now);
	a->last_ok = s->now;
	return tell(t, s, a, "account.recovered", err);
}

static bool apply(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct calendar_saving *s = self;
	const struct daemon    *d = s->of->k->loop->daemon;
	struct account          a;

	s->told = false;
	if (!lease_take(t, s->of->k->id, d->node, d->fence, NEVER, err) || !account_get(t, work, NULL, s->of->k->id, &a, err))
		return false;
	if (!reads_mail(&a))
		return fail(err, FAULT_REFUSED, "it was changed meanwhile");
	if (s->cursor)
		a.calendar = s->cursor;
	if ((s->degrades && !degrade(t, s, &a, err)) || (s->recovers && !recover(t, s, &a, err)))
		return false;
	if (s->refused)
		a.place = place_without_calendar(a.place, work);
	s->state = a.state;
	return account_update(t, &a, err) && calendar_news_keep(t, work, &a, s->news, s->count, s->now, &s->told, err)
	    && (!s->refused || tries_add(t, a.id, budget_day(d), s->refused, err));
}

static void answered(struct store_write *w)
{
	struct calendar_saving *s = w->self;

	if (w->ok && s->told)
		bus_ring(s->of->k->loop->daemon->bus);
	errand_done(&s->errand);
}

static void begin_saving(struct errand *e)
{
	struct calendar_saving *s = (struct calendar_saving *)((char *)e - offsetof(struct calendar_saving, errand));

	store_write(s->of->k->loop->daemon->store, &s->write);
}

static struct calendar_saving *saving_new(struct kept_calendar *c)
{
	struct calendar_saving *s = must_alloc(sizeof *s);

	*s = (struct calendar_saving){ .write = { .apply = apply, .done = answered, .self = s }, .errand.begin = begin_saving, .of = c,
	                               .job = arena_new(), .now = clock_unix_ms() };
	c->saving = s;
	return s;
}

static void show(struct kept_calendar *c, const char *cause)
{
	char *copy = cause ? must_copy(cause) : NULL;

	free(c->shown);
	c->shown = copy;
}

/* True when it was kept. */
static bool saving_over(struct kept_calendar *c)
{
	struct calendar_saving *s = c->saving;
	bool                    ok = s->write.ok;

	if (!ok)
		LOG(s->write.err.fault == FAULT_REFUSED ? LOG_NEWS : LOG_FAILURE, "calendar.unsaved", LOG_TEXT("account", c->k->id), LOG_TEXT("why", s->write.err.text));
	/* the mailbox goes on from there */
	if (ok)
		c->k->state = s->state;
	if (ok && s->degrades)
		show(c, cause_row(s->outcome.cause)->id);
	if (ok && s->recovers)
		show(c, NULL);
	arena_free(s->job);
	free(s);
	c->saving = NULL;
	return ok;
}

/* -- what the calendars ask of us --------------------------------------------------------------------------------- */

static bool unlock(void *self, struct login *out, const struct secrets **secrets_out)
{
	struct kept_calendar *c = self;

	if (!begin_turn(c))
		return false;
	c->mailbox->endpoint.trust = &c->turn->laid_down.trust;
	*out = (struct login){ .username = c->username, .username_form = "given", .password = c->turn->credentials.password,
	                       .nonce = random_text(c->turn->job, 24) };
	*secrets_out = &c->turn->credentials.secrets;
	return true;
}

static void lock(void *self)
{
	struct kept_calendar *c = self;

	if (c->turn)
		credentials_release(&c->turn->credentials);
}

static void settled(void *self, const struct mailbox *m)
{
	struct kept_calendar *c = self;

	(void)m;
	passage_leave(&c->passage, true, c->k->loop->now_ms);
	c->down_ms = 0;
	c->failures = 0;
	if (!c->watched)
		atomic_fetch_add(&c->k->loop->counts.calendars, 1);
	c->watched = true;
}

static struct errand *knock(void *self)
{
	struct kept_calendar *c = self;

	if (turnstile_down_until(c->k->loop->turnstile, c->host))
		return NULL;
	return passage_ask(&c->passage, c->k->loop->turnstile, c->host, c->k->loop->now_ms);
}

static const char *cursor_text(const struct kept_calendar *c, const char *shown, struct arena *into)
{
	cJSON      *o = cJSON_CreateObject();
	char       *text;
	const char *copy;

	calendar_cursor_write(&c->mailbox->calendars, o);
	if (shown)
		cJSON_AddStringToObject(o, "shown", shown);
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(into, text);
	free(text);
	cJSON_Delete(o);
	return copy;
}

void calendar_count(struct keeper_loop *l, const char *account, struct caldav_watch *s)
{
	atomic_fetch_add(&l->counts.caldav_polls, s->polls);
	atomic_fetch_add(&l->counts.caldav_throttled, s->throttled);
	if (s->resets)
		LOG(LOG_NEWS, "calendar.compared", LOG_TEXT("account", account), LOG_NUMBER("calendars", s->resets));
	s->polls = s->throttled = s->resets = 0;
}

static struct errand *keep(void *self, struct mailbox *m)
{
	struct kept_calendar   *c = self;
	struct mailbox_look     look = mailbox_look(m);
	struct calendar_saving *s;
	const char             *cursor = cursor_text(c, NULL, c->turn->job), *known = c->turn->account.calendar;

	calendar_count(c->k->loop, c->k->id, &m->calendars);
	passage_leave(&c->passage, true, c->k->loop->now_ms);
	if (look.busy_ms || (!look.entry_count && !c->shown && known && strcmp(known, cursor) == 0)) {
		end_turn(c);
		return NULL;
	}
	s = saving_new(c);
	s->recovers = c->shown != NULL;
	s->cursor = arena_str(s->job, cursor);
	s->news = calendar_news_copy(look.entries, look.entry_count, s->job);
	s->count = look.entry_count;
	return &s->errand;
}

static bool kept(void *self)
{
	struct kept_calendar *c = self;
	bool                  ok = saving_over(c);

	end_turn(c);
	return ok;
}

static const struct mailbox_owner owner = {
	.unlock = unlock, .lock = lock, .settled = settled, .knock = knock, .keep = keep, .kept = kept,
};

/* -- opened, and lost --------------------------------------------------------------------------------------------- */

static void close_calendar(struct kept_calendar *c)
{
	if (c->watched)
		atomic_fetch_sub(&c->k->loop->counts.calendars, 1);
	c->watched = false;
	if (c->mailbox)
		mailbox_release(c->mailbox);
	free(c->mailbox);
	c->mailbox = NULL;
	end_turn(c);
}

static bool open_calendar(struct kept_calendar *c)
{
	struct caldav_memory memory = calendar_memory(&c->entries);

	if (!begin_turn(c))
		return false;
	c->mailbox = must_alloc(sizeof *c->mailbox);
	mailbox_init_caldav(c->mailbox, &owner, c, c->k->address, &c->place, &memory);
	c->mailbox->calendars.poll_ms = keeper_caldav_poll_ms(c->k->loop->keeper);
	calendar_cursor_read(c->turn->account.calendar, &c->mailbox->calendars);
	return true;
}

static uint16_t dice(void)
{
	uint16_t n;

	random_bytes(&n, sizeof n);
	return n;
}

/* The errand that writes down what that means; NULL: nothing yet. */
static struct errand *judge_loss(struct kept_calendar *c, const struct error *why, int64_t now_ms)
{
	struct mailbox_look     look = mailbox_look(c->mailbox);
	struct calendar_saving *s;
	struct verdict          v;
	struct outcome          o;
	bool                    refused;

	LOG(LOG_NEWS, "calendar.lost", LOG_TEXT("account", c->k->id), LOG_TEXT("why", why->text), LOG_TEXT("fault", fault_name(why->fault)));
	passage_leave(&c->passage, look.asked, now_ms);
	if (!c->down_ms)
		c->down_ms = now_ms ? now_ms : 1;
	c->rest_ms = (int)pause_ms(++c->failures, dice());
	if (look.busy_ms > c->rest_ms)
		c->rest_ms = look.busy_ms;
	/* a host that is known to be down was not even asked */
	if (!look.report || (!c->turn && !begin_turn(c)))
		return NULL;
	refused = look.report->password_tries > 0;
	if (!refused && now_ms - c->down_ms < keeper_grace_ms(c->k->loop->keeper))
		return NULL;
	report_finish(look.report);
	diagnose(look.report, &v);
	outcome_of(&v, &c->turn->account, refused, dice(), clock_unix_ms(), &o);
	if (refused)
		c->rest_ms = FOREVER_MS;
	if (!o.cause || (c->shown && !refused && strcmp(c->shown, cause_row(o.cause)->id) == 0))
		return NULL;
	s = saving_new(c);
	s->degrades = true;
	s->outcome = o;
	s->refused = look.report->password_tries;
	s->report = save_report(look.report, &v, s->job);
	s->cursor = cursor_text(c, cause_row(o.cause)->id, s->job);
	return &s->errand;
}

static enum want_kind hold_calendar(void *self, struct want *w, struct error *err)
{
	struct kept_calendar *c = self;
	enum want_kind        kind;

	c->k->loop->now_ms = w->now_ms;
	if (w->stopping)
		return WANT_NOTHING;
	switch (c->step) {
	case CALENDAR_START:
		for (;;) {
			AWAIT(c, CALENDAR_KNOCKED, want_commit(w, passage_ask(&c->passage, c->k->loop->turnstile, c->host, w->now_ms))):
			want_came(w);
			if (!open_calendar(c)) {
				passage_give_up(&c->passage);
				c->rest_ms = FOREVER_MS;
				goto rest;
			}

	STEP(c, CALENDAR_HOLDING):
			kind = mailbox_step(c->mailbox, w, err);
			if (kind != WANT_FAILED)
				return kind;
			c->saved = judge_loss(c, err, w->now_ms);
			*err = (struct error){ 0 };
			if (c->saved) {
				AWAIT(c, CALENDAR_SAVED, want_commit(w, c->saved)):
				want_came(w);
				saving_over(c);
			}
			close_calendar(c);
	rest:
			AWAIT(c, CALENDAR_RESTED, want_time(w, c->rest_ms)):
			want_came(w);
		}
	}
	return WANT_FAILED;
}

/* Its loss is the end of both. */
static enum want_kind hold_mailbox(void *self, struct want *w, struct error *err)
{
	struct kept_calendar *c = self;
	enum want_kind        kind;

	c->k->loop->now_ms = w->now_ms;
	if (w->stopping)
		return WANT_NOTHING;
	kind = mailbox_step(c->k->mailbox, w, err);
	if (kind != WANT_FAILED)
		return kind;
	c->lost = true;
	c->why = *err;
	return WANT_NOTHING;
}

/* -- beside the mailbox ------------------------------------------------------------------------------------------- */

/* The cause that the account has from us, from before. */
static char *shown_before(const struct account *a)
{
	cJSON      *o = a->calendar ? json_read(slice_str(a->calendar), CURSOR_LONGEST, NULL) : NULL;
	const char *cause = json_text(o, "shown");
	bool        still = cause && a->state == ACCOUNT_DEGRADED && a->cause && strcmp(a->cause, cause) == 0;
	char       *copy = still ? must_copy(cause) : NULL;

	cJSON_Delete(o);
	return copy;
}

struct kept_calendar *kept_calendar_new(struct kept *k, const struct flow_worked *worked)
{
	const struct endpoint *e = &worked->calendar.endpoint;
	struct kept_calendar  *c;

	if (!worked->calendar.well || !k->round->account.caldav_url)
		return NULL;
	c = must_alloc(sizeof *c);
	*c = (struct kept_calendar){ .k = k, .place = *e, .host_name = must_copy(e->host), .path = must_copy(e->path),
		.username = must_copy(worked->calendar.username ? worked->calendar.username : k->address),
		.host = must_copy(arena_print(k->round->job, "%s:%u", e->host, e->port)),
		.entries = { k->loop->daemon->store, k->id }, .shown = shown_before(&k->round->account) };
	c->place.host = c->host_name;
	c->place.path = c->path;
	return c;
}

struct children *kept_calendar_beside(struct kept_calendar *c)
{
	children_init(&c->beside, UNTIL_ONE);
	children_add(&c->beside, &c->mail_task, hold_mailbox, c, 0);
	children_add(&c->beside, &c->calendar_task, hold_calendar, c, 0);
	return &c->beside;
}

bool kept_calendar_lost(struct kept_calendar *c, struct error *err)
{
	*err = c->why;
	return c->lost;
}

void kept_calendar_free(struct kept_calendar *c)
{
	if (!c)
		return;
	passage_give_up(&c->passage);
	close_calendar(c);
	if (c->saving)
		saving_over(c);
	free(c->host);
	free(c->host_name);
	free(c->path);
	free(c->username);
	free(c->shown);
	free(c);
}
