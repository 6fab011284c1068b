#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_unix_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_set_by(int64_t *apart, int64_t unix_ms, int64_t mono_ms)
{
	int64_t now = unix_ms - mono_ms, by = *apart ? now - *apart : 0;

	*apart = now;
	return by >= CLOCK_SET_MS || by <= -CLOCK_SET_MS ? by : 0;
}
