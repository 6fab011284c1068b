/* A record from anybody, parsed and judged, as mailmoor replay does. */
#include "model/record.h"

#include <assert.h>
#include <stdlib.h>

#include "diagnose/diagnose.h"
#include "diagnose/tell.h"

static void told(const struct report *r, const struct verdict *v)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct told t;

	for (size_t i = 0; i < v->findings; i++) {
		tell_finding(r, &v->finding[i], language_english(), job, &t);
		assert(t.title && t.why);
		assert(v->finding[i].step < (int)r->step_count);
	}
	for (size_t i = 0; i < v->exclusions; i++)
		for (size_t f = 0; f < v->findings; f++)
			assert(v->exclusion[i].cause != v->finding[f].cause);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct error err = { 0 };
	CLEANUP(report) struct report *r = record_parse(slice((const char *)data, size), &err);
	struct verdict v;

	assert(r || err.fault != FAULT_NONE);
	if (!r)
		return 0;
	diagnose(r, &v);
	assert(v.kind != VERDICT_CONNECTED || v.findings == 0 || v.finding[0].repaired);
	told(r, &v);
	return 0;
}
