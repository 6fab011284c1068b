#include "serve/state.h"

#include "base/arena.h"

#define SECOND ((int64_t)1000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

/* Between three quarters and five quarters of it: ten thousand accounts do not come back in one second. */
static int64_t with_dice(int64_t ms, uint16_t dice)
{
	return ms - ms / 4 + ms / 2 * dice / UINT16_MAX;
}

static int64_t doubled(int64_t first, int64_t longest, unsigned failures)
{
	while (failures > 1 && first < longest) {
		first *= 2;
		failures--;
	}
	return first < longest ? first : longest;
}

int64_t pause_ms(unsigned failures, uint16_t dice)
{
	return with_dice(doubled(15 * SECOND, 30 * 60 * SECOND, failures), dice);
}

/* A password that may be right after all costs a try each time: hours, not seconds. */
static int64_t refused_pause_ms(unsigned failures, uint16_t dice)
{
	static const int64_t hours[] = { 1, 4, 24 };
	size_t               n = failures ? failures - 1 : 0;

	return with_dice(hours[n < COUNT(hours) ? n : COUNT(hours) - 1] * HOUR, dice);
}

int64_t budget_allows(int refused_today, int most, int64_t now)
{
	return refused_today < most ? now : (now / DAY + 1) * DAY;
}

static enum account_state state_of(enum who who)
{
	return who == WHO_USER ? ACCOUNT_NEEDS_USER : who == WHO_NOBODY ? ACCOUNT_WAITING : ACCOUNT_NEEDS_ADMIN;
}

static void failed(struct outcome *o, const struct account *a, bool refused, uint16_t dice, int64_t now)
{
	bool outage = cause_is_outage(o->cause);

	/* "temporarily unavailable" is no judgement on a password, though one was sent */
	refused &= !outage;
	o->state = outage && a->last_ok ? ACCOUNT_WAITING : state_of(o->who);
	if (!refused)
		o->next_try = now + pause_ms(o->failures, dice);
	else if (o->certainty == PROVEN && o->state != ACCOUNT_WAITING)
		o->next_try = NEVER;
	else
		o->next_try = now + refused_pause_ms(o->failures, dice);
}

static void partly(struct outcome *o, bool refused, uint16_t dice, int64_t now)
{
	o->state = ACCOUNT_DEGRADED;
	if (cause_is_outage(o->cause))
		o->next_try = now + pause_ms(o->failures, dice);
	else
		o->next_try = now + with_dice(refused ? DAY : doubled(HOUR, DAY, o->failures), dice);
}

static unsigned in_a_row(const struct account *a, enum cause cause)
{
	return a->cause && cause_find(a->cause) == cause ? a->failures + 1 : 1;
}

void outcome_of(const struct verdict *v, const struct account *a, bool refused, uint16_t dice, int64_t now, struct outcome *out)
{
	const struct finding *f = v->findings && !v->finding[0].repaired ? &v->finding[0] : NULL;

	*out = (struct outcome){ .state = ACCOUNT_CONNECTED, .next_try = now + with_dice(DAY, dice) };
	if (v->kind == VERDICT_CONNECTED || v->kind == VERDICT_EXPLAINED)
		return;
	if (f)
		out->cause = f->cause, out->certainty = f->certainty, out->who = f->who;
	out->failures = in_a_row(a, out->cause);
	if (v->kind == VERDICT_PARTIAL) {
		partly(out, refused, dice, now);
	} else if (v->kind == VERDICT_FAILED) {
		failed(out, a, refused, dice, now);
	} else {
		out->state = ACCOUNT_NEEDS_USER;
		out->who = WHO_USER;
		out->next_try = NEVER;
	}
}
