#include "base/want.h"

#include <assert.h>

const char *came_name(enum came came)
{
	static const char *const name[] = {
		[CAME] = "ok",                       [CAME_NOTHING] = "not tried",     [CAME_TIMEOUT] = "timeout",
		[CAME_END] = "closed",               [CAME_RESET] = "reset",           [CAME_REFUSED] = "refused",
		[CAME_UNREACHABLE] = "unreachable",  [CAME_NOT_ALLOWED] = "not_allowed", [CAME_FULL] = "full",
		[CAME_TLS_FAILED] = "tls_failed",    [CAME_FAILED] = "failed",         [CAME_CANCELLED] = "cancelled",
	};

	return name[came];
}

void children_add(struct children *c, struct task *t, enum want_kind (*step)(void *, struct want *, struct error *), void *self,
                  int wait_ms)
{
	assert(c->count < CHILDREN_MOST);
	*t = (struct task){ .step = step, .self = self, .wait_ms = wait_ms };
	c->task[c->count++] = t;
}
