/* errands.h -- a WANT_COMMIT as whoever runs a conversation in a test answers it: begun, and waited for where we stand. */
#ifndef TESTS_ERRANDS_H
#define TESTS_ERRANDS_H

#include <semaphore.h>

#include "base/want.h"

static void errand_is_done(struct errand *e)
{
	sem_post(e->carrier);
}

/* errand_done() may come from another thread, or from inside begin(). */
static inline enum came answer_commit(struct want *w)
{
	sem_t done;

	sem_init(&done, 0, 0);
	w->errand->carrier = &done;
	w->errand->answered = errand_is_done;
	w->errand->begin(w->errand);
	while (sem_wait(&done) != 0)
		;
	sem_destroy(&done);
	return CAME;
}

#endif
