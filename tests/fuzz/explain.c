/* Whatever somebody pastes: no crash, one verdict, the same one the second time. */
#include <stdint.h>
#include <stdlib.h>

#include "diagnose/diagnose.h"
#include "diagnose/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char     *text = arena_copy(job, slice((const char *)data, size));
	struct report  *one = report_new(""), *two = report_new("");
	struct verdict *v = arena_get(job, sizeof *v), *w = arena_get(job, sizeof *w);

	explain_facts(one, text);
	diagnose_pasted(one, v);
	explain_facts(two, text);
	diagnose_pasted(two, w);
	if (v->findings == 0 || v->findings != w->findings || v->finding[0].cause != w->finding[0].cause)
		abort();
	report_free(one);
	report_free(two);
	return 0;
}
