/* pace.h -- so many a second and no more, whoever asks: each is told how long it is until its turn. Any thread. It asks no clock. */
#ifndef WATCH_PACE_H
#define WATCH_PACE_H

#include <stdatomic.h>
#include <stdint.h>

struct pace {
	int                 a_second;      /* from 1 to 1000                          */
	_Atomic int64_t     next_us;       /* of the asker's clock: the first free turn */
};

/* Takes a turn. Milliseconds to wait for it, 0: it is now. A turn that is not used is lost. */
int pace_turn(struct pace *, int64_t now_ms);

#endif
