/* parting.h -- what is done at the provider for an account that is removed or paused: see flow_farewell.h. A few at once on each of the
 * keeper's loops; beyond that a subscription of Microsoft's is left to end by itself, and a grant of Google's is given back all the same.
 *
 * Google ends, with one of its tokens, all that our registration was granted by that user (facts G A.1). Where another account of ours is
 * in the same mailbox, of whatever workspace, that one would lose its access with this one. So the grant is given back with the last of
 * them, and until then it is only forgotten here; whoever removes the account is told which of the two it is (removal.h). */
#ifndef SERVE_PARTING_H
#define SERVE_PARTING_H

#include "model/account.h"
#include "serve/service.h"

enum parting {
	PART_FOR_NOW,             /* paused: the grant goes on                                                                    */
	PART_FOR_GOOD,            /* removed: the grant is not needed any more, and may be renewed for this                       */
	PART_FROM_ONE_OF_MANY,    /* likewise, but another account of ours is in the same mailbox by a grant of the same provider */
};

/* As the account was, with its secret as it is sealed. Any
 * thread; all of it is copied. Nothing where there is no subscription, or nothing to ask with. */
void keeper_part(struct keeper *, const struct account *, struct slice sealed, enum parting);

#endif
