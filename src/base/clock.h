/* clock.h -- what time it is, for those few who may ask: net/, store/, serve/ and cmd/. Everybody else is told. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_unix_ms(void);      /* since 1970, UTC; may jump     */
int64_t clock_mono_ms(void);      /* monotonic; for waits and ages */

#endif
