/* clock.h -- what time it is, for those few who may ask: net/, store/, serve/ and cmd/. Everybody else is told. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_unix_ms(void);      /* since 1970, UTC; may jump     */
int64_t clock_mono_ms(void);      /* monotonic; for waits and ages */

/* By how much the clock has been set since the call before (forward: positive), 0 when it was not or by less than CLOCK_SET_MS: what is
 * adjusted slowly is no jump. `*apart` is the caller's, 0 at first: the first call always says 0. */
#define CLOCK_SET_MS 2000
int64_t clock_set_by(int64_t *apart, int64_t unix_ms, int64_t mono_ms);

#endif
