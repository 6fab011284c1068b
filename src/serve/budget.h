/* budget.h -- how many passwords may still be refused of an account today. Kept in the store, so that a restart gives no new budget.
 *
 * Days go by while time does: who sets the clock makes no new one. Until a restart its days need not be the calendar's therefore.
 */
#ifndef SERVE_BUDGET_H
#define SERVE_BUDGET_H

#include "serve/service.h"

/* The wall clock as it was at our start, and evenly on from there; Unix ms. */
int64_t budget_now(const struct daemon *);
int64_t budget_day(const struct daemon *);      /* of the store's book of tries: days since 1970 */

/* May a password still be said to that account today, since somebody asks for it? If not, to enter ACCOUNT_CONNECTING would be to wait for
 * tomorrow: whoever would have it enter that asks first. */
bool budget_left(struct txn *, const struct daemon *, const char *account, bool *out, struct error *err);

#endif
