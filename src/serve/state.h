/* state.h -- what a verdict makes of an account: its next state, and when it is tried again. A pure function.
 *
 * Only a proven refusal of credentials ends the tries. Where the password was refused without proof that it is wrong it is
 * tried again a few times, hours apart, within the day's budget; what costs no password is tried again for ever, ever more
 * seldom; an outage of a mailbox that was connected before is `waiting`, whoever may have to act.
 * Where mail is read and a part beside it was refused its password, that is tried once a day: whatever it costs, mail goes on.
 */
#ifndef SERVE_STATE_H
#define SERVE_STATE_H

#include "diagnose/diagnose.h"
#include "model/account.h"

#define TRIES_A_DAY        4          /* refused passwords that we spend by ourselves      */
#define TRIES_A_DAY_ASKED 10          /*   and when a person presses the button            */
#define NEVER              INT64_MAX

struct outcome {
	enum account_state state;
	int64_t            next_try;         /* Unix ms; NEVER: not by itself                  */
	enum cause         cause;            /* CAUSE_NONE: none                               */
	enum certainty     certainty;
	enum who           who;
	unsigned           failures;         /* in a row, by the same cause                    */
};

/* `refused`: the credentials were judged and refused. `dice`: 0 to 65535. Another cause than before begins to count anew. */
void outcome_of(const struct verdict *, const struct account *, bool refused, uint16_t dice, int64_t now, struct outcome *out);

/* The pause before the n-th try (from 1) of what costs nothing but a connection: 15 s doubled up to half an hour, with dice. */
int64_t pause_ms(unsigned failures, uint16_t dice);

/* When the next password may be said to that account: now, or after the end of the day that used its budget up. */
int64_t budget_allows(int refused_today, int most, int64_t now);

#endif
