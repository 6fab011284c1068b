#include "watch/pace.h"

#include <limits.h>

int pace_turn(struct pace *p, int64_t now_ms)
{
	int64_t now_us = now_ms * 1000, next = atomic_load(&p->next_us), turn, wait_ms;

	do {
		turn = next > now_us ? next : now_us;
	} while (!atomic_compare_exchange_weak(&p->next_us, &next, turn + 1000000 / p->a_second));
	wait_ms = (turn - now_us + 999) / 1000;
	return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}
