/* Any bytes as a calendar object: what is told of it keeps the promises of ical.h, and nothing in it runs without end. */
#include <assert.h>
#include <stdint.h>

#include "wire/ical.h"

#define MOST 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct ical_instance         found[MOST];
	struct ical_object          *o;
	struct error                 err = { .fault = FAULT_NONE };
	bool                         whole;

	if (!ical_read(slice((const char *)data, size), job, &o, &err)) {
		assert(!o && (err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG));
		return 0;
	}
	assert(ical_events(o) > 0 && ical_events(o) <= ICAL_EXCEPTIONS);
	for (size_t i = 0; i < ical_events(o); i++) {
		const struct ical_event *e = ical_event(o, i);

		assert(e->end >= e->start && e->zone_by <= ZONE_UNKNOWN && (!e->zone || *e->zone));
	}
	for (int64_t from = 1700000000; from < 1800000000; from += 50000000) {
		size_t count = ical_instances(o, from, from + 30 * 86400, found, MOST, &whole);

		assert(count <= MOST);
		for (size_t i = 0; i < count; i++)
			assert(found[i].start < from + 30 * 86400 && found[i].end >= from);
	}
	ical_free(o);
	return 0;
}
