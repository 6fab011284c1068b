#include "serve/budget.h"

#include "base/clock.h"
#include "serve/state.h"
#include "store/accounts.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)

int64_t budget_now(const struct daemon *d)
{
	return d->started + (clock_mono_ms() - d->started_ms);
}

int64_t budget_day(const struct daemon *d)
{
	return budget_now(d) / DAY_MS;
}

bool budget_left(struct txn *t, const struct daemon *d, const char *account, bool *out, struct error *err)
{
	int refused = 0;

	if (!tries_of(t, account, budget_day(d), &refused, err))
		return false;
	*out = refused < TRIES_A_DAY_ASKED;
	return true;
}
