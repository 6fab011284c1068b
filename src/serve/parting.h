/* parting.h -- what is done at Microsoft for an account that is removed or paused: see flow_farewell.h. A few at once on each of the
 * keeper's loops; beyond that it is left to end by itself. */
#ifndef SERVE_PARTING_H
#define SERVE_PARTING_H

#include "model/account.h"
#include "serve/service.h"

/* As the account was, with its secret as it is sealed. `for_good`: the grant is not needed any more, and may be renewed for this. Any
 * thread; all of it is copied. Nothing where there is no subscription, or nothing to ask with. */
void keeper_part(struct keeper *, const struct account *, struct slice sealed, bool for_good);

#endif
