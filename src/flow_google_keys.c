#include "flow_google_keys.h"

#include <stdlib.h>

#include "provider/google_keys.h"

const char google_issuer[] = GOOGLE_ISSUER;

struct google_keys_errand {
	struct arena      *into;      /* NULL: taken */
	struct report     *report;
	struct google_keys ask;
};

struct google_keys_errand *google_keys_errand_new(int timeout_ms)
{
	struct google_keys_errand *e = must_alloc(sizeof *e);

	e->into = arena_new();
	e->report = report_new("");
	google_keys_init(&e->ask, e->report, e->into, waits_within(timeout_ms), report_attempt(e->report));
	return e;
}

enum want_kind google_keys_errand_step(void *self, struct want *w, struct error *err)
{
	struct google_keys_errand *e = self;

	return google_keys_step(&e->ask, w, err);
}

const struct id_keys *google_keys_errand_take(struct google_keys_errand *e, struct arena **arena)
{
	struct id_keys *keys = arena_get(e->into, sizeof *keys);

	*keys = e->ask.keys;
	*arena = e->into;
	e->into = NULL;
	return keys;
}

void google_keys_errand_free(struct google_keys_errand *e)
{
	if (!e)
		return;
	google_keys_release(&e->ask);
	report_free(e->report);
	arena_free(e->into);
	free(e);
}
